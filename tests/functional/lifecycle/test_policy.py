# SPDX-License-Identifier: Apache-2.0

"""Servers that live on under another policy of the operator."""

from tests.functional import guest
from tests.functional.lifecycle import base

WINDOWS = base.WINDOWS
GOLD = """\
gold:
  extends: minimal
  on: [runtime]
"""


class TightenedTestCase(base.LifeTestCase):
    """What was allowed when a server was built, and is not any more."""

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
