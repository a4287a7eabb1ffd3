# SPDX-License-Identifier: Apache-2.0

"""Decides what a guest that is there shall have instead."""

import collections.abc
import dataclasses
import functools

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.domxml import edit
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.fleet import findings
from nova_hyperv_enlight.fleet import recognition
from nova_hyperv_enlight.fleet import rules
from nova_hyperv_enlight.host import assumed
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings

_NESTED = frozenset(
    name
    for name, entry in enlightenments.ENLIGHTENMENTS.items()
    if model.Hardware.NESTED in dict(entry.hardware).values()
)
_PINNING = frozenset(
    name
    for name, entry in enlightenments.ENLIGHTENMENTS.items()
    if entry.pins_tsc
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """What the operator wants of guests.

    :ivar conf: the options, with the profile.
    :ivar whole: the profile takes the place of what a guest has; otherwise
        only what is named is changed.
    :ivar on: names that are turned on.
    :ivar off: names that are turned off.
    :ivar codes: the codes of findings that are cured.
    """

    conf: settings.Settings
    whole: bool
    on: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()

    @functools.cached_property
    def rules(self) -> settings.Settings:
        """The options, without those that are about guests of Nova."""
        return dataclasses.replace(
            self.conf,
            enabled=True,
            keep_recorded=True,
            fail_on_host_change=False,
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is to be written, and what there is to say about it.

    :ivar change: what the guest shall have.
    :ivar notes: sentences about what was wanted and cannot be.
    """

    change: edit.Change
    notes: tuple[str, ...] = ()


def decide(
    guest: domain.Domain, wish: Wish, host: capabilities.HostCapabilities
) -> Answer:
    """Decide what one guest shall have.

    :param guest: what its document says.
    :param wish: what the operator wants.
    :param host: what the host offers to such a guest.
    :raises InvalidRequest: that cannot be had on any host.
    :raises HostCannotDeliver: it cannot be had on this host.
    """
    fix = findings.join(_fixes(guest, wish, host))
    # What the operator names goes before what a finding amounts to.
    on, off = wish.on | fix.on - wish.off, wish.off | fix.off - wish.on
    timers = () if fix.hpet is None else (('hpet', fix.hpet),)
    decided = None
    if wish.whole or fix.profile:
        decided = _resolve(guest, wish.rules, on, off, host)
    elif on or off:
        decided = _change(guest, wish.rules, on, off, host)
    return Answer(
        change=edit.Change(
            selection=decided.selection if decided else guest.hyperv,
            clock_offset=fix.clock_offset,
            timers=timers,
        ),
        notes=_notes(decided, off) if decided else (),
    )


def _fixes(
    guest: domain.Domain, wish: Wish, host: capabilities.HostCapabilities
) -> collections.abc.Iterator[findings.Fix]:
    if not wish.codes:
        return
    for finding in rules.inspect(guest, wish.rules, host):
        if finding.kind.code in wish.codes and finding.fix is not None:
            yield finding.fix


def _resolve(
    guest: domain.Domain,
    conf: settings.Settings,
    on: frozenset[str],
    off: frozenset[str],
    host: capabilities.HostCapabilities,
    kept: record.Record | None = None,
) -> decision.Decision:
    asked = recognition.to_request(guest)
    # What Nova's flavor and image ask for is Nova's affair; but the
    # hypervisor stays hidden.
    hides = asked.flavor.hides or asked.image.hides
    toggles = dataclasses.replace(request.toggles(on, off), hides=hides)
    nested = asked.nested
    if kept is not None and not on & _NESTED:
        # Whether what is there is of use is no question here.
        nested = None
    decided = resolve.resolve(
        conf,
        dataclasses.replace(
            asked, flavor=toggles, image=request.Demands(), nested=nested
        ),
        host,
        kept,
    )
    if not decided.acts:
        raise exception.InvalidRequest(
            reason=(
                f'Profile {decided.profile!r} leaves the choice to Nova, and '
                'this is no guest that Nova starts.'
            )
        )
    return decided


def _change(
    guest: domain.Domain,
    conf: settings.Settings,
    on: frozenset[str],
    off: frozenset[str],
    host: capabilities.HostCapabilities,
) -> decision.Decision:
    """Decide name by name, from what the guest has."""
    mode = guest.hyperv.mode
    custom = mode is profiles.Mode.CUSTOM
    kept = record.Record(
        # The other modes are profiles of the same name.
        profile=record.ADOPTED if custom else mode.value,
        selection=guest.hyperv,
    )
    there = assumed.offering(
        host, guest.hyperv.names - on, 'the guest has it already'
    )
    decided = _resolve(guest, conf, on, off, there, kept)
    frequency = decided.selection.tsc_frequency
    if frequency is None or on & _PINNING:
        return decided
    # Whether the TSC is pinned is no question here either.
    return dataclasses.replace(
        decided,
        selection=dataclasses.replace(
            decided.selection, tsc_frequency=guest.hyperv.tsc_frequency
        ),
    )


def _notes(decided: decision.Decision, off: frozenset[str]) -> tuple[str, ...]:
    notes = [
        verdict.text for verdict in decided.left_out if verdict.name not in off
    ]
    if not decided.migratable:
        notes.append('The guest cannot be live migrated with that.')
    return tuple(notes)
