"""C: one predicate, proved exactly. Second opinions: PPL and brute force over fractions (oracles.py)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import (
    always_zero,
    assert_split_is_proved,
    brute_facts,
    cone_system,
    dot,
    examples,
    generators,
    is_strict,
    kernel,
    margin_accepts,
    ppl_facts,
    ppl_polyhedron,
    rank,
    system_rows,
)

from exactrelu.exact.cone import StrictRayFound, Tie, TrivialCone, decide
from exactrelu.exact.linalg import exact_rank, rank_mod
from exactrelu.exact.margin import proves_strict_ray, proves_trivial
from exactrelu.exact.margin_certificate import ray_certificate, trivial_certificate
from exactrelu.exact.polyhedron import Polyhedron, is_omnidirectional
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.search import Direction, Multipliers, search
from exactrelu.exact.slices import exact_product
from exactrelu.exact.system import ConeSystem, RowSet
from exactrelu.exact.ties import partition
from exactrelu.strategies import dyadic_matrices, rational_vectors

pytest.importorskip("ppl", reason="pplpy gives the second opinion")


@st.composite
def polyhedra(draw, *, largest=3):
    """(n, equalities, inequalities) over fractions; rows are often tight at a common point, and copies of each other."""
    n = draw(st.integers(0, largest))
    point = draw(rational_vectors(n)).fractions()
    parts = []
    for count in (draw(st.sampled_from([0, 0, 1, 2])), draw(st.integers(0, 6))):
        rows = draw(dyadic_matrices(count, n)).fractions()
        slacks = draw(st.lists(st.sampled_from([0, 0, 0, 1, 1, -1, Fraction(1, 3)]), min_size=count, max_size=count))
        parts.append([[*row, -dot(row, point) - (slack if len(parts) else 0)] for row, slack in zip(rows, slacks, strict=True)])
    return n, parts[0], parts[1]


@st.composite
def systems(draw, *, largest=4, sides=True):
    """Cone systems with every combination of equalities, inequalities, lower, upper and both sides; no row is zero."""
    n = draw(st.integers(1, largest))
    matrix = draw(dyadic_matrices(draw(st.integers(0, 6)), n))
    matrix = matrix.rows(matrix.nonzero_rows)
    m = matrix.shape[0]
    equality = np.array([draw(st.integers(0, 3)) == 0 for _ in range(m)], dtype=bool)
    kinds = draw(st.lists(st.sampled_from("nnnluf" if sides else "n"), min_size=n, max_size=n))
    lower = np.array([kind in "lf" for kind in kinds], dtype=bool)
    upper = np.array([kind in "uf" for kind in kinds], dtype=bool)
    return ConeSystem(RowSet(matrix), equality, lower, upper)


def truth_of(system: ConeSystem) -> tuple[str, int, set[int]]:
    """By brute force and by PPL: ('trivial' | 'ray' | 'tie', dimension of C, positions of implicit equalities among inequalities)."""
    equalities, inequalities = system_rows(system)
    n = system.dimension
    lines, rays = generators(equalities, inequalities, n)
    dimension = rank([*lines, *rays])
    implicit = {k for k, row in enumerate(inequalities) if not any(dot(row, ray) for ray in rays)}
    polyhedron = ppl_polyhedron([[*row, Fraction(0)] for row in equalities], [[*row, Fraction(0)] for row in inequalities], n)
    assert polyhedron.affine_dimension() == dimension
    assert {k for k, row in enumerate(inequalities) if always_zero(polyhedron, [*row, Fraction(0)])} == implicit
    kind = "trivial" if dimension == 0 else "tie" if implicit or not inequalities else "ray"
    return kind, dimension, implicit


def inequality_positions(system: ConeSystem) -> list[int]:
    """For each inequality of `system_rows` its number in the format."""
    general = np.flatnonzero(~system.equality).tolist()
    return [*general, *range(system.general_count, system.row_count)]


# ---------------------------------------------------------------- C1


@examples(200)
@given(polyhedra())
def test_C1_empty_interior_dimension_and_bounded(case):
    n, equalities, inequalities = case
    polyhedron = Polyhedron.make(n, equalities=equalities, inequalities=inequalities)
    facts = ppl_facts(equalities, inequalities, n)
    if n <= 2:
        assert brute_facts(equalities, inequalities, n) == facts
    assert polyhedron.is_empty() == (facts.dimension < 0)
    assert polyhedron.dimension() == facts.dimension
    assert polyhedron.is_bounded() == facts.bounded
    point = polyhedron.relative_interior_point()
    assert (point is None) == (facts.dimension < 0)
    if point is not None:
        assert polyhedron.contains(point)
        # Relative interior: what is tight at the point is tight everywhere.
        exact = ppl_polyhedron(equalities, inequalities, n)
        assert set(polyhedron.tight(point)) == {i for i, row in enumerate(inequalities) if always_zero(exact, row)}
        direction = polyhedron.recession_direction()
        assert (direction is None) == facts.bounded
        if direction is not None:
            assert any(direction.numerators)
            assert all(dot(row[:-1], direction.fractions()) == 0 for row in equalities)
            assert all(dot(row[:-1], direction.fractions()) <= 0 for row in inequalities)


@examples(200)
@given(polyhedra())
def test_C1_a_row_is_a_facet_iff_its_face_has_one_dimension_less(case):
    n, equalities, inequalities = case
    polyhedron = Polyhedron.make(n, equalities=equalities, inequalities=inequalities)
    facts = ppl_facts(equalities, inequalities, n)
    for index, row in enumerate(inequalities):
        face = ppl_facts([*equalities, row], inequalities, n)
        expected = facts.dimension >= 0 and face.dimension == facts.dimension - 1 >= 0
        assert polyhedron.is_facet(index) == expected
        # Redundant: the set is the same without the row. A facet with no other row of its kind is not.
        others = [*inequalities[:index], *inequalities[index + 1 :]]
        if ppl_polyhedron(equalities, others, n) != ppl_polyhedron(equalities, inequalities, n) and expected is False:
            # An irredundant row that is no facet is an implicit equality of the set, or the set is empty.
            assert facts.dimension < 0 or face == facts


@examples(150)
@given(st.integers(1, 3), st.integers(0, 7), st.data())
def test_C1_omnidirectional_is_the_cone_predicate_without_equalities(n, m, data):
    rows = data.draw(dyadic_matrices(m, n)).fractions()
    lines, rays = generators([], rows, n)
    assert is_omnidirectional(rows, n) == (not lines and not rays)


# ---------------------------------------------------------------- C2, C3, C4: the predicate and its proofs by margin


@examples(300)
@given(systems())
def test_C2_the_predicate_decides_every_small_system(system):
    assume(system.inequality.any())
    kind, dimension, implicit = truth_of(system)
    decision = decide(system)
    if kind == "trivial":
        assert isinstance(decision, TrivialCone) or (isinstance(decision, Tie) and decision.split.rank.rank == system.dimension)
    elif kind == "ray":
        assert isinstance(decision, StrictRayFound)
        assert is_strict(system, [Fraction(value) for value in decision.exact_direction()])
    else:
        assert isinstance(decision, Tie)
        positions = inequality_positions(system)
        assert set(decision.split.implicit) == {positions[k] for k in implicit}
        assert system.dimension - decision.split.rank.rank == dimension


def near(draw, values: np.ndarray) -> np.ndarray:
    """Some entries moved by a last bit, by 2^-60, or to the edge of underflow."""
    result = values.copy()
    for _ in range(draw(st.integers(0, 3))):
        if result.size:
            place = draw(st.integers(0, result.size - 1))
            change = draw(st.sampled_from(["up", "down", "plus", "minus", "tiny"]))
            value = result.flat[place]
            result.flat[place] = {
                "up": np.nextafter(value, np.inf),
                "down": np.nextafter(value, -np.inf),
                "plus": value + 2.0**-60,
                "minus": value - 2.0**-60,
                "tiny": 5e-324,
            }[change]
    return np.where(np.isfinite(result), result, 1.0)


@st.composite
def near_ties(draw):
    """Rows of a tie, opposite or summing to zero, some of them then moved by as little as floats allow, and scaled by powers of two."""
    n = draw(st.integers(1, 3))
    base = np.array(draw(st.lists(st.floats(-2, 2, width=16), min_size=2 * n, max_size=2 * n))).reshape(2, n)
    rows = np.vstack([base, -base, base.sum(axis=0), -base.sum(axis=0)])
    rows = near(draw, rows)
    scales = np.array(draw(st.lists(st.sampled_from([0, 0, 0, 1, 100, -149, -600, 400]), min_size=6, max_size=6)))
    with np.errstate(all="ignore"):
        rows = np.ldexp(rows, scales[:, None])
    equality = draw(st.sampled_from([0, 0, 1]))
    kinds = draw(st.lists(st.sampled_from("nnnlu"), min_size=n, max_size=n))
    kept = (rows != 0).any(axis=1)
    mask = np.arange(6) < equality
    lower, upper = (np.array([kind == letter for kind in kinds], dtype=bool) for letter in "lu")
    return ConeSystem(RowSet(DyadicMatrix.from_floats(rows[kept])), mask[kept], lower, upper)


@examples(300)
@given(st.one_of(near_ties(), systems()), st.data())
def test_C3_a_proof_by_margin_is_never_false_and_its_certificate_has_a_margin(system, data):
    assume(system.inequality.any())
    proposals = [np.array(data.draw(multipliers_for(system)))]
    with np.errstate(all="ignore"):
        if not system.fixed.any():
            found = search(system)
            if isinstance(found, Multipliers):
                proposals += [found.values, np.abs(found.values), near(data.draw, found.values)]
        claims = [proves_trivial(system, proposal) for proposal in proposals]
        written = [trivial_certificate(system, proposal) for proposal in proposals]
    if any(claims):
        assert truth_of(system)[0] == "trivial"
    for certificate in written:
        if certificate is not None and margin_accepts(system, certificate):
            assert truth_of(system)[0] == "trivial"


def multipliers_for(system):
    odd = st.sampled_from([0.0, 2.0**-100, 5e-324, 2.0**60, -1.0, np.nan, np.inf, 1e300])
    values = st.one_of(st.just(1.0), st.floats(0, 4, width=16), odd)
    return st.lists(values, min_size=system.general_count, max_size=system.general_count)


@examples(300)
@given(st.one_of(near_ties(), systems()), st.data())
def test_C4_a_strict_ray_by_margin_is_never_false(system, data):
    assume(system.inequality.any())
    values = st.one_of(st.floats(-2, 2, width=16), st.sampled_from([0.0, 1.0, -1.0, 2.0**-60, 5e-324, np.nan, np.inf, 1e300]))
    proposals = [np.array(data.draw(st.lists(values, min_size=system.dimension, max_size=system.dimension)))]
    with np.errstate(all="ignore"):
        if not system.fixed.any():
            found = search(system)
            if isinstance(found, Direction) and not found.vanishing.any():
                proposals += [found.values, near(data.draw, found.values)]
        # The caller answers for equality rows outside the float basis.
        complete = len(system.basis_rows) == rank(system_rows(system)[0])
        claims = [complete and proves_strict_ray(system, proposal) for proposal in proposals]
    if any(claims):
        assert truth_of(system)[0] == "ray"


def test_C4_dropping_an_equality_that_is_merely_close_to_dependent_would_give_a_false_ray():
    # d = (1, -1, 0) up to scale on the first equality alone; the second one forces d2 = d1 (1 + 2^-60) too, so d = 0 there.
    system = cone_system([[1.0, 1.0], [1.0, 1.0 + 2.0**-52]], [[1.0, 0.0]], 2)
    assert isinstance(decide(system), TrivialCone)
    duplicated = cone_system([[1.0, 1.0], [1.0, 1.0], [3.0, 3.0]], [[1.0, 0.0]], 2)
    decision = decide(duplicated)
    assert isinstance(decision, StrictRayFound)
    assert is_strict(duplicated, [Fraction(value) for value in decision.exact_direction()])


@pytest.mark.parametrize("last", [-1.0, np.nextafter(-1.0, 0), np.nextafter(-1.0, -2)])
@pytest.mark.parametrize("scale", [1.0, 2.0**-149, 2.0**100, 2.0**-1000])
def test_C2_rows_that_differ_in_their_last_bit_are_told_apart(last, scale):
    # (1, 1) and (-1, last): opposite, or a wedge on one side or the other; the third row closes one of them.
    system = cone_system([], [[scale, scale], [-1.0, last], [0.0, 1.0]], 2)
    kind, dimension, implicit = truth_of(system)
    decision = decide(system)
    if kind == "tie":
        assert isinstance(decision, Tie)
        assert set(decision.split.implicit) == implicit
    else:
        assert isinstance(decision, {"trivial": TrivialCone, "ray": StrictRayFound}[kind])
        assert dimension == {"trivial": 0, "ray": 2}[kind]


# ---------------------------------------------------------------- C5


@examples(200)
@given(st.integers(0, 4), st.integers(0, 5), st.integers(0, 4), st.data())
def test_C5_products_by_slices_are_exact(m, k, n, data):
    left, right = data.draw(dyadic_matrices(m, k)), data.draw(dyadic_matrices(k, n))
    integers, exponent = exact_product(left, right)
    scale = Fraction(2) ** exponent
    columns = list(zip(*right.fractions(), strict=True)) if k else [()] * n
    expected = [[dot(row, column) for column in columns] for row in left.fractions()]
    assert [[int(value) * scale for value in row] for row in integers.tolist()] == expected


# ---------------------------------------------------------------- C6


@examples(300)
@given(systems())
def test_C6_the_partition_is_that_of_Goldman_and_Tucker(system):
    split = partition(system)
    assert split is not None
    _, dimension, implicit = truth_of(system)
    positions = inequality_positions(system)
    assert set(split.implicit) == {positions[k] for k in implicit}
    assert set(split.strict) == set(positions) - set(split.implicit)
    assert split.rank.rank == system.dimension - dimension
    assert_split_is_proved(system, split)


@pytest.mark.parametrize("seed", range(6))
def test_C6_the_linear_program_and_the_simplex_method_split_alike(seed, monkeypatch):
    from exactrelu.exact import ties

    generator = np.random.default_rng(seed)
    rows = generator.integers(-1, 2, size=(14, 6)).astype(np.float64)
    rows[7:10] = -rows[4:7]
    system = cone_system(rows[:2].tolist(), rows[2:].tolist(), 6)
    exact = partition(system)
    monkeypatch.setattr(ties, "TINY", -1)
    monkeypatch.setattr(ties, "SMALL", -1)
    proposed = partition(system)
    assert exact is not None
    assert proposed is not None
    assert (exact.implicit, exact.strict, exact.rank.rank) == (proposed.implicit, proposed.strict, proposed.rank.rank)
    for split in (exact, proposed):
        assert_split_is_proved(system, split)


# ---------------------------------------------------------------- C7


@examples(250)
@given(st.integers(0, 5), st.integers(0, 5), st.data())
def test_C7_the_rank_and_its_evidence(m, n, data):
    matrix = data.draw(dyadic_matrices(m, n))
    rows = matrix.fractions()
    found = exact_rank(matrix)
    assert found.rank == rank(rows)
    assert rank_mod(matrix, 2**31 - 1) <= found.rank
    listed = [i for i in range(m) if found.rows >> i & 1]
    columns = [j for j in range(n) if found.columns >> j & 1]
    assert len(listed) == len(columns) == found.rank
    assert rank([[rows[i][j] for j in columns] for i in listed]) == found.rank
    nonzero = [i for i in range(m) if any(rows[i])]
    if found.bound == "rows":
        assert len(nonzero) == found.rank
    elif found.bound == "columns":
        assert sum(any(row[j] for row in rows) for j in range(n)) == found.rank
    elif found.bound == "relations":
        assert [relation.row for relation in found.relations] == [i for i in nonzero if i not in listed]
        for relation in found.relations:
            assert relation.denominator > 0
            assert {j for j, _ in relation.terms} <= set(listed)
            combined = [sum((c * rows[j][k] for j, c in relation.terms), Fraction(0)) for k in range(n)]
            assert combined == [relation.denominator * value for value in rows[relation.row]]
    else:
        vectors = [[Fraction(value) for value in vector] for vector in found.null_vectors]
        assert rank(vectors) == len(vectors) == n - found.rank
        assert all(dot(row, vector) == 0 for row in rows for vector in vectors)


def test_C7_a_rank_that_drops_modulo_every_usual_prime_is_still_found():
    primes = [2**31 - 1, 2**61 - 1, 2**31 - 19, 2**61 - 31]
    matrix = DyadicMatrix.from_integers([[p * (i == j) for j in range(5)] for i, p in enumerate([*primes, 1])], 5)
    assert exact_rank(matrix).rank == 5


@examples(100)
@given(systems(), st.data())
def test_C4_integer_rays_satisfy_the_rule_when_they_claim_a_margin(system, data):
    assume(system.inequality.any() and not system.fixed.any())
    with np.errstate(all="ignore"):
        found = search(system)
    assume(isinstance(found, Direction) and not found.vanishing.any())
    exact = exact_rank(system.equality_matrix)
    rows = np.array([int(system.equality_rows[i]) for i in range(len(system.equality_rows)) if exact.rows >> i & 1], dtype=np.int64)
    columns = np.array([j for j in range(system.dimension) if exact.columns >> j & 1], dtype=np.int64)
    with np.errstate(all="ignore"):
        ray = ray_certificate(system, found.values, (rows, columns))
    if ray is None:
        return
    # Correct the direction on the block's columns exactly: what the rule promises is that the result is a strict ray.
    d = [Fraction(value) for value in ray.direction]
    matrix = system.rows.matrix.fractions()
    if len(rows):
        block = [[*[matrix[i][j] for j in columns], dot(matrix[i], d)] for i in rows.tolist()]
        (solution,) = kernel(block, len(columns) + 1)
        for place, j in enumerate(columns.tolist()):
            d[j] += solution[place] / solution[-1]
    assert is_strict(system, d)
