# SPDX-License-Identifier: Apache-2.0

"""Measures the plugin against stock Nova, and against its goals.

    python -m benchmarks

Each figure is a ratio, a difference or a median within one run, and what can
be is taken in processor time, so that it means something on a machine that
others use too. Exit code 3: a goal was missed.
"""

import argparse
import sys

from benchmarks import adoption
from benchmarks import apply
from benchmarks import audit
from benchmarks import fleet
from benchmarks import fleet_audit
from benchmarks import guest_config
from benchmarks import measure
from benchmarks import resolving
from benchmarks import startup

MISSED = 3


def main():
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks', description=__doc__.split('\n')[0]
    )
    parser.add_argument(
        '--calls',
        type=int,
        default=200,
        help='how many guests each driver makes (default: %(default)s)',
    )
    arguments = parser.parse_args()
    figures = [
        *guest_config.figures(arguments.calls),
        *resolving.figures(),
        *startup.figures(),
        *adoption.figures(),
        *apply.figures(),
        *audit.figures(),
        *fleet.figures(),
        *fleet_audit.figures(),
    ]
    print(measure.table(figures))
    return 0 if all(figure.met for figure in figures) else MISSED


if __name__ == '__main__':
    sys.exit(main())
