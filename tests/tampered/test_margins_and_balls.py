"""Claims on balls, of lowered biases, of bias limits and of expansions: three checkers agree on mutants, and what they accept is true.

The truth is that of `truth.py`: every set of rows that may be negative together, by polyhedra, least norms and principal minors.
"""

from __future__ import annotations

import hashlib
import random
import re
import time
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from samples import SAMPLES, Sample, certificate, header, network, verdict
from test_mutants import line_mutants
from test_three_checkers import FLOATS, INTEGERS, ask, border, proved, write
from truth import truth

from exactrelu.domain import AllSpace, Ball, Box, Orthant
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.margins.bias_margin import bias_margin
from exactrelu.injectivity.margins.inverse_lipschitz import inverse_lipschitz
from exactrelu.network.exact_file import _lines
from exactrelu.network.model import Layer, Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from test_three_checkers import Ask

    from exactrelu.domain import Domain

# fixtures
__all__ = ["ask", "proved"]

CHOSEN = [sample for sample in SAMPLES if re.match("(ball|lowered|bias-limit|expansion)-?", sample.name)]
FINE = 2**48


def test_there_is_a_sample_of_every_claim_on_balls_and_of_margins() -> None:
    claims = {sample.claim for sample in CHOSEN}
    for said in ("(ball): injective", "(ball): collision", "lowered by 1: injective", "lowered by 1: collision", "by more than", ">="):
        assert any(said in claim for claim in claims), said


# Mutants


def changed_line(sample: Sample, change: Callable[[list[str]], Iterator[list[str]]]) -> Iterator[str]:
    """The certificate with one line's tokens changed in one of the ways that `change` yields."""
    lines = sample.text.splitlines()
    for i, line in enumerate(lines):
        for tokens in change(line.split(" ")):
            yield "\n".join([*lines[:i], " ".join(tokens), *lines[i + 1 :]]) + "\n"


def fraction_at(tokens: list[str]) -> int | None:
    """Where a line holds `D N`."""
    return {"domain ball": 2, "claim bias-limit": 2, "claim expansion": 2}.get(" ".join(tokens[:2]), 1 if tokens[0] == "lowered" else None)


def numbers(tokens: list[str]) -> Iterator[list[str]]:
    """Fractions: larger and smaller by a hair, doubled, negative, 0, over 0, in other terms, inverted."""
    place = fraction_at(tokens)
    if place is not None:
        denominator, numerator = int(tokens[place], 16), int(tokens[place + 1], 16)
        for d, n in [
            (FINE * denominator, FINE * numerator + 1),
            (FINE * denominator, FINE * numerator - 1),
            (FINE * denominator, FINE * numerator),
            (denominator, 2 * numerator),
            (denominator, -numerator),
            (denominator, 0),
            (0, numerator),
            (-denominator, numerator),
            (numerator, denominator),
        ]:
            yield [*tokens[:place], format(d, "x"), format(n, "x"), *tokens[place + 2 :]]


def multipliers(tokens: list[str]) -> Iterator[list[str]]:
    """Each multiplier of a dependency 0, negative, and all of them 0; a row twice."""
    if tokens[0] == "dependency":
        count = int(tokens[1], 16)
        for j in range(3, 2 * count + 2, 2):
            yield [*tokens[:j], "0", *tokens[j + 1 :]]
            yield [*tokens[:j], f"-{tokens[j]}", *tokens[j + 1 :]]
        yield [token if j % 2 == 0 or j == 1 or j > 2 * count + 1 else "0" for j, token in enumerate(tokens)]
        yield ["dependency", format(count + 1, "x"), *tokens[2:4], *tokens[2:]]


def points(tokens: list[str]) -> Iterator[list[str]]:
    """A point moved by a hair in a coordinate, far away, to the other side, to 0."""
    if tokens[0] in {"point", "first", "second"}:
        values = [int(token, 16) for token in tokens[2:]]
        for j, value in enumerate(values):
            for other in (value * FINE + 1, value * FINE - 1):
                moved = [other if i == j else v * FINE for i, v in enumerate(values)]
                yield [tokens[0], format(int(tokens[1], 16) * FINE, "x"), *(format(v, "x") for v in moved)]
            for other in (100 * value + 100, -value, 0):
                yield [*tokens[: 2 + j], format(other, "x"), *tokens[3 + j :]]


def same_points(sample: Sample) -> Iterator[str]:
    """One of two points instead of both."""
    lines = sample.text.splitlines()
    given = {line.split(" ")[0]: line.partition(" ")[2] for line in lines}
    if "second" in given:
        yield sample.text.replace(f"second {given['second']}", f"second {given['first']}")
        yield sample.text.replace(f"first {given['first']}", f"first {given['second']}")
    if "point" in given:
        yield sample.text.replace(f"point {given['point']}", f"point {given['first']}")


def copied_rows(sample: Sample) -> Iterator[tuple[str, str]]:
    """Networks of one layer in which a row stands twice, once in place of its neighbour."""
    rows = [i for i, line in enumerate(sample.network.splitlines()) if line.startswith("row ")]
    old = hashlib.sha256(sample.network.encode()).hexdigest()
    for i in rows:
        for j in (i - 1, i + 1):
            lines = sample.network.splitlines()
            if j in rows:
                lines[j] = lines[i]
                text = "\n".join(lines) + "\n"
                yield text, sample.text.replace(old, hashlib.sha256(text.encode()).hexdigest())


def mutants(rng: random.Random, sample: Sample) -> Iterator[tuple[str, str]]:
    aimed = chain(*(changed_line(sample, change) for change in (numbers, multipliers, points)), same_points(sample))
    anywhere = sorted({"\n".join(lines) + "\n" for lines in line_mutants(sample.text.splitlines()[2:])})
    begun = "\n".join(sample.text.splitlines()[:2]) + "\n"
    for text in chain(aimed, (begun + text for text in rng.sample(anywhere, 12))):
        yield sample.network, text
    if "through" not in sample.text:
        yield from copied_rows(sample)


def test_the_checkers_agree_on_mutants(proved: Path, tmp_path: Path, ask: Ask) -> None:
    rng = random.Random(0)
    distinct = {pair for sample in CHOSEN for pair in mutants(rng, sample)} - {(sample.network, sample.text) for sample in CHOSEN}
    texts = {f"{k:04}": pair for k, pair in enumerate(sorted(distinct))}
    write(tmp_path, texts)
    integers, floats, program = (ask(checker, tmp_path) for checker in (INTEGERS, FLOATS, proved))
    assert integers == floats
    different = [name for name, claim in integers.claims.items() if program.claims.get(name, "no line") != claim]
    assert not different, "\n".join(f"{integers.claims[name] or integers.reasons[name]}\n{''.join(texts[name])}" for name in different[:3])
    accepted = [texts[name] for name, claim in program.claims.items() if claim is not None]
    for pair in accepted:
        assert truth(*pair), "".join(pair)
    assert len(program.claims) >= 800 and len(accepted) >= 200


# A coordinate that has one value does not count

FIXED = [
    "box|lower 2 1 -1|upper 6 5 -3",
    "polytope 4|side 1 -2 0|side -5 6 0|side -1 0 -2|side 1 0 2",
    "polytope 5|side 1 -2 0|side -5 6 0|side -1 0 -2|side 0 -1 -1|side 1 0 2",
]


@pytest.mark.parametrize("domain", FIXED)
def test_a_coordinate_fixed_at_a_fraction_is_left_out(domain: str) -> None:
    """3 x_0 - 2 x_1 with x_1 = -1/2: the square of 3 holds, more does not."""
    text = network(2, ("all", [[0, 3, -2]]))
    for least, valid in (("1 9", True), ("1 a", False)):
        lines = [*header(domain, "layer"), f"claim expansion {least}"]
        assert truth(text, certificate(text, *lines)) == valid


def test_coordinates_fixed_by_sides_together_are_left_out() -> None:
    """x_0 + x_1 = 1/3 and x_0 - x_1 = 1: one point, on which everything holds."""
    text = network(2, ("all", [[0, 3, -2]]))
    domain = "polytope 4|side -1 3 3|side 1 -3 -3|side -1 1 -1|side 1 -1 1"
    assert truth(text, certificate(text, *header(domain, "layer"), "claim expansion 1 64"))


# Where acceptance ends


@pytest.mark.parametrize("sample", CHOSEN, ids=lambda sample: sample.name)
def test_acceptance_ends_where_all_checkers_say_and_no_later_than_truth(
    sample: Sample,
    proved: Path,
    tmp_path: Path,
    ask: Ask,
) -> None:
    lines = sample.text.splitlines()
    found: dict[str, tuple[str, str]] = {}
    for i, line in enumerate(lines):
        tokens = line.split(" ")
        place = fraction_at(tokens)
        if place is None:
            continue

        def text(numerator: int, i: int = i, tokens: list[str] = tokens, place: int = place) -> str:
            denominator = int(tokens[place], 16) * 2**20
            changed = [*tokens[:place], format(denominator, "x"), format(numerator, "x"), *tokens[place + 2 :]]
            return "\n".join([*lines[:i], " ".join(changed), *lines[i + 1 :]]) + "\n"

        start = int(tokens[place + 1], 16) * 2**20
        for value in border(lambda value, text=text: verdict(sample.network, text(value), INTEGERS)[0], start):
            found[f"{i:02}-{len(found):02}"] = (sample.network, text(value))
    if not found:
        return
    write(tmp_path, found)
    integers, floats, program = (ask(checker, tmp_path) for checker in (INTEGERS, FLOATS, proved))
    assert integers.claims == floats.claims == program.claims
    for name, claim in integers.claims.items():
        assert claim is None or truth(*found[name]), "".join(found[name])


# What the package writes


def small_layer(rng: random.Random, n: int) -> Layer:
    """Small numbers in eighths, rows that oppose one another, some without a relu: often injective, often barely."""
    rows = [[rng.choice([0, 1, -1, 2, 3]) for _ in range(n)] for _ in range(rng.randint(n, n + 1))]
    rows += [[-rng.choice([1, 1, 2]) * value for value in row] for row in rows if rng.random() < 0.8]
    biases = [[rng.choice([0, 8, 8, 5, 16, -3])] for _ in rows]
    weight = DyadicMatrix.from_integers(rows, n, rng.choice([0, 0, -3]))
    marks = np.array([rng.random() < 0.9 for _ in rows], dtype=bool)
    return Layer(weight, DyadicMatrix.from_integers(biases, 1, -3), marks)


def written(rng: random.Random, layer: Layer, domain: Domain, network_sha256: str) -> Iterator[str]:
    """The certificates of a layer: injective or a collision, the limit of its biases and its bound on distances."""
    named: dict[str, Any] = {"network_sha256": network_sha256, "layer_number": 1, "domain": domain}
    verdict = decide_layer(layer, domain)
    yield verdict.certificate(**named).text()
    yield from bias_margin(layer, domain, found=verdict, deadline=time.monotonic() + 1).certificates(**named).values()
    found = inverse_lipschitz(layer, domain, evidence=verdict.evidence) if verdict.verdict == "injective" else None
    if found is not None and (text := found.certificate(**named)):
        yield text
        # the same evidence for less, and lowered
        yield text.replace("claim expansion 1 ", "claim expansion 3 ")
        yield text.replace("subject layer\n", f"subject layer\nlowered 64 {rng.randint(-9, 3):x}\n")


def test_the_checkers_agree_on_what_the_package_writes(proved: Path, tmp_path: Path, ask: Ask) -> None:
    rng = random.Random(1)
    texts: dict[str, tuple[str, str]] = {}
    while len(texts) < 300:
        n = rng.choice([1, 2, 2])
        layer = small_layer(rng, n)
        # The first coordinate fixed at a whole number or a fraction, or free.
        low, high = rng.choice([(-3, -3), (-1, -1), (2, 2), (-3, 3), (-3, 3), (-3, 3)])
        box = Box(RationalVector((low, *[-3] * (n - 1)), 3), RationalVector((high, *[3] * (n - 1)), 3))
        domain: Domain = rng.choice([AllSpace(), Orthant(), box, *[Ball(Fraction(rng.choice([0, 1, 3, 5]), rng.choice([1, 4])))] * 3])
        network_text = b"".join(_lines(Network((layer,), (), (), (n,)))).decode()
        for text in written(rng, layer, domain, hashlib.sha256(network_text.encode()).hexdigest()):
            mutated = rng.choice(sorted({"\n".join(lines) for lines in line_mutants(text.splitlines()[2:])}))
            texts[f"{len(texts):04}"] = network_text, text
            texts[f"{len(texts):04}"] = network_text, "\n".join(text.splitlines()[:2]) + f"\n{mutated}\n"
    write(tmp_path, texts)
    integers, floats, program = (ask(checker, tmp_path) for checker in (INTEGERS, FLOATS, proved))
    assert integers == floats
    different = [name for name, claim in integers.claims.items() if program.claims.get(name, "no line") != claim]
    assert not different, "\n".join(f"{integers.claims[name] or integers.reasons[name]}\n{''.join(texts[name])}" for name in different[:3])
    accepted = [name for name, claim in program.claims.items() if claim is not None]
    for name in accepted:
        assert truth(*texts[name]), "".join(texts[name])
    assert sum(" ball " in texts[name][1] for name in accepted) >= 30
    for word in ("claim injective", "claim collision", "claim bias-limit", "claim expansion", "lowered "):
        assert sum(f"\n{word}" in texts[name][1] for name in accepted) >= 5, word
