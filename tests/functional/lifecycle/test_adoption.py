# SPDX-License-Identifier: Apache-2.0

"""Guests that were started before the plugin was there, or after it went."""

import fixtures
from lxml import etree
from nova.compute import task_states

from nova_hyperv_enlight.policy import record
from nova_hyperv_enlight.virt import adoption
from nova_hyperv_enlight.virt import recorder
from tests.fixtures import nova
from tests.fixtures import releases
from tests.functional import base as functional_base
from tests.functional import guest
from tests.functional.hostile import test_databases
from tests.functional.lifecycle import base

WINDOWS = base.WINDOWS
LINUX = {'os_type': 'linux'}
ADOPTED = (
    '1;adopted;;relaxed,vapic,spinlocks=8191,vpindex,runtime,synic,reset,'
    'frequencies,tlbflush,ipi,hypervclock'
)


def nova_26(domain):
    """Add what Nova 26 to 28 gave to every Windows guest."""
    hyperv = domain.find('features/hyperv')
    for name in ('evmcs', 'reenlightenment'):
        etree.SubElement(hyperv, name, state='on')


class AdoptionTestCase(base.LifeTestCase):
    """The plugin comes to a host where guests run."""

    COMPUTE_DRIVER = nova.STOCK_DRIVER

    def setUp(self):
        super().setUp()
        self.start()

    def test_adopted_and_kept(self):
        server, stopped, linux = (
            self.boot(image) for image in (WINDOWS, WINDOWS, LINUX)
        )
        self._stop_server(stopped)
        before = self.enlightened(server)
        self.assertSwitchedOn(base.STOCK, server)
        self.assertIsNone(self.record(server))

        self.restart(driver=nova.PLUGIN_DRIVER)

        self.assertIsNone(self.record(linux))
        for each in (server, stopped):
            self.assertEqual(ADOPTED, self.record(each))
            self.assertEqual(1, self._saves.count[each['id']])
            self.hard_reboot(each)
            self.assertEqual(before, self.enlightened(each))
        # Not again.
        self.restart()
        self.assertEqual(ADOPTED, self.record(server))
        self.assertEqual(
            {server['id']: 1, stopped['id']: 1}, dict(self._saves.count)
        )
        self.assertEqual([], self.warnings())

    def test_what_nova_26_left(self):
        server = self.boot(WINDOWS)
        self._live.edits[server['id']] = nova_26

        self.restart(driver=nova.PLUGIN_DRIVER)
        self.assertIn(',reenlightenment,', self.record(server))
        self.assertIn(',evmcs,', self.record(server))
        self.hard_reboot(server)

        # This host does not tell its TSC frequency, without which no guest
        # gets reenlightenment; it says so.
        self.assertSwitchedOn(base.STOCK | {'evmcs'}, server)
        (warning,) = self.warnings(server)
        self.assertIn("'reenlightenment' is off: it needs a pinned", warning)

    def test_guests_that_cannot_be_read(self):
        broken, malformed, fine, linux = (
            self.boot(image) for image in (WINDOWS, WINDOWS, WINDOWS, LINUX)
        )
        for server in (broken, linux):
            self._live.broken[server['id']] = functional_base.libvirt_error(
                'the monitor does not answer'
            )
        self._live.edits[malformed['id']] = lambda domain: domain.find(
            'features/hyperv'
        ).set('mode', 'new')

        self.useFixture(releases.UnreadableGuests())
        # Fails where nova-compute does not start.
        self.restart(driver=nova.PLUGIN_DRIVER)

        self.assertEqual(ADOPTED, self.record(fine))
        for server, reason in (
            (broken, 'the monitor does not answer'),
            (malformed, "mode='new'"),
        ):
            self.assertIsNone(self.record(server))
            (warning,) = self.warnings(server)
            self.assertIn('of this guest cannot be read: ', warning)
            self.assertIn(reason, warning)
        self.assertEqual(2, len(self.warnings()))
        # It is a guest without a record then.
        self._live.broken.clear()
        self.hard_reboot(broken)
        self.assertSwitchedOn(guest.BASELINE, broken)


class BackTestCase(base.LifeTestCase):
    """The plugin went and comes back, and Nova has started guests."""

    def setUp(self):
        super().setUp()
        self.plugin_flags(profile='minimal')
        self.start()
        self._server = self.boot(WINDOWS)
        self._record = self.record(self._server)

    def start_by_nova(self):
        self.restart(driver=nova.STOCK_DRIVER)
        self.hard_reboot(self._server)
        self.assertSwitchedOn(base.STOCK, self._server)
        self.assertEqual(self._record, self.record(self._server))

    def test_what_runs_goes_before_the_record(self):
        self.start_by_nova()

        self.restart(driver=nova.PLUGIN_DRIVER)

        self.assertEqual(ADOPTED, self.record(self._server))
        (warning,) = self.warnings(self._server)
        self.assertIn('does not run with the Hyper-V enlight', warning)
        self.hard_reboot(self._server)
        self.assertSwitchedOn(base.STOCK, self._server)
        self.restart()
        self.assertEqual(ADOPTED, self.record(self._server))
        self.assertEqual(1, len(self.warnings(self._server)))

    def test_what_does_not_run(self):
        # Its document may have been edited; nothing of it was started.
        self._stop_server(self._server)
        self._live.edits[self._server['id']] = nova_26

        self.restart()

        self.assertEqual(self._record, self.record(self._server))
        self.assertEqual([], self.warnings(self._server))

    def test_what_libvirt_has_made_of_a_mode(self):
        record = '1;host-model;mode=host-model;hypervclock'
        self.set_record(self._server, record)

        self.restart()

        self.assertEqual(record, self.record(self._server))

    def test_what_nova_itself_chose(self):
        self.restart(profile='stock', recorded_set='refresh')
        self.hard_reboot(self._server)
        record = self.record(self._server)
        self.assertIn(';mode=stock;', record)

        self.restart()

        self.assertEqual(record, self.record(self._server))

    def test_started_before_it_is_saved(self):
        # Nova resumes it before any record is saved.
        self.flags(resume_guests_state_on_host_boot=True)
        self.start_by_nova()
        self.set_record(self._server, None)
        self.connection().lookupByUUIDString(self._server['id']).destroy()

        self.restart(driver=nova.PLUGIN_DRIVER)

        self.assertSwitchedOn(base.STOCK, self._server)
        self.assertEqual(ADOPTED, self.record(self._server))
        # When it was built, and now.
        self.assertEqual(2, self._saves.count[self._server['id']])


class SavedTestCase(base.LifeTestCase):
    """How the records of adopted guests are saved."""

    COMPUTE_DRIVER = nova.STOCK_DRIVER

    def setUp(self):
        super().setUp()
        self.start()

    def adopter(self, *instances):
        """Return what has read these guests, and saved nothing."""
        driver = self.computes['one'].driver
        found = adoption.Adoption(driver._host)
        for instance in instances:
            found.note(instance)
        return found

    def write_beside(self, server):
        """Let somebody else write a key."""
        beside = self.instance(server)
        beside.system_metadata['somebody'] = 'else'
        beside.save()

    def test_keys_of_others(self):
        self.flags(
            notify_on_state_change='vm_and_task_state', group='notifications'
        )
        adopted, started = self.boot(WINDOWS), self.boot(WINDOWS)
        stale = [self.instance(server) for server in (adopted, started)]
        adopter = self.adopter(stale[0])
        for server in (adopted, started):
            self.write_beside(server)

        adopter.save()
        recorder.write(stale[1], record.decode(ADOPTED))

        for server, instance in zip((adopted, started), stale):
            found = self.instance(server).system_metadata
            self.assertEqual('else', found['somebody'])
            self.assertEqual(ADOPTED, found[recorder.KEY])
            self.assertNotIn('system_metadata', instance.obj_what_changed())

    def test_guests_that_something_is_done_with(self):
        server = self.boot(WINDOWS)
        adopter = self.adopter(self.instance(server))
        busy = self.instance(server)
        busy.task_state = task_states.REBOOTING_HARD
        busy.save()

        adopter.save()
        self.assertIsNone(self.record(server))

        busy.task_state = None
        busy.save()
        adopter.save()
        self.assertEqual(ADOPTED, self.record(server))
        self.assertEqual([], self.warnings())

    def test_guests_that_are_not_as_they_were(self):
        gone, recorded, moved = (self.boot(WINDOWS) for _ in range(3))
        adopter = self.adopter(
            *(self.instance(server) for server in (gone, recorded, moved))
        )
        self._delete_server(gone)
        self.set_record(recorded, '1;minimal;;relaxed')
        elsewhere = self.instance(moved)
        elsewhere.host = 'two'
        elsewhere.save()

        adopter.save()

        self.assertEqual('1;minimal;;relaxed', self.record(recorded))
        self.assertIsNone(self.record(moved))
        self.assertEqual([], self.warnings())

    def test_some_at_a_time(self):
        servers = [self.boot(WINDOWS) for _ in range(3)]
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_hyperv_enlight.virt.adoption.AT_A_TIME', 2
            )
        )
        saved = []
        self.restart(driver=nova.PLUGIN_DRIVER)
        for _ in range(2):
            saved.append(sum(self.record(s) is not None for s in servers))
            self._run_periodics()

        self.assertEqual([2, 3], saved)
        self.assertEqual({1}, set(self._saves.count.values()))

    def test_a_database_that_does_not_answer(self):
        servers = [self.boot(WINDOWS) for _ in range(2)]
        with test_databases.FullTable() as table:
            self.restart(driver=nova.PLUGIN_DRIVER)

        # The first one waits for the next start, the second for a minute.
        self.assertEqual(1, table.refused)
        (warning,) = self.warnings()
        self.assertIn('cannot be recorded: The table is full', warning)
        self.assertIn(servers[0]['id'], warning)
        self._run_periodics()
        self.assertEqual(
            [None, ADOPTED], [self.record(server) for server in servers]
        )


class HostBootTestCase(base.LifeTestCase):
    """Nova resumes the guests when their host has booted."""

    def setUp(self):
        super().setUp()
        self.flags(resume_guests_state_on_host_boot=True)
        self.start()

    def reboot_host(self, server, **kwargs):
        """Let the host boot: its guests are defined and do not run."""
        made = len(self._guest_xml.defined[server['id']])
        self.connection().lookupByUUIDString(server['id']).destroy()
        self.restart(**kwargs)
        self.assertLess(made, len(self._guest_xml.defined[server['id']]))

    def test_kept_and_decided_anew(self):
        server = self.boot(WINDOWS)
        before = self.record(server), self.enlightened(server)

        self.reboot_host(server, profile='minimal')
        self.assertEqual(
            before, (self.record(server), self.enlightened(server))
        )

        # Nova does not save the instance here.
        self.reboot_host(server, recorded_set='refresh')
        self.assertSwitchedOn(base.MINIMAL, server)
        self.assertEqual(
            '1;minimal;;relaxed,vapic,spinlocks=8191,hypervclock',
            self.record(server),
        )


class RemovedTestCase(base.LifeTestCase):
    """The operator goes back to Nova's own driver; records are left."""

    COMPUTE_DRIVER = nova.STOCK_DRIVER
    CAST_AS_CALL = False

    def test_nova_works_as_if_it_had_never_been(self):
        self.start()
        server = self.boot(WINDOWS)
        never = self.live(server)
        self.restart(driver=nova.PLUGIN_DRIVER, recorded_set='refresh')
        self.hard_reboot(server)
        self.assertSwitchedOn(guest.BASELINE, server)
        record = self.record(server)

        self.restart(driver=nova.STOCK_DRIVER)

        self.assertEqual(never, self.live(server))
        self.assertEqual(record, self.record(server))

    def live(self, server):
        """Return the documents of a server's actions."""
        documents = []
        for action in (self.hard_reboot, self._rebuild, self._stop_and_start):
            action(server)
            documents.append(nova.timeless(self.defined_xml(server)))
        return documents

    def _rebuild(self, server):
        self._rebuild_server(server, self.instance(server).image_ref)

    def _stop_and_start(self, server):
        self._stop_server(server)
        self._start_server(server)
