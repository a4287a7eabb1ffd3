# SPDX-License-Identifier: Apache-2.0

"""What every notation says: a set of enlightenments, word by word."""

import collections.abc
import dataclasses
import re

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception

#: The word for who names the enlightenments.
MODE = 'mode'
#: The word for the pinned TSC frequency, in Hz.
TSC_FREQUENCY = 'tsc.frequency'
#: The states that a word may give; ``on`` goes without saying.
STATES = {'on': True, 'off': False}

# A text from a file can be long; a message quotes its beginning.
_QUOTED_LENGTH = 64
_INTEGER = re.compile('0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}')


def is_document(text: str) -> bool:
    """Whether a text looks like XML or JSON, whatever stands in it."""
    return bool(re.match(r'\s*[<{]', text))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a text states about one enlightenment.

    :ivar entry: its catalogue entry.
    :ivar on: whether it is on.
    :ivar value: the value that it carries.
    """

    entry: model.Enlightenment
    on: bool
    value: str | None = None

    @property
    def word(self) -> str:
        """The same in our own names."""
        if not self.on:
            return f'{self.entry.name}=off'
        if self.value is not None:
            return f'{self.entry.value_name}={self.value}'
        return self.entry.name


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something that a notation cannot say.

    :ivar word: what it is: in our own names, or as its source has it.
    :ivar reason: why it cannot, one clause.
    """

    word: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text says.

    :ivar selection: the enlightenments.
    :ivar aside: what it says besides, and is no enlightenment.
    :ivar losses: what belongs to Hyper-V, and no other notation has.
    """

    selection: selections.Selection
    aside: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A text, and what it does not say.

    :ivar text: the text, without a line end.
    :ivar losses: what of the selection is not in it.
    :ivar notes: what whoever uses the text has to know.
    """

    text: str
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()


def quote(text: str) -> str:
    """Return a text as messages quote it."""
    if len(text) > _QUOTED_LENGTH:
        text = text[:_QUOTED_LENGTH] + '...'
    return repr(text)


def error(notation: str, reason: str) -> exception.MalformedDocument:
    """Return what to raise for a text that cannot be read.

    :param notation: the notation that it should be in.
    :param reason: what is wrong.
    """
    return exception.MalformedDocument(
        document=f'the text as {notation}', reason=reason
    )


def integer(text: str) -> int:
    """Read a number as C does: ``8191``, ``0x1fff`` or ``017777``.

    :raises ValueError: it is none.
    """
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    if text.startswith('0') and text.isdecimal():
        return int(text, 8)
    return int(text, 0)


def statements(
    selection: selections.Selection,
) -> collections.abc.Iterator[Statement]:
    """Yield what a selection says, in the catalogue's order."""
    values = dict(selection.values)
    for name, entry in enlightenments.ENLIGHTENMENTS.items():
        if name in selection.features:
            yield Statement(
                entry=entry, on=True, value=values.get(entry.value_name or '')
            )
        elif name in selection.off:
            yield Statement(entry=entry, on=False)


def mode_but_libvirts(selection: selections.Selection) -> profiles.Mode:
    """Return the mode that a notation writes which has no host-model."""
    if selection.mode is profiles.Mode.PASSTHROUGH:
        return selection.mode
    return profiles.Mode.CUSTOM


def goes_without_saying(said: Statement, mode: profiles.Mode) -> bool:
    """Whether a notation loses nothing where it leaves something out.

    What is off, and what nobody names, are the same to a guest whose
    enlightenments are all named. In the other modes they are not: there
    libvirt or QEMU turns on what is not named.

    :param said: what is left out.
    :param mode: the mode that is written.
    """
    return not said.on and mode is profiles.Mode.CUSTOM


def split_nested(
    selection: selections.Selection, mode: profiles.Mode
) -> tuple[list[Statement], list[Loss]]:
    """Return what a notation with nested elements can say, and what not.

    A sub-element has no place without its parent.

    :param selection: what is to be said.
    :param mode: the mode that is written.
    """
    said, losses = [], []
    parents = selection.features | selection.off
    for statement in statements(selection):
        parent = statement.entry.parent
        if parent is None or parent in parents:
            said.append(statement)
        elif not goes_without_saying(statement, mode):
            losses.append(
                Loss(
                    word=statement.word,
                    reason=f'it has no place without {parent!r}',
                )
            )
    return said, losses


def extras(selection: selections.Selection) -> collections.abc.Iterator[str]:
    """Yield the words for what a selection holds beside statements."""
    if selection.mode is not profiles.Mode.CUSTOM:
        yield f'{MODE}={selection.mode.value}'
    if selection.tsc_frequency is not None:
        yield f'{TSC_FREQUENCY}={selection.tsc_frequency}'


class Collector:
    """Puts together what a text says, and refuses contradictions.

    :param notation: the notation's name, for messages.
    :ivar mode: who names the enlightenments.
    :ivar tsc_frequency: the pinned TSC frequency in Hz; it counts only
        beside an enlightenment that needs it.
    """

    def __init__(self, notation: str) -> None:
        self._notation = notation
        self._states: dict[str, bool] = {}
        self._values: dict[str, str] = {}
        self.mode = profiles.Mode.CUSTOM
        self.tsc_frequency: int | None = None

    def error(self, reason: str) -> exception.MalformedDocument:
        """Return what to raise for a text that cannot be read."""
        return error(self._notation, reason)

    def switch(self, name: str, on: bool) -> None:
        """Turn an enlightenment on or off.

        :raises MalformedDocument: the text says the contrary as well.
        """
        if self._states.setdefault(name, on) is not on:
            raise self.error(f'{name!r} is both on and off')

    def assume(self, name: str) -> None:
        """Turn an enlightenment on unless the text says otherwise."""
        self._states.setdefault(name, True)

    def give(self, name: str, text: str) -> None:
        """Give an enlightenment its value; the number may be in hex.

        :raises MalformedDocument: the value is not allowed, or the text
            has another one as well.
        """
        entry = enlightenments.ENLIGHTENMENTS[name]
        assert entry.value is not None
        value = text
        try:
            if isinstance(entry.value, model.IntegerValue):
                value = str(integer(text))
            value = entry.value.check(value)
        except ValueError as err:
            raise self.error(
                f'{entry.value_name}={quote(text)} is not valid: allowed is '
                f'{entry.value.allowed}'
            ) from err
        if self._values.setdefault(name, value) != value:
            raise self.error(f'{entry.value_name!r} has two values')

    def default(self, name: str, value: str) -> None:
        """Say what an enlightenment carries where the text does not."""
        self._values.setdefault(name, value)

    def selection(self) -> selections.Selection:
        """Return what was collected.

        :raises MalformedDocument: something is on without the value that it
            must carry.
        """
        features = frozenset(name for name, on in self._states.items() if on)
        values = []
        pinned = False
        for name in features:
            entry = enlightenments.ENLIGHTENMENTS[name]
            pinned = pinned or entry.pins_tsc
            if entry.value_name is None:
                continue
            if name not in self._values:
                raise self.error(f'{name!r} has no {entry.value_name!r}')
            values.append((entry.value_name, self._values[name]))
        return selections.Selection(
            features=features,
            off=frozenset(self._states) - features,
            values=frozenset(values),
            mode=self.mode,
            tsc_frequency=self.tsc_frequency if pinned else None,
        )
