"""Injectivity of a layer: what the cascade says and why, sizes of real layers, limits, bad input, and its parts."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from flint import nmod_mat
from hypothesis import given
from hypothesis import strategies as st
from theorems.injectivity_replay import replay
from theorems.oracles import evaluate, examples, in_domain

from exactrelu.domain import AllSpace, Box, Domain, Orthant, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.injectivity.cases import transversals
from exactrelu.injectivity.cases.transversals import all_independent
from exactrelu.injectivity.cases.tree import LARGEST_PRIME
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.question import Question
from exactrelu.network.model import Layer
from exactrelu.network.readers import load

if TYPE_CHECKING:
    from pathlib import Path

    from exactrelu.injectivity.answer import LayerInjectivity


def dense(rows: Any, biases: Any, rectified: Any = True) -> Layer:
    weight = DyadicMatrix.from_floats(np.array(rows, dtype=float))
    mask = np.broadcast_to(np.array(rectified, dtype=bool), weight.shape[0]).copy()
    return Layer(weight, DyadicMatrix.from_floats(np.reshape(biases, (-1, 1)).astype(float)), mask)


def gaussian(m: int, n: int, seed: int, bias: float = 0.0) -> Layer:
    generator = np.random.default_rng(seed)
    return dense(generator.standard_normal((m, n)).astype(np.float32), bias * generator.standard_normal(m).astype(np.float32))


def cube(n: int) -> Box:
    return Box(RationalVector((-1,) * n), RationalVector((1,) * n))


def decided(layer: Layer, domain: Domain, points: tuple[RationalVector, ...] = ()) -> LayerInjectivity:
    """The verdict, with its proof replayed or its collision evaluated."""
    result = decide_layer(layer, domain, points=points)
    if result.evidence is not None:
        replay(layer, domain, result.evidence)
    if result.collision is not None:
        x, y = result.collision.x.fractions(), result.collision.y.fractions()
        assert x != y and in_domain(domain, x) and in_domain(domain, y)
        assert evaluate(layer, x) == evaluate(layer, y) == result.collision.value.fractions()
    return result


@pytest.mark.parametrize(
    ("layer", "domain", "verdict", "method"),
    [
        (dense([[1, 2]], [0]), Box(RationalVector((1, 2)), RationalVector((1, 2))), "injective", "a domain of one point"),
        (dense([[1, 2], [3, 4]], [0, 0], False), AllSpace(), "injective", "rows without a relu of full rank"),
        (dense([[1, 2], [2, 4]], [0, 0]), cube(2), "not-injective", "all rows together of lower rank"),
        (dense([[1, 0], [0, 1], [1, 1]], [9, 9, 9]), AllSpace(), "not-injective", "fewer rows than twice the columns"),
        (dense([[1, 0], [0, 1]], [0, 0]), Orthant(), "injective", "always active rows of full rank"),
        (dense([[1, 0], [0, 1], [-3, 0], [0, -1]], [0, 0, 0, 0]), AllSpace(), "injective", "opposite rows of full rank"),
        (dense([[1, 0], [0, 1], [0, -1]], [1, 0, 0]), cube(2), "injective", "always active rows and opposite rows of full rank"),
        (gaussian(24, 3, 0), AllSpace(), "injective", "tree of active rows"),
        (gaussian(20, 10, 0), cube(10), "not-injective", "few active rows at a point found by descent"),
    ],
)
def test_the_method_names_the_argument(layer: Layer, domain: Domain, verdict: str, method: str) -> None:
    result = decided(layer, domain)
    assert result.verdict == verdict
    assert method in result.method


@pytest.mark.parametrize("domain", [AllSpace(), Orthant(), cube(12), Polytope(((1,) * 12,), (-3,))])
def test_more_inputs_than_cells_could_be_enumerated_for(domain: Domain) -> None:
    assert decided(gaussian(30, 12, 1), domain).verdict == "not-injective"


def test_large_trees_replay() -> None:
    assert decided(gaussian(40, 5, 0), AllSpace()).verdict == "injective"
    generator = np.random.default_rng(7)
    rows = np.round(generator.standard_normal((16, 8)) * 1000)
    layer = dense(rows, np.round((np.abs(generator.standard_normal(16)) + 2) * 1500))
    for domain in (cube(8), Polytope(tuple(tuple(s * int(i == j) for i in range(8)) for j in range(8) for s in (1, -1)), (-1,) * 16)):
        result = decided(layer, domain)
        assert (result.verdict, result.method) == ("injective", "tree of active rows")


def test_opposite_rows_of_many_columns() -> None:
    n = 150
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((n, n)).astype(np.float32).astype(float)
    factors = generator.choice([0.5, 1.0, 3.0], n)
    order = generator.permutation(2 * n)
    both = np.vstack([rows, -factors[:, None] * rows])[order]
    result = decide_layer(dense(both, np.zeros(2 * n)), AllSpace())
    assert (result.verdict, result.method) == ("injective", "opposite rows of full rank")
    assert decide_layer(dense(both[:-1], np.zeros(2 * n - 1)), AllSpace()).verdict == "not-injective"


def test_a_given_point_leads_to_a_collision_on_the_boundary() -> None:
    # Few rows are active only near the corner 0: a point there has every side tight, and is drawn inside.
    n = 7
    layer = dense(np.vstack([np.eye(n), np.ones((1, n))]), [-(2.0**-5)] * n + [1])
    box = Box(RationalVector((0,) * n), RationalVector((1,) * n))
    result = decided(layer, box, (RationalVector((0,) * n),))
    assert (result.verdict, result.method) == ("not-injective", "few active rows near a given point")


def test_a_collision_is_far_apart() -> None:
    n = 20
    result = decided(dense(np.eye(n), [-1.0] * n), Box(RationalVector((0,) * n), RationalVector((2,) * n)))
    assert result.collision is not None
    steps = zip(result.collision.x.fractions(), result.collision.y.fractions(), strict=True)
    assert sum(abs(a - b) for a, b in steps) > Fraction(n, 4)


def test_sparse_layers_are_decided_alike() -> None:
    layer = gaussian(12, 2, 3)
    sparse = Layer(SparseMatrix.from_dense(layer.weight), layer.bias, layer.rectified)
    assert decide_layer(sparse, AllSpace()).verdict == decided(layer, AllSpace()).verdict


def test_rows_that_vanish_modulo_the_first_prime() -> None:
    p = float(LARGEST_PRIME)
    angles = [(1, 0), (p, 1), (-1, p), (-p, -1), (1, -p), (p, p), (-p, p - 1), (p, -p), (-p, -p), (0, p), (0, -p)]
    multiples = [(p * a, p * b) for a, b in [(1, 0), (-1, 1), (0, -1), (1, 1), (-1, -2), (-2, 1), (2, -1)]]
    for rows in (angles, multiples):
        for domain in (AllSpace(), cube(2)):
            assert decided(dense(rows, np.zeros(len(rows))), domain).verdict == "injective"


def test_numbers_beyond_floats() -> None:
    weight = DyadicMatrix.from_integers([[2**3000, 1], [-(2**3000), 1], [0, -(2**1500) - 1], [1, 0], [-1, 0], [1, 1]], 2, -1500)
    layer = Layer(weight, DyadicMatrix.from_integers([[0], [1], [2**2000], [0], [0], [0]], 1), np.array([True] * 6))
    for domain in (AllSpace(), cube(2), Orthant()):
        assert decided(layer, domain).verdict in {"injective", "not-injective"}


# ---------------------------------------------------------------- limits and bad input


def test_a_time_limit_leaves_the_question_open_and_says_what_was_reached() -> None:
    layer = gaussian(160, 16, 0)
    result = decide_layer(layer, AllSpace(), deadline=time.monotonic() + 0.5)
    assert (result.verdict, result.collision, result.evidence) == ("undecided", None, None)
    assert result.progress is not None and result.progress.open > 0 and 0 <= result.progress.fraction < 1
    assert "open" in result.progress.sentence(result.seconds)
    assert decide_layer(gaussian(24, 3, 0), cube(3), deadline=time.monotonic() - 1).verdict == "undecided"


@pytest.mark.parametrize(
    ("domain", "points", "message"),
    [
        (cube(3), (), "has 2 inputs"),
        (AllSpace(), (RationalVector((1,)),), "a point with 1 coordinates"),
        (Polytope(((1, 0), (-1, 0)), (0, 1)), (), "domain is empty"),
        (Polytope(((0, 0),), (1,)), (), "domain is empty"),
    ],
)
def test_wrong_requests(domain: Domain, points: tuple[RationalVector, ...], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        decide_layer(gaussian(5, 2, 0), domain, points=points)


def test_dependencies_that_do_not_hold_are_refused() -> None:
    layer = dense([[1, 0], [-1, 0], [0, 1]], [0, -0.25, 1], [True, True, False])
    question = Question(layer, AllSpace())
    assert question.dependency({0: 1, 1: 1}) is None
    assert question.dependency({0: 0, 1: 0}) is None and question.dependency({}) is None
    assert question.dependency({0: -1, 1: -1}) is None
    assert Question(layer, Box(RationalVector((-1, -1)), RationalVector((1, 1)))).dependency({2: 1}) is None
    assert Question(layer, Orthant()).dependency({0: 3}) is not None


# ---------------------------------------------------------------- transversals


@examples(150)
@given(st.data())
def test_transversals_agree_with_their_enumeration(data: st.DataObject) -> None:
    prime = data.draw(st.sampled_from([3, 7, 101, LARGEST_PRIME]))
    q = data.draw(st.integers(0, 5))
    values = st.one_of(st.integers(0, prime - 1), st.sampled_from([0, 1, prime - 1, prime // 2, prime // 2 + 1]))
    vectors = st.lists(values, min_size=q, max_size=q)
    groups = [data.draw(st.lists(vectors, min_size=1, max_size=3)) for _ in range(q)]
    expected = all(nmod_mat(q, q, [v for row in chosen for v in row], prime).rank() == q for chosen in product(*groups)) if q else True
    assert all_independent([np.array(group, dtype=np.int64) for group in groups], prime) == expected


def test_the_largest_transversal_sums_stay_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    # Entries of the largest size, C(9, 4) terms: the float product against Python's integers.
    p = LARGEST_PRIME
    generator = np.random.default_rng(0)
    left = generator.choice([p // 2, -(p // 2), 1], (5, 126))
    right = generator.choice([p // 2, -(p // 2), 1], (6, 126))
    left[0], right[0] = p // 2, p // 2
    exact = left.astype(object) @ right.T.astype(object) % p
    assert transversals._never_zero(left, right, p) == bool((exact != 0).all())
    last = (int(left[0, 0]) - int(exact[0, 0]) * pow(int(right[0, 0]), -1, p)) % p
    left[0, 0] = last - p * (last > p // 2)
    assert not transversals._never_zero(left, right, p)
    # Without sound float arithmetic nothing is claimed.
    monkeypatch.setattr(transversals, "float_arithmetic_is_sound", lambda: False)
    assert not all_independent([np.array([[1]])], p)


# ---------------------------------------------------------------- a real layer


def test_the_headline_layer_collides_on_the_unit_box(shared: Path) -> None:
    layer = load(shared / "networks/trained/mnist_mlp_784_3500_784_10.onnx").source_layers[0].stages[0]
    box = Box(RationalVector((0,) * 784), RationalVector((1,) * 784))
    result = decide_layer(layer, box, deadline=time.monotonic() + 120)
    assert result.verdict == "not-injective" and result.collision is not None
    x, y = result.collision.x, result.collision.y
    assert x != y and box.contains(x) and box.contains(y) and layer(x) == layer(y)
    assert float(np.linalg.norm(x.to_float() - y.to_float())) > 1
