"""Affine functions of given coordinates, exactly, and the activations as sequences of such functions with a relu on some of them.

`Rows` are the coordinates z = W s + b of a tensor, sparse. An activation turns them into *stages*: each is rows over the outputs of
the stage before it and a mask of those that pass a relu. So max(a, b) = a + relu(b - a), leaky relu(z) = relu(z) - alpha relu(-z).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import UnsupportedModelError
from exactrelu.exact.sparse import MAXIMAL_ENTRIES, SparseMatrix
from exactrelu.network.model import MAXIMAL_WIDTH, Layer

if TYPE_CHECKING:
    from collections.abc import Sequence


MAXIMAL_NONZERO = 2**26
_SMALL = 2**20


@dataclass(frozen=True, eq=False)
class Rows:
    """The functions z = W s + b of coordinates s: `weight` (m, n), `bias` (m, 1)."""

    weight: SparseMatrix
    bias: SparseMatrix

    @staticmethod
    def identity(n: int) -> Rows:
        return Rows.selection(np.arange(n), n)

    @staticmethod
    def selection(columns: np.ndarray, n: int) -> Rows:
        """The coordinates columns[0], columns[1], .. of n."""
        return Rows(SparseMatrix.selection(columns, n), SparseMatrix.zeros(len(columns), 1))

    @staticmethod
    def constants(bias: SparseMatrix, n: int) -> Rows:
        """Functions of n coordinates that depend on none."""
        return Rows(SparseMatrix.zeros(bias.shape[0], n), bias)

    @staticmethod
    def stacked(parts: Sequence[Rows]) -> Rows:
        return Rows(SparseMatrix.stacked([part.weight for part in parts]), SparseMatrix.stacked([part.bias for part in parts]))

    def __len__(self) -> int:
        return self.weight.shape[0]

    def units(self) -> np.ndarray | None:
        """The coordinates that the rows are, if each is one coordinate itself, else None."""
        return None if self.bias.entries else self.weight.units()

    def rows(self, index: np.ndarray) -> Rows:
        return Rows(self.weight.rows(index), self.bias.rows(index))

    def moved(self, places: np.ndarray, n: int) -> Rows:
        """The same functions where coordinate j has moved to places[j] of n."""
        return Rows(self.weight.moved(places, n), self.bias)

    def plus(self, other: Rows) -> Rows:
        return Rows(self.weight.plus(other.weight), self.bias.plus(other.bias))

    def shifted(self, constants: SparseMatrix) -> Rows:
        """z + c for a column c (m, 1)."""
        return Rows(self.weight, self.bias.plus(constants))

    def scaled(self, factors: SparseMatrix) -> Rows:
        """Row i times factors[i], a column (m, 1)."""
        return Rows(self.weight.scaled(factors), self.bias.scaled(factors))

    def negated(self) -> Rows:
        return Rows(self.weight.negated(), self.bias.negated())

    @property
    def is_dense(self) -> bool:
        """Whether a dense matrix is no larger than these rows, or small anyway."""
        m, n = self.weight.shape
        return m * n <= _SMALL or 3 * self.weight.entries >= m * n

    def layer(self, rectified: np.ndarray) -> Layer:
        """The step of a network that these rows are; stored dense where that is no larger."""
        if self.is_dense:
            check_entries("a layer", *self.weight.shape)
        return Layer(self.weight.dense() if self.is_dense else self.weight, self.bias.dense(), rectified)


Stages = list[tuple[Rows, np.ndarray]]


def linear(rows: Rows) -> Stages:
    """The rows as they are."""
    return [(rows, np.zeros(len(rows), dtype=bool))]


def relu(rows: Rows) -> Stages:
    """max(z, 0)."""
    return [(rows, np.ones(len(rows), dtype=bool))]


def leaky(rows: Rows, slopes: SparseMatrix) -> Stages:
    """relu(z) - alpha relu(-z) with the slopes alpha, a column (m, 1)."""
    return _combined(rows, rows.negated(), slopes.negated(), SparseMatrix.zeros(len(rows), 1))


def absolute(rows: Rows) -> Stages:
    """relu(z) + relu(-z)."""
    return _combined(rows, rows.negated(), _ones(len(rows)), SparseMatrix.zeros(len(rows), 1))


def clipped(rows: Rows, low: SparseMatrix, high: SparseMatrix) -> Stages:
    """low + relu(z - low) - relu(z - high) for columns low <= high, (m, 1)."""
    return _combined(rows.shifted(low.negated()), rows.shifted(high.negated()), _ones(len(rows)).negated(), low)


def at_least(rows: Rows, low: SparseMatrix) -> Stages:
    """max(z, low) = low + relu(z - low)."""
    if not low.entries:
        return relu(rows)
    return [*relu(rows.shifted(low.negated())), *linear(Rows.identity(len(rows)).shifted(low))]


def at_most(rows: Rows, high: SparseMatrix) -> Stages:
    """min(z, high) = high - relu(high - z)."""
    return [*relu(rows.negated().shifted(high)), *linear(Rows.identity(len(rows)).negated().shifted(high))]


def largest(rows: Rows, cells: np.ndarray) -> Stages:
    """For each line of `cells`, (outputs, k), the largest of the rows it names; a line may name a row more than once.

    Neighbours are compared in pairs, max(a, b) = a + relu(b - a), until one is left: ceil(log2 k) stages and one that adds up.
    """
    stages: Stages = []
    while cells.shape[1] > 1:
        if cells.shape[1] % 2:
            cells = np.hstack([cells, cells[:, -1:]])
        pairs, inverse = np.unique(cells[:, ::2] * len(rows) + cells[:, 1::2], return_inverse=True)
        cells = inverse.reshape(cells.shape[0], -1)
        first, second = np.divmod(pairs, max(1, len(rows)))
        kept, place = np.unique(first, return_inverse=True)
        unequal = np.flatnonzero(first != second)
        differences = rows.rows(second[unequal]).plus(rows.rows(first[unequal]).negated())
        mask = np.repeat([False, True], [len(kept), len(unequal)])
        stages.append((Rows.stacked([rows.rows(kept), differences]), mask))
        # The larger of pair p is coordinate place[p] plus, where the two differ, the rectified difference.
        width = len(mask)
        added = np.zeros(len(pairs), dtype=np.int64)
        added[unequal] = 1
        starts = np.concatenate([[0], np.cumsum(added)])
        columns = np.arange(len(kept), width, dtype=np.int32)
        rectified = SparseMatrix((len(pairs), width), starts, columns, np.ones(len(columns)))
        rows = Rows.selection(place.reshape(-1), width)
        rows = Rows(rows.weight.plus(rectified), rows.bias)
    return [*stages, *linear(rows.rows(cells[:, 0]))]


def smallest(rows: Rows, cells: np.ndarray) -> Stages:
    """As `largest`, of the negated rows and negated at the end."""
    *stages, (last, mask) = largest(rows.negated(), cells)
    return [*stages, (last.negated(), mask)]


def _combined(first: Rows, second: Rows, factors: SparseMatrix, offset: SparseMatrix) -> Stages:
    """relu(first) + factors * relu(second) + offset."""
    m = len(first)
    left, right = Rows.selection(np.arange(m), 2 * m), Rows.selection(np.arange(m, 2 * m), 2 * m)
    return [*relu(Rows.stacked([first, second])), *linear(left.plus(right.scaled(factors)).shifted(offset))]


def _ones(m: int) -> SparseMatrix:
    return SparseMatrix.column(np.ones(m))


def column(values: np.ndarray) -> SparseMatrix:
    """A float64 array of any shape, row-major, as a column."""
    return SparseMatrix.column(np.ascontiguousarray(values, dtype=np.float64).reshape(-1))


def check_entries(what: str, m: int, n: int) -> None:
    """Refuse a dense matrix of shape (m, n) that no network file or memory would hold, before it is made."""
    if max(m, n) > MAXIMAL_WIDTH or m * n > MAXIMAL_ENTRIES:
        raise UnsupportedModelError(
            f"{what} needs an exact matrix of {m} x {n}; the limits are {MAXIMAL_WIDTH} coordinates and {MAXIMAL_ENTRIES} entries"
        )


def check_sparse(what: str, width: int, nonzero: int) -> None:
    """Refuse a sparse matrix with a side of `width` and so many non-zero entries, before it is made."""
    if not 0 <= width <= MAXIMAL_WIDTH or nonzero > MAXIMAL_NONZERO:
        raise UnsupportedModelError(
            f"{what} needs {width} coordinates and {nonzero} weights; "
            f"the limits are {MAXIMAL_WIDTH} coordinates and {MAXIMAL_NONZERO} weights"
        )
