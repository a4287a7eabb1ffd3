# SPDX-License-Identifier: Apache-2.0

import os
import threading
import time

import ddt
import fixtures

from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import boot
from nova_hyperv_enlight.guest import cpuid
from nova_hyperv_enlight.guest import probe_domain
from nova_hyperv_enlight.guest import report
from tests.unit import base
from tests.unit.guest import machine

# As libvirt hands on what QEMU wrote before it died.
DIED = """\
internal error: qemu unexpectedly closed the monitor: \
2026-11-22T14:00:36.304877Z qemu-system-x86_64: warning: host doesn't support \
requested feature: CPUID.01H:ECX.pni [bit 0]
2026-11-22T14:00:36.340678Z qemu-system-x86_64: kernel doesn't allow setting \
HyperV VP_INDEX
"""
ENDLESS = b'A' * (report.MAX_BYTES + 1)
WHOLE = machine.text_of(machine.KVM)


class BootCase(base.TestCase):
    """Boots on a libvirt of the tests' own, with files of the tests' own."""

    def setUp(self):
        super().setUp()
        self.outside = self.make_dir()
        self.directory = self.outside / 'tmp'
        self.directory.mkdir()
        self.useFixture(
            fixtures.MonkeyPatch('tempfile.tempdir', str(self.directory))
        )
        self.useFixture(
            fixtures.EnvironmentVariable(
                'XDG_CACHE_HOME', str(self.directory / 'cache')
            )
        )
        self.machine = machine.Machine()
        self.question = probe_domain.from_selection(
            selections.Selection(features=frozenset(('relaxed',)))
        )
        self.stop = threading.Event()

    def boot(self, **kwargs):
        conditions = boot.Conditions(
            **{'timeout': 5.0, 'stop': self.stop, **kwargs}
        )
        return boot.boot(self.machine, self.question, conditions)

    def refuse(self, **kwargs):
        """Return why it could not be booted; nothing must be left."""
        error = self.assertRaises(
            exception.GuestFailed, self.boot, **{'timeout': 0.1, **kwargs}
        )
        self.assertNothingLeft()
        return error

    def assertNothingLeft(self):
        self.assertEqual({}, self.machine.running)
        self.assertEqual([], os.listdir(self.directory))


@ddt.ddt
class BootTestCase(BootCase):
    def test_the_report_comes_back(self):
        leaves = self.boot()

        self.assertEqual('Microsoft Hv', cpuid.vendor(leaves))
        self.assertNothingLeft()

    def test_guests_are_told_apart(self):
        self.boot()
        self.boot()

        one, other = self.machine.started
        self.assertRegex(one.name, '^nova-hyperv-enlight-verify-[0-9a-f]{8}$')
        self.assertNotEqual(one.name, other.name)
        self.assertNotEqual(one.uuid, other.uuid)
        self.assertNotEqual(one.disk, other.disk)
        self.assertNotEqual(one.serial, other.serial)

    def test_the_disk_is_the_probe(self):
        disks = []
        self.machine.write = lambda guest: (
            disks.append(guest.disk.read_bytes()),
            self.machine.write_report(guest),
        )

        self.boot()

        self.assertEqual(cpuid.boot_sector(), disks[0][:512])
        self.assertEqual(b'', disks[0][512:].strip(b'\0'))

    def test_files_can_be_reached_and_not_read_by_others(self):
        modes = {}

        def look(guest):
            for path in (guest.serial.parent, guest.serial, guest.disk):
                modes[path.name[:6]] = path.stat().st_mode & 0o777
            self.machine.write_report(guest)

        self.machine.write = look
        self.boot()

        directory = probe_domain.PREFIX[:6]
        self.assertEqual(
            {directory: 0o711, 'serial': 0o600, 'disk': 0o644}, modes
        )

    def test_the_guest_ends_with_the_connection(self):
        # libvirt: VIR_DOMAIN_START_AUTODESTROY
        self.boot()

        self.assertEqual([2], self.machine.flags)

    def test_the_embedded_driver_has_no_such_end(self):
        self.machine.uri = 'qemu:///embed?root=/somewhere'

        self.boot()

        self.assertEqual([0], self.machine.flags)

    def test_a_report_may_come_late_and_in_pieces(self):
        def write(guest):
            threads.append(threading.Thread(target=later, args=(guest,)))
            threads[0].start()

        def later(guest):
            for end in (0, 1, 40, 700, len(WHOLE)):
                self.machine.write_text(guest, WHOLE[:end])
                time.sleep(0.05)

        threads = []
        self.machine.write = write

        leaves = self.boot()

        threads[0].join()
        self.assertEqual('KVMKVMKVM', cpuid.vendor(leaves))

    def test_the_user_of_qemu_may_own_the_file(self):
        # libvirt gives it to that user, who need not let us read it.
        def write(guest):
            self.machine.write_report(guest)
            guest.serial.chmod(0)

        self.machine.write = write

        self.assertTrue(self.boot())

    @ddt.data(
        ('qemu:///system', '/var/log/libvirt/qemu'),
        ('qemu:///session', '{}/cache/libvirt/qemu/log'),
        ('qemu:///embed?root={}/driver', '{}/driver/log/qemu'),
    )
    @ddt.unpack
    def test_the_log_is_removed(self, uri, folder):
        removed = []
        self.useFixture(
            fixtures.MonkeyPatch(
                'os.unlink', lambda path, **kwargs: removed.append(path)
            )
        )
        self.machine.uri = uri.format(self.directory)

        boot._remove_log(self.machine, 'name')

        self.assertEqual(
            [f'{folder.format(self.directory)}/name.log'], removed
        )

    def test_a_log_that_is_elsewhere_stays(self):
        self.machine.uri = 'qemu+ssh://elsewhere/else'

        self.assertTrue(self.boot())


@ddt.ddt
class BootFaultsTestCase(BootCase):
    def test_qemu_dies_at_once(self):
        self.machine.refused = {'relaxed': DIED}

        error = self.refuse()

        self.assertEqual(
            'The guest could not be verified: qemu-system-x86_64: kernel '
            "doesn't allow setting HyperV VP_INDEX",
            str(error),
        )
        self.assertTrue(error.refused)

    @ddt.data(
        ('unsupported\n  configuration', 'unsupported configuration'),
        ('2026-01-01T00:00:00.0Z q: warning: only', 'q: warning: only'),
        ('', ''),
    )
    @ddt.unpack
    def test_plain(self, message, text):
        self.assertEqual(text, boot.plain(message))

    @ddt.data(
        ('', 'it wrote nothing'),
        ('Booting...', "it wrote 10 bytes, at last 'Booting...'"),
        (WHOLE[:200], 'it wrote 200 bytes'),
        # The end of the last line is still to come.
        (WHOLE.rstrip(), 'it wrote'),
    )
    @ddt.unpack
    def test_no_report_in_time(self, text, why):
        self.machine.write = lambda guest: self.machine.write_text(guest, text)

        error = self.refuse()

        self.assertIn('it wrote no report in 0.1 s', str(error))
        self.assertIn(why, str(error))
        self.assertFalse(error.refused)

    def test_the_guest_ends_before_its_report(self):
        def write(guest):
            self.machine.write_text(guest, WHOLE[:100])
            self.machine.running.clear()

        self.machine.write = write

        error = self.refuse(timeout=60.0)

        self.assertIn('it ended before it had written its report', str(error))
        self.assertIn('it wrote 100 bytes', str(error))

    def test_a_guest_that_ends_after_its_report(self):
        def write(guest):
            self.machine.write_report(guest)
            self.machine.running.clear()

        self.machine.write = write

        self.assertTrue(self.boot())

    @ddt.data(
        (ENDLESS, 'it wrote more than 65536 bytes'),
        (b'\n' * len(ENDLESS), 'it wrote more than 65536 bytes'),
        (b'end\r\n', 'lacks the leaves 0x1, 0x40000000'),
        (b'\xff\x00\x1b[2Jend\nend\n', 'lacks the leaves'),
        (WHOLE.replace('40000003', '4000000b').encode(), '0x40000003'),
    )
    @ddt.unpack
    def test_hostile_stream(self, data, why):
        self.machine.write = lambda guest: self.machine.write_text(guest, data)

        error = self.refuse(timeout=60.0)

        self.assertIn(why, str(error))
        self.assertLess(len(str(error)), 400)
        self.assertTrue(str(error).isprintable())

    def test_control_characters_are_not_passed_on(self):
        self.machine.write = lambda guest: self.machine.write_text(
            guest, b'\x1b]0;title\x07\x9b31m'
        )

        self.assertTrue(str(self.refuse()).isprintable())

    def test_interrupted(self):
        self.machine.write = lambda guest: self.stop.set()

        self.assertRaises(exception.Interrupted, self.boot, timeout=60.0)
        self.assertNothingLeft()

    def test_interrupted_by_an_exception(self):
        # Wherever it comes from, a guest is never left behind.
        def write(guest):
            raise KeyboardInterrupt

        self.machine.write = write

        self.assertRaises(KeyboardInterrupt, self.boot)
        self.assertNothingLeft()

    def test_a_guest_that_cannot_be_destroyed_is_named(self):
        self.machine.stubborn = True

        error = self.assertRaises(exception.GuestFailed, self.boot)

        self.assertIn('SIGKILL', str(error))
        self.assertIn(
            f'{self.machine.started[0].name} is left behind', str(error)
        )
        self.assertEqual([], os.listdir(self.directory))

    def test_no_room_for_files(self):
        self.useFixture(
            fixtures.MonkeyPatch(
                'tempfile.tempdir', str(self.directory / 'absent')
            )
        )

        self.assertIn('No such file or directory', str(self.refuse()))
        self.assertEqual([], self.machine.started)


class BootAtOnceTestCase(BootCase):
    def test_two_at_once_do_not_meet(self):
        barrier = threading.Barrier(2, timeout=30)

        def write(guest):
            barrier.wait()  # Both are there.
            self.machine.write_report(guest)

        self.machine.write = write
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(self.boot()))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(2, len(found))
        self.assertEqual(2, self.machine.most)
        self.assertNothingLeft()
