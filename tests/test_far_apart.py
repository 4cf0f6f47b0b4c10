"""Inputs far apart with one output: exact, in the domain, never nearer than the pair given, at a given image where one has a twin."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import evaluate, examples, in_domain

from exactrelu import demo
from exactrelu.domain import AllSpace, Ball, Box, Domain, Orthant, Polytope, parse_domain
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity import injectivity
from exactrelu.injectivity.collisions.collision import Collision, collide
from exactrelu.injectivity.collisions.far_apart import far_apart
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.question import Question
from exactrelu.injectivity.solver import Region
from exactrelu.network.model import Layer
from exactrelu.network.readers import load
from exactrelu.points import read_points
from exactrelu.strategies import balls, domains, layers_with_points


def squared(pair: Collision) -> Fraction:
    return sum(((a - b) ** 2 for a, b in zip(pair.x.fractions(), pair.y.fractions(), strict=True)), Fraction(0))


def assert_true(layer: Layer, domain: Domain, pair: Collision) -> None:
    """Checked by fractions alone."""
    x, y = pair.x.fractions(), pair.y.fractions()
    assert x != y
    assert in_domain(domain, x) and in_domain(domain, y)
    assert evaluate(layer, x) == evaluate(layer, y) == pair.value.fractions()
    assert pair.squared_distance == squared(pair)


@examples(80)
@given(layers_with_points(), st.data())
def test_never_nearer_than_the_pair_given(case: tuple[Layer, RationalVector], data: st.DataObject) -> None:
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x) | balls())
    if not domain.contains(x):
        return
    question = Question(layer, domain)
    simple = collide(question, x)
    if simple is not None:
        far = far_apart(question, simple)
        assert_true(layer, domain, far)
        assert squared(far) >= squared(simple)


def is_quiet_around(layer: Layer, x: RationalVector) -> bool:
    """Whether all rows are negative in the cube of half-width 1/100 around x, too wide for floats to miss."""
    rows = zip(layer.weight.fractions(), layer.pre_activation(x).fractions(), strict=True)
    return all(value + sum(map(abs, row)) / 100 < 0 for row, value in rows)


@examples(60)
@given(layers_with_points(), st.data())
def test_a_given_point_with_a_twin_is_the_first_input(case: tuple[Layer, RationalVector], data: st.DataObject) -> None:
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x) | balls())
    if not domain.contains(x):
        return
    result = decide_layer(layer, domain, points=(x,))
    if result.collision is not None:
        assert_true(layer, domain, result.collision)
        if isinstance(domain, AllSpace) and layer.rectified.all() and max(map(abs, x.fractions())) < 10**6 and is_quiet_around(layer, x):
            assert result.collision.x == x


def gaussian(m: int, n: int, seed: int, bias: float) -> Layer:
    weight = DyadicMatrix.from_floats(np.random.default_rng(seed).standard_normal((m, n)).astype(np.float32))
    return Layer(weight, DyadicMatrix.from_floats(np.full((m, 1), bias)), np.ones(m, dtype=bool))


@pytest.mark.parametrize(
    "domain",
    [
        AllSpace(),
        Orthant(),
        Box(RationalVector((-1,) * 12), RationalVector((1,) * 12)),
        Ball(Fraction(2)),
        Polytope(tuple(tuple(sign * int(i == j) for i in range(12)) for j in range(12) for sign in (1, -1)), (-1,) * 24),
    ],
)
def test_every_domain_gains_by_linear_programs(domain: Domain) -> None:
    layer = gaussian(24, 12, 3, -0.5)
    question = Question(layer, domain)
    simple = collide(question, RationalVector((1,) * 12, 16))
    found = decide_layer(layer, domain).collision
    assert simple is not None
    assert found is not None
    assert_true(layer, domain, found)
    assert squared(found) > 1.5 * squared(simple)


@pytest.mark.parametrize(
    ("rows", "biases", "domain"),
    [
        ([[1.0, 0.0], [0.0, 0.0]], [0.0, 0.0], Box(RationalVector((1, 0)), RationalVector((1, 1)))),
        ([[0.0]], [0.0], AllSpace()),
        ([[-0.0, 5e-324]], [-1.0], Orthant()),
        ([[2.0**900, 2.0**900]], [0.0], Box(RationalVector((0, 0)), RationalVector((2**1500, 2**1500)))),
        ([[1.0, 1.0]], [0.0], Polytope(((1, 1), (-1, -1)), (-1, 1))),
    ],
)
def test_degenerate_layers_keep_their_pair(rows: list[list[float]], biases: list[float], domain: Domain) -> None:
    layer = Layer(DyadicMatrix.from_floats(rows), DyadicMatrix.from_floats(np.reshape(biases, (-1, 1))), np.ones(len(rows), dtype=bool))
    found = decide_layer(layer, domain).collision
    assert found is not None
    assert_true(layer, domain, found)


@given(st.integers(1, 6), st.integers(0, 400), st.integers(0, 10**6))
def test_rows_taken_in_later_give_the_same_optimum(n: int, m: int, seed: int) -> None:
    from scipy.optimize import linprog

    generator = np.random.default_rng(seed)
    rows, above, direction = generator.standard_normal((m, n)), generator.uniform(0, 1, m), generator.standard_normal(n)
    found = Region(rows, np.full(m, -np.inf), above, np.full(n, -1.0), np.ones(n)).farthest(direction)
    peer = linprog(-direction, A_ub=rows, b_ub=above, bounds=(-1, 1))
    assert found is not None
    assert abs(direction @ found + peer.fun) < 1e-6


# ---------------------------------------------------------------- the digits


def test_two_images_of_the_demo_differ_visibly() -> None:
    network = load(demo.MODEL)
    domain = parse_domain("box:0,1", 64)
    layer = network.layer(1).stages[0]
    found = injectivity(network, layer=1, domain=domain).collision
    assert found is not None
    assert_true(layer, domain, found)
    # A single line found 0.225; half of the cube's diagonal is 4.
    assert squared(found) > 16
    assert max(len(text) for text in [*found.x.texts(), *found.y.texts()]) < 24, "short numbers"


def test_a_real_image_has_a_twin() -> None:
    network = load(demo.MODEL)
    domain = parse_domain("box:0,1", 64)
    images = read_points(demo.IMAGES, shape=network.input_shape, inputs=64, scale=demo.SCALE).rows
    found = injectivity(network, layer=1, domain=domain, points=images).collision
    assert found is not None
    assert_true(network.layer(1).stages[0], domain, found)
    assert found.x in images
    assert max(abs(a - b) for a, b in zip(found.x.fractions(), found.y.fractions(), strict=True)) > Fraction(1, 2)
    assert sum(value > 0 for value in found.value.numerators) > 10, "features that are not all zero"
    again = injectivity(network, layer=1, domain=domain, points=images).collision
    assert again == found, "the same question, the same pair"
