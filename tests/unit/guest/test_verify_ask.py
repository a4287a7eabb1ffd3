# SPDX-License-Identifier: Apache-2.0

import dataclasses

import ddt

from nova_hyperv_enlight.catalogue import model
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import ask
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import domaincaps
from nova_hyperv_enlight.policy import settings
from tests.unit import base
from tests.unit.guest import machine
from tests.unit.guest import test_probe_domain

AMD = capabilities.Sources(
    virt_type='kvm',
    arch='x86_64',
    libvirt=(9, 0, 0),
    qemu=(7, 2, 0),
    # It offers nothing, and that is not asked.
    domcaps=domaincaps.DomainCapabilities(
        virt_type='kvm', supported=False, vendor=model.Vendor.AMD
    ),
)
INTEL = dataclasses.replace(
    AMD,
    libvirt=(12, 0, 0),
    domcaps=domaincaps.DomainCapabilities(
        virt_type='kvm', vendor=model.Vendor.INTEL
    ),
)


@ddt.ddt
class SelectionTestCase(base.TestCase):
    def select(self, *, on=(), off=(), host=AMD, **kwargs):
        return ask.selection(
            settings.Settings(**kwargs), frozenset(on), frozenset(off), host
        )

    @ddt.data(
        *(
            name
            for name, profile in profiles.PROFILES.items()
            if profile.mode is profiles.Mode.CUSTOM
        )
    )
    def test_a_profile_is_taken_literally(self, name):
        found = self.select(profile=name)

        self.assertEqual(profiles.PROFILES[name].features, found.features)

    def test_values_are_the_options(self):
        found = self.select(spinlock_retries='4096')

        self.assertEqual({('spinlocks.retries', '4096')}, found.values)

    def test_on_brings_what_it_requires(self):
        found = self.select(profile='none', on=['stimer'])

        self.assertEqual(
            {'stimer', 'synic', 'vpindex', 'hypervclock'}, found.features
        )

    def test_off_takes_what_requires_it(self):
        found = self.select(off=['vpindex'])

        self.assertEqual(
            profiles.PROFILES['baseline'].features
            - {'vpindex', 'synic', 'stimer', 'stimer.direct'}
            - {'tlbflush', 'ipi'},
            found.features,
        )

    def test_the_operators_options_count(self):
        found = self.select(force_off=('reset',), force_on=('avic',))

        self.assertNotIn('reset', found.features)
        self.assertIn('avic', found.features)

    def test_what_is_not_enabled_can_be_asked_for(self):
        self.assertNotEqual(set(), self.select(enabled=False).features)

    def test_a_mode(self):
        found = self.select(profile='passthrough')

        self.assertIs(profiles.Mode.PASSTHROUGH, found.mode)

    @ddt.data(
        ({'on': ['ipi'], 'off': ['ipi']}, 'ipi: on and off cannot both be'),
        (
            {'on': ['stimer'], 'off': ['synic']},
            "'stimer' (operator) requires 'synic', which the operator turned",
        ),
        ({'profile': 'stock'}, "Profile 'stock' leaves the choice to Nova"),
        (
            {'profile': 'passthrough', 'on': ['ipi']},
            'the two exclude each other',
        ),
    )
    @ddt.unpack
    def test_refused(self, kwargs, text):
        error = self.assertRaises(
            exception.InvalidRequest, self.select, **kwargs
        )

        self.assertIn(text, str(error))

    def test_a_mode_that_libvirt_does_not_know(self):
        error = self.assertRaises(
            exception.HostCannotDeliver, self.select, profile='host-model'
        )

        self.assertIn('needs libvirt 11.9.0', str(error))


@ddt.ddt
class LeftOutTestCase(base.TestCase):
    def left_out(self, on=(), host=AMD):
        asked = ask.selection(
            settings.Settings(profile='nested'),
            frozenset(on),
            frozenset(),
            host,
        )
        left = ask.left_out(asked, frozenset(on), host)
        return left, asked.features - ask.without(asked, left).features

    def test_what_old_libvirt_or_the_vendor_lacks(self):
        left, gone = self.left_out()

        self.assertEqual(
            {
                'evmcs',
                'emsr_bitmap',
                'xmm_input',
                'tlbflush.direct',
                'tlbflush.extended',
            },
            set(left),
        )
        self.assertEqual(set(left), gone)
        self.assertEqual(
            'only Intel processors have it, and the host is AMD', left['evmcs']
        )
        self.assertEqual(
            'it needs libvirt 10.7.0, and the host has 9.0.0',
            left['xmm_input'],
        )

    def test_a_host_that_lacks_nothing(self):
        self.assertEqual(({}, set()), self.left_out(host=INTEL))

    def test_an_old_qemu(self):
        host = dataclasses.replace(INTEL, qemu=(6, 2, 0))

        left, _ = self.left_out(host=host)

        self.assertEqual(
            {'xmm_input', 'emsr_bitmap'}
            | {'tlbflush.direct', 'tlbflush.extended'},
            set(left),
        )
        self.assertEqual(
            'it needs QEMU 7.1.0, and the host has 6.2.0', left['xmm_input']
        )

    def test_nothing_is_known_of_the_host(self):
        nothing = capabilities.Sources(virt_type='kvm', arch='x86_64')

        self.assertEqual(({}, set()), self.left_out(host=nothing))

    def test_what_is_asked_for_by_name_is_never_left_out(self):
        left, gone = self.left_out(on=['evmcs', 'xmm_input'])

        self.assertNotIn('evmcs', left)
        self.assertNotIn('xmm_input', gone)

    def test_what_requires_it_goes_too(self):
        asked = ask.selection(
            settings.Settings(), frozenset(), frozenset(), INTEL
        )

        found = ask.without(asked, ['vpindex', 'spinlocks'])

        self.assertEqual(
            {'relaxed', 'vapic', 'runtime', 'reset', 'frequencies'}
            | {'hypervclock'},
            found.features,
        )
        self.assertEqual(frozenset(), found.values)


class DomainTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.machine = machine.Machine()

    def test_a_guest(self):
        guest = machine.Domain(self.machine, test_probe_domain.GUEST)
        self.machine.running[guest.uuid] = guest

        found = ask.of_domain(self.machine, 'instance-00000001')

        self.assertEqual('pc-q35-7.2', found.machine)
        self.assertIn('relaxed', found.selection.features)

    def test_no_guest(self):
        error = self.assertRaises(
            exception.InvalidRequest, ask.of_domain, self.machine, 'nobody'
        )

        self.assertIn("The domain 'nobody' cannot be read: no ", str(error))

    def test_no_domain(self):
        error = self.assertRaises(
            exception.MalformedDocument, ask.of_document, b'<a/>', 'a.xml'
        )

        self.assertIn('a.xml cannot be read', str(error))
