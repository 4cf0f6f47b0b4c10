"""Which rows, removed by the relu, force a small singular value on those it keeps (theory S4, the lemma of Behrmann and others).

Let B = D_I A be the rows that stay active, a_k a removed row, not 0 and in the row space of B. Then |B a_k|^2 / |a_k|^2, a Rayleigh
quotient of B^T B on its row space, is at least the square of B's smallest non-zero singular value. If |<a_j, a_k>| <= c |a_k| / sqrt(M) for
all of the M active rows, it is at most c^2: a removed row that hardly correlates with what is kept makes the inverse unstable. Floats
order the removed rows; the quotients, and whether a row is in the row space, are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.exact.linalg import PRIMES, exact_rank, rank_mod
from exactrelu.exact.rational import DyadicMatrix, format_rational, stack
from exactrelu.stability.answer import interval_texts, square_root

if TYPE_CHECKING:
    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Layer

# Beyond so many columns a row is taken to be in the row space only where this is all of R^n.
_LARGEST_MEMBERSHIP = 256


@dataclass(frozen=True)
class RemovedRow:
    """Row `row`: sigma_min^2 <= `quotient` = |B a|^2 / |a|^2 <= `correlation` = M max_j <a_j, a>^2 / |a|^2, the c^2 of the lemma."""

    row: int
    quotient: Fraction
    correlation: Fraction

    def record(self) -> dict[str, Any]:
        """One object of `removed` in the JSON result."""
        return {
            "row": self.row,
            "quotient": format_rational(self.quotient),
            "sigma_min_upper": interval_texts(square_root(self.quotient))[1],
            "lemma_upper": interval_texts(square_root(self.correlation))[1],
        }


def removed_rows(layer: Layer, x: RationalVector, *, most: int = 10, rank: int | None = None) -> tuple[RemovedRow, ...]:
    """The rows that a layer removes at x, an input of the layer, and that bound its smallest non-zero singular value best; `most` of them.

    layer: weights (m, n); rank: that of its active rows at x, where it is known. Rows outside of the row space of the active ones say
    nothing and are left out, as are rows of zeros.

    >>> from exactrelu import Layer, RationalVector
    >>> weight, bias = DyadicMatrix.from_floats([[4.0, 0], [1, 1], [0, -1]]), DyadicMatrix.from_floats(np.zeros((3, 1)))
    >>> removed_rows(Layer(weight, bias, np.ones(3, dtype=bool)), RationalVector((1, 1)))
    (RemovedRow(row=2, quotient=Fraction(1, 1), correlation=Fraction(2, 1)),)
    """
    weight, active = layer.weight, layer.active(x)
    removed = np.flatnonzero(~active & weight.nonzero_rows)
    kept = weight.rows(active)
    if rank is None:
        rank = exact_rank(kept).rank
    full = rank == weight.shape[1]
    if not (rank and len(removed)) or not (full or weight.shape[1] <= _LARGEST_MEMBERSHIP):
        return ()
    found: list[RemovedRow] = []
    for row in removed[np.argsort(_proposed(kept, weight.rows(removed)), kind="stable")].tolist():
        if len(found) == most:
            break
        if full or _is_within(kept, weight.rows(np.array([row])), rank):
            found.append(_exactly(kept, weight, row))
    return tuple(sorted(found, key=lambda one: one.quotient))


def _proposed(kept: DyadicMatrix, removed: DyadicMatrix) -> np.ndarray:
    """The quotients of the removed rows in floats; where these overflow, nan, which comes last."""
    with np.errstate(all="ignore"):
        units = removed.floats / np.abs(removed.floats).max(axis=1, keepdims=True)
        images = (kept.floats / np.abs(kept.floats).max()) @ units.T
        return np.asarray((images**2).sum(axis=0) / (units**2).sum(axis=1))


def _is_within(kept: DyadicMatrix, row: DyadicMatrix, rank: int) -> bool:
    """Whether the row is in the row space, of this rank, of those kept."""
    together = stack([kept, row])
    return rank_mod(together, PRIMES[0]) <= rank and exact_rank(together).rank == rank


def _exactly(kept: DyadicMatrix, weight: DyadicMatrix, row: int) -> RemovedRow:
    from flint import fmpz_mat

    values, _ = weight.integer_row(row)
    listed, exponent = kept.common
    a = fmpz_mat(len(values), 1, values)
    products = (fmpz_mat(*kept.shape, [value for line in listed for value in line]) * a).entries()
    # The row's own scale cancels, that of the rows kept is left.
    scale = Fraction(4) ** exponent / sum(value * value for value in values)
    squares = [int(value) ** 2 for value in products]
    return RemovedRow(row, sum(squares) * scale, len(squares) * max(squares) * scale)
