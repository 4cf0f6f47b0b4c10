"""Section 4.14 of proofs/FORMAT.md, `image`: bounds, one coordinate by itself, of all that reaches a layer from a domain.

Over intervals a row is least where every input is at the end that its coefficient's sign names. Bounds are exact rationals; over a ball
they may be irrational, and are rounded outwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, lcm
from typing import TYPE_CHECKING

from exactrelu.checker.claim import Ball, Box, Point, Polytope
from exactrelu.checker.sparse import entries, kept
from exactrelu.checker.text import affordable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exactrelu.checker.claim import Domain
    from exactrelu.checker.network import Layer, LayerRow

SECTION = "4.14"
# about what a small number takes in a table
NUMBER_BITS = 512
# of a bound over a ball
BALL_BITS = 64

Bounds = list[int | None]


@dataclass(frozen=True)
class Intervals:
    """lows[j] <= denominator * x_j <= highs[j]; None: there is no such bound."""

    denominator: int
    lows: Bounds
    highs: Bounds


class IntervalImage:
    """The intervals that layers, one after the other, make of a domain."""

    def __init__(self, layers: Sequence[Layer], domain: Domain) -> None:
        self._layers, self._domain = layers, domain
        self._intervals: Intervals | None = None
        self._passed = 0

    def before(self, number: int) -> Domain:
        """What reaches a layer, numbered from 2, and not before one that was asked for."""
        for layer in self._layers[self._passed : number - 1]:
            if self._intervals is None and isinstance(self._domain, Ball):
                self._intervals = after_ball(layer, self._domain)
            else:
                self._intervals = after(layer, self._intervals or around(self._domain, layer.inputs))
            self._passed += 1
        return self._domain if self._intervals is None else as_domain(self._intervals)


def around(domain: Domain, n: int) -> Intervals:
    """The intervals of a domain's coordinates; of a polytope, what the sides with one coefficient that is not 0 say."""
    if isinstance(domain, Box):
        d, e = domain.lower.denominator, domain.upper.denominator
        numbers = longest([*domain.lower.numerators, *domain.upper.numerators])
        affordable(2 * n, NUMBER_BITS + d.bit_length() + e.bit_length() + numbers, SECTION)
        return Intervals(d * e, [v * e for v in domain.lower.numerators], [v * d for v in domain.upper.numerators])
    lows: list[Fraction | None] = [Fraction(0) if domain == "orthant" else None] * n
    highs: list[Fraction | None] = [None] * n
    for constant, coefficients in domain.rows if isinstance(domain, Polytope) else ():
        used = [(j, a) for j, a in enumerate(coefficients) if a]
        if len(used) == 1:
            ((j, a),) = used
            bound, low, high = Fraction(-constant, a), lows[j], highs[j]
            if a > 0:
                highs[j] = bound if high is None else min(high, bound)
            else:
                lows[j] = bound if low is None else max(low, bound)
    bounds = [bound for bound in (*lows, *highs) if bound is not None]
    size = sum(bound.denominator.bit_length() for bound in bounds) + longest(bound.numerator for bound in bounds)
    affordable(2 * n, NUMBER_BITS + size, SECTION)
    common = lcm(*(bound.denominator for bound in bounds))
    whole: list[Bounds] = [[None if bound is None else int(bound * common) for bound in part] for part in (lows, highs)]
    return Intervals(common, *whole)


def after(layer: Layer, given: Intervals) -> Intervals:
    """The intervals of a layer's outputs."""
    numbers = longest(value for value in (given.denominator, *given.lows, *given.highs) if value is not None)
    affordable(2 * layer.outputs, NUMBER_BITS + numbers + width(layer), SECTION)
    lows = [least(row, given.denominator, given.lows, given.highs) for row in layer.rows]
    highs = [least(row, given.denominator, given.highs, given.lows) for row in layer.rows]
    return outputs(layer, given.denominator, 0, lows, highs)


def least(row: LayerRow, denominator: int, lows: Bounds, highs: Bounds) -> int | None:
    """denominator / 2^exponent times the row, every input being its low, and its high where the coefficient is negative."""
    total = row.constant * denominator
    for j, a in entries(row.coefficients):
        if a:
            end = (lows if a > 0 else highs)[j]
            if end is None:
                return None
            total += a * end
    return total


def after_ball(layer: Layer, ball: Ball) -> Intervals:
    """The intervals b -+ r |a| of a layer's outputs for |x| <= r."""
    affordable(2 * layer.outputs, NUMBER_BITS + 2 * (ball.numerator * ball.denominator).bit_length() + 2 * width(layer), SECTION)
    middles = [row.constant * ball.denominator << BALL_BITS for row in layer.rows]
    reaches = [root_above(ball.numerator**2 * sum(a * a for a in kept(row.coefficients))) for row in layer.rows]
    lows: Bounds = [middle - reach for middle, reach in zip(middles, reaches, strict=True)]
    highs: Bounds = [middle + reach for middle, reach in zip(middles, reaches, strict=True)]
    return outputs(layer, ball.denominator, BALL_BITS, lows, highs)


def root_above(square: int) -> int:
    """2^64 times the root of v 4^f, v no multiple of 4: 2^f times that of v, rounded up to a multiple of 2^-h, so that it has 64 bits."""
    if square == 0:
        return 0
    fours = ((square & -square).bit_length() - 1) // 2
    square >>= 2 * fours
    more = max(0, BALL_BITS - square.bit_length() // 2)
    root = 1 + isqrt((square << 2 * more) - 1)
    return root << BALL_BITS + fours - more


def outputs(layer: Layer, denominator: int, shift: int, lows: Bounds, highs: Bounds) -> Intervals:
    """The bounds of the rows, each times 2^(its exponent - shift) / denominator, over one denominator, and after the relus."""
    down = max([0, *(shift - row.exponent for row in layer.rows)])
    places = [row.exponent - shift + down for row in layer.rows]
    low, high = ([None if bound is None else bound << place for bound, place in zip(part, places, strict=True)] for part in (lows, highs))
    low = [max(bound or 0, 0) if relu else bound for bound, relu in zip(low, layer.rectified, strict=True)]
    high = [max(bound, 0) if relu and bound is not None else bound for bound, relu in zip(high, layer.rectified, strict=True)]
    return Intervals(denominator << down, low, high)


def as_domain(found: Intervals) -> Domain:
    """A box, all of the space, the orthant, or a polytope with a side for every bound."""
    d, n = found.denominator, len(found.lows)
    lows = [bound for bound in found.lows if bound is not None]
    highs = [bound for bound in found.highs if bound is not None]
    if len(lows) == len(highs) == n:
        return Box(Point(d, lows), Point(d, highs))
    if not highs and len(lows) in {0, n} and not any(lows):
        return "orthant" if lows else "all"
    affordable(n * (len(lows) + len(highs)), NUMBER_BITS, SECTION)
    rows: list[tuple[int, list[int]]] = []
    for j, ends in enumerate(zip(found.lows, found.highs, strict=True)):
        for sign, end in zip((-1, 1), ends, strict=True):
            if end is not None:
                bound = Fraction(end, d)
                rows.append((-sign * bound.numerator, [sign * bound.denominator * (j == k) for k in range(n)]))
    return Polytope(rows)


def width(layer: Layer) -> int:
    """The bits that a row may add to the longest of its inputs."""
    exponents = [row.exponent for row in layer.rows]
    longest_row = max((row.constant.bit_length() + longest(kept(row.coefficients)) for row in layer.rows), default=0)
    return longest_row + max([0, *exponents]) - min([0, *exponents])


def longest(numbers: Iterable[int]) -> int:
    """The bits of the longest number."""
    return max((number.bit_length() for number in numbers), default=0)
