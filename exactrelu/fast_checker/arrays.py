"""A layer as float64 and int64 arrays for the fast checker; where the network file writes the non-zero entries alone, so do the arrays."""

from __future__ import annotations

import contextlib
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.checker.sparse import Sparse, kept, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from exactrelu.checker.network import Layer

    Matrix = NDArray[np.float64]

# non-zero magnitudes stay within 2^-RANGE .. 1, so that products of two are far from the subnormal numbers
RANGE = 400


class LayerArrays:
    """A layer's coefficients as float64 rows * 2^shift with entries below 1, and as int64; None where they do not fit."""

    values: Matrix | SparseArray
    magnitudes: Matrix | SparseArray
    high: NDArray[np.int64] | SparseArray | None = None
    low: NDArray[np.int64] | SparseArray | None = None

    def __init__(self, layer: Layer) -> None:
        rows = [kept(row.coefficients) for row in layer.rows]
        constants = [row.constant for row in layer.rows]
        if any(isinstance(row.coefficients, Sparse) for row in layer.rows):
            self._fill_sparse(rows, constants, [places(row.coefficients) for row in layer.rows], layer.inputs)
            return
        self.values, self.shifts, self.exact = float_rows(rows, layer.inputs)
        self.magnitudes = np.abs(self.values)
        with contextlib.suppress(OverflowError):
            whole = np.array([[constant, *row] for constant, row in zip(constants, rows, strict=True)], dtype=np.int64)
            self.high, self.low = whole >> 31, whole & (2**31 - 1)

    def _fill_sparse(self, rows: Sequence[Sequence[int]], constants: Sequence[int], columns: Sequence[Sequence[int]], n: int) -> None:
        """The same for the entries alone."""
        starts = np.cumsum([0, *map(len, rows)])
        joined = np.fromiter(chain.from_iterable(columns), dtype=np.int64)
        floats, shifts, exact = zip(*map(float_row, rows), strict=True)
        self.shifts, self.exact = np.array(shifts), np.array(exact)
        self.values = SparseArray(starts, joined, np.concatenate(floats), n)
        self.magnitudes = SparseArray(starts, joined, np.abs(self.values.values), n)
        with contextlib.suppress(OverflowError):
            # the constants before the rows' entries
            whole = np.insert(np.fromiter(chain.from_iterable(rows), dtype=np.int64), starts[:-1], np.array(constants, dtype=np.int64))
            joined, starts = np.insert(joined + 1, starts[:-1], 0), starts + np.arange(len(starts))
            self.high = SparseArray(starts, joined, whole >> 31, n + 1)
            self.low = SparseArray(starts, joined, whole & (2**31 - 1), n + 1)

    def block(self, rows: NDArray[np.int64], columns: Sequence[int]) -> Matrix:
        """The float64 entries at some rows and columns, dense."""
        if isinstance(self.values, SparseArray):
            return self.values.block(rows, columns)
        return np.ascontiguousarray(self.values[rows][:, list(columns)])


class SparseArray:
    """An (m, n) array by rows: of row i, values[starts[i]:starts[i + 1]] at `columns`; zero elsewhere."""

    # so that `vector @ array` is asked here
    __array_ufunc__ = None

    def __init__(self, starts: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[Any], n: int) -> None:
        self.starts, self.columns, self.values, self.n = starts, columns, values, n
        self.rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))

    def __matmul__(self, vector: NDArray[Any]) -> NDArray[Any]:
        result = np.zeros(len(self.starts) - 1, dtype=self.values.dtype)
        filled = np.diff(self.starts) > 0
        result[filled] = np.add.reduceat(self.values * vector[self.columns], self.starts[:-1][filled])
        return result

    def __rmatmul__(self, vector: Matrix) -> Matrix:
        return np.asarray(np.bincount(self.columns, weights=vector[self.rows] * self.values, minlength=self.n), dtype=np.float64)

    def block(self, rows: NDArray[np.int64], columns: Sequence[int]) -> Matrix:
        """The entries at some rows and columns, dense."""
        place = np.full(self.n, -1)
        place[list(columns)] = np.arange(len(columns))
        result = np.zeros((len(rows), len(columns)))
        for target, row in zip(result, rows.tolist(), strict=True):
            entries = slice(self.starts[row], self.starts[row + 1])
            found = place[self.columns[entries]]
            target[found[found >= 0]] = self.values[entries][found >= 0]
        return result


def float_row(row: Sequence[int]) -> tuple[Matrix, int, bool]:
    """A row scaled by a power of two to entries below 1, the shift, and whether it is exactly that and within the range."""
    shift = max((value.bit_length() for value in (max(row, default=0), min(row, default=0))), default=0)
    if shift > RANGE:
        return np.zeros(len(row)), 0, False
    floats = list(map(float, row))
    return np.ldexp(floats, -shift), shift, floats == list(row)


def float_rows(rows: Sequence[Sequence[int]], columns: int) -> tuple[Matrix, NDArray[np.int64], NDArray[np.bool_]]:
    """The rows as in `float_row`, as arrays."""
    values = np.zeros((len(rows), columns))
    shifts = np.zeros(len(rows), dtype=np.int64)
    exact = np.zeros(len(rows), dtype=np.bool_)
    for i, row in enumerate(rows):
        values[i], shifts[i], exact[i] = float_row(row)
    return values, shifts, exact
