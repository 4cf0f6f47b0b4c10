"""Operators that are affine: matrix products, batch norms, sums and factors.

Each makes exact rows and hands them to the lowering. Where an operator divides by a number that is not a power of two, or takes a square
root, the factor is rounded to a dyadic number and the step says so.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.lowering import Tensor, shown
from exactrelu.network.readers.dyadic import bits_beside, root, rounded
from exactrelu.network.readers.onnx_shapes import activations, shape_of
from exactrelu.network.rows import Rows, check_entries, check_sparse, column

if TYPE_CHECKING:
    from exactrelu.network.readers.onnx_step import Step


# ---------------------------------------------------------------- products


def matmul(step: Step) -> None:
    """The matrix product of an activation and a constant, from either side."""
    _check_pair(step)
    left = not step.is_constant(0)
    tensor, constant = step.tensor(0 if left else 1), step.floats(1 if left else 0)
    shape = tensor.shape
    stacked = constant.ndim > 2
    if constant.ndim == 0 or not shape or (stacked and (constant.ndim > len(shape) or set(constant.shape[:-2]) != {1})):
        raise step.misfit(constant.shape, shape)
    if stacked:
        constant = constant.reshape(constant.shape[-2:])
    if left:
        matrix = (constant if constant.ndim == 2 else constant[:, None]).T
        before, n, after = math.prod(shape[:-1]), shape[-1], 1
        result = (*shape[:-1], *constant.shape[1:])
    else:
        matrix = constant if constant.ndim == 2 else constant[None, :]
        columns = shape[-1:] if len(shape) > 1 else ()
        rest, n = (shape[:-2], shape[-2]) if columns else ((), shape[0])
        before, after = math.prod(rest), math.prod(columns)
        result = (*rest, *constant.shape[:-1], *columns)
    if matrix.shape[1] != n:
        raise step.misfit(constant.shape, shape)
    weight = _repeated(step, matrix, before, after)
    step.put(step.lowering.affine(step.name, tensor, result, Rows(weight, SparseMatrix.zeros(weight.shape[0], 1))))


def gemm(step: Step) -> None:
    """Y = alpha A' B' + beta C, of which A or B is the activation."""
    if len(step) not in {2, 3} or (step.has(2) and not step.is_constant(2)):
        raise step.refusal(f"has {len(step)} inputs or an activation as its third; write it as MatMul and Add")
    left = not step.is_constant(0)
    tensor, constant = step.tensor(0 if left else 1), step.floats(1 if left else 0)
    shape = tensor.shape
    if constant.ndim != 2 or len(shape) != 2:
        raise step.misfit(constant.shape, shape)
    own_flag, constant_flag = ("transA", "transB") if left else ("transB", "transA")
    if step.attribute(own_flag, 0):
        if min(shape) > 1:
            raise step.refusal(f"transposes an activation of shape {shape}; only vectors are supported")
        shape = (shape[1], shape[0])
    matrix = constant.T if step.attribute(constant_flag, 0) else constant
    matrix, before, after, result = (
        (matrix.T, shape[0], 1, (shape[0], matrix.shape[1])) if left else (matrix, 1, shape[1], (matrix.shape[0], shape[1]))
    )
    if matrix.shape[1] != (shape[1] if left else shape[0]):
        raise step.misfit(constant.shape, shape)
    alpha, beta = step.finite("alpha", 1.0), step.finite("beta", 1.0)
    weight = _repeated(step, matrix, before, after)
    bias = SparseMatrix.zeros(weight.shape[0], 1)
    if step.has(2):
        added = step.floats(2)
        try:
            bias = _times(column(np.broadcast_to(added, result)), beta)
        except ValueError:
            raise step.misfit(added.shape, result) from None
    step.put(step.lowering.affine(step.name, tensor, result, Rows(_times(weight, alpha), bias)))


def _repeated(step: Step, matrix: np.ndarray, before: int, after: int) -> SparseMatrix:
    """The Kronecker product I_before (x) matrix (x) I_after: one map applied along an axis of a larger tensor, row-major."""
    m, n = matrix.shape
    if before == after == 1:
        check_entries(shown(step.name), m, n)
        return _sparse(matrix)
    check_sparse(shown(step.name), max(before * m * after, before * n * after), before * m * n * after)
    # Row (b, i, a) holds matrix[i, j] at column (b, j, a).
    single = _sparse(matrix)
    counts = np.diff(single.starts)
    order = np.repeat(np.arange(m), after)
    starts = np.concatenate([[0], np.cumsum(np.tile(counts[order], before))]).astype(np.int64)
    spread = single.rows(order)
    inner = spread.columns.astype(np.int64) * after + np.repeat(np.tile(np.arange(after), m), counts[order])
    places = (np.arange(before)[:, None] * (n * after) + inner).reshape(-1).astype(np.int32)
    return SparseMatrix((before * m * after, before * n * after), starts, places, np.tile(spread.floats, before))


def _sparse(matrix: np.ndarray) -> SparseMatrix:
    return SparseMatrix.from_dense(DyadicMatrix(np.ascontiguousarray(matrix)))


def _times(matrix: SparseMatrix, factor: float) -> SparseMatrix:
    return matrix if factor == 1 else matrix.scaled(column(np.full(matrix.shape[0], factor)))


# ---------------------------------------------------------------- factors and sums


def batch_normalization(step: Step) -> None:
    """gamma (x - mean) / sqrt(variance + epsilon) + beta, a channel at a time; the square root is irrational in general."""
    if step.attribute("training_mode", 0) or not step.attribute("spatial", 1) or sum(map(bool, step.operation.outputs)) > 1:
        raise step.refusal("is in training mode or not spatial; export the model for inference")
    tensor = step.tensor()
    shape = tensor.shape
    gamma, beta, mean, variance = (step.floats(i) for i in range(1, 5))
    if len(shape) < 2 or {array.shape for array in (gamma, beta, mean, variance)} != {(shape[1],)}:
        raise step.misfit(gamma.shape, shape)
    epsilon = Fraction(step.finite("epsilon", float(np.float32(1e-5))))
    spreads = [Fraction(value) + epsilon for value in variance.tolist()]
    if min(spreads, default=Fraction(1)) <= 0:
        raise step.refusal("has a variance + epsilon that is not positive")
    channels = np.broadcast_to(np.arange(shape[1]).reshape(-1, *(1 for _ in shape[2:])), shape).reshape(-1)

    def normalised(rows: Rows) -> Rows:
        bits = bits_beside(rows)
        pairs = [root(Fraction(g) ** 2 / spread, bits) for g, spread in zip(gamma.tolist(), spreads, strict=True)]
        factors = [root if g > 0 else -root for g, (root, _) in zip(gamma.tolist(), pairs, strict=True)]
        if not all(exact for _, exact in pairs):
            step.note(
                "BatchNormalization's factor, scale / sqrt(variance + epsilon), is irrational in general; it has been rounded to the "
                f"nearest dyadic number with {bits} significant bits"
            )
        offsets = [Fraction(b) - f * Fraction(u) for b, f, u in zip(beta.tolist(), factors, mean.tolist(), strict=True)]
        return rows.scaled(SparseMatrix.fractions(factors).rows(channels)).shifted(SparseMatrix.fractions(offsets).rows(channels))

    step.put(step.lowering.elementwise(step.name, tensor, shape, normalised))


def add(step: Step) -> None:
    """A sum of two tensors, constants among them."""
    _check_pair(step)
    _combine(step, [1, 1])


def subtract(step: Step) -> None:
    """A difference of two tensors, constants among them."""
    _check_pair(step)
    _combine(step, [1, -1])


def total(step: Step) -> None:
    """Sum: of any number of tensors."""
    _combine(step, [1] * len(step))


def mean(step: Step) -> None:
    """Mean: of any number of tensors, entry by entry."""
    _combine(step, [1] * len(step), divisor=len(step))


def _combine(step: Step, signs: list[int], divisor: int = 1) -> None:
    """The sum of the inputs with these signs, divided by a number. With one activation it joins that one's layer."""
    tensors = activations(step)
    if not tensors:
        raise step.refusal("computes with constants alone; fold constants when exporting the model")
    constant = [i for i in range(len(step)) if step.is_constant(i)]
    if len(tensors) == 1:
        for i in constant:
            in_shape(step, step.floats(i), tensors[0].shape)
    shape = common_shape(step)
    shifts = [column(np.broadcast_to(step.floats(i), shape)) for i in constant]
    shifts = [shift if signs[i] > 0 else shift.negated() for i, shift in zip(constant, shifts, strict=True)]
    own = [sign for i, sign in enumerate(signs) if i not in constant]

    def combined(parts: list[Rows]) -> Rows:
        rows, *others = [part if sign > 0 else part.negated() for part, sign in zip(parts, own, strict=True)]
        for part in others:
            rows = rows.plus(part)
        for shift in shifts:
            rows = rows.shifted(shift)
        return rows if divisor == 1 else _divided(step, rows, np.full(len(rows), float(divisor)))

    if len(tensors) == 1:
        step.put(step.lowering.elementwise(step.name, tensors[0], shape, lambda rows: combined([rows])))
        return
    places = [np.broadcast_to(np.arange(math.prod(one.shape)).reshape(one.shape), shape).reshape(-1) for one in tensors]

    def joined(parts: list[Rows]) -> Rows:
        return combined([part.rows(place) for part, place in zip(parts, places, strict=True)])

    step.put(step.lowering.joined(tensors, shape, joined))


def _check_pair(step: Step) -> None:
    if len(step) != 2:
        raise step.broken(f"has {len(step)} inputs instead of 2")


def multiply(step: Step) -> None:
    """An activation times a constant, entry by entry."""
    tensor, values, shape = _beside_constant(step)
    factors = column(values)
    step.put(step.lowering.elementwise(step.name, tensor, shape, lambda rows: rows.scaled(factors)))


def divide(step: Step) -> None:
    """An activation divided by a constant, entry by entry."""
    if step.is_constant(0):
        raise step.refusal("divides by an activation; only constant divisors are supported")
    tensor, values, shape = _beside_constant(step)
    if not values.all():
        raise step.refusal("divides by zero")

    step.put(step.lowering.elementwise(step.name, tensor, shape, lambda rows: _divided(step, rows, values)))


def _divided(step: Step, rows: Rows, divisors: np.ndarray) -> Rows:
    """The rows divided by numbers (m,) that are not zero."""
    bits = bits_beside(rows)
    found, inverse = np.unique(divisors, return_inverse=True)
    pairs = [rounded(1 / Fraction(value), bits) for value in found.tolist()]
    if not all(exact for _, exact in pairs):
        step.note(
            f"{step.operation.operator} divides by a number that is no power of two; its reciprocal has been rounded to the nearest "
            f"dyadic number with {bits} significant bits"
        )
    return rows.scaled(SparseMatrix.fractions([value for value, _ in pairs]).rows(inverse.reshape(-1)))


def power(step: Step) -> None:
    """Pow with the exponent 1, which some exporters leave behind."""
    if step.is_constant(0) or not step.is_constant(1) or not (step.array(1) == 1).all():
        raise step.refusal("raises to another power than 1, which is not affine")
    tensor = step.tensor()
    _, shape = in_shape(step, np.ones(step.array(1).shape), tensor.shape)
    step.put(step.lowering.rearranged(tensor, shape))


def negate(step: Step) -> None:
    """An activation times -1."""
    tensor = step.tensor()
    step.put(step.lowering.elementwise(step.name, tensor, tensor.shape, lambda rows: rows.negated()))


def common_shape(step: Step) -> tuple[int, ...]:
    """The shape to which all inputs broadcast."""
    try:
        shape = tuple(np.broadcast_shapes(*(shape_of(step, i) for i in range(len(step)))))
    except ValueError:
        raise step.broken(f"combines tensors of shapes {', '.join(str(shape_of(step, i)) for i in range(len(step)))[:200]}") from None
    return step.check_width(shape)


def _beside_constant(step: Step) -> tuple[Tensor, np.ndarray, tuple[int, ...]]:
    """Of an activation and a constant: the activation, the constant in its shape, and that shape."""
    _check_pair(step)
    if not (step.is_constant(0) or step.is_constant(1)):
        raise step.refusal("combines two activations, which is neither affine nor a relu")
    index = 0 if step.is_constant(1) else 1
    tensor, constant = step.tensor(index), step.floats(1 - index)
    return tensor, *in_shape(step, constant, tensor.shape)


def in_shape(step: Step, constant: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
    """A constant entry by entry beside an activation of that shape, (m,), and the result's shape, which has the same size."""
    try:
        result = tuple(np.broadcast_shapes(shape, constant.shape))
    except ValueError:
        result = None
    if result is None or math.prod(result) != math.prod(shape):
        raise step.refusal(
            f"combines a constant of shape {constant.shape} with an activation of shape {shape} (one sample); "
            "only constants that leave the activation's size unchanged are supported"
        )
    return np.broadcast_to(constant, result).reshape(-1), result
