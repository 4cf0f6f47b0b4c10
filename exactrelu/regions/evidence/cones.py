"""The simplex method with integers: cones of independent rows around a polyhedron, from one to the next.

A polyhedron is where all of its rows, forms of (x, t), are at least 0. A cone is where some independent ones are, and is given by what
spans it; its apex lies in the polyhedron. A form that is least there, of all points of the cone, follows from the cone's rows (theory C1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.regions.vertices import value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row


class NoMinimumError(ValueError):
    """A form that has no least value on a polyhedron, or a row that is positive nowhere on it."""


class EmptyError(NoMinimumError):
    """A row that is negative on a cone of others: its number and the cone."""


@dataclass(frozen=True, eq=False)
class VertexCone:
    """The rows `basis` of a polyhedron, by their numbers: row i is `size` > 0 at ray i, and 0 at the other rays and at the apex.

    All rows of the polyhedron are 0 along the lines.

    >>> rows = [(1, 0, 0), (0, 1, 0), (-1, -1, 1)]
    >>> cone = feasible(rows, 2)
    >>> cone.basis, cone.apex, cone.least((-1, 0, 5), rows).basis
    ((0, 1), (0, 0, 1), (2, 1))
    """

    basis: tuple[int, ...]
    rays: tuple[Row, ...]
    apex: Row
    lines: tuple[Row, ...]
    size: int

    @staticmethod
    def everything(n: int) -> VertexCone:
        *lines, apex = (tuple([int(i == j) for j in range(n + 1)]) for i in range(n + 1))
        return VertexCone((), (), apex, tuple(lines), 1)

    @property
    def mask(self) -> int:
        return sum(1 << number for number in self.basis)

    def renumbered(self, numbers: Sequence[int]) -> VertexCone:
        """The same cone where row numbers[i] has become row i."""
        new = {number: place for place, number in enumerate(numbers)}
        return VertexCone(tuple([new[number] for number in self.basis]), self.rays, self.apex, self.lines, self.size)

    def implies(self, form: Row) -> bool:
        """Whether a form is at least 0 on the cone."""
        if value(form, self.apex) < 0 or any(value(form, ray) < 0 for ray in self.rays):
            return False
        return not any(value(form, line) for line in self.lines)

    def within(self, form: Row) -> VertexCone | None:
        """Of a cone without rows, which is all of an affine subspace, the part where a form is 0; None where there is none."""
        for place, line in enumerate(self.lines):
            if value(form, line):
                cut = self.with_line_cut(0, form, place)
                return VertexCone((), (), cut.apex, cut.lines, cut.size)
        return None if value(form, self.apex) else self

    def positive_at_apex(self, form: Row) -> bool:
        """Whether a form is positive at the apex, which without lines is one point, and constant along lines."""
        return value(form, self.apex) > 0 and not any(value(form, line) for line in self.lines)

    def sign(self, form: Row) -> bool | None:
        """True where a form is at least 0 on the cone, and not 0; False where it is at most 0; None where it is neither."""
        found = value(form, self.apex)
        for ray in self.rays:
            slope = value(form, ray)
            if slope:
                if found and (slope > 0) != (found > 0):
                    return None
                found = slope
        return None if any(value(form, line) for line in self.lines) else found > 0

    def positive(self, form: Row) -> bool:
        """Whether a form is positive on the cone."""
        return value(form, self.apex) > 0 and self.implies(form)

    def is_simple(self, rows: Sequence[Row]) -> bool:
        """Whether all other rows are positive at the apex, so that each of the basis is a facet."""
        return all(number in self.basis or self.positive_at_apex(row) for number, row in enumerate(rows))

    def exchanged(self, number: int, row: Row, place: int) -> VertexCone:
        """A row in place of another one of the basis."""
        size, ray, cleared = self._step(row, self.rays[place])
        basis = (*self.basis[:place], number, *self.basis[place + 1 :])
        rays = tuple([ray if i == place else _cleared(other, *cleared) for i, other in enumerate(self.rays)])
        return VertexCone(basis, rays, _cleared(self.apex, *cleared), tuple([_cleared(line, *cleared) for line in self.lines]), size)

    def with_line_cut(self, number: int, row: Row, place: int) -> VertexCone:
        """A row more, which changes along a line."""
        size, ray, cleared = self._step(row, self.lines[place])
        rays = (*(_cleared(other, *cleared) for other in self.rays), ray)
        lines = tuple([_cleared(line, *cleared) for i, line in enumerate(self.lines) if i != place])
        return VertexCone((*self.basis, number), rays, _cleared(self.apex, *cleared), lines, size)

    def _step(self, row: Row, ray: Row) -> tuple[int, Row, tuple[Row, Row, int, int]]:
        size = value(row, ray)
        if size < 0:
            size, ray = -size, tuple([-entry for entry in ray])
        return size, ray, (row, ray, size, self.size)

    # ------------------------------------------------------------ the simplex method

    def least(self, form: Row, rows: Sequence[Row], fixed: int | None = None) -> VertexCone:
        """The cone at whose apex a form is least on the polyhedron, by Bland's rule; where row `fixed` of the basis is 0.

        Raises NoMinimumError, whose argument is then a ray of the polyhedron along which the form falls.
        """
        cone = self
        while True:
            falling = [(number, place) for place, number in enumerate(cone.basis) if number != fixed and value(form, cone.rays[place]) < 0]
            if not falling:
                return cone
            place = min(falling)[1]
            number = cone.first_met(cone.rays[place], rows)
            if number is None:
                raise NoMinimumError(cone.rays[place], cone.apex)
            cone = cone.exchanged(number, rows[number], place)

    def first_met(self, ray: Row, rows: Sequence[Row]) -> int | None:
        """The row that becomes 0 first from the apex along a ray; of several the first."""
        found, least, slope = None, 0, 0
        for number, row in enumerate(rows):
            if number not in self.basis:
                falls = -value(row, ray)
                if falls > 0:
                    height = value(row, self.apex)
                    if found is None or height * slope < least * falls:
                        found, least, slope = number, height, falls
        return found

    def with_row(self, number: int, rows: Sequence[Row]) -> VertexCone:
        """A cone whose apex lies in the polyhedron with one row more, rows[number], the last.

        Raises EmptyError where nothing is left of it.
        """
        cone, row = self, rows[number]
        for place, line in enumerate(cone.lines):
            if value(row, line):
                return cone.with_line_cut(number, row, place)
        others = rows[:number]
        while value(row, cone.apex) < 0:
            rising = [(other, place) for place, other in enumerate(cone.basis) if value(row, cone.rays[place]) > 0]
            if not rising:
                raise EmptyError(number, cone)
            place = min(rising)[1]
            ray = cone.rays[place]
            met = cone.first_met(ray, others)
            # whether the new row is 0 before that
            if met is None or value(row, cone.apex) * value(others[met], ray) <= value(others[met], cone.apex) * value(row, ray):
                return cone.exchanged(number, row, place)
            cone = cone.exchanged(met, others[met], place)
        return cone


def _cleared(vector: Row, row: Row, ray: Row, size: int, old: int) -> Row:
    """The vector, made longer, where the row is 0; by Cramer's rule entries are determinants, so that the division is exact."""
    there = value(row, vector)
    return tuple([(size * entry - there * r) // old for entry, r in zip(vector, ray, strict=True)])


def feasible(rows: Sequence[Row], n: int) -> VertexCone:
    """A cone with its apex in the polyhedron of these rows; EmptyError where it is empty."""
    cone = VertexCone.everything(n)
    for number in range(len(rows)):
        cone = cone.with_row(number, rows)
    return cone
