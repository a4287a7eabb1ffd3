# SPDX-License-Identifier: Apache-2.0

"""verify_host: guests say what they are shown when nova-compute starts."""

import fixtures

from nova_hyperv_enlight import exception
from tests.functional import base
from tests.functional import guest

WINDOWS = {'os_type': 'windows'}
_OFFERED = guest.BASELINE - {'hypervclock'}


class Guests(fixtures.Fixture):
    """Stands in for what looks into guests; Nova's fake libvirt has none.

    :param answer: the names that they are not shown, or an exception.
    :ivar asked: what it was called with.
    """

    def __init__(self, answer):
        super().__init__()
        self.asked = []
        self._answer = answer

    def _setUp(self):
        # As the entry point names it.
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_hyperv_enlight.guest.exclusion.not_shown', self._ask
            )
        )

    def _ask(self, connection, asked, state_path):
        self.asked.append((connection, asked, state_path))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class VerifyHostTestCase(guest.PluginTestCase):
    def start(self, answer, verify_host=True, **kwargs):
        """Start nova-compute; return how guests were asked."""
        self.plugin_flags(verify_host=verify_host)
        guests = self.useFixture(Guests(answer))
        self.start_host(base.hyperv_document(*_OFFERED), **kwargs)
        return guests.asked

    def warnings(self):
        return [
            record.getMessage()
            for record in self._plugin_log.records
            if record.levelname == 'WARNING'
        ]

    def test_what_is_not_shown_is_left_out(self):
        asked = self.start(frozenset(['synic', 'evmcs']))

        server = self.boot(WINDOWS)

        self.assertSwitchedOn(
            guest.BASELINE - {'synic', 'stimer', 'stimer.direct'}, server
        )
        (line,) = self.plugin_lines(server)
        self.assertIn('not shown to a guest on this host', line)
        ((_, sources, state_path),) = asked
        self.assertEqual('kvm', sources.virt_type)
        self.assertEqual(self._state_path(), state_path)
        # evmcs was not offered before either.
        self.assertEqual(
            [
                'Hyper-V enlightenments: this host offers synic, and its '
                'guests are not shown it: it is left out.'
            ],
            self.warnings(),
        )

    def _state_path(self):
        return next(iter(self.computes.values())).driver._enlightener._conf[
            'state_path'
        ]

    def test_all_is_shown(self):
        self.start(frozenset())

        server = self.boot(WINDOWS)

        self.assertSwitchedOn(guest.BASELINE, server)
        self.assertEqual([], self.warnings())

    def test_a_failure_stops_nothing(self):
        self.start(exception.GuestFailed(reason='it wrote nothing'))

        server = self.boot(WINDOWS)

        self.assertSwitchedOn(guest.BASELINE, server)
        (warning,) = self.warnings()
        self.assertIn('it wrote nothing', warning)

    def test_a_bug_stops_nothing(self):
        self.start(RuntimeError('a bug'))

        self.assertSwitchedOn(guest.BASELINE, self.boot(WINDOWS))

    def test_nobody_is_asked_by_default(self):
        asked = self.start(frozenset(['synic']), verify_host=False)

        server = self.boot(WINDOWS)

        self.assertEqual([], asked)
        self.assertSwitchedOn(guest.BASELINE, server)

    def test_nobody_is_asked_where_nothing_is_offered(self):
        asked = self.start(frozenset(), kernel=guest.PLAIN)

        self.assertEqual([], asked)

    def test_traits(self):
        self.start(frozenset(['synic']))

        names = self._get_provider_traits(self._provider())
        self.assertIn('CUSTOM_HYPERV_VPINDEX', names)
        self.assertNotIn('CUSTOM_HYPERV_SYNIC', names)

    def _provider(self):
        return self._get_provider_uuid_by_host('compute1')
