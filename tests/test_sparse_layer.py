"""Large sparse layers are decided as the same layers are as dense matrices; without these, in part but never differently."""

from __future__ import annotations

import time
from fractions import Fraction
from functools import partial
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_modular import convolution
from theorems.oracles import accepted, claim_words, examples

from exactrelu.domain import AllSpace, Box, Orthant
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.model import Layer
from exactrelu.network.readers import load
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.preimage.sparse_layer import SparseLayerPreimage
from exactrelu.strategies import domains, layers_with_points, outputs
from exactrelu.verdict import Cardinality

without_dense_matrices = partial(patch.multiple, "exactrelu.preimage.sparse_layer", LARGEST_DENSE=-1, LARGEST_DENSE_SOLVE=-1)


def sparse_form(layer: Layer) -> Layer:
    return Layer(SparseMatrix.from_dense(layer.weight), layer.bias, layer.rectified)


def agrees(found, expected):
    """What was found says nothing that differs from what is so."""
    assert found.active == expected.active
    if expected.cardinality is Cardinality.UNDECIDED:
        return
    if found.cardinality is Cardinality.INFINITE:
        assert expected.cardinality.is_infinite
    elif found.cardinality is not Cardinality.UNDECIDED:
        assert found.cardinality is expected.cardinality
        assert found.points == expected.points
    if found.solutions is not None:
        assert found.solutions == expected.solutions
    for ours, theirs in ((found.dimension, expected.dimension), (found.rank, expected.rank)):
        assert ours is None or theirs is None or ours == theirs


@given(layers_with_points(), st.data())
@examples(100)
def test_the_ranks_alone_say_nothing_wrong_about_a_point(case, data):
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x))
    with without_dense_matrices():
        found = SparseLayerPreimage(sparse_form(layer), domain).of_point(x)
    expected = LayerPreimage(layer, domain).of_point(x)
    agrees(found, expected)


@given(layers_with_points(), st.data())
@examples(50)
def test_with_the_dense_matrix_at_hand_everything_is_decided(case, data):
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x))
    found, expected = SparseLayerPreimage(sparse_form(layer), domain).of_point(x), LayerPreimage(layer, domain).of_point(x)
    agrees(found, expected)
    assert found.cardinality is expected.cardinality
    assert found.dimension == expected.dimension


@given(layers_with_points(), st.data())
@examples(70)
def test_the_ranks_alone_say_nothing_wrong_about_an_output(case, data):
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x))
    y = data.draw(outputs(layer))
    with without_dense_matrices():
        found = SparseLayerPreimage(sparse_form(layer), domain).of_output(y)
    expected = LayerPreimage(layer, domain).of_output(y)
    agrees(found, expected)


@given(layers_with_points(), st.data())
@examples(50)
def test_certificates_written_without_a_dense_matrix_are_accepted(case, data):
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x))
    if not domain.contains(x):
        return
    with without_dense_matrices():
        prepared = SparseLayerPreimage(sparse_form(layer), domain)
        found = prepared.of_point(x)
        try:
            words = accepted(prepared, found, "layer-input", x)
        except CertificateError:
            assert found.cardinality is not Cardinality.SINGLETON or found.rank != layer.inputs
            return
    # Where only a direction was found, the certificate speaks of neither rank nor dimension.
    along = "through" in words and found.cardinality is Cardinality.UNBOUNDED
    assert words.endswith(f": unbounded, {found.active} active" if along else claim_words(found))


def layer_of(matrix: SparseMatrix, generator: np.random.Generator) -> Layer:
    bias = generator.standard_normal((matrix.shape[0], 1)).astype(np.float32)
    return Layer(matrix, DyadicMatrix.from_floats(bias), np.ones(matrix.shape[0], dtype=bool))


@pytest.mark.parametrize("kind", ["generic", "duplicate filters", "dead filters", "dead channels"])
@pytest.mark.parametrize("domain", ["all", "orthant", "box"])
def test_convolutions_agree_with_their_dense_form(kind, domain):
    generator = np.random.default_rng(3)
    for channels, stride in (((3, 12), 1), ((4, 4), 1), ((4, 6), 2)):
        layer = layer_of(convolution(channels, 4, stride, generator, kind), generator)
        n = layer.inputs
        chosen = {"all": AllSpace(), "orthant": Orthant(), "box": Box(RationalVector((0,) * n), RationalVector((1,) * n))}[domain]
        prepared, dense = SparseLayerPreimage(layer, chosen), LayerPreimage(layer, chosen)
        x = RationalVector.from_floats(generator.integers(0, 5, n), scale=Fraction(1, 4))
        with without_dense_matrices():
            found = prepared.of_point(x)
        agrees(found, dense.of_point(x, deadline=time.monotonic() + 1))
        assert domain == "orthant" or found.cardinality is not Cardinality.UNDECIDED


@pytest.mark.parametrize(
    ("channels", "stride", "expected"), [((3, 12), 1, "singleton"), ((4, 4), 1, "unbounded"), ((4, 6), 2, "unbounded")]
)
def test_convolutions_are_decided_on_all_of_space_without_a_dense_matrix(channels, stride, expected):
    generator = np.random.default_rng(4)
    with without_dense_matrices():
        for kind in ("generic", "dead filters", "duplicate filters"):
            layer = layer_of(convolution(channels, 6, stride, generator, kind), generator)
            prepared = SparseLayerPreimage(layer, AllSpace())
            x = RationalVector.from_floats(generator.integers(-4, 5, layer.inputs), scale=Fraction(1, 4))
            found = prepared.of_point(x)
            assert found.cardinality.value == expected
            assert found.rank == layer.inputs - found.dimension
            if kind == "generic":
                assert accepted(prepared, found, "layer-input", x).endswith(claim_words(found))
            if expected == "unbounded" and kind != "duplicate filters":
                of_output = prepared.of_output(layer(x))
                assert (of_output.cardinality, of_output.dimension) == (found.cardinality, found.dimension)


def test_an_output_in_independent_rows_is_always_reached_and_a_constant_row_may_refuse_it():
    weight = SparseMatrix.from_dense(DyadicMatrix.from_floats([[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [0.0, 3.0, 0.0]]))
    layer = Layer(weight, DyadicMatrix.from_floats([[0.5], [0.5], [-1.0]]), np.array([True, True, True]))
    with without_dense_matrices():
        prepared = SparseLayerPreimage(layer, AllSpace())
        reached = prepared.of_output(RationalVector((7, 1, 0), 2))
        assert (reached.cardinality, reached.dimension, reached.rank) == (Cardinality.UNBOUNDED, 2, 1)
        assert prepared.of_output(RationalVector((7, 2, 0), 2)).cardinality is Cardinality.EMPTY
        assert prepared.of_output(RationalVector((7, 1, -1), 2)).cardinality is Cardinality.EMPTY
        with pytest.raises(CertificateError, match="ask about a point"):
            prepared.certificate(reached, network_sha256="0" * 64, layer_number=1, subject="output", given=RationalVector((7, 1, 0), 2))


def test_what_is_not_decided_says_why():
    generator = np.random.default_rng(5)
    layer = layer_of(convolution((2, 4), 6, 1, generator, "sum of filters"), generator)
    x = RationalVector((0,) * layer.inputs)
    with without_dense_matrices():
        prepared = SparseLayerPreimage(layer, Orthant())
        late = prepared.of_point(x, deadline=time.monotonic() - 1)
        assert late.cardinality in {Cardinality.UNDECIDED, Cardinality.INFINITE}
        undecided = prepared.of_output(layer(x))
        assert undecided.cardinality is Cardinality.UNDECIDED
        assert "ask about a point" in undecided.reached
    with pytest.raises(InvalidRequestError, match="5 coordinates"):
        prepared.of_point(RationalVector((0,) * 5))
    with pytest.raises(InvalidRequestError, match="5 coordinates"):
        prepared.of_output(RationalVector((0,) * 5))


@pytest.mark.slow
def test_every_layer_of_a_convolutional_network_for_cifar10_is_decided(shared):
    network = load(shared / "networks/trained/cifar10_cnn.onnx")
    pixels = np.load(shared / "data/cifar10_test_200.npz")["x"][:3].transpose(0, 3, 1, 2).reshape(3, -1)
    points = [RationalVector.from_floats(row, scale=Fraction(1, 255)) for row in pixels]
    for source in network.source_layers:
        layer = source.stages[0]
        prepared = (SparseLayerPreimage if isinstance(layer.stored, SparseMatrix) else LayerPreimage)(layer, AllSpace())
        for x in points:
            found = prepared.of_point(network.layer_input(source.number, x))
            assert found.cardinality is (Cardinality.SINGLETON if source.number == 1 else Cardinality.UNBOUNDED)
            assert found.rank == source.inputs - found.dimension
