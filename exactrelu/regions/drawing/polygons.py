"""Regions of the plane as convex polygons inside a view box, exactly: cut along lines, with their areas.

A convex set is held by generators, integer vectors (x, y, t) with t >= 0: it holds the points (x, y, 1) that are non-negative
combinations of them. So unbounded regions need no case of their own: a generator with t = 0 is a direction. Cutting along a line keeps
the generators on one side and adds, of all points where a segment between two generators crosses the line, the outermost ones.

>>> view = View(Fraction(-1), Fraction(1), Fraction(0), Fraction(2))
>>> upper_half_plane = ((0, 0, 1), (1, 0, 0), (-1, 0, 0), (0, 1, 0))
>>> polygon = clipped(upper_half_plane, view)
>>> polygon, area(polygon)
(((-1, 0, 1), (1, 0, 1), (1, 2, 1), (-1, 2, 1)), Fraction(4, 1))
>>> zero_set(polygon, (1, -1, 0))
((0, 0, 1), (1, 1, 1))
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import parse_rational
from exactrelu.regions.charts import primitive
from exactrelu.regions.vertices import crossing_vertex, value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exactrelu.regions.charts import Row
    from exactrelu.regions.complex import RegionComplex

# Of how many vertices, in parts of all, the default view may leave out at either end of each axis.
_FAR = Fraction(1, 10)
_MARGIN = Fraction(1, 8)


@dataclass(frozen=True)
class View:
    """The box left <= x <= right, bottom <= y <= top of the plane; raises InvalidRequestError where it has no interior."""

    left: Fraction
    right: Fraction
    bottom: Fraction
    top: Fraction

    def __post_init__(self) -> None:
        if self.left >= self.right or self.bottom >= self.top:
            raise InvalidRequestError("the view has no interior; give LEFT,RIGHT,BOTTOM,TOP with LEFT < RIGHT and BOTTOM < TOP")

    @staticmethod
    def parse(text: str) -> View:
        """Read `LEFT,RIGHT,BOTTOM,TOP`, exact decimals or fractions; raises InvalidRequestError and InvalidNumberError.

        >>> View.parse("-1,1/2,0,3").right
        Fraction(1, 2)
        """
        parts = text.split(",")
        if len(parts) != 4:
            raise InvalidRequestError(f"{text[:60]!r} is not a view; write LEFT,RIGHT,BOTTOM,TOP with four numbers, such as -1,1,-1,1")
        return View(*map(parse_rational, parts))

    @staticmethod
    def around(found: RegionComplex) -> View:
        """A box with a margin around the vertices of a complex in the plane.

        Where there are unbounded regions, up to a tenth of the vertices at either end of each axis may be outside: nearly parallel
        walls meet far away. Raises InvalidRequestError where the complex is not one of the plane, or no region is known.
        """
        check_plane(found)
        points = [point.fractions() for point in found.points()]
        far = 0 if found.bounded_regions == found.regions else int(len(points) * _FAR)
        if not points:
            points = [[Fraction(x, t), Fraction(y, t)] for x, y, t in found.generators()[0] if t]
        bounds = []
        for j in range(2):
            values = sorted(point[j] for point in points)
            low, high = values[far], values[-1 - far]
            margin = (high - low) * _MARGIN or Fraction(1)
            bounds += [low - margin, high + margin]
        return View(*bounds)

    def sides(self) -> list[Row]:
        """Four forms that are at least 0 in the box."""
        sides = []
        for j, low, high in ((0, self.left, self.right), (1, self.bottom, self.top)):
            for sign, bound in ((1, low), (-1, high)):
                side = [0, 0, -sign * bound.numerator]
                side[j] = sign * bound.denominator
                sides.append(tuple(side))
        return sides


def check_plane(found: RegionComplex) -> None:
    """Raise InvalidRequestError unless the complex is one of the plane and a region of it is known."""
    if found.space_dimension != 2:
        raise InvalidRequestError(
            f"a plot shows the plane, but there are {found.space_dimension} coordinates; give a slice through three points, --slice FILE"
        )
    if not found.regions:
        raise InvalidRequestError("no region is known, so there is nothing to plot; give a larger limit")


def polygons(found: RegionComplex, view: View) -> dict[int, tuple[Row, ...]]:
    """What a view box holds, as `clipped` gives it, of the regions of a complex in the plane, by their numbers.

    Regions are left out where that has a smaller dimension than they have: those that do not meet the box, or only touch it. Raises
    InvalidRequestError where the complex is not one of the plane, or no region is known.
    """
    check_plane(found)
    points, spanning = found.generators()
    points = [primitive(point) for point in points]
    lines = _lines(found)
    inside = ((region, clipped([*(points[place] for place in places), *lines], view)) for region, places in enumerate(spanning))
    return {region: polygon for region, polygon in inside if len(polygon) > found.dimension}


def walls(found: RegionComplex, view: View) -> dict[int, tuple[Row, ...]]:
    """What a view box holds, as `clipped` gives it, of the facets that two regions share, by the numbers of the pairs.

    Raises InvalidRequestError where the complex is not one of the plane, or no region is known.
    """
    check_plane(found)
    points, spanning = found.generators()
    points = [primitive(point) for point in points]
    places, lines = [set(own) for own in spanning], _lines(found)
    # Two regions that share a facet have there the same generators.
    shared = (places[i] & places[j] for i, j in found.neighbours.tolist())
    inside = ((pair, clipped([*(points[place] for place in sorted(common)), *lines], view)) for pair, common in enumerate(shared))
    return {pair: wall for pair, wall in inside if len(wall) == found.dimension}


def _lines(found: RegionComplex) -> list[Row]:
    return [(*(sign * entry for entry in line.numerators), 0) for line in found.lineality for sign in (1, -1)]


def clipped(generators: Sequence[Row], view: View) -> tuple[Row, ...]:
    """What a view box holds of the convex set of some generators, as corners: counterclockwise, none between two others.

    Two corners are a segment, one is a point; nothing is left where they do not meet.
    """
    for side in view.sides():
        generators = half(generators, side)
    return _hull(generators)


def half(generators: Sequence[Row], form: Row) -> tuple[Row, ...]:
    """Generators of the part in which a form is at least 0."""
    values = [value(form, generator) for generator in generators]
    if min(values, default=0) >= 0:
        return tuple(generators)
    kept = (generator for generator, at in zip(generators, values, strict=True) if at >= 0)
    return (*kept, *_outermost(_crossings(generators, values, form), form))


def polygon_half(polygon: Sequence[Row], form: Row) -> tuple[Row, ...]:
    """The corners, as `clipped` gives them, of the part of a polygon in which a form is at least 0."""
    return _hull(half(polygon, form))


def zero_set(polygon: Sequence[Row], form: Row) -> tuple[Row, ...]:
    """Where a form vanishes on a polygon: nothing, a point, the two ends of a segment, or the polygon itself."""
    values = [value(form, corner) for corner in polygon]
    if not any(values):
        return tuple(polygon)
    on = (corner for corner, at in zip(polygon, values, strict=True) if at == 0)
    return tuple(sorted(_outermost([*on, *_crossings(polygon, values, form)], form)))


def area(polygon: Sequence[Row]) -> Fraction:
    """The area of a polygon whose corners are given counterclockwise."""
    points = coordinates(polygon)
    cyclic = zip(points, [*points[1:], *points[:1]], strict=True)
    return sum((a * d - b * c for (a, b), (c, d) in cyclic), Fraction(0)) / 2


def coordinates(polygon: Iterable[Row]) -> list[tuple[Fraction, Fraction]]:
    """The corners of a polygon as fractions."""
    return [(Fraction(x, t), Fraction(y, t)) for x, y, t in polygon]


def _crossings(generators: Sequence[Row], values: Sequence[int], form: Row) -> list[Row]:
    """Where segments between two generators cross the line of a form."""
    signed = list(zip(generators, values, strict=True))
    plus, minus = ([generator for generator, at in signed if sign * at > 0] for sign in (1, -1))
    found = (crossing_vertex(form, p, n) for p in plus for n in minus)
    # Two opposite directions cross nowhere.
    return [crossing for crossing in found if any(crossing)]


def _outermost(points: Sequence[Row], form: Row) -> tuple[Row, ...]:
    """Of points and directions on the line of a form those that lie farthest to either side, and a point between two directions."""
    a, b, _ = form

    def along(point: Row) -> Fraction | float:
        x, y, t = point
        s = a * y - b * x
        return Fraction(s, t) if t else math.copysign(math.inf, s)

    if len(points) < 2:
        return tuple(points)
    first, last = min(points, key=along), max(points, key=along)
    # Two opposite directions alone hold no point.
    middle = [point for point in points if point[2]][:1] if first[2] == last[2] == 0 else []
    return tuple(dict.fromkeys([first, *middle, last]))


def _hull(points: Iterable[Row]) -> tuple[Row, ...]:
    """The corners of the convex hull of points, t > 0, counterclockwise from the leftmost."""
    ordered = sorted(set(map(primitive, points)), key=lambda point: (Fraction(point[0], point[2]), Fraction(point[1], point[2])))
    if len(ordered) < 3:
        return tuple(ordered)
    return (*_chain(ordered), *_chain(ordered[::-1]))


def _chain(ordered: Sequence[Row]) -> list[Row]:
    """The corners of the hull below points ordered from left to right, the last point left out."""
    corners: list[Row] = []
    for point in ordered:
        while len(corners) > 1 and _turn(corners[-2], corners[-1], point) <= 0:
            corners.pop()
        corners.append(point)
    return corners[:-1]


def _turn(p: Row, q: Row, r: Row) -> int:
    """Positive where p, q, r turn to the left, 0 where they lie on a line."""
    return value(r, (p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]))
