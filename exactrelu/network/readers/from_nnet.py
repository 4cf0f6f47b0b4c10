"""A `.nnet` file, the text format of ACAS Xu: a chain of dense layers with a relu after each but the last.

Two things are decided here and said in the network's assumptions. The numbers are decimals, which no power of two divides: each is
read as the nearest float64, as other tools do. And the header's means, ranges and bounds, which describe how a user of the network
normalises what goes in and out, are not applied: a verdict speaks of the layers alone.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidFileError
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.network.lowering import DenseChain, shown
from exactrelu.network.model import MAXIMAL_DEPTH
from exactrelu.network.readers import read_file
from exactrelu.network.rows import check_entries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exactrelu.network.model import Network

_LONGEST_FILE = 2**28
_NUMBER = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?")
_UNNORMALISED = "The means, ranges and bounds in the .nnet file's header are not applied: inputs and outputs are those of the layers."
_ROUNDED = "The .nnet file's weights are decimal numbers; each has been rounded to the nearest float64."


def from_nnet(path: Path) -> Network:
    """Read a .nnet file.

    Raises InvalidFileError where the file is not as its header says, UnsupportedModelError beyond the limits of size.
    """
    data, source = read_file(path)
    if len(data) > _LONGEST_FILE:
        raise InvalidFileError(f"{str(path)!r} has {len(data)} bytes; the limit for .nnet files is {_LONGEST_FILE}")
    lines = _Lines(data, str(path))
    count, inputs, outputs, _ = lines.integers(4, "the first line of the header")
    if not 1 <= count <= MAXIMAL_DEPTH:
        raise lines.broken(f"the header says {count} layers")
    sizes = lines.integers(count + 1, "the header's list of layer sizes")
    if min(sizes) < 1 or (sizes[0], sizes[-1]) != (inputs, outputs):
        raise lines.broken(f"the header says {inputs} inputs and {outputs} outputs, but layer sizes {sizes[:8]}")
    lines.numbers(1, "the header's unused flag")
    for numbers, what in ((inputs, "minima"), (inputs, "maxima"), (inputs + 1, "means"), (inputs + 1, "ranges")):
        lines.numbers(numbers, f"the header's list of {what}")
    # Only the weights' rounding counts.
    lines.rounded = False
    chain = DenseChain(inputs)
    for number in range(1, count + 1):
        n, m = sizes[number - 1], sizes[number]
        check_entries(f"layer {number}", m, n)
        weight = [lines.numbers(n, f"row {i} of layer {number}") for i in range(m)]
        bias = [lines.numbers(1, f"bias {i} of layer {number}") for i in range(m)]
        chain.affine(f"layer{number}", DyadicMatrix.from_floats(np.array(weight)), DyadicMatrix.from_floats(np.array(bias)))
        if number < count:
            chain.relu(f"relu{number}")
    lines.check_end()
    return chain.network((source,), (inputs,), (_UNNORMALISED, *([_ROUNDED] if lines.rounded else [])))


class _Lines:
    """The lines of the file, comments and empty ones left out; `rounded` says whether a number was no float64."""

    def __init__(self, data: bytes, path: str) -> None:
        self._path = path
        self.rounded = False
        try:
            text = data.decode("ascii")
        except UnicodeDecodeError:
            raise self.broken("it is not ASCII text") from None
        self._lines: Iterator[tuple[int, str]] = (
            (number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("//")
        )

    def broken(self, what: str) -> InvalidFileError:
        return InvalidFileError(f"{self._path!r} is no .nnet file as its header says: {what}; check where the file comes from")

    def numbers(self, count: int, what: str) -> list[float]:
        """The next line, which has to hold that many numbers, with commas between them and perhaps after the last."""
        number, line = next(self._lines, (0, ""))
        if not number:
            raise self.broken(f"the file ends before {what}")
        tokens = [token.strip() for token in line.strip().removesuffix(",").split(",")]
        if len(tokens) != count:
            raise self.broken(f"line {number}, {what}, holds {len(tokens)} numbers instead of {count}")
        wrong = next((token for token in tokens if not _NUMBER.fullmatch(token)), None)
        if wrong is not None:
            raise self.broken(f"line {number}, {what}, holds {shown(wrong)}, which is no decimal number")
        values = [float(token) for token in tokens]
        if not np.isfinite(values).all():
            raise self.broken(f"line {number}, {what}, holds a number beyond the range of float64")
        if not self.rounded:
            self.rounded = any(Fraction(token) != Fraction(value) for token, value in zip(tokens, values, strict=True))
        return values

    def integers(self, count: int, what: str) -> list[int]:
        values = self.numbers(count, what)
        if any(value != int(value) or abs(value) > 2**31 for value in values):
            raise self.broken(f"{what} holds a number that is no size")
        return [int(value) for value in values]

    def check_end(self) -> None:
        number, _ = next(self._lines, (0, ""))
        if number:
            raise self.broken(f"line {number} follows the last bias")
