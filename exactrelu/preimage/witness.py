"""Exact points of a layer's pre-image: the one solution of the active rows, a ray, a second point far from the first.

Everything here is rational and satisfies its conditions exactly; floats only choose where to go.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates import RecessionDirection
from exactrelu.domain import Ball, Box, Domain, Orthant, Polytope
from exactrelu.exact.cone import Decision, StrictRayFound, Tie
from exactrelu.exact.linalg import PRIMES, kernel_vectors, regular_block, solve
from exactrelu.exact.rational import RationalVector
from exactrelu.verdict import Witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exactrelu.network.model import Layer
    from exactrelu.preimage.grounds import PointGrounds

# Up to this many inputs a witness is computed without being asked for; beyond, each p-adic solve takes seconds.
MANY_INPUTS = 128
# Bits of a step to the boundary of a ball, which is irrational as a rule.
_STEP_BITS = 64
# How many null vectors are tried for a second point; with many inputs only one.
_DIRECTIONS = 8


def solve_active_rows(layer: Layer, y: RationalVector, equality: np.ndarray) -> RationalVector | None:
    """The one x with A_P x + b_P = y_P on independent rows of rank n, by a p-adic solve; None if the rank is below n.

    Whether x satisfies the other rows is for the caller to test.
    """
    n = layer.inputs
    index = np.flatnonzero(equality)
    if len(index) < n:
        return None
    active = layer.weight.rows(index)
    block = regular_block(active, PRIMES[0])
    if len(block.rows) < n:
        return None
    rows, right = [], []
    for k in block.rows:
        i = int(index[k])
        integers, exponent = layer.weight.integer_row(i)
        (bias,), own = layer.bias.integer_row(i)
        value = Fraction(y.numerators[i], y.denominator) - bias * Fraction(2) ** own
        rows.append(integers)
        right.append(value / Fraction(2) ** exponent)
    cleared = RationalVector.from_fractions(right)
    solved = solve(rows, [[value] for value in cleared.numerators])
    if solved is None:
        return None
    numerators, denominator = solved
    return RationalVector(tuple(value for (value,) in numerators), denominator * cleared.denominator)


def find_witness(layer: Layer, domain: Domain, grounds: PointGrounds) -> Witness | None:
    """A ray where the pre-image is unbounded, else a second point as far from the first as the directions tried allow."""
    x, equality = grounds.base, grounds.equality_rows
    if isinstance(grounds.recession, RecessionDirection):
        return Witness(x, ray=RationalVector(grounds.recession.direction))
    if isinstance(grounds.recession, StrictRayFound):
        ray = grounds.recession.exact_direction()
        return None if ray is None else Witness(x, ray=RationalVector(ray))
    best: RationalVector | None = None
    reached = Fraction(-1)
    for direction in _directions(layer, equality, grounds.tight):
        step = largest_step(layer, domain, x, direction, equality)
        if step is None or step <= 0:
            continue
        distance = step * step * sum(value * value for value in direction)
        if distance > reached:
            best, reached = moved(x, direction, step), distance
    return None if best is None else Witness(x, second=best)


def _directions(layer: Layer, equality: np.ndarray, tight: Decision | None) -> Iterator[tuple[int, ...]]:
    """Integer directions along which the pre-image extends from the point."""
    if isinstance(tight, StrictRayFound):
        found = tight.exact_direction()
        if found is not None:
            yield found
        return
    matrix = layer.weight.rows(equality)
    if isinstance(tight, Tie):
        if tight.split.direction is not None:
            yield tight.split.direction
            return
        matrix = tight.system.all_rows()
    for vector in kernel_vectors(matrix, most=_DIRECTIONS if layer.inputs <= MANY_INPUTS else 1):
        yield vector
        yield tuple(-value for value in vector)


def largest_step(layer: Layer, domain: Domain, x: RationalVector, direction: tuple[int, ...], equality: np.ndarray) -> Fraction | None:
    """The largest t with x + t * direction in the pre-image of f(x) and in the domain; None if there is no largest."""
    z = layer.pre_activation(x)
    change = layer.pre_activation(RationalVector(direction))
    origin = layer.pre_activation(RationalVector((0,) * len(direction)))
    slopes = [a - b for a, b in zip(change.fractions(), origin.fractions(), strict=True)]
    limits: list[Fraction] = [
        -value / slope for value, slope, kept in zip(z.fractions(), slopes, equality.tolist(), strict=True) if slope > 0 and not kept
    ]
    inside = domain_step(domain, x, direction)
    return min([*limits, *([] if inside is None else [inside])], default=None)


def domain_step(domain: Domain, x: RationalVector, direction: tuple[int, ...]) -> Fraction | None:
    """The largest t with x + t * direction in the domain, which holds x; None if there is no largest. On a ball: a little less."""
    limits: list[Fraction] = []
    coordinates = list(zip(x.fractions(), direction, strict=True))
    if isinstance(domain, Orthant):
        limits += [value / -d for value, d in coordinates if d < 0]
    elif isinstance(domain, Box):
        bounds = zip(coordinates, domain.lower.fractions(), domain.upper.fractions(), strict=True)
        limits += [((high if d > 0 else low) - value) / d for (value, d), low, high in bounds if d]
    elif isinstance(domain, Ball) and any(direction):
        limits.append(_step_in_ball(domain.radius, x, direction))
    elif isinstance(domain, Polytope):
        for row, offset in zip(domain.rows, domain.offsets, strict=True):
            along = sum(a * d for a, d in zip(row, direction, strict=True))
            if along > 0:
                limits.append(-(sum((a * value for a, (value, _) in zip(row, coordinates, strict=True)), Fraction(offset))) / along)
    return min(limits, default=None)


def _step_in_ball(radius: Fraction, x: RationalVector, direction: tuple[int, ...]) -> Fraction:
    """The root t >= 0 of |x + t d|^2 = radius^2, or a little less, for x in the ball and d not 0."""
    size = sum(d * d for d in direction)
    along = Fraction(sum(value * d for value, d in zip(x.numerators, direction, strict=True)), x.denominator)
    rest = radius**2 - Fraction(sum(value * value for value in x.numerators), x.denominator**2)
    square = along**2 + size * rest
    scale = 1 << max(0, _STEP_BITS - (square.numerator.bit_length() - square.denominator.bit_length()) // 2)
    root = math.isqrt((square * scale**2).__floor__())
    # t = (sqrt(square) - along) / size = rest / (sqrt(square) + along): the form without cancellation, the root rounded to its safe side.
    if along <= 0:
        return (Fraction(root, scale) - along) / size
    return rest / (Fraction(root + 1, scale) + along)


def moved(x: RationalVector, direction: tuple[int, ...], step: Fraction) -> RationalVector:
    """x + step * direction."""
    return RationalVector.from_fractions(value + step * d for value, d in zip(x.fractions(), direction, strict=True))
