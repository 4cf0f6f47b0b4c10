"""The float32 error of each ONNX operator, from its own arithmetic rather than that of its lowered form.

An operator that is affine in its activation runs in onnx's reference evaluator, in float64: as it is, for the value; with the absolute
values of its constants on sizes and on errors; and with ones for weights that are not zero, which counts the terms of each sum. What does
not fit the theorem (error.py) raises NoBound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.exact.rounding import UPWARDS
from exactrelu.float_gap.error import FloatError, NoBound, check_range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from onnx import NodeProto

Value = FloatError | np.ndarray | None

# Of a batch norm's factor and shift: sum, root (counted as eight), quotient, products, a reader's dyadic factor.
_BATCH_NORM_ROUNDINGS = 16
# Divisors and variances of this range have reciprocals and roots far from underflow and overflow.
_SMALLEST, _GREATEST = 2.0**-60, 2.0**60
_MOST_PADDED = 2**25


@dataclass(frozen=True, eq=False)
class Step:
    """A node with what comes in, and the way to run it on other arrays."""

    node: NodeProto
    given: list[Value]
    evaluate: Callable[[NodeProto, Sequence[np.ndarray | None], Mapping[str, Any]], list[np.ndarray]]

    def __str__(self) -> str:
        return said(self.node)

    @property
    def activations(self) -> list[FloatError]:
        return [value for value in self.given if isinstance(value, FloatError)]

    @property
    def constants(self) -> list[np.ndarray]:
        return [value for value in self.given if isinstance(value, np.ndarray)]

    @property
    def values(self) -> list[np.ndarray | None]:
        return [value.value if isinstance(value, FloatError) else value for value in self.given]

    def first(self) -> FloatError:
        """The only activation, which has to come first."""
        value = self.given[0]
        if not isinstance(value, FloatError) or len(self.activations) != 1:
            raise NoBound(f"{self} has an activation where a constant is expected")
        return value

    def run(self, inputs: Sequence[np.ndarray | None], output: int = 0, attributes: Mapping[str, Any] | None = None) -> np.ndarray:
        return self.evaluate(self.node, inputs, attributes or {})[output]

    def attribute(self, name: str, default: Any) -> Any:
        from onnx import helper

        value = next((helper.get_attribute_value(attribute) for attribute in self.node.attribute if attribute.name == name), default)
        if not isinstance(value, type(default)):
            raise NoBound(f"attribute {name} of {self} has the wrong type")
        return value


# ---------------------------------------------------------------- sums


def _product(step: Step) -> FloatError:
    """A matrix product with a constant on one side, and constants added."""
    return _summed(step, 1 if isinstance(step.given[0], FloatError) else 0)


def _convolution(step: Step) -> FloatError:
    weights = step.given[1]
    pads = _pads(step, weights.shape[2:]) if isinstance(weights, np.ndarray) else []
    return _summed(step, 1, attributes={"auto_pad": "NOTSET", "pads": pads})


def _transposed_convolution(step: Step) -> FloatError:
    plain = all(set(step.attribute(name, [usual])) <= {usual} for name, usual in (("dilations", 1), ("output_padding", 0)))
    if step.attribute("group", 1) != 1 or not plain or step.attribute("auto_pad", b"NOTSET") != b"NOTSET":
        # onnx's reference evaluator does not get all of these right.
        raise NoBound(f"no bound is known for operator {step} with groups, dilations, output_padding or auto_pad")
    return _summed(step, 1)


def _gemm(step: Step) -> FloatError:
    factors = {name: abs(float(step.attribute(name, 1.0))) for name in ("alpha", "beta")}
    # Before it is multiplied by a small alpha or beta, a sum is larger.
    return _summed(step, 1 if isinstance(step.given[0], FloatError) else 0, factors, min(1.0, *factors.values()))


def _summed(
    step: Step, place: int, factors: Mapping[str, float] | None = None, least: float = 1.0, attributes: Mapping[str, Any] | None = None
) -> FloatError:
    """FG2 for the weights at input `place`; `factors` are attributes that weights and constants are multiplied by, `least` the smallest.

    `attributes` replace those of the node.
    """
    weights = step.given[place]
    if len(step.activations) != 1 or not isinstance(weights, np.ndarray):
        raise NoBound(f"{step} multiplies two activations")
    (x,) = step.activations
    factors, attributes = factors or {}, attributes or {}

    def run(activation: np.ndarray, weights: np.ndarray, constant: float, others: Mapping[str, float]) -> np.ndarray:
        inputs = [
            np.abs(value) * constant if isinstance(value, np.ndarray) else activation if value is not None else None for value in step.given
        ]
        inputs[place] = weights
        return step.run(inputs, attributes={**attributes, **others})

    largest = max(float(np.abs(value).max(initial=0)) for value in step.constants) * max(1.0, *factors.values(), 1.0)
    sizes = np.abs(weights)
    result = x.summed(
        step.run(step.values, attributes=attributes),
        lambda array: run(array, sizes, 0.0, factors),
        run(np.zeros(x.value.shape), sizes, 1.0, factors),
        run(np.ones(x.value.shape), (weights != 0).astype(np.float64), 0.0, dict.fromkeys(factors, 1.0)) + 1,
        largest,
        max(1.0, *factors.values(), 1.0),
    )
    check_range(float(result.magnitude.max(initial=0)), 1 / least if least else math.inf)
    return result


def _mean_of_windows(step: Step) -> FloatError:
    """AveragePool."""
    x, kernel = step.first(), step.attribute("kernel_shape", [])
    pads = _pads(step, kernel)

    def total(array: np.ndarray) -> np.ndarray:
        return np.asarray(_windows(step, array, kernel, pads, 0.0).sum(axis=-1))

    divisors = np.full((), float(math.prod(kernel))) if step.attribute("count_include_pad", 0) else total(np.ones(x.value.shape))
    if not divisors.all():
        raise NoBound(f"{step} has a window of padding alone")
    return _divided(x, total, divisors, float(math.prod(kernel)))


def _mean_of_axes(step: Step) -> FloatError:
    """GlobalAveragePool, ReduceMean and ReduceSum."""
    x = step.first()

    def absolute(array: np.ndarray) -> np.ndarray:
        return step.run([array, *step.values[1:]])

    return _divided(x, absolute, np.ones(()), float(x.value.size // max(1, absolute(x.value).size)))


def _divided(x: FloatError, total: Callable[[np.ndarray], np.ndarray], divisors: np.ndarray, cells: float) -> FloatError:
    """Sums of at most so many cells, each divided by at most their number."""
    check_range(float(x.size.max(initial=0)), cells)

    def mean(array: np.ndarray) -> np.ndarray:
        return np.asarray(total(array) / divisors)

    value = mean(x.value)
    # One more for the division; the reader's dyadic reciprocal is one of EXTRA_ROUNDINGS.
    return x.summed(value, mean, np.zeros(value.shape), np.full(value.shape, cells + 1), 1.0)


def _max_pool(step: Step) -> FloatError:
    x, kernel = step.first(), step.attribute("kernel_shape", [])
    pads = _pads(step, kernel)
    value = _windows(step, x.value, kernel, pads, -math.inf).max(axis=-1)
    return FloatError.of_input(value, _windows(step, x.error, kernel, pads, 0.0).max(axis=-1))


def _windows(step: Step, array: np.ndarray, kernel: Sequence[int], pads: Sequence[int], fill: float) -> np.ndarray:
    """The cells under a kernel at each of its places, as the last axis; what is padded has the value `fill`."""
    rank = len(kernel)
    strides, dilations = (step.attribute(name, [1] * rank) for name in ("strides", "dilations"))
    padded = np.pad(array, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:], strict=True)], constant_values=fill)
    sizes = tuple((size - 1) * gap + 1 for size, gap in zip(kernel, dilations, strict=True))
    places = np.lib.stride_tricks.sliding_window_view(padded, sizes, axis=tuple(range(2, 2 + rank)))
    steps = (slice(None), slice(None), *(slice(None, None, step) for step in (*strides, *dilations)))
    cells = places[steps]
    return cells.reshape(*cells.shape[: 2 + rank], -1)


def _pads(step: Step, kernel: Sequence[int]) -> list[int]:
    """The padding of a window in numbers: before each axis, then after each."""
    if step.attribute("ceil_mode", 0):
        raise NoBound(f"{step} has ceil_mode")
    shape = step.activations[0].value.shape
    strides, dilations = (step.attribute(name, [1] * len(kernel)) for name in ("strides", "dilations"))
    kind = step.attribute("auto_pad", b"NOTSET").decode("ascii", "replace")
    pads: list[int] = [0] * (2 * len(kernel))
    if kind == "NOTSET":
        pads = step.attribute("pads", pads)
    elif kind in {"SAME_UPPER", "SAME_LOWER"}:
        # The output has ceil(length / stride) cells; SAME_UPPER puts the odd cell of the padding at the end.
        sizes = zip(shape[2:], kernel, strides, dilations, strict=True)
        sums = [max((-(-length // stride) - 1) * stride + (size - 1) * gap + 1 - length, 0) for length, size, stride, gap in sizes]
        less, more = [total // 2 for total in sums], [total - total // 2 for total in sums]
        pads = less + more if kind == "SAME_UPPER" else more + less
    around = [length + before + after for length, before, after in zip(shape[2:], pads[: len(kernel)], pads[len(kernel) :], strict=True)]
    if math.prod((*shape[:2], *around)) > _MOST_PADDED:
        raise NoBound(f"{step} pads a tensor to more than {_MOST_PADDED} entries")
    return pads


# ---------------------------------------------------------------- constants after a sum


def _add(step: Step) -> FloatError:
    first, *others = step.activations
    return reduce(FloatError.shifted, step.constants, reduce(FloatError.plus, others, first))


def _mean(step: Step) -> FloatError:
    # Divided, or times the rounded reciprocal; and the reader's dyadic reciprocal.
    share = 1 / len(step.given)
    total = _add(step)
    return total.scaled(total.value * share, np.full((), share * UPWARDS), 3)


def _subtract(step: Step) -> FloatError:
    left, right = step.given
    if isinstance(left, FloatError):
        return left.plus(right.negated()) if isinstance(right, FloatError) else left.shifted(-np.asarray(right))
    return step.activations[0].negated().shifted(np.asarray(left))


def _multiply(step: Step) -> FloatError:
    if len(step.activations) != 1:
        raise NoBound(f"{step} multiplies two activations")
    (x,), (factors,) = step.activations, step.constants
    return x.scaled(x.value * factors, np.abs(factors), 1)


def _divide(step: Step) -> FloatError:
    x, (divisors,) = step.first(), step.constants
    sizes = np.abs(divisors)
    _check_moderate(step, sizes)
    # The quotient, or the reciprocal and a product; and the reader's dyadic reciprocal.
    return x.scaled(x.value / divisors, 1 / sizes * UPWARDS, 3)


def _power(step: Step) -> FloatError:
    x, (exponents,) = step.first(), step.constants
    if not (exponents == 1).all():
        raise NoBound(f"{step} has an exponent that is not 1")
    return x.scaled(x.value + np.zeros(exponents.shape), np.ones(()), 2)


def _batch_normalization(step: Step) -> FloatError:
    x, (scale, shift, mean, variance) = step.first(), step.constants
    if step.attribute("training_mode", 0) or not step.attribute("spatial", 1):
        raise NoBound(f"{step} does not stand as at inference")
    along = (-1, *[1] * (x.value.ndim - 2))
    spread = variance + step.attribute("epsilon", 1e-5)
    _check_moderate(step, np.minimum(spread, np.where(variance < 0, 0.0, np.inf)))
    root, scale, shift, mean = (array.reshape(along) for array in (np.sqrt(spread), scale, shift, mean))
    check_range(float((x.magnitude + np.abs(mean)).max(initial=0)), float((np.abs(scale) + 1 / root).max(initial=0)))
    # onnx's reference evaluator trains where opset 9 gives a momentum; so the definition itself.
    value = (x.value - mean) / root * scale + shift
    factors = np.abs(scale) / root * UPWARDS
    shift = factors * np.abs(mean) + np.abs(shift)
    return x.scaled(value, factors, _BATCH_NORM_ROUNDINGS, shift, beside=np.abs(mean), gain=np.abs(scale) + 1 / root)


def _check_moderate(step: Step, sizes: np.ndarray) -> None:
    if not (sizes.min(initial=1) >= _SMALLEST and sizes.max(initial=1) <= _GREATEST):
        raise NoBound(f"{step} divides by numbers below {_SMALLEST:.0e} or above {_GREATEST:.0e}")


# ---------------------------------------------------------------- activations


def _leaky(step: Step) -> FloatError:
    return step.first().leaky(np.full((), step.attribute("alpha", 0.01)))


def _parametric(step: Step) -> FloatError:
    return step.first().leaky(step.constants[0])


def _clip(step: Step) -> FloatError:
    low, high = [*step.values[1:], None, None][:2]
    low = step.attribute("min", -math.inf) if low is None else low
    high = step.attribute("max", math.inf) if high is None else high
    return step.first().clipped(low, high)


def _chosen(step: Step) -> FloatError:
    """Where, with a constant condition: moved from two places."""
    condition, *sides = step.given
    if isinstance(condition, FloatError):
        raise NoBound(f"{step} has a condition that is not constant")
    errors = [side.error if isinstance(side, FloatError) else None if side is None else np.zeros(side.shape) for side in sides]
    return FloatError.of_input(step.run(step.values), step.run([condition, *errors]))


def _extreme(step: Step, choose: Callable[..., np.ndarray]) -> FloatError:
    tensors = [
        value if isinstance(value, FloatError) else FloatError.of_input(value, np.zeros(value.shape))
        for value in step.given
        if value is not None
    ]
    return reduce(lambda one, other: one.extreme(other, choose), tensors)


def _cast(step: Step) -> FloatError:
    if step.attribute("to", 1) != 1:
        raise NoBound(f"{step} leaves float32")
    return step.first()


OPERATORS: dict[str, Callable[[Step], FloatError]] = {
    "Abs": lambda step: step.first().absolute(),
    "Add": _add,
    "AveragePool": _mean_of_windows,
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "Clip": _clip,
    "Conv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "Div": _divide,
    "Dropout": Step.first,
    "Gemm": _gemm,
    "GlobalAveragePool": _mean_of_axes,
    "LeakyRelu": _leaky,
    "MatMul": _product,
    "Max": lambda step: _extreme(step, np.maximum),
    "MaxPool": _max_pool,
    "Mean": _mean,
    "Min": lambda step: _extreme(step, np.minimum),
    "Mul": _multiply,
    "Neg": lambda step: step.first().negated(),
    "PRelu": _parametric,
    "Pow": _power,
    "ReduceMean": _mean_of_axes,
    "ReduceSum": _mean_of_axes,
    "Relu": lambda step: step.first().rectified(),
    "Sub": _subtract,
    "Sum": _add,
    "Where": _chosen,
}


def said(node: NodeProto) -> str:
    """An operator and its node as they stand in a one-line message."""
    return f"{ascii(node.op_type[:40])[1:-1]} (node {(node.name or ''.join(node.output[:1]))[:80]!a})"
