"""Injectivity of whole networks: a cascade from arguments that need no regions to pairs of them (theory I11 to I14).

Every argument that says no leaves two inputs with one output; `method` names the argument.
"""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from exactrelu.domain import AllSpace
from exactrelu.injectivity.network.answer import NetworkInjectivity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.network.kept import Kept
    from exactrelu.network.model import Network

__all__ = ["NetworkInjectivity", "network_injectivity"]

# Seconds for the layers one after the other where there is no time limit.
_LAYERWISE = 60.0


def network_injectivity(
    network: Network,
    *,
    through: int | str = "output",
    domain: Domain | None = None,
    points: Sequence[RationalVector] = (),
    seconds: float | None = None,
    limit: int | None = None,
    store: str | PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NetworkInjectivity:
    """Decide whether two different inputs of a domain, all of R^n by default, have the same output after layer `through`.

    A strictly increasing activation at the end is left out. points: inputs near which a collision is looked for; seconds: the time after
    which the answer is "undecided"; limit: how many activation regions may be made. store: a file that keeps the regions listed and the
    pairs of them closed, so that the same call goes on where an earlier one was stopped, at any moment. progress: is called with how much
    of the listing of regions, and then of the pairs, is done, and of how much.

    Raises InvalidRequestError for a layer that does not exist, an empty domain, points or a domain of another dimension, and a store of
    something else.

    >>> from exactrelu import demo, load, parse_domain
    >>> network = load(demo.MODEL)
    >>> found = network_injectivity(network, domain=parse_domain("box:0,1", 64))
    >>> found.verdict, network(found.collision.x) == network(found.collision.y)
    ('not-injective', True)
    """
    from exactrelu.injectivity.layer import check_points
    from exactrelu.injectivity.network.by_regions import by_regions
    from exactrelu.injectivity.network.kept import kept_in

    asked = network.up_to(network.layer_through(through))
    within = AllSpace() if domain is None else domain
    within.check_dimension(asked.inputs)
    check_points(points, asked.inputs)
    started = time.monotonic()
    deadline = None if seconds is None else started + seconds
    with kept_in(store, asked, within) as kept:
        found = _without_regions(asked, within, points, deadline, kept) or by_regions(asked, within, deadline, limit, kept, progress)
    return replace(found, seconds=time.monotonic() - started)


def _without_regions(
    network: Network, domain: Domain, points: Sequence[RationalVector], deadline: float | None, kept: Kept
) -> NetworkInjectivity | None:
    """The answer by skips that outweigh the rest, by a collision found near some points, by the layers one after the other."""
    from exactrelu.injectivity.network.expansion import inverse_of_layers
    from exactrelu.injectivity.network.kept import Kept
    from exactrelu.injectivity.network.layerwise import layerwise
    from exactrelu.injectivity.network.monotone import root_above
    from exactrelu.injectivity.network.residual import residual
    from exactrelu.injectivity.network.search import search

    skips = residual(network.layers)
    if skips is not None:
        # From the largest coordinate to Euclidean norms.
        bound = skips.inverse_lipschitz * root_above(Fraction(network.inputs))
        method = "skip connections outweigh the rest"
        return NetworkInjectivity("injective", method, 0.0, inverse_lipschitz=bound, evidence=skips.evidence)
    # Elsewhere than at given points nothing was found earlier.
    tried = (Kept() if points else kept).tried

    def near_points(until: float) -> NetworkInjectivity | None:
        found = search(network, domain, points, until)
        return None if found is None else NetworkInjectivity("not-injective", found[0], 0.0, collision=found[1])

    def by_layers(until: float) -> NetworkInjectivity | None:
        found = layerwise(network.layers, domain, points, until)
        if found.injective:
            bound = inverse_of_layers(network.layers, found, deadline)
            return NetworkInjectivity("injective", found.method, 0.0, inverse_lipschitz=bound, evidence=found.evidence)
        return None if found.collision is None else NetworkInjectivity("not-injective", found.method, 0.0, collision=found.collision)

    return tried("points", near_points, deadline) or tried("layers", by_layers, deadline, _LAYERWISE)
