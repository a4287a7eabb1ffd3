# SPDX-License-Identifier: Apache-2.0

import dataclasses
import fcntl
import json
import os

import ddt
import fixtures

from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import exclusion
from nova_hyperv_enlight.host import capabilities
from nova_hyperv_enlight.host import kvm
from tests.unit.guest import test_verify_boot

ASKED = capabilities.Sources(
    virt_type='kvm',
    arch='x86_64',
    machine='q35',
    libvirt=(9, 0, 0),
    qemu=(7, 2, 0),
    kernel=kvm.KernelFacts(hyperv=True),
)
HIDDEN = frozenset(('avic', 'reset'))


@ddt.ddt
class WitnessTestCase(test_verify_boot.BootCase):
    def setUp(self):
        super().setUp()
        self.state_path = self.outside / 'state'
        self.state_path.mkdir()
        self.file = self.state_path / 'hyperv_enlight' / 'verified.json'
        self.machine.shown = self.machine.shown - HIDDEN
        self.microcode('0xa20102b')

    def microcode(self, text):
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_hyperv_enlight.host.kvm.microcode', lambda: text
            )
        )

    def ask(self, **kwargs):
        """Ask; say whether guests were started for it."""
        before = len(self.machine.started)
        asked = dataclasses.replace(ASKED, **kwargs)
        found = exclusion.not_shown(self.machine, asked, str(self.state_path))
        self.assertNothingLeft()
        return found, len(self.machine.started) > before

    def test_asked_once(self):
        self.assertEqual((HIDDEN, True), self.ask())
        self.assertEqual((HIDDEN, False), self.ask())
        self.assertEqual((HIDDEN, False), self.ask())

    def test_the_guests_are_of_the_kind_asked_about(self):
        self.ask(machine='pc', arch='i686')

        kinds = {
            (each.root.get('type'), *each.root.find('os/type').attrib.values())
            for each in self.machine.started
        }
        self.assertEqual({('kvm', 'i686', 'pc')}, kinds)

    @ddt.data(
        {'libvirt': (9, 0, 1)},
        {'qemu': (7, 2, 1)},
        {'machine': 'pc'},
        {'kernel': kvm.KernelFacts(hyperv=True, nested=True)},
    )
    def test_asked_again_where_the_host_changed(self, changed):
        self.ask()

        self.assertEqual((HIDDEN, True), self.ask(**changed))
        self.assertEqual((HIDDEN, False), self.ask(**changed))

    def test_asked_again_with_other_microcode(self):
        self.ask()
        self.microcode('0xa20102c')

        self.assertEqual((HIDDEN, True), self.ask())

    def test_asked_again_with_another_kernel(self):
        self.ask()
        uname = os.uname()
        self.useFixture(
            fixtures.MonkeyPatch(
                'os.uname',
                lambda: os.uname_result((*uname[:2], '6.99.0', *uname[3:])),
            )
        )

        self.assertEqual((HIDDEN, True), self.ask())

    def test_the_file_is_ours_alone(self):
        self.ask()

        self.assertEqual(0o600, self.file.stat().st_mode & 0o777)
        self.assertEqual(0o700, self.file.parent.stat().st_mode & 0o777)
        self.assertEqual(['verified.json'], os.listdir(self.file.parent))

    @ddt.data(
        b'',
        b'{',
        b'[]',
        b'null',
        b'{"key": 1}',
        b'\xff',
        b'[' * 100_000,
        b'{"key": "", "not_shown": []}',
    )
    def test_a_broken_file_is_written_anew(self, data):
        self.ask()
        self.file.write_bytes(data)

        self.assertEqual((HIDDEN, True), self.ask())
        self.assertEqual((HIDDEN, False), self.ask())

    @ddt.data(['nonsense'], 'avic', [['avic']], 7, None, [7])
    def test_names_that_are_none(self, names):
        self.ask()
        document = json.loads(self.file.read_text())
        self.file.write_text(json.dumps({**document, 'not_shown': names}))

        self.assertEqual((HIDDEN, True), self.ask())

    def test_a_link_is_not_followed(self):
        self.ask()
        elsewhere = self.state_path / 'elsewhere'
        self.file.rename(elsewhere)
        self.file.symlink_to(elsewhere)
        before = elsewhere.read_bytes()

        self.assertEqual((HIDDEN, True), self.ask())

        self.assertFalse(self.file.is_symlink())
        self.assertEqual(before, elsewhere.read_bytes())

    def test_a_link_in_the_place_of_the_directory(self):
        elsewhere = self.outside / 'elsewhere'
        elsewhere.mkdir()
        self.file.parent.symlink_to(elsewhere)

        self.assertEqual((HIDDEN, True), self.ask())
        self.assertEqual((HIDDEN, True), self.ask())

        self.assertEqual([], os.listdir(elsewhere))
        self.assertIn('cannot be kept in', self.log.output)

    def test_a_directory_that_others_can_write(self):
        self.ask()
        self.file.parent.chmod(0o777)

        self.assertEqual((HIDDEN, True), self.ask())
        self.assertIn('can be written by others', self.log.output)

    def test_something_else_than_a_file(self):
        self.ask()
        self.file.unlink()
        os.mkfifo(self.file)

        self.assertEqual((HIDDEN, True), self.ask())
        self.assertEqual((HIDDEN, False), self.ask())

    def test_what_was_left_half_written(self):
        self.ask()
        self.file.rename(self.file.with_name('verified.json.new'))

        self.assertEqual((HIDDEN, True), self.ask())
        self.assertEqual(['verified.json'], os.listdir(self.file.parent))

    def test_what_cannot_be_put_in_its_place(self):
        self.ask()
        self.file.unlink()
        self.file.mkdir()

        self.assertEqual((HIDDEN, True), self.ask())

        self.assertEqual(['verified.json'], os.listdir(self.file.parent))
        self.assertIn('cannot be kept in', self.log.output)

    def test_somebody_else_is_writing(self):
        self.ask()
        before = self.file.read_bytes()
        other = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, other)
        fcntl.flock(other, fcntl.LOCK_EX)

        self.assertEqual((HIDDEN, True), self.ask(machine='pc'))

        self.assertEqual(before, self.file.read_bytes())
        self.assertIn('cannot be kept in', self.log.output)

    def test_no_state_path(self):
        self.state_path = self.state_path / 'absent'

        self.assertEqual((HIDDEN, True), self.ask())
        self.assertIn('No such file or directory', self.log.output)

    def test_a_guest_that_did_not_say_is_asked_again(self):
        def write(guest):
            if len(self.machine.started) != 3:
                self.machine.write_report(guest)

        self.machine.write = write
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_hyperv_enlight.guest.exclusion.TIMEOUT_SECONDS', 0.2
            )
        )

        self.assertTrue(self.ask()[1])
        self.assertFalse(self.file.exists())

    def test_no_guest_can_be_looked_at(self):
        self.machine.shown = frozenset()
        self.machine.write = lambda guest: self.machine.running.clear()

        self.assertRaises(exception.GuestFailed, self.ask)
        self.assertFalse(self.file.exists())
