# SPDX-License-Identifier: Apache-2.0

"""Decides how an existing guest is changed."""

import collections.abc
import dataclasses
import functools

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.domains import recognition
from nova_hyperv_enlight.domains import rules
from nova_hyperv_enlight.domxml import domain
from nova_hyperv_enlight.editor import edit
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import assumed
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.policy import decision
from nova_hyperv_enlight.policy import modes
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings

_CATALOGUE = enlightenments.ENLIGHTENMENTS
_ALL = frozenset(_CATALOGUE)
#: The profile that asks for nothing by itself.
_NONE = 'none'
_WANTED = frozenset(
    (decision.Reason.ASKED, decision.Reason.REQUIRED, decision.Reason.HIDDEN)
)
_TURNED_OFF = frozenset((decision.Reason.TURNED_OFF,))


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChangeRequest:
    """What the operator wants of guests.

    :ivar conf: the options, with the profile.
    :ivar replaces: the profile takes the place of what a guest has; otherwise
        only what is named is changed.
    :ivar on: names that are turned on.
    :ivar off: names that are turned off.
    :ivar codes: the codes of findings that are cured.
    """

    conf: settings.Settings
    replaces: bool
    on: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()

    @functools.cached_property
    def rules(self) -> settings.Settings:
        """The options, also where they leave Nova's guests to Nova."""
        return dataclasses.replace(self.conf, enabled=True)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is to be written, and what there is to say about it.

    :ivar change: what is written to the guest's document.
    :ivar notes: sentences about what was wanted and cannot be.
    """

    change: edit.Change
    notes: tuple[str, ...] = ()


def decide(
    guest: domain.Domain,
    wish: ChangeRequest,
    host: capabilities.HostCapabilities,
) -> Answer:
    """Decide how one guest is changed.

    :param guest: what its document says.
    :param wish: what the operator wants.
    :param host: what the host offers to such a guest.
    :raises InvalidRequest: no host delivers it.
    :raises HostCannotDeliver: this host does not deliver it.
    """
    fix = findings.join(_fixes(guest, wish, host))
    # What the operator names counts more than what a finding implies.
    on, off = wish.on | fix.on - wish.off, wish.off | fix.off - wish.on
    timers = () if fix.hpet is None else (('hpet', fix.hpet),)
    selection, notes = guest.hyperv, list[str]()
    if wish.replaces or fix.profile:
        selection, notes = _replace(guest, wish.rules, on, off, host)
    elif on or off:
        selection, notes = _change(guest, wish.rules, on, off, host)
    selection = dataclasses.replace(
        selection, pit_discards=_pit_discards(guest, selection, fix)
    )
    return Answer(
        change=edit.Change(
            selection=selection, clock_offset=fix.clock_offset, timers=timers
        ),
        notes=tuple(notes),
    )


def _pit_discards(
    guest: domain.Domain, new: selections.Selection, fix: findings.Fix
) -> bool:
    """Whether the PIT discards lost ticks; the guest's own goes first."""
    if not any(_CATALOGUE[name].pit_inhibits for name in new.features):
        return False
    wanted = new.pit_discards or fix.pit_discards
    return guest.hyperv.pit_discards or (wanted and guest.kernel_pit)


def _fixes(
    guest: domain.Domain,
    wish: ChangeRequest,
    host: capabilities.HostCapabilities,
) -> collections.abc.Iterator[findings.Fix]:
    if not wish.codes:
        return
    for finding in rules.inspect(guest, wish.rules, host).found:
        if finding.kind.code in wish.codes and finding.fix is not None:
            yield finding.fix


def _request(
    guest: domain.Domain, on: frozenset[str], off: frozenset[str]
) -> request.Request:
    """Return a guest's request, with the operator's overrides."""
    # What Nova's flavor and image ask for counts in Nova only, valid or not;
    # but the hypervisor stays hidden.
    asked = recognition.to_request(guest, started=True)
    hides = asked.flavor.hides or asked.image.hides
    return dataclasses.replace(
        asked,
        flavor=dataclasses.replace(request.toggles(on, off), hides=hides),
        image=request.Overrides(),
        started=False,
        passed_over=(),
    )


def _resolve(
    conf: settings.Settings,
    asked: request.Request,
    host: capabilities.HostCapabilities,
) -> decision.Decision:
    decided = resolve.resolve(conf, asked, host)
    if not decided.acts:
        raise exception.InvalidRequest(
            reason=(
                f'Profile {decided.profile!r} leaves the choice to Nova, and '
                'this is no guest that Nova starts.'
            )
        )
    return decided


def _replace(
    guest: domain.Domain,
    conf: settings.Settings,
    on: frozenset[str],
    off: frozenset[str],
    host: capabilities.HostCapabilities,
) -> tuple[selections.Selection, list[str]]:
    """Decide by the profile, whatever the guest has."""
    decided = _resolve(conf, _request(guest, on, off), host)
    notes = [
        outcome.text for outcome in decided.left_out if outcome.name not in off
    ]
    if not decided.migratable:
        notes.append('The guest cannot be live migrated with that.')
    return decided.selection, notes


def _change(
    guest: domain.Domain,
    conf: settings.Settings,
    on: frozenset[str],
    off: frozenset[str],
    host: capabilities.HostCapabilities,
) -> tuple[selections.Selection, list[str]]:
    """Decide what is named, and keep the rest of what the guest has."""
    there = guest.hyperv
    custom = there.mode is profiles.Mode.CUSTOM
    if not custom:
        _check_mode(there.mode, host.sources)
    # The other modes are profiles of the same name.
    profile = _NONE if custom else there.mode.value
    decided = _resolve(
        dataclasses.replace(conf, profile=profile),
        # What its release must not be given is no question here.
        dataclasses.replace(_request(guest, on, off), release=None),
        assumed.offering(
            host, there.features - on, 'the guest has it already'
        ),
    )
    if decided.selection.mode is not there.mode:
        raise exception.HostCannotDeliver(
            reason=(
                f'The guest has mode={there.mode.value!r}, and this host '
                'offers no enlightenment that could be switched beside it.'
            )
        )
    vendor = host.sources.vendor
    turned_off = _with_reason(decided, _TURNED_OFF)
    gone = frozenset(graph.dependents(turned_off, vendor))
    features = there.features - gone | _with_reason(decided, _WANTED)
    if custom:
        off, missing = there.off - features, _ALL - features
    else:
        off = (there.off | gone) - features - modes.TIMERS
        # A part that is off stands in an element that is on, or off too.
        around = frozenset(_CATALOGUE[name].parent or name for name in off)
        features |= around & decided.selection.features
        off |= around & decided.selection.off
        # libvirt names the rest.
        missing = off
    selection = selections.Selection(
        features=features,
        off=off,
        values=_values(features, decided.selection, there),
        mode=there.mode,
        tsc_frequency=_tsc(features, decided.selection, there),
        pit_discards=decided.selection.pit_discards,
    )
    return selection, [
        *(v.text for v in decided.left_out if v.name in on),
        *_gone(there.features & (gone - turned_off), gone, vendor),
        *_unmet(features, missing, vendor),
    ]


def _check_mode(mode: profiles.Mode, host: capabilities.Sources) -> None:
    """Refuse what libvirt does not take beside a guest's mode.

    :raises InvalidRequest: no libvirt takes anything beside it.
    :raises HostCannotDeliver: the host's libvirt is too old for it.
    """
    has = f'The guest has mode={mode.value!r}'
    needed = modes.OVERRIDING.get(mode)
    if needed is None:
        raise exception.InvalidRequest(
            reason=f'{has}, and nothing can be switched beside it.'
        )
    if host.least_libvirt < needed:
        raise exception.HostCannotDeliver(
            reason=(
                f'{has}, and before libvirt {model.version_text(needed)} '
                'nothing can be switched beside it'
            ),
            evidence=f'this host has {host.libvirt_text}',
        )


def _with_reason(
    decided: decision.Decision, reasons: frozenset[decision.Reason]
) -> frozenset[str]:
    return frozenset(v.name for v in decided.outcomes if v.reason in reasons)


def _values(
    features: frozenset[str],
    new: selections.Selection,
    there: selections.Selection,
) -> frozenset[tuple[str, str]]:
    """Return the values of names; existing ones win over others."""
    carried = {_CATALOGUE[name].value_name for name in features}
    values = {**dict(new.values), **dict(there.values)}
    return frozenset(each for each in values.items() if each[0] in carried)


def _tsc(
    features: frozenset[str],
    new: selections.Selection,
    there: selections.Selection,
) -> int | None:
    """Return the TSC frequency in Hz; the guest's own goes first."""
    if not any(_CATALOGUE[name].pins_tsc for name in features):
        return None
    return there.tsc_frequency or new.tsc_frequency


def _gone(
    features: frozenset[str], gone: frozenset[str], vendor: model.Vendor | None
) -> list[str]:
    """Say what goes because it requires something that is turned off."""
    return [
        f'{name!r} is turned off too: it requires {_quoted(needed)}.'
        for name, needed in graph.requiring(features, gone, vendor).items()
    ]


def _unmet(
    features: frozenset[str],
    missing: frozenset[str],
    vendor: model.Vendor | None,
) -> list[str]:
    """Say what stays as it was and lacks something that it requires."""
    return [
        f'{name!r} requires {_quoted(needed)}, which is off as it was: '
        f'{" ".join(f"--on {each}" for each in needed)} adds it.'
        for name, needed in graph.requiring(features, missing, vendor).items()
    ]


def _quoted(features: list[str]) -> str:
    return ' and '.join(map(repr, features))
