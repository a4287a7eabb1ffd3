# SPDX-License-Identifier: Apache-2.0
"""What was counted, and how it is shown."""

import collections.abc
import dataclasses
import statistics

_TAKEN = '*'
_MISSING = '-'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One phase of one guest.

    :ivar set_name: the guest's set of enlightenments.
    :ivar run: which repetition it was.
    :ivar operation: what was done.
    :ivar way: how it was done.
    :ivar taken: whether Windows would take this way, of those that the set
        shows.
    :ivar count: how often it was done.
    :ivar exits: exits, without those for the host's own interrupts.
    :ivar details: KVM's counters.
    """

    set_name: str
    run: int
    operation: str
    way: str
    taken: bool
    count: int
    exits: int
    details: dict[str, int]

    @property
    def each(self) -> float:
        """Exits for one operation."""
        return self.exits / self.count


Results = collections.abc.Sequence[Result]
Table = list[tuple[str, ...]]


def taken(found: Results) -> Table:
    """Table the ways that Windows would take: a row for each operation."""
    names = _sets(found)
    rows: Table = [('Operation', *names)]
    for operation in dict.fromkeys(one.operation for one in found):
        chosen = [
            one for one in found if one.operation == operation and one.taken
        ]
        rows.append((operation, *(_cell(chosen, name) for name in names)))
    return rows


def ways(found: Results) -> Table:
    """Table all ways; what Windows would take has a star."""
    names = _sets(found)
    rows: Table = [('Operation', 'Way', *names)]
    operations = dict.fromkeys(one.operation for one in found)
    for operation in operations:
        same = [one for one in found if one.operation == operation]
        for way in dict.fromkeys(one.way for one in same):
            chosen = [one for one in same if one.way == way]
            cells = [_cell(chosen, name, star=True) for name in names]
            rows.append((operation, way, *cells))
    return rows


def render(table: Table) -> str:
    """Write a table as reStructuredText has it."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    rule = ' '.join('=' * width for width in widths)
    lines = [
        ' '.join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in table
    ]
    return '\n'.join([rule, lines[0], rule, *lines[1:], rule])


def spread(found: Results) -> tuple[float, Result]:
    """Return how far runs are apart, and where they are farthest.

    :returns: exits for one operation between the least and the greatest
        run of the same phase; one of that phase's results.
    """
    phases: dict[tuple[str, str, str], list[Result]] = {}
    for one in found:
        key = (one.set_name, one.operation, one.way)
        phases.setdefault(key, []).append(one)
    apart = []
    for same in phases.values():
        each = [one.each for one in same]
        apart.append((max(each) - min(each), same[0]))
    return max(apart, key=lambda pair: pair[0])


def _sets(found: Results) -> list[str]:
    return list(dict.fromkeys(one.set_name for one in found))


def _cell(chosen: Results, name: str, star: bool = False) -> str:
    """Show the median of all runs."""
    same = [one for one in chosen if one.set_name == name]
    if not same:
        return _MISSING
    # Not '-0.00', should a counter have been read a moment too late.
    each = max(0.0, statistics.median(one.each for one in same))
    return f'{each:.2f}{_TAKEN if star and same[0].taken else ""}'
