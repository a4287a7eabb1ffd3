# SPDX-License-Identifier: Apache-2.0

"""Validators of flavor extra specs, for nova-api.

An entry point of ``nova.api.extra_spec_validators``: nova-api refuses a
wrong name or value when a flavor is made, from API microversion 2.86 on.
Runs on a controller, so it needs neither libvirt nor lxml.
"""

import re
import typing

from nova.api.validation.extra_specs import base
import nova.conf
from nova import exception
from oslo_log import log as logging

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import spelling
from nova_hyperv_enlight.conf import hyperv_enlight
from nova_hyperv_enlight.conf import profiles_file
from nova_hyperv_enlight import exception as plugin_exception
from nova_hyperv_enlight.policy import request

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


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


class _ProfileValidator(_Validator):
    """A validator that knows the profiles which this controller knows.

    Those of the operator are in ``profiles_file``, which is read each time:
    flavors are made seldom.
    """

    def validate(self, name: str, value: str) -> None:
        super().validate(name, value)
        if value in profiles.PROFILES:
            return
        path = CONF.hyperv_enlight.profiles_file
        if not path:
            LOG.warning(
                '%(name)s=%(value)s is not a built-in profile. It is '
                'accepted, as [hyperv_enlight] profiles_file is not set for '
                'nova-api: only the compute nodes can tell whether it exists.',
                {'name': name, 'value': value},
            )
            return
        try:
            known = profiles_file.load(path)
        except plugin_exception.InvalidOption as err:
            LOG.error(
                '%(name)s=%(value)s is accepted unchecked: %(reason)s',
                {'name': name, 'value': value, 'reason': err},
            )
            return
        if value not in known:
            allowed = ', '.join([*profiles.PROFILES, *sorted(known)])
            raise exception.ValidationError(
                f"Validation failed; '{value}' is not a profile."
                f'{spelling.hint(value, {*profiles.PROFILES, *known})} The '
                f'profiles are {allowed}.'
            )


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
    hyperv_enlight.register_opts(CONF)
    profile = _ProfileValidator(
        name=request.SPEC_PREFIX + 'profile',
        description='The profile of Hyper-V enlightenments.',
        value={
            'type': str,
            'description': "A built-in profile or one of the operator's own",
            'pattern': profiles_file.NAME,
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
