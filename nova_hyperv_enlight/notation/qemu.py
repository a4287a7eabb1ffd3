# SPDX-License-Identifier: Apache-2.0

"""QEMU's ``-cpu MODEL,hv-relaxed,hv-spinlocks=0x1fff,hv-time``.

As QEMU reads it: target/i386/cpu.c, x86_cpu_parse_featurestr. A dash and an
underscore are the same, ``x`` is ``x=on``, the last one counts, and the old
``+x`` and ``-x`` win over all of them. A comma cannot be escaped.
"""

import dataclasses
import re
import shlex

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.notation import shell
from nova_hyperv_enlight.notation import statement

NAME = 'qemu'

_PASSTHROUGH = 'hv-passthrough'
_TSC = 'tsc-frequency'
#: The flags by which QEMU names enlightenments.
FLAGS = {
    entry.qemu_flag: entry.name
    for entry in enlightenments.ENLIGHTENMENTS.values()
} | {
    # QEMU's alias, the name by which it came.
    'hv-apicv': 'avic'
}
#: Those of them that carry no value.
SWITCHES = {
    flag: name
    for flag, name in FLAGS.items()
    if enlightenments.ENLIGHTENMENTS[name].value is None
}
_BOOLEANS = {
    **dict.fromkeys(('on', 'yes', 'true', 'y'), True),
    **dict.fromkeys(('off', 'no', 'false', 'n'), False),
}
#: What QEMU has for Hyper-V guests and no domain XML can say:
#: docs/system/i386/hyperv.rst.
FOREIGN = {
    'hv-crash': "libvirt has <panic model='hyperv'/> for it",
    'hv-syndbg': 'it is for debuggers, and libvirt has no name for it',
    **dict.fromkeys(
        (
            'hv-enforce-cpuid',
            'hv-no-nonarch-coresharing',
            'hv-version-id-build',
            'hv-version-id-major',
            'hv-version-id-minor',
            'hv-version-id-sbranch',
            'hv-version-id-snumber',
            'hv-version-id-spack',
            'x-hv-max-vps',
            'x-hv-synic-kvm-only',
        ),
        'libvirt has no name for it',
    ),
}
_FLAG = re.compile('[+-]?(x-)?hv[-_]')
_ANYWHERE = re.compile(r'(^|[\s,.])[+-]?(x-)?hv[-_]')
# XML or JSON, a list of Proxmox's flags, and lines of YAML or Proxmox's.
_OTHERS = re.compile(
    r'^[ \t]*[<{]|(^|,)flags=|^[+-][^;,\n]*;|^[\w-]+:\s', re.MULTILINE
)
_METRIC = {'': 1, 'K': 10**3, 'M': 10**6, 'G': 10**9}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Property:
    """One property of ``-cpu``.

    :ivar key: its name, with dashes.
    :ivar value: its value, ``on`` where it has none.
    :ivar given: it has a value, after an equals sign.
    :ivar legacy: it was ``+x`` or ``-x``.
    :ivar written: as it was written.
    """

    key: str
    value: str
    given: bool
    legacy: bool
    written: str


def recognises(text: str) -> bool:
    """Whether a text looks like this notation."""
    if _OTHERS.search(text):
        return False
    return bool(
        re.search(r'(^|\s)--?cpu\s', text.replace('\0', ' '))
        or _ANYWHERE.search(text)
    )


def _parse(text: str) -> _Property:
    legacy = text[0] in '+-'
    key, equals, value = text[legacy:].partition('=')
    if legacy:
        value = 'on' if text[0] == '+' else 'off'
    return _Property(
        key=key.replace('_', '-'),
        value=value if equals or legacy else 'on',
        given=bool(equals),
        legacy=legacy,
        written=text,
    )


def _precedence(each: _Property) -> int:
    # QEMU sets what has a minus last.
    return (1 if each.value == 'on' else 2) if each.legacy else 0


def _properties(text: str) -> tuple[dict[str, _Property], list[str]]:
    """Return what counts by its key, and the CPU's model, if there is one."""
    items = text.split(',')
    model_name = []
    if items[0] and not _FLAG.match(items[0]):
        model_name = [items.pop(0)]
    parsed = [_parse(item) for item in items if item]
    counts = {each.key: each for each in sorted(parsed, key=_precedence)}
    # In the order of the text: the sorting kept it in each group only.
    return {each.key: counts[each.key] for each in parsed}, model_name


def _cpu(text: str) -> tuple[str, list[str]]:
    """Return the last ``-cpu`` of a command line, and what is beside it."""
    words = shell.split(text, NAME)
    found, left = shell.options(words, ('cpu',))
    if found:
        return found[-1][1], left + [value for _, value in found[:-1]]
    if len(words) > 1:
        raise statement.error(
            NAME, 'there is no -cpu in it; quote its value if that has spaces'
        )
    return ''.join(words), []


def _boolean(each: _Property) -> bool:
    if each.value not in _BOOLEANS:
        raise statement.error(
            NAME,
            f'{statement.quote(each.written)} is not valid: allowed are on '
            'and off',
        )
    return _BOOLEANS[each.value]


def _hertz(each: _Property) -> int:
    match = re.fullmatch('([0-9]{1,15})([KMG]?)', each.value.upper())
    if match is None:
        raise statement.error(
            NAME, f'{statement.quote(each.written)} is not a frequency'
        )
    return int(match[1]) * _METRIC[match[2]]


def _take(each: _Property, collector: statement.Collector) -> bool:
    """Collect a property; False if it is no enlightenment."""
    if each.key in FLAGS:
        name = FLAGS[each.key]
        entry = enlightenments.ENLIGHTENMENTS[name]
        if entry.value is None:
            collector.switch(name, _boolean(each))
        else:
            if each.legacy or not each.given:
                raise collector.error(f'{each.written!r} needs a value')
            collector.switch(name, True)
            collector.give(name, each.value)
    elif each.key == _PASSTHROUGH:
        if _boolean(each):
            collector.mode = profiles.Mode.PASSTHROUGH
    elif each.key in (_TSC, 'tsc-freq'):
        collector.tsc_frequency = _hertz(each)
    elif _FLAG.match(each.key):
        raise collector.error(
            f'{statement.quote(each.written)} is not known; there are '
            f'{", ".join((*FLAGS, _PASSTHROUGH, *FOREIGN))}'
        )
    else:
        return False
    return True


def read(text: str) -> statement.Reading:
    """Read a ``-cpu`` or its value, or a whole command line with one.

    :raises MalformedDocument: a flag that is not known, or a value that is
        not allowed.
    """
    collector = statement.Collector(NAME)
    cpu, beside = _cpu(text)
    found, aside = _properties(cpu)
    losses = []
    for each in found.values():
        if each.key in FOREIGN:
            # Off is what all of them are anyway.
            if _BOOLEANS.get(each.value) is not False:
                losses.append(
                    statement.Loss(word=each.written, reason=FOREIGN[each.key])
                )
        elif not _take(each, collector):
            aside.append(each.written)
    selection = collector.selection()
    for key in (_TSC, 'tsc-freq'):
        if key in found and selection.tsc_frequency is None:
            aside.append(found[key].written)
    for word in beside:
        if _ANYWHERE.search(word):
            losses.append(
                statement.Loss(word=word, reason='only the last -cpu is read')
            )
    aside.extend(word for word in beside if re.match('--?[A-Za-z]', word))
    return statement.Reading(
        selection=selection,
        aside=tuple(dict.fromkeys(aside)),
        losses=tuple(losses),
    )


def _write(
    said: statement.Statement, mode: profiles.Mode
) -> str | statement.Loss | None:
    """Return a flag, why there is none, or None where none is needed."""
    flag, value = said.entry.qemu_flag, said.entry.value
    if value is None:
        return flag if said.on else f'{flag}=off'
    if not said.on:
        if statement.goes_without_saying(said, mode):
            return None
        return statement.Loss(word=said.word, reason='QEMU has no off for it')
    assert said.value is not None
    if isinstance(value, model.IntegerValue):
        return f'{flag}={int(said.value):#x}'
    return f'{flag}={said.value}'


def write(selection: selections.Selection) -> statement.Writing:
    """Write the flags, to be added to the model of ``-cpu``."""
    flags, losses = [], []
    mode = statement.mode_but_libvirts(selection)
    for said in statement.statements(selection):
        written = _write(said, mode)
        if isinstance(written, statement.Loss):
            losses.append(written)
        elif written is not None:
            flags.append(written)
    if mode is profiles.Mode.PASSTHROUGH:
        flags.append(_PASSTHROUGH)
    elif selection.mode is not mode:
        losses.append(
            statement.Loss(
                word=f'{statement.MODE}={selection.mode.value}',
                reason='QEMU has no such mode: libvirt names the flags',
            )
        )
    if selection.tsc_frequency is not None:
        flags.append(f'{_TSC}={selection.tsc_frequency}')
    text = ','.join(flags)
    return statement.Writing(
        text=shlex.quote(text) if text else '', losses=tuple(losses)
    )
