"""Section 4.16 of proofs/FORMAT.md: what keeps regions apart two by two is true, found, and small; and what spans a polyhedron.

The truth is that of `theorems/whole_networks.py`: all pairs of closed sign cells.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from test_injective_networks import all_regions, certificate, claims, sha256_of
from theorems.oracles import examples
from theorems.whole_networks import DOUBLED, chained, is_injective, layer, neurons, ppl, small_networks

from exactrelu.certificates.injectivity_network import Apart
from exactrelu.checker.regions_cone import value
from exactrelu.checker.spanning import Spanning
from exactrelu.checker.text import Rejected
from exactrelu.domain import AllSpace, Ball, Domain, Polytope, parse_domain
from exactrelu.errors import InvalidRequestError
from exactrelu.injectivity.network import by_regions as decisions
from exactrelu.strategies import domains

if TYPE_CHECKING:
    from exactrelu.injectivity.network import NetworkInjectivity
    from exactrelu.network.model import Network

# ---------------------------------------------------------------- what spans a polyhedron


@examples(200)
@given(st.integers(1, 3), st.data())
def test_generators_are_those_of_a_polyhedra_library(n, data):
    rows = data.draw(st.lists(st.tuples(*[st.integers(-2, 2)] * (n + 1)).filter(lambda row: any(row[:-1])), max_size=6))
    polyhedron = ppl.C_Polyhedron(n, "universe")
    for *row, constant in rows:
        polyhedron.add_constraint(ppl.Linear_Expression(row, constant) >= 0)
    # A region has interior points.
    assume(not polyhedron.is_empty() and polyhedron.affine_dimension() == n)
    found = Spanning(2**20).generators(rows, n)
    assert len(set(found)) == len(found)
    assert all(value(row, vector) >= 0 for row in rows for vector in found)
    again = ppl.C_Polyhedron(n, "empty")
    for kind in (True, False):
        for *vector, t in found:
            if bool(t) == kind:
                along = ppl.Linear_Expression(vector, 0)
                again.add_generator(ppl.point(along, t) if kind else ppl.ray(along))
    assert again == polyhedron
    # No more than needed, but for lines, which stand there twice.
    lines = sum(generator.is_line() for generator in polyhedron.minimized_generators())
    assert len(found) == len(polyhedron.minimized_generators()) + lines
    # The same from rows in another order, or with some twice.
    assert {*Spanning(2**20).generators([*rows[::-1], *rows], n)} == {*found}


def test_a_polyhedron_with_too_many_generators_is_given_up():
    cube = [tuple([sign * int(i == j) for i in range(9)] + [1]) for j in range(9) for sign in (1, -1)]
    assert len(Spanning(2**30).generators(cube, 9)) == 2**9
    with pytest.raises(Rejected, match="more extreme points and rays"):
        Spanning(2**12).generators(cube, 9)


# ---------------------------------------------------------------- certificates


def by_pairs(network: Network, domain: Domain) -> NetworkInjectivity:
    """The answer without the matrices of theory I14."""
    with patch.object(decisions, "monotone", lambda *_: None):
        return decisions.by_regions(network, domain, None, None)


@examples(120)
@given(small_networks(), st.data())
def test_every_answer_by_regions_has_a_certificate(network, data):
    assume(neurons(network) <= 6)
    domain = data.draw(domains(network.inputs))
    try:
        found = by_pairs(network, domain)
    except InvalidRequestError:
        return
    assert (found.verdict == "injective") == is_injective(network, domain)
    if isinstance(found.evidence, Apart):
        event(f"{found.evidence.word}, {len(found.evidence.functions) > 0}, slice {found.evidence.slice is not None}")
    text = found.certificate(network_sha256=sha256_of(network), last=len(network.layers), domain=domain).text()
    assert claims(network, text)


@pytest.mark.parametrize("radius", [Fraction(1, 2), Fraction(0)])
def test_a_ball_is_taken_for_the_box_around_it(radius):
    # Folds along x = 1.
    folding = chained(
        layer([[1, 0], [1, 0], [0, 1]], [-1, 0, 0], [True, False, False]), layer([[-2, 1, 0], [0, 0, 1]], [0, 0], [False] * 2)
    )
    ball = Ball(radius)
    for found in (by_pairs(folding, ball), decisions.by_regions(folding, ball, None, None)):
        text = found.certificate(network_sha256=sha256_of(folding), last=2, domain=ball).text()
        assert claims(folding, text)
        assert not claims(folding, re.sub("domain ball .*", "domain ball 1 2", text))


@examples(120)
@given(small_networks(), st.data())
def test_accepted_pairs_are_injective(network, data):
    """Any linear functions, of any network."""
    assume(neurons(network) <= 6)
    domain = data.draw(domains(network.inputs))
    try:
        certified = all_regions(network, domain)
    except InvalidRequestError:
        return
    word = data.draw(st.sampled_from(["pairs", "pairs", "boundary"]))
    numbers = st.lists(st.integers(-1, 1), min_size=network.outputs, max_size=network.outputs).map(tuple)
    cells = certified.regions if word == "pairs" else certified.regions * len(domain.lines())
    functions = tuple((i, j, data.draw(numbers)) for j in range(cells) for i in range(j)) if cells < 5 else ()
    evidence = Apart(word, tuple(data.draw(st.lists(numbers, max_size=3))), tuple(sorted(functions)), certified)
    if claims(network, certificate(network, evidence, domain)):
        event(f"accepted, {word}")
        assert is_injective(network, domain)


# Twice around an axis that is the third output, and no matrix makes all maps definite; the inputs beyond 1 come back over those before.
def winding(*, height: float = 1.0) -> Network:
    corners = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]] * 2) * np.arange(1, 9)[:, None]
    slopes = np.diff(corners, axis=0)
    first = layer([*([[1, 0]] * 6), [1, 0], [0, 1]], [*(-float(k) for k in range(1, 7)), 0, 0], [True] * 6 + [False] * 2)
    turns = np.diff(slopes, axis=0).T
    rows = np.vstack([np.hstack([turns, slopes[:1].T, [[0], [0]]]), [[*[0.0] * 6, 0, height]]])
    return chained(first, layer(rows.tolist(), [0.0] * 3, [False] * 3))


STRIP = parse_domain("box:0,7", 2)


def test_a_spiral_needs_pairs_and_has_a_certificate():
    network = winding()
    evidence = by_pairs(network, STRIP).evidence
    assert evidence.word == "pairs" and evidence.functions
    text = certificate(network, evidence, STRIP)
    assert claims(network, text)
    lines = text.splitlines()
    # No line can be spared, as all pairs that a direction tells apart have none.
    for number, line in enumerate(lines):
        if line.startswith(("apart", "region", "cut")):
            assert not claims(network, "\n".join([*lines[:number], *lines[number + 1 :]]) + "\n")
        if line.startswith("apart"):
            word, first, second, *function = line.split(" ")
            opposite = " ".join([word, first, second, *(format(-int(value, 16), "x") for value in function)])
            assert not claims(network, "\n".join([*lines[:number], opposite, *lines[number + 1 :]]) + "\n")
    flat = winding(height=0)
    assert not is_injective(flat, STRIP)
    assert not claims(flat, certificate(flat, evidence, STRIP))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"apart 0 1 (.*)", r"apart 1 0 \1"),
        (r"apart 0 1 (.*)", r"apart 0 0 \1"),
        (r"apart 0 1 (.*)", r"apart 0 1 \1\napart 0 1 \1"),
        (r"apart 0 1 (.*)", r"apart 0 1 \1 0"),
        (r"apart 0 1 (.*)", r"apart 0 1 0 0 0"),
        (r"apart 0 1 (.*)", r"apart 0 7 \1"),
        (r"pairs (\w+) (\w+)", r"pairs \1 0"),
        (r"pairs (\w+) (\w+)", r"pairs 1 \2"),
        (r"pairs (\w+) (\w+)", r"boundary \1 \2"),
        (r"pairs (\w+) (\w+)", r"pairs \1 \2\nslice 2\norigin 1 0 0\ndirection 1 1 0\ndirection 1 0 0"),
        (r"pairs (\w+) (\w+)", r"pairs \1 \2\nslice 1\norigin 1 0 0\ndirection 1 1 0"),
        (r"pairs (\w+) (\w+)", r"pairs \1 \2\nflat 1 0 1"),
    ],
)
def test_changed_lines_are_rejected(old, new):
    network = winding()
    text = certificate(network, by_pairs(network, STRIP).evidence, STRIP)
    changed = re.sub(rf"^{old}$", new, text, count=1, flags=re.MULTILINE)
    assert changed != text and not claims(network, changed)


def test_a_direction_along_which_two_regions_touch_does_not_keep_them_apart():
    corner = chained(layer([[1], [-1]], [0, 0], [True, True]))
    found = all_regions(corner, AllSpace())
    for directions in (((1, -1),), ((0, 0), (1, -1)), ((1, 1), (1, -1))):
        assert not claims(corner, certificate(corner, Apart("pairs", directions, (), found)))
        assert claims(corner, certificate(corner, Apart("pairs", directions, ((0, 1, (1, -1)),), found)))


def test_the_boundary_tells_nothing_of_a_network_that_folds():
    # |x| is 1 at one end and 2 at the other one.
    absolute = chained(layer([[1], [-1]], [0, 0], [True, True]), layer([[1, 1]], [0], [False]))
    domain = parse_domain("box:-1,2", 1)
    assert not claims(absolute, certificate(absolute, Apart("boundary", ((1,),), (), all_regions(absolute, domain)), domain))
    beside = parse_domain("box:1,2", 1)
    assert claims(absolute, certificate(absolute, Apart("boundary", ((1,),), (), all_regions(absolute, beside)), beside))


def test_a_slice_in_other_coordinates_of_the_whole_space_is_accepted():
    network = winding()
    text = certificate(network, by_pairs(network, STRIP).evidence, STRIP)
    moved = re.sub(r"^(pairs .*)$", r"\1\nslice 2\norigin 1 0 0\ndirection 1 1 0\ndirection 1 0 1", text, flags=re.MULTILINE)
    assert claims(network, moved)


@pytest.mark.parametrize(
    "domain",
    [
        parse_domain("box:1,2", 2),
        # The half-plane's boundary is cut off.
        Polytope(((-4, 0), (1, 0), (0, 1), (0, -1)), (1, -1, -1, -1)),
        # With sides that say the same, nothing, and that one point alone meets.
        Polytope(((-4, 0), (-8, 0), (1, 0), (0, 1), (0, -1), (0, 0), (1, 1)), (1, 2, -1, -1, -1, 0, -2)),
    ],
)
def test_the_boundary_of_a_polytope_in_a_map_that_winds_twice(domain):
    evidence = by_pairs(DOUBLED, domain).evidence
    assert evidence.word == "boundary"
    text = certificate(DOUBLED, evidence, domain)
    assert claims(DOUBLED, text)
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("apart"):
            assert not claims(DOUBLED, "\n".join([*lines[:number], *lines[number + 1 :]]) + "\n")


def test_the_boundary_decides_on_bounded_domains_of_square_networks_alone():
    # Injective on the boundary, which is one point; determinants of one sign; and the whole line is folded nowhere: but is not bounded.
    line = chained(layer([[1], [1]], [0, -1], [True, False]), layer([[1, 1]], [0], [False]))
    assert not claims(line, certificate(line, Apart("boundary", (), (), all_regions(line, AllSpace()))))
    network = winding()
    evidence = by_pairs(network, STRIP).evidence
    assert not claims(network, certificate(network, Apart("boundary", evidence.directions, evidence.functions, evidence.found), STRIP))
    # The map that winds twice around 0, whose boundary does, too.
    around = parse_domain("box:-1,1", 2)
    assert by_pairs(DOUBLED, around).verdict == "not-injective"
    found = all_regions(DOUBLED, around)
    assert not claims(DOUBLED, certificate(DOUBLED, Apart("boundary", ((1, 0), (0, 1)), (), found), around))
