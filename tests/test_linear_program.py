"""Linear programs over the rationals: every answer comes with its proof whatever is proposed, and the optimum is that of PPL."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import fmpq
from hypothesis import event, given, settings
from hypothesis import strategies as st

from exactrelu.exact.alternative import alternative
from exactrelu.exact.least_squares import Feasibility, feasible
from exactrelu.exact.linear_program import maximise

small = st.integers(-3, 3) | st.sampled_from([10**30, -(10**30)])


@st.composite
def vectors(draw: st.DrawFn, least: int = 0) -> list[list[int]]:
    """Some vectors of one width, both from 0 on."""
    width = draw(st.integers(0, 3))
    return draw(st.lists(st.lists(small, min_size=width, max_size=width), min_size=least, max_size=6))


def dot(a: Any, b: Any) -> fmpq:
    return sum((fmpq(u) * fmpq(v) for u, v in zip(a, b, strict=True)), fmpq(0))


def prove(found: Feasibility, rows: list[list[int]], right: list[int]) -> None:
    if found.weights is not None:
        assert min(found.weights, default=0) >= 0
        assert [dot(found.weights, [row[k] for row in rows]) for k in range(len(right))] == right
    else:
        assert dot(right, found.prices) < 0 <= min((dot(row, found.prices) for row in rows), default=0)


@settings(deadline=None, max_examples=300)
@given(vectors(), st.data())
def test_either_weights_or_prices_whatever_is_proposed(rows: list[list[int]], data: st.DataObject) -> None:
    width = len(rows[0]) if rows else data.draw(st.integers(0, 2))
    right = data.draw(st.lists(small, min_size=width, max_size=width))
    proposed = data.draw(st.none() | st.lists(st.integers(0, len(rows) - 1), unique=True) if rows else st.none())
    found = feasible(rows, right, None, proposed=proposed)
    assert found is not None and (found.weights is None) != (found.prices is None)
    event("weights" if found.prices is None else "prices")
    prove(found, rows, right)


@pytest.mark.parametrize("seed", range(12))
def test_ties_in_many_dimensions_are_decided_whatever_is_proposed(seed: int) -> None:
    generator = np.random.default_rng(seed)
    width, count = 16, 48
    rows = generator.integers(-1, 2, (count, width))
    # Repeated and opposite vectors, zeros, and a right side on the border of a cone of few of them.
    rows[:4], rows[4:8], rows[8] = rows[8:12], -rows[12:16], 0
    rows[:, 0] = abs(rows[:, 0])
    right = rows[: 4 + seed].sum(axis=0) - (seed % 3 == 0) * np.eye(width, dtype=int)[0]
    kinds = [None, [], list(range(count)), generator.permutation(count)[: 3 + seed].tolist()]
    answers = [feasible(rows.tolist(), right.tolist(), None, proposed=proposed) for proposed in kinds]
    for found in answers:
        assert found is not None and (found.weights is None) == (answers[0].weights is None)
        prove(found, rows.tolist(), right.tolist())


@settings(deadline=None, max_examples=150)
@given(vectors(least=1), st.data())
def test_either_weights_or_a_point(slack: list[list[int]], data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.integers(0, 1), min_size=len(slack), max_size=len(slack)))
    found = alternative(slack, wanted, None)
    assert found is not None
    if found.weights is not None:
        assert all(weight >= least for weight, least in zip(found.weights, wanted, strict=True))
        assert not any(dot(found.weights, [row[k] for row in slack]) for k in range(len(slack[0])))
    else:
        values = [dot(row, found.point) for row in slack]
        assert min(values) >= 0 < dot(values, wanted)


@settings(deadline=None, max_examples=100)
@given(vectors(least=1), st.data())
def test_the_largest_value_is_that_of_PPL_and_the_prices_prove_it(columns: list[list[int]], data: st.DataObject) -> None:
    ppl = pytest.importorskip("ppl", reason="pplpy gives the second opinion")
    width = len(columns[0])
    right = [*data.draw(st.lists(small, min_size=width, max_size=width)), data.draw(st.integers(0, 3))]
    costs = data.draw(st.lists(small, min_size=len(columns), max_size=len(columns)))
    # Weights of a given sum: the program is bounded.
    rows = [[column[k] for column in columns] for k in range(width)] + [[1] * len(columns)]
    found = maximise(rows, right, costs, None)
    assert found is not None
    polyhedron = ppl.C_Polyhedron(len(columns), "universe")
    for j in range(len(columns)):
        polyhedron.add_constraint(ppl.Variable(j) >= 0)
    for row, value in zip(rows, right, strict=True):
        polyhedron.add_constraint(ppl.Linear_Expression(row, -value) == 0)
    if polyhedron.is_empty():
        assert found.value is None and found.prices is None
        return
    best = polyhedron.maximize(ppl.Linear_Expression(costs, 0))
    assert Fraction(int(found.value.p), int(found.value.q)) == Fraction(int(best["sup_n"]), int(best["sup_d"]))
    assert dot(found.prices, right) == found.value
    assert all(dot(found.prices, column) >= cost for column, cost in zip(zip(*rows, strict=True), costs, strict=True))


def test_nothing_is_said_after_the_time_limit() -> None:
    late = time.monotonic() - 1
    assert feasible([[1]], [1], late) is None and alternative([[1], [-1]], [1, 0], late) is None
    assert maximise([[1, 1]], [1], [1, 2], late) is None
