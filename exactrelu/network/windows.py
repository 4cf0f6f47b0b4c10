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
    """A kernel over spatial axes: its size, step, gaps and the padding before and after, each one number an axis."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    def output(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """The output's spatial shape; an entry is 0 or less where the kernel does not fit."""
        return tuple(room // stride + 1 for room, stride in zip(self._room(spatial), self.strides, strict=True))

    def leaves_rest(self, spatial: Sequence[int]) -> bool:
        """Whether the last step leaves cells uncovered, so that rounding the output's size up would make a difference."""
        return any(room % stride for room, stride in zip(self._room(spatial), self.strides, strict=True))

    def _room(self, spatial: Sequence[int]) -> list[int]:
        sizes = [dilation * (kernel - 1) + 1 for kernel, dilation in zip(self.kernel, self.dilations, strict=True)]
        sums = zip(spatial, self.before, self.after, sizes, strict=True)
        return [length + before + after - size for length, before, after, size in sums]

    def cells(self, spatial: Sequence[int]) -> np.ndarray:
        """For every output cell, row-major, the input cells under the kernel, row-major, -1 for padding: (outputs, kernel cells)."""
        out = self.output(spatial)
        count = len(out)
        index = np.zeros((1,) * (2 * count), dtype=np.int64)
        inside = np.ones((1,) * (2 * count), dtype=bool)
        for axis in range(count):
            start = np.arange(out[axis]) * self.strides[axis] - self.before[axis]
            place = start[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis]
            shape = [1] * (2 * count)
            shape[axis], shape[count + axis] = place.shape
            index = index * spatial[axis] + place.reshape(shape)
            inside = inside & ((place >= 0) & (place < spatial[axis])).reshape(shape)
        return np.where(inside, index, -1).reshape(math.prod(out), math.prod(self.kernel))


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


def pooled_cells(name: str, channels: int, spatial: Sequence[int], window: Window) -> np.ndarray:
    """The cells of every pooling window over all channels, (channels * outputs, kernel cells), -1 for padding."""
    positions = math.prod(window.output(spatial))
    # Four times the cells, since they are compared and sorted in passing.
    check_sparse(name, channels * positions, 4 * channels * positions * math.prod(window.kernel))
    cells = window.cells(spatial)
    shifted = cells[None] + np.arange(channels)[:, None, None] * math.prod(spatial)
    return np.where(cells[None] >= 0, shifted, -1).reshape(channels * positions, -1)


def averages(cells: np.ndarray, inputs: int, *, count_padding: bool) -> tuple[Rows, bool]:
    """The mean of the cells of each window, the divisor's reciprocal as the nearest float64; also whether all of them are exact."""
    inside = cells >= 0
    counts = inside.sum(axis=1)
    divisors = np.full(len(cells), cells.shape[1]) if count_padding else counts
    weights = np.repeat(1.0 / np.maximum(divisors, 1), counts)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    matrix = SparseMatrix((len(cells), inputs), starts, cells[inside].astype(np.int32), weights)
    exact = not (divisors & (divisors - 1)).any()
    return Rows(matrix, SparseMatrix.zeros(len(cells), 1)), exact


def without_padding(cells: np.ndarray) -> np.ndarray | None:
    """The cells with the padding of each window replaced by one of its own cells; None where a window holds padding alone."""
    inside = cells >= 0
    if not inside.any(axis=1).all():
        return None
    own = cells[np.arange(len(cells)), inside.argmax(axis=1)]
    return np.where(inside, cells, own[:, None])
