"""Section 4.9 of proofs/FORMAT.md: a tree of cells, closed polyhedra that cover the domain; in a leaf the output is not y, or affine.

Cells are those of 4.13, but nothing is asked of their interior. Where neurons of the last hidden layer alone have no sign, the output may
be seen to differ from y before they are settled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exactrelu.checker.claim import Box, Domain, Point
from exactrelu.checker.listed_leaf import FORM_BITS, SECTION, Held, LeafSet, opposite, reduced
from exactrelu.checker.regions_cone import Form, value
from exactrelu.checker.regions_tree import Cell, ColumnLayer, Stages, identity, leaves, sides_on
from exactrelu.checker.sparse import entries
from exactrelu.checker.text import Rejected, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.network import Layer


def check_listed(
    text: Text,
    layers: Sequence[Layer],
    domain: Domain,
    y: Point,
    kernels: Kernels,
    cardinality: str,
    points: int,
    dimension: int | None,
) -> None:
    """The leaves hold what the claim says: so many points, or a set of this dimension and none of a larger one."""
    text.take("regions", SECTION).done()
    n, outputs, held = layers[0].inputs, Outputs(layers, y, kernels), Held()
    chart = identity(n)
    needs_bounds = cardinality == "bounded" and not isinstance(domain, Box)
    for cell in leaves(text, ["leaf", "above", "below"], outputs.stages, chart, sides_on(chart, domain, n)):
        if cell.word == "leaf":
            check_leaf(text, cell.cell, outputs, held, needs_bounds=needs_bounds)
        elif not outputs.differs(cell.cell, cell.number, 1 if cell.word == "above" else -1):
            raise Rejected(SECTION, f"the last cone of a cell does not show that output {cell.number} is {cell.word} y there")
    if cardinality in {"empty", "singleton", "finite"}:
        if held.most:
            raise Rejected(SECTION, "a leaf may hold infinitely many points")
        if len(held.points) != points:
            raise Rejected(SECTION, f"the leaves hold {len(held.points)} points")
        return
    if held.most != dimension or held.shown != dimension:
        raise Rejected(SECTION, f"the leaves hold sets of at most {held.most} dimensions, and one of {held.shown} is shown")
    if cardinality == "unbounded" and not held.unbounded:
        raise Rejected(SECTION, "no leaf shows a ray")


def check_leaf(text: Text, cell: Cell, outputs: Outputs, held: Held, *, needs_bounds: bool) -> None:
    """A leaf in which all neurons are settled; nothing is written of it where a cone shows that the output is not y."""
    zero, least = outputs.forms()
    leaf = LeafSet(outputs.inputs, [*cell.rows, *least], zero)
    never = [*zero, *map(opposite, zero), *map(opposite, least)]
    if leaf.dimension < 1 or not any(known.cone.positive(form) for known in cell.cones for form in never):
        leaf.check(text, held, needs_bounds=needs_bounds)


class Outputs:
    """The conditions that the output is y, as forms in a leaf: some 0, the others, where y is 0 after a relu, at least 0."""

    def __init__(self, layers: Sequence[Layer], y: Point, kernels: Kernels) -> None:
        self.inputs = layers[0].inputs
        self.stages = Stages(layers[:-1], kernels)
        self._rest = [ColumnLayer(layer, kernels) for layer in layers[len(self.stages.layers) :]]
        self._last, self._y, self._hidden = layers[-1], y, len(layers) - 1
        self._neurons = {k: i for i, k in enumerate(k for k, marked in enumerate(layers[-2].rectified) if marked)} if layers[1:] else {}
        reduced([y.denominator, *y.numerators], FORM_BITS)
        if any(marked and value < 0 for marked, value in zip(layers[-1].rectified, y.numerators, strict=True)):
            raise Rejected(SECTION, "no input has an output that is negative after a relu")

    def forms(self) -> tuple[list[Form], list[Form]]:
        """In the leaf that was read last."""
        columns, y = self.stages.values, self._y
        for layer in self._rest:
            columns = layer.columns(columns)
        scale = columns[0].denominator
        zero, least = [], []
        rows = zip(zip(*(x.numerators for x in columns), strict=True), y.numerators, self._last.rectified, strict=True)
        for (*linear, constant), wanted, rectified in rows:
            form = reduced([*(entry * y.denominator for entry in linear), constant * y.denominator - wanted * scale], FORM_BITS)
            if rectified and wanted == 0:
                least.append(opposite(form))
            else:
                zero.append(form)
        return zero, least

    def differs(self, cell: Cell, number: int, sign: int) -> bool:
        """Whether an output is above y (sign 1) or below it (-1) on the last cone of a cell, where neurons of layer L - 1 alone are open.

        An open neuron is at least the affine function that it follows at the apex, and at most its value there and what it rises along
        the rays: so is what the output depends on, with the signs of its coefficients.
        """
        stage = cell.stage
        if stage is None or stage.number + 1 != self._hidden or number >= self._last.outputs or not cell.cones:
            return False
        cone, row, y, wanted = cell.cones[-1].cone, self._last.rows[number], self._y, self._y.numerators[number]
        if sign < 0 and self._last.rectified[number] and wanted == 0:
            return False
        # all times the denominator of the layer's values, that of y, and the power of two that makes the row integral
        factor, down = sign * y.denominator << max(row.exponent, 0), 1 << max(-row.exponent, 0)
        scale = stage.columns[0].denominator
        lower = [0] * len(cone.apex)
        lower[-1] = factor * row.constant * scale - sign * wanted * scale * down
        rising: list[tuple[int, Form]] = []
        for k, coefficient in entries(row.coefficients):
            weight = factor * coefficient
            form = tuple([x.numerators[k] for x in stage.columns])
            active = cell.signs.get(self._neurons[k]) if k in self._neurons else True
            if active is None and weight:
                active = value(form, cone.apex) > 0
                if weight < 0:
                    rising.append((weight, opposite(form) if active else form))
            if active:
                lower = [entry + weight * part for entry, part in zip(lower, form, strict=True)]
        bound, ways = tuple(lower), [*cone.rays, *cone.lines, *map(opposite, cone.lines)]
        slopes = (sum(weight * max(0, value(form, way)) for weight, form in rising) + value(bound, way) for way in ways)
        return value(bound, cone.apex) > 0 and all(slope >= 0 for slope in slopes)
