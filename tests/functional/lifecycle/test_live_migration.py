# SPDX-License-Identifier: Apache-2.0

"""Live migration through the API, accepted and refused."""

import os

from nova import conf

from tests.fixtures import nova
from tests.functional import guest
from tests.functional.lifecycle import base
from tests.functional.lifecycle import migration

WINDOWS = base.WINDOWS
PASSTHROUGH = {'hyperv_enlight:profile': 'passthrough'}
CHECK = 'compute_check_can_live_migrate_destination'


class AcceptedTestCase(migration.LiveMigrationTestCase):
    def migrate(self, server, hostname):
        """Live migrate and return the document before and after."""
        before = self.enlightened(server)
        migrated, _ = self.live_migrate(server, hostname)
        self.assertEqual('completed', migrated['status'])
        self.assertEqual(hostname, self.host_of(server))
        return before, self.enlightened(server)

    def test_to_a_host_that_has_it(self):
        self.start('one')
        # Its default is another one, and it has no more than it needs.
        self.plugin_flags(profile='minimal')
        self.start('two', [n for n in base.RICH if n in guest.BASELINE])
        server, files = (
            self.boot(WINDOWS),
            os.listdir(conf.CONF.instances_path),
        )
        record = self.record(server)

        self.assertEqual(*self.migrate(server, 'two'))

        self.assertSwitchedOn(guest.BASELINE, server)
        self.assertEqual(record, self.record(server))
        self.assertEqual(files, os.listdir(conf.CONF.instances_path))
        # And ever after.
        self.hard_reboot(server)
        self.assertSwitchedOn(guest.BASELINE, server)
        self.assertEqual(1, self._saves.count[server['id']])
        self.assertEqual([], self.warnings())

    def test_guests_that_are_not_the_plugins(self):
        self.COMPUTE_DRIVER = nova.STOCK_DRIVER
        self.start('one')
        unrecorded, linux = self.boot(WINDOWS), self.boot({'os_type': 'linux'})
        self.COMPUTE_DRIVER = nova.PLUGIN_DRIVER
        self.start('two', base.POOR)

        # Nobody can say here what the first one has.
        for server in (unrecorded, linux):
            self.assertEqual(*self.migrate(server, 'two'))

        # But once it is here.
        self.assertIn('1;adopted;;relaxed,', self.record(unrecorded))
        self.assertIsNone(self.record(linux))
        self.assertEqual(1, self._saves.count[unrecorded['id']])

    def test_what_arrives_goes_before_the_record(self):
        # Nova's own driver has started it since it was recorded.
        self.COMPUTE_DRIVER = nova.STOCK_DRIVER
        self.start('one')
        server = self.boot(WINDOWS)
        self.set_record(server, '1;minimal;;relaxed')
        self.COMPUTE_DRIVER = nova.PLUGIN_DRIVER
        self.start('two')

        self.migrate(server, 'two')
        self.hard_reboot(server)

        self.assertSwitchedOn(base.STOCK, server)

    def test_nova_goes_on_to_a_host_that_has_it(self):
        self.start('one')
        server = self.boot(WINDOWS)
        self.start('two', base.POOR)
        self.start('three')

        # The scheduler likes 'two' better.
        migrated, action = self.live_migrate(server)

        self.assertEqual('completed', migrated['status'])
        self.assertEqual('three', self.host_of(server))
        # Where two checks are made within a second, Nova mixes up their
        # results.
        asked = {e['host'] for e in action['events'] if e['event'] == CHECK}
        self.assertEqual({'two', 'three'}, asked)

    def test_without_the_plugin(self):
        # The records that it left mean nothing to Nova.
        self.start('one')
        server = self.boot(WINDOWS)
        self.assertIsNotNone(self.record(server))
        self.restart('one', driver=nova.STOCK_DRIVER)
        self.start('two', base.POOR)

        self.assertEqual(*self.migrate(server, 'two'))


class RefusedTestCase(migration.LiveMigrationTestCase):
    def refuse(self, server, hostname):
        """Live migrate, which is refused, and return why.

        Nothing of it may be left behind.
        """
        before = self.enlightened(server), self.record(server)
        files = os.listdir(conf.CONF.instances_path)
        # The hosts of this process share one nova.conf.
        self.flags(host=hostname)

        migrated, action = self.live_migrate(server, hostname)

        self.assertEqual('error', migrated['status'])
        self.assertEqual('one', self.host_of(server))
        self.assertEqual(
            before, (self.enlightened(server), self.record(server))
        )
        self.assertEqual((files, {}), self.left_behind(migrated))
        self.assertEqual({}, self.connection(hostname)._vms)
        (event,) = (e for e in action['events'] if e['event'] == CHECK)
        self.assertEqual('Error', event['result'])
        self.assertIn(
            'The Hyper-V enlightenments of this guest do not allow it to '
            'move to that host. ',
            event['details'],
        )
        return event['details']

    def test_to_a_poorer_host(self):
        self.start('one')
        self.start('two', base.POOR)
        server = self.boot(WINDOWS)

        reason = self.refuse(server, 'two')

        self.assertIn(
            "'runtime', 'synic', 'stimer', 'reset', 'frequencies', "
            "'tlbflush', 'ipi'",
            reason,
        )

    def test_to_a_host_of_another_kind(self):
        self.start('one')
        self.start('two', kernel=guest.AMD)
        self.start('three', kernel=guest.PLAIN)
        server = self.boot(WINDOWS, {'hyperv_enlight:evmcs': 'on'})

        self.assertIn("'evmcs' is missing there.", self.refuse(server, 'two'))
        self.assertIn(
            "do not allow it to move from one to two. 'evmcs' is missing "
            'there: only Intel processors have it, and the host is AMD.',
            self.stdlog.logger.output,
        )
        self.assertIn(
            # As much as Nova has room for.
            "'relaxed', 'vapic', 'spinlocks', 'vpindex', 'runtime', 'synic', "
            "'stimer', 'reset', 'frequencies', 'tlbflush', 'ipi', 'evmcs', ",
            self.refuse(server, 'three'),
        )

    def test_what_does_not_migrate_to_any_host(self):
        self.useFixture(migration.TSC())
        self.start('one')
        self.start('two')
        passthrough = self.boot(WINDOWS, PASSTHROUGH)
        unpinned = self.boot(WINDOWS)
        self.set_record(unpinned, '1;adopted;;relaxed,reenlightenment')

        self.assertIn(
            "It was started with mode='passthrough', and QEMU does not "
            'migrate such a guest.',
            self.refuse(passthrough, 'two'),
        )
        self.assertIn(
            "'reenlightenment' is on without a pinned TSC frequency: ",
            self.refuse(unpinned, 'two'),
        )

    def test_a_value_that_libvirt_does_not_take_there(self):
        self.start('one')
        self.start('two', libvirt_version='11.0.0')
        retries = {'hyperv_enlight:spinlocks.retries': '4294967295'}
        server = self.boot(WINDOWS, retries)
        self.assertIn('spinlocks=4294967295,', self.record(server))

        self.assertIn(
            'spinlocks.retries=4294967295 needs libvirt 11.9.0, and the host '
            'has 11.0.0.',
            self.refuse(server, 'two'),
        )

    def test_a_tsc_frequency_that_is_not_scaled_there(self):
        self.useFixture(migration.TSC('one', 2794748000))
        self.useFixture(migration.TSC('two', 3000000000, scaling='no'))
        self.useFixture(migration.TSC('three', 3000000000, scaling='yes'))
        for hostname in self.HOSTS:
            self.start(hostname)
        server = self.boot(WINDOWS, {'hyperv_enlight:reenlightenment': 'on'})
        self.assertIn('tsc=2794748000;', self.record(server))

        self.assertIn(
            "'reenlightenment' is on with a TSC frequency of 2794748000 Hz, "
            'and the host has 3000000000 Hz and cannot scale it.',
            self.refuse(server, 'two'),
        )

        migrated, _ = self.live_migrate(server, 'three')
        self.assertEqual('completed', migrated['status'])

    def test_reenlightenment_that_is_pinned(self):
        self.useFixture(migration.TSC())
        self.start('one')
        self.start('two')
        server = self.boot(WINDOWS, {'hyperv_enlight:reenlightenment': 'on'})
        self.assertIn(f'tsc={migration.TSC.FREQUENCY};', self.record(server))

        migrated, _ = self.live_migrate(server, 'two')

        self.assertEqual('completed', migrated['status'])
        self.assertIn(
            f'<timer name="tsc" frequency="{migration.TSC.FREQUENCY}"/>',
            self.enlightened(server),
        )
