"""Stages, one after the other, as the affine map that they are beside a point: which rows are active and how they change, exactly."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from exactrelu.exact.rational import odd_parts
from exactrelu.exact.sparse import SparseMatrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Layer

# A product below this, relative to the terms of its sum, is taken as zero: a proposal.
_NEGLIGIBLE = 1e-12
# Sizes of weights are cut off here and at the inverse: only whether a product is zero counts.
_LARGEST = 1e60


def sparse_stage(stage: Layer) -> SparseMatrix:
    """The weights of a stage, sparse."""
    return stage.stored if isinstance(stage.stored, SparseMatrix) else SparseMatrix.from_dense(stage.stored)


class Linearised:
    """Stages, one after the other, beside a point x: the values there, and how they change along integer directions.

    Along a direction on which the rows `kept` do not change, no row changes its sign and the output stays, for a while.

    >>> from exactrelu import DyadicMatrix, Layer, RationalVector
    >>> weight, bias = DyadicMatrix.from_floats([[1.0, 0.0], [0.5, 1.0]]), DyadicMatrix.from_floats([[-2.0], [0.0]])
    >>> beside = Linearised((Layer(weight, bias, np.array([True, True])),), RationalVector((1, 1)))
    >>> [mask.tolist() for mask in beside.kept], beside.changes({0: 2, 1: -1})
    ([[False, True]], [({0: 4, 1: 0}, -1)])
    """

    def __init__(self, stages: Sequence[Layer], x: RationalVector) -> None:
        self.stages = tuple(stages)
        self.x = x
        values = []
        for stage in self.stages:
            values.append(stage.pre_activation(x))
            x = stage(x)
        self.values = tuple(values)
        self.output = x

    def value(self, y: RationalVector) -> RationalVector:
        """The stages' output at another point."""
        for stage in self.stages:
            y = stage(y)
        return y

    @cached_property
    def signs(self) -> tuple[np.ndarray, ...]:
        """The signs (m,) of every stage's rows at x."""
        return tuple(np.array([(v > 0) - (v < 0) for v in z.numerators], dtype=np.int8).reshape(-1) for z in self.values)

    @cached_property
    def active(self) -> tuple[np.ndarray, ...]:
        """Masks (m,) of the rows of every stage whose changes reach the next one."""
        return tuple((sign > 0) | ~stage.rectified for sign, stage in zip(self.signs, self.stages, strict=True))

    @cached_property
    def kept(self) -> tuple[np.ndarray, ...]:
        """Masks (m,) of the rows that must not change: of the last stage those not negative or without a relu, before it those at zero."""
        at_zero = [(sign == 0) & stage.rectified for sign, stage in zip(self.signs, self.stages, strict=True)]
        return (*at_zero[:-1], at_zero[-1] | self.active[-1])

    @cached_property
    def pattern(self) -> csr_array:
        """Which inputs each kept row depends on, row by row, in floats: a proposal."""
        reached: csr_array | None = None
        size: csr_array | None = None
        rows = []
        for stage, active, kept in zip(self.stages, self.active, self.kept, strict=True):
            matrix = sparse_stage(stage)
            floats = np.clip(matrix.floats, -_LARGEST, _LARGEST)
            own = csr_array(
                (np.where(np.abs(floats) < 1 / _LARGEST, 1 / _LARGEST, floats), matrix.columns, matrix.starts), shape=matrix.shape
            )
            # Sums may cancel; what is left of rounding is small beside the sum of the terms' sizes.
            reached, size = (own, abs(own)) if reached is None else (own @ reached, abs(own) @ size)
            chosen = abs(reached[kept]) - size[kept] * _NEGLIGIBLE
            chosen.data = (chosen.data > 0).astype(np.float64)
            chosen.eliminate_zeros()
            rows.append(chosen)
            mask = csr_array((active.astype(np.float64), (np.arange(len(active)), np.arange(len(active)))), shape=(len(active),) * 2)
            reached, size = mask @ reached, mask @ size
        return csr_array(vstack(rows, format="csr"))

    @cached_property
    def _columns(self) -> tuple[_Columns, ...]:
        return tuple(_Columns(sparse_stage(stage)) for stage in self.stages)

    def changes(self, direction: Mapping[int, int]) -> list[tuple[dict[int, int], int]]:
        """Of every stage the changes of its rows along a direction, exactly: {row: integer} and e, the changes being integers * 2^e."""
        result = []
        moving, exponent = dict(direction), 0
        for columns, active in zip(self._columns, self.active, strict=True):
            changed = columns.times(moving)
            exponent += columns.exponent
            result.append((changed, exponent))
            moving = {row: value for row, value in changed.items() if value and active[row]}
        return result

    def longest_step(self, changes: Sequence[tuple[dict[int, int], int]], sign: int) -> Fraction | None:
        """How far x may move along sign * direction before a row changes its sign; None without an end."""
        limits: list[Fraction] = []
        for (changed, exponent), z, stage in zip(changes, self.values, self.stages, strict=True):
            scale = Fraction(2) ** exponent * z.denominator
            for row, slope in changed.items():
                value = z.numerators[row]
                if stage.rectified[row] and value * slope * sign < 0:
                    limits.append(abs(Fraction(value, slope)) / scale)
        return min(limits, default=None)


class _Columns:
    """The columns of a sparse matrix as integers over one power of two."""

    def __init__(self, matrix: SparseMatrix) -> None:
        order = csc_array(
            csr_array((np.arange(1, matrix.entries + 1), matrix.columns, matrix.starts), shape=matrix.shape),
        )
        self._starts, self._rows, self._entries = order.indptr, order.indices, order.data - 1
        self._integers = matrix.integers
        self.exponent = matrix.exponent if matrix.integers is not None else matrix.lowest_exponent
        if matrix.integers is None:
            self._odd, self._exponents = odd_parts(matrix.floats)

    def times(self, vector: Mapping[int, int]) -> dict[int, int]:
        """The product with a vector, {row: integer}, times 2^-exponent."""
        result: dict[int, int] = {}
        for column, factor in vector.items():
            part = slice(self._starts[column], self._starts[column + 1])
            for row, value in zip(self._rows[part].tolist(), self._values(self._entries[part]), strict=True):
                result[row] = result.get(row, 0) + factor * value
        return result

    def _values(self, entries: np.ndarray) -> list[int]:
        if self._integers is not None:
            return list(self._integers[entries].tolist())
        shifts = (self._exponents[entries] - self.exponent).tolist()
        return [odd << shift for odd, shift in zip(self._odd[entries].tolist(), shifts, strict=True)]
