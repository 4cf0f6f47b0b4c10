"""Parts of one complex put together again, exactly, without computing a coordinate.

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

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidFileError
from exactrelu.regions.face_passes import children_of, starts_of
from exactrelu.regions.faces import FaceLattice, Facets
from exactrelu.regions.jobs.part import Part
from exactrelu.regions.roots import RootForms
from exactrelu.regions.vertices import VertexSigns, Vertices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row
    from exactrelu.regions.forms import HomogeneousLayers


def glued(parts: Sequence[Part], layers: HomogeneousLayers) -> Part:
    """The complex of all parts, which are settled and have different cells; its numbers depend on the parts and their order alone.

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
    >>> [half.lattice.counts() for half in halves], glued(halves, layers).lattice.counts()
    ([[4, 5, 2], [4, 5, 2]], [5, 8, 4])
    """
    if len({(part.lattice.dimension, *part.neurons, part.history is None) for part in parts}) > 1:
        raise InvalidFileError("results of jobs do not fit together; remove the store that holds them, and run again")
    borders = list(zip(*(_border(part.lattice) for part in parts), strict=True))
    vertices, numbers = _vertices(parts, layers, np.concatenate(borders[0]))
    history = None
    if parts[0].history is not None:
        signs = zip(*(part.history.parts for part in parts if part.history is not None), strict=True)
        history = VertexSigns(
            [(_first(numbers, [one[0].values for one in own]), _first(numbers, [one[1].values for one in own])) for own in signs]
        )
    facets, count = [], len(vertices)
    for k in range(1, parts[0].lattice.dimension + 1):
        # Part by part, so that arrays fit into the processor's cache.
        below = zip((part.lattice.facets[k] for part in parts), _by_part(numbers, parts, k - 1), strict=True)
        own = [Facets(one.length.values, number[one.pool.values]) for one, number in below]
        keys = [_two_smallest(one, np.flatnonzero(flags), count) for one, flags in zip(own, borders[k], strict=True)]
        kept, numbers = _numbered(np.concatenate(borders[k]), np.concatenate(keys))
        first = list(zip(own, _by_part(kept, parts, k), strict=True))
        lengths = np.concatenate([one.length.values[flags] for one, flags in first])
        facets.append(Facets(lengths, np.concatenate([one.pool.values[np.repeat(flags, one.length.values)] for one, flags in first])))
        count = len(lengths)
    words = [np.concatenate(own) for own in zip(*([own for _, own in part.patterns] for part in parts), strict=True)]
    blocks = [block for block, _ in parts[0].patterns]
    return Part(FaceLattice(len(vertices), facets), vertices, list(zip(blocks, words, strict=True)), history)


def _border(lattice: FaceLattice) -> list[np.ndarray]:
    """For every dimension which faces lie in a facet that has one cell; no cell does."""
    counts = lattice.counts()
    result = [np.zeros(count, dtype=bool) for count in counts]
    for k in range(lattice.dimension, 0, -1):
        if k == lattice.dimension:
            result[k - 1] = np.bincount(lattice.facets[k].pool.values, minlength=counts[k - 1]) == 1
        else:
            result[k - 1][children_of(lattice.facets[k].stretches, np.flatnonzero(result[k]))] = True
    return result


def _numbered(border: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of some faces come first among their equals, and the number of each; those in `border`, with these keys, may be equal."""
    _, first, alike = np.unique(keys, return_index=True, return_inverse=True)
    shared, kept = np.flatnonzero(border), ~border
    kept[shared[first]] = True
    numbers = np.cumsum(kept, dtype=np.int32) - 1
    numbers[shared] = numbers[shared[first]][alike]
    return kept, numbers


def _vertices(parts: Sequence[Part], layers: HomogeneousLayers, border: np.ndarray) -> tuple[Vertices, np.ndarray]:
    """The vertices of all parts, and of every vertex of the parts, one part after the other, its number among these.

    border: which of the latter other parts may have.
    """
    forms, before = RootForms(layers), [0] * len(parts)
    offsets = [before]
    for calls in zip(*(part.vertices.forms.calls() for part in parts), strict=True):
        pattern = [
            (blocks[0][0], np.concatenate([words for _, words in blocks])) for blocks in zip(*(own for _, own in calls), strict=True)
        ]
        forms.begin_layer(np.concatenate([parents + offset for (parents, _), offset in zip(calls, offsets[-1], strict=True)]), pattern)
        offsets.append(_offsets([len(parents) for parents, _ in calls]))
    known: dict[Row, int] = {}
    numbers = np.zeros(len(border), dtype=np.int64)
    cuts = defaultdict(list)
    for k, (part, begin) in enumerate(zip(parts, _offsets([len(part.vertices) for part in parts]), strict=True)):
        place = begin + len(part.vertices.given)
        numbers[begin:place] = [known.setdefault(row, len(known)) for row in part.vertices.given]
        for layer, neuron, roots, plus, minus in part.vertices.calls():
            cuts[layer, neuron].append((np.arange(place, place + len(roots)), roots + offsets[layer][k], plus + begin, minus + begin))
            place += len(roots)
    vertices = Vertices(known, forms)
    for cut in (cut for cut in parts[0].neurons if cut in cuts):
        places, roots, plus, minus = (np.concatenate(own) for own in zip(*cuts[cut], strict=True))
        plus, minus = numbers[plus], numbers[minus]
        shared = border[places]
        kept, found = _numbered(shared, plus[shared] * len(vertices) + minus[shared])
        numbers[places] = len(vertices) + found
        vertices.cross(*cut, roots[kept], plus[kept], minus[kept])
    return vertices, numbers.astype(np.int32)


def _offsets(counts: Sequence[int]) -> list[int]:
    result: list[int] = np.cumsum([0, *counts[:-1]]).tolist()
    return result


def _by_part(column: np.ndarray, parts: Sequence[Part], k: int) -> list[np.ndarray]:
    """What belongs to the faces of dimension k of all parts, cut into what belongs to each part."""
    return np.split(column, _offsets([part.lattice.counts()[k] for part in parts])[1:])


def _two_smallest(facets: Facets, faces: np.ndarray, count: int) -> np.ndarray:
    """Of each of these faces one number for its two smallest facets, which are numbered below `count`."""
    if not len(faces):
        return np.zeros(0, dtype=np.int64)
    lengths, children = facets.length.values[faces], children_of(facets.stretches, faces).astype(np.int64)
    starts = starts_of(lengths)
    smallest = np.minimum.reduceat(children, starts)
    children[children == np.repeat(smallest, lengths)] = count
    return np.asarray(smallest * count + np.minimum.reduceat(children, starts))


def _first(numbers: np.ndarray, words: Sequence[np.ndarray]) -> np.ndarray:
    """Words of the vertices of all parts as words of the vertices of the whole; the parts agree where they share one."""
    result = np.zeros(int(numbers.max()) + 1, dtype=np.uint64)
    result[numbers] = np.concatenate(words)
    return result
