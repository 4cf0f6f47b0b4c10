"""The pre-image under a composition as the union over cases, each decided exactly: theory P1, P2 over all regions that can hold the output.

At every split each input satisfies one of the two cases, so what closes all of them speaks of all inputs. A case is closed if it is
empty; or a single point, an input or none as its output says; or, once all signs that matter are known, by its dimension.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

from flint import fmpz_mat

from exactrelu.certificates import Farkas, Part
from exactrelu.certificates.cases import Cases, CaseSplit
from exactrelu.domain import AllSpace, Box
from exactrelu.exact.rational import RationalVector
from exactrelu.preimage.cases.layer import CaseRow, Neuron, Question, case_layer
from exactrelu.preimage.cases.search import CaseSearch, Leaf, Split, Tree, Unfinished
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.verdict import Cardinality, Preimage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Without a time limit: how many inputs and hidden neurons a network may have, and, divided by the square of that number, how many linear
# programs are solved and cases closed. That takes some ten seconds.
MOST_COLUMNS = 2**10
MOST_WORK = 2**27
# From here on the exact rows of one case would fill the memory.
TOO_MANY_COLUMNS = 2**11
# The part of the time that the search gets; the exact decisions get the rest.
_SEARCH = 0.5


@dataclass(frozen=True, eq=False)
class DecidedCase:
    """What a layer's decider found out about a case."""

    prepared: LayerPreimage
    result: Preimage

    def part(self) -> Part:
        """The claim with its evidence; raises CertificateError where it could not be completed."""
        zero = _zero(self.prepared.layer.outputs)
        return Part.of(self.prepared.certificate(self.result, network_sha256="", layer_number=0, subject="output", given=zero))


@dataclass(frozen=True, eq=False)
class CaseGrounds:
    """A verdict rests on these cases: the nodes of their tree in preorder, empty ones with multipliers that contradict them."""

    nodes: tuple[CaseSplit | Farkas | DecidedCase, ...]

    def evidence(self) -> Cases:
        """The section of the certificate; raises CertificateError where it could not be completed."""
        return Cases(tuple(_written(node) for node in self.nodes))


def _written(node: CaseSplit | Farkas | DecidedCase) -> CaseSplit | Part:
    if isinstance(node, Farkas):
        return Part(0, "empty", (node,))
    return node.part() if isinstance(node, DecidedCase) else node


def preimage_by_cases(question: Question, *, active: int, rational: bool, deadline: float | None) -> Preimage:
    """Decide the pre-image as the union over cases; undecided where the limits leave a case open.

    active: the number of positive outputs; deadline: a `time.monotonic` value; without one the limits are MOST_COLUMNS and MOST_WORK.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer
    >>> import numpy as np
    >>> fold = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> total = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> question = Question((fold, total), AllSpace(), RationalVector((3,)))
    >>> found = preimage_by_cases(question, active=1, rational=False, deadline=None)
    >>> found.cardinality.value, found.points, [x.texts() for x in found.solutions]
    ('finite', 2, [['-3'], ['3']])
    """
    columns = question.stages[0].inputs + len(question.neurons)
    if columns >= TOO_MANY_COLUMNS:
        return _undecided(active, f"{len(question.neurons)} hidden neurons are too many to be split into cases")
    if deadline is None and columns > MOST_COLUMNS:
        return _undecided(active, f"{len(question.neurons)} hidden neurons are not split into cases without a time limit; give one")
    now = time.monotonic()
    until = None if deadline is None else now + _SEARCH * (deadline - now)
    most = MOST_WORK // max(1, columns) ** 2
    tree = CaseSearch(question).tree(most=most if until is None else None, deadline=until)
    remedy = "give a time limit, and it goes on" if deadline is None else "a longer time limit may settle it"
    if isinstance(tree, Unfinished):
        return _undecided(active, f"a search through cases had closed {tree.settled} and had {tree.open} open at its limit; {remedy}")
    union = _Union(question, active)
    # Cases to come, the first last.
    to_come: list[tuple[Tree, dict[Neuron, bool]]] = [(tree, {})]
    while to_come:
        if (time.monotonic() > deadline) if deadline is not None else (union.closed > most):
            return union.unfinished(f"{union.closed} cases were closed and {len(to_come)} open at the limit; {remedy}")
        here, signs = to_come.pop()
        if isinstance(here, Leaf):
            closed = _closed(question, here, signs, rational=rational, deadline=deadline)
            if isinstance(closed, str):
                return union.unfinished(closed)
            if not isinstance(closed, Neuron):
                union.add(closed)
                continue
            # The floats were wrong: nothing but exact decisions from here on.
            here = Split(closed, Leaf(None), Leaf(None))
        union.nodes.append(CaseSplit(*here.neuron))
        to_come += [(here.active, {**signs, here.neuron: True}), (here.inactive, {**signs, here.neuron: False})]
    return union.result()


def _closed(
    question: Question, leaf: Leaf, signs: Mapping[Neuron, bool], *, rational: bool, deadline: float | None
) -> Farkas | DecidedCase | Neuron | str:
    """What closes a case; or a neuron to split; or why there is nothing more to do."""
    if leaf.contradiction is not None:
        names = question.names(signs)
        support = question.named(signs, leaf.contradiction.intersection(names))
        weights = _contradiction(support)
        if weights is not None:
            listed = dict(zip((row.name for row in support), weights, strict=True))
            return Farkas(tuple(listed.get(name, 0) for name in names))
    rows = question.rows(signs)
    free = [Neuron(*row.name[1:]) for row in rows if row.name.kind == "h" and Neuron(*row.name[1:]) not in signs]
    columns = question.stages[0].inputs + len(free)
    prepared = LayerPreimage(case_layer(rows, columns), AllSpace(), rational=rational)
    result = prepared.of_output(_zero(len(rows)), deadline=deadline)
    if result.cardinality in {Cardinality.EMPTY, Cardinality.SINGLETON} or not free:
        return DecidedCase(prepared, result) if result.grounds is not None else f"a case was not decided ({result.reached})"
    return free[0]


def _contradiction(support: Sequence[CaseRow]) -> list[int] | None:
    """The multipliers of these rows, unique up to their size, that make the contradiction 0 < 0; None if these are none."""
    columns = [column for column in zip(*(row.coefficients for row in support), strict=True) if any(column)]
    vectors, nullity = fmpz_mat(len(columns), len(support), [value for column in columns for value in column]).nullspace()
    if nullity != 1:
        return None
    weights = [int(vectors[i, 0]) for i in range(len(support))]
    value = sum(weight * row.constant for weight, row in zip(weights, support, strict=True))
    # As real numbers the rows are these integers times 2^-bits.
    weights = [weight << row.bits if value > 0 else -weight << row.bits for weight, row in zip(weights, support, strict=True)]
    if value == 0 or any(weight < 0 and not row.equality for weight, row in zip(weights, support, strict=True)):
        return None
    common = gcd(*weights)
    return [weight // common for weight in weights]


class _Union:
    """What the cases closed so far hold together."""

    def __init__(self, question: Question, active: int) -> None:
        self._question = question
        self._active = active
        self.nodes: list[CaseSplit | Farkas | DecidedCase] = []
        self.closed = 0
        self._points: set[RationalVector] = set()
        self._infinite: list[Preimage] = []

    def add(self, closed: Farkas | DecidedCase) -> None:
        self.nodes.append(closed)
        self.closed += 1
        if isinstance(closed, Farkas):
            return
        if closed.result.cardinality.is_infinite:
            self._infinite.append(closed.result)
        for solution in closed.result.solutions or ():
            n = self._question.stages[0].inputs
            x = RationalVector(solution.numerators[:n], solution.denominator)
            # Where the variable of a neuron is not its value, the point is an input with another output.
            if self._question.holds(x):
                self._points.add(x)

    def unfinished(self, reason: str) -> Preimage:
        """What is known where cases are left open."""
        if not self._infinite:
            return _undecided(self._active, reason)
        shown = self._strongest()
        boxed = Cardinality.BOUNDED if isinstance(self._question.domain, Box) else Cardinality.INFINITE
        word = Cardinality.UNBOUNDED if shown.cardinality is Cardinality.UNBOUNDED else boxed
        return Preimage(word, None, None, shown.witness, None, self._active, None)

    def result(self) -> Preimage:
        """The verdict once all cases are closed."""
        grounds = CaseGrounds(tuple(self.nodes))
        if self._infinite:
            dimension, shown = max(part.dimension or 0 for part in self._infinite), self._strongest()
            return Preimage(shown.cardinality, None, None, shown.witness, dimension, self._active, None, grounds=grounds)
        count = len(self._points)
        word = (Cardinality.EMPTY, Cardinality.SINGLETON, Cardinality.FINITE)[min(count, 2)]
        points = tuple(sorted(self._points, key=RationalVector.fractions))
        return Preimage(word, count, points, None, min(count, 1) - 1, self._active, None, grounds=grounds)

    def _strongest(self) -> Preimage:
        """A case that is unbounded, else one that may be, else a bounded one."""
        order = (Cardinality.UNBOUNDED, Cardinality.INFINITE, Cardinality.BOUNDED)
        return min(self._infinite, key=lambda part: order.index(part.cardinality))


def _undecided(active: int, reason: str) -> Preimage:
    return Preimage(Cardinality.UNDECIDED, None, None, None, None, active, None, reason)


def _zero(length: int) -> RationalVector:
    return RationalVector((0,) * length)
