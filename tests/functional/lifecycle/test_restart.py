# SPDX-License-Identifier: Apache-2.0

"""A guest that is started again on the same host."""

from tests.functional.lifecycle import base

WINDOWS = base.WINDOWS


class KeptTestCase(base.LifeTestCase):
    """Guests of an operator who has changed the default profile since."""

    def setUp(self):
        super().setUp()
        self.plugin_flags(profile='minimal')
        self.start()
        self._server = self.boot(WINDOWS)
        self._before = self.enlightened(self._server)
        self._record = self.record(self._server)
        self.restart(profile='performance')

    def check_kept(self):
        self.assertEqual(self._before, self.enlightened(self._server))
        self.assertEqual(self._record, self.record(self._server))
        self.assertSwitchedOn(base.MINIMAL, self._server)
        # Once, when it was started first.
        self.assertEqual(1, self._saves.count[self._server['id']])
        self.assertEqual([], self.warnings())

    def count(self):
        """Return how often Nova handed a document to libvirt."""
        return len(self._guest_xml.defined[self._server['id']])

    def test_kept(self):
        self.check_kept()
        for action in (
            self.hard_reboot,
            self._stop_and_start,
            self._rescue,
            self._shelve,
        ):
            made = self.count()
            action(self._server)
            self.assertLess(made, self.count(), action)
            self.check_kept()

    def _stop_and_start(self, server):
        self._stop_server(server)
        self._start_server(server)

    def _rescue(self, server):
        self.rescue(server)
        self.check_kept()
        self.unrescue(server)

    def _shelve(self, server):
        self.flags(shelved_offload_time=0)
        self._shelve_server(server)
        self._unshelve_server(server)
