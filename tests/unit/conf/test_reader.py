# SPDX-License-Identifier: Apache-2.0


import ddt
from oslo_config import cfg

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.conf import hyperv_enlight
from nova_hyperv_enlight.conf import reader
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.policy import settings as policy_settings
from tests.unit import base

RETRIES = 'a whole number from 4095 to 4294967295'
TEXT = '1 to 12 printable ASCII characters without a comma'
PROFILES = ', '.join(profiles.PROFILES)
NAMES = ', '.join(enlightenments.ENLIGHTENMENTS)


class SettingsTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.make_dir()

    def read(self, *lines):
        """Read the settings from a nova.conf with these lines."""
        path = self.directory / 'nova.conf'
        path.write_text(
            '\n'.join(('[hyperv_enlight]', *lines, '')), encoding='utf-8'
        )
        conf = cfg.ConfigOpts()
        hyperv_enlight.register_opts(conf)
        conf(['--config-file', str(path)], default_config_dirs=[])
        return reader.read(conf)


@ddt.ddt
class ReadTestCase(SettingsTestCase):
    def test_an_empty_file_gives_the_defaults(self):
        self.assertEqual(policy_settings.Settings(), self.read())

    @ddt.data(
        ('enabled = false', 'enabled', False),
        ('mode = shadow', 'shadow', True),
        ('profile = nested', 'profile', 'nested'),
        ('force_on = stimer', 'force_on', ('stimer',)),
        ('force_off = ipi, reset', 'force_off', ('ipi', 'reset')),
        ('image_overridable =', 'image_overridable', frozenset()),
        (
            'image_overridable = ipi, profile:nested',
            'image_overridable',
            frozenset(('ipi', 'profile:nested')),
        ),
        ('spinlock_retries = 4095', 'spinlock_retries', '4095'),
        ('spinlock_retries = 4294967295', 'spinlock_retries', '4294967295'),
        ('spinlock_retries = 08191', 'spinlock_retries', '8191'),
        ('vendor_id = KVM Hv', 'vendor_id', 'KVM Hv'),
        ('vendor_id = 123456789012', 'vendor_id', '123456789012'),
        ('recorded_set = refresh', 'keep_recorded', False),
        ('on_host_change = fail', 'fail_on_host_change', True),
        ('report_traits = false', 'report_traits', False),
        ('verify_host = true', 'verify_host', True),
        ('pit_tickpolicy = delay', 'pit_discard', False),
        ('hooks =', 'hooks', ()),
        ('hooks = noop, hyperv', 'hooks', ('noop', 'hyperv')),
    )
    @ddt.unpack
    def test_read(self, line, name, expected):
        self.assertEqual(expected, getattr(self.read(line), name))

    def test_profiles_file_adds_profiles(self):
        path = self.directory / 'profiles.yaml'
        path.write_text('lean: {on: [relaxed]}', encoding='utf-8')

        read = self.read(f'profiles_file = {path}', 'profile = lean')

        self.assertEqual(
            [*profiles.PROFILES, 'lean'], list(read.known_profiles)
        )
        self.assertEqual('lean', read.profile)

    def test_an_image_may_be_allowed_an_own_profile(self):
        path = self.directory / 'profiles.yaml'
        path.write_text('lean: {on: [relaxed]}', encoding='utf-8')

        read = self.read(
            f'profiles_file = {path}', 'image_overridable = profile:lean'
        )

        self.assertEqual(frozenset(('profile:lean',)), read.image_overridable)


@ddt.ddt
class RefuseTestCase(SettingsTestCase):
    @ddt.data(
        ('profile', 'fastest', PROFILES),
        ('profile', 'Baseline', PROFILES),
        ('profile', '', PROFILES),
        ('mode', 'dry-run', 'enforce, shadow'),
        ('enabled', 'maybe', 'boolean'),
        ('spinlock_retries', '4094', RETRIES),
        ('spinlock_retries', '4294967296', RETRIES),
        ('spinlock_retries', '-1', RETRIES),
        ('spinlock_retries', '8_191', RETRIES),
        ('spinlock_retries', 'abc', RETRIES),
        ('spinlock_retries', '', RETRIES),
        ('vendor_id', '1234567890123', TEXT),
        ('vendor_id', 'a,b', TEXT),
        ('vendor_id', '', TEXT),
        ('vendor_id', 'Käse', TEXT),
        ('force_on', 'synch', NAMES),
        ('force_off', 'hv-stimer', NAMES),
        ('image_overridable', 'everything', NAMES),
        ('image_overridable', 'profile:fastest', 'profile:passthrough'),
    )
    @ddt.unpack
    def test_refused_with_option_value_and_allowed(
        self, option, value, allowed
    ):
        error = self.assertRaises(
            exception.InvalidOption, self.read, f'{option} = {value}'
        )

        message = str(error)
        self.assertTrue(
            message.startswith(f'[hyperv_enlight] {option}: '), message
        )
        self.assertIn(value, message)
        self.assertIn(allowed, message)

    def test_one_wrong_name_among_right_ones(self):
        error = self.assertRaises(
            exception.InvalidOption, self.read, 'force_on = ipi, synch, reset'
        )

        self.assertIn("force_on: 'synch' is not known", str(error))

    def test_force_on_and_force_off(self):
        error = self.assertRaises(
            exception.InvalidOption,
            self.read,
            'force_on = synic, ipi',
            'force_off = reset, synic',
        )

        self.assertEqual(
            "[hyperv_enlight] force_on: 'synic' is in force_off", str(error)
        )

    def test_force_on_without_what_it_requires(self):
        error = self.assertRaises(
            exception.InvalidOption,
            self.read,
            'force_on = stimer.direct',
            'force_off = vpindex',
        )

        self.assertEqual(
            "[hyperv_enlight] force_on: 'stimer.direct' requires 'vpindex', "
            'which is in force_off',
            str(error),
        )

    def test_profile_of_another_operators_file(self):
        path = self.directory / 'profiles.yaml'
        path.write_text('lean: {on: [relaxed]}', encoding='utf-8')

        error = self.assertRaises(
            exception.InvalidOption,
            self.read,
            f'profiles_file = {path}',
            'profile = mean',
        )

        self.assertIn(f'{PROFILES}, lean', str(error))

    def test_profiles_file_that_is_not_there(self):
        path = self.directory / 'absent.yaml'

        error = self.assertRaises(
            exception.InvalidOption, self.read, f'profiles_file = {path}'
        )

        self.assertIn(f'profiles_file: {path}: ', str(error))
        self.assertIn('No such file', str(error))
