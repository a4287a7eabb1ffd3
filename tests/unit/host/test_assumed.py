# SPDX-License-Identifier: Apache-2.0

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import graph
from nova_hyperv_enlight.host import assumed
from nova_hyperv_enlight.host import capabilities
from tests.unit import base
from tests.unit.policy import cases

NAMES = list(enlightenments.ENLIGHTENMENTS)
KVM = capabilities.Sources(virt_type='kvm', arch='x86_64')
#: What depends on the processor, on nesting or on the TSC.
PARTICULAR = {
    'avic',
    'emsr_bitmap',
    'evmcs',
    'reenlightenment',
    'tlbflush.direct',
}


class AssumedTestCase(base.TestCase):
    def offered(self, host):
        return {
            name: capability.offered
            for name, capability in host.features.items()
        }

    def test_unasked(self):
        host = assumed.unasked(KVM)

        self.assertEqual(dict.fromkeys(NAMES), self.offered(host))
        self.assertEqual(KVM, host.sources)

    def test_offering(self):
        host = cases.make_host(frozenset(['relaxed']), unknown=['avic'])

        found = assumed.offering(host, frozenset(['ipi', 'avic']), 'it is so')

        self.assertEqual(
            {'relaxed', 'ipi', 'avic'},
            {name for name, offered in self.offered(found).items() if offered},
        )
        self.assertEqual(NAMES, list(found.features))
        self.assertEqual('it is so', found.features['ipi'].evidence)
        self.assertEqual(
            'libvirt lists it', found.features['relaxed'].evidence
        )
        self.assertEqual(host.sources, found.sources)

    def test_portable(self):
        self.assertEqual(
            PARTICULAR, set(NAMES) - assumed.portable(assumed.unasked(KVM))
        )

    def test_portable_but_denied(self):
        host = cases.make_host(frozenset(['relaxed', 'evmcs']))

        self.assertEqual({'relaxed'}, assumed.portable(host))

    def test_closed(self):
        self.assertEqual(
            {'stimer.direct', 'stimer', 'synic', 'vpindex', 'hypervclock'},
            graph.closure(frozenset(['stimer.direct'])),
        )
        self.assertEqual(frozenset(), graph.closure(frozenset()))
