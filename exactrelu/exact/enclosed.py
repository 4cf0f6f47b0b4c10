"""Matrices in float64 with a proved error carried along: a scaled exact matrix, and a product of many of them (theory S1, S3).

`EnclosedMatrix` stands for a real matrix A with |A - 2^e M|_F <= 2^e error, M its floats. Powers of two keep every M near 1, so that no
product overflows, and what underflows is bounded by a constant. After a few convolutions an output still depends on few inputs: while most
entries of a product are 0 it is stored as a sparse matrix. The inequalities, u = 2^-53 and gamma_k as in `rounding`:

- norm: a sum of k squares is computed with relative error gamma_k, so UPWARDS times the computed |M|_F, a sum over the rows of sums over
  the columns, is at least |M|_F but for squares that underflow; these are below 2^-1074 each, their root below UNDERFLOW.
- product: an entry of X Y, k terms summed in blocks of b, passes at most b + k/b roundings: |fl(X Y) - X Y| <= gamma_{b + k/b} |X| |Y| in
  every entry, but for products that underflow. In the Frobenius norm that is at most gamma | |X| | |Y|_F for any norm that bounds |X|'s
  spectral norm: |X|_F, or the root of the largest column sum times the largest row sum (Schur).
- chain: with A = M + D and W = F + C, W A - fl(F M) = (F M - fl(F M)) + F D + C (M + D), each part bounded on its own. |F|'s spectral norm
  decides how an error grows from layer to layer, and is bounded from its Gram matrix, in which signs cancel, where that is worth it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.exact.banded import largest_eigenvalue
from exactrelu.exact.rational import DyadicMatrix, nearest_float
from exactrelu.exact.rounding import UNIT_ROUNDOFF, UPWARDS, gamma

if TYPE_CHECKING:
    from exactrelu.exact.sparse import SparseMatrix

BLOCK = 256
# More than all that underflow can add to a norm here: 2^40 entries, each a sum of 2^20 products that lose 2^-1074, or its square 2^-1074.
UNDERFLOW = 2.0**-500
# Products of so many terms in all, or of dense matrices of so many rows and columns, are made for a better bound of a norm.
_LARGEST_GRAM, _MOST_WORK = 4096, 2.0**30
_FEW = 16
# A product stays sparse while at most one entry in so many is stored; its Gram matrix is computed as a sparse one while one in more is.
_SPARSE, _SPARSE_GRAM = 4, 10


def frobenius(values: Any) -> float:
    """An upper bound of |M|_F for floats (m, n), dense or sparse, of at most 2^400 in size.

    >>> 5 <= frobenius(np.array([[3.0, 4.0]])) < 5.00000001
    True
    """
    return math.sqrt(float(_squared_row_norms(values).sum())) * UPWARDS + UNDERFLOW


def _squared_row_norms(values: Any) -> np.ndarray:
    if isinstance(values, np.ndarray):
        return np.asarray(np.einsum("ij,ij->i", values, values))
    return np.asarray(values.power(2).sum(axis=1))


def blocked_product(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, float]:
    """fl(X Y) for (m, k) and (k, n), and a gamma with |fl(X Y) - X Y| <= gamma |X| |Y| in every entry."""
    k = left.shape[1]
    starts = range(0, k, BLOCK)
    total = left[:, :BLOCK] @ right[:BLOCK]
    for begin in starts[1:]:
        total += left[:, begin : begin + BLOCK] @ right[begin : begin + BLOCK]
    return total, gamma(min(k, BLOCK) + len(starts) + 1)


def gram_product(values: Any) -> tuple[np.ndarray, float]:
    """fl(X^T X) for floats (m, n), dense or sparse, and a gamma with |fl(X^T X) - X^T X| <= gamma |X|^T |X| in every entry.

    >>> gram_product(np.array([[1.0, 2.0]]))[0].tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    if not isinstance(values, np.ndarray):
        if _SPARSE_GRAM * values.nnz <= math.prod(values.shape):
            longest = int(np.bincount(values.indices, minlength=1).max())
            return (values.T.tocsr() @ values).toarray(), gamma(longest + 1)
        values = values.toarray()
    return blocked_product(values.T, values)


@dataclass(frozen=True, eq=False)
class EnclosedMatrix:
    """A matrix A (m, n) with |A - 2^exponent floats|_F <= 2^exponent error; the floats are at most 1 in size, and finite.

    `floats` is an array, or a sparse one of SciPy (`csr_array`).

    >>> EnclosedMatrix.of(DyadicMatrix.from_floats([[3.0, 1.0]])).exponent
    2
    """

    floats: Any
    exponent: int = 0
    error: float = 0.0

    @staticmethod
    def of(matrix: DyadicMatrix) -> EnclosedMatrix:
        """An exact matrix: of what is scaled only subnormal numbers are rounded, of integers beyond float64 every entry."""
        floats, exponent, error = _scaled(matrix.floats, matrix.integers, matrix.exponent)
        return EnclosedMatrix(floats, exponent, error)

    @property
    def shape(self) -> tuple[int, int]:
        return self.floats.shape[0], self.floats.shape[1]

    def rows(self, index: np.ndarray) -> EnclosedMatrix:
        return EnclosedMatrix(self.floats[index], self.exponent, self.error)

    def normalised(self) -> EnclosedMatrix:
        """The same with the larger of its entries and its error between 1/2 and 1, unless all are 0."""
        is_dense = isinstance(self.floats, np.ndarray)
        entries = self.floats if is_dense else self.floats.data
        shift = math.frexp(max(float(np.abs(entries).max(initial=0.0)), self.error))[1]
        scaled = np.ldexp(entries, -shift)
        floats = scaled if is_dense else type(self.floats)((scaled, self.floats.indices, self.floats.indptr), shape=self.shape)
        return EnclosedMatrix(floats, self.exponent + shift, math.ldexp(self.error, -shift) * UPWARDS + UNDERFLOW)

    def dense(self) -> EnclosedMatrix:
        """The same with an array."""
        return self if isinstance(self.floats, np.ndarray) else EnclosedMatrix(self.floats.toarray(), self.exponent, self.error)

    def row_norms(self) -> np.ndarray:
        """Upper bounds of the norms of A's rows, divided by 2^exponent."""
        return np.asarray((np.sqrt(_squared_row_norms(self.floats)) + self.error) * UPWARDS + UNDERFLOW)


@dataclass(frozen=True, eq=False)
class Factor:
    """A layer's matrix W (m, k), dense or sparse, prepared to be multiplied with many: |W - 2^exponent F|_F <= 2^exponent error.

    >>> doubled = Factor.of(DyadicMatrix.from_floats([[2.0]])).times(EnclosedMatrix.of(DyadicMatrix.from_floats([[0.75]])))
    >>> math.ldexp(doubled.floats[0, 0], doubled.exponent), doubled.error < 1e-14
    (1.5, True)
    """

    floats: Any
    exponent: int
    error: float

    @staticmethod
    def of(matrix: DyadicMatrix | SparseMatrix) -> Factor:
        if isinstance(matrix, DyadicMatrix):
            return Factor(*_scaled(matrix.floats, matrix.integers, matrix.exponent))
        from scipy.sparse import csr_array

        integers = None if matrix.integers is None else (tuple(matrix.integers.tolist()),)
        entries, exponent, error = _scaled(matrix.floats[None, :], integers, matrix.exponent)
        return Factor(csr_array((entries[0], matrix.columns, matrix.starts), shape=matrix.shape), exponent, error)

    @property
    def is_dense(self) -> bool:
        return isinstance(self.floats, np.ndarray)

    def enclosed(self) -> EnclosedMatrix:
        """W itself."""
        return EnclosedMatrix(_stored(self.floats), self.exponent, self.error)

    @cached_property
    def magnitude(self) -> float:
        """An upper bound of the spectral norm of |F|, the matrix of absolute values."""
        sizes = abs(self.floats)
        if not sizes.shape[0] or not sizes.shape[1]:
            return UNDERFLOW
        schur = math.sqrt(float(sizes.sum(axis=0).max()) * float(sizes.sum(axis=1).max())) * UPWARDS + UNDERFLOW
        return min(schur, self.frobenius)

    @cached_property
    def frobenius(self) -> float:
        """An upper bound of |F|_F."""
        return frobenius(self.floats)

    @cached_property
    def row_norms(self) -> np.ndarray:
        """Upper bounds of the norms of W's rows, divided by 2^exponent."""
        return np.asarray((np.sqrt(_squared_row_norms(self.floats)) + self.error) * UPWARDS + UNDERFLOW)

    @cached_property
    def norm(self) -> float:
        """An upper bound of the spectral norm of F, whose square is that of G = F F^T or F^T F, computed with its error."""
        m, n = self.floats.shape
        tall = self.floats if m >= n else self.transposed.floats
        if not m or not n or (self.is_dense and min(m, n) > _LARGEST_GRAM):
            return self.magnitude
        if self.is_dense:
            gram, rounding = blocked_product(tall.T, tall)
            square, second = blocked_product(gram, gram.T)
            # |fl G|_2^2 <= |fl(G G^T)|_F + gamma |fl G|_F^2.
            size = math.sqrt(frobenius(square) + second * frobenius(gram) ** 2 * UPWARDS + UNDERFLOW)
        else:
            lengths = np.diff(tall.indptr)
            if float(lengths.astype(float) @ lengths) > _MOST_WORK:
                return self.magnitude
            size, rounding = largest_eigenvalue(tall.T.tocsr() @ tall), gamma(int(np.bincount(tall.indices, minlength=1).max()) + 1)
        # |G|_2 <= |fl G|_2 + gamma | |F| |^2.
        return min(math.sqrt((size + rounding * self.magnitude**2) * UPWARDS + UNDERFLOW) * UPWARDS, self.magnitude)

    @cached_property
    def transposed(self) -> Factor:
        """W^T."""
        return Factor(self.floats.T if self.is_dense else self.floats.T.tocsr(), self.exponent, self.error)

    def times(self, right: EnclosedMatrix, columns: np.ndarray | None = None) -> EnclosedMatrix:
        """W[:, columns] A for A of shape (k, n), columns a boolean mask or all."""
        left = self if columns is None else Factor(self.floats[:, columns], self.exponent, self.error)
        if self.is_dense:
            right = right.dense()
            product, rounding = blocked_product(left.floats, right.floats)
        else:
            product = _stored(left.floats @ right.floats)
            rounding = gamma(int(np.diff(left.floats.indptr).max(initial=0)) + 1)
        size = frobenius(right.floats)
        # Leaving columns out makes none of the norms larger, but for a few vectors smaller ones are not worth computing.
        bounding = self if right.shape[1] < _FEW else left
        own, carried = rounding * bounding.magnitude * size, bounding.magnitude * right.error
        if carried > own:
            carried = bounding.norm * right.error
        error = own + carried + self.error * (size + right.error)
        result = EnclosedMatrix(product, self.exponent + right.exponent, error * UPWARDS + UNDERFLOW)
        return result.normalised()


def _stored(values: Any) -> Any:
    """As an array, but for a matrix most of whose entries are 0."""
    return values if isinstance(values, np.ndarray) or _SPARSE * values.nnz <= math.prod(values.shape) else values.toarray()


def _scaled(floats: np.ndarray, integers: Any, exponent: int) -> tuple[np.ndarray, int, float]:
    """(M, e, error) with entries of M at most 1 in size; integers * 2^exponent where these are given, else the floats."""
    if integers is None:
        shift = math.frexp(float(np.abs(floats).max(initial=0.0)))[1]
        # Scaling rounds what becomes subnormal, by at most 2^-1075.
        return np.ldexp(floats, -shift), shift, UNDERFLOW if floats.size else 0.0
    longest = max((value.bit_length() for row in integers for value in row), default=0)
    values = [[nearest_float(value, -longest)[0] for value in row] for row in integers]
    result = np.array(values, dtype=np.float64).reshape(floats.shape)
    return result, exponent + longest, UNIT_ROUNDOFF * frobenius(result) * UPWARDS + UNDERFLOW
