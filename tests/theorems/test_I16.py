"""I16: how likely a Gaussian layer is injective. Second opinions: a walk over signs, a closed formula, cells by PPL."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples, rank

from exactrelu.domain import AllSpace
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.injectivity.layer import decide_layer
from exactrelu.network.model import Layer

# Of layers with m rows in the plane.
PROBABILITIES = {3: 0.0, 6: 0.25, 8: 0.625, 10: 0.84375, 12: 0.94140625, 14: 0.979492, 16: 0.993164}


def central(rows: np.ndarray) -> Layer:
    """All rows with a relu, no bias."""
    biases = DyadicMatrix.from_floats(np.zeros((len(rows), 1)))
    return Layer(DyadicMatrix.from_floats(rows.astype(float)), biases, np.ones(len(rows), dtype=bool))


def is_injective(rows: np.ndarray) -> bool:
    return decide_layer(central(rows), AllSpace()).verdict == "injective"


def injective_by_signs(signs: tuple[int, ...]) -> bool:
    """Rows by their angles in [0, pi), each with a sign: turning x by half a turn, each row in its turn changes sides."""
    m = len(signs)
    active = [signs.count(1)]
    for sign in signs:
        active.append(active[-1] - sign)
    return not {0, 1, m - 1, m} & set(active)


def rows_with(signs: tuple[int, ...], slopes: list[int]) -> np.ndarray:
    """Rows of R^2 whose angles increase in (0, pi): (k, 1) for decreasing k."""
    return np.array([[sign * k, sign] for sign, k in zip(signs, sorted(slopes, reverse=True), strict=True)])


@pytest.mark.parametrize("m", [3, 6, 8])
def test_all_signs_in_the_plane(m: int) -> None:
    slopes = np.random.default_rng(m).choice(1000, m, replace=False).tolist()
    decided = {signs: is_injective(rows_with(signs, slopes)) for signs in product((1, -1), repeat=m)}
    assert all(verdict == injective_by_signs(signs) for signs, verdict in decided.items())
    assert sum(decided.values()) / 2**m == PROBABILITIES[m]


@pytest.mark.parametrize(("m", "probability"), PROBABILITIES.items())
def test_the_probabilities_of_the_plane(m: int, probability: float) -> None:
    assert sum(map(injective_by_signs, product((1, -1), repeat=m))) / 2**m == pytest.approx(probability, abs=1e-6)


@examples(80)
@given(st.data())
def test_signs_decide_at_all_angles(data: st.DataObject) -> None:
    m = data.draw(st.integers(4, 16))
    slopes = data.draw(st.lists(st.integers(-(10**6), 10**6), min_size=m, max_size=m, unique=True))
    signs = tuple(data.draw(st.lists(st.sampled_from((1, -1)), min_size=m, max_size=m)))
    assert is_injective(rows_with(signs, slopes)) == injective_by_signs(signs)


def frequency(n: int, m: int, draws: int) -> float:
    """The share of injective layers among Gaussian ones, float32."""
    generator = np.random.default_rng([n, m])
    return sum(is_injective(generator.standard_normal((m, n)).astype(np.float32)) for _ in range(draws)) / draws


@pytest.mark.parametrize("m", [6, 8, 10])
def test_Gaussian_layers_in_the_plane(m: int) -> None:
    draws, probability = 100, PROBABILITIES[m]
    assert abs(frequency(2, m, draws) - probability) <= 4 * sqrt(probability * (1 - probability) / draws)


def test_Gaussian_layers_on_the_line() -> None:
    # Injective unless all signs agree.
    draws, probability = 100, 1 - 2 / 2**4
    assert abs(frequency(1, 4, draws) - probability) <= 4 * sqrt(probability * (1 - probability) / draws)


# ---------------------------------------------------------------- the bound


def cells(n: int, m: int) -> int:
    """Of m hyperplanes through 0 in general position."""
    return 2 * sum(comb(m - 1, k) for k in range(n))


def bound(n: int, m: int) -> Fraction:
    """Of the probability not to be injective: each cell has fewer than n active rows with the same probability."""
    return Fraction(cells(n, m) * sum(comb(m, k) for k in range(n)), 2**m)


@examples(20)
@given(st.data())
def test_the_number_of_cells(data: st.DataObject) -> None:
    ppl = pytest.importorskip("ppl", reason="pplpy gives the second opinion")
    n, m = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 7))
    # On the moment curve any n rows are independent.
    places = data.draw(st.lists(st.integers(-9, 9), min_size=m, max_size=m, unique=True))
    rows = [[place**k for k in range(n)] for place in places]
    assert rank([[Fraction(value) for value in row] for row in rows[:n]]) == min(n, m)

    def count(place: int, cell: object) -> int:
        if cell.is_empty():
            return 0
        if place == m:
            return 1
        value = ppl.Linear_Expression(rows[place], 0)
        parts = []
        for constraint in (value > 0, value < 0):
            part = ppl.NNC_Polyhedron(cell)
            part.add_constraint(constraint)
            parts.append(count(place + 1, part))
        return sum(parts)

    assert count(0, ppl.NNC_Polyhedron(n, "universe")) == cells(n, m)


def test_the_bound_holds_in_the_plane_and_is_sharp_on_the_line() -> None:
    for m in range(2, 15):
        fails = sum(not injective_by_signs(signs) for signs in product((1, -1), repeat=m))
        assert Fraction(fails, 2**m) <= bound(2, m)
        assert bound(1, m) == Fraction(2, 2**m)


@pytest.mark.parametrize(("n", "m"), [(3, 15), (3, 18), (4, 28)])
def test_the_bound_of_larger_layers(n: int, m: int) -> None:
    draws, most = 40, float(bound(n, m))
    fails = 1 - frequency(n, m, draws)
    assert fails <= most + 4 * sqrt(min(most, 0.25) / draws)
