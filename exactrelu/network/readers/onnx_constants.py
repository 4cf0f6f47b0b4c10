"""Operators on constants alone: the arithmetic on shapes that exporters leave in a graph, and integer weights with their scales."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.sparse import exact_products, exact_sums
from exactrelu.network.readers.onnx_shapes import shape_of

if TYPE_CHECKING:
    from exactrelu.network.readers.onnx_step import Step


def shape(step: Step) -> None:
    """The shape of a tensor as a constant, with the batch axis at 1."""
    dims = shape_of(step)
    start, end = step.attribute("start", 0), step.attribute("end", len(dims))
    step.put(np.array(dims[start:end], dtype=np.int64))


def constant_of_shape(step: Step) -> None:
    """A constant of one value."""
    dims = step.integers(0)
    step.check_folded(math.prod(dims) if all(dim >= 0 for dim in dims) else -1)
    value = step.tensor_attribute("value", np.zeros(1, dtype=np.float32))
    if value.size != 1:
        raise step.broken(f"has {value.size} values instead of one")
    step.put(np.broadcast_to(value.reshape(()), dims).copy())


def dequantize(step: Step) -> None:
    """(x - zero point) * scale of constants, exactly."""
    quantized, scale = step.array(0), step.floats(1)
    if quantized.dtype.kind not in "iu" or quantized.dtype.itemsize > 4 or step.attribute("block_size", 0):
        raise step.refusal("is supported for constants of 8 to 32 bits with one scale a tensor or an axis")
    zero = step.array(2).astype(np.int64) if step.has(2) else np.zeros(scale.shape, dtype=np.int64)
    if scale.ndim == 1 and scale.size > 1:
        axis = step.axis(step.attribute("axis", 1), quantized.ndim)
        if scale.shape != (quantized.shape[axis],) or zero.shape != scale.shape:
            raise step.broken(f"has {scale.size} scales for {quantized.shape[axis]} entries along axis {axis}")
        along = [1] * quantized.ndim
        along[axis] = -1
        scale, zero = scale.reshape(along), zero.reshape(along)
    elif scale.size != 1 or zero.size != 1:
        raise step.broken(f"has scales of shape {scale.shape} and zero points of shape {zero.shape}")
    else:
        scale, zero = scale.reshape(()), zero.reshape(())
    differences = (quantized.astype(np.int64) - zero).astype(np.float64)
    products = exact_products(differences.reshape(-1), np.broadcast_to(scale, differences.shape).reshape(-1))
    if products is None:
        raise step.refusal("computes constants that float64 does not hold; fold them when exporting the model")
    step.put(products.reshape(differences.shape))


def arithmetic(step: Step) -> None:
    """Add, Sub, Mul, Div and Neg of constants alone: of integers as ONNX does, of floats where float64 holds the exact result."""
    arrays = [step.array(i) for i in range(len(step))]
    try:
        size = math.prod(np.broadcast_shapes(*(array.shape for array in arrays)))
    except ValueError:
        raise step.broken(f"combines constants of shapes {', '.join(str(array.shape) for array in arrays)}") from None
    step.check_folded(size)
    operator = step.operation.operator
    if operator == "Neg":
        step.put(-arrays[0] if arrays[0].dtype.kind == "i" else -step.floats(0))
        return
    if len(arrays) != 2:
        raise step.broken(f"has {len(arrays)} inputs instead of 2")
    if all(array.dtype.kind in "iu" for array in arrays):
        step.put(_integer_arithmetic(step, arrays[0], arrays[1]))
        return
    left, right = np.broadcast_arrays(step.floats(0), step.floats(1))
    a, b = left.reshape(-1), right.reshape(-1)
    if operator == "Mul":
        result = exact_products(a, b)
    elif operator == "Div":
        if not b.all():
            raise step.refusal("divides by zero")
        with np.errstate(all="ignore"):
            result = a / b
        product = exact_products(result, b) if np.isfinite(result).all() else None
        result = result if product is not None and (product == a).all() else None
    else:
        result = exact_sums(a, b if operator == "Add" else -b)
    if result is None:
        raise step.refusal("computes constants that float64 does not hold; fold them when exporting the model")
    step.put(result.reshape(left.shape) + 0.0)


def _integer_arithmetic(step: Step, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    operator = step.operation.operator
    if operator == "Add":
        return np.asarray(left + right)
    if operator == "Sub":
        return np.asarray(left - right)
    if operator == "Mul":
        return np.asarray(left * right)
    if not right.all():
        raise step.refusal("divides by zero")
    # ONNX rounds towards zero, NumPy downwards.
    return np.asarray(np.abs(left) // np.abs(right) * np.sign(left) * np.sign(right))
