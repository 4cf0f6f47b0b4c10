"""Float elimination: the kernel of a matrix in coordinates, and rows or columns that look independent. It proposes only."""

from __future__ import annotations

import numpy as np
from scipy import linalg as scipy_linalg
from scipy.linalg import blas, lapack


class Kernel:
    """The kernel of a (p, n) matrix in coordinates: d[pivots] = -coupling.T @ d[others] (elimination, no orthogonal basis)."""

    def __init__(self, matrix: np.ndarray) -> None:
        rows, columns = matrix.shape
        self.columns = columns
        self.basis = np.arange(rows)
        order = np.arange(columns)
        if rows == 0:
            self.pivots, self.others = order[:0], order
            self.coupling, self._factor = np.zeros((columns, 0)), np.zeros((0, 0))
            return
        factor, swaps = _eliminate(matrix)
        diagonal = np.abs(np.diagonal(factor))
        if rows > columns or not diagonal.min() > 1e-9 * diagonal.max():
            self.basis = _independent_rows(matrix)
            factor, swaps = _eliminate(matrix[self.basis])
        rank = len(self.basis)
        for i, swap in enumerate(swaps):
            order[i], order[swap] = order[swap], order[i]
        self.pivots, self.others = order[:rank], order[rank:]
        self._factor = factor[:rank]
        if rank and rank < columns:
            self.coupling = blas.dtrsm(1.0, factor[:rank], factor[rank:], side=1, lower=1, diag=1)
        else:
            self.coupling = np.zeros((columns - rank, rank))

    @property
    def dimension(self) -> int:
        return len(self.others)

    def full(self, u: np.ndarray) -> np.ndarray:
        """The vector d of the kernel with coordinates u."""
        d = np.empty(self.columns)
        d[self.others] = u
        d[self.pivots] = -(u @ self.coupling)
        return d

    def restrict(self, row: np.ndarray) -> np.ndarray:
        """A row r as a functional on coordinates: r.full(u) = restrict(r).u."""
        return np.asarray(row[self.others] - self.coupling @ row[self.pivots])

    def multipliers(self, row: np.ndarray) -> np.ndarray:
        """Multipliers of the basis rows whose combination agrees with `row` on the pivot columns."""
        if len(self.pivots) == 0:
            return np.zeros(0)
        half = scipy_linalg.solve_triangular(self._factor, row[self.pivots], lower=True, unit_diagonal=True, check_finite=False)
        return np.asarray(scipy_linalg.solve_triangular(self._factor, half, lower=False, check_finite=False))


def _eliminate(matrix: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """LU factors of the transpose with row swaps; LAPACK takes no empty matrices."""
    if matrix.size == 0:
        return np.zeros(matrix.T.shape), []
    factor, swaps, _ = lapack.dgetrf(np.asfortranarray(matrix.T))
    return factor, swaps.tolist()


def pivot_rows(matrix: np.ndarray) -> np.ndarray | None:
    """As many rows as there are columns, by elimination with row pivoting; None if they look dependent."""
    count, size = matrix.shape
    if count < size:
        return None
    if size == 0:
        return np.arange(0)
    factor, swaps, failed = lapack.dgetrf(np.asfortranarray(matrix))
    diagonal = np.abs(np.diagonal(factor))
    if failed or not np.isfinite(diagonal).all() or diagonal.min() < 1e-10 * diagonal.max():
        return None
    order = np.arange(count)
    for i, swap in enumerate(swaps.tolist()):
        order[i], order[swap] = order[swap], order[i]
    return order[:size]


def _independent_rows(matrix: np.ndarray) -> np.ndarray:
    """Rows that look independent in floats, by pivoted QR."""
    if matrix.size == 0:
        return np.arange(0)
    triangular, order = scipy_linalg.qr(matrix.T, mode="r", pivoting=True, check_finite=False)
    diagonal = np.abs(np.diagonal(triangular))
    rank = int((diagonal > 1e-9 * max(diagonal.max(initial=0.0), 1e-300)).sum())
    return np.sort(order[:rank])
