"""The complex of activation regions, exactly: the faces are cut along one neuron after the other (R1, R2).

A neuron's sign is a property of a vertex or ray, computed once and shared by all faces around it. At a new vertex most signs are known
without computing: a neuron that does not cut the edge has there the sign that it has inside the edge. No linear program is solved, and
no tolerance is used: floats decide a sign where their proved bound does (`floats.points`), and else the integers of the vertex, which are
made then (`vertices`). Where there are many cells the passes over faces are compiled (`compiled`). Both change nothing but the time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.regions.compiled import compiled_passes
from exactrelu.regions.floats.points import FloatPoints
from exactrelu.regions.patterns import WORD, Block, bits
from exactrelu.regions.roots import RootForms
from exactrelu.regions.vertices import Vertices, value

if TYPE_CHECKING:
    from exactrelu.regions.start import Start

# From so many cells on compiled passes save more than the third of a second that loading them takes.
_WORTH_LOADING = 2**13


class Subdivision:
    """Cuts a start complex along the neurons of its layers.

    compiled: whether passes are compiled where numba is installed, by default where there are many cells.

    After `run`: `lattice`, `vertices` (primitive integer vectors (z, tau)), and for every block of neurons in `blocks` the words of the
    cells in `patterns`. Where `complete` is False a limit was reached, and the complex is that of the neurons in `blocks`: the first ones
    and, where the limit was reached in the first layer, the seeds.
    """

    def __init__(self, start: Start, *, floats: bool, compiled: bool | None = None) -> None:
        layers, lattice = start.layers, start.lattice
        self._layers = layers
        self._seeds = start.seeds
        self.lattice = lattice
        self._forms = RootForms(layers)
        self.vertices = Vertices(start.vertices, self._forms)
        self.history = start.history
        self._points = FloatPoints(layers, self.vertices) if floats and layers.layers else None
        self.blocks: list[Block] = []
        self.patterns: list[np.ndarray] = []
        self.complete = True
        self._compiled = compiled
        # Of every cell of the last `settle` the root of the layer that it lies in.
        self._roots = np.arange(lattice.counts()[-1])

    def run(self, *, deadline: float | None = None, limit: int | None = None) -> None:
        """Cut along all neurons, unless the monotonic clock passes the deadline or there would be more cells than the limit."""
        first_block = 0
        for number, layer in enumerate(self._layers.layers):
            if number:
                self._forms.begin_layer(self._roots, list(zip(self.blocks[first_block:], self.patterns[first_block:], strict=True)))
                self._roots = np.arange(self.lattice.counts()[-1])
                if self._points is not None:
                    self._points.begin_layer(list(zip(self.blocks, self.patterns, strict=True)))
                first_block = len(self.blocks)
            rows = np.flatnonzero(layer.rectified)
            for begin in range(0, len(rows), WORD):
                self._cut_block(Block(number, rows[begin : begin + WORD]), deadline, limit)
                if not self.complete:
                    if number == 0:
                        # The walls of the seeds are there already: their neurons cut nothing, and their signs are still to be found.
                        self._cut_block(Block(0, np.setdiff1d(self._seeds, rows[: self._neurons()])), None, None)
                    return

    def _choose_passes(self) -> None:
        if self._compiled or (self._compiled is None and self.lattice.counts()[-1] >= _WORTH_LOADING):
            self.lattice.passes = compiled_passes() or self.lattice.passes

    def _neurons(self) -> int:
        """How many neurons the complex has been cut along."""
        return sum(len(block.rows) for block in self.blocks)

    def _cut_block(self, block: Block, deadline: float | None, limit: int | None) -> None:
        lattice, count = self.lattice, len(block.rows)
        lattice.settle()
        self._choose_passes()
        every = np.full(len(self.vertices), (1 << count) - 1, dtype=np.uint64)
        lattice.mark(*self._signs(block, np.arange(len(self.vertices)), lattice.home[0].values, every))
        for i in range(count):
            bit = np.uint64(1 << i)
            late = deadline is not None and time.monotonic() > deadline
            if late or (limit is not None and lattice.counts()[-1] + len(lattice.split_cells(bit)) > limit):
                self.complete, count = False, i
                break
            self._cut(block, i)
        if not count:
            return
        done = np.uint64((1 << count) - 1)
        self.blocks.append(Block(block.layer, block.rows[:count]))
        home = lattice.home[-1].values
        self._roots = self._roots[home]
        self.patterns = [*(pattern[home] for pattern in self.patterns), lattice.positive[-1].values & done]
        if self.history is not None:
            self.history.add(lattice.positive[0].values & done, lattice.negative[0].values & done)

    def _cut(self, block: Block, i: int) -> None:
        """Cut along neuron i of the block."""
        lattice, bit, neuron = self.lattice, np.uint64(1 << i), int(block.rows[i])

        def cut_edges(edges: np.ndarray, plus: np.ndarray, minus: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            home = lattice.home[1].values[edges]
            roots, first = self._roots[home], len(self.vertices)
            self.vertices.cross(block.layer, neuron, roots, plus, minus)
            # A hyperplane through vertices alone crosses no edge.
            if self._points is not None and len(edges):
                self._points.extend(block.layer, neuron, roots, plus, minus)
            if self.history is not None:
                self.history.extend(plus, minus)
            positive, negative = lattice.positive[1].values[edges], lattice.negative[1].values[edges]
            both = positive & negative & ~bit
            positive, negative = positive & ~negative, negative & ~positive
            open_ones = np.flatnonzero(both)
            found = self._signs(block, first + open_ones, home[open_ones], both[open_ones])
            positive[open_ones] |= found[0]
            negative[open_ones] |= found[1]
            return positive, negative

        lattice.split(bit, cut_edges)

    def _signs(self, block: Block, vertices: np.ndarray, home: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The signs of a block's neurons at vertices, as words (positive, negative); of the neurons in the words `asked` only."""
        positive, negative = np.zeros_like(asked), np.zeros_like(asked)
        if self._points is not None and len(vertices):
            positive, negative = (part & asked for part in self._points.signs(block, vertices))
        left = asked & ~(positive | negative)
        for k in np.flatnonzero(left).tolist():
            vertex, root = self.vertices[int(vertices[k])], int(self._roots[home[k]])
            for i in np.flatnonzero(bits(left[k : k + 1], len(block.rows))[0]).tolist():
                z = value(self._forms.form(block.layer, root, int(block.rows[i])), vertex)
                if z:
                    (positive if z > 0 else negative)[k] |= np.uint64(1 << i)
        return positive, negative
