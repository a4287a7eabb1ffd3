# SPDX-License-Identifier: Apache-2.0
"""A real libvirt reads back what was recorded of a guest.

Where it did not, each start of nova-compute would take every guest for one
that something else has started.
"""

import ddt
from lxml import etree
from nova import context
from nova import objects

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.host import probe
from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.virt import adoption
from tests.fixtures import nova
from tests.real import base
from tests.real import cases
from tests.real import kvm

_DOMAIN = """
<domain type='kvm'>
  <name>recorded</name>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <clock offset='utc'/>
</domain>
"""
_TSC = 2794748000


def _recorded(selection):
    """Return what a record of a guest tells of it."""
    kept = record.Record(profile='any', selection=selection)
    return record.decode(record.encode(kept)).selection


def _require(test, name, libvirt):
    """Skip a test of a mode that this libvirt does not know."""
    if profiles.PROFILES[name].min_libvirt > libvirt:
        test.skipTest(f'this libvirt does not know the mode of {name}')


@ddt.ddt
class DocumentTestCase(cases.DriverCase):
    """A guest that is defined: KVM need not be able to run it."""

    def setUp(self):
        super().setUp()
        self._libvirt = probe.split_version(
            self.driver.connection.getLibVersion()
        )

    def check(self, selection):
        root = etree.fromstring(_DOMAIN)
        hyperv.apply(root, selection)
        defined = self.driver.connection.defineXML(
            etree.tostring(root, encoding='unicode')
        )
        try:
            found = hyperv.read(etree.fromstring(defined.XMLDesc(0)))
        finally:
            defined.undefine()
        self.assertEqual(selection.features, found.features)
        self.assertEqual(
            adoption._plain(_recorded(selection)), adoption._plain(found)
        )

    def known(self, features):
        """Return those of these names that this libvirt knows."""
        catalogue = enlightenments.ENLIGHTENMENTS
        return frozenset(
            name
            for name in features
            if catalogue[name].min_libvirt <= self._libvirt
        )

    @ddt.data('none', 'minimal', 'baseline', 'performance', 'nested')
    def test_a_profile(self, name):
        features = self.known(profiles.PROFILES[name].features)
        retries = {('spinlocks.retries', '8191')}

        self.check(
            selections.Selection(
                features=features,
                values=frozenset(retries if 'spinlocks' in features else ()),
            )
        )

    def test_all_that_it_knows_with_values(self):
        features = self.known(enlightenments.ENLIGHTENMENTS)
        self.assertIn('stimer.direct', features)

        self.check(
            selections.Selection(
                features=features,
                values=frozenset(
                    {
                        ('spinlocks.retries', '4097'),
                        ('vendor_id.value', 'KVM <&"> Hv'),
                    }
                ),
                tsc_frequency=_TSC,
            )
        )

    @ddt.data('host-model', 'passthrough')
    def test_a_mode(self, name):
        _require(self, name, self._libvirt)

        self.check(
            selections.Selection(
                features=frozenset(['hypervclock']),
                mode=profiles.PROFILES[name].mode,
            )
        )


@ddt.ddt
class RunningOnKVMTest(base.RealTestCase):
    """A guest of the plugin's driver that runs, virt_type=kvm.

    The same on a machine whose KVM emulates Hyper-V, where it gets all that
    the host delivers, and here, where it gets nothing.
    """

    COMPUTE_DRIVER = nova.PLUGIN_DRIVER

    @ddt.data('baseline', 'nested', 'passthrough', 'host-model')
    def test_profile(self, profile):
        self.plugin_flags(profile=profile)
        self.start_host()
        found = probe.split_version(self._embedded.connection.getLibVersion())
        if kvm.emulates_hyperv():
            _require(self, profile, found)

        server = self.boot({'os_type': 'windows'})

        instance = objects.Instance.get_by_uuid(
            context.get_admin_context(),
            server['id'],
            expected_attrs=['system_metadata'],
        )
        host = self.computes[self.compute.host].driver._host
        # What nova-compute asks of each guest when it starts.
        self.assertIsNone(adoption.find(instance, host))
        running = hyperv.read(self.domain_xml(server))
        kept = record.decode(instance.system_metadata['hyperv_enlight'])
        if kvm.emulates_hyperv():
            self.assertNotEqual(frozenset(), running.features)
        if kept.selection.mode is not profiles.Mode.HOST_MODEL:
            self.assertEqual(
                adoption._plain(kept.selection), adoption._plain(running)
            )
