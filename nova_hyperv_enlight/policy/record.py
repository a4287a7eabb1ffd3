# SPDX-License-Identifier: Apache-2.0

"""The record of what a guest was started with, as one line of text.

``VERSION;PROFILE;EXTRA;NAMES``. EXTRA is empty, ``mode=MODE`` or
``tsc=HZ``. NAMES are separated by commas; a value follows its name after an
equals sign, a sub-element its parent after a plus sign. At most 255
characters, which is what Nova's system_metadata holds: with everything on
there is room for it.
"""

import dataclasses
import functools

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

_MODE = 'mode='
_TSC = 'tsc='


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a guest was started with.

    :ivar profile: the profile that it was decided by.
    :ivar selection: its enlightenments.
    """

    profile: str
    selection: decision.Selection


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


@functools.lru_cache(maxsize=128)
def encode(record: Record) -> str:
    """Return a record as text.

    :raises ValueError: the text would be too long.
    """
    selection = record.selection
    extra = ''
    if selection.mode is not profiles.Mode.CUSTOM:
        extra = f'{_MODE}{selection.mode.value}'
    elif selection.tsc_frequency is not None:
        extra = f'{_TSC}{selection.tsc_frequency}'
    text = ';'.join((VERSION, record.profile, extra, _join(selection)))
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
    except ValueError as err:
        raise _malformed(text) from err
    return Record(
        profile=profile,
        selection=decision.Selection(
            names=frozenset(names),
            values=frozenset(values),
            mode=mode,
            tsc_frequency=frequency,
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
