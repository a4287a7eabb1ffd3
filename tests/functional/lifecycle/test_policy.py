# SPDX-License-Identifier: Apache-2.0

"""Servers that live on under another policy of the operator."""

import ddt
import fixtures

from tests.functional import guest
from tests.functional.lifecycle import base
from tests.functional.lifecycle import test_anew

WINDOWS = base.WINDOWS
XMM_INPUT = {**WINDOWS, 'hyperv_enlight_xmm_input': 'on'}
GOLD = """\
gold:
  extends: minimal
  on: [runtime]
"""


class PolicyTestCase(base.LifeTestCase):
    """Looks at what is passed over when a server is started again."""

    def setUp(self):
        super().setUp()
        self.start()

    def check_passed_over(self, server, *words):
        (warning,) = self.warnings(server)
        self.assertTrue(
            warning.startswith('This guest was started before, and '), warning
        )
        for word in words:
            self.assertIn(word, warning)


class TightenedTestCase(PolicyTestCase):
    """What was allowed when a server was built, and is not any more."""

    def test_a_name_of_an_image(self):
        image = {**WINDOWS, 'hyperv_enlight_xmm_input': 'on'}
        server = self.boot(image)
        before = self.enlightened(server)
        self.restart(image_overridable=[])

        self.hard_reboot(server)

        self.assertEqual(before, self.enlightened(server))
        self.check_passed_over(
            server, 'The image property hyperv_enlight_xmm_input'
        )
        self.assertIn('is not allowed', self.boot_error(image))

    def test_a_name_at_the_boot_of_the_host(self):
        self.flags(resume_guests_state_on_host_boot=True)
        server = self.boot({**WINDOWS, 'hyperv_enlight_xmm_input': 'on'})
        self.connection().lookupByUUIDString(server['id']).destroy()
        self.restart(image_overridable=[])

        server = self._wait_for_state_change(server, 'ACTIVE')

        self.assertSwitchedOn(guest.BASELINE | {'xmm_input'}, server)
        self.check_passed_over(server, 'hyperv_enlight_xmm_input')

    def test_a_profile_that_is_gone(self):
        path = self.useFixture(base.fixtures.TempDir()).join('profiles.yaml')
        with open(path, 'w') as stream:
            stream.write(GOLD)
        self.restart(profiles_file=path)
        server = self.boot(WINDOWS, {'hyperv_enlight:profile': 'gold'})
        before = self.enlightened(server)
        self.restart(profiles_file=None)

        self.hard_reboot(server)

        self.assertEqual(before, self.enlightened(server))
        self.assertSwitchedOn(base.MINIMAL | {'runtime'}, server)
        self.check_passed_over(server, 'hyperv_enlight:profile=gold')

    def test_what_is_forced_off(self):
        server = self.boot(WINDOWS, {'hyperv_enlight:stimer': 'on'})
        self.restart(force_off=['synic'])

        self.hard_reboot(server)

        self.assertSwitchedOn(
            guest.BASELINE - {'synic', 'stimer', 'stimer.direct'}, server
        )

    def test_stock_and_a_name_that_is_forced_off(self):
        server = self.boot(WINDOWS, {'hyperv_enlight:profile': 'stock'})
        self.assertSwitchedOn(base.STOCK, server)
        self.restart(force_off=['reset'])

        self.hard_reboot(server)

        self.assertSwitchedOn(frozenset(base.STOCK) - {'reset'}, server)
        self.check_passed_over(server, "Profile 'stock'")


@ddt.ddt
class WithoutRecordTestCase(PolicyTestCase):
    """The same of a server whose record is gone."""

    CAST_AS_CALL = False

    @ddt.data({'enabled': False}, {'mode': 'shadow'})
    def test_started_with_the_plugin_off(self, options):
        server = self.boot(XMM_INPUT)
        self.restart(**options)
        self.hard_reboot(server)
        self.assertIsNone(self.record(server))
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.virt.libvirt.driver.LibvirtDriver.snapshot',
                test_anew.snapshot,
            )
        )
        self._shelve_server(server, expected_state='SHELVED_OFFLOADED')
        self.restart(enabled=True, mode='enforce', image_overridable=[])

        self._unshelve_server(server)

        self.assertSwitchedOn(guest.BASELINE, server)
        self.check_passed_over(server, 'hyperv_enlight_xmm_input')

    def test_a_rebuild_that_is_refused(self):
        server = self.boot(XMM_INPUT)
        self.restart(image_overridable=[])

        self.api.post_server_action(
            server['id'], {'rebuild': {'imageRef': self.image(XMM_INPUT)}}
        )
        server = self._wait_for_state_change(server, 'ERROR')
        self.assertIn('is not allowed', server['fault']['message'])
        self.assertEqual([], self.warnings(server))

        self.hard_reboot(server)
        self.assertSwitchedOn(guest.BASELINE, server)
        self.check_passed_over(server, 'hyperv_enlight_xmm_input')


class BuiltTestCase(base.LifeTestCase):
    """A build that failed left a record, and no server."""

    CAST_AS_CALL = False

    def test_another_host_refuses_as_the_first_would(self):
        self.flags(max_attempts=2, group='scheduler')
        self.start('one')
        self.start('two', names=sorted(set(base.RICH) - {'xmm_input'}))
        self.computes['one'].driver._create_guest_with_network = self._fail

        message = self.boot_error(XMM_INPUT)

        self.assertIn("'xmm_input', which the image asks for", message)

    def _fail(self, *args, **kwargs):
        raise ValueError('QEMU does not start')


class HostModelTestCase(base.LifeTestCase):
    def test_it_is_recorded_by_what_libvirt_chooses(self):
        self.start()

        server = self.boot(WINDOWS, {'hyperv_enlight:profile': 'host-model'})

        self.assertTrue(
            self.record(server).startswith(
                '1;host-model;mode=host-model;relaxed,vapic,spinlocks,'
            ),
            self.record(server),
        )
