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

from exactrelu.exact.enclosed import UNDERFLOW, frobenius
from exactrelu.exact.rational import RationalVector, format_rational
from exactrelu.exact.rounding import UPWARDS
from exactrelu.stability.answer import interval_texts, square_root

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def nearest_wall(depths: Sequence[Depth], x: RationalVector) -> Wall | None:
    """The nearest wall of the region of x, on which the linearisations at x hold; None where it has none, being all of R^n.

    At distance 0 the point lies on a wall, and the region is one of several around it.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer
    >>> from exactrelu.stability.linearisation import Step, linearisations
    >>> layer = Layer(DyadicMatrix.from_floats([[3.0, 4.0], [0, 0]]), DyadicMatrix.from_floats([[-2.0], [0]]), np.array([True, True]))
    >>> x = RationalVector((1, 1))
    >>> wall = nearest_wall(list(linearisations((Step(layer),), x)), x)
    >>> wall.step, wall.row, wall.squared_distance, wall.foot.texts()
    (1, 0, Fraction(1, 1), ['2/5', '1/5'])
    """
    best: tuple[Fraction, int, int, list[Fraction]] | None = None
    for least, step, row in sorted(_candidates(depths)):
        if best is not None and best[0] <= Fraction(least) ** 2:
            break
        depth = depths[step - 1]
        gradient, exponent = depth.before.exact_row(row)
        square = sum(value * value for value in gradient)
        if square:
            value = Fraction(depth.pre_activation.numerators[row], depth.pre_activation.denominator)
            distance = value**2 / (square * Fraction(4) ** exponent)
            if best is None or distance < best[0]:
                factor = value / (square * Fraction(2) ** exponent)
                best = (distance, step, row, [factor * entry for entry in gradient])
    if best is None:
        return None
    distance, step, row, move = best
    return Wall(step, row, distance, RationalVector.from_fractions(a - b for a, b in zip(x.fractions(), move, strict=True)))


def _candidates(depths: Sequence[Depth]) -> list[tuple[float, int, int]]:
    """(a lower bound of the distance, step, row) of all neurons with a relu."""
    found: list[tuple[float, int, int]] = []
    for step, depth in enumerate(depths, 1):
        layer, matrix, z = depth.before.steps[-1], depth.before.matrix, depth.pre_activation
        norms = _gradient_norms(depths, step)
        # z is divided by the scale of the matrix in integers, since either may leave the range of floats.
        above, below = max(0, -matrix.exponent), z.denominator << max(0, matrix.exponent)
        for row in np.flatnonzero(layer.layer.rectified & layer.nonzero_rows).tolist():
            size = _divided(abs(z.numerators[row]) << above, below)
            found.append((min(size / norms[row] * _DOWNWARDS, _LARGEST), step, row))
    return found


def _gradient_norms(depths: Sequence[Depth], step: int) -> list[float]:
    """Upper bounds of all |g_j| of a step, divided by the scale of its matrix: of its rows, or of a factor's row times the rest.

    The latter is the smaller one for a row of W that is smaller than the error of the product.
    """
    matrix, factor = depths[step - 1].before.matrix, depths[step - 1].before.steps[-1].factor
    norms = matrix.row_norms()
    if step > 1:
        earlier = depths[step - 2].after.matrix
        size = (frobenius(earlier.floats) + earlier.error) * UPWARDS
        with np.errstate(over="ignore"):
            others = np.ldexp(factor.row_norms * size, factor.exponent + earlier.exponent - matrix.exponent)
        norms = np.minimum(norms, others * UPWARDS + UNDERFLOW)
    return list(norms.tolist())


def _divided(numerator: int, denominator: int) -> float:
    """The quotient, rounded to nearest; the largest float where it is larger."""
    try:
        return numerator / denominator
    except OverflowError:
        return _LARGEST
