"""Rounding bounds: never on the wrong side of the exact value, and none at all where arithmetic is not IEEE float64."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples

from exactrelu.exact import rounding
from exactrelu.exact.rounding import (
    UPWARDS,
    float_arithmetic_is_sound,
    gamma,
    in_safe_range,
    smallest_eigenvalue_lower_bound,
)
from exactrelu.exact.system import gram_lower_bound


def is_positive_semidefinite(matrix: list[list[Fraction]]) -> bool:
    """Exactly, by symmetric elimination: a negative pivot refutes, a zero pivot needs a zero row."""
    matrix = [list(row) for row in matrix]
    while matrix:
        pivot, *rest = matrix[0]
        if pivot < 0 or (pivot == 0 and any(rest)):
            return False
        matrix = [[a - (row[0] * b / pivot if pivot else 0) for a, b in zip(row[1:], matrix[0][1:], strict=True)] for row in matrix[1:]]
    return True


def gram_minus(matrix: np.ndarray, shift: Fraction) -> list[list[Fraction]]:
    columns = [[Fraction(value) for value in column] for column in matrix.T.tolist()]
    return [
        [sum((a * b for a, b in zip(one, other, strict=True)), Fraction(0)) - (shift if i == j else 0) for j, other in enumerate(columns)]
        for i, one in enumerate(columns)
    ]


@given(st.integers(0, 2**20))
def test_gamma_is_an_upper_bound_and_a_tight_one(terms):
    u = Fraction(1, 2**53)
    exact = terms * u / (1 - terms * u)
    assert exact <= Fraction(gamma(terms)) <= exact * Fraction(1 + 2**-29)


@given(st.integers(0, 2**20))
def test_upwards_covers_the_rounding_of_any_sum_of_so_many_terms(terms):
    u = Fraction(1, 2**53)
    assert (1 - (terms + 2) * u / (1 - (terms + 2) * u)) * Fraction(UPWARDS) > 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 5e-324, 2.0**-401, 2.0**401, 1e308])
def test_unsafe_numbers_are_seen_wherever_they_are(value):
    assert not in_safe_range(np.array([1.0, value]))
    assert not in_safe_range(np.ones(2), np.array([[0.0], [-value]]))


def test_zeros_and_empty_arrays_are_safe():
    assert in_safe_range(np.zeros(3), np.zeros((0, 2)), np.array([-0.0, 2.0**400, -(2.0**-400)]))


@examples(200)
@given(st.integers(1, 4), st.integers(0, 5), st.data())
def test_gram_bounds_are_never_above_the_smallest_eigenvalue(n, extra, data):
    entries = st.one_of(st.sampled_from([0.0, 1.0, -1.0, 0.5]), st.floats(-1, 1, width=32).map(lambda v: v if abs(v) > 2.0**-100 else 0.0))
    m = data.draw(st.integers(max(0, n - 1), n + extra))
    matrix = np.array(data.draw(st.lists(entries, min_size=m * n, max_size=m * n))).reshape(m, n)
    if m >= 2 and data.draw(st.booleans()):
        matrix[-1] = matrix[0] * (1 + data.draw(st.sampled_from([0.0, 2.0**-52, 2.0**-26])))
    bound = gram_lower_bound(matrix)
    assert bound >= 0
    assert bound == 0 or is_positive_semidefinite(gram_minus(matrix, Fraction(bound)))


@examples(200)
@given(st.integers(1, 4), st.integers(0, 2**32 - 1), st.floats(2.0**-40, 8))
def test_eigenvalue_bounds_are_never_too_large_whatever_shift_is_tried(n, seed, shift):
    matrix = np.random.default_rng(seed).integers(-4, 5, (n + 1, n)).astype(np.float64)
    gram = matrix.T @ matrix
    bound = smallest_eigenvalue_lower_bound(gram, 0.0, shift)
    assert bound == 0 or is_positive_semidefinite(gram_minus(matrix, Fraction(bound)))


def test_bounds_are_found_for_regular_matrices_and_not_for_singular_ones():
    assert gram_lower_bound(np.eye(3)) > 0.5
    assert gram_lower_bound(np.vstack([np.eye(80), np.eye(80)])) > 1e-4
    assert gram_lower_bound(np.ones((5, 2))) == 0
    assert gram_lower_bound(np.ones((1, 2))) == 0
    assert gram_lower_bound(np.ones((3, 0))) == np.inf


def test_this_process_is_sound_and_the_probe_notices_when_one_is_not(monkeypatch):
    assert float_arithmetic_is_sound()

    class FlushToZero:
        """numpy whose arrays have lost their subnormal numbers."""

        def __getattr__(self, name):
            return getattr(np, name)

        @staticmethod
        def array(values):
            result = np.array(values)
            return np.where(np.abs(result) < 2.0**-1022, 0.0, result) if result.dtype.kind == "f" else result

    monkeypatch.setattr(rounding, "np", FlushToZero())
    assert not float_arithmetic_is_sound()
