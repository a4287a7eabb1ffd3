# SPDX-License-Identifier: Apache-2.0
"""What the lab's own tests share."""

import os
import pathlib

import testtools

from tests.lab import fixture
from tests.lab import machine


def qemu_of(folder: pathlib.Path) -> list[int]:
    """Find running QEMUs that were told of a folder."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        program = os.path.basename(words.split(b'\0')[0])
        if program == machine.QEMU.encode() and bytes(folder) in words:
            found.append(int(path.parent.name))
    return found


class LabTestCase(testtools.TestCase):
    """Skips, with the reason, where there can be no lab."""

    def setUp(self) -> None:
        super().setUp()
        reason = fixture.missing_tool()
        if reason:
            self.skipTest(reason)
