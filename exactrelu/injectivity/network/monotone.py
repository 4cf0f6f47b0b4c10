"""A matrix Q for which all symmetric parts of Q A are positive definite, A the linear maps of the regions: no pairs needed (theory I14).

On a convex domain f(y) - f(x) is an integral of maps A along the segment, applied to y - x. So (y - x).Q(f(y) - f(x)) >= l |y - x|^2 with l
the least eigenvalue, and |f(y) - f(x)| >= l / |Q| |y - x|. Floats look for Q, a rational matrix is tested exactly.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.exact.definite import is_semidefinite

if TYPE_CHECKING:
    from exactrelu.injectivity.network.pieces import Pieces

_STEPS = 400
_BITS = 40
# How much of the least eigenvalue that floats see is proved.
_SHARE = 0.99
# Regions times outputs times inputs up to which maps are held in floats.
_LARGEST = 2**25


@dataclass(frozen=True)
class Monotone:
    """Integers Q, (n, m), and least > 0 with r.(Q A) r >= least |r|^2 for all r and the linear maps A of all regions."""

    matrix: tuple[tuple[int, ...], ...]
    least: Fraction

    @property
    def inverse_lipschitz(self) -> Fraction:
        """L with |x - y| <= L |f(x) - f(y)|: a bound on |Q|, of Frobenius, rounded up, over `least`."""
        square = sum(value * value for row in self.matrix for value in row)
        return root_above(Fraction(square)) / self.least


def root_above(square: Fraction) -> Fraction:
    """A rational number at least the root, and hardly more.

    >>> root_above(Fraction(9, 4)), 0 <= root_above(Fraction(2)) ** 2 - 2 < Fraction(1, 10**9)
    (Fraction(3, 2), True)
    """
    # sqrt(p / q) = sqrt(p q) / q
    product = square.numerator * square.denominator << 2 * _BITS
    root = isqrt(product)
    return Fraction(root + (root * root < product), square.denominator << _BITS)


def monotone(pieces: Pieces, deadline: float | None = None) -> Monotone | None:
    """Such a Q for the regions of a domain with interior points; None where the search fails, or lasts beyond a deadline.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> from exactrelu.injectivity.network.pieces import Pieces
    >>> from exactrelu.regions import regions
    >>> first = Layer(DyadicMatrix.from_floats([[1.0], [1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, False]))
    >>> last = Layer(DyadicMatrix.from_floats([[3.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> network = Network((first, last), (SourceLayer(1, "both", (first, last), 0),), (), (1,))
    >>> found = monotone(Pieces(network.layers, regions(network)))
    >>> found.least > 0 and found.inverse_lipschitz >= 1
    True
    """
    n, m = pieces.complex.space_dimension, pieces.layers[-1].outputs
    if pieces.complex.dimension < n or m < n or n == 0 or pieces.count * n * m > _LARGEST:
        return None
    proposal = _proposed(pieces, pieces.deadline if deadline is None else deadline)
    return None if proposal is None else proved(pieces, proposal)


def _proposed(pieces: Pieces, deadline: float | None) -> np.ndarray | None:
    """Q in floats, by adding what the regions with the least eigenvalue ask for (a perceptron); None where none was found in time."""
    maps, _ = pieces.linear_floats
    matrix = np.linalg.pinv(maps.mean(axis=0))
    for step in range(_STEPS):
        if deadline is not None and time.monotonic() > deadline:
            return None
        matrix = matrix / max(float(np.linalg.norm(matrix)), 1e-300)
        if not np.isfinite(matrix).all():
            return None
        products = matrix @ maps
        values, vectors = np.linalg.eigh(products + products.transpose(0, 2, 1))
        worst = np.argsort(values[:, 0])[: 1 + len(maps) // 8]
        if values[worst[0], 0] > 1e-6:
            return matrix
        for region in worst[values[worst, 0] <= 1e-6]:
            direction = vectors[region, :, 0]
            wanted = np.outer(direction, maps[region] @ direction)
            matrix = matrix + wanted / max(float(np.linalg.norm(wanted)), 1e-300) / (len(worst) * (1 + step) ** 0.5)
    return None


def proved(pieces: Pieces, proposal: np.ndarray) -> Monotone | None:
    """What is true of a float matrix (n, m), rounded: exactly tested for every region; None where it is no such Q."""
    maps, unit = pieces.linear_floats
    rounded = np.rint(proposal / max(float(np.abs(proposal).max()), 1e-300) * 2.0**_BITS)
    products = rounded @ maps
    smallest = float(np.linalg.eigvalsh(products + products.transpose(0, 2, 1))[:, 0].min()) * _SHARE
    if not smallest > 0:
        return None
    twice = Fraction(smallest) * unit
    n, m = rounded.shape
    matrix = [[int(value) for value in row] for row in rounded]
    left = fmpz_mat(n, m, [value for row in matrix for value in row]) * twice.denominator
    shift = twice.numerator * pieces.scale
    for rows in pieces.maps:
        product = (left * fmpz_mat(m, n, [value for row in rows for value in row[:-1]])).tolist()
        symmetric = [[int(product[i][j] + product[j][i]) - shift * (i == j) for j in range(n)] for i in range(n)]
        if not is_semidefinite(symmetric):
            return None
    return Monotone(tuple(map(tuple, matrix)), twice / 2)
