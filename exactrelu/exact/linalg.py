"""Exact linear algebra over FLINT: rank mod a prime, p-adic solves, null vectors, left inverses mod q (theory C7).

Rows of a `DyadicMatrix` are used up to positive powers of two: neither a rank nor a cone changes when a row is scaled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz, fmpz_mat, nmod_mat

from exactrelu.certificates import Rank, Relation
from exactrelu.errors import InvalidNumberError
from exactrelu.exact.rational import DyadicMatrix, odd_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Mersenne primes: fast residues, and 61 bits where a block of few bits is not enough.
PRIMES = (2**31 - 1, 2**61 - 1)


def primes() -> Iterator[int]:
    """The usual primes, then all others below 2^61 - 1, downwards.

    A rank drops only modulo the finitely many primes that divide all largest minors: a search through these primes ends.

    >>> from itertools import islice
    >>> [2**61 - prime for prime in islice(primes(), 1, 4)]
    [1, 31, 45]
    """
    yield from PRIMES
    candidate = fmpz(PRIMES[-1]) - 2
    while True:
        if candidate.is_prime():
            yield int(candidate)
        candidate -= 2


def mask_of(indices: Iterable[int]) -> int:
    """The integer whose bits are the given indices.

    >>> mask_of([0, 3])
    9
    """
    result = 0
    for index in indices:
        result |= 1 << int(index)
    return result


def integer_rows(matrix: DyadicMatrix) -> list[list[int]]:
    """Every row multiplied by the power of two that makes it integral with an odd entry (zero rows stay zero)."""
    if matrix.integers is None:
        return [matrix.integer_row(i)[0] for i in range(matrix.shape[0])]
    result = []
    for row in matrix.integers:
        lowest = min((value & -value for value in row if value), default=1)
        result.append([value // lowest for value in row])
    return result


def integer_matrix(matrix: DyadicMatrix) -> fmpz_mat:
    """`integer_rows` as a FLINT matrix."""
    return fmpz_mat(matrix.shape[0], matrix.shape[1], [value for row in integer_rows(matrix) for value in row])


def residues(matrix: DyadicMatrix, modulus: int) -> nmod_mat:
    """`integer_rows` modulo `modulus`, vectorised for float64 matrices and moduli below 2^31."""
    rows, columns = matrix.shape
    if matrix.integers is not None or modulus >= 2**31:
        return nmod_mat(rows, columns, [value % modulus for row in integer_rows(matrix) for value in row], modulus)
    odd, exponents = odd_parts(matrix.floats)
    nonzero = odd != 0
    lowest = np.where(nonzero, exponents, np.iinfo(np.int64).max).min(axis=1, keepdims=True, initial=np.iinfo(np.int64).max)
    shift = np.where(nonzero, exponents - lowest, 0)
    powers = np.array([pow(2, k, modulus) for k in range(int(shift.max(initial=0)) + 1)], dtype=np.int64)
    values = (odd % modulus) * powers[shift] % modulus
    return nmod_mat(rows, columns, values.ravel().tolist(), modulus)


def rank_mod(matrix: DyadicMatrix, modulus: int) -> int:
    """The rank modulo a prime: a lower bound of the rank over Q (C7)."""
    return int(residues(matrix, modulus).rank())


def pivot_columns(reduced: fmpz_mat | nmod_mat, rank: int) -> list[int]:
    """Pivot columns of a matrix in reduced row echelon form."""
    pivots: list[int] = []
    column = 0
    for row in range(rank):
        while int(reduced[row, column]) == 0:
            column += 1
        pivots.append(column)
        column += 1
    return pivots


@dataclass(frozen=True)
class Block:
    """Rows and columns of a block that is invertible modulo a prime, as large as the rank modulo that prime."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    modulus: int


def regular_block(matrix: DyadicMatrix, modulus: int) -> Block:
    """The lexicographically first rows and columns that carry the rank modulo `modulus`."""
    all_residues = residues(matrix, modulus)
    rows = pivot_columns(*all_residues.transpose().rref())
    columns = pivot_columns(*residues(matrix.rows(np.array(rows, dtype=np.int64)), modulus).rref()) if rows else []
    return Block(tuple(rows), tuple(columns), modulus)


def solve(block: Sequence[Sequence[int]], right: Sequence[Sequence[int]]) -> tuple[list[list[int]], int] | None:
    """Solve block X = right exactly: X = numerators / denominator with denominator > 0; None if the block is singular.

    block is (r, r), right is (r, k). FLINT lifts p-adically (Dixon) once r is more than a few rows.

    >>> solve([[2, 0], [0, 3]], [[1], [1]])
    ([[3], [2]], 6)
    """
    size = len(block)
    width = len(right[0]) if right else 0
    if size == 0:
        return [], 1
    try:
        solution = fmpz_mat(size, size, [v for row in block for v in row]).solve(fmpz_mat(size, width, [v for row in right for v in row]))
    except ZeroDivisionError:
        return None
    numerators, denominator = solution.numer_denom()
    sign = 1 if int(denominator) > 0 else -1
    return [[sign * int(numerators[i, j]) for j in range(width)] for i in range(size)], sign * int(denominator)


def relations(rows: Sequence[Sequence[int]], block: Block, dependent: Sequence[int]) -> tuple[Relation, ...] | None:
    """Each dependent row as an exact combination of the block's rows; None if one of them is not in their span."""
    if not dependent:
        return ()
    square = [[rows[i][j] for i in block.rows] for j in block.columns]
    solved = solve(square, [[rows[k][j] for k in dependent] for j in block.columns])
    if solved is None:
        return None
    numerators, denominator = solved
    width = len(rows[0])
    basis = fmpz_mat(len(block.rows), width, [v for i in block.rows for v in rows[i]])
    coefficients = fmpz_mat(len(block.rows), len(dependent), [v for row in numerators for v in row]).transpose()
    expected = fmpz_mat(len(dependent), width, [denominator * v for k in dependent for v in rows[k]])
    if coefficients * basis != expected:
        return None
    result = []
    for position, row in enumerate(dependent):
        terms = [(i, numerators[a][position]) for a, i in enumerate(block.rows) if numerators[a][position]]
        common = math.gcd(denominator, *(value for _, value in terms))
        result.append(Relation(row, denominator // common, tuple((i, value // common) for i, value in terms)))
    return tuple(result)


def _parallel(rows: Sequence[Sequence[int]], block: Block, dependent: Sequence[int]) -> tuple[Relation, ...] | None:
    """Each dependent row as a multiple of one row of the block (duplicated and opposite neurons), or None."""

    def primitive(row: Sequence[int]) -> tuple[tuple[int, ...], int]:
        divisor = math.gcd(*row)
        if next(value for value in row if value) < 0:
            divisor = -divisor
        return tuple(value // divisor for value in row), divisor

    place = {}
    for i in block.rows:
        direction, size = primitive(rows[i])
        place[direction] = (i, size)
    result = []
    for k in dependent:
        direction, size = primitive(rows[k])
        if direction not in place:
            return None
        i, own = place[direction]
        # row_k / size = row_i / own
        numerator, denominator = (size, own) if own > 0 else (-size, -own)
        common = math.gcd(numerator, denominator)
        result.append(Relation(k, denominator // common, ((i, numerator // common),)))
    return tuple(result)


def null_vectors(
    rows: Sequence[Sequence[int]], columns: int, block: Block, *, most: int | None = None
) -> tuple[tuple[int, ...], ...] | None:
    """One integer null vector for each column outside the block, zero at the others; None if the rank exceeds the block.

    Vector k is supported on the block's columns and the k-th other column, so the vectors are independent. most: how many
    of them, all by default.
    """
    used = set(block.columns)
    free = [j for j in range(columns) if j not in used][:most]
    if not free:
        return ()
    solved = solve([[rows[i][j] for j in block.columns] for i in block.rows], [[-rows[i][j] for j in free] for i in block.rows])
    if solved is None:
        return None
    numerators, denominator = solved
    vectors = []
    for position, own in enumerate(free):
        vector = [0] * columns
        vector[own] = denominator
        for a, j in enumerate(block.columns):
            vector[j] = numerators[a][position]
        common = math.gcd(*vector)
        vectors.append(tuple(value // common for value in vector))
    if rows:
        whole = fmpz_mat(len(rows), columns, [v for row in rows for v in row])
        stacked = fmpz_mat(columns, len(free), [vector[j] for j in range(columns) for vector in vectors])
        if not _is_zero(whole * stacked):
            return None
    return tuple(vectors)


def kernel_vectors(matrix: DyadicMatrix, *, most: int | None = None) -> tuple[tuple[int, ...], ...]:
    """Independent integer vectors of the kernel, as many as its dimension or `most`; see `null_vectors` for their form."""
    rows, columns = integer_rows(matrix), matrix.shape[1]
    attempts = (null_vectors(rows, columns, regular_block(matrix, prime), most=most) for prime in primes())
    return next(found for found in attempts if found is not None)


def _is_zero(matrix: fmpz_mat) -> bool:
    return bool(matrix == fmpz_mat(matrix.nrows(), matrix.ncols()))


def left_inverse_mod(block: Sequence[Sequence[int]], modulus: int) -> list[list[int]] | None:
    """L with L block = I modulo a prime below 2^64; None where the block is singular modulo it. Raises InvalidNumberError otherwise."""
    # FLINT ends the process where an elimination meets a pivot that is neither 0 nor a unit.
    if not 1 < modulus < 2**64 or not fmpz(modulus).is_prime():
        raise InvalidNumberError(f"{modulus} is not a prime below 2^64; use one of `primes()`")
    size = len(block)
    try:
        inverse = nmod_mat(size, size, [value % modulus for row in block for value in row], modulus).inv()
    except ZeroDivisionError:
        return None
    return [[int(inverse[i, j]) for j in range(size)] for i in range(size)]


def determinant(rows: Sequence[Sequence[int]]) -> int:
    """The determinant of a square integer matrix."""
    return int(fmpz_mat(len(rows), len(rows), [value for row in rows for value in row]).det())


def full_row_rank(matrix: DyadicMatrix, columns: np.ndarray) -> Rank | None:
    """Confirm that all rows are independent on the proposed columns (a float pivot choice); None if they are not mod a prime.

    The cheap way to a `Rank` where floats already know a regular block: one elimination mod a prime.
    """
    rows = matrix.shape[0]
    chosen = np.sort(columns)
    if residues(matrix.columns(chosen), PRIMES[0]).rank() != rows:
        return None
    return Rank(rows, PRIMES[0], mask_of(range(rows)), mask_of(chosen.tolist()), "rows")


def exact_rank(matrix: DyadicMatrix) -> Rank:
    """The rank over Q with its evidence: a block regular mod a prime, and why no larger one exists (C7)."""
    nonzero_rows = np.flatnonzero(matrix.nonzero_rows)
    nonzero_columns = int(matrix.nonzero_columns.sum())
    attempts = (_bounded_above(matrix, regular_block(matrix, prime), nonzero_rows, nonzero_columns) for prime in primes())
    return next(found for found in attempts if found is not None)


def _bounded_above(matrix: DyadicMatrix, block: Block, nonzero_rows: np.ndarray, nonzero_columns: int) -> Rank | None:
    rank = len(block.rows)
    row_mask, column_mask = mask_of(block.rows), mask_of(block.columns)
    if rank == len(nonzero_rows):
        return Rank(rank, block.modulus, row_mask, column_mask, "rows")
    if rank == nonzero_columns:
        return Rank(rank, block.modulus, row_mask, column_mask, "columns")
    rows = integer_rows(matrix)
    basis = set(block.rows)
    dependent = [int(i) for i in nonzero_rows if int(i) not in basis]
    multiples = _parallel(rows, block, dependent)
    if multiples is not None or len(dependent) <= nonzero_columns - rank:
        # A relation speaks of the rows themselves, an integer row is 2^-exponent times its row.
        found = multiples if multiples is not None else relations(rows, block, dependent)
        if found is None:
            return None
        exponents = [row_exponent(matrix, i) for i in range(matrix.shape[0])]
        return Rank(rank, block.modulus, row_mask, column_mask, "relations", tuple(_unscaled(one, exponents) for one in found))
    vectors = null_vectors(rows, matrix.shape[1], block)
    return None if vectors is None else Rank(rank, block.modulus, row_mask, column_mask, "null", (), vectors)


def row_exponent(matrix: DyadicMatrix, index: int) -> int:
    """e such that row `index` is 2^e times its integer row."""
    if matrix.integers is None:
        return matrix.integer_row(index)[1]
    lowest = min((value & -value for value in matrix.integers[index] if value), default=1)
    return matrix.exponent + lowest.bit_length() - 1


def _unscaled(relation: Relation, exponents: Sequence[int]) -> Relation:
    """Turn D r_i' = sum c_j r_j' for integer rows r' = r * 2^-e into the same statement for the rows r."""
    powers = [exponents[relation.row], *(exponents[j] for j, _ in relation.terms)]
    # D 2^-e_i r_i = sum c_j 2^-e_j r_j: multiply by 2^top.
    top = max(powers)
    denominator = relation.denominator << (top - powers[0])
    terms = [(j, value << (top - power)) for (j, value), power in zip(relation.terms, powers[1:], strict=True)]
    common = math.gcd(denominator, *(value for _, value in terms))
    return Relation(relation.row, denominator // common, tuple((j, value // common) for j, value in terms))
