"""Dependencies on R^n that say much about a case: as little weight as possible on rows that are not excluded.

The fewer rows a dependency has outside I, the fewer children it leaves (theory I8). The linear program is: minimise the sum of
lambda_j over the rows not excluded, subject to lambda >= 0, sum lambda_j = 1, sum lambda_j a_j = 0, sum lambda_j b_j >= 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.injectivity.cases.oracle import dependency_on
from exactrelu.injectivity.solver import CheapestCombination

if TYPE_CHECKING:
    from exactrelu.certificates.injectivity import Dependency
    from exactrelu.injectivity.question import Question

# The cost of a row that must not be used, far above that of the others.
_FORBIDDEN = 1000.0


class ShortDependencies:
    """Proposed by floats, tested in integers.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer
    >>> from exactrelu.injectivity.question import Question
    >>> rows = DyadicMatrix.from_floats([[1.0], [-1.0], [-2.0]])
    >>> layer = Layer(rows, DyadicMatrix.from_floats([[0.0]] * 3), np.array([True] * 3))
    >>> ShortDependencies(Question(layer, AllSpace())).find(np.array([True] * 3), np.array([False, False, True])).rows
    (0, 2)
    """

    def __init__(self, question: Question) -> None:
        self._question = question
        self._program = CheapestCombination(question.weights, question.biases)

    def find(self, rows: np.ndarray, excluded: np.ndarray, costs: np.ndarray | float = 1.0) -> Dependency | None:
        """A dependency among the rows of a boolean mask (m,), or None where there is none or floats did not find it.

        costs: what each row costs (m,), small numbers; a row that is excluded costs nothing.
        """
        found = self._program.minimise(np.where(rows, np.where(excluded, 0.0, costs), _FORBIDDEN), self._question.deadline)
        if found is None or found[~rows].any():
            return None
        support, free = np.flatnonzero(found).tolist(), np.ones(self._question.n + 1, dtype=bool)
        # The biases add up to something positive, or else to 0 like the coordinates.
        return dependency_on(self._question, support, (), free[:-1]) or dependency_on(self._question, support, (), free)
