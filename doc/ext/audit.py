# SPDX-License-Identifier: Apache-2.0

"""Renders what an audit can find, so that it is written down once.

* ``.. findings::`` gives each kind of finding a section.
* ``.. findings-table::`` gives each a row.
* ``.. severities-table::`` gives each severity a row.
"""

import catalogue

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.domains import findings


def label(code):
    return f'finding-{code}'


def cure(kind):
    """Say what can be done, and what ``domain apply`` does of it."""
    if kind.fix is None:
        return f'{kind.cure} No change of its XML cures it.'
    return f'{kind.cure} ``domain apply --fix {kind.code}`` does it.'


def severity(kind):
    """Say how bad it is."""
    if kind.severity is None:
        return 'that of the enlightenment'
    return f'``{kind.severity.word}``'


def absent(level):
    """Name the enlightenments whose absence is that bad."""
    known = enlightenments.ENLIGHTENMENTS.items()
    names = [f'``{name}``' for name, entry in known if entry.severity is level]
    return ', '.join(names) or 'none'


def section(kind):
    """Yield the lines of a kind's section."""
    yield from (f'.. _{label(kind.code)}:', '')
    yield from (kind.code, '~' * len(kind.code), '')
    yield from (f'{kind.title}.', '')
    yield f':Severity: {severity(kind)}'
    yield f':Cause: {kind.cause}'
    yield f':Cure: {cure(kind)}'
    yield ''


class Findings(catalogue.CatalogueDirective):
    """A section for each kind of finding."""

    def lines(self):
        for kind in findings.KINDS.values():
            yield from section(kind)


class FindingsTable(catalogue.CatalogueDirective):
    """A row for each kind of finding."""

    def lines(self):
        return catalogue.table(
            'Findings',
            ('Code', 'Meaning', 'Severity', 'Cured by ``--fix``'),
            [
                (
                    f':ref:`{kind.code} <{label(kind.code)}>`',
                    kind.title,
                    severity(kind),
                    'yes' if kind.fix else 'no',
                )
                for kind in findings.KINDS.values()
            ],
        )


class SeveritiesTable(catalogue.CatalogueDirective):
    """A row for each severity: what it means, and whose absence has it."""

    def lines(self):
        return catalogue.table(
            'Severities, the worst first',
            ('Severity', 'Meaning', 'Where an enlightenment is missing'),
            [
                (f'``{level.word}``', level.text, absent(level))
                for level in model.Severity
            ],
        )


def setup(app):
    app.add_directive('findings', Findings)
    app.add_directive('findings-table', FindingsTable)
    app.add_directive('severities-table', SeveritiesTable)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
