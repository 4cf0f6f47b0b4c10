"""Two inputs with the same output as far from one another as linear programs find them.

All inputs at which the same rows are positive, with the same values, and the others are not, have one output: a polytope. Floats choose
two points of it, by maximising along the line between the two found so far, which makes the distance grow from step to step. Then
the first is rounded to short numbers, and the second is the first plus a vector of the exact kernel of the rows that must not change.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from exactrelu.domain import Ball, Box, Orthant, Polytope
from exactrelu.exact.kernel import Kernel
from exactrelu.exact.linalg import integer_rows, solve
from exactrelu.exact.rational import DyadicMatrix, RationalVector, stack
from exactrelu.exact.system import RowSet
from exactrelu.injectivity.cases.oracle import to_unit
from exactrelu.injectivity.collisions.collision import Collision, checked, drawn_inside, shortened
from exactrelu.injectivity.collisions.descent import quiet_points
from exactrelu.injectivity.solver import Region
from exactrelu.preimage.witness import largest_step, moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.injectivity.question import Question

# Beyond so many entries of a layer linear programs take minutes, and none is solved.
_MOST_ENTRIES = 2**24
# Bits of an input's numerators, and the share 2^-k by which it is drawn towards the polytope's middle first; tried in turn.
_ROUNDINGS = ((10, 5), (14, 7), (18, 10), (28, 18))
# The same for what is solved for: there a few more bits do not count, and every solution does.
_SOLVED = ((24, 8), (40, 20))
# Points beyond are left to exact arithmetic.
_LARGEST = 1e9
# How many tangents of a ball are added to find its farthest point.
_TANGENTS = 6
# What is nearer to a bound than this, relative to 1, may be held there by the other conditions.
_STUCK = 1e-7
# Beyond so many inputs a pair at a given point costs seconds.
_FEW_INPUTS = 256


class _Effort(NamedTuple):
    """How many places are tried, how many given points, and from each how many directions and how often each is improved."""

    places: int
    points: int
    starts: int
    rounds: int


# A float point, which rows are positive there, and exact points at which the same ones are.
_Place = tuple[np.ndarray, np.ndarray, tuple[RationalVector, ...]]


@np.errstate(all="ignore")  # points beyond the float range are passed over
def far_apart(question: Question, collision: Collision, points: Sequence[RationalVector] = ()) -> Collision:
    """A collision whose two inputs are at least as far apart as those of `collision`, or one at a given point.

    Where a point of the domain is given at which, or else next to which, too few rows are active, `x` is that point.

    >>> from exactrelu import Box, Layer
    >>> from exactrelu.injectivity.question import Question
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[-1.0]]), np.array([True]))
    >>> question = Question(layer, Box(RationalVector((0, 0)), RationalVector((1, 1))))
    >>> near = Collision(RationalVector((0, 0)), RationalVector((1, 1), 4), RationalVector((0,)))
    >>> float(far_apart(question, near).squared_distance) > 1.8
    True
    """
    effort = _effort(question)
    if effort is None:
        return collision
    tried = (_at_point(question, x, effort) for x in _fewest_positive(question, points)[: effort.points])
    at_points = [found for found in tried if found is not None]
    if at_points:
        return max(at_points, key=lambda found: found.squared_distance)
    for x, positive, bases in islice(_places(question, collision), effort.places):
        if np.abs(x).max() < _LARGEST:
            polytope = _SameOutput(question, x, positive)
            found = _exact_pair(polytope, polytope.farthest(effort), bases)
            if found is not None and found.squared_distance > collision.squared_distance:
                collision = found
    return collision


def _places(question: Question, collision: Collision) -> Iterator[_Place]:
    """Where to look: at the collision, and where that has positive rows at points with few of them."""
    positive = _positive(collision.value)
    yield (collision.x.to_float() + collision.y.to_float()) / 2, positive, (collision.x,)
    if positive.any():
        others = sorted(((active, k, x) for k, (x, active) in enumerate(quiet_points(question))), key=lambda place: place[:2])
        yield from ((x, question.values(x) > 0, ()) for active, _, x in others if active < question.n)


def _effort(question: Question) -> _Effort | None:
    entries = question.m * question.n
    if entries > _MOST_ENTRIES:
        return None
    if entries > 2**20:
        return _Effort(1, 1, 1, 2)
    return _Effort(2, 2, 1, 2) if entries > 2**16 else _Effort(2, 8, min(question.n, 2), 4)


def _fewest_positive(question: Question, points: Sequence[RationalVector]) -> list[RationalVector]:
    """The points with the fewest positive rows first, in floats."""
    return sorted(points, key=lambda x: int((question.values(x.to_float()) > 0).sum()))


def _positive(vector: RationalVector) -> np.ndarray:
    """Which entries are positive, a boolean mask."""
    return np.array([value > 0 for value in vector.numerators], dtype=bool)


def _at_point(question: Question, x: RationalVector, effort: _Effort) -> Collision | None:
    """A collision of the point itself, or of one drawn a little to the middle of the domain where it is the only input with its output."""
    for base in (x, *drawn_inside(question, x, (6, 3))):
        if not question.domain.contains(base) or not np.abs(base.to_float()).max() < _LARGEST:
            continue
        polytope = _SameOutput(question, base.to_float(), _positive(question.layer(base)))
        ends = polytope.farthest(effort, polytope.x)
        if ends and (found := _exact_second(polytope, base, ends[1])) is not None:
            return found
        if question.n > _FEW_INPUTS:
            break
    return None


class _SameOutput:
    """In floats, the inputs of the domain that have the output of x, where the rows `positive` (m,) are positive."""

    def __init__(self, question: Question, x: np.ndarray, positive: np.ndarray) -> None:
        self.question = question
        self.x = x
        self.equal = (positive & question.layer.rectified & question.layer.weight.nonzero_rows) | ~question.layer.rectified
        self.lower, self.upper = _bounds(question, x)
        above = question.weights @ x
        sides = question.sides if isinstance(question.domain, Polytope) else ()
        scaled = np.array([to_unit(side) for side in sides]).reshape(-1, question.n + 1)
        self._rows = np.vstack([question.weights, scaled[:, :-1]])
        self._below = np.concatenate([np.where(self.equal, above, -np.inf), np.full(len(sides), -np.inf)])
        self._above = np.concatenate([np.where(self.equal, above, np.maximum(above, -question.biases)), -scaled[:, -1]])
        self._region = Region(self._rows, self._below, self._above, self.lower, self.upper)
        self._seen = [x]

    def farthest(self, effort: _Effort, anchor: np.ndarray | None = None) -> list[np.ndarray]:
        """Two points far apart, the first of them the anchor where one is given; none where no linear program has an end."""
        generator = np.random.default_rng(0)
        best: list[np.ndarray] = []
        for _ in range(effort.starts):
            start = generator.standard_normal(self.question.n)
            for direction in (start,) if anchor is None else (start, -start):
                found = self._climbed(direction, effort.rounds, anchor)
                if _length(found) > _length(best):
                    best = found
        return best

    def _climbed(self, direction: np.ndarray, rounds: int, anchor: np.ndarray | None) -> list[np.ndarray]:
        """The ends in a direction and in its opposite, then in that of the line between them, and so on: it becomes longer each time."""
        best: list[np.ndarray] = []
        for _ in range(rounds):
            ends = [self._end(-direction) if anchor is None else anchor, self._end(direction)]
            found = [end for end in ends if end is not None]
            if len(found) < 2 or not _length(found) > _length(best) * (1 + _STUCK):
                break
            best, direction = found, found[1] - found[0]
        return best

    def _end(self, direction: np.ndarray) -> np.ndarray | None:
        domain, deadline = self.question.domain, self.question.deadline
        end = self._region.farthest(direction, deadline)
        if isinstance(domain, Ball):
            radius = domain.float_radius
            for _ in range(_TANGENTS):
                if end is None or not np.linalg.norm(end) > radius:
                    break
                self._region.cut_off(end / np.linalg.norm(end), radius)
                end = self._region.farthest(direction, deadline)
            end = None if end is None else _cut(self.x, end, radius)
        if end is not None:
            self._seen.append(end)
        return end

    @property
    def middle(self) -> np.ndarray:
        """A point between x and the points seen, so that what is tight there is likely to be tight everywhere."""
        return np.asarray((self.x + np.mean(self._seen, axis=0)) / 2)

    def kept(self) -> DyadicMatrix:
        """The rows along which the second input must not differ from the first: equal ones, and what seems to be tight everywhere."""
        question, middle = self.question, self.middle
        tight = self._rows @ middle > self._above - _STUCK
        held = (np.minimum(middle - self.lower, self.upper - middle) < _STUCK * np.maximum(1.0, np.abs(middle))) & np.isfinite(middle)
        parts = [
            question.layer.weight.rows(np.flatnonzero((self.equal | tight[: question.m]) & question.layer.weight.nonzero_rows)),
            DyadicMatrix(np.eye(question.n)[held]),
            DyadicMatrix.from_integers(
                [question.sides[s][: question.n] for s in np.flatnonzero(tight[question.m :]).tolist()] + question.equalities(), question.n
            ),
        ]
        return stack([part for part in parts if part.shape[0]] or parts[:1])


def _length(ends: Sequence[np.ndarray]) -> float:
    """The distance of two points, 0 where there are none."""
    return float(np.linalg.norm(ends[1] - ends[0])) if ends else 0.0


def _bounds(question: Question, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A box around x that holds what is looked at of the domain."""
    domain = question.domain
    if isinstance(domain, Box):
        lower, upper = domain.lower.to_float(), domain.upper.to_float()
        return np.minimum(lower, x), np.maximum(upper, x)
    reach = max(1.0, float(np.abs(x).max(initial=0.0)))
    if isinstance(domain, Ball):
        reach = min(reach, 2 * domain.float_radius)
    return (np.zeros(question.n) if isinstance(domain, Orthant) else x - reach), x + reach


def _cut(x: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    """The last point on the way from x, in the ball, to the end that is in the ball."""
    step = end - x
    a, b, c = step @ step, x @ step, x @ x - radius * radius
    root = np.sqrt(max(b * b - a * c, 0.0))
    return np.asarray(x + min(1.0, (root - b) / a if a > 0 else 1.0) * step)


# ---------------------------------------------------------------- exact arithmetic decides


def _exact_pair(polytope: _SameOutput, ends: list[np.ndarray], bases: Sequence[RationalVector]) -> Collision | None:
    """Two exact inputs near the two ends, in the shortest numbers that stand the test; or next to the second end and to a base."""
    if not ends:
        return None
    first, second = ends
    for bits, share in _ROUNDINGS:
        found = _exact_second(polytope, _rounded(_drawn(first, polytope.middle, share), bits), second, ((bits, share),))
        if found is not None:
            return found
    return next((found for base in bases for end in ends if (found := _exact_second(polytope, base, end)) is not None), None)


def _exact_second(
    polytope: _SameOutput, first: RationalVector, end: np.ndarray, roundings: Sequence[tuple[int, int]] = _ROUNDINGS
) -> Collision | None:
    """The exact first input, and one near the end that has its output."""
    question = polytope.question
    if not question.domain.contains(first):
        return None
    kept = polytope.kept()
    for bits, share in _SOLVED if kept.shape[0] else roundings:
        wanted = _drawn(end, polytope.middle, share) - first.to_float()
        step = _kernel_vector(kept, wanted, bits)
        if step is None or not any(step.numerators):
            continue
        second = _as_far_as_possible(question, first, step)
        found = None if second is None else checked(question, first, second)
        # A step that bounds cut to less than half of what was wanted was rounded too roughly.
        if found is not None and 4 * found.squared_distance >= float(wanted @ wanted):
            return found
    return None


def _drawn(x: np.ndarray, middle: np.ndarray, share: int) -> np.ndarray:
    return np.asarray(x + 2.0**-share * (middle - x))


def _rounded(x: np.ndarray, bits: int) -> RationalVector:
    unit = _unit(x, bits)
    return RationalVector.from_floats(np.rint(x / unit) * unit)


def _unit(x: np.ndarray, bits: int) -> float:
    """The power of two of which an entry of x is at most 2^bits multiples."""
    return float(np.ldexp(1.0, int(np.frexp(max(float(np.abs(x).max(initial=0.0)), 2.0**-900))[1]) - bits))


def _kernel_vector(kept: DyadicMatrix, wanted: np.ndarray, bits: int) -> RationalVector | None:
    """A vector near the one wanted on which the rows vanish: rounded where they leave it free, and solved for elsewhere."""
    if not np.isfinite(wanted).all():
        return None
    unit = _unit(wanted, bits)
    entries = [round(value) for value in (wanted / unit).tolist()]
    unit_fraction = Fraction(unit)
    if not kept.shape[0]:
        return RationalVector.from_fractions(value * unit_fraction for value in entries)
    kernel = Kernel(RowSet(kept).scaled)
    basis, pivots, free = kernel.basis.tolist(), kernel.pivots.tolist(), kernel.others.tolist()
    rows = integer_rows(kept.rows(np.array(basis, dtype=np.int64)))
    right = [[-sum(row[j] * entries[j] for j in free)] for row in rows]
    solved = solve([[row[j] for j in pivots] for row in rows], right)
    if solved is None:
        return None
    numerators, denominator = solved
    vector = [value * denominator for value in entries]
    for place, j in enumerate(pivots):
        vector[j] = numerators[place][0]
    return RationalVector.from_fractions(Fraction(value, denominator) * unit_fraction for value in vector)


def _as_far_as_possible(question: Question, first: RationalVector, step: RationalVector) -> RationalVector | None:
    """first + step, or a little less of it where a row or the domain ends before."""
    layer, n = question.layer, question.n
    change, zero = (layer.pre_activation(RationalVector(one)) for one in (step.numerators, (0,) * n))
    pairs = zip(change.numerators, zero.numerators, strict=True)
    constant = np.array([a * zero.denominator == b * change.denominator for a, b in pairs], dtype=bool)
    whole = Fraction(1, step.denominator)
    most = largest_step(layer, question.domain, first, step.numerators, constant | ~layer.rectified)
    share = whole if most is None or most >= whole else shortened(most)
    return moved(first, step.numerators, share) if share > 0 else None
