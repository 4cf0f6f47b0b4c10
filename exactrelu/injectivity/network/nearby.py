"""An injective network beside any other one: with 2n + 1 outputs or more, adding C x for almost any small C does it (theory I15).

x -> (f(x), x) is injective, and x -> f(x) + C x is its projection by [I | C]; the projections that are not injective on it are
a set of measure 0. So injective networks are dense among all piecewise linear maps to R^m; each one drawn is decided, not trusted.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.injectivity.network import network_injectivity
from exactrelu.injectivity.network.combined import drawn_projection, with_linear

if TYPE_CHECKING:
    from exactrelu.domain import Domain
    from exactrelu.injectivity.network.answer import NetworkInjectivity
    from exactrelu.network.model import Network

_DRAWS = 8


def injective_nearby(
    network: Network, *, size: Fraction = Fraction(1, 1024), domain: Domain | None = None, seconds: float | None = None
) -> tuple[Network, NetworkInjectivity] | None:
    """A network x -> f(x) + C x, injective on the domain, with |C x| at most size * |x| in the largest coordinate, and the proof.

    None where no drawn C was decided so. Raises InvalidRequestError where there are fewer than 2n + 1 outputs, or size is not positive.

    >>> from exactrelu import Layer, Network, SourceLayer
    >>> import numpy as np
    >>> zero = Layer(DyadicMatrix.from_floats(np.zeros((3, 1))), DyadicMatrix.from_floats(np.ones((3, 1))), np.zeros(3, bool))
    >>> found = injective_nearby(Network((zero,), (SourceLayer(1, "constant", (zero,), 0),), (), (1,)))
    >>> found[1].verdict
    'injective'
    """
    n, m = network.inputs, network.outputs
    if m < 2 * n + 1 or size <= 0:
        raise InvalidRequestError(
            f"a network from {n} to {m} dimensions need not have injective ones beside it; give 2n + 1 outputs or more, size > 0"
        )
    for seed in range(_DRAWS):
        drawn = drawn_projection(m, n, seed=seed)
        largest = max((sum(map(abs, row), Fraction(0)) for row in drawn.fractions()), default=Fraction(0))
        exponent = 0
        while largest and largest * Fraction(2) ** exponent > size:
            exponent -= 1
        integers, own = drawn.common
        near = with_linear(network, DyadicMatrix.from_integers(integers, n, own + exponent))
        found = network_injectivity(near, domain=domain, seconds=seconds)
        if found.verdict == "injective":
            return near, found
    return None
