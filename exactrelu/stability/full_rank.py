"""The ends of the spectrum of a large sparse linearisation of full rank, proved by factorisations of its Gram matrix (theory S1, S2).

After a few convolutions an output depends on few inputs. Then the matrix A = 2^e (M + D), |D|_F <= d, fits in memory as a sparse one, and
so does a factorisation of its Gram matrix G within a band, where singular vectors would not. Columns of zeros are left out, and of M^T M
and M M^T the smaller is taken, of size k. Proved is lambda_min(G) >= q and lambda_max(G) <= t (`exact/banded.py`). G is computed within
gamma | |M| |^2 in the spectral norm, and singular values of M and A / 2^e are at most d apart (Weyl):

    sigma_k >= 2^e (sqrt(q - gamma | |M| |^2) - d),   sigma_max <= 2^e (sqrt(t + gamma | |M| |^2) + d).

Where the first is positive the rank is k at least, and sigma_k <= 2^e (|M v| / |v| + d) for any v that is 0 where the columns of M are
(|M^T u| / |u| for a wide matrix). Squares lose half of the digits: what is below some 10^-5 sigma_max is not proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.exact.banded import BandedMatrix
from exactrelu.exact.enclosed import UNDERFLOW, EnclosedMatrix, Factor, frobenius
from exactrelu.exact.rounding import UPWARDS, gamma
from exactrelu.stability.answer import square_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.stability.linearisation import Step

_DOWNWARDS = 1 - 2.0**-29
# How much further out than the eigenvalues proposed the bounds are tried.
_MARGINS = (1e-6, 1e-3, 0.05, 0.5)
# From so many rows the size of a product is estimated. An entry of a sparse matrix takes so many bytes, and three matrices are held.
_SAMPLED, _ENTRY = 64, 36


@dataclass(frozen=True)
class Ends:
    """sigma_k, k the `count`, is in `last`, and positive, so that k is at most the rank; sigma_max <= `upper`. None: not proved."""

    count: int
    last: tuple[Fraction, Fraction] | None
    upper: Fraction | None


def ends(matrix: EnclosedMatrix, largest: Fraction, *, most_bytes: int = 2**32) -> Ends | None:
    """What is proved of the ends of the spectrum of a sparse matrix (m, n), `largest` being about sigma_max; None where memory ends.

    >>> from scipy.sparse import csr_array
    >>> found = ends(EnclosedMatrix(csr_array(np.diag([1.0, 0.5, 0.0]))), Fraction(1))
    >>> found.count, [round(float(value), 5) for value in (*found.last, found.upper)]
    (2, [0.5, 0.5, 1.0])
    """
    from scipy.sparse import csr_array

    whole = csr_array(matrix.floats)
    part = Factor(whole[:, np.flatnonzero(np.bincount(whole.indices, minlength=whole.shape[1]))], matrix.exponent, matrix.error)
    if part.floats.shape[0] < part.floats.shape[1]:
        part = part.transposed
    size = part.floats.shape[1]
    turned = part.transposed.floats
    if not size or not fits(turned, part.floats, most_bytes):
        return None
    terms = int(np.diff(turned.indptr).max())
    error = gamma(terms + 1) * part.magnitude**2 * UPWARDS + UNDERFLOW
    band = BandedMatrix.of(turned @ part.floats, most_bytes=most_bytes)
    if band is None:
        return None
    scale = Fraction(2) ** matrix.exponent
    guess = float(largest / scale) ** 2
    tops = (guess * (1 + margin) for margin in _MARGINS)
    top = next((value for value in tops if value > 0 and band.at_most(value)), None)
    upper = None if top is None else (square_root(Fraction(top) + Fraction(error))[1] + Fraction(matrix.error)) * scale
    proposed = band.smallest()
    if proposed is None:
        return Ends(size, None, upper)
    value, vector = proposed
    bottoms = (value * (1 - margin) for margin in _MARGINS)
    least = Fraction(next((value for value in bottoms if band.at_least(value)), 0.0)) - Fraction(error)
    lower = square_root(max(least, Fraction(0)))[0] - Fraction(matrix.error)
    return Ends(size, (lower * scale, _stretched(part, vector)) if lower > 0 else None, upper)


def _stretched(factor: Factor, vector: np.ndarray) -> Fraction:
    """An upper bound of 2^e (|M v| / |v| + d)."""
    image = factor.times(EnclosedMatrix(vector[:, None]))
    length = Fraction(frobenius(image.floats)) + Fraction(image.error)
    return length * Fraction(2) ** image.exponent / Fraction(frobenius(vector[:, None]) * _DOWNWARDS)


def sparse_matrices(steps: Sequence[Step], masks: Sequence[np.ndarray], *, most_bytes: int = 2**32) -> Iterator[EnclosedMatrix | None]:
    """The active rows of the linearisation through each step in its turn, while they fit in memory as sparse matrices."""
    matrix: EnclosedMatrix | None = None
    for place, (step, mask) in enumerate(zip(steps, masks, strict=True)):
        if place == 0:
            matrix = step.factor.enclosed()
        elif matrix is not None:
            columns = masks[place - 1]
            left = step.factor.floats if step.factor.is_dense else step.factor.floats[:, columns]
            matrix = step.factor.times(matrix, columns) if fits(left, matrix.floats, most_bytes) else None
        matrix = None if matrix is None else matrix.rows(mask)
        yield matrix


def fits(left: Any, right: Any, most_bytes: int) -> bool:
    """Whether a product of two matrices fits in memory, as far as some of its rows tell."""
    rows = left.shape[0]
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        # Both factors become arrays.
        return bool(8 * (2 * rows + right.shape[0]) * right.shape[1] <= most_bytes)
    sampled = np.unique(np.linspace(0, max(rows - 1, 0), min(rows, _SAMPLED)).astype(np.int64))
    entries = (left[sampled] @ right).nnz if rows else 0
    return bool(_ENTRY * entries * rows <= most_bytes * max(len(sampled), 1))
