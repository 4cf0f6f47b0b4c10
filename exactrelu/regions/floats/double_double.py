"""Numbers as unevaluated sums of two float64, for 100 bits where one float64 has 53; what is rounded is bounded where it is used.

With u = 2^-53, and as long as nothing overflows: the sum of two floats is a float and an error that is a float too (Knuth), and so is the
product (Dekker), up to 2^-1000 where it underflows. Both are found with additions and multiplications alone. A matrix product is done
in slices of w bits with 2w + ceil(log2 n) <= 53, so that every product of two slices is exact in any order of summation (theory C5).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exactrelu.exact.rounding import UPWARDS
from exactrelu.exact.slices import slice_width

_SPLITTER = 2.0**27 + 1
_SLICES = 4


def two_sum(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of two arrays as (rounded, error), exactly.

    >>> two_sum(np.array(1.0), np.array(2.0**-60)) == (1.0, 2.0**-60)
    True
    """
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The product of two arrays of sizes below 2^400 as (rounded, error), exactly but for underflow.

    >>> two_product(np.array(1 + 2.0**-40), np.array(1 - 2.0**-40)) == (1.0, -(2.0**-80))
    True
    """
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sum of two arrays of at most 26 bits."""
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def rounded_pair(numerator: int, denominator: int) -> tuple[float, float]:
    """A fraction as (high, low), within 2^-106 of it, relatively: Python divides integers with one rounding.

    >>> rounded_pair(1, 3)
    (0.3333333333333333, 1.850371707708594e-17)
    """
    high = numerator / denominator
    p, q = high.as_integer_ratio()
    return high, (numerator * q - p * denominator) / (denominator * q)


class Slices:
    """A matrix (n, m) with entries of size at most 1, dense or sparse, as a sum of four slices.

    >>> matrix = Slices(np.array([[1.0], [2.0**-60]]), np.zeros((2, 1)))
    >>> matrix.product(np.array([[1.0, 1.0]]), np.array([[0.0, 2.0**-54]]))
    (array([[1.]]), array([[8.67361738e-19]]))
    """

    def __init__(self, high: Any, low: Any) -> None:
        n, self._columns = high.shape
        self._width = slice_width(n)
        self.error = n * 2.0 ** -min(4 * self._width - 4, 95)
        self.norm = float(np.asarray(abs(high).sum(axis=0)).max(initial=0.0)) * UPWARDS
        if isinstance(high, np.ndarray):
            parts = _slices(high, low, self._width)
        else:
            parts = [type(high)((part, high.indices, high.indptr), high.shape) for part in _slices(high.data, low.data, self._width)]
        # Weights from float32 fill two slices; the others are zero.
        while len(parts) > 1 and not abs(parts[-1]).sum():
            parts.pop()
        self._parts = parts

    def product(self, high: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(high + low) @ matrix for arrays (p, n), |high| <= 1, |low| <= u, within `error`; an error e in them costs `norm` e more.

        Slice k = 0, 1, .. is of size at most 2^-kw, and what is left after four at most 2^-4w. Products of slices k and l with k + l > 3
        are left out: 7 n 2^-4w in all, these rests included. Adding up the ten others costs less than 2^-96 n.
        """
        left = _slices(high, low, self._width)
        total, rest = np.zeros((2, len(high), self._columns))
        for k, part in enumerate(left):
            for other in self._parts[: _SLICES - k]:
                total, error = two_sum(total, part @ other)
                rest += error
        return two_sum(total, rest)


def _slices(high: np.ndarray, low: np.ndarray, width: int) -> list[np.ndarray]:
    """Four slices of numbers of size at most 1: multiples of 2^-w, 2^-2w, .. whose sum is within 2^-4w of them."""
    slices: list[np.ndarray] = []
    rest = high
    for place in range(_SLICES):
        if place == 2:
            # The rest is at most 2^-2w / 2 by now, and rounding this sum costs at most 2^-2w 2^-53.
            rest = rest + low
        scale = 2.0 ** (width * (place + 1))
        slices.append(np.rint(rest * scale) / scale)
        rest = rest - slices[-1]
    return slices
