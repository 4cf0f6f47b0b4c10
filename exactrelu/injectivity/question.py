"""The question in integers: the rows of a layer, the sides of its domain, and the exact test of a dependency.

All rows are multiplied by one and the same power of two, so that integer multipliers of these rows are multipliers of the rows as
real numbers. Floats of the rows, each scaled by its own power of two, serve to propose.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates.injectivity import Dependency, Flat
from exactrelu.domain import Ball, Box, Orthant, Polytope, fixed_coordinates, middle
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector, stack
from exactrelu.exact.system import ConeSystem, RowSet
from exactrelu.exact.ties import partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer

# Biases in floats are cut off here: beyond, solvers take them as infinite.
_LARGEST = 1e15
# Of layers with so many weights all rows become integers in one go.
_FEW_WEIGHTS = 2**14


class Question:
    """A layer, weights (m, n), on a domain K of R^n.

    Raises InvalidRequestError where the domain is of another dimension, or empty.

    >>> from exactrelu import AllSpace, Layer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[1.0], [-0.5]]), np.array([True, True]))
    >>> question = Question(layer, AllSpace())
    >>> question.dependency({0: 1, 1: 1})
    Dependency(rows=(0, 1), multipliers=(1, 1), sides=(), side_multipliers=())
    >>> question.dependency({0: 1}) is None
    True
    """

    def __init__(self, layer: Layer, domain: Domain, *, deadline: float | None = None) -> None:
        domain.check_dimension(layer.inputs)
        self.layer = layer
        self.domain = domain
        self.deadline = deadline
        self.m, self.n = layer.outputs, layer.inputs
        self._rows: dict[int, tuple[int, ...]] = {}

    # ------------------------------------------------------------ the layer

    @cached_property
    def exponent(self) -> int:
        """All rows times 2^-exponent are integral."""
        return min(self.layer.weight.lowest_exponent, self.layer.bias.lowest_exponent)

    @cached_property
    def _few_rows(self) -> list[tuple[int, ...]] | None:
        """All rows in one go, where they are few; of many, most are never asked for."""
        if self.m * self.n > _FEW_WEIGHTS:
            return None
        (weights, low), (biases, own) = self.layer.weight.common, self.layer.bias.common
        shift, lift = low - self.exponent, own - self.exponent
        return [(*(value << shift for value in row), bias << lift) for row, [bias] in zip(weights, biases, strict=True)]

    def row(self, i: int) -> tuple[int, ...]:
        """(coefficients .., bias) of row i, times the power of two that all rows share."""
        if self._few_rows is not None:
            return self._few_rows[i]
        if i not in self._rows:
            weights, low = self.layer.weight.integer_row(i)
            bias, own = self.layer.bias.integer_row(i)
            # The exponent of a row of zeros is 0, whatever the others have.
            shifted = [value << (low - self.exponent) if value else 0 for value in weights]
            self._rows[i] = (*shifted, bias[0] << (own - self.exponent) if bias[0] else 0)
        return self._rows[i]

    @cached_property
    def unrectified(self) -> np.ndarray:
        """The rows that no relu follows: always in F."""
        return np.flatnonzero(~self.layer.rectified)

    @cached_property
    def deciding(self) -> np.ndarray:
        """Boolean mask (m,): rectified rows with a coefficient that is not zero."""
        return np.asarray(self.layer.rectified & self.layer.weight.nonzero_rows)

    @cached_property
    def _scaled(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = RowSet(self.layer.weight)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            biases = np.ldexp(self.layer.bias.floats[:, 0], -rows.exponents)
        return rows.scaled, np.clip(np.nan_to_num(biases, nan=0.0), -_LARGEST, _LARGEST), rows.exponents

    @property
    def weights(self) -> np.ndarray:
        """The rows (m, n) in floats, row i times 2^-exponents[i], so that the largest coefficient lies in [1/2, 1)."""
        return self._scaled[0]

    @property
    def biases(self) -> np.ndarray:
        """The biases (m,), scaled like the rows."""
        return self._scaled[1]

    @property
    def exponents(self) -> np.ndarray:
        return self._scaled[2]

    def values(self, x: np.ndarray) -> np.ndarray:
        """The scaled rows' values (m,) at a float point; what overflows counts as 0."""
        with np.errstate(all="ignore"):
            return np.asarray(np.nan_to_num(self.weights @ x + self.biases, nan=0.0))

    # ------------------------------------------------------------ the domain

    @cached_property
    def sides(self) -> tuple[tuple[int, ...], ...]:
        """The domain as integer rows (coefficients .., constant) with a.x + b <= 0, in the order of a polytope's own sides.

        A ball has none.
        """
        n, domain = self.n, self.domain
        if isinstance(domain, Polytope):
            return tuple((*row, offset) for row, offset in zip(domain.rows, domain.offsets, strict=True))
        if isinstance(domain, Orthant):
            return tuple(tuple(-int(k == j) for k in range(n + 1)) for j in range(n))
        if isinstance(domain, Box):
            result = []
            for j, (low, high) in enumerate(zip(domain.lower.fractions(), domain.upper.fractions(), strict=True)):
                for sign, bound in ((-1, low), (1, high)):
                    row = [0] * (n + 1)
                    row[j], row[n] = sign * bound.denominator, -sign * bound.numerator
                    result.append(tuple(row))
            return tuple(result)
        return ()

    @cached_property
    def fixed(self) -> np.ndarray:
        """The coordinates of a box whose bounds are equal; all of them on a ball of radius 0."""
        return np.array(fixed_coordinates(self.domain, self.n), dtype=np.int64)

    @cached_property
    def _polytope(self) -> tuple[RationalVector | None, tuple[Flat, ...]]:
        """A point of a polytope's relative interior (None: not found), and the sides that are equalities on it."""
        n, sides = self.n, self.sides
        for side in sides:
            if not any(side[:n]) and side[n] > 0:
                raise _empty()
        live = [s for s, side in enumerate(sides) if any(side[:n])]
        if not live:
            return RationalVector((0,) * n), ()
        rows = [*(sides[s] for s in live), (*(0,) * n, -1)]
        none = np.zeros(n + 1, dtype=bool)
        matrix = DyadicMatrix.from_integers(rows, n + 1)
        split = partition(ConeSystem(RowSet(matrix), np.zeros(len(rows), dtype=bool), none, none), deadline=self.deadline)
        if split is None:
            return None, ()
        if len(live) in split.implicit:
            raise _empty()
        assert split.direction is not None
        t = split.direction[n]
        point = RationalVector(tuple(split.direction[:n]), t)
        implicit = [(live[i], i) for i in split.implicit]
        if not implicit:
            return point, ()
        assert split.multipliers is not None
        return point, (Flat(tuple(s for s, _ in implicit), tuple(split.multipliers[i] for _, i in implicit)),)

    @property
    def flats(self) -> tuple[Flat, ...]:
        return self._polytope[1] if isinstance(self.domain, Polytope) else ()

    @cached_property
    def interior(self) -> RationalVector | None:
        """A point of the domain's relative interior; None where a large polytope's was not found in time."""
        domain = self.domain
        return self._polytope[0] if isinstance(domain, Polytope) else middle(domain, self.n)

    def equalities(self) -> list[tuple[int, ...]]:
        """Integer rows (n coefficients) that are constant on the domain: unit rows of fixed coordinates, sides of flats."""
        units = [tuple(int(k == j) for k in range(self.n)) for j in self.fixed.tolist()]
        return [*units, *(self.sides[s][: self.n] for flat in self.flats for s in flat.sides)]

    def real_rows(self, first: Sequence[int], last: Sequence[int]) -> list[list[int]]:
        """Coefficients of layer rows, of `equalities`, of more layer rows, as real numbers times one power of two."""
        up, down = max(0, self.exponent), max(0, -self.exponent)
        own, other = ([[value << up for value in self.row(i)[: self.n]] for i in rows] for rows in (first, last))
        return [*own, *([value << down for value in row] for row in self.equalities()), *other]

    # ------------------------------------------------------------ dependencies

    def dependency(self, rows: Mapping[int, int], sides: Mapping[int, int] | None = None) -> Dependency | None:
        """The dependency with these integer multipliers, or None where they do not show one.

        rows: rectified rows; sides: of a polytope (of other domains, the best ones are used whatever is given).
        """
        kept = {j: value for j, value in sorted(rows.items()) if value}
        if not kept or min(kept.values()) < 0 or not all(self.layer.rectified[j] for j in kept):
            return None
        used: dict[int, int] = {}
        if isinstance(self.domain, Polytope):
            # Rows of the layer carry the factor 2^-exponent; bring the sides' multipliers to the same scale.
            used = {s: value for s, value in sorted((sides or {}).items()) if value}
            if min(used.values(), default=0) < 0:
                return None
        total = [0] * (self.n + 1)
        for j, value in kept.items():
            total = [a + value * b for a, b in zip(total, self.row(j), strict=True)]
        for s, value in used.items():
            total = [a + value * b for a, b in zip(total, self.sides[s], strict=True)]
        if not self._is_non_negative(total):
            return None
        # In real numbers row j is row(j) * 2^exponent, a side is itself.
        up, down = max(0, -self.exponent), max(0, self.exponent)
        multipliers = [value << up for value in kept.values()] if used else list(kept.values())
        side_multipliers = [value << down for value in used.values()]
        common = math.gcd(*multipliers, *side_multipliers)
        return Dependency(
            tuple(kept),
            tuple(value // common for value in multipliers),
            tuple(used),
            tuple(value // common for value in side_multipliers),
        )

    def _is_non_negative(self, row: list[int]) -> bool:
        """Whether sigma.x + c >= 0 on the whole domain; on a polytope, of which the sides are in `row` already, with sigma = 0."""
        *sigma, constant = row
        if isinstance(self.domain, Box):
            lower, upper = self.domain.lower, self.domain.upper
            below = sum(s * v for s, v in zip(sigma, lower.numerators, strict=True) if s > 0)
            above = sum(s * v for s, v in zip(sigma, upper.numerators, strict=True) if s < 0)
            return below * upper.denominator + above * lower.denominator + constant * lower.denominator * upper.denominator >= 0
        if isinstance(self.domain, Orthant):
            return constant >= 0 and min(sigma, default=0) >= 0
        if isinstance(self.domain, Ball):
            # Theory I9: the smallest value of sigma.x is -radius |sigma|.
            radius = self.domain.radius
            size = sum(s * s for s in sigma)
            return constant >= 0 and (radius.denominator * constant) ** 2 >= radius.numerator**2 * size
        return constant >= 0 and not any(sigma)

    def known_rows(self, dependencies: Iterable[Dependency]) -> DyadicMatrix:
        """The list A0 as a matrix: unrectified rows, first rows of these (certain) dependencies, fixed coordinates, sides of flats."""
        chosen = np.array([*self.unrectified.tolist(), *(one.rows[0] for one in dependencies)], dtype=np.int64)
        own = self.layer.weight.rows(chosen)
        others = self.equalities()
        return stack([own, DyadicMatrix.from_integers(others, self.n)]) if others else own


def _empty() -> InvalidRequestError:
    return InvalidRequestError("the domain is empty: no point satisfies all sides of the polytope; correct its A or b")
