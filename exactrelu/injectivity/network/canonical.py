"""A network's form up to the order and the scale of its neurons: what two trained copies of one network have in common (theory Q1).

A hidden row that passes a relu is divided by the sum of its weights' sizes, and what reads it is multiplied; a row without weights is a
constant, equal rows are one, unread ones are left out, the rest is sorted. Equal forms are equal functions, not the other way round.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.network.model import Layer

# (whether a relu follows, bias, weights) of every row.
Form = tuple[tuple[bool, Fraction, tuple[Fraction, ...]], ...]
ZERO = Fraction(0)


def canonical(layers: Sequence[Layer]) -> tuple[Form, ...]:
    """Of every layer its rows; those of the last one as they stand.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer
    >>> def two(first, last):
    ...     hidden = Layer(DyadicMatrix.from_floats(first), DyadicMatrix.from_floats([[0.0]] * len(first)), np.ones(len(first), bool))
    ...     return [hidden, Layer(DyadicMatrix.from_floats(last), DyadicMatrix.from_floats([[0.0]]), np.zeros(1, bool))]
    >>> canonical(two([[1.0], [-1.0]], [[2.0, 3.0]])) == canonical(two([[-6.0], [2.0]], [[0.5, 1.0]]))
    True
    """
    read = _read(layers)
    # Of every coordinate before a layer its place in the form and its factor, or None and a constant.
    places: list[tuple[int | None, Fraction]] = [(j, Fraction(1)) for j in range(layers[0].inputs)]
    width = layers[0].inputs
    forms: list[Form] = []
    for layer, needed in zip(layers[:-1], read, strict=True):
        found = list(zip(layer.rectified.tolist(), *_composed(layer, places, width), strict=True))
        sizes = [sum(map(abs, weights), ZERO) if relu and any(weights) else Fraction(1) for relu, _, weights in found]
        pairs = zip(found, sizes, strict=True)
        rows = [(relu, bias / size, tuple(value / size for value in weights)) for (relu, bias, weights), size in pairs]
        form = sorted({row for row, wanted in zip(rows, needed, strict=True) if wanted and any(row[2])})
        order = {row: place for place, row in enumerate(form)}
        places = []
        for row, size in zip(rows, sizes, strict=True):
            relu, bias, weights = row
            constant = max(bias, ZERO) if relu else bias
            # A row that is not in the form is a constant, or nobody reads it.
            places.append((order[row], size) if row in order else (None, ZERO if any(weights) else constant))
        width = len(form)
        forms.append(tuple(form))
    last = layers[-1]
    return (*forms, tuple(zip(last.rectified.tolist(), *_composed(last, places, width), strict=True)))


def _composed(layer: Layer, places: Sequence[tuple[int | None, Fraction]], width: int) -> tuple[list[Fraction], list[tuple[Fraction, ...]]]:
    """The biases and weights of a layer as functions of the form before it."""
    biases, rows = [], []
    for weights, (constant,) in zip(layer.weight.fractions(), layer.bias.fractions(), strict=True):
        bias, own = constant, [ZERO] * width
        for weight, (place, factor) in zip(weights, places, strict=True):
            if place is None:
                bias += weight * factor
            else:
                own[place] += weight * factor
        biases.append(bias)
        rows.append(tuple(own))
    return biases, rows


def _read(layers: Sequence[Layer]) -> list[list[bool]]:
    """Of every layer but the last which of its outputs reach the network's."""
    result: list[list[bool]] = []
    needed = [True] * layers[-1].outputs
    for layer in reversed(layers[1:]):
        weights = layer.weight.fractions()
        needed = [any(needed[i] and weights[i][j] for i in range(layer.outputs)) for j in range(layer.inputs)]
        result.append(needed)
    return result[::-1]
