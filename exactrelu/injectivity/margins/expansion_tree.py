"""Cases of which rows are not negative at the midpoint of two inputs, and how small |W_A r| can be in each of them (theory I6).

A case says that some rows are in A and others negative. The case with the worst bound is divided first, by a dependency that A does
not meet; the search ends where a point shows that the worst case occurs, or after as many cases as are allowed.
"""

from __future__ import annotations

import heapq
import math
import time
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates.injectivity import Branch, Expansion, Node, Pack, Spanned, Split, Tree
from exactrelu.domain import AllSpace
from exactrelu.exact.definite import all_exceed, exceeds
from exactrelu.exact.rational import DyadicMatrix, stack
from exactrelu.injectivity.cases.oracle import Apart, Oracle
from exactrelu.injectivity.cases.residues import Residues

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.certificates.injectivity import Dependency, Proof
    from exactrelu.injectivity.question import Question

# Cases at most, and choices of one row from each dependency of a pack.
_MOST_CASES = 8_000
_LARGEST_PACK = 4096
# An eigenvalue below this part of the largest square of a row counts as 0.
_NEGLIGIBLE = 1e-11
# Bits of q, and how far below the float it is taken where that is too much.
_BITS = 24
_MARGIN = 1e-6


@dataclass(frozen=True, eq=False)
class Bound:
    """|W_A r|^2 >= least |r|^2 in every case; sharp: whether a point shows that the worst case occurs."""

    least: Fraction
    evidence: Expansion
    sharp: bool


@dataclass(eq=False)
class _Case:
    """Rows in A (`inside`, with them all rows of dependencies in `certain`), rows that are negative at the midpoint (`outside`).

    rows: those whose squares add up to `gram`; value: its smallest eigenvalue; bound: what is known of the case, by a pack too.
    """

    inside: np.ndarray
    outside: np.ndarray
    rows: tuple[int, ...]
    gram: np.ndarray
    value: float
    bound: float
    node: Node | None = None
    children: list[_Case] = field(default_factory=list)

    @property
    def impossible(self) -> bool:
        """Whether a dependency leaves no row that is not negative."""
        return isinstance(self.node, Branch) and not self.children


class ExpansionSearch:
    """The tree of cases, grown where the bound is worst.

    free: the columns in which the domain has more than one value; certain: disjoint dependencies of parallel rows; evidence: the proof
    of injectivity, whose cases and dependencies are used again.
    """

    def __init__(self, question: Question, free: np.ndarray, certain: Sequence[Dependency], evidence: Proof | None) -> None:
        self.question, self.free = question, free
        self.oracle = Oracle(question)
        self.proof = evidence
        self.pool = [] if evidence is None else list(evidence.dependencies)
        self.certain = tuple(range(len(self.pool), len(self.pool) + len(certain)))
        self.pool += certain
        self.masks = np.array([self._mask(one) for one in self.pool], dtype=bool).reshape(len(self.pool), question.m)
        self.integers = [[question.row(j)[k] for k in free.tolist()] for j in range(question.m)]
        self.shortest = [min(one.rows, key=lambda j: sum(value * value for value in self.integers[j])) for one in certain]
        self.fixed = (*question.unrectified.tolist(), *self.shortest)
        largest = max((abs(value) for row in self.integers for value in row), default=0)
        self.shift = largest.bit_length()
        self.rows = np.array([[float(Fraction(value, 2**self.shift)) for value in row] for row in self.integers]).reshape(-1, len(free))
        self.exact = all(_fits(value, self.shift) for row in self.integers for value in row)
        self.count = 0
        self.sharp = False

    def run(self) -> Bound | None:
        root = self._root()
        if self.proof is not None and isinstance(self.proof.conclusion, Tree):
            self._follow_proof(root, self.proof.conclusion)
        heap: list[tuple[float, int, _Case]] = []
        for case in _leaves(root):
            self._push(heap, case)
        self._grow(heap)
        if heap and heap[0][0] <= 0:
            return None
        # Where no case is left none occurs: the domain has no midpoints, and any q would do.
        return None if not heap else self._confirmed(root, heap[0][0])

    # ------------------------------------------------------------ growing the tree

    def _grow(self, heap: list[tuple[float, int, _Case]]) -> None:
        deadline = self.question.deadline
        while heap and self.count < _MOST_CASES and (deadline is None or time.monotonic() < deadline):
            bound, order, case = heap[0]
            if bound <= 0 and self._pack(case):
                heapq.heapreplace(heap, (case.bound, order, case))
                continue
            chosen = self._dependency(case)
            if chosen is None:
                return
            heapq.heappop(heap)
            self._branch(case, chosen)
            for child in case.children:
                self._push(heap, child)

    def _push(self, heap: list[tuple[float, int, _Case]], case: _Case) -> None:
        if not case.impossible:
            self.count += 1
            heapq.heappush(heap, (case.bound, self.count, case))

    def _dependency(self, case: _Case) -> int | None:
        """A dependency that A does not meet, with few rows that are not excluded; None where there is none, or time ran out."""
        left = self._left(case)
        best = int(left.argmin()) if len(left) else -1
        if best >= 0 and left[best] <= 1:
            return best
        if not isinstance(self.question.domain, AllSpace):
            forced = self._forced(case)
            if forced is not None:
                return forced
        if best >= 0 and left[best] <= self.question.m:
            return best
        answer = self.oracle.ask(self.question.deciding & ~case.inside)
        if answer is None:
            return None
        if isinstance(answer, Apart):
            # At this point no other rows are active: the case occurs.
            self.sharp = case.bound > 0
            return None
        return self._keep(answer)

    def _left(self, case: _Case) -> np.ndarray:
        """For every dependency how many rows it leaves; more than m where A meets it."""
        return np.where((self.masks & case.inside).any(axis=1), self.question.m + 1, (self.masks & ~case.outside).sum(axis=1))

    def _forced(self, case: _Case) -> int | None:
        """A dependency that puts a row into A, given those excluded."""
        if not case.outside.any():
            return None
        for j in np.flatnonzero(self.question.deciding & ~case.inside & ~case.outside).tolist():
            asked = case.outside.copy()
            asked[j] = True
            answer = self.oracle.ask(asked)
            if answer is None:
                return None
            if not isinstance(answer, Apart):
                return self._keep(answer)
        return None

    def _keep(self, dependency: Dependency) -> int:
        self.pool.append(dependency)
        self.masks = np.vstack([self.masks, self._mask(dependency)])
        return len(self.pool) - 1

    def _mask(self, dependency: Dependency) -> np.ndarray:
        mask = np.zeros(self.question.m, dtype=bool)
        mask[list(dependency.rows)] = True
        return mask

    # ------------------------------------------------------------ nodes

    def _root(self) -> _Case:
        inside = ~self.question.layer.rectified
        for one in self.certain:
            inside = inside | self.masks[one]
        fixed = self.rows[list(self.fixed)]
        gram = fixed.T @ fixed
        value = self._smallest(gram)
        return _Case(inside, np.zeros(self.question.m, dtype=bool), self.fixed, gram, value, value)

    def _smallest(self, gram: np.ndarray) -> float:
        """The smallest eigenvalue in floats, 0 where it is negligible."""
        value = float(np.linalg.eigvalsh(gram)[0])
        return value if value > _NEGLIGIBLE * float(np.trace(gram)) else 0.0

    def _with_row(self, case: _Case, outside: np.ndarray, row: int) -> _Case:
        """A child with one more row in A."""
        if case.inside[row]:
            return replace(case, outside=outside, bound=case.value, node=None, children=[])
        inside = case.inside.copy()
        inside[row] = True
        gram = case.gram + np.outer(self.rows[row], self.rows[row])
        value = self._smallest(gram)
        return _Case(inside, outside, (*case.rows, row), gram, value, value)

    def _branch(self, case: _Case, dependency: int) -> None:
        outside, case.node = case.outside, Branch(dependency)
        for row in np.flatnonzero(self.masks[dependency] & ~case.outside).tolist():
            case.children.append(self._with_row(case, outside, row))
            outside = outside.copy()
            outside[row] = True

    def _split(self, case: _Case, row: int) -> None:
        case.node = Split(row)
        outside = case.outside.copy()
        outside[row] = True
        case.children = [replace(case, outside=outside, node=None), self._with_row(case, case.outside, row)]

    def _pack(self, case: _Case) -> bool:
        """Whether disjoint dependencies of the pool close the case with some value; the case then has it."""
        if isinstance(case.node, Pack):
            return False
        missing = len(self.free) - int(np.linalg.matrix_rank(case.gram, hermitian=True))
        left = self._left(case)
        chosen: list[int] = []
        used = case.inside.copy()
        for one in np.argsort(left, kind="stable").tolist():
            if len(chosen) == missing or left[one] > self.question.m:
                break
            rows = self.masks[one] & ~case.outside
            if rows.any() and not (rows & used).any():
                chosen.append(one)
                used |= rows
        return len(chosen) == missing and self._close_by_pack(case, tuple(sorted(chosen)))

    def _close_by_pack(self, case: _Case, dependencies: tuple[int, ...]) -> bool:
        groups = self._groups(case, dependencies)
        choices = math.prod(map(len, groups))
        if not 0 < choices <= _LARGEST_PACK:
            return False
        rows = self.rows[np.array(list(product(*groups)), dtype=np.int64)]
        smallest = float(np.linalg.eigvalsh(case.gram + rows.transpose(0, 2, 1) @ rows)[:, 0].min(initial=np.inf))
        if not smallest > _NEGLIGIBLE * float(np.trace(case.gram)):
            return False
        case.node, case.bound = Pack(dependencies), smallest
        return True

    def _groups(self, case: _Case, dependencies: Sequence[int]) -> list[list[int]]:
        return [np.flatnonzero(self.masks[one] & ~case.outside).tolist() for one in dependencies]

    def _follow_proof(self, root: _Case, tree: Tree) -> None:
        """The cases of the proof of injectivity: what is in F there is in A here; where a row was spanned the case stays open."""
        nodes = iter(tree.nodes)
        waiting = [(root, self._residues(tree.modulus))]
        while waiting:
            case, left = waiting.pop()
            if not left.left:
                continue
            node = next(nodes)
            if isinstance(node, Spanned):
                continue
            if isinstance(node, Pack):
                groups = self._groups(case, node.dependencies)
                if not any(case.inside[row] for group in groups for row in group):
                    self._close_by_pack(case, node.dependencies)
                continue
            if isinstance(node, Branch):
                self._branch(case, node.dependency)
                added: list[int | None] = list(np.flatnonzero(self.masks[node.dependency] & ~case.outside).tolist())
            else:
                self._split(case, node.row)
                added = [None, node.row]
            children = [(child, left if row is None else left.without(row)) for child, row in zip(case.children, added, strict=True)]
            waiting.extend(reversed(children))

    def _residues(self, modulus: int) -> Residues:
        """All rows modulo those that are in F at the proof's root."""
        question, proof = self.question, self.proof
        assert proof is not None
        equalities = question.equalities()
        matrix = stack([question.layer.weight, DyadicMatrix.from_integers(equalities, question.n)])
        left = Residues.of(matrix, modulus)
        first = [proof.dependencies[one].rows[0] for one in proof.certain]
        for row in [*question.unrectified.tolist(), *first, *range(question.m, question.m + len(equalities))]:
            left = left.without(row)
        return left

    # ------------------------------------------------------------ exact arithmetic decides

    def _confirmed(self, root: _Case, value: float) -> Bound | None:
        """The bound rounded down, proved in every case; a little less where that fails."""
        # First the float to the nearest number of few bits: often it is an eigenvalue of integers, and attained.
        for part in (1 + 2.0**-_BITS / 2, 1 - _MARGIN, 1 - 1e-3, 0.5):
            least = shortened(Fraction(value * part))
            cases = list(_closing(root, float(least)))
            if least > 0 and all(self._holds(case, least) for case in cases):
                # Integer rows are real rows times 2^-exponent, and floats these times 2^-shift.
                unit = Fraction(4) ** (self.shift + self.question.exponent)
                evidence = self._evidence([case.node for case in cases if case.node is not None and not _is_closed(case, float(least))])
                return Bound(least * unit, evidence, self.sharp)
        return None

    def _holds(self, case: _Case, least: Fraction) -> bool:
        """Whether a case that needs no children is as it says, exactly; least in the units of the floats."""
        closed = _is_closed(case, float(least))
        if not closed and isinstance(case.node, Branch | Split):
            # Its children are looked at.
            return True
        groups = [] if closed or not isinstance(case.node, Pack) else self._groups(case, case.node.dependencies)
        choices = [[*case.rows, *chosen] for chosen in product(*groups)]
        if self.exact and all_exceed(self.rows[np.array(choices, dtype=np.int64)], float(least)):
            return True
        integral = least * 4**self.shift
        return all(exceeds([self.integers[j] for j in chosen], len(self.free), integral) for chosen in choices)

    def _evidence(self, nodes: Sequence[Node]) -> Expansion:
        """The nodes with the dependencies that they name."""
        used = set(self.certain)
        for node in nodes:
            used.update([node.dependency] if isinstance(node, Branch) else node.dependencies if isinstance(node, Pack) else [])
        place = {old: new for new, old in enumerate(sorted(used))}
        renumbered: list[Node] = []
        for node in nodes:
            if isinstance(node, Branch):
                renumbered.append(Branch(place[node.dependency]))
            elif isinstance(node, Pack):
                renumbered.append(Pack(tuple(place[old] for old in node.dependencies)))
            else:
                renumbered.append(node)
        return Expansion(tuple(self.pool[old] for old in sorted(used)), tuple(place[old] for old in self.certain), tuple(renumbered))


def _is_closed(case: _Case, least: float) -> bool:
    """Whether the rows in A alone close a case: a proposal."""
    return case.value > least * (1 - 1e-9)


def _closing(root: _Case, least: float) -> Iterator[_Case]:
    """The cases in preorder down to those that are closed."""
    waiting = [root]
    while waiting:
        case = waiting.pop()
        yield case
        if not _is_closed(case, least):
            waiting.extend(reversed(case.children))


def _fits(value: int, shift: int) -> bool:
    """Whether value / 2^shift is a float64 far from the ends of the range."""
    return not value or (abs(value // (value & -value)).bit_length() <= 53 and shift - value.bit_length() < 900)


def shortened(value: Fraction) -> Fraction:
    """A positive number rounded down to few bits."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length() - _BITS
    return (value / Fraction(2) ** exponent).__floor__() * Fraction(2) ** exponent


def _leaves(root: _Case) -> Iterator[_Case]:
    waiting = [root]
    while waiting:
        case = waiting.pop()
        if not case.children:
            yield case
        waiting.extend(case.children)
