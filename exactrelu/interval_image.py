"""The interval image of a network's domain at a layer: between which exact bounds each of the layer's inputs lies, layer by layer.

Intervals are pushed through the lowered layers before the one asked about: with centre c and radius r the values of W x + b lie in
W c + b -+ |W| r, and every bound is attained by some point of the box before. So it is for activations of several pieces, which are
two relus of one function (clip, abs, leaky relu); pooling, lowered to relus of differences, gets wider intervals than its values take.
What the layers together can reach may be smaller still (theory I10). An interval may be unbounded on either side; a finite bound is
a rational number without rounding.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import AllSpace, Ball, Box, Domain, Orthant, Polytope, parse_domain
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.exact.sparse import SparseMatrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from exactrelu.network.model import Layer, Network, SourceLayer

IMAGE_NOTE = (
    "The domain is an interval image of inputs of the network: it may hold more than the values that the network takes there, "
    "so that a collision found in it need not be reachable by the network."
)
# Bits of a ball's bounds, which are irrational as a rule.
_BALL_BITS = 64
# Numbers in a polytope's sides.
_LARGEST_POLYTOPE = 2**22


def domain_for(text: str, network: Network, source: SourceLayer) -> Domain:
    """The domain that the words name for a source layer: `image:D` with D a domain of the network, or as `parse_domain` reads them.

    Raises as `parse_domain` and `interval_image` do.

    >>> from exactrelu import demo, load
    >>> network = load(demo.MODEL)
    >>> domain_for("image:box:0,1", network, network.layer(2)).describe()
    'image:box:0,1'
    """
    kind, _, rest = text.partition(":")
    if kind != "image":
        return parse_domain(text, source.inputs)
    return replace(interval_image(network, source, parse_domain(rest, network.inputs)), written=text)


def interval_image(network: Network, source: SourceLayer, domain: Domain) -> Domain:
    """The interval image of a domain of the network, in R^n, under the layers before a source layer: a set of that layer's inputs.

    For a layer that takes the network's input it is the domain itself. Otherwise a box where all intervals are bounded, all of
    R^m where none is, the orthant where each is [0, inf), else a polytope with a side for every finite bound. The first layer's bounds on a
    ball, -+ radius * |a_i|, are rounded outwards to 64 bits where they are irrational; all others are exact.

    Raises InvalidRequestError where the domain is of another dimension or empty, for a polytope with a side of several coefficients,
    and where the polytope that comes out would be too large.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> first, second = (Layer(DyadicMatrix.from_floats([[1.0, -2.0]] * k), DyadicMatrix.from_floats([[0.5]] * k), np.ones(k, dtype=bool))
    ...     for k in (2, 1))
    >>> chain = (SourceLayer(1, "first", (first,), 0), SourceLayer(2, "second", (second,), 1))
    >>> found = interval_image(Network((first, second), chain, (), (2,)), chain[1], Box(RationalVector((0, 0)), RationalVector((1, 1), 3)))
    >>> found.lower.texts(), found.upper.texts()
    (['0', '0'], ['5/6', '5/6'])
    """
    domain.check_dimension(network.inputs)
    if source.depth == 0 and source.select is None:
        return domain
    if isinstance(domain, Polytope) and any(sum(map(bool, row)) > 1 for row in domain.rows):
        raise InvalidRequestError(
            "the interval image of a polytope is available only where each of its sides has one coefficient that is not 0; "
            "use a box around it, box:FILE.npz"
        )
    given, layers = _of_domain(domain, network.inputs), network.layers[: source.depth]
    (intervals,) = deque(chain([given], _reached(layers, domain, joined=True)), maxlen=1)
    return _as_domain(intervals if source.select is None else intervals.at(source.select))


class IntervalImages:
    """The interval images of a domain at one lowered layer after the other, as section 4.14 of proofs/FORMAT.md defines them.

    Two relus of one function are not joined, and sides of a polytope with several coefficients are left out: the sets hold what they must,
    but may be larger than those of `interval_image`.

    >>> from exactrelu import DyadicMatrix, Layer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.5]]), np.array([True, False]))
    >>> image = IntervalImages([layer], Box(RationalVector((-1,)), RationalVector((2,)))).before(1)
    >>> image.lower.texts(), image.upper.texts()
    (['0', '-3/2'], ['2', '3/2'])
    """

    def __init__(self, layers: Sequence[Layer], domain: Domain) -> None:
        self._reached = _reached(layers, domain, joined=False)
        self._known: list[_Intervals] = []

    def before(self, number: int) -> Domain | None:
        """What holds all inputs of a layer but the first, which is number 0; None where it is a polytope that would be too large."""
        self._known.extend(islice(self._reached, number - len(self._known)))
        try:
            return _as_domain(self._known[number - 1])
        except InvalidRequestError:
            return None


def _reached(layers: Iterable[Layer], domain: Domain, *, joined: bool) -> Iterator[_Intervals]:
    """The intervals of the outputs of each layer; joined: exact ones where a row is a function of two relus of one function."""
    before: tuple[Layer, _Intervals] | None = None
    intervals: _Intervals | None = None
    for layer in layers:
        if intervals is None and isinstance(domain, Ball):
            values = _on_ball(layer, domain.radius)
        else:
            values = _pushed(layer, intervals or _of_domain(domain, layer.inputs))
        if joined and before is not None:
            values = _of_two_relus(layer, *before, values)
        before, intervals = (layer, values), _after_relu(layer, values)
        yield intervals


@dataclass(frozen=True, eq=False)
class _Intervals:
    """[low / denominator, high / denominator] in every coordinate; a bound at which `below` or `above` is set is infinite, its number 0."""

    low: list[int]
    high: list[int]
    denominator: int
    below: np.ndarray
    above: np.ndarray

    def at(self, select: np.ndarray) -> _Intervals:
        """The coordinates select[0], select[1], .."""
        chosen = select.tolist()
        low, high = [self.low[i] for i in chosen], [self.high[i] for i in chosen]
        return _Intervals(low, high, self.denominator, self.below[select], self.above[select])


def _of_domain(domain: Domain, n: int) -> _Intervals:
    """Intervals that hold the domain's coordinates; of a polytope, what the sides with one coefficient say."""
    lower: list[Fraction | None] = [None] * n
    upper: list[Fraction | None] = [None] * n
    if isinstance(domain, Box):
        lower, upper = [*domain.lower.fractions()], [*domain.upper.fractions()]
    elif isinstance(domain, Orthant):
        lower = [Fraction(0)] * n
    elif isinstance(domain, Ball):
        lower, upper = [-domain.radius] * n, [domain.radius] * n
    elif isinstance(domain, Polytope):
        for row, offset in zip(domain.rows, domain.offsets, strict=True):
            _add_side(row, offset, lower, upper)
    denominator = math.lcm(1, *(bound.denominator for bound in (*lower, *upper) if bound is not None))
    low, high = ([0 if bound is None else int(bound * denominator) for bound in bounds] for bounds in (lower, upper))
    below, above = (np.array([bound is None for bound in bounds], dtype=bool) for bounds in (lower, upper))
    return _Intervals(low, high, denominator, below, above)


def _add_side(row: Sequence[int], offset: int, lower: list[Fraction | None], upper: list[Fraction | None]) -> None:
    """The bound that a side row.x + offset <= 0 is, if it has one coefficient."""
    used = [j for j, a in enumerate(row) if a]
    crossed = not used and offset > 0
    for j in used if len(used) == 1 else ():
        bound = Fraction(-offset, row[j])
        low, high = lower[j], upper[j]
        if row[j] > 0:
            upper[j] = high = bound if high is None else min(bound, high)
        else:
            lower[j] = low = bound if low is None else max(bound, low)
        crossed = low is not None and high is not None and low > high
    if crossed:
        raise InvalidRequestError("the domain is empty: no point satisfies all sides of the polytope; correct its A or b")


def _pushed(layer: Layer, given: _Intervals) -> _Intervals:
    """The intervals of W x + b."""
    weight = _sparse(layer)
    positive = _is_positive(weight)
    # Twice centre and radius; an unbounded interval has its finite end, or 0, as centre, and the radius 0.
    bounded = (~(given.below | given.above)).tolist()
    centres = [low + high if inside else 2 * (low or high) for low, high, inside in zip(given.low, given.high, bounded, strict=True)]
    radii = [high - low if inside else 0 for low, high, inside in zip(given.low, given.high, bounded, strict=True)]
    (middle, first), (reach, second) = weight.times(centres), _absolute(weight).times(radii)
    biases, third = layer.bias.common
    exponent = min(first, second, third)
    scale = 2 * given.denominator << (third - exponent)
    middle = [(value << (first - exponent)) + bias * scale for value, (bias,) in zip(middle, biases, strict=True)]
    reach = [value << (second - exponent) for value in reach]
    below, above = (
        _rows_with(weight, np.where(positive, same[weight.columns], other[weight.columns]))
        for same, other in ((given.below, given.above), (given.above, given.below))
    )
    return _around(middle, reach, 2 * given.denominator, exponent, below, above)


def _on_ball(layer: Layer, radius: Fraction) -> _Intervals:
    """The intervals of W x + b for |x| <= radius: b_i -+ radius |a_i|, rounded outwards."""
    weight = _sparse(layer)
    roots = []
    for i in range(layer.outputs):
        _, integers, exponent = weight.integer_row(i)
        square = radius.numerator**2 * sum(value * value for value in integers)
        # What is rounded does not depend on how the row is written: a number that is no multiple of 4.
        fours = ((square & -square).bit_length() - 1) // 2 if square else 0
        square >>= 2 * fours
        more = max(0, _BALL_BITS - square.bit_length() // 2)
        roots.append((math.isqrt((square << 2 * more) - 1) + 1 if square else 0, exponent + fours - more))
    biases, low = layer.bias.common
    exponent = min([low, *(own for _, own in roots)])
    middle = [bias * radius.denominator << (low - exponent) for (bias,) in biases]
    reach = [root << (own - exponent) for root, own in roots]
    never = np.zeros(layer.outputs, dtype=bool)
    return _around(middle, reach, radius.denominator, exponent, never, never)


def _of_two_relus(layer: Layer, before: Layer, given: _Intervals, pushed: _Intervals) -> _Intervals:
    """Exact intervals for the rows that are c relu(z) + d relu(+-z + u) + b, z a row of the layer before and `given` its intervals."""
    weight, inner = _sparse(layer), _sparse(before)
    pairs = np.flatnonzero(np.diff(weight.starts) == 2)
    ends = weight.columns[weight.starts[pairs][:, None] + np.arange(2)]
    both = before.rectified[ends].all(axis=1)
    low, high, below, above = [*pushed.low], [*pushed.high], pushed.below.copy(), pushed.above.copy()
    for i in pairs[both].tolist():
        (p, q), factors, exponent = weight.integer_row(i)
        sign = _sign_between(inner, p, q)
        if sign == 0:
            continue
        first, second = (factor * Fraction(2) ** exponent for factor in factors)
        shift = _bias(before, q) - sign * _bias(before, p)
        left = None if given.below[p] else Fraction(given.low[p], given.denominator)
        right = None if given.above[p] else Fraction(given.high[p], given.denominator)
        kinks = [z for z in (Fraction(0), -sign * shift) if (left is None or left < z) and (right is None or z < right)]
        at = [*kinks, *(z for z in (left, right) if z is not None)]
        values = [first * max(z, Fraction(0)) + second * max(sign * z + shift, Fraction(0)) + _bias(layer, i) for z in at]
        # The slopes far out, away from 0.
        far = [*([first + second * (sign > 0)] if right is None else []), *([second * (sign < 0)] if left is None else [])]
        below[i], above[i] = any(slope < 0 for slope in far), any(slope > 0 for slope in far)
        low[i] = 0 if below[i] else int(min(values) * pushed.denominator)
        high[i] = 0 if above[i] else int(max(values) * pushed.denominator)
    return _Intervals(low, high, pushed.denominator, below, above)


def _sign_between(matrix: SparseMatrix, p: int, q: int) -> int:
    """The sign with which row q is row p, 0 if it is neither p nor -p."""
    (columns, values, exponent), (others, compared, own) = matrix.integer_row(p), matrix.integer_row(q)
    if columns != others or exponent != own:
        return 0
    return 1 if values == compared else -1 if values == [-value for value in compared] else 0


def _bias(layer: Layer, i: int) -> Fraction:
    (value,), exponent = layer.bias.integer_row(i)
    return value * Fraction(2) ** exponent


def _around(
    middle: Sequence[int], reach: Sequence[int], denominator: int, exponent: int, below: np.ndarray, above: np.ndarray
) -> _Intervals:
    """(middle -+ reach) * 2^exponent / denominator, infinite where marked."""
    up, down = max(0, exponent), max(0, -exponent)
    low = [0 if free else (c - r) << up for c, r, free in zip(middle, reach, below.tolist(), strict=True)]
    high = [0 if free else (c + r) << up for c, r, free in zip(middle, reach, above.tolist(), strict=True)]
    return _Intervals(low, high, denominator << down, below, above)


def _after_relu(layer: Layer, given: _Intervals) -> _Intervals:
    relu = layer.rectified.tolist()
    low = [max(value, 0) if kept else value for value, kept in zip(given.low, relu, strict=True)]
    high = [max(value, 0) if kept else value for value, kept in zip(given.high, relu, strict=True)]
    return _Intervals(low, high, given.denominator, given.below & ~layer.rectified, given.above)


def _sparse(layer: Layer) -> SparseMatrix:
    return layer.stored if isinstance(layer.stored, SparseMatrix) else SparseMatrix.from_dense(layer.stored)


def _is_positive(weight: SparseMatrix) -> np.ndarray:
    """Of every entry, whether it is above 0."""
    return np.asarray(~np.signbit(weight.floats) if weight.integers is None else (weight.integers > 0).astype(bool))


def _absolute(weight: SparseMatrix) -> SparseMatrix:
    integers = None if weight.integers is None else np.abs(weight.integers)
    return replace(weight, floats=np.abs(weight.floats), integers=integers)


def _rows_with(weight: SparseMatrix, marked: np.ndarray) -> np.ndarray:
    """Which rows hold a marked entry, a boolean mask (m,)."""
    rows = np.zeros(weight.shape[0], dtype=bool)
    if marked.any():
        rows[weight.row_numbers()[marked]] = True
    return rows


def _as_domain(found: _Intervals) -> Domain:
    if not (found.below.any() or found.above.any()):
        return Box(RationalVector(tuple(found.low), found.denominator), RationalVector(tuple(found.high), found.denominator))
    if found.below.all() and found.above.all():
        return AllSpace()
    if found.above.all() and not found.below.any() and not any(found.low):
        return Orthant()
    n, bounds = len(found.low), []
    for j, (low, high) in enumerate(zip(found.low, found.high, strict=True)):
        bounds += [(j, sign, value) for sign, value, free in ((-1, low, found.below[j]), (1, high, found.above[j])) if not free]
    if n * len(bounds) > _LARGEST_POLYTOPE:
        raise InvalidRequestError(
            f"the interval image is unbounded in some of its {n} coordinates, and a polytope of {len(bounds)} sides is too large; "
            "give a bounded domain, such as image:box:0,1"
        )
    sides = [_side(j, sign, Fraction(value, found.denominator), n) for j, sign, value in bounds]
    return Polytope(tuple(side[:n] for side in sides), tuple(side[n] for side in sides))


def _side(j: int, sign: int, bound: Fraction, n: int) -> tuple[int, ...]:
    """sign * (x_j - bound) <= 0 in integers, the constant last."""
    side = [0] * (n + 1)
    side[j], side[n] = sign * bound.denominator, -sign * bound.numerator
    return tuple(side)
