"""Stages fall apart where no row reads inputs of two sorts: they are injective iff each part is, and equal parts are decided once.

A pooling layer without overlap, a convolution whose stride is its kernel, or one of a channel each, is a set of equal small layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from exactrelu.domain import AllSpace, Box, Orthant, Polytope, middle
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.injectivity.collisions.collision import Collision
from exactrelu.injectivity.collisions.linearised import sparse_stage
from exactrelu.network.model import Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from exactrelu.domain import Domain
    from exactrelu.injectivity.answer import LayerInjectivity

# Entries of a part's stage up to which it is held dense.
_DENSE = 2**20


@dataclass(frozen=True, eq=False)
class Part:
    """The stages on the inputs `columns`, increasing, that no other part reads, and the domain of these inputs.

    rows: of the first stage, increasing.
    """

    columns: np.ndarray
    rows: np.ndarray
    stages: tuple[Layer, ...]
    domain: Domain

    @property
    def key(self) -> Hashable:
        """Equal for parts that are the same question."""
        words: list[Hashable] = [self.domain]
        for stage in self.stages:
            matrix = sparse_stage(stage)
            words += [matrix.shape, matrix.starts.tobytes(), matrix.columns.tobytes(), stage.rectified.tobytes(), *_numbers(matrix)]
            words += _numbers(SparseMatrix.from_dense(stage.bias))
        return tuple(words)


def _numbers(matrix: SparseMatrix) -> list[Hashable]:
    own = None if matrix.integers is None else tuple(matrix.integers.tolist())
    return [matrix.columns.tobytes(), matrix.starts.tobytes(), matrix.floats.tobytes(), own, matrix.exponent]


def parts(stages: Sequence[Layer], domain: Domain) -> list[Part]:
    """The parts of stages, one after the other, by their first inputs; one part, the stages themselves, where they do not fall apart.

    Rows that no input reaches belong to no part. A domain that is no product of intervals holds the stages together.

    >>> weight, bias = DyadicMatrix.from_floats([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]), DyadicMatrix.from_floats([[0.0], [0.0]])
    >>> layer = Layer(weight, bias, np.array([True, True]))
    >>> [part.columns.tolist() for part in parts([layer], AllSpace())]
    [[0, 2], [1]]
    """
    n = stages[0].inputs
    whole = [Part(np.arange(n), np.arange(stages[0].outputs), tuple(stages), domain)]
    if n == 0 or not isinstance(domain, AllSpace | Orthant | Box):
        return whole
    matrices = [sparse_stage(stage) for stage in stages]
    if (np.diff(matrices[0].starts) == n).any():
        return whole
    offsets = np.cumsum([0, n, *(stage.outputs for stage in stages)])
    nodes = int(offsets[-1])
    ends = [matrix.row_numbers() + offset for matrix, offset in zip(matrices, offsets[1:], strict=False)]
    starts = [matrix.columns.astype(np.int64) + offset for matrix, offset in zip(matrices, offsets, strict=False)]
    edges = csr_array((np.ones(sum(map(len, ends)), dtype=np.int8), (np.concatenate(ends), np.concatenate(starts))), shape=(nodes, nodes))
    _, labels = connected_components(edges, directed=False)
    groups, first = np.unique(labels[:n], return_index=True)
    if len(groups) == 1:
        return whole
    # The nodes of each part, in the order of the parts' first inputs.
    place = np.full(int(labels.max()) + 1, -1)
    place[groups[np.argsort(first)]] = np.arange(len(groups))
    owners = place[labels]
    members = [_grouped(owners[offsets[k] : offsets[k + 1]], len(groups)) for k in range(len(stages) + 1)]
    result = []
    local = [np.zeros(offsets[k + 1] - offsets[k], dtype=np.int64) for k in range(len(stages) + 1)]
    for k, listed in enumerate(members):
        for nodes_of in listed:
            local[k][nodes_of] = np.arange(len(nodes_of))
    for group in range(len(groups)):
        columns = members[0][group]
        layers = []
        for k, (stage, matrix) in enumerate(zip(stages, matrices, strict=True)):
            layers.append(_cut(stage, matrix, members[k + 1][group], local[k], len(members[k][group])))
        result.append(Part(columns, members[1][group], tuple(layers), restricted(domain, columns)))
    return result


def restricted(domain: AllSpace | Orthant | Box, columns: np.ndarray) -> Domain:
    """What a domain allows some coordinates.

    >>> restricted(Box(RationalVector((0, 1)), RationalVector((2, 3))), np.array([1])).describe()
    'box:1,3'
    """
    if not isinstance(domain, Box):
        return domain
    return Box(taken(domain.lower, columns), taken(domain.upper, columns))


def taken(x: RationalVector, columns: np.ndarray) -> RationalVector:
    """Some coordinates of a point."""
    return RationalVector(tuple(x.numerators[j] for j in columns.tolist()), x.denominator)


@dataclass(frozen=True)
class Decided:
    """What the parts' verdicts make of the whole: `method` in words, a collision in all parts equal to one that is not injective.

    answers: of every part, where all are injective, one object for equal ones.
    """

    verdict: str
    method: str
    collision: Collision | None = None
    answers: tuple[LayerInjectivity, ...] = ()


def decide_parts(
    stages: Sequence[Layer],
    domain: Domain,
    found: Sequence[Part],
    points: Sequence[RationalVector],
    decide: Callable[[tuple[Layer, ...], Domain, Sequence[RationalVector]], LayerInjectivity],
) -> Decided:
    """The verdict on stages by the verdicts on their parts, equal ones decided once.

    decide: called with a part's stages, its domain and the points' own coordinates; the first part that is not injective is the last one
    decided.
    """
    kinds: dict[Hashable, list[Part]] = {}
    for part in found:
        kinds.setdefault(part.key, []).append(part)
    open_parts, methods = 0, list[str]()
    answers: dict[Hashable, LayerInjectivity] = {}
    for key, equal in kinds.items():
        part = equal[0]
        near = [taken(x, part.columns) for x in points]
        answer = decide(part.stages, part.domain, near)
        if answer.collision is not None:
            collision = _lifted(stages, domain, equal, answer.collision)
            return Decided("not-injective", _words(len(found), len(kinds), [answer.method]), collision)
        answers[key] = answer
        open_parts += len(equal) * (answer.verdict == "undecided")
        methods.append(answer.method)
    words = _words(len(found), len(kinds), methods)
    if open_parts:
        return Decided("undecided", f"{words}; {open_parts} of them undecided")
    return Decided("injective", words, answers=tuple(answers[part.key] for part in found))


def _lifted(stages: Sequence[Layer], domain: Domain, equal: Sequence[Part], collision: Collision) -> Collision:
    """The collision in all equal parts at once, other inputs in the middle of the domain."""
    assert not isinstance(domain, Polytope), "the inputs of a polytope are not independent"
    others = middle(domain, stages[0].inputs).fractions()
    ends: list[RationalVector] = []
    for own in (collision.x.fractions(), collision.y.fractions()):
        end = list(others)
        for part in equal:
            for j, value in zip(part.columns.tolist(), own, strict=True):
                end[j] = value
        ends.append(RationalVector.from_fractions(end))
    x, y = ends
    state = x
    for stage in stages:
        state = stage(state)
    return Collision(x, y, state)


def _words(count: int, kinds: int, methods: Sequence[str]) -> str:
    what = f"{count} equal parts decided once" if kinds == 1 else f"{count} independent parts, {kinds} of them different"
    return f"{what}: {', '.join(dict.fromkeys(methods))}"


def _grouped(owners: np.ndarray, count: int) -> list[np.ndarray]:
    """The places of 0, .., count - 1 among the owners, each increasing."""
    order = np.argsort(owners, kind="stable")
    cuts = np.searchsorted(owners[order], np.arange(count + 1))
    return [order[cuts[k] : cuts[k + 1]] for k in range(count)]


def _cut(stage: Layer, matrix: SparseMatrix, rows: np.ndarray, local: np.ndarray, n: int) -> Layer:
    """The rows of a stage over the n inputs that they read."""
    part = matrix.rows(rows)
    part = SparseMatrix((len(rows), n), part.starts, local[part.columns].astype(np.int32), part.floats, part.integers, part.exponent)
    stored: DyadicMatrix | SparseMatrix = part.dense() if len(rows) * n <= _DENSE else part
    return Layer(stored, stage.bias.rows(rows), stage.rectified[rows])
