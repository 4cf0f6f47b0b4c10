"""Section 4.16 of proofs/FORMAT.md: the values of two activation regions meet at most in those of points that lie in both.

On a closed region the network is affine, so that its values are spanned by those of the region's extreme points and rays, and a linear
function of the outputs that is smaller on one region than on another keeps their values apart. On a bounded domain of a square network
whose maps have one orientation the pieces of the domain's boundary, two by two, are enough.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING

from exactrelu.checker.elimination import Echelon
from exactrelu.checker.injectivity import fixed_columns, read_flat
from exactrelu.checker.injectivity_regions import COUNT, Maps, solved
from exactrelu.checker.regions_tree import PRIME, check_region_tree, identity, read_slice, sides_on
from exactrelu.checker.spanning import Spanning, primitive, value
from exactrelu.checker.sparse import at
from exactrelu.checker.text import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.claim import Domain, Point
    from exactrelu.checker.injectivity_regions import AffineMap
    from exactrelu.checker.network import Layer
    from exactrelu.checker.regions_cone import Form
    from exactrelu.checker.text import Text

SECTION = "4.16"
# beyond these a checker gives up: steps to find what spans regions, numbers held, pairs compared
STEPS = 2**30
NUMBERS = 2**26
PAIRS = 2**28
# more than the bits by which most values differ
BITS = 64

Cell = list[int]
"""The places of what spans a region, or the part of one in a side of the domain."""


def check_pairs(text: Text, layers: Sequence[Layer], domain: Domain, kernels: Kernels) -> None:
    """The evidence by pairs of regions, or of their parts in the boundary, and that these regions are all."""
    word = "pairs" if text.begins("pairs") else "boundary"
    fields = text.take(word, SECTION)
    regions, adjacencies = fields.natural("R", COUNT), fields.natural("A", COUNT)
    fields.done()
    n = layers[0].inputs
    chart = read_hull(text, domain, n, kernels) if word == "pairs" else identity(n)
    spanned = Oriented(layers, kernels) if word == "boundary" else Spanned(layers, kernels, len(chart) - 1)
    check_region_tree(text, layers, chart, domain, kernels, regions, adjacencies, spanned.region)
    cells = spanned.parts(sides_on(chart, domain, n)) if word == "boundary" else dict(enumerate(spanned.cells))
    # Parts of regions with fewer points are no facets.
    counted = [number for number, cell in cells.items() if word == "pairs" or len(cell) >= n]
    extents = list(read_extents(text, spanned, [cells[number] for number in counted]))
    apart = read_apart(text, spanned, cells)
    for one, other in near(counted, extents):
        pair = min(one, other), max(one, other)
        if pair not in apart:
            raise Rejected(SECTION, f"nothing keeps the values of cells {pair[0]} and {pair[1]} apart")


def read_hull(text: Text, domain: Domain, n: int, kernels: Kernels) -> list[Point]:
    """All of R^n, or a slice that holds the domain: on which n - K rows are constant, where a slice of dimension K holds its interior."""
    echelon = Echelon(n, PRIME)
    while text.begins("flat"):
        for row in read_flat(text, n, domain, kernels):
            echelon.add(at(row.coefficients, range(n)))
    if not text.begins("slice"):
        return identity(n)
    chart = read_slice(text, n)
    if echelon.rank + len(fixed_columns(domain, n)) != n - (len(chart) - 1):
        raise Rejected(SECTION, "there is no reason why the slice should hold the domain")
    return chart


class Spanned(Maps):
    """What spans every region, as points and rays (x, t), and where the network, which is injective on each, sends these.

    inputs: the coordinates of the domain's affine hull.
    """

    def __init__(self, layers: Sequence[Layer], kernels: Kernels, inputs: int) -> None:
        super().__init__(layers, kernels)
        self.inputs = inputs
        self.points: dict[Form, int] = {}
        self.images: list[Form] = []
        self.cells: list[Cell] = []
        self._spanning = Spanning(STEPS)
        self._numbers = 0

    def check(self, affine: AffineMap) -> None:
        if not self.is_injective(affine):
            raise Rejected(SECTION, "the map of a region is not injective, or changes the orientation")
        cell = []
        for vector in self._spanning.generators(affine.where, self.inputs):
            if vector not in self.points:
                self.points[vector] = len(self.images)
                y = [value((*row, constant), vector) for row, constant in zip(affine.rows, affine.constants, strict=True)]
                self.images.append(primitive((*y, vector[-1] * affine.denominator)))
            cell.append(self.points[vector])
        self.cells.append(cell)
        self._numbers += len(cell) * (self.inputs + self.outputs)
        if self._numbers > NUMBERS:
            raise Rejected(SECTION, "the regions have more points and rays than a checker takes on")

    def is_injective(self, affine: AffineMap) -> bool:
        """Whether n rows are independent, modulo a prime."""
        echelon = Echelon(self.inputs, PRIME)
        for row in affine.rows:
            if echelon.rank < self.inputs:
                echelon.add(row)
        return echelon.rank == self.inputs

    def keeps_apart(self, direction: Sequence[int], first: Cell, second: Cell) -> bool:
        """Whether a linear function is nowhere larger on the first cell than on the second, and alike only where one face lies in both."""
        steps = {place: value(direction, self.images[place]) for place in {*first, *second} if not self.images[place][-1]}
        if any(steps.get(place, 0) > 0 for place in first) or any(steps.get(place, 0) < 0 for place in second):
            return False
        values = {place: self.at(direction, place) for place in {*first, *second} - steps.keys()}
        high = max(values[place] for place in first if place in values)
        low = min(values[place] for place in second if place in values)
        if high != low:
            return high < low
        face = {place for place, at in values.items() if at == low} | {place for place, step in steps.items() if not step}
        return face.intersection(second) <= {*first} or face.intersection(first) <= {*second}

    def at(self, direction: Sequence[int], place: int) -> Fraction:
        """A linear function at the image of a point."""
        image = self.images[place]
        return Fraction(value(direction, image), image[-1])

    def extents(self, direction: Sequence[int], cells: Sequence[Cell]) -> list[tuple[int, int]]:
        """The least and the largest value of a linear function on every cell, by their ranks, from 1, among all values at points."""
        steps = [value(direction, image) for image in self.images]
        points = [place for place, image in enumerate(self.images) if image[-1]]
        exact = {place: self.at(direction, place) for place in points}
        points.sort(key=lambda place: ((steps[place] << BITS) // self.images[place][-1], exact[place]))
        ranks, rank = dict[int, int](), 0
        for before, place in zip([None, *points], points, strict=False):
            rank += before is None or exact[before] != exact[place]
            ranks[place] = rank
        top = rank + 1
        # A ray makes one of the two infinite, or neither.
        lows = [ranks.get(place, 0 if step < 0 else top) for place, step in enumerate(steps)]
        highs = [ranks.get(place, top if step > 0 else 0) for place, step in enumerate(steps)]
        return [(min([lows[place] for place in cell]), max([highs[place] for place in cell])) for cell in cells]

    def parts(self, sides: Sequence[Form]) -> dict[int, Cell]:
        """Of region I the part in side s, by the number I * len(sides) + s."""
        on_side = [[value(side, point) == 0 for point in self.points] for side in sides]
        parts = (
            (region * len(sides) + number, [place for place in cell if zeros[place]])
            for region, cell in enumerate(self.cells)
            for number, zeros in enumerate(on_side)
        )
        return {number: part for number, part in parts if part}


class Oriented(Spanned):
    """Regions that are bounded, with maps whose determinants have one sign."""

    def __init__(self, layers: Sequence[Layer], kernels: Kernels) -> None:
        super().__init__(layers, kernels, layers[0].inputs)
        if self.inputs != self.outputs:
            raise Rejected(SECTION, "there are not as many outputs as inputs")
        self._sign = 0

    def is_injective(self, affine: AffineMap) -> bool:
        self.count(affine.rows)
        found = solved(affine.rows, [0] * self.inputs)
        if found is None or found[0] * self._sign < 0:
            return False
        self._sign = 1 if found[0] > 0 else -1
        return True

    def parts(self, sides: Sequence[Form]) -> dict[int, Cell]:
        if not all(image[-1] for image in self.images):
            raise Rejected(SECTION, "the domain is not bounded")
        return super().parts(sides)


def read_extents(text: Text, spanned: Spanned, cells: Sequence[Cell]) -> Iterator[list[tuple[int, int]]]:
    """For every direction the extents of cells along it."""
    held = 0
    while text.begins("direction"):
        direction = text.take("direction", SECTION).integers(spanned.outputs, "a direction")
        held += len(cells) + len(spanned.images)
        if held > NUMBERS:
            raise Rejected(SECTION, "there are more directions than a checker takes on")
        yield spanned.extents(direction, cells)


def read_apart(text: Text, spanned: Spanned, cells: Mapping[int, Cell]) -> set[tuple[int, int]]:
    """The pairs of cells that have a linear function of their own."""
    apart: set[tuple[int, int]] = set()
    last = (-1, -1)
    while text.begins("apart"):
        fields = text.take("apart", SECTION)
        pair = fields.natural("a cell"), fields.natural("a cell")
        if pair <= last or pair[0] >= pair[1] or not cells.keys() >= set(pair):
            fields.reject("there are no such two cells, or they are not in order")
        last = pair
        if not spanned.keeps_apart(fields.integers(spanned.outputs, "a linear function"), cells[pair[0]], cells[pair[1]]):
            fields.reject("it does not keep the values of the two cells apart")
        apart.add(pair)
    return apart


def near(cells: Sequence[int], extents: Sequence[Sequence[tuple[int, int]]]) -> Iterator[tuple[int, int]]:
    """All pairs of cells, by their numbers, whose extents meet along every direction."""
    first = extents[0] if extents else [(0, 0)] * len(cells)
    order = sorted(range(len(cells)), key=lambda i: first[i])
    lows = [first[i][0] for i in order]
    compared = 0
    for place, i in enumerate(order):
        others = order[place + 1 : bisect_right(lows, first[i][1])]
        compared += len(others)
        if compared > PAIRS:
            raise Rejected(SECTION, "more pairs are near along the first direction than a checker compares")
        for along in extents[1:]:
            low, high = along[i]
            others = [j for j in others if along[j][0] <= high and along[j][1] >= low]
        yield from ((cells[i], cells[j]) for j in others)
