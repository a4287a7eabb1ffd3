# SPDX-License-Identifier: Apache-2.0

"""Traits, through the real placement and the real scheduler."""

from tests.functional import guest
from tests.functional.lifecycle import base

WINDOWS = base.WINDOWS
PREFIX = 'CUSTOM_HYPERV_'
EVMCS = {'trait:CUSTOM_HYPERV_EVMCS': 'required'}


def traits(names):
    """Return the traits of these names."""
    return {PREFIX + name.upper().replace('.', '_') for name in names}


class TraitsTestCase(base.LifeTestCase):
    def traits(self, hostname='one'):
        """Return the traits of a host that are the plugin's."""
        found = self._get_provider_traits(self.compute_rp_uuids[hostname])
        return {trait for trait in found if trait.startswith(PREFIX)}

    def test_what_a_host_offers(self):
        self.start('one')
        self.start('two', base.POOR, guest.AMD)
        self.start('three', base.RICH, guest.PLAIN)

        everything = {*base.RICH, 'hypervclock', 'stimer.direct'}
        everything |= {'tlbflush.direct', 'tlbflush.extended'}
        # It needs a TSC frequency that this host does not tell.
        everything -= {'reenlightenment'}
        self.assertEqual(traits(everything), self.traits('one'))
        self.assertEqual(
            traits({*base.POOR, 'hypervclock'}), self.traits('two')
        )
        self.assertEqual(set(), self.traits('three'))

    def test_stale_ones_go_and_others_stay(self):
        self.start('one')
        provider = self.compute_rp_uuids['one']
        self._create_trait('CUSTOM_HYPERVISOR')
        self._create_trait('CUSTOM_HYPERV_SITE')
        self._set_provider_traits(
            provider,
            [
                *self._get_provider_traits(provider),
                'CUSTOM_HYPERVISOR',
                'CUSTOM_HYPERV_SITE',
            ],
        )
        others = set(self._get_provider_traits(provider)) - self.traits()
        before = self.traits()

        self.replace(names=base.POOR)

        ours = traits({*base.POOR, 'hypervclock'})
        self.assertLess(ours, before)
        # Which is none of the plugin's names.
        self.assertEqual(ours | {'CUSTOM_HYPERV_SITE'}, self.traits())
        self.assertLessEqual(others, set(self._get_provider_traits(provider)))

    def test_no_reports(self):
        self.start('one')
        self.assertIn('CUSTOM_HYPERV_EVMCS', self.traits())

        for options in (
            {'report_traits': False},
            {'report_traits': True},
            {'enabled': False},
        ):
            self.restart(**options)
            reported = options == {'report_traits': True}
            self.assertEqual(reported, bool(self.traits()), options)


class SchedulerTestCase(base.LifeTestCase):
    HOSTS = ('amd', 'intel')

    def test_the_host_that_has_it(self):
        # Without the trait it would be the other one.
        self.start('amd', kernel=guest.AMD)
        self.start('intel', kernel=guest.INTEL)

        self.assertEqual('amd', self.host_of(self.boot(WINDOWS)))
        self.assertEqual('intel', self.host_of(self.boot(WINDOWS, EVMCS)))

    def test_no_host_has_it(self):
        # Placement does not know it yet; then it does, and a host had it.
        self.start('amd', kernel=guest.AMD)
        unknown = self.boot_error(WINDOWS, EVMCS)
        self.start('intel', kernel=guest.INTEL)
        self.boot(WINDOWS, EVMCS)
        self.replace('intel', kernel=guest.PLAIN)

        stale = self.boot_error(WINDOWS, EVMCS)

        for fault in (unknown, stale):
            self.assertIn('No valid host was found', fault)
