"""Numbers that a model divides by or takes roots of, as dyadic numbers: exact where they are dyadic, else the nearest with so many bits.

How many bits: a float32 weight has 24 and float64 holds 53, so a factor of 29 bits is the longest whose product with every float32 weight
is still a float64, and 2^-30 of rounding is 64 times finer than the weights' own. Longer factors would make every weight an integer: for
a residual network with batch norms and 3072 inputs, factors of 64 bits make reading 7 times as long, the network's file 1.4 times as
large and pre-images 13 to 33 times as slow. Beside weights of fewer bits, factors are longer, up to 52.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rational import odd_parts

if TYPE_CHECKING:
    from exactrelu.network.rows import Rows

_FEWEST_BITS = 29
_MOST_BITS = 53


def bits_beside(rows: Rows) -> int:
    """How many bits a rounded factor may have so that float64 still holds its products with the rows; 29 at the least."""
    if rows.weight.integers is not None:
        return _FEWEST_BITS
    longest = int(np.frexp(np.abs(odd_parts(rows.weight.floats)[0]).astype(np.float64))[1].max(initial=1))
    return max(_FEWEST_BITS, _MOST_BITS - longest)


def rounded(value: Fraction, bits: int) -> tuple[Fraction, bool]:
    """A fraction if it is dyadic, else the nearest one with that many significant bits; and whether it is exact.

    >>> rounded(Fraction(3, 8), 1), rounded(Fraction(1, 3), 2)
    ((Fraction(3, 8), True), (Fraction(3, 8), False))
    """
    if not value.denominator & (value.denominator - 1):
        return value, True
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length() - bits
    if abs(value) >= Fraction(2) ** (exponent + bits):
        exponent += 1
    return round(value / Fraction(2) ** exponent) * Fraction(2) ** exponent, False


def root(square: Fraction, bits: int) -> tuple[Fraction, bool]:
    """The root of a fraction >= 0 if it is dyadic, else the nearest number with that many significant bits; and whether it is exact.

    >>> root(Fraction(9, 4), 2), root(Fraction(2), 3)
    ((Fraction(3, 2), True), (Fraction(3, 2), False))
    """
    top, bottom = math.isqrt(square.numerator), math.isqrt(square.denominator)
    if top * top == square.numerator and bottom * bottom == square.denominator:
        return rounded(Fraction(top, bottom), bits)
    # With 2^(2 e) near the square / 4^bits, the integer root of square / 4^e has bits + 1 or bits + 2 digits; halves cannot occur.
    exponent = (square.numerator.bit_length() - square.denominator.bit_length()) // 2 - bits - 1
    scaled = square / Fraction(4) ** exponent
    digits = math.isqrt(scaled.numerator // scaled.denominator)
    shift = digits.bit_length() - bits
    return Fraction((digits + (1 << (shift - 1))) >> shift) * Fraction(2) ** (exponent + shift), False
