"""The facets of one region and whether it is bounded, exactly (C1's facet rule).

Floats propose (`walk.proposals.py`), integers decide. A row is a facet if a ray from a point inside meets it first, and no other row
there: a point in the relative interior of the facet. It is redundant if it is a combination of other rows with weights >= 0 and a
constant <= 0 (Farkas). On a box rounded weights will do for that, since its sides make up for the rounding; elsewhere least squares over
the rationals, begun where the floats ended, give exact weights, or a ray.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.exact.least_squares import feasible
from exactrelu.regions.walk.proposals import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row
    from exactrelu.regions.walk.rows import Rows

# Where a domain has more sides those that bound one coordinate are kept apart.
_MANY_SIDES = 128
# Bits of rounded weights.
_WEIGHT_BITS = 40


@dataclass(frozen=True)
class Hit:
    """Where the ray from a point (z, t) along a direction (k,) meets a row first: at z/t + value / (t slope) direction."""

    row: int
    direction: Row
    value: int
    slope: int


class Cell:
    """{z in Q^k : rows . (z, 1) <= 0}, the rows being walls, whose facets are asked for, and sides of the domain, whose are not.

    Rows are distinct primitive forms (k + 1,), not constant, so that a facet has one row; all are negative at the point (z, t).

    >>> from exactrelu.regions.walk.rows import Rows
    >>> cell = Cell(Rows(((1, 0, -1), (0, 1, -1), (1, 1, -2)), 2), Rows(((-1, 0, 0), (0, -1, 0)), 2), (1, 1, 2))
    >>> [hit.row for hit in cell.facets(None)], cell.is_bounded(None)
    ([0, 1], True)
    """

    def __init__(self, walls: Rows, sides: Rows, point: Row) -> None:
        self.walls, self.sides = walls, sides
        self.rows = (*walls.forms, *sides.forms)
        self.point = point
        self.dimension = walls.dimension
        self._values = [-value for value in self._at([point])[0]]
        self._bounds = sides.bounds if len(sides.forms) > _MANY_SIDES else {}
        self._floats = Floats(walls, sides, self._values, point[-1], with_bounds=bool(self._bounds))

    def _at(self, points: Sequence[Row]) -> list[list[int]]:
        """For each of some homogeneous points the values of all rows."""
        return [[*first, *second] for first, second in zip(self.walls.at(points), self.sides.at(points), strict=True)]

    # ------------------------------------------------------------ facets

    def facets(self, deadline: float | None) -> list[Hit]:
        """A ray to each of the facets among the walls, in their order; raises TimeoutError where the deadline was reached."""
        found = {hit.row: hit for hit in self._hits(self._floats.rays()) if hit is not None}
        walls = range(len(self.walls.forms))
        bounds = [len(walls) + bound for bound in self._bounds]
        for row in walls:
            # Every round but the last finds another facet.
            while row not in found:
                if deadline is not None and time.monotonic() > deadline:
                    raise TimeoutError
                others = [*found, *(bound for bound in bounds if bound not in found)]
                hit = self._another(row, others, deadline)
                if hit is None:
                    break
                found[hit.row] = hit
        return [found[row] for row in walls if row in found]

    def _another(self, row: int, others: Sequence[int], deadline: float | None) -> Hit | None:
        """A ray to a facet that is none of the others, or None where these make the row redundant."""
        proposal = self._floats.about(row, others)
        weights = proposal.weights
        if proposal.direction is not None:
            hit = self._hit(proposal.direction)
            if hit is not None and hit.row not in others:
                return hit
        elif self._bounds and weights is not None and self._is_below_on_box(row, dict(zip(others, weights.tolist(), strict=False))):
            return None
        carriers = None if weights is None else np.flatnonzero(weights > 0).tolist()
        constant = (*(0,) * self.dimension, -1)
        answer = feasible([*(self._around[other] for other in others), constant], self._around[row], deadline, proposed=carriers)
        if answer is None:
            raise TimeoutError
        # Along minus the prices without their last entry the row is met before all of the others.
        return None if answer.prices is None else self._hit(tuple(-price for price in answer.prices[:-1]), others)

    @cached_property
    def _around(self) -> list[Row]:
        """The rows as forms of (u, 2^unit s), up to positive factors, where z/t + u/s is a point of Q^k."""
        unit, t = self._floats.unit, self.point[-1]
        factor, up = t << max(0, unit), max(0, -unit)
        return [(*(factor * value for value in row[:-1]), -own << up) for row, own in zip(self.rows, self._values, strict=True)]

    def _hits(self, directions: Sequence[Row]) -> list[Hit | None]:
        """Of every direction the one row that its ray meets first; None where there are several, or none."""
        slopes = self._at([(*direction, 0) for direction in directions])
        return [self._first(direction, own) for direction, own in zip(directions, slopes, strict=True)]

    def _first(self, direction: Row, slopes: Sequence[int]) -> Hit | None:
        best, is_tied = -1, False
        value, slope = 1, 0
        for row, (own_value, own_slope) in enumerate(zip(self._values, slopes, strict=True)):
            if own_slope > 0:
                # value / slope against own_value / own_slope; the former is infinite at first.
                order = value * own_slope - own_value * slope
                if order > 0:
                    best, is_tied, value, slope = row, False, own_value, own_slope
                elif order == 0:
                    is_tied = True
        return None if best < 0 or is_tied else Hit(best, direction, value, slope)

    def _hit(self, direction: Row, avoided: Sequence[int] = ()) -> Hit | None:
        """The row that rays close to a direction meet first, none of those avoided; None where the direction is 0 or meets nothing.

        For small e the ray along d + (e, e^2, ..) meets one row first: two rows with the same value / slope for all e are multiples.
        """
        hit, slopes, shift = *self._met(direction), 4
        while hit is None or hit.row in avoided:
            if max(slopes) <= 0:
                return None
            top = shift * self.dimension
            hit, slopes = self._met(tuple((value << top) + (1 << (top - shift * i)) for i, value in enumerate(direction, 1)))
            shift *= 2
        return hit

    def _met(self, direction: Row) -> tuple[Hit | None, list[int]]:
        """What the ray meets first, and the slopes of all rows along it."""
        slopes = self._at([(*direction, 0)])[0]
        return self._first(direction, slopes), slopes

    def _is_below_on_box(self, row: int, weights: dict[int, float]) -> bool:
        """Whether the row minus some combination of walls with weights >= 0, close to those proposed, is at most 0 on the box.

        The walls are at most 0 on the region, which lies in the box, so that the row is then at most 0 without being asked to.
        """
        sizes = {i: max(map(abs, self.rows[i][:-1])) for i in (row, *weights)}
        unit = max(sizes.values()) << _WEIGHT_BITS
        normals = self._floats.normals
        total = [value * (unit // sizes[row]) for value in self.rows[row]]
        for other, weight in weights.items():
            if weight > 0 and other < len(self.walls.forms):
                # The weights speak of unit normals; these are rows over largest entries times lengths.
                relative = weight * np.abs(normals[other]).max() / np.abs(normals[row]).max()
                factor = round(relative * 2.0**_WEIGHT_BITS) * (unit // sizes[other]) >> _WEIGHT_BITS
                total = [value - factor * own for value, own in zip(total, self.rows[other], strict=True)]
        ends = {(column, from_above): end for column, from_above, end in self._bounds.values()}
        terms = [(value, ends.get((column, value > 0))) for column, value in enumerate(total[:-1]) if value]
        highest = sum((value * end for value, end in terms if end is not None), Fraction(total[-1]))
        return highest <= 0 and all(end is not None for _, end in terms)

    # ------------------------------------------------------------ boundedness

    def is_bounded(self, deadline: float | None) -> bool:
        """Whether the region is bounded; raises TimeoutError where the deadline was reached.

        Let s be a combination of the linear parts a_i with positive weights. If -s is one with weights >= 0, then a_i d <= 0 for all i
        only where all a_i d = 0, which at full rank is d = 0 (P3). If not, some d has a_i d <= 0 for all i and s d < 0 (Farkas).
        """
        linear = [row[:-1] for row in self.rows]
        if fmpz_mat(len(linear), self.dimension, list(chain.from_iterable(linear))).rank() < self.dimension:
            return False
        lengths = [sum(map(abs, row)).bit_length() for row in linear]
        longest = max(lengths, default=0)
        rows = [tuple(value << (longest - own) for value in row) for row, own in zip(linear, lengths, strict=True)]
        answer = feasible(rows, [-sum(entries) for entries in zip(*rows, strict=True)], deadline)
        if answer is None:
            raise TimeoutError
        return answer.weights is not None
