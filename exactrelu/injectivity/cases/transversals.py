"""Whether every choice of one vector from each of q groups is a basis of F_p^q: millions of determinants by one matrix product.

Laplace: a determinant is the sum, over the choices S of k coordinates, of the minor of the first k vectors on S times the minor of the
others on the rest, with a sign. So the determinants of all choices are the entries of a product of two matrices of minors. In float64
it is exact: centred residues of at most 30 bits times their halves, of 14 and 15 bits, at most 2 C(9, 4) terms a sum.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rounding import float_arithmetic_is_sound

if TYPE_CHECKING:
    from collections.abc import Sequence

# C(q, q / 2) * 2^30 * (2^14 + 2^15) has to stay below 2^53: C(9, 4) = 126 does.
LARGEST_Q = 9
_BLOCK = 2**14


def all_independent(groups: Sequence[np.ndarray], prime: int) -> bool:
    """Whether all transversals of q <= 9 groups, each (d, q) of integers modulo a prime below 2^31, are regular modulo it.

    >>> one, other = np.array([[1, 0], [1, 1]]), np.array([[0, 1], [2, 1]])
    >>> all_independent([one, other], 2**31 - 1), all_independent([one, one], 2**31 - 1)
    (True, False)
    """
    q = len(groups)
    if q > LARGEST_Q or not float_arithmetic_is_sound():
        return False
    first, second = _halves(groups)
    left, right = _minors(first, q, prime), _minors(second, q, prime)
    order, signs = _complements(q, len(first))
    return _never_zero(left * signs, right[:, order], prime)


@cache
def _complements(q: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """For every set S of k of q coordinates: the place of the other coordinates among sets of q - k, the sign of (S, others)."""
    places = {chosen: place for place, chosen in enumerate(combinations(range(q), q - k))}
    sets = list(combinations(range(q), k))
    order = [places[tuple(j for j in range(q) if j not in chosen)] for chosen in sets]
    return np.array(order), np.array([(-1) ** (sum(chosen) - sum(range(k))) for chosen in sets])


@cache
def _expansion(q: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Laplace's expansion of minors on k coordinates by the last vector: places of smaller sets and coordinates (sets, k), signs (k,)."""
    places = {chosen: place for place, chosen in enumerate(combinations(range(q), k - 1))}
    sets = list(combinations(range(q), k))
    smaller = [[places[chosen[:i] + chosen[i + 1 :]] for i in range(k)] for chosen in sets]
    return np.array(smaller), np.array(sets), np.array([(-1) ** (k - 1 - i) for i in range(k)])


def _halves(groups: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Two parts with about as many choices each, neither of them of more than 8 groups."""
    ordered = sorted(groups, key=len)
    total = math.prod(map(len, ordered))
    count = 0
    choices = 1
    while count < len(ordered) - 1 and choices * choices * len(ordered[count]) <= total:
        choices *= len(ordered[count])
        count += 1
    return ordered[:count], ordered[count:]


def _minors(groups: Sequence[np.ndarray], q: int, prime: int) -> np.ndarray:
    """The minors (choices, C(q, k)) of every choice from k groups on every k coordinates, in lexicographic order."""
    minors = np.ones((1, 1), dtype=np.int64)
    for k, group in enumerate(groups, 1):
        smaller, coordinates, signs = _expansion(q, k)
        vectors = _centred(group, prime)
        # At most 8 terms of less than 2^30 squared.
        total = sum(minors[:, None, smaller[:, i]] * (signs[i] * vectors[None, :, coordinates[:, i]]) for i in range(k))
        minors = _centred(total, prime).reshape(len(minors) * len(group), -1)
    return minors


def _centred(values: np.ndarray, prime: int) -> np.ndarray:
    """The same residues, at most p / 2 in size."""
    half = prime // 2
    return np.asarray((values + half) % prime - half)


def _never_zero(left: np.ndarray, right: np.ndarray, prime: int) -> bool:
    """Whether no entry of left @ right.T vanishes modulo the prime; (a, C) and (b, C) of integers at most p / 2 in size."""
    # right = high 2^16 + low: one product of twice the length, entries below 2^30 times 2^15.
    low = ((right + 2**15) & (2**16 - 1)) - 2**15
    a = np.hstack([_centred(left << 16, prime), left]).astype(np.float64)
    b = np.hstack([(right - low) >> 16, low]).astype(np.float64).T
    step = max(1, _BLOCK // max(1, b.shape[1]))
    values = np.empty((min(step, len(a)), b.shape[1]))
    nearest, zero = np.empty_like(values), np.empty(values.shape, dtype=bool)
    for begin in range(0, len(a), step):
        rows = min(step, len(a) - begin)
        v, w, z = values[:rows], nearest[:rows], zero[:rows]
        np.matmul(a[begin : begin + rows], b, out=v)
        np.multiply(v, 1.0 / prime, out=w)
        np.rint(w, out=w)
        np.multiply(w, prime, out=w)
        # Below 2^53: a multiple of the prime is found exactly.
        if np.equal(v, w, out=z).any():
            return False
    return True
