"""Proof by cases: which rows are in F, until their rank is n in every case (theory I8).

A case is a set I of rows that are not in F and a list A of rows that are. A dependency whose rows are all excluded closes a case, one
with a single other row puts that row into A. How a case is divided is the strategy's: `flats.py` for all of R^n, `propagation.py` for
bounded domains. The search is a stack, so that its nodes come in the order of the certificate.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from flint import fmpz

from exactrelu.certificates.injectivity import Branch, Node, Pack, Proof, Spanned, Split, Tree
from exactrelu.exact.linalg import regular_block, relations
from exactrelu.exact.rational import DyadicMatrix, stack
from exactrelu.injectivity.cases.oracle import Apart, Oracle
from exactrelu.injectivity.cases.pool import Pool
from exactrelu.injectivity.cases.residues import Residues
from exactrelu.injectivity.collisions.collision import Collision, collide, points_near

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.certificates.injectivity import Dependency
    from exactrelu.injectivity.cases.resume import Replay, State
    from exactrelu.injectivity.question import Question

LARGEST_PRIME: Final = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Case:
    """Rows excluded from F (a mask), rows added to A after A0, what is left of all rows modulo A; its share of the whole tree."""

    excluded: np.ndarray
    added: tuple[int, ...]
    residues: Residues
    share: float
    # A row still to be added to A: eliminated when the case is taken up.
    pending: int | None = None

    def with_row(self, row: int) -> Case:
        """The same case with one more row in A."""
        return replace(self, added=(*self.added, row), residues=self.residues.without(row))


@dataclass(frozen=True)
class Progress:
    """What an undecided search reached: cases closed, those waiting, the part of the tree that is closed (an estimate)."""

    closed: int
    open: int
    fraction: float
    # What to go on from, and how many of its nodes an earlier search left that were not tested again in time.
    state: State | None = None
    untested: int = 0

    def sentence(self, seconds: float) -> str:
        """What was reached and about how long the rest would take, in words."""
        if self.state is not None and self.untested:
            return f"{self.untested} of {len(self.state.nodes)} nodes of an earlier search were not tested again in time; give more seconds"
        rest = (
            f"about {seconds * (1 - self.fraction) / self.fraction:.3g} seconds more"
            if self.fraction > 0
            else "no estimate of what is left"
        )
        return f"{self.closed} cases closed, {self.open} open, about {100 * self.fraction:.3g} % of the tree; {rest}"


class UnluckyPrimeError(Exception):
    """A row vanished modulo the prime that does not vanish over Q: the search starts again with another one."""


class TreeSearch(ABC):
    """The stack, the pool of dependencies and the tests that close a case; `divide` is the strategy."""

    def __init__(self, question: Question, certain: Sequence[Dependency], oracle: Oracle, prime: int) -> None:
        self.question = question
        self.oracle = oracle
        self.prime = prime
        self.dependencies: list[Dependency] = list(certain)
        self.certain = tuple(range(len(certain)))
        self.pool = Pool(question.m)
        # The numbers of the dependencies by their rows.
        self.numbers: dict[tuple[int, ...], int] = {}
        for one in certain:
            self.numbers[one.rows] = self.pool.add(one.rows)
        self.nodes: list[Node] = []
        # Choices of one row from each dependency, in all packs together.
        self.choices = 0
        self.progress = Progress(0, 1, 0.0)
        self.collision: Collision | None = None
        self.begun = time.monotonic()

    def run(self, replay: Replay | None = None) -> Proof | Collision | None:
        """The proof, or a collision; None where the time ran out (see `progress`). replay: the nodes of an earlier search."""
        waiting = [self._root()]
        closed, fraction = 0, 0.0
        while waiting:
            self.progress = Progress(closed, len(waiting), fraction)
            if self.question.deadline is not None and time.monotonic() > self.question.deadline:
                return None
            case = waiting.pop()
            if case.pending is not None:
                case = replace(case.with_row(case.pending), pending=None)
            children = replay.children(self, case) if replay else self._children(case)
            if children is None:
                return self.collision
            if not children:
                closed, fraction = closed + 1, fraction + case.share
            waiting.extend(reversed(children))
        self.progress = Progress(closed, 0, fraction)
        return self._proof()

    @abstractmethod
    def divide(self, case: Case, live: np.ndarray) -> list[Case] | None:
        """Add a node and return its children; None where a collision was found (kept in `collision`) or the time ran out.

        live: the deciding rows that are not combinations of A; none of them is the only one left of a known dependency.
        """

    def _proof(self) -> Proof:
        """The tree with the dependencies it uses."""
        used = set(self.certain)
        for node in self.nodes:
            if isinstance(node, Branch):
                used.add(node.dependency)
            elif isinstance(node, Pack):
                used.update(node.dependencies)
        place = {old: new for new, old in enumerate(sorted(used))}
        nodes: list[Node] = []
        for node in self.nodes:
            if isinstance(node, Branch):
                nodes.append(Branch(place[node.dependency]))
            elif isinstance(node, Pack):
                nodes.append(Pack(tuple(place[old] for old in node.dependencies)))
            else:
                nodes.append(node)
        dependencies = tuple(self.dependencies[old] for old in sorted(used))
        return Proof(dependencies, self.question.flats, self.certain, Tree(self.prime, tuple(nodes)))

    # ------------------------------------------------------------ steps

    def _root(self) -> Case:
        question = self.question
        equalities = question.equalities()
        matrix = stack([question.layer.weight, DyadicMatrix.from_integers(equalities, question.n)])
        residues = Residues.of(matrix, self.prime)
        first = [self.dependencies[d].rows[0] for d in self.certain]
        for row in [*question.unrectified.tolist(), *first, *range(question.m, question.m + len(equalities))]:
            residues = residues.without(row)
        return Case(np.zeros(question.m, dtype=bool), (), Residues(residues.values[: question.m], self.prime), 1.0)

    def _children(self, case: Case) -> list[Case] | None:
        """The cases that remain of a case, [] where it is closed."""
        while case.residues.left:
            vanishing = case.residues.vanishing
            spanned = np.flatnonzero(vanishing & case.excluded)
            if len(spanned):
                self.nodes.append(self.spanned(int(spanned[0]), case))
                return []
            live = self.question.deciding & ~vanishing
            # Dependencies that no row of A's span meets; the fewer rows they have left, the more they say.
            sizes = self.pool.sizes(self.pool.without(case.excluded))
            left = np.where(self.pool.meeting(vanishing), self.question.m + 1, sizes)
            best = int(left.argmin()) if len(left) else -1
            if best < 0 or left[best] > 1:
                return self.divide(case, live)
            self.nodes.append(Branch(best))
            if left[best] == 0:
                return []
            case = case.with_row(self.outside(case, best)[0])
        return []

    def keep(self, dependency: Dependency) -> int:
        """Put a dependency into the pool; its number."""
        self.dependencies.append(dependency)
        self.numbers[dependency.rows] = self.pool.add(dependency.rows)
        return self.numbers[dependency.rows]

    def keep_all(self, dependencies: Sequence[Dependency]) -> None:
        """Put dependencies into the pool."""
        for one in dependencies:
            self.keep(one)

    def outside(self, case: Case, dependency: int) -> list[int]:
        """The rows of a dependency that are not excluded."""
        return [row for row in self.dependencies[dependency].rows if not case.excluded[row]]

    def branch(self, case: Case, dependency: int) -> list[Case]:
        """One child for each row of a dependency that is not excluded."""
        self.nodes.append(Branch(dependency))
        rows = self.outside(case, dependency)
        children, excluded = [], case.excluded
        for row in rows:
            children.append(replace(case, excluded=excluded, pending=row, share=case.share / len(rows)))
            excluded = excluded.copy()
            excluded[row] = True
        return children

    def split(self, case: Case, row: int) -> list[Case]:
        """Two children: the row is excluded, or in F."""
        self.nodes.append(Split(row))
        excluded = case.excluded.copy()
        excluded[row] = True
        return [replace(case, excluded=excluded, share=case.share / 2), replace(case, pending=row, share=case.share / 2)]

    def follow(self, apart: Apart) -> bool:
        """Whether a collision is found at a point; kept in `collision`."""
        points = points_near(self.question, apart.point) if apart.exact is None else [apart.exact]
        self.collision = next((found for point in points if (found := collide(self.question, point)) is not None), None)
        return self.collision is not None

    def settle(self, case: Case, rows: np.ndarray) -> list[Case] | None:
        """Whether the rows can be negative together, where that is a collision: one, or the same case with one more dependency."""
        answer = self.oracle.ask(rows)
        if isinstance(answer, Apart) and not self.follow(answer):
            answer = self.oracle.ask(rows, exact_point=True)
            if isinstance(answer, Apart) and not self.follow(answer):
                raise UnluckyPrimeError
        if answer is None or isinstance(answer, Apart):
            return None
        self.keep(answer)
        return [case]

    def spanned(self, row: int, case: Case) -> Spanned:
        """The excluded row as an exact combination of A."""
        question = self.question
        first = [self.dependencies[d].rows[0] for d in self.certain]
        listed = question.real_rows([*question.unrectified.tolist(), *first], [*case.added, row])
        block = regular_block(DyadicMatrix.from_integers(listed[:-1], question.n), self.prime)
        found = relations(listed, block, [len(listed) - 1])
        if found is None:
            raise UnluckyPrimeError
        (relation,) = found
        places, coefficients = zip(*relation.terms, strict=True)
        return Spanned(row, relation.denominator, places, coefficients)


def primes_below_2_31() -> Iterator[int]:
    """2^31 - 1 and the primes below it, downwards."""
    candidate = fmpz(LARGEST_PRIME)
    while candidate > 2:
        if candidate.is_prime():
            yield int(candidate)
        candidate -= 2
