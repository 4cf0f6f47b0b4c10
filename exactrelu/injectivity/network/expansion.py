"""How much a network shortens distances at most, from the maps of its regions: |x - y| <= L |f(x) - f(y)|, proved.

An injective piecewise linear map of R^n to itself is onto, and along a segment between two values its inverse is linear piece by piece:
L = 1 / sigma, sigma the least singular value of all maps, and no smaller L will do.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.definite import exceeds
from exactrelu.injectivity.network.monotone import root_above

if TYPE_CHECKING:
    from exactrelu.injectivity.network.pieces import Pieces

# How much of what floats see is proved, first nearly all of it.
_SHARES = (1 - 2.0**-20, 0.999, 0.9)


def inverse_of_square(pieces: Pieces) -> Fraction | None:
    """L for the maps of a network that is injective on R^n with values in R^n; None where floats propose none, or time is out.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> from exactrelu.injectivity.network.pieces import Pieces
    >>> from exactrelu.regions import regions
    >>> layer = Layer(DyadicMatrix.from_floats([[0.5]]), DyadicMatrix.from_floats([[0.0]]), np.zeros(1, bool))
    >>> found = inverse_of_square(Pieces((layer,), regions(Network((layer,), (SourceLayer(1, "half", (layer,), 0),), (), (1,)))))
    >>> 2 <= found < Fraction(20001, 10000)
    True
    """
    n = pieces.complex.space_dimension
    maps, unit = pieces.linear_floats
    smallest = float(np.linalg.svd(maps, compute_uv=False)[:, -1].min()) if n else 0.0
    for share in _SHARES:
        least = (Fraction(smallest * share) * unit) ** 2
        if least > 0 and _all_exceed(pieces, n, least * pieces.scale**2):
            return root_above(1 / least)
    return None


def _all_exceed(pieces: Pieces, n: int, least: Fraction) -> bool:
    """Whether |M r|^2 >= least |r|^2 for the linear parts M of all `maps`; False where time is out."""
    for rows in pieces.maps:
        if pieces.deadline is not None and time.monotonic() > pieces.deadline:
            return False
        if not exceeds([row[:-1] for row in rows], n, least):
            return False
    return True
