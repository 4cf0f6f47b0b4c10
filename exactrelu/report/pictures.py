"""Two inputs with exactly the same output as pictures: the first, the second, their difference, as PNG data URIs.

The verdicts are exact; a picture is not, and says the values of its black and white. Numbers of any length are cut to their
leading digits, which is far more than a pixel shows.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from exactrelu.decimals import approximate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exactrelu.report.preimages import Pair

# Values beyond floats are cut to what floats hold.
_shown = partial(approximate, power=200)
# What a flat input of this length is taken for; a stored shape of two or three axes goes before it. Colours come as planes.
KNOWN = {64: (8, 8), 256: (16, 16), 784: (28, 28), 1024: (32, 32), 3072: (3, 32, 32), 4096: (64, 64)}
LARGEST_SIDE = 512
# Pairs are looked at up to so many coordinates in all, so that large images cost no more than many small ones.
_MOST_COORDINATES = 300_000
# Zero is white; what the second input has more of is red, what it has less of is blue.
_MORE, _LESS = (178, 32, 24), (24, 78, 160)
_CONSTANT, _VARYING = (196, 201, 207), (20, 70, 107)


@dataclass(frozen=True)
class Raster:
    """Where pixel (row, column) and colour lie in a flat input: `colours` is 1 or 3, `planes` whether colours are the first axis."""

    height: int
    width: int
    colours: int = 1
    planes: bool = True

    def index(self, pixel: int, colour: int) -> int:
        """The coordinate of a pixel's colour."""
        return colour * self.height * self.width + pixel if self.planes else pixel * self.colours + colour


@dataclass(frozen=True)
class Pictures:
    """A pair as three pictures; `black` and `white` are the values of these in the first two, `largest` the largest difference.

    `along_ray` says that the second input is one of infinitely many on the pair's ray.
    """

    row: int
    first: str
    second: str
    difference: str
    black: str
    white: str
    largest: str
    changed: int
    along_ray: bool


def raster(shape: tuple[int, ...], inputs: int) -> Raster | None:
    """How an input is laid out as an image, or None where it is none.

    >>> raster((1, 28, 28), 784), raster((2,), 2)
    (Raster(height=28, width=28, colours=1, planes=True), None)
    """
    axes = shape if math.prod(shape) == inputs else ()
    if len(axes) == 3 and axes[0] == 1:
        axes = axes[1:]
    if len(axes) == 3 and axes[2] == 1:
        axes = axes[:2]
    if len(axes) < 2 or min(axes) < 2:
        axes = KNOWN.get(inputs, ())
    match axes:
        case (height, width):
            found = Raster(height, width)
        case (3, height, width):
            found = Raster(height, width, 3)
        case (height, width, 3):
            found = Raster(height, width, 3, planes=False)
        case _:
            return None
    return found if max(found.height, found.width) <= LARGEST_SIDE else None


def pictures(pairs: Iterable[Pair], layout: Raster, bounds: tuple[Fraction, Fraction] | None) -> Pictures | None:
    """The pair with the largest change as pictures, the first such one; None without a pair that fits the layout.

    bounds: the values of black and white, else the least and the largest of the pair shown.
    """
    best: tuple[Fraction, Pair, list[Fraction], list[Fraction]] | None = None
    size = layout.height * layout.width * layout.colours
    for pair in islice(pairs, max(1, _MOST_COORDINATES // size)):
        if len(pair.point) == size:
            first = [_shown(text) for text in pair.point]
            second = _second(pair, first, bounds)
            largest = max(abs(b - a) for a, b in zip(first, second, strict=True))
            if best is None or largest > best[0]:
                best = largest, pair, first, second
    if best is None:
        return None
    largest, pair, first, second = best
    low, high = bounds or (min(*first, *second), max(*first, *second))
    change = [b - a for a, b in zip(first, second, strict=True)]
    return Pictures(
        pair.row,
        _grey(first, layout, low, high),
        _grey(second, layout, low, high),
        signed(change, layout),
        _short(low),
        _short(high),
        _short(largest),
        sum(map(bool, change)),
        pair.ray is not None,
    )


def _second(pair: Pair, first: Sequence[Fraction], bounds: tuple[Fraction, Fraction] | None) -> list[Fraction]:
    """The second input; on a ray, the one whose largest change is half of what the first input (or the box) spans."""
    if pair.second is not None:
        return [_shown(text) for text in pair.second]
    direction = [_shown(text) for text in pair.ray or ()]
    low, high = bounds or (min(first), max(first))
    longest = max(map(abs, direction))
    step = (high - low or 1) / (2 * longest) if longest else Fraction(0)
    return [a + step * d for a, d in zip(first, direction, strict=True)]


def constant_map(constant: Iterable[int], layout: Raster) -> str:
    """The inputs that are constant over the data in light grey, the others dark."""
    held = set(constant)
    pixels = range(layout.height * layout.width)
    return _png(
        [_CONSTANT if all(layout.index(pixel, colour) in held for colour in range(layout.colours)) else _VARYING for pixel in pixels],
        layout,
    )


def _grey(values: Sequence[Fraction], layout: Raster, low: Fraction, high: Fraction) -> str:
    span = high - low or Fraction(1)
    levels = [max(0, min(255, round(255 * (value - low) / span))) for value in values]
    return _png([_pixel(levels, layout, pixel) for pixel in range(layout.height * layout.width)], layout)


def _pixel(levels: Sequence[int], layout: Raster, pixel: int) -> tuple[int, int, int]:
    red, green, blue = (levels[layout.index(pixel, colour % layout.colours)] for colour in range(3))
    return red, green, blue


def signed(change: Sequence[Fraction], layout: Raster) -> str:
    """Red where a number is positive, blue where it is negative, as strong as the largest; of several colours the mean counts."""
    largest, pixels = max(map(abs, change)), []
    for pixel in range(layout.height * layout.width):
        mean = sum((change[layout.index(pixel, colour)] for colour in range(layout.colours)), Fraction(0)) / layout.colours
        share = mean / largest if largest else Fraction(0)
        end = _MORE if share > 0 else _LESS
        red, green, blue = (round(255 + (level - 255) * abs(share)) for level in end)
        pixels.append((red, green, blue))
    return _png(pixels, layout)


def _png(pixels: Sequence[tuple[int, int, int]], layout: Raster) -> str:
    """A PNG as a data URI, its pixels not compressed: the same bytes with every version of zlib."""
    lines = (pixels[first : first + layout.width] for first in range(0, len(pixels), layout.width))
    raw = b"".join(b"\0" + bytes(level for pixel in line for level in pixel) for line in lines)
    header = struct.pack(">IIBBBBB", layout.width, layout.height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw, 0)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def _short(value: Fraction) -> str:
    """A number of three digits for a caption."""
    return f"{float(value):.3g}"
