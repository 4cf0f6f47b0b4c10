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
    from collections.abc import Iterable, Mapping, Sequence


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
        found = self._all_rows(signs)
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

    def _all_rows(self, signs: Mapping[Neuron, bool]) -> list[CaseRow]:
        n, places = self.stages[0].inputs, dict[Neuron, int]()
        for neuron in self.neurons:
            if neuron not in signs:
                places[neuron] = n + len(places)
        columns = n + len(places)
        found = list[CaseRow]()
        # The values so far are 2^exponent * state * (x, h, 1), exponent <= 0.
        state, exponent = [[int(i == j) for j in range(columns + 1)] for i in range(n)], 0
        for number, stage in enumerate(self.stages, 1):
            integers, own = stage.augmented
            one = [0] * columns + [1 << -exponent]
            product = (integers * fmpz_mat([*state, one])).tolist() if stage.outputs else []
            exponent += min(0, own)
            z = [[int(value) << max(0, own) for value in row] for row in product]
            if number == len(self.stages):
                found += self._last_rows(z, exponent)
                break
            state = []
            for i, (row, relu) in enumerate(zip(z, stage.rectified.tolist(), strict=True)):
                neuron = Neuron(number, i)
                value, is_active = row, signs.get(neuron)
                if relu and not is_active:
                    value = [0] * (columns + 1) if is_active is False else _unit(columns, places[neuron], 1 << -exponent, 0)
                if relu and is_active is not False:
                    found.append(_row("h", neuron, [-entry for entry in value]))
                if relu and not is_active:
                    found.append(_row("z", neuron, [a - b for a, b in zip(row, value, strict=True)]))
                state.append(value)
        return [*found, *self._domain_rows(columns)]

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
