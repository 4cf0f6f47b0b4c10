"""What floats propose about the rows of a region: rays that meet a wall first, and which rows come closest to making another redundant.

Nothing here decides. Everything is seen from a point strictly inside: a row is its unit normal a and its distance b, the region is the
set of all y with a . y <= b for every row, and distances are relative to their median.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog, nnls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row
    from exactrelu.regions.walk.rows import Rows

# Bits of a proposed direction: few, so that points on rays stay short.
_BITS = 20
# Least squares with a residual below this, relative to the target, propose a combination.
_RESIDUAL = 1e-9
# Random rays from a point, for every coordinate, and at most.
_RAYS, _MOST_RAYS = 4, 512


@dataclass(frozen=True, eq=False)
class Proposal:
    """What one row is compared with others: a direction along which it is met before them, or None where they make it redundant.

    weights: of the unit normals (others + 1,), the last of a constant, with which they come closest to the row; None where not known.
    """

    direction: Row | None
    weights: np.ndarray | None


class Floats:
    """The rows of a region, walls and then sides, around a point (z, t) where they are minus `values`; bounds: some of the sides.

    With bounds the proposals come from a linear program that keeps them apart, else from non-negative least squares, which is faster
    where there are few rows.

    >>> from exactrelu.regions.walk.rows import Rows
    >>> walls, sides = Rows(((1, 0, -1), (-1, 0, -1), (1, 1, -3)), 2), Rows(((0, 1, -1), (0, -1, -1)), 2)
    >>> square = Floats(walls, sides, [1, 1, 3, 1, 1], 1, with_bounds=False)
    >>> square.about(2, [0, 1, 3, 4]).weights[:4].round(6).tolist()
    [0.707107, 0.0, 0.707107, 0.0]
    >>> square.about(0, [3, 4]).direction
    (1048576, 0)
    """

    def __init__(self, walls: Rows, sides: Rows, values: Sequence[int], t: int, *, with_bounds: bool) -> None:
        self.walls = len(walls.forms)
        self.normals = np.vstack([walls.normals, sides.normals])
        distances = np.concatenate([walls.distances(values[: self.walls], t), sides.distances(values[self.walls :], t)])
        median = float(np.sort(distances)[len(distances) // 2]) if len(distances) else 1.0
        # Distances are in units of 2^unit.
        self.unit = int(np.frexp(median)[1]) if 0 < median < np.inf else 0
        with np.errstate(all="ignore"):
            self.distances = np.clip(np.ldexp(distances, -self.unit), 1e-30, 1e30)
        self._bounds = {self.walls + i: bound for i, bound in sides.bounds.items()} if with_bounds else {}
        self._box = np.tile([-np.inf, np.inf], (self.normals.shape[1], 1))
        for row, (column, from_above, _) in self._bounds.items():
            self._box[column, int(from_above)] = self.distances[row] if from_above else -self.distances[row]
        # As cones {(y, t)}: rows (a, -b), and (0, -1) for t >= 0, of unit length.
        self._sizes = np.append(np.hypot(1.0, self.distances), 1.0)
        self._cones = np.zeros((len(self._sizes), self.normals.shape[1] + 1))
        self._cones[:-1] = np.column_stack([self.normals, -self.distances])
        self._cones[-1, -1] = -1.0
        self._cones /= self._sizes[:, None]

    def rays(self) -> list[Row]:
        """Directions of rays, each meeting first another row, and the next one as late as possible."""
        if not self.walls:
            return []
        k = self.normals.shape[1]
        random = np.random.default_rng(0).standard_normal((min(_RAYS * k, _MOST_RAYS), k))
        directions = np.vstack([self.normals[: self.walls], random])
        slopes = directions @ self.normals.T
        every = np.arange(len(directions))
        with np.errstate(all="ignore"):
            lengths = np.where(slopes > 0, self.distances / slopes, np.inf)
            first = lengths.argmin(axis=1)
            nearest = lengths[every, first]
            lengths[every, first] = np.inf
            gap = np.where(np.isfinite(nearest), lengths.min(axis=1) / nearest, 0.0)
        best: dict[int, int] = {}
        for ray in np.argsort(-gap, kind="stable").tolist():
            if gap[ray] > 0:
                best.setdefault(int(first[ray]), ray)
        return [short for ray in best.values() if (short := shortened(directions[ray])) is not None]

    def about(self, row: int, others: Sequence[int]) -> Proposal:
        """A row compared with others, which do not contain it."""
        if self._bounds:
            return self._by_program(row, others)
        compared = [*others, -1]
        cones, target = self._cones[compared], self._cones[row]
        try:
            weights, residual = nnls(cones.T, target)
        except RuntimeError:
            return Proposal(None, None)
        direction = shortened((target - weights @ cones)[:-1]) if residual > _RESIDUAL else None
        return Proposal(direction, weights * (self._sizes[row] / self._sizes[compared]))

    def _by_program(self, row: int, others: Sequence[int]) -> Proposal:
        """The farthest point behind the row, at most twice as far as it, within the others."""
        kept = [other for other in others if other not in self._bounds]
        above = self.distances[[*kept, row]] * np.array([*(1.0 for _ in kept), 2.0])
        answer = linprog(-self.normals[row], A_ub=self.normals[[*kept, row]], b_ub=above, bounds=self._box)
        if answer.status != 0:
            return Proposal(None, None)
        if -answer.fun > self.distances[row] * (1 + _RESIDUAL):
            return Proposal(shortened(answer.x), None)
        weights = dict(zip(kept, (-answer.ineqlin.marginals).tolist(), strict=False))
        ends = np.column_stack([answer.lower.marginals, -answer.upper.marginals])
        weights |= {bound: float(ends[column, int(from_above)]) for bound, (column, from_above, _) in self._bounds.items()}
        found = np.array([*(weights[other] for other in others), self.distances[row] + answer.fun])
        return Proposal(None, np.where(found > _RESIDUAL, found, 0.0))


def shortened(direction: np.ndarray) -> Row | None:
    """The direction in integers of few bits; None where it is no direction.

    >>> shortened(np.array([1.0, -0.25])), shortened(np.zeros(2))
    ((1048576, -262144), None)
    """
    largest = np.abs(direction).max(initial=0.0)
    if not 0 < largest < np.inf:
        return None
    return tuple(np.rint(direction / largest * 2.0**_BITS).astype(np.int64).tolist())
