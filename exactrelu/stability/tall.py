"""Singular values of a tall matrix by way of Gram matrices: a third of the work of a decomposition (theory S1).

A = 2^e (M + D), |D|_F <= d, and G = fl(M^T M) differs from M^T M by at most gamma |M|_F^2 in the Frobenius norm. The singular values of
M^T M, the squares of M's, are enclosed as those of any matrix with an error are; those of A / 2^e are at most d away from M's (Weyl).
Squares lose half of the digits: an error of delta becomes delta / (2 sigma). A matrix is taken this way only where that stays below 10^-8
sigma_max.

Of a matrix with smaller singular values Gram matrices still propose a decomposition M = U diag(s) V^T, in stages. The eigenvectors V of G
make M V nearly orthogonal where sigma is not small beside sigma_max, and U is M V, divided by its lengths. What is left, the images of
the other eigenvectors without what lies along that U, is small as a whole, and decomposed in the same way. The proposal is then enclosed
as any other. Below 10^-7 sigma_max rounding leaves too little of G, and the matrix is refused.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.enclosed import UNDERFLOW, EnclosedMatrix, frobenius, gram_product
from exactrelu.exact.rounding import UPWARDS
from exactrelu.exact.spectrum import Spectrum, enclosed_spectrum
from exactrelu.stability.answer import square_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from exactrelu.stability.device import Device, Factors

_ACCURACY, _SMALLEST = 1e-8, 1e-7
# In one stage singular values down to this part of the largest are settled; what has fewer columns is decomposed at once.
_STAGE, _FEWEST = 1e-3, 64
# So many power iterations estimate the extreme eigenvalues before all are computed.
_ITERATIONS = 4
_SEED = 0


def spectrum_of_tall(matrix: EnclosedMatrix, device: Device) -> tuple[Spectrum, np.ndarray, np.ndarray] | None:
    """(proved bounds, float singular values divided by the matrix's scale, right singular vectors (n, n)) of a matrix (m, n), m >= n.

    None where the matrix is too badly conditioned for Gram matrices, as an estimate says before or the bounds say after.

    >>> from exactrelu.stability.device import Device
    >>> found = spectrum_of_tall(EnclosedMatrix(np.diag([1.0, 0.5])), Device.named("cpu"))
    >>> found is not None and found[0].lower[1] < 0.5 < found[0].upper[1], found[1].tolist()
    (True, [1.0, 0.5])
    >>> spectrum_of_tall(EnclosedMatrix(np.diag([1.0, 1e-9])), Device.named("cpu")) is None
    True
    """
    gram, rounding = gram_product(matrix.floats)
    error = rounding * frobenius(matrix.floats) ** 2 * UPWARDS + UNDERFLOW
    smallest, largest = (float(np.sqrt(value)) for value in _estimated(gram))
    if error <= 2 * _ACCURACY * smallest * largest:
        found = _by_squares(matrix, gram, error, device)
    elif smallest >= _SMALLEST * largest > 0:
        u, s, vt = _in_stages(matrix.dense().floats, gram, device)
        found = enclosed_spectrum(matrix, u, s, vt), s, vt
    else:
        return None
    bounds, limit = found[0], Fraction(2) ** matrix.exponent * (Fraction(matrix.error) + Fraction(_ACCURACY * largest)) * 2
    accurate = all(upper - lower <= limit for lower, upper in zip(bounds.lower, bounds.upper, strict=True))
    return found if accurate else None


def _by_squares(matrix: EnclosedMatrix, gram: np.ndarray, error: float, device: Device) -> tuple[Spectrum, np.ndarray, np.ndarray]:
    values, vectors = device.eigenvectors(gram)
    values = np.maximum(values, 0.0)
    squares = enclosed_spectrum(EnclosedMatrix(gram, 0, error), None, values, vectors.T)
    scale, own, zero = Fraction(2) ** matrix.exponent, Fraction(matrix.error), Fraction(0)
    bounds = Spectrum(
        tuple(max(square_root(lower)[0] - own, zero) * scale for lower in squares.lower),
        tuple((square_root(upper)[1] + own) * scale for upper in squares.upper),
    )
    return bounds, np.sqrt(values), vectors.T


def _in_stages(matrix: np.ndarray, gram: np.ndarray, device: Device) -> Factors:
    """About (U, s, V^T) of a matrix (m, n), given M^T M."""
    _, vectors = device.eigenvectors(gram)
    images = matrix @ vectors
    lengths = np.linalg.norm(images, axis=0)
    settled = max(1, int((lengths >= _STAGE * lengths[0]).argmin() or len(lengths)))
    u, rest = images[:, :settled], images[:, settled:]
    u /= lengths[:settled]
    if settled < len(lengths):
        left = rest - u @ (u.T @ rest)
        few = left.shape[1] < _FEWEST
        rest[:], lengths[settled:], turned = device.decomposition(left) if few else _in_stages(left, gram_product(left)[0], device)
        vectors[:, settled:] = vectors[:, settled:] @ turned.T
    return images, lengths, vectors.T


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
