"""Cells two by two: a network that is injective on each is injective iff no two images meet outside a common face (theory I11).

Pairs whose images are apart in some direction are closed at once, the others by a linear program each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.injectivity.network.boxes import Boxes
from exactrelu.injectivity.network.meeting import meeting

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.network.pieces import Pieces


@dataclass(frozen=True)
class Pairs:
    """What came of all pairs of cells: two inputs with one value, if any; how many pairs there are, and how many programs were solved."""

    ends: tuple[RationalVector, RationalVector] | None
    pairs: int
    programs: int


def pairs(pieces: Pieces, cells: Sequence[Sequence[int]], *, apart: Collection[tuple[int, int]] = ()) -> Pairs:
    """Look at all pairs of cells, each given by the places of its generators, on which the network is injective.

    The cells are faces of the regions. apart: pairs (i, j), i < j, that are known to meet in their common face alone. Raises
    OutOfTimeError.
    """
    boxes = Boxes(pieces.images, cells)
    count, programs = len(cells), 0
    total = count * (count - 1) // 2
    for first, others in boxes.near():
        for second in others.tolist():
            if (first, second) in apart:
                continue
            pieces.check_time(f"of {count} cells {first} were compared with all others, by {programs} linear programs")
            programs += 1
            ends = meeting(pieces.points, pieces.images, pieces.factors, cells[first], cells[second], pieces.deadline)
            if ends is not None:
                return Pairs(ends, total, programs)
    return Pairs(None, total, programs)


def borders(pieces: Pieces, sides: Sequence[Sequence[int]]) -> list[list[int]]:
    """The facets of the regions that lie in sides of the domain, forms (a, b) that are positive inside, as cells (theory I13)."""
    found: set[tuple[int, ...]] = set()
    least = pieces.complex.dimension
    for side in sides:
        tight = [sum(a * v for a, v in zip(side, point, strict=True)) == 0 for point in pieces.points]
        for places in pieces.spanning:
            face = tuple(place for place in places if tight[place])
            if len(face) >= least:
                found.add(face)
    return [list(face) for face in sorted(found)]
