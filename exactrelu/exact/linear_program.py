"""Small linear programs over the rationals by the simplex method in two phases: the largest c w among all w >= 0 with A w = b.

Tableau [A | I | b] with a row of reduced costs; Bland's rule, so it ends. The prices of the artificial variables, the columns of I, are
the dual solution. Where it is enough to know whether there is such a w, `least_squares.py` is a hundred times faster.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flint import fmpq

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Solution:
    """The largest c w, and prices y with y A >= c and y b = c w; both None where no w >= 0 has A w = b."""

    value: fmpq | None
    prices: list[fmpq] | None


def maximise(rows: Sequence[Sequence[int]], right: Sequence[int], costs: Sequence[int], deadline: float | None) -> Solution | None:
    """Solve the program, which must not be unbounded; rows: (k, w). None where the time limit was reached.

    >>> maximise([[1, -1, 0], [1, 1, 1]], [0, 1], [3, 1, 0], None)
    Solution(value=2, prices=[1, 2])
    """
    tableau = _Tableau(rows, right, len(costs))
    if not tableau.climb(tableau.first, deadline):
        return None
    if tableau.first[-1] != 0:
        return Solution(None, None)
    for place, variable in enumerate(tableau.basis):
        # An artificial variable that is still in the basis is 0 there; where no other can replace it its row is redundant.
        other = next((j for j in range(tableau.width) if variable >= tableau.width and tableau.rows[place][j] != 0), None)
        if other is not None:
            tableau.pivot(place, other)
    second = tableau.reduced([*map(fmpq, costs), *[fmpq(0)] * (len(rows) + 1)])
    if not tableau.climb(second, deadline):
        return None
    return Solution(-second[-1], tableau.prices(second, fmpq(0)))


class _Tableau:
    """Rows [A | I | b] with b >= 0, the variables that are its basis, and the reduced costs of minus the artificial variables' sum."""

    def __init__(self, rows: Sequence[Sequence[int]], right: Sequence[int], width: int) -> None:
        count = len(rows)
        self.width = width
        self.signs = [-1 if value < 0 else 1 for value in right]
        self.rows = [
            [*(fmpq(sign * value) for value in row), *(fmpq(int(i == k)) for i in range(count)), fmpq(sign * last)]
            for k, (row, sign, last) in enumerate(zip(rows, self.signs, right, strict=True))
        ]
        self.basis = [width + k for k in range(count)]
        self.first = self.reduced([*[fmpq(0)] * width, *[fmpq(-1)] * count, fmpq(0)])

    def reduced(self, costs: list[fmpq]) -> list[fmpq]:
        """Costs that are 0 on the basis, by subtracting rows."""
        for row, variable in zip(self.rows, self.basis, strict=True):
            _subtract(costs, costs[variable], row)
        return costs

    def climb(self, costs: list[fmpq], deadline: float | None) -> bool:
        """Pivot until no variable improves the costs; False where the time limit was reached."""
        while (entering := next((j for j in range(self.width) if costs[j] > 0), None)) is not None:
            if deadline is not None and time.monotonic() > deadline:
                return False
            leaving = min((row[-1] / row[entering], self.basis[i], i) for i, row in enumerate(self.rows) if row[entering] > 0)[2]
            self.pivot(leaving, entering)
            _subtract(costs, costs[entering], self.rows[leaving])
        return True

    def pivot(self, leaving: int, entering: int) -> None:
        pivot = self.rows[leaving][entering]
        self.rows[leaving] = [value / pivot for value in self.rows[leaving]]
        for i, row in enumerate(self.rows):
            if i != leaving:
                _subtract(row, row[entering], self.rows[leaving])
        self.basis[leaving] = entering

    def prices(self, costs: list[fmpq], shift: fmpq) -> list[fmpq]:
        """Minus the reduced costs of the artificial variables, whose own costs are -shift, for the rows with the signs they were given."""
        return [-sign * (value + shift) for sign, value in zip(self.signs, costs[self.width : -1], strict=True)]


def _subtract(row: list[fmpq], factor: fmpq, other: list[fmpq]) -> None:
    if factor != 0:
        row[:] = [a - factor * b for a, b in zip(row, other, strict=True)]
