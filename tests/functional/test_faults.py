# SPDX-License-Identifier: Apache-2.0

"""What users read when a server cannot be built, and who else is touched."""

from nova.tests import fixtures as nova_fixtures

from tests.functional import base
from tests.functional import guest

WINDOWS = {'os_type': 'windows'}
OFFERED = (*sorted(guest.BASELINE - {'stimer.direct'}), 'vendor_id')

# Image properties, extra specs, and what the user reads.
MISTAKES = (
    (
        {'hyperv_enlight_stimr': 'on'},
        {},
        'The image property hyperv_enlight_stimr=on is not valid. Did you '
        'mean hyperv_enlight_stimer? Allowed are hyperv_enlight_profile, ',
    ),
    (
        {'hyperv_enlight_ipi': 'yes'},
        {},
        'The image property hyperv_enlight_ipi=yes is not valid: allowed are '
        'on and off.',
    ),
    (
        {'hyperv_enlight_spinlocks_retries': '17'},
        {},
        'hyperv_enlight_spinlocks_retries=17 is not valid: allowed is a '
        'whole number from 4095 to 4294967295.',
    ),
    (
        {'hyperv_enlight_profile': 'passthrough'},
        {},
        'The image property hyperv_enlight_profile=passthrough is not '
        'allowed: an image may choose it only where profile:passthrough is '
        'listed',
    ),
    (
        {'hyperv_enlight_evmcs': 'on'},
        {},
        'The image property hyperv_enlight_evmcs is not allowed: an image '
        "may not switch 'evmcs' here",
    ),
    (
        {'hyperv_enlight_synic': 'off'},
        {'hyperv_enlight:stimer': 'on'},
        "'stimer' (flavor) requires 'synic', which the image turned off.",
    ),
    # The validator on the controller cannot know the hosts' profiles.
    (
        {},
        {'hyperv_enlight:profile': 'site'},
        "The flavor's hyperv_enlight:profile=site is not valid. The profiles "
        'are none, stock, minimal, baseline, ',
    ),
)


class FaultTestCase(guest.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.start_host(base.hyperv_document(*OFFERED))

    def test_what_no_host_can_give(self):
        for properties, extra_specs, reason in MISTAKES:
            fault = self.boot_error({**WINDOWS, **properties}, extra_specs)

            self.assertIn(reason, fault)
        # The others on this nova-compute are not touched.
        self.assertSwitchedOn(guest.BASELINE, self.boot(WINDOWS))
        self.assertStockXML(self.boot({'os_type': 'linux'}))

    def test_what_this_host_cannot_deliver(self):
        fault = self.boot_error(
            WINDOWS, extra_specs={'hyperv_enlight:xmm_input': 'on'}
        )

        self.assertIn(
            "'xmm_input', which the flavor asks for "
            '(hyperv_enlight:xmm_input=on), is not available on this host.',
            fault,
        )


class TwoHostsTestCase(guest.PluginTestCase):
    """The scheduler tries the host 'lacking' first, 'able' after it."""

    def setUp(self):
        self.useFixture(
            nova_fixtures.HostNameWeigherFixture(
                weights={'lacking': 100, 'able': 50}
            )
        )
        super().setUp()
        self.flags(max_attempts=3, group='scheduler')
        # So that a host's kernel is asked by the first guest only.
        self.plugin_flags(report_traits=False)
        document = base.hyperv_document(*OFFERED)
        self.lacking = self.start_host(
            document, hostname='lacking', kernel=guest.PLAIN
        )
        self.able = self.start_host(document, hostname='able')

    def host_of(self, server):
        return server['OS-EXT-SRV-ATTR:host']

    def test_nova_goes_on_to_a_host_that_can(self):
        server = self.boot(WINDOWS, {'hyperv_enlight:stimer': 'on'})

        self.assertEqual('able', self.host_of(server))
        self.assertEqual((1, 1), (self.lacking.asked, self.able.asked))
        self.assertSwitchedOn(guest.BASELINE, server)

    def test_a_profile_is_no_reason_to_go_on(self):
        server = self.boot(WINDOWS)

        self.assertEqual('lacking', self.host_of(server))
        self.assertSwitchedOn((), server)

    def test_a_mistake_is_no_reason_to_go_on(self):
        fault = self.boot_error({**WINDOWS, 'hyperv_enlight_ipi': 'yes'})

        self.assertIn('allowed are on and off', fault)
        self.assertEqual(0, self.able.asked)
