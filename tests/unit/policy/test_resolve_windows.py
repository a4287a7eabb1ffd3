# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.policy import request
from nova_hyperv_enlight.policy import resolve
from nova_hyperv_enlight.policy import settings
from tests.unit.policy import cases

OLDEST = 'Windows 2000, XP and Server 2003 know nothing of it'
HANGS = 'Windows 7 and Server 2008 R2 hang on UEFI with enlightenments'
VISTA = cases.BASELINE - {'relaxed', 'synic', 'stimer', 'stimer.direct', 'ipi'}


@ddt.ddt
class WindowsTestCase(cases.ResolveTestCase):
    """A release of Windows takes names away from a profile."""

    def decide(self, distro, firmware='bios', specs=None, **options):
        req = request.from_properties(
            os_type='windows',
            extra_specs=specs or {},
            image_properties={
                'os_distro': distro,
                'hw_firmware_type': firmware,
            },
        )
        return resolve.resolve(settings.Settings(**options), req, cases.HOST)

    @ddt.unpack
    @ddt.data(
        ('winxp', 'bios', cases.MINIMAL),
        ('win2k3', 'bios', cases.MINIMAL),
        ('winvista', 'bios', VISTA),
        ('win2k8', 'uefi', VISTA),
        ('win7', 'bios', cases.BASELINE),
        ('win7', 'uefi', ()),
        ('win2k8r2', 'bios', cases.BASELINE),
        ('win2k8r2', 'uefi', ()),
        ('win8', 'uefi', cases.BASELINE),
        ('win2k12', 'uefi', cases.BASELINE),
        ('win10', 'uefi', cases.BASELINE),
        ('win2k25', 'uefi', cases.BASELINE),
        ('win99', 'uefi', cases.BASELINE),
    )
    def test_resolve_release(self, distro, firmware, names):
        self.check_on(names, self.decide(distro, firmware))

    def test_resolve_release_in_a_smaller_profile(self):
        self.check_on(
            cases.MINIMAL - {'relaxed'},
            self.decide('winvista', profile='minimal'),
        )

    @ddt.unpack
    @ddt.data(
        ('winxp', 'bios', 'synic', OLDEST),
        ('win7', 'uefi', 'relaxed', HANGS),
        (
            'winvista',
            'bios',
            'ipi',
            'Windows Vista and Server 2008 came before it',
        ),
    )
    def test_resolve_release_says_why(self, distro, firmware, name, text):
        decided = self.decide(distro, firmware)
        self.check_outcome(
            decided,
            name,
            'off',
            'windows',
            'windows',
            f'{name!r} is off: {text}.',
        )
        self.assertTrue(self.outcome(decided, name).wanted)

    def test_resolve_release_overruled(self):
        # What is asked for by its name is given.
        decided = self.decide('winvista', specs={'hyperv_enlight:ipi': 'on'})
        self.check_on(VISTA | {'ipi'}, decided)

    @ddt.data('host-model', 'passthrough')
    def test_resolve_release_instead_of_a_mode(self, profile):
        # Nothing can be taken away from what others choose.
        decided = self.decide('winxp', profile=profile)
        self.assertIs(profiles.Mode.CUSTOM, decided.selection.mode)
        self.check_on(cases.MINIMAL, decided)

    def test_resolve_release_and_stock(self):
        self.assertFalse(self.decide('winxp', profile='stock').acts)
