"""Activation regions: which there are, how they meet, and the map that the network is on each of them, exactly (theory R)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import AllSpace, Ball
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.regions.charts import AffineSlice, Chart
from exactrelu.regions.complex import Neuron, RegionComplex
from exactrelu.regions.patterns import Block, sorted_by_pattern

if TYPE_CHECKING:
    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer, Network
    from exactrelu.regions.start import Start
    from exactrelu.regions.subdivision import Subdivision

__all__ = ["AffineSlice", "Neuron", "RegionComplex", "regions"]


def regions(
    network: Network,
    *,
    through: int | str | None = None,
    domain: Domain | None = None,
    affine_slice: AffineSlice | None = None,
    deadline: float | None = None,
    limit: int | None = None,
    floats: bool = True,
) -> RegionComplex:
    """The complex of activation regions of a network, exactly: on all of R^n, on a domain, or on an affine slice (R1, R2, R3).

    through: up to and with that source layer, by default the whole network. domain: a set of inputs, all by default; regions are those
    that are full-dimensional in it. affine_slice: ask about its points alone; coordinates are then the slice's. deadline: a time of
    `time.monotonic()`; limit: how many regions at most. Where one of them is reached, the result is not complete. floats: whether
    floats may decide signs where a proved bound allows it; the result is the same.

    Raises InvalidRequestError for a layer that does not exist, a domain or slice of another dimension, an empty domain, and a ball.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, 0], [0, 1], [1, 1]]), DyadicMatrix.from_floats([[0], [0], [-1.0]]), np.ones(3, bool))
    >>> found = regions(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (2,)))
    >>> found.regions, found.adjacencies, found.vertices, found.bounded_regions, found.complete
    (7, 9, 3, 1, True)
    """
    from exactrelu.regions.start import start_complex
    from exactrelu.regions.subdivision import Subdivision

    domain = AllSpace() if domain is None else domain
    if isinstance(domain, Ball):
        raise InvalidRequestError(
            f"domain {domain.describe()[:60]!r} is not supported for regions, whose vertices would not be rational; use a box or a polytope"
        )
    domain.check_dimension(network.inputs)
    if affine_slice is not None and len(affine_slice.origin) != network.inputs:
        raise InvalidRequestError(
            f"the slice's points have {len(affine_slice.origin)} coordinates, but the network has {network.inputs} inputs; "
            "give points of the network's input space"
        )
    outer = Chart.identity(network.inputs) if affine_slice is None else affine_slice.chart()
    layers = layers_through(network, through)
    start = start_complex(layers, outer, domain)
    if start is None or (limit is not None and start.lattice.counts()[-1] > limit):
        return _nothing_found(layers, outer)
    subdivision = Subdivision(start, floats=floats)
    subdivision.run(deadline=deadline, limit=limit)
    return _result(layers, outer, start, subdivision)


def layers_through(network: Network, through: int | str | None) -> tuple[Layer, ...]:
    """The lowered layers up to and with a source layer, its activation included; all of them for None and `output`."""
    if through is None or through == "output":
        return network.layers
    source = network.layer(through)
    *before, last = network.layers[: source.depth + len(source.stages)]
    # A source layer's outputs come first, then what is carried on.
    return (*before, last if last.outputs == source.outputs else last.first(source.outputs))


def _result(layers: tuple[Layer, ...], outer: Chart, start: Start, subdivision: Subdivision) -> RegionComplex:
    from exactrelu.regions.merging import merged

    pieces = subdivision.lattice
    blocks = tuple(Block(start.first_layer + block.layer, block.rows) for block in subdivision.blocks)
    pieces.settle()
    faces, numbers = pieces, [np.arange(count) for count in pieces.counts()]
    if subdivision.history is not None:
        faces, numbers = merged(pieces, subdivision.history)
    # Of every region a piece, in the order of the regions' patterns.
    representative = np.zeros(faces.counts()[-1], dtype=np.int64)
    representative[numbers[-1]] = np.arange(len(numbers[-1]))
    patterns = [pattern[representative] for pattern in subdivision.patterns]
    order = sorted_by_pattern(patterns, blocks, len(representative))
    return RegionComplex(
        neurons=tuple(Neuron(block.layer, row) for block in blocks for row in block.rows.tolist()),
        complete=subdivision.complete,
        lineality=tuple(RationalVector(line) for line in start.lineality),
        _words=np.stack(patterns, axis=1)[order] if patterns else np.zeros((len(order), 0), dtype=np.uint64),
        _blocks=blocks,
        _layers=layers,
        _outer=outer,
        _inner=start.inner,
        _homogeneous=tuple(subdivision.vertices),
        _pieces=pieces,
        _piece_numbers=(*numbers[:-1], np.argsort(order)[numbers[-1]]),
        _faces=faces.with_cells(order),
    )


def _nothing_found(layers: tuple[Layer, ...], outer: Chart) -> RegionComplex:
    """What is known where the start complex alone has too many faces."""
    from exactrelu.regions.faces import FaceLattice

    nothing = FaceLattice(0, [])
    empty = np.zeros(0, dtype=np.int64)
    return RegionComplex((), False, (), np.zeros((0, 0), dtype=np.uint64), (), layers, outer, outer, (), nothing, (empty,), nothing)
