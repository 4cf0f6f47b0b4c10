"""An ONNX graph that is a chain of dense layers, read as the function of one sample.

A batch axis is set to 1; every tensor on the way then has a known shape and its coordinates are kept in row-major order, so that
reshaping changes nothing and a matrix product along one axis is one affine map of the whole tensor.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidFileError, UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.network.lowering import DenseChain, negated, repeated, scaled, shown
from exactrelu.network.readers import read_file
from exactrelu.network.readers.onnx_tensors import Tensors, attribute_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from onnx import GraphProto, ModelProto, NodeProto

    from exactrelu.network.model import Network

_OLDEST_OPSET = 7
_CHAIN = ("Add", "Dropout", "Flatten", "Gemm", "Identity", "MatMul", "Relu", "Reshape", "Sub")
_ATTRIBUTES = {
    "Constant": {"value", "value_float", "value_floats", "value_int", "value_ints"},
    "Dropout": {"ratio", "seed"},
    "Flatten": {"axis"},
    "Gemm": {"alpha", "beta", "transA", "transB"},
    "Reshape": {"allowzero", "shape"},
}


def from_onnx(path: Path) -> Network:
    """Read an ONNX file.

    Gemm, MatMul, Add, Sub, Relu, Flatten, Reshape, Identity, Dropout (at inference) and Constant, in float16, bfloat16, float32 or
    float64, opset 7 or later. Raises InvalidFileError, UnsupportedModelError (naming operator and node) or InvalidNumberError.
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
        tensors = Tensors(model.graph, path)
        chain, shape = _Reader(model, tensors).read()
    except (DecodeError, UnicodeDecodeError):
        raise InvalidFileError(f"{str(path)!r} is not an ONNX model, or is truncated; export the model again") from None
    return chain.network((source, *tensors.sources), shape)


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


def _node(node: NodeProto) -> str:
    return f"{node.op_type} node {shown(_name(node))}"


def _name(node: NodeProto) -> str:
    return str(node.name or (node.output[0] if node.output else node.op_type))


class _Reader:
    """Walks the chain; `current` is the activation's name, `shape` its shape with the batch axis at 1."""

    def __init__(self, model: ModelProto, tensors: Tensors) -> None:
        self.graph: GraphProto = model.graph
        self.tensors = tensors
        _check_opset(model)
        inputs = [value for value in self.graph.input if value.name not in tensors]
        if len(inputs) != 1 or len(self.graph.output) != 1:
            names = ", ".join(shown(value.name) for value in [*inputs, *self.graph.output][:6])
            raise UnsupportedModelError(
                f"the model has {len(inputs)} inputs and {len(self.graph.output)} outputs ({names}); models with one of each are supported"
            )
        self.input = inputs[0]
        self.current = self.input.name
        self.seen = {self.current}

    def read(self) -> tuple[DenseChain, tuple[int, ...]]:
        nodes = [node for node in self.graph.node if not self._is_constant(node)]
        for node in nodes:
            self._check_supported(node)
        self.shape, batched = self._input_shape(nodes)
        input_shape = self.shape[1:] if batched else self.shape
        # A batch of fixed size may stand in the targets of reshapes, where one sample then counts 1.
        self.fixed_batch = max(1, self.input.type.tensor_type.shape.dim[0].dim_value) if batched else 1
        self.chain = DenseChain(math.prod(self.shape))
        for node in nodes:
            self._step(node)
        if self.graph.output[0].name != self.current:
            raise UnsupportedModelError(
                f"the output {shown(self.graph.output[0].name)} is not the end of the chain {shown(self.current)}; "
                "models whose activations branch are not supported yet"
            )
        return self.chain, input_shape

    # ---- what the graph is

    def _is_constant(self, node: NodeProto) -> bool:
        """Take in a node that only makes a constant."""
        if node.domain not in {"", "ai.onnx"} or node.op_type not in {"Constant", "Identity"} or len(node.output) != 1:
            return False
        if node.op_type == "Constant":
            self._check_supported(node)
            self.tensors.add_constant(node)
            return True
        if len(node.input) == 1 and node.input[0] in self.tensors:
            self.tensors.add_alias(node.output[0], node.input[0])
            return True
        return False

    def _check_supported(self, node: NodeProto) -> None:
        operator = f"{node.domain}.{node.op_type}" if node.domain not in {"", "ai.onnx"} else node.op_type
        if operator not in {*_CHAIN, "Constant"}:
            raise UnsupportedModelError(
                f"operator {shown(operator)} (node {shown(_name(node))}) is not supported; supported are Constant, {', '.join(_CHAIN)}"
            )
        for attribute in node.attribute:
            if attribute.name not in _ATTRIBUTES.get(node.op_type, set()):
                raise UnsupportedModelError(f"attribute {shown(attribute.name)} of {_node(node)} is not supported")
        if not node.output or not node.output[0]:
            raise InvalidFileError(f"{_node(node)} has no output; the file breaks the ONNX format")

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
        name, reshaped = self.current, False
        for node in nodes:
            if name not in node.input:
                continue
            if node.op_type in {"MatMul", "Gemm"}:
                left = node.input[0] == name
                constant = (*node.input, "")[1 if left else 0]
                shape = self.tensors.shape(constant) if constant in self.tensors else ()
                if not shape:
                    break
                transposed = [bool(self._attribute(node, flag, 0)) for flag in ("transA", "transB")]
                shape = shape[::-1] if transposed[1 if left else 0] else shape
                return (shape[-2:][0] if left else shape[-1]), transposed[0 if left else 1] == left, reshaped
            reshaped = reshaped or node.op_type in {"Flatten", "Reshape"}
            name = node.output[0]
        return None, False, reshaped

    # ---- one operator after the other

    def _step(self, node: NodeProto) -> None:
        used = [name for name in node.input if name and name not in self.tensors]
        if used != [self.current]:
            if not used:
                raise UnsupportedModelError(f"{_node(node)} computes with constants alone; fold constants when exporting the model")
            other = next((name for name in used if name != self.current), self.current)
            if other not in self.seen:
                raise InvalidFileError(f"{_node(node)} reads {shown(other)}, which nothing before it computes; export the model again")
            raise UnsupportedModelError(
                f"{_node(node)} uses the activation {shown(other)} again; models whose activations branch are not supported yet"
            )
        if node.op_type in {"Flatten", "Identity", "Relu"} and len(node.input) != 1:
            raise InvalidFileError(f"{_node(node)} has {len(node.input)} inputs instead of 1; the file breaks the ONNX format")
        operations: dict[str, Callable[[NodeProto], None]] = {
            "Add": self._sum,
            "Dropout": self._dropout,
            "Flatten": self._flatten,
            "Gemm": self._gemm,
            "Identity": lambda _: None,
            "MatMul": self._matmul,
            "Relu": lambda node: self.chain.relu(_name(node)),
            "Reshape": self._reshape,
            "Sub": self._sum,
        }
        operations[node.op_type](node)
        self.current = node.output[0]
        if self.current in self.seen or self.current in self.tensors:
            raise InvalidFileError(f"{_node(node)} computes {shown(self.current)} a second time; the file breaks the ONNX format")
        self.seen.update(name for name in node.output if name)

    def _attribute(self, node: NodeProto, name: str, default: Any) -> Any:
        for attribute in node.attribute:
            if attribute.name == name:
                value = attribute_value(attribute)
                if not isinstance(value, type(default)):
                    raise InvalidFileError(f"attribute {name} of {_node(node)} has the wrong type; the file breaks the ONNX format")
                return value
        return default

    def _sum(self, node: NodeProto) -> None:
        left, right = self._two_inputs(node)
        constant = self.tensors.floats(right if left == self.current else left)
        try:
            result = np.broadcast_shapes(self.shape, constant.shape)
        except ValueError:
            result = None
        if result is None or math.prod(result) != math.prod(self.shape):
            raise UnsupportedModelError(
                f"{_node(node)} combines a constant of shape {constant.shape} with an activation of shape {self.shape} (one sample); "
                "only constants that leave the activation's size unchanged are supported"
            )
        vector = DyadicMatrix(np.broadcast_to(constant, result).reshape(-1, 1).copy())
        if node.op_type == "Add":
            self.chain.shift(_name(node), vector)
        elif left == self.current:
            self.chain.shift(_name(node), negated(vector))
        else:
            self.chain.shift(_name(node), vector, negate=True)
        self.shape = tuple(result)

    def _matmul(self, node: NodeProto) -> None:
        left, right = self._two_inputs(node)
        constant = self.tensors.floats(right if left == self.current else left)
        stacked = constant.ndim > 2
        if constant.ndim == 0 or not self.shape or (stacked and (constant.ndim > len(self.shape) or set(constant.shape[:-2]) != {1})):
            raise self._misfit(node, constant)
        if stacked:
            constant = constant.reshape(constant.shape[-2:])
        if left == self.current:
            matrix = constant if constant.ndim == 2 else constant[:, None]
            before, n, after = math.prod(self.shape[:-1]), self.shape[-1], 1
            shape = (*self.shape[:-1], *constant.shape[1:])
            matrix = matrix.T
        else:
            matrix = constant if constant.ndim == 2 else constant[None, :]
            columns = self.shape[-1:] if len(self.shape) > 1 else ()
            rest, n = (self.shape[:-2], self.shape[-2]) if columns else ((), self.shape[0])
            before, after = math.prod(rest), math.prod(columns)
            shape = (*rest, *constant.shape[:-1], *columns)
        if matrix.shape[1] != n:
            raise self._misfit(node, constant)
        self.chain.affine(_name(node), repeated(_name(node), DyadicMatrix(np.ascontiguousarray(matrix)), before, after))
        self.shape = shape

    def _gemm(self, node: NodeProto) -> None:
        """Y = alpha A' B' + beta C, of which A or B is the activation."""
        if len(node.input) not in {2, 3} or self.current == (*node.input, "")[2]:
            raise UnsupportedModelError(
                f"{_node(node)} has {len(node.input)} inputs or the activation as its third; write it as MatMul and Add"
            )
        left = node.input[0] == self.current
        constant = self.tensors.floats(node.input[1 if left else 0])
        shape = self.shape
        if constant.ndim != 2 or len(shape) != 2:
            raise self._misfit(node, constant)
        activation_flag, constant_flag = ("transA", "transB") if left else ("transB", "transA")
        if self._attribute(node, activation_flag, 0):
            if min(shape) > 1:
                raise UnsupportedModelError(f"{_node(node)} transposes an activation of shape {shape}; only vectors are supported")
            shape = (shape[1], shape[0])
        matrix = constant.T if self._attribute(node, constant_flag, 0) else constant
        matrix, before, after, out = (
            (matrix.T, shape[0], 1, (shape[0], matrix.shape[1])) if left else (matrix, 1, shape[1], (matrix.shape[0], shape[1]))
        )
        if matrix.shape[1] != shape[1 if left else 0]:
            raise self._misfit(node, constant)
        alpha, beta = (self._attribute(node, name, 1.0) for name in ("alpha", "beta"))
        if not (math.isfinite(alpha) and math.isfinite(beta)):
            raise UnsupportedModelError(f"{_node(node)} has alpha {alpha} and beta {beta}; both must be finite")
        weight = repeated(_name(node), DyadicMatrix(np.ascontiguousarray(matrix)), before, after)
        bias = None
        if len(node.input) == 3 and node.input[2]:
            added = self.tensors.floats(node.input[2])
            try:
                bias = scaled(DyadicMatrix(np.broadcast_to(added, out).reshape(-1, 1).copy()), beta)
            except ValueError:
                raise self._misfit(node, added) from None
        self.chain.affine(_name(node), scaled(weight, alpha), bias)
        self.shape = out

    def _flatten(self, node: NodeProto) -> None:
        axis = self._attribute(node, "axis", 1)
        rank = len(self.shape)
        if not -rank <= axis <= rank:
            raise InvalidFileError(
                f"{_node(node)} has axis {axis} for an activation of shape {self.shape}; the file breaks the ONNX format"
            )
        self.shape = (math.prod(self.shape[:axis]), math.prod(self.shape[axis:]))

    def _reshape(self, node: NodeProto) -> None:
        if len(node.input) == 2 and node.input[1] in self.tensors and node.input[0] == self.current:
            target = self.tensors.integers(node.input[1])
        else:
            target = [dim for dim in self._attribute(node, "shape", []) if isinstance(dim, int)]
        zero_is_zero = self._attribute(node, "allowzero", 0)
        size = math.prod(self.shape)
        shape = [self.shape[i] if dim == 0 and not zero_is_zero and i < len(self.shape) else dim for i, dim in enumerate(target)]
        if shape and shape[0] == self.fixed_batch and (-1 in shape or math.prod(shape) == size * self.fixed_batch):
            shape[0] = 1
        if shape.count(-1) == 1:
            known = -math.prod(shape)
            shape[shape.index(-1)] = size // known if known > 0 else 0
        if any(dim < 0 for dim in shape) or math.prod(shape) != size:
            raise UnsupportedModelError(
                f"{_node(node)} turns shape {self.shape} (one sample) into {target}, which does not keep one sample's coordinates"
            )
        self.shape = tuple(shape)

    def _dropout(self, node: NodeProto) -> None:
        if len(node.input) > 2 and node.input[2] and self.tensors.stored(node.input[2]).any():
            raise UnsupportedModelError(f"{_node(node)} is in training mode; export the model for inference")
        if node.input[0] != self.current:
            raise InvalidFileError(f"{_node(node)} has no constant ratio; the file breaks the ONNX format")

    def _two_inputs(self, node: NodeProto) -> tuple[str, str]:
        if len(node.input) != 2 or not all(node.input):
            raise InvalidFileError(f"{_node(node)} has {len(node.input)} inputs instead of 2; the file breaks the ONNX format")
        return node.input[0], node.input[1]

    def _misfit(self, node: NodeProto, constant: np.ndarray) -> UnsupportedModelError:
        return UnsupportedModelError(
            f"{_node(node)} combines a constant of shape {constant.shape} with an activation of shape {self.shape} (one sample), "
            "which do not fit"
        )


def _check_opset(model: ModelProto) -> None:
    versions = [entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"}]
    if not versions or max(versions) < _OLDEST_OPSET:
        raise UnsupportedModelError(
            f"the model uses ONNX operator set {max(versions, default='none')}; {_OLDEST_OPSET} or later is needed, "
            "so convert it with onnx.version_converter or export it again"
        )
