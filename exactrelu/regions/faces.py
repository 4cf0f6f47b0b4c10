"""A polyhedral complex as its faces: of every face the facets, and a cut through all of them that needs no arithmetic but signs.

A cell is a pointed cone in homogeneous coordinates, so a vertex may be a ray, and combinatorially every cell is a polytope. A hyperplane
splits it face by face, vertices and edges first. Of a face F that has vertices on both sides, H the hyperplane (R2):

- the part of F on a side has as facets the facets of F on that side, the parts there of the facets that H splits, and the cut F ^ H;
- the facets of the cut F ^ H are the cuts G ^ H of the facets G that H splits, and those facets of facets of F that lie in H.
  Of the latter each lies in exactly two facets of F, one on either side: taking those of the positive ones takes each once.

No general position is assumed. All faces of one dimension are treated in one pass over arrays (`face_passes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.regions.face_passes import NUMPY, children_of, facets_of, starts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exactrelu.regions.face_passes import Stretches, Words


class Column:
    """An array that grows along its first axis; `values` is what it holds now, writable in place.

    >>> column = Column(np.arange(2))
    >>> column.extend(np.array([7])), column.values.tolist()
    (None, [0, 1, 7])
    """

    def __init__(self, values: np.ndarray) -> None:
        self._held = values
        self._count = len(values)

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> np.ndarray:
        return self._held[: self._count]

    def extend(self, more: np.ndarray) -> None:
        needed = self._count + len(more)
        if needed > len(self._held):
            self.reserve(max(needed, 3 * len(self._held) // 2 + 16))
        self._held[self._count : needed] = more
        self._count = needed

    def reserve(self, size: int) -> None:
        """Make room for so many, at least as many as there are."""
        grown = np.empty((size, *self._held.shape[1:]), dtype=self._held.dtype)
        grown[: self._count] = self.values
        self._held = grown


class Facets:
    """Of every face of one dimension its facets, as numbers of faces one dimension lower.

    Face i has the facets pool[start[i] : start[i] + length[i]]. A face whose facets change gets a new stretch at the end of the pool.
    """

    def __init__(self, lengths: np.ndarray, children: np.ndarray) -> None:
        self.length = Column(lengths.astype(np.int32, copy=False))
        self.start = Column(starts_of(lengths))
        self.pool = Column(children.astype(np.int32, copy=False))

    def __len__(self) -> int:
        return len(self.length)

    @property
    def stretches(self) -> Stretches:
        return self.start.values, self.length.values, self.pool.values

    def of(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The facets of these faces: (owner, facet), owner a place in `faces`, increasing."""
        return facets_of(self.stretches, faces)

    def replace(self, faces: np.ndarray, lengths: np.ndarray, children: np.ndarray) -> None:
        self.start.values[faces] = starts_of(lengths) + len(self.pool)
        self.length.values[faces] = lengths
        self.pool.extend(children)

    def append(self, lengths: np.ndarray, children: np.ndarray) -> None:
        self.start.extend(starts_of(lengths) + len(self.pool))
        self.length.extend(lengths)
        self.pool.extend(children)

    def compact(self) -> None:
        """Put the stretches in the order of the faces, without gaps."""
        lengths = self.length.values
        # A stretch that was replaced has left a gap.
        if len(self.pool) == int(lengths.sum()):
            return
        children = children_of(self.stretches, np.arange(len(self)))
        self.start, self.pool = Column(starts_of(lengths)), Column(children)

    def selected(self, faces: np.ndarray, new_numbers: np.ndarray) -> Facets:
        """These faces alone, their facets renumbered."""
        return Facets(self.length.values[faces], new_numbers[children_of(self.stretches, faces)])


class FaceLattice:
    """The faces of a complex of dimension d: those of dimension k are numbered from 0, for every k from 0 to d.

    facets[k] holds the facets of the k-dimensional faces, for k > 0. While neurons are being cut along, positive[k] and
    negative[k] hold a word of 64 bits for every face: bit i says that neuron i is positive, negative at some vertex of it; `home[k]`
    is a cell, as numbered at the last `settle`, that contained the face. `passes` may be set to compiled ones.
    """

    def __init__(self, vertices: int, facets: Sequence[Facets]) -> None:
        # facets[0] is never looked at.
        self.facets: list[Facets] = [Facets(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)), *facets]
        counts = [vertices, *map(len, facets)]
        self.home = [Column(np.zeros(count, dtype=np.int32)) for count in counts]
        self.positive, self.negative = ([Column(np.zeros(count, dtype=np.uint64)) for count in counts] for _ in range(2))
        self.passes = NUMPY
        self._places = np.zeros(0, dtype=np.int32)

    @property
    def dimension(self) -> int:
        return len(self.facets) - 1

    def counts(self) -> list[int]:
        """How many faces there are of every dimension from 0 to d."""
        return [len(column) for column in self.home]

    # ------------------------------------------------------------ words

    def compacted(self) -> FaceLattice:
        """The same complex, as after `settle`, without words."""
        for facets in self.facets[1:]:
            facets.compact()
        return FaceLattice(self.counts()[0], self.facets[1:])

    def settle(self) -> None:
        """Number the cells anew: `home` of every face becomes a cell that contains it."""
        d = self.dimension
        self.home[d] = Column(np.arange(len(self.home[d]), dtype=np.int32))
        for k in range(d, 0, -1):
            self.facets[k].compact()
            below = np.zeros(len(self.home[k - 1]), dtype=np.int32)
            below[self.facets[k].pool.values] = np.repeat(self.home[k].values, self.facets[k].length.values)
            self.home[k - 1] = Column(below)

    def mark(self, positive: Words, negative: Words) -> None:
        """Give the vertices these words, and every face the union of its vertices'; after `settle`."""
        self.positive, self.negative = ([Column(words) for words in self.unions(part)] for part in (positive, negative))

    def unions(self, words: Words) -> list[Words]:
        """For every dimension, of every face the bitwise or of its vertices' words (of any integer type); after `settle`."""
        result = [words]
        for k in range(1, self.dimension + 1):
            result.append(self.passes.unions(result[-1], self.facets[k].pool.values, self.facets[k].length.values))
        return result

    # ------------------------------------------------------------ the cut

    def split_cells(self, bit: np.uint64) -> np.ndarray:
        """The cells with vertices on both sides of the neuron of this bit."""
        return self.passes.crossing(*self._signs(-1), bit)

    def split(self, bit: np.uint64, cut_edges: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[Words, Words]]) -> None:
        """Cut all cells along the neuron of this bit: the positive part keeps the number, the other one gets the next free number.

        cut_edges(edges, plus, minus) makes one new vertex on each of these edges, between its vertices plus and minus, and returns the
        words of the new vertices.
        """
        if not len(self.split_cells(bit)):
            return
        tight_vertices = bool((((self.positive[0].values | self.negative[0].values) & bit) == 0).any())
        # Of every face of one dimension its place among those that were split, while the next dimension is done; else -1.
        if len(self._places) < max(self.counts()):
            self._places = np.full(2 * max(self.counts()), -1, dtype=np.int32)
        places = self._places
        below, first_minus, first_cut = np.zeros(0, dtype=np.int64), 0, 0
        for k in range(1, self.dimension + 1):
            crossing = self.passes.crossing(*self._signs(k), bit)
            places[below] = np.arange(len(below))
            new = (len(self.home[k - 1]), first_minus, first_cut)
            # An edge's facets are vertices, which have none.
            ridge_signs, tight = (self._signs(k - 2), tight_vertices) if k > 1 else (self._signs(0), False)
            facets, ridges = self.facets[k].stretches, self.facets[k - 1].stretches
            plus, minus, cut = self.passes.divided(crossing, facets, self._signs(k - 1), ridges, ridge_signs, bit, places, new, tight)
            places[below] = -1
            below, first_minus, first_cut = crossing, len(self.home[k]), new[0]
            home = self.home[k].values[crossing]
            if k == 1:
                # An edge's positive part has its positive vertex, then the new one.
                self._extend(0, home, *cut_edges(crossing, plus[1][::2], minus[1][::2]))
            else:
                self._append(k - 1, home, *cut)
            self._replace(k, crossing, *plus)
            self._append(k, home, *minus)

    def _signs(self, k: int) -> tuple[Words, Words]:
        return self.positive[k].values, self.negative[k].values

    def _append(self, k: int, home: np.ndarray, lengths: np.ndarray, children: np.ndarray) -> None:
        self.facets[k].append(lengths, children)
        words = (self.passes.unions(side, children, lengths) for side in self._signs(k - 1))
        self._extend(k, home, *words)

    def _replace(self, k: int, faces: np.ndarray, lengths: np.ndarray, children: np.ndarray) -> None:
        self.facets[k].replace(faces, lengths, children)
        for side, below in zip(self._signs(k), self._signs(k - 1), strict=True):
            side[faces] = self.passes.unions(below, children, lengths)

    def _extend(self, k: int, home: np.ndarray, positive: Words, negative: Words) -> None:
        self.home[k].extend(home)
        self.positive[k].extend(positive)
        self.negative[k].extend(negative)

    # ------------------------------------------------------------ parts and neighbours

    def restricted(self, cells: np.ndarray) -> tuple[FaceLattice, np.ndarray]:
        """The complex of these cells and their faces, and which vertices of this one are its vertices, in order."""
        kept = cells
        chosen = [kept]
        for k in range(self.dimension, 0, -1):
            used = np.zeros(len(self.home[k - 1]), dtype=bool)
            used[self.facets[k].of(kept)[1]] = True
            kept = np.flatnonzero(used)
            chosen.insert(0, kept)
        parts = []
        for k in range(1, self.dimension + 1):
            numbers = np.zeros(len(self.home[k - 1]), dtype=np.int32)
            numbers[chosen[k - 1]] = np.arange(len(chosen[k - 1]))
            parts.append(self.facets[k].selected(chosen[k], numbers))
        return FaceLattice(len(chosen[0]), parts), chosen[0]

    def with_cells(self, order: np.ndarray) -> FaceLattice:
        """The same complex, its cells numbered in another order."""
        if self.dimension == 0 or (order == np.arange(len(order))).all():
            return self
        everything = np.arange(len(self.home[-2]))
        return FaceLattice(len(self.home[0]), [*self.facets[1:-1], self.facets[-1].selected(order, everything)])

    def neighbours(self) -> np.ndarray:
        """The pairs of cells that share a facet, (p, 2), sorted, the smaller number first."""
        if self.dimension == 0:
            return np.zeros((0, 2), dtype=np.int64)
        self.facets[-1].compact()
        cell, facet = np.repeat(np.arange(len(self.home[-1])), self.facets[-1].length.values), self.facets[-1].pool.values
        # At most two cells have a facet: the last one and the first one to be written.
        last, first = np.zeros((2, len(self.home[-2])), dtype=np.int64)
        last[facet], first[facet[::-1]] = cell, cell[::-1]
        count = np.int64(len(self.home[-1]))
        return np.stack(np.divmod(np.sort((first * count + last)[first < last]), count), axis=1)

    def spanning(self) -> tuple[np.ndarray, np.ndarray]:
        """The vertices of all cells as pairs (cell, vertex), sorted."""
        owner = child = np.arange(len(self.home[-1]))
        for k in range(self.dimension, 0, -1):
            place, below = self.facets[k].of(child)
            size = np.int64(len(self.home[k - 1]))
            pairs = np.unique(owner[place] * size + below)
            owner, child = pairs // size, pairs % size
        return owner, child
