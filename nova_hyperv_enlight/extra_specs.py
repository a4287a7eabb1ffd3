# SPDX-License-Identifier: Apache-2.0

"""Validators of flavor extra specs, for nova-api.

An entry point of ``nova.api.extra_spec_validators``: nova-api refuses a
wrong name or value when a flavor is made, from API microversion 2.86 on.
Runs on a controller, so it needs neither libvirt nor lxml.
"""

import re
import typing

from nova.api.validation.extra_specs import base
from nova import exception

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.policy import request


class _Validator(base.ExtraSpecValidator):
    """A validator whose name is no pattern: a dot is a dot."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.name_regex = re.escape(self.name)


class _ValueValidator(_Validator):
    """A validator that checks a value as the compute node will."""

    def validate(self, name: str, value: str) -> None:
        super().validate(name, value)
        carrier = enlightenments.VALUES[name.removeprefix(request.SPEC_PREFIX)]
        assert carrier.value is not None
        try:
            carrier.value.check(value)
        except ValueError as err:
            raise exception.ValidationError(
                f"Validation failed; '{value}' is not {err}."
            ) from err


def _describe(value: model.Value) -> dict[str, typing.Any]:
    described: dict[str, typing.Any] = {
        'type': str,
        'description': f'{value.allowed[0].upper()}{value.allowed[1:]}',
    }
    if isinstance(value, model.IntegerValue):
        described |= {'type': int, 'min': value.minimum, 'max': value.maximum}
    return described


def _state(name: str, entry: model.Enlightenment) -> _Validator:
    return _Validator(
        name=request.SPEC_PREFIX + name,
        description=entry.summary,
        value={
            'type': str,
            'description': f'Turn {name} on or off',
            'enum': ['on', 'off'],
        },
    )


def register() -> list[base.ExtraSpecValidator]:
    """Return a validator for every extra spec that the plugin reads."""
    profile = _Validator(
        name=request.SPEC_PREFIX + 'profile',
        description='The profile of Hyper-V enlightenments.',
        value={
            'type': str,
            'description': "A built-in profile or one of the operator's own",
            'pattern': r'\S{1,64}',
        },
    )
    states = [
        _state(name, entry)
        for name, entry in enlightenments.ENLIGHTENMENTS.items()
    ]
    values = [
        _ValueValidator(
            name=request.SPEC_PREFIX + value_name,
            description=f'What {entry.name} carries.',
            value=_describe(entry.value),
        )
        for value_name, entry in enlightenments.VALUES.items()
        if entry.value is not None
    ]
    return [profile, *states, *values]
