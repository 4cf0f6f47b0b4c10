"""All singular values of a matrix, each in a proved interval, from any float singular value decomposition (theory S1).

The decomposition only proposes. Let A be the exact matrix, U (m, r), V (n, r), r = min(m, n), and s >= 0 the floats proposed, and let
F = |V^T V - I|, G = |U^T U - I|, E = |A - U diag(s) V^T| in the spectral norm. Then for every i

    |sigma_i(A) - s_i| <= E + max(F, G) s_i.

Proof. Let B = U diag(s) V^T. sigma_i(A) and sigma_i(B) differ by at most E (Weyl). The singular values of U lie between sqrt(1 - G) and
sqrt(1 + G), those of V between sqrt(1 - F) and sqrt(1 + F), and multiplying with a matrix changes sigma_i at most by the factors of its
extreme singular values (Ostrowski): sigma_i(B) is between s_i sqrt((1 - F)(1 - G)) and s_i sqrt((1 + F)(1 + G)). A geometric mean lies
between the two numbers: these are at least s_i (1 - max(F, G)) and at most s_i (1 + max(F, G)).

Of a symmetric matrix without negative eigenvalues U = V may be proposed. Then F = G, and with X = V diag(sqrt(s)), B = X X^T: X is computed
with two roundings an entry, X X^T is off by four, and the two products are symmetric, which halves their cost.

F, G and E are bounded from float64 products, in one of two ways, both proved in `_residual_norm`: by the a-priori bound of rounding, three
products; or by integer slices whose products are exact (theory C5), about six times as many. Both assume IEEE float64 with round to nearest
and classical products, which `float_arithmetic_is_sound` probes; and nothing else, of the decomposition nothing at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import ExactReluError
from exactrelu.exact.enclosed import UNDERFLOW, blocked_product, frobenius
from exactrelu.exact.rounding import UNIT_ROUNDOFF, UPWARDS, float_arithmetic_is_sound
from exactrelu.exact.slices import integer_slices, slice_width

if TYPE_CHECKING:
    from exactrelu.exact.enclosed import EnclosedMatrix

_SLICES = 3
# Of a tall product so many rows at a time are held.
_STRIPE = 4096
_LARGEST_PROPOSED = 2.0**100


@dataclass(frozen=True)
class Spectrum:
    """Proved bounds of the singular values of a matrix, largest first: 0 <= lower[i] <= sigma_i <= upper[i].

    >>> spectrum = Spectrum((Fraction(3), Fraction(0)), (Fraction(5), Fraction(1, 2)))
    >>> spectrum.positive, spectrum.below(Fraction(1, 4)), spectrum.of_rank(1).upper[1]
    (1, (0, 1), Fraction(0, 1))
    """

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]

    @staticmethod
    def around(values: np.ndarray, radii: np.ndarray, exponent: int) -> Spectrum:
        """From sigma_i / 2^exponent in [values_i - radii_i, values_i + radii_i]."""
        scale, zero = Fraction(2) ** exponent, Fraction(0)
        pairs = [(Fraction(value), Fraction(radius)) for value, radius in zip(values.tolist(), radii.tolist(), strict=True)]
        return Spectrum(
            tuple(max(value - radius, zero) * scale for value, radius in pairs), tuple((value + radius) * scale for value, radius in pairs)
        )

    def __len__(self) -> int:
        return len(self.lower)

    @property
    def positive(self) -> int:
        """How many singular values are proved to be positive: a lower bound of the rank."""
        # Where one is positive, so are all before it.
        return max((i for i, lower in enumerate(self.lower, 1) if lower > 0), default=0)

    def below(self, threshold: Fraction) -> tuple[int, int]:
        """How many are below the threshold: (at least, at most)."""
        return sum(upper < threshold for upper in self.upper), sum(lower < threshold for lower in self.lower)

    def of_rank(self, rank: int) -> Spectrum:
        """The same where the rank is known: all singular values beyond it are 0."""
        return Spectrum(self.lower[:rank], self.upper[:rank]).padded(len(self))

    def padded(self, count: int) -> Spectrum:
        """The same with zeros up to `count` singular values, for rows of zeros that were left out."""
        zeros = (Fraction(0),) * (count - len(self))
        return Spectrum(self.lower + zeros, self.upper + zeros)

    def intersected(self, other: Spectrum) -> Spectrum:
        """What both say."""
        return Spectrum(tuple(map(max, self.lower, other.lower)), tuple(map(min, self.upper, other.upper)))


def enclosed_spectrum(matrix: EnclosedMatrix, u: np.ndarray | None, s: np.ndarray, vt: np.ndarray, *, slices: bool = False) -> Spectrum:
    """Enclose all singular values of a matrix (m, n), given floats that propose `floats` = u diag(s) vt.

    u: (m, r), s: (r,), vt: (r, n), r = min(m, n); without u it is vt^T, of a symmetric matrix, and s is not negative. slices: bound the
    residuals by exact products. Raises ExactReluError where the process's floats are not IEEE float64. Theory S1.

    >>> from exactrelu.exact.enclosed import EnclosedMatrix
    >>> spectrum = enclosed_spectrum(EnclosedMatrix(np.diag([1.0, 0.5])), np.eye(2), np.array([1.0, 0.5]), np.eye(2))
    >>> spectrum.lower[1] < Fraction(1, 2) < spectrum.upper[1] < spectrum.lower[1] + Fraction(1, 10**13)
    True
    """
    check_arithmetic()
    matrix = matrix.dense()
    s, vt = (np.asarray(part, dtype=np.float64) for part in (s, vt))
    u = None if u is None else np.asarray(u, dtype=np.float64)
    size = frobenius(matrix.floats) + matrix.error
    # A nan fails the comparison.
    given = (part for part in (u, s, vt) if part is not None and part.size)
    if not all(part.min() >= -_LARGEST_PROPOSED and part.max() <= _LARGEST_PROPOSED for part in given):
        return _from_norm(size, len(s), matrix.exponent)
    order = np.argsort(-np.abs(s), kind="stable")
    if (np.abs(s)[order] != s).any():
        # A sign goes to the left vectors: the same product.
        u, s, vt = None if u is None else (u * np.where(s < 0, -1.0, 1.0))[:, order], np.abs(s)[order], vt[order]
    right = _residual_norm(None, vt, vt.T, slices=slices)
    if u is None:
        left, scaled = right, vt.T * np.sqrt(s)
        other = scaled.T
    else:
        left, scaled, other = _residual_norm(None, u.T, u, slices=slices), u * s, vt
    # Rounding u diag(s) changes each entry by one part in 2^53, rounding both of X and X^T by two each.
    rounded = 5 * UNIT_ROUNDOFF * frobenius(scaled) * frobenius(other)
    residual = _residual_norm(matrix.floats, scaled, other, slices=slices) + (rounded + matrix.error + UNDERFLOW) * UPWARDS
    radii = (residual + max(left, right) * s) * UPWARDS
    if not np.isfinite(radii).all():
        return _from_norm(size, len(s), matrix.exponent)
    return Spectrum.around(s, radii, matrix.exponent)


def check_arithmetic() -> None:
    """Raise ExactReluError unless the process's floats are what the proofs assume, as far as a probe can tell."""
    if not float_arithmetic_is_sound():
        raise ExactReluError(
            "this process's floats do not round to nearest or flush subnormal numbers to zero, so nothing can be proved with them; "
            "another library has changed the mode: run in a fresh process, or call torch.set_flush_denormal(False)"
        )


def _from_norm(size: float, count: int, exponent: int) -> Spectrum:
    """What |A|_F <= size says: i sigma_i^2 <= |A|_F^2."""
    halves = size / np.sqrt(np.arange(1, count + 1)) / 2 * UPWARDS
    return Spectrum.around(halves, halves, exponent)


def _residual_norm(target: np.ndarray | None, x: np.ndarray, y: np.ndarray, *, slices: bool) -> float:
    """An upper bound of |T - X Y|_F, T the identity where it is None."""
    error = _by_slices(target, x, y) if slices else _by_rounding(target, x, y)
    return error * UPWARDS + UNDERFLOW


def _subtracted(target: np.ndarray | None, product: np.ndarray) -> np.ndarray:
    """fl(product - T), in place of the product: each entry within u of its own size, relative."""
    if target is None:
        product[np.diag_indices(len(product))] -= 1.0
    else:
        product -= target
    return product


def _by_rounding(target: np.ndarray | None, x: np.ndarray, y: np.ndarray) -> float:
    """|fl(T - fl(X Y))|_F, with one rounding of the difference and gamma | |X| |Y| |_F <= gamma |X|_F |Y|_F of the product.

    The squares of the norms of some rows at a time add up to that of all.
    """
    norms, rounding, height = [0.0], 0.0, _STRIPE if target is not None else max(len(x), 1)
    for begin in range(0, len(x), height):
        stripe = slice(begin, begin + height)
        product, rounding = blocked_product(x[stripe], y)
        norms.append(frobenius(_subtracted(None if target is None else target[stripe], product)))
    return frobenius(np.array([norms])) * (1 + 2 * UNIT_ROUNDOFF) + rounding * frobenius(x) * frobenius(y)


def _by_slices(target: np.ndarray | None, x: np.ndarray, y: np.ndarray) -> float:
    """With X = sum X_i + dX and Y = sum Y_j + dY, slices of w bits: the products X_i Y_j are exact and are added to -T one by one.

    After the first of them the rest is small, and what each further sum rounds is u times the computed rest. Products with i + j > 2
    are left out and bounded by |X_i|_F |Y_j|_F, dX and dY by half of the last slice's unit in every entry.
    """
    width = slice_width(x.shape[1])
    xs, ys = (integer_slices(part, width, most=_SLICES) for part in (x, y))
    rest, error = _subtracted(target, np.zeros((x.shape[0], y.shape[1]))), 0.0
    for i, (a, e) in enumerate(xs):
        for j, (b, f) in enumerate(ys):
            if i + j < _SLICES:
                rest += np.ldexp(a @ b, e + f)
                error += UNIT_ROUNDOFF * frobenius(rest) * UPWARDS
            else:
                error += math.ldexp(frobenius(a) * frobenius(b), e + f)
    left, right = (_cut(parts, part.size) for parts, part in ((xs, x), (ys, y)))
    error += left * frobenius(y) + (frobenius(x) + left) * right
    return frobenius(rest) + error * UPWARDS


def _cut(parts: list[tuple[np.ndarray, int]], entries: int) -> float:
    """An upper bound of the Frobenius norm of what the slices leave of so many entries: nothing where there are fewer than asked for."""
    return math.ldexp(math.sqrt(entries) * UPWARDS, parts[-1][1] - 1) if len(parts) == _SLICES else 0.0
