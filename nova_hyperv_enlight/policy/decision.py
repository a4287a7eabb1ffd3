# SPDX-License-Identifier: Apache-2.0

"""The decision about one guest: its parts, and its words."""

import dataclasses
import enum
import functools
import typing

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.policy import request


class State(enum.Enum):
    """What a guest gets of one enlightenment."""

    ON = 'on'
    OFF = 'off'
    #: Not decided here: Nova, libvirt or QEMU does as it sees fit.
    UNSET = 'unset'


class Reason(enum.Enum):
    """Why an enlightenment is on, off or unset."""

    #: On: a profile asks for it.
    PROFILE = 'profile'
    #: On: the operator, the flavor or the image asks for it.
    ASKED = 'asked'
    #: On: something that was asked for requires it.
    REQUIRED = 'required'
    #: On: the guest was started with it before.
    RECORDED = 'recorded'
    #: On: the hypervisor is to be hidden from the guest.
    HIDDEN = 'hidden'
    #: Off: the profile does not ask for it.
    NOT_IN_PROFILE = 'not-in-profile'
    #: Off: the operator, the flavor or the image turned it off.
    TURNED_OFF = 'turned-off'
    #: Off: the host does not offer it.
    NOT_OFFERED = 'not-offered'
    #: Off: no source says whether the host offers it.
    NOT_KNOWN = 'not-known'
    #: Off: the guest's own CPU does not allow it.
    GUEST = 'guest'
    #: Off: the release of Windows cannot take it.
    WINDOWS = 'windows'
    #: Off: something that it requires is off.
    REQUIRES = 'requires'
    #: Off: it would have no effect, by an option of nova.conf.
    INHIBITED = 'inhibited'
    #: Unset: the profile leaves it to Nova, libvirt or QEMU.
    LEFT = 'left'
    #: Unset: this guest is none of the plugin's business.
    NOT_CONCERNED = 'not-concerned'


# A decision makes one of each name of the catalogue, which takes a third of
# its time: a frozen dataclass takes five times as long as a tuple without the
# names of its fields.
class Outcome(typing.NamedTuple):
    """What was decided about one enlightenment.

    :ivar name: the enlightenment.
    :ivar state: what the guest gets.
    :ivar reason: why, for programs.
    :ivar source: who decided.
    :ivar text: why, one sentence for people.
    :ivar wanted: it was asked for, whether or not it is on.
    :ivar value: the value it carries, None where it is off or has none.
    :ivar wanted_value: the value it would carry if the host let it, None
        where it carries that.
    """

    name: str
    state: State
    reason: Reason
    source: request.Source
    text: str
    wanted: bool
    value: str | None = None
    wanted_value: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided for one guest.

    :ivar acts: False leaves the guest's XML as Nova makes it.
    :ivar profile: the name of the profile, None where nothing was decided.
    :ivar outcomes: the outcome of every name of the catalogue, in its order.
    :ivar selection: what is written when the plugin acts.
    :ivar migratable: False where the guest cannot be live migrated.
    :ivar passed_over: what a guest that was started before asks for, and
        what is not valid or not allowed any more: a sentence for each.
    """

    acts: bool
    profile: str | None
    outcomes: tuple[Outcome, ...]
    selection: selections.Selection = selections.Selection()
    migratable: bool = True
    passed_over: tuple[str, ...] = ()

    def __hash__(self) -> int:
        """Hash the little that tells most decisions apart."""
        return hash((self.profile, self.selection.features))

    @property
    def on(self) -> tuple[Outcome, ...]:
        """The outcomes that are on."""
        return tuple(v for v in self.outcomes if v.state is State.ON)

    @property
    def left_out(self) -> tuple[Outcome, ...]:
        """The outcomes that were wanted and are off."""
        return tuple(
            v for v in self.outcomes if v.wanted and v.state is State.OFF
        )


def _with_value(outcome: Outcome) -> str:
    if outcome.value is None:
        return outcome.name
    return f'{outcome.name}={outcome.value}'


@functools.lru_cache(maxsize=128)
def one_line(decided: Decision) -> str:
    """Say in one line what a guest gets, what it does not get, and why.

    :param decided: the decision about a guest that the plugin concerns.
    """
    line = f'profile {decided.profile}'
    if not decided.acts:
        return f"{line}, Nova's own list is left as it is"
    on = ', '.join(_with_value(outcome) for outcome in decided.on)
    line += f'; on: {on or "nothing"}'
    # Outcomes that are alike are reported once for all their names.
    reasons: dict[str, list[str]] = {}
    for outcome in decided.left_out:
        sentence = outcome.text.removeprefix(f'{outcome.name!r} ').rstrip('.')
        reasons.setdefault(sentence.removeprefix('is off: '), []).append(
            outcome.name
        )
    if reasons:
        line += '; left out: ' + '; '.join(
            f'{", ".join(names)} ({sentence})'
            for sentence, names in reasons.items()
        )
    if not decided.migratable:
        line += '; not migratable'
    return line


def difference(decided: Decision, own: selections.Selection) -> str:
    """Say in words how a decision differs from Nova's own list.

    :param own: what Nova's own list holds.
    """
    if not decided.acts:
        return "no difference to Nova's own list"
    named = decided.selection.features | own.features
    changes = [
        f'{"+" if outcome.name in decided.selection.features else "-"}'
        f'{outcome.name}'
        for outcome in decided.outcomes
        if outcome.name in named
        and (outcome.name in decided.selection.features)
        != (outcome.name in own.features)
    ]
    ours, theirs = dict(decided.selection.values), dict(own.values)
    changes += [
        f'{key} {theirs[key]} -> {ours[key]}'
        for key in sorted(ours.keys() & theirs.keys())
        if ours[key] != theirs[key]
    ]
    if decided.selection.mode is not own.mode:
        changes.append(f'mode {decided.selection.mode.value}')
    if not changes:
        return "no difference to Nova's own list"
    return f"against Nova's own list: {', '.join(changes)}"
