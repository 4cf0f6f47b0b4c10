"""Products with a proved error: never further from the exact product than they say, and not a thousand times nearer."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from theorems.oracles import examples

from exactrelu.exact import banded
from exactrelu.exact.enclosed import EnclosedMatrix, Factor, blocked_product, frobenius, gram_product
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.exact.spectrum import _residual_norm
from exactrelu.strategies import dyadic_matrices


def product(left: list[list[Fraction]], right: list[list[Fraction]]) -> list[list[Fraction]]:
    return [[sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in zip(*right, strict=True)] for row in left]


def fractions(floats: np.ndarray, exponent: int = 0) -> list[list[Fraction]]:
    return [[Fraction(value) * Fraction(2) ** exponent for value in row] for row in floats.tolist()]


def squared_error(enclosed: EnclosedMatrix, exact: list[list[Fraction]]) -> Fraction:
    """|A - 2^e M|_F^2 / 4^e."""
    rows = fractions(enclosed.floats, enclosed.exponent)
    total = sum(((a - b) ** 2 for x, y in zip(rows, exact, strict=True) for a, b in zip(x, y, strict=True)), Fraction(0))
    return total / Fraction(4) ** enclosed.exponent


@examples(100)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 2, 7, 512, 513, 1100]))
def test_products_are_within_gamma_of_the_absolute_product(seed, inner):
    generator = np.random.default_rng(seed)
    left, right = generator.standard_normal((2, inner)), generator.standard_normal((inner, 2))
    found, rounding = blocked_product(left, right)
    exact, sizes = product(fractions(left), fractions(right)), product(fractions(abs(left)), fractions(abs(right)))
    for i in range(2 if inner else 0):
        for j in range(2):
            assert abs(Fraction(found[i, j]) - exact[i][j]) <= Fraction(rounding) * sizes[i][j]


@examples(100)
@given(st.data())
def test_exact_matrices_and_their_products_are_enclosed(data):
    m, k, n = (data.draw(st.integers(1, 4)) for _ in range(3))
    left, right = data.draw(dyadic_matrices(m, k)), data.draw(dyadic_matrices(k, n))
    start = EnclosedMatrix.of(right)
    assert squared_error(start, right.fractions()) <= Fraction(start.error) ** 2
    exact = product(left.fractions(), right.fractions())
    for factor in (Factor.of(left), Factor.of(SparseMatrix.from_dense(left))):
        found = factor.times(start)
        assert squared_error(found, exact) <= Fraction(found.error) ** 2
        assert np.isfinite(found.floats).all() and np.abs(found.floats).max() <= 1
        assert frobenius(found.floats) + found.error >= 0.5 or not any(map(any, exact))


@examples(60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_errors_are_carried_through_many_products(seed, depth):
    generator = np.random.default_rng(seed)
    weights = [generator.standard_normal((3, 3)) * 2.0 ** generator.integers(-300, 300) for _ in range(depth)]
    found, exact = EnclosedMatrix.of(DyadicMatrix(weights[0])), fractions(weights[0])
    for weight in weights[1:]:
        mask = np.array([True, True, generator.random() < 0.5])
        found = Factor.of(DyadicMatrix(weight)).times(found.rows(mask), mask)
        exact = product(fractions(weight[:, mask]), [row for row, kept in zip(exact, mask.tolist(), strict=True) if kept])
    assert squared_error(found, exact) <= Fraction(found.error) ** 2


@examples(30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.02, 0.1, 0.4]))
def test_sparse_products_are_the_same_and_stay_sparse(seed, density):
    generator = np.random.default_rng(seed)
    left, right = (generator.standard_normal((12, 12)) * (generator.random((12, 12)) < density) for _ in range(2))
    start = Factor.of(SparseMatrix.from_dense(DyadicMatrix(right))).enclosed()
    found = Factor.of(SparseMatrix.from_dense(DyadicMatrix(left))).times(start)
    for one, exact in ((start, fractions(right)), (found, product(fractions(left), fractions(right)))):
        share = np.count_nonzero(one.dense().floats) / 144
        assert isinstance(one.floats, np.ndarray) == (share > 0.25)
        assert squared_error(one.dense(), exact) <= Fraction(one.error) ** 2
        assert np.allclose(one.row_norms(), one.dense().row_norms(), rtol=1e-12)
        gram, rounding = gram_product(one.floats)
        rows = fractions(one.dense().floats)
        truth, sizes = (product(list(zip(*part, strict=True)), part) for part in (rows, [list(map(abs, row)) for row in rows]))
        assert all(abs(Fraction(gram[i, j]) - truth[i][j]) <= Fraction(rounding) * sizes[i][j] for i in range(12) for j in range(12))


@examples(60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e-3, 0.5]), st.sampled_from([0.0, 1e-3, 0.5]))
def test_errors_of_both_factors_are_carried_even_where_they_are_aligned(seed, left_error, right_error):
    generator = np.random.default_rng(seed)
    # Rank one, and errors in the same directions, is where the bound is nearly reached.
    u, v, w = (part / np.linalg.norm(part) for part in generator.standard_normal((3, 3)))
    left, right = np.outer(u, v), np.outer(v, w)
    start = EnclosedMatrix(right / 2, 0, right_error * (1 + 1e-9))
    found = Factor(left / 2, 0, left_error * (1 + 1e-9)).times(start)
    exact = product(fractions(left / 2 + left_error * left), fractions(right / 2 + right_error * right))
    assert squared_error(found, exact) <= Fraction(found.error) ** 2
    assert squared_error(found, exact) >= Fraction(found.error) ** 2 / 16 or not left_error + right_error


def test_a_thousandth_of_the_error_would_be_too_little():
    generator = np.random.default_rng(0)
    too_little = 0
    for _ in range(40):
        left, right = (DyadicMatrix(generator.standard_normal((2, 2))) for _ in range(2))
        found = Factor.of(left).times(EnclosedMatrix.of(right))
        too_little += squared_error(found, product(left.fractions(), right.fractions())) > Fraction(found.error / 1000) ** 2
    assert too_little >= 20


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (40, 300), (300, 40)])
def test_norms_are_upper_bounds_and_not_far_above(shape):
    values = np.random.default_rng(0).standard_normal(shape)
    largest = np.linalg.norm(values, 2)
    factor = Factor(values, 0, 0.0)
    assert largest <= factor.norm * (1 + 1e-12) <= 2 * largest * min(shape) ** 0.125
    assert np.linalg.norm(abs(values), 2) <= factor.magnitude * (1 + 1e-12)
    assert np.linalg.norm(values) <= frobenius(values) * (1 + 1e-12)


@pytest.mark.parametrize("shape", [(60, 40), (40, 60), (1, 5)])
@pytest.mark.parametrize("band", [True, False])
def test_norms_of_sparse_matrices_are_upper_bounds_and_close(shape, band, monkeypatch):
    generator = np.random.default_rng(0)
    values = np.triu(np.tril(generator.standard_normal(shape), 3), -3)
    if not band:
        monkeypatch.setattr(banded, "_MOST_BYTES", 0)
    factor, largest = Factor(csr_array(values), 0, 0.0), np.linalg.norm(values, 2)
    assert largest <= factor.norm * (1 + 1e-12) <= largest * (1.25 if band else 2.5)
    assert factor.norm <= factor.magnitude


@pytest.mark.parametrize("iterations", [0, 1, 2])
def test_a_largest_eigenvalue_that_is_proposed_too_small_is_not_taken(iterations, monkeypatch):
    matrix = csr_array(np.diag([1.0, 3.0, 2.0]) + 0.5 * (np.eye(3, k=1) + np.eye(3, k=-1)))
    truth = np.linalg.eigvalsh(matrix.toarray())[-1]
    monkeypatch.setattr(banded, "_ITERATIONS", iterations)
    assert banded.largest_eigenvalue(matrix) >= truth


# What the slices of a residual leave out or round, where by exact cancellation nothing else is left: X, Y and T near X Y.
SLICED = {
    "the rest after three slices": ([1.0, 2.0**-100, 2.0**-200, 2.0**-300], [0.0, 0.0, 0.0, 1.0], 0.0),
    "rounded sums": ([1.0, 2.0**-60], [1.0, -(2.0**60)], 2.0**-60),
}


@pytest.mark.parametrize("slices", [False, True])
@pytest.mark.parametrize("case", SLICED)
def test_residuals_are_never_bounded_too_low(case, slices):
    x, y, target = (np.array(part) for part in SLICED[case])
    exact = product(fractions(x[None, :]), fractions(y[:, None]))[0][0] - Fraction(float(target))
    assert exact
    assert abs(exact) <= Fraction(_residual_norm(target.reshape(1, 1), x[None, :], y[:, None], slices=slices)) < 1e-6 + 1000 * (not slices)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_empty_matrices(shape):
    start = EnclosedMatrix.of(DyadicMatrix(np.zeros(shape)))
    found = Factor.of(DyadicMatrix(np.ones((2, shape[0])))).times(start)
    assert found.shape == (2, shape[1]) and not found.floats.any()
