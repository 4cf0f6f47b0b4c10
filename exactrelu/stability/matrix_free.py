"""Singular values of a linearisation too large to be a matrix: products with vectors alone, and what these prove (theory S3).

Lanczos iterations on A^T A, A^T A v computed layer by layer, propose a number theta and a vector v. The product is then computed again with
a proved error, and these hold, r = A^T A v - theta v:

- some eigenvalue of A^T A is within |r| / |v| of theta (the residual bound for symmetric matrices): an interval that holds a singular
  value, where those of a matrix with fewer rows than columns are taken to end in zeros;
- sigma_max is at least |A v| / |v|, and the n-th singular value, n the number of inputs, at most that;
- sigma_max is at most the product of bounds of the layers' norms.

Of a linearisation that fits in memory as a sparse matrix of full rank, both ends of the spectrum are proved as well (`full_rank`). Not
proved, of any other: that the largest proposal is near sigma_max, and any positive lower bound of the smallest singular value, for which
all of the matrix would have to be seen. In no case is it proved how many singular values an interval holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.exact.enclosed import EnclosedMatrix, frobenius
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.rounding import UPWARDS
from exactrelu.stability.answer import Interval, interval_texts, square_root
from exactrelu.stability.full_rank import ends
from exactrelu.stability.linearisation import structural_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.stability.linearisation import Step

_DOWNWARDS = 1 - 2.0**-29
_SEED = 0


@dataclass(frozen=True, eq=False)
class Operator:
    """A_P as products with vectors: steps with masks of active rows."""

    steps: tuple[Step, ...]
    masks: tuple[np.ndarray, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.masks[-1].sum()), self.steps[0].layer.inputs

    def times(self, v: EnclosedMatrix) -> EnclosedMatrix:
        """A v, the active rows, for (n, k)."""
        columns = None
        for step, mask in zip(self.steps, self.masks, strict=True):
            v, columns = step.factor.times(v, columns).rows(mask), mask
        return v

    def transposed_times(self, u: EnclosedMatrix) -> EnclosedMatrix:
        """A^T u for (active rows, k)."""
        for place in range(len(self.steps) - 1, -1, -1):
            u = self.steps[place].factor.transposed.times(u, self.masks[place])
            u = u.rows(self.masks[place - 1]) if place else u
        return u

    @property
    def norm_upper(self) -> Fraction:
        """A bound of sigma_max from the layers' norms."""
        bound = Fraction(1)
        for step in self.steps:
            bound *= Fraction(step.factor.norm + step.factor.error) * Fraction(2) ** step.factor.exponent
        return bound


@dataclass(frozen=True, eq=False)
class ExtremeValues:
    """What is proved without singular vectors: intervals that hold a singular value each, bounds of the largest, one of the n-th.

    sigma_min: bounds of the smallest singular value that is not 0, where the rank is proved to be full.
    """

    held: tuple[Interval, ...]
    sigma_max: Interval
    last_upper: Fraction
    rank: tuple[int, int]
    sigma_min: Interval | None = None

    agrees = None

    @property
    def exact_rank(self) -> int | None:
        return self.rank[0] if self.rank[0] == self.rank[1] else None

    def record(self) -> dict[str, Any]:
        """The object of the JSON result; what is not known is null."""
        condition = None
        if self.sigma_min is not None:
            (low, high), (least, most) = self.sigma_max, self.sigma_min
            condition = interval_texts((max(low / most, Fraction(1)), high / least))
        return {
            "rank": self.exact_rank,
            "rank_bounds": list(self.rank),
            "sigma_max": interval_texts(self.sigma_max),
            "sigma_min": None if self.sigma_min is None else interval_texts(self.sigma_min),
            "condition": condition,
            "sigma": None,
            "below": {},
            "numeric_rank": None,
            "agrees": None,
            "matrix_free": {
                "held": [interval_texts(one) for one in self.held],
                "last_upper": interval_texts((Fraction(0), self.last_upper))[1],
            },
        }


def extreme_values(
    steps: Sequence[Step], masks: Sequence[np.ndarray], matrix: EnclosedMatrix | None = None, *, count: int = 6, most_bytes: int = 2**32
) -> ExtremeValues:
    """The `count` largest singular values, or so, of the linearisation of steps with masks of active rows, and what is proved of them.

    matrix: its active rows, where they fit in memory. most_bytes: that a factorisation of their Gram matrix may take.

    >>> from exactrelu import Layer
    >>> from exactrelu.stability.linearisation import Step
    >>> layer = Layer(DyadicMatrix.from_floats(np.diag([3.0, 2.0, 1.0])), DyadicMatrix.from_floats(np.ones((3, 1))), np.ones(3, bool))
    >>> found = extreme_values((Step(layer),), (np.ones(3, bool),), count=1)
    >>> [round(float(end), 6) for end in found.held[0]], found.sigma_max[0] <= 3 <= found.sigma_max[1], float(found.last_upper) < 1.001
    ([3.0, 3.0], True, True)
    """
    operator = Operator(tuple(steps), tuple(masks))
    m, n = operator.shape
    most = structural_bound(operator.steps, operator.masks)
    held, largest, last = [], Fraction(0), operator.norm_upper
    for vector in _proposed(operator, count) if m else ():
        interval, (lower, upper) = _proved(operator, vector)
        held.append(interval)
        largest, last = max(largest, lower), min(last, upper)
    if m < n:
        last = Fraction(0)
    top, least, smallest = operator.norm_upper, int(largest > 0), None
    found = ends(matrix, largest, most_bytes=most_bytes) if matrix is not None and largest else None
    if found is not None and found.upper is not None:
        top = min(top, found.upper)
    if found is not None and found.last is not None:
        least = found.count
        # Where no rank is larger, this is the last singular value that is not 0.
        smallest = found.last if least == most else None
        last = min(last, found.last[1]) if least == n else last
    return ExtremeValues(tuple(sorted(held, reverse=True)), (largest, top), last, (least, most), smallest)


def _proposed(operator: Operator, count: int) -> list[np.ndarray]:
    """Vectors close to right singular vectors of the largest singular values, and to one of the smallest, by Lanczos."""
    from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigsh

    n = operator.shape[1]

    start = np.random.default_rng(_SEED).standard_normal(n)
    shift = _gram_times(operator, start).exponent

    def gram(v: np.ndarray) -> np.ndarray:
        """A^T A v in floats, scaled so that it is neither huge nor tiny."""
        image = _gram_times(operator, v)
        return np.asarray(np.ldexp(image.floats[:, 0], image.exponent - shift))

    if n <= max(2 * count, 20):
        whole = np.stack([gram(unit) for unit in np.eye(n)])
        vectors = np.linalg.eigh((whole + whole.T) / 2)[1].T
        return [*vectors[::-1][:count], vectors[0]]
    linear = LinearOperator((n, n), matvec=gram, dtype=np.float64)
    found: list[np.ndarray] = []
    for which, k in (("LA", count), ("SA", 1)):
        try:
            found += list(eigsh(linear, k=k, which=which, v0=start, maxiter=20 * k)[1].T)
        except ArpackNoConvergence as stopped:
            found += list(stopped.eigenvectors.T)
        except ArpackError:
            # A matrix of zeros has no direction to start in.
            found.append(start)
    return found


def _gram_times(operator: Operator, v: np.ndarray) -> EnclosedMatrix:
    return operator.transposed_times(operator.times(_vector(v)))


def _vector(v: np.ndarray) -> EnclosedMatrix:
    return EnclosedMatrix.of(DyadicMatrix(v.reshape(-1, 1)))


def _proved(operator: Operator, v: np.ndarray) -> tuple[Interval, Interval]:
    """(an interval that holds a singular value, bounds of |A v| / |v|)."""
    # The vector that all is proved of is the one that scaling has left.
    scaled = _vector(v)
    unit = EnclosedMatrix(scaled.floats, scaled.exponent)
    image = operator.times(unit)
    length = frobenius(image.floats)
    own = frobenius(unit.floats)
    scale = Fraction(2) ** (image.exponent - unit.exponent)
    # A computed norm is at most UPWARDS too large, on either side.
    ratio = [
        max(Fraction(length * _DOWNWARDS) - Fraction(image.error), Fraction(0)) / Fraction(own) * scale,
        (Fraction(length) + Fraction(image.error)) / Fraction(own * _DOWNWARDS) * scale,
    ]
    back = operator.transposed_times(image)
    theta = (length / own) ** 2
    # In units of 2^shift v: r = A^T A v - theta v, each entry with three roundings of numbers of that size.
    with np.errstate(over="ignore"):
        target = np.ldexp(theta * unit.floats, 2 * image.exponent - unit.exponent - back.exponent)
    rounding = 2.0**-50 * (frobenius(target) + frobenius(back.floats))
    if not np.isfinite(target).all():
        return (Fraction(0), operator.norm_upper), (ratio[0], ratio[1])
    residual = (frobenius(back.floats - target) + back.error + rounding) * UPWARDS
    radius = Fraction(residual) * Fraction(2) ** (back.exponent - unit.exponent) / Fraction(own * _DOWNWARDS)
    centre = Fraction(theta) * scale**2
    return (square_root(max(centre - radius, Fraction(0)))[0], square_root(centre + radius)[1]), (ratio[0], ratio[1])
