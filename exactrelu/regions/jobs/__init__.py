"""A run as independent jobs: the start complex is cut along the first neurons, then groups of its cells go their own ways.

A job is an ordinary run that starts from some of these cells: their neurons so far cut nothing any more. How the cells of a run with a
store are grouped depends on the question alone, so that it may be taken up with another number of workers. What the jobs find is glued
(`jobs.glue`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from exactrelu.errors import InvalidFileError
from exactrelu.parallel import as_ready, prepared_executor
from exactrelu.regions.forms import HomogeneousLayers
from exactrelu.regions.jobs.glue import glued
from exactrelu.regions.jobs.part import Part
from exactrelu.regions.patterns import sorted_by_pattern
from exactrelu.regions.roots import RootForms
from exactrelu.regions.start import Start
from exactrelu.regions.subdivision import Subdivision
from exactrelu.regions.vertices import VertexSigns, Vertices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    """How a job is run: see `regions`."""

    floats: bool = True
    compiled: bool | None = None
    limit: int | None = None


@dataclass(frozen=True, eq=False)
class Ran:
    """What a run has found, as `Subdivision` names it."""

    lattice: FaceLattice
    vertices: Vertices
    blocks: Sequence[Block]
    patterns: Sequence[np.ndarray]
    history: VertexSigns | None
    complete: bool = True


def cut_into_jobs(start: Start, jobs: int, how: How, deadline: float | None = None) -> tuple[Subdivision, list[bytes]]:
    """The start complex cut along the first neurons, and so many groups of its cells as jobs; none where the run has ended with that."""
    given = 0 if start.history is None else len(start.history.parts)
    trunk = Subdivision(start, floats=how.floats, compiled=how.compiled)
    trunk.run(deadline=deadline, limit=CELLS_A_JOB * jobs)
    if trunk.complete or _over(deadline):
        return trunk, []
    trunk.lattice.settle()
    cells = trunk.lattice.counts()[-1]
    # Neighbours in the order of the patterns lie close to one another, so that groups share few faces.
    order = sorted_by_pattern(trunk.patterns, trunk.blocks, cells)
    return trunk, [_job(trunk, RootForms(start.layers), given, group).to_bytes() for group in np.array_split(order, min(cells, jobs))]


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

    def run(self, task: tuple[bytes, float | None]) -> bytes | None:
        """The result of a job that may take so long, a time of `time.time()`; None where that, or the limit, is reached."""
        job, until = Part.from_bytes(task[0], self._layers), task[1]
        start = Start(self._layers, 0, self._layers.chart, (), self._seeds, job.lattice, job.vertices.given, job.history)
        # A worker runs many jobs, so that loading compiled passes pays.
        run = Subdivision(start, floats=self._how.floats, compiled=self._how.compiled is not False)
        run.run(deadline=None if until is None else time.monotonic() + until - time.time(), limit=self._how.limit)
        if not run.complete:
            return None
        return Part(run.lattice, run.vertices, list(zip(run.blocks, run.patterns, strict=True)), run.history).to_bytes()


def run_in_jobs(
    start: Start,
    results: Results,
    how: How,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Ran | Subdivision | None:
    """Subdivide a start complex job by job; those in `results` are there already, and others are kept there as they end.

    progress: is called with how many jobs have ended, and how many there are. Where the deadline passes, what is returned is the complex
    of the first neurons, not complete; None where there are more cells than the limit.

    Raises InvalidRequestError where `prepared_executor` or `results` does.
    """
    layers = start.layers
    with prepared_executor(JobRunner, layers.layers, layers.chart, start.seeds, how, workers=workers, scheduler=scheduler) as executor:
        count = results.jobs or JOBS_A_WORKER * executor.workers
        trunk, jobs = cut_into_jobs(start, count, how, deadline)
        if not jobs:
            return trunk
        results.begin(jobs)
        left = [number for number in range(len(jobs)) if number not in results]
        done = len(jobs) - len(left)
        if progress is not None:
            progress(done, len(jobs))
        until = None if deadline is None else time.time() + deadline - time.monotonic()
        tasks = ((jobs[number], until) for number in left)
        for place, result in as_ready(executor, JobRunner.run, tasks, ahead=executor.ahead, deadline=deadline):
            if result is None:
                break
            results[left[place]] = result
            done += 1
            if progress is not None:
                progress(done, len(jobs))
    if done < len(jobs):
        return trunk if _over(deadline) else None
    whole = glued([Part.from_bytes(results[number], layers) for number in range(len(jobs))], layers)
    neurons = [(number, row) for number, layer in enumerate(layers.layers) for row in np.flatnonzero(layer.rectified).tolist()]
    if (whole.lattice.dimension, whole.neurons) != (trunk.lattice.dimension, neurons):
        raise InvalidFileError("the results of the jobs are not about this network; remove the store that holds them, and run again")
    if how.limit is not None and whole.lattice.counts()[-1] > how.limit:
        return None
    blocks, patterns = zip(*whole.patterns, strict=True)
    return Ran(whole.lattice, whole.vertices, blocks, patterns, whole.history)


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline
