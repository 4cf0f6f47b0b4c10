"""The one meaning of a network inside: a sequence of "affine map, then relu on marked coordinates", over the rationals.

`Layer` is one such step. Users ask about *source layers*, the affine operators of the stored model with the activation
that follows each; a `SourceLayer` says where its input tensor lies in the sequence and how it was lowered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidRequestError, UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix, RationalVector, odd_parts
from exactrelu.exact.sparse import SparseMatrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flint import fmpz_mat

MAXIMAL_WIDTH = 2**20
MAXIMAL_DEPTH = 2**12


@dataclass(frozen=True, eq=False)
class Layer:
    """One step of a lowered network: z = W x + b, then relu on the marked coordinates.

    `stored` is W, (m, n), dense or sparse; `bias` is (m, 1), `rectified` a boolean mask (m,). `weight` is W as a dense matrix.

    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, -2.0]]), DyadicMatrix.from_floats([[0.5]]), np.array([True]))
    >>> layer.pre_activation(RationalVector((1, 1))).texts(), layer(RationalVector((1, 1))).texts()
    (['-1/2'], ['0'])
    """

    stored: DyadicMatrix | SparseMatrix
    bias: DyadicMatrix
    rectified: np.ndarray

    def __post_init__(self) -> None:
        m, n = self.stored.shape
        if self.bias.shape != (m, 1) or self.rectified.shape != (m,) or self.rectified.dtype != np.bool_:
            raise InvalidRequestError(
                f"a layer with weights {m} x {n} has biases {self.bias.shape} and a mask {self.rectified.shape}; "
                f"give ({m}, 1) and a boolean ({m},)"
            )

    @property
    def inputs(self) -> int:
        return self.stored.shape[1]

    @property
    def outputs(self) -> int:
        return self.stored.shape[0]

    @cached_property
    def weight(self) -> DyadicMatrix:
        """W as a dense matrix; raises UnsupportedModelError where a sparse one is too large for that."""
        return self.stored if isinstance(self.stored, DyadicMatrix) else self.stored.dense()

    @property
    def nonzero_rows(self) -> np.ndarray:
        """Which rows of W are not all zero, a boolean mask (m,)."""
        return self.stored.nonzero_rows if isinstance(self.stored, DyadicMatrix) else np.diff(self.stored.starts) > 0

    @cached_property
    def augmented(self) -> tuple[fmpz_mat, int]:
        """The matrix [W | b], (m, n + 1), as integers over one power of two: (integers, exponent)."""
        from flint import fmpz_mat

        if self.weight.is_float64 and self.bias.is_float64:
            rows, exponent = DyadicMatrix(np.hstack([self.weight.floats, self.bias.floats])).common
        else:
            (weights, low), (biases, high) = self.weight.common, self.bias.common
            exponent = min(low, high)
            rows = [
                [*(value << (low - exponent) for value in row), bias << (high - exponent)]
                for row, (bias,) in zip(weights, biases, strict=True)
            ]
        return fmpz_mat(self.outputs, self.inputs + 1, [value for row in rows for value in row]), exponent

    def pre_activation(self, x: RationalVector) -> RationalVector:
        """z = W x + b exactly, for x of length n; raises InvalidRequestError for another length."""
        from flint import fmpz_mat

        if len(x) != self.inputs:
            raise InvalidRequestError(f"a point with {len(x)} coordinates was given to a layer with {self.inputs} inputs")
        if not isinstance(self.stored, DyadicMatrix):
            products, low = self.stored.times(x.numerators)
            biases, high = self.bias.common
            exponent = min(low, high)
            scale = x.denominator << (high - exponent)
            sums = [(product << (low - exponent)) + bias * scale for product, (bias,) in zip(products, biases, strict=True)]
            return _dyadic_multiple(sums, x.denominator, exponent)
        integers, exponent = self.augmented
        product = integers * fmpz_mat(self.inputs + 1, 1, [*x.numerators, x.denominator])
        return _dyadic_multiple([int(value) for value in product.entries()], x.denominator, exponent)

    def __call__(self, x: RationalVector) -> RationalVector:
        z = self.pre_activation(x)
        kept = (max(value, 0) if relu else value for value, relu in zip(z.numerators, self.rectified.tolist(), strict=True))
        return RationalVector(tuple(kept), z.denominator)

    def active(self, x: RationalVector) -> np.ndarray:
        """The activation pattern at x, a boolean mask (m,): z_i > 0, and always true where there is no relu."""
        z = self.pre_activation(x)
        return np.asarray(np.array([value > 0 for value in z.numerators], dtype=bool) | ~self.rectified)

    def first(self, m: int) -> Layer:
        """The first m rows."""
        return Layer(self.stored.rows(np.arange(m)), self.bias.rows(np.arange(m)), self.rectified[:m])

    def reading(self, columns: np.ndarray, n: int) -> Layer:
        """The same map of the coordinates `columns` of n."""
        sparse = SparseMatrix.from_dense(self.stored) if isinstance(self.stored, DyadicMatrix) else self.stored
        return Layer(sparse.moved(columns, n), self.bias, self.rectified)

    def __getstate__(self) -> dict[str, object]:
        # FLINT's matrices cannot be sent to another process; they are made again there.
        return {"stored": self.stored, "bias": self.bias, "rectified": self.rectified}


def _dyadic_multiple(numerators: list[int], denominator: int, exponent: int) -> RationalVector:
    if exponent < 0:
        return RationalVector(tuple(numerators), denominator << -exponent)
    return RationalVector(tuple(value << exponent for value in numerators), denominator)


def denominator_bits(matrix: DyadicMatrix | SparseMatrix) -> int:
    """The smallest k >= 0 for which 2^k times the matrix is integral.

    >>> denominator_bits(DyadicMatrix.from_floats([[0.75, -2.0]]))
    2
    """
    if matrix.integers is not None:
        rows = matrix.integers if isinstance(matrix, DyadicMatrix) else [matrix.integers.tolist()]
        lowest = min((value & -value for row in rows for value in row if value), default=1)
        return max(0, -matrix.exponent - (lowest.bit_length() - 1))
    if not isinstance(matrix, DyadicMatrix):
        return max(0, -matrix.lowest_exponent)
    return max(0, -int(odd_parts(matrix.floats)[1].min(initial=0)))


@dataclass(frozen=True, eq=False)
class SetAside:
    """A strictly increasing activation of every output of a layer, which a question about pre-images may leave out.

    `note` says so in one sentence; `slopes` is the column (m, 1) of the slopes for z < 0, where the activation is z for z >= 0,
    or None where its values are not rational.

    >>> SetAside("leaky", "It was set aside.", DyadicMatrix.from_floats([[0.5], [0.5]])).undone(RationalVector((-1, 3))).texts()
    ['-2', '3']
    """

    name: str
    note: str
    slopes: DyadicMatrix | None = None

    def undone(self, y: RationalVector) -> RationalVector:
        """The z of which y is the image; raises InvalidRequestError where that is not rational."""
        if self.slopes is None:
            raise InvalidRequestError(f"{self.note} An output of it has no exact number before it; give --input or --layer-input")
        slopes = self.slopes.fractions()
        return RationalVector.from_fractions([v if v >= 0 else v / slope for v, (slope,) in zip(y.fractions(), slopes, strict=True)])


@dataclass(frozen=True, eq=False)
class SourceLayer:
    """A layer as users speak of it: an affine operator of the stored model with the activation that follows it.

    `stages` is the map from the operator's own input tensor to its own output tensor, lowered. That input tensor consists of
    the coordinates `select` of the network's state after its first `depth` lowered layers. Where `select` is None it is the whole
    state, and `stages` are the network's next lowered layers themselves.

    Where the activation is strictly increasing, `affine` is the layer before it and `set_aside` the activation.
    """

    number: int
    name: str
    stages: tuple[Layer, ...]
    depth: int
    select: np.ndarray | None = None
    affine: Layer | None = None
    set_aside: SetAside | None = None

    @property
    def inputs(self) -> int:
        return self.stages[0].inputs

    @property
    def outputs(self) -> int:
        return self.stages[-1].outputs

    @property
    def essential_stages(self) -> tuple[Layer, ...]:
        """`stages`, or the affine layer alone where its activation may be left out."""
        return self.stages if self.affine is None else (self.affine,)

    @property
    def rectified(self) -> int:
        """How many outputs pass a relu, on their own or, in a layer with pooling or a leaky activation, as part of it."""
        passed = np.zeros(self.inputs, dtype=bool)
        for stage in self.stages:
            passed = stage.rectified | (_reading(stage, passed) if passed.any() else False)
        return int(passed.sum())

    @property
    def bits(self) -> int:
        """The common denominator of weights and biases is 2^bits."""
        return max(denominator_bits(matrix) for stage in self.stages for matrix in (stage.stored, stage.bias))

    def __call__(self, x: RationalVector) -> RationalVector:
        return _push(self.stages, x)


def _reading(layer: Layer, coordinates: np.ndarray) -> np.ndarray:
    """Which rows of a layer read one of the marked coordinates, a boolean mask (m,)."""
    if isinstance(layer.stored, DyadicMatrix):
        return layer.stored.columns(coordinates).nonzero_rows
    rows = np.zeros(layer.outputs, dtype=bool)
    rows[layer.stored.row_numbers()[coordinates[layer.stored.columns]]] = True
    return rows


@dataclass(frozen=True)
class Source:
    """A file that a network was read from: the SHA-256 of its bytes, their number, its base name."""

    sha256: str
    length: int
    name: str


@dataclass(frozen=True, eq=False)
class Network:
    """An exact network: the lowered layers, the source layers, the files it came from, the shape of one input.

    `assumes` says in sentences what the reader rounded to make the network exact; every verdict repeats them.

    Called on a point it returns the exact output. Raises UnsupportedModelError where there is no layer, widths do not
    chain, or a width or the depth exceeds what a network file can hold.

    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.25]]), np.array([True, True]))
    >>> network = Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (1,))
    >>> network(RationalVector((1,), 3)).texts(), network.layer("first").number
    (['1/3', '0'], 1)
    """

    layers: tuple[Layer, ...]
    source_layers: tuple[SourceLayer, ...]
    sources: tuple[Source, ...]
    input_shape: tuple[int, ...]
    assumes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.layers:
            raise UnsupportedModelError("the model has no affine operator and no relu, so there is no layer to ask about")
        widths = [self.inputs, *(layer.outputs for layer in self.layers)]
        for number, (layer, width) in enumerate(zip(self.layers, widths, strict=False), 1):
            if layer.inputs != width:
                raise UnsupportedModelError(f"layer {number} takes {layer.inputs} inputs but {width} values reach it")
        if max(widths) > MAXIMAL_WIDTH or len(self.layers) > MAXIMAL_DEPTH:
            raise UnsupportedModelError(
                f"the model has {len(self.layers)} layers with up to {max(widths)} coordinates; "
                f"the limits are {MAXIMAL_DEPTH} layers and {MAXIMAL_WIDTH} coordinates"
            )

    @property
    def inputs(self) -> int:
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        return self.layers[-1].outputs

    def __call__(self, x: RationalVector) -> RationalVector:
        return _push(self.layers, x)

    def layer(self, which: int | str) -> SourceLayer:
        """The source layer with a number (from 1; also as text of digits) or a name; raises InvalidRequestError, listing what exists."""
        if isinstance(which, str) and not (which.isascii() and which.isdigit()):
            found = [layer for layer in self.source_layers if layer.name == which]
        else:
            digits = str(which).lstrip("0")
            found = [layer for layer in self.source_layers if str(layer.number) == digits]
        if found:
            return found[0]
        shown = ", ".join(f"{layer.number} ({layer.name})" for layer in self.source_layers[:8])
        more = f" and {len(self.source_layers) - 8} more" if len(self.source_layers) > 8 else ""
        raise InvalidRequestError(f"there is no layer {str(which)[:80]!r}; the layers are {shown}{more}")

    def layer_through(self, which: int | str) -> SourceLayer:
        """As `layer`, and `output` for the end of the network."""
        if which != "output":
            return self.layer(which)
        last = self.source_layers[-1]
        if last.depth + len(last.stages) == len(self.layers) and last.outputs == self.outputs:
            return last
        return SourceLayer(last.number, "output", self.layers, 0)

    def layer_input(self, number: int | str, x: RationalVector) -> RationalVector:
        """Push an input of the network forward, exactly, to the input tensor of a source layer."""
        layer = self.layer(number)
        if len(x) != self.inputs:
            raise InvalidRequestError(f"a point with {len(x)} coordinates was given to a network with {self.inputs} inputs")
        state = _push(self.layers[: layer.depth], x)
        if layer.select is None:
            return state
        return RationalVector(tuple(state.numerators[i] for i in layer.select.tolist()), state.denominator)

    def alone(self, source: SourceLayer) -> Network:
        """A source layer as a network of its own; an activation that was set aside is left out."""
        stages = source.essential_stages
        return Network(stages, (replace(source, number=1, depth=0, select=None),), self.sources, (source.inputs,), self.assumes)

    def up_to(self, source: SourceLayer) -> Network:
        """The network from its input up to and with a source layer, without coordinates that only others read.

        Its layers are this network's own first ones where nothing has to be left out.
        """
        before = self.layers[: source.depth]
        stages = self.layers[source.depth : source.depth + len(source.stages)]
        if source.affine is not None:
            width = before[-1].outputs if before else self.inputs
            stages = (source.affine if source.select is None else source.affine.reading(source.select, width),)
        elif stages[-1].outputs != source.outputs:
            # A source layer's outputs come first, then what is carried on.
            stages = (*stages[:-1], stages[-1].first(source.outputs))
        layers = (*before, *stages)
        return Network(layers, self.source_layers[: source.number], self.sources, self.input_shape, self.assumes)

    def is_prefix(self, other: Network) -> bool:
        """Whether the layers are the first ones of another network."""
        return len(self.layers) <= len(other.layers) and all(a is b for a, b in zip(self.layers, other.layers, strict=False))

    def layer_networks(self) -> Iterator[Network]:
        """The networks that certificates about a layer, or about the network up to one, may name instead of this one."""
        for source in self.source_layers:
            yield self.alone(source)
            part = self.up_to(source)
            if not part.is_prefix(self):
                yield part

    def activation_pattern(self, x: RationalVector) -> tuple[np.ndarray, ...]:
        """For every lowered layer the boolean mask of its active coordinates at x; see `Layer.active`."""
        patterns = []
        for layer in self.layers:
            patterns.append(layer.active(x))
            x = layer(x)
        return tuple(patterns)

    def affine_map(self, pattern: Sequence[np.ndarray]) -> tuple[DyadicMatrix, DyadicMatrix]:
        """The map x -> W x + b that the network is where `pattern` holds: (W of shape (m, n), b of shape (m, 1))."""
        from flint import fmpz, fmpz_mat

        n = self.inputs
        # state = 2^exponent * product * (x, 1); the last row of every factor carries the constant 1.
        product, exponent = fmpz_mat(n + 1, n + 1, [int(i == j) for i in range(n + 1) for j in range(n + 1)]), 0
        for layer, active in zip(self.layers, pattern, strict=True):
            integers, own = layer.augmented
            scales = (int(kept) << max(0, own) for kept in active.tolist())
            entries = [scale * value for scale, row in zip(scales, integers.tolist(), strict=True) for value in row]
            entries += [fmpz(0)] * layer.inputs + [fmpz(1) << max(0, -own)]
            product = fmpz_mat(layer.outputs + 1, layer.inputs + 1, entries) * product
            exponent += min(0, own)
        rows = [[int(value) for value in row] for row in product.tolist()[:-1]]
        weight = DyadicMatrix.from_integers((row[:-1] for row in rows), n, exponent)
        return weight, DyadicMatrix.from_integers((row[-1:] for row in rows), 1, exponent)


def _push(layers: Sequence[Layer], x: RationalVector) -> RationalVector:
    for layer in layers:
        x = layer(x)
    return x
