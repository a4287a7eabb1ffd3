# SPDX-License-Identifier: Apache-2.0

"""Renders what an audit can find, so that it is written down once.

* ``.. findings::`` gives each kind of finding a section.
* ``.. findings-table::`` gives each a row.
"""

import catalogue

from nova_hyperv_enlight.fleet import findings


def label(code):
    return f'finding-{code}'


def cure(kind):
    """Say what can be done, and what ``domain apply`` does of it."""
    if kind.fix is None:
        return f'{kind.cure} No change of its XML cures it.'
    return f'{kind.cure} ``domain apply --fix {kind.code}`` does it.'


def section(kind):
    """Yield the lines of a kind's section."""
    yield from (f'.. _{label(kind.code)}:', '')
    yield from (kind.code, '~' * len(kind.code), '')
    yield from (f'{kind.title}.', '')
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
            ('Code', 'Meaning', 'Cured by ``--fix``'),
            [
                (
                    f':ref:`{kind.code} <{label(kind.code)}>`',
                    kind.title,
                    'yes' if kind.fix else 'no',
                )
                for kind in findings.KINDS.values()
            ],
        )


def setup(app):
    app.add_directive('findings', Findings)
    app.add_directive('findings-table', FindingsTable)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
