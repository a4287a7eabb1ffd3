# SPDX-License-Identifier: Apache-2.0

"""Renders what releases of Windows do with each enlightenment.

``.. windows-matrix::`` gives each enlightenment a row and each release a
column, and the statements of ``windows.yaml`` below. The first word of a cell
is its style's name, too.
"""

import pathlib

import catalogue
import yaml

from nova_hyperv_enlight.catalogue import enlightenments

DATA = pathlib.Path(__file__).with_name('windows.yaml')
#: What a release can do with an enlightenment: the first word of a value.
KINDS = ('uses', 'given', 'ignores', 'harmful', 'unknown')
UNKNOWN = KINDS[-1]


def read():
    """Return the data."""
    return yaml.safe_load(DATA.read_text(encoding='utf-8'))


def label(number):
    return f'windows-statement-{number}'


def cell(data, name, release):
    """Say what a release does with an enlightenment, and who says so."""
    value, numbers = UNKNOWN, []
    for number, statement in enumerate(data['statements'], 1):
        if name in statement['names'] and release in statement['releases']:
            value = statement['value']
            numbers.append(f':ref:`{number} <{label(number)}>`')
    kind = value.partition(' ')[0]
    return f':{kind}:`{value}` {", ".join(numbers)}'.strip()


class WindowsMatrix(catalogue.CatalogueDirective):
    """A row for each enlightenment, and the statements."""

    def lines(self):
        data = read()
        for kind in KINDS:
            yield from (f'.. role:: {kind}', f'   :class: cell-{kind}', '')
        yield from catalogue.table(
            'Windows releases and enlightenments',
            ('Enlightenment', *data['releases']),
            [
                (
                    catalogue.link(name),
                    *(cell(data, name, each) for each in data['releases']),
                )
                for name in enlightenments.ENLIGHTENMENTS
            ],
            options=('class: matrix',),
        )
        for number, statement in enumerate(data['statements'], 1):
            yield from (f'.. _{label(number)}:', '')
            releases = ', '.join(statement['releases'])
            if statement['releases'] == data['releases']:
                releases = 'all of these releases'
            yield (
                f'**{number}** {", ".join(statement["names"])} in '
                f'{releases}: {statement["value"]}. '
                f'{statement["text"]} (`{statement["source"]} '
                f'<{statement["url"]}>`__)'
            )
            yield ''


def setup(app):
    app.add_directive('windows-matrix', WindowsMatrix)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
