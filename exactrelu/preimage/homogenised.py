"""Is an output in the range of a layer on a domain? The homogenised cone, and a contradiction where it is not (theory C1).

{x : A_P x + b_P = y_P, A_Z x + b_Z <= 0, x in K} is the slice t = 1 of a cone in (x, t), t >= 0. If the cone is {0}, or
t = 0 on all of it, the set is empty, and multipliers of its rows are a contradiction (Farkas).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.certificates import Farkas, TrivialByMargin
from exactrelu.domain import Box, Domain, Orthant, Polytope
from exactrelu.exact.cone import Decision, StrictRayFound, Tie, TrivialCone, decide
from exactrelu.exact.rational import DyadicMatrix, RationalVector, stack
from exactrelu.exact.search import Multipliers
from exactrelu.exact.system import ConeSystem, RowSet

if TYPE_CHECKING:
    from exactrelu.network.model import Layer

_FARKAS_BITS = 40


@dataclass(frozen=True, eq=False)
class Homogenised:
    """The homogenised system of an output, with what its rows stand for.

    factors: row k of the system is factors[k] > 0 times the row of the format; origins: for row k the layer's row i, or
    m + i for the polytope's row i, or -1 for a bound of the box.
    """

    layer: Layer
    domain: Domain
    output: RationalVector
    system: ConeSystem
    factors: tuple[int, ...]
    origins: tuple[int, ...]

    @staticmethod
    def of(layer: Layer, domain: Domain, y: RationalVector, equality: np.ndarray) -> Homogenised:
        """Build the system for y, whose positive (and unrectified) rows are `equality`."""
        m, n = layer.weight.shape
        parts, factors, origins, equalities = [], [], [], []
        own, own_factors = _layer_rows(layer, y, equality)
        parts.append(own)
        factors += own_factors
        origins += list(range(m))
        equalities += equality.tolist()
        lower = np.zeros(n + 1, dtype=bool)
        lower[n] = True
        if isinstance(domain, Orthant):
            lower[:n] = True
        elif isinstance(domain, Box):
            parts.append(_box_rows(domain))
            factors += [domain.lower.denominator, domain.upper.denominator] * n
            origins += [-1] * (2 * n)
            equalities += [False] * (2 * n)
        elif isinstance(domain, Polytope):
            parts.append(DyadicMatrix.from_integers([(*row, b) for row, b in zip(domain.rows, domain.offsets, strict=True)], n + 1))
            factors += [1] * len(domain.rows)
            origins += list(range(m, m + len(domain.rows)))
            equalities += [False] * len(domain.rows)
        matrix = stack(parts)
        kept = matrix.nonzero_rows
        system = ConeSystem(RowSet(matrix.rows(kept)), np.array(equalities, dtype=bool)[kept], lower, np.zeros(n + 1, dtype=bool))
        chosen = np.flatnonzero(kept).tolist()
        return Homogenised(layer, domain, y, system, tuple(factors[k] for k in chosen), tuple(origins[k] for k in chosen))

    def decide(self, *, deadline: float | None = None) -> Decision:
        return decide(self.system, deadline=deadline)

    def point(self, decision: Decision) -> RationalVector | None:
        """An exact point of the set, or None where the decision shows that there is none (or its rationals were not found)."""
        direction: tuple[int, ...] | None = None
        if isinstance(decision, StrictRayFound):
            direction = decision.exact_direction()
        elif isinstance(decision, Tie) and self.system.row_count - 1 not in decision.split.implicit:
            direction = decision.split.direction
        if direction is None:
            return None
        return RationalVector(direction[:-1], direction[-1])

    def contradiction(self, decision: TrivialCone | Tie, *, rational: bool = False) -> Farkas | TrivialByMargin | None:
        """The evidence that the set is empty."""
        if isinstance(decision, Tie):
            return self._farkas(decision.split.multipliers or ())
        if not rational and isinstance(decision.proposal, Multipliers) and not isinstance(self.domain, Polytope):
            found = self._rounded_farkas(decision.proposal.values)
            if found is not None:
                return found
        evidence = decision.evidence(rational=rational)
        if evidence is None:
            return None
        if isinstance(evidence, TrivialByMargin):
            real = tuple(w * factor for w, factor in zip(evidence.multipliers, self.factors, strict=True))
            return replace(evidence, multipliers=real, word="empty margin")
        return self._farkas(evidence.multipliers)

    def _farkas(self, multipliers: tuple[int, ...]) -> Farkas:
        """Multipliers of the layer's and the polytope's rows; the checker finds those of a box by itself."""
        sides = len(self.domain.rows) if isinstance(self.domain, Polytope) else 0
        result = [0] * (self.layer.outputs + sides)
        for weight, factor, origin in zip(multipliers, self.factors, self.origins, strict=True):
            if origin >= 0:
                result[origin] = weight * factor
        return Farkas(tuple(result))

    def _rounded_farkas(self, multipliers: np.ndarray) -> Farkas | None:
        """Round float multipliers and test the contradiction exactly; on a box or an orthant rounding is forgiven."""
        with np.errstate(over="ignore", invalid="ignore"):
            real = np.ldexp(multipliers, -self.system.rows.exponents)
            largest = float(np.abs(real).max(initial=0.0))
            rounded = np.rint(np.ldexp(real / largest, _FARKAS_BITS)) if 0 < largest < np.inf else None
        if rounded is None:
            return None
        found = self._farkas(tuple(int(value) for value in rounded.tolist()))
        return found if self._contradicts(found.multipliers) else None

    def _contradicts(self, multipliers: tuple[int, ...]) -> bool:
        """Whether the infimum of sum w_i (a_i x + b_i - y_i) over the domain is positive, exactly; no polytopes."""
        rectified_zero = self.layer.rectified & np.array([value == 0 for value in self.output.numerators], dtype=bool)
        if any(w < 0 for w, inequality in zip(multipliers, rectified_zero.tolist(), strict=True) if inequality):
            return False
        integers, exponent = self.layer.augmented
        combined = [int(value) for value in (fmpz_mat(1, len(multipliers), list(multipliers)) * integers).entries()]
        scale = Fraction(2) ** exponent
        against = sum(w * value for w, value in zip(multipliers, self.output.numerators, strict=True))
        constant = combined[-1] * scale - Fraction(against, self.output.denominator)
        sigma = combined[:-1]
        if isinstance(self.domain, Box):
            bounds = zip(sigma, self.domain.lower.numerators, self.domain.upper.numerators, strict=True)
            low, high = self.domain.lower.denominator, self.domain.upper.denominator
            least = sum(s * lo * high if s > 0 else s * hi * low for s, lo, hi in bounds)
            return constant + Fraction(least, low * high) * scale > 0
        if isinstance(self.domain, Orthant):
            return constant > 0 and min(sigma, default=0) >= 0
        return constant > 0 and not any(sigma)


def _layer_rows(layer: Layer, y: RationalVector, equality: np.ndarray) -> tuple[DyadicMatrix, list[int]]:
    """[a_i | b_i - y_i] on equalities and [a_i | b_i] elsewhere, rows cleared of y's odd denominator; and the factors."""
    m, n = layer.weight.shape
    odd = y.denominator // (y.denominator & -y.denominator)
    power = (y.denominator // odd).bit_length() - 1
    plain = not any(value and used for value, used in zip(y.numerators, equality.tolist(), strict=True))
    if plain:
        return _beside(layer.weight, layer.bias), [1] * m
    (biases, low) = layer.bias.common
    lowest = min(low, -power)
    constants = []
    for i, (bias,) in enumerate(biases):
        value = bias << (low - lowest)
        constants.append([value * odd - (y.numerators[i] << (-power - lowest)) if equality[i] else value * odd])
    column = DyadicMatrix.from_integers(constants, 1, lowest)
    if odd == 1:
        return _beside(layer.weight, column), [1] * m
    rows, exponent = layer.weight.common
    scaled = DyadicMatrix.from_integers([[value * odd for value in row] for row in rows], n, exponent)
    return _beside(scaled, column), [odd] * m


def _beside(left: DyadicMatrix, right: DyadicMatrix) -> DyadicMatrix:
    floats = np.hstack([left.floats, right.floats])
    if left.is_float64 and right.is_float64:
        return DyadicMatrix(floats)
    (rows, low), (columns, high) = left.common, right.common
    lowest = min(low, high)
    joined = tuple(
        (*(value << (low - lowest) for value in row), *(value << (high - lowest) for value in column))
        for row, column in zip(rows, columns, strict=True)
    )
    return DyadicMatrix(floats, joined, lowest)


def _box_rows(domain: Box) -> DyadicMatrix:
    """[-e_j | lo_j] and [e_j | -hi_j] for every j, each cleared of its denominator."""
    n = len(domain.lower)
    rows = []
    for j in range(n):
        low, high = [0] * (n + 1), [0] * (n + 1)
        low[j], low[n] = -domain.lower.denominator, domain.lower.numerators[j]
        high[j], high[n] = domain.upper.denominator, -domain.upper.numerators[j]
        rows += [low, high]
    return DyadicMatrix.from_integers(rows, n + 1)
