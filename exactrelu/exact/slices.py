"""Exact products of dyadic matrices in float64 by integer slices (theory C5).

A matrix is written as a sum of slices, each an integer matrix of w bits times a power of two. The product of two slices
with inner dimension n has integer entries of size at most n * 2^(2w), and with 2w + ceil(log2 n) <= 53 every partial sum
is an integer of size at most 2^53, so float64 computes it exactly in any order of summation, fused or not. Only products
of different slices have to be added with care: that is done in Python integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rounding import float_arithmetic_is_sound

if TYPE_CHECKING:
    from exactrelu.exact.rational import DyadicMatrix


def slice_width(inner: int) -> int:
    """The bits w of a slice for inner dimension n: the largest w >= 1 with 2w + ceil(log2 n) <= 53.

    >>> slice_width(784)
    21
    """
    return max(1, (53 - max(inner - 1, 0).bit_length()) // 2)


def integer_slices(values: np.ndarray, width: int, *, most: int | None = None) -> list[tuple[np.ndarray, int]]:
    """Write a finite float64 array exactly as a sum of slices (S, e): integers |S| <= 2^width, meaning S * 2^e.

    most: no more slices than so many; what they leave is at most half a unit, 2^(e - 1), of the last one in every entry.

    The largest entry fixes the first exponent; each further slice takes the next `width` bits, as many slices as the
    spread of the exponents asks for.

    >>> integer_slices(np.array([[1.0, 2.0**-30]]), 20)[0][1]
    -19
    """
    rest = np.array(values, dtype=np.float64)
    slices: list[tuple[np.ndarray, int]] = []
    while rest.size and (most is None or len(slices) < most):
        largest = float(np.abs(rest).max())
        if largest == 0:
            break
        exponent = int(np.frexp(largest)[1]) - width
        # Scaling is exact: 2^-exponent may exceed the float range for subnormal entries, so it is split in two.
        half = exponent // 2
        scaled = np.ldexp(np.ldexp(rest, -half), -(exponent - half))
        integers = np.rint(scaled)
        slices.append((integers, exponent))
        rest = np.ldexp(np.ldexp(scaled - integers, half), exponent - half)
    return slices


def exact_product(left: DyadicMatrix, right: DyadicMatrix) -> tuple[np.ndarray, int]:
    """The product of an (m, k) and a (k, n) matrix as an object array of integers over one power of two: (integers, exponent).

    Falls back to Python integers where a matrix holds more than float64 does, where a common scale would be absurdly
    long, or where this process's floats are not IEEE float64 with round to nearest.
    """
    rows, inner = left.shape
    columns = right.shape[1]
    if inner == 0 or rows == 0 or columns == 0:
        return np.zeros((rows, columns), dtype=object), 0
    usable = left.is_float64 and right.is_float64 and float_arithmetic_is_sound() and _in_range(left.floats) and _in_range(right.floats)
    if not usable:
        return _integer_product(left, right)
    width = slice_width(inner)
    terms = [(a @ b, e + f) for a, e in integer_slices(left.floats, width) for b, f in integer_slices(right.floats, width)]
    if not terms:
        return np.zeros((rows, columns), dtype=object), 0
    lowest = min(exponent for _, exponent in terms)
    total = np.zeros((rows, columns), dtype=object)
    for product, exponent in terms:
        # Entries are integers of at most 53 bits, exact in int64 and then in Python integers.
        total += product.astype(np.int64).astype(object) * (1 << (exponent - lowest))
    return total, lowest


def _in_range(values: np.ndarray) -> bool:
    """Whether the slices' scaling stays exact: non-zero entries within 2^-500 and 2^500."""
    size = np.abs(values[values != 0])
    return bool(size.size == 0 or (size.min() >= 2.0**-500 and size.max() <= 2.0**500))


def _integer_product(left: DyadicMatrix, right: DyadicMatrix) -> tuple[np.ndarray, int]:
    from flint import fmpz_mat

    (a, low), (b, high) = left.common, right.common
    (rows, inner), columns = left.shape, right.shape[1]
    product = fmpz_mat(rows, inner, [v for row in a for v in row]) * fmpz_mat(inner, columns, [v for row in b for v in row])
    return np.array([int(v) for v in product.entries()], dtype=object).reshape(rows, columns), low + high
