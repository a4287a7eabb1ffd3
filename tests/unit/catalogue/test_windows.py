# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.catalogue import windows
from tests.unit import base
from tests.unit.catalogue import facts

NAMES = frozenset(enlightenments.ENLIGHTENMENTS)
MINIMAL = profiles.PROFILES['minimal'].features
VISTA = {'relaxed', 'synic', 'ipi'} | facts.dependents('synic')

# libosinfo's identifier, the kernel's version, what os_version may say.
RELEASES = (
    ('win2k', '5.0', '2000'),
    ('winxp', '5.1', 'XP'),
    ('win2k3', '5.2', '2003'),
    ('win2k3r2', '5.2', '2003 R2'),
    ('winvista', '6.0', 'Vista'),
    ('win2k8', '6.0', '2008'),
    ('win7', '6.1', '7'),
    ('win2k8r2', '6.1', '2008 R2'),
    ('win8', '6.2', '8'),
    ('win2k12', '6.2', '2012'),
    ('win8.1', '6.3', '8.1'),
    ('win2k12r2', '6.3', '2012-R2'),
    ('win10', '10.0', '10'),
    ('win2k16', '10.0', '2016'),
    ('win2k19', '10.0', '2019'),
    ('win2k22', '10.0', '2022'),
    ('win11', '10.0', '11'),
    ('win2k25', '10.0', '2025'),
)


@ddt.ddt
class FindTestCase(base.TestCase):
    """The release that an image names."""

    def test_releases_all_here(self):
        self.assertEqual(
            [(distro, nt) for distro, nt, _ in RELEASES],
            [(release.distro, release.nt) for release in windows.RELEASES],
        )

    @ddt.data(*RELEASES)
    @ddt.unpack
    def test_find_by_distro(self, distro, nt, _version):
        for spelling in (distro, distro.upper()):
            found = windows.find(spelling, None)
            self.assertEqual((distro, nt), (found.distro, found.nt))

    @ddt.data(*RELEASES)
    @ddt.unpack
    def test_find_by_version(self, distro, _nt, version):
        for spelling in (
            version,
            version.lower(),
            f'Windows {version}',
            f'Windows Server {version}',
            f'windows_{version}',
        ):
            found = windows.find('windows', spelling)
            self.assertEqual(distro, found.distro, spelling)

    @ddt.data(*sorted({nt for _, nt, _ in RELEASES}))
    def test_find_by_kernel(self, nt):
        self.assertEqual(nt, windows.find('Windows', nt).nt)

    def test_find_distro_before_version(self):
        self.assertEqual('win7', windows.find('win7', '2022').distro)

    @ddt.unpack
    @ddt.data(
        (None, None),
        ('', ''),
        ('windows', None),
        ('windows', ''),
        ('windows', '2030'),
        ('windows', '12'),
        ('ubuntu', '10'),
        ('win99', '10'),
        (None, '2022'),
    )
    def test_find_unknown(self, distro, version):
        self.assertIsNone(windows.find(distro, version))

    @ddt.data('windows', 'Windows', 'win2k22', 'WIN11', 'winxp')
    def test_is_windows(self, distro):
        self.assertTrue(windows.is_windows(distro))

    @ddt.data(None, '', 'ubuntu', 'win99', 'windows 10', 'linux')
    def test_is_not_windows(self, distro):
        self.assertFalse(windows.is_windows(distro))


@ddt.ddt
class RuleForTestCase(base.TestCase):
    """What a release must not be given."""

    @ddt.unpack
    @ddt.data(
        ('win2k', 'bios', NAMES - MINIMAL),
        ('winxp', 'bios', NAMES - MINIMAL),
        ('win2k3', 'uefi', NAMES - MINIMAL),
        ('win2k3r2', 'bios', NAMES - MINIMAL),
        ('winvista', 'bios', VISTA),
        ('win2k8', 'uefi', VISTA),
        ('win7', 'uefi', NAMES),
        ('win2k8r2', 'uefi', NAMES),
    )
    def test_rule_for(self, distro, firmware, removes):
        rule = windows.rule_for(windows.find(distro, None), firmware)
        self.assertEqual(removes, rule.removes)

    @ddt.unpack
    @ddt.data(
        ('win7', 'bios'),
        ('win2k8r2', 'bios'),
        *(
            (distro, firmware)
            for distro, nt, _ in RELEASES
            for firmware in ('bios', 'uefi')
            if nt >= '6.2' or nt == '10.0'
        ),
    )
    def test_rule_for_none(self, distro, firmware):
        release = windows.find(distro, None)
        self.assertIsNone(windows.rule_for(release, firmware))

    @ddt.data('bios', 'uefi')
    def test_rule_for_unknown(self, firmware):
        self.assertIsNone(windows.rule_for(None, firmware))

    @ddt.data(*windows.RULES)
    def test_rules_say_why(self, rule):
        self.assertRegex(rule.text, r'\AWindows .*[^.\s]\Z')
        self.assertNotEqual((), rule.ref)
        self.assertEqual(frozenset(), rule.removes - NAMES)

    @ddt.data(*windows.RULES)
    def test_rules_leave_a_closed_set(self, rule):
        left = NAMES - rule.removes
        for name in left:
            needs = enlightenments.ENLIGHTENMENTS[name].requires
            self.assertEqual(set(), set(needs) - left, name)
