"""The regions of a large run told part by part: counts, statistics and the graph, while one part is in memory.

A part's cells are regions, numbered after those of the parts before it, and what the parts share lies on their borders. So memory holds, at
a time, one part, most of it while its job runs, about a kilobyte a region; and of all parts the borders, for n regions in dimension d about
n^((d-1)/d) faces. There are no artificial walls here, which would have to be taken away from the whole.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidFileError
from exactrelu.regions import statistics
from exactrelu.regions.complex import marked_neurons
from exactrelu.regions.jobs.seams import Seams
from exactrelu.regions.patterns import first_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from exactrelu.regions.complex import RegionComplex
    from exactrelu.regions.jobs.outline import Outline
    from exactrelu.regions.jobs.part import Part


class RegionsByPart:
    """A complete region complex that stays in its parts; what it has in common with `RegionComplex` has the same names.

    parts: what the jobs have found, read again whenever that is asked for; their outlines. complex_of: the complex of a part's regions.

    Raises InvalidFileError where they do not fit together.
    """

    complete = True

    def __init__(self, parts: Iterable[Part], outlines: Sequence[Outline], complex_of: Callable[[Part], RegionComplex]) -> None:
        self._parts, self._complex_of = parts, complex_of
        found = complex_of(next(iter(parts)))
        self.neurons, self.lineality = found.neurons, found.lineality
        self.dimension, self.space_dimension, self._blocks = found.dimension, found.space_dimension, found._blocks
        *self._firsts, self.regions = np.cumsum([0, *(own.regions for own in outlines)]).tolist()
        seams = Seams([own.border for own in outlines])
        cells = np.concatenate([own.cells + first for own, first in zip(outlines, self._firsts, strict=True)])
        self._pairs, self._changed = _across(outlines, seams, cells)
        self.adjacencies = sum(own.adjacencies for own in outlines) + len(self._pairs)
        self.bounded_regions = 0 if self.lineality else sum(own.without_rays for own in outlines)
        self._faces = [0] * len(self.lineality) + _face_counts(outlines, seams)
        self.vertices = self._faces[0]
        # The last region of a part and the first one of the next are neighbours in the order of patterns.
        between = [np.stack([before.ends[1], after.ends[0]]) for before, after in pairwise(outlines)]
        if not all(first_changes(ends.T)[1].all() for ends in between):
            raise _misfit()
        changes = [*(own.changes for own in outlines), *map(statistics.count_changes, between)]
        self.overview = statistics.Overview(
            regions_by_layer=statistics.layer_sizes(np.sum(changes, axis=0), self._blocks),
            degree_max=_largest_degree(outlines, cells, self._pairs),
            dead_neurons=statistics.marked(self.neurons, ~np.bitwise_or.reduce([own.ever for own in outlines]), self._blocks),
            always_active_neurons=statistics.marked(self.neurons, np.bitwise_and.reduce([own.always for own in outlines]), self._blocks),
        )

    def face_counts(self) -> list[int]:
        """How many faces there are of every dimension; those at infinity do not count."""
        return list(self._faces)

    def complexes(self) -> Iterator[RegionComplex]:
        """The complex of each part; its regions follow those of the parts before it."""
        return map(self._complex_of, self._parts)

    def adjacent(self) -> Iterator[tuple[list[int], tuple[int, ...]]]:
        """The pairs of regions that share a facet, sorted, each with the neurons, as places in `neurons`, that change between them."""
        parts = np.searchsorted(self._pairs[:, 0], [*self._firsts, self.regions]).tolist()
        for found, first, across in zip(self.complexes(), self._firsts, pairwise(parts), strict=True):
            pairs = np.concatenate([found.neighbours + first, self._pairs[slice(*across)]])
            changed = np.concatenate([found.changes(slice(None)), self._changed[slice(*across)]])
            order = np.lexsort(pairs.T[::-1])
            yield from zip(pairs[order].tolist(), marked_neurons(changed[order], self._blocks), strict=True)


def _across(outlines: Sequence[Outline], seams: Seams, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of regions of different parts with a common facet, ordered by their first parts, and the bits of the words that change.

    cells: the regions of the facets on borders.
    """
    facets = np.concatenate([numbers[-1] for numbers in seams.numbers])
    order = np.argsort(facets, kind="stable")
    same = facets[order[1:]] == facets[order[:-1]]
    if (same[1:] & same[:-1]).any():
        raise _misfit()
    # Of two parts the first has the smaller numbers, and facets are numbered as the parts first have them.
    ends = np.stack([order[:-1][same], order[1:][same]], axis=1)
    words = np.concatenate([own.words for own in outlines])
    return cells[ends], words[ends[:, 0]] ^ words[ends[:, 1]]


def _misfit() -> InvalidFileError:
    return InvalidFileError("results of jobs do not fit together; remove the store that holds them, and run again")


def _face_counts(outlines: Sequence[Outline], seams: Seams) -> list[int]:
    """How many faces of every dimension are not at infinity, those on several borders once."""
    counts = np.sum([own.finite_faces for own in outlines], axis=0)
    for k in range(len(counts) - 1):
        numbers = np.concatenate([numbers[k][own.finite[k]] for numbers, own in zip(seams.numbers, outlines, strict=True)])
        counts[k] -= len(numbers) - len(np.unique(numbers))
    result: list[int] = counts.tolist()
    return result


def _largest_degree(outlines: Sequence[Outline], cells: np.ndarray, pairs: np.ndarray) -> int:
    """How many neighbours a region has at most; pairs: those in different parts."""
    cells, where = np.unique(cells, return_index=True)
    degrees = np.concatenate([own.degrees for own in outlines])[where]
    degrees += np.bincount(np.searchsorted(cells, pairs.reshape(-1)), minlength=len(cells))
    return max(int(degrees.max(initial=0)), *(own.degree_max for own in outlines))
