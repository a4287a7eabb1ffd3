# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from tests.unit import base
from tests.unit.host import samples

W = capabilities.CapabilitySource
NEW = {'libvirt': (12, 1, 0), 'qemu': (11, 0, 0)}
UNASKED = None
KERNEL = samples.kernel_facts()

LISTS = 'libvirt lists it'
NOTHING = 'libvirt lists nothing that the kernel emulates'


@ddt.ddt
class DomcapsTestCase(base.TestCase):
    """libvirt's enumeration, and what it does not list."""

    def offer(self, document, name, kernel=UNASKED, **changes):
        facts = samples.sources(
            None, kernel, domcaps=document, **{**NEW, **changes}
        )
        return evaluation.evaluate(facts).features[name]

    def check(self, capability, offered, source, evidence):
        self.assertEqual(
            (offered, source, evidence),
            (capability.offered, capability.source, capability.evidence),
        )

    @ddt.data('relaxed', 'synic', 'vendor_id', 'spinlocks', 'xmm_input')
    def test_listed(self, name):
        document = samples.listing('vpindex', name)
        self.check(self.offer(document, name), True, W.DOMCAPS, LISTS)

    @ddt.data('relaxed', 'synic', 'vendor_id', 'spinlocks', 'xmm_input')
    def test_not_listed(self, name):
        capability = self.offer(samples.listing('vpindex'), name)
        self.check(capability, False, W.DOMCAPS, 'libvirt does not list it')

    def test_not_listed_though_the_kernel_has_it(self):
        # QEMU is in between: what it cannot do no guest can have.
        capability = self.offer(samples.listing('vpindex'), 'synic', KERNEL)
        self.check(capability, False, W.DOMCAPS, 'libvirt does not list it')

    @ddt.data('relaxed', 'hypervclock', 'stimer.direct', 'spinlocks')
    def test_not_supported(self, name):
        document = domaincaps.DomainCapabilities(supported=False)
        self.check(
            self.offer(document, name, KERNEL),
            False,
            W.DOMCAPS,
            "libvirt says hyperv supported='no'",
        )

    def test_without_enumeration(self):
        document = domaincaps.DomainCapabilities(
            virt_type='kvm', supported=True
        )
        self.assertIs(W.KVM, self.offer(document, 'synic', KERNEL).source)
        self.assertIs(W.VERSION, self.offer(document, 'synic').source)

    @ddt.unpack
    @ddt.data(
        # Complete from QEMU 6.1 on: before that not listed says nothing.
        ((6, 0, 0), True, W.VERSION),
        ((5, 2, 0), True, W.VERSION),
        ((6, 1, 0), False, W.DOMCAPS),
        (None, False, W.DOMCAPS),
    )
    def test_enumeration_of_old_qemu(self, qemu, offered, source):
        document = samples.listing('vpindex', machine='pc-q35-6.1')
        capability = self.offer(document, 'synic', qemu=qemu)
        self.assertEqual(
            (offered, source), (capability.offered, capability.source)
        )

    def test_unknown_names_prove_nothing(self):
        document = samples.listing('spinlocks', 'novelty')
        self.check(
            self.offer(document, 'spinlocks'), False, W.DOMCAPS, NOTHING
        )

    @ddt.data('spinlocks', 'vendor_id')
    def test_values_alone_prove_nothing(self, name):
        document = samples.listing('spinlocks', 'vendor_id')
        self.check(self.offer(document, name), False, W.DOMCAPS, NOTHING)

    @ddt.data('spinlocks', 'vendor_id')
    def test_values_beside_another(self, name):
        document = samples.listing('spinlocks', 'vendor_id', 'relaxed')
        self.check(self.offer(document, name), True, W.DOMCAPS, LISTS)

    @ddt.data('spinlocks', 'vendor_id')
    def test_values_where_the_kernel_vouches(self, name):
        document = samples.listing('spinlocks', 'vendor_id')
        self.check(self.offer(document, name, KERNEL), True, W.DOMCAPS, LISTS)

    def test_sub_element_by_version(self):
        # All kernels under a libvirt that enumerates have had it for years.
        capability = self.offer(samples.listing('stimer'), 'stimer.direct')
        self.assertEqual(
            (True, W.VERSION), (capability.offered, capability.source)
        )

    @ddt.data((11, 0, 0), (11, 5, 0), (11, 8, 0), (12, 1, 0))
    def test_newer_sub_element_not_by_version(self, libvirt):
        # Linux 6.1 has no tlbflush.extended, whatever libvirt and QEMU know.
        capability = self.offer(
            samples.listing('tlbflush'), 'tlbflush.extended', libvirt=libvirt
        )
        self.check(
            capability, None, W.NONE, 'no source says whether the host has it'
        )

    def test_newer_sub_element_by_the_kernel(self):
        capability = self.offer(
            samples.listing('tlbflush'), 'tlbflush.extended', KERNEL
        )
        self.assertEqual(
            (True, W.KVM), (capability.offered, capability.source)
        )

    @ddt.unpack
    @ddt.data(
        ('stimer', 'stimer.direct', {'libvirt': (5, 6, 0)}),
        ('stimer', 'stimer.direct', {'qemu': (4, 0, 0)}),
        ('tlbflush', 'tlbflush.extended', {'libvirt': (10, 10, 0)}),
        ('tlbflush', 'tlbflush.extended', {'qemu': (7, 0, 0)}),
    )
    def test_sub_element_too_old(self, parent, name, releases):
        capability = self.offer(samples.listing(parent), name, **releases)
        self.assertEqual(
            (False, W.VERSION), (capability.offered, capability.source)
        )

    def test_sub_element_by_the_kernel(self):
        capability = self.offer(
            samples.listing('stimer'), 'stimer.direct', KERNEL
        )
        self.assertEqual(
            (True, W.KVM), (capability.offered, capability.source)
        )

    @ddt.unpack
    @ddt.data(('stimer.direct', 'stimer'), ('tlbflush.extended', 'tlbflush'))
    def test_sub_element_without_parent(self, name, parent):
        capability = self.offer(samples.listing('relaxed'), name)
        self.check(
            capability, False, W.DOMCAPS, f'libvirt does not list {parent}'
        )

    def test_sub_element_listed(self):
        document = samples.listing('stimer', 'stimer.direct')
        capability = self.offer(document, 'stimer.direct')
        self.check(capability, True, W.DOMCAPS, LISTS)

    @ddt.unpack
    @ddt.data((True, 'on'), (False, 'off'))
    def test_sub_element_by_default(self, default, word):
        document = samples.listing(
            'tlbflush', defaults=(('tlbflush.extended', default),)
        )
        self.check(
            self.offer(document, 'tlbflush.extended'),
            default,
            W.DOMCAPS,
            f'libvirt gives it as {word} by default',
        )


@ddt.ddt
class HypervclockTestCase(base.TestCase):
    """The timer is in no enumeration."""

    def offer(self, kernel, document, **changes):
        facts = samples.sources(
            None, kernel, domcaps=document, **{**NEW, **changes}
        )
        capability = evaluation.evaluate(facts).features['hypervclock']
        return capability.offered, capability.source

    @ddt.data('relaxed', 'vapic', 'vpindex', 'synic', 'ipi')
    def test_beside_what_the_kernel_emulates(self, name):
        document = samples.listing('spinlocks', 'vendor_id', name)
        self.assertEqual((True, W.DOMCAPS), self.offer(UNASKED, document))

    @ddt.data((), ('spinlocks',), ('spinlocks', 'vendor_id'), ('novelty',))
    def test_beside_what_proves_nothing(self, names):
        document = samples.listing(*names)
        self.assertEqual((False, W.DOMCAPS), self.offer(UNASKED, document))

    @ddt.data((6, 0, 0), (6, 1, 0), (11, 0, 0), None)
    def test_beside_what_proves_nothing_on_any_qemu(self, qemu):
        document = samples.listing('spinlocks', 'vendor_id')
        self.assertEqual(
            (False, W.DOMCAPS), self.offer(UNASKED, document, qemu=qemu)
        )

    @ddt.data((), ('relaxed', 'synic'))
    def test_kernel_has_it(self, names):
        document = samples.listing(*names)
        self.assertEqual((True, W.KVM), self.offer(KERNEL, document))

    def test_old_kernel_has_it(self):
        # KVM_GET_SUPPORTED_HV_CPUID came with Linux 5.11.
        kernel = kvm.KernelFacts(hyperv=True, time=True)
        document = samples.listing('relaxed')
        self.assertEqual((True, W.KVM), self.offer(kernel, document))

    @ddt.data((), ('relaxed', 'synic'))
    def test_kernel_lacks_it(self, names):
        kernel = kvm.KernelFacts(hyperv=True, time=False)
        document = samples.listing(*names)
        self.assertEqual((False, W.KVM), self.offer(kernel, document))

    def test_kernel_has_it_and_libvirt_no_enumeration(self):
        document = domaincaps.DomainCapabilities()
        self.assertEqual(
            (True, W.KVM), self.offer(KERNEL, document, libvirt=(8, 0, 0))
        )
