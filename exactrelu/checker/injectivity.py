"""Section 4.10 of proofs/FORMAT.md, `injective`: rows that are zero on every difference of two inputs with one output have full rank.

Let x != y in K have the same output, r = y - x and F = {j : a_j r = 0}. Between x and y a rectified row is in F or negative (theory I1), so
that F holds a row of every set of rectified rows that are nowhere in K all negative: of every dependency. Rows that F must hold have
rank n, or they have it in every case of a tree (theory I8): then r = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

from exactrelu.checker.claim import ONE, Ball, Box, Domain, Polytope, Row, Side, layer_row
from exactrelu.checker.elimination import Echelon
from exactrelu.checker.evidence import affordable_dense, infimum_of, read_rank
from exactrelu.checker.sparse import Coefficients, at, entries, odd
from exactrelu.checker.text import MODULUS_BITS, Fields, Rejected, Text, numbered
from exactrelu.checker.tree import Case, check_cases

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from fractions import Fraction

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.claim import Point
    from exactrelu.checker.network import Layer

SECTION = "4.10"


def check_injective(text: Text, layer: Layer, domain: Domain, kernels: Kernels, lowered: Fraction) -> None:
    """The evidence that the layer, with the biases of its rectified rows lowered, is injective on the domain."""
    dependencies: list[list[int]] = []
    while text.begins("dependency"):
        dependencies.append(read_dependency(text, layer, domain, kernels, lowered))
    flat: list[Row] = []
    while text.begins("flat"):
        flat += read_flat(text, layer.inputs, domain, kernels)
    first = [layer_row(layer, rows[0], True) for rows in read_certain(text, layer, dependencies)]
    unrectified = [layer_row(layer, i, True) for i in range(layer.outputs) if not layer.rectified[i]]
    known: list[Row | Side] = [*unrectified, *first, *fixed_columns(domain, layer.inputs), *flat]
    if text.begins("rank"):
        if read_rank(text, known, layer.inputs, kernels, SECTION, ("columns",)).rank != layer.inputs:
            raise Rejected(SECTION, "the rank is not the number of inputs")
    else:
        check_tree(text, layer, dependencies, known, kernels)


# Dependencies, and the rows that they and the domain put into F


def read_dependency(text: Text, layer: Layer, domain: Domain, kernels: Kernels, lowered: Fraction) -> list[int]:
    """The rows of a dependency: a sum of them, lowered, with positive multipliers is not negative on the domain."""
    fields = text.take("dependency", SECTION)
    numbers = fields.rest("a dependency")
    rows, weights, rest = multipliers(fields, numbers, layer.outputs)
    given = domain.rows if isinstance(domain, Polytope) else ()
    sides, side_weights, rest = multipliers(fields, rest, len(given)) if rest else ([], [], [])
    if rest:
        fields.reject("more numbers than K and S say")
    if not all(layer.rectified[j] for j in rows):
        fields.reject("a row of it is not rectified")
    terms = [*(layer_row(layer, j, False) for j in rows), *(Row(given[s][1], ONE, False) for s in sides)]
    sigma = kernels.combination(terms, [*weights, *side_weights], layer.inputs)
    # c = constant / (2^down * the denominator by which biases are lowered)
    down = max([0, *(-layer.rows[j].exponent for j in rows)])
    constant = sum(weight * given[s][0] for s, weight in zip(sides, side_weights, strict=True)) << down
    for j, weight in zip(rows, weights, strict=True):
        constant += weight * layer.rows[j].constant << (layer.rows[j].exponent + down)
    constant = constant * lowered.denominator - (lowered.numerator * sum(weights) << down)
    if not is_nowhere_negative(sigma, constant, lowered.denominator << down, domain):
        fields.reject("the sum is negative somewhere in the domain")
    return rows


def is_nowhere_negative(sigma: Point, constant: int, denominator: int, domain: Domain) -> bool:
    """Whether sigma.x + constant / denominator >= 0 on the domain; on a polytope, only if sigma = 0."""
    if isinstance(domain, Ball):
        # the infimum of sigma.x is -|sigma| times the radius
        size = sum(v * v for v in sigma.numerators)
        return constant >= 0 and (domain.denominator * constant * sigma.denominator) ** 2 >= (domain.numerator * denominator) ** 2 * size
    infimum = infimum_of(sigma, domain)
    return infimum is not None and infimum[0] * denominator + constant * infimum[1] >= 0


def multipliers(fields: Fields, numbers: Sequence[int], limit: int) -> tuple[list[int], list[int], Sequence[int]]:
    """K j1 l1 .. jK lK: numbers below the limit, increasing, and their multipliers; and what follows them."""
    count = numbers[0] if numbers else 0
    if not 0 < count <= (len(numbers) - 1) // 2:
        fields.reject("there are not as many pairs as a count says, or none")
    chosen, weights = list(numbers[1 : 2 * count + 1 : 2]), list(numbers[2 : 2 * count + 1 : 2])
    if any(i >= j for i, j in pairwise([-1, *chosen, limit])):
        fields.reject("the numbers are not increasing, or beyond the last")
    if min(weights) <= 0:
        fields.reject("a multiplier is not positive")
    return chosen, weights, numbers[2 * count + 1 :]


def read_flat(text: Text, n: int, domain: Domain, kernels: Kernels) -> list[Row]:
    """Sides that add up to 0 = 0 with positive multipliers: none of them is negative anywhere in the polytope."""
    fields = text.take("flat", SECTION)
    given = domain.rows if isinstance(domain, Polytope) else ()
    sides, weights, rest = multipliers(fields, fields.rest("a flat"), len(given))
    if rest:
        fields.reject("more numbers than S says")
    rows = [Row(given[s][1], ONE, True) for s in sides]
    constant = sum(weight * given[s][0] for s, weight in zip(sides, weights, strict=True))
    if constant or any(kernels.combination(rows, weights, n).numerators):
        fields.reject("the sides do not add up to 0")
    return rows


def read_certain(text: Text, layer: Layer, dependencies: Sequence[list[int]]) -> list[list[int]]:
    """The rows of dependencies whose rows are multiples of one another: one of them is in F, and with it all."""
    fields = text.take("certain", SECTION)
    certain = []
    for d in numbered(fields, len(dependencies)):
        rows = [layer.rows[j].coefficients for j in dependencies[d]]
        if not all(are_multiples(rows[0], row) for row in rows[1:]):
            fields.reject(f"the rows of dependency {d} are not multiples of one another")
        certain.append(dependencies[d])
    return certain


def are_multiples(a: Coefficients, b: Coefficients) -> bool:
    """Whether both are zero, or neither is and they are parallel."""
    u, v = ([entry for entry in entries(row) if entry[1]] for row in (a, b))
    if not u or not v:
        return not u and not v
    (_, p), (_, q) = u[0], v[0]
    return [(j, value * q) for j, value in u] == [(j, value * p) for j, value in v]


def fixed_columns(domain: Domain, n: int) -> list[Side]:
    """The unit rows of the columns in which a box, or a ball of radius 0, has one value."""
    if isinstance(domain, Ball) and domain.numerator == 0:
        return [Side(j, 1) for j in range(n)]
    if not isinstance(domain, Box):
        return []
    d, e = domain.lower.denominator, domain.upper.denominator
    bounds = zip(domain.lower.numerators, domain.upper.numerators, strict=True)
    return [Side(j, 1) for j, (lower, upper) in enumerate(bounds) if lower * e == upper * d]


# The tree


def check_tree(text: Text, layer: Layer, dependencies: Sequence[Sequence[int]], known: Sequence[Row | Side], kernels: Kernels) -> None:
    """Every case is closed: its rows in F have rank n, or it cannot be."""
    fields = text.take("tree", SECTION)
    modulus = fields.natural("Q")
    fields.done()
    if modulus <= 1 or modulus.bit_length() > MODULUS_BITS:
        fields.reject(f"Q is 0 or 1, or has more than {MODULUS_BITS} bits")
    case = FullRankCase(layer, dependencies, modulus, kernels)
    for row in known:
        case.put(row)
    check_cases(text, case, SECTION)


@dataclass(frozen=True)
class Mark:
    """How far the lists of a case went."""

    outside: int
    inside: int
    rank: int


class FullRankCase(Case):
    """A node (I, A): rows that are not in F (`outside`), rows that are (`inside`), their echelon form modulo Q."""

    def __init__(self, layer: Layer, dependencies: Sequence[Sequence[int]], modulus: int, kernels: Kernels) -> None:
        super().__init__(layer, dependencies, kernels, SECTION)
        self._modulus = modulus
        self._echelon = Echelon(layer.inputs, modulus)
        self._outside: dict[int, None] = {}
        self._inside: list[Row | Side] = []

    @property
    def outside(self) -> Collection[int]:
        return self._outside

    def is_closed(self) -> bool:
        """Whether A has rank n, which leaves no difference but 0."""
        return self._echelon.rank == self.layer.inputs

    def put(self, row: Row | Side) -> None:
        """Add a row to A."""
        self._inside.append(row)
        if not self.is_closed():
            self._echelon.add(self._integers(row))

    def branch(self, rows: Sequence[int]) -> Iterator[None]:
        """F holds a row of a dependency: the first that it holds is one of those outside I."""
        mark = self._mark()
        for j in rows:
            self.count(1)
            if j not in self._outside:
                self.put(layer_row(self.layer, j, True))
                yield
                self._back_to(mark)
                self._outside[j] = None
                mark = self._mark()

    def split(self, j: int) -> Iterator[None]:
        mark = self._mark()
        self._outside[j] = None
        yield
        self._back_to(mark)
        self.put(layer_row(self.layer, j, True))
        yield

    def close(self, text: Text) -> None:
        if text.begins("spanned"):
            self._close_spanned(text.take("spanned", SECTION))
            return
        fields, groups = self.read_pack(text)
        self.count(prod(map(len, groups)))
        if all(groups) and not self._every_choice_spans(groups):
            fields.reject("a choice of one row from each does not have rank n with the rows in F")

    def _mark(self) -> Mark:
        return Mark(len(self._outside), len(self._inside), self._echelon.rank)

    def _back_to(self, mark: Mark) -> None:
        """Take back what was added since."""
        while len(self._outside) > mark.outside:
            self._outside.popitem()
        del self._inside[mark.inside :]
        self._echelon.cut(mark.rank)

    def _close_spanned(self, fields: Fields) -> None:
        """A row outside F is a combination of rows in F: this cannot be."""
        numbers = fields.rest("a relation")
        if len(numbers) < 2 or len(numbers) % 2:
            fields.reject("J, D and pairs of a place and a coefficient belong here")
        j, denominator, places, coefficients = numbers[0], numbers[1], numbers[2::2], numbers[3::2]
        if j not in self._outside:
            fields.reject("J is not one of the rows outside F")
        if denominator <= 0 or not all(coefficients):
            fields.reject("D is not positive, or a coefficient is 0")
        if any(i >= k for i, k in pairwise([-1, *places, len(self._inside)])):
            fields.reject("the places are not increasing, or beyond the rows in F")
        terms = [layer_row(self.layer, j, True), *(self._inside[i] for i in places)]
        if any(self.kernels.combination(terms, [-denominator, *coefficients], self.layer.inputs).numerators):
            fields.reject("the relation does not hold")

    def _every_choice_spans(self, groups: Sequence[Sequence[int]]) -> bool:
        """Groups of one row leave no choice. What they add to the echelon form, the node above takes back."""
        for group in groups:
            if len(group) == 1:
                self._echelon.add(self._integers(layer_row(self.layer, group[0], True)))
        several = sorted((group for group in groups if len(group) > 1), key=len)
        missing = self.layer.inputs - self._echelon.rank
        if len(several) < missing:
            return False
        left = [[self._echelon.beside_pivots(self._integers(layer_row(self.layer, j, True))) for j in group] for group in several]
        return self.kernels.every_choice_spans(left, missing, self._modulus)

    def _integers(self, row: Row | Side) -> list[int]:
        """The row, made integral with an odd entry, to be eliminated."""
        n = self.layer.inputs
        self.count(16 + self._echelon.rank * n // 64)
        if isinstance(row, Side):
            return [int(j == row.column) for j in range(n)]
        affordable_dense([row], n, SECTION)
        return at(odd(row.coefficients), range(n))
