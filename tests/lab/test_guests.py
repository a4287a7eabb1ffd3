# SPDX-License-Identifier: Apache-2.0
"""The end-to-end proof: a real Nova in the lab, and what its guests read."""

import re
import sys

from testtools import content

from tests.lab import base
from tests.lab import fixture

# Nova is to wait for ever: the lab is given up when nothing happens any more.
_NOVA_SECONDS = 86400
_MODULE = 'tests.real.test_shown'
_CASE = f'{_MODULE}.ShownOnKVMTest'
# One for each guest and aspect; fewer means that some were not found.
_LEAST_TESTS = 60


class GuestsTestCase(base.LabTestCase):
    """Windows guests, booted through Nova on a host that has everything."""

    def test_guests_are_shown_what_was_decided(self) -> None:
        host = self.useFixture(fixture.SharedLabFixture())

        result = host.run(
            [sys.executable, '-W', 'ignore', '-m', 'unittest', _CASE],
            env={
                # Without it the tests would pass over what they miss.
                'HYPERV_ENLIGHT_TEST_KVM': 'hyperv',
                'OS_TEST_TIMEOUT': str(_NOVA_SECONDS),
                # All that is printed shall come out of the lab.
                'OS_STDOUT_CAPTURE': '0',
                'OS_STDERR_CAPTURE': '0',
            },
        )

        summary = result.stderr.decode(errors='replace').splitlines()
        self.assertEqual(0, result.returncode, '\n'.join(summary[-100:]))
        # Neither skipped nor expected failures: these would stand behind it.
        self.assertEqual('OK', summary[-1])
        ran = [re.fullmatch(r'Ran (\d+) tests? in .*', one) for one in summary]
        (count,) = [int(one[1]) for one in ran if one]
        self.assertGreaterEqual(count, _LEAST_TESTS)
        table = (host.outdir / 'shown-kvm.txt').read_text()
        self.addDetail('table', content.text_content(table))
        print(f'\n{table}')
