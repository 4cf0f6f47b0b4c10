"""Activations: the piecewise linear ones, exactly, and at the end of a model the strictly increasing ones, which are set aside."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.network.lowering import shown
from exactrelu.network.model import SetAside
from exactrelu.network.readers.onnx_affine import common_shape, in_shape
from exactrelu.network.readers.onnx_shapes import activations, joined_rows, shape_of
from exactrelu.network.rows import Rows, absolute, at_least, at_most, clipped, column, largest, leaky, linear, relu, smallest

if TYPE_CHECKING:
    from collections.abc import Callable

    from exactrelu.exact.sparse import SparseMatrix
    from exactrelu.network.lowering import Tensor
    from exactrelu.network.readers.onnx_step import Step
    from exactrelu.network.rows import Stages

_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


def rectified(step: Step) -> None:
    """max(x, 0)."""
    step.put(step.lowering.activate(step.name, step.tensor(), relu))


def leaky_relu(step: Step) -> None:
    """x where it is positive, alpha x elsewhere."""
    tensor = step.tensor()
    _leaky(step, tensor, np.full(math.prod(tensor.shape), step.finite("alpha", float(np.float32(0.01)))), tensor.shape)


def parametric_relu(step: Step) -> None:
    """x where it is positive, slope x elsewhere, with a constant slope for every entry."""
    tensor = step.tensor()
    _leaky(step, tensor, *in_shape(step, step.floats(1), tensor.shape))


def _leaky(step: Step, tensor: Tensor, values: np.ndarray, shape: tuple[int, ...]) -> None:
    slopes = column(values)
    set_aside = None
    if (values > 0).all():
        set_aside = SetAside(step.name, _note(step, ""), slopes.dense())
    step.put(step.lowering.activate(step.name, tensor, lambda rows: leaky(rows, slopes), shape, set_aside))


def increasing(step: Step) -> None:
    """Sigmoid, Tanh, Softplus, Elu and Selu at the end of a model: strictly increasing, so that its input is asked about instead."""
    for name, default in (("alpha", 1.0), ("gamma", 1.0)):
        if step.finite(name, default) <= 0:
            raise step.refusal(f"has {name} {step.finite(name, default)}; only where it is positive is the activation strictly increasing")
    note = _note(step, "final ")
    step.put(step.lowering.activate(step.name, step.tensor(), linear, set_aside=SetAside(step.name, note, None)))
    step.finish()
    step.graph.say(note)


def _note(step: Step, which: str) -> str:
    operator = f"{which}{step.operation.operator} (node {shown(step.name)})"
    taken = ", taken as log(1 + exp(z)) for every z," if step.operation.operator == "Softplus" else ""
    return f"The {operator}{taken} is strictly increasing, so it was set aside: the verdicts speak of its input."


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
    shape = common_shape(step)
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
