"""A small linear program over the rationals: maximise c w subject to A w = b, w >= 0, by the simplex method in two phases.

Tableau [A | I | b] with a row of reduced costs; Bland's rule, so it ends. The prices of the artificial variables are the dual solution.
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
    count, width = len(rows), len(costs)
    signs = [-1 if value < 0 else 1 for value in right]
    table = [
        [fmpq(sign * value) for value in row] + [fmpq(int(i == k)) for i in range(count)] + [fmpq(sign * last)]
        for k, (row, sign, last) in enumerate(zip(rows, signs, right, strict=True))
    ]
    basis = [width + k for k in range(count)]
    # What is to be made as large as possible: first minus the sum of the artificial variables.
    first = [sum((row[j] for row in table), fmpq(0)) * int(not width <= j < width + count) for j in range(width + count + 1)]
    second = [*map(fmpq, costs), *[fmpq(0)] * (count + 1)]
    costs_left = [first, second]
    if not _climb(table, basis, costs_left, 0, width, deadline):
        return None
    if first[-1] != 0:
        return Solution(None, None)
    for place in range(count):
        # An artificial variable that is still in the basis is 0 there; where no other can replace it its row is redundant.
        other = next((j for j in range(width) if basis[place] >= width and table[place][j] != 0), None)
        if other is not None:
            _pivot(table, basis, costs_left, place, other)
    if not _climb(table, basis, costs_left, 1, width, deadline):
        return None
    return Solution(-second[-1], [-sign * value for sign, value in zip(signs, second[width:-1], strict=True)])


def _climb(table: list[list[fmpq]], basis: list[int], costs: list[list[fmpq]], goal: int, width: int, deadline: float | None) -> bool:
    """Pivot until no variable improves costs[goal]; False where the time limit was reached."""
    while (entering := next((j for j in range(width) if costs[goal][j] > 0), None)) is not None:
        if deadline is not None and time.monotonic() > deadline:
            return False
        leaving = min((row[-1] / row[entering], basis[i], i) for i, row in enumerate(table) if row[entering] > 0)[2]
        _pivot(table, basis, costs, leaving, entering)
    return True


def _pivot(table: list[list[fmpq]], basis: list[int], costs: list[list[fmpq]], leaving: int, entering: int) -> None:
    pivot = table[leaving][entering]
    table[leaving] = [value / pivot for value in table[leaving]]
    for row in (*(row for i, row in enumerate(table) if i != leaving), *costs):
        factor = row[entering]
        if factor != 0:
            row[:] = [a - factor * b for a, b in zip(row, table[leaving], strict=True)]
    basis[leaving] = entering
