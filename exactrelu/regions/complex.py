"""A network's activation regions and how they meet: what `regions` returns.

Regions are numbered in the order of their patterns and vertices in the order of their coordinates, so that the same network gives the
same numbers however it was computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.regions.charts import Chart, primitive
from exactrelu.regions.forms import HomogeneousLayers
from exactrelu.regions.patterns import bits
from exactrelu.regions.vertices import Vertices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.network.model import Layer
    from exactrelu.regions.charts import Row
    from exactrelu.regions.faces import FaceLattice
    from exactrelu.regions.patterns import Block

# Of so many pairs of regions the bits are spread out at once.
AT_ONCE = 2**14


@dataclass(frozen=True)
class Neuron:
    """A rectified row: the number of the lowered layer, from 0 as in `Network.layers`, and of the row in it."""

    layer: int
    row: int


@dataclass(frozen=True, eq=False)
class RegionComplex:
    """The activation regions (z > 0 against z <= 0, full-dimensional in the domain) of a network, their facets and vertices (R3).

    Coordinates are those of the network's input, or of the slice. `neurons` lists the rectified rows that a pattern speaks of. Where
    `complete` is False a limit was reached: the complex is then that of these first neurons, and there are at least as many regions.

    `lineality` is a basis of directions in which no pattern changes: where there is one, there are no vertices, and no region is bounded.

    >>> from exactrelu import DyadicMatrix
    >>> from exactrelu.network.model import Layer, Network, SourceLayer
    >>> from exactrelu.regions import regions
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, 0], [0, 1]]), DyadicMatrix.from_floats([[0], [-1.0]]), np.ones(2, bool))
    >>> found = regions(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (2,)))
    >>> found.patterns().astype(int).tolist(), found.neighbours.tolist(), found.flipped(0), found.points()[0].texts()
    ([[0, 0], [0, 1], [1, 0], [1, 1]], [[0, 1], [0, 2], [1, 3], [2, 3]], (1,), ['0', '1'])
    >>> found.interior_point(3).texts(), found.vertices_of(3), [ray.texts() for ray in found.rays_of(3)], found.affine_map(1)[1].texts()
    (['1', '2'], (0,), [['0', '1'], ['1', '0']], ['0', '1', '-1'])
    """

    neurons: tuple[Neuron, ...]
    complete: bool
    lineality: tuple[RationalVector, ...]
    _words: np.ndarray  # (regions, blocks): the patterns
    _blocks: tuple[Block, ...]
    _layers: tuple[Layer, ...]
    _outer: Chart  # from the coordinates of the user to inputs of the network
    _inner: Chart  # from those of the vertices to those of the user
    _homogeneous: Sequence[Row]  # the vertices and rays, of the pieces
    _pieces: FaceLattice  # convex pieces of the regions: these themselves where no artificial wall was needed
    _piece_numbers: tuple[np.ndarray, ...]  # of every face of the pieces, the face of `_faces` that it is a piece of, or -1
    _faces: FaceLattice

    # ------------------------------------------------------------ counts

    @property
    def regions(self) -> int:
        """How many full-dimensional regions there are."""
        return len(self._words)

    @property
    def adjacencies(self) -> int:
        """How many pairs of regions share a facet."""
        return len(self.neighbours)

    @property
    def vertices(self) -> int:
        """How many finite vertices there are, those on the boundary of the domain included."""
        return len(self._finite_vertices)

    @property
    def bounded_regions(self) -> int:
        return int(self.bounded.sum())

    def face_counts(self) -> list[int]:
        """How many faces there are of every dimension, from vertices to regions; those at infinity do not count."""
        result = [0] * len(self.lineality)
        finite = (~self._rays).astype(np.uint8)
        for flags, numbers in zip(self._pieces.unions(finite), self._piece_numbers, strict=True):
            result.append(int(np.count_nonzero(np.bincount(numbers[(flags > 0) & (numbers >= 0)]))))
        return result

    @property
    def space_dimension(self) -> int:
        """The dimension of the space of coordinates: the network's inputs, or the slice's directions."""
        return self._outer.dimension

    @property
    def dimension(self) -> int:
        """The dimension of the regions: less than `space_dimension` where the domain lies in a hyperplane."""
        return self._faces.dimension + len(self.lineality)

    def faces(self) -> FaceLattice:
        """The faces of every dimension and their facets, divided by the lineality; the cells are the regions."""
        return self._faces

    def homogeneous_vertices(self) -> list[Row]:
        """The 0-dimensional faces of `faces()` as integers (z, t), t = 0 for a ray.

        Where there is lineality, or the domain lies in a hyperplane, z holds some of the coordinates, the others being functions of them.
        """
        return [self._homogeneous[v] for v in self._representative.tolist()]

    # ------------------------------------------------------------ regions

    def patterns(self) -> np.ndarray:
        """All patterns, boolean (regions, neurons): which neurons are positive inside."""
        parts = [bits(self._words[:, i], len(block.rows)) for i, block in enumerate(self._blocks)]
        return np.hstack(parts) if parts else np.zeros((self.regions, 0), dtype=bool)

    def pattern(self, region: int) -> tuple[np.ndarray, ...]:
        """The pattern of one region as masks (m,) of the lowered layers, true where there is no relu; see `Network.affine_map`."""
        masks = [~layer.rectified for layer in self._layers]
        for i, block in enumerate(self._blocks):
            masks[block.layer][block.rows] = bits(self._words[region : region + 1, i], len(block.rows))[0]
        return tuple(masks)

    def affine_map(self, region: int) -> tuple[RationalVector, ...]:
        """The map that the network is on a region: of every output the row (coefficients .., constant).

        Raises InvalidRequestError where the complex is not complete.
        """
        if not self.complete:
            raise InvalidRequestError("the complex is not complete: its regions have no affine map yet; give more time or a larger limit")
        denominator = self._outer_layers.chart.scale << self._outer_layers.shifts[-1]
        return tuple(RationalVector(row, denominator) for row in self._outer_layers.of_pattern(self.pattern(region)))

    @cached_property
    def _outer_layers(self) -> HomogeneousLayers:
        return HomogeneousLayers(self._layers, self._outer)

    @cached_property
    def bounded(self) -> np.ndarray:
        """Which regions are bounded, boolean (regions,)."""
        if self.lineality:
            return np.zeros(self.regions, dtype=bool)
        unbounded = np.zeros(self.regions, dtype=bool)
        unbounded[self._piece_numbers[-1][self._pieces.unions(self._rays.astype(np.uint8))[-1] > 0]] = True
        return ~unbounded

    def interior_point(self, region: int) -> RationalVector:
        """A point inside a region."""
        total = [sum(entries) for entries in zip(*(self._homogeneous[v] for v in _of(self._generators, region)), strict=True)]
        return self._inner.point(RationalVector(tuple(total[:-1]), total[-1]))

    @cached_property
    def _generators(self) -> tuple[np.ndarray, np.ndarray]:
        """The vertices and rays of all pieces of a region as pairs (region, vertex), sorted."""
        piece, vertex = self._pieces.spanning()
        size = len(self._homogeneous)
        pairs = np.unique(self._piece_numbers[-1][piece] * size + vertex)
        return pairs // size, pairs % size

    def generators(self) -> tuple[list[Row], list[list[int]]]:
        """Points and rays as integers (x, t), t = 0 for a ray, sorted, and of every region the places of those that span it.

        With the lineality, that is. Two regions that share a facet have there the same ones; some may be no vertices of a region.

        >>> from exactrelu import DyadicMatrix
        >>> from exactrelu.network.model import Layer, Network, SourceLayer
        >>> from exactrelu.regions import regions
        >>> layer = Layer(DyadicMatrix.from_floats([[2.0]]), DyadicMatrix.from_floats([[-1.0]]), np.ones(1, bool))
        >>> regions(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (1,))).generators()
        ([(-1, 0), (1, 0), (1, 2)], [[0, 2], [1, 2]])
        """
        points = [self._inner.homogeneous(vertex) for vertex in self._homogeneous]
        order = sorted(range(len(points)), key=points.__getitem__)
        places = np.argsort(order).tolist()
        spanning: list[list[int]] = [[] for _ in range(self.regions)]
        for region, vertex in zip(*(part.tolist() for part in self._generators), strict=True):
            spanning[region].append(places[vertex])
        return [points[vertex] for vertex in order], [sorted(own) for own in spanning]

    @property
    def on_slice(self) -> bool:
        """Whether coordinates are those of a slice, not of the network's input."""
        return self._outer != Chart.identity(self._outer.dimension)

    # ------------------------------------------------------------ vertices

    @cached_property
    def _rays(self) -> np.ndarray:
        """Which of `_homogeneous` are rays, boolean."""
        known = self._homogeneous
        return known.rays if isinstance(known, Vertices) else np.array([not vertex[-1] for vertex in known], dtype=bool)

    @cached_property
    def _representative(self) -> np.ndarray:
        """Of every 0-dimensional face of `_faces` a vertex or ray of the pieces that it is."""
        numbers = self._piece_numbers[0]
        result = np.zeros(self._faces.counts()[0], dtype=np.int64)
        result[numbers[numbers >= 0]] = np.flatnonzero(numbers >= 0)
        return result

    @cached_property
    def _finite_vertices(self) -> np.ndarray:
        """The 0-dimensional faces of `_faces` that are points, in the order of their numbers; none where there is lineality."""
        if self.lineality:
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(~self._rays[self._representative])

    def points(self) -> tuple[RationalVector, ...]:
        """The finite vertices, sorted."""
        return tuple(self._points_and_numbers[0])

    @cached_property
    def _points_and_numbers(self) -> tuple[list[RationalVector], dict[int, int]]:
        """The sorted vertices, and of every finite 0-dimensional face its place among them."""
        held = {int(i): self._homogeneous[self._representative[i]] for i in self._finite_vertices}
        found = {i: self._inner.point(RationalVector(vertex[:-1], vertex[-1])) for i, vertex in held.items()}
        order = sorted(found, key=lambda i: found[i].fractions())
        return [found[i] for i in order], {i: place for place, i in enumerate(order)}

    @cached_property
    def _spanning(self) -> tuple[np.ndarray, np.ndarray]:
        return self._faces.spanning()

    def vertices_of(self, region: int) -> tuple[int, ...]:
        """The finite vertices of a region, as places in `points()`."""
        numbers = self._points_and_numbers[1]
        return tuple(sorted(numbers[i] for i in _of(self._spanning, region) if i in numbers))

    def rays_of(self, region: int) -> tuple[RationalVector, ...]:
        """The directions of the unbounded edges of a region, integers without common factors, sorted; none where it holds a line."""
        if not self.vertices_of(region):
            return ()
        rays = (self._homogeneous[self._representative[i]] for i in _of(self._spanning, region))
        return tuple(sorted((self._direction(ray) for ray in rays if not ray[-1]), key=lambda ray: ray.numerators))

    def _direction(self, ray: Row) -> RationalVector:
        return RationalVector(primitive(self._inner.homogeneous(ray)[:-1]))

    # ------------------------------------------------------------ neighbours

    @cached_property
    def neighbours(self) -> np.ndarray:
        """The pairs of regions that share a facet, (pairs, 2), sorted, the smaller number first."""
        return self._faces.neighbours()

    def flipped(self, pair: int) -> tuple[int, ...]:
        """The neurons, as places in `neurons`, that change between the regions of a pair: all whose signs differ."""
        first, second = self.neighbours[pair].tolist()
        (found,) = marked_neurons((self._words[first] ^ self._words[second])[None], self._blocks)
        return found

    def changes(self, pairs: slice) -> np.ndarray:
        """The bits of the words that change between the regions of some of the pairs, (pairs, blocks)."""
        first, second = self.neighbours[pairs].T
        return np.asarray(self._words[first] ^ self._words[second])

    def adjacent(self) -> Iterator[tuple[list[int], tuple[int, ...]]]:
        """The pairs `neighbours`, each with the neurons `flipped`."""
        for begin in range(0, len(self.neighbours), AT_ONCE):
            pairs = slice(begin, begin + AT_ONCE)
            yield from zip(self.neighbours[pairs].tolist(), marked_neurons(self.changes(pairs), self._blocks), strict=True)


def marked_neurons(words: np.ndarray, blocks: Sequence[Block]) -> Iterator[tuple[int, ...]]:
    """The neurons whose bits are set in words (p, blocks), as places among all neurons of the blocks: p tuples.

    >>> from exactrelu.regions.patterns import Block
    >>> list(marked_neurons(np.array([[5], [0]], dtype=np.uint64), [Block(0, np.arange(3))]))
    [(0, 2), ()]
    """
    for begin in range(0, len(words), AT_ONCE):
        part = words[begin : begin + AT_ONCE]
        flags = [bits(part[:, i], len(block.rows)) for i, block in enumerate(blocks)]
        row, place = np.nonzero(np.hstack([np.zeros((len(part), 0), dtype=bool), *flags]))
        places, ends = place.tolist(), np.searchsorted(row, np.arange(len(part) + 1)).tolist()
        yield from (tuple(places[first:last]) for first, last in pairwise(ends))


def _of(pairs: tuple[np.ndarray, np.ndarray], cell: int) -> list[int]:
    """The vertices of one cell among all pairs (cell, vertex)."""
    first, last = np.searchsorted(pairs[0], [cell, cell + 1])
    found: list[int] = pairs[1][first:last].tolist()
    return found
