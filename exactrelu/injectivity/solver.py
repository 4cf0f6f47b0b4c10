"""HiGHS behind a narrow door: the largest last variable under rows whose bounds change, points far out in a region. It proposes only."""

from __future__ import annotations

import time
from dataclasses import dataclass

import highspy
import numpy as np

# A dual value, relative to the largest, from which on it counts as positive.
_NEGLIGIBLE = 1e-9
# How many rows that a point breaks are taken into a program at once.
_TAKEN_AT_ONCE = 100


@dataclass(frozen=True, eq=False)
class Optimum:
    """The variables (n,), the sizes of the rows' dual values (k,), those negligible set to 0, and which variables a bound holds (n,)."""

    variables: np.ndarray
    multipliers: np.ndarray
    held: np.ndarray


class LinearProgram:
    """Maximise x[-1] subject to rows x <= above and lower <= x <= upper; an infinite bound is none. Goes on from its last basis.

    >>> program = LinearProgram(np.array([[1.0, 1.0], [-1.0, 1.0]]), np.full(2, -np.inf), np.full(2, np.inf))
    >>> program.maximise(np.array([1.0, 0.0])).variables.tolist()
    [0.5, 0.5]
    """

    def __init__(self, rows: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        count, width = rows.shape
        self._model = _simplex()
        self._model.addVars(width, lower, upper)
        self._model.changeColCost(width - 1, -1.0)
        self._above = np.full(count, np.inf)
        starts = np.arange(0, count * width, width, dtype=np.int32)
        columns = np.tile(np.arange(width, dtype=np.int32), count)
        self._model.addRows(count, np.full(count, -np.inf), self._above, count * width, starts, columns, rows.ravel())

    def maximise(self, above: np.ndarray, deadline: float | None = None) -> Optimum | None:
        """The optimum with these bounds of the rows, or None where HiGHS found none by the deadline, a time of `time.monotonic()`."""
        _stop_at(self._model, deadline)
        changed = np.flatnonzero(above != self._above).astype(np.int32)
        self._above = above
        self._model.changeRowsBounds(len(changed), changed, np.full(len(changed), -np.inf), above[changed])
        self._model.run()
        if self._model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self._model.clearSolver()
            return None
        solution = self._model.getSolution()
        multipliers = np.abs(np.array(solution.row_dual))
        smallest = _NEGLIGIBLE * float(multipliers.max(initial=0.0))
        multipliers[multipliers < smallest] = 0.0
        held = np.abs(np.array(solution.col_dual)) > max(smallest, _NEGLIGIBLE)
        return Optimum(np.array(solution.col_value), multipliers, held)


class Region:
    """The points x with below <= rows x <= above and lower <= x <= upper, all bounds of x finite.

    Rows are taken into the program once a point breaks them: of many rows few end up in it. It goes on from its last basis.

    >>> region = Region(np.array([[1.0, 1.0]]), np.array([-np.inf]), np.array([1.0]), np.zeros(2), np.ones(2))
    >>> (region.farthest(np.array([2.0, 1.0])) == [1.0, 0.0]).tolist()
    [True, True]
    """

    def __init__(self, rows: np.ndarray, below: np.ndarray, above: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        self._rows, self._below, self._above = rows, below, above
        self._model = _simplex()
        self._columns = np.arange(rows.shape[1], dtype=np.int32)
        self._model.addVars(len(self._columns), lower, upper)
        self._taken = np.zeros(len(rows), dtype=bool)
        self._take(np.flatnonzero(below > -np.inf))

    def farthest(self, direction: np.ndarray, deadline: float | None = None) -> np.ndarray | None:
        """A point (n,) that is farthest in a direction, or None where HiGHS found none by the deadline, a time of `time.monotonic()`."""
        self._model.changeColsCost(len(self._columns), self._columns, -direction)
        while True:
            _stop_at(self._model, deadline)
            self._model.run()
            if self._model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                self._model.clearSolver()
                return None
            point = np.array(self._model.getSolution().col_value)
            excess = np.where(self._taken, 0.0, self._rows @ point - self._above)
            broken = np.argsort(-excess, kind="stable")[:_TAKEN_AT_ONCE]
            broken = broken[excess[broken] > _NEGLIGIBLE]
            if not len(broken):
                return point
            self._take(broken)

    def cut_off(self, row: np.ndarray, above: float) -> None:
        """Add the condition row x <= above."""
        self._model.addRow(-np.inf, above, len(row), self._columns, row)

    def _take(self, rows: np.ndarray) -> None:
        count, width = len(rows), len(self._columns)
        self._taken[rows] = True
        starts = np.arange(0, count * width, width, dtype=np.int32)
        entries = self._rows[rows].ravel()
        self._model.addRows(count, self._below[rows], self._above[rows], count * width, starts, np.tile(self._columns, count), entries)


def _simplex() -> highspy.Highs:
    model = highspy.Highs()
    for option, value in (("output_flag", False), ("presolve", "off"), ("solver", "simplex"), ("threads", 1)):
        model.setOptionValue(option, value)
    return model


def _stop_at(model: highspy.Highs, deadline: float | None) -> None:
    if deadline is not None:
        # HiGHS's clock runs on from call to call.
        model.setOptionValue("time_limit", model.getRunTime() + max(0.0, deadline - time.monotonic()))


class CheapestCombination:
    """Minimise costs . l subject to l >= 0, sum l = 1, sum l_j a_j = 0, sum l_j b_j >= 0, from the last basis on.

    >>> program = CheapestCombination(np.array([[1.0], [-1.0], [-3.0]]), np.zeros(3))
    >>> program.minimise(np.array([1.0, 0.0, 1.0])).tolist()
    [0.5, 0.5, 0.0]
    """

    def __init__(self, rows: np.ndarray, constants: np.ndarray) -> None:
        m, n = rows.shape
        self._model = _simplex()
        # The primal simplex method: a basis stays feasible when costs change.
        self._model.setOptionValue("simplex_strategy", 4)
        lower = np.array([*[0.0] * (n + 1), 1.0])
        upper = np.array([*[0.0] * n, np.inf, 1.0])
        self._model.addRows(n + 2, lower, upper, 0, np.zeros(n + 2, dtype=np.int32), np.arange(0, dtype=np.int32), np.zeros(0))
        scaled = constants / max(1.0, float(np.abs(constants).max(initial=0.0)))
        entries = np.hstack([rows, scaled[:, None], np.ones((m, 1))])
        starts = np.arange(0, m * (n + 2), n + 2, dtype=np.int32)
        places = np.tile(np.arange(n + 2, dtype=np.int32), m)
        self._model.addCols(m, np.zeros(m), np.zeros(m), np.full(m, np.inf), entries.size, starts, places, entries.ravel())
        self._all = np.arange(m, dtype=np.int32)

    def minimise(self, costs: np.ndarray, deadline: float | None = None) -> np.ndarray | None:
        """The multipliers (m,), those negligible set to 0; None where HiGHS found none by the deadline, a time of `time.monotonic()`."""
        _stop_at(self._model, deadline)
        self._model.changeColsCost(len(self._all), self._all, costs)
        self._model.run()
        if self._model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self._model.clearSolver()
            return None
        found = np.array(self._model.getSolution().col_value)
        found[found < _NEGLIGIBLE * float(found.max(initial=0.0))] = 0.0
        return found
