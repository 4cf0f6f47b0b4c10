"""Columns that fewer rows meet than they are, of a sparse matrix: then some combination of these columns vanishes, whatever the entries.

By Hall's theorem there are such columns iff the columns cannot all be matched with rows. Small sets of them are grown from single columns.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

if TYPE_CHECKING:
    from collections.abc import Iterator

# Columns of a set that is grown from one column, and of one that is found by matching.
_LARGEST_GROWN = 512
_LARGEST_MATCHED = 1024
# How many columns sets are grown from.
_STARTS = 24
# Of so few columns all are proposed, too, for their rank may be lower than a matching says.
_FEW_COLUMNS = 64


def windows(pattern: csr_array, free: np.ndarray) -> Iterator[list[int]]:
    """Sets of free columns, a mask (n,), that fewer rows of a (k, n) matrix without stored zeros meet than they are, small sets first.

    >>> pattern = csr_array(np.array([[1, 1, 0, 0], [0, 1, 1, 1]]))
    >>> next(windows(pattern, np.ones(4, dtype=bool)))
    [2, 3]
    """
    candidates = np.flatnonzero(free)
    row_of = _matching(pattern, candidates)
    grown: list[list[int]] = []
    if (row_of < 0).any():
        by_column = csc_array(pattern)
        order = candidates[np.argsort(np.diff(by_column.indptr)[candidates], kind="stable")]
        random = np.random.default_rng(0).choice(order, min(_STARTS // 2, len(order)), replace=False)
        starts = dict.fromkeys([*order[: _STARTS // 2].tolist(), *random.tolist()])
        sets = (_grown(pattern, by_column, free, start) for start in starts)
        grown = sorted((found for found in sets if found is not None), key=len)
    yield from grown
    if 0 < len(candidates) <= _FEW_COLUMNS:
        yield candidates.tolist()
    if not grown and (row_of < 0).any():
        found = _exchanged(csc_array(pattern[:, candidates]), row_of)
        if len(found) <= _LARGEST_MATCHED:
            yield sorted(candidates[found].tolist())


def _matching(pattern: csr_array, candidates: np.ndarray) -> np.ndarray:
    """The row that each of these columns is matched with, or -1, in a largest matching."""
    part = csr_array(pattern[:, candidates])
    if not (part.shape[0] and part.nnz):
        return np.full(len(candidates), -1)
    return np.asarray(maximum_bipartite_matching(part, perm_type="row"))


def _grown(pattern: csr_array, by_column: csc_array, free: np.ndarray, start: int) -> list[int] | None:
    """From one column on, always the column that brings the fewest new rows, until there are more columns than rows."""
    rows: set[int] = set()
    missing: dict[int, int] = {}
    chosen: list[int] = []
    waiting = [(0, 0, start)]
    missing[start] = int(by_column.indptr[start + 1] - by_column.indptr[start])
    order = 0
    while waiting and len(chosen) < _LARGEST_GROWN:
        new, _, column = heappop(waiting)
        if missing[column] < 0 or (chosen and new != missing[column]):
            continue
        missing[column] = -1
        chosen.append(column)
        for row in by_column.indices[by_column.indptr[column] : by_column.indptr[column + 1]].tolist():
            if row in rows:
                continue
            rows.add(row)
            for other in pattern.indices[pattern.indptr[row] : pattern.indptr[row + 1]].tolist():
                if not free[other]:
                    continue
                if other not in missing:
                    missing[other] = int(by_column.indptr[other + 1] - by_column.indptr[other])
                if missing[other] > 0:
                    missing[other] -= 1
                    order += 1
                    heappush(waiting, (missing[other], order, other))
        if len(rows) < len(chosen):
            return sorted(chosen)
    return None


def _exchanged(by_column: csc_array, row_of: np.ndarray) -> list[int]:
    """An unmatched column with those that it can be exchanged with in the matching: one more than the rows that they meet."""
    column_of = np.full(by_column.shape[0], -1)
    column_of[row_of[row_of >= 0]] = np.flatnonzero(row_of >= 0)
    sets: list[list[int]] = []
    for start in np.flatnonzero(row_of < 0)[:_STARTS].tolist():
        reached, waiting = {start}, [start]
        while waiting:
            column = waiting.pop()
            for row in by_column.indices[by_column.indptr[column] : by_column.indptr[column + 1]].tolist():
                other = int(column_of[row])
                if other not in reached:
                    reached.add(other)
                    waiting.append(other)
        sets.append(sorted(reached))
    return min(sets, key=len)
