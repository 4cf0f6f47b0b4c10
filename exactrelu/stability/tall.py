"""Singular values of a tall, well-conditioned matrix by way of its Gram matrix: a quarter of the work of a decomposition (theory S1).

A = 2^e (M + D), |D|_F <= d, and G = fl(M^T M) differs from M^T M by at most gamma |M|_F^2 in the Frobenius norm. The singular values of
M^T M, the squares of M's, are enclosed as those of any matrix with an error are; those of A / 2^e are at most d away from M's (Weyl).
Squares lose half of the digits: an error of delta becomes delta / (2 sigma). A matrix is taken this way only where that stays below 10^-8
sigma_max, and is refused otherwise.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.enclosed import UNDERFLOW, EnclosedMatrix, blocked_product, frobenius
from exactrelu.exact.rounding import UPWARDS
from exactrelu.exact.spectrum import Spectrum, enclosed_spectrum
from exactrelu.stability.answer import square_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from exactrelu.stability.device import Device

_ACCURACY = 1e-8
# So many power iterations estimate the extreme eigenvalues before all are computed.
_ITERATIONS = 4
_SEED = 0


def spectrum_of_tall(matrix: EnclosedMatrix, device: Device) -> tuple[Spectrum, np.ndarray, np.ndarray] | None:
    """(proved bounds, float singular values divided by the matrix's scale, right singular vectors (n, n)) of a matrix (m, n), m >= n.

    None where the matrix is too badly conditioned for its Gram matrix, as an estimate says before or the bounds say after.

    >>> from exactrelu.stability.device import Device
    >>> found = spectrum_of_tall(EnclosedMatrix(np.diag([1.0, 0.5])), Device.named("cpu"))
    >>> found is not None and found[0].lower[1] < 0.5 < found[0].upper[1], found[1].tolist()
    (True, [1.0, 0.5])
    >>> spectrum_of_tall(EnclosedMatrix(np.diag([1.0, 1e-9])), Device.named("cpu")) is None
    True
    """
    gram, rounding = blocked_product(matrix.floats.T, matrix.floats)
    error = rounding * frobenius(matrix.floats) ** 2 * UPWARDS + UNDERFLOW
    smallest, largest = _estimated(gram)
    if not error <= 2 * _ACCURACY * np.sqrt(smallest) * np.sqrt(largest):
        return None
    values, vectors = device.eigenvectors(gram)
    values = np.maximum(values, 0.0)
    squares = enclosed_spectrum(EnclosedMatrix(gram, 0, error), vectors, values, vectors.T)
    scale, own, zero = Fraction(2) ** matrix.exponent, Fraction(matrix.error), Fraction(0)
    bounds = Spectrum(
        tuple(max(square_root(lower)[0] - own, zero) * scale for lower in squares.lower),
        tuple((square_root(upper)[1] + own) * scale for upper in squares.upper),
    )
    limit = Fraction(2 * _ACCURACY) * bounds.upper[0]
    accurate = all(upper - lower <= limit for lower, upper in zip(bounds.lower, bounds.upper, strict=True))
    return (bounds, np.sqrt(values), vectors.T) if accurate and bounds.positive == len(values) else None


def _estimated(gram: np.ndarray) -> tuple[float, float]:
    """About the extreme eigenvalues, by power iterations; the smallest 0 where the matrix is not positive definite in floats."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    try:
        factor = cho_factor(gram, check_finite=False)
    except LinAlgError:
        return 0.0, 0.0
    start = np.random.default_rng(_SEED).standard_normal(len(gram))
    smallest = 1 / _growth(lambda v: cho_solve(factor, v, check_finite=False), start)
    return smallest, _growth(lambda v: gram @ v, start)


def _growth(apply: Callable[[np.ndarray], np.ndarray], vector: np.ndarray) -> float:
    for _ in range(_ITERATIONS):
        vector = apply(vector / np.linalg.norm(vector))
    return float(np.linalg.norm(vector))
