# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import report
from tests.unit import base
from tests.unit.guest import machine

WHOLE = machine.text_of(machine.KVM).encode()


@ddt.ddt
class ReadTestCase(base.TestCase):
    def test_whole(self):
        leaves = report.read(WHOLE)

        self.assertEqual(set(report.LEAVES), set(leaves))

    @ddt.data(
        (b'', '0 leaves and no end'),
        (WHOLE[:-6], 'and no end'),
        (WHOLE.partition(b'\n')[2], 'lacks the leaves 0x1'),
        (b'A' * (report.MAX_BYTES + 1), 'not a report'),
    )
    @ddt.unpack
    def test_not_whole(self, received, text):
        error = self.assertRaises(exception.GuestFailed, report.read, received)

        self.assertIn(text, str(error))
