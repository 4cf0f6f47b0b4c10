"""An undecided search goes on where it stopped: what is kept of a proof by cases, and how it is taken up again.

A `State` holds the pool of dependencies and the nodes of the tree found so far, in preorder. Nothing in it is believed: every dependency
is tested again in integers, every node by the tests that allowed it at first, and the cases that the nodes leave open are searched.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from exactrelu.certificates.injectivity import Branch, Spanned, Split
from exactrelu.errors import InvalidRequestError
from exactrelu.injectivity.cases.transversals import all_independent
from exactrelu.network.exact_file import network_sha256
from exactrelu.network.model import Network

if TYPE_CHECKING:
    from exactrelu.certificates.injectivity import Dependency, Node
    from exactrelu.domain import Domain
    from exactrelu.injectivity.cases.tree import Case, Progress, TreeSearch
    from exactrelu.injectivity.question import Question
    from exactrelu.network.model import Layer

# Choices of one row from each dependency of a pack that are tested again; a search makes no pack as large.
_LARGEST_PACK = 2**24


@dataclass(frozen=True)
class State:
    """A proof by cases that is not finished.

    question: the SHA-256 of the layer and its domain (`question_sha256`); seconds: how long was searched so far; certain: the dependencies
    whose rows are in F whatever the inputs; dependencies: the others, which nodes count after those.
    """

    question: str
    seconds: float
    prime: int
    certain: tuple[Dependency, ...]
    dependencies: tuple[Dependency, ...]
    nodes: tuple[Node, ...]


def question_sha256(layer: Layer, domain: Domain) -> str:
    """What a state is about: the SHA-256 of the exact network file of the layer alone and of the domain's lines.

    >>> import numpy as np
    >>> from exactrelu import AllSpace, DyadicMatrix, Layer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    >>> question_sha256(layer, AllSpace())[:16]
    'c69cd92fb2136590'
    """
    alone = network_sha256(Network((layer,), (), (), (layer.inputs,)))
    return hashlib.sha256("\n".join([alone, *domain.lines()]).encode("ascii")).hexdigest()


def first_primes() -> tuple[int, ...]:
    """The primes with which a search begins, the first ones below 2^31."""
    from exactrelu.injectivity.cases.tree import primes_below_2_31

    return tuple(islice(primes_below_2_31(), 16))


def reached(search: TreeSearch, replay: Replay | None) -> Progress:
    """The progress of a search that stopped, with its state; what a replay did not come to is kept as it was."""
    count = len(search.certain)
    left = () if replay is None else replay.left
    question = question_sha256(search.question.layer, search.question.domain)
    dependencies = tuple(search.dependencies)
    seconds = time.monotonic() - search.begun + (0.0 if replay is None else replay.seconds)
    state = State(question, seconds, search.prime, dependencies[:count], dependencies[count:], (*search.nodes, *left))
    return replace(search.progress, state=state, untested=len(left))


class InterruptedSearch(KeyboardInterrupt):
    """The user interrupted a proof by cases; `progress` holds what was reached, with its state."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self.progress = progress


# ---------------------------------------------------------------- going on


class Replay:
    """The nodes of a state, followed one after another in the order of the certificate.

    Raises InvalidRequestError where the state is about another question, or a dependency or a node in it is not valid.
    """

    def __init__(self, state: State, search: TreeSearch) -> None:
        """Test the dependencies of the state and put them into the pool of a search that has not begun."""
        question = search.question
        if state.question != question_sha256(question.layer, question.domain):
            raise _misfit("it is about another layer or domain")
        if state.prime != search.prime or state.prime not in first_primes():
            raise _misfit("its prime is not one that a search uses")
        if state.nodes and state.certain != tuple(search.dependencies):
            raise _misfit("its certain dependencies are not the ones that this version finds")
        search.keep_all([_tested(one, question) for one in state.dependencies])
        self._left = deque(state.nodes)
        self.seconds = state.seconds

    def __bool__(self) -> bool:
        return bool(self._left)

    @property
    def left(self) -> tuple[Node, ...]:
        """The nodes not followed yet."""
        return tuple(self._left)

    def children(self, search: TreeSearch, case: Case) -> list[Case]:
        """The cases that the next node leaves of a case, [] where it closes it; the node is put into the search's tree."""
        if not case.residues.left:
            return []
        node = self._left[0]
        children = _follow(node, search, case)
        self._left.popleft()
        return children


def _follow(node: Node, search: TreeSearch, case: Case) -> list[Case]:
    if isinstance(node, Branch):
        return search.branch(case, _among(node.dependency, search))
    if isinstance(node, Split):
        if not 0 <= node.row < search.question.m or not search.question.deciding[node.row] or case.excluded[node.row]:
            raise _misfit("a node splits on a row that does not decide there")
        return search.split(case, node.row)
    if isinstance(node, Spanned):
        if not 0 <= node.row < search.question.m or not (case.excluded & case.residues.vanishing)[node.row]:
            raise _misfit("a node names a row that is not excluded and spanned there")
        search.nodes.append(search.spanned(node.row, case))
        return []
    outside = [search.outside(case, _among(d, search)) for d in node.dependencies]
    choices = math.prod(map(len, outside))
    closes = (
        len(outside) == case.residues.left
        and len(set().union(*outside)) == sum(map(len, outside))
        and 0 < choices <= _LARGEST_PACK
        and all_independent([case.residues.values[rows] for rows in outside], search.prime)
    )
    if not closes:
        raise _misfit("a pack of dependencies does not close its case")
    search.choices += choices
    search.nodes.append(node)
    return []


def _among(dependency: int, search: TreeSearch) -> int:
    if not 0 <= dependency < len(search.dependencies):
        raise _misfit("a node names a dependency that is not there")
    return dependency


def _tested(one: Dependency, question: Question) -> Dependency:
    """The dependency as the question shows it again."""
    listed = one.rows and all(0 <= j < question.m for j in one.rows) and all(0 <= s < len(question.sides) for s in one.sides)
    # Its multipliers are those of rows as real numbers, which are 2^exponent times the question's; a side is itself.
    up, down = max(0, question.exponent), max(0, -question.exponent)
    multipliers = {j: value << up for j, value in zip(one.rows, one.multipliers, strict=True)}
    sides = {s: value << down for s, value in zip(one.sides, one.side_multipliers, strict=True)}
    again = question.dependency(multipliers, sides) if listed else None
    if again != one:
        raise _misfit("a dependency in it does not hold")
    return again


def _misfit(why: str) -> InvalidRequestError:
    return InvalidRequestError(f"the saved state does not fit: {why}; ask the question it was written for, or delete it to begin anew")
