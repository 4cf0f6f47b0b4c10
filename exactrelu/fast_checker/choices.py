"""Ranks of all choices of rows at once, in arrays: `elimination.every_choice_spans` of the checker, for a prime below 2^31.

The choices from all but the last four groups are eliminated, in int64, from what is left of the others. A determinant of four vectors
is a sum of products: 2 x 2 minors of the first two times those of the others (Laplace), so that all of them are one product of matrices.
Its entries are integers below 2^53, which float64 holds exactly, in whatever order they are summed.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from math import isqrt, prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

# entries of an array that is worked on at once
BLOCK = 2**15
# below so many choices integers are as fast
FEW = 256
# of 1 to 4 vectors, half of them, rounded up, first: their coordinates, those of the others, and signs (Laplace)
TERMS: dict[int, tuple[list[tuple[int, ...]], list[tuple[int, ...]], list[int]]] = {
    1: ([(0,)], [()], [1]),
    2: ([(0,), (1,)], [(1,), (0,)], [1, -1]),
    3: ([(0, 1), (0, 2), (1, 2)], [(2,), (1,), (0,)], [1, -1, 1]),
    4: ([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], [(2, 3), (1, 3), (1, 2), (0, 3), (0, 2), (0, 1)], [1, -1, 1, 1, -1, 1]),
}


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


def _spans(rows: Integers, sizes: Sequence[int], modulus: int) -> bool:
    """The same for each of the matrices rows[t] of the groups' rows, of these sizes."""
    if len(sizes) <= 4 and prod(sizes) > BLOCK:
        return all(_spans(part, left, modulus) for part, left in _parts(rows, sizes))
    if len(sizes) <= 4:
        step = max(1, BLOCK // prod(sizes))
        return all(_regular(rows[t : t + step], sizes, modulus) for t in range(0, len(rows), step))
    chosen, others = rows[:, : sizes[0]], rows[:, sizes[0] :]
    if not chosen.any(axis=2).all():
        return False
    # matrices at once, and chosen rows of each
    work = max(1, BLOCK // others[0].size)
    many, few = max(1, work // sizes[0]), min(work, sizes[0])
    return all(
        _spans(_without(chosen[t : t + many, i : i + few], others[t : t + many], modulus), sizes[1:], modulus)
        for t in range(0, len(rows), many)
        for i in range(0, sizes[0], few)
    )


def _parts(rows: Integers, sizes: Sequence[int]) -> Iterator[tuple[Integers, list[int]]]:
    """The same choices in two parts: with either half of the largest group."""
    largest = max(range(len(sizes)), key=sizes.__getitem__)
    begin = sum(sizes[:largest])
    end = begin + sizes[largest]
    middle = (begin + end) // 2
    for left_out in (slice(begin, middle), slice(middle, end)):
        kept = end - begin - (left_out.stop - left_out.start)
        yield np.delete(rows, left_out, axis=1), [*sizes[:largest], kept, *sizes[largest + 1 :]]


def _without(chosen: Integers, others: Integers, modulus: int) -> Integers:
    """The others after eliminating each of the chosen rows with the column of its first entry that is not 0.

    Products of two residues are below 2^62, and so are their differences.
    """
    if not chosen[:, :, 0].all():
        # bring that column to the front, in the others too
        column = (chosen != 0).argmax(axis=2)
        order = np.argsort(np.arange(chosen.shape[2]) != column[:, :, None], axis=2, kind="stable")
        chosen = np.take_along_axis(chosen, order, axis=2)
        others = np.take_along_axis(others[:, None], order[:, :, None], axis=3)
    else:
        others = others[:, None]
    first = chosen[:, :, None]
    left = (first[..., :1] * others[..., 1:] - others[..., :1] * first[..., 1:]) % modulus
    return left.reshape(-1, *left.shape[2:])


def _regular(rows: Integers, sizes: Sequence[int], modulus: int) -> bool:
    """The same for up to four groups, by determinants."""
    ends = np.cumsum([0, *sizes])
    groups = [rows[:, begin:end] for begin, end in pairwise(ends.tolist())]
    first, second, signs = TERMS[len(sizes)]
    half = len(first[0])
    left = _minors(groups[:half], first, modulus) * np.array(signs)
    right = _minors(groups[half:], second, modulus)
    # right = 2^16 high + low; at most six terms of |left| < 2^30 times |high| + |low| < 2^16
    low = ((right + 2**15) & (2**16 - 1)) - 2**15
    a = np.concatenate([_centred(left << 16, modulus), left], axis=2).astype(np.float64)
    b = np.concatenate([(right - low) >> 16, low], axis=2).astype(np.float64)
    values = a @ b.transpose(0, 2, 1)
    # a multiple of the modulus, below 2^22 times it, is found exactly
    nearest = values * (1.0 / modulus)
    np.rint(nearest, out=nearest)
    nearest *= modulus
    return not (values == nearest).any()


def _minors(groups: Sequence[Integers], coordinates: Sequence[Sequence[int]], modulus: int) -> Integers:
    """Determinants on some coordinates of all choices from no group, one, or two; (matrices, choices, coordinates), centred."""
    if len(groups) == 2:
        i, j = np.array(coordinates).T
        one, other = groups[0][:, :, None], groups[1][:, None]
        both = one[..., i] * other[..., j] - one[..., j] * other[..., i]
        return _centred(both.reshape(len(both), -1, len(coordinates)), modulus)
    if len(groups) == 1:
        return _centred(groups[0][..., [k for (k,) in coordinates]], modulus)
    return np.ones((1, 1, 1), dtype=np.int64)


def _centred(values: Integers, modulus: int) -> Integers:
    """The same modulo the modulus, at most half of it in size."""
    half = modulus // 2
    return np.asarray((values + half) % modulus - half)
