# SPDX-License-Identifier: Apache-2.0

"""What was decided for one guest, and why."""

import dataclasses
import enum

from nova_hyperv_enlight.catalogue import profiles
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
    #: On: the hypervisor shall be hidden from the guest.
    HIDDEN = 'hidden'
    #: Off: the profile does not ask for it.
    NOT_IN_PROFILE = 'not-in-profile'
    #: Off: the operator, the flavor or the image turned it off.
    TURNED_OFF = 'turned-off'
    #: Off: the host does not offer it.
    NOT_OFFERED = 'not-offered'
    #: Off: nobody could tell whether the host offers it.
    NOT_KNOWN = 'not-known'
    #: Off: the guest's own CPU does not allow it.
    GUEST = 'guest'
    #: Off: the release of Windows must not be given it.
    WINDOWS = 'windows'
    #: Off: something that it requires is off.
    REQUIRES = 'requires'
    #: Unset: the profile leaves it to Nova, libvirt or QEMU.
    LEFT = 'left'
    #: Unset: this guest is none of the plugin's business.
    NOT_CONCERNED = 'not-concerned'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was decided about one enlightenment.

    :ivar name: the enlightenment.
    :ivar state: what the guest gets.
    :ivar reason: why, for programs.
    :ivar source: who decided.
    :ivar text: why, one sentence for people.
    :ivar wanted: somebody asked for it, whether or not it came.
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
class Selection:
    """The enlightenments of a guest: what is written, and what is read.

    :ivar names: those that are on.
    :ivar off: those that a mode other than custom must not turn on.
    :ivar values: the values they carry, by the value's name.
    :ivar mode: who names them.
    :ivar tsc_frequency: the pinned TSC frequency in Hz, where one of them
        needs it.
    """

    names: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    values: frozenset[tuple[str, str]] = frozenset()
    mode: profiles.Mode = profiles.Mode.CUSTOM
    tsc_frequency: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided for one guest.

    :ivar acts: False leaves the guest's XML as Nova makes it.
    :ivar profile: the name of the profile, None where nothing was decided.
    :ivar verdicts: a verdict for every name of the catalogue, in its order.
    :ivar selection: what is written when the plugin acts.
    :ivar migratable: False where the guest cannot be live migrated.
    :ivar passed_over: what a guest that was started before asks for, and
        what is not valid or not allowed any more: a sentence for each.
    """

    acts: bool
    profile: str | None
    verdicts: tuple[Verdict, ...]
    selection: Selection = Selection()
    migratable: bool = True
    passed_over: tuple[str, ...] = ()

    def __hash__(self) -> int:
        """Hash the little that tells most decisions apart."""
        return hash((self.profile, self.selection.names))

    @property
    def on(self) -> tuple[Verdict, ...]:
        """The verdicts of what is on."""
        return tuple(v for v in self.verdicts if v.state is State.ON)

    @property
    def left_out(self) -> tuple[Verdict, ...]:
        """The verdicts of what was wanted and is not on."""
        return tuple(
            v for v in self.verdicts if v.wanted and v.state is State.OFF
        )
