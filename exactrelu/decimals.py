"""Rational numbers for people: short decimals, rounded in a stated direction, since what is printed of a bound must be true, too."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

# Leading digits that are read of a long number, and the largest power of ten that stands for the others.
_DIGITS = 60
_LARGEST_POWER = 5000
_ROUNDING = {"down": ROUND_FLOOR, "up": ROUND_CEILING, "nearest": ROUND_HALF_EVEN}


def decimal_text(value: Fraction | Decimal, rounding: str = "nearest", *, digits: int = 4) -> str:
    """The number in so many significant digits, rounded to the "nearest" or "down" (to minus infinity) or "up"; of any size.

    >>> from fractions import Fraction
    >>> [decimal_text(Fraction(2, 3), rounding) for rounding in ("down", "nearest", "up")]
    ['0.6666', '0.6667', '0.6667']
    >>> decimal_text(Fraction(-2, 3), "up"), decimal_text(Fraction(10**400, 7)), decimal_text(Fraction(12))
    ('-0.6666', '1.429e+399', '12')
    """
    context = Context(prec=digits, rounding=_ROUNDING[rounding], Emax=MAX_EMAX, Emin=MIN_EMIN)
    short = context.plus(value) if isinstance(value, Decimal) else context.divide(Decimal(value.numerator), Decimal(value.denominator))
    if not short:
        return "0"
    short = short.normalize(context)
    if -5 <= short.adjusted() < 7:
        return format(short, "f")
    return str(context.to_sci_string(short)).lower()


def approximate(text: str, *, power: int = _LARGEST_POWER) -> Fraction:
    """A rational "p/q" from its leading digits, so that its cost does not grow with its length; at most 10^power beyond these digits.

    >>> approximate("-3/4"), float(approximate("1" + "0" * 9999 + "/3" + "0" * 9999)) == 1 / 3
    (Fraction(-3, 4), True)
    """
    above, _, below = text.partition("/")
    sign = -1 if above.startswith("-") else 1
    (p, up), (q, down) = (_leading(part.lstrip("-")) for part in (above, below or "1"))
    return sign * Fraction(p, q) * Fraction(10) ** max(-power, min(up - down, power))


def _leading(digits: str) -> tuple[int, int]:
    """(p, k) with p * 10^k close to the number."""
    digits = digits.lstrip("0") or "0"
    return int(digits[:_DIGITS]), max(0, len(digits) - _DIGITS)


def bound_text(text: str, rounding: str) -> str:
    """A bound "p/q" of any length as a short decimal on the side that `rounding` says, "down" or "up".

    >>> bound_text("2/3", "down"), bound_text("1" + "0" * 80 + "/3" + "0" * 80, "up")
    ('0.6666', '0.3334')
    """
    value = approximate(text)
    if max(map(len, text.removeprefix("-").split("/"))) > _DIGITS:
        # cut off after so many digits, p and q are each less than one part in 10^58 away
        value += abs(value) / 10**57 * (1 if rounding == "up" else -1)
    return decimal_text(value, rounding)
