# SPDX-License-Identifier: Apache-2.0

"""A guest that is started again on another host."""

from tests.functional import guest
from tests.functional.lifecycle import base

WINDOWS = base.WINDOWS
LOST = guest.BASELINE - base.MINIMAL - {'vpindex'}


class MoveTestCase(base.LifeTestCase):
    # Casts stay casts: a failed evacuation is no error of the API.
    CAST_AS_CALL = False

    def settle(self, server, **wanted):
        """Wait for a server, and until nothing goes on with it."""
        return self._wait_for_server_parameter(
            server, {'OS-EXT-STS:task_state': None, **wanted}
        )

    def power_off(self, hostname):
        """Let a host fail."""
        self.computes[hostname].stop()
        (service,) = self.api.get_services(
            host=hostname, binary='nova-compute'
        )
        self.api.put_service_force_down(service['id'], True)

    def evacuate(self, server, hostname, **kwargs):
        """Evacuate a server to a host.

        It is the only one that is left: Nova would not let us choose.
        """
        return self._evacuate_server(server, expected_host=hostname, **kwargs)

    def check_lost(self, server, names):
        (warning,) = self.warnings(server)
        self.assertTrue(
            warning.startswith(
                'This guest was started with more than this host can deliver '
                'now. '
            ),
            warning,
        )
        for name in guest.BASELINE:
            self.assertEqual(name in names, f"'{name}' " in warning, name)


class EqualHostsTestCase(MoveTestCase):
    """Hosts that are equal, and whose default has changed since."""

    def setUp(self):
        super().setUp()
        self.plugin_flags(profile='minimal')
        self.start('one')
        self._server = self.boot(WINDOWS)
        self._before = self.enlightened(self._server)
        self._record = self.record(self._server)
        self.plugin_flags(profile='performance')
        self.start('two')

    def check_kept(self, hostname):
        self.assertEqual(hostname, self.host_of(self._server))
        self.assertEqual(self._before, self.enlightened(self._server))
        self.assertEqual(self._record, self.record(self._server))
        self.assertSwitchedOn(base.MINIMAL, self._server)
        self.assertEqual(1, self._saves.count[self._server['id']])
        self.assertEqual([], self.warnings())

    def test_evacuated(self):
        self.power_off('one')

        self.evacuate(self._server, 'two')

        self.check_kept('two')
        self._start_server(self._server)
        self.check_kept('two')

    def test_cold_migrated(self):
        self._migrate_server(self._server)
        self.check_kept('two')
        self._revert_resize(self._server)
        self.settle(self._server, status='ACTIVE')
        self.check_kept('one')

        self._migrate_server(self._server)
        self.assertIn(self._record, self.stashed(self._server))
        self._confirm_resize(self._server)
        self.settle(self._server, status='ACTIVE')
        self.check_kept('two')
        self.assertIsNone(self.stashed(self._server))

    def test_unshelved_elsewhere(self):
        self.flags(shelved_offload_time=0)
        self._shelve_server(self._server)
        self.power_off('one')

        self._unshelve_server(self._server)

        self.check_kept('two')


class PoorerHostTestCase(MoveTestCase):
    def setUp(self):
        super().setUp()
        self.start('one')
        self._server = self.boot(WINDOWS)
        self._record = self.record(self._server)

    def start_poorer(self, **options):
        self.plugin_flags(**options)
        self.start('two', base.POOR)

    def test_evacuated_and_degraded(self):
        self.start_poorer()
        self.power_off('one')

        self.evacuate(self._server, 'two')

        self.assertSwitchedOn(base.MINIMAL | {'vpindex'}, self._server)
        self.check_lost(self._server, LOST)
        self.assertEqual(
            '1;baseline;;relaxed,vapic,spinlocks=8191,vpindex,hypervclock,'
            '-21af0',
            self.record(self._server),
        )
        # Said once: it is known with what it was started now.
        self._plugin_log.records.clear()
        self.hard_reboot(self._server)
        self.assertEqual([], self.warnings())

    def test_evacuated_and_refused(self):
        self.start_poorer(on_host_change='fail')
        self.power_off('one')

        server = self._evacuate_server(
            self._server,
            expected_state='ERROR',
            expected_migration_status='failed',
        )

        self.assertIn(
            " of the guest's recorded set, and [hyperv_enlight] "
            'on_host_change is fail.',
            self.wait_for(server, 'ERROR')['fault']['message'],
        )
        self.assertEqual(self._record, self.record(self._server))
        # Nothing of it was started.
        self.assertEqual({}, self.connection('two')._vms)

    def test_cold_migrated_and_refused(self):
        self.start_poorer(on_host_change='fail')

        self.migrate(self._server, 'ERROR')

        self.assertEqual(self._record, self.record(self._server))
        self.assertEqual({}, self.connection('two')._vms)

    def test_a_revert_brings_the_set_back(self):
        self.start_poorer()
        before = self.enlightened(self._server)

        self._migrate_server(self._server, host='two')
        self.assertSwitchedOn(base.MINIMAL | {'vpindex'}, self._server)
        self._revert_resize(self._server)
        self.settle(self._server, status='ACTIVE')

        self.assertEqual('one', self.host_of(self._server))
        self.assertEqual(before, self.enlightened(self._server))
        self.assertEqual(self._record, self.record(self._server))

    def test_back_on_a_host_that_has_it_all(self):
        self.start_poorer()

        self._migrate_server(self._server, host='two')
        self._confirm_resize(self._server)
        self.settle(self._server, status='ACTIVE')
        self._migrate_server(self._server, host='one')

        self.assertEqual('one', self.host_of(self._server))
        self.assertSwitchedOn(guest.BASELINE, self._server)
        self.assertEqual(self._record, self.record(self._server))
        self.assertEqual(1, len(self.warnings(self._server)))


class TenantTestCase(MoveTestCase):
    """Servers whose image asks for what the other host lacks."""

    IMAGE = {**WINDOWS, 'hyperv_enlight_xmm_input': 'on'}

    def setUp(self):
        super().setUp()
        self.start('one')
        self._server = self.boot(self.IMAGE)
        self.assertIn('xmm_input', self.record(self._server))

    def start_poorer(self, **options):
        self.plugin_flags(**options)
        self.start('two', [n for n in base.RICH if n != 'xmm_input'])

    def check_degraded(self):
        self.assertEqual('two', self.host_of(self._server))
        self.assertSwitchedOn(guest.BASELINE, self._server)
        (warning,) = self.warnings(self._server)
        self.assertIn("'xmm_input' is off: ", warning)

    def test_evacuated(self):
        self.start_poorer()
        self.power_off('one')

        self.evacuate(self._server, 'two')

        self.check_degraded()

    def test_cold_migrated(self):
        self.start_poorer()

        self._migrate_server(self._server, host='two')

        self.check_degraded()

    def test_unshelved_elsewhere(self):
        self.flags(shelved_offload_time=0)
        self.start_poorer()
        self._shelve_server(self._server)
        self.power_off('one')

        self._unshelve_server(self._server)

        self.check_degraded()

    def test_refused_where_the_operator_wants_that(self):
        self.start_poorer(on_host_change='fail')

        self.migrate(self._server, 'ERROR')

        self.assertEqual({}, self.connection('two')._vms)

    def test_a_new_server_is_refused(self):
        self.start_poorer()
        self.power_off('one')

        server = self.boot(self.IMAGE, expected_state='ERROR')

        self.assertEqual({}, self.connection('two')._vms)
        self.assertIsNone(self.record(server))


class HostWithoutTestCase(MoveTestCase):
    """A host that has become poorer itself, such as by another kernel."""

    def test_rebooted(self):
        self.start()
        server = self.boot(WINDOWS)
        self.replace(kernel=guest.PLAIN)

        self.hard_reboot(server)

        self.assertSwitchedOn((), server)
        self.check_lost(server, guest.BASELINE)
        self.assertEqual(
            '1;baseline;;-121aff,-spinlocks=8191', self.record(server)
        )
