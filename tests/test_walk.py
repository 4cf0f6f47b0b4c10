"""A walk across facets gives what the subdivision, an independent algorithm, gives; what floats propose changes nothing."""

from __future__ import annotations

import json
import time
from collections import deque
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import examples
from theorems.test_R import Pattern, by_ppl, chained, in_general_position, layer, of_small_integers, rectified_rows, whole_complex

import exactrelu.demo
from exactrelu.domain import AllSpace, Ball, Box, Orthant, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact import least_squares
from exactrelu.exact.rational import RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.model import Layer
from exactrelu.network.readers import load
from exactrelu.regions import AffineSlice
from exactrelu.regions.walk import RegionWalk, signs, walk
from exactrelu.regions.walk import cell as cells
from exactrelu.regions.walk.cell import Cell
from exactrelu.regions.walk.proposals import Floats, Proposal, shortened
from exactrelu.regions.walk.rows import Rows
from exactrelu.strategies import domains, networks, rational_vectors

if TYPE_CHECKING:
    from exactrelu.network.model import Network

DIGITS = Path(exactrelu.demo.__file__).parent / "digits.onnx"


def facts(patterns: np.ndarray, pairs: Any, bounded: Any) -> tuple[dict[Pattern, bool], set[frozenset[Pattern]]]:
    """Which regions there are, whether each is bounded, and which share a facet, by patterns alone."""
    named = [tuple(row) for row in patterns.tolist()]
    adjacent = [frozenset([named[a], named[b]]) for a, b in pairs]
    assert len(set(named)) == len(named)
    assert len(set(adjacent)) == len(adjacent)
    return dict(zip(named, bounded, strict=True)), set(adjacent)


def facts_of_walk(found: RegionWalk) -> tuple[dict[Pattern, bool], set[frozenset[Pattern]]]:
    assert found.complete
    assert found.stopped_by is None
    assert list(found.frontier) == []
    return facts(found.patterns, found.neighbours, found.bounded)


def facts_of_complex(network: Network, **options: Any) -> tuple[dict[Pattern, bool], set[frozenset[Pattern]]]:
    found = whole_complex(network, **options)
    return facts(found.patterns(), found.neighbours.tolist(), found.bounded.tolist())


def pattern_at(network: Network, x: RationalVector) -> list[bool]:
    masks = network.activation_pattern(x)
    return np.concatenate([mask[one.rectified] for mask, one in zip(masks, network.layers, strict=True)]).tolist()


# ---------------------------------------------------------------- the same answer as another algorithm


@examples(60)
@given(networks(), st.data())
def test_a_walk_finds_the_complex_of_a_degenerate_network_on_a_domain(network, data):
    assume(network.inputs <= 3 and rectified_rows(network) <= 8)
    domain = data.draw(domains(network.inputs))
    try:
        expected = facts_of_complex(network, domain=domain)
    except InvalidRequestError:
        with pytest.raises(InvalidRequestError, match="domain is empty"):
            walk(network, domain=domain)
        return
    found = walk(network, domain=domain)
    assert facts_of_walk(found) == expected
    for region in range(found.seen):
        point = found.interior_point(region)
        assert domain.contains(point)
        assert pattern_at(network, point) == found.patterns[region].tolist()


@examples(30)
@given(networks(), st.data())
def test_a_walk_on_a_slice_finds_the_complex_of_the_slice(network, data):
    n = network.inputs
    assume(n >= 2 and rectified_rows(network) <= 7)
    points = [data.draw(rational_vectors(n)) for _ in range(data.draw(st.integers(1, min(n, 3))))]
    domain = data.draw(domains(n, near=points[0]))
    try:
        plane = AffineSlice.through(points)
        expected = facts_of_complex(network, domain=domain, affine_slice=plane)
    except InvalidRequestError:
        assume(False)
    found = walk(network, domain=domain, affine_slice=plane)
    assert facts_of_walk(found) == expected
    assert all(pattern_at(network, plane.point(found.interior_point(i))) == found.patterns[i].tolist() for i in range(found.seen))


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_networks_of_small_integers_have_the_regions_and_walls_of_their_complex(inputs):
    several = 0
    for seed in range(60):
        network = of_small_integers(inputs, seed)
        found = walk(network)
        assert facts_of_walk(found) == facts_of_complex(network)
        assert found.lineality == len(whole_complex(network).lineality)
        for pair, (one, other) in enumerate(found.neighbours):
            assert found.flipped(pair) == tuple(np.flatnonzero(found.patterns[one] != found.patterns[other])) != ()
        several += sum(count for flips, count in found.flips.items() if flips > 1)
    assert several > 0


@pytest.mark.parametrize("seed", range(8))
def test_a_walk_finds_what_ppl_finds(seed):
    network = of_small_integers(2, seed)
    for domain in (AllSpace(), Orthant(), Box(RationalVector((-1, 0)), RationalVector((1, 2)))):
        expected = by_ppl(network, domain)
        assert facts_of_walk(walk(network, domain=domain)) == (expected.bounded, expected.adjacent)


@pytest.mark.parametrize(("d", "m"), [(1, 7), (3, 6), (8, 7), (8, 9)])
def test_one_layer_in_general_position_has_the_numbers_of_the_formulas(d, m):
    found = walk(in_general_position([d, m, 1], d))
    assert found.complete
    assert found.explored == sum(comb(m, k) for k in range(d + 1))
    # Every hyperplane is cut into regions by the others, one dimension lower.
    assert found.adjacencies == m * sum(comb(m - 1, k) for k in range(d))
    assert found.bounded.count(True) == comb(m - 1, d)
    assert found.flips == {1: found.adjacencies}
    assert found.lineality == max(0, d - m)


def test_degenerate_networks_have_their_true_number_of_regions(shared):
    folder = shared / "networks" / "degenerate"
    truth: dict[str, Any] = json.loads((folder / "TRUTH.json").read_text())
    for name, number in truth.items():
        if number < 60:
            found = walk(load(folder / name))
            assert (name, found.explored, found.complete) == (name, number, True)


def test_ties_in_64_dimensions_are_decided_at_once():
    # The walls of the second region nearly touch in corners where floats are wrong; the simplex method took minutes.
    begun = time.process_time()
    found = walk(load(DIGITS), begin=RationalVector((0,) * 64), limit=2)
    assert (found.explored, found.bounded, found.flips) == (2, (False, False), {1: 315})
    assert time.process_time() - begun < 20
    for region in range(0, found.seen, 40):
        assert pattern_at(load(DIGITS), found.interior_point(region)) == found.patterns[region].tolist()


# ---------------------------------------------------------------- floats only propose


def garbage(self: Floats, row: int, others: list[int]) -> Proposal:
    generator = np.random.default_rng([row, *others])
    direction, weights = None, None
    if generator.random() < 0.5:
        direction = tuple(generator.integers(-9, 10, self.normals.shape[1]).tolist())
    if generator.random() < 0.5:
        weights = generator.random(len(others) + 1) * generator.integers(0, 2, len(others) + 1)
    return Proposal(direction, weights)


@pytest.mark.parametrize(
    "proposal", [garbage, lambda *_: Proposal(None, None), lambda self, row, _: Proposal(shortened(self.normals[row]), None)]
)
def test_whatever_floats_propose_the_answer_is_the_same(monkeypatch, proposal):
    monkeypatch.setattr(Floats, "about", proposal)
    monkeypatch.setattr(Floats, "rays", lambda *_: [])
    monkeypatch.setattr(least_squares, "_carriers", lambda vectors, _: list(range(0, len(vectors), 2)))
    for seed in range(12):
        network = of_small_integers(1 + seed % 3, seed)
        assert facts_of_walk(walk(network)) == facts_of_complex(network)


@examples(30)
@given(networks(), st.data())
def test_bounds_kept_apart_change_nothing(network, data):
    assume(network.inputs <= 3 and rectified_rows(network) <= 7)
    n = network.inputs
    lower, upper = (data.draw(st.lists(st.fractions(low, low + 2, max_denominator=4), min_size=n, max_size=n)) for low in (-3, 0))
    box = Box(RationalVector.from_fractions(lower), RationalVector.from_fractions(upper))
    domain = data.draw(st.sampled_from([box, Orthant()]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "_MANY_SIDES", 0)
        found = walk(network, domain=domain)
    assert facts_of_walk(found) == facts_of_complex(network, domain=domain)


def test_rays_that_meet_several_walls_at_once_are_moved():
    # From the middle of a cube every diagonal ends in a corner, and the walls of the network are sides of a smaller cube.
    cube = Box(RationalVector((-2,) * 3), RationalVector((2,) * 3))
    rows = np.vstack([np.hstack([np.eye(3), -np.ones((3, 1))]), np.hstack([-np.eye(3), -np.ones((3, 1))])])
    network = chained([layer(rows, np.ones(6, dtype=bool))])
    found = walk(network, domain=cube)
    assert facts_of_walk(found) == facts_of_complex(network, domain=cube)
    assert (found.explored, found.adjacencies) == (27, 54)
    cell = Cell(Rows(((1, 0, -1), (0, 1, -1), (1, 1, -2)), 2), Rows((), 2), (0, 0, 1))
    hit = cell._hit((1, 1))
    assert hit is not None
    assert hit.row in {0, 1}


# ---------------------------------------------------------------- where it begins and where it stops


@examples(40)
@given(networks(), st.data())
def test_a_walk_begins_in_a_region_whose_closure_holds_the_point(network, data):
    x = data.draw(rational_vectors(network.inputs))
    domain = data.draw(domains(network.inputs, near=x))
    if not domain.contains(x):
        with pytest.raises(InvalidRequestError, match="outside the domain"):
            walk(network, domain=domain, begin=x)
        return
    found = walk(network, domain=domain, begin=x, limit=0)
    assert (found.seen, found.explored, found.stopped_by) == (1, 0, "limit")
    inside = found.interior_point(0)
    # Lineality moves the point inside, but not the pattern.
    for step in (Fraction(1), Fraction(1, 2), Fraction(1, 2**60)):
        between = [a + step * (b - a) for a, b in zip(x.fractions(), inside.fractions(), strict=True)]
        assert pattern_at(network, RationalVector.from_fractions(between)) == found.patterns[0].tolist()


@pytest.mark.parametrize("limit", [1, 5, 40])
def test_at_a_limit_what_was_seen_is_part_of_the_whole(limit):
    network = in_general_position([3, 6, 6, 1], 2)
    begin = RationalVector((1, 0, 2), 3)
    whole, part = walk(network, begin=begin), walk(network, begin=begin, limit=limit)
    assert (part.explored, part.complete, part.stopped_by) == (limit, False, "limit")
    assert part.patterns.tolist() == whole.patterns[: part.seen].tolist()
    assert part.neighbours == whole.neighbours[: part.adjacencies]
    # All facets of explored regions are known, and those between regions of the frontier are not.
    assert set(part.neighbours) == {pair for pair in whole.neighbours if min(pair) < limit}
    assert part.bounded == whole.bounded[:limit]


def test_regions_are_explored_in_the_order_of_their_distance():
    found = walk(in_general_position([2, 6, 5, 1], 1))
    distance = {0: 0}
    waiting = deque([0])
    while waiting:
        region = waiting.popleft()
        for pair in found.neighbours:
            if region in pair and (other := sum(pair) - region) not in distance:
                distance[other] = distance[region] + 1
                waiting.append(other)
    assert [distance[region] for region in range(found.seen)] == sorted(distance.values())


def test_after_its_deadline_only_the_first_region_is_known():
    network = in_general_position([8, 20, 1], 2)
    found = walk(network, deadline=time.monotonic() - 1)
    assert (found.explored, found.seen, found.complete, found.stopped_by) == (0, 1, False, "time")
    assert pattern_at(network, found.interior_point(0)) == found.patterns[0].tolist()


def test_a_domain_in_a_hyperplane_a_point_and_no_relu():
    network = chained([layer(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, -1]]), np.ones(3, dtype=bool))])
    plane = Polytope(((1, 2, 3), (-1, -2, -3)), (-4, 4))
    found = walk(network, domain=plane, begin=RationalVector((4, 0, 0)))
    assert (found.explored, found.adjacencies, found.lineality) == (7, 9, 0)
    assert all(plane.contains(found.interior_point(region)) for region in range(7))
    point = RationalVector((1, 2, 5), 7)
    single = walk(network, domain=Box(point, point))
    assert (single.explored, single.adjacencies, single.bounded, single.interior_point(0)) == (1, 0, (True,), point)
    affine = chained([layer(np.array([[1, 2, 3]]), np.zeros(1, dtype=bool))])
    assert (walk(affine).explored, walk(affine).lineality, walk(affine).bounded) == (1, 2, (False,))


def test_many_inputs_and_few_neurons_are_walked_in_few_coordinates():
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((5, 301))
    found = walk(chained([layer(rows, np.ones(5, dtype=bool))]), begin=RationalVector(tuple(range(300))))
    assert (found.explored, found.adjacencies, found.lineality) == (32, 80, 295)
    assert found.interior_point(0).numerators[-1] in {0, 299}


def test_sparse_layers_are_walked_as_dense_ones_are(monkeypatch):
    for seed in range(6):
        network = of_small_integers(2, seed)
        expected = walk(network)
        sparse = chained([Layer(SparseMatrix.from_dense(one.weight), one.bias, one.rectified) for one in network.layers])
        monkeypatch.setattr(signs, "_DENSE_ENTRIES", 0)
        found = walk(sparse)
        assert facts_of_walk(found) == facts_of_walk(expected)
        assert [found.interior_point(i) for i in range(found.seen)] == [expected.interior_point(i) for i in range(expected.seen)]


def test_an_encoder_of_images_is_walked(shared):
    from exactrelu.points import read_points

    network = load(shared / "networks" / "trained" / "mnist_encoder_784_128_8.onnx")
    image = read_points(shared / "data" / "mnist_test_1000.npz", shape=(784,), inputs=784, scale=Fraction(1, 255), rows="0:1").rows[0]
    found = walk(network, begin=image, limit=1)
    # 128 independent hyperplanes: every region has 128 facets.
    assert (found.explored, found.seen, found.lineality, found.bounded) == (1, 129, 656, (False,))
    assert found.patterns[0].tolist() == pattern_at(network, image)
    assert pattern_at(network, found.interior_point(77)) == found.patterns[77].tolist()


def test_bad_requests_are_refused_in_one_line():
    network = in_general_position([2, 3, 1], 0)
    for words, options in (
        ("2 inputs", {"domain": Box(RationalVector((0,)), RationalVector((1,)))}),
        ("domain is empty", {"domain": Polytope(((1, 0), (-1, 0)), (1, 1))}),
        ("use a box or a polytope", {"domain": Ball(Fraction(1))}),
        ("give points of the network's input space", {"affine_slice": AffineSlice(RationalVector((0,)), ())}),
        ("give as many", {"begin": RationalVector((0,))}),
        ("outside the domain", {"begin": RationalVector((-1, 0)), "domain": Orthant()}),
        ("there is no layer", {"through": 9}),
    ):
        with pytest.raises(InvalidRequestError, match=words) as raised:
            walk(network, **options)
        assert "\n" not in str(raised.value)


# ---------------------------------------------------------------- written


def test_the_record_is_json_and_the_lines_say_what_was_not_explored():
    rows = np.array([[1, 0, -1], [2, 0, -2], [-1, 0, 1], [0, 1, 0]])
    network = chained([layer(rows, np.ones(4, dtype=bool))])
    found = walk(network, begin=RationalVector((0, 1), 3), limit=2)
    held = json.loads(json.dumps(found.record()))
    assert [one["pattern"] for one in held["explored"]] == ["0011", "1101"]
    assert [one["pattern"] for one in held["frontier"]] == ["0010", "1100"]
    assert held["adjacencies"] == [
        {"regions": [0, 1], "flipped": [0, 1, 2]},
        {"regions": [0, 2], "flipped": [3]},
        {"regions": [1, 3], "flipped": [3]},
    ]
    assert (held["complete"], held["stopped_by"], held["lineality"]) == (False, "limit", 0)
    assert [Fraction(value) for value in held["explored"][0]["point"]] == found.interior_point(0).fractions()
    text = "\n".join(found.lines())
    assert "2  regions explored, 0 of them bounded, 2 unbounded" in text
    assert "1  of these facets flip several neurons at once, up to 3" in text
    assert "there are at least 4 regions" in text
    assert "these are all regions" in "\n".join(walk(network).lines())
