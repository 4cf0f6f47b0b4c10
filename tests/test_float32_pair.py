"""The float32 pair beside a collision: rounded as numpy rounds, inside the domain, run as onnxruntime runs the model."""

from __future__ import annotations

import builtins
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples

from exactrelu import demo
from exactrelu.domain import AllSpace, Box, Domain, Orthant
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity import injectivity
from exactrelu.injectivity.collisions.collision import Collision
from exactrelu.injectivity.collisions.float32_pair import Float32Pair, float32_pair
from exactrelu.network.model import Layer, Network, SourceLayer
from exactrelu.network.readers import load

if TYPE_CHECKING:
    from collections.abc import Sequence

PUBLIC = Path(__file__).resolve().parents[2] / "shared" / "networks" / "public"


def network(layer: Layer) -> Network:
    return Network((layer,), (SourceLayer(1, "only", (layer,), 0),), (), (layer.inputs,))


def dense(rows: Any, biases: Any, rectified: Any = True) -> Layer:
    weight = DyadicMatrix.from_floats(np.array(rows, dtype=float))
    mask = np.broadcast_to(np.array(rectified, dtype=bool), weight.shape[0]).copy()
    return Layer(weight, DyadicMatrix.from_floats(np.reshape(biases, (-1, 1)).astype(float)), mask)


def pair_of(layer: Layer, x: Sequence[Fraction], y: Sequence[Fraction], domain: Domain) -> Float32Pair:
    first, second = (RationalVector.from_fractions(point) for point in (x, y))
    return float32_pair(network(layer), network(layer).layer(1), Collision(first, second, layer(first)), domain)


# Numbers whose float64 is their own value, so that numpy rounds them once.
DYADIC = st.builds(
    lambda numerator, exponent: Fraction(numerator) * Fraction(2) ** exponent, st.integers(-(2**40), 2**40), st.integers(-60, 10)
)


@examples(100)
@given(st.lists(st.tuples(DYADIC, DYADIC), min_size=1, max_size=5))
def test_inputs_are_rounded_as_numpy_rounds(pairs: list[tuple[Fraction, Fraction]]) -> None:
    x, y = zip(*pairs, strict=True)
    found = pair_of(dense([[0.0] * len(x)], [0.0]), x, y, AllSpace())
    want = [np.array([float(value) for value in point]).astype(np.float32) for point in (x, y)]
    assert np.array_equal(found.x, want[0]) and np.array_equal(found.y, want[1])
    assert found.distinct == (want[0].tolist() != want[1].tolist())
    assert (found.note is None) == found.distinct
    record = found.record()
    assert [np.float32(text) for text in record["x"]] == want[0].tolist(), "decimals are read as the same numbers"
    assert record["outputs_equal"] is True and record["largest_difference"] == "0"


@examples(100)
@given(st.lists(st.tuples(st.fractions(-2, 2, max_denominator=60), st.fractions(0, 1, max_denominator=60)), min_size=1, max_size=4))
def test_rounding_does_not_leave_a_box_that_holds_float32_numbers(bounds: list[tuple[Fraction, Fraction]]) -> None:
    lower = [low for low, _ in bounds]
    upper = [low + width for low, width in bounds]
    box = Box(RationalVector.from_fractions(lower), RationalVector.from_fractions(upper))
    found = pair_of(dense([[0.0] * len(lower)], [0.0]), lower, upper, box)
    points = [Fraction(float(value)) for value in (*found.x, *found.y)]
    inside = all(low <= value <= high for value, low, high in zip(points, lower * 2, upper * 2, strict=True))
    assert found.inside == inside
    if all(width > Fraction(1, 1000) or (low.denominator & (low.denominator - 1)) == 0 for low, width in bounds):
        assert inside


def test_a_mixed_layer_and_float64_weights_are_run_as_they_are() -> None:
    layer = dense([[1.0, 1.0], [-1.0, -1.0], [0.5, 0.5]], [0.0, 0.0, -1.0], [True, False, True])
    found = pair_of(layer, [Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)], AllSpace())
    assert found.outputs is not None
    assert [output.tolist() for output in found.outputs] == [[1.0, -1.0, 0.0]] * 2
    third = pair_of(dense([[0.1, 0.1]], [0.0]), [Fraction(1, 3), Fraction(0)], [Fraction(0), Fraction(1, 3)], Orthant())
    assert third.outputs is not None and third.outputs[0].dtype == np.float64
    assert "float64" in (third.note or "")
    assert third.inside and third.distinct and third.outputs_equal


def test_the_demo_agrees_with_its_model_run_directly() -> None:
    import onnx
    import onnxruntime
    from onnx.utils import Extractor

    model = load(demo.MODEL)
    box = Box(RationalVector((0,) * 64), RationalVector((1,) * 64))
    collision = injectivity(model, layer=1, domain=box).collision
    assert collision is not None
    found = float32_pair(model, model.layer(1), collision, box, demo.MODEL)
    part = Extractor(onnx.shape_inference.infer_shapes(onnx.load(demo.MODEL))).extract_model(["pixels"], ["/2/Relu_output_0"])
    session = onnxruntime.InferenceSession(part.SerializeToString(), providers=["CPUExecutionProvider"])
    assert found.outputs is not None
    for point, output in zip((found.x, found.y), found.outputs, strict=True):
        (direct,) = session.run(None, {"pixels": point.reshape(1, *model.input_shape)})
        assert np.abs(direct.reshape(-1) - output).max() <= 1e-5
    assert found.inside and found.distinct
    assert found.evaluated_by == f"onnxruntime {onnxruntime.__version__}"
    assert found.largest_difference == Fraction(float(np.abs(found.outputs[0] - found.outputs[1]).max()))


@pytest.mark.parametrize(("name", "number"), [("verivital_Convnet_maxpool.onnx", 1), ("verivital_Convnet_maxpool.onnx", 2)])
def test_convolutions_and_pooling_are_parts_of_the_file(name: str, number: int) -> None:
    if not PUBLIC.is_dir():
        pytest.skip("../shared/networks is absent")
    model = load(PUBLIC / name)
    source = model.layer(number)
    x = RationalVector((1,) * source.inputs, 3)
    found = float32_pair(model, source, Collision(x, x, source(x)), AllSpace(), PUBLIC / name)
    assert found.outputs is not None
    assert np.abs(found.outputs[0] - source(x).to_float()).max() < 1e-4
    without = float32_pair(model, source, Collision(x, x, source(x)), AllSpace())
    assert without.outputs_equal is None
    assert ".onnx file" in (without.note or "")


def test_what_cannot_be_run_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = [Fraction(10) ** 50]
    found = pair_of(dense([[0.0]], [0.0]), huge, [Fraction(0)], AllSpace())
    assert (found.inside, found.outputs_equal, found.largest_difference) == (False, None, None)
    assert "range of float32" in (found.note or "")
    integers = Layer(DyadicMatrix.from_integers([[2**3000]], 1), DyadicMatrix.from_floats([[-1.0]]), np.array([True]))
    assert "no floats" in (pair_of(integers, [Fraction(-1)], [Fraction(-2)], AllSpace()).note or "")
    with pytest.raises(InvalidRequestError, match="coordinates"):
        pair_of(dense([[0.0]], [0.0]), [Fraction(0)] * 2, [Fraction(1)] * 2, AllSpace())
    genuine = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "onnxruntime":
            raise ImportError(name)
        return genuine(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    record = pair_of(dense([[0.0]], [0.0]), [Fraction(0)], [Fraction(1)], AllSpace()).record()
    assert record["evaluated_by"] is None and record["distinct"] is True
    assert "not installed" in record["note"]
