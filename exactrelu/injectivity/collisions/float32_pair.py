"""An exact collision as float32 numbers can hold it: both inputs rounded, and what onnxruntime computes of the layer at them.

Rounding two inputs with one output moves each a little, so that a deployed program may see a difference in the last digits. Nothing
here is proved; it is an observation beside a proof.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.domain import Box
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.float32 import nearest_float32
from exactrelu.exact.rational import RationalVector

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from exactrelu.domain import Domain
    from exactrelu.injectivity.collisions.collision import Collision
    from exactrelu.network.model import Layer, Network, SourceLayer

# A dense layer with more weights than this is not written as a model of its own.
_MOST_WEIGHTS = 2**24
_LARGEST_FILE = 2**28
# What onnxruntime computes must be this close to the exact output, relative to the largest number in sight: else the part of the model
# that was run is not the layer.
_SAME_LAYER = 1e-2
# Operators that belong to the layer before them: those that keep it open, and those that end it.
_JOINING = {"Add", "BatchNormalization", "Div", "Flatten", "Identity", "Mul", "Neg", "Reshape", "Squeeze", "Sub", "Transpose", "Unsqueeze"}
_ENDING = {"Abs", "Clip", "LeakyRelu", "MaxPool", "PRelu", "Relu"}


class _NotEvaluatedError(Exception):
    """Why onnxruntime was not asked, in one sentence."""


@dataclass(frozen=True)
class Float32Pair:
    """The float32 inputs (n,) nearest to those of a collision, and the outputs that onnxruntime gave at them.

    `distinct`: the two differ; `inside`: both lie in the domain, exactly; `outputs` are None where nothing was run, and `note` says why.
    """

    x: np.ndarray
    y: np.ndarray
    distinct: bool
    inside: bool
    outputs: tuple[np.ndarray, np.ndarray] | None
    evaluated_by: str | None
    note: str | None

    @property
    def outputs_equal(self) -> bool | None:
        """Whether the two outputs agree in every number; None where nothing was run."""
        return None if self.outputs is None else bool(np.array_equal(*self.outputs))

    @property
    def largest_difference(self) -> Fraction | None:
        """The largest difference of two numbers of the outputs; None where nothing was run."""
        if self.outputs is None:
            return None
        pairs = zip(*(output.tolist() for output in self.outputs), strict=True)
        return max((abs(Fraction(a) - Fraction(b)) for a, b in pairs), default=Fraction(0))

    def record(self) -> dict[str, Any]:
        """The pair in the words of the JSON interface; numbers are the shortest decimals that are read as the same float32."""
        difference = self.largest_difference
        return {
            "x": _decimals(self.x),
            "y": _decimals(self.y),
            "distinct": self.distinct,
            "inside": self.inside,
            "outputs_equal": self.outputs_equal,
            "largest_difference": None if difference is None else f"{float(difference):.3g}",
            "evaluated_by": self.evaluated_by,
            "note": self.note,
        }


def float32_pair(
    network: Network, source: SourceLayer, collision: Collision, domain: Domain, model_path: str | PathLike[str] | None = None
) -> Float32Pair:
    """Round the inputs of a collision of a source layer to float32, and run the layer at both in onnxruntime.

    A coordinate that rounding puts outside a box becomes the nearest float32 number inside where there is one. A layer of one matrix with
    relus is run as Gemm and Relu, another one as the part of the .onnx file at `model_path` between its input and its output; weights that
    are not float32 numbers are run in float64. Raises InvalidRequestError where the collision is not one of this layer's inputs.

    >>> from exactrelu import Box, RationalVector, demo, injectivity, load
    >>> network, box = load(demo.MODEL), Box(RationalVector((0,) * 64), RationalVector((1,) * 64))
    >>> found = injectivity(network, layer=1, domain=box).collision
    >>> pair = float32_pair(network, network.layer(1), found, box)
    >>> pair.distinct, pair.inside, len(pair.x)
    (True, True, 64)
    """
    if len(collision.x) != source.inputs or len(collision.y) != source.inputs:
        raise InvalidRequestError(
            f"the collision has {len(collision.x)} coordinates and layer {source.number} {source.inputs} inputs; give the layer it is of"
        )
    # Adding 0 makes a zero positive.
    x, y = (_inside(nearest_float32(point)[0] + np.float32(0), domain) for point in (collision.x, collision.y))
    finite = bool(np.isfinite(x).all() and np.isfinite(y).all())
    inside = finite and all(domain.contains(RationalVector.from_floats(point.astype(np.float64))) for point in (x, y))
    distinct = not np.array_equal(x, y)
    outputs, evaluated_by, note = None, None, None if distinct else "Both inputs are nearest to the same float32 numbers."
    try:
        if not finite:
            raise _NotEvaluatedError("An input is beyond the range of float32.")
        evaluate, evaluated_by, how = _evaluator(network, source, None if model_path is None else Path(model_path))
        first, second = (_checked(source, point, evaluate(point)) for point in (x, y))
        outputs, note = (first, second), note or how
    except _NotEvaluatedError as reason:
        evaluated_by, note = None, str(reason)
    return Float32Pair(x, y, distinct, inside, outputs, evaluated_by, note)


def _decimals(values: np.ndarray) -> list[str]:
    return [str(value) for value in values]


def _inside(point: np.ndarray, domain: Domain) -> np.ndarray:
    """The point with coordinates that rounding put outside a box brought back."""
    if not isinstance(domain, Box):
        return point
    result = point.copy()
    bounds = zip(domain.lower.fractions(), domain.upper.fractions(), strict=True)
    for j, (low, high) in enumerate(bounds):
        value = point[j]
        if np.isfinite(value) and not low <= Fraction(float(value)) <= high:
            moved = np.nextafter(value, np.float32(np.inf if Fraction(float(value)) < low else -np.inf))
            if np.isfinite(moved) and low <= Fraction(float(moved)) <= high:
                result[j] = moved
    return result


def _checked(source: SourceLayer, point: np.ndarray, output: np.ndarray) -> np.ndarray:
    """The output, if it is near the exact one."""
    exact = source(RationalVector.from_floats(point.astype(np.float64))).to_float()
    if output.shape != exact.shape or not np.isfinite(output).all():
        raise _NotEvaluatedError("onnxruntime's output is not finite, or has another length.")
    scale = max(1.0, *(float(np.abs(array).max(initial=0.0)) for array in (exact, point)))
    if not (np.abs(output - exact) <= _SAME_LAYER * scale).all():
        raise _NotEvaluatedError("onnxruntime's output is far from the exact one: that part of the model is another function.")
    return output


# ---------------------------------------------------------------- onnxruntime

_Evaluator = tuple["Callable[[np.ndarray], np.ndarray]", str, str | None]


def _evaluator(network: Network, source: SourceLayer, model: Path | None) -> _Evaluator:
    """The layer as a function of a point (n,), who computes it, and what is to be said of that."""
    try:
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError:
        raise _NotEvaluatedError("onnxruntime or onnx is not installed (pip install onnx onnxruntime).") from None
    said = f"onnxruntime {onnxruntime.__version__}"
    if len(source.stages) == 1 and source.inputs * source.outputs <= _MOST_WEIGHTS:
        content, shape, is_float32 = _dense_model(source.stages[0])
    elif model is not None and model.suffix.lower() == ".onnx":
        content, shape = _part(network, source, model)
        is_float32 = True
    else:
        raise _NotEvaluatedError("The layer is not one matrix with relus, and there is no .onnx file that a part could be taken of.")
    note = None if is_float32 else "The weights are not float32 numbers: evaluated in float64 at the float32 inputs."
    return _run(content, shape, np.float32 if is_float32 else np.float64), said, note


def _run(content: bytes, shape: tuple[int, ...], number: type[np.floating[Any]]) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        (taken,) = session.get_inputs()
    except Exception as error:  # noqa: BLE001 -- onnxruntime's errors have no common root
        raise _NotEvaluatedError(f"onnxruntime refuses the layer ({type(error).__name__}).") from None

    def evaluate(point: np.ndarray) -> np.ndarray:
        try:
            return np.asarray(session.run(None, {taken.name: point.astype(number).reshape(shape)})[0]).reshape(-1)
        except Exception as error:  # noqa: BLE001
            raise _NotEvaluatedError(f"onnxruntime refuses the input ({type(error).__name__}).") from None

    return evaluate


def _dense_model(layer: Layer) -> tuple[bytes, tuple[int, ...], bool]:
    """Gemm, then Relu of the rectified outputs, as an ONNX model, the shape of its input, and whether it computes in float32."""
    from onnx import TensorProto, helper, numpy_helper

    arrays = [layer.weight, layer.bias]
    if not all(matrix.is_float64 for matrix in arrays):
        raise _NotEvaluatedError("The weights are no floats.")
    floats = [matrix.floats for matrix in arrays]
    with np.errstate(over="ignore", under="ignore"):
        is_float32 = all(np.array_equal(array.astype(np.float32).astype(np.float64), array) for array in floats)
    number = np.float32 if is_float32 else np.float64
    kind = TensorProto.FLOAT if is_float32 else TensorProto.DOUBLE
    weight, bias = (array.astype(number) for array in floats)
    constants = {"weight": weight, "bias": bias[:, 0], "rectified": layer.rectified}
    nodes = [
        helper.make_node("Gemm", ["x", "weight", "bias"], ["z"], transB=1),
        helper.make_node("Relu", ["z"], ["relu"]),
        helper.make_node("Where", ["rectified", "relu", "z"], ["y"]),
    ]
    values = [helper.make_tensor_value_info(name, kind, [1, size]) for name, size in (("x", layer.inputs), ("y", layer.outputs))]
    initializers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "layer", values[:1], values[1:], initializers)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return made.SerializeToString(), (1, layer.inputs), is_float32


def _part(network: Network, source: SourceLayer, path: Path) -> tuple[bytes, tuple[int, ...]]:
    """The part of an .onnx file that a source layer is, found by its node's name, and the shape of its input."""
    import onnx
    from onnx.utils import Extractor

    if path.stat().st_size > _LARGEST_FILE:
        raise _NotEvaluatedError("The .onnx file is too large for a part to be taken of it.")
    try:
        whole = onnx.shape_inference.infer_shapes(onnx.load(path, load_external_data=False))
        first, last = _ends(whole, source.name)
        extractor = Extractor(whole)
        part = extractor.extract_model([first], [last])
        known = {value.name: value for value in (*extractor.graph.value_info, *extractor.graph.input)}
        sizes = [dimension.dim_value or 1 for dimension in known[first].type.tensor_type.shape.dim]
    except _NotEvaluatedError:
        raise
    except Exception as error:  # noqa: BLE001 -- onnx raises anything for what it does not support
        raise _NotEvaluatedError(f"That part of the model could not be taken out ({type(error).__name__}).") from None
    if source.depth == 0 and math.prod(sizes) != source.inputs:
        sizes = [1] * (len(sizes) - len(network.input_shape)) + list(network.input_shape)
    if math.prod(sizes) != source.inputs:
        raise _NotEvaluatedError("The shape of the layer's input does not follow from the model file.")
    return part.SerializeToString(), tuple(sizes)


def _ends(whole: Any, name: str) -> tuple[str, str]:
    """The names of a layer's input and output tensors: from the node of that name up to the activation that follows it."""
    constants = {tensor.name for tensor in whole.graph.initializer}
    found = [node for node in whole.graph.node if name in {node.name, *node.output}]
    if len(found) != 1:
        raise _NotEvaluatedError("No single node of the model file has the layer's name.")
    (first,) = (value for value in found[0].input[:1])
    last = found[0]
    outputs = {value.name for value in whole.graph.output}
    while last.op_type not in _ENDING:
        readers = [node for node in whole.graph.node if last.output[0] in node.input]
        if len(readers) != 1 or last.output[0] in outputs or readers[0].op_type not in _JOINING | _ENDING:
            break
        if any(given not in constants for given in readers[0].input if given and given != last.output[0]):
            break
        last = readers[0]
    return first, last.output[0]
