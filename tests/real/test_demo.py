# SPDX-License-Identifier: Apache-2.0

import testtools

from tests.fixtures import demo
from tests.real import kvm


class DemoTestCase(testtools.TestCase):
    """``make demo`` where the KVM does not emulate Hyper-V."""

    def test_prints_what_is_recorded(self):
        if kvm.missing():
            self.skipTest(f'this machine has no KVM: {kvm.missing()}')
        if kvm.emulates_hyperv():
            self.skipTest('the KVM of this machine emulates Hyper-V')

        self.assertEqual(
            demo.anywhere(demo.recorded('plain')),
            demo.anywhere(demo.run('plain')),
        )
