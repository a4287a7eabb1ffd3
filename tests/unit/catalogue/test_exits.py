# SPDX-License-Identifier: Apache-2.0

import re

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import exits
from nova_hyperv_enlight.catalogue import profiles
from tests.unit import base
from tests.unit.catalogue import test_documented

PAGE = test_documented.DOC / 'source/admin/exits.rst'


def tables():
    """Return the tables of the page: their rows, the heads first."""
    found, rows, columns = [], None, []
    for line in PAGE.read_text().splitlines():
        if re.fullmatch('=+( =+)+', line):
            if rows is None:
                columns = [m.span() for m in re.finditer('=+', line)]
                rows = []
                found.append(rows)
            elif len(rows) > 1:
                rows = None
        elif rows is not None:
            rows.append(tuple(line[a:b].strip() for a, b in columns))
    return found


def cell(figure):
    return r'\-' if figure is None else f'{figure:.2f}'


class ExitsTestCase(base.TestCase):
    """Holds the figures and the page that explains them together."""

    def test_all_ways(self):
        heads, *rows = tables()[1]

        self.assertEqual(('Operation', 'Way'), heads[:2])
        self.assertEqual(exits.SETS, heads[2:])
        self.assertEqual(
            [
                (operation, way, *map(cell, figures))
                for (operation, way), figures in exits.COUNTED.items()
            ],
            [tuple(text.rstrip('*') for text in row) for row in rows],
        )

    def test_the_ways_that_windows_takes(self):
        """The first table has what has a star in the second one."""
        starred = {}
        for operation, _, *cells in tables()[1][1:]:
            for number, text in enumerate(cells):
                if text.endswith('*'):
                    starred[operation, number] = text.rstrip('*')
        for operation, *cells in tables()[0][1:]:
            for number, text in enumerate(cells):
                self.assertEqual(starred.pop((operation, number)), text)
        self.assertEqual({}, starred)

    def test_what_saves(self):
        names = [saving.name for saving in exits.SAVINGS]

        self.assertEqual(
            [name for name in enlightenments.ENLIGHTENMENTS if name in names],
            names,
        )
        self.assertLessEqual(
            set(names), profiles.PROFILES['baseline'].features
        )

    def test_each_saves_something(self):
        for saving in exits.SAVINGS:
            self.assertGreater(saving.bound(100), 0, saving.name)
