"""Whether the images of two cells meet anywhere but in their common face: one small linear program, exactly (theory I11).

Let the network be injective on each of two cells of a complex, and C their common face, spanned by the generators that they share. A point
of one cell and one of the other that have the same value and are not one point of C are cone combinations that use a generator outside C;
conversely such combinations are never the same point, for a face holds only what its own generators span. So the program

    sum a_g image(g) + sum c_g image(g) = sum b_h image(h),  a, b >= 0, c of any sign, a and b not all zero

decides, the weights of points (not of rays) being not all zero where C has no point. Farkas' prices are a hyperplane between the images
that touches both in the image of C alone: a linear function of the outputs that tells the two cells apart (proofs/FORMAT.md, 4.16).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from exactrelu.exact.least_squares import feasible
from exactrelu.exact.rational import RationalVector
from exactrelu.injectivity.network.pieces import OutOfTimeError
from exactrelu.regions.charts import primitive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row


@dataclass(frozen=True)
class Meeting:
    """Two different points with one value, or integers e (m,) with e.f <= z on the first cell, >= z on the second, = z on both alone."""

    ends: tuple[RationalVector, RationalVector] | None
    apart: Row | None


def meeting(
    points: Sequence[Row],
    images: Sequence[Row],
    factors: Sequence[Fraction],
    first: Sequence[int],
    second: Sequence[int],
    deadline: float | None,
) -> Meeting:
    """Whether the cells spanned by some generators, on each of which the network is injective, have two points with one value.

    points: generators (x, t); images: what the network makes of factors[g] * (x, t), that is (t f(x / t), t) or a ray's image.
    deadline: a time of `time.monotonic()`. Raises OutOfTimeError.

    >>> ends = [(-1, 1), (0, 1), (2, 1)]
    >>> x, y = meeting(ends, [(1, 1), (0, 1), (2, 1)], [Fraction(1)] * 3, [0, 1], [1, 2], None).ends
    >>> x.texts(), y.texts()
    (['-2/5'], ['2/5'])
    >>> meeting(ends, [(-5, 1), (0, 1), (2, 1)], [Fraction(1)] * 3, [0, 1], [1, 2], None)
    Meeting(ends=None, apart=(1,))
    """
    common = sorted(set(first) & set(second))
    own = [place for place in first if place not in common]
    other = [place for place in second if place not in common]
    corner = next((place for place in common if points[place][-1]), None)
    signed = [(place, sign) for sign in (1, -1) for place in common]
    columns = [
        *((*images[place], int(corner is not None or points[place][-1] > 0)) for place in own),
        *((*(-value for value in images[place]), int(corner is not None or points[place][-1] > 0)) for place in other),
        *((*(sign * value for value in images[place]), 0) for place, sign in signed),
    ]
    found = feasible(columns, [*(0 for _ in images[first[0]]), 1], deadline)
    if found is None:
        raise OutOfTimeError("a linear program was not solved")
    if found.weights is None:
        assert found.prices is not None
        *prices, _, _ = found.prices
        return Meeting(None, primitive([-price for price in prices]))
    weights = [Fraction(int(weight.p), int(weight.q)) for weight in found.weights]
    left = dict(zip(own, weights, strict=False))
    right = dict(zip(other, weights[len(own) :], strict=False))
    for (place, sign), weight in zip(signed, weights[len(own) + len(other) :], strict=True):
        side = left if sign > 0 else right
        side[place] = side.get(place, Fraction(0)) + weight
    if corner is not None:
        # Where only rays were used, from a common point.
        for side in (left, right):
            side[corner] = side.get(corner, Fraction(0)) + 1
    return Meeting((_combined(points, factors, left), _combined(points, factors, right)), None)


def _combined(points: Sequence[Row], factors: Sequence[Fraction], weights: dict[int, Fraction]) -> RationalVector:
    """The point that images with these weights are the value of."""
    total = [Fraction(0)] * len(points[0])
    for place, weight in weights.items():
        if weight:
            total = [a + weight * factors[place] * value for a, value in zip(total, points[place], strict=True)]
    return RationalVector.from_fractions(value / total[-1] for value in total[:-1])
