"""Many symmetric matrices at once that have no negative eigenvalue, proved in float64: the Cholesky factorisation runs to its end.

If it does for a matrix T, no eigenvalue of T is below -gamma_{n+1} / (1 - gamma_{n+1}) trace T (Rump, Verification of positive
definiteness, 2006), whatever the order of the sums. The matrices are taken less a multiple of the identity that covers this and the
rounding of their entries; what is closer to singular than that is left to integers.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# integers are as fast for fewer matrices of fewer columns
FEW, SMALL = 8, 8
LARGEST_BITS = 900
# entries of the matrices that are worked on at once
ENTRIES = 2**19
UNIT = 2.0**-53


def all_definite(matrix: Sequence[Sequence[int]], groups: Sequence[Sequence[Sequence[int]]], factor: int) -> bool:
    """Whether floats prove of every choice of one row r a group that matrix + factor * (the sum of r^T r) has no eigenvalue below 0.

    matrix: rows from the diagonal on; False says nothing. float64 must be as IEEE 754 asks.

    >>> all_definite([[-1, 0], [-1]], [[[2, 0], [3, 0]], [[0, 2], [1, 2]]] * 3, 1), all_definite([[-1]], [[[1], [1], [1]]] * 2, 1)
    (True, True)
    """
    size, choices = len(matrix), prod(map(len, groups))
    rows = [row for group in groups for row in group]
    reach = max((abs(value).bit_length() for row in rows for value in row), default=0)
    top = max(max((abs(value).bit_length() for upper in matrix for value in upper), default=0), factor.bit_length() + 2 * reach)
    if not size or top > LARGEST_BITS or (choices < FEW and size < SMALL):
        return False
    base = np.zeros((size, size))
    for i, upper in enumerate(matrix):
        # only the lower triangle is read
        base[i:, i] = [value / (1 << top) for value in upper]
    scale = (factor << 2 * reach) / (1 << top)
    parts = [np.array([[value / (1 << reach) for value in row] for row in group]).reshape(-1, size) for group in groups]
    # every entry is off by at most (groups + 8) roundings of the sum of its terms' sizes
    reached = scale * sum(float((part * part).sum(axis=1).max(initial=0.0)) for part in parts)
    terms = 2 * float(np.sqrt((base * base).sum())) + float(np.abs(np.diag(base)).sum()) + reached
    slack = 2 * (len(groups) + 8 + 4 * (size + 4)) * UNIT * terms + 2.0**-LARGEST_BITS
    base[np.diag_indices(size)] -= 2 * slack
    step = max(1, ENTRIES // size**2)
    return all(_factorises(base, scale, parts, np.arange(begin, min(begin + step, choices))) for begin in range(0, choices, step))


def _factorises(base: NDArray[np.float64], scale: float, parts: list[NDArray[np.float64]], which: NDArray[np.int64]) -> bool:
    """Whether the factorisations for these choices, numbered in mixed radix, run to their ends."""
    total = np.broadcast_to(base, (len(which), *base.shape)).copy()
    for part in parts:
        chosen = part[which % len(part)]
        which = which // len(part)
        total += scale * (chosen[:, :, None] * chosen[:, None, :])
    try:
        return bool(np.isfinite(np.linalg.cholesky(total)).all())
    except np.linalg.LinAlgError:
        return False
