# SPDX-License-Identifier: Apache-2.0

"""Our own names: ``relaxed vapic spinlocks.retries=8191 hypervclock``.

Words that spaces or commas part, quoted as in a shell. ``NAME`` or
``NAME=on``, ``NAME=off``, and ``NAME.ATTRIBUTE=VALUE`` as in flavors, which
turns NAME on; beside them ``mode=MODE`` and ``tsc.frequency=HZ``.
"""

import shlex

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import parsing
from nova_hyperv_enlight.notation import shell
from nova_hyperv_enlight.notation import statement

NAME = 'names'

# Nova writes the stock list.
_MODES = tuple(
    mode.value for mode in profiles.Mode if mode is not profiles.Mode.STOCK
)
_KEYS = (
    *enlightenments.ENLIGHTENMENTS,
    *enlightenments.VALUES,
    statement.MODE,
    statement.TSC_FREQUENCY,
)


def _words(text: str) -> list[str]:
    # No value has a comma.
    return [
        word
        for words in shell.split(text, NAME)
        for word in words.split(',')
        if word
    ]


def recognises(text: str) -> bool:
    """Whether a text looks like this notation."""
    try:
        words = _words(text)
    except exception.MalformedDocument:
        return False
    return bool(words) and all(
        word.partition('=')[0] in _KEYS for word in words
    )


def read(text: str) -> statement.Reading:
    """Read a text.

    :raises MalformedDocument: a word that is not known, or a value that is
        not allowed.
    """
    collector = statement.Collector(NAME)
    for word in _words(text):
        key, equals, value = word.partition('=')
        if key in enlightenments.ENLIGHTENMENTS:
            state = value if equals else 'on'
            if state not in statement.STATES:
                raise collector.error(
                    f'{statement.quote(word)} is not valid: allowed are on '
                    'and off'
                )
            collector.switch(key, statement.STATES[state])
        elif key in enlightenments.VALUES:
            name = enlightenments.VALUES[key].name
            collector.switch(name, True)
            collector.give(name, value)
        elif key == statement.MODE and value in _MODES:
            collector.mode = profiles.Mode(value)
        elif (
            key == statement.TSC_FREQUENCY
            and parsing.number(value) is not None
        ):
            collector.tsc_frequency = parsing.number(value)
        else:
            raise collector.error(
                f'{statement.quote(word)} is not known; there are '
                f'{", ".join(_KEYS)}'
            )
    for entry in enlightenments.VALUES.values():
        collector.default(entry.name, enlightenments.default_value(entry.name))
    selection = collector.selection()
    if collector.tsc_frequency != selection.tsc_frequency:
        raise collector.error(
            f'{statement.TSC_FREQUENCY!r} goes with an enlightenment that '
            'needs it, reenlightenment'
        )
    return statement.Reading(selection=selection)


def words(selection: selections.Selection) -> list[str]:
    """Return a selection word by word, in the catalogue's order."""
    return [
        *(said.word for said in statement.statements(selection)),
        *statement.extras(selection),
    ]


def write(selection: selections.Selection) -> statement.Writing:
    """Write a selection; nothing of it is lost."""
    return statement.Writing(text=shlex.join(words(selection)))
