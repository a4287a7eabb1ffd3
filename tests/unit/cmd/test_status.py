# SPDX-License-Identifier: Apache-2.0

import io

import ddt
import fixtures

from nova_hyperv_enlight.cmd import status
from nova_hyperv_enlight.host import kvm
from tests.unit.cmd import base
from tests.unit.cmd import status_base


class ProgramTestCase(status_base.StatusTestCase):
    def test_all_is_well(self):
        self.assertEqual(
            dict.fromkeys(status_base.CHECKS, (status_base.SUCCESS, None)),
            self.check(status_base.SUCCESS),
        )

    def test_releases_are_only_read(self):
        self.call_status('upgrade', 'check')

        self.assertEqual(['qemu:///system'] * 2, self.libvirt.read_only)

    def test_a_table_for_people(self):
        result = self.call_status('upgrade', 'check')

        self.assertEqual((status_base.SUCCESS, ''), (result.code, result.err))
        for name in status_base.CHECKS:
            self.assertIn(f'| Check: {name} ', result.out)
        self.assertEqual(
            len(status_base.CHECKS), result.out.count('Result: Success')
        )

    def test_the_worst_counts(self):
        # A warning and a failure.
        self.check(status_base.FAILURE, '[hyperv_enlight]\nprofile = gone\n')

    def test_an_error_is_not_mistaken_for_a_check(self):
        self.use_nova('unknown')

        result = self.call_status('upgrade', 'check')

        self.assertEqual(status_base.ERROR, result.code)
        self.assertIn('ValueError', result.out)

    def test_no_nova(self):
        self.useFixture(base.InstalledModule('nova', None))
        self.useFixture(base.InstalledModule('nova.conf', None))

        result = self.call_status('upgrade', 'check')

        self.assertEqual((status_base.FAILURE, ''), (result.code, result.out))
        self.assertEqual('Nova is not installed here.\n', result.err)

    def test_help_needs_no_nova(self):
        self.useFixture(base.InstalledModule('nova', None))
        self.useFixture(base.InstalledModule('nova.conf', None))
        for argv in (['--help'], ['-h'], ['upgrade', '--help']):
            out = io.StringIO()
            with fixtures.MonkeyPatch('sys.stdout', out):
                raised = self.assertRaises(SystemExit, status.main, argv)

            self.assertEqual(0, raised.code)
            self.assertIn('usage: ', out.getvalue())
            self.assertIn('upgrade', out.getvalue())


@ddt.ddt
class ConfigurationTestCase(status_base.StatusTestCase):
    @ddt.data('libvirt.LibvirtDriver', 'ironic.IronicDriver')
    def test_another_driver(self, driver):
        self.check_one(
            'Compute driver',
            status_base.WARNING,
            f'[DEFAULT] compute_driver is {driver}: this package does '
            'nothing. Set it to hyperv_enlight.LibvirtDriver to use it.',
            status_base.FINE.replace('hyperv_enlight.LibvirtDriver', driver),
        )

    @ddt.data(
        ('profile = fast', "profile: 'fast' is not known. Allowed are none, "),
        (
            'force_on = stimr',
            "force_on: 'stimr' is not known. Did you mean stimer? ",
        ),
        ('spinlock_retries = 17', 'spinlock_retries: '),
        ('mode = silent', 'mode: '),
        ('recorded_set = maybe', 'recorded_set: '),
        ('profiles_file = /does/not/exist', 'profiles_file: '),
    )
    @ddt.unpack
    def test_options_that_cannot_be_used(self, line, reason):
        found = self.check(
            status_base.FAILURE,
            f'{status_base.FINE}\n[hyperv_enlight]\n{line}\n',
        )

        result, details = found['Options']
        self.assertEqual(status_base.FAILURE, result)
        self.assertTrue(
            details.startswith(f'[hyperv_enlight] {reason}'), details
        )

    @ddt.data(
        (
            '[hyperv_enlight]\nforce_onn = stimer\n',
            'force_onn in {} is no option (did you mean force_on?)',
        ),
        ('[Hyperv_Enlight]\nzzz = 1\n', 'zzz in {} is no option'),
    )
    @ddt.unpack
    def test_a_misspelt_option(self, text, expected):
        path = self.directory / 'nova.conf'
        self.check_one(
            'Options',
            status_base.WARNING,
            f'[hyperv_enlight] {expected.format(path)}.',
            status_base.FINE + text,
        )

    def test_a_misspelt_option_in_a_directory(self):
        (self.directory / 'conf.d').mkdir()
        path = self.write('conf.d/1.conf', '[hyperv_enlight]\nprofil = x\n')

        result = self.call_status(
            '--config-dir',
            str(self.directory / 'conf.d'),
            'upgrade',
            'check',
            '--json',
        )

        self.assertEqual(status_base.WARNING, result.code)
        self.assertIn(
            f'profil in {path} is no option (did you mean profile?)',
            result.out,
        )

    def test_not_enabled(self):
        self.check_one(
            'Options',
            status_base.WARNING,
            '[hyperv_enlight] enabled is false: guests are as Nova makes '
            'them.',
            status_base.FINE + 'enabled = false\n',
        )

    def test_a_hook_that_does_not_load(self):
        found = self.check(
            status_base.FAILURE,
            f'{status_base.FINE}\n[hyperv_enlight]\nhooks = noop,absent\n',
        )

        result, details = found['Hooks']
        self.assertEqual(status_base.FAILURE, result)
        self.assertIn('[hyperv_enlight] hooks: ', details)
        self.assertIn('absent', details)

    @ddt.data('31.0.0', '32.1.0', '33.0.0.0rc1', '34.0.0')
    def test_nova_that_is_tested(self, version):
        self.use_nova(version)

        self.check(status_base.SUCCESS)

    @ddt.data('28.0.0', '35.0.0.dev12', '9999.0.0')
    def test_nova_that_is_not_tested(self, version):
        self.use_nova(version)

        self.check_one(
            'Nova',
            status_base.WARNING,
            f'Nova {version} is not one of the releases that this package is '
            'tested with: 29 to 34.',
        )

    @ddt.data('cache_in_nova', '')
    def test_snapshots_with_the_record(self, names):
        # That is told, and is no warning.
        self.check_one(
            'Snapshots',
            status_base.SUCCESS,
            'Snapshots of Windows guests get an image property '
            'hyperv_enlight, which is not used. To avoid it, add that name '
            'to [DEFAULT] non_inheritable_image_properties of nova-api, '
            'beside those that are there.',
            status_base.FINE.replace('cache_in_nova,hyperv_enlight', names),
        )


class KvmTestCase(status_base.StatusTestCase):
    def test_without_hyperv(self):
        self.use_kernel(kvm.KernelFacts(hyperv=False))

        self.check_one(
            'KVM',
            status_base.WARNING,
            "This kernel's KVM does not emulate Hyper-V, and guests get no "
            'enlightenment. From Linux 6.8 on CONFIG_KVM_HYPERV decides.',
        )

    def test_that_cannot_be_asked(self):
        self.use_kernel(kvm.KernelFacts(unasked=('/dev/kvm is not there',)))

        self.check_one(
            'KVM', status_base.WARNING, 'Not known: /dev/kvm is not there.'
        )

    def test_of_another_machine(self):
        asked = self.use_kernel(kvm.KernelFacts(hyperv=False))

        self.check_one(
            'KVM',
            status_base.SUCCESS,
            'Not asked: libvirt is on another machine.',
            f'{status_base.FINE}\n[libvirt]\n'
            'connection_uri = qemu+ssh://h/system\n',
        )
        self.assertEqual([], asked)

    def test_another_virt_type(self):
        self.check_one(
            'KVM',
            status_base.WARNING,
            '[libvirt] virt_type is qemu: only guests of KVM get '
            'enlightenments.',
            f'{status_base.FINE}\n[libvirt]\nvirt_type = qemu\n',
        )
