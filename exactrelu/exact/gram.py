"""What the Gram matrix in integers says of singular values: exact counts (theory S2), and tight intervals for small matrices.

The singular values of A below t are the negative eigenvalues of M = A^T A - t^2 I (A A^T where A has fewer rows than columns). M is made
integral. For any regular X, M and X^T M X have as many negative eigenvalues (Sylvester); with near-eigenvectors as columns the latter is
diagonally dominant, and then the signs of its diagonal are those of its eigenvalues (Gershgorin). Where it is not, a tie for instance, the
characteristic polynomial decides: all its roots are real, so that Descartes' rule counts them exactly.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from flint import arb, ctx, fmpz, fmpz_mat, nmod_mat

from exactrelu.exact.linalg import primes
from exactrelu.exact.spectrum import Spectrum

if TYPE_CHECKING:
    from exactrelu.exact.rational import DyadicMatrix

# Beyond so many rows and columns a characteristic polynomial, and beyond so many its roots, take minutes.
_LARGEST_POLYNOMIAL = 200
LARGEST_REFINED = 64
_PRECISION = 128


def count_below(matrix: DyadicMatrix, threshold: Fraction) -> int | None:
    """How many of the min(m, n) singular values of a matrix (m, n) are below the threshold; None where a large one leaves it open.

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> rotated = DyadicMatrix.from_floats([[3.0, -4.0], [4.0, 3.0], [0.0, 0.0]])
    >>> count_below(rotated, Fraction(5)), count_below(rotated, Fraction(51, 10))
    (0, 2)
    """
    size = min(matrix.shape)
    if threshold <= 0 or not size:
        return 0
    gram, exponent = gram_matrix(matrix)
    # A = 2^e B: B^T B - t^2 4^-e I, times the denominator.
    square = threshold**2 / Fraction(4) ** exponent
    shift = fmpz_mat(size, size, [fmpz(square.numerator if i == j else 0) for i in range(size) for j in range(size)])
    shifted = gram * fmpz(square.denominator) - shift
    found = _by_dominance(shifted, matrix, threshold)
    return _by_descartes(shifted) if found is None and size <= _LARGEST_POLYNOMIAL else found


def refined_spectrum(matrix: DyadicMatrix) -> Spectrum:
    """Bounds of all singular values of a small matrix, each to about 30 digits of its own size, however small it is.

    They are roots of the characteristic polynomial of the Gram matrix, which FLINT isolates in ball arithmetic.

    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> tiny = refined_spectrum(DyadicMatrix.from_floats([[1.0, 1.0], [1.0, 1.0 + 2.0**-52]]))
    >>> 1 <= tiny.upper[1] / tiny.lower[1] < 1 + Fraction(1, 10**30)
    True
    """
    gram, exponent = gram_matrix(matrix)
    roots = [(root.real, count) for root, count in gram.charpoly().complex_roots()]
    before, ctx.prec = ctx.prec, _PRECISION
    try:
        values = sorted((_square_root(root, exponent) for root, count in roots for _ in range(count)), reverse=True)
    finally:
        ctx.prec = before
    return Spectrum(tuple(lower for lower, _ in values), tuple(upper for _, upper in values))


def _square_root(square: arb, exponent: int) -> tuple[Fraction, Fraction]:
    """Bounds of 2^exponent sqrt(square), square a ball around a number that is not negative."""
    lower, upper = (_fraction(end) for end in (max(square.lower(), arb(0)).sqrt().lower(), square.upper().sqrt().upper()))
    scale = Fraction(2) ** exponent
    return max(lower, Fraction(0)) * scale, upper * scale


def _fraction(end: arb) -> Fraction:
    mantissa, exponent = end.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def gram_matrix(matrix: DyadicMatrix) -> tuple[fmpz_mat, int]:
    """(B^T B or B B^T, e) for A = 2^e B, whichever is the smaller."""
    rows, exponent = matrix.common
    m, n = matrix.shape
    integers = fmpz_mat(m, n, [value for row in rows for value in row])
    return (integers.transpose() * integers if n <= m else integers * integers.transpose()), exponent


def _by_dominance(shifted: fmpz_mat, matrix: DyadicMatrix, threshold: Fraction) -> int | None:
    """The signs of the diagonal of X^T M X, for X the right (or left) singular vectors divided by the larger of sigma and t, rounded."""
    largest = float(np.abs(matrix.floats).max())
    if not (np.isfinite(largest) and largest):
        return None
    try:
        relative = float(threshold / Fraction(largest))
        u, s, vt = np.linalg.svd(matrix.floats / largest, full_matrices=False)
    except (np.linalg.LinAlgError, OverflowError):
        return None
    m, n = matrix.shape
    # An off-diagonal entry is small beside the two diagonal ones it stands between once each vector is divided by its own length.
    lengths = np.maximum(s, relative)
    if not lengths.min() > 0 or lengths.max() / lengths.min() > 2.0**500:
        return None
    values, shifts = _integers((vt.T if n <= m else u) * (lengths.max() / lengths))
    size = len(values)
    entries = [v << k if k >= 0 else v >> -k for row, by in zip(values, shifts, strict=True) for v, k in zip(row, by, strict=True)]
    x = fmpz_mat(size, size, entries)
    congruent = (x.transpose() * shifted * x).tolist()
    diagonal = [int(row[i]) for i, row in enumerate(congruent)]
    if any(2 * abs(d) <= sum(map(abs, row)) for d, row in zip(diagonal, congruent, strict=True)):
        return None
    prime = next(primes())
    if nmod_mat(size, size, [value % prime for value in entries], prime).rank() < size:
        return None
    return sum(d < 0 for d in diagonal)


def _integers(values: np.ndarray) -> tuple[list[list[int]], list[list[int]]]:
    """(integers, shifts): floats times 2^60 are integers * 2^shift."""
    mantissas, exponents = np.frexp(values)
    return (mantissas * 2.0**53).astype(np.int64).tolist(), (exponents.astype(np.int64) + 7).tolist()


def _by_descartes(shifted: fmpz_mat) -> int:
    """The number of negative eigenvalues of a symmetric matrix: sign changes of p(-x), p the characteristic polynomial."""
    signs = [value * (-1) ** k for k, value in enumerate(shifted.charpoly().coeffs()) if value]
    return sum((a < 0) != (b < 0) for a, b in pairwise(signs))
