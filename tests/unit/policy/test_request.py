# SPDX-License-Identifier: Apache-2.0

import ddt

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import request
from tests.unit import base

FLAVOR, IMAGE = request.Source.FLAVOR, request.Source.IMAGE
NAMES = tuple(enlightenments.ENLIGHTENMENTS)
WORDS = ('profile', *NAMES, 'spinlocks.retries', 'vendor_id.value')


def override(source, key, text, on=True, value=None):
    return request.Override(
        source=source, key=key, on=on, written=f'{key}={text}', value=value
    )


@ddt.ddt
class DemandsTestCase(base.TestCase):
    """Extra specs and image properties become demands."""

    @ddt.data(FLAVOR, IMAGE)
    def test_demands_nothing(self, source):
        self.assertEqual(
            request.Overrides(), request.read_overrides(source, {})
        )

    @ddt.unpack
    @ddt.data(('on', True), ('off', False))
    def test_demands_flavor(self, text, on):
        for name in NAMES:
            key = f'hyperv_enlight:{name}'
            found = request.read_overrides(FLAVOR, {key: text})
            self.assertEqual(
                {name: override(FLAVOR, key, text, on)}, found.features
            )

    @ddt.unpack
    @ddt.data(('on', True), ('off', False))
    def test_demands_image(self, text, on):
        for name in NAMES:
            key = f'hyperv_enlight_{name.replace(".", "_")}'
            found = request.read_overrides(IMAGE, {key: text})
            self.assertEqual(
                {name: override(IMAGE, key, text, on)}, found.features
            )

    @ddt.unpack
    @ddt.data(
        (FLAVOR, 'hyperv_enlight:spinlocks.retries', 'spinlocks', '4095'),
        (IMAGE, 'hyperv_enlight_spinlocks_retries', 'spinlocks', '4095'),
        (FLAVOR, 'hyperv_enlight:vendor_id.value', 'vendor_id', 'KVM Hv'),
        (IMAGE, 'hyperv_enlight_vendor_id_value', 'vendor_id', 'KVM Hv'),
    )
    def test_demands_value_turns_on(self, source, key, name, text):
        self.assertEqual(
            {name: override(source, key, text, value=text)},
            request.read_overrides(source, {key: text}).features,
        )

    def test_demands_value_as_libvirt_writes_it(self):
        key = 'hyperv_enlight:spinlocks.retries'
        found = request.read_overrides(FLAVOR, {key: '004096'}).features[
            'spinlocks'
        ]
        self.assertEqual('4096', found.value)
        self.assertEqual(f'{key}=004096', found.written)

    def test_demands_state_and_value(self):
        key = 'hyperv_enlight:spinlocks'
        found = request.read_overrides(
            FLAVOR, {key: 'on', f'{key}.retries': '4096'}
        ).features
        self.assertEqual(['spinlocks'], list(found))
        self.assertEqual('4096', found['spinlocks'].value)

    @ddt.unpack
    @ddt.data(
        (
            FLAVOR,
            'hyperv_enlight:vendor_id.value',
            'hyperv_enlight:vendor_id',
            'The flavor extra spec hyperv_enlight:vendor_id.value gives a '
            "value to 'vendor_id', which the same flavor turns off "
            '(hyperv_enlight:vendor_id).',
        ),
        (
            IMAGE,
            'hyperv_enlight_vendor_id_value',
            'hyperv_enlight_vendor_id',
            'The image property hyperv_enlight_vendor_id_value gives a value '
            "to 'vendor_id', which the same image turns off "
            '(hyperv_enlight_vendor_id).',
        ),
    )
    def test_demands_value_of_what_is_off(self, source, value, state, text):
        error = self.assertRaises(
            exception.InvalidRequest,
            request.read_overrides,
            source,
            {value: 'abc', state: 'off'},
        )
        self.assertEqual(text, str(error))

    @ddt.unpack
    @ddt.data(
        (FLAVOR, 'hyperv_enlight:profile'), (IMAGE, 'hyperv_enlight_profile')
    )
    def test_demands_profile(self, source, key):
        found = request.read_overrides(source, {key: 'whatever'})
        self.assertEqual(('whatever', key), found.profile)
        self.assertEqual({}, found.features)

    @ddt.data('ON', 'On', 'true', 'True', 'yes', '1', '', ' on', 'on ', 'auto')
    def test_demands_state_refused(self, text):
        error = self.assertRaises(
            exception.InvalidRequest,
            request.read_overrides,
            FLAVOR,
            {'hyperv_enlight:synic': text},
        )
        self.assertEqual(
            f'The flavor extra spec hyperv_enlight:synic={text} is not '
            'valid: allowed are on and off.',
            str(error),
        )

    @ddt.unpack
    @ddt.data(
        (
            FLAVOR,
            'hyperv_enlight:spinlocks.retries',
            '4094',
            'The flavor extra spec hyperv_enlight:spinlocks.retries=4094 is '
            'not valid: allowed is a whole number from 4095 to 4294967295.',
        ),
        (
            IMAGE,
            'hyperv_enlight_vendor_id_value',
            '1234567890abc',
            'The image property hyperv_enlight_vendor_id_value=1234567890abc '
            'is not valid: allowed is 1 to 12 printable ASCII characters '
            'without a comma.',
        ),
    )
    def test_demands_value_refused(self, source, key, text, message):
        error = self.assertRaises(
            exception.InvalidRequest,
            request.read_overrides,
            source,
            {key: text},
        )
        self.assertEqual(message, str(error))

    @ddt.unpack
    @ddt.data(
        (FLAVOR, 'hyperv_enlight:', 'stimmer', 'stimer'),
        (FLAVOR, 'hyperv_enlight:', 'stimer_direct', 'stimer.direct'),
        (FLAVOR, 'hyperv_enlight:', 'Synic', 'synic'),
        (FLAVOR, 'hyperv_enlight:', '', None),
        (FLAVOR, 'hyperv_enlight:', 'banana', None),
        (FLAVOR, 'hyperv_enlight:', 'spinlocks.value', 'spinlocks'),
        (IMAGE, 'hyperv_enlight_', 'stimer.direct', 'stimer_direct'),
        (IMAGE, 'hyperv_enlight_', '', None),
        (IMAGE, 'hyperv_enlight_', 'profiles', 'profile'),
    )
    def test_demands_name_refused(self, source, prefix, word, meant):
        key = prefix + word
        error = self.assertRaises(
            exception.InvalidRequest,
            request.read_overrides,
            source,
            {key: 'on'},
        )
        kind = {FLAVOR: 'flavor extra spec', IMAGE: 'image property'}[source]
        words = WORDS
        if source is IMAGE:
            words = [word.replace('.', '_') for word in WORDS]
        hint = f' Did you mean {prefix}{meant}?' if meant else ''
        self.assertEqual(
            f'The {kind} {key}=on is not valid.{hint} Allowed are '
            f'{", ".join(prefix + word for word in words)}.',
            str(error),
        )

    @ddt.unpack
    @ddt.data(
        (FLAVOR, 'hw:cpu_policy'),
        (FLAVOR, 'hyperv_enlight_synic'),
        (FLAVOR, 'hyperv_enlightenments:synic'),
        (FLAVOR, 'trait:CUSTOM_HYPERV_SYNIC'),
        (IMAGE, 'os_type'),
        (IMAGE, 'hyperv_enlight:synic'),
        # The record of a guest that this image is a snapshot of.
        (IMAGE, 'hyperv_enlight'),
        (IMAGE, 'image_hyperv_enlight_synic'),
    )
    def test_demands_foreign(self, source, key):
        self.assertEqual(
            request.Overrides(),
            request.read_overrides(source, {key: 'anything'}),
        )

    @ddt.unpack
    @ddt.data(
        (FLAVOR, 'hide_hypervisor_id'),
        (FLAVOR, 'hw:hide_hypervisor_id'),
        (IMAGE, 'img_hide_hypervisor_id'),
    )
    def test_demands_hides(self, source, key):
        for text in ('true', 'True', 'yes', '1', 'on'):
            self.assertEqual(
                key, request.read_overrides(source, {key: text}).hides
            )
        for text in ('false', 'no', '0', '', 'perhaps'):
            self.assertIsNone(
                request.read_overrides(source, {key: text}).hides
            )

    @ddt.unpack
    @ddt.data(
        (IMAGE, 'hide_hypervisor_id'),
        (IMAGE, 'hw:hide_hypervisor_id'),
        (FLAVOR, 'img_hide_hypervisor_id'),
    )
    def test_demands_hides_by_the_others_key(self, source, key):
        self.assertIsNone(request.read_overrides(source, {key: 'true'}).hides)

    def test_demands_hides_by_one_of_two(self):
        found = request.read_overrides(
            FLAVOR,
            {'hide_hypervisor_id': 'false', 'hw:hide_hypervisor_id': 'true'},
        )
        self.assertEqual('hw:hide_hypervisor_id', found.hides)


@ddt.ddt
class FromPropertiesTestCase(base.TestCase):
    """The whole of what a guest asks for."""

    def read(self, os_type='windows', specs=None, **properties):
        return request.from_properties(
            os_type=os_type,
            extra_specs=specs or {},
            image_properties=properties,
        )

    @ddt.data('windows', 'Windows', 'WINDOWS', 'wInDoWs')
    def test_is_windows(self, os_type):
        self.assertTrue(self.read(os_type).is_windows)

    @ddt.data(None, '', 'linux', 'windows ', 'win', 'windows10', 'other')
    def test_is_not_windows(self, os_type):
        self.assertFalse(self.read(os_type).is_windows)

    def test_both_sources(self):
        found = self.read(
            specs={'hyperv_enlight:synic': 'on'}, hyperv_enlight_ipi='off'
        )
        self.assertEqual(['synic'], list(found.flavor.features))
        self.assertEqual(['ipi'], list(found.image.features))

    @ddt.data(None, 'linux')
    def test_others_are_not_read(self, os_type):
        found = self.read(
            os_type,
            specs={'hyperv_enlight:typo': 'on'},
            hyperv_enlight_typo='on',
        )
        self.assertEqual(request.Request(os_type=os_type), found)

    @ddt.unpack
    @ddt.data(
        ({'hw:cpu_policy': 'dedicated'}, {}, True),
        ({}, {'hw_cpu_policy': 'dedicated'}, True),
        ({'hw:cpu_policy': 'shared'}, {}, False),
        ({'hw:cpu_policy': 'mixed'}, {}, False),
        ({}, {}, False),
    )
    def test_dedicated(self, specs, properties, dedicated):
        found = self.read(specs=specs, **properties)
        self.assertIs(dedicated, found.dedicated)

    @ddt.unpack
    @ddt.data(({}, 'bios'), ({'hw_firmware_type': 'uefi'}, 'uefi'))
    def test_firmware(self, properties, firmware):
        self.assertEqual(firmware, self.read(**properties).firmware)

    @ddt.unpack
    @ddt.data(
        ({'os_distro': 'win2k22'}, 'win2k22'),
        ({'os_distro': 'windows', 'os_version': '2012 R2'}, 'win2k12r2'),
        ({'os_distro': 'ubuntu', 'os_version': '2022'}, None),
        ({}, None),
    )
    def test_release(self, properties, distro):
        release = self.read(**properties).release
        self.assertEqual(distro, release and release.distro)
