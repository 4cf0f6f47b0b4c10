"""The network file of proofs/FORMAT.md, section 2: the exact network as text that is unique, so that its hash names it.

The text is made row by row, in normal form, and never held as a whole.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from exactrelu.certificate import CONVENTION, hexadecimal, percent_encoded, replacing
from exactrelu.errors import UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exactrelu.exact.sparse import SparseMatrix
    from exactrelu.network.model import Layer, Network

_LONGEST_LINE = 2**26
_MOST_NUMBERS = 2**30
_hashes: WeakKeyDictionary[Network, str] = WeakKeyDictionary()


def write_network(network: Network, path: Path) -> str:
    """Write the network file beside its final name, then rename it; return the SHA-256 of the text.

    Raises UnsupportedModelError where a row is too long for the format.

    >>> import tempfile, pathlib
    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> from exactrelu.network.model import Layer, Network
    >>> layer = Layer(DyadicMatrix.from_floats([[0.75, -1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.network")
    ...     _ = write_network(Network((layer,), (), (), (2,)), path)
    ...     print(path.read_text().splitlines()[4])
    row -2 0 3 -4
    """
    digest = hashlib.sha256()
    with replacing(path) as part, part.open("wb") as file:
        for line in _lines(network):
            file.write(line)
            digest.update(line)
    return _hashes.setdefault(network, digest.hexdigest())


def network_sha256(network: Network) -> str:
    """The SHA-256 of the text that `write_network` writes; computed once for a network."""
    if network not in _hashes:
        digest = hashlib.sha256()
        for line in _lines(network):
            digest.update(line)
        _hashes[network] = digest.hexdigest()
    return _hashes[network]


def _lines(network: Network) -> Iterator[bytes]:
    numbers = sum((layer.inputs + 1) * layer.outputs for layer in network.layers)
    if numbers > _MOST_NUMBERS:
        raise UnsupportedModelError(
            f"the exact network file would hold {numbers} numbers, since the format writes every zero of a convolution; "
            f"the limit is {_MOST_NUMBERS}, so ask without --out"
        )
    yield b"exactrelu-network 1\n"
    for source in network.sources:
        yield f"source {source.sha256} {hexadecimal(source.length)} {percent_encoded(source.name)}\n".encode("ascii")
    yield f"convention {CONVENTION}\ninput {hexadecimal(network.inputs)}\n".encode("ascii")
    for layer in network.layers:
        yield f"layer {hexadecimal(layer.inputs)} {hexadecimal(layer.outputs)} {_relu(layer.rectified)}\n".encode("ascii")
        yield from _rows(layer)
    yield b"end\n"


def _relu(rectified: np.ndarray) -> str:
    if not rectified.any():
        return "none"
    if rectified.all():
        return "all"
    return "mask " + hexadecimal(int.from_bytes(np.packbits(rectified, bitorder="little").tobytes(), "little"))


def _rows(layer: Layer) -> Iterator[bytes]:
    template = "row" + " %x" * (layer.inputs + 2) + "\n"
    for index in range(layer.outputs):
        if isinstance(layer.stored, DyadicMatrix):
            values, exponent = normal_form(layer, index)
            line = (template % (exponent, *values)).encode("ascii")
        else:
            line = _sparse_row(layer, layer.stored, index)
        if len(line) > _LONGEST_LINE:
            raise UnsupportedModelError(
                f"row {index} of a layer needs {len(line)} bytes as exact text; the format's limit is {_LONGEST_LINE}"
            )
        yield line


def _sparse_row(layer: Layer, matrix: SparseMatrix, index: int) -> bytes:
    columns, weights, low = matrix.integer_row(index)
    (bias,), high = layer.bias.integer_row(index)
    values, exponent = _normalised(bias, high, weights, low)
    parts, following = [f"row {exponent:x} {values[0]:x}"], 0
    for column, value in zip(columns, values[1:], strict=True):
        parts.append(" 0" * (column - following) + f" {value:x}")
        following = column + 1
    return ("".join(parts) + " 0" * (layer.inputs - following) + "\n").encode("ascii")


def normal_form(layer: Layer, index: int) -> tuple[list[int], int]:
    """Row `index` as ([b, a1, .., an], E), the integers times 2^E: one of them odd, or all zero and E = 0."""
    weights, low = layer.weight.integer_row(index)
    (bias,), high = layer.bias.integer_row(index)
    return _normalised(bias, high, weights, low)


def _normalised(bias: int, high: int, weights: list[int], low: int) -> tuple[list[int], int]:
    """The row of the bias b = bias * 2^high and the weights * 2^low in normal form, see `normal_form`."""
    used = [exponent for exponent, nonzero in ((low, any(weights)), (high, bias != 0)) if nonzero]
    if not used:
        return [0] * (len(weights) + 1), 0
    exponent = min(used)
    if low > exponent:
        weights = [value << (low - exponent) for value in weights]
    values = [bias << max(0, high - exponent), *weights]
    trailing = _common_twos(values)
    if trailing:
        values = [value >> trailing for value in values]
    return values, exponent + trailing


def _common_twos(values: list[int]) -> int:
    """How often 2 divides all of the values, which are not all zero."""
    bits = 0
    for value in values:
        bits |= value
        if bits & 1:
            return 0
    return (bits & -bits).bit_length() - 1
