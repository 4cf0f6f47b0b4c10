"""Section 4.13 of proofs/FORMAT.md: the cone in which some independent rows are at least 0, by what spans it.

A row is at least 0 on it if and only if it is so at the apex and along every ray, and 0 along every line. Exchanging one row for another
changes these by one step of fraction-free elimination.
"""

from __future__ import annotations

from operator import mul
from typing import TYPE_CHECKING

from exactrelu.checker.text import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

SECTION = "4.13"
# beyond these a checker gives up: bits of all numbers of a cone
CONE_BITS = 2**28

Form = tuple[int, ...]
"""a1 .. an b, for x -> a.x + b; and v1 .. vn t for the point v / t or, with t = 0, the direction v."""


def value(form: Form, vector: Form) -> int:
    """A form at a point, times its t, or along a direction."""
    return sum(map(mul, form, vector))


class Cone:
    """At ray i row i is `size` > 0, and all other rows are 0; they are 0 at the apex, with t = `size`, and along the lines."""

    def __init__(self, rows: list[Form], rays: list[Form], apex: Form, lines: list[Form], size: int) -> None:
        self.rows, self.rays, self.apex, self.lines, self.size = rows, rays, apex, lines, size

    @staticmethod
    def everything(n: int) -> Cone:
        """No rows: all of R^n."""
        *lines, apex = (tuple([int(i == j) for j in range(n + 1)]) for i in range(n + 1))
        return Cone([], [], apex, lines, 1)

    def of(self, rows: Sequence[Form]) -> Cone:
        """The cone of these rows, which have to be independent, from this one."""
        cone = self
        for row in rows:
            if row not in cone.rows:
                cone = cone._with(row, rows)
        if len(cone.rows) < len(rows):
            raise Rejected(SECTION, "two rows of a cone are the same")
        # rows that none has replaced
        return cone if len(cone.rows) == len(rows) else Cone.everything(len(self.apex) - 1).of(rows)

    def _with(self, row: Form, wanted: Sequence[Form]) -> Cone:
        """A row more, in place of one that is not wanted or of a line."""
        for place, old in enumerate(self.rows):
            if old not in wanted and value(row, self.rays[place]):
                return self._exchanged(row, self.rays[place], place)
        for place, line in enumerate(self.lines):
            if value(row, line):
                return self._exchanged(row, line, None, place)
        raise Rejected(SECTION, "the rows of a cone are not independent")

    def _exchanged(self, row: Form, pivot: Form, place: int | None, line: int | None = None) -> Cone:
        step = value(row, pivot)
        if step < 0:
            step, pivot = -step, tuple([-entry for entry in pivot])
        if step.bit_length() * len(pivot) ** 2 > CONE_BITS:
            raise Rejected(SECTION, "the numbers of a cone are longer than a checker takes on")
        old = self.size

        def cleared(vector: Form) -> Form:
            """The vector, made longer, where the row is 0: by Cramer's rule its entries are determinants, so that the division is exact."""
            there = value(row, vector)
            return tuple([(step * entry - there * p) // old for entry, p in zip(vector, pivot, strict=True)])

        rows, rays = list(self.rows), [pivot if i == place else cleared(ray) for i, ray in enumerate(self.rays)]
        if place is None:
            rows.append(row)
            rays.append(pivot)
        else:
            rows[place] = row
        return Cone(rows, rays, cleared(self.apex), [cleared(entry) for i, entry in enumerate(self.lines) if i != line], step)

    def within(self, form: Form) -> Cone | None:
        """Of a cone without rows, which is all of an affine subspace, the part where a form is 0; None where there is none."""
        for place, line in enumerate(self.lines):
            if value(form, line):
                cut = self._exchanged(form, line, None, place)
                return Cone([], [], cut.apex, cut.lines, cut.size)
        return None if value(form, self.apex) else self

    def positive_at_apex(self, forms: Sequence[Form]) -> bool:
        """Whether the forms are positive at the apex, which without lines is one point, and constant along lines."""
        apex = self.apex
        for form in forms:
            if sum(map(mul, form, apex)) <= 0:
                return False
        return not any(map(self._changes, forms))

    def above(self, form: Form) -> bool:
        """Whether the form is at least 0 on the cone: a sum of its rows with multipliers >= 0, and of a number >= 0."""
        for vector in (self.apex, *self.rays):
            if value(form, vector) < 0:
                return False
        return not self._changes(form)

    def positive(self, form: Form) -> bool:
        """Whether the form is positive on the cone."""
        return value(form, self.apex) > 0 and self.above(form)

    def _changes(self, form: Form) -> bool:
        return bool(self.lines) and any(value(form, line) for line in self.lines)

    def sign(self, form: Form) -> bool | None:
        """True where the form is at least 0 on the cone, and not 0; False where it is at most 0; None where it is neither."""
        found = value(form, self.apex)
        for ray in self.rays:
            slope = value(form, ray)
            if slope:
                if found and (slope > 0) != (found > 0):
                    return None
                found = slope
        return None if self._changes(form) else found > 0
