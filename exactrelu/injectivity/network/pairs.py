"""Cells two by two: a network that is injective on each is injective iff no two images meet outside a common face (theory I11).

Pairs whose images are apart in one of some directions are closed at once, the others by a linear function each, which a linear program
finds where nothing cheaper does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import mul
from typing import TYPE_CHECKING

from exactrelu.injectivity.network.boxes import Boxes
from exactrelu.injectivity.network.meeting import meeting
from exactrelu.injectivity.network.separation import Separation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.network.pieces import Pieces
    from exactrelu.regions.charts import Row


@dataclass(frozen=True)
class Pairs:
    """What came of all pairs of cells: two inputs with one value, if any; how many pairs there are, and how many programs were solved.

    boxes, functions: where there are no such inputs, the extents that tell most cells apart, and linear functions of the outputs for the
    other pairs.
    """

    ends: tuple[RationalVector, RationalVector] | None
    pairs: int
    programs: int
    boxes: Boxes | None = None
    functions: Mapping[tuple[int, int], Row] = field(default_factory=dict)

    @property
    def directions(self) -> tuple[Row, ...]:
        """Those of the extents, as linear functions."""
        chosen = [] if self.boxes is None else self.boxes.directions[self.boxes.chosen].tolist()
        return tuple([tuple(map(int, direction)) for direction in chosen])


def pairs(
    pieces: Pieces,
    cells: Sequence[Sequence[int]],
    *,
    known: MutableMapping[tuple[int, int], Row] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Pairs:
    """Look at all pairs of cells, each given by the places of its generators, on which the network is injective.

    The cells are faces of the regions. known: functions for pairs (i, j), i < j, found before; those found now are added. progress: is
    called with how many pairs are closed, and how many there are. Raises OutOfTimeError.
    """
    boxes, separation = Boxes(pieces.images, cells), Separation(pieces.images)
    functions = {} if known is None else known
    count, programs = len(cells), 0
    total = count * (count - 1) // 2
    for first, others in boxes.near():
        if progress is not None:
            progress(first * (2 * count - first - 1) // 2, total)
        pieces.check_time(f"of {count} cells {first} were compared with all others, by {programs} linear programs")
        for second in others.tolist():
            if (first, second) in functions:
                continue
            found = separation.between(cells[first], cells[second]) or boxes.separator(first, second)
            if found is None:
                programs += 1
                met = meeting(pieces.points, pieces.images, pieces.factors, cells[first], cells[second], pieces.deadline)
                if met.ends is not None:
                    return Pairs(met.ends, total, programs)
                found = met.apart or ()
            functions[first, second] = found
    return Pairs(None, total, programs, boxes, functions)


def borders(pieces: Pieces, sides: Sequence[Sequence[int]]) -> list[tuple[int, int, list[int]]]:
    """The parts of regions in sides of the domain, forms (a, b), as cells after the numbers of region and side (theory I13).

    All that are facets are among them.
    """
    zeros = [{place for place, point in enumerate(pieces.points) if not sum(map(mul, side, point))} for side in sides]
    parts = (
        (region, number, [place for place in places if place in zeros[number]])
        for region, places in enumerate(pieces.spanning)
        for number in range(len(sides))
    )
    return [part for part in parts if len(part[2]) >= pieces.complex.dimension]
