# SPDX-License-Identifier: Apache-2.0

"""Hosts that answer with an error: nothing is raised, nothing is guessed."""

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import probe
from tests.unit.host import connection
from tests.unit.host import kernel
from tests.unit.host import samples

GUEST = ('x86_64', 'q35', 'kvm')


class UnreadableHostTestCase(kernel.KvmTestCase):
    def test_ask_unreadable_sysfs(self):
        facts = kernel.kvm.ask(str(self.device), 'a' * 5000)
        self.assertIsNone(facts.vendor)

    def test_connect_fails(self):
        def connect():
            raise connection.LibvirtError('gone')

        asked = probe.Probe(connect, lambda: samples.LAB_KERNEL)
        self.assertIsNone(asked.capabilities(*GUEST).sources.libvirt)

    def test_old_qemu_with_values_alone(self):
        facts = samples.sources(
            libvirt=(9, 0, 0),
            qemu=(5, 2, 0),
            domcaps=samples.listing('spinlocks', 'vendor_id'),
        )
        self.assertEqual(set(), samples.offered(facts))

    def test_parse_surrogate(self):
        self.assertRaises(
            exception.MalformedDocument,
            domaincaps.parse,
            '<domainCapabilities>\udc80</domainCapabilities>',
        )
