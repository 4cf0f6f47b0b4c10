"""The smallest uniform shift of biases that makes a layer injective, and the layer with biases shifted (theory I4).

The shift is max(0, -mu). In floats every bias of a rectified row is rounded upwards, so that it rises by at least the shift: raising
biases further keeps injectivity. The repaired layer is decided once more. Where the shift is 0 nothing is rounded.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, exact_float64
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.margins.bias_margin import bias_margin
from exactrelu.network.model import Layer

if TYPE_CHECKING:
    from exactrelu.domain import Domain
    from exactrelu.injectivity.answer import LayerInjectivity
    from exactrelu.injectivity.margins.bias_margin import BiasMargin


_FLOAT_TYPES = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True, eq=False)
class Repair:
    """How the biases of a layer are to be shifted so that it is injective on a domain.

    shift: the number to add to the bias of every rectified row, None where no number helps or none was found (`reason` says which);
    smallest: whether no smaller one would do. biases: the new ones (m,) in floats, each at least bias + shift; layer: with these
    biases; result: its verdict with its evidence; module: for a torch module, a copy with the new biases.
    """

    margin: BiasMargin
    shift: Fraction | None
    smallest: bool
    reason: str
    exact: tuple[Fraction, ...] = ()
    biases: np.ndarray | None = None
    layer: Layer | None = None
    result: LayerInjectivity | None = None
    module: Any = None


def repair(layer: Any, domain: Domain, *, deadline: float | None = None, dtype: Any = np.float32) -> Repair:
    """The smallest shift of the rectified rows' biases after which the layer is injective on the domain.

    layer: a `Layer`, weights (m, n), or a `torch.nn.Linear`, whose outputs are all taken to pass a relu; dtype: of the new biases
    (float16, float32 or float64; a module keeps its own). deadline: a time of `time.monotonic()`. A layer that is injective keeps its
    biases, in float64 where `dtype` does not hold them. Raises InvalidRequestError for another dtype, and where a bias exceeds the
    range of its type. Theory I4.

    >>> from exactrelu import AllSpace
    >>> weight, bias = DyadicMatrix.from_floats([[3.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [-1.0]])
    >>> found = repair(Layer(weight, bias, np.array([True, True])), AllSpace())
    >>> found.shift, found.biases.tolist(), found.result.verdict
    (Fraction(3, 4), [0.75, -0.25], 'injective')
    """
    if not isinstance(layer, Layer):
        return _repair_module(layer, domain, deadline)
    kind = _float_type(dtype)
    margin = bias_margin(layer, domain, deadline=deadline)
    if margin.infinite == "minus":
        return Repair(margin, None, False, f"no shift of all biases makes the layer injective: {margin.reason}")
    if margin.low is None:
        return Repair(margin, None, False, "no shift was found in time")
    shift = max(Fraction(0), -margin.low)
    biases = [bias for (bias,) in layer.bias.fractions()]
    exact = tuple(bias + shift * relu for bias, relu in zip(biases, layer.rectified.tolist(), strict=True))
    if shift == 0 and not _holds(kind, layer.bias):
        kind = np.dtype(np.float64)
    floats = np.array([_at_least(value, kind) for value in exact], dtype=kind)
    repaired = Layer(layer.stored, DyadicMatrix.from_floats(floats.reshape(-1, 1)), layer.rectified)
    result = decide_layer(repaired, domain, deadline=deadline)
    reason = "the layer is injective as it is" if shift == 0 else "the shift makes it injective"
    smallest = shift == 0 or margin.value is not None
    return Repair(margin, shift, smallest, reason, exact, floats, repaired, result)


def _repair_module(module: Any, domain: Domain, deadline: float | None) -> Repair:
    """A torch module with `weight` (m, n) and `bias` (m,) or none; nothing is imported for it."""
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if weight is None or getattr(weight, "ndim", 0) != 2 or not hasattr(weight, "detach"):
        raise InvalidRequestError(f"a {type(module).__name__} cannot be repaired; give a Layer or a torch.nn.Linear")
    dtypes = {"torch.float16": np.float16, "torch.float32": np.float32, "torch.float64": np.float64}
    dtype = dtypes.get(str(weight.dtype))
    if dtype is None:
        raise InvalidRequestError(f"the module's weights are {weight.dtype}; convert it with .float() first")
    rows = DyadicMatrix.from_floats(exact_float64(weight.detach().cpu().numpy(), name="weight"))
    m = rows.shape[0]
    given = np.zeros(m) if bias is None else exact_float64(bias.detach().cpu().numpy(), name="bias")
    layer = Layer(rows, DyadicMatrix.from_floats(given.reshape(-1, 1)), np.ones(m, dtype=bool))
    found = repair(layer, domain, deadline=deadline, dtype=dtype)
    if found.biases is None:
        return found
    changed = copy.deepcopy(module)
    changed.bias = type(weight)(weight.detach().new_tensor(found.biases.tolist()))
    return replace(found, module=changed)


def _float_type(dtype: Any) -> np.dtype[Any]:
    try:
        kind: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        kind = np.dtype(object)
    if kind not in _FLOAT_TYPES:
        raise InvalidRequestError(f"biases of type {dtype} are not available; use float16, float32 or float64")
    return kind


def _holds(dtype: np.dtype[Any], biases: DyadicMatrix) -> bool:
    """Whether a float type has all these numbers."""
    with np.errstate(over="ignore", under="ignore"):
        return biases.is_float64 and bool((biases.floats.astype(dtype) == biases.floats).all())


def _at_least(value: Fraction, dtype: np.dtype[Any]) -> Any:
    """The smallest number of a float type that is not below the value; Python compares floats with fractions exactly."""
    largest = float(np.finfo(dtype).max)
    if abs(value) > largest:
        raise InvalidRequestError(
            f"a bias exceeds the range of {dtype}, {largest:.4g}; give a larger dtype, or multiply the layer's rows and biases by 2^-k"
        )
    with np.errstate(over="ignore", under="ignore"):
        number = np.array(float(value)).astype(dtype)[()]
        while float(number) < value:
            number = np.nextafter(number, dtype.type(np.inf))
        while float(below := np.nextafter(number, dtype.type(-np.inf))) >= value:
            number = below
    return number
