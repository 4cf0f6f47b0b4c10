"""The tie path (theory C6): which inequalities of a cone are implicit equalities, decided exactly.

For C = {d : r.d = 0 on equalities, r.d <= 0 on the others} the inequalities split into E, zero on all of C, and F, negative
somewhere on C (Goldman-Tucker). The split is proved by two exact vectors: multipliers w with w_i > 0 on E, 0 on F and
w R = 0, and a d in C with r_i d < 0 for all i in F. Two ways lead there:

- a float search or a linear program (PuLP with HiGHS) proposes E and F, and p-adic solves make the two vectors; a wrong
  proposal fails the exact test;
- the exact simplex method of `alternative.py` decides tiny systems, and small ones where no proposal stood the test. Larger ones
  then have no answer.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.exact.alternative import Split, exact_split
from exactrelu.exact.linalg import PRIMES, Block, exact_rank, integer_rows, kernel_vectors, regular_block, row_exponent, solve
from exactrelu.exact.search import Direction, Multipliers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.certificates import Rank
    from exactrelu.exact.rational import DyadicMatrix
    from exactrelu.exact.search import Proposal
    from exactrelu.exact.system import ConeSystem

# Entries of the exact simplex tableau up to which it is the first choice, and the last resort.
TINY = 1_000
SMALL = 20_000
# Entries of the rows up to which they are eliminated over Q without p-adic lifting.
LARGEST_ELIMINATION = 40_000


@dataclass(frozen=True)
class Partition:
    """The exact split of a system's rows, in the numbering of the format.

    implicit: rows of E, sides included; multipliers: integers for the general rows as real numbers, or None where E is
    empty; direction: integers, in C and strict on F, or None where F is empty; rank: that of the equality rows and E.
    """

    implicit: tuple[int, ...]
    strict: tuple[int, ...]
    multipliers: tuple[int, ...] | None
    direction: tuple[int, ...] | None
    rank: Rank


def partition(system: ConeSystem, *, proposal: Proposal | None = None, deadline: float | None = None) -> Partition | None:
    """Split the inequalities of a system exactly; None where the proposal failed or the time limit was reached.

    proposal: what a float search found (all rows implicit, or all strict); without one a linear program proposes.
    """
    columns = np.flatnonzero(~system.fixed)
    matrix = system.all_rows()
    both = {int(i) for i in np.flatnonzero(system.fixed[system.side_columns]) + system.general_count}
    equalities = [int(i) for i in system.equality_rows]
    others = [i for i in range(system.row_count) if i not in both and not (i < system.general_count and system.equality[i])]
    reduced = matrix.columns(columns)
    rows = integer_rows(reduced)
    # integer row = scale * row, on the columns kept
    scales = [Fraction(2) ** -row_exponent(reduced, i) for i in range(len(rows))]
    # Rows that live on fixed columns only vanish here; they are zero on C by themselves.
    zero = [i for i in others if not any(rows[i])]
    live = [i for i in others if any(rows[i])]
    asked = _Asked(system, reduced, rows, scales, equalities, live, deadline)
    split = next((found for found in _splits(asked, proposal) if found is not None), None)
    if split is None:
        return None
    implicit, weights, direction = split
    multipliers = _general_multipliers(system, scales, weights, zero)
    all_implicit = tuple(sorted([*implicit, *both, *zero]))
    strict = tuple(i for i in live if i not in set(implicit))
    full = None
    if strict:
        full = [0] * system.dimension
        for j, value in zip(columns.tolist(), direction, strict=True):
            full[j] = value
    rank = exact_rank(system.rows_for_rank(sorted([*equalities, *all_implicit])))
    return Partition(all_implicit, strict, multipliers if all_implicit else None, None if full is None else tuple(full), rank)


def _general_multipliers(system: ConeSystem, scales: Sequence[Fraction], weights: dict[int, int], zero: Sequence[int]) -> tuple[int, ...]:
    """Multipliers for the rows as real numbers, cleared to integers; rows that vanish off the fixed columns get 1."""
    values = [Fraction(0)] * system.general_count
    for i, weight in weights.items():
        if i < system.general_count:
            values[i] = weight * scales[i]
    for i in zero:
        values[i] = Fraction(1)
    denominator = math.lcm(1, *(value.denominator for value in values))
    integers = [int(value * denominator) for value in values]
    common = math.gcd(0, *integers)
    return tuple(value // common for value in integers) if common > 1 else tuple(integers)


@dataclass(frozen=True, eq=False)
class _Asked:
    """A system without its fixed columns: integer rows (scale times a row), which are equalities, which are to be split."""

    system: ConeSystem
    matrix: DyadicMatrix
    rows: Sequence[Sequence[int]]
    scales: Sequence[Fraction]
    equalities: Sequence[int]
    others: Sequence[int]
    deadline: float | None


def _splits(asked: _Asked, proposal: Proposal | None) -> Iterator[Split | None]:
    """Splits by one way after another, each exact; None where a way failed."""
    columns = asked.matrix.shape[1]
    # The exact method's tableau has as many rows as the kernel has coordinates.
    coordinates = max(1, columns - len(asked.equalities))
    tableau = coordinates * (len(asked.others) + coordinates)
    is_small = tableau <= SMALL and len(asked.rows) * columns <= LARGEST_ELIMINATION
    proposed = _as_split(asked.system, proposal, asked.others)
    if proposed is not None:
        yield _proved_split(asked, _for_integer_rows(asked, proposed))
    elif len(asked.equalities) >= columns:
        # Equalities of full rank leave d = 0 only.
        yield _proved_split(asked, (np.zeros(len(asked.others), dtype=bool), np.zeros(columns), np.ones(len(asked.others))))
    if proposed is None and not (is_small and tableau <= TINY):
        found = _float_partition(asked)
        yield None if found is None else _proved_split(asked, _for_integer_rows(asked, found))
    if is_small:
        yield exact_split(asked.rows, asked.equalities, asked.others, columns, asked.deadline)


FloatSplit = tuple[np.ndarray, np.ndarray, np.ndarray]


def _as_split(system: ConeSystem, proposal: Proposal | None, others: Sequence[int]) -> FloatSplit | None:
    """A search's proposal in the form of the linear program's answer."""
    if isinstance(proposal, Direction) and not proposal.vanishing.any():
        return np.ones(len(others), dtype=bool), proposal.values, np.zeros(len(others))
    if isinstance(proposal, Multipliers):
        implied = system.implied_multipliers(proposal.values)
        return np.zeros(len(others), dtype=bool), np.zeros(system.dimension), implied[list(others)]
    return None


def _for_integer_rows(asked: _Asked, split: FloatSplit) -> FloatSplit:
    """Turn dual values of the scaled rows (2^-exponent times a row) into those of the integer rows (`scales` times it)."""
    is_strict, direction, dual = split
    system, scales, others = asked.system, asked.scales, asked.others
    exponents = [*(-system.rows.exponents).tolist(), *[0] * len(system.side_columns)]
    # A scale is a power of two: 2^p has numerator or denominator of p + 1 bits.
    shifts = np.array(
        [exponents[i] - scales[i].numerator.bit_length() + scales[i].denominator.bit_length() for i in others], dtype=np.int64
    )
    if len(others) == 0:
        return split
    with np.errstate(all="ignore"):
        return is_strict, direction, np.ldexp(dual, shifts - int(np.median(shifts)))


def _float_partition(asked: _Asked) -> FloatSplit | None:
    """Maximise sum t over A_P d = 0, A_Z d + t <= 0, 0 <= t <= 1: (t > 1/2, d, dual values of the A_Z rows)."""
    import pulp

    equalities, others, deadline = asked.equalities, asked.others, asked.deadline
    floats = np.vstack([asked.system.scaled, asked.system.side_rows().floats])[:, ~asked.system.fixed]
    columns = floats.shape[1]
    problem = pulp.LpProblem("partition", pulp.LpMaximize)
    d = [pulp.LpVariable(f"d{j}") for j in range(columns)]
    t = [pulp.LpVariable(f"t{i}", 0, 1) for i in others]
    problem += pulp.lpSum(t)
    for i in equalities:
        problem += pulp.LpAffineExpression([(d[j], float(floats[i, j])) for j in np.flatnonzero(floats[i])]) == 0
    for i, slack in zip(others, t, strict=True):
        terms = [(d[j], float(floats[i, j])) for j in np.flatnonzero(floats[i])]
        problem += pulp.LpAffineExpression([*terms, (slack, 1.0)]) <= 0, f"z{i}"
    limit = None if deadline is None else max(1.0, deadline - time.monotonic())
    try:
        status = problem.solve(pulp.HiGHS(msg=False, timeLimit=limit, threads=1))
    except pulp.PulpError:
        return None
    if status != pulp.LpStatusOptimal:
        return None
    values = np.array([variable.value() or 0.0 for variable in t])
    direction = np.array([variable.value() or 0.0 for variable in d])
    dual = np.array([abs(problem.constraints[f"z{i}"].pi or 0.0) for i in others])
    return values > 0.5, direction, dual


def _proved_split(asked: _Asked, proposal: FloatSplit) -> Split | None:
    """Make a proposed split exact; None if it is wrong."""
    is_strict, direction, dual = proposal
    matrix, rows, equalities, others = asked.matrix, asked.rows, asked.equalities, asked.others
    implicit = [i for i, one in zip(others, is_strict, strict=True) if not one]
    strict = [i for i, one in zip(others, is_strict, strict=True) if one]
    weighted = dict(zip(others, np.clip(np.nan_to_num(dual), 0.0, 2.0**900).tolist(), strict=True))
    # The block takes the first independent rows: those of large multipliers, which solving cannot make negative.
    fixed_rows = [*equalities, *sorted(implicit, key=lambda i: -weighted[i])]
    block = regular_block(matrix.rows(np.array(fixed_rows, dtype=np.int64)), PRIMES[1]) if fixed_rows else Block((), (), 2)
    weights = _exact_dependency(rows, fixed_rows, set(equalities), block, weighted, matrix.shape[1])
    if weights is None:
        return None
    if not strict:
        return implicit, weights, [0] * matrix.shape[1]
    exact = _exact_direction(rows, fixed_rows, strict, block, direction)
    return None if exact is None else (implicit, weights, exact)


def _exact_dependency(
    rows: Sequence[Sequence[int]],
    fixed_rows: Sequence[int],
    equalities: set[int],
    block: Block,
    proposed: dict[int, float],
    columns: int,
) -> dict[int, int] | None:
    """Exact multipliers, positive on the implicit rows: rounded ones off the basis, solved ones on it."""
    basis = [fixed_rows[k] for k in block.rows]
    rest = [i for i in fixed_rows if i not in set(basis) and i not in equalities]
    weights = {i: max(1, round(2**40 * proposed[i])) for i in rest}
    right = [[-sum(weights[i] * rows[i][j] for i in rest)] for j in block.columns]
    solved = solve([[rows[i][j] for i in basis] for j in block.columns], right)
    if solved is None:
        return None
    numerators, denominator = solved
    weights = {i: weight * denominator for i, weight in weights.items()}
    for a, i in enumerate(basis):
        weights[i] = numerators[a][0]
        if i not in equalities and weights[i] <= 0:
            return None
    sigma = fmpz_mat(1, len(weights), list(weights.values())) * fmpz_mat(len(weights), columns, [v for i in weights for v in rows[i]])
    return weights if sigma == fmpz_mat(1, columns) else None


def _exact_direction(
    rows: Sequence[Sequence[int]], fixed_rows: Sequence[int], strict: Sequence[int], block: Block, proposed: np.ndarray
) -> list[int] | None:
    """An exact direction that vanishes on the fixed rows and is negative on the strict ones."""
    columns = len(rows[0])
    largest = float(np.abs(proposed).max(initial=0.0))
    if not 0 < largest < math.inf:
        return None
    used = set(block.columns)
    free = [j for j in range(columns) if j not in used]
    rounded = {j: round(proposed[j] / largest * 2**30) for j in free}
    basis = [fixed_rows[k] for k in block.rows]
    solved = solve([[rows[i][j] for j in block.columns] for i in basis], [[-sum(rounded[j] * rows[i][j] for j in free)] for i in basis])
    if solved is None:
        return None
    numerators, denominator = solved
    direction = [0] * columns
    for j in free:
        direction[j] = rounded[j] * denominator
    for a, j in enumerate(block.columns):
        direction[j] = numerators[a][0]
    vector = fmpz_mat(columns, 1, direction)
    if fixed_rows and (fmpz_mat(len(fixed_rows), columns, [v for i in fixed_rows for v in rows[i]]) * vector) != fmpz_mat(
        len(fixed_rows), 1
    ):
        return None
    values = fmpz_mat(len(strict), columns, [v for i in strict for v in rows[i]]) * vector
    if not all(int(values[i, 0]) < 0 for i in range(len(strict))):
        return None
    divisor = math.gcd(*direction) or 1
    return [value // divisor for value in direction]


def lineality_direction(system: ConeSystem) -> tuple[int, ...] | None:
    """A non-zero integer d that all rows and sides map to 0, or None where only 0 does."""
    vectors = kernel_vectors(system.all_rows(), most=1)
    return vectors[0] if vectors else None
