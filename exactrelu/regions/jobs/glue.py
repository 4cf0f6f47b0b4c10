"""Parts of one complex put together again in memory, of which one after the other is looked at.

Of every dimension the faces on borders come first, as `seams` numbers them, then those inside each part. Vertices follow one another in the
order of the neurons that made them, those of one neuron in this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.regions.face_passes import starts_of
from exactrelu.regions.faces import FaceLattice, Facets
from exactrelu.regions.jobs.part import Part
from exactrelu.regions.jobs.seams import Border, Seams, on_border
from exactrelu.regions.roots import RootForms
from exactrelu.regions.vertices import VertexSigns, Vertices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exactrelu.regions.charts import Row
    from exactrelu.regions.forms import HomogeneousLayers
    from exactrelu.regions.patterns import Block

Patterns = list[tuple["Block", np.ndarray]]


def glued(parts: Iterable[Part], borders: Sequence[Border], layers: HomogeneousLayers) -> Part:
    """The complex of all parts, which are settled and have different cells and these borders; its cells are in their order.

    Raises InvalidFileError where they differ in dimension or in their neurons.

    >>> from exactrelu.regions.charts import Chart
    >>> from exactrelu.regions.forms import HomogeneousLayers
    >>> from exactrelu.regions.start import cones
    >>> layers = HomogeneousLayers([], Chart.identity(2))
    >>> lattice, vertices = cones([(1, 0, 0), (0, 1, 0)], [False, False])
    >>> halves = []
    >>> for cells in ([0, 1], [2, 3]):
    ...     half, numbers = lattice.restricted(np.array(cells))
    ...     halves.append(Part(half, Vertices([vertices[v] for v in numbers.tolist()], RootForms(layers)), [], None))
    >>> [half.lattice.counts() for half in halves], glued(halves, [Border.of(half) for half in halves], layers).lattice.counts()
    ([[4, 5, 2], [4, 5, 2]], [5, 8, 4])
    """
    seams = Seams(borders)
    vertices = _Vertices(borders, seams)
    facets = [Facets(own.length.values, own.pool.values if k else vertices.of_seams[own.pool.values]) for k, own in enumerate(seams.facets)]
    facets.append(Facets(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)))
    for whole, (faces, children) in zip(facets, np.sum([border.sizes for border in borders], axis=0).tolist(), strict=True):
        # As many as there would be if no two were the same.
        whole.length.reserve(faces)
        whole.start.reserve(faces)
        whole.pool.reserve(children)
    patterns: list[Patterns] = []
    for i, part in enumerate(parts):
        flags = on_border(part.lattice)
        numbers = vertices.add(i, part, flags[0])
        patterns.append(list(part.patterns))
        for k, (whole, own) in enumerate(zip(facets, part.lattice.facets[1:], strict=True), 1):
            inside, first = ~flags[k], len(whole)
            whole.append(own.length.values[inside], numbers[own.pool.values[np.repeat(inside, own.length.values)]])
            if k < len(facets):
                numbers = np.empty(len(inside), dtype=np.int32)
                numbers[inside] = np.arange(first, len(whole))
                numbers[flags[k]] = seams.numbers[i][k]
    return Part(FaceLattice(vertices.count, facets), vertices.made(layers), _together(patterns), vertices.history())


def _together(patterns: Sequence[Patterns]) -> Patterns:
    """Words of all parts."""
    return [(own[0][0], np.concatenate([words for _, words in own])) for own in zip(*patterns, strict=True)]


class _Vertices:
    """The vertices of the whole, in groups: first the given ones, then those of each neuron; in each those on borders first."""

    def __init__(self, borders: Sequence[Border], seams: Seams) -> None:
        self._seams, self._neurons = seams, borders[0].kind[1]
        shared = np.array([len(seams.given), *seams.made])
        self._inside = np.array([border.inside for border in borders])
        self._sizes = shared + self._inside.sum(axis=0)
        starts = starts_of(self._sizes)
        self.count = int(self._sizes.sum())
        # Of every vertex on a border its number here; of every part and group the number of the first vertex inside.
        self.of_seams = _runs(starts, shared)
        self._starts = starts + shared + np.cumsum(self._inside, axis=0) - self._inside
        self._given: list[Row] = [*seams.given, *[()] * (int(self._sizes[0]) - len(seams.given))]
        self._ends, self._roots = np.zeros((self.count, 2), dtype=np.int32), np.zeros(self.count, dtype=np.int32)
        # What the parts know of the roots of each layer but the first, and how many roots each layer has had.
        stages, signs = borders[0].kind[2:]
        self._stages: list[list[tuple[np.ndarray, Patterns]]] = [[] for _ in range(stages)]
        self._roots_before = [0] * (stages + 1)
        self._signs = None if signs is None else np.zeros((signs, 2, self.count), dtype=np.uint64)

    def add(self, i: int, part: Part, on_border: np.ndarray) -> np.ndarray:
        """Add those of part i; their numbers."""
        numbers = np.empty(len(on_border), dtype=np.int32)
        numbers[on_border] = self.of_seams[self._seams.numbers[i][0]]
        numbers[~on_border] = _runs(self._starts[i], self._inside[i])
        given = part.vertices.given
        for number, row in zip(numbers[: len(given)].tolist(), given, strict=True):
            self._given[number] = row
        cuts, roots, ends = part.vertices.calls()
        later, before = numbers[len(given) :], np.array(self._roots_before)
        self._ends[later] = numbers[ends]
        self._roots[later] = roots + np.repeat(before[[layer for layer, *_ in cuts]], [count for *_, count in cuts])
        for layer, (parents, pattern) in enumerate(part.vertices.forms.calls()):
            self._stages[layer].append((parents + before[layer], pattern))
            self._roots_before[layer + 1] += len(parents)
        if self._signs is not None and part.history is not None:
            for whole, columns in zip(self._signs, part.history.parts, strict=True):
                for signs, column in zip(whole, columns, strict=True):
                    signs[numbers] = column.values
        return numbers

    def made(self, layers: HomogeneousLayers) -> Vertices:
        forms = RootForms(layers)
        for stage in self._stages:
            forms.begin_layer(np.concatenate([parents for parents, _ in stage]), _together([pattern for _, pattern in stage]))
        result, first = Vertices(self._given, forms), len(self._given)
        cuts = [(*neuron, count) for neuron, count in zip(self._neurons, self._sizes[1:].tolist(), strict=True)]
        result.cross_all(cuts, self._roots[first:], self._ends[first:])
        return result

    def history(self) -> VertexSigns | None:
        return None if self._signs is None else VertexSigns([(positive, negative) for positive, negative in self._signs])


def _runs(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Numbers from each start on, so many of each."""
    return (np.repeat(starts - starts_of(lengths), lengths) + np.arange(lengths.sum())).astype(np.int32)
