"""An ONNX file read is the function that onnx's own reference evaluator computes on fractions; bad files get one clear line."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from exactrelu.errors import ExactReluError, InvalidFileError, InvalidNumberError, UnsupportedModelError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.readers import load

DATA = Path(__file__).parent / "data" / "degenerate"
SHARED = Path(__file__).parents[2] / "shared" / "networks"
EXPECTED = {
    "acasxu_1_1": 8, "arch_single_pendulum": 3, "marabou_fc1": 4, "mnistfc_256x2": 3, "nn4sys_lindex": 4, "reach_prob_density_gcas": 3,
    "reach_prob_density_vdp": 3, "rl_cartpole": 3, "rl_lunarlander": 3, "safenlp_medical": 2, "tll_n2_N8_0_0": 14, "vnncomp_test_nano": 1,
    "vnncomp_test_small": 3, "vnncomp_test_tiny": 2, "circles_2_8_1": 2, "digits_64_128_64_10": 3, "digits_64_16_16_10": 3,
    "digits_64_32_10": 2, "digits_ae_64_32_2_32_64": 4, "mnist_decoder_8_128_784": 2, "mnist_encoder_784_128_8": 2,
    "mnist_mlp_784_128_64_10": 3, "mnist_mlp_784_16_16_10": 3, "mnist_mlp_784_3500_784_10": 3, "moons_2_16_16_1": 3,
}  # fmt: skip
REFUSED = {
    "arch_acc_5_20": "operator set 6", "dist_shift_mnist_generator": "2 inputs",
    "marabou_oneInput_twoBranches": "2 outputs",
}  # fmt: skip
exactly = np.vectorize(lambda value: Fraction(float(value)), otypes=[object])


class Gemm(OpRun):
    """Gemm with alpha and beta as the fractions they are; the evaluator's own multiplies by floats."""

    op_domain = ""

    def _run(self, a, b, c=None, alpha=None, beta=None, transA=None, transB=None):
        product = np.matmul(a.T if transA else a, b.T if transB else b) * Fraction(1.0 if alpha is None else float(alpha))
        return (product if c is None else product + c * Fraction(1.0 if beta is None else float(beta)),)


def by_reference(model, x):
    """The second opinion: onnx's reference evaluator with every constant and the input as arrays of fractions."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    nodes = [node for node in graph.node if node.op_type != "Constant"]
    graph.initializer.extend(
        numpy_helper.from_array(numpy_helper.to_array(node.attribute[0].t), node.output[0])
        for node in graph.node
        if node.op_type == "Constant"
    )
    constants = {tensor.name for tensor in graph.initializer}
    (given_input,) = [value for value in graph.input if value.name not in constants]
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    graph.input.append(given_input)
    evaluator = ReferenceEvaluator(model, new_ops=[Gemm])
    for name, array in evaluator.rt_inits_.items():
        if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
            evaluator.rt_inits_[name] = exactly(array) if array.size else array.astype(object)
    return evaluator.run(None, {given_input.name: x})[0]


def graph_input(model):
    constants = {tensor.name for tensor in model.graph.initializer}
    (value,) = [value for value in model.graph.input if value.name not in constants]
    return value.name, [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]


# ---- files


@pytest.mark.parametrize("path", sorted(DATA.glob("*.onnx")), ids=lambda path: path.stem)
def test_degenerate_files_equal_the_reference_evaluator(path):
    agrees_on_fractions(path, np.random.default_rng(1))


def test_every_degenerate_file_has_a_known_number_of_regions():
    assert set(json.loads((DATA / "TRUTH.json").read_text())) == {path.name for path in DATA.glob("*.onnx")}


def shared(name):
    for folder in ("public", "trained"):
        if (SHARED / folder / f"{name}.onnx").exists():
            return SHARED / folder / f"{name}.onnx"
    pytest.skip("the shared networks are not beside this repository")


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"mnist_mlp_784_3500_784_10", "mnistfc_256x2"}))
def test_published_files_equal_the_reference_evaluator(name):
    agrees_on_fractions(shared(name), np.random.default_rng(2))


def agrees_on_fractions(path, random):
    network, model = load(path), onnx.load(path)
    _, shape = graph_input(model)
    x = [Fraction(int(value), 255) for value in random.integers(-255, 510, network.inputs)]
    expected = by_reference(model, np.array(x, dtype=object).reshape(shape))
    assert network(RationalVector.from_fractions(x)).fractions() == expected.reshape(-1).tolist()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_published_files_equal_onnxruntime_within_float_error(name):
    path = shared(name)
    network, random = load(path), np.random.default_rng(3)
    assert len(network.source_layers) == EXPECTED[name]
    _, shape = graph_input(onnx.load(path))
    x = random.random(network.inputs, dtype=np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: x.reshape(shape)})[0].reshape(-1)
    exact = network(RationalVector.from_floats(x)).to_float()
    assert np.abs(found - exact).max() <= 1e-4 * (1 + np.abs(exact).max())


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_published_files_that_cannot_be_read_are_refused_by_name(name):
    with pytest.raises(UnsupportedModelError) as caught:
        load(shared(name))
    assert REFUSED[name] in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


# ---- graphs made by Hypothesis

TYPES = {TensorProto.FLOAT16: np.float16, TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64, TensorProto.BFLOAT16: None}
POOL = [0.0, -0.0, 0.0, 1.0, -1.0, 0.5, 3.0, -0.1, 6e-8, -6e-8, 1e-45, 5e-324, 65504.0, 1e-3]


def tensor_of(values, kind, name):
    if TYPES[kind] is not None:
        return numpy_helper.from_array(np.asarray(values, dtype=TYPES[kind]), name)
    bits = (np.asarray(values, dtype=np.float32).view(np.uint32) >> 16).astype("<u2")
    return TensorProto(name=name, data_type=kind, dims=np.shape(values), raw_data=bits.tobytes())


class Graph:
    """Collects nodes of a chain and tracks the activation's shape, the batch first unless there is none."""

    def __init__(self, draw, kind, shape, batch):
        self.draw, self.kind, self.shape, self.batch = draw, kind, list(shape), batch
        self.nodes, self.initializers, self.listed, self.count, self.current = [], [], [], 0, "x"

    def constant(self, shape, values=None):
        self.count += 1
        name = f"c{self.count}"
        if values is None:
            size = int(np.prod(shape))
            values = np.array(self.draw(st.lists(st.sampled_from(POOL), min_size=size, max_size=size))).reshape(shape)
            tensor = tensor_of(values, self.kind, name)
        else:
            tensor = numpy_helper.from_array(np.array(values, dtype=np.int64), name)
        way = self.draw(st.sampled_from(["initializer", "listed", "node", "identity"]))
        if way == "node":
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
            return name
        self.initializers.append(tensor)
        if way == "listed":
            self.listed.append(helper.make_tensor_value_info(name, tensor.data_type, list(tensor.dims)))
        if way == "identity":
            self.nodes.append(helper.make_node("Identity", [name], [f"{name}i"]))
            return f"{name}i"
        return name

    def node(self, operator, inputs, **attributes):
        self.count += 1
        output = f"a{self.count}"
        name = self.draw(st.sampled_from(["", "node", f"n{self.count}"]))
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name, **attributes))
        self.current = output

    def step(self):
        rank, draw = len(self.shape), self.draw
        choices = ["Add", "Sub", "Relu", "Relu", "MatMul", "MatMul", "Identity", "Dropout", *(["Gemm"] * 3 if rank == 2 else [])]
        if self.batch:
            choices += ["Flatten", "Reshape"]
        operator = draw(st.sampled_from(choices))
        if operator in {"Relu", "Identity", "Dropout"}:
            self.node(operator, [self.current])
        elif operator == "Flatten":
            axis = draw(st.sampled_from([1, 1 - rank] if rank > 1 else [1]))
            self.node(operator, [self.current], axis=axis)
            self.shape = [1, int(np.prod(self.shape))]
        elif operator == "Reshape":
            size = int(np.prod(self.shape))
            target = draw(st.sampled_from([[-1, size], [0, -1], [-1, 1, size], [-1, size, 1]]))
            self.node(operator, [self.current, self.constant((len(target),), target)])
            self.shape = [1, 1, size] if target == [-1, 1, size] else [1, size, 1] if target == [-1, size, 1] else [1, size]
        elif operator in {"Add", "Sub"}:
            shape = self.shape[draw(st.integers(1 if self.batch else 0, rank)) :]
            pair = [self.current, self.constant(shape)]
            self.node(operator, pair[:: draw(st.sampled_from([1, -1]))])
        elif operator == "MatMul":
            m = draw(st.integers(1, 3))
            column = draw(st.booleans()) and ((rank >= 3) if self.batch else True)
            if column and rank == 1:
                self.node(operator, [self.constant((m, self.shape[0])), self.current])
                self.shape = [m]
            elif column:
                self.node(operator, [self.constant((m, self.shape[-2])), self.current])
                self.shape = [*self.shape[:-2], m, self.shape[-1]]
            else:
                self.node(operator, [self.current, self.constant((self.shape[-1], m))])
                self.shape = [*self.shape[:-1], m]
        else:
            m, transposed = draw(st.integers(1, 4)), draw(st.integers(0, 1))
            inputs = [self.current, self.constant((m, self.shape[1]) if transposed else (self.shape[1], m))]
            if draw(st.booleans()):
                inputs.append(self.constant(draw(st.sampled_from([(), (1,), (m,), (1, m)]))))
            scales = {name: draw(st.sampled_from([1.0, 0.5, -0.0, 0.1, 3.0])) for name in ("alpha", "beta") if draw(st.booleans())}
            self.node("Gemm", inputs, transB=transposed, **scales)
            self.shape = [1, m]


@st.composite
def chains(draw):
    """(model, shape of one sample, whether the batch is symbolic)."""
    kind = draw(st.sampled_from(sorted(TYPES)))
    batch = draw(st.sampled_from(["n", 1, 3, None]))
    sample = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3 if batch else 1))
    graph = Graph(draw, kind, [1, *sample] if batch else sample, batch)
    for _ in range(draw(st.integers(1, 6))):
        graph.step()
    graph.node("Relu", [graph.current])
    listed = [helper.make_tensor_value_info("x", kind, [batch, *sample] if batch else sample), *graph.listed]
    output = helper.make_tensor_value_info(graph.current, kind, None)
    made = helper.make_graph(graph.nodes, "chain", listed[:: draw(st.sampled_from([1, -1]))], [output], graph.initializers)
    opset = draw(st.sampled_from([13, 17, 21]))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)]), sample, batch


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(chains(), st.data())
def test_chains_equal_the_reference_evaluator_on_every_sample_of_a_batch(tmp_path, chain, data):
    model, sample, batch = chain
    path = tmp_path / "chain.onnx"
    path.write_bytes(model.SerializeToString())
    network = load(path)
    assert network.input_shape == tuple(sample)
    rows = {"n": 2, 1: 1, 3: 3, None: 1}[batch]
    size = int(np.prod(sample))
    entries = st.lists(st.fractions(-2, 2, max_denominator=9), min_size=rows * size, max_size=rows * size)
    x = np.array(data.draw(entries), dtype=object).reshape([rows, *sample] if batch else sample)
    expected = by_reference(model, x).reshape(rows, -1)
    for point, value in zip(x.reshape(rows, -1), expected, strict=True):
        assert network(RationalVector.from_fractions(point)).fractions() == value.tolist()
    names = [layer.name for layer in network.source_layers]
    assert len(set(names)) == len(names)
    assert [layer.depth for layer in network.source_layers] == list(range(len(names)))


# ---- hand-made graphs

F = np.float32


def model_of(nodes, shape, constants, *, opset=17, kind=TensorProto.FLOAT, outputs=None, listed=()):
    inputs = [helper.make_tensor_value_info("x", kind, shape), *listed]
    outputs = [helper.make_tensor_value_info(name, kind, None) for name in (outputs or [nodes[-1].output[0]])]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    return helper.make_model(helper.make_graph(nodes, "g", inputs, outputs, tensors), opset_imports=[helper.make_opsetid("", opset)])


def saved(tmp_path, model):
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def node(operator, inputs, output, name="", **attributes):
    return helper.make_node(operator, inputs, [output], name=name, **attributes)


def layers_of(network):
    return [(layer.name, layer.inputs, layer.outputs, layer.rectified) for layer in network.source_layers]


def test_operators_join_into_source_layers(tmp_path):
    nodes = [
        node("Sub", ["mean", "x"], "s", "centre"),
        node("Flatten", ["s"], "f"),
        node("MatMul", ["f", "w"], "m", "dense"),
        node("Add", ["m", "b"], "p"),
        node("Sub", ["p", "b"], "q"),
        node("Relu", ["q"], "r", "relu"),
        node("Relu", ["r"], "r2", "again"),
        node("Gemm", ["r2", "v"], "g", "dense"),
        node("Gemm", ["g", "v2"], "y"),
    ]
    constants = {"mean": np.ones(2, F), "w": np.ones((2, 3), F), "b": np.ones(3, F), "v": np.ones((3, 2), F), "v2": np.ones((2, 1), F)}
    network = load(saved(tmp_path, model_of(nodes, ["n", 2], constants)))
    assert layers_of(network) == [
        ("centre", 2, 2, 0),
        ("dense", 2, 3, 3),
        ("again", 3, 3, 3),
        ("dense_2", 3, 2, 0),
        ("y", 2, 1, 0),
    ]


def test_biases_that_no_float64_holds_are_added_exactly(tmp_path):
    nodes = [node("MatMul", ["x", "w"], "m"), node("Add", ["m", "b1"], "p"), node("Add", ["p", "b2"], "y")]
    constants = {"w": np.eye(2), "b1": np.array([1.0, 2.0**1000]), "b2": np.array([2.0**-1074, 2.0**-1000])}
    network = load(saved(tmp_path, model_of(nodes, ["n", 2], constants, kind=TensorProto.DOUBLE)))
    tiny, huge = Fraction(2) ** -1074, Fraction(2) ** 1000
    assert network(RationalVector((0, 0))).fractions() == [1 + tiny, huge + Fraction(2) ** -1000]


@pytest.mark.parametrize(
    ("nodes", "shape", "expected"),
    [
        ([node("Gemm", ["x", "w"], "y", transB=1)], ["n", "features"], (3,)),
        ([node("MatMul", ["w", "x"], "y")], ["features"], (3,)),
        ([node("MatMul", ["w", "x"], "y")], [None, 1], (3, 1)),
        ([node("MatMul", ["w", "x"], "y")], [3, 1], (3, 1)),
        ([node("Gemm", ["w", "x"], "y")], [3, 1], (3, 1)),
        ([node("Gemm", ["w", "x"], "y", transB=1)], ["n", 3], (3,)),
        ([node("Gemm", ["x", "w"], "y", transA=1, transB=1)], [3, 1], (3, 1)),
        ([node("Flatten", ["x"], "f"), node("Gemm", ["f", "w"], "y", transB=1)], ["n", 1, "width"], (1, 3)),
        ([node("Reshape", ["x", "shape"], "f"), node("Gemm", ["f", "w"], "y", transB=1)], [3, 1], (3, 1)),
        ([node("Reshape", ["x", "shape"], "f"), node("Gemm", ["f", "w"], "y", transB=1)], [1, 3, 1, 1], (3, 1, 1)),
    ],
)
def test_input_shapes_with_unknown_dimensions_columns_and_no_batch(tmp_path, nodes, shape, expected):
    weight = np.arange(6, dtype=F).reshape(2, 3)
    network = load(saved(tmp_path, model_of(nodes, shape, {"w": weight, "shape": np.array([1, 3])})))
    assert network.input_shape == expected
    assert network(RationalVector((1, 10, 100))).fractions() == (weight @ [1, 10, 100]).tolist()


@pytest.mark.parametrize(
    ("shape", "target"), [([3, 1, 2], [3, 2]), ([3, 1, 2], [3, -1]), ([3, 2], [0, -1]), ([1, 2], [1, -1]), ([None, 2], [-1, 2])]
)
def test_a_batch_of_fixed_size_may_stand_in_the_target_of_a_reshape(tmp_path, shape, target):
    nodes = [node("Reshape", ["x", "s"], "f"), node("Gemm", ["f", "w"], "y")]
    network = load(saved(tmp_path, model_of(nodes, shape, {"w": np.eye(2, dtype=F), "s": np.array(target)})))
    assert (network.inputs, network.input_shape) == (2, tuple(shape[1:]))


def test_without_a_batch_a_reshape_means_what_it_says(tmp_path):
    nodes = [
        node("Reshape", ["x", "s"], "f"),
        node("MatMul", ["f", "w"], "m"),
        node("Flatten", ["m"], "g", axis=0),
        node("Gemm", ["g", "v"], "y"),
    ]
    constants = {"w": np.array([[1, 10]], F), "s": np.array([2, -1]), "v": np.array([[1], [2], [3], [4]], F)}
    network = load(saved(tmp_path, model_of(nodes, [2], constants)))
    assert network(RationalVector((1, 5))).fractions() == [1 + 20 + 3 * 5 + 4 * 50]


def test_numbers_in_constant_nodes(tmp_path):
    nodes = [
        helper.make_node("Constant", [], ["half"], value_float=0.5), helper.make_node("Constant", [], ["pair"], value_floats=[1.0, 0.1]),
        helper.make_node("Constant", [], ["shape"], value_ints=[-1, 2]),
        node("Reshape", ["x", "shape"], "r"), node("Add", ["r", "half"], "a"), node("Add", ["a", "pair"], "y"),
    ]  # fmt: skip
    network = load(saved(tmp_path, model_of(nodes, ["n", 2], {})))
    assert network(RationalVector((0, 0))).fractions() == [Fraction(3, 2), Fraction(1, 2) + Fraction(float(F(0.1)))]


def test_old_forms_of_operators(tmp_path):
    nodes = [
        node("Dropout", ["x"], "d", ratio=0.5),
        helper.make_node("Reshape", ["d", "s"], ["r"]),
        node("Gemm", ["r", "w", "b"], "y", alpha=1.0, beta=1.0, transA=0, transB=0),
    ]
    constants = {"w": np.eye(2, dtype=F), "b": np.zeros(2, F), "s": np.array([0, -1])}
    listed = [helper.make_tensor_value_info("w", TensorProto.FLOAT, [2, 2])]
    network = load(saved(tmp_path, model_of(nodes, [7, 2], constants, opset=7, listed=listed)))
    assert network(RationalVector((3, -4))).fractions() == [3, -4]


def test_external_data_is_read_and_its_hash_recorded(tmp_path):
    model = model_of([node("Gemm", ["x", "w", "b"], "y")], ["n", 2], {"w": np.array([[1, 2], [3, 4]], F), "b": np.array([5, 6], F)})
    path = tmp_path / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    network = load(path)
    assert network(RationalVector((1, 10))).fractions() == [36, 48]
    assert [source.name for source in network.sources] == ["model.onnx", "weights.bin"]
    assert network.sources[1].length == (tmp_path / "weights.bin").stat().st_size
    (tmp_path / "weights.bin").write_bytes(b"\0" * 7)
    with pytest.raises(InvalidFileError, match="truncated"):
        load(path)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(InvalidFileError, match=r"weights\.bin.*missing"):
        load(path)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "a/../../b", "", "link", "..\\b", "x\0y"])
def test_external_data_outside_the_folder_is_refused(tmp_path, location):
    (tmp_path / "weights.bin").write_bytes(b"\0" * 64)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "link").symlink_to(tmp_path / "weights.bin")
    model = model_of([node("Gemm", ["x", "w"], "y")], ["n", 2], {"w": np.ones((2, 2), F)})
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    with pytest.raises(InvalidFileError, match="outside the model's folder"):
        load(saved(inner, model))


GEMM = node("Gemm", ["x", "w"], "y")
WEIGHT = {"w": np.ones((2, 2), F)}
BAD = {
    "unsupported operator": (model_of([node("Erf", ["x"], "y", "squash")], ["n", 2], {}), UnsupportedModelError, "'Erf' (node 'squash')"),
    "foreign domain": (
        model_of([helper.make_node("Relu", ["x"], ["y"], name="r", domain="com.other")], ["n", 2], {}),
        UnsupportedModelError,
        "'com.other.Relu' (node 'r')",
    ),
    "nan": (model_of([GEMM], ["n", 2], {"w": np.array([[1, 2], [np.nan, 4]], F)}), InvalidNumberError, "'w' holds nan at index (1, 0)"),
    "inf": (model_of([GEMM], ["n", 2], {"w": np.array([[1, -np.inf], [3, 4]], F)}), InvalidNumberError, "'w' holds -inf at index (0, 1)"),
    "integer weights": (model_of([GEMM], ["n", 2], {"w": np.ones((2, 2), np.int32)}), UnsupportedModelError, "'w' has element type INT32"),
    "integer input": (model_of([GEMM], ["n", 2], WEIGHT, kind=TensorProto.INT64), UnsupportedModelError, "'x' has element type INT64"),
    "wrong width": (model_of([GEMM], ["n", 3], WEIGHT), UnsupportedModelError, "(1, 3)"),
    "several unknowns": (
        model_of([node("Flatten", ["x"], "f"), node("Gemm", ["f", "w"], "y")], ["n", "h", "w"], WEIGHT),
        UnsupportedModelError,
        "(?, ?, ?)",
    ),
    "no shape": (model_of([GEMM], None, WEIGHT), UnsupportedModelError, "do not determine"),
    "unknown without weights": (model_of([node("Relu", ["x"], "y")], ["n", "m"], {}), UnsupportedModelError, "(?, ?)"),
    "samples mixed by flatten": (
        model_of([node("Flatten", ["x"], "f", axis=0), node("Gemm", ["f", "w"], "y")], ["n", 1], WEIGHT),
        UnsupportedModelError,
        "Gemm node 'y'",
    ),
    "samples mixed by reshape": (
        model_of([node("Reshape", ["x", "s"], "f", "mix"), node("Gemm", ["f", "w"], "y")], ["n", 1], {**WEIGHT, "s": np.array([-1, 2])}),
        UnsupportedModelError,
        "'mix'",
    ),
    "another constant for every sample": (
        model_of([node("Add", ["x", "b"], "y", "add")], [3, 2], {"b": np.ones((3, 2), F)}),
        UnsupportedModelError,
        "Add node 'add'",
    ),
    "a constant that widens": (model_of([node("Add", ["x", "b"], "y")], ["n", 1], {"b": np.ones(2, F)}), UnsupportedModelError, "(2,)"),
    "product of activations": (
        model_of([node("Gemm", ["x", "w"], "a"), node("Mul", ["x", "a"], "y", "gate")], ["n", 2], WEIGHT),
        UnsupportedModelError,
        "'gate' combines two activations",
    ),
    "matrix product of activations": (
        model_of([node("Gemm", ["x", "w"], "a"), node("MatMul", ["x", "a"], "y", "attention")], ["n", 2], WEIGHT),
        UnsupportedModelError,
        "'attention' has an activation as input 2",
    ),
    "nothing but a sum": (model_of([node("Add", ["x", "x"], "y", "twice")], ["n", 2], {}), UnsupportedModelError, "no layer"),
    "cycle": (
        model_of([node("Add", ["x", "b"], "a", "first"), node("Relu", ["a"], "b")], ["n", 2], {}),
        InvalidFileError,
        "'first' reads 'b', which nothing before it computes",
    ),
    "loop": (
        model_of([helper.make_node("Loop", ["", "", "x"], ["y"], "l", body=helper.make_graph([], "b", [], []))], ["n", 2], {}),
        UnsupportedModelError,
        "'Loop' (node 'l')",
    ),
    "branches of a condition": (
        model_of(
            [
                helper.make_node(
                    "If", ["c"], ["y"], "i", then_branch=helper.make_graph([], "t", [], []), else_branch=helper.make_graph([], "e", [], [])
                )
            ],
            ["n", 2],
            {"c": np.array(True)},
        ),
        UnsupportedModelError,
        "'If' (node 'i')",
    ),
    "constant output": (model_of([node("Add", ["w", "w"], "y")], ["n", 2], WEIGHT), UnsupportedModelError, "'y' is a constant"),
    "output that nothing computes": (
        model_of([GEMM], ["n", 2], WEIGHT, outputs=["z"]),
        UnsupportedModelError,
        "'z' is computed by nothing",
    ),
    "division by zero": (
        model_of([node("Div", ["x", "b"], "y", "d")], ["n", 2], {"b": np.array([1, 0], F)}),
        UnsupportedModelError,
        "'d' divides by zero",
    ),
    "division by an activation": (
        model_of([node("Div", ["b", "x"], "y", "d")], ["n", 2], {"b": np.ones(2, F)}),
        UnsupportedModelError,
        "'d' divides by an activation",
    ),
    "a kernel that does not fit": (
        model_of([node("Conv", ["x", "w"], "y", "c")], ["n", 1, 2], {"w": np.ones((1, 1, 3), F)}),
        UnsupportedModelError,
        "'c' has a kernel (3,) that does not fit",
    ),
    "groups that do not fit": (
        model_of([node("Conv", ["x", "w"], "y", "c", group=2)], ["n", 3, 2], {"w": np.ones((2, 1, 1), F)}),
        UnsupportedModelError,
        "'c' combines a constant of shape (2, 1, 1)",
    ),
    "pads without end": (
        model_of([node("Conv", ["x", "w"], "y", "c", pads=[2**62, 0])], ["n", 1, 2], {"w": np.ones((1, 1, 1), F)}),
        UnsupportedModelError,
        "'c' has a kernel, stride, dilation or pad above",
    ),
    "a convolution without end": (
        model_of([node("Conv", ["x", "w"], "y", "c", pads=[2**18] * 4)], ["n", 1, 2, 2], {"w": np.ones((1, 1, 1, 1), F)}),
        UnsupportedModelError,
        "limits",
    ),
    "padding without end": (
        model_of([node("Pad", ["x", "p"], "y", "pad")], ["n", 2], {"p": np.array([0, 2**40, 0, 2**40])}),
        UnsupportedModelError,
        "'pad' would compute a tensor",
    ),
    "padding by reflection": (
        model_of([node("Pad", ["x", "p"], "y", "pad", mode="reflect")], ["n", 2], {"p": np.array([0, 1, 0, 1])}),
        UnsupportedModelError,
        "'pad' has mode 'reflect'",
    ),
    "a constant without end": (
        model_of([node("ConstantOfShape", ["s"], "c", "fill"), node("Add", ["x", "c"], "y")], ["n", 2], {"s": np.array([2**40])}),
        UnsupportedModelError,
        "'fill' would compute a constant",
    ),
    "indices beyond the axis": (
        model_of([node("Gather", ["x", "i"], "y", "pick", axis=1)], ["n", 2], {"i": np.array([0, 2])}),
        InvalidFileError,
        "'pick' has indices",
    ),
    "training batch norm": (
        model_of([node("BatchNormalization", ["x", "g", "g", "g", "g"], "y", "bn", training_mode=1)], ["n", 2], {"g": np.ones(2, F)}),
        UnsupportedModelError,
        "'bn' is in training mode",
    ),
    "negative variance": (
        model_of([node("BatchNormalization", ["x", "g", "g", "g", "v"], "y", "bn")], ["n", 2], {"g": np.ones(2, F), "v": -np.ones(2, F)}),
        UnsupportedModelError,
        "'bn' has a variance",
    ),
    "cast to integers": (
        model_of([node("Cast", ["x"], "y", "round", to=TensorProto.INT64)], ["n", 2], {}),
        UnsupportedModelError,
        "'round' turns an activation into element type 7",
    ),
    "indices of maxima": (
        model_of([helper.make_node("MaxPool", ["x"], ["a", "i"], "p", kernel_shape=[2]), node("Relu", ["a"], "y")], ["n", 1, 5], {}),
        UnsupportedModelError,
        "'p' gives the indices",
    ),
    **{
        f"{nodes[0].op_type} along a fixed batch": (
            model_of([*nodes, node("Relu", [nodes[0].output[0]], "y")], [3, 2], {"i": np.array([1]), "two": np.array([2])}),
            UnsupportedModelError,
            "along the batch axis, which is fixed at 3",
        )
        for nodes in (
            [node("Gather", ["x", "i"], "g", axis=0)],
            [node("Slice", ["x", "i", "two", "zero"], "s"), node("Constant", [], "zero", value=numpy_helper.from_array(np.array([0])))],
            [node("Transpose", ["x"], "t")],
            [node("Concat", ["x", "x"], "c", axis=0)],
            [helper.make_node("Split", ["x"], ["a", "b", "c"], axis=0)],
        )
    },
    "axis beyond the rank": (
        model_of([node("Concat", ["x", "x"], "y", "c", axis=5)], ["n", 2], {}),
        InvalidFileError,
        "'c' has axis 5",
    ),
    "two outputs": (
        model_of([node("Gemm", ["x", "w"], "a"), node("Relu", ["a"], "y")], ["n", 2], WEIGHT, outputs=["a", "y"]),
        UnsupportedModelError,
        "2 outputs",
    ),
    "constants alone": (
        model_of(
            [node("Add", ["w", "t"], "v", "fold"), node("Gemm", ["x", "v"], "y")], ["n", 2], {**WEIGHT, "t": np.full((2, 2), 1e-30, F)}
        ),
        UnsupportedModelError,
        "'fold' computes constants that float64 does not hold",
    ),
    "undefined": (model_of([node("Gemm", ["x", "v"], "y")], ["n", 2], WEIGHT), InvalidFileError, "reads 'v'"),
    "defined twice, by an operator of two lines": (
        model_of([node("Re\nlu", ["x"], "x")], ["n", 2], {}),
        InvalidFileError,
        "'x' a second time",
    ),
    "defined twice": (model_of([node("Relu", ["x"], "x")], ["n", 2], {}), InvalidFileError, "'x' a second time"),
    "old operator set": (model_of([GEMM], ["n", 2], WEIGHT, opset=6), UnsupportedModelError, "operator set 6"),
    "unknown attribute": (model_of([node("Relu", ["x"], "y", slope=0.5)], ["n", 2], {}), UnsupportedModelError, "'slope'"),
    "wrong attribute type": (model_of([node("Gemm", ["x", "w"], "y", alpha=2)], ["n", 2], WEIGHT), InvalidFileError, "alpha"),
    "infinite alpha": (model_of([node("Gemm", ["x", "w"], "y", alpha=float("inf"))], ["n", 2], WEIGHT), UnsupportedModelError, "finite"),
    "training": (
        model_of(
            [node("Dropout", ["x", "p", "t"], "d", "drop"), node("Gemm", ["d", "w"], "y")],
            ["n", 2],
            {**WEIGHT, "p": np.array(0.5, F), "t": np.array(True)},
        ),
        UnsupportedModelError,
        "'drop' is in training mode",
    ),
    "a constant of the wrong type": (
        model_of([helper.make_node("Constant", [], ["c"], value_floats=["a"]), node("Add", ["x", "c"], "y")], ["n", 2], {}),
        InvalidFileError,
        "'c'",
    ),
    "a shape of the wrong type": (model_of([node("Reshape", ["x"], "y", "r", shape=["a"])], ["n", 2], {}), UnsupportedModelError, "'r'"),
    "nothing to ask about": (model_of([node("Identity", ["x"], "y")], ["n", 2], {}), UnsupportedModelError, "no layer"),
    "enormous": (model_of([node("Relu", ["x"], "y")], ["n", 2**60], {}), UnsupportedModelError, "limits"),
    "too wide": (model_of([node("Relu", ["x"], "y")], ["n", 2**21], {}), UnsupportedModelError, "limits"),
    "bias misfit": (
        model_of([node("Gemm", ["x", "w", "b"], "y")], ["n", 2], {**WEIGHT, "b": np.ones(3, F)}),
        UnsupportedModelError,
        "(3,)",
    ),
    "line breaks in names": (model_of([node("Erf", ["x"], "y", "a\nb\rc")], ["n", 2], {}), UnsupportedModelError, "Erf"),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_bad_models_are_refused_in_one_line(tmp_path, case):
    model, error, words = BAD[case]
    with pytest.raises(error) as caught:
        load(saved(tmp_path, model))
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_tensors_that_break_their_shape_are_refused(tmp_path):
    for change in ({"raw_data": b"\0\0"}, {"dims": [2, -2]}, {"dims": [2**40, 2**40]}, {"data_type": 8}, {"data_type": 99}):
        model = model_of([GEMM], ["n", 2], WEIGHT)
        for name, value in change.items():
            if name == "dims":
                del model.graph.initializer[0].dims[:]
                model.graph.initializer[0].dims.extend(value)
            else:
                setattr(model.graph.initializer[0], name, value)
        with pytest.raises((InvalidFileError, UnsupportedModelError), match="'w'") as caught:
            load(saved(tmp_path, model))
        assert len(str(caught.value).splitlines()) == 1


def test_files_that_are_no_models_are_refused(tmp_path):
    content = {
        "missing": None,
        "empty": b"",
        "text": b"hello, world",
        "zeros": b"\0" * 99,
        "zip": b"PK\x03\x04" + b"\x08" * 50,
        "key": b"\x08\x07",
    }
    for name, data in content.items():
        path = tmp_path / f"{name}.onnx"
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(InvalidFileError, match=f"{name}.onnx") as caught:
            load(path)
        assert len(str(caught.value).splitlines()) == 1
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(InvalidFileError, match="not a regular file"):
        load(tmp_path / "folder.onnx")
    for name in ("a\nb.onnx", "x\0.onnx", "y" * 5000 + ".onnx"):
        with pytest.raises(InvalidFileError) as caught:
            load(name)
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        ("pt", "pickle"),
        ("pth", "pickle"),
        ("pkl", "pickle"),
        ("ckpt", "pickle"),
        ("h5", "no model format"),
    ],
)
def test_other_suffixes_are_refused_naming_the_safe_formats(tmp_path, suffix, words):
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(UnsupportedModelError, match=words) as caught:
        load(path)
    assert ".onnx" in str(caught.value)
    assert ".safetensors" in str(caught.value)


MUTATED = (DATA / "D3b_nobias_d2_8x8.onnx").read_bytes()


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(MUTATED) - 1), st.integers(0, 255), st.booleans())
def test_damaged_files_load_or_are_refused_but_never_crash(tmp_path, index, value, cut):
    path = tmp_path / "damaged.onnx"
    path.write_bytes(MUTATED[:index] if cut else MUTATED[:index] + bytes([value]) + MUTATED[index + 1 :])
    refusal = None
    try:
        load(path)
    except ExactReluError as error:
        refusal = str(error)
    assert refusal is None or len(refusal.splitlines()) == 1
