"""Section 3 of proofs/FORMAT.md: what a certificate claims, and the systems of linear conditions that the claim comes down to.

Everything here is computed from the exact network and the point; nothing of it is read as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from exactrelu.checker.sparse import Coefficients, dot, kept, longer, scaled
from exactrelu.checker.text import DENOMINATOR_BITS, SIZE, Fields, Rejected, Text, affordable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.checker.network import Layer


@dataclass(frozen=True)
class Point:
    """The rational vector numerators / denominator."""

    denominator: int
    numerators: Sequence[int]

    def equals(self, other: Point) -> bool:
        d, e = self.denominator, other.denominator
        return len(self.numerators) == len(other.numerators) and all(
            u * e == v * d for u, v in zip(self.numerators, other.numerators, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Row:
    """The real row coefficients * scale, scale > 0: an equality (row . d = 0) or an inequality (row . d <= 0).

    `source` says that the coefficients are those of row i of a layer, for kernels that keep a layer in another form.
    """

    coefficients: Coefficients
    scale: Fraction
    equality: bool
    source: tuple[Layer, int] | None = None

    def dot(self, vector: Sequence[int]) -> int:
        """coefficients . vector, without the scale."""
        return dot(self.coefficients, vector)

    def is_zero(self) -> bool:
        return not any(kept(self.coefficients))


@dataclass(frozen=True)
class Side:
    """sign * d_column <= 0: `lower` (d_column >= 0) with sign -1, `upper` with sign 1."""

    column: int
    sign: int

    def dot(self, vector: Sequence[int]) -> int:
        return self.sign * vector[self.column]

    def is_zero(self) -> bool:
        return False


@dataclass(frozen=True, eq=False)
class System:
    """General rows, then sides; C is the set of the d in R^columns that satisfy all. Section 3.3."""

    columns: int
    rows: Sequence[Row]
    lower: frozenset[int] = frozenset()
    upper: frozenset[int] = frozenset()

    @property
    def fixed(self) -> frozenset[int]:
        """The columns with both sides: d_j = 0."""
        return self.lower & self.upper

    @property
    def sides(self) -> list[Side]:
        ordered = []
        for column in sorted(self.lower | self.upper):
            if column in self.lower:
                ordered.append(Side(column, -1))
            if column in self.upper:
                ordered.append(Side(column, 1))
        return ordered


@dataclass(frozen=True)
class Polytope:
    """constant + coefficients . x <= 0, one pair a row."""

    rows: Sequence[tuple[int, Sequence[int]]]


@dataclass(frozen=True)
class Box:
    """lower_j <= x_j <= upper_j."""

    lower: Point
    upper: Point


@dataclass(frozen=True)
class Ball:
    """The points at a distance of at most numerator / denominator from 0."""

    denominator: int
    numerator: int


Domain = str | Box | Ball | Polytope
"""`all`, `orthant`, a box, a ball or a polytope."""


def read_domain(text: Text, n: int) -> Domain:
    """Section 3.1."""
    fields = text.take("domain", "3.1")
    kind = fields.word("all", "orthant", "box", "ball", "polytope")
    if kind == "ball":
        ball = Ball(fields.positive("the radius's denominator"), fields.natural("the radius's numerator"))
        fields.done()
        return ball
    if kind == "polytope":
        count = fields.natural("the number of sides", SIZE)
        fields.done()
        rows = []
        for _ in range(count):
            constant, *coefficients = text.take("side", "3.1").integers(n + 1, "a side")
            rows.append((constant, coefficients))
        return Polytope(rows)
    fields.done()
    if kind != "box":
        return kind
    box = Box(read_point(text, "lower", n, "3.1"), read_point(text, "upper", n, "3.1"))
    d, e = box.lower.denominator, box.upper.denominator
    if any(lo * e > hi * d for lo, hi in zip(box.lower.numerators, box.upper.numerators, strict=True)):
        raise Rejected("3.1", "a lower bound is above the upper one")
    return box


def read_point(text: Text, keyword: str, n: int, section: str) -> Point:
    """The line `keyword D v1 .. vn`."""
    return point_of(text.take(keyword, section), n, f"`{keyword}`")


def point_of(fields: Fields, n: int, what: str) -> Point:
    """The rest of a line, `D v1 .. vn` with D > 0."""
    denominator = fields.positive("a denominator")
    return Point(denominator, fields.integers(n, what))


def contains(domain: Domain, x: Point) -> bool:
    """Whether x lies in the (closed) domain."""
    d = x.denominator
    if isinstance(domain, Box):
        lower, upper = domain.lower, domain.upper
        return all(
            lo * d <= v * lower.denominator and v * upper.denominator <= hi * d
            for lo, v, hi in zip(lower.numerators, x.numerators, upper.numerators, strict=True)
        )
    if isinstance(domain, Ball):
        return domain.denominator**2 * sum(v * v for v in x.numerators) <= (domain.numerator * d) ** 2
    if isinstance(domain, Polytope):
        return all(constant * d + sum(map(mul, coefficients, x.numerators)) <= 0 for constant, coefficients in domain.rows)
    return domain == "all" or all(v >= 0 for v in x.numerators)


class Evaluated(NamedTuple):
    """A point and the values z of a layer's rows there."""

    x: Point
    z: Point


@dataclass(frozen=True, eq=False)
class Claim:
    """A claim about one layer, and what it is about: the output y, and for subject input the point `at` which y was computed."""

    number: int
    layer: Layer
    domain: Domain
    at: Evaluated | None
    y: Point
    cardinality: str
    dimension: int = 0
    rank: int = 0
    active: int = 0

    def __str__(self) -> str:
        text = f"preimage of layer {self.number} ({named(self.domain)}): {self.cardinality}"
        if self.cardinality != "empty":
            text += f", dimension {self.dimension}, rank {self.rank}, {self.active} active"
        return text


def named(domain: Domain) -> str:
    """The domain's kind."""
    return domain if isinstance(domain, str) else type(domain).__name__.lower()


def image(layer: Layer, z: Point) -> Point:
    """The layer's output, from its rows' values z."""
    return Point(z.denominator, [max(v, 0) if marked else v for v, marked in zip(z.numerators, layer.rectified, strict=True)])


def read_claim(text: Text, number: int, layer: Layer, domain: Domain, at: Evaluated | None, y: Point) -> Claim:
    """The `claim` line of a claim about one layer."""
    fields, cardinality = read_cardinality(text)
    if cardinality == "empty":
        fields.done()
        return Claim(number, layer, domain, at, y, cardinality)
    dimension, rank, active = fields.natural("DIM"), fields.natural("RANK"), read_active(fields, y)
    fields.done()
    if (dimension == 0) != (cardinality == "singleton"):
        fields.reject(f"{cardinality} does not go with dimension {dimension}")
    return Claim(number, layer, domain, at, y, cardinality, dimension, rank, active)


def read_cardinality(text: Text, *others: str) -> tuple[Fields, str]:
    """The beginning of a `claim` line; `others`: words beside those of a claim about one layer."""
    fields = text.take("claim", "3.2")
    fields.word("preimage")
    return fields, fields.word("empty", "singleton", "bounded", "unbounded", "infinite", *others)


def read_active(fields: Fields, y: Point) -> int:
    """How many outputs are positive."""
    active = fields.natural("ACTIVE")
    if active != sum(v > 0 for v in y.numerators):
        fields.reject("ACTIVE is not the number of positive outputs")
    return active


@lru_cache(maxsize=2**14)
def scale_of(exponent: int) -> Fraction:
    """2^exponent; |exponent| <= 2^16."""
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


@lru_cache(maxsize=2**15)
def layer_row(layer: Layer, i: int, equality: bool) -> Row:
    """Row i of a layer, without its constant."""
    row = layer.rows[i]
    return Row(row.coefficients, scale_of(row.exponent), equality, (layer, i))


ONE = Fraction(1)


@dataclass(frozen=True, eq=False)
class Base:
    """A point x0 of X with the values z of the layer's rows there; P and Z of section 3.3."""

    layer: Layer
    domain: Domain
    x: Point
    z: Point

    def is_equality(self, i: int) -> bool:
        """Whether row i is in P: not rectified, or positive."""
        return not self.layer.rectified[i] or self.z.numerators[i] > 0

    def equalities(self) -> list[Row]:
        """A_P, the rows that are zero included."""
        return [layer_row(self.layer, i, True) for i in range(self.layer.outputs) if self.is_equality(i)]

    def tight_system(self) -> System:
        rows = [
            layer_row(self.layer, i, self.is_equality(i))
            for i in range(self.layer.outputs)
            if self.is_equality(i) or self.z.numerators[i] == 0
        ]
        lower: frozenset[int] = frozenset()
        upper: frozenset[int] = frozenset()
        d, x = self.x.denominator, self.x.numerators
        if isinstance(self.domain, Polytope):
            rows += [
                Row(coefficients, ONE, False)
                for constant, coefficients in self.domain.rows
                if constant * d + sum(map(mul, coefficients, x)) == 0
            ]
        elif isinstance(self.domain, Box):
            lo, hi = self.domain.lower, self.domain.upper
            lower = frozenset(j for j, v in enumerate(x) if lo.numerators[j] * d == v * lo.denominator)
            upper = frozenset(j for j, v in enumerate(x) if hi.numerators[j] * d == v * hi.denominator)
        elif self.domain == "orthant":
            lower = frozenset(j for j, v in enumerate(x) if v == 0)
        return System(self.layer.inputs, [row for row in rows if not row.is_zero()], lower, upper)

    def recession_system(self) -> System:
        n = self.layer.inputs
        rows = [layer_row(self.layer, i, self.is_equality(i)) for i in range(self.layer.outputs)]
        if isinstance(self.domain, Polytope):
            rows += [Row(coefficients, ONE, False) for _, coefficients in self.domain.rows]
        rows = [row for row in rows if not row.is_zero()]
        lower = frozenset(range(n)) if isinstance(self.domain, Box) or self.domain == "orthant" else frozenset()
        return System(n, rows, lower, lower if isinstance(self.domain, Box) else frozenset())


def homogenised_system(claim: Claim) -> System:
    """Its elements (d, t) with t = 1 are X, and C = {0} therefore says that X is empty (C1)."""
    n, y = claim.layer.inputs, claim.y
    numbers = sum(len(kept(row.coefficients)) for row in claim.layer.rows)
    rows = []
    for i, row in enumerate(claim.layer.rows):
        if claim.layer.rectified[i] and y.numerators[i] <= 0:
            rows.append(Row(longer(row.coefficients, row.constant, n), scale_of(row.exponent), False))
            continue
        # [a 2^E | b 2^E - Y/D] = [a D up | b D up - Y down] / (D down), with 2^E = up / down
        up, down = 1 << max(row.exponent, 0), 1 << max(-row.exponent, 0)
        factor = y.denominator * up
        affordable(numbers, factor.bit_length(), "4.8")
        if y.denominator.bit_length() > DENOMINATOR_BITS:
            raise Rejected("4.8", f"an output's denominator of more than {DENOMINATOR_BITS} bits is more than a checker takes on here")
        last = row.constant * factor - y.numerators[i] * down
        rows.append(Row(longer(scaled(row.coefficients, factor), last, n), Fraction(1, y.denominator * down), True))
    lower = frozenset([n])
    if isinstance(claim.domain, Polytope):
        rows += [Row([*coefficients, constant], ONE, False) for constant, coefficients in claim.domain.rows]
    elif isinstance(claim.domain, Box):
        lo, hi = claim.domain.lower, claim.domain.upper
        # the only matrix that grows with n^2 from a file that grows with n: what is done with it takes some 256 bits an entry
        affordable(2 * n, 256 * n, "4.8")
        for j in range(n):
            unit = [0] * (n + 1)
            unit[j], unit[n] = -lo.denominator, lo.numerators[j]
            rows.append(Row(unit, Fraction(1, lo.denominator), False))
            unit = [0] * (n + 1)
            unit[j], unit[n] = hi.denominator, -hi.numerators[j]
            rows.append(Row(unit, Fraction(1, hi.denominator), False))
    elif claim.domain == "orthant":
        lower = frozenset(range(n + 1))
    return System(n + 1, [row for row in rows if not row.is_zero()], lower)
