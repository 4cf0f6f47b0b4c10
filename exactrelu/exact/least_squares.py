"""Whether a vector is a combination of others with weights >= 0, by non-negative least squares over the rationals (Lawson and Hanson).

The point of the cone that is closest to b is b itself, or what is left of b separates it from the cone (Farkas). Floats propose the
vectors that carry the closest point; their weights are solved for exactly, and vectors leave and join until it is found. Every step
comes closer, so that ties need no rule: no set of vectors carries twice. Where the floats are right, as nearly always, there is one step.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat, nmod_mat
from scipy.optimize import nnls

from exactrelu.exact.linalg import PRIMES, pivot_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Feasibility:
    """Either weights >= 0 with which the vectors add up to b, or prices y with vector . y >= 0 > b . y; the other is None (Farkas)."""

    weights: list[fmpq] | None
    prices: list[int] | None


def feasible(
    vectors: Sequence[Sequence[int]], right: Sequence[int], deadline: float | None, *, proposed: Iterable[int] | None = None
) -> Feasibility | None:
    """Decide which of the two there is; vectors: (w, k); right: b (k,). None where the time limit was reached.

    proposed: the vectors that carry the closest point, as far as one knows; they make it faster and change nothing else.

    >>> feasible([[1, 1], [-1, 2]], [1, 2], None)
    Feasibility(weights=[4/3, 1/3], prices=None)
    >>> feasible([[1, 1], [-1, 2]], [3, 2], None)
    Feasibility(weights=None, prices=[-1, 1])
    """
    target = fmpz_mat(len(right), 1, list(right))
    carried = _carriers(vectors, right) if proposed is None else list(proposed)
    weights: list[fmpq] | None = None
    while deadline is None or time.monotonic() <= deadline:
        carriers = _matrix([vectors[j] for j in carried], len(right))
        # The normal equations; as many independent vectors as coordinates reach b itself.
        reaching = len(carried) == len(right)
        gram, products = (carriers.transpose(), target) if reaching else (carriers * carriers.transpose(), carriers * target)
        try:
            solution = gram.solve(products)
        except ZeroDivisionError:
            # Only the proposed ones can be dependent.
            carried = _independent(vectors, carried)
            continue
        best = solution.entries()
        if any(weight <= 0 for weight in best):
            moved = _on_the_way(weights, best)
            carried, weights = [j for j, weight in zip(carried, moved, strict=True) if weight != 0], [one for one in moved if one != 0]
            continue
        left = (fmpq_mat(target) - carriers.transpose() * solution).numer_denom()[0]
        if not any(left.entries()):
            found = dict(zip(carried, best, strict=True))
            return Feasibility([found.get(j, fmpq(0)) for j in range(len(vectors))], None)
        joining = _most_acute(vectors, left)
        if joining is None:
            residual = [int(value) for value in left.entries()]
            divisor = -math.gcd(*residual)
            return Feasibility(None, [value // divisor for value in residual])
        # The carriers are orthogonal to what is left, and the joining vector is not: it is independent of them.
        carried, weights = [*carried, joining], [*best, fmpq(0)]
    return None


def _matrix(rows: Sequence[Sequence[int]], columns: int) -> fmpz_mat:
    return fmpz_mat(len(rows), columns, list(chain.from_iterable(rows)))


def _most_acute(vectors: Sequence[Sequence[int]], left: fmpz_mat) -> int | None:
    """The vector at the smallest angle, an acute one, to what is left (k, 1); None where there is none."""
    slopes = [int(value) for value in (_matrix(vectors, left.nrows()) * left).entries()]
    acute = [j for j, slope in enumerate(slopes) if slope > 0]
    return max(acute, key=lambda j: (slopes[j] << 64) // (math.isqrt(sum(value * value for value in vectors[j])) + 1), default=None)


def _on_the_way(weights: Sequence[fmpq] | None, ends: Sequence[fmpq]) -> list[fmpq]:
    """Where the first weights become 0 on the way from some weights >= 0 to others; without the former the ends above 0."""
    if weights is None:
        return [max(end, fmpq(0)) for end in ends]
    step = min(weight / (weight - end) for weight, end in zip(weights, ends, strict=True) if end <= 0)
    return [weight + step * (end - weight) for weight, end in zip(weights, ends, strict=True)]


def _independent(vectors: Sequence[Sequence[int]], chosen: Sequence[int]) -> list[int]:
    """Some of the chosen vectors that are independent: they are modulo a prime."""
    residues = [[value % PRIMES[1] for value in vectors[j]] for j in chosen]
    reduced, rank = nmod_mat(len(chosen), len(residues[0]), list(chain.from_iterable(residues)), PRIMES[1]).transpose().rref()
    return [chosen[place] for place in pivot_columns(reduced, rank)]


def _carriers(vectors: Sequence[Sequence[int]], right: Sequence[int]) -> list[int]:
    """The vectors that carry the closest point, in floats."""
    if not (vectors and right):
        return []
    try:
        weights, _ = nnls(np.column_stack([_unit(vector) for vector in vectors]), _unit(right))
    except RuntimeError:
        return []
    return np.flatnonzero(weights > 0).tolist()


def _unit(vector: Sequence[int]) -> np.ndarray:
    """A vector over its length, in floats; zeros stay zero."""
    shift = max(0, max(map(abs, vector)).bit_length() - 500)
    floats = np.array([value >> shift for value in vector], dtype=np.float64)
    return floats / max(1.0, float(np.linalg.norm(floats)))
