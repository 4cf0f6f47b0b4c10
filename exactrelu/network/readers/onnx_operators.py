"""The ONNX operators that can be read: for each the function that reads it, its attributes and how many inputs it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exactrelu.network.readers import onnx_affine as affine
from exactrelu.network.readers import onnx_shapes as shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from exactrelu.network.readers.onnx_step import Step

_MOST_INPUTS = 2**16


class Operator(NamedTuple):
    """How an operator is read; `of_constants`, where it is given, when no input is an activation."""

    read: Callable[[Step], None]
    attributes: frozenset[str] = frozenset()
    least: int = 1
    most: int = 1
    of_constants: Callable[[Step], None] | None = None


def _operator(
    read: Callable[[Step], None], attributes: str = "", least: int = 1, most: int = 1, of_constants: Callable[[Step], None] | None = None
) -> Operator:
    return Operator(read, frozenset(attributes.split()), least, most, of_constants)


def _constant(step: Step) -> None:
    raise step.broken("has inputs")


_WINDOW = "auto_pad dilations kernel_shape pads strides "

OPERATORS = {
    "Abs": _operator(affine.absolute_value),
    "Add": _operator(affine.add, "", 2, 2, shapes.arithmetic),
    "AveragePool": _operator(affine.average_pool, _WINDOW + "ceil_mode count_include_pad"),
    "BatchNormalization": _operator(affine.batch_normalization, "epsilon momentum spatial training_mode", 5, 5),
    "Cast": _operator(shapes.cast, "to saturate round_mode"),
    "Clip": _operator(affine.clip, "min max", 1, 3),
    "Concat": _operator(shapes.concat, "axis", 1, _MOST_INPUTS),
    "Constant": _operator(_constant, "value value_float value_floats value_int value_ints", 0, 0),
    "ConstantOfShape": _operator(shapes.constant_of_shape, "value"),
    "Conv": _operator(affine.conv, _WINDOW + "group", 2, 3),
    "DequantizeLinear": _operator(shapes.dequantize, "axis block_size output_dtype", 2, 3),
    "Div": _operator(affine.divide, "", 2, 2, shapes.arithmetic),
    "Dropout": _operator(shapes.dropout, "ratio seed", 1, 3),
    "Flatten": _operator(shapes.flatten, "axis"),
    "Gather": _operator(shapes.gather, "axis", 2, 2),
    "Gemm": _operator(affine.gemm, "alpha beta transA transB", 2, 3),
    "GlobalAveragePool": _operator(affine.global_average_pool),
    "Identity": _operator(shapes.identity),
    "LeakyRelu": _operator(affine.leaky_relu, "alpha"),
    "MatMul": _operator(affine.matmul, "", 2, 2),
    "Max": _operator(affine.maximum, "", 1, _MOST_INPUTS),
    "MaxPool": _operator(affine.max_pool, _WINDOW + "ceil_mode storage_order"),
    "Min": _operator(affine.minimum, "", 1, _MOST_INPUTS),
    "Mul": _operator(affine.multiply, "", 2, 2, shapes.arithmetic),
    "Neg": _operator(affine.negate, "", 1, 1, shapes.arithmetic),
    "PRelu": _operator(affine.parametric_relu, "", 2, 2),
    "Pad": _operator(shapes.pad, "mode pads value", 1, 4),
    "Relu": _operator(affine.rectified),
    "Reshape": _operator(shapes.reshape, "allowzero shape", 1, 2),
    "Shape": _operator(shapes.shape, "start end"),
    "Slice": _operator(shapes.slicing, "starts ends axes", 1, 5),
    "Split": _operator(shapes.split, "axis split num_outputs", 1, 2),
    "Squeeze": _operator(shapes.squeeze, "axes", 1, 2),
    "Sub": _operator(affine.subtract, "", 2, 2, shapes.arithmetic),
    "Transpose": _operator(shapes.transpose, "perm"),
    "Unsqueeze": _operator(shapes.unsqueeze, "axes", 1, 2),
}


def run(step: Step) -> None:
    """Read one node."""
    operator = OPERATORS[step.node.op_type]
    if operator.of_constants is not None and all(step.is_constant(i) for i in range(len(step))):
        operator.of_constants(step)
    else:
        operator.read(step)
