"""Pre-images of layers: sizes beyond brute force, limits, requests that make no sense (properties: theorems/test_P.py)."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import accepted, claim_words, evaluate, examples, in_domain, kernel, one_layer_network, rank, truth

from exactrelu.domain import AllSpace, Box, Orthant, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.network.model import Layer
from exactrelu.network.readers import load
from exactrelu.preimage import preimage
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.strategies import domains, layers_with_points, networks, rational_vectors
from exactrelu.verdict import Cardinality

KINDS = ("quantised", "pairs", "zero columns", "duplicates", "generic")


def degenerate_layer(kind: str, n: int, seed: int) -> tuple[Layer, RationalVector]:
    """A layer with 3 n outputs, degenerate in one way, and a point on a grid of quarters."""
    generator = np.random.default_rng(seed)
    m = 3 * n
    weight = generator.standard_normal((m, n)).astype(np.float32).astype(np.float64)
    bias = (generator.standard_normal(m) * 0.5 - 1).astype(np.float32).astype(np.float64)
    x = np.round(generator.random(n) * 4) / 4
    if kind == "quantised":
        weight = np.round(weight * 2)
        bias = np.where(generator.random(m) < 0.2, -(weight @ x), np.round(bias))
    if kind == "pairs":
        weight[n : 2 * n], bias[n : 2 * n] = -weight[:n], -bias[:n]
    if kind == "zero columns":
        weight[:, [1, 5]] = 0
    if kind == "duplicates":
        weight[:n], bias[:n] = weight[n : 2 * n], bias[n : 2 * n]
    layer = Layer(DyadicMatrix.from_floats(weight), DyadicMatrix.from_floats(bias.reshape(m, 1)), np.ones(m, dtype=bool))
    return layer, RationalVector.from_floats(x)


def cube(n: int) -> Box:
    return Box(RationalVector((0,) * n), RationalVector((1,) * n))


@pytest.mark.parametrize("domain", ["all", "orthant", "box"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [30, 60, 120])
def test_degenerate_layers_of_some_size_are_decided_with_certificates(n, kind, domain):
    layer, x = degenerate_layer(kind, n, 7 * n)
    prepared = LayerPreimage(layer, {"all": AllSpace(), "orthant": Orthant(), "box": cube(n)}[domain])
    result = prepared.of_point(x)
    assert result.cardinality is not Cardinality.UNDECIDED
    assert accepted(prepared, result, "layer-input", x).endswith(claim_words(result))
    assert result.active == sum(value > 0 for value in layer(x).numerators)
    if kind == "zero columns" and domain != "box":
        assert result.cardinality is Cardinality.UNBOUNDED
    if domain == "box":
        assert result.cardinality in {Cardinality.SINGLETON, Cardinality.BOUNDED}
    assert_more_than_one_point(layer, prepared, result, x)


def assert_more_than_one_point(layer, prepared, result, x):
    if result.cardinality is Cardinality.SINGLETON:
        assert result.solutions == (x,)
        return
    witness = result.witness
    other = witness.second or RationalVector.from_fractions(
        a + b for a, b in zip(witness.point.fractions(), witness.ray.fractions(), strict=True)
    )
    assert witness.point == x
    assert other != x
    assert prepared.domain.contains(other)
    assert layer(other) == layer(x)


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_of_layers_of_some_size_are_decided_like_their_inputs(kind):
    layer, x = degenerate_layer(kind, 24, 5)
    for domain in (AllSpace(), cube(24)):
        prepared = LayerPreimage(layer, domain)
        of_point, of_output = prepared.of_point(x), prepared.of_output(layer(x))
        assert (of_point.cardinality, of_point.dimension) == (of_output.cardinality, of_output.dimension)
        assert accepted(prepared, of_output, "output", layer(x)).endswith(claim_words(of_output))
        # No input gives the largest output raised by one third where the active rows determine it.
        y = layer(x).fractions()
        y[int(np.argmax(layer(x).to_float()))] += Fraction(1, 3)
        far = RationalVector.from_fractions(y)
        result = prepared.of_output(far)
        assert result.cardinality is not Cardinality.UNDECIDED
        assert accepted(prepared, result, "output", far).endswith(claim_words(result))


@pytest.mark.parametrize("kind", ["quantised", "pairs"])
def test_rational_certificates_of_layers_of_some_size(kind):
    layer, x = degenerate_layer(kind, 16, 3)
    for domain in (AllSpace(), Orthant(), cube(16)):
        plain, rational = (LayerPreimage(layer, domain, rational=flag) for flag in (False, True))
        one, other = plain.of_point(x), rational.of_point(x)
        assert (one.cardinality, one.dimension, one.rank) == (other.cardinality, other.dimension, other.rank)
        assert accepted(rational, other, "layer-input", x) == accepted(plain, one, "layer-input", x)


@examples(60)
@given(layers_with_points(), st.data())
def test_a_deadline_that_has_passed_never_makes_a_wrong_verdict(case, data):
    layer, x = case
    prepared = LayerPreimage(layer, data.draw(domains(layer.inputs, near=x)))
    late = prepared.of_point(x, deadline=time.monotonic() - 1)
    facts = truth(layer, prepared.domain, evaluate(layer, x.fractions()))
    if late.cardinality is Cardinality.UNDECIDED:
        assert late.reached
        assert late.points is None
        return
    if late.cardinality is Cardinality.INFINITE:
        assert facts.dimension >= 1
    else:
        assert late.cardinality.value == facts.cardinality
    assert late.dimension == facts.dimension


@examples(100)
@given(networks(), st.data())
def test_preimage_asks_about_the_layer_at_the_point_that_reaches_it(network, data):
    x = data.draw(rational_vectors(network.inputs))
    for source in network.source_layers:
        (layer,) = source.stages
        at = network.layer_input(source.number, x)
        expected = truth(layer, AllSpace(), evaluate(layer, at.fractions()))
        results = [
            preimage(network, input=[x], layer=source.number),
            preimage(network, layer_input=[at], layer=source.name),
            preimage(network, output=[layer(at)], layer=source.number),
        ]
        for (result,) in results:
            assert (result.cardinality.value, result.dimension) == (expected.cardinality, expected.dimension)


def test_every_row_of_input_is_answered_in_order():
    layer, _ = degenerate_layer("generic", 3, 0)
    points = [RationalVector((i, 0, -i)) for i in range(4)]
    network = one_layer_network(layer)
    together = preimage(network, input=points)
    assert [found.active for found in together] == [preimage(network, input=[point])[0].active for point in points]
    assert preimage(network, input=[]) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"input": [], "output": []},
        {"input": [RationalVector((1, 2))]},
        {"output": [RationalVector((1,))]},
        {"layer_input": [RationalVector(())]},
        {"input": [RationalVector((1, 2, 3))], "layer": 2},
        {"input": [RationalVector((1, 2, 3))], "layer": "first"},
        {"input": [RationalVector((1, 2, 3))], "domain": cube(2)},
        {"input": [RationalVector((1, 2, 3))], "domain": Polytope(((1, 1),), (0,))},
    ],
)
def test_requests_that_make_no_sense_are_refused_in_one_line(arguments):
    layer, _ = degenerate_layer("generic", 3, 0)
    with pytest.raises(InvalidRequestError) as caught:
        preimage(one_layer_network(layer), **arguments)
    assert len(str(caught.value).splitlines()) == 1


@examples(200)
@given(layers_with_points())
def test_signs_are_those_of_the_exact_pre_activation(case):
    layer, x = case
    z = layer.pre_activation(x).numerators
    assert LayerPreimage(layer, AllSpace()).signs(x).tolist() == [(value > 0) - (value < 0) for value in z]


@pytest.mark.parametrize("change", [0.0, 2.0**-52, -(2.0**-53), 2.0**-60, 5e-324])
@pytest.mark.parametrize("scale", [1.0, 2.0**-149, 2.0**100, 2.0**-500])
def test_signs_where_floats_cancel(change, scale):
    # w.x + b is exactly `change` (times the scale), far below the rounding of w.x.
    weight = np.array([[1.0, 1.0, 2.0**-30], [3.0, -1.0, 1.0]]) * scale
    bias = [[-Fraction(scale) * (2 + Fraction(1, 2**30)) + Fraction(change) * Fraction(scale)], [Fraction(0)]]
    denominator = max(value.denominator for (value,) in bias)
    column = DyadicMatrix.from_integers([[int(value * denominator)] for (value,) in bias], 1, 1 - denominator.bit_length())
    layer = Layer(DyadicMatrix.from_floats(weight), column, np.ones(2, dtype=bool))
    expected = [(change > 0) - (change < 0), 1]
    assert LayerPreimage(layer, AllSpace()).signs(RationalVector((1, 1, 1))).tolist() == expected


# ---------------------------------------------------------------- small trained networks, also in tests/data


def test_every_degenerate_network_is_decided_as_the_oracles_say():
    from pathlib import Path

    files = sorted(Path(__file__).parent.joinpath("data", "degenerate").glob("*.onnx"))
    assert files
    for file in files:
        network = load(file)
        for point in ((0, 0), (1, -1), (-3, 2)):
            x = RationalVector(point)
            for source in network.source_layers:
                (layer,) = source.stages
                at = network.layer_input(source.number, x)
                if layer.inputs > 8:
                    continue
                facts = truth(layer, AllSpace(), evaluate(layer, at.fractions()))
                (result,) = preimage(network, input=[x], layer=source.number)
                assert (result.cardinality.value, result.dimension) == (facts.cardinality, facts.dimension), (file.name, point)


@pytest.mark.slow
def test_the_first_images_of_the_trained_network_are_decided_with_certificates(shared):
    network = load(shared / "networks" / "trained" / "mnist_mlp_784_3500_784_10.onnx")
    images = np.load(shared / "data" / "mnist_test_1000.npz")["x"].reshape(1000, 784)
    (layer,) = network.layer(1).stages
    for domain in (AllSpace(), cube(784)):
        prepared = LayerPreimage(layer, domain)
        for row in (0, 13, 29):
            x = RationalVector.from_floats(images[row], scale=Fraction(1, 255))
            result = prepared.of_point(x)
            assert result.cardinality is not Cardinality.UNDECIDED
            # The checker of the standard library alone takes 12 s a certificate at this size.
            prepared.certificate(result, network_sha256="", layer_number=1, subject="layer-input", given=x)
            assert in_domain(AllSpace(), x.fractions())


def test_the_oracles_see_more_than_one_point_where_there_is_a_kernel():
    rows = [[Fraction(1), Fraction(2), Fraction(3)]]
    assert len(kernel(rows, 3)) == 3 - rank(rows) == 2
