"""A collision of a large sparse layer made wider: the few inputs that differ are a small layer of their own, the others being constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import AllSpace, Box, Orthant
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.injectivity.collisions.collision import Collision, checked
from exactrelu.injectivity.collisions.far_apart import far_apart
from exactrelu.injectivity.collisions.linearised import sparse_stage
from exactrelu.injectivity.parts import restricted, taken
from exactrelu.injectivity.question import Question
from exactrelu.network.model import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

# Entries of the small layer, beyond which its linear programs take long.
_MOST_ENTRIES = 2**20


def widened(question: Question, collision: Collision) -> Collision:
    """A collision that differs in the same inputs only, whose two points are at least as far apart.

    >>> weight, bias = SparseMatrix.from_dense(DyadicMatrix.from_floats([[1.0, 1.0, 0.0]])), DyadicMatrix.from_floats([[-1.0]])
    >>> question = Question(Layer(weight, bias, np.array([True])), Box(RationalVector((0,) * 3), RationalVector((1,) * 3)))
    >>> near = Collision(RationalVector((0, 0, 1)), RationalVector((1, 1, 4), 4), RationalVector((0,)))
    >>> far = widened(question, near)
    >>> float(far.squared_distance) > 1.8, far.x.texts()[2], far.y.texts()[2]
    (True, '1', '1')
    """
    domain, x = question.domain, collision.x
    pairs = zip(x.fractions(), collision.y.fractions(), strict=True)
    columns = np.array([j for j, (a, b) in enumerate(pairs) if a != b], dtype=np.int64)
    is_dyadic = x.denominator & (x.denominator - 1) == 0
    if not isinstance(domain, AllSpace | Orthant | Box) or not is_dyadic:
        return collision
    small = _small_layer(question.layer, x, columns)
    if small.inputs * small.outputs > _MOST_ENTRIES:
        return collision
    first, second = taken(x, columns), taken(collision.y, columns)
    small_question = Question(small, restricted(domain, columns), deadline=question.deadline)
    found = far_apart(small_question, Collision(first, second, small(first)))
    wider = checked(question, *(_replaced(x, columns, end.fractions()) for end in (found.x, found.y)))
    return collision if wider is None or wider.squared_distance < collision.squared_distance else wider


def _replaced(x: RationalVector, columns: np.ndarray, values: Sequence[Fraction]) -> RationalVector:
    ends = x.fractions()
    for j, value in zip(columns.tolist(), values, strict=True):
        ends[j] = value
    return RationalVector.from_fractions(ends)


def _small_layer(layer: Layer, x: RationalVector, columns: np.ndarray) -> Layer:
    """The rows that read some of these inputs, as functions of them, the other inputs being those of x."""
    weight = sparse_stage(layer)
    place = np.full(layer.inputs, -1)
    place[columns] = np.arange(len(columns))
    rows = np.unique(weight.row_numbers()[place[weight.columns] >= 0])
    part = weight.rows(rows)
    others = RationalVector(tuple(value if place[j] < 0 else 0 for j, value in enumerate(x.numerators)), x.denominator)
    constants = Layer(part, layer.bias.rows(rows), layer.rectified[rows]).pre_activation(others)
    bias = DyadicMatrix.from_integers([[value] for value in constants.numerators], 1, 1 - constants.denominator.bit_length())
    kept = place[part.columns] >= 0
    counts = np.bincount(part.row_numbers()[kept], minlength=len(rows))
    integers = None if part.integers is None else part.integers[kept]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    own = SparseMatrix(
        (len(rows), len(columns)), starts, place[part.columns[kept]].astype(np.int32), part.floats[kept], integers, part.exponent
    )
    return Layer(own.dense(), bias, layer.rectified[rows])
