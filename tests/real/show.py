# SPDX-License-Identifier: Apache-2.0
"""The demonstration's words, laid out for a terminal."""

import itertools
import os
import shutil
import sys
import textwrap

_COLOURS = {'ACTIVE': '32', 'ERROR': '31', 'heading': '1', 'dim': '2'}
_LABEL = 10
_NARROWEST, _WIDEST = 72, 100


def width():
    """How many columns to fill."""
    columns = shutil.get_terminal_size().columns
    return max(_NARROWEST, min(columns, _WIDEST)) - 4


def paint(text, colour):
    """Colour the text where a person looks at it."""
    if colour not in _COLOURS or not sys.stdout.isatty():
        return text
    if os.environ.get('NO_COLOR'):
        return text
    return f'\033[{_COLOURS[colour]}m{text}\033[0m'


def line(text='', colour=None):
    """Write one line."""
    print(f'  {paint(text, colour)}'.rstrip(), flush=True)


def heading(text):
    """Begin a part."""
    line()
    line(text, 'heading')
    line('─' * width(), 'dim')


def paragraph(text):
    """Write a text, wrapped."""
    for part in textwrap.wrap(text, width()):
        line(part)


def row(label, *cells):
    """Write a row of a table: each cell is a text or a list of them."""
    column = (width() - _LABEL) // len(cells) - 2
    texts = [_wrap(cell, column) for cell in cells]
    labels = itertools.chain([label], itertools.repeat(''))
    for name, *parts in zip(labels, *_level(texts)):
        padded = (paint(part.ljust(column), part) for part in parts)
        line(f'{paint(name.ljust(_LABEL), "dim")}{"  ".join(padded)}')


def _wrap(cell, column):
    lines = [cell] if isinstance(cell, str) else cell
    return [
        part for text in lines for part in textwrap.wrap(text, column) or ['']
    ]


def _level(texts):
    """The columns, filled up to the longest."""
    longest = max(map(len, texts))
    return [text + [''] * (longest - len(text)) for text in texts]


def enlightenments(domain):
    """What is in ``<hyperv>``, a line each."""
    found = [
        _describe(child, child.tag)
        for child in domain.iterfind('features/hyperv/*')
    ]
    return found or ['(nothing)']


def clock(domain):
    """What is in ``<clock>``, a line each."""
    element = domain.find('clock')
    if element is None:
        return ['(nothing)']
    return [f'offset {element.get("offset")}'] + [
        _describe(timer, timer.get('name'))
        for timer in element.iterfind('timer')
    ]


def _describe(element, name):
    values = [
        f'{key} {value}'
        for key, value in element.items()
        if key not in ('name', 'state')
    ]
    if element.get('state') == 'off':
        values.insert(0, 'off')
    children = [child.tag for child in element]
    return ' '.join([name, *values, *children])
