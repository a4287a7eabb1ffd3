# SPDX-License-Identifier: Apache-2.0

"""What the options of nova.conf do to a host and its servers."""

import ddt

from nova_hyperv_enlight import exception
from tests.functional import base
from tests.functional import guest

WINDOWS = {'os_type': 'windows'}
LINUX = {'os_type': 'linux'}
OFFERED = (*sorted(guest.BASELINE - {'stimer.direct'}), 'vendor_id')


@ddt.ddt
class RefusedTestCase(guest.PluginTestCase):
    """nova-compute does not start, and says which option and why."""

    @ddt.data(
        ({'profile': 'fastest'}, exception.InvalidOption, "'fastest'"),
        (
            {'profiles_file': '/absent.yaml'},
            exception.InvalidOption,
            '/absent.yaml',
        ),
        (
            {'force_on': ['stimer'], 'force_off': ['stimer']},
            exception.InvalidOption,
            "'stimer' is in force_off",
        ),
        (
            {'hooks': ['hyperv', 'absent']},
            exception.HookLoadError,
            'hooks: absent cannot be loaded',
        ),
    )
    @ddt.unpack
    def test_refused(self, options, error, message):
        self.plugin_flags(**options)

        raised = self.assertRaises(error, self.start_host)

        self.assertIn('[hyperv_enlight] ', str(raised))
        self.assertIn(message, str(raised))


@ddt.ddt
class RefusedValueTestCase(guest.GuestTestCase):
    """The same for values that no test may set, only a file."""

    @ddt.data(
        ('spinlock_retries = 4094', '4095 to 4294967295'),
        ('spinlock_retries = abc', '4095 to 4294967295'),
        ('vendor_id = 1234567890123', '1 to 12 printable ASCII'),
        ('mode = maybe', 'enforce, shadow'),
    )
    @ddt.unpack
    def test_refused(self, line, allowed):
        path = self.useFixture(guest.fixtures.TempDir()).join('nova.conf')
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(f'[hyperv_enlight]\n{line}\n')
        self.start_host()
        driver = self.driver()
        guest.conf.CONF.reset()
        guest.conf.CONF(
            [], default_config_files=[path], default_config_dirs=[]
        )

        raised = self.assertRaises(
            exception.InvalidOption, driver.init_host, 'host'
        )

        option, value = line.split(' = ')
        self.assertIn(f'[hyperv_enlight] {option}', str(raised))
        self.assertIn(value, str(raised))
        self.assertIn(allowed, str(raised))


class ServersTestCase(guest.PluginTestCase):
    def start(self, **options):
        self.plugin_flags(**options)
        self.start_host(base.hyperv_document(*OFFERED))

    def test_disabled(self):
        self.start(enabled=False)

        windows, linux = self.boot(WINDOWS), self.boot(LINUX)

        self.assertStockXML(windows)
        self.assertStockXML(linux)
        self.assertEqual([], self.plugin_lines(windows))

    def test_shadow(self):
        self.start(mode='shadow')

        windows, linux = self.boot(WINDOWS), self.boot(LINUX)

        self.assertStockXML(windows)
        self.assertStockXML(linux)
        (line,) = self.plugin_lines(windows)
        self.assertIn('(shadow mode, not written)', line)
        self.assertIn("against Nova's own list: +stimer, +stimer.direct", line)

    def test_profile_stock(self):
        self.start(profile='stock')

        windows = self.boot(WINDOWS)

        self.assertStockXML(windows)
        self.assertEqual(
            [
                'Hyper-V enlightenments: profile stock, '
                "Nova's own list is left as it is"
            ],
            self.plugin_lines(windows),
        )

    def test_force(self):
        self.start(
            profile='none',
            force_on=['stimer'],
            force_off=['ipi'],
            spinlock_retries='65535',
        )

        windows = self.boot(WINDOWS)

        self.assertSwitchedOn(
            ('hypervclock', 'stimer', 'synic', 'vpindex'), windows
        )

    def test_an_own_profile(self):
        path = self.useFixture(guest.fixtures.TempDir()).join('profiles.yaml')
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(
                'site:\n'
                '  extends: minimal\n'
                '  off: [vapic]\n'
                '  values: {spinlocks.retries: 16383}\n'
            )
        self.start(profiles_file=path, profile='site')

        windows = self.boot(WINDOWS)

        self.assertSwitchedOn(('hypervclock', 'relaxed', 'spinlocks'), windows)
        spinlocks = self.domain_xml(windows).find('features/hyperv/spinlocks')
        self.assertEqual('16383', spinlocks.get('retries'))

    def test_os_type_in_another_case(self):
        self.start()

        windows = self.boot({'os_type': 'Windows'})

        self.assertSwitchedOn(guest.BASELINE, windows)
        clock = self.domain_xml(windows).find('clock')
        self.assertEqual('localtime', clock.get('offset'))

    def test_an_image_that_only_looks_like_windows(self):
        self.start()

        untyped = self.boot({'os_distro': 'win2k22'})
        linux = self.boot({'os_type': 'linux', 'os_distro': 'win2k22'})

        self.assertStockXML(untyped)
        (line,) = self.plugin_lines(untyped)
        self.assertIn('Set the image property os_type=windows', line)
        self.assertEqual([], self.plugin_lines(linux))

    def test_hidden_hypervisor(self):
        self.start()

        servers = (
            self.boot(WINDOWS, {'hide_hypervisor_id': 'true'}),
            self.boot(WINDOWS, {'hw:hide_hypervisor_id': 'true'}),
            self.boot({**WINDOWS, 'img_hide_hypervisor_id': 'true'}),
        )

        for server in servers:
            self.assertSwitchedOn({*guest.BASELINE, 'vendor_id'}, server)
