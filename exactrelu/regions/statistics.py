"""Numbers about a region complex that users publish: sizes, degrees, diameter, dead neurons, exact volumes, linear pieces.

>>> from exactrelu import RationalVector, demo, load, parse_domain
>>> from exactrelu.regions import AffineSlice, regions
>>> from_black_to_white = AffineSlice.through([RationalVector((k,) * 64) for k in (0, 1)])
>>> found = regions(load(demo.MODEL), affine_slice=from_black_to_white, domain=parse_domain("box:0,1", 64))
>>> sizes_by_layer(found), int(degrees(found).max()), diameter(found), sum(volumes(found)), len(set(linear_pieces(found).tolist()))
((54, 73), 2, 72, Fraction(1, 1), 73)
>>> len(dead_neurons(found)), always_active_neurons(found)[0]
(38, Neuron(layer=0, row=0))
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import factorial, prod
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.regions.complex import marked_neurons
from exactrelu.regions.patterns import first_changes
from exactrelu.regions.vertices import value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.complex import Neuron, RegionComplex
    from exactrelu.regions.patterns import Block

# Distances from so many regions are held at once.
_SOURCES_AT_ONCE = 64


@dataclass(frozen=True)
class Overview:
    """What the functions of this module of the same names say, and how many neighbours a region has at most."""

    regions_by_layer: tuple[int, ...]
    degree_max: int
    dead_neurons: tuple[Neuron, ...]
    always_active_neurons: tuple[Neuron, ...]


def overview(found: RegionComplex) -> Overview:
    """The numbers that take little time."""
    return Overview(sizes_by_layer(found), int(degrees(found).max(initial=0)), dead_neurons(found), always_active_neurons(found))


def sizes_by_layer(found: RegionComplex) -> tuple[int, ...]:
    """How many regions the network has up to and with each lowered layer that holds a relu."""
    return layer_sizes(count_changes(found._words), found._blocks)


def count_changes(words: np.ndarray) -> np.ndarray:
    """How often each block is the first to change between cells with words (cells, blocks), which are sorted by their patterns."""
    blocks = words.shape[1]
    return np.bincount(first_changes(words.T)[0], minlength=blocks + 1)[:blocks] if blocks else np.zeros(0, dtype=np.int64)


def layer_sizes(changes: np.ndarray, blocks: Sequence[Block]) -> tuple[int, ...]:
    """What `sizes_by_layer` says where the cells of all regions have these changes."""
    layers = np.array([block.layer for block in blocks], dtype=np.int64)
    # Regions with the same signs in the first layers follow one another.
    return tuple((1 + np.cumsum(changes))[np.diff(layers, append=-1) != 0].tolist())


def degrees(found: RegionComplex) -> np.ndarray:
    """How many neighbours every region has, (regions,)."""
    return np.bincount(found.neighbours.reshape(-1), minlength=found.regions)


def diameter(found: RegionComplex) -> int:
    """The largest number of walls that a shortest way between two regions crosses; takes time in regions times adjacencies."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import shortest_path

    pairs = found.neighbours
    graph = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(found.regions, found.regions))
    longest = 0
    for begin in range(0, found.regions, _SOURCES_AT_ONCE):
        sources = np.arange(begin, min(begin + _SOURCES_AT_ONCE, found.regions))
        longest = max(longest, int(shortest_path(graph, directed=False, unweighted=True, indices=sources).max()))
    return longest


def dead_neurons(found: RegionComplex) -> tuple[Neuron, ...]:
    """The neurons that are positive in no region."""
    return marked(found.neurons, ~np.bitwise_or.reduce(found._words, axis=0), found._blocks)


def always_active_neurons(found: RegionComplex) -> tuple[Neuron, ...]:
    """The neurons that are positive in every region."""
    return marked(found.neurons, np.bitwise_and.reduce(found._words, axis=0), found._blocks)


def marked(neurons: Sequence[Neuron], words: np.ndarray, blocks: Sequence[Block]) -> tuple[Neuron, ...]:
    """The neurons whose bits are set in the words (blocks,)."""
    (places,) = marked_neurons(words[None], blocks)
    return tuple(neurons[place] for place in places)


def linear_pieces(found: RegionComplex) -> np.ndarray:
    """The piece of every region, (regions,): regions of one piece are connected by facets and have one affine map on the domain.

    Pieces are numbered by their first regions. Raises InvalidRequestError where the complex is not complete.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    kinds: dict[object, int] = {}
    kind = np.array([kinds.setdefault(_map_on_domain(found, region), len(kinds)) for region in range(found.regions)])
    pairs = found.neighbours[kind[found.neighbours[:, 0]] == kind[found.neighbours[:, 1]]]
    graph = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(found.regions, found.regions))
    _, labels = connected_components(graph, directed=False)
    first, inverse = np.unique(labels, return_index=True, return_inverse=True)[1:]
    return np.argsort(np.argsort(first))[inverse]


def _map_on_domain(found: RegionComplex, region: int) -> tuple[RationalVector, ...]:
    """The affine map of a region at points that span the domain, up to directions in which all these maps change equally."""
    points = list(zip(*found._inner.matrix, strict=True))
    return tuple(
        RationalVector(tuple(value(row.numerators, point) for point in points), row.denominator) for row in found.affine_map(region)
    )


def volumes(found: RegionComplex) -> tuple[Fraction | None, ...]:
    """The exact volume of every region, None where it is unbounded, in the dimension of the domain and in its coordinates.

    Raises InvalidRequestError where the domain's dimension is less than that of the space: there is no volume then.

    A face is divided into the pyramids over its facets, from its first vertex, down to simplices; all faces choose by one order of
    the vertices, so that the pieces fit together.
    """
    if found.dimension < found.space_dimension:
        raise InvalidRequestError("the domain lies in a hyperplane, so that its regions have no volume; give a domain of full dimension")
    faces, points = found.faces(), found.homogeneous_vertices()
    first_vertex = [np.arange(faces.counts()[0])]
    for k in range(1, faces.dimension + 1):
        owner, child = faces.facets[k].of(np.arange(faces.counts()[k]))
        lowest = np.full(faces.counts()[k], len(points))
        np.minimum.at(lowest, owner, first_vertex[-1][child])
        first_vertex.append(lowest)

    @cache
    def simplices(k: int, face: int) -> tuple[tuple[int, ...], ...]:
        apex = int(first_vertex[k][face])
        if k == 0:
            return ((apex,),)
        facets = faces.facets[k].of(np.array([face]))[1].tolist()
        others = (facet for facet in facets if int(first_vertex[k - 1][facet]) != apex)
        return tuple((apex, *simplex) for facet in others for simplex in simplices(k - 1, facet))

    def volume(region: int) -> Fraction:
        return sum((_simplex_volume([points[v] for v in simplex]) for simplex in simplices(faces.dimension, region)), Fraction(0))

    return tuple(volume(region) if bounded else None for region, bounded in enumerate(found.bounded.tolist()))


def _simplex_volume(vertices: list[tuple[int, ...]]) -> Fraction:
    """The volume of a simplex with these homogeneous vertices."""
    from exactrelu.exact.linalg import determinant

    return Fraction(abs(determinant(vertices)), factorial(len(vertices) - 1) * prod(vertex[-1] for vertex in vertices))
