# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt

from tests.mutants import __main__ as mutants
from tests.mutants import table
from tests.unit import base


class TableTestCase(base.TestCase):
    """The table follows the code; tox -e mutants is run now and then."""

    def test_every_mutant_can_be_applied(self):
        wrong = {
            str(mutant): why
            for mutant in table.MUTANTS
            if (why := mutants.stale(mutant)) is not None
        }

        self.assertEqual({}, wrong, 'Change tests/mutants/table.py, too.')

    def test_each_has_a_name_of_its_own(self):
        names = [str(mutant) for mutant in table.MUTANTS]

        self.assertEqual(sorted(set(names)), sorted(names))


@ddt.ddt
class StaleTestCase(base.TestCase):
    MUTANT = table.Mutant(
        'hooks/noop.py',
        'a class of another name',
        'class NoopHook(',
        'class Other(',
        ('tests.unit.hooks.test_manager',),
    )

    def test_it_can_be_applied(self):
        self.assertIsNone(mutants.stale(self.MUTANT))

    @ddt.data(
        ({'file': 'hooks/none.py'}, 'there is no such file'),
        ({'old': 'class Former('}, 'its old text is there 0 times'),
        ({'old': '\n'}, r'its old text is there \d\d+ times'),
        ({'new': 'class NoopHook('}, 'it changes nothing'),
        (
            {'tests': ('tests.unit.hooks.test_none',)},
            'there is no tests.unit.hooks.test_none',
        ),
        (
            {'tests': ('tests.unit.hooks.test_manager.NoTestCase',)},
            'there is no tests.unit.hooks.test_manager.NoTestCase',
        ),
    )
    @ddt.unpack
    def test_it_cannot(self, changes, why):
        mutant = dataclasses.replace(self.MUTANT, **changes)

        self.assertRegex(mutants.stale(mutant), f'^{why}$')
