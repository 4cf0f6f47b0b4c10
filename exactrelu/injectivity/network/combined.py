"""Networks made of others: two side by side on one input, an affine map after one, a linear map added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.network.model import Layer, Network, SourceLayer

if TYPE_CHECKING:
    from collections.abc import Sequence


def projected(network: Network, matrix: DyadicMatrix) -> Network:
    """x -> B f(x), B of shape (k, m); raises InvalidRequestError where m is not the network's number of outputs (theory I15).

    >>> from exactrelu import RationalVector
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.ones(2, bool))
    >>> network = Network((layer,), (SourceLayer(1, "both", (layer,), 0),), (), (1,))
    >>> projected(network, DyadicMatrix.from_floats([[1.0, -1.0]]))(RationalVector((-3,))).texts()
    ['-3']
    """
    if matrix.shape[1] != network.outputs:
        raise InvalidRequestError(
            f"a projection with {matrix.shape[1]} columns was given for a network with {network.outputs} outputs; give as many"
        )
    return _network((*network.layers, _plain(matrix)), network)


def drawn_projection(rows: int, columns: int, *, seed: int = 0) -> DyadicMatrix:
    """A matrix of float32 Gaussian entries, the same for the same seed."""
    drawn = np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)
    return DyadicMatrix.from_floats(drawn.astype(np.float64))


def difference(first: Network, second: Network) -> Network:
    """x -> f(x) - g(x); raises InvalidRequestError where the numbers of inputs or outputs differ."""
    if (first.inputs, first.outputs) != (second.inputs, second.outputs):
        raise InvalidRequestError(
            f"a network from {first.inputs} inputs to {first.outputs} outputs is no other one from {second.inputs} to {second.outputs}; "
            "give two with the same numbers of inputs and outputs"
        )
    return _weighted(first, second, -1)


def with_linear(network: Network, matrix: DyadicMatrix) -> Network:
    """x -> f(x) + C x, C of shape (m, n); raises InvalidRequestError for another shape."""
    if matrix.shape != (network.outputs, network.inputs):
        raise InvalidRequestError(f"a matrix of shape {matrix.shape} was given; give {(network.outputs, network.inputs)}")
    return _weighted(network, _network((_plain(matrix),), network), 1)


def _weighted(first: Network, second: Network, factor: int) -> Network:
    """f + factor * g."""
    m, depth = first.outputs, max(len(first.layers), len(second.layers))
    one, other = ([*part.layers, *[_plain(_identity(m, m))] * (depth - len(part.layers))] for part in (first, second))
    layers = [_beside(a, b, shared=number == 0) for number, (a, b) in enumerate(zip(one, other, strict=True))]
    units = np.hstack([np.eye(m), factor * np.eye(m)])
    return _network((*layers, _plain(DyadicMatrix.from_floats(units))), first)


def _beside(first: Layer, second: Layer, *, shared: bool) -> Layer:
    """Both layers as one, of the same input or each of its own coordinates."""
    (own, low), (others, high) = first.weight.common, second.weight.common
    exponent = min(low, high)
    left, right = (0, 0) if shared else (first.inputs, second.inputs)
    rows = [[*(value << (low - exponent) for value in row), *[0] * right] for row in own]
    rows += [[*[0] * left, *(value << (high - exponent) for value in row)] for row in others]
    width = first.inputs if shared else left + right
    return Layer(
        DyadicMatrix.from_integers(rows, width, exponent), _stacked(first.bias, second.bias), np.append(first.rectified, second.rectified)
    )


def _stacked(first: DyadicMatrix, second: DyadicMatrix) -> DyadicMatrix:
    (own, low), (others, high) = first.common, second.common
    exponent = min(low, high)
    rows = [[value << (low - exponent)] for (value,) in own] + [[value << (high - exponent)] for (value,) in others]
    return DyadicMatrix.from_integers(rows, 1, exponent)


def _plain(matrix: DyadicMatrix) -> Layer:
    m = matrix.shape[0]
    return Layer(matrix, DyadicMatrix.from_floats(np.zeros((m, 1))), np.zeros(m, dtype=bool))


def _identity(m: int, n: int) -> DyadicMatrix:
    return DyadicMatrix.from_floats(np.eye(m, n))


def _network(layers: Sequence[Layer], model: Network) -> Network:
    sources = tuple(SourceLayer(k + 1, f"layer {k + 1}", (layer,), k) for k, layer in enumerate(layers))
    return Network(tuple(layers), sources, (), model.input_shape, model.assumes)
