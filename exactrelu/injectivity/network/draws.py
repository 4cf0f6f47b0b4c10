"""Inputs of a domain at which to look for a collision: given ones, then drawn ones with few digits, the same at every run."""

from __future__ import annotations

import math
from itertools import chain, repeat
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import Ball, Box, Orthant, Polytope
from exactrelu.exact.rational import RationalVector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.domain import Domain
    from exactrelu.injectivity.question import Question

_SIZES = (1.0, 0.25, 4.0, 0.0625, 16.0)
_DIGITS = 12
_DRAWS = 2000


def inputs(question: Question, given: Sequence[RationalVector] = ()) -> Iterator[RationalVector]:
    """Those of the given points that lie in the question's domain, one of its relative interior, and drawn ones.

    >>> from exactrelu import DyadicMatrix, Layer, Orthant
    >>> from exactrelu.injectivity.question import Question
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, 2.0]]), DyadicMatrix.from_floats([[0.0]]), np.ones(1, bool))
    >>> found = inputs(Question(layer, Orthant()), [RationalVector((0, -1))])
    >>> next(found).texts(), Orthant().contains(next(found))
    (['1', '1'], True)
    """
    domain, inside = question.domain, question.interior
    yield from filter(domain.contains, given)
    if inside is None:
        return
    yield inside
    if isinstance(domain, Polytope) and question.flats:
        return
    fixed, exact = set(question.fixed.tolist()), inside.fractions()
    random = np.random.default_rng(0)
    for size in chain.from_iterable(repeat(_SIZES, _DRAWS // len(_SIZES))):
        drawn = _drawn(domain, inside.to_float(), size, random)
        if np.isfinite(drawn).all():
            values = RationalVector.from_floats(_rounded(drawn)).fractions()
            x = RationalVector.from_fractions(exact[j] if j in fixed else value for j, value in enumerate(values))
            if domain.contains(x):
                yield x


def _drawn(domain: Domain, inside: np.ndarray, size: float, random: np.random.Generator) -> np.ndarray:
    """A float point (n,), of the domain unless it is a polytope."""
    n = len(inside)
    if isinstance(domain, Box):
        low, high = domain.lower.to_float(), domain.upper.to_float()
        return np.asarray(low + (high - low) * random.random(n))
    normal = random.standard_normal(n)
    if isinstance(domain, Ball):
        return np.asarray(normal * (domain.float_radius * random.random() / max(float(np.linalg.norm(normal)), 1e-300)))
    if isinstance(domain, Orthant):
        return np.abs(normal) * size
    return np.asarray(inside + normal * size)


def _rounded(x: np.ndarray) -> np.ndarray:
    largest = float(np.abs(x).max(initial=0.0))
    unit = math.ldexp(1.0, max(math.frexp(largest)[1] - _DIGITS, -1000))
    return np.asarray(np.rint(x / unit) * unit)
