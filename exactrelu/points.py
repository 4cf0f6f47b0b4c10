"""Points read from array files, exactly: a float is the dyadic number it holds, a pixel k with scale 1/255 is k/255.

A file is hostile input: no pickles, sizes are checked against the file before anything is allocated, and only the rows
asked for are converted.
"""

from __future__ import annotations

import hashlib
import math
import re
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import ExactReluError, InvalidFileError, InvalidNumberError, InvalidRequestError
from exactrelu.exact.rational import RationalVector, parse_rational

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike
    from pathlib import Path

ARRAY_BYTES = 2**30
TEXT_BYTES = 2**28
_HEADER_BYTES = 10_000
_SLICE = re.compile(r"(\d{0,18}):(\d{0,18})")


@dataclass(frozen=True)
class Points:
    """Points of a file: the rows asked for, the index of each in the file, the file's SHA-256, the scale they were multiplied by."""

    rows: tuple[RationalVector, ...]
    indices: tuple[int, ...]
    sha256: str
    scale: Fraction = Fraction(1)

    def constant_coordinates(self) -> dict[int, Fraction]:
        """The coordinates that have one value in every row, with that value.

        >>> Points((RationalVector((1, 2), 2), RationalVector((1, 3), 2)), (0, 1), "").constant_coordinates()
        {0: Fraction(1, 2)}
        """
        if not self.rows:
            return {}
        first = self.rows[0]
        held = list(range(len(first)))
        for row in self.rows[1:]:
            ours, theirs = first.numerators, row.numerators
            held = [j for j in held if ours[j] * row.denominator == theirs[j] * first.denominator]
        return {j: Fraction(first.numerators[j], first.denominator) for j in held}


def read_points(
    path: str | PathLike[str],
    *,
    shape: tuple[int, ...],
    inputs: int,
    scale: Fraction | None = None,
    rows: str | slice | None = None,
) -> Points:
    """Read points of R^inputs from `.npy`, `.npz` (the array `x`, else the only one) or `.csv` (exact decimals or p/q).

    The array has shape (rows, inputs), (rows, *shape) or is one point; axes of length 1 do not count, and where `shape` has
    one axis an image is flattened row by row. `scale` multiplies exactly. `rows` is "A:B", from row A up to but not with row B.

    Raises InvalidFileError for a file that cannot be read; InvalidNumberError for nan and infinity; InvalidRequestError for
    another shape, for rows that do not exist, and for integers above 1 in an array where no scale is given.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "pixels.npy")
    ...     np.save(path, np.array([[0, 255], [51, 1]], dtype=np.uint8))
    ...     points = read_points(path, shape=(2,), inputs=2, scale=Fraction(1, 255), rows="1:2")
    >>> points.indices, points.rows[0].texts()
    ((1,), ['1/5', '1/255'])
    """
    from pathlib import Path

    path = Path(path)
    factor = Fraction(1) if scale is None else scale
    if path.suffix.lower() == ".csv":
        lines = _csv_lines(path)
        indices = _selected(rows, len(lines), path)
        found = tuple(_csv_row(path, index, lines[index], inputs, factor) for index in indices)
    elif path.suffix.lower() in {".npy", ".npz"}:
        array = read_array(path, "x", else_only=True)
        if scale is None and array.dtype.kind in "iu" and array.size and int(array.max()) > 1:
            raise InvalidRequestError(
                f"{path} holds {array.dtype} values up to {array.max()}; give --scale, such as --scale 1/{array.max()}"
                " for pixels, or --scale 1 to take them as they are"
            )
        table = _as_rows(array, shape, inputs, path)
        indices = _selected(rows, len(table), path)
        found = tuple(RationalVector.from_floats(table[index], scale=factor, name=f"{path}, row {index}") for index in indices)
    else:
        raise InvalidRequestError(f"points are read from .npy, .npz or .csv, not from {path.name[:80]!r}; convert it")
    return Points(found, tuple(indices), _sha256(path), factor)


def _as_rows(array: np.ndarray, shape: tuple[int, ...], inputs: int, path: Path) -> np.ndarray:
    """The array as (rows, inputs)."""
    if array.ndim >= 2 and _fits(array.shape[1:], shape, inputs):
        return array.reshape(len(array), inputs)
    if _fits(array.shape, shape, inputs):
        return array.reshape(1, inputs)
    wanted = f"(rows, {inputs})" if len(shape) < 2 else f"(rows, {inputs}) or (rows, {', '.join(map(str, shape))})"
    raise InvalidRequestError(f"{path} has shape {_tuple(array.shape)}, but {inputs} values make a point; give {wanted} or one point")


def _fits(found: tuple[int, ...], shape: tuple[int, ...], inputs: int) -> bool:
    """Whether an array of shape `found` is one point: flat, or with the axes of `shape`, or any image for a flat input."""
    axes = [length for length in shape if length != 1]
    given = [length for length in found if length != 1]
    if math.prod(found) != inputs or not found:
        return found == shape
    return found == (inputs,) or given == axes or len(axes) < 2


def _tuple(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def _selected(rows: str | slice | None, count: int, path: Path) -> range:
    """The row numbers that `rows` selects of `count`."""
    first, last = _bounds(rows)
    last = count if last is None else last
    if count == 0:
        raise InvalidRequestError(f"{path} holds no point; give a file with at least one row")
    if first >= last or last > count:
        asked = rows if isinstance(rows, str) else f"{first}:{last}"
        raise InvalidRequestError(f"rows {asked} do not exist in {path}; it has {count} rows, numbered from 0: at most 0:{count}")
    return range(first, last)


def _bounds(rows: str | slice | None) -> tuple[int, int | None]:
    if rows is None:
        return 0, None
    if isinstance(rows, slice):
        if rows.step not in {None, 1} or (rows.start or 0) < 0 or (rows.stop is not None and rows.stop < 0):
            raise InvalidRequestError(f"{rows} is not a slice of rows; give slice(A, B) with 0 <= A < B")
        return rows.start or 0, rows.stop
    match = _SLICE.fullmatch(rows)
    if not match:
        raise InvalidRequestError(f"{rows[:40]!r} is not a slice of rows; write A:B with whole numbers from 0, such as 0:100")
    return int(match[1] or 0), int(match[2]) if match[2] else None


def read_array(path: Path, name: str, *, else_only: bool = False) -> np.ndarray:
    """Read an array of numbers from a `.npy` file, or the array `name` of a `.npz` file (`else_only`: else its only array).

    Raises InvalidFileError for a missing, truncated or too large file and for objects, InvalidNumberError for other types.
    """
    with _refusals(path):
        if path.suffix.lower() == ".npz":
            array = _read_member(path, name, else_only=else_only)
        else:
            with path.open("rb") as stream:
                array = _read_npy(stream, str(path), path.stat().st_size)
    return array


def _read_member(path: Path, name: str, *, else_only: bool) -> np.ndarray:
    with zipfile.ZipFile(path) as archive:
        names = [member[:-4] for member in archive.namelist() if member.endswith(".npy")]
        if name not in names:
            if not else_only or len(names) != 1:
                held = ", ".join(names[:8]) or "none"
                raise InvalidFileError(f"{path} has no array {name!r} (its arrays: {held}); save it with numpy.savez(FILE, {name}=...)")
            name = names[0]
        member = archive.getinfo(f"{name}.npy")
        with archive.open(member) as stream:
            return _read_npy(stream, f"{path}: {name}", member.file_size)


def _read_npy(stream: Any, label: str, available: int) -> np.ndarray:
    """One array in NumPy's format, of which `available` bytes are there; the header is believed only as far as they reach."""
    version = np.lib.format.read_magic(stream)
    if version not in {(1, 0), (2, 0)}:
        raise InvalidFileError(f"{label} is in version {version} of NumPy's format, which holds records; save a plain array of numbers")
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream, max_header_size=_HEADER_BYTES)
    if dtype.hasobject:
        raise InvalidFileError(f"{label} holds Python objects, which could run code when read; save an array of numbers")
    if dtype.kind not in "fiub":
        raise InvalidNumberError(f"{label} has element type {dtype}; save floats or integers")
    size = math.prod(shape) * dtype.itemsize
    if size > ARRAY_BYTES:
        raise InvalidFileError(f"{label} has {size} bytes; the limit is {ARRAY_BYTES}: split it")
    if size > available:
        raise InvalidFileError(f"{label} is truncated: its header announces {size} bytes, {available} are there; write it again")
    stream.seek(0)
    array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False, max_header_size=_HEADER_BYTES)
    return array


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn what the system, NumPy and zipfile raise for a bad file into one line."""
    try:
        yield
    except ExactReluError:
        raise
    except FileNotFoundError:
        raise InvalidFileError(f"{path} does not exist; check the path") from None
    except OSError as error:
        raise InvalidFileError(f"{path} cannot be read: {error.strerror or error}; check the path and its permissions") from None
    except Exception as error:  # noqa: BLE001
        # What NumPy, zipfile, zlib and lzma raise for damaged files has no narrower common root.
        raise InvalidFileError(f"{path} is truncated, damaged or not what its suffix says ({_one_line(error)}); write it again") from None


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a whole file of at most `limit` bytes; raises InvalidFileError where it is missing, unreadable or longer."""
    with _refusals(path), path.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise InvalidFileError(f"{path} has more than {limit} bytes, the limit; split it")
    return content


def _csv_lines(path: Path) -> list[str]:
    try:
        text = read_bytes(path, TEXT_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidFileError(f"{path} is not text; write exact decimals or p/q separated by commas, one point a line") from None
    return [line for line in text.splitlines() if line.strip()]


def _csv_row(path: Path, index: int, line: str, inputs: int, scale: Fraction) -> RationalVector:
    cells = line.split(",")
    if len(cells) != inputs and not (inputs == 0 and not line.strip()):
        raise InvalidRequestError(
            f"{path}, row {index} has {len(cells)} values, but {inputs} make a point; give {inputs} separated by commas"
        )
    try:
        return RationalVector.from_fractions(scale * parse_rational(cell) for cell in cells)
    except InvalidNumberError as error:
        raise InvalidNumberError(f"{path}, row {index}: {error}") from None


def _sha256(path: Path) -> str:
    with _refusals(path), path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    return digest.hexdigest()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
