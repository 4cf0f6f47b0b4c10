"""How much a network shortens distances at most, layer by layer and in each of its regions: |x - y| <= L |f(x) - f(y)|, proved.

In a region L = 1 / sigma, sigma the least singular value of its map. An injective piecewise linear map of R^n to itself is onto, and along
a segment between two values its inverse is linear piece by piece: the largest of these L holds for all x and y, and no smaller one does.
Of layers one after the other, each with an L on a convex set that holds what reaches it (theory I6), the product will do.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates.injectivity import Proof
from exactrelu.exact.definite import exceeds
from exactrelu.injectivity.margins.inverse_lipschitz import inverse_lipschitz
from exactrelu.injectivity.network.monotone import root_above

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.injectivity.network.layerwise import Layerwise
    from exactrelu.injectivity.network.pieces import Pieces
    from exactrelu.network.model import Layer

# How much of what floats see is proved, first nearly all of it.
_SHARES = (1 - 2.0**-20, 0.999, 0.9)
# Seconds for the bounds of all layers.
_PATIENCE = 20.0


def inverse_of_maps(pieces: Pieces) -> Fraction | None:
    """L for two inputs in one region, of a domain with interior points; None where floats propose none, or time is out.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> from exactrelu.injectivity.network.pieces import Pieces
    >>> from exactrelu.regions import regions
    >>> layer = Layer(DyadicMatrix.from_floats([[0.5]]), DyadicMatrix.from_floats([[0.0]]), np.zeros(1, bool))
    >>> found = inverse_of_maps(Pieces((layer,), regions(Network((layer,), (SourceLayer(1, "half", (layer,), 0),), (), (1,)))))
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


def inverse_of_layers(layers: Sequence[Layer], found: Layerwise, deadline: float | None) -> Fraction | None:
    """L for layers that are injective one after the other; None where there is none for some layer, or time is out.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer
    >>> from exactrelu.injectivity.network.layerwise import layerwise
    >>> both = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.ones(2, bool))
    >>> scaled = Layer(DyadicMatrix.from_floats([[4.0, 0.0], [0.0, 8.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.zeros(2, bool))
    >>> inverse_of_layers([both, scaled], layerwise([both, scaled], AllSpace(), (), None), None)
    Fraction(1, 2)
    """
    product = Fraction(1)
    limit = min(limit for limit in (deadline, time.monotonic() + _PATIENCE) if limit is not None)
    for number, (layer, within) in enumerate(zip(layers, found.sets, strict=True)):
        evidence = found.evidence and found.evidence.parts[number][1]
        proof = evidence if isinstance(evidence, Proof) else None
        bound = inverse_lipschitz(layer, within, evidence=proof, deadline=limit)
        if bound is None:
            return None
        # Without a relu the difference of two values is what is bounded, not half of it.
        product *= root_above((4 if layer.rectified.any() else 1) / bound.least)
    return product


def _all_exceed(pieces: Pieces, n: int, least: Fraction) -> bool:
    """Whether |M r|^2 >= least |r|^2 for the linear parts M of all `maps`; False where time is out."""
    for rows in pieces.maps:
        if pieces.deadline is not None and time.monotonic() > pieces.deadline:
            return False
        if not exceeds([row[:-1] for row in rows], n, least):
            return False
    return True
