"""The tie path: whatever is proposed, a split that comes out is the right one, and it comes with its proof."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import assert_split_is_proved, cone_system, dot, examples, generators, rank, system_rows

from exactrelu.certificates import TrivialByMargin
from exactrelu.exact import ties
from exactrelu.exact.cone import TrivialCone, decide
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.search import Direction, Multipliers
from exactrelu.exact.system import ConeSystem, RowSet
from exactrelu.exact.ties import lineality_direction, partition
from exactrelu.strategies import dyadic_matrices


@st.composite
def tied_systems(draw):
    """Integer rows with opposite pairs and sides, so that ties are the rule."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    rows = np.array(draw(st.lists(st.integers(-1, 1), min_size=m * n, max_size=m * n)), dtype=np.float64).reshape(m, n)
    rows = np.vstack([rows, -rows[: draw(st.integers(0, m))]])
    rows = rows[(rows != 0).any(axis=1)]
    equality = np.array([draw(st.integers(0, 4)) == 0 for _ in rows], dtype=bool)
    kinds = draw(st.lists(st.sampled_from("nnluf"), min_size=n, max_size=n))
    lower, upper = (np.array([kind in letters for kind in kinds], dtype=bool) for letters in ("lf", "uf"))
    return ConeSystem(RowSet(DyadicMatrix.from_floats(rows.reshape(-1, n))), equality, lower, upper)


def implicit_of(system):
    equalities, inequalities = system_rows(system)
    _, rays = generators(equalities, inequalities, system.dimension)
    numbers = [*np.flatnonzero(~system.equality).tolist(), *range(system.general_count, system.row_count)]
    return {number for number, row in zip(numbers, inequalities, strict=True) if not any(dot(row, ray) for ray in rays)}


@examples(150)
@given(tied_systems())
def test_the_simplex_method_finds_the_split(system):
    split = partition(system)
    assert split is not None
    assert set(split.implicit) == implicit_of(system)
    assert_split_is_proved(system, split)


@examples(60)
@given(tied_systems(), st.data())
def test_the_linear_program_and_false_proposals_give_the_right_split_or_none(system, data):
    direction, multipliers = (
        np.array(data.draw(st.lists(st.floats(-2, 2, width=16), min_size=size, max_size=size)))
        for size in (system.dimension, system.general_count)
    )
    proposals = [None, Direction(direction, np.zeros(system.row_count, bool)), Multipliers(multipliers)]
    sizes = ties.TINY, ties.SMALL
    ties.TINY = ties.SMALL = -1
    try:
        splits = [partition(system, proposal=proposal) for proposal in proposals]
    finally:
        ties.TINY, ties.SMALL = sizes
    for split in splits:
        if split is not None:
            assert set(split.implicit) == implicit_of(system)
            assert_split_is_proved(system, split)


@pytest.mark.parametrize("seed", range(4))
def test_the_linear_program_splits_systems_of_some_size(seed, monkeypatch):
    monkeypatch.setattr(ties, "TINY", -1)
    monkeypatch.setattr(ties, "SMALL", -1)
    generator = np.random.default_rng(seed)
    n = 25
    rows = np.rint(generator.standard_normal((60, n)) * 2)
    # A known tie: the first rows sum to zero; the others are negative on a direction that the first rows map to 0.
    rows[4] = -rows[:4].sum(axis=0)
    direction = np.linalg.svd(rows[:4])[2][-1]
    rows[5:] *= -np.sign(rows[5:] @ direction)[:, None]
    system = cone_system([], rows.tolist(), n)
    split = partition(system)
    assert split is not None
    assert split.implicit == (0, 1, 2, 3, 4)
    assert split.rank.rank == 4
    assert_split_is_proved(system, split)


def test_a_deadline_that_has_passed_gives_no_answer():
    system = cone_system([], [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]], 2)
    assert partition(system, deadline=time.monotonic() - 1) is None
    assert partition(system, deadline=time.monotonic() + 60) is not None


@examples(100)
@given(st.integers(1, 4), st.integers(0, 5), st.data())
def test_lineality_directions_are_lines_of_the_cone(n, m, data):
    matrix = data.draw(dyadic_matrices(m, n))
    system = ConeSystem(RowSet(matrix), np.zeros(m, dtype=bool), *(np.zeros(n, dtype=bool),) * 2)
    direction = lineality_direction(system)
    rows = matrix.fractions()
    assert (direction is None) == (rank(rows) == n)
    if direction is not None:
        assert any(direction)
        assert all(dot(row, [Fraction(value) for value in direction]) == 0 for row in rows)


def test_tall_systems_are_split_exactly_within_seconds():
    # (1, 0), (-1, 0) and (k, -1): d_1 = 0 is implicit, d_2 > 0 strict.
    rows = [(1, 0), (-1, 0), *((k, -1) for k in range(1, 2001))]
    system = ConeSystem(RowSet(DyadicMatrix.from_integers(rows, 2)), np.zeros(len(rows), bool), np.zeros(2, bool), np.zeros(2, bool))
    begin = time.monotonic()
    found = partition(system)
    assert found is not None
    assert found.implicit == (0, 1)
    assert len(found.strict) == 2000
    assert time.monotonic() - begin < 20


def test_fixed_columns_do_not_cost_the_float_path():
    generator = np.random.default_rng(0)
    matrix = np.rint(generator.standard_normal((60, 90)) * 2**20)
    fixed = np.arange(90) < 40
    system = ConeSystem(RowSet(DyadicMatrix.from_floats(matrix)), np.ones(60, bool), fixed, fixed)
    decision = decide(system)
    assert isinstance(decision, TrivialCone)
    assert decision.split is None
    assert isinstance(decision.evidence(), TrivialByMargin)
