"""Section 4.11 of proofs/FORMAT.md: how far biases can be lowered, and how much a layer shortens distances at most.

Biases lowered by t are those of the rectified rows minus t. At a limit a point x* and two others u and v collide for every larger t,
drawn close to x* (theory I4). Distances: a row that is not negative at the midpoint of x and y, or that no relu follows, gives
|f_j(x) - f_j(y)| >= 1/2 |a_j (x - y)|; in every case of a tree such rows W_A have |W_A r|^2 >= q |r|^2 (theory I6).
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

from exactrelu.checker.claim import Domain, contains, read_point
from exactrelu.checker.definite import Symmetric, plus_square
from exactrelu.checker.injectivity import (
    PACK_CHOICES,
    TREE_DEPTH,
    TREE_STEPS,
    fixed_columns,
    numbered,
    read_certain,
    read_dependency,
)
from exactrelu.checker.sparse import at
from exactrelu.checker.text import DENOMINATOR_BITS, Fields, Rejected, Text, affordable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.network import Layer

SECTION = "4.11"
# beyond so many bits in the pivots of one matrix a checker gives up
PIVOT_BITS = 2**17


def read_ratio(fields: Fields) -> Fraction:
    """`D N` at the end of a line: the number N / D."""
    denominator = fields.positive("a denominator")
    numerator = fields.integer("a numerator")
    fields.done()
    if max(denominator.bit_length(), numerator.bit_length()) > DENOMINATOR_BITS:
        fields.reject(f"a number of more than {DENOMINATOR_BITS} bits is more than a checker takes on here")
    return Fraction(numerator, denominator)


def short(value: Fraction) -> str:
    """The number in words: exactly if that is short."""
    if max(value.denominator.bit_length(), value.numerator.bit_length()) <= 32:
        return str(value)
    if max(value.denominator.bit_length(), value.numerator.bit_length()) <= 900:
        return f"about {float(value):.6g}"
    return f"a number of {value.numerator.bit_length()} over {value.denominator.bit_length()} bits"


def half_root(value: Fraction) -> str:
    """1/2 sqrt(value), value > 0, rounded down to four digits."""
    many = Context(prec=40, rounding=ROUND_FLOOR, Emin=MIN_EMIN, Emax=MAX_EMAX)
    root = many.sqrt(many.divide(Decimal(value.numerator), Decimal(value.denominator)))
    # the square root is rounded to nearest, by less than the last factor takes away
    below = many.multiply(many.divide(root, Decimal(2)), many.subtract(Decimal(1), Decimal(10) ** -38))
    return str(Context(prec=4, rounding=ROUND_FLOOR, Emin=MIN_EMIN, Emax=MAX_EMAX).plus(below))


# Biases


def check_bias_limit(text: Text, layer: Layer, domain: Domain, limit: Fraction, kernels: Kernels) -> None:
    """Three points of the domain: on u and v rows agree, or they are rectified and at most the limit at x*."""
    points = [read_point(text, word, layer.inputs, SECTION) for word in ("point", "first", "second")]
    if points[1].equals(points[2]):
        raise Rejected(SECTION, "the points u and v are the same")
    if not all(contains(domain, point) for point in points):
        raise Rejected(SECTION, "a point is not in the domain")
    x, u, v = (kernels.evaluate(layer, point) for point in points)
    for j, rectified in enumerate(layer.rectified):
        below = rectified and x.numerators[j] * limit.denominator <= limit.numerator * x.denominator
        if not below and u.numerators[j] * v.denominator != v.numerators[j] * u.denominator:
            raise Rejected(SECTION, f"row {j} is above the limit at x*, or not rectified, and differs between u and v")


# Distances


def check_expansion(text: Text, layer: Layer, domain: Domain, least: Fraction, kernels: Kernels, lowered: Fraction) -> None:
    """In every case of a tree the rows that are not negative at the midpoint have W_A^T W_A - least * I without negative eigenvalue."""
    dependencies: list[list[int]] = []
    while text.begins("dependency"):
        dependencies.append(read_dependency(text, layer, domain, kernels, lowered))
    certain = read_certain(text, layer, dependencies)
    if len({j for rows in certain for j in rows}) != sum(map(len, certain)):
        raise Rejected(SECTION, "two dependencies in `certain` have a row in common")
    fields = text.take("tree", SECTION)
    if fields.natural("0"):
        fields.reject("the tree of an expansion is `tree 0`")
    fields.done()
    case = Case(layer, domain, dependencies, certain, least, kernels)
    # the nodes above, each with its children to come
    above: list[Iterator[None]] = []
    while True:
        if not case.is_closed():
            children = case.read_node(text)
            if children is not None:
                above.append(children)
                if len(above) > TREE_DEPTH:
                    raise Rejected(SECTION, f"more than {TREE_DEPTH} nodes within one another are more than a checker takes on")
        while above and next(above[-1], False) is False:
            above.pop()
        if not above:
            return


class Case:
    """A node (I, A): rows that are negative at the midpoint (`outside`), rows that are not (`inside`), and what they add up to.

    The matrix is W_A^T W_A - least * I on the free columns, times a positive number that makes it integral.
    """

    def __init__(
        self,
        layer: Layer,
        domain: Domain,
        dependencies: Sequence[Sequence[int]],
        certain: Sequence[Sequence[int]],
        least: Fraction,
        kernels: Kernels,
    ) -> None:
        self._layer = layer
        self._dependencies = dependencies
        self._kernels = kernels
        fixed = {side.column for side in fixed_columns(domain, layer.inputs)}
        self._free = [k for k in range(layer.inputs) if k not in fixed]
        self._outside: set[int] = set()
        self._inside: set[int] = set()
        self._rows: dict[int, list[int]] = {}
        self._steps = 0
        size = len(self._free)
        self._count(size**3 // 8)
        # real rows are 2^lowest times the integral ones
        exponents = [row.exponent for row in layer.rows]
        self._lowest = min(exponents, default=0)
        affordable(size**2, 2 * (max(exponents, default=0) - self._lowest), SECTION)
        unit = least.numerator << max(0, -2 * self._lowest)
        self._factor = least.denominator << max(0, 2 * self._lowest)
        self._matrix: Symmetric = [[-unit, *[0] * (size - 1 - k)] for k in range(size)]
        for i, marked in enumerate(layer.rectified):
            if not marked:
                self._put(i)
        for rows in certain:
            # one of these parallel rows is not negative, and none adds less than the shortest; more is not made of them
            shortest = min((self._row(j) for j in rows), key=lambda row: sum(value * value for value in row))
            self._inside |= set(rows)
            self._add(self._factor, shortest)

    def is_closed(self) -> bool:
        """Whether the distance is large enough in this case."""
        self._count(self._cost())
        return self._kernels.every_choice_is_semidefinite(self._matrix, [], self._factor)

    def read_node(self, text: Text) -> Iterator[None] | None:
        """Go from child to child of the node that the next line makes of this case; None if it closes the case."""
        if text.begins("branch"):
            return self._branch(self._dependencies[self._number(text.take("branch", SECTION), len(self._dependencies))])
        if text.begins("split"):
            return self._split(self._number(text.take("split", SECTION), self._layer.outputs))
        if not text.begins("pack"):
            raise Rejected(SECTION, "a case is open where the lines of the tree end")
        self._close_pack(text.take("pack", SECTION))
        return None

    @staticmethod
    def _number(fields: Fields, limit: int) -> int:
        number = fields.natural("a number")
        fields.done()
        if number >= limit:
            fields.reject("the number is beyond the last")
        return number

    # ---------- children: at each `yield` the case has become one of them, and what the nodes below changed has been taken back after it

    def _branch(self, rows: Sequence[int]) -> Iterator[None]:
        """A row of a dependency is not negative at the midpoint: the first such row is one of those outside I."""
        excluded = []
        for j in rows:
            self._count(1)
            if j not in self._outside:
                added = self._put(j)
                yield
                if added:
                    self._take_back(j)
                self._outside.add(j)
                excluded.append(j)
        self._outside.difference_update(excluded)

    def _split(self, j: int) -> Iterator[None]:
        known = j in self._outside
        self._outside.add(j)
        yield
        if not known:
            self._outside.discard(j)
        added = self._put(j)
        yield
        if added:
            self._take_back(j)

    def _close_pack(self, fields: Fields) -> None:
        """Of each of these dependencies a row is not negative; whichever they are, the distance is large enough."""
        chosen = numbered(fields, len(self._dependencies))
        self._count(sum(len(self._dependencies[d]) for d in chosen))
        groups = [[j for j in self._dependencies[d] if j not in self._outside] for d in chosen]
        if len(set().union(*groups)) != sum(map(len, groups)):
            fields.reject("the dependencies have a row outside I in common")
        choices = prod(map(len, groups))
        if choices > PACK_CHOICES:
            fields.reject(f"more than {PACK_CHOICES} choices are more than a checker takes on")
        self._count(choices * self._cost())
        nothing = [0] * len(self._free)
        rows = [[nothing if j in self._inside else self._row(j) for j in group] for group in groups]
        if choices and not self._kernels.every_choice_is_semidefinite(self._matrix, rows, self._factor):
            fields.reject("a choice of one row from each leaves the distance too small")

    # ---------- rows

    def _put(self, j: int) -> bool:
        """Add a row to A; whether it was not there."""
        if j in self._inside:
            return False
        self._inside.add(j)
        self._add(self._factor, self._row(j))
        return True

    def _take_back(self, j: int) -> None:
        self._inside.discard(j)
        self._add(-self._factor, self._row(j))

    def _add(self, factor: int, row: Sequence[int]) -> None:
        self._count(len(row) ** 2 // 8)
        self._matrix = plus_square(self._matrix, factor, row)

    def _row(self, j: int) -> list[int]:
        """The row's free columns, over the power of two that all rows share."""
        if j not in self._rows:
            row = self._layer.rows[j]
            affordable(len(self._free) * (len(self._rows) + 1), 64 + row.exponent - self._lowest, SECTION)
            self._rows[j] = [value << (row.exponent - self._lowest) for value in at(row.coefficients, self._free)]
        return self._rows[j]

    def _cost(self) -> int:
        """Steps for one matrix."""
        size = len(self._free)
        bits = size * max((abs(value).bit_length() for upper in self._matrix for value in upper[:1]), default=0)
        if bits > PIVOT_BITS:
            raise Rejected(SECTION, f"matrices whose pivots may have more than {PIVOT_BITS} bits are more than a checker takes on")
        return 1 + size**3 // 8 * (1 + bits // 512)

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > TREE_STEPS:
            raise Rejected(SECTION, f"a tree that takes more than {TREE_STEPS} steps is more than a checker takes on")
