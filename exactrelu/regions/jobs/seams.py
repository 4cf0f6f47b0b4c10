"""Which faces of several parts of one complex are the same, found exactly without computing a coordinate.

The parts come from cells that share faces, each cut along the same neurons in the same order. On a face G that two parts share a neuron is
one function, continuous across G: it has the same sign at every vertex of G in both parts, and cuts the same edges of G. A new vertex on G
lies inside the edge that it was found on, so that this edge lies in G. By induction over the neurons both parts have the same vertices on
G, each known by its edge and its neuron, and so, dimension by dimension, the same faces.

Only faces on the border of a part are shared: those of its facets that have one cell of it. For let G be a face of a cell of the part and
of a cell of another one. Cells fill a convex set, so that near a point inside G a path leads from the one to the other past all faces of
dimension below d - 1. It leaves the part through a facet that has one cell of it and that contains this point, and with it G.

Two faces of one dimension with two common facets are equal: cells of the complex meet in common faces, and a common face that holds two
facets of a face is the whole of it. So a face is known by its two smallest facets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidFileError
from exactrelu.regions.face_passes import children_of, starts_of
from exactrelu.regions.faces import Facets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row
    from exactrelu.regions.faces import FaceLattice
    from exactrelu.regions.jobs.part import Part


def on_border(lattice: FaceLattice) -> list[np.ndarray]:
    """For every dimension which faces of a part lie in a facet that has one cell of it; no cell does."""
    counts = lattice.counts()
    result = [np.zeros(count, dtype=bool) for count in counts]
    for k in range(lattice.dimension, 0, -1):
        if k == lattice.dimension:
            result[k - 1] = np.bincount(lattice.facets[k].pool.values, minlength=counts[k - 1]) == 1
        else:
            result[k - 1][children_of(lattice.facets[k].stretches, np.flatnonzero(result[k]))] = True
    return result


@dataclass(frozen=True, eq=False)
class Border:
    """The faces on the border of a part, numbered by themselves in their order, and what must be known of the part to glue it.

    given: vertices that the part began with. ends, made: of the further ones the ends of the edges that they lie on, (vertices, 2), and
    how many of them each neuron has made. facets: of the faces of dimension 1 to d - 1. inside: how many vertices are not on the border,
    first given ones, then those of each neuron. sizes: of dimension 1 to d how many faces there are, and how many facets these have
    together. kind: what parts of one complex share: their dimension, neurons, how many layers but the first find roots, and how many words
    of signs a vertex has.
    """

    given: list[Row]
    ends: np.ndarray
    made: np.ndarray
    facets: list[Facets]
    inside: np.ndarray
    sizes: np.ndarray
    kind: tuple[int, list[tuple[int, int]], int, int | None]

    @staticmethod
    def of(part: Part) -> Border:
        """The border of a part, which is settled."""
        lattice, neurons, flags = part.lattice, part.neurons, on_border(part.lattice)
        numbers = [np.cumsum(own, dtype=np.int32) - 1 for own in flags]
        given, (cuts, _, ends) = part.vertices.given, part.vertices.calls()
        place = {neuron: i for i, neuron in enumerate(neurons)}
        maker = np.repeat([place[layer, row] for layer, row, _ in cuts], [count for *_, count in cuts]).astype(np.int64)
        first, later = np.split(flags[0], [len(given)])
        made = np.bincount(maker[later], minlength=len(neurons))
        return Border(
            given=[given[v] for v in np.flatnonzero(first).tolist()],
            ends=numbers[0][ends[later]],
            made=made,
            facets=[lattice.facets[k].selected(np.flatnonzero(flags[k]), numbers[k - 1]) for k in range(1, lattice.dimension)],
            inside=np.append(len(given) - first.sum(), np.bincount(maker, minlength=len(neurons)) - made),
            sizes=np.array([(len(facets), len(facets.pool)) for facets in lattice.facets[1:]]),
            kind=(lattice.dimension, neurons, len(part.vertices.forms.calls()), None if part.history is None else len(part.history.parts)),
        )


class Seams:
    """The faces on the borders of all parts, those that are the same with one number, in the order in which they come first.

    numbers[i][k]: of the k-dimensional faces on the border of part i, k < d, their numbers. `given`: the first vertices; `made`: how many
    vertices each neuron has made after them. facets[k - 1]: of the k-dimensional faces.

    Raises InvalidFileError where the parts differ in dimension or neurons.
    """

    def __init__(self, borders: Sequence[Border]) -> None:
        if any(border.kind != borders[0].kind for border in borders):
            raise InvalidFileError("results of jobs do not fit together; remove the store that holds them, and run again")
        vertices = self._vertices(borders)
        self.numbers = [[own] for own in vertices]
        self.facets: list[Facets] = []
        count = len(self.given) + int(self.made.sum())
        for k in range(len(borders[0].facets)):
            held = [border.facets[k] for border in borders]
            lengths = np.concatenate([own.length.values for own in held])
            children = np.concatenate([own[-1][one.pool.values] for own, one in zip(self.numbers, held, strict=True)])
            together = Facets(lengths, children)
            numbers, first = _alike(_two_smallest(together, count))
            self.facets.append(together.selected(first, np.arange(count)))
            count = len(first)
            for own, part in zip(self.numbers, _split(numbers, [len(one) for one in held]), strict=True):
                own.append(part)

    def _vertices(self, borders: Sequence[Border]) -> list[np.ndarray]:
        """Find `given` and `made`; the numbers of the vertices."""
        known: dict[Row, int] = {}
        sizes = [len(border.given) + len(border.ends) for border in borders]
        offsets = starts_of(np.array(sizes)).tolist()
        numbers = np.zeros(sum(sizes), dtype=np.int32)
        for border, offset in zip(borders, offsets, strict=True):
            numbers[offset : offset + len(border.given)] = [known.setdefault(row, len(known)) for row in border.given]
        self.given = list(known)
        # The vertices of all parts one after the other, those that one neuron has made found together.
        ends = np.concatenate([border.ends.astype(np.int64) + offset for border, offset in zip(borders, offsets, strict=True)])
        places = [
            np.arange(offset + len(border.given), offset + size) for border, offset, size in zip(borders, offsets, sizes, strict=True)
        ]
        maker = np.concatenate([np.repeat(np.arange(len(border.made)), border.made) for border in borders])
        order = np.argsort(maker, kind="stable")
        place, count = np.concatenate(places), len(known)
        self.made = np.zeros(len(borders[0].made), dtype=np.int64)
        for neuron, own in enumerate(_split(order, np.bincount(maker, minlength=len(self.made)))):
            plus, minus = numbers[ends[own]].T
            found, first = _alike(_pair(plus, minus, count))
            numbers[place[own]] = count + found
            self.made[neuron] = len(first)
            count += len(first)
        return _split(numbers, sizes)

    def counts(self) -> list[int]:
        """How many faces there are of dimension 0 to d - 1."""
        return [len(self.given) + int(self.made.sum()), *map(len, self.facets)]


def _split(column: np.ndarray, sizes: Sequence[int] | np.ndarray) -> list[np.ndarray]:
    """An array cut into parts of these sizes."""
    return np.split(column, np.cumsum(sizes)[:-1]) if len(sizes) else []


def _alike(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the keys in the order in which they come first, and the places where they do."""
    _, first, alike = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    numbers = np.empty(len(first), dtype=np.int32)
    numbers[order] = np.arange(len(first))
    return numbers[alike], first[order]


def _pair(first: np.ndarray, second: np.ndarray, count: int) -> np.ndarray:
    """One number for two below `count`."""
    return np.asarray(first.astype(np.int64) * count + second)


def _two_smallest(facets: Facets, count: int) -> np.ndarray:
    """Of each face one number for its two smallest facets, which are numbered below `count`."""
    lengths, children = facets.length.values, facets.pool.values
    if not len(lengths):
        return np.zeros(0, dtype=np.int64)
    starts = starts_of(lengths)
    smallest = np.minimum.reduceat(children, starts)
    others = np.where(children == np.repeat(smallest, lengths), count, children)
    return _pair(smallest, np.minimum.reduceat(others, starts), count + 1)
