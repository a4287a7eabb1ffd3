# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import windows
from nova_hyperv_enlight.domains import recognition
from nova_hyperv_enlight.domxml import domain
from tests.unit import base
from tests.unit.domains import guests

WINDOWS_10 = 'http://microsoft.com/win/10'


def make(image=None, osinfo=None, offset='utc'):
    return guests.make(
        nova=None if image is None else domain.Nova(image=image),
        osinfo=osinfo,
        clock_offset=offset,
    )


@ddt.ddt
class RecognitionTestCase(base.TestCase):
    @ddt.unpack
    @ddt.data(
        (make({'os_type': 'windows'}), True),
        (make({'os_type': 'Windows'}), True),
        (make({'os_type': 'linux'}), False),
        (make({'os_type': 'linux', 'os_distro': 'win10'}), False),
        (make({'os_distro': 'win10'}), True),
        (make({'os_distro': 'windows'}), True),
        (make({'os_distro': 'ubuntu'}), False),
        # An older Nova, which writes no properties.
        (make({}, offset='localtime'), True),
        (make({}), False),
        # Local time is Nova's way to say it, and nobody else's.
        (make(offset='localtime'), False),
        (make({'os_type': 'linux'}, offset='localtime'), False),
        (make(osinfo=WINDOWS_10), True),
        (make(osinfo='http://microsoft.com/msdos/6.22'), False),
        (make(osinfo='http://debian.org/debian/13'), False),
        (make(), False),
    )
    def test_is_windows(self, guest, expected):
        self.assertIs(expected, recognition.is_windows(guest))

    @ddt.unpack
    @ddt.data(
        (make({'os_distro': 'win7'}, WINDOWS_10), 'win7'),
        (make({}, WINDOWS_10), 'win10'),
        (make(osinfo='http://debian.org/debian/13'), None),
        (make(), None),
    )
    def test_distro(self, guest, expected):
        self.assertEqual(expected, recognition.distro(guest))

    def test_every_release_of_the_table_is_found_by_libosinfo(self):
        for release in windows.RELEASES:
            word = release.distro.removeprefix('win')
            guest = make(osinfo=f'http://microsoft.com/win/{word}')
            self.assertIs(release, recognition.release(guest))

    def test_to_request(self):
        guest = guests.make(
            nova=domain.Nova(
                image={'os_type': 'windows', 'hw_cpu_policy': 'dedicated'},
                extra_specs={'hyperv_enlight:ipi': 'off'},
            ),
            osinfo='http://microsoft.com/win/2k22',
            firmware='uefi',
            nested=True,
        )

        asked = recognition.to_request(guest)

        self.assertTrue(asked.is_windows)
        self.assertEqual('win2k22', asked.release.distro)
        self.assertEqual('uefi', asked.firmware)
        self.assertTrue(asked.dedicated)
        self.assertIs(True, asked.nested)
        self.assertFalse(asked.flavor.features['ipi'].on)
        self.assertEqual({}, asked.image.features)

    def test_to_request_of_a_guest_that_nova_does_not_manage(self):
        asked = recognition.to_request(guests.make())

        self.assertTrue(asked.is_windows)
        self.assertEqual('win11', asked.release.distro)
        self.assertEqual({}, asked.flavor.features)
