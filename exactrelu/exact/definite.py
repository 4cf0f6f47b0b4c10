"""Whether a sum of squares of rows stays above q: M^T M - q I without a negative eigenvalue, exactly, or for many M at once in floats.

Exactly: elimination without fractions (Bareiss), all entries minors. In floats: if the Cholesky factorisation of a computed matrix T
runs to its end, no eigenvalue of T is below -gamma_{n+1} / (1 - gamma_{n+1}) trace T (Rump, Verification of positive definiteness,
2006), and the rounding of T itself is bounded in advance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz

from exactrelu.exact.rounding import UPWARDS, float_arithmetic_is_sound, gamma, in_safe_range

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction


def exceeds(rows: Sequence[Sequence[int]], columns: int, least: Fraction) -> bool:
    """Whether |M r|^2 >= least |r|^2 for all r, M the (k, columns) matrix of integer rows.

    >>> from fractions import Fraction
    >>> exceeds([[1, 0], [1, 2]], 2, Fraction(3, 4)), exceeds([[1, 0], [1, 2]], 2, Fraction(4, 5))
    (True, False)
    """
    factor = least.denominator
    left = [[fmpz(-least.numerator if i == j else 0) for j in range(i, columns)] for i in range(columns)]
    for row in rows:
        values = [fmpz(value) for value in row]
        left = [[a + factor * values[i] * b for a, b in zip(upper, values[i:], strict=True)] for i, upper in enumerate(left)]
    return _without_negative_pivot(left)


def is_semidefinite(matrix: Sequence[Sequence[int]]) -> bool:
    """Whether r^T M r >= 0 for all r, M a symmetric integer matrix.

    >>> is_semidefinite([[1, 2], [2, 4]]), is_semidefinite([[1, 2], [2, 3]])
    (True, False)
    """
    return _without_negative_pivot([[fmpz(value) for value in row[i:]] for i, row in enumerate(matrix)])


def _without_negative_pivot(left: list[list[fmpz]]) -> bool:
    """Whether elimination of a symmetric matrix, of which the upper triangle is given, meets no negative eigenvalue."""
    before = fmpz(1)
    while left:
        (pivot, *row), *rest = left
        if pivot < 0 or (pivot == 0 and any(row)):
            return False
        if pivot:
            rest = [[(pivot * a - row[i] * b) // before for a, b in zip(upper, row[i:], strict=True)] for i, upper in enumerate(rest)]
            before = pivot
        left = rest
    return True


def all_exceed(matrices: np.ndarray, least: float) -> bool:
    """Whether floats prove |M r|^2 >= least |r|^2 for all r and every M of an array (count, k, columns) of float64; False says nothing.

    >>> all_exceed(np.array([[[1.0, 0.0], [1.0, 2.0]]]), 0.75)
    True
    """
    _, k, columns = matrices.shape
    if not float_arithmetic_is_sound() or not in_safe_range(matrices):
        return False
    if columns == 0:
        return True
    grams = matrices.transpose(0, 2, 1) @ matrices
    traces = np.einsum("ckj,ckj->c", matrices, matrices) * UPWARDS
    # Entrywise gamma_k |M|^T |M|, whose norm is at most |M|_F^2; the shift's rounding; the factorisation's.
    slack = (2 * gamma(k + 2) + 4 * gamma(columns + 4)) * (traces + least) * UPWARDS + 2.0**-900
    diagonal = np.arange(columns)
    grams[:, diagonal, diagonal] -= (least + slack)[:, None] * UPWARDS
    # Only the lower triangle is read.
    try:
        factors = np.linalg.cholesky(grams)
    except np.linalg.LinAlgError:
        return False
    return bool(np.isfinite(factors).all())
