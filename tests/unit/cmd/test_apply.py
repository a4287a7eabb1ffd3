# SPDX-License-Identifier: Apache-2.0

import io

import ddt
import fixtures

from nova_hyperv_enlight.domains import findings
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.host import kvm
from tests.unit.cmd import base
from tests.unit.domains import guests
from tests.unit.domains import persistent
from tests.unit.domxml import domains

KERNEL = kvm.KernelFacts(hyperv=True, time=True)
PLAIN = persistent.document('plain', features='', timers='')
NOVA = guests.of_nova({'os_type': 'windows'})


class Connection(base.FakeConnection, persistent.Libvirt):
    """A connection to a host that has these guests."""

    def __init__(self, *domains, **kwargs):
        base.FakeConnection.__init__(self, base.document(), **kwargs)
        persistent.Libvirt.__init__(self, *domains)


class Input(io.TextIOWrapper):
    """Standard input.

    :param terminal: whether it is one.
    """

    def __init__(self, data=b'', terminal=False):
        super().__init__(io.BytesIO(data), encoding='utf-8')
        self._terminal = terminal

    def isatty(self):
        return self._terminal


class ApplyTestCase(base.CommandTestCase):
    """Base of the tests of ``domain apply``."""

    def setUp(self):
        super().setUp()
        self.kernel = self.use_kernel(KERNEL)
        self.kept = self.directory / 'kept'
        self.type('')

    def type(self, text, terminal=False):
        """Let this be typed on standard input."""
        data = text if isinstance(text, bytes) else text.encode()
        self.useFixture(
            fixtures.MonkeyPatch('sys.stdin', Input(data, terminal))
        )

    def use(self, *domains, **kwargs):
        """Let libvirt have these guests."""
        connection = Connection(*domains, **kwargs)
        self.libvirt = self.useFixture(base.FakeLibvirt(connection))
        return connection

    def apply(self, *argv):
        return self.call(
            'domain', 'apply', *argv, '--backup-dir', str(self.kept)
        )

    def lines(self, *argv):
        """Return the changed lines of a difference."""
        result = self.apply(*argv)
        self.assertEqual(0, result.code, result.err)
        return [
            line[0] + line[1:].strip()
            for line in result.out.splitlines()
            if line.startswith(('-', '+'))
            and not line.startswith(('---', '+++'))
        ]


@ddt.ddt
class PrintTestCase(ApplyTestCase):
    """The difference is printed, and nothing is done."""

    def setUp(self):
        super().setUp()
        self.guest = persistent.Domain(PLAIN, active=1)
        self.connection = self.use(self.guest)

    def assertUntouched(self):
        self.assertEqual([], self.connection.defined)
        self.assertEqual(PLAIN, self.guest.xml)
        self.assertFalse(self.kept.exists())
        self.assertTrue(self.connection.closed)

    def test_the_options_profile(self):
        result = self.apply('plain')

        self.assertEqual((0, ''), (result.code, result.err))
        self.assertIn('--- plain\n+++ plain\n@@ ', result.out)
        self.assertIn('<stimer state="on">', result.out)
        self.assertUntouched()

    def test_profile(self):
        lines = self.lines('plain', '--profile', 'minimal')

        self.assertEqual(
            [
                '+<relaxed state="on"/>',
                '+<vapic state="on"/>',
                '+<spinlocks state="on" retries="8191"/>',
                '+<timer name="hypervclock" present="yes"/>',
            ],
            [line for line in lines if line[0] == '+' and '/>' in line][-4:],
        )
        self.assertUntouched()

    def test_options(self):
        for argv in (
            ('--option', 'profile=minimal'),
            (
                '--config-file',
                self.write(
                    'nova.conf', '[hyperv_enlight]\nprofile = minimal\n'
                ),
            ),
        ):
            self.assertEqual(
                self.lines('plain', '--profile', 'minimal'),
                self.lines('plain', *argv),
            )

    def test_toggles(self):
        lines = self.lines('plain', '--on', 'ipi', '--on', 'relaxed')

        self.assertEqual(3, len([li for li in lines if 'state="on"' in li]))

    def test_print_xml(self):
        result = self.apply('plain', '--on', 'relaxed', '--print-xml')

        self.assertEqual((0, ''), (result.code, result.err))
        root = domains.parse(result.out)
        self.assertEqual({'relaxed'}, hyperv.read(root).features)
        self.assertNotIn('secret', result.out)
        self.assertUntouched()

    def test_no_change(self):
        result = self.apply('plain', '--off', 'relaxed')

        self.assertEqual((0, ''), (result.code, result.out))
        self.assertEqual('plain: there is nothing to change.\n', result.err)

    def test_no_change_but_the_xml(self):
        result = self.apply('plain', '--off', 'relaxed', '--print-xml')

        self.assertEqual(PLAIN.replace(persistent.SECRET, ''), result.out)

    def test_what_is_left_out_is_told(self):
        result = self.apply('plain', '--profile', 'performance')

        self.assertEqual(0, result.code)
        self.assertIn("plain: 'xmm_input' is off: it needs ", result.err)

    def test_the_host_is_asked_as_the_guest_is(self):
        self.apply('plain')

        self.assertEqual(
            [(None, 'x86_64', 'pc-q35-10.1', 'kvm', 0)], self.connection.asked
        )
        self.assertEqual(['qemu:///system'], self.libvirt.uris)
        self.assertEqual([], self.libvirt.read_only)

    def test_a_saved_document_needs_reading_only(self):
        path = self.write_document()

        self.lines('plain', '--domcaps', path, '--connect', 'test:///default')

        self.assertEqual([], self.connection.asked)
        self.assertEqual(['test:///default'], self.libvirt.read_only)

    def test_an_emulated_guest(self):
        self.guest.xml = persistent.document(
            'plain', virt_type='qemu', timers=''
        )

        result = self.apply('plain')

        self.assertIn('only KVM emulates Hyper-V', result.err)
        self.assertIn('-    <hyperv', result.out)

    @ddt.data(*(k.code for k in findings.KINDS.values() if k.fix))
    def test_every_code(self, code):
        self.assertEqual(0, self.apply('plain', '--fix', code).code)

    def test_fix(self):
        self.guest.xml = persistent.document('plain', hpet='yes', offset='utc')

        self.assertEqual(
            [
                '-<clock offset="utc">',
                '-<timer name="hpet" present="yes"/><timer '
                'name="hypervclock" present="yes"/>',
                '+<clock offset="localtime">',
                '+<timer name="hpet" present="no"/><timer '
                'name="hypervclock" present="yes"/>',
            ],
            self.lines('plain', '--fix', 'hpet', '--fix', 'clock-utc'),
        )

    @ddt.data(
        ([], 'Name one domain or one file, or say --all.'),
        (['plain', '--all'], 'Name one domain or one file, or say --all.'),
        (['nobody'], "There is no domain 'nobody': no domain 'nobody'"),
        (['plain', '--profile', 'fast'], "Unknown profile 'fast'"),
        (['plain', '--profile', 'stock'], 'leaves the choice to Nova'),
        (['plain', '--on', 'evmcs'], "'evmcs', which the operator asks for"),
        (['plain', '--on', 'ipi', '--off', 'ipi'], 'ipi: on and off cannot'),
        (['plain', '--option', 'profle=x'], 'Did you mean profile?'),
        (['-', '--define'], 'Standard input cannot be written'),
        (['--all', '--define'], 'and there is no terminal; --yes answers'),
        (['/absent.xml'], '/absent.xml cannot be read: No such file'),
        (['plain', '--domcaps', '/absent'], '/absent cannot be read'),
    )
    @ddt.unpack
    def test_refused(self, argv, text):
        self.assertRefused(self.apply(*argv), text)
        self.assertEqual([], self.connection.defined)
        self.assertTrue(self.connection.closed or not self.libvirt.uris)

    @ddt.data(
        ['plain', '--on', 'fast'],
        ['plain', '--fix', 'everything'],
        ['plain', '--fix', 'unreadable'],
        ['plain', 'another'],
    )
    def test_wrong_usage(self, argv):
        result = self.apply(*argv)

        self.assertEqual((2, ''), (result.code, result.out))
        self.assertIn('usage: ', result.err)

    def test_novas_guest(self):
        self.guest.xml = persistent.document('plain', metadata=NOVA)

        self.assertRefused(
            self.apply('plain'),
            "Nova manages the domain 'plain'",
            'hard reboot the server with compute_driver = ',
        )

    def test_novas_guest_by_force(self):
        self.guest.xml = persistent.document('plain', metadata=NOVA)

        self.assertTrue(self.lines('plain', '--force', '--off', 'ipi'))

    def test_no_connection(self):
        self.libvirt.connection = self.libvirt.libvirtError('permission')

        self.assertRefused(self.apply('plain'), 'No connection to libvirt at')
