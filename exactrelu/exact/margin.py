"""From a float proposal to a proof by margin (theory C3, C4), by rounding bounds; `margin_certificate` says it in integers.

Two statements are proved about a system, each by moving a float proposal to an exact one and bounding how far it moves.

C = {0}. Let w be multipliers, sigma = w A, F the columns without a side, rho = sigma on F, s <= lambda_min(A_F^T A_F), s > 0.
Then w* = w - A_F (A_F^T A_F)^-1 rho has (w* A)_F = 0 exactly, |w*_i - w_i| <= |a_i| |rho| / s, and column j of w* A moves by
at most |column j| |rho| / sqrt(s). If all inequality rows and all sides keep positive multipliers, every d in C has
a_i d = 0 on all rows and d_j = 0 on the sides' columns; A_F has full column rank, so d = 0.

A strict ray. With s <= lambda_min(A_P A_P^T), s > 0: d* = d - A_P^T (A_P A_P^T)^-1 A_P d has A_P d* = 0 exactly and
|d* - d| <= |A_P d| / sqrt(s); the inequalities stay negative if their margin exceeds that times the row's norm.

A proof that fails is no verdict.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rounding import UPWARDS, combination, float_arithmetic_is_sound, gamma, in_safe_range
from exactrelu.exact.system import gram_lower_bound

if TYPE_CHECKING:
    from exactrelu.exact.system import ConeSystem


def _norm(values: np.ndarray) -> float:
    """An upper bound of the Euclidean norm; scaled, so that the squares of tiny values do not underflow."""
    largest = float(np.abs(values).max(initial=0.0))
    if not 0 < largest < math.inf:
        return largest
    exponent = math.frexp(largest)[1]
    scaled = np.ldexp(values, -exponent)
    return float(np.ldexp(np.sqrt(scaled @ scaled) * UPWARDS, exponent))


def proves_trivial(system: ConeSystem, multipliers: np.ndarray) -> bool:
    """Whether the rounding bounds prove C = {0} from these multipliers of the scaled general rows."""
    if not float_arithmetic_is_sound() or not system.rows.safe or not in_safe_range(multipliers):
        return False
    rows = system.scaled
    free = ~system.has_side
    everything_free = bool(free.all())
    free_rows = rows if everything_free else np.ascontiguousarray(rows[:, free])
    eigenvalue = system.rows.gram_bound if everything_free else gram_lower_bound(free_rows)
    if not eigenvalue > 0:
        return False
    sigma, terms = combination(multipliers, rows)
    size = _norm(multipliers)
    moved = 0.0
    if free.any():
        frobenius = float(np.sqrt(np.einsum("ij,ij->", free_rows, free_rows))) * UPWARDS
        moved = (_norm(sigma[free]) + gamma(terms) * frobenius * size) * UPWARDS
    needed = system.rows.norms * (moved / eigenvalue * UPWARDS) * UPWARDS
    if not (multipliers > needed)[~system.equality].all():
        return False
    sided = system.has_side & ~system.fixed
    # A lower side absorbs sigma_j > 0, an upper one sigma_j < 0.
    absorbed = np.where(system.lower, sigma, -sigma)[sided]
    slack = (gamma(terms) * size + moved / math.sqrt(eigenvalue)) * UPWARDS
    return bool((absorbed > system.rows.column_norms[sided] * slack * UPWARDS).all())


def proves_strict_ray(system: ConeSystem, direction: np.ndarray) -> bool:
    """Whether the rounding bounds prove a strict ray near `direction`, the equality rows being independent.

    The caller makes sure that equality rows outside `system.basis_rows` depend on them exactly, if there are any.
    """
    if not float_arithmetic_is_sound() or not system.rows.safe or not in_safe_range(direction) or system.fixed.any():
        return False
    if not system.equality_bound > 0 or not direction.any():
        return False
    values = system.scaled @ direction
    size = _norm(direction)
    error = gamma(system.dimension) * system.rows.norms * size * UPWARDS
    correction = 0.0
    if len(system.equality_rows):
        if len(system.basis_rows) == system.dimension:
            return False
        residual = np.abs(values[system.basis_rows]) + error[system.basis_rows]
        correction = _norm(residual) / math.sqrt(system.equality_bound) * UPWARDS
    inequality = ~system.equality
    if not inequality.any() and not system.has_side.any():
        return _norm(direction) > correction * 2  # the corrected direction is not 0, and nothing else is asked
    general = values + error + system.rows.norms * correction * UPWARDS
    if not (general[inequality] < 0).all():
        return False
    return bool((system.side_signs * direction[system.side_columns] + correction < 0).all())
