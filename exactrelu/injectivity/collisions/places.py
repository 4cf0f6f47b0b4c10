"""Points of a domain to look for a collision at, for layers too large for dense floats: some at random, constant ones, quiet ones.

A quiet point is one at which few rows are active: steps against the gradient of a smooth count of the active rows, in floats. All
points returned are rational, with short numbers, and lie in the domain, away from its sides where it has an interior.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from exactrelu.domain import AllSpace, Ball, Box, Orthant
from exactrelu.exact.rational import RationalVector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exactrelu.domain import Domain
    from exactrelu.exact.sparse import SparseMatrix

# Shares of a box's width at which all coordinates are tried together, multiples of 1/16: constant images among them.
_LEVELS = (8, 2, 14, 5, 11)
# Products of a weight and a number that a descent may take.
_EFFORT = 2**31
_STARTS = 4
_MOST_STEPS = 400
_INSET = 2.0**-5
# Boxes beyond this are drawn from as if they ended here.
_LARGEST = 1e6
_BITS = 12


def places(
    matrix: SparseMatrix, biases: np.ndarray, rectified: np.ndarray, domain: Domain, deadline: float | None
) -> Iterator[RationalVector]:
    """Points of a box, an orthant, a ball around 0 or all of R^n; of other domains none. matrix: (m, n), the first stage's rows.

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> from exactrelu.exact.sparse import SparseMatrix
    >>> rows = SparseMatrix.from_dense(DyadicMatrix.from_floats([[1.0, 1.0]]))
    >>> box = Box(RationalVector((0, 0)), RationalVector((1, 1)))
    >>> all(box.contains(x) for x in places(rows, np.array([-1.0]), np.array([True]), box, None))
    True
    """
    n = matrix.shape[1]
    reach = 4.0 * float(np.minimum(np.abs(biases).max(initial=0.0), _LARGEST)) + 1.0
    if isinstance(domain, Box):
        low, high = (np.clip(bound.to_float(), -_LARGEST, _LARGEST) for bound in (domain.lower, domain.upper))
    elif isinstance(domain, AllSpace | Orthant | Ball):
        if isinstance(domain, Ball):
            reach = min(reach, domain.float_radius / max(1.0, float(np.sqrt(n))))
        low, high = np.full(n, 0.0 if isinstance(domain, Orthant) else -reach), np.full(n, reach)
    else:
        return
    inner, width = low + _INSET * (high - low), (1 - 2 * _INSET) * (high - low)
    generator = np.random.default_rng(0)
    found = [inner + generator.uniform(0, 1, n) * width, *(inner + level / 16 * width for level in _LEVELS)]
    yield from (x for point in found if (x := rounded(point, domain)) is not None)
    for point in _quiet(matrix, biases, rectified, inner, width, deadline):
        x = rounded(point, domain)
        if x is not None:
            yield x


def rounded(point: np.ndarray, domain: Domain) -> RationalVector | None:
    """A point of the domain near a float one, its coordinates with few bits; None where there is none near enough."""
    if not np.isfinite(point).all():
        return None
    if not isinstance(domain, Box):
        unit = np.exp2(np.floor(np.log2(max(float(np.abs(point).max(initial=0.0)), 1e-30))) - _BITS)
        x = RationalVector.from_floats(np.rint(point / unit) * unit)
        return x if domain.contains(x) else None
    result = []
    for value, low, high in zip(point.tolist(), domain.lower.fractions(), domain.upper.fractions(), strict=True):
        # A power of two not above 2^-12 of the width.
        unit = Fraction(2) ** ((high - low).numerator.bit_length() - (high - low).denominator.bit_length() - 1 - _BITS)
        near = Fraction(round(Fraction(value) / unit)) * unit
        result.append(min(max(near, low), high))
    return RationalVector.from_fractions(result)


def _quiet(
    matrix: SparseMatrix, biases: np.ndarray, rectified: np.ndarray, inner: np.ndarray, width: np.ndarray, deadline: float | None
) -> list[np.ndarray]:
    """The ends of descents on the smooth count sum of sigmoid(value / softness), rows of length 1; the softness shrinks."""
    with np.errstate(all="ignore"):
        rows, offsets = _unit_rows(matrix, biases, rectified)
        if not rows.nnz or not width.any():
            return []
        columns = csr_array(rows.T)
        low, span = inner.astype(np.float32)[:, None], width.astype(np.float32)[:, None]
        share = np.random.default_rng(1).uniform(0, 1, (len(inner), _STARTS)).astype(np.float32)
        spread = float(np.std(rows @ (low + span * share) + offsets)) + 1e-30
        momentum, second = np.zeros_like(share), np.zeros_like(share)
        steps = int(min(_MOST_STEPS, _EFFORT // (rows.nnz * _STARTS)))
        for step in range(steps):
            if deadline is not None and time.monotonic() > deadline:
                break
            softness = np.float32(0.3 * spread * 0.02 ** (step / steps))
            values = rows @ (low + span * share) + offsets
            count = 1.0 / (1.0 + np.exp(np.clip(-values / softness - 1.0, -30, 30)))
            gradient = columns @ (count * (1 - count)) * span
            # Adam's steps: every coordinate by its own measure.
            momentum += 0.1 * (gradient - momentum)
            second += 0.02 * (gradient * gradient - second)
            share = np.clip(share - 0.03 * (1 - step / steps) * momentum / (np.sqrt(second) + 1e-30), 0, 1)
        active = (rows @ (low + span * share) + offsets >= 0).sum(axis=0)
        return [inner + width * share[:, k].astype(np.float64) for k in np.argsort(active, kind="stable").tolist()]


def _unit_rows(matrix: SparseMatrix, biases: np.ndarray, rectified: np.ndarray) -> tuple[csr_array, np.ndarray]:
    """The rectified rows and their biases, (k, n) and (k, 1), each row of length 1; those that leave the range of floats left out."""
    rows = csr_array((matrix.floats, matrix.columns, matrix.starts), shape=matrix.shape)[rectified]
    sizes = np.sqrt((rows * rows).sum(axis=1))
    usable = np.flatnonzero(np.isfinite(sizes) & (sizes > 0) & np.isfinite(1.0 / sizes))
    scale = csr_array((1.0 / sizes[usable], (np.arange(len(usable)), usable)), shape=(len(usable), len(sizes)))
    return (scale @ rows).astype(np.float32), (scale @ biases[rectified])[:, None].astype(np.float32)
