"""ONNX operators that compute: matrix products, convolutions, pooling, batch norms, sums, factors and activations.

Each makes exact rows and hands them to the lowering. Where ONNX divides by a number that is not a power of two, or takes a square root,
the factor is rounded to a dyadic number and the step says so.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rational import DyadicMatrix, odd_parts
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.lowering import Tensor, shown
from exactrelu.network.readers.onnx_shapes import activations, joined_rows, shape_of
from exactrelu.network.rows import (
    Rows,
    absolute,
    at_least,
    at_most,
    check_entries,
    check_sparse,
    clipped,
    column,
    largest,
    leaky,
    linear,
    relu,
    smallest,
)
from exactrelu.network.windows import Window, averages, convolution, pooled_cells, without_padding

if TYPE_CHECKING:
    from collections.abc import Callable

    from exactrelu.network.readers.onnx_step import Step
    from exactrelu.network.rows import Stages

_FEWEST_BITS = 29
_MOST_BITS = 53
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


# ---------------------------------------------------------------- products


def matmul(step: Step) -> None:
    """The matrix product of an activation and a constant, from either side."""
    if len(step) != 2:
        raise step.broken(f"has {len(step)} inputs instead of 2")
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


# ---------------------------------------------------------------- windows


def conv(step: Step) -> None:
    """A convolution with constant weights: groups, strides, pads and dilations over one to three axes."""
    tensor, weight = step.tensor(0), step.floats(1)
    shape, spatial = _spatial(step, tensor)
    groups = step.attribute("group", 1)
    if weight.ndim != len(shape) or groups < 1 or weight.shape[1] * groups != shape[1] or weight.shape[0] % groups:
        raise step.misfit(weight.shape, shape)
    if step.integer_list("kernel_shape") not in ([], list(weight.shape[2:])):
        raise step.broken(f"has kernel_shape {step.integer_list('kernel_shape')} for weights of shape {weight.shape}")
    bias = step.floats(2) if step.has(2) else None
    if bias is not None and bias.shape != weight.shape[:1]:
        raise step.misfit(bias.shape, shape)
    window = _window(step, spatial, weight.shape[2:])
    rows = convolution(f"{step}", weight, bias, shape[1], spatial, window)
    step.put(step.lowering.affine(step.name, tensor, (1, weight.shape[0], *window.output(spatial)), rows))


def max_pool(step: Step) -> None:
    """The largest cell of each window; padding never wins."""
    if sum(map(bool, step.node.output)) > 1:
        raise step.refusal("gives the indices of its maxima as well; only the maxima are supported")
    tensor, cells, result = _pooling(step)
    kept = without_padding(cells)
    if kept is None:
        raise step.refusal("has a window that lies in the padding alone")
    step.put(step.lowering.activate(step.name, tensor, lambda rows: largest(rows, kept), result))


def average_pool(step: Step) -> None:
    """The mean of the cells of each window, with the padding counted or not."""
    tensor, cells, result = _pooling(step)
    _average(step, tensor, cells, result, count_padding=bool(step.attribute("count_include_pad", 0)))


def global_average_pool(step: Step) -> None:
    """The mean of each channel."""
    tensor = step.tensor()
    shape, spatial = _spatial(step, tensor)
    cells = np.arange(math.prod(shape)).reshape(shape[1], -1)
    _average(step, tensor, cells, (*shape[:2], *(1 for _ in spatial)), count_padding=True)


def _average(step: Step, tensor: Tensor, cells: np.ndarray, result: tuple[int, ...], *, count_padding: bool) -> None:
    if not count_padding and not (cells >= 0).any(axis=1).all():
        raise step.refusal("has a window that lies in the padding alone")
    rows, exact = averages(cells, math.prod(tensor.shape), count_padding=count_padding)
    if not exact:
        step.note(
            f"{step.node.op_type} divides by a number that is no power of two; its reciprocal has been rounded to the nearest float64"
        )
    step.put(step.lowering.affine(step.name, tensor, result, rows))


def _pooling(step: Step) -> tuple[Tensor, np.ndarray, tuple[int, ...]]:
    tensor = step.tensor()
    shape, spatial = _spatial(step, tensor)
    kernel = step.integer_list("kernel_shape")
    window = _window(step, spatial, tuple(kernel))
    if step.attribute("ceil_mode", 0) and window.leaves_rest(spatial):
        raise step.refusal("has ceil_mode 1 where the windows do not fit; pad the input when exporting the model")
    cells = pooled_cells(f"{step}", shape[1], spatial, window)
    return tensor, cells, (*shape[:2], *window.output(spatial))


def _spatial(step: Step, tensor: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    shape = tensor.shape
    if not 3 <= len(shape) <= 5 or shape[0] != 1:
        raise step.refusal(f"takes an activation of shape {shape} (one sample); one to three axes after batch and channels are supported")
    return shape, shape[2:]


def _window(step: Step, spatial: tuple[int, ...], kernel: tuple[int, ...]) -> Window:
    count = len(spatial)
    strides, dilations = (step.integer_list(name) or [1] * count for name in ("strides", "dilations"))
    pads = step.integer_list("pads") or [0] * (2 * count)
    automatic = step.attribute("auto_pad", b"NOTSET").decode("ascii", "replace")
    lengths = {len(strides), len(dilations), len(kernel)}
    if lengths != {count} or len(pads) != 2 * count or min(*strides, *dilations, *kernel) < 1 or min(pads) < 0:
        raise step.broken(f"has kernel {kernel}, strides {strides}, dilations {dilations} and pads {pads} for {count} axes")
    if max(*strides, *dilations, *kernel, *pads) > 2**20:
        raise step.refusal("has a kernel, stride, dilation or pad above 2^20")
    before, after = pads[:count], pads[count:]
    if automatic in {"SAME_UPPER", "SAME_LOWER"}:
        outputs = [-(-length // stride) for length, stride in zip(spatial, strides, strict=True)]
        parts = zip(outputs, strides, kernel, dilations, spatial, strict=True)
        total = [max((out - 1) * stride + (size - 1) * gap + 1 - length, 0) for out, stride, size, gap, length in parts]
        small, large = [pad // 2 for pad in total], [pad - pad // 2 for pad in total]
        before, after = (small, large) if automatic == "SAME_UPPER" else (large, small)
    elif automatic == "VALID":
        before, after = [0] * count, [0] * count
    elif automatic not in {"NOTSET", ""}:
        raise step.broken(f"has auto_pad {shown(automatic)}")
    window = Window(kernel, tuple(strides), tuple(dilations), tuple(before), tuple(after))
    if min(window.output(spatial)) < 1:
        raise step.refusal(f"has a kernel {kernel} that does not fit into an activation of shape {spatial}")
    return window


# ---------------------------------------------------------------- factors and sums


def batch_normalization(step: Step) -> None:
    """gamma (x - mean) / sqrt(variance + epsilon) + beta, a channel at a time; the square root is irrational in general."""
    if step.attribute("training_mode", 0) or not step.attribute("spatial", 1) or sum(map(bool, step.node.output)) > 1:
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
        bits = _bits_beside(rows)
        pairs = [_root(Fraction(g) ** 2 / spread, bits) for g, spread in zip(gamma.tolist(), spreads, strict=True)]
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
    """A sum of two activations, or of one and a constant."""
    _sum(step, negate=False)


def subtract(step: Step) -> None:
    """A difference of two activations, or of one and a constant."""
    _sum(step, negate=True)


def _sum(step: Step, *, negate: bool) -> None:
    if len(step) != 2:
        raise step.broken(f"has {len(step)} inputs instead of 2")
    if not (step.is_constant(0) or step.is_constant(1)):
        tensors = [step.tensor(0), step.tensor(1)]
        shape = _common_shape(step)
        orders = [np.broadcast_to(np.arange(math.prod(one.shape)).reshape(one.shape), shape).reshape(-1) for one in tensors]

        def combined(rows: list[Rows]) -> Rows:
            first, second = rows[0].rows(orders[0]), rows[1].rows(orders[1])
            return first.plus(second.negated() if negate else second)

        step.put(step.lowering.joined(tensors, shape, combined))
        return
    tensor, values, shape = _beside_constant(step)
    constant = column(values)
    if negate and step.is_constant(0):
        step.put(step.lowering.elementwise(step.name, tensor, shape, lambda rows: rows.negated().shifted(constant)))
        return
    shift = constant.negated() if negate else constant
    step.put(step.lowering.elementwise(step.name, tensor, shape, lambda rows: rows.shifted(shift)))


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

    def divided(rows: Rows) -> Rows:
        bits = _bits_beside(rows)
        found, inverse = np.unique(values, return_inverse=True)
        pairs = [_rounded(1 / Fraction(value), bits) for value in found.tolist()]
        if not all(exact for _, exact in pairs):
            step.note(
                "Div divides by a number that is no power of two; its reciprocal has been rounded to the nearest dyadic number with "
                f"{bits} significant bits"
            )
        return rows.scaled(SparseMatrix.fractions([value for value, _ in pairs]).rows(inverse.reshape(-1)))

    step.put(step.lowering.elementwise(step.name, tensor, shape, divided))


def negate(step: Step) -> None:
    """An activation times -1."""
    tensor = step.tensor()
    step.put(step.lowering.elementwise(step.name, tensor, tensor.shape, lambda rows: rows.negated()))


def _common_shape(step: Step) -> tuple[int, ...]:
    try:
        shape = tuple(np.broadcast_shapes(*(shape_of(step, i) for i in range(len(step)))))
    except ValueError:
        raise step.broken(f"combines tensors of shapes {', '.join(str(shape_of(step, i)) for i in range(len(step)))[:200]}") from None
    return step.check_width(shape)


def _beside_constant(step: Step) -> tuple[Tensor, np.ndarray, tuple[int, ...]]:
    """Of an activation and a constant: the activation, the constant in its shape, and that shape."""
    if len(step) != 2:
        raise step.broken(f"has {len(step)} inputs instead of 2")
    if not (step.is_constant(0) or step.is_constant(1)):
        raise step.refusal("combines two activations, which is neither affine nor a relu")
    index = 0 if step.is_constant(1) else 1
    tensor, constant = step.tensor(index), step.floats(1 - index)
    return tensor, *_in_shape(step, constant, tensor.shape)


def _in_shape(step: Step, constant: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
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


# ---------------------------------------------------------------- activations


def rectified(step: Step) -> None:
    """max(x, 0)."""
    step.put(step.lowering.activate(step.name, step.tensor(), relu))


def leaky_relu(step: Step) -> None:
    """x where it is positive, alpha x elsewhere."""
    tensor = step.tensor()
    slopes = column(np.full(math.prod(tensor.shape), step.finite("alpha", float(np.float32(0.01)))))
    step.put(step.lowering.activate(step.name, tensor, lambda rows: leaky(rows, slopes)))


def parametric_relu(step: Step) -> None:
    """x where it is positive, slope x elsewhere, with a constant slope for every entry."""
    tensor = step.tensor()
    values, shape = _in_shape(step, step.floats(1), tensor.shape)
    slopes = column(values)
    step.put(step.lowering.activate(step.name, tensor, lambda rows: leaky(rows, slopes), shape))


def absolute_value(step: Step) -> None:
    """max(x, -x)."""
    step.put(step.lowering.activate(step.name, step.tensor(), absolute))


def clip(step: Step) -> None:
    """Bounds are attributes before opset 11, inputs since; the largest float32, an old default, is no bound."""
    tensor = step.tensor()
    bounds: list[float | None] = [None, None]
    for i, (name, none) in enumerate((("min", -_LARGEST_FLOAT32), ("max", _LARGEST_FLOAT32))):
        if step.has(i + 1):
            bounds[i] = step.number(i + 1)
        elif step.has_attribute(name):
            bounds[i] = step.finite(name, none)
        bounds[i] = None if bounds[i] == none else bounds[i]
    low, high = (None if bound is None else column(np.full(math.prod(tensor.shape), bound)) for bound in bounds)
    activation: Callable[[Rows], Stages] = linear
    if low is not None and high is not None:
        # Where the lower bound is above the upper one, every value becomes the upper one.
        if bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
            low = high
        activation = _bounded(low, high)
    elif low is not None:
        activation = _bounded(low, None)
    elif high is not None:
        activation = _bounded(None, high)
    step.put(step.lowering.activate(step.name, tensor, activation))


def _bounded(low: SparseMatrix | None, high: SparseMatrix | None) -> Callable[[Rows], Stages]:
    def bounded(rows: Rows) -> Stages:
        if low is None:
            assert high is not None
            return at_most(rows, high)
        return at_least(rows, low) if high is None else clipped(rows, low, high)

    return bounded


def maximum(step: Step) -> None:
    """The largest of several tensors, entry by entry."""
    _extreme(step, upper=True)


def minimum(step: Step) -> None:
    """The smallest of several tensors, entry by entry."""
    _extreme(step, upper=False)


def _extreme(step: Step, *, upper: bool) -> None:
    """Max and Min of any number of tensors: with one activation a bound, with several a choice among the joined tensors."""
    tensors = activations(step)
    if not tensors:
        raise step.refusal("computes with constants alone; fold constants when exporting the model")
    constants = [step.floats(i) for i in range(len(step)) if step.is_constant(i)]
    shape = _common_shape(step)
    if len(tensors) == 1 and constants and math.prod(shape) == math.prod(tensors[0].shape):
        reduced = np.broadcast_to(constants[0], shape)
        for constant in constants[1:]:
            reduced = np.maximum(reduced, constant) if upper else np.minimum(reduced, constant)
        bound = column(reduced)
        activation = _bounded(bound, None) if upper else _bounded(None, bound)
        step.put(step.lowering.activate(step.name, tensors[0], activation, shape))
        return
    sizes = [math.prod(shape_of(step, i)) for i in range(len(step))]
    step.check_width((sum(sizes),))
    starts = np.cumsum([0, *sizes])
    cells = np.stack(
        [
            np.broadcast_to(start + np.arange(size).reshape(shape_of(step, i)), shape).reshape(-1)
            for i, (start, size) in enumerate(zip(starts, sizes, strict=False))
        ],
        axis=1,
    )
    joined = step.lowering.joined(tensors, (sum(sizes),), lambda rows: joined_rows(step, rows))
    choose = largest if upper else smallest
    step.put(step.lowering.activate(step.name, joined, lambda rows: choose(rows, cells), shape))


# ---------------------------------------------------------------- rounding


def _bits_beside(rows: Rows) -> int:
    """How many bits a rounded factor may have so that float64 still holds its products with the rows; 29 at the least."""
    if rows.weight.integers is not None:
        return _FEWEST_BITS
    longest = int(np.frexp(np.abs(odd_parts(rows.weight.floats)[0]).astype(np.float64))[1].max(initial=1))
    return max(_FEWEST_BITS, _MOST_BITS - longest)


def _rounded(value: Fraction, bits: int) -> tuple[Fraction, bool]:
    """A fraction if it is dyadic, else the nearest one with that many significant bits; and whether it is exact.

    >>> _rounded(Fraction(3, 8), 1), _rounded(Fraction(1, 3), 2)
    ((Fraction(3, 8), True), (Fraction(3, 8), False))
    """
    if not value.denominator & (value.denominator - 1):
        return value, True
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length() - bits
    if abs(value) >= Fraction(2) ** (exponent + bits):
        exponent += 1
    return round(value / Fraction(2) ** exponent) * Fraction(2) ** exponent, False


def _root(square: Fraction, bits: int) -> tuple[Fraction, bool]:
    """The root of a fraction >= 0 if it is dyadic, else the nearest number with that many significant bits; and whether it is exact.

    >>> _root(Fraction(9, 4), 2), _root(Fraction(2), 3)
    ((Fraction(3, 2), True), (Fraction(3, 2), False))
    """
    top, bottom = math.isqrt(square.numerator), math.isqrt(square.denominator)
    if top * top == square.numerator and bottom * bottom == square.denominator:
        return _rounded(Fraction(top, bottom), bits)
    # With 2^(2 e) near the square / 4^bits, the integer root of square / 4^e has bits + 1 or bits + 2 digits; halves cannot occur.
    exponent = (square.numerator.bit_length() - square.denominator.bit_length()) // 2 - bits - 1
    scaled = square / Fraction(4) ** exponent
    digits = math.isqrt(scaled.numerator // scaled.denominator)
    shift = digits.bit_length() - bits
    return Fraction((digits + (1 << (shift - 1))) >> shift) * Fraction(2) ** (exponent + shift), False
