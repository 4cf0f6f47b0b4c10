"""Parts of one complex put together again, exactly, without computing a coordinate.

The parts come from cells that share faces, each cut along the same neurons in the same order. On a face G that two parts share a neuron is
one function, continuous across G: it has the same sign at every vertex of G in both parts, and cuts the same edges of G. A new vertex on G
lies inside the edge that it was found on, so that this edge lies in G. By induction over the neurons both parts have the same vertices on
G, each known by its edge and its neuron, and so, dimension by dimension, the same faces.

Two faces of one dimension with two common facets are equal: cells of the complex meet in common faces, and a common face that holds two
facets of a face is the whole of it. So a face is known by its two smallest facets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidFileError
from exactrelu.regions.faces import Column, FaceLattice, Facets
from exactrelu.regions.jobs.part import Part
from exactrelu.regions.roots import RootForms
from exactrelu.regions.vertices import VertexSigns, Vertices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row
    from exactrelu.regions.forms import HomogeneousLayers


def glued(parts: Sequence[Part], layers: HomogeneousLayers) -> Part:
    """The complex of all parts, which have disjoint cells; its numbers depend on the parts and their order alone.

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
    vertices, below = _vertices(parts, layers)
    history = None
    if parts[0].history is not None:
        signs = zip(*(part.history.parts for part in parts if part.history is not None), strict=True)
        history = VertexSigns(
            [(_first(below, [one[0].values for one in own]), _first(below, [one[1].values for one in own])) for own in signs]
        )
    facets, count = [], len(vertices)
    for k in range(1, parts[0].lattice.dimension + 1):
        own = [part.lattice.facets[k] for part in parts]
        offsets = _offsets([part.lattice.counts()[k - 1] for part in parts])
        children = np.concatenate([one.of(np.arange(len(one)))[1] + offset for one, offset in zip(own, offsets, strict=True)])
        every = Facets(np.concatenate([one.length.values for one in own]), below[children])
        _, first, below = np.unique(_two_smallest(every, count), return_index=True, return_inverse=True)
        facets.append(every.selected(first, np.arange(count)))
        count = len(first)
    blocks = [block for block, _ in parts[0].patterns]
    words = [_first(below, [part.patterns[i][1] for part in parts]) for i in range(len(blocks))]
    return Part(FaceLattice(len(vertices), facets), vertices, list(zip(blocks, words, strict=True)), history)


def _vertices(parts: Sequence[Part], layers: HomogeneousLayers) -> tuple[Vertices, np.ndarray]:
    """The vertices of all parts, and of every vertex of the parts, one part after the other, its number among these."""
    forms, before = RootForms(layers), [0] * len(parts)
    offsets = [before]
    for calls in zip(*(part.vertices.forms.calls() for part in parts), strict=True):
        pattern = [
            (blocks[0][0], np.concatenate([words for _, words in blocks])) for blocks in zip(*(own for _, own in calls), strict=True)
        ]
        forms.begin_layer(np.concatenate([parents + offset for (parents, _), offset in zip(calls, offsets[-1], strict=True)]), pattern)
        offsets.append(_offsets([len(parents) for parents, _ in calls]))
    known: dict[Row, int] = {}
    numbers = [Column(np.array([known.setdefault(row, len(known)) for row in part.vertices.given])) for part in parts]
    vertices = Vertices(known, forms)
    cuts = [{(layer, neuron): places for layer, neuron, *places in part.vertices.calls()} for part in parts]
    for block, _ in parts[0].patterns:
        for neuron in block.rows.tolist():
            own = [(k, cut[block.layer, neuron]) for k, cut in enumerate(cuts) if (block.layer, neuron) in cut]
            if not own:
                continue
            roots = np.concatenate([places[0] + offsets[block.layer][k] for k, places in own])
            plus, minus = (np.concatenate([numbers[k].values[places[i]] for k, places in own]) for i in (1, 2))
            _, first, place = np.unique(plus * len(vertices) + minus, return_index=True, return_inverse=True)
            place += len(vertices)
            vertices.cross(block.layer, neuron, roots[first], plus[first], minus[first])
            for (k, _), more in zip(own, np.split(place, np.cumsum([len(places[0]) for _, places in own])[:-1]), strict=True):
                numbers[k].extend(more)
    return vertices, np.concatenate([column.values for column in numbers])


def _offsets(counts: Sequence[int]) -> list[int]:
    result: list[int] = np.cumsum([0, *counts[:-1]]).tolist()
    return result


def _two_smallest(facets: Facets, count: int) -> np.ndarray:
    """Of every face one number for its two smallest facets, which are numbered below `count`; stretches lie in order."""
    lengths, children = facets.length.values, facets.pool.values.astype(np.int64)
    starts = facets.start.values
    smallest = np.minimum.reduceat(children, starts)
    children[children == np.repeat(smallest, lengths)] = count
    return np.asarray(smallest * np.int64(count) + np.minimum.reduceat(children, starts))


def _first(numbers: np.ndarray, words: Sequence[np.ndarray]) -> np.ndarray:
    """Words of the faces of all parts as words of the faces of the whole; the parts agree where they share one."""
    result = np.zeros(int(numbers.max()) + 1, dtype=np.uint64)
    result[numbers] = np.concatenate(words)
    return result
