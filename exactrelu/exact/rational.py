"""The one door from floats to exact numbers, and the two exact containers: `DyadicMatrix` and `RationalVector`.

A float is a dyadic rational. `DyadicMatrix` holds a matrix of dyadics as float64 where every entry is a float64, which
is the rule, and as Python integers over one power of two where it is not (a sum of two float64 biases, say).
`RationalVector` holds a point as integers over one common denominator.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidNumberError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PARSED_DIGITS = 4000
_NUMBER = re.compile(r"([+-]?)(\d+)(?:/(\d+)|(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?)|([+-]?)\.(\d+)(?:[eE]([+-]?\d{1,4}))?")


def parse_rational(text: str) -> Fraction:
    """Read an exact decimal, an integer or "p/q".

    Raises InvalidNumberError for anything else, "nan" and "inf" included, and for more than 4,000 characters.

    >>> parse_rational("0.1"), parse_rational("-3/6"), parse_rational("2e-3")
    (Fraction(1, 10), Fraction(-1, 2), Fraction(1, 500))
    """
    text = text.strip()
    if len(text) > _PARSED_DIGITS or not _NUMBER.fullmatch(text):
        raise InvalidNumberError(f"{text[:40]!r} is not a number; write an exact decimal such as 0.25 or a fraction p/q")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise InvalidNumberError(f"{text[:40]!r} divides by zero; write p/q with q > 0") from None


def format_rational(value: Fraction) -> str:
    """Write "p" or "p/q" in lowest terms.

    >>> format_rational(Fraction(2, -4)), format_rational(Fraction(3))
    ('-1/2', '3')
    """
    numerator, denominator = _decimal(value.numerator), _decimal(value.denominator)
    return numerator if denominator == "1" else f"{numerator}/{denominator}"


def _decimal(value: int) -> str:
    """Decimal digits of an integer of any length; Python refuses more than 4,300 digits, FLINT does not."""
    if value.bit_length() < 14_000:
        return str(value)
    from flint import fmpz

    return str(fmpz(value))


def round_to_denominator(value: Fraction, denominator: int) -> tuple[Fraction, Fraction]:
    """Round to a multiple of 1/denominator (half to even) and report the exact error, rounded minus value.

    >>> round_to_denominator(Fraction(1, 3), 8)
    (Fraction(3, 8), Fraction(1, 24))
    """
    if denominator < 1:
        raise InvalidNumberError(f"a denominator must be at least 1, got {denominator}")
    rounded = Fraction(round(value * denominator), denominator)
    return rounded, rounded - value


def exact_float64(values: Any, *, name: str = "array") -> np.ndarray:
    """Return the same numbers as a float64 array, exactly; -0.0 becomes 0.0.

    Accepts float16, bfloat16, float32 and float64 arrays of any shape, and integer or boolean arrays whose values a
    float64 holds. Raises InvalidNumberError naming the tensor and the index of the first nan or infinity, and for types
    that have no exact meaning here (objects, complex numbers, extended precision).

    >>> exact_float64(np.array([0.1], dtype=np.float32))[0] == Fraction(13421773, 134217728)
    True
    """
    array = np.asarray(values)
    if array.dtype.name == "bfloat16":
        result = array.astype(np.float32).astype(np.float64)
    elif array.dtype.kind == "f" and array.dtype.itemsize <= 8:
        result = array.astype(np.float64)
    elif array.dtype.kind in "iub":
        if array.dtype.itemsize == 8 and array.size and max(abs(int(array.max())), abs(int(array.min()))) > 2**53:
            raise InvalidNumberError(f'{name} holds integers beyond 2^53; give them as float64 or as "p/q" text')
        result = array.astype(np.float64)
    else:
        raise InvalidNumberError(
            f"{name} has element type {array.dtype}, which has no exact reading; give float16, bfloat16, float32, float64 or integers"
        )
    finite = np.isfinite(result)
    if not finite.all():
        index = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise InvalidNumberError(f"{name} holds {result[index]} at index {index}; weights and points must be finite numbers")
    if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        # A library may have switched on flush-to-zero, and then a subnormal entry has just been lost.
        stored = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape)
        lost = ((stored << 1) != 0) & (result == 0)
        if lost.any():
            index = tuple(int(i) for i in np.argwhere(lost)[0])
            raise InvalidNumberError(
                f"{name} holds a subnormal number at index {index}, but this process flushes those to zero; "
                "switch that off, for instance by torch.set_flush_denormal(False)"
            )
    return result + 0.0


def odd_parts(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Write every entry of a float64 array as integer * 2^exponent with an odd integer (zero: 0 * 2^0)."""
    # Read off the bits: float operations would lose subnormal entries where a library has switched on flush-to-zero.
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
    raised, mantissa = (bits >> 52) & 0x7FF, bits & (2**52 - 1)
    integer = np.where(raised > 0, mantissa | 2**52, mantissa)
    integer = np.where(bits < 0, -integer, integer)
    nonzero = integer != 0
    lowest = np.where(nonzero, integer & -integer, 1)
    trailing = np.frexp(lowest.astype(np.float64))[1] - 1
    return integer >> trailing, np.where(nonzero, np.maximum(raised, 1) - 1075 + trailing, 0)


def nonzero_entries(values: np.ndarray) -> np.ndarray:
    """Which entries of a float64 array are not zero, by their bits; see `odd_parts`."""
    return np.asarray((np.ascontiguousarray(values, dtype=np.float64).view(np.int64) << 1) != 0)


@dataclass(frozen=True, eq=False)
class DyadicMatrix:
    """An (m, n) matrix of dyadic rationals.

    `floats` holds the float64 nearest to every entry. Where `integers` is None they are the entries themselves;
    otherwise entry (i, j) is integers[i][j] * 2^exponent.
    """

    floats: np.ndarray
    integers: tuple[tuple[int, ...], ...] | None = None
    exponent: int = 0

    @staticmethod
    def from_floats(values: Any, *, name: str = "array") -> DyadicMatrix:
        """Make a matrix from a float array of shape (m, n), exactly; see `exact_float64` for what it refuses."""
        return DyadicMatrix(np.ascontiguousarray(exact_float64(values, name=name)))

    @staticmethod
    def from_integers(rows: Iterable[Sequence[int]], columns: int, exponent: int = 0) -> DyadicMatrix:
        """Make a matrix with entries rows[i][j] * 2^exponent; kept as float64 where that is exact."""
        kept = tuple(tuple(row) for row in rows)
        floats = np.empty((len(kept), columns))
        exact = True
        for i, row in enumerate(kept):
            for j, value in enumerate(row):
                floats[i, j], fits = nearest_float(value, exponent)
                exact = exact and fits
        return DyadicMatrix(floats) if exact else DyadicMatrix(floats, kept, exponent)

    @property
    def shape(self) -> tuple[int, int]:
        return self.floats.shape[0], self.floats.shape[1]

    @property
    def is_float64(self) -> bool:
        """Whether every entry is a float64, so that `floats` is the matrix itself."""
        return self.integers is None

    @cached_property
    def lowest_exponent(self) -> int:
        """All entries are integers times 2^lowest_exponent."""
        if self.integers is not None:
            return self.exponent
        odd, exponents = odd_parts(self.floats)
        nonzero = odd != 0
        return int(exponents[nonzero].min()) if nonzero.any() else 0

    @cached_property
    def common(self) -> tuple[list[list[int]], int]:
        """All entries as integers over one power of two: (rows, exponent), entry = rows[i][j] * 2^exponent."""
        if self.integers is not None:
            return [list(row) for row in self.integers], self.exponent
        odd, exponents = odd_parts(self.floats)
        nonzero, lowest = odd != 0, self.lowest_exponent
        shift = np.where(nonzero, exponents - lowest, 0)
        if not nonzero.any() or int((shift + np.frexp(np.abs(odd).astype(np.float64))[1]).max()) <= 62:
            return (odd << shift).tolist(), lowest
        pairs = zip(odd.tolist(), shift.tolist(), strict=True)
        return [[value << by for value, by in zip(row, shifts, strict=True)] for row, shifts in pairs], lowest

    def integer_row(self, index: int) -> tuple[list[int], int]:
        """Row `index` as integers over one power of two: (integers, exponent)."""
        if self.integers is not None:
            return list(self.integers[index]), self.exponent
        odd, exponents = odd_parts(self.floats[index])
        nonzero = odd != 0
        if not nonzero.any():
            return [0] * odd.shape[0], 0
        lowest = int(exponents[nonzero].min())
        shifts = np.where(nonzero, exponents - lowest, 0)
        return [value << by for value, by in zip(odd.tolist(), shifts.tolist(), strict=True)], lowest

    def rows(self, index: np.ndarray) -> DyadicMatrix:
        """The rows that an integer or boolean index selects."""
        if self.integers is None:
            return DyadicMatrix(self.floats[index])
        chosen = np.arange(self.floats.shape[0])[index].tolist()
        return DyadicMatrix(self.floats[index], tuple(self.integers[i] for i in chosen), self.exponent)

    def columns(self, index: np.ndarray) -> DyadicMatrix:
        """The columns that an integer or boolean index selects."""
        if self.integers is None:
            return DyadicMatrix(self.floats[:, index])
        chosen = np.arange(self.floats.shape[1])[index].tolist()
        picked = tuple(tuple(row[j] for j in chosen) for row in self.integers)
        return DyadicMatrix(self.floats[:, index], picked, self.exponent)

    def fractions(self) -> list[list[Fraction]]:
        """The entries as fractions; for small matrices and tests."""
        rows, exponent = self.common
        scale = Fraction(2) ** exponent
        return [[value * scale for value in row] for row in rows]

    @cached_property
    def nonzero_rows(self) -> np.ndarray:
        """Boolean mask (m,) of the rows with a non-zero entry."""
        if self.integers is None:
            return np.asarray(nonzero_entries(self.floats).any(axis=1))
        return np.array([any(row) for row in self.integers], dtype=bool)

    @cached_property
    def nonzero_columns(self) -> np.ndarray:
        """Boolean mask (n,) of the columns with a non-zero entry."""
        if self.integers is None:
            return np.asarray(nonzero_entries(self.floats).any(axis=0))
        used = np.zeros(self.floats.shape[1], dtype=bool)
        for row in self.integers:
            used |= np.array([value != 0 for value in row], dtype=bool)
        return used


def stack(matrices: Sequence[DyadicMatrix]) -> DyadicMatrix:
    """The matrices above one another; all have the same number of columns."""
    floats = np.vstack([matrix.floats for matrix in matrices])
    if all(matrix.is_float64 for matrix in matrices):
        return DyadicMatrix(floats)
    parts = [matrix.common for matrix in matrices]
    lowest = min(exponent for _, exponent in parts)
    rows = tuple(tuple(value << (exponent - lowest) for value in row) for part, exponent in parts for row in part)
    return DyadicMatrix(floats, rows, lowest)


def nearest_float(value: int, exponent: int) -> tuple[float, bool]:
    """The float64 nearest to value * 2^exponent, and whether it is equal to it."""
    if value == 0:
        return 0.0, True
    above, below = value << max(0, exponent), 1 << max(0, -exponent)
    try:
        result = above / below  # correctly rounded, subnormal results included
    except OverflowError:
        return (math.inf if value > 0 else -math.inf), False
    numerator, denominator = result.as_integer_ratio()
    return result, numerator * below == above * denominator


@dataclass(frozen=True)
class RationalVector:
    """A point of Q^n: numerators over one positive common denominator, in lowest terms."""

    numerators: tuple[int, ...]
    denominator: int = 1

    def __post_init__(self) -> None:
        if self.denominator < 1:
            raise InvalidNumberError(f"a denominator must be at least 1, got {self.denominator}")
        common = math.gcd(self.denominator, *self.numerators)
        if common > 1:
            object.__setattr__(self, "numerators", tuple(value // common for value in self.numerators))
            object.__setattr__(self, "denominator", self.denominator // common)

    @staticmethod
    def from_fractions(values: Iterable[Fraction | int]) -> RationalVector:
        """Make a point from fractions or integers.

        >>> RationalVector.from_fractions([Fraction(1, 2), Fraction(1, 3)])
        RationalVector(numerators=(3, 2), denominator=6)
        """
        fractions = [Fraction(value) for value in values]
        denominator = math.lcm(1, *(value.denominator for value in fractions))
        return RationalVector(tuple(int(value * denominator) for value in fractions), denominator)

    @staticmethod
    def from_floats(values: Any, *, scale: Fraction = Fraction(1), name: str = "point") -> RationalVector:
        """Make a point from a one-dimensional float or integer array, every entry multiplied exactly by `scale`."""
        integers, exponent = DyadicMatrix.from_floats(np.reshape(values, (1, -1)), name=name).integer_row(0)
        factor = scale * Fraction(2) ** exponent
        return RationalVector(tuple(value * factor.numerator for value in integers), factor.denominator)

    def __len__(self) -> int:
        return len(self.numerators)

    def fractions(self) -> list[Fraction]:
        return [Fraction(value, self.denominator) for value in self.numerators]

    def texts(self) -> list[str]:
        """The coordinates as "p/q" strings."""
        return [format_rational(value) for value in self.fractions()]

    def to_float(self) -> np.ndarray:
        """The nearest float64 of every coordinate; infinite where a coordinate exceeds the float range."""
        return np.array([_divide(value, self.denominator) for value in self.numerators], dtype=np.float64)


def _divide(numerator: int, denominator: int) -> float:
    try:
        return numerator / denominator
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf
