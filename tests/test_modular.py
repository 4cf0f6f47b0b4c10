"""The rank of sparse matrices modulo a prime is FLINT's, and the block that shows it is regular over the rationals."""

from __future__ import annotations

import time
from unittest.mock import patch

import numpy as np
import pytest
from flint import nmod_mat
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples, rank

from exactrelu.exact.directions import directions
from exactrelu.exact.modular import PRIMES, SparseRanks, residues
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.strategies import dyadic_matrices

MODULE = "exactrelu.exact.modular"


def convolution(channels: tuple[int, int], side: int, stride: int, generator: np.random.Generator, kind: str = "generic") -> SparseMatrix:
    """A 3 x 3 convolution with padding 1 as a matrix, channels outermost, with trained-looking float32 weights."""
    inputs, outputs = channels
    kernel = generator.standard_normal((outputs, inputs, 3, 3)).astype(np.float32).astype(np.float64)
    if kind == "duplicate filters":
        kernel[1] = -2 * kernel[0]
    if kind == "dead filters":
        kernel[0] = 0
    if kind == "dead channels":
        kernel[:, 0] = 0
    if kind == "sum of filters":
        kernel[0] = kernel[1] + kernel[2]
    small = side // stride
    dense = np.zeros((outputs, small, small, inputs, side, side))
    for i in range(small):
        for j in range(small):
            for a in range(3):
                for b in range(3):
                    row, column = stride * i + a - 1, stride * j + b - 1
                    if 0 <= row < side and 0 <= column < side:
                        dense[:, i, j, :, row, column] = kernel[:, :, a, b]
    return SparseMatrix.from_dense(DyadicMatrix(dense.reshape(outputs * small**2, inputs * side**2)))


def flint_rank(matrix: SparseMatrix, prime: int) -> int:
    m, n = matrix.shape
    return int(nmod_mat(m, n, [int(value) % prime for value in residues(matrix, prime).toarray().ravel()], prime).rank())


@st.composite
def matrices(draw, largest=7):
    m, n = draw(st.integers(0, largest)), draw(st.integers(0, largest))
    return draw(dyadic_matrices(m, n))


@given(matrices(), st.sampled_from([3, 7, PRIMES[0], PRIMES[1]]))
@examples(80)
def test_residues_are_the_entries_modulo_the_prime(matrix, prime):
    found = residues(SparseMatrix.from_dense(matrix), prime).toarray()
    assert found.shape == matrix.shape
    for row, own in zip(matrix.fractions(), found.tolist(), strict=True):
        for value, residue in zip(row, own, strict=True):
            assert (value.numerator - int(residue) * value.denominator) % prime == 0
            assert 2 * abs(residue) <= prime


@given(matrices(), st.data())
@examples(100)
def test_the_block_is_regular_and_as_large_as_the_rank_modulo_the_prime(matrix, data):
    rows = np.array(data.draw(st.lists(st.integers(0, max(0, matrix.shape[0] - 1)), unique=True, max_size=matrix.shape[0])), dtype=np.int64)
    columns = np.array(
        data.draw(st.lists(st.integers(0, max(0, matrix.shape[1] - 1)), unique=True, max_size=matrix.shape[1])), dtype=np.int64
    )
    every = data.draw(st.booleans())
    chosen = np.arange(matrix.shape[1]) if every else columns
    prime = data.draw(st.sampled_from([3, 7, *PRIMES]))
    sound = data.draw(st.booleans())
    with (
        patch(f"{MODULE}._ROWS_AT_A_TIME", data.draw(st.integers(1, 3))),
        patch(f"{MODULE}._PANELS", data.draw(st.sampled_from([(4, 2), (1,), (3, 2, 1), (256, 16)]))),
        patch(f"{MODULE}.float_arithmetic_is_sound", lambda: sound),
    ):
        block = SparseRanks(SparseMatrix.from_dense(matrix)).block(rows, None if every else columns, prime=prime)
    part = [[row[j] for j in chosen] for row in (matrix.fractions()[i] for i in rows)]
    modular = nmod_mat(len(rows), len(chosen), [v.numerator * pow(v.denominator, -1, prime) % prime for row in part for v in row], prime)
    assert len(block.rows) == len(block.columns) == modular.rank()
    assert set(block.rows) <= set(rows.tolist())
    assert set(block.columns) <= set(chosen.tolist())
    assert list(block.rows) == sorted(set(block.rows))
    assert list(block.columns) == sorted(set(block.columns))
    values = matrix.fractions()
    assert rank([[values[i][j] for j in block.columns] for i in block.rows]) == len(block.rows)


@pytest.mark.parametrize("kind", ["generic", "duplicate filters", "dead filters", "dead channels", "sum of filters"])
@pytest.mark.parametrize(("channels", "stride"), [((4, 4), 1), ((2, 6), 1), ((6, 3), 2), ((3, 9), 2)])
def test_a_convolution_has_the_rank_that_flint_finds(channels, stride, kind):
    matrix = convolution(channels, 10, stride, np.random.default_rng(len(kind)), kind)
    block = SparseRanks(matrix).block(np.arange(matrix.shape[0]))
    assert len(block.rows) == flint_rank(matrix, PRIMES[0])
    square = matrix.rows(np.array(block.rows)).dense().columns(np.array(block.columns))
    assert flint_rank(SparseMatrix.from_dense(square), PRIMES[0]) == len(block.rows)


def test_some_rows_and_columns_of_a_convolution():
    matrix = convolution((4, 4), 12, 1, np.random.default_rng(1))
    generator = np.random.default_rng(2)
    ranks = SparseRanks(matrix)
    for share in (0.1, 0.5, 0.9):
        rows = np.flatnonzero(generator.random(matrix.shape[0]) < share)
        columns = np.flatnonzero(generator.random(matrix.shape[1]) < 0.6)
        part = SparseMatrix.from_dense(matrix.rows(rows).dense().columns(columns))
        for prime in PRIMES:
            assert len(ranks.block(rows, columns, prime=prime).rows) == flint_rank(part, prime)


def test_a_front_that_would_be_too_large_and_a_deadline_give_no_block():
    ranks = SparseRanks(convolution((2, 2), 6, 1, np.random.default_rng(0)))
    assert ranks.block(np.arange(72), deadline=time.monotonic() - 1) is None
    with patch(f"{MODULE}._LARGEST_FRONT", 100):
        assert ranks.block(np.arange(72)) is None
    assert len(ranks.block(np.arange(72)).rows) == 72


@given(matrices(), st.data())
@examples(80)
def test_directions_are_the_multiples_among_the_rows(matrix, data):
    repeated = data.draw(st.lists(st.integers(0, max(0, matrix.shape[0] - 1)), max_size=4)) if matrix.shape[0] else []
    sparse = SparseMatrix.from_dense(matrix)
    parts = [sparse, sparse.rows(np.array(repeated, dtype=np.int64)).negated(), sparse.rows(np.array(repeated, dtype=np.int64))]
    sparse = SparseMatrix.stacked(parts)
    sparse = sparse.rows(np.flatnonzero(np.diff(sparse.starts)))
    found, values = directions(sparse), sparse.dense().fractions()
    for i, row in enumerate(values):
        other = values[found.representatives[found.group[i]]]
        place = next(j for j, value in enumerate(row) if value)
        factor = row[place] / other[place]
        assert row == [factor * value for value in other]
        assert (factor > 0) == (found.sign[i] > 0)
    kept = [values[i] for i in found.representatives]
    assert all(rank([a, b]) == 2 for i, a in enumerate(kept) for b in kept[:i])
