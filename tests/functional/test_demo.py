# SPDX-License-Identifier: Apache-2.0

import testtools

from tests.fixtures import demo
from tests.fixtures import releases


class FakeDemoTestCase(testtools.TestCase):
    """``make demo`` without system packages."""

    @testtools.skipIf(releases.NO_API, releases.NO_API)
    def test_prints_what_is_recorded(self):
        self.assertEqual(
            demo.anywhere(demo.recorded('fake')),
            demo.anywhere(demo.run('fake')),
        )
