"""Cases for all of R^n: one of the rows of a short dependency is in F, and many at once where dependencies are disjoint (theory I8).

With q still missing to rank n, q dependencies without common rows close a case if every choice of one row from each is independent
(`transversals.py`). Where they have a few rows in common, one of these is in F, which leaves a case for each, or all are excluded.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates.injectivity import Branch, Pack, Split
from exactrelu.injectivity.cases.packing import Packing
from exactrelu.injectivity.cases.short import ShortDependencies
from exactrelu.injectivity.cases.transversals import LARGEST_Q, all_independent
from exactrelu.injectivity.cases.tree import Case, TreeSearch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.certificates.injectivity import Dependency, Node
    from exactrelu.injectivity.cases.oracle import Oracle
    from exactrelu.injectivity.question import Question

# Choices of one row from each dependency of a pack: at most so many; and so many that it does not pay to look for shorter ones.
_LARGEST_PACK = 1_000_000
_SMALL_PACK = 100_000
# A checker gives up on 2^30 choices in all: from this number on packs are smaller, by this factor.
_MANY_CHOICES = 2**29
_SMALLER = 5
# How much rather a row that no dependency of a pack has is used than one that another has.
_COST_OF_SHARING = 4.0
# A case that excludes one row more than another has a tree smaller by this factor, as measured on Gaussian layers of 10 and 11 columns.
_SHRINKS = 1.6


class Flats(TreeSearch):
    """The strategy for all of R^n."""

    def __init__(self, question: Question, certain: Sequence[Dependency], oracle: Oracle, prime: int) -> None:
        super().__init__(question, certain, oracle, prime)
        self._short = ShortDependencies(question)

    def divide(self, case: Case, live: np.ndarray) -> list[Case] | None:
        missing = case.residues.left
        packing = Packing(self.pool, live, case.excluded)
        if missing <= LARGEST_Q:
            packing.fill(missing)
            if self._complete(case, live, packing):
                return [case]
            if len(packing.chosen) == missing and (children := self._close(case, live, packing)) is not None:
                return children
        dependency = self._short.find(live, case.excluded)
        if dependency is not None:
            number = self._number(dependency)
            if len(self.outside(case, number)) <= 1:
                return [case]
            packing.add(number)
        number, _ = packing.smallest()
        if number < 0:
            return self.settle(case, live)
        *rows, last = packing.by_use(self.outside(case, number))
        shares = _shares(case, len(rows) + 1)
        children = self._split_off(case, rows, [Branch(number)], shares)
        excluded = case.excluded.copy()
        excluded[rows] = True
        return [replace(case, excluded=excluded, pending=last, share=shares[-1]), *children]

    def _number(self, dependency: Dependency) -> int:
        """Where a dependency is in the pool, or comes to be."""
        known = self.numbers.get(dependency.rows)
        return self.keep(dependency) if known is None else known

    def _complete(self, case: Case, live: np.ndarray, packing: Packing) -> bool:
        """Add dependencies until as many are chosen as are missing, or they share more rows than a branch has children.

        True where one was found that closes the case or leaves it one row: then the pool decides.
        """
        disjoint = True
        while len(packing.chosen) < case.residues.left and packing.shared.sum() < packing.smallest()[1]:
            if disjoint:
                dependency = self._short.find(live & ~packing.used, case.excluded)
            else:
                costs = np.where(packing.used, _COST_OF_SHARING, 1.0)
                dependency = self._short.find(live, case.excluded | packing.shared, costs)
            if dependency is not None:
                number = self._number(dependency)
                if len(self.outside(case, number)) <= 1:
                    return True
                packing.add(number)
            elif disjoint:
                disjoint = False
            else:
                break
        return False

    def _close(self, case: Case, live: np.ndarray, packing: Packing) -> list[Case] | None:
        """Split on the rows that dependencies share, and close with a pack the case in which all of these are excluded.

        None where the pack would be too large, or a choice from it is not independent.
        """
        shared = np.flatnonzero(packing.shared).tolist()
        if len(shared) >= packing.smallest()[1]:
            return None
        excluded = case.excluded | packing.shared
        rest = replace(case, excluded=excluded)
        numbers = packing.chosen
        groups = [self.outside(rest, number) for number in numbers]
        smaller = 1 if self.choices < _MANY_CHOICES else _SMALLER
        for k in sorted(range(len(groups)), key=lambda k: -len(groups[k])):
            if math.prod(map(len, groups)) <= _SMALL_PACK // smaller:
                break
            free = live.copy()
            free[[row for group in (*groups[:k], *groups[k + 1 :]) for row in group]] = False
            dependency = self._short.find(free, excluded)
            if dependency is not None and sum(not excluded[row] for row in dependency.rows) < len(groups[k]):
                numbers[k] = self._number(dependency)
                groups[k] = self.outside(rest, numbers[k])
        choices = math.prod(map(len, groups))
        if choices > _LARGEST_PACK // smaller:
            return None
        if [] in groups:
            closing: Node = Branch(numbers[groups.index([])])
        elif all_independent([case.residues.values[rows] for rows in groups], self.prime):
            closing = Pack(tuple(sorted(numbers)))
            self.choices += choices
        else:
            return None
        return self._split_off(case, packing.by_use(shared), [closing], _shares(case, len(shared)))

    def _split_off(self, case: Case, rows: Sequence[int], nodes: Sequence[Node], shares: Sequence[float]) -> list[Case]:
        """A case for each row, the last row's first: it is in F, and those before it are excluded.

        nodes: of the case in which all of the rows are excluded; shares: of the cases, in the order of the rows.
        """
        excluded, children = case.excluded, []
        for row, share in zip(rows, shares, strict=False):
            children.append(replace(case, excluded=excluded, pending=row, share=share))
            excluded = excluded.copy()
            excluded[row] = True
        self.nodes += [*map(Split, rows), *nodes]
        return children[::-1]


def _shares(case: Case, count: int) -> list[float]:
    """A case's share of the tree, divided among so many children: each excludes one more row than the one before it."""
    weights = _SHRINKS ** -np.arange(count)
    return list(case.share * weights / weights.sum())
