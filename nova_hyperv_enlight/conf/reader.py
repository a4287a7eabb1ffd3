# SPDX-License-Identifier: Apache-2.0

"""Turns the options into the policy's settings, and checks them."""

import typing

from oslo_config import cfg

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import spelling
from nova_hyperv_enlight.conf import profiles_file
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import admission
from nova_hyperv_enlight.policy import settings


def _get(group: typing.Any, option: str) -> typing.Any:
    try:
        return getattr(group, option)
    except (cfg.ConfigFileValueError, ValueError) as err:
        raise exception.InvalidOption(option=option, reason=err) from err


def _check_names(
    option: str, features: typing.Iterable[str], allowed: typing.Iterable[str]
) -> None:
    allowed = list(allowed)
    for name in features:
        if name not in allowed:
            raise exception.InvalidOption(
                option=option,
                reason=(
                    f'{name!r} is not known.{spelling.hint(name, allowed)} '
                    f'Allowed are {", ".join(allowed)}.'
                ),
            )


def _check_both(on: typing.Iterable[str], off: typing.Iterable[str]) -> None:
    """Refuse to force something on without what it requires."""
    for root in on:
        for name in off:
            if name in graph.closure({root}):
                which = '' if name == root else f' requires {name!r}, which'
                raise exception.InvalidOption(
                    option='force_on',
                    reason=f'{root!r}{which} is in force_off',
                )


def read(conf: cfg.ConfigOpts) -> settings.Settings:
    """Return the options of ``[hyperv_enlight]``, checked.

    :param conf: where they are registered.
    :raises InvalidOption: with the option, its value and what is allowed.
    """
    group = conf.hyperv_enlight
    known = dict(profiles.PROFILES)
    path = _get(group, 'profiles_file')
    if path:
        known.update(profiles_file.load(path))
    profile = _get(group, 'profile')
    _check_names('profile', [profile], known)
    force_on = tuple(_get(group, 'force_on'))
    force_off = tuple(_get(group, 'force_off'))
    overridable = frozenset(_get(group, 'image_overridable'))
    features = list(enlightenments.ENLIGHTENMENTS)
    _check_names('force_on', force_on, features)
    _check_names('force_off', force_off, features)
    _check_both(force_on, force_off)
    _check_names(
        'image_overridable',
        sorted(overridable),
        [*features, *(admission.PROFILE_PREFIX + name for name in known)],
    )
    return settings.Settings(
        enabled=_get(group, 'enabled'),
        shadow=_get(group, 'mode') == 'shadow',
        profile=profile,
        known_profiles=known,
        force_on=force_on,
        force_off=force_off,
        image_overridable=overridable,
        spinlock_retries=_get(group, 'spinlock_retries'),
        vendor_id=_get(group, 'vendor_id'),
        keep_recorded=_get(group, 'recorded_set') == 'keep',
        fail_on_host_change=_get(group, 'on_host_change') == 'fail',
        report_traits=_get(group, 'report_traits'),
        verify_host=_get(group, 'verify_host'),
        pit_discard=_get(group, 'pit_tickpolicy') == 'discard',
        hooks=tuple(_get(group, 'hooks')),
    )
