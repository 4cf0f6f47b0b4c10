"""Sparse matrices compute what fractions compute, mean what their dense form means, and give the same network file."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exactrelu.errors import UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.exact_file import network_sha256
from exactrelu.network.model import Layer, Network, SourceLayer, denominator_bits

ENTRIES = st.one_of(
    st.just(0.0),
    st.sampled_from([1.0, -1.0, 0.5, 5e-324, -5e-324, 2.0**1023, -(2.0**-1022), 65504.0, 1e-45, 0.1, -0.1]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-4, 4, width=32),
)


def dyadics(draw, m, n):
    if draw(st.integers(0, 3)) == 0:
        integers = st.lists(st.one_of(st.just(0), st.integers(-9, 9), st.integers(-(2**90), 2**90)), min_size=n, max_size=n)
        return DyadicMatrix.from_integers(draw(st.lists(integers, min_size=m, max_size=m)), n, draw(st.integers(-90, 9)))
    return DyadicMatrix.from_floats(np.array(draw(st.lists(ENTRIES, min_size=m * n, max_size=m * n)), dtype=float).reshape(m, n))


@st.composite
def matrices(draw, m=None, n=None):
    m, n = (draw(st.integers(0, 4)) if size is None else size for size in (m, n))
    return dyadics(draw, m, n)


def numbers(matrix):
    """The entries of a sparse matrix as fractions, and that it is kept as it should be: increasing columns, no zero."""
    dense = [[Fraction(0)] * matrix.shape[1] for _ in range(matrix.shape[0])]
    for i in range(matrix.shape[0]):
        columns, integers, exponent = matrix.integer_row(i)
        assert all(a < b for a, b in zip(columns, columns[1:], strict=False))  # noqa: RUF007
        assert all(integers)
        for column, value in zip(columns, integers, strict=True):
            dense[i][column] = value * Fraction(2) ** exponent
    return dense


@given(matrices())
def test_a_matrix_comes_back_from_its_sparse_form(matrix):
    sparse = SparseMatrix.from_dense(matrix)
    assert numbers(sparse) == matrix.fractions() == sparse.dense().fractions()
    assert sparse.dense().is_float64 or not matrix.is_float64
    assert denominator_bits(sparse) == denominator_bits(matrix)


@given(st.data())
def test_sums_products_with_factors_and_negatives_are_exact(data):
    m, n = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 4))
    a, b = (data.draw(matrices(m, n)) for _ in range(2))
    factors = data.draw(matrices(m, 1))
    first, second = SparseMatrix.from_dense(a), SparseMatrix.from_dense(b)
    pairs = zip(a.fractions(), b.fractions(), strict=True)
    assert numbers(first.plus(second)) == [[x + y for x, y in zip(*rows, strict=True)] for rows in pairs]
    assert numbers(first.plus(first.negated())) == [[0] * n for _ in range(m)]
    scaled = first.scaled(SparseMatrix.from_dense(factors))
    assert numbers(scaled) == [[x * f for x in row] for row, (f,) in zip(a.fractions(), factors.fractions(), strict=True)]
    assert numbers(SparseMatrix.fractions([f for (f,) in factors.fractions()])) == factors.fractions()


@given(st.data())
def test_rows_are_chosen_and_columns_moved(data):
    matrix = data.draw(matrices())
    m, n = matrix.shape
    sparse, dense = SparseMatrix.from_dense(matrix), matrix.fractions()
    index = data.draw(st.lists(st.integers(0, m - 1), max_size=6)) if m else []
    assert numbers(sparse.rows(np.array(index, dtype=int))) == [dense[i] for i in index]
    wider = n + data.draw(st.integers(0, 2))
    places = data.draw(st.permutations(range(wider)))[:n]
    moved = [[dict(zip(places, row, strict=True)).get(j, 0) for j in range(wider)] for row in dense]
    assert numbers(sparse.moved(np.array(places, dtype=int), wider)) == moved
    assert numbers(SparseMatrix.stacked([sparse, sparse])) == dense * 2


@given(st.data())
def test_the_product_with_integers_is_exact(data):
    matrix = data.draw(matrices())
    integers = st.one_of(st.integers(-9, 9), st.integers(-(2**200), 2**200), st.sampled_from([2**15, -(2**15), 2**16 - 1, -(2**16)]))
    x = data.draw(st.lists(integers, min_size=matrix.shape[1], max_size=matrix.shape[1]))
    values, exponent = SparseMatrix.from_dense(matrix).times(x)
    expected = [sum((a * b for a, b in zip(row, x, strict=True)), Fraction(0)) for row in matrix.fractions()]
    assert [value * Fraction(2) ** exponent for value in values] == expected


@given(st.data())
def test_a_sparse_layer_is_the_dense_one(data):
    matrix = data.draw(matrices())
    m, n = matrix.shape
    bias = data.draw(matrices(m, 1))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=m, max_size=m)), dtype=bool)
    dense, sparse = Layer(matrix, bias, mask), Layer(SparseMatrix.from_dense(matrix), bias, mask)
    x = RationalVector.from_fractions(data.draw(st.lists(st.fractions(-3, 3, max_denominator=30), min_size=n, max_size=n)))
    assert sparse.pre_activation(x) == dense.pre_activation(x)
    networks = [Network((layer,), (SourceLayer(1, "only", (layer,), 0),), (), (n,)) for layer in (dense, sparse)]
    assert network_sha256(networks[0]) == network_sha256(networks[1])
    assert len({network.source_layers[0].bits for network in networks}) == 1
    assert len({network.source_layers[0].rectified for network in networks}) == 1
    assert pickle.loads(pickle.dumps(networks[1]))(x) == networks[0](x)


def test_many_rows_are_multiplied_in_blocks():
    random = np.random.default_rng(0)
    m, n, k = 3000, 700, 500
    columns = np.sort(np.argsort(random.random((m, n)), axis=1)[:, :k], axis=1)
    values = random.integers(1, 9, (m, k)) * 2.0 ** random.integers(-70, 3, (m, k))
    matrix = SparseMatrix((m, n), np.arange(m + 1) * k, columns.reshape(-1).astype(np.int32), values.reshape(-1))
    x = random.integers(-1000, 1000, n).tolist()
    found, exponent = matrix.times(x)
    for i in (0, 1, 1499, 2098, 2999):
        expected = sum(Fraction(value) * x[j] for value, j in zip(values[i].tolist(), columns[i].tolist(), strict=True))
        assert found[i] * Fraction(2) ** exponent == expected


def test_what_would_be_too_large_is_refused():
    with pytest.raises(UnsupportedModelError, match="dense matrix of 65536 x 65536"):
        SparseMatrix.selection(np.arange(2**16), 2**16).dense()
    huge = SparseMatrix.fractions([Fraction(2) ** 5000])
    with pytest.raises(UnsupportedModelError, match="8192 bits"):
        huge.scaled(huge)
