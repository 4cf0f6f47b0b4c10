"""ATen operators that move values, fill tensors or do nothing, each translated into ONNX's terms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from exactrelu.network.readers.aten_call import Call

_FLOATS = {6, 7, 8, 13}
_END = 2**62
_MOST_FILLED = 2**24


def reshape(call: Call) -> None:
    """Another shape; -1 stands for what is left."""
    call.give("Reshape", call.tensor("self"), call.shaped(call.integers("size" if call.has("size") else "shape")), allowzero=1)


def flatten(call: Call) -> None:
    """Neighbouring axes as one."""
    x = call.tensor("self")
    shape = call.shape(x)
    first, last = call.axis(call.integer("start_dim", 0), len(shape)), call.axis(call.integer("end_dim", -1), len(shape))
    if first == 0 < last and not call.one_sample:
        raise call.refusal("flattens the batch axis, which mixes samples; export the program with a batch of 1")
    target = [*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]]
    call.give("Reshape", x, call.shaped(target), allowzero=1)


def unflatten(call: Call) -> None:
    """One axis as several."""
    x = call.tensor("self")
    shape, sizes = call.shape(x), call.integers("sizes")
    axis = call.axis(call.integer("dim"), len(shape))
    call.give("Reshape", x, call.shaped([*shape[:axis], *sizes, *shape[axis + 1 :]]), allowzero=1)


def permute(call: Call) -> None:
    """The axes in another order."""
    x, order = call.tensor("self"), call.integers("dims")
    call.give("Transpose", x, perm=[call.axis(axis, len(order)) for axis in order])


def transpose(call: Call) -> None:
    """Two axes swapped; `t` swaps the two there are."""
    x = call.tensor("self")
    rank = len(call.shape(x))
    order = list(range(rank))
    if call.node.target.startswith("aten.t."):
        order.reverse()
    else:
        first, second = (call.axis(call.integer(name), rank) for name in ("dim0", "dim1"))
        order[first], order[second] = second, first
    call.give("Transpose", x, perm=order)


def squeeze(call: Call) -> None:
    """Axes of length 1 removed, all or those given; one of another length stays."""
    x = call.tensor("self")
    shape = call.shape(x)
    given = [call.axis(axis, len(shape)) for axis in call.integers("dim")] if call.has("dim") else range(len(shape))
    axes = [axis for axis in given if shape[axis] == 1]
    if 0 in axes and not (call.one_sample or call.is_constant(x)):
        raise call.refusal("squeezes the batch axis; export the program with a batch of 1, or squeeze other axes by number")
    call.give("Reshape", x, call.shaped([dim for axis, dim in enumerate(shape) if axis not in axes]), allowzero=1)


def unsqueeze(call: Call) -> None:
    """An axis of length 1 put in."""
    x = call.tensor("self")
    call.give("Unsqueeze", x, call.shaped([call.integer("dim")]))


def expand(call: Call) -> None:
    """Axes of length 1 repeated; -1 leaves an axis as it is."""
    x, size = call.tensor("self"), call.integers("size")
    shape = call.shape(x)
    before = len(size) - len(shape)
    if before < 0 or -1 in size[:before]:
        raise call.refusal(f"expands a tensor of shape {shape} to {size}")
    call.give("Expand", x, call.shaped([shape[i - before] if dim == -1 else dim for i, dim in enumerate(size)]))


def slicing(call: Call) -> None:
    """A slice along one axis; the whole axis, which may be the batch, is nothing."""
    x, axis, step = call.tensor("self"), call.integer("dim", 0), call.integer("step", 1)
    start, end = call.integer("start", 0), call.integer("end", _END)
    if start == 0 and end >= _END and step == 1:
        call.give("Identity", x)
        return
    call.give("Slice", x, *(call.shaped([value]) for value in (start, end, axis, step)))


def select(call: Call) -> None:
    """One entry of an axis, which goes."""
    x = call.tensor("self")
    call.give("Gather", x, call.constant(np.array(call.integer("index"))), axis=call.integer("dim"))


def index_select(call: Call) -> None:
    """The entries of an axis that constant indices name."""
    call.give("Gather", call.tensor("self"), call.tensor("index"), axis=call.integer("dim"))


def cat(call: Call) -> None:
    """Tensors joined along an axis."""
    call.give("Concat", *call.tensors("tensors"), axis=call.integer("dim", 0))


def stack(call: Call) -> None:
    """Tensors joined along a new axis."""
    names, axis = call.tensors("tensors"), call.integer("dim", 0)
    rank = len(call.shape(names[0])) + 1 if names else 1
    axis = call.axis(axis, rank)
    call.give("Concat", *(call.make("Unsqueeze", name, call.shaped([axis])) for name in names), axis=axis)


def split(call: Call) -> None:
    """A tensor cut into parts of one size, of given sizes, or into so many parts."""
    x, axis = call.tensor("self"), call.integer("dim", 0)
    length = call.shape(x)[call.axis(axis, len(call.shape(x)))]
    if call.has("chunks"):
        size = -(-length // max(1, call.integer("chunks")))
    else:
        given = call.integers("split_size") if call.has("split_size") else call.integers("split_sizes")
        if call.has("split_sizes") or call.node.target.startswith("aten.split_with_sizes."):
            call.give("Split", x, call.shaped(given), axis=axis)
            return
        size = given[0] if given else 0
    if size < 1:
        raise call.refusal(f"splits {length} entries into parts of {size}")
    if length // size > len(call.node.outputs):
        raise call.refusal(f"gives {len(call.node.outputs)} results instead of {-(-length // size)}")
    call.give("Split", x, call.shaped([min(size, length - at) for at in range(0, length, size)]), axis=axis)


def pad(call: Call) -> None:
    """Constant padding; the pads of the last axis come first."""
    x, given = call.tensor("self"), call.integers("pad")
    if call.argument("mode", "constant") != "constant":
        raise call.refusal("is supported for constant padding only")
    rank = len(call.shape(x))
    if len(given) % 2 or len(given) > 2 * rank:
        raise call.refusal(f"has {len(given)} pads for {rank} axes")
    pads = [0] * (2 * rank)
    for place, (before, after) in enumerate(zip(given[::2], given[1::2], strict=True), 1):
        pads[rank - place], pads[2 * rank - place] = before, after
    call.give("Pad", x, call.shaped(pads), call.constant(np.array(call.number("value", 0.0))))


def filled(value: float | None) -> Callable[[Call], None]:
    """A tensor of one value, or of the one given."""

    def full(call: Call) -> None:
        float_type(call, optional=True)
        size = call.integers("size")
        if any(dim < 0 for dim in size) or math.prod(size) > _MOST_FILLED:
            raise call.refusal(f"makes a tensor of shape {tuple(size)[:8]}; the limit is {_MOST_FILLED} entries")
        call.give_constant(np.full(size, call.number("fill_value") if value is None else value))

    return full


def where(call: Call) -> None:
    """Entries of one tensor where a constant condition holds, of another elsewhere."""
    call.give("Where", call.tensor("condition"), call.operand("self"), call.operand("other"))


def identity(call: Call) -> None:
    """A copy, a view or a cast between floats."""
    float_type(call, optional=True)
    x = call.tensor("self" if call.has("self") else "input")
    for name in ("other", "dtype"):
        call.argument(name)
    call.give("Identity", x)


def float_type(call: Call, *, optional: bool) -> None:
    """Refuse a result of another element type than a float; `optional` allows none to be named."""
    kind = call.argument("dtype")
    if not (kind in _FLOATS or (optional and kind is None)):
        raise call.refusal(f"turns a tensor into PyTorch's element type {kind}; only floats are supported")


def dropout(call: Call) -> None:
    """Nothing, at inference."""
    x = call.tensor("input")
    probability, training = call.argument("p"), call.argument("train", default=True)
    if training and probability:
        raise call.refusal("is in training mode; export the module after eval()")
    call.give("Identity", x, outputs=call.first_output())
