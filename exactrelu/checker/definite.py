"""Whether a symmetric matrix of integers has no negative eigenvalue, by elimination without fractions.

With a pivot p > 0 the matrix has none if and only if its Schur complement has none, and a 0 on the diagonal asks for a row of
zeros. Bareiss: all entries on the way are minors, so that every division leaves no remainder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Symmetric = list[list[int]]
"""The rows of a symmetric matrix from the diagonal on: row i holds the entries (i, i), (i, i + 1), .."""


def plus_square(matrix: Symmetric, factor: int, row: Sequence[int]) -> Symmetric:
    """matrix + factor * row^T row."""
    return [[a + factor * row[i] * b for a, b in zip(upper, row[i:], strict=True)] if row[i] else upper for i, upper in enumerate(matrix)]


def is_semidefinite(matrix: Symmetric) -> bool:
    """Whether no eigenvalue is negative."""
    before = 1
    while matrix:
        (pivot, *row), *rest = matrix
        if pivot < 0 or (pivot == 0 and any(row)):
            return False
        if pivot:
            rest = [[(pivot * a - row[i] * b) // before for a, b in zip(upper, row[i:], strict=True)] for i, upper in enumerate(rest)]
            before = pivot
        matrix = rest
    return True


def every_choice_is_semidefinite(matrix: Symmetric, groups: Sequence[Sequence[Sequence[int]]], factor: int) -> bool:
    """Whether matrix + factor * (the sum of r^T r over one row r of each group) is semidefinite, however the rows are chosen.

    One call within another for every group: they are few if each has two rows or more and the choices can be counted through.
    """
    if not groups:
        return is_semidefinite(matrix)
    first, *others = groups
    return all(every_choice_is_semidefinite(plus_square(matrix, factor, row), others, factor) for row in first)
