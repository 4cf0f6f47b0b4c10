"""How far a tensor computed in float32 can be from the exact one: error bounds carried along with a float64 evaluation.

FG1, the arithmetic. With u = 2^-24 and t = 2^-126 a float32 operation on a and b returns (a op b)(1 + d) + r, |d| <= u, |r| <= t: round
to nearest, with subnormal results kept (|r| <= 2^-150) or flushed to zero (|r| < t). A subnormal operand may be read as zero, which
changes it by less than t. Comparing, selecting and changing the sign are exact, but for that.

FG2, a sum. Let y = sum_j w_j x_j + c be computed from x' with |x'_j - x_j| <= e_j, in any order, with or without fused multiply-add,
every term passing at most k roundings. Then |y' - y| <= |w| e + gamma_k (|w| |x'| + |c|) + 2 t T, with gamma_k = k u / (1 - k u) and
T = k (4 + max |w_j|, |c| + max |x'_j|), times the factors above 1 that the program multiplies a sum or c by at the end.
Proof. Without the r's, y' = sum_j w_j x'_j (1 + a_j) + c (1 + a_0), each 1 + a_j a product of at most k factors (1 + d) or 1 / (1 + d),
so |a_j| <= gamma_k (Higham, Accuracy and Stability of Numerical Algorithms, lemma 3.1); subtract y. At most k products and k additions
add an r each; an operand read as zero changes a product by at most t |x'_j| or t |w_j|, an addition by at most 2 t: together at most
t T. What is added meets later factors 1 + d, fewer than 2^20 and in all below 2. With n non-zero terms and c, k <= n + 1: one rounding
for the product, one for each addition of numbers that are not zero. Where a weight is zero, padding among them, the product is an exact
zero and not counted.

FG3, constants after a sum. z = s y + c, computed from y' or with s and c folded beforehand, in float32, into the weights and the
constant of y, one operator after another. Either way z' is a sum as in FG2 with weights s w_j, each term passing at most a few more
roundings, `extra`. So FG2 holds with |s| |w| e for |w| e, |s| (|w| |x'| + |c_y|) + |c| for |w| |x'| + |c_y|, and k + extra for k; and an
s that underflows is off by t beside its relative error, which y and all else that it multiplies turn into a part of t T. Therefore a
`FloatError` keeps the parts of the bound apart until something else reads it. The sum of two tensors is the same with terms and
roundings added up, and 1 for the addition.

FG4, activations. relu, max, min, clip and abs are exact, and change by at most the largest change of an argument. A leaky relu with
slope a changes by at most max(1, |a|) times that, and rounds one product. Where the exact and the computed value are both negative, relu
of both is 0.

FG5, sizes. A float64 evaluation, in any order, is an evaluation as in FG1 (its u is 2^-53), so its value v is within e of the exact one
as well. Hence |x'| <= |v| + 2 e, which is all that v is needed for. The bounds are sums of products of non-negative float64 numbers,
each with fewer than 2^20 roundings, made larger by the factor UPWARDS (exact/rounding.py); what underflows there is below 2^-1000, and
T >= 4 wherever anything is rounded.

FG6, overflow. Nothing overflows where |w| |x'| + |c| and the folded constants stay below a quarter of the largest float32; else there is
no bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rounding import UPWARDS

if TYPE_CHECKING:
    from collections.abc import Callable

UNIT_ROUNDOFF = 2.0**-24
SMALLEST_NORMAL = 2.0**-126
MOST_ROUNDINGS = 2**19

# A constant that is not a float32 is rounded to one, a reader's dyadic factor is off by at most 2^-29 of it, two factors of a product
# (alpha and beta of Gemm, or one folded in from before the sum): four roundings beside those of the sum itself.
EXTRA_ROUNDINGS = 4

_LARGEST = float(np.finfo(np.float32).max) / 4


class NoBound(Exception):
    """The theorem does not apply; says why. The caller reports it as undecided."""


def check_range(size: float, factor: float = 1.0) -> None:
    """FG6: raise NoBound unless numbers of that size, times a factor, are far from overflow."""
    # A nan fails the comparison.
    if not size * max(1.0, factor) <= _LARGEST:
        raise NoBound("numbers beyond the range of float32 may occur on the way")


@dataclass(frozen=True, eq=False)
class FloatError:
    """A tensor s of any shape with a bound of |s' - s| for its float32 evaluation s', kept as FG3 needs it.

    `value` is a float64 evaluation. The bound is propagated + gamma_roundings * magnitude + 2 t terms, entry by entry. `foldable` times t
    is what can be lost where one more constant is folded in, `largest` bounds the constants folded into each other so far.

    >>> x = FloatError.of_input(np.array([1.0, 0.5]), np.array([0.0, 2.0**-26]))
    >>> y = x.shifted(np.array([1.0, 1.0]))
    >>> y.value, bool((y.error >= [2.0**-23, 2.0**-26]).all()), bool((y.error < 1e-6).all())
    (array([2. , 1.5]), True, True)
    """

    value: np.ndarray
    propagated: np.ndarray
    magnitude: np.ndarray
    roundings: np.ndarray
    terms: np.ndarray
    foldable: np.ndarray
    largest: float = 1.0

    def __post_init__(self) -> None:
        if self.value.dtype != np.float64:
            raise NoBound(f"a tensor was evaluated in {self.value.dtype}, not in float64")
        size = self.magnitude + self.propagated
        check_range(float(size.max(initial=0)))
        check_range(self.largest)
        if self.roundings.size and int(self.roundings.max()) > MOST_ROUNDINGS:
            raise NoBound(f"a sum has more than {MOST_ROUNDINGS} terms")

    @staticmethod
    def of_input(value: np.ndarray, error: np.ndarray) -> FloatError:
        """A tensor whose float32 form is known to be within `error`; both of one shape."""
        zero = np.zeros(value.shape)
        exact = (error == 0) & ((value == 0) | (np.abs(value) >= SMALLEST_NORMAL))
        error = (error + np.where(exact, 0.0, SMALLEST_NORMAL)) * UPWARDS
        size = (np.abs(value) + 2 * error) * UPWARDS
        return FloatError(value, error, size, zero, zero, size)

    @cached_property
    def error(self) -> np.ndarray:
        """The bound of |s' - s|."""
        gamma = self.roundings * UNIT_ROUNDOFF / (1 - self.roundings * UNIT_ROUNDOFF)
        result = (self.propagated + gamma * self.magnitude + 2 * SMALLEST_NORMAL * self.terms) * UPWARDS * UPWARDS
        return np.asarray(result)

    @cached_property
    def size(self) -> np.ndarray:
        """A bound of |s|, of |s'| and of the value (FG5)."""
        return np.asarray((np.abs(self.value) + 2 * self.error) * UPWARDS)

    def settled(self) -> FloatError:
        """The same tensor where nothing is folded into it any more."""
        return FloatError.of_input(self.value, self.error)

    def moved(self, move: Callable[[np.ndarray], np.ndarray]) -> FloatError:
        """A tensor whose entries are entries of this one, or constants that are float32."""
        error = move(self.error) - move(np.zeros(self.value.shape))
        return FloatError.of_input(move(self.value), error)

    # ---------------------------------------------------------------- FG2, FG3

    def summed(
        self,
        value: np.ndarray,
        absolute: Callable[[np.ndarray], np.ndarray],
        constants: np.ndarray,
        counts: np.ndarray,
        largest: float,
        gain: float = 1.0,
    ) -> FloatError:
        """FG2: sums of products of these entries.

        `absolute` is the product with |w|, `constants` |c|, `counts` at least the roundings of each sum, `largest` max |w|, |c|, `gain` a
        bound of the factors that a sum or its constants are multiplied by at the end.
        """
        roundings = counts + EXTRA_ROUNDINGS
        terms = roundings * (4 + largest + float(self.size.max(initial=0))) * max(1.0, gain) * UPWARDS
        magnitude = (absolute(self.size) + constants) * UPWARDS
        return FloatError(value, absolute(self.error) * UPWARDS, magnitude, roundings, terms, terms, max(1.0, largest))

    def scaled(
        self,
        value: np.ndarray,
        factors: np.ndarray,
        extra: int,
        shift: np.ndarray | float = 0.0,
        *,
        beside: np.ndarray | float = 0.0,
        gain: np.ndarray | float = 0.0,
    ) -> FloatError:
        """FG3: s y + c of any shapes that broadcast, with `value` as its float64 value, `factors` |s| and `shift` a bound of |c|.

        `beside` bounds what else s is multiplied by, `gain` the parts of s where it is a product itself.
        """
        magnitude = (factors * self.magnitude + shift) * UPWARDS
        # What was lost is scaled. Folded weights may be flushed, and read as zero; so may s, its parts, the product and the sum.
        own = 8 * (1 + factors + gain) * (1 + self.magnitude + beside + shift)
        terms = (factors * self.terms + 2 * self.foldable + own) * UPWARDS
        largest = self.largest * max(1.0, float(np.max(factors, initial=0.0))) + float(np.max(shift, initial=0.0))
        propagated, roundings = _wide(factors * self.propagated * UPWARDS, magnitude), _wide(self.roundings + extra, magnitude)
        return FloatError(value, propagated, magnitude, roundings, terms, _wide(self.foldable, magnitude), largest)

    def shifted(self, constants: np.ndarray) -> FloatError:
        """FG3 with s = 1: y + c."""
        return self.scaled(self.value + constants, np.ones(()), 1, np.abs(constants))

    def negated(self) -> FloatError:
        return replace(self, value=-self.value)

    def plus(self, other: FloatError) -> FloatError:
        """The sum of two tensors whose shapes broadcast."""
        magnitude = (self.magnitude + other.magnitude) * UPWARDS
        return FloatError(
            self.value + other.value,
            (self.propagated + other.propagated) * UPWARDS,
            magnitude,
            _wide(self.roundings + other.roundings + 1, magnitude),
            (self.terms + other.terms + 8) * UPWARDS,
            (self.foldable + other.foldable) * UPWARDS,
            self.largest + other.largest,
        )

    # ---------------------------------------------------------------- FG4

    def rectified(self, mask: np.ndarray | None = None) -> FloatError:
        """relu, of the entries that `mask` names or of all."""
        chosen = np.ones(self.value.shape, dtype=bool) if mask is None else mask
        # s <= v + e and s' <= v + 2 e: both are negative, and both results 0, where v <= -2 e.
        zero = chosen & (self.value <= -2 * self.error * UPWARDS)
        return FloatError.of_input(np.where(chosen, np.maximum(self.value, 0), self.value), np.where(zero, 0.0, self.error))

    def leaky(self, slopes: np.ndarray) -> FloatError:
        """z where z >= 0, else slope * z; the slopes' shape broadcasts to the tensor's."""
        sizes = np.abs(slopes)
        rounded = 2 * UNIT_ROUNDOFF * sizes * self.size + 4 * SMALLEST_NORMAL * (1 + sizes + self.size)
        error = (np.maximum(1.0, sizes) * self.error + rounded) * UPWARDS
        return FloatError.of_input(np.where(self.value >= 0, self.value, slopes * self.value), error)

    def absolute(self) -> FloatError:
        return FloatError.of_input(np.abs(self.value), self.error)

    def clipped(self, low: np.ndarray | float, high: np.ndarray | float) -> FloatError:
        """min(max(z, low), high) with float32 bounds, infinite ones included."""
        return FloatError.of_input(np.minimum(np.maximum(self.value, low), high), self.error)

    def extreme(self, other: FloatError, choose: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> FloatError:
        """The larger or the smaller of two tensors, entry by entry."""
        return FloatError.of_input(choose(self.value, other.value), np.maximum(self.error, other.error))


def _wide(array: np.ndarray, like: np.ndarray) -> np.ndarray:
    return np.broadcast_to(array, like.shape)
