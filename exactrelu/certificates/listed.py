"""The tree of cells in a certificate through several layers: where neurons cut, and what is left of the output's inputs in each leaf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.certificates import Direction, Vector, spaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exactrelu.certificates.regions import Cell


@dataclass(frozen=True)
class ZeroRow:
    """A row of a leaf that is nowhere positive on the cone of the rows in `mask`."""

    row: int
    mask: int

    def lines(self) -> Iterator[str]:
        yield spaced("zero", [self.row, self.mask])


@dataclass(frozen=True)
class LeafBounds:
    """Masks of two cones: rows that are coordinates, and those of a cone on which the sum of these has an upper bound."""

    corner: int
    mask: int

    def lines(self) -> Iterator[str]:
        yield spaced("bounded", [self.corner, self.mask])


@dataclass(frozen=True)
class LeafPoint:
    """A point of a leaf, and a direction in which it holds all that lies beyond the point."""

    point: Vector
    direction: Vector | None = None

    def lines(self) -> Iterator[str]:
        yield self.point.line("point")
        if self.direction is not None:
            yield from Direction(self.direction).lines()


@dataclass(frozen=True)
class Leaf:
    """A cell in which no neuron has both signs: masks of the cones that prove it, and what is said of the inputs with the output."""

    cones: tuple[int, ...]
    said: tuple[ZeroRow | LeafBounds | LeafPoint, ...] = ()

    def lines(self) -> Iterator[str]:
        yield spaced("leaf", self.cones)
        for one in self.said:
            yield from one.lines()


@dataclass(frozen=True)
class OutputBeside:
    """A cell in which output `output` is above that asked about, or below, as is seen on the last of the cones that are known there."""

    above: bool
    output: int
    cones: tuple[int, ...]

    def lines(self) -> Iterator[str]:
        yield spaced("above" if self.above else "below", [self.output, *self.cones])


@dataclass(frozen=True)
class ListedRegions:
    """The cells in preorder, asked for anew whenever the lines are.

    >>> from exactrelu.certificates.regions import Cell
    >>> list(ListedRegions((Cell(0, 0), Leaf((1,)), Leaf((1,), (ZeroRow(0, 2),)))).lines())
    ['regions', 'cut 0 0', 'leaf 1', 'leaf 1', 'zero 0 2']
    """

    cells: Iterable[Cell | Leaf | OutputBeside]

    def lines(self) -> Iterator[str]:
        yield "regions"
        for cell in self.cells:
            yield from cell.lines()
