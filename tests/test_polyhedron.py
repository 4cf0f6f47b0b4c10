"""Polyhedra in H-representation: shapes with known answers, refused rows, deadlines (properties: theorems/test_C.py, test_P.py)."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.polyhedron import Polyhedron, is_omnidirectional, is_unique_solution, nullspace_projection
from exactrelu.exact.rational import DyadicMatrix, RationalVector


def unit(n, j, sign=1):
    return [sign * int(i == j) for i in range(n)]


def cube(n):
    return [[*unit(n, j, sign), -1] for j in range(n) for sign in (1, -1)]


def cross_polytope(n):
    return [[*signs, -1] for signs in product((1, -1), repeat=n)]


@pytest.mark.parametrize("shape", [cube, cross_polytope])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_every_row_of_a_cube_and_a_cross_polytope_is_a_facet(shape, n):
    polyhedron = Polyhedron.make(n, inequalities=shape(n))
    assert (polyhedron.is_empty(), polyhedron.dimension(), polyhedron.is_bounded()) == (False, n, True)
    assert all(polyhedron.is_facet(i) for i in range(len(polyhedron.inequalities)))


@examples(40)
@given(st.integers(1, 3), st.integers(0, 2), st.sampled_from([Fraction(0), Fraction(1, 2**60), -Fraction(1, 2**60), Fraction(1)]))
def test_a_row_that_touches_a_corner_is_a_facet_only_if_it_cuts_it_off(n, extra, slack):
    # x_1 + .. + x_n <= n touches the cube's corner (1, .., 1); with -slack it cuts the corner off by as little as 2^-60.
    rows = [*cube(n), [*[1] * n, -n - slack], [*[1] * n, -n - 5 - extra]]
    polyhedron = Polyhedron.make(n, inequalities=rows)
    expected = slack < 0 or (slack == 0 and n == 1)
    assert polyhedron.is_facet(len(rows) - 2) == expected
    assert polyhedron.is_facet(len(rows) - 1) is False


def test_rows_of_one_facet_on_the_affine_hull_count_as_one_row():
    # With y = 0 the rows x <= 1 and x + y <= 1 define the same facet.
    polyhedron = Polyhedron.make(2, equalities=[(0, 1, 0)], inequalities=[(1, 0, -1), (1, 1, -1), (-1, 0, 0)])
    assert [polyhedron.is_facet(i) for i in range(3)] == [True, True, True]
    # The same with y = 0 implied by two inequalities.
    polyhedron = Polyhedron.make(2, inequalities=[(0, 1, 0), (0, -1, 0), (1, 0, -1), (2, 3, -2), (-1, 0, 0)])
    assert [polyhedron.is_facet(i) for i in range(5)] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("n", "equalities", "inequalities", "dimension", "bounded"),
    [
        (0, [], [], 0, True),
        (0, [[1]], [], -1, True),
        (0, [[0]], [], 0, True),
        (0, [], [[1]], -1, True),
        (0, [], [[-1]], 0, True),
        (1, [], [], 1, False),
        (1, [], [[0, 1]], -1, True),
        (1, [], [[0, 0], [0, -1]], 1, False),
        (1, [], [[1, 0], [-1, 0]], 0, True),
        (1, [], [[1, 0], [-1, Fraction(1, 2**200)]], -1, True),
        (1, [], [[1, 0], [-1, -Fraction(1, 2**200)]], 1, True),
        (2, [[1, 1, -1], [2, 2, -2]], [], 1, False),
        (2, [[1, 1, -1], [2, 2, -3]], [], -1, True),
        (2, [], [[1, 0, 0], [-1, 0, 0], [0, 1, 0]], 1, False),
        (3, [], [[1, 1, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 0]], 0, True),
    ],
)
def test_known_dimensions(n, equalities, inequalities, dimension, bounded):
    polyhedron = Polyhedron.make(n, equalities=equalities, inequalities=inequalities)
    assert polyhedron.dimension() == dimension
    assert polyhedron.is_empty() == (dimension < 0)
    assert polyhedron.is_bounded() == bounded
    assert (polyhedron.relative_interior_point() is None) == (dimension < 0)


def test_a_row_of_another_length_is_refused():
    with pytest.raises(InvalidRequestError, match="3 numbers; give 1 coefficients"):
        Polyhedron.make(1, inequalities=[(1, 2, 3)])


def test_rows_are_cleared_to_integers_without_changing_the_set():
    polyhedron = Polyhedron.make(1, equalities=[(Fraction(1, 2), Fraction(-1, 3))])
    assert polyhedron.equalities == ((3, -2),)
    assert polyhedron.contains(RationalVector((2,), 3))
    assert not polyhedron.contains(RationalVector((1,), 3))


def test_equalities_take_part_in_uniqueness():
    point = RationalVector((1, 0))
    segment = Polyhedron.make(2, equalities=[(1, 1, -1)], inequalities=[(0, -1, 0)])
    assert is_unique_solution(segment, point) is False
    corner = Polyhedron.make(2, equalities=[(1, 1, -1)], inequalities=[(0, -1, 0), (1, 2, -1)])
    assert is_unique_solution(corner, point) is True
    assert is_unique_solution(corner, RationalVector((0, 1))) is False


def test_omnidirectional_examples():
    assert is_omnidirectional([(1,), (-1,)], 1)
    assert not is_omnidirectional([(1,), (0,)], 1)
    assert is_omnidirectional([(1, 0), (0, 1), (-1, -Fraction(1, 2**99))], 2)
    assert not is_omnidirectional([(1, 0), (0, 1), (-1, Fraction(1, 2**99))], 2)


def test_a_deadline_that_has_passed_gives_the_right_answer_or_none():
    past = time.monotonic() - 1
    square = Polyhedron.make(2, inequalities=cube(2))
    assert square.is_empty(deadline=past) in {None, False}
    assert square.is_bounded(deadline=past) in {None, True}
    assert square.dimension(deadline=past) in {None, 2}
    assert square.is_facet(0, deadline=past) in {None, True}
    assert is_omnidirectional([(1,), (-1,)], 1, deadline=past) in {None, True}


def test_a_projection_whose_rank_drops_modulo_the_usual_primes_is_still_exact():
    p, q = 2**31 - 1, 2**61 - 1
    equalities, inequalities = DyadicMatrix.from_integers([[p, 0, 0], [0, q, 0]], 3), DyadicMatrix.from_integers([[0, 0, -2]], 3)
    basis, projected = nullspace_projection(equalities, inequalities)
    assert basis == [[0], [0], [1]]
    assert projected == [[-1]]
