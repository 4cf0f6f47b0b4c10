"""Ranks of large sparse matrices modulo a prime: elimination along a front, in float64 products of integers that stay exact.

Rows come in an order in which a column's rows lie close together. A column all of whose rows have come is eliminated, and is
never looked at again; only the *front*, the rows and columns between, is ever dense. A convolution's front is two lines of
its image wide, so that 16384 rows take seconds. The rank modulo a prime is a lower bound of the rank over Q (theory C7).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from flint import nmod_mat

from exactrelu.exact.linalg import Block
from exactrelu.exact.rational import odd_parts
from exactrelu.exact.rounding import float_arithmetic_is_sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

    from exactrelu.exact.sparse import SparseMatrix

# The two largest primes below 2^21; a regular matrix is singular modulo one of them about once in two million.
PRIMES = (2**21 - 9, 2**21 - 19)

_ROWS_AT_A_TIME = 256
# Columns are eliminated in panels of 256, their pivots found in panels of 16, the pivots of these one by one.
_PANELS = (256, 16)
_LARGEST_FRONT = 2**26


def residues(matrix: SparseMatrix, prime: int) -> csr_array:
    """The entries modulo a prime p < 2^21, centred: (m, n) with float64 integers of at most p / 2 in size.

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> from exactrelu.exact.sparse import SparseMatrix
    >>> residues(SparseMatrix.from_dense(DyadicMatrix.from_floats([[0.5, 0.0, 8.0]])), 7).toarray()
    array([[-3.,  0.,  1.]])
    """
    from scipy.sparse import csr_array

    if matrix.integers is not None:
        values = np.array([value % prime for value in matrix.integers.tolist()], dtype=np.int64) * pow(2, matrix.exponent, prime)
    else:
        odd, exponents = odd_parts(matrix.floats)
        lowest = int(exponents.min(initial=0))
        powers = np.array([pow(2, e, prime) for e in range(lowest, int(exponents.max(initial=0)) + 1)], dtype=np.int64)
        values = (odd % prime) * powers[exponents - lowest]
    values %= prime
    values[values > prime // 2] -= prime
    return csr_array((values.astype(np.float64), matrix.columns, matrix.starts), shape=matrix.shape)


@dataclass(frozen=True, eq=False)
class SparseRanks:
    """Ranks of a sparse matrix and of its submatrices; what they share is computed once.

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> from exactrelu.exact.sparse import SparseMatrix
    >>> ranks = SparseRanks(SparseMatrix.from_dense(DyadicMatrix.from_floats([[1.0, 2.0], [2.0, 4.0], [0.0, 1.0]])))
    >>> ranks.block(np.arange(3)).rows, ranks.block(np.arange(2)).rows
    ((0, 2), (0,))
    """

    matrix: SparseMatrix

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each row and each column stands in an order (Cuthill, McKee) that keeps those with common entries together."""
        from scipy.sparse import block_array, csr_array
        from scipy.sparse.csgraph import reverse_cuthill_mckee

        m, n = self.matrix.shape
        pattern = csr_array((np.ones(self.matrix.entries, dtype=np.int8), self.matrix.columns, self.matrix.starts), shape=(m, n))
        order = reverse_cuthill_mckee(block_array([[None, pattern], [pattern.T, None]], format="csr"), symmetric_mode=True)
        places = np.empty(m + n, dtype=np.int64)
        places[order[::-1]] = np.arange(m + n)
        return places[:m], places[m:]

    @cached_property
    def _residues(self) -> dict[int, csr_array]:
        return {}

    def block(
        self, rows: np.ndarray, columns: np.ndarray | None = None, *, prime: int = PRIMES[0], deadline: float | None = None
    ) -> Block | None:
        """Rows and columns of a block of the submatrix that is regular modulo `prime`, as large as the rank modulo it.

        rows, columns: indices, all columns by default. The block's indices are those of the matrix itself. None where the front
        would exceed 2^26 numbers, or after `deadline`, a time of `time.monotonic()`.
        """
        if prime not in self._residues:
            self._residues[prime] = residues(self.matrix, prime)
        chosen = np.arange(self.matrix.shape[1]) if columns is None else columns
        if not (len(rows) and len(chosen) and self.matrix.entries):
            return Block((), (), prime)
        by_row, by_column = self._places
        rows, chosen = rows[np.argsort(by_row[rows])], chosen[np.argsort(by_column[chosen])]
        part = self._residues[prime][rows][:, chosen]
        if len(rows) <= len(chosen):
            found = _pivots(part, prime, deadline)
        else:
            transposed = _pivots(part.T.tocsr(), prime, deadline)
            found = None if transposed is None else transposed[::-1]
        if found is None:
            return None
        return Block(tuple(np.sort(rows[found[0]]).tolist()), tuple(np.sort(chosen[found[1]]).tolist()), prime)


def _pivots(part: csr_array, prime: int, deadline: float | None) -> tuple[np.ndarray, np.ndarray] | None:
    """The rows and columns of a regular block as large as the rank of residues (m, n), m <= n."""
    m, n = part.shape
    field = _Field(prime, exact_floats=float_arithmetic_is_sound())
    of_entry = np.repeat(np.arange(m), np.diff(part.indptr))
    last = np.full(n, -1)
    np.maximum.at(last, part.indices, of_entry)
    place = np.empty(n, dtype=np.int64)
    front, pending, columns = field.zeros((0, 0)), np.arange(0), np.arange(0)
    pivot_rows, pivot_columns = [np.arange(0)], [np.arange(0)]
    for begin in range(0, m, _ROWS_AT_A_TIME):
        end = min(begin + _ROWS_AT_A_TIME, m)
        entries = slice(part.indptr[begin], part.indptr[end])
        active = np.union1d(columns, part.indices[entries])
        finished = last[active] < end
        active = np.concatenate([active[finished], active[~finished]])
        place[active] = np.arange(len(active))
        count = len(pending)
        if (deadline is not None and time.monotonic() > deadline) or (count + end - begin) * len(active) > _LARGEST_FRONT:
            return None
        grown = field.zeros((count + end - begin, len(active)))
        grown[:count, place[columns]] = front
        grown[of_entry[entries] - begin + count, place[part.indices[entries]]] = part.data[entries]
        pending = np.concatenate([pending, np.arange(begin, end)])
        front, left, rows, chosen = field.eliminate(grown, int(finished.sum()), _PANELS)
        pivot_rows.append(pending[rows])
        pivot_columns.append(active[chosen])
        # A row that has become zero depends on the pivot rows.
        kept = front.any(axis=1)
        front, pending, columns = front[kept], pending[left[kept]], active[finished.sum() :]
    return np.concatenate(pivot_rows), np.concatenate(pivot_columns)


class _Field:
    """Matrices over the integers modulo a prime p < 2^21, held as integers of at most p / 2 + 1 in size.

    A product of such matrices with k <= 2^10 terms a sum, and one more number, stay below 2^52: float64 holds them exactly, however
    the sum is arranged. Where the process's float arithmetic is not what it should be, the same is done in int64.
    """

    def __init__(self, prime: int, *, exact_floats: bool) -> None:
        self._prime = prime
        self._dtype = np.float64 if exact_floats else np.int64

    def zeros(self, shape: tuple[int, int]) -> np.ndarray:
        return np.zeros(shape, dtype=self._dtype)

    def _reduce(self, values: np.ndarray) -> None:
        """Bring integers below 2^52 in size into the range, in place."""
        # values / p is off by less than 2^-20 from the computed quotient: the remainder is at most p / 2 + 1 in size, and exact.
        if values.dtype == np.int64:
            values -= self._prime * ((values + self._prime // 2) // self._prime)
            return
        quotients = values * (1.0 / self._prime)
        np.rint(quotients, out=quotients)
        quotients *= self._prime
        values -= quotients

    def _inverse(self, block: np.ndarray) -> np.ndarray:
        size, prime = len(block), self._prime
        listed = (block.astype(np.int64) % prime).ravel().tolist()
        inverse = np.array([int(value) for value in nmod_mat(size, size, listed, prime).inv().entries()]).reshape(size, size)
        return np.asarray(inverse - prime * (inverse > prime // 2), dtype=self._dtype)

    def eliminate(self, front: np.ndarray, count: int, panels: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Eliminate the first `count` columns: (what is left of the other rows and columns, these rows, pivot rows, pivot columns)."""
        left = np.arange(len(front))
        rows, columns = [np.arange(0)], [np.arange(0)]
        for begin in range(0, count, panels[0]):
            width = min(panels[0], count - begin)
            panel, front = front[:, :width], front[:, width:]
            if len(panels) > 1:
                _, _, picked, chosen = self.eliminate(panel, width, panels[1:])
            else:
                picked, chosen = self._panel_pivots(panel.copy())
            if not len(picked):
                continue
            others = np.delete(np.arange(len(panel)), picked)
            # The block of the pivots is regular: subtracting X K^-1 times the pivot rows clears their columns.
            factors = panel[np.ix_(others, chosen)] @ self._inverse(panel[np.ix_(picked, chosen)])
            self._reduce(factors)
            rest = front[others]
            rest -= factors @ front[picked]
            self._reduce(rest)
            front = rest
            rows.append(left[picked])
            columns.append(begin + chosen)
            left = left[others]
        return front, left, np.concatenate(rows), np.concatenate(columns)

    def _panel_pivots(self, panel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of a regular block as large as the panel's rank, column by column; the panel is used up."""
        rows, columns = [], []
        for column in range(panel.shape[1]):
            nonzero = np.flatnonzero(panel[:, column])
            if not len(nonzero):
                continue
            row = nonzero[0]
            factors = panel[nonzero, column] * pow(int(panel[row, column]), -1, self._prime)
            self._reduce(factors)
            # The pivot row, too, becomes zero, and is not found again.
            changed = panel[nonzero, column:]
            changed -= np.outer(factors, panel[row, column:])
            self._reduce(changed)
            panel[nonzero, column:] = changed
            rows.append(row)
            columns.append(column)
        return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)
