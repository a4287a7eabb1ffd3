# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.host import evaluation
from nova_hyperv_enlight.host import kvm
from tests.unit import base
from tests.unit.host import samples

AMD, INTEL = model.Vendor.AMD, model.Vendor.INTEL
W = capabilities.CapabilitySource

DOCUMENTS = {
    AMD: 'amd-libvirt12.8-qemu11.1-lab-pc',
    INTEL: 'intel-libvirt12.4-qemu10.1-composed',
}
NESTED = 'nested virtualization'
APIC = 'APIC virtualization (APICv or AVIC)'

# Name, vendor, the parameter it hangs on, its words.
NEEDS = (
    ('avic', INTEL, 'apic', APIC),
    ('avic', AMD, 'apic', APIC),
    ('emsr_bitmap', INTEL, 'nested', NESTED),
    ('emsr_bitmap', AMD, 'nested', NESTED),
    ('tlbflush.direct', INTEL, 'nested', NESTED),
    ('tlbflush.direct', AMD, 'nested', NESTED),
    ('evmcs', INTEL, 'nested', NESTED),
)
REPORTED_ALWAYS = tuple(row for row in NEEDS if row[0] != 'evmcs')


@ddt.ddt
class HardwareTestCase(base.TestCase):
    """What hangs on the processor and on its kvm module."""

    def offer(self, name, vendor, **changes):
        facts = samples.sources(
            DOCUMENTS[vendor], samples.kernel_facts(vendor, **changes)
        )
        # That its CPU model has vmx or svm is looked at below.
        document = dataclasses.replace(facts.domcaps, nested=None)
        facts = dataclasses.replace(facts, domcaps=document)
        return evaluation.evaluate(facts).features[name]

    @ddt.unpack
    @ddt.data(*NEEDS)
    def test_switched_on(self, name, vendor, parameter, _words):
        capability = self.offer(name, vendor, **{parameter: True})
        self.assertEqual(
            (True, W.DOMCAPS), (capability.offered, capability.source)
        )

    @ddt.unpack
    @ddt.data(*NEEDS)
    def test_switched_off(self, name, vendor, parameter, words):
        capability = self.offer(name, vendor, **{parameter: False})
        self.assertEqual(
            (False, W.SYSFS), (capability.offered, capability.source)
        )
        self.assertEqual(
            f'it needs {words}, which the host has switched off',
            capability.evidence,
        )

    @ddt.unpack
    @ddt.data(*REPORTED_ALWAYS)
    def test_unknown(self, name, vendor, parameter, words):
        capability = self.offer(name, vendor, **{parameter: None})
        self.assertEqual(
            (None, W.NONE), (capability.offered, capability.source)
        )
        self.assertEqual(
            f'whether the host has {words} could not be read',
            capability.evidence,
        )

    @ddt.unpack
    @ddt.data((INTEL, None, True), (INTEL, False, False), (AMD, None, True))
    def test_the_cpu_model_nests(self, vendor, nested, offered):
        facts = samples.sources(
            DOCUMENTS[vendor], samples.kernel_facts(vendor, nested=nested)
        )
        features = evaluation.evaluate(facts).features

        self.assertIs(True, facts.domcaps.nested)
        self.assertIs(offered, features['emsr_bitmap'].offered)
        self.assertIs(offered, features['tlbflush.direct'].offered)

    @ddt.unpack
    @ddt.data(*NEEDS)
    def test_the_other_parameter_does_not_matter(
        self, name, vendor, parameter, _words
    ):
        other = {'apic': 'nested', 'nested': 'apic'}[parameter]
        capability = self.offer(
            name, vendor, **{parameter: True, other: False}
        )
        self.assertIs(True, capability.offered)

    @ddt.data('relaxed', 'synic', 'xmm_input', 'tlbflush.extended')
    def test_others_need_nothing(self, name):
        capability = self.offer(name, INTEL, nested=False, apic=False)
        self.assertIs(True, capability.offered)


@ddt.ddt
class EvmcsTestCase(base.TestCase):
    """evmcs is for Intel hosts with nesting on."""

    def check(self, facts, offered, source, evidence=None):
        capability = evaluation.evaluate(facts).features['evmcs']
        self.assertEqual(
            (offered, source, evidence or capability.evidence),
            (capability.offered, capability.source, capability.evidence),
        )

    def test_amd_by_the_kernel(self):
        facts = samples.sources(
            'intel-libvirt12.4-qemu10.1-composed', samples.kernel_facts(AMD)
        )
        self.check(
            facts,
            False,
            W.SYSFS,
            'only Intel processors have it, and the host is AMD',
        )

    def test_amd_by_the_document(self):
        facts = samples.sources('amd-libvirt12.8-qemu11.1-lab-pc')
        self.check(
            facts,
            False,
            W.DOMCAPS,
            'only Intel processors have it, and the host is AMD',
        )

    def test_intel_listed_proves_itself(self):
        # KVM reports it with nesting on only: nobody need read sysfs.
        facts = samples.sources('intel-libvirt9.0-qemu6.1-composed')
        self.check(facts, True, W.DOMCAPS, 'libvirt lists it')

    def test_vendor_unknown_listed_proves_itself(self):
        facts = samples.sources(
            libvirt=(9, 0, 0),
            qemu=(6, 1, 0),
            domcaps=samples.listing('vapic', 'evmcs'),
        )
        self.check(facts, True, W.DOMCAPS, 'libvirt lists it')

    def test_intel_not_listed(self):
        facts = samples.sources(
            libvirt=(9, 0, 0),
            qemu=(6, 1, 0),
            domcaps=samples.listing('vapic', vendor=INTEL),
        )
        self.check(facts, False, W.DOMCAPS, 'libvirt does not list it')

    def test_intel_proved_by_the_kernel(self):
        facts = samples.sources(
            None,
            samples.kernel_facts(INTEL, nested=None),
            libvirt=(8, 0, 0),
            qemu=(6, 2, 0),
        )
        self.check(facts, True, W.KVM)

    @ddt.unpack
    @ddt.data((True, True, W.VERSION), (None, None, W.NONE))
    def test_intel_by_sysfs_alone(self, nested, offered, source):
        facts = samples.sources(
            None,
            kvm.KernelFacts(vendor=INTEL, nested=nested),
            libvirt=(8, 0, 0),
            qemu=(6, 2, 0),
        )
        self.check(facts, offered, source)

    @ddt.data(None, INTEL)
    def test_nobody_asked(self, vendor):
        facts = samples.sources(
            libvirt=(8, 0, 0),
            qemu=(6, 2, 0),
            domcaps=domaincaps.DomainCapabilities(vendor=vendor),
        )
        self.check(
            facts,
            None,
            W.NONE,
            f'whether the host has {NESTED} could not be read',
        )

    @ddt.data('avic', 'emsr_bitmap', 'tlbflush.direct')
    def test_vendor_unknown_listed_proves_nothing(self, name):
        # KVM reports these on every host.
        facts = samples.sources(
            libvirt=(12, 0, 0),
            qemu=(11, 0, 0),
            domcaps=samples.listing('tlbflush', 'vapic', name),
        )
        capability = evaluation.evaluate(facts).features[name]
        self.assertEqual(
            (None, W.NONE), (capability.offered, capability.source)
        )
