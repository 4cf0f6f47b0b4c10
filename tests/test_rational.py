"""The one door from floats to exact numbers, and the exact containers against their definition over fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples

from exactrelu.errors import InvalidNumberError
from exactrelu.exact.rational import (
    DyadicMatrix,
    RationalVector,
    exact_float64,
    format_rational,
    parse_rational,
    round_to_denominator,
    stack,
)
from exactrelu.strategies import dyadic_floats, dyadic_matrices, rational_vectors

# ---------------------------------------------------------------- text


@given(st.fractions())
def test_rationals_survive_being_written_and_read(value):
    assert parse_rational(format_rational(value)) == value


@given(st.integers(-(10**9), 10**9), st.integers(0, 12), st.integers(-40, 40))
def test_decimals_are_read_exactly(digits, places, exponent):
    value = Fraction(digits) / 10**places
    text = f"{'-' if digits < 0 else ''}{abs(digits) // 10**places}.{abs(digits) % 10**places:0{places}d}" if places else str(digits)
    assert parse_rational(text) == value
    assert parse_rational(f" {text}e{exponent} ") == value * Fraction(10) ** exponent


@pytest.mark.parametrize(
    "text", ["", " ", "nan", "inf", "-inf", "1/0", "1/-2", "0x10", "1_000", "1e", "1e99999", "--1", "1/2/3", "1.5/2", ".", "e5", "1" * 4001]
)
def test_other_text_is_refused_in_one_line(text):
    with pytest.raises(InvalidNumberError) as caught:
        parse_rational(text)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 200


def test_numbers_of_more_digits_than_python_converts_are_written():
    value = Fraction(10**6000 + 1, 3)
    text = format_rational(value)
    assert text.startswith("1000")
    assert text.endswith("1/3")
    assert len(text) == 6001 + 2


@given(st.fractions(), st.integers(1, 10**6))
def test_rounding_to_a_denominator_reports_its_exact_error(value, denominator):
    rounded, error = round_to_denominator(value, denominator)
    assert (rounded * denominator).denominator == 1
    assert rounded - value == error
    assert abs(error) * 2 * denominator <= 1


def test_a_denominator_below_one_is_refused():
    for act in (lambda: round_to_denominator(Fraction(1), 0), lambda: RationalVector((1,), 0), lambda: RationalVector((1,), -2)):
        with pytest.raises(InvalidNumberError, match="at least 1"):
            act()


# ---------------------------------------------------------------- the door


@given(st.lists(st.floats(width=16, allow_nan=False, allow_infinity=False), max_size=5))
def test_float16_and_float32_enter_exactly(values):
    for dtype in (np.float16, np.float32, np.float64):
        array = np.array(values, dtype=dtype)
        assert [Fraction(value) for value in exact_float64(array).tolist()] == [Fraction(value) for value in values]


@given(st.integers(0, 2**16 - 1))
def test_bfloat16_enters_exactly(bits):
    torch = pytest.importorskip("torch", reason="bfloat16 comes from torch")
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="numpy's bfloat16 comes from ml_dtypes")
    array = np.array([bits], dtype=np.uint16).view(ml_dtypes.bfloat16)
    value = torch.tensor([bits], dtype=torch.int32).to(torch.int16).view(torch.bfloat16).double().item()
    if math.isfinite(value):
        assert exact_float64(array)[0] == value
    else:
        with pytest.raises(InvalidNumberError):
            exact_float64(array)


def test_minus_zero_becomes_zero_and_nothing_else_changes():
    result = exact_float64(np.array([-0.0, 5e-324, -1.5]))
    assert [math.copysign(1, value) for value in result.tolist()] == [1, 1, -1]
    assert result.tolist() == [0.0, 5e-324, -1.5]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_is_not_finite_is_refused_with_name_and_index(bad, dtype):
    values = np.zeros((2, 3), dtype=dtype)
    values[1, 2] = bad
    with pytest.raises(InvalidNumberError, match=r"layer\.weight holds .* at index \(1, 2\)"):
        exact_float64(values, name="layer.weight")


@pytest.mark.parametrize(
    "values",
    [
        np.array([object()]),
        np.array(["1"]),
        np.array([1j]),
        np.array([None]),
        np.array([2**53 + 1]),
        np.array([-(2**63)]),
        np.array([2**64 - 1]),
        [10**30],
    ],
)
def test_arrays_without_an_exact_reading_are_refused(values):
    with pytest.raises(InvalidNumberError):
        exact_float64(values)


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize == 8, reason="long double is float64 here")
def test_extended_precision_is_refused():
    with pytest.raises(InvalidNumberError, match="element type"):
        exact_float64(np.array([1], dtype=np.longdouble))


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_integers_enter_exactly(dtype):
    assert exact_float64(np.array([0, 1], dtype=dtype)).tolist() == [0.0, 1.0]
    assert exact_float64(np.array([2**53, -(2**53)])).tolist() == [2.0**53, -(2.0**53)]
    assert exact_float64(np.zeros((0, 2), dtype=dtype)).shape == (0, 2)


# ---------------------------------------------------------------- DyadicMatrix


@examples(150)
@given(st.lists(dyadic_floats(), max_size=6))
def test_a_matrix_of_floats_is_the_matrix_of_their_fractions(values):
    matrix = DyadicMatrix.from_floats(np.array(values).reshape(1, -1))
    exact = [Fraction(value) for value in values]
    assert matrix.fractions() == [exact]
    integers, exponent = matrix.integer_row(0)
    assert [value * Fraction(2) ** exponent for value in integers] == exact
    assert not any(integers) or any(value % 2 for value in integers)


@examples(150)
@given(st.integers(0, 4), st.integers(0, 4), st.data())
def test_matrices_of_any_kind_agree_with_their_fractions(m, n, data):
    matrix = data.draw(dyadic_matrices(m, n))
    rows = matrix.fractions()
    integers, exponent = matrix.common
    assert [[value * Fraction(2) ** exponent for value in row] for row in integers] == rows
    # The same numbers given as integers are the same matrix, kept as floats where that is exact.
    again = DyadicMatrix.from_integers(integers, n, exponent)
    assert again.fractions() == rows
    assert again.is_float64 == all(is_float64(value) for row in rows for value in row)
    assert [[nearest(value) for value in row] for row in rows] == matrix.floats.tolist()
    index = np.array(data.draw(st.lists(st.integers(0, m - 1), max_size=4) if m else st.just([])), dtype=np.int64)
    assert matrix.rows(index).fractions() == [rows[i] for i in index]
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    assert matrix.columns(mask).fractions() == [[value for value, kept in zip(row, mask, strict=True) if kept] for row in rows]
    assert matrix.nonzero_rows.tolist() == [any(row) for row in rows]
    assert matrix.nonzero_columns.tolist() == [any(row[j] for row in rows) for j in range(n)]
    other = data.draw(dyadic_matrices(2, n))
    assert stack([matrix, other, matrix]).fractions() == rows + other.fractions() + rows


def nearest(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def is_float64(value: Fraction) -> bool:
    found = nearest(value)
    return math.isfinite(found) and Fraction(found) == value


# ---------------------------------------------------------------- RationalVector


@given(st.lists(st.fractions(), max_size=6))
def test_points_are_in_lowest_terms_and_equal_iff_their_coordinates_are(values):
    point = RationalVector.from_fractions(values)
    assert point.fractions() == values
    assert math.gcd(point.denominator, *point.numerators) == 1
    assert point == RationalVector(tuple(6 * value for value in point.numerators), 6 * point.denominator)
    assert [Fraction(text) for text in point.texts()] == values
    assert len(point) == len(values)


@given(st.lists(dyadic_floats(), max_size=5), st.fractions(-10, 10, max_denominator=300))
def test_points_of_floats_are_scaled_exactly(values, scale):
    assert RationalVector.from_floats(np.array(values), scale=scale).fractions() == [Fraction(value) * scale for value in values]


@given(rational_vectors(3), st.integers(0, 1100))
def test_floats_of_a_point_are_the_nearest_ones(point, exponent):
    scaled = RationalVector(tuple(value << exponent for value in point.numerators), point.denominator)
    assert scaled.to_float().tolist() == [nearest(value) for value in scaled.fractions()]
