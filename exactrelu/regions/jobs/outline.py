"""What is told of a part that is not kept: its border, and counts of what is inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.regions.jobs.seams import Border, on_border
from exactrelu.regions.statistics import count_changes

if TYPE_CHECKING:
    from exactrelu.regions.jobs.part import Part


@dataclass(frozen=True, eq=False)
class Outline:
    """A part whose cells are regions, sorted by their patterns.

    Of the part: how many cells and pairs of neighbours it has, how many of the cells hold no ray, and how many faces of every dimension are
    not at infinity; the largest degree, the words (blocks,) that say which neurons are positive in some cell and in all, the words of the
    first and the last cell, and `count_changes`. Of the faces on the border, dimension by dimension, which are not at infinity. Of the
    facets there: the cell, its words, and its neighbours in the part.
    """

    border: Border
    regions: int
    adjacencies: int
    without_rays: int
    finite_faces: np.ndarray
    degree_max: int
    ever: np.ndarray
    always: np.ndarray
    ends: np.ndarray
    changes: np.ndarray
    finite: list[np.ndarray]
    cells: np.ndarray
    words: np.ndarray
    degrees: np.ndarray

    @staticmethod
    def of(part: Part) -> Outline:
        """The outline of a part, which is settled."""
        lattice, flags = part.lattice, on_border(part.lattice)
        finite = [known > 0 for known in lattice.unions((~part.vertices.rays).astype(np.uint8))]
        with_rays = lattice.unions(part.vertices.rays.astype(np.uint8))[-1]
        words = np.stack([words for _, words in part.patterns], axis=1)
        cell_of = np.zeros(len(flags[-2]), dtype=np.int64)
        cell_of[lattice.facets[-1].pool.values] = np.repeat(np.arange(len(words)), lattice.facets[-1].length.values)
        cells, neighbours = cell_of[flags[-2]], lattice.neighbours()
        degrees = np.bincount(neighbours.reshape(-1), minlength=len(words))
        return Outline(
            border=Border.of(part),
            regions=len(words),
            adjacencies=len(neighbours),
            without_rays=int((with_rays == 0).sum()),
            finite_faces=np.array([int(own.sum()) for own in finite]),
            degree_max=int(degrees.max()),
            ever=np.bitwise_or.reduce(words, axis=0),
            always=np.bitwise_and.reduce(words, axis=0),
            ends=words[[0, -1]],
            changes=count_changes(words),
            finite=[own[on] for own, on in zip(finite[:-1], flags[:-1], strict=True)],
            cells=cells,
            words=words[cells],
            degrees=degrees[cells],
        )
