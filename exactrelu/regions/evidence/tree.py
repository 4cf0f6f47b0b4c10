"""A tree of cells: convex polyhedra that neurons cut in two until all have one sign.

That a neuron has one sign in a cell follows from the rows of the vertex at which it is least (theory C1), found by the simplex method. A
cone settles many neurons at once, and whatever is settled stays so in all parts of the cell; so little is written of most leaves.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from exactrelu.certificates.regions import Cell
from exactrelu.errors import InvalidRequestError
from exactrelu.regions.charts import primitive
from exactrelu.regions.evidence.cones import VertexCone, feasible
from exactrelu.regions.forms import HomogeneousLayers, masked
from exactrelu.regions.start import domain_sides

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer
    from exactrelu.regions.charts import Chart, Row

Leaf = TypeVar("Leaf")


@dataclass(frozen=True, eq=False)
class Stage:
    """A layer in a cell: the forms of its rows, and those of its neurons without common factors."""

    number: int
    forms: list[Row]
    neurons: list[Row]


@dataclass(frozen=True, eq=False)
class Node:
    """A cell: its rows, a cone of them, which patterns lie in it, its layer, and the signs of neurons there; no layer where there is none.

    counted: the mask of the rows that are neurons, positive inside; known: cones that have been written.
    """

    rows: tuple[Row, ...]
    counted: int
    cone: VertexCone
    known: tuple[VertexCone, ...]
    first: int
    last: int
    stage: Stage | None
    signs: Mapping[int, bool]

    @property
    def is_leaf(self) -> bool:
        """Whether all neurons of all layers are settled."""
        return self.stage is None or len(self.signs) == len(self.stage.neurons)


class CellTree:
    """The tree of the cells of a domain, in the space of a chart, cut until each has one of the patterns.

    patterns: of the neurons of all layers inside cells, as integers, the first neuron the highest bit, sorted. So those in a cell follow
    one another if cells are cut along the first neuron that two of them see differently.
    """

    def __init__(self, layers: Sequence[Layer], patterns: Sequence[int], domain: Domain, chart: Chart) -> None:
        self._rectified = [np.flatnonzero(layer.rectified).tolist() for layer in layers]
        # Layers after the last neuron decide nothing.
        self._depth = max((number for number, rows in enumerate(self._rectified, 1) if rows), default=0)
        self._homogeneous = HomogeneousLayers(layers[: self._depth], chart)
        self._patterns = patterns
        # The place of every layer's last neuron.
        widths = [len(rows) for rows in self._rectified]
        self._lowest = [sum(widths[number + 1 :]) for number in range(len(widths))]
        sides = (chart.form(side) for side in domain_sides(domain, len(chart.matrix) - 1))
        self.sides = tuple([tuple([-entry for entry in side]) for side in sides if any(side[:-1])])
        # A cone of these with its apex in the domain.
        self.start = feasible(self.sides, chart.dimension)

    def cells(self, close: Callable[[Node, tuple[int, ...]], Leaf | None], known: Sequence[VertexCone] = ()) -> Iterator[Cell | Leaf]:
        """The cells in preorder; `close` makes a leaf of a node and the cones to be written, or None of one that has to be cut.

        known: cones to be written of the first cell.

        Raises NoMinimumError, or InvalidRequestError, where the patterns are those of another network or domain.
        """
        stage = self._stage(0, self._homogeneous.first) if self._depth else None
        node = Node(self.sides, 0, self.start, tuple(known), 0, len(self._patterns), stage, {})
        first, waiting = tuple([cone.mask for cone in known]), [node]
        while waiting:
            node, cones = self._settled(waiting.pop())
            cones, first = (*first, *cones), ()
            if node.is_leaf and node.last - node.first > 1:
                raise other_complex()
            leaf = close(node, cones)
            if leaf is not None:
                yield leaf
                continue
            cell, parts = self._split(node, cones)
            yield cell
            waiting += parts

    def values(self, node: Node) -> list[Row]:
        """The forms of what the layer of a cell gives where all of its neurons are settled; without a layer those of the inputs."""
        if node.stage is None:
            return list(self._homogeneous.chart.matrix[:-1])
        number = node.stage.number
        active = ~self._homogeneous.layers[number].rectified
        active[self._rectified[number]] = [node.signs[i] for i in range(len(node.stage.neurons))]
        return masked(node.stage.forms, active)

    def _split(self, node: Node, cones: tuple[int, ...]) -> tuple[Cell, list[Node]]:
        """A cell as it is written, and its parts, the one to be written first last."""
        assert node.stage is not None
        high = (self._patterns[node.first] ^ self._patterns[node.last - 1]).bit_length() - 1
        neuron = len(node.stage.neurons) - 1 - (high - self._lowest[node.stage.number])
        threshold = (self._patterns[node.first] >> high | 1) << high
        middle = bisect_left(self._patterns, threshold, node.first, node.last)
        used = reduce(or_, (cone.mask for cone in node.known), node.cone.mask)
        kept = [i for i, row in enumerate(node.rows) if used >> i & 1 or not any(cone.implies(row) for cone in node.known)]
        counted = sum(1 << place for place, i in enumerate(kept) if node.counted >> i & 1)
        cone, known = node.cone.renumbered(kept), [known.renumbered(kept) for known in node.known]
        form = node.stage.neurons[neuron]
        parts = []
        for on, row in enumerate((tuple([-entry for entry in form]), form)):
            rows = (*(node.rows[i] for i in kept), row)
            first, last = (middle, node.last) if on else (node.first, middle)
            inherited = tuple([one for one in known if one.positive_at_apex(row)])
            start = cone.with_row(len(kept), rows)
            parts.append(Node(rows, counted | on << len(kept), start, inherited, first, last, node.stage, {**node.signs, neuron: bool(on)}))
        return Cell(neuron, sum(1 << i for i in kept), cones), parts[::-1]

    def _settled(self, node: Node) -> tuple[Node, tuple[int, ...]]:
        """The node at the first layer of which not all neurons have one sign there; the cones to be written that prove the signs."""
        before = len(node.known)
        while node.stage is not None:
            number, width, low = node.stage.number, len(node.stage.neurons), self._lowest[node.stage.number]
            own = self._patterns[node.first : node.last]
            never, always = ~reduce(or_, own) >> low, reduce(and_, own) >> low
            signs, known, cone = dict(node.signs), list(node.known), node.cone
            left = {i: form for i, form in enumerate(node.stage.neurons) if i not in signs and (never | always) >> width - 1 - i & 1}
            for one in known:
                _settle(left, signs, one)
            while left:
                first, form = next(iter(left.items()))
                cone = cone.least(form if always >> width - 1 - first & 1 else tuple([-entry for entry in form]), node.rows)
                _settle(left, signs, cone)
                if first in left:
                    raise other_complex()
                known.append(cone)
            node = replace(node, cone=cone, known=tuple(known), signs=signs)
            if len(signs) < width or number + 1 == self._depth:
                break
            forms = self._homogeneous.forms(number + 1, self._homogeneous.prepared(number + 1, self.values(node)))
            node = replace(node, stage=self._stage(number + 1, forms), signs={})
        return node, tuple([one.mask for one in node.known[before:]])

    def _stage(self, number: int, forms: list[Row]) -> Stage:
        return Stage(number, forms, [primitive(forms[i]) for i in self._rectified[number]])


def _settle(left: dict[int, Row], signs: dict[int, bool], cone: VertexCone) -> None:
    """Move the neurons of which a cone shows a sign from `left` to `signs`; a checker takes that of the first cone, where both are true."""
    for neuron, form in list(left.items()):
        sign = cone.sign(form)
        if sign is not None:
            signs[neuron] = sign
            del left[neuron]


def integers(patterns: np.ndarray) -> list[int]:
    """Boolean patterns (p, n) as integers, the first neuron the highest bit."""
    n = patterns.shape[1]
    packed = np.packbits(patterns, axis=1)
    return [int.from_bytes(row.tobytes(), "big") >> -n % 8 for row in packed]


def other_complex() -> InvalidRequestError:
    """What is said where patterns are not those of the cells."""
    return InvalidRequestError("the complex is not that of this network on this domain; give those that it was computed for")
