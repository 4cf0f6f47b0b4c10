"""Certificates that a layer is injective, and of collisions: every rule of section 4.10, proofs of random layers, and their mutants."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from itertools import chain, product
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from samples import certificate, network, verdict
from test_mutants import line_mutants
from truth import Row, domain_rows, polyhedron_of, rank, read_layers, truth

import exactrelu.checker.tree
import exactrelu.fast_checker.choices
from exactrelu.certificates import DomainLines
from exactrelu.certificates import injectivity as written
from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.elimination import every_choice_spans
from exactrelu.domain import AllSpace, Box
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.fast_checker import FastKernels
from exactrelu.fast_checker.choices import all_independent
from exactrelu.injectivity.layer import decide_layer
from exactrelu.network.exact_file import _lines
from exactrelu.network.model import Layer, Network
from exactrelu.strategies import domains

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.domain import Domain

CHECKERS = (Kernels(), FastKernels())
PRIME = 2**31 - 1


def judge(network_text: str, text: str) -> bool:
    """The verdict of both checkers, which is the same; what they accept is true."""
    valid, said = verdict(network_text, text, CHECKERS[0])
    assert (valid, said) == verdict(network_text, text, CHECKERS[1]), f"the checkers disagree on\n{network_text}{text}"
    assert not valid or truth(network_text, text), f"accepted, but false:\n{network_text}{text}{said}"
    return valid


# Every rule by hand

FOLD = network(1, ("all", [[0, 1], [0, -1]]))
APART = network(1, ("all", [[-1, 1], [-1, -1]]))
SCALED = network(1, ("all", [[Fraction(1, 8), Fraction(1, 8)], [-4, -4]]))
HALF = network(1, ("all", [[0, 1]]))
SHIFTED = network(1, ("all", [[-10, 1], [11, 0]]))
CROSS = network(2, ("all", [[0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]]))
QUADRANT = network(2, ("all", [[0, 1, 0], [0, 0, 1]]))
ACTIVE = network(2, ("all", [[1, 1, 0], [1, 0, 1], [1, 1, 1]]))
SIX = network(2, ("all", [[0, 2, 1], [0, -1, 1], [0, -1, -2], [0, 3, 1], [0, -1, 2], [0, -2, -3]]))
PARALLEL = network(2, ("all", [[0, 2, 1], [0, -1, 1], [0, -1, -2], [0, 1, 2], [0, 1, -1], [0, -2, -3]]))
IDENTITY = network(2, ("none", [[0, 1, 0], [0, 0, 1]]))
TURN = network(2, ("none", [[0, 1, 2], [0, -2, 1]]))
MIXED = network(2, ("mask 6", [[0, 1, 1], [0, 1, 0], [0, -1, 0]]))
ZEROS = network(1, ("all", [[0, 1], [0, -1], [1, 0], [-1, 0]]))
NOTHING = network(0, ("none", []))
TWO = network(1, ("all", [[0, 1], [0, -1]]), ("all", [[0, 1, 1]]))

ONE = "dependency 2 0 1 1 1"
OTHER = "dependency 2 2 1 3 1"
THREES = ["dependency 3 0 1 1 1 2 1", "dependency 3 3 1 4 1 5 1"]
TREE = "tree 7fffffff"
RANK1, RANK2 = "rank 1 0 1 1 columns", "rank 2 0 3 3 columns"
UNIT = "domain box|lower 1 0 0|upper 1 1 1"
TRIANGLE = "domain polytope 3|side 0 -1 0|side 0 0 -1|side -1 1 1"
SEGMENT = "domain polytope 2|side -1 1 0|side 1 -1 0"


def injective(network_text: str, domain: str, *lines: str, claim: str = "subject layer|claim injective", scope: str = "layer 1") -> bool:
    head = ["data none", f"scope {scope}", *domain.split("|"), *claim.split("|")]
    return judge(network_text, certificate(network_text, *head, *lines))


ALL, ORTHANT = "domain all", "domain orthant"
VALID: list[tuple[str, str, *tuple[str, ...]]] = [
    (FOLD, ALL, ONE, "certain 1 0", RANK1),
    (FOLD, ALL, ONE, "certain 1 0", "rank 1 7fffffff 1 1 columns"),
    (SCALED, ALL, "dependency 2 0 20 1 1", "certain 1 0", RANK1),
    (CROSS, ALL, ONE, OTHER, "certain 2 0 1", RANK2),
    (CROSS, ALL, ONE, OTHER, ONE, ONE, "certain 2 1 2", RANK2),
    (CROSS, ALL, ONE, OTHER, "certain 2 0 1", TREE),
    (CROSS, ALL, ONE, OTHER, "certain 1 0", TREE, "branch 1"),
    (CROSS, ALL, ONE, OTHER, "certain 0", TREE, "branch 0", "branch 1", "branch 1"),
    (CROSS, ALL, ONE, OTHER, "certain 0", TREE, "branch 0", "split 1", "spanned 1 1 0 -1", "branch 1", "spanned 0 1 0 -1"),
    (ACTIVE, UNIT, "dependency 1 0 1", "dependency 1 1 1", "certain 2 0 1", RANK2),
    (ACTIVE, "domain box|lower 2 -2 -2|upper 1 1 1", "dependency 1 0 1", "dependency 1 1 1", "certain 2 0 1", RANK2),
    (QUADRANT, ORTHANT, "dependency 1 0 1", "dependency 1 1 1", "certain 2 0 1", RANK2),
    (QUADRANT, TRIANGLE, "dependency 1 0 1 1 0 1", "dependency 1 1 2 1 1 2", "certain 2 0 1", RANK2),
    (CROSS, SEGMENT, OTHER, "flat 2 0 1 1 1", "certain 1 0", RANK2),
    (CROSS, "domain box|lower 1 3 0|upper 2 6 2", "dependency 1 2 1", "certain 1 0", RANK2),
    (IDENTITY, ALL, "certain 0", RANK2),
    (IDENTITY, ALL, "certain 0", "tree 2"),
    (MIXED, ALL, "dependency 2 1 1 2 1", "certain 0", TREE, "branch 0"),
    (MIXED, ALL, "dependency 2 1 1 2 1", "certain 0", TREE, "split 0", "branch 0", "branch 0"),
    (MIXED, ALL, "dependency 2 1 1 2 1", "certain 0", TREE, "split 0", "spanned 0 2 0 2", "branch 0"),
    (FOLD, ALL, ONE, "certain 0", TREE, "split 0", "split 1", "branch 0"),
    (FOLD, ALL, ONE, "certain 0", TREE, "split 0", "split 1", "pack 1 0"),
    (FOLD, ALL, ONE, "certain 0", TREE, "split 0", "split 0", "branch 0"),
    (SIX, ALL, *THREES, "certain 0", TREE, "branch 0", "branch 1", "branch 1", "branch 1"),
    (SIX, ALL, *THREES, "certain 0", TREE, "pack 2 0 1"),
    (SIX, ALL, *THREES, "certain 0", TREE, "branch 0", "pack 1 1", "branch 1", "pack 2 0 1"),
    (SIX, ALL, *THREES, "certain 0", "tree b", "pack 2 0 1"),
    (ZEROS, ALL, ONE, OTHER, "certain 2 0 1", RANK1),
    (ZEROS, ALL, ONE, "dependency 1 2 1", "certain 1 0", TREE),
    (NOTHING, ALL, "certain 0", "rank 0 0 0 0 columns"),
    (NOTHING, ALL, "certain 0", "tree 2"),
]
INVALID: list[tuple[str, str, *tuple[str, ...]]] = [
    # multipliers
    (FOLD, ALL, "dependency 2 0 0 1 0", "certain 1 0", RANK1),
    (FOLD, ALL, "dependency 2 0 1 1 -1", "certain 1 0", RANK1),
    (APART, ALL, "dependency 2 0 0 1 1", "certain 1 0", RANK1),
    (FOLD, ALL, "dependency 2 0 1 1 2", "certain 1 0", RANK1),
    (SCALED, ALL, "dependency 2 0 1 1 1", "certain 1 0", RANK1),
    # rows
    (FOLD, ALL, "dependency 2 0 1 0 1", "certain 1 0", RANK1),
    (FOLD, ALL, "dependency 2 1 1 0 1", "certain 1 0", RANK1),
    (FOLD, ALL, "dependency 2 0 1 2 1", "certain 1 0", RANK1),
    (FOLD, ALL, "dependency 0", ONE, "certain 1 1", RANK1),
    (FOLD, ALL, "dependency", ONE, "certain 1 1", RANK1),
    (FOLD, ALL, "dependency 3 0 1 1 1", "certain 1 0", RANK1),
    (FOLD, ALL, "dependency 1 0 1 1 1", "certain 1 0", RANK1),
    (IDENTITY, ORTHANT, "dependency 1 0 1", "certain 0", RANK2),
    # infima
    (APART, ALL, ONE, "certain 1 0", RANK1),
    (HALF, ALL, "dependency 1 0 1", "certain 1 0", RANK1),
    (FOLD, ORTHANT, "dependency 1 1 1", "certain 1 0", RANK1),
    (ACTIVE, "domain box|lower 1 -2 0|upper 1 1 1", "dependency 1 0 1", "dependency 1 1 1", "certain 2 0 1", RANK2),
    # sides
    (HALF, "domain box|lower 1 0|upper 1 1", "dependency 1 0 1 1 0 1", "certain 1 0", RANK1),
    (QUADRANT, TRIANGLE, "dependency 1 0 1 1 3 1", "dependency 1 1 1 1 1 1", "certain 2 0 1", RANK2),
    (QUADRANT, TRIANGLE, "dependency 1 0 1 1 0 0", "dependency 1 1 1 1 1 1", "certain 2 0 1", RANK2),
    (QUADRANT, TRIANGLE, "dependency 1 0 1 1 0 1 1", "dependency 1 1 1 1 1 1", "certain 2 0 1", RANK2),
    (QUADRANT, TRIANGLE, "dependency 1 0 1 0", "dependency 1 1 1 1 1 1", "certain 2 0 1", RANK2),
    # flats
    (CROSS, SEGMENT, OTHER, "flat 1 0 1", "certain 1 0", RANK2),
    (QUADRANT, "domain polytope 2|side 0 1 0|side 0 0 1", "flat 2 0 1 1 1", "certain 0", RANK2),
    (CROSS, SEGMENT, OTHER, "flat 2 0 1 1 1 1", "certain 1 0", RANK2),
    (CROSS, "domain polytope 2|side -1 1 0|side 0 -1 0", OTHER, "flat 2 0 1 1 1", "certain 1 0", RANK2),
    (FOLD, "domain box|lower 1 0|upper 1 1", ONE, "flat 1 0 1", "certain 1 0", RANK1),
    (CROSS, "domain box|lower 1 3 0|upper 2 7 2", "dependency 1 2 1", "certain 1 0", RANK2),
    # certain
    (SIX, ALL, *THREES, "certain 2 0 1", RANK2),
    (SHIFTED, ORTHANT, "dependency 2 0 1 1 1", "certain 1 0", RANK1),
    (SHIFTED, ORTHANT, "dependency 2 0 1 1 1", "certain 1 0", TREE),
    (FOLD, ALL, ONE, "certain 1 1", RANK1),
    (CROSS, ALL, ONE, OTHER, "certain 2 0 0", RANK2),
    (CROSS, ALL, ONE, OTHER, "certain 1 0 1", RANK2),
    (CROSS, ALL, ONE, OTHER, "certain", RANK2),
    (FOLD, ALL, ONE, RANK1),
    # rank
    (CROSS, ALL, ONE, OTHER, "certain 1 0", RANK1),
    (CROSS, ALL, ONE, OTHER, "certain 1 0", RANK2),
    (CROSS, ALL, ONE, OTHER, "certain 2 0 1", "rank 2 0 3 3 rows"),
    (TURN, ALL, "certain 0", "rank 2 5 3 3 columns"),
    # trees
    (TURN, ALL, "certain 0", "tree 5"),
    (IDENTITY, ALL, "certain 0", "tree 1"),
    (IDENTITY, ALL, "certain 0", "tree 0"),
    (NOTHING, ALL, "certain 0", "tree 1"),
    (IDENTITY, ALL, "certain 0", "tree 10000000000000001"),
    (IDENTITY, ALL, "certain 0", TREE, "split 0"),
    (IDENTITY, ALL, "certain 0", TREE, RANK2),
    (SIX, ALL, *THREES, "certain 0", TREE),
    (SIX, ALL, *THREES, "certain 0", TREE, "branch 0", "branch 1", "branch 1"),
    (SIX, ALL, *THREES, "certain 0", TREE, "branch 0", "branch 1", "branch 1", "branch 1", "branch 1"),
    (SIX, ALL, *THREES, "certain 0", TREE, "branch 2", "branch 1", "branch 1", "branch 1"),
    (SIX, ALL, *THREES, "certain 0", TREE, "branch 0 1", "branch 1", "branch 1", "branch 1"),
    (SIX, ALL, *THREES, "certain 0", TREE, "branch 0", "branch 0", "branch 0", "branch 0"),
    (SIX, ALL, *THREES, "certain 0", TREE, "split 6", "pack 2 0 1", "pack 2 0 1"),
    (SIX, ALL, *THREES, "certain 0", TREE, "split 0", "branch 1"),
    (CROSS, ALL, ONE, OTHER, "certain 0", TREE, "branch 0", "spanned 1 1 0 -1", "spanned 0 1 0 -1"),
    (CROSS, ALL, ONE, OTHER, "certain 0", TREE, "branch 0", "split 1", "spanned 1 1 0 1", "branch 1", "branch 1"),
    (CROSS, ALL, ONE, OTHER, "certain 0", TREE, "branch 0", "split 1", "spanned 1 0 0 -1", "branch 1", "branch 1"),
    (CROSS, ALL, ONE, OTHER, "certain 0", TREE, "branch 0", "split 1", "spanned 1 0", "branch 1", "branch 1"),
    (CROSS, ALL, ONE, OTHER, "certain 0", TREE, "branch 0", "split 1", "spanned 1 -1 0 1", "branch 1", "branch 1"),
    (CROSS, ALL, ONE, OTHER, "certain 0", TREE, "branch 0", "split 1", "spanned 1 1 1 -1", "branch 1", "branch 1"),
    (CROSS, ALL, ONE, OTHER, "certain 0", TREE, "branch 0", "split 1", "spanned 1 1 0", "branch 1", "branch 1"),
    (CROSS, ALL, ONE, OTHER, "certain 0", TREE, "branch 0", "split 1", "spanned", "branch 1", "branch 1"),
    (SIX, ALL, *THREES, THREES[0], "certain 0", TREE, "pack 3 0 1 2"),
    (SIX, ALL, *THREES, "certain 0", TREE, "pack 2 1 0"),
    (SIX, ALL, *THREES, "certain 0", TREE, "pack 3 0 1 2"),
    (SIX, ALL, *THREES, "certain 0", TREE, "pack 1 0"),
    (SIX, ALL, *THREES, "certain 0", TREE, "pack 0"),
    (SIX, ALL, *THREES, "certain 0", TREE, "pack"),
    (PARALLEL, ALL, THREES[0], "certain 0", TREE, "pack 1 0"),
    (SIX, ALL, *THREES, "certain 0", TREE, "branch 0", "leaf"),
]


@pytest.mark.parametrize("case", VALID, ids=lambda case: " ".join(case[1:]))
def test_a_proof_by_hand_is_accepted(case: tuple[str, str, *tuple[str, ...]]) -> None:
    assert injective(*case)


@pytest.mark.parametrize("case", INVALID, ids=lambda case: " ".join(case[1:]))
def test_a_wrong_proof_is_rejected(case: tuple[str, str, *tuple[str, ...]]) -> None:
    assert not injective(*case)


COLLIDE = "subject layer|claim collision"
THROUGH = "subject network|claim collision"


@pytest.mark.parametrize(
    ("case", "more", "valid"),
    [
        ((HALF, ALL, "first 1 -1", "second 1 -2"), {}, True),
        ((HALF, "domain box|lower 1 -1|upper 1 1", "first 2 -1", "second 3 -1"), {}, True),
        ((APART, ALL, "first 1 0", "second 2 1"), {}, True),
        ((TWO, ALL, "first 1 1", "second 1 -1"), {"claim": THROUGH, "scope": "through 2"}, True),
        ((TWO, ORTHANT, "first 1 1 0", "second 1 0 1"), {"scope": "layer 2"}, True),
        ((TWO, ALL, "first 1 1", "second 1 -1"), {"scope": "layer 2"}, False),
        ((TWO, ALL, "first 1 1", "second 1 -1"), {}, False),
        ((TWO, ORTHANT, "first 1 1", "second 1 -1"), {"claim": THROUGH, "scope": "through 2"}, False),
        ((HALF, ALL, "first 1 -1", "second 1 -1"), {}, False),
        ((HALF, ALL, "first 2 -2", "second 1 -1"), {}, False),
        ((HALF, ALL, "first 1 1", "second 1 -1"), {}, False),
        ((HALF, "domain box|lower 1 -1|upper 1 1", "first 1 -1", "second 1 -2"), {}, False),
        ((HALF, "domain box|lower 1 -1|upper 1 1", "first 1 -2", "second 1 -1"), {}, False),
        ((HALF, ALL, "first 1 -1"), {}, False),
        ((HALF, ALL, "first 1 -1", "second 1 -2 0"), {}, False),
        ((HALF, ALL, "first 1 -1", "second 1 -2"), {"scope": "layer 2"}, False),
        ((HALF, ALL, "first 1 -1", "second 1 -2"), {"claim": THROUGH}, False),
        ((HALF, ALL, "first 1 -1", "second 1 -2"), {"scope": "through 1"}, False),
        ((HALF, ALL, "first 1 -1", "second 1 -2"), {"claim": f"{THROUGH} 1", "scope": "through 1"}, False),
        ((FOLD, ALL, ONE, "certain 1 0", RANK1), {"claim": "subject network|claim injective", "scope": "through 1"}, False),
    ],
)
def test_two_points_are_a_collision(case: tuple[str, ...], more: dict[str, str], valid: bool) -> None:
    assert injective(*case, **{"claim": COLLIDE, **more}) == valid  # type: ignore[arg-type]


def test_an_array_file_belongs_to_a_point() -> None:
    text = certificate(HALF, "data none", "scope layer 1", ALL, *COLLIDE.split("|"), "first 1 -1", "second 1 -2")
    assert judge(HALF, text) and not judge(HALF, text.replace("data none", f"data {'0' * 64} 0 1 1"))


@pytest.mark.parametrize(
    ("network_text", "domain", "lines", "said"),
    [
        (FOLD, "all", [ONE, "certain 1 0", RANK1], "layer 1 (all): injective"),
        (HALF, "box|lower 1 -2|upper 1 1", ["first 1 -1", "second 1 -2"], "layer 1 (box): collision"),
    ],
)
def test_the_claim_is_printed(network_text: str, domain: str, lines: list[str], said: str) -> None:
    head = ["data none", "scope layer 1", *f"domain {domain}".split("|"), "subject layer", f"claim {said.rpartition(' ')[2]}"]
    text = certificate(network_text, *head, *lines)
    assert all(verdict(network_text, text, kernels) == (True, said) for kernels in CHECKERS)
    text = certificate(TWO, "data none", "scope through 2", "domain all", *THROUGH.split("|"), "first 1 1", "second 1 -1")
    assert verdict(TWO, text, CHECKERS[0]) == (True, "through layer 2 (all): collision")


@pytest.mark.parametrize("case", [VALID[i] for i in (0, 8, 12, 13, 14, 18, 23, 24)], ids=lambda case: " ".join(case[1:]))
def test_accepted_mutants_are_true(case: tuple[str, str, *tuple[str, ...]]) -> None:
    network_text, domain, *evidence = case
    lines = certificate(network_text, "data none", "scope layer 1", *domain.split("|"), "subject layer", "claim injective", *evidence)
    mutants = sorted({"\n".join(mutant) + "\n" for mutant in chain(line_mutants(lines.splitlines()), node_mutants(lines.splitlines()))})
    rejected = sum(not judge(network_text, mutant) for mutant in mutants if mutant != lines)
    assert rejected > len(mutants) // 2


# Hostile evidence


HEAD = ["data none", "scope layer 1", ALL, "subject layer", "claim injective"]


@pytest.mark.parametrize("kernels", CHECKERS)
def test_more_choices_nodes_or_steps_than_a_checker_takes_on_are_rejected(kernels: Kernels, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = network(2, ("all", [[0, 1, 0], [0, -1, 0]] * 52))
    four = ["dependency 4 " + " ".join(f"{4 * k + i:x} 1" for i in range(4)) for k in range(26)]
    pack = "pack 1a " + " ".join(f"{k:x}" for k in range(26))
    assert "choices are more" in verdict(wide, certificate(wide, *HEAD, *four, "certain 0", TREE, pack), kernels)[1]
    monkeypatch.setattr(exactrelu.checker.tree, "TREE_DEPTH", 1000)
    deep = certificate(CROSS, *HEAD, ONE, "certain 0", TREE, *["branch 0"] * 1002)
    assert "within one another" in verdict(CROSS, deep, kernels)[1]
    monkeypatch.setattr(exactrelu.checker.tree, "TREE_STEPS", 40)
    assert "steps" in verdict(SIX, certificate(SIX, *HEAD, *VALID[23][2:]), kernels)[1]


# Proofs of random layers


@st.composite
def layers_(draw: st.DrawFn) -> Layer:
    """Small integers, rows that oppose or repeat one another, three directions around 0: often injective."""
    n = draw(st.integers(1, 3))
    small = st.sampled_from([0, 1, -1, 2, -2, 3])
    rows = draw(st.lists(st.lists(small, min_size=n, max_size=n), min_size=n, max_size=n + 1))
    for row in rows[: 6 - len(rows)]:
        kind = draw(st.integers(0, 3))
        if kind:
            other = draw(st.sampled_from(rows)) if kind == 1 else row
            factor = draw(st.sampled_from([1, 2]))
            rows.append([-factor * value - (a if kind == 1 else 0) for value, a in zip(row, other, strict=True)])
    rows = draw(st.permutations(rows))
    bias = [[draw(st.sampled_from([0, 0, 1, 1, 2, -1]))] for _ in rows]
    marks = [True] * len(rows) if draw(st.integers(0, 3)) else [draw(st.integers(0, 3)) > 0 for _ in rows]
    exponent = draw(st.sampled_from([0, 0, -2, 3]))
    weight, biases = (DyadicMatrix.from_integers(part, len(part[0]), exponent) for part in (rows, bias))
    return Layer(weight, biases, np.array(marks, dtype=bool))


def text_of(layer: Layer) -> tuple[str, str]:
    """The network file and its SHA-256."""
    text = b"".join(_lines(Network((layer,), (), (), (layer.inputs,)))).decode()
    return text, hashlib.sha256(text.encode()).hexdigest()


def domain_of(network_text: str, domain: Domain) -> list[Row]:
    lines = [line.split(" ") for line in domain.lines()]
    return domain_rows(lines, {line[0]: line[1:] for line in lines}, len(read_layers(network_text)[0][1][0][1]))


def node_mutants(lines: list[str]) -> Iterator[list[str]]:
    """Nodes that are another node with the same numbers, and subtrees exchanged, left out or said twice."""
    nodes = [i for i, line in enumerate(lines) if line.split(" ")[0] in {"branch", "split", "spanned", "pack"}]
    for i in nodes:
        for word in ("branch 0", "branch 1", "split 0", "split 1", "pack 1 0", "pack 1 1", "spanned 0 1 0 1", "spanned 1 1 0 -1", "pack 0"):
            yield [*lines[:i], word, *lines[i + 1 :]]
            yield [*lines[:i], word, *lines[i:]]
        for j in nodes:
            if i < j:
                yield [*lines[:i], *lines[j:]]
                yield [*lines[:i], *lines[i:j], *lines[i:]]


@settings(deadline=None, max_examples=120)
@given(layers_(), st.data())
def test_the_prover_is_believed_and_only_true_mutants_are(layer: Layer, data: st.DataObject) -> None:
    domain = data.draw(domains(layer.inputs, near=RationalVector((0,) * layer.inputs)))
    network_text, sha256 = text_of(layer)
    try:
        found = decide_layer(layer, domain)
    except InvalidRequestError:
        assert polyhedron_of(layer.inputs, domain_of(network_text, domain), []).is_empty()
        return
    event(f"{found.verdict}: {found.method}")
    text = found.certificate(network_sha256=sha256, layer_number=1, domain=domain).text()
    assert judge(network_text, text)
    lines = text.splitlines()
    mutants = [*line_mutants(lines), *node_mutants(lines)]
    for choice in data.draw(st.lists(st.integers(0, len(mutants) - 1), min_size=15, max_size=25)):
        judge(network_text, "\n".join(mutants[choice]) + "\n")


# Proofs that a search without a strategy finds: all kinds of nodes


class AnyTree:
    """Nodes chosen at random; None where a case cannot be closed, or only by more nodes than are allowed."""

    def __init__(
        self, random: Random, rows: list[list[Fraction]], dependencies: list[tuple[int, ...]], known: list[list[Fraction]]
    ) -> None:
        self.random, self.rows, self.dependencies, self.known = random, rows, dependencies, known
        self.n = len(rows[0])
        self.left = 60

    def nodes(self, outside: frozenset[int] = frozenset(), added: tuple[int, ...] = ()) -> list[written.Node] | None:
        inside = [*self.known, *(self.rows[j] for j in added)]
        if rank(inside) == self.n:
            return []
        self.left -= 1
        if self.left < 0:
            return None
        closings = [*self.spanned(outside, inside), *(self.packs(outside, inside) if self.random.random() < 0.3 else ())]
        free = [written.Split(j) for j in range(len(self.rows)) if j not in outside and j not in added]
        useful = [written.Branch(d) for d, rows in enumerate(self.dependencies) if not set(rows) & set(added)]
        if not (closings and self.random.random() < 0.5) and (useful or free):
            node = self.random.choice(useful if useful and (not free or self.random.random() < 0.6) else free)
            parts = [self.nodes(*child) for child in self.children(node, outside, added)]
            if all(part is not None for part in parts):
                return [node, *chain.from_iterable(part or [] for part in parts)]
        return [self.random.choice(closings)] if closings else None

    def children(
        self, node: written.Branch | written.Split, outside: frozenset[int], added: tuple[int, ...]
    ) -> list[tuple[frozenset[int], tuple[int, ...]]]:
        if isinstance(node, written.Split):
            return [(outside | {node.row}, added), (outside, (*added, node.row))]
        left = [j for j in self.dependencies[node.dependency] if j not in outside]
        return [(outside | set(left[:i]), (*added, j)) for i, j in enumerate(left)]

    def spanned(self, outside: frozenset[int], inside: list[list[Fraction]]) -> Iterator[written.Node]:
        """Multiples of one row in F or sums of two."""
        for j in outside:
            for i, k in product(range(len(inside)), repeat=2):
                if i > k:
                    continue
                for u, v in product([1, -1, 2, -2], [0] if i == k else [1, -1]):
                    total = [u * a + v * b for a, b in zip(inside[i], inside[k], strict=True)]
                    for denominator in (1, 2, 3):
                        if total == [denominator * value for value in self.rows[j]]:
                            yield written.Spanned(j, denominator, (i,) if i == k else (i, k), (u,) if i == k else (u, v))

    def packs(self, outside: frozenset[int], inside: list[list[Fraction]]) -> Iterator[written.Node]:
        for picked in product([False, True], repeat=min(len(self.dependencies), 4)):
            chosen = [d for d, yes in enumerate(picked) if yes]
            groups = [[j for j in self.dependencies[d] if j not in outside] for d in chosen]
            if len(set().union(*groups)) == sum(map(len, groups)) and all(
                rank([*inside, *(self.rows[j] for j in choice)]) == self.n for choice in product(*groups)
            ):
                yield written.Pack(tuple(chosen))


def small_dependencies(
    rows: list[tuple[Fraction, list[Fraction]]], rectified: Sequence[bool], least: list[tuple[Fraction, Fraction]] | None
) -> dict[tuple[int, ...], written.Dependency]:
    """For every set of rows at most one dependency with multipliers 0, 1, 2; `least`: the bounds of a box, else of all R^n."""
    found: dict[tuple[int, ...], written.Dependency] = {}
    for weights in product([0, 1, 2], repeat=len(rows)):
        chosen = tuple(j for j, weight in enumerate(weights) if weight)
        if not chosen or chosen in found or not all(rectified[j] for j in chosen):
            continue
        sigma = [sum((weights[j] * rows[j][1][k] for j in chosen), Fraction(0)) for k in range(len(rows[0][1]))]
        total = sum((weights[j] * rows[j][0] for j in chosen), Fraction(0))
        if least is None:
            holds = not any(sigma) and total >= 0
        else:
            holds = total + sum((min(s * low, s * high) for s, (low, high) in zip(sigma, least, strict=True)), Fraction(0)) >= 0
        if holds:
            found[chosen] = written.Dependency(chosen, tuple(weights[j] for j in chosen))
    return found


@settings(deadline=None, max_examples=150)
@given(layers_(), st.booleans(), st.data())
def test_proofs_of_any_shape_are_accepted(layer: Layer, boxed: bool, data: st.DataObject) -> None:
    network_text, sha256 = text_of(layer)
    n = layer.inputs
    last = data.draw(st.sampled_from([1, 1, -1]))
    domain: Domain = Box(RationalVector((-1,) * n), RationalVector((*(1,) * (n - 1), last))) if boxed else AllSpace()
    rectified, rows = read_layers(network_text)[0]
    bounds = list(zip(domain.lower.fractions(), domain.upper.fractions(), strict=True)) if isinstance(domain, Box) else None
    pool = small_dependencies(rows, rectified, bounds)
    dependencies = data.draw(st.permutations(list(pool.values())))[:12]
    known = [row[1] for row, relu in zip(rows, rectified, strict=True) if not relu]
    certain = []
    for d, one in enumerate(dependencies):
        if len(one.rows) == 1 and data.draw(st.booleans()):
            certain.append(d)
            known.append(rows[one.rows[0]][1])
    known += [[Fraction(int(k == j)) for k in range(n)] for j, (low, high) in enumerate(bounds or []) if low == high]
    nodes = AnyTree(Random(data.draw(st.integers(0, 2**20))), [row[1] for row in rows], [one.rows for one in dependencies], known).nodes()
    event("open" if nodes is None else " ".join(sorted({type(node).__name__ for node in nodes})) or "no line")
    if nodes is None:
        return
    proof = written.Proof(tuple(dependencies), (), tuple(certain), written.Tree(PRIME, tuple(nodes)))
    text = written.InjectivityCertificate(sha256, 1, proof, domain=DomainLines(domain.lines())).text()
    assert judge(network_text, text), f"rejected\n{network_text}{text}{verdict(network_text, text, CHECKERS[0])}"
    lines = text.splitlines()
    mutants = [*node_mutants(lines), *line_mutants(lines)]
    for choice in data.draw(st.lists(st.integers(0, len(mutants) - 1), min_size=5, max_size=10)):
        judge(network_text, "\n".join(mutants[choice]) + "\n")


# All choices of rows


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_all_choices_are_bases_in_integers_and_in_arrays_alike(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 4))
    modulus = data.draw(st.sampled_from([2, 3, 5, 7, PRIME]))
    entry = st.integers(0, modulus - 1) if data.draw(st.booleans()) else st.integers(0, min(3, modulus - 1))
    rows = st.lists(entry, min_size=size, max_size=size)
    groups = data.draw(st.lists(st.lists(rows, min_size=1, max_size=3), min_size=size, max_size=size + data.draw(st.integers(0, 1))))
    expected = all(rank_modulo([list(row) for row in choice], modulus) == size for choice in product(*groups))
    event(f"{expected}, {len(groups) - size} more groups than coordinates")
    assert every_choice_spans(groups, size, modulus) == expected
    if len(groups) == size:
        block = exactrelu.fast_checker.choices.BLOCK
        try:
            for exactrelu.fast_checker.choices.BLOCK in (1, 40, block):
                assert all_independent(groups, modulus) == expected
        finally:
            exactrelu.fast_checker.choices.BLOCK = block


def rank_modulo(rows: list[list[int]], modulus: int) -> int:
    found = 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(found, len(rows)) if rows[i][column] % modulus), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][column] * pow(rows[found][column], -1, modulus)
            rows[i] = [(u - factor * v) % modulus for u, v in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found
