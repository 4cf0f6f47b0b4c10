"""How far a linearisation reaches: the distance from a point to the boundary of its region, squared, exactly (theory S3).

On the region of x every neuron before its relu is z_j + g_j (x' - x). The region is where no z_j changes its sign, so that its boundary is
as far away as the nearest of the hyperplanes with g_j != 0: |z_j| / |g_j|. Floats with a proved error order the neurons, and integers
decide among those that can be nearest.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.exact.rational import RationalVector, format_rational
from exactrelu.stability.answer import interval_texts, square_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exactrelu.stability.linearisation import Depth


# Three roundings to nearest lose less.
_DOWNWARDS = 1 - 2.0**-50
_LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Wall:
    """The nearest wall: neuron `row` of the lowered step with this number, from 1, and `foot`, the point of it that is nearest to x."""

    step: int
    row: int
    squared_distance: Fraction
    foot: RationalVector

    def beyond(self, x: RationalVector) -> RationalVector | None:
        """A point just across the wall, in a neighbouring region but for further walls there; None where x lies on the wall."""
        if not self.squared_distance:
            return None
        pairs = zip(x.fractions(), self.foot.fractions(), strict=True)
        return RationalVector.from_fractions(foot + (foot - own) / 2**20 for own, foot in pairs)

    def record(self) -> dict[str, Any]:
        """The object `boundary` of the JSON result."""
        return {
            "row": self.row,
            "squared_distance": format_rational(self.squared_distance),
            "distance": interval_texts(square_root(self.squared_distance)),
        }


class Walls:
    """The walls of the region of x, taken in depth by depth: the nearest one so far, or None, and no matrix of any depth.

    At distance 0 the point lies on a wall, and the region is one of several around it.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer
    >>> from exactrelu.stability.linearisation import Step, linearisations
    >>> layer = Layer(DyadicMatrix.from_floats([[3.0, 4.0], [0, 0]]), DyadicMatrix.from_floats([[-2.0], [0]]), np.array([True, True]))
    >>> x = RationalVector((1, 1))
    >>> wall = nearest_wall(linearisations((Step(layer),), x), x)
    >>> wall.step, wall.row, wall.squared_distance, wall.foot.texts()
    (1, 0, Fraction(1, 1), ['2/5', '1/5'])
    """

    def __init__(self, x: RationalVector) -> None:
        self._x = x
        self._step = 0
        self.nearest: Wall | None = None

    def take(self, depth: Depth) -> None:
        """The walls of the neurons of the next depth."""
        self._step += 1
        z = depth.pre_activation
        for least, row in sorted(_candidates(depth)):
            if self.nearest is not None and self.nearest.squared_distance <= Fraction(least) ** 2:
                break
            gradient, exponent = depth.exact_row(row)
            square = sum(value * value for value in gradient)
            if square:
                value = Fraction(z.numerators[row], z.denominator)
                distance = value**2 / (square * Fraction(4) ** exponent)
                if self.nearest is None or distance < self.nearest.squared_distance:
                    factor = value / (square * Fraction(2) ** exponent)
                    pairs = zip(self._x.fractions(), gradient, strict=True)
                    foot = RationalVector.from_fractions(own - factor * entry for own, entry in pairs)
                    self.nearest = Wall(self._step, row, distance, foot)


def nearest_wall(depths: Iterable[Depth], x: RationalVector) -> Wall | None:
    """The nearest wall of the region of x, on which the linearisations at x hold; None where it has none, being all of R^n."""
    walls = Walls(x)
    for depth in depths:
        walls.take(depth)
    return walls.nearest


def _candidates(depth: Depth) -> Iterator[tuple[float, int]]:
    """(a lower bound of the distance, row) of all neurons with a relu."""
    step, z, exponent = depth.after.steps[-1], depth.pre_activation, depth.after.matrix.exponent
    norms = depth.gradient_norms.tolist()
    # z is divided by the scale of the matrix in integers, since either may leave the range of floats.
    above, below = max(0, -exponent), z.denominator << max(0, exponent)
    for row in np.flatnonzero(step.layer.rectified & step.nonzero_rows).tolist():
        size = _divided(abs(z.numerators[row]) << above, below)
        yield min(size / norms[row] * _DOWNWARDS, _LARGEST), row


def _divided(numerator: int, denominator: int) -> float:
    """The quotient, rounded to nearest; the largest float where it is larger."""
    try:
        return numerator / denominator
    except OverflowError:
        return _LARGEST
