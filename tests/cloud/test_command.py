# SPDX-License-Identifier: Apache-2.0
"""Tests of python -m tests.cloud: bad input, faults, and what is left."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import fixtures
import testtools

from tests.cloud import place

_ENV = shutil.which('env') or 'env'
_TOP = pathlib.Path(__file__).resolve().parents[2]
# Not those of a cloud that is up.
_FIRST_PORT = place.FIRST_PORT + 100
_SECONDS = 240


class CommandTestCase(testtools.TestCase):
    """The command, as a person calls it."""

    def setUp(self) -> None:
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest('a cloud needs root')
        self.programs = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def _start(self, *arguments: str, **variables: str) -> subprocess.Popen:
        # A shell's job in the background ignores SIGINT, and so would what
        # it starts.
        process = subprocess.Popen(
            [
                *(_ENV, '--default-signal=INT', sys.executable),
                *('-m', 'tests.cloud'),
                *(f'--first-port={_FIRST_PORT}', *arguments),
            ],
            cwd=_TOP,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def _run(self, *arguments: str, **variables: str) -> tuple[int, list[str]]:
        process = self._start(*arguments, **variables)
        _, errors = process.communicate(timeout=_SECONDS)
        return process.returncode, errors.splitlines()

    def _check_nothing_runs(self) -> None:
        for number in range(len(place.LISTENERS)):
            address = (place.ADDRESS, _FIRST_PORT + number)
            with socket.socket() as one:
                self.assertNotEqual(0, one.connect_ex(address), address)

    def test_port_in_use(self) -> None:
        port = _FIRST_PORT + place.LISTENERS.index('keystone')
        with socket.create_server((place.ADDRESS, port)):
            status, errors = self._run('--', 'true')

        self.assertEqual(125, status)
        self.assertEqual(
            [
                f'cloud: Port {port} of 127.0.0.1, for keystone, is in use; '
                'name other ports with --first-port.'
            ],
            errors,
        )

    def test_package_is_missing(self) -> None:
        status, errors = self._run('--', 'true', PATH=str(self.programs))

        self.assertEqual(125, status)
        self.assertEqual(1, len(errors), errors)
        self.assertIn("Debian package 'libvirt-daemon'", errors[0])

    def test_service_does_not_start(self) -> None:
        broken = self.programs / 'memcached'
        broken.write_text('#!/bin/sh\necho "no memory today"\nexit 3\n')
        broken.chmod(0o755)

        status, errors = self._run(
            '--',
            'true',
            PATH=f'{self.programs}{os.pathsep}{os.environ["PATH"]}',
        )

        self.assertEqual(125, status)
        self.assertEqual(1, len(errors), errors)
        before, _, after = errors[0].partition('; its log is ')
        self.assertEqual(
            'cloud: memcached does not start (no memory today)', before
        )
        log = pathlib.Path(after.removesuffix('.'))
        self.addCleanup(shutil.rmtree, log.parents[1])
        self.assertEqual('no memory today\n', log.read_text())
        # Its logs are all that is left.
        self.assertEqual(
            ['log'], [path.name for path in log.parents[1].iterdir()]
        )
        self._check_nothing_runs()

    def test_interrupted(self) -> None:
        self._check_ended_by(signal.SIGINT)

    def test_terminated(self) -> None:
        self._check_ended_by(signal.SIGTERM)

    def _check_ended_by(self, number: signal.Signals) -> None:
        before = set(_folders())
        process = self._start('--', 'true')
        assert process.stderr is not None
        # Once the first services run.
        self.assertIn('libvirtd run', process.stderr.readline())
        (folder,) = set(_folders()) - before

        asked = time.monotonic()
        process.send_signal(number)
        process.communicate(timeout=30)

        self.assertLess(time.monotonic() - asked, 30)
        self.assertEqual(130, process.returncode)
        self.assertFalse(folder.exists())
        self._check_nothing_runs()


def _folders() -> list[pathlib.Path]:
    return list(pathlib.Path('/tmp').glob('nhe-cloud.*'))
