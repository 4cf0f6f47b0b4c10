"""Regions merged where the network does not change: the pieces on which it is one affine map, and which of them meet (R3).

A wall of a region is no wall of the function where the neurons that flip there cancel, or no output reads them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.regions.statistics import linear_pieces

if TYPE_CHECKING:
    from exactrelu.exact.rational import RationalVector
    from exactrelu.regions.complex import RegionComplex


class LinearPieces:
    """The connected parts of a complete complex with one affine map, numbered by their first regions; a part need not be convex.

    `labels` (regions,) is the piece of every region. Raises InvalidRequestError where the complex is not complete.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> from exactrelu.regions import regions
    >>> first = Layer(DyadicMatrix.from_floats([[1.0], [-1.0], [1.0]]), DyadicMatrix.from_floats([[0.0], [0.0], [-1.0]]), np.ones(3, bool))
    >>> last = Layer(DyadicMatrix.from_floats([[1.0, -1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.zeros(1, bool))
    >>> found = regions(Network((first, last), (SourceLayer(1, "both", (first, last), 0),), (), (1,)))
    >>> pieces = LinearPieces(found)  # x + relu(x - 1), written with three neurons
    >>> found.regions, len(pieces), pieces.regions_of(0), pieces.affine_map(1)[0].texts(), pieces.neighbours.tolist()
    (3, 2, (0, 1), ['2', '-1'], [[0, 1]])
    """

    def __init__(self, found: RegionComplex) -> None:
        self.found = found
        self.labels = linear_pieces(found)

    def __len__(self) -> int:
        return int(self.labels.max(initial=-1)) + 1

    def regions_of(self, piece: int) -> tuple[int, ...]:
        """The regions of a piece, increasing."""
        return tuple(np.flatnonzero(self.labels == piece).tolist())

    def affine_map(self, piece: int) -> tuple[RationalVector, ...]:
        """The map on a piece: of every output the row (coefficients .., constant)."""
        return self.found.affine_map(int(np.argmax(self.labels == piece)))

    @cached_property
    def bounded(self) -> np.ndarray:
        """Which pieces are bounded, boolean (pieces,)."""
        result = np.ones(len(self), dtype=bool)
        result[self.labels[~self.found.bounded]] = False
        return result

    @cached_property
    def neighbours(self) -> np.ndarray:
        """The pairs of pieces that share a facet of a region, (pairs, 2), sorted, the smaller number first."""
        pairs = np.sort(self.labels[self.found.neighbours], axis=1)
        return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
