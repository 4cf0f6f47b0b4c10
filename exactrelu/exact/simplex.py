"""Which inequalities of a small cone are implicit equalities, by an exact simplex method (theory C6).

The slacks y = -A_Z d of the cone's elements are a subspace, cut out by the inequalities' dependencies, met with the orthant.
Phase one of the simplex method looks for a slack that is positive where none was so far; when there is none, its dual is the
multipliers that show the remaining inequalities to be implicit equalities. Bland's rule, so it ends.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from flint import fmpq, fmpz_mat

from exactrelu.exact.linalg import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

# Implicit rows, integer multipliers by row, an integer direction (zeros where every inequality is implicit).
Split = tuple[list[int], dict[int, int], list[int]]


def exact_split(
    rows: Sequence[Sequence[int]], equalities: Sequence[int], others: Sequence[int], columns: int, deadline: float | None
) -> Split | None:
    """The split by an exact simplex method: (implicit rows, multipliers of all rows, direction)."""
    if columns == 0 or not others:
        return _without_directions(rows, equalities, others, columns)
    basis = _null_basis([rows[i] for i in equalities], columns)
    if not basis:
        return _without_directions(rows, equalities, others, columns)
    # y_i = -r_i . (basis u) >= 0: the inequalities' slacks, a subspace met with the orthant.
    slack = [[-sum(a * b for a, b in zip(rows[i], vector, strict=True)) for vector in basis] for i in others]
    dependencies = _null_basis([list(column) for column in zip(*slack, strict=True)], len(others))
    found = [fmpq(0)] * len(others)
    strict: set[int] = set()
    while len(strict) < len(others):
        if deadline is not None and time.monotonic() > deadline:
            return None
        wanted = [0 if i in strict else 1 for i in range(len(others))]
        solution, dual = _feasible_slack(dependencies, wanted)
        if solution is None:
            break
        found = [a + b for a, b in zip(found, solution, strict=True)]
        strict = {i for i, value in enumerate(found) if value > 0}
    else:
        dual = [fmpq(0)] * len(others)
    implicit = [others[i] for i in range(len(others)) if i not in strict]
    direction = _direction_with_slack(slack, basis, found) if strict else [0] * columns
    weights = _completed_weights(rows, equalities, others, dual, columns)
    return implicit, weights, direction


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


def _feasible_slack(dependencies: Sequence[Sequence[int]], wanted: Sequence[int]) -> tuple[list[fmpq] | None, list[fmpq]]:
    """Find y >= 0 with dependencies y = 0 and wanted.y = 1, or weights w >= wanted in the span of the dependencies.

    Phase one of the simplex method on the tableau [constraints | identity | right side], Bland's rule. If the artificial
    sum stays positive its dual gives, after scaling, w >= 1 where wanted is 1 and w >= 0 elsewhere.
    """
    count, width = len(dependencies) + 1, len(wanted)
    table = [[fmpq(v) for v in row] + [fmpq(int(i == k)) for k in range(count)] + [fmpq(0)] for i, row in enumerate(dependencies)]
    table.append([fmpq(v) for v in wanted] + [fmpq(int(count - 1 == k)) for k in range(count)] + [fmpq(1)])
    basis = [width + k for k in range(count)]
    # Reduced costs of minimising the sum of the artificial variables.
    cost = [-sum((row[j] for row in table), fmpq(0)) for j in range(width)] + [fmpq(0)] * count
    cost.append(-sum((row[-1] for row in table), fmpq(0)))
    while True:
        entering = next((j for j in range(width) if cost[j] < 0), None)
        if entering is None:
            break
        ratios = [(row[-1] / row[entering], basis[i], i) for i, row in enumerate(table) if row[entering] > 0]
        leaving = min(ratios)[2]
        pivot = table[leaving][entering]
        table[leaving] = [value / pivot for value in table[leaving]]
        for i, row in enumerate(table):
            if i != leaving and row[entering] != 0:
                factor = row[entering]
                table[i] = [a - factor * b for a, b in zip(row, table[leaving], strict=True)]
        factor = cost[entering]
        cost = [a - factor * b for a, b in zip(cost, table[leaving], strict=True)]
        basis[leaving] = entering
    if cost[-1] == 0:
        solution = [fmpq(0)] * width
        for i, variable in enumerate(basis):
            if variable < width:
                solution[variable] = table[i][-1]
        return solution, []
    # Dual p_k = 1 - cost of artificial k; p.constraints <= 0 on every column, and p_last > 0 is the optimum's value.
    prices = [1 - cost[width + k] for k in range(count)]
    last = prices[-1]
    weights = [-sum((prices[k] * dependencies[k][j] for k in range(count - 1)), fmpq(0)) / last for j in range(width)]
    return None, weights


def _direction_with_slack(slack: Sequence[Sequence[int]], basis: Sequence[Sequence[int]], wanted: Sequence[fmpq]) -> list[int]:
    """An integer direction whose slacks are a positive multiple of `wanted`, which is known to be attainable."""
    unknowns = len(basis)
    independent = _echelon([list(column) for column in zip(*slack, strict=True)], len(slack))[2]
    chosen = [slack[i] for i in independent]
    pivots = _echelon(chosen, unknowns)[2]
    common = math.lcm(1, *(int(value.q) for value in wanted))
    right = [[int(wanted[i] * common)] for i in independent]
    solved = solve([[row[j] for j in pivots] for row in chosen], right)
    assert solved is not None
    coordinates = [0] * unknowns
    for a, j in enumerate(pivots):
        coordinates[j] = solved[0][a][0]
    direction = [sum(c * vector[j] for c, vector in zip(coordinates, basis, strict=True)) for j in range(len(basis[0]))]
    divisor = math.gcd(*direction) or 1
    return [value // divisor for value in direction]


def _echelon(rows: Sequence[Sequence[int]], columns: int) -> tuple[fmpz_mat, int, list[int]]:
    """Reduced row echelon form over Q as (integer matrix, denominator, pivot columns)."""
    reduced, denominator, rank = fmpz_mat(len(rows), columns, [value for row in rows for value in row]).rref()
    pivots, column = [], 0
    for i in range(rank):
        while int(reduced[i, column]) == 0:
            column += 1
        pivots.append(column)
        column += 1
    return reduced, int(denominator), pivots


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
