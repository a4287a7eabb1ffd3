# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import windows
from tests.unit.catalogue import test_documented


class Extension(test_documented.OtherExtension):
    """The Sphinx extension that renders the matrix."""

    NAME = 'matrix'


@ddt.ddt
class WindowsMatrixTestCase(test_documented.RenderTestCase):
    """What is said of each release has a source."""

    EXTENSION = Extension

    def setUp(self):
        super().setUp()
        self.data = self.extension.read()

    def test_releases(self):
        known = {
            version for each in windows.RELEASES for version in each.versions
        }

        for release in self.data['releases']:
            self.assertIn(release.lower().replace(' ', ''), known)

    def test_statements(self):
        for statement in self.data['statements']:
            self.assertIn(
                statement['value'].split()[0], self.extension.KINDS[:-1]
            )
            self.assertLessEqual(
                set(statement['names']), set(enlightenments.ENLIGHTENMENTS)
            )
            self.assertLessEqual(
                set(statement['releases']), set(self.data['releases'])
            )
            self.assertTrue(statement['url'].startswith('https://'))

    def test_what_is_only_given_is_nothing_that_is_known(self):
        """A statement of what Windows does outweighs what others give."""
        kinds = [each['value'] for each in self.data['statements']]

        given = kinds.count('given')
        self.assertEqual(['given'] * given, kinds[:given])

    def test_each_statement_is_in_the_table(self):
        cells = ' '.join(
            self.extension.cell(self.data, name, release)
            for name in enlightenments.ENLIGHTENMENTS
            for release in self.data['releases']
        )

        for number in range(1, len(self.data['statements']) + 1):
            self.assertIn(f'<{self.extension.label(number)}>', cells)

    @ddt.data(
        (
            'stimer.direct',
            '2016',
            ':uses:`uses with Hyper-V` :ref:`2 <windows-statement-2>`, '
            ':ref:`14 <windows-statement-14>`',
        ),
        ('avic', '2025', ':unknown:`unknown`'),
    )
    @ddt.unpack
    def test_cell(self, name, release, expected):
        self.assertEqual(
            expected, self.extension.cell(self.data, name, release)
        )

    @ddt.data(*enlightenments.ENLIGHTENMENTS)
    def test_row(self, name):
        text = self.render(self.extension.WindowsMatrix)

        self.assertEqual(1, text.count(f'   * - :ref:`{name} <'))
