"""What spans a polyhedron that is given by rows, forms that are at least 0 on it: its extreme points, rays and lines (section 4.16).

Double description: one row after the other cuts what the rows before leave. An edge between two rays on different sides of the new row
meets it in a new ray; two rays span an edge if and only if no third one is 0 at all rows at which both are 0.
"""

from __future__ import annotations

from math import gcd
from operator import mul
from typing import TYPE_CHECKING

from exactrelu.checker.regions_cone import Form
from exactrelu.checker.text import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

SECTION = "4.16"


class Spanning:
    """Gives up after so many steps for all polyhedra: comparisons of two rays on different sides of a new row with a third one."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def generators(self, rows: Sequence[Form], n: int) -> list[Form]:
        """Vectors v1 .. vn t without common factors, t > 0 for the point v / t, t = 0 for a ray; a line stands in both directions.

        The same for any rows of one polyhedron, up to their order: points and rays are 0 in as many coordinates as there are lines.
        """
        lines = [tuple([int(i == j) for j in range(n + 1)]) for i in range(n + 1)]
        rays: list[tuple[Form, int]] = []
        infinity = (*[0] * n, 1)
        for number, row in enumerate((infinity, *rows)):
            rays = self._cut(lines, rays, row, 1 << number)
        pivots = reduced(lines)
        points = [primitive(cleared(ray, pivots)) for ray, _ in rays]
        return [*points, *(tuple([sign * v for v in line]) for _, line in pivots for sign in (1, -1))]

    def _cut(self, lines: list[Form], rays: list[tuple[Form, int]], row: Form, bit: int) -> list[tuple[Form, int]]:
        """The rays with one row more, and the rows, as bits, at which each is 0; a line that the row is not 0 along becomes a ray."""
        place = next((i for i, line in enumerate(lines) if value(row, line)), None)
        if place is not None:
            pivot = lines.pop(place)
            height = value(row, pivot)
            if height < 0:
                height, pivot = -height, tuple([-v for v in pivot])
            lines[:] = [primitive(combined(height, line, -value(row, line), pivot)) for line in lines]
            moved = [(primitive(combined(height, ray, -value(row, ray), pivot)), zeros | bit) for ray, zeros in rays]
            return [*moved, (pivot, bit - 1)]
        heights = [value(row, ray) for ray, _ in rays]
        above = [(ray, zeros, h) for (ray, zeros), h in zip(rays, heights, strict=True) if h > 0]
        below = [(ray, zeros, h) for (ray, zeros), h in zip(rays, heights, strict=True) if h < 0]
        self._left -= (1 + len(above) * len(below)) * len(rays)
        if self._left < 0:
            raise Rejected(SECTION, "a region has more extreme points and rays than a checker takes on")
        kept = [(ray, zeros if h else zeros | bit) for (ray, zeros), h in zip(rays, heights, strict=True) if h >= 0]
        for one, zeros, up in above:
            for other, others, down in below:
                common = zeros & others
                # The two themselves are 0 there.
                if sum(held & common == common for _, held in rays) == 2:
                    kept.append((primitive(combined(up, other, -down, one)), common | bit))
        return kept


def value(form: Sequence[int], vector: Sequence[int]) -> int:
    """A form at a point, times its t, or along a ray; without its constant, where it has none."""
    return sum(map(mul, form, vector))


def combined(a: int, first: Form, b: int, second: Form) -> Form:
    """a * first + b * second."""
    return tuple([a * v + b * w for v, w in zip(first, second, strict=True)])


def primitive(vector: Form) -> Form:
    """Without common factors."""
    divisor = gcd(*vector)
    return tuple([v // divisor for v in vector]) if divisor > 1 else vector


def reduced(lines: Sequence[Form]) -> list[tuple[int, Form]]:
    """The echelon form of independent vectors: each positive in a column of its own, in which all others are 0."""
    left, pivots = list(lines), list[tuple[int, Form]]()
    for column in range(len(left[0]) if left else 0):
        place = next((i for i, line in enumerate(left) if line[column]), None)
        if place is not None:
            pivot = left.pop(place)
            pivot = pivot if pivot[column] > 0 else tuple([-v for v in pivot])
            left = [primitive(cleared(line, [(column, pivot)])) for line in left]
            pivots = [(other, primitive(cleared(line, [(column, pivot)]))) for other, line in pivots]
            pivots.append((column, pivot))
    return pivots


def cleared(vector: Form, pivots: Sequence[tuple[int, Form]]) -> Form:
    """A positive multiple of the vector, plus multiples of vectors that are positive in a column of their own, with 0 in these columns."""
    for column, pivot in pivots:
        if vector[column]:
            vector = combined(pivot[column], vector, -vector[column], pivot)
    return vector
