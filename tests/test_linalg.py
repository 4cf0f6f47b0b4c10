"""Exact linear algebra over FLINT against elimination over fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice, permutations
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import dot, echelon, examples, rank

from exactrelu.exact.linalg import (
    PRIMES,
    Block,
    determinant,
    exact_rank,
    full_row_rank,
    integer_matrix,
    integer_rows,
    kernel_vectors,
    left_inverse_mod,
    mask_of,
    null_vectors,
    primes,
    rank_mod,
    regular_block,
    relations,
    residues,
    solve,
)
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.strategies import dyadic_matrices

SMALL = st.one_of(st.integers(-2, 2), st.integers(-(2**70), 2**70))


def squares(size):
    return st.lists(st.lists(SMALL, min_size=size, max_size=size), min_size=size, max_size=size)


def leibniz(rows):
    total = 0
    for order in permutations(range(len(rows))):
        inversions = sum(order[i] > order[j] for i in range(len(rows)) for j in range(i + 1, len(rows)))
        total += (-1) ** inversions * prod(rows[i][j] for i, j in enumerate(order))
    return total


def product(left, right):
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*right, strict=True)] for row in left]


@given(st.sets(st.integers(0, 300)))
def test_masks_have_exactly_the_bits_given(indices):
    mask = mask_of(indices)
    assert {i for i in range(301) if mask >> i & 1} == indices
    assert mask < 2**301


def test_primes_are_distinct_primes():
    found = list(islice(primes(), 8))
    assert len(set(found)) == 8
    for p in found:
        # Miller and Rabin with the first twelve primes decides below 3 * 10^24.
        odd, twos = p - 1, 0
        while odd % 2 == 0:
            odd, twos = odd // 2, twos + 1
        for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
            assert pow(base, odd, p) == 1 or any(pow(base, odd << k, p) == p - 1 for k in range(twos))


@examples(150)
@given(st.integers(0, 4), st.integers(0, 4), st.data())
def test_integer_rows_are_the_rows_times_powers_of_two_with_an_odd_entry(m, n, data):
    matrix = data.draw(dyadic_matrices(m, n))
    for row, exact in zip(integer_rows(matrix), matrix.fractions(), strict=True):
        if not any(exact):
            assert not any(row)
            continue
        factor = next(Fraction(a) / b for a, b in zip(row, exact, strict=True) if b)
        assert factor > 0
        power = factor if factor.denominator == 1 else 1 / factor
        assert power.denominator == 1
        assert power.numerator & (power.numerator - 1) == 0
        assert row == [factor * value for value in exact]
        assert any(value % 2 for value in row)
    rows = integer_rows(matrix)
    assert [[int(v) for v in row] for row in integer_matrix(matrix).tolist()] == rows
    for modulus in (2**31 - 1, 2**61 - 1, 3):
        assert [[int(v) for v in row] for row in residues(matrix, modulus).tolist()] == [[v % modulus for v in row] for row in rows]


@examples(150)
@given(st.integers(0, 4), st.integers(1, 3), st.data())
def test_solve_is_exact_and_none_iff_singular(size, width, data):
    block = data.draw(squares(size))
    right = [[data.draw(SMALL) for _ in range(width)] for _ in range(size)]
    solved = solve(block, right)
    assert (solved is None) == (leibniz(block) == 0)
    if solved is not None:
        numerators, denominator = solved
        assert denominator > 0
        assert size == 0 or product(block, numerators) == [[denominator * value for value in row] for row in right]
    assert determinant(block) == leibniz(block)


@examples(150)
@given(st.integers(1, 4), st.sampled_from([2, 3, 7, *PRIMES]), st.data())
def test_left_inverses_are_left_inverses(size, modulus, data):
    block = data.draw(squares(size))
    inverse = left_inverse_mod(block, modulus)
    if inverse is not None:
        assert [[v % modulus for v in row] for row in product(inverse, block)] == [[int(i == j) for j in range(size)] for i in range(size)]
    else:
        assert leibniz(block) % modulus == 0


@pytest.mark.parametrize("modulus", [4, 15, 1, 0, -7, 2**61, 2**64 + 13])
def test_a_modulus_that_is_no_prime_of_64_bits_is_refused(modulus):
    # FLINT ends the process when an elimination meets a pivot that is not a unit.
    with pytest.raises(ValueError, match="prime"):
        left_inverse_mod([[2]], modulus)


@examples(150)
@given(st.integers(0, 5), st.integers(0, 5), st.data())
def test_blocks_are_regular_and_as_large_as_the_rank_modulo_the_prime(m, n, data):
    matrix = data.draw(dyadic_matrices(m, n))
    rows = integer_rows(matrix)
    for p in PRIMES:
        block = regular_block(matrix, p)
        assert len(block.rows) == len(block.columns) == rank_mod(matrix, p) <= rank(matrix.fractions())
        assert list(block.rows) == sorted(set(block.rows))
        assert list(block.columns) == sorted(set(block.columns))
        assert leibniz([[rows[i][j] for j in block.columns] for i in block.rows]) % p != 0


@examples(150)
@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_relations_and_null_vectors_are_exact_or_none(m, n, data):
    matrix = data.draw(dyadic_matrices(m, n))
    rows, exact = integer_rows(matrix), matrix.fractions()
    block = regular_block(matrix, PRIMES[1])
    smaller = Block(block.rows[:-1], block.columns[:-1], block.modulus)
    for chosen in (block, smaller):
        others = [i for i in range(m) if i not in chosen.rows]
        found = relations(rows, chosen, others)
        spanned = all(rank([[Fraction(v) for v in rows[i]] for i in (*chosen.rows, k)]) == len(chosen.rows) for k in others)
        square = [[rows[i][j] for j in chosen.columns] for i in chosen.rows]
        if leibniz(square):
            assert (found is not None) == spanned
        for relation in found or ():
            assert relation.denominator > 0
            assert [relation.denominator * v for v in rows[relation.row]] == [
                sum(c * rows[j][k] for j, c in relation.terms) for k in range(n)
            ]
        vectors = null_vectors(rows, n, chosen)
        if leibniz(square):
            # None exactly where the rank exceeds the block.
            assert (vectors is not None) == (rank(exact) == len(chosen.rows) or len(chosen.columns) == n)
        if vectors is not None and len(chosen.columns) < n:
            assert len(vectors) == n - len(chosen.rows)
            assert all(sum(a * b for a, b in zip(row, vector, strict=True)) == 0 for row in rows for vector in vectors)
            free = [j for j in range(n) if j not in chosen.columns]
            assert all((vector[j] != 0) == (j == own) for vector, own in zip(vectors, free, strict=True) for j in free)


@examples(150)
@given(st.integers(0, 4), st.integers(0, 5), st.data())
def test_kernel_vectors_are_a_basis_of_the_kernel(m, n, data):
    matrix = data.draw(dyadic_matrices(m, n))
    rows = matrix.fractions()
    vectors = [[Fraction(value) for value in vector] for vector in kernel_vectors(matrix)]
    assert rank(vectors) == len(vectors) == n - rank(rows)
    assert all(dot(row, vector) == 0 for row in rows for vector in vectors)


def test_kernels_and_ranks_do_not_depend_on_the_usual_primes():
    usual = list(islice(primes(), 5))
    matrix = DyadicMatrix.from_integers([[p * (i == j) for j in range(6)] for i, p in enumerate(usual)], 6)
    assert [rank_mod(matrix, p) for p in usual] == [4] * 5
    found = exact_rank(matrix)
    assert found.rank == 5
    assert found.modulus not in usual
    assert kernel_vectors(matrix) == ((0, 0, 0, 0, 0, 1),)


def test_a_rank_that_drops_modulo_the_first_prime_is_not_believed_through_null_vectors():
    p = PRIMES[0]
    matrix = DyadicMatrix.from_integers([[p * a, b, 0] for a, b in ((1, 1), (2, 1), (3, 1), (1, 2), (1, 5))], 3)
    assert rank_mod(matrix, p) == 1
    assert exact_rank(matrix).rank == 2


@examples(100)
@given(st.integers(0, 3), st.integers(0, 4), st.data())
def test_full_row_rank_believes_only_what_is_true(m, n, data):
    matrix = data.draw(dyadic_matrices(m, n))
    count = min(m, n)
    columns = np.array(data.draw(st.lists(st.integers(0, max(n - 1, 0)), min_size=count, max_size=count, unique=True)), dtype=np.int64)
    found = full_row_rank(matrix, columns)
    picked = [[row[j] for j in sorted(columns.tolist())] for row in matrix.fractions()]
    if found is not None:
        assert found.rank == m == rank(picked)
    elif len(columns) == m:
        assert rank_mod(matrix.columns(np.sort(columns)), PRIMES[0]) < m


@pytest.mark.parametrize("bound", ["rows", "columns", "relations", "null"])
def test_every_way_to_bound_a_rank_occurs(bound):
    matrices = {
        "rows": [[1.0, 2.0, 3.0]],
        "columns": [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]],
        "relations": [[1.0, 2.0, 3.0], [-2.0, -4.0, -6.0], [0.0, 1.0, 0.0]],
        "null": [[1.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 5.0], [3.0, 1.0, 4.0], [5.0, 2.0, 7.0]],
    }
    found = exact_rank(DyadicMatrix.from_floats(matrices[bound]))
    assert found.bound == bound
    assert found.rank == len(echelon([[Fraction(v) for v in row] for row in matrices[bound]])[1])
