"""Proved bounds for float64 arithmetic, and the probe without which no proof may use them.

u = 2^-53 is the unit roundoff and gamma_k = k u / (1 - k u). A sum of products x_1 y_1 + ... + x_k y_k computed in any
order, with or without fused operations, differs from the exact value by at most gamma_k * (|x_1 y_1| + ... + |x_k y_k|)
as long as nothing underflows or overflows (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1; one
rounding per product and at most k - 1 per summand give k factors (1 + d), |d| <= u). `in_safe_range` is what rules out underflow.
"""

from __future__ import annotations

from functools import cache

import numpy as np

UNIT_ROUNDOFF = 2.0**-53

_BLOCK = 64

# A computed norm or sum of k <= 2^20 non-negative numbers is at least (1 - gamma_{k+2}) of the exact one, and
# 1 / (1 - gamma_{2^20 + 2}) < 1 + 2^-30: multiplying by this factor rounds a computed bound upwards.
UPWARDS = 1.0 + 2.0**-30

# Products of two numbers of this range, and squares, are far above the underflow threshold 2^-1022 and below 2^1024.
SMALLEST_SAFE = 2.0**-400
LARGEST_SAFE = 2.0**400


def gamma(terms: int) -> float:
    """An upper bound of gamma_k for k = `terms` <= 2^20."""
    return terms * UNIT_ROUNDOFF / (1 - terms * UNIT_ROUNDOFF) * UPWARDS


def in_safe_range(*arrays: np.ndarray) -> bool:
    """Whether every non-zero entry is finite and of a size whose products neither underflow nor overflow."""
    for array in arrays:
        if array.size == 0:
            continue
        size = np.abs(array)
        # A nan fails both comparisons.
        if not bool(((size == 0) | ((size >= SMALLEST_SAFE) & (size <= LARGEST_SAFE))).all()):
            return False
    return True


@cache
def _probe_matrices() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two matrices X and Y of integers, X Y and X X^T, which is another routine, all partial sums below 2^53."""
    generator = np.random.default_rng(0)
    left = generator.integers(-(2**21), 2**21, size=(33, 257))
    right = generator.integers(-(2**21), 2**21, size=(257, 19))
    products = (left @ right).astype(np.float64), (left @ left.T).astype(np.float64)
    return left.astype(np.float64), right.astype(np.float64), *products


def float_arithmetic_is_sound() -> bool:
    """Probe this thread, now: subnormals are kept, rounding is to nearest even, matrix products are classical.

    Another library may have switched on flush-to-zero or another rounding mode at any time, and then the bounds of this
    module do not hold; the callers take the exact path instead.
    """
    tiny = np.array([5e-324, 2.0**-1060])
    if not (tiny * np.array([1.0, 1.0]) == tiny).all() or (tiny + 0.0 == 0).any():
        return False
    one = np.array([1.0])
    up, down = one + 2.0**-53, one + 3 * 2.0**-53
    if up[0] != 1.0 or down[0] != 1.0 + 2.0**-51 or (-one - 2.0**-53)[0] != -1.0:
        return False
    # Integer products below 2^53 are exact in every order; a fast (Strassen) or reduced-precision product is not.
    left, right, product, square = _probe_matrices()
    if not ((left @ right == product).all() and (left @ left.T == square).all()):
        return False
    # Rounding inside the matrix product: 1 + 2^-53 + 2^-53 is 1 or 1 + 2^-52 to nearest, never anything larger or smaller.
    rounded = np.array([[1.0, 2.0**-53, 2.0**-53]]) @ np.ones((3, 1))
    return float(rounded[0, 0]) in {1.0, 1.0 + 2.0**-52}


def combination(weights: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, int]:
    """The sum of weights_i * rows_i, and the k for which its error is within gamma_k of the sum of absolute values.

    Summed in blocks: b products in a block and c blocks give b + c roundings at most for each term, not b * c.

    >>> combination(np.ones(200), np.ones((200, 1)))
    (array([200.]), 69)
    """
    total = np.zeros(rows.shape[1])
    blocks = range(0, len(weights), _BLOCK)
    for begin in blocks:
        total += weights[begin : begin + _BLOCK] @ rows[begin : begin + _BLOCK]
    return total, _BLOCK + len(blocks) + 1


def smallest_eigenvalue_lower_bound(gram: np.ndarray, gram_error: float, shift: float) -> float:
    """A proved lower bound of the smallest eigenvalue of a symmetric matrix G with ||G - gram||_2 <= gram_error; 0.0 if none.

    With T = gram - shift I (rounded) and the computed Cholesky factor L of T, T = L L^T + E gives
    lambda_min(G) >= shift - ||E||_inf - |rounding of T| - gram_error; ||E||_inf is bounded from the computed residual.
    """
    from scipy.linalg import lapack

    size = gram.shape[0]
    if size == 0:
        return np.inf
    shifted = gram.copy()
    shifted[np.diag_indices(size)] -= shift
    factor, failed = lapack.dpotrf(shifted, lower=1, clean=1)
    if failed or not np.isfinite(factor).all():
        return 0.0
    residual = factor @ factor.T
    residual -= shifted
    magnitude = np.abs(factor)
    product_row_sums = magnitude @ magnitude.sum(axis=0)
    residual_norm = float(np.abs(residual).sum(axis=1).max())
    shifted_norm = float(np.abs(shifted).sum(axis=1).max())
    error = residual_norm + gamma(size + 2) * float(product_row_sums.max()) + 3 * UNIT_ROUNDOFF * (shifted_norm + abs(shift))
    # Entries of the factor may be tiny: each of size^3 products loses at most 2^-1074 by underflow.
    underflow = float(size) ** 3 * 2.0**-1000
    bound = shift - (error + underflow) * UPWARDS * UPWARDS - gram_error * UPWARDS
    return bound * (1 - 2.0**-50) if bound > 0 else 0.0
