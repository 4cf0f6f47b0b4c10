"""Section 4.11 of proofs/FORMAT.md, expansion: how much a layer shortens distances at most.

A row that is not negative at the midpoint of x and y, or that no relu follows, gives |f_j(x) - f_j(y)| >= 1/2 |a_j (x - y)|; in every
case of a tree such rows W_A have |W_A r|^2 >= q |r|^2 (theory I6).
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

from exactrelu.checker.definite import plus_square
from exactrelu.checker.injectivity import fixed_columns, read_certain, read_dependency
from exactrelu.checker.sparse import at
from exactrelu.checker.text import PIVOT_BITS, Rejected, Text, affordable
from exactrelu.checker.tree import Case, check_cases

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.claim import Domain
    from exactrelu.checker.definite import Symmetric
    from exactrelu.checker.network import Layer

SECTION = "4.11"


def check_expansion(text: Text, layer: Layer, domain: Domain, least: Fraction, kernels: Kernels, lowered: Fraction) -> None:
    """In every case of a tree the rows that are not negative at the midpoint have W_A^T W_A - least * I without negative eigenvalue."""
    dependencies: list[list[int]] = []
    while text.begins("dependency"):
        dependencies.append(read_dependency(text, layer, domain, kernels, lowered))
    certain = read_certain(text, layer, dependencies)
    if len({j for rows in certain for j in rows}) != sum(map(len, certain)):
        raise Rejected(SECTION, "two dependencies in `certain` have a row in common")
    fields = text.take("tree", SECTION)
    if fields.natural("0"):
        fields.reject("the tree of an expansion is `tree 0`")
    fields.done()
    fixed = {side.column for side in fixed_columns(domain, layer.inputs)}
    free = [k for k in range(layer.inputs) if k not in fixed]
    case = DefiniteCase(layer, dependencies, free, least, kernels)
    for i, marked in enumerate(layer.rectified):
        if not marked:
            case.put(i)
    for rows in certain:
        case.put_shortest(rows)
    check_cases(text, case, SECTION)


class DefiniteCase(Case):
    """A node (I, A): rows that are negative at the midpoint (`outside`), rows that are not (`inside`), and what they add up to.

    The matrix is W_A^T W_A - least * I on the free columns, times a positive number that makes it integral.
    """

    def __init__(self, layer: Layer, dependencies: Sequence[Sequence[int]], free: Sequence[int], least: Fraction, kernels: Kernels) -> None:
        super().__init__(layer, dependencies, kernels, SECTION)
        self._free = free
        self._outside: set[int] = set()
        self._inside: set[int] = set()
        self._rows: dict[int, list[int]] = {}
        size = len(free)
        self.count(size**3 // 8)
        self._addition = 1 + size**2 // 8
        # real rows are 2^lowest times the integral ones
        self._lowest = min((row.exponent for row in layer.rows), default=0)
        scaled = least / Fraction(4) ** self._lowest
        unit, self._factor = scaled.numerator, scaled.denominator
        self._bear(max(unit.bit_length(), self._factor.bit_length()))
        self._matrix: Symmetric = [[-unit, *[0] * (size - 1 - k)] for k in range(size)]

    @property
    def outside(self) -> Collection[int]:
        return self._outside

    def is_closed(self) -> bool:
        """Whether the distance is large enough in this case."""
        self.count(self._cost([upper[0] for upper in self._matrix]))
        return self.kernels.every_choice_is_semidefinite(self._matrix, [], self._factor)

    def put(self, j: int) -> bool:
        """Add a row to A; whether it was not there."""
        if j in self._inside:
            return False
        self._inside.add(j)
        self._matrix = self._plus(self._matrix, self._factor, self._row(j))
        return True

    def put_shortest(self, rows: Sequence[int]) -> None:
        """Add one of parallel rows: one is not negative, and none adds less than the shortest; more is not made of them."""
        self._inside |= set(rows)
        shortest = min(map(self._row, rows), key=lambda row: sum(value * value for value in row))
        self._matrix = self._plus(self._matrix, self._factor, shortest)

    def branch(self, rows: Sequence[int]) -> Iterator[None]:
        """A row of a dependency is not negative at the midpoint: the first such row is one of those outside I."""
        excluded = []
        for j in rows:
            self.count(1)
            if j not in self._outside:
                added = self.put(j)
                yield
                if added:
                    self._take_back(j)
                self._outside.add(j)
                excluded.append(j)
        self._outside.difference_update(excluded)

    def split(self, j: int) -> Iterator[None]:
        known = j in self._outside
        self._outside.add(j)
        yield
        if not known:
            self._outside.discard(j)
        added = self.put(j)
        yield
        if added:
            self._take_back(j)

    def close(self, text: Text) -> None:
        """Of each dependency of a pack a row is not negative; whichever they are, the distance is large enough."""
        fields, groups = self.read_pack(text)
        nothing = [0] * len(self._free)
        rows = [[nothing if j in self._inside else self._row(j) for j in group] for group in groups]
        if all(rows) and not self._every_choice_suffices(rows):
            fields.reject("a choice of one row from each leaves the distance too small")

    def _every_choice_suffices(self, groups: Sequence[Sequence[Sequence[int]]]) -> bool:
        """Groups of one row leave no choice and come first; then the choices from few rows, which are the fewest additions."""
        matrix = self._matrix
        for group in groups:
            if len(group) == 1:
                matrix = self._plus(matrix, self._factor, group[0])
        several = sorted((group for group in groups if len(group) > 1), key=len)
        for k in range(len(several)):
            self.count(prod(map(len, several[: k + 1])) * self._addition)
        largest = [upper[0] + self._factor * sum(max(row[k] ** 2 for row in group) for group in several) for k, upper in enumerate(matrix)]
        self.count(prod(map(len, several)) * self._cost([*largest, *(upper[0] for upper in matrix)]))
        return self.kernels.every_choice_is_semidefinite(matrix, several, self._factor)

    # ---------- rows

    def _take_back(self, j: int) -> None:
        self._inside.discard(j)
        self._matrix = self._plus(self._matrix, -self._factor, self._row(j))

    def _plus(self, matrix: Symmetric, factor: int, row: Sequence[int]) -> Symmetric:
        self.count(self._addition)
        return plus_square(matrix, factor, row)

    def _row(self, j: int) -> list[int]:
        """The row's free columns, over the power of two that all rows share."""
        if j not in self._rows:
            row = self.layer.rows[j]
            values, up = at(row.coefficients, self._free), row.exponent - self._lowest
            longest = max((value.bit_length() for value in values), default=0) + up
            self._bear(self._factor.bit_length() + 2 * longest)
            affordable(len(self._free) * (len(self._rows) + 1), 64 + longest, SECTION)
            self._rows[j] = [value << up for value in values]
        return self._rows[j]

    # ---------- what a checker takes on

    def _bear(self, bits: int) -> int:
        """Reject numbers of so many bits on the diagonal of a matrix, whose pivots may have as many for every column; the latter."""
        if len(self._free) * bits > PIVOT_BITS:
            raise Rejected(SECTION, f"pivots that may have more than {PIVOT_BITS} bits are more than a checker takes on")
        return len(self._free) * bits

    def _cost(self, diagonal: Sequence[int]) -> int:
        """Steps for one matrix with entries like these on its diagonal."""
        bits = self._bear(max((value.bit_length() for value in diagonal), default=0))
        return 1 + len(self._free) ** 3 // 8 * (1 + bits // 512)
