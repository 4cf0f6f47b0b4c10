"""Pre-activations as integer forms: on a cell of the complex every neuron is a linear form of the homogeneous coordinates (R1).

z_l(x, t) = W_l relu(z_{l-1}) + b_l t is positively homogeneous, so that a layer may be multiplied by a power of two and a point by any
positive number: signs stay, and everything becomes integral.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flint import fmpz_mat

from exactrelu.exact.rational import DyadicMatrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from exactrelu.network.model import Layer
    from exactrelu.regions.charts import Chart, Row

# Up to so many entries a sparse layer is multiplied as a dense one.
_DENSE_ENTRIES = 2**22


class _DenseLayer:
    """A layer as FLINT's integer matrix [W | b] * 2^shift; its input is a matrix (n + 1, k + 1), the constant 1 in the last row."""

    def __init__(self, layer: Layer) -> None:
        integers, exponent = layer.augmented
        self.shift = max(0, -exponent)
        self._matrix = integers * 2**exponent if exponent > 0 else integers
        self._rows: dict[int, Any] = {}

    def prepared(self, inputs: Sequence[Row], constant: Row) -> Any:
        return fmpz_mat(len(inputs) + 1, len(constant), [value for row in (*inputs, constant) for value in row])

    def forms(self, prepared: Any) -> list[Row]:
        values, width = [int(value) for value in (self._matrix * prepared).entries()], prepared.ncols()
        return [tuple(values[i : i + width]) for i in range(0, len(values), width)]

    def form(self, neuron: int, prepared: Any) -> Row:
        if neuron not in self._rows:
            n = self._matrix.ncols()
            self._rows[neuron] = fmpz_mat(1, n, [self._matrix[neuron, j] for j in range(n)])
        return tuple([int(value) for value in (self._rows[neuron] * prepared).entries()])


class _SparseLayer:
    """A layer whose rows hold few weights, such as a convolution; its input is a list of rows, the constant 1 the last."""

    def __init__(self, layer: Layer) -> None:
        assert not isinstance(layer.stored, DyadicMatrix)
        self._weights, self._biases = layer.stored, layer.bias
        stored = self._weights.exponent if self._weights.integers is not None else self._weights.lowest_exponent
        self.shift = max(0, -stored, -layer.bias.common[1])

    def prepared(self, inputs: Sequence[Row], constant: Row) -> Any:
        return [*inputs, constant]

    def forms(self, prepared: Any) -> list[Row]:
        biases, high = self._biases.common
        columns = []
        for *column, constant in zip(*prepared, strict=True):
            products, low = self._weights.times(column)
            pairs = zip(products, biases, strict=True)
            columns.append([(value << (low + self.shift)) + (bias * constant << (high + self.shift)) for value, (bias,) in pairs])
        return list(zip(*columns, strict=True))

    def form(self, neuron: int, prepared: Any) -> Row:
        columns, values, low = self._weights.integer_row(neuron)
        (bias,), high = self._biases.integer_row(neuron)
        terms = [(value << (low + self.shift), prepared[j]) for j, value in zip(columns, values, strict=True)]
        terms.append((bias << (high + self.shift), prepared[-1]))
        return tuple(sum(value * row[j] for value, row in terms) for j in range(len(prepared[-1])))


class HomogeneousLayers:
    """The layers of a network after a chart of dimension k, as integer forms of (z, tau), k + 1 numbers.

    `first` holds the forms of the first layer, (m, k + 1). Forms of layer l are 2^shifts[l] times the real ones.

    >>> import numpy as np
    >>> from exactrelu import Layer
    >>> from exactrelu.regions.charts import Chart
    >>> layer = Layer(DyadicMatrix.from_floats([[0.5, 1.0]]), DyadicMatrix.from_floats([[-2.0]]), np.array([True]))
    >>> HomogeneousLayers([layer], Chart.identity(2)).first
    [(1, 2, -4)]
    """

    def __init__(self, layers: Sequence[Layer], chart: Chart) -> None:
        self.layers = tuple(layers)
        self.chart = chart
        small = (isinstance(layer.stored, DyadicMatrix) or layer.inputs * layer.outputs <= _DENSE_ENTRIES for layer in layers)
        self._exact = [_DenseLayer(layer) if dense else _SparseLayer(layer) for layer, dense in zip(layers, small, strict=True)]
        self.shifts: list[int] = []
        for exact in self._exact:
            self.shifts.append(exact.shift + (self.shifts[-1] if self.shifts else 0))
        self.first = self.forms(0, self.prepared(0, chart.matrix[:-1])) if layers else []

    def prepared(self, number: int, inputs: Sequence[Row]) -> Any:
        """The forms of the inputs of layer `number` (from 0), as `forms` and `form` take them."""
        scale = self.chart.scale << (self.shifts[number - 1] if number else 0)
        return self._exact[number].prepared(inputs, (*(0,) * self.chart.dimension, scale))

    def forms(self, number: int, prepared: Any) -> list[Row]:
        """The forms of all neurons of layer `number`."""
        return self._exact[number].forms(prepared)

    def form(self, number: int, neuron: int, prepared: Any) -> Row:
        """The form of one neuron of layer `number`."""
        return self.first[neuron] if number == 0 else self._exact[number].form(neuron, prepared)

    def of_pattern(self, pattern: Sequence[np.ndarray]) -> list[Row]:
        """The forms of the outputs of the first len(pattern) layers where these masks (m,) of active rows hold."""
        rows: list[Row] = list(self.chart.matrix[:-1])
        for number, active in enumerate(pattern):
            rows = masked(self.forms(number, self.prepared(number, rows)) if number else self.first, active)
        return rows


def masked(rows: Sequence[Row], active: np.ndarray) -> list[Row]:
    """The forms, those that are not active replaced by 0."""
    zero = (0,) * len(rows[0]) if rows else ()
    return [row if on else zero for row, on in zip(rows, active.tolist(), strict=True)]
