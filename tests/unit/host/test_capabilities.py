# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from tests import sets
from tests.unit import base
from tests.unit.catalogue import facts as known
from tests.unit.host import samples

NAMES = tuple(enlightenments.ENLIGHTENMENTS)
AMD, INTEL = model.Vendor.AMD, model.Vendor.INTEL
W = capabilities.CapabilitySource

# The names of the enumeration of libvirt 9.0, on any host.
LISTED = sets.LISTED


@ddt.ddt
class ConcludeTestCase(samples.OfferTestCase):
    """All names at once."""

    def test_conclude_keeps_witnesses(self):
        facts = samples.sources('amd-libvirt9.0-qemu7.2-lab-pc')
        self.assertIs(facts, evaluation.evaluate(facts).sources)

    @ddt.data(*samples.RELEASES)
    def test_conclude_offers_every_name_in_order(self, document):
        features = evaluation.evaluate(samples.sources(document)).features
        self.assertEqual(NAMES, tuple(features))
        self.assertEqual(NAMES, tuple(o.name for o in features.values()))

    @ddt.data(*samples.RELEASES)
    def test_conclude_evidence_reads_after_a_name(self, document):
        features = evaluation.evaluate(samples.sources(document)).features
        for capability in features.values():
            self.assertRegex(capability.evidence, r'\A[A-Za-z].*[^.\s]\Z')

    @ddt.data((9, 0, 0), (12, 4, 0))
    def test_conclude_document_missing(self, libvirt):
        # Releases do not stand in for a document that should be there.
        facts = samples.sources(libvirt=libvirt, qemu=(11, 0, 0))
        self.assertEqual(set(), samples.offered(facts))

    def test_conclude_document_missing_and_the_kernel_knows(self):
        facts = samples.sources(
            None,
            samples.kernel_facts(INTEL),
            libvirt=(12, 4, 0),
            qemu=(10, 1, 0),
            tsc_frequency=1,
        )
        values = {'spinlocks', 'vendor_id'}
        self.assertEqual(
            known.names_of('12.4.0', '10.1.0') - values,
            samples.offered(facts) - values,
        )

    def test_conclude_nothing_known(self):
        facts = samples.sources()
        features = evaluation.evaluate(facts).features.values()
        self.assertEqual(
            {None}, {capability.offered for capability in features}
        )
        self.assertEqual(
            {W.NONE}, {capability.source for capability in features}
        )

    def test_conclude_nothing_known_evidence(self):
        self.check_capability(
            samples.sources(),
            'synic',
            None,
            W.NONE,
            'no source says whether the host has it',
        )


@ddt.ddt
class HostsTestCase(samples.OfferTestCase):
    """Whole hosts: what each of them offers."""

    @ddt.data('pc', 'q35')
    def test_machine_without_hyperv(self, machine):
        facts = samples.sources(
            f'amd-libvirt9.0-qemu7.2-machine-{machine}', samples.MACHINE_KERNEL
        )
        self.assertEqual(set(), samples.offered(facts))

    def test_machine_whose_kernel_cannot_be_asked(self):
        # spinlocks and vendor_id alone prove nothing.
        facts = samples.sources('amd-libvirt9.0-qemu7.2-machine-pc')
        self.assertEqual(set(), samples.offered(facts))

    @ddt.data('pc', 'q35')
    def test_lab(self, machine):
        # avic=N, and the TSC frequency is not asked.
        facts = samples.sources(
            f'amd-libvirt9.0-qemu7.2-lab-{machine}', samples.LAB_KERNEL
        )
        expected = {*LISTED, 'stimer.direct', 'hypervclock'}
        self.assertEqual(
            expected - {'reenlightenment'}, samples.offered(facts)
        )

    def test_lab_whose_kernel_cannot_be_asked(self):
        facts = samples.sources('amd-libvirt9.0-qemu7.2-lab-pc')
        expected = {*LISTED, 'stimer.direct', 'hypervclock'}
        self.assertEqual(
            expected - {'reenlightenment'}, samples.offered(facts)
        )

    def test_lab_with_tsc_frequency(self):
        facts = samples.sources(
            'amd-libvirt9.0-qemu7.2-lab-pc',
            samples.LAB_KERNEL,
            tsc_frequency=2794748000,
        )
        self.assertIn('reenlightenment', samples.offered(facts))

    # With libvirt's enumeration, and without.
    @ddt.data('9.0-qemu6.1', '8.0-qemu6.2')
    def test_intel_nested(self, releases):
        facts = samples.sources(
            f'intel-libvirt{releases}-composed',
            samples.kernel_facts(INTEL),
            tsc_frequency=1,
        )
        self.assertEqual(
            {*LISTED, 'evmcs', 'stimer.direct', 'hypervclock'},
            samples.offered(facts),
        )

    def test_amd_newest(self):
        facts = samples.sources(
            'amd-libvirt12.8-qemu11.1-lab-pc',
            samples.kernel_facts(AMD),
            tsc_frequency=1,
        )
        self.assertEqual(
            known.names_of('12.0.0', '11.0.0') - {'evmcs'},
            samples.offered(facts),
        )

    def test_intel_newest(self):
        facts = samples.sources(
            'intel-libvirt12.4-qemu10.1-composed',
            samples.kernel_facts(INTEL),
            tsc_frequency=1,
        )
        self.assertEqual(
            known.names_of('12.4.0', '10.1.0'), samples.offered(facts)
        )

    def test_intel_newest_whose_kernel_cannot_be_asked(self):
        # Whether interrupts get help, only sysfs tells.
        facts = samples.sources(
            'intel-libvirt12.4-qemu10.1-composed', tsc_frequency=1
        )
        self.assertEqual(
            known.names_of('12.4.0', '10.1.0') - {'avic'},
            samples.offered(facts),
        )


@ddt.ddt
class VirtTypeTestCase(samples.OfferTestCase):
    """Guests that no host could give anything."""

    @ddt.data('qemu', 'lxc', 'parallels', '')
    def test_virt_type(self, virt_type):
        facts = samples.sources(
            'amd-libvirt9.0-qemu7.2-lab-pc',
            samples.LAB_KERNEL,
            virt_type=virt_type,
        )
        self.assertEqual(set(), samples.offered(facts))
        self.check_capability(
            facts,
            'relaxed',
            False,
            W.VIRT_TYPE,
            f'only KVM emulates Hyper-V, and virt_type is {virt_type}',
        )

    @ddt.data('aarch64', 'ppc64le', 's390x', 'riscv64')
    def test_arch(self, arch):
        facts = samples.sources(
            'amd-libvirt9.0-qemu7.2-lab-pc', samples.LAB_KERNEL, arch=arch
        )
        self.assertEqual(set(), samples.offered(facts))
        self.check_capability(
            facts,
            'relaxed',
            False,
            W.VIRT_TYPE,
            f'Hyper-V is emulated for x86 only, and the guest is {arch}',
        )

    @ddt.data('x86_64', 'i686')
    def test_arch_x86(self, arch):
        facts = samples.sources(
            'amd-libvirt9.0-qemu7.2-lab-pc', samples.LAB_KERNEL, arch=arch
        )
        self.assertIn('relaxed', samples.offered(facts))


class WitnessesTestCase(base.TestCase):
    """The vendor, from whoever knows."""

    def test_vendor_of_the_kernel(self):
        facts = samples.sources(
            kernel=kvm.KernelFacts(vendor=AMD),
            domcaps=domaincaps.DomainCapabilities(vendor=INTEL),
        )
        self.assertIs(AMD, facts.vendor)

    def test_vendor_of_the_document(self):
        facts = samples.sources(
            domcaps=domaincaps.DomainCapabilities(vendor=INTEL)
        )
        self.assertIs(INTEL, facts.vendor)

    def test_vendor_unknown(self):
        self.assertIsNone(samples.sources().vendor)
