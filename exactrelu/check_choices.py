"""Ranks of all choices of rows at once, in arrays: `elimination.every_choice_spans` of the checker, for a prime below 2^31.

All choices from the first groups are eliminated together from what is left of the other groups. Products of two residues are
below 2^62, and so are their differences.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt, prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# entries of an array that is worked on at once
BLOCK = 2**16
# below so many choices integers are as fast
FEW = 256


def fits(groups: Sequence[Sequence[Sequence[int]]], size: int, modulus: int) -> bool:
    """Whether the arrays apply: as many groups as the rank asks for, many choices, and a small prime."""
    return 0 < len(groups) == size and prod(map(len, groups)) >= FEW and modulus < 2**31 and is_prime(modulus)


@lru_cache(maxsize=16)
def is_prime(number: int) -> bool:
    """Whether a number below 2^31 is a prime, by division."""
    return number > 1 and all(number % divisor for divisor in range(2, isqrt(number) + 1))


def all_independent(groups: Sequence[Sequence[Sequence[int]]], modulus: int) -> bool:
    """Whether one vector of each group, however chosen, form a basis modulo the prime; they are as long as the groups are many.

    >>> all_independent([[[1, 0], [1, 1]], [[0, 1], [2, 1]]], 5), all_independent([[[1, 0]], [[0, 1], [3, 0]]], 5)
    (True, False)
    """
    rows = np.array([row for group in groups for row in group], dtype=np.int64)
    return _spans(rows[None], [len(group) for group in groups], modulus)


def _spans(rows: NDArray[np.int64], sizes: Sequence[int], modulus: int) -> bool:
    """The same for each of the matrices rows[t] of the groups' rows, of these sizes."""
    chosen, others = rows[:, : sizes[0]], rows[:, sizes[0] :]
    if not chosen.any(axis=2).all():
        return False
    if len(sizes) == 1:
        return True
    # matrices at once, and chosen rows of each
    work = max(1, BLOCK // others[0].size)
    many, few = max(1, work // sizes[0]), min(work, sizes[0])
    return all(
        _spans(_without(chosen[t : t + many, i : i + few], others[t : t + many], modulus), sizes[1:], modulus)
        for t in range(0, len(rows), many)
        for i in range(0, sizes[0], few)
    )


def _without(chosen: NDArray[np.int64], others: NDArray[np.int64], modulus: int) -> NDArray[np.int64]:
    """The others after eliminating each of the chosen rows with the column of its first entry that is not 0."""
    column = (chosen != 0).argmax(axis=2)[:, :, None]
    units = np.take_along_axis(chosen, column, axis=2)[:, :, None]
    entries = np.take_along_axis(others[:, None], column[:, :, None], axis=3)
    left = (units * others[:, None] - entries * chosen[:, :, None]) % modulus
    # the column holds zeros: the first one moves there
    np.put_along_axis(left, column[:, :, None], left[..., :1], axis=3)
    return left[..., 1:].reshape(-1, *left.shape[2:-1], left.shape[3] - 1)
