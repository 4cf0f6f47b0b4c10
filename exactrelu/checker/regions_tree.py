"""Section 4.13 of proofs/FORMAT.md: all activation regions, as the leaves of a tree of cells that neurons cut in two.

A cell is where some rows are positive, the rows being neurons with a sign and sides of the domain. All other neurons that have been settled
have the same sign throughout. So the leaves, in which all are, leave nothing out; that a leaf has interior points, and which of its
rows are facets, is seen where only these are 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from math import lcm
from typing import TYPE_CHECKING, NamedTuple

from exactrelu.checker.claim import Domain, Point, read_point
from exactrelu.checker.elimination import Echelon
from exactrelu.checker.packing import pack, unpack
from exactrelu.checker.regions import sides_of
from exactrelu.checker.regions_cone import SECTION, Cone, Form, value
from exactrelu.checker.sparse import at
from exactrelu.checker.text import TREE_DEPTH, Rejected, Text, affordable, bits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.network import Layer

# about what a small number takes in a list
NUMBER_BITS = 64
# beyond these a checker gives up: dimensions, and rows of all cells that wait
DIMENSIONS = 2**8
ROWS = 2**24
# layers with at most so many entries are multiplied column by column, each packed
PACKED = 2**14
# modulo which directions are independent
PRIME = 2**61 - 1
# lines that begin with a number, those with a mask before their cones, and those where all neurons have one sign
NUMBERED = frozenset(["cut", "above", "below"])
MASKED = frozenset(["cut", "region"])
SETTLED = frozenset(["region", "leaf"])


def check_region_tree(
    text: Text,
    layers: Sequence[Layer],
    chart: Sequence[Point],
    domain: Domain,
    kernels: Kernels,
    regions: int,
    adjacencies: int,
    visit: Callable[[Sequence[Point], Sequence[Form]], None] = lambda *_: None,
) -> None:
    """The evidence that the domain has so many activation regions of the layers, and so many pairs of them a common facet.

    chart: what the layers are given, column by column, over one denominator: for every coordinate, and last the constants. visit: called
    for every region with what the last layer of neurons makes of these columns there, and with the rows that are positive in it.
    """
    text.take("tree", SECTION).done()
    stages = Stages(layers, kernels)
    found = facets = 0
    for leaf in leaves(text, ["region"], stages, chart, sides_on(chart, domain, layers[0].inputs)):
        check_region(text, leaf.cell, leaf.mask, len(chart) - 1)
        visit(stages.values, leaf.cell.rows)
        found += 1
        facets += leaf.mask.bit_count()
    if (found, facets) != (regions, adjacencies):
        raise Rejected(SECTION, f"there are {found} regions with {facets} facets that count, not as many as the claim says")


def leaves(text: Text, words: Sequence[str], stages: Stages, chart: Sequence[Point], sides: Sequence[Form]) -> Iterator[Leaf]:
    """Read the tree of cells of the set where the sides are at least 0; its leaves are in lines that begin with one of these words.

    `stages.values` are those of the leaf, where all neurons are settled in it.
    """
    n = len(chart) - 1
    if n > DIMENSIONS:
        raise Rejected(SECTION, f"there are more than {DIMENSIONS} dimensions")
    affordable((n + 1) ** 2, NUMBER_BITS, SECTION)
    waiting = [Cell(tuple(sides), 0, stages.first(chart), {}, [])]
    last = Cone.everything(n)
    held = 0
    while waiting:
        cell = waiting.pop()
        held -= len(cell.rows)
        word = next((word for word in words if text.begins(word)), "cut")
        fields = text.take(word, SECTION)
        number = fields.natural("a number") if word in NUMBERED else -1
        chosen = fields.mask("the rows", len(cell.rows)) if word in MASKED else 0
        new: list[Known] = []
        for mask in fields.rest("cones"):
            if not 0 <= mask < 1 << len(cell.rows):
                fields.reject("a cone names a row that does not exist")
            last = last.of([cell.rows[i] for i in bits(mask)])
            new.append(Known(mask, last, is_simple(mask, last, cell.rows)))
        stages.settle(cell, new)
        if word in SETTLED and cell.stage is not None:
            fields.reject("a neuron has both signs in this cell, or none of the cones shows that it has one")
        if word != "cut":
            yield Leaf(word, number, chosen, cell)
            continue
        if cell.stage is None or number >= len(cell.stage.forms) or number in cell.signs:
            fields.reject("there is no such neuron, or it has one sign in this cell")
        parts = cell.parts(number, chosen)
        waiting += parts
        held += sum(len(part.rows) for part in parts)
        if held > ROWS or len(waiting) > TREE_DEPTH:
            raise Rejected(SECTION, "the tree holds more cells at once than a checker takes on")


def identity(n: int) -> list[Point]:
    """All of R^n as a chart."""
    affordable(n * (n + 1), NUMBER_BITS, SECTION)
    return [Point(1, [int(i == j) for i in range(n)]) for j in range(n + 1)]


def read_slice(text: Text, n: int) -> list[Point]:
    """The lines of a slice as a chart: its directions, which are independent, and its origin, over one denominator."""
    fields = text.take("slice", "3.5")
    directions = fields.natural("the number of directions", n)
    fields.done()
    origin = read_point(text, "origin", n, "3.5")
    points = [*(read_point(text, "direction", n, "3.5") for _ in range(directions)), origin]
    echelon = Echelon(n, PRIME)
    if not all(echelon.add(direction.numerators) for direction in points[:-1]):
        raise Rejected("3.5", "the directions of the slice are not independent")
    denominators = [point.denominator for point in points]
    affordable(n * len(points), sum(denominator.bit_length() for denominator in denominators), "3.5")
    common = lcm(*denominators)
    return [Point(common, [value * (common // point.denominator) for value in point.numerators]) for point in points]


def sides_on(chart: Sequence[Point], domain: Domain, n: int) -> list[Form]:
    """The domain's sides as forms that are positive inside, in the coordinates of the chart; without constant ones."""
    columns = [[*column.numerators, chart[0].denominator if j == len(chart) - 1 else 0] for j, column in enumerate(chart)]
    sides = [tuple([sum(a * v for a, v in zip(side, column, strict=True) if a) for column in columns]) for side in sides_of(domain, n)]
    if any(side[-1] < 0 and not any(side[:-1]) for side in sides):
        raise Rejected(SECTION, "the domain is empty")
    return [side for side in sides if any(side[:-1])]


# Cells


@dataclass(frozen=True)
class Stage:
    """A layer in a cell: the values of its rows, column by column, and the forms of its neurons."""

    number: int
    columns: list[Point]
    forms: list[Form]


@dataclass(frozen=True)
class Known:
    """A cone of rows of a cell, by their mask; whether it is known to be simple."""

    mask: int
    cone: Cone
    simple: bool


def is_simple(mask: int, cone: Cone, rows: Sequence[Form]) -> bool:
    """Whether the other rows of a cell are positive at a cone's apex, so that near it the cell is the cone."""
    return cone.positive_at_apex([row for i, row in enumerate(rows) if not mask >> i & 1])


@dataclass
class Cell:
    """Where all rows are positive; bit i of `counted`: row i is a neuron that is positive.

    `signs`: of the neurons of the stage that have one there; no stage: all neurons of all layers have one.
    """

    rows: tuple[Form, ...]
    counted: int
    stage: Stage | None
    signs: dict[int, bool]
    cones: list[Known]

    def settle(self, cones: Sequence[Known]) -> None:
        """The neurons that have one sign on one of these cones, which hold the cell."""
        assert self.stage is not None
        for neuron, form in enumerate(self.stage.forms):
            if neuron not in self.signs:
                sign = next((sign for known in cones if (sign := known.cone.sign(form)) is not None), None)
                if sign is not None:
                    self.signs[neuron] = sign

    def parts(self, neuron: int, kept: int) -> list[Cell]:
        """Where a neuron is positive and, last, where it is not; with the rows kept, from which the others have to follow."""
        assert self.stage is not None
        usable = [known for known in self.cones if not known.mask & ~kept]
        for i, row in enumerate(self.rows):
            if not kept >> i & 1 and not any(known.cone.above(row) for known in usable):
                raise Rejected(SECTION, f"row {i} of a cell is left out, but does not follow from those kept by one of the cones")
        form, numbers = self.stage.forms[neuron], bits(kept)
        rows, counted = [self.rows[i] for i in numbers], compressed(self.counted, numbers)
        parts = []
        for sign, row in ((True, form), (False, tuple([-entry for entry in form]))):
            cones = [replace(known, mask=compressed(known.mask, numbers)) for known in usable if known.cone.positive_at_apex([row])]
            parts.append(Cell((*rows, row), counted | sign << len(rows), self.stage, {**self.signs, neuron: sign}, cones))
        return parts


class Leaf(NamedTuple):
    """A cell that is not cut, and what its line says of it: its word, a number and a mask."""

    word: str
    number: int
    mask: int
    cell: Cell


def compressed(mask: int, numbers: Sequence[int]) -> int:
    """The mask where row numbers[i] has become row i."""
    return mask if numbers and numbers[-1] == len(numbers) - 1 else sum(1 << i for i, number in enumerate(numbers) if mask >> number & 1)


class Stages:
    """The layers up to the last neuron, as affine functions in cells; `values`: of the last one, where a cell was settled in all."""

    def __init__(self, layers: Sequence[Layer], kernels: Kernels) -> None:
        last = max((number for number, layer in enumerate(layers, 1) if any(layer.rectified)), default=0)
        self.layers = [ColumnLayer(layer, kernels) for layer in layers[:last]]
        self.values: Sequence[Point] = ()

    def first(self, chart: Sequence[Point]) -> Stage | None:
        self.values = chart
        return self._stage(0, chart) if self.layers else None

    def settle(self, cell: Cell, new: Sequence[Known]) -> None:
        """Bring a cell, with further cones, to the first layer of which not all neurons have one sign there."""
        cell.cones += new
        if cell.stage is not None:
            # those that it had before have been looked at
            cell.settle(new)
        while cell.stage is not None and len(cell.signs) == len(cell.stage.forms):
            cell.stage, cell.signs = self._after(cell.stage, cell.signs), {}
            if cell.stage is not None:
                cell.settle(cell.cones)

    def _after(self, stage: Stage, signs: Mapping[int, bool]) -> Stage | None:
        """The next layer, which is given the values of this one, 0 for neurons that are not positive; None after the last."""
        neurons = count()
        active = [not rectified or signs[next(neurons)] for rectified in self.layers[stage.number].rectified]
        columns = [Point(x.denominator, [v if on else 0 for v, on in zip(x.numerators, active, strict=True)]) for x in stage.columns]
        if stage.number + 1 == len(self.layers):
            self.values = columns
            return None
        return self._stage(stage.number + 1, columns)

    def _stage(self, number: int, inputs: Sequence[Point]) -> Stage:
        layer = self.layers[number]
        columns = layer.columns(inputs)
        rows = zip(*(x.numerators for x in columns), strict=True)
        return Stage(number, columns, [row for row, rectified in zip(rows, layer.rectified, strict=True) if rectified])


def longest(columns: Sequence[Sequence[int]]) -> int:
    """The bits of the largest entry."""
    return max((max(max(column).bit_length(), min(column).bit_length()) for column in columns if column), default=0)


class ColumnLayer:
    """A layer as an affine map of columns, those of all coordinates and last of the constants, over one denominator."""

    def __init__(self, layer: Layer, kernels: Kernels) -> None:
        self.rectified = layer.rectified
        self._layer, self._kernels = layer, kernels
        self._packed = PackedLayer(layer) if layer.inputs * layer.outputs <= PACKED else None

    def columns(self, inputs: Sequence[Point]) -> list[Point]:
        """The values of the rows, before a relu."""
        n = len(inputs) - 1
        if self._packed is None:
            columns = [self._kernels.evaluate(self._layer, x, constants=j == n) for j, x in enumerate(inputs)]
        else:
            columns = self._packed.columns(inputs)
        affordable(self._layer.outputs * (n + 1), NUMBER_BITS + longest([x.numerators for x in columns]), SECTION)
        return columns


class PackedLayer:
    """A small layer, each column of its weights in one integer."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._lowest = min([0, *(row.exponent for row in layer.rows)])
        self._width = 0

    @cached_property
    def _weights(self) -> list[list[int]]:
        """The columns, the constants last, in integers times 2^lowest."""
        shifts = [row.exponent - self._lowest for row in self._layer.rows]
        affordable(self._layer.outputs * (self._layer.inputs + 1), NUMBER_BITS + max(shifts, default=0), SECTION)
        rows = [at(row.coefficients, range(self._layer.inputs)) for row in self._layer.rows]
        constants = [row.constant for row in self._layer.rows]
        columns = [*(list(column) for column in zip(*rows, strict=True)), constants] if rows else []
        return [[value << shift for value, shift in zip(column, shifts, strict=True)] for column in columns]

    def columns(self, inputs: Sequence[Point]) -> list[Point]:
        """The values of the rows, as `Kernels.evaluate`."""
        m, n = self._layer.outputs, len(inputs) - 1
        denominator = inputs[0].denominator
        if m == 0:
            return [Point(denominator, [])] * (n + 1)
        given = [[*x.numerators, denominator if j == n else 0] for j, x in enumerate(inputs)]
        most = longest(given)
        affordable(m * (n + 1), most - self._lowest, SECTION)
        self._widen(most)
        sums = (sum([v * packed for v, packed in zip(column, self._columns, strict=True) if v]) for column in given)
        return [Point(denominator << -self._lowest, unpack(total, m, self._width)) for total in sums]

    def _widen(self, most: int) -> None:
        """Pack again where numbers of so many bits need wider fields."""
        width = (longest(self._weights) + most + (self._layer.inputs + 1).bit_length() + 1 + 7) // 8
        if width > self._width:
            self._width = width
            self._columns = [pack(column, width) for column in self._weights]


def check_region(text: Text, cell: Cell, facets: int, n: int) -> None:
    """A region has interior points; of the rows that count these are facets, and every other one follows from further rows."""
    inside, seen = False, 0
    for known in cell.cones:
        if known.simple or is_simple(known.mask, known.cone, cell.rows):
            inside, seen = True, seen | known.mask
    while text.begins("point"):
        fields = text.take("point", SECTION)
        denominator = fields.positive("a denominator")
        point = (*fields.integers(n, "a point"), denominator)
        values = [value(row, point) for row in cell.rows]
        beyond = [i for i, z in enumerate(values) if z < 0]
        if len(beyond) > 1 or 0 in values:
            fields.reject("the point is neither inside the region nor beyond one of its rows alone")
        if beyond:
            seen |= 1 << beyond[0]
        else:
            inside = True
    if not inside or facets & ~(seen & cell.counted):
        raise Rejected(SECTION, "a region has no interior points, or a row is no facet that counts")
    for i in bits(cell.counted & ~facets):
        if not any(not known.mask >> i & 1 and known.cone.above(cell.rows[i]) for known in cell.cones):
            raise Rejected(SECTION, f"row {i} of a region is left out, but does not follow from others by one of the cones")
