"""From a point at which few rows are active to two different inputs with the same output, exactly.

Where the rows that are not negative at x, the unrectified ones and the domain's tight sides have rank below n, there is a
direction r along which nothing changes but rows that stay negative: x - s r and x + t r have the same output (theory I1, I2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import AllSpace, Polytope
from exactrelu.exact.linalg import PRIMES, Block, integer_rows, null_vectors, primes, rank_mod, regular_block, solve
from exactrelu.exact.rational import DyadicMatrix, RationalVector, stack
from exactrelu.exact.system import RowSet
from exactrelu.preimage.layer import tight_sides
from exactrelu.preimage.witness import MANY_INPUTS, largest_step, moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.injectivity.question import Question

# How many directions are tried for inputs far from one another; one where each costs a large p-adic solve.
_DIRECTIONS = 8
# Bits of a step's numerator: the largest step is rounded down to so many.
_STEP_BITS = 24
# Bits of the free coordinates of a direction that floats propose.
_DIRECTION_BITS = 10


@dataclass(frozen=True)
class Collision:
    """Two different inputs of the domain with the same output, exactly."""

    x: RationalVector
    y: RationalVector
    value: RationalVector

    @property
    def squared_distance(self) -> Fraction:
        """The square of the Euclidean distance of the two inputs, exactly."""
        p, q = self.x.denominator, self.y.denominator
        differences = (a * q - b * p for a, b in zip(self.x.numerators, self.y.numerators, strict=True))
        return Fraction(sum(value * value for value in differences), (p * q) ** 2)


def checked(question: Question, first: RationalVector, second: RationalVector) -> Collision | None:
    """The collision that two points are, or None where they are none of the domain."""
    if first == second or not question.domain.contains(first) or not question.domain.contains(second):
        return None
    value = question.layer(first)
    return Collision(first, second, value) if question.layer(second) == value else None


def collide(question: Question, x: RationalVector, towards: np.ndarray | None = None) -> Collision | None:
    """A collision along a line through x, a point of the domain; None where the rows active there have rank n.

    towards: a direction (n,) to follow as far as the active rows allow; without it several are tried.

    >>> from exactrelu import AllSpace, Layer
    >>> from exactrelu.injectivity.question import Question
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    >>> found = collide(Question(layer, AllSpace()), RationalVector((-2,)))
    >>> found.x.texts(), found.y.texts(), found.value.texts()
    (['-3'], ['0'], ['0'])
    """
    kept = kept_rows(question, x)
    n = question.n
    if kept.shape[0] >= n and rank_mod(kept, PRIMES[0]) == n:
        return None
    best: Collision | None = None
    reached = Fraction(0)
    for direction in _directions(question, kept, towards):
        found = _along(question, x, direction)
        if found is not None and found.squared_distance > reached:
            best, reached = found, found.squared_distance
    return best


def kept_rows(question: Question, x: RationalVector) -> DyadicMatrix:
    """The rows along which a direction must not change: those not negative at x, and the sides tight there."""
    layer, domain, n = question.layer, question.domain, question.n
    negative = np.array([value < 0 for value in layer.pre_activation(x).numerators], dtype=bool)
    own = layer.weight.rows((layer.rectified & ~negative & layer.weight.nonzero_rows) | ~layer.rectified)
    lower, upper = tight_sides(domain, x)
    parts = [own, DyadicMatrix(np.eye(n)[lower | upper])]
    if isinstance(domain, Polytope):
        tight = [row for row, offset in zip(domain.rows, domain.offsets, strict=True) if _is_tight(row, offset, x)]
        parts.append(DyadicMatrix.from_integers(tight, n))
    return stack([part for part in parts if part.shape[0]] or [own])


def _is_tight(row: Sequence[int], offset: int, x: RationalVector) -> bool:
    return sum(a * value for a, value in zip(row, x.numerators, strict=True)) + offset * x.denominator == 0


def _directions(question: Question, kept: DyadicMatrix, towards: np.ndarray | None) -> Iterator[tuple[int, ...]]:
    """Integer directions r with kept r = 0."""
    most = _DIRECTIONS if question.n <= MANY_INPUTS else 1
    rows = integer_rows(kept)
    for prime in primes():
        block = regular_block(kept, prime)
        found = None if towards is None else _null_vector_near(kept, rows, block, towards)
        vectors = null_vectors(rows, question.n, block, most=most) if found is None else (found,)
        if vectors is not None:
            yield from vectors
            return


def _null_vector_near(kept: DyadicMatrix, rows: Sequence[Sequence[int]], block: Block, towards: np.ndarray) -> tuple[int, ...] | None:
    """An integer null vector of the rows near the projection of a direction, in floats, to their kernel; None where that failed."""
    n = kept.shape[1]
    near = towards / max(float(np.abs(towards).max(initial=0.0)), 1e-300)
    if kept.shape[0]:
        scaled = RowSet(kept).scaled
        near = near - scaled.T @ np.linalg.lstsq(scaled.T, near, rcond=None)[0]
    largest = float(np.abs(near).max(initial=0.0))
    if not np.isfinite(near).all() or largest < 1e-6:
        return None
    rounded = [round(value) for value in (near * (2.0**_DIRECTION_BITS / largest)).tolist()]
    free = sorted(set(range(n)) - set(block.columns))
    right = [[-sum(rows[i][j] * rounded[j] for j in free)] for i in block.rows]
    solved = solve([[rows[i][j] for j in block.columns] for i in block.rows], right)
    if solved is None:
        return None
    numerators, denominator = solved
    vector = [denominator * value for value in rounded]
    for place, j in enumerate(block.columns):
        vector[j] = numerators[place][0] if right else 0
    common = math.gcd(*vector)
    if not common or any(sum(a * v for a, v in zip(row, vector, strict=True)) for row in rows):
        return None
    return tuple(value // common for value in vector)


def _along(question: Question, x: RationalVector, direction: tuple[int, ...]) -> Collision | None:
    """The two ends of the line x + t direction on which the output stays the same, as far as the domain goes."""
    layer, domain = question.layer, question.domain
    zero = RationalVector((0,) * question.n)
    slopes = [a != b for a, b in _pairs(layer.pre_activation(RationalVector(direction)), layer.pre_activation(zero))]
    constant = ~np.array(slopes, dtype=bool)
    ends = []
    for one in (tuple(-value for value in direction), direction):
        step = largest_step(layer, domain, x, one, constant | ~layer.rectified)
        # Without an end: go so far that the largest change is between 1 and 2.
        step = Fraction(2, 2 ** max(map(abs, one)).bit_length()) if step is None else shortened(step)
        ends.append(moved(x, one, step) if step else x)
    return checked(question, *ends)


def _pairs(left: RationalVector, right: RationalVector) -> Iterator[tuple[int, int]]:
    """The entries of both over one denominator."""
    for a, b in zip(left.numerators, right.numerators, strict=True):
        yield a * right.denominator, b * left.denominator


def shortened(step: Fraction) -> Fraction:
    """The step, or a little less with a short numerator and a power of two as denominator; 0 for a negative one."""
    if step.denominator.bit_length() + step.numerator.bit_length() <= 2 * _STEP_BITS or step <= 0:
        return max(step, Fraction(0))
    exponent = step.numerator.bit_length() - step.denominator.bit_length() - _STEP_BITS
    scale = Fraction(2) ** exponent
    return (step / scale).__floor__() * scale


def points_near(question: Question, x: np.ndarray) -> Iterator[RationalVector]:
    """A float point (n,) of the domain as rational points of it, rounded and drawn inside, first much and then less."""
    if not np.isfinite(x).all():
        return
    size = math.frexp(max(1.0, float(np.abs(x).max(initial=0.0))))[1]
    for bits in (8, 16, 30, 52):
        unit = 2.0 ** (size - bits)
        yield from drawn_inside(question, RationalVector.from_floats(np.rint(x / unit) * unit), (bits // 2 + 1,))


def drawn_inside(question: Question, x: RationalVector, shares: Sequence[int]) -> Iterator[RationalVector]:
    """The points of the domain a part 2^-share of the way from x to a relative interior point; x itself on all of R^n."""
    inside = question.interior
    if isinstance(question.domain, AllSpace):
        yield x
    elif inside is not None:
        for share in shares:
            pull = Fraction(1, 2**share)
            pairs = zip(x.fractions(), inside.fractions(), strict=True)
            point = RationalVector.from_fractions(value + pull * (centre - value) for value, centre in pairs)
            if question.domain.contains(point):
                yield point
