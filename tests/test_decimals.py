"""Short decimals of rationals: on the side they say, and next to the number."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from exactrelu.decimals import approximate, bound_text, decimal_text


@given(st.fractions(), st.integers(-500, 500), st.integers(1, 6))
def test_the_text_is_on_its_side_and_near(value: Fraction, power: int, digits: int) -> None:
    number = value * Fraction(10) ** power
    low, near, high = (Fraction(decimal_text(number, rounding, digits=digits)) for rounding in ("down", "nearest", "up"))
    assert low <= number <= high
    assert near in {low, high}
    assert (high - low) * 10 ** (digits - 1) <= abs(number)
    assert abs(near - number) <= min(number - low, high - number) or low == high == near
    assert Fraction(decimal_text(-number, "up", digits=digits)) == -low


@given(st.integers(-(10**90), 10**90), st.integers(1, 10**90))
def test_long_bounds_stay_on_their_side(p: int, q: int) -> None:
    number, text = Fraction(p, q), str(Fraction(p, q))
    assert Fraction(bound_text(text, "down")) <= number <= Fraction(bound_text(text, "up"))
    assert abs(approximate(text) - number) * 10**57 <= abs(number)
