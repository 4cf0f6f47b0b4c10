"""Injectivity: whether two different inputs of a domain have the same output, decided exactly (theory I)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from exactrelu.domain import AllSpace, Domain
from exactrelu.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.layer import LayerInjectivity
    from exactrelu.network.model import Layer, Network, SourceLayer


def injectivity(
    network: Network,
    *,
    layer: int | str,
    domain: Domain | None = None,
    points: Sequence[RationalVector] = (),
    seconds: float | None = None,
) -> LayerInjectivity:
    """Decide whether a layer is injective on a domain, all of R^n by default; true biases count.

    A strictly increasing activation is left out. points: inputs of the layer near which a collision is looked for. seconds: the
    time after which the answer is "undecided". Raises InvalidRequestError for a layer that does not exist, with pooling or another
    activation of several pieces, or too large, and for an empty domain. Theory I1 to I10 (Puthawala et al.; Haider, Ehler, Balazs).

    >>> from exactrelu import demo, load, parse_domain
    >>> network = load(demo.MODEL)
    >>> found = injectivity(network, layer=1, domain=parse_domain("box:0,1", 64))
    >>> x, y, first = found.collision.x, found.collision.y, network.layer(1)
    >>> found.verdict, x != y, first(x) == first(y)
    ('not-injective', True, True)
    """
    from exactrelu.injectivity.layer import decide_layer

    source = network.layer(layer)
    deadline = None if seconds is None else time.monotonic() + seconds
    return decide_layer(affine_layer(source), AllSpace() if domain is None else domain, deadline=deadline, points=points)


def affine_layer(source: SourceLayer) -> Layer:
    """The affine map with relu that decides a source layer's injectivity; raises InvalidRequestError where it is more than that."""
    stages = source.essential_stages
    if len(stages) > 1:
        raise InvalidRequestError(
            f"layer {source.number} ({source.name}) has pooling or an activation of several pieces, for which injectivity is not available "
            "yet; name another --layer"
        )
    return stages[0]
