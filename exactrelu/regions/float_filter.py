"""Signs of pre-activations in floats, with a proved bound: an optimisation that leaves a sign undecided rather than guess it.

The network is evaluated at many homogeneous points at once. Rows are scaled by powers of two, which keeps signs. With u = 2^-53, inputs
a~ with |a~ - a| <= e, and a row w~ of k entries with a relative error of at most 4u each, the computed sum of products differs from the
exact one by at most |w~| e (1 + 4u) + gamma_{k+8} |w~| |a~|, and by what underflow loses, far less than 2^-1000 (1 + |a~|_1 + |e|_1).
An infinity or nan on the way satisfies no comparison: the sign stays undecided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.rounding import UNIT_ROUNDOFF, UPWARDS, float_arithmetic_is_sound, gamma

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exactrelu.exact.sparse import SparseMatrix
    from exactrelu.regions.charts import Row
    from exactrelu.regions.forms import HomogeneousLayers

_NUMBERS_AT_ONCE = 2**21
_UNDERFLOW = 2.0**-1000
_LARGEST = 2.0**900
_LARGEST_WIDTH = 2**20 - 8
_SMALLEST_EXPONENT = -(2**60)


def scaled_floats(vectors: Iterable[Row], width: int) -> np.ndarray:
    """Integer vectors as floats (p, width), each divided by a power of two so that its largest entry lies in [1/2, 1].

    Each entry is correctly rounded: Python divides integers so.

    >>> scaled_floats([(3, -4), (0, 2**2000)], 2).tolist()
    [[0.375, -0.5], [0.0, 0.5]]
    """
    rows = []
    for vector in vectors:
        size = 1 << max(map(int.bit_length, vector), default=0)
        rows.append([value / size for value in vector])
    return np.array(rows, dtype=np.float64).reshape(-1, width)


class FloatFilter:
    """Signs of the neurons of any layer at points given by `scaled_floats`; those that it decides are right."""

    def __init__(self, layers: HomogeneousLayers) -> None:
        self._layers = layers
        sizes = [max(map(int.bit_length, row), default=0) for row in layers.first]
        # Row i of layer l, computed, is 2^-exponents[l][i] times the real one.
        self._exponents = [np.array(sizes, dtype=np.int64) - layers.shifts[0]]
        self._weights: list[Any] = [scaled_floats(layers.first, layers.chart.dimension + 1)]

    def signs(self, number: int, rows: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(positive, negative): boolean masks (points, rows) of the signs of these rows of layer `number` (from 0) that are proved."""
        positive, negative = (np.zeros((len(points), len(rows)), dtype=bool) for _ in range(2))
        if float_arithmetic_is_sound():
            with np.errstate(all="ignore"):
                while len(self._weights) <= number:
                    self._weights.append(self._scaled(len(self._weights)))
                step = max(1, _NUMBERS_AT_ONCE // max(1, *(weights.shape[0] for weights in self._weights[: number + 1])))
                for begin in range(0, len(points), step):
                    part = slice(begin, begin + step)
                    z, bound = self._evaluate(number, rows, points[part])
                    positive[part], negative[part] = z > bound, z < -bound
        return positive, negative

    def _evaluate(self, number: int, rows: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pre-activations of these rows of layer `number` at points, (points, rows), and bounds of their errors."""
        a, tau = points, points[:, -1:]
        error = np.abs(a) * UNIT_ROUNDOFF + _UNDERFLOW
        for layer in range(number + 1):
            if layer:
                a = np.hstack([a, tau])
                error = np.hstack([error, np.abs(tau) * UNIT_ROUNDOFF + _UNDERFLOW])
            weights, size = self._weights[layer] if layer < number else self._weights[layer][rows], np.abs(a)
            z = np.asarray((weights @ a.T).T)
            factor = gamma(weights.shape[1] + 8) if weights.shape[1] < _LARGEST_WIDTH else np.inf
            bound = np.asarray((abs(weights) @ (error * (1 + 8 * UNIT_ROUNDOFF) + size * factor).T).T)
            total = size.sum(axis=1, keepdims=True)
            bound = bound * UPWARDS**2 + _UNDERFLOW * (1 + total + error.sum(axis=1, keepdims=True))
            # No weight exceeds 1, so nothing has overflowed where the inputs are small.
            bound = np.where(total < _LARGEST, bound, np.inf)
            if layer == number:
                break
            # A neuron that is proved negative is 0 after its relu, exactly.
            rectified = self._layers.layers[layer].rectified
            error = np.where(rectified & (z < -bound), 0.0, bound)
            a = np.where(rectified & ~(z > 0), 0.0, z)
        return z, bound

    def _scaled(self, number: int) -> Any:
        """[W | b] of a layer, (m, n + 1), for inputs as scaled as the layer before leaves them: rows divided by powers of two."""
        layer, length = self._layers.layers[number], self._layers.chart.scale.bit_length()
        m, n = layer.outputs, layer.inputs
        if isinstance(layer.stored, DyadicMatrix):
            dense, floats = True, _relatively_close(layer.stored)
            rows, columns = np.nonzero(floats)
            values = floats[rows, columns]
        else:
            dense, rows, columns = m * n <= 2**22, layer.stored.row_numbers(), layer.stored.columns
            values = _relatively_close(layer.stored)
        # The constant t is the last input; after the chart it is scale * tau.
        rows, columns = np.concatenate([rows, np.arange(m)]), np.concatenate([columns, np.full(m, n)])
        mantissas, exponents = np.frexp(np.concatenate([values, _relatively_close(layer.bias)[:, 0]]))
        mantissas[len(values) :] *= self._layers.chart.scale / (1 << length)
        exponents = exponents + np.append(self._exponents[-1], length)[columns]
        largest = np.full(m, _SMALLEST_EXPONENT)
        np.maximum.at(largest, rows[mantissas != 0], exponents[mantissas != 0])
        largest[largest == _SMALLEST_EXPONENT] = 0
        self._exponents.append(largest)
        from scipy.sparse import csr_array

        entries = np.ldexp(mantissas, np.maximum(exponents - largest[rows], -4000).astype(np.int32))
        matrix = csr_array((entries, (rows, columns)), shape=(m, n + 1))
        return matrix.toarray() if dense else matrix


def _relatively_close(matrix: DyadicMatrix | SparseMatrix) -> np.ndarray:
    """Its floats, with nan where one is not within 2^-53 of its entry, relatively: where a number longer than float64 is too small."""
    if matrix.integers is None:
        return matrix.floats
    nonzero = np.array(matrix.integers, dtype=object).astype(bool).reshape(matrix.floats.shape)
    return np.where(nonzero & ~(np.abs(matrix.floats) > _UNDERFLOW), np.nan, matrix.floats)
