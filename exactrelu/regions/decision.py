"""Where in the plane which output is the largest, and where outputs are equal or zero, exactly: the decision boundary.

On a region every output is an affine map of the plane, so that {F_i = F_j} is there a segment, a point, nothing or all of the region.

>>> from fractions import Fraction
>>> from exactrelu import RationalVector
>>> from exactrelu.regions.drawing.polygons import View, area, clipped
>>> square = clipped(((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1)), View(*map(Fraction, (-1, 1, -1, 1))))
>>> outputs = [RationalVector((1, 0, 0)), RationalVector((0, 1, 0))]
>>> [(place, area(part)) for place, part in classes(outputs, square)], boundary(outputs, square, (0, 1))
([(0, Fraction(2, 1)), (1, Fraction(2, 1))], [((-1, -1, 1), (1, 1, 1))])
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from exactrelu.errors import InvalidRequestError
from exactrelu.regions.drawing.polygons import polygon_half, zero_set
from exactrelu.regions.vertices import value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.exact.rational import RationalVector
    from exactrelu.regions.charts import Row

Boundary = Literal["decision"] | int | tuple[int, int]


def parse_boundary(text: str) -> Boundary:
    """Read `decision`, `I` or `I,J`, outputs counted from 0; raises InvalidRequestError.

    >>> parse_boundary("decision"), parse_boundary("3"), parse_boundary("0,2")
    ('decision', 3, (0, 2))
    """
    if text == "decision":
        return "decision"
    parts = text.split(",")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise InvalidRequestError(f"{text[:60]!r} is no boundary; write decision, an output such as 0, or two outputs such as 0,1")
    first, *others = map(int, parts)
    return (first, others[0]) if others else first


def boundary_text(which: Boundary) -> str:
    """A boundary as `parse_boundary` reads it.

    >>> boundary_text((0, 2))
    '0,2'
    """
    return which if isinstance(which, str) else str(which) if isinstance(which, int) else f"{which[0]},{which[1]}"


def boundary_words(which: Boundary) -> str:
    """What `exactrelu.regions.topology` means by a boundary, in words.

    >>> boundary_words("decision"), boundary_words((0, 2))
    ('the decision boundary', 'where outputs 0 and 2 are the largest')
    """
    if which == "decision":
        return "the decision boundary"
    return f"where output {which} is 0" if isinstance(which, int) else f"where outputs {which[0]} and {which[1]} are the largest"


def check_outputs(outputs: int, which: Boundary) -> None:
    """Raise InvalidRequestError for the boundary of an output that does not exist."""
    asked = [] if which == "decision" else [which] if isinstance(which, int) else list(which)
    if any(not 0 <= place < outputs for place in asked):
        raise InvalidRequestError(f"the network has {outputs} outputs, numbered from 0; output {max(asked)} does not exist")


def difference(first: RationalVector, second: RationalVector) -> Row:
    """A form with the signs of first - second, two affine maps (a, b, c)."""
    pairs = zip(first.numerators, second.numerators, strict=True)
    return tuple(a * second.denominator - b * first.denominator for a, b in pairs)


def classes(outputs: Sequence[RationalVector], polygon: Sequence[Row]) -> list[tuple[int, tuple[Row, ...]]]:
    """The parts of a polygon in which an output, an affine map (a, b, c), is the largest; the first one of several."""
    left = _largest_somewhere(outputs, polygon)
    parts = []
    for i in left:
        part = tuple(polygon)
        for j in left:
            if j != i and part:
                part = polygon_half(part, difference(outputs[i], outputs[j]))
        # What is left of a smaller dimension belongs to another output as well.
        if len(part) > min(2, len(polygon) - 1):
            parts.append((i, part))
    return parts


def _largest_somewhere(outputs: Sequence[RationalVector], polygon: Sequence[Row]) -> list[int]:
    """The outputs that no other one is at least as large as on all of the polygon; of equal ones the first."""
    common = math.lcm(*(output.denominator for output in outputs))
    forms = (tuple([entry * (common // output.denominator) for entry in output.numerators]) for output in outputs)
    at_corners = [[value(form, corner) for corner in polygon] for form in forms]
    left: list[int] = []
    for i, own in enumerate(at_corners):
        others = ((j, at) for j, at in enumerate(at_corners) if j != i)
        if not any((at != own or j < i) and all(a <= b for a, b in zip(own, at, strict=True)) for j, at in others):
            left.append(i)
    return left


def boundary(outputs: Sequence[RationalVector], polygon: Sequence[Row], which: Boundary) -> list[tuple[Row, ...]]:
    """The parts of a boundary that a polygon holds: points, segments as their two ends, or all of the polygon.

    which: i for {F_i = 0}, (i, j) for {F_i = F_j}; "decision" for {F = 0} where there is one output, and else for where two outputs are
    equal and no other one is larger.
    """
    if which == "decision" and len(outputs) > 1:
        pairs = ((i, j, part) for i, part in classes(outputs, polygon) for j in range(len(outputs)) if i != j)
        found = (zero_set(part, difference(outputs[i], outputs[j])) for i, j, part in pairs)
        return sorted({part for part in found if part})
    if which == "decision":
        which = 0
    if isinstance(which, int):
        form = outputs[which].numerators if outputs else (0, 0, 1)
    else:
        form = difference(outputs[which[0]], outputs[which[1]])
    part = zero_set(polygon, form)
    return [part] if part else []
