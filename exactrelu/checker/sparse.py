"""The coefficients of a row: a list, or the columns and values of those that are not zero where these are few.

The functions here are the only ones that look inside; what they take follows the entries that are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from operator import mul


@dataclass(frozen=True, slots=True, eq=False)
class Sparse:
    """values_k, not 0, at columns_k, increasing; zero elsewhere."""

    columns: Sequence[int]
    values: list[int]


Coefficients = Sequence[int] | Sparse


def kept(coefficients: Coefficients) -> Sequence[int]:
    """The numbers that are kept: all that are not zero, and in a list the zeros too."""
    return coefficients.values if isinstance(coefficients, Sparse) else coefficients


def places(coefficients: Coefficients) -> Sequence[int]:
    """The columns of the numbers that are kept."""
    return coefficients.columns if isinstance(coefficients, Sparse) else range(len(coefficients))


def entries(coefficients: Coefficients) -> Iterable[tuple[int, int]]:
    """The numbers that are kept, with their columns."""
    return zip(places(coefficients), kept(coefficients), strict=True)


def at(coefficients: Coefficients, columns: Iterable[int]) -> list[int]:
    """The coefficients at some columns, zeros included."""
    if isinstance(coefficients, Sparse):
        values = dict(entries(coefficients))
        return [values.get(j, 0) for j in columns]
    return [coefficients[j] for j in columns]


def dot(coefficients: Coefficients, vector: Sequence[int]) -> int:
    """coefficients . vector."""
    if isinstance(coefficients, Sparse):
        return sum(map(mul, coefficients.values, map(vector.__getitem__, coefficients.columns)))
    return sum(map(mul, coefficients, vector))


def magnitude(coefficients: Coefficients, columns: Collection[int]) -> int:
    """The sum of the absolute values at some columns."""
    if isinstance(coefficients, Sparse):
        return sum(abs(value) for j, value in entries(coefficients) if j in columns)
    return sum(abs(coefficients[j]) for j in columns)


def plus_multiple(total: list[int], factor: int, coefficients: Coefficients) -> list[int]:
    """total + factor * coefficients; `total` may be the list returned."""
    if isinstance(coefficients, Sparse):
        for j, value in entries(coefficients):
            total[j] += factor * value
        return total
    return [t + factor * value for t, value in zip(total, coefficients, strict=True)]


def scaled(coefficients: Coefficients, factor: int) -> Coefficients:
    """factor * coefficients, factor not 0."""
    values = [value * factor for value in kept(coefficients)]
    return Sparse(coefficients.columns, values) if isinstance(coefficients, Sparse) else values


def longer(coefficients: Coefficients, last: int, n: int) -> Coefficients:
    """The n coefficients and one more."""
    if not isinstance(coefficients, Sparse):
        return [*coefficients, last]
    return Sparse([*coefficients.columns, n], [*coefficients.values, last]) if last else coefficients


def odd(coefficients: Coefficients) -> Coefficients:
    """The multiple by a power of two with an odd entry; zeros stay."""
    union = 0
    for value in kept(coefficients):
        union |= value
        if union & 1:
            return coefficients
    if not union:
        return coefficients
    shift = (union & -union).bit_length() - 1
    values = [value >> shift for value in kept(coefficients)]
    return Sparse(coefficients.columns, values) if isinstance(coefficients, Sparse) else values
