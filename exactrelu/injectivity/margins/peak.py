"""The lowest point of the highest of some rows: v = the minimum over the domain of max_j (a_j x + b_j), exactly (theory I4).

A linear program. HiGHS proposes the rows that meet at the minimum, and their multipliers. Multipliers >= 0 of sum 1 bound v below by the
infimum of one affine function, a point of the domain bounds it from above, and where both agree exactly v is known. Where the proposal
fails, at ties, the simplex method decides over the rationals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import Box, Orthant, Polytope
from exactrelu.exact.linalg import kernel_vectors, primes, regular_block, solve
from exactrelu.exact.linear_program import maximise
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.cases.oracle import Apart, Oracle
from exactrelu.injectivity.question import Question
from exactrelu.injectivity.solver import LinearProgram
from exactrelu.network.model import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.injectivity.solver import Optimum

# Entries of the exact simplex method's tableau.
_LARGEST_TABLEAU = 2**18
# How near 0 a scaled value counts as 0: a proposal.
_TIGHT = 1e-7
# Steps from flat to flat in floats.
_MOST_FLATS = 100
# Bits of the coordinates that the rows which meet leave free.
_POINT_BITS = 20


@dataclass(frozen=True)
class Peak:
    """The minimum and a point at which it is attained."""

    value: Fraction
    point: RationalVector


@dataclass(frozen=True)
class Unbounded:
    """There is no minimum: along `direction`, which never leaves the domain, all rows decrease."""

    direction: RationalVector


class Peaks:
    """Minima for one layer on all of R^n, an orthant, a box or a polytope, asked for sets of its deciding rows.

    >>> from exactrelu import AllSpace, DyadicMatrix
    >>> layer = Layer(DyadicMatrix.from_floats([[3.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [1.0]]), np.array([True, True]))
    >>> peaks = Peaks(Question(layer, AllSpace()))
    >>> peaks.lowest(np.array([True, True]))
    Peak(value=Fraction(3, 4), point=RationalVector(numerators=(1,), denominator=4))
    >>> peaks.lowest(np.array([True, False]))
    Unbounded(direction=RationalVector(numerators=(-1,), denominator=1))
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        with np.errstate(over="ignore", under="ignore"):
            # What 1 is in the scaled rows.
            self._units = np.ldexp(1.0, np.clip(-question.exponents, -200, 200))
        self._program, self._constants = _program(question, self._units)
        self._receding: Oracle | None = None
        # An integer row times this is the row, and so with its values.
        self._unit = Fraction(2) ** question.exponent

    def lowest(self, rows: np.ndarray) -> Peak | Unbounded | None:
        """The minimum for the rows of a boolean mask (m,), not all false; None where it was not found in time, or is too large a task."""
        optimum = self.propose(rows)
        if optimum is None and not isinstance(self.question.domain, Box):
            receding = self._recedes(rows)
            if receding is not None:
                return receding
        bound = None if optimum is None else self._lower_bound(rows, optimum)
        if optimum is not None and bound is not None:
            # Any point at which the rows with multipliers meet may do; at a vertex of the float solution all its tight rows meet.
            for tight in (False, True):
                point = self._point(rows, optimum, tight=tight)
                if point is not None and self._highest(rows, point) == bound:
                    return Peak(bound * self._unit, point)
        return self._by_simplex(rows)

    def propose(self, rows: np.ndarray) -> Optimum | None:
        """What HiGHS finds: the last variable is minus the minimum."""
        above = np.concatenate([np.where(rows, -self.question.biases, np.inf), self._constants])
        return self._program.maximise(above, self.question.deadline)

    def better_flat(self, rows: np.ndarray) -> list[int]:
        """Rows that span, with the unrectified ones, a flat whose minimum is lower, by steps in floats; [] where none was found.

        rows: those outside the flat to start from. At the minimum only rows above it have to be in the flat, and of those that are as
        high some may join, up to rank n - 1.
        """
        question, n = self.question, self.question.n
        scaled = question.weights
        always = np.array(question.equalities(), dtype=np.float64).reshape(-1, n)
        found: list[int] = []
        optimum = self.propose(rows)
        for _ in range(_MOST_FLATS):
            if optimum is None:
                return found
            left = question.values(optimum.variables[:n]) + self._units * optimum.variables[n]
            above = np.flatnonzero(~rows & (left > _TIGHT) & question.layer.rectified).tolist()
            multipliers = optimum.multipliers
            tight = sorted(self._tight(rows, optimum), key=multipliers.__getitem__, reverse=True)
            span = _Span(n)
            span.add(always)
            span.add(scaled[question.unrectified])
            span.add(scaled[above])
            joined = [j for j in tight if span.rank < n - 1 and span.add(scaled[[j]])]
            if not joined or span.rank > n - 1:
                return found
            outside = question.deciding & (np.abs(scaled @ span.orthogonal()) > _TIGHT)
            following = self.propose(outside) if outside.any() else None
            if following is not None and following.variables[n] <= optimum.variables[n]:
                return found
            rows, optimum, found = outside, following, [*above, *joined]
        return found

    def _recedes(self, rows: np.ndarray) -> Unbounded | None:
        """A direction of the recession cone along which all these rows decrease."""
        question = self.question
        if self._receding is None:
            layer, domain = question.layer, question.domain
            if isinstance(domain, Polytope):
                domain = Polytope(domain.rows, (0,) * len(domain.rows))
            still = Layer(layer.stored, DyadicMatrix(np.zeros((layer.outputs, 1))), layer.rectified)
            self._receding = Oracle(Question(still, domain, deadline=question.deadline))
        answer = self._receding.ask(rows, exact_point=True)
        return Unbounded(answer.exact) if isinstance(answer, Apart) and answer.exact is not None else None

    # ------------------------------------------------------------ exact arithmetic decides; values in integer rows

    def _highest(self, rows: np.ndarray, point: RationalVector) -> Fraction | None:
        """The highest of the rows at a point; None outside the domain."""
        if not self.question.domain.contains(point):
            return None
        return highest(self.question.layer, rows, point) / self._unit

    def _lower_bound(self, rows: np.ndarray, optimum: Optimum) -> Fraction | None:
        """The infimum of the mean of the rows that the proposal's multipliers name, these made exact."""
        question, n = self.question, self.question.n
        support = np.flatnonzero(rows & (optimum.multipliers[: question.m] > 0)).tolist()
        sides = np.flatnonzero(optimum.multipliers[question.m :]).tolist()
        listed = [*(question.row(j) for j in support), *(question.sides[s] for s in sides)]
        columns = np.flatnonzero(~optimum.held[:n]).tolist()
        kernel = kernel_vectors(DyadicMatrix.from_integers([[row[k] for row in listed] for k in columns], len(listed)), most=2)
        if len(kernel) != 1:
            return None
        (weights,) = kernel
        total = sum(weights[: len(support)])
        sign = -1 if total < 0 else 1
        if not total or min(sign * value for value in weights) < 0:
            return None
        *sigma, constant = [sign * sum(w * row[k] for w, row in zip(weights, listed, strict=True)) for k in range(n + 1)]
        infimum = _infimum(question, sigma)
        return None if infimum is None else (infimum + constant) / abs(total)

    def _point(self, rows: np.ndarray, optimum: Optimum, *, tight: bool) -> RationalVector | None:
        """The point at which the rows with multipliers meet, near the proposal where they leave a choice.

        tight: so do other rows that are as high there in floats, as far as they are independent.
        """
        question, n = self.question, self.question.n
        support = np.flatnonzero(rows & (optimum.multipliers[: question.m] > 0)).tolist()
        sides = np.flatnonzero(optimum.multipliers[question.m :]).tolist()
        listed = [[*question.row(j)[:n], -1, question.row(j)[n]] for j in support]
        listed += [[*question.sides[s][:n], 0, question.sides[s][n]] for s in sides]
        needed = len(listed)
        if tight:
            listed += [[*question.row(j)[:n], -1, question.row(j)[n]] for j in self._tight(rows, optimum) if j not in set(support)]
        known = self._held(optimum)
        unknown = [k for k in range(n + 1) if k not in known]
        matrix = DyadicMatrix.from_integers([[row[k] for k in unknown] for row in listed], len(unknown))
        block = regular_block(matrix, next(primes()))
        if block.rows[:needed] != tuple(range(needed)):
            return None
        listed = [listed[i] for i in block.rows]
        pivots = [unknown[k] for k in block.columns]
        for k in set(unknown) - set(pivots):
            value = float(optimum.variables[k])
            if k == n or not math.isfinite(value):
                return None
            known[k] = Fraction(round(value * 2**_POINT_BITS), 2**_POINT_BITS)
        common = math.lcm(1, *(value.denominator for value in known.values()))
        integers = {k: int(value * common) for k, value in known.items()}
        right = [[-row[n + 1] * common - sum(row[k] * value for k, value in integers.items())] for row in listed]
        solved = solve([[row[k] for k in pivots] for row in listed], right)
        if solved is None:
            return None
        numerators, denominator = solved
        for place, k in enumerate(pivots):
            known[k] = Fraction(numerators[place][0], denominator * common)
        return RationalVector.from_fractions(known[k] for k in range(n))

    def _tight(self, rows: np.ndarray, optimum: Optimum) -> list[int]:
        """The rows that are as high as any at the proposal, in floats."""
        question, n = self.question, self.question.n
        left = question.values(optimum.variables[:n]) + self._units * optimum.variables[n]
        high = (optimum.multipliers[: question.m] > 0) | (np.abs(left) < _TIGHT * (1 + np.abs(question.biases)))
        return np.flatnonzero(rows & high).tolist()

    def _held(self, optimum: Optimum) -> dict[int, Fraction]:
        """The coordinates that a bound holds."""
        domain = self.question.domain
        held = np.flatnonzero(optimum.held[: self.question.n]).tolist()
        if isinstance(domain, Orthant):
            return dict.fromkeys(held, Fraction(0))
        if not isinstance(domain, Box):
            return {}
        low, high = domain.lower.fractions(), domain.upper.fractions()
        return {k: min((low[k], high[k]), key=lambda end: abs(float(end) - float(optimum.variables[k]))) for k in held}

    def _by_simplex(self, rows: np.ndarray) -> Peak | Unbounded | None:
        """The multipliers of sum 1 with the highest bound, and their prices: a point that attains it."""
        question, n = self.question, self.question.n
        listed = [question.row(j) for j in np.flatnonzero(rows).tolist()]
        sides = question.sides
        if (n + 1) * (len(listed) + len(sides) + n + 2) > _LARGEST_TABLEAU:
            return None
        matrix = [[row[k] for row in (*listed, *sides)] for k in range(n)]
        matrix.append([1] * len(listed) + [0] * len(sides))
        found = maximise(matrix, [*[0] * n, 1], [row[n] for row in (*listed, *sides)], question.deadline)
        if found is None:
            return None
        if found.prices is None:
            # No multipliers bound the rows from below.
            return self._recedes(rows)
        point = RationalVector.from_fractions(-_fraction(value) for value in found.prices[:n])
        return Peak(highest(question.layer, rows, point), point)


class _Span:
    """An orthonormal basis in floats that grows row by row."""

    def __init__(self, n: int) -> None:
        self._basis = np.zeros((n, n))
        self.rank = 0

    def add(self, rows: np.ndarray) -> bool:
        """Whether one of these rows was not in the span."""
        before = self.rank
        for row in rows:
            known = self._basis[: self.rank]
            size = float(np.linalg.norm(row))
            left = row - known.T @ (known @ row)
            left -= known.T @ (known @ left)
            if self.rank < len(self._basis) and float(np.linalg.norm(left)) > _TIGHT * size:
                self._basis[self.rank] = left / np.linalg.norm(left)
                self.rank += 1
        return self.rank > before

    def orthogonal(self) -> np.ndarray:
        """A vector orthogonal to the span, which is not everything."""
        vector = np.random.default_rng(20_000).standard_normal(len(self._basis))
        known = self._basis[: self.rank]
        for _ in range(2):
            vector -= known.T @ (known @ vector)
            vector /= np.linalg.norm(vector)
        return np.asarray(vector)


def highest(layer: Layer, rows: np.ndarray, point: RationalVector) -> Fraction:
    """The highest of the rows of a boolean mask at a point, exactly."""
    values = layer.pre_activation(point)
    return Fraction(max(value for value, row in zip(values.numerators, rows.tolist(), strict=True) if row), values.denominator)


def _infimum(question: Question, sigma: Sequence[int]) -> Fraction | None:
    """The infimum of sigma.x over the domain, on a polytope only for sigma = 0."""
    domain = question.domain
    if isinstance(domain, Box):
        bounds = zip(sigma, domain.lower.fractions(), domain.upper.fractions(), strict=True)
        return sum((min(s * low, s * high) for s, low, high in bounds), Fraction(0))
    bounded = min(sigma, default=0) >= 0 if isinstance(domain, Orthant) else not any(sigma)
    return Fraction(0) if bounded else None


def _fraction(value: object) -> Fraction:
    return Fraction(int(value.p), int(value.q))  # type: ignore[attr-defined]


def _program(question: Question, units: np.ndarray) -> tuple[LinearProgram, np.ndarray]:
    """Maximise t subject to a_j x + b_j + t <= 0 and x in the domain; the upper bounds of a polytope's rows."""
    n, domain = question.n, question.domain
    lower, upper = np.full(n + 1, -np.inf), np.full(n + 1, np.inf)
    if isinstance(domain, Orthant):
        lower[:n] = 0.0
    elif isinstance(domain, Box):
        lower[:n], upper[:n] = domain.lower.to_float(), domain.upper.to_float()
    sides = [_to_unit(side) for side in question.sides] if isinstance(domain, Polytope) else []
    scaled = np.array(sides).reshape(-1, n + 1)
    own = np.hstack([question.weights, units[:, None]])
    return LinearProgram(np.vstack([own, np.hstack([scaled[:, :n], np.zeros((len(scaled), 1))])]), lower, upper), -scaled[:, n]


def _to_unit(side: Sequence[int]) -> list[float]:
    """The side in floats, its largest coefficient about 1."""
    largest = max(map(abs, side[:-1]), default=0) or 1
    return [float(max(min(Fraction(value, largest), Fraction(10) ** 15), Fraction(-(10**15)))) for value in side]
