# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from tests.unit.catalogue import facts as known
from tests.unit.host import samples

NAMES = tuple(enlightenments.ENLIGHTENMENTS)
AMD = model.Vendor.AMD
W = capabilities.CapabilitySource
NEW = {'libvirt': (12, 1, 0), 'qemu': (11, 0, 0)}


@ddt.ddt
class KernelTestCase(samples.OfferTestCase):
    """The kernel rules out."""

    @ddt.data(*NAMES)
    def test_kernel_without_hyperv(self, name):
        facts = samples.sources(
            'intel-libvirt12.4-qemu10.1-composed',
            kvm.KernelFacts(hyperv=False, time=False),
        )
        self.check_capability(
            facts,
            name,
            False,
            W.KVM,
            "the host's KVM does not emulate Hyper-V (KVM_CAP_HYPERV is 0)",
        )

    def test_kernel_without_time(self):
        facts = samples.sources(
            'intel-libvirt12.4-qemu10.1-composed',
            samples.kernel_facts(time=False),
        )
        self.check_capability(
            facts,
            'hypervclock',
            False,
            W.KVM,
            "the host's KVM has no reference clock (KVM_CAP_HYPERV_TIME is 0)",
        )

    def test_kernel_without_time_has_the_others(self):
        facts = samples.sources(
            'intel-libvirt12.4-qemu10.1-composed',
            samples.kernel_facts(time=False),
            tsc_frequency=1,
        )
        self.assertEqual(
            known.names_of('12.4.0', '10.1.0') - {'hypervclock'},
            samples.offered(facts),
        )

    @ddt.unpack
    @ddt.data(
        ('relaxed', 'CPUID 0x40000004 EAX 0x20'),
        ('synic', 'CPUID 0x40000003 EAX 0x4'),
        ('hypervclock', 'CPUID 0x40000003 EAX 0x202'),
        ('stimer.direct', 'CPUID 0x40000003 EDX 0x80000'),
        ('xmm_input', 'CPUID 0x40000003 EDX 0x10'),
        ('tlbflush.extended', 'CPUID 0x40000003 EDX 0x4000'),
        ('emsr_bitmap', 'CPUID 0x4000000a EAX 0x80000'),
    )
    def test_kernel_lacks_bits(self, name, bits):
        facts = samples.sources(
            'amd-libvirt12.8-qemu11.1-lab-pc',
            samples.kernel_facts(AMD, without=[name]),
        )
        self.check_capability(
            facts,
            name,
            False,
            W.KVM,
            f"the host's KVM does not support {bits}",
        )

    def test_kernel_lacks_one_of_two_bits(self):
        facts = samples.kernel_facts(AMD)
        # frequencies shows two, in two registers.
        facts.leaves[0x40000003][model.Register.EDX] &= ~(1 << 8)
        self.check_capability(
            samples.sources('amd-libvirt12.8-qemu11.1-lab-pc', facts),
            'frequencies',
            False,
            W.KVM,
            "the host's KVM does not support CPUID 0x40000003 EDX 0x100",
        )

    def test_kernel_lacks_one_of_two_bits_of_a_register(self):
        facts = samples.kernel_facts(AMD)
        facts.leaves[0x40000004][model.Register.EAX] &= ~(1 << 11)
        self.check_capability(
            samples.sources('amd-libvirt12.8-qemu11.1-lab-pc', facts),
            'tlbflush',
            False,
            W.KVM,
            "the host's KVM does not support CPUID 0x40000004 EAX 0x804",
        )

    def test_kernel_answers_with_nothing(self):
        facts = samples.sources(
            'amd-libvirt12.8-qemu11.1-lab-pc',
            samples.kernel_facts(AMD, leaves={}),
        )
        # What has no bits of its own is all that is left.
        self.assertEqual({'spinlocks', 'vendor_id'}, samples.offered(facts))


@ddt.ddt
class VersionTestCase(samples.OfferTestCase):
    """Releases that are too old rule out."""

    @ddt.unpack
    @ddt.data(
        ('avic', {'libvirt': (8, 9, 0)}, 'libvirt 8.10.0', '8.9.0'),
        ('xmm_input', {'libvirt': (10, 6, 9)}, 'libvirt 10.7.0', '10.6.9'),
        ('stimer.direct', {'libvirt': (5, 6, 0)}, 'libvirt 5.7.0', '5.6.0'),
        ('avic', {'qemu': (6, 1, 50)}, 'QEMU 6.2.0', '6.1.50'),
        ('tlbflush.extended', {'qemu': (7, 0, 0)}, 'QEMU 7.1.0', '7.0.0'),
        ('hypervclock', {'libvirt': (1, 2, 1)}, 'libvirt 1.2.2', '1.2.1'),
    )
    def test_too_old(self, name, releases, wanted, found):
        facts = samples.sources(
            None, samples.kernel_facts(), **{**NEW, **releases}
        )
        self.check_capability(
            facts,
            name,
            False,
            W.VERSION,
            f'it needs {wanted}, and the host has {found}',
        )

    @ddt.data(*NAMES)
    def test_new_enough(self, name):
        entry = enlightenments.ENLIGHTENMENTS[name]
        facts = samples.sources(
            None,
            samples.kernel_facts(),
            libvirt=entry.min_libvirt,
            qemu=entry.min_qemu,
            tsc_frequency=1,
        )
        self.assertIn(name, samples.offered(facts))

    def test_table_without_any_other_witness(self):
        # libvirt before 9.0, and a /dev/kvm that cannot be opened.
        facts = samples.sources(libvirt=(8, 0, 0), qemu=(6, 2, 0))
        self.check_capability(
            facts,
            'synic',
            True,
            W.VERSION,
            'libvirt 8.0.0 and QEMU 6.2.0 know it, and nothing says that the '
            'host lacks it',
        )

    @ddt.unpack
    @ddt.data(
        ({'libvirt': (12, 0, 0)}, 'synic'), ({'qemu': (11, 0, 0)}, 'synic')
    )
    def test_one_release_unknown(self, releases, name):
        facts = samples.sources(None, None, **releases)
        self.assertIsNone(evaluation.evaluate(facts).features[name].offered)

    @ddt.unpack
    @ddt.data(
        # The enumeration tells of libvirt 9.0, the machine type of QEMU.
        ('pc-q35-7.2', 'stimer.direct', True),
        ('pc-q35-2.6', 'stimer.direct', None),
        ('pc-q35-7.2', 'tlbflush.extended', None),
    )
    def test_releases_by_the_document(self, machine, name, offered):
        document = samples.listing('stimer', 'tlbflush', machine=machine)
        facts = samples.sources(domcaps=document)
        self.assertIs(
            offered, evaluation.evaluate(facts).features[name].offered
        )

    def test_kernel_confirms(self):
        facts = samples.sources(None, samples.kernel_facts(), **NEW)
        self.check_capability(
            facts, 'synic', True, W.KVM, "the host's KVM supports its CPUID"
        )


class TscTestCase(samples.OfferTestCase):
    """What needs a pinned TSC frequency."""

    def test_frequency_unknown(self):
        facts = samples.sources(
            'intel-libvirt12.4-qemu10.1-composed', samples.kernel_facts()
        )
        self.check_capability(
            facts,
            'reenlightenment',
            None,
            W.NONE,
            'it needs a pinned TSC frequency, and libvirt does not report '
            'one for the host',
        )

    def test_frequency_known(self):
        facts = samples.sources(
            'intel-libvirt12.4-qemu10.1-composed',
            samples.kernel_facts(),
            tsc_frequency=2794748000,
        )
        self.check_capability(
            facts, 'reenlightenment', True, W.DOMCAPS, 'libvirt lists it'
        )
