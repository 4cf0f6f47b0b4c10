"""The cone predicate's evidence, and degenerate systems of a size at which only floats and p-adic solves are left."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import assert_split_is_proved, cone_system, dot, examples, is_strict, margin_accepts, rank, system_rows

from exactrelu.certificates import StrictRay, TrivialByMargin, TrivialExactly
from exactrelu.exact.cone import StrictRayFound, Tie, TrivialCone, Undecided, decide
from exactrelu.exact.linalg import exact_rank
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.system import ConeSystem, RowSet
from exactrelu.strategies import dyadic_matrices


@st.composite
def systems(draw):
    n = draw(st.integers(1, 3))
    matrix = draw(dyadic_matrices(draw(st.integers(1, 7)), n))
    matrix = matrix.rows(matrix.nonzero_rows)
    equality = np.array([draw(st.integers(0, 4)) == 0 for _ in range(matrix.shape[0])], dtype=bool)
    lower = np.array(draw(st.lists(st.sampled_from([False, False, True]), min_size=n, max_size=n)), dtype=bool)
    return ConeSystem(RowSet(matrix), equality, lower, np.zeros(n, dtype=bool))


@examples(200)
@given(systems(), st.booleans())
def test_the_evidence_satisfies_its_rule(system, rational):
    assume(system.inequality.any())
    decision = decide(system)
    if isinstance(decision, TrivialCone):
        evidence = decision.evidence(rational=rational)
        assert isinstance(evidence, TrivialExactly) or not rational
        if isinstance(evidence, TrivialByMargin):
            assert margin_accepts(system, evidence)
        else:
            assert_exactly_trivial(system, evidence)
    elif isinstance(decision, StrictRayFound):
        found = exact_rank(system.equality_matrix)
        evidence = decision.evidence(found, np.arange(len(system.equality_rows)), rational=rational)
        assert isinstance(evidence, StrictRay)
        if evidence.exact:
            assert is_strict(system, [Fraction(value) for value in evidence.direction])
        else:
            assert not rational


def assert_exactly_trivial(system: ConeSystem, evidence: TrivialExactly) -> None:
    """FORMAT 4.3: v = 0, and the equalities with the rows of positive multipliers have full rank."""
    rows = system.all_rows().fractions()
    sigma = [Fraction(0)] * system.dimension
    support = []
    for i, weight in enumerate(evidence.multipliers):
        assert weight >= 0 or system.equality[i]
        sigma = [a + weight * b for a, b in zip(sigma, rows[i], strict=True)]
        if weight > 0 or system.equality[i]:
            support.append(rows[i])
    assert all(value == 0 or (system.lower[j] and value > 0) for j, value in enumerate(sigma))
    support += [[Fraction(int(i == j)) for i in range(system.dimension)] for j, value in enumerate(sigma) if value > 0]
    assert rank(support) == system.dimension
    assert evidence.support.rank == system.dimension
    assert evidence.support.bound == "columns"


@examples(60)
@given(systems())
def test_a_deadline_that_has_passed_gives_the_right_answer_or_none(system):
    assume(system.inequality.any())
    late, decision = decide(system, deadline=time.monotonic() - 1), decide(system)
    assert isinstance(late, Undecided) or type(late) is type(decision)


@pytest.mark.parametrize("n", [20, 60])
@pytest.mark.parametrize("seed", range(3))
def test_near_ties_at_size_are_told_apart(n, seed):
    # n + 1 rows with positive multipliers that cancel exactly: integers, so that the sum is exact.
    generator = np.random.default_rng(seed)
    rows = generator.integers(-64, 65, size=(2 * n, n)).astype(np.float64)
    rows = np.vstack([rows, -rows.sum(axis=0)])
    trivial = cone_system([], rows.tolist(), n)
    decision = decide(trivial)
    assert isinstance(decision, TrivialCone)
    assert isinstance(decision.evidence(), TrivialByMargin)
    # With the first row opposite to the last bit of its twin, and nothing else: a strict ray.
    twin = rows[:1].copy()
    place = int(np.argmax(np.abs(twin[0])))
    other = -twin[0]
    other[place] = np.nextafter(other[place], 0)
    pair = cone_system([], [twin[0].tolist(), other.tolist()], n)
    decision = decide(pair)
    assert isinstance(decision, StrictRayFound)
    assert is_strict(pair, [Fraction(value) for value in decision.exact_direction()])
    # Exactly opposite: a tie in which both rows are implicit equalities.
    tie = cone_system([], [twin[0].tolist(), (-twin[0]).tolist()], n)
    decision = decide(tie)
    assert isinstance(decision, Tie)
    assert decision.split.implicit == (0, 1)
    assert decision.split.rank.rank == 1


@pytest.mark.parametrize("n", [40, 90])
def test_a_tie_between_many_strict_rows_is_split_exactly(n):
    generator = np.random.default_rng(n)
    direction = generator.integers(-3, 4, n).astype(np.float64)
    direction[0] = 1.0
    rows = generator.integers(-3, 4, size=(3 * n, n)).astype(np.float64)
    rows[:6, 0] -= rows[:6] @ direction
    values = rows @ direction
    rows[values > 0] *= -1
    tied = rows[values == 0]
    closing = -tied.sum(axis=0)
    system = cone_system([], [*rows.tolist(), closing.tolist()], n)
    decision = decide(system)
    assert isinstance(decision, Tie)
    expected = {i for i, value in enumerate(values.tolist()) if value == 0} | {len(rows)}
    assert set(decision.split.implicit) >= expected
    exact = [Fraction(value) for value in decision.split.direction]
    assert all(dot(row, exact) <= 0 for row in system_rows(system)[1])
    assert_split_is_proved(system, decision.split)


def test_duplicated_and_scaled_equalities_do_not_disturb_a_ray():
    rows = [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [2.0**80, 2.0**80, 0.0]]
    system = cone_system(rows, [[0.0, 0.0, 1.0], [1.0, 0.0, 2.0**-40]], 3)
    decision = decide(system)
    assert isinstance(decision, StrictRayFound)
    assert is_strict(system, [Fraction(value) for value in decision.exact_direction()])
    found = exact_rank(system.equality_matrix)
    assert found.rank == 1
    assert isinstance(decision.evidence(found, np.arange(3)), StrictRay)


def test_a_system_of_sides_alone():
    none = np.zeros(2, dtype=bool)
    empty = RowSet(DyadicMatrix(np.zeros((0, 2))))
    both = np.ones(2, dtype=bool)
    assert isinstance(decide(ConeSystem(empty, none[:0], both, none)), StrictRayFound)
    assert isinstance(decide(ConeSystem(empty, none[:0], both, both)), TrivialCone)
    half = decide(ConeSystem(empty, none[:0], both, np.array([True, False])))
    assert isinstance(half, Tie)
    assert half.split.implicit == (0, 1)
