"""Operators that sum over windows or axes: convolutions, their transposes, pooling, and the sums and means of ReduceSum and ReduceMean.

A mean over a number of cells that is no power of two is rounded: the reciprocal is the nearest float64, and the step says so.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.network.lowering import Tensor, shown
from exactrelu.network.readers.onnx_shapes import axes_of
from exactrelu.network.rows import largest
from exactrelu.network.windows import (
    Window,
    averages,
    convolution,
    pooled_cells,
    transposed_convolution,
    weighted_sums,
    without_padding,
)

if TYPE_CHECKING:
    from exactrelu.network.readers.onnx_step import Step

_LARGEST = 2**20


def conv(step: Step) -> None:
    """A convolution with constant weights: groups, strides, pads and dilations over one to three axes."""
    tensor, weight = step.tensor(0), step.floats(1)
    shape, spatial = _spatial(step, tensor)
    groups = step.attribute("group", 1)
    if weight.ndim != len(shape) or groups < 1 or weight.shape[1] * groups != shape[1] or weight.shape[0] % groups:
        raise step.misfit(weight.shape, shape)
    bias = _bias(step, weight, weight.shape[0], shape)
    window = _window(step, spatial, weight.shape[2:])
    rows = convolution(f"{step}", weight, bias, shape[1], spatial, window)
    step.put(step.lowering.affine(step.name, tensor, (1, weight.shape[0], *window.output(spatial)), rows))


def conv_transpose(step: Step) -> None:
    """The transpose of a convolution with constant weights, as Conv; `output_padding` adds cells at the end."""
    tensor, weight = step.tensor(0), step.floats(1)
    shape, spatial = _spatial(step, tensor)
    groups = step.attribute("group", 1)
    if weight.ndim != len(shape) or groups < 1 or weight.shape[0] != shape[1] or shape[1] % groups:
        raise step.misfit(weight.shape, shape)
    maps, kernel, count = weight.shape[1] * groups, weight.shape[2:], len(spatial)
    bias = _bias(step, weight, maps, shape)
    strides, dilations, pads, automatic = _numbers(step, kernel, count)
    added = step.integer_list("output_padding") or [0] * count
    if len(added) != count or min(added) < 0 or any(more >= max(pair) for more, *pair in zip(added, strides, dilations, strict=True)):
        raise step.broken(f"has output_padding {added} with strides {strides} and dilations {dilations}")
    parts = zip(spatial, strides, kernel, dilations, added, strict=True)
    full = [stride * (length - 1) + gap * (size - 1) + 1 + more for length, stride, size, gap, more in parts]
    if automatic.startswith("SAME"):
        total = [room - length * stride for room, length, stride in zip(full, spatial, strides, strict=True)]
        if min(total) < 0:
            raise step.refusal("has auto_pad SAME with a stride above the kernel's extent; export it with pads")
        pads = _shared(total, upper=automatic == "SAME_UPPER")
    out = tuple(room - before - after for room, before, after in zip(full, pads[:count], pads[count:], strict=True))
    if min(out) < 1:
        raise step.refusal(f"cuts an output of shape {tuple(full)} down to nothing")
    step.check_width((maps, *out))
    window = Window(kernel, tuple(strides), tuple(dilations), tuple(pads[:count]), tuple(pads[count:]))
    rows = transposed_convolution(f"{step}", weight, bias, groups, spatial, out, window)
    step.put(step.lowering.affine(step.name, tensor, (1, maps, *out), rows))


def _bias(step: Step, weight: np.ndarray, maps: int, shape: tuple[int, ...]) -> np.ndarray | None:
    """The bias of a convolution, if it has one."""
    if step.integer_list("kernel_shape") not in ([], list(weight.shape[2:])):
        raise step.broken(f"has kernel_shape {step.integer_list('kernel_shape')} for weights of shape {weight.shape}")
    if not step.has(2):
        return None
    bias = step.floats(2)
    if bias.shape != (maps,):
        raise step.misfit(bias.shape, shape)
    return bias


def max_pool(step: Step) -> None:
    """The largest cell of each window; padding never wins."""
    if sum(map(bool, step.operation.outputs)) > 1:
        raise step.refusal("gives the indices of its maxima as well; only the maxima are supported")
    tensor, cells, result, _ = _pooling(step)
    kept = without_padding(cells)
    if kept is None:
        raise step.refusal("has a window that lies in the padding alone")
    step.put(step.lowering.activate(step.name, tensor, lambda rows: largest(rows, kept), result))


def average_pool(step: Step) -> None:
    """The mean of the cells of each window, with the padding counted or not."""
    tensor, cells, result, sizes = _pooling(step)
    if not step.attribute("count_include_pad", 0):
        sizes = (cells >= 0).sum(axis=1)
        if not sizes.all():
            raise step.refusal("has a window that lies in the padding alone")
    _average(step, tensor, cells, result, sizes)


def global_average_pool(step: Step) -> None:
    """The mean of each channel."""
    tensor = step.tensor()
    shape, spatial = _spatial(step, tensor)
    cells = np.arange(math.prod(shape)).reshape(shape[1], -1)
    _average(step, tensor, cells, (*shape[:2], *(1 for _ in spatial)), np.full(len(cells), cells.shape[1]))


def reduce_mean(step: Step) -> None:
    """The mean along axes."""
    tensor, cells, result = _reduced(step)
    if not cells.shape[1]:
        raise step.refusal("takes the mean of no entries")
    _average(step, tensor, cells, result, np.full(len(cells), cells.shape[1]))


def reduce_sum(step: Step) -> None:
    """The sum along axes."""
    tensor, cells, result = _reduced(step)
    rows = weighted_sums(cells, math.prod(tensor.shape), np.ones(len(cells)))
    step.put(step.lowering.affine(step.name, tensor, result, rows))


def _reduced(step: Step) -> tuple[Tensor, np.ndarray, tuple[int, ...]]:
    """The tensor of a reduction, for every output the cells that are reduced, (outputs, cells), and the output's shape."""
    tensor, given = step.tensor(), axes_of(step)
    rank = len(tensor.shape)
    everything = [] if step.attribute("noop_with_empty_axes", 0) else list(range(rank))
    axes = {step.axis(axis, rank) for axis in (given or everything)}
    step.check_samples(*axes)
    kept = [axis for axis in range(rank) if axis not in axes]
    order = np.arange(math.prod(tensor.shape)).reshape(tensor.shape).transpose(*kept, *sorted(axes))
    cells = order.reshape(math.prod(tensor.shape[axis] for axis in kept), math.prod(tensor.shape[axis] for axis in axes))
    keep = step.attribute("keepdims", 1)
    result = tuple(1 if axis in axes else dim for axis, dim in enumerate(tensor.shape) if keep or axis not in axes)
    return tensor, cells, result


def _average(step: Step, tensor: Tensor, cells: np.ndarray, result: tuple[int, ...], divisors: np.ndarray) -> None:
    rows, exact = averages(cells, math.prod(tensor.shape), divisors)
    if not exact:
        step.note(
            f"{step.operation.operator} divides by a number that is no power of two; its reciprocal has been rounded to the nearest float64"
        )
    step.put(step.lowering.affine(step.name, tensor, result, rows))


def _pooling(step: Step) -> tuple[Tensor, np.ndarray, tuple[int, ...], np.ndarray]:
    """The tensor, the cells of each window, the output's shape, and the windows' sizes with their padding."""
    tensor = step.tensor()
    shape, spatial = _spatial(step, tensor)
    kernel = step.integer_list("kernel_shape")
    window = _window(step, spatial, tuple(kernel))
    cells = pooled_cells(f"{step}", shape[1], spatial, window)
    return tensor, cells, (*shape[:2], *window.output(spatial)), np.tile(window.sizes(spatial), shape[1])


def _spatial(step: Step, tensor: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    shape = tensor.shape
    if not 3 <= len(shape) <= 5 or shape[0] != 1:
        raise step.refusal(f"takes an activation of shape {shape} (one sample); one to three axes after batch and channels are supported")
    return shape, shape[2:]


def _window(step: Step, spatial: tuple[int, ...], kernel: tuple[int, ...]) -> Window:
    count = len(spatial)
    strides, dilations, pads, automatic = _numbers(step, kernel, count)
    if automatic.startswith("SAME"):
        outputs = [-(-length // stride) for length, stride in zip(spatial, strides, strict=True)]
        parts = zip(outputs, strides, kernel, dilations, spatial, strict=True)
        total = [max((out - 1) * stride + (size - 1) * gap + 1 - length, 0) for out, stride, size, gap, length in parts]
        pads = _shared(total, upper=automatic == "SAME_UPPER")
    round_up = bool(step.attribute("ceil_mode", 0)) and automatic == "NOTSET"
    window = Window(kernel, tuple(strides), tuple(dilations), tuple(pads[:count]), tuple(pads[count:]), round_up)
    if min(window.output(spatial)) < 1:
        raise step.refusal(f"has a kernel {kernel} that does not fit into an activation of shape {spatial}")
    return window


def _numbers(step: Step, kernel: tuple[int, ...], count: int) -> tuple[list[int], list[int], list[int], str]:
    """Strides, dilations, pads (before each axis, then after each) and auto_pad of a node over `count` axes."""
    strides, dilations = (step.integer_list(name) or [1] * count for name in ("strides", "dilations"))
    pads = step.integer_list("pads") or [0] * (2 * count)
    automatic = step.attribute("auto_pad", b"NOTSET").decode("ascii", "replace") or "NOTSET"
    lengths = {len(strides), len(dilations), len(kernel)}
    if lengths != {count} or len(pads) != 2 * count or min(*strides, *dilations, *kernel) < 1 or min(pads) < 0:
        raise step.broken(f"has kernel {kernel}, strides {strides}, dilations {dilations} and pads {pads} for {count} axes")
    if max(*strides, *dilations, *kernel, *pads) > _LARGEST:
        raise step.refusal("has a kernel, stride, dilation or pad above 2^20")
    if automatic not in {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"}:
        raise step.broken(f"has auto_pad {shown(automatic)}")
    return strides, dilations, [0] * (2 * count) if automatic == "VALID" else pads, automatic


def _shared(total: list[int], *, upper: bool) -> list[int]:
    """Pads that come to `total` along each axis, half before and half after; `upper` puts an odd one after."""
    small, large = [pad // 2 for pad in total], [pad - pad // 2 for pad in total]
    return [*small, *large] if upper else [*large, *small]
