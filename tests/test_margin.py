"""Proofs by margin: adversarial proposals, the attacks that once broke float proofs, and that proofs exist at all."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import cone_system, dot, examples, generators, is_strict, margin_accepts, rank, system_rows

from exactrelu.errors import InvalidNumberError
from exactrelu.exact import margin
from exactrelu.exact.kernel import pivot_rows
from exactrelu.exact.margin import proves_strict_ray, proves_trivial
from exactrelu.exact.margin_certificate import ray_certificate, trivial_certificate
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.search import Multipliers, search
from exactrelu.exact.system import ConeSystem, RowSet


def is_trivial(system: ConeSystem) -> bool:
    lines, rays = generators(*system_rows(system), system.dimension)
    return not lines and not rays


def has_strict_ray(system: ConeSystem) -> bool:
    equalities, inequalities = system_rows(system)
    lines, rays = generators(equalities, inequalities, system.dimension)
    total = [sum(values, Fraction(0)) for values in zip(*(lines + rays), strict=True)] if lines or rays else []
    # The sum of all extreme rays is in the relative interior; a line is needed where there is no inequality.
    return bool(total) and all(dot(row, total) < 0 for row in inequalities) and (bool(inequalities) or bool(lines))


def proofs(system: ConeSystem, weights: np.ndarray) -> tuple[bool, bool]:
    """Whether multipliers are believed, as those of the rows and as those of the scaled rows, and whether a certificate follows."""
    with np.errstate(all="ignore"):
        variants = [weights, np.ldexp(weights, system.rows.exponents)]
        found = [trivial_certificate(system, variant) for variant in variants]
        proved = any(proves_trivial(system, variant) for variant in variants)
    return proved, any(one is not None and margin_accepts(system, one) for one in found)


T = 2.0**-999
X = 1.5 * 2.0**60
U = 2.0**36
H = 127 / 256 * U


# The attacks A1 to A14 on an earlier float checker, which accepted some of these false claims.
FALSE_TRIVIAL = {
    "A1 a slack that underflows": (
        [[1, T], [-1, T / 2], [2.0**-60, 0], [-(2.0**-60), 0], [2.0**-120, 0], [-(2.0**-120), 0]],
        [2.0**-100] * 6,
    ),
    "A3 rows that integers beyond 2^53 would round": ([[X + 256, X - 256], [-X + 256, -X + 512], [0, -1]], [1.0, 1.0, 256.0]),
    "a column that vanishes on scaling": ([[2.0**1000, 2.0**-1074], [-(2.0**1000), 2.0**-1074]], [1.0, 1.0]),
    "opposite rows but for the last bit": ([[1.0, 1.0], [-1.0, np.nextafter(-1.0, -2)], [0.0, -1.0]], [1.0, 1.0, 2.0**-53]),
    "opposite rows but for 2^-60": ([[1.0, 2.0**-60], [-1.0, 2.0**-60], [0.0, 1.0]], [1.0, 1.0, 2.0**-70]),
    "a multiplier that is too small to be there": ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -(2.0**-600)]], [1.0, 1.0, 0.0, 1.0]),
}


@pytest.mark.parametrize("name", FALSE_TRIVIAL)
def test_a_false_claim_of_a_trivial_cone_is_not_proved(name):
    rows, weights = FALSE_TRIVIAL[name]
    system = cone_system([], rows, 2)
    proved, certified = proofs(system, np.array(weights))
    if not is_trivial(system):
        assert not proved
        assert not certified
    # Every attack but the last is on a cone that does hold a direction.
    assert is_trivial(system) == (name == "a multiplier that is too small to be there")


def test_A2_a_strict_ray_that_rounding_feigns_is_not_proved():
    eta = 100 / 256 * U / X
    rows = [[-(2.0**180), 0, 0, 0], [0, -(2.0**120), 0, 0], [0, 0, X - H, X + H], [0, 0, -X - H, -X - U + H], [0, 0, 0, -X]]
    system = cone_system([], rows, 4)
    assert not has_strict_ray(system)
    assert not proves_strict_ray(system, np.array([1, 1, -1, 1 - eta]))


def test_A3_integers_beyond_2_to_the_53_do_not_enter_as_floats():
    with pytest.raises(InvalidNumberError, match="2\\^53"):
        DyadicMatrix.from_floats(np.array([[3 * 2**59 + 127, 3 * 2**59 - 127]], dtype=np.int64))


@pytest.mark.parametrize("direction", [[0.0, 0.0], [0.0, 2.0**-60], [1.0, 1.0], [5e-324, 0.0]])
def test_A8_a_full_set_of_equalities_leaves_no_ray(direction):
    assert not proves_strict_ray(cone_system([[1.0, 0.0], [0.0, 1.0]], [], 2), np.array(direction))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -1.0, -0.0, 0.0, 5e-324, 1e-300, 1e300])
def test_A9_multipliers_that_are_no_positive_numbers_of_a_safe_size_prove_nothing(bad):
    system = cone_system([], [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], 2)
    weights = np.array([1.0, 1.0, bad])
    with np.errstate(all="ignore"):
        assert not proves_trivial(system, weights)
        found = trivial_certificate(system, weights)
    assert found is None or margin_accepts(system, found)
    assert not proves_strict_ray(system, np.array([-1.0, bad]))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_A10_A11_rows_that_are_not_finite_are_refused_and_prove_nothing_if_smuggled_in(bad):
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0], [bad, 0.0]])
    with pytest.raises(InvalidNumberError, match="index"):
        DyadicMatrix.from_floats(rows)
    none = np.zeros(2, dtype=bool)
    system = ConeSystem(RowSet(DyadicMatrix(rows)), np.zeros(4, dtype=bool), none, none)
    assert not proves_trivial(system, np.ones(4))
    assert not proves_strict_ray(system, np.array([-1.0, -1.0]))


def test_A14_a_space_without_columns():
    system = cone_system([], [], 0)
    assert not proves_strict_ray(system, np.zeros(0))


@pytest.mark.parametrize("sound", [True, False])
def test_a_process_whose_arithmetic_is_not_ieee_proves_nothing(monkeypatch, sound):
    monkeypatch.setattr(margin, "float_arithmetic_is_sound", lambda: sound)
    simplex = cone_system([], [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], 2)
    quadrant = cone_system([], [[1.0, 0.0], [0.0, 1.0]], 2)
    assert proves_trivial(simplex, np.array([1.0, 1.0, 1.0])) == sound
    assert proves_strict_ray(quadrant, np.array([-1.0, -1.0])) == sound


@st.composite
def perturbed_simplices(draw):
    """Rows e_1, .., e_n, -(1, .., 1) and multiples, sometimes with a defect that opens the cone, at any scale."""
    n = draw(st.integers(1, 4))
    rows = np.vstack([np.eye(n), -np.ones((1, n))])
    defect = draw(st.sampled_from([0.0, 0.0, 2.0**-53, 2.0**-30, -(2.0**-53), -(2.0**-30), 1.0, 2.0]))
    rows[n, draw(st.integers(0, n - 1))] += defect
    scale = np.array(draw(st.lists(st.integers(-300, 300), min_size=n + 1, max_size=n + 1)))
    weights = np.array(draw(st.lists(st.sampled_from([1.0, 1.0, 1.0, 1 + 2.0**-20, 2.0, 2.0**-52]), min_size=n + 1, max_size=n + 1)))
    none = np.zeros(n, dtype=bool)
    rows = np.ldexp(rows, scale[:, None])
    kept = (rows != 0).any(axis=1)
    return ConeSystem(RowSet(DyadicMatrix.from_floats(rows[kept])), np.zeros(int(kept.sum()), dtype=bool), none, none), weights[kept]


@examples(200)
@given(perturbed_simplices())
def test_margins_near_the_edge_are_never_false(case):
    system, weights = case
    proved, certified = proofs(system, weights)
    if proved or certified:
        assert is_trivial(system)


@examples(200)
@given(st.integers(1, 4), st.data())
def test_rays_near_the_edge_are_never_false(n, data):
    entries = st.sampled_from([0.0, 1.0, -1.0, 2.0**-60, -(2.0**-53), 1 + 2.0**-52])
    m, p = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 2))
    rows = [data.draw(st.lists(entries, min_size=n, max_size=n)) for _ in range(m + p)]
    system = cone_system(rows[:p], rows[p:], n)
    direction = np.array(data.draw(st.lists(entries, min_size=n, max_size=n)))
    if len(system.basis_rows) == rank(system_rows(system)[0]) and proves_strict_ray(system, direction):
        assert has_strict_ray(system)


@pytest.mark.parametrize("seed", range(8))
def test_generic_cones_are_proved_by_margin_with_certificates(seed):
    # Without this the properties above could hold because nothing is ever proved.
    generator = np.random.default_rng(seed)
    n, m = 4, 9
    rows = generator.standard_normal((m, n))
    weights = generator.random(m) + 0.5
    rows[-1] = -(weights[:-1] @ rows[:-1]) / weights[-1]
    scale = 2.0 ** generator.integers(-12, 12, m)
    system = cone_system([], (rows * scale[:, None]).tolist(), n)
    proved, certified = proofs(system, weights / scale)
    assert proved
    assert certified
    half = rows[rows[:, 0] < 0]
    system = cone_system([[0.0, 1.0, 1.0, 1.0]], half.tolist(), n)
    direction = np.array([1e6, 1.0, 1.0, -2.0])
    assert proves_strict_ray(system, direction)
    ray = ray_certificate(system, direction, (np.array([0]), np.array([1])))
    assert ray is not None
    d = [Fraction(value) for value in ray.direction]
    d[1] -= dot([Fraction(v) for v in (0, 1, 1, 1)], d)
    assert is_strict(system, d)


@pytest.mark.parametrize("exponent", [-1074, -1022, -400, 0, 400, 1000])
def test_a_certificate_is_found_at_every_scale_of_the_weights(exponent):
    system = cone_system([], (np.array([[1.0], [-1.0]]) * 2.0**exponent).tolist(), 1)
    assert proves_trivial(system, np.ones(2))
    found = trivial_certificate(system, np.ones(2))
    assert found is not None
    assert margin_accepts(system, found)


@pytest.mark.parametrize("seed", range(6))
def test_certificates_are_found_where_sides_and_duplicated_equalities_take_part(seed):
    # Selected rows are general ones and sides, in whichever order the elimination picks them.
    generator = np.random.default_rng(seed)
    n, p, m = 12, 4, 30
    rows = generator.standard_normal((m, n))
    rows[m // 2 :] = np.abs(rows[m // 2 :])
    rows[1] = 2 * rows[0]
    equality = np.arange(m) < p
    side = np.arange(n) < 9
    system = ConeSystem(RowSet(DyadicMatrix.from_floats(rows)), equality, side, np.zeros(n, dtype=bool))
    proposal = search(system)
    assert isinstance(proposal, Multipliers)
    assert proves_trivial(system, proposal.values)
    found = trivial_certificate(system, proposal.values)
    assert found is not None
    assert margin_accepts(system, found)


def test_pivot_rows_are_independent_or_none():
    assert pivot_rows(np.zeros((1, 2))) is None
    assert pivot_rows(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])) is None
    assert sorted(pivot_rows(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])).tolist()) in ([1, 2], [0, 2])
    assert pivot_rows(np.zeros((3, 0))).tolist() == []


def test_a_residual_whose_square_underflows_is_not_taken_for_zero():
    # C holds (-1, 2^-300); sigma on the free column is about 2^-600, and its square is below the smallest float.
    rows = RowSet(DyadicMatrix.from_floats([[2.0**-300, 1.0]]))
    system = ConeSystem(rows, np.array([True]), np.array([False, True]), np.array([False, False]))
    assert not proves_trivial(system, np.array([2.0**-240]))
    assert not proves_trivial(system, np.array([2.0**-300]))
