"""A float search for a tree of cases: which neuron to split where, so that linear programs show every case without inputs to be empty.

It goes down layer by layer. A neuron that can have one sign only is split first: that costs one empty case and makes no new one. On a box
or an orthant the domain's sides alone show most of these; the program shows others. What proved a case empty (the dual ray) says which
signs it rests on; a split on which its side does not rest is taken back. Everything here is a proposal: `cases` decides every case exactly.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.preimage.cases.layer import Neuron, Question, RowName
from exactrelu.preimage.cases.program import CaseProgram
from exactrelu.preimage.cases.ranges import Ranges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# How many neurons are tested for a sign that they cannot have: those whose variables are the farthest from their values.
_TESTED = 8


@dataclass(frozen=True, eq=False)
class Leaf:
    """A case that needs no split; `contradiction`: rows whose combination shows it empty, or None where it seems to have inputs."""

    contradiction: frozenset[RowName] | None


@dataclass(frozen=True, eq=False)
class Split:
    """The cases in which a neuron is inactive, and those in which it is active."""

    neuron: Neuron
    inactive: Tree
    active: Tree


Tree = Leaf | Split


@dataclass(frozen=True)
class Unfinished:
    """A search that reached its limit; how many cases were settled in floats and how many were open."""

    settled: int
    open: int


@dataclass(frozen=True, eq=False)
class _Finished:
    """The tree of a case, and the signs on which it rests."""

    tree: Tree
    used: frozenset[Neuron]


class CaseSearch:
    """The search for one question; see the module.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer, RationalVector
    >>> fold = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> total = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> tree = CaseSearch(Question((fold, total), AllSpace(), RationalVector((3,)))).tree(most=100, deadline=None)
    >>> tree.neuron, tree.active.neuron, tree.active.inactive.contradiction is None
    (Neuron(number=1, row=0), Neuron(number=1, row=1), True)
    """

    def __init__(self, question: Question) -> None:
        self._question = question
        self._program = CaseProgram(question)
        self._reads = [stage.weight.floats != 0 for stage in question.stages]
        self._signs: dict[Neuron, bool] = {}
        self._ranges = Ranges(question)
        # Signs that neurons cannot have in the case at hand, with what shows it, and that of the case at hand if it is one of these.
        self._impossible: list[tuple[Neuron, bool, _Finished]] = []
        self._known: _Finished | None = None

    def tree(self, *, most: int | None, deadline: float | None) -> Tree | Unfinished:
        """The tree, or how far it came with about `most` linear programs and cases, by the deadline, a value of `time.monotonic`."""
        # The splits above the case at hand: the neuron and, where its second side is searched, what came of the first.
        above: list[tuple[Neuron, _Finished | None]] = []
        settled = 0
        while not self._ends(settled, most, deadline):
            found = self._settled(deadline)
            if isinstance(found, tuple):
                neuron, sign = found
                above.append((neuron, None))
                self._set(neuron, sign=sign)
                continue
            settled += 1
            while above:
                neuron, first = above.pop()
                sign = self._signs[neuron]
                self._set(neuron, sign=None)
                if neuron not in found.used:
                    continue
                if first is None:
                    above.append((neuron, found))
                    self._set(neuron, sign=not sign)
                    break
                sides = (first.tree, found.tree) if sign else (found.tree, first.tree)
                found = _Finished(Split(neuron, *sides), (first.used | found.used) - {neuron})
            else:
                return found.tree
        return Unfinished(settled, 1 + sum(first is None for _, first in above))

    def _ends(self, settled: int, most: int | None, deadline: float | None) -> bool:
        return (most is not None and self._program.solved + settled >= most) or (deadline is not None and time.monotonic() > deadline)

    def _settled(self, deadline: float | None) -> _Finished | tuple[Neuron, bool]:
        """The case at hand as a leaf; or the neuron to split and the sign to search first."""
        if self._known is not None:
            known, self._known = self._known, None
            return known
        if not self._impossible:
            free = self._read_neurons()
            self._impossible = self._out_of_range(free)
        if not self._impossible:
            if self._program.is_empty(deadline):
                return _finished(self._program.contradiction())
            if not free:
                return _Finished(Leaf(None), frozenset(self._signs))
            z, gaps = self._program.hidden()
            free.sort(key=lambda neuron: (-gaps[neuron], -abs(z[neuron])))
            self._impossible = list(self._tested([(neuron, not z[neuron] > 0) for neuron in free[:_TESTED]], deadline))
            if not self._impossible:
                return free[0], not z[free[0]] > 0
        neuron, sign, self._known = self._impossible.pop()
        return neuron, sign

    def _tested(self, signs: Sequence[tuple[Neuron, bool]], deadline: float | None) -> Iterator[tuple[Neuron, bool, _Finished]]:
        """The signs of these that the program does not allow."""
        for neuron, sign in signs:
            self._set(neuron, sign=sign)
            if self._program.is_empty(deadline):
                yield neuron, sign, _finished(self._program.contradiction())
            self._set(neuron, sign=None)

    def _out_of_range(self, free: Sequence[Neuron]) -> list[tuple[Neuron, bool, _Finished]]:
        """The signs that these neurons of one stage do not have anywhere between the sides of the domain."""
        found = self._ranges.impossible(free[0].number, self._signs) if free else ()
        return [(neuron, sign, _finished(names)) for neuron, sign, names in found if neuron in free]

    def _set(self, neuron: Neuron, *, sign: bool | None) -> None:
        self._program.set(neuron, sign=sign)
        if sign is None:
            del self._signs[neuron]
        else:
            self._signs[neuron] = sign

    def _read_neurons(self) -> list[Neuron]:
        """The neurons without a sign of the first stage that has some whose value is read: by a row that is more than its own two."""
        stages = self._question.stages
        found: list[Neuron] = []
        needed = np.ones(stages[-1].outputs, dtype=bool)
        for number in range(len(stages) - 1, 0, -1):
            read = self._reads[number][needed].any(axis=0)
            relu = stages[number - 1].rectified
            fixed = np.array([Neuron(number, i) in self._signs for i in range(len(relu))], dtype=bool)
            here = np.flatnonzero(read & relu & ~fixed).tolist()
            found = [Neuron(number, i) for i in here] or found
            needed = fixed | read
        return found


def _finished(contradiction: Iterable[RowName]) -> _Finished:
    """An empty case; a neuron without a sign has all rows but those that are called `active` and `inactive`."""
    names = frozenset(contradiction)
    return _Finished(Leaf(names), frozenset(Neuron(*name[1:]) for name in names if name.kind in {"active", "inactive"}))
