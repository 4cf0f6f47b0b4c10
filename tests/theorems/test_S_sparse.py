"""S: both ends of the spectrum of sparse linearisations, by factorisations within a band. Second opinion: elimination by fractions."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from theorems.oracles import examples, rank
from theorems.test_S import Truth, inertia

from exactrelu import DyadicMatrix, Layer, Network, RationalVector, SourceLayer
from exactrelu.exact.banded import BandedMatrix
from exactrelu.exact.enclosed import EnclosedMatrix
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.stability import stability
from exactrelu.stability.full_rank import ends, fits, sparse_matrices
from exactrelu.stability.linearisation import Step, linearisations

pytest.importorskip("torch", reason="singular values are proposed by PyTorch")


def fractions(matrix: np.ndarray) -> list[list[Fraction]]:
    return [[Fraction(value) for value in row] for row in matrix.tolist()]


def negative(matrix: np.ndarray, shift: Fraction) -> int:
    """How many eigenvalues of a symmetric matrix are below the shift."""
    rows = fractions(matrix)
    return inertia([[value - (shift if i == j else 0) for j, value in enumerate(row)] for i, row in enumerate(rows)])[0]


@st.composite
def local_matrices(draw: st.DrawFn) -> np.ndarray:
    """Matrices whose rows have few entries, close to one another, as those of a convolution."""
    m, n = draw(st.integers(1, 9)), draw(st.integers(1, 6))
    matrix = np.zeros((m, n))
    for i in range(m):
        begin = draw(st.integers(0, n - 1))
        width = len(matrix[i, begin : begin + 3])
        matrix[i, begin : begin + 3] = draw(st.lists(st.integers(-8, 8), min_size=width, max_size=width))
    return matrix * 2.0 ** draw(st.integers(-4, 0)) / 8


@examples(80)
@given(local_matrices(), st.sampled_from([0.25, 1 - 1e-9, 1.0, 1 + 1e-9, 4.0]))
def test_S2_factorisations_never_claim_too_much_of_eigenvalues(matrix, factor):
    gram = matrix.T @ matrix
    band = BandedMatrix.of(csr_array(gram))
    values = np.linalg.eigvalsh(gram)
    least, most = (abs(float(value)) * factor for value in (values[0], values[-1]))
    if band.at_least(least):
        assert negative(gram, Fraction(least)) == 0
    if most and band.at_most(most):
        assert negative(-gram, -Fraction(most)) == 0
    # What is well within the bounds is proved.
    assert factor > 0.5 or values[0] < 1e-6 or band.at_least(least)
    assert factor < 2 or values[-1] < 1e-6 or band.at_most(most)


@pytest.mark.parametrize("seed", [24, 37, 40])
def test_S2_without_its_slack_a_factorisation_would_prove_what_is_false(seed, monkeypatch):
    rows = np.random.default_rng(seed).standard_normal((8, 9))
    gram = (rows.T @ rows + (rows.T @ rows).T) / 2
    assert negative(gram, Fraction(0)) == 1
    band = BandedMatrix.of(csr_array(gram))
    assert not band.at_least(0.0)
    monkeypatch.setattr(BandedMatrix, "_slack", lambda *_: 0.0)
    assert band.at_least(0.0)


@examples(100)
@given(local_matrices(), st.sampled_from([0.0, 1e-6]))
def test_S1_both_ends_hold_the_truth(matrix, error):
    found = ends(EnclosedMatrix(csr_array(matrix), 0, error), Fraction(np.linalg.norm(matrix, 2)))
    if found is None:
        assert not matrix.any()
        return
    truth, d = Truth(fractions(matrix)), Fraction(error)
    if found.upper is not None:
        # A may be any matrix within d of the floats.
        assert found.upper > d
        assert sum(truth.below(found.upper - d)) == len(truth.gram)
    if found.last is not None:
        low, high = found.last
        assert rank(fractions(matrix)) == found.count
        zeros = len(truth.gram) - found.count
        assert truth.below(low + d)[0] == zeros < sum(truth.below(high - d))
    else:
        values = np.linalg.svd(matrix, compute_uv=False)
        columns = int(matrix.any(axis=0).sum())
        assert values[min(len(matrix), columns) - 1] < 1e-5 + 2 * error


def convolutions(seed: int, length: int, *channels: int) -> Network:
    """One-dimensional convolutions with three taps, each with a relu."""
    generator, layers = np.random.default_rng(seed), []
    for before, after in pairwise(channels):
        weight = np.zeros((after * length, before * length))
        for tap in range(-1, 2):
            kernel = generator.integers(-16, 17, (after, before)) / 16
            weight += np.kron(kernel, np.eye(length, k=tap))
        stored = SparseMatrix.from_dense(DyadicMatrix(weight))
        bias = DyadicMatrix(generator.integers(-4, 5, (len(weight), 1)) / 16)
        layers.append(Layer(stored, bias, np.ones(len(weight), bool)))
    named = tuple(SourceLayer(k + 1, f"convolution {k + 1}", (layer,), k) for k, layer in enumerate(layers))
    return Network(tuple(layers), named, (), (layers[0].inputs,))


@pytest.mark.parametrize("seed", range(4))
def test_S3_sparse_linearisations_have_the_singular_values_of_dense_ones(seed):
    network = convolutions(seed, 60, 1, 4, 3, 2)
    x = RationalVector.from_floats(np.random.default_rng(seed).integers(0, 16, 60) / 16)
    steps = steps_of(network)
    masks = [depth.after.masks[-1] for depth in linearisations(steps, x)]
    for sparse, depth in zip(sparse_matrices(steps, masks), linearisations(steps, x), strict=True):
        assert np.array_equal(sparse.dense().floats, depth.after.matrix.dense().floats)
    for dense, free in zip(stability(network, [x]), stability(network, [x], most_bytes=2**18), strict=True):
        record = json.loads(json.dumps(free.record()))
        assert record["matrix_free"] and record["sigma"] is None
        proved, found = dense.after, free.after
        assert found.rank[0] <= proved.exact_rank <= found.rank[1]
        assert found.sigma_max[0] <= proved.sigma_max[1] and proved.sigma_max[0] <= found.sigma_max[1] <= found.sigma_max[0] * 2
        assert len(proved.spectrum) < 60 or found.last_upper >= proved.spectrum.lower[59]
        if found.sigma_min is not None:
            assert found.exact_rank == proved.exact_rank == record["rank"]
            assert found.sigma_min[0] <= proved.sigma_min[1] and proved.sigma_min[0] <= found.sigma_min[1] <= found.sigma_min[0] * 2
        else:
            assert proved.exact_rank < found.rank[1] or proved.condition[1] > 10**4


def test_S3_what_does_not_fit_in_memory_is_not_multiplied():
    network = convolutions(0, 40, 1, 3, 2)
    steps = steps_of(network)
    masks = [depth.after.masks[-1] for depth in linearisations(steps, RationalVector((1,) * 40))]
    assert [one is None for one in sparse_matrices(steps, masks, most_bytes=10)] == [False, True]
    assert not fits(np.ones((100, 100)), np.ones((100, 100)), 1000)
    assert BandedMatrix.of(csr_array(np.ones((50, 50))), most_bytes=1000) is None


def steps_of(network: Network) -> tuple[Step, ...]:
    return tuple(Step(layer) for layer in network.layers)
