"""Sets of rows as bits: the pool of dependencies, asked in every case which of them apply and how many rows they have left.

Word w of dependency k stands at words[w, k], so that a question is a few operations on whole arrays, whatever the size of the pool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

_BITS_OF_A_BYTE = np.array([value.bit_count() for value in range(256)], dtype=np.uint8)


class Pool:
    """Subsets of m rows, numbered from 0.

    >>> pool = Pool(70)
    >>> pool.add([0, 3, 69]), pool.add([1, 2])
    (0, 1)
    >>> excluded = np.zeros(70, dtype=bool)
    >>> excluded[3] = True
    >>> pool.sizes(pool.without(excluded)).tolist()
    [2, 2]
    """

    def __init__(self, m: int) -> None:
        self._m = m
        self._filled = np.zeros((-(-m // 64), 64), dtype=np.uint64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def words(self) -> np.ndarray:
        """The sets' bits (words, sets)."""
        return self._filled[:, : self._count]

    def add(self, rows: Iterable[int]) -> int:
        """Add a set; its number."""
        if self._count == self._filled.shape[1]:
            self._filled = np.hstack([self._filled, np.zeros_like(self._filled)])
        mask = np.zeros(self._m, dtype=bool)
        mask[list(rows)] = True
        self._filled[:, self._count] = self.bits(mask)
        self._count += 1
        return self._count - 1

    def bits(self, mask: np.ndarray) -> np.ndarray:
        """The words of a boolean mask (m,)."""
        padded = np.zeros(8 * len(self._filled), dtype=np.uint8)
        packed = np.packbits(mask)
        padded[: len(packed)] = packed
        return padded.view(np.uint64)

    def mask(self, bits: np.ndarray) -> np.ndarray:
        """The inverse of `bits`."""
        return np.unpackbits(np.ascontiguousarray(bits).view(np.uint8), count=self._m).view(bool)

    def without(self, mask: np.ndarray) -> np.ndarray:
        """The words of all sets without the rows of a mask (m,)."""
        return np.asarray(self.words & ~self.bits(mask)[:, None])

    def meeting(self, mask: np.ndarray) -> np.ndarray:
        """Which sets hold a row of a mask (m,)."""
        return self.common(self.words, self.bits(mask))

    @staticmethod
    def common(words: np.ndarray, bits: np.ndarray) -> np.ndarray:
        """Which of some sets have a row in common with one."""
        return np.asarray((words & bits[:, None]).any(axis=0))

    @staticmethod
    def sizes(words: np.ndarray) -> np.ndarray:
        """How many rows each set has."""
        counts = np.zeros(words.shape[1], dtype=np.int64)
        for word in words:
            counts += _ones(word)
        return counts


def _ones(word: np.ndarray) -> np.ndarray:
    """The bits set in each number."""
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(word))
    return np.asarray(_BITS_OF_A_BYTE[np.ascontiguousarray(word).view(np.uint8).reshape(-1, 8)].sum(axis=1, dtype=np.int64))
