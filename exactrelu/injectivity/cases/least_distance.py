"""The least-norm point of a polyhedron {x : a_j x + b_j <= 0}, which decides on a ball around 0 (theory I9).

With its multipliers mu >= 0 it is x = -sum mu_j a_j, rational, and sum mu_j b_j = |x|^2. So mu is a dependency on the ball of radius r
exactly if |x| >= r; if |x| < r, points of the ball lie in the polyhedron. Its dual is a problem of non-negative least squares
(Lawson, Hanson: least distance programming), which SciPy solves in floats to propose, and the same active-set method in
rationals, where it ends with the exact point, to decide.
"""

from __future__ import annotations

import math
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.exact.linalg import solve
from exactrelu.injectivity.solver import Optimum

if TYPE_CHECKING:
    from collections.abc import Sequence

# Depths that are tried, in parts of the largest that a row can have on the ball.
_DEPTHS = (2.0**-2, 2.0**-4, 2.0**-7, 2.0**-12, 2.0**-20, 2.0**-28)
# Beyond so many entries non-negative least squares take too long, and nothing is proposed.
_LARGEST = 2**18
_FARTHEST = 1e6
_SMALLEST = 1e-12


class LeastDistance:
    """Proposals on the ball of a radius > 0 for rows a_j x + b_j, weights (m, n) and biases (m,).

    >>> distances = LeastDistance(np.array([[1.0], [-1.0]]), np.array([1.0, -1.5]), Fraction(2))
    >>> distances.maximise(np.array([True, False])).variables.round(9).tolist()
    [-1.5, 0.25]
    >>> distances.maximise(np.array([True, True])).multipliers
    array([0., 0.])
    """

    def __init__(self, weights: np.ndarray, biases: np.ndarray, radius: Fraction) -> None:
        sizes = np.linalg.norm(weights, axis=1)
        self._sizes = np.where(sizes > 0, sizes, 1.0)
        self._directions = weights / self._sizes[:, None]
        # In units of the radius, so that beyond 1 a row has one sign on the ball.
        ratios = [_nearest(Fraction(value) / radius) for value in biases.tolist()]
        self._offsets = np.clip(np.array(ratios) / self._sizes, -_FARTHEST, _FARTHEST)
        self._radius = _nearest(radius)

    def maximise(self, rows: np.ndarray) -> Optimum | None:
        """A point of the ball at which the rows of a mask (m,) are negative, and how deep, or multipliers that say there is none.

        In the shape of a linear program's optimum: the point and the depth (0: none), then the multipliers. None where nothing was found.
        """
        asked, (m, n) = np.flatnonzero(rows), self._directions.shape
        point, depth, multipliers = np.zeros(n), 1.0, np.zeros(m)
        if n * len(asked) > _LARGEST:
            return None
        if len(asked):
            try:
                found, depth, weights = self._deepest(asked)
            except RuntimeError:
                # SciPy gave up.
                return None
            if found is None:
                multipliers[asked] = weights / self._sizes[asked]
            else:
                point = self._radius * found
        return Optimum(np.append(point, depth), multipliers, np.zeros(n + 1, dtype=bool))

    def _deepest(self, asked: np.ndarray) -> tuple[np.ndarray | None, float, np.ndarray]:
        """A point of the unit ball at which the rows are below minus the depth tried, else multipliers."""
        point, weights = self._nearest_point(asked, 0.0)
        if point is not None and float(np.linalg.norm(point)) < 1:
            for depth in _DEPTHS:
                point, weights = self._nearest_point(asked, depth)
                if point is not None and float(np.linalg.norm(point)) < 1 - _SMALLEST:
                    return point, depth, weights
        return None, 0.0, weights

    def _nearest_point(self, asked: np.ndarray, depth: float) -> tuple[np.ndarray | None, np.ndarray]:
        """The least-norm point (n,) at which the rows are at most -depth, None where there is none, and multipliers of the rows."""
        from scipy.optimize import nnls

        columns = np.hstack([self._directions[asked], self._offsets[asked, None] + depth])
        target = np.zeros(columns.shape[1])
        target[-1] = 1.0
        weights, _ = nnls(columns.T, target)
        residual = target - columns.T @ weights
        return (residual[:-1] / residual[-1] if residual[-1] > _SMALLEST else None), weights


def least_norm_weights(rows: Sequence[Sequence[int]], deadline: float | None = None) -> list[Fraction] | None:
    """The multipliers of the least-norm point of {x : a_j x + b_j <= 0}, rows (a_j.., b_j), which must not be empty.

    Lawson's and Hanson's method on min |sum u_j (a_j, b_j) - (0, 1)|^2, u >= 0: every round lowers the minimum over its rows, so it
    ends. None after the deadline, a time of `time.monotonic()`.

    >>> least_norm_weights([[1, 1, 2], [1, 0, 0], [0, 0, -1]])
    [Fraction(1, 1), Fraction(0, 1), Fraction(0, 1)]
    """
    count = len(rows)
    matrix = fmpz_mat(count, len(rows[0]), [value for row in rows for value in row]) if rows else fmpz_mat(0, 0)
    gram = [[int(value) for value in line] for line in (matrix * matrix.transpose()).tolist()]
    right = [row[-1] for row in rows]
    weights = [Fraction(0)] * count
    positive: list[int] = []
    while True:
        slopes = [right[i] - sum((gram[i][j] * weights[j] for j in positive), Fraction(0)) for i in range(count)]
        entering = max((i for i in range(count) if i not in positive), key=slopes.__getitem__, default=None)
        if entering is None or slopes[entering] <= 0:
            # sum u_j b_j < 1, or else the residual were 0 and the u_j would show that there is no point.
            rest = 1 - sum((right[j] * weights[j] for j in positive), Fraction(0))
            return [value / rest for value in weights]
        positive.append(entering)
        while True:
            if deadline is not None and time.monotonic() > deadline:
                return None
            # (a_j, b_j) of the rows in `positive` are independent: the entering one is not orthogonal to the residual, the others are.
            solved = solve([[gram[i][j] for j in positive] for i in positive], [[right[i]] for i in positive])
            assert solved is not None
            target = [Fraction(value, solved[1]) for (value,) in solved[0]]
            blocking = [weights[j] / (weights[j] - value) for j, value in zip(positive, target, strict=True) if value <= 0]
            step = min(blocking, default=Fraction(1))
            for j, value in zip(positive, target, strict=True):
                weights[j] += step * (value - weights[j])
            if not blocking:
                break
            positive = [j for j in positive if weights[j] > 0]


def tight_weights(rows: Sequence[Sequence[int]]) -> list[int] | None:
    """Integers in the proportion of the multipliers of the least-norm point of {x : a_j x + b_j = 0}; None where they are not unique.

    >>> tight_weights([[3, 0, 6], [0, 1, 1]])
    [2, 3]
    """
    matrix = fmpz_mat(len(rows), len(rows[0]) - 1, [value for row in rows for value in row[:-1]])
    gram = [[int(value) for value in line] for line in (matrix * matrix.transpose()).tolist()]
    solved = solve(gram, [[row[-1]] for row in rows])
    if solved is None:
        return None
    weights = [value for (value,) in solved[0]]
    common = math.gcd(*weights) or 1
    return [value // common for value in weights]


def _nearest(value: Fraction) -> float:
    """The nearest float, a large one beyond the float range."""
    try:
        return float(value)
    except OverflowError:
        return 1e300 if value > 0 else -1e300
