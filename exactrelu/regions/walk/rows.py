"""Homogeneous forms as the rows of a matrix, for a walk: exact values at many points at once, unit normals in floats, bounds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.exact.rational import RationalVector
    from exactrelu.regions.charts import Row


@dataclass(frozen=True)
class Rows:
    """Forms (k + 1,) in integers, not constant, that are at most 0 on a region of Q^k.

    >>> rows = Rows(((3, 0, -1), (1, -1, 0)), 2)
    >>> rows.at([(0, 1, 1), (2, 0, 1)]), rows.normals.shape, rows.bounds
    ([[-1, -1], [5, 2]], (2, 2), {0: (0, True, Fraction(1, 3))})
    """

    forms: tuple[Row, ...]
    dimension: int

    @cached_property
    def matrix(self) -> fmpz_mat:
        return fmpz_mat(len(self.forms), self.dimension + 1, [value for form in self.forms for value in form])

    def at(self, points: Sequence[Row]) -> list[list[int]]:
        """For each of some homogeneous points the values of all forms."""
        columns = fmpz_mat(len(points), self.dimension + 1, [value for point in points for value in point]).transpose()
        return [[int(value) for value in column] for column in (self.matrix * columns).transpose().tolist()]

    def are_negative(self, point: RationalVector) -> bool:
        """Whether all forms are negative at a point, exactly."""
        return all(value < 0 for value in self.at([(*point.numerators, point.denominator)])[0])

    @cached_property
    def _scaled(self) -> tuple[np.ndarray, list[int], np.ndarray]:
        """Unit normals, and powers of two and floats whose products are their lengths."""
        normals = np.zeros((len(self.forms), self.dimension))
        shifts = [max(0, max(map(abs, form[:-1])).bit_length() - 62) for form in self.forms]
        for i, (form, shift) in enumerate(zip(self.forms, shifts, strict=True)):
            normals[i] = [value >> shift for value in form[:-1]] if shift else form[:-1]
        lengths = np.linalg.norm(normals, axis=1)
        return normals / lengths[:, None], shifts, lengths

    @property
    def normals(self) -> np.ndarray:
        """Unit normals (m, k) in floats."""
        return self._scaled[0]

    def distances(self, values: Sequence[int], t: int) -> np.ndarray:
        """Distances (m,) in floats from a point (z, t) at which the forms are minus these values."""
        _, shifts, lengths = self._scaled
        quotients = [_quotient(value, t << shift) for value, shift in zip(values, shifts, strict=True)]
        return np.asarray(np.array(quotients, dtype=np.float64) / lengths)

    @cached_property
    def bounds(self) -> dict[int, tuple[int, bool, Fraction]]:
        """The rows that bound one coordinate: (coordinate, from above, by what)."""
        found = {}
        for i, form in enumerate(self.forms):
            columns = np.flatnonzero(self.normals[i]).tolist()
            if len(columns) == 1 and sum(map(bool, form[:-1])) == 1:
                value = form[columns[0]]
                found[i] = columns[0], value > 0, Fraction(-form[-1], value)
        return found


def _quotient(p: int, q: int) -> float:
    try:
        return p / q
    except OverflowError:
        return float("inf")
