# SPDX-License-Identifier: Apache-2.0

import json
import os
import signal
import threading

import ddt
import fixtures

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import profiles
from nova_hyperv_enlight.domxml import hyperv
from nova_hyperv_enlight.host import kvm
from tests.unit.cmd import base
from tests.unit.guest import machine
from tests.unit.guest import test_probe_domain

COLUMNS = ['name', 'asked', 'shown', 'leaf']
NAMES = list(enlightenments.ENLIGHTENMENTS)


class Connection(machine.Machine, base.FakeConnection):
    """A libvirt 9.0.0 with QEMU 7.2.22 whose guests can be looked at."""

    def __init__(self, **kwargs):
        machine.Machine.__init__(self)
        base.FakeConnection.__init__(self, base.document(), **kwargs)


class VerifyTestCase(base.CommandTestCase):
    """Runs commands on a libvirt of the tests' own."""

    def setUp(self):
        super().setUp()
        self.temporary = self.directory / 'tmp'
        self.temporary.mkdir()
        self.useFixture(
            fixtures.MonkeyPatch('tempfile.tempdir', str(self.temporary))
        )
        self.connection = Connection()
        self.libvirt = self.useFixture(base.FakeLibvirt(self.connection))
        self.use_kernel(kvm.KernelFacts(hyperv=True))

    def assertNothingLeft(self):
        self.assertEqual({}, self.connection.running)
        self.assertEqual([], os.listdir(self.temporary))

    def verify(self, *argv):
        """Return the exit code, the rows by name, and what was said."""
        result = self.call('guest', 'verify', *argv, '-f', 'json')
        self.assertNothingLeft()
        rows = json.loads(result.out)
        return result.code, {row['name']: row for row in rows}, result.err

    def asked(self, *argv):
        _, rows, _ = self.verify(*argv)
        return {name for name, row in rows.items() if row['asked'] == 'yes'}

    def refuse(self, *argv):
        result = self.call('guest', 'verify', *argv)
        self.assertNothingLeft()
        self.assertTrue(self.connection.closed or not self.libvirt.uris)
        return result


@ddt.ddt
class GuestVerifyTestCase(VerifyTestCase):
    def test_all_is_shown(self):
        code, rows, err = self.verify()

        self.assertEqual((0, ''), (code, err))
        self.assertEqual(NAMES, list(rows))
        self.assertEqual(COLUMNS, list(rows['relaxed']))
        self.assertEqual(
            {
                'name': 'relaxed',
                'asked': 'yes',
                'shown': 'yes',
                'leaf': '0x40000004 EAX 0x20',
            },
            rows['relaxed'],
        )
        self.assertEqual('no', rows['avic']['asked'])

    def test_something_is_missing(self):
        self.connection.shown = self.connection.shown - {'synic'}

        code, rows, _ = self.verify()

        self.assertEqual(3, code)
        self.assertEqual(
            {'synic'},
            {
                name
                for name, row in rows.items()
                if (row['asked'], row['shown']) == ('yes', 'no')
            },
        )

    @ddt.data('none', 'minimal', 'baseline')
    def test_profile(self, name):
        self.assertEqual(
            profiles.PROFILES[name].features, self.asked('--profile', name)
        )

    def test_the_default_is_the_options(self):
        self.assertEqual(
            profiles.PROFILES['minimal'].features,
            self.asked('--option', 'profile=minimal'),
        )

    def test_on_and_off(self):
        self.assertEqual(
            {'relaxed', 'vapic', 'hypervclock', 'vpindex', 'ipi'},
            self.asked(
                *('--profile', 'minimal', '--off', 'spinlocks'),
                *('--on', 'ipi', '--on', 'relaxed'),
            ),
        )

    def test_what_this_libvirt_does_not_know_is_left_out_and_missing(self):
        code, rows, err = self.verify('--profile', 'performance')

        self.assertEqual(3, code)
        self.assertEqual(
            ('yes', 'no'),
            (rows['xmm_input']['asked'], rows['xmm_input']['shown']),
        )
        self.assertIn('xmm_input: it needs libvirt 10.7.0', err)
        (guest,) = self.connection.started
        self.assertNotIn('xmm_input', hyperv.read(guest.root).features)

    def test_the_kind_of_guest(self):
        self.verify('--machine', 'q35', '--virt-type', 'qemu')

        (guest,) = self.connection.started
        self.assertEqual('qemu', guest.root.get('type'))
        self.assertEqual('q35', guest.root.find('os/type').get('machine'))

    def test_a_guest_that_is_there(self):
        theirs = machine.Domain(self.connection, test_probe_domain.GUEST)
        self.connection.running[theirs.uuid] = theirs

        result = self.call(
            *('guest', 'verify', '--domain', 'instance-00000001'),
            *('-f', 'json'),
        )

        self.assertEqual(0, result.code, result.err)
        self.assertEqual([theirs], list(self.connection.running.values()))
        (guest,) = self.connection.started
        self.assertEqual('EPYC', guest.root.findtext('cpu/model'))

    def test_a_saved_domain(self):
        path = self.write('guest.xml', test_probe_domain.GUEST)

        self.assertEqual(
            {'relaxed', 'spinlocks', 'hypervclock'}, self.asked('--xml', path)
        )

    def test_each(self):
        code, rows, err = self.verify('--each')

        self.assertEqual((0, ''), (code, err))
        self.assertEqual(NAMES, list(rows))
        self.assertEqual({'yes'}, {row['asked'] for row in rows.values()})
        self.assertEqual({'yes'}, {row['shown'] for row in rows.values()})
        self.assertEqual(1 + len(NAMES), len(self.connection.started))

    def test_each_says_why_no_guest_starts_once(self):
        self.connection.refused = {'vpindex': 'no VP_INDEX'}

        code, rows, err = self.verify('--each')

        self.assertEqual(3, code)
        self.assertEqual('no guest starts with it', rows['ipi']['shown'])
        (line,) = err.splitlines()
        self.assertRegex(line, '^vpindex, synic, .*: no VP_INDEX$')

    def test_decode(self):
        result = self.call('guest', 'verify', '--decode', '-f', 'json')

        self.assertEqual((0, ''), (result.code, result.err))
        rows = {row['name']: row for row in json.loads(result.out)}
        self.assertEqual(
            {
                'leaf': '0x40000004',
                'register': 'EAX',
                'bits': '5',
                'name': 'RelaxedTiming',
                'value': '1',
                'section': (
                    'TLFS, Feature Discovery, leaf 0x40000004: '
                    'implementation recommendations'
                ),
            },
            rows['RelaxedTiming'],
        )
        self.assertEqual('0x1fff', rows['SpinlockRetries']['value'])
        self.assertEqual("'Hv#1'", rows['Interface']['value'])

    def test_decode_of_another_hypervisor(self):
        result = self.call(
            *('guest', 'verify', '--profile', 'none', '--decode'),
            *('-f', 'json'),
        )

        # Its leaf 0x40000001 means something else.
        self.assertEqual(
            ['MaxLeaf', 'Vendor1', 'Vendor2', 'Vendor3'],
            [row['name'] for row in json.loads(result.out)],
        )

    def test_decode_finds_the_same(self):
        self.connection.shown = frozenset()

        result = self.call('guest', 'verify', '--decode')

        self.assertEqual(3, result.code)

    @ddt.data(
        (['--domain', 'x', '--on', 'ipi'], '--on and --off go with a profile'),
        (['--each', '--off', 'ipi'], '--on and --off go with a profile'),
        (['--each', '--decode'], '--each starts many guests'),
        (
            ['--profile', 'fast'],
            "Unknown profile 'fast'. Available profiles: none,",
        ),
        (['--profile', 'stock'], "Profile 'stock' leaves the choice to Nova"),
        (['--on', 'ipi', '--off', 'ipi'], 'ipi: on and off cannot both be'),
        (['--domain', 'nobody'], "The domain 'nobody' cannot be read"),
        (['--xml', '/absent.xml'], '/absent.xml cannot be read: No such file'),
        (
            ['--connect', 'qemu+ssh://elsewhere/system'],
            'the probe boots on a QEMU of this machine only',
        ),
    )
    @ddt.unpack
    def test_refused(self, argv, text):
        self.assertRefused(self.refuse(*argv), text)
        self.assertEqual([], self.connection.started)

    @ddt.data(
        ['--on', 'fast'],
        ['--timeout', '0'],
        ['--timeout', 'nan'],
        ['--timeout', 'soon'],
        ['--timeout', '1e9'],
        ['--virt-type', 'xen'],
        ['--each', '--domain', 'x'],
        ['--profile', 'none', '--xml', 'x'],
    )
    def test_wrong_usage(self, argv):
        result = self.refuse(*argv)

        self.assertEqual((2, ''), (result.code, result.out))
        self.assertIn('usage: ', result.err)


class GuestVerifyFaultsTestCase(VerifyTestCase):
    def test_qemu_dies(self):
        self.connection.refused = {'vpindex': 'qemu: no VP_INDEX\n'}

        self.assertRefused(
            self.refuse(), 'could not be verified: qemu: no VP_INDEX'
        )

    def test_no_report(self):
        self.connection.write = lambda guest: None

        self.assertRefused(
            self.refuse('--timeout', '0.1'),
            'it wrote no report in 0.1 s (it wrote nothing)',
        )

    def test_half_a_report(self):
        text = machine.text_of(machine.KVM)[:300]
        self.connection.write = lambda guest: self.connection.write_text(
            guest, text
        )

        self.assertRefused(
            self.refuse('--timeout', '0.1'), 'it wrote 300 bytes'
        )

    def test_each_takes_too_long(self):
        def write(guest):
            if not hyperv.read(guest.root).features:
                self.connection.write_report(guest)

        self.connection.write = write

        # Four at a time, and each takes as long as it may.
        self.assertRefused(
            self.refuse('--each', '--timeout', '0.3'),
            'the time is over, and only ',
            f' of {len(NAMES)} enlightenments',
        )

    def test_no_connection(self):
        self.libvirt.connection = self.libvirt.libvirtError('permission')

        self.assertRefused(
            self.call('guest', 'verify'), 'No connection to libvirt at'
        )

    def test_no_libvirt_python(self):
        self.useFixture(base.InstalledModule('libvirt', None))

        self.assertRefused(
            self.call('guest', 'verify'), 'libvirt-python is missing'
        )


@ddt.ddt
class GuestVerifyInterruptedTestCase(VerifyTestCase):
    def interrupt(self, number, *argv):
        """Send a signal while there is a guest, and once more."""
        handler = signal.getsignal(number)
        sent = threading.Event()

        # To the process, as Ctrl-C does: raise_signal() would send it to the
        # guest's thread, and the main thread would sleep on.
        def write(guest):
            if hyperv.read(guest.root).features and not sent.is_set():
                sent.set()
                os.kill(os.getpid(), number)
                os.kill(os.getpid(), number)
            elif not hyperv.read(guest.root).features:
                self.connection.write_report(guest)

        self.connection.write = write
        result = self.refuse(*argv, '--timeout', '60')
        self.assertTrue(sent.is_set())
        self.assertIs(handler, signal.getsignal(number))
        return result

    @ddt.data(
        (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)
    )
    @ddt.unpack
    def test_interrupted(self, number, code):
        result = self.interrupt(number)

        self.assertEqual((code, ''), (result.code, result.out))
        self.assertIn('was interrupted', result.err)

    def test_interrupted_in_the_middle_of_many(self):
        result = self.interrupt(signal.SIGINT, '--each')

        self.assertEqual((130, ''), (result.code, result.out), result.err)
        self.assertLess(len(self.connection.started), len(NAMES))


class HostShowVerifyTestCase(VerifyTestCase):
    def show(self, *argv):
        result = self.call('host', 'show', *argv, '-f', 'json')
        self.assertNothingLeft()
        self.assertEqual(0, result.code, result.err)
        rows = json.loads(result.out)
        return {row['name']: row for row in rows}, result.err

    def test_no_guest_is_started_unless_asked_for(self):
        rows, _ = self.show()

        self.assertNotIn('shown to a guest', rows['relaxed'])
        self.assertEqual([], self.connection.started)

    def test_shown(self):
        rows, err = self.show('--verify')

        self.assertEqual('', err)
        self.assertEqual(
            {'yes'}, {row['shown to a guest'] for row in rows.values()}
        )
        self.assertEqual('yes', rows['relaxed']['offered'])

    def test_what_is_not_shown_is_not_offered(self):
        self.connection.shown = self.connection.shown - {'synic'}

        rows, _ = self.show('--verify')

        self.assertEqual(
            {
                'name': 'synic',
                'offered': 'no',
                'witness': 'guest',
                'evidence': 'not shown to a guest on this host',
                'shown to a guest': 'no',
            },
            rows['synic'],
        )
        self.assertEqual('yes', rows['vpindex']['offered'])

    def test_the_kernel_disagrees(self):
        leaves = kvm.KernelFacts(
            hyperv=True,
            leaves={0x40000003: dict.fromkeys(kvm.model.Register, 0xFFFFFFFF)},
        )
        self.use_kernel(leaves)
        self.connection.shown = self.connection.shown - {'vapic'}

        _, err = self.show('--verify')

        self.assertIn(
            'vapic: /dev/kvm says that KVM supports AccessIntrCtrlRegs, and '
            'a guest is not shown it',
            err,
        )
        self.assertIn(
            'relaxed: /dev/kvm says that KVM does not support RelaxedTiming, '
            'and a guest is shown it',
            err,
        )
        self.assertNotIn('runtime:', err)

    def test_the_kind_of_guest(self):
        self.show('--verify', '--machine', 'q35', '--arch', 'i686')

        self.assertEqual(
            {('i686', 'q35')},
            {
                tuple(guest.root.find('os/type').attrib.values())
                for guest in self.connection.started
            },
        )

    def test_a_saved_document_has_no_guests(self):
        path = self.write_document()

        self.assertRefused(
            self.call('host', 'show', '--domcaps', path, '--verify'),
            '--verify needs a connection, not a saved document.',
        )

    def test_no_guest_can_be_looked_at(self):
        self.connection.write = lambda guest: None

        self.assertRefused(
            self.call('host', 'show', '--verify', '--timeout', '0.1'),
            'it wrote no report',
        )

    def test_interrupted(self):
        def write(guest):
            os.kill(os.getpid(), signal.SIGINT)

        self.connection.write = write

        result = self.call('host', 'show', '--verify')

        self.assertEqual((130, ''), (result.code, result.out), result.err)
        self.assertNothingLeft()
