"""The float32 numbers nearest to rational ones, with a proved bound of the distance: computed in integers, rounded once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rounding import UPWARDS

if TYPE_CHECKING:
    from exactrelu.exact.rational import RationalVector


def nearest_float32(x: RationalVector) -> tuple[np.ndarray, np.ndarray]:
    """The float32 nearest to each coordinate, ties to even, and a bound of each error, rounded upwards: two arrays (n,).

    >>> from exactrelu import RationalVector
    >>> value, error = nearest_float32(RationalVector((1, 2), 3))
    >>> value.tolist(), bool((error > 0).all() and (error <= 2.0**-25).all())
    ([0.3333333432674408, 0.6666666865348816], True)
    """
    pairs = [_rounded(numerator, x.denominator) for numerator in x.numerators]
    values, errors = np.array(pairs, dtype=np.float64).reshape(len(x), 2).T
    with np.errstate(over="ignore"):
        return values.astype(np.float32), errors * UPWARDS


def _rounded(numerator: int, denominator: int) -> tuple[float, float]:
    """The float32 nearest to a quotient, infinite beyond the range, and the distance, in integers."""
    size = abs(numerator)
    # 2^exponent <= size / denominator < 2^(exponent + 1); a float32 has 24 digits from there, and none below 2^-149.
    exponent = size.bit_length() - denominator.bit_length()
    if size << max(0, -exponent) < denominator << max(0, exponent):
        exponent -= 1
    if exponent > 127:
        return math.inf if numerator > 0 else -math.inf, 0.0
    lowest = max(exponent - 23, -149)
    divisor = denominator << max(0, lowest)
    quotient, rest = divmod(size << max(0, -lowest), divisor)
    upwards = 2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1)
    value = math.ldexp(quotient + upwards, lowest)
    return (value if numerator > 0 else -value), math.ldexp((divisor - rest if upwards else rest) / divisor, lowest)
