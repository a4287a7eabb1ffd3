# SPDX-License-Identifier: Apache-2.0

import pathlib
import re
from unittest import mock

from benchmarks.exits import build
from benchmarks.exits import inside
from benchmarks.exits import mailbox
from benchmarks.exits import sets
from nova_hyperv_enlight.catalogue import enlightenments
from tests.unit import base

# Nova 34.0.0 on QEMU, as libvirt writes it; in another order.
STOCK = (
    'hv-time,hv-relaxed,hv-vapic,hv-spinlocks=8191,hv-vpindex,hv-runtime,'
    'hv-synic,hv-reset,hv-frequencies,hv-tlbflush,hv-ipi'
)


class SetsTestCase(base.TestCase):
    """What QEMU and gcc are told."""

    def test_flags_of_nothing_are_none(self):
        self.assertEqual('', sets.flags(sets.SETS['none']))

    def test_flags_of_stock_are_novas(self):
        flags = sets.flags(sets.SETS['stock'])

        self.assertTrue(flags.startswith(','))
        self.assertEqual(
            sorted(STOCK.split(',')), sorted(flags[1:].split(','))
        )

    def test_sets_are_closed_over_what_they_require(self):
        for name, names in sets.SETS.items():
            for one in names:
                entry = enlightenments.ENLIGHTENMENTS[one]
                self.assertLessEqual(
                    set(entry.requirements(None)), names, name
                )

    def test_arguments_share_the_memory_that_the_mailbox_is_in(self):
        memory = pathlib.Path('/dev/shm/x/memory')

        words = inside.arguments(pathlib.Path('/p'), memory, ',hv-vapic')

        self.assertIn('host,hv-vapic', words)
        backend = words[words.index('-object') + 1]
        self.assertIn(f'mem-path={memory},share=on', backend)
        size = int(re.search('size=([0-9]+)', backend)[1])
        self.assertLess(mailbox.ADDRESS, size)

    def test_build_says_that_gcc_is_missing(self):
        with mock.patch.object(
            build.shutil, 'which', autospec=True, return_value=None
        ):
            error = self.assertRaises(
                build.BuildError, build.build, pathlib.Path('/probe')
            )

        self.assertIn("'gcc'", str(error))
