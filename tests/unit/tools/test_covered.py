# SPDX-License-Identifier: Apache-2.0

import pathlib
import subprocess
import sys

import ddt
import fixtures
import testtools

TOP = pathlib.Path(__file__).parents[3]
REPORT = """<?xml version="1.0" ?>
<coverage line-rate="0.965" branch-rate="0.905">
  <packages><package name="p"><classes>
    <class filename="whole.py" line-rate="1" branch-rate="1"/>
    <class filename="half.py" line-rate="0.5" branch-rate="0.25"/>
    <class filename="most.py" line-rate="1" branch-rate="0.75"/>
  </classes></package></packages>
</coverage>
"""


@ddt.ddt
class TestCovered(testtools.TestCase):
    def run_tool(self, *arguments):
        directory = self.useFixture(fixtures.TempDir()).path
        report = pathlib.Path(directory, 'coverage.xml')
        report.write_text(REPORT)
        return subprocess.run(
            [sys.executable, TOP / 'tools/covered.py', report, *arguments],
            capture_output=True,
            text=True,
            timeout=50,
        )

    def test_what_it_says(self):
        done = self.run_tool()

        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(
            [
                'half.py: 50.0 % of lines, 25.0 % of branches',
                'most.py: 100.0 % of lines, 75.0 % of branches',
                '96.5 % of lines, 90.5 % of branches',
            ],
            done.stdout.splitlines(),
        )

    @ddt.data((96, 90, 0), (97, 90, 1), (96, 91, 1))
    @ddt.unpack
    def test_limits(self, lines, branches, code):
        done = self.run_tool(
            '--lines', f'{lines}', '--branches', f'{branches}'
        )

        self.assertEqual(code, done.returncode)
