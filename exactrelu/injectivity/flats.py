"""Cases for all of R^n: one of the rows of a short dependency is in F, and many at once where dependencies are disjoint (theory I8).

With q still missing to rank n, q disjoint dependencies close a case if every choice of one row from each is independent. Such
choices are many, and their determinants modulo a prime cheap: `transversals.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificate_injectivity import Pack
from exactrelu.injectivity.short import ShortDependencies
from exactrelu.injectivity.transversals import LARGEST_Q, all_independent
from exactrelu.injectivity.tree import Case, TreeSearch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.certificate_injectivity import Dependency
    from exactrelu.injectivity.oracle import Oracle
    from exactrelu.injectivity.question import Question

# Choices of one row from each dependency of a pack, at most.
_LARGEST_PACK = 1_000_000


class Flats(TreeSearch):
    """The strategy for all of R^n."""

    def __init__(self, question: Question, certain: Sequence[Dependency], oracle: Oracle, prime: int) -> None:
        super().__init__(question, certain, oracle, prime)
        self._short = ShortDependencies(question)

    def divide(self, case: Case, live: np.ndarray) -> list[Case] | None:
        missing = case.residues.left
        chosen = self._disjoint(case, live)
        used = self._outside(case, chosen).any(axis=0)
        while len(chosen) < missing:
            dependency = self._short.find(live & ~used, case.excluded)
            if dependency is None:
                break
            index = self.keep(dependency)
            rows = self._outside(case, [index])[0]
            if rows.sum() <= 1:
                # It closes the case or leaves it one row: the pool's affair.
                return [case]
            chosen.append(index)
            used |= rows
        if not chosen:
            return self.settle(case, live)
        outside = self._outside(case, chosen)
        few = len(chosen) == missing <= LARGEST_Q and math.prod(outside.sum(axis=1).tolist()) <= _LARGEST_PACK
        if few and all_independent([case.residues.values[rows] for rows in outside], self.prime):
            self.nodes.append(Pack(tuple(sorted(chosen))))
            return []
        return self.branch(case, chosen[int(outside.sum(axis=1).argmin())])

    def _outside(self, case: Case, dependencies: list[int]) -> np.ndarray:
        """The rows (k, m) of dependencies that are not excluded."""
        return np.asarray(self.masks[dependencies] & ~case.excluded)

    def _disjoint(self, case: Case, live: np.ndarray) -> list[int]:
        """Dependencies of the pool that A's span does not meet, disjoint outside I, the smallest first."""
        fitting = np.flatnonzero(~(self.masks & ~live).any(axis=1))
        outside = self.masks[fitting] & ~case.excluded
        sizes = outside.sum(axis=1)
        chosen: list[int] = []
        while len(fitting) and len(chosen) < case.residues.left:
            best = int(sizes.argmin())
            chosen.append(int(fitting[best]))
            apart = ~(outside & outside[best]).any(axis=1)
            fitting, outside, sizes = fitting[apart], outside[apart], sizes[apart]
        return chosen
