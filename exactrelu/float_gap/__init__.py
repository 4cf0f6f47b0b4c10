"""How far the deployed float32 program may be from the real-number function that verdicts speak of: a proved bound, and what is observed.

The bound holds for every order of summation, with or without fused multiply-add (error.py has the theorem, FG1 to FG6). What
onnxruntime computes is set beside it where that is installed.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import cached_property, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.float32 import nearest_float32
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.rounding import float_arithmetic_is_sound
from exactrelu.float_gap.error import FloatError, NoBound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from exactrelu.exact.rational import RationalVector
    from exactrelu.float_gap.error_onnx import FloatModel
    from exactrelu.network.model import Layer, Network

_ARITHMETIC = (
    "float32 operations round to nearest (IEEE 754); subnormal numbers may be kept or flushed to zero; a square root has a relative error "
    "of at most 2^-21."
)
_INPUT = "The float32 program is given the float32 number nearest to each coordinate of the input."
_DIRECT = (
    "Matrix products and convolutions are direct sums of float32 products in any order, fused or not (not Winograd, FFT or Strassen "
    "algorithms, not bfloat16 or TF32); constants that follow a sum may be folded into it."
)
_OPERATORS = (
    "The float32 program evaluates the operators of the model file as the ONNX standard defines them, as onnx's reference evaluator does "
    "in float64."
)
_LAYERS = (
    "The float32 program evaluates each lowered layer as one sum of products with its bias, all weights rounded to float32, then the relu."
)
# Files of dense layers that are lowered one by one as they stand.
_CHAINS = {".nnet", ".safetensors"}


@dataclass(frozen=True)
class FloatGap:
    """A network's exact output at a point, a proved bound of |float32 - exact| for each coordinate, and the observed differences.

    `bound` is None where none is proved; `undecided` then says why. `computed` is what onnxruntime gave and `observed` its differences;
    both are None where nothing was run, and `not_observed` says why.
    """

    exact: RationalVector
    bound: tuple[Fraction, ...] | None
    observed: tuple[Fraction, ...] | None
    assumes: tuple[str, ...]
    undecided: str | None = None
    computed: tuple[float, ...] | None = None
    not_observed: str | None = None

    @property
    def predicted_class(self) -> int | None:
        """The coordinate of the largest exact output; None where two are equal or there is one only."""
        return _largest(self.exact.numerators)

    @property
    def class_is_proved(self) -> bool:
        """Whether every float32 program that the bound speaks of predicts the same class: each margin exceeds the sum of two bounds."""
        best = self.predicted_class
        if best is None or self.bound is None:
            return False
        exact, bound = self.exact.fractions(), self.bound
        return all(exact[best] - exact[j] > bound[best] + bound[j] for j in range(len(exact)) if j != best)

    @property
    def class_is_observed(self) -> bool | None:
        """Whether onnxruntime predicts the same class; None where it was not run or there is no class."""
        if self.computed is None or self.predicted_class is None:
            return None
        return _largest(self.computed) == self.predicted_class

    def record(self, row: int) -> dict[str, Any]:
        """The gap as a JSON object: bounds as decimals rounded up, observed differences as decimals."""
        return {
            "row": row,
            "bound": None if self.bound is None else decimal(max(self.bound)),
            "observed": None if self.observed is None else decimal(max(self.observed), ROUND_HALF_EVEN),
            "class": self.predicted_class,
            "class_proved": self.class_is_proved,
            "class_observed": self.class_is_observed,
            "bounds": None if self.bound is None else [decimal(value) for value in self.bound],
            "differences": None if self.observed is None else [decimal(value, ROUND_HALF_EVEN) for value in self.observed],
            "undecided": self.undecided,
            "not_observed": self.not_observed,
        }


def _largest(values: Sequence[float]) -> int | None:
    """The index of the largest of at least two values, None where two are equal to it."""
    best = max(values, default=0)
    return values.index(best) if len(values) > 1 and values.count(best) == 1 else None


def decimal(value: Fraction, rounding: str = ROUND_CEILING) -> str:
    """A non-negative number as a decimal of three digits, rounded up.

    >>> decimal(Fraction(1, 3)), decimal(Fraction(0))
    ('3.34e-1', '0')
    """
    quotient = Context(prec=3, rounding=rounding).divide(Decimal(value.numerator), Decimal(value.denominator))
    return f"{quotient:.2e}" if quotient else "0"


class FloatGapModel:
    """A network made ready for many inputs; see `float_gap`."""

    def __init__(self, network: Network, model: str | PathLike[str] | None = None) -> None:
        self.network = network
        self._path = None if model is None else Path(model)
        if self._path is not None:
            _check_same(network, self._path)
        self._is_onnx = self._path is not None and self._path.suffix.lower() == ".onnx"
        # What the bound rests on, beside what the network's own `assumes` say.
        self.assumes = (_INPUT, _ARITHMETIC, _DIRECT, _OPERATORS if self._is_onnx else _LAYERS)

    def __call__(self, x: RationalVector) -> FloatGap:
        """The gap at an input of the network."""
        exact = self.network(x)
        given, error = nearest_float32(x)
        bound, undecided = None, None
        try:
            bound = self._bound(exact, given, error)
        except NoBound as reason:
            undecided = str(reason)
        computed, not_observed = self._computed(given, len(exact))
        observed = None if computed is None else tuple(abs(Fraction(a) - b) for a, b in zip(computed, exact.fractions(), strict=True))
        return FloatGap(exact, bound, observed, (*self.assumes, *self.network.assumes), undecided, computed, not_observed)

    # ---------------------------------------------------------------- proved

    def _bound(self, exact: RationalVector, given: np.ndarray, error: np.ndarray) -> tuple[Fraction, ...]:
        if not float_arithmetic_is_sound():
            raise NoBound("this process does not round float64 numbers to nearest, which the bound is computed with")
        if not np.isfinite(given).all():
            raise NoBound("the input is beyond the range of float32")
        output = self._evaluated(given, error)
        if not np.isfinite(output.error).all():
            raise NoBound("numbers beyond the range of float32 may occur on the way")
        bound = tuple(Fraction(value) for value in output.error.reshape(-1).tolist())
        values = output.value.reshape(-1).tolist()
        # The float64 evaluation is one that the theorem speaks of: another reading of an operator would show here.
        if len(bound) != len(exact) or any(
            abs(Fraction(value) - one) > within for value, one, within in zip(values, exact.fractions(), bound, strict=True)
        ):
            raise NoBound("onnx's reference evaluator and this package's reader disagree on the model's function")
        return bound

    @cached_property
    def _model(self) -> FloatModel:
        from exactrelu.float_gap.error_onnx import FloatModel

        assert self._path is not None
        return FloatModel(self._path, set_aside=self._sets_aside)

    def _evaluated(self, given: np.ndarray, error: np.ndarray) -> FloatError:
        if self._is_onnx:
            shape = _with_batch(self._model.rank, self.network.input_shape)
            return self._model(FloatError.of_input(given.astype(np.float64).reshape(shape), error.reshape(shape)))
        if self._path is not None and self._path.suffix.lower() not in _CHAINS:
            raise NoBound(f"no bound is known for {self._path.suffix} files; export the model to .onnx")
        return reduce(_through, self.network.layers, FloatError.of_input(given.astype(np.float64), error))

    @property
    def _sets_aside(self) -> bool:
        """Whether the network ends before the model's last activation, whose values are not rational."""
        last = self.network.source_layers[-1].set_aside
        return last is not None and last.slopes is None

    # ---------------------------------------------------------------- observed

    def _computed(self, given: np.ndarray, outputs: int) -> tuple[tuple[float, ...] | None, str | None]:
        """What onnxruntime gives, or why there is nothing."""
        if not self._is_onnx:
            return None, "onnxruntime runs .onnx files only"
        if self._sets_aside:
            return None, "the model's last activation was set aside"
        if isinstance(self._session, str):
            return None, self._session
        try:
            (taken,) = self._session.get_inputs()
            shape = _with_batch(len(taken.shape), self.network.input_shape)
            found = self._session.run(None, {taken.name: given.reshape(shape)})[0].reshape(-1).tolist()
        except Exception as error:  # noqa: BLE001
            # onnxruntime's errors have no common root.
            return None, f"onnxruntime refuses the input ({type(error).__name__})"
        if len(found) != outputs or not all(map(math.isfinite, found)):
            return None, "onnxruntime's output is not finite, or has another length"
        return tuple(found), None

    @cached_property
    def _session(self) -> Any:
        """onnxruntime's session, or why there is none."""
        try:
            import onnxruntime
        except ImportError:
            return "onnxruntime is not installed (pip install onnxruntime)"
        options = onnxruntime.SessionOptions()
        options.log_severity_level, options.intra_op_num_threads = 4, 1
        try:
            session = onnxruntime.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])
            is_float32 = session.get_inputs()[0].type == "tensor(float)"
            return session if is_float32 else "the model does not compute in float32: its input is of another type"
        except Exception as error:  # noqa: BLE001
            return f"onnxruntime refuses the model ({type(error).__name__})"


def float_gap(network: Network, x: RationalVector, *, model: str | PathLike[str] | None = None) -> FloatGap:
    """Bound |float32 evaluation - exact evaluation| at x, of length n of the network, for each output.

    model: the file that the network was read from. For .onnx the bound speaks of the file's operators, and onnxruntime runs it; for .nnet
    and .safetensors, and without a file, of the network's lowered layers evaluated one by one (`assumes` says so); for others there is no
    bound. Raises InvalidRequestError for a point of another length and a file that the network was not read from. Theory FG1 to FG6
    (error.py).

    >>> from exactrelu import DyadicMatrix, Layer, Network, RationalVector, SourceLayer
    >>> dense = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    >>> network = Network((dense,), (SourceLayer(1, "dense", (dense,), 0),), (), (2,))
    >>> found = float_gap(network, RationalVector((1, 2), 3))
    >>> found.exact.texts(), 1e-8 < found.bound[0] < 1e-6, found.observed
    (['1'], True, None)
    """
    return FloatGapModel(network, model)(x)


def gap_report(records: Sequence[Mapping[str, Any]]) -> str:
    """The records of many rows as a table for people, with the reasons for what is missing.

    >>> record = {"row": 0, "bound": "1.00e-6", "observed": None, "class": 3, "class_proved": True, "class_observed": None}
    >>> print(gap_report([{**record, "undecided": None, "not_observed": "onnxruntime is not installed"}]))
    row  proved bound  observed  class  float32 class
      0  1.00e-6       -             3  proved
    <BLANKLINE>
    largest proved bound 1.00e-6; class proved the same in 1 of 1 rows
    not observed: onnxruntime is not installed
    """
    from exactrelu.tables import ROWS_SHOWN, table

    rows = [[record["row"], record["bound"], record["observed"], record["class"], _class_word(record)] for record in records[:ROWS_SHOWN]]
    more = f"\n.. and {len(records) - ROWS_SHOWN} more rows; --json gives all" if len(records) > ROWS_SHOWN else ""
    lines = [table(["row", "proved bound", "observed", "class", "float32 class"], rows) + more, ""]
    proved = [record for record in records if record["class_proved"]]
    largest = {key: max((record[key] for record in records if record[key]), key=Fraction, default=None) for key in ("bound", "observed")}
    if largest["bound"]:
        seen = f", observed difference {largest['observed']}" if largest["observed"] else ""
        lines.append(f"largest proved bound {largest['bound']}{seen}; class proved the same in {len(proved)} of {len(records)} rows")
    lines += [f"no bound is proved: {reason}" for reason in sorted({record["undecided"] for record in records if record["undecided"]})]
    lines += [f"not observed: {reason}" for reason in sorted({record["not_observed"] for record in records if record["not_observed"]})]
    return "\n".join(lines)


def _class_word(record: Mapping[str, Any]) -> str | None:
    """What is known of the class that the float32 program predicts."""
    if record["class_proved"]:
        return "proved"
    return None if record["class_observed"] is None else "same, not proved" if record["class_observed"] else "differs"


def _check_same(network: Network, path: Path) -> None:
    from exactrelu.network.readers import read_file

    data, _ = read_file(path)
    if not network.sources or hashlib.sha256(data).hexdigest() != network.sources[0].sha256:
        raise InvalidRequestError(f"{str(path)!r} is not the file that the network was read from; load the network from it")


def _with_batch(rank: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an input of one sample as a model with so many axes takes it."""
    return (1,) * (rank - len(shape)) + shape


def _through(state: FloatError, layer: Layer) -> FloatError:
    """A lowered layer as one operator of the float32 program."""
    weight: Any
    if isinstance(layer.stored, DyadicMatrix):
        weight = layer.stored.floats
    else:
        from scipy.sparse import csr_array

        weight = csr_array((layer.stored.floats, layer.stored.columns, layer.stored.starts), shape=layer.stored.shape)
    sizes, bias = abs(weight), layer.bias.floats[:, 0]
    counts = np.asarray((weight != 0).sum(axis=1)).reshape(-1) + 1.0
    largest = max(float(sizes.max()) if sizes.size else 0.0, float(np.abs(bias).max(initial=0)))
    state = state.summed(weight @ state.value + bias, lambda array: sizes @ array, np.abs(bias), counts, largest)
    return state.rectified(layer.rectified)
