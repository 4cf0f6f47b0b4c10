"""What a certificate says of all activation regions at once: these are they, and so many pairs share facets (proofs/FORMAT.md, 4.13).

A region is a leaf of a tree of cells; a cell is written by what proves the signs of neurons in it, and the neuron that cuts it. As there
may be millions, cells are written one after the other and never held together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from exactrelu.certificates import DomainLines, Vector, hexadecimal, replacing, spaced, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Cell:
    """The neuron that cuts a cell and the mask of the rows that its parts keep; or, of a region, the mask of the facets that count.

    cones: masks of rows; points: of a region, where its cones do not show that it has interior points and facets.
    """

    cut: int | None
    mask: int
    cones: tuple[int, ...] = ()
    points: tuple[Vector, ...] = ()

    def lines(self) -> Iterator[str]:
        if self.cut is None:
            yield spaced("region", [self.mask, *self.cones])
        else:
            yield spaced("cut", [self.cut, self.mask, *self.cones])
        yield from (point.line("point") for point in self.points)


@dataclass(frozen=True)
class SliceLines:
    """The affine subspace that a claim is about: a point of it, and independent directions."""

    origin: Vector
    directions: tuple[Vector, ...]

    def lines(self) -> Iterator[str]:
        yield spaced("slice", [len(self.directions)])
        yield self.origin.line("origin")
        for direction in self.directions:
            yield direction.line("direction")


@dataclass(frozen=True)
class RegionsCertificate:
    """The layers 1 .. `last` have so many activation regions on a domain, or on its part in a slice, and no others.

    cells: the tree in preorder, asked for anew whenever the lines are.

    >>> cells = (Cell(0, 0), Cell(None, 0, (1,)), Cell(None, 1, (1,)))
    >>> RegionsCertificate("5" * 64, 1, 2, 1, cells).text().splitlines()[6:]
    ['claim regions 2 1', 'tree', 'cut 0 0', 'region 0 1', 'region 1 1', 'end']
    """

    network: str
    last: int
    regions: int
    adjacencies: int
    cells: Iterable[Cell]
    domain: DomainLines = field(default_factory=DomainLines)
    slice: SliceLines | None = None

    def lines(self) -> Iterator[str]:
        yield from ("exactrelu-certificate 1", f"network {self.network}", "data none", f"scope through {hexadecimal(self.last)}")
        yield from self.domain.lines
        yield "subject network"
        if self.slice is not None:
            yield from self.slice.lines()
        yield from (spaced("claim regions", [self.regions, self.adjacencies]), "tree")
        for cell in self.cells:
            yield from cell.lines()
        yield "end"

    def text(self) -> str:
        return text_of(self.lines())

    def save(self, path: Path) -> None:
        """Write the file so that a reader sees all of it or nothing."""
        with replacing(path) as part, part.open("w", encoding="ascii", newline="\n") as stream:
            stream.writelines(f"{line}\n" for line in self.lines())
