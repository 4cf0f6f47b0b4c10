"""I11 to I15: injectivity of whole networks. Second opinion: PPL on all pairs of closed sign cells, and closed formulas."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import examples, in_domain
from theorems.whole_networks import DOUBLED, chained, is_injective, layer, neurons, sign_cells, skipping, small_networks

from exactrelu.domain import AllSpace, Box, Domain, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.injectivity.network import network_injectivity
from exactrelu.injectivity.network.by_regions import by_regions
from exactrelu.injectivity.network.expansion import inverse_of_maps
from exactrelu.injectivity.network.meeting import meeting
from exactrelu.injectivity.network.monotone import monotone, proved
from exactrelu.injectivity.network.pairs import pairs
from exactrelu.injectivity.network.pieces import OutOfTimeError, Pieces
from exactrelu.injectivity.network.residual import residual
from exactrelu.injectivity.network.square import by_one_value, by_orientation
from exactrelu.regions import regions
from exactrelu.strategies import domains

if TYPE_CHECKING:
    from exactrelu.network.model import Network

# ---------------------------------------------------------------- what is asked


def assert_is_collision(network: Network, domain: Domain, found: Any) -> None:
    x, y = found.collision.x, found.collision.y
    assert x != y
    assert in_domain(domain, x.fractions()) and in_domain(domain, y.fractions())
    assert network(x) == network(y) == found.collision.value


def box(low: int, high: int, n: int = 2) -> Box:
    return Box(RationalVector((low,) * n), RationalVector((high,) * n))


# ---------------------------------------------------------------- the whole cascade


@examples(60)
@given(small_networks(), st.data())
def test_I11_the_verdict_is_that_of_all_pairs_of_cells(network, data):
    assume(neurons(network) <= 7)
    domain = data.draw(domains(network.inputs))
    try:
        found = network_injectivity(network, domain=domain)
    except InvalidRequestError:
        assert not sign_cells(network, domain)
        return
    assert found.verdict == ("injective" if is_injective(network, domain) else "not-injective")
    if found.verdict == "not-injective":
        assert_is_collision(network, domain, found)


@examples(60)
@given(small_networks(), st.data())
def test_I11_to_I14_the_verdict_by_regions_alone(network, data):
    assume(neurons(network) <= 7)
    domain = data.draw(domains(network.inputs))
    try:
        found = by_regions(network, domain, None, None)
    except InvalidRequestError:
        assert not sign_cells(network, domain)
        return
    assert found.verdict == ("injective" if is_injective(network, domain) else "not-injective")
    if found.verdict == "not-injective":
        assert_is_collision(network, domain, found)


# ---------------------------------------------------------------- one argument at a time


@examples(50)
@given(small_networks(), st.data())
def test_I11_pairs_of_regions_decide_where_each_is_injective(network, data):
    assume(neurons(network) <= 6)
    domain = data.draw(st.one_of(st.just(AllSpace()), domains(network.inputs)))
    try:
        pieces = Pieces(network.layers, regions(network, domain=domain))
    except InvalidRequestError:
        return
    assume(all(pieces.is_injective_on(region) for region in range(pieces.count)))
    found = pairs(pieces, pieces.spanning)
    assert (found.ends is None) == is_injective(network, domain)
    if found.ends is not None:
        x, y = found.ends
        assert x != y and network(x) == network(y)
        assert all(in_domain(domain, end.fractions()) for end in found.ends)


@pytest.mark.parametrize("slopes", list(product((-2, -1, 1, 3), repeat=2)))
@pytest.mark.parametrize("ray", [False, True])
def test_I11_two_cells_with_a_common_end_meet_elsewhere_iff_both_go_the_same_way(slopes, ray):
    first, second = slopes
    t = 0 if ray else 1
    points, images = [(-1, t), (0, 1), (1, t)], [(first, t), (0, 1), (second, t)]
    for cells in (([0, 1], [1, 2]), ([1, 2], [0, 1])):
        found = meeting(points, images, [Fraction(1)] * 3, *cells, None).ends
        assert (found is not None) == (first * second > 0)
        if found is not None:
            values = [v * (second if v > 0 else -first) for (v,) in (end.fractions() for end in found)]
            assert values[0] == values[1] and found[0] != found[1]


@examples(50)
@given(small_networks(square=True))
def test_I12_one_sign_and_one_pre_image_decide_on_the_whole_space(network):
    assume(neurons(network) <= 7)
    pieces = Pieces(network.layers, regions(network))
    assume(pieces.is_square)
    collision = by_orientation(pieces, AllSpace()) or by_one_value(pieces, AllSpace())
    assert (collision is None) == is_injective(network, AllSpace())


@examples(50)
@given(small_networks())
def test_I14_a_matrix_that_makes_all_maps_definite_proves_injectivity_and_its_bound(network):
    assume(neurons(network) <= 7)
    domain = box(-2, 2, network.inputs)
    pieces = Pieces(network.layers, regions(network, domain=domain))
    found = monotone(pieces)
    assume(found is not None)
    assert is_injective(network, domain)
    places = [RationalVector.from_fractions(Fraction(v, 2) for v in point) for point in product((-4, -1, 1, 3), repeat=network.inputs)]
    assert_bound_holds(network, places, found.inverse_lipschitz)


def test_I14_what_floats_propose_is_tested_exactly():
    # The map is -x beyond 3: Q = 1 makes the slope 1 positive, and no Q makes both.
    pieces = Pieces((both := skipping([[1]], [[-2]], [[1]], [-3.0])).layers, regions(both))
    assert monotone(pieces) is None
    turned = skipping([[0, -1], [1, 0]], [[0.5, 0], [0, 0.5]], [[1, 0], [0, 1]], [0.0, 0.0])
    pieces = Pieces(turned.layers, regions(turned))
    found = monotone(pieces)
    assert found is not None
    assert proved(pieces, np.eye(2)) is None
    # Floats see maps without the rows that make the product indefinite.
    pieces.linear_floats = (np.broadcast_to(np.eye(2), (pieces.count, 2, 2)), Fraction(1))
    assert proved(pieces, np.eye(2)) is None
    assert proved(pieces, np.array(found.matrix, dtype=float)) is None or is_injective(turned, AllSpace())


def assert_bound_holds(network: Network, places: list[RationalVector], bound: Fraction) -> None:
    for x in places:
        for y in places:
            before = sum((a - b) ** 2 for a, b in zip(x.fractions(), y.fractions(), strict=True))
            behind = sum((a - b) ** 2 for a, b in zip(network(x).fractions(), network(y).fractions(), strict=True))
            assert before <= bound**2 * behind


@examples(60)
@given(small_networks(square=True), st.integers(0, 4))
def test_I14_skips_that_outweigh_the_rest(network, more):
    assume(len(network.layers) == 2 and not network.layers[0].rectified.all() and neurons(network) <= 6)
    found = residual(network.layers)
    if found is not None:
        assert is_injective(network, AllSpace())
        places = [RationalVector(point) for point in product((-2 - more, -1, 0, 3), repeat=network.inputs)]
        for x, y in product(places, repeat=2):
            before = max(abs(a - b) for a, b in zip(x.fractions(), y.fractions(), strict=True))
            behind = max(abs(a - b) for a, b in zip(network(x).fractions(), network(y).fractions(), strict=True))
            assert before <= found.inverse_lipschitz * behind


# ---------------------------------------------------------------- what theory.md warns of


def test_I12_a_fan_that_winds_twice_has_one_sign_and_is_not_injective():
    pieces = Pieces(DOUBLED.layers, regions(DOUBLED))
    assert set(pieces.determinant_signs) == {1}
    found = network_injectivity(DOUBLED)
    assert found.verdict == "not-injective"
    assert_is_collision(DOUBLED, AllSpace(), found)
    found = by_regions(DOUBLED, AllSpace(), None, None)
    assert found.method == "all determinants of one sign, but a value with more than one pre-image"
    assert_is_collision(DOUBLED, AllSpace(), found)


@pytest.mark.parametrize(
    ("domain", "verdict"),
    [
        (box(-1, 1), "not-injective"),
        (box(1, 2), "injective"),
        # A half-plane's boundary line is folded together, and where it is cut off nothing is.
        (Polytope(((-1, 0), (1, 0), (0, 1), (0, -1)), (0, -1, -1, -1)), "not-injective"),
        (Polytope(((-4, 0), (1, 0), (0, 1), (0, -1)), (1, -1, -1, -1)), "injective"),
    ],
)
def test_I13_one_sign_on_a_bounded_polytope_and_the_boundary(domain, verdict):
    found = by_regions(DOUBLED, domain, None, None)
    assert (found.verdict, found.method) == (verdict, "all determinants of one sign and the boundary of the domain")
    assert (verdict == "injective") == is_injective(DOUBLED, domain)


def test_a_network_that_folds_elsewhere_is_injective_on_a_polytope():
    absolute = chained(layer([[1], [-1]], [0, 0], [True, True]), layer([[1, 1]], [0], [False]))
    assert network_injectivity(absolute).verdict == "not-injective"
    assert network_injectivity(absolute, domain=box(0, 1, 1)).verdict == "injective"
    assert network_injectivity(absolute, domain=box(-1, 1, 1)).method == "a fold between two regions"


def test_lower_rank_in_a_cell_of_lower_dimension_alone_does_no_harm():
    # relu(x) and relu(-x) cross at 0, where no row is active: the regions on both sides are regular.
    both = chained(layer([[1], [-1]], [0, 0], [True, True]))
    assert network_injectivity(both).verdict == "injective"
    assert is_injective(both, AllSpace())


@pytest.mark.parametrize(("size", "injective"), [(0.75, True), (-0.75, True), (1.0, True), (-1.0, False), (-1.25, False)])
def test_I14_residual_networks_at_and_beyond_the_bound(size, injective):
    identity = [[1, 0], [0, 1]]
    network = skipping(identity, [[size, 0], [0, size]], identity, [0.0, -1.0])
    assert (residual(network.layers) is not None) == (abs(size) < 1)
    assert network_injectivity(network).verdict == ("injective" if injective else "not-injective")
    assert injective == is_injective(network, AllSpace())


def test_I12_inverse_lipschitz_is_one_over_the_least_singular_value():
    # Maps diag(1 or 1/4, 1 or 3): the inverse stretches by 4.
    network = skipping([[0.25, 0], [0, 1]], [[0.75, 0], [0, 2]], [[1, 0], [0, 1]], [0.0, -1.0])
    found = by_regions(network, AllSpace(), None, None)
    assert found.verdict == "injective"
    assert 4 <= found.inverse_lipschitz < Fraction(40001, 10000)
    # Where floats see larger maps than there are, nothing wrong is said.
    pieces = Pieces(network.layers, regions(network))
    maps, unit = pieces.linear_floats
    pieces.linear_floats = (maps * 2, unit)
    assert inverse_of_maps(pieces) is None


def test_undecided_says_what_was_reached():
    network = skipping([[1, 0], [0, 1]], [[1, 0, 1], [0, 1, 1]], [[1, 0], [0, 1], [1, 1]], [0.0, -1.0, 3.0])
    found = by_regions(network, AllSpace(), time.monotonic() - 1, None)
    assert found.verdict == "undecided"
    with pytest.raises(OutOfTimeError, match="maps of 0 were made"):
        by_orientation(Pieces(network.layers, regions(network), deadline=time.monotonic() - 1), AllSpace())
    found = by_regions(network, AllSpace(), None, 2)
    assert found.verdict == "undecided" and "activation regions" in found.progress
