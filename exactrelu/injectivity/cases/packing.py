"""Dependencies of a case, as many as are missing to rank n, that have few rows in common outside I (theory I8).

Found from a pool: the smallest first, then two for one where that is possible. Others may be added that share rows with those chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.injectivity.cases.pool import Pool

# How many sets are compared in pairs to put two in the place of one.
_COMPARED = 48


class Packing:
    """Sets of a pool (m rows) that lie in `live`, without the rows excluded unless none is left; masks (m,).

    The sets chosen are numbers of the pool.

    >>> from exactrelu.injectivity.cases.pool import Pool
    >>> pool = Pool(6)
    >>> _ = [pool.add(rows) for rows in ([0, 1], [1, 2, 3], [0, 4, 5])]
    >>> packing = Packing(pool, np.ones(6, dtype=bool), np.zeros(6, dtype=bool))
    >>> packing.fill(3)
    >>> packing.chosen
    [1, 2]
    """

    def __init__(self, pool: Pool, live: np.ndarray, excluded: np.ndarray) -> None:
        self._pool = pool
        words = pool.without(excluded)
        self._numbers = np.flatnonzero(words.any(axis=0) & ~pool.meeting(~live))
        self._words = words[:, self._numbers]
        self._sizes = pool.sizes(self._words)
        self._excluded = excluded
        # Places among the sets above; the bits of rows that two of them share.
        self._places: list[int] = []
        self._shared = pool.bits(np.zeros_like(live))

    @property
    def chosen(self) -> list[int]:
        """The numbers of the sets chosen."""
        return [int(self._numbers[place]) for place in self._places]

    @property
    def used(self) -> np.ndarray:
        """The rows of the sets chosen, a mask (m,)."""
        return self._pool.mask(self._union(self._places))

    @property
    def shared(self) -> np.ndarray:
        """The rows that two of the sets chosen have in common, a mask (m,)."""
        return self._pool.mask(self._shared)

    def smallest(self) -> tuple[int, int]:
        """The number and the size of a smallest set, of all; -1 and m + 1 where there is none."""
        if not len(self._sizes):
            return -1, len(self._excluded) + 1
        place = int(self._sizes.argmin())
        return int(self._numbers[place]), int(self._sizes[place])

    def by_use(self, rows: Sequence[int]) -> list[int]:
        """The rows, those in many sets first."""
        if not rows:
            return []
        bits = np.stack([self._pool.bits(np.arange(len(self._excluded)) == row) for row in rows])
        counts = [int(self._pool.common(self._words, one).sum()) for one in bits]
        return [row for _, row in sorted(zip(counts, rows, strict=True), key=lambda pair: -pair[0])]

    def fill(self, count: int) -> None:
        """Choose disjoint sets, up to so many."""
        places, words, sizes = np.arange(len(self._sizes)), self._words, self._sizes
        while len(places) and len(self._places) < count:
            best = int(sizes.argmin())
            self._places.append(int(places[best]))
            apart = ~self._pool.common(words, words[:, best])
            places, words, sizes = places[apart], words[:, apart], sizes[apart]
        while len(self._places) < count and self._exchange():
            pass

    def add(self, number: int) -> None:
        """Choose one more set of the pool, which may share rows with those chosen."""
        word = self._pool.words[:, number] & ~self._pool.bits(self._excluded)
        self._shared = self._shared | (word & self._union(self._places))
        self._numbers = np.append(self._numbers, number)
        self._words = np.hstack([self._words, word[:, None]])
        self._sizes = np.append(self._sizes, self._pool.sizes(word[:, None]))
        self._places.append(len(self._numbers) - 1)

    def _union(self, places: Sequence[int]) -> np.ndarray:
        return np.asarray(np.bitwise_or.reduce(self._words[:, places], axis=1))

    def _exchange(self) -> bool:
        """Put two sets, the smallest that fit, in the place of one."""
        for k in range(len(self._places)):
            others = self._union(self._places[:k] + self._places[k + 1 :])
            fitting = np.flatnonzero(~self._pool.common(self._words, others))
            fitting = fitting[np.argsort(self._sizes[fitting], kind="stable")[:_COMPARED]]
            words, sizes = self._words[:, fitting], self._sizes[fitting]
            pairs = np.argwhere(~(words[:, :, None] & words[:, None, :]).any(axis=0))
            if len(pairs):
                first, second = pairs[int(sizes[pairs].prod(axis=1).argmin())]
                self._places[k] = int(fitting[first])
                self._places.append(int(fitting[second]))
                return True
        return False
