"""How much a layer shortens distances at most: |x - y| <= L |f(x) - f(y)| on the domain, L = 2 / sqrt(q) (theory I6).

q bounds |W_A r|^2 / |r|^2 from below for the rows A that are not negative at the midpoint of x and y: the square of the n-th singular
value, which is 0 where the rank is lower. For few columns `expansion_tree.py` settles which rows these can be; for many, the rows that
are in A at every midpoint have to do, and one bound in floats with proved rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates import DomainLines
from exactrelu.certificates.injectivity import Expansion, ExpansionCertificate
from exactrelu.exact.rounding import UPWARDS, float_arithmetic_is_sound, gamma, in_safe_range, smallest_eigenvalue_lower_bound
from exactrelu.injectivity.certain import certain_dependencies
from exactrelu.injectivity.margins.expansion_tree import ExpansionSearch, shortened
from exactrelu.injectivity.question import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.certificates.injectivity import Dependency, Proof
    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer

# Beyond so many free columns the proof is one bound in floats, without cases and without a certificate.
_MOST_COLUMNS = 64
# How far below the float that is proposed a bound in floats is sought.
_MARGIN = 1e-6


@dataclass(frozen=True, eq=False)
class InverseLipschitz:
    """A proved bound: |f(x) - f(y)| >= 1/2 sqrt(least) |x - y| on the domain; how: the argument, in words.

    evidence: of a certificate, None where the bound was proved in floats; sharp: whether a point shows that these rows alone give no more.
    """

    least: Fraction
    how: str
    evidence: Expansion | None = None
    sharp: bool = False

    @property
    def upper(self) -> str:
        """L = 2 / sqrt(least), rounded up to four digits.

        >>> InverseLipschitz(Fraction(1, 2), "").upper, InverseLipschitz(Fraction(4), "").upper
        ('2.829', '1')
        """
        many = Context(prec=50, rounding=ROUND_CEILING)
        square = many.divide(4 * Decimal(self.least.denominator), Decimal(self.least.numerator))
        root = many.sqrt(square)
        if root * root < square:
            root = many.next_plus(root)
        short = Context(prec=4, rounding=ROUND_CEILING).plus(root).normalize()
        return format(short, "f") if abs(short.adjusted()) < 12 else str(short)

    def certificate(self, *, network_sha256: str, layer_number: int, domain: Domain) -> str | None:
        """The text of the certificate, None without evidence."""
        if self.evidence is None:
            return None
        lines = DomainLines(domain.lines())
        return ExpansionCertificate(network_sha256, layer_number, self.least, self.evidence, domain=lines).text()


def inverse_lipschitz(
    layer: Layer, domain: Domain, *, evidence: Proof | None = None, deadline: float | None = None
) -> InverseLipschitz | None:
    """A proved L with |x - y| <= L |f(x) - f(y)| on the domain; None where none was found in time, or there is none.

    layer: weights (m, n), injective on the domain; evidence: the proof of that, whose dependencies are used again; deadline: a time of
    `time.monotonic()`. None too for a domain of one point, which has no distances, and where A needs the sides of a polytope that lies in a
    hyperplane. Theory I6.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer
    >>> weight, bias = DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]])
    >>> found = inverse_lipschitz(Layer(weight, bias, np.array([True, True])), AllSpace())
    >>> found.upper, found.sharp
    ('2', True)
    """
    question = Question(layer, domain, deadline=deadline)
    free = np.setdiff1d(np.arange(question.n), question.fixed)
    if not len(free):
        return None
    certain = _disjoint(certain_dependencies(question))
    if len(free) > _MOST_COLUMNS:
        return _in_floats(question, free, certain)
    found = ExpansionSearch(question, free, certain, evidence).run()
    if found is None:
        return None
    return InverseLipschitz(found.least, "all sets of rows that can be active at a midpoint", found.evidence, found.sharp)


def _disjoint(dependencies: Sequence[Dependency]) -> list[Dependency]:
    """Those that have no row in common with one before: a row may count once only."""
    used: set[int] = set()
    kept = []
    for one in dependencies:
        if not used & set(one.rows):
            used |= set(one.rows)
            kept.append(one)
    return kept


def _in_floats(question: Question, free: np.ndarray, certain: Sequence[Dependency]) -> InverseLipschitz | None:
    """From the rows that are in A at every midpoint alone: theory S1 in floats."""
    weight = question.layer.weight
    if not weight.is_float64 or not float_arithmetic_is_sound():
        return None
    # Rows of one dependency are parallel: their largest entries stand in one column and order them by length, which no rounding blurs.
    largest_entries = np.abs(weight.floats[:, free]).max(axis=1)
    shortest = [min(one.rows, key=lambda j: float(largest_entries[j])) for one in certain]
    rows = weight.floats[np.array([*question.unrectified.tolist(), *shortest], dtype=np.int64)][:, free]
    largest = float(np.abs(rows).max(initial=0.0))
    if len(rows) < len(free) or not largest:
        return None
    exponent = -math.frexp(largest)[1]
    scaled = np.ldexp(rows, exponent)
    # What became 0 was not scaled exactly; all that is in the safe range was.
    if not in_safe_range(scaled) or np.count_nonzero(scaled) < np.count_nonzero(rows):
        return None
    gram = scaled.T @ scaled
    gram = (gram + gram.T) * 0.5
    error = gamma(len(rows) + 2) * float(np.einsum("ij,ij->", scaled, scaled)) * UPWARDS * UPWARDS
    shift = float(np.linalg.eigvalsh(gram)[0]) * (1 - _MARGIN)
    bound = smallest_eigenvalue_lower_bound(gram, error, shift) if shift > 0 else 0.0
    if bound <= 0:
        return None
    least = Fraction(bound * (1 - 2.0**-30)) / Fraction(4) ** exponent
    return InverseLipschitz(shortened(least), "rows that are in A at every midpoint, in floats with proved bounds")
