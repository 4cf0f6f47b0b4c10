"""The closed region of inputs around a point on which a composition of layers is one affine map.

Where the relus act by one *pattern*, every pre-activation of every layer is an affine function of the input. `Region` holds these
functions as the rows of one layer, a *composed layer*: for a rectified output of an inner layer the row c . x, turned so that the
region is where it is <= 0; for the last layer its own outputs. Its pre-image within the region's rows is the part of the composition's
pre-image that lies in the region (theory P1), so that the decider of one layer decides that part.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz, fmpz_mat

from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.network.model import Layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

# Entries of one layer's weights, and products of integers in one step of `composed`, up to which that takes seconds.
_MOST_ENTRIES = 2**23
_MOST_PRODUCTS = 2**32


@dataclass(frozen=True, eq=False)
class Region:
    """The inputs at which the rectified outputs in `active`, boolean masks of the stages' outputs, are >= 0 and the others <= 0.

    point: an input of the region; values: the pre-activations of the stages at it.
    """

    stages: tuple[Layer, ...]
    active: tuple[np.ndarray, ...]
    point: RationalVector
    values: tuple[RationalVector, ...]

    def composed(self, *, tight: bool) -> Layer:
        """The composed layer; with `tight` only its rows that are zero or an equality at the point, which decide the dimension there.

        Every row is multiplied by a positive number, which changes no pre-image.
        """
        rows, rectified = fmpz_mat(0, self.stages[-1].outputs + 1), list[bool]()
        # From the last stage to the first: rows over a stage's outputs become rows over its inputs, and the stage's own join them.
        for number in reversed(range(len(self.stages))):
            stage, active = self.stages[number], self.active[number]
            chosen = self._chosen(number, tight=tight)
            if number == len(self.stages) - 1:
                own, relu = _rows(stage, chosen), stage.rectified[chosen].tolist()
            else:
                own = [row if not active[i] else [-value for value in row] for i, row in zip(chosen, _rows(stage, chosen), strict=True)]
                relu = [True] * len(chosen)
            joined = [*own, *_pulled_back(rows, stage, active)]
            rows = fmpz_mat(len(joined), stage.inputs + 1, [value for row in joined for value in row])
            rectified = [*relu, *rectified]
        return _layer([[int(value) for value in row] for row in rows.tolist()], self.stages[0].inputs, rectified)

    def _chosen(self, number: int, *, tight: bool) -> list[int]:
        """Which outputs of a stage give rows of the composed layer."""
        stage, values = self.stages[number], self.values[number].numerators
        is_last = number == len(self.stages) - 1
        signs = np.array([(value > 0) - (value < 0) for value in values], dtype=np.int8).reshape(-1)
        own = np.ones(stage.outputs, dtype=bool) if is_last else stage.rectified
        at_zero = (signs == 0) | (is_last & ((signs > 0) | ~stage.rectified))
        return [int(i) for i in np.flatnonzero(own & at_zero if tight else own)]

    def extends_along(self, direction: tuple[int, ...]) -> bool:
        """Whether point + t * direction, for small t > 0, lies in the region and has the point's output; direction: of length n."""
        for values, slopes, active, stage in self._along(direction):
            is_last = stage is self.stages[-1]
            for value, slope, kept, relu in zip(values, slopes, active.tolist(), stage.rectified.tolist(), strict=True):
                if is_last and kept and slope != 0:
                    return False
                if relu and value == 0 and (slope < 0 if kept else slope > 0):
                    return False
        return True

    def longest_step(self, direction: tuple[int, ...]) -> Fraction | None:
        """The largest t for which point + t * direction lies in the region and has the point's output; None if there is no largest.

        direction: of length n; close to the point it stays in the region and keeps the output.
        """
        limits: list[Fraction] = []
        for values, slopes, _, stage in self._along(direction):
            moving = zip(values, slopes, stage.rectified.tolist(), strict=True)
            limits += [-value / slope for value, slope, relu in moving if relu and value * slope < 0]
        return min(limits, default=None)

    def _along(self, direction: tuple[int, ...]) -> Iterator[tuple[list[Fraction], list[Fraction], np.ndarray, Layer]]:
        """For each stage its values at the point, how they change along the direction, and the active outputs."""
        moving = RationalVector(direction)
        for stage, active, values in zip(self.stages, self.active, self.values, strict=True):
            at_zero = stage.pre_activation(RationalVector((0,) * stage.inputs)).fractions()
            slopes = [a - b for a, b in zip(stage.pre_activation(moving).fractions(), at_zero, strict=True)]
            yield values.fractions(), slopes, active, stage
            moving = RationalVector.from_fractions(slope if kept else 0 for slope, kept in zip(slopes, active.tolist(), strict=True))


def regions_at(stages: Sequence[Layer], x: RationalVector, *, most: int) -> Iterator[Region]:
    """The regions that contain x, up to `most`, first the one in which a rectified output that is exactly zero counts as inactive.

    Together, if there are no more than `most`, they cover a neighbourhood of x.

    >>> fold = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [2.0]]), np.array([True, True]))
    >>> total = Layer(DyadicMatrix.from_floats([[3.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> for region in regions_at([fold, total], RationalVector((0,)), most=2):
    ...     print(region.active[0].tolist(), region.composed(tight=False).weight.floats.tolist())
    [False, True] [[0.5], [0.5], [-0.5]]
    [True, True] [[-0.5], [0.5], [0.5]]
    """
    values, state = [], x
    for stage in stages:
        values.append(stage.pre_activation(state))
        state = stage(state)
    fixed = tuple(
        np.array([value > 0 for value in z.numerators], dtype=bool).reshape(-1) | ~stage.rectified
        for stage, z in zip(stages, values, strict=True)
    )
    # In the last stage a zero is an inequality either way; an output without weights never moves.
    free = [
        (number, i)
        for number, (stage, z) in enumerate(zip(stages[:-1], values[:-1], strict=True))
        for i in np.flatnonzero(stage.rectified & stage.nonzero_rows).tolist()
        if z.numerators[i] == 0
    ]
    for choice in islice(product((False, True), repeat=len(free)), most):
        active = tuple(mask.copy() for mask in fixed)
        for (number, i), chosen in zip(free, choice, strict=True):
            active[number][i] = chosen
        yield Region(tuple(stages), active, x, tuple(values))


def is_affordable(stages: Sequence[Layer], *, tight: bool) -> bool:
    """Whether `Region.composed` takes seconds rather than minutes for these stages."""
    entries = max(stage.inputs * stage.outputs for stage in stages)
    rows = stages[-1].outputs if tight else sum(stage.outputs for stage in stages)
    return entries <= _MOST_ENTRIES and entries * rows <= _MOST_PRODUCTS


def _rows(stage: Layer, chosen: Sequence[int]) -> list[list[fmpz]]:
    """Rows [weights | bias] of a stage as integers, all times one power of two."""
    integers, _ = stage.augmented
    return [[integers[i, j] for j in range(stage.inputs + 1)] for i in chosen]


def _pulled_back(rows: fmpz_mat, stage: Layer, active: np.ndarray) -> list[list[fmpz]]:
    """Rows [r | c] over a stage's outputs as rows over its inputs, r applied to the active outputs' rows; times one power of two."""
    integers, exponent = stage.augmented
    listed, kept = rows.tolist(), active.tolist()
    masked = [value if keep else 0 for row in listed for value, keep in zip(row, kept, strict=False)]
    pulled = (fmpz_mat(len(listed), stage.outputs, masked) * integers).tolist()
    # r (W x + b) + c in units of 2^min(exponent, 0).
    scale, unit = 1 << max(0, exponent), 1 << max(0, -exponent)
    return [[*(value * scale for value in new[:-1]), new[-1] * scale + old[-1] * unit] for new, old in zip(pulled, listed, strict=True)]


def _layer(rows: list[list[int]], n: int, rectified: list[bool]) -> Layer:
    """The layer with rows [weights | bias] of n + 1 integers, each scaled by a power of two so that its largest weight is near 1."""
    sizes = [max((abs(value).bit_length() for value in row[:-1]), default=0) for row in rows]
    largest = max(sizes, default=0)
    scaled = [[value << (largest - size) for value in row] for row, size in zip(rows, sizes, strict=True)]
    weight = DyadicMatrix.from_integers((row[:-1] for row in scaled), n, -largest)
    bias = DyadicMatrix.from_integers((row[-1:] for row in scaled), 1, -largest)
    return Layer(weight, bias, np.array(rectified, dtype=bool))
