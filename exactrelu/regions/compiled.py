"""The passes of `face_passes` as loops that numba compiles, where it is installed: the same arrays, several times faster.

They hold no arithmetic but that of places and bits. Machine code is kept beside this file, or in the user's cache where that cannot be
written; where neither can, it is made again in every process.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.regions.face_passes import Passes

if TYPE_CHECKING:
    from collections.abc import Callable

    from exactrelu.regions.face_passes import Parts, Stretches, Words


@cache
def compiled_passes() -> Passes | None:
    """The passes as machine code; None where numba is not installed, or does not work with this NumPy."""
    try:
        njit = import_module("numba").njit
    except ImportError:
        return None
    return Passes(*(_compiled(njit, function) for function in (_crossing, _divided, _unions)))


def _compiled(njit: Any, function: Callable[..., Any]) -> Any:
    try:
        return njit(cache=True)(function)
    except RuntimeError:
        # No folder can be written.
        return njit(function)


def _crossing(positive: Words, negative: Words, bit: np.uint64) -> np.ndarray:
    count = 0
    for face in range(len(positive)):
        count += (positive[face] & negative[face] & bit) != 0
    found = np.empty(count, np.int64)
    count = 0
    for face in range(len(positive)):
        if positive[face] & negative[face] & bit:
            found[count] = face
            count += 1
    return found


def _unions(words: Words, children: np.ndarray, lengths: np.ndarray) -> Words:
    result = np.zeros(len(lengths), words.dtype)
    place = 0
    for face in range(len(lengths)):
        word = result[face]
        for _ in range(lengths[face]):
            word |= words[children[place]]
            place += 1
        result[face] = word
    return result


def _divided(  # noqa: C901 - one loop over the faces, without calls
    faces: np.ndarray,
    facets: Stretches,
    signs: tuple[Words, Words],
    ridges: Stretches,
    ridge_signs: tuple[Words, Words],
    bit: np.uint64,
    places: np.ndarray,
    new: tuple[int, int, int],
    tight: bool,
) -> tuple[Parts, Parts, Parts]:
    start, length, pool = facets
    ridge_start, ridge_length, ridge_pool = ridges
    positive, ridge_positive, ridge_negative = signs[0], ridge_signs[0], ridge_signs[1]
    room = cut_room = most = 0
    for face in faces:
        room += length[face] + 1
        most = max(most, length[face])
        if tight:
            for j in range(start[face], start[face] + length[face]):
                cut_room += ridge_length[pool[j]] + 1
    plus, minus, cut = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(cut_room if tight else room, np.int32)
    lengths = np.empty((3, len(faces)), np.int64)
    split, split_places = np.empty(most, np.int32), np.empty(most, np.int32)
    p = m = c = 0
    for i in range(len(faces)):
        begin, end = start[faces[i]], start[faces[i]] + length[faces[i]]
        p_begin, m_begin, c_begin, count = p, m, c, 0
        for j in range(begin, end):
            facet = pool[j]
            place = places[facet]
            if place >= 0:
                split[count], split_places[count] = facet, place
                count += 1
            elif positive[facet] & bit:
                plus[p] = facet
                p += 1
            else:
                minus[m] = facet
                m += 1
        c += count
        if tight:
            for facet in plus[p_begin:p]:
                for k in range(ridge_start[facet], ridge_start[facet] + ridge_length[facet]):
                    ridge = ridge_pool[k]
                    if not (ridge_positive[ridge] | ridge_negative[ridge]) & bit:
                        cut[c] = ridge
                        c += 1
        for k in range(count):
            plus[p + k], minus[m + k], cut[c_begin + k] = split[k], new[1] + split_places[k], new[2] + split_places[k]
        p, m = p + count + 1, m + count + 1
        plus[p - 1] = minus[m - 1] = new[0] + i
        lengths[0, i], lengths[1, i], lengths[2, i] = p - p_begin, m - m_begin, c - c_begin
    return (lengths[0], plus[:p]), (lengths[1], minus[:m]), (lengths[2], cut[:c])
