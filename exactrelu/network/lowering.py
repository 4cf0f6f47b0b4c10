"""Every supported operator becomes an affine map with a relu on marked coordinates; here for chains of dense layers.

A reader feeds a `DenseChain` the operators of its model in order and takes the finished `Network` from it. What follows an
affine operator joins its layer: constants added or subtracted go into the bias, exactly, and a relu marks its outputs.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.network.model import MAXIMAL_WIDTH, Layer, Network, Source, SourceLayer

if TYPE_CHECKING:
    from collections.abc import Iterable

MAXIMAL_ENTRIES = 2**28


class DenseChain:
    """Builds a network from affine operators, added constants and relus given in the order of evaluation.

    Raises UnsupportedModelError where widths do not chain or a lowered matrix would exceed 2^28 entries.

    >>> chain = DenseChain(2)
    >>> chain.affine("first", DyadicMatrix.from_floats([[1.0, 2.0]]))
    >>> chain.shift("bias", DyadicMatrix.from_floats([[0.5]]))
    >>> chain.relu("relu")
    >>> [(layer.name, layer.rectified) for layer in chain.network((), (2,)).source_layers]
    [('first', 1)]
    """

    def __init__(self, inputs: int) -> None:
        check_entries("the input", inputs, 1)
        self.width = inputs
        self._layers: list[SourceLayer] = []
        self._names: set[str] = set()
        self._open: tuple[str, DyadicMatrix, DyadicMatrix] | None = None

    def affine(self, name: str, weight: DyadicMatrix, bias: DyadicMatrix | None = None) -> None:
        """Append z = W x + b: W of shape (m, n), b of shape (m, 1) or None for zero."""
        m, n = weight.shape
        if n != self.width:
            raise UnsupportedModelError(
                f"{shown(name)} takes {n} inputs but {self.width} values reach it; its shapes do not fit the model's input"
            )
        check_entries(shown(name), m, n)
        self._close(rectified=False)
        self._open = (name, weight, DyadicMatrix(np.zeros((m, 1))) if bias is None else bias)
        self.width = m

    def shift(self, name: str, constant: DyadicMatrix, *, negate: bool = False) -> None:
        """Append x + c, or c - x where `negate`: c of shape (m, 1)."""
        first, weight, bias = self._open or self._identity(name)
        if negate:
            weight, bias = negated(weight), negated(bias)
        self._open = (first, weight, total(bias, constant))

    def relu(self, name: str) -> None:
        """Append a relu of all coordinates."""
        self._open = self._open or self._identity(name)
        self._close(rectified=True)

    def network(self, sources: Iterable[Source], input_shape: tuple[int, ...]) -> Network:
        """The network of the operators given so far."""
        self._close(rectified=False)
        stages = tuple(stage for layer in self._layers for stage in layer.stages)
        return Network(stages, tuple(self._layers), tuple(sources), input_shape)

    def _identity(self, name: str) -> tuple[str, DyadicMatrix, DyadicMatrix]:
        check_entries(shown(name), self.width, self.width)
        return name, DyadicMatrix(np.eye(self.width)), DyadicMatrix(np.zeros((self.width, 1)))

    def _close(self, *, rectified: bool) -> None:
        if self._open is None:
            return
        name, weight, bias = self._open
        self._open = None
        stage = Layer(weight, bias, np.full(weight.shape[0], rectified))
        number = len(self._layers) + 1
        self._layers.append(SourceLayer(number, self._unique(name), (stage,), number - 1))

    def _unique(self, name: str) -> str:
        name = name if name.isprintable() else name.encode("unicode_escape").decode("ascii")
        candidate, count = name, 1
        while candidate in self._names:
            count += 1
            candidate = f"{name}_{count}"
        self._names.add(candidate)
        return candidate


def shown(name: str) -> str:
    """A name from a file as it stands in a one-line message."""
    return repr(name if len(name) <= 80 else name[:77] + "...")


def check_entries(what: str, m: int, n: int) -> None:
    """Refuse a matrix of shape (m, n) that no network file or memory would hold, before it is made."""
    if max(m, n) > MAXIMAL_WIDTH or m * n > MAXIMAL_ENTRIES:
        raise UnsupportedModelError(
            f"{what} needs an exact matrix of {m} x {n}; the limits are {MAXIMAL_WIDTH} coordinates and {MAXIMAL_ENTRIES} entries"
        )


def negated(matrix: DyadicMatrix) -> DyadicMatrix:
    """The matrix times -1."""
    floats = 0.0 - matrix.floats
    if matrix.integers is None:
        return DyadicMatrix(floats)
    return DyadicMatrix(floats, tuple(tuple(-value for value in row) for row in matrix.integers), matrix.exponent)


def total(left: DyadicMatrix, right: DyadicMatrix) -> DyadicMatrix:
    """The exact sum of two columns (m, 1)."""
    (first, low), (second, high) = left.common, right.common
    exponent = min(low, high)
    rows = ([(a << (low - exponent)) + (b << (high - exponent))] for (a,), (b,) in zip(first, second, strict=True))
    return DyadicMatrix.from_integers(rows, 1, exponent)


def scaled(matrix: DyadicMatrix, factor: float) -> DyadicMatrix:
    """The exact product of a matrix of float64 and a float32 number."""
    if factor == 1:
        return matrix
    with np.errstate(over="ignore"):
        single = bool((matrix.floats == matrix.floats.astype(np.float32)).all())
    if single:
        # Two significands of 24 bits and exponents of at most 149 in size: float64 holds the product exactly.
        return DyadicMatrix(matrix.floats * factor + 0.0)
    rows, exponent = matrix.common
    exact = Fraction(factor)
    shift = exact.denominator.bit_length() - 1
    return DyadicMatrix.from_integers(([value * exact.numerator for value in row] for row in rows), matrix.shape[1], exponent - shift)


def repeated(name: str, matrix: DyadicMatrix, before: int, after: int) -> DyadicMatrix:
    """The Kronecker product I_before (x) matrix (x) I_after: one map applied along an axis of a larger tensor, row-major."""
    m, n = matrix.shape
    check_entries(shown(name), before * m * after, before * n * after)
    if before == after == 1:
        return matrix
    floats = np.kron(np.eye(before), np.kron(matrix.floats, np.eye(after))) + 0.0
    return DyadicMatrix(floats)
