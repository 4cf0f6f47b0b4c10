"""Artificial walls taken away: the faces of the complex that the neurons alone make.

Faces of that complex and sign vectors (of all neurons, of the domain's sides and of t, inside the face) correspond one to one: where two
faces have the same signs, all neurons are the same forms on both, so that what has these signs is convex, and a face of a cell is given
by the forms that vanish on it. So faces with equal signs are pieces of one face, which has the largest of their dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.regions.faces import FaceLattice, Facets

if TYPE_CHECKING:
    from exactrelu.regions.vertices import VertexSigns


def merged(lattice: FaceLattice, signs: VertexSigns) -> tuple[FaceLattice, list[np.ndarray]]:
    """The complex without artificial walls, and for every dimension the new number of every old face, -1 where it lies inside a larger one.

    lattice: after `settle`. A face of the result may have no vertex: it holds a line.
    """
    d = lattice.dimension
    columns: list[list[np.ndarray]] = [[] for _ in range(d + 1)]
    for part in signs.parts:
        for column in part:
            for k, found in enumerate(lattice.unions(column.values)):
                columns[k].append(found)
    numbers: list[np.ndarray] = []
    known: set[bytes] = set()
    counts: list[int] = []
    for k in range(d, -1, -1):
        keys = [row.tobytes() for row in np.stack(columns[k], axis=1)]
        own: dict[bytes, int] = {}
        number = np.array([-1 if key in known else own.setdefault(key, len(own)) for key in keys], dtype=np.int64)
        known.update(own)
        numbers.insert(0, number)
        counts.insert(0, len(own))
    parts = []
    for k in range(1, d + 1):
        owner, child = lattice.facets[k].of(np.arange(len(numbers[k])))
        pairs = np.stack([numbers[k][owner], numbers[k - 1][child]], axis=1)
        pairs = np.unique(pairs[(pairs >= 0).all(axis=1)], axis=0)
        parts.append(Facets(np.bincount(pairs[:, 0], minlength=counts[k]), pairs[:, 1]))
    return FaceLattice(counts[0], parts), numbers
