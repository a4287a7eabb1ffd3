# SPDX-License-Identifier: Apache-2.0

"""Flavors, checked by nova-api when they are made."""

import pathlib

import fixtures

from nova.tests.functional.api import client
from nova.tests.functional import integrated_helpers

from nova_hyperv_enlight.catalogue import enlightenments
from tests.fixtures import server

CHECKED = '2.86'
UNCHECKED = '2.85'


class FlavorTestCase(
    server.ServerMixin, integrated_helpers._IntegratedTestBase
):
    """nova-api alone: no host is started."""

    def _setup_compute_service(self):
        pass

    def set_spec(self, spec, value, microversion=CHECKED):
        """Make a flavor and give it one extra spec."""
        self.api.microversion = microversion
        flavor = self._create_flavor()
        self.api.post_extra_spec(flavor, {'extra_specs': {spec: value}})
        return self.api.get_extra_specs(flavor)

    def refused(self, spec, value):
        error = self.assertRaises(
            client.OpenStackApiException, self.set_spec, spec, value
        )
        self.assertEqual(400, error.response.status_code)
        return str(error)


class AcceptedTestCase(FlavorTestCase):
    def test_every_name(self):
        flavor = self._create_flavor()
        specs = {
            f'hyperv_enlight:{name}': value
            for name in enlightenments.ENLIGHTENMENTS
            for value in ('on', 'off')
        }
        self.api.microversion = CHECKED

        self.api.post_extra_spec(flavor, {'extra_specs': specs})

        self.assertEqual(specs, self.api.get_extra_specs(flavor))

    def test_values(self):
        flavor = self._create_flavor()
        specs = {
            'hyperv_enlight:profile': 'an-operators-own',
            'hyperv_enlight:spinlocks.retries': '4294967295',
            'hyperv_enlight:vendor_id.value': 'KVM Hv',
        }
        self.api.microversion = CHECKED

        self.api.post_extra_spec(flavor, {'extra_specs': specs})

        self.assertEqual(specs, self.api.get_extra_specs(flavor))

    def test_other_namespaces_are_left_to_others(self):
        self.assertEqual(
            {'quota:cpu_shares': '1024'},
            self.set_spec('quota:cpu_shares', '1024'),
        )

    def test_an_old_microversion_checks_nothing(self):
        spec = 'hyperv_enlight:stimr'

        self.assertEqual(
            {spec: 'on'}, self.set_spec(spec, 'on', microversion=UNCHECKED)
        )


class ProfileTestCase(FlavorTestCase):
    """Profiles of the operator's own."""

    SPEC = 'hyperv_enlight:profile'

    def setUp(self):
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())

    def set_file(self, text):
        folder = self.useFixture(fixtures.TempDir()).path
        path = pathlib.Path(folder, 'profiles.yaml')
        path.write_text(text)
        self.flags(profiles_file=str(path), group='hyperv_enlight')
        return path

    def test_a_built_in_one(self):
        self.set_spec(self.SPEC, 'host-model')

        self.assertNotIn('profile', self.log.output)

    def test_one_that_only_a_compute_node_knows(self):
        self.assertEqual({self.SPEC: 'gold'}, self.set_spec(self.SPEC, 'gold'))
        self.assertIn(
            'hyperv_enlight:profile=gold is not a built-in profile',
            self.log.output,
        )

    def test_one_of_the_file(self):
        self.set_file('gold: {extends: minimal}')

        self.assertEqual({self.SPEC: 'gold'}, self.set_spec(self.SPEC, 'gold'))
        self.assertNotIn('gold', self.log.output)

    def test_one_that_is_not_in_the_file(self):
        self.set_file('gold: {extends: minimal}')

        self.assertIn(
            "'bogus' is not a profile. The profiles are none, stock, ",
            self.refused(self.SPEC, 'bogus'),
        )

    def test_a_file_that_cannot_be_read(self):
        path = self.set_file('gold: [')

        self.assertEqual({self.SPEC: 'gold'}, self.set_spec(self.SPEC, 'gold'))
        self.assertIn(str(path), self.log.output)
        # A built-in one needs no file.
        self.set_spec(self.SPEC, 'minimal')


class RefusedTestCase(FlavorTestCase):
    def test_refused(self):
        for spec, value, reason in (
            ('hyperv_enlight:stimr', 'on', 'stimr'),
            ('hyperv_enlight:stimerXdirect', 'on', 'stimerXdirect'),
            ('hyperv_enlight:stimer_direct', 'on', 'stimer_direct'),
            ('hyperv_enlight:stimer.direct.x', 'on', 'stimer.direct.x'),
            ('hyperv_enlight:', 'on', 'hyperv_enlight:'),
            ('hyperv_enlight:Stimer', 'on', 'Stimer'),
            ('hyperv_enlight:stimer', 'yes', "'yes' is not one of: on, off"),
            ('hyperv_enlight:stimer', 'ON', "'ON' is not one of: on, off"),
            ('hyperv_enlight:profile', '', "'' is not of the format"),
            ('hyperv_enlight:profile', 'a b', "'a b' is not of"),
            ('hyperv_enlight:spinlocks.retries', '4094', '4095'),
            ('hyperv_enlight:spinlocks.retries', '4294967296', '4294967295'),
            ('hyperv_enlight:spinlocks.retries', 'auto', 'auto'),
            ('hyperv_enlight:spinlocks.retries', '0x1fff', '0x1fff'),
            ('hyperv_enlight:vendor_id.value', '1234567890123', '1 to 12'),
            ('hyperv_enlight:vendor_id.value', 'a,b', 'without a comma'),
            ('hyperv_enlight:vendor_id.value', 'K\u00e4se', 'ASCII'),
        ):
            self.assertIn(reason, self.refused(spec, value))
