"""HiGHS behind a narrow door: maximise the last variable, under rows whose upper bounds change from call to call. It proposes only."""

from __future__ import annotations

import time
from dataclasses import dataclass

import highspy
import numpy as np

# A dual value, relative to the largest, from which on it counts as positive.
_NEGLIGIBLE = 1e-9


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
        self._model = highspy.Highs()
        for option, value in (("output_flag", False), ("presolve", "off"), ("solver", "simplex"), ("threads", 1)):
            self._model.setOptionValue(option, value)
        self._model.addVars(width, lower, upper)
        self._model.changeColCost(width - 1, -1.0)
        self._above = np.full(count, np.inf)
        starts = np.arange(0, count * width, width, dtype=np.int32)
        columns = np.tile(np.arange(width, dtype=np.int32), count)
        self._model.addRows(count, np.full(count, -np.inf), self._above, count * width, starts, columns, rows.ravel())

    def maximise(self, above: np.ndarray, deadline: float | None = None) -> Optimum | None:
        """The optimum with these bounds of the rows, or None where HiGHS found none by the deadline, a time of `time.monotonic()`."""
        if deadline is not None:
            # HiGHS's clock runs on from call to call.
            self._model.setOptionValue("time_limit", self._model.getRunTime() + max(0.0, deadline - time.monotonic()))
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
