"""Linear functions that tell the images of two cells apart: proposed in floats, tested in integers; cheaper than a linear program.

Such a function is constant on the image of the cells' common face C. So it is looked for among those that are, and has to rise from C to
the other generators of one cell and fall to those of the other; without a point in C, to rise from all points of one to those of the other
(theory I11). The one that rises most steeply everywhere is the point of least norm in what the steps span (non-negative least squares).
"""

from __future__ import annotations

from fractions import Fraction
from operator import mul
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.regions.charts import primitive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row

# With more outputs than that the function is looked for among those of so many sums of them, with coefficients drawn.
_MOST_OUTPUTS = 16
# The bits of what floats find, first few.
_BITS = (6, 14, 40)


class Separation:
    """Looks for integers e (m,) with e.f <= z on one cell, >= z on another, = z on both in the common face alone.

    images: (y, t) of the cells' generators, on each of which the network is injective.

    >>> Separation([(-5, 1), (0, 1), (2, 1)]).between([0, 1], [1, 2])
    (1,)
    >>> Separation([(1, 1), (0, 1), (2, 1)]).between([0, 1], [1, 2])
    """

    def __init__(self, images: Sequence[Row]) -> None:
        m = max(map(len, images), default=1) - 1
        self._frame: list[Row] | None = None
        self._images = list(images)
        if m > _MOST_OUTPUTS:
            drawn = np.rint(np.random.default_rng(0).standard_normal((_MOST_OUTPUTS, m)) * 64).astype(int).tolist()
            self._frame = [tuple(row) for row in drawn]
            self._images = [(*(sum(map(mul, row, image)) for row in self._frame), image[-1]) for image in images]
        self._bases: dict[tuple[int, ...], list[Row]] = {}

    def between(self, first: Sequence[int], second: Sequence[int]) -> Row | None:
        """Such a function for two cells, given by the places of their generators; None where none was found."""
        common = sorted({*first} & {*second})
        corner = next((self._images[place] for place in common if self._images[place][-1]), None)
        basis = self._constant_on(tuple(common), corner)
        images = [[self._images[place] for place in cell if place not in common] for cell in (first, second)]
        # Steps that have to rise, and what their length is divided by, where that counts: for a gap, not for an angle.
        if corner is None:
            points, rays = ([[image for image in own if bool(image[-1]) == kind] for own in images] for kind in (True, False))
            steps = [_step(one, other) for one in points[0] for other in points[1]]
            parts = [one[-1] * other[-1] for one in points[0] for other in points[1]]
            steps += [tuple([sign * value for value in ray[:-1]]) for sign, own in ((-1, rays[0]), (1, rays[1])) for ray in own]
        else:
            steps, parts = [_step(image, corner) for image in images[0]] + [_step(corner, image) for image in images[1]], []
        rises = [[sum(map(mul, form, step)) for form in basis] for step in steps]
        weights = _positive(rises, parts, basis) if rises else [0] * len(basis)
        if weights is None:
            return None
        found = [sum(map(mul, weights, column)) for column in zip(*basis, strict=True)]
        if self._frame is not None:
            found = [sum(map(mul, found, column)) for column in zip(*self._frame, strict=True)]
        return primitive(found)

    def _constant_on(self, common: tuple[int, ...], corner: Row | None) -> list[Row]:
        """A basis, with short numbers, of the linear functions that are constant on the images of a face."""
        if common not in self._bases:
            size = len(self._images[0]) - 1
            rows = [self._images[place][:-1] if corner is None else _step(corner, self._images[place]) for place in common]
            kernel, nullity = fmpz_mat(1 + len(rows), size, [0] * size + [value for row in rows for value in row]).nullspace()
            columns = kernel.transpose().tolist()[: int(nullity)]
            entries = [value for column in columns for value in primitive([int(value) for value in column])]
            self._bases[common] = [tuple(map(int, row)) for row in fmpz_mat(len(columns), size, entries).lll().tolist()] if columns else []
        return self._bases[common]


def _step(start: Row, end: Row) -> Row:
    """From one image to another one, or along a ray, times a positive number."""
    if not start[-1]:
        return tuple([-value * end[-1] for value in start[:-1]])
    return tuple([value * start[-1] - other * end[-1] for value, other in zip(end[:-1], start[:-1], strict=True)])


def _positive(rises: list[list[int]], parts: list[int], basis: list[Row]) -> list[int] | None:
    """Integers w with rise . w > 0 for all rows, the sum of the basis with these weights being steep; None where none were found."""
    from scipy.optimize import nnls

    if len(basis) == 1:
        signs = {(value > 0) - (value < 0) for (value,) in rises}
        return list(signs) if len(signs) == 1 and 0 not in signs else None
    largest = [max(map(abs, rise), default=0) for rise in rises]
    if 0 in largest:
        return None
    # A basis with short numbers is nearly orthogonal; its vectors may be of different lengths.
    scale = max(max(map(abs, form)) for form in basis)
    lengths = np.linalg.norm([[value / scale for value in form] for form in basis], axis=1)
    try:
        with np.errstate(all="raise", under="ignore"):
            floats = np.array([[value / most for value in rise] for rise, most in zip(rises, largest, strict=True)]) / lengths
            sizes = np.linalg.norm(floats, axis=1)
            floats /= sizes[:, None]
            if parts:
                sizes = np.array([size * float(Fraction(most, part)) for size, most, part in zip(sizes, largest, parts, strict=False)])
                floats[: len(parts)] *= (sizes / sizes.max())[:, None]
            shares, _ = nnls(np.vstack([floats.T, np.ones(len(floats))]), np.array([*[0.0] * len(basis), 1.0]))
            best = floats.T @ shares / lengths
    except (ArithmeticError, RuntimeError):
        # Numbers beyond those of floats, or too many iterations.
        return None
    largest_weight = float(np.abs(best).max())
    if largest_weight == 0:
        return None
    for bits in _BITS:
        rounded: list[int] = np.rint(best / largest_weight * 2.0**bits).astype(int).tolist()
        if all(sum(map(mul, rounded, rise)) > 0 for rise in rises):
            return rounded
    return None
