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
    from collections.abc import Sequence

    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Network

__all__ = ["NetworkInjectivity", "network_injectivity"]

# Part of the time limit for the layers one after the other, and seconds where there is none.
_LAYERWISE_SHARE, _LAYERWISE = 0.25, 60.0


def network_injectivity(
    network: Network,
    *,
    through: int | str = "output",
    domain: Domain | None = None,
    points: Sequence[RationalVector] = (),
    seconds: float | None = None,
    limit: int | None = None,
) -> NetworkInjectivity:
    """Decide whether two different inputs of a domain, all of R^n by default, have the same output after layer `through`.

    A strictly increasing activation at the end is left out. points: inputs near which a collision is looked for; seconds: the time after
    which the answer is "undecided"; limit: how many activation regions may be made.

    Raises InvalidRequestError for a layer that does not exist, an empty domain, and points or a domain of another dimension.

    >>> from exactrelu import demo, load, parse_domain
    >>> network = load(demo.MODEL)
    >>> found = network_injectivity(network, domain=parse_domain("box:0,1", 64))
    >>> found.verdict, network(found.collision.x) == network(found.collision.y)
    ('not-injective', True)
    """
    from exactrelu.injectivity.layer import check_points
    from exactrelu.injectivity.network.by_regions import by_regions

    asked = network.up_to(network.layer_through(through))
    within = AllSpace() if domain is None else domain
    within.check_dimension(asked.inputs)
    check_points(points, asked.inputs)
    started = time.monotonic()
    deadline = None if seconds is None else started + seconds
    found = _without_regions(asked, within, points, deadline) or by_regions(asked, within, deadline, limit)
    return replace(found, seconds=time.monotonic() - started)


def _without_regions(
    network: Network, domain: Domain, points: Sequence[RationalVector], deadline: float | None
) -> NetworkInjectivity | None:
    """The answer by skips that outweigh the rest, by a collision found near some points, by the layers one after the other."""
    from exactrelu.certificates.injectivity_network import Skips
    from exactrelu.injectivity.network.layerwise import layerwise
    from exactrelu.injectivity.network.monotone import root_above
    from exactrelu.injectivity.network.residual import residual
    from exactrelu.injectivity.network.search import search

    skips = residual(network.layers)
    if skips is not None:
        # From the largest coordinate to Euclidean norms.
        bound = skips.inverse_lipschitz * root_above(Fraction(network.inputs))
        evidence = Skips(skips.ends) if skips.is_plain else None
        return NetworkInjectivity("injective", "skip connections outweigh the rest", 0.0, inverse_lipschitz=bound, evidence=evidence)
    refuted = search(network, domain, points, deadline)
    if refuted is not None:
        return NetworkInjectivity("not-injective", refuted[0], 0.0, collision=refuted[1])
    now = time.monotonic()
    soon = now + (_LAYERWISE if deadline is None else _LAYERWISE_SHARE * (deadline - now))
    found = layerwise(network.layers, domain, points, soon)
    if found.injective:
        return NetworkInjectivity("injective", found.method, 0.0, evidence=found.evidence)
    return None if found.collision is None else NetworkInjectivity("not-injective", found.method, 0.0, collision=found.collision)
