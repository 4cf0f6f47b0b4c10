"""An ONNX model evaluated with its float32 errors, node by node.

Nodes that move entries run in onnx's reference evaluator on the value and on the error; the others are in error_operators.py.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.float_gap.error import FloatError, NoBound
from exactrelu.float_gap.error_operators import OPERATORS, Step, Value, said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from onnx import ModelProto, NodeProto, TensorProto

MOVING = {"Concat", "Expand", "Flatten", "Gather", "Identity", "Pad", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"}
_MAKING = {"Cast", "Constant", "ConstantOfShape", "Shape"}
_STRICTLY_INCREASING = {"Elu", "Selu", "Sigmoid", "Softplus", "Tanh"}


class FloatModel:
    """An ONNX model ready to be evaluated with its float32 errors.

    `set_aside` says that the last activation is not part of the question. Raises NoBound where the model is no float32 graph of one input.
    """

    def __init__(self, path: Path, *, set_aside: bool = False) -> None:
        import onnx

        model = onnx.load(path)
        self._opsets, self._version = list(model.opset_import), model.ir_version
        self._nodes = _needed(model)
        names = {tensor.name for tensor in model.graph.initializer}
        inputs = [value for value in model.graph.input if value.name not in names]
        if len(inputs) != 1 or inputs[0].type.tensor_type.elem_type != onnx.TensorProto.FLOAT:
            raise NoBound("the model does not compute in float32: its input is of another type")
        self._input, self._output = inputs[0].name, model.graph.output[0].name
        self._readers = Counter([self._output, *(name for node in self._nodes for name in node.input)])
        read = (tensor for tensor in model.graph.initializer if self._readers[tensor.name])
        self._constants = {tensor.name: _held(_array(tensor), tensor.name) for tensor in read}
        self._passed = _STRICTLY_INCREASING if set_aside else set()
        self._evaluators: dict[tuple[Any, ...], Any] = {}
        # The axes of the input as the graph takes it.
        self.rank = len(inputs[0].type.tensor_type.shape.dim)

    def __call__(self, x: FloatError) -> FloatError:
        """The output with its error for an input of the shape that the graph takes."""
        known: dict[str, Value] = {"": None, **self._constants, self._input: x}
        for node in self._nodes:
            step = Step(node, [known[name] for name in node.input], self._run)
            for name, result in zip(node.output, self._results(step), strict=False):
                # FG3 speaks of what one operator alone reads.
                known[name] = result.settled() if isinstance(result, FloatError) and self._readers[name] > 1 else result
        output = known[self._output]
        if not isinstance(output, FloatError):
            raise NoBound("the output is a constant")
        return output

    def _results(self, step: Step) -> Sequence[Value]:
        """What a node gives."""
        node = step.node
        try:
            if node.op_type == "Shape" or not step.activations:
                return self._of_constants(step)
            if node.op_type in MOVING:
                return [_moved(step, k) for k in range(len(node.output))]
            if node.op_type in OPERATORS:
                return [OPERATORS[node.op_type](step)]
        except (ValueError, TypeError, IndexError) as error:
            # Shapes that another reading of the operator would give.
            raise NoBound(f"{step} cannot be evaluated in float64 ({type(error).__name__})") from None
        if node.op_type in self._passed:
            return step.given
        raise NoBound(f"no bound is known for operator {step}")

    def _of_constants(self, step: Step) -> list[np.ndarray]:
        given = [value.value if isinstance(value, FloatError) else value for value in step.given]
        integers = bool(given) and all(value is None or value.dtype.kind in "iub" for value in given)
        if not (integers or step.node.op_type in MOVING | _MAKING):
            raise NoBound(f"{step} computes a constant in floats")
        results = self._run(step.node, given, {})
        # What moves entries got float32 numbers, which are held as float64 here.
        return results if step.node.op_type in MOVING else [_held(result, step.node.output[0]) for result in results]

    def _run(self, node: NodeProto, inputs: Sequence[np.ndarray | None], attributes: Mapping[str, Any]) -> list[np.ndarray]:
        """What onnx's reference evaluator makes of one node, with other attributes where they are given."""
        key = (id(node), repr(sorted(attributes.items())))
        names = [name and f"i{k}" for k, name in enumerate(node.input)]
        try:
            if key not in self._evaluators:
                self._evaluators[key] = _evaluator(node, names, self._opsets, self._version, attributes)
            with np.errstate(all="ignore"):
                results = self._evaluators[key].run(None, {name: value for name, value in zip(names, inputs, strict=True) if name})
        except Exception as error:  # noqa: BLE001
            # The reference evaluator raises anything for what it does not support; then there is no bound.
            raise NoBound(f"{said(node)} cannot be evaluated in float64 ({type(error).__name__})") from None
        return [np.asarray(result) for result in results]


def _moved(step: Step, k: int) -> FloatError:
    """Output k of a node that moves entries."""
    if len(step.activations) > 1:
        errors = [value.error if isinstance(value, FloatError) else None if value is None else 0 * value for value in step.given]
        return FloatError.of_input(step.run(step.values, k), step.run(errors, k))
    return step.activations[0].moved(lambda array: step.run([array if isinstance(value, FloatError) else value for value in step.given], k))


def _evaluator(node: NodeProto, names: Sequence[str], opsets: list[Any], version: int, attributes: Mapping[str, Any]) -> Any:
    """onnx's reference evaluator for a model of one node."""
    from onnx import NodeProto, TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    copy = NodeProto()
    copy.CopyFrom(node)
    del copy.input[:], copy.attribute[:]
    copy.input.extend(names)
    copy.attribute.extend(attribute for attribute in node.attribute if attribute.name not in attributes)
    copy.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    values = [[helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in side if name] for side in (names, copy.output)]
    graph = helper.make_graph([copy], "node", *values)
    return ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets, ir_version=version))


def _needed(model: ModelProto) -> list[NodeProto]:
    """The nodes on which the output depends, in the file's order."""
    wanted = {model.graph.output[0].name}
    found = []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            found.append(node)
            wanted.update(filter(None, node.input))
    return found[::-1]


def _array(tensor: TensorProto) -> np.ndarray:
    from onnx import numpy_helper

    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except Exception as error:  # noqa: BLE001
        # A reader passes over constants that do not matter to it; a damaged one may be anything.
        raise NoBound(f"the constant {tensor.name[:80]!a} cannot be read ({type(error).__name__})") from None


def _held(array: np.ndarray, name: str) -> np.ndarray:
    """A constant: float32 as float64, integers as they are; other floats are refused."""
    if array.dtype.kind in "iub":
        return array
    if array.dtype == np.float32:
        return array.astype(np.float64)
    raise NoBound(f"the constant {name[:80]!a} is {array.dtype}, not float32")
