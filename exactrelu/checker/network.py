"""Section 2 of proofs/FORMAT.md: an exact network is a list of layers, each a list of dyadic rows of which some pass a relu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, NamedTuple

from exactrelu.checker.text import LAYERS, SIZE, Rejected, Text


class LayerRow(NamedTuple):
    """x -> (constant + coefficients . x) * 2^exponent."""

    exponent: int
    constant: int
    coefficients: list[int]


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
    text.take("exactrelu-network 1", "2").done()
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
        layers.append(_read_layer(text, width))
        width = layers[-1].outputs
    text.end("2")
    return Network(text.sha256(), inputs, layers)


def _read_layer(text: Text, width: int) -> Layer:
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
        row = text.take("row", "2")
        exponent = row.exponent()
        constant, *coefficients = row.integers(inputs + 1, "a row")
        odd = constant & 1 or any(value & 1 for value in coefficients)
        if not odd and (exponent != 0 or constant != 0 or any(coefficients)):
            row.reject("a row is not in normal form")
        rows.append(LayerRow(exponent, constant, coefficients))
    marks = f"{mask:b}".rjust(outputs, "0")[::-1] if outputs else ""
    return Layer(inputs, rows, [mark == "1" for mark in marks])
