"""Section 4.12 of proofs/FORMAT.md: activation regions that are closed under crossing facets are all there are.

The interior of the domain, without the faces of dimension n - 2 and less, is connected, so that a way from a listed region to another one
would leave the list across a facet. A region is its rows; which of them are facets, and that the others follow from these, is evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from operator import mul
from typing import TYPE_CHECKING

from exactrelu.checker.claim import Ball, Box, Domain, Point, Polytope
from exactrelu.checker.text import Fields, Rejected, Text, affordable, numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.network import Layer

SECTION = "4.12"
# about what a small number takes in a list
NUMBER_BITS = 64

Form = tuple[int, ...]
"""a1 .. an b, coprime, for x -> a.x + b; and v1 .. vn D for the point v / D."""


@dataclass(frozen=True)
class Region:
    """The signs of all neurons inside, and the rows, which are positive there: the neurons', then from number `first_side` the domain's."""

    pattern: list[bool]
    rows: list[Form]
    first_side: int


def check_regions(text: Text, layers: Sequence[Layer], domain: Domain, kernels: Kernels, regions: int, adjacencies: int) -> None:
    """The evidence that the domain has so many activation regions of the layers, and so many pairs of them a common facet."""
    n = layers[0].inputs
    neurons, sides = Neurons(layers, kernels), sides_of(domain, n)
    # for a region to come: walls of earlier ones, each with a point on it at which the two regions meet
    waiting: dict[int, list[tuple[Form, Form]]] = {}
    found = 0
    before: list[bool] | None = None
    for number in range(regions):
        region = read_region(text, neurons, sides, n)
        if before is not None and region.pattern <= before:
            raise Rejected(SECTION, f"the pattern of region {number} does not follow that of the one before")
        before = region.pattern
        rows = numbered(text.take("walls", SECTION), len(region.rows))
        walls = Walls([region.rows[i] for i in rows])
        check_implied(text, region.rows, rows, n)
        for wall, point in waiting.pop(number, ()):
            walls.cross(walls.opposite(wall), point)
        while text.begins("facet"):
            fields = text.take("facet", SECTION)
            place, beyond = read_place(fields, rows), fields.natural("a region")
            if not number < beyond < regions:
                fields.reject("the region beyond is none of those that follow")
            point = read_homogeneous(fields, n)
            walls.cross(place, point)
            waiting.setdefault(beyond, []).append((walls.forms[place], point))
            found += 1
        while text.begins("border"):
            fields = text.take("border", SECTION)
            place = read_place(fields, rows)
            if rows[place] < region.first_side:
                fields.reject("the wall is none of the domain's sides")
            walls.cross(place, read_homogeneous(fields, n))
        if len(walls.crossed) < len(rows):
            raise Rejected(SECTION, f"a wall of region {number} is neither a facet of another one nor on the border")
    if regions == 0 or found != adjacencies:
        raise Rejected(SECTION, "there is no region, or the adjacencies are not as many as the claim says")


def read_homogeneous(fields: Fields, n: int) -> Form:
    """The rest of a line, `D v1 .. vn`."""
    denominator = fields.positive("a denominator")
    return (*fields.integers(n, "a point"), denominator)


def read_place(fields: Fields, rows: Sequence[int]) -> int:
    """The number of a wall, as a place among the walls."""
    place = fields.natural("a wall")
    if place >= len(rows):
        fields.reject("there is no such wall")
    return place


def value(form: Form, point: Form) -> int:
    """A form at a point, times the point's denominator."""
    return sum(map(mul, form, point))


def coprime(form: Sequence[int]) -> Form:
    """The form divided by a positive number."""
    divisor = gcd(*form)
    return tuple([entry // divisor for entry in form]) if divisor > 1 else tuple(form)


# A region: its rows


def read_region(text: Text, neurons: Neurons, sides: Sequence[Form], n: int) -> Region:
    """The region around a point at which no row is 0. Constant forms are no rows, for they bound nothing."""
    point = read_homogeneous(text.take("region", SECTION), n)
    pattern, rows = neurons.around(point)
    if any(value(side, point) <= 0 for side in sides):
        raise Rejected(SECTION, "the point of a region is not inside the domain")
    return Region(pattern, [*rows, *sides], len(rows))


def sides_of(domain: Domain, n: int) -> list[Form]:
    """The domain as forms that are positive inside, in the order of section 4.12."""
    if isinstance(domain, Ball):
        raise Rejected(SECTION, "the regions of a ball are none of this format's claims")
    if isinstance(domain, Polytope):
        if any(constant > 0 and not any(coefficients) for constant, coefficients in domain.rows):
            raise Rejected(SECTION, "the domain is empty")
        sides = [[*(-entry for entry in coefficients), -constant] for constant, coefficients in domain.rows]
        return [coprime(side) for side in sides if any(side[:-1])]
    if domain == "all":
        return []
    affordable(2 * n * (n + 1), NUMBER_BITS, SECTION)

    def side(j: int, factor: int, constant: int) -> Form:
        return coprime([*[0] * j, factor, *[0] * (n - 1 - j), constant])

    if not isinstance(domain, Box):
        return [side(j, 1, 0) for j in range(n)]
    lower, upper = domain.lower, domain.upper
    pairs = enumerate(zip(lower.numerators, upper.numerators, strict=True))
    return [form for j, (lo, hi) in pairs for form in (side(j, lower.denominator, -lo), side(j, -upper.denominator, hi))]


@dataclass
class Stage:
    """A layer where those before it have one pattern: its affine map, column by column, the constants last; the last signs of its neurons.

    `forms` are those of the neurons, each with its opposite and whether it is constant.
    """

    columns: list[Point]
    forms: list[tuple[Form, Form, bool]]
    signs: list[bool]


class Neurons:
    """The forms of all neurons around a point. As far as its pattern is that of the point before, they are there already."""

    def __init__(self, layers: Sequence[Layer], kernels: Kernels) -> None:
        # layers after the last neuron decide nothing
        self._layers = layers[: max((number for number, layer in enumerate(layers, 1) if any(layer.rectified)), default=0)]
        self._kernels = kernels
        self._stages: list[Stage] = []

    def around(self, point: Form) -> tuple[list[bool], list[Form]]:
        """The pattern at the point, and the neurons' forms that are not constant, each positive there."""
        pattern: list[bool] = []
        rows: list[Form] = []
        for number in range(len(self._layers)):
            if number == len(self._stages):
                self._stages.append(self._stage(number))
            stage = self._stages[number]
            values = [value(form, point) for form, _, _ in stage.forms]
            if 0 in values and any(z == 0 and any(form) for z, (form, _, _) in zip(values, stage.forms, strict=True)):
                raise Rejected(SECTION, "the point of a region lies on the boundary of another one")
            signs = [z > 0 for z in values]
            pattern += signs
            for on, (form, opposite, constant) in zip(signs, stage.forms, strict=True):
                if not constant:
                    rows.append(form if on else opposite)
            if signs != stage.signs:
                stage.signs = signs
                del self._stages[number + 1 :]
        return pattern, rows

    def _stage(self, number: int) -> Stage:
        layer, n = self._layers[number], self._layers[0].inputs
        # one power of two is the denominator of all columns
        columns = [self._kernels.evaluate(layer, x, constants=j == n) for j, x in enumerate(self._inputs(number))]
        longest = max((entry.bit_length() for x in columns for entry in x.numerators), default=0)
        affordable(layer.outputs * (n + 1), NUMBER_BITS + longest, SECTION)
        rows = zip(*(x.numerators for x in columns), strict=True)
        forms = [coprime(row) for row, rectified in zip(rows, layer.rectified, strict=True) if rectified]
        return Stage(columns, [(form, tuple([-entry for entry in form]), not any(form[:-1])) for form in forms], [])

    def _inputs(self, number: int) -> list[Point]:
        """What a layer is given, column by column."""
        n = self._layers[0].inputs
        if number == 0:
            affordable((n + 1) ** 2, NUMBER_BITS, SECTION)
            return [Point(1, [int(i == j) for i in range(n)]) for j in range(n + 1)]
        before = self._stages[number - 1]
        signs = iter(before.signs)
        active = [not rectified or next(signs) for rectified in self._layers[number - 1].rectified]
        return [Point(x.denominator, [v if on else 0 for v, on in zip(x.numerators, active, strict=True)]) for x in before.columns]


# A region: its facets


def check_implied(text: Text, rows: Sequence[Form], walls: Sequence[int], n: int) -> None:
    """Every row that is no wall is a sum of walls with multipliers >= 0, and of a number >= 0."""
    chosen = set(walls)
    others = [row for i, row in enumerate(rows) if i not in chosen]
    size = len(walls) + 1
    fields = text.take("implied", SECTION)
    numbers = fields.integers(len(others) * size, "multipliers")
    if min(numbers, default=0) < 0 or 0 in numbers[::size]:
        fields.reject("a multiplier is negative, or a denominator not positive")
    columns = [[rows[i][j] for i in walls] for j in range(n + 1)]
    for k, row in enumerate(others):
        denominator, *weights = numbers[k * size : (k + 1) * size]
        *linear, constant = [denominator * entry - sum(map(mul, weights, column)) for entry, column in zip(row, columns, strict=True)]
        if any(linear) or constant < 0:
            fields.reject(f"row {k} of those that are no walls does not follow from the walls")


class Walls:
    """The walls of a region, and which of them have been crossed."""

    def __init__(self, forms: list[Form]) -> None:
        self.forms = forms
        self.crossed: set[int] = set()

    def opposite(self, wall: Form) -> int:
        """The place of a wall of another region that bounds this one from the other side."""
        negative = tuple([-entry for entry in wall])
        if negative not in self.forms:
            raise Rejected(SECTION, "a facet is not one of the region beyond it")
        return self.forms.index(negative)

    def cross(self, place: int, point: Form) -> None:
        """The point lies on this wall alone, which is crossed once."""
        if place in self.crossed:
            raise Rejected(SECTION, "a wall is crossed twice")
        self.crossed.add(place)
        if any(value(form, point) <= 0 for form in (*self.forms[:place], *self.forms[place + 1 :])) or value(self.forms[place], point):
            raise Rejected(SECTION, "a point is not inside the facet that it is to show")
