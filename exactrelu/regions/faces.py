"""A polyhedral complex as its faces: of every face the facets, and a cut through all of them that needs no arithmetic but signs.

A cell is a pointed cone in homogeneous coordinates, so a vertex may be a ray, and combinatorially every cell is a polytope. A hyperplane
splits it face by face, vertices and edges first. Of a face F that has vertices on both sides, H the hyperplane (R2):

- the part of F on a side has as facets the facets of F on that side, the parts there of the facets that H splits, and the cut F ^ H;
- the facets of the cut F ^ H are the cuts G ^ H of the facets G that H splits, and those facets of facets of F that lie in H.
  Of the latter each lies in exactly two facets of F, one on either side: taking those of the positive ones takes each once.

No general position is assumed. All faces of one dimension are treated in one pass over arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Words = np.ndarray


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
            size = max(needed, 3 * len(self._held) // 2 + 16)
            grown = np.empty((size, *self._held.shape[1:]), dtype=self._held.dtype)
            grown[: self._count] = self.values
            self._held = grown
        self._held[self._count : needed] = more
        self._count = needed


class Facets:
    """Of every face of one dimension its facets, as numbers of faces one dimension lower.

    Face i has the facets pool[start[i] : start[i] + length[i]]. A face whose facets change gets a new stretch at the end of the pool.
    """

    def __init__(self, lengths: np.ndarray, children: np.ndarray) -> None:
        self.length = Column(lengths.astype(np.int32))
        self.start = Column(_starts(lengths))
        self.pool = Column(children.astype(np.int32))

    def __len__(self) -> int:
        return len(self.length)

    def of(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The facets of these faces: (owner, facet), owner a place in `faces`, increasing."""
        lengths = self.length.values[faces]
        places = np.repeat(self.start.values[faces] - _starts(lengths), lengths)
        places += np.arange(len(places))
        return np.repeat(np.arange(len(faces)), lengths), self.pool.values[places]

    def replace(self, faces: np.ndarray, lengths: np.ndarray, children: np.ndarray) -> None:
        self.start.values[faces] = _starts(lengths) + len(self.pool)
        self.length.values[faces] = lengths
        self.pool.extend(children)

    def append(self, lengths: np.ndarray, children: np.ndarray) -> None:
        self.start.extend(_starts(lengths) + len(self.pool))
        self.length.extend(lengths)
        self.pool.extend(children)

    def compact(self) -> None:
        """Put the stretches in the order of the faces, without gaps."""
        lengths = self.length.values
        if len(self.pool) == int(lengths.sum()) and (self.start.values == _starts(lengths)).all():
            return
        children = self.of(np.arange(len(self)))[1]
        self.start, self.pool = Column(_starts(lengths)), Column(children)

    def union(self, words: Words) -> Words:
        """Of every face the bitwise or of its facets' words; after `compact`."""
        return _unions(words[self.pool.values], self.length.values)

    def selected(self, faces: np.ndarray, new_numbers: np.ndarray) -> Facets:
        """These faces alone, their facets renumbered."""
        return Facets(self.length.values[faces], new_numbers[self.of(faces)[1]])


class FaceLattice:
    """The faces of a complex of dimension d: those of dimension k are numbered from 0, for every k from 0 to d.

    facets[k] holds the facets of the k-dimensional faces, for k > 0. While neurons are being cut along, positive[k] and
    negative[k] hold a word of 64 bits for every face: bit i says that neuron i is positive, negative at some vertex of it; `home[k]`
    is a cell, as numbered at the last `settle`, that contained the face.
    """

    def __init__(self, vertices: int, facets: Sequence[Facets]) -> None:
        # facets[0] is never looked at.
        self.facets: list[Facets] = [Facets(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)), *facets]
        counts = [vertices, *map(len, facets)]
        self.home = [Column(np.zeros(count, dtype=np.int32)) for count in counts]
        self.positive, self.negative = ([Column(np.zeros(count, dtype=np.uint64)) for count in counts] for _ in range(2))

    @property
    def dimension(self) -> int:
        return len(self.facets) - 1

    def counts(self) -> list[int]:
        """How many faces there are of every dimension from 0 to d."""
        return [len(column) for column in self.home]

    # ------------------------------------------------------------ words

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
            result.append(self.facets[k].union(result[-1]))
        return result

    # ------------------------------------------------------------ the cut

    def split_cells(self, bit: np.uint64) -> np.ndarray:
        """The cells with vertices on both sides of the neuron of this bit."""
        return np.flatnonzero(self.positive[-1].values & self.negative[-1].values & bit)

    def split(self, bit: np.uint64, cut_edges: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[Words, Words]]) -> None:
        """Cut all cells along the neuron of this bit: the positive part keeps the number, the other one gets the next free number.

        cut_edges(edges, plus, minus) makes one new vertex on each of these edges, between its vertices plus and minus, and returns the
        words of the new vertices.
        """
        if not len(self.split_cells(bit)):
            return
        tight_vertices = bool((((self.positive[0].values | self.negative[0].values) & bit) == 0).any())
        none = np.zeros(0, dtype=np.int64)
        below, below_minus, below_cut = none, none, none
        for k in range(1, self.dimension + 1):
            crossing = np.flatnonzero(self.positive[k].values & self.negative[k].values & bit)
            owner, child = self.facets[k].of(crossing)
            place, is_split = _lookup(below, child)
            on_plus = ~is_split & ((self.positive[k - 1].values[child] & bit) != 0)
            on_minus = ~is_split & ~on_plus
            cut = len(self.home[k - 1]) + np.arange(len(crossing))
            if k == 1:
                words = cut_edges(crossing, child[on_plus], child[on_minus])
                self._extend(0, self.home[1].values[crossing], *words)
            else:
                cuts = [(owner[is_split], below_cut[place[is_split]])]
                if tight_vertices:
                    cuts.append(self._tight_facets(k - 1, bit, owner[on_plus], child[on_plus]))
                self._append(k - 1, self.home[k].values[crossing], *_grouped(cuts, len(crossing)))
            own = (np.arange(len(crossing)), cut)
            parts = [(owner[on_plus], child[on_plus]), (owner[is_split], child[is_split]), own]
            self._replace(k, crossing, *_grouped(parts, len(crossing)))
            parts = [(owner[on_minus], child[on_minus]), (owner[is_split], below_minus[place[is_split]]), own]
            below, below_minus, below_cut = crossing, len(self.home[k]) + np.arange(len(crossing)), cut
            self._append(k, self.home[k].values[crossing], *_grouped(parts, len(crossing)))

    def _tight_facets(self, k: int, bit: np.uint64, owner: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Those facets of these k-dimensional faces that lie in the hyperplane, with the owner of the face each is a facet of."""
        place, child = self.facets[k].of(faces)
        tight = ((self.positive[k - 1].values[child] | self.negative[k - 1].values[child]) & bit) == 0
        return owner[place[tight]], child[tight]

    def _append(self, k: int, home: np.ndarray, lengths: np.ndarray, children: np.ndarray) -> None:
        self.facets[k].append(lengths, children)
        words = (_unions(side[k - 1].values[children], lengths) for side in (self.positive, self.negative))
        self._extend(k, home, *words)

    def _replace(self, k: int, faces: np.ndarray, lengths: np.ndarray, children: np.ndarray) -> None:
        self.facets[k].replace(faces, lengths, children)
        for side in (self.positive, self.negative):
            side[k].values[faces] = _unions(side[k - 1].values[children], lengths)

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
        if self.dimension == 0:
            return self
        everything = np.arange(len(self.home[-2]))
        return FaceLattice(len(self.home[0]), [*self.facets[1:-1], self.facets[-1].selected(order, everything)])

    def neighbours(self) -> np.ndarray:
        """The pairs of cells that share a facet, (p, 2), sorted, the smaller number first."""
        if self.dimension == 0:
            return np.zeros((0, 2), dtype=np.int64)
        cell, facet = self.facets[-1].of(np.arange(len(self.home[-1])))
        order = np.argsort(facet, kind="stable")
        cell, facet = cell[order], facet[order]
        first = np.flatnonzero(facet[1:] == facet[:-1])
        # A stable sort keeps the owners of a facet in their order.
        pairs = np.stack([cell[first], cell[first + 1]], axis=1)
        return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]

    def spanning(self) -> tuple[np.ndarray, np.ndarray]:
        """The vertices of all cells as pairs (cell, vertex), sorted."""
        owner = child = np.arange(len(self.home[-1]))
        for k in range(self.dimension, 0, -1):
            place, below = self.facets[k].of(child)
            size = np.int64(len(self.home[k - 1]))
            pairs = np.unique(owner[place] * size + below)
            owner, child = pairs // size, pairs % size
        return owner, child


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.asarray(np.cumsum(lengths, dtype=np.int64) - lengths)


def _unions(words: Words, lengths: np.ndarray) -> Words:
    """The bitwise or of consecutive stretches, an empty one giving 0."""
    result = np.zeros(len(lengths), dtype=words.dtype)
    filled = np.flatnonzero(lengths)
    if len(filled):
        result[filled] = np.bitwise_or.reduceat(words, _starts(lengths)[filled])
    return result


def _lookup(increasing: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every value a place in the increasing array, and whether the value stands there."""
    if not len(increasing):
        return np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(increasing, values), len(increasing) - 1)
    return place, increasing[place] == values


def _grouped(parts: Sequence[tuple[np.ndarray, np.ndarray]], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (owner, facet) as (how many each of `count` owners has, the facets in the order of their owners)."""
    owner = np.concatenate([part[0] for part in parts])
    child = np.concatenate([part[1] for part in parts])
    return np.bincount(owner, minlength=count), child[np.argsort(owner, kind="stable")]
