"""Signs that neurons of a stage cannot have between the sides of a box or an orthant, in floats: it proposes only.

Where all neurons before it have signs the values z of a stage are affine in the inputs, and bounded by what each side says of its own
coordinate. A neuron before it with a positive factor needs its sign for that; where the factor is negative h >= 0 and h >= z will do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import Box, Orthant
from exactrelu.preimage.cases.layer import Neuron, Question, RowName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# How far from 0 a value is, relative to its terms, that counts as not 0.
_MARGIN = 1e-9


class Ranges:
    """The ranges of a question's hidden neurons.

    >>> from exactrelu import Box, DyadicMatrix, Layer, RationalVector
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.5], [-3.0]]), np.array([True, True]))
    >>> ranges = Ranges(Question((layer, layer), Box(RationalVector((0,)), RationalVector((2,))), RationalVector((1, 1))))
    >>> for neuron, sign, names in ranges.impossible(1, {}):
    ...     print(neuron.row, sign, sorted(name.kind for name in names))
    1 True ['active', 'h', 'lower']
    0 False ['inactive', 'lower', 'z']
    """

    def __init__(self, question: Question) -> None:
        n, domain = question.stages[0].inputs, question.domain
        self._stages = [(stage.weight.floats, stage.bias.floats[:, 0], stage.rectified) for stage in question.stages[:-1]]
        self._lower, self._upper = np.full(n, -np.inf), np.full(n, np.inf)
        if isinstance(domain, Box):
            self._lower, self._upper = domain.lower.to_float(), domain.upper.to_float()
        elif isinstance(domain, Orthant):
            self._lower = np.zeros(n)

    def impossible(self, number: int, signs: Mapping[Neuron, bool]) -> list[tuple[Neuron, bool, frozenset[RowName]]]:
        """Signs that neurons of the stage `number` cannot have, each with the names of a contradiction, as `CaseProgram` gives them.

        signs: of the neurons before the stage; those without a sign are taken for inactive.
        """
        with np.errstate(all="ignore"):
            linear, constant, kept = np.identity(len(self._lower)), np.zeros(len(self._lower)), list[np.ndarray]()
            for before, (weight, bias, relu) in enumerate(self._stages[: number - 1], 1):
                kept.append(np.array([not on or signs.get(Neuron(before, i), False) for i, on in enumerate(relu.tolist())], dtype=bool))
                linear, constant = kept[-1][:, None] * (weight @ linear), kept[-1] * (weight @ constant + bias)
            weight, bias, relu = self._stages[number - 1]
            linear, constant = weight @ linear, weight @ constant + bias
            # An active neuron with z < 0, an inactive one with -z < 0.
            active = self._below_zero(number, linear, constant, kept, sign=True)
            return active + self._below_zero(number, -linear, -constant, kept, sign=False)

    def _below_zero(
        self, number: int, linear: np.ndarray, constant: np.ndarray, kept: Sequence[np.ndarray], *, sign: bool
    ) -> list[tuple[Neuron, bool, frozenset[RowName]]]:
        """The neurons whose values, affine in the inputs, are negative between the sides."""
        terms = np.where(linear > 0, linear * self._upper, np.where(linear < 0, linear * self._lower, 0.0))
        margin = _MARGIN * (np.abs(terms).sum(axis=1) + np.abs(constant))
        weight, _, relu = self._stages[number - 1]
        found = np.flatnonzero(relu & (terms.sum(axis=1) + constant < -margin))
        names = []
        for i in found.tolist():
            sides = [RowName("upper" if linear[i, j] > 0 else "lower", 0, j) for j in np.flatnonzero(linear[i]).tolist()]
            names.append([*sides, RowName("h" if sign else "z", number, i), RowName("active" if sign else "inactive", number, i)])
        # What the values of the neurons before are multiplied by, from one stage to the one before it.
        factors = weight[found] if sign else -weight[found]
        for before in range(number - 1, 0, -1):
            earlier, _, hidden = self._stages[before - 1]
            for listed, row in zip(names, factors, strict=True):
                for i in np.flatnonzero(hidden & (row != 0)).tolist():
                    active = bool(kept[before - 1][i])
                    kind = ("active" if active else "inactive") if row[i] > 0 else "z" if active else "h"
                    listed.append(RowName(kind, before, i))
            factors = (factors * kept[before - 1]) @ earlier
        return [(Neuron(number, i), sign, frozenset(listed)) for i, listed in zip(found.tolist(), names, strict=True)]
