# SPDX-License-Identifier: Apache-2.0
"""Tests of the lab that take a boot; each makes the most of its one."""

import json
import os
import pathlib
import sys

from tests.lab import base
from tests.lab import exception
from tests.lab import fixture
from tests.lab import spec as lab_spec

# Everything that one boot can tell, written as JSON.
_SURVEY = """
import fcntl, json, os, pathlib, socket, sys, warnings
KVM_CHECK_EXTENSION, KVM_CAP_HYPERV = 0xAE03, 44
with open('/dev/kvm', 'rb') as kvm:
    hyperv = fcntl.ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_HYPERV)
param = pathlib.Path('/sys/module/kvm_amd/parameters')
clock = pathlib.Path('/sys/devices/system/clocksource/clocksource0')
disk = os.statvfs('/')
server = socket.create_server(('127.0.0.1', 0))
socket.create_connection(server.getsockname()).close()
pathlib.Path('/survey-of-the-lab').write_text('is lost')
found = {
    'argv': sys.argv[1:],
    'clocksource': (clock / 'current_clocksource').read_text().strip(),
    'cwd': os.getcwd(),
    'debugfs': os.path.isdir('/sys/kernel/debug/kvm'),
    'free': disk.f_bavail * disk.f_frsize,
    'hostname': socket.gethostname(),
    'hyperv': hyperv,
    'nested': (param / 'nested').read_text().strip(),
    'avic': (param / 'avic').read_text().strip(),
    'path': os.environ['PATH'],
    'prefix': sys.prefix,
    'pty': os.ttyname(os.openpty()[1]),
    'word': os.environ['WORD'],
}
out = pathlib.Path(os.environ['LAB_OUT'])
(out / 'survey.json').write_text(json.dumps(found))
print('hi')
print('err', file=sys.stderr)
os.system("echo more > /dev/stderr; sleep 1000 & kill -9 $$")
sys.exit(7)
"""


class BootTestCase(base.LabTestCase):
    """LabFixture.run() and what comes back."""

    def test_run_brings_back_what_the_command_did(self) -> None:
        full_host = self.useFixture(fixture.SharedLabFixture())
        words = ["it's", 'a "b" $c', '', 'x\ny', '*', 'ü', 'z' * 100_000]
        environment = {'WORD': "don't $expand"}

        result = full_host.run(
            [sys.executable, '-c', _SURVEY, *words], env=environment
        )

        self.assertEqual(7, result.returncode, str(result.stderr))
        self.assertEqual(b'hi\n', result.stdout)
        self.assertEqual(b'err\nmore\n', result.stderr)
        survey = full_host.outdir / 'survey.json'
        found = json.loads(survey.read_bytes())
        # Nova's inventory takes at least a gibibyte for a disk.
        self.assertGreater(found.pop('free'), 1 << 30)
        self.assertRegex(found.pop('pty'), '^/dev/pts/[0-9]+$')
        self.assertEqual(
            {
                'argv': words,
                'avic': 'N',
                'clocksource': 'tsc',
                'cwd': os.getcwd(),
                'debugfs': True,
                'hostname': 'lab',
                'hyperv': 1,
                'nested': '1',
                'path': os.environ['PATH'],
                'prefix': sys.prefix,
                'word': environment['WORD'],
            },
            found,
        )
        self.assertFalse(os.path.exists('/survey-of-the-lab'))
        self.assertFalse((result.logdir / 'job.json').exists())

    def test_run_without_kvm_and_without_the_command(self) -> None:
        spec = lab_spec.LabSpec(kvm_device=lab_spec.KvmDevice.ABSENT)
        full_host = self.useFixture(fixture.SharedLabFixture(spec))
        script = 'test ! -e /dev/kvm && exec no-such-command'

        result = full_host.run(['sh', '-c', script])

        self.assertEqual(127, result.returncode)

    def test_commands_of_one_machine_do_not_meet(self) -> None:
        script = (
            'cat /sys/module/kvm_amd/parameters/nested; ls -d /left;'
            'pgrep -x sleep; touch /left; setsid sleep 1000 & sleep 1'
        )
        seen = []
        for param in ('kvm_amd.nested=0', 'kvm_amd.nested=1'):
            spec = lab_spec.LabSpec(module_params=(param,))
            full_host = self.useFixture(fixture.SharedLabFixture(spec))
            result = full_host.run(['sh', '-c', script])
            seen.append((result.stdout, result.logdir.parent))

        (first, machine), (second, same) = seen
        self.assertEqual(machine, same)
        self.assertEqual((b'0\n', b'1\n/left\n'), (first, second))

    def test_run_raises_for_a_parameter_that_is_none(self) -> None:
        spec = lab_spec.LabSpec(module_params=('kvm_amd.nestd=0',))
        full_host = self.useFixture(fixture.LabFixture(spec))

        error = self.assertRaises(
            exception.MachineDied, full_host.run, ['true']
        )

        self.assertIn('kvm_amd has no parameter nestd', str(error))

    def test_run_raises_for_a_panic(self) -> None:
        full_host = self.useFixture(fixture.LabFixture())
        script = 'echo before; echo c > /proc/sysrq-trigger; sleep 1000'

        error = self.assertRaises(
            exception.KernelPanic, full_host.run, ['sh', '-c', script]
        )

        self.assertIn('sysrq triggered crash', str(error))
        console = pathlib.Path(str(error.console))
        self.assertIn('Kernel panic', console.read_text(errors='replace'))
        stdout = console.parent / '001/stdout'
        self.assertEqual(b'before\n', stdout.read_bytes())
        self.assertEqual([], base.qemu_of(full_host.outdir))

    def test_run_raises_for_a_hang(self) -> None:
        full_host = self.useFixture(fixture.LabFixture())

        error = self.assertRaises(
            exception.MachineSilent,
            full_host.run,
            ['sleep', '1000'],
            silence=12,
        )

        # On a slow machine even the boot takes longer.
        self.assertRegex(str(error), "while (running 'sleep 1000'|booting)")
        self.assertEqual([], base.qemu_of(full_host.outdir))
