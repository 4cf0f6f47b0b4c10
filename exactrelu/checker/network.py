"""Section 2 of proofs/FORMAT.md: an exact network is a list of layers, each a list of dyadic rows of which some pass a relu."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import IO, NamedTuple

from exactrelu.checker.sparse import Coefficients, Sparse
from exactrelu.checker.text import LAYERS, SIZE, Fields, Rejected, Text


class LayerRow(NamedTuple):
    """x -> (constant + coefficients . x) * 2^exponent."""

    exponent: int
    constant: int
    coefficients: Coefficients


@dataclass(frozen=True, eq=False)
class Layer:
    """x -> relu(z) on the coordinates marked in `rectified`, z on the others; z_i = row i at x."""

    inputs: int
    rows: list[LayerRow]
    rectified: list[bool]

    @property
    def outputs(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Network:
    """Layers one after the other, and the SHA-256 of the text that names them."""

    sha256: str
    inputs: int
    layers: list[Layer]


def read_network(stream: IO[bytes]) -> Network:
    """Read a network file to its end; the SHA-256 is that of the bytes read. Raises `Rejected`."""
    text = Text(stream)
    fields = text.take("exactrelu-network", "2")
    version = fields.word("1", "2")
    fields.done()
    while text.begins("source"):
        source = text.take("source", "2")
        source.sha256()
        source.natural("a length")
        source.name()
        source.done()
    convention = text.take("convention", "2")
    convention.word("exact-1")
    convention.done()
    fields = text.take("input", "2")
    inputs = width = fields.natural("the number of inputs", SIZE)
    fields.done()
    layers: list[Layer] = []
    while text.begins("layer") or not layers:
        if len(layers) == LAYERS:
            raise Rejected("2", f"more than {LAYERS} layers")
        layers.append(_read_layer(text, width, sparse=version == "2"))
        width = layers[-1].outputs
    text.end("2")
    return Network(text.sha256(), inputs, layers)


def _read_layer(text: Text, width: int, *, sparse: bool) -> Layer:
    fields = text.take("layer", "2")
    inputs = fields.natural("the number of inputs", SIZE)
    outputs = fields.natural("the number of outputs", SIZE)
    if inputs != width:
        fields.reject(f"a layer of {inputs} inputs follows {width} coordinates")
    kind = fields.word("all", "none", "mask")
    mask = fields.mask("the mask", outputs) if kind == "mask" else 0
    full = (1 << outputs) - 1
    if (kind == "mask" and mask in (0, full)) or (kind == "all" and outputs == 0):
        fields.reject("a mask of all or no outputs is written as the word, and a layer without outputs says `none`")
    fields.done()
    if kind == "all":
        mask = full
    rows: list[LayerRow] = []
    for _ in range(outputs):
        if sparse and text.begins("sparse"):
            rows.append(_read_sparse_row(text.take("sparse", "2"), inputs, rows[-1].coefficients if rows else []))
            continue
        row = text.take("row", "2")
        exponent = row.exponent()
        constant, *coefficients = row.integers(inputs + 1, "a row")
        if sparse and 4 * (inputs - coefficients.count(0)) <= inputs:
            row.reject("a row of which at most a quarter is not zero is written as `sparse`")
        odd = constant & 1 or any(value & 1 for value in coefficients)
        if not odd and (exponent != 0 or constant != 0 or any(coefficients)):
            row.reject("a row is not in normal form")
        rows.append(LayerRow(exponent, constant, coefficients))
    marks = f"{mask:b}".rjust(outputs, "0")[::-1] if outputs else ""
    return Layer(inputs, rows, [mark == "1" for mark in marks])


def _read_sparse_row(row: Fields, inputs: int, before: Coefficients) -> LayerRow:
    """One row; as in a convolution, its values may be those of the row before, and then they are kept once."""
    exponent = row.exponent()
    constant = row.integer("b")
    count = row.natural("K")
    if 4 * count > inputs:
        row.reject("a row of which more than a quarter is not zero is written as `row`")
    numbers = row.integers(2 * count, "columns and coefficients")
    columns, values = numbers[::2], numbers[1::2]
    if any(j <= last for last, j in zip([-1, *columns], [*columns, inputs], strict=True)):
        row.reject("the columns are not increasing, or beyond the inputs")
    if not all(values):
        row.reject("a coefficient is 0")
    odd = constant & 1 or any(value & 1 for value in values)
    if not odd and (exponent != 0 or constant != 0 or values):
        row.reject("a row is not in normal form")
    if isinstance(before, Sparse) and before.values == values:
        values = before.values
    return LayerRow(exponent, constant, Sparse(array("i", columns), values))
