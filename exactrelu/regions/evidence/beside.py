"""Cells in which an output is above or below a value, although neurons of the last hidden layer still have both signs there.

From the apex of a cone such a neuron is at least the affine function that it follows there, and at most its value there and what it rises
along the rays. Where the bound of the output that this gives falls along no ray, and the apex is beyond the value, so is the whole cell. A
cone is looked for as the simplex method would, in floats; integers decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from exactrelu.regions.vertices import value

if TYPE_CHECKING:
    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Layer
    from exactrelu.regions.charts import Row
    from exactrelu.regions.evidence.cones import VertexCone
    from exactrelu.regions.evidence.tree import Node, Stage

# How many cones are tried, one after the other.
_STEPS = 8


class Beside(NamedTuple):
    """An output that is above y on a cone, or below it."""

    above: bool
    output: int
    cone: VertexCone


class OutputBounds:
    """Looks for an output that is nowhere that of y in a cell.

    hidden: the layer before the last one; shift: its forms are 2^shift times its values; y: of length m.
    """

    def __init__(self, hidden: Layer, last: Layer, shift: int, y: RationalVector) -> None:
        self._last, self._shift, self._y = last, shift, y
        self._neurons = np.flatnonzero(hidden.rectified)
        self._weight, self._bias = last.weight.floats, last.bias.floats[:, 0]
        self._wanted = y.to_float()
        # Below an output that is 0 after a relu there is nothing.
        allowed = np.array(
            [not (relu and entry == 0) for relu, entry in zip(last.rectified.tolist(), y.numerators, strict=True)], dtype=bool
        )
        self._possible = np.concatenate([np.ones(len(y), dtype=bool), allowed])
        self._stage: Stage | None = None
        self._forms = np.zeros((0, 0))

    def find(self, node: Node) -> Beside | None:
        """An output that is beside y in the cell, with a cone that shows it; None where none was found."""
        try:
            return self._search(node) if len(self._y) else None
        except OverflowError:
            # Some integer is no float.
            return None

    def _search(self, node: Node) -> Beside | None:
        assert node.stage is not None
        if self._stage is not node.stage:
            self._stage = node.stage
            self._forms = np.array([[entry / (1 << self._shift) for entry in form] for form in node.stage.forms])
        sign = np.ones(len(self._forms), dtype=np.int8)
        sign[self._neurons] = [1 if (known := node.signs.get(i)) else 0 if known is None else -1 for i in range(len(self._neurons))]
        cone = node.cone
        with np.errstate(all="ignore"):
            for _ in range(_STEPS):
                values, slopes = self._bounds(cone, sign)
                least = slopes.min(axis=1, initial=0)
                chosen = int(np.argmax(np.where(self._possible & (values > 0), least, -np.inf)))
                if not (self._possible[chosen] and values[chosen] > 0):
                    return None
                if least[chosen] >= 0:
                    found = Beside(chosen < len(self._y), chosen % len(self._y), cone)
                    return found if self._holds(found, node, sign.tolist()) else None
                place = int(np.argmin(slopes[chosen]))
                if place >= len(cone.rays):
                    return None
                number = cone.first_met(cone.rays[place], node.rows)
                if number is None:
                    return None
                cone = cone.exchanged(number, node.rows[number], place)
        return None

    def _bounds(self, cone: VertexCone, sign: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far every output is above y at the apex, then below; and by how much at least this grows along each way out of the apex."""
        z = self._forms @ np.array([[entry / scale for entry in vector] for vector, scale in _ways(cone)]).T
        active = (sign > 0) | ((sign == 0) & (z[:, 0] > 0))
        outputs = self._weight[:, active] @ z[active]
        outputs[:, 0] += self._bias - self._wanted
        is_open = sign == 0
        along, weight = z[is_open, 1:], self._weight[:, is_open]
        rising = np.maximum(np.where(active[is_open, None], -along, along), 0)
        slopes = np.concatenate([outputs[:, 1:] + np.minimum(weight, 0) @ rising, -outputs[:, 1:] - np.maximum(weight, 0) @ rising])
        return np.concatenate([outputs[:, 0], -outputs[:, 0]]), slopes

    def _holds(self, found: Beside, node: Node, sign: list[int]) -> bool:
        """The same in integers."""
        assert node.stage is not None
        cone, output, side = found.cone, found.output, 1 if found.above else -1
        weights, low = self._last.weight.integer_row(output)
        (bias,), high = self._last.bias.integer_row(output)
        down = min(low, high, 0)
        # Everything times 2^shift, the denominator of y, and 2^-down.
        factor = side * self._y.denominator
        constant = factor * bias << (self._shift + high - down)
        lower = [0] * (len(cone.apex) - 1) + [constant - (side * self._y.numerators[output] << (self._shift - down))]
        rising: list[tuple[int, Row]] = []
        for integer, form, known in zip(weights, node.stage.forms, sign, strict=True):
            weight, active = factor * integer << (low - down), known > 0
            if known == 0:
                active = value(form, cone.apex) > 0
                if weight < 0:
                    rising.append((weight, tuple([-entry for entry in form]) if active else form))
            if active:
                lower = [entry + weight * part for entry, part in zip(lower, form, strict=True)]
        bound = tuple(lower)
        ways = [vector for vector, _ in _ways(cone)[1:]]
        slopes = (value(bound, way) + sum(weight * max(0, value(form, way)) for weight, form in rising) for way in ways)
        return value(bound, cone.apex) > 0 and all(slope >= 0 for slope in slopes)


def _ways(cone: VertexCone) -> list[tuple[Row, int]]:
    """The apex, and the directions that lead out of it, each with a positive number to divide it by."""
    back = [tuple([-entry for entry in line]) for line in cone.lines]
    return [(cone.apex, cone.apex[-1]), *((way, max(map(abs, way))) for way in (*cone.rays, *cone.lines, *back))]
