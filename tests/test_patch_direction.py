"""A direction on few columns lies in the recession cone, exactly; where the rows are small integers one is found unless there is none."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_modular import convolution
from theorems.oracles import accepted, examples, generators

from exactrelu.certificates import ThroughCertificate
from exactrelu.domain import AllSpace, Orthant
from exactrelu.errors import CertificateError
from exactrelu.exact.patch_direction import patch_direction
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.model import Layer
from exactrelu.network.readers import load
from exactrelu.preimage.network import NetworkPreimage
from exactrelu.preimage.sparse_layer import SparseLayerPreimage
from exactrelu.strategies import dyadic_matrices
from exactrelu.verdict import Cardinality

without_dense_matrices = partial(patch.multiple, "exactrelu.preimage.sparse_layer", LARGEST_DENSE=-1, LARGEST_DENSE_SOLVE=-1)
without_strict_rays = partial(patch.multiple, "exactrelu.preimage.sparse_layer", LARGEST_DENSE_EVIDENCE=-1)


def assert_recedes(matrix: SparseMatrix, equality: np.ndarray, direction: tuple[int, ...]) -> None:
    assert len(direction) == matrix.shape[1]
    assert any(direction)
    for row, equal in enumerate(equality.tolist()):
        columns, integers, exponent = matrix.integer_row(row)
        value = sum(a * direction[j] for j, a in zip(columns, integers, strict=True) if direction[j]) * Fraction(2) ** exponent
        assert value == 0 if equal else value <= 0


@given(st.data())
@examples(150)
def test_whatever_is_found_lies_in_the_cone(data):
    m, n = data.draw(st.integers(0, 7)), data.draw(st.integers(0, 6))
    matrix = SparseMatrix.from_dense(data.draw(dyadic_matrices(m, n)))
    equality = np.array(data.draw(st.lists(st.booleans(), min_size=m, max_size=m)), dtype=bool)
    found = patch_direction(matrix, equality)
    if found is not None:
        assert_recedes(matrix, equality, found)


@given(st.data())
@examples(150)
def test_with_small_integers_none_is_found_only_where_the_cone_holds_nothing(data):
    m, n = data.draw(st.integers(0, 6)), data.draw(st.integers(1, 4))
    rows = data.draw(st.lists(st.lists(st.integers(-2, 2), min_size=n, max_size=n), min_size=m, max_size=m))
    equality = np.array(data.draw(st.lists(st.booleans(), min_size=m, max_size=m)), dtype=bool)
    matrix = SparseMatrix.from_dense(DyadicMatrix.from_integers(rows, n))
    exact = [[Fraction(value) for value in row] for row in rows]
    equalities, inequalities = ([row for row, one in zip(exact, equality, strict=True) if one == kind] for kind in (True, False))
    found = patch_direction(matrix, equality)
    assert (found is None) == (not any(generators(equalities, inequalities, n)))
    if found is not None:
        assert_recedes(matrix, equality, found)


@pytest.mark.parametrize("kind", ["generic", "duplicate filters", "sum of filters", "dead filters"])
def test_a_convolution_recedes_in_a_corner(kind):
    generator = np.random.default_rng(5)
    matrix = convolution((4, 3), 12, 1, generator, kind)
    equality = generator.random(matrix.shape[0]) < 0.3
    found = patch_direction(matrix, equality)
    assert found is not None
    assert_recedes(matrix, equality, found)
    assert sum(value != 0 for value in found) < matrix.shape[1] / 2


def test_tiny_filters_and_channels_do_not_hide_a_direction():
    generator = np.random.default_rng(6)
    matrix = convolution((4, 3), 8, 1, generator)
    rows, channels = matrix.row_numbers() // 64, matrix.columns // 64
    floats = matrix.floats * np.where(rows == 0, 2.0**-120, 1.0) * np.where(channels == 1, 2.0**-100, 1.0)
    tiny = SparseMatrix(matrix.shape, matrix.starts, matrix.columns, floats)
    equality = generator.random(matrix.shape[0]) < 0.3
    found = patch_direction(tiny, equality)
    assert found is not None
    assert_recedes(tiny, equality, found)


def convolution_layer(generator: np.random.Generator) -> tuple[Layer, RationalVector]:
    """A layer, few of whose rows are positive at the point."""
    matrix = convolution((3, 3), 8, 1, generator)
    bias = DyadicMatrix.from_floats(generator.standard_normal((matrix.shape[0], 1)) - 5)
    layer = Layer(matrix, bias, np.ones(matrix.shape[0], dtype=bool))
    return layer, RationalVector.from_floats(generator.integers(0, 5, layer.inputs))


def test_a_layer_too_large_for_a_strict_ray_gets_a_certificate_that_checkers_accept():
    layer, x = convolution_layer(np.random.default_rng(7))
    with without_dense_matrices(), without_strict_rays():
        prepared = SparseLayerPreimage(layer, AllSpace())
        found = prepared.of_point(x)
        assert found.cardinality is Cardinality.UNBOUNDED
        claim = accepted(prepared, found, "layer-input", x)
    assert "through layer 1" in claim
    assert claim.endswith(f"unbounded, {found.active} active")


def test_the_direction_serves_every_layer_that_comes_after():
    layer, x = convolution_layer(np.random.default_rng(8))
    after = Layer(DyadicMatrix.from_floats(np.ones((1, layer.outputs))), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    with without_dense_matrices(), without_strict_rays(), patch("exactrelu.preimage.one_layer.LARGE", 1):
        prepared = NetworkPreimage([layer, after], AllSpace())
        found = prepared.of_point(x)
        written = prepared.certificate(found, network_sha256="0" * 64, layer_number=2, subject="input", given=x)
    assert (written.parts, written.claim) == ((), "unbounded 1")
    direction = written.evidence.direction
    assert any(direction.numerators)
    z = layer.pre_activation(x).fractions()
    changed = layer.pre_activation(
        RationalVector(tuple(a + b for a, b in zip(x.numerators, direction.numerators, strict=True)))
    ).fractions()
    assert all(max(a, 0) == max(b, 0) for a, b in zip(z, changed, strict=True))


def test_it_is_no_evidence_elsewhere():
    layer, x = convolution_layer(np.random.default_rng(9))
    for domain, number, subject in ((AllSpace(), 2, "layer-input"), (AllSpace(), 1, "output"), (Orthant(), 1, "layer-input")):
        with without_dense_matrices(), without_strict_rays():
            prepared = SparseLayerPreimage(layer, domain)
            found = prepared.of_point(x)
            try:
                written = prepared.certificate(found, network_sha256="0" * 64, layer_number=number, subject=subject, given=x)
            except CertificateError:
                continue
        assert not isinstance(written, ThroughCertificate)


@pytest.mark.slow
def test_the_large_layers_of_a_convolutional_network_for_cifar10_recede(shared):
    network = load(shared / "networks/trained/cifar10_cnn.onnx")
    pixels = np.load(shared / "data/cifar10_test_200.npz")["x"][0].transpose(2, 0, 1).reshape(-1)
    x = RationalVector.from_floats(pixels, scale=Fraction(1, 255))
    for number in (2, 3, 5):
        layer = network.layer(number).stages[0]
        positive = np.array([value > 0 for value in layer.pre_activation(network.layer_input(number, x)).numerators])
        found = patch_direction(layer.stored, positive)
        assert found is not None
        assert_recedes(layer.stored, positive, found)
