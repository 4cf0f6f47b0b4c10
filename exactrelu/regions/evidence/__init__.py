"""The certificate that the regions found are all there are: they are the leaves of a tree of cells, with interior points and facets."""

from __future__ import annotations

from dataclasses import dataclass
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
from exactrelu.regions.evidence.cones import NoMinimumError
from exactrelu.regions.evidence.facets import FacetProof
from exactrelu.regions.evidence.tree import CellTree, Node, integers, other_complex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer, Network
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
        raise other_complex()
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
class _Cells:
    """The tree in preorder, made anew whenever it is asked for."""

    layers: tuple[Layer, ...]
    found: RegionComplex
    domain: Domain
    chart: Chart

    def __iter__(self) -> Iterator[Cell]:
        try:
            tree = CellTree(self.layers, integers(self.found.patterns()), self.domain, self.chart)
            # Of many sides most may follow from the others.
            proof = FacetProof(tree.sides, tree.start, ())
            for number in range(len(tree.sides)):
                proof.decide(number)
            yield from tree.cells(_region, proof.further)
        except NoMinimumError:
            raise other_complex() from None


def _region(node: Node, cones: tuple[int, ...]) -> Cell | None:
    if not node.is_leaf:
        return None
    proof = FacetProof(node.rows, node.cone, node.known)
    for number in range(len(node.rows)):
        if node.counted >> number & 1:
            proof.decide(number)
    proof.show_inside()
    return Cell(None, proof.facets & node.counted, (*cones, *(cone.mask for cone in proof.further)), tuple(proof.points))
