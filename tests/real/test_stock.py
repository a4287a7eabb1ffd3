# SPDX-License-Identifier: Apache-2.0
"""What Nova's own driver does on this machine."""

from tests.real import base
from tests.real import kvm


class StockOnKVMTest(base.RealTestCase):
    """Nova's own driver, virt_type=kvm.

    :cvar FAULT: what QEMU says where it cannot be shown a Hyper-V
    """

    FAULT = "kernel doesn't allow setting HyperV VP_INDEX"

    def setUp(self):
        super().setUp()
        self.start_host()

    def has_hyperv(self):
        """Whether a guest of this virt_type can be shown a Hyper-V."""
        return kvm.emulates_hyperv()

    def test_linux_is_active(self):
        server = self.boot({'os_type': 'linux'})

        domain = self.domain_xml(server)
        self.assertEqual(self.VIRT_TYPE, domain.get('type'))
        self.assertIsNone(domain.find('features/hyperv'))

    def test_linux_document_is_reproducible(self):
        # what the plugin's tests compare with is really Nova's document
        self.assertStockXML(self.boot({'os_type': 'linux'}))

    def test_windows_depends_on_the_kvm(self):
        if self.has_hyperv():
            server = self.boot({'os_type': 'windows'})
            hyperv = self.domain_xml(server).find('features/hyperv')
            self.assertEqual('on', hyperv.find('vpindex').get('state'))
            return

        server = self.boot({'os_type': 'windows'}, expected_state='ERROR')
        self.assertIn(self.FAULT, server['fault']['message'])


class StockOnQEMUTest(StockOnKVMTest):
    """Nova's own driver, virt_type=qemu."""

    VIRT_TYPE = 'qemu'

    def has_hyperv(self):
        # From QEMU 10 on (measured with 10.0; 7.2 does not) its emulator
        # starts with the flags, and shows the guest nothing of them.
        return self.qemu_version() >= (10, 0)
