# SPDX-License-Identifier: Apache-2.0
"""``guest verify`` on this machine's QEMU, where nothing is shown.

QEMU's emulator has no Hyper-V at all; nor has the KVM of a machine like
ours. Where a KVM has one: tests/lab/test_verify.py.
"""

import contextlib
import dataclasses
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import ddt
import fixtures

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.catalogue import selections
from nova_hyperv_enlight.cmd import main
from nova_hyperv_enlight import exception
from nova_hyperv_enlight.guest import boot
from nova_hyperv_enlight.guest import cpuid
from nova_hyperv_enlight.guest import probe_domain
from tests.real import cases
from tests.real import guests
from tests.real import kvm

_NAMES = list(enlightenments.ENLIGHTENMENTS)
_PROGRAM = pathlib.Path(__file__).with_name('program.py')
_CHECKOUT = pathlib.Path(__file__).parents[2]
# What a guest may take on a busy machine.
_TIMEOUT = '60'
_SOMEBODY = """
<domain type='qemu'>
  <name>somebody</name>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><hyperv><relaxed state='on'/></hyperv></features>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""


def _sector(*code):
    """Return a boot sector of machine code."""
    return bytes(code).ljust(510, b'\0') + b'\x55\xaa'


# cli; hlt; jmp to the hlt
_HALT = (0xFA, 0xF4, 0xEB, 0xFD)
#: It never writes.
SILENT = _sector(*_HALT)
#: mov $0x3f8,%dx; mov $'A',%al; out %al,(%dx); jmp to the out
ENDLESS = _sector(0xFA, 0xBA, 0xF8, 0x03, 0xB0, 0x41, 0xEE, 0xEB, 0xFD)
#: The same, but it writes ESC 300 times and halts.
ESCAPES = _sector(
    *(0xFA, 0xBA, 0xF8, 0x03, 0xB0, 0x1B, 0xB9, 0x2C, 0x01),
    *(0xEE, 0xE2, 0xFD),
    *_HALT,
)
#: lidt of zeros; int3: a triple fault, which ends the guest.
RESET = _sector(0xFA, 0x0F, 0x01, 0x1E, 0x80, 0x7C, 0xCC)


def _half():
    """Return the probe without its last leaves and without its end."""
    # The list of leaves ends in a zero; where it would write "end", it halts.
    sector = bytearray(cpuid.boot_sector())
    end = sector.index(b'\xb0\x65\xe8')  # mov $'e',%al; call put
    sector[end : end + len(_HALT)] = bytes(_HALT)
    return bytes(sector)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Left:
    """What could be left behind.

    :ivar domains: the names of libvirt's guests
    :ivar files: paths that have our guests' prefix in them
    :ivar processes: command lines of QEMUs of our guests
    """

    domains: tuple
    files: tuple
    processes: tuple


def look_around(driver):
    """Count what there is."""
    temporary = driver.root / 'tmp'
    files = os.listdir(temporary)
    files += driver.root.glob(f'**/{probe_domain.PREFIX}*')
    return Left(
        domains=tuple(
            sorted(each.name() for each in driver.connection.listAllDomains())
        ),
        files=tuple(sorted(map(str, files))),
        processes=tuple(_qemus(temporary)),
    )


def _qemus(temporary):
    """The QEMUs whose files are there."""
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        with contextlib.suppress(OSError):
            words = path.read_bytes()
            if bytes(temporary) in words and words.startswith(b'/'):
                yield words


class VerifyCase(cases.EmbeddedCase):
    """Runs the program on this process's embedded libvirt."""

    def setUp(self):
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_hyperv_enlight.cmd.probing.run_events', lambda: None
            )
        )
        # Of our own: other tests have guests and files too.
        self.temporary = self.driver.root / 'tmp'
        self.temporary.mkdir(exist_ok=True)
        self.temporary.chmod(0o777)
        self.useFixture(
            fixtures.MonkeyPatch('tempfile.tempdir', str(self.temporary))
        )
        self.before = look_around(self.driver)

    def assertNothingLeft(self):
        self.assertEqual(self.before, look_around(self.driver))

    def call(self, *argv):
        """Return the exit code, what was printed, and what was said."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main.main([*argv, '--connect', self.driver.uri])
        self.assertNothingLeft()
        return code, out.getvalue(), ' '.join(set(err.getvalue().split('\n')))

    def verify(self, *argv):
        code, out, err = self.call(
            *('guest', 'verify', '--timeout', _TIMEOUT, '-f', 'json'), *argv
        )
        rows = json.loads(out or '[]')
        return code, {row['name']: row for row in rows}, err


class VerifyOnQEMUTest(VerifyCase):
    """On QEMU's emulator."""

    def verify(self, *argv):
        # A guest that is there has a type of its own.
        if {'--domain', '--xml'}.isdisjoint(argv):
            argv = ('--virt-type', 'qemu', *argv)
        return super().verify(*argv)

    def test_nothing_is_shown(self):
        begin = time.monotonic()

        code, rows, err = self.verify('--profile', 'minimal')

        self.assertEqual((3, ''), (code, err))
        self.assertEqual(_NAMES, list(rows))
        asked = {n for n, row in rows.items() if row['asked'] == 'yes'}
        self.assertEqual(guests.MINIMAL, asked)
        self.assertEqual({'no'}, {row['shown'] for row in rows.values()})
        # Two seconds on a machine that is not busy with other tests.
        self.assertLess(time.monotonic() - begin, 60)

    def test_nothing_was_asked(self):
        code, rows, _ = self.verify('--profile', 'none')

        self.assertEqual(0, code)
        self.assertEqual({'no'}, {row['asked'] for row in rows.values()})
        self.assertEqual({'no'}, {row['shown'] for row in rows.values()})

    def test_the_guest_reads_the_emulator(self):
        code, out, _ = self.call(
            *('guest', 'verify', '--virt-type', 'qemu', '--decode'),
            *('--profile', 'none', '--timeout', _TIMEOUT),
            *('-f', 'value', '-c', 'value'),
        )

        self.assertEqual(0, code)
        self.assertEqual(["'TCGT'", "'CGTC'", "'GTCG'"], out.splitlines()[1:])

    def test_stock_novas_set(self):
        words = []
        for name in sorted(guests.STOCK):
            words += ['--on', name]

        code, rows, err = self.verify('--profile', 'none', *words)

        # Where this set is asked for there is no guest at all.
        self.assertEqual((2, {}), (code, rows))
        self.assertIn("kernel doesn't allow setting HyperV VP_INDEX", err)

    def test_each(self):
        code, rows, err = self.verify('--each')

        self.assertEqual(3, code)
        self.assertEqual(_NAMES, list(rows))
        for name in ('relaxed', 'spinlocks', 'vendor_id', 'hypervclock'):
            self.assertEqual('no', rows[name]['shown'], name)
        for name in ('vpindex', 'synic', 'stimer', 'tlbflush'):
            self.assertEqual(
                'no guest starts with it', rows[name]['shown'], name
            )
        self.assertNotIn('yes', {row['shown'] for row in rows.values()})
        self.assertRegex(err, "vpindex, synic, .*: .*VP_INDEX")

    def test_host_show(self):
        code, out, _ = self.call(
            *('host', 'show', '--virt-type', 'qemu', '--verify'),
            *('--timeout', _TIMEOUT, '-f', 'json'),
        )

        self.assertEqual(0, code)
        rows = {row['name']: row for row in json.loads(out)}
        self.assertEqual('no', rows['relaxed']['shown to a guest'])
        self.assertEqual(
            'no guest starts with it', rows['synic']['shown to a guest']
        )

    def test_machines(self):
        for machine in ('pc', 'q35'):
            code, _, err = self.verify(
                '--profile', 'minimal', '--machine', machine
            )
            self.assertEqual((3, ''), (code, err))

    def test_a_guest_that_is_there_is_only_read(self):
        somebody = self.driver.connection.createXML(_SOMEBODY)
        self.addCleanup(somebody.destroy)
        self.before = look_around(self.driver)
        xml, number = somebody.XMLDesc(), somebody.ID()

        code, rows, err = self.verify('--domain', 'somebody')

        self.assertEqual((3, ''), (code, err))
        asked = [n for n, row in rows.items() if row['asked'] == 'yes']
        self.assertEqual(['relaxed'], asked)
        self.assertEqual(xml, somebody.XMLDesc())
        self.assertEqual(number, somebody.ID())

    def test_a_saved_guest_with_a_qemu_that_is_not_there(self):
        path = pathlib.Path(self.driver.root, 'guest.xml')
        path.write_text(
            _SOMEBODY.replace(
                '<devices>', '<devices><emulator>/absent/qemu</emulator>'
            )
        )

        code, rows, err = self.verify('--xml', str(path))

        self.assertEqual((2, {}), (code, rows))
        self.assertIn('/absent/qemu', err)

    def test_two_at_once_do_not_meet(self):
        found = []

        def run():
            question = probe_domain.from_selection(
                selections.Selection(), virt_type='qemu'
            )
            conditions = boot.Conditions(timeout=float(_TIMEOUT))
            found.append(
                boot.boot(self.driver.connection, question, conditions)
            )

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(
            ['TCGTCGTCGTCG'] * 3, [cpuid.vendor(leaves) for leaves in found]
        )
        self.assertNothingLeft()


@ddt.ddt
class GuestsThatDoNotReportTest(VerifyCase):
    """Real guests that write something else than the probe."""

    def boot(self, sector, timeout):
        question = probe_domain.from_selection(
            selections.Selection(), virt_type='qemu'
        )
        conditions = boot.Conditions(timeout=timeout, sector=sector)
        begin = time.monotonic()
        error = self.assertRaises(
            exception.GuestFailed,
            boot.boot,
            self.driver.connection,
            question,
            conditions,
        )
        self.assertNothingLeft()
        self.assertTrue(str(error).isprintable())
        return str(error), time.monotonic() - begin

    def test_it_never_writes(self):
        error, _ = self.boot(SILENT, 5.0)

        self.assertIn('no report in 5 s (it wrote nothing)', error)

    def test_it_never_stops(self):
        error, seconds = self.boot(ENDLESS, 90.0)

        self.assertIn('it wrote more than 65536 bytes', error)
        self.assertLess(seconds, 90)

    def test_it_writes_half(self):
        error, _ = self.boot(_half(), 5.0)

        self.assertRegex(error, 'no report in 5 s .it wrote 7[0-9]{2} bytes')

    def test_it_writes_escapes(self):
        error, _ = self.boot(ESCAPES, 5.0)

        self.assertIn(r'it wrote 300 bytes, at last', error)

    def test_it_ends(self):
        error, seconds = self.boot(RESET, 90.0)

        self.assertIn('it ended before it had written its report', error)
        self.assertLess(seconds, 90)


class VerifyOnPlainKVMTest(VerifyCase):
    """On a KVM without Hyper-V."""

    def setUp(self):
        super().setUp()
        if kvm.missing():
            # the one thing that no CI can be made to have
            self.skipTest(kvm.missing())
        if kvm.emulates_hyperv():
            self.skipTest('the KVM of this machine emulates Hyper-V')

    def test_qemu_dies_at_once(self):
        code, rows, err = self.verify('--profile', 'none', '--on', 'vpindex')

        self.assertEqual((2, {}), (code, rows))
        self.assertEqual(
            'The guest could not be verified: qemu-system-x86_64: kernel '
            "doesn't allow setting HyperV VP_INDEX",
            err.strip(),
        )

    def test_nothing_is_shown(self):
        # On some machines a guest of KVM does not even reach its disk.
        code, rows, err = self.verify('--profile', 'none', '--timeout', '5')

        if code == 2:
            self.assertIn('it wrote no report in 5 s', err)
            return
        self.assertEqual({'no'}, {row['shown'] for row in rows.values()})


@ddt.ddt
class ProgramTest(VerifyCase):
    """The program in a process of its own."""

    def start(self, *argv, **kwargs):
        kwargs['env'] = {
            **os.environ,
            'TMPDIR': str(self.temporary),
            **kwargs.get('env', {}),
        }
        process = subprocess.Popen(
            [sys.executable, _PROGRAM, *argv],
            cwd=_CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **kwargs,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def wait_for_guests(self, process, count):
        deadline = time.monotonic() + 120
        while (
            len(set(_qemus(self.temporary))) < count
            and time.monotonic() < deadline
        ):
            self.assertIsNone(process.poll())
            time.sleep(0.02)

    @ddt.data(
        (signal.SIGINT, 130, ('--profile', 'minimal')),
        (signal.SIGTERM, 143, ('--profile', 'minimal')),
        (signal.SIGINT, 130, ('--each',)),
    )
    @ddt.unpack
    def test_interrupted(self, number, code, argv):
        process = self.start(
            *('guest', 'verify', '--virt-type', 'qemu'),
            *('--timeout', _TIMEOUT, *argv),
        )
        self.wait_for_guests(process, len(self.before.processes) + 1)

        process.send_signal(number)
        out, err = process.communicate(timeout=120)

        self.assertEqual((code, ''), (process.returncode, out), err)
        self.assertIn('was interrupted', err)
        self.assertNothingLeft()

    def test_no_qemu(self):
        empty = pathlib.Path(self.driver.root, 'empty')
        empty.mkdir(exist_ok=True)

        process = self.start('guest', 'verify', env={'PATH': str(empty)})
        out, err = process.communicate(timeout=120)

        self.assertEqual((2, ''), (process.returncode, out), err)
        self.assertEqual(1, len(err.splitlines()), err)
        self.assertNothingLeft()
