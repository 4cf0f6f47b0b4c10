"""A collision that changes few inputs only: in a window that fewer active rows touch than it has inputs (theory I1, I10).

At a point x the stages of a layer are one affine map, whose rows a convolution or a pooling window makes sparse. Where k inputs are
touched by fewer than k of the rows that are not zero beside x, there is a direction on these inputs that leaves all of them alone:
x and x + t r have the same output for small t.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import AllSpace, Box, Orthant, fixed_coordinates
from exactrelu.exact.linalg import integer_rows, null_vectors, primes, regular_block
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.collisions.collision import Collision, shortened
from exactrelu.injectivity.collisions.hall import windows
from exactrelu.injectivity.collisions.linearised import Linearised
from exactrelu.preimage.witness import domain_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer

# Directions tried in a window of so few inputs; one in a larger one.
_FEW_INPUTS = 64
_DIRECTIONS = 8
# Bits of a collision's denominator beyond which no more windows join.
_LONGEST_NUMBER = 2**11


@dataclass(frozen=True)
class WindowCollision:
    """A collision and one window of the inputs in which its two points differ."""

    collision: Collision
    window: tuple[int, ...]


def window_collision(stages: Sequence[Layer], domain: Domain, x: RationalVector) -> WindowCollision | None:
    """A collision of x, a point of the domain, and one that differs from it in few inputs; None where none was found.

    stages: (m, n) layers one after the other; domain: of the inputs of the first. Windows that no row reads together change at once.

    >>> from exactrelu.domain import AllSpace
    >>> from exactrelu.network.model import Layer
    >>> weight, bias = DyadicMatrix.from_floats([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]])
    >>> found = window_collision([Layer(weight, bias, np.array([True, True]))], AllSpace(), RationalVector((1, 1, 1)))
    >>> found.window, found.collision.y.texts()
    ((1, 2), ['1', '0', '2'])
    """
    if not domain.contains(x):
        return None
    beside = Linearised(stages, x)
    chosen: list[_Change] = []
    for window in windows(beside.pattern, _free(domain, len(x))):
        if chosen and not _may_join(chosen, window, domain):
            continue
        change = _largest_change(beside, domain, window)
        if change is not None and all(change.rows.isdisjoint(other.rows) for other in chosen):
            chosen.append(change)
    if not chosen:
        return None
    ends = x.fractions()
    for change in chosen:
        for j, step in change.steps.items():
            ends[j] += step
    y = RationalVector.from_fractions(ends)
    if y == x or not domain.contains(y) or beside.value(y) != beside.output:
        return None
    return WindowCollision(Collision(x, y, beside.output), chosen[0].window)


@dataclass(frozen=True)
class _Change:
    """By how much the inputs of a window may change, and the rows (stage, row) of the stages that change with them."""

    window: tuple[int, ...]
    steps: Mapping[int, Fraction]
    rows: frozenset[tuple[int, int]]

    @property
    def size(self) -> Fraction:
        return sum((step * step for step in self.steps.values()), Fraction(0))

    @property
    def bits(self) -> int:
        return max(step.denominator.bit_length() for step in self.steps.values())


def _may_join(chosen: Sequence[_Change], window: Sequence[int], domain: Domain) -> bool:
    """Whether one more window keeps the numbers short; in a domain that is no product, windows would have to share the room there is."""
    is_product = isinstance(domain, AllSpace | Orthant | Box)
    unread = all(set(window).isdisjoint(other.window) for other in chosen)
    return is_product and unread and len(window) <= _FEW_INPUTS and sum(change.bits for change in chosen) <= _LONGEST_NUMBER


def _largest_change(beside: Linearised, domain: Domain, window: Sequence[int]) -> _Change | None:
    """The farthest change found along a direction on the window that changes no kept row."""
    changes = (_along(beside, domain, window, direction) for direction in _directions(beside, window))
    return max((change for change in changes if change is not None), key=lambda change: change.size, default=None)


def _free(domain: Domain, n: int) -> np.ndarray:
    """The inputs (n,) that have more than one value in the domain."""
    free = np.ones(n, dtype=bool)
    free[fixed_coordinates(domain, n)] = False
    return free


def _directions(beside: Linearised, window: Sequence[int]) -> Iterator[dict[int, int]]:
    """Integer directions on the window along which no kept row changes."""
    rows: dict[tuple[int, int], list[int]] = {}
    for place, j in enumerate(window):
        for number, (changed, _) in enumerate(beside.changes({j: 1})):
            for row, value in changed.items():
                if value and beside.kept[number][row]:
                    rows.setdefault((number, row), [0] * len(window))[place] = value
    matrix = DyadicMatrix.from_integers(rows.values(), len(window))
    listed, most = integer_rows(matrix), _DIRECTIONS if len(window) <= _FEW_INPUTS else 1
    for prime in primes():
        vectors = null_vectors(listed, len(window), regular_block(matrix, prime), most=most)
        if vectors is not None:
            for vector in vectors:
                yield {j: value for j, value in zip(window, vector, strict=True) if value}
            return


def _along(beside: Linearised, domain: Domain, window: Sequence[int], direction: Mapping[int, int]) -> _Change | None:
    """The longest step from the point along a direction or its opposite that keeps the output, a little less where numbers are long."""
    changes = beside.changes(direction)
    whole = [0] * len(beside.x)
    for j, value in direction.items():
        whole[j] = value
    steps = []
    for sign in (1, -1):
        limits = [beside.longest_step(changes, sign), domain_step(domain, beside.x, tuple(sign * value for value in whole))]
        # Without an end: go as far as the direction's own length.
        steps.append(sign * shortened(min((limit for limit in limits if limit is not None), default=Fraction(1))))
    step = max(steps, key=abs)
    if not step:
        return None
    rows = frozenset((number, row) for number, (changed, _) in enumerate(changes) for row, value in changed.items() if value)
    return _Change(tuple(window), {j: step * value for j, value in direction.items()}, rows)
