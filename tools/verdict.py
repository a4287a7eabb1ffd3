# SPDX-License-Identifier: Apache-2.0

"""Sum up runs of tox, and the last stestr run of each directory given.

Prints a line for each environment that tox ran, with its time; a line for
each directory and one for each test that failed; then ``N passed, N failed``
for all tests, with ``, N skipped`` where there were any. A directory without a
run counts as a failure. Exits with 1 where a test failed.
"""

import argparse
import collections
import json
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


def lanes(path):
    """Read how long each environment took, from a report of tox's.

    :param path: what ``tox run --result-json`` wrote.
    :returns: a line for each, and one for all
    """
    try:
        ran = json.loads(path.read_text())['testenvs']
    except FileNotFoundError:
        return [f'{path}: not run']
    total = 0.0
    lines = []
    for name, report in ran.items():
        # tox lists all that it was asked for, also what was not run.
        if result := report.get('result'):
            total += result['duration']
            how = 'passed' if result['success'] else 'FAILED'
            lines.append(f'{name}: {how} in {result["duration"]:.0f} s')
    return [*lines, f'{len(lines)} environments in {total:.0f} s']


def sentence(counts):
    text = f'{counts["passed"]} passed, {counts["failed"]} failed'
    return (
        f'{text}, {counts["skipped"]} skipped' if counts['skipped'] else text
    )


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument(
        '--tox',
        action='append',
        default=[],
        metavar='FILE',
        type=pathlib.Path,
        help='what tox wrote for --result-json; repeatable',
    )
    parser.add_argument('directories', nargs='*', type=pathlib.Path)
    args = parser.parse_args(argv)
    for path in args.tox:
        print('\n'.join(lanes(path)))
    total = collections.Counter()
    for directory in args.directories:
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
