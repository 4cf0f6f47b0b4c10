"""The margin rules C3 and C4 on random small systems with adversarial multipliers and rays: what they accept is true."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from samples import PRIME, certificate, header, network, verdict
from truth import truth

import exactrelu.fast_checker
from exactrelu.checker.arithmetic import Kernels
from exactrelu.fast_checker import FastKernels

Rows = list[list[Fraction]]
small = st.one_of(st.integers(-2, 2), st.integers(-9, 9), st.integers(-1000, 1000)).map(Fraction)
wobble = st.sampled_from([0, 0, 0, 1, -1, 2**-20, -(2**-40), 2**-60, 2**-300]).map(Fraction)
factors = st.sampled_from([1, 1, 2, 2**-30, 2**40, 2**-1060]).map(Fraction)


@st.composite
def systems(draw: st.DrawFn) -> tuple[Rows, int]:
    """Rows, the first `p` of them equalities (p <= 1, not zero); opposite rows and dependencies up to little are likely."""
    n, p = draw(st.integers(1, 3)), draw(st.integers(0, 1))
    rows = draw(st.lists(st.lists(small, min_size=n, max_size=n), min_size=max(p, 1), max_size=n + 3))
    if len(rows) > 1 and draw(st.booleans()):
        rows[-1] = [-a + draw(wobble) for a in rows[-2]]
    if len(rows) > 1 and draw(st.booleans()):
        rows[p % len(rows)] = [-sum((row[j] for row in rows[p % len(rows) + 1 :]), Fraction(0)) + draw(wobble) for j in range(n)]
    rows = [[a * factor for a in row] for row, factor in ((row, draw(factors)) for row in rows)]
    return rows, p if any(rows[0]) else 0


def text_of(rows: Rows, p: int, bias: int) -> str:
    m = len(rows)
    mask = ((1 << m) - 1) & ~((1 << p) - 1)
    relu = "none" if mask == 0 else "all" if p == 0 else f"mask {mask:x}"
    return network(len(rows[0]), (relu, [[Fraction(bias), *row] for row in rows]))


def rank_line(rows: Rows, p: int) -> str:
    column = next((j for j, a in enumerate(rows[0]) if a), 0)
    return f"rank 1 {PRIME} 1 {1 << column:x} rows" if p else "rank 0 2 0 0 rows"


@settings(deadline=None, max_examples=400)
@given(systems(), st.data())
@pytest.mark.parametrize("least", [1, 24])
def test_accepted_trivial_margins_are_true(least: int, system: tuple[Rows, int], data: st.DataObject) -> None:
    rows, p = system
    n = len(rows[0])
    orthant = data.draw(st.booleans())
    text = text_of(rows, p, 0)
    kept = [i for i, row in enumerate(rows) if any(row)]
    total = len(kept) + (n if orthant else 0)
    selected = data.draw(st.permutations(range(total)))[:n]
    scale = data.draw(st.sampled_from([1, 1, 1000, 10**6, 10**12]))
    weights = []
    for i in kept:
        # near the inverse of the row's power of two, so that scaled rows balance
        size = max(abs(a) for a in rows[i])
        power = Fraction(2) ** max(-(size.numerator.bit_length() - size.denominator.bit_length()), 0)
        weight = data.draw(st.integers(-2 if i < p else 0, 3)) * scale * power + (data.draw(st.integers(0, 1)) if scale > 1 else 0)
        weights.append(int(weight))
    mask = sum(1 << i for i in selected)
    line = " ".join(["trivial margin", f"{mask:x}", "0", *(format(w, "x") for w in weights)])
    zeros = " ".join(["0"] * n)
    lines = [*header("orthant" if orthant else "all"), f"point 1 {zeros}", f"claim preimage singleton 0 {p} 0", rank_line(rows, p)]
    judge(text, certificate(text, *lines, *([line] if p < n else [])), least)


@settings(deadline=None, max_examples=400)
@given(systems(), st.data())
@pytest.mark.parametrize("least", [1, 24])
def test_accepted_ray_margins_are_true(least: int, system: tuple[Rows, int], data: st.DataObject) -> None:
    rows, p = system
    n = len(rows[0])
    text = text_of(rows, p, -1)
    d = data.draw(st.lists(st.one_of(st.integers(-3, 3), st.integers(-(2**70), 2**70)), min_size=n, max_size=n))
    if p and data.draw(st.booleans()):
        # almost in the kernel of the equality
        column = next(j for j, a in enumerate(rows[0]) if a)
        rest = sum((a * v for j, (a, v) in enumerate(zip(rows[0], d, strict=True)) if j != column), Fraction(0))
        d = [v << 40 for v in d]
        d[column] = round(-rest * 2**40 / rows[0][column]) + data.draw(st.integers(-1, 1))
    if max(abs(v).bit_length() for v in d) > 9000:
        return
    zeros = " ".join(["0"] * n)
    ray = " ".join(["ray margin 0", *(format(v, "x") for v in d)])
    lines = [*header(), f"point 1 {zeros}", f"claim preimage unbounded {n - p} {p} 0", rank_line(rows, p), ray]
    judge(text, certificate(text, *lines), least)


def judge(text: str, certified: str, least: int) -> None:
    """Both checkers; with `least` 1 the float bounds are used even on the smallest systems, and may then be the stricter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exactrelu.fast_checker, "SMALL", least)
        if least == 1:
            patch.setattr(exactrelu.fast_checker, "FEW", 0)
        valid, _ = verdict(text, certified, Kernels())
        fast, _ = verdict(text, certified, FastKernels())
    event(f"accepted: {valid}")
    assert valid == fast, certified
    if valid:
        assert truth(text, certified), text + certified
