# SPDX-License-Identifier: Apache-2.0

"""Hosts that break under a running nova-compute."""

import ddt
import fixtures

from tests.fixtures import nova
from tests.functional import base
from tests.functional import guest

WINDOWS = {'os_type': 'windows'}
LINUX = {'os_type': 'linux'}
OLD = ('relaxed', 'vapic', 'spinlocks', 'vpindex', 'runtime')
NEW = (*OLD, 'synic', 'reset')


def wrong_document(number):
    """Return a document that is no answer, by its number."""
    whole = base.hyperv_document(*NEW)
    bomb = ''.join(
        f"<!ENTITY {name} '{f'&{former};' * 10}'>"
        for former, name in zip('abcdefgh', 'bcdefghi', strict=True)
    )
    return (
        '',
        whole[: len(whole) // 2],
        whole[:-2],
        '<domain/>',
        whole.replace('<arch>x86_64<', '<arch>ppc64le<'),
        f"<!DOCTYPE x [<!ENTITY a 'lol'>{bomb}]>" + whole.lstrip(),
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">' + whole.lstrip(),
        '\0',
        None,
        42,
    )[number]


@ddt.ddt
class BrokenTestCase(guest.GuestTestCase):
    """Nova has started, and libvirt fails the plugin afterwards."""

    def setUp(self):
        super().setUp()
        self.start_host(base.hyperv_document(*OLD))
        self.started = self.driver()
        self._log = self.useFixture(nova.LogRecords(nova.PLUGIN_LOGGER))

    def on(self, properties=WINDOWS):
        config = self.config(self.started, properties)
        return guest.switched_on(config.format_dom())

    def go_away(self):
        """Let libvirt answer Nova, which caches more, and not the plugin.

        :returns: what lets it come back
        """

        def fail():
            raise base.libvirt_error('client socket is closed')

        probe = self.started._enlightener._probe
        real, probe._connect = probe._connect, fail
        return lambda: setattr(probe, '_connect', real)

    def warnings(self):
        return [
            record.getMessage()
            for record in self._log.records
            if record.levelname == 'WARNING'
        ]

    def test_away_between_two_builds(self):
        before = self.on()
        come_back = self.go_away()

        during = [self.on() for _ in range(3)]
        linux = self.config(self.started, LINUX)
        come_back()
        after = self.on()

        self.assertEqual([before] * 4, [*during, after])
        self.assertIsNone(linux.format_dom().find('features/hyperv'))
        (warning,) = self.warnings()
        self.assertIn('its last answers are used', warning)

    def test_qemu_is_upgraded(self):
        before = self.on()
        self.useFixture(base.DomainCapabilities(base.hyperv_document(*NEW)))
        kept = self.on()
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.tests.fixtures.libvirt.Connection.getVersion',
                lambda connection: 9001000,
            )
        )

        after = self.on()

        # The document is asked for anew because the release is another one.
        self.assertEqual(before, kept)
        self.assertEqual({'synic', 'reset'}, after - before)
        said = [
            record.getMessage()
            for record in self._log.records
            if 'have become' in record.getMessage()
        ]
        self.assertEqual(1, len(said))
        self.assertIn('QEMU 9.1.0: the host is asked again', said[0])

    @ddt.data(*range(10))
    def test_a_wrong_document(self, number):
        self.useFixture(
            base.DomainCapabilities(
                {'q35': wrong_document(number) or '', None: None}
            )
        )
        properties = {**WINDOWS, 'hw_machine_type': 'q35'}

        found = [self.on(properties) for _ in range(3)]

        self.assertEqual([found[0]] * 3, found)
        (warning,) = self.warnings()
        self.assertIn('x86_64/kvm (machine type q35)', warning)
        self.assertTrue(warning.isprintable())
