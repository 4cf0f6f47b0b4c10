"""`network_injectivity` on real networks, through a layer, on bad input, and what its answer looks like."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from theorems.whole_networks import DOUBLED, chained, layer, skipping

from exactrelu import demo, load, parse_domain
from exactrelu.domain import Ball, Box
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.injectivity.network import network_injectivity

IDENTITY = [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("name", "domain", "verdict"),
    [
        ("public/reach_prob_density_vdp.onnx", "all", "not-injective"),
        ("public/reach_prob_density_vdp.onnx", "box:-1,1", "not-injective"),
        ("public/reach_prob_density_gcas.onnx", "all", "not-injective"),
        ("public/acasxu_1_1.onnx", "box:-1/2,1/2", "not-injective"),
        ("trained/mnist_decoder_8_128_784.onnx", "box:-3,3", "injective"),
        ("trained/mnist_encoder_784_128_8.onnx", "box:0,1", "not-injective"),
    ],
)
def test_real_networks(shared, name, domain, verdict):
    network = load(shared / "networks" / name)
    within = parse_domain(domain, network.inputs)
    found = network_injectivity(network, domain=within)
    assert found.verdict == verdict and found.is_certified
    if verdict == "not-injective":
        x, y = found.collision.x, found.collision.y
        assert x != y and within.contains(x) and within.contains(y)
        assert network(x) == network(y) == found.collision.value


def test_through_a_layer_is_about_the_network_up_to_it():
    both = layer([[1], [-1]], [0, 0], [True, True])
    network = chained(both, layer([[1, 1]], [0], [False]))
    assert network_injectivity(network, through=1).verdict == "injective"
    assert network_injectivity(network, through="layer 1").verdict == "injective"
    assert network_injectivity(network, through=2).verdict == "not-injective"
    assert network_injectivity(network).verdict == "not-injective"


def test_the_answer_as_a_record():
    record = network_injectivity(skipping(IDENTITY, [[0.5, 0], [0, 0.5]], IDENTITY, [0.0, 0.0])).record()
    assert record["verdict"] == "injective" and record["collision"] is None and record["uncertified"] is None
    # sqrt(2) / (1 - 1/2), rounded up
    assert record["inverse_lipschitz_upper"] == "2.829"
    record = network_injectivity(DOUBLED).record()
    assert set(record["collision"]) == {"x", "y", "value"}
    assert record["inverse_lipschitz_upper"] is None


def test_a_given_point_is_looked_at_first():
    # Folds at 1000 alone.
    network = chained(layer([[1], [1]], [-1000, 0], [True, False]), layer([[-2, 1]], [0], [False]))
    found = network_injectivity(network, points=[RationalVector((0,)), RationalVector((2000,))])
    assert found.method == "a fold between two regions"
    assert sorted(end.fractions()[0] > 1000 for end in (found.collision.x, found.collision.y)) == [False, True]


def test_a_ball_is_decided_by_the_box_around_it_or_left_open():
    folding = skipping(IDENTITY, [[-2, 0], [0, 0]], IDENTITY, [-1.0, 0.0])
    assert network_injectivity(folding, domain=Ball(Fraction(1, 2))).verdict == "injective"
    assert network_injectivity(folding, domain=Ball(Fraction(3))).verdict == "not-injective"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"through": 7}, "no layer"),
        ({"through": "nothing"}, "no layer"),
        ({"domain": Box(RationalVector((0,)), RationalVector((1,)))}, "coordinates"),
        ({"points": [RationalVector((0,) * 3)]}, "coordinates"),
    ],
)
def test_bad_requests_are_refused_in_one_line(arguments, message):
    with pytest.raises(InvalidRequestError, match=message) as refused:
        network_injectivity(load(demo.MODEL), **arguments)
    assert "\n" not in str(refused.value)


def test_undecided_has_no_certificate_and_says_what_was_reached():
    random = np.random.default_rng(0)
    inner, outer = random.standard_normal((12, 2)).astype(np.float32), 0.3 * random.standard_normal((2, 12)).astype(np.float32)
    network = skipping([[1, 0], [0, 1]], outer.tolist(), inner.tolist(), random.standard_normal(12).astype(np.float32).tolist())
    found = network_injectivity(network, limit=3)
    if found.verdict == "undecided":
        assert "activation regions" in found.record()["progress"]
        with pytest.raises(CertificateError, match="more time"):
            found.certificate(network_sha256="5" * 64, last=1, domain=parse_domain("all", 2))
    assert network_injectivity(network).verdict in {"injective", "not-injective"}
