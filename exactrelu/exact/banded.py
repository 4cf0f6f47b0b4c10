"""The extreme eigenvalues of a sparse symmetric matrix, bounded by Cholesky factorisations within a band (theory S1, S2).

The Gram matrix of early convolutions couples inputs that are close to one another: with its rows in a good order (reverse Cuthill-McKee)
all of its entries lie within w of the diagonal, and a factorisation needs w numbers a row. Let T, t = max T_ii, be of size k, and let the
factorisation in float64 run to its end. Then R^T R = T + D for the computed R, and in every entry |D_ij| <= g sqrt(T_ii T_jj) <= g t with
g = gamma_{w+2} / (1 - gamma_{w+2}), since a sum has at most w + 1 terms (Demmel; Higham, theorem 10.5). D has entries within the band
alone, at most 2w + 1 a row, so that no eigenvalue of T is below -min(k, 2w + 1) g t. Of T = fl(G - s I) every diagonal entry is off by u
of its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.exact.rounding import UPWARDS, float_arithmetic_is_sound, gamma

if TYPE_CHECKING:
    from collections.abc import Callable

# So many iterations propose an extreme eigenvalue.
_ITERATIONS = 40
# A bound of a norm is not worth more.
_MOST_BYTES = 2**29
_SEED = 0
_UNDERFLOW = 2.0**-900


@dataclass(frozen=True, eq=False)
class BandedMatrix:
    """A symmetric matrix G (k, k): G[order][:, order] has its lower diagonals as rows of `diagonals` (w + 1, k), entries of at most 2^400.

    >>> from scipy.sparse import csr_array
    >>> matrix = BandedMatrix.of(csr_array(np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [1.0, 0.0, 2.0]])))
    >>> matrix.width, matrix.at_least(0.999), matrix.at_least(1.001), matrix.at_most(3.001), matrix.at_most(2.999)
    (1, True, False, True, False)
    """

    order: np.ndarray
    diagonals: np.ndarray

    @staticmethod
    def of(matrix: Any, *, most_bytes: int = 2**32) -> BandedMatrix | None:
        """A sparse symmetric matrix in an order that makes its band narrow; None where the band needs more memory."""
        from scipy.sparse.csgraph import reverse_cuthill_mckee

        order = np.asarray(reverse_cuthill_mckee(matrix.tocsr(), symmetric_mode=True))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        entries = matrix.tocoo()
        rows, columns = place[entries.row], place[entries.col]
        below = rows >= columns
        rows, columns, values = rows[below], columns[below], entries.data[below]
        width = int((rows - columns).max(initial=0))
        # The band, and the one that is factorised.
        if 2 * 8 * (width + 1) * len(order) > most_bytes:
            return None
        diagonals = np.zeros((width + 1, len(order)), order="F")
        diagonals[rows - columns, columns] = values
        return BandedMatrix(order, diagonals)

    @property
    def width(self) -> int:
        return len(self.diagonals) - 1

    def at_least(self, least: float) -> bool:
        """Whether it is proved that no eigenvalue is below `least` >= 0; False says nothing."""
        slack = self._slack(least)
        return self._is_factorised(1.0, -(least + slack) * UPWARDS)

    def at_most(self, most: float) -> bool:
        """Whether it is proved that no eigenvalue is above `most` > 0; False says nothing."""
        shift = (most - self._slack(most)) / UPWARDS
        return self._is_factorised(-1.0, shift)

    def smallest(self) -> tuple[float, np.ndarray] | None:
        """About the smallest eigenvalue and its vector (k,), proposed by inverse iteration; None where floats do not tell it from 0."""
        from scipy.linalg import LinAlgError, cho_solve_banded, cholesky_banded

        try:
            factor = cholesky_banded(self.diagonals, lower=True, check_finite=False)
        except LinAlgError:
            return None
        return _inverse_iteration(lambda v: cho_solve_banded((factor, True), v, check_finite=False), self.order)

    def _slack(self, shift: float) -> float:
        """More than what rounding T and factorising it can hide."""
        largest = float(np.abs(self.diagonals[0]).max(initial=0.0)) + shift
        entries = min(len(self.order), 2 * self.width + 1)
        return (2 * entries * gamma(self.width + 4) + gamma(4)) * largest * UPWARDS + _UNDERFLOW

    def _is_factorised(self, sign: float, shift: float) -> bool:
        """Whether the Cholesky factorisation of fl(sign G + shift I) runs to its end."""
        from scipy.linalg import LinAlgError, cholesky_banded

        if not float_arithmetic_is_sound():
            return False
        shifted = sign * self.diagonals
        shifted[0] += shift
        try:
            factor = cholesky_banded(shifted, overwrite_ab=True, lower=True, check_finite=False)
        except LinAlgError:
            return False
        return bool(np.isfinite(factor).all())


def largest_eigenvalue(matrix: Any) -> float:
    """An upper bound of the eigenvalues of a symmetric sparse matrix without negative ones, close to the largest where its band is narrow.

    >>> from scipy.sparse import csr_array
    >>> 3 <= largest_eigenvalue(csr_array(np.array([[2.0, 1.0], [1.0, 2.0]]))) < 3.1
    True
    """
    row_sums = float(abs(matrix).sum(axis=1).max()) * UPWARDS + _UNDERFLOW
    band = BandedMatrix.of(matrix, most_bytes=_MOST_BYTES)
    if band is None or not np.isfinite(row_sums):
        return row_sums
    vector, value = np.random.default_rng(_SEED).standard_normal(len(band.order)), 0.0
    for _ in range(_ITERATIONS):
        vector = matrix @ vector
        value = float(np.linalg.norm(vector))
        vector /= value or 1.0
    return next((value * margin for margin in (1.02, 1.2) if value * margin < row_sums and band.at_most(value * margin)), row_sums)


def _inverse_iteration(solve: Callable[[np.ndarray], np.ndarray], order: np.ndarray) -> tuple[float, np.ndarray] | None:
    vector, length = np.random.default_rng(_SEED).standard_normal(len(order)), 0.0
    for _ in range(_ITERATIONS):
        vector = solve(vector / np.linalg.norm(vector))
        length = float(np.linalg.norm(vector))
        if not 0 < length < np.inf:
            return None
    found = np.empty_like(vector)
    found[order] = vector / length
    return 1 / length, found
