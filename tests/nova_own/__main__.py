# SPDX-License-Identifier: Apache-2.0

"""Run Nova's own tests with stock and with our driver, and compare.

Arguments go to stestr, such as a regular expression that selects tests. Exits
with 1 where a test passes with stock only and is no exception, and where an
exception is none any more.
"""

import os
import pathlib
import subprocess
import sys

from stestr.repository import file
import testtools

from tests.nova_own import compare
from tests.nova_own import exceptions

STOCK, OURS = 'stock', 'ours'
RESULTS = pathlib.Path('build/nova-own')
_MEANING = {'success': 'passed', 'xfail': 'passed', 'skip': 'skipped'}


def run(driver, arguments):
    """Run the tests with a driver.

    :returns: how each ended, by its name
    """
    directory = RESULTS / driver
    directory.mkdir(parents=True, exist_ok=True)
    print(f'Nova with {driver}:', flush=True)
    subprocess.run(
        [sys.executable, '-m', 'stestr', '--test-path=./tests/nova_own/suites']
        + [f'--repo-url={directory}', 'run', *arguments],
        env={**os.environ, 'NOVA_OWN_DRIVER': driver},
        stdout=(directory / 'log').open('w'),
    )
    return read(directory)


def read(directory):
    """Return how each test of a directory's last run ended."""
    ended = {}

    def add(test):
        if test['status'] != 'exists':
            ended[test['id']] = _MEANING.get(test['status'], 'failed')

    result = testtools.StreamToDict(add)
    result.startTestRun()
    runs = file.RepositoryFactory().open(str(directory))
    runs.get_latest_run().get_test().run(result)
    result.stopTestRun()
    return ended


def main(arguments):
    stock, ours = (run(driver, arguments) for driver in (STOCK, OURS))
    found = compare.compare(stock, ours, exceptions.EXCEPTIONS)
    for title, names in (
        ('do not pass with stock either', found.broken),
        ('pass with stock only, and may', found.excused),
        ('pass with stock only', found.worse),
        ('are exceptions, and should not be', found.stale),
    ):
        print(f'{len(names)} {title}')
        for name in sorted(names):
            print(f'    {name}')
    failed = len(found.worse) + len(found.stale)
    print(f'{len(found.passed)} passed, {failed} failed')
    return 0 if found.is_fine and found.passed else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
