# SPDX-License-Identifier: Apache-2.0

"""Reads the operator's own profiles from a YAML file."""

import re
import reprlib
import typing

import yaml

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception

# A guest's record holds the name, and has room for no more.
_NAME = '[A-Za-z0-9._-]{1,32}'
_KEYS = ('extends', 'on', 'off', 'values', 'summary')
_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2


class _Loader(yaml.BaseLoader):
    """Reads every scalar as the text that it is, and keeps lines.

    YAML's own idea of types would make 0123 another number, and on, off and
    yes booleans. A key that is given twice is refused.
    """


class _Mapping(dict[str, typing.Any]):
    """A YAML mapping with the line of each of its keys.

    :ivar lines: line numbers by key, counted from 1.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> _Mapping:
    mapping = _Mapping()
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f'{key!r} is not a name', key_node.start_mark
            )
        if key in mapping:
            raise yaml.constructor.ConstructorError(
                None, None, f'{key!r} is there twice', key_node.start_mark
            )
        mapping[key] = loader.construct_object(value_node, deep=True)
        mapping.lines[key] = line
    return mapping


_Loader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping
)


def _text(item: typing.Any) -> str:
    """Return a scalar's text; an empty one, which is nothing, for a tree.

    A tree of aliases is small, and its text may fill the memory.
    """
    return item if isinstance(item, str) else ''


def _shown(item: typing.Any) -> str:
    """Return what stands for an item in messages."""
    return repr(item) if isinstance(item, str) else _SHORT.repr(item)


class _File:
    """The profiles of one file, while they are read."""

    def __init__(self, path: str, document: typing.Any) -> None:
        self._path = path
        self._read: dict[str, profiles.Profile] = {}
        self._reading: list[str] = []
        if document is None:
            document = _Mapping()
        if not isinstance(document, _Mapping):
            raise self._error(1, 'the file is not a mapping of profiles')
        self._document = document

    def read(self) -> dict[str, profiles.Profile]:
        for name in self._document:
            self._profile(name)
        return self._read

    def _error(self, line: int, reason: str) -> exception.InvalidOption:
        return exception.InvalidOption(
            option='profiles_file',
            reason=f'{self._path}, line {line}: {reason}',
        )

    def _profile(self, name: str) -> profiles.Profile:
        if name in self._read:
            return self._read[name]
        line = self._document.lines[name]
        if not re.fullmatch(_NAME, name):
            raise self._error(
                line,
                f'{name!r} cannot be the name of a profile: 1 to 32 letters, '
                'digits, dots, dashes and underscores',
            )
        if name in profiles.PROFILES:
            raise self._error(line, f'{name!r} is a built-in profile')
        if name in self._reading:
            circle = ' -> '.join([*self._reading, name])
            raise self._error(line, f'profiles extend each other: {circle}')
        body = self._document[name]
        if not isinstance(body, _Mapping):
            raise self._error(line, f'profile {name!r} is not a mapping')
        for key in body:
            if key not in _KEYS:
                raise self._error(
                    body.lines[key],
                    f'profile {name!r}: {key!r} is not known; allowed are '
                    f'{", ".join(_KEYS)}',
                )
        self._reading.append(name)
        profile = self._build(name, line, body)
        self._reading.pop()
        self._read[name] = profile
        return profile

    def _build(self, name: str, line: int, body: _Mapping) -> profiles.Profile:
        base = self._base(name, body)
        on, off = self._names(name, body, 'on'), self._names(name, body, 'off')
        both = sorted(on & off)
        if both:
            raise self._error(
                line, f'profile {name!r} has {both[0]!r} both on and off'
            )
        features = (base.features | on) - off
        self._check_closed(name, line, features)
        values = dict(base.values) | self._values(name, body)
        return profiles.Profile(
            name=name,
            features=features,
            values=tuple(sorted(values.items())),
            summary=self._summary(name, line, body),
        )

    def _summary(self, name: str, line: int, body: _Mapping) -> str:
        summary = body.get('summary', f'{self._path}, line {line}.')
        if not isinstance(summary, str):
            raise self._error(
                body.lines['summary'],
                f'profile {name!r}: summary is not a text',
            )
        return summary

    def _base(self, name: str, body: _Mapping) -> profiles.Profile:
        extends = body.get('extends', 'none')
        line = body.lines.get('extends', 0)
        base = None
        if isinstance(extends, str):
            if extends in self._document:
                return self._profile(extends)
            base = profiles.PROFILES.get(extends)
        if base is None:
            known = [*profiles.PROFILES, *self._document]
            raise self._error(
                line,
                f'profile {name!r} extends {_shown(extends)}, which is not a '
                f'profile; there are {", ".join(known)}',
            )
        if base.mode is not profiles.Mode.CUSTOM:
            raise self._error(
                line,
                f'profile {name!r} extends {extends!r}, which is not a set '
                'of names',
            )
        return base

    def _names(self, name: str, body: _Mapping, key: str) -> frozenset[str]:
        listed = body.get(key) or []
        line = body.lines.get(key, 0)
        if not isinstance(listed, list):
            raise self._error(line, f'profile {name!r}: {key} is not a list')
        for item in listed:
            known = isinstance(item, str) and (
                item in enlightenments.ENLIGHTENMENTS
            )
            if not known:
                raise self._error(
                    line,
                    f'profile {name!r}: {key}: {_shown(item)} is not an '
                    'enlightenment; there are '
                    f'{", ".join(enlightenments.ENLIGHTENMENTS)}',
                )
        return frozenset(listed)

    def _values(self, name: str, body: _Mapping) -> dict[str, str]:
        given = body.get('values') or _Mapping()
        if not isinstance(given, _Mapping):
            raise self._error(
                body.lines['values'],
                f'profile {name!r}: values is not a mapping',
            )
        checked = {}
        for key, value in given.items():
            carrier = enlightenments.VALUES.get(key)
            if carrier is None or carrier.value is None:
                raise self._error(
                    given.lines[key],
                    f'profile {name!r}: values: {key!r} is not known; '
                    f'allowed are {", ".join(enlightenments.VALUES)}',
                )
            try:
                checked[key] = carrier.value.check(_text(value))
            except ValueError as err:
                raise self._error(
                    given.lines[key],
                    f'profile {name!r}: {key}: {_shown(value)} is not valid: '
                    f'allowed is {err}',
                ) from err
        return checked

    def _check_closed(
        self, name: str, line: int, features: frozenset[str]
    ) -> None:
        for member, needed in graph.unmet(features).items():
            raise self._error(
                line,
                f'profile {name!r}: {member!r} requires {needed[0]!r}, which '
                'is not on',
            )


def parse(text: str, path: str) -> dict[str, profiles.Profile]:
    """Read profiles from YAML.

    :param text: the YAML.
    :param path: where it is from, for messages.
    :returns: the profiles by name.
    :raises InvalidOption: with the line, the name and what is wrong.
    """
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 # nosec B506
    except (yaml.YAMLError, ValueError) as err:
        raise exception.InvalidOption(
            option='profiles_file', reason=f'{path}: {err}'
        ) from err
    except RecursionError as err:
        raise exception.InvalidOption(
            option='profiles_file', reason=f'{path}: it is nested too deep'
        ) from err
    return _File(path, document).read()


def load(path: str) -> dict[str, profiles.Profile]:
    """Read profiles from a file; see :func:`parse`.

    :raises InvalidOption: the file cannot be read, or as :func:`parse`.
    """
    try:
        with open(path, encoding='utf-8') as stream:
            text = stream.read()
    except (OSError, ValueError) as err:
        raise exception.InvalidOption(
            option='profiles_file', reason=f'{path}: {err}'
        ) from err
    return parse(text, path)
