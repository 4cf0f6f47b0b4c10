"""Section 4.14 of proofs/FORMAT.md, `image`: the checkers' intervals hold what they must, are the prover's, and prove what is true."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from samples import verdict
from test_injective_networks import certificate, claims, sha256_of
from theorems.oracles import examples, in_domain
from theorems.whole_networks import chained, is_injective, layer, neurons, small_networks

from exactrelu.certificates.injectivity_network import Stages
from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.claim import Domain as CheckersDomain
from exactrelu.checker.claim import read_domain
from exactrelu.checker.interval_image import IntervalImage
from exactrelu.checker.network import Network as CheckersNetwork
from exactrelu.checker.network import read_network
from exactrelu.checker.text import Text
from exactrelu.domain import AllSpace, Ball, Box, Domain, Orthant, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.fast_checker import FastKernels
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.network.layerwise import layerwise
from exactrelu.injectivity.stages import decide_stages
from exactrelu.interval_image import IntervalImages
from exactrelu.network.exact_file import _lines
from exactrelu.strategies import domains, networks, rational_vectors

if TYPE_CHECKING:
    from exactrelu.network.model import Network


def box(low: Fraction | int, high: Fraction | int) -> Box:
    return Box(RationalVector.from_fractions([Fraction(low)]), RationalVector.from_fractions([Fraction(high)]))


def as_read(network: Network) -> CheckersNetwork:
    return read_network(io.BytesIO(b"".join(_lines(network))))


def read(domain: Domain, n: int) -> CheckersDomain:
    """The checkers' domain of the lines that a certificate has."""
    return read_domain(Text(io.BytesIO(("\n".join(domain.lines()) + "\n").encode())), n)


def plain(domain: CheckersDomain) -> object:
    """Equal for equal sets written alike."""
    if isinstance(domain, str):
        return domain
    if hasattr(domain, "lower"):
        return [[Fraction(v, end.denominator) for v in end.numerators] for end in (domain.lower, domain.upper)]
    return [(constant, list(coefficients)) for constant, coefficients in domain.rows]


@st.composite
def any_domains(draw: st.DrawFn, n: int) -> Domain:
    """All kinds, and polytopes with sides of one coefficient among others."""
    if draw(st.integers(0, 2)):
        return draw(domains(n))
    sides = draw(st.lists(st.tuples(st.integers(0, n - 1), st.sampled_from([-3, -1, 2, 4]), st.integers(-5, 0)), max_size=2 * n))
    rows = [tuple(a * (j == k) for k in range(n)) for j, a, _ in sides]
    offsets = [offset for *_, offset in sides]
    if draw(st.booleans()):
        rows, offsets = [*rows, (1,) * n], [*offsets, -7]
    return Polytope(tuple(rows), tuple(offsets))


@examples(150)
@given(networks(), st.data())
def test_the_intervals_are_those_of_the_prover_and_hold_what_is_reached(network: Network, data: st.DataObject) -> None:
    domain = data.draw(any_domains(network.inputs))
    event(type(domain).__name__)
    exact = as_read(network)
    ours, theirs = IntervalImages(network.layers, domain), IntervalImage(exact.layers, read(domain, network.inputs))
    skipped = data.draw(st.sets(st.integers(1, len(network.layers))))
    try:
        found = {k: ours.before(k) for k in range(1, len(network.layers)) if k not in skipped}
    except InvalidRequestError:
        # The prover sees that a polytope is empty.
        return
    x = data.draw(rational_vectors(network.inputs))
    if isinstance(domain, Box) and data.draw(st.booleans()):
        x = RationalVector.from_fractions(
            data.draw(st.sampled_from(pair)) for pair in zip(domain.lower.fractions(), domain.upper.fractions(), strict=True)
        )
    inside = in_domain(domain, x.fractions())
    for number, one in enumerate(network.layers[:-1], 1):
        x = one(x)
        if number in found:
            image = found[number]
            assert image is not None
            assert plain(theirs.before(number + 1)) == plain(read(image, one.outputs))
            assert not inside or in_domain(image, x.fractions())


# Bounds of different denominators; two relus of one function; rows of numbers of very different sizes over a ball.
SPECIAL = [
    (chained(layer([[1]], [0], [False]), layer([[1]], [0], [False])), box(Fraction(-1, 2), Fraction(1, 3))),
    (chained(layer([[1], [1]], [0, -1], [True, True]), layer([[1, -1]], [0], [False]), layer([[1]], [0], [False])), box(0, 3)),
    (
        chained(layer([[2.0**66, 1.0], [3.0, 2.0**-70]], [2.0**-80, 1.0], [False, False]), layer([[1, 1]], [0], [False])),
        Ball(Fraction(4, 3)),
    ),
]


@pytest.mark.parametrize(("network", "domain"), SPECIAL)
def test_special_intervals(network, domain):
    ours, theirs = IntervalImages(network.layers, domain), IntervalImage(as_read(network).layers, read(domain, network.inputs))
    for number in range(1, len(network.layers)):
        image = ours.before(number)
        assert image is not None and plain(theirs.before(number + 1)) == plain(read(image, network.layers[number].inputs))
    if isinstance(domain, Box) and len(network.layers) == 2:
        assert plain(theirs.before(2)) == [domain.lower.fractions(), domain.upper.fractions()]


@pytest.mark.parametrize(
    ("rows", "radius", "bounds"),
    [
        ([[3, 4]], Fraction(7, 3), (-Fraction(35, 3), Fraction(35, 3))),
        ([[0, 0]], Fraction(7, 3), (Fraction(0), Fraction(0))),
        ([[6, 8]], Fraction(0), (Fraction(0), Fraction(0))),
        # The root of 2, up to 2^-64 and a little: whatever powers of two the weights have.
        ([[1, 1]], Fraction(1), None),
        ([[2.0**-40, 2.0**-40]], Fraction(2**40), None),
        ([[2.0**40, 2.0**40]], Fraction(1, 2**40), None),
    ],
)
def test_bounds_over_a_ball(rows, radius, bounds):
    network = chained(layer(rows, [0.0], [False]), layer([[1]], [0.0], [False]))
    found = IntervalImage(as_read(network).layers, read(Ball(radius), 2)).before(2)
    low, high = (Fraction(end.numerators[0], end.denominator) for end in (found.lower, found.upper))
    if bounds is not None:
        assert (low, high) == bounds
    else:
        assert low == -high and 0 <= high**2 - 2 < Fraction(1, 2**62)
        # No power of two but that of the last bit.
        assert high.denominator <= 2**64


# ---------------------------------------------------------------- what is accepted is true


SETS: dict[str, Domain] = {"all": AllSpace(), "orthant": Orthant()}
CHECKERS = (Kernels(), FastKernels())


@examples(150)
@given(small_networks(), st.data())
def test_accepted_stages_on_images_are_injective(network, data):
    """Each layer with a proof for some set, said of this set or another one: what is accepted is true on the network's domain."""
    assume(neurons(network) <= 6)
    domain = data.draw(domains(network.inputs).filter(lambda domain: not isinstance(domain, Ball)))
    images = IntervalImages(network.layers, domain)
    parts = []
    for number, one in enumerate(network.layers):
        try:
            within = {**SETS, "domain": domain} if number == 0 else {**SETS, "image": images.before(number)}
            proved = [(word, decide_layer(one, where).evidence) for word, where in within.items()]
        except InvalidRequestError:
            return
        proved = [(word, evidence) for word, evidence in proved if evidence is not None]
        if not proved:
            return
        word, evidence = data.draw(st.sampled_from(proved))
        parts.append((data.draw(st.sampled_from([word, word, word, "image", "orthant", "all"])), evidence))
    if claims(network, certificate(network, Stages(tuple(parts)), domain)):
        event(f"accepted, {parts[-1][0]}")
        assert is_injective(network, domain)


@examples(60)
@given(small_networks(), st.data())
def test_what_the_layers_prove_is_accepted_and_true(network, data):
    assume(neurons(network) <= 6)
    domain = data.draw(any_domains(network.inputs))
    try:
        found = layerwise(network.layers, domain, (), None)
        as_stages = decide_stages(network.layers, domain)
    except InvalidRequestError:
        return
    if found.injective:
        assert found.evidence is not None
        assert claims(network, certificate(network, found.evidence, domain)) and as_stages.verdict == "injective"
        event(", ".join(word for word, _ in found.evidence.parts))
    if as_stages.is_certified:
        text = as_stages.certificate(network_sha256=sha256_of(network), layer_number=len(network.layers), domain=domain).text()
        (claim,) = claims(network, text)
        assert claim.endswith({"injective": ": injective", "not-injective": ": collision"}[as_stages.verdict])
    if not isinstance(domain, Ball):
        assert as_stages.verdict == "undecided" or (as_stages.verdict == "injective") == is_injective(network, domain)


# ---------------------------------------------------------------- a network that needs its image


def on_an_image(domain: Domain, shift: int = 0) -> tuple[Network, str]:
    """x -> (relu(x + 2), relu(3 - x)) -> (relu(u - 1), relu(v - 2)), the latter injective for u >= 1 and v >= 2: for x in [-1, 1]."""
    network = chained(layer([[1], [-1]], [2, 3], [True, True]), layer([[1, 0], [0, 1]], [-1 - shift, -2], [True, True]))
    found = layerwise(network.layers, domain, (), None)
    assert found.evidence is not None
    return network, certificate(network, found.evidence, domain)


@pytest.mark.parametrize("domain", [box(-1, 1), Ball(Fraction(1)), Polytope(((1,), (-2,)), (-1, -2))])
def test_a_layer_that_is_injective_on_its_image_alone(domain):
    network, text = on_an_image(domain)
    assert "stage 2 image\n" in text and claims(network, text)
    for word in ("orthant", "all", "domain", "box", "image image"):
        assert not claims(network, text.replace("stage 2 image", f"stage 2 {word}"))
    assert not claims(network, text.replace("stage 1 all", "stage 1 image"))
    # The same evidence for a layer that is negative at the end of the image.
    changed, _ = on_an_image(box(0, 1), shift=1)
    assert not claims(changed, text.replace(sha256_of(network), sha256_of(changed)))


def test_a_larger_domain_has_a_larger_image():
    network, text = on_an_image(box(-1, 1))
    inside, above = "upper 1 1", "upper 100000000000000000000 100000000000000000001"
    assert claims(network, text.replace(inside, "upper 2 1"))
    assert not claims(network, text.replace(inside, above))
    assert not claims(network, text.replace("lower 1 -1\n", "").replace("upper 1 1\n", "").replace("domain box", "domain orthant"))
    assert not claims(network, text.replace("lower 1 -1\n", "").replace("upper 1 1\n", "").replace("domain box", "domain all"))
    network, text = on_an_image(Ball(Fraction(1)))
    assert not claims(network, text.replace("domain ball 1 1", "domain ball 100000000000000000000 100000000000000000001"))
    network, text = on_an_image(Polytope(((1,), (-2,)), (-1, -2)))
    assert not claims(network, text.replace("side -1 1", "side -2 1"))
    # The closer one of two sides is the bound.
    assert claims(network, text.replace("polytope 2\nside -1 1", "polytope 4\nside -2 1\nside -1 1\nside -3 -1"))


def test_sides_with_several_coefficients_are_left_out():
    network = chained(layer([[1, 0], [0, 1]], [1, 1], [True, True]), layer([[1, 0], [0, 1]], [-1, -1], [True, True]))
    # x, y >= 0 and x + y <= 1.
    domain = Polytope(((-1, 0), (0, -1), (1, 1)), (0, 0, -1))
    found = layerwise(network.layers, domain, (), None)
    assert found.evidence is not None and [word for word, _ in found.evidence.parts] == ["domain", "image"]
    assert claims(network, certificate(network, found.evidence, domain))


def test_a_collision_in_an_image_says_nothing():
    # x -> (x, x) -> 2 x: on the square around the image the sum takes every value twice.
    network = chained(layer([[1], [1]], [0, 0], [False, False]), layer([[1, 1]], [0], [False]))
    found = layerwise(network.layers, box(0, 1), (), None)
    assert not found.injective and found.collision is None
    assert decide_stages(network.layers, box(0, 1)).verdict == "undecided"


def test_long_bounds_are_refused_before_they_are_made(monkeypatch):
    network, text = on_an_image(box(-1, 1))
    content = b"".join(_lines(network)).decode()
    for kernels in CHECKERS:
        assert verdict(content, text, kernels) == (True, "through layer 2 (box): injective")
    monkeypatch.setattr("exactrelu.checker.text.VECTOR_BITS", 2**11)
    for kernels in CHECKERS:
        assert "more than a checker takes on" in verdict(content, text, kernels)[1]
