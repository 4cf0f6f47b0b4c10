"""Which neurons are positive close to a point, exactly: the sign of a value or, where it is 0, of the first slope that is not.

A *flag* is a point p and directions d1, d2, .. : it stands for p + e d1 + e^2 d2 + .. with e > 0 as small as is needed. The value of
an affine function there has the sign of the first entry that is not 0 among its value at p and its slopes along d1, d2, ..; this holds
layer by layer, since a relu keeps or drops all of them. No pattern is found by changing one of a neighbour's signs.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz, fmpz_mat

from exactrelu.exact.rational import DyadicMatrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.network.model import Layer
    from exactrelu.regions.charts import Chart, Row

# Up to so many entries a sparse layer is multiplied as a dense one.
_DENSE_ENTRIES = 2**22


class ExactLayers:
    """Layers after a chart of dimension k. Forms and flags are homogeneous: everything holds up to positive factors.

    >>> from exactrelu import Layer
    >>> from exactrelu.regions.charts import Chart
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, 0.0], [0.5, -0.5]]), DyadicMatrix.from_floats([[0], [0]]), np.ones(2, bool))
    >>> layers = ExactLayers([layer], Chart.identity(2))
    >>> layers.patterns(fmpz_mat([[-1, 0], [0, 0], [0, 1]]), 2)[0].tolist()
    [[False, False]]
    >>> layers.forms(np.array([True, False]))
    [(2, 0, 0), (1, -1, 0)]
    """

    def __init__(self, layers: Sequence[Layer], chart: Chart) -> None:
        relus = [number for number, layer in enumerate(layers) if layer.rectified.any()]
        self.layers = tuple(layers[: relus[-1] + 1]) if relus else ()
        self._masks = [layer.rectified for layer in self.layers]
        self._first = fmpz_mat([list(row) for row in chart.matrix])
        if self.layers:
            self._first = _applied(self.layers[0], self._first)

    def first_forms(self) -> list[Row]:
        """The forms of the first layer that has a relu: as functions of these everything after it is fixed."""
        state = self._first
        for number, mask in enumerate(self._masks):
            if mask.any():
                return _rows(state)[:-1]
            state = _applied(self.layers[number + 1], state)
        return []

    def forms(self, pattern: np.ndarray) -> list[Row]:
        """The forms (k + 1,) of all neurons where a pattern (neurons,) holds."""
        found: list[Row] = []
        state, taken = self._first, 0
        for number, mask in enumerate(self._masks):
            if number:
                state = _applied(self.layers[number], state)
            rows = _rows(state)
            places = np.flatnonzero(mask).tolist()
            found += [rows[i] for i in places]
            dropped = {i for i, on in zip(places, pattern[taken : taken + len(places)].tolist(), strict=True) if not on}
            taken += len(places)
            if dropped:
                zero = (0,) * len(rows[0])
                state = fmpz_mat([list(zero if i in dropped else row) for i, row in enumerate(rows)])
        return found

    def patterns(self, flags: fmpz_mat, width: int) -> tuple[np.ndarray, list[list[fmpz]]]:
        """The patterns, boolean (g, neurons), at g flags; flags: (k + 1, g * width), the columns of one flag from the last direction to p.

        With them the values and slopes of all neurons there, (neurons, g * width), up to a positive factor for every neuron.
        """
        begins = range(0, flags.ncols(), width)
        patterns: list[list[bool]] = []
        entries: list[list[fmpz]] = []
        state = flags
        for number, mask in enumerate(self._masks):
            state = _applied(self.layers[number], state) if number else self._first * flags
            rows = state.tolist()
            zero = [fmpz(0)] * width
            for i in np.flatnonzero(mask).tolist():
                entries.append(rows[i])
                parts = [rows[i][begin : begin + width] for begin in begins]
                patterns.append([next(filter(None, reversed(part)), 0) > 0 for part in parts])
                rows[i] = list(chain.from_iterable(part if on else zero for part, on in zip(parts, patterns[-1], strict=True)))
            state = fmpz_mat(len(rows), flags.ncols(), list(chain.from_iterable(rows)))
        return np.array(patterns, dtype=bool).reshape(len(patterns), len(begins)).T, entries


def _rows(matrix: fmpz_mat) -> list[Row]:
    values, width = [int(value) for value in matrix.entries()], matrix.ncols()
    return [tuple(values[i * width : (i + 1) * width]) for i in range(matrix.nrows())]


def _applied(layer: Layer, state: fmpz_mat) -> fmpz_mat:
    """W x + b t, in units of a power of two, for the columns (x, t) of a state; t in these units is the last row again."""
    if isinstance(layer.stored, DyadicMatrix) or layer.inputs * layer.outputs <= _DENSE_ENTRIES:
        integers, exponent = layer.augmented
        result = (integers * state).entries()
    else:
        products, low = zip(
            *(layer.stored.times([int(value) for value in column[:-1]]) for column in state.transpose().tolist()), strict=True
        )
        biases, high = layer.bias.common
        exponent = min(high, *low)
        constants = [int(state[state.nrows() - 1, j]) for j in range(state.ncols())]
        result = [
            (column[i] << (own - exponent)) + (bias * constant << (high - exponent))
            for i, (bias,) in enumerate(biases)
            for column, own, constant in zip(products, low, constants, strict=True)
        ]
    scale, unit = 1 << max(0, exponent), 1 << max(0, -exponent)
    if exponent > 0:
        result = [value * scale for value in result]
    last = [state[state.nrows() - 1, j] * unit for j in range(state.ncols())]
    return fmpz_mat(layer.outputs + 1, state.ncols(), [*result, *last])
