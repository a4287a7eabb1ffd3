# SPDX-License-Identifier: Apache-2.0

"""Sum up the last stestr run of each directory given.

Prints a line for each and one for each test that failed, then ``N passed, N
failed`` for all, with ``, N skipped`` where there were any. A directory
without a run counts as a failure. Exits with 1 where anything failed.
"""

import collections
import pathlib
import sys

from stestr.repository import abstract as repository
from stestr.repository import file
import testtools

#: How a test may end, by what it means; what began and did not end failed.
PASSED = {'success', 'xfail'}
SKIPPED = {'skip'}

#: How many characters of a reason are shown.
WIDTH = 200


def reason(test):
    """Return the last line of what a test that failed has told."""
    told = test['details'].get('traceback')
    lines = told.as_text().split('\n') if told else []
    said = [line for line in lines if line.strip()] or [test['status']]
    return said[-1].strip()[:WIDTH]


def count(directory):
    """Read the last run of a directory.

    :returns: how many tests passed, failed and were skipped, and the names
        of those that failed
    """
    counts = collections.Counter()
    failed = []

    def add(test):
        status = test['status']
        if status == 'exists':
            return
        if status in PASSED:
            counts['passed'] += 1
        elif status in SKIPPED:
            counts['skipped'] += 1
        else:
            counts['failed'] += 1
            failed.append(f'{test["id"]}: {reason(test)}')

    result = testtools.StreamToDict(add)
    result.startTestRun()
    runs = file.RepositoryFactory().open(str(directory))
    runs.get_latest_run().get_test().run(result)
    result.stopTestRun()
    return counts, failed


def sentence(counts):
    text = f'{counts["passed"]} passed, {counts["failed"]} failed'
    return (
        f'{text}, {counts["skipped"]} skipped' if counts['skipped'] else text
    )


def main(directories):
    total = collections.Counter()
    for directory in map(pathlib.Path, directories):
        try:
            counts, failed = count(directory)
        except (KeyError, repository.RepositoryNotFound):
            counts = {'failed': 1}
            print(f'{directory}: not run')
        else:
            print(f'{directory}: {sentence(counts)}')
            for name in failed:
                print(f'    {name}')
        total.update(counts)
    print(sentence(total))
    return 1 if total['failed'] else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
