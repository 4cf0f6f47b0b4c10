"""I4 and I6: how far biases can be lowered, and how much distances shrink, against linear programs of PPL and sampled pairs."""

from __future__ import annotations

import hashlib
import io
import json
import time
from dataclasses import replace
from fractions import Fraction
from itertools import chain, combinations, product
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from theorems.oracles import domain_rows, evaluate, examples, in_domain, one_layer_network, rank

import exactrelu.checker.tree
from exactrelu.certificates import DomainLines
from exactrelu.certificates.injectivity import Branch, Dependency, Expansion, ExpansionCertificate, Split
from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.network import read_network
from exactrelu.checker.text import Rejected, Text
from exactrelu.checker.verify import verify
from exactrelu.domain import AllSpace, Ball, Box, Domain, Orthant, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.definite import all_exceed, exceeds
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.fast_checker import FastKernels
from exactrelu.fast_checker.definite import all_definite
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.margins import margins
from exactrelu.injectivity.margins.bias_margin import BiasMargin, bias_margin
from exactrelu.injectivity.margins.inverse_lipschitz import inverse_lipschitz
from exactrelu.injectivity.margins.largest_box import largest_box
from exactrelu.injectivity.margins.peak import Peaks
from exactrelu.injectivity.margins.repair import repair
from exactrelu.injectivity.solver import Optimum
from exactrelu.network.exact_file import _lines
from exactrelu.network.model import Layer
from exactrelu.strategies import balls, domains, layers

if TYPE_CHECKING:
    from collections.abc import Iterator

ppl = pytest.importorskip("ppl", reason="pplpy gives the second opinion")


def dense(rows: Any, biases: Any, rectified: Any = True) -> Layer:
    weight = DyadicMatrix.from_floats(np.array(rows, dtype=float))
    mask = np.broadcast_to(np.array(rectified, dtype=bool), weight.shape[0]).copy()
    return Layer(weight, DyadicMatrix.from_floats(np.reshape(biases, (-1, 1)).astype(float)), mask)


def gaussian(m: int, n: int, seed: int) -> Layer:
    generator = np.random.default_rng(seed)
    return dense(generator.standard_normal((m, n)).astype(np.float32), generator.standard_normal(m).astype(np.float32))


def cube(n: int) -> Box:
    return Box(RationalVector((-1,) * n), RationalVector((1,) * n))


# ---------------------------------------------------------------- second opinions


def expression(row: list[Fraction]) -> Any:
    denominator = lcm(1, *(value.denominator for value in row))
    return ppl.Linear_Expression([int(value * denominator) for value in row[:-1]], int(row[-1] * denominator))


def margin_by_flats(layer: Layer, domain: Domain) -> Fraction | str | None:
    """I4 word for word: over all flats the least of the maximum of the rows outside; None where the domain is empty."""
    n = layer.inputs
    rows, biases = layer.weight.fractions(), [bias for (bias,) in layer.bias.fractions()]
    whole = ppl.C_Polyhedron(n + 1, "universe")
    for side in domain_rows(domain, n):
        whole.add_constraint(expression([*side[:n], Fraction(0), side[n]]) <= 0)
    if whole.is_empty():
        return None
    hull = [one for one in whole.minimized_constraints() if one.is_equality()]
    always = [[Fraction(int(one.coefficient(ppl.Variable(i)))) for i in range(n)] for one in hull]
    always += [row for row, relu in zip(rows, layer.rectified.tolist(), strict=True) if not relu]
    rectified = [j for j in range(layer.outputs) if layer.rectified[j]]
    best: Fraction | str = "plus"
    for size in range(n):
        for chosen in combinations(rectified, size):
            flat = [*always, *(rows[j] for j in chosen)]
            dimension = rank(flat)
            if dimension >= n:
                continue
            above = ppl.C_Polyhedron(whole)
            for j in rectified:
                if rank([*flat, rows[j]]) > dimension:
                    above.add_constraint(expression([*rows[j], Fraction(-1), biases[j]]) <= 0)
            least = above.minimize(ppl.Linear_Expression(ppl.Variable(n)))
            if not least["bounded"]:
                return "minus"
            value = Fraction(int(least["inf_n"]), int(least["inf_d"]))
            best = value if isinstance(best, str) or value < best else best
    return best


def active_by_cells(layer: Layer, domain: Domain) -> Iterator[list[list[Fraction]]]:
    """For every cell of the domain, by PPL, the rows that are not negative in it."""
    rows, biases = layer.weight.fractions(), [bias for (bias,) in layer.bias.fractions()]
    whole = ppl.NNC_Polyhedron(layer.inputs, "universe")
    for side in domain_rows(domain, layer.inputs):
        whole.add_constraint(expression(side) <= 0)
    rectified = [j for j in range(layer.outputs) if layer.rectified[j]]
    waiting = [(0, whole, [rows[j] for j in range(layer.outputs) if not layer.rectified[j]])]
    while waiting:
        place, cell, active = waiting.pop()
        if cell.is_empty():
            continue
        if place == len(rectified):
            yield active
            continue
        j = rectified[place]
        for positive in (True, False):
            value = expression([*rows[j], biases[j]])
            part = ppl.NNC_Polyhedron(cell)
            part.add_constraint(value >= 0 if positive else value < 0)
            waiting.append((place + 1, part, [*active, rows[j]] if positive else active))


def spans_by(rows: list[list[Fraction]], n: int, least: Fraction) -> bool:
    """Whether |W r|^2 >= least |r|^2 for these rows: no principal minor of W^T W - least is negative."""
    gram = [[sum((row[i] * row[j] for row in rows), Fraction(0)) - least * (i == j) for j in range(n)] for i in range(n)]
    subsets = chain.from_iterable(combinations(range(n), size) for size in range(1, n + 1))
    return all(determinant([[gram[i][j] for j in chosen] for i in chosen]) >= 0 for chosen in subsets)


def sha256_of(layer: Layer) -> str:
    return hashlib.sha256(b"".join(_lines(one_layer_network(layer)))).hexdigest()


def accepted(layer: Layer, text: str) -> str | None:
    """The claim where both checkers accept a certificate of this layer alone, None where both reject it."""
    said: set[str | None] = set()
    for kernels in (Kernels(), FastKernels()):
        lines = Text(io.BytesIO(text.split("\n", 2)[2].encode()))
        network = read_network(io.BytesIO(b"".join(_lines(one_layer_network(layer)))))
        try:
            said.add(str(verify(lines, network, kernels)))
        except Rejected:
            said.add(None)
    (verdict,) = said
    return verdict


def assert_certified(layer: Layer, domain: Domain, margin: BiasMargin) -> None:
    texts = margin.certificates(network_sha256=sha256_of(layer), layer_number=1, domain=domain)
    assert ("injective-lowered" in texts) == (margin.low is not None)
    assert ("bias-limit" in texts) == (margin.high is not None)
    for text in texts.values():
        assert accepted(layer, text)


def with_biases(layer: Layer, biases: list[Fraction]) -> Layer:
    """The layer with other biases, dyadic ones."""
    common = max(value.denominator for value in biases)
    rows = [[int(value * common)] for value in biases]
    return Layer(layer.stored, DyadicMatrix.from_integers(rows, 1, 1 - common.bit_length()), layer.rectified)


# ---------------------------------------------------------------- I4


@examples(50)
@given(layers(inputs=2) | layers(inputs=1) | layers(inputs=3, outputs=5), st.data())
def test_I4_the_margin_is_the_minimum_over_flats(layer: Layer, data: st.DataObject) -> None:
    domain = data.draw(domains(layer.inputs))
    expected = margin_by_flats(layer, domain)
    try:
        found = bias_margin(layer, domain)
    except InvalidRequestError:
        assert expected is None
        return
    event("finite" if found.value is not None else f"{found.infinite}")
    assert (found.value if found.value is not None else found.infinite) == expected
    if found.value is not None:
        assert found.low == found.value == found.high
    assert_certified(layer, domain, found)


@examples(20)
@given(st.data())
def test_I4_of_opposite_rows_in_closed_form(data: st.DataObject) -> None:
    """[B; -DB] with biases b and b': mu is the least of (d b + b') / (1 + d), where rows i are the only ones outside a flat."""
    n = data.draw(st.integers(1, 4))
    base = data.draw(st.lists(st.lists(st.integers(-3, 3), min_size=n, max_size=n), min_size=n, max_size=n))
    assume(rank([[Fraction(value) for value in row] for row in base]) == n)
    factors = data.draw(st.lists(st.sampled_from([1, 2, 3, 0.5]), min_size=n, max_size=n))
    b, c = (data.draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n)) for _ in range(2))
    layer = dense([*base, *([-d * value for value in row] for d, row in zip(factors, base, strict=True))], [*b, *c])
    expected = min((Fraction(d) * x + y) / (1 + Fraction(d)) for d, x, y in zip(factors, b, c, strict=True))
    found = bias_margin(layer, AllSpace())
    assert found.value == expected
    assert_certified(layer, AllSpace(), found)


@examples(10)
@given(layers(inputs=2, outputs=4, wide=False), st.data())
def test_I4_margins_follow_biases_rows_and_domains(layer: Layer, data: st.DataObject) -> None:
    """mu moves with all biases, scales with all rows, and never falls when a bias rises or a box shrinks."""
    box = cube(2)
    mu = bias_margin(layer, box)
    biases = [bias for (bias,) in layer.bias.fractions()]
    by = Fraction(data.draw(st.integers(-8, 8)), 4)
    moved = bias_margin(with_biases(layer, [bias + by * relu for bias, relu in zip(biases, layer.rectified.tolist(), strict=True)]), box)
    assert moved.infinite == mu.infinite and (mu.value is None or moved.value == mu.value + by)
    rows, exponent = layer.weight.common
    doubled = Layer(DyadicMatrix.from_integers(rows, 2, exponent + 1), layer.bias, layer.rectified)
    scaled = bias_margin(with_biases(doubled, [2 * bias for bias in biases]), box)
    assert scaled.infinite == mu.infinite and (mu.value is None or scaled.value == 2 * mu.value)
    j = data.draw(st.integers(0, layer.outputs - 1))
    raised = bias_margin(with_biases(layer, [bias + (i == j) for i, bias in enumerate(biases)]), box)
    smaller = bias_margin(layer, Box(RationalVector((-1, 0), 2), RationalVector((1, 1), 2)))
    for other in (raised, smaller):
        assert order(other) >= order(mu)


def order(margin: BiasMargin) -> Fraction | float:
    return margin.value if margin.value is not None else {"plus": np.inf, "minus": -np.inf}[margin.infinite or ""]


@examples(15)
@given(layers(inputs=1) | layers(inputs=2, outputs=4), balls(), st.data())
def test_I4_on_a_ball_is_bracketed(layer: Layer, ball: Ball, data: st.DataObject) -> None:
    """In one dimension the ball is a box; in two it lies between boxes, and so does its margin."""
    found = bias_margin(layer, ball)
    assert_certified(layer, ball, found)
    radius = ball.radius
    outer = Box(*(RationalVector.from_fractions([sign * radius] * layer.inputs) for sign in (-1, 1)))
    inner_radius = radius if layer.inputs == 1 else radius * Fraction(7, 10)
    inner = Box(*(RationalVector.from_fractions([sign * inner_radius] * layer.inputs) for sign in (-1, 1)))
    least, most = order(bias_margin(layer, outer)), order(bias_margin(layer, inner))
    if found.infinite:
        assert order(found) == most
    elif found.low is not None and found.high is not None:
        assert found.low <= most and least <= found.high and found.low <= found.high


def test_I4_infinite_margins_say_why() -> None:
    square = dense([[1, 0], [0, 1]], [0, 0], False)
    plus = bias_margin(square, AllSpace())
    assert plus.infinite == "plus" and plus.record()["value"] is None
    assert bias_margin(dense([[1, 2]], [0]), Box(RationalVector((1, 2)), RationalVector((1, 2)))).infinite == "plus"
    minus = bias_margin(dense([[1, 0], [0, 1], [1, 1]], [1, 2, 3]), AllSpace())
    assert minus.infinite == "minus" and minus.high == -4
    assert "certified for t above -4 alone" in minus.reason
    assert_certified(dense([[1, 0], [0, 1], [1, 1]], [1, 2, 3]), AllSpace(), minus)
    strip = Polytope(((-1, 0), (1, 0), (0, -1)), (0, -1, 0))
    receding = bias_margin(dense([[1, 0], [0, -1]], [0, 0]), strip)
    assert receding.infinite == "minus" and f"certified for t above {receding.high} alone" in receding.reason
    nothing = bias_margin(dense(np.zeros((0, 2)), []), cube(2))
    assert nothing.infinite == "minus" and "rank" in nothing.reason and f"certified for t above {nothing.high} alone" in nothing.reason


def test_I4_within_a_time_limit_is_a_bracket_or_less() -> None:
    found = bias_margin(gaussian(48, 6, 0), AllSpace(), deadline=time.monotonic() + 0.2)
    assert found.value is None and found.infinite is None and found.reason
    assert_certified(gaussian(48, 6, 0), AllSpace(), found)


def test_I4_a_verdict_that_is_known_is_used() -> None:
    """Without biases mu is 0 or minus infinity on R^n: a proof of injectivity is all that is missing."""
    layer = gaussian(20, 3, 1)
    layer = with_biases(layer, [Fraction(0)] * 20)
    known = decide_layer(layer, AllSpace())
    found = bias_margin(layer, AllSpace(), found=known)
    assert known.verdict == "injective" and found.value == 0 and found.evidence is known.evidence


def test_I4_wrong_proposals_cost_time_and_no_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, domain = gaussian(9, 3, 5), cube(3)
    right = bias_margin(layer, domain)
    monkeypatch.setattr(Peaks, "better_flat", lambda self, rows: [0, 1])
    assert bias_margin(layer, domain).value == right.value
    monkeypatch.setattr(Peaks, "propose", lambda self, rows: None)
    assert bias_margin(layer, domain).value == right.value
    wrong = Optimum(np.full(4, 0.25), np.ones(9), np.array([True, False, True, False]))
    monkeypatch.setattr(Peaks, "propose", lambda self, rows: wrong)
    assert bias_margin(layer, domain).value == right.value


def test_I4_of_many_opposite_rows() -> None:
    generator = np.random.default_rng(1)
    n = 30
    base = generator.standard_normal((n, n)).astype(np.float32)
    b, c = generator.integers(-9, 9, n), generator.integers(-9, 9, n)
    found = bias_margin(dense(np.vstack([base, -4 * base]), [*b, *c]), AllSpace())
    assert found.value == min(Fraction(4 * int(x) + int(y), 5) for x, y in zip(b, c, strict=True))


# ---------------------------------------------------------------- I6


@examples(40)
@given(layers(inputs=1, wide=False) | layers(inputs=2, outputs=5, wide=False) | layers(inputs=3, outputs=7, wide=False), st.data())
def test_I6_distances_shrink_by_no_more_than_the_bound(layer: Layer, data: st.DataObject) -> None:
    domain = data.draw(balls() | domains(layer.inputs, near=RationalVector((0,) * layer.inputs)))
    try:
        verdict = decide_layer(layer, domain)
    except InvalidRequestError:
        assume(False)
    found = inverse_lipschitz(layer, domain, evidence=verdict.evidence)
    event(f"{verdict.verdict}: {'no bound' if found is None else 'sharp' if found.sharp else 'bound'}")
    if verdict.verdict == "not-injective":
        assert found is None
        return
    if found is None:
        return
    text = found.certificate(network_sha256=sha256_of(layer), layer_number=1, domain=domain)
    assert text is not None and accepted(layer, text)
    assert Fraction(found.upper) ** 2 * found.least >= 4
    numbers = st.fractions(-2, 2, max_denominator=4)
    for _ in range(5):
        x, y = (data.draw(st.lists(numbers, min_size=layer.inputs, max_size=layer.inputs)) for _ in range(2))
        if in_domain(domain, x) and in_domain(domain, y):
            assert 4 * square(evaluate(layer, x), evaluate(layer, y)) >= found.least * square(x, y)
    if not isinstance(domain, Box | Ball) or (isinstance(domain, Box) and rank_of_box(domain) == layer.inputs):
        assert all(spans_by(active, layer.inputs, found.least) for active in active_by_cells(layer, domain))


def rank_of_box(box: Box) -> int:
    return sum(low < high for low, high in zip(box.lower.fractions(), box.upper.fractions(), strict=True))


def square(a: Any, b: Any) -> Fraction:
    return sum(((u - v) ** 2 for u, v in zip(a, b, strict=True)), Fraction(0))


@pytest.mark.parametrize(("m", "n", "domain"), [(12, 2, AllSpace()), (18, 3, AllSpace()), (9, 3, cube(3)), (4, 2, Orthant())])
def test_I6_the_bound_is_the_worst_cell_where_it_is_called_sharp(m: int, n: int, domain: Domain) -> None:
    for seed in range(40):
        layer = gaussian(m, n, seed)
        verdict = decide_layer(layer, domain)
        if verdict.verdict == "injective":
            found = inverse_lipschitz(layer, domain, evidence=verdict.evidence)
            assert found is not None and found.sharp
            more = found.least * Fraction(100_001, 100_000)
            assert not all(spans_by(active, n, more) for active in active_by_cells(layer, domain))
            return
    raise AssertionError("none is injective")


def test_I6_is_the_last_singular_value_and_not_the_smallest_that_is_not_zero() -> None:
    """Rank 1 of 2: the smallest singular value that is not 0 would be 5."""
    layer = dense([[3, 0], [4, 0]], [0, 0], False)
    assert inverse_lipschitz(layer, AllSpace()) is None
    claim = ExpansionCertificate(sha256_of(layer), 1, Fraction(1, 100), Expansion((), (), ()))
    assert accepted(layer, claim.text()) is None
    whole = dense([[3, 0], [4, 0], [0, 1]], [0, 0, 0], False)
    text = replace(claim, network=sha256_of(whole), least=Fraction(1)).text()
    assert accepted(whole, text) == "layer 1 (all): ||f(x) - f(y)|| >= 0.4999 ||x - y||"
    assert accepted(whole, replace(claim, network=sha256_of(whole), least=Fraction(1 + 2**60, 2**60)).text()) is None


@pytest.mark.parametrize("domain", [AllSpace(), cube(2)])
def test_I6_a_larger_bound_than_the_truth_is_rejected(domain: Domain) -> None:
    layer = gaussian(14, 2, 3)
    found = inverse_lipschitz(layer, domain)
    assert found is not None and found.evidence is not None and found.evidence.nodes
    certificate = ExpansionCertificate(sha256_of(layer), 1, found.least, found.evidence, domain=DomainLines(domain.lines()))
    assert accepted(layer, certificate.text())
    assert accepted(layer, replace(certificate, least=found.least * (1 + Fraction(1, 10**5))).text()) is None
    without = replace(found.evidence, nodes=found.evidence.nodes[:-1])
    assert accepted(layer, replace(certificate, evidence=without).text()) is None
    # Biases that are lowered far change which rows can be negative together.
    assert accepted(layer, replace(certificate, lowered=Fraction(301, 3)).text()) is None


@examples(60)
@given(st.data())
def test_semidefinite_by_elimination_and_by_floats_as_by_minors(data: st.DataObject) -> None:
    """A symmetric matrix has no negative eigenvalue iff all its principal minors are at least 0."""
    n = data.draw(st.integers(1, 3))
    small = st.integers(-3, 3)
    entries = {(i, j): data.draw(small) for i in range(n) for j in range(i, n)}
    matrix = [[entries[i, j] for j in range(i, n)] for i in range(n)]
    vector = st.lists(small, min_size=n, max_size=n)
    groups = data.draw(st.lists(st.lists(vector, min_size=1, max_size=3), max_size=3))
    factor = data.draw(st.integers(1, 2))

    def semidefinite(chosen: tuple[list[int], ...]) -> bool:
        whole = [[entries[min(i, j), max(i, j)] + factor * sum(r[i] * r[j] for r in chosen) for j in range(n)] for i in range(n)]
        subsets = [s for k in range(1, n + 1) for s in combinations(range(n), k)]
        return all(determinant([[whole[i][j] for j in s] for i in s]) >= 0 for s in subsets)

    truth = all(semidefinite(chosen) for chosen in product(*groups))
    assert Kernels().every_choice_is_semidefinite(matrix, groups, factor) == truth
    assert FastKernels().every_choice_is_semidefinite(matrix, groups, factor) == truth
    assert truth or not all_definite(matrix, groups, factor)
    rows = data.draw(st.lists(vector, max_size=4))
    least = data.draw(st.fractions(0, 4, max_denominator=3))
    larger = spans_by(rows, n, least)
    assert exceeds(rows, n, least) == larger
    if rows and all_exceed(np.array([rows], dtype=float), float(least)):
        assert larger


def determinant(matrix: list[list[Any]]) -> Fraction:
    if not matrix:
        return Fraction(1)
    minors = ([row[:j] + row[j + 1 :] for row in matrix[1:]] for j in range(len(matrix)))
    return sum(
        ((-1) ** j * Fraction(value) * determinant(rest) for j, (value, rest) in enumerate(zip(matrix[0], minors, strict=True))),
        Fraction(0),
    )


def test_I6_a_row_counts_once() -> None:
    """Parallel rows of one dependency in `certain`: only the shortest is sure, and branching on the other adds nothing."""
    layer = dense([[1], [-3]], [0, 0])
    one = Dependency((0, 1), (3, 1))
    sure = (((), 1, True), ((), 2, False))
    more = [((Branch(0),), 9, False), ((Branch(0),), 2, False), ((Split(1),), 2, False), ((Branch(0), Branch(0)), 2, False)]
    for nodes, least, valid in [*sure, *more]:
        certificate = ExpansionCertificate(sha256_of(layer), 1, Fraction(least), Expansion((one,), (0,), nodes))
        assert (accepted(layer, certificate.text()) is not None) == valid
    twice = Expansion((one, Dependency((0, 1), (6, 2))), (0, 1), ())
    assert accepted(layer, ExpansionCertificate(sha256_of(layer), 1, Fraction(2), twice).text()) is None
    free = dense([[1], [1]], [0, 0], False)
    assert accepted(free, ExpansionCertificate(sha256_of(free), 1, Fraction(2), Expansion((), (), ())).text())
    assert accepted(free, ExpansionCertificate(sha256_of(free), 1, Fraction(3), Expansion((), (), (Split(0),))).text()) is None


def test_I6_more_than_a_checker_takes_on_is_rejected_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = ExpansionCertificate("", 1, Fraction(1), Expansion((), (), ()))
    wide = Layer(SparseMatrix.from_dense(DyadicMatrix(np.zeros((3, 3000)))), DyadicMatrix(np.ones((3, 1))), np.zeros(3, dtype=bool))
    mixed = dense([[1.0, 2.0**-1000], [2.0**1000, 0]] * 20, np.zeros(40), False)
    for layer in (wide, mixed):
        for least in (Fraction(1), Fraction(1, 2**200_000)):
            started = time.monotonic()
            assert accepted(layer, replace(claim, network=sha256_of(layer), least=least).text()) is None
            assert time.monotonic() - started < 5
    monkeypatch.setattr(exactrelu.checker.tree, "TREE_DEPTH", 10)
    many = dense(np.ones((20, 1)), np.zeros(20))
    for depth, valid in ((10, True), (11, False)):
        # Twenty rows that are negative, and none that has to be there: the last case stays open in any case.
        deep = Expansion((), (), tuple(Split(j) for j in range(depth)))
        certificate = replace(claim, network=sha256_of(many), least=Fraction(1), evidence=deep)
        lines = Text(io.BytesIO(certificate.text().split("\n", 2)[2].encode()))
        with pytest.raises(Rejected, match="is open" if valid else "within one another"):
            verify(lines, read_network(io.BytesIO(b"".join(_lines(one_layer_network(many))))), Kernels())


def test_I6_of_many_columns_in_floats() -> None:
    n = 200
    generator = np.random.default_rng(0)
    base = generator.standard_normal((n, n)).astype(np.float32) + 20 * np.eye(n, dtype=np.float32)
    layer = dense(np.vstack([base, -2 * base]), np.zeros(2 * n))
    found = inverse_lipschitz(layer, AllSpace())
    assert found is not None and found.evidence is None
    assert float(found.least) <= np.linalg.svd(base, compute_uv=False)[-1] ** 2 <= float(found.least) * 1.001


@pytest.mark.parametrize("exponent", [-1060, -560, -3, 540, 1000])
@pytest.mark.parametrize("ratio", [-4, 1])
@pytest.mark.parametrize("n", [2, 65])
def test_I6_the_bound_follows_the_scale_of_the_rows(n: int, ratio: int, exponent: int) -> None:
    """[c I; -d I]: the least square is min(c, d)^2, whichever rows come first; rows times 2^k have 4^k of it."""
    rows = np.vstack([np.eye(n), -(2.0**ratio) * np.eye(n)])
    plain = inverse_lipschitz(dense(rows, np.zeros(2 * n)), AllSpace())
    found = inverse_lipschitz(dense(rows * 2.0**exponent, np.zeros(2 * n)), AllSpace())
    assert plain is not None and found is not None
    shorter = Fraction(2) ** min(ratio, 0)
    assert shorter**2 * Fraction(999, 1000) <= plain.least <= shorter**2
    assert found.least == plain.least * Fraction(4) ** exponent


def test_I6_entries_that_scaling_would_lose_give_no_bound() -> None:
    """2^-1074 beside 2^1000: no scale holds both as floats with a full mantissa."""
    n = 65
    rows = 2.0**1000 * np.eye(n)
    rows[0, 1] = 2.0**-1074
    layer = dense(rows, np.zeros(n), False)
    assert inverse_lipschitz(layer, AllSpace()) is None


# ---------------------------------------------------------------- repair, the largest box, all margins


@examples(20)
@given(layers(inputs=2, outputs=4, wide=False) | layers(inputs=1, wide=False), st.data())
def test_I4_the_repaired_layer_is_injective_and_the_shift_is_the_smallest(layer: Layer, data: st.DataObject) -> None:
    domain = data.draw(st.sampled_from([AllSpace(), Orthant(), cube(layer.inputs)]))
    wide = max((abs(bias) for (bias,) in layer.bias.fractions()), default=0) > 2**100
    found = repair(layer, domain, dtype=np.float64 if wide else np.float32)
    mu = margin_by_flats(layer, domain)
    if found.shift is None:
        assert mu == "minus" and "no shift" in found.reason
        return
    assert found.smallest and found.shift == (0 if mu == "plus" else max(Fraction(0), -mu))
    assert found.layer is not None and found.result is not None and found.biases is not None
    assert found.result.verdict == "injective"
    old = [bias for (bias,) in layer.bias.fractions()]
    for before, exact, number, relu in zip(old, found.exact, found.biases, layer.rectified.tolist(), strict=True):
        assert exact == before + found.shift * relu <= Fraction(float(number))
        assert Fraction(float(np.nextafter(number, number.dtype.type(-np.inf)))) < exact
    text = found.result.certificate(network_sha256=sha256_of(found.layer), layer_number=1, domain=domain).text()
    assert accepted(found.layer, text)


def test_a_torch_layer_is_repaired_in_a_copy() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(1, 2)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0], [-3.0]]))
        module.bias.copy_(torch.tensor([-0.1, 0.0]))
    found = repair(module, AllSpace())
    assert found.module is not module and module.bias.tolist()[1] == 0.0
    assert isinstance(found.module.bias, torch.nn.Parameter) and found.module.bias.dtype == torch.float32
    assert [float(value) for value in found.biases] == found.module.bias.tolist()
    assert decide_layer(found.layer, AllSpace()).verdict == "injective"
    plain = torch.nn.Linear(1, 1, bias=False)
    assert "no shift" in repair(plain, AllSpace()).reason
    for wrong in (torch.nn.ReLU(), torch.nn.Linear(1, 1).to(torch.bfloat16), object()):
        with pytest.raises(InvalidRequestError):
            repair(wrong, AllSpace())


def test_a_bias_beyond_its_type_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="larger dtype"):
        repair(dense([[1], [-1]], [-1e300, 0]), AllSpace())
    assert repair(dense([[1], [-1]], [-1e300, 0]), AllSpace(), dtype=np.float64).result.verdict == "injective"
    largest = float(np.finfo(np.float32).max)
    assert repair(dense([[1], [1]], [largest, -largest], False), AllSpace()).biases.tolist() == [largest, -largest]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_a_bias_that_no_float_holds_is_refused_in_one_line(sign: int, dtype: Any) -> None:
    weight = DyadicMatrix.from_floats([[1.0], [-1.0]])
    layer = Layer(weight, DyadicMatrix.from_integers([[sign * 10**400], [0]], 1), np.array([True, True]))
    with pytest.raises(InvalidRequestError, match="exceeds the range of") as refused:
        repair(layer, AllSpace(), dtype=dtype)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("dtype", [np.int8, "longdouble", "complex64", "nothing"])
def test_only_types_of_floats_are_biases(dtype: Any) -> None:
    for biases in ([0, 0], [-3, 0]):
        with pytest.raises(InvalidRequestError, match="float16, float32 or float64"):
            repair(dense([[1], [-1]], biases), AllSpace(), dtype=dtype)


@examples(20)
@given(st.lists(st.floats(0, 1e300), min_size=2, max_size=2), st.sampled_from([np.float16, np.float32, np.float64]))
def test_an_injective_layer_keeps_its_biases(biases: list[float], dtype: Any) -> None:
    """In the type that was asked for where that holds them, else in float64; [1; -1] is injective if no bias is negative."""
    found = repair(dense([[1], [-1]], biases), AllSpace(), dtype=dtype)
    assert found.shift == 0 and found.biases is not None
    assert found.biases.tolist() == biases
    with np.errstate(over="ignore"):
        held = np.array(biases).astype(dtype).tolist() == biases
    assert found.biases.dtype == (dtype if held else np.float64)


@examples(12)
@given(layers(inputs=2, outputs=4, wide=False), st.data())
def test_I4_the_largest_box_has_proofs_at_both_ends(layer: Layer, data: st.DataObject) -> None:
    numbers = st.fractions(-2, 2, max_denominator=4)
    points = data.draw(st.lists(st.lists(numbers, min_size=2, max_size=2).map(RationalVector.from_fractions), min_size=1, max_size=3))
    found = largest_box(layer, points)
    texts = found.certificates(network_sha256=sha256_of(layer), layer_number=1)
    assert set(texts) == {*(["box-injective"] if found.inner else []), *(["box-collision"] if found.outer else [])}
    for text in texts.values():
        assert accepted(layer, text)
    if found.outer is None:
        assert found.inner == 2**20
    else:
        assert found.complete and 0 < found.outer - found.inner <= Fraction(1, 64)
    for one, more in ((1, 0), (0, 1)):
        mu = margin_by_flats(layer, found.box(found.inner * one + (found.outer or 0) * more))
        if one or found.outer is not None:
            assert (mu == "plus" or (mu != "minus" and mu >= 0)) == bool(one)
    if len(set(points)) > 1:
        assert all(found.box(Fraction(1)).contains(x) for x in points)


def test_the_largest_box_needs_points() -> None:
    for points in ([], [RationalVector((1,))]):
        with pytest.raises(InvalidRequestError, match="needs points"):
            largest_box(gaussian(4, 2, 0), points)
    with pytest.raises(InvalidRequestError, match="precision"):
        largest_box(gaussian(4, 2, 0), [RationalVector((0, 0))], precision=Fraction(0))


def test_all_margins_at_once() -> None:
    layer = gaussian(12, 2, 1)
    points = [RationalVector((0, 0)), RationalVector((1, 2))]
    found = margins(layer, cube(2), decide_layer(layer, cube(2)), points=points, deadline=time.monotonic() + 10)
    record = found.record()
    assert set(record) == {"bias_margin", "inverse_lipschitz_upper", "largest_box"}
    assert json.loads(json.dumps(record)) == record
    texts = found.certificates(network_sha256=sha256_of(layer), layer_number=1)
    assert set(texts) >= {"injective-lowered", "bias-limit", "expansion"}
    assert all(accepted(layer, text) for text in texts.values())
