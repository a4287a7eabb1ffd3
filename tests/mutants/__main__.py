# SPDX-License-Identifier: Apache-2.0

"""Breaks the package on purpose, and looks whether the tests see it.

    tox -e mutants -- [--check] [--jobs N] [WORD...]

Each mutant is applied in a copy of the tree, and the tests that it names must
fail there. Exit code 1: one survived, its old text is not found exactly once,
or its tests fail without it. The mutants are in table.py.
"""

import argparse
import collections.abc
import concurrent.futures
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import time

from tests.mutants import table

ROOT = pathlib.Path(__file__).parents[2]
_IGNORED = shutil.ignore_patterns(
    '.git', '.tox', '.stestr', '__pycache__', 'build', 'dist', 'cover'
)
# A mutant that never ends is one that is seen.
_SECONDS = 300


def _is_there(test: str) -> bool:
    """Whether there is a module, or a class in a module, of this name."""
    path = ROOT.joinpath(*test.split('.'))
    if path.with_suffix('.py').is_file():
        return True
    module = path.parent.with_suffix('.py')
    return module.is_file() and (
        f'\nclass {path.name}(' in module.read_text(encoding='utf-8')
    )


def stale(mutant: table.Mutant) -> str | None:
    """Return why a mutant cannot be applied, None where it can."""
    for test in mutant.tests:
        if not _is_there(test):
            return f'there is no {test}'
    path = ROOT / table.PACKAGE / mutant.file
    if not path.is_file():
        return 'there is no such file'
    count = path.read_text(encoding='utf-8').count(mutant.old)
    if count != 1:
        return f'its old text is there {count} times'
    if mutant.old == mutant.new:
        return 'it changes nothing'
    return None


def passes(tree: pathlib.Path, tests: tuple[str, ...]) -> bool:
    """Run tests in a tree."""
    try:
        done = subprocess.run(
            [sys.executable, '-m', 'unittest', '--failfast', *tests],
            cwd=tree,
            env={
                **os.environ,
                'PYTHONPATH': str(tree),
                'PYTHONDONTWRITEBYTECODE': '1',
            },
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def survives(tree: pathlib.Path, mutant: table.Mutant) -> bool:
    """Apply a mutant in a tree, run its tests, and take it back."""
    path = tree / table.PACKAGE / mutant.file
    text = path.read_text(encoding='utf-8')
    path.write_text(text.replace(mutant.old, mutant.new), encoding='utf-8')
    try:
        return passes(tree, mutant.tests)
    finally:
        path.write_text(text, encoding='utf-8')


class Trees:
    """Copies of the tree, each used by one thread at a time."""

    def __init__(self, parent: str, count: int) -> None:
        self._free: queue.Queue[pathlib.Path] = queue.Queue()
        for number in range(count):
            path = pathlib.Path(parent, str(number))
            shutil.copytree(ROOT, path, ignore=_IGNORED)
            self._free.put(path)

    def call(self, function, *args):
        """Call a function with a tree that is free."""
        tree = self._free.get()
        try:
            return function(tree, *args)
        finally:
            self._free.put(tree)


def check(
    mutants: collections.abc.Sequence[table.Mutant], jobs: int
) -> list[str]:
    """Run the mutants; return what is wrong, a line for each."""
    with (
        tempfile.TemporaryDirectory() as parent,
        concurrent.futures.ThreadPoolExecutor(jobs) as pool,
    ):
        trees = Trees(parent, jobs)
        # What fails anyway proves nothing.
        suites = sorted({mutant.tests for mutant in mutants})
        sound = pool.map(lambda tests: trees.call(passes, tests), suites)
        wrong = [
            f'fails without a mutant: {" ".join(tests)}'
            for tests, passed in zip(suites, sound, strict=True)
            if not passed
        ]
        survived = pool.map(lambda each: trees.call(survives, each), mutants)
        for mutant, survivor in zip(mutants, survived, strict=True):
            print('SURVIVED' if survivor else 'killed  ', mutant, flush=True)
            if survivor:
                wrong.append(f'survived: {mutant}')
    return wrong


def main(argv: list[str] | None = None) -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(
        prog='tox -e mutants --', description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        '--check',
        action='store_true',
        help='only look whether every mutant can be applied',
    )
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument(
        'words', nargs='*', help='only mutants with one of these in them'
    )
    args = parser.parse_args(argv)
    mutants = [
        mutant
        for mutant in table.MUTANTS
        if not args.words or any(word in str(mutant) for word in args.words)
    ]
    if not mutants:
        parser.error('there is no such mutant')
    begin = time.monotonic()
    wrong = [
        f'stale: {mutant}: {why}'
        for mutant in mutants
        if (why := stale(mutant)) is not None
    ]
    if not args.check:
        wrong += check([m for m in mutants if stale(m) is None], args.jobs)
    print(
        *wrong,
        f'{len(mutants)} mutants, {len(wrong)} of them wrong, in '
        f'{time.monotonic() - begin:.0f} s',
        sep='\n',
    )
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
