# SPDX-License-Identifier: Apache-2.0

"""The verdict on two runs of Nova's own tests."""

import ddt
import testtools

from tests.nova_own import compare


@ddt.ddt
class CompareTestCase(testtools.TestCase):
    """One test, by how it ended with stock and with ours."""

    @ddt.data(
        # stock, ours, an exception; what the test counts as
        ('passed', 'passed', False, set()),
        ('passed', 'failed', False, {'worse'}),
        ('passed', 'skipped', False, {'worse'}),
        ('passed', None, False, {'worse'}),
        ('passed', 'failed', True, {'excused'}),
        ('passed', 'passed', True, {'stale'}),
        ('failed', 'failed', False, {'broken'}),
        ('failed', 'passed', False, {'broken'}),
        ('failed', 'failed', True, {'broken', 'stale'}),
        ('skipped', 'skipped', False, set()),
        ('skipped', 'skipped', True, {'stale'}),
        # Not selected: nothing is known of it.
        (None, None, True, set()),
    )
    @ddt.unpack
    def test_counted(self, stock, ours, exception, expected):
        found = compare.compare(
            {'a': stock} if stock else {},
            {'a': ours} if ours else {},
            {'a'} if exception else (),
        )

        counted = {
            name
            for name in ('excused', 'worse', 'stale', 'broken')
            if getattr(found, name)
        }
        self.assertEqual(expected, counted)
        self.assertIs(not expected & {'worse', 'stale'}, found.is_fine)

    def test_tests_are_told_apart(self):
        found = compare.compare(
            {'a': 'passed', 'b': 'passed', 'c': 'passed'},
            {'a': 'passed', 'b': 'failed', 'c': 'failed'},
            {'c'},
        )

        self.assertEqual({'a'}, found.passed)
        self.assertEqual({'b'}, found.worse)
        self.assertEqual({'c'}, found.excused)
