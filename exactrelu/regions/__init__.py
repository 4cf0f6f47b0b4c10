"""Activation regions: which there are, how they meet, and the map that the network is on each of them, exactly (theory R)."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import AllSpace, Ball
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.exact_file import network_sha256
from exactrelu.regions.charts import AffineSlice, Chart
from exactrelu.regions.complex import Neuron, RegionComplex
from exactrelu.regions.patterns import Block, sorted_by_pattern

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer, Network
    from exactrelu.regions.jobs import Ran
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
    compiled: bool | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    store: str | PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RegionComplex:
    """The complex of activation regions of a network, exactly: on all of R^n, on a domain, or on an affine slice (R1, R2, R3).

    through: up to and with that source layer, by default the whole network. domain: a set of inputs, all by default; regions are those
    that are full-dimensional in it. affine_slice: ask about its points alone; coordinates are then the slice's. deadline: a time of
    `time.monotonic()`; limit: how many regions at most. Where one of them is reached, the result is not complete. floats: whether
    floats may decide signs where a proved bound allows it; compiled: whether numba, where it is installed, compiles the inner loops, by
    default where there is enough to do. The result is the same.

    workers, scheduler, store: the run is cut into jobs, for so many processes on this machine or the workers of the Dask scheduler at that
    address; the file keeps what jobs find, so that the same call goes on where an earlier one was stopped, at any moment. The result is
    the same, but where it is not complete. progress: is called with how many jobs have ended, and how many there are.

    Raises InvalidRequestError for a layer that does not exist, a domain or slice of another dimension, an empty domain, and a ball; where
    no scheduler answers, and for a store of something else.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, 0], [0, 1], [1, 1]]), DyadicMatrix.from_floats([[0], [0], [-1.0]]), np.ones(3, bool))
    >>> found = regions(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (2,)))
    >>> found.regions, found.adjacencies, found.vertices, found.bounded_regions, found.complete
    (7, 9, 3, 1, True)
    """
    from exactrelu.regions.start import start_complex
    from exactrelu.regions.subdivision import Subdivision

    domain = AllSpace() if domain is None else domain
    outer = outer_chart(network, domain, affine_slice)
    layers = layers_through(network, through)
    start = start_complex(layers, outer, domain, deadline=deadline)
    if start is None or (limit is not None and start.lattice.counts()[-1] > limit):
        return _nothing_found(layers, outer)
    ran: Ran | Subdivision | None = None
    if workers != 1 or scheduler is not None or store is not None:
        from exactrelu.regions.jobs import How, InMemory, run_in_jobs
        from exactrelu.regions.jobs.store import open_store

        how = How(floats=floats, compiled=compiled, limit=limit)
        keeping = nullcontext(InMemory()) if store is None else open_store(store, _question(network, through, domain, affine_slice))
        with keeping as results:
            ran = run_in_jobs(start, results, how, workers=workers, scheduler=scheduler, deadline=deadline, progress=progress)
        if ran is None:
            # The jobs are of no use to the complex of the first neurons, within the limit.
            start = start_complex(layers, outer, domain)
            assert start is not None
    if ran is None:
        ran = Subdivision(start, floats=floats, compiled=compiled)
        ran.run(deadline=deadline, limit=limit)
    return _result(layers, outer, start, ran)


def outer_chart(network: Network, domain: Domain, affine_slice: AffineSlice | None) -> Chart:
    """The coordinates that are asked about, those of the input or of the slice; raises InvalidRequestError as `regions` does."""
    if isinstance(domain, Ball):
        raise InvalidRequestError(
            f"domain {domain.describe()[:60]!r} is not supported for regions, whose vertices would not be rational; use a box or a polytope"
        )
    domain.check_dimension(network.inputs)
    if affine_slice is None:
        return Chart.identity(network.inputs)
    if len(affine_slice.origin) != network.inputs:
        raise InvalidRequestError(
            f"the slice's points have {len(affine_slice.origin)} coordinates, but the network has {network.inputs} inputs; "
            "give points of the network's input space"
        )
    return affine_slice.chart()


def last_layer(network: Network, through: int | str | None) -> int | None:
    """The number of the source layer that `through` names; None for the whole network, which None and `output` name."""
    return None if through is None or through == "output" else network.layer(through).number


def layers_through(network: Network, through: int | str | None) -> tuple[Layer, ...]:
    """The lowered layers up to and with a source layer, its activation included; all of them for None and `output`."""
    number = last_layer(network, through)
    if number is None:
        return network.layers
    source = network.layer(number)
    *before, last = network.layers[: source.depth + len(source.stages)]
    # A source layer's outputs come first, then what is carried on.
    return (*before, last if last.outputs == source.outputs else last.first(source.outputs))


def _question(network: Network, through: int | str | None, domain: Domain, affine_slice: AffineSlice | None) -> dict[str, str]:
    """What a store says that it belongs to."""
    points = None if affine_slice is None else [affine_slice.origin.texts(), *(line.texts() for line in affine_slice.directions)]
    return {
        "network": network_sha256(network),
        "last layer": str(last_layer(network, through) or "output"),
        "domain": "\n".join(domain.lines()),
        "slice": json.dumps(points),
    }


def _result(layers: tuple[Layer, ...], outer: Chart, start: Start, ran: Ran | Subdivision) -> RegionComplex:
    from exactrelu.regions.merging import merged

    pieces = ran.lattice
    blocks = tuple(Block(start.first_layer + block.layer, block.rows) for block in ran.blocks)
    pieces.settle()
    faces, numbers = pieces, [np.arange(count) for count in pieces.counts()]
    if ran.history is not None:
        faces, numbers = merged(pieces, ran.history)
    # Of every region a piece, in the order of the regions' patterns.
    representative = np.zeros(faces.counts()[-1], dtype=np.int64)
    representative[numbers[-1]] = np.arange(len(numbers[-1]))
    patterns = [pattern[representative] for pattern in ran.patterns]
    order = sorted_by_pattern(patterns, blocks, len(representative))
    return RegionComplex(
        neurons=tuple(Neuron(block.layer, row) for block in blocks for row in block.rows.tolist()),
        complete=ran.complete,
        lineality=tuple(RationalVector(line) for line in start.lineality),
        _words=np.stack(patterns, axis=1)[order] if patterns else np.zeros((len(order), 0), dtype=np.uint64),
        _blocks=blocks,
        _layers=layers,
        _outer=outer,
        _inner=start.inner,
        _homogeneous=ran.vertices,
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
