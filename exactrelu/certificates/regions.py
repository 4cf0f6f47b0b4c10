"""What a certificate says of all activation regions at once: these are they, and these share facets (proofs/FORMAT.md, 4.12).

A region is given by a point inside it, its walls, why every other row follows from these, and what lies beyond each of its facets. As there
may be millions, regions are written one after the other and never held together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from exactrelu.certificates import DomainLines, Vector, hexadecimal, replacing, spaced, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Implied:
    """denominator * row = sum of multiplier * wall + a number >= 0, with a multiplier >= 0 for every wall."""

    denominator: int
    multipliers: tuple[int, ...]


@dataclass(frozen=True)
class Facet:
    """A point inside the facet of a wall, given by its place; the region beyond has a larger number."""

    wall: int
    beyond: int
    point: Vector


@dataclass(frozen=True)
class Border:
    """A point inside the facet of a wall that is a side of the domain."""

    wall: int
    point: Vector


@dataclass(frozen=True)
class Region:
    """A point inside, the numbers of the rows that are walls, and of every other row, in order, why it follows from them.

    The facets that this region shares with earlier ones stand there.
    """

    point: Vector
    walls: tuple[int, ...]
    implied: tuple[Implied, ...]
    facets: tuple[Facet, ...]
    borders: tuple[Border, ...]

    def lines(self) -> Iterator[str]:
        yield self.point.line("region")
        yield spaced("walls", [len(self.walls), *self.walls])
        yield spaced("implied", chain.from_iterable((one.denominator, *one.multipliers) for one in self.implied))
        for facet in self.facets:
            yield facet.point.line(spaced("facet", [facet.wall, facet.beyond]))
        for border in self.borders:
            yield border.point.line(spaced("border", [border.wall]))


@dataclass(frozen=True)
class RegionsCertificate:
    """The layers 1 .. `last` have these activation regions on a domain, in the order of their patterns, and no others.

    found: the regions, asked for anew whenever the lines are.

    >>> sides = (Region(Vector((-1,)), (0,), (), (Facet(0, 1, Vector((0,))),), ()), Region(Vector((1,)), (0,), (), (), ()))
    >>> RegionsCertificate("5" * 64, 1, 2, 1, sides).text().splitlines()[6:]
    ['claim regions 2 1', 'region 1 -1', 'walls 1 0', 'implied', 'facet 0 1 1 0', 'region 1 1', 'walls 1 0', 'implied', 'end']
    """

    network: str
    last: int
    regions: int
    adjacencies: int
    found: Iterable[Region]
    domain: DomainLines = field(default_factory=DomainLines)

    def lines(self) -> Iterator[str]:
        yield from ("exactrelu-certificate 1", f"network {self.network}", "data none", f"scope through {hexadecimal(self.last)}")
        yield from self.domain.lines
        yield from ("subject network", spaced("claim regions", [self.regions, self.adjacencies]))
        for region in self.found:
            yield from region.lines()
        yield "end"

    def text(self) -> str:
        return text_of(self.lines())

    def save(self, path: Path) -> None:
        """Write the file so that a reader sees all of it or nothing."""
        with replacing(path) as part, part.open("w", encoding="ascii", newline="\n") as stream:
            stream.writelines(f"{line}\n" for line in self.lines())
