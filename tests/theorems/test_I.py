"""I: injectivity of a layer. Second opinions: sign cells by PPL, cells over fractions, closed formulas, a literal reading of proofs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.injectivity_replay import replay
from theorems.oracles import domain_rows, dot, evaluate, examples, generators, in_domain, rank

from exactrelu.certificates.injectivity import Dependency, Pack, Proof, Tree
from exactrelu.domain import AllSpace, Box, Domain, Orthant, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.cases.flats import Flats
from exactrelu.injectivity.cases.oracle import Oracle
from exactrelu.injectivity.cases.propagation import Propagation
from exactrelu.injectivity.cases.tree import UnluckyPrimeError, primes_below_2_31
from exactrelu.injectivity.collisions.collision import Collision
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.question import Question
from exactrelu.injectivity.solver import LinearProgram, Optimum
from exactrelu.network.model import Layer
from exactrelu.strategies import domains, layers

if TYPE_CHECKING:
    from exactrelu.injectivity.answer import LayerInjectivity

ppl = pytest.importorskip("ppl", reason="pplpy gives the second opinion")


# ---------------------------------------------------------------- second opinions


def _expression(row: list[Fraction]) -> Any:
    denominator = lcm(1, *(value.denominator for value in row))
    return ppl.Linear_Expression([int(value * denominator) for value in row[:-1]], int(row[-1] * denominator))


def injective_by_cells(layer: Layer, domain: Domain) -> bool | None:
    """I2 on the closed domain, by all cells of {rows < 0} and {rows >= 0} that are not empty; None where the domain is empty."""
    n = layer.inputs
    rows, biases = layer.weight.fractions(), [bias for (bias,) in layer.bias.fractions()]
    whole = ppl.NNC_Polyhedron(n, "universe")
    for side in domain_rows(domain, n):
        whole.add_constraint(_expression(side) <= 0)
    if whole.is_empty():
        return None
    hull = [one for one in whole.minimized_constraints() if one.is_equality()]
    always = [[Fraction(int(one.coefficient(ppl.Variable(i)))) for i in range(n)] for one in hull]
    always += [row for row, relu in zip(rows, layer.rectified.tolist(), strict=True) if not relu]
    rectified = [j for j in range(layer.outputs) if layer.rectified[j]]

    def spanning(place: int, cell: Any, active: list[list[Fraction]]) -> bool:
        if cell.is_empty():
            return True
        if place == len(rectified):
            return rank([*always, *active]) >= n
        j = rectified[place]
        value = _expression([*rows[j], biases[j]])
        for constraint, more in ((value < 0, []), (value >= 0, [rows[j]])):
            part = ppl.NNC_Polyhedron(cell)
            part.add_constraint(constraint)
            if not spanning(place + 1, part, [*active, *more]):
                return False
        return True

    return spanning(0, whole, [])


def injective_by_flats(layer: Layer, domain: Domain) -> bool | None:
    """I7 over fractions alone: a flat of lower dimension, and a point of the domain at which all rows outside it are negative."""
    n = layer.inputs
    rows, biases = layer.weight.fractions(), [bias for (bias,) in layer.bias.fractions()]
    sides = [*domain_rows(domain, n), [*[Fraction(0)] * n, Fraction(-1)]]

    def interior(extra: list[list[Fraction]]) -> list[Fraction] | None:
        """The sum of all generators of the homogenised set: in its relative interior."""
        lines, rays = generators([], [*sides, *extra], n + 1)
        del lines
        total = [sum(values, Fraction(0)) for values in zip(*rays, strict=True)] if rays else [Fraction(0)] * (n + 1)
        return total if total[n] > 0 else None

    inside = interior([])
    if inside is None:
        return None
    always = [side[:n] for side in sides if dot(side, inside) == 0]
    always += [row for row, relu in zip(rows, layer.rectified.tolist(), strict=True) if not relu]
    rectified = [j for j in range(layer.outputs) if layer.rectified[j]]
    for size in range(n):
        for chosen in combinations(rectified, size):
            flat = [*always, *(rows[j] for j in chosen)]
            dimension = rank(flat)
            if dimension >= n:
                continue
            outside = [[*rows[j], biases[j]] for j in rectified if rank([*flat, rows[j]]) > dimension]
            point = interior(outside)
            if point is not None and all(dot(row, point) < 0 for row in outside):
                return False
    return True


def assert_right(layer: Layer, domain: Domain, result: LayerInjectivity) -> None:
    """A collision collides, a proof can be replayed."""
    if result.verdict == "not-injective":
        assert result.collision is not None
        assert_collision(layer, domain, result.collision)
    else:
        assert result.verdict == "injective" and result.evidence is not None
        replay(layer, domain, result.evidence)


def assert_collision(layer: Layer, domain: Domain, found: Collision) -> None:
    x, y = found.x.fractions(), found.y.fractions()
    assert x != y and in_domain(domain, x) and in_domain(domain, y)
    assert evaluate(layer, x) == evaluate(layer, y) == found.value.fractions()


def is_injective(layer: Layer, domain: Domain) -> bool:
    result = decide_layer(layer, domain)
    assert_right(layer, domain, result)
    return result.verdict == "injective"


def by_tree(strategy: type[Flats | Propagation], layer: Layer, domain: Domain) -> bool:
    """The tree alone, without the arguments before it."""
    question = Question(layer, domain)
    for prime in primes_below_2_31():
        try:
            found = strategy(question, (), Oracle(question), prime).run()
        except UnluckyPrimeError:
            continue
        if isinstance(found, Collision):
            assert_collision(layer, domain, found)
            return False
        assert isinstance(found, Proof)
        replay(layer, domain, found)
        return True
    raise AssertionError


# ---------------------------------------------------------------- small layers, mostly degenerate


@st.composite
def small_layers(draw: st.DrawFn, *, inputs: int | None = None, most: int = 8) -> Layer:
    """Integers from -2 to 2, opposite and repeated rows, biases that make ties; often more rows than twice the inputs."""
    n = draw(st.integers(1, 3)) if inputs is None else inputs
    m = draw(st.integers(max(0, most - 5), most))
    weights = np.array(draw(st.lists(st.integers(-2, 2), min_size=m * n, max_size=m * n)), dtype=float).reshape(m, n)
    for _ in range(draw(st.integers(0, 3)) if m > 1 else 0):
        target, source = draw(st.integers(0, m - 1)), draw(st.integers(0, m - 1))
        weights[target] = draw(st.sampled_from([1.0, -1.0, -1.0, -2.0, 3.0, -0.5])) * weights[source]
    biases = np.array(draw(st.lists(st.sampled_from([0.0, 0.0, 1.0, 1.5, 2.0, -1.0]), min_size=m, max_size=m)))
    rectified = np.array(draw(st.lists(st.sampled_from([True] * 9 + [False]), min_size=m, max_size=m)), dtype=bool)
    return Layer(DyadicMatrix.from_floats(weights), DyadicMatrix.from_floats(biases.reshape(m, 1)), rectified)


@examples(150)
@given(st.data())
def test_I2_verdicts_agree_with_sign_cells(data: st.DataObject) -> None:
    layer = data.draw(small_layers())
    domain = data.draw(domains(layer.inputs))
    expected = injective_by_cells(layer, domain)
    if expected is None:
        with pytest.raises(InvalidRequestError, match="empty"):
            decide_layer(layer, domain)
    else:
        assert is_injective(layer, domain) == expected


@examples(100)
@given(st.data())
def test_I2_on_floats_of_all_sizes(data: st.DataObject) -> None:
    layer = data.draw(layers(inputs=data.draw(st.integers(1, 3))))
    domain = data.draw(domains(layer.inputs))
    expected = injective_by_cells(layer, domain)
    assume(expected is not None)
    assert is_injective(layer, domain) == expected


@examples(60)
@given(small_layers(inputs=2, most=6), st.data())
def test_I7_flats_over_fractions_agree_with_sign_cells(layer: Layer, data: st.DataObject) -> None:
    domain = data.draw(domains(2))
    assert injective_by_flats(layer, domain) == injective_by_cells(layer, domain)


@pytest.mark.parametrize("strategy", [Flats, Propagation])
@examples(60)
@given(st.data())
def test_I8_both_trees_decide_on_every_domain(strategy: type[Flats | Propagation], data: st.DataObject) -> None:
    layer = data.draw(small_layers(most=10))
    domain = data.draw(domains(layer.inputs))
    expected = injective_by_cells(layer, domain)
    assume(expected is not None)
    assert by_tree(strategy, layer, domain) == expected


@pytest.mark.parametrize("strategy", [Flats, Propagation])
@examples(40)
@given(st.data())
def test_I8_wrong_proposals_cost_time_and_no_truth(strategy: type[Flats | Propagation], data: st.DataObject) -> None:
    layer = data.draw(small_layers())
    domain = data.draw(domains(layer.inputs))
    expected = injective_by_cells(layer, domain)
    assume(expected is not None)
    generator = np.random.default_rng(data.draw(st.integers(0, 9)))

    def nonsense(self: LinearProgram, above: np.ndarray, deadline: float | None = None) -> Optimum | None:
        width = self._width
        kind = generator.integers(0, 3)
        variables = generator.standard_normal(width) * 0.5 ** generator.integers(0, 40)
        # A point that need not be one, multipliers that need not be any, or nothing.
        variables[-1] = 1.0 if kind == 0 else 0.0
        return None if kind == 2 else Optimum(variables, np.abs(generator.standard_normal(len(above))), generator.random(width) < 0.5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LinearProgram, "maximise", nonsense)
        patch.setattr(LinearProgram, "_width", layer.inputs + 1, raising=False)
        assert by_tree(strategy, layer, domain) == expected


def test_no_inputs_and_no_outputs() -> None:
    empty = Layer(DyadicMatrix.from_floats(np.zeros((0, 0))), DyadicMatrix.from_floats(np.zeros((0, 1))), np.zeros(0, dtype=bool))
    constant = Layer(DyadicMatrix.from_floats(np.zeros((2, 0))), DyadicMatrix.from_floats([[1.0], [-1.0]]), np.array([True, False]))
    nothing = Layer(DyadicMatrix.from_floats(np.zeros((0, 2))), DyadicMatrix.from_floats(np.zeros((0, 1))), np.zeros(0, dtype=bool))
    for domain in (AllSpace(), Orthant(), Box(RationalVector(()), RationalVector(())), Polytope((), ())):
        assert is_injective(empty, domain) and is_injective(constant, domain)
    assert not is_injective(nothing, AllSpace()) and not is_injective(nothing, Orthant())
    point = RationalVector((1, 2), 3)
    assert is_injective(nothing, Box(point, point))
    assert is_injective(nothing, Polytope(((1, 0), (-1, 0), (1, 1), (-1, -1)), (0, 0, -1, 1)))


# ---------------------------------------------------------------- statements


@examples(40)
@given(st.data())
def test_I1_outputs_are_constant_between_colliding_points(data: st.DataObject) -> None:
    layer = data.draw(small_layers())
    domain = data.draw(domains(layer.inputs))
    assume(injective_by_cells(layer, domain) is False)
    found = decide_layer(layer, domain).collision
    assert found is not None
    x, y = found.x.fractions(), found.y.fractions()
    for part in (Fraction(1, 2), Fraction(1, 7)):
        between = [a + part * (b - a) for a, b in zip(x, y, strict=True)]
        assert evaluate(layer, between) == found.value.fractions()
        values = zip(layer.weight.fractions(), layer.bias.fractions(), strict=True)
        for row, (bias,) in values:
            if dot(row, between) + bias >= 0:
                assert dot(row, x) == dot(row, y)


def dense(rows: Any, biases: Any) -> Layer:
    weight = DyadicMatrix.from_floats(np.array(rows, dtype=float))
    return Layer(weight, DyadicMatrix.from_floats(np.reshape(biases, (-1, 1)).astype(float)), np.ones(weight.shape[0], dtype=bool))


def test_I3_rows_with_negative_bias_count() -> None:
    assert is_injective(dense([[1], [-1]], [1, -1]), AllSpace())
    assert not is_injective(dense([[1]], [1]), AllSpace())
    assert is_injective(dense([[1], [-1]], [-1, 1]), AllSpace())
    assert not is_injective(dense([[1], [-1]], [-1, 0]), AllSpace())


@examples(30)
@given(st.data())
def test_I4_raising_biases_and_shrinking_the_domain_keep_injectivity(data: st.DataObject) -> None:
    layer = data.draw(small_layers())
    n, m = layer.inputs, layer.outputs
    box = Box(RationalVector((-1,) * n), RationalVector((1,) * n))
    assume(decide_layer(layer, box).verdict == "injective")
    raised = layer.bias.floats + np.array(data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=m, max_size=m))).reshape(m, 1)
    assert is_injective(replace(layer, bias=DyadicMatrix.from_floats(raised)), box)
    low = data.draw(st.lists(st.sampled_from([-1, 0]), min_size=n, max_size=n))
    assert is_injective(layer, Box(RationalVector(tuple(low)), RationalVector((1,) * n)))


@examples(40)
@given(st.data())
def test_I5_fewer_than_twice_as_many_rows_collide(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5))
    layer = data.draw(layers(inputs=n, outputs=data.draw(st.integers(0, 2 * n - 1))))
    assume(layer.rectified.all())
    assert not is_injective(layer, AllSpace())


@examples(40)
@given(st.data())
def test_I5_opposite_rows(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5))
    entries = data.draw(st.lists(st.integers(-3, 3), min_size=n * n, max_size=n * n))
    B = np.array(entries, dtype=float).reshape(n, n)
    assume(rank([[Fraction(value) for value in row] for row in B.tolist()]) == n)
    d = np.array(data.draw(st.lists(st.sampled_from([1.0, 2.0, 3.0, 0.25]), min_size=n, max_size=n)))
    b = np.array(data.draw(st.lists(st.sampled_from([0.0, 1.0, -1.0]), min_size=n, max_size=n)))
    lift = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.0, 0.5, -0.25]), min_size=n, max_size=n)))
    order = np.array(data.draw(st.permutations(range(2 * n))))
    rows, biases = np.vstack([B, -d[:, None] * B]), np.concatenate([b, -d * b + lift])
    assert is_injective(dense(rows[order], biases[order]), AllSpace()) == bool((lift >= 0).all())


def test_I10_rows_always_active() -> None:
    box = Box(RationalVector((0, 0)), RationalVector((1, 1)))
    result = decide_layer(dense([[1, -2], [1, 1]], [2, 0]), box)
    assert (result.verdict, result.method) == ("injective", "always active rows of full rank")
    assert not is_injective(dense([[1, -2], [1, 1]], [1.875, 0]), box)


@examples(50)
@given(st.data())
def test_invariance_under_permutation_scaling_and_change_of_coordinates(data: st.DataObject) -> None:
    layer = data.draw(small_layers())
    n, m = layer.inputs, layer.outputs
    expected = is_injective(layer, AllSpace())
    order = np.array(data.draw(st.permutations(range(m))), dtype=np.int64)
    scales = np.array(data.draw(st.lists(st.sampled_from([1.0, 3.0, 2.0**-60, 2.0**80]), min_size=m, max_size=m))).reshape(m, 1)
    change = np.triu(np.array(data.draw(st.lists(st.integers(-2, 2), min_size=n * n, max_size=n * n)), dtype=float).reshape(n, n), 1)
    change += np.eye(n)
    moved = Layer(
        DyadicMatrix.from_floats((scales * (layer.weight.floats @ change))[order]),
        DyadicMatrix.from_floats((scales * layer.bias.floats)[order]),
        layer.rectified[order],
    )
    assert is_injective(moved, AllSpace()) == expected


# ---------------------------------------------------------------- the second opinion can say no


def test_changed_proofs_are_rejected() -> None:
    generator = np.random.default_rng(2)
    layer = dense(generator.integers(-9, 10, (16, 3)), generator.integers(0, 3, 16))
    question = Question(layer, AllSpace())
    proof = Flats(question, (), Oracle(question), 2**31 - 1).run()
    assert isinstance(proof, Proof) and isinstance(proof.conclusion, Tree)
    replay(layer, AllSpace(), proof)
    first, *others = proof.dependencies
    nodes = proof.conclusion.nodes
    changed = [
        replace(proof, dependencies=(replace(first, multipliers=(0,) * len(first.rows)), *others)),
        replace(proof, dependencies=(replace(first, multipliers=tuple(-v for v in first.multipliers)), *others)),
        replace(proof, dependencies=(replace(first, multipliers=(first.multipliers[0] + 1, *first.multipliers[1:])), *others)),
        replace(proof, dependencies=(replace(first, rows=(first.rows[0], *first.rows[:-1])), *others)),
        replace(proof, dependencies=(Dependency((), ()), *others)),
        replace(proof, certain=(0,)),
        replace(proof, conclusion=replace(proof.conclusion, nodes=(*nodes, nodes[-1]))),
        replace(proof, conclusion=replace(proof.conclusion, nodes=(Pack((0,)),))),
        replace(proof, conclusion=replace(proof.conclusion, nodes=(Pack(()),))),
    ]
    for mutant in changed:
        with pytest.raises((AssertionError, StopIteration)):
            replay(layer, AllSpace(), mutant)
