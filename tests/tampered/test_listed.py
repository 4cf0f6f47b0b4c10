"""Trees of cells (section 4.9): certificates by listed regions are accepted, and what changes of them is rejected or true."""

from __future__ import annotations

import re

import pytest
from samples import network
from test_cases import PLANE, QUESTIONS, Asked, assert_only_true_mutants, layer, rejected_soon, written

from exactrelu.domain import AllSpace, Box, Orthant, Polytope
from exactrelu.exact.rational import RationalVector
from exactrelu.preimage.listing import RegionList

DISC = [PLANE[0], layer([[1, 1, 1, 1]], [-1])]
STRIP = [layer([[1, 1], [-1, -1]], [0, 0]), layer([[1, 1]], [0], rectified=False)]
RAMP = [layer([[1, 0], [0, 1]], [0, 0]), layer([[1, 1]], [0], rectified=False)]
SIZE = [layer([[1, 0], [-1, 0], [0, 1]], [0, 0, 0], [True, True, False]), layer([[1, 1, 1]], [0], rectified=False)]
ALONE = [layer([[1, 1], [1, -1]], [1, 0])]
LINEAR = [layer([[1, 1]], [1], rectified=False), layer([[2]], [0], rectified=False)]

HILLS = [
    layer([[1, 0], [0, 1], [1, 1], [1, -1]], [0, 0, -1, 1]),
    layer([[1, -2, 1, 1], [-1, 1, 1, -2], [2, 1, -1, 0]], [-1, 2, 0]),
    layer([[1, -1, 2], [-1, 2, 1]], [0, 1], [True, False]),
]

LISTED = QUESTIONS | {
    "hills": Asked(HILLS, AllSpace(), RationalVector((6, 4)), "(all): singleton, 2 active"),
    "plain": Asked(HILLS, AllSpace(), RationalVector((0, 1)), "(all): unbounded, dimension 1, 1 active"),
    "hills-box": Asked(
        HILLS, Box(RationalVector((-3, -3)), RationalVector((5, 5))), RationalVector((7, 7), 2), "(box): singleton, 2 active"
    ),
    "summit": Asked(HILLS[:2], AllSpace(), RationalVector((1, 2, 3)), "(all): empty"),
    "disc": Asked(DISC, AllSpace(), RationalVector((0,)), "(all): bounded, dimension 2, 0 active"),
    "circle": Asked(DISC, AllSpace(), RationalVector((1,)), "(all): bounded, dimension 1, 1 active"),
    "quarter": Asked(DISC, Orthant(), RationalVector((1,)), "(orthant): bounded, dimension 1, 1 active"),
    "corner": Asked(DISC, Polytope(((1, 1),), (2,)), RationalVector((1,)), "(polytope): bounded, dimension 1, 1 active"),
    "touching": Asked(DISC, Polytope(((-1, 0), (1, 1), (1, -1)), (2, -2, -2)), RationalVector((1,)), "(polytope): singleton, 1 active"),
    "strip": Asked(STRIP, AllSpace(), RationalVector((1,)), "(all): unbounded, dimension 1, 1 active"),
    "line": Asked(STRIP, AllSpace(), RationalVector((0,)), "(all): unbounded, dimension 1, 0 active"),
    "half": Asked(RAMP, AllSpace(), RationalVector((0,)), "(all): unbounded, dimension 2, 0 active"),
    "below": Asked(RAMP, AllSpace(), RationalVector((-1,)), "(all): empty"),
    "vee": Asked(SIZE, AllSpace(), RationalVector((1,), 3), "(all): unbounded, dimension 1, 1 active"),
    "segment": Asked(PLANE, Polytope(((1, -1), (-1, 1)), (0, 0)), RationalVector((2, 1)), "(polytope): finite, 2 points, 2 active"),
    "pixel": Asked(PLANE, Box(RationalVector((2, 2)), RationalVector((2, 2))), RationalVector((2, 1)), "(box): singleton, 2 active"),
    "flat-box": Asked(DISC, Box(RationalVector((-9, 1)), RationalVector((9, 1))), RationalVector((0,)), "(box): singleton, 0 active"),
    "alone": Asked(ALONE, AllSpace(), RationalVector((0, 2)), "(all): unbounded, dimension 1, 1 active"),
    "linear": Asked(LINEAR, Orthant(), RationalVector((2,)), "(orthant): singleton, 1 active"),
}


def texts(question: Asked) -> tuple[str, str]:
    """The network file and the certificate by regions."""
    layers, domain, y, _ = question
    return written(question, RegionList(layers, domain).of_output(y, active=sum(value > 0 for value in y.numerators), deadline=None))


@pytest.mark.parametrize("name", LISTED)
def test_listed_regions_are_accepted_and_only_true_mutants(name: str) -> None:
    assert_only_true_mutants(*texts(LISTED[name]), LISTED[name])


def test_these_hold_every_kind_of_line() -> None:
    lines = "".join(texts(question)[1] for question in LISTED.values())
    for word in ("regions", "cut", "leaf", "zero", "bounded", "point", "direction", "above", "below"):
        assert re.search(rf"^{word}( |$)", lines, re.MULTILINE), word


# ---------------------------------------------------------------- hostile files


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["output 1 1" + "0" * 2**15, "claim preimage empty", "regions", "leaf"], "more than 65536 bits"),
        (["output 1 3", "claim preimage empty", "regions", *(f"cut {j:x} {2**j - 1:x}" for j in range(3000))], "`cut` belongs here"),
        (["output 1 3", "claim preimage empty", "regions", "cut 0 0", "cut 0 1"], "no such neuron"),
        (["output 1 3", "claim preimage empty", "regions", "above 0"], "last cone"),
    ],
)
def test_hostile_files_are_rejected_soon(lines: list[str], reason: str) -> None:
    wide = network(1, ("all", [[-j, 1] for j in range(3000)]), ("none", [[0] + [1] * 3000]))
    rejected_soon(wide, "data none", "scope through 2", "domain all", "subject output", *lines, reason=reason)
