"""Injectivity of convolutions and pooling: collisions in a window, parts decided once, large layers, several stages."""

from __future__ import annotations

import hashlib
import io
import time
from fractions import Fraction
from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx_fractions import evaluate as evaluate_graph
from theorems.injectivity_replay import replay
from theorems.oracles import claim_of, evaluate, examples, in_domain, rank
from theorems.whole_networks import chained

from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.network import read_network
from exactrelu.checker.text import Text
from exactrelu.checker.verify import verify
from exactrelu.domain import AllSpace, Ball, Box, Domain, Orthant, Polytope
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.fast_checker import FastKernels
from exactrelu.injectivity import large
from exactrelu.injectivity.collisions.places import places
from exactrelu.injectivity.collisions.widened import widened
from exactrelu.injectivity.collisions.window import window_collision
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.parts import parts
from exactrelu.injectivity.question import Question
from exactrelu.injectivity.stages import decide_stages
from exactrelu.network.exact_file import _lines
from exactrelu.network.model import Layer
from exactrelu.network.readers import load
from exactrelu.strategies import domains, layers, rational_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from exactrelu.injectivity.answer import LayerInjectivity
    from exactrelu.injectivity.collisions.collision import Collision
    from exactrelu.network.model import Network


# The package has a function of the module's parent's name.
LAYER = import_module("exactrelu.injectivity.layer")


def box(n: int, low: int = 0, high: int = 1) -> Box:
    return Box(RationalVector((low,) * n), RationalVector((high,) * n))


def sparse(layer: Layer) -> Layer:
    return Layer(SparseMatrix.from_dense(layer.weight), layer.bias, layer.rectified)


def assert_collides(stages: Sequence[Layer], domain: Domain, found: Collision) -> None:
    """Two inputs of the domain with one output, in fractions."""
    x, y = found.x.fractions(), found.y.fractions()
    assert x != y and in_domain(domain, x) and in_domain(domain, y)
    for stage in stages:
        x, y = evaluate(stage, x), evaluate(stage, y)
    assert x == y == found.value.fractions()


def checked(layer: Layer, domain: Domain, result: LayerInjectivity) -> str:
    """The verdict, with its proof replayed or its collision evaluated."""
    if result.collision is not None:
        assert_collides([layer], domain, result.collision)
    if result.evidence is not None:
        replay(layer, domain, result.evidence)
    assert (result.verdict == "not-injective") == (result.collision is not None)
    return result.verdict


def blocks(data: st.DataObject, most: int = 3) -> tuple[Layer, int]:
    """A layer with its rows and columns permuted that falls apart into at least so many blocks, some of them equal."""
    kinds = [data.draw(layers(inputs=data.draw(st.integers(1, 2)), outputs=data.draw(st.integers(1, 4)), wide=False)) for _ in range(2)]
    chosen = data.draw(st.lists(st.sampled_from(kinds), min_size=2, max_size=most))
    m, n = sum(one.outputs for one in chosen), sum(one.inputs for one in chosen)
    weight, row, column = np.zeros((m, n)), 0, 0
    for one in chosen:
        weight[row : row + one.outputs, column : column + one.inputs] = one.weight.floats
        row, column = row + one.outputs, column + one.inputs
    rows, columns = np.array(data.draw(st.permutations(range(m))), dtype=int), np.array(data.draw(st.permutations(range(n))), dtype=int)
    bias = np.concatenate([one.bias.floats for one in chosen])[rows]
    mask = np.concatenate([one.rectified for one in chosen])[rows]
    return Layer(DyadicMatrix(weight[rows][:, columns]), DyadicMatrix(bias), mask), len(chosen)


# ---------------------------------------------------------------- windows


@examples(60)
@given(st.data())
def test_a_window_collision_is_one_and_none_is_missed_where_the_active_rows_have_lower_rank(data: st.DataObject) -> None:
    layer = data.draw(layers())
    n = layer.inputs
    x = data.draw(rational_vectors(n))
    domain = data.draw(st.sampled_from([AllSpace(), Box(*(RationalVector.from_fractions(v + d for v in x.fractions()) for d in (-1, 1)))]))
    found = window_collision([layer], domain, x)
    if found is not None:
        assert_collides([layer], domain, found.collision)
        return
    # x is interior: it lies on no line of inputs with its output iff the rows that are not negative have full rank.
    biases = [bias for (bias,) in layer.bias.fractions()]
    values = [
        sum((a * v for a, v in zip(row, x.fractions(), strict=True)), b) for row, b in zip(layer.weight.fractions(), biases, strict=True)
    ]
    kept = [
        row for row, value, relu in zip(layer.weight.fractions(), values, layer.rectified.tolist(), strict=True) if value >= 0 or not relu
    ]
    assert rank(kept) == n


@examples(60)
@given(st.data())
def test_points_to_look_at_lie_in_the_domain(data: st.DataObject) -> None:
    layer = data.draw(layers())
    domain = data.draw(domains(layer.inputs))
    rows = SparseMatrix.from_dense(layer.weight)
    for x in places(rows, layer.bias.floats[:, 0], layer.rectified, domain, None):
        assert in_domain(domain, x.fractions())


@examples(30)
@given(st.data())
def test_widening_keeps_a_collision_and_the_inputs_that_differ(data: st.DataObject) -> None:
    layer = data.draw(layers(wide=False))
    domain: Domain = data.draw(st.sampled_from([AllSpace(), Orthant(), box(layer.inputs, -1)]))
    question = Question(layer, domain)
    for x in places(SparseMatrix.from_dense(layer.weight), layer.bias.floats[:, 0], layer.rectified, domain, None):
        found = window_collision([layer], domain, x)
        if found is not None:
            wider = widened(question, found.collision)
            assert_collides([layer], domain, wider)
            assert wider.squared_distance >= found.collision.squared_distance
            ends = zip(*(one.fractions() for one in (found.collision.x, found.collision.y, wider.x, wider.y)), strict=True)
            assert all(a == b == c == d or a != b for a, b, c, d in ends)
            return


# ---------------------------------------------------------------- parts


@examples(40)
@given(st.data())
def test_parts_have_the_columns_and_rows_of_the_layer(data: st.DataObject) -> None:
    layer, _ = blocks(data)
    found = parts([layer], data.draw(st.sampled_from([AllSpace(), Orthant(), box(layer.inputs)])))
    assert sorted(j for part in found for j in part.columns.tolist()) == list(range(layer.inputs))
    own = sorted(
        (tuple(zip(part.columns[row != 0].tolist(), row[row != 0].tolist(), strict=True)), bias)
        for part in found
        for row, bias in zip(part.stages[0].weight.floats, part.stages[0].bias.floats[:, 0].tolist(), strict=True)
    )
    listed = zip(layer.weight.floats, layer.bias.floats[:, 0].tolist(), strict=True)
    every = sorted((tuple((j, a) for j, a in enumerate(row.tolist()) if a), bias) for row, bias in listed)
    if len(found) > 1:
        assert own == [one for one in every if one[0]]


@examples(40)
@given(st.data())
def test_blocks_are_injective_together_iff_each_is(data: st.DataObject) -> None:
    layer, _ = blocks(data)
    domain = data.draw(domains(layer.inputs))
    try:
        verdict = checked(layer, domain, decide_layer(layer, domain))
    except InvalidRequestError:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LAYER, "parts", lambda *_: [None])
        assert verdict == checked(layer, domain, decide_layer(layer, domain))


def test_equal_parts_are_decided_once_and_collide_together() -> None:
    # A convolution whose stride is its kernel: two filters on windows of two inputs.
    count = 40
    weight = np.kron(np.eye(count), np.array([[1.0, 2.0], [1.0, -1.0], [-1.0, -3.0], [0.5, 0.25]]))
    layer = Layer(DyadicMatrix(weight), DyadicMatrix(np.tile([[-1.0], [0.0], [0.5], [-8.0]], (count, 1))), np.ones(4 * count, dtype=bool))
    result = decide_layer(layer, box(2 * count))
    assert checked(layer, box(2 * count), result) == "not-injective"
    assert f"{count} equal parts decided once" in result.method
    assert result.collision is not None
    different = [a != b for a, b in zip(result.collision.x.fractions(), result.collision.y.fractions(), strict=True)]
    assert all(any(different[2 * k : 2 * k + 2]) for k in range(count))


# ---------------------------------------------------------------- large layers


@examples(40)
@given(st.data())
def test_a_sparse_layer_that_is_not_made_dense_is_decided_alike(data: st.DataObject) -> None:
    layer = blocks(data)[0] if data.draw(st.booleans()) else data.draw(layers(wide=data.draw(st.booleans())))
    domain = data.draw(st.sampled_from([AllSpace(), Orthant(), box(layer.inputs), box(layer.inputs, -1), box(layer.inputs, 1)]))
    expected = decide_layer(layer, domain).verdict
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large, "_LARGEST_DENSE", -1)
        result = decide_layer(sparse(layer), domain)
    assert checked(layer, domain, result) in {expected, "undecided"}
    if result.verdict == "undecided":
        assert result.record()["progress"]
    elif not result.is_certified:
        with pytest.raises(CertificateError, match="no form yet"):
            result.certificate(network_sha256="0" * 64, layer_number=1, domain=domain)


def banded(n: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    rows = np.zeros((n, n))
    for k in (0, 1, 2):
        rows += np.diag(generator.integers(1, 9, n - k), k)
    return rows


@pytest.mark.parametrize(
    ("rows", "biases", "rectified", "domain", "method"),
    [
        (banded(24), 0.0, False, AllSpace(), "rows without a relu of full rank"),
        (np.vstack([banded(24), -2 * banded(24)]), 0.0, True, AllSpace(), "opposite rows of full rank"),
        (banded(24), 0.0, True, Orthant(), "always active rows of full rank"),
        (-banded(24), 27.0, True, box(24), "always active rows of full rank"),
        (np.eye(24)[:1], -5.0, True, Box(RationalVector((1,) * 24), RationalVector((1,) * 24)), "a domain of one point"),
    ],
)
def test_rows_of_full_rank_of_a_sparse_layer(
    rows: np.ndarray, biases: float, rectified: bool, domain: Domain, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large, "_LARGEST_DENSE", -1)
    m = len(rows)
    layer = sparse(Layer(DyadicMatrix(rows), DyadicMatrix(np.full((m, 1), biases)), np.full(m, rectified)))
    result = decide_layer(layer, domain)
    assert (checked(layer, domain, result), result.method) == ("injective", method)
    sha256 = hashlib.sha256(b"any").hexdigest()
    assert "injective" in claim_of(layer, result.certificate(network_sha256=sha256, layer_number=1, domain=domain).text())


def test_a_collision_is_looked_for_near_given_points(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two rows for each of the inputs, one of which is always active but near a corner.
    monkeypatch.setattr(large, "_LARGEST_DENSE", -1)
    n = 30
    rows = np.vstack([np.eye(n), np.eye(n) + np.eye(n, k=1)])
    layer = sparse(Layer(DyadicMatrix(rows), DyadicMatrix(np.full((2 * n, 1), -(2.0**-6))), np.ones(2 * n, dtype=bool)))
    result = decide_layer(layer, box(n), points=[RationalVector((0,) * n)])
    assert checked(layer, box(n), result) == "not-injective"
    assert "near a given point" in result.method


def test_an_undecided_large_layer_says_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "_LARGEST_DENSE", -1)
    generator = np.random.default_rng(0)
    layer = sparse(
        Layer(DyadicMatrix(generator.standard_normal((90, 6))), DyadicMatrix(generator.standard_normal((90, 1))), np.ones(90, dtype=bool))
    )
    result = decide_layer(layer, AllSpace())
    assert result.verdict == "undecided" and "few active rows" in result.record()["progress"]
    with pytest.raises(CertificateError):
        result.certificate(network_sha256="0" * 64, layer_number=1, domain=AllSpace())


# ---------------------------------------------------------------- models


def model_of(nodes: list[Any], shape: list[int], constants: dict[str, np.ndarray]) -> Any:
    initializers = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *shape])
    graph = helper.make_graph(nodes, "g", [given], [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def loaded(model: Any, folder: Path) -> Any:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return load(path)


def same_in_the_graph(model: Any, shape: list[int], found: Collision) -> None:
    """The model itself, operator by operator in fractions, has one output for both inputs."""
    ends = []
    for one in (found.x, found.y):
        x = np.empty(len(one), dtype=object)
        x[:] = one.fractions()
        ends.append(evaluate_graph(model, x.reshape(1, *shape)).reshape(-1).tolist())
    assert ends[0] == ends[1] == found.value.fractions()


@examples(12)
@given(data=st.data())
def test_convolutions_are_decided_alike_on_both_paths(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    channels, maps = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 5))
    kernel, stride, pad = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2)), data.draw(st.integers(0, 1))
    shape = [channels, data.draw(st.integers(kernel, 4)), kernel]
    generator = np.random.default_rng(data.draw(st.integers(0, 2**20)))
    constants = {
        "w": generator.integers(-3, 4, (maps, channels, kernel, kernel)) / 2.0,
        "b": generator.integers(-2, 6, maps) / 2.0,
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], strides=[stride] * 2, pads=[min(pad, kernel - 1)] * 4),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    model = model_of(nodes, shape, constants)
    (layer,) = loaded(model, tmp_path_factory.mktemp("model")).source_layers[0].essential_stages
    domain = data.draw(st.sampled_from([box(layer.inputs), box(layer.inputs, -1)]))
    dense = decide_layer(layer, domain, deadline=time.monotonic() + 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large, "_LARGEST_DENSE", -1)
        other = decide_layer(sparse(layer), domain)
    verdicts = {checked(layer, domain, result) for result in (dense, other)}
    assert verdicts != {"injective", "not-injective"}
    for result in (dense, other):
        if result.collision is not None:
            same_in_the_graph(model, shape, result.collision)


POOLED = [
    ([("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]})], "not-injective", "equal parts decided once"),
    ([("MaxPool", {"kernel_shape": [2, 2]})], "not-injective", "window"),
    ([("Abs", {})], "not-injective", "two regions with a common value"),
    ([("Neg", {}), ("Abs", {})], "not-injective", "two regions with a common value"),
    ([("GlobalAveragePool", {})], "not-injective", "all rows"),
]


@pytest.mark.parametrize(("operators", "verdict", "method"), POOLED)
def test_pooling_collides_exactly(operators: list[tuple[str, dict[str, Any]]], verdict: str, method: str, tmp_path: Path) -> None:
    names = ["x", *(f"t{k}" for k in range(len(operators) - 1)), "y"]
    nodes = [helper.make_node(operator, [names[k]], [names[k + 1]], **attributes) for k, (operator, attributes) in enumerate(operators)]
    model = model_of(nodes, [1, 4, 4], {})
    network = loaded(model, tmp_path)
    assert len(network.source_layers) == 1
    source = network.source_layers[0]
    domain = box(16, -1)
    result = decide_stages(source.essential_stages, domain)
    assert result.verdict == verdict and method in result.method
    assert result.collision is not None
    same_in_the_graph(model, [1, 4, 4], result.collision)
    assert_collides(source.essential_stages, domain, result.collision)
    # The certificate is about the network of the layer alone.
    assert certified(network.alone(source), domain, result).endswith("(box): collision")


def certified(network: Network, domain: Domain, result: LayerInjectivity) -> str:
    """The claim of a result's certificate, about all layers of the network, as both checkers print it."""
    lines = b"".join(_lines(network))
    sha256 = hashlib.sha256(lines).hexdigest()
    text = result.certificate(network_sha256=sha256, layer_number=len(network.layers), domain=domain).text()
    claims = set()
    for kernels in (Kernels(), FastKernels()):
        stream = Text(io.BytesIO(text.encode()))
        stream.take("exactrelu-certificate 1", "3").done()
        stream.take("network", "3").sha256()
        claims.add(str(verify(stream, read_network(io.BytesIO(lines)), kernels)))
    (claim,) = claims
    return claim


def stack_of(*pieces: tuple[list[list[float]], list[float], bool]) -> list[Layer]:
    return [
        Layer(DyadicMatrix.from_floats(np.array(rows)), DyadicMatrix.from_floats(np.reshape(biases, (-1, 1))), np.full(len(rows), relu))
        for rows, biases, relu in pieces
    ]


ABSOLUTE = stack_of(([[1.0], [-1.0]], [0.0, 0.0], True), ([[1.0, 1.0]], [0.0], False))
TWICE = stack_of((np.kron(np.eye(2), [[1.0], [-1.0]]), [0.0] * 4, True), (np.kron(np.eye(2), [[1.0, 1.0]]), [0.0] * 2, False))
STEEPER = stack_of(([[1.0], [-1.0]], [0.0, 0.0], True), ([[1.0, -2.0]], [0.0], False))


@pytest.mark.parametrize(
    ("stages", "domain", "verdict"),
    [
        (ABSOLUTE, AllSpace(), "not-injective"),
        (ABSOLUTE, Ball(Fraction(1, 3)), "not-injective"),
        (ABSOLUTE, Polytope(((-1,), (1,)), (-1, -3)), "undecided"),
        (ABSOLUTE, box(1), "injective"),
        (ABSOLUTE, box(1, -2, -1), "injective"),
        (ABSOLUTE, box(1, -1), "not-injective"),
        (ABSOLUTE, Orthant(), "injective"),
        # z for z >= 0 and 2 z else: injective, which is not seen stage by stage.
        (STEEPER, box(1, -1), "undecided"),
        (STEEPER, box(1), "injective"),
        # Two parts, of which each is injective where it is asked about.
        (TWICE, box(2), "injective"),
        (TWICE, Orthant(), "injective"),
        (TWICE, AllSpace(), "not-injective"),
    ],
)
def test_several_stages(stages: list[Layer], domain: Domain, verdict: str) -> None:
    result = decide_stages(stages, domain)
    assert result.verdict == verdict
    if result.collision is not None:
        assert_collides(stages, domain, result.collision)
    if result.is_certified:
        words = {"injective": "injective", "not-injective": "collision"}
        assert certified(chained(*stages), domain, result).endswith(f": {words[verdict]}")
    else:
        assert verdict == "undecided" and result.remark
        with pytest.raises(CertificateError):
            result.certificate(network_sha256="0" * 64, layer_number=2, domain=domain)


@examples(40)
@given(st.data())
def test_stages_called_injective_take_no_value_twice(data: st.DataObject) -> None:
    first = data.draw(layers(inputs=data.draw(st.integers(1, 2)), wide=False))
    stages = [first, data.draw(layers(inputs=first.outputs, wide=False))]
    domain = box(first.inputs, -1)
    result = decide_stages(stages, domain)
    if result.collision is not None:
        assert_collides(stages, domain, result.collision)
    if result.is_certified:
        certified(chained(*stages), domain, result)
    if result.verdict == "injective":
        seen = set()
        for point in product([Fraction(k, 4) for k in range(-4, 5)], repeat=first.inputs):
            value = tuple(evaluate(stages[1], evaluate(stages[0], list(point))))
            assert value not in seen
            seen.add(value)


def test_wrong_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Polytope(((1,), (-1,)), (0, 1))
    with pytest.raises(InvalidRequestError, match="2 coordinates"):
        decide_stages(ABSOLUTE, AllSpace(), points=[RationalVector((1, 2))])
    with pytest.raises(InvalidRequestError, match="domain is empty"):
        decide_stages(ABSOLUTE, empty)
    monkeypatch.setattr(large, "_LARGEST_DENSE", -1)
    with pytest.raises(InvalidRequestError, match="domain is empty"):
        decide_layer(sparse(ABSOLUTE[0]), empty)


# ---------------------------------------------------------------- real layers


@pytest.mark.parametrize(
    ("name", "number", "high", "method"),
    [
        ("public/cifar10_resnet_2b.onnx", 1, 1, "few active rows in a window"),
        ("public/oval21_cifar_base_kw.onnx", 2, 10, "few active rows in a window"),
        ("public/verivital_Convnet_maxpool.onnx", 1, 1, "few active rows in a window of one input"),
        ("public/verivital_Convnet_maxpool.onnx", 2, 10, "parts"),
    ],
)
def test_large_layers_of_real_networks_collide(name: str, number: int, high: int, method: str, shared: Path) -> None:
    source = load(shared / "networks" / name).layer(number)
    stages, domain = source.essential_stages, box(source.inputs, 0, high)
    result = decide_stages(stages, domain, deadline=time.monotonic() + 60)
    assert result.verdict == "not-injective" and method in result.method
    assert result.collision is not None
    x, y = result.collision.x, result.collision.y
    assert x != y and domain.contains(x) and domain.contains(y)
    assert source(x) == source(y)
