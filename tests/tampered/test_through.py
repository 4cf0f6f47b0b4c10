"""Pre-images through several layers: parts, second points and directions that a search finds, and what changes of them."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st
from samples import certificate, verdict
from test_mutants import line_mutants
from truth import affine, domain_rows, evaluate, read_layers, truth

from exactrelu.certificates import DomainLines, Part, ThroughCertificate, Vector, hexadecimal
from exactrelu.checker.arithmetic import Kernels
from exactrelu.domain import AllSpace, Orthant
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.fast_checker import FastKernels
from exactrelu.network.exact_file import _lines
from exactrelu.network.model import Layer, Network
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.strategies import domains

if TYPE_CHECKING:
    from exactrelu.domain import Domain

CHECKERS = (Kernels(), FastKernels())
INTEGERS = st.sampled_from([0, 0, 0, 1, 1, -1, 2, -2])
FAR = Fraction(10**9)


@st.composite
def layers_(draw: st.DrawFn, n: int) -> Layer:
    """A layer of n inputs, often one to one."""
    m = draw(st.integers(1, 3))
    if draw(st.booleans()):
        signs = draw(st.lists(st.sampled_from([1.0, 1.0, -1.0, 0.5]), min_size=n, max_size=n))
        weight = np.vstack([np.diag(signs), draw(st.sampled_from([np.zeros((0, n)), -np.ones((1, n)), -np.eye(n)]))])
    else:
        weight = np.array(draw(st.lists(INTEGERS, min_size=m * n, max_size=m * n)), dtype=float).reshape(m, n)
    m = len(weight)
    bias = np.array(draw(st.lists(INTEGERS, min_size=m, max_size=m)), dtype=float).reshape(m, 1)
    rectified = [True] * m if draw(st.integers(0, 2)) else draw(st.lists(st.booleans(), min_size=m, max_size=m))
    return Layer(DyadicMatrix.from_floats(weight), DyadicMatrix.from_floats(bias), np.array(rectified, dtype=bool))


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[Layer], RationalVector, Domain]:
    width = draw(st.integers(1, 3))
    x = RationalVector(tuple(draw(st.lists(st.integers(-3, 3), min_size=width, max_size=width))), draw(st.sampled_from([1, 1, 2])))
    found = []
    for _ in range(draw(st.integers(1, 3))):
        found.append(draw(layers_(width)))
        width = found[-1].outputs
    return found, x, draw(domains(len(x), near=x))


def texts_of(layers: list[Layer]) -> tuple[str, str]:
    """The network file and its SHA-256."""
    text = b"".join(_lines(Network(tuple(layers), (), (), (layers[0].inputs,)))).decode()
    return text, hashlib.sha256(text.encode()).hexdigest()


def vector(x: RationalVector) -> Vector:
    return Vector(x.numerators, x.denominator)


def by_parts(layers: list[Layer], sha256: str, subject: str, asked: RationalVector, domain: Domain) -> ThroughCertificate | None:
    """One point, or none, by going back layer by layer; or infinitely many by the first layer; None if it is neither."""
    states = [asked]
    for layer in layers if subject == "input" else []:
        states.append(layer(states[-1]))
    y = states[-1]
    active = hexadecimal(sum(value > 0 for value in y.numerators))

    def certified(parts: list[Part], claim: str) -> ThroughCertificate:
        return ThroughCertificate(sha256, len(layers), subject, vector(asked), claim, tuple(parts), None, DomainLines(domain.lines()))

    def part(number: int, here: Domain) -> tuple[str, Part, RationalVector | None]:
        prepared = LayerPreimage(layers[number - 1], here)
        point = states[number - 1] if subject == "input" else y
        result = prepared.of_point(point) if subject == "input" else prepared.of_output(point)
        named = {"network_sha256": sha256, "layer_number": number, "subject": "layer-input" if subject == "input" else "output"}
        return result.cardinality.value, Part.of(prepared.certificate(result, given=point, **named)), getattr(result.grounds, "base", None)

    if subject == "input" and domain.contains(asked):
        word, first, _ = part(1, domain)
        if word in {"bounded", "unbounded"}:
            boxed = domain.lines()[0] == "domain box"
            return certified([first], f"{word if word == 'unbounded' or boxed else 'infinite'} {active}")
    parts: list[Part] = []
    for number in range(len(layers), 0, -1):
        between = Orthant() if number > 1 and layers[number - 2].rectified.all() else AllSpace()
        word, found, base = part(number, domain if number == 1 else between)
        if word not in {"singleton", "empty"}:
            return None
        parts.append(found)
        if base is None:
            return certified(parts, "empty")
        y = base
    return certified(parts, f"singleton {active}")


def judge(network: str, text: str) -> bool:
    """The verdict of both checkers, which is the same; what they accept is true."""
    valid, said = verdict(network, text, CHECKERS[0])
    assert (valid, said) == verdict(network, text, CHECKERS[1]), f"the checkers disagree on\n{network}{text}"
    assert not valid or truth(network, text), f"accepted, but false:\n{network}{text}{said}"
    return valid


def part_mutants(lines: list[str]) -> list[list[str]]:
    """Parts left out, doubled, exchanged, moved to another layer."""
    starts = [i for i, line in enumerate(lines) if line.startswith("part ")]
    if not starts:
        return []
    head, blocks = lines[: starts[0]], [lines[i:j] for i, j in pairwise([*starts, len(lines) - 1])]
    orders = [order for length in range(len(blocks) + 2) for order in product(range(len(blocks)), repeat=length)]
    mutants = [[*head, *(line for k in order for line in blocks[k]), "end"] for order in orders]
    return mutants + [[f"part {i + 1:x}" if k == start else line for k, line in enumerate(lines)] for start in starts for i in range(4)]


@settings(deadline=None, max_examples=150)
@given(questions(), st.booleans(), st.data())
def test_parts_are_accepted_and_only_true_mutants(
    question: tuple[list[Layer], RationalVector, Domain], output: bool, data: st.DataObject
) -> None:
    layers, asked, domain = question
    network, sha256 = texts_of(layers)
    if output:
        for layer in layers:
            asked = layer(asked)
        if data.draw(st.booleans()):
            asked = RationalVector(tuple(value + data.draw(st.integers(0, 1)) for value in asked.numerators), asked.denominator)
    found = by_parts(layers, sha256, "output" if output else "input", asked, domain)
    event("none" if found is None else f"{found.claim.split()[0]}, {len(layers)} layers, {found.subject}")
    if found is None:
        return
    assert judge(network, found.text())
    lines = found.text().splitlines()
    mutants = [*part_mutants(lines), *line_mutants(lines)]
    for choice in data.draw(st.lists(st.integers(0, len(mutants) - 1), min_size=10, max_size=20)):
        judge(network, "\n".join(mutants[choice]) + "\n")


def crossing(texts: tuple[str, list[str]], x: list[Fraction], other: list[Fraction]) -> bool:
    """Whether a relu is positive at one point and negative at the other, the output differs, or the other is not in the domain."""
    network, head = texts
    lines = [line.split(" ") for line in head]
    if any(affine(row, other) > 0 for row in domain_rows(lines, {line[0]: line[1:] for line in reversed(lines)}, len(x))):
        return True
    for rectified, rows in read_layers(network):
        if any(marked and affine(row, x) * affine(row, other) < 0 for row, marked in zip(rows, rectified, strict=True)):
            return True
        x, other = evaluate((rectified, rows), x), evaluate((rectified, rows), other)
    return x != other


@settings(deadline=None, max_examples=80)
@given(questions(), st.sampled_from(["infinite", "unbounded", "bounded"]))
def test_second_points_and_directions(question: tuple[list[Layer], RationalVector, Domain], word: str) -> None:
    """Exactly those with the property of section 4.9 are accepted; along a direction it is the one of a point very far away."""
    layers, x, domain = question
    network, _ = texts_of(layers)
    y = x
    for layer in layers:
        y = layer(y)
    here = list(x.fractions())
    active = hexadecimal(sum(value > 0 for value in y.numerators))
    head = ["data none", f"scope through {len(layers):x}", *domain.lines(), "subject input", vector(x).line("point")]
    head.append(f"claim preimage {word} {active}")
    box = domain.lines()[0] == "domain box"
    for d in product([-1, 0, 1], repeat=len(x)):
        second = Vector(tuple(value + step * x.denominator for value, step in zip(x.numerators, d, strict=True)), x.denominator)
        for line, reach, fits in (
            (second.line("second"), Fraction(1), word == "infinite" or (word == "bounded" and box)),
            (Vector(d, 7).line("direction"), FAR, word != "bounded"),
        ):
            other = [value + step * reach for value, step in zip(here, d, strict=True)]
            outside = crossing((network, head), here, here) or crossing((network, head), here, other)
            assert judge(network, certificate(network, *head, line)) == (fits and any(d) and not outside), (network, head, line)
