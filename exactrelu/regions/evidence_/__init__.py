"""The certificate that the regions found are all there are: a tree of cells, each cut in two by a neuron until all have one sign.

That a neuron has one sign in a cell follows from the rows of the vertex at which it is least (theory C1), found by the simplex method. A
cone settles many neurons at once, and whatever is settled stays so in all parts of the cell; so little is written of most regions.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.certificates import DomainLines, Vector
from exactrelu.certificates.regions import Cell, RegionsCertificate, SliceLines
from exactrelu.domain import AllSpace, Ball
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.exact_file import network_sha256
from exactrelu.regions.charts import AffineSlice, Chart, primitive
from exactrelu.regions.evidence_cones import NoMinimumError, VertexCone, feasible
from exactrelu.regions.evidence_facets import FacetProof
from exactrelu.regions.forms import HomogeneousLayers, masked
from exactrelu.regions.start import domain_sides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer, Network
    from exactrelu.regions.charts import Row
    from exactrelu.regions.complex import RegionComplex


def regions_certificate(network: Network, found: RegionComplex, domain: Domain | None = None) -> RegionsCertificate:
    """That a network has the regions and adjacencies of a complex, and no others (theory R3; proofs/FORMAT.md, 4.13).

    found: what `regions(network, domain=domain)` returned, `through` some layer or not, on a slice or not. Where the domain lies in a
    hyperplane, the certificate speaks of the slice that is its affine hull. Its evidence is made as lines are asked for.

    Raises InvalidRequestError where the complex is not complete, on a ball, or through a layer of which the lowered one holds further
    neurons. While lines are made: where it is the complex of another network or domain.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> from exactrelu.regions import regions
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [1.0]]), DyadicMatrix.from_floats([[0.0], [-1.0]]), np.ones(2, bool))
    >>> line = Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (1,))
    >>> regions_certificate(line, regions(line)).text().splitlines()[6:13]
    ['claim regions 3 2', 'tree', 'cut 0 0', 'region 0 1', 'cut 1 1', 'region 1 1', 'region 2 2']
    """
    domain = AllSpace() if domain is None else domain
    domain.check_dimension(network.inputs)
    if isinstance(domain, Ball):
        raise InvalidRequestError("a ball is no polyhedron, so that its regions cannot be certified; give a box around it")
    if not found.complete:
        raise InvalidRequestError("the complex is not complete, so that nothing can be certified; give more time or a larger limit")
    layers = network.layers[: len(found.pattern(0))]
    neurons = [(number, row) for number, layer in enumerate(layers) for row in np.flatnonzero(layer.rectified).tolist()]
    if not layers or neurons != [(neuron.layer, neuron.row) for neuron in found.neurons]:
        raise InvalidRequestError(
            "the certificate speaks of all neurons of the lowered layers, and the complex of others; ask through another layer, or all"
        )
    chart = _of_affine_hull(found)
    if len(chart.matrix) != network.inputs + 1:
        raise _other_complex()
    slice_lines = None if chart == Chart.identity(network.inputs) else _slice_lines(chart)
    cells = _Cells(tuple(layers), found, domain, chart)
    domain_lines = DomainLines(domain.lines())
    return RegionsCertificate(network_sha256(network), len(layers), found.regions, found.adjacencies, cells, domain_lines, slice_lines)


def _of_affine_hull(found: RegionComplex) -> Chart:
    """The chart of the smallest affine subspace that holds the regions."""
    if found.dimension == found.space_dimension:
        return found._outer
    points = [*found.generators()[0], *((*line.numerators, 0) for line in found.lineality)]
    # With t as the first column one row of the echelon form is a point, and the others are directions.
    reduced, _, rank = fmpz_mat(len(points), len(points[0]), [value for *x, t in points for value in (t, *x)]).rref()
    (t, *origin), *others = ([int(value) for value in row] for row in reduced.tolist()[:rank])
    sign = 1 if t > 0 else -1
    point = RationalVector(tuple([sign * value for value in origin]), sign * t)
    return found._outer.after(AffineSlice(point, tuple([RationalVector(primitive(direction[1:])) for direction in others])).chart())


def _slice_lines(chart: Chart) -> SliceLines:
    *directions, origin = (Vector(column, chart.scale) for column in zip(*chart.matrix[:-1], strict=True))
    return SliceLines(origin, tuple(directions))


@dataclass(frozen=True, eq=False)
class _Stage:
    """A layer in a cell: the forms of its rows, and those of its neurons without common factors."""

    number: int
    forms: list[Row]
    neurons: list[Row]


@dataclass(frozen=True, eq=False)
class _Node:
    """A cell: its rows, a cone of them, which regions lie in it, a layer, None after the last, and the neurons settled there.

    counted: the mask of the rows that are neurons, positive inside; known: cones that have been written.
    """

    rows: tuple[Row, ...]
    counted: int
    cone: VertexCone
    known: tuple[VertexCone, ...]
    first: int
    last: int
    stage: _Stage | None
    settled: frozenset[int]


@dataclass(frozen=True, eq=False)
class _Cells:
    """The tree in preorder, made anew whenever it is asked for."""

    layers: tuple[Layer, ...]
    found: RegionComplex
    domain: Domain
    chart: Chart

    def __iter__(self) -> Iterator[Cell]:
        return _Tree(self.layers, self.found, self.domain, self.chart).cells()


class _Tree:
    """Patterns are sorted, so that the regions of a cell follow one another, if cells are cut along the first neuron that two of them see
    differently.
    """

    def __init__(self, layers: tuple[Layer, ...], found: RegionComplex, domain: Domain, chart: Chart) -> None:
        # Layers after the last neuron decide nothing.
        last = max((neuron.layer + 1 for neuron in found.neurons), default=0)
        self._homogeneous = HomogeneousLayers(layers[:last], chart)
        self._rectified = [np.flatnonzero(layer.rectified).tolist() for layer in layers[:last]]
        # A pattern is an integer, its first neuron the highest bit; `_lowest` is the place of every layer's last neuron.
        self._patterns = _integers(found.patterns())
        self._lowest = [len(found.neurons) - count for count in np.cumsum([len(rows) for rows in self._rectified]).tolist()]
        sides = (chart.form(side) for side in domain_sides(domain, len(chart.matrix) - 1))
        self._sides = tuple([tuple([-entry for entry in side]) for side in sides if any(side[:-1])])
        self._dimension = chart.dimension

    def cells(self) -> Iterator[Cell]:
        try:
            start = feasible(self._sides, self._dimension)
            # Of many sides most may follow from the others.
            proof = FacetProof(self._sides, start, ())
            for number in range(len(self._sides)):
                proof.decide(number)
            known = tuple(proof.further)
            whole = _Node(self._sides, 0, start, known, 0, len(self._patterns), self._stage(0, None, 0), frozenset())
            cell, waiting = self._split(whole)
            yield replace(cell, cones=(*(cone.mask for cone in known), *cell.cones))
            while waiting:
                cell, parts = self._split(waiting.pop())
                yield cell
                waiting += parts
        except NoMinimumError:
            raise _other_complex() from None

    def _split(self, node: _Node) -> tuple[Cell, list[_Node]]:
        """A cell as it is written, and its parts, the one to be written first last."""
        node, cones = self._settled(node)
        if node.stage is None:
            return self._region(node, cones), []
        high = (self._patterns[node.first] ^ self._patterns[node.last - 1]).bit_length() - 1
        neuron = len(node.stage.neurons) - 1 - (high - self._lowest[node.stage.number])
        threshold = (self._patterns[node.first] >> high | 1) << high
        middle = bisect_left(self._patterns, threshold, node.first, node.last)
        used = reduce(or_, (cone.mask for cone in node.known), node.cone.mask)
        kept = [i for i, row in enumerate(node.rows) if used >> i & 1 or not any(cone.implies(row) for cone in node.known)]
        counted = sum(1 << place for place, i in enumerate(kept) if node.counted >> i & 1)
        cone, known = node.cone.renumbered(kept), [known.renumbered(kept) for known in node.known]
        form = node.stage.neurons[neuron]
        parts = []
        for on, row in enumerate((tuple([-entry for entry in form]), form)):
            rows = (*(node.rows[i] for i in kept), row)
            first, last = (middle, node.last) if on else (node.first, middle)
            inherited = tuple([one for one in known if one.positive_at_apex(row)])
            start = cone.with_row(len(kept), rows)
            parts.append(_Node(rows, counted | on << len(kept), start, inherited, first, last, node.stage, node.settled | {neuron}))
        return Cell(neuron, sum(1 << i for i in kept), cones), parts[::-1]

    def _region(self, node: _Node, cones: tuple[int, ...]) -> Cell:
        if node.last - node.first > 1:
            raise _other_complex()
        proof = FacetProof(node.rows, node.cone, node.known)
        for number in range(len(node.rows)):
            if node.counted >> number & 1:
                proof.decide(number)
        proof.show_inside()
        return Cell(None, proof.facets & node.counted, (*cones, *(cone.mask for cone in proof.further)), tuple(proof.points))

    def _settled(self, node: _Node) -> tuple[_Node, tuple[int, ...]]:
        """The node at the first layer of which not all neurons have one sign there; the cones to be written that prove the signs."""
        stage, cone, settled, known = node.stage, node.cone, set(node.settled), list(node.known)
        while stage is not None:
            width, low = len(stage.neurons), self._lowest[stage.number]
            own = self._patterns[node.first : node.last]
            never, always = ~reduce(or_, own) >> low, reduce(and_, own) >> low
            # The number of a neuron, and its form with the sign that it has.
            left = {}
            for i, form in enumerate(stage.neurons):
                bit = 1 << width - 1 - i
                if i not in settled and (never | always) & bit:
                    left[i] = form if always & bit else tuple([-entry for entry in form])
            settled.update(left)
            for one in known:
                left = _not_implied(left, one)
            while left:
                first, form = next(iter(left.items()))
                cone = cone.least(form, node.rows)
                left = _not_implied(left, cone)
                if first in left:
                    raise _other_complex()
                known.append(cone)
            if len(settled) < width:
                break
            stage = self._stage(stage.number + 1, stage, own[0] >> low)
            settled = set()
        new = tuple([one.mask for one in known[len(node.known) :]])
        return replace(node, stage=stage, cone=cone, settled=frozenset(settled), known=tuple(known)), new

    def _stage(self, number: int, before: _Stage | None, pattern: int) -> _Stage | None:
        """The layer where the one before has a pattern."""
        if number == len(self._rectified):
            return None
        if before is None:
            forms = self._homogeneous.first
        else:
            active = ~self._homogeneous.layers[number - 1].rectified
            places = self._rectified[number - 1]
            active[places] = [pattern >> len(places) - 1 - i & 1 for i in range(len(places))]
            forms = self._homogeneous.forms(number, self._homogeneous.prepared(number, masked(before.forms, active)))
        return _Stage(number, forms, [primitive(forms[i]) for i in self._rectified[number]])


def _not_implied(forms: dict[int, Row], cone: VertexCone) -> dict[int, Row]:
    return {neuron: form for neuron, form in forms.items() if not cone.implies(form)}


def _integers(patterns: np.ndarray) -> list[int]:
    """Boolean patterns (p, n) as integers, the first neuron the highest bit."""
    n = patterns.shape[1]
    packed = np.packbits(patterns, axis=1)
    return [int.from_bytes(row.tobytes(), "big") >> -n % 8 for row in packed]


def _other_complex() -> InvalidRequestError:
    return InvalidRequestError("the complex is not that of this network on this domain; give those that it was computed for")
