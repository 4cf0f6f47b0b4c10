"""I9: injectivity on balls. The second opinion finds least-norm points as those of the flats on which rows vanish, over fractions."""

from __future__ import annotations

import hashlib
import time
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.injectivity_replay import replay
from theorems.oracles import claim_of, dot, echelon, evaluate, examples, in_domain, one_layer_network, rank

from exactrelu.checker.text import Rejected
from exactrelu.domain import AllSpace, Ball, Box, Domain
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.cases.flats import Flats
from exactrelu.injectivity.cases.least_distance import LeastDistance
from exactrelu.injectivity.cases.oracle import Apart, Oracle
from exactrelu.injectivity.cases.propagation import Propagation
from exactrelu.injectivity.cases.tree import UnluckyPrimeError, primes_below_2_31
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.question import Question
from exactrelu.injectivity.solver import Optimum
from exactrelu.network.exact_file import _lines
from exactrelu.network.model import Layer
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.preimage.witness import domain_step, moved
from exactrelu.strategies import balls, layers, layers_with_points, rational_vectors

if TYPE_CHECKING:
    from exactrelu.injectivity.answer import LayerInjectivity

ppl = pytest.importorskip("ppl", reason="pplpy gives the second opinion")

Row = list[Fraction]


# ---------------------------------------------------------------- a second opinion


def least_norm(rows: list[Row], n: int) -> Fraction:
    """The least |x|^2 with a.x + b <= 0 for all rows (a.., b): it is the least norm on some flat {rows of a subset = 0}."""
    found = []
    for size in range(n + 1):
        for chosen in combinations(rows, size):
            point = nearest_of_flat(list(chosen), n)
            if point is not None and all(dot(row, [*point, Fraction(1)]) <= 0 for row in rows):
                found.append(dot(point, point))
    return min(found)


def nearest_of_flat(rows: list[Row], n: int) -> Row | None:
    """The point of {a.x + b = 0} nearest to 0: x = -sum mu a with |a| independent rows; None where the rows are dependent."""
    if rank([row[:n] for row in rows]) < len(rows):
        return None
    system = [[*(dot(row[:n], other[:n]) for other in rows), row[n]] for row in rows]
    reduced, _ = echelon(system)
    weights = [line[-1] for line in reduced]
    return [-sum((w * row[k] for w, row in zip(weights, rows, strict=True)), Fraction(0)) for k in range(n)]


def meets_the_ball(rows: list[Row], n: int, ball: Ball) -> bool:
    """Whether the rows are negative together at a point of the open ball."""
    cell = ppl.NNC_Polyhedron(n, "universe")
    for row in rows:
        denominator = np.lcm.reduce([value.denominator for value in row])
        cell.add_constraint(ppl.Linear_Expression([int(v * denominator) for v in row[:n]], int(row[n] * denominator)) < 0)
    return not cell.is_empty() and least_norm(rows, n) < ball.radius**2


def injective_by_flats(layer: Layer, ball: Ball) -> bool:
    """I7 on the ball: no flat of dimension below n, and no point of the open ball at which all rows outside it are negative."""
    n = layer.inputs
    if ball.radius == 0:
        return True
    rows = [[*row, bias] for row, (bias,) in zip(layer.weight.fractions(), layer.bias.fractions(), strict=True)]
    always = [row[:n] for row, relu in zip(rows, layer.rectified.tolist(), strict=True) if not relu]
    rectified = [row for row, relu in zip(rows, layer.rectified.tolist(), strict=True) if relu]
    for size in range(n):
        for chosen in combinations(rectified, size):
            flat = [*always, *(row[:n] for row in chosen)]
            dimension = rank(flat)
            if dimension < n and meets_the_ball([row for row in rectified if rank([*flat, row[:n]]) > dimension], n, ball):
                return False
    return True


def assert_right(layer: Layer, domain: Domain, result: LayerInjectivity) -> bool:
    """A collision collides in the domain, a proof can be replayed, and both checkers accept the certificate; the verdict."""
    if result.collision is not None:
        x, y = result.collision.x.fractions(), result.collision.y.fractions()
        assert x != y and in_domain(domain, x) and in_domain(domain, y)
        assert evaluate(layer, x) == evaluate(layer, y) == result.collision.value.fractions()
    else:
        assert result.verdict == "injective" and result.evidence is not None
        replay(layer, domain, result.evidence)
    word = "injective" if result.verdict == "injective" else "collision"
    assert claim_of(layer, certificate_text(layer, domain, result)) == f"layer 1 ({domain.describe().partition(':')[0]}): {word}"
    return result.verdict == "injective"


def certificate_text(layer: Layer, domain: Domain, result: LayerInjectivity) -> str:
    sha256 = hashlib.sha256(b"".join(_lines(one_layer_network(layer)))).hexdigest()
    return result.certificate(network_sha256=sha256, layer_number=1, domain=domain).text()


def is_injective(layer: Layer, domain: Domain) -> bool:
    return assert_right(layer, domain, decide_layer(layer, domain))


def by_tree(strategy: type[Flats | Propagation], layer: Layer, ball: Ball) -> bool:
    """The tree alone, without the arguments before it."""
    question = Question(layer, ball)
    for prime in primes_below_2_31():
        try:
            found = strategy(question, (), Oracle(question), prime).run()
        except UnluckyPrimeError:
            continue
        assert found is not None
        if hasattr(found, "lines"):
            replay(layer, ball, found)
            return True
        assert ball.contains(found.x) and ball.contains(found.y) and found.x != found.y and layer(found.x) == layer(found.y)
        return False
    raise AssertionError


# ---------------------------------------------------------------- small layers whose rows touch balls


_LEGS = st.sampled_from([(3, 4), (4, 3), (-3, 4), (-4, -3), (5, 12), (1, 0), (0, -1), (-1, 0), (0, 1), (1, 1), (-2, 1)])


@st.composite
def touching_layers(draw: st.DrawFn, *, most: int = 7) -> Layer:
    """Rows of small integers, most of a rational norm, and biases at which they touch a ball of a radius in halves, or meet at 0."""
    n = draw(st.integers(1, 3))
    m = draw(st.integers(max(0, most - 5), most))
    rows, biases = [], []
    for _ in range(m):
        row = [0] * n
        legs = draw(_LEGS) if n > 1 else (draw(st.sampled_from([1, -1, 2, -3])),)
        for place, leg in zip(draw(st.permutations(range(n))), legs, strict=False):
            row[place] = leg
        if draw(st.integers(0, 5)) == 0:
            row = draw(st.lists(st.integers(-2, 2), min_size=n, max_size=n))
        norm = round(float(np.linalg.norm(row)))
        rows.append(row)
        biases.append(draw(st.sampled_from([0, 0, 1, 2, 3, -1, -2])) * norm / 2)
    rectified = draw(st.lists(st.sampled_from([True] * 9 + [False]), min_size=m, max_size=m))
    weight = np.array(rows, dtype=float).reshape(m, n)
    return Layer(
        DyadicMatrix.from_floats(weight), DyadicMatrix.from_floats(np.array(biases).reshape(m, 1)), np.array(rectified, dtype=bool)
    )


@examples(120)
@given(touching_layers(), balls())
def test_I9_verdicts_agree_with_least_norms(layer: Layer, ball: Ball) -> None:
    assert is_injective(layer, ball) == injective_by_flats(layer, ball)


@examples(50)
@given(layers(inputs=2, wide=False), balls())
def test_I9_on_floats_of_all_sizes(layer: Layer, ball: Ball) -> None:
    assert is_injective(layer, ball) == injective_by_flats(layer, ball)


@pytest.mark.parametrize("strategy", [Flats, Propagation])
@examples(50)
@given(touching_layers(most=8), balls())
def test_I9_both_trees_decide(strategy: type[Flats | Propagation], layer: Layer, ball: Ball) -> None:
    assert by_tree(strategy, layer, ball) == injective_by_flats(layer, ball)


@examples(60)
@given(touching_layers(), balls(), st.integers(0, 9))
def test_I9_wrong_proposals_cost_time_and_no_truth(layer: Layer, ball: Ball, seed: int) -> None:
    generator = np.random.default_rng(seed)

    def nonsense(self: LeastDistance, rows: np.ndarray) -> Optimum | None:
        kind = generator.integers(0, 3)
        variables = generator.standard_normal(layer.inputs + 1) * 0.5 ** generator.integers(0, 40)
        variables[-1] = 1.0 if kind == 0 else 0.0
        none = np.zeros(layer.inputs + 1, dtype=bool)
        return None if kind == 2 else Optimum(variables, np.abs(generator.standard_normal(len(rows))), none)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LeastDistance, "maximise", nonsense)
        assert by_tree(Propagation, layer, ball) == injective_by_flats(layer, ball)


@examples(80)
@given(touching_layers(), balls(), st.data())
def test_I9_a_point_of_the_ball_or_a_dependency(layer: Layer, ball: Ball, data: st.DataObject) -> None:
    assume(ball.radius > 0)
    question = Question(layer, ball)
    asked = question.deciding & np.array(data.draw(st.lists(st.booleans(), min_size=layer.outputs, max_size=layer.outputs)), dtype=bool)
    rows = [[Fraction(value) for value in question.row(j)] for j in np.flatnonzero(asked).tolist()]
    found = Oracle(question).ask(asked, exact_point=True)
    if isinstance(found, Apart):
        assert found.exact is not None and ball.contains(found.exact)
        assert all(dot(row, [*found.exact.fractions(), Fraction(1)]) < 0 for row in rows)
        assert meets_the_ball(rows, layer.inputs, ball)
    else:
        assert found is not None and set(found.rows) <= set(np.flatnonzero(asked).tolist())
        assert not meets_the_ball(rows, layer.inputs, ball)


# ---------------------------------------------------------------- statements


def dense(rows: Any, biases: Any) -> Layer:
    weight = DyadicMatrix.from_floats(np.array(rows, dtype=float))
    return Layer(weight, DyadicMatrix.from_floats(np.reshape(biases, (-1, 1)).astype(float)), np.ones(weight.shape[0], dtype=bool))


def test_I9_the_least_norm_alone_is_not_enough() -> None:
    # The closure of {x < 0, -x < 0} holds the point 0, the set itself is empty.
    assert is_injective(dense([[1], [-1]], [0, 0]), Ball(Fraction(1)))
    assert not is_injective(dense([[1], [1]], [0, 0]), Ball(Fraction(1)))


def test_I9_a_ball_that_a_hyperplane_touches() -> None:
    # 3x + 4y + 5 is 0 at the point (-3/5, -4/5) of the unit circle.
    layer = dense([[3, 4], [0, 1], [1, 0]], [5, 1, 1])
    result = decide_layer(layer, Ball(Fraction(1)))
    assert (result.verdict, result.method) == ("injective", "always active rows of full rank")
    two = dense([[3, 4], [4, 3]], [5, 5])
    assert is_injective(two, Ball(Fraction(1))) and not is_injective(two, Ball(1 + Fraction(1, 10**30)))
    # sqrt(2) is no rational radius: 1 + x + y is never negative within |x| <= 1/sqrt(2).
    irrational = dense([[1, 1], [1, -1]], [1, 1])
    assert is_injective(irrational, Ball(Fraction(7071, 10000))) and not is_injective(irrational, Ball(Fraction(7072, 10000)))


@examples(30)
@given(touching_layers(), balls(), balls())
def test_I9_monotone_in_the_radius(layer: Layer, ball: Ball, other: Ball) -> None:
    small, large = sorted((ball, other), key=lambda one: one.radius)
    assert is_injective(layer, small) or not is_injective(layer, large)
    assert is_injective(layer, large) or not is_injective(layer, AllSpace())


@examples(30)
@given(touching_layers(), balls(), st.data())
def test_I9_signed_permutations_of_the_coordinates_keep_the_ball(layer: Layer, ball: Ball, data: st.DataObject) -> None:
    n = layer.inputs
    order = np.array(data.draw(st.permutations(range(n))))
    signs = np.array(data.draw(st.lists(st.sampled_from([1.0, -1.0]), min_size=n, max_size=n)))
    turned = Layer(DyadicMatrix.from_floats(layer.weight.floats[:, order] * signs), layer.bias, layer.rectified)
    assert is_injective(layer, ball) == is_injective(turned, ball)


@examples(25)
@given(touching_layers(), balls())
def test_I9_between_the_boxes_inside_and_around(layer: Layer, ball: Ball) -> None:
    n = layer.inputs
    # 4/7 < 1/sqrt(3), 7/10 < 1/sqrt(2)
    half = {1: Fraction(1), 2: Fraction(7, 10), 3: Fraction(4, 7)}[n] * ball.radius
    inside, around = (Box(RationalVector.from_fractions([-h] * n), RationalVector.from_fractions([h] * n)) for h in (half, ball.radius))
    verdicts = [is_injective(layer, domain) for domain in (inside, ball, around)]
    assert verdicts == sorted(verdicts, reverse=True)


@examples(30)
@given(touching_layers(), balls(), st.integers(-40, 40))
def test_I9_scaling_inputs_and_radius_alike(layer: Layer, ball: Ball, exponent: int) -> None:
    scaled = Layer(DyadicMatrix.from_floats(layer.weight.floats * 2.0**-exponent), layer.bias, layer.rectified)
    assert is_injective(layer, ball) == is_injective(scaled, Ball(ball.radius * Fraction(2) ** exponent))


@pytest.mark.parametrize("radius", [Fraction(1, 10**400), Fraction(10**400)])
def test_radii_beyond_the_float_range(radius: Fraction) -> None:
    assert is_injective(dense([[3, 4], [0, 1], [1, 0]], [5, 1, 1]), Ball(radius)) == (radius < 1)
    assert not is_injective(dense([[3, 4], [0, 1], [-1, 0]], [0, 0, 0]), Ball(radius))
    assert is_injective(dense([[1, 0], [-1, 0], [0, 1], [0, -1]], [0, 0, 0, 0]), Ball(radius))
    assert is_injective(
        dense([[3, 4], [-4, 3], [1, -7], [-1, 0], [2, 1], [-3, 2], [1, 5], [0, -1]], [0] * 8), Ball(radius)
    ) == is_injective(dense([[3, 4], [-4, 3], [1, -7], [-1, 0], [2, 1], [-3, 2], [1, 5], [0, -1]], [0] * 8), AllSpace())


def test_widths_of_zero_and_radius_zero() -> None:
    nothing = Layer(DyadicMatrix.from_floats(np.zeros((0, 2))), DyadicMatrix.from_floats(np.zeros((0, 1))), np.zeros(0, dtype=bool))
    empty = Layer(DyadicMatrix.from_floats(np.zeros((0, 0))), DyadicMatrix.from_floats(np.zeros((0, 1))), np.zeros(0, dtype=bool))
    assert is_injective(nothing, Ball(Fraction(0))) and not is_injective(nothing, Ball(Fraction(1, 10**9)))
    assert is_injective(empty, Ball(Fraction(0))) and is_injective(empty, Ball(Fraction(3)))


def test_a_given_point_leads_to_a_collision() -> None:
    n = 7
    layer = dense(np.vstack([np.eye(n), np.ones((1, n))]), [-(2.0**-5)] * n + [1])
    result = decide_layer(layer, Ball(Fraction(1)), points=(RationalVector((0,) * n),))
    assert not assert_right(layer, Ball(Fraction(1)), result)
    assert result.method == "few active rows near a given point"


def test_many_inputs_are_decided_by_the_cheap_arguments() -> None:
    n = 784
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((n + 16, n)).astype(np.float32).astype(float)
    ball = Ball(Fraction(1, 2))
    above = decide_layer(dense(rows, np.linalg.norm(rows, axis=1)), ball, deadline=time.monotonic() + 3)
    assert (above.verdict, above.method) == ("injective", "always active rows of full rank")
    below = decide_layer(dense(rows, np.zeros(n + 16)), ball, deadline=time.monotonic() + 3)
    assert below.verdict == "not-injective" and below.collision is not None
    assert ball.contains(below.collision.x) and ball.contains(below.collision.y)


@examples(20)
@given(layers_with_points(), balls())
def test_pre_images_refuse_balls(case: tuple[Layer, RationalVector], ball: Ball) -> None:
    with pytest.raises(InvalidRequestError, match="not supported for preimage"):
        LayerPreimage(case[0], ball)


def test_checkers_reject_a_larger_ball_and_balls_for_pre_images() -> None:
    layer = dense([[3, 4], [4, 3], [0, 2], [1, 0]], [5, 5, -7, 1])
    unit = Ball(Fraction(1))
    proof = certificate_text(layer, unit, decide_layer(layer, unit))
    assert "\ndomain ball 1 1\n" in proof and claim_of(layer, proof) == "layer 1 (ball): injective"
    for words in (
        "ball 1 2",
        "ball f 10",
        f"ball {2**2000:x} {2**2000 + 1:x}",
        "ball 0 1",
        "ball 1 -1",
        "ball 1",
        "ball 1 1 1",
        "ball 1 01",
    ):
        with pytest.raises(Rejected):
            claim_of(layer, proof.replace("domain ball 1 1", f"domain {words}"))
    assert claim_of(layer, proof.replace("domain ball 1 1", f"domain ball {2**2000:x} {2**2000 - 1:x}"))
    far = certificate_text(layer, Ball(Fraction(4)), decide_layer(layer, Ball(Fraction(4))))
    assert claim_of(layer, far) == "layer 1 (ball): collision"
    with pytest.raises(Rejected, match="not in the domain"):
        claim_of(layer, far.replace("domain ball 1 4", "domain ball 1 1"))
    header, body = far.split("domain ball 1 4\nsubject layer\nclaim collision\n")
    preimage = f"{header}domain ball 1 4\nsubject output\noutput 1 1 1 1 1\nclaim preimage empty\nnegative 0\nend\n"
    assert body
    with pytest.raises(Rejected, match="claims about all inputs only"):
        claim_of(layer, preimage)


@pytest.mark.parametrize("seed", range(20))
def test_proposals_are_right_where_nothing_is_tight(seed: int) -> None:
    generator = np.random.default_rng(seed)
    weights, biases = generator.standard_normal((12, 4)), generator.standard_normal(12)
    radius = Fraction(float(generator.uniform(0.2, 3)))
    asked = np.arange(12) < 1 + seed % 6
    found = LeastDistance(weights, biases, radius).maximise(asked)
    assert found is not None
    *point, depth = found.variables.tolist()
    if depth > 0:
        assert np.linalg.norm(point) < radius and (weights @ point + biases)[asked].max() < 0
    else:
        assert (found.multipliers >= 0).all() and not found.multipliers[~asked].any()
        sigma = float(np.linalg.norm(found.multipliers @ weights))
        assert found.multipliers.max() > 0 and found.multipliers @ biases >= float(radius) * sigma - 1e-9


@examples(150)
@given(st.data(), balls())
def test_steps_end_just_inside_the_ball(data: st.DataObject, ball: Ball) -> None:
    n = data.draw(st.integers(1, 4))
    x = data.draw(rational_vectors(n))
    direction = tuple(data.draw(st.lists(st.one_of(st.integers(-3, 3), st.just(2**70)), min_size=n, max_size=n)))
    assume(ball.contains(x) and any(direction))
    step = domain_step(ball, x, direction)
    assert step is not None and step >= 0 and ball.contains(moved(x, direction, step))
    size = dot([Fraction(d) for d in direction], [Fraction(d) for d in direction])
    inwards = dot(x.fractions(), [Fraction(d) for d in direction]) < 0
    if step > 0 or inwards or dot(x.fractions(), x.fractions()) < ball.radius**2:
        assert not ball.contains(moved(x, direction, step * (1 + Fraction(1, 2**40)) + Fraction(1, 2**200 * size)))
