"""Exact sparse matrices: of every row the columns that are not zero and their dyadic values, so that a convolution stays small.

The values are float64 where every one of them is a float64, which is the rule, and Python integers over one power of two where not.
Each operation first tries float64 and proves from the bits that nothing was rounded; where that fails it is done in integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix, nearest_float, nonzero_entries, odd_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

MAXIMAL_ENTRIES = 2**28
_LONGEST_NUMBER = 2**13
_MOST_INTEGERS = 2**23
_LIMB = 16
_BLOCK = 2**20
_DIGIT = 24


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """An (m, n) matrix of dyadic rationals by rows: row i holds floats[starts[i]:starts[i + 1]] at increasing `columns`.

    `floats` holds the float64 nearest to every entry. Where `integers` is None they are the entries themselves; otherwise the entries
    are integers * 2^exponent.

    >>> matrix = SparseMatrix.from_dense(DyadicMatrix.from_floats([[0.0, 0.5], [3.0, 0.0]]))
    >>> matrix.times([1, 10])
    ([10, 6], -1)
    """

    shape: tuple[int, int]
    starts: np.ndarray
    columns: np.ndarray
    floats: np.ndarray
    integers: np.ndarray | None = None
    exponent: int = 0

    # ------------------------------------------------------------ made from

    @staticmethod
    def zeros(m: int, n: int) -> SparseMatrix:
        return SparseMatrix((m, n), np.zeros(m + 1, dtype=np.int64), np.zeros(0, dtype=np.int32), np.zeros(0))

    @staticmethod
    def selection(columns: np.ndarray, n: int) -> SparseMatrix:
        """Row i is the unit row of columns[i]: (len(columns), n)."""
        m = len(columns)
        return SparseMatrix((m, n), np.arange(m + 1, dtype=np.int64), columns.astype(np.int32), np.ones(m))

    @staticmethod
    def column(values: np.ndarray) -> SparseMatrix:
        """A float64 array (m,) of finite numbers as a column (m, 1)."""
        kept = np.flatnonzero(nonzero_entries(values))
        starts = np.searchsorted(kept, np.arange(len(values) + 1)).astype(np.int64)
        return SparseMatrix((len(values), 1), starts, np.zeros(len(kept), dtype=np.int32), np.ascontiguousarray(values[kept]))

    @staticmethod
    def fractions(values: Sequence[Fraction]) -> SparseMatrix:
        """Dyadic fractions as a column (m, 1)."""
        exponent = -max((value.denominator.bit_length() - 1 for value in values), default=0)
        integers = np.empty(len(values), dtype=object)
        integers[:] = [int(value * (1 << -exponent)) for value in values]
        rows = np.arange(len(values))
        return _without_zeros((len(values), 1), rows, np.zeros(len(values), dtype=np.int32), integers, exponent)

    @staticmethod
    def from_dense(matrix: DyadicMatrix) -> SparseMatrix:
        m, n = matrix.shape
        if matrix.integers is not None:
            values = np.array([value for row in matrix.integers for value in row], dtype=object)
            kept = values.astype(bool).reshape(m, n)
            return _from_integers((m, n), *_pattern(kept), values[kept.reshape(-1)], matrix.exponent)
        kept = nonzero_entries(matrix.floats)
        return SparseMatrix((m, n), *_pattern(kept), matrix.floats[kept])

    @staticmethod
    def stacked(parts: Sequence[SparseMatrix]) -> SparseMatrix:
        """The matrices above one another; all have the same number of columns."""
        if len(parts) == 1:
            return parts[0]
        offsets = np.cumsum([0, *(part.entries for part in parts)])
        starts = np.concatenate([part.starts[:-1] + offset for part, offset in zip(parts, offsets, strict=False)] + [offsets[-1:]])
        shape = (sum(part.shape[0] for part in parts), parts[0].shape[1])
        columns = np.concatenate([part.columns for part in parts])
        if all(part.integers is None for part in parts):
            return SparseMatrix(shape, starts, columns, np.concatenate([part.floats for part in parts]))
        values, exponent = _common([part._exact() for part in parts])
        return _from_integers(shape, starts, columns, np.concatenate(values), exponent)

    # ------------------------------------------------------------ looked at

    @property
    def entries(self) -> int:
        """How many entries are stored."""
        return len(self.columns)

    @cached_property
    def used_columns(self) -> np.ndarray:
        """The columns that hold an entry, increasing."""
        used = np.zeros(self.shape[1], dtype=bool)
        used[self.columns] = True
        return np.flatnonzero(used)

    def units(self) -> np.ndarray | None:
        """The columns (m,) if every row is a unit row, else None."""
        if self.integers is not None or self.entries != self.shape[0] or not (np.diff(self.starts) == 1).all():
            return None
        return self.columns if (self.floats == 1.0).all() else None

    def dense(self) -> DyadicMatrix:
        """The same matrix, dense; raises UnsupportedModelError where that would exceed 2^28 entries."""
        m, n = self.shape
        if m * n > MAXIMAL_ENTRIES:
            raise UnsupportedModelError(
                f"this question needs a layer as a dense matrix of {m} x {n}, above the limit of {MAXIMAL_ENTRIES} entries; "
                "ask about a smaller layer"
            )
        floats = np.zeros((m, n))
        rows = self.row_numbers()
        floats[rows, self.columns] = self.floats
        if self.integers is None:
            return DyadicMatrix(floats)
        integers = np.zeros((m, n), dtype=object)
        integers[rows, self.columns] = self.integers
        return DyadicMatrix(floats, tuple(tuple(row) for row in integers.tolist()), self.exponent)

    def integer_row(self, index: int) -> tuple[list[int], list[int], int]:
        """Row `index` as (columns, integers, exponent): the entries are integers * 2^exponent."""
        part = slice(int(self.starts[index]), int(self.starts[index + 1]))
        columns = self.columns[part].tolist()
        if self.integers is not None:
            return columns, self.integers[part].tolist(), self.exponent
        odd, exponents = odd_parts(self.floats[part])
        lowest = int(exponents.min()) if columns else 0
        return columns, [a << by for a, by in zip(odd.tolist(), (exponents - lowest).tolist(), strict=True)], lowest

    def row_numbers(self) -> np.ndarray:
        """The row of every entry."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.starts))

    # ------------------------------------------------------------ rearranged

    def rows(self, index: np.ndarray) -> SparseMatrix:
        """The rows that an integer index selects, in its order, repeated where it repeats."""
        counts = np.diff(self.starts)[index]
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        entries = np.repeat(self.starts[:-1][index] - starts[:-1], counts) + np.arange(starts[-1])
        return self._with((len(index), self.shape[1]), starts, self.columns[entries], entries)

    def moved(self, places: np.ndarray, n: int) -> SparseMatrix:
        """The same rows with column j at places[j], of n columns; no two columns with entries may get the same place."""
        columns = places[self.columns].astype(np.int32)
        if (np.diff(places[self.used_columns]) > 0).all():
            return self._with((self.shape[0], n), self.starts, columns, None)
        order = np.lexsort((columns, self.row_numbers()))
        return self._with((self.shape[0], n), self.starts, columns[order], order)

    def _with(self, shape: tuple[int, int], starts: np.ndarray, columns: np.ndarray, entries: np.ndarray | None) -> SparseMatrix:
        if entries is None:
            return SparseMatrix(shape, starts, columns, self.floats, self.integers, self.exponent)
        integers = None if self.integers is None else self.integers[entries]
        return SparseMatrix(shape, starts, columns, self.floats[entries], integers, self.exponent)

    def transposed(self) -> SparseMatrix:
        """The columns as rows."""
        m, n = self.shape
        order = np.argsort(self.columns, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(self.columns, minlength=n))]).astype(np.int64)
        return self._with((n, m), starts, self.row_numbers()[order].astype(np.int32), order)

    # ------------------------------------------------------------ computed with

    def negated(self) -> SparseMatrix:
        integers = None if self.integers is None else -self.integers
        return SparseMatrix(self.shape, self.starts, self.columns, -self.floats, integers, self.exponent)

    def plus(self, other: SparseMatrix) -> SparseMatrix:
        """The exact sum of two matrices of the same shape."""
        if other.entries == 0 or self.entries == 0:
            return self if other.entries == 0 else other
        rows = np.concatenate([self.row_numbers(), other.row_numbers()])
        columns = np.concatenate([self.columns, other.columns])
        order = np.lexsort((columns, rows))
        rows, columns = rows[order], columns[order]
        second = np.flatnonzero((np.diff(rows) == 0) & (np.diff(columns) == 0)) + 1
        kept = np.ones(len(order), dtype=bool)
        kept[second] = False
        if self.integers is None and other.integers is None:
            floats = np.concatenate([self.floats, other.floats])[order]
            sums = exact_sums(floats[second - 1], floats[second])
            if sums is not None:
                floats[second - 1] = sums
                return _without_zeros(self.shape, rows[kept], columns[kept], floats[kept])
        (first, last), exponent = _common([self._exact(), other._exact()])
        values = np.concatenate([first, last])[order]
        values[second - 1] += values[second]
        return _without_zeros(self.shape, rows[kept], columns[kept], values[kept], exponent)

    def scaled(self, factors: SparseMatrix) -> SparseMatrix:
        """Every row i times the number factors[i]: factors is a column (m, 1)."""
        counts = np.diff(self.starts)
        given = np.diff(factors.starts)
        kept = np.repeat(given, counts).astype(bool)
        rows, columns = self.row_numbers()[kept], self.columns[kept]
        entry = factors.starts[:-1][rows]
        if self.integers is None and factors.integers is None:
            products = exact_products(self.floats[kept], factors.floats[entry])
            if products is not None:
                return _without_zeros(self.shape, rows, columns, products)
        (values, low), (scales, high) = self._exact(), factors._exact()
        return _without_zeros(self.shape, rows, columns, values[kept] * scales[entry], low + high)

    def times(self, x: Sequence[int]) -> tuple[list[int], int]:
        """The product with a vector of integers, exactly: (integers, exponent), entry i is integers[i] * 2^exponent."""
        m, n = self.shape
        if not (m and n and self.entries):
            return [0] * m, 0
        limbs = _limbs(x)
        lowest = self.exponent if self.integers is not None else self.lowest_exponent
        result: list[int] = []
        # Blocks of rows, so that what is made on the way stays small.
        cuts = np.searchsorted(self.starts, np.arange(0, self.entries, _BLOCK), side="left")
        cuts = np.unique(np.concatenate([[0], cuts, [m]]))
        for first, last in pairwise(cuts.tolist()):
            result += self._block_times(first, last, limbs, lowest)
        return result, lowest

    @cached_property
    def lowest_exponent(self) -> int:
        """Of float64 entries, the largest e for which all are integers * 2^e; 0 where there is none."""
        parts = [self.floats[i : i + _BLOCK] for i in range(0, self.entries, _BLOCK)]
        return min((int(odd_parts(part)[1].min()) for part in parts), default=0)

    def _block_times(self, first: int, last: int, limbs: np.ndarray, lowest: int) -> list[int]:
        """Rows first to last of `times`, over 2^lowest."""
        part = slice(int(self.starts[first]), int(self.starts[last]))
        starts, columns = self.starts[first : last + 1] - part.start, self.columns[part]
        if self.integers is not None:
            return _digits_times(self.integers[part], starts, columns, limbs, 0)
        odd, exponents = odd_parts(self.floats[part])
        lengths = np.frexp(np.abs(odd).astype(np.float64))[1]
        result = [0] * (last - first)
        while len(odd):
            # Of the entries, those that are integers of at most 62 bits over one power of two; a tiny one waits for its turn.
            base = max(int((exponents + lengths).max()) - 62, int(exponents.min()))
            chosen = exponents >= base
            kept = np.concatenate([[0], np.cumsum(chosen)])
            values = odd[chosen] << (exponents[chosen] - base)
            products = _digits_times(values, kept[starts], columns[chosen], limbs, base - lowest)
            result = [a + b for a, b in zip(result, products, strict=True)]
            starts = starts - kept[starts]
            odd, exponents, lengths, columns = odd[~chosen], exponents[~chosen], lengths[~chosen], columns[~chosen]
        return result

    def _exact(self) -> tuple[np.ndarray, int]:
        """The entries as Python integers over one power of two."""
        if self.integers is not None:
            return self.integers, self.exponent
        if not self.entries:
            return np.zeros(0, dtype=object), 0
        if self.entries > _MOST_INTEGERS:
            raise UnsupportedModelError(
                f"{self.entries} weights would have to be integers beyond float64; the limit is {_MOST_INTEGERS}, "
                "so export the model in float32 or with its factors folded into the weights"
            )
        odd, exponents = odd_parts(self.floats)
        lowest = int(exponents.min())
        return odd.astype(object) << (exponents - lowest).astype(object), lowest


def _pattern(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(starts, columns) of a boolean mask (m, n)."""
    starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    return starts, np.nonzero(kept)[1].astype(np.int32)


def _without_zeros(
    shape: tuple[int, int], rows: np.ndarray, columns: np.ndarray, values: np.ndarray, exponent: int | None = None
) -> SparseMatrix:
    """From entries in order of row and column; an exponent says that the values are integers."""
    nonzero = values.astype(bool) if exponent is not None else nonzero_entries(values)
    if not nonzero.all():
        rows, columns, values = rows[nonzero], columns[nonzero], values[nonzero]
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))]).astype(np.int64)
    if exponent is None:
        return SparseMatrix(shape, starts, columns, values)
    return _from_integers(shape, starts, columns, values, exponent)


def _from_integers(shape: tuple[int, int], starts: np.ndarray, columns: np.ndarray, values: np.ndarray, exponent: int) -> SparseMatrix:
    """Integers * 2^exponent; kept as float64 where that is exact."""
    listed = values.tolist()
    longest = max((value.bit_length() for value in listed), default=0)
    if longest + abs(exponent) > _LONGEST_NUMBER:
        raise _too_long()
    pairs = [nearest_float(value, exponent) for value in listed]
    floats = np.array([value for value, _ in pairs], dtype=np.float64)
    if all(exact for _, exact in pairs):
        return SparseMatrix(shape, starts, columns, floats)
    return SparseMatrix(shape, starts, columns, floats, values, exponent)


def _too_long() -> UnsupportedModelError:
    return UnsupportedModelError(f"exact weights of more than {_LONGEST_NUMBER} bits are needed; the model's factors are too extreme")


def _common(parts: Sequence[tuple[np.ndarray, int]]) -> tuple[list[np.ndarray], int]:
    """Integer arrays with their exponents brought to the lowest exponent."""
    lowest = min((exponent for values, exponent in parts if len(values)), default=0)
    highest = max((exponent for values, exponent in parts if len(values)), default=0)
    if highest - lowest > 2 * _LONGEST_NUMBER:
        raise _too_long()
    return [values * (1 << (exponent - lowest)) if len(values) else values for values, exponent in parts], lowest


def exact_sums(left: np.ndarray, right: np.ndarray) -> np.ndarray | None:
    """left + right in float64 where no sum is rounded, else None."""
    (a, low), (b, high) = odd_parts(left), odd_parts(right)
    lowest = np.minimum(np.where(a != 0, low, high), np.where(b != 0, high, low))
    shifts = np.maximum(low - lowest, 0), np.maximum(high - lowest, 0)
    lengths = [shift + np.frexp(np.abs(odd).astype(np.float64))[1] for odd, shift in zip((a, b), shifts, strict=True)]
    # Integers of at most 52 bits over 2^lowest: the sum has at most 53 bits.
    if len(left) and not ((np.maximum(*lengths) <= 52).all() and (lowest >= -1022).all() and (lowest <= 900).all()):
        return None
    return np.asarray(left + right)


def exact_products(left: np.ndarray, right: np.ndarray) -> np.ndarray | None:
    """left * right in float64 where no product is rounded, else None."""
    (a, low), (b, high) = odd_parts(left), odd_parts(right)
    length = np.frexp(np.abs(a).astype(np.float64))[1] + np.frexp(np.abs(b).astype(np.float64))[1]
    # A product of odd parts has at most `length` bits; subnormal numbers, which a library may have switched off, take no part.
    lowest = np.minimum(np.minimum(low, high), low + high)
    if not ((length <= 53).all() and (lowest >= -1022).all() and (low + high <= 900).all()):
        return None
    return np.asarray(left * right)


def _digits_times(values: Any, starts: np.ndarray, columns: np.ndarray, limbs: np.ndarray, shift: int) -> list[int]:
    """The product of rows of integers with the integers whose limbs are given, times 2^shift."""
    from scipy.sparse import csr_array

    # values = sum of digits * 2^(24 s): products of at most 40 bits, and at most 2^20 of them in a row.
    sizes, signs = np.abs(values), np.where(values < 0, -1, 1)
    starts = starts.astype(np.int32)
    result = [0] * (len(starts) - 1)
    while sizes.any():
        digits = np.asarray(sizes & (2**_DIGIT - 1)).astype(np.int64) * signs
        part = csr_array((digits, columns, starts), shape=(len(result), len(limbs))) @ limbs
        result = [value + (more << shift) for value, more in zip(result, _joined(part), strict=True)]
        sizes = np.asarray(sizes >> _DIGIT)
        shift += _DIGIT
    return result


def _limbs(x: Sequence[int]) -> np.ndarray:
    """x = sum of limbs[:, j] * 2^(16 j), in two's complement: int64 (n, limbs), all but the last from 0 to 2^16 - 1."""
    count = max(value.bit_length() for value in x) // _LIMB + 1
    data = b"".join(value.to_bytes(count * _LIMB // 8, "little", signed=True) for value in x)
    limbs = np.frombuffer(data, dtype="<u2").reshape(len(x), count).astype(np.int64)
    limbs[:, -1] -= (limbs[:, -1] >> (_LIMB - 1)) << _LIMB
    return limbs


def _joined(limbs: np.ndarray) -> list[int]:
    """The integers sum of limbs[:, j] * 2^(16 j)."""
    m, count = limbs.shape
    digits = np.empty((m, count + 64 // _LIMB), dtype="<u2")
    carry = np.zeros(m, dtype=np.int64)
    for j in range(digits.shape[1]):
        if j < count:
            carry += limbs[:, j]
        digits[:, j] = carry & (2**_LIMB - 1)
        carry >>= _LIMB
    width = digits.shape[1] * 2
    data = digits.tobytes()
    return [int.from_bytes(data[i : i + width], "little", signed=True) for i in range(0, m * width, width)]
