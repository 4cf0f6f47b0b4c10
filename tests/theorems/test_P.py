"""P: the pre-image of one layer. Second opinions: PPL and brute force over fractions (oracles.py)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import (
    accepted,
    brute_facts,
    claim_words,
    dot,
    echelon,
    evaluate,
    examples,
    generators,
    in_domain,
    kernel,
    ppl_facts,
    ppl_polyhedron,
    preimage_rows,
    rank,
    system_rows,
    truth,
)

from exactrelu.domain import AllSpace, Box, Orthant
from exactrelu.exact.polyhedron import Polyhedron, is_omnidirectional, is_unique_solution, nullspace_projection
from exactrelu.exact.rational import DyadicMatrix, RationalVector, stack
from exactrelu.network.model import Layer
from exactrelu.preimage.homogenised import Homogenised
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.strategies import domains, dyadic_matrices, layers, layers_with_points, outputs, rational_vectors
from exactrelu.verdict import Cardinality, Preimage

pytest.importorskip("ppl", reason="pplpy gives the second opinion")


def decided(result: Preimage) -> tuple[str, int | None]:
    return result.cardinality.value, result.dimension


def moved(x: RationalVector, step: RationalVector) -> list[Fraction]:
    return [a + b for a, b in zip(x.fractions(), step.fractions(), strict=True)]


def assert_witness(prepared: LayerPreimage, result: Preimage, y: list[Fraction]) -> None:
    """The witness shows, by evaluation alone, that there is more than one point (and that a ray never ends)."""
    layer, domain, witness = prepared.layer, prepared.domain, result.witness
    if not result.cardinality.is_infinite:
        assert witness is None
        return
    assert witness is not None
    others = [] if witness.second is None else [witness.second.fractions()]
    if witness.ray is not None:
        assert any(witness.ray.numerators)
        steps = list(zip(witness.point.fractions(), witness.ray.fractions(), strict=True))
        others += [[a + length * b for a, b in steps] for length in (1, 10**400)]
    assert others
    assert (witness.ray is not None) == (result.cardinality is Cardinality.UNBOUNDED)
    for point in [witness.point.fractions(), *others]:
        assert in_domain(domain, point)
        assert evaluate(layer, point) == y
    assert all(point != witness.point.fractions() for point in others)


# ---------------------------------------------------------------- P1


@examples(150)
@given(layers_with_points(), st.data())
def test_P1_the_pre_image_is_the_polyhedron_of_the_system(case, data):
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x))
    y = layer(x)
    equality = np.array([value > 0 for value in y.numerators], dtype=bool) | ~layer.rectified
    equalities, inequalities = system_rows(Homogenised.of(layer, domain, y, equality).system)
    other = data.draw(rational_vectors(layer.inputs))
    for point in (x.fractions(), other.fractions(), moved(x, other)):
        lifted = [*point, Fraction(1)]
        satisfies = all(dot(row, lifted) == 0 for row in equalities) and all(dot(row, lifted) <= 0 for row in inequalities)
        assert satisfies == (in_domain(domain, point) and evaluate(layer, point) == y.fractions())


# ---------------------------------------------------------------- P2


@examples(300)
@given(layers_with_points(), st.data(), st.booleans())
def test_P2_cardinality_dimension_witness_and_certificate_from_an_input(case, data, rational):
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x))
    prepared = LayerPreimage(layer, domain, rational=rational)
    y = evaluate(layer, x.fractions())
    result = prepared.of_point(x)
    facts = truth(layer, domain, y)
    assert decided(result) == (facts.cardinality, facts.dimension)
    assert result.active == sum(value > 0 for value in y)
    if facts.dimension >= 0:
        assert result.rank == rank([row[:-1] for row in preimage_rows(layer, AllSpace(), y)[0]])
    assert_witness(prepared, result, y)
    assert accepted(prepared, result, "layer-input", x).endswith(claim_words(result))


@examples(250)
@given(st.data(), st.booleans())
def test_P2_cardinality_dimension_witness_and_certificate_from_an_output(data, rational):
    layer, near = data.draw(layers_with_points())
    y = data.draw(outputs(layer))
    domain = data.draw(domains(layer.inputs, near=near))
    prepared = LayerPreimage(layer, domain, rational=rational)
    result = prepared.of_output(y)
    facts = truth(layer, domain, y.fractions())
    assert decided(result) == (facts.cardinality, facts.dimension)
    assert_witness(prepared, result, y.fractions())
    for solution in result.solutions or ():
        assert in_domain(domain, solution.fractions())
        assert evaluate(layer, solution.fractions()) == y.fractions()
    assert accepted(prepared, result, "output", y).endswith(claim_words(result))


@examples(150)
@given(layers_with_points(), st.data())
def test_P2_an_input_and_its_output_have_the_same_pre_image(case, data):
    layer, x = case
    prepared = LayerPreimage(layer, data.draw(domains(layer.inputs, near=x)))
    of_point, of_output = prepared.of_point(x), prepared.of_output(layer(x))
    assert decided(of_point) == decided(of_output)
    assert (of_point.rank, of_point.active, of_point.points) == (of_output.rank, of_output.active, of_output.points)
    if not prepared.domain.contains(x):
        assert of_point.solutions == of_output.solutions


@examples(150)
@given(layers_with_points(), st.data())
def test_P2_where_the_pre_image_is_a_point_the_input_is_reconstructed_from_its_output(case, data):
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x))
    found = LayerPreimage(layer, domain).of_output(layer(x))
    if domain.contains(x) and found.cardinality is Cardinality.SINGLETON:
        assert found.solutions == (x,)


@examples(150)
@given(layers_with_points(), st.data())
def test_P2_rational_evidence_and_margins_prove_the_same(case, data):
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x))
    plain, rational = (LayerPreimage(layer, domain, rational=flag) for flag in (False, True))
    one, other = plain.of_point(x), rational.of_point(x)
    assert decided(one) == decided(other)
    assert accepted(plain, one, "layer-input", x) == accepted(rational, other, "layer-input", x)
    assert " margin " not in rational.certificate(other, network_sha256="", layer_number=1, subject="layer-input", given=x).text()


@examples(60)
@given(st.integers(0, 2100), st.integers(-1074, 900), st.lists(st.sampled_from([-1.0, 1.0, 3.0]), min_size=2, max_size=2), st.booleans())
def test_P2_fixed_columns_may_hold_numbers_of_any_size(apart, low, signs, rectified):
    # Only the second coordinate is free, and its coefficient decides.
    weight = [[np.ldexp(signs[0], min(low + apart, 900)), np.ldexp(signs[1], low), 0.0]]
    layer = Layer(DyadicMatrix.from_floats(weight), DyadicMatrix.from_floats([[0.0]]), np.array([rectified]))
    x = RationalVector((0, 0, 0))
    prepared = LayerPreimage(layer, Box(x, RationalVector((0, 1, 0))))
    result = prepared.of_point(x)
    one = not rectified or signs[1] > 0
    assert result.cardinality is (Cardinality.SINGLETON if one else Cardinality.BOUNDED)
    assert accepted(prepared, result, "layer-input", x).endswith(claim_words(result))


def with_rows(layer: Layer, weight: list[list[Fraction]], bias: list[Fraction], rectified: list[bool]) -> Layer:
    parts = []
    for rows, columns in ((weight, layer.inputs), ([[value] for value in bias], 1)):
        denominator = max((value.denominator for row in rows for value in row), default=1)
        integers = [[int(value * denominator) for value in row] for row in rows]
        parts.append(DyadicMatrix.from_integers(integers, columns, 1 - denominator.bit_length()))
    return Layer(*parts, np.array(rectified, dtype=bool))


@examples(200)
@given(layers_with_points(wide=False), st.data())
def test_P2_scaling_permuting_and_duplicating_neurons_change_nothing(case, data):
    layer, x = case
    m = layer.outputs
    domain = data.draw(domains(layer.inputs, near=x))
    weight, bias = layer.weight.fractions(), [value for (value,) in layer.bias.fractions()]
    order = data.draw(st.permutations(range(m)))
    order = [*order, *data.draw(st.lists(st.sampled_from(order), max_size=3))] if m else []
    scales = [Fraction(2) ** data.draw(st.integers(-40, 40)) for _ in order]
    changed = with_rows(
        layer,
        [[scale * value for value in weight[i]] for i, scale in zip(order, scales, strict=True)],
        [scale * bias[i] for i, scale in zip(order, scales, strict=True)],
        [bool(layer.rectified[i]) for i in order],
    )
    assert decided(LayerPreimage(changed, domain).of_point(x)) == decided(LayerPreimage(layer, domain).of_point(x))


@examples(150)
@given(layers_with_points(wide=False), st.data(), st.integers(-60, 60))
def test_P2_scaling_and_permuting_inputs_change_nothing(case, data, exponent):
    layer, x = case
    n = layer.inputs
    domain = data.draw(st.sampled_from([AllSpace(), Orthant(), Box(x, RationalVector.from_fractions(v + 1 for v in x.fractions()))]))
    order, scale = data.draw(st.permutations(range(n))), Fraction(2) ** exponent

    def pushed(point: RationalVector) -> RationalVector:
        values = point.fractions()
        return RationalVector.from_fractions(scale * values[j] for j in order)

    changed = with_rows(
        layer,
        [[row[j] / scale for j in order] for row in layer.weight.fractions()],
        [value for (value,) in layer.bias.fractions()],
        layer.rectified.tolist(),
    )
    other = Box(pushed(domain.lower), pushed(domain.upper)) if isinstance(domain, Box) else domain
    assert decided(LayerPreimage(changed, other).of_point(pushed(x))) == decided(LayerPreimage(layer, domain).of_point(x))


@examples(100)
@given(layers_with_points(), st.data())
def test_P2_a_smaller_domain_has_a_smaller_pre_image(case, data):
    layer, x = case
    small = data.draw(domains(layer.inputs, near=x))
    whole, part = LayerPreimage(layer, AllSpace()).of_point(x), LayerPreimage(layer, small).of_output(layer(x))
    assert part.dimension <= whole.dimension
    if whole.cardinality is not Cardinality.UNBOUNDED:
        assert part.cardinality is not Cardinality.UNBOUNDED


# ---------------------------------------------------------------- P3


@examples(300)
@given(st.integers(1, 3), st.integers(1, 7), st.data())
def test_P3_the_five_conditions_are_equivalent(n, m, data):
    import ppl

    rows = data.draw(dyadic_matrices(m, n)).fractions()
    verdict = is_omnidirectional(rows, n)
    # (1) exactly one x has A x <= 0.
    assert verdict == (ppl_facts([], [[*row, Fraction(0)] for row in rows], n).dimension == 0)
    # (3) A x <= 0 implies x = 0.
    lines, rays = generators([], rows, n)
    assert verdict == (not lines and not rays)
    # (2) every open half-space {v : v.u > 0} contains a row: for a drawn u, or against the ray that (3) finds.
    u = data.draw(rational_vectors(n)).fractions()
    if verdict and any(u):
        assert any(dot(row, u) > 0 for row in rows)
    if not verdict:
        assert all(dot(row, (lines + rays)[0]) <= 0 for row in rows)
    # (4) 0 is in the interior of the convex hull of the rows.
    hull = ppl.C_Polyhedron(n, "empty")
    for row in rows:
        denominator = max(value.denominator for value in row)
        hull.add_generator(ppl.point(ppl.Linear_Expression([int(value * denominator) for value in row], 0), denominator))
    interior = hull.affine_dimension() == n and all(constraint.inhomogeneous_term() > 0 for constraint in hull.minimized_constraints())
    assert verdict == interior
    # (5) rank A = n and some lambda >= 1 has lambda A = 0.
    columns = [[*column, Fraction(0)] for column in zip(*rows, strict=True)]
    at_least_one = [[Fraction(-int(i == j)) for i in range(m)] + [Fraction(1)] for j in range(m)]
    assert verdict == (rank(rows) == n and not ppl_polyhedron(columns, at_least_one, m).is_empty())


def test_P3_without_rows_only_the_space_of_one_point_is_omnidirectional():
    assert is_omnidirectional([], 0)
    assert not is_omnidirectional([], 1)


# ---------------------------------------------------------------- P4


@examples(250)
@given(st.integers(1, 3), st.integers(0, 6), st.data())
def test_P4_a_solution_is_the_only_one_iff_its_tight_rows_are_omnidirectional(n, m, data):
    rows = data.draw(dyadic_matrices(m, n)).fractions()
    x = data.draw(rational_vectors(n))
    slack = data.draw(st.lists(st.sampled_from([0, 0, 0, 1, -1]), min_size=m, max_size=m))
    inequalities = [[*row, -dot(row, x.fractions()) - extra] for row, extra in zip(rows, slack, strict=True)]
    polyhedron = Polyhedron.make(n, inequalities=inequalities)
    contained = min(slack, default=0) >= 0
    assert polyhedron.contains(x) == contained
    tight = [row for row, extra in zip(rows, slack, strict=True) if extra == 0]
    expected = contained and brute_facts([], inequalities, n).dimension == 0
    assert is_unique_solution(polyhedron, x) == expected
    if contained:
        assert is_omnidirectional(tight, n) == expected
    # (A, b) is omnidirectional for x iff b = -A x and A is: x is the only solution of A x + b <= 0 and all rows are tight there.
    if m and not any(slack):
        assert is_unique_solution(polyhedron, x) == is_omnidirectional(rows, n)


# ---------------------------------------------------------------- P5


@examples(250)
@given(st.integers(1, 4), st.integers(0, 4), st.integers(0, 6), st.data())
def test_P5_the_projected_cone_is_the_cone_of_P2(n, p, z, data):
    equalities, inequalities = data.draw(dyadic_matrices(p, n)), data.draw(dyadic_matrices(z, n))
    basis, projected = nullspace_projection(equalities, inequalities)
    columns = [[Fraction(row[k]) for row in basis] for k in range(len(basis[0]))]
    exact = [[dot(row, column) for column in columns] for row in inequalities.fractions()]
    # The columns of N are a basis of ker A_P, and the rows are positive multiples of those of A_Z N.
    assert all(dot(row, column) == 0 for row in equalities.fractions() for column in columns)
    assert rank(columns) == len(columns) == n - rank(equalities.fractions())
    for own, row in zip(projected, exact, strict=True):
        factor = next((Fraction(a) / b for a, b in zip(own, row, strict=True) if b), Fraction(1))
        assert factor > 0
        assert own == [factor * value for value in row]
    lines, rays = generators(equalities.fractions(), inequalities.fractions(), n)
    if columns:
        own_lines, own_rays = generators([], [[Fraction(value) for value in row] for row in projected], len(columns))
        assert (len(own_lines), len(own_rays)) == (len(lines), len(rays))
    else:
        assert not lines
        assert not rays


@examples(150)
@given(layers_with_points())
def test_P5_agrees_with_P2_on_singletons_and_boundedness(case):
    layer, x = case
    result = LayerPreimage(layer, AllSpace()).of_point(x)
    z = layer.pre_activation(x).numerators
    active = np.array([value > 0 for value in z], dtype=bool) | ~layer.rectified
    tight = np.array([value == 0 for value in z], dtype=bool) & ~active
    for rows, expected in ((tight, result.dimension == 0), (~active, result.cardinality is not Cardinality.UNBOUNDED)):
        basis, projected = nullspace_projection(layer.weight.rows(active), layer.weight.rows(rows))
        assert is_omnidirectional(projected, len(basis[0])) == expected


# ---------------------------------------------------------------- examples that once went wrong somewhere


def dense(rows, bias, *, rectified=None) -> Layer:
    weight = DyadicMatrix.from_floats(np.array(rows, dtype=np.float64))
    mask = np.full(weight.shape[0], True) if rectified is None else np.array(rectified)
    return Layer(weight, DyadicMatrix.from_floats(np.array(bias, dtype=np.float64).reshape(-1, 1)), mask)


def test_P2_the_sides_of_a_domain_that_are_tight_at_the_point_count():
    layer = dense([[-1.0, -1.0]], [0.0])
    assert decided(LayerPreimage(layer, Orthant()).of_output(RationalVector((0,)))) == ("unbounded", 2)
    layer = dense([[1.0, 1.0]], [1.0])
    assert decided(LayerPreimage(layer, Orthant()).of_point(RationalVector((0, 0)))) == ("singleton", 0)
    assert decided(LayerPreimage(layer, AllSpace()).of_point(RationalVector((0, 0)))) == ("unbounded", 1)


@pytest.mark.parametrize(
    ("rows", "bias", "point", "expected"),
    [
        ([[0.0]], [0.0], (5,), ("unbounded", 1)),  # a zero row says nothing
        ([[1.0], [-1.0]], [0.0, 0.0], (0,), ("singleton", 0)),  # opposite rows meet at a point
        ([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0], (0, 7), ("unbounded", 1)),  # a column of zeros is a line
        ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [-1.0, -1.0, -1.0, -1.0], (0, 0), ("bounded", 2)),
        ([[5e-324], [-5e-324]], [0.0, 0.0], (0,), ("singleton", 0)),  # the smallest weights there are
        ([[2.0**1000, 2.0**-1074], [-(2.0**1000), 0.0], [0.0, -1.0]], [0.0, 0.0, 0.0], (0, 0), ("singleton", 0)),
        ([[2.0**1000, -(2.0**-1074)], [-(2.0**1000), 0.0], [0.0, -1.0]], [0.0, 0.0, 0.0], (0, 0), ("unbounded", 2)),
        ([[2.0**100, 2.0**-149], [-(2.0**100), 2.0**-149], [0.0, -1.0]], [0.0, 0.0, 0.0], (0, 0), ("singleton", 0)),
        ([[2.0**100, 2.0**-149], [-(2.0**100), 2.0**-149], [0.0, 1.0]], [0.0, 0.0, 0.0], (0, 0), ("unbounded", 2)),
    ],
)
def test_P2_examples(rows, bias, point, expected):
    layer = dense(rows, bias)
    prepared, x = LayerPreimage(layer, AllSpace()), RationalVector(point)
    result = prepared.of_point(x)
    assert decided(result) == expected
    facts = truth(layer, AllSpace(), evaluate(layer, x.fractions()))
    assert (facts.cardinality, facts.dimension) == expected
    assert accepted(prepared, result, "layer-input", x).endswith(claim_words(result))


def test_P2_layers_without_outputs_or_inputs_are_decided():
    empty = Layer(DyadicMatrix(np.zeros((0, 2))), DyadicMatrix(np.zeros((0, 1))), np.zeros(0, dtype=bool))
    assert decided(LayerPreimage(empty, AllSpace()).of_point(RationalVector((1, 2)))) == ("unbounded", 2)
    assert decided(LayerPreimage(empty, AllSpace()).of_output(RationalVector(()))) == ("unbounded", 2)
    constant = Layer(DyadicMatrix(np.zeros((1, 0))), DyadicMatrix(np.ones((1, 1))), np.ones(1, dtype=bool))
    for domain in (AllSpace(), Orthant(), Box(RationalVector(()), RationalVector(()))):
        assert decided(LayerPreimage(constant, domain).of_point(RationalVector(()))) == ("singleton", 0)
        assert decided(LayerPreimage(constant, domain).of_output(RationalVector((2,)))) == ("empty", -1)


@examples(60)
@given(layers(), st.data())
def test_P2_changing_one_active_output_never_keeps_a_reconstructed_input(layer, data):
    # Two different outputs never share an input.
    x = data.draw(rational_vectors(layer.inputs))
    y = layer(x).fractions()
    assume(y)
    i = data.draw(st.integers(0, len(y) - 1))
    other = RationalVector.from_fractions([value + (k == i) for k, value in enumerate(y)])
    result = LayerPreimage(layer, AllSpace()).of_output(other)
    assert x not in (result.solutions or ())


def test_the_oracles_disagree_with_a_wrong_verdict():
    # The comparison itself can fail: the facts of two different sets differ.
    layer = dense([[1.0, 1.0]], [0.0])
    facts = truth(layer, AllSpace(), [Fraction(1)])
    assert (facts.cardinality, facts.dimension) == ("unbounded", 1)
    assert facts != replace(facts, dimension=2)
    assert echelon([[Fraction(2), Fraction(4)]])[0] == [[1, 2]]
    assert kernel([[Fraction(1), Fraction(1)]], 2) == [[-1, 1]]
    assert stack([layer.weight]).fractions() == [[1, 1]]
