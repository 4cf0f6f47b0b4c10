"""The linear program of a case in floats, by HiGHS: has it a point, and if not, which rows contradict one another? It proposes only.

Its variables are the inputs and the values h of all hidden neurons, so that a sign is no more than one bound, and the program of the
next case goes on from the last basis: h >= 0 and h - W h' - b >= 0 always; active makes the second an equality, inactive h = 0.
"""

from __future__ import annotations

import time
from itertools import accumulate
from typing import TYPE_CHECKING

import highspy
import numpy as np
from scipy.sparse import block_array, csr_array, identity, vstack

from exactrelu.domain import Box, Orthant, Polytope
from exactrelu.exact.rational import nearest_float
from exactrelu.preimage.cases.layer import Neuron, Question, RowName

if TYPE_CHECKING:
    from collections.abc import Iterator

# A number of a dual ray, relative to the largest, up to which it counts as zero.
_NEGLIGIBLE = 1e-9
# From 1e20 on HiGHS takes a bound for infinite.
_LARGE = 1e19


class CaseProgram:
    """The program of a question; `solved` counts how often it was solved.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer, RationalVector
    >>> fold = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> total = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> program = CaseProgram(Question((fold, total), AllSpace(), RationalVector((-3,))))
    >>> program.is_empty(None), sorted(name.kind for name in program.contradiction())
    (True, ['h', 'h', 'y'])
    """

    def __init__(self, question: Question) -> None:
        stages, neurons = question.stages, question.neurons
        self.solved = 0
        self._names = neurons
        self._place = {neuron: place for place, neuron in enumerate(neurons)}
        self._inputs, self._outputs = stages[0].inputs, stages[-1].outputs
        starts = list(accumulate((stage.outputs for stage in stages), initial=0))
        self._last = starts[-2]
        self._rows = np.array([starts[number - 1] + i for number, i in neurons], dtype=np.int64)
        self._columns = self._rows + self._inputs
        with np.errstate(all="ignore"):
            matrix, below, is_equality = _rows_of(question)
            sizes = np.abs(matrix).max(axis=1).toarray().reshape(-1)
            self._scale = np.ldexp(1.0, -np.frexp(np.where((sizes > 0) & np.isfinite(sizes), sizes, 1.0))[1])
            self._matrix = csr_array(matrix.multiply(self._scale[:, None]))
            self._matrix.data = np.nan_to_num(self._matrix.data, posinf=_LARGE, neginf=-_LARGE)
            self._below = np.clip(np.nan_to_num(below * self._scale), -_LARGE, _LARGE)
        above = np.where(is_equality, self._below, np.inf)
        lower, upper = _bounds_of(question)
        model = self._model = highspy.Highs()
        for option, value in (("output_flag", False), ("presolve", "off"), ("solver", "simplex"), ("threads", 1)):
            model.setOptionValue(option, value)
        model.addVars(len(lower), lower, upper)
        row_starts, columns = self._matrix.indptr[:-1].astype(np.int32), self._matrix.indices.astype(np.int32)
        model.addRows(len(above), self._below, above, self._matrix.nnz, row_starts, columns, self._matrix.data)

    def set(self, neuron: Neuron, *, sign: bool | None) -> None:
        """Make a neuron active or inactive; None: neither."""
        place = self._place[neuron]
        row, column = int(self._rows[place]), int(self._columns[place])
        self._model.changeRowBounds(row, self._below[row], self._below[row] if sign else np.inf)
        self._model.changeColBounds(column, 0.0, 0.0 if sign is False else np.inf)

    def is_empty(self, deadline: float | None) -> bool:
        """Whether HiGHS finds that the case has no point, and multipliers that show it."""
        model = self._model
        self.solved += 1
        if deadline is not None:
            # HiGHS's clock runs on from call to call.
            model.setOptionValue("time_limit", model.getRunTime() + max(0.0, deadline - time.monotonic()))
        model.run()
        status = model.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return bool(model.getDualRayExist()[1])
        if status not in {highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kUnbounded}:
            model.clearSolver()
        return False

    def hidden(self) -> tuple[dict[Neuron, float], dict[Neuron, float]]:
        """The values z of the neurons at the last point found, and how far their variables h are above relu(z)."""
        point = np.array(self._model.getSolution().col_value)
        if len(point) != self._matrix.shape[1]:
            point = np.zeros(self._matrix.shape[1])
        with np.errstate(all="ignore"):
            h = point[self._columns]
            z = h - ((self._matrix @ point - self._below) / self._scale)[self._rows]
            gaps = h - np.maximum(z, 0.0)
        return dict(zip(self._names, z.tolist(), strict=True)), dict(zip(self._names, gaps.tolist(), strict=True))

    def contradiction(self) -> Iterator[RowName]:
        """The rows of the case in the multipliers last found; and `active`, `inactive` for the bounds that only a sign makes."""
        with np.errstate(all="ignore"):
            ray = np.array(self._model.getDualRay()[2])
            columns = self._matrix.T @ ray
            negligible = _NEGLIGIBLE * float(np.abs(ray).max(initial=0.0))
            ray[np.abs(ray) <= negligible] = 0
            columns[np.abs(columns) <= negligible] = 0
        of_rows, of_columns = ray[self._rows], columns[self._columns]
        for kind, chosen in (("z", of_rows > 0), ("active", of_rows < 0), ("h", of_columns < 0), ("inactive", of_columns > 0)):
            for place in np.flatnonzero(chosen).tolist():
                yield RowName(kind, *self._names[place])
        for i in np.flatnonzero(ray[self._last :]).tolist():
            yield RowName("y", 0, i) if i < self._outputs else RowName("side", 0, i - self._outputs)
        for j in np.flatnonzero(columns[: self._inputs]).tolist():
            yield RowName("lower" if columns[j] < 0 else "upper", 0, j)


def _rows_of(question: Question) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """(matrix, below, is_equality): matrix (x, h) >= below, or = below; the stages' rows in order, then a polytope's sides."""
    stages, domain, y = question.stages, question.domain, question.y.to_float()
    blocks = [[None] * len(stages) for _ in stages]
    for number, stage in enumerate(stages):
        blocks[number][number] = csr_array(-stage.weight.floats)
        if number < len(stages) - 1:
            blocks[number][number + 1] = csr_array(identity(stage.outputs))
    matrix = block_array(blocks, format="csr")
    below = np.concatenate([*(stage.bias.floats[:, 0] for stage in stages[:-1]), stages[-1].bias.floats[:, 0] - y])
    is_equality = np.concatenate([*(~stage.rectified for stage in stages[:-1]), ~stages[-1].rectified | (y > 0)])
    if isinstance(domain, Polytope) and domain.rows:
        sides = np.zeros((len(domain.rows), matrix.shape[1]))
        sides[:, : stages[0].inputs] = [[-nearest_float(value, 0)[0] for value in side] for side in domain.rows]
        matrix = csr_array(vstack([matrix, csr_array(sides)]))
        below = np.concatenate([below, [nearest_float(value, 0)[0] for value in domain.offsets]])
        is_equality = np.concatenate([is_equality, np.zeros(len(domain.rows), dtype=bool)])
    return matrix, below, is_equality


def _bounds_of(question: Question) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of the inputs, and of the hidden values: at least 0 behind a relu."""
    n, domain = question.stages[0].inputs, question.domain
    hidden = [np.where(stage.rectified, 0.0, -np.inf) for stage in question.stages[:-1]]
    lower = np.concatenate([np.full(n, 0.0 if isinstance(domain, Orthant) else -np.inf), *hidden])
    upper = np.full(len(lower), np.inf)
    if isinstance(domain, Box):
        lower[:n], upper[:n] = domain.lower.to_float(), domain.upper.to_float()
    return lower, upper
