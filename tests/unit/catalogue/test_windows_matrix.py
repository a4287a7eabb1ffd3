# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import windows
from tests.unit.catalogue import test_documented

_KINDS = ('uses', 'ignores', 'harmful')


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
            self.assertIn(statement['value'].split()[0], _KINDS)
            self.assertLessEqual(
                set(statement['names']), set(enlightenments.ENLIGHTENMENTS)
            )
            self.assertLessEqual(
                set(statement['releases']), set(self.data['releases'])
            )
            self.assertTrue(statement['url'].startswith('https://'))

    def test_given(self):
        for each in self.data['given']:
            self.assertLessEqual(
                set(each['names']), set(enlightenments.ENLIGHTENMENTS)
            )

    @ddt.data(
        ('stimer', '2019', 'uses :ref:`3 <windows-statement-3>`'),
        ('vapic', '2025', 'unknown'),
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
