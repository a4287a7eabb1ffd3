# SPDX-License-Identifier: Apache-2.0

"""The operator turns the plugin off: no record may outlive its set."""

import ddt

from nova_hyperv_enlight.virt import recorder
from tests.functional.lifecycle import base

OFF = ({'enabled': False}, {'mode': 'shadow'})


@ddt.ddt
class OffTestCase(base.LifeTestCase):
    """Guests that have a record, and are started without their set."""

    def setUp(self):
        super().setUp()
        self.start()
        self._server = self.boot(base.WINDOWS)
        self._others = self.others()

    def others(self):
        """Return a server's system_metadata, less the record."""
        found = dict(self.instance(self._server).system_metadata)
        self.assertIsNotNone(found.pop(recorder.KEY))
        return found

    def check_removed(self):
        self.assertStockXML(self._server)
        self.assertEqual(
            self._others, self.instance(self._server).system_metadata
        )
        self.assertEqual([], self.warnings())

    @ddt.data(*OFF)
    def test_host_boot(self, options):
        # Nova saves nothing after it.
        self.flags(resume_guests_state_on_host_boot=True)
        self.connection().lookupByUUIDString(self._server['id']).destroy()
        made = len(self._guest_xml.defined[self._server['id']])

        self.restart(**options)

        self.assertLess(made, len(self._guest_xml.defined[self._server['id']]))
        self.check_removed()

    @ddt.data(*OFF)
    def test_hard_reboot(self, options):
        record = self.record(self._server)
        self.restart(**options)
        # It runs with it until then.
        self.assertEqual(record, self.record(self._server))

        self.hard_reboot(self._server)
        self.check_removed()

        # Nor does it come back, or is anything adopted.
        self.restart()
        self.hard_reboot(self._server)
        self.check_removed()


class OffElsewhereTestCase(base.LifeTestCase):
    CAST_AS_CALL = False

    def test_a_host_that_is_off(self):
        self.start('one')
        server = self.boot(base.WINDOWS)
        record = self.record(server)
        self.plugin_flags(enabled=False)
        self.start('two')

        self._migrate_server(server)

        self.assertEqual('two', self.host_of(server))
        self.assertStockXML(server)
        self.assertIsNone(self.record(server))
        # For a revert.
        self.assertIn(record, self.stashed(server))
        self._confirm_resize(server)
        self._wait_for_server_parameter(server, {'status': 'ACTIVE'})
        self.assertIsNone(self.stashed(server))
