"""The ATen operators that can be read, each translated into ONNX's terms: the operators of traced programs and of decomposed ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.network.readers import aten_shapes as shapes
from exactrelu.network.readers.pt2_archive import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from exactrelu.network.readers.aten_call import Call


# ---------------------------------------------------------------- products


def _linear(call: Call) -> None:
    x, weight = call.tensor("input"), call.tensor("weight")
    bias = [call.tensor("bias")] if call.has("bias") else []
    name = call.module(weight)
    if len(call.shape(x)) == 2:
        call.give("Gemm", x, weight, *bias, transB=1, name=name)
        return
    transposed = call.constant(call.array(weight).T)
    if not bias:
        call.give("MatMul", x, transposed, name=name)
        return
    product = call.make("MatMul", x, transposed, name=name)
    call.give("Add", product, bias[0])


def _addmm(call: Call) -> None:
    left, right = call.tensor("mat1"), call.tensor("mat2")
    name = call.module(left if call.is_constant(left) else right)
    call.give("Gemm", left, right, call.tensor("self"), alpha=call.number("alpha", 1.0), beta=call.number("beta", 1.0), name=name)


def _matmul(call: Call) -> None:
    left, right = call.tensor("self"), call.tensor("mat2" if call.has("mat2") else "other")
    call.give("MatMul", left, right, name=call.module(left if call.is_constant(left) else right))


def _convolution(axes: int | None, *, transposed: bool = False) -> Callable[[Call], None]:
    def convolution(call: Call) -> None:
        x, weight = call.tensor("input"), call.tensor("weight")
        count = len(call.shape(weight)) - 2 if axes is None else axes
        _check_batch(call, x, count)
        inputs = [x, weight, *([call.tensor("bias")] if call.has("bias") else [])]
        backwards = call.flag("transposed") if axes is None else transposed
        strides, gaps = (call.integers(name, count, [1] * count) for name in ("stride", "dilation"))
        added = call.integers("output_padding", count, [0] * count)
        kernel = call.shape(weight)[2:]
        name, group = call.module(weight), call.integer("groups", 1)
        pads = _pads(call, kernel, gaps)
        if backwards:
            call.give("ConvTranspose", *inputs, name=name, group=group, strides=strides, dilations=gaps, pads=pads, output_padding=added)
            return
        if any(added):
            raise call.refusal("has an output_padding but is not transposed")
        call.give("Conv", *inputs, name=name, group=group, strides=strides, dilations=gaps, pads=pads)

    return convolution


def _pads(call: Call, kernel: tuple[int, ...], gaps: list[int]) -> list[int]:
    """The pads before each axis, then after each."""
    padding = call.argument("padding", 0)
    if padding == "valid":
        return [0] * (2 * len(kernel))
    if padding == "same":
        total = [gap * (size - 1) for size, gap in zip(kernel, gaps, strict=True)]
        return [*(pad // 2 for pad in total), *(pad - pad // 2 for pad in total)]
    return call.integers("padding", len(kernel), [0]) * 2


def _check_batch(call: Call, x: str, axes: int) -> None:
    if len(call.shape(x)) != axes + 2:
        raise call.refusal(f"takes an activation of shape {call.shape(x)}; a batch axis, channels and {axes} axes are supported")


# ---------------------------------------------------------------- pooling and reductions


def _average_pool(axes: int) -> Callable[[Call], None]:
    def pool(call: Call) -> None:
        x = call.tensor("self")
        _check_batch(call, x, axes)
        kernel = call.integers("kernel_size", axes)
        call.give(
            "AveragePool", x, kernel_shape=kernel, strides=call.integers("stride", axes, kernel) or kernel,
            pads=call.integers("padding", axes, [0]) * 2, ceil_mode=int(call.flag("ceil_mode")),
            count_include_pad=int(call.flag("count_include_pad", default=True)),
        )  # fmt: skip

    return pool


def _max_pool(axes: int) -> Callable[[Call], None]:
    def pool(call: Call) -> None:
        x = call.tensor("self")
        _check_batch(call, x, axes)
        kernel = call.integers("kernel_size", axes)
        call.give(
            "MaxPool", x, outputs=call.first_output(), kernel_shape=kernel, strides=call.integers("stride", axes, kernel) or kernel,
            pads=call.integers("padding", axes, [0]) * 2, dilations=call.integers("dilation", axes, [1]),
            ceil_mode=int(call.flag("ceil_mode")),
        )  # fmt: skip

    return pool


def _adaptive_pool(axes: int, operator: str) -> Callable[[Call], None]:
    def pool(call: Call) -> None:
        x, target = call.tensor("self"), call.integers("output_size", axes)
        _check_batch(call, x, axes)
        spatial = call.shape(x)[2:]
        if len(target) != axes or min(target) < 1 or any(length % out for length, out in zip(spatial, target, strict=True)):
            raise call.refusal(f"pools {spatial} to {tuple(target)}; only divisors of the size are supported")
        kernel = [length // out for length, out in zip(spatial, target, strict=True)]
        if 0 in kernel:
            raise call.refusal("pools an activation without entries")
        call.give(operator, x, outputs=call.first_output(), kernel_shape=kernel, strides=kernel)

    return pool


def _reduction(operator: str) -> Callable[[Call], None]:
    def reduction(call: Call) -> None:
        x = call.tensor("self")
        shapes.float_type(call, optional=True)
        rank = len(call.shape(x))
        axes = [call.axis(axis, rank) for axis in call.integers("dim", None, [])] or list(range(rank))
        if 0 in axes and not call.one_sample:
            raise call.refusal("reduces the batch axis, which mixes samples; export the program with a batch of 1")
        call.give(operator, x, call.shaped(axes), keepdims=int(call.flag("keepdim")))

    return reduction


def _batch_norm(call: Call) -> None:
    x = call.tensor("input")
    if call.flag("training"):
        raise call.refusal("is in training mode; export the module after eval()")
    if not (call.has("running_mean") and call.has("running_var")):
        raise call.refusal("has no running statistics, so it depends on the batch")
    mean, variance = call.tensor("running_mean"), call.tensor("running_var")
    channels = call.shape(mean)
    scale = call.tensor("weight") if call.has("weight") else call.constant(np.ones(channels))
    offset = call.tensor("bias") if call.has("bias") else call.constant(np.zeros(channels))
    call.give(
        "BatchNormalization", x, scale, offset, mean, variance, outputs=call.first_output(), name=call.module(mean),
        epsilon=call.number("eps"),
    )  # fmt: skip


# ---------------------------------------------------------------- sums and factors


def _sum(operator: str, *, swapped: bool = False) -> Callable[[Call], None]:
    def combine(call: Call) -> None:
        first, second = (call.operand(name) for name in (("other", "self") if swapped else ("self", "other")))
        if call.number("alpha", 1.0) != 1:
            second = call.make("Mul", second, call.operand("alpha"))
        call.give(operator, first, second)

    return combine


def _pair(operator: str) -> Callable[[Call], None]:
    return lambda call: call.give(operator, call.operand("self"), call.operand("other"))


# ---------------------------------------------------------------- activations


def _plain(operator: str) -> Callable[[Call], None]:
    return lambda call: call.give(operator, call.tensor("self"))


def _leaky_relu(call: Call) -> None:
    call.give("LeakyRelu", call.tensor("self"), alpha=call.number("negative_slope", 0.01))


def _prelu(call: Call) -> None:
    x, weight = call.tensor("self"), call.array(call.tensor("weight"))
    if weight.ndim == 1 and len(call.shape(x)) > 2 and weight.size > 1:
        weight = weight.reshape(-1, *[1] * (len(call.shape(x)) - 2))
    call.give("PRelu", x, call.constant(weight))


def _clamp(low: float | None = None, high: float | None = None, names: tuple[str, str] = ("min", "max")) -> Callable[[Call], None]:
    def clamp(call: Call) -> None:
        if any(isinstance(call.argument(name), Value) for name in names):
            _clamp_tensor(call)
            return
        x, bounds = call.tensor("self"), []
        for name, default, sign in ((names[0], low, -1), (names[1], high, 1)):
            given = call.argument(name, default)
            # An infinite bound on its own side is none.
            none = given is None or (isinstance(given, float) and given == sign * math.inf)
            bounds.append("" if none else call.constant(np.array(call.number(name, default))))
        call.give("Clip", x, *bounds)

    return clamp


def _clamp_tensor(call: Call) -> None:
    value = call.tensor("self")
    bounds = [(operator, call.tensor(name)) for operator, name in (("Max", "min"), ("Min", "max")) if call.has(name)]
    for operator, bound in bounds[:-1]:
        value = call.make(operator, value, bound)
    for operator, bound in bounds[-1:]:
        call.give(operator, value, bound)
    if not bounds:
        call.give("Identity", value)


def _elu(call: Call) -> None:
    x = call.tensor("self")
    if call.number("scale", 1.0) <= 0 or call.number("input_scale", 1.0) <= 0:
        raise call.refusal("has a scale that is not positive; only with a positive one it is strictly increasing")
    call.give("Elu", x, alpha=call.number("alpha", 1.0))


def _softplus(call: Call) -> None:
    x = call.tensor("self")
    # Beyond the threshold PyTorch takes z for softplus(z), which at 20 is the same in float32.
    if call.number("beta", 1.0) <= 0 or call.number("threshold", 20.0) < 20:
        raise call.refusal("has a beta that is not positive or a threshold below 20; only otherwise it is strictly increasing")
    call.give("Softplus", x)


_POOLS = {f"{kind}{axes}d": make(axes) for axes in (1, 2, 3) for kind, make in (("avg_pool", _average_pool), ("max_pool", _max_pool))}
_ADAPTIVE = {
    f"{prefix}adaptive_{kind}_pool{axes}d": _adaptive_pool(axes, operator)
    for axes in (1, 2, 3)
    for prefix in ("", "_")
    for kind, operator in (("avg", "AveragePool"), ("max", "MaxPool"))
}
_CONVOLUTIONS = {
    **{f"conv{axes}d": _convolution(axes) for axes in (1, 2, 3)},
    **{f"conv_transpose{axes}d": _convolution(axes, transposed=True) for axes in (1, 2, 3)},
    "convolution": _convolution(None),
}
_SAME = {
    name: read
    for names, read in (
        ("_to_copy alias clone contiguous detach lift_fresh lift_fresh_copy to", shapes.identity),
        ("alpha_dropout dropout feature_alpha_dropout feature_dropout native_dropout", shapes.dropout),
        ("_native_batch_norm_legit_no_training batch_norm native_batch_norm", _batch_norm),
        ("_unsafe_view reshape view view_copy", shapes.reshape),
        ("permute permute_copy", shapes.permute),
        ("t transpose", shapes.transpose),
        ("cat concat concatenate", shapes.cat),
        ("chunk split split_with_sizes", shapes.split),
        ("constant_pad_nd pad", shapes.pad),
        ("matmul mm", _matmul),
        ("_prelu_kernel prelu", _prelu),
        ("clamp clamp_max clamp_min", _clamp()),
        ("div true_divide", _pair("Div")),
        ("max maximum", _pair("Max")),
        ("min minimum", _pair("Min")),
    )
    for name in names.split()
}

OPERATORS: dict[str, Callable[[Call], None]] = {
    **_POOLS, **_ADAPTIVE, **_CONVOLUTIONS, **_SAME,
    "abs": _plain("Abs"), "add": _sum("Add"), "addmm": _addmm, "elu": _elu, "expand": shapes.expand, "flatten": shapes.flatten,
    "full": shapes.filled(None), "hardtanh": _clamp(-1.0, 1.0, ("min_val", "max_val")), "index_select": shapes.index_select,
    "leaky_relu": _leaky_relu, "linear": _linear, "max_pool2d_with_indices": _max_pool(2), "mean": _reduction("ReduceMean"),
    "mul": _pair("Mul"), "neg": _plain("Neg"), "ones": shapes.filled(1.0), "relu": _plain("Relu"), "relu6": _clamp(0.0, 6.0, ("", "")),
    "rsub": _sum("Sub", swapped=True), "select": shapes.select, "selu": _plain("Selu"), "sigmoid": _plain("Sigmoid"),
    "slice": shapes.slicing, "softplus": _softplus, "squeeze": shapes.squeeze, "stack": shapes.stack, "sub": _sum("Sub"),
    "sum": _reduction("ReduceSum"), "tanh": _plain("Tanh"), "unflatten": shapes.unflatten, "unsqueeze": shapes.unsqueeze,
    "where": shapes.where, "zeros": shapes.filled(0.0),
}  # fmt: skip
