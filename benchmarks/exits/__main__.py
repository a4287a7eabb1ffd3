# SPDX-License-Identifier: Apache-2.0
"""Count the exits of what Windows does, in the lab."""

import argparse
import json
import pathlib
import sys
import tempfile
import typing

from benchmarks.exits import build
from benchmarks.exits import inside
from benchmarks.exits import results
from benchmarks.exits import sets
from tests.lab import exception
from tests.lab import lab

_ROOT = pathlib.Path(__file__).parents[2]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.exits',
        description='Count the exits from a guest that does what Windows '
        'does, by its set of enlightenments.',
    )
    parser.add_argument(
        '--runs',
        type=int,
        default=1,
        help='repetitions; the table has the median (default: %(default)d)',
    )
    parser.add_argument(
        '--set',
        action='append',
        choices=list(sets.SETS),
        help='only this one; repeatable',
    )
    parser.add_argument(
        '--json',
        type=pathlib.Path,
        metavar='FILE',
        help="keep every count, with KVM's other counters, in a file",
    )
    parser.add_argument(
        '--here',
        action='store_true',
        help='not in the lab: this machine has a KVM that emulates Hyper-V, '
        'and the user is root',
    )
    return parser


def main(argv: list[str]) -> int:
    """Count, and print the tables.

    :returns: 0, or 1 when something failed.
    """
    args = _parser().parse_args(argv)
    with tempfile.TemporaryDirectory(prefix='exits-') as folder:
        try:
            found = _count(args, pathlib.Path(folder))
        except (build.BuildError, exception.LabError) as err:
            print(f'exits: {err}', file=sys.stderr)
            return 1
    if not found:
        return 1
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))
    _print([results.Result(**one) for one in found], args.runs)
    return 0


def _count(
    args: argparse.Namespace, folder: pathlib.Path
) -> list[dict[str, typing.Any]]:
    """Build the probe, and count in the lab or here.

    :returns: nothing when that failed, which was said then.
    """
    probe = folder / 'probe'
    target = folder / 'exits.json'
    build.build(probe)
    names = args.set or list(sets.SETS)
    # In the order of the sets, whatever the order of the options.
    words = [f'--set={name}' for name in sets.SETS if name in names]
    words += [f'--runs={args.runs}', str(probe), str(target)]
    if args.here:
        status = inside.main(words)
    else:
        status = _run_in_lab(words, folder)
    if status:
        return []
    found: list[dict[str, typing.Any]] = json.loads(target.read_text())
    return found


def _run_in_lab(words: list[str], folder: pathlib.Path) -> int:
    result = lab.Lab().run(
        [sys.executable, '-m', 'benchmarks.exits.inside', *words],
        outdir=folder,
        cwd=_ROOT,
        stdout=sys.stdout.buffer,
        stderr=sys.stderr.buffer,
    )
    return result.returncode


def _print(found: list[results.Result], runs: int) -> None:
    print('\nExits for one operation, by the way that Windows would take:\n')
    print(results.render(results.taken(found)))
    print('\nAll ways; * is the one that Windows would take:\n')
    print(results.render(results.ways(found)))
    if runs > 1:
        apart, where = results.spread(found)
        print(
            f'\n{runs} runs; they differ by at most {apart:.3f} exits for '
            f'one operation ({where.set_name}: {where.operation}, '
            f'{where.way}).'
        )


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
