"""Convolution and pooling as sparse rows: which input cells each output cell sees, in one to three dimensions.

A `Window` is a kernel that slides over the spatial axes; `cells` lists what it covers, with -1 where it lies in the padding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rational import nonzero_entries
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.rows import Rows, check_sparse

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Window:
    """A kernel over spatial axes: its size, step, gaps and the padding before and after, each one number an axis.

    With `round_up` a last step that leaves cells uncovered is followed by one more, unless that would start in the padding after.

    >>> Window((2,), (2,), (1,), (0,), (0,), round_up=True).cells((3,)).tolist()
    [[0, 1], [2, -1]]
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    round_up: bool = False

    def output(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """The output's spatial shape; an entry is 0 or less where the kernel does not fit."""
        counts = []
        for axis, length in enumerate(spatial):
            before, stride = self.before[axis], self.strides[axis]
            room = length + before + self.after[axis] - self.dilations[axis] * (self.kernel[axis] - 1) - 1
            count = room // stride + 1
            more = self.round_up and room % stride and count * stride < length + before
            counts.append(count + 1 if more else count)
        return tuple(counts)

    def cells(self, spatial: Sequence[int], out: Sequence[int] | None = None) -> np.ndarray:
        """For every output cell, row-major, the input cells under the kernel, row-major, -1 for padding: (outputs, kernel cells)."""
        out = self.output(spatial) if out is None else out
        count = len(out)
        index = np.zeros((1,) * (2 * count), dtype=np.int64)
        inside = np.ones((1,) * (2 * count), dtype=bool)
        for axis in range(count):
            place = self._places(axis, out[axis])
            shape = [1] * (2 * count)
            shape[axis], shape[count + axis] = place.shape
            index = index * spatial[axis] + place.reshape(shape)
            inside = inside & ((place >= 0) & (place < spatial[axis])).reshape(shape)
        return np.where(inside, index, -1).reshape(math.prod(out), math.prod(self.kernel))

    def sizes(self, spatial: Sequence[int]) -> np.ndarray:
        """For every output cell how much of the kernel lies on the input or its padding: all of it but where the size is rounded up."""
        sizes = np.ones(1, dtype=np.int64)
        for axis, count in enumerate(self.output(spatial)):
            covered = (self._places(axis, count) < spatial[axis] + self.after[axis]).sum(axis=1)
            sizes = np.multiply.outer(sizes, covered).reshape(-1)
        return sizes

    def _places(self, axis: int, count: int) -> np.ndarray:
        """Along one axis the coordinates of every step's cells: (count, kernel)."""
        start = np.arange(count) * self.strides[axis] - self.before[axis]
        return np.asarray(start[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis])


def convolution(name: str, weight: np.ndarray, bias: np.ndarray | None, channels: int, spatial: Sequence[int], window: Window) -> Rows:
    """The rows of a convolution of `channels` maps: weight (M, channels / groups, *kernel), bias (M,), both float64."""
    maps, depth = weight.shape[:2]
    groups = channels // depth
    positions = math.prod(window.output(spatial))
    check_sparse(name, maps * positions, maps * positions * depth * math.prod(window.kernel))
    cells, size = window.cells(spatial), math.prod(spatial)
    flat = weight.reshape(maps, -1)
    starts, columns, floats = [np.zeros(1, dtype=np.int64)], [], []
    total = 0
    for m in range(maps):
        first = m // (maps // groups) * depth
        places = np.arange(first, first + depth)[:, None, None] * size + cells
        # (positions, channels of the group, kernel cells): the columns of a row then increase.
        seen = (cells >= 0)[None] & nonzero_entries(flat[m].reshape(depth, 1, -1))
        kept = seen.transpose(1, 0, 2)
        columns.append(places.transpose(1, 0, 2)[kept].astype(np.int32))
        floats.append(np.broadcast_to(flat[m].reshape(1, depth, -1), kept.shape)[kept])
        ends = total + np.cumsum(kept.sum(axis=(1, 2)))
        total = int(ends[-1]) if len(ends) else total
        starts.append(ends)
    matrix = SparseMatrix((maps * positions, channels * size), np.concatenate(starts), np.concatenate(columns), np.concatenate(floats))
    constants = np.zeros(maps) if bias is None else bias
    return Rows(matrix, SparseMatrix.column(np.repeat(constants, positions)))


def transposed_convolution(
    name: str, weight: np.ndarray, bias: np.ndarray | None, groups: int, spatial: Sequence[int], out: Sequence[int], window: Window
) -> Rows:
    """The rows of the transpose of a convolution by `window` from maps of shape `out` to maps of shape `spatial`.

    `weight` is (channels, M / groups, *kernel), `bias` (M,), both float64; the rows are those of M maps of shape `out`.
    """
    channels, depth = weight.shape[:2]
    each, maps, positions, size = channels // groups, depth * groups, math.prod(out), math.prod(spatial)
    check_sparse(name, max(maps * positions, channels * size), channels * size * depth * math.prod(window.kernel))
    cells = window.cells(out, spatial)
    # Input cell p adds to output cell cells[p, k]; no other k of p does, so no entry of the matrix comes twice.
    place, inner = np.nonzero(cells >= 0)
    row = np.tile(cells[place, inner], each)
    channel = np.repeat(np.arange(each), len(place))
    place, inner = np.tile(place, each), np.tile(inner, each)
    order = np.lexsort((place, channel, row))
    row, channel, place, inner = row[order], channel[order], place[order], inner[order]
    flat = weight.reshape(channels, depth, -1)
    counts, columns, floats = [], [], []
    for m in range(maps):
        first = m // depth * each
        values = flat[first + channel, m % depth, inner]
        kept = nonzero_entries(values)
        counts.append(np.bincount(row[kept], minlength=positions))
        columns.append(((first + channel) * size + place)[kept].astype(np.int32))
        floats.append(values[kept])
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    matrix = SparseMatrix((maps * positions, channels * size), starts, np.concatenate(columns), np.concatenate(floats))
    constants = np.zeros(maps) if bias is None else bias
    return Rows(matrix, SparseMatrix.column(np.repeat(constants, positions)))


def pooled_cells(name: str, channels: int, spatial: Sequence[int], window: Window) -> np.ndarray:
    """The cells of every pooling window over all channels, (channels * outputs, kernel cells), -1 for padding."""
    positions = math.prod(window.output(spatial))
    # Four times the cells, since they are compared and sorted in passing.
    check_sparse(name, channels * positions, 4 * channels * positions * math.prod(window.kernel))
    cells = window.cells(spatial)
    shifted = cells[None] + np.arange(channels)[:, None, None] * math.prod(spatial)
    return np.where(cells[None] >= 0, shifted, -1).reshape(channels * positions, -1)


def weighted_sums(cells: np.ndarray, inputs: int, weights: np.ndarray) -> Rows:
    """The sum of the cells of each window, times the window's weight, float64 (windows,)."""
    inside = cells >= 0
    counts = inside.sum(axis=1)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places = np.sort(np.where(inside, cells, inputs), axis=1)[np.arange(cells.shape[1]) < counts[:, None]]
    matrix = SparseMatrix((len(cells), inputs), starts, places.astype(np.int32), np.repeat(weights, counts))
    return Rows(matrix, SparseMatrix.zeros(len(cells), 1))


def averages(cells: np.ndarray, inputs: int, divisors: np.ndarray) -> tuple[Rows, bool]:
    """The sum of the cells of each window times the float64 nearest to 1 / divisor; also whether all of these are exact."""
    exact = not (divisors & (divisors - 1)).any()
    return weighted_sums(cells, inputs, 1.0 / np.maximum(divisors, 1)), exact


def without_padding(cells: np.ndarray) -> np.ndarray | None:
    """The cells with the padding of each window replaced by one of its own cells; None where a window holds padding alone."""
    inside = cells >= 0
    if not inside.any(axis=1).all():
        return None
    own = cells[np.arange(len(cells)), inside.argmax(axis=1)]
    return np.where(inside, cells, own[:, None])
