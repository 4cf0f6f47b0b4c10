"""The certificate of where a network takes a value: a tree of cells, in each leaf of which that is a polyhedron in a flat.

The flat is where the outputs that have to be a number are it. In most leaves it is empty or one point, and a checker sees the rest. In
the others rows that are 0 throughout make it smaller, found by the simplex method, until nothing is left or it is small enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.certificates import Vector
from exactrelu.certificates.listed import Leaf, LeafBounds, LeafPoint, OutputBeside, ZeroRow
from exactrelu.domain import Box
from exactrelu.regions.charts import Chart, primitive
from exactrelu.regions.evidence.beside import OutputBounds
from exactrelu.regions.evidence.cones import EmptyError, NoMinimumError, VertexCone, feasible
from exactrelu.regions.evidence.tree import CellTree, Node, integers, other_complex
from exactrelu.regions.forms import HomogeneousLayers
from exactrelu.regions.vertices import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.certificates.regions import Cell
    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.regions.charts import Row
    from exactrelu.regions.complex import RegionComplex
    from exactrelu.regions.level_sets import LevelSet


@dataclass(frozen=True, eq=False)
class LevelSetCells:
    """The cells in preorder that prove what was said of the inputs of a domain with the output y; made anew whenever they are asked for.

    found: all regions of the domain; y: not negative where a relu comes last.
    """

    found: RegionComplex
    domain: Domain
    y: RationalVector
    said: LevelSet

    def __iter__(self) -> Iterator[Cell | Leaf | OutputBeside]:
        layers = self.found._layers
        hidden = sum(int(layer.rectified.sum()) for layer in layers[:-1])
        patterns = sorted(set(integers(self.found.patterns()[:, :hidden])))
        tree = CellTree(layers[:-1], patterns, self.domain, Chart.identity(layers[0].inputs))
        return tree.cells(_Leaves(tree, self).close)


class _Leaves:
    """What is written of each leaf; `_shown`, `_has_ray`: whether a leaf before has shown the dimension, and a ray."""

    def __init__(self, tree: CellTree, cells: LevelSetCells) -> None:
        layers = cells.found._layers
        self._tree, self._y, self._said = tree, cells.y, cells.said
        self._rectified = layers[-1].rectified.tolist()
        self._layers = HomogeneousLayers(layers, Chart.identity(layers[0].inputs))
        self._bounds = OutputBounds(layers[-2], layers[-1], self._layers.shifts[-2], cells.y) if len(layers) > 1 else None
        self._whole = VertexCone.everything(layers[0].inputs)
        self._shown = self._said.dimension < 1
        self._has_ray = self._said.bounded
        self._needs_bounds = not self._shown and self._said.bounded and not isinstance(cells.domain, Box)

    def close(self, node: Node, cones: tuple[int, ...]) -> Leaf | OutputBeside | None:
        """What closes a cell; None where it has to be cut."""
        if not node.is_leaf:
            if self._bounds is None or node.stage is None or node.stage.number + 2 != len(self._layers.layers):
                return None
            found = self._bounds.find(node)
            return None if found is None else OutputBeside(found.above, found.output, (*cones, found.cone.mask))
        zero, least = self._conditions(node)
        flat = _cut(self._whole, zero)
        never = [*zero, *map(_opposite, zero), *map(_opposite, least)]
        if flat is None or not flat.lines or any(cone.positive(form) for cone in node.known for form in never):
            return Leaf(cones)
        return Leaf(cones, tuple(self._proofs(_FlatSet((*node.rows, *least), flat), zero)))

    def _conditions(self, node: Node) -> tuple[list[Row], list[Row]]:
        """The forms of a leaf that have to be 0, and those that have to be at least 0, for the output to be y."""
        rows = self._tree.values(node)
        for layer in range(0 if node.stage is None else node.stage.number + 1, len(self._layers.layers)):
            rows = self._layers.forms(layer, self._layers.prepared(layer, rows))
        zero, least = [], []
        scale = 1 << self._layers.shifts[-1]
        for (*linear, constant), wanted, rectified in zip(rows, self._y.numerators, self._rectified, strict=True):
            form = primitive([*(entry * self._y.denominator for entry in linear), constant * self._y.denominator - wanted * scale])
            if rectified and wanted == 0:
                least.append(_opposite(form))
            else:
                zero.append(form)
        return zero, least

    def _proofs(self, left: _FlatSet, zero: Sequence[Row]) -> Iterator[ZeroRow | LeafBounds | LeafPoint]:
        """That the set is empty, one point, or not of more dimensions than was said; and what else has to be shown of it."""
        inner = None
        while left.dimension > max(self._said.dimension, 0) or (left.dimension and (self._needs_bounds or not self._shown)):
            found = left.inner_point()
            if not isinstance(found, _NowherePositive):
                inner = found
                break
            yield ZeroRow(found.row, found.cone.mask)
            smaller = left.where_zero(found)
            if smaller is None:
                return
            left = smaller
        if not left.dimension:
            return
        if left.dimension > self._said.dimension:
            raise other_complex()
        if self._needs_bounds:
            yield left.bounds()
        if not self._shown and inner is not None and left.dimension == self._said.dimension:
            self._shown = True
            yield LeafPoint(_vector(inner))
        witness = self._said.witness
        if not self._has_ray and witness is not None and witness.ray is not None:
            x, ray = (*witness.point.numerators, witness.point.denominator), (*witness.ray.numerators, 0)
            if left.contains(x, zero) and left.contains(ray, zero):
                self._has_ray = True
                yield LeafPoint(_vector(x), Vector(ray[:-1]))


@dataclass(frozen=True, eq=False)
class _NowherePositive:
    """A row, by its number, and a cone of others on which it is at most 0."""

    row: int
    cone: VertexCone


class _FlatSet:
    """The polyhedron in a flat, all of an affine subspace, in which rows are at least 0; `_local`: the rows in coordinates of the flat."""

    def __init__(self, rows: Sequence[Row], flat: VertexCone) -> None:
        self._rows, self._flat = rows, flat
        self._basis = (*flat.lines, flat.apex)
        self._local = [tuple([value(row, vector) for vector in self._basis]) for row in rows]

    @property
    def dimension(self) -> int:
        """Of the flat."""
        return len(self._flat.lines)

    def inner_point(self) -> Row | _NowherePositive:
        """A point at which all rows are positive that do not vanish on the flat; or a row that is nowhere positive on a cone of others."""
        try:
            cone = feasible(self._local, self.dimension)
        except EmptyError as error:
            return _NowherePositive(*error.args)
        point = cone.apex
        for number, row in enumerate(self._local):
            if any(row) and value(row, point) == 0:
                try:
                    cone = cone.least(_opposite(row), self._local)
                    further = cone.apex
                except NoMinimumError as error:
                    further = error.args[0]
                if value(row, further) == 0:
                    return _NowherePositive(number, cone)
                point = tuple([a + b for a, b in zip(point, further, strict=True)])
        return tuple([sum(a * vector[j] for a, vector in zip(point, self._basis, strict=True)) for j in range(len(self._flat.apex))])

    def where_zero(self, found: _NowherePositive) -> _FlatSet | None:
        """The set in the smaller flat where the row is 0, and the rows of the cone on which it depends; None where the row is negative."""
        row, cone = self._local[found.row], found.cone
        if value(row, cone.apex) < 0:
            return None
        flat = _cut(self._flat, [self._rows[number] for number, ray in zip(cone.basis, cone.rays, strict=True) if value(row, ray)])
        return None if flat is None else _FlatSet(self._rows, flat)

    def bounds(self) -> LeafBounds:
        """Coordinates, and a cone on which their sum, of which the rows have no common factors, is largest."""
        corner = feasible(self._local, self.dimension)
        total = [sum(entries) for entries in zip(*(self._local[number] for number in corner.basis), strict=True)]
        return LeafBounds(corner.mask, corner.least(tuple([-entry for entry in total]), self._local).mask)

    def contains(self, vector: Row, zero: Sequence[Row]) -> bool:
        """Whether a point, or a direction from every point, is in the set; zero: the forms that are 0 on the flat."""
        return not any(value(form, vector) for form in zero) and all(value(row, vector) >= 0 for row in self._rows)


def _opposite(row: Row) -> Row:
    return tuple([-entry for entry in row])


def _cut(flat: VertexCone, forms: Sequence[Row]) -> VertexCone | None:
    """The part of a flat where forms are 0."""
    for form in forms:
        smaller = flat.within(form)
        if smaller is None:
            return None
        flat = smaller
    return flat


def _vector(homogeneous: Row) -> Vector:
    *x, t = primitive(homogeneous)
    return Vector(tuple(x), t)
