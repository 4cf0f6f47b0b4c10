"""Rows up to multiples: which rows of a sparse matrix are multiples of one another, and with which sign.

Equal filters of a convolution, and pairs of opposite ones, are the common reason why its rows are dependent. Rows with one
random fingerprint modulo a prime are candidates; exact integers decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.modular import PRIMES, residues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.exact.sparse import SparseMatrix


@dataclass(frozen=True, eq=False)
class Directions:
    """Row i of a matrix without zero rows is a multiple of row representatives[group[i]]; the factor has the sign sign[i].

    Representatives are not multiples of one another as far as the fingerprints can tell; where they failed, there are a few more.
    """

    representatives: np.ndarray
    group: np.ndarray
    sign: np.ndarray

    @property
    def count(self) -> int:
        return len(self.representatives)

    def present(self, rows: np.ndarray) -> np.ndarray:
        """The groups, a boolean mask, that have a member among the rows of a boolean mask."""
        found = np.zeros(self.count, dtype=bool)
        found[self.group[rows]] = True
        return found

    def vanishing(self, equality: np.ndarray, inequality: np.ndarray) -> np.ndarray:
        """The groups whose rows r vanish on {d : r.d = 0 (equality), r.d <= 0 (inequality)} because of their own members.

        equality, inequality: boolean masks of rows. Where the representatives are independent no other group vanishes on this cone,
        and some d in it has r.d < 0 on all inequalities of all other groups: values on independent rows may be chosen freely.

        >>> one = Directions(np.array([0]), np.array([0, 0]), np.array([1, -1], dtype=np.int8))
        >>> one.vanishing(np.array([False, False]), np.array([True, True])).tolist()
        [True]
        """
        both_signs = self.present(inequality & (self.sign > 0)) & self.present(inequality & (self.sign < 0))
        return np.asarray(self.present(equality) | both_signs)


def directions(matrix: SparseMatrix) -> Directions:
    """Group the rows of a matrix (m, n) without zero rows by their directions.

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> from exactrelu.exact.sparse import SparseMatrix
    >>> found = directions(SparseMatrix.from_dense(DyadicMatrix.from_floats([[1.0, 3.0], [0.0, 1.0], [-0.5, -1.5]])))
    >>> found.representatives.tolist(), found.group.tolist(), found.sign.tolist()
    ([0, 1], [0, 1, 0], [1, 1, -1])
    """
    m = matrix.shape[0]
    keys = _fingerprints(matrix)
    _, first, candidates, sizes = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    candidates = candidates.reshape(-1)
    representative = first[candidates]
    sign = np.ones(m, dtype=np.int8)
    for candidate in np.flatnonzero(sizes > 1).tolist():
        known: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[int, int]] = {}
        for row in np.flatnonzero(candidates == candidate).tolist():
            columns, integers, _ = matrix.integer_row(row)
            values, own = _primitive(integers)
            representative[row], other = known.setdefault((tuple(columns), values), (row, own))
            sign[row] = own * other
    representatives, group = np.unique(representative, return_inverse=True)
    return Directions(representatives, group.reshape(-1), sign)


def _fingerprints(matrix: SparseMatrix) -> np.ndarray:
    """Three numbers for every row, the same for its multiples: its length, and two quotients of random sums modulo a prime."""
    prime = PRIMES[0]
    factors = np.random.default_rng(0).integers(1, prime, size=(matrix.shape[1], 3))
    # A row has at most 2^20 entries of 20 bits, a factor has 21 bits: the sums stay below 2^61.
    sums = (residues(matrix, prime).astype(np.int64) @ factors) % prime
    inverses = np.array([pow(value, -1, prime) if value else 0 for value in sums[:, 0].tolist()], dtype=np.int64)
    return np.column_stack([np.diff(matrix.starts), sums[:, 1] * inverses % prime, sums[:, 2] * inverses % prime])


def _primitive(integers: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """The coprime multiple with a positive first entry, and the sign of the factor."""
    sign = 1 if integers[0] > 0 else -1
    divisor = sign * math.gcd(*integers)
    return tuple(value // divisor for value in integers), sign
