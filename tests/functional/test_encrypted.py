# SPDX-License-Identifier: Apache-2.0

"""Guests whose memory is encrypted: SEV, SEV-ES, SEV-SNP and TDX."""

import fixtures
from nova.virt.libvirt import config as vconfig
from nova.virt.libvirt import driver

from tests.functional import base
from tests.functional import guest

# SEV-ES is SEV with another policy; the releases differ in what they know.
KINDS = [
    getattr(vconfig, name)
    for name in (
        'LibvirtConfigGuestSEVLaunchSecurity',
        'LibvirtConfigGuestSEVSNPLaunchSecurity',
        'LibvirtConfigGuestTDXLaunchSecurity',
    )
    if hasattr(vconfig, name)
]


class EncryptedTestCase(guest.GuestTestCase):
    def encrypt(self, kind):
        """Let Nova encrypt all guests that it configures from now on."""
        real = driver.LibvirtDriver._get_guest_config

        def encrypted(*args, **kwargs):
            config = real(*args, **kwargs)
            config.launch_security = kind()
            return config

        return fixtures.MonkeyPatch(
            'nova.virt.libvirt.driver.LibvirtDriver._get_guest_config',
            encrypted,
        )

    def test_no_enlightenments(self):
        self.start_host(base.hyperv_document('relaxed', 'vapic'))
        self.assertIn('relaxed', guest.switched_on(self.domain(WINDOWS)))
        self.assertTrue(KINDS)
        for kind in KINDS:
            with self.encrypt(kind):
                domain = self.domain(WINDOWS)

            self.assertIsNotNone(domain.find('./launchSecurity'))
            self.assertIsNone(domain.find('./features/hyperv'))
            self.assertEqual([], list(guest.switched_on(domain)))


WINDOWS = {'os_type': 'windows'}
