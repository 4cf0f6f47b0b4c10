"""A case: some hidden neurons are known to be active or inactive. What it leaves is the pre-image of 0 under one layer, the *case layer*.

An active neuron has z >= 0 and the value z, an inactive one z <= 0 and the value 0. Every other neuron has as its value a variable h
with h >= 0 and h >= z. With these variables beside the input every value of every layer is affine, so that a case comes down to linear
rows: the decider of one layer decides it, and the checkers know its evidence (proofs/FORMAT.md 4.9).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from flint import fmpz_mat

from exactrelu.domain import Box, Domain, Orthant, Polytope
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.network.model import Layer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence


class Neuron(NamedTuple):
    """Output `row`, counted from 0, of the stage `number`, counted from 1."""

    number: int
    row: int


class RowName(NamedTuple):
    """What a row of a case layer says.

    `h`: -h <= 0, and `z`: z - h <= 0, of a neuron (number, row); `y`: of output `row`; `lower`, `upper`: of coordinate `row`; `side`: of
    a polytope.
    """

    kind: str
    number: int
    row: int


class CaseRow(NamedTuple):
    """coefficients . (x, h) + constant = 0, or <= 0 where it is no equality; integers without a common divisor."""

    name: RowName
    coefficients: tuple[int, ...]
    constant: int
    equality: bool

    @property
    def bits(self) -> int:
        """The row stands in the case layer times 2^-bits: its largest number is there between 1/2 and 1."""
        return max(map(int.bit_length, (*self.coefficients, self.constant)))


@dataclass(frozen=True, eq=False)
class Question:
    """Which x in the domain have the output y under the stages? y has no negative entry at a rectified row of the last stage.

    >>> fold = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> total = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> question = Question((fold, total), Orthant(), RationalVector((3,)))
    >>> for row in question.rows({Neuron(1, 0): True}):
    ...     print(row.name.kind, *row[1:])
    h (-1, 0) 0 False
    h (0, -1) 0 False
    z (-1, -1) 0 False
    y (1, 1) -3 True
    lower (-1, 0) 0 False
    """

    stages: tuple[Layer, ...]
    domain: Domain
    y: RationalVector

    @cached_property
    def neurons(self) -> tuple[Neuron, ...]:
        """The hidden ones."""
        return tuple(
            Neuron(number, row) for number, stage in enumerate(self.stages[:-1], 1) for row in np.flatnonzero(stage.rectified).tolist()
        )

    def rows(self, signs: Mapping[Neuron, bool]) -> list[CaseRow]:
        """The rows of the case in which the neurons have these signs (active: True), in the order of the format.

        The variables of neurons that nothing else reads are left out, and their rows with them.
        """
        found = list(self._rows_of(signs, self._hidden_names(signs), len(self.stages)))
        n = self.stages[0].inputs
        free = [neuron for neuron in self.neurons if neuron not in signs]
        left_out = list[int]()
        for place, neuron in reversed(list(enumerate(free))):
            others = [row for row in found if row.name[1:] != neuron or row.name.kind not in "hz"]
            if not any(row.coefficients[n + place] for row in others):
                found = others
                left_out.append(n + place)
        kept = [j for j in range(n + len(free)) if j not in left_out]
        return [row._replace(coefficients=tuple(row.coefficients[j] for j in kept)) for row in found]

    def holds(self, x: RationalVector) -> bool:
        """Whether x lies in the domain and has the output."""
        state = x
        for stage in self.stages:
            state = stage(state)
        return state == self.y and self.domain.contains(x)

    def names(self, signs: Mapping[Neuron, bool]) -> list[RowName]:
        """The names of the rows of a case, without the rows."""
        if not all(stage.rectified.all() for stage in self.stages[1:-1]):
            # Through a row without a relu a variable may cancel out: only the numbers say which are left out.
            return [row.name for row in self.rows(signs)]
        left_out = set[Neuron]()
        needed = np.ones(self.stages[-1].outputs, dtype=bool)
        for number in range(len(self.stages) - 1, 0, -1):
            read = np.any(self._reads[number][needed], axis=0)
            unread = {Neuron(number, i) for i in np.flatnonzero(~read & self.stages[number - 1].rectified).tolist()} - signs.keys()
            needed = np.array([Neuron(number, i) not in unread for i in range(len(read))], dtype=bool)
            left_out |= unread
        hidden = [name for name in self._hidden_names(signs) if Neuron(*name[1:]) not in left_out]
        outputs = [RowName("y", 0, i) for i in range(self.stages[-1].outputs)]
        return [*hidden, *outputs, *(row.name for row in self._domain_rows(self.stages[0].inputs))]

    def named(self, signs: Mapping[Neuron, bool], names: Collection[RowName]) -> list[CaseRow]:
        """The rows of a case with these names, which must be there; other columns than its own are 0, and may be missing."""
        hidden = sorted((name for name in names if name.kind in {"h", "z"}), key=lambda name: (*name[1:], name.kind))
        last = any(name.kind == "y" for name in names)
        highest = len(self.stages) if last else max((name.number for name in hidden), default=0)
        return [row for row in self._rows_of(signs, hidden, highest) if row.name in names]

    @cached_property
    def _reads(self) -> list[np.ndarray]:
        """Which values each stage reads, boolean (m, n)."""
        entries = (np.array([bool(value) for value in stage.augmented[0].entries()], dtype=bool) for stage in self.stages)
        return [one.reshape(stage.outputs, -1)[:, :-1] for one, stage in zip(entries, self.stages, strict=True)]

    @cached_property
    def _known(self) -> dict[int, tuple[list[bool | None], list[list[int]], int]]:
        """Of every stage the signs before it that were last asked about, and z there."""
        return {}

    def _hidden_names(self, signs: Mapping[Neuron, bool]) -> list[RowName]:
        """The names of the neurons' rows, none left out."""
        kinds = {True: "h", False: "z", None: "hz"}
        return [RowName(kind, *neuron) for neuron in self.neurons for kind in kinds[signs.get(neuron)]]

    def _rows_of(self, signs: Mapping[Neuron, bool], hidden: Iterable[RowName], highest: int) -> Iterator[CaseRow]:
        """These rows of neurons, those of the outputs if these are the stage `highest`, and the domain's; none left out."""
        n = self.stages[0].inputs
        free = [neuron for neuron in self.neurons if neuron.number <= highest and neuron not in signs]
        places = {neuron: place for place, neuron in enumerate(free, n)}
        for name in hidden:
            neuron = Neuron(*name[1:])
            z, exponent = self._before_relu(neuron.number, signs)
            row = _wider(z[neuron.row], n + len(free) + 1)
            if name.kind == "h":
                # Its value is z or its variable.
                row = [-value if neuron in signs else 0 for value in row]
            if neuron in places:
                row[places[neuron]] -= 1 << -exponent
            yield _row(name.kind, neuron, row)
        if highest == len(self.stages):
            yield from self._last_rows(*self._before_relu(highest, signs))
        yield from self._domain_rows(n + len(free))

    def _before_relu(self, number: int, signs: Mapping[Neuron, bool]) -> tuple[list[list[int]], int]:
        """z of a stage in units of 2^exponent, exponent <= 0: coefficients of x, of the variables of the stages before it, and of 1."""
        asked = [signs.get(neuron) for neuron in self.neurons if neuron.number < number]
        if number not in self._known or self._known[number][0] != asked:
            n, stage = self.stages[0].inputs, self.stages[number - 1]
            state, exponent = [[int(i == j) for j in range(n + 1)] for i in range(n)], 0
            if number > 1:
                state, exponent = self._after_relu(number - 1, signs), self._before_relu(number - 1, signs)[1]
            one = [0] * (n + asked.count(None)) + [1 << -exponent]
            integers, own = stage.augmented
            product = (integers * fmpz_mat([*state, one])).tolist() if stage.outputs else []
            self._known[number] = asked, [[int(value) << max(0, own) for value in row] for row in product], exponent + min(0, own)
        return self._known[number][1:]

    def _after_relu(self, number: int, signs: Mapping[Neuron, bool]) -> list[list[int]]:
        """The values of a stage, in the same units: as z, with the coefficients of its own variables before that of 1."""
        z, exponent = self._before_relu(number, signs)
        relu = self.stages[number - 1].rectified.tolist()
        free = [i for i, on in enumerate(relu) if on and Neuron(number, i) not in signs]
        width = len(z[0]) + len(free) if z else 0
        state = [
            _wider(row, width) if not on or signs.get(Neuron(number, i)) else [0] * width
            for i, (row, on) in enumerate(zip(z, relu, strict=True))
        ]
        for i, column in zip(free, range(width - 1 - len(free), width - 1), strict=True):
            state[i][column] = 1 << -exponent
        return state

    def _last_rows(self, z: Sequence[list[int]], exponent: int) -> Iterable[CaseRow]:
        """z = y where y is positive or no relu follows, z <= 0 elsewhere; z in units of 2^exponent."""
        for i, (row, value, relu) in enumerate(zip(z, self.y.numerators, self.stages[-1].rectified.tolist(), strict=True)):
            shifted = [entry * self.y.denominator for entry in row]
            shifted[-1] -= value << -exponent
            yield _row("y", Neuron(0, i), shifted, equality=value > 0 or not relu)

    def _domain_rows(self, columns: int) -> Iterable[CaseRow]:
        n = self.stages[0].inputs
        if isinstance(self.domain, Polytope):
            for k, (side, offset) in enumerate(zip(self.domain.rows, self.domain.offsets, strict=True)):
                yield _row("side", Neuron(0, k), [*side, *[0] * (columns - n), offset])
        elif isinstance(self.domain, Orthant):
            for j in range(n):
                yield _row("lower", Neuron(0, j), _unit(columns, j, -1, 0))
        elif isinstance(self.domain, Box):
            lower, upper = self.domain.lower, self.domain.upper
            for j in range(n):
                yield _row("lower", Neuron(0, j), _unit(columns, j, -lower.denominator, lower.numerators[j]))
                yield _row("upper", Neuron(0, j), _unit(columns, j, upper.denominator, -upper.numerators[j]))


def case_layer(rows: Sequence[CaseRow], columns: int) -> Layer:
    """The layer of these rows: their case is its pre-image of 0; columns: how many x and h there are.

    >>> row = CaseRow(RowName("y", 0, 0), (3, 1), -6, True)
    >>> case_layer([row], 2).pre_activation(RationalVector((2, 0))).texts()
    ['0']
    """
    most = max((row.bits for row in rows), default=0)
    weight = DyadicMatrix.from_integers(([value << most - row.bits for value in row.coefficients] for row in rows), columns, -most)
    bias = DyadicMatrix.from_integers(([row.constant << most - row.bits] for row in rows), 1, -most)
    return Layer(weight, bias, np.array([not row.equality for row in rows], dtype=bool))


def _row(kind: str, neuron: Neuron, values: Sequence[int], *, equality: bool = False) -> CaseRow:
    common = gcd(*values) or 1
    *coefficients, constant = (value // common for value in values)
    return CaseRow(RowName(kind, *neuron), tuple(coefficients), constant, equality)


def _unit(columns: int, j: int, value: int, constant: int) -> list[int]:
    """The row with one coefficient."""
    row = [0] * columns + [constant]
    row[j] = value
    return row


def _wider(row: Sequence[int], width: int) -> list[int]:
    """The row with columns of zeros before its constant."""
    return [*row[:-1], *[0] * (width - len(row)), row[-1]]
