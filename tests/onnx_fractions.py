"""A second opinion on ONNX graphs: every operator by its definition, entry by entry, on NumPy arrays of `fractions.Fraction`.

It shares nothing with the package. Division is exact; a square root is a float's, the one place where the result is not exact.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
from onnx import numpy_helper
from onnx.helper import get_attribute_value

FLOATS = {1, 10, 11, 16}


def fractions_of(array):
    """Floats become the fractions they are; integers and booleans stay."""
    array = np.asarray(array)
    if array.dtype.kind in "iub" or array.dtype == object:
        return array
    result = np.empty(array.shape, dtype=object)
    result.reshape(-1)[:] = [Fraction(float(value)) for value in array.reshape(-1)]
    return result


def evaluate(model, x):
    """The output of a model for an input of fractions, of the shape that the graph says, with a batch of 1."""
    graph = model.graph
    opset = max(entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"})
    values = {tensor.name: fractions_of(numpy_helper.to_array(tensor)) for tensor in graph.initializer}
    (name,) = [value.name for value in graph.input if value.name not in values]
    values[name] = x
    for node in graph.node:
        attributes = {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}
        inputs = [values[name] if name else None for name in node.input]
        outputs = OPERATORS[node.op_type](opset, attributes, *inputs) if node.op_type != "Split" else split(node, attributes, *inputs)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        values.update(zip(node.output, outputs, strict=False))
    return values[graph.output[0].name]


def matmul(a, b):
    return np.asarray(np.dot(a, b) if a.ndim <= 2 and b.ndim <= 2 else np.matmul(a, b), dtype=object)


def gemm(_, at, a, b, c=None):
    a, b = (a.T if at.get("transA") else a), (b.T if at.get("transB") else b)
    product = np.dot(a, b) * Fraction(float(at.get("alpha", 1.0)))
    return product if c is None else product + c * Fraction(float(at.get("beta", 1.0)))


def window(at, spatial, kernel):
    count = len(spatial)
    strides, gaps = at.get("strides", [1] * count), at.get("dilations", [1] * count)
    pads = list(at.get("pads", [0] * 2 * count))
    automatic = at.get("auto_pad", b"NOTSET").decode()
    if automatic.startswith("SAME"):
        for axis in range(count):
            out = math.ceil(spatial[axis] / strides[axis])
            total = max((out - 1) * strides[axis] + (kernel[axis] - 1) * gaps[axis] + 1 - spatial[axis], 0)
            small, large = total // 2, total - total // 2
            pads[axis], pads[axis + count] = (small, large) if automatic == "SAME_UPPER" else (large, small)
    room = [Fraction(spatial[a] + pads[a] + pads[a + count] - gaps[a] * (kernel[a] - 1) - 1, strides[a]) for a in range(count)]
    out = [(math.ceil(one) if at.get("ceil_mode") else math.floor(one)) + 1 for one in room]
    # A window that would start in the padding after the input is left out.
    out = [n - 1 if at.get("ceil_mode") and (n - 1) * strides[a] - pads[a] >= spatial[a] else n for a, n in enumerate(out)]
    for position in itertools.product(*map(range, out)):
        cells = []
        for offset in itertools.product(*map(range, kernel)):
            cell = tuple(position[a] * strides[a] - pads[a] + offset[a] * gaps[a] for a in range(count))
            # What lies beyond the padding, where the size is rounded up, belongs to no window.
            if all(cell[a] < spatial[a] + pads[a + count] for a in range(count)):
                cells.append((offset, cell if all(0 <= cell[a] < spatial[a] for a in range(count)) else None))
        yield out, position, cells


def conv(_, at, x, w, bias=None):
    group = at.get("group", 1)
    maps, depth = w.shape[:2]
    result = None
    for out, position, cells in window(at, x.shape[2:], w.shape[2:]):
        if result is None:
            result = np.empty((1, maps, *out), dtype=object)
        for m in range(maps):
            first = m // (maps // group) * depth
            total = Fraction(0) if bias is None else bias[m]
            for c in range(depth):
                for offset, cell in cells:
                    if cell is not None:
                        total += w[(m, c, *offset)] * x[(0, first + c, *cell)]
            result[(0, m, *position)] = total
    return result


def conv_transpose(_, at, x, w, bias=None):
    """Every input cell adds its multiple of the kernel to the output."""
    group, spatial, kernel = at.get("group", 1), x.shape[2:], w.shape[2:]
    count, maps = len(spatial), w.shape[1] * group
    strides, gaps = at.get("strides", [1] * count), at.get("dilations", [1] * count)
    pads, added = at.get("pads", [0] * 2 * count), at.get("output_padding", [0] * count)
    full = [strides[a] * (spatial[a] - 1) + added[a] + (kernel[a] - 1) * gaps[a] + 1 for a in range(count)]
    result = np.full((1, maps, *full), Fraction(0), dtype=object)
    for c in range(x.shape[1]):
        for m in range(w.shape[1]):
            for cell in np.ndindex(*spatial):
                for offset in np.ndindex(*kernel):
                    place = tuple(cell[a] * strides[a] + offset[a] * gaps[a] for a in range(count))
                    result[(0, c // (x.shape[1] // group) * w.shape[1] + m, *place)] += x[(0, c, *cell)] * w[(c, m, *offset)]
    result = result[(slice(None), slice(None), *(slice(pads[a], full[a] - pads[a + count]) for a in range(count)))]
    return result if bias is None else result + bias.reshape(1, -1, *[1] * count)


def reduced(divide):
    def reduce(_, at, x, axes=None):
        chosen = axes_of(at, axes)
        chosen = tuple(range(x.ndim)) if not chosen and not at.get("noop_with_empty_axes") else tuple(a % x.ndim for a in chosen or ())
        total = np.asarray(np.sum(x, axis=chosen, keepdims=bool(at.get("keepdims", 1))), dtype=object)
        return total / Fraction(math.prod(x.shape[a] for a in chosen)) if divide else total

    return reduce


def power(_, at, x, exponent):
    assert (np.asarray(exponent, dtype=np.float64) == 1).all()
    return x + np.full(exponent.shape, Fraction(0), dtype=object)


def pool(at, x, kernel, reduce):
    result = None
    for out, position, cells in window(at, x.shape[2:], kernel):
        if result is None:
            result = np.empty((*x.shape[:2], *out), dtype=object)
        for c in range(x.shape[1]):
            result[(0, c, *position)] = reduce([x[(0, c, *cell)] for _, cell in cells if cell is not None], len(cells))
    return result


def average_pool(_, at, x):
    padded = at.get("count_include_pad", 0)
    return pool(at, x, at["kernel_shape"], lambda values, count: sum(values, Fraction(0)) / (count if padded else len(values)))


def batch_norm(_, at, x, gamma, beta, mean, variance):
    epsilon = Fraction(float(np.float32(at.get("epsilon", 1e-5))))
    result = np.empty(x.shape, dtype=object)
    for index in np.ndindex(*x.shape):
        c = index[1]
        spread = variance[c] + epsilon
        top, bottom = math.isqrt(spread.numerator), math.isqrt(spread.denominator)
        exact = top * top == spread.numerator and bottom * bottom == spread.denominator
        root = Fraction(top, bottom) if exact else Fraction(math.sqrt(spread))
        result[index] = gamma[c] * (x[index] - mean[c]) / root + beta[c]
    return result


def entrywise(function):
    return lambda _, at, x, *rest: np.frompyfunc(lambda *values: function(at, *values), 1 + len(rest), 1)(x, *rest)


def clip(opset, at, x, low=None, high=None):
    if opset < 11:
        low, high = (None if name not in at else Fraction(float(at[name])) for name in ("min", "max"))
    low, high = (None if bound is None else np.asarray(bound, dtype=object).item() for bound in (low, high))

    def one(value):
        value = value if low is None else max(value, low)
        return value if high is None else min(value, high)

    return np.frompyfunc(one, 1, 1)(x)


def listed(array):
    return [int(value) for value in np.asarray(array).reshape(-1)]


def slicing(_, at, x, starts=None, ends=None, axes=None, steps=None):
    starts, ends = at.get("starts", starts), at.get("ends", ends)
    axes = at.get("axes", axes) if at.get("axes", axes) is not None else range(len(listed(starts)))
    steps = [1] * len(listed(starts)) if steps is None else listed(steps)
    for start, end, axis, step in zip(listed(starts), listed(ends), listed(list(axes)), steps, strict=True):
        x = np.take(x, list(range(x.shape[axis]))[start : (None if step < 0 and end < -x.shape[axis] else end) : step], axis=axis)
    return x


def pad(_, at, x, pads=None, value=None, axes=None):
    pads = listed(at.get("pads", pads))
    value = Fraction(float(at.get("value", 0.0))) if value is None else np.asarray(value, dtype=object).item()
    axes = list(range(x.ndim)) if axes is None else [axis % x.ndim for axis in listed(axes)]
    for i, axis in enumerate(axes):
        for side, amount in enumerate((pads[i], pads[i + len(axes)])):
            if amount < 0:
                keep = list(range(x.shape[axis]))
                x = np.take(x, keep[-amount:] if side == 0 else keep[:amount], axis=axis)
            elif amount > 0:
                shape = list(x.shape)
                shape[axis] = amount
                border = np.full(shape, value, dtype=object)
                x = np.concatenate([border, x] if side == 0 else [x, border], axis=axis)
    return x


def split(node, at, x, sizes=None):
    axis, count = at.get("axis", 0), len(node.output)
    sizes = listed(at["split"]) if "split" in at else listed(sizes) if sizes is not None else None
    if sizes is None:
        size = math.ceil(x.shape[axis] / count)
        sizes = [min(size, x.shape[axis] - i * size) for i in range(count)]
    ends = list(itertools.accumulate(sizes))
    return [np.take(x, range(end - size, end), axis=axis) for size, end in zip(sizes, ends, strict=True)]


def axes_of(at, axes):
    return at["axes"] if "axes" in at else None if axes is None else listed(axes)


def squeeze(_, at, x, axes=None):
    chosen = axes_of(at, axes)
    return x.reshape([d for i, d in enumerate(x.shape) if (d != 1 if chosen is None else i not in {a % x.ndim for a in chosen})])


def unsqueeze(_, at, x, axes=None):
    for axis in sorted(a % (x.ndim + len(axes_of(at, axes))) for a in axes_of(at, axes)):
        x = np.expand_dims(x, axis)
    return x


def reshape(_, at, x, shape):
    return x.reshape([x.shape[i] if dim == 0 and not at.get("allowzero") else dim for i, dim in enumerate(listed(shape))])


def cast(_, at, x):
    if at["to"] in FLOATS:
        return fractions_of(x.astype(np.float64)) if x.dtype.kind in "iub" else x
    return x.astype(np.int64)


def divide(_, at, a, b):
    return a // b if a.dtype.kind == "i" else a / b


def dequantize(_, at, x, scale, zero=0):
    along = [1] * x.ndim
    if scale.size > 1:
        along[at.get("axis", 1)] = -1
    zero = np.asarray(zero).astype(np.int64)
    return fractions_of(x.astype(np.float64)) * scale.reshape(along if scale.size > 1 else ()) - scale.reshape(
        along if scale.size > 1 else ()
    ) * (zero.reshape(along) if zero.size > 1 else int(zero.reshape(-1)[0]))


OPERATORS = {
    "Abs": entrywise(lambda _, v: abs(v)),
    "Add": lambda _, at, a, b: a + b,
    "AveragePool": average_pool,
    "BatchNormalization": batch_norm,
    "Cast": cast,
    "Clip": clip,
    "Concat": lambda _, at, *parts: np.concatenate(parts, axis=at["axis"]),
    "Constant": lambda _, at: fractions_of(numpy_helper.to_array(at["value"])),
    "ConstantOfShape": lambda _, at, s: fractions_of(
        np.full(listed(s), numpy_helper.to_array(at["value"]).item() if "value" in at else 0.0)
    ),
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "DequantizeLinear": dequantize,
    "Div": divide,
    "Dropout": lambda _, at, x, *rest: x,
    "Expand": lambda _, at, x, shape: np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(listed(shape)))),
    "Flatten": lambda _, at, x: x.reshape(math.prod(x.shape[: at.get("axis", 1)]), -1),
    "Gather": lambda _, at, x, i: np.take(x, i.astype(np.int64), axis=at.get("axis", 0)),
    "Gemm": gemm,
    "GlobalAveragePool": lambda _, at, x: pool({}, x, x.shape[2:], lambda values, count: sum(values, Fraction(0)) / count),
    "Identity": lambda _, at, x: x,
    "LeakyRelu": entrywise(lambda at, v: v if v > 0 else v * Fraction(float(np.float32(at.get("alpha", 0.01))))),
    "MatMul": lambda _, at, a, b: matmul(a, b),
    "Max": lambda _, at, *parts: np.asarray(np.maximum.reduce(np.broadcast_arrays(*parts)), dtype=object),
    "MaxPool": lambda _, at, x: pool(at, x, at["kernel_shape"], lambda values, count: max(values)),
    "Mean": lambda _, at, *parts: sum(parts[1:], parts[0]) / Fraction(len(parts)),
    "Min": lambda _, at, *parts: np.asarray(np.minimum.reduce(np.broadcast_arrays(*parts)), dtype=object),
    "Mul": lambda _, at, a, b: a * b,
    "Neg": lambda _, at, x: -x,
    "PRelu": entrywise(lambda _, v, slope: v if v > 0 else v * slope),
    "Pad": pad,
    "Pow": power,
    "ReduceMean": reduced(divide=True),
    "ReduceSum": reduced(divide=False),
    "Relu": entrywise(lambda _, v: max(v, Fraction(0))),
    "Reshape": reshape,
    "Shape": lambda _, at, x: np.array(x.shape, dtype=np.int64),
    "Slice": slicing,
    "Squeeze": squeeze,
    "Sub": lambda _, at, a, b: a - b,
    "Sum": lambda _, at, *parts: sum(parts[1:], parts[0]),
    "Transpose": lambda _, at, x: x.transpose(at.get("perm")),
    "Unsqueeze": unsqueeze,
    "Where": lambda _, at, condition, x, y: np.where(condition, x, y),
}
