"""Layers and networks evaluate exactly; source layers are found; patterns and affine maps agree with evaluation."""

from __future__ import annotations

import pickle
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exactrelu.errors import InvalidRequestError, UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.network.model import Layer, Network, SourceLayer, denominator_bits

DYADICS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, -5e-324, 2.0**-1060 * 3, 2.0**900, 65504.0, 6e-8]),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.floats(-4, 4, width=32),
)
RATIONALS = st.fractions(-3, 3, max_denominator=30)


@st.composite
def matrices(draw, m, n):
    """A matrix of floats, or of integers beyond float64 over a power of two; rows repeat often."""
    if draw(st.integers(0, 3)) == 0:
        entries = st.one_of(st.just(0), st.integers(-9, 9), st.integers(-(2**80), 2**80))
        rows = draw(st.lists(st.lists(entries, min_size=n, max_size=n), min_size=m, max_size=m))
        return DyadicMatrix.from_integers(rows, n, draw(st.integers(-70, 5)))
    pool = draw(st.lists(st.lists(DYADICS, min_size=n, max_size=n), min_size=1, max_size=max(1, m)))
    chosen = [draw(st.sampled_from(pool)) for _ in range(m)]
    return DyadicMatrix.from_floats(np.array(chosen, dtype=np.float64).reshape(m, n))


@st.composite
def networks(draw):
    widths = draw(st.lists(st.integers(0, 4), min_size=2, max_size=4))
    layers = []
    for n, m in pairwise(widths):
        mask = np.array(draw(st.lists(st.booleans(), min_size=m, max_size=m)), dtype=bool)
        layers.append(Layer(draw(matrices(m, n)), draw(matrices(m, 1)), mask))
    sources = tuple(SourceLayer(i + 1, f"layer {i}", (layer,), i) for i, layer in enumerate(layers))
    return Network(tuple(layers), sources, (), (widths[0],))


def points(n):
    return st.lists(RATIONALS, min_size=n, max_size=n)


def by_fractions(layer, x):
    """The second opinion: the layer's definition over `fractions`."""
    weight, bias = layer.weight.fractions(), layer.bias.fractions()
    z = [sum((a * b for a, b in zip(row, x, strict=True)), start) for row, (start,) in zip(weight, bias, strict=True)]
    return z, [max(value, Fraction(0)) if relu else value for value, relu in zip(z, layer.rectified, strict=True)]


@given(networks(), st.data())
def test_evaluation_equals_the_definition_over_fractions(network, data):
    x = data.draw(points(network.inputs))
    state, point = x, RationalVector.from_fractions(x)
    for number, layer in enumerate(network.layers, 1):
        assert network.layer_input(number, point).fractions() == state
        z, after = by_fractions(layer, state)
        assert layer.pre_activation(RationalVector.from_fractions(state)).fractions() == z
        active = [value > 0 or not relu for value, relu in zip(z, layer.rectified, strict=True)]
        assert network.activation_pattern(point)[number - 1].tolist() == active
        state = after
    assert network(point).fractions() == state


@given(networks(), st.data())
def test_the_affine_map_of_a_pattern_equals_the_network_where_the_pattern_holds(network, data):
    x = data.draw(points(network.inputs))
    point = RationalVector.from_fractions(x)
    weight, bias = network.affine_map(network.activation_pattern(point))
    affine = Layer(weight, bias, np.zeros(network.outputs, dtype=bool))
    assert affine(point) == network(point)


@given(st.integers(0, 3), st.integers(0, 3), st.data())
def test_bits_are_those_of_the_common_denominator(m, n, data):
    matrix = data.draw(matrices(m, n))
    largest = max((value.denominator for row in matrix.fractions() for value in row), default=1)
    assert 2 ** denominator_bits(matrix) == largest


@given(networks())
def test_a_network_survives_pickling(network):
    point = RationalVector.from_fractions([Fraction(1, 3)] * network.inputs)
    value = network(point)
    assert pickle.loads(pickle.dumps(network))(point) == value


def dense(rows, *, relu=True):
    weight = DyadicMatrix.from_floats(np.array(rows, dtype=np.float64))
    return Layer(weight, DyadicMatrix.from_floats(np.zeros((weight.shape[0], 1))), np.full(weight.shape[0], relu))


def test_a_source_layer_takes_the_selected_coordinates_of_the_state_before_it():
    first, second = dense([[1, 0], [0, 1], [1, 1]]), dense([[1, -1]], relu=False)
    whole = dense([[1, 0, -1]], relu=False)
    layers = (SourceLayer(1, "first", (first,), 0), SourceLayer(2, "joined", (second,), 1, np.array([0, 2])))
    network = Network((first, whole), layers, (), (2,))
    x = RationalVector.from_fractions([Fraction(1, 2), Fraction(1, 3)])
    assert network.layer_input(2, x).texts() == ["1/2", "5/6"]
    assert network.layer("joined")(network.layer_input("joined", x)) == network(x)
    joined = network.layer(2)
    assert (joined.inputs, joined.outputs, joined.rectified, joined.bits) == (2, 1, 0, 0)


def test_a_layer_is_found_by_number_as_text_and_by_name():
    layer = dense([[1.0]])
    network = Network((layer, layer), (SourceLayer(1, "2", (layer,), 0), SourceLayer(2, "last", (layer,), 1)), (), (1,))
    assert [network.layer(which).number for which in (1, "2", "02", "last")] == [1, 2, 2, 2]


@pytest.mark.parametrize("which", [0, -1, 3, "0", "", "²", "Last", "9" * 5000])
def test_a_layer_that_does_not_exist_is_refused_with_a_list_of_those_that_do(which):
    layer = dense([[1.0]])
    network = Network((layer, layer), (SourceLayer(1, "first", (layer,), 0), SourceLayer(2, "last", (layer,), 1)), (), (1,))
    with pytest.raises(InvalidRequestError, match=r"1 \(first\), 2 \(last\)") as caught:
        network.layer(which)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300


def test_points_of_the_wrong_length_are_refused():
    layer = dense([[1.0, 2.0]])
    network = Network((layer,), (SourceLayer(1, "only", (layer,), 0),), (), (2,))
    for act in (layer, network, lambda x: network.layer_input(1, x)):
        with pytest.raises(InvalidRequestError, match="3 coordinates"):
            act(RationalVector((1, 2, 3)))


def test_networks_that_cannot_be_are_refused():
    with pytest.raises(UnsupportedModelError, match="no layer"):
        Network((), (), (), (1,))
    with pytest.raises(UnsupportedModelError, match="takes 2 inputs but 1 values"):
        Network((dense([[1.0]]), dense([[1.0, 1.0]])), (), (), (1,))
    with pytest.raises(UnsupportedModelError, match="limits"):
        Network((dense([[1.0]]),) * 4097, (), (), (1,))
    with pytest.raises(InvalidRequestError, match="boolean"):
        Layer(DyadicMatrix.from_floats([[1.0]]), DyadicMatrix.from_floats([[1.0]]), np.array([1]))
