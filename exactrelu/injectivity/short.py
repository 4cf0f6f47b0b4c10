"""Dependencies on R^n that say much about a case: as little weight as possible on rows that are not excluded.

The fewer rows a dependency has outside I, the fewer children it leaves (theory I8). The linear program is: minimise the sum of
lambda_j over the rows not excluded, subject to lambda >= 0, sum lambda_j = 1, sum lambda_j a_j = 0, sum lambda_j b_j >= 0. It is
posed in its dual form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.injectivity.oracle import dependency_on
from exactrelu.injectivity.solver import LinearProgram

if TYPE_CHECKING:
    from exactrelu.certificate_injectivity import Dependency
    from exactrelu.injectivity.question import Question


class ShortDependencies:
    """Maximise t subject to a_j x + b_j s + t <= (0 where j is excluded, else 1) on the rows asked for, s >= 0.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer
    >>> from exactrelu.injectivity.question import Question
    >>> rows = DyadicMatrix.from_floats([[1.0], [-1.0], [-2.0]])
    >>> layer = Layer(rows, DyadicMatrix.from_floats([[0.0]] * 3), np.array([True] * 3))
    >>> ShortDependencies(Question(layer, AllSpace())).find(np.array([True] * 3), np.array([False, False, True])).rows
    (0, 2)
    """

    def __init__(self, question: Question) -> None:
        self._question = question
        lower = np.full(question.n + 2, -np.inf)
        lower[question.n] = 0.0
        rows = np.hstack([question.weights, question.biases[:, None], np.ones((question.m, 1))])
        self._program = LinearProgram(rows, lower, np.full(question.n + 2, np.inf))

    def find(self, rows: np.ndarray, excluded: np.ndarray) -> Dependency | None:
        """A dependency among the rows of a boolean mask (m,), or None where there is none or floats did not find it."""
        optimum = self._program.maximise(np.where(rows, np.where(excluded, 0.0, 1.0), np.inf), self._question.deadline)
        support = [] if optimum is None else np.flatnonzero(rows & (optimum.multipliers > 0)).tolist()
        return dependency_on(self._question, support, (), np.ones(self._question.n, dtype=bool)) if support else None
