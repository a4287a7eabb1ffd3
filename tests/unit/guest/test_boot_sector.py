# SPDX-License-Identifier: Apache-2.0

import pathlib
import re
import shutil
import subprocess
import tempfile

import testtools

from nova_hyperv_enlight.catalogue import enlightenments
from nova_hyperv_enlight.guest import cpuid
from tests.unit import base

_SOURCE = pathlib.Path(cpuid.__file__).with_name('cpuid.S')


def _build():
    """Build the sector by the two commands in its source's own comment."""
    text = _SOURCE.read_text()
    commands = re.findall('^#   ((?:as|ld) .*)$', text, re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(_SOURCE, folder)
        for command in commands:
            subprocess.run(command.split(), cwd=folder, check=True)
        return pathlib.Path(folder, 'cpuid.bin').read_bytes()


# Before a test begins, because within one nothing may start a program.
try:
    _BUILT, _WHY_NOT = _build(), None
except (FileNotFoundError, subprocess.CalledProcessError) as err:
    # No binutils, or those of another architecture.
    _BUILT, _WHY_NOT = None, str(err)


class BootSectorTestCase(base.TestCase):
    """The probe itself."""

    def test_boot_sector_boots(self):
        sector = cpuid.boot_sector()
        self.assertEqual(512, len(sector))
        self.assertEqual(b'\x55\xaa', sector[510:])

    def test_boot_sector_reads_every_leaf_of_the_catalogue(self):
        sector = cpuid.boot_sector()
        leaves = {
            each.leaf
            for entry in enlightenments.ENLIGHTENMENTS.values()
            for each in entry.cpuid
        } | {0x40000000, 0x40000001}
        absent = {
            f'{leaf:#x}'
            for leaf in leaves
            if leaf.to_bytes(4, 'little') not in sector
        }
        self.assertEqual(set(), absent)

    @testtools.skipIf(_WHY_NOT, f'cannot be built here: {_WHY_NOT}')
    def test_boot_sector_is_built_from_its_source(self):
        self.assertEqual(_BUILT, cpuid.boot_sector())
