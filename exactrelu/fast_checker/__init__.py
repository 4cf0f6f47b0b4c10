"""The checker with float64 where float64 can prove: rigorous a-priori rounding bounds, behind a start-up probe.

Only five steps differ from `exactrelu.check`: the values of a layer's rows and the ranks of all choices of rows (int64 and
float64 that is exact), ranks modulo a prime (FLINT), the residual of multipliers, and the bound that an approximate inverse
gives. A bound holds for every order of summation, with or without fused multiply-add, as long as nothing overflows or becomes
subnormal, which the ranges below exclude: with u = 2^-53 and gamma_k = k u / (1 - k u), a product of k terms is off by at most
gamma_k times the product of the absolute values.
Where a float bound does not suffice, the integers of `exactrelu.check` decide, so both accept alike.

At 3500 x 784 a certificate takes some 0.07 s here and 12 s in integers. `python -m exactrelu.fast_checker PATH...`
"""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from exactrelu.check import run
from exactrelu.checker.arithmetic import InverseBound, Kernels, Residual, magnitudes, power
from exactrelu.checker.claim import Point, Row, Side, System
from exactrelu.checker.sparse import at, kept, odd
from exactrelu.fast_checker.arrays import RANGE, LayerArrays, float_rows
from exactrelu.fast_checker.choices import all_independent, fits, is_prime
from exactrelu.fast_checker.definite import all_definite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from exactrelu.checker.definite import Symmetric
    from exactrelu.checker.network import Layer

    Matrix = NDArray[np.float64]

U = Fraction(1, 2**53)
# more than (1 + gamma_k)^4 for k <= 2^16: absorbs the rounding of sums of non-negative terms
UP = 1 + 2.0**-30
LARGEST = 2**16
# beyond this size of a block its residues, as Python's integers, would take more than a checker takes on
LARGEST_RESIDUES = 2**12
# below these sizes integers are as fast
SMALL = 24
FEW = 4096
# how much of an estimated smallest eigenvalue is tried to be proved; the estimate is from above
PART = 0.8


def gamma(terms: int) -> float:
    """An upper bound of k u / (1 - k u)."""
    return float(terms * U / (1 - terms * U)) * UP


def probe() -> bool:
    """Whether float64 rounds to nearest, keeps subnormal numbers and multiplies matrices as IEEE 754 says."""
    one, tiny = np.ones(64), np.full(64, 5e-324)
    kept = bool(np.all(tiny * one != 0) and np.all(tiny + tiny == 2 * 5e-324))
    u = 2.0**-53
    nearest = bool(
        np.all(one + u * one == 1)
        and np.all(one + 3 * u * one == 1 + 4 * u)
        and np.all(-one - u * one == -1)
        and np.all(-one - 3 * u * one == -1 - 4 * u)
    )
    # integers whose products sum to less than 2^53: every order of summation is exact
    rows = np.arange(96 * 96, dtype=np.int64).reshape(96, 96) * 7919 % 1048573 - 524286
    exact = rows.astype(np.float64) @ rows.T.astype(np.float64)
    return kept and nearest and bool(np.array_equal(exact.astype(np.int64), rows @ rows.T))


class FastKernels(Kernels):
    """float64 with proved bounds if `probe()` holds and FLINT if it is installed; else as `Kernels`."""

    def __init__(self) -> None:
        self._arrays: WeakKeyDictionary[Layer, LayerArrays] = WeakKeyDictionary()
        self._floats = probe()
        self.name = "float64 with proved bounds" if self._floats else "integers (this machine's float64 is not as IEEE 754 asks)"

    def _of(self, layer: Layer) -> LayerArrays:
        arrays = self._arrays.get(layer)
        if arrays is None:
            arrays = self._arrays[layer] = LayerArrays(layer)
        return arrays

    def evaluate(self, layer: Layer, x: Point, *, constants: bool = True) -> Point:
        """As in `Kernels`, by int64 products: 32 bits of a row, 18 of x, and at most 2^12 terms stay below 2^63."""
        given = [x.denominator if constants else 0, *x.numerators]
        terms = 1 + max((len(kept(row.coefficients)) for row in layer.rows), default=0)
        if terms > 2**12 or len(layer.rows) * len(given) < FEW or max(value.bit_length() for value in given) > 1000:
            return super().evaluate(layer, x, constants=constants)
        arrays = self._of(layer)
        if arrays.high is None or arrays.low is None:
            return super().evaluate(layer, x, constants=constants)
        signs = np.array([-1 if value < 0 else 1 for value in given], dtype=np.int64)
        rest = [abs(value) for value in given]
        totals = [0] * len(layer.rows)
        place = 0
        while any(rest):
            limbs = signs * np.array([value & 0x3FFFF for value in rest], dtype=np.int64)
            products = zip((arrays.high @ limbs).tolist(), (arrays.low @ limbs).tolist(), strict=True)
            totals = [total + (((high << 31) + low) << place) for total, (high, low) in zip(totals, products, strict=True)]
            rest = [value >> 18 for value in rest]
            place += 18
        return self._shifted(layer, x, totals)

    def residuals(self, system: System, weights: Sequence[int]) -> Iterator[Residual]:
        """First bounds in float64, if they apply, then the exact residual."""
        rough = self._rough_residual(system, weights) if self._floats else None
        if rough is not None:
            yield rough
        yield from super().residuals(system, weights)

    def _rough_residual(self, system: System, weights: Sequence[int]) -> Residual | None:
        layer = common_layer(system.rows)
        if layer is None or len(system.rows) * system.columns < FEW or not any(weights):
            return None
        arrays = self._of(layer)
        index = np.array([row.source[1] for row in system.rows if row.source])
        if layer.outputs > LARGEST or not arrays.exact[index].all():
            return None
        # weight * 2^place is the multiplier of a row with entries below 1
        places = arrays.shifts[index] + [layer.rows[i].exponent for i in index.tolist()]
        tops = np.array([weight.bit_length() for weight in weights]) + places
        top = int(tops[[weight != 0 for weight in weights]].max())
        if max(weight.bit_length() for weight in weights) > 1000 or any(
            weight and bit < top - RANGE for weight, bit in zip(weights, tops.tolist(), strict=True)
        ):
            return None
        multipliers = np.zeros(layer.outputs)
        # rounded once: one more term in gamma
        multipliers[index] = np.ldexp(np.array([float(weight) for weight in weights]), places - top)
        sigma = multipliers @ arrays.values
        error = gamma(layer.outputs + 2) * UP * (np.abs(multipliers) @ arrays.magnitudes)
        # sigma - error and sigma + error are rounded themselves
        below = np.nextafter(sigma - error, -np.inf)
        above = np.nextafter(sigma + error, np.inf)
        left = np.maximum(np.abs(below), np.abs(above))
        lower, upper = np.zeros(system.columns, dtype=bool), np.zeros(system.columns, dtype=bool)
        lower[list(system.lower)], upper[list(system.upper)] = True, True
        left[lower] = np.maximum(-below[lower], 0)
        left[upper] = np.maximum(above[upper], 0)
        left[lower & upper] = 0
        unit = power(top)
        sides = {Side(j, -1): Fraction(max(float(below[j]), 0.0)) * unit for j in system.lower}
        sides |= {Side(j, 1): Fraction(max(float(-above[j]), 0.0)) * unit for j in system.upper}
        return Residual(Fraction(float(left.sum() * UP)) * unit, sides)

    def below_zero(self, rows: Sequence[Row | Side], vector: Sequence[int], columns: Sequence[int], slack: Fraction) -> bool:
        """The rows that float64 leaves open are decided in integers."""
        general = [row for row in rows if isinstance(row, Row)]
        layer = common_layer(general)
        top = max(abs(value) for value in vector).bit_length() if vector else 0
        if not self._floats or layer is None or len(general) * len(vector) < FEW or top > RANGE or len(vector) > LARGEST:
            return super().below_zero(rows, vector, columns, slack)
        slack_here = slack * power(-top)
        if slack_here > 2**RANGE:
            return super().below_zero(rows, vector, columns, slack)
        arrays = self._of(layer)
        d = np.ldexp(np.array([float(value) for value in vector]), -top)
        allowed = float(slack_here) * UP + 2.0**-RANGE
        inside = np.zeros(len(vector))
        inside[list(columns)] = allowed
        values = arrays.values @ d
        error = arrays.magnitudes @ (gamma(len(vector) + 2) * UP * np.abs(d) + UP * inside)
        known = (values + error * UP < 0) & arrays.exact
        left: list[Row | Side] = [row for row in rows if isinstance(row, Side) or not (row.source and known[row.source[1]])]
        return super().below_zero(left, vector, columns, slack)

    def inverse_bounds(
        self, rows: Sequence[Row], columns: Sequence[int], sides: Sequence[int], rho: Sequence[int] = ()
    ) -> Iterator[InverseBound]:
        if self._floats and SMALL <= len(columns) <= LARGEST:
            block = self._block(rows, [*columns, *sides])
            if block is not None:
                yield from float_bounds(*block, rho or [0] * (len(rows) + len(sides)))
        yield from super().inverse_bounds(rows, columns, sides, rho)

    def regular(self, rows: Sequence[Row], columns: Sequence[int]) -> bool:
        if self._floats and SMALL <= len(columns) <= LARGEST:
            block = self._block(rows, columns)
            if block is not None and (is_regular(block[0]) or next(float_bounds(*block, [0] * len(rows)), None) is not None):
                return True
        return super().regular(rows, columns)

    def invertible(self, rows: Sequence[Row], columns: Sequence[int], modulus: int) -> bool:
        """As in `Kernels`; modulo a prime elimination finds every invertible block."""
        flint = _flint()
        if flint is None or not SMALL <= len(rows) <= LARGEST_RESIDUES or modulus >= 2**31 or not is_prime(modulus):
            return super().invertible(rows, columns, modulus)
        residues = [value % modulus for row in rows for value in at(odd(row.coefficients), columns)]
        return len(columns) == len(rows) == int(flint.nmod_mat(len(rows), len(columns), residues, modulus).rank())

    def every_choice_spans(self, groups: Sequence[Sequence[Sequence[int]]], size: int, modulus: int) -> bool:
        if self._floats and fits(groups, size, modulus):
            return all_independent(groups, modulus)
        return super().every_choice_spans(groups, size, modulus)

    def every_choice_is_semidefinite(self, matrix: Symmetric, groups: Sequence[Sequence[Sequence[int]]], factor: int) -> bool:
        return (self._floats and all_definite(matrix, groups, factor)) or super().every_choice_is_semidefinite(matrix, groups, factor)

    def _block(self, rows: Sequence[Row], columns: Sequence[int]) -> tuple[Matrix, list[int]] | None:
        layer = common_layer(rows)
        if layer is None:
            values, shifts, exact = float_rows([at(row.coefficients, columns) for row in rows], len(columns))
        else:
            arrays = self._of(layer)
            index = np.array([row.source[1] for row in rows if row.source])
            values, shifts, exact = arrays.block(index, columns), arrays.shifts[index], arrays.exact[index]
        return (values, shifts.tolist()) if exact.all() else None

    def propose(self, scaled: Sequence[Sequence[int]], size: int, precision: int) -> tuple[list[list[int]], int] | None:
        if precision > 32 or size < SMALL:
            return super().propose(scaled, size, precision)
        try:
            inverse = np.linalg.inv(np.array([row[:size] for row in scaled], dtype=np.float64))
        except np.linalg.LinAlgError:
            return None
        largest = float(np.abs(inverse).max())
        if not 2.0**-RANGE < largest < 2.0**RANGE:
            return None
        place = 30 - int(np.frexp(largest)[1])
        if place < 0:
            return super().propose(scaled, size, precision)
        return [[int(value) for value in row] for row in np.rint(np.ldexp(inverse, place)).tolist()], 1 << place

    def products(self, q: Sequence[Sequence[int]], rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        flint = _flint()
        if flint is None or len(q) < SMALL:
            yield from super().products(q, rows)
            return
        product = flint.fmpz_mat(list(map(list, q))) * flint.fmpz_mat(list(map(list, rows)))
        for i in range(product.nrows()):
            yield [int(product[i, j]) for j in range(product.ncols())]


def common_layer(rows: Sequence[Row]) -> Layer | None:
    """The layer that all rows are taken from, if there is one."""
    layer = rows[0].source[0] if rows and rows[0].source else None
    return layer if layer and all(row.source and row.source[0] is layer for row in rows) else None


def float_bounds(values: Matrix, shifts: Sequence[int], rho: Sequence[int]) -> Iterator[InverseBound]:
    """The cheaper bound first."""
    for prove in (cholesky_bound, product_bound):
        bound = None
        with np.errstate(all="ignore"), contextlib.suppress(ArithmeticError):
            bound = prove(values, shifts, rho)
        if bound is not None:
            yield bound


def cholesky_bound(n: Matrix, shifts: Sequence[int], rho: Sequence[int]) -> InverseBound | None:
    """From s <= the smallest eigenvalue of F^T F, proved by a Cholesky factor's residual, N = [F C] with the sides' columns in C.

    F x_1 = N x - C x_2, so that |x_1|_inf <= |x_1|_2 <= (|N x|_2 + sum |C_k|_2 |x_k|) / sqrt(s).
    """
    size = len(n)
    block, beside = np.ascontiguousarray(n[:, :size]), n[:, size:]
    gram = symmetric_gram(block)
    try:
        estimate = smallest_eigenvalue(np.linalg.cholesky(gram))
    except np.linalg.LinAlgError:
        return None
    s = eigenvalue_bound(block, gram, PART * estimate)
    if s is None:
        return None
    root = Fraction(float(np.sqrt(1 / float(s))) * UP)
    if root * root * s < 1:
        return None
    norms = np.sqrt((beside * beside).sum(axis=0)) * UP
    sides = [max(Fraction(1), Fraction(norm) * root) for norm in norms.tolist()]
    sizes, unit = float_magnitudes(rho, shifts)
    general, known = sizes[:size], sizes[size:]
    moved = Fraction((float(np.sqrt(general @ general)) + float(norms @ known)) * UP) * root
    correction = max(moved, Fraction(float(known.max(initial=0)))) * power(unit)
    return InverseBound([root * power(-shift) for shift in shifts], sides, correction)


def float_magnitudes(rho: Sequence[int], shifts: Sequence[int]) -> tuple[Matrix, int]:
    """At least |rho_i| 2^-shifts_i: whole numbers up to 2^RANGE, times a power of two."""
    sizes, unit = magnitudes(rho, shifts, RANGE)
    return np.array(list(map(float, sizes))) * UP, unit


def is_regular(n: Matrix) -> bool:
    """Whether N^T N is proved to have no eigenvalue 0, by a guess far below any that matters."""
    with np.errstate(all="ignore"), contextlib.suppress(ArithmeticError):
        gram = symmetric_gram(n)
        return eigenvalue_bound(n, gram, float(np.trace(gram)) / max(1, len(gram)) * 1e-9) is not None
    return False


def symmetric_gram(n: Matrix) -> Matrix:
    """N^T N as computed, the upper triangle copied from the lower."""
    gram = n.T @ n
    return gram if np.array_equal(gram, gram.T) else np.asarray(np.tril(gram) + np.tril(gram, -1).T)


def eigenvalue_bound(n: Matrix, gram: Matrix, guess: float) -> Fraction | None:
    """A proved s > 0, near `guess`, that no eigenvalue of N^T N is below; None if there is no proof."""
    size = len(gram)
    if not 2.0**-RANGE < guess < np.inf:
        return None
    shifted = gram.copy()
    shifted[np.diag_indices(size)] -= guess
    try:
        factor = np.tril(np.linalg.cholesky(shifted))
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(factor).all():
        return None
    factor[np.abs(factor) < 2.0**-RANGE] = 0
    # |L L^T - T| <= |computed difference| + the product's rounding + the difference's rounding, as row sums
    magnitude = np.abs(factor)
    products = magnitude @ magnitude.sum(0)
    difference = factor @ factor.T
    difference -= shifted
    remainder = np.abs(difference).sum(1) * UP + gamma(size + 2) * UP * products
    diagonal = float(np.abs(shifted[np.diag_indices(size)]).max())
    frobenius = float((n * n).sum()) * UP
    # N^T N >= T + guess - ... ; T >= -|L L^T - T|
    loss = [float(remainder.max()) * UP, diagonal * 2.0**-53 * UP, gamma(size) * frobenius]
    s = Fraction(guess) - sum(map(Fraction, loss))
    return s if s > Fraction(2) ** -RANGE else None


def smallest_eigenvalue(factor: NDArray[np.floating[Any]]) -> float:
    """An estimate for L L^T by inverse iteration; nothing depends on how good it is."""
    solve = _triangular_solver()
    if solve is None:
        return float(np.linalg.eigvalsh(factor @ factor.T)[0])
    vector: Matrix = np.random.default_rng(0).standard_normal(len(factor))
    value = 0.0
    for _ in range(8):
        vector /= np.linalg.norm(vector)
        half = solve(factor, vector, lower=True, check_finite=False)
        value = float(np.float64(1) / (half @ half))
        vector = solve(factor, half, lower=True, trans=1, check_finite=False)
    return value


def product_bound(rows: Matrix, shifts: Sequence[int], rho: Sequence[int]) -> InverseBound | None:
    """`Kernels.bound` with D = 1: Q from LAPACK, |I - Q F| and |Q C| from the computed products and gamma |Q| |N|."""
    size = len(rows)
    try:
        q = np.linalg.inv(rows[:, :size])
    except np.linalg.LinAlgError:
        return None
    q[np.abs(q) < 2.0**-RANGE] = 0
    if not np.isfinite(q).all() or np.abs(q).max() > 2.0**RANGE:
        return None
    magnitude = np.abs(q)
    products = q @ rows
    products[:, :size] -= np.eye(size)
    rounding = gamma(size + 2) * UP
    sums = np.abs(products[:, :size]).sum(1) + rounding * (magnitude @ np.abs(rows[:, :size]).sum(1)) + 2.0**-52
    gap = 1 - Fraction(float(sums.max()) * UP)
    if gap <= 0:
        return None
    beside = (np.abs(products[:, size:]) + rounding * (magnitude @ np.abs(rows[:, size:]))) * UP
    sizes, unit = float_magnitudes(rho, shifts)
    moved = float((magnitude @ sizes[:size] + beside @ sizes[size:]).max()) * UP
    maxima = [Fraction(value) / gap for value in magnitude.max(0).tolist()]
    return InverseBound(
        [value * power(-shift) for value, shift in zip(maxima, shifts, strict=True)],
        [Fraction(max(value, 1.0)) / gap for value in beside.max(0, initial=0).tolist()],
        max(Fraction(moved) / gap, Fraction(float(sizes[size:].max(initial=0)))) * power(unit),
    )


def _flint() -> Any:
    try:
        import flint
    except ImportError:
        return None
    return flint


def _triangular_solver() -> Any:
    try:
        from scipy.linalg import solve_triangular
    except ImportError:
        return None
    return solve_triangular


def main(arguments: list[str] | None = None) -> int:
    """The command: check the paths given and return the exit code."""
    return run(arguments, FastKernels())
