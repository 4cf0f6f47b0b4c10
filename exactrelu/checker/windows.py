"""Section 4.10 of proofs/FORMAT.md, `windows`: a few rows after the other determine the inputs that they read, until all are.

Let x and y in the domain have the same output. Rows that read few inputs, the window, are a small layer on these; with the unit rows of
inputs in which x and y are known to agree its outputs are the same at both. If it is injective, x and y agree in the whole window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exactrelu.checker.claim import Box, Point
from exactrelu.checker.injectivity import SECTION, check_injective, fixed_columns
from exactrelu.checker.network import Layer, LayerRow
from exactrelu.checker.sparse import at, entries
from exactrelu.checker.text import Rejected, Text, numbered

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from fractions import Fraction

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.claim import Domain


def check_windows(text: Text, layer: Layer, domain: Domain, kernels: Kernels, lowered: Fraction) -> None:
    """The evidence that the layer is injective, window by window."""
    fields = text.take("windows", SECTION)
    count = fields.natural("K")
    fields.done()
    if not (isinstance(domain, Box) or domain in ("all", "orthant")):
        fields.reject("windows are for a domain whose coordinates are independent")
    fixed = {side.column for side in fixed_columns(domain, layer.inputs)}
    agreed: set[int] = set()
    used: set[int] = set()
    proved: dict[int, Hashable] = {}
    for number in range(count):
        is_new = text.begins("window")
        fields = text.take("window" if is_new else "same", SECTION)
        earlier = None if is_new else fields.natural("W")
        rows = numbered(fields, layer.outputs)
        if not used.isdisjoint(rows):
            fields.reject("a row stands in a window before")
        used.update(rows)
        columns = sorted({j for i in rows for j, value in entries(layer.rows[i].coefficients) if value})
        small, part = window(layer, rows, columns, agreed), restricted(domain, columns)
        if earlier is None:
            check_injective(text, small, part, kernels, lowered)
            proved[number] = question(small, part)
        elif proved.get(earlier) != question(small, part):
            fields.reject("it is not the question of a window before that has evidence")
        agreed.update(j for j in columns if j not in fixed)
    if len(agreed) + len(fixed) != layer.inputs:
        raise Rejected(SECTION, "the windows do not read all inputs")


def window(layer: Layer, rows: Sequence[int], columns: Sequence[int], agreed: set[int]) -> Layer:
    """The rows on these columns, and below them the unit rows of those columns in which two inputs agree."""
    own = [LayerRow(row.exponent, row.constant, at(row.coefficients, columns)) for row in map(layer.rows.__getitem__, rows)]
    units = [LayerRow(0, 0, [int(j == k) for k in columns]) for j in columns if j in agreed]
    return Layer(len(columns), own + units, [layer.rectified[i] for i in rows] + [False] * len(units))


def restricted(domain: Domain, columns: Sequence[int]) -> Domain:
    """What the domain allows some coordinates."""
    if not isinstance(domain, Box):
        return domain
    lower, upper = (Point(bound.denominator, [bound.numerators[j] for j in columns]) for bound in (domain.lower, domain.upper))
    return Box(lower, upper)


def question(layer: Layer, domain: Domain) -> Hashable:
    """Equal for windows that have the same numbers throughout."""
    rows = tuple((row.exponent, row.constant, tuple(at(row.coefficients, range(layer.inputs)))) for row in layer.rows)
    bounds = (domain.lower, domain.upper) if isinstance(domain, Box) else ()
    return rows, tuple(layer.rectified), tuple((bound.denominator, tuple(bound.numerators)) for bound in bounds)
