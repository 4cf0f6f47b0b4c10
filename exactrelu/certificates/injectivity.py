"""What a certificate says of all inputs of a layer: it is injective, with margins, or two have one output (proofs/FORMAT.md, 4.10, 4.11).

Suppose x != y in the domain have the same output; F is the set of rows a_j with a_j (y - x) = 0. A dependency is a set of rectified rows
of which F holds one (theory I1); from rows that F must hold, or by cases, F is shown to have rank n, so that y = x (theory I2, I8).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

from exactrelu.certificates import DomainLines, Rank, Vector, hexadecimal, spaced, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ZERO = Fraction(0)


def _pairs(numbers: Sequence[int], multipliers: Sequence[int]) -> list[int]:
    """K j1 l1 .. jK lK."""
    return [len(numbers), *chain.from_iterable(zip(numbers, multipliers, strict=True))]


@dataclass(frozen=True)
class Dependency:
    """Rectified rows, increasing, and multipliers > 0 with sum of multiplier * (a_j x + b_j) >= 0 on the domain.

    Rows are meant as real numbers. On a polytope, sides a_s x + b_s <= 0 may be added with multipliers > 0 so that the x cancel.
    """

    rows: tuple[int, ...]
    multipliers: tuple[int, ...]
    sides: tuple[int, ...] = ()
    side_multipliers: tuple[int, ...] = ()

    def lines(self) -> Iterator[str]:
        yield spaced("dependency", _pairs(self.rows, self.multipliers) + (_pairs(self.sides, self.side_multipliers) if self.sides else []))


@dataclass(frozen=True)
class Flat:
    """Sides of a polytope, increasing, that are equalities on it: with these multipliers > 0 they add up to 0 = 0."""

    sides: tuple[int, ...]
    multipliers: tuple[int, ...]

    def lines(self) -> Iterator[str]:
        yield spaced("flat", _pairs(self.sides, self.multipliers))


@dataclass(frozen=True)
class Branch:
    """One child for each row of a dependency that is not excluded: this row is in F, those before it are not."""

    dependency: int

    def lines(self) -> Iterator[str]:
        yield spaced("branch", [self.dependency])


@dataclass(frozen=True)
class Split:
    """Two children: a row that is not in F, and that is."""

    row: int

    def lines(self) -> Iterator[str]:
        yield spaced("split", [self.row])


@dataclass(frozen=True)
class Spanned:
    """An excluded row that is a combination of rows in F: denominator * row = sum of coefficient * (row at that place of A)."""

    row: int
    denominator: int
    places: tuple[int, ...]
    coefficients: tuple[int, ...]

    def lines(self) -> Iterator[str]:
        yield spaced("spanned", [self.row, self.denominator, *_pairs(self.places, self.coefficients)[1:]])


@dataclass(frozen=True)
class Pack:
    """Disjoint dependencies, increasing: whichever row of each is in F, the rank is n."""

    dependencies: tuple[int, ...]

    def lines(self) -> Iterator[str]:
        yield spaced("pack", [len(self.dependencies), *self.dependencies])


Node = Branch | Split | Spanned | Pack


@dataclass(frozen=True)
class Tree:
    """The cases in preorder; a case whose rows in F have rank n modulo `modulus` has no node."""

    modulus: int
    nodes: tuple[Node, ...]

    def lines(self) -> Iterator[str]:
        yield spaced("tree", [self.modulus])
        for node in self.nodes:
            yield from node.lines()


@dataclass(frozen=True)
class Proof:
    """All evidence that a layer is injective.

    certain: indices of dependencies whose rows are multiples of one another, so that all of them are in F; with the rows that pass no
    relu, the unit rows of a box's coordinates with equal bounds and the sides of the flats they are A0. conclusion: the rank of A0,
    which is n, or a tree.
    """

    dependencies: tuple[Dependency, ...]
    flats: tuple[Flat, ...]
    certain: tuple[int, ...]
    conclusion: Rank | Tree

    def lines(self) -> Iterator[str]:
        for dependency in self.dependencies:
            yield from dependency.lines()
        for flat in self.flats:
            yield from flat.lines()
        yield spaced("certain", [len(self.certain), *self.certain])
        yield from self.conclusion.lines()


@dataclass(frozen=True)
class Windows:
    """Evidence window by window: rows, increasing, and the proof that they determine what they read, or the number of an equal window.

    A proof is that of the window's rows above the unit rows of the inputs that windows before determine, on the columns that they read.
    """

    windows: tuple[tuple[tuple[int, ...], Proof | int], ...]

    def lines(self) -> Iterator[str]:
        yield spaced("windows", [len(self.windows)])
        for rows, shown in self.windows:
            if isinstance(shown, int):
                yield spaced("same", [shown, len(rows), *rows])
            else:
                yield spaced("window", [len(rows), *rows])
                yield from shown.lines()


def _ratio(value: Fraction) -> list[int]:
    return [value.denominator, value.numerator]


def _lowered(by: Fraction) -> Iterator[str]:
    if by:
        yield spaced("lowered", _ratio(by))


def _framed(network: str, scope: str, domain: DomainLines, subject: str, claim: Iterable[str]) -> Iterator[str]:
    """A claim and its evidence between the lines before and after them: no point and no array file belong to these claims."""
    yield from ("exactrelu-certificate 1", f"network {network}", "data none", f"scope {scope}")
    yield from domain.lines
    yield f"subject {subject}"
    yield from claim
    yield "end"


@dataclass(frozen=True)
class _LayerCertificate(ABC):
    """A claim about one layer on a domain."""

    network: str
    layer: int
    domain: DomainLines = field(default_factory=DomainLines, kw_only=True)

    @abstractmethod
    def claim_lines(self) -> Iterator[str]:
        """The claim, after the number by which biases are lowered, and its evidence."""

    def lines(self) -> Iterator[str]:
        yield from _framed(self.network, f"layer {hexadecimal(self.layer)}", self.domain, "layer", self.claim_lines())

    def text(self) -> str:
        return text_of(self.lines())


@dataclass(frozen=True)
class InjectivityCertificate(_LayerCertificate):
    """A layer, the biases of its rectified rows lowered by a number, is injective on a domain.

    >>> proof = Proof((Dependency((0, 1), (1, 2)),), (), (0,), Rank(1, 0, 1, 1, "columns"))
    >>> InjectivityCertificate("5" * 64, 1, proof).text().splitlines()[5:]
    ['subject layer', 'claim injective', 'dependency 2 0 1 1 2', 'certain 1 0', 'rank 1 0 1 1 columns', 'end']
    """

    proof: Proof | Windows
    lowered: Fraction = ZERO

    def claim_lines(self) -> Iterator[str]:
        yield from _lowered(self.lowered)
        yield "claim injective"
        yield from self.proof.lines()


@dataclass(frozen=True)
class CollisionCertificate:
    """Two different inputs of a domain with one output: of layer `last` alone, or of the layers 1 .. `last` one after the other.

    lowered, for one layer alone: a number subtracted from the biases of its rectified rows.

    >>> CollisionCertificate("5" * 64, 2, Vector((1,)), Vector((-1,)), through=True).text().splitlines()[3:]
    ['scope through 2', 'domain all', 'subject network', 'claim collision', 'first 1 1', 'second 1 -1', 'end']
    """

    network: str
    last: int
    first: Vector
    second: Vector
    through: bool = False
    domain: DomainLines = field(default_factory=DomainLines)
    lowered: Fraction = ZERO

    def lines(self) -> Iterator[str]:
        scope, subject = ("through", "network") if self.through else ("layer", "layer")
        claim = [*_lowered(self.lowered), "claim collision", self.first.line("first"), self.second.line("second")]
        yield from _framed(self.network, f"{scope} {hexadecimal(self.last)}", self.domain, subject, claim)

    def text(self) -> str:
        return text_of(self.lines())


@dataclass(frozen=True)
class BiasLimitCertificate(_LayerCertificate):
    """A layer is not injective on a domain once the biases of its rectified rows are lowered by more than `limit`.

    At `point` the rows on which `first` and `second` differ are rectified and at most the limit (theory I4).

    >>> certificate = BiasLimitCertificate("5" * 64, 1, Fraction(3, 7), Vector((0,)), Vector((1,)), Vector((-1,)))
    >>> certificate.text().splitlines()[5:]
    ['subject layer', 'claim bias-limit 7 3', 'point 1 0', 'first 1 1', 'second 1 -1', 'end']
    """

    limit: Fraction
    point: Vector
    first: Vector
    second: Vector

    def claim_lines(self) -> Iterator[str]:
        yield spaced("claim bias-limit", _ratio(self.limit))
        yield self.point.line("point")
        yield self.first.line("first")
        yield self.second.line("second")


@dataclass(frozen=True)
class Expansion:
    """Evidence that in every case |W_A r|^2 >= q |r|^2 for the rows A that are not negative at the midpoint (theory I6).

    Dependencies as in a `Proof`; certain: disjoint ones whose rows are multiples of one another; nodes: Branch, Split and Pack.
    """

    dependencies: tuple[Dependency, ...]
    certain: tuple[int, ...]
    nodes: tuple[Node, ...]

    def lines(self) -> Iterator[str]:
        for dependency in self.dependencies:
            yield from dependency.lines()
        yield spaced("certain", [len(self.certain), *self.certain])
        yield from Tree(0, self.nodes).lines()


@dataclass(frozen=True)
class ExpansionCertificate(_LayerCertificate):
    """For all x and y in a domain |f(x) - f(y)| >= 1/2 sqrt(q) |x - y|, f a layer with lowered biases; q > 0 is `least`.

    >>> evidence = Expansion((Dependency((0, 1), (1, 2)),), (0,), ())
    >>> ExpansionCertificate("5" * 64, 1, Fraction(1, 4), evidence).text().splitlines()[5:]
    ['subject layer', 'claim expansion 4 1', 'dependency 2 0 1 1 2', 'certain 1 0', 'tree 0', 'end']
    """

    least: Fraction
    evidence: Expansion
    lowered: Fraction = ZERO

    def claim_lines(self) -> Iterator[str]:
        yield from _lowered(self.lowered)
        yield spaced("claim expansion", _ratio(self.least))
        yield from self.evidence.lines()
