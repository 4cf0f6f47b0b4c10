"""Vectors in one large integer, so that a row operation of an elimination is one product.

A packed vector is sum_j v_j 2^(8 w j) with fields of w bytes, wide enough that no two can touch.
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_biases: dict[tuple[int, int], int] = {}


def bias(count: int, width: int) -> int:
    """2^(8 width - 1) in every field: added, it makes every field non-negative."""
    value = _biases.get((count, width))
    if value is None:
        if len(_biases) > 64:
            _biases.clear()
        value = _biases[count, width] = int.from_bytes((b"\0" * (width - 1) + b"\x80") * count, "little")
    return value


def pack(values: Sequence[int], width: int) -> int:
    """sum of values_j * 2^(8 width j); |values_j| < 2^(8 width - 1)."""
    half = 1 << (8 * width - 1)
    return pack_natural([value + half for value in values], width) - bias(len(values), width)


def unpack(packed: int, count: int, width: int) -> list[int]:
    """The inverse of `pack`."""
    half = 1 << (8 * width - 1)
    return [value - half for value in unpack_natural(packed + bias(count, width), count, width)]


def pack_natural(values: Sequence[int], width: int) -> int:
    """sum of values_j * 2^(8 width j); 0 <= values_j < 2^(8 width)."""
    if width == 8:
        return int.from_bytes(_little(array("Q", values)).tobytes(), "little")
    return int.from_bytes(b"".join([value.to_bytes(width, "little") for value in values]), "little")


def unpack_natural(packed: int, count: int, width: int) -> list[int]:
    """The inverse of `pack_natural`."""
    data = packed.to_bytes(width * count, "little")
    if width == 8:
        fields = array("Q")
        fields.frombytes(data)
        return _little(fields).tolist()
    convert = int.from_bytes
    return [convert(data[i : i + width], "little") for i in range(0, width * count, width)]


def _little(fields: array[int]) -> array[int]:
    if sys.byteorder == "big":
        fields.byteswap()
    return fields
