"""The linear part of a network on the region of a point: A_P = A^L D_{L-1} .. D_1 A^1, each D keeping the active rows (theory S3).

It is never multiplied out exactly at size. Floats with a proved error carry the product, residues modulo a prime give its rank; the exact
matrix is made for small networks only, where all else fails. Rows that no relu follows are always active; at z = 0 a row is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import fmpz_mat, nmod_mat

from exactrelu.exact.enclosed import UNDERFLOW, EnclosedMatrix, Factor, frobenius
from exactrelu.exact.linalg import exact_rank
from exactrelu.exact.modular import PRIMES, residues
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.rounding import UPWARDS
from exactrelu.exact.sparse import SparseMatrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.network.model import Layer

# Sums of 2^11 products of centred residues below 2^20 stay below 2^53.
_RESIDUE_BLOCK = 2**11
# Above so many entries of a product, or terms of all products, it is not multiplied out in integers.
_MOST_ENTRIES, _MOST_WORK = 2**18, 2**28


class Step:
    """A lowered layer with what all points share: its matrix in floats with an error, and modulo a prime.

    >>> from exactrelu import Layer
    >>> weight, bias = DyadicMatrix.from_floats([[1.0, 2.0], [0.0, 0.0]]), DyadicMatrix.from_floats([[0.0], [0.0]])
    >>> Step(Layer(weight, bias, np.array([True, True]))).nonzero_rows.tolist()
    [True, False]
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    @cached_property
    def factor(self) -> Factor:
        return Factor.of(self.layer.stored)

    @cached_property
    def nonzero_rows(self) -> np.ndarray:
        return self.layer.nonzero_rows

    @cached_property
    def residues(self) -> Any:
        """The matrix modulo a prime, centred: float64, sparse where the layer is."""
        stored = self.layer.stored
        if isinstance(stored, DyadicMatrix):
            return residues(SparseMatrix.from_dense(stored), PRIMES[0]).toarray()
        return residues(stored, PRIMES[0])

    @cached_property
    def transposed(self) -> SparseMatrix:
        stored = self.layer.stored
        return (SparseMatrix.from_dense(stored) if isinstance(stored, DyadicMatrix) else stored).transposed()

    def integers(self, rows: np.ndarray, columns: np.ndarray | None) -> tuple[fmpz_mat, int]:
        """The chosen part of the matrix as integers over one power of two."""
        stored = self.layer.stored
        part = stored.rows(rows) if isinstance(stored, DyadicMatrix) else stored.rows(np.flatnonzero(rows)).dense()
        part = part if columns is None else part.columns(columns)
        listed, exponent = part.common
        return fmpz_mat(*part.shape, [value for row in listed for value in row]), exponent


@dataclass(frozen=True, eq=False)
class Linearisation:
    """The first `outputs` rows of the matrix of steps with masks of active rows; `matrix` holds those that are active in the last step.

    `masks` holds a boolean mask a step, the last one false beyond `outputs`. (m, n), the shape of the whole, counts rows of zeros too.

    >>> from exactrelu import Layer, RationalVector
    >>> weight, bias = DyadicMatrix.from_floats([[1.0, 0.0], [0.0, 1.0]]), DyadicMatrix.from_floats([[0.0], [-2.0]])
    >>> step = Step(Layer(weight, bias, np.array([True, True])))
    >>> found = list(linearisations((step,), RationalVector((1, 1))))[0].after
    >>> found.matrix.shape, found.shape, found.rank(0)
    ((1, 2), (2, 2), (1, 1))
    """

    steps: tuple[Step, ...]
    masks: tuple[np.ndarray, ...]
    matrix: EnclosedMatrix
    outputs: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.outputs, self.steps[0].layer.inputs

    @property
    def active(self) -> int:
        """How many of the outputs are active."""
        return int(self.masks[-1].sum())

    def first(self, outputs: int) -> Linearisation:
        """The first rows alone: a layer's own, where others are carried beside them."""
        if outputs == self.outputs:
            return self
        mask = self.masks[-1] & (np.arange(len(self.masks[-1])) < outputs)
        return Linearisation(self.steps, (*self.masks[:-1], mask), self.matrix.rows(np.arange(int(mask.sum()))), outputs)

    def rank(self, at_least: int) -> tuple[int, int]:
        """The exact rank, as (rank, rank); where a large matrix leaves it open, the best bounds of it.

        at_least: what is known from elsewhere. From below residues modulo a prime bound the rank, from above the number of active rows
        of any step, and for small products the exact matrix decides (theory C7).
        """
        least, most = at_least, structural_bound(self.steps, self.masks)
        if least < most:
            least = max(least, self._rank_modulo())
        if least < most and self.is_small:
            least = most = exact_rank(self.exact).rank
        return least, most

    def _rank_modulo(self) -> int:
        product, columns = None, None
        for step, mask in zip(self.steps, self.masks, strict=True):
            part = step.residues[mask] if columns is None else step.residues[mask][:, columns]
            product = part if product is None else _modular_product(part, product)
            columns = mask
        dense = product if isinstance(product, np.ndarray) else product.toarray()  # type: ignore[union-attr]
        m, n = dense.shape
        return int(nmod_mat(m, n, (dense.astype(np.int64) % PRIMES[0]).ravel().tolist(), PRIMES[0]).rank())

    @property
    def is_small(self) -> bool:
        """Whether the exact matrix is made where it is needed."""
        widths = [self.shape[1], *(int(mask.sum()) for mask in self.masks)]
        work = sum(m * k for m, k in zip(widths[1:], widths, strict=False)) * widths[0]
        return max(widths[-1], 1) * widths[0] <= _MOST_ENTRIES and work <= _MOST_WORK

    @cached_property
    def exact(self) -> DyadicMatrix:
        """The active rows, exactly."""
        product, exponent = self.steps[0].integers(self.masks[0], None)
        for step, columns, rows in zip(self.steps[1:], self.masks, self.masks[1:], strict=False):
            left, own = step.integers(rows, columns)
            product, exponent = left * product, exponent + own
        return DyadicMatrix.from_integers(([int(value) for value in row] for row in product.tolist()), self.shape[1], exponent)


@dataclass(frozen=True, eq=False)
class Depth:
    """The linearisation at one depth after the last relu and, where that was asked for, before it, with all of its rows.

    pre_activation: what stands before the relu, exactly. gradient_norms: upper bounds of the norms of all rows, active or not, divided
    by the scale of the matrix of `after`.
    """

    after: Linearisation
    before: Linearisation | None
    pre_activation: RationalVector
    gradient_norms: np.ndarray

    def exact_row(self, index: int) -> tuple[list[int], int]:
        """Row `index` of the last step times what comes before it, active or not: integers over one power of two."""
        row: list[int] = (np.arange(len(self.after.masks[-1])) == index).astype(int).tolist()
        exponent = 0
        for step, mask in zip(self.after.steps[::-1], (None, *self.after.masks[-2::-1]), strict=True):
            kept = row if mask is None else [value if on else 0 for value, on in zip(row, mask.tolist(), strict=True)]
            row, own = step.transposed.times(kept)
            exponent += own
        return row, exponent


def structural_bound(steps: Sequence[Step], masks: Sequence[np.ndarray]) -> int:
    """No product has a larger rank than the number of non-zero rows, or columns, of any of its factors."""
    first = steps[0].layer.stored
    columns = int(first.nonzero_columns.sum()) if isinstance(first, DyadicMatrix) else len(first.used_columns)
    return min(columns, *(int((mask & step.nonzero_rows).sum()) for mask, step in zip(masks, steps, strict=True)))


def linearisations(steps: tuple[Step, ...], x: RationalVector, *, before: bool = False) -> Iterator[Depth]:
    """The linearisation at x through each step in its turn; what one has multiplied the next goes on with.

    A matrix is let go once the next one is there, that before a relu at once, unless it is asked for.
    """
    masks: tuple[np.ndarray, ...] = ()
    matrix: EnclosedMatrix | None = None
    for count, (step, (z, active)) in enumerate(zip(steps, activations(steps, x), strict=True), 1):
        whole = step.factor.enclosed() if matrix is None else step.factor.times(matrix, masks[-1])
        norms = _gradient_norms(step, matrix, whole)
        everything = Linearisation(steps[:count], (*masks, np.ones_like(active)), whole, len(active)) if before else None
        masks, matrix = (*masks, active), whole.rows(active)
        del whole
        yield Depth(Linearisation(steps[:count], masks, matrix, len(active)), everything, z, norms)
        del everything


def _gradient_norms(step: Step, earlier: EnclosedMatrix | None, product: EnclosedMatrix) -> np.ndarray:
    """Upper bounds of the norms of a product's rows, divided by its scale: of its rows, or of a factor's row times the rest.

    The latter is the smaller one for a row of W that is smaller than the error of the product.
    """
    norms, factor = product.row_norms(), step.factor
    if earlier is None:
        return norms
    size = (frobenius(earlier.floats) + earlier.error) * UPWARDS
    with np.errstate(over="ignore"):
        others = np.ldexp(factor.row_norms * size, factor.exponent + earlier.exponent - product.exponent)
    return np.asarray(np.minimum(norms, others * UPWARDS + UNDERFLOW))


def activations(steps: tuple[Step, ...], x: RationalVector) -> Iterator[tuple[RationalVector, np.ndarray]]:
    """For every step at x what stands before its relu, exactly, and the mask of active rows."""
    for step in steps:
        z = step.layer.pre_activation(x)
        active = np.array([value > 0 for value in z.numerators], dtype=bool) | ~step.layer.rectified
        yield z, active
        kept = (value if on else 0 for value, on in zip(z.numerators, active.tolist(), strict=True))
        x = RationalVector(tuple(kept), z.denominator)


def _modular_product(left: Any, right: np.ndarray) -> np.ndarray:
    """The product of centred residues (m, k) and (k, n), centred again."""
    right = right if isinstance(right, np.ndarray) else right.toarray()
    total = np.zeros((left.shape[0], right.shape[1]))
    for begin in range(0, left.shape[1], _RESIDUE_BLOCK):
        total += _centred(left[:, begin : begin + _RESIDUE_BLOCK] @ right[begin : begin + _RESIDUE_BLOCK])
    return _centred(total)


def _centred(values: np.ndarray) -> np.ndarray:
    """Integers below 2^53 modulo the prime, at most half of it in size."""
    integers = np.asarray(values).astype(np.int64)
    integers -= PRIMES[0] * np.floor_divide(integers + PRIMES[0] // 2, PRIMES[0])
    return integers.astype(np.float64)
