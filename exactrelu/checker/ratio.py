"""Numbers N / D of claims, as sections 3.1 and 3.4 of proofs/FORMAT.md write them, and in the words of a claim."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from exactrelu.checker.text import DENOMINATOR_BITS

if TYPE_CHECKING:
    from exactrelu.checker.text import Fields


def read_ratio(fields: Fields) -> Fraction:
    """`D N` at the end of a line: the number N / D."""
    denominator = fields.positive("a denominator")
    numerator = fields.integer("a numerator")
    fields.done()
    if max(denominator.bit_length(), numerator.bit_length()) > DENOMINATOR_BITS:
        fields.reject(f"a number of more than {DENOMINATOR_BITS} bits is more than a checker takes on here")
    return Fraction(numerator, denominator)


def short(value: Fraction) -> str:
    """The number in words: exactly if that is short."""
    if max(value.denominator.bit_length(), value.numerator.bit_length()) <= 32:
        return str(value)
    if max(value.denominator.bit_length(), value.numerator.bit_length()) <= 900:
        return f"about {float(value):.6g}"
    return f"a number of {value.numerator.bit_length()} over {value.denominator.bit_length()} bits"


def half_root(value: Fraction) -> str:
    """1/2 sqrt(value), value > 0, rounded down to four digits."""
    many = Context(prec=40, rounding=ROUND_FLOOR, Emin=MIN_EMIN, Emax=MAX_EMAX)
    root = many.sqrt(many.divide(Decimal(value.numerator), Decimal(value.denominator)))
    # the square root is rounded to nearest, by less than the last factor takes away
    below = many.multiply(many.divide(root, Decimal(2)), many.subtract(Decimal(1), Decimal(10) ** -38))
    return str(Context(prec=4, rounding=ROUND_FLOOR, Emin=MIN_EMIN, Emax=MAX_EMAX).plus(below))
