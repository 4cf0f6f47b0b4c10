"""Rows that are in F whatever the two inputs are: active all over the domain, or opposite pairs never negative together.

A row that is non-negative on all of the domain is a dependency alone (theory I10); rows a_i = -t a_j with b_i + t b_j >= 0 are one
together (theory I5: [B; -DB]), and being multiples of one another they are both in F.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import Ball, Box, Orthant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exactrelu.certificates.injectivity import Dependency
    from exactrelu.injectivity.question import Question


def certain_dependencies(question: Question) -> tuple[Dependency, ...]:
    """The dependencies of one row and of two opposite rows, in the order of their first rows.

    On a polytope only opposite pairs are looked for here.

    >>> from exactrelu import Box, DyadicMatrix, Layer, RationalVector
    >>> from exactrelu.injectivity.question import Question
    >>> weight, bias = DyadicMatrix.from_floats([[1.0, 0.0], [-2.0, 0.0], [0.0, 1.0]]), DyadicMatrix.from_floats([[0.0], [0.0], [1.0]])
    >>> box = Box(RationalVector((-1, -1)), RationalVector((1, 1)))
    >>> [one.rows for one in certain_dependencies(Question(Layer(weight, bias, np.array([True] * 3)), box))]
    [(0, 1), (2,)]
    """
    found = [*_always_active(question)]
    known = {one.rows[0] for one in found}
    found += [one for one in _opposite(question) if not known & set(one.rows)]
    return tuple(sorted(found, key=lambda one: one.rows))


def _always_active(question: Question) -> Iterator[Dependency]:
    """Rows whose smallest value on an orthant, a box or a ball is not negative; floats propose which."""
    domain, weights = question.domain, question.weights
    with np.errstate(all="ignore"):
        if isinstance(domain, Box):
            low, high = domain.lower.to_float(), domain.upper.to_float()
            terms = np.where(weights > 0, low, high) * weights
            lowest = np.nan_to_num(terms).sum(axis=1) + question.biases
            slack = 1e-9 * (np.nan_to_num(np.abs(terms)).sum(axis=1) + np.abs(question.biases))
        elif isinstance(domain, Orthant):
            lowest, slack = np.minimum(weights.min(axis=1, initial=0.0), question.biases), np.zeros(question.m)
        elif isinstance(domain, Ball):
            fall = domain.float_radius * np.linalg.norm(weights, axis=1)
            lowest = np.nan_to_num(question.biases - fall)
            slack = 1e-9 * (np.nan_to_num(fall) + np.abs(question.biases))
        else:
            return
    # Numbers beyond the float range say nothing: then every row is tried.
    proposed = question.deciding & ~(lowest < -slack - (0 if question.layer.weight.is_float64 else np.inf))
    for j in np.flatnonzero(proposed).tolist():
        one = question.dependency({j: 1})
        if one is not None:
            yield one


def _opposite(question: Question) -> Iterator[Dependency]:
    """Of rows on one line, the pair of opposite directions that leaves no room for both to be negative."""
    lines: dict[tuple[int, ...], list[tuple[Fraction, int]]] = {}
    for members in _parallel_candidates(question):
        for j in members:
            *weights, _ = question.row(j)
            divisor = math.gcd(*weights)
            if next(value for value in weights if value) < 0:
                divisor = -divisor
            lines.setdefault(tuple(value // divisor for value in weights), []).append((Fraction(1, divisor), j))
    for line in lines.values():
        # With s = (row / divisor).x row j is negative iff s < -b_j / d_j for d_j > 0, and s > -b_j / d_j for d_j < 0.
        rows = [(inverse, -question.row(j)[-1] * inverse, j) for inverse, j in line]
        below = min(((bound, j, inverse) for inverse, bound, j in rows if inverse > 0), default=None)
        above = max(((bound, j, inverse) for inverse, bound, j in rows if inverse < 0), default=None)
        if below is None or above is None or below[0] > above[0]:
            continue
        (_, i, first), (_, j, second) = below, above
        scale = math.lcm(first.denominator, second.denominator)
        one = question.dependency({i: int(first * scale), j: int(-second * scale)})
        assert one is not None
        yield one


def _parallel_candidates(question: Question) -> Iterator[list[int]]:
    """Groups of deciding rows that hold all rows parallel to one another; floats keep the groups small where they can."""
    rows = np.flatnonzero(question.deciding)
    weights = question.weights[rows]
    if not question.layer.weight.is_float64 or len(rows) * question.n <= 2**14:
        yield rows.tolist()
        return
    # Parallel rows agree in the ratio of two functionals, up to rounding.
    generator = np.random.default_rng(0)
    functionals = weights @ generator.standard_normal((question.n, 2))
    with np.errstate(all="ignore"):
        angle = np.arctan(functionals[:, 0] / functionals[:, 1])
    order = np.argsort(angle)
    jumps = np.flatnonzero(~(np.diff(angle[order]) < 1e-9)) + 1
    for group in np.split(rows[order], jumps):
        if len(group) > 1:
            yield group.tolist()
