"""On R^n fewer than 2n rows never suffice: far out in one of two opposite directions fewer than n of them are active (theory I5).

Rows without a relu count too: let V be their kernel, of dimension k. Where fewer than 2k rectified rows are not constant along
V, a general v in V or its opposite makes fewer than k of them increase. Far enough along it all others are negative, and some r in
V, not 0, is orthogonal to those that increase.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import AllSpace
from exactrelu.exact.linalg import kernel_vectors
from exactrelu.exact.rational import RationalVector
from exactrelu.injectivity.collisions.descent import quiet_points
from exactrelu.preimage.witness import MANY_INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.injectivity.question import Question


def far_point(question: Question) -> RationalVector | None:
    """A point of R^n at which too few rows are active, where counting promises one; None otherwise.

    >>> from exactrelu import DyadicMatrix, Layer
    >>> from exactrelu.injectivity.question import Question
    >>> rows, biases = DyadicMatrix.from_floats([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), DyadicMatrix.from_floats([[1.0]] * 3)
    >>> question = Question(Layer(rows, biases, np.array([True] * 3)), AllSpace())
    >>> sum(value >= 0 for value in question.layer.pre_activation(far_point(question)).numerators) < 2
    True
    """
    n = question.n
    if not isinstance(question.domain, AllSpace) or n == 0:
        return None
    # With many inputs the kernel of rows without a relu costs more than it promises.
    if int(question.deciding.sum()) >= 2 * n or (len(question.unrectified) and n > MANY_INPUTS):
        return None
    rows = [question.row(j) for j in np.flatnonzero(question.deciding).tolist()]
    basis: Sequence[Sequence[int]] = ()
    if len(question.unrectified):
        basis = kernel_vectors(question.layer.weight.rows(question.unrectified))
        rows = [row for row in rows if any(_dot(row, vector) for vector in basis)]
        if len(rows) >= 2 * len(basis):
            return None
    vector, slopes = next(found for found in _directions(question, rows, basis) if all(found[1]))
    sign = -1 if 2 * sum(slope > 0 for slope in slopes) > len(slopes) else 1
    reach = max((Fraction(row[n], abs(slope)) for row, slope in zip(rows, slopes, strict=True) if sign * slope < 0), default=Fraction(0))
    length = sign * (max(0, reach.__floor__()) + 1)
    return RationalVector(tuple(length * value for value in vector))


def _directions(question: Question, rows: Sequence[Sequence[int]], basis: Sequence[Sequence[int]]) -> Iterator[tuple[list[int], list[int]]]:
    """Integer directions in V, V all of R^n where no basis is given, and the rows' slopes along them."""
    n = question.n
    if not basis:
        # Where a float search found few active rows, the system that is left to solve is small.
        for x, _ in sorted(quiet_points(question), key=lambda found: found[1])[:1]:
            vector = [round(value) for value in (x * (2.0**12 / max(float(np.abs(x).max()), 1e-300))).tolist()]
            yield vector, [_dot(row, vector) for row in rows]
    generator = np.random.default_rng(0)
    for size in (2**k for k in count(3)):
        # A row is met in at most one of 2 * size + 1 of these directions: sooner or later none is.
        factors = generator.integers(-size, size + 1, len(basis) or n).tolist()
        vector = [sum(c * v[i] for c, v in zip(factors, basis, strict=True)) for i in range(n)] if basis else factors
        yield vector, [_dot(row, vector) for row in rows]


def _dot(row: Sequence[int], vector: Sequence[int]) -> int:
    """The row's coefficients times a vector; the bias, last, is left out."""
    return sum(a * v for a, v in zip(row, vector, strict=False))
