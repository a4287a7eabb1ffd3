# SPDX-License-Identifier: Apache-2.0

"""What was measured, and how it is shown."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure.

    :ivar what: what was measured
    :ivar value: in the unit
    :ivar unit: an empty text for a ratio
    :ivar goal: at most this; None for a figure that only explains others
    :ivar digits: how many of them after the point
    """

    what: str
    value: float
    unit: str = ''
    goal: float | None = None
    digits: int = 1

    @property
    def met(self):
        return self.goal is None or self.value <= self.goal

    @property
    def row(self):
        return (
            self.what,
            f'{self.value:.{self.digits}f} {self.unit}'.strip(),
            '' if self.goal is None else f'<= {self.goal:g} {self.unit}',
            '' if self.goal is None else ('met' if self.met else 'MISSED'),
        )


def table(figures):
    """Return the figures as a table for people."""
    rows = [('figure', 'measured', 'goal', ''), *(f.row for f in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return '\n'.join(
        f'{what:<{widths[0]}}  {value:>{widths[1]}}  {goal:<{widths[2]}}  '
        f'{outcome}'.rstrip()
        for what, value, goal, outcome in rows
    )
