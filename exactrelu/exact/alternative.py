"""Theorems of the alternative for small cones, exactly: a point at which an inequality is strict, or weights that show that none is.

`alternative` decides it for wanted inequalities, by Farkas' lemma (`least_squares.py`). `exact_split` asks it again and again, in
coordinates u of the equalities' kernel in which the inequalities ask for slacks >= 0, until every inequality is known to be strict
somewhere or an implicit equality (theory C6). For an optimum see `linear_program.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flint import fmpq, fmpz_mat

from exactrelu.exact.least_squares import feasible
from exactrelu.exact.linalg import pivot_columns, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

# Implicit rows, integer multipliers by row, an integer direction (zeros where every inequality is implicit).
Split = tuple[list[int], dict[int, int], list[int]]


def exact_split(
    rows: Sequence[Sequence[int]], equalities: Sequence[int], others: Sequence[int], columns: int, deadline: float | None
) -> Split | None:
    """Split the rows `others` of an integer system into implicit and strict ones; None where the time limit was reached."""
    basis = _null_basis([rows[i] for i in equalities], columns) if columns else []
    if not basis or not others:
        return _without_directions(rows, equalities, others, columns)
    slack = [[-sum(a * b for a, b in zip(rows[i], vector, strict=True)) for vector in basis] for i in others]
    # Coordinates of the kernel in which the slacks are independent functionals; the others change no slack.
    kept = _echelon(slack, len(basis))[2]
    basis = [basis[k] for k in kept]
    slack = [[row[k] for k in kept] for row in slack]
    strict: set[int] = set()
    point, dual = [fmpq(0)] * len(basis), [fmpq(0)] * len(others)
    while len(strict) < len(others):
        found = alternative(slack, [int(i not in strict) for i in range(len(others))], deadline)
        if found is None:
            return None
        if found.weights is not None:
            dual = found.weights
            break
        point = [a + b for a, b in zip(point, found.point, strict=True)]
        strict |= {i for i, row in enumerate(slack) if sum((a * b for a, b in zip(row, found.point, strict=True)), fmpq(0)) > 0}
    common = math.lcm(1, *(int(value.q) for value in point))
    coordinates = [int(value * common) for value in point]
    direction = [sum(c * vector[j] for c, vector in zip(coordinates, basis, strict=True)) for j in range(columns)]
    divisor = math.gcd(*direction) or 1
    implicit = [others[i] for i in range(len(others)) if i not in strict]
    return implicit, _completed_weights(rows, equalities, others, dual, columns), [value // divisor for value in direction]


def _without_directions(rows: Sequence[Sequence[int]], equalities: Sequence[int], others: Sequence[int], columns: int) -> Split:
    """The equalities leave only d = 0: every inequality is implicit."""
    weights = _completed_weights(rows, equalities, others, [fmpq(1)] * len(others), columns) if others else {}
    return list(others), weights, [0] * columns


def _null_basis(rows: Sequence[Sequence[int]], columns: int) -> list[tuple[int, ...]]:
    """An integer basis of {d : rows d = 0}."""
    live = [list(row) for row in rows if any(row)]
    if not live:
        return [tuple(int(i == j) for j in range(columns)) for i in range(columns)]
    reduced, denominator, pivots = _echelon(live, columns)
    vectors = []
    for free in (j for j in range(columns) if j not in set(pivots)):
        vector = [0] * columns
        vector[free] = denominator
        for i, pivot in enumerate(pivots):
            vector[pivot] = -int(reduced[i, free])
        common = math.gcd(*vector)
        vectors.append(tuple(value // common for value in vector))
    return vectors


@dataclass(frozen=True)
class Alternative:
    """Either weights w >= wanted with w slack = 0, or a point u with slack u >= 0 and wanted . slack u > 0."""

    weights: list[fmpq] | None
    point: list[fmpq]


def alternative(slack: Sequence[Sequence[int]], wanted: Sequence[int], deadline: float | None) -> Alternative | None:
    """Decide which side of the alternative holds; None where the time limit was reached.

    It is Farkas' for the weights beyond the wanted ones, with which the slack's rows add up to -wanted slack.

    >>> alternative([[1], [-2]], [1, 0], None)
    Alternative(weights=[1, 1/2], point=[])
    >>> alternative([[1], [2]], [1, 0], None)
    Alternative(weights=None, point=[1])
    """
    right = [-sum(w * row[k] for w, row in zip(wanted, slack, strict=True)) for k in range(len(slack[0]))]
    found = feasible(slack, right, deadline)
    if found is None:
        return None
    if found.weights is None:
        return Alternative(None, [fmpq(price) for price in found.prices or []])
    return Alternative([w + more for w, more in zip(wanted, found.weights, strict=True)], [])


def _echelon(rows: Sequence[Sequence[int]], columns: int) -> tuple[fmpz_mat, int, list[int]]:
    """Reduced row echelon form over Q as (integer matrix, denominator, pivot columns)."""
    reduced, denominator, rank = fmpz_mat(len(rows), columns, [value for row in rows for value in row]).rref()
    return reduced, int(denominator), pivot_columns(reduced, rank)


def _completed_weights(
    rows: Sequence[Sequence[int]], equalities: Sequence[int], others: Sequence[int], dual: Sequence[fmpq], columns: int
) -> dict[int, int]:
    """Integer multipliers: the inequalities' dual, and equalities' multipliers that cancel its combination exactly."""
    common = math.lcm(1, *(int(value.q) for value in dual))
    weights = {i: int(value * common) for i, value in zip(others, dual, strict=True) if value != 0}
    sigma = [0] * columns
    for i, weight in weights.items():
        sigma = [a + weight * b for a, b in zip(sigma, rows[i], strict=True)]
    if not any(sigma):
        return weights
    live = [i for i in equalities if any(rows[i])]
    transposed = [[rows[i][j] for i in live] for j in range(columns)]
    independent = _echelon([rows[i] for i in live], columns)[2]
    basis = _echelon([transposed[j] for j in independent], len(live))[2]
    solved = solve([[transposed[j][k] for k in basis] for j in independent], [[-sigma[j]] for j in independent])
    assert solved is not None
    numerators, denominator = solved
    weights = {i: weight * denominator for i, weight in weights.items()}
    for a, k in enumerate(basis):
        if numerators[a][0]:
            weights[live[k]] = numerators[a][0]
    return weights
