# SPDX-License-Identifier: Apache-2.0

"""What it means that a test ended with stock one way and with ours another."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs of the same tests.

    :ivar passed: the tests that passed with ours.
    :ivar excused: those that passed with stock only, and may.
    :ivar worse: those that passed with stock only, and may not.
    :ivar stale: exceptions that are none: they pass with ours, or do not
        with stock.
    :ivar broken: those that did not pass with stock and were not skipped.
    """

    passed: frozenset[str]
    excused: frozenset[str]
    worse: frozenset[str]
    stale: frozenset[str]
    broken: frozenset[str]

    @property
    def is_fine(self):
        return not self.worse and not self.stale


def compare(stock, ours, exceptions):
    """Compare two runs.

    :param stock: how each test ended with stock: 'passed', 'skipped' or
        'failed', by its name.
    :param ours: the same with ours.
    :param exceptions: the names of the tests that may be worse with ours.
        One that did not run with stock is not looked at.
    """
    stock_passed = _names(stock, 'passed')
    passed = _names(ours, 'passed')
    lost = stock_passed - passed
    known = frozenset(exceptions) & stock.keys()
    return Comparison(
        passed=passed,
        excused=lost & known,
        worse=lost - known,
        stale=known - lost,
        broken=_names(stock, 'failed'),
    )


def _names(run, status):
    return frozenset(name for name, found in run.items() if found == status)
