"""A `.pt2` file of torch.export.save, read without PyTorch: a zip of JSON and raw weights, of which nothing is unpickled or run.

torch.export.load unpickles the example inputs that lie in such a file, so a file from elsewhere could run code in it. Here three kinds of
entries are looked at: the graph, `models/NAME.json`; `data/weights/NAME_weights_config.json` and its sister for constants, which say where
each tensor lies; and the entries they name, the tensors' bytes. This relies on the layout that PyTorch 2.13 writes, with version 8 of
its schema; older layouts, whose weights are pickles, are refused, as are single tensors stored as pickles when the graph reads them. Of
every entry the zip's own size is checked first, and compressed entries, which PyTorch never writes, are refused.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import ExactReluError, InvalidFileError, UnsupportedModelError
from exactrelu.exact.sparse import MAXIMAL_ENTRIES
from exactrelu.network.lowering import shown
from exactrelu.network.readers import from_bfloat16

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONGEST_JSON = 2**26
_BFLOAT16, _BOOL = 13, 12
_DTYPES = {1: "<u1", 2: "<i1", 3: "<i2", 4: "<i4", 5: "<i8", 6: "<f2", 7: "<f4", 8: "<f8", _BOOL: "<u1", _BFLOAT16: "<u2"}
_SCHEMA = 8
_REMEDY = "write it with torch.export.save of a current PyTorch (2.13 is known to fit), or export the model to .onnx"


@dataclass(frozen=True)
class Value:
    """The name of a tensor, or of an integer computed from sizes, in the graph."""

    name: str


@dataclass(frozen=True)
class Node:
    """A call in the graph: `target` such as aten.relu.default, arguments by name, and the names of what comes out."""

    target: str
    name: str
    arguments: Mapping[str, Any]
    outputs: tuple[str, ...]

    def reads(self) -> list[str]:
        """The names that the node reads, as often as it reads them."""
        values = [one for argument in self.arguments.values() for one in (argument if isinstance(argument, list) else [argument])]
        return [value.name for value in values if isinstance(value, Value)]


@dataclass(frozen=True)
class Program:
    """An exported graph with one input and one output.

    `sizes` is the input's shape, None for a symbolic dimension; `constants` are the tensors that the graph reads, by the graph's names,
    and `parameters` the names they have in the module; `kinds` are PyTorch's numbers of element types.
    """

    input: str
    sizes: tuple[int | None, ...]
    output: str
    nodes: tuple[Node, ...]
    constants: Mapping[str, np.ndarray]
    parameters: Mapping[str, str]
    kinds: Mapping[str, int]


def read_program(data: bytes, name: str) -> Program:
    """The program in the bytes of a .pt2 file; raises InvalidFileError or UnsupportedModelError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _program(_Archive(archive, len(data), name))
    except ExactReluError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError):
        raise InvalidFileError(f"{name!r} is not a .pt2 file, or is truncated; export the model again") from None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
        # Every access to the file's JSON may fail in one of these ways, and all of them mean the same.
        raise InvalidFileError(f"{name!r} does not hold a graph as torch.export writes it; export the model again") from None


class _Archive:
    """The entries of the zip by their names below its one folder."""

    def __init__(self, archive: zipfile.ZipFile, length: int, name: str) -> None:
        self.name = name
        self._archive = archive
        self._left = length
        found = [entry for entry in archive.infolist() if not entry.is_dir()]
        self._entries = {entry.filename.partition("/")[2] or entry.filename: entry for entry in found}
        if len(self._entries) != len(found):
            raise InvalidFileError(f"{name!r} holds two entries of one name; export the model again")

    def names(self) -> list[str]:
        return list(self._entries)

    def read(self, name: str, limit: int) -> bytes:
        entry = self._entries.get(name)
        if entry is None:
            raise InvalidFileError(f"{self.name!r} holds no {shown(name)}; {_REMEDY}")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > min(limit, self._left):
            raise InvalidFileError(f"the entry {shown(name)} of {self.name!r} is compressed or too large; export the model again")
        # All that is read together is no longer than the file, however its entries overlap.
        self._left -= entry.file_size
        return self._archive.read(entry)

    def json(self, name: str) -> Any:
        return json.loads(self.read(name, _LONGEST_JSON))


def _model(archive: _Archive) -> tuple[str, Any]:
    """The name of the one program in the archive, and its graph with what belongs to it."""
    names = archive.names()
    models = [name for name in names if name.startswith("models/") and name.endswith(".json")]
    if len(models) != 1:
        old = any(name.endswith("exported_program.json") for name in names)
        what = "was written by an older PyTorch, which pickles weights" if old else f"holds {len(models)} exported programs instead of one"
        raise UnsupportedModelError(f"{archive.name!r} {what}; {_REMEDY}")
    if archive.read("byteorder", 16) != b"little":
        raise UnsupportedModelError(f"{archive.name!r} was not written on a little-endian machine; {_REMEDY}")
    whole = archive.json(models[0])
    if whole["schema_version"]["major"] != _SCHEMA:
        raise UnsupportedModelError(f"{archive.name!r} has another version of PyTorch's schema than {_SCHEMA}; {_REMEDY}")
    return models[0].removeprefix("models/").removesuffix(".json"), whole["graph_module"]


def _program(archive: _Archive) -> Program:
    model, module = _model(archive)
    graph, signature = module["graph"], module["signature"]
    inputs, outputs, parameters, stored = [], [], {}, {}
    for spec in signature["input_specs"]:
        (kind,) = spec
        if kind == "user_input":
            inputs.append(_value(spec[kind]["arg"]))
        elif kind in {"parameter", "buffer", "tensor_constant"}:
            own = _text(spec[kind]["arg"]["name"])
            parameters[own] = _text(spec[kind][f"{kind}_name"])
            stored[own] = kind == "parameter" or (kind == "buffer" and spec[kind]["persistent"])
        else:
            raise UnsupportedModelError(f"{archive.name!r} has an input of kind {shown(kind)}; only tensors are supported")
    for spec in signature["output_specs"]:
        (kind,) = spec
        if kind != "user_output":
            raise UnsupportedModelError(f"{archive.name!r} changes its own state (output {shown(kind)}); export it for inference")
        outputs.append(_value(spec[kind]["arg"]))
    if len(inputs) != 1 or len(outputs) != 1 or not all(isinstance(value, Value) for value in (*inputs, *outputs)):
        raise UnsupportedModelError(
            f"the exported program has {len(inputs)} inputs and {len(outputs)} outputs; programs with one tensor each are supported"
        )
    if inputs[0].name in stored or len(stored) + 1 != len(signature["input_specs"]):
        raise ValueError("two inputs of one name")
    nodes = tuple(_node(node) for node in graph["nodes"])
    read = {name for node in nodes for name in node.reads()}
    tensors = _Tensors(archive, model)
    constants = {own: tensors.tensor(parameters[own], state=state) for own, state in stored.items() if own in read}
    kinds = {_text(name): int(meta["dtype"]) for name, meta in graph["tensor_values"].items()}
    sizes = tuple(_size(size) for size in graph["tensor_values"][inputs[0].name]["sizes"])
    return Program(inputs[0].name, sizes, outputs[0].name, nodes, constants, parameters, kinds)


# ---------------------------------------------------------------- tensors


class _Tensors:
    """The tensors of one model: parameters and buffers from its state, others from its constants."""

    def __init__(self, archive: _Archive, model: str) -> None:
        self._archive = archive
        self._configs = {
            folder: archive.json(f"{folder}{model}_{kind}_config.json")["config"]
            for folder, kind in (("data/weights/", "weights"), ("data/constants/", "constants"))
        }
        self._bytes: dict[str, bytes] = {}

    def tensor(self, name: str, *, state: bool) -> np.ndarray:
        folder = "data/weights/" if state else "data/constants/"
        entry = self._configs[folder][name]
        if entry["use_pickle"]:
            raise UnsupportedModelError(f"the tensor {shown(name)} is stored as a pickle, and opening one can run any code; {_REMEDY}")
        meta, path = entry["tensor_meta"], folder + _text(entry["path_name"])
        if meta["dtype"] not in _DTYPES or meta["layout"] != 7:
            raise UnsupportedModelError(
                f"the tensor {shown(name)} has PyTorch's element type {meta['dtype']} and layout {meta['layout']}; "
                "dense tensors of floats, integers and booleans are supported"
            )
        if path not in self._bytes:
            self._bytes[path] = self._archive.read(path, 2**31)
        return _strided(self._bytes[path], meta, name)


def _strided(data: bytes, meta: Mapping[str, Any], name: str) -> np.ndarray:
    """The tensor that sizes, strides and offset pick from the bytes."""
    dtype = np.dtype(_DTYPES[meta["dtype"]])
    sizes, strides = ([_dimension(one) for one in meta[key]] for key in ("sizes", "strides"))
    offset = _dimension(meta["storage_offset"])
    held = len(data) // dtype.itemsize
    entries = math.prod(sizes)
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if len(sizes) > 16 or entries > MAXIMAL_ENTRIES or (entries and last >= held):
        raise InvalidFileError(f"the tensor {shown(name)} of shape {tuple(sizes)[:8]} is not among its {held} stored numbers")
    flat = np.frombuffer(data, dtype=dtype, count=held)
    if entries:
        steps = [stride * dtype.itemsize for stride in strides]
        picked = np.lib.stride_tricks.as_strided(flat[offset:], sizes, steps, writeable=False)
    else:
        picked = np.zeros(sizes, dtype)
    if meta["dtype"] == _BFLOAT16:
        return from_bfloat16(picked)
    return picked != 0 if meta["dtype"] == _BOOL else picked


def _dimension(size: Any) -> int:
    value = _size(size)
    if value is None or not 0 <= value < 2**48:
        raise ValueError("no size")
    return value


# ---------------------------------------------------------------- the graph


def _node(node: Any) -> Node:
    outputs: list[str] = []
    for output in node["outputs"]:
        values = _value(output)
        outputs.extend(value.name if isinstance(value, Value) else "" for value in (values if isinstance(values, list) else [values]))
    target = _text(node["target"]).removeprefix("torch.ops.")
    name = _text(node.get("name") or next(filter(None, outputs), target))
    return Node(target, name, {_text(one["name"]): _value(one["arg"]) for one in node["inputs"]}, tuple(outputs))


def _value(argument: Any) -> Any:
    """An argument as a Python value; one of a kind that no supported operator takes is its kind's name in a tuple."""
    ((kind, value),) = argument.items()
    read = _KINDS.get(kind)
    return read(value) if read is not None else (kind,)


def _reference(value: Any) -> Value | int | None:
    """What {"name": ..}, {"as_name": ..}, {"as_int": ..}, {"as_tensor": {"name": ..}} or {"as_none": ..} names."""
    if "name" in value:
        return Value(_text(value["name"]))
    ((kind, inner),) = value.items()
    if kind == "as_name":
        return Value(_text(inner))
    if kind == "as_tensor":
        return Value(_text(inner["name"]))
    return None if kind == "as_none" else _integer(inner)


def _size(size: Any) -> int | None:
    ((kind, value),) = size.items()
    return _integer(value) if kind == "as_int" else None


def _plain(value: Any, kinds: tuple[type, ...]) -> Any:
    if not isinstance(value, kinds):
        raise TypeError("another kind of value")
    return value


def _text(value: Any) -> str:
    return str(_plain(value, (str,)))


def _integer(value: Any) -> int:
    return int(_plain(value, (int,)))


def _number(value: Any) -> float:
    # PyTorch writes the numbers that JSON lacks as texts.
    return float(_plain(value, (int, float, str)))


def _each(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: [read(value) for value in values]


_KINDS: dict[str, Callable[[Any], Any]] = {
    "as_none": lambda _: None, "as_bool": _integer, "as_int": _integer, "as_float": _number, "as_string": _text,
    "as_scalar_type": _integer, "as_tensor": _reference, "as_optional_tensor": _reference, "as_sym_int": _reference,
    "as_bools": _each(_integer), "as_ints": _each(_integer), "as_floats": _each(_number), "as_tensors": _each(_reference),
    "as_optional_tensors": _each(_reference), "as_sym_ints": _each(_reference),
}  # fmt: skip
