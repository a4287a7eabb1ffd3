# SPDX-License-Identifier: Apache-2.0
"""A real guest that is started again has what it had."""

from lxml import etree
from nova import context
from nova import objects

from nova_hyperv_enlight.domxml import domain
from tests.fixtures import nova
from tests.real import base
from tests.real import kvm
from tests.real import test_plugin

WINDOWS = {'os_type': 'windows'}


class LifecycleOnKVMTest(base.RealTestCase):
    """The plugin's driver, virt_type=kvm."""

    COMPUTE_DRIVER = nova.PLUGIN_DRIVER

    def has_hyperv(self):
        """Whether a guest of this virt_type can be shown a Hyper-V."""
        return kvm.emulates_hyperv()

    def setUp(self):
        super().setUp()
        # The guest has no system that would shut itself down.
        self.flags(shutdown_timeout=1)
        self.start_host()
        self._server = self.boot(WINDOWS)
        self._id = self.domain().ID()
        self._before = self.live()
        self._record = self.record()
        # Otherwise the test would compare nothing with nothing.
        on = test_plugin.switched_on(self.domain_xml(self._server))
        least = test_plugin.ALWAYS if self.has_hyperv() else set()
        self.assertLessEqual(least, on)
        self.assertEqual(on, self.recorded() - {'hypervclock'})

    def domain(self):
        return self._embedded.connection.lookupByUUIDString(self._server['id'])

    def live(self):
        """Return what the plugin owns of the running guest, as text."""
        domain = self.domain_xml(self._server)
        return [
            etree.tostring(element, encoding='unicode', with_tail=False)
            for path in ('features', 'clock')
            for element in domain.iterfind(path)
        ]

    def record(self):
        instance = objects.Instance.get_by_uuid(
            context.get_admin_context(),
            self._server['id'],
            expected_attrs=['system_metadata'],
        )
        return instance.system_metadata['hyperv_enlight']

    def recorded(self):
        """Return the names that are on, without sub-elements.

        What follows them with a minus is wanted, and not there.
        """
        version, profile, _, names = self._record.split(';')
        self.assertEqual(('1', 'baseline'), (version, profile))
        return {
            name.partition('=')[0].partition('+')[0]
            for name in filter(None, names.split(','))
            if not name.startswith('-')
        }

    def check_kept(self):
        self.assertNotEqual(self._id, self.domain().ID())
        self._id = self.domain().ID()
        self.assertEqual(self._before, self.live())
        self.assertEqual(self._record, self.record())
        self.assertEqual(
            [],
            [
                record.getMessage()
                for record in self._plugin_log.about(self._server)
                if record.levelname == 'WARNING'
            ],
        )

    def test_started_again(self):
        self._reboot_server(self._server, hard=True)
        self.check_kept()

        self._stop_server(self._server)
        self.assertFalse(self.domain().isActive())
        self._start_server(self._server)
        self.check_kept()


class LifecycleOnQEMUTest(LifecycleOnKVMTest):
    """The plugin's driver, virt_type=qemu."""

    VIRT_TYPE = 'qemu'

    def has_hyperv(self):
        return False


class OverridesTest(base.RealTestCase):
    """libvirt keeps what the image and the flavor ask for."""

    COMPUTE_DRIVER = nova.PLUGIN_DRIVER
    PROPERTIES = {'os_type': 'windows', 'hyperv_enlight_reset': 'off'}
    SPECS = {'hyperv_enlight:ipi': 'off'}

    def check_there(self, server):
        texts = [self.defined_xml(server)]
        domains = self._embedded.connection
        texts.append(domains.lookupByUUIDString(server['id']).XMLDesc())
        for text in texts:
            found = domain.parse(text).nova
            self.assertEqual('off', found.image['hyperv_enlight_reset'])
            self.assertEqual('off', found.extra_specs['hyperv_enlight:ipi'])

    def test_kept(self):
        self.start_host()
        server = self.boot(self.PROPERTIES, self.SPECS)
        self.check_there(server)

        self._reboot_server(server, hard=True)
        self.check_there(server)

        # Nova does this when an interface comes or goes.
        instance = objects.Instance.get_by_uuid(
            context.get_admin_context(), server['id']
        )
        driver = self.compute.manager.driver
        driver._host.get_guest(instance).set_metadata(
            driver._get_guest_config_meta(
                driver.get_instance_driver_metadata(instance, [])
            )
        )
        self.check_there(server)
