"""Which images of cells may meet: their extents along many directions, in floats rounded outwards (the filter of theory I11)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.regions.charts import Row

# Coordinates used, and directions drawn beside them.
_MOST_COORDINATES = 64
_DRAWN = 48
# Pairs of cells by which the directions are chosen that tell most of them apart.
_SAMPLE = 2**14
_SLACK = 2.0**-40
_LARGEST = 2.0**900


class Boxes:
    """The extents of cells of images (y, t), t >= 0, in coordinates y / t; a ray makes an extent infinite where it points.

    Every cell has a point.

    directions: rows of integers; chosen: the places of the few along which `near` compares.

    >>> boxes = Boxes([(0, 0, 1), (2, 1, 1), (3, 1, 1), (1, 0, 0)], [[0, 1], [2, 3], [1, 2]])
    >>> [(i, others.tolist()) for i, others in boxes.near()], boxes.at((5, 2, 2)).tolist(), boxes.separator(1, 0) is not None
    ([(0, [2]), (1, [2])], [2], True)
    """

    def __init__(self, images: Sequence[Row], cells: Sequence[Sequence[int]]) -> None:
        m = next((len(image) for image in images if image), 1) - 1
        units = np.eye(m)[:_MOST_COORDINATES]
        drawn = np.rint(np.random.default_rng(0).standard_normal((_DRAWN, m)) * 64) if m > 1 else np.zeros((0, m))
        self.directions = np.vstack([units, drawn])
        low, high = self._extents([image or (0,) * (m + 1) for image in images])
        starts = np.cumsum([0, *map(len, cells)])[:-1]
        places = np.array([place for cell in cells for place in cell], dtype=np.int64)
        self.low, self.high = np.minimum.reduceat(low[places], starts), np.maximum.reduceat(high[places], starts)
        self.chosen = self._choice()

    def _choice(self) -> list[int]:
        """Greedily, by pairs drawn at random, while one more direction tells about a quarter as many apart as there are cells."""
        count = len(self.low)
        one, other = np.random.default_rng(1).integers(0, count, (2, min(_SAMPLE, count**2)))
        apart = (self.high[one] < self.low[other]) | (self.high[other] < self.low[one])
        chosen: list[int] = []
        while True:
            gains = apart.sum(axis=0)
            best = int(gains.argmax()) if len(gains) else 0
            if not len(gains) or 2 * count * int(gains[best]) <= len(one):
                return chosen
            chosen.append(best)
            apart = apart[~apart[:, best]]

    def separator(self, first: int, second: int) -> tuple[int, ...] | None:
        """A direction, or its opposite, along which one cell lies before another one; None where none of them tells the two apart."""
        for sign, before, behind in ((1, first, second), (-1, second, first)):
            found = np.flatnonzero(self.high[before] < self.low[behind])
            if len(found):
                return tuple([sign * int(value) for value in self.directions[found[0]]])
        return None

    def _extents(self, images: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
        """Bounds (images, directions) of every image along every direction."""
        ray = np.array([image[-1] == 0 for image in images], dtype=bool)
        floats = np.array([_float_row(image) for image in images]).reshape(len(images), -1)
        with np.errstate(all="ignore"):
            values, sizes = floats @ self.directions.T, np.abs(floats) @ np.abs(self.directions).T
            # Far more than rounding: that of the quotients, the products and their sum, underflow included.
            slack = sizes * _SLACK + 2.0**-900
            low, high = values - slack, values + slack
        unknown = ~np.isfinite(low) | ~np.isfinite(high) | (sizes > _LARGEST)
        low, high = np.where(unknown, -np.inf, low), np.where(unknown, np.inf, high)
        # A ray reaches as far as it points, and where floats cannot tell it might; it starts at some point, so bounds nothing else.
        present = np.array([[entry != 0 for entry in image[:-1]] for image in images], dtype=bool).reshape(floats.shape)
        flat = ~(present @ (self.directions != 0).T)
        low[flat], high[flat] = values[flat], values[flat]
        low[ray] = np.where(low[ray] < 0, -np.inf, np.inf)
        high[ray] = np.where(high[ray] > 0, np.inf, -np.inf)
        return low, high

    def near(self) -> Iterator[tuple[int, np.ndarray]]:
        """Of every cell the later ones whose extents meet its own in every direction chosen; cells without one are left out."""
        low, high = (np.ascontiguousarray(bounds[:, self.chosen].T) for bounds in (self.low, self.high))
        for i in range(len(self.low)):
            others = np.arange(i + 1, len(self.low))
            for below, above in zip(low, high, strict=True):
                others = others[(below[others] <= above[i]) & (above[others] >= below[i])]
                if not len(others):
                    break
            else:
                if len(others):
                    yield i, others

    def at(self, image: Row) -> np.ndarray:
        """The cells whose extents hold a point (y, t), t > 0."""
        low, high = self._extents([image])
        return np.flatnonzero(((self.low <= high) & (self.high >= low)).all(axis=1))


def _float_row(image: Row) -> list[float]:
    """y / t, or a ray's direction y over a power of two, each number rounded to the nearest float; infinite beyond their range."""
    *entries, t = image
    t = t or 1 << max(map(abs, entries), default=0).bit_length()
    return [_quotient(entry, t) for entry in entries]


def _quotient(above: int, below: int) -> float:
    try:
        return above / below
    except OverflowError:
        return math.inf
