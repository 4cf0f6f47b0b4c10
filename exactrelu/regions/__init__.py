"""Activation regions: which there are, how they meet, and the map that the network is on each of them, exactly (theory R)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from exactrelu.regions.asked import Asked
from exactrelu.regions.charts import AffineSlice
from exactrelu.regions.complex import Neuron, RegionComplex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    from exactrelu.domain import Domain
    from exactrelu.network.model import Network
    from exactrelu.regions.jobs import Results
    from exactrelu.regions.jobs.by_part import RegionsByPart

# Up to so many regions a complex is small.
MOST_IN_MEMORY = 10**4

__all__ = ["AffineSlice", "Neuron", "RegionComplex", "regions", "regions_by_part"]


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
    store: str | PathLike[str] | Results | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RegionComplex:
    """The complex of activation regions of a network, exactly: on all of R^n, on a domain, or on an affine slice (R1, R2, R3).

    through: up to and with that source layer, by default the whole network. domain: a set of inputs, all by default; regions are those
    that are full-dimensional in it. affine_slice: ask about its points alone; coordinates are then the slice's. deadline: a time of
    `time.monotonic()`; limit: how many regions at most. Where one of them is reached, the result is not complete. floats: whether
    floats may decide signs where a proved bound allows it; compiled: whether numba, where it is installed, compiles the inner loops, by
    default where there is enough to do. The result is the same.

    workers, scheduler, store: the run is cut into jobs, for so many processes on this machine or the workers of the Dask scheduler at that
    address; the file, or results that are open already, keep what jobs find, so that the same call goes on where an earlier one was
    stopped, at any moment. The result is the same, but where it is not complete. progress: is called with how many jobs have ended, and
    how many there are.

    Raises InvalidRequestError for a layer that does not exist, a domain or slice of another dimension, an empty domain, and a ball; where
    no scheduler answers, and for a store of something else.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, 0], [0, 1], [1, 1]]), DyadicMatrix.from_floats([[0], [0], [-1.0]]), np.ones(3, bool))
    >>> found = regions(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (2,)))
    >>> found.regions, found.adjacencies, found.vertices, found.bounded_regions, found.complete
    (7, 9, 3, 1, True)
    """
    asked = Asked(network, through, domain, affine_slice, deadline, limit, floats, compiled)
    if workers == 1 and scheduler is None and store is None:
        return asked.at_once()
    from exactrelu.regions.jobs.seams import Border

    with asked.in_jobs(Border.of, store, workers, scheduler, progress) as found:
        return found if isinstance(found, RegionComplex) else asked.glued(found, found.seen)


@contextmanager
def regions_by_part(
    network: Network,
    store: str | PathLike[str] | Results,
    *,
    through: int | str | None = None,
    domain: Domain | None = None,
    affine_slice: AffineSlice | None = None,
    deadline: float | None = None,
    limit: int | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[RegionComplex | RegionsByPart]:
    """What `regions` finds with a store, for counts and the graph: where it is large it is never in memory as a whole.

    Arguments and errors are those of `regions`. While the context lasts, a `RegionsByPart` reads the store. Where there are few regions or
    artificial walls, or a limit was reached, it is the complex that `regions` returns.

    >>> import tempfile
    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [1.0]]), DyadicMatrix.from_floats([[0.0], [-1.0]]), np.ones(2, bool))
    >>> line = Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (1,))
    >>> with tempfile.TemporaryDirectory() as folder, regions_by_part(line, folder + "/a.store") as found:
    ...     found.regions, found.adjacencies
    (3, 2)
    """
    from exactrelu.regions.jobs import Ran
    from exactrelu.regions.jobs.by_part import RegionsByPart
    from exactrelu.regions.jobs.outline import Outline

    asked = Asked(network, through, domain, affine_slice, deadline, limit)
    with asked.in_jobs(Outline.of, store, workers, scheduler, progress) as found:
        if isinstance(found, RegionComplex):
            yield found
            return
        count = sum(outline.regions for outline in found.seen)
        if count <= MOST_IN_MEMORY or (limit is not None and count > limit) or found.start.history is not None:
            yield asked.glued(found, [outline.border for outline in found.seen])
        else:
            yield RegionsByPart(found, found.seen, lambda part: asked.complex(found.start, Ran.of(part)))
