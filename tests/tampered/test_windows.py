"""Certificates of injectivity window by window: every rule of `windows` in section 4.10, evidence of random layers, and their mutants."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from samples import network
from test_injective import ALL, ONE, ORTHANT, RANK1, RANK2, SEGMENT, TREE, UNIT, injective, judge, node_mutants, text_of
from test_mutants import line_mutants

from exactrelu.certificates import DomainLines
from exactrelu.certificates.injectivity import InjectivityCertificate, Windows
from exactrelu.domain import AllSpace, Box, Domain, Orthant
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.blocks import window_by_window, windows_evidence
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.parts import parts
from exactrelu.network.model import Layer

# x and -x, y and -y; the second pair twice as long.
CROSS = network(2, ("all", [[0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]]))
LONGER = network(2, ("all", [[0, 1, 0], [0, -1, 0], [0, 0, 2], [0, 0, -2]]))
RAISED = network(2, ("all", [[0, 1, 0], [0, -1, 0], [1, 0, 1], [0, 0, -1]]))
MARKED = network(2, ("mask 7", [[0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]]))
# x, -x, x + y, -x - y: the second window knows x.
CHAIN = network(2, ("all", [[0, 1, 0], [0, -1, 0], [0, 1, 1], [0, -1, -1]]))
HALF = network(2, ("all", [[0, 1, 0], [0, -1, 0], [0, 1, 1]]))
ZERO_ROW = network(1, ("all", [[0, 1], [0, -1], [1, 0]]))

PAIR = (ONE, "certain 1 0", RANK1)
KNOWN = (ONE, "certain 1 0", RANK2)
VALID: list[tuple[str, str, *tuple[str, ...]]] = [
    (CROSS, ALL, "windows 2", "window 2 0 1", *PAIR, "window 2 2 3", *PAIR),
    (CROSS, ALL, "windows 2", "window 2 0 1", *PAIR, "same 0 2 2 3"),
    (CROSS, ORTHANT, "windows 2", "window 2 2 3", *PAIR, "same 0 2 0 1"),
    (CROSS, UNIT, "windows 2", "window 2 0 1", *PAIR, "same 0 2 2 3"),
    (CROSS, ALL, "windows 1", "window 4 0 1 2 3", ONE, "dependency 2 2 1 3 1", "certain 2 0 1", RANK2),
    (CROSS, ALL, "windows 2", "window 2 0 1", ONE, "certain 0", TREE, "branch 0", "same 0 2 2 3"),
    (CHAIN, ALL, "windows 2", "window 2 0 1", *PAIR, "window 2 2 3", *KNOWN),
    (CROSS, "domain box|lower 1 3 0|upper 1 3 1", "windows 1", "window 2 2 3", *PAIR),
    (CHAIN, "domain box|lower 1 3 0|upper 1 3 1", "windows 1", "window 2 2 3", *KNOWN),
    (CHAIN, "domain box|lower 1 3 0|upper 1 3 0", "windows 0"),
    (ZERO_ROW, ALL, "windows 2", "window 1 2", "certain 0", "rank 0 0 0 0 columns", "window 2 0 1", *PAIR),
]
INVALID: list[tuple[str, str, *tuple[str, ...]]] = [
    # counts
    (CROSS, ALL, "windows 1", "window 2 0 1", *PAIR),
    (CROSS, ALL, "windows 0"),
    (CROSS, ALL, "windows 3", "window 2 0 1", *PAIR, "same 0 2 2 3"),
    (CROSS, ALL, "windows 1", "window 2 0 1", *PAIR, "same 0 2 2 3"),
    # what is not the same question
    (LONGER, ALL, "windows 2", "window 2 0 1", *PAIR, "same 0 2 2 3"),
    (RAISED, ALL, "windows 2", "window 2 0 1", *PAIR, "same 0 2 2 3"),
    (MARKED, ALL, "windows 2", "window 2 0 1", *PAIR, "same 0 2 2 3"),
    (CHAIN, ALL, "windows 2", "window 2 0 1", *PAIR, "same 0 2 2 3"),
    (CROSS, "domain box|lower 1 0 0|upper 1 1 2", "windows 2", "window 2 0 1", *PAIR, "same 0 2 2 3"),
    # what has no evidence
    (CROSS, ALL, "windows 2", "same 0 2 0 1", "window 2 2 3", *PAIR),
    (CROSS, ALL, "windows 2", "window 2 0 1", *PAIR, "same 1 2 2 3"),
    (CROSS, ALL, "windows 2", "window 2 0 1", *PAIR, "same 2 2 2 3"),
    # rows
    (CROSS, ALL, "windows 2", "window 2 0 1", *PAIR, "window 2 0 1", *PAIR),
    (CROSS, ALL, "windows 2", "window 2 1 0", *PAIR, "window 2 2 3", *PAIR),
    (CROSS, ALL, "windows 2", "window 2 0 1", *PAIR, "window 2 2 4", *PAIR),
    (CROSS, ALL, "windows 2", "window 3 0 1", *PAIR, "window 2 2 3", *PAIR),
    # one input determined does not determine two, and what comes later is not known before
    (HALF, ALL, "windows 2", "window 2 0 1", *PAIR, "window 1 2", "certain 0", RANK1),
    (CHAIN, ALL, "windows 2", "window 2 2 3", *PAIR, "window 2 0 1", *PAIR),
    (CHAIN, ALL, "windows 2", "window 2 2 3", *KNOWN, "window 2 0 1", *PAIR),
    # domains that hold inputs together
    (CROSS, SEGMENT, "windows 2", "window 2 0 1", *PAIR, "window 2 2 3", *PAIR),
    (CROSS, "domain ball 1 1", "windows 2", "window 2 0 1", *PAIR, "window 2 2 3", *PAIR),
]


@pytest.mark.parametrize("case", VALID)
def test_valid(case: tuple[str, str, *tuple[str, ...]]) -> None:
    assert injective(*case)


@pytest.mark.parametrize("case", INVALID)
def test_invalid(case: tuple[str, str, *tuple[str, ...]]) -> None:
    assert not injective(*case)


@st.composite
def chains(draw: st.DrawFn) -> tuple[Layer, Domain]:
    """Rows of two inputs each, some of them opposite, repeated from window to window: small convolutions, often injective."""
    n = draw(st.integers(1, 3))
    small = st.sampled_from([0, 1, -1, 2])
    kernels = draw(st.lists(st.tuples(small, small, st.sampled_from([0, 0, 1, -1])), min_size=1, max_size=2))
    kernels = [
        kernel for a, b, c in kernels for kernel in ((a, b, c), *([(-a, -b, draw(st.sampled_from([0, 1])))] * draw(st.integers(0, 1))))
    ]
    stride = draw(st.integers(1, 2))
    rows, biases = [], []
    for begin in range(-1, n, stride):
        for a, b, c in kernels:
            row = [0] * (n + 2)
            row[begin + 1 : begin + 3] = [a, b]
            rows.append(row[1:-1])
            biases.append([float(c)])
    relu = [draw(st.integers(0, 5)) > 0 for _ in rows]
    layer = Layer(DyadicMatrix(np.array(rows, dtype=float).reshape(-1, n)), DyadicMatrix(np.array(biases)), np.array(relu))
    ends = [sorted(draw(st.tuples(st.integers(-1, 2), st.integers(-1, 2)))) for _ in range(n)]
    box = Box(*(RationalVector(tuple(end[k] for end in ends), 2) for k in (0, 1)))
    return layer, draw(st.sampled_from([AllSpace(), Orthant(), box, box]))


def written(layer: Layer, domain: Domain) -> Windows | None:
    """The evidence by parts or by windows, whatever the cascade would choose."""
    apart = parts([layer], domain)
    if len(apart) > 1:
        answers = {part.key: decide_layer(part.stages[0], part.domain) for part in apart}
        if any(answer.verdict != "injective" for answer in answers.values()):
            return None
        return windows_evidence([(part.rows.tolist(), answers[part.key]) for part in apart if len(part.rows)])
    if not isinstance(domain, Box):
        return None
    found = window_by_window(layer, domain, None, lambda own, part, _: decide_layer(own, part, widen=False))
    return found.evidence if found.is_complete else None


@settings(deadline=None, max_examples=60)
@given(chains(), st.data())
def test_the_prover_is_believed_and_only_true_mutants_are(case: tuple[Layer, Domain], data: st.DataObject) -> None:
    layer, domain = case
    evidence = written(layer, domain)
    assume(evidence is not None)
    assert evidence is not None
    event(f"{sum(isinstance(shown, int) for _, shown in evidence.windows)} windows that are the same")
    network_text, sha256 = text_of(layer)
    text = InjectivityCertificate(sha256, 1, evidence, domain=DomainLines(domain.lines())).text()
    assert judge(network_text, text)
    lines = text.splitlines()
    mutants = [*line_mutants(lines), *node_mutants(lines)]
    for choice in data.draw(st.lists(st.integers(0, len(mutants) - 1), min_size=15, max_size=25)):
        judge(network_text, "\n".join(mutants[choice]) + "\n")


@pytest.mark.parametrize("case", [VALID[1], VALID[6]])
def test_accepted_mutants_are_true(case: tuple[str, str, *tuple[str, ...]]) -> None:
    text, domain, *lines = case
    mutants = {tuple(mutant) for mutant in chain(line_mutants(list(lines)), node_mutants(list(lines)))} - {tuple(lines)}
    rejected = sum(not injective(text, domain, *mutant) for mutant in sorted(mutants))
    assert rejected > len(mutants) // 2


def test_lowered_biases_are_lowered_in_every_window() -> None:
    """|x| <= 1: with both biases 1 lowered by 1 the pair is still nowhere negative together, by 3/2 it is."""
    apart = network(2, ("all", [[1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1]]))
    lines = ("windows 2", "window 2 0 1", *PAIR, "same 0 2 2 3")
    said = [injective(apart, ALL, *lines, claim=f"subject layer|lowered 2 {by:x}|claim injective") for by in (0, 1, 2, 3)]
    assert said[1:] == [True, True, False]
