"""What is proved of the singular values of one linearisation, beside what floats say of them: one object of the JSON result."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from exactrelu.decimals import decimal_text
from exactrelu.exact.rational import format_rational

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from exactrelu.exact.spectrum import Spectrum
    from exactrelu.stability.matrix_free import ExtremeValues

# Of every bound that is printed; rounding outwards then adds less than the enclosure itself has.
DIGITS = 14

Interval = tuple[Fraction, Fraction]


@dataclass(frozen=True, eq=False)
class ProvedSpectrum:
    """All min(m, n) singular values of a matrix (m, n), proved, with its rank and what floats make of both.

    rank: bounds of the exact rank, equal but for large matrices whose rank no cheap argument settles. `floats` are the float singular
    values, divided by 2^exponent; `right` the right singular vectors (r, n), a proposal too. `below`: for every threshold, how many
    singular values are below it, (at least, at most).

    >>> import numpy as np
    >>> from exactrelu.exact.spectrum import Spectrum
    >>> spectrum = Spectrum((Fraction(2), Fraction(0)), (Fraction(2), Fraction(0)))
    >>> proved = ProvedSpectrum((3, 2), spectrum, (1, 1), np.array([2.0, 1e-17]), 0, np.eye(2), 1)
    >>> proved.sigma_min, proved.condition, proved.agrees
    ((Fraction(2, 1), Fraction(2, 1)), (Fraction(1, 1), Fraction(1, 1)), True)
    """

    shape: tuple[int, int]
    spectrum: Spectrum
    rank: tuple[int, int]
    floats: np.ndarray
    exponent: int
    right: np.ndarray
    numeric_rank: int
    below: Mapping[Fraction, tuple[int, int]] = field(default_factory=dict)

    @property
    def exact_rank(self) -> int | None:
        return self.rank[0] if self.rank[0] == self.rank[1] else None

    @property
    def agrees(self) -> bool | None:
        """Whether the numerical rank is the exact one; None where the latter is open."""
        if self.exact_rank is None:
            return None if self.rank[0] <= self.numeric_rank <= self.rank[1] else False
        return self.numeric_rank == self.exact_rank

    @property
    def sigma_max(self) -> Interval:
        return self._bounds(0) if len(self.spectrum) else (Fraction(0), Fraction(0))

    @property
    def sigma_min(self) -> Interval | None:
        """The smallest non-zero singular value; None at rank 0, and where the rank is open."""
        return self._bounds(self.exact_rank - 1) if self.exact_rank else None

    @property
    def condition(self) -> tuple[Fraction, Fraction | None] | None:
        """sigma_max / sigma_min, the upper bound None where that of 1 / sigma_min is."""
        if self.sigma_min is None:
            return None
        (small, large), (least, most) = self.sigma_min, self.sigma_max
        return max(least / large, Fraction(1)), most / small if small else None

    def _bounds(self, index: int) -> Interval:
        return self.spectrum.lower[index], self.spectrum.upper[index]

    def directions(self) -> dict[str, list[str]] | None:
        """The input directions of the largest and of the smallest non-zero singular value, as floats propose them, without a proof.

        Each has a largest entry of 1 or -1, and three digits. None where the rank is open or 0, and where no vectors were kept.
        """
        if not self.exact_rank or len(self.right) < self.exact_rank:
            return None
        ends = {"largest": self.right[0], "smallest": self.right[self.exact_rank - 1]}
        return {word: [f"{round(1000 * value)}/1000" for value in (v / abs(v).max()).tolist()] for word, v in ends.items()}

    def extremes(self) -> dict[str, Any]:
        """The rank, the extreme singular values that are not 0, and their quotient: bounds as decimal strings, rounded outwards."""
        return {
            "rank": self.exact_rank,
            "rank_bounds": list(self.rank),
            "sigma_max": interval_texts(self.sigma_max),
            "sigma_min": None if self.sigma_min is None else interval_texts(self.sigma_min),
            "condition": None if self.condition is None else interval_texts(self.condition),
        }

    def record(self) -> dict[str, Any]:
        """The object of the JSON result."""
        return self.extremes() | {
            "sigma": [interval_texts(self._bounds(index)) for index in range(len(self.spectrum))],
            "below": {format_rational(threshold): list(count) for threshold, count in self.below.items()},
            "numeric_rank": self.numeric_rank,
            "agrees": self.agrees,
        }


@dataclass(frozen=True, eq=False)
class LayerStability:
    """The linearisation at one point through one layer (theory S3).

    composed: of the network from its input up to and with the layer, or of the layer alone. active: how many outputs are positive, or
    pass no relu. before: of the map without the layer's last relu; None where that was not asked about, or the layer has several stages.
    """

    row: int
    layer: int
    name: str
    composed: bool
    active: int
    after: ProvedSpectrum | ExtremeValues
    before: ProvedSpectrum | None
    device: str
    precision: str
    seconds: float
    more: Mapping[str, Any] = field(default_factory=dict)

    def record(self, *, directions: bool = False) -> dict[str, Any]:
        """One object of `results`; directions: with those of `ProvedSpectrum.directions`, where there are any."""
        shown = self.after.directions() if directions and isinstance(self.after, ProvedSpectrum) else None
        return {
            "row": self.row,
            "layer": self.layer,
            "name": self.name,
            "composed": self.composed,
            "active": self.active,
            **self.after.record(),
            "before": None if self.before is None else self.before.record(),
            "device": self.device,
            "dtype": self.precision,
            "seconds": round(self.seconds, 6),
            **self.more,
            **({} if shown is None else {"directions": shown}),
        }


def square_root(value: Fraction) -> Interval:
    """Bounds of the root of a number that is not negative, 2^-100 apart relative to it.

    >>> lower, upper = square_root(Fraction(2))
    >>> lower**2 < 2 < upper**2 and upper - lower < Fraction(1, 10**29)
    True
    """
    # 4^k value has at least 200 bits.
    k = max(0, 200 - value.numerator.bit_length() + value.denominator.bit_length()) // 2 + 1
    root = math.isqrt((value.numerator << 2 * k) // value.denominator)
    exact = root * root * value.denominator == value.numerator << 2 * k
    return Fraction(root, 1 << k), Fraction(root + (not exact), 1 << k)


def interval_texts(bounds: tuple[Fraction, Fraction | None]) -> list[str | None]:
    """[lower, upper] as decimals, rounded outwards.

    >>> interval_texts((Fraction(1, 3), Fraction(1, 3)))
    ['0.33333333333333', '0.33333333333334']
    """
    lower, upper = bounds
    return [decimal_text(lower, "down", digits=DIGITS), None if upper is None else decimal_text(upper, "up", digits=DIGITS)]
