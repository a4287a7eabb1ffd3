# SPDX-License-Identifier: Apache-2.0

"""Profiles that leave the names to Nova, libvirt or QEMU."""

import dataclasses
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import context
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import request

_CATALOGUE = enlightenments.ENLIGHTENMENTS
_Mode = profiles.Mode

#: The first libvirt that lets children of <hyperv> override what the mode
#: names, by the modes of which there is one (libvirt NEWS 12.1.0).
OVERRIDING: dict[profiles.Mode, model.Version] = {_Mode.HOST_MODEL: (12, 1, 0)}
#: What host-model must not turn on: it breaks live migration.
_NEVER = selections.PINNING
#: What no mode covers.
TIMERS = frozenset(
    name for name, entry in _CATALOGUE.items() if entry.is_clock
)

_WHO = {
    _Mode.STOCK: (request.Source.NOVA, 'Nova'),
    _Mode.HOST_MODEL: (request.Source.LIBVIRT, 'libvirt'),
    _Mode.PASSTHROUGH: (request.Source.LIBVIRT, 'QEMU'),
}


def all_outcomes(
    state: decision.State,
    reason: decision.Reason,
    source: request.Source,
    text: str,
) -> tuple[decision.Outcome, ...]:
    """Return the same outcome for every name.

    :param text: why, to be read after the name, with a full stop.
    """
    return tuple(
        decision.Outcome(
            name=name,
            state=state,
            reason=reason,
            source=source,
            text=f'{name!r} {text}',
            wanted=False,
        )
        for name in _CATALOGUE
    )


def _left(guest: context.GuestContext) -> tuple[decision.Outcome, ...]:
    source, who = _WHO[guest.profile.mode]
    text = f'is left to {who} by profile {guest.profile.name!r}'
    if not guest.profile.migratable:
        text += ', and the guest cannot be live migrated'
    return all_outcomes(
        decision.State.UNSET, decision.Reason.LEFT, source, f'{text}.'
    )


def _overrides(guest: context.GuestContext) -> bool:
    """Whether the host's libvirt lets names be switched beside the mode."""
    needed = OVERRIDING.get(guest.profile.mode)
    return needed is not None and guest.host.sources.least_libvirt >= needed


def check(guest: context.GuestContext) -> None:
    """Refuse what a profile that is not a set of names cannot do.

    :raises InvalidRequest: something is asked for beside it.
    :raises HostCannotDeliver: the host's libvirt is too old for it.
    """
    profile = guest.profile
    asked = guest.host.sources
    if asked.least_libvirt < profile.min_libvirt:
        raise exception.HostCannotDeliver(
            reason=(
                f'Profile {profile.name!r}, which {guest.chosen_by} chose, '
                f'needs libvirt {model.version_text(profile.min_libvirt)}'
            ),
            evidence=f'this host has {asked.libvirt_text}',
        )
    if not _overrides(guest):
        overrides = dict(guest.overrides)
        if guest.hides is not None:
            overrides.setdefault(context.HIDING, guest.hides)
        _check_alone(guest, overrides)


def _check_alone(
    guest: context.GuestContext,
    overrides: typing.Mapping[str, request.Override],
) -> None:
    if not overrides:
        return
    profile = guest.profile
    name, override = min(overrides.items())
    reason = (
        f'Profile {profile.name!r}, which {guest.chosen_by} chose, leaves '
        f'the choice to {_WHO[profile.mode][1]}, and the '
        f'{override.source.value} switches {name!r} ({override.written}): the '
        'two exclude each other'
    )
    if profile.mode in OVERRIDING:
        found = guest.host.sources.libvirt_text
        wanted = model.version_text(OVERRIDING[profile.mode])
        raise exception.HostCannotDeliver(
            reason=f'{reason} before libvirt {wanted}',
            evidence=f'this host has {found}',
        )
    raise exception.InvalidRequest(reason=f'{reason}.')


def stock(guest: context.GuestContext) -> decision.Decision:
    """Leave Nova's own list as it is.

    :raises InvalidRequest: something is asked for beside it.
    """
    # Nova itself hides the hypervisor.
    _check_alone(guest, guest.overrides)
    return decision.Decision(
        acts=False, profile=guest.profile.name, outcomes=_left(guest)
    )


def _overriding(
    guest: context.GuestContext,
    features: frozenset[str],
    kept: typing.Mapping[str, decision.Outcome],
) -> tuple[frozenset[str], frozenset[str]]:
    """Return what stands beside host-model: what is on, and what is off.

    Whatever requires something that is off is off too: libvirt would turn
    it on. A sub-element has no place without its parent's.
    """
    off = graph.dependents(
        set(kept) - features | _NEVER - features, guest.vendor
    )
    on = set(features)
    for name in off:
        parent = _CATALOGUE[name].parent
        if parent and parent not in off and guest.lacks(parent) is None:
            on.add(parent)
        elif parent and parent not in on:
            off = off | {parent}
    return frozenset(on), frozenset(off) - TIMERS


def _around(
    guest: context.GuestContext, outcome: decision.Outcome
) -> decision.Outcome:
    """Return the outcome of a parent that a sub-element is off in."""
    return outcome._replace(
        state=decision.State.ON,
        reason=decision.Reason.PROFILE,
        source=request.Source.PROFILE,
        text=(
            f'{outcome.name!r} is on: profile {guest.profile.name!r} has it, '
            'and a part of it is off.'
        ),
        wanted=True,
    )


def _gone(guest: context.GuestContext) -> dict[str, decision.Outcome]:
    """Return the outcomes of what libvirt chose before and cannot now."""
    before = guest.before
    if before is None or before.selection.mode is not guest.profile.mode:
        return {}
    return {
        name: decision.Outcome(
            name=name,
            state=decision.State.OFF,
            reason=lacks.reason,
            source=lacks.source,
            text=f'{name!r} is off: {lacks.text}.',
            wanted=True,
        )
        for name in before.selection.features
        if (lacks := guest.lacks(name)) is not None
    }


def delegated(
    guest: context.GuestContext, custom: decision.Decision
) -> decision.Decision:
    """Leave the names to libvirt or QEMU.

    :param custom: what would be decided name by name: it holds the timer,
        which no mode covers, and what is switched beside the mode.
    """
    kept = {
        outcome.name: outcome
        for outcome in custom.outcomes
        if outcome.name in guest.overrides
        or outcome.reason in (decision.Reason.REQUIRED, decision.Reason.HIDDEN)
        or outcome.name in TIMERS
    }
    features = custom.selection.features & frozenset(kept)
    off: frozenset[str] = frozenset()
    if _overrides(guest):
        features, off = _overriding(guest, features, kept)
    carried = {_CATALOGUE[name].value_name for name in features}
    gone = _gone(guest)
    return dataclasses.replace(
        custom,
        outcomes=tuple(
            kept.get(outcome.name)
            or gone.get(outcome.name)
            or (
                _around(guest, outcome)
                if outcome.name in features
                else outcome
            )
            for outcome in _left(guest)
        ),
        selection=dataclasses.replace(
            custom.selection,
            features=features,
            off=off,
            pit_discards=guest.pit_discards(features),
            values=frozenset(
                (key, value)
                for key, value in custom.selection.values
                if key in carried
            ),
            mode=guest.profile.mode,
        ),
        migratable=guest.profile.migratable,
    )
