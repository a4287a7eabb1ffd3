# SPDX-License-Identifier: Apache-2.0

import json
import pathlib
import subprocess
import sys
import textwrap

import fixtures
import testtools

TOP = pathlib.Path(__file__).parents[3]


class TestVerdict(testtools.TestCase):
    """The verdict on a run of each kind, made by stestr itself."""

    def setUp(self):
        super().setUp()
        self.tree = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def _run(self, name, body):
        """Run a class of tests in a repository of its own."""
        directory = self.tree / name
        (directory / 'tests').mkdir(parents=True)
        (directory / 'tests' / '__init__.py').touch()
        code = 'import os\nimport unittest\n\n\nclass T(unittest.TestCase):\n'
        code += textwrap.indent(textwrap.dedent(body), '    ')
        (directory / 'tests' / 'test_it.py').write_text(code)
        command = [sys.executable, '-m', 'stestr', '--test-path=./tests']
        subprocess.run(
            [*command, '--top-dir=.', 'run', '--serial'],
            cwd=directory,
            capture_output=True,
            timeout=50,
        )
        return name

    def _read(self, *names):
        run = subprocess.run(
            [sys.executable, TOP / 'tools' / 'verdict.py', *names],
            cwd=self.tree,
            capture_output=True,
            text=True,
            timeout=50,
        )
        self.assertEqual('', run.stderr)
        return run.stdout.splitlines(), run.returncode

    def _verdict(self, *names):
        lines, status = self._read(*names)
        return lines[-1], status

    def test_sums_up(self):
        one = self._run(
            'one',
            """
            def test_good(self):
                pass

            def test_skipped(self):
                self.skipTest('no reason')
            """,
        )
        two = self._run('two', 'def test_good(self):\n    pass\n')
        self.assertEqual(
            ('2 passed, 0 failed, 1 skipped', 0), self._verdict(one, two)
        )

    def test_failures(self):
        name = self._run(
            'one',
            """
            def test_bad(self):
                self.fail()

            def test_crash(self):
                os._exit(0)
            """,
        )
        self.assertEqual(('0 passed, 2 failed', 1), self._verdict(name))

    def test_names_what_failed(self):
        name = self._run(
            'one',
            """
            def test_bad(self):
                self.fail('no such luck')

            def test_good(self):
                pass
            """,
        )
        self.assertEqual(
            (
                [
                    'one: 1 passed, 1 failed',
                    '    tests.test_it.T.test_bad: AssertionError: no such'
                    ' luck',
                    '1 passed, 1 failed',
                ],
                1,
            ),
            self._read(name),
        )

    def test_no_run_is_a_failure(self):
        good = self._run('good', 'def test_good(self):\n    pass\n')
        broken = self._run('broken', 'import nosuchmodule\n')
        self.assertEqual(
            ('1 passed, 2 failed', 1), self._verdict(good, broken, 'missing')
        )

    def test_tells_the_times_of_the_environments(self):
        good = self._run('good', 'def test_good(self):\n    pass\n')
        ran = {'success': True, 'duration': 131.4}
        (self.tree / 'check.json').write_text(
            json.dumps(
                {
                    'testenvs': {
                        'py3': {'result': ran},
                        'pep8': {'result': {**ran, 'success': False}},
                        'docs': {},
                    }
                }
            )
        )
        self.assertEqual(
            (
                [
                    'py3: passed in 131 s',
                    'pep8: FAILED in 131 s',
                    '2 environments in 263 s',
                    'rest.json: not run',
                    'good: 1 passed, 0 failed',
                    '1 passed, 0 failed',
                ],
                0,
            ),
            self._read('--tox', 'check.json', '--tox', 'rest.json', good),
        )
