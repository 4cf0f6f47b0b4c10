"""A run as independent jobs: the start complex is cut along the first neurons, then groups of its cells go their own ways.

A job is an ordinary run that starts from some of these cells: their neurons so far cut nothing any more. How the cells of a run with a
store are grouped depends on the question alone, so that it may be taken up with another number of workers. Cells with the same first
signs are in one group, and groups follow one another in the order of these: so do then the patterns that the jobs find, which they sort.
What they find is glued (`jobs.glue`), in the memory of a run without jobs, or told part by part with much less (`jobs.by_part`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from exactrelu.errors import InvalidFileError
from exactrelu.parallel import as_ready, prepared_executor
from exactrelu.regions.forms import HomogeneousLayers
from exactrelu.regions.jobs.part import Part
from exactrelu.regions.patterns import first_changes, sorted_by_pattern
from exactrelu.regions.roots import RootForms
from exactrelu.regions.start import Start
from exactrelu.regions.subdivision import Subdivision
from exactrelu.regions.vertices import VertexSigns, Vertices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from exactrelu.network.model import Layer
    from exactrelu.regions.charts import Chart
    from exactrelu.regions.faces import FaceLattice
    from exactrelu.regions.patterns import Block

# More jobs than workers, since they take unequal times; but faces on the border of several jobs are found by each.
JOBS_A_WORKER, CELLS_A_JOB = 4, 16


class Results(Protocol):
    """Where results of jobs are kept by their numbers; into how many jobs a run is cut, None if that may depend on the workers."""

    jobs: int | None

    def begin(self, jobs: Sequence[bytes], /) -> None: ...

    def __contains__(self, job: object, /) -> bool: ...

    def __getitem__(self, job: int, /) -> bytes: ...

    def __setitem__(self, job: int, result: bytes, /) -> None: ...


class InMemory(dict[int, bytes]):
    """Results that are kept until the end of the run."""

    jobs: int | None = None

    def begin(self, jobs: Sequence[bytes], /) -> None:
        """Any jobs will do."""


@dataclass(frozen=True)
class How:
    """How a job is run: see `regions`. look: what is to be told of each part at once; a function that processes can be sent."""

    look: Callable[[Part], Any]
    floats: bool = True
    compiled: bool | None = None
    limit: int | None = None


@dataclass(frozen=True, eq=False)
class Parts:
    """What the jobs of a run have found, part after part: their cells are then sorted by patterns. Each part is made when it is its turn.

    seen: what was told of each.

    Raises InvalidFileError, meanwhile, where the bytes of a result are no part of this run's complex.
    """

    results: Results
    seen: Sequence[Any]
    start: Start

    def __iter__(self) -> Iterator[Part]:
        return (_read(self.results[number], self.start.layers) for number in range(len(self.seen)))


@dataclass(frozen=True, eq=False)
class Ran:
    """Cells with their faces, as `Subdivision` names what it has found."""

    lattice: FaceLattice
    vertices: Vertices
    blocks: Sequence[Block]
    patterns: Sequence[np.ndarray]
    history: VertexSigns | None
    complete: bool = True

    @staticmethod
    def of(part: Part) -> Ran:
        blocks, patterns = zip(*part.patterns, strict=True)
        return Ran(part.lattice, part.vertices, blocks, patterns, part.history)


def _neurons(layers: HomogeneousLayers) -> list[tuple[int, int]]:
    return [(number, row) for number, layer in enumerate(layers.layers) for row in np.flatnonzero(layer.rectified).tolist()]


def _read(result: bytes, layers: HomogeneousLayers) -> Part:
    """What a job has found."""
    part = Part.from_bytes(result, layers)
    if (part.lattice.dimension, part.neurons) != (layers.chart.dimension, _neurons(layers)):
        raise InvalidFileError("the results of jobs are not about this network; remove the store that holds them, and run again")
    return part


def cut_into_jobs(start: Start, jobs: int, how: How, deadline: float | None = None) -> tuple[Subdivision, list[bytes]]:
    """The start complex cut along the first neurons, and so many groups of its cells as jobs; none where the run has ended with that."""
    given = 0 if start.history is None else len(start.history.parts)
    trunk = Subdivision(start, floats=how.floats, compiled=how.compiled)
    trunk.run(deadline=deadline, limit=CELLS_A_JOB * jobs)
    if trunk.complete or _over(deadline):
        return trunk, []
    forms = RootForms(start.layers)
    return trunk, [_job(trunk, forms, given, group).to_bytes() for group in _groups(trunk, _neurons(start.layers), jobs)]


def _groups(trunk: Subdivision, neurons: Sequence[tuple[int, int]], jobs: int) -> list[np.ndarray]:
    """The cells in so many groups, or fewer, in the order of their first signs; neighbours in this order share many faces."""
    cut, blocks = list[tuple[int, int]](), 0
    for block in trunk.blocks:
        cut += [(block.layer, row) for row in block.rows.tolist()]
        # Seeds may come before their turn.
        blocks += cut == neurons[: len(cut)]
    cells = trunk.lattice.counts()[-1]
    order = sorted_by_pattern(trunk.patterns[:blocks], trunk.blocks[:blocks], cells)
    starts = np.zeros(1, dtype=np.int64)
    if blocks:
        changes, _ = first_changes([words[order] for words in trunk.patterns[:blocks]])
        starts = np.append(0, np.flatnonzero(changes < blocks) + 1)
    ends = np.unique(starts[np.searchsorted(starts, np.arange(jobs) * cells // jobs, side="right") - 1])
    return np.split(order, ends[1:])


def _job(trunk: Subdivision, forms: RootForms, given: int, cells: np.ndarray) -> Part:
    """These cells, with the signs of the domain's sides; the neurons' signs are found again."""
    lattice, numbers = trunk.lattice.restricted(np.sort(cells))
    history = None
    if trunk.history is not None:
        history = VertexSigns([(plus.values[numbers], minus.values[numbers]) for plus, minus in trunk.history.parts[:given]])
    return Part(lattice, Vertices([trunk.vertices[v] for v in numbers.tolist()], forms), [], history)


class JobRunner:
    """What a worker holds: everything but the cells."""

    def __init__(self, layers: tuple[Layer, ...], chart: Chart, seeds: np.ndarray, how: How) -> None:
        self._layers = HomogeneousLayers(layers, chart)
        self._seeds, self._how = seeds, how

    def look(self, result: bytes) -> Any:
        """What is told of a result that is known."""
        return self._how.look(_read(result, self._layers))

    def run(self, task: tuple[bytes, float | None]) -> tuple[bytes, Any] | None:
        """The result of a job that may take so long, a time of `time.time()`, and what is told of it; None where that, or the limit, is
        reached.
        """
        job, until = Part.from_bytes(task[0], self._layers), task[1]
        start = Start(self._layers, 0, self._layers.chart, (), self._seeds, job.lattice, job.vertices.given, job.history)
        # A worker runs many jobs, so that loading compiled passes pays.
        run = Subdivision(start, floats=self._how.floats, compiled=self._how.compiled is not False)
        run.run(deadline=None if until is None else time.monotonic() + until - time.time(), limit=self._how.limit)
        if not run.complete:
            return None
        order = sorted_by_pattern(run.patterns, run.blocks, run.lattice.counts()[-1])
        patterns = [(block, words[order]) for block, words in zip(run.blocks, run.patterns, strict=True)]
        part = Part(run.lattice.with_cells(order).compacted(), run.vertices, patterns, run.history)
        return part.to_bytes(), self._how.look(part)


def run_in_jobs(
    start: Start,
    results: Results,
    how: How,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Parts | Subdivision | None:
    """Subdivide a start complex job by job; those in `results` are there already, and others are kept there as they end.

    progress: is called with how many jobs have ended, and how many there are. Where the deadline passes, what is returned is the complex
    of the first neurons, not complete; None where a job finds more cells than the limit.

    Raises InvalidRequestError where `prepared_executor` or `results` does.
    """
    layers = start.layers
    with prepared_executor(JobRunner, layers.layers, layers.chart, start.seeds, how, workers=workers, scheduler=scheduler) as executor:
        count = results.jobs or JOBS_A_WORKER * executor.workers
        trunk, jobs = cut_into_jobs(start, count, how, deadline)
        if not jobs:
            return trunk
        results.begin(jobs)
        known = [number for number in range(len(jobs)) if number in results]
        left = [number for number in range(len(jobs)) if number not in known]
        if progress is not None:
            progress(len(known), len(jobs))
        looks = as_ready(executor, JobRunner.look, (results[number] for number in known), ahead=executor.ahead)
        seen = {known[place]: told for place, told in looks}
        until = None if deadline is None else time.time() + deadline - time.monotonic()
        tasks = ((jobs[number], until) for number in left)
        for place, found in as_ready(executor, JobRunner.run, tasks, ahead=executor.ahead, deadline=deadline):
            if found is None:
                break
            results[left[place]], seen[left[place]] = found
            if progress is not None:
                progress(len(seen), len(jobs))
    if len(seen) < len(jobs):
        return trunk if _over(deadline) else None
    return Parts(results, [seen[number] for number in range(len(jobs))], start)


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline
