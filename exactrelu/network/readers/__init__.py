"""One way in for every kind of model: `load` looks at the suffix, checks the file, and calls the reader for it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from exactrelu.errors import InvalidFileError, InvalidRequestError, UnsupportedModelError
from exactrelu.network.model import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import torch

    from exactrelu.network.model import Network

MAXIMAL_FILE = 2**31

_PICKLES = {".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin"}


def load(model: str | os.PathLike[str] | torch.nn.Module, *, input_shape: Sequence[int] | None = None) -> Network:
    """Read a model from a .onnx, .pt2, .safetensors or .nnet file, or take a torch.nn.Module, as an exact network.

    A module that is more than a chain of dense layers is traced with an example input of the shape `input_shape`, the batch first, such
    as (1, 3, 32, 32); files know their shapes.

    Raises InvalidRequestError for what is no model or no shape, InvalidFileError for a file that is missing, empty, too large or not what
    its suffix says, UnsupportedModelError for what no reader supports (pickles among it: opening one can run code), InvalidNumberError for
    weights that are not finite.

    >>> load("missing.onnx")
    Traceback (most recent call last):
    exactrelu.errors.InvalidFileError: 'missing.onnx' does not exist; check the path
    """
    if not isinstance(model, (str, os.PathLike)):
        from exactrelu.network.readers.from_torch import from_torch

        return from_torch(model, input_shape=input_shape)
    if input_shape is not None:
        raise InvalidRequestError(f"input_shape is given for the file {str(model)!r}, which has its own; leave it out")
    path = Path(model)
    suffix = path.suffix.lower()
    check_file(path)
    if suffix == ".onnx":
        from exactrelu.network.readers.from_onnx import from_onnx

        return from_onnx(path)
    if suffix == ".pt2":
        from exactrelu.network.readers.from_torch_export import from_pt2

        return from_pt2(path)
    if suffix == ".safetensors":
        from exactrelu.network.readers.from_safetensors import from_safetensors

        return from_safetensors(path)
    if suffix == ".nnet":
        from exactrelu.network.readers.from_nnet import from_nnet

        return from_nnet(path)
    if suffix in _PICKLES:
        raise UnsupportedModelError(
            f"{str(path)!r} is a pickle, and opening one can run any code; save the model as .onnx (torch.onnx.export), "
            ".pt2 (torch.export.save) or .safetensors, or give the torch.nn.Module itself to exactrelu.load"
        )
    raise UnsupportedModelError(
        f"{str(path)!r}: {suffix or 'a file without suffix'} is no model format known here; give a .onnx, .pt2, .safetensors or .nnet file"
    )


def check_file(path: Path) -> None:
    """Raise InvalidFileError unless `path` is a regular file with 1 byte to 2 GiB."""
    try:
        if not path.exists():
            raise InvalidFileError(f"{str(path)!r} does not exist; check the path")
        if not path.is_file():
            raise InvalidFileError(f"{str(path)!r} is not a regular file; give the model's file")
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidFileError):
            raise
        raise InvalidFileError(f"{str(path)!r} cannot be read ({_reason(error)}); check the path and its permissions") from None
    if size == 0:
        raise InvalidFileError(f"{str(path)!r} is empty; it was not written completely, so export the model again")
    if size > MAXIMAL_FILE:
        raise InvalidFileError(f"{str(path)!r} has {size} bytes; the limit is 2 GiB")


def read_file(path: Path) -> tuple[bytes, Source]:
    """All bytes of a file that `check_file` accepts, and the source they make."""
    check_file(path)
    try:
        with path.open("rb") as file:
            # `read(n)` reserves n bytes at once: ask for what is there, and no more than the limit should it grow.
            data = file.read(min(MAXIMAL_FILE, os.fstat(file.fileno()).st_size))
    except OSError as error:
        raise InvalidFileError(f"{str(path)!r} cannot be read ({_reason(error)}); check its permissions") from None
    return data, Source(hashlib.sha256(data).hexdigest(), len(data), path.name)


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """The float32 numbers whose upper halves are these 16 bits, which is what a bfloat16 is: uint16 of any shape.

    >>> import numpy as np
    >>> from_bfloat16(np.array([0x3FC0], dtype=np.uint16)).tolist()
    [1.5]
    """
    return (bits.astype("<u4") << 16).view("<f4")


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
