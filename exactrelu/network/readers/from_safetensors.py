"""A safetensors file with the architecture in its metadata.

safetensors holds named tensors only, so the file's metadata says how they are joined: the key `exactrelu` holds the JSON object

    {"format": 1, "input": [28, 28], "layers": [{"linear": "1"}, {"relu": true}, {"linear": "3"}]}

`input` is the shape of one sample, read in row-major order. `{"linear": NAME}` is z = W x + b with the tensors `NAME.weight` of
shape (m, n) and, where there is one, `NAME.bias` of shape (m,), which are the names that torch.nn.Sequential gives; `{"relu": true}`
is a relu of every coordinate. Other keys are refused, tensors that no layer names are ignored. Tensors are F16, BF16, F32 or F64. To
write such a file from a torch.nn.Sequential:

    architecture = {"format": 1, "input": [784], "layers": [{"linear": "0"}, {"relu": True}, {"linear": "2"}]}
    safetensors.torch.save_file(model.state_dict(), "model.safetensors", metadata={"exactrelu": json.dumps(architecture)})
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidFileError, UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix, exact_float64
from exactrelu.network.lowering import DenseChain, shown
from exactrelu.network.readers import from_bfloat16, read_file

if TYPE_CHECKING:
    from pathlib import Path

    from exactrelu.network.model import Network

_KEY = "exactrelu"
_LONGEST_ARCHITECTURE = 2**20
_EXAMPLE = '{"format": 1, "input": [784], "layers": [{"linear": "0"}, {"relu": true}, {"linear": "2"}]}'
_DTYPES: dict[str, np.dtype[Any]] = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "BF16": np.dtype("<u2")}


def from_safetensors(path: Path) -> Network:
    """Read a safetensors file whose metadata describe a chain of dense layers, as the module's docstring specifies.

    Raises InvalidFileError for a broken file or description, UnsupportedModelError where the description is missing or names what is not
    supported, InvalidNumberError for weights that are not finite.
    """
    from safetensors import SafetensorError, deserialize

    data, source = read_file(path)
    try:
        tensors = dict(deserialize(data))  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        reason = str(error).splitlines()[0][:120]
        raise InvalidFileError(f"{str(path)!r} is not a safetensors file, or is truncated ({reason}); write it again") from None
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    input_shape, layers = _architecture((header.get("__metadata__") or {}).get(_KEY), path)
    chain = DenseChain(math.prod(input_shape))
    for position, layer in enumerate(layers, 1):
        if layer == {"relu": True}:
            chain.relu(f"relu{position}")
            continue
        name = layer["linear"]
        weight = DyadicMatrix(np.ascontiguousarray(_tensor(tensors, f"{name}.weight", 2)))
        bias = _tensor(tensors, f"{name}.bias", 1) if f"{name}.bias" in tensors else np.zeros(weight.shape[0])
        if bias.shape[0] != weight.shape[0]:
            raise InvalidFileError(f"the tensor {shown(name + '.bias')} has {bias.shape[0]} entries for {weight.shape[0]} rows of weights")
        chain.affine(name, weight, DyadicMatrix(bias.reshape(-1, 1)))
    return chain.network((source,), input_shape)


def _architecture(text: object, path: Path) -> tuple[tuple[int, ...], list[dict[str, Any]]]:
    """Check the description and return the input's shape and the layers."""
    if text is None:
        raise UnsupportedModelError(
            f"{str(path)!r} says nothing of the architecture; save it with the metadata key {_KEY!r} set to JSON such as {_EXAMPLE}"
        )
    if not isinstance(text, str) or len(text) > _LONGEST_ARCHITECTURE:
        raise InvalidFileError(f"the metadata {_KEY!r} of {str(path)!r} are longer than {_LONGEST_ARCHITECTURE} characters")
    try:
        described = json.loads(text)
    except (ValueError, RecursionError):
        described = None
    if not isinstance(described, dict) or set(described) != {"format", "input", "layers"}:
        raise InvalidFileError(f"the metadata {_KEY!r} of {str(path)!r} should be JSON such as {_EXAMPLE}")
    if described["format"] != 1 or isinstance(described["format"], bool):
        raise UnsupportedModelError(f"the metadata {_KEY!r} have format {shown(str(described['format']))}; this version reads format 1")
    shape, layers = described["input"], described["layers"]
    if not isinstance(shape, list) or len(shape) > 16 or not all(type(dim) is int and 0 <= dim < 2**31 for dim in shape):
        raise InvalidFileError(f'"input" in the metadata {_KEY!r} is {shown(str(shape))}; give the shape of one sample, such as [784]')
    if not isinstance(layers, list):
        raise InvalidFileError(f'"layers" in the metadata {_KEY!r} is no list; write them as in {_EXAMPLE}')
    for position, layer in enumerate(layers, 1):
        linear = isinstance(layer, dict) and set(layer) == {"linear"} and isinstance(layer["linear"], str)
        relu = isinstance(layer, dict) and set(layer) == {"relu"} and layer["relu"] is True
        if not (linear or relu):
            raise UnsupportedModelError(
                f"layer {position} in the metadata {_KEY!r} is {shown(json.dumps(layer))}; "
                'supported are {"linear": NAME} and {"relu": true}'
            )
    return tuple(shape), layers


def _tensor(tensors: dict[str, Any], name: str, rank: int) -> np.ndarray:
    if name not in tensors:
        raise InvalidFileError(f"the architecture names the tensor {shown(name)}, which the file does not hold; it holds {_some(tensors)}")
    kind, shape = tensors[name]["dtype"], tuple(tensors[name]["shape"])
    if kind not in _DTYPES:
        raise UnsupportedModelError(f"the tensor {shown(name)} has element type {kind}; F16, BF16, F32 and F64 are supported")
    if len(shape) != rank:
        raise InvalidFileError(f"the tensor {shown(name)} has shape {shape}; weights have shape (m, n) and biases (m,)")
    stored = np.frombuffer(tensors[name]["data"], dtype=_DTYPES[kind]).reshape(shape)
    values = from_bfloat16(stored) if kind == "BF16" else stored
    return exact_float64(values, name=f"the tensor {shown(name)}")


def _some(tensors: dict[str, Any]) -> str:
    names = sorted(tensors)
    return ", ".join(shown(name) for name in names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "") or "none"
