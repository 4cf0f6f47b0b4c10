"""The network file of proofs/FORMAT.md, section 2: the exact network as text that is unique, so that its hash names it.

The text is made row by row, in normal form, and never held as a whole. Where most coefficients are zero, as in a convolution, only the
others are written.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from exactrelu.certificates import CONVENTION, hexadecimal, percent_encoded, replacing
from exactrelu.errors import UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix, nonzero_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from exactrelu.network.model import Layer, Network

_LONGEST_LINE = 2**26
_MOST_NUMBERS = 2**30
# Version 2, with rows by their non-zero coefficients, is for networks of at least so many, a quarter or less of them not zero.
_LARGE = 2**16
_hashes: WeakKeyDictionary[Network, str] = WeakKeyDictionary()


def write_network(network: Network, path: Path) -> str:
    """Write the network file beside its final name, then rename it; return the SHA-256 of the text.

    Raises UnsupportedModelError where the network, or a row of it, is too long for the format.

    >>> import tempfile, pathlib
    >>> from exactrelu.exact.rational import DyadicMatrix, nonzero_entries
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
    used = [_nonzero_coefficients(layer) for layer in network.layers]
    coefficients = sum(layer.inputs * layer.outputs for layer in network.layers)
    second = coefficients >= _LARGE and 4 * sum(int(counts.sum()) for counts in used) <= coefficients
    short = [second & (4 * counts <= layer.inputs) for layer, counts in zip(network.layers, used, strict=True)]
    numbers = sum(
        int(np.where(kept, 2 * counts + 2, layer.inputs + 1).sum()) for layer, counts, kept in zip(network.layers, used, short, strict=True)
    )
    if numbers > _MOST_NUMBERS:
        raise UnsupportedModelError(
            f"the exact network file would hold {numbers} numbers; the limit is {_MOST_NUMBERS}, so ask without --out"
        )
    yield b"exactrelu-network 2\n" if second else b"exactrelu-network 1\n"
    for source in network.sources:
        yield f"source {source.sha256} {hexadecimal(source.length)} {percent_encoded(source.name)}\n".encode("ascii")
    yield f"convention {CONVENTION}\ninput {hexadecimal(network.inputs)}\n".encode("ascii")
    for layer, kept in zip(network.layers, short, strict=True):
        yield f"layer {hexadecimal(layer.inputs)} {hexadecimal(layer.outputs)} {_relu(layer.rectified)}\n".encode("ascii")
        yield from _rows(layer, kept.tolist())
    yield b"end\n"


def _nonzero_coefficients(layer: Layer) -> np.ndarray:
    """How many coefficients of every row are not zero, int64 (m,)."""
    stored = layer.stored
    if isinstance(stored, DyadicMatrix):
        if stored.integers is None:
            return np.asarray(nonzero_entries(stored.floats).sum(axis=1))
        return np.array([sum(map(bool, row)) for row in stored.integers], dtype=np.int64)
    nonzero = nonzero_entries(stored.floats) if stored.integers is None else stored.integers.astype(bool)
    return np.bincount(stored.row_numbers()[nonzero], minlength=layer.outputs)


def _relu(rectified: np.ndarray) -> str:
    if not rectified.any():
        return "none"
    if rectified.all():
        return "all"
    return "mask " + hexadecimal(int.from_bytes(np.packbits(rectified, bitorder="little").tobytes(), "little"))


def _rows(layer: Layer, short: Sequence[bool]) -> Iterator[bytes]:
    template = "row" + " %x" * (layer.inputs + 2) + "\n"
    for index, by_entries in enumerate(short):
        if by_entries or not isinstance(layer.stored, DyadicMatrix):
            line = _row_from_entries(layer, index, short=by_entries)
        else:
            values, exponent = normal_form(layer, index)
            line = template % (exponent, *values)
        if len(line) > _LONGEST_LINE:
            raise UnsupportedModelError(
                f"row {index} of a layer needs {len(line)} bytes as exact text; the format's limit is {_LONGEST_LINE}"
            )
        yield line.encode("ascii")


def _row_from_entries(layer: Layer, index: int, *, short: bool) -> str:
    """A row as it is written, from its non-zero coefficients."""
    if isinstance(layer.stored, DyadicMatrix):
        weights, low = layer.stored.integer_row(index)
        columns: Iterable[int] = range(len(weights))
    else:
        columns, weights, low = layer.stored.integer_row(index)
    used = [(column, weight) for column, weight in zip(columns, weights, strict=True) if weight]
    (bias,), high = layer.bias.integer_row(index)
    (constant, *values), exponent = _normalised(bias, high, [weight for _, weight in used], low)
    entries = zip((column for column, _ in used), values, strict=True)
    if short:
        return f"sparse {exponent:x} {constant:x} {len(used):x}" + "".join([f" {column:x} {value:x}" for column, value in entries]) + "\n"
    parts, following = [f"row {exponent:x} {constant:x}"], 0
    for column, value in entries:
        parts.append(" 0" * (column - following) + f" {value:x}")
        following = column + 1
    return "".join(parts) + " 0" * (layer.inputs - following) + "\n"


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
