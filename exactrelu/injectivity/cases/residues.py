"""Rows modulo the rows known to be in F: which of them are combinations of those, and when their rank is n, all modulo a prime.

What is left of every row after elimination is an array of integers below 2^31; a row that vanishes is, but for an accident
modulo the prime, a combination of the rows in F. A rank modulo a prime is a lower bound of the rank over Q (theory C7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.linalg import residues

if TYPE_CHECKING:
    from exactrelu.exact.rational import DyadicMatrix


@dataclass(frozen=True, eq=False)
class Residues:
    """Rows of a matrix modulo a prime below 2^31, and modulo the rows eliminated: (rows, n - rank of those).

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> both = Residues.of(DyadicMatrix.from_floats([[1.0, 2.0], [3.0, 6.0], [0.0, 1.0]]), 2**31 - 1)
    >>> both.without(0).vanishing, both.without(0).without(2).left
    (array([ True,  True, False]), 0)
    """

    values: np.ndarray
    prime: int

    @staticmethod
    def of(matrix: DyadicMatrix, prime: int) -> Residues:
        entries = residues(matrix, prime).entries() if all(matrix.shape) else []
        return Residues(np.array([int(value) for value in entries], dtype=np.int64).reshape(matrix.shape), prime)

    @property
    def left(self) -> int:
        """By how much the rank of the rows eliminated is below n."""
        return int(self.values.shape[1])

    @property
    def vanishing(self) -> np.ndarray:
        """Which rows are combinations of those eliminated, modulo the prime."""
        return np.asarray(~self.values.any(axis=1))

    def without(self, row: int) -> Residues:
        """The same after eliminating one more row; unchanged where that one vanishes."""
        pivot = self.values[row]
        places = np.flatnonzero(pivot)
        if not len(places):
            return self
        column = places[0]
        factors = self.values[:, column] * pow(int(pivot[column]), -1, self.prime) % self.prime
        kept = np.delete(self.values, column, axis=1)
        kept -= factors[:, None] * np.delete(pivot, column)[None, :] % self.prime
        kept += self.prime * (kept < 0)
        return Residues(kept, self.prime)
