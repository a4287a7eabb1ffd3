# SPDX-License-Identifier: Apache-2.0

"""Profiles that leave the names to Nova, libvirt or QEMU."""

import collections.abc
import dataclasses
import typing

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import case
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import request

_CATALOGUE = enlightenments.ENLIGHTENMENTS
_Mode = profiles.Mode

# From then on libvirt lets children of <hyperv mode='host-model'> override
# what it would name itself (libvirt NEWS 12.1.0).
_OVERRIDES_LIBVIRT = (12, 1, 0)
#: What host-model must not turn on: it breaks live migration.
_NEVER = frozenset(
    name for name, entry in _CATALOGUE.items() if entry.pins_tsc
)
#: What no mode covers.
TIMERS = frozenset(
    name
    for name, entry in _CATALOGUE.items()
    if entry.placement is model.Placement.TIMER
)

_WHO = {
    _Mode.STOCK: (request.Source.NOVA, 'Nova'),
    _Mode.HOST_MODEL: (request.Source.LIBVIRT, 'libvirt'),
    _Mode.PASSTHROUGH: (request.Source.LIBVIRT, 'QEMU'),
}


def all_verdicts(
    state: decision.State,
    reason: decision.Reason,
    source: request.Source,
    text: str,
) -> tuple[decision.Verdict, ...]:
    """Return the same verdict of every name.

    :param text: why, to be read after the name, with a full stop.
    """
    return tuple(
        decision.Verdict(
            name=name,
            state=state,
            reason=reason,
            source=source,
            text=f'{name!r} {text}',
            wanted=False,
        )
        for name in _CATALOGUE
    )


def _left(guest: case.Case) -> tuple[decision.Verdict, ...]:
    source, who = _WHO[guest.profile.mode]
    text = f'is left to {who} by profile {guest.profile.name!r}'
    if not guest.profile.migratable:
        text += ', and the guest cannot be live migrated'
    return all_verdicts(
        decision.State.UNSET, decision.Reason.LEFT, source, f'{text}.'
    )


def _overrides(guest: case.Case) -> bool:
    """Whether the host's libvirt lets names be switched beside the mode."""
    return (
        guest.profile.mode is _Mode.HOST_MODEL
        and guest.host.witnesses.least_libvirt >= _OVERRIDES_LIBVIRT
    )


def check(guest: case.Case) -> None:
    """Refuse what a profile that is not a set of names cannot do.

    :raises InvalidRequest: something is asked for beside it.
    :raises HostCannotDeliver: the host's libvirt is too old for it.
    """
    profile = guest.profile
    asked = guest.host.witnesses
    if asked.least_libvirt < profile.min_libvirt:
        raise exception.HostCannotDeliver(
            reason=(
                f'Profile {profile.name!r}, which {guest.chosen_by} chose, '
                f'needs libvirt {model.version_text(profile.min_libvirt)}'
            ),
            evidence=f'this host has {asked.libvirt_text}',
        )
    if not _overrides(guest):
        _check_alone(guest, _hidden(guest) | dict(guest.asks))


def _hidden(guest: case.Case) -> dict[str, request.Ask]:
    """Return the demand that hiding the hypervisor amounts to."""
    for source, demands in (
        (request.Source.FLAVOR, guest.req.flavor),
        (request.Source.IMAGE, guest.req.image),
    ):
        if demands.hides:
            ask = request.Ask(
                source=source,
                key=demands.hides,
                on=True,
                written=demands.hides,
            )
            return {'vendor_id': ask}
    return {}


def _check_alone(
    guest: case.Case, asks: typing.Mapping[str, request.Ask]
) -> None:
    if not asks:
        return
    profile = guest.profile
    name, ask = min(asks.items())
    reason = (
        f'Profile {profile.name!r}, which {guest.chosen_by} chose, leaves '
        f'the choice to {_WHO[profile.mode][1]}, and the '
        f'{ask.source.value} switches {name!r} ({ask.written}): the two '
        'cannot be had together'
    )
    if profile.mode is _Mode.HOST_MODEL:
        found = guest.host.witnesses.libvirt_text
        wanted = model.version_text(_OVERRIDES_LIBVIRT)
        raise exception.HostCannotDeliver(
            reason=f'{reason} before libvirt {wanted}',
            evidence=f'this host has {found}',
        )
    raise exception.InvalidRequest(reason=f'{reason}.')


def stock(guest: case.Case) -> decision.Decision:
    """Leave Nova's own list as it is.

    :raises InvalidRequest: something is asked for beside it.
    """
    # Nova itself hides the hypervisor.
    _check_alone(guest, guest.asks)
    return decision.Decision(
        acts=False, profile=guest.profile.name, verdicts=_left(guest)
    )


def standing_on(
    names: collections.abc.Set[str], vendor: model.Vendor | None
) -> set[str]:
    """Return names and all that requires one of them.

    :param names: the names.
    :param vendor: the host's vendor, None where it is not known.
    """
    found = set(names)
    while True:
        more = {
            name
            for name, entry in _CATALOGUE.items()
            if found.intersection(entry.requirements(vendor))
        }
        if more <= found:
            return found
        found |= more


def _overriding(
    guest: case.Case,
    names: frozenset[str],
    kept: typing.Mapping[str, decision.Verdict],
) -> tuple[frozenset[str], frozenset[str]]:
    """Return what stands beside host-model: what is on, and what is off.

    Whatever requires something that is off is off too: libvirt would turn
    it on. A sub-element has no place without its parent's.
    """
    off = standing_on(set(kept) - names | _NEVER - names, guest.vendor)
    on = set(names)
    for name in off:
        parent = _CATALOGUE[name].parent
        if parent and parent not in off and guest.lacks(parent) is None:
            on.add(parent)
        elif parent and parent not in on:
            off = off | {parent}
    return frozenset(on), frozenset(off) - TIMERS


def _around(guest: case.Case, verdict: decision.Verdict) -> decision.Verdict:
    """Return the verdict of a parent that a sub-element is off in."""
    return dataclasses.replace(
        verdict,
        state=decision.State.ON,
        reason=decision.Reason.PROFILE,
        source=request.Source.PROFILE,
        text=(
            f'{verdict.name!r} is on: profile {guest.profile.name!r} has it, '
            'and a part of it is off.'
        ),
        wanted=True,
    )


def _gone(guest: case.Case) -> dict[str, decision.Verdict]:
    """Return the verdicts of what libvirt chose before and cannot now."""
    before = guest.started
    if before is None or before.selection.mode is not guest.profile.mode:
        return {}
    return {
        name: decision.Verdict(
            name=name,
            state=decision.State.OFF,
            reason=lacks[0],
            source=request.Source.HOST,
            text=f'{name!r} is off: {lacks[1]}.',
            wanted=True,
        )
        for name in before.selection.names
        if (lacks := guest.lacks(name)) is not None
    }


def delegated(
    guest: case.Case, custom: decision.Decision
) -> decision.Decision:
    """Leave the names to libvirt or QEMU.

    :param custom: what would be decided name by name: it holds the timer,
        which no mode covers, and what is switched beside the mode.
    """
    kept = {
        verdict.name: verdict
        for verdict in custom.verdicts
        if verdict.name in guest.asks
        or verdict.reason in (decision.Reason.REQUIRED, decision.Reason.HIDDEN)
        or _CATALOGUE[verdict.name].placement is model.Placement.TIMER
    }
    names = custom.selection.names & frozenset(kept)
    off: frozenset[str] = frozenset()
    if _overrides(guest):
        names, off = _overriding(guest, names, kept)
    carried = {_CATALOGUE[name].value_name for name in names}
    gone = _gone(guest)
    return dataclasses.replace(
        custom,
        verdicts=tuple(
            kept.get(verdict.name)
            or gone.get(verdict.name)
            or (_around(guest, verdict) if verdict.name in names else verdict)
            for verdict in _left(guest)
        ),
        selection=dataclasses.replace(
            custom.selection,
            names=names,
            off=off,
            values=frozenset(
                (key, value)
                for key, value in custom.selection.values
                if key in carried
            ),
            mode=guest.profile.mode,
        ),
        migratable=guest.profile.migratable,
    )
