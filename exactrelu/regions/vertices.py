"""Vertices and rays as integer vectors (z, tau), tau = 0 for a ray, made when they are asked for; signs to remember.

Where a form vanishes on an edge is determined by the ends of the edge, and these are all that is kept of a new vertex until its integers
are needed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby, pairwise
from operator import mul
from typing import TYPE_CHECKING, overload

import numpy as np

from exactrelu.regions.charts import Row, primitive
from exactrelu.regions.faces import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exactrelu.regions.roots import RootForms


def value(form: Row, vertex: Row) -> int:
    """A form at a homogeneous point."""
    return sum(map(mul, form, vertex))


def crossing_vertex(form: Row, plus: Row, minus: Row) -> Row:
    """Where a form vanishes between a vertex at which it is positive and one at which it is negative: |z_n| p + |z_p| n (R2)."""
    a, b = value(form, plus), -value(form, minus)
    assert a > 0 < b
    return primitive([b * x + a * y for x, y in zip(plus, minus, strict=True)])


class Vertices(Sequence[Row]):
    """Primitive integer vectors: those given, and after them those where neurons vanish between two earlier ones.

    >>> vertices = Vertices([(0, 1), (1, 0)])
    >>> len(vertices), vertices[1], vertices.rays.tolist()
    (2, (1, 0), [False, True])
    """

    def __init__(self, given: Iterable[Row], forms: RootForms | None = None) -> None:
        self._known: list[Row | None] = list(given)
        self._given = len(self._known)
        self._forms = forms
        self._rays = Column(np.array([row is not None and row[-1] == 0 for row in self._known], dtype=bool))
        # Of those after the given ones: the two vertices that each lies between, and the root that contains these.
        self._ends = Column(np.zeros((0, 2), dtype=np.int32))
        self._roots = Column(np.zeros(0, dtype=np.int32))
        # Of every cut its first vertex, layer and neuron.
        self._cuts: list[tuple[int, int, int]] = []

    def __len__(self) -> int:
        return len(self._known)

    @property
    def given(self) -> list[Row]:
        return self[: self._given]

    @property
    def forms(self) -> RootForms:
        """What `cross` speaks of; only where forms were given."""
        assert self._forms is not None
        return self._forms

    @property
    def rays(self) -> np.ndarray:
        """Which of them are rays, boolean (vertices,)."""
        return self._rays.values

    def cross(self, layer: int, neuron: int, roots: np.ndarray, plus: np.ndarray, minus: np.ndarray) -> None:
        """Append the vertices where a neuron, positive at `plus` and negative at `minus`, vanishes between these, in these roots."""
        self.cross_all([(layer, neuron, len(roots))], roots, np.stack([plus, minus], axis=1))

    def cross_all(self, cuts: Iterable[tuple[int, int, int]], roots: np.ndarray, ends: np.ndarray) -> None:
        """What `cross` does for one neuron after the other: cuts: (layer, neuron, how many vertices); ends: (vertices, 2)."""
        self._known += [None] * len(roots)
        self._ends.extend(ends)
        self._roots.extend(roots)
        first = 0
        for layer, neuron, count in cuts:
            self._cuts.append((len(self._rays), layer, neuron))
            plus, minus = ends[first : first + count].T
            self._rays.extend(self.rays[plus] & self.rays[minus])
            first += count

    def calls(self) -> tuple[list[tuple[int, int, int]], np.ndarray, np.ndarray]:
        """The arguments of one call of `cross_all` that makes all of them that were not given."""
        places = pairwise([*(cut[0] for cut in self._cuts), len(self)])
        cuts = [(layer, neuron, end - begin) for (_, layer, neuron), (begin, end) in zip(self._cuts, places, strict=True)]
        return cuts, self._roots.values, self._ends.values

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self[v] for v in range(*place.indices(len(self)))]
        asked = [range(len(self))[place]]
        while asked:
            vertex = asked[-1]
            if self._known[vertex] is not None:
                asked.pop()
                continue
            plus, minus = self._ends.values[vertex - self._given].tolist()
            p, n = self._known[plus], self._known[minus]
            if p is None or n is None:
                asked += [end for end, known in ((plus, p), (minus, n)) if known is None]
                continue
            _, layer, neuron = self._cuts[bisect_right(self._cuts, vertex, key=lambda cut: cut[0]) - 1]
            assert self._forms is not None
            form = self._forms.form(layer, int(self._roots.values[vertex - self._given]), neuron)
            self._known[vertex] = crossing_vertex(form, p, n)
        found = self._known[place]
        assert found is not None
        return found

    def __iter__(self) -> Iterator[Row]:
        # Layer by layer and root by root, so that a root's forms are made once.
        firsts = [next(cuts)[0] for _, cuts in groupby(self._cuts, key=lambda cut: cut[1])]
        for begin, end in pairwise([*firsts, len(self)]):
            roots = self._roots.values[begin - self._given : end - self._given]
            for vertex in (begin + np.argsort(roots, kind="stable")).tolist():
                self[vertex]
        return (self[vertex] for vertex in range(len(self)))


class VertexSigns:
    """For every vertex the words of earlier signs, kept only where walls will be merged away; see `merging`."""

    def __init__(self, parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
        self.parts = [(Column(positive), Column(negative)) for positive, negative in parts]

    def add(self, positive: np.ndarray, negative: np.ndarray) -> None:
        self.parts.append((Column(positive), Column(negative)))

    def extend(self, plus: np.ndarray, minus: np.ndarray) -> None:
        """New vertices, each inside an edge between two others that no earlier form cuts."""
        for part in self.parts:
            for column in part:
                column.extend(column.values[plus] | column.values[minus])
