"""Sections 4.14 and 4.15 of proofs/FORMAT.md: what the checkers accept about whole networks is true, and all that is proved is accepted.

The truth is that of `theorems/whole_networks.py`: all pairs of closed sign cells.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from theorems.oracles import examples
from theorems.whole_networks import DOUBLED, chained, is_injective, layer, neurons, skipping, small_networks

from exactrelu.certificates import DomainLines, Vector
from exactrelu.certificates.injectivity_network import (
    Definite,
    Evidence,
    NetworkInjectivityCertificate,
    Orientation,
    Regions,
    Skips,
    Stages,
)
from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.network import read_network
from exactrelu.checker.text import Rejected, Text
from exactrelu.checker.verify import verify
from exactrelu.domain import AllSpace, Domain, Orthant
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.fast_checker import FastKernels
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.network import network_injectivity
from exactrelu.injectivity.network.by_regions import by_regions
from exactrelu.network.exact_file import _lines
from exactrelu.regions import regions
from exactrelu.regions.evidence import regions_certificate
from exactrelu.strategies import domains, rational_vectors

if TYPE_CHECKING:
    from exactrelu.network.model import Network


IDENTITY = [[1, 0], [0, 1]]
RESIDUAL = skipping(IDENTITY, [[0.5, 0.25], [0, 0.5]], IDENTITY, [0.0, -1.0])


def claims(network: Network, certificate: str) -> set[str]:
    """What both checkers read; both accept, or both reject."""
    content = b"".join(_lines(network))
    found = set()
    for kernels in (Kernels(), FastKernels()):
        stream = Text(io.BytesIO(certificate.encode()))
        stream.take("exactrelu-certificate 1", "3").done()
        assert stream.take("network", "3").sha256() == hashlib.sha256(content).hexdigest()
        try:
            found.add(str(verify(stream, read_network(io.BytesIO(content)), kernels)))
        except Rejected:
            found.add("rejected")
    assert len(found) == 1
    return found - {"rejected"}


def sha256_of(network: Network) -> str:
    return hashlib.sha256(b"".join(_lines(network))).hexdigest()


def certificate(network: Network, evidence: Evidence, domain: Domain | None = None) -> str:
    lines = DomainLines((domain or AllSpace()).lines())
    return NetworkInjectivityCertificate(sha256_of(network), len(network.layers), evidence, lines).text()


@examples(60)
@given(small_networks(), st.data())
def test_every_certificate_of_the_prover_is_accepted(network, data):
    domain = data.draw(domains(network.inputs))
    try:
        found = network_injectivity(network, domain=domain)
    except InvalidRequestError:
        return
    if not found.is_certified:
        assert found.verdict == "injective"
        assert found.record()["uncertified"]
        with pytest.raises(CertificateError, match="no form yet"):
            found.certificate(network_sha256="5" * 64, last=1, domain=domain)
        return
    text = found.certificate(network_sha256=sha256_of(network), last=len(network.layers), domain=domain).text()
    (claim,) = claims(network, text)
    assert claim.startswith(f"through layer {len(network.layers)} (")
    assert claim.endswith({"injective": ": injective", "not-injective": ": collision"}[found.verdict])


@examples(150)
@given(small_networks(square=True), st.data())
def test_accepted_skips_are_injective(network, data):
    assume(neurons(network) <= 6)
    ends = data.draw(st.lists(st.integers(0, len(network.layers) - 1), unique=True).map(sorted))
    if claims(network, certificate(network, Skips(tuple(ends)))):
        assert is_injective(network, AllSpace())


SETS: dict[str, Domain] = {"all": AllSpace(), "orthant": Orthant()}


# ---------------------------------------------------------------- by the maps of all regions


def all_regions(network: Network, domain: Domain) -> Regions:
    found = regions_certificate(network, regions(network, domain=domain), domain)
    return Regions(found.regions, found.adjacencies, found.cells)


@examples(60)
@given(small_networks(), st.data())
def test_what_the_regions_prove_is_accepted(network, data):
    assume(neurons(network) <= 7)
    domain = data.draw(domains(network.inputs))
    try:
        found = by_regions(network, domain, None, None)
    except InvalidRequestError:
        return
    if found.is_certified:
        event(f"{found.method}, {found.verdict}")
        text = found.certificate(network_sha256=sha256_of(network), last=len(network.layers), domain=domain).text()
        (claim,) = claims(network, text)
        assert claim.endswith({"injective": ": injective", "not-injective": ": collision"}[found.verdict])


@examples(80)
@given(small_networks(square=True), st.data())
def test_accepted_orientations_are_injective(network, data):
    """All regions with any point, of a network that may or may not be injective."""
    assume(neurons(network) <= 7)
    point = data.draw(rational_vectors(network.inputs))
    evidence = Orientation(Vector(point.numerators, point.denominator), all_regions(network, AllSpace()))
    if claims(network, certificate(network, evidence)):
        event("accepted")
        assert is_injective(network, AllSpace())


@examples(80)
@given(small_networks(), st.data())
def test_accepted_matrices_prove_injectivity(network, data):
    assume(neurons(network) <= 7)
    n, m = network.inputs, network.outputs
    unit = [[int(i == j) for j in range(m)] for i in range(n)]
    entries = st.lists(st.lists(st.integers(-2, 2), min_size=m, max_size=m), min_size=n, max_size=n)
    matrix = tuple(map(tuple, data.draw(st.one_of(st.just(unit), entries))))
    if claims(network, certificate(network, Definite(matrix, all_regions(network, AllSpace())))):
        event("accepted")
        assert is_injective(network, AllSpace())


def test_orientations_of_a_fan_that_winds_twice_are_rejected():
    assert not claims(DOUBLED, certificate(DOUBLED, Orientation(Vector((3, 1)), all_regions(DOUBLED, AllSpace()))))


def test_orientations_are_for_square_networks_on_the_whole_space():
    inside = Vector((3, 5))
    assert not claims(RESIDUAL, certificate(RESIDUAL, Orientation(inside, all_regions(RESIDUAL, Orthant())), Orthant()))
    for rows in ([[1, 0]], [[1, 0], [0, 1], [1, 1]]):
        other = skipping(rows, [[0.5, 0]] * len(rows), IDENTITY, [0.0, -1.0])
        assert not claims(other, certificate(other, Orientation(inside, all_regions(other, AllSpace()))))


def test_what_is_said_of_regions_is_checked():
    evidence = Orientation(Vector((3, 5)), all_regions(RESIDUAL, AllSpace()))
    text = certificate(RESIDUAL, evidence)
    assert claims(RESIDUAL, text)
    # On a wall, at 0 and 1; and elsewhere inside a region.
    assert not claims(RESIDUAL, text.replace("point 1 3 5", "point 1 0 5"))
    assert not claims(RESIDUAL, text.replace("point 1 3 5", "point 1 3 1"))
    assert claims(RESIDUAL, text.replace("point 1 3 5", "point 2 -3 5"))
    assert not claims(RESIDUAL, text.replace("orientation 4 4", "orientation 5 4"))
    assert not claims(RESIDUAL, text.replace("orientation 4 4", "orientation 4 3"))
    assert not claims(RESIDUAL, text.replace("domain all", "domain orthant"))
    assert not claims(RESIDUAL, text.replace("point 1 3 5\n", ""))
    text = certificate(RESIDUAL, Definite(((1, 0), (0, 1)), all_regions(RESIDUAL, AllSpace())))
    assert claims(RESIDUAL, text)
    assert not claims(RESIDUAL, text.replace("weights 0 1", "weights 0 -1"))
    assert not claims(RESIDUAL, text.replace("weights 0 1\n", ""))
    assert not claims(RESIDUAL, text.replace("weights 0 1", "weights 0 1 0"))
    assert not claims(RESIDUAL, text.replace("tree\n", ""))


# ---------------------------------------------------------------- stage by stage, and by skips


@st.composite
def networks_of_units(draw: st.DrawFn) -> Network:
    """Two layers of unit rows of both signs: often injective on the orthant, or everywhere, or only together."""
    widths = [draw(st.integers(1, 2))]
    layers = []
    for _ in range(2):
        n = widths[-1]
        rows = draw(st.lists(st.tuples(st.integers(0, n - 1), st.sampled_from([1, 1, -1])), min_size=n, max_size=2 * n).map(sorted))
        biases = draw(st.lists(st.integers(-1, 1), min_size=len(rows), max_size=len(rows)))
        mask = [True] * len(rows) if draw(st.booleans()) else draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
        layers.append(layer([[sign * int(k == j) for k in range(n)] for j, sign in rows], biases, mask))
        widths.append(len(rows))
    return chained(*layers)


@examples(100)
@given(networks_of_units(), st.data())
def test_accepted_stages_are_injective(network, data):
    """Each layer with a proof for some set, named as this set or another one: what is accepted is true of the whole space."""
    assume(neurons(network) <= 6)
    parts = []
    for one in network.layers:
        proved = [(word, decide_layer(one, where).evidence) for word, where in SETS.items()]
        proved = [(word, evidence) for word, evidence in proved if evidence is not None]
        if not proved:
            return
        word, evidence = data.draw(st.sampled_from(proved))
        parts.append((data.draw(st.sampled_from([word, word, "all", "orthant", "domain"])), evidence))
    if claims(network, certificate(network, Stages(tuple(parts)))):
        event("accepted")
        assert is_injective(network, AllSpace())


def test_skips_at_the_bound_and_turned_and_scaled():
    assert claims(RESIDUAL, certificate(RESIDUAL, Skips((1,))))
    at_the_bound = skipping(IDENTITY, [[0.5, 0.5], [0, 0.5]], IDENTITY, [0.0, -1.0])
    assert not claims(at_the_bound, certificate(at_the_bound, Skips((1,))))
    # Rows of different powers of two.
    uneven = skipping(IDENTITY, [[0.25, 0], [0, -1]], IDENTITY, [0.0, 0.0])
    assert not claims(uneven, certificate(uneven, Skips((1,))))
    turned = skipping([[0, -4], [2, 0]], [[2, 1], [0, 1.5]], IDENTITY, [0.0, -1.0])
    assert claims(turned, certificate(turned, Skips((1,))))
    # Both coordinates carry the same input.
    folded = skipping([[1, 0], [1, 0]], [[0.5, 0], [0, 0]], IDENTITY, [0.0, 0.0])
    assert not claims(folded, certificate(folded, Skips((1,))))


MIXED = skipping([[2, 1], [1, 1]], [[0.25, 0], [0, 0.125]], IDENTITY, [0.0, -1.0])


def test_skips_that_mix_the_inputs_have_an_inverse():
    found = network_injectivity(MIXED)
    assert found.method == "skip connections outweigh the rest" and found.evidence.inverses.keys() == {1}
    text = certificate(MIXED, found.evidence)
    assert claims(MIXED, text)
    assert claims(MIXED, certificate(MIXED, Skips((1,), {1: (0, ((1, -1), (-1, 2)))})))
    # Half an inverse does, and one that is nearly one; its opposite and its double do not, and without one L has two entries a row.
    for exponent, rows in ((-1, ((1, -1), (-1, 2))), (-3, ((8, -8), (-8, 17)))):
        assert claims(MIXED, certificate(MIXED, Skips((1,), {1: (exponent, rows)})))
    for exponent, rows in ((0, ((-1, 1), (1, -2))), (1, ((1, -1), (-1, 2))), (0, ((1, 0), (0, 1)))):
        assert not claims(MIXED, certificate(MIXED, Skips((1,), {1: (exponent, rows)})))
    assert not claims(MIXED, certificate(MIXED, Skips((1,))))
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("inverse"):
            assert not claims(MIXED, "\n".join([*lines[:number], *lines[number + 1 :]]) + "\n")
    assert not claims(MIXED, text.replace("inverse 1", "inverse 0"))
    at_the_bound = skipping([[2, 1], [1, 1]], [[0.25, 0], [0, 0.375]], IDENTITY, [0.0, -1.0])
    assert not claims(at_the_bound, certificate(at_the_bound, Skips((1,), {1: (0, ((1, -1), (-1, 2)))})))


@examples(100)
@given(small_networks(square=True), st.data())
def test_accepted_inverses_prove_injectivity(network, data):
    assume(neurons(network) <= 6)
    n = network.inputs
    entries = st.lists(st.lists(st.integers(-3, 3), min_size=n, max_size=n).map(tuple), min_size=n, max_size=n).map(tuple)
    matrix = data.draw(st.integers(-3, 1)), data.draw(entries)
    if claims(network, certificate(network, Skips((len(network.layers) - 1,), {len(network.layers) - 1: matrix}))):
        event("accepted")
        assert is_injective(network, AllSpace())


def test_blocks_begin_anew_where_they_say():
    twice = chained(*RESIDUAL.layers, *RESIDUAL.layers)
    assert claims(twice, certificate(twice, Skips((1, 3))))
    # Together the two do not keep their inputs apart by the rule, and a block may not end inside.
    assert not claims(twice, certificate(twice, Skips((3,))))
    assert not claims(twice, certificate(twice, Skips((0, 1, 3))))
    assert not claims(twice, certificate(twice, Skips((1,))))


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("skips 1 1", "skips 1 2"),
        ("skips 1 1", "skips 2 1 1"),
        ("skips 1 1", "skips 0"),
        ("skips 1 1", "skips"),
        ("skips 1 1", "skips 1 -1"),
        ("skips 1 1", "skips 1 1\nskips 1 1"),
        ("claim injective", "lowered 1 0\nclaim injective"),
        ("claim injective", "claim expansion 1 1"),
        ("scope through 2", "scope through 1"),
        ("scope through 2", "scope layer 2"),
        ("subject network", "subject layer"),
    ],
)
def test_changed_lines_are_rejected(line, changed):
    text = certificate(RESIDUAL, Skips((1,)))
    assert line in text and not claims(RESIDUAL, text.replace(line, changed))


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("stage 2 orthant", "stage 3 orthant"),
        ("stage 2 orthant", "stage 2 domain"),
        ("stage 2 orthant", "stage 2 box"),
        ("stage 2 orthant", "stage 2"),
        ("stage 2 orthant", "stage 2 orthant orthant"),
        ("stage 1 all", "stage 1 orthant"),
        ("stage 1 all", "stage 0 all"),
    ],
)
def test_changed_stages_are_rejected(line, changed):
    both = layer([[1], [-1]], [0, 0], [True, True])
    # Injective on the orthant alone.
    network = chained(both, layer([[1, 0], [0, 1]], [0, 0], [True, True]))
    parts = tuple((word, decide_layer(one, SETS[word]).evidence) for word, one in zip(("all", "orthant"), network.layers, strict=True))
    text = certificate(network, Stages(parts))
    assert claims(network, text)
    assert line in text and not claims(network, text.replace(line, changed))
    assert not claims(network, text.replace("stage 2 orthant", "stage 2 all"))


def test_after_a_row_without_a_relu_there_is_no_orthant():
    # x -> (relu(x), x) -> (relu(x), relu(x)), each injective on what the words say.
    network = chained(layer([[1], [1]], [0, 0], [True, False]), layer(np.eye(2).tolist(), [0, 0], [True, True]))
    parts = [(word, decide_layer(one, SETS[word]).evidence) for word, one in zip(("all", "orthant"), network.layers, strict=True)]
    assert not claims(network, certificate(network, Stages(tuple(parts))))
    both = chained(layer([[1], [-1]], [0, 0], [True, True]), network.layers[1])
    parts[0] = ("all", decide_layer(both.layers[0], AllSpace()).evidence)
    assert claims(both, certificate(both, Stages(tuple(parts))))
