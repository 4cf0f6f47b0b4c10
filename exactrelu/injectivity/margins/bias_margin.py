"""How far the biases of a layer's rectified rows can be lowered together before it stops being injective: mu (theory I4).

Every collision belongs to a flat, rows on which the two inputs agree; it exists as soon as all rows outside can be negative at
once, that is for every t above v = the minimum over the domain of the highest of these rows. From a collision's v one goes on to
the layer lowered by v: it is injective, and mu = v, or a collision there belongs to a flat with a smaller v. Flats are finitely many.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.certificates import DomainLines, Vector
from exactrelu.certificates.injectivity import BiasLimitCertificate, InjectivityCertificate, Proof
from exactrelu.domain import AllSpace, Ball, Box, Orthant
from exactrelu.exact.linalg import exact_rank, kernel_vectors
from exactrelu.exact.rational import DyadicMatrix, RationalVector, format_rational, stack
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.margins.lowered import lowered, unscaled
from exactrelu.injectivity.margins.peak import Peaks, Unbounded, highest
from exactrelu.injectivity.question import Question
from exactrelu.network.model import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.domain import Domain
    from exactrelu.injectivity.answer import LayerInjectivity
    from exactrelu.injectivity.collisions.collision import Collision

# A bracket is halved until it is this part of what it was.
_BRACKET = Fraction(1, 2**20)
# How often the lower end of a bracket is sought further down.
_DESCENTS = 40


@dataclass(frozen=True, eq=False)
class Limit:
    """Three points of the domain that show a collision for every t above `value`: see `BiasLimitCertificate`."""

    value: Fraction
    point: RationalVector
    first: RationalVector
    second: RationalVector


@dataclass(frozen=True, eq=False)
class BiasMargin:
    """The largest t such that the layer with t subtracted from the biases of its rectified rows is injective on the domain.

    value: mu, None where it is infinite or only a bracket is known; infinite: "plus" (injective whatever the biases), "minus"
    (never injective), else None. low: a t at which the layer was proved injective, with `evidence`; high: a t above which it is
    not, with `limit`; where mu is known both are mu; where it is -infinity, one number far down for which that is certified.
    reason: in words, why mu is infinite or not known, and how much of that is certified.
    """

    value: Fraction | None
    infinite: str | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    evidence: Proof | None = None
    limit: Limit | None = None
    reason: str = ""

    def record(self) -> dict[str, Any]:
        """The answer in the words of the JSON interface."""
        low, value, high = (None if number is None else format_rational(number) for number in (self.low, self.value, self.high))
        return {"value": value, "low": low, "high": high, "infinite": self.infinite, "reason": self.reason or None}

    def certificates(self, *, network_sha256: str, layer_number: int, domain: Domain) -> dict[str, str]:
        """The texts of the certificates: `injective-lowered` at `low`, `bias-limit` at `high`, as far as they are known."""
        lines = DomainLines(domain.lines())
        texts = {}
        if self.evidence is not None and self.low is not None:
            proof = InjectivityCertificate(network_sha256, layer_number, self.evidence, self.low, domain=lines)
            texts["injective-lowered"] = proof.text()
        if self.limit is not None:
            point, first, second = (Vector(x.numerators, x.denominator) for x in (self.limit.point, self.limit.first, self.limit.second))
            limit = BiasLimitCertificate(network_sha256, layer_number, self.limit.value, point, first, second, domain=lines)
            texts["bias-limit"] = limit.text()
        return texts


def bias_margin(layer: Layer, domain: Domain, *, deadline: float | None = None, found: LayerInjectivity | None = None) -> BiasMargin:
    """mu, exactly where time and the domain allow it: on a ball, where it is irrational in general, a bracket.

    layer: weights (m, n); deadline: a time of `time.monotonic()`; found: the verdict on the layer itself, if it is known already.
    Raises InvalidRequestError where the domain is of another dimension, or empty. Theory I4.

    >>> from exactrelu import Layer
    >>> weight, bias = DyadicMatrix.from_floats([[3.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [1.0]])
    >>> margin = bias_margin(Layer(weight, bias, np.array([True, True])), AllSpace())
    >>> margin.value, margin.limit.point.texts()
    (Fraction(3, 4), ['1/4'])
    """
    return _Search(layer, domain, deadline, found).run()


class _Search:
    """The limit reached so far, and what was proved below it."""

    def __init__(self, layer: Layer, domain: Domain, deadline: float | None, found: LayerInjectivity | None) -> None:
        self.layer, self.domain, self.deadline = layer, domain, deadline
        self.question = Question(layer, domain, deadline=deadline)
        self.best = BiasMargin(None)
        self.found = found

    def run(self) -> BiasMargin:
        interior = self.question.interior
        if interior is None:
            return BiasMargin(None, reason="no interior point of the polytope was found")
        constant = DyadicMatrix.from_integers(self.question.equalities(), self.question.n)
        always = stack([self.layer.weight.rows(self.question.unrectified), constant])
        if exact_rank(always).rank == self.question.n:
            proof = decide_layer(self.layer, self.domain).proof
            reason = "rows without a relu, and the domain, leave no two inputs whatever the biases are"
            return BiasMargin(None, "plus", low=Fraction(0), evidence=proof, reason=reason)
        whole = stack([self.layer.weight, constant])
        if exact_rank(whole).rank < self.question.n:
            # Along the kernel of all rows the output never changes.
            ends = self._around(interior, kernel_vectors(whole, most=1)[0])
            limit = Limit(self._lowest_of_interest(), interior, *ends)
            return _never_injective(limit, "the rows' rank is lower than the number of inputs")
        receding = self._along_a_direction()
        if receding is not None:
            return receding
        direction = kernel_vectors(always)
        self._start(interior, self._generic(direction))
        self._start_below()
        if self.found is not None and self.found.proof is not None:
            self._injective_at(Fraction(0))
        if not isinstance(self.domain, Ball) and not self._is_settled():
            end, self.deadline = self.deadline, part_of_time(self.deadline, 2)
            self._descend(always, interior)
            self.deadline = end
        if not self._is_settled():
            self._bracket()
        if self.best.infinite is None and self.best.low is not None and self.best.low == self.best.high:
            self.best = replace(self.best, value=self.best.low, reason="")
        return self.best

    def _is_settled(self) -> bool:
        return self.best.infinite is not None or (self.best.low is not None and self.best.low == self.best.high)

    # ------------------------------------------------------------ limits

    def _outside(self, first: RationalVector, second: RationalVector) -> np.ndarray:
        """The rows on which two points differ."""
        zero = DyadicMatrix(np.zeros((self.layer.outputs, 1)))
        still = Layer(self.layer.stored, zero, self.layer.rectified)
        difference = RationalVector.from_fractions(a - b for a, b in zip(first.fractions(), second.fractions(), strict=True))
        return np.array([value != 0 for value in still.pre_activation(difference).numerators], dtype=bool)

    def _lower_to(self, point: RationalVector, first: RationalVector, second: RationalVector) -> None:
        """Take the limit that these three points show, if it is the lowest so far."""
        value = highest(self.layer, self._outside(first, second), point)
        if self.best.high is None or value < self.best.high:
            self.best = replace(self.best, high=value, limit=Limit(value, point, first, second))

    def _collided(self, found: Collision) -> None:
        pairs = zip(found.x.fractions(), found.y.fractions(), strict=True)
        self._lower_to(RationalVector.from_fractions((a + b) / 2 for a, b in pairs), found.x, found.y)

    def _start(self, interior: RationalVector, direction: Sequence[int]) -> None:
        self._lower_to(interior, *self._around(interior, direction))

    def _start_below(self) -> None:
        """On a bounded domain: a number so low that every row is active everywhere."""
        if isinstance(self.domain, Box):
            ends = (self.domain.lower.fractions(), self.domain.upper.fractions())
            reach = max((abs(value) for end in ends for value in end), default=Fraction(0))
        elif isinstance(self.domain, Ball):
            reach = self.domain.radius
        else:
            return
        rows, exponent = self.layer.weight.common
        largest = max((sum(map(abs, row)) for row in rows), default=0) * Fraction(2) ** exponent
        self._injective_at(self._lowest_of_interest() - (reach * largest).__ceil__())

    def _generic(self, vectors: Sequence[Sequence[int]]) -> list[int]:
        """A direction in the span of vectors on which no row vanishes that does not have to."""
        generator = np.random.default_rng(0)
        factors = generator.integers(1, 2**16, len(vectors)).tolist()
        return [sum(c * v[k] for c, v in zip(factors, vectors, strict=True)) for k in range(self.question.n)]

    def _around(self, point: RationalVector, direction: Sequence[int]) -> tuple[RationalVector, RationalVector]:
        """Two points of the domain on both sides of one in its relative interior."""
        step = Fraction(1, max(map(abs, direction)))
        while True:
            ends = [
                RationalVector.from_fractions(a + sign * step * b for a, b in zip(point.fractions(), direction, strict=True))
                for sign in (-1, 1)
            ]
            if all(map(self.domain.contains, ends)):
                return ends[0], ends[1]
            step /= 4

    # ------------------------------------------------------------ minus infinity

    def _lowest_of_interest(self) -> Fraction:
        """A whole number below every -|b_j|: to raise all biases by as much would be a lot."""
        biases, exponent = self.layer.bias.common
        largest = max((abs(bias) for (bias,) in biases), default=0) * Fraction(2) ** exponent
        return Fraction(-largest.__ceil__() - 1)

    def _along_a_direction(self) -> BiasMargin | None:
        """mu is -infinity on R^n and on an orthant if and only if the layer without biases is not injective there."""
        if not isinstance(self.domain, AllSpace | Orthant):
            return None
        still = Layer(self.layer.stored, DyadicMatrix(np.zeros((self.layer.outputs, 1))), self.layer.rectified)
        pair = decide_layer(still, self.domain, deadline=self.deadline, widen=False).collision
        if pair is None:
            return None
        middle = RationalVector.from_fractions((a + b) / 2 for a, b in zip(pair.x.fractions(), pair.y.fractions(), strict=True))
        return self._receding(Unbounded(middle), RationalVector((0,) * self.question.n), pair.x, pair.y)

    def _receding(self, along: Unbounded, start: RationalVector, first: RationalVector, second: RationalVector) -> BiasMargin:
        """Far out along a direction the rows on which two points differ are below every bound."""
        wanted = self._lowest_of_interest()
        outside = self._outside(first, second)
        step = Fraction(1)
        while True:
            pairs = zip(start.fractions(), along.direction.fractions(), strict=True)
            point = RationalVector.from_fractions(a + step * b for a, b in pairs)
            if not outside.any() or highest(self.layer, outside, point) <= wanted:
                limit = Limit(wanted, point, first, second)
                return _never_injective(limit, "along a direction of the domain too few rows stay above any bound")
            step *= 4

    # ------------------------------------------------------------ from flat to flat

    def _descend(self, always: DyadicMatrix, interior: RationalVector) -> None:
        """Lower the limit to the minimum of its flat, and see whether the layer lowered by it is injective."""
        peaks = Peaks(self.question)
        while True:
            limit = self.best.limit
            assert limit is not None
            better = peaks.better_flat(self._outside(limit.first, limit.second))
            if better:
                rows = stack([always, self.layer.weight.rows(np.array(better, dtype=np.int64))])
                self._to_minimum(peaks, [self._around(interior, vector) for vector in kernel_vectors(rows, most=1)])
            if self.best.limit is limit and not self._to_minimum(peaks, [(limit.first, limit.second)]):
                return
            if self.best.high is None or self.best.infinite is not None or self._is_late():
                return
            high = self.best.high
            if self._injective_at(high) or self.best.high == high:
                return

    def _to_minimum(self, peaks: Peaks, pairs: Sequence[tuple[RationalVector, RationalVector]]) -> bool:
        """Lower the limit to the minimum of the rows on which two points differ; whether that is known."""
        for first, second in pairs:
            lowest = peaks.lowest(self._outside(first, second))
            if isinstance(lowest, Unbounded):
                assert self.best.limit is not None
                self.best = self._receding(lowest, self.best.limit.point, first, second)
            elif lowest is not None:
                self._lower_to(lowest.point, first, second)
            return lowest is not None
        return False

    def _injective_at(self, t: Fraction) -> bool:
        """Whether the layer lowered by t is injective; the proof or the collision is kept. False too where the time ran out."""
        if t == 0 and self.found is not None and self.found.verdict != "undecided":
            result, scale = self.found, 1
        else:
            changed, scale = lowered(self.layer, t)
            result = decide_layer(changed, self.domain, deadline=self.deadline, widen=False)
        if result.collision is not None:
            self._collided(result.collision)
        if result.proof is None:
            return False
        if self.best.low is None or t > self.best.low:
            self.best = replace(self.best, low=t, evidence=unscaled(result.proof, self.question, scale))
        return True

    # ------------------------------------------------------------ a bracket

    def _bracket(self) -> None:
        """Halve the gap between a t that is proved and one that is refuted, as far as the time allows."""
        high = self.best.high
        assert high is not None
        self.best = replace(self.best, reason="only a bracket is known")
        step = Fraction(0) if high <= 0 else high
        for _ in range(_DESCENTS):
            if self.best.low is not None or self._is_late():
                break
            self._try(high - step)
            step = max(Fraction(1), abs(high), 4 * step)
        low = self.best.low
        if low is None:
            return
        # The least number that is refuted, or at which time ran out: above it nothing more is tried.
        above, width = high, (high - low) * _BRACKET
        while above - low > width and not self._is_late():
            middle = _short_between(low, above)
            above = above if self._try(middle) else middle
            assert self.best.low is not None
            assert self.best.high is not None
            low, above = self.best.low, min(above, self.best.high)

    def _try(self, t: Fraction) -> bool:
        """Whether a part of the time that is left suffices for a proof at t, or a lower limit."""
        before = self.best.high
        end, self.deadline = self.deadline, part_of_time(self.deadline, 4)
        proved = self._injective_at(t)
        self.deadline = end
        return proved or self.best.high != before

    def _is_late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline


def _never_injective(limit: Limit, why: str) -> BiasMargin:
    """mu is -infinity: a limit can be certified at one number, while `why` holds for all and has no certificate."""
    reason = f"{why} (certified for t above {format_rational(limit.value)} alone; for every t by this argument, without a certificate)"
    return BiasMargin(None, "minus", high=limit.value, limit=limit, reason=reason)


def part_of_time(deadline: float | None, parts: int) -> float | None:
    """The end of one of so many equal parts of the time that is left."""
    if deadline is None:
        return None
    now = time.monotonic()
    return now + max(0.0, deadline - now) / parts


def _short_between(low: Fraction, high: Fraction) -> Fraction:
    """A dyadic number near the middle."""
    gap = high - low
    bits = max(0, 3 + gap.denominator.bit_length() - gap.numerator.bit_length())
    return Fraction(((low + high) / 2 * 2**bits).__floor__(), 2**bits)
