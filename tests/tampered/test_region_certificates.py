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
from exactrelu.certificates.regions import Cell, RegionsCertificate
from exactrelu.checker.arithmetic import Kernels
from exactrelu.domain import AllSpace, Ball, Box, Orthant, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.fast_checker import FastKernels
from exactrelu.network.exact_file import _lines, network_sha256
from exactrelu.regions import AffineSlice, regions
from exactrelu.regions.evidence import regions_certificate
from exactrelu.strategies import domains, networks, rational_vectors

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
    """A small network, a domain, and the certificate of the regions."""
    network = draw(networks())
    assume(network.inputs <= 3 and rectified_rows(network) <= 8)
    domain = draw(domains(network.inputs))
    try:
        found = regions(network, domain=domain)
    except InvalidRequestError:
        assume(False)  # the domain is empty
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
    assert f": {written.regions} activation regions, {written.adjacencies} adjacencies" in said


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


@examples(30)
@given(networks(), st.data())
def test_the_regions_on_slices_are_certified(network, data):
    n = network.inputs
    assume(2 <= n <= 4 and rectified_rows(network) <= 8)
    points = [data.draw(rational_vectors(n)) for _ in range(data.draw(st.integers(1, min(n, 3))))]
    domain = data.draw(domains(n, near=points[0]))
    try:
        plane = AffineSlice.through(points)
        found = regions(network, domain=domain, affine_slice=plane)
    except InvalidRequestError:
        assume(False)  # the points are dependent, or the domain is empty
    written = regions_certificate(network, found, domain)
    valid, said = judge(network_text(network), written.text())
    assert valid, said
    assert said.endswith(f"{found.regions} activation regions, {found.adjacencies} adjacencies, on a slice of dimension {found.dimension}")


def test_a_domain_in_a_hyperplane_is_certified_on_its_affine_hull():
    network = in_general_position([3, 6, 4, 1], 0)
    flat = Box(RationalVector((0, -2, -3)), RationalVector((0, 1, 5)))
    written = regions_certificate(network, regions(network, domain=flat), flat)
    assert written.slice is not None and len(written.slice.directions) == 2
    assert judge(network_text(network), written.text())[0]


# ---------------------------------------------------------------- regions deleted, merged, cells changed


def without_bit(mask: int, place: int) -> int:
    return mask & ((1 << place) - 1) | mask >> place + 1 << place


def subtree(cells: list[Cell], place: int) -> int:
    """Where the part of the list ends that is the tree below a cell."""
    missing = 1
    while missing:
        missing += 1 if cells[place].cut is not None else -1
        place += 1
    return place


def rows_of(cells: list[Cell]) -> list[int]:
    """How many rows every cell has; of the first one, the domain's sides, at least so many."""
    counts, waiting = [], [max(mask.bit_length() for mask in (cells[0].mask, *cells[0].cones))]
    for cell in cells:
        counts.append(waiting.pop())
        if cell.cut is not None:
            waiting += [cell.mask.bit_count() + 1] * 2
    return counts


def pulled_up(part: list[Cell], parent: Cell, rows: int) -> list[Cell]:
    """A tree in the place of its parent: the rows that the parent left out are there, and the one that it added is not."""
    numbers = [i for i in range(rows) if parent.mask >> i & 1]
    changed, waiting = [], [[*numbers, None]]
    for cell in part:
        own = waiting.pop()

        def moved(mask: int, own: list[int | None] = own) -> int:
            return sum(1 << number for i, number in enumerate(own) if number is not None and mask >> i & 1)

        changed.append(replace(cell, mask=moved(cell.mask), cones=tuple(moved(mask) for mask in cell.cones)))
        if cell.cut is not None:
            # the rows of the parts are those kept, in order, and a new one
            kept = [number for i, number in enumerate(own) if number is not None and cell.mask >> i & 1]
            waiting += [[*range(len(kept)), len(kept)]] * 2
    return changed


def deleted(cells: list[Cell], rows: list[int], random: Random) -> list[Cell]:
    """Without one region, and its adjacencies: its cell is the part that is left."""
    places = [i for i, cell in enumerate(cells) if cell.cut is not None]
    assume(places)
    place = random.choice(places)
    middle, end = subtree(cells, place + 1), subtree(cells, place)
    part = cells[place + 1 : middle] if random.random() < 0.5 else cells[middle:end]
    first, *rest = pulled_up(part, cells[place], rows[place])
    return [*cells[:place], replace(first, cones=(*cells[place].cones, *first.cones)), *rest, *cells[end:]]


def merged(cells: list[Cell], rows: list[int], random: Random) -> list[Cell]:
    """Two regions that are the parts of one cell, as one region."""
    places = [i for i in range(len(cells) - 2) if cells[i].cut is not None and cells[i + 1].cut is cells[i + 2].cut is None]
    assume(places)
    place = random.choice(places)
    first, second = (pulled_up([cells[i]], cells[place], rows[place])[0] for i in (place + 1, place + 2))
    one = Cell(None, first.mask | second.mask, (*cells[place].cones, *first.cones, *second.cones), (*first.points, *second.points))
    return [*cells[:place], one, *cells[place + 3 :]]


def one_changed(change: Callable[[Cell, int, Random], Cell]) -> Callable[[list[Cell], list[int], Random], list[Cell]]:
    def mutant(cells: list[Cell], rows: list[int], random: Random) -> list[Cell]:
        place = random.randrange(len(cells))
        return [*cells[:place], change(cells[place], rows[place], random), *cells[place + 1 :]]

    return mutant


def flipped(mask: int, rows: int, random: Random) -> int:
    return mask ^ 1 << random.randrange(rows) if rows else mask


def cone_flipped(cell: Cell, rows: int, random: Random) -> Cell:
    if not cell.cones:
        return cell
    place = random.randrange(len(cell.cones))
    return replace(cell, cones=(*cell.cones[:place], flipped(cell.cones[place], rows, random), *cell.cones[place + 1 :]))


def region_instead(cells: list[Cell], rows: list[int], random: Random) -> list[Cell]:
    """A cell that is cut, as a region."""
    place = random.randrange(len(cells))
    return [*cells[:place], replace(cells[place], cut=None), *cells[subtree(cells, place) :]]


CHANGES = [
    deleted,
    merged,
    region_instead,
    one_changed(cone_flipped),
    one_changed(lambda cell, rows, random: replace(cell, mask=flipped(cell.mask, rows, random))),
    one_changed(lambda cell, rows, random: replace(cell, cones=cell.cones[1:])),
    one_changed(lambda cell, rows, random: replace(cell, cones=(*cell.cones, random.randrange(1 << rows)))),
    one_changed(lambda cell, rows, random: replace(cell, cut=None if cell.cut is None else random.randrange(8))),
    one_changed(lambda cell, rows, random: replace(cell, points=(Vector((random.randrange(-3, 4),) * (rows % 4), 1),))),
    one_changed(lambda cell, rows, random: replace(cell, points=cell.points[1:])),
]


def facets(cells: list[Cell]) -> int:
    return sum(cell.mask.bit_count() for cell in cells if cell.cut is None)


def leaves(cells: list[Cell]) -> int:
    return sum(cell.cut is None for cell in cells)


@examples(12)
@given(certified(), st.randoms(use_true_random=False))
def test_no_changed_tree_is_accepted_unless_it_is_true(case, random):
    network, _, written = case
    cells = list(written.cells)
    rows = rows_of(cells)
    expected = written.regions, written.adjacencies
    for change in CHANGES:
        changed = change(cells, rows, random)
        for claimed in {(leaves(changed), facets(changed)), expected, (leaves(cells), facets(changed) + 1)}:
            mutant = replace(written, regions=claimed[0], adjacencies=claimed[1], cells=tuple(changed))
            if judge(network_text(network), mutant.text())[0]:
                event("accepted")
                assert claimed == expected


@examples(25)
@given(certified(), st.randoms(use_true_random=False))
def test_deleting_a_region_with_its_adjacencies_or_merging_two_is_rejected(case, random):
    network, _, written = case
    cells = list(written.cells)
    assume(leaves(cells) > 1)
    for change in (deleted, merged, region_instead):
        changed = change(cells, rows_of(cells), random)
        if leaves(changed) < leaves(cells):
            mutant = replace(written, regions=leaves(changed), adjacencies=facets(changed), cells=tuple(changed))
            assert not judge(network_text(network), mutant.text())[0]


@examples(15)
@given(certified(), st.randoms(use_true_random=False))
def test_a_changed_line_that_is_accepted_leaves_a_true_claim(case, random):
    network, domain, written = case
    # on another slice there are other regions
    assume(written.slice is None)
    facts = by_ppl(network, domain)
    assert facts is not None
    lines = written.text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("claim "))
    mutants = list(line_mutants(lines[start:]))
    for mutant in random.sample(mutants, min(60, len(mutants))):
        text = "\n".join([*lines[:start], *mutant]) + "\n"
        if judge(network_text(network), text)[0]:
            event("accepted")
            assert claim_of(text) == counts(facts)


@examples(25)
@given(certified(), st.data())
def test_regions_of_another_network_or_domain_are_accepted_only_where_they_are_its_own(case, data):
    _, domain, written = case
    assume(written.slice is None)
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
THREE = ["tree", "cut 0 0", "region 0 1", "cut 1 1", "region 1 1 2", "region 2 2"]
FOUR = ["tree", "cut 0 0", "cut 1 1", "region 0 3", "region 2 3", "cut 1 1", "region 1 3", "region 3 3"]
TWO = ["tree", "cut 0 0", "region 0 1", "region 1 1"]
INSIDE = ["tree", "region 0 1 2"]
RIGHT = ["tree", "cut 1 1 1", "region 0 1", "region 2 2"]
PYRAMID = network(2, ("all", [[0, 1, 1], [0, 1, -1]]), ("all", [[-1, 1, 1]]))


def changed(lines: list[str], place: int, *others: str) -> list[str]:
    return [*lines[:place], *others, *lines[place + 1 :]]


def regions_by_hand(
    text: str, domain: str, claim: str, *lines: str, scope: str = "through 1", subject: str = "network"
) -> tuple[bool, str]:
    head = ["data none", f"scope {scope}", *domain.split("|"), *f"subject {subject}".split("|"), f"claim regions {claim}"]
    return judge(text, certificate(text, *head, *lines))


@pytest.mark.parametrize(
    ("text", "domain", "claim", "lines", "scope"),
    [
        (LINE, ALL, "3 2", THREE, "1"),
        (LINE, UNIT, "1 0", INSIDE, "1"),
        (LINE, ORTHANT, "2 1", RIGHT, "1"),
        (TWICE, ALL, "2 1", TWO, "1"),
        (TWICE, ALL, "2 1", changed(TWO, 3, "region 1 1", "point 1 3", "point 3 -1"), "1"),
        (CONSTANT, ALL, "1 0", ["tree", "region 0 0"], "1"),
        (CROSS, ALL, "4 4", FOUR, "1"),
        (POINT, ALL, "1 0", ["tree", "region 0 0"], "1"),
        (FREE, ALL, "1 0", ["tree", "region 0 0"], "1"),
        (FREE, ALL, "1 0", ["tree", "region 0", "point 1 5"], "1"),
        # the second layer is |x|, whose neuron is on on both sides of 0
        (ABSOLUTE, ALL, "2 1", TWO, "2"),
    ],
)
def test_certificates_by_hand_are_valid(text, domain, claim, lines, scope):
    valid, said = regions_by_hand(text, domain, claim, *lines, scope=f"through {scope}")
    assert valid, said


@pytest.mark.parametrize(
    ("text", "domain", "claim", "lines", "reason"),
    [
        (LINE, ALL, "2 2", THREE, "not as many"),
        (LINE, ALL, "3 1", THREE, "not as many"),
        (LINE, ALL, "4 2", THREE, "not as many"),
        (LINE, ALL, "0 0", ["tree"], "belongs"),
        (LINE, ALL, "3 2", THREE[1:], "`region` belongs"),
        (LINE, ALL, "3 2", THREE[:-1], "belongs"),
        (LINE, ALL, "3 2", [*THREE, "region 2 2"], "`end` belongs"),
        (LINE, ALL, "2 1", ["tree", "cut 0 0", "region 0 1", "region 1 1"], "both signs"),
        (LINE, ALL, "2 1", ["tree", "cut 1 0", "region 0 1", "region 1 1"], "both signs"),
        (LINE, ALL, "3 2", changed(THREE, 2, "region 0"), "both signs"),
        (LINE, ALL, "3 2", changed(THREE, 1, "cut 2 0"), "no such neuron"),
        (LINE, ALL, "4 3", changed(THREE, 2, "cut 1 1 1", "region 0 1", "region 2 2"), "no such neuron"),
        (LINE, ALL, "4 3", changed(THREE, 3, "cut 0 1", "region 0 1", "region 1 1"), "no such neuron"),
        (LINE, ALL, "3 2", changed(THREE, 1, "cut 0 1"), "beyond its 0 elements"),
        (LINE, ALL, "3 2", changed(THREE, 2, "region 0 2"), "does not exist"),
        (LINE, ALL, "3 2", changed(THREE, 2, "region 0 -1"), "does not exist"),
        (LINE, ALL, "3 2", changed(THREE, 4, "region 1 1 3"), "not independent"),
        (LINE, ALL, "3 3", changed(THREE, 4, "region 3 1 2"), "no facet that counts"),
        (LINE, ALL, "3 3", changed(THREE, 5, "region 3 2"), "no facet that counts"),
        (LINE, ALL, "3 1", changed(THREE, 4, "region 0 1 2"), "does not follow from others"),
        (LINE, ALL, "3 2", changed(THREE, 3, "cut 1 0"), "left out, but does not follow"),
        (LINE, ALL, "3 2", changed(THREE, 3, "cut 1 0 1"), "left out, but does not follow"),
        (LINE, ALL, "3 1", changed(THREE, 5, "region 0 2 1"), "does not follow from others"),
        (LINE, ALL, "3 3", changed(changed(THREE, 3, "cut 1 1 1"), 5, "region 3 2"), "no facet that counts"),
        (LINE, ALL, "3 3", changed(THREE, 5, "region 3 2", "point 1 -1"), "neither inside"),
        (CROSS, ALL, "2 1", TWO, "both signs"),
        (CROSS, ALL, "4 2", ["tree", "cut 0 0", *["cut 1 0 0", "region 0 1", "region 1 1"] * 2], "left out, but does not follow"),
        (TWICE, ALL, "2 1", changed(TWO, 3, "region 1 1", "point 1 0"), "neither inside"),
        (TWICE, ALL, "2 1", changed(TWO, 3, "region 1 1", "point 0 1"), "is 0"),
        (TWICE, ALL, "2 1", changed(TWO, 3, "region 1 1", "point 1 1 1"), "where 1 belong"),
        (FREE, ALL, "1 0", ["tree", "region 0"], "no interior points"),
        (FREE, UNIT, "1 0", ["tree", "region 0", "point 1 2"], "no interior points"),
        (FREE, UNIT, "1 0", ["tree", "region 0", "point 1 1"], "neither inside"),
        (LINE, UNIT, "1 0", ["tree", "region 1 1 2"], "no facet that counts"),
        (LINE, UNIT, "2 1", ["tree", "cut 0 3", "region 0 3", "region 4 1 2"], "not independent"),
        (LINE, "domain ball 1 1", "1 0", INSIDE, "ball"),
        (LINE, "domain polytope 1|side 1 0", "3 2", THREE, "empty"),
        (FREE, "domain polytope 2|side 0 1|side 0 -1", "1 0", ["tree", "region 0 1"], "no interior points"),
    ],
)
def test_every_rule_rejects(text, domain, claim, lines, reason):
    valid, said = regions_by_hand(text, domain, claim, *lines)
    assert not valid
    assert reason in said


@pytest.mark.parametrize(
    ("lines", "claim", "reason"),
    [
        ("slice 1|origin 1 0 5|direction 1 1 0", "2 1", None),
        ("slice 1|origin 2 1 -3|direction 3 5 0", "2 1", None),
        ("slice 1|origin 1 0 5|direction 1 1 1", "2 1", "both signs"),
        ("slice 1|origin 1 0 5|direction 1 0 0", "2 1", "not independent"),
        ("slice 2|origin 1 0 5|direction 1 1 2|direction 1 2 4", "2 1", "not independent"),
        ("slice 3|origin 1 0 5|direction 1 1 0", "2 1", "larger than"),
        ("slice 1|origin 1 0 5", "2 1", "`direction` belongs"),
        ("slice 1|direction 1 1 0|origin 1 0 5", "2 1", "`origin` belongs"),
        ("slice 1|origin 0 0 5|direction 1 1 0", "2 1", "is 0"),
    ],
)
def test_a_slice_by_hand(lines, claim, reason):
    """The x-axis, or one parallel to it, meets one of the two lines of the cross."""
    valid, said = regions_by_hand(CROSS, ALL, claim, "tree", "cut 0 0", "region 0 1", "region 1 1", subject=f"network|{lines}")
    if reason is None:
        assert valid, said
        assert said.endswith("2 activation regions, 1 adjacencies, on a slice of dimension 1")
    else:
        assert not valid and reason in said


def test_a_slice_outside_the_domain_holds_nothing():
    plane = "network|slice 1|origin 1 0 -5|direction 1 1 0"
    assert "empty" in regions_by_hand(CROSS, ORTHANT, "1 0", "tree", "region 0 0", subject=plane)[1]


def test_the_claim_is_one_through_layers_of_all_inputs():
    assert "none of" in regions_by_hand(LINE, ALL, "3 2", *THREE, scope="layer 1", subject="layer")[1]
    assert not regions_by_hand(LINE, ALL, "3", *THREE)[0]
    assert not regions_by_hand(LINE, ALL, "3 2 0", *THREE)[0]


# ---------------------------------------------------------------- what is not certified


def test_what_cannot_be_certified_is_refused_in_a_sentence():
    network = in_general_position([2, 4, 4, 1], 0)
    with pytest.raises(InvalidRequestError, match="not complete"):
        regions_certificate(network, regions(network, limit=3))
    with pytest.raises(InvalidRequestError, match="not that of this network"):
        regions_certificate(in_general_position([3, 4, 4, 1], 0), regions(network))
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
