"""Which rows of a region are facets, and what proves it: a vertex at which only the rows of a cone are 0, or a point beyond one facet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exactrelu.certificates import Vector
from exactrelu.regions.charts import primitive
from exactrelu.regions.evidence_cones import NoMinimumError, VertexCone, feasible
from exactrelu.regions.vertices import value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row


class FacetProof:
    """What is known of a region: the mask of rows that are facets, cones and points that prove it, whether interior points have been shown.

    cone: one with its apex in the region; cones: those that are known already. `further` are to be written.
    """

    def __init__(self, rows: Sequence[Row], cone: VertexCone, cones: Sequence[VertexCone]) -> None:
        self._rows = rows
        self._cone = cone
        self._known = list(cones)
        self._inside = False
        self.facets = 0
        self.further: list[VertexCone] = []
        self.points: list[Vector] = []
        for known in cones:
            self._look_at(known)

    def _look_at(self, cone: VertexCone) -> None:
        if (not self._inside or cone.mask & ~self.facets) and cone.is_simple(self._rows):
            self._inside = True
            self.facets |= cone.mask

    def _write(self, cone: VertexCone) -> None:
        self._known.append(cone)
        self.further.append(cone)
        self._look_at(cone)

    def decide(self, number: int) -> None:
        """Prove that a row is a facet, or that it follows from others."""
        row = self._rows[number]
        if self.facets >> number & 1 or any(number not in known.basis and known.implies(row) for known in self._known):
            return
        self._cone = self._cone.least(row, self._rows)
        if number not in self._cone.basis or self._cone.is_simple(self._rows):
            self._write(self._cone)
            return
        # More rows than needed meet at the apex.
        other = _without(self._rows, number)
        if other is not None:
            self._write(other)
        else:
            self.facets |= 1 << number
            self.points.append(_beyond(self._rows, self._cone, number))

    def show_inside(self) -> None:
        """Prove that the region has interior points."""
        if not self._inside and self._cone.is_simple(self._rows):
            self._write(self._cone)
        elif not self._inside:
            self.points.append(_point(_relative_interior(self._rows, self._cone, None)))


def _without(rows: Sequence[Row], number: int) -> VertexCone | None:
    """A cone of other rows from which this one follows."""
    others = [*rows[:number], *rows[number + 1 :]]
    cone = feasible(others, len(rows[0]) - 1)
    try:
        cone = cone.least(rows[number], others)
    except NoMinimumError:
        return None
    return replace(cone, basis=tuple([i + (i >= number) for i in cone.basis])) if cone.implies(rows[number]) else None


def _beyond(rows: Sequence[Row], cone: VertexCone, number: int) -> Vector:
    """A point at which this facet's row, one of a cone's, is negative, and all others are positive."""
    point, normal = _relative_interior(rows, cone, number), cone.rays[cone.basis.index(number)]
    while True:
        point = tuple([2 * entry for entry in point])
        near = tuple([entry - step for entry, step in zip(point, normal, strict=True)])
        if all(i == number or value(row, near) > 0 for i, row in enumerate(rows)):
            return _point(near)


def _relative_interior(rows: Sequence[Row], cone: VertexCone, fixed: int | None) -> Row:
    """A point at which all rows are positive but the one of the cone that is fixed, which is 0."""
    total = cone.apex
    for i, row in enumerate(rows):
        if i != fixed:
            try:
                high = cone.least(tuple([-entry for entry in row]), rows, fixed=fixed).apex
            except NoMinimumError as error:
                high = _sum(*error.args)
            total = _sum(total, high)
    return total


def _sum(first: Row, second: Row) -> Row:
    return tuple([x + y for x, y in zip(first, second, strict=True)])


def _point(homogeneous: Row) -> Vector:
    *x, t = primitive(homogeneous)
    return Vector(tuple(x), t)
