"""How much a network shortens distances at most where it is injective by pairs of cells: |x - y| <= L |f(x) - f(y)|, proved.

Let |x - y| <= K |f(x) - f(y)| on every cell. A linear function e of the outputs that tells two cells P and Q apart rises from f(x), x in P,
to f(y), y in Q, by at most |e| |f(x) - f(y)|. It rises from P to their common face, or across the gap between the images, and from there
to Q; and x and y are no farther from there than this rise times what holds for the generators (theory I11). Exactly:

Let e.f = z on the common face. For x = sum a_g g, a sum over generators with weights that for points add up to 1, let x' be the same sum
with points c_g of the common face in place of the points g, and without the rays, that are not common. Then z - e.f(x) = sum a_g h_g over
these g alone, h_g = z - e.f(g) > 0, or -e.W g along a ray; and with s(v) = |v| + K |W v| for the step v_g = g - c_g, or g, the map being W,

    |x - x'| + K |f(x) - f(x')| <= sum a_g s(v_g) <= k (z - e.f(x)),  k = the largest s(v_g) / h_g.

So too for y. As |x' - y'| <= K |f(x') - f(y')| on the common face, |x - y| <= (K + k |e|) |f(x) - f(y)|.

Without a common point let p and q be points of P and Q, d > 0 the gap between the greatest e.f on P and the least on Q, h_g how far e.f(g)
is from these, and k any number with s(g) <= k h_g for rays that are not common. Let A be the largest s(g - p) - k h_g for points g of P,
if positive, or else 0, and B that for Q and q. Now let x' be the sum without rays that are common: then p and x' are at most A + k times
the rise from e.f(x') apart, in the sense of s, and so |x - y| <= (K + max(k, (A + s(p - q) + B) / d) |e|) |f(x) - f(y)|.

Where P and Q have one point or nothing in common, x' - y' and x - x' need no K: everything holds with 0 in its place.

Where all determinants have one sign, two cells in regions with a common facet need no e: L = K (see `expansion.py`). And on a bounded
domain of a square network the boundary will do: the segment from f(x) to f(y) leaves the image of the domain, if at all, in the image of a
boundary point b and comes back in that of another one b', and on the way to b and from b' the inverse is linear piece by piece.
"""

from __future__ import annotations

import math
from fractions import Fraction
from operator import mul
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rounding import UPWARDS
from exactrelu.injectivity.network.separation import Separation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exactrelu.injectivity.network.boxes import Boxes
    from exactrelu.injectivity.network.pairs import Pairs
    from exactrelu.injectivity.network.pieces import Pieces
    from exactrelu.regions.charts import Row

# Pairs that no direction keeps well apart are looked at one by one, up to so many.
_MOST = 2**16
# Numbers below are taken for this one; beside it, their squares and all that float arithmetic rounds.
_TINY = 1e-290
# Steps in which a good k is looked for.
_HALVINGS = 24
# A point of a face is a mixture of its corners by so many parts.
_SHARES = 2**12


def inverse_of_pairs(
    pieces: Pieces, cells: Sequence[Sequence[int]], found: Pairs, inside: Fraction, alike: Callable[[int, int], bool]
) -> Fraction | None:
    """L for a network that is injective by pairs of cells; None where none was found, or there is none: images of rays may be parallel.

    inside: K, of all cells; alike: whether K does for two cells together. Raises OutOfTimeError.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> from exactrelu.injectivity.network.pairs import pairs
    >>> from exactrelu.injectivity.network.pieces import Pieces
    >>> from exactrelu.regions import regions
    >>> both = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.ones(2, bool))
    >>> pieces = Pieces([both], regions(Network((both,), (SourceLayer(1, "both", (both,), 0),), (), (1,))))
    >>> found = pairs(pieces, pieces.spanning)
    >>> bound = inverse_of_pairs(pieces, pieces.spanning, found, Fraction(1), lambda i, j: False)
    >>> 2 <= bound**2 < 2 + 2**-20  # 1 and -1 are sent to (1, 0) and (0, 1)
    True
    """
    assert found.boxes is not None
    generators, far = _Generators(pieces, float(inside) * UPWARDS), _Far(pieces, cells, found.boxes)
    most = generators.inside
    for number, ((first, second), function) in enumerate(found.functions.items()):
        if number % 256 == 0:
            pieces.check_time(f"how much distances shrink is known for {number} of {len(found.functions)} pairs of cells")
        if not alike(first, second):
            most = max(most, generators.between(cells[first], cells[second], function))
    separation, looked_at = Separation(pieces.images), 0
    for first in range(len(cells)):
        pieces.check_time(f"how much distances shrink is known between {first} of {len(cells)} cells and all others")
        bounds = far.bounds(first)
        for second in (first + 1 + np.flatnonzero(bounds > most)).tolist():
            if (first, second) in found.functions or alike(first, second):
                continue
            looked_at += 1
            steeper = separation.between(cells[first], cells[second]) or found.boxes.separator(first, second)
            if steeper is None or looked_at > _MOST:
                return None
            most = max(most, min(float(bounds[second - first - 1]), generators.between(cells[first], cells[second], steeper)))
    return Fraction(most) if math.isfinite(most) else None


class _Far:
    """Bounds for cells whose images are apart along one of many directions e: max(D / d, s) |e|, in floats that are rounded upwards.

    D: how far points of the two cells are apart at most; d: the gap; s: the largest |g| / |e.W g| over rays g.
    """

    def __init__(self, pieces: Pieces, cells: Sequence[Sequence[int]], boxes: Boxes) -> None:
        self._low, self._high = boxes.low, boxes.high
        self._lengths = np.linalg.norm(boxes.directions, axis=1) * UPWARDS
        points = [[_quotient(v, point[-1]) for v in point[:-1]] if point[-1] else None for point in pieces.points]
        finite = [np.array([points[place] for place in cell if points[place] is not None]) for cell in cells]
        with np.errstate(all="ignore"):
            self._centres = np.array([one.mean(axis=0) for one in finite])
            radii = [float(np.linalg.norm(one - centre, axis=1).max()) for one, centre in zip(finite, self._centres, strict=True)]
        # A float is off by 2^-53 of the largest coordinate, and so are differences and norms, times the number of coordinates.
        scale = max((float(np.abs(one).max(initial=0.0)) for one in finite), default=0.0)
        self._radii = np.array(radii) * UPWARDS + 2.0**-40 * scale * (1 + pieces.complex.space_dimension)
        self._slopes = self._of_rays(pieces, cells, boxes.directions)

    @staticmethod
    def _of_rays(pieces: Pieces, cells: Sequence[Sequence[int]], directions: np.ndarray) -> np.ndarray:
        """s of every cell along every direction, (cells, directions); infinite where e.W g may be 0."""
        slopes = np.zeros((len(cells), len(directions)))
        rows = [tuple(map(int, direction)) for direction in directions.tolist()]
        known = dict[int, np.ndarray]()
        for number, cell in enumerate(cells):
            for place in cell:
                if not pieces.points[place][-1]:
                    if place not in known:
                        length = _root(sum(v * v for v in pieces.points[place]), 1) * _above(pieces.factors[place])
                        rises = (abs(sum(map(mul, row, pieces.images[place]))) for row in rows)
                        known[place] = np.array([_ratio(length, _below(Fraction(rise))) for rise in rises])
                    slopes[number] = np.maximum(slopes[number], known[place])
        return slopes

    def bounds(self, first: int) -> np.ndarray:
        """Of a cell and all later ones; infinite where no direction keeps them apart."""
        low, high, slopes = (part[first + 1 :] for part in (self._low, self._high, self._slopes))
        with np.errstate(all="ignore"):
            gaps = np.maximum(self._low[first] - high, low - self._high[first]) / UPWARDS
            apart = np.linalg.norm(self._centres[first + 1 :] - self._centres[first], axis=1) * UPWARDS
            apart = (apart + self._radii[first] + self._radii[first + 1 :]) * UPWARDS
            bounds = np.maximum(apart[:, None] / gaps, np.maximum(slopes, self._slopes[first])) * self._lengths * UPWARDS
        bounds[~(gaps > _TINY) | np.isnan(bounds)] = np.inf
        return np.array(bounds.min(axis=1, initial=np.inf))


Spot = tuple["Row", "Row"]
"""A point and its image, both as (v, t); of a ray the vector that has the image which is listed, with t = 0 there."""


class _Generators:
    """Bounds for two cells from their generators; inside: K of all cells."""

    def __init__(self, pieces: Pieces, inside: float) -> None:
        self._spots: list[Spot] = []
        for point, image, factor in zip(pieces.points, pieces.images, pieces.factors, strict=True):
            ray = (*(v * factor.numerator for v in point[:-1]), factor.denominator)
            self._spots.append((point if image[-1] else ray, image))
        self.inside = inside

    def between(self, first: Sequence[int], second: Sequence[int], function: Row) -> float:
        """L, from a function e that tells the cells apart; infinite where e does not rise along a ray."""
        common = sorted({*first} & {*second})
        own = [[self._spots[place] for place in cell if place not in common] for cell in (first, second)]
        corners = [spot for spot in (self._spots[place] for place in common) if spot[1][-1]]
        inside = self.inside if len(common) > len(corners[:1]) else 0.0
        rise = _Rise(function)
        try:
            if not corners:
                return (inside + _across(own[0], own[1], rise, inside) * rise.length * UPWARDS) * UPWARDS
            level = rise.at(corners[0])
            steps = [(_to_face(spot, corners, inside), rise.height(spot, level)) for spot in own[0] + own[1]]
        except OverflowError:
            return math.inf
        slope = max((_ratio(size, height) for size, height in steps), default=0.0)
        return (inside + slope * rise.length * UPWARDS) * UPWARDS


class _Rise:
    """A linear function e of the outputs, divided by a power of two so that its numbers are short; length: |e|, at least."""

    def __init__(self, function: Row) -> None:
        self._function, self._unit = function, 1 << max(0, max(value.bit_length() for value in function) - 64)
        self.length = _root(sum(v * v for v in function), self._unit**2)

    def at(self, spot: Spot) -> Fraction:
        """e at a point, or along a ray."""
        return Fraction(sum(map(mul, self._function, spot[1])), (spot[1][-1] or 1) * self._unit)

    def height(self, spot: Spot, level: Fraction) -> float:
        """By how much e rises or falls from a level to a point, or along a ray, at most."""
        at = self.at(spot)
        return _below(abs(at - level if spot[1][-1] else at))


def _to_face(spot: Spot, corners: Sequence[Spot], inside: float) -> float:
    """s(g - c) of a point and the nearest c found in a face that some points span, or s(g) of a ray."""
    if not spot[1][-1]:
        return _size(spot, None, inside)
    starts = [*corners, _nearest(spot, corners)] if len(corners) > 1 else corners
    return min(_size(spot, start, inside) for start in starts)


def _across(first: Sequence[Spot], second: Sequence[Spot], rise: _Rise, inside: float) -> float:
    """max(k, (A + s(p - q) + B) / d) for a good k."""
    points = [[spot for spot in own if spot[1][-1]] for own in (first, second)]
    ends = max(rise.at(spot) for spot in points[0]), min(rise.at(spot) for spot in points[1])
    gap = _below(ends[1] - ends[0])
    between, i, j = min((_size(p, q, inside), i, j) for i, p in enumerate(points[0]) for j, q in enumerate(points[1]))
    steps = [
        [(_size(spot, own[anchor], inside), rise.height(spot, end)) for spot in own]
        for own, anchor, end in zip(points, (i, j), ends, strict=True)
    ]
    rays = [(_size(spot, None, inside), rise.height(spot, ends[0])) for spot in (*first, *second) if not spot[1][-1]]

    def bound(slope: float) -> float:
        more = sum(max(0.0, *(size * UPWARDS - slope * height / UPWARDS for size, height in own)) for own in steps)
        return max(slope, _ratio((more + between) * UPWARDS, gap))

    low = max((_ratio(size, height) for size, height in rays), default=_TINY)
    if low == math.inf:
        return low
    best = high = bound(low)
    for _ in range(_HALVINGS):
        middle = math.sqrt(low) * math.sqrt(high)
        if not low < middle < high < math.inf:
            break
        found = bound(middle)
        best = min(best, found)
        low, high = (middle, high) if found > middle else (low, middle)
    return best


def _size(spot: Spot, start: Spot | None, inside: float) -> float:
    """s of the step from one point to another one, or along a ray, at least. Raises OverflowError beyond the numbers of floats."""
    x, y = (_length(vector, None if start is None else start[kind]) for kind, vector in enumerate(spot))
    size = (x + inside * y) * UPWARDS
    if not math.isfinite(size):
        raise OverflowError
    return size


def _length(vector: Row, start: Row | None) -> float:
    *v, t = vector
    if start is None:
        return _root(sum(entry * entry for entry in v), t * t or 1)
    *w, u = start
    return _root(sum((a * u - b * t) ** 2 for a, b in zip(v, w, strict=True)), (t * u) ** 2)


def _nearest(spot: Spot, corners: Sequence[Spot]) -> Spot:
    """About the nearest point of those that some points span."""
    from scipy.optimize import nnls

    floats = np.array([[_quotient(v, vector[-1]) for v in vector[:-1]] for vector, _ in (spot, *corners)])
    with np.errstate(all="ignore"):
        ways = floats[1:] - floats[0]
    largest = float(np.abs(ways).max(initial=0.0))
    if not 0 < largest < math.inf:
        return corners[0]
    # Of all w >= 0 the one with the least |sum of w (c - g)|^2 + (1 - sum of w)^2 has the shares of the point of least norm.
    try:
        shares, _ = nnls(np.vstack([ways.T / largest, np.ones(len(corners))]), np.array([*[0.0] * len(floats[0]), 1.0]))
    except RuntimeError:
        # Too many iterations.
        return corners[0]
    parts = np.floor(shares / shares.sum() * _SHARES).astype(int)
    parts[parts.argmax()] += _SHARES - parts.sum()
    return _mixed([x for x, _ in corners], parts.tolist()), _mixed([y for _, y in corners], parts.tolist())


def _mixed(vectors: Sequence[Row], parts: Sequence[int]) -> Row:
    """The sum of points (v, t) with these parts of the whole."""
    common = math.lcm(*(vector[-1] for vector in vectors))
    factors = [part * (common // vector[-1]) for part, vector in zip(parts, vectors, strict=True)]
    return (*(sum(map(mul, factors, column)) for column in list(zip(*vectors, strict=True))[:-1]), common * _SHARES)


def _quotient(above: int, below: int) -> float:
    try:
        return above / below
    except OverflowError:
        return math.inf


def _root(above: int, below: int) -> float:
    """At least the root of a fraction."""
    return math.sqrt(max(_quotient(above, below), _TINY)) * UPWARDS


def _above(value: Fraction) -> float:
    return max(_quotient(value.numerator, value.denominator), _TINY) * UPWARDS


def _below(value: Fraction) -> float:
    found = _quotient(value.numerator, value.denominator)
    return found / UPWARDS if _TINY < found < math.inf else 0.0


def _ratio(size: float, height: float) -> float:
    """At least size / height; infinite where the height is 0 or too small."""
    return size / height * UPWARDS if height > 0 else math.inf
