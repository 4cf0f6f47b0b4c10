"""Singular values as figures: bands and dots on a logarithmic axis, at whole coordinates, so that equal results give equal bytes.

A band reaches from lower to upper bounds, its line is the upper end; most bands are thinner than that. Of several inputs it reaches from
the least to the largest, and the line is their median. Zeros have no place on such an axis.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from exactrelu.report.bounds import Bounds, logarithm
from exactrelu.report.histogram import PLOT_HEIGHT, RIGHT, TOP, WIDTH, Mark, round_step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Wider than that of the histogram: ticks are powers of ten.
LEFT = 52
PLOT_WIDTH = WIDTH - LEFT - RIGHT
COLOURS = 8
# A curve has so many points at most, a figure so many dots.
MOST_POINTS, MOST_DOTS = 180, 2000
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Curve(NamedTuple):
    """Bounds of values over the index, from 1; `colour` tells the layer, `style` how the line is drawn: `before` the relu, or `thin`.

    Where `middle` is given the line is at its upper bounds, which may end sooner, and not at those of the values.
    """

    colour: int
    style: str
    title: str
    values: Sequence[Bounds]
    middle: Sequence[Bounds] | None = None


class Dot(NamedTuple):
    """A value over a rank; `wrong` where floats report another rank."""

    colour: int
    wrong: bool
    title: str
    rank: int
    value: Bounds


class Band(NamedTuple):
    """A curve as drawn: the area between the bounds, and its upper edge."""

    colour: int
    style: str
    title: str
    area: str
    line: str


class Stroke(NamedTuple):
    """A dot as drawn: at the upper bound, with a line down to the lower one."""

    colour: int
    wrong: bool
    title: str
    x: int
    y: int
    down: int


class Panel(NamedTuple):
    """One figure with its axes."""

    title: str
    across_title: str
    upwards_title: str
    across: tuple[Mark, ...]
    upwards: tuple[Mark, ...]
    bands: tuple[Band, ...]
    strokes: tuple[Stroke, ...]

    @property
    def empty(self) -> bool:
        return not (self.bands or self.strokes)


class _Scale(NamedTuple):
    """A linear axis from `low` to `high`."""

    low: int
    high: int

    def across(self, value: int) -> int:
        return LEFT + round(PLOT_WIDTH * (value - self.low) / max(1, self.high - self.low))

    def upwards(self, text: str | None) -> int:
        """Where a decimal text stands; zero at the bottom, what is not bounded at the top."""
        power = float(self.high) if text is None else logarithm(text)
        share = 0.0 if power is None else (power - self.low) / (self.high - self.low)
        return TOP + round(PLOT_HEIGHT * (1 - min(max(share, 0.0), 1.0)))

    def powers(self) -> tuple[Mark, ...]:
        step = round_step(self.high - self.low, 6)
        first = -(-self.low // step) * step
        return tuple(
            Mark(TOP + PLOT_HEIGHT - PLOT_HEIGHT * (power - self.low) // (self.high - self.low), f"10{str(power).translate(_RAISED)}")
            for power in range(first, self.high + 1, step)
        )

    def numbers(self) -> tuple[Mark, ...]:
        step = round_step(self.high - self.low, 5)
        first = -(-self.low // step) * step
        return tuple(Mark(self.across(number), str(number)) for number in range(first, self.high + 1, step))


def curves_panel(title: str, upwards_title: str, curves: Iterable[Curve]) -> Panel:
    """Curves over the index."""
    drawn = [curve for curve in curves if curve.values]
    scale = _logarithmic(pair for curve in drawn for pair in curve.values)
    across = _Scale(1, max((len(curve.values) for curve in drawn), default=1))
    return Panel(title, "index", upwards_title, across.numbers(), scale.powers(), tuple(_band(one, across, scale) for one in drawn), ())


def dots_panel(title: str, upwards_title: str, dots: Sequence[Dot]) -> Panel:
    """Dots over the exact rank."""
    drawn = dots[:MOST_DOTS]
    scale = _logarithmic(dot.value for dot in drawn)
    ranks = [dot.rank for dot in drawn] or [0]
    across = _Scale(min(ranks) - 1, max(ranks) + 1)
    strokes = []
    for dot in drawn:
        y, down = (scale.upwards(text) for text in (dot.value.upper, dot.value.lower))
        strokes.append(Stroke(dot.colour, dot.wrong, dot.title, across.across(dot.rank), y, down))
    return Panel(title, "exact rank", upwards_title, across.numbers(), scale.powers(), (), tuple(strokes))


def _logarithmic(values: Iterable[Bounds]) -> _Scale:
    """Whole powers of ten around all ends that are on the axis."""
    powers = [power for pair in values for text in pair if text is not None and (power := logarithm(text)) is not None]
    low, high = math.floor(min(powers, default=0)), math.ceil(max(powers, default=0))
    return _Scale(low, max(high, low + 1))


def _band(curve: Curve, across: _Scale, scale: _Scale) -> Band:
    def drawn(texts: Sequence[str | None]) -> list[str]:
        parts = min(len(texts), MOST_POINTS)
        places = [k * (len(texts) - 1) // max(1, parts - 1) for k in range(parts)]
        return [f"{across.across(place + 1)} {scale.upwards(texts[place])}" for place in places]

    upper, lower = drawn([pair.upper for pair in curve.values]), drawn([pair.lower for pair in curve.values])
    line = upper if curve.middle is None else drawn([pair.upper for pair in curve.middle])
    # A line of no length has round ends, and so is a dot.
    path = "M" + "L".join(line if len(line) > 1 else line * 2) if line else ""
    return Band(curve.colour, curve.style, curve.title, f"M{'L'.join(upper + lower[::-1])}Z", path)
