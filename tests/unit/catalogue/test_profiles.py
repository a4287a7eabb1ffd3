# SPDX-License-Identifier: Apache-2.0

import operator

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from tests import sets
from tests.unit import base

PROFILES = profiles.PROFILES

NAMES = (
    ('none', set()),
    ('minimal', sets.MINIMAL),
    ('baseline', sets.BASELINE),
    ('performance', sets.PERFORMANCE),
    ('nested', sets.NESTED),
)

MODES = (
    ('none', profiles.Mode.CUSTOM),
    ('stock', profiles.Mode.STOCK),
    ('minimal', profiles.Mode.CUSTOM),
    ('baseline', profiles.Mode.CUSTOM),
    ('performance', profiles.Mode.CUSTOM),
    ('nested', profiles.Mode.CUSTOM),
    ('host-model', profiles.Mode.HOST_MODEL),
    ('passthrough', profiles.Mode.PASSTHROUGH),
)


@ddt.ddt
class ProfilesTestCase(base.TestCase):
    """The built-in profiles."""

    def test_names_published(self):
        # nova.conf, flavors and images hold them: append only.
        self.assertEqual(
            [name for name, _ in MODES], list(PROFILES)[: len(MODES)]
        )
        self.assertEqual([], list(PROFILES)[len(MODES) :])

    @ddt.unpack
    @ddt.data(*NAMES)
    def test_names(self, name, names):
        self.assertEqual(names, PROFILES[name].features)

    @ddt.unpack
    @ddt.data(*MODES)
    def test_mode(self, name, mode):
        self.assertIs(mode, PROFILES[name].mode)

    @ddt.data(*PROFILES)
    def test_names_exist(self, name):
        self.assertEqual(
            set(), PROFILES[name].features - set(enlightenments.ENLIGHTENMENTS)
        )

    @ddt.data(*PROFILES)
    def test_names_closed(self, name):
        # On Intel emsr_bitmap and tlbflush.direct want evmcs besides.
        names = PROFILES[name].features
        needed = {
            required
            for each in names
            for vendor in (None, *model.Vendor)
            for required in enlightenments.ENLIGHTENMENTS[each].requirements(
                vendor
            )
        }
        self.assertEqual(set(), needed - names)

    def test_reenlightenment_in_none(self):
        # A guest that uses it cannot be live migrated: Nova bug 2046549.
        self.assertEqual(
            [],
            [
                n
                for n, p in PROFILES.items()
                if 'reenlightenment' in p.features
            ],
        )

    def test_migratable(self):
        self.assertEqual(
            ['passthrough'],
            [name for name, p in PROFILES.items() if not p.migratable],
        )

    def test_listed(self):
        self.assertEqual(
            {'nested', 'host-model', 'passthrough'},
            {name for name, p in PROFILES.items() if p.listed},
        )

    @ddt.unpack
    @ddt.data(('host-model', (11, 9, 0)), ('passthrough', (8, 0, 0)))
    def test_min_libvirt(self, name, version):
        self.assertEqual(version, PROFILES[name].min_libvirt)

    @ddt.data(*PROFILES)
    def test_values_are_allowed(self, name):
        for key, text in PROFILES[name].values:
            value = enlightenments.VALUES[key].value
            self.assertEqual(text, value.check(text))

    @ddt.data(*PROFILES)
    def test_summary(self, name):
        self.assertRegex(PROFILES[name].summary, r'\A\S.*\.\Z')
        self.assertEqual(name, PROFILES[name].name)

    def test_read_only(self):
        self.assertRaises(TypeError, operator.setitem, PROFILES, 'x', None)
