# SPDX-License-Identifier: Apache-2.0
"""Tests of python -m tests.lab, in a process of its own."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import fixtures

from tests.lab import base

_ENV = shutil.which('env') or 'env'
_CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


class CommandTestCase(base.LabTestCase):
    """The command, as a person or CI calls it."""

    def _start(
        self, *args: str, variables: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        # A shell's job in the background ignores SIGINT, and so would what
        # it starts.
        process = subprocess.Popen(
            [_ENV, '--default-signal=INT', sys.executable]
            + ['-m', 'tests.lab', *args],
            cwd=_CHECKOUT,
            env={**os.environ, **(variables or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def _start_sleeper(self) -> tuple[subprocess.Popen[bytes], pathlib.Path]:
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        script = 'echo ready; exec sleep 1000'
        process = self._start('--out', str(folder), 'sh', '-c', script)
        assert process.stdout is not None
        # It comes while the command runs, or not before the timeout.
        self.assertEqual(b'ready\n', process.stdout.readline())
        self.assertEqual(1, len(base.qemu_of(folder)))
        return process, folder

    def _assert_gone(self, folder: pathlib.Path) -> None:
        deadline = time.monotonic() + 5
        while base.qemu_of(folder) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual([], base.qemu_of(folder))

    def test_command_streams_and_ends_when_interrupted(self) -> None:
        process, folder = self._start_sleeper()

        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)

        self.assertEqual(130, process.returncode)
        self._assert_gone(folder)

    def test_command_leaves_nothing_when_killed(self) -> None:
        process, folder = self._start_sleeper()

        process.kill()
        process.communicate(timeout=30)

        self._assert_gone(folder)

    def test_command_with_nested_off_and_kvm_denied(self) -> None:
        folder = self.useFixture(fixtures.TempDir()).path
        script = (
            'echo "$@"; cat /sys/module/kvm_amd/parameters/nested;'
            'ls /dev/kvm; exec 3< /dev/kvm'
        )

        process = self._start(
            '--param=kvm_amd.nested=0',
            '--kvm-device=denied',
            f'--out={folder}',
            *('--', 'sh', '-c', script, 'sh', '--', '-h'),
        )
        # The lab itself gives up a machine that is silent.
        stdout, stderr = process.communicate()

        self.assertEqual(b'-- -h\n0\n/dev/kvm\n', stdout, str(stderr))
        self.assertIn(b'Permission denied', stderr)
        self.assertEqual(2, process.returncode)

    def test_command_without_qemu(self) -> None:
        folder = self.useFixture(fixtures.TempDir()).path

        process = self._start('--', 'true', variables={'PATH': folder})
        stdout, stderr = process.communicate(timeout=30)

        self.assertEqual((125, b''), (process.returncode, stdout))
        self.assertIn(b"Debian package 'qemu-system-x86'", stderr)
