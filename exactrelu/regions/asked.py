"""A question about regions: the layers and coordinates that it is about, and the ways to answer it, at once or in jobs."""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.domain import AllSpace, Ball
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.exact_file import network_sha256
from exactrelu.regions.charts import Chart
from exactrelu.regions.complex import Neuron, RegionComplex
from exactrelu.regions.patterns import Block, sorted_by_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer, Network
    from exactrelu.regions.charts import AffineSlice
    from exactrelu.regions.jobs import Parts, Ran, Results
    from exactrelu.regions.jobs.part import Part
    from exactrelu.regions.jobs.seams import Border
    from exactrelu.regions.start import Start
    from exactrelu.regions.subdivision import Subdivision


@dataclass(frozen=True, eq=False)
class Asked:
    """A question to `regions`, and the ways to answer it."""

    network: Network
    through: int | str | None
    domain: Domain | None
    affine_slice: AffineSlice | None
    deadline: float | None
    limit: int | None
    floats: bool = True
    compiled: bool | None = None

    @cached_property
    def _domain(self) -> Domain:
        return AllSpace() if self.domain is None else self.domain

    @cached_property
    def _outer(self) -> Chart:
        return outer_chart(self.network, self._domain, self.affine_slice)

    @cached_property
    def _layers(self) -> tuple[Layer, ...]:
        return layers_through(self.network, self.through)

    def _start(self, deadline: float | None) -> Start | None:
        """The start complex; None where a limit is reached before it is there."""
        from exactrelu.regions.start import start_complex

        start = start_complex(self._layers, self._outer, self._domain, deadline=deadline)
        return None if start is None or (self.limit is not None and start.lattice.counts()[-1] > self.limit) else start

    def at_once(self) -> RegionComplex:
        start = self._start(self.deadline)
        return self._nothing() if start is None else self._subdivided(start)

    def _subdivided(self, start: Start) -> RegionComplex:
        from exactrelu.regions.subdivision import Subdivision

        run = Subdivision(start, floats=self.floats, compiled=self.compiled)
        run.run(deadline=self.deadline, limit=self.limit)
        return self.complex(start, run)

    @contextmanager
    def in_jobs(
        self,
        look: Callable[[Part], Any],
        store: str | PathLike[str] | Results | None,
        workers: int,
        scheduler: str | None,
        progress: Callable[[int, int], None] | None,
    ) -> Iterator[Parts | RegionComplex]:
        """What the jobs have found, and `look` has told of it, in the store as long as the context lasts.

        The complex where there were no jobs, or a limit was reached.
        """
        from exactrelu.regions.jobs import How, Parts, run_in_jobs

        start = self._start(self.deadline)
        if start is None:
            yield self._nothing()
            return
        how = How(look, floats=self.floats, compiled=self.compiled, limit=self.limit)
        with self._results(store) as results:
            ran = run_in_jobs(start, results, how, workers=workers, scheduler=scheduler, deadline=self.deadline, progress=progress)
            if isinstance(ran, Parts):
                yield ran
            else:
                yield self._over_the_limit() if ran is None else self.complex(start, ran)

    def _results(self, store: str | PathLike[str] | Results | None) -> AbstractContextManager[Results]:
        from exactrelu.regions.jobs import InMemory
        from exactrelu.regions.jobs.store import open_store

        if isinstance(store, str | PathLike):
            return open_store(store, self._question())
        return nullcontext(InMemory() if store is None else store)

    def glued(self, parts: Parts, borders: Sequence[Border]) -> RegionComplex:
        """The complex of all parts, in memory."""
        from exactrelu.regions.jobs import Ran
        from exactrelu.regions.jobs.glue import glued

        whole = glued(parts, borders, parts.start.layers)
        if self.limit is not None and whole.lattice.counts()[-1] > self.limit:
            return self._over_the_limit()
        return self.complex(parts.start, Ran.of(whole))

    def _over_the_limit(self) -> RegionComplex:
        """The complex of the first neurons, to which jobs are of no use."""
        # There was time for the start complex.
        start = self._start(None)
        assert start is not None
        return self._subdivided(start)

    def complex(self, start: Start, ran: Ran | Subdivision) -> RegionComplex:
        """The complex of what was found, without artificial walls, regions in the order of their patterns."""
        from exactrelu.regions.merging import merged

        blocks = tuple(Block(start.first_layer + block.layer, block.rows) for block in ran.blocks)
        pieces, patterns = ran.lattice.compacted(), list(ran.patterns)
        faces, numbers = pieces, [np.arange(count, dtype=np.int32) for count in pieces.counts()]
        if ran.history is not None:
            faces, numbers = merged(pieces, ran.history)
            # Of every region a piece.
            representative = np.zeros(faces.counts()[-1], dtype=np.int64)
            representative[numbers[-1]] = np.arange(len(numbers[-1]))
            patterns = [pattern[representative] for pattern in patterns]
        order = sorted_by_pattern(patterns, blocks, faces.counts()[-1])
        return RegionComplex(
            neurons=tuple(Neuron(block.layer, row) for block in blocks for row in block.rows.tolist()),
            complete=ran.complete,
            lineality=tuple(RationalVector(line) for line in start.lineality),
            _words=np.stack(patterns, axis=1)[order] if patterns else np.zeros((len(order), 0), dtype=np.uint64),
            _blocks=blocks,
            _layers=self._layers,
            _outer=self._outer,
            _inner=start.inner,
            _homogeneous=ran.vertices,
            _pieces=pieces,
            _piece_numbers=(*numbers[:-1], np.argsort(order)[numbers[-1]]),
            _faces=faces.with_cells(order),
        )

    def _nothing(self) -> RegionComplex:
        """What is known where the start complex alone has too many faces."""
        from exactrelu.regions.faces import FaceLattice

        nothing, empty, words = FaceLattice(0, []), np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.uint64)
        return RegionComplex((), False, (), words, (), self._layers, self._outer, self._outer, (), nothing, (empty,), nothing)

    def _question(self) -> dict[str, str]:
        """What a store says that it belongs to."""
        plane = self.affine_slice
        points = None if plane is None else [plane.origin.texts(), *(line.texts() for line in plane.directions)]
        return {
            "network": network_sha256(self.network),
            "last layer": str(last_layer(self.network, self.through) or "output"),
            "domain": "\n".join(self._domain.lines()),
            "slice": json.dumps(points),
        }


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
