# SPDX-License-Identifier: Apache-2.0

from benchmarks.exits import results
from tests.unit import base


def result(set_name, way, taken, exits, run=1, operation='read the clock'):
    return results.Result(
        set_name=set_name,
        run=run,
        operation=operation,
        way=way,
        taken=taken,
        count=1000,
        exits=exits,
        details={},
    )


FOUND = [
    result('none', 'PM timer', True, 1000),
    result('none', 'RTC', True, 4002, operation='take a tick'),
    result('minimal', 'PM timer', False, 1000),
    result('minimal', 'page', True, -1),
    result('minimal', 'RTC', True, 4012, operation='take a tick'),
]

TAKEN = """\
============== ==== =======
Operation      none minimal
============== ==== =======
read the clock 1.00 0.00
take a tick    4.00 4.01
============== ==== ======="""

WAYS = """\
============== ======== ===== =======
Operation      Way      none  minimal
============== ======== ===== =======
read the clock PM timer 1.00* 1.00
read the clock page     -     0.00*
take a tick    RTC      4.00* 4.01*
============== ======== ===== ======="""


class ResultsTestCase(base.TestCase):
    """The tables."""

    def test_taken_has_a_row_for_each_operation(self):
        self.assertEqual(TAKEN, results.render(results.taken(FOUND)))

    def test_ways_has_a_row_for_each_way(self):
        self.assertEqual(WAYS, results.render(results.ways(FOUND)))

    def test_cell_is_the_median_of_all_runs(self):
        found = [
            result('none', 'RTC', True, exits, run)
            for run, exits in enumerate((4010, 9000, 4000))
        ]

        self.assertEqual('4.01', results.taken(found)[1][1])

    def test_spread_is_that_of_the_worst_phase(self):
        found = [
            *FOUND,
            result('none', 'PM timer', True, 1000, 2),
            result('minimal', 'page', True, 9, 2),
        ]

        apart, where = results.spread(found)

        self.assertAlmostEqual(0.01, apart)
        self.assertEqual('page', where.way)
