"""Signs of up to 64 neurons in one word: a face or vertex has a word of the neurons that are positive and one of the negative ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD = 64


@dataclass(frozen=True, eq=False)
class Block:
    """At most 64 rectified rows of one layer (from 0), which are treated together: bit i of a word is row rows[i]."""

    layer: int
    rows: np.ndarray


def bits(word: np.ndarray, count: int) -> np.ndarray:
    """The lowest bits of words (p,) as booleans (p, count).

    >>> bits(np.array([5], dtype=np.uint64), 3).tolist()
    [[True, False, True]]
    """
    return np.unpackbits(_bytes(word), axis=1, bitorder="little", count=count).astype(bool)


def words(flags: np.ndarray) -> np.ndarray:
    """Booleans (p, count), count <= 64, as words (p,): the inverse of `bits`."""
    packed = np.zeros((len(flags), 8), dtype=np.uint8)
    little = np.packbits(flags, axis=1, bitorder="little")
    packed[:, : little.shape[1]] = little
    return packed.view("<u8").reshape(-1).astype(np.uint64)


def sorted_by_pattern(words: Sequence[np.ndarray], blocks: Sequence[Block], count: int) -> np.ndarray:
    """The order of `count` cells by their patterns, the first neuron counting most."""
    if not blocks:
        return np.arange(count)
    # A byte, read backwards, orders cells by its neurons.
    backwards = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little"), axis=1)[:, 0]
    used = (_bytes(word)[:, : (len(block.rows) + 7) // 8] for word, block in zip(words, blocks, strict=True))
    return np.lexsort(backwards[np.hstack(list(used))].T[::-1])


def _bytes(word: np.ndarray) -> np.ndarray:
    """Words (p,) as bytes (p, 8), the lowest first."""
    return np.ascontiguousarray(word).astype("<u8").view(np.uint8).reshape(-1, 8)
