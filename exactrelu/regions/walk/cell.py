"""The facets of one region and whether it is bounded, exactly (C1's facet rule).

Floats propose (`walk.proposals.py`), integers decide. A row is a facet if a ray from a point inside meets it first, and no other row
there: a point in the relative interior of the facet. It is redundant if it is a combination of other rows with weights >= 0 and a
constant <= 0 (Farkas). The floats propose which rows take part, and their weights are solved for exactly; on a box rounded weights
will do, since its sides make up for the rounding. Where a proposal fails the exact simplex method gives the weights, or a ray.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat, nmod_mat

from exactrelu.exact.linalg import PRIMES, pivot_columns, solve
from exactrelu.exact.linear_program import feasible
from exactrelu.regions.walk.proposals import Floats, shortened, weights_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row
    from exactrelu.regions.walk.proposals import Proposal
    from exactrelu.regions.walk.rows import Rows

# Where a domain has more sides those that bound one coordinate are kept apart.
_MANY_SIDES = 128
# Bits of rounded weights.
_WEIGHT_BITS = 40
# Entries of the exact simplex tableau up to which it decides boundedness, on which nothing else depends.
_SMALL = 20_000


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
    >>> [hit.row for hit in cell.facets(None)], cell.is_bounded()
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
        if proposal is not None and proposal.direction is not None:
            hit = self._hit(shortened(proposal.direction))
            if hit is not None and hit.row not in others:
                return hit
        elif proposal is not None and self._is_redundant(row, proposal):
            return None
        return self._decided(row, others, deadline)

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

    def _hit(self, direction: Row | None, avoided: Sequence[int] = ()) -> Hit | None:
        """The row that rays close to a direction meet first, none of those avoided; None where the direction is 0 or meets nothing.

        For small e the ray along d + (e, e^2, ..) meets one row first: two rows with the same value / slope for all e are multiples.
        """
        if direction is None:
            return None
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

    def _is_redundant(self, row: int, proposal: Proposal) -> bool:
        """Whether a row is a combination of the proposed ones with a constant <= 0, exactly."""
        if self._bounds and self._is_below_on_box(row, proposal.weights):
            return True
        constant = [(*(0,) * self.dimension, -1)] if proposal.slack else []
        return exact_combination([*(self.rows[i] for i in proposal.weights), *constant], self.rows[row]) is not None

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

    def _decided(self, row: int, others: Sequence[int], deadline: float | None) -> Hit | None:
        """As `_another`, by the exact simplex method."""
        constant = (*(0,) * self.dimension, -1)
        answer = feasible([*(self.rows[i] for i in others), constant], self.rows[row], deadline)
        if answer is None:
            raise TimeoutError
        if answer.prices is None:
            return None
        # The others are at most 0 at (x, t) = -prices, t >= 0, and the row is positive there: the ray to it meets none of the others first.
        common = math.lcm(*(int(price.q) for price in answer.prices))
        *x, t = (-int(price * common) for price in answer.prices)
        return self._hit(tuple(a * self.point[-1] - v * t for a, v in zip(x, self.point, strict=False)), others)

    # ------------------------------------------------------------ boundedness

    def is_bounded(self) -> bool | None:
        """Whether the region is bounded; None where that was not decided cheaply.

        Let s be a combination of the linear parts a_i with positive weights. If -s is one with weights >= 0, then a_i d <= 0 for all i
        only where all a_i d = 0, which at full rank is d = 0 (P3). If not, some d has a_i d <= 0 for all i and s d < 0 (Farkas).
        """
        k = self.dimension
        linear = fmpz_mat(len(self.rows), k, [value for row in self.rows for value in row[:-1]])
        if linear.rank() < k:
            return False
        lengths = [sum(map(abs, row[:-1])).bit_length() for row in self.rows]
        longest = max(lengths, default=0)
        rows = [tuple(value << (longest - own) for value in row[:-1]) for row, own in zip(self.rows, lengths, strict=True)]
        target = tuple(-sum(entries) for entries in zip(*rows, strict=True))
        if not any(target):
            return True
        largest = max(map(abs, target))
        weights = weights_for(self._floats.normals, np.array([Fraction(value, largest) for value in target], dtype=np.float64))
        chosen = [self.rows[i][:-1] for i in np.flatnonzero(weights > 0).tolist()]
        if exact_combination(chosen, target) is not None:
            return True
        residual = _exact_residual(chosen, target)
        if any(residual) and max(self._at([(*residual, 0)])[0]) <= 0:
            return False
        if (k + 1) * (k + len(rows)) > _SMALL:
            return None
        answer = feasible(rows, target, None)
        assert answer is not None
        return answer.weights is not None


def exact_combination(vectors: Sequence[Row], target: Row) -> tuple[list[int], int] | None:
    """Weights >= 0, as numerators over a denominator > 0, with which the vectors add up to the target.

    None where there are none, and where the vectors are dependent.

    >>> exact_combination([(2, 0, 0), (1, 1, 0)], (3, 1, 0)), exact_combination([(1, 0)], (1, 1))
    (([1, 1], 1), None)
    """
    count, size = len(vectors), len(target)
    flat = [value for vector in vectors for value in vector]
    if count > size:
        return None
    places = list(range(size))
    if count < size:
        reduced, rank = nmod_mat(count, size, [value % PRIMES[0] for value in flat], PRIMES[0]).rref()
        places = pivot_columns(reduced, rank)
        if rank < count:
            return None
    solved = solve([[vector[j] for vector in vectors] for j in places], [[target[j]] for j in places])
    if solved is None:
        return None
    numerators, denominator = [value for (value,) in solved[0]], solved[1]
    if min(numerators, default=0) < 0:
        return None
    total = fmpz_mat(1, count, numerators) * fmpz_mat(count, size, flat)
    return (numerators, denominator) if total.entries() == [denominator * value for value in target] else None


def _exact_residual(vectors: Sequence[Row], target: Row) -> Row:
    """A positive multiple of what is left of the target after projecting it onto the span of the vectors; 0 where these are dependent."""
    matrix = fmpz_mat(len(vectors), len(target), [value for vector in vectors for value in vector])
    right = matrix * fmpz_mat(len(target), 1, list(target))
    solved = solve((matrix * matrix.transpose()).tolist(), right.tolist()) if vectors else ([], 1)
    if solved is None:
        return (0,) * len(target)
    projected = fmpz_mat(1, len(vectors), [value for (value,) in solved[0]]) * matrix
    return tuple(solved[1] * value - int(own) for value, own in zip(target, projected.entries(), strict=True))
