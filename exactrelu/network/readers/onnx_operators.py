"""The operators that can be read, in ONNX's terms: for each the function that reads it, its attributes and how many inputs it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exactrelu.network.readers import onnx_activations as activations
from exactrelu.network.readers import onnx_affine as affine
from exactrelu.network.readers import onnx_constants as constants
from exactrelu.network.readers import onnx_shapes as shapes
from exactrelu.network.readers import onnx_windows as windows

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
    "Abs": _operator(activations.absolute_value),
    "Add": _operator(affine.add, "", 2, 2, constants.arithmetic),
    "AveragePool": _operator(windows.average_pool, _WINDOW + "ceil_mode count_include_pad"),
    "BatchNormalization": _operator(affine.batch_normalization, "epsilon momentum spatial training_mode", 5, 5),
    "Cast": _operator(shapes.cast, "to saturate round_mode"),
    "Clip": _operator(activations.clip, "min max", 1, 3),
    "Concat": _operator(shapes.concat, "axis", 1, _MOST_INPUTS),
    "Constant": _operator(_constant, "value value_float value_floats value_int value_ints", 0, 0),
    "ConstantOfShape": _operator(constants.constant_of_shape, "value"),
    "Conv": _operator(windows.conv, _WINDOW + "group", 2, 3),
    "ConvTranspose": _operator(windows.conv_transpose, _WINDOW + "group output_padding", 2, 3),
    "DequantizeLinear": _operator(constants.dequantize, "axis block_size output_dtype", 2, 3),
    "Div": _operator(affine.divide, "", 2, 2, constants.arithmetic),
    "Dropout": _operator(shapes.dropout, "ratio seed", 1, 3),
    "Elu": _operator(activations.increasing, "alpha"),
    "Expand": _operator(shapes.expand, "", 2, 2),
    "Flatten": _operator(shapes.flatten, "axis"),
    "Gather": _operator(shapes.gather, "axis", 2, 2),
    "Gemm": _operator(affine.gemm, "alpha beta transA transB", 2, 3),
    "GlobalAveragePool": _operator(windows.global_average_pool),
    "Identity": _operator(shapes.identity),
    "LeakyRelu": _operator(activations.leaky_relu, "alpha"),
    "MatMul": _operator(affine.matmul, "", 2, 2),
    "Max": _operator(activations.maximum, "", 1, _MOST_INPUTS),
    "MaxPool": _operator(windows.max_pool, _WINDOW + "ceil_mode storage_order"),
    "Mean": _operator(affine.mean, "", 1, _MOST_INPUTS),
    "Min": _operator(activations.minimum, "", 1, _MOST_INPUTS),
    "Mul": _operator(affine.multiply, "", 2, 2, constants.arithmetic),
    "Neg": _operator(affine.negate, "", 1, 1, constants.arithmetic),
    "PRelu": _operator(activations.parametric_relu, "", 2, 2),
    "Pad": _operator(shapes.pad, "mode pads value", 1, 4),
    "Pow": _operator(affine.power, "", 2, 2),
    "ReduceMean": _operator(windows.reduce_mean, "axes keepdims noop_with_empty_axes", 1, 2),
    "ReduceSum": _operator(windows.reduce_sum, "axes keepdims noop_with_empty_axes", 1, 2),
    "Relu": _operator(activations.rectified),
    "Reshape": _operator(shapes.reshape, "allowzero shape", 1, 2),
    "Selu": _operator(activations.increasing, "alpha gamma"),
    "Shape": _operator(constants.shape, "start end"),
    "Sigmoid": _operator(activations.increasing),
    "Slice": _operator(shapes.slicing, "starts ends axes", 1, 5),
    "Softplus": _operator(activations.increasing),
    "Split": _operator(shapes.split, "axis split num_outputs", 1, 2),
    "Squeeze": _operator(shapes.squeeze, "axes", 1, 2),
    "Sub": _operator(affine.subtract, "", 2, 2, constants.arithmetic),
    "Sum": _operator(affine.total, "", 1, _MOST_INPUTS),
    "Tanh": _operator(activations.increasing),
    "Transpose": _operator(shapes.transpose, "perm"),
    "Unsqueeze": _operator(shapes.unsqueeze, "axes", 1, 2),
    "Where": _operator(shapes.where, "", 3, 3),
}


def run(step: Step) -> None:
    """Read one node."""
    operator = OPERATORS[step.operation.operator]
    if operator.of_constants is not None and all(step.is_constant(i) for i in range(len(step))):
        operator.of_constants(step)
    else:
        operator.read(step)
