"""Small valid certificates of every kind and section, written by hand; each has the claim that a checker must print."""

from __future__ import annotations

import hashlib
import io
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from exactrelu.checker.evidence import verify
from exactrelu.checker.network import read_network
from exactrelu.checker.text import Rejected, Text

if TYPE_CHECKING:
    from exactrelu.checker.arithmetic import Kernels

PRIME = "7fffffff"


class Sample(NamedTuple):
    name: str
    network: str
    lines: tuple[str, ...]
    claim: str

    @property
    def text(self) -> str:
        return certificate(self.network, *self.lines)


def normal_row(constant: Fraction | float, coefficients: list[Fraction | int | float]) -> str:
    """A row of dyadic numbers in the normal form of section 2."""
    values = [Fraction(value) for value in [constant, *coefficients]]
    scale = max(value.denominator for value in values)
    integers = [int(value * scale) for value in values]
    exponent = 1 - scale.bit_length()
    if not any(integers):
        exponent = 0
    while any(integers) and all(value % 2 == 0 for value in integers):
        integers, exponent = [value // 2 for value in integers], exponent + 1
    return "row " + " ".join(format(value, "x") for value in [exponent, *integers])


def network(inputs: int, *layers: tuple[str, list[list[Fraction | int | float]]]) -> str:
    """A network file; a layer is its relu field and its rows [b, a1, ..]."""
    lines = ["exactrelu-network 1", "convention exact-1", f"input {inputs:x}"]
    for relu, rows in layers:
        lines.append(f"layer {inputs:x} {len(rows):x} {relu}")
        lines += [normal_row(row[0], row[1:]) for row in rows]
        inputs = len(rows)
    return "\n".join([*lines, "end"]) + "\n"


def certificate(network_text: str, *lines: str) -> str:
    sha256 = hashlib.sha256(network_text.encode()).hexdigest()
    return "\n".join(["exactrelu-certificate 1", f"network {sha256}", *lines, "end"]) + "\n"


def verdict(network_text: str, certificate_text: str, kernels: Kernels) -> tuple[bool, str]:
    """(True, claim) or (False, reason), as a checker gives it for these two texts."""
    try:
        exact = read_network(io.BytesIO(network_text.encode()))
        text = Text(io.BytesIO(certificate_text.encode()))
        text.take("exactrelu-certificate 1", "3").done()
        named = text.take("network", "3")
        if named.sha256() != exact.sha256:
            raise Rejected("3", "another network")
        named.done()
        return True, str(verify(text, exact, kernels))
    except Rejected as error:
        return False, str(error)


def header(domain: str = "all", subject: str = "input", *, layer: int = 1) -> list[str]:
    return ["data none", f"scope layer {layer:x}", *f"domain {domain}".split("|"), f"subject {subject}"]


TRIANGLE = network(2, ("all", [[0, 1, 0], [0, 0, 1], [0, -1, -1]]))
STRIP = network(2, ("all", [[0, 1, 0], [0, -1, 0]]))
HALF = network(2, ("all", [[-1, 1, 0]]))
COPIES = network(2, ("all", [[0, 1, 2], [0, 2, 4], [1, 0, 0]]))
SUM = network(2, ("all", [[1, 1, 1]]))
GAP = network(1, ("all", [[1, 1], [1, -1]]))
TWO = network(2, ("mask 1", [[0, 1, 1], [0, 0, 1]]), ("none", [[Fraction(1, 2), 1, 0], [0, 1, 1]]))
CORNER = network(3, ("all", [[0, 1, 1, 0]]))
SQUARE = network(2, ("all", [[0, 1, 0]]))
EMPTY = network(0, ("all", [[1], [-1]]))


def sample(name: str, network_text: str, lines: list[str], claim: str) -> Sample:
    return Sample(name, network_text, tuple(lines), claim)


SAMPLES = [
    sample(
        "full rank",
        TRIANGLE,
        [*header(), "point 1 1 1", "claim preimage singleton 0 2 2", f"rank 2 {PRIME} 3 3 columns"],
        "layer 1 (all): singleton, dimension 0, rank 2, 2 active",
    ),
    sample(
        "full rank by margin",
        TRIANGLE,
        [*header(), "point 2 1 3", "claim preimage singleton 0 2 2", "rank 2 0 3 3 rows"],
        "layer 1 (all): singleton, dimension 0, rank 2, 2 active",
    ),
    sample(
        "trivial margin",
        TRIANGLE,
        [*header(), "point 1 0 0", "claim preimage singleton 0 0 0", "rank 0 2 0 0 rows", "trivial margin 3 0 1 1 1"],
        "layer 1 (all): singleton, dimension 0, rank 0, 0 active",
    ),
    sample(
        "trivial margin with a residual",
        TRIANGLE,
        [*header(), "point 1 0 0", "claim preimage singleton 0 0 0", "rank 0 0 0 0 columns", "trivial margin 3 2 401 400 100"],
        "layer 1 (all): singleton, dimension 0, rank 0, 0 active",
    ),
    sample(
        "trivial exact",
        TRIANGLE,
        [
            *header(),
            "point 1 0 0",
            "claim preimage singleton 0 0 0",
            "rank 0 2 0 0 rows",
            "trivial exact 1 1 1",
            f"rank 2 {PRIME} 5 3 columns",
        ],
        "layer 1 (all): singleton, dimension 0, rank 0, 0 active",
    ),
    sample(
        "bounded, tight row",
        TRIANGLE,
        [
            *header(),
            "point 1 1 0",
            "claim preimage bounded 1 1 1",
            f"rank 1 {PRIME} 1 1 rows",
            "tight 0",
            "ray margin 0 0 -1",
            "trivial margin 3 0 1 1 1",
        ],
        "layer 1 (all): bounded, dimension 1, rank 1, 1 active",
    ),
    sample(
        "bounded, exactly",
        TRIANGLE,
        [
            *header(),
            "point 1 2 -1",
            "claim preimage bounded 1 1 1",
            f"rank 1 {PRIME} 1 1 columns",
            "trivial exact 1 1 1",
            f"rank 2 {PRIME} 3 3 columns",
        ],
        "layer 1 (all): bounded, dimension 1, rank 1, 1 active",
    ),
    sample(
        "infinite, ray exact",
        TRIANGLE,
        [*header(), "point 1 1 0", "claim preimage infinite 1 1 1", f"rank 1 {PRIME} 1 1 rows", "tight 0", "ray exact -3 0 -5"],
        "layer 1 (all): infinite, dimension 1, rank 1, 1 active",
    ),
    sample(
        "implicit, recession",
        STRIP,
        [
            *header(),
            "point 1 0 7",
            "claim preimage unbounded 1 0 0",
            "rank 0 2 0 0 rows",
            "tight 3",
            "implicit 1 1",
            f"rank 1 {PRIME} 1 1 columns",
            "recession 3 0 1",
        ],
        "layer 1 (all): unbounded, dimension 1, rank 0, 0 active",
    ),
    sample(
        "no tight row, null vectors",
        HALF,
        [*header(), "point 1 0 0", "claim preimage unbounded 2 0 0", "rank 0 2 0 0 null", "null 1 0", "null 0 -2", "ray margin 5 -1 0"],
        "layer 1 (all): unbounded, dimension 2, rank 0, 0 active",
    ),
    sample(
        "relations",
        COPIES,
        [
            *header(),
            "point 1 1 1",
            "claim preimage unbounded 1 1 3",
            f"rank 1 {PRIME} 1 1 relations",
            "relation 1 3 0 6",
            "ray margin 0 2 -1",
        ],
        "layer 1 (all): unbounded, dimension 1, rank 1, 3 active",
    ),
    sample(
        "null",
        COPIES,
        [*header(), "point 1 1 1", "claim preimage unbounded 1 1 3", "rank 1 0 2 2 null", "null 2 -1", "ray exact 0 -2 1"],
        "layer 1 (all): unbounded, dimension 1, rank 1, 3 active",
    ),
    sample(
        "orthant",
        SUM,
        [*header("orthant"), "point 1 0 0", "claim preimage singleton 0 1 1", f"rank 1 {PRIME} 1 2 rows", "trivial margin 3 0 1"],
        "layer 1 (orthant): singleton, dimension 0, rank 1, 1 active",
    ),
    sample(
        "orthant, two sides",
        SUM,
        [*header("orthant"), "point 1 0 0", "claim preimage singleton 0 1 1", f"rank 1 {PRIME} 1 2 rows", "trivial margin 6 0 1"],
        "layer 1 (orthant): singleton, dimension 0, rank 1, 1 active",
    ),
    sample(
        "orthant, exactly",
        SUM,
        [
            *header("orthant"),
            "point 1 0 0",
            "claim preimage singleton 0 1 1",
            f"rank 1 {PRIME} 1 2 rows",
            "trivial exact 1",
            f"rank 2 {PRIME} 5 3 columns",
        ],
        "layer 1 (orthant): singleton, dimension 0, rank 1, 1 active",
    ),
    sample(
        "fixed column",
        STRIP,
        [
            *header("box|lower 1 0 0|upper 1 1 0"),
            "point 1 0 0",
            "claim preimage singleton 0 0 0",
            "rank 0 2 0 0 rows",
            "trivial margin 9 0 1 1",
        ],
        "layer 1 (box): singleton, dimension 0, rank 0, 0 active",
    ),
    sample(
        "fixed column, exactly",
        STRIP,
        [
            *header("box|lower 1 0 0|upper 1 1 0"),
            "point 1 0 0",
            "claim preimage singleton 0 0 0",
            "rank 0 2 0 0 rows",
            "trivial exact 1 1",
            f"rank 2 {PRIME} 5 3 columns",
        ],
        "layer 1 (box): singleton, dimension 0, rank 0, 0 active",
    ),
    sample(
        "box",
        STRIP,
        [
            *header("box|lower 1 -1 0|upper 2 2 2"),
            "point 1 0 1",
            "claim preimage bounded 1 0 0",
            "rank 0 2 0 0 rows",
            "tight 3",
            "implicit 1 1",
            f"rank 1 {PRIME} 2 1 columns",
            "ray margin 0 0 -1",
        ],
        "layer 1 (box): bounded, dimension 1, rank 0, 0 active",
    ),
    sample(
        "polytope",
        SQUARE,
        [
            *header("polytope 2|side 0 0 1|side 0 0 -3"),
            "point 1 -1 0",
            "claim preimage unbounded 1 0 0",
            "rank 0 2 0 0 rows",
            "tight 3",
            "implicit 3 1",
            f"rank 1 {PRIME} 1 2 relations",
            "relation 1 1 0 -3",
            "recession 1 -1 0",
        ],
        "layer 1 (polytope): unbounded, dimension 1, rank 0, 0 active",
    ),
    sample(
        "implicit sides",
        CORNER,
        [
            *header("orthant"),
            "point 1 0 0 0",
            "claim preimage unbounded 1 0 0",
            "rank 0 2 0 0 rows",
            "tight 7",
            "implicit 1",
            f"rank 2 {PRIME} 6 3 relations",
            "relation 0 1 1 1 2 1",
            "ray margin 0 0 0 1",
            "recession 1 0 0 1",
        ],
        "layer 1 (orthant): unbounded, dimension 1, rank 0, 0 active",
    ),
    sample(
        "solution",
        TRIANGLE,
        [*header(subject="output"), "output 2 1 2 0", "claim preimage singleton 0 2 2", "solution 4 2 4", f"rank 2 {PRIME} 3 3 columns"],
        "layer 1 (all): singleton, dimension 0, rank 2, 2 active",
    ),
    sample(
        "solution in the domain",
        SUM,
        [
            *header("orthant", "layer-input"),
            "point 1 -1 3",
            "claim preimage bounded 1 1 1",
            "solution 1 1 1",
            f"rank 1 {PRIME} 1 1 rows",
            "trivial margin 3 0 1",
        ],
        "layer 1 (orthant): bounded, dimension 1, rank 1, 1 active",
    ),
    sample(
        "second layer",
        TWO,
        [*header(layer=2), "point 3 1 -2", "claim preimage singleton 0 2 1", f"rank 2 {PRIME} 3 3 rows"],
        "layer 2 (all): singleton, dimension 0, rank 2, 1 active",
    ),
    sample(
        "first layer of two, carried coordinate",
        TWO,
        [*header(), "point 3 1 -2", "claim preimage unbounded 1 1 0", f"rank 1 {PRIME} 1 2 rows", "ray margin 0 -1 0"],
        "layer 1 (all): unbounded, dimension 1, rank 1, 0 active",
    ),
    sample(
        "negative", TRIANGLE, [*header(subject="output"), "output 1 1 -1 0", "claim preimage empty", "negative 1"], "layer 1 (all): empty"
    ),
    sample(
        "farkas", TRIANGLE, [*header(subject="output"), "output 1 1 1 1", "claim preimage empty", "farkas -1 -1 -1"], "layer 1 (all): empty"
    ),
    sample(
        "farkas, orthant",
        TRIANGLE,
        [*header("orthant"), "point 1 -1 -1", "claim preimage empty", "farkas 0 0 -1"],
        "layer 1 (orthant): empty",
    ),
    sample(
        "farkas, box",
        SUM,
        [*header("box|lower 1 -1 -1|upper 1 1 1", "output"), "output 1 4", "claim preimage empty", "farkas -1"],
        "layer 1 (box): empty",
    ),
    sample(
        "farkas, polytope",
        SUM,
        [*header("polytope 1|side -1 1 1", "output"), "output 1 4", "claim preimage empty", "farkas -1 1"],
        "layer 1 (polytope): empty",
    ),
    sample(
        "empty margin",
        GAP,
        [*header(subject="output"), "output 1 0 0", "claim preimage empty", "empty margin 3 0 1 1"],
        "layer 1 (all): empty",
    ),
    sample(
        "empty margin, equalities",
        TRIANGLE,
        [*header(subject="output"), "output 1 1 1 1", "claim preimage empty", "empty margin 7 0 0 0 0"],
        "layer 1 (all): empty",
    ),
    sample(
        "empty margin, box",
        SUM,
        [*header("box|lower 1 0 0|upper 1 1 1", "output"), "output 1 4", "claim preimage empty", "empty margin 15 0 -6 0 5 0 5"],
        "layer 1 (box): empty",
    ),
    sample(
        "no inputs",
        EMPTY,
        [*header(), "point 1", "claim preimage singleton 0 0 1", "rank 0 2 0 0 columns"],
        "layer 1 (all): singleton, dimension 0, rank 0, 1 active",
    ),
]
