# SPDX-License-Identifier: Apache-2.0

"""Looks for images that break what must hold, as long as one likes.

    tox -e fuzz -- --cases 1000000 --seconds 600

Atheris makes the bytes and is guided by what they reach. Exit code 3: an
image was found; its properties are printed, and belong into the tests.
"""

import argparse
import os
import sys
import time
import traceback

import atheris

# nova-compute has loaded it, too, before the first guest comes.
from oslo_utils import strutils  # noqa: F401

with atheris.instrument_imports(include=['nova_hyperv_enlight']):
    from tests.unit.hostile import tenants

FOUND = 3


class Fuzzer:
    """Counts and times the cases of one run.

    :ivar cases: how many there were.
    :ivar decided: how many of them were not refused.
    :ivar slowest: the longest that one took, in milliseconds of processor
        time, with all that is checked.
    """

    def __init__(self, cases, seconds):
        self.cases = self.decided = 0
        self.slowest, self.slowest_case = 0.0, None
        self._most = cases
        self._end = time.monotonic() + seconds
        self._begin = time.monotonic()

    def one(self, data):
        case = tenants.read(data)
        begin = time.thread_time()
        try:
            decided = tenants.check(case)
        except Exception:
            traceback.print_exc()
            place = tenants.SETTINGS.index(case.conf)
            print(f'Found: {case.properties!r}, SETTINGS[{place}]')
            self.leave(FOUND)
        spent = (time.thread_time() - begin) * 1000
        if spent > self.slowest:
            self.slowest, self.slowest_case = spent, case.properties
        self.cases += 1
        self.decided += decided is not None
        if self.cases >= self._most or time.monotonic() > self._end:
            self.leave(0)

    def leave(self, code):
        """Report, and end the process: libFuzzer has no other end."""
        print(
            f'{self.cases} cases in {time.monotonic() - self._begin:.0f} s, '
            f'{self.decided} of them decided; the slowest took '
            f'{self.slowest:.2f} ms with all checks: {self.slowest_case!r}',
            flush=True,
        )
        os._exit(code)


def main():
    parser = argparse.ArgumentParser(
        prog='python -m tests.unit.hostile.fuzz',
        description=__doc__.split('\n')[0],
    )
    parser.add_argument('--cases', type=int, default=1000000)
    parser.add_argument('--seconds', type=float, default=600)
    arguments = parser.parse_args()
    fuzzer = Fuzzer(arguments.cases, arguments.seconds)
    atheris.Setup([sys.argv[0], '-max_len=400', '-verbosity=0'], fuzzer.one)
    atheris.Fuzz()


if __name__ == '__main__':
    main()
