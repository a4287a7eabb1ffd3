# SPDX-License-Identifier: Apache-2.0
"""The short form: boot, reboot, switch the plugin off and on again."""

from tests.cloud import base


class ShortTestCase(base.CloudTestCase):
    """What an operator tries first."""

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.cloud.restart_compute)

    def test_windows_and_linux_while_the_plugin_goes_and_comes(self) -> None:
        windows = self.boot('windows')
        linux = self.boot('linux')
        first = self.enlightenments(windows)
        self.assertEqual(set(), self.enlightenments(linux))
        self._check_guest(windows, first)

        before = self.process(windows)
        self.hard_reboot(windows)
        self.assertNotEqual(before, self.process(windows))
        self.assertEqual(first, self.enlightenments(windows))

        before = self.process(windows), self.process(linux)
        self.cloud.restart_compute(enabled='false')
        # Nobody's guest is touched by a restart.
        self.assertEqual(before, (self.process(windows), self.process(linux)))
        self.assertEqual(first, self.enlightenments(windows))
        self.hard_reboot(linux)
        self.assertEqual(set(), self.enlightenments(linux))
        self.reboot_as_stock(windows)

        self.cloud.restart_compute()
        self.hard_reboot(windows)
        self.assertEqual(first, self.enlightenments(windows))

    def _check_guest(self, server, names) -> None:
        """Compare with what the guest has read from its CPUID."""
        if base.kvm_has_hyperv():
            self.assertLessEqual(base.BASELINE, names)
        else:
            self.assertEqual(set(), names)
        self.assertEqual(
            base.kvm_has_hyperv(), self.sees_hyperv(server), server.name
        )
