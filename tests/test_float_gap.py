"""The proved bound holds for every float32 program it speaks of: any order of summation, fused or not, flushed or not, and onnxruntime."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from test_lowering_operators import graphs

from exactrelu import cli, demo
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.float_gap import FloatGapModel, error, float_gap, gap_report, nearest_float32
from exactrelu.network.model import Layer, Network, SourceLayer
from exactrelu.network.readers import load
from exactrelu.points import read_points

F = np.float32
SMALLEST = Fraction(2) ** -126
POOL = [0.0, -0.0, 1.0, -1.0, 0.1, -0.7, 3.0, 1e-3, 1 / 3, -2.5, 1e4, 1e-30, 1e-40, 1e-45, 2.0**-126]


# ---------------------------------------------------------------- a second opinion: float32 arithmetic on fractions


def to_float32(value):
    """The float32 nearest to a fraction, ties to even, found among the neighbours of NumPy's rounding of its float64."""
    near = F(float(value))
    around = [F(np.nextafter(near, F(-np.inf))), near, F(np.nextafter(near, F(np.inf)))]
    return min(around, key=lambda one: (abs(Fraction(float(one)) - value), int(one.view(np.uint32)) & 1))


class Program:
    """A float32 machine: order of summation, fused or not, subnormals kept or flushed, constants folded or not."""

    def __init__(self, draw, *, fused, flushed):
        self.draw, self.fused, self.flushed = draw, fused, flushed

    def read(self, value):
        return Fraction(0) if self.flushed and abs(value) < SMALLEST else value

    def rounded(self, value):
        return self.read(Fraction(float(to_float32(value))))

    def sum(self, weights, x, bias):
        """w x + b by a random tree of additions, with fused additions of products at random where the machine has them."""
        weights, x = [self.read(w) for w in weights], [self.read(v) for v in x]
        sums = [self.read(bias)]
        for j in self.draw.permutation(len(x)):
            w, v = weights[j], x[j]
            if self.fused and self.draw.random() < 0.7:
                at = self.draw.integers(len(sums))
                sums[at] = self.rounded(w * v + sums[at])
            else:
                sums.append(self.rounded(w * v))
        while len(sums) > 1:
            i, j = sorted(self.draw.permutation(len(sums))[:2].tolist())
            sums[i] = self.rounded(sums[i] + sums.pop(j))
        return sums[0]

    def run(self, layers, x):
        state = [self.rounded(value) for value in x]
        for weight, bias, rectified in layers:
            state = [self.sum([Fraction(float(w)) for w in row], state, Fraction(float(b))) for row, b in zip(weight, bias, strict=True)]
            state = [max(value, Fraction(0)) if relu else value for value, relu in zip(state, rectified, strict=True)]
        return state


@st.composite
def chains(draw):
    """A list of (weights, biases, mask) of float32 numbers, and a rational input."""
    widths = draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    layers = []
    for n, m in pairwise(widths):
        normal = random.standard_normal((m, n + 1)).astype(F)
        chosen = np.array(POOL, dtype=F)[random.integers(len(POOL), size=(m, n + 1))]
        table = np.where(random.random((m, n + 1)) < draw(st.sampled_from([0.0, 0.3, 1.0])), chosen, normal)
        layers.append((table[:, :n], table[:, n], random.random(m) < 0.7))
    x = draw(st.lists(st.fractions(-3, 3, max_denominator=300), min_size=widths[0], max_size=widths[0]))
    return layers, x, random


def network_of(layers):
    made = tuple(Layer(DyadicMatrix.from_floats(w), DyadicMatrix.from_floats(b.reshape(-1, 1)), mask) for w, b, mask in layers)
    sources = tuple(SourceLayer(k, f"layer{k}", (layer,), k - 1) for k, layer in enumerate(made, 1))
    return Network(made, sources, (), (made[0].inputs,))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(chains(), st.booleans(), st.booleans())
def test_every_order_fused_or_not_flushed_or_not_stays_within_the_bound(chain, fused, flushed):
    layers, x, random = chain
    network = network_of(layers)
    found = float_gap(network, RationalVector.from_fractions(x))
    assume(found.bound is not None)
    exact = network(RationalVector.from_fractions(x)).fractions()
    assert found.exact.fractions() == exact
    for _ in range(3):
        computed = Program(random, fused=fused, flushed=flushed).run(layers, x)
        assert all(abs(a - b) <= bound for a, b, bound in zip(computed, exact, found.bound, strict=True))


def test_a_unit_roundoff_a_thousand_times_smaller_would_be_refuted(monkeypatch):
    """The property above can fail, and the bound is no more than so many times what is met."""
    monkeypatch.setattr(error, "UNIT_ROUNDOFF", error.UNIT_ROUNDOFF / 1000)
    random = np.random.default_rng(1)
    layers = [(random.standard_normal((4, 6)).astype(F), random.standard_normal(4).astype(F), np.ones(4, dtype=bool))]
    refuted = 0
    for _ in range(20):
        x = [Fraction(int(value), 256) for value in random.integers(-256, 256, 6)]
        found = float_gap(network_of(layers), RationalVector.from_fractions(x))
        computed = Program(random, fused=False, flushed=False).run(layers, x)
        refuted += any(abs(a - b) > bound for a, b, bound in zip(computed, found.exact.fractions(), found.bound, strict=True))
    assert refuted > 10


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.fractions(-4, 4, max_denominator=2**40),
        st.builds(lambda m, e: m * Fraction(2) ** e, st.integers(-(2**30), 2**30), st.integers(-180, 90)),
    )
)
def test_inputs_are_rounded_to_the_nearest_float32(x):
    value, error = nearest_float32(RationalVector.from_fractions([x]))
    assert value[0] == to_float32(x)
    assert abs(Fraction(float(value[0])) - x) <= Fraction(float(error[0]))


def test_inputs_beyond_float32_are_undecided():
    network = network_of([(np.ones((1, 1), F), np.zeros(1, F), np.array([True]))])
    for x in (Fraction(10) ** 39, -(Fraction(10) ** 400)):
        found = float_gap(network, RationalVector.from_fractions([x]))
        assert found.bound is None
        assert "range of float32" in found.undecided
    almost = Fraction(float(np.finfo(F).max))
    assert (
        float_gap(network, RationalVector.from_fractions([almost])).undecided == "numbers beyond the range of float32 may occur on the way"
    )


# ---------------------------------------------------------------- ONNX models, and onnxruntime


def test_padding_beyond_all_bounds_is_not_made(tmp_path):
    pads = {"kernel_shape": [2, 2], "dilations": [2**19, 2**19], "pads": [2**19, 2**19, 0, 0]}
    nodes = [helper.make_node("Conv", ["x", "W"], ["y"], **pads)]
    path = saved(tmp_path, onnx_model(nodes, {"W": np.ones((1, 1, 2, 2), F)}, [1, 1, 2, 2]))
    found = float_gap(load(path), RationalVector((1, 2, 3, 4)), model=path)
    assert found.exact.texts() == ["1", "2", "3", "4"]
    assert "pads a tensor to more than" in found.undecided


UNKNOWN = ("no bound is known for operator", "cannot be evaluated in float64", "has ceil_mode", "computes a constant in floats")


def saved(folder, model):
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def onnx_model(nodes, constants, shape, opset=17):
    output = [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        output,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(graphs(), st.data())
def test_onnxruntime_on_random_graphs_stays_within_the_bound(tmp_path, graph, data):
    model, shape = graph
    path = saved(tmp_path, model)
    network = load(path)
    x = data.draw(st.lists(st.fractions(-2, 2, max_denominator=99), min_size=math.prod(shape), max_size=math.prod(shape)))
    found = float_gap(network, RationalVector.from_fractions(x), model=path)
    assert found.undecided is None or any(reason in found.undecided for reason in UNKNOWN)
    assert found.not_observed is None
    assert found.bound is None or all(a <= bound for a, bound in zip(found.observed, found.bound, strict=True))


def test_constants_that_cancel_are_bounded_as_the_program_adds_them(tmp_path):
    """Lowered, the two constants are one small bias; the program rounds with the large ones."""
    constants = {"W": np.array([[1.0]], F), "b": np.array([1e6], F), "c": np.array([-1e6], F)}
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["y"]), helper.make_node("Add", ["y", "c"], ["z"])]
    path = saved(tmp_path, onnx_model(nodes, constants, [1, 1]))
    network = load(path)
    x = RationalVector((1,), 3)
    found = float_gap(network, x, model=path)
    assert 1e-3 < found.observed[0] <= found.bound[0] < 1
    # The same function as one layer is far more accurate: the bound for layers does not speak of this program.
    assert float_gap(network, x).bound[0] < found.observed[0]


@pytest.mark.parametrize("optimised", [True, False])
def test_a_batch_norm_folded_into_a_convolution_or_not(tmp_path, optimised):
    import onnxruntime

    random = np.random.default_rng(3)
    constants = {"W": random.standard_normal((5, 3, 3, 3)), "b": 100 * random.standard_normal(5)}
    constants |= {name: random.standard_normal(5) for name in ("scale", "shift")}
    constants |= {"mean": 100 * random.standard_normal(5), "variance": random.random(5) + 0.1}
    nodes = [
        helper.make_node("Conv", ["x", "W", "b"], ["y"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["y", "scale", "shift", "mean", "variance"], ["z"]),
        helper.make_node("Relu", ["z"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
    ]
    model = onnx_model(nodes, {name: value.astype(F) for name, value in constants.items()}, [1, 3, 8, 8])
    path = saved(tmp_path, model)
    network = load(path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    for _ in range(3):
        x = random.integers(0, 256, 192)
        found = float_gap(network, RationalVector.from_fractions(Fraction(int(v), 255) for v in x), model=path)
        computed = session.run(None, {"x": (x.astype(F) / F(255)).reshape(1, 3, 8, 8)})[0].reshape(-1)
        pairs = zip(computed.tolist(), found.exact.fractions(), found.bound, strict=True)
        assert all(abs(Fraction(value) - exact) <= bound for value, exact, bound in pairs)
        assert max(found.bound) < 1


def test_a_factor_that_underflows_beside_a_large_mean(tmp_path):
    """The factor's own absolute error, at most 2^-126, is multiplied by the mean as well as by the input."""
    values = {"scale": 1e-44, "shift": 0.0, "mean": 3e20, "variance": 4.0}
    nodes = [helper.make_node("BatchNormalization", ["x", *values], ["y"])]
    path = saved(tmp_path, onnx_model(nodes, {name: np.array([value], F) for name, value in values.items()}, [1, 1]))
    found = float_gap(load(path), RationalVector((1,), 3), model=path)
    assert 1e-26 < found.observed[0] <= found.bound[0] < 1e-15


def test_long_chains_of_constants_stay_sharp(tmp_path):
    """What underflow may cost grows by a little with each constant, not by a factor."""
    names = [f"t{k}" for k in range(301)]
    nodes = [helper.make_node("Add" if k % 2 else "Mul", [a, "c"], [b]) for k, (a, b) in enumerate(pairwise(["x", *names]))]
    path = saved(tmp_path, onnx_model(nodes, {"c": np.array(1.0, F)}, [1, 2]))
    found = float_gap(load(path), RationalVector((1, -2), 3), model=path)
    assert found.observed[0] <= found.bound[0] <= 2**-24 * 301 * 302


def test_the_digits_demo_within_ten_thousand_times_what_is_observed():
    network = load(demo.MODEL)
    points = read_points(demo.IMAGES, shape=network.input_shape, inputs=network.inputs, scale=Fraction(1, 16), rows="0:10")
    model = FloatGapModel(network, demo.MODEL)
    for x in points.rows:
        found = model(x)
        assert all(a <= bound for a, bound in zip(found.observed, found.bound, strict=True))
        assert max(found.bound) <= 10_000 * max(found.observed)
        assert found.class_is_proved and found.class_is_observed


NETWORKS = [
    "public/acasxu_1_1.onnx", "public/arch_vcas_pra01.onnx", "public/marabou_linear2-3_bn1-linear3-1.onnx", "public/mnistfc_256x2.onnx",
    "public/nn4sys_lindex.onnx", "public/rl_lunarlander.onnx", "public/safenlp_medical.onnx", "public/tll_n2_N8_0_0.onnx",
    "public/verivital_Convnet_maxpool.onnx", "public/vnncomp_test_small.onnx", "trained/mnist_mlp_784_128_64_10.onnx",
    "trained/digits_ae_64_32_2_32_64.onnx", "trained/moons_2_16_16_1.onnx", "trained/sentiment_rnn_relu_h16_unrolled_T4.onnx",
]  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_onnxruntime_on_networks_people_bring(shared, name):
    path = shared / "networks" / name
    network = load(path)
    random = np.random.default_rng(0)
    x = RationalVector.from_fractions([Fraction(int(value), 255) for value in random.integers(0, 256, network.inputs)])
    found = float_gap(network, x, model=path)
    assert found.undecided is None and found.not_observed is None
    assert all(a <= bound for a, bound in zip(found.observed, found.bound, strict=True))


# ---------------------------------------------------------------- what is refused, what is said


def test_another_file_is_refused(tmp_path):
    network = load(demo.MODEL)
    other = tmp_path / "other.onnx"
    other.write_bytes(demo.MODEL.read_bytes() + b"\0")
    with pytest.raises(InvalidRequestError, match="not the file that the network was read from"):
        float_gap(network, RationalVector((0,) * 64), model=other)
    with pytest.raises(InvalidRequestError, match="coordinates"):
        float_gap(network, RationalVector((0,)), model=demo.MODEL)


@pytest.mark.parametrize(
    ("nodes", "constants", "said"),
    [
        ([helper.make_node("Gemm", ["x", "W"], ["y"])], {"W": np.ones((2, 2))}, "float64, not float32"),
        ([helper.make_node("Gemm", ["x", "W"], ["y"])], {"W": np.full((2, 2), 1e38, F)}, "range of float32"),
        ([helper.make_node("Gemm", ["x", "W"], ["y"], alpha=1e-30)], {"W": np.full((2, 2), 1e30, F)}, "range of float32"),
        ([helper.make_node("Div", ["x", "c"], ["y"])], {"c": np.full((), 1e-30, F)}, "divides by numbers"),
        ([helper.make_node("LeakyRelu", ["x"], ["y"], alpha=1e38)], {}, "range of float32"),
    ],
)
def test_where_the_theorem_does_not_apply_it_says_why(tmp_path, nodes, constants, said):
    path = saved(tmp_path, onnx_model(nodes, constants, [1, 2]))
    found = float_gap(load(path), RationalVector((2**40, 3)), model=path)
    assert found.bound is None and not found.class_is_proved
    assert said in found.undecided and len(found.undecided.splitlines()) == 1
    json.dumps(found.record(0), allow_nan=False)


def test_a_chain_in_another_format_is_evaluated_layer_by_layer(tmp_path):
    path = tmp_path / "model.nnet"
    path.write_text("2,2,1,3,\n2,3,1,\n0,\n-1,-1,\n1,1,\n0,0,0,\n1,1,1,\n.1,-2,\n0.5,0.3\n-3e0,.7,\n0,\n1.5,\n-2,\n1,1.7,-1,\n0.1,\n")
    x = [Fraction(1, 3), Fraction(-2, 7)]
    found = float_gap(load(path), RationalVector.from_fractions(x), model=path)
    rows = [([[0.1, -2], [0.5, 0.3], [-3, 0.7]], [0, 1.5, -2], [True] * 3), ([[1, 1.7, -1]], [0.1], [False])]
    # The file's decimals are rounded to float32 by the program and to float64 by the reader.
    rows = [([[float(F(w)) for w in row] for row in weights], [float(F(b)) for b in biases], mask) for weights, biases, mask in rows]
    computed = Program(np.random.default_rng(0), fused=False, flushed=False).run(rows, x)
    assert 0 < abs(computed[0] - found.exact.fractions()[0]) <= found.bound[0] < 1e-4
    assert found.not_observed == "onnxruntime runs .onnx files only"


def test_a_class_is_proved_where_the_margin_exceeds_both_bounds():
    def classes(difference):
        weights = np.array([[1.0], [1.0]], F)
        found = float_gap(network_of([(weights, np.array([difference, 0], F), np.zeros(2, dtype=bool))]), RationalVector((1,), 3))
        return found.predicted_class, found.class_is_proved, found.record(0)["class"]

    assert classes(0.5) == (0, True, 0)
    assert classes(1e-9) == (0, False, 0)
    assert classes(0.0) == (None, False, None)


def test_without_onnxruntime_the_reason_is_given(monkeypatch):
    import builtins

    real = builtins.__import__

    def absent(name, *rest, **more):
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    found = float_gap(load(demo.MODEL), RationalVector((1,) * 64, 2), model=demo.MODEL)
    assert found.observed is None and found.bound is not None
    assert "not observed: onnxruntime is not installed" in gap_report([found.record(0)])


@pytest.mark.skipif(not hasattr(cli, "float_gap"), reason="the command is not there yet")
def test_the_command(capsys, tmp_path):
    common = ["float-gap", str(demo.MODEL), "--input", str(demo.IMAGES), "--scale", "1/16", "--rows", "3:5", "--quiet"]
    assert cli.main([*common, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["question"] == "float-gap"
    assert [record["row"] for record in answer["results"]] == [3, 4]
    for record in answer["results"]:
        assert all(float(a) <= float(b) for a, b in zip(record["differences"], record["bounds"], strict=True))
        assert float(record["bound"]) == max(map(float, record["bounds"]))
    assert cli.main(common) == 0
    assert "class proved the same in 2 of 2 rows" in capsys.readouterr().out

    path = saved(tmp_path, onnx_model([helper.make_node("Gemm", ["x", "W"], ["y"])], {"W": np.ones((2, 2))}, [1, 2]))
    (tmp_path / "x.csv").write_text("1,2\n")
    assert cli.main(["float-gap", str(path), "--input", str(tmp_path / "x.csv")]) == 3
    assert "no bound is proved" in capsys.readouterr().out


def test_a_last_activation_that_was_set_aside_is_left_out_of_the_bound(tmp_path):
    nodes = [helper.make_node("Gemm", ["x", "W"], ["y"]), helper.make_node("Sigmoid", ["y"], ["z"])]
    path = saved(tmp_path, onnx_model(nodes, {"W": np.array([[0.1], [-0.7]], F)}, [1, 2]))
    network = load(path)
    found = float_gap(network, RationalVector((1, 2), 3), model=path)
    assert found.exact == network(RationalVector((1, 2), 3))
    assert 0 < found.bound[0] < 1e-6
    assert found.not_observed == "the model's last activation was set aside"
