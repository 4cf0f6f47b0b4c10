"""Affine maps between coordinates, held in integers: a slice of the input space, a domain's affine hull, a quotient by lines.

A chart sends z of Q^k to a point x of Q^n. In homogeneous coordinates (x, t) = matrix (z, tau), an integer matrix (n + 1, k + 1) whose last
row is (0, .., 0, scale) with scale > 0, so that signs of homogeneous forms are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flint import fmpz_mat

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = tuple[int, ...]


def primitive(row: Sequence[int]) -> Row:
    """The row divided by the greatest common divisor of its entries.

    >>> primitive([4, -6]), primitive([0, 0])
    ((2, -3), (0, 0))
    """
    divisor = math.gcd(*row)
    return tuple([value // divisor for value in row]) if divisor > 1 else tuple(row)


@dataclass(frozen=True)
class AffineSlice:
    """The plane, or any affine subspace, {origin + sum t_i directions_i}, in coordinates t; origin of length n, k directions.

    Raises InvalidRequestError where lengths differ or the directions are dependent.

    >>> plane = AffineSlice.through([RationalVector((0, 0, 0)), RationalVector((1, 0, 0)), RationalVector((0, 0, 2))])
    >>> plane.point(RationalVector((1, 3), 2)).texts()
    ['1/2', '0', '3']
    """

    origin: RationalVector
    directions: tuple[RationalVector, ...]

    def __post_init__(self) -> None:
        if any(len(direction) != len(self.origin) for direction in self.directions):
            raise InvalidRequestError("the points of the slice have different lengths; give points of one input space")
        entries = [value for direction in self.directions for value in direction.numerators]
        if fmpz_mat(len(self.directions), len(self.origin), entries).rank() < len(self.directions):
            raise InvalidRequestError("the points of the slice lie in a subspace of lower dimension, a line for instance; move one of them")

    @staticmethod
    def through(points: Sequence[RationalVector]) -> AffineSlice:
        """The slice through k + 1 points: the first is at t = 0, the others at the unit vectors; a plane through three.

        Raises InvalidRequestError where there is none, and where they lie in a subspace of lower dimension.
        """
        if not points:
            raise InvalidRequestError("the slice has no point; give three points for a plane")
        if any(len(point) != len(points[0]) for point in points):
            raise InvalidRequestError("the points of the slice have different lengths; give points of one input space")
        first = points[0].fractions()
        others = (point.fractions() for point in points[1:])
        directions = (RationalVector.from_fractions(b - a for a, b in zip(first, other, strict=True)) for other in others)
        return AffineSlice(points[0], tuple(directions))

    def point(self, t: RationalVector) -> RationalVector:
        """The point of the input space with coordinates t."""
        return self.chart().point(t)

    def chart(self) -> Chart:
        columns = [*self.directions, self.origin]
        scale = math.lcm(*(column.denominator for column in columns))
        scaled = [[value * (scale // column.denominator) for value in column.numerators] for column in columns]
        rows = [tuple(column[i] for column in scaled) for i in range(len(self.origin))]
        return Chart((*rows, (*(0,) * len(self.directions), scale)))


@dataclass(frozen=True)
class Chart:
    """An affine map z -> x from Q^k to Q^n as a homogeneous integer matrix (n + 1, k + 1).

    >>> Chart.identity(2).restricted((1, 1, -1)).point(RationalVector((3,))).texts()
    ['3', '-2']
    """

    matrix: tuple[Row, ...]

    @staticmethod
    def identity(n: int) -> Chart:
        return Chart(tuple(tuple(int(i == j) for j in range(n + 1)) for i in range(n + 1)))

    @property
    def dimension(self) -> int:
        return len(self.matrix[0]) - 1

    @property
    def scale(self) -> int:
        return self.matrix[-1][-1]

    def homogeneous(self, z: Sequence[int]) -> Row:
        """The image of a homogeneous vector."""
        return tuple(sum(a * v for a, v in zip(row, z, strict=True)) for row in self.matrix)

    def point(self, z: RationalVector) -> RationalVector:
        """The image of a point; raises InvalidRequestError for another length."""
        if len(z) != self.dimension:
            raise InvalidRequestError(f"a point with {len(z)} coordinates was given; this needs {self.dimension}")
        *x, t = self.homogeneous((*z.numerators, z.denominator))
        return RationalVector(tuple(x), t)

    def form(self, row: Sequence[int]) -> Row:
        """The homogeneous form `row` (n + 1,) of (x, t) as a form of (z, tau), without common factors."""
        used = [(a, entries) for a, entries in zip(row, self.matrix, strict=True) if a]
        return primitive([sum(a * entries[j] for a, entries in used) for j in range(self.dimension + 1)])

    def after(self, inner: Chart) -> Chart:
        """The chart z -> self(inner(z))."""
        outer = fmpz_mat(len(self.matrix), len(self.matrix[0]), [value for row in self.matrix for value in row])
        factor = fmpz_mat(len(inner.matrix), len(inner.matrix[0]), [value for row in inner.matrix for value in row])
        return Chart(tuple(tuple(int(value) for value in row) for row in (outer * factor).tolist()))

    def restricted(self, equality: Sequence[int]) -> Chart:
        """The chart of the hyperplane {equality . (z, tau) = 0}: its last coordinate with a coefficient is eliminated."""
        pivot = max(j for j in range(self.dimension) if equality[j])
        sign = 1 if equality[pivot] > 0 else -1
        kept = [j for j in range(self.dimension + 1) if j != pivot]
        rows = []
        for row in self.matrix:
            # z_pivot = -(sum of the others) / equality_pivot; everything times |equality_pivot|.
            factor = sign * row[pivot]
            rows.append([sign * equality[pivot] * row[j] - factor * equality[j] for j in kept])
        common = math.gcd(*(value for row in rows for value in row))
        return Chart(tuple(tuple(value // common for value in row) for row in rows))

    def at_zero(self, coordinates: Sequence[int]) -> Chart:
        """The chart of the subspace in which all coordinates but these are 0."""
        kept = [*coordinates, self.dimension]
        return Chart(tuple(tuple(row[j] for j in kept) for row in self.matrix))
