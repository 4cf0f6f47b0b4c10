"""Certificates that activation regions are all there are: of random degenerate networks, every rule by hand, and mutants of both."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from samples import certificate, network, verdict
from test_mutants import line_mutants
from theorems.oracles import examples
from theorems.test_R import Facts, by_ppl, chained, in_general_position, layer, rectified_rows

from exactrelu.certificates import DomainLines, Vector
from exactrelu.certificates.regions import Border, Facet, Implied, Region, RegionsCertificate
from exactrelu.checker.arithmetic import Kernels
from exactrelu.domain import AllSpace, Ball, Box, Orthant, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.fast_checker import FastKernels
from exactrelu.network.exact_file import _lines, network_sha256
from exactrelu.regions import AffineSlice, evidence, regions
from exactrelu.regions.evidence import regions_certificate
from exactrelu.strategies import domains, networks

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from exactrelu.domain import Domain
    from exactrelu.network.model import Network

CHECKERS = (Kernels(), FastKernels())


def judge(network_text: str, text: str) -> tuple[bool, str]:
    """The verdict of both checkers, which is the same."""
    said = verdict(network_text, text, CHECKERS[0])
    assert said == verdict(network_text, text, CHECKERS[1]), f"the checkers disagree on\n{network_text}{text}"
    return said


def network_text(network: Network) -> str:
    return b"".join(_lines(network)).decode()


def claim_of(text: str) -> tuple[int, int]:
    (line,) = (line for line in text.splitlines() if line.startswith("claim regions "))
    regions, adjacencies = line.split(" ")[2:]
    return int(regions, 16), int(adjacencies, 16)


def counts(facts: Facts) -> tuple[int, int]:
    return len(facts.bounded), len(facts.adjacent)


@st.composite
def certified(draw: st.DrawFn) -> tuple[Network, Domain, RegionsCertificate]:
    """A small network, a domain with interior points, and the certificate of the regions."""
    network = draw(networks())
    assume(network.inputs <= 3 and rectified_rows(network) <= 8)
    domain = draw(domains(network.inputs))
    try:
        found = regions(network, domain=domain)
    except InvalidRequestError:
        assume(False)  # the domain is empty
    assume(found.dimension == network.inputs)
    return network, domain, regions_certificate(network, found, domain)


@examples(30)
@given(certified())
def test_the_regions_of_degenerate_networks_are_certified_as_ppl_finds_them(case):
    network, domain, written = case
    text = written.text()
    facts = by_ppl(network, domain)
    assert facts is not None and claim_of(text) == counts(facts)
    valid, said = judge(network_text(network), text)
    assert valid, said
    assert said.endswith(f": {written.regions} activation regions, {written.adjacencies} adjacencies")


@pytest.mark.parametrize("widths", [[2, 8, 8, 1], [3, 5, 5, 1], [4, 6, 1], [5, 3, 3]])
@pytest.mark.parametrize("domain", [AllSpace(), Orthant()])
def test_the_regions_in_general_position_are_certified(widths, domain):
    network = in_general_position(widths, 3)
    valid, said = judge(network_text(network), regions_certificate(network, regions(network, domain=domain), domain).text())
    assert valid, said


def test_a_certificate_may_end_at_any_layer():
    network = in_general_position([2, 4, 4, 1], 0)
    for through in (1, 2, 3):
        text = regions_certificate(network, regions(network, through=through)).text()
        assert judge(network_text(network), text)[0]
        assert f"scope through {through}" in text


def test_a_saved_certificate_is_its_text_and_its_lines_can_be_asked_for_twice(tmp_path):
    network = in_general_position([2, 5, 1], 0)
    written = regions_certificate(network, regions(network))
    written.save(tmp_path / "x.certificate")
    assert (tmp_path / "x.certificate").read_text(encoding="ascii") == written.text() == written.text()


# ---------------------------------------------------------------- regions deleted, merged, moved


def without_facets_to(one: Region, gone: int) -> Region:
    """The region where another has been deleted: its facets there are left out, and later regions have smaller numbers."""
    kept = (facet for facet in one.facets if facet.beyond != gone)
    return replace(one, facets=tuple(replace(facet, beyond=facet.beyond - (facet.beyond > gone)) for facet in kept))


def without_wall(one: Region, place: int) -> Region:
    """The region with a wall fewer, as if it followed from the next one."""

    def renumbered(number: int) -> int:
        return number - (number > place)

    kept = [wall for k, wall in enumerate(one.walls) if k != place]
    implied = [Implied(line.denominator, (*line.multipliers[:place], *line.multipliers[place + 1 :])) for line in one.implied]
    implied.insert(one.walls[place] - place, Implied(1, (1,) * len(kept)))
    return Region(
        one.point,
        tuple(kept),
        tuple(implied),
        tuple(replace(facet, wall=renumbered(facet.wall)) for facet in one.facets if facet.wall != place),
        tuple(replace(border, wall=renumbered(border.wall)) for border in one.borders if border.wall != place),
    )


def pairs(found: list[Region]) -> list[tuple[int, Facet]]:
    return [(number, facet) for number, one in enumerate(found) for facet in one.facets]


def deleted(found: list[Region], random: Random) -> list[Region]:
    """Without one region and its adjacencies; its neighbours lose the walls to it, or keep them."""
    gone = random.randrange(len(found))
    neighbours = {number: facet.wall for number, facet in pairs(found) if facet.beyond == gone}
    rest = []
    for number, one in enumerate(found):
        if number == gone:
            continue
        changed = without_facets_to(one, gone)
        if number in neighbours and random.random() < 0.5:
            changed = without_wall(changed, neighbours[number])
        elif number in neighbours and random.random() < 0.5:
            point = next(facet.point for facet in one.facets if facet.beyond == gone)
            changed = replace(changed, borders=(*changed.borders, Border(neighbours[number], point)))
        rest.append(changed)
    return rest


def merged(found: list[Region], random: Random) -> list[Region]:
    """Two adjacent regions as one: what bounded the second bounds the first, but for the wall between them."""
    assume(pairs(found))
    first, facet = random.choice(pairs(found))
    second = found[facet.beyond]
    one = without_wall(found[first], facet.wall)
    moved = tuple(replace(other, wall=random.randrange(max(1, len(one.walls)))) for other in second.facets)
    rest = [*found[:first], replace(one, facets=(*one.facets, *moved)), *found[first + 1 :]]
    renamed = []
    for number, other in enumerate(rest):
        if number == facet.beyond:
            continue
        facets = []
        for to in other.facets:
            beyond = first if to.beyond == facet.beyond else to.beyond
            facets.append(replace(to, beyond=beyond - (beyond > facet.beyond)))
        renamed.append(replace(other, facets=tuple(facets)))
    return renamed


def one_changed(change: Callable[[Region, Random], Region]) -> Callable[[list[Region], Random], list[Region]]:
    def mutant(found: list[Region], random: Random) -> list[Region]:
        place = random.randrange(len(found))
        return [*found[:place], change(found[place], random), *found[place + 1 :]]

    return mutant


def moved(point: Vector, random: Random) -> Vector:
    return Vector(tuple(value + random.choice([-3, -1, 0, 1, 3]) * point.denominator for value in point.numerators), point.denominator)


def wall_dropped(one: Region, random: Random) -> Region:
    return without_wall(one, random.randrange(len(one.walls))) if one.walls else one


def facet_moved(one: Region, random: Random) -> Region:
    return replace(one, facets=tuple(replace(facet, point=moved(facet.point, random)) for facet in one.facets))


def facets_elsewhere(one: Region, random: Random) -> Region:
    return replace(one, facets=tuple(replace(facet, beyond=facet.beyond + random.choice([-1, 1])) for facet in one.facets))


def swapped(found: list[Region], random: Random) -> list[Region]:
    place = random.randrange(len(found))
    return [*found[:place], *reversed(found[place : place + 2]), *found[place + 2 :]]


def twice(found: list[Region], random: Random) -> list[Region]:
    place = random.randrange(len(found))
    return [*found[: place + 1], *found[place:]]


CHANGES = [
    deleted,
    merged,
    one_changed(lambda one, random: replace(one, point=moved(one.point, random))),
    one_changed(facet_moved),
    one_changed(facets_elsewhere),
    one_changed(wall_dropped),
    one_changed(lambda one, random: replace(one, borders=one.borders[1:])),
    one_changed(lambda one, random: replace(one, facets=one.facets[1:])),
    swapped,
    twice,
]


@examples(30)
@given(certified(), st.randoms(use_true_random=False))
def test_no_changed_list_of_regions_is_accepted_unless_it_is_true(case, random):
    network, domain, written = case
    found = list(written.found)
    facts = by_ppl(network, domain)
    assert facts is not None
    for change in CHANGES:
        changed = change(found, random)
        adjacencies = len(pairs(changed))
        for claimed in {(len(changed), adjacencies), (written.regions, written.adjacencies), (len(found), adjacencies + 1)}:
            mutant = RegionsCertificate(written.network, written.last, *claimed, tuple(changed), written.domain)
            if judge(network_text(network), mutant.text())[0]:
                event("accepted")
                assert claimed == counts(facts)


@examples(30)
@given(certified(), st.randoms(use_true_random=False))
def test_deleting_a_region_with_its_adjacencies_or_merging_two_is_rejected(case, random):
    network, _, written = case
    found = list(written.found)
    assume(len(found) > 1)
    for change in (deleted, merged):
        changed = change(found, random)
        mutant = RegionsCertificate(written.network, written.last, len(changed), len(pairs(changed)), tuple(changed), written.domain)
        assert not judge(network_text(network), mutant.text())[0]


@examples(15)
@given(certified(), st.randoms(use_true_random=False))
def test_a_changed_line_that_is_accepted_leaves_a_true_claim(case, random):
    network, domain, written = case
    facts = by_ppl(network, domain)
    assert facts is not None
    lines = written.text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("claim "))
    mutants = list(line_mutants(lines[start:]))
    for mutant in random.sample(mutants, min(40, len(mutants))):
        text = "\n".join([*lines[:start], *mutant]) + "\n"
        if judge(network_text(network), text)[0]:
            event("accepted")
            assert claim_of(text) == counts(facts)


@examples(25)
@given(certified(), st.data())
def test_regions_of_another_network_or_domain_are_accepted_only_where_they_are_its_own(case, data):
    _, domain, written = case
    n = case[0].inputs
    other = data.draw(networks(inputs=n, depth=len(case[0].layers)))
    assume(rectified_rows(other) <= 8)
    where = data.draw(domains(n))
    for tried, place in ((other, domain), (case[0], where)):
        text = replace(written, network=network_sha256(tried), domain=DomainLines(place.lines())).text()
        if judge(network_text(tried), text)[0]:
            event("accepted")
            facts = by_ppl(tried, place)
            assert facts is not None and claim_of(text) == counts(facts)


# ---------------------------------------------------------------- every rule by hand

LINE = network(1, ("all", [[0, 1], [-1, 1]]))
TWICE = network(1, ("all", [[0, 1], [0, -2]]))
CONSTANT = network(1, ("all", [[1, 0], [-1, 0], [0, 0]]))
CROSS = network(2, ("all", [[0, 1, 0], [0, 0, 1]]))
POINT = network(0, ("all", [[1]]))
ABSOLUTE = network(1, ("all", [[0, 1], [0, -1]]), ("all", [[0, 1, 1]]))
FREE = network(1, ("none", [[0, 1]]))

ALL, ORTHANT, UNIT = "domain all", "domain orthant", "domain box|lower 1 0|upper 1 1"
THREE = ["region 1 -1", "walls 1 0", "implied 1 1", "facet 0 1 1 0", "region 2 1", "walls 2 0 1", "implied", "facet 1 2 1 1"]
THREE += ["region 1 2", "walls 1 1", "implied 1 1"]
FOUR = ["region 1 -1 -1", "walls 2 0 1", "implied", "facet 0 2 1 0 -1", "facet 1 1 1 -1 0"]
FOUR += ["region 1 -1 1", "walls 2 0 1", "implied", "facet 0 3 1 0 1"]
FOUR += ["region 1 1 -1", "walls 2 0 1", "implied", "facet 1 3 1 1 0", "region 1 1 1", "walls 2 0 1", "implied"]
TWO = ["region 1 -1", "walls 1 0", "implied 1 1", "facet 0 1 1 0", "region 1 1", "walls 1 1", "implied 1 1"]
INSIDE = ["region 2 1", "walls 2 2 3", "implied 1 1 0 1 0 1", "border 0 1 0", "border 1 1 1"]
RIGHT = ["region 2 1", "walls 2 1 2", "implied 1 0 1", "facet 0 1 1 1", "border 1 1 0", "region 1 2", "walls 1 1", "implied 1 1 1 1"]
NOTHING_LEFT = ["walls 0", "implied"]


def changed(lines: list[str], place: int, *others: str) -> list[str]:
    return [*lines[:place], *others, *lines[place + 1 :]]


def regions_by_hand(
    text: str, domain: str, claim: str, *lines: str, scope: str = "through 1", subject: str = "network"
) -> tuple[bool, str]:
    head = ["data none", f"scope {scope}", *domain.split("|"), f"subject {subject}", f"claim regions {claim}"]
    return judge(text, certificate(text, *head, *lines))


@pytest.mark.parametrize(
    ("text", "domain", "claim", "lines", "scope"),
    [
        (LINE, ALL, "3 2", THREE, "1"),
        (LINE, UNIT, "1 0", INSIDE, "1"),
        (LINE, ORTHANT, "2 1", RIGHT, "1"),
        (TWICE, ALL, "2 1", TWO, "1"),
        (CONSTANT, ALL, "1 0", ["region 1 5", *NOTHING_LEFT], "1"),
        (CROSS, ALL, "4 4", FOUR, "1"),
        (POINT, ALL, "1 0", ["region 1", *NOTHING_LEFT], "1"),
        (FREE, ALL, "1 0", ["region 1 0", *NOTHING_LEFT], "1"),
        # the second layer is |x|, whose neuron is on on both sides of 0
        (ABSOLUTE, ALL, "2 1", changed(changed(TWO, 2, "implied 1 1 1 1"), 6, "implied 1 1 1 1"), "2"),
    ],
)
def test_certificates_by_hand_are_valid(text, domain, claim, lines, scope):
    valid, said = regions_by_hand(text, domain, claim, *lines, scope=f"through {scope}")
    assert valid, said


@pytest.mark.parametrize(
    ("text", "domain", "claim", "lines", "reason"),
    [
        (LINE, ALL, "2 2", THREE, "those that follow"),
        (LINE, ALL, "3 1", THREE, "not as many"),
        (LINE, ALL, "3 3", THREE, "not as many"),
        (LINE, ALL, "4 2", THREE, "`region` belongs"),
        (LINE, ALL, "0 0", [], "there is no region"),
        (LINE, ALL, "2 1", [*THREE[:-4], *THREE[-3:]], "neither a facet"),
        (LINE, ALL, "2 1", THREE[:-4], "neither a facet"),
        (LINE, ALL, "3 2", changed(THREE, 0, "region 1 0"), "boundary of another"),
        (LINE, ALL, "3 2", changed(THREE, 0, "region 1 3"), "does not follow from the walls"),
        (LINE, ALL, "3 2", changed(THREE, 4, "region 1 -1"), "does not follow that of the one before"),
        (LINE, ALL, "3 2", changed(THREE, 1, "walls 1 1"), "does not follow from the walls"),
        (LINE, ALL, "3 2", changed(THREE, 1, "walls 0"), "does not follow from the walls"),
        (LINE, ALL, "3 2", changed(THREE, 2, "implied 1 2"), "does not follow from the walls"),
        (LINE, ALL, "3 2", changed(THREE, 2, "implied 0 1"), "a denominator not positive"),
        (LINE, ALL, "3 2", changed(THREE, 2, "implied 0 0"), "a denominator not positive"),
        (LINE, ALL, "3 2", changed(THREE, 2, "implied -1 1"), "a denominator not positive"),
        (LINE, UNIT, "1 0", changed(INSIDE, 2, "implied 1 1 0 1 -1 0"), "a multiplier is negative"),
        (LINE, ALL, "3 2", changed(THREE, 2, "implied 1"), "where 2 belong"),
        (LINE, ALL, "3 2", changed(THREE, 2), "`implied` belongs"),
        (LINE, ALL, "3 2", changed(THREE, 3, "facet 0 1 1 1"), "inside the facet"),
        (LINE, ALL, "3 2", changed(THREE, 3, "facet 0 1 1 -1"), "inside the facet"),
        (LINE, ALL, "3 2", changed(THREE, 3, "facet 0 0 1 0"), "those that follow"),
        (LINE, ALL, "3 2", changed(THREE, 3, "facet 0 3 1 0"), "those that follow"),
        (LINE, ALL, "3 2", changed(THREE, 3, "facet 1 1 1 0"), "no such wall"),
        (LINE, ALL, "3 2", changed(THREE, 3, THREE[3], THREE[3]), "crossed twice"),
        (LINE, ALL, "3 2", changed(THREE, 3, "border 0 1 0"), "none of the domain's sides"),
        (LINE, ALL, "3 2", changed(THREE, 3), "neither a facet"),
        (LINE, UNIT, "1 0", changed(INSIDE, 0, "region 1 -1"), "not inside the domain"),
        (LINE, UNIT, "1 0", changed(INSIDE, 0, "region 1 1"), "boundary of another"),
        (LINE, UNIT, "1 0", changed(INSIDE, 4), "neither a facet"),
        (LINE, UNIT, "1 0", changed(INSIDE, 4, "border 1 1 0"), "inside the facet"),
        (LINE, UNIT, "1 0", changed(INSIDE, 4, "border 1 2 1"), "inside the facet"),
        (LINE, "domain ball 1 1", "1 0", ["region 2 1", *NOTHING_LEFT], "ball"),
        (LINE, "domain polytope 1|side 1 0", "3 2", THREE, "empty"),
        (FREE, "domain polytope 2|side 0 1|side 0 -1", "1 0", ["region 1 0", *NOTHING_LEFT], "not inside the domain"),
        (TWICE, ALL, "2 1", ["region 1 -1", "walls 2 0 1", "implied", *TWO[3:]], "inside the facet"),
        (CROSS, ALL, "4 4", changed(FOUR, 3, "facet 0 2 1 0 0"), "inside the facet"),
        (CROSS, ALL, "4 4", changed(changed(FOUR, 3, "facet 0 3 1 0 -1"), 8, "facet 0 2 1 0 1"), "inside the facet"),
        (CROSS, ALL, "4 4", changed(changed(FOUR, 3, "facet 0 1 1 0 -1"), 4, "facet 1 2 1 -1 0"), "not one of the region beyond"),
        (CROSS, ALL, "3 2", [*FOUR[:8], "region 1 1 -1", "walls 2 0 1", "implied"], "neither a facet"),
    ],
)
def test_every_rule_rejects(text, domain, claim, lines, reason):
    valid, said = regions_by_hand(text, domain, claim, *lines)
    assert not valid
    assert reason in said


def test_the_claim_is_one_through_layers_of_all_inputs():
    assert "none of" in regions_by_hand(LINE, ALL, "3 2", *THREE, scope="layer 1", subject="layer")[1]
    assert not regions_by_hand(LINE, ALL, "3", *THREE)[0]
    assert not regions_by_hand(LINE, ALL, "3 2 0", *THREE)[0]


# ---------------------------------------------------------------- what is not certified


def test_what_cannot_be_certified_is_refused_in_a_sentence():
    network = in_general_position([2, 4, 4, 1], 0)
    with pytest.raises(InvalidRequestError, match="not complete"):
        regions_certificate(network, regions(network, limit=3))
    plane = AffineSlice.through([RationalVector((0, 0)), RationalVector((1, 0)), RationalVector((0, 2))])
    with pytest.raises(InvalidRequestError, match="without a slice"):
        regions_certificate(network, regions(network, affine_slice=plane))
    flat = Box(RationalVector((0, 0)), RationalVector((0, 1)))
    with pytest.raises(InvalidRequestError, match="interior points"):
        regions_certificate(network, regions(network, domain=flat), flat)
    with pytest.raises(InvalidRequestError, match="no polyhedron"):
        regions_certificate(network, regions(network), Ball(Fraction(1)))
    with pytest.raises(InvalidRequestError, match="another layer"):
        regions_certificate(chained([layer(np.eye(3)[:2], np.array([True, False]))]), regions(network))


def test_the_regions_of_another_network_or_domain_are_not_certified():
    network, other = (in_general_position([2, 4, 4, 1], seed) for seed in (0, 1))
    box = Polytope(((1, 0), (-1, 0), (0, 1), (0, -1)), (-1, -1, -1, -1))
    for complex_, claimed in ((regions(other), AllSpace()), (regions(network), box), (regions(network, domain=box), AllSpace())):
        with pytest.raises(InvalidRequestError, match="not that of this network on this domain"):
            list(regions_certificate(network, complex_, claimed).lines())


def test_a_number_too_long_for_the_format_is_refused(monkeypatch):
    network = in_general_position([2, 4, 1], 0)
    monkeypatch.setattr(evidence, "_MOST_BITS", 50)
    with pytest.raises(InvalidRequestError, match="more than 50 bits"):
        regions_certificate(network, regions(network)).text()
