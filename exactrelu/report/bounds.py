"""Numbers known by proved bounds: read from decimal texts, put in order, rounded outwards for people, placed on a logarithmic axis."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from exactrelu.decimals import decimal_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.report.fields import Checked

_DECIMAL = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?(e[+-]?[0-9]{1,5})?")


class Bounds(NamedTuple):
    """A number that is not negative: at least `lower`, at most `upper`, None where no upper bound is known; decimal texts."""

    lower: str
    upper: str | None

    @property
    def text(self) -> str:
        """The bounds to four digits, rounded outwards; one number where both are that.

        >>> Bounds("0.33333333333333", "0.33333333333334").text, Bounds("2", "2.000").text, Bounds("7", None).text
        ('[0.3333, 0.3334]', '2', '[7, ∞)')
        """
        low = decimal_text(Decimal(self.lower), "down")
        if self.upper is None:
            return f"[{low}, ∞)"
        high = decimal_text(Decimal(self.upper), "up")
        return low if low == high else f"[{low}, {high}]"

    @property
    def whole(self) -> str:
        """The bounds as they were written."""
        return f"at least {self.lower}" + ("" if self.upper is None else f", at most {self.upper}")


def read_bounds(check: Checked, value: Any, field: str) -> Bounds:
    """The pair [lower, upper] of a result; raises InvalidFileError for anything else."""
    if not isinstance(value, list) or len(value) != 2:
        check.refuse(field, "is not a pair of bounds")
    lower, upper = read_decimal(check, value[0], field), None if value[1] is None else read_decimal(check, value[1], field)
    if upper is not None and Decimal(lower) > Decimal(upper):
        check.refuse(field, "has a lower bound above the upper one")
    return Bounds(lower, upper)


def read_decimal(check: Checked, value: Any, field: str) -> str:
    """A decimal text that is not negative; raises InvalidFileError for anything else."""
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        check.refuse(field, "holds what is not a decimal")
    return value


def apart(one: Bounds, other: Bounds) -> bool:
    """Whether no number is within both.

    >>> apart(Bounds("1", "2"), Bounds("2", None)), apart(Bounds("1", "2"), Bounds("2.1", None))
    (False, True)
    """
    first, second = ((Decimal(pair.lower), Decimal(pair.upper or "Infinity")) for pair in (one, other))
    return first[0] > second[1] or second[0] > first[1]


def ordered(many: Sequence[Bounds], place: int) -> Bounds:
    """Bounds of the number that comes at this place when the numbers are sorted.

    Of numbers x_k in [l_k, u_k], the place-th least is at least the place-th least l_k and at most the place-th least u_k, since at most
    `place` of the x_k are below the former and more than `place` of them at most the latter.

    >>> ordered([Bounds("3", "9"), Bounds("1", None), Bounds("4", "5")], 0)
    Bounds(lower='1', upper='5')
    """
    lowers = sorted((one.lower for one in many), key=Decimal)
    uppers = sorted((one.upper for one in many if one.upper is not None), key=Decimal)
    return Bounds(lowers[place], uppers[place] if place < len(uppers) else None)


def logarithm(text: str) -> float | None:
    """Where a decimal stands on a logarithmic axis, in powers of ten; None for 0.

    >>> logarithm("1e-4000"), logarithm("1000"), logarithm("0.00")
    (-4000.0, 3.0, None)
    """
    mantissa, _, exponent = text.partition("e")
    value = float(mantissa)
    return math.log10(value) + int(exponent or 0) if value else None
