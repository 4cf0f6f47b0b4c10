"""The float search behind the cone predicate (theory C2, C2b): it proposes, and nothing it says is believed.

For a system C = {d : r.d = 0 on equalities, r.d <= 0 on inequalities, signs of some coordinates} Gordan's alternative is
searched: a direction with r.d < 0 on every inequality, or positive multipliers of the inequalities whose sum vanishes on
the equalities' kernel. Both come from minimising log sum exp(b_i.u), b_i the inequalities in coordinates u of the kernel:
an iterate with max b_i.u < 0 is the direction, and at a minimum softmax(b u) > 0 are the multipliers. The Hessian of
sum exp (without the rank-one term of the logarithm) keeps the step well defined when softmax collapses on one row.

When most constraints are sides of a box or an orthant, the same problem is smaller in the multipliers (Gale duality): the
unknowns are multipliers w with (w R)_j = 0 on the columns without a side, and the roles of direction and multipliers swap.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg as scipy_linalg
from scipy.linalg import lapack

from exactrelu.exact.kernel import Kernel

if TYPE_CHECKING:
    from exactrelu.exact.system import ConeSystem

MAXIMAL_STEPS = 60
# Rows of unit size whose projection on the kernel is below this are treated as lying in the equalities' row space.
_VANISHING = 1e-7
# Below this many entries single precision does not pay.
_WORTH_SINGLE = 200_000


@dataclass(frozen=True)
class Direction:
    """A proposed d with r.d = 0 on equalities and r.d < 0 on the inequalities, `vanishing` ones excepted."""

    values: np.ndarray
    vanishing: np.ndarray


@dataclass(frozen=True)
class Multipliers:
    """Proposed multipliers of the general rows (scaled rows); those of sides are implied."""

    values: np.ndarray


@dataclass(frozen=True)
class NothingFound:
    """The search ended without a proposal."""

    reason: str


Proposal = Direction | Multipliers | NothingFound


class _Alternative:
    """Gordan's alternative for rows b_i (i active): find u with b_i.u < 0, or y > 0 with sum y_i b_i = 0.

    `transposed` is b^T, (k, r), in the precision of the Hessians; values and residuals are computed in double precision.
    Inactive rows carry weight 0 throughout.
    """

    def __init__(self, transposed: np.ndarray, active: np.ndarray, double: np.ndarray | None = None) -> None:
        self.transposed = transposed
        self.active = active
        self.double = transposed if double is None else double
        self.buffer = np.empty_like(transposed)

    def apply(self, u: np.ndarray) -> np.ndarray:
        return np.asarray(u @ self.double)

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(self.double @ y)


class _KernelAlternative(_Alternative):
    """The alternative whose rows are a system's rows and sides in coordinates of a kernel, applied in double precision."""

    def __init__(self, system: ConeSystem, kernel: Kernel, transposed: np.ndarray, active: np.ndarray) -> None:
        super().__init__(transposed, active)
        self.system, self.kernel = system, kernel

    def apply(self, u: np.ndarray) -> np.ndarray:
        return self.system.apply(self.kernel.full(u))

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        return self.kernel.restrict(self.system.adjoint(y))


def search(system: ConeSystem, *, deadline: float | None = None) -> Proposal:
    """Propose a strict ray or positive multipliers for a system without doubly-sided columns and without zero rows."""
    outcome: Proposal = NothingFound("no precision was tried")
    for outcome in proposals(system, deadline=deadline):
        if not isinstance(outcome, NothingFound):
            break
    return outcome


def proposals(system: ConeSystem, *, deadline: float | None = None) -> Iterator[Proposal]:
    """Proposals of growing precision, for a caller whose proof may fail on the first: large systems begin in single precision."""
    if system.multiplier_dimension() < system.kernel_dimension():
        return _search_multipliers(system, deadline)
    return _search_kernel(system, deadline)


def _precisions(entries: int) -> tuple[type, ...]:
    return (np.float32, np.float64) if entries > _WORTH_SINGLE else (np.float64,)


def _search_kernel(system: ConeSystem, deadline: float | None) -> Iterator[Proposal]:
    kernel = system.kernel
    if kernel.dimension == 0:
        yield NothingFound("the equalities have full rank")
        return
    for dtype in _precisions(kernel.dimension * system.row_count):
        transposed = system.kernel_rows(dtype)
        lengths = np.sqrt(np.einsum("ij,ij->j", transposed, transposed))
        vanishing = system.inequality & (lengths <= _VANISHING)
        alternative = _KernelAlternative(system, kernel, transposed, system.inequality & ~vanishing)
        if not alternative.active.any():
            yield NothingFound("every inequality vanishes on the equalities' kernel")
            return
        found = _minimise(alternative, deadline)
        if isinstance(found, NothingFound):
            yield found
            continue
        kind, vector = found
        if kind == "direction":
            yield Direction(kernel.full(vector), vanishing)
            continue
        general = vector[: system.general_count].copy()
        general[system.basis_rows] = -kernel.multipliers(system.adjoint(vector))
        yield Multipliers(general)


def _search_multipliers(system: ConeSystem, deadline: float | None) -> Iterator[Proposal]:
    """The dual problem: u are coordinates of the multipliers that vanish on the columns without a side."""
    rows = system.scaled
    free = np.flatnonzero(~system.has_side)
    if len(rows) <= len(free):
        # Independent rows on the free columns: no multipliers at all, and every slack is attained.
        direction = _direction_with_slack(system, free, np.ones(system.row_count))
        if direction is not None:
            yield direction
    inequality_rows = np.flatnonzero(system.inequality[: system.general_count])
    # Unknown w = kernel.full(u); wanted: w_i > 0 on inequality rows, and sigma_j = (w R)_j of the sign that side j absorbs.
    sided = -system.side_signs[:, None] * rows[:, system.side_columns].T
    kernel = Kernel(np.ascontiguousarray(rows[:, free].T))
    if len(free):
        basis = _kernel_matrix(kernel)
        wanted = np.concatenate([basis[inequality_rows], sided @ basis])
    else:
        wanted = np.concatenate([np.eye(len(rows))[inequality_rows], sided])
    lengths = np.sqrt(np.einsum("ij,ij->i", wanted, wanted))
    lengths[lengths == 0] = 1.0
    double = np.ascontiguousarray(-(wanted / lengths[:, None]).T)
    for dtype in _precisions(double.size):
        slack = np.ones(len(wanted))
        if wanted.shape[1]:
            found = _minimise(_Alternative(double.astype(dtype), np.ones(len(wanted), dtype=bool), double), deadline)
            if isinstance(found, NothingFound):
                yield found
                continue
            kind, vector = found
            if kind == "direction":
                yield Multipliers(kernel.full(vector))
                continue
            slack = vector / lengths
        full = np.zeros(system.row_count)
        full[inequality_rows] = slack[: len(inequality_rows)]
        full[system.general_count :] = slack[len(inequality_rows) :]
        yield _direction_with_slack(system, free, full) or NothingFound("no direction has the slacks found")


def _direction_with_slack(system: ConeSystem, free: np.ndarray, slack: np.ndarray) -> Direction | None:
    """The direction with r.d = -slack on inequality rows and |d_j| = slack on sides, solved on the free columns."""
    rows, count = system.scaled, system.general_count
    direction = np.zeros(rows.shape[1])
    direction[system.side_columns] = -system.side_signs * slack[count:]
    right = -(rows @ direction)
    right[system.inequality[:count]] -= slack[:count][system.inequality[:count]]
    if len(free):
        solved = _least_squares(np.ascontiguousarray(rows[:, free]), right)
        if solved is None:
            return None
        direction[free] = solved
    return Direction(direction, np.zeros(system.row_count, dtype=bool))


def _least_squares(matrix: np.ndarray, right: np.ndarray) -> np.ndarray | None:
    """A solution of matrix x = right by normal equations with one step of refinement; None if they are singular."""
    wide = matrix.shape[0] <= matrix.shape[1]
    try:
        factor = scipy_linalg.cho_factor(matrix @ matrix.T if wide else matrix.T @ matrix, check_finite=False)
    except scipy_linalg.LinAlgError:
        return None

    def correction(residual: np.ndarray) -> np.ndarray:
        if wide:
            return np.asarray(matrix.T @ scipy_linalg.cho_solve(factor, residual, check_finite=False))
        return np.asarray(scipy_linalg.cho_solve(factor, matrix.T @ residual, check_finite=False))

    x = correction(right)
    return np.asarray(x + correction(right - matrix @ x))


def _kernel_matrix(kernel: Kernel) -> np.ndarray:
    """A basis of the kernel as columns, (n, dimension)."""
    basis = np.zeros((kernel.columns, kernel.dimension))
    basis[kernel.others, np.arange(kernel.dimension)] = 1.0
    basis[kernel.pivots] = -kernel.coupling.T
    return basis


Solver = Callable[[np.ndarray], np.ndarray]


def _minimise(problem: _Alternative, deadline: float | None) -> tuple[str, np.ndarray] | NothingFound:
    """Damped Newton on log sum exp(b u); returns ("direction", u) or ("multipliers", y over all rows)."""
    active = np.flatnonzero(problem.active)
    dimension, count = problem.transposed.shape
    u, values = np.zeros(dimension), np.zeros(count)
    for _ in range(MAXIMAL_STEPS):
        if deadline is not None and time.monotonic() > deadline:
            return NothingFound("the time limit was reached")
        now = values[active]
        highest = now.max()
        weights = np.exp(now - highest)
        spread = np.zeros(count)
        spread[active] = weights
        newton = _newton_solver(problem, spread)
        if newton is None:
            return NothingFound("the Hessian could not be factorised")
        gradient = problem.adjoint(spread)
        step = newton(gradient)
        change = problem.apply(step)
        if not np.isfinite(change[active]).all():
            return NothingFound("the Newton step is not finite")
        concluded = _conclude(problem, active, weights, now, change[active], newton)
        if isinstance(concluded, np.ndarray):
            return "multipliers", concluded
        if concluded is not None:
            onwards, length = concluded
            return "direction", onwards * u + length * step
        total = weights.sum()
        reached = _line_search(now, change[active], highest + np.log(total), float(gradient @ step) / total)
        if reached is None:
            return NothingFound("the line search stalled")
        u = u + reached * step
        values = values + reached * change
        if np.abs(values).max() > 1e7:
            return NothingFound("the search diverged")
    return NothingFound(f"no convergence in {MAXIMAL_STEPS} Newton steps")


def _conclude(
    problem: _Alternative, active: np.ndarray, weights: np.ndarray, now: np.ndarray, delta: np.ndarray, newton: Solver
) -> np.ndarray | tuple[float, float] | None:
    """Test an iterate both ways: multipliers, or (onwards, length) such that onwards * u + length * step is a direction."""
    if delta.min() > -1 + 1e-3:
        # weights * (1 + delta) solves the multipliers' equation to first order.
        multipliers = _repaired(problem, active, weights, weights * (1 + delta), newton)
        if multipliers is not None:
            return multipliers
    for onwards, length in ((1.0, 1.0), (1.0, 2.0), (1.0, 4.0), (1.0, 8.0), (1.0, 32.0), (0.0, 1.0)):
        ahead = onwards * now + length * delta
        if ahead.max() < -1e-7 * np.abs(ahead).max():
            return onwards, length
    return None


def _newton_solver(problem: _Alternative, spread: np.ndarray) -> Solver | None:
    """vector -> -H^-1 vector for the Hessian H = sum spread_i b_i b_i^T, with the smallest of a few growing ridges that works."""
    transposed = problem.transposed
    dtype, size = transposed.dtype, len(transposed)
    single = dtype == np.float32
    weighted = np.multiply(transposed, np.sqrt(spread).astype(dtype), out=problem.buffer)
    hessian = weighted @ weighted.T
    factorise, back_substitute = (lapack.spotrf, lapack.spotrs) if single else (lapack.dpotrf, lapack.dpotrs)
    ridge = float(np.trace(hessian)) / size * (3e-6 if single else 1e-13)
    for _ in range(6):
        hessian[np.diag_indices(size)] += ridge
        factor, failed = factorise(hessian, lower=1)
        if not failed:
            return lambda vector: np.asarray(-back_substitute(factor, vector.astype(dtype), lower=1)[0], dtype=np.float64)
        ridge *= 100
    return None


def _repaired(problem: _Alternative, active: np.ndarray, weights: np.ndarray, first: np.ndarray, newton: Solver) -> np.ndarray | None:
    """Raise tiny multipliers and remove the residual by weighted least squares; None if they do not stay positive."""
    first = first / first.mean()
    for floor in (1e-5, 1e-6, 1e-7):
        x = np.maximum(first, floor)
        for _ in range(4):
            full = np.zeros(problem.transposed.shape[1])
            full[active] = x
            residual = problem.adjoint(full)
            if np.abs(residual).max() < 1e-13 * len(active):
                break
            x = x + weights * problem.apply(newton(residual))[active]
        if np.isfinite(x).all() and x.min() > 2e-8:
            full = np.zeros(problem.transposed.shape[1])
            full[active] = x
            return full
    return None


def _line_search(now: np.ndarray, delta: np.ndarray, value: float, slope: float) -> float | None:
    """Armijo backtracking on log sum exp, then doubling while that pays."""

    def objective(length: float) -> float:
        moved = now + length * delta
        top = moved.max()
        return float(top + np.log(np.exp(moved - top).sum()))

    length = 1.0
    reached = objective(length)
    while reached > value + 1e-4 * length * slope:
        length *= 0.5
        if length < 1e-9:
            return None
        reached = objective(length)
    while 1.0 <= length < 64:
        further = objective(2 * length)
        if further >= reached - 1e-3:
            break
        length, reached = 2 * length, further
    return length
