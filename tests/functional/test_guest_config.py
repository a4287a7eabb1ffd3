# SPDX-License-Identifier: Apache-2.0

"""Guests of many kinds, without an API: what the driver makes of them."""

import ddt
import fixtures
from lxml import etree
from nova import exception as nova_exception
from nova.virt.libvirt import config as vconfig

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.domxml import overrides
from nova_hyperv_enlight.virt import adapter
from nova_hyperv_enlight.virt import metadata
from tests.fixtures import nova
from tests.functional import base
from tests.functional import guest

WINDOWS = {'os_type': 'windows'}
#: Everything that the baseline wants, and vendor_id.
OFFERED = (*sorted(guest.BASELINE - {'stimer.direct'}), 'vendor_id')


def without_ours(xml):
    """Return a document without the two elements that the plugin owns."""
    domain = etree.fromstring(xml, etree.XMLParser(remove_blank_text=True))
    for path in ('features/hyperv', "clock/timer[@name='hypervclock']"):
        (element,) = domain.findall(path)
        element.getparent().remove(element)
    return etree.tostring(domain)


@ddt.ddt
class StockTestCase(guest.GuestTestCase):
    """Where the plugin does not act the document is Nova's, to the byte."""

    def setUp(self):
        super().setUp()
        self.start_host(base.hyperv_document(*OFFERED))

    def assertStock(self, *guest_arguments):
        self.assertEqual(
            self.xml(nova.STOCK_DRIVER, *guest_arguments),
            self.xml(nova.PLUGIN_DRIVER, *guest_arguments),
        )

    @ddt.data(
        {},
        {'os_type': 'linux'},
        {'os_distro': 'win2k22'},
        {'os_type': 'linux', 'hyperv_enlight_stimer': 'bogus'},
        {'os_type': 'linux', 'hyperv_enlight_profile': 'passthrough'},
        {'os_type': 'linux', 'img_hide_hypervisor_id': 'true'},
    )
    def test_other_guests(self, image_properties):
        self.assertStock(image_properties)

    def test_other_guests_of_a_flavor_for_windows(self):
        self.assertStock(
            {'os_type': 'linux'}, {'hyperv_enlight:stimer': 'bogus'}
        )

    @ddt.data({}, {'hyperv_enlight:stimer': 'on'}, {'hide_hypervisor_id': '1'})
    def test_disabled(self, extra_specs):
        self.plugin_flags(enabled=False)

        self.assertStock(WINDOWS, extra_specs)

    @ddt.data('kvm', 'qemu')
    def test_profile_stock(self, virt_type):
        self.flags(virt_type=virt_type, group='libvirt')
        self.plugin_flags(profile='stock')

        self.assertStock(WINDOWS)

    def test_the_flavors_profile_stock(self):
        self.assertStock(WINDOWS, {'hyperv_enlight:profile': 'stock'})

    @ddt.data('baseline', 'none', 'performance')
    def test_shadow(self, profile):
        self.plugin_flags(mode='shadow', profile=profile)

        self.assertStock(WINDOWS)

    def test_shadow_refuses_nothing(self):
        self.plugin_flags(mode='shadow')
        log = self.useFixture(nova.LogRecords(nova.PLUGIN_LOGGER))

        self.assertStock(WINDOWS, {'hyperv_enlight:stimer': 'bogus'})

        (line,) = [record.getMessage() for record in log.records]
        self.assertIn('(shadow mode, not refused): ', line)
        self.assertIn('hyperv_enlight:stimer=bogus is not valid', line)

    def test_shadow_whatever_happens(self):
        self.plugin_flags(mode='shadow')
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_hyperv_enlight.policy.resolve.resolve', lambda: None
            )
        )
        log = self.useFixture(nova.LogRecords(nova.PLUGIN_LOGGER))

        self.assertStock(WINDOWS)

        (line,) = [record.getMessage() for record in log.records]
        self.assertIn('(shadow mode): unforeseen', line)

    def test_no_hooks(self):
        self.plugin_flags(hooks=[])

        self.assertStock(WINDOWS)

    def test_what_stock_nova_writes(self):
        # Otherwise the tests above could compare nothing with nothing.
        self.assertIn(
            '<synic state="on"/>', self.xml(nova.STOCK_DRIVER, WINDOWS)
        )


@ddt.ddt
class WindowsTestCase(guest.GuestTestCase):
    def on(self, *guest_arguments):
        """Return the names that are on."""
        return guest.switched_on(self.domain(*guest_arguments))

    @ddt.data('windows', 'Windows', 'WINDOWS')
    def test_os_type_in_any_case(self, os_type):
        self.start_host(base.hyperv_document(*OFFERED))

        domain = self.domain({'os_type': os_type})

        self.assertEqual(guest.BASELINE, guest.switched_on(domain))
        self.assertEqual('localtime', domain.find('clock').get('offset'))

    def test_only_what_is_owned_changes(self):
        self.start_host(base.hyperv_document(*OFFERED))

        self.assertEqual(
            without_ours(self.xml(nova.STOCK_DRIVER, WINDOWS)),
            without_ours(self.xml(nova.PLUGIN_DRIVER, WINDOWS)),
        )

    @ddt.data('kvm', 'qemu')
    def test_a_host_that_offers_nothing(self, virt_type):
        self.flags(virt_type=virt_type, group='libvirt')
        self.start_host(base.hyperv_document(), kernel=guest.PLAIN)

        domain = self.domain(WINDOWS)

        self.assertIsNone(domain.find('features/hyperv'))
        self.assertIsNone(domain.find("clock/timer[@name='hypervclock']"))
        self.assertEqual('localtime', domain.find('clock').get('offset'))

    def test_virt_type_qemu_asks_nobody(self):
        self.flags(virt_type='qemu', group='libvirt')
        self.start_host(base.libvirt_error('should not be asked'))

        self.assertEqual(frozenset(), self.on(WINDOWS))

    @ddt.data(
        ({'hide_hypervisor_id': 'true'}, {}),
        ({'hw:hide_hypervisor_id': 'yes'}, {}),
        ({}, {'img_hide_hypervisor_id': 'true'}),
    )
    @ddt.unpack
    def test_a_hidden_hypervisor(self, extra_specs, image_properties):
        self.start_host(base.hyperv_document(*OFFERED))

        domain = self.domain({**WINDOWS, **image_properties}, extra_specs)

        vendor = domain.find('features/hyperv/vendor_id')
        spoofed = vconfig.LibvirtConfigGuestFeatureHyperV.SPOOFED_VENDOR_ID
        self.assertEqual('on', vendor.get('state'))
        self.assertEqual(spoofed, vendor.get('value'))
        # Nova's own part of it.
        hidden = domain.find('features/kvm/hidden')
        self.assertEqual('on', hidden.get('state'))

    def test_the_default_vendor_is_novas(self):
        self.assertEqual(
            vconfig.LibvirtConfigGuestFeatureHyperV.SPOOFED_VENDOR_ID,
            enlightenments.default_value('vendor_id'),
        )

    def test_the_operators_vendor(self):
        self.plugin_flags(vendor_id='Contoso Hv')
        self.start_host(base.hyperv_document(*OFFERED))

        domain = self.domain(WINDOWS, {'hide_hypervisor_id': 'true'})

        self.assertEqual(
            'Contoso Hv', domain.find('features/hyperv/vendor_id').get('value')
        )

    @ddt.data(
        ({}, {}, '8191'),
        ({'hyperv_enlight:spinlocks.retries': '65535'}, {}, '65535'),
        ({}, {'hyperv_enlight_spinlocks_retries': '4095'}, '4095'),
        (
            {'hyperv_enlight:spinlocks.retries': '65535'},
            {'hyperv_enlight_spinlocks_retries': '4095'},
            '65535',
        ),
    )
    @ddt.unpack
    def test_retries(self, extra_specs, image_properties, retries):
        self.start_host(base.hyperv_document(*OFFERED))

        domain = self.domain({**WINDOWS, **image_properties}, extra_specs)

        self.assertEqual(
            retries, domain.find('features/hyperv/spinlocks').get('retries')
        )

    @ddt.data('none', 'minimal', 'baseline', 'performance', 'nested')
    def test_profile(self, name):
        everything = [
            name
            for name, entry in enlightenments.ENLIGHTENMENTS.items()
            if not entry.parent
        ]
        self.plugin_flags(profile=name)
        self.start_host(
            base.hyperv_document(*everything),
            libvirt=(12, 4, 0),
            qemu=(11, 0, 0),
            kernel=guest.INTEL,
        )

        self.assertEqual(profiles.PROFILES[name].features, self.on(WINDOWS))

    @ddt.data(
        ({}, guest.AMD, 'discard', True),
        ({}, guest.INTEL, 'delay', True),
        ({'profile': 'baseline'}, guest.AMD, 'delay', False),
        ({'pit_tickpolicy': 'delay'}, guest.AMD, 'delay', False),
        ({'hooks': ['hyperv', 'hypervclock']}, guest.AMD, 'delay', False),
    )
    @ddt.unpack
    def test_the_pit(self, options, kernel, policy, avic):
        self.plugin_flags(**{'profile': 'performance', **options})
        self.start_host(
            base.hyperv_document(*OFFERED, 'avic'),
            libvirt=(9, 0, 0),
            qemu=(7, 2, 0),
            kernel=kernel,
        )

        domain = self.domain(WINDOWS)

        self.assertEqual(avic, 'avic' in guest.switched_on(domain))
        (pit,) = domain.findall("clock/timer[@name='pit']")
        self.assertEqual(
            {'name': 'pit', 'tickpolicy': policy}, dict(pit.attrib)
        )

    @ddt.data(('host-model', (12, 1, 0)), ('passthrough', (8, 0, 0)))
    @ddt.unpack
    def test_mode(self, name, libvirt):
        self.plugin_flags(profile=name)
        self.start_host(base.hyperv_document(*OFFERED), libvirt=libvirt)

        hyperv = self.domain(WINDOWS).find('features/hyperv')

        self.assertEqual(name, hyperv.get('mode'))

    def test_a_property_of_the_recorded_set_is_not_read(self):
        # Nova copies system_metadata into snapshot images.
        self.start_host(base.hyperv_document(*OFFERED))

        self.assertEqual(
            guest.BASELINE, self.on({**WINDOWS, 'hyperv_enlight': '1 none'})
        )


@ddt.ddt
class MetadataTestCase(guest.GuestTestCase):
    """What the metadata tell of the flavor and the image."""

    SPECS = {'hyperv_enlight:ipi': 'off', 'hw:hide_hypervisor_id': 'true'}
    PROPERTIES = {**WINDOWS, 'hyperv_enlight_reset': 'off'}

    def setUp(self):
        super().setUp()
        self.start_host(base.hyperv_document(*OFFERED))

    def told(self, *guest_arguments):
        found = overrides.read(self.domain(*guest_arguments))
        return found.extra_specs, found.image_properties

    def test_what_is_ours(self):
        self.assertEqual(
            ({'hyperv_enlight:ipi': 'off'}, {'hyperv_enlight_reset': 'off'}),
            self.told(self.PROPERTIES, self.SPECS),
        )

    def test_one_of_both(self):
        self.assertEqual(
            ({}, {'hyperv_enlight_reset': 'off'}), self.told(self.PROPERTIES)
        )
        self.assertEqual(
            ({'hyperv_enlight:ipi': 'off'}, {}), self.told(WINDOWS, self.SPECS)
        )

    @ddt.data({}, {'hw:hide_hypervisor_id': 'true'})
    def test_nothing_of_ours(self, specs):
        # Nova copies the record into snapshots.
        image = {**WINDOWS, 'hyperv_enlight': '2;none;;'}
        domain = self.domain(image, specs)

        self.assertEqual(1, len(domain.find('metadata')))

    def test_whatever_the_hooks_are(self):
        self.plugin_flags(hooks=[])

        self.assertNotEqual(({}, {}), self.told(self.PROPERTIES, self.SPECS))

    def test_texts_that_xml_cannot_hold(self):
        """A tenant's text fails no start, whatever it is."""
        config = self.config(self.driver(), self.PROPERTIES, self.SPECS)
        instance = self.instance(
            {**WINDOWS, 'hyperv_enlight_\x01': '\x00\ud800<"&\ufffe'}
        )

        metadata.write(config, instance)

        etree.fromstring(config.to_xml())


@ddt.ddt
class RefuseTestCase(guest.GuestTestCase):
    """Which of Nova's exceptions a guest fails with, and the reason."""

    def refused(self, error, *guest_arguments):
        self.start_host(base.hyperv_document(*OFFERED))
        raised = self.assertRaises(
            error, self.config, self.driver(), *guest_arguments
        )
        return str(raised)

    @ddt.data(
        ({'hyperv_enlight:stimr': 'on'}, {}, 'hyperv_enlight:stimr=on is not'),
        ({'hyperv_enlight:ipi': 'yes'}, {}, 'hyperv_enlight:ipi=yes is not v'),
        ({'hyperv_enlight:ipi': 'On'}, {}, 'allowed are on and off'),
        ({'hyperv_enlight:stimerXdirect': 'on'}, {}, 'stimerXdirect=on is no'),
        (
            {'hyperv_enlight:spinlocks.retries': '17'},
            {},
            'allowed is a whole number from 4095 to 4294967295',
        ),
        (
            {'hyperv_enlight:vendor_id.value': '1234567890123'},
            {},
            'allowed is 1 to 12 printable ASCII characters without a comma',
        ),
        ({'hyperv_enlight:profile': 'fast'}, {}, 'The profiles are none, '),
        ({}, {'hyperv_enlight_stimr': 'on'}, 'hyperv_enlight_stimr=on is not'),
        ({}, {'hyperv_enlight_evmcs': 'on'}, "may not switch 'evmcs' here"),
        (
            {},
            {'hyperv_enlight_profile': 'passthrough'},
            'hyperv_enlight_profile=passthrough is not allowed',
        ),
        (
            {'hyperv_enlight:stimer': 'on'},
            {'hyperv_enlight_synic': 'off'},
            "'stimer' (flavor) requires 'synic', which the image turned off.",
        ),
        (
            {
                'hyperv_enlight:profile': 'passthrough',
                'hyperv_enlight:ipi': 'on',
            },
            {},
            'the two exclude each other',
        ),
    )
    @ddt.unpack
    def test_what_no_host_can_give(
        self, extra_specs, image_properties, reason
    ):
        message = self.refused(
            nova_exception.InvalidInput,
            {**WINDOWS, **image_properties},
            extra_specs,
        )

        self.assertIn(reason, message)

    @ddt.data(
        ({'hyperv_enlight:evmcs': 'on'}, "'evmcs', which the flavor asks for"),
        ({'hyperv_enlight:profile': 'host-model'}, 'needs libvirt 11.9.0'),
        (
            {'hyperv_enlight:spinlocks.retries': '4294967295'},
            'needs libvirt 11.9.0.',
        ),
    )
    @ddt.unpack
    def test_what_another_host_may_give(self, extra_specs, reason):
        message = self.refused(adapter.HostCannotDeliver, WINDOWS, extra_specs)

        self.assertIn(reason, message)
