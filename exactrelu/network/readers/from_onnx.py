"""An ONNX graph without cycles, read as the function of one sample.

A batch axis is set to 1; every tensor on the way then has a known shape and its coordinates are kept in row-major order. The nodes are
taken in the file's order; those on which the output does not depend are passed over.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from exactrelu.errors import InvalidFileError, UnsupportedModelError
from exactrelu.network.lowering import Lowering, shown
from exactrelu.network.readers import read_file
from exactrelu.network.readers.onnx_operators import OPERATORS, run
from exactrelu.network.readers.onnx_step import Graph, Operation, Step
from exactrelu.network.readers.onnx_tensors import Tensors, attribute_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from onnx import GraphProto, ModelProto, NodeProto

    from exactrelu.network.model import Network, Source

_OLDEST_OPSET = 7
_STANDARD = {"", "ai.onnx"}
_ELEMENTWISE = {
    "Abs", "Add", "BatchNormalization", "Cast", "Clip", "Div", "Dropout", "Identity", "LeakyRelu", "Mul", "Neg", "PRelu", "Relu", "Sub",
}  # fmt: skip
_RESHAPING = {"Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}


def from_onnx(path: Path) -> Network:
    """Read an ONNX file of opset 7 or later, in float16, bfloat16, float32 or float64, of the operators in `onnx_operators`.

    Raises InvalidFileError, UnsupportedModelError (naming operator and node) or InvalidNumberError.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from onnx import ModelProto

    data, source = read_file(path)
    model = ModelProto()
    try:
        model.ParseFromString(data)
        if not (model.HasField("graph") and model.opset_import):
            raise InvalidFileError(f"{str(path)!r} is not an ONNX model; check what the file holds")
        if not all(isinstance(text, str) for text in _texts(model.graph)):
            raise InvalidFileError(f"{str(path)!r} holds names that are not UTF-8; the file is damaged, so export the model again")
        if model.graph.sparse_initializer:
            raise UnsupportedModelError("the model holds sparse initialisers; store them as dense tensors")
        tensors = Tensors(model.graph.initializer, path.parent)
        return _Reader(model, tensors).read(lambda: (source, *tensors.sources))
    except (DecodeError, UnicodeDecodeError):
        raise InvalidFileError(f"{str(path)!r} is not an ONNX model, or is truncated; export the model again") from None


def _texts(graph: GraphProto) -> Iterator[object]:
    """Every text that a reader uses; where a file has other bytes than UTF-8, protobuf gives the bytes."""
    tensors = list(graph.initializer)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        for attribute in node.attribute:
            yield from (attribute.name, attribute.ref_attr_name)
            tensors.append(attribute.t)
    yield from (value.name for value in (*graph.input, *graph.output))
    for tensor in tensors:
        yield tensor.name
        yield from (text for entry in tensor.external_data for text in (entry.key, entry.value))


def operation_of(node: NodeProto) -> Operation:
    """A node as the operators see it; of an attribute that stands twice, the first."""
    attributes: dict[str, Any] = {}
    for attribute in node.attribute:
        attributes.setdefault(attribute.name, attribute_value(attribute))
    return Operation(node.op_type, node_name(node), tuple(node.input), tuple(node.output), attributes)


def node_name(node: NodeProto) -> str:
    """The name of a node; where it has none, of its first output."""
    return str(node.name or (node.output[0] if node.output else node.op_type))


class _Reader:
    """Walks the graph of a model."""

    def __init__(self, model: ModelProto, tensors: Tensors) -> None:
        self.graph: GraphProto = model.graph
        self.tensors = tensors
        self.opset = _opset(model)
        inputs = [value for value in self.graph.input if value.name not in tensors]
        if len(inputs) != 1 or len(self.graph.output) != 1:
            names = ", ".join(shown(value.name) for value in [*inputs, *self.graph.output][:6])
            raise UnsupportedModelError(
                f"the model has {len(inputs)} inputs and {len(self.graph.output)} outputs ({names}); models with one of each are supported"
            )
        self.input, self.output = inputs[0], self.graph.output[0]

    def read(self, sources: Callable[[], tuple[Source, ...]]) -> Network:
        nodes = self._needed([node for node in self.graph.node if not self._is_constant(node)])
        for node in nodes:
            self._check_supported(node)
        shape, batched = self._input_shape(nodes)
        # A batch of fixed size may stand in the targets of reshapes, where one sample then counts 1.
        fixed_batch = max(1, self.input.type.tensor_type.shape.dim[0].dim_value) if batched else 1
        uses = Counter([self.output.name, *(name for node in nodes for name in node.input)])
        lowering = Lowering(math.prod(shape))
        graph = Graph(self.tensors, lowering, self.opset, fixed_batch, uses)
        graph.put(self.input.name, lowering.input(shape))
        for node in nodes:
            run(Step(operation_of(node), graph))
        if self.output.name not in graph.values:
            what = "is a constant" if self.output.name in self.tensors else "is computed by nothing in the graph"
            raise UnsupportedModelError(f"the output {shown(self.output.name)} {what}; export the model again")
        return lowering.network(graph.values[self.output.name], sources(), shape[1:] if batched else shape, graph.assumes())

    # ---- what the graph is

    def _is_constant(self, node: NodeProto) -> bool:
        """Take in a node that only makes a constant."""
        if node.domain not in _STANDARD or node.op_type not in {"Constant", "Identity"} or len(node.output) != 1:
            return False
        if node.op_type == "Constant":
            self._check_supported(node)
            self.tensors.add_constant(node)
            return True
        if len(node.input) == 1 and node.input[0] in self.tensors:
            self.tensors.add_alias(node.output[0], node.input[0])
            return True
        return False

    def _needed(self, nodes: list[NodeProto]) -> list[NodeProto]:
        """The nodes on which the output depends, in the file's order."""
        makers: dict[str, int] = {}
        for position, node in enumerate(nodes):
            for name in filter(None, node.output):
                if name in makers or name in self.tensors or name == self.input.name:
                    which = f"{shown(node.op_type)} node {shown(node_name(node))}"
                    raise InvalidFileError(f"{which} computes {shown(name)} a second time; the file breaks the ONNX format")
                makers[name] = position
        found: set[int] = set()
        waiting = [self.output.name]
        while waiting:
            position = makers.get(waiting.pop(), -1)
            if position >= 0 and position not in found:
                found.add(position)
                waiting.extend(nodes[position].input)
        return [nodes[position] for position in sorted(found)]

    def _check_supported(self, node: NodeProto) -> None:
        operator = f"{node.domain}.{node.op_type}" if node.domain not in _STANDARD else node.op_type
        if operator not in OPERATORS:
            raise UnsupportedModelError(
                f"operator {shown(operator)} (node {shown(node_name(node))}) is not supported; supported are {', '.join(OPERATORS)}"
            )
        named = f"{node.op_type} node {shown(node_name(node))}"
        allowed = OPERATORS[operator]
        for attribute in node.attribute:
            if attribute.name not in allowed.attributes:
                raise UnsupportedModelError(f"attribute {shown(attribute.name)} of {named} is not supported")
        if not allowed.least <= len(node.input) <= allowed.most:
            raise InvalidFileError(f"{named} has {len(node.input)} inputs; the file breaks the ONNX format")
        if not node.output or not node.output[0]:
            raise InvalidFileError(f"{named} has no output; the file breaks the ONNX format")

    def _input_shape(self, nodes: list[NodeProto]) -> tuple[tuple[int, ...], bool]:
        """The input's shape with the batch axis at 1, and whether it has one; an unknown width is read off the first product."""
        kind = self.input.type.tensor_type
        self.tensors.check_type(kind.elem_type, f"the input {shown(self.input.name)}")
        dims = [dim.dim_value if dim.dim_value > 0 else None for dim in kind.shape.dim]
        width, column, reshaped = self._first_product(nodes)
        batched_first = len(dims) > 2 or (len(dims) == 2 and (reshaped or not column))
        candidates: list[tuple[list[int | None], bool]] = [([1, *dims[1:]], True)] if batched_first else []
        if not batched_first or dims[0] is not None:
            candidates.append((dims, False))
        resolved = []
        for shape, batched in candidates if kind.HasField("shape") else []:
            filled = width or 0
            if None in shape:
                axis = len(shape) - (2 if column and len(shape) > 1 else 1)
                if width is None or shape.count(None) > 1 or not (reshaped or shape[axis] is None):
                    continue
                filled = width // math.prod(dim for dim in shape if dim is not None) if reshaped else width
            complete = tuple(filled if dim is None else dim for dim in shape)
            resolved.append((complete, batched))
            if not reshaped or math.prod(complete) == width:
                return complete, batched
        if not resolved:
            text = ", ".join("?" if dim is None else str(dim) for dim in dims)
            raise UnsupportedModelError(
                f"the input {shown(self.input.name)} has shape ({text}) with dimensions that the weights do not determine; "
                "export the model with every dimension but the first one fixed"
            )
        return resolved[0]

    def _first_product(self, nodes: list[NodeProto]) -> tuple[int | None, bool, bool]:
        """Of the first matrix product: its width, whether it takes the activation as a column, whether a reshape comes before."""
        name, reshaped = self.input.name, False
        for node in nodes:
            if name not in node.input:
                continue
            if node.op_type in {"MatMul", "Gemm"}:
                left = node.input[0] == name
                constant = (*node.input, "")[1 if left else 0]
                shape = self.tensors.shape(constant) if constant in self.tensors else ()
                if not shape:
                    break
                flags = {attribute.name: bool(attribute_value(attribute)) for attribute in node.attribute}
                transposed = [flags.get(flag, False) for flag in ("transA", "transB")]
                shape = shape[::-1] if transposed[1 if left else 0] else shape
                return (shape[-2:][0] if left else shape[-1]), transposed[0 if left else 1] == left, reshaped
            if node.op_type not in _ELEMENTWISE | _RESHAPING:
                break
            reshaped = reshaped or node.op_type in _RESHAPING
            name = node.output[0]
        return None, False, reshaped


def _opset(model: ModelProto) -> int:
    versions = [int(entry.version) for entry in model.opset_import if entry.domain in _STANDARD]
    if not versions or max(versions) < _OLDEST_OPSET:
        raise UnsupportedModelError(
            f"the model uses ONNX operator set {max(versions, default='none')}; {_OLDEST_OPSET} or later is needed, "
            "so convert it with onnx.version_converter or export it again"
        )
    return max(versions)
