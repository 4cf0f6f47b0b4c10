"""Each rule of evidence is needed: a certificate that breaks one rule alone, and whose claim is false because of it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from samples import COPIES, CORNER, HALF, PRIME, SQUARE, STRIP, SUM, TRIANGLE, certificate, header, network, verdict
from truth import truth

from exactrelu.checker.arithmetic import Kernels
from exactrelu.fast_checker import FastKernels

ONE = network(1, ("all", [[0, 1]]))
FAR = network(1, ("all", [[-5, 1]]))
UNIT = network(1, ("all", [[-1, 1], [0, -1]]))
PLAIN = network(1, ("none", [[0, 1]]))
LINE = network(2, ("none", [[0, 1, 1]]))
IDENTITY = network(2, ("none", [[0, 1, 0], [0, 0, 1]]))
SHIFTED = network(1, ("all", [[1, 1], [0, 1]]))
WEDGE = network(2, ("all", [[0, 1, 1], [0, 1, -1]]))
QUARTER = network(2, ("all", [[0, 1, 0], [0, -1, 0], [0, 0, 1]]))
ZERO = network(1, ("all", [[0, 0], [0, 1], [0, -1]]))
HALF_CORNER = network(3, ("all", [[0, Fraction(1, 2), Fraction(1, 2), 0]]))
HALVED = network(1, ("all", [[0, Fraction(1, 2)]]))

FULL = f"rank 1 {PRIME} 1 1 rows"
NONE = "rank 0 2 0 0 rows"
ALL_TIGHT = f"tight 7|implicit 1|rank 2 {PRIME} 6 3 relations"
RAY = "ray exact 0 0 0 1"
FLAT = "box|lower 1 0 -1|upper 1 0 1"
FIXED = "box|lower 1 -1 -1 -1|upper 1 -1 1 1"

# name, network, domain, subject, the lines from the point or output on
FALSE = [
    ("4.1 in the domain", SUM, "orthant", "output", "output 2 1|claim preimage infinite 1 1 1|solution 4 -1 -1|" + FULL),
    ("4.1 has the output", ONE, "box|lower 1 0|upper 1 1", "output", "output 1 2|claim preimage singleton 0 1 1|solution 2 2|" + FULL),
    ("4.2 R bits", COPIES, "all", "input", f"point 1 1 1|claim preimage singleton 0 2 3|rank 2 {PRIME} 1 1 columns"),
    ("4.2 independent", COPIES, "all", "input", f"point 1 1 1|claim preimage singleton 0 2 3|rank 2 {PRIME} 3 3 columns"),
    ("4.2 independent, Q = 0", COPIES, "all", "input", "point 1 1 1|claim preimage singleton 0 2 3|rank 2 0 3 3 columns"),
    ("4.2 rows", TRIANGLE, "all", "input", f"point 1 1 1|claim preimage infinite 1 1 2|rank 1 {PRIME} 1 1 rows"),
    ("4.2 columns", TRIANGLE, "all", "input", f"point 1 1 1|claim preimage infinite 1 1 2|rank 1 {PRIME} 1 1 columns"),
    ("4.2 a relation for each row", TRIANGLE, "all", "input", f"point 1 1 1|claim preimage infinite 1 1 2|rank 1 {PRIME} 1 1 relations"),
    (
        "4.2 J in ROWS",
        TRIANGLE,
        "all",
        "input",
        f"point 1 1 1|claim preimage infinite 1 1 2|rank 1 {PRIME} 1 1 relations|relation 1 1 1 1",
    ),
    ("4.2 D > 0", TRIANGLE, "all", "input", f"point 1 1 1|claim preimage infinite 1 1 2|rank 1 {PRIME} 1 1 relations|relation 1 0"),
    ("4.2 null at the others", SUM, "all", "input", "point 1 0 0|claim preimage infinite 2 0 1|rank 0 2 0 0 null|null 1 -1|null 1 -1"),
    ("4.2 null at its own", SUM, "all", "input", "point 1 0 0|claim preimage infinite 2 0 1|rank 0 2 0 0 null|null 0 0|null 0 0"),
    ("4.2 null of every row", SUM, "all", "input", "point 1 0 0|claim preimage infinite 2 0 1|rank 0 2 0 0 null|null 1 0|null 0 1"),
    (
        "4.2 one side twice",
        CORNER,
        FIXED,
        "input",
        f"point 1 -1 0 0|claim preimage bounded 1 0 0|{NONE}|tight 3|implicit|rank 2 {PRIME} 3 3 rows",
    ),
    ("4.3 positive multipliers", ONE, "all", "input", f"point 1 0|claim preimage singleton 0 0 0|{NONE}|trivial margin 1 0 0"),
    ("4.3 positive sides", FAR, "orthant", "input", f"point 1 0|claim preimage singleton 0 0 0|{NONE}|trivial margin 1 0"),
    ("4.3 multipliers above", ONE, "all", "input", f"point 1 0|claim preimage singleton 0 0 0|{NONE}|trivial margin 1 0 1"),
    ("4.3 sides above", LINE, "orthant", "input", f"point 1 0 1|claim preimage singleton 0 1 1|{FULL}|trivial margin 3 0 1"),
    ("4.3 E is for rows outside S", ONE, "all", "input", f"point 1 0|claim preimage singleton 0 0 0|{NONE}|trivial margin 1 1 1"),
    ("4.3 powers of two", HALVED, "all", "input", f"point 1 0|claim preimage singleton 0 0 0|{NONE}|trivial margin 1 0 1"),
    ("4.3 one column twice", HALF, FLAT, "input", f"point 1 0 0|claim preimage singleton 0 0 0|{NONE}|trivial margin 3 0"),
    ("4.3 exact, residual", ONE, "all", "input", f"point 1 0|claim preimage singleton 0 0 0|{NONE}|trivial exact 1|{FULL[:-4]}columns"),
    (
        "4.3 exact, rows",
        QUARTER,
        "all",
        "input",
        f"point 1 0 0|claim preimage singleton 0 0 0|{NONE}|trivial exact 1 1 0|rank 2 {PRIME} 5 3 columns",
    ),
    ("4.3 exact, sides", FAR, "orthant", "input", f"point 1 0|claim preimage singleton 0 0 0|{NONE}|trivial exact|{FULL[:-4]}columns"),
    (
        "4.3 exact, full rank",
        STRIP,
        "all",
        "input",
        f"point 1 0 0|claim preimage singleton 0 0 0|{NONE}|trivial exact 1 1|{FULL[:-4]}columns",
    ),
    ("4.4 all tight rows", SUM, "all", "input", f"point 1 0 0|claim preimage singleton 0 1 1|{FULL}"),
    ("4.5 DIM", SQUARE, "all", "input", f"point 1 1 0|claim preimage infinite 2 1 1|{FULL}"),
    ("4.5 DIM with tight rows", STRIP, "all", "input", f"point 1 0 7|claim preimage infinite 2 0 0|{NONE}|tight 3|implicit 1 1|{FULL}"),
    ("4.5 sides are tight", SUM, "orthant", "input", f"point 1 0 0|claim preimage infinite 1 1 1|{FULL}"),
    ("4.5 rows are tight", STRIP, "all", "input", f"point 1 0 7|claim preimage infinite 2 0 0|{NONE}"),
    ("4.5 a ray for sides", SUM, "orthant", "input", f"point 1 0 0|claim preimage infinite 1 1 1|{FULL}|tight 0"),
    ("4.5 a ray for rows", STRIP, "all", "input", f"point 1 0 7|claim preimage infinite 2 0 0|{NONE}|tight 0"),
    ("4.5 another rank", STRIP, "all", "input", f"point 1 0 7|claim preimage infinite 2 0 0|{NONE}|tight 3|implicit 1 1"),
    (
        "4.5 the rank of sides too",
        CORNER,
        "orthant",
        "input",
        f"point 1 0 0 0|claim preimage infinite 2 0 0|{NONE}|tight 7|implicit 1|{FULL}|ray exact 0 0 0 1",
    ),
    ("4.5 positive in E", SQUARE, "all", "input", f"point 1 0 0|claim preimage infinite 1 0 0|{NONE}|tight 1|implicit 0|{FULL}"),
    ("4.5 no residual", SQUARE, "all", "input", f"point 1 0 0|claim preimage infinite 1 0 0|{NONE}|tight 1|implicit 1|{FULL}"),
    (
        "4.5 positive sides in E",
        HALF,
        "orthant",
        "input",
        f"point 1 0 0|claim preimage infinite 1 0 0|{NONE}|tight 1|implicit|{FULL}|ray exact 0 0 1",
    ),
    (
        "4.6 equalities move",
        TRIANGLE,
        "all",
        "input",
        f"point 1 1 0|claim preimage unbounded 1 1 1|{FULL}|tight 0|ray margin 0 0 -1|ray margin 0 2 -1",
    ),
    (
        "4.6 exact equalities",
        TRIANGLE,
        "all",
        "input",
        f"point 1 1 0|claim preimage unbounded 1 1 1|{FULL}|tight 0|ray margin 0 0 -1|ray exact 0 2 -1",
    ),
    (
        "4.6 sides move",
        WEDGE,
        FLAT,
        "input",
        f"point 1 0 0|claim preimage bounded 1 0 0|{NONE}|tight c|implicit 0 0|rank 1 {PRIME} 1 1 columns|ray margin 0 -5 0",
    ),
    ("4.6 sides are reached", LINE, "orthant", "input", f"point 1 0 0|claim preimage infinite 1 1 0|{FULL}|tight 0|ray margin 0 1 1"),
    ("4.6 strict", STRIP, "all", "input", f"point 1 0 7|claim preimage infinite 2 0 0|{NONE}|tight 0|ray exact 0 0 1"),
    ("4.7 bounded", SQUARE, "polytope 0", "input", f"point 1 1 0|claim preimage bounded 1 1 1|{FULL}"),
    ("4.7 bounded needs sides", SUM, "all", "input", f"point 1 1 0|claim preimage bounded 1 1 1|{FULL}|trivial margin 6 0 1"),
    ("4.7 unbounded", TRIANGLE, "all", "input", f"point 1 1 0|claim preimage unbounded 1 1 1|{FULL}|tight 0|ray margin 0 0 -1"),
    ("4.7 unbounded box", HALF, FLAT, "input", f"point 1 0 0|claim preimage unbounded 1 0 0|{NONE}|tight 3|implicit|{FULL}"),
    ("4.7 not 0", SUM, "orthant", "input", f"point 2 1 1|claim preimage unbounded 1 1 1|{FULL}|recession 1 0 0"),
    ("4.7 sides", SUM, "orthant", "input", f"point 2 1 1|claim preimage unbounded 1 1 1|{FULL}|recession 1 1 -1"),
    ("4.7 equalities", SUM, "orthant", "input", f"point 2 1 1|claim preimage unbounded 1 1 1|{FULL}|recession 1 1 1"),
    (
        "4.7 polytope",
        SQUARE,
        "polytope 3|side -1 0 1|side -1 0 -1|side -1 -1 0",
        "input",
        f"point 2 -1 0|claim preimage unbounded 2 0 0|{NONE}|recession 1 -1 0",
    ),
    (
        "4.7 rows",
        TRIANGLE,
        "all",
        "input",
        f"point 1 1 0|claim preimage unbounded 1 1 1|{FULL}|tight 0|ray margin 0 0 -1|recession 1 0 -1",
    ),
    ("4.8 rectified", PLAIN, "all", "output", "output 1 -1|claim preimage empty|negative 0"),
    ("4.8 negative", ONE, "all", "output", "output 1 0|claim preimage empty|negative 0"),
    ("4.8 farkas above 0", ONE, "all", "output", "output 1 0|claim preimage empty|farkas 0"),
    ("4.8 farkas, inequalities", UNIT, "all", "output", "output 1 0 0|claim preimage empty|farkas -1 -1"),
    ("4.8 farkas, sides", ONE, "polytope 1|side -1 0", "output", "output 1 1|claim preimage empty|farkas 0 -1"),
    ("4.8 farkas, output", SHIFTED, "all", "output", "output 1 2 1|claim preimage empty|farkas 1 -1"),
    ("4.8 farkas, all", ONE, "all", "output", "output 1 1|claim preimage empty|farkas -1"),
    ("4.8 farkas, orthant", ONE, "orthant", "output", "output 1 1|claim preimage empty|farkas -1"),
    ("4.8 farkas, box", ONE, "box|lower 1 0|upper 1 5", "output", "output 1 1|claim preimage empty|farkas -1"),
    ("4.8 farkas, box's denominators", ONE, "box|lower a 0|upper 1 5", "output", "output 1 1|claim preimage empty|farkas -1"),
    ("3.3 outputs 0 are inequalities", SHIFTED, "all", "output", "output 1 0 0|claim preimage empty|empty margin 3 0 0 0"),
    ("3.3 b - y", SHIFTED, "all", "output", "output 1 2 1|claim preimage empty|empty margin 3 0 0 0"),
    ("3.3 upper", ONE, "box|lower 1 0|upper 1 1", "output", "output 1 1|claim preimage empty|empty margin 9 0 -1 0 1"),
    ("3.3 lower", SHIFTED, "box|lower 1 -1|upper 1 1", "output", "output 1 1 0|claim preimage empty|empty margin 11 0 1 0 1 0"),
    ("3.3 no sides", network(1, ("all", [[2, 1]])), "all", "output", "output 1 1|claim preimage empty|empty margin 6 0 1"),
    ("3.3 unrectified rows", PLAIN, "all", "input", f"point 1 -1|claim preimage infinite 1 0 0|{NONE}"),
    ("3.3 P is positive", ONE, "all", "input", f"point 1 0|claim preimage singleton 0 1 0|{FULL}"),
    ("3.3 tight rows", UNIT, "all", "input", f"point 1 0|claim preimage singleton 0 0 0|{NONE}|trivial margin 1 0 1 1"),
    (
        "3.3 tight polytope rows",
        FAR,
        "polytope 2|side -1 1|side 0 -1",
        "input",
        f"point 1 0|claim preimage singleton 0 0 0|{NONE}|trivial margin 1 0 1 1",
    ),
    ("3.3 all tight polytope rows", FAR, "polytope 2|side 0 1|side 0 -1", "input", f"point 1 0|claim preimage infinite 1 0 0|{NONE}"),
    ("3.3 tight lower", FAR, "box|lower 1 0|upper 1 1", "input", f"point 1 1|claim preimage singleton 0 0 0|{NONE}|trivial margin 1 0"),
    ("3.3 tight upper", FAR, "box|lower 2 1|upper 1 1", "input", f"point 2 1|claim preimage singleton 0 0 0|{NONE}|trivial margin 1 0"),
    ("3.3 tight orthant", SUM, "orthant", "input", f"point 2 1 1|claim preimage singleton 0 1 1|{FULL}|trivial margin 3 0 1"),
    ("3.1 upper", ONE, "box|lower 1 0|upper 1 1", "input", f"point 1 5|claim preimage singleton 0 1 1|{FULL}"),
    ("3.1 lower", ONE, "box|lower 1 1|upper 1 5", "input", f"point 2 1|claim preimage singleton 0 1 1|{FULL}"),
    ("3.1 polytope", ONE, "polytope 1|side 1 -1", "input", f"point 2 1|claim preimage singleton 0 1 1|{FULL}"),
    ("3.1 orthant", IDENTITY, "orthant", "input", f"point 1 1 -1|claim preimage singleton 0 2 1|rank 2 {PRIME} 3 3 rows"),
    ("3.2 DIM 0", IDENTITY, "all", "input", f"point 1 1 1|claim preimage infinite 0 2 2|rank 2 {PRIME} 3 3 rows"),
    ("3.2 singleton", IDENTITY, "all", "input", f"point 1 1 1|claim preimage singleton 1 2 2|rank 2 {PRIME} 3 3 rows"),
    ("3.2 ACTIVE", IDENTITY, "all", "input", f"point 1 1 1|claim preimage singleton 0 2 1|rank 2 {PRIME} 3 3 rows"),
]

# true claims, but not as the format writes them
MALFORMED = [
    (
        "4.5 E on an equality",
        TRIANGLE,
        "all",
        "input",
        f"point 1 1 0|claim preimage infinite 1 1 1|{FULL}|tight 1|implicit 0 0|{FULL}|ray margin 0 0 -1",
    ),
    (
        "4.3 BOUND columns",
        TRIANGLE,
        "all",
        "input",
        f"point 1 0 0|claim preimage singleton 0 0 0|{NONE}|trivial exact 1 1 1|rank 2 {PRIME} 3 3 null",
    ),
    (
        "4.2 a relation's numbers",
        HALF_CORNER,
        "orthant",
        "input",
        f"point 1 0 0 0|claim preimage infinite 1 0 0|{NONE}|{ALL_TIGHT}|relation 0 1 1 1 2 1|{RAY}",
    ),
    ("4.6 the ray 0", SQUARE, "all", "input", f"point 1 1 0|claim preimage unbounded 1 1 1|{FULL}|ray exact 0 0 0"),
    ("3.1 bounds", ONE, "box|lower 1 1|upper 1 0", "output", "output 1 1|claim preimage empty|farkas -1"),
]


def parts(network_text: str, domain: str, subject: str, lines: str) -> tuple[str, str]:
    return network_text, certificate(network_text, *header(domain, subject), *lines.split("|"))


@pytest.mark.parametrize("case", FALSE, ids=lambda case: case[0])
def test_a_false_claim_that_breaks_one_rule(case: tuple[str, str, str, str, str]) -> None:
    texts = parts(*case[1:])
    assert not truth(*texts)
    assert not verdict(*texts, Kernels())[0]
    assert not verdict(*texts, FastKernels())[0]


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case[0])
def test_evidence_that_the_format_does_not_know(case: tuple[str, str, str, str, str]) -> None:
    texts = parts(*case[1:])
    assert not verdict(*texts, Kernels())[0]
    assert not verdict(*texts, FastKernels())[0]


@pytest.mark.parametrize(
    "case",
    [
        # both sides of a fixed column are implicit
        (HALF, FLAT, "input", f"point 1 0 0|claim preimage bounded 1 0 0|{NONE}|tight 3|implicit|rank 1 {PRIME} 1 1 columns"),
        # a tight row of zeros is not numbered
        (ZERO, "all", "input", f"point 1 0|claim preimage singleton 0 0 0|{NONE}|trivial margin 1 0 1 1"),
        # (1/2, 1/2, 0) * 2 = e_0 + e_1
        (
            HALF_CORNER,
            "orthant",
            "input",
            f"point 1 0 0 0|claim preimage infinite 1 0 0|{NONE}|{ALL_TIGHT}|relation 0 2 1 1 2 1|{RAY}",
        ),
    ],
)
def test_true_claims_beside_them(case: tuple[str, str, str, str]) -> None:
    texts = parts(*case)
    assert truth(*texts)
    assert verdict(*texts, Kernels())[0]
    assert verdict(*texts, FastKernels())[0]


@pytest.mark.parametrize("rest", ["end\n", "row 0 0 1\n", "\n", " "])
def test_nothing_follows_the_end_of_a_network(rest: str) -> None:
    longer = ONE + rest
    texts = longer, certificate(longer, *header(), "point 1 1", "claim preimage singleton 0 1 1", FULL)
    assert all("section 1" in verdict(*texts, kernels)[1] for kernels in (Kernels(), FastKernels()))
