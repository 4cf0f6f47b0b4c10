"""The heavy steps of a check, in integers. What must be right is `Kernels`; `approximate_inverse` only proposes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from operator import mul
from typing import TYPE_CHECKING

from exactrelu.checker.claim import Point, Row, Side, System
from exactrelu.checker.definite import Symmetric, every_choice_is_semidefinite
from exactrelu.checker.elimination import Echelon, every_choice_spans
from exactrelu.checker.packing import bias, pack, unpack
from exactrelu.checker.sparse import at, dot, magnitude, odd, plus_multiple
from exactrelu.checker.text import affordable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.checker.network import Layer

PRECISIONS = (32, 64, 128, 256, 512, 1024)
# beyond this many bit operations a precision is not tried, and a bound within 2^-ENOUGH of the best one is the last
WORK = 2**36
ENOUGH = 40


@dataclass(frozen=True)
class InverseBound:
    """What an approximate inverse of N proves: |x_j| <= sum_i rows[i] |N_i x| + sum_k sides[k] |x_k| for every x and j.

    |x_j| <= `correction` for the x with N x = -rho (C4); no scale of a row of N enters it.
    """

    rows: list[Fraction]
    sides: list[Fraction]
    correction: Fraction


@dataclass(frozen=True)
class Residual:
    """v = sigma - lambda of section 3.3: at least |v|_1, and at most the implied multiplier of every side."""

    norm: Fraction
    sides: dict[Side, Fraction]


class Kernels:
    """Pure integers. Another class may replace any method by one that proves the same."""

    name = "integers"

    def evaluate(self, layer: Layer, x: Point, *, constants: bool = True) -> Point:
        """The values of the layer's rows at x, exactly; without the constants those of a direction x."""
        d = x.denominator
        affordable(layer.outputs, max(value.bit_length() for value in [d, *x.numerators]), "3.2")
        one = d if constants else 0
        return self._shifted(layer, x, [row.constant * one + dot(row.coefficients, x.numerators) for row in layer.rows])

    def _shifted(self, layer: Layer, x: Point, values: Sequence[int]) -> Point:
        """The rows' values over one denominator, from those without the rows' powers of two."""
        lowest = min([0, *(row.exponent for row in layer.rows)])
        affordable(layer.outputs, x.denominator.bit_length() - lowest, "3.2")
        return Point(x.denominator << -lowest, [value << (row.exponent - lowest) for value, row in zip(values, layer.rows, strict=True)])

    def combination(self, rows: Sequence[Row | Side], weights: Sequence[int], columns: int) -> Point:
        """sum of weights_i * rows_i, exactly; a side counts as the row sign * e_j."""
        used = [(row, weight) for row, weight in zip(rows, weights, strict=True) if weight]
        general = [(row, weight) for row, weight in used if isinstance(row, Row)]
        denominator = lcm(*{row.scale.denominator for row, _ in general})
        factors = [weight * row.scale.numerator * (denominator // row.scale.denominator) for row, weight in general]
        affordable(columns, max((factor.bit_length() for factor in factors), default=0), "4")
        total = [0] * columns
        for (row, _), factor in zip(general, factors, strict=True):
            total = plus_multiple(total, factor, row.coefficients)
        for side, weight in used:
            if isinstance(side, Side):
                total[side.column] += side.sign * weight * denominator
        return Point(denominator, total)

    def residuals(self, system: System, weights: Sequence[int]) -> Iterator[Residual]:
        """The implied multipliers and what they leave; safe bounds of both may come before."""
        yield self.exact_residual(system, weights)

    def exact_residual(self, system: System, weights: Sequence[int]) -> Residual:
        """The implied multipliers and what they leave."""
        sigma = self.combination(system.rows, weights, system.columns)
        norm = 0
        sides: dict[Side, Fraction] = {}
        for j, value in enumerate(sigma.numerators):
            if j in system.lower:
                sides[Side(j, -1)] = Fraction(max(value, 0), sigma.denominator)
            if j in system.upper:
                sides[Side(j, 1)] = Fraction(max(-value, 0), sigma.denominator)
            left = min(value, 0) if j in system.lower else value
            norm += abs(max(left, 0) if j in system.upper else left)
        return Residual(Fraction(norm, sigma.denominator), sides)

    def orthogonal(self, rows: Sequence[Row | Side], vector: Sequence[int]) -> bool:
        """Whether row . vector = 0 for every row."""
        return not any(row.dot(vector) for row in rows)

    def below_zero(self, rows: Sequence[Row | Side], vector: Sequence[int], columns: Sequence[int], slack: Fraction) -> bool:
        """Whether row . vector + slack * (the sum of |row_j| over the columns) < 0 for every row."""
        inside = set(columns)

        def reach(row: Row | Side) -> int:
            if isinstance(row, Side):
                return int(row.column in inside)
            return magnitude(row.coefficients, inside)

        return all(row.dot(vector) + slack * reach(row) < 0 for row in rows)

    def invertible(self, rows: Sequence[Row], columns: Sequence[int], modulus: int) -> bool:
        """Whether elimination mod `modulus` finds the block of these columns invertible; a row is made integral with an odd entry."""
        echelon = Echelon(len(rows), modulus)
        return all(echelon.add(at(odd(row.coefficients), columns)) for row in rows)

    def every_choice_spans(self, groups: Sequence[Sequence[Sequence[int]]], size: int, modulus: int) -> bool:
        """Whether one vector of each group, however chosen, have rank `size`, their length, mod `modulus`."""
        return every_choice_spans(groups, size, modulus)

    def every_choice_is_semidefinite(self, matrix: Symmetric, groups: Sequence[Sequence[Sequence[int]]], factor: int) -> bool:
        """Whether matrix + factor * (the sum of r^T r over one row r of each group) has no negative eigenvalue, however chosen."""
        return every_choice_is_semidefinite(matrix, groups, factor)

    def regular(self, rows: Sequence[Row], columns: Sequence[int]) -> bool:
        """Whether the block of these columns is invertible, so that an L and D as in section 4.2 exist: mod a prime, or by finding them."""
        return self.invertible(rows, columns, 2**31 - 1) or next(self.inverse_bounds(rows, columns, []), None) is not None

    def inverse_bounds(
        self, rows: Sequence[Row], columns: Sequence[int], sides: Sequence[int], rho: Sequence[int] = ()
    ) -> Iterator[InverseBound]:
        """Better and better bounds from N = [[I, 0], [C, F]]: unit rows in the columns `sides`, then `rows` split into C (sides) and F.

        The bounds are for the rows' integer coefficients, without their scales; rho (zero if not given) has an entry for every one of
        `rows`, then of `sides`. With Q F close to D I the matrix [[D I, 0], [-Q C, Q]] times N is [[D I, 0], [0, Q F]]: the largest
        row sum A of |D I - Q F| is all that is left of the identity.
        """
        rho = rho or [0] * (len(rows) + len(sides))
        both = [*columns, *sides]
        for precision in PRECISIONS:
            if precision > 64 and len(columns) ** 3 * precision > WORK:
                return
            # a scaled row is row * 2^-shift; its entries are rounded down to integers, by less than 1
            scaled, shifts, rounded = [], [], []
            for row in rows:
                values = at(row.coefficients, both)
                shift = max((abs(value).bit_length() for value in values), default=0) - precision - 16
                scaled.append([value >> shift for value in values] if shift > 0 else [value << -shift for value in values])
                shifts.append(shift)
                rounded.append(shift > 0 and any(value & ((1 << shift) - 1) for value in values))
            proposal = self.propose(scaled, len(columns), precision)
            if proposal is None:
                continue
            bound, closeness = self.bound(scaled, rounded, shifts, proposal, rho)
            if bound is not None:
                yield bound
            if closeness > ENOUGH and len(columns) > 64:
                return

    def propose(self, scaled: Sequence[Sequence[int]], size: int, precision: int) -> tuple[list[list[int]], int] | None:
        """Any Q and D with Q F close to D I; nothing depends on how close."""
        return approximate_inverse([row[:size] for row in scaled], precision)

    def bound(
        self,
        scaled: Sequence[Sequence[int]],
        rounded: Sequence[bool],
        shifts: Sequence[int],
        proposal: tuple[list[list[int]], int],
        rho: Sequence[int],
    ) -> tuple[InverseBound | None, int]:
        """A, q and the bound they prove; and how many bits A is below D (0 if it is not below)."""
        q, d = proposal
        size = len(q)
        sizes, unit = magnitudes(rho, shifts, 4 * PRECISIONS[-1])
        largest = moved = 0
        side_maxima = [d] * (len(rho) - size)
        for k, products in enumerate(self.products(q, scaled)):
            lost = sum(abs(value) for value, inexact in zip(q[k], rounded, strict=True) if inexact)
            products[k] -= d
            # |D I - Q F| row by row: the integer part, and less than 1 for every entry that was rounded
            largest = max(largest, sum(map(abs, products[:size])) + size * lost)
            beside = [abs(value) + lost for value in products[size:]]
            side_maxima = list(map(max, side_maxima, beside))
            # D x = (D I - Q F) x + Q (F x + C x_sides) - Q C x_sides, and |F x + C x_sides| = |rho|
            moved = max(moved, sum(map(mul, [*map(abs, q[k]), *beside], sizes)))
        gap = d - largest
        if gap <= 0:
            return None, 0
        maxima = [max(map(abs, column)) for column in zip(*q, strict=True)]
        betas = [Fraction(value, gap) * power(-shift) for value, shift in zip(maxima, shifts, strict=True)]
        correction = max([Fraction(moved, gap), *map(Fraction, sizes[size:])]) * power(unit)
        return InverseBound(betas, [Fraction(value, gap) for value in side_maxima], correction), d.bit_length() - largest.bit_length()

    def products(self, q: Sequence[Sequence[int]], rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """The rows of q * rows, exactly."""
        if not rows:
            return
        count = len(rows[0])
        reach = max(sum(map(abs, values)) for values in q) * max(max(map(abs, row), default=0) for row in rows)
        width = (reach.bit_length() + 1 + 8) // 8
        packed = [pack(row, width) for row in rows]
        for values in q:
            yield unpack(sum(map(mul, values, packed)), count, width)


def power(exponent: int) -> Fraction:
    """2^exponent."""
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def magnitudes(rho: Sequence[int], shifts: Sequence[int], precision: int) -> tuple[list[int], int]:
    """|rho_i| 2^-shifts_i (a shift not given is 0) as integers times a power of two, rounded up beyond `precision` bits of the largest."""
    shifts = [*shifts, *[0] * (len(rho) - len(shifts))]
    used = [(value.bit_length() - shift, shift) for value, shift in zip(rho, shifts, strict=True) if value]
    unit = max(max(used)[0] - precision, min(-shift for _, shift in used)) if used else 0
    return [-_shift(-abs(value), -shift - unit) for value, shift in zip(rho, shifts, strict=True)], unit


# Proposals


def approximate_inverse(rows: Sequence[Sequence[int]], precision: int) -> tuple[list[list[int]], int] | None:
    """Q and D with Q * rows close to D I, by left-looking elimination in fixed point; None if a pivot vanishes. Untrusted."""
    size = len(rows)
    if size == 0:
        return [], 1
    row_shifts = [max(abs(value).bit_length() for value in row) for row in rows]
    column_shifts = [
        max((abs(value).bit_length() - shift for value, shift in zip(column, row_shifts, strict=True) if value), default=0)
        for column in zip(*rows, strict=True)
    ]
    unit = 2 * precision
    width = 3 * precision // 8
    step, mask, half, middle = 8 * width, (1 << 8 * width) - 1, 1 << (8 * width - 1), bias(2 * size, width)
    reduced: list[int] = []
    pivots: list[int] = []
    free = set(range(size))
    try:
        for i, row in enumerate(rows):
            values = [_shift(value, unit - row_shifts[i] - shift) for value, shift in zip(row, column_shifts, strict=True)] + [0] * size
            values[size + i] = 1 << unit
            packed = pack(values, width) + middle
            for column, before in zip(pivots, reduced, strict=True):
                factor = (packed >> column * step & mask) - half >> precision
                if factor:
                    packed -= factor * before
            values = unpack(packed - middle, 2 * size, width)
            pivot = max(free, key=lambda j: abs(values[j]))
            free.discard(pivot)
            head = values[pivot]
            reduced.append(pack([(value << precision) // head for value in values], width))
            pivots.append(pivot)
        inverse: list[int] = [0] * size
        result: list[list[int]] = [[]] * size
        for i in range(size - 1, -1, -1):
            values = unpack(reduced[i], 2 * size, width)
            packed = pack([value << precision for value in values[size:]], width)
            for k in range(i + 1, size):
                factor = values[pivots[k]]
                if factor:
                    packed -= factor * inverse[k]
            solved = [value >> precision for value in unpack(packed, size, width)]
            inverse[i] = pack(solved, width)
            result[pivots[i]] = solved
    except (ZeroDivisionError, OverflowError):
        return None
    # rows = 2^row_shift * G * 2^column_shift with result * G = 2^precision
    keep = precision // 4
    top = max(row_shifts) + max(column_shifts)
    q = [
        [_shift(value, top - row_shift - column_shift - keep) for value, row_shift in zip(values, row_shifts, strict=True)]
        for values, column_shift in zip(result, column_shifts, strict=True)
    ]
    return q, _shift(1, precision + top - keep) if precision + top >= keep else 1


def _shift(value: int, by: int) -> int:
    return value << by if by >= 0 else value >> -by
