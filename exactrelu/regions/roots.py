"""The forms of a layer's neurons on the cells that it finds, made when they are asked for and kept as long as memory allows.

A layer finds the cells that the layers before it have made: its *roots*. On a root all its neurons are linear forms, whatever pieces the
layer itself cuts the root into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.regions.forms import masked
from exactrelu.regions.patterns import bits

if TYPE_CHECKING:
    from exactrelu.regions.charts import Row
    from exactrelu.regions.forms import HomogeneousLayers
    from exactrelu.regions.patterns import Block

# How many integers are kept at most, about a gigabyte.
_MOST_KEPT = 2**23


class RootForms:
    """The forms of every layer on its roots."""

    def __init__(self, layers: HomogeneousLayers) -> None:
        self._layers = layers
        # Of every layer's roots: the root of the layer before that each lies in, and the words of that layer's blocks.
        self._parents: list[np.ndarray] = [np.zeros(0, dtype=np.int64)]
        self._patterns: list[list[tuple[Block, np.ndarray]]] = [[]]
        self._kept: dict[tuple[str, int, int], Any] = {}
        self._numbers = 0

    def begin_layer(self, parents: np.ndarray, pattern: list[tuple[Block, np.ndarray]]) -> None:
        """The next layer finds len(parents) roots; root i lies in root parents[i] of the layer before."""
        self._parents.append(parents)
        self._patterns.append(pattern)

    def calls(self) -> list[tuple[np.ndarray, list[tuple[Block, np.ndarray]]]]:
        """The arguments of `begin_layer`, call by call."""
        return list(zip(self._parents[1:], self._patterns[1:], strict=True))

    def form(self, layer: int, root: int, neuron: int) -> Row:
        """The form of one neuron of a layer (from 0) on one of its roots."""
        if layer == 0:
            return self._layers.first[neuron]
        found: Row | None = self._kept.get((f"form {neuron}", layer, root))
        if found is None:
            found = self._layers.form(layer, neuron, self._prepared(layer, root))
            self._keep((f"form {neuron}", layer, root), found, 1)
        return found

    def _prepared(self, layer: int, root: int) -> Any:
        found = self._kept.get(("inputs", layer, root))
        if found is None:
            before = self._all_forms(layer - 1, int(self._parents[layer][root]))
            found = self._layers.prepared(layer, masked(before, self._active(layer, root)))
            self._keep(("inputs", layer, root), found, len(before))
        return found

    def _all_forms(self, layer: int, root: int) -> list[Row]:
        if layer == 0:
            return self._layers.first
        found: list[Row] | None = self._kept.get(("forms", layer, root))
        if found is None:
            found = self._layers.forms(layer, self._prepared(layer, root))
            self._keep(("forms", layer, root), found, len(found))
        return found

    def _active(self, layer: int, root: int) -> np.ndarray:
        """Which rows of the layer before are active on a root: those without a relu, and those with their bit."""
        active = ~self._layers.layers[layer - 1].rectified
        for block, pattern in self._patterns[layer]:
            active[block.rows] = bits(pattern[root : root + 1], len(block.rows))[0]
        return active

    def _keep(self, key: tuple[str, int, int], value: Any, count: int) -> None:
        self._numbers += count * (self._layers.chart.dimension + 1)
        if self._numbers > _MOST_KEPT:
            self._kept.clear()
            self._numbers = 0
        self._kept[key] = value
