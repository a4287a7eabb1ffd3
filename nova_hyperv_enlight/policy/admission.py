# SPDX-License-Identifier: Apache-2.0

"""Which profile and overrides of a guest's flavor and image are allowed.

The operator's policy may have changed since a guest was started. Such a guest
keeps running: what is not allowed any more is left out, with a reason.
"""

import collections.abc
import dataclasses
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import spelling
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import settings

#: An entry of ``image_overridable`` that names a profile.
PROFILE_PREFIX = 'profile:'
_HOST_CHOOSES = (profiles.Mode.HOST_MODEL, profiles.Mode.PASSTHROUGH)
#: Who chose a profile that neither flavor nor image names.
OPERATOR = 'the operator'


def allowance(conf: settings.Settings) -> str:
    """Return a clause for messages: what an image may switch."""
    return (
        '[hyperv_enlight] image_overridable allows '
        f'{", ".join(sorted(conf.image_overridable)) or "nothing"}'
    )


def _named(
    conf: settings.Settings, source: request.Source, wanted: tuple[str, str]
) -> profiles.Profile:
    name, key = wanted
    if name not in conf.known_profiles:
        raise exception.InvalidRequest(
            reason=(
                f"The {source.value}'s {key}={name} is not valid."
                f'{spelling.hint(name, conf.known_profiles)} The profiles are '
                f'{", ".join(profiles.PROFILES)}, and those of '
                '[hyperv_enlight] profiles_file.'
            )
        )
    return conf.known_profiles[name]


def _switched(
    default: profiles.Profile, wanted: profiles.Profile
) -> frozenset[str]:
    """Return the names whose state may differ between two profiles."""
    if wanted is default:
        return frozenset()
    modes = default.mode, wanted.mode
    if not set(modes).isdisjoint(_HOST_CHOOSES):
        return frozenset(enlightenments.ENLIGHTENMENTS)
    # A name that is in both may carry another value.
    switched = wanted.features ^ default.features
    switched |= {
        enlightenments.VALUES[key].name
        for key, _ in set(default.values) ^ set(wanted.values)
    }
    if profiles.Mode.STOCK in modes:
        # Nova's own list has no name that the baseline lacks.
        switched |= profiles.PROFILES['baseline'].features
    return switched


def _check_image_profile(
    conf: settings.Settings, default: profiles.Profile, key: str, name: str
) -> None:
    """Refuse a profile by which an image would switch too much."""
    wanted = conf.known_profiles[name]
    if PROFILE_PREFIX + name in conf.image_overridable:
        return
    if wanted.listed:
        raise exception.InvalidRequest(
            reason=(
                f'The image property {key}={name} is not allowed: an image '
                f'may choose it only where {PROFILE_PREFIX}{name} is listed; '
                f'{allowance(conf)}.'
            )
        )
    forbidden = sorted(_switched(default, wanted) - conf.image_overridable)
    if forbidden:
        raise exception.InvalidRequest(
            reason=(
                f'The image property {key}={name} is not allowed: it would '
                f'switch {", ".join(forbidden)}; {allowance(conf)}.'
            )
        )


def check_image(conf: settings.Settings, image: request.Overrides) -> None:
    """Refuse what an image may not switch.

    :raises InvalidRequest: with the property and what is allowed.
    """
    for name, override in image.features.items():
        if name not in conf.image_overridable:
            raise exception.InvalidRequest(
                reason=(
                    f'The image property {override.key} is not allowed: an '
                    f'image may not switch {name!r} here; {allowance(conf)}.'
                )
            )


def reach(
    image: request.Overrides, vendor: model.Vendor | None
) -> frozenset[str]:
    """Return all features that an image's overrides could switch.

    A feature that is turned on brings those that it requires; one that is
    turned off takes along those that require it.

    :param vendor: the host's vendor, None where it is not known.
    """
    on = {name for name, override in image.features.items() if override.on}
    off = image.features.keys() - on
    return graph.closure(on, vendor) | graph.dependents(off, vendor)


def choose(
    conf: settings.Settings, req: request.Request, recorded: str | None = None
) -> tuple[profiles.Profile, str]:
    """Return the profile that applies, and who chose it, for messages.

    The flavor's choice takes precedence over the image's, and both over the
    operator's default. An image's choice is checked even where the flavor's
    takes precedence.

    :param recorded: the profile of the guest's record, which an image may
        keep.
    :raises InvalidRequest: a profile that does not exist, or that an image
        may not choose.
    """
    chosen = conf.known_profiles[conf.profile]
    by = OPERATOR
    if req.image.profile is not None:
        wanted = _named(conf, request.Source.IMAGE, req.image.profile)
        if wanted.name != recorded:
            _check_image_profile(
                conf, chosen, req.image.profile[1], wanted.name
            )
        chosen, by = wanted, 'the image'
    if req.flavor.profile is not None:
        chosen = _named(conf, request.Source.FLAVOR, req.flavor.profile)
        by = 'the flavor'
    return chosen, by


def _refusal(
    check: collections.abc.Callable[..., typing.Any], *args: typing.Any
) -> str | None:
    """Return why a check refuses, None where it passes."""
    try:
        check(*args)
    except exception.InvalidRequest as err:
        return str(err)
    return None


def _allowed_overrides(
    conf: settings.Settings, image: request.Overrides, refusals: list[str]
) -> request.Overrides:
    allowed = {}
    for name, override in image.features.items():
        alone = dataclasses.replace(image, features={name: override})
        refusal = _refusal(check_image, conf, alone)
        if refusal is None:
            allowed[name] = override
        else:
            refusals.append(refusal)
    return dataclasses.replace(image, features=allowed)


def admit(
    conf: settings.Settings,
    req: request.Request,
    recorded: record.Record | None,
) -> tuple[request.Request, tuple[str, ...]]:
    """Reduce the request of a started guest to what is allowed now.

    :param req: the request of the guest.
    :param recorded: the guest's record, None where there is none.
    :returns: the reduced request, and the reason of each thing left out.
    """
    profile = recorded.profile if recorded is not None else None
    refusals: list[str] = []
    image = _allowed_overrides(conf, req.image, refusals)
    flavor = req.flavor
    silent = dataclasses.replace(req, flavor=request.Overrides())
    refusal = _refusal(choose, conf, silent, profile)
    if refusal is not None:
        refusals.append(refusal)
        image = dataclasses.replace(image, profile=None)
    admitted = dataclasses.replace(req, image=image)
    refusal = _refusal(choose, conf, admitted, profile)
    if refusal is not None:
        refusals.append(refusal)
        flavor = dataclasses.replace(flavor, profile=None)
    return (
        dataclasses.replace(admitted, flavor=flavor),
        (*req.passed_over, *refusals),
    )
