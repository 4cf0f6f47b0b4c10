"""The layers of a network as floats, rows divided by powers of two, which keeps signs: what float evaluations start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.rounding import UNIT_ROUNDOFF
from exactrelu.regions.floats.double_double import Slices, rounded_pair, two_product

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exactrelu.exact.sparse import SparseMatrix
    from exactrelu.regions.charts import Row
    from exactrelu.regions.forms import HomogeneousLayers

_SMALLEST_EXPONENT = -(2**60)
_UNDERFLOW = 2.0**-1000


def scaled_pairs(vectors: Iterable[Row], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Integer vectors as (high, low), (p, width) each, divided by a power of two so that the largest entry lies in [1/2, 1].

    high + low is within 2^-106 of every entry, relatively, and high is the float nearest to it.

    >>> scaled_pairs([(3, -4), (0, 2**2000)], 2)[0].tolist()
    [[0.375, -0.5], [0.0, 0.5]]
    """
    rows = []
    for vector in vectors:
        size = 1 << max(map(int.bit_length, vector), default=0)
        rows.append([rounded_pair(value, size) for value in vector])
    pairs = np.array(rows, dtype=np.float64).reshape(-1, width, 2)
    return np.ascontiguousarray(pairs[:, :, 0]), np.ascontiguousarray(pairs[:, :, 1])


class FloatLayers:
    """[W | b] of every layer, (m, n + 1), for inputs as scaled as the layer before leaves them; of the first one the forms of (z, tau).

    Entries are of size at most 1. They are high + low with a relative error of at most 2^-100 + errors[l], l the layer, and high alone
    has one of at most 3u: a weight that is no float64 is known to 2^-53 only, and where it is far too small for that high is a nan.
    """

    def __init__(self, layers: HomogeneousLayers) -> None:
        self.layers = layers
        sizes = [max(map(int.bit_length, row), default=0) for row in layers.first]
        # Row i of layer l, computed, is 2^-exponents[l][i] times the real one.
        self._exponents = [np.array(sizes, dtype=np.int64) - layers.shifts[0]]
        self._pairs: list[tuple[Any, Any]] = [scaled_pairs(layers.first, layers.chart.dimension + 1)]
        stored = [(layer.stored.integers, layer.bias.integers) for layer in layers.layers]
        self.errors = [0.0, *(0.0 if pair == (None, None) else 2 * UNIT_ROUNDOFF for pair in stored[1:])]
        self._slices: dict[int, Slices] = {}

    def pair(self, number: int) -> tuple[Any, Any]:
        """(high, low) of layer `number`, dense or sparse."""
        while len(self._pairs) <= number:
            self._pairs.append(self._scaled(len(self._pairs)))
        return self._pairs[number]

    def slices(self, number: int) -> Slices:
        """Layer `number` for products from the left."""
        if number not in self._slices:
            self._slices[number] = Slices(*self.pair(number))
        return self._slices[number]

    def _scaled(self, number: int) -> tuple[Any, Any]:
        layer, scale = self.layers.layers[number], self.layers.chart.scale
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
        high, exponents = np.frexp(np.concatenate([values, _relatively_close(layer.bias)[:, 0]]))
        low, constants = np.zeros_like(high), slice(len(values), None)
        scale_high, scale_low = rounded_pair(scale, 1 << scale.bit_length())
        product, rest = two_product(high[constants], np.array(scale_high))
        low[constants] = rest + high[constants] * scale_low
        high[constants] = product
        exponents = exponents + np.append(self._exponents[-1], scale.bit_length())[columns]
        largest = np.full(m, _SMALLEST_EXPONENT)
        np.maximum.at(largest, rows[high != 0], exponents[high != 0])
        largest[largest == _SMALLEST_EXPONENT] = 0
        self._exponents.append(largest)
        from scipy.sparse import csr_array

        shifts = np.maximum(exponents - largest[rows], -4000).astype(np.int32)
        parts = [csr_array((np.ldexp(part, shifts), (rows, columns)), shape=(m, n + 1)) for part in (high, low)]
        return (parts[0].toarray(), parts[1].toarray()) if dense else (parts[0], parts[1])


def _relatively_close(matrix: DyadicMatrix | SparseMatrix) -> np.ndarray:
    """Its floats, with nan where one is not within 2^-53 of its entry, relatively: where a number longer than float64 is too small."""
    if matrix.integers is None:
        return matrix.floats
    nonzero = np.array(matrix.integers, dtype=object).astype(bool).reshape(matrix.floats.shape)
    return np.where(nonzero & ~(np.abs(matrix.floats) > _UNDERFLOW), np.nan, matrix.floats)
