"""The form of one neuron on many roots at once, in double-double with a proved bound: the twin of `roots` in floats.

A neuron of layer l has on a root the form (.. ((w_l D_{l-1}) [W_{l-1} | b_{l-1}]) D_{l-2} ..) [W_0 | b_0], multiplied out from the left, D
the pattern of the root; what the columns b give belongs to the constant. Rows are divided by powers of two on the way, which keeps signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rounding import UPWARDS
from exactrelu.regions.floats.double_double import two_sum
from exactrelu.regions.patterns import bits

if TYPE_CHECKING:
    from exactrelu.regions.floats.layers import FloatLayers
    from exactrelu.regions.patterns import Block

# What a pair's last rounding and the rest of a weight cost, for sizes of 1.
_ROUNDING = 2.0**-95
_UNDERFLOW = 2.0**-1000
# As many as the processor's cache holds.
_NUMBERS_AT_ONCE = 2**17


class FloatForms:
    """The forms of a layer's neurons on its roots; `begin_layer` first for every layer but the first one."""

    def __init__(self, layers: FloatLayers) -> None:
        self._layers = layers
        self._patterns: list[tuple[Block, np.ndarray]] = []

    def begin_layer(self, patterns: list[tuple[Block, np.ndarray]]) -> None:
        """The words of the blocks of all layers so far, of every root of the next layer."""
        self._patterns = patterns

    def of(self, number: int, neuron: int, roots: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(high, low, error): arrays (p, k + 1) of size at most 1, and a bound (p,) of the error of every entry, for these p roots."""
        step = max(1, _NUMBERS_AT_ONCE // max(layer.outputs + 1 for layer in self._layers.layers.layers[: number + 1]))
        parts = [self._of(number, neuron, roots[begin : begin + step]) for begin in range(0, len(roots), step)]
        high, low, error = (np.concatenate(part) for part in zip(*parts, strict=True))
        return high, low, error

    def _of(self, number: int, neuron: int, roots: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = (part[[neuron]] for part in self._layers.pair(number))
        high, low = (np.repeat(row if isinstance(row, np.ndarray) else row.toarray(), len(roots), axis=0) for row in rows)
        error = np.full(len(roots), _ROUNDING + self._layers.errors[number])
        for before in range(number - 1, -1, -1):
            active = self._active(before, roots)
            high[:, :-1] *= active
            low[:, :-1] *= active
            high, low, error = _scaled(high, low, error)
            matrix, constant, constant_low = self._layers.slices(before), high[:, -1], low[:, -1]
            high, low = matrix.product(high[:, :-1], low[:, :-1])
            total, rest = two_sum(high[:, -1], constant)
            high[:, -1], low[:, -1] = two_sum(total, rest + (low[:, -1] + constant_low))
            # An error e of every coefficient costs at most `norm` e, and e in the constant. No entry exceeds `norm` + 1.
            error = (error + _ROUNDING + self._layers.errors[before]) * (1 + matrix.norm) + matrix.error
        return _scaled(high, low, error)

    def _active(self, number: int, roots: np.ndarray) -> np.ndarray:
        """Of every root which rows of a layer are active, as 0 and 1: those without a relu, and those with their bit."""
        rectified = self._layers.layers.layers[number].rectified
        active = np.repeat((~rectified)[None], len(roots), axis=0).astype(np.float64)
        for block, words in self._patterns:
            if block.layer == number:
                active[:, block.rows] = bits(words[roots], len(block.rows))
        return active


def _scaled(high: np.ndarray, low: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows divided by powers of two so that the largest entry lies in [1/2, 1]; the error is rounded upwards."""
    exponent = -np.frexp(np.abs(high).max(axis=1))[1]
    return np.ldexp(high, exponent[:, None]), np.ldexp(low, exponent[:, None]), np.ldexp(error * UPWARDS, exponent) + _UNDERFLOW
