"""Exact products in float64: slices are exact and narrow enough, and every path gives the same product (theory C5)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples

from exactrelu.exact import slices
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.slices import exact_product, integer_slices, slice_width
from exactrelu.strategies import dyadic_floats


@given(st.integers(1, 2**40))
def test_every_partial_sum_of_a_product_of_slices_is_an_exact_integer(inner):
    w = slice_width(inner)
    assert inner * 2 ** (2 * w) <= 2**53
    # And no width is wasted.
    assert 2 * (w + 1) + (inner - 1).bit_length() > 53


@examples(200)
@given(st.lists(dyadic_floats().filter(lambda v: v == 0 or 2.0**-500 <= abs(v) <= 2.0**500), max_size=6), st.integers(1, 26))
def test_slices_add_up_to_the_matrix_and_are_narrow(values, width):
    matrix = np.array(values).reshape(1, -1)
    parts = integer_slices(matrix, width)
    total = [Fraction(0)] * len(values)
    for integers, exponent in parts:
        assert (np.abs(integers) <= 2**width).all()
        assert (integers == np.rint(integers)).all()
        total = [a + int(b) * Fraction(2) ** exponent for a, b in zip(total, integers[0].tolist(), strict=True)]
    assert total == [Fraction(value) for value in values]


@examples(60)
@given(st.integers(1, 60), st.integers(0, 2**32 - 1), st.sampled_from([0, 40, 520]))
def test_floats_and_integers_give_the_same_product(inner, seed, spread):
    generator = np.random.default_rng(seed)
    left, right = (
        generator.standard_normal(shape) * 2.0 ** generator.integers(-spread, spread + 1, shape) for shape in ((3, inner), (inner, 2))
    )
    integers, exponent = exact_product(DyadicMatrix.from_floats(left), DyadicMatrix.from_floats(right))
    scale = Fraction(2) ** exponent
    for i in range(3):
        for j in range(2):
            expected = sum((Fraction(a) * Fraction(b) for a, b in zip(left[i].tolist(), right[:, j].tolist(), strict=True)), Fraction(0))
            assert int(integers[i, j]) * scale == expected


def test_the_largest_integers_are_still_exact():
    # All entries 2^w - 1 ones: the sum is as large as the bound allows, in the last bit of 53.
    inner = 512
    w = slice_width(inner)
    left = np.full((1, inner), 2.0**w - 1)
    integers, exponent = exact_product(DyadicMatrix.from_floats(left), DyadicMatrix.from_floats(left.T.copy()))
    assert int(integers[0, 0]) * Fraction(2) ** exponent == inner * (2**w - 1) ** 2


def test_floats_are_used_and_are_not_used_where_arithmetic_is_unsound(monkeypatch):
    left, right = DyadicMatrix.from_floats([[0.5, 3.0]]), DyadicMatrix.from_floats([[1.0], [2.0**-60]])
    exact = exact_product(left, right)
    monkeypatch.setattr(slices, "_integer_product", lambda *_: pytest.fail("integers were used"))
    assert exact_product(left, right)[0].tolist() == exact[0].tolist()
    monkeypatch.undo()
    monkeypatch.setattr(slices, "float_arithmetic_is_sound", lambda: False)
    monkeypatch.setattr(slices, "integer_slices", lambda *_: pytest.fail("floats were used"))
    (value,), exponent = exact_product(left, right)[0][0], exact_product(left, right)[1]
    assert int(value) * Fraction(2) ** exponent == Fraction(1, 2) + 3 * Fraction(1, 2**60)


@pytest.mark.parametrize("shapes", [((0, 3), (3, 2)), ((2, 0), (0, 2)), ((2, 3), (3, 0))])
def test_empty_products_are_zeros(shapes):
    left, right = (DyadicMatrix(np.ones(shape)) for shape in shapes)
    integers, _ = exact_product(left, right)
    assert integers.shape == (shapes[0][0], shapes[1][1])
    assert not integers.any()
