"""What the bound of an approximate inverse must count, on blocks of one row; and that a network is the bytes that its SHA-256 names."""

from __future__ import annotations

import hashlib
import math
import random
import sys
from fractions import Fraction
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import TRIANGLE, certificate, header

from exactrelu.check import check
from exactrelu.checker.arithmetic import Kernels, odd
from exactrelu.checker.claim import Row, System, layer_row
from exactrelu.checker.network import Layer, LayerRow
from exactrelu.fast_checker import FastKernels, cholesky_bound, common_layer, probe, product_bound

if TYPE_CHECKING:
    from pathlib import Path


def test_rounding_counts_beside_the_block() -> None:
    """[4 4], each rounded down by less than 1: |QC| may be 5, and D - A is 3."""
    exact, _ = Kernels().bound([[4, 4]], [False], [0], ([[1]], 4), [1, 1])
    rounded, _ = Kernels().bound([[4, 4]], [True], [0], ([[1]], 4), [1, 1])
    assert exact is not None and exact.sides == [Fraction(4, 4)]
    assert rounded is not None and rounded.sides == [Fraction(5, 3)]
    # |Q| |rho| + |Q C| |rho_side| over D - A
    assert exact.correction == Fraction(1 + 4, 4) and rounded.correction == Fraction(1 + 5, 3)


@pytest.mark.parametrize("make", [Kernels, FastKernels])
@given(n=st.integers(1, 5), modulus=st.sampled_from((2, 3, 5, 6, 7, 2**31 - 1, 2**31 + 11)), data=st.data())
def test_a_block_is_invertible_modulo_a_prime_iff_its_determinant_is(
    make: type[Kernels], n: int, modulus: int, data: st.DataObject
) -> None:
    """By the sum over all permutations; modulo a composite number an inverse that is found is one, and some are not found."""
    numbers = st.sampled_from((0, 1, -1, 2, 3, 2**31 - 1, 2**70))
    block = data.draw(st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=n, max_size=n))
    # a row without an odd entry loses its powers of two first
    halved = [[value >> min((v & -v).bit_length() - 1 for v in row if v) if any(row) else 0 for value in row] for row in block]
    determinant = sum(
        (-1) ** sum(a > b for i, b in enumerate(order) for a in order[:i]) * math.prod(halved[i][j] for i, j in enumerate(order))
        for order in permutations(range(n))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exactrelu.fast_checker.SMALL", 1)
        found = make().invertible([Row(row, Fraction(1), True) for row in block], range(n), modulus)
    expected = math.gcd(determinant, modulus) == 1
    assert found == expected or (modulus == 6 and not found)


def test_nothing_left_of_the_identity_is_no_bound() -> None:
    assert Kernels().bound([[0]], [False], [0], ([[1]], 1), [0])[0] is None
    assert Kernels().bound([[2]], [False], [0], ([[1]], 1), [0])[0] is None


@pytest.mark.parametrize("least", [1, 24])
@pytest.mark.parametrize("make", [Kernels, FastKernels])
def test_a_correction_on_a_side_moves_the_block(make: type[Kernels], least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """8 x_0 + x_1 = 0 and x_0 = 1: x_1 = -8; with 16 instead of 0 and x_0 = -1 it is 24; x_0 = 1 itself is a correction."""
    monkeypatch.setattr("exactrelu.fast_checker.SMALL", least)
    for row, rho, moved in (([8, 1], [0, 1], 8), ([8, 1], [16, -1], 24), ([0, 1], [0, -5], 5)):
        found = list(make().inverse_bounds([Row(row, Fraction(1), True)], [1], [0], rho))
        assert found
        assert all(moved <= bound.correction < 1.2 * moved for bound in found)
        assert all(bound.sides[0] >= max(row[0], 1) for bound in found)


@pytest.mark.parametrize("least", [1, 24])
@pytest.mark.parametrize("make", [Kernels, FastKernels])
def test_no_scale_of_a_row_enters_the_correction(make: type[Kernels], least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """[3 1; 1 2]^-1 = [2 -1; -1 3] / 5: at most (2 * 10 + 1) / 5 and (10 + 3) / 5 from |rho| = (10, 1)."""
    monkeypatch.setattr("exactrelu.fast_checker.SMALL", least)
    for u, v in ((1, 1), (2**80, 1), (1, 2**80), (3**50, 7), (2**900, 1), (2**5000, 1)):
        rows = [Row([3 * u, u], Fraction(1), True), Row([v, 2 * v], Fraction(1), True)]
        corrections = [bound.correction for bound in make().inverse_bounds(rows, [0, 1], [], [10 * u, -v])]
        assert Fraction(21, 5) <= min(corrections) < Fraction(21, 5) + Fraction(1, 2**30)
        assert max(corrections) < 10


@pytest.mark.parametrize("modulus", [2**31 - 1, 2**61 - 1, 3])
def test_elimination_of_many_rows_modulo_a_prime(modulus: int) -> None:
    """With the largest residues, so that fields are as full as they can be; against elimination entry by entry."""
    rng = random.Random(modulus)
    for size in (5, 20, 40):
        rows = [[rng.choice([-1, -2, -3, 1, rng.getrandbits(60)]) | 1 for _ in range(size)] for _ in range(size)]
        dependent = [*rows[:-1], [sum(column) for column in zip(*rows[:-1], strict=True)]]
        for block in (rows, dependent):
            found = Kernels().invertible([Row(row, Fraction(1), True) for row in block], list(range(size)), modulus)
            assert found == (rank_modulo(block, modulus) == size)


def rank_modulo(rows: list[list[int]], modulus: int) -> int:
    rows, rank = [[value % modulus for value in odd(row)] for row in rows], 0
    for j in range(len(rows)):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][j]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        inverse = pow(rows[rank][j], -1, modulus)
        for i in range(rank + 1, len(rows)):
            factor = rows[i][j] * inverse
            rows[i] = [(u - factor * v) % modulus for u, v in zip(rows[i], rows[rank], strict=True)]
        rank += 1
    return rank


def test_a_residual_that_float64_rounds_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """2^53 + 1 - 2^53 = 1, which float64 computes as 0 in one order or another."""
    monkeypatch.setattr("exactrelu.fast_checker.FEW", 0)
    columns = list(zip(*permutations([2**53, 1, -(2**53)]), strict=True))
    layer = layer_of([list(column) for column in columns])
    for lower, upper in ((frozenset(), frozenset()), (frozenset(), frozenset(range(6)))):
        system = System(6, [layer_row(layer, i, True) for i in range(3)], lower, upper)
        rough, exact = FastKernels().residuals(system, [1, 1, 1])
        assert exact.norm == 6 and rough.norm >= 6


def test_wrong_proposals_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever LAPACK returns: only what is computed with it counts."""
    monkeypatch.setattr(np.linalg, "cholesky", lambda matrix: np.eye(len(matrix)))
    monkeypatch.setattr(np.linalg, "inv", lambda matrix: np.eye(len(matrix)))
    monkeypatch.setattr("exactrelu.fast_checker.smallest_eigenvalue", lambda _: 0.9)
    singular = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert cholesky_bound(singular, [0, 0], [0, 0]) is None
    assert product_bound(singular, [0, 0], [0, 0]) is None


def test_the_correction_of_an_orthogonal_block_is_tight() -> None:
    """H x = (1, 1, 1, 1) has x = (1, 0, 0, 0): the largest that |H x| <= 1 allows, and twice what one row allows."""
    hadamard = np.array([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    for prove in (cholesky_bound, product_bound):
        bound = prove(hadamard, [0] * 4, [1, 1, 1, 1])
        assert bound is not None
        assert 1 <= bound.correction < 2


def test_the_probe_sees_wrong_products(monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe()
    monkeypatch.setattr(np, "array_equal", lambda *_: False)
    assert not probe()


def layer_of(rows: list[list[int]]) -> Layer:
    return Layer(len(rows[0]), [LayerRow(0, 0, row) for row in rows], [True] * len(rows))


def test_rows_beyond_the_range_of_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exactrelu.fast_checker.FEW", 0)
    layer = layer_of([[2**450], [1]])
    system = System(1, [layer_row(layer, i, True) for i in range(2)])
    assert all(residual.norm >= 2**450 + 1 for residual in FastKernels().residuals(system, [1, 1]))


def test_a_ray_that_float64_rounds_below_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """-2^53 - 1 + 2^53 + 1 = 0 and with a correction: neither is below zero, in any order."""
    monkeypatch.setattr("exactrelu.fast_checker.FEW", 0)
    for row in permutations([-(2**53), -1, 2**53, 1]):
        rows = [layer_row(layer_of([list(row)]), 0, False)]
        assert not FastKernels().below_zero(rows, [1, 1, 1, 1], [], Fraction(0))
    rows = [layer_row(layer_of([[-1, 1]]), 0, False)]
    assert FastKernels().below_zero(rows, [1, 0], [1], Fraction(1, 2))
    assert not FastKernels().below_zero(rows, [1, 0], [1], Fraction(1))
    assert not FastKernels().below_zero(rows, [1, 0], [0, 1], Fraction(1, 2))


def test_a_correction_beyond_float64_that_no_row_meets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exactrelu.fast_checker.FEW", 0)
    for coefficients, below in (([0, -1], True), ([1, -1], False)):
        rows = [layer_row(layer_of([coefficients]), 0, False)]
        for kernels in (Kernels(), FastKernels()):
            assert kernels.below_zero(rows, [0, 1], [0], Fraction(2**1000)) == below


def test_rows_of_two_layers_have_no_common_layer() -> None:
    rows = [layer_row(layer_of([[1, 0]]), 0, False), layer_row(layer_of([[0, 1]]), 0, False)]
    assert common_layer(rows) is None


def test_a_network_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes that were parsed must have the SHA-256, not those that were hashed to find the file."""
    (tmp_path / "a.network").write_text(TRIANGLE.replace("-1 -1", "-1 -3"))
    lines = [*header(), "point 1 1 1", "claim preimage singleton 0 2 2", "rank 2 7fffffff 3 3 columns"]
    (tmp_path / "b.certificate").write_text(certificate(TRIANGLE, *lines))
    monkeypatch.setattr(sys.modules["exactrelu.check"], "_sha256", lambda _: hashlib.sha256(TRIANGLE.encode()).hexdigest())
    assert check([tmp_path]).exit_code == 2
