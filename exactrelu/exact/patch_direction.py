"""A direction of a large sparse layer's recession cone that moves few columns only, so that a certificate can hold it (theory P2).

A corner of an image is touched by few rows of a convolution. On such a patch of columns a float search projects a point onto
the cone {d : A_P d = 0, A_Z d <= 0}: what it finds lies on the cone's boundary, and says on which rows. With these rows as further
equations some entries of d are free and are rounded, the others are solved for exactly, and all rows are checked in integers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.linalg import solve
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.exact.sparse_evidence import scaled_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_COLUMNS = 2**11
_MOST_ROWS = 2**13
_MOST_STARTS = 8
# Of the longest number returned: a certificate's token has at most 2^16 hexadecimal digits.
_MOST_BITS = 2**18
_BITS_OF_FREE_ENTRIES = 48
# Proposals only: below these the floats' residuals count as zero.
_DEPENDENT = 1e-10
_VANISHING = 1e-9
_NO_DIRECTION = 1e-4


def patch_direction(matrix: SparseMatrix, equality: np.ndarray) -> tuple[int, ...] | None:
    """Integers d (n,), not all zero, with r.d = 0 on the rows of a boolean mask (m,) and r.d <= 0 on the other rows of an (m, n) matrix.

    None where the patches tried gave none, which proves nothing. Theory P2.

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> matrix = SparseMatrix.from_dense(DyadicMatrix.from_floats([[0.5, 1.0, 0.0], [0.0, 1.0, 1.0]]))
    >>> patch_direction(matrix, np.array([True, False]))
    (0, 0, -1)
    >>> patch_direction(SparseMatrix.from_dense(DyadicMatrix.from_floats([[1.0]])), np.array([True])) is None
    True
    """
    n = matrix.shape[1]
    if len(matrix.used_columns) < n:
        unused = np.setdiff1d(np.arange(n), matrix.used_columns)[0]
        return tuple(int(j == unused) for j in range(n))
    for patch in _patches(matrix, equality):
        found = patch.direction()
        if found is not None:
            direction = [0] * n
            for column, value in zip(patch.columns.tolist(), found, strict=True):
                direction[column] = value
            return tuple(direction)
    return None


@dataclass(frozen=True, eq=False)
class _Patch:
    """Columns of a matrix, and all rows with an entry there, on these columns: `part`, with a mask of its equality rows."""

    columns: np.ndarray
    part: SparseMatrix
    equality: np.ndarray

    @cached_property
    def _column_scale(self) -> np.ndarray:
        """Exponents: the largest entry of column j, in rows with a largest entry of about 1, is about 2^scale[j]."""
        sizes = np.abs(self._rows).max(axis=0)
        return np.asarray(np.frexp(sizes)[1])

    @cached_property
    def _rows(self) -> np.ndarray:
        rows = scaled_rows(self.part)
        return np.zeros((0, 0)) if rows is None else rows.toarray()

    def direction(self) -> list[int] | None:
        """An exact direction on the patch's columns."""
        if not self._rows.size:
            return None
        scaled = np.ldexp(self._rows, -self._column_scale)
        scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
        for direction, tight in _proposals(scaled, self.equality):
            found = self._exactly(scaled, direction, self.equality | tight)
            if found is not None:
                return found
        return None

    def _exactly(self, scaled: np.ndarray, direction: np.ndarray, equations: np.ndarray) -> list[int] | None:
        """The direction with its free entries rounded and the others solved for, where all rows are as they should be."""
        listed = np.flatnonzero(equations)
        listed = np.sort(listed[_pivots(scaled[listed].T)])
        basic = np.sort(_pivots(scaled[listed]))
        if len(basic) < len(listed):
            return None
        free = np.setdiff1d(np.arange(len(direction)), basic)
        largest = np.abs(direction[free]).max(initial=0.0)
        if not largest:
            return None
        rounded = [round(value) for value in np.ldexp(direction[free] / largest, _BITS_OF_FREE_ENTRIES).tolist()]
        rows = [self._integer_row(row) for row in listed.tolist()]
        right = [[-sum(row[j] * value for j, value in zip(free.tolist(), rounded, strict=True))] for row in rows]
        solved = solve([[row[j] for j in basic.tolist()] for row in rows], right)
        if solved is None:
            return None
        numerators, denominator = solved
        result = [0] * len(direction)
        for j, value in zip(free.tolist(), rounded, strict=True):
            result[j] = value * denominator
        for j, (value,) in zip(basic.tolist(), numerators, strict=True):
            result[j] = value
        highest = int(self._column_scale.max())
        result = [value << (highest - scale) for value, scale in zip(result, self._column_scale.tolist(), strict=True)]
        divisor = math.gcd(*result)
        result = [value // divisor for value in result] if divisor else result
        return result if self._is_direction(result) else None

    def _integer_row(self, row: int) -> list[int]:
        """A positive multiple of a row whose columns are scaled."""
        columns, integers, _ = self.part.integer_row(row)
        scales = self._column_scale[columns]
        shifts = (scales.max() - scales).tolist()
        result = [0] * self.part.shape[1]
        for column, value, shift in zip(columns, integers, shifts, strict=True):
            result[column] = value << shift
        divisor = math.gcd(*result)
        return [value // divisor for value in result]

    def _is_direction(self, direction: list[int]) -> bool:
        if not any(direction) or max(value.bit_length() for value in direction) > _MOST_BITS:
            return False
        products, _ = self.part.times(direction)
        return all(value == 0 or (value < 0 and not equal) for value, equal in zip(products, self.equality.tolist(), strict=True))


def _patches(matrix: SparseMatrix, equality: np.ndarray) -> Iterator[_Patch]:
    """Growing sets of columns whose rows are few, around columns with few rows; every column has an entry."""
    from scipy.sparse import csr_array

    m, n = matrix.shape
    pattern = csr_array((np.ones(matrix.entries, dtype=np.int8), matrix.columns, matrix.starts), shape=(m, n))
    by_column = pattern.T.tocsr()
    degree = np.diff(by_column.indptr)
    equalities = np.bincount(matrix.columns[np.repeat(equality, np.diff(matrix.starts))], minlength=n)
    reached: dict[bytes, np.ndarray] = {}
    for column in np.lexsort((equalities, degree)).tolist():
        rows = by_column.indices[by_column.indptr[column] : by_column.indptr[column + 1]]
        reached.setdefault(rows.tobytes(), np.sort(rows))
        if len(reached) == _MOST_STARTS:
            break
    growing = list(reached.values())
    while growing:
        larger = []
        for rows in growing:
            counts = np.bincount(pattern[rows].indices, minlength=n)
            columns = np.flatnonzero(counts == degree)
            if len(columns) > _MOST_COLUMNS or len(rows) > _MOST_ROWS:
                continue
            if len(columns):
                yield _patch(matrix, equality, columns, rows)
            beside = np.unique(by_column[np.flatnonzero(counts)].indices)
            if len(beside) > len(rows):
                larger.append(beside)
        growing = larger


def _patch(matrix: SparseMatrix, equality: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> _Patch:
    """The patch of some columns, none of which has an entry outside the rows."""
    around = matrix.rows(rows)
    kept = np.isin(around.columns, columns)
    counts = np.bincount(around.row_numbers()[kept], minlength=len(rows))
    touched = counts > 0
    starts = np.concatenate([[0], np.cumsum(counts[touched])]).astype(np.int64)
    places = np.searchsorted(columns, around.columns[kept]).astype(np.int32)
    integers = None if around.integers is None else around.integers[kept]
    shape = (int(touched.sum()), len(columns))
    part = SparseMatrix(shape, starts, places, around.floats[kept], integers, around.exponent)
    return _Patch(columns, part, equality[rows][touched])


def _pivots(rows: np.ndarray) -> np.ndarray:
    """Columns that look like a basis of the column space."""
    from scipy.linalg import qr

    if not rows.size:
        return np.zeros(0, dtype=np.int64)
    upper, order = qr(rows, mode="r", pivoting=True, check_finite=False)
    sizes = np.abs(np.diag(upper))
    return np.asarray(order[: int((sizes > _DEPENDENT * sizes[0]).sum())])


def _kernel(rows: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the kernel, as columns."""
    from scipy.linalg import qr

    if not len(rows):
        return np.eye(rows.shape[1])
    basis, upper, _ = qr(rows.T, pivoting=True, check_finite=False)
    sizes = np.abs(np.diag(upper))
    return np.asarray(basis[:, int((sizes > _DEPENDENT * sizes[0]).sum()) :])


def _proposals(rows: np.ndarray, equality: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Directions of the cone, and masks of the inequality rows that are 0 on them, in floats; rows of length 1."""
    from scipy.optimize import nnls

    kernel = _kernel(rows[equality])
    if not kernel.shape[1]:
        return
    others = np.flatnonzero(~equality)
    wanted = rows[others] @ kernel
    lengths = np.linalg.norm(wanted, axis=1)
    others, wanted = others[lengths > _VANISHING], wanted[lengths > _VANISHING]
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    # A cone without a strict ray may be orthogonal to the rows' sum, but not to a random vector as well.
    for target in (-wanted.sum(axis=0), np.random.default_rng(0).standard_normal(kernel.shape[1])):
        size = np.linalg.norm(target)
        if not size:
            continue
        # The residual of non-negative least squares is the projection onto the polar cone (Moreau), {u : wanted u <= 0}.
        multipliers = np.zeros(len(wanted))
        if len(wanted):
            try:
                multipliers = nnls(wanted.T, target / size)[0]
            except RuntimeError:
                continue
        found = target / size - wanted.T @ multipliers
        if np.linalg.norm(found) < _NO_DIRECTION:
            continue
        binding, slack = multipliers > 0, -(wanted @ found)
        for chosen in (binding | (slack < _VANISHING), binding):
            tight = np.zeros(len(rows), dtype=bool)
            tight[others[chosen]] = True
            yield kernel @ found, tight
