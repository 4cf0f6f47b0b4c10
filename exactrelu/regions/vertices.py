"""Vertices and rays as integer vectors (z, tau), tau = 0 for a ray: the value of a form, the crossing of an edge, signs to remember."""

from __future__ import annotations

from operator import mul
from typing import TYPE_CHECKING

from exactrelu.regions.charts import primitive
from exactrelu.regions.faces import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from exactrelu.regions.charts import Row


def value(form: Row, vertex: Row) -> int:
    """A form at a homogeneous point."""
    return sum(map(mul, form, vertex))


def crossing_vertex(form: Row, plus: Row, minus: Row) -> Row:
    """Where a form vanishes between a vertex at which it is positive and one at which it is negative: |z_n| p + |z_p| n (R2)."""
    a, b = value(form, plus), -value(form, minus)
    assert a > 0 < b
    return primitive([b * x + a * y for x, y in zip(plus, minus, strict=True)])


class VertexSigns:
    """For every vertex the words of earlier signs, kept only where walls will be merged away; see `merging`."""

    def __init__(self, parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
        self.parts = [(Column(positive), Column(negative)) for positive, negative in parts]

    def add(self, positive: np.ndarray, negative: np.ndarray) -> None:
        self.parts.append((Column(positive), Column(negative)))

    def extend(self, plus: np.ndarray, minus: np.ndarray) -> None:
        """New vertices, each inside an edge between two others that no earlier form cuts."""
        for part in self.parts:
            for column in part:
                column.extend(column.values[plus] | column.values[minus])
