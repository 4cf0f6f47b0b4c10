"""A walk from region to region across facets, for dimensions in which a region has too many vertices to list them (R3, C1).

The full-dimensional cells of a complex that covers a convex set are connected through facets: a segment between inner points of two of
them can be moved to miss all faces of codimension 2. So a walk that has explored every region it has seen knows all of them. Cells meet
face to face, which is why a facet leads to one region, and two regions share at most one facet.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import fmpz_mat

from exactrelu.domain import AllSpace
from exactrelu.exact.rational import RationalVector
from exactrelu.regions.asked import layers_through, outer_chart
from exactrelu.regions.charts import Chart, primitive
from exactrelu.regions.complex import Neuron
from exactrelu.regions.walk.cell import Cell
from exactrelu.regions.walk.rows import Rows
from exactrelu.regions.walk.signs import ExactLayers
from exactrelu.regions.walk.space import space_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exactrelu.domain import Domain
    from exactrelu.network.model import Network
    from exactrelu.regions.charts import AffineSlice, Row
    from exactrelu.regions.walk.cell import Hit
    from exactrelu.regions.walk.space import Space

# Bits after the binary point that are tried for the coordinates of an interior point.
_POINT_BITS = (3, 6, 10, 15, 21, 28, 40, 60)


@dataclass(frozen=True, eq=False)
class RegionWalk:
    """The regions (z > 0 against z <= 0, full-dimensional in the domain) that a walk met, numbered in the order in which it met them.

    The first `explored` regions are explored: all their facets are known. The others, the frontier, were seen across a facet of these.
    `patterns` is boolean (seen, neurons): which of `neurons` are positive inside. `neighbours` are the pairs that share a facet, one of
    them explored, the smaller number first. `bounded` says of the explored regions whether they are.
    Directions in which nothing changes are divided out; `lineality` is their dimension. `stopped_by`: `limit`, `time` or None.
    """

    neurons: tuple[Neuron, ...]
    explored: int
    patterns: np.ndarray
    neighbours: tuple[tuple[int, int], ...]
    bounded: tuple[bool, ...]
    lineality: int
    stopped_by: str | None
    _points: tuple[RationalVector, ...]
    _chart: Chart

    @property
    def seen(self) -> int:
        """How many regions were met: there are at least as many."""
        return len(self.patterns)

    @property
    def frontier(self) -> range:
        """The regions that were seen and not explored."""
        return range(self.explored, self.seen)

    @property
    def complete(self) -> bool:
        """Whether these are all regions and all adjacencies: every region seen was explored."""
        return self.explored == self.seen

    @property
    def adjacencies(self) -> int:
        """How many pairs of regions were found to share a facet."""
        return len(self.neighbours)

    def interior_point(self, region: int) -> RationalVector:
        """A point inside a region, in coordinates of the network's input or of the slice."""
        return self._chart.point(self._points[region])

    def flipped(self, pair: int) -> tuple[int, ...]:
        """The neurons, as places in `neurons`, whose signs differ between the regions of a pair."""
        first, second = self.neighbours[pair]
        return tuple(np.flatnonzero(self.patterns[first] ^ self.patterns[second]).tolist())

    @cached_property
    def flips(self) -> dict[int, int]:
        """How many neurons flip at once, and across how many facets."""
        return dict(sorted(Counter(len(self.flipped(pair)) for pair in range(self.adjacencies)).items()))

    def record(self) -> dict[str, Any]:
        """The walk as a JSON object: numbers are "p/q" strings, a pattern has one digit 0 or 1 for every neuron."""
        digits = ["".join(map(str, row)) for row in self.patterns.astype(int).tolist()]
        found = [{"pattern": text, "point": self.interior_point(i).texts()} for i, text in enumerate(digits)]
        return {
            "explored": [{**one, "bounded": bounded} for one, bounded in zip(found, self.bounded, strict=False)],
            "frontier": found[self.explored :],
            "adjacencies": [{"regions": list(pair), "flipped": list(self.flipped(i))} for i, pair in enumerate(self.neighbours)],
            "neurons": [[neuron.layer, neuron.row] for neuron in self.neurons],
            "lineality": self.lineality,
            "complete": self.complete,
            "stopped_by": self.stopped_by,
        }

    def lines(self) -> list[str]:
        """The walk in words."""
        several = sum(facets for flips, facets in self.flips.items() if flips > 1)
        numbers = [
            (self.explored, f"regions explored, {self.bounded.count(True)} of them bounded, {self.bounded.count(False)} unbounded"),
            (len(self.frontier), "regions seen across a facet and not explored"),
            (self.adjacencies, "pairs of regions that share a facet"),
            (several, f"of these facets flip several neurons at once, up to {max(self.flips, default=0)}"),
        ]
        width = max(len(str(number)) for number, _ in numbers)
        if self.complete:
            state = "Every region seen was explored, and regions are connected through facets: these are all regions."
        else:
            reason = "time limit" if self.stopped_by == "time" else "limit"
            state = f"Not complete: the {reason} was reached; there are at least {self.seen} regions. Give a larger one."
        return [*(f"{str(number).rjust(width)}  {words}" for number, words in numbers), "", state]


def walk(
    network: Network,
    *,
    through: int | str | None = None,
    domain: Domain | None = None,
    affine_slice: AffineSlice | None = None,
    begin: RationalVector | None = None,
    limit: int | None = None,
    deadline: float | None = None,
) -> RegionWalk:
    """Explore regions outwards from a point, those that are fewest facets away first, exactly.

    through: up to and with that source layer, by default the whole network. domain: a set of inputs, all by default. affine_slice: ask
    about its points alone; coordinates are then the slice's. begin: a point of the domain, by default one inside it; where it lies on
    walls the walk begins in a region beside it. limit: how many regions are explored at most; deadline: a time of `time.monotonic()`.

    Raises InvalidRequestError for a layer that does not exist, a domain, slice or point of another dimension, an empty domain, a point
    outside, and a ball.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, 0], [0, 1], [1, 1]]), DyadicMatrix.from_floats([[0], [0], [-1.0]]), np.ones(3, bool))
    >>> network = Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (2,))
    >>> found = walk(network, begin=RationalVector((3, 1)))
    >>> found.explored, found.adjacencies, found.complete, found.bounded.count(True)
    (7, 9, True, 1)
    >>> part = walk(network, begin=RationalVector((3, 1)), limit=1)
    >>> part.patterns.astype(int).tolist(), list(part.frontier), part.neighbours, part.flipped(0)
    ([[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0]], [1, 2, 3], ((0, 1), (0, 2), (0, 3)), (0,))
    """
    domain = AllSpace() if domain is None else domain
    outer = outer_chart(network, domain, affine_slice)
    layers = layers_through(network, through)
    forms = ExactLayers(layers, outer).first_forms()
    space = space_of(domain, outer, begin, forms, deadline=deadline)
    neurons = tuple(Neuron(number, row) for number, layer in enumerate(layers) for row in np.flatnonzero(layer.rectified).tolist())
    return _Walk(ExactLayers(layers, outer.after(space.chart)), space).run(neurons, limit, deadline)


class _Walk:
    """Regions by their numbers; a pattern is known by its bytes."""

    def __init__(self, layers: ExactLayers, space: Space) -> None:
        self.layers, self.space = layers, space
        self.side_forms = set(space.sides.forms)
        self.patterns: list[np.ndarray] = []
        self.points: list[RationalVector] = []
        self.numbers: dict[bytes, int] = {}
        self.neighbours: dict[tuple[int, int], None] = {}
        self.bounded: list[bool] = []
        # In a bounded domain every region is bounded.
        inside = (*space.inside.numerators, space.inside.denominator)
        nothing = Rows((), space.sides.dimension)
        self.within_bounds = bool(space.sides.forms) and Cell(nothing, space.sides, inside).is_bounded(None)

    def run(self, neurons: tuple[Neuron, ...], limit: int | None, deadline: float | None) -> RegionWalk:
        self._number(*self._first())
        explored, stopped_by = 0, None
        while explored < len(self.patterns) and stopped_by is None:
            if limit is not None and explored >= limit:
                stopped_by = "limit"
            elif (deadline is not None and time.monotonic() > deadline) or not self._explore(explored, deadline):
                stopped_by = "time"
            else:
                explored += 1
        return RegionWalk(
            neurons,
            explored,
            np.array(self.patterns),
            tuple(self.neighbours),
            tuple(self.bounded),
            self.space.lines,
            stopped_by,
            tuple(self.points),
            self.space.chart,
        )

    def _number(self, pattern: np.ndarray, point: RationalVector) -> int:
        number = self.numbers.setdefault(np.packbits(pattern).tobytes(), len(self.patterns))
        if number == len(self.patterns):
            self.patterns.append(pattern)
            self.points.append(point)
        return number

    def _first(self) -> tuple[np.ndarray, RationalVector]:
        """The region at the beginning; on walls, the one beside it towards the domain's inside, then along the axes in their order."""
        begin, inside = self.space.begin, self.space.inside
        k = len(begin)
        inwards = [b * begin.denominator - a * inside.denominator for a, b in zip(begin.numerators, inside.numerators, strict=True)]
        axes = [[int(i == j) for i in range(k + 1)] for j in reversed(range(k))]
        flag = fmpz_mat([*axes, [*inwards, 0], [*begin.numerators, begin.denominator]]).transpose()
        ((pattern,), _) = self.layers.patterns(flag, k + 2)
        walls = self._walls(pattern)
        point, step = begin, Fraction(1)
        while not (walls.are_negative(point) and self.space.sides.are_negative(point)):
            step = step * step / 2
            moved = zip(begin.fractions(), inwards, count(1), strict=False)
            point = RationalVector.from_fractions(value + step * (slope + step**power) for value, slope, power in moved)
        return pattern, point

    def _walls(self, pattern: np.ndarray) -> Rows:
        """The forms of the neurons that are not constant on a region, at most 0 there, each once, without sides of the domain."""
        forms = self.layers.forms(pattern)
        signed = (primitive([-value for value in row] if on else row) for row, on in zip(forms, pattern.tolist(), strict=True))
        walls = (row for row in dict.fromkeys(signed) if any(row[:-1]) and row not in self.side_forms)
        return Rows(tuple(walls), self.space.sides.dimension)

    def _explore(self, number: int, deadline: float | None) -> bool:
        """Find the facets of a region and the regions behind them; False where the time limit was reached."""
        walls, sides = self._walls(self.patterns[number]), self.space.sides
        point = self.points[number] = shorter((walls, sides), self.points[number])
        cell = Cell(walls, sides, (*point.numerators, point.denominator))
        try:
            hits = cell.facets(deadline)
            self.bounded.append(self.within_bounds or (not self.space.lines and cell.is_bounded(deadline)))
        except TimeoutError:
            return False
        for pattern, beyond in self._across(cell.point, hits):
            other = self._number(pattern, beyond)
            self.neighbours[min(number, other), max(number, other)] = None
        return True

    def _across(self, point: Row, hits: Sequence[Hit]) -> list[tuple[np.ndarray, RationalVector]]:
        """The patterns behind facets, and points there, on the rays that meet the facets."""
        if not hits:
            return []
        *z, t = point
        columns: list[Row] = []
        for hit in hits:
            columns.append((*hit.direction, 0))
            columns.append((*(hit.slope * a + hit.value * b for a, b in zip(z, hit.direction, strict=True)), hit.slope * t))
        patterns, entries = self.layers.patterns(fmpz_mat([*map(list, columns)]).transpose(), 2)
        entries += map(list, zip(*self.space.sides.at(columns), strict=True))
        found = []
        for place, (hit, pattern) in enumerate(zip(hits, patterns, strict=True)):
            step = _first_change([(row[2 * place + 1], row[2 * place]) for row in entries])
            here = Fraction(hit.value, hit.slope * t)
            length = simple_between(here, 3 * here if step is None else here + step / (hit.slope * t))
            p, q = length.numerator * t, length.denominator
            moved = tuple(q * a + p * b for a, b in zip(z, hit.direction, strict=True))
            found.append((pattern, RationalVector(moved, t * q)))
        return found


def _first_change(entries: Iterable[tuple[int, int]]) -> Fraction | None:
    """The smallest e > 0 at which one of the functions value + e slope, not 0 before, is 0; None where there is none."""
    best, divisor = 1, 0
    for value, slope in entries:
        if value and slope and (value > 0) is (slope < 0):
            size, speed = abs(int(value)), abs(int(slope))
            if size * divisor < best * speed:
                best, divisor = size, speed
    return Fraction(best, divisor) if divisor else None


def simple_between(low: Fraction, high: Fraction) -> Fraction:
    """A dyadic number of few bits in the middle half of an interval.

    >>> simple_between(Fraction(1, 3), Fraction(2, 3)), simple_between(Fraction(1000), Fraction(3000))
    (Fraction(1, 2), Fraction(1536, 1))
    """
    width = (high - low) / 2
    # 2^exponent is at most the width of the middle half, so that it holds a multiple.
    exponent = width.numerator.bit_length() - width.denominator.bit_length() - 1
    unit = Fraction(2) ** exponent
    return -(-(low + width / 2) // unit) * unit


def shorter(rows: Sequence[Rows], point: RationalVector) -> RationalVector:
    """A point of few bits near a point where all forms are negative, at which each is at least a quarter of that; else the point.

    >>> shorter([Rows(((1, 0), (-1, -1)), 1)], RationalVector((-1000001,), 3000000)).texts()
    ['-3/8']
    """
    before = _values(rows, point)
    for bits in _POINT_BITS:
        rounded = RationalVector(tuple(round(Fraction(value << bits, point.denominator)) for value in point.numerators), 1 << bits)
        after = _values(rows, rounded)
        if all(4 * a * point.denominator <= b * rounded.denominator for a, b in zip(after, before, strict=True)):
            return rounded
    return point


def _values(rows: Sequence[Rows], point: RationalVector) -> list[int]:
    return [value for part in rows for value in part.at([(*point.numerators, point.denominator)])[0]]
