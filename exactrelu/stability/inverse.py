"""The proved bound on how much the inverse of a whole layer can stretch, beside what its linearisations do (theory I6 beside S3).

Where a layer is injective on a domain, |x - y| <= L |f(x) - f(y)| for all x, y in it, however many regions lie between them. On the region
of an interior point f is linear, so that L is at least 1 / sigma_n, sigma_n the smallest of the n singular values there: the local values
say how much of L is really met, and L says what no local value can.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exactrelu.domain import AllSpace, Domain
from exactrelu.errors import InvalidRequestError
from exactrelu.injectivity import injectivity
from exactrelu.injectivity.margins.inverse_lipschitz import inverse_lipschitz

if TYPE_CHECKING:
    from exactrelu.network.model import Network


@dataclass(frozen=True)
class InverseBound:
    """Whether the layer is injective on the domain, `injective`, `not-injective` or `undecided`, and L as a decimal rounded up, or None."""

    verdict: str
    upper: str | None

    def record(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "inverse_lipschitz_upper": self.upper}


def inverse_bound(network: Network, layer: int | str, *, domain: Domain | None = None, seconds: float = 60.0) -> InverseBound:
    """Decide whether a layer is injective on a domain of its inputs, all by default, and if so bound its inverse, within so many seconds.

    Raises InvalidRequestError for a layer that does not exist, or has several stages.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> import numpy as np
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> inverse_bound(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (1,)), 1)
    InverseBound(verdict='injective', upper='2')
    """
    deadline = time.monotonic() + seconds
    stages = network.layer(layer).stages
    if len(stages) > 1:
        raise InvalidRequestError("the inverse is bounded of a layer of one affine map with relu; this one has several stages")
    within = AllSpace() if domain is None else domain
    found = injectivity(network, layer=layer, domain=within, seconds=seconds, widen=False)
    bound = inverse_lipschitz(stages[0], within, evidence=found.proof, deadline=deadline) if found.proof is not None else None
    return InverseBound(found.verdict, None if bound is None else bound.upper)
