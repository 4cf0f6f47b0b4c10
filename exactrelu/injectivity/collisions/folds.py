"""A collision between two regions: stages that fold the space, as an absolute value does, take the same value on both sides of the fold.

Beside each of some points the stages are one affine map. The value at one point is solved for under the map beside another; exact
evaluation says whether the solution has that value. For few inputs.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

from exactrelu.exact.linalg import PRIMES, integer_rows, regular_block, solve
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.collisions.collision import Collision
from exactrelu.injectivity.collisions.linearised import Linearised

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer

_MOST_INPUTS = 16
_MOST_POINTS = 16


def fold_collision(stages: Sequence[Layer], domain: Domain, points: Iterable[RationalVector]) -> Collision | None:
    """A collision of one of the first points, each of length n, with a solution beside another one; None where there is none.

    >>> import numpy as np
    >>> from exactrelu import AllSpace, Layer
    >>> both = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> total = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> found = fold_collision([both, total], AllSpace(), [RationalVector((3,)), RationalVector((-1,))])
    >>> found.x.texts(), found.y.texts(), found.value.texts()
    (['3'], ['-3'], ['3'])
    """
    if stages[0].inputs > _MOST_INPUTS:
        return None
    beside = [Linearised(stages, x) for x in islice(points, _MOST_POINTS) if domain.contains(x)]
    maps = [_Affine(one) for one in beside]
    for one in beside:
        for number, other in enumerate(beside):
            if all((a == b).all() for a, b in zip(one.active, other.active, strict=True)):
                continue
            y = maps[number].solution(one.output)
            if y is None or y == one.x or not domain.contains(y):
                continue
            state = y
            for stage in stages:
                state = stage(state)
            if state == one.output:
                return Collision(one.x, y, state)
    return None


class _Affine:
    """The affine map of the stages beside a point, on as many independent outputs as there are inputs."""

    def __init__(self, beside: Linearised) -> None:
        self._beside = beside
        n = len(beside.x)
        rows = [[0] * n for _ in range(beside.stages[-1].outputs)]
        self._exponent = 0
        for j in range(n):
            changed, self._exponent = beside.changes({j: 1})[-1]
            for row, value in changed.items():
                rows[row][j] = value * int(beside.active[-1][row])
        matrix = DyadicMatrix.from_integers(rows, n)
        self._rows = integer_rows(matrix)
        # integer_rows scales each row by a power of two of its own.
        self._scales = [_ratio(row, integers) for row, integers in zip(rows, self._rows, strict=True)]
        self._block = regular_block(matrix, PRIMES[0])

    def solution(self, value: RationalVector) -> RationalVector | None:
        """The one input with this value on the chosen outputs; None where they do not determine it."""
        x, n = self._beside.x, len(self._beside.x)
        if len(self._block.rows) < n:
            return None
        target, here = value.fractions(), self._beside.output.fractions()
        right = [(target[i] - here[i]) * self._scales[i] / Fraction(2) ** self._exponent for i in self._block.rows]
        cleared = RationalVector.from_fractions(right)
        solved = solve([self._rows[i] for i in self._block.rows], [[number] for number in cleared.numerators])
        if solved is None:
            return None
        numerators, denominator = solved
        steps = (Fraction(number, denominator * cleared.denominator) for (number,) in numerators)
        return RationalVector.from_fractions(a + step for a, step in zip(x.fractions(), steps, strict=True))


def _ratio(row: Sequence[int], scaled: Sequence[int]) -> Fraction:
    return next((Fraction(b, a) for a, b in zip(row, scaled, strict=True) if a), Fraction(1))
