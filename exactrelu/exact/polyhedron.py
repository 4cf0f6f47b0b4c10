"""Questions about a polyhedron in H-representation, all answered by the cone predicate (theory C1, P3, P4, P5).

A `Polyhedron` is {x in R^n : E x + e = 0, A x + b <= 0} with rational data. Verdicts are exact; None says that a tie at this
size was not decided within the limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.cone import StrictRayFound, Tie, TrivialCone, Undecided, decide
from exactrelu.exact.linalg import exact_rank, integer_rows, kernel_vectors
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.system import ConeSystem, RowSet
from exactrelu.exact.ties import lineality_direction, partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exactrelu.exact.cone import Decision

Number = Fraction | int


def _cleared(row: Iterable[Number]) -> tuple[int, ...]:
    """The row multiplied by a positive number so that it is integral."""
    return RationalVector.from_fractions(row).numerators


def _system(equalities: Sequence[Sequence[int]], inequalities: Sequence[Sequence[int]], dimension: int) -> ConeSystem:
    """The cone of these rows; rows of zeros are left out."""
    kept = [(row, True) for row in equalities if any(row)] + [(row, False) for row in inequalities if any(row)]
    none = np.zeros(dimension, dtype=bool)
    matrix = DyadicMatrix.from_integers((row for row, _ in kept), dimension)
    return ConeSystem(RowSet(matrix), np.array([equality for _, equality in kept], dtype=bool), none, none)


def _decide(system: ConeSystem, deadline: float | None) -> Decision:
    """`decide`, also for systems without inequalities."""
    if system.inequality.any():
        return decide(system, deadline=deadline)
    split = partition(system, deadline=deadline)
    if split is None:
        return Undecided("the rank of the equalities was not found")
    return TrivialCone(system, None, split) if split.rank.rank == system.dimension else StrictRayFound(system, None, split)


@dataclass(frozen=True)
class Polyhedron:
    """{x in R^n : E x + e = 0, A x + b <= 0}; each row is (coefficients..., constant), integers after `make`.

    >>> square = Polyhedron.make(2, inequalities=[(1, 0, -1), (-1, 0, 0), (0, 1, -1), (0, -1, 0)])
    >>> square.is_empty(), square.dimension(), square.is_bounded(), square.is_facet(0)
    (False, 2, True, True)
    """

    size: int
    equalities: tuple[tuple[int, ...], ...] = ()
    inequalities: tuple[tuple[int, ...], ...] = ()

    @staticmethod
    def make(size: int, *, equalities: Iterable[Sequence[Number]] = (), inequalities: Iterable[Sequence[Number]] = ()) -> Polyhedron:
        """Make a polyhedron of R^size from rows of fractions or integers; raises InvalidRequestError for a row of another length."""
        parts = [tuple(_cleared(row) for row in rows) for rows in (equalities, inequalities)]
        for row in (*parts[0], *parts[1]):
            if len(row) != size + 1:
                raise InvalidRequestError(f"a row has {len(row)} numbers; give {size} coefficients and a constant")
        return Polyhedron(size, *parts)

    # The homogenised cone (x, t), t >= 0: theory C1.
    def _homogenised(self, flipped: int | None = None) -> ConeSystem:
        rows = [tuple(-v for v in row) if i == flipped else row for i, row in enumerate(self.inequalities)]
        return _system(self.equalities, [*rows, (*(0,) * self.size, -1)], self.size + 1)

    def _point_of(self, decision: Decision) -> RationalVector | None:
        direction = None
        if isinstance(decision, StrictRayFound):
            direction = decision.exact_direction()
        elif isinstance(decision, Tie) and not _is_implicit(decision, decision.system.general_count - 1):
            direction = decision.split.direction
        return None if direction is None else RationalVector(direction[:-1], direction[-1])

    def is_empty(self, *, deadline: float | None = None) -> bool | None:
        """Whether no point satisfies the rows (Farkas)."""
        if any(not any(row[:-1]) and row[-1] for row in self.equalities):
            return True
        decision = _decide(self._homogenised(), deadline)
        if isinstance(decision, Undecided):
            return None
        if isinstance(decision, Tie):
            return _is_implicit(decision, decision.system.general_count - 1)
        return isinstance(decision, TrivialCone)

    def relative_interior_point(self, *, deadline: float | None = None) -> RationalVector | None:
        """A point where only the implicit equalities are tight; None if the set is empty or this was not decided."""
        return self._point_of(_decide(self._homogenised(), deadline))

    def dimension(self, *, deadline: float | None = None) -> int | None:
        """The dimension of the affine hull, -1 for the empty set: n - rank of equalities and implicit equalities."""
        point = self.relative_interior_point(deadline=deadline)
        if point is None:
            return -1 if self.is_empty(deadline=deadline) else None
        rows = [*self.equalities, *(self.inequalities[i] for i in self.tight(point))]
        return self.size - exact_rank(DyadicMatrix.from_integers((row[:-1] for row in rows), self.size)).rank

    def tight(self, x: RationalVector) -> tuple[int, ...]:
        """Which inequalities hold with equality at x."""
        values = (_at(row, x) for row in self.inequalities)
        return tuple(i for i, value in enumerate(values) if value == 0)

    def contains(self, x: RationalVector) -> bool:
        """Whether x satisfies all rows, exactly."""
        return all(_at(row, x) == 0 for row in self.equalities) and all(_at(row, x) <= 0 for row in self.inequalities)

    def recession_direction(self, *, deadline: float | None = None) -> RationalVector | None:
        """A non-zero d with E d = 0 and A d <= 0, or None where there is none or this was not decided."""
        system = _system([row[:-1] for row in self.equalities], [row[:-1] for row in self.inequalities], self.size)
        decision = _decide(system, deadline)
        direction: tuple[int, ...] | None = None
        if isinstance(decision, StrictRayFound):
            direction = decision.exact_direction()
        elif isinstance(decision, Tie):
            direction = decision.split.direction or lineality_direction(system)
        return None if direction is None else RationalVector(direction)

    def is_bounded(self, *, deadline: float | None = None) -> bool | None:
        """Whether the set is bounded; the empty set is."""
        empty = self.is_empty(deadline=deadline)
        if empty is None or empty:
            return empty
        system = _system([row[:-1] for row in self.equalities], [row[:-1] for row in self.inequalities], self.size)
        decision = _decide(system, deadline)
        return None if isinstance(decision, Undecided) else isinstance(decision, TrivialCone)

    def is_facet(self, index: int, *, deadline: float | None = None) -> bool | None:
        """Whether inequality `index` of a non-empty set defines a facet, rows that are positive multiples counting as one.

        The row, negated, in the homogenised cone without its multiples (on the affine hull) and without rows that vanish on the whole set:
        the row is redundant iff the negated row or t is an implicit equality there.
        """
        point = self.relative_interior_point(deadline=deadline)
        if point is None or index in self.tight(point):
            return False if point is not None or self.is_empty(deadline=deadline) else None
        vanishing = set(self.tight(point))
        implicit = [self.inequalities[i] for i in vanishing]
        # On the affine hull a facet has one row up to positive multiples: compare the rows as functionals on it.
        hull, rows = (DyadicMatrix.from_integers(part, self.size + 1) for part in ((*self.equalities, *implicit), self.inequalities))
        on_hull = [_primitive(row) for row in nullspace_projection(hull, rows)[1]]
        kept = [i for i in range(len(on_hull)) if i == index or (i not in vanishing and on_hull[i] != on_hull[index])]
        rest = Polyhedron(self.size, (*self.equalities, *implicit), tuple(self.inequalities[i] for i in kept))
        position = kept.index(index)
        system = rest._homogenised(flipped=position)
        decision = _decide(system, deadline)
        if isinstance(decision, Undecided):
            return None
        if isinstance(decision, StrictRayFound):
            return True
        if isinstance(decision, TrivialCone):
            return False
        # Rows of zeros were left out of the system: find the negated row's place among the others.
        before = sum(any(row) for row in (*rest.equalities, *rest.inequalities[:position]))
        return not (_is_implicit(decision, before) or _is_implicit(decision, system.general_count - 1))


def _is_implicit(tie: Tie, row: int) -> bool:
    return row in tie.split.implicit


def _at(row: Sequence[int], x: RationalVector) -> int:
    """A positive multiple of the row's value at x."""
    return sum(a * v for a, v in zip(row, x.numerators, strict=False)) + row[-1] * x.denominator


def _primitive(row: Sequence[int]) -> tuple[int, ...]:
    divisor = math.gcd(*row) or 1
    return tuple(value // divisor for value in row)


def is_omnidirectional(rows: Sequence[Sequence[Number]], size: int, *, deadline: float | None = None) -> bool | None:
    """Whether A x <= 0 only for x = 0, A with rows in R^size (theory P3; Behrmann, Dittmer, Fernsel, Maass).

    >>> is_omnidirectional([(1, 0), (0, 1), (-1, -1)], 2), is_omnidirectional([(1, 0), (0, 1)], 2)
    (True, False)
    """
    decision = _decide(_system([], [_cleared(row) for row in rows], size), deadline)
    return None if isinstance(decision, Undecided) else isinstance(decision, TrivialCone)


def is_unique_solution(polyhedron: Polyhedron, x: RationalVector, *, deadline: float | None = None) -> bool | None:
    """Whether x is the only point of the polyhedron: it lies in it, and the rows tight at x are omnidirectional on ker E (P4)."""
    if not polyhedron.contains(x):
        return False
    equalities = [row[:-1] for row in polyhedron.equalities]
    tight = [polyhedron.inequalities[i][:-1] for i in polyhedron.tight(x)]
    decision = _decide(_system(equalities, tight, polyhedron.size), deadline)
    return None if isinstance(decision, Undecided) else isinstance(decision, TrivialCone)


def nullspace_projection(equalities: DyadicMatrix, inequalities: DyadicMatrix) -> tuple[list[list[int]], list[list[int]]]:
    """A basis N of ker A_P as columns and the projected rows A_Z N, both in integers (theory P5).

    equalities A_P is (p, n), inequalities A_Z is (z, n); returns N, (n, k), and A_Z N, (z, k), each of its rows up to a
    positive factor, so that {d : A_P d = 0, A_Z d <= 0} = {N z : (A_Z N) z <= 0}. Exact, and meant for small sizes: the
    entries of N reach thousands of bits.

    >>> nullspace_projection(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0, 2.0]]))
    ([[-1], [1]], [[1]])
    """
    found = kernel_vectors(equalities)
    basis = [[vector[j] for vector in found] for j in range(equalities.shape[1])]
    projected = [[sum(a * vector[j] for j, a in enumerate(row)) for vector in found] for row in integer_rows(inequalities)]
    return basis, projected
