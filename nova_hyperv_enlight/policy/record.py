# SPDX-License-Identifier: Apache-2.0

"""The record of what a guest was started with, as one line of text.

``VERSION;PROFILE;EXTRA;NAMES``. EXTRA is empty, ``mode=MODE`` or
``tsc=HZ``. NAMES are separated by commas; a value follows its name after an
equals sign, a sub-element its parent after a plus sign. At most 255
characters, which is what Nova's system_metadata holds: with everything on
there is room for it.

What was wanted and could not be had follows the names, after a minus sign:
``-MASK`` is a hexadecimal number with a bit for each name of the catalogue,
the first one's the lowest; ``-NAME=VALUE`` is a value. Releases that do not
know this pass over such words as over names that they do not know, and read
what the guest runs with.
"""

import dataclasses
import functools
import re

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import xml
from nova_hyperv_enlight.policy import decision

#: The version that this release writes and reads.
VERSION = '1'
#: The profile of a record that was read from a running guest.
ADOPTED = 'adopted'
#: The greatest number of characters of a record.
MAX_LENGTH = 255

_MINUS = '-'
_MODE = 'mode='
_TSC = 'tsc='


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a guest was started with.

    :ivar profile: the profile that it was decided by.
    :ivar selection: its enlightenments.
    :ivar lost: what it was to have besides, and the host did not let it
        have: names, values, and the pinned TSC frequency of such names.
    """

    profile: str
    selection: decision.Selection
    lost: decision.Selection = decision.Selection()

    @property
    def wanted(self) -> decision.Selection:
        """What the guest is to have wherever it can."""
        values = dict(self.selection.values) | dict(self.lost.values)
        return dataclasses.replace(
            self.selection,
            names=self.selection.names | self.lost.names,
            values=frozenset(values.items()),
            tsc_frequency=(
                self.selection.tsc_frequency or self.lost.tsc_frequency
            ),
        )


def _join(selection: decision.Selection) -> str:
    values = dict(selection.values)
    joined: dict[str, str] = {}
    for name, entry in enlightenments.ENLIGHTENMENTS.items():
        if name not in selection.names:
            continue
        # Without its parent, which never happens, it stands by itself.
        if entry.parent in joined:
            joined[entry.parent] += f'+{entry.element}'
        elif entry.value_name in values:
            joined[name] = f'{name}={values[entry.value_name]}'
        else:
            joined[name] = name
    return ','.join(joined.values())


def _split(text: str) -> tuple[set[str], set[tuple[str, str]]]:
    names: set[str] = set()
    values: set[tuple[str, str]] = set()
    for group in filter(None, text.split(',')):
        name, equals, value = group.partition('=')
        if name.startswith(_MINUS):
            continue
        if equals:
            entry = enlightenments.ENLIGHTENMENTS.get(name)
            if entry is None or entry.value is None or not entry.value_name:
                # A newer plugin's: this one does not know it.
                continue
            values.add((entry.value_name, entry.value.check(value)))
        parent, *elements = name.split('+')
        names.add(parent)
        names.update(f'{parent}.{element}' for element in elements)
    return names & enlightenments.ENLIGHTENMENTS.keys(), values


def _join_lost(lost: decision.Selection) -> list[str]:
    """Return the words for what could not be had, the names' one first."""
    words = []
    if lost.names:
        mask = sum(
            1 << place
            for place, name in enumerate(enlightenments.ENLIGHTENMENTS)
            if name in lost.names
        )
        words.append(f'{_MINUS}{mask:x}')
    return words + [
        f'{_MINUS}{enlightenments.VALUES[key].name}={value}'
        for key, value in sorted(lost.values)
    ]


def _split_lost(text: str) -> tuple[set[str], set[tuple[str, str]]]:
    names: set[str] = set()
    values: set[tuple[str, str]] = set()
    for group in text.split(','):
        if not group.startswith(_MINUS):
            continue
        word, equals, value = group.removeprefix(_MINUS).partition('=')
        if not equals:
            if not re.fullmatch('[0-9a-f]{1,16}', word):
                raise ValueError(group)
            names.update(
                name
                for place, name in enumerate(enlightenments.ENLIGHTENMENTS)
                if int(word, 16) >> place & 1
            )
            continue
        entry = enlightenments.ENLIGHTENMENTS.get(word)
        if entry is not None and entry.value and entry.value_name:
            values.add((entry.value_name, entry.value.check(value)))
    return names, values


@functools.lru_cache(maxsize=128)
def encode(record: Record) -> str:
    """Return a record as text.

    Where there is no room for all values that could not be had, they are
    left out: only a record of nearly everything is so long.

    :raises ValueError: the text would be too long.
    """
    selection = record.selection
    extra = ''
    if selection.mode is not profiles.Mode.CUSTOM:
        extra = f'{_MODE}{selection.mode.value}'
    elif record.wanted.tsc_frequency is not None:
        extra = f'{_TSC}{record.wanted.tsc_frequency}'
    text = ';'.join((VERSION, record.profile, extra, _join(selection)))
    for word in _join_lost(record.lost):
        longer = text + ',' * (not text.endswith(';')) + word
        if len(longer) > MAX_LENGTH:
            break
        text = longer
    if len(text) > MAX_LENGTH:
        raise ValueError(f'{len(text)} characters are too many for a record')
    return text


def decode(text: str) -> Record:
    """Read a record.

    :raises UnknownRecord: a version that this release does not read.
    :raises MalformedDocument: not a record.
    """
    version, *parts = text.split(';', 3)
    if version != VERSION:
        if version.isascii() and version.isdecimal():
            raise exception.UnknownRecord(version=version[:16])
        raise _malformed(text)
    if len(parts) != 3 or not parts[0].isprintable():
        raise _malformed(text)
    profile, extra, rest = parts
    mode, frequency = profiles.Mode.CUSTOM, None
    try:
        if extra.startswith(_MODE):
            mode = profiles.Mode(extra.removeprefix(_MODE))
        elif extra:
            frequency = _hertz(extra)
        names, values = _split(rest)
        lost_names, lost_values = _split_lost(rest)
    except ValueError as err:
        raise _malformed(text) from err
    pinned_by_lost = any(
        enlightenments.ENLIGHTENMENTS[name].pins_tsc for name in lost_names
    )
    return Record(
        profile=profile,
        selection=decision.Selection(
            names=frozenset(names),
            values=frozenset(values),
            mode=mode,
            tsc_frequency=None if pinned_by_lost else frequency,
        ),
        lost=decision.Selection(
            names=frozenset(lost_names),
            values=frozenset(lost_values),
            tsc_frequency=frequency if pinned_by_lost else None,
        ),
    )


def _hertz(extra: str) -> int:
    frequency = xml.number(extra.removeprefix(_TSC))
    if frequency is None or not extra.startswith(_TSC):
        raise ValueError(extra)
    return frequency


def _malformed(text: str) -> exception.MalformedDocument:
    return exception.MalformedDocument(
        document='the recorded set', reason=f'{text[:64]!r} is not a record'
    )
