"""Numbers and colours as an SVG picture has them: two decimals, short labels of an axis, shades and gradients."""

from __future__ import annotations

import colorsys
from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Place = tuple[Fraction, Fraction]

# Colours that most people with colour blindness tell apart, after Paul Tol's `light`.
_CLASSES = ("#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#99ddff", "#44bb99", "#bbcc33", "#aaaa00", "#dddddd", "#b69ad6")
_HIGH, _LOW = (178, 32, 24), (24, 78, 160)


def decimal(number: Fraction) -> str:
    """A number with at most two decimals.

    >>> decimal(Fraction(-1, 3)), decimal(Fraction(5, 2)), decimal(Fraction(-1, 900))
    ('-0.33', '2.5', '0')
    """
    hundredths = round(number * 100)
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' * (hundredths < 0)}{whole}" + (f".{rest:02}".rstrip("0") if rest else "")


def pair(point: Place) -> str:
    """A point as an SVG path has it."""
    return f"{decimal(point[0])} {decimal(point[1])}"


def _significant(number: Fraction) -> Decimal:
    """The number with six digits, whatever its size."""
    context = Context(prec=6, Emax=10**9, Emin=-(10**9))
    return context.divide(Decimal(number.numerator), Decimal(number.denominator))


def label(number: Fraction) -> str:
    """A number in at most six digits.

    >>> label(Fraction(1, 3)), label(Fraction(-20)), label(Fraction(10)**30)
    ('0.333333', '-20', '1e+30')
    """
    digits = _significant(number).normalize()
    return f"{digits:f}" if -6 < digits.adjusted() < 6 else f"{digits:g}"


def ticks(low: Fraction, high: Fraction) -> list[Fraction]:
    """Three to seven multiples of a round step between two numbers.

    >>> [label(tick) for tick in ticks(Fraction(-1), Fraction(1, 3))]
    ['-1', '-0.8', '-0.6', '-0.4', '-0.2', '0', '0.2']
    """
    ten = Fraction(10) ** (_significant(high - low).adjusted() - 1)
    step = next(ten * factor for factor in (1, 2, 5, 10, 20, 50) if (high - low) / (ten * factor) <= 7)
    return [k * step for k in range(-(-low // step), high // step + 1)]


def hue(number: int) -> str:
    """A light colour for a number; hues of successive numbers are a golden section apart."""
    turn = number * 0.6180339887498949 % 1
    lightness = (0.80, 0.72, 0.87)[number % 3]
    return _hexadecimal(round(255 * part) for part in colorsys.hls_to_rgb(turn, lightness, 0.55))


def class_colour(output: int) -> str:
    """The colour of an output."""
    return _CLASSES[output] if output < len(_CLASSES) else hue(output)


def shade(level: Fraction) -> str:
    """From -1 to 1: blue over white to red."""
    end = _HIGH if level > 0 else _LOW
    return _hexadecimal(round(255 + (part - 255) * abs(level)) for part in end)


def _hexadecimal(parts: Iterable[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in parts)


def stops(low: Fraction | int, high: Fraction | int) -> list[tuple[Fraction, Fraction]]:
    """The levels at which a gradient changes, with their places between 0 and 1."""
    levels = [Fraction(low), *([Fraction(0)] if low < 0 < high else []), Fraction(high)]
    return [((level - low) / (high - low), level) for level in levels]


def gradient(name: str, start: Place, end: Place, stops: Sequence[tuple[Fraction, Fraction]]) -> str:
    """A gradient between two points with these stops, (place, level)."""
    (x1, y1), (x2, y2) = ([decimal(part) for part in point] for point in (start, end))
    colours = "".join(f'<stop offset="{decimal(100 * place)}%" stop-color="{shade(level)}"/>' for place, level in stops)
    where = f'x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"'
    return f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" {where}>{colours}</linearGradient>'
