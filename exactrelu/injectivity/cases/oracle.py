"""One question asked again and again: is there a point of the domain at which given rows are all negative, or a dependency among them?

Exactly one of the two holds (Motzkin). HiGHS proposes: the largest t with a_j x + b_j + t <= 0; on a ball, least distances do
(`least_distance.py`). A positive t comes with a point; else the dual values are rounded to integers, or solved for exactly on their
support, and tested in integers. Where neither stands the test, at ties, the exact simplex method decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.domain import Ball, Box, Orthant, Polytope
from exactrelu.exact.alternative import alternative
from exactrelu.exact.rational import RationalVector
from exactrelu.injectivity.cases.least_distance import LeastDistance, least_norm_weights, tight_weights
from exactrelu.injectivity.solver import LinearProgram

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exactrelu.certificates.injectivity import Dependency
    from exactrelu.injectivity.question import Question
    from exactrelu.injectivity.solver import Optimum

# A depth below which HiGHS's point is not believed; proposals only.
_SMALLEST_DEPTH = 1e-9
_ROUNDED_BITS = 30
# Entries of the exact simplex method's tableau; beyond, a tie is not decided.
_LARGEST_TABLEAU = 2**18


@dataclass(frozen=True)
class Apart:
    """A point of the domain at which the rows are negative: `exact` where that has been proved, else a float proposal."""

    point: np.ndarray
    depth: float
    exact: RationalVector | None = None


class Oracle:
    """Answers for one layer and domain; asked for sets of its deciding rows.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer
    >>> from exactrelu.injectivity.question import Question
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-3.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> oracle = Oracle(Question(layer, AllSpace()))
    >>> oracle.ask(np.array([True, True]))
    Dependency(rows=(0, 1), multipliers=(3, 1), sides=(), side_multipliers=())
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self._maximise = _least_distances(question) if isinstance(question.domain, Ball) else _program(question)

    def ask(self, rows: np.ndarray, *, exact_point: bool = False) -> Apart | Dependency | None:
        """A point at which the rows of a boolean mask (m,) are negative, or a dependency among them.

        None after the deadline, and at a tie that is too large for the exact simplex method.
        Without `exact_point` a point may be a proposal of floats.
        """
        proposal = self._propose(rows)
        if isinstance(proposal, Apart):
            if not exact_point:
                return proposal
        elif proposal is not None:
            found = self._dependency(rows, proposal)
            if found is not None:
                return found
        return self._decide(rows)

    # ------------------------------------------------------------ floats propose

    def _propose(self, rows: np.ndarray) -> Apart | Optimum | None:
        n = self.question.n
        optimum = self._maximise(rows)
        if optimum is not None and optimum.variables[n] > _SMALLEST_DEPTH:
            return Apart(optimum.variables[:n], float(optimum.variables[n]))
        return optimum

    # ------------------------------------------------------------ exact arithmetic decides

    def _dependency(self, asked: np.ndarray, optimum: Optimum) -> Dependency | None:
        question = self.question
        rows, sides = np.where(asked, optimum.multipliers[: question.m], 0.0), optimum.multipliers[question.m :]
        support = np.flatnonzero(rows)
        if not len(support):
            return None
        # A scaled row is 2^-exponent times the row.
        scales = [Fraction(2) ** -int(question.exponents[j]) for j in support]
        if isinstance(question.domain, Box | Orthant | Ball):
            unit = float(rows.max()) * 2.0**-_ROUNDED_BITS
            rounded = [Fraction(round(float(rows[j]) / unit)) * scale for j, scale in zip(support.tolist(), scales, strict=True)]
            found = question.dependency(dict(zip(support.tolist(), _cleared(rounded), strict=True)))
            if found is not None:
                return found
        if isinstance(question.domain, Ball):
            weights = tight_weights([question.row(j) for j in support.tolist()])
            found = None if weights is None else question.dependency(dict(zip(support.tolist(), weights, strict=True)))
            if found is not None:
                return found
        return dependency_on(question, support.tolist(), np.flatnonzero(sides).tolist(), ~optimum.held[: question.n])

    def _decide(self, rows: np.ndarray) -> Apart | Dependency | None:
        """The same by the exact simplex method, in the homogenised cone {(x, t) : rows <= 0, sides <= 0, t >= 0}."""
        question, n = self.question, self.question.n
        chosen = np.flatnonzero(rows).tolist()
        if (n + 1) * (len(chosen) + len(question.sides) + n + 2) > _LARGEST_TABLEAU:
            return None
        listed = [*(question.row(j) for j in chosen), *question.sides]
        slack = [[-value for value in row] for row in listed]
        slack.append([*[0] * n, 1])
        point: list[Fraction] = [Fraction(0)] * (n + 1)
        for place in range(len(chosen)):
            if sum(a * v for a, v in zip(slack[place], point, strict=True)) > 0:
                continue
            found = alternative(slack, [int(k == place) for k in range(len(slack))], question.deadline)
            if found is None:
                return None
            if found.weights is not None:
                weights = _cleared([Fraction(int(w.p), int(w.q)) for w in found.weights])
                dependency = question.dependency(
                    dict(zip(chosen, weights, strict=False)), dict(enumerate(weights[len(chosen) : len(listed)]))
                )
                assert dependency is not None
                return dependency
            point = [a + Fraction(int(b.p), int(b.q)) for a, b in zip(point, found.point, strict=True)]
        exact = self._strict_point(slack, len(chosen), point)
        if exact is not None and isinstance(question.domain, Ball):
            return self._within(question.domain.radius, chosen, exact)
        return None if exact is None else Apart(exact.to_float(), 0.0, exact)

    def _strict_point(self, slack: Sequence[Sequence[int]], count: int, point: Sequence[Fraction]) -> RationalVector | None:
        """The cone's point moved a little towards a relative interior point of the domain, which keeps the rows negative."""
        inside = self.question.interior
        if inside is None:
            return None
        towards = [*inside.fractions(), Fraction(1)]
        values = [[sum((a * v for a, v in zip(row, vector, strict=True)), Fraction(0)) for vector in (point, towards)] for row in slack]
        limits = [own / -other for own, other in values[:count] if other < 0]
        step = min([Fraction(1), *(limit / 2 for limit in limits)])
        moved = [a + step * b for a, b in zip(point, towards, strict=True)]
        return RationalVector.from_fractions(value / moved[-1] for value in moved[:-1])

    def _within(self, radius: Fraction, chosen: Sequence[int], outside: RationalVector) -> Apart | Dependency | None:
        """From a point of R^n at which the rows are negative to one of the ball, or the dependency that there is none (theory I9)."""
        question = self.question
        listed = [question.row(j) for j in chosen]
        weights = least_norm_weights(listed, question.deadline)
        if weights is None:
            return None
        nearest = [-sum((w * row[k] for w, row in zip(weights, listed, strict=True)), Fraction(0)) for k in range(question.n)]
        if _square(nearest) >= radius**2:
            dependency = question.dependency(dict(zip(chosen, _cleared(weights), strict=True)))
            assert dependency is not None
            return dependency
        # Rows that are at most 0 at one point and negative at the other are negative between; near enough to the first, in the ball.
        point = outside.fractions()
        while _square(point) >= radius**2:
            point = [(a + b) / 2 for a, b in zip(nearest, point, strict=True)]
        exact = RationalVector.from_fractions(point)
        return Apart(exact.to_float(), 0.0, exact)


def dependency_on(question: Question, support: Sequence[int], sides: Sequence[int], free: np.ndarray) -> Dependency | None:
    """The dependency of these rows and sides if their multipliers, which cancel on the free coordinates (n,), are unique up to a factor."""
    used = sides if isinstance(question.domain, Polytope) else ()
    listed = [*(question.row(j) for j in support), *(question.sides[s] for s in used)]
    columns = np.flatnonzero(free).tolist()
    matrix = fmpz_mat(len(columns), len(listed), [row[k] for k in columns for row in listed])
    basis, nullity = matrix.nullspace()
    if nullity != 1:
        return None
    values = [int(basis[i, 0]) for i in range(len(listed))]
    common = math.gcd(*values) * (-1 if sum(values) < 0 else 1)
    values = [value // common for value in values]
    return question.dependency(
        dict(zip(support, values[: len(support)], strict=True)), dict(zip(used, values[len(support) :], strict=True))
    )


def _square(x: Sequence[Fraction]) -> Fraction:
    return sum((value * value for value in x), Fraction(0))


def _cleared(values: Sequence[Fraction]) -> list[int]:
    common = math.lcm(1, *(value.denominator for value in values))
    return [int(value * common) for value in values]


def _least_distances(question: Question) -> Callable[[np.ndarray], Optimum | None]:
    """As `_program`, on a ball."""
    assert isinstance(question.domain, Ball)
    # A ball of radius 0 is one point: no rows are ever asked for there.
    radius = question.domain.radius or Fraction(1)
    return LeastDistance(question.weights, question.biases, radius).maximise


def _program(question: Question) -> Callable[[np.ndarray], Optimum | None]:
    """For a mask (m,) of rows: maximise t <= 1 subject to a_j x + b_j + t <= 0 on them and x in the domain."""
    m, n, domain = question.m, question.n, question.domain
    lower, upper = np.full(n + 1, -np.inf), np.full(n + 1, np.inf)
    upper[n] = 1.0
    if isinstance(domain, Orthant):
        lower[:n] = 0.0
    elif isinstance(domain, Box):
        lower[:n], upper[:n] = domain.lower.to_float(), domain.upper.to_float()
    sides = question.sides if isinstance(domain, Polytope) else ()
    scaled = np.array([to_unit(side) for side in sides]).reshape(-1, n + 1)
    rows = np.vstack([np.hstack([question.weights, np.ones((m, 1))]), np.hstack([scaled[:, :n], np.zeros((len(sides), 1))])])
    program = LinearProgram(rows, lower, upper)

    def maximise(asked: np.ndarray) -> Optimum | None:
        above = np.concatenate([np.where(asked, -question.biases, np.inf), -scaled[:, n]])
        return program.maximise(above, question.deadline)

    return maximise


def to_unit(side: Sequence[int]) -> list[float]:
    """The side in floats, scaled so that its largest coefficient is about 1."""
    largest = max(map(abs, side[:-1]), default=0) or 1
    return [float(max(min(Fraction(value, largest), Fraction(10) ** 15), Fraction(-(10**15)))) for value in side]
