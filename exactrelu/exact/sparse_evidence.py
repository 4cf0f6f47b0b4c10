"""What a certificate about a large sparse system holds, proposed in floats: a well-conditioned block and a direction.

Pivots modulo a prime prove a rank, but their block is as badly conditioned as a random choice may be, and a checker that works by an
approximate inverse must then eliminate in integers. Nothing here is proved; the caller and the checker do that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.kernel import pivot_rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from exactrelu.exact.sparse import SparseMatrix

_MOST_ROWS = 2**13
# Entries of the dense matrix in which pivots are chosen.
_LARGEST_CHOICE = 2**27


def scaled_rows(matrix: SparseMatrix) -> csr_array | None:
    """The rows, none of them zero, in float64, each with a largest entry in [1/2, 1); None where they leave the range of floats."""
    from scipy.sparse import csr_array

    sizes = np.abs(matrix.floats)
    if not np.isfinite(sizes).all():
        return None
    largest = np.maximum.reduceat(sizes, matrix.starts[:-1]) if matrix.entries else np.zeros(0)
    exponents = np.repeat(np.frexp(largest)[1], np.diff(matrix.starts))
    return csr_array((np.ldexp(matrix.floats, -exponents), matrix.columns, matrix.starts), shape=matrix.shape)


def conditioned_block(matrix: SparseMatrix) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows and columns, increasing, of a block of full rank min(m, n) that looks well-conditioned; None if there seems to be none.

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> from exactrelu.exact.sparse import SparseMatrix
    >>> rows, columns = conditioned_block(SparseMatrix.from_dense(DyadicMatrix.from_floats([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]])))
    >>> rows.tolist(), columns.tolist()
    ([0, 2], [0, 1])
    """
    rows = scaled_rows(matrix)
    if rows is None:
        return None
    m, n = matrix.shape
    tall = rows if m >= n else rows.T.tocsr()
    size = min(m, n)
    # Of many more rows than are needed, twice as many as are needed will do.
    order = np.random.default_rng(0).permutation(len(tall.indptr) - 1)
    for count in dict.fromkeys((min(2 * size + 64, len(order)), len(order))):
        if count * size > _LARGEST_CHOICE:
            return None
        candidates = np.sort(order[:count])
        chosen = pivot_rows(tall[candidates].toarray())
        if chosen is not None:
            picked, every = np.sort(candidates[chosen]), np.arange(size)
            return (picked, every) if m >= n else (every, picked)
    return None


def descending_direction(matrix: SparseMatrix, equality: np.ndarray) -> np.ndarray | None:
    """About the shortest d (n,) with r.d = 0 on the rows of a boolean mask and r.d = -1 on the other rows, scaled.

    Where there are no other rows, some d with r.d = 0. None where the rows look dependent, leave the range of floats or are too many.

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> from exactrelu.exact.sparse import SparseMatrix
    >>> matrix = SparseMatrix.from_dense(DyadicMatrix.from_floats([[0.5, 0.0, 0.0], [0.0, 0.0, 0.5]]))
    >>> descending_direction(matrix, np.array([True, False])).tolist()
    [0.0, 0.0, -2.0]
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    rows = scaled_rows(matrix)
    if rows is None or matrix.shape[0] > _MOST_ROWS:
        return None
    try:
        factor = cho_factor((rows @ rows.T).toarray(), overwrite_a=True, check_finite=False)
    except LinAlgError:
        return None
    found = np.random.default_rng(0).standard_normal(matrix.shape[1]) if equality.all() else np.zeros(matrix.shape[1])
    # The second and third steps improve on what the first one lost in a gram matrix of large condition.
    for _ in range(3):
        found = found + rows.T @ cho_solve(factor, np.where(equality, 0.0, -1.0) - rows @ found, check_finite=False)
    return found if np.isfinite(found).all() else None
