"""Ranks modulo Q, row by row and for all choices of rows at once; a rank modulo Q that elimination by units finds is at most the true one.

Nothing here asks whether Q is a prime: a pivot is a unit, and a row without one counts for nothing.
"""

from __future__ import annotations

from math import gcd, prod
from typing import TYPE_CHECKING

from exactrelu.checker.packing import pack_natural, unpack_natural
from exactrelu.checker.text import affordable

if TYPE_CHECKING:
    from collections.abc import Sequence


class Echelon:
    """An echelon form that grows with every row that raises the rank, and that can be cut back."""

    def __init__(self, columns: int, modulus: int) -> None:
        self._columns = columns
        self._modulus = modulus
        # a field stays below modulus + columns * modulus^2
        self._width = (2 * modulus.bit_length() + columns.bit_length() + 8) // 8
        self._pivots: list[tuple[int, int]] = []

    @property
    def rank(self) -> int:
        return len(self._pivots)

    def cut(self, rank: int) -> None:
        """Take back the rows after the first ones, `rank` of them."""
        del self._pivots[rank:]

    def residue(self, row: Sequence[int]) -> list[int]:
        """What is left of a row: the same up to a combination of those before, and 0 in the columns of their pivots."""
        width, modulus = self._width, self._modulus
        step, mask = 8 * width, (1 << 8 * width) - 1
        packed = pack_natural([value % modulus for value in row], width)
        for column, pivot_row in self._pivots:
            # field `column` of the pivot row is 1
            factor = (packed >> column * step & mask) % modulus
            if factor:
                packed += (modulus - factor) * pivot_row
        return [value % modulus for value in unpack_natural(packed, self._columns, width)]

    def add(self, row: Sequence[int]) -> bool:
        """Whether the row raises the rank, with a unit as its pivot."""
        left, modulus = self.residue(row), self._modulus
        column = next((j for j, value in enumerate(left) if value and gcd(value, modulus) == 1), None)
        if column is None:
            return False
        affordable(self._columns * (len(self._pivots) + 1), 8 * self._width, "4")
        inverse = pow(left[column], -1, modulus)
        self._pivots.append((column, pack_natural([value * inverse % modulus for value in left], self._width)))
        return True

    def beside_pivots(self, row: Sequence[int]) -> list[int]:
        """The residue of a row without the pivots' columns: all that it adds to the rows so far."""
        taken = {column for column, _ in self._pivots}
        return [value for j, value in enumerate(self.residue(row)) if j not in taken]


def every_choice_spans(groups: Sequence[Sequence[Sequence[int]]], size: int, modulus: int) -> bool:
    """Whether one vector of each group, however chosen, have rank `size`, their length, modulo Q; entries are in 0 .. Q - 1.

    A vector chosen from the first group is eliminated from all others with its column; in the end determinants have to be units.
    """
    if size == 0:
        return True
    if len(groups) < size:
        return False
    first, *others = groups
    if size == len(groups) == 1:
        return _is_unit([value for (value,) in first], modulus)
    if size == len(groups) == 2:
        return all(_is_unit([a * d - b * c for c, d in others[0]], modulus) for a, b in first)
    for chosen in first:
        column = next((j for j, value in enumerate(chosen) if value), None)
        if column is None:
            if not every_choice_spans(others, size, modulus):
                return False
            continue
        if gcd(chosen[column], modulus) != 1:
            return False
        left = [[_without(column, chosen, vector, modulus) for vector in group] for group in others]
        if not every_choice_spans(left, size - 1, modulus):
            return False
    return True


def _is_unit(factors: Sequence[int], modulus: int) -> bool:
    """Whether the product of numbers is a unit modulo Q: whether each of them is."""
    return all(gcd(prod(factors[i : i + 64]), modulus) == 1 for i in range(0, len(factors), 64))


def _without(column: int, chosen: Sequence[int], vector: Sequence[int], modulus: int) -> list[int]:
    """A unit times the vector, minus a multiple of the one chosen, without the column in which that leaves 0."""
    unit, entry = chosen[column], vector[column]
    left = [(unit * value - entry * other) % modulus for value, other in zip(vector, chosen, strict=True)]
    del left[column]
    return left
