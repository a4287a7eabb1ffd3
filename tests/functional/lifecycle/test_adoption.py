# SPDX-License-Identifier: Apache-2.0

"""Guests that were started before the plugin was there, or after it went."""

from lxml import etree

from tests.fixtures import nova
from tests.fixtures import releases
from tests.functional import base as functional_base
from tests.functional import guest
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
