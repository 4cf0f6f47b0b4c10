"""Every operator read is the function that its definition gives on fractions, in graphs that branch and join, and onnxruntime agrees."""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx_fractions import evaluate

from exactrelu.cli import main
from exactrelu.errors import UnsupportedModelError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.readers import load

SHARED = Path(__file__).parents[2] / "shared" / "networks"
POOL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 0.1, -0.7, 1e-3, 0.25]
F = np.float32


class Graph:
    """Draws nodes onto a list of activations, any of which a later node may read."""

    def __init__(self, draw, shape, opset):
        self.draw, self.opset = draw, opset
        self.nodes, self.initializers = [], []
        self.shapes = {"x": tuple(shape)}

    def constant(self, values, dtype=np.float32):
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def weights(self, *shape):
        size = math.prod(shape)
        return self.constant(np.array(self.draw(st.lists(st.sampled_from(POOL), min_size=size, max_size=size))).reshape(shape))

    def node(self, operator, inputs, shape, *, outputs=1, **attributes):
        names = [f"a{len(self.nodes)}{'abc'[i]}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=f"n{len(self.nodes)}", **attributes))
        for name, one in zip(names, shape if outputs > 1 else [shape], strict=True):
            self.shapes[name] = tuple(one)
        return names[0]

    def pick(self, accept=lambda shape: True):
        """An activation, the latest more often than others; None where there is none."""
        names = [name for name, shape in self.shapes.items() if accept(shape)]
        return self.draw(st.sampled_from([*names, *names[-1:] * 4])) if names else None

    def step(self):
        operators = [*ENTRYWISE, *["Join"] * 4, *["Choose"] * 2, *["Move"] * 9, *["Dense"] * 3, *["Window"] * 9]
        kind = self.draw(st.sampled_from(operators))
        if kind in ENTRYWISE:
            self.entrywise(kind)
        else:
            {"Join": self.join, "Choose": self.choose, "Move": self.move, "Dense": self.dense, "Window": self.window}[kind]()

    def entrywise(self, operator):
        name = self.pick()
        shape = self.shapes[name]
        own = {"Clip": self.clip, "BatchNormalization": self.batch_normalization, "Max": self.bound, "Min": self.bound, "Pow": self.power}
        if operator in own:
            own[operator](name, shape, operator)
        elif operator in {"Add", "Sub", "Mul"}:
            pair = [name, self.weights(*shape[self.draw(st.integers(1, len(shape))) :])]
            self.node(operator, pair[:: self.draw(st.sampled_from([1, -1]))], shape)
        elif operator == "Div":
            self.node("Div", [name, self.constant(self.draw(st.sampled_from([2.0, -0.5, 4.0, 0.125])))], shape)
        elif operator == "LeakyRelu":
            self.node(operator, [name], shape, alpha=self.draw(st.sampled_from([0.0, 0.01, 0.5, -1.0, 2.0])))
        elif operator == "PRelu":
            self.node(operator, [name, self.weights(*shape[self.draw(st.integers(1, len(shape))) :])], shape)
        else:
            self.node(operator, [name], shape, **({"to": TensorProto.FLOAT} if operator == "Cast" else {}))

    def power(self, name, shape, operator):
        self.node("Pow", [name, self.constant(self.draw(st.sampled_from([1.0, [1.0], np.ones(shape[1:])])))], shape)

    def bound(self, name, shape, operator):
        self.node(operator, [name, self.weights(*shape[1:])], shape)

    def clip(self, name, shape, operator):
        bounds = [self.draw(st.sampled_from([None, -1.0, 0.0])), self.draw(st.sampled_from([None, 0.0, 0.5]))]
        if self.opset < 11:
            given_bounds = {key: bound for key, bound in zip(("min", "max"), bounds, strict=True) if bound is not None}
            self.node(operator, [name], shape, **given_bounds)
        else:
            self.node(operator, [name, *("" if bound is None else self.constant(bound) for bound in bounds)], shape)

    def batch_normalization(self, name, shape, operator):
        if len(shape) < 2:
            return
        gamma, beta, mean = (self.weights(shape[1]) for _ in range(3))
        variance = self.constant([self.draw(st.sampled_from([1.0, 4.0, 0.25, 0.0625])) for _ in range(shape[1])])
        self.node(operator, [name, gamma, beta, mean, variance], shape, epsilon=0.0)

    def join(self):
        name = self.pick()
        shape = self.shapes[name]
        operator = self.draw(st.sampled_from(["Add", "Add", "Sub", "Sum", "Mean", "Concat"]))
        if operator in {"Sum", "Mean"}:
            others = [
                self.pick(lambda one: one == shape) for _ in range(self.draw(st.sampled_from([0, 1, 2] if operator == "Sum" else [0, 1])))
            ]
            constants = [self.weights(*shape[1:])] if self.draw(st.booleans()) and operator == "Sum" else []
            self.node(operator, [*others, name, *constants], shape)
            return
        if operator == "Concat":
            axis = self.draw(st.integers(1, max(1, len(shape) - 1)))
            other = self.pick(
                lambda one: len(one) == len(shape) > 1 and all(a == b or i == axis for i, (a, b) in enumerate(zip(one, shape, strict=True)))
            )
            if other is not None:
                joined = [*shape[:axis], shape[axis] + self.shapes[other][axis], *shape[axis + 1 :]]
                self.node("Concat", [name, other], joined, axis=axis)
            return
        other = self.pick(
            lambda one: one == shape or (len(one) == len(shape) and all(a in {1, b} for a, b in zip(one, shape, strict=True)))
        )
        self.node(operator, [name, other], shape)

    def choose(self):
        name = self.pick()
        shape = self.shapes[name]
        others = [self.pick(lambda one: one == shape) for _ in range(self.draw(st.integers(1, 2)))]
        constants = [self.weights(*shape[1:])] if self.draw(st.booleans()) else []
        self.node(self.draw(st.sampled_from(["Max", "Min"])), [name, *others, *constants], shape)

    def move(self):
        name = self.pick(lambda one: len(one) > 1)
        if name is not None:
            axis = self.draw(st.integers(1, len(self.shapes[name]) - 1))
            moves = (self.transpose, self.cut, self.gather, self.split, self.pad, self.squeeze, self.unsqueeze, self.flatten, self.reshape,
                     self.where, self.expand, self.reduce)  # fmt: skip
            self.draw(st.sampled_from(moves))(name, self.shapes[name], axis)

    def transpose(self, name, shape, axis):
        rank = len(shape)
        order = [0, *self.draw(st.permutations(range(1, rank)))]
        self.node("Transpose", [name], [shape[i] for i in order], perm=order)

    def cut(self, name, shape, axis):
        size = shape[axis]
        start, by = self.draw(st.integers(-size, size - 1)), self.draw(st.sampled_from([1, 1, 2, -1]))
        end = self.draw(st.sampled_from([size, 2**31, -1])) if by > 0 or self.opset < 10 else self.draw(st.sampled_from([-(2**31), 0]))
        by = 1 if self.opset < 10 else by
        length = len(range(size)[start : (None if by < 0 and end < -size else end) : by])
        if length:
            result = [*shape[:axis], length, *shape[axis + 1 :]]
            if self.opset < 10:
                self.node("Slice", [name], result, starts=[start], ends=[end], axes=[axis])
            else:
                lists = [self.constant([value], np.int64) for value in (start, end, axis, by)]
                self.node("Slice", [name, *lists], result)

    def gather(self, name, shape, axis):
        size = shape[axis]
        indices = self.draw(st.lists(st.integers(-size if self.opset > 10 else 0, size - 1), min_size=1, max_size=3))
        self.node("Gather", [name, self.constant(indices, np.int64)], [*shape[:axis], len(indices), *shape[axis + 1 :]], axis=axis)

    def split(self, name, shape, axis):
        size = shape[axis]
        if size > 1:
            first = self.draw(st.integers(1, size - 1))
            shapes = [[*shape[:axis], part, *shape[axis + 1 :]] for part in (first, size - first)]
            if self.opset < 13:
                self.node("Split", [name], shapes, outputs=2, axis=axis, split=[first, size - first])
            else:
                self.node("Split", [name, self.constant([first, size - first], np.int64)], shapes, outputs=2, axis=axis)

    def pad(self, name, shape, axis):
        rank = len(shape)
        pads = [self.draw(st.integers(-1 if shape[i % rank] > 2 else 0, 1)) if i % rank else 0 for i in range(2 * rank)]
        result = [dim + pads[i] + pads[i + rank] for i, dim in enumerate(shape)]
        value = self.draw(st.sampled_from([0.0, -0.5]))
        if self.opset < 11:
            self.node("Pad", [name], result, pads=pads, value=value)
        else:
            self.node("Pad", [name, self.constant(pads, np.int64), self.constant(value)], result)

    def squeeze(self, name, shape, axis):
        rank = len(shape)
        axes = [i for i in range(1, rank) if shape[i] == 1][: rank - 2]
        if axes:
            result = [dim for i, dim in enumerate(shape) if i not in axes]
            self.with_axes("Squeeze", name, result, axes)

    def unsqueeze(self, name, shape, axis):
        rank = len(shape)
        if rank < 5:
            self.with_axes("Unsqueeze", name, [*shape[:axis], 1, *shape[axis:]], [axis])

    def flatten(self, name, shape, axis):
        self.node("Flatten", [name], [1, math.prod(shape)])

    def reshape(self, name, shape, axis):
        self.node("Reshape", [name, self.constant([0, -1], np.int64)], [1, math.prod(shape)])

    def where(self, name, shape, axis):
        size = math.prod(shape[1:])
        condition = np.array(self.draw(st.lists(st.booleans(), min_size=size, max_size=size))).reshape(shape[1:])
        other = self.draw(st.sampled_from([self.pick(lambda one: one == shape), self.weights(*shape[2:])]))
        self.node("Where", [self.constant(condition, np.bool_), *self.draw(st.permutations([name, other]))], shape)

    def expand(self, name, shape, axis):
        target = [dim if i == 0 or dim > 1 else self.draw(st.integers(1, 2)) for i, dim in enumerate(shape)]
        written = [self.draw(st.sampled_from([1, dim])) if shape[i] == dim else dim for i, dim in enumerate(target)]
        self.node("Expand", [name, self.constant(written[self.draw(st.integers(0, 1)) :], np.int64)], target)

    def reduce(self, name, shape, axis):
        operator, keep = self.draw(st.sampled_from(["ReduceSum", "ReduceMean"])), self.draw(st.integers(0, 1))
        axes = self.draw(st.lists(st.integers(1, len(shape) - 1), min_size=1, max_size=2, unique=True))
        if operator == "ReduceMean" and math.prod(shape[i] for i in axes) not in {1, 2, 4, 8}:
            return
        result = [1 if i in axes else dim for i, dim in enumerate(shape) if keep or i not in axes]
        axes = [self.draw(st.sampled_from([i, i - len(shape)])) for i in axes]
        if self.opset < (13 if operator == "ReduceSum" else 18):
            self.node(operator, [name], result, axes=axes, keepdims=keep)
        else:
            self.node(operator, [name, self.constant(axes, np.int64)], result, keepdims=keep)

    def with_axes(self, operator, name, shape, axes):
        if self.opset < 13:
            self.node(operator, [name], shape, axes=axes)
        else:
            self.node(operator, [name, self.constant(axes, np.int64)], shape)

    def dense(self):
        draw, name = self.draw, self.pick(lambda one: len(one) >= 2)
        if name is None:
            return
        shape, m = self.shapes[name], draw(st.integers(1, 3))
        if len(shape) == 2 and draw(st.booleans()):
            transposed = draw(st.integers(0, 1))
            weight = self.weights(m, shape[1]) if transposed else self.weights(shape[1], m)
            self.node("Gemm", [name, weight, self.weights(m)], [1, m], transB=transposed, alpha=draw(st.sampled_from([1.0, 0.1])))
        elif len(shape) > 2 and draw(st.booleans()):
            self.node("MatMul", [self.weights(m, shape[-2]), name], [*shape[:-2], m, shape[-1]])
        else:
            self.node("MatMul", [name, self.weights(shape[-1], m)], [*shape[:-1], m])

    def convolution(self, name, shape, kernel, out, attributes):
        group = self.draw(st.sampled_from([g for g in (1, 2, 3) if shape[1] % g == 0]))
        maps = group * self.draw(st.integers(1, 2))
        bias = [self.weights(maps)] if self.draw(st.booleans()) else []
        inputs = [name, self.weights(maps, shape[1] // group, *kernel), *bias]
        self.node("Conv", inputs, [1, maps, *out], group=group, kernel_shape=kernel, **attributes)

    def transposed(self, name, shape):
        draw, spatial = self.draw, shape[2:]
        count = len(spatial)
        kernel, strides, gaps = ([draw(st.integers(1, 2)) for _ in spatial] for _ in range(3))
        added = [draw(st.integers(0, by - 1)) for by in strides]
        full = [by * (n - 1) + more + gap * (k - 1) + 1 for n, k, by, gap, more in zip(spatial, kernel, strides, gaps, added, strict=True)]
        pads = [draw(st.integers(0, min(1, (room - 1) // 2))) for room in full * 2]
        out = [room - pads[i] - pads[i + count] for i, room in enumerate(full)]
        group = draw(st.sampled_from([g for g in (1, 2, 3) if shape[1] % g == 0]))
        depth = draw(st.integers(1, 2))
        bias = [self.weights(depth * group)] if draw(st.booleans()) else []
        self.node("ConvTranspose", [name, self.weights(shape[1], depth, *kernel), *bias], [1, depth * group, *out], group=group,
                  kernel_shape=kernel, strides=strides, dilations=gaps, pads=pads, output_padding=added)  # fmt: skip

    def window(self):
        draw, name = self.draw, self.pick(lambda one: 3 <= len(one) <= 5)
        if name is None:
            return
        shape = self.shapes[name]
        spatial = shape[2:]
        operator = draw(st.sampled_from(["Conv", "Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool"]))
        if operator == "ConvTranspose":
            self.transposed(name, shape)
            return
        if operator == "GlobalAveragePool":
            if math.prod(spatial) in {1, 2, 4, 8}:
                self.node(operator, [name], [*shape[:2], *(1 for _ in spatial)])
            return
        self.slide(operator, name, shape)

    def slide(self, operator, name, shape):
        draw, spatial = self.draw, shape[2:]
        kernel = [draw(st.sampled_from([1, 2] if operator == "AveragePool" else [1, 2, 3])) for _ in spatial]
        strides = [draw(st.integers(1, 2)) for _ in spatial]
        gaps = [draw(st.integers(1, 2)) if operator == "Conv" else 1 for _ in spatial]
        attributes = {"strides": strides}
        automatic = draw(st.sampled_from([None, None, "SAME_UPPER", "SAME_LOWER", "VALID"]))
        if automatic and operator != "AveragePool":
            # onnxruntime takes SAME with neither gaps nor steps beyond the kernel.
            attributes["auto_pad"] = automatic
            gaps, pads = [1 for _ in spatial], None
            strides[:] = [min(pair) for pair in zip(strides, kernel, strict=True)]
        else:
            pads = [draw(st.integers(0, size - 1)) for size in kernel * 2]
            attributes["pads"] = pads
            automatic = None
        if operator == "Conv":
            attributes["dilations"] = gaps
        extents = [gap * (size - 1) + 1 for gap, size in zip(gaps, kernel, strict=True)]
        if automatic and automatic.startswith("SAME"):
            out = [-(-length // by) for length, by in zip(spatial, strides, strict=True)]
        else:
            pads = pads or [0] * (2 * len(spatial))
            out = [(n + pads[i] + pads[i + len(spatial)] - extents[i]) // strides[i] + 1 for i, n in enumerate(spatial)]
            if operator != "Conv" and automatic is None and self.opset > 9 and draw(st.booleans()):
                attributes["ceil_mode"] = 1
                out = rounded_up(out, spatial, kernel, strides, pads)
                most = [-(-(n + pads[i] + pads[i + len(spatial)] - kernel[i]) // strides[i]) + 1 for i, n in enumerate(spatial)]
                if out != most:
                    # A window would start in the padding: onnxruntime's shapes count it and its kernels, as the standard, do not.
                    return
            if min(out) < 1 or any(n + pads[i] + pads[i + len(spatial)] < extents[i] for i, n in enumerate(spatial)):
                return
        if operator == "Conv":
            self.convolution(name, shape, kernel, out, attributes)
        else:
            if operator == "AveragePool":
                attributes["count_include_pad"] = int(any(pads))
            self.node(operator, [name], [*shape[:2], *out], kernel_shape=kernel, **attributes)


def rounded_up(out, spatial, kernel, strides, pads):
    """One more step along each axis where cells are left, unless it starts in the padding."""
    result = []
    for axis, (count, n) in enumerate(zip(out, spatial, strict=True)):
        rest = (n + pads[axis] + pads[axis + len(spatial)] - kernel[axis]) % strides[axis]
        result.append(count + (rest > 0 and count * strides[axis] < n + pads[axis]))
    return result


ENTRYWISE = ["Relu", "Relu", "Relu", "Add", "Sub", "Mul", "Div", "Neg", "LeakyRelu", "PRelu", "Abs", "Clip", "Max", "Min",
             "BatchNormalization", "Identity", "Dropout", "Cast", "Pow"]  # fmt: skip


@st.composite
def graphs(draw):
    """(model, shape): a graph of up to seven nodes; all activations that nobody reads go into the output."""
    opset = draw(st.sampled_from([9, 12, 13, 17, 19]))
    shape = [1, *draw(st.lists(st.integers(1, 4), min_size=draw(st.sampled_from([1, 2, 3])), max_size=3))]
    if len(shape) == 4 and draw(st.integers(0, 5)) == 0:
        shape = [1, 1, 2, 2, 3]
    graph = Graph(draw, shape, opset)
    for _ in range(draw(st.integers(2, 7))):
        if max(map(math.prod, graph.shapes.values())) < 200:
            graph.step()
    read = {name for node in graph.nodes for name in node.input}
    loose = [name for name in graph.shapes if name not in read]
    flat = [
        graph.node("Flatten", [name], [1, math.prod(graph.shapes[name])], axis=0 if len(graph.shapes[name]) < 2 else 1) for name in loose
    ]
    last = graph.node("Concat", flat, [1, sum(graph.shapes[name][1] for name in flat)], axis=1)
    graph.node("Relu", [last], graph.shapes[last])
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info(graph.nodes[-1].output[0], TensorProto.FLOAT, None)]
    made = helper.make_graph(graph.nodes, "random", inputs, outputs, graph.initializers)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=9), shape


def saved(folder, model):
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def by_onnxruntime(model, x):
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0].reshape(-1)


@settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
@given(graphs(), st.data())
def test_random_graphs_equal_their_definition_on_fractions_and_onnxruntime(tmp_path, graph, data):
    model, shape = graph
    network = load(saved(tmp_path, model))
    assert network.assumes == ()
    size = math.prod(shape)
    x = data.draw(st.lists(st.fractions(-2, 2, max_denominator=9), min_size=size, max_size=size))
    expected = evaluate(model, np.array(x, dtype=object).reshape(shape)).reshape(-1).tolist()
    assert network(RationalVector.from_fractions(x)).fractions() == expected
    single = np.array(x, dtype=np.float32)
    exact = network(RationalVector.from_floats(single)).to_float()
    assert np.abs(by_onnxruntime(model, single.reshape(shape)) - exact).max(initial=0) <= 1e-3 * (1 + np.abs(exact).max(initial=0))
    layers_are_maps_from_their_own_input(network, RationalVector.from_fractions(x))


@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("opset", [12, 19])
def test_a_pooling_window_that_would_start_in_the_padding_is_left_out(tmp_path, operator, opset):
    nodes = [helper.make_node(operator, ["x"], ["y"], name="pool", kernel_shape=[1], strides=[2], ceil_mode=1)]
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 2]), helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph([*nodes, helper.make_node("Relu", ["y"], ["z"], name="relu")], "pooled", ends[:1], [
        helper.make_tensor_value_info("z", TensorProto.FLOAT, None)])  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    assert load(saved(tmp_path, model))(RationalVector((5, 7))).fractions() == [5]


def layers_are_maps_from_their_own_input(network, x):
    """A source layer without `select` is the network's own steps; every one takes `layer_input` to what its stages give."""
    for layer in network.source_layers:
        assert len(network.layer_input(layer.number, x)) == layer.inputs
        if layer.select is None:
            assert all(a is b for a, b in zip(layer.stages, network.layers[layer.depth :], strict=False))
        state = x
        for step in network.layers[: layer.depth + len(layer.stages)]:
            state = step(state)
        # The layer's outputs come first in the state that its last step makes.
        own = layer(network.layer_input(layer.number, x)).fractions()
        assert state.fractions()[: layer.outputs] == own


def model_of(nodes, shape, constants, *, opset=17, kind=TensorProto.FLOAT):
    inputs = [helper.make_tensor_value_info("x", kind, shape)]
    outputs = [helper.make_tensor_value_info(nodes[-1].output[0], kind, None)]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    return helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs, tensors), opset_imports=[helper.make_opsetid("", opset)], ir_version=8
    )


def node(operator, inputs, output, name="", **attributes):
    return helper.make_node(operator, inputs, [output] if isinstance(output, str) else output, name=name or str(output), **attributes)


def layers_of(network):
    return [(layer.name, layer.inputs, layer.outputs, layer.rectified, len(layer.stages)) for layer in network.source_layers]


# ---- source layers


def test_a_residual_block_has_its_convolutions_and_the_relu_after_the_join_as_layers(tmp_path):
    weight = np.arange(8, dtype=F).reshape(2, 1, 2, 2) - 3
    back = np.ones((1, 2, 1, 1), F)
    nodes = [
        node("Conv", ["x", "w"], "a", "first", pads=[0, 0, 1, 1]), node("Relu", ["a"], "r"), node("Conv", ["r", "v"], "b", "second"),
        node("Add", ["b", "x"], "s", "join"), node("Relu", ["s"], "t", "after"), node("Flatten", ["t"], "f"),
        node("Gemm", ["f", "u"], "y", "last"),
    ]  # fmt: skip
    network = load(saved(tmp_path, model_of(nodes, ["n", 1, 2, 3], {"w": weight, "v": back, "u": np.ones((6, 2), F)})))
    assert layers_of(network) == [("first", 6, 12, 12, 1), ("second", 12, 6, 0, 1), ("after", 6, 6, 6, 1), ("last", 6, 2, 0, 1)]
    # The input is carried past the first layer, unrectified, and no further than the join.
    assert [(layer.outputs, int(layer.rectified.sum())) for layer in network.layers] == [(18, 12), (12, 0), (6, 0), (6, 6), (2, 0)]
    assert [layer.select is None for layer in network.source_layers] == [False, False, True, True]


def test_pooling_and_leaky_activations_belong_to_the_layer_before_them(tmp_path):
    nodes = [
        node("Conv", ["x", "w"], "a", "conv"), node("BatchNormalization", ["a", "g", "g", "z", "g"], "n", epsilon=0.0),
        node("LeakyRelu", ["n"], "l", "leaky", alpha=0.5), node("MaxPool", ["l"], "p", "pool", kernel_shape=[3]),
        node("Flatten", ["p"], "f"), node("Gemm", ["f", "u"], "c", "dense"), node("Clip", ["c", "z0", "one"], "y", "clip"),
    ]  # fmt: skip
    constants = {"w": np.ones((1, 1, 2), F), "g": np.ones(1, F), "z": np.zeros(1, F), "u": np.ones((3, 2), F), "z0": F(0), "one": F(1)}
    network = load(saved(tmp_path, model_of(nodes, ["n", 1, 6], constants)))
    assert layers_of(network) == [("conv", 6, 5, 5, 2), ("pool", 5, 3, 3, 3), ("dense", 3, 2, 2, 2)]


def test_a_maximum_of_many_compares_in_pairs(tmp_path):
    for size in (1, 2, 3, 4, 5, 8, 9):
        model = model_of([node("MaxPool", ["x"], "p", kernel_shape=[size]), node("Relu", ["p"], "y")], [1, 1, size], {})
        network = load(saved(tmp_path, model))
        assert len(network.source_layers[0].stages) == math.ceil(math.log2(size)) + 1
        for place in range(size):
            x = [Fraction(-1 - abs(i - place), 7) for i in range(size)]
            assert network.layer(1)(RationalVector.from_fractions(x)).fractions() == [Fraction(-1, 7)]


def test_a_convolution_is_never_a_dense_matrix(tmp_path):
    nodes = [node("Conv", ["x", "w"], "a", pads=[1, 1, 1, 1]), node("Relu", ["a"], "r"), node("Conv", ["r", "w"], "y", pads=[1, 1, 1, 1])]
    network = load(saved(tmp_path, model_of(nodes, [1, 2, 100, 100], {"w": np.ones((2, 2, 3, 3), F)})))
    assert [layer.stored.entries for layer in network.layers] == [4 * 298 * 298] * 2
    # Inside, 18 ones are added up in each layer; at a corner, 8 of the values 8, 12, 12 and 18 that stand there.
    values = network(RationalVector((1,) * 20000)).numerators
    assert (values[0], values[5050]) == (2 * (8 + 12 + 12 + 18), 18 * 18)


# ---- what is rounded is said


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([node("AveragePool", ["x"], "y", "mean", kernel_shape=[3, 3])], "AveragePool divides.*nearest float64 .*'mean'"),
        ([node("GlobalAveragePool", ["x"], "y", "all")], "GlobalAveragePool divides.*'all'"),
        ([node("Div", ["x", "three"], "y", "third")], "52 significant bits .*'third'"),
        ([node("Conv", ["x", "w"], "c"), node("Div", ["c", "three"], "y", "third")], "29 significant bits .*'third'"),
        ([node("BatchNormalization", ["x", "g", "b", "b", "v"], "y", "bn")], "irrational.*52 significant bits .*'bn'"),
        ([node("Conv", ["x", "w"], "c"), node("BatchNormalization", ["c", "g", "b", "b", "v"], "y", "bn")], "29 significant bits"),
    ],
)  # fmt: skip
def test_what_is_rounded_is_within_its_bits_and_assumed(tmp_path, nodes, words):
    constants = {
        "three": F(3), "w": np.array([0.1, -0.3, 0.7, 1 / 3], F).reshape(2, 2, 1, 1), "g": np.array([0.3, -2], F),
        "b": np.array([0.1, 5], F), "v": np.array([0.2, 3], F),
    }  # fmt: skip
    model = model_of(nodes, [1, 2, 3, 3], constants)
    network = load(saved(tmp_path, model))
    (sentence,) = network.assumes
    assert re.search(words, sentence)
    x = [Fraction(i, 7) - 1 for i in range(18)]
    expected = evaluate(model, np.array(x, dtype=object).reshape(1, 2, 3, 3)).reshape(-1)
    found = network(RationalVector.from_fractions(x)).fractions()
    bound = Fraction(1, 2**27 if "29" in words else 2**48)
    assert any(a != b for a, b in zip(found, expected, strict=True))
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= bound * 20
    # What was rounded leaves products that float64 holds.
    assert all(layer.stored.integers is None for layer in network.layers)


def test_many_nodes_make_one_sentence(tmp_path):
    nodes = [node("Div", ["x" if i == 0 else f"a{i - 1}", "three"], f"a{i}", f"third{i}") for i in range(8)]
    nodes = [one for i, div in enumerate(nodes) for one in (div, node("Relu", [div.output[0]], f"r{i}"))]
    for i in range(1, 8):
        nodes[2 * i].input[0] = f"r{i - 1}"
    (sentence,) = load(saved(tmp_path, model_of(nodes, ["n", 2], {"three": F(3)}))).assumes
    assert sentence.endswith("(nodes 'third0', 'third1', 'third2', 'third3', 'third4', 'third5' and 2 more).")


def test_a_verdict_says_what_was_rounded(tmp_path, capsys):
    nodes = [node("Div", ["x", "three"], "d", "third"), node("Gemm", ["d", "w"], "g"), node("Relu", ["g"], "y")]
    path = saved(tmp_path, model_of(nodes, ["n", 2], {"three": F(3), "w": np.eye(2, dtype=F)}))
    np.save(tmp_path / "x.npy", np.ones((1, 2), F))
    assert main(["preimage", str(path), "--input", str(tmp_path / "x.npy"), "--json"]) == 0
    assert any("'third'" in sentence for sentence in json.loads(capsys.readouterr().out)["assumes"])
    assert main(["info", str(path)]) == 0
    assert "nearest dyadic number with 52 significant bits (node 'third')." in capsys.readouterr().out


# ---- strictly increasing activations


def increasing_model(last, *, opset=17):
    """Gemm, LeakyRelu, Gemm, then `last` and a reshape."""
    nodes = [
        node("Gemm", ["x", "w"], "a", "first"), node("LeakyRelu", ["a"], "l", "leaky", alpha=0.25),
        node("Gemm", ["l", "v", "b"], "c", "second"), last, node("Reshape", [last.output[0], "t"], "r"),
        node("Flatten", ["r"], "y", "flat"),
    ]  # fmt: skip
    constants = {"w": np.array([[1, -2, 0.5], [3, 1, -1]], F), "v": np.array([[1, 2], [-1, 0.5], [2, 0]], F), "b": np.array([0.5, -4], F),
                 "t": np.array([0, 2, 1]), "p": np.array([0.25, 0.5], F), "q": np.array([0.25, 0.0], F)}  # fmt: skip
    return model_of(nodes, ["n", 2], constants, opset=opset)


FINAL = [("Sigmoid", {}), ("Tanh", {}), ("Softplus", {}), ("Elu", {"alpha": 0.5}), ("Selu", {}), ("Selu", {"alpha": 2.0, "gamma": 0.5})]


@pytest.mark.parametrize(("operator", "attributes"), FINAL)
def test_a_final_strictly_increasing_activation_is_set_aside(tmp_path, operator, attributes):
    model = increasing_model(node(operator, ["c"], "s", "squash", **attributes))
    network = load(saved(tmp_path, model))
    second = network.source_layers[-1]
    assert (second.set_aside.name, second.set_aside.slopes) == ("squash", None)
    assert second.affine is second.stages[0]
    assert len(second.stages) == 1
    assert network.assumes == (second.set_aside.note,)
    assert f"The final {operator} (node 'squash')" in second.set_aside.note
    assert "is strictly increasing" in second.set_aside.note
    # The network ends before the activation, which takes its values to those of onnxruntime.
    x = np.array([0.75, -1.5], F)
    definitions = {
        "Sigmoid": lambda z: 1 / (1 + np.exp(-z)), "Tanh": np.tanh, "Softplus": lambda z: np.log1p(np.exp(z)),
        "Elu": lambda z: np.where(z > 0, z, 0.5 * np.expm1(z)),
        "Selu": lambda z: attributes.get("gamma", 1.0507009873554805)
        * np.where(z > 0, z, attributes.get("alpha", 1.6732632423543772) * np.expm1(z)),
    }  # fmt: skip
    exact = network(RationalVector.from_floats(x)).to_float()
    assert np.allclose(definitions[operator](exact), by_onnxruntime(model, x.reshape(1, 2)), atol=1e-5)


def test_a_leaky_relu_with_positive_slopes_keeps_its_stages_and_the_map_before_it(tmp_path):
    for last, slopes in (
        (node("PRelu", ["c", "p"], "s", "squash"), [Fraction(1, 4), Fraction(1, 2)]),
        (node("LeakyRelu", ["c"], "s", "squash", alpha=3.0), [Fraction(3)] * 2),
        (node("PRelu", ["c", "q"], "s", "squash"), None),
        (node("LeakyRelu", ["c"], "s", "squash", alpha=-0.5), None),
        (node("Abs", ["c"], "s", "squash"), None),
    ):
        model = increasing_model(last)
        network = load(saved(tmp_path, model))
        assert network.assumes == ()
        x = RationalVector((3, -5), 7)
        assert network(x).fractions() == evaluate(model, np.array([x.fractions()], dtype=object)).reshape(-1).tolist()
        first, second = network.source_layers
        assert first.set_aside.slopes.fractions() == [[Fraction(1, 4)]] * 3
        if slopes is None:
            assert (second.set_aside, second.affine) == (None, None)
            continue
        assert (second.set_aside.name, second.set_aside.slopes.fractions()) == ("squash", [[slope] for slope in slopes])
        for layer in (first, second):
            given = network.layer_input(layer.number, x)
            assert not layer.affine.rectified.any()
            assert layer.set_aside.undone(layer(given)) == layer.affine(given)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (node("HardSigmoid", ["c"], "s", "squash"), "'HardSigmoid' (node 'squash') is not supported"),
        (node("Softmax", ["c"], "s", "squash"), "'Softmax' (node 'squash') is not supported"),
        (node("Elu", ["c"], "s", "squash", alpha=-1.0), "Elu node 'squash' has alpha -1.0"),
    ],
)
def test_activations_that_are_not_strictly_increasing_are_refused(tmp_path, last, words):
    with pytest.raises(UnsupportedModelError) as caught:
        load(saved(tmp_path, increasing_model(last)))
    assert words in str(caught.value)


def test_a_sigmoid_that_is_not_the_end_is_refused_by_operator_and_node(tmp_path):
    nodes = [
        node("Gemm", ["x", "w"], "a"),
        node("Sigmoid", ["a"], "s", "squash"),
        node("Identity", ["s"], "i"),
        node("Relu", ["i"], "y", "r"),
    ]
    model = model_of(nodes, ["n", 2], {"w": np.eye(2, dtype=F)})
    with pytest.raises(UnsupportedModelError, match=r"Sigmoid node 'squash' is supported at the end .* Relu node 'r' reads its result"):
        load(saved(tmp_path, model))


# ---- constants


def test_arithmetic_on_shapes_is_folded(tmp_path):
    nodes = [
        node("Shape", ["x"], "s"), node("Gather", ["s", "one"], "c"), node("Gather", ["s", "two"], "h"), node("Mul", ["c", "h"], "m"),
        node("Div", ["m", "two"], "d"), node("Add", ["d", "zero"], "e"), node("Unsqueeze", ["e", "axes"], "u"),
        node("Cast", ["u"], "k", to=TensorProto.INT64), node("Concat", ["minus", "k"], "t", axis=0), node("Reshape", ["x", "t"], "r"),
        node("ConstantOfShape", ["k"], "o", value=numpy_helper.from_array(np.array([0.5], F))), node("Add", ["r", "o"], "y"),
    ]  # fmt: skip
    integers = {"one": 1, "two": 2, "zero": 0}
    constants = {name: np.array(value) for name, value in integers.items()} | {"axes": np.array([0]), "minus": np.array([-1])}
    model = model_of(nodes, [1, 2, 3, 2], constants)
    network = load(saved(tmp_path, model))
    x = [Fraction(i, 3) for i in range(12)]
    assert network(RationalVector.from_fractions(x)).fractions() == [value + Fraction(1, 2) for value in x]


def test_weights_of_int8_are_dequantised_exactly(tmp_path):
    random = np.random.default_rng(5)
    nodes = [
        node("DequantizeLinear", ["q", "s", "z"], "w", axis=0), node("Transpose", ["w"], "t"), node("MatMul", ["x", "t"], "m"),
        node("DequantizeLinear", ["p", "s1"], "b"), node("Add", ["m", "b"], "y"),
    ]  # fmt: skip
    constants = {
        "q": random.integers(-128, 128, (3, 2)).astype(np.int8), "s": np.array([0.1, 1e-3, 7.7], F), "z": np.array([3, 0, -5], np.int8),
        "p": random.integers(0, 256, 3).astype(np.uint8), "s1": F(0.013),
    }  # fmt: skip
    model = model_of(nodes, [1, 2], constants)
    network = load(saved(tmp_path, model))
    x = [Fraction(1, 3), Fraction(-7, 5)]
    expected = evaluate(model, np.array(x, dtype=object).reshape(1, 2)).reshape(-1).tolist()
    assert network(RationalVector.from_fractions(x)).fractions() == expected


@pytest.mark.parametrize("per_channel", [False, True])
def test_a_model_with_weights_quantised_by_onnxruntime_is_read(tmp_path, per_channel):
    from onnxruntime.quantization import QuantFormat, quantize_static
    from onnxruntime.quantization.calibrate import CalibrationDataReader

    class Points(CalibrationDataReader):
        def __init__(self):
            self.points = iter([{"x": np.random.default_rng(i).standard_normal((1, 2, 4)).astype(F)} for i in range(3)])

        def get_next(self):
            return next(self.points, None)

    random = np.random.default_rng(5)
    nodes = [node("Conv", ["x", "w", "b"], "c", "conv"), node("Relu", ["c"], "y")]
    constants = {"w": random.standard_normal((3, 2, 2)).astype(F), "b": random.standard_normal(3).astype(F)}
    path = saved(tmp_path, model_of(nodes, [1, 2, 4], constants))
    quantize_static(path, tmp_path / "q.onnx", Points(), quant_format=QuantFormat.QDQ, per_channel=per_channel)
    model = onnx.load(tmp_path / "q.onnx")
    # Of the quantised model only the weights stay in integers: activations are no longer rounded.
    rounding = {one.output[0]: one.input[0] for one in model.graph.node if one.op_type == "QuantizeLinear"}
    undone = {one.output[0]: rounding[one.input[0]] for one in model.graph.node if one.input[0] in rounding}
    kept = [one for one in model.graph.node if one.op_type != "QuantizeLinear" and one.output[0] not in undone]
    for one in kept:
        one.input[:] = [undone.get(name, name) for name in one.input]
    final = undone.get(model.graph.output[0].name, model.graph.output[0].name)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model.graph.output[0].name = final
    assert sum(one.op_type == "DequantizeLinear" for one in kept) == 2
    network = load(saved(tmp_path, model))
    x = [Fraction(i, 7) - Fraction(1, 2) for i in range(8)]
    expected = evaluate(model, np.array(x, dtype=object).reshape(1, 2, 4)).reshape(-1).tolist()
    assert network(RationalVector.from_fractions(x)).fractions() == expected


def test_transposed_convolutions_with_automatic_pads_equal_onnxruntime(tmp_path):
    weight = np.random.default_rng(1).integers(-8, 9, (2, 2, 3)).astype(F) / 8
    x = np.arange(8, dtype=F).reshape(1, 2, 4) / 4 - 1
    for automatic in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        for stride in (1, 2, 3):
            nodes = [node("ConvTranspose", ["x", "w"], "y", "up", auto_pad=automatic, strides=[stride], kernel_shape=[3])]
            model = model_of(nodes, [1, 2, 4], {"w": weight})
            exact = load(saved(tmp_path, model))(RationalVector.from_floats(x.reshape(-1))).to_float()
            assert np.array_equal(exact, by_onnxruntime(model, x))


# ---- files


def shared(name):
    for folder in ("public", "trained"):
        if (SHARED / folder / f"{name}.onnx").exists():
            return SHARED / folder / f"{name}.onnx"
    pytest.skip("the shared networks are not beside this repository")


LOADED = {
    "arch_vcas_pra01": 7, "cgan_imgSz32_nCh_1": 13, "cifar10_cnn": 8, "cifar10_resnet_2b": 10,
    "dnnv_mnist_relu_3_50": 3, "linearizenn_AllInOne_10_10": 11,
    "marabou_linear2-3_bn1-linear3-1": 2, "marabou_mnist5x20_leaky_relu": 7, "oval21_cifar_base_kw": 4,
    "sentiment_rnn_relu_h16_unrolled_T4": 11, "verivital_Convnet_maxpool": 3,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(LOADED))
def test_published_graphs_equal_onnxruntime_within_float_error(name):
    path = shared(name)
    network, model = load(path), onnx.load(path)
    assert len(network.source_layers) == LOADED[name]
    constants = {tensor.name for tensor in model.graph.initializer}
    (value,) = [value for value in model.graph.input if value.name not in constants]
    shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
    x = (np.random.default_rng(3).integers(0, 257, network.inputs) / 256).astype(np.float32)
    exact = network(RationalVector.from_floats(x)).to_float()
    assert np.abs(by_onnxruntime(model, x.reshape(shape)) - exact).max() <= 1e-4 * (1 + np.abs(exact).max())


# On fractions these take minutes.
LARGE = [pytest.param(name, marks=pytest.mark.slow) for name in ("cgan_imgSz32_nCh_1", "cifar10_cnn", "mnist_mlp_784_3500_784_10")]


@pytest.mark.parametrize("name", [*sorted(set(LOADED) - {"cgan_imgSz32_nCh_1", "cifar10_cnn"}), "mnistfc_256x2", *LARGE])
def test_published_graphs_equal_their_definition_on_fractions(name):
    path = shared(name)
    network, model = load(path), onnx.load(path)
    (value,) = [value for value in model.graph.input if value.name not in {tensor.name for tensor in model.graph.initializer}]
    shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
    x = [Fraction(int(v), 255) for v in np.random.default_rng(2).integers(-255, 510, network.inputs)]
    expected = evaluate(model, np.array(x, dtype=object).reshape(shape)).reshape(-1).tolist()
    found = network(RationalVector.from_fractions(x)).fractions()
    if network.assumes:
        assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= Fraction(1, 2**24)
    else:
        assert found == expected
