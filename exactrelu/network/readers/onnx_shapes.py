"""Operators that move values and compute none of them: reshape, slice, pad, repeat, choose, join.

On an activation such an operator is done once on the numbers 0, 1, 2, .. in place of the entries: the result says which coordinate
stands where. On a constant it is done on the array itself.
"""

from __future__ import annotations

import math
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.network.lowering import Tensor, shown
from exactrelu.network.rows import Rows, column

if TYPE_CHECKING:
    from collections.abc import Callable

    from exactrelu.network.readers.onnx_step import Step

_INTEGERS = {2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64, 9: np.bool_}
_FLOATS = {1, 10, 11, 16}


def shape_of(step: Step, index: int = 0) -> tuple[int, ...]:
    """The shape of an input, constant or not, with the batch axis at 1."""
    return step.array(index).shape if step.is_constant(index) else step.tensor(index).shape


def _rearrange(step: Step, change: Callable[[np.ndarray], np.ndarray]) -> None:
    step.put(_rearranged(step, change))


def _rearranged(step: Step, change: Callable[[np.ndarray], np.ndarray]) -> Tensor | np.ndarray:
    if step.is_constant(0):
        return np.asarray(change(step.array(0)))
    tensor = step.tensor()
    size = math.prod(tensor.shape)
    places = np.asarray(change(np.arange(size).reshape(tensor.shape)))
    order = places.reshape(-1)
    if len(order) == size and (order == np.arange(size)).all():
        return step.lowering.rearranged(tensor, places.shape)
    if len(order) == size and (np.sort(order) == np.arange(size)).all():
        return step.lowering.rearranged(tensor, places.shape, order)
    return step.lowering.joined([tensor], places.shape, lambda rows: rows[0].rows(order))


# ---------------------------------------------------------------- one tensor


def identity(step: Step) -> None:
    """Identity, and Cast between floats: a verdict speaks of real numbers."""
    _rearrange(step, lambda array: array)


def dropout(step: Step) -> None:
    """Nothing, at inference."""
    if step.has(2) and step.array(2).any():
        raise step.refusal("is in training mode; export the model for inference")
    identity(step)


def cast(step: Step) -> None:
    """Nothing, between floats; of constants also to and from integers."""
    target = step.attribute("to", 0)
    if not step.is_constant(0):
        if target not in _FLOATS:
            raise step.refusal(f"turns an activation into element type {target}, which rounds it; only casts between floats are supported")
        identity(step)
        return
    array = step.array(0)
    integers = array.dtype.kind in "iub"
    if target in _FLOATS:
        step.put(step.folded(array) if integers else array)
    elif target in _INTEGERS and (integers or np.isfinite(step.floats(0)).all()):
        step.put(array.astype(_INTEGERS[target]) if integers else step.floats(0).astype(_INTEGERS[target]))
    else:
        raise step.refusal(f"turns a constant into element type {target}, which is not supported")


def flatten(step: Step) -> None:
    """All axes before one as the first axis, the others as the second."""
    shape = shape_of(step)
    axis = step.attribute("axis", 1)
    if not -len(shape) <= axis <= len(shape):
        raise step.broken(f"has axis {axis} for an activation of shape {shape}")
    # Python's slices take a negative axis as ONNX does.
    _rearrange(step, lambda array: array.reshape(math.prod(shape[:axis]), math.prod(shape[axis:])))


def reshape(step: Step) -> None:
    """Another shape for the same coordinates; a fixed batch in it counts 1."""
    target = step.integers(1) if len(step) == 2 else [dim for dim in step.attribute("shape", []) if isinstance(dim, int)]
    given, size = shape_of(step), math.prod(shape_of(step))
    batch = 1 if step.is_constant(0) else step.graph.fixed_batch
    zero_is_zero = step.attribute("allowzero", 0)
    shape = [given[i] if dim == 0 and not zero_is_zero and i < len(given) else dim for i, dim in enumerate(target)]
    if shape and shape[0] == batch and (-1 in shape or math.prod(shape) == size * batch):
        shape[0] = 1 if batch > 1 else shape[0]
    if shape.count(-1) == 1:
        known = -math.prod(shape)
        shape[shape.index(-1)] = size // known if known > 0 else 0
    if any(dim < 0 for dim in shape) or math.prod(shape) != size or len(shape) > 32:
        raise step.refusal(f"turns shape {given} (one sample) into {target}, which does not keep one sample's coordinates")
    _rearrange(step, lambda array: array.reshape(shape))


def transpose(step: Step) -> None:
    """The axes in another order."""
    shape = shape_of(step)
    order = step.integer_list("perm") or list(range(len(shape)))[::-1]
    if sorted(order) != list(range(len(shape))):
        raise step.broken(f"has perm {order} for a tensor with {len(shape)} axes")
    step.check_samples(*(axis for place, axis in enumerate(order) if axis != place))
    _rearrange(step, lambda array: array.transpose(order))


def axes_of(step: Step, index: int = 1) -> list[int] | None:
    """The axes of Squeeze, Unsqueeze and the reductions: an attribute in older opsets, an input since; None where they are left out."""
    if step.has(index):
        return step.integers(index)
    return step.integer_list("axes") if step.has_attribute("axes") else None


def squeeze(step: Step) -> None:
    """Axes of length 1 removed."""
    shape, given = shape_of(step), axes_of(step)
    axes = [i for i, dim in enumerate(shape) if dim == 1] if given is None else [step.axis(axis, len(shape)) for axis in given]
    if any(shape[axis] != 1 for axis in axes):
        raise step.broken(f"squeezes axes {given} of a tensor of shape {shape}")
    step.check_samples(*axes)
    kept = [dim for i, dim in enumerate(shape) if i not in axes]
    _rearrange(step, lambda array: array.reshape(kept))


def unsqueeze(step: Step) -> None:
    """Axes of length 1 put in."""
    shape, given = shape_of(step), axes_of(step) or []
    rank = len(shape) + len(given)
    axes = {step.axis(axis, rank) for axis in given}
    if len(axes) != len(given) or rank > 32:
        raise step.broken(f"has axes {given} for a tensor with {len(shape)} axes")
    step.check_samples(*axes)
    rest = iter(shape)
    expanded = [1 if i in axes else next(rest) for i in range(rank)]
    _rearrange(step, lambda array: array.reshape(expanded))


def slicing(step: Step) -> None:
    """Slice: starts, ends, axes and steps are attributes before opset 10, inputs since."""
    shape = shape_of(step)
    if step.has_attribute("starts"):
        starts, ends, axes = (step.integer_list(name) for name in ("starts", "ends", "axes"))
        steps: list[int] = []
    else:
        starts, ends = _index_list(step, 1), _index_list(step, 2)
        axes, steps = (_index_list(step, index) if step.has(index) else [] for index in (3, 4))
    axes, steps = axes or list(range(len(starts))), steps or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise step.broken(f"has {len(starts)} starts, {len(ends)} ends, {len(axes)} axes and steps {steps[:8]}")
    chosen = [slice(None)] * len(shape)
    for start, end, axis, by in zip(starts, ends, axes, steps, strict=True):
        place = step.axis(axis, len(shape))
        step.check_samples(place)
        # ONNX clamps as Python does, but has no None: an end far below zero means to and with the first entry.
        stop = None if by < 0 and end < -shape[place] else end
        chosen[place] = slice(start, stop, by)
    _rearrange(step, lambda array: array[tuple(chosen)])


def _index_list(step: Step, index: int) -> list[int]:
    array = step.array(index)
    if array.dtype.kind != "i" or array.ndim > 1 or array.size > 64:
        raise step.broken(f"has no short list of integers as input {index + 1}")
    return [int(value) for value in array.reshape(-1)]


def gather(step: Step) -> None:
    """The slices that constant indices name, along an axis."""
    shape = shape_of(step)
    axis = step.axis(step.attribute("axis", 0), len(shape))
    step.check_samples(axis)
    indices = step.array(1)
    if indices.dtype.kind != "i" or (indices.size and not (-shape[axis] <= indices.min() and indices.max() < shape[axis])):
        raise step.broken(f"has indices that are not from {-shape[axis]} to {shape[axis] - 1}")
    size = math.prod(shape[:axis]) * math.prod(shape[axis + 1 :]) * indices.size
    if step.is_constant(0):
        step.check_folded(size)
    else:
        step.check_width((size,))
    _rearrange(step, lambda array: np.take(array, indices.astype(np.int64), axis=axis))


def split(step: Step) -> None:
    """A tensor cut into parts along an axis."""
    shape = shape_of(step)
    axis = step.axis(step.attribute("axis", 0), len(shape))
    step.check_samples(axis)
    count = len(step.operation.outputs)
    sizes = step.integers(1) if step.has(1) else step.integer_list("split")
    if not sizes:
        size = -(-shape[axis] // count)
        sizes = [min(size, shape[axis] - i * size) for i in range(count)]
    if sum(sizes) != shape[axis] or len(sizes) != count or min(sizes) < 0:
        raise step.broken(f"splits {shape[axis]} entries into {sizes[:8]} for {count} outputs")
    if not step.is_constant(0):
        # Every part reads it, so it is closed before the first.
        step.lowering.settle(step.tensor())
    ends = np.cumsum(sizes).tolist()
    for output, (size, end) in enumerate(zip(sizes, ends, strict=True)):
        step.put(_rearranged(step, itemgetter((slice(None),) * axis + (slice(end - size, end),))), output)


def pad(step: Step) -> None:
    """Constant padding; a negative pad cuts off. Pads are an attribute before opset 11, an input since."""
    mode = step.attribute("mode", b"constant")
    if mode != b"constant":
        raise step.refusal(f"has mode {shown(mode.decode('ascii', 'replace'))}; only constant padding is supported")
    shape = shape_of(step)
    attributes = step.has_attribute("pads")
    pads = step.integer_list("pads") if attributes else step.integers(1)
    value = step.finite("value", 0.0) if attributes else (step.number(2) if step.has(2) else 0.0)
    axes = [step.axis(axis, len(shape)) for axis in (step.integers(3) if step.has(3) else range(len(shape)))]
    if len(pads) != 2 * len(axes) or len(set(axes)) != len(axes):
        raise step.broken(f"has {len(pads)} pads for {len(axes)} axes")
    ends = {axis: (pads[i], pads[i + len(axes)]) for i, axis in enumerate(axes)}
    sides = [ends.get(axis, (0, 0)) for axis in range(len(shape))]
    step.check_samples(*(axis for axis, side in enumerate(sides) if any(side)))
    step.check_width(tuple(dim + before + after for dim, (before, after) in zip(shape, sides, strict=True)))
    if any(max(-before, 0) + max(-after, 0) > dim for dim, (before, after) in zip(shape, sides, strict=True)):
        raise step.broken(f"cuts more than there is off a tensor of shape {shape}")
    cut = tuple(slice(max(0, -before), dim - max(0, -after)) for dim, (before, after) in zip(shape, sides, strict=True))
    widths = [(max(0, before), max(0, after)) for before, after in sides]
    if step.is_constant(0):
        step.put(np.pad(step.floats(0)[cut], widths, constant_values=value))
        return
    size = math.prod(shape)
    places = np.pad(np.arange(size).reshape(shape)[cut], widths, constant_values=size)
    filling = column(np.array([value]))

    def padded(rows: list[Rows]) -> Rows:
        return Rows.stacked([rows[0], Rows.constants(filling, rows[0].weight.shape[1])]).rows(places.reshape(-1))

    step.put(step.lowering.joined([step.tensor()], places.shape, padded))


def expand(step: Step) -> None:
    """Axes of length 1 repeated, and axes put in before the first; a fixed batch in the target counts 1."""
    given, target = shape_of(step), step.integers(1)
    if step.graph.fixed_batch > 1 and not step.is_constant(0) and len(target) >= len(given) and target[:1] == [step.graph.fixed_batch]:
        target[0] = 1
    try:
        result = tuple(np.broadcast_shapes(given, tuple(target)))
    except ValueError:
        raise step.broken(f"expands a tensor of shape {given} to {target}") from None
    if step.is_constant(0):
        step.check_folded(math.prod(result))
    else:
        step.check_samples(*([0] if len(result) > len(given) or result[:1] != given[:1] else []))
        step.check_width(result)
    _rearrange(step, lambda array: np.broadcast_to(array, result).copy())


# ---------------------------------------------------------------- several tensors


def where(step: Step) -> None:
    """Entries of one tensor where a constant condition holds, of another elsewhere."""
    if not step.is_constant(0):
        raise step.refusal("has a condition that depends on the input; only constant conditions are supported")
    condition, shapes = step.array(0), [shape_of(step, i) for i in (1, 2)]
    if condition.dtype != np.bool_:
        raise step.broken("has a condition that is not boolean")
    try:
        result = tuple(np.broadcast_shapes(condition.shape, *shapes))
    except ValueError:
        raise step.broken(f"combines tensors of shapes {condition.shape}, {shapes[0]} and {shapes[1]}") from None
    if step.is_constant(1) and step.is_constant(2):
        step.check_folded(math.prod(result))
        step.put(np.where(condition, *_one_type(step, [step.array(1), step.array(2)])))
        return
    # A condition, or a constant, that differs between the samples of a batch repeats the batch axis.
    step.check_samples(*([0] if result and result[0] > 1 else []))
    step.check_width(result)
    size = math.prod(shapes[0])
    first, second = np.arange(size).reshape(shapes[0]), size + np.arange(math.prod(shapes[1])).reshape(shapes[1])
    places = np.where(condition, first, second)
    step.put(step.lowering.joined(activations(step, 1), places.shape, lambda rows: joined_rows(step, rows, 1).rows(places.reshape(-1))))


def concat(step: Step) -> None:
    """Tensors joined along an axis, constants among them."""
    shapes = [shape_of(step, i) for i in range(len(step))]
    if not shapes:
        raise step.broken("has no input")
    axis = step.axis(step.attribute("axis", 1 if step.graph.opset < 4 else 0), len(shapes[0]))
    step.check_samples(axis)
    rests = {(len(shape), shape[:axis], shape[axis + 1 :]) for shape in shapes}
    if len(rests) != 1:
        raise step.broken(f"joins tensors of shapes {', '.join(map(str, shapes[:4]))} along axis {axis}")
    if all(step.is_constant(i) for i in range(len(step))):
        step.check_folded(sum(map(math.prod, shapes)))
        step.put(np.concatenate(_one_type(step, [step.array(i) for i in range(len(step))]), axis=axis))
        return
    step.check_width((sum(map(math.prod, shapes)),))
    sizes = [math.prod(shape) for shape in shapes]
    starts = np.cumsum([0, *sizes])
    places = np.concatenate(
        [start + np.arange(size).reshape(shape) for start, size, shape in zip(starts, sizes, shapes, strict=False)], axis=axis
    )
    step.put(step.lowering.joined(activations(step), places.shape, lambda rows: joined_rows(step, rows).rows(places.reshape(-1))))


def _one_type(step: Step, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Constants that are to be joined; they have to be of one element type."""
    if len({array.dtype for array in arrays}) > 1:
        raise step.broken("joins constants of different element types")
    return arrays


def activations(step: Step, first: int = 0) -> list[Tensor]:
    """The inputs of a node, from one on, that are not constant."""
    return [step.tensor(i) for i in range(first, len(step)) if not step.is_constant(i)]


def joined_rows(step: Step, rows: list[Rows], first: int = 0) -> Rows:
    """The inputs from one on, one after the other, constants among them, from the rows of those that are not constant."""
    rest, width = iter(rows), rows[0].weight.shape[1]
    return Rows.stacked(
        [Rows.constants(column(step.floats(i)), width) if step.is_constant(i) else next(rest) for i in range(first, len(step))]
    )
