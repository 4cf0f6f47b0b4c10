"""Interval images: the bounds of naive intervals over fractions, attained by one layer, holding what the network takes; bad requests."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from theorems.oracles import examples, in_domain

from exactrelu.domain import AllSpace, Ball, Box, Domain, Orthant, Polytope
from exactrelu.errors import ExactReluError, InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.injectivity.layer import decide_layer
from exactrelu.interval_image import domain_for, interval_image
from exactrelu.network.lowering import Lowering
from exactrelu.network.model import Layer, Network, SourceLayer
from exactrelu.network.readers import load
from exactrelu.network.rows import Rows, absolute, clipped, column, leaky
from exactrelu.strategies import balls, layers, networks, rational_vectors

if TYPE_CHECKING:
    from pathlib import Path

Bound = Fraction | None


# ---------------------------------------------------------------- a second opinion: intervals, None where there is no bound


def times(a: Fraction, bound: Bound) -> Bound:
    return Fraction(0) if a == 0 else None if bound is None else a * bound


def total(terms: list[Bound]) -> Bound:
    return None if None in terms else sum((term for term in terms if term is not None), Fraction(0))


def naive(layers: tuple[Layer, ...], given: list[tuple[Bound, Bound]]) -> list[tuple[Bound, Bound]]:
    for layer in layers:
        after: list[tuple[Bound, Bound]] = []
        for row, (bias,), relu in zip(layer.weight.fractions(), layer.bias.fractions(), layer.rectified.tolist(), strict=True):
            ends = [(low, high) if a >= 0 else (high, low) for a, (low, high) in zip(row, given, strict=True)]
            low, high = (total([bias, *(times(a, pair[side]) for a, pair in zip(row, ends, strict=True))]) for side in (0, 1))
            if relu:
                low, high = max(low or Fraction(0), Fraction(0)), None if high is None else max(high, Fraction(0))
            after.append((low, high))
        given = after
    return given


def bounds_of(domain: Domain, n: int) -> list[tuple[Bound, Bound]]:
    """The bounds that a domain of intervals gives."""
    if isinstance(domain, Box):
        return [*zip(domain.lower.fractions(), domain.upper.fractions(), strict=True)]
    if not isinstance(domain, Polytope):
        return [(Fraction(0) if isinstance(domain, Orthant) else None, None)] * n
    found: list[list[Bound]] = [[None, None] for _ in range(n)]
    for row, offset in zip(domain.rows, domain.offsets, strict=True):
        ((j, a),) = [(j, a) for j, a in enumerate(row) if a]
        found[j][a > 0] = Fraction(-offset, a)
    return [(low, high) for low, high in found]


@st.composite
def interval_domains(draw: st.DrawFn, n: int) -> Domain:
    """Boxes, all of R^n, the orthant, and polytopes of single bounds, equal ones among them."""
    kind = draw(st.sampled_from(["box", "box", "all", "orthant", "polytope"]))
    if kind in ("all", "orthant"):
        return AllSpace() if kind == "all" else Orthant()
    lower = draw(rational_vectors(n)).fractions()
    upper = [low + draw(st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 3)])) for low in lower]
    if kind == "box":
        return Box(RationalVector.from_fractions(lower), RationalVector.from_fractions(upper))
    rows, offsets = [], []
    for j, bounds in enumerate(zip(lower, upper, strict=True)):
        for sign, bound in zip((-1, 1), bounds, strict=True):
            if draw(st.booleans()):
                rows.append(tuple(sign * bound.denominator * int(k == j) for k in range(n)))
                offsets.append(-sign * bound.numerator)
    return Polytope(tuple(rows), tuple(offsets))


def sparse(network: Network) -> Network:
    chain = tuple(Layer(SparseMatrix.from_dense(layer.weight), layer.bias, layer.rectified) for layer in network.layers)
    sources = tuple(SourceLayer(i + 1, f"layer {i + 1}", (layer,), i) for i, layer in enumerate(chain))
    return Network(chain, sources, (), network.input_shape)


@examples(100)
@given(networks(), st.data())
def test_the_bounds_are_those_of_naive_intervals(network: Network, data: st.DataObject) -> None:
    domain = data.draw(interval_domains(network.inputs))
    if data.draw(st.booleans()):
        network = sparse(network)
    for source in network.source_layers:
        found = interval_image(network, source, domain)
        if source.depth == 0:
            assert found is domain
            continue
        bounds, wide = bounds_of(found, source.inputs), naive(network.layers[: source.depth], bounds_of(domain, network.inputs))
        if not holds_two_relus_of_one_function(network.layers[: source.depth]):
            assert bounds == wide
        for (low, high), (lowest, highest) in zip(bounds, wide, strict=True):
            assert (lowest is None or (low is not None and lowest <= low)) and (highest is None or (high is not None and high <= highest))
        x = data.draw(rational_vectors(network.inputs))
        assert not in_domain(domain, x.fractions()) or found.contains(network.layer_input(source.number, x))


def holds_two_relus_of_one_function(chain: tuple[Layer, ...]) -> bool:
    """Whether a row reads two rectified rows that are equal or opposite but for their biases: there naive intervals are too wide."""
    for before, layer in itertools.pairwise(chain):
        rows = before.weight.fractions()
        for row in layer.weight.fractions():
            used = [j for j, a in enumerate(row) if a]
            if len(used) == 2 and before.rectified[used].all():
                p, q = (rows[j] for j in used)
                if q in (p, [-a for a in p]):
                    return True
    return False


PIECES = {
    "clip": lambda rows: clipped(rows, column(np.full(len(rows), -0.5)), column(np.full(len(rows), 1.5))),
    "abs": absolute,
    "leaky": lambda rows: leaky(rows, column(np.full(len(rows), 0.25))),
    "falling": lambda rows: leaky(rows, column(np.full(len(rows), -2.0))),
}
TRUTH = {
    "clip": lambda z: min(max(z, Fraction(-1, 2)), Fraction(3, 2)),
    "abs": abs,
    "leaky": lambda z: max(z, z / 4),
    "falling": lambda z: max(z, -2 * z),
}
# The values far out on the left and on the right.
FAR = {"clip": (Fraction(-1, 2), Fraction(3, 2)), "abs": (None, None), "leaky": (None, None), "falling": (None, None)}


@pytest.mark.parametrize("name", PIECES)
@examples(40)
@given(st.data())
def test_activations_of_several_pieces_attain_their_bounds(name: str, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 3))
    layer = data.draw(layers(inputs=n, outputs=data.draw(st.integers(1, 4)), wide=False))
    domain = data.draw(interval_domains(n))
    rows = Rows(SparseMatrix.from_dense(layer.weight), SparseMatrix.from_dense(layer.bias))
    lowering = Lowering(n)
    opened = lowering.affine("first", lowering.input((n,)), (layer.outputs,), rows)
    hidden = lowering.activate("pieces", opened, PIECES[name])
    last = lowering.affine("last", hidden, (layer.outputs,), Rows.identity(layer.outputs))
    network = lowering.network(last, (), (n,))
    linear_layer = Layer(layer.weight, layer.bias, np.zeros(layer.outputs, dtype=bool))
    expected = []
    for low, high in naive((linear_layer,), bounds_of(domain, n)):
        ends = [TRUTH[name](z) for z in (low, high) if z is not None]
        ends += [TRUTH[name](z) for z in (Fraction(0),) if (low is None or low < z) and (high is None or z < high)]
        ends += [far for far, end in zip(FAR[name], (low, high), strict=True) if end is None and far is not None]
        falls = low is None and name == "leaky"
        rises = (high is None and name != "clip") or (low is None and name in ("abs", "falling"))
        expected.append((None if falls else min(ends), None if rises else max(ends)))
    assert bounds_of(interval_image(network, network.source_layers[1], domain), layer.outputs) == expected


@examples(50)
@given(networks(depth=2), st.data())
def test_the_bounds_after_one_layer_are_attained(network: Network, data: st.DataObject) -> None:
    lower = data.draw(rational_vectors(network.inputs)).fractions()
    upper = [low + data.draw(st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 3)])) for low in lower]
    box = Box(RationalVector.from_fractions(lower), RationalVector.from_fractions(upper))
    found = interval_image(network, network.source_layers[1], box)
    assert isinstance(found, Box)
    corners = itertools.product(*({low, high} for low, high in zip(lower, upper, strict=True)))
    values = [network.layers[0](RationalVector.from_fractions(corner)).fractions() for corner in corners]
    assert [min(column) for column in zip(*values, strict=True)] == found.lower.fractions()
    assert [max(column) for column in zip(*values, strict=True)] == found.upper.fractions()


@examples(50)
@given(networks(), balls(), st.data())
def test_the_image_of_a_ball_holds_the_values_and_is_tight(network: Network, ball: Ball, data: st.DataObject) -> None:
    x = data.draw(rational_vectors(network.inputs))
    for source in network.source_layers:
        found = interval_image(network, source, ball)
        assert not ball.contains(x) or found.contains(network.layer_input(source.number, x))
        if source.depth != 1:
            continue
        layer = network.layers[0]
        assert isinstance(found, Box)
        bounds = zip(found.lower.fractions(), found.upper.fractions(), strict=True)
        rows = zip(layer.weight.fractions(), layer.bias.fractions(), layer.rectified.tolist(), strict=True)
        for (low, high), (row, (bias,), relu) in zip(bounds, rows, strict=True):
            square = ball.radius**2 * sum((a * a for a in row), Fraction(0))
            for bound, sign in ((low, -1), (high, 1)):
                reach = sign * (bound - bias)
                if relu and bound == 0:
                    # The bound before the relu was not positive.
                    assert reach <= 0 or reach**2 >= square or sign < 0
                else:
                    assert square <= reach**2 <= square * (1 + Fraction(1, 2**60)) and reach >= 0
                root = Fraction(isqrt(square.numerator), isqrt(square.denominator))
                assert root * root != square or bound == bias + sign * root or relu


def test_words_and_kinds(tmp_path: Path) -> None:
    first = Layer(DyadicMatrix.from_floats([[1.0, -2.0], [0.0, 0.0]]), DyadicMatrix.from_floats([[0.5], [0.25]]), np.array([True, False]))
    second = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    network = Network((first, second), (SourceLayer(1, "a", (first,), 0), SourceLayer(2, "b", (second,), 1)), (), (2,))
    one, two = network.source_layers
    assert domain_for("image:box:0,1/3", network, one) == Box(RationalVector((0, 0)), RationalVector((1, 1), 3))
    for text in ("image:all", "image:orthant", "image:ball:2", "image:box:-1,1"):
        assert domain_for(text, network, one).describe() == text == domain_for(text, network, two).describe()
    assert domain_for("orthant", network, two) == Orthant()
    assert domain_for("image:ball:1/2", network, one) == Ball(Fraction(1, 2))
    # The constant row is an interval of one point; the rectified one has no upper bound.
    found = domain_for("image:all", network, two)
    assert isinstance(found, Polytope) and set(zip(found.rows, found.offsets, strict=True)) == {((-1, 0), 0), ((0, -4), 1), ((0, 4), -1)}
    polytope = tmp_path / "p.json"
    polytope.write_text('{"A": [[1, 0], [-1, 0], [0, 3], [0, -2]], "b": [-1, 0, -1, 0]}')
    box = domain_for(f"image:polytope:{polytope}", network, two)
    assert isinstance(box, Box) and box.upper.texts() == ["3/2", "1/4"] and box.lower.texts() == ["0", "1/4"]
    for text in ("image:", "image:image:all", "image:box:1,0", "image:ball:-1", "image:nothing"):
        with pytest.raises(ExactReluError) as caught:
            domain_for(text, network, two)
        assert "\n" not in str(caught.value)
    polytope.write_text('{"A": [[1, 0], [-1, 0]], "b": [0, 1]}')
    with pytest.raises(InvalidRequestError, match="empty"):
        domain_for(f"image:polytope:{polytope}", network, two)
    polytope.write_text('{"A": [[1, 1]], "b": [0]}')
    with pytest.raises(InvalidRequestError, match="one coefficient"):
        domain_for(f"image:polytope:{polytope}", network, two)


def test_an_injective_layer_on_the_image_only() -> None:
    first = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[2.0], [3.0]]), np.array([True, True]))
    second = Layer(DyadicMatrix.from_floats([[1.0, 0.0], [0.0, 1.0]]), DyadicMatrix.from_floats([[-1.0], [-2.0]]), np.array([True, True]))
    network = Network((first, second), (SourceLayer(1, "a", (first,), 0), SourceLayer(2, "b", (second,), 1)), (), (1,))
    image = domain_for("image:box:-1,1", network, network.source_layers[1])
    assert decide_layer(second, image).verdict == "injective"
    assert decide_layer(second, Orthant()).verdict == "not-injective"


def residual_model(path: Path) -> Path:
    """A convolution, a residual join of its relu with another convolution, a relu and a dense layer."""
    generator = np.random.default_rng(0)

    def of(*shape: int) -> np.ndarray:
        return np.round(generator.standard_normal(shape) * 8).astype(np.float32) / 8

    constants = {"w1": of(2, 1, 3, 3), "b1": of(2), "w2": of(2, 2, 3, 3), "b2": of(2), "w3": of(3, 32), "b3": of(3)}
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], name="conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], name="relu1"),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], name="conv2", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c2", "r1"], ["s"], name="join"),
        helper.make_node("Relu", ["s"], ["r2"], name="relu2"),
        helper.make_node("Flatten", ["r2"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["y"], name="dense", transB=1),
    ]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    ends = (
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    graph = helper.make_graph(nodes, "g", *ends, tensors)
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())
    return path


def test_joins_and_convolutions_hold_the_values(tmp_path: Path) -> None:
    assert_holds(load(residual_model(tmp_path / "residual.onnx")), 40)


@pytest.mark.parametrize("name", ["cifar10_resnet_2b.onnx", "verivital_Convnet_maxpool.onnx"])
def test_published_networks_hold_the_values(shared: Path, name: str) -> None:
    assert_holds(load(shared / "networks/public" / name), 2)


def assert_holds(network: Network, count: int) -> None:
    generator = np.random.default_rng(1)
    points = [RationalVector(tuple(generator.integers(0, 4, network.inputs).tolist()), 3) for _ in range(count)]
    assert len(network.source_layers) > 2
    for source in network.source_layers:
        found = domain_for("image:box:0,1", network, source)
        found.check_dimension(source.inputs)
        for x in points:
            assert in_domain_quickly(found, network.layer_input(source.number, x))


def in_domain_quickly(domain: Domain, x: RationalVector) -> bool:
    if len(x) < 64:
        return in_domain(domain, x.fractions())
    assert isinstance(domain, Box)
    values = zip(domain.lower.fractions(), x.fractions(), domain.upper.fractions(), strict=True)
    return all(low <= value <= high for low, value, high in values)
