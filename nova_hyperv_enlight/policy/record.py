# SPDX-License-Identifier: Apache-2.0

"""The record of what a guest was started with, as one line of text.

``VERSION;PROFILE;EXTRA;NAMES``. EXTRA is empty, ``mode=MODE`` or
``tsc=HZ``. NAMES are separated by commas; a value follows its name after an
equals sign, a sub-element its parent after a plus sign. At most 255
characters, which is what Nova's system_metadata holds: with everything on
there is room for it. ``pit`` after the names says that the guest's PIT
discards lost ticks.

What was wanted and not delivered follows the names, after a minus sign:
``-MASK`` is a hexadecimal number with a bit for each name of the catalogue,
the first one's the lowest; ``-NAME=VALUE`` is a value. Releases that do not
know this pass over such words as over names that they do not know, and read
what the guest runs with.
"""

import dataclasses
import functools
import re

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import parsing

#: The version that this release writes and reads.
VERSION = '1'
#: The profile of a record that was read from a running guest.
ADOPTED = 'adopted'
#: The greatest number of characters of a record.
MAX_LENGTH = 255

_MINUS = '-'
# Releases that do not know this word pass over it.
_PIT = 'pit'
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
    selection: selections.Selection
    lost: selections.Selection = selections.Selection()

    @property
    def wanted(self) -> selections.Selection:
        """What the guest is to have wherever it can."""
        values = dict(self.selection.values) | dict(self.lost.values)
        return dataclasses.replace(
            self.selection,
            features=self.selection.features | self.lost.features,
            values=frozenset(values.items()),
            tsc_frequency=(
                self.selection.tsc_frequency or self.lost.tsc_frequency
            ),
        )


def _join(selection: selections.Selection) -> str:
    values = dict(selection.values)
    joined: dict[str, str] = {}
    for name, entry in enlightenments.ENLIGHTENMENTS.items():
        if name not in selection.features:
            continue
        # Without its parent, which never happens, it stands by itself.
        if entry.parent in joined:
            joined[entry.parent] += f'+{entry.element}'
        elif entry.value_name in values:
            joined[name] = f'{name}={values[entry.value_name]}'
        else:
            joined[name] = name
    pit = [_PIT] if selection.pit_discards else []
    return ','.join([*joined.values(), *pit])


def _split(text: str) -> tuple[set[str], set[tuple[str, str]]]:
    features: set[str] = set()
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
        features.add(parent)
        features.update(f'{parent}.{element}' for element in elements)
    return features & enlightenments.ENLIGHTENMENTS.keys(), values


def _join_lost(lost: selections.Selection) -> list[str]:
    """Return the words for what was not delivered, the names' first."""
    words = []
    if lost.features:
        mask = sum(
            1 << place
            for place, name in enumerate(enlightenments.ENLIGHTENMENTS)
            if name in lost.features
        )
        words.append(f'{_MINUS}{mask:x}')
    return words + [
        f'{_MINUS}{enlightenments.VALUES[key].name}={value}'
        for key, value in sorted(lost.values)
    ]


def _split_lost(text: str) -> tuple[set[str], set[tuple[str, str]]]:
    features: set[str] = set()
    values: set[tuple[str, str]] = set()
    for group in text.split(','):
        if not group.startswith(_MINUS):
            continue
        word, equals, value = group.removeprefix(_MINUS).partition('=')
        if not equals:
            if not re.fullmatch('[0-9a-f]{1,16}', word):
                raise ValueError(group)
            features.update(
                name
                for place, name in enumerate(enlightenments.ENLIGHTENMENTS)
                if int(word, 16) >> place & 1
            )
            continue
        entry = enlightenments.ENLIGHTENMENTS.get(word)
        if entry is not None and entry.value and entry.value_name:
            values.add((entry.value_name, entry.value.check(value)))
    return features, values


@functools.lru_cache(maxsize=128)
def encode(record: Record) -> str:
    """Return a record as text.

    Where there is no room for all values that were not delivered, they are
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
        features, values = _split(rest)
        lost_names, lost_values = _split_lost(rest)
    except ValueError as err:
        raise _malformed(text) from err
    pinned_by_lost = any(
        enlightenments.ENLIGHTENMENTS[name].pins_tsc for name in lost_names
    )
    return Record(
        profile=profile,
        selection=selections.Selection(
            features=frozenset(features),
            values=frozenset(values),
            mode=mode,
            tsc_frequency=None if pinned_by_lost else frequency,
            pit_discards=_PIT in rest.split(','),
        ),
        lost=selections.Selection(
            features=frozenset(lost_names),
            values=frozenset(lost_values),
            tsc_frequency=frequency if pinned_by_lost else None,
        ),
    )


def _hertz(extra: str) -> int:
    frequency = parsing.number(extra.removeprefix(_TSC))
    if frequency is None or not extra.startswith(_TSC):
        raise ValueError(extra)
    return frequency


def _malformed(text: str) -> exception.MalformedDocument:
    return exception.MalformedDocument(
        document='the recorded set', reason=f'{text[:64]!r} is not a record'
    )


_CATALOGUE = enlightenments.ENLIGHTENMENTS
# How far the host's may be from a pinned one without scaling, in parts of a
# million: QEMU target/i386/kvm/kvm.c, kvm_arch_set_tsc_khz.
_TSC_TOLERANCE_PPM = 250


def _goes_on(
    entry: model.Enlightenment, host: capabilities.HostCapabilities
) -> bool:
    """Whether a running guest goes on with what a host does not offer."""
    listed = host.sources.domcaps.features
    return (
        entry.benefit_only
        and host.features[entry.name].source
        is capabilities.CapabilitySource.SYSFS
        and (listed is None or entry.name in listed)
    )


def missing(
    recorded: Record, host: capabilities.HostCapabilities
) -> list[str]:
    """Return the names that a guest runs with and a host lacks.

    What would only lose its benefit there is not missing.
    """
    return [
        name
        for name, entry in _CATALOGUE.items()
        if name in recorded.selection.features
        and host.features[name].offered is False
        and not _goes_on(entry, host)
    ]


def _untaken(
    selection: selections.Selection, host: capabilities.HostCapabilities
) -> list[str]:
    """Say which values a host's libvirt does not take."""
    found = host.sources.libvirt
    sentences = []
    for key, text in sorted(selection.values):
        value = enlightenments.VALUES[key].value
        needed = value.needs_libvirt(text) if value is not None else None
        if needed is not None and found is not None and found < needed:
            sentences.append(
                f'{key}={text} needs libvirt {model.version_text(needed)}, '
                f'and the host has {model.version_text(found)}.'
            )
    return sentences


def _out_of_tune(
    selection: selections.Selection, host: capabilities.HostCapabilities
) -> list[str]:
    """Say which pinned TSC frequency a host cannot keep."""
    pinned = selection.tsc_frequency
    here, scaling = host.sources.tsc_frequency, host.sources.tsc_scaling
    if pinned is None or here is None or scaling is not False:
        return []
    if abs(pinned - here) * 1000000 <= pinned * _TSC_TOLERANCE_PPM:
        return []
    return [
        f'{name!r} is on with a TSC frequency of {pinned} Hz, and the host '
        f'has {here} Hz and cannot scale it.'
        for name in selections.pinning(selection)
    ]


def named(
    selection: selections.Selection, host: capabilities.HostCapabilities
) -> selections.Selection:
    """Name what a mode leaves to libvirt.

    When a guest with host-model starts, libvirt puts the names of the host
    in the mode's place, and they stay with the guest.

    :param selection: what is written.
    :param host: the host that the guest is started on.
    """
    if selection.mode is not profiles.Mode.HOST_MODEL:
        return selection
    offered = frozenset(
        name
        for name, capability in host.features.items()
        if capability.offered and not _CATALOGUE[name].pins_tsc
    )
    return dataclasses.replace(
        selection, features=selection.features | offered - selection.off
    )


def obstacles(
    recorded: Record,
    destination: capabilities.HostCapabilities,
    for_tenants: bool = False,
) -> list[str]:
    """Return what keeps a guest from a host, a sentence for each reason.

    :param recorded: what the guest was started with.
    :param destination: what the host offers to such a guest.
    :param for_tenants: leave out what the host is like.
    """
    selection = recorded.selection
    if selection.mode is profiles.Mode.PASSTHROUGH:
        return [
            "It was started with mode='passthrough', and QEMU does not "
            'migrate such a guest.'
        ]
    found = [
        f'{name!r} is on without a pinned TSC frequency: QEMU fails on the '
        'destination once the guest uses it.'
        for name in selections.unpinned(selection)
    ]
    found += _untaken(selection, destination)
    found += _out_of_tune(selection, destination)
    # What is missing for the same reason is named together: Nova shows 255
    # characters in the event of the instance's action.
    reasons: dict[str, list[str]] = {}
    for name in missing(recorded, destination):
        evidence = ''
        if not for_tenants:
            evidence = f': {destination.features[name].evidence}'
        reasons.setdefault(evidence, []).append(repr(name))
    found += [
        f'{", ".join(names)} {"is" if len(names) == 1 else "are"} missing '
        f'there{evidence}.'
        for evidence, names in reasons.items()
    ]
    return found
