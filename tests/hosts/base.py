# SPDX-License-Identifier: Apache-2.0
"""What the tests on hosts of Debian releases share."""

import json
import sys
import typing

from tests.hosts import look
from tests.lab import base
from tests.lab import exception
from tests.lab import fixture
from tests.lab import spec as lab_spec

_Run = dict[str, typing.Any]


class ReleaseTestCase(base.LabTestCase):
    """A host of a release, in which the program runs many times in one boot.

    :cvar HOST: the release of Debian.
    :cvar RUNS: which runs of tests.hosts.look; all without any.
    :cvar LACKS: what no guest of this host can be shown.
    """

    HOST = ''
    RUNS: tuple[str, ...] = ()
    LACKS: frozenset[str] = frozenset()
    found: _Run = {}

    def setUp(self) -> None:
        super().setUp()
        if not self.found:
            try:
                type(self).found = self._look()
            except (AssertionError, exception.LabError) as err:
                # The others would only wait for the same again.
                type(self).found = {'failed': str(err)}
        if 'failed' in self.found:
            self.fail(self.found['failed'])

    def _look(self) -> _Run:
        spec = lab_spec.LabSpec(host=self.HOST)
        host = self.useFixture(fixture.LabFixture(spec))
        # This machine's own release has the Python of this process.
        python = 'python3' if spec.suite else sys.executable
        result = host.run(
            [python, '-W', 'ignore', '-m', look.__name__, *self.RUNS]
        )
        if result.returncode:
            raise AssertionError(result.stderr.decode(errors='replace'))
        found: _Run = json.loads(result.stdout)
        return found

    def named(self, run: str, column: str, value: str) -> set[str]:
        """Return the names that have a value in a column of a run."""
        rows = self.found[run]['rows']
        self.assertNotEqual([], rows, self.found[run]['err'])
        return {row['name'] for row in rows if row[column] == value}

    def assert_shown(self, run: str, asked: set[str]) -> None:
        """Check that a guest is shown what is asked for, and no more."""
        missing = asked & self.LACKS
        self.assertEqual(asked, self.named(run, 'asked', 'yes'))
        self.assertEqual(asked - missing, self.named(run, 'shown', 'yes'))
        self.assertEqual(3 if missing else 0, self.found[run]['code'])
