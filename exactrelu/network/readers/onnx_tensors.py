"""The constants of a graph by name: arrays, and the tensors of an ONNX file and its external data, read when first asked for."""

from __future__ import annotations

import math
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidFileError, UnsupportedModelError
from exactrelu.exact.rational import exact_float64
from exactrelu.exact.sparse import MAXIMAL_ENTRIES
from exactrelu.network.lowering import shown
from exactrelu.network.readers import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from onnx import AttributeProto, NodeProto, TensorProto

    from exactrelu.network.model import Source

_FLOATS = {1: 4, 10: 2, 11: 8, 16: 2}  # TensorProto: FLOAT, FLOAT16, DOUBLE, BFLOAT16, and their sizes in bytes
_CONSTANTS = {"value_float": 1, "value_int": 2, "value": 4, "value_floats": 6, "value_ints": 7}  # AttributeProto: the types
_SIZES = {**_FLOATS, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1}  # UINT8, INT8, UINT16, INT16, INT32, INT64, BOOL besides
_MOST_FOLDED = 2**26


def attribute_value(attribute: AttributeProto) -> Any:
    """What an attribute holds; None where it holds nothing that can be read."""
    from onnx.helper import get_attribute_value

    try:
        return get_attribute_value(attribute)
    except ValueError:
        return None


class Tensors:
    """Constants by name. Raises InvalidFileError for broken tensors and external data, UnsupportedModelError for other types."""

    def __init__(self, initializers: Iterable[TensorProto] = (), folder: Path | None = None) -> None:
        self._folder = folder
        self._protos: dict[str, TensorProto] = {}
        self._arrays: dict[str, np.ndarray] = {}
        self.sources: list[Source] = []
        self._external: dict[str, bytes] = {}
        self._folded = 0
        for tensor in initializers:
            self._claim(tensor.name)
            self._protos[tensor.name] = tensor
            if tensor.data_location == tensor.EXTERNAL:
                self._external_file(tensor)

    def __contains__(self, name: str) -> bool:
        return name in self._protos or name in self._arrays

    def _claim(self, name: str) -> None:
        if name in self:
            raise InvalidFileError(f"the constant {shown(name)} is defined twice; the file breaks the ONNX format")

    def add_constant(self, node: NodeProto) -> None:
        """Take in a Constant node."""
        name = node.output[0]
        self._claim(name)
        if len(node.attribute) != 1:
            raise InvalidFileError(
                f"Constant node {shown(node.name or name)} has {len(node.attribute)} values; the file breaks the ONNX format"
            )
        attribute = node.attribute[0]
        value = attribute_value(attribute)
        if attribute.type != _CONSTANTS.get(attribute.name) or value is None:
            raise InvalidFileError(
                f"Constant node {shown(node.name or name)} holds no tensor and no number; the file breaks the ONNX format"
            )
        if attribute.name == "value":
            self._protos[name] = value
            if value.data_location == value.EXTERNAL:
                self._external_file(value)
        else:
            self._arrays[name] = np.array(value, dtype=np.int64 if "int" in attribute.name else np.float32)

    def add_alias(self, name: str, existing: str) -> None:
        """Take in an Identity node of a constant."""
        self._claim(name)
        if existing in self._protos:
            self._protos[name] = self._protos[existing]
        else:
            self._arrays[name] = self._arrays[existing]

    def add_stored(self, name: str, array: np.ndarray) -> None:
        """Take in a constant that the model holds."""
        self._claim(name)
        self._arrays[name] = array

    def add_array(self, name: str, array: np.ndarray) -> None:
        """Take in a constant that was computed from others."""
        self._claim(name)
        self._folded += array.size
        if self._folded > _MOST_FOLDED:
            raise UnsupportedModelError(
                f"the model computes more than {_MOST_FOLDED} constants, up to {shown(name)}; fold constants when exporting the model"
            )
        self._arrays[name] = array

    def shape(self, name: str) -> tuple[int, ...]:
        if name in self._protos:
            return tuple(self._protos[name].dims)
        return self._arrays[name].shape

    def stored(self, name: str) -> np.ndarray:
        """The array as it is stored."""
        if name not in self._arrays:
            self._arrays[name] = self.read(name, self._protos[name])
        return self._arrays[name]

    def floats(self, name: str) -> np.ndarray:
        """The array as float64, exactly."""
        if name in self._protos:
            self.check_type(self._protos[name].data_type, f"the tensor {shown(name)}")
        elif self._arrays[name].dtype.kind in "iub":
            raise UnsupportedModelError(
                f"the tensor {shown(name)} holds integers ({self._arrays[name].dtype}); "
                "float16, bfloat16, float32 and float64 are supported"
            )
        return exact_float64(self.stored(name), name=f"the tensor {shown(name)}")

    def integers(self, name: str) -> list[int]:
        """A list of integers, such as a shape."""
        array = self.stored(name)
        if array.dtype != np.int64 or array.ndim > 1 or array.size > 64:
            raise InvalidFileError(f"the tensor {shown(name)} should be a shape, a short list of int64; the file breaks the ONNX format")
        return [int(value) for value in array.reshape(-1)]

    def attribute(self, name: str, value: object) -> np.ndarray:
        """The array of an attribute that has to hold a tensor."""
        from onnx import TensorProto

        if not isinstance(value, TensorProto) or value.data_location == value.EXTERNAL:
            raise InvalidFileError(f"the attribute {shown(name)} holds no tensor; the file breaks the ONNX format")
        return self.read(name, value)

    @staticmethod
    def check_type(kind: int, what: str) -> None:
        """Refuse element types other than the four kinds of floats."""
        from onnx import TensorProto

        if kind not in _FLOATS:
            name = TensorProto.DataType.Name(kind) if kind in TensorProto.DataType.values() else str(kind)
            raise UnsupportedModelError(f"{what} has element type {name}; float16, bfloat16, float32 and float64 are supported")

    def read(self, name: str, tensor: TensorProto) -> np.ndarray:
        """The array that a tensor of the file holds."""
        from onnx import numpy_helper

        entries = math.prod(tensor.dims)
        if tensor.data_type not in _SIZES:
            self.check_type(tensor.data_type, f"the tensor {shown(name)}")
        if any(dim < 0 for dim in tensor.dims) or entries > MAXIMAL_ENTRIES:
            raise UnsupportedModelError(
                f"the tensor {shown(name)} has shape {tuple(tensor.dims)[:8]}; at most {MAXIMAL_ENTRIES} entries are supported"
            )
        if tensor.data_location == tensor.EXTERNAL:
            inline = type(tensor)(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
            inline.raw_data = self._external_bytes(tensor, entries * _SIZES[tensor.data_type])
            tensor = inline
        try:
            return np.asarray(numpy_helper.to_array(tensor))
        except (ValueError, TypeError) as error:
            reason = str(error).splitlines()[0][:120] if str(error) else "no data"
            raise InvalidFileError(
                f"the tensor {shown(name)} holds other data than its shape says ({reason}); export the model again"
            ) from None

    # ---- external data

    def _external_file(self, tensor: TensorProto) -> bytes:
        """The bytes of the file that a tensor lives in; it lies in the model's folder or below it."""
        location = {entry.key: entry.value for entry in tensor.external_data}.get("location", "")
        if location not in self._external:
            assert self._folder is not None
            named = f"the external data {shown(location)} of tensor {shown(tensor.name)}"
            folder = self._folder.resolve()
            parts = PurePosixPath(location)
            try:
                path = (folder / location).resolve()
                inside = path.is_relative_to(folder) and not parts.is_absolute() and ".." not in parts.parts and "\\" not in location
                missing = not path.exists()
            except (OSError, ValueError, RuntimeError):
                inside, missing = False, True
            if not (inside and location):
                raise InvalidFileError(f"{named} would lie outside the model's folder, which is refused")
            if missing:
                raise InvalidFileError(f"{named} is missing; put it beside the model")
            self._external[location], source = read_file(path)
            self.sources.append(source)
        return self._external[location]

    def _external_bytes(self, tensor: TensorProto, size: int) -> bytes:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        texts = (entries.get("offset", "0"), entries.get("length", str(size)))
        offset, length = (int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1 for text in texts)
        data = self._external_file(tensor)[offset : offset + size]
        if offset < 0 or length != size or len(data) != size:
            raise InvalidFileError(
                f"the external data of tensor {shown(tensor.name)} should be {size} bytes at offset {texts[0][:20]!r}, and are not; "
                "the files do not belong together or one is truncated"
            )
        return data
