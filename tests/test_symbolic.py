"""Expressions are the network: at every rational point, in both forms; singular values are algebraic numbers within the proved bounds."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples

sympy = pytest.importorskip("sympy")

from exactrelu import DyadicMatrix, RationalVector
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.gram import refined_spectrum
from exactrelu.network.symbolic import exact_singular_values, expressions, latex, region_expressions, symbols
from exactrelu.strategies import networks, rational_vectors


def at(found: tuple, x: RationalVector) -> list[Fraction]:
    place = dict(zip(symbols(len(x)), (sympy.Rational(v.numerator, v.denominator) for v in x.fractions()), strict=True))
    values = [sympy.Rational(one.subs(place, simultaneous=True)) for one in found]
    return [Fraction(int(value.p), int(value.q)) for value in values]


@examples(40)
@given(networks(depth=2), st.sampled_from(["max", "piecewise"]), st.data())
def test_expressions_are_the_network(network, form, data):
    x = data.draw(rational_vectors(network.inputs))
    assert at(expressions(network, form=form), x) == network(x).fractions()
    assert at(region_expressions(network, x), x) == network(x).fractions()


@examples(40)
@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_singular_values_are_algebraic(m, n, data):
    entries = data.draw(st.lists(st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, 3.0]), min_size=m * n, max_size=m * n))
    matrix = DyadicMatrix.from_floats([entries[i * n : (i + 1) * n] for i in range(m)])
    found, bounds = exact_singular_values(matrix), refined_spectrum(matrix)
    assert len(found) == min(m, n)
    for value, low, high in zip(found, bounds.lower, bounds.upper, strict=True):
        near = Fraction(str(value.evalf(40)))
        assert low - Fraction(1, 10**30) <= near <= high + Fraction(1, 10**30)


def test_radicals_and_repeated_values():
    assert exact_singular_values(DyadicMatrix.from_floats([[0.5, 0.0], [0.0, -0.5], [0.0, 0.0]])) == (sympy.Rational(1, 2),) * 2
    assert "sqrt" in latex(exact_singular_values(DyadicMatrix.from_floats([[1.0, 1.0]])))


def test_what_does_not_fit_on_a_page_is_refused():
    with pytest.raises(InvalidRequestError, match="up to 12"):
        exact_singular_values(DyadicMatrix.from_floats([[0.0] * 13] * 13))
