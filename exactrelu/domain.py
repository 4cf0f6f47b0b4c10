"""Domains: the closed convex sets of inputs that a question may be restricted to, held exactly.

A domain is all of R^n, the orthant, a box, a Euclidean ball around 0, or a polytope whose rows are integers after clearing
denominators. The words a user writes (`box:0,1`) are read here, and the `domain` section of a certificate is written here.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from exactrelu.certificates import hexadecimal
from exactrelu.errors import InvalidFileError, InvalidNumberError, InvalidRequestError
from exactrelu.exact.rational import RationalVector, format_rational, parse_rational
from exactrelu.points import read_array, read_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

POLYTOPE_BYTES = 2**26
SIDE_DIGITS = 2**16


def _line(word: str, *values: int) -> str:
    return " ".join([word, *map(hexadecimal, values)])


@dataclass(frozen=True)
class AllSpace:
    """All of R^n; `written` is what the user wrote for it.

    >>> AllSpace().describe()
    'all'
    """

    written: str = field(default="", compare=False)

    def contains(self, x: RationalVector) -> bool:  # noqa: ARG002
        """Whether x lies in the domain, exactly."""
        return True

    def check_dimension(self, n: int) -> None:
        """Nothing to check: the domain exists in every dimension."""

    def lines(self) -> tuple[str, ...]:
        """The `domain` section of a certificate."""
        return ("domain all",)

    def describe(self) -> str:
        """The domain in the words of `parse_domain`."""
        return self.written or "all"


@dataclass(frozen=True)
class Orthant:
    """The points without a negative coordinate; `written` is what the user wrote for it.

    >>> Orthant().contains(RationalVector((0, 3), 2)), Orthant().contains(RationalVector((0, -1), 2))
    (True, False)
    """

    written: str = field(default="", compare=False)

    def contains(self, x: RationalVector) -> bool:
        """Whether x lies in the domain, exactly."""
        return all(value >= 0 for value in x.numerators)

    def check_dimension(self, n: int) -> None:
        """Nothing to check: the domain exists in every dimension."""

    def lines(self) -> tuple[str, ...]:
        """The `domain` section of a certificate."""
        return ("domain orthant",)

    def describe(self) -> str:
        """The domain in the words of `parse_domain`."""
        return self.written or "orthant"


@dataclass(frozen=True)
class Box:
    """The points x with lower <= x <= upper in every coordinate; `written` is what the user wrote for it.

    Raises InvalidRequestError where the lengths differ or a lower bound exceeds its upper bound; equal bounds are allowed.

    >>> box = Box(RationalVector((0, 0)), RationalVector((1, 1)))
    >>> box.contains(RationalVector((1, 2), 2)), box.contains(RationalVector((1, 3), 2)), box.describe()
    (True, False, 'box:0,1')
    """

    lower: RationalVector
    upper: RationalVector
    written: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if len(self.lower) != len(self.upper):
            raise InvalidRequestError(
                f"the box has {len(self.lower)} lower and {len(self.upper)} upper bounds; give one of each for every input"
            )
        for index, (low, high) in enumerate(zip(self.lower.fractions(), self.upper.fractions(), strict=True)):
            if low > high:
                raise InvalidRequestError(
                    f"the box is empty: coordinate {index} has lower bound {_short(low)} above upper bound {_short(high)}; exchange them"
                )

    def contains(self, x: RationalVector) -> bool:
        """Whether x lies in the domain, exactly."""
        return _at_most(self.lower, x) and _at_most(x, self.upper)

    def check_dimension(self, n: int) -> None:
        """Raise InvalidRequestError unless the box lies in R^n."""
        if len(self.lower) != n:
            raise InvalidRequestError(
                f"the box has {len(self.lower)} coordinates, but what is asked about has {n} inputs; give lo and hi of length {n}"
            )

    def lines(self) -> tuple[str, ...]:
        """The `domain` section of a certificate."""
        lower, upper = self.lower, self.upper
        return (
            "domain box",
            _line("lower", lower.denominator, *lower.numerators),
            _line("upper", upper.denominator, *upper.numerators),
        )

    def describe(self) -> str:
        """The domain in the words of `parse_domain`, or `box` where its bounds differ and come from no file."""
        if self.written:
            return self.written
        lows, highs = set(self.lower.fractions()), set(self.upper.fractions())
        if len(lows) == len(highs) == 1:
            return f"box:{format_rational(lows.pop())},{format_rational(highs.pop())}"
        return "box"


@dataclass(frozen=True)
class Ball:
    """The points at a Euclidean distance of at most `radius` from 0; `written` is what the user wrote for it.

    A domain of questions about injectivity alone. Raises InvalidRequestError for a negative radius; 0 is allowed, the point 0.

    >>> ball = Ball(Fraction(5, 2))
    >>> ball.contains(RationalVector((3, 4), 2)), ball.contains(RationalVector((3, 5), 2)), ball.describe()
    (True, False, 'ball:5/2')
    """

    radius: Fraction
    written: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.radius < 0:
            raise InvalidRequestError(f"the ball is empty: its radius {_short(self.radius)} is negative; give a radius of 0 or more")

    @property
    def float_radius(self) -> float:
        """The nearest float64 to the radius, infinite beyond the float range."""
        return float(RationalVector.from_fractions([self.radius]).to_float()[0])

    def contains(self, x: RationalVector) -> bool:
        """Whether x lies in the domain, exactly."""
        reach = self.radius.numerator * x.denominator
        return self.radius.denominator**2 * sum(value * value for value in x.numerators) <= reach * reach

    def check_dimension(self, n: int) -> None:
        """Nothing to check: the domain exists in every dimension."""

    def lines(self) -> tuple[str, ...]:
        """The `domain` section of a certificate."""
        return (_line("domain ball", self.radius.denominator, self.radius.numerator),)

    def describe(self) -> str:
        """The domain in the words of `parse_domain`."""
        return self.written or f"ball:{format_rational(self.radius)}"


@dataclass(frozen=True)
class Polytope:
    """The points x with rows[k] . x + offsets[k] <= 0 for every k, in integers; `written` is what the user wrote for it.

    Despite the name, which is the command line's, the set need not be bounded; it may be empty.

    >>> Polytope(((1, 1),), (-1,)).contains(RationalVector((1, 1), 2))
    True
    """

    rows: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...]
    written: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.offsets):
            raise InvalidRequestError(f"the polytope has {len(self.rows)} rows in A and {len(self.offsets)} in b; give as many of each")
        if len({len(row) for row in self.rows}) > 1:
            raise InvalidRequestError("the rows of the polytope's A have different lengths; give one coefficient for every input")

    def contains(self, x: RationalVector) -> bool:
        """Whether x lies in the domain, exactly."""
        return all(
            sum(a * value for a, value in zip(row, x.numerators, strict=True)) + offset * x.denominator <= 0
            for row, offset in zip(self.rows, self.offsets, strict=True)
        )

    def check_dimension(self, n: int) -> None:
        """Raise InvalidRequestError unless the polytope lies in R^n."""
        for row in self.rows[:1]:
            if len(row) != n:
                raise InvalidRequestError(
                    f"the rows of the polytope's A have {len(row)} coefficients, but what is asked about has {n} inputs; give {n}"
                )

    def lines(self) -> tuple[str, ...]:
        """The `domain` section of a certificate."""
        sides = (_line("side", offset, *row) for row, offset in zip(self.rows, self.offsets, strict=True))
        return (_line("domain polytope", len(self.rows)), *sides)

    def describe(self) -> str:
        """The domain in the words of `parse_domain`, or `polytope` where it comes from no file."""
        return self.written or "polytope"


Domain = AllSpace | Orthant | Box | Ball | Polytope


def fixed_coordinates(domain: Domain, n: int) -> list[int]:
    """The coordinates that have one value in a domain of R^n by its bounds: equal ones of a box, all on a ball of radius 0.

    >>> fixed_coordinates(Box(RationalVector((0, 1)), RationalVector((2, 1))), 2), fixed_coordinates(Ball(Fraction(0)), 2)
    ([1], [0, 1])
    """
    if isinstance(domain, Ball) and domain.radius == 0:
        return list(range(n))
    if not isinstance(domain, Box):
        return []
    pairs = zip(domain.lower.fractions(), domain.upper.fractions(), strict=True)
    return [j for j, (low, high) in enumerate(pairs) if low == high]


def middle(domain: AllSpace | Orthant | Box | Ball, n: int) -> RationalVector:
    """A point of the relative interior of a domain of R^n that is no polytope.

    >>> middle(Box(RationalVector((0, 1)), RationalVector((1, 1))), 2).texts(), middle(Orthant(), 2).texts()
    (['1/2', '1'], ['1', '1'])
    """
    if isinstance(domain, Box):
        pairs = zip(domain.lower.fractions(), domain.upper.fractions(), strict=True)
        return RationalVector.from_fractions((low + high) / 2 for low, high in pairs)
    return RationalVector((int(isinstance(domain, Orthant)),) * n)


def refuse_ball(domain: Domain) -> None:
    """Raise InvalidRequestError for a ball: a pre-image may touch it in one point, whose coordinates need not be rational.

    >>> refuse_ball(AllSpace())
    """
    if isinstance(domain, Ball):
        raise InvalidRequestError(
            f"domain {domain.describe()[:60]!r} is not supported for preimage; use all, orthant, box:LO,HI or polytope:FILE.json"
        )


def parse_domain(text: str, inputs: int) -> Domain:
    """Read `all`, `orthant`, `box:LO,HI`, `box:FILE.npz`, `ball:R` or `polytope:FILE.json` as a domain in R^inputs.

    LO, HI and R are exact decimals or fractions. FILE.npz holds arrays `lo` and `hi`; FILE.json holds `{"A": [[..]], "b": [..]}`
    for A x + b <= 0, its numbers JSON integers or strings "p/q".

    Raises InvalidRequestError for any other word, for bounds in the wrong order, a negative radius and the wrong number of coordinates;
    InvalidFileError for a file that does not hold what it should; InvalidNumberError for what is not a number.

    >>> parse_domain("box:-1/2,0.5", 3).contains(RationalVector((1, 0, -1), 2))
    True
    """
    kind, _, rest = text.partition(":")
    domain: Domain
    if text == "all":
        domain = AllSpace()
    elif text == "orthant":
        domain = Orthant()
    elif kind == "box" and rest.lower().endswith(".npz"):
        domain = _read_box(Path(rest), text)
    elif kind == "box":
        domain = _parse_box(rest, text, inputs)
    elif kind == "polytope" and rest:
        domain = _read_polytope(Path(rest), text)
    elif kind == "ball":
        domain = Ball(parse_rational(rest), text)
    elif kind == "image":
        raise InvalidRequestError(
            f"domain {text[:60]!r} is the image of a network's domain under the layers before one; ask about one layer with --layer"
        )
    else:
        raise InvalidRequestError(
            f"{text[:60]!r} is not a domain; write all, orthant, box:LO,HI, box:FILE.npz, ball:R or polytope:FILE.json"
        )
    domain.check_dimension(inputs)
    return domain


def _parse_box(bounds: str, written: str, inputs: int) -> Box:
    parts = bounds.split(",")
    if len(parts) != 2:
        raise InvalidRequestError(f"{written[:60]!r} is not a box; write box:LO,HI with two numbers, such as box:0,1")
    low, high = map(parse_rational, parts)
    return Box(RationalVector.from_fractions([low] * inputs), RationalVector.from_fractions([high] * inputs), written)


def _read_box(path: Path, written: str) -> Box:
    lower, upper = (RationalVector.from_floats(read_array(path, name), name=f"{path.name}: {name}") for name in ("lo", "hi"))
    return Box(lower, upper, written)


def _read_polytope(path: Path, written: str) -> Polytope:
    content = read_bytes(path, POLYTOPE_BYTES)
    try:
        found = json.loads(content, parse_float=_refuse_float, parse_constant=_refuse_float, parse_int=_parse_integer)
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidNumberError):
            raise InvalidFileError(f"{path}: {error}") from None
        raise InvalidFileError(f'{path} is not JSON that can be read: {_one_line(error)}; write {{"A": [[..]], "b": [..]}}') from None
    shaped = isinstance(found, dict) and set(found) == {"A", "b"} and isinstance(found["A"], list) and isinstance(found["b"], list)
    if not shaped or not all(isinstance(row, list) for row in found["A"]):
        raise InvalidFileError(f'{path} is not a polytope; write {{"A": [[..], ..], "b": [..]}} and nothing else, for A x + b <= 0')
    if len(found["A"]) != len(found["b"]):
        raise InvalidFileError(f"{path} has {len(found['A'])} rows in A and {len(found['b'])} numbers in b; give as many of each")
    sides = [_side(path, k, [offset, *row]) for k, (row, offset) in enumerate(zip(found["A"], found["b"], strict=True))]
    return Polytope(tuple(side[1:] for side in sides), tuple(side[0] for side in sides), written)


def _side(path: Path, k: int, values: Sequence[Any]) -> tuple[int, ...]:
    """One side [offset, coefficients ..] as integers: multiplied by the positive least common denominator."""
    try:
        fractions = [_number(value) for value in values]
    except InvalidNumberError as error:
        raise InvalidFileError(f"{path}, row {k}: {error}") from None
    side = RationalVector.from_fractions(fractions).numerators
    common = math.gcd(*side)
    if max((abs(value).bit_length() for value in side), default=0) > 4 * SIDE_DIGITS:
        raise InvalidFileError(f"{path}, row {k}: its integers over a common denominator are too long; use fewer digits")
    return tuple(value // common for value in side) if common > 1 else side


def _number(value: Any) -> Fraction:
    if isinstance(value, str):
        return parse_rational(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    raise InvalidNumberError(f'{json.dumps(value)[:40]} is not a number; write JSON integers or strings "p/q"')


def _refuse_float(text: str) -> NoReturn:
    raise InvalidNumberError(f'{text[:40]} is a float, whose exact value is in doubt; write it as a string, "{text[:40]}" or "p/q"')


def _parse_integer(text: str) -> int:
    return int(parse_rational(text))


def _at_most(left: RationalVector, right: RationalVector) -> bool:
    pairs = zip(left.numerators, right.numerators, strict=True)
    return all(low * right.denominator <= high * left.denominator for low, high in pairs)


def _short(value: Fraction) -> str:
    text = format_rational(value)
    return text if len(text) <= 40 else f"{text[:36]}..."


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
