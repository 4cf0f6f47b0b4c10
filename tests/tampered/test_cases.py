"""Trees of cases (section 4.9): what changes of their certificates is rejected or true, and hostile ones end soon."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from samples import certificate, network, verdict
from test_mutants import judge, line_mutants, some

from exactrelu.checker.arithmetic import Kernels
from exactrelu.domain import AllSpace, Box, Orthant, Polytope
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.network.exact_file import _lines
from exactrelu.network.model import Layer, Network
from exactrelu.preimage.cases import preimage_by_cases
from exactrelu.preimage.cases.layer import Question
from exactrelu.preimage.network import NetworkPreimage

if TYPE_CHECKING:
    from exactrelu.domain import Domain
    from exactrelu.verdict import Preimage


def layer(weight: list[list[float]], bias: list[float], rectified: bool | list[bool] = True) -> Layer:
    mask = np.full(len(weight), rectified) if isinstance(rectified, bool) else np.array(rectified)
    return Layer(DyadicMatrix.from_floats(weight), DyadicMatrix.from_floats(np.reshape(bias, (-1, 1))), mask)


FOLD = [layer([[1], [-1]], [0, 0]), layer([[1, 1]], [0], rectified=False)]
PLANE = [layer([[1, 0], [-1, 0], [0, 1], [0, -1]], [0, 0, 0, 0]), layer([[1, 1, 0, 0], [0, 0, 1, 1]], [0, -1])]
DEEP = [layer([[1], [-1]], [0, 0]), layer([[1, 1], [-1, -1]], [-1, 1]), layer([[1, 1]], [0])]
CARRIED = [layer([[1, 1], [1, -1]], [0, 0], [True, False]), layer([[1, 1], [0, 1]], [0, 0], rectified=False)]
UNREAD = [layer([[1], [-1], [2]], [0, 0, 1]), layer([[1, 1, 0]], [0.5], rectified=False)]


class Asked(NamedTuple):
    """A network, a domain, an output, and the claim that its certificate makes."""

    layers: list[Layer]
    domain: Domain
    y: RationalVector
    claim: str


QUESTIONS = {
    "finite": Asked(FOLD, AllSpace(), RationalVector((3,)), "(all): finite, 2 points, 1 active"),
    "finite-third": Asked(FOLD, AllSpace(), RationalVector((2,), 3), "(all): finite, 2 points, 1 active"),
    "singleton": Asked(FOLD, AllSpace(), RationalVector((0,)), "(all): singleton, 0 active"),
    "empty": Asked(FOLD, AllSpace(), RationalVector((-1,)), "(all): empty"),
    "orthant": Asked(FOLD, Orthant(), RationalVector((3,)), "(orthant): singleton, 1 active"),
    "box": Asked(FOLD, Box(RationalVector((-1,)), RationalVector((1,), 2)), RationalVector((1,)), "(box): singleton, 1 active"),
    "polytope": Asked(FOLD, Polytope(((1,), (0,)), (-7, 0)), RationalVector((3,)), "(polytope): finite, 2 points, 1 active"),
    "four": Asked(PLANE, AllSpace(), RationalVector((1, 1)), "(all): finite, 4 points, 2 active"),
    "bounded": Asked(PLANE, AllSpace(), RationalVector((1, 0)), "(all): bounded, dimension 1, 1 active"),
    "deep": Asked(DEEP, AllSpace(), RationalVector((1,)), "(all): finite, 3 points, 1 active"),
    "carried": Asked(CARRIED, AllSpace(), RationalVector((-1, -1)), "(all): unbounded, dimension 1, 0 active"),
    "unread": Asked(UNREAD, AllSpace(), RationalVector((5,), 2), "(all): finite, 2 points, 1 active"),
}


def written(question: Asked, result: Preimage) -> tuple[str, str]:
    """The network file and the certificate of an answer."""
    layers, domain, y, _ = question
    exact = b"".join(_lines(Network(tuple(layers), (), (), (layers[0].inputs,))))
    named = {"network_sha256": hashlib.sha256(exact).hexdigest(), "layer_number": len(layers), "subject": "output"}
    return exact.decode(), NetworkPreimage(layers, domain).certificate(result, given=y, **named).text()


def assert_only_true_mutants(exact: str, text: str, question: Asked) -> None:
    """The certificate is accepted; tokens, lines and blocks are changed, in it and in the network."""
    assert verdict(exact, text, Kernels()) == (True, f"preimage through layer {len(question.layers)} {question.claim}")
    assert judge(exact, text)
    mutants = {"\n".join(lines) + "\n" for lines in line_mutants(text.splitlines())} - {text}
    chosen = some(mutants)
    assert sum(not judge(exact, mutant) for mutant in chosen) > len(chosen) // 2
    old = hashlib.sha256(exact.encode()).hexdigest()
    for other in some("\n".join(lines) + "\n" for lines in line_mutants(exact.splitlines()))[::4]:
        judge(other, text.replace(old, hashlib.sha256(other.encode()).hexdigest()))


@pytest.mark.parametrize("name", QUESTIONS)
def test_cases_are_accepted_and_only_true_mutants(name: str) -> None:
    layers, domain, y, _ = question = QUESTIONS[name]
    active = sum(value > 0 for value in y.numerators)
    result = preimage_by_cases(Question(tuple(layers), domain, y), active=active, rational=False, deadline=None)
    assert_only_true_mutants(*written(question, result), question)


FLAT = [layer([[1, 1], [-1, -1]], [0, 0]), layer([[1, 1]], [0], rectified=False)]
RAMP = [layer([[1], [1]], [0, -1]), layer([[1, -1]], [0], rectified=False)]


@pytest.mark.parametrize("name", ["direction", "part", "box", "outside"])
def test_infinitely_many_inputs_of_a_bare_output_are_shown_from_a_solution(name: str) -> None:
    """The `solution` line, and what follows it for an input with this output; only true mutants are accepted."""
    layers, domain, y, asked = {
        "direction": (RAMP, AllSpace(), RationalVector((1,)), None),
        "part": (FLAT, AllSpace(), RationalVector((0,)), None),
        "box": (RAMP, Box(RationalVector((0,)), RationalVector((5,))), RationalVector((1,)), None),
        "outside": (RAMP, Box(RationalVector((0,)), RationalVector((5,))), RationalVector((1,)), RationalVector((9,))),
    }[name]
    prepared = NetworkPreimage(layers, domain)
    result = prepared.of_output(y) if asked is None else prepared.of_point(asked)
    assert result.cardinality.is_infinite
    exact = b"".join(_lines(Network(tuple(layers), (), (), (layers[0].inputs,))))
    named = {"network_sha256": hashlib.sha256(exact).hexdigest(), "layer_number": len(layers), "subject": "input" if asked else "output"}
    text = prepared.certificate(result, given=asked or y, **named).text()
    if result.dimension is None:
        assert "\nsolution " in text
    assert judge(exact.decode(), text)
    mutants = {"\n".join(lines) + "\n" for lines in line_mutants(text.splitlines())} - {text}
    assert sum(not judge(exact.decode(), mutant) for mutant in some(mutants)) > 20


# ---------------------------------------------------------------- hostile files


def rejected_soon(network_text: str, *lines: str, reason: str) -> None:
    begin = time.process_time()
    valid, said = verdict(network_text, certificate(network_text, *lines), Kernels())
    assert not valid
    assert reason in said
    assert time.process_time() - begin < 20


HEAD = ["data none", "scope through 2", "domain all", "subject output"]


def test_splits_without_end() -> None:
    """As many splits as there are neurons, and no leaf; a neuron twice."""
    count = 3000
    wide = network(1, ("all", [[0, 1]] * count), ("none", [[0] + [1] * count]))
    head = [*HEAD, "output 1 3", "claim preimage empty", "cases"]
    rejected_soon(wide, *head, *(f"split 1 {j:x}" for j in range(count)), reason="`claim` belongs here")
    rejected_soon(wide, *head, "split 1 0", "split 1 0", reason="its sign is known already")


def test_the_layer_of_a_case_may_be_too_large() -> None:
    count = 20000
    wide = network(1, ("all", [[0, 1]] * count), ("none", [[0] + [1] * count]))
    rejected_soon(
        wide, *HEAD, "output 1 3", "claim preimage empty", "cases", "claim preimage empty", "farkas 0", reason="more than a checker"
    )


def test_numbers_of_a_case_may_be_too_long() -> None:
    """Powers of two that multiply from layer to layer."""
    long = network(1, *[("all", [[0, 1]])] * 12).replace("row 0 0 1", "row -2000 0 1")
    head = ["data none", "scope through c", "domain all", "subject output", "output 1 1", "claim preimage empty", "cases"]
    leaves = [f"split {k:x} 0" for k in range(1, 12)] + ["claim preimage empty", "farkas 0"]
    rejected_soon(long, *head, *leaves, reason="bits")
    rejected_soon(
        network(1, ("all", [[0, 1]]), ("none", [[0, 1]])), *HEAD, f"output 1{'0' * 30000} 1", "claim preimage empty", "cases", reason="bits"
    )
