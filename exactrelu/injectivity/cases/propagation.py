"""Cases for bounded domains: try every row for itself, and split on the one with the least room (theory I8).

Given the excluded rows I, a row j that cannot be negative together with them is in F, and a dependency shows it. Where every other
row can, the row that can be least negative is the one to split on. A point that shows that a row can be negative serves all rows
negative at it, and leads to a collision where the rows active there have rank below n.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from flint import nmod_mat

from exactrelu.certificates.injectivity import Branch
from exactrelu.injectivity.cases.oracle import Apart
from exactrelu.injectivity.cases.tree import Case, TreeSearch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.certificates.injectivity import Dependency
    from exactrelu.injectivity.cases.oracle import Oracle
    from exactrelu.injectivity.question import Question

# A float value below this counts as negative: a proposal.
_NEGATIVE = -1e-9
# Entries of a matrix up to which the rank of the active rows is computed at every point.
_LARGEST_RANK = 4096
# Numbers kept of the points seen.
_LARGEST_MEMORY = 2**20


class Propagation(TreeSearch):
    """The strategy for boxes, orthants and polytopes; right on every domain."""

    def __init__(self, question: Question, certain: Sequence[Dependency], oracle: Oracle, prime: int) -> None:
        super().__init__(question, certain, oracle, prime)
        # Values (k, m) of the scaled rows at the points seen so far.
        self._seen = np.zeros((0, question.m))

    def divide(self, case: Case, live: np.ndarray) -> list[Case] | None:
        undecided = np.flatnonzero(live & ~case.excluded)
        room = self._room(case, undecided)
        for place, row in enumerate(undecided.tolist()):
            if room[place] > 0:
                continue
            deadline = self.question.deadline
            if deadline is not None and time.monotonic() > deadline:
                return None
            asked = case.excluded.copy()
            asked[row] = True
            answer = self.oracle.ask(asked)
            if answer is None:
                return None
            if not isinstance(answer, Apart):
                index = self.keep(answer)
                self.nodes.append(Branch(index))
                # The dependency holds excluded rows and at most this one.
                return [case.with_row(row)] if row in answer.rows else []
            if self._collides(case, answer, live):
                return None
            room = np.maximum(room, self._note(case, answer, undecided))
            room[place] = max(room[place], answer.depth, 1e-12)
        if not len(undecided):
            # All rows are excluded or in the span of A, whose rank is below n: a point at which the excluded ones are negative collides.
            return self.settle(case, case.excluded)
        return self.split(case, int(undecided[room.argmin()]))

    def _room(self, case: Case, undecided: np.ndarray) -> np.ndarray:
        """How far below zero each undecided row is at most at the points seen at which all excluded rows are negative."""
        if not len(self._seen):
            return np.zeros(len(undecided))
        fitting = self._seen[(self._seen[:, case.excluded] < _NEGATIVE).all(axis=1)]
        lowest = fitting[:, undecided].min(axis=0, initial=0.0)
        return np.where(lowest < _NEGATIVE, -lowest, 0.0)

    def _note(self, case: Case, answer: Apart, undecided: np.ndarray) -> np.ndarray:
        """Keep a point and return the room it shows."""
        values = self.question.values(answer.point)
        self._seen = np.vstack([self._seen[-(_LARGEST_MEMORY // max(1, len(values))) :], values])
        if not (values[case.excluded] < _NEGATIVE).all():
            return np.zeros(len(undecided))
        return np.where(values[undecided] < _NEGATIVE, -values[undecided], 0.0)

    def _collides(self, case: Case, answer: Apart, live: np.ndarray) -> bool:
        """Whether the rows active at the point have rank below n, and a collision follows."""
        values = self.question.values(answer.point)
        active = np.flatnonzero(live & (values >= _NEGATIVE))
        left = case.residues.left
        if len(active) >= left:
            if len(active) * left > _LARGEST_RANK:
                return False
            entries = case.residues.values[active].ravel().tolist()
            if nmod_mat(len(active), left, entries, self.prime).rank() == left:
                return False
        return self.follow(answer)
