"""What a certificate says of all inputs of several layers together: no two of them have one output (proofs/FORMAT.md, 4.14 to 4.16)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exactrelu.certificates import DomainLines, Vector, hexadecimal, spaced, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from exactrelu.certificates.injectivity import Flat, Proof, Windows
    from exactrelu.certificates.regions import Cell, SliceLines


@dataclass(frozen=True)
class Stages:
    """For every layer the word for a set that holds what reaches it, and the evidence that the layer is injective there.

    The words are `domain`, for the first layer, `all`, `orthant` after a layer whose outputs all pass a relu, and after any layer `image`.
    """

    parts: tuple[tuple[str, Proof | Windows], ...]

    def lines(self) -> Iterator[str]:
        for number, (word, evidence) in enumerate(self.parts, 1):
            yield f"stage {hexadecimal(number)} {word}"
            yield from evidence.lines()


@dataclass(frozen=True)
class Skips:
    """The last layers, numbered from 0, of blocks whose skip connections outweigh the rest.

    inverses: by the last layer of a block, integers v (n, n) and a number E with v * 2^E about the inverse of its skip connections.
    """

    ends: tuple[int, ...]
    inverses: Mapping[int, tuple[int, tuple[tuple[int, ...], ...]]] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        yield spaced("skips", [len(self.ends), *self.ends])
        for end, (exponent, rows) in self.inverses.items():
            for row in rows:
                yield spaced("inverse", [end, exponent, *row])


@dataclass(frozen=True)
class Regions:
    """The number of all activation regions and adjacencies, and the tree of cells that shows them (section 4.13)."""

    regions: int
    adjacencies: int
    cells: Iterable[Cell]

    def lines(self) -> Iterator[str]:
        yield "tree"
        for cell in self.cells:
            yield from cell.lines()


@dataclass(frozen=True)
class Orientation:
    """On all of R^n: the maps of all regions have determinants of one sign, and the value at `point`, in a region, is taken once."""

    point: Vector
    found: Regions

    def lines(self) -> Iterator[str]:
        yield spaced("orientation", [self.found.regions, self.found.adjacencies])
        yield self.point.line("point")
        yield from self.found.lines()


@dataclass(frozen=True)
class Definite:
    """Integers Q, (n, m): the products of Q with the linear maps of all regions are positive definite."""

    matrix: tuple[tuple[int, ...], ...]
    found: Regions

    def lines(self) -> Iterator[str]:
        yield spaced("definite", [self.found.regions, self.found.adjacencies])
        for row in self.matrix:
            yield spaced("weights", row)
        yield from self.found.lines()


@dataclass(frozen=True)
class Apart:
    """The values of regions, or of their parts in the boundary of the domain, are apart two by two but for those of common points.

    word: `pairs` or `boundary`; directions: linear functions of the outputs that keep most cells apart; functions: one for each two cells
    that these do not, by their numbers. flats, slice: of a domain without interior points, why it lies in a slice, whose regions are found.
    """

    word: str
    directions: tuple[tuple[int, ...], ...]
    functions: tuple[tuple[int, int, tuple[int, ...]], ...]
    found: Regions
    flats: tuple[Flat, ...] = ()
    slice: SliceLines | None = None

    def lines(self) -> Iterator[str]:
        yield spaced(self.word, [self.found.regions, self.found.adjacencies])
        for flat in self.flats:
            yield from flat.lines()
        if self.slice is not None:
            yield from self.slice.lines()
        yield from self.found.lines()
        for direction in self.directions:
            yield spaced("direction", direction)
        for first, second, function in self.functions:
            yield spaced("apart", [first, second, *function])


Evidence = Stages | Skips | Orientation | Definite | Apart


@dataclass(frozen=True)
class NetworkInjectivityCertificate:
    """The layers 1 .. `last`, one after the other, are injective on a domain.

    >>> NetworkInjectivityCertificate("5" * 64, 3, Skips((2,))).text().splitlines()[3:]
    ['scope through 3', 'domain all', 'subject network', 'claim injective', 'skips 1 2', 'end']
    """

    network: str
    last: int
    evidence: Evidence
    domain: DomainLines = field(default_factory=DomainLines)

    def lines(self) -> Iterator[str]:
        yield from ("exactrelu-certificate 1", f"network {self.network}", "data none", f"scope through {hexadecimal(self.last)}")
        yield from self.domain.lines
        yield from ("subject network", "claim injective")
        yield from self.evidence.lines()
        yield "end"

    def text(self) -> str:
        return text_of(self.lines())
