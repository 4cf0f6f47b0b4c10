"""Section 4.15 of proofs/FORMAT.md: a network is injective for what its linear maps are on all activation regions.

Orientation: on all of R^n, all determinants have one sign that is not zero, and one value inside a region is taken nowhere else. Definite:
on any convex domain, one matrix Q makes all products Q A positive definite, and so y - x and Q (f(y) - f(x)) have a positive product.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import lcm
from operator import mul
from typing import TYPE_CHECKING

from exactrelu.checker.claim import Domain, Point, image, read_point
from exactrelu.checker.regions import Neurons
from exactrelu.checker.regions_tree import check_region_tree, identity
from exactrelu.checker.text import Rejected, affordable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.network import Layer
    from exactrelu.checker.regions_cone import Form
    from exactrelu.checker.text import Text

SECTION = "4.15"
# about what a small number takes in a table
NUMBER_BITS = 64
# beyond these a checker gives up: dimensions of maps, and steps of all eliminations, about a product of short numbers each
DIMENSIONS = 2**7
STEPS = 2**32
COUNT = 2**64


def check_maps(text: Text, layers: Sequence[Layer], domain: Domain, kernels: Kernels) -> None:
    """The evidence by the maps of all regions, and that these are all."""
    word = "orientation" if text.begins("orientation") else "definite"
    fields = text.take(word, SECTION)
    regions, adjacencies = fields.natural("R", COUNT), fields.natural("A", COUNT)
    fields.done()
    n, m = layers[0].inputs, layers[-1].outputs
    if max(n, m) > DIMENSIONS:
        fields.reject(f"there are more than {DIMENSIONS} inputs or outputs")
    maps: Maps
    if word == "definite":
        maps = Definite(layers, kernels, [text.take("weights", SECTION).integers(m, "a row of Q") for _ in range(n)])
    elif domain != "all":
        fields.reject("orientations decide on all of R^n")
    else:
        maps = Orientation(layers, kernels, read_point(text, "point", n, SECTION))
    check_region_tree(text, layers, identity(n), domain, kernels, regions, adjacencies, maps.region)


@dataclass(frozen=True)
class AffineMap:
    """x -> (rows x + constants) / denominator, in the region where some forms are positive."""

    rows: list[list[int]]
    constants: Sequence[int]
    denominator: int
    where: Sequence[Form]


class Maps(ABC):
    """What every region's affine map is asked, one after the other, and then all together."""

    def __init__(self, layers: Sequence[Layer], kernels: Kernels) -> None:
        self.inputs, self.outputs = layers[0].inputs, layers[-1].outputs
        self._steps = 0
        last = max((number for number, layer in enumerate(layers, 1) if any(layer.rectified)), default=0)
        self._rest, self._kernels = layers[last:], kernels

    def region(self, columns: Sequence[Point], where: Sequence[Form]) -> None:
        """A region, by what the layer with the last relu makes there of every input and, last, of the constants; see `AffineMap`."""
        for layer in self._rest:
            columns = [self._kernels.evaluate(layer, x, constants=j == self.inputs) for j, x in enumerate(columns)]
        common = lcm(*(x.denominator for x in columns))
        bits = NUMBER_BITS + common.bit_length() + longest([x.numerators for x in columns])
        affordable(len(columns) * self.outputs, bits, SECTION)
        *linear, constants = ([value * (common // x.denominator) for value in x.numerators] for x in columns)
        # Without inputs the rows are empty.
        rows = [list(row) for row in zip(*linear, strict=True)] if linear else [[] for _ in constants]
        self.check(AffineMap(rows, constants, common, where))

    def count(self, rows: Sequence[Sequence[int]]) -> None:
        """Give up before a matrix is eliminated, if that takes too long."""
        n = self.inputs
        self._steps += n**3 * (1 + n * longest(rows) // 512)
        if self._steps > STEPS:
            raise Rejected(SECTION, f"the maps take more than {STEPS} steps")

    @abstractmethod
    def check(self, affine: AffineMap) -> None:
        """Reject the map of a region."""


class Orientation(Maps):
    """All determinants have the sign of the first one, and no map sends another point to the value at `point`, which lies in a region."""

    def __init__(self, layers: Sequence[Layer], kernels: Kernels, point: Point) -> None:
        super().__init__(layers, kernels)
        if self.inputs != self.outputs:
            raise Rejected(SECTION, "there are not as many outputs as inputs")
        self._layers, self._point = layers, point
        self._sign = 0
        # Rejects a point on the boundary of a region.
        Neurons(layers, kernels).around((*point.numerators, point.denominator))
        self._value = self._evaluate(point)

    def check(self, affine: AffineMap) -> None:
        value = self._value
        # rows x = value * denominator - constants, times the value's own denominator
        right = [v * affine.denominator - c * value.denominator for v, c in zip(value.numerators, affine.constants, strict=True)]
        self.count([*affine.rows, right])
        found = solved(affine.rows, right)
        if found is None or (self._sign and (found[0] > 0) != (self._sign > 0)):
            raise Rejected(SECTION, "a determinant is 0, or two have different signs")
        self._sign = found[0]
        determinant, numerators = found
        sign = 1 if determinant > 0 else -1
        x = Point(abs(determinant) * value.denominator, [sign * v for v in numerators])
        if not x.equals(self._point) and self._evaluate(x).equals(value):
            raise Rejected(SECTION, "another point has the same value")

    def _evaluate(self, x: Point) -> Point:
        for layer in self._layers:
            x = image(layer, self._kernels.evaluate(layer, x))
        return x


class Definite(Maps):
    """The symmetric parts of Q A are positive definite for all linear maps A; Q given by rows."""

    def __init__(self, layers: Sequence[Layer], kernels: Kernels, matrix: Sequence[Sequence[int]]) -> None:
        super().__init__(layers, kernels)
        self._matrix = matrix

    def check(self, affine: AffineMap) -> None:
        columns = list(zip(*affine.rows, strict=True))
        product = [[sum(map(mul, left, column)) for column in columns] for left in self._matrix]
        symmetric = [[product[i][j] + product[j][i] for j in range(self.inputs)] for i in range(self.inputs)]
        self.count(symmetric)
        if not is_definite(symmetric):
            raise Rejected(SECTION, "a product with Q is not positive definite")


def solved(rows: Sequence[Sequence[int]], right: Sequence[int]) -> tuple[int, list[int]] | None:
    """The determinant of a square matrix and the solution times it (Cramer); None where it is 0. Elimination without fractions."""
    n = len(rows)
    left = [[*row, value] for row, value in zip(rows, right, strict=True)]
    before, sign = 1, 1
    for k in range(n):
        place = next((i for i in range(k, n) if left[i][k]), None)
        if place is None:
            return None
        if place != k:
            left[k], left[place], sign = left[place], left[k], -sign
        pivot = left[k][k]
        for i in range(n):
            if i != k:
                factor = left[i][k]
                left[i] = [(pivot * a - factor * b) // before for a, b in zip(left[i], left[k], strict=True)]
        before = pivot
    # Now every row i is determinant * e_i, up to the sign of the exchanges.
    return sign * before, [sign * row[n] for row in left]


def is_definite(matrix: Sequence[Sequence[int]]) -> bool:
    """Whether a symmetric matrix is positive definite: all leading minors are positive."""
    left = [list(row) for row in matrix]
    before = 1
    for k in range(len(left)):
        pivot = left[k][k]
        if pivot <= 0:
            return False
        for i in range(k + 1, len(left)):
            factor = left[i][k]
            left[i] = [(pivot * a - factor * b) // before for a, b in zip(left[i], left[k], strict=True)]
        before = pivot
    return True


def longest(rows: Sequence[Sequence[int]]) -> int:
    """The bits of the largest entry."""
    return max((entry.bit_length() for row in rows for entry in row), default=0)
