"""Two networks as functions, and networks made of others. Second opinion: evaluation, and PPL's sign cells of both networks."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import examples, in_domain
from theorems.whole_networks import are_equal, chained, layer, sign_cells

from exactrelu.domain import AllSpace, Ball, Box
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.network import network_injectivity
from exactrelu.injectivity.network.canonical import canonical
from exactrelu.injectivity.network.combined import difference, drawn_projection, projected, with_linear
from exactrelu.injectivity.network.compare import compare
from exactrelu.injectivity.network.nearby import injective_nearby
from exactrelu.network.model import Layer, Network
from exactrelu.strategies import domains, networks, rational_vectors


def rescaled(network: Network, random: np.random.Generator) -> Network:
    """The same function: hidden neurons in another order, those with a relu at another scale, a dead and a doubled one more."""
    layers = list(network.layers)
    for number in range(len(layers) - 1):
        one, after = layers[number], layers[number + 1]
        order = random.permutation(one.outputs)
        scales = [Fraction(2) ** int(random.integers(-3, 4)) if relu else Fraction(1) for relu in one.rectified[order]]
        rows = [[value * s for value in one.weight.fractions()[i]] for i, s in zip(order, scales, strict=True)]
        biases = [[one.bias.fractions()[i][0] * s] for i, s in zip(order, scales, strict=True)]
        mask = one.rectified[order].tolist()
        reading = [[row[i] / s for i, s in zip(order, scales, strict=True)] for row in after.weight.fractions()]
        if order.size:
            # The first neuron twice, each read at half the weight, and one that nobody reads.
            rows, biases, mask = [*rows, rows[0], rows[0]], [*biases, biases[0], [biases[0][0] + 1]], [*mask, mask[0], mask[0]]
            reading = [[row[0] / 2, *row[1:], row[0] / 2, Fraction(0)] for row in reading]
        layers[number] = Layer(dyadic(rows, one.inputs), dyadic(biases, 1), np.array(mask, dtype=bool))
        layers[number + 1] = Layer(dyadic(reading, len(rows)), after.bias, after.rectified)
    return chained(*layers)


def dyadic(rows, columns) -> DyadicMatrix:
    denominator = max((value.denominator for row in rows for value in row), default=1)
    return DyadicMatrix.from_integers([[int(v * denominator) for v in row] for row in rows], columns, 1 - denominator.bit_length())


@examples(40)
@given(networks(), st.integers(0, 99))
def test_the_form_does_not_know_order_and_scale(network, seed):
    other = rescaled(network, np.random.default_rng(seed))
    assert canonical(network.layers) == canonical(other.layers)
    found = compare(network, other)
    assert (found.verdict, found.method) == ("equal", "the same up to the order and scale of neurons")


def changed(network: Network, data) -> Network:
    """One neuron's bias or sign changed, which the function may or may not show."""
    layers = list(network.layers)
    number = data.draw(st.integers(0, len(layers) - 1))
    one = layers[number]
    rows, biases = one.weight.fractions(), one.bias.fractions()
    if rows:
        i = data.draw(st.integers(0, len(rows) - 1))
        if data.draw(st.booleans()):
            biases[i] = [biases[i][0] + 1]
        else:
            rows[i] = [-value for value in rows[i]]
    layers[number] = Layer(dyadic(rows, one.inputs), dyadic(biases, 1), one.rectified)
    return chained(*layers)


@examples(40)
@given(networks(inputs=2), st.data())
def test_equal_forms_are_equal_functions(network, data):
    other = changed(network, data)
    if canonical(network.layers) == canonical(other.layers):
        for point in product((-3, -1, 0, Fraction(1, 2), 2), repeat=2):
            x = RationalVector.from_fractions(point)
            assert network(x) == other(x)


@examples(40)
@given(st.integers(1, 2).flatmap(lambda n: networks(inputs=n)), st.data())
def test_equal_by_regions_is_what_ppl_says(first, data):
    assume(sum(int(one.rectified.sum()) for one in first.layers) <= 5)
    second = changed(first, data)
    domain = data.draw(domains(first.inputs))
    try:
        found = compare(first, second, domain=domain)
    except InvalidRequestError:
        assert not sign_cells(first, domain)
        return
    assert (found.verdict == "equal") == are_equal(first, second, domain)
    if found.verdict == "different":
        assert in_domain(domain, found.input.fractions())
        assert (first(found.input), second(found.input)) == found.outputs
        assert found.outputs[0] != found.outputs[1]


def test_the_absolute_value_in_two_ways_needs_the_regions():
    # |x| = relu(x) + relu(-x) = 2 relu(x) - x
    first = chained(layer([[1], [-1]], [0, 0], [True, True]), layer([[1, 1]], [0], [False]))
    second = chained(layer([[1], [1]], [0, 0], [True, False]), layer([[2, -1]], [0], [False]))
    found = compare(first, second)
    assert (found.verdict, found.method) == ("equal", "activation regions of both networks together")
    assert canonical(first.layers) != canonical(second.layers)
    assert found.record()["regions"] == 2


def test_a_difference_far_out_is_found():
    # Equal up to x = 10^6, beyond which the second one bends.
    first = chained(layer([[1]], [0], [False]))
    second = chained(layer([[1], [1]], [-(10**6), 0], [True, False]), layer([[1, 1]], [0], [False]))
    found = compare(first, second)
    assert found.verdict == "different" and found.input.fractions()[0] > 10**6
    assert compare(first, second, domain=Box(RationalVector((0,)), RationalVector((10**6,)))).verdict == "equal"


def test_what_makes_no_sense_is_refused():
    one, two = (chained(layer([[1]] * m, [0] * m, [True] * m)) for m in (1, 2))
    with pytest.raises(InvalidRequestError, match="same numbers of inputs and outputs"):
        compare(one, two)
    with pytest.raises(InvalidRequestError, match="ball"):
        compare(one, one, domain=Ball(Fraction(1)))
    with pytest.raises(InvalidRequestError, match="columns"):
        projected(one, DyadicMatrix.from_floats(np.eye(2)))
    with pytest.raises(InvalidRequestError, match="2n"):
        injective_nearby(two)


@examples(30)
@given(networks(), st.data())
def test_networks_made_of_others_have_the_values_they_should(network, data):
    other = data.draw(networks(inputs=network.inputs))
    x = data.draw(rational_vectors(network.inputs))
    if other.outputs == network.outputs:
        expected = [a - b for a, b in zip(network(x).fractions(), other(x).fractions(), strict=True)]
        assert difference(network, other)(x).fractions() == expected
    matrix = drawn_projection(2, network.outputs, seed=data.draw(st.integers(0, 3)))
    expected = [sum((a * v for a, v in zip(row, network(x).fractions(), strict=True)), Fraction(0)) for row in matrix.fractions()]
    assert projected(network, matrix)(x).fractions() == expected
    linear = drawn_projection(network.outputs, network.inputs)
    moved = [sum((a * v for a, v in zip(row, x.fractions(), strict=True)), Fraction(0)) for row in linear.fractions()]
    expected = [a + b for a, b in zip(network(x).fractions(), moved, strict=True)]
    assert with_linear(network, linear)(x).fractions() == expected


# ---------------------------------------------------------------- I15


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_I15_a_drawn_projection_to_2n_plus_1_dimensions_keeps_injectivity(n, seed):
    random = np.random.default_rng([n, seed])
    # (relu(A x + b), relu(-A x - b), ..): injective into R^M, M = 6n.
    rows = random.integers(-3, 4, (3 * n, n)).astype(float)
    rows[:n] = np.eye(n)
    biases = random.integers(-2, 3, 3 * n).astype(float)
    network = chained(layer(np.vstack([rows, -rows]).tolist(), [*biases, *(-biases)], [True] * (6 * n)))
    assert network_injectivity(network).verdict == "injective"
    assert network_injectivity(projected(network, drawn_projection(2 * n + 1, 6 * n, seed=seed))).verdict == "injective"


def test_I15_a_projection_along_a_secant_is_refuted():
    both = chained(layer([[1], [-1]], [0, 0], [True, True]))
    found = network_injectivity(projected(both, DyadicMatrix.from_floats([[1.0, 1.0]])))
    assert found.verdict == "not-injective"
    assert abs(found.collision.x.fractions()[0]) == abs(found.collision.y.fractions()[0])
    assert network_injectivity(projected(both, DyadicMatrix.from_floats([[1.0, -1.0]]))).verdict == "injective"


@pytest.mark.parametrize("n", [1, 2])
def test_I15_injective_networks_are_dense(n):
    random = np.random.default_rng(n)
    hidden = layer(random.integers(-2, 3, (4, n)).tolist(), [0, 1, -1, 0], [True] * 4)
    network = chained(hidden, layer(random.integers(-1, 2, (2 * n + 1, 4)).tolist(), [0] * (2 * n + 1), [False] * (2 * n + 1)))
    size = Fraction(1, 100)
    near, found = injective_nearby(network, size=size)
    assert found.verdict == "injective" == network_injectivity(near, domain=AllSpace()).verdict
    for point in product((-3, 0, 2), repeat=n):
        x = RationalVector(point)
        gap = max(abs(a - b) for a, b in zip(near(x).fractions(), network(x).fractions(), strict=True))
        assert gap <= size * max(map(abs, x.fractions()))
