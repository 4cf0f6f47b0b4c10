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
    if not blocks or count < 2:
        return np.arange(count)
    block, rises = first_changes(words)
    if (rises | (block == len(words))).all():
        return np.arange(count)
    # A byte, read backwards, orders cells by its neurons.
    backwards = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little"), axis=1)[:, 0]
    used = (_bytes(word)[:, : (len(block.rows) + 7) // 8] for word, block in zip(words, blocks, strict=True))
    return np.lexsort(backwards[np.hstack(list(used))].T[::-1])


def first_changes(words: Sequence[np.ndarray] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Between each of p > 0 cells and the next one, (p - 1,): the first block whose words differ, and whether it rises there.

    The block is len(words) where all are equal. A pattern rises where its first neuron to change, the lowest bit, becomes positive.

    >>> words = [np.array([1, 2, 2, 2], dtype=np.uint64), np.array([0, 0, 7, 7], dtype=np.uint64)]
    >>> [found.tolist() for found in first_changes(words)]
    [[0, 1, 2], [False, True, False]]
    """
    block, rises = np.full(len(words[0]) - 1, len(words)), np.zeros(len(words[0]) - 1, dtype=bool)
    for i in range(len(words) - 1, -1, -1):
        different = words[i][1:] ^ words[i][:-1]
        changed, lowest = different != 0, different & (~different + np.uint64(1))
        block[changed] = i
        rises[changed] = (words[i][1:] & lowest != 0)[changed]
    return block, rises


def _bytes(word: np.ndarray) -> np.ndarray:
    """Words (p,) as bytes (p, 8), the lowest first."""
    return np.ascontiguousarray(word).astype("<u8").view(np.uint8).reshape(-1, 8)
