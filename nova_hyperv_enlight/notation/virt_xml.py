# SPDX-License-Identifier: Apache-2.0

"""The options ``--features`` and ``--clock`` of virt-xml and virt-install.

``hyperv.relaxed.state=on``, its older name ``hyperv_relaxed=on``, and
``xpath1.set=./hyperv/vpindex/@state,xpath1.value=on``, which sets what the
program has no name for. See virt-xml(1) and virt-install(1).

As virt-xml reads it: https://github.com/virt-manager/virt-manager,
virtinst/cli.py, VirtCLIParser. The last one counts; of one option's value,
timers by their number win over names, and XPaths win over all of them.
"""

import collections.abc
import re
import shlex

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.host import parsing
from nova_hyperv_enlight.notation import domain_xml
from nova_hyperv_enlight.notation import shell
from nova_hyperv_enlight.notation import statement

NAME = 'virt-xml'

_FEATURES, _CLOCK = 'features', 'clock'
# What every release since 4.0 has a name for; 5.0 and 5.1 brought the
# others. Their XPaths are understood by all.
_NAMED = ('relaxed', 'vapic', 'spinlocks', 'synic', 'reset')
_MODE = './hyperv/@mode'
_TSC = "./timer[@name='tsc']/@frequency"
_XPATH = re.compile('(xpath[0-9]*)[.](set|value|create|delete)')
_TIMER = re.compile('(timer[0-9]*)[.](.+)')
# virt-xml itself takes no notice of it: ParserClock in virtinst/cli.py.
_NO_OP = 'hypervclock_tickpolicy'
# virt-xml 4.1 writes &lt; as &amp;lt;, and so on.
_MANGLED = re.compile('[&<>"\']')
_TRUE = ('y', 'yes', '1', 'true', 't', 'on')
_FALSE = ('n', 'no', '0', 'false', 'f', 'off')


def _spellings(entry: model.Enlightenment) -> tuple[list[str], str]:
    """Return how an option may name an enlightenment, and its XPath."""
    if entry.placement is model.Placement.TIMER:
        return (
            [f'{entry.element}_present'],
            f"./timer[@name='{entry.element}']/@present",
        )
    return (
        [f'hyperv.{entry.name}.state', f'hyperv_{_flat(entry.name)}'],
        f'./hyperv/{entry.name.replace(".", "/")}/@state',
    )


def _flat(name: str) -> str:
    return name.replace('.', '_')


def _value_spellings(entry: model.Enlightenment) -> tuple[list[str], str]:
    """Return the same of the value that it carries."""
    assert entry.value is not None
    attribute = entry.value.attribute
    return (
        [
            f'hyperv.{entry.name}.{attribute}',
            f'hyperv_{entry.name}_{attribute}',
        ],
        f'./hyperv/{entry.name}/@{attribute}',
    )


_HYPERV_TIMERS = tuple(
    entry.element
    for entry in enlightenments.ENLIGHTENMENTS.values()
    if entry.placement is model.Placement.TIMER
)
_SWITCHES: dict[str, str] = {}
_VALUES: dict[str, str] = {}
for _entry in enlightenments.ENLIGHTENMENTS.values():
    _names, _path = _spellings(_entry)
    _SWITCHES.update(dict.fromkeys([*_names, _path], _entry.name))
    if _entry.value is not None:
        _names, _path = _value_spellings(_entry)
        _VALUES.update(dict.fromkeys([*_names, _path], _entry.name))


def recognises(text: str) -> bool:
    """Whether a text looks like this notation."""
    if statement.is_document(text):
        return False
    return bool(
        re.search(
            rf'(^|\s)--({_FEATURES}|{_CLOCK})\b|(^|[\s,])'
            r'(hyperv[._]\w|hypervclock_|xpath[0-9]*[.]set)',
            text,
        )
    )


def _split(option: str) -> list[tuple[str, str | None]]:
    """Split an option's value as virt-xml does."""
    parts = shlex.shlex(option, posix=True)
    parts.commenters = ''
    parts.whitespace = ','
    parts.whitespace_split = True
    try:
        words = list(parts)
    except ValueError as err:
        raise statement.error(
            NAME, f'{err} in {statement.quote(option)}'
        ) from err
    found: list[tuple[str, str | None]] = []
    for word in words:
        key, equals, value = word.partition('=')
        found.append((key, value if equals else None))
    return found


def _numbered(
    options: dict[str, str | None], pattern: re.Pattern[str]
) -> list[tuple[str, dict[str, str]]]:
    """Take what belongs together by its number out of an option's value."""
    found: dict[str, dict[str, str]] = {}
    for key in list(options):
        match = pattern.fullmatch(key)
        if match is not None:
            parts = found.setdefault(match[1], {})
            parts[match[2]] = options.pop(key) or ''
    # Without a number it is the first.
    return sorted(
        found.items(), key=lambda each: int(re.sub(r'\D', '', each[0]) or 0)
    )


def _timers(
    options: dict[str, str | None],
) -> collections.abc.Iterator[tuple[str, str | None]]:
    """Yield timers by their number as the XPaths that say the same."""
    for name, parts in _numbered(options, _TIMER):
        timer = parts.pop('name', '')
        for part, value in parts.items():
            path = f"./timer[@name='{timer}']/@{part}"
            if path in (*_SWITCHES, _TSC):
                yield path, value
            else:
                yield f'{name}.{part}', value
        if timer in _HYPERV_TIMERS:
            if 'present' not in parts:
                raise statement.error(
                    NAME, f'{name}.name={timer} needs {name}.present'
                )
        elif timer:
            yield f'{name}.name', timer


def _xpaths(
    options: dict[str, str | None],
) -> collections.abc.Iterator[tuple[str, str | None]]:
    """Put each XPath and its value together, as if it were a name."""
    for name, parts in _numbered(options, _XPATH):
        if set(parts) != {'set', 'value'}:
            wrong = ', '.join(f'{name}.{part}' for part in parts)
            raise statement.error(
                NAME, f'{wrong}: what is read is {name}.set and {name}.value'
            )
        # Either quote is the same to XPath.
        yield parts['set'].replace('"', "'"), parts['value']


def _what_counts(
    options: collections.abc.Iterable[str],
) -> collections.abc.Iterable[tuple[str, str | None]]:
    """Return what counts of the values of some options."""
    counts: dict[object, tuple[str, str | None]] = {}
    for option in options:
        # The same name again keeps its first place, as in virt-xml.
        named = dict(_split(option))
        xpaths = list(_xpaths(named))
        timers = list(_timers(named))
        for key, value in (*named.items(), *timers, *xpaths):
            if key in _SWITCHES:
                counts['state', _SWITCHES[key]] = (key, value)
            elif key in _VALUES:
                counts['value', _VALUES[key]] = (key, value)
            else:
                counts[key] = (key, value)
    return counts.values()


def _boolean(key: str, value: str | None) -> bool:
    word = (value or '').lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise statement.error(NAME, f'{key} must be on or off')


def _take(key: str, value: str | None, collector: statement.Collector) -> bool:
    """Collect an option; False if it is no enlightenment."""
    if key in _SWITCHES:
        collector.switch(_SWITCHES[key], _boolean(key, value))
    elif key in _VALUES:
        collector.give(_VALUES[key], value or '')
    elif key == _MODE:
        try:
            collector.mode = profiles.Mode(value)
        except ValueError as err:
            raise collector.error(f'mode {value!r} is not known') from err
    elif key == _TSC:
        collector.tsc_frequency = parsing.number(value)
        if collector.tsc_frequency is None:
            raise collector.error(
                f'{key}={statement.quote(value or "")} is not a frequency'
            )
    elif hyperv.HYPERV in key and key != _NO_OP:
        raise collector.error(
            f'{statement.quote(key)} is not known; there are '
            f'{", ".join((*_SWITCHES, *_VALUES, _MODE))}'
        )
    else:
        return False
    return True


def read(text: str) -> statement.Reading:
    """Read the options, or a whole command line, or one option's value.

    :raises MalformedDocument: an option that is not known, or a value that
        is not allowed.
    """
    words = shell.split(text, NAME)
    found, beside = shell.options(words, (_FEATURES, _CLOCK))
    if not found:
        if len(words) > 1:
            raise statement.error(
                NAME, f'there is no --{_FEATURES} and no --{_CLOCK} in it'
            )
        found, beside = [(_FEATURES, word) for word in words], []
    collector = statement.Collector(NAME)
    aside = []
    for key, value in _what_counts(option for _, option in found):
        if not _take(key, value, collector):
            aside.append(key if value is None else f'{key}={value}')
    collector.default('spinlocks', domain_xml.NEVER_NOTIFY)
    return statement.Reading(
        selection=collector.selection(),
        aside=tuple(aside),
        losses=tuple(
            statement.Loss(
                word=word, reason=f'only --{_FEATURES} and --{_CLOCK} are read'
            )
            for word in beside
            if hyperv.HYPERV in word
        ),
    )


class _Option:
    """One option's value, while it is put together."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[str] = []
        self._paths = 0

    def add(self, spelling: str, value: str) -> None:
        self._parts.append(f'{spelling}={value}')

    def add_path(self, path: str, value: str) -> None:
        self._paths += 1
        name = f'xpath{self._paths}'
        # virt-xml takes quotes and backslashes away, as a shell does.
        self.add(f'{name}.set', f'"{path}"' if "'" in path else path)
        plain = re.fullmatch(r'[\w./ -]*', value, re.ASCII)
        self.add(f'{name}.value', value if plain else shlex.quote(value))

    def text(self) -> str:
        if not self._parts:
            return ''
        return f'--{self._name} {shlex.quote(",".join(self._parts))}'


def _write(said: statement.Statement, option: _Option) -> None:
    switch = 'on' if said.on else 'off'
    (name, *_), path = _spellings(said.entry)
    if said.entry.placement is model.Placement.TIMER:
        option.add(name, 'yes' if said.on else 'no')
    elif said.entry.name in _NAMED:
        option.add(name, switch)
    else:
        option.add_path(path, switch)
    if said.value is None:
        return
    (name, *_), path = _value_spellings(said.entry)
    if said.entry.name in _NAMED:
        option.add(name, said.value)
    else:
        option.add_path(path, said.value)


def write(selection: selections.Selection) -> statement.Writing:
    """Write the options, each on a line of its own."""
    features, clock = _Option(_FEATURES), _Option(_CLOCK)
    # They end up in a domain.
    selection, losses = domain_xml.split(selection)
    if selection.mode is not profiles.Mode.CUSTOM:
        features.add_path(_MODE, selection.mode.value)
    for said in statement.statements(selection):
        timer = said.entry.placement is model.Placement.TIMER
        if _MANGLED.search(said.value or ''):
            losses.append(
                statement.Loss(
                    word=said.word,
                    reason='virt-xml would escape its characters twice',
                )
            )
        else:
            _write(said, clock if timer else features)
    if selection.tsc_frequency is not None:
        clock.add_path(_TSC, str(selection.tsc_frequency))
    texts = [text for text in (features.text(), clock.text()) if text]
    return statement.Writing(
        text='\n'.join(texts),
        losses=tuple(losses),
        notes=(
            ('virt-xml takes one of these options at a time.',)
            if len(texts) > 1
            else ()
        ),
    )
