# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from nova_hyperv_enlight.host import probe
from tests.unit import base
from tests.unit.host import connection
from tests.unit.host import samples

DOCUMENT = 'amd-libvirt9.0-qemu7.2-lab-q35'


@ddt.ddt
class GuestWitnessTestCase(base.TestCase):
    """What a guest was given and is not shown."""

    def features(self, kernel=samples.LAB_KERNEL, **kwargs):
        facts = samples.sources(DOCUMENT, kernel, **kwargs)
        return evaluation.evaluate(facts).features

    @ddt.data('relaxed', 'synic', 'spinlocks', 'hypervclock', 'stimer.direct')
    def test_not_shown(self, name):
        before, after = (
            self.features(),
            self.features(not_shown=frozenset([name])),
        )

        self.assertIs(True, before[name].offered)
        self.assertEqual(
            capabilities.Capability(
                name=name,
                offered=False,
                source=capabilities.CapabilitySource.GUEST,
                evidence='not shown to a guest on this host',
            ),
            after[name],
        )
        self.assertEqual(
            {
                key: capability
                for key, capability in before.items()
                if key != name
            },
            {
                key: capability
                for key, capability in after.items()
                if key != name
            },
        )

    def test_the_kernel_speaks_first(self):
        features = self.features(
            samples.MACHINE_KERNEL,
            not_shown=frozenset(enlightenments.ENLIGHTENMENTS),
        )

        self.assertEqual(
            {capabilities.CapabilitySource.KVM},
            {capability.source for capability in features.values()},
        )

    def test_heed(self):
        libvirt = connection.Connection()
        source = probe.Probe(lambda: libvirt, lambda: samples.LAB_KERNEL)
        before = source.capabilities('x86_64', 'q35', 'kvm')

        source.exclude(frozenset(['synic']))

        # Also what had been asked before.
        for machine in ('q35', 'pc'):
            after = source.capabilities('x86_64', machine, 'kvm').features
            self.assertIs(True, before.features['synic'].offered)
            self.assertIs(False, after['synic'].offered)
            self.assertIs(True, after['vpindex'].offered)


class MicrocodeTestCase(base.TestCase):
    def read(self, content=None):
        sysfs = self.make_dir()
        if content is not None:
            path = sysfs / 'devices/system/cpu/cpu0/microcode'
            path.mkdir(parents=True)
            (path / 'version').write_bytes(content)
        return kvm.microcode(str(sysfs))

    def test_microcode(self):
        self.assertEqual('0xa20102b', self.read(b'0xa20102b\n'))

    def test_no_microcode(self):
        self.assertIsNone(self.read())
        self.assertIsNone(self.read(b'\xff'))
