"""A safetensors file is the chain that its metadata describe; a description that is missing or wrong gets one clear line."""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from exactrelu.errors import ExactReluError, InvalidFileError, InvalidNumberError, UnsupportedModelError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.readers import load

POOL = [0.0, -0.0, 1.0, -0.1, 6e-8, 1e-45, 5e-324, 3.0, 60000.0]
KINDS = {"F16": np.float16, "F32": np.float32, "F64": np.float64, "BF16": None}


def encoded(values, kind):
    """(bytes, the numbers they stand for)."""
    if kind == "BF16":
        upper = (np.asarray(values, dtype=np.float32).view(np.uint32) >> 16).astype(np.uint16)
        return upper.astype("<u2").tobytes(), [struct.unpack("<f", b"\0\0" + struct.pack("<H", bits))[0] for bits in upper.reshape(-1)]
    array = np.asarray(values).astype(KINDS[kind])
    return array.tobytes(), [float(value) for value in array.reshape(-1)]


def container(tensors, metadata):
    """The file format written by hand: {name: (kind, shape, bytes)}."""
    header, body = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (kind, shape, data) in tensors.items():
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_files_equal_their_definition_over_fractions(tmp_path, data):
    widths = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    tensors, layers, steps = {}, [], []
    for index, (n, m) in enumerate(pairwise(widths)):
        kind = data.draw(st.sampled_from(sorted(KINDS)))
        draw = lambda size: data.draw(st.lists(st.sampled_from(POOL), min_size=size, max_size=size))  # noqa: E731
        raw, weights = encoded(draw(m * n), kind)
        tensors[f"{index}.weight"] = (kind, (m, n), raw)
        biases = [0.0] * m
        if data.draw(st.booleans()):
            raw, biases = encoded(draw(m), kind)
            tensors[f"{index}.bias"] = (kind, (m,), raw)
        layers.append({"linear": str(index)})
        steps.append(lambda x, w=weights, b=biases, n=n: [
            sum((Fraction(a) * v for a, v in zip(w[i * n : i * n + n], x, strict=True)), Fraction(b[i])) for i in range(len(b))
        ])  # fmt: skip
        if data.draw(st.booleans()):
            layers.append({"relu": True})
            steps.append(lambda x: [max(value, Fraction(0)) for value in x])
    path = tmp_path / "model.safetensors"
    path.write_bytes(container(tensors, {"exactrelu": json.dumps({"format": 1, "input": [1, widths[0]], "layers": layers})}))
    network = load(path)
    x = data.draw(st.lists(st.fractions(-2, 2, max_denominator=9), min_size=widths[0], max_size=widths[0]))
    state = x
    for step in steps:
        state = step(state)
    assert network(RationalVector.from_fractions(x)).fractions() == state
    assert network.input_shape == (1, widths[0])
    assert [source.name for source in network.sources] == ["model.safetensors"]


def architecture(**changes):
    return {"format": 1, "input": [2], "layers": [{"linear": "0"}, {"relu": True}, {"linear": "2"}], **changes}


def tensors(**changes):
    plain = {"0.weight": np.eye(2, dtype=np.float32), "0.bias": np.ones(2, np.float32), "2.weight": np.ones((1, 2), np.float32)}
    return {**plain, **{name.replace("_", "."): value for name, value in changes.items()}}


def test_the_names_of_a_pytorch_sequential_are_understood(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import save_file

    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)).to(torch.bfloat16)
    path = tmp_path / "model.safetensors"
    save_file(module.state_dict(), path, metadata={"exactrelu": json.dumps(architecture())})
    x = RationalVector((1, 2), 3)
    assert load(path)(x) == load(module)(x)
    assert [layer.name for layer in load(path).source_layers] == ["0", "2"]


BAD = {
    "other metadata": (tensors(), None, UnsupportedModelError, "save it with the metadata key 'exactrelu'"),
    "no JSON": (tensors(), "{", InvalidFileError, "should be JSON"),
    "deep JSON": (tensors(), "[" * 100_000, InvalidFileError, "should be JSON"),
    "a list": (tensors(), [], InvalidFileError, "should be JSON"),
    "another key": (tensors(), architecture(scale=2), InvalidFileError, "should be JSON"),
    "another format": (tensors(), architecture(format=2), UnsupportedModelError, "format '2'"),
    "format true": (tensors(), architecture(format=True), UnsupportedModelError, "format 'True'"),
    "input text": (tensors(), architecture(input="2"), InvalidFileError, '"input"'),
    "input negative": (tensors(), architecture(input=[-2]), InvalidFileError, '"input"'),
    "input enormous": (tensors(), architecture(input=[2**30] * 16), UnsupportedModelError, "limits"),
    "layers text": (tensors(), architecture(layers="0"), InvalidFileError, '"layers"'),
    "another layer": (tensors(), architecture(layers=[{"conv": "0"}]), UnsupportedModelError, "layer 1"),
    "relu false": (tensors(), architecture(layers=[{"relu": False}]), UnsupportedModelError, "layer 1"),
    "no layers": (tensors(), architecture(layers=[]), UnsupportedModelError, "no layer"),
    "a tensor missing": (tensors(), architecture(layers=[{"linear": "7"}]), InvalidFileError, "'7.weight'"),
    "a wrong width": (tensors(), architecture(input=[3]), UnsupportedModelError, "takes 2 inputs but 3"),
    "weights of rank 1": (tensors(**{"0_weight": np.ones(4, np.float32)}), architecture(), InvalidFileError, "'0.weight' has shape (4,)"),
    "a long bias": (tensors(**{"0_bias": np.ones(3, np.float32)}), architecture(), InvalidFileError, "'0.bias' has 3 entries"),
    "integers": (tensors(**{"0_weight": np.eye(2, dtype=np.int64)}), architecture(), UnsupportedModelError, "element type I64"),
    "nan": (
        tensors(**{"0_bias": np.array([0, np.nan], np.float32)}),
        architecture(),
        InvalidNumberError,
        "'0.bias' holds nan at index (1,)",
    ),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_bad_descriptions_are_refused_in_one_line(tmp_path, case):
    arrays, described, error, words = BAD[case]
    text = described if isinstance(described, str) else json.dumps(described)
    path = tmp_path / "model.safetensors"
    path.write_bytes(save(arrays, {"format": "pt"} if described is None else {"exactrelu": text}))
    with pytest.raises(error) as caught:
        load(path)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


GOOD = save(tensors(), {"exactrelu": json.dumps(architecture())})


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.booleans())
def test_damaged_files_load_or_are_refused_but_never_crash(tmp_path, index, value, cut):
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(GOOD[:index] if cut else GOOD[:index] + bytes([value]) + GOOD[index + 1 :])
    refusal = None
    try:
        load(path)
    except ExactReluError as error:
        refusal = str(error)
    assert refusal is None or len(refusal.splitlines()) == 1
    assert refusal or not cut


@pytest.mark.parametrize(
    "data",
    [b"x", b"\xff" * 99, struct.pack("<Q", 2**40) + b"{}", struct.pack("<Q", 2) + b"{}", save(tensors()), struct.pack("<Q", 4) + b"null"],
)
def test_files_that_are_no_safetensors_are_refused(tmp_path, data):
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    with pytest.raises(ExactReluError, match=r"model\.safetensors") as caught:
        load(path)
    assert len(str(caught.value).splitlines()) == 1
