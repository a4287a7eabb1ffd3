# SPDX-License-Identifier: Apache-2.0

"""Processes that are killed while they write files."""

import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import fixtures
import testtools

from nova_hyperv_enlight.domains import backup
from nova_hyperv_enlight.guest import exclusion

ROUNDS = 12
#: Long enough for a write in several parts.
SIZE = 1 << 20

_CACHE = """
import sys
from nova_hyperv_enlight.guest import exclusion
print(flush=True)
while True:
    for names in (['avic'], ['reset', 'ipi']):
        exclusion._store(sys.argv[1], 'key', frozenset(names))
"""
_REPLACE = f"""
import pathlib
import sys
from nova_hyperv_enlight.domains import backup
path = pathlib.Path(sys.argv[1], 'guest.xml')
print(flush=True)
while True:
    former = path.read_bytes()
    backup.replace(path, former, bytes([former[0] ^ 1]) * {SIZE})
"""


class KilledTestCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.useFixture(fixtures.TempDir()).path
        self._random = random.Random(9)

    def kill(self, program):
        """Run it, and kill it at some moment."""
        process = subprocess.Popen(
            [sys.executable, '-c', program, self.path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            process.stdout.readline()
            time.sleep(self._random.uniform(0, 0.03))
            self.assertIsNone(process.poll(), 'it has ended by itself')
        finally:
            process.kill()
            _, error = process.communicate()
        self.assertEqual(-signal.SIGKILL, process.returncode, error)

    def test_the_cache(self):
        found = set()
        for _ in range(ROUNDS):
            exclusion._store(self.path, 'key', frozenset())
            self.kill(_CACHE)
            names = exclusion._load(self.path, 'key')
            self.assertIsNotNone(names)
            found.add(names)
            exclusion._store(self.path, 'key', frozenset())
            # Whatever was left half written is gone.
            self.assertEqual(
                [exclusion.FILE],
                os.listdir(os.path.join(self.path, exclusion.DIRECTORY)),
            )
        self.assertGreater(len(found), 1, 'it was always killed too early')

    def test_a_document(self):
        path = pathlib.Path(self.path, 'guest.xml')
        path.write_bytes(b'\0' * SIZE)
        for _ in range(ROUNDS):
            self.kill(_REPLACE)
            data = path.read_bytes()
            self.assertEqual(SIZE, len(data))
            self.assertIn(data, (b'\0' * SIZE, b'\1' * SIZE))
        backup.replace(path, data, b'\2')
        self.assertEqual(b'\2', path.read_bytes())
