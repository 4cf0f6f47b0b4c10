"""The fast checker proves the same as the integers, and falls back to them where float64 does not suffice."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exactrelu.fast_checker as fast
from exactrelu.checker.arithmetic import InverseBound, Kernels
from exactrelu.checker.claim import Claim, Point, System, homogenised_system, layer_row
from exactrelu.checker.evidence import count_columns
from exactrelu.checker.network import Layer, LayerRow
from exactrelu.checker.sparse import Sparse, at
from exactrelu.fast_checker import FastKernels, cholesky_bound, common_layer, float_bounds, float_rows, gamma, probe, product_bound

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "SMALL", 1)
    monkeypatch.setattr(fast, "FEW", 0)


def layer_of(rows: list[list[int]], exponents: list[int] | None = None) -> Layer:
    exponents = exponents or [0] * len(rows)
    return Layer(len(rows[0]) - 1, [LayerRow(e, row[0], row[1:]) for e, row in zip(exponents, rows, strict=True)], [True] * len(rows))


def sparse_of(layer: Layer) -> Layer:
    """The same layer, of every other row the entries that are not zero."""
    rows = []
    for i, row in enumerate(layer.rows):
        used = [(j, value) for j, value in enumerate(at(row.coefficients, range(layer.inputs))) if value]
        rows.append(row if i % 2 else row._replace(coefficients=Sparse([j for j, _ in used], [value for _, value in used])))
    return Layer(layer.inputs, rows, layer.rectified)


entries = st.one_of(st.integers(-3, 3), st.integers(-(2**30), 2**30), st.sampled_from([0, 1, 2**60, -(2**100), 2**53 + 1]))


@st.composite
def layers(draw: st.DrawFn, square: bool = False) -> Layer:
    n = draw(st.integers(1, 4))
    m = n if square else draw(st.integers(1, 6))
    rows = draw(st.lists(st.lists(entries, min_size=n + 1, max_size=n + 1), min_size=m, max_size=m))
    layer = layer_of(rows, draw(st.lists(st.sampled_from([0, 0, -30, 7, -500]), min_size=m, max_size=m)))
    return sparse_of(layer) if draw(st.booleans()) else layer


@settings(deadline=None)
@given(layers(), st.lists(entries, min_size=4, max_size=4), st.lists(entries, min_size=6, max_size=6), st.integers(0, 15), st.booleans())
def test_sparse_rows_mean_the_dense_ones(layer: Layer, x: list[int], weights: list[int], mask: int, constants: bool) -> None:
    """Every exact step gives for a row's entries what it gives for the row."""
    n, m, plain, sparse = layer.inputs, layer.outputs, Kernels(), sparse_of(layer)
    dense = Layer(n, [row._replace(coefficients=at(row.coefficients, range(n))) for row in layer.rows], layer.rectified)
    x, weights, columns = x[:n], weights[:m], [j for j in range(n) if mask >> j & 1]
    results = []
    for each in (dense, sparse):
        rows = [layer_row(each, i, True) for i in range(m)]
        block = rows[: len(columns)] if len(columns) <= m else []
        found = [
            [row.dot(x) for row in rows],
            [row.is_zero() for row in rows],
            plain.evaluate(each, Point(3, x), constants=constants),
            FastKernels().evaluate(each, Point(3, x), constants=constants),
            plain.combination(rows, weights, n),
            plain.below_zero(rows, x, columns, Fraction(1, 3)),
            plain.invertible(block, columns[: len(block)], 2**31 - 1),
            list(plain.inverse_bounds(block, columns[: len(block)], [])),
            count_columns(rows, n),
        ]
        claim = Claim(1, each, "orthant", None, Point(3, weights), "empty")
        homogenised = homogenised_system(claim).rows
        results.append([*found, [(at(row.coefficients, range(n + 1)), row.scale, row.equality) for row in homogenised]])
    assert results[0] == results[1]


def test_gamma_is_an_upper_bound() -> None:
    for k in (1, 784, 2**16):
        assert Fraction(gamma(k)) > Fraction(k, 2**53 - k)


@settings(deadline=None)
@given(layers(), st.lists(st.one_of(entries, st.integers(-(2**900), 2**900)), min_size=4, max_size=4), st.integers(1, 2**70))
def test_evaluation_is_exact(layer: Layer, x: list[int], denominator: int) -> None:
    point = Point(denominator, x[: layer.inputs])
    assert FastKernels().evaluate(layer, point) == Kernels().evaluate(layer, point)


@settings(deadline=None)
@given(
    layers(),
    st.lists(st.one_of(st.integers(-9, 9), st.integers(-(2**80), 2**80)), min_size=6, max_size=6),
    st.integers(0, 15),
    st.integers(0, 15),
)
def test_rough_residuals_are_safe(layer: Layer, weights: list[int], lower: int, upper: int) -> None:
    """At least |v|_1, at most every implied multiplier."""
    n = layer.inputs
    chosen = [frozenset(j for j in range(n) if mask >> j & 1) for mask in (lower, upper)]
    system = System(n, [layer_row(layer, i, True) for i in range(layer.outputs)], *chosen)
    exact = next(Kernels().residuals(system, weights[: layer.outputs]))
    for rough in FastKernels().residuals(system, weights[: layer.outputs]):
        assert rough.norm >= exact.norm
        assert rough.sides.keys() == exact.sides.keys()
        assert all(rough.sides[side] <= value for side, value in exact.sides.items())


def holds(bound: InverseBound, products: list[Fraction], sides: list[int], x: list[int]) -> bool:
    reach = sum((beta * abs(value) for beta, value in zip(bound.rows, products, strict=True)), Fraction(0))
    reach += sum((beta * abs(value) for beta, value in zip(bound.sides, sides, strict=True)), Fraction(0))
    return max(map(abs, x), default=0) <= min(reach, bound.correction)


@settings(deadline=None)
@given(layers(square=True), st.lists(st.integers(-99, 99), min_size=4, max_size=4), st.integers(0, 3))
def test_float_bounds_hold(layer: Layer, x: list[int], cut: int) -> None:
    n = layer.inputs
    cut = min(cut, n)
    rows = [layer_row(layer, i, True) for i in range(cut, n)]
    rho = [row.dot(x[:n]) for row in rows]
    for bound in FastKernels().inverse_bounds(rows, list(range(cut, n)), list(range(cut)), [*rho, *x[:cut]]):
        assert holds(bound, [Fraction(value) for value in rho], x[:cut], x[:n])


@pytest.mark.parametrize("prove", [cholesky_bound, product_bound])
def test_float_bounds_are_close_to_the_integers(prove: Any) -> None:
    """On a well-conditioned block within a factor of the exact bound, so that integers are rarely asked."""
    n = 40
    matrix = np.random.default_rng(1).integers(-(2**24), 2**24, (n, n))
    layer = layer_of([[0, *map(int, row)] for row in matrix])
    rows = [layer_row(layer, i, True) for i in range(n)]
    values, shifts, exact = float_rows([row.coefficients for row in rows], n)
    assert exact.all()
    x = [int(v) for v in np.random.default_rng(2).integers(-99, 99, n)]
    rho = [row.dot(x) for row in rows]
    bound = prove(values, shifts.tolist(), rho)
    reference = next(Kernels().inverse_bounds(rows, list(range(n)), [], rho))
    ratios = [float(u / v) for u, v in zip(bound.rows, reference.rows, strict=True)]
    assert min(ratios) > 0.5 and max(ratios) < 100
    assert holds(bound, [Fraction(value) for value in rho], [], x)
    assert bound.correction < 100 * reference.correction


def test_a_singular_block_has_no_bound() -> None:
    """Exactly singular, and singular up to rounding."""
    rows = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    for last in (9, 10):
        exactly = [[value << 60 for value in row] for row in rows]
        exactly[2][2] += last - 9
        values, shifts, _ = float_rows(exactly, 3)
        assert not list(float_bounds(values, shifts.tolist(), [0, 0, 0]))


def test_extreme_scales_do_not_crash() -> None:
    values, shifts, _ = float_rows([[1, 2**300], [0, -1]], 2)
    list(float_bounds(values, shifts.tolist(), [1, -(2**300)]))


def test_rows_that_float64_cannot_hold_are_left_to_the_integers() -> None:
    _, _, exact = float_rows([[2**53 + 1, 0], [2**53, 1], [2**399, 1], [2**400, 1], [2**2000, 1]], 2)
    assert exact.tolist() == [False, True, True, False, False]
    layer = layer_of([[0, 2**53 + 1, 0], [0, 0, 1]])
    rows = [layer_row(layer, i, True) for i in range(2)]
    assert common_layer(rows) is layer
    found = list(FastKernels().inverse_bounds(rows, [0, 1], []))
    assert found == list(Kernels().inverse_bounds(rows, [0, 1], []))


@settings(deadline=None)
@given(layers(), st.lists(st.integers(-(2**60), 2**60), min_size=4, max_size=4), st.fractions(0, 3), st.integers(0, 15))
def test_rays_are_judged_alike(layer: Layer, d: list[int], slack: Fraction, mask: int) -> None:
    rows = [layer_row(layer, i, False) for i in range(layer.outputs)]
    columns = [j for j in range(layer.inputs) if mask >> j & 1]
    d = d[: layer.inputs]
    assert FastKernels().below_zero(rows, d, columns, slack) == Kernels().below_zero(rows, d, columns, slack)


def test_the_probe_holds_here_and_its_failure_means_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe()
    monkeypatch.setattr(fast, "probe", lambda: False)
    monkeypatch.setattr(fast, "float_bounds", lambda *_: pytest.fail("floats were used"))
    kernels = FastKernels()
    assert "integers" in kernels.name
    layer = layer_of([[0, 1, 2], [0, 3, 4]])
    rows = [layer_row(layer, i, True) for i in range(2)]
    assert list(kernels.inverse_bounds(rows, [0, 1], []))
    system = System(2, rows)
    assert list(kernels.residuals(system, [1, 1])) == list(Kernels().residuals(system, [1, 1]))


def test_flint_and_packed_integers_multiply_alike() -> None:
    pytest.importorskip("flint", reason="python-flint speeds up the fallback")
    rng = np.random.default_rng(3)
    q, rows = ([[int(v) for v in row] for row in rng.integers(-(2**40), 2**40, (30, 30))] for _ in range(2))
    assert list(FastKernels().products(q, rows)) == list(Kernels().products(q, rows))


def test_the_command(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-m", "exactrelu.fast_checker", str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "no certificate was found" in run.stderr and "float64" in run.stdout
