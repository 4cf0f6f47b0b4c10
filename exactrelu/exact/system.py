"""The polyhedral cone that every question here comes down to: C = {d : A_P d = 0, A_Z d <= 0, signs of some d_j}.

`RowSet` holds rows and whatever depends on them alone, so that the inputs of one layer share it. `ConeSystem` says which
rows are equalities and which coordinates have a side. The numbering of rows is that of proofs/FORMAT.md section 3.3:
general rows first, then sides in the order of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.kernel import Kernel
from exactrelu.exact.rational import DyadicMatrix, nonzero_entries, stack
from exactrelu.exact.rounding import (
    UNIT_ROUNDOFF,
    UPWARDS,
    gamma,
    in_safe_range,
    smallest_eigenvalue_lower_bound,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, eq=False)
class RowSet:
    """The general rows of a system, none of them zero, with cached float images."""

    matrix: DyadicMatrix

    @cached_property
    def exponents(self) -> np.ndarray:
        """For each row the power of two that brings its largest entry into [1/2, 1)."""
        largest = np.abs(self.matrix.floats).max(axis=1, initial=0.0)
        return np.frexp(np.where(np.isfinite(largest) & (largest > 0), largest, 1.0))[1].astype(np.int64)

    @cached_property
    def scaled(self) -> np.ndarray:
        """The rows times 2^-exponents in float64; exact if `safe`."""
        with np.errstate(over="ignore", under="ignore"):
            result = np.ldexp(self.matrix.floats, -self.exponents[:, None])
        return np.asarray(result if np.isfinite(result).all() else np.where(np.isfinite(result), result, 0.0))

    @cached_property
    def safe(self) -> bool:
        """Whether `scaled` is exact and of a range in which the rounding bounds hold."""
        kept = np.array_equal(self.scaled != 0, nonzero_entries(self.matrix.floats))  # nothing underflowed
        return self.matrix.is_float64 and kept and in_safe_range(self.scaled)

    @cached_property
    def norms(self) -> np.ndarray:
        """Upper bounds of the scaled rows' Euclidean norms."""
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", self.scaled, self.scaled)) * UPWARDS)

    @cached_property
    def column_norms(self) -> np.ndarray:
        """Upper bounds of the scaled columns' Euclidean norms."""
        return np.asarray(np.sqrt(np.einsum("ij,ij->j", self.scaled, self.scaled)) * UPWARDS)

    @cached_property
    def gram_bound(self) -> float:
        """A proved lower bound of lambda_min(A^T A), A the scaled rows; 0.0 where none was found."""
        return gram_lower_bound(self.scaled)

    @cached_property
    def single_transposed(self) -> np.ndarray:
        """The scaled rows, transposed, in single precision, for the search."""
        return np.ascontiguousarray(self.scaled.T, dtype=np.float32)

    @cached_property
    def double_transposed(self) -> np.ndarray:
        return np.ascontiguousarray(self.scaled.T)


def gram_lower_bound(matrix: np.ndarray) -> float:
    """A proved lower bound of lambda_min(M^T M) for a float64 matrix in the safe range; infinite without columns."""
    rows, columns = matrix.shape
    if columns == 0:
        return np.inf
    if rows < columns:
        return 0.0
    gram = matrix.T @ matrix
    gram = (gram + gram.T) * 0.5
    # |fl(M^T M) - M^T M| <= gamma_rows |M|^T |M| entrywise, and || |M|^T |M| ||_2 <= ||M||_F^2; one more rounding for the mean.
    squared = float(np.einsum("ij,ij->", matrix, matrix)) * UPWARDS
    error = (gamma(rows) + 2 * UNIT_ROUNDOFF) * squared * UPWARDS
    smallest = float(np.linalg.eigvalsh(gram)[0]) if columns <= 64 else None
    guesses = [smallest * 0.9] if smallest is not None else [float(np.trace(gram)) / columns * size for size in (1e-3, 1e-6, 1e-9)]
    for guess in guesses:
        bound = smallest_eigenvalue_lower_bound(gram, error, guess) if guess > 0 else 0.0
        if bound > 0:
            return bound
    return 0.0


@dataclass(frozen=True, eq=False)
class ConeSystem:
    """C = {d : r.d = 0 (equality), r.d <= 0 (other rows), d_j >= 0 (lower), d_j <= 0 (upper)} in R^n.

    rows: (r, n), none zero; equality: bool (r,); lower, upper: bool (n,).
    """

    rows: RowSet
    equality: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @property
    def dimension(self) -> int:
        return self.rows.matrix.shape[1]

    @property
    def general_count(self) -> int:
        return self.rows.matrix.shape[0]

    @property
    def scaled(self) -> np.ndarray:
        return self.rows.scaled

    @cached_property
    def has_side(self) -> np.ndarray:
        return np.asarray(self.lower | self.upper)

    @cached_property
    def fixed(self) -> np.ndarray:
        """Columns with both sides: d_j = 0."""
        return np.asarray(self.lower & self.upper)

    @cached_property
    def side_columns(self) -> np.ndarray:
        """The column of each side, in the order of the format: by column, lower before upper."""
        return np.repeat(np.arange(self.dimension), self.lower.astype(np.int64) + self.upper.astype(np.int64))

    @cached_property
    def side_signs(self) -> np.ndarray:
        """-1 for lower (-d_j <= 0), +1 for upper (d_j <= 0), in the order of `side_columns`."""
        signs = []
        for low, high in zip(self.lower.tolist(), self.upper.tolist(), strict=True):
            signs.extend([-1.0] * low + [1.0] * high)
        return np.array(signs)

    @property
    def row_count(self) -> int:
        return self.general_count + len(self.side_columns)

    @cached_property
    def inequality(self) -> np.ndarray:
        """Boolean mask over all rows: the inequalities, sides included."""
        return np.concatenate([~self.equality, np.ones(len(self.side_columns), dtype=bool)])

    @cached_property
    def equality_rows(self) -> np.ndarray:
        return np.flatnonzero(self.equality)

    @cached_property
    def equality_matrix(self) -> DyadicMatrix:
        return self.rows.matrix.rows(self.equality_rows)

    @cached_property
    def kernel(self) -> Kernel:
        """The equalities' kernel, in floats."""
        return Kernel(self.scaled[self.equality_rows])

    @property
    def basis_rows(self) -> np.ndarray:
        """The equality rows that the kernel's elimination used."""
        return self.equality_rows[self.kernel.basis]

    @cached_property
    def equality_bound(self) -> float:
        """A proved lower bound of lambda_min(A_P A_P^T) for the basis rows; positive proves them independent."""
        if len(self.equality_rows) == 0:
            return np.inf
        return gram_lower_bound(np.ascontiguousarray(self.scaled[self.basis_rows].T)) if self.rows.safe else 0.0

    def kernel_dimension(self) -> int:
        """About how many unknowns the search has in the directions."""
        return self.dimension - min(len(self.equality_rows), self.dimension)

    def multiplier_dimension(self) -> int:
        """About how many unknowns the search has in the multipliers."""
        return max(0, self.general_count - int((~self.has_side).sum()))

    def apply(self, d: np.ndarray) -> np.ndarray:
        """r.d for all (scaled) rows and sides."""
        general = self.scaled @ d
        return np.concatenate([general, self.side_signs * d[self.side_columns]]) if len(self.side_columns) else general

    def adjoint(self, y: np.ndarray) -> np.ndarray:
        """Sum of y_i r_i over all (scaled) rows and sides."""
        result = y[: self.general_count] @ self.scaled
        if len(self.side_columns):
            np.add.at(result, self.side_columns, self.side_signs * y[self.general_count :])
        return np.asarray(result)

    def implied_multipliers(self, multipliers: np.ndarray) -> np.ndarray:
        """Multipliers of all rows: the given ones of the general (scaled) rows, and what each side absorbs."""
        if len(self.side_columns) == 0:
            return multipliers
        sigma = multipliers @ self.scaled
        return np.concatenate([multipliers, np.maximum(-self.side_signs * sigma[self.side_columns], 0.0)])

    def kernel_rows(self, dtype: type) -> np.ndarray:
        """All rows as functionals on the kernel's coordinates, transposed: (kernel dimension, row_count)."""
        kernel = self.kernel
        transposed = self.rows.single_transposed if dtype == np.float32 else self.rows.double_transposed
        coupling: np.ndarray = kernel.coupling.astype(dtype)
        general = transposed[kernel.others] - coupling @ transposed[kernel.pivots]
        if len(self.side_columns) == 0:
            return np.asarray(general)
        basis: np.ndarray = np.zeros((kernel.dimension, self.dimension), dtype=dtype)
        basis[np.arange(kernel.dimension), kernel.others] = 1
        basis[:, kernel.pivots] = -coupling
        sides = basis[:, self.side_columns] * self.side_signs.astype(dtype)
        return np.ascontiguousarray(np.concatenate([general, sides], axis=1))

    def without_fixed_columns(self) -> tuple[ConeSystem, np.ndarray]:
        """The same cone on the columns that are not fixed to 0, and which general rows remain (those not zero there)."""
        columns = ~self.fixed
        matrix = self.rows.matrix.columns(columns)
        kept = matrix.nonzero_rows
        return ConeSystem(RowSet(matrix.rows(kept)), self.equality[kept], self.lower[columns], self.upper[columns]), kept

    def side_rows(self) -> DyadicMatrix:
        """The sides as rows -e_j and e_j."""
        rows = np.zeros((len(self.side_columns), self.dimension))
        rows[np.arange(len(self.side_columns)), self.side_columns] = self.side_signs
        return DyadicMatrix(rows)

    def all_rows(self) -> DyadicMatrix:
        """General rows and sides as one matrix, in the format's numbering; sides as r.d <= 0."""
        return stack([self.rows.matrix, self.side_rows()]) if len(self.side_columns) else self.rows.matrix

    def rows_for_rank(self, listed: Sequence[int]) -> DyadicMatrix:
        """The listed rows, a side as e_j whichever it is: the form in which the format states ranks."""
        sides = DyadicMatrix(np.abs(self.side_rows().floats))
        return stack([self.rows.matrix, sides]).rows(np.array(listed, dtype=np.int64))
