"""Margin certificates in integers (theory C3, C4): small multipliers and directions whose margin a checker can confirm.

Which rows to select and how many bits to keep is chosen in floats, with a reserve; the checker decides in integers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates import StrictRay, TrivialByMargin
from exactrelu.exact.kernel import pivot_rows
from exactrelu.exact.linalg import mask_of

if TYPE_CHECKING:
    from exactrelu.exact.system import ConeSystem

# How much larger than needed a margin must look in floats before an integer certificate is written for it.
_RESERVE = 8.0
_BITS = (26, 30, 34, 40, 48)


def trivial_certificate(system: ConeSystem, multipliers: np.ndarray) -> TrivialByMargin | None:
    """Integer multipliers and a row set for theory C3, from multipliers of the scaled rows; None if no margin is large enough.

    The bits grow until the rule's inequality holds with a reserve in floats; the checker decides it in integers.
    """
    with np.errstate(all="ignore"):
        choice = _select_rows(system, multipliers)
        if choice is None:
            return None
        selected, inverse_sizes = choice
        for bits in _BITS:
            found = _rounded(system, multipliers, selected, inverse_sizes, bits)
            if found is not None:
                return found
    return None


def _select_rows(system: ConeSystem, multipliers: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Choose n rows with large multipliers whose matrix N is regular.

    Returns (selected indices, max_k |N^-1_ki| for each of them in that order).
    """
    if system.multiplier_dimension() < system.kernel_dimension():
        return _select_columns(system, multipliers)
    kernel = system.kernel
    size = kernel.dimension
    if size == 0:
        return system.basis_rows, np.zeros(len(system.basis_rows))
    implied = system.implied_multipliers(multipliers)
    inequality = np.flatnonzero(system.inequality)
    if len(inequality) < size:
        return None
    weights = np.minimum(implied / np.median(implied[inequality]), 1.0)
    order = inequality[np.argsort(-weights[inequality], kind="stable")]
    for count in (2 * size + 20, len(order)):
        candidates = np.sort(order[:count])
        rows = _in_kernel(system, candidates)
        chosen = pivot_rows(rows * weights[candidates, None])
        if chosen is not None:
            break
    else:
        return None
    chosen = np.sort(chosen)  # general rows before sides, the order of `_in_kernel`
    picked = candidates[chosen]
    try:
        inverse = np.linalg.inv(rows[chosen])
    except np.linalg.LinAlgError:
        return None
    sizes = np.maximum(np.abs(inverse).max(axis=0, initial=0.0), np.abs(kernel.coupling.T @ inverse).max(axis=0, initial=0.0))
    selected = np.concatenate([system.basis_rows, picked])
    return selected, np.concatenate([np.zeros(len(system.basis_rows)), sizes])


def _in_kernel(system: ConeSystem, rows: np.ndarray) -> np.ndarray:
    """The given rows (sides included) as functionals on the kernel's coordinates, (len(rows), kernel dimension)."""
    kernel = system.kernel
    general = rows[rows < system.general_count]
    sides = rows[rows >= system.general_count] - system.general_count
    matrix = system.scaled[general]
    result = matrix[:, kernel.others] - matrix[:, kernel.pivots] @ kernel.coupling.T
    if len(sides) == 0:
        return np.asarray(result)
    units = np.zeros((len(sides), system.dimension))
    units[np.arange(len(sides)), system.side_columns[sides]] = system.side_signs[sides]
    return np.concatenate([result, units[:, kernel.others] - units[:, kernel.pivots] @ kernel.coupling.T])


def _select_columns(system: ConeSystem, multipliers: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The choice when sides abound: all general rows, and every side but those of as many columns as there are general rows.

    The columns left out contain all columns without a side and those whose sides have the smallest multipliers.
    """
    if not system.has_side.any():
        return None
    rows, implied = system.scaled, system.implied_multipliers(multipliers)
    absorbed = np.zeros(system.dimension)
    np.maximum.at(absorbed, system.side_columns, implied[system.general_count :])
    typical = float(np.median(absorbed[system.has_side]))
    weights = np.where(system.has_side, np.clip(typical * 2.0**-6 / np.maximum(absorbed, 1e-300), 2.0**-12, 1.0), 2.0**6)
    left_out = pivot_rows(np.ascontiguousarray(rows.T) * weights[:, None])
    if left_out is None:
        return None
    kept = np.ones(system.dimension, dtype=bool)
    kept[left_out] = False
    if (kept & ~system.has_side).any():
        return None
    kept_sides = np.flatnonzero(kept[system.side_columns] & ~_second_side(system))
    try:
        inverse = np.linalg.inv(rows[:, left_out])
    except np.linalg.LinAlgError:
        return None
    coupled = np.abs(inverse @ rows[:, system.side_columns[kept_sides]]).max(axis=0, initial=0.0)
    sizes = np.concatenate([np.abs(inverse).max(axis=0, initial=0.0), np.maximum(coupled, 1.0)])
    return np.concatenate([np.arange(system.general_count), system.general_count + kept_sides]), sizes


def _second_side(system: ConeSystem) -> np.ndarray:
    """The upper side of a column that also has a lower one."""
    return np.asarray(system.fixed[system.side_columns] & (system.side_signs > 0))


def _rounded(
    system: ConeSystem, multipliers: np.ndarray, selected: np.ndarray, inverse_sizes: np.ndarray, bits: int
) -> TrivialByMargin | None:
    """Round the multipliers, adapt those of the selected rows to the rounding of the others, and test the margin in floats."""
    count = system.general_count
    in_selection = np.zeros(system.row_count, dtype=bool)
    in_selection[selected] = True
    # In units of real rows: multiplier w of a scaled row is w * 2^-exponent. A common factor is free, and keeps floats in range.
    exponents = system.rows.exponents
    exponents = exponents - (int(np.median(exponents)) if count else 0)
    real = np.ldexp(multipliers, -exponents)
    typical = float(np.median(np.abs(real[real != 0]))) if (real != 0).any() else 1.0
    if not np.isfinite(typical):
        return None
    unit = 2.0 ** (math.floor(math.log2(typical)) - bits)
    coarse_bits = bits - 11
    others = ~in_selection[:count]
    rounded = np.where(others, np.rint(np.ldexp(real / unit, -coarse_bits)), 0.0)
    if others.any() and (others & ~system.equality).any():
        adapted = _adapted(system, multipliers, np.ldexp(np.ldexp(rounded * unit, coarse_bits), exponents), selected, in_selection)
        if adapted is None:
            return None
        real = np.ldexp(adapted, -exponents)
    rounded = np.where(others, rounded, np.rint(real / unit))
    if not np.isfinite(rounded).all() or np.abs(rounded).max(initial=0.0) > 2.0**90 or (rounded < 0)[~system.equality].any():
        return None
    # The rule, in floats and with a reserve, on scaled rows and in units of `unit`.
    scaled = np.ldexp(np.where(others, np.ldexp(rounded, coarse_bits), rounded), exponents)
    sigma = scaled @ system.scaled
    residual = np.where(system.has_side, 0.0, sigma)
    residual = np.where(system.lower & ~system.upper, np.minimum(sigma, 0.0), residual)
    residual = np.where(system.upper & ~system.lower, np.maximum(sigma, 0.0), residual)
    rounding = 2.0**-50 * float(np.abs(scaled).sum())
    needed = _RESERVE * (float(np.abs(residual).sum()) + rounding) * inverse_sizes
    implied = system.implied_multipliers(scaled)
    inequality = system.inequality[selected]
    if not (implied[selected] > needed)[inequality].all():
        return None
    integers = tuple(int(value) for value in rounded.tolist())
    return TrivialByMargin(mask_of(selected.tolist()), coarse_bits, integers)


def _adapted(
    system: ConeSystem, multipliers: np.ndarray, coarse: np.ndarray, selected: np.ndarray, in_selection: np.ndarray
) -> np.ndarray | None:
    """Multipliers of the selected rows that cancel the coarse ones of the other general rows."""
    count = system.general_count
    if system.multiplier_dimension() < system.kernel_dimension():
        return np.where(in_selection[:count], multipliers, coarse)
    implied = system.implied_multipliers(multipliers)
    vector = np.where(in_selection, 0.0, np.concatenate([coarse, implied[count:]]))
    kernel = system.kernel
    picked = selected[len(system.basis_rows) :]
    right = -kernel.restrict(system.adjoint(vector))
    try:
        vector[picked] = np.linalg.solve(_in_kernel(system, picked).T, right)
    except np.linalg.LinAlgError:
        return None
    vector[system.basis_rows] = -kernel.multipliers(system.adjoint(vector))
    return vector[:count]


def ray_certificate(system: ConeSystem, direction: np.ndarray, block: tuple[np.ndarray, np.ndarray]) -> StrictRay | None:
    """Integer directions for theory C4, relative to a regular block (equality rows, columns); None if no margin is large enough."""
    with np.errstate(all="ignore"):
        return _rounded_ray(system, direction, *block)


def _rounded_ray(system: ConeSystem, direction: np.ndarray, rows: np.ndarray, pivots: np.ndarray) -> StrictRay | None:
    largest = float(np.abs(direction).max(initial=0.0))
    if not largest > 0 or not np.isfinite(largest):
        return None
    equalities = system.scaled[rows]
    others = np.ones(system.dimension, dtype=bool)
    others[pivots] = False
    try:
        inverse = np.linalg.inv(equalities[:, pivots])
    except np.linalg.LinAlgError:
        return None
    spread = float(np.abs(inverse).sum(axis=1).max(initial=0.0))
    touched = np.concatenate([np.abs(system.scaled[:, pivots]).sum(axis=1), np.isin(system.side_columns, pivots)])
    for bits in _BITS:
        rounded = np.rint(direction / 2.0 ** (math.frexp(largest)[1] - bits))
        rounded[pivots] = np.rint(-(inverse @ (equalities[:, others] @ rounded[others])))
        values = system.apply(rounded)
        residual = float(np.abs(values[rows]).max(initial=0.0))
        correction = _RESERVE * spread * (residual + 2.0**-48 * float(np.abs(rounded).sum())) if len(rows) else 0.0
        if np.isfinite(values).all() and (values + correction * touched < 0)[system.inequality].all() and rounded.any():
            return StrictRay(tuple(int(value) for value in rounded.tolist()), 0, exact=False)
    return None
