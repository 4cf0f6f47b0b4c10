"""Section 4.9 of proofs/FORMAT.md: what a leaf of a tree of cells holds, a polyhedron in an affine subspace, its *flat*.

The flat becomes smaller where a cone shows that further rows are 0 on all of the polyhedron, until it is empty, one point, or has as many
dimensions as the polyhedron may have.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exactrelu.checker.claim import point_of
from exactrelu.checker.regions import coprime
from exactrelu.checker.regions_cone import Cone, Form, value
from exactrelu.checker.regions_tree import longest
from exactrelu.checker.text import Fields, Rejected, Text, bits

if TYPE_CHECKING:
    from collections.abc import Sequence

SECTION = "4.9"
# beyond these a checker gives up, before it looks for common factors: bits of an integer of a form, and of a point
FORM_BITS = 2**16
POINT_BITS = 2**18


@dataclass
class Held:
    """What the leaves hold: points; the largest dimension of a flat, and that of a set of which a point shows it; whether one has a ray."""

    points: set[Form] = field(default_factory=set)
    most: int = 0
    shown: int = 0
    unbounded: bool = False


def opposite(form: Form) -> Form:
    """The form times -1."""
    return tuple([-entry for entry in form])


def reduced(form: Sequence[int], most: int) -> Form:
    """The form divided by a positive number so that its integers, of at most so many bits, are coprime."""
    if longest([form]) > most:
        raise Rejected(SECTION, f"numbers of more than {most} bits are more than a checker takes on")
    return coprime(form)


class LeafSet:
    """The inputs at which all rows are at least 0, in a flat: where `zero`, which become more, are 0. No `flat`: there are none."""

    def __init__(self, n: int, rows: Sequence[Form], zero: Sequence[Form]) -> None:
        self.rows = rows
        self.zero: list[Form] = []
        self.flat: Cone | None = Cone.everything(n)
        for form in zero:
            self._cut(form)

    def _cut(self, form: Form) -> None:
        if self.flat is not None:
            self.zero.append(form)
            self.flat = self.flat.within(form)

    @property
    def dimension(self) -> int:
        """Of the flat; -1 where there is none."""
        return -1 if self.flat is None else len(self.flat.lines)

    def check(self, text: Text, held: Held, *, needs_bounds: bool) -> None:
        """Read what makes the flat smaller, and what the leaf shows of the claim."""
        while self.dimension > 0 and text.begins("zero"):
            self._shrink(text.take("zero", SECTION))
        if self.flat is None:
            return
        if not self.flat.lines:
            if all(value(row, self.flat.apex) >= 0 for row in self.rows):
                held.points.add(reduced(self.flat.apex, POINT_BITS))
            return
        held.most = max(held.most, self.dimension)
        if needs_bounds:
            self._check_bounded(text.take("bounded", SECTION))
        while text.begins("point"):
            held.shown = max(held.shown, self._read_point(text.take("point", SECTION)))
            if text.begins("direction"):
                self._check_direction(text.take("direction", SECTION))
                held.unbounded = True

    def _cone(self, fields: Fields) -> Cone:
        """The part of the flat in which the rows of a mask, independent there, are at least 0."""
        assert self.flat is not None
        return self.flat.of([self.rows[i] for i in bits(fields.mask("the rows", len(self.rows)))])

    def _shrink(self, fields: Fields) -> None:
        """A row that is nowhere positive on a cone: it and the rows of the cone on which it depends are 0 in the leaf, or it is empty."""
        number = fields.natural("a row", len(self.rows) - 1)
        cone, row = self._cone(fields), self.rows[number]
        fields.done()
        if not cone.above(opposite(row)):
            fields.reject("the row is positive somewhere on the cone")
        if value(row, cone.apex) < 0:
            self.flat = None
        for other, ray in zip(cone.rows, cone.rays, strict=True):
            if value(row, ray):
                self._cut(other)

    def _check_bounded(self, fields: Fields) -> None:
        """The rows of the first cone are coordinates of the flat; on the second, and so in the leaf, their sum has an upper bound."""
        corner, cone = self._cone(fields), self._cone(fields)
        fields.done()
        total = tuple([sum(entries) for entries in zip(*(reduced(row, FORM_BITS) for row in corner.rows), strict=True)])
        if corner.lines or any(value(total, ray) > 0 for ray in cone.rays) or any(value(total, line) for line in cone.lines):
            fields.reject("the two cones do not show that the leaf is bounded")

    def _read_point(self, fields: Fields) -> int:
        """A point of the leaf: the flat's dimension, if it shows that this is the leaf's, for no row is 0 there that is not throughout."""
        assert self.flat is not None
        x = point_of(fields, len(self.flat.apex) - 1, "a point")
        point = (*x.numerators, x.denominator)
        if not self._contains(point):
            fields.reject("the point is not in the leaf")
        inner = all(value(row, point) > 0 or self._vanishes(row) for row in self.rows)
        return self.dimension if inner else 0

    def _check_direction(self, fields: Fields) -> None:
        assert self.flat is not None
        d = point_of(fields, len(self.flat.apex) - 1, "a direction")
        if not any(d.numerators) or not self._contains((*d.numerators, 0)):
            fields.reject("the direction is 0 or leads out of the leaf")

    def _contains(self, vector: Form) -> bool:
        return not any(value(form, vector) for form in self.zero) and all(value(row, vector) >= 0 for row in self.rows)

    def _vanishes(self, row: Form) -> bool:
        assert self.flat is not None
        return not any(value(row, vector) for vector in (self.flat.apex, *self.flat.lines))
