"""I11 to I13: the proved bounds on how much a network shortens distances hold, and are those of closed formulas where there are any."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations
from operator import mul
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from theorems.oracles import examples, in_domain
from theorems.whole_networks import DOUBLED, chained, layer, neurons, ppl, sign_cells, small_networks

from exactrelu.domain import AllSpace, Domain, Orthant, parse_domain
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.injectivity.network import by_regions as decisions
from exactrelu.injectivity.network import network_injectivity
from exactrelu.strategies import domains

if TYPE_CHECKING:
    from exactrelu.network.model import Network


def without_matrix(network: Network, domain: Domain) -> Any:
    with patch.object(decisions, "monotone", lambda *_: None):
        return decisions.by_regions(network, domain, None, None)


def places(network: Network, domain: Domain, rng: random.Random) -> list[RationalVector]:
    """Vertices of the sign cells, points along their rays, and mixtures of these."""
    found = []
    for cell, _ in sign_cells(network, domain):
        spanned = [(g, [Fraction(int(c), int(g.divisor()) if g.is_point() else 1) for c in g.coefficients()]) for g in cell.generators()]
        points = [vector for g, vector in spanned if g.is_point()]
        for g, vector in spanned:
            start = rng.choice(points)
            reach = Fraction(rng.choice([1, 3, 100]), rng.choice([1, 7]))
            found.append(vector if g.is_point() else [a + reach * b for a, b in zip(start, vector, strict=True)])
        weights = [Fraction(rng.randrange(1, 9)) for _ in points]
        mixture = [sum(map(mul, weights, column), Fraction(0)) / sum(weights) for column in zip(*points, strict=True)]
        found.append(mixture)
    found = [one for one in found if in_domain(domain, one)]
    return [RationalVector.from_fractions(one) for one in rng.sample(found, min(len(found), 14))]


def largest_ratio(network: Network, points: list[RationalVector]) -> Fraction:
    """The largest |x - y|^2 / |f(x) - f(y)|^2 seen."""

    def distance(x: RationalVector, y: RationalVector) -> Fraction:
        return sum(((a - b) ** 2 for a, b in zip(x.fractions(), y.fractions(), strict=True)), Fraction(0))

    return max((distance(x, y) / distance(network(x), network(y)) for x, y in combinations(points, 2) if x != y), default=Fraction(0))


def assert_the_bound_holds(network, data, decide):
    assume(neurons(network) <= 6)
    domain = data.draw(domains(network.inputs))
    try:
        found = decide(network, domain)
    except InvalidRequestError:
        return
    if found.inverse_lipschitz is not None:
        assert found.verdict == "injective"
        event(found.method.split(":")[0])
        rng = random.Random(data.draw(st.integers(0, 99)))
        assert largest_ratio(network, places(network, domain, rng)) <= found.inverse_lipschitz**2


@examples(150)
@given(small_networks(), st.data())
def test_the_bound_by_regions_holds(network, data):
    assert_the_bound_holds(network, data, without_matrix)


@examples(100)
@given(small_networks(), st.data())
def test_the_bound_of_the_cascade_holds(network, data):
    assert_the_bound_holds(network, data, lambda network, domain: network_injectivity(network, domain=domain))


def test_two_pieces_of_a_line_at_an_angle():
    # (x, 0) and then (0, x): closest at -1 and 1, sqrt(2) apart for a distance of 2.
    corner = chained(layer([[-1], [1]], [0, 0], [True, True]))
    found = without_matrix(corner, AllSpace())
    assert found.method == "pairs of regions"
    assert Fraction(2) <= found.inverse_lipschitz**2 < Fraction(201, 100)


def test_a_hairpin_has_the_bound_of_its_gap():
    # x -> (|x|, height of x between -1 and 1): at 9 and -9 the ends are 2 h apart.
    rows = layer([[1], [-1], [1], [1]], [0, 0, 1, -1], [True] * 4)
    for height in (Fraction(1), Fraction(1, 8)):
        network = chained(rows, layer([[1, 1, 0, 0], [0, 0, float(height), -float(height)]], [0, 0], [False] * 2))
        found = without_matrix(network, parse_domain("box:-9,9", 1))
        truth = 9 / height
        assert truth <= found.inverse_lipschitz < 3 * truth
        # On all of R the ends run side by side.
        everywhere = without_matrix(network, AllSpace())
        assert everywhere.verdict == "injective" and everywhere.inverse_lipschitz is None
        assert everywhere.is_certified


@pytest.mark.parametrize("name", ["box:1,2", "box:1/8,2"])
def test_the_boundary_bounds_a_square_network(name):
    domain = parse_domain(name, 2)
    found = without_matrix(DOUBLED, domain)
    assert found.method.endswith("boundary of the domain")
    seen = largest_ratio(DOUBLED, places(DOUBLED, domain, random.Random(1)))
    assert seen <= found.inverse_lipschitz**2 <= 10**4 * seen


def test_adjacent_regions_of_one_orientation_are_bounded_as_one():
    # Maps diag(1 or 1/4, 1 or 3), on the orthant shifted: the inverse stretches by 4, exactly.
    network = chained(
        layer([[1, 0], [0, 1], [1, 0], [0, 1]], [-1, -1, 0, 0], [True, True, False, False]),
        layer([[0.75, 0, 0.25, 0], [0, 2, 0, 1]], [0, 0], [False] * 2),
    )
    found = without_matrix(network, Orthant())
    assert found.method == "pairs of regions"
    assert Fraction(4) <= found.inverse_lipschitz < Fraction(30)


def test_the_oracle_sees_cells():
    assert ppl is not None and len(places(DOUBLED, AllSpace(), random.Random(0))) == 14
