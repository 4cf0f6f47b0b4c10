"""A collision near some inputs: where the network's affine map loses rank, or changes its orientation between two of them.

Where the determinants at two points have opposite signs, somewhere between them the network folds over (theory I12); the place is found by
bisection and by an exact walk from wall to wall.
"""

from __future__ import annotations

import time
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from flint import fmpz_mat

from exactrelu.exact.linalg import kernel_vectors
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.collisions.linearised import Linearised
from exactrelu.injectivity.network.draws import inputs
from exactrelu.injectivity.network.ends import along, folded
from exactrelu.injectivity.question import Question
from exactrelu.injectivity.ranks import has_full_rank
from exactrelu.regions.charts import Chart
from exactrelu.regions.forms import HomogeneousLayers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.domain import Domain
    from exactrelu.injectivity.collisions.collision import Collision
    from exactrelu.network.model import Network

# Points looked at, fewer where their maps are large.
_FEW_POINTS, _POINTS, _ENTRIES = 8, 200, 2**15
# Cut in two parts that are not equal: the middle often lies on a wall.
_BISECTIONS, _PART = 30, Fraction(3, 7)
_WALLS = 64
_CLOSEST = 2**200
# Inputs times outputs up to which exact affine maps at points are cheap.
_LARGEST_MAP = 2**18


def search(network: Network, domain: Domain, points: Sequence[RationalVector], deadline: float | None) -> tuple[str, Collision] | None:
    """A collision and the argument in words; None where none was found near the given points and some drawn ones.

    >>> import numpy as np
    >>> from exactrelu import AllSpace, Layer, Network, SourceLayer
    >>> two = (Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.ones(2, bool)),
    ...     Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.zeros(1, bool)))
    >>> search(Network(two, (SourceLayer(1, "absolute value", two, 0),), (), (1,)), AllSpace(), (), None)[0]
    'a fold between two regions'
    """
    question = Question(network.layers[0], domain)
    maps = _Maps(network, question)
    n, m = len(maps.columns), network.outputs
    if n * m > _LARGEST_MAP:
        return None
    ends: dict[bool, RationalVector] = {}
    for x in islice(inputs(question, points), min(_POINTS, max(_FEW_POINTS, _ENTRIES // max(1, n * m)))):
        if deadline is not None and time.monotonic() > deadline:
            return None
        found = maps.kernel_collision(x)
        if found is not None:
            return "a region where the map is of lower rank" if n == network.inputs else "fewer outputs than inputs", found
        if n != m or n != network.inputs or maps.constant:
            continue
        determinant = maps.determinant(x)
        if determinant:
            ends.setdefault(determinant > 0, x)
        if len(ends) == 2:
            found = _fold_between(maps, ends[True], ends[False])
            if found is not None:
                return "a fold between two regions", found
            ends = {}
    return None


class _Maps:
    """The linear maps that a network is around points, all times one power of two; and what is constant on the domain."""

    def __init__(self, network: Network, question: Question) -> None:
        self.network, self.domain = network, question.domain
        self.constant = question.equalities()
        enough = network.outputs + len(self.constant) + 1
        # With more inputs than that, so many are enough for a direction that no output sees.
        self.columns = list(range(min(network.inputs, enough)))

    @cached_property
    def _layers(self) -> HomogeneousLayers:
        k = len(self.columns)
        rows = [tuple(int(i == j) for j in (*self.columns, -1)) for i in range(self.network.inputs)]
        return HomogeneousLayers(self.network.layers, Chart((*rows, (*(0,) * k, 1))))

    def linear(self, x: RationalVector) -> list[tuple[int, ...]]:
        return [row[:-1] for row in self._layers.of_pattern(self.network.activation_pattern(x))]

    def square(self, x: RationalVector) -> fmpz_mat:
        rows = self.linear(x)
        return fmpz_mat(len(rows), len(rows), [value for row in rows for value in row])

    def determinant(self, x: RationalVector) -> int:
        return int(self.square(x).det())

    def kernel_collision(self, x: RationalVector) -> Collision | None:
        """A collision of x and a point beyond it, where the map around x is not injective on the domain's affine hull."""
        rows = [*self.linear(x), *(tuple(row[j] for j in self.columns) for row in self.constant)]
        matrix = DyadicMatrix.from_integers(rows, len(self.columns))
        if has_full_rank(matrix):
            return None
        padding = (0,) * (self.network.inputs - len(self.columns))
        directions = kernel_vectors(matrix, most=1)
        return along(self.network.layers, self.domain, x, (*directions[0], *padding))


def _fold_between(maps: _Maps, first: RationalVector, last: RationalVector) -> Collision | None:
    """A collision across a facet on the way between two points at which the determinants have opposite signs."""
    positive = maps.determinant(first) > 0
    for _ in range(_BISECTIONS):
        middle = _between(first, last, _PART)
        determinant = maps.determinant(middle)
        if determinant == 0:
            return maps.kernel_collision(middle)
        first, last = (middle, last) if (determinant > 0) == positive else (first, middle)
    for _ in range(_WALLS):
        wall = _next_wall(maps.network, first, last)
        if wall is None:
            return None
        corner, behind = wall
        determinant = maps.determinant(behind)
        if determinant == 0:
            return maps.kernel_collision(behind)
        if (determinant > 0) != positive:
            return folded(maps.network.layers, maps.domain, corner, first, maps.square(first), maps.square(behind))
        first = behind
    return None


def _next_wall(network: Network, x: RationalVector, end: RationalVector) -> tuple[RationalVector, RationalVector] | None:
    """The first point on the way from x to the end at which a row changes its sign, and one behind it before the next such point."""
    way = RationalVector.from_fractions(b - a for a, b in zip(x.fractions(), end.fractions(), strict=True))
    direction = {j: value for j, value in enumerate(way.numerators) if value}
    step = _reach(network, x, direction, 1)
    if step is None or step * way.denominator >= 1:
        return None
    corner = _between(x, end, step * way.denominator)
    share = Fraction(1, 2)
    while share.denominator <= _CLOSEST:
        behind = _between(corner, end, share)
        reach = _reach(network, behind, direction, -1)
        # The corner itself is the last wall before the point behind it.
        if reach is not None and reach * way.denominator == share * (1 - step * way.denominator):
            return corner, behind
        share /= 4
    return None


def _reach(network: Network, x: RationalVector, direction: dict[int, int], sign: int) -> Fraction | None:
    """How far x may move along sign * direction before a row changes its sign."""
    beside = Linearised(network.layers, x)
    return beside.longest_step(beside.changes(direction), sign)


def _between(x: RationalVector, y: RationalVector, share: Fraction) -> RationalVector:
    return RationalVector.from_fractions(a + share * (b - a) for a, b in zip(x.fractions(), y.fractions(), strict=True))
