"""No mutant of a valid certificate is accepted whose claim is false, and the checkers agree on every mutant."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest
from conftest import PROFILE
from samples import SAMPLES, Sample, verdict
from truth import truth

import exactrelu.fast_checker
from exactrelu.checker.arithmetic import Kernels
from exactrelu.fast_checker import FastKernels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WORDS = ["all", "none", "mask", "orthant", "box", "polytope", "input", "output", "layer-input", "empty", "singleton", "bounded"]
WORDS += ["unbounded", "infinite", "rows", "columns", "relations", "null", "margin", "exact", "tight", "rank", "ray", "end"]


def token_mutants(token: str) -> Iterator[str]:
    yield from ["", token + "0", "0" + token, "-" + token, token + " " + token, token + " 0", token.upper() + "A", "+" + token, " "]
    try:
        value = int(token, 16)
    except ValueError:
        yield from WORDS
        return
    for other in (0, 1, -1, 2, 3, value + 1, value - 1, -value, 2 * value, value ^ 5, 1 << 70):
        yield format(other, "x")


def line_mutants(lines: list[str]) -> Iterator[list[str]]:
    for i, line in enumerate(lines):
        tokens = line.split(" ")
        for j, token in enumerate(tokens):
            for other in token_mutants(token):
                if other != token:
                    yield [*lines[:i], " ".join([*tokens[:j], other, *tokens[j + 1 :]]), *lines[i + 1 :]]
            yield [*lines[:i], " ".join(tokens[:j] + tokens[j + 1 :]), *lines[i + 1 :]]
            if j:
                yield [*lines[:i], " ".join([*tokens[: j - 1], token, tokens[j - 1], *tokens[j + 1 :]]), *lines[i + 1 :]]
        yield lines[:i] + lines[i + 1 :]
        yield lines[: i + 1] + lines[i:]
        yield [*lines[:i], line + " ", *lines[i + 1 :]]
        yield [*lines[:i], "", *lines[i:]]
        yield lines[:i]
        if i:
            yield [*lines[: i - 1], line, lines[i - 1], *lines[i + 1 :]]


def judge(network: str, certificate: str) -> bool:
    """Both checkers' verdict, which must be the same, and true if it is `valid`."""
    valid, said = verdict(network, certificate, Kernels())
    assert (valid, said) == verdict(network, certificate, FAST), f"the checkers disagree on\n{network}{certificate}"
    if valid:
        assert truth(network, certificate), f"accepted, but false:\n{network}{certificate}{said}"
    return valid


FAST = FastKernels()
MOST = 160
# `test_prover_mutants` changes what the prover writes
BY_HAND = [sample for sample in SAMPLES if not sample.name.startswith("written-")]


@pytest.mark.parametrize("case", SAMPLES, ids=lambda case: case.name)
def test_sample_is_accepted_and_true(case: Sample) -> None:
    assert verdict(case.network, case.text, Kernels()) == (True, case.claim)
    assert judge(case.network, case.text)


def some(mutants: Iterable[str]) -> list[str]:
    """The distinct mutants; outside the nightly run those of a long certificate are a random choice, the same every time."""
    distinct = sorted(set(mutants))
    return distinct if PROFILE == "nightly" or len(distinct) <= MOST else random.Random(0).sample(distinct, MOST)


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case.name)
def test_accepted_mutants_of_certificates_are_true(case: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exactrelu.fast_checker, "FEW", 0)
    mutants = {"\n".join(lines) + "\n" for lines in line_mutants(case.text.splitlines())} - {case.text}
    mutants |= {case.text[:-1], case.text + "\n", case.text + "end\n", case.text.replace("\n", "\r\n"), case.text.replace(" ", "\t")}
    chosen = some(mutants)
    assert sum(not judge(case.network, mutant) for mutant in chosen) > len(chosen) // 2


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case.name)
def test_accepted_certificates_of_mutant_networks_are_true(case: Sample) -> None:
    old = hashlib.sha256(case.network.encode()).hexdigest()
    for network in some("\n".join(lines) + "\n" for lines in line_mutants(case.network.splitlines())):
        judge(network, case.text.replace(old, hashlib.sha256(network.encode()).hexdigest()))


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case.name)
def test_float_bounds_accept_no_false_mutant(case: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exactrelu.fast_checker, "FEW", 0)
    monkeypatch.setattr(exactrelu.fast_checker, "SMALL", 1)
    evidence = len(case.text.splitlines()) - 4
    for tail in some("\n".join(lines) + "\n" for lines in line_mutants(case.text.splitlines()[evidence:])):
        text = "\n".join(case.text.splitlines()[:evidence]) + "\n" + tail
        if verdict(case.network, text, FAST)[0]:
            assert truth(case.network, text)
