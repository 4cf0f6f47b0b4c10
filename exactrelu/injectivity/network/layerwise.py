"""One layer after the other: a network is injective where every layer is, on a set that holds all that reaches it.

That set is all of R^m, the orthant after a relu, or the interval image of the domain under the layers before; only for the first two has a
certificate a form. A collision of the first layer is one of the network; a later layer's says nothing, its values need not be reached.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.certificates.injectivity_network import Stages
from exactrelu.domain import AllSpace, Orthant
from exactrelu.errors import InvalidRequestError
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.network.ends import verified
from exactrelu.interval_image import interval_image
from exactrelu.network.model import Network, SourceLayer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.collisions.collision import Collision
    from exactrelu.network.model import Layer

# Seconds for the question whether a layer is injective on a larger set than need be, which is sometimes the easier one.
_LARGER = 10.0


@dataclass(frozen=True)
class Layerwise:
    """How far the layers decide: a `collision` of the first one, or `injective`; method: in words; evidence: of a certificate."""

    injective: bool
    method: str
    collision: Collision | None = None
    evidence: Stages | None = None


def layerwise(layers: Sequence[Layer], domain: Domain, points: Sequence[RationalVector], deadline: float | None) -> Layerwise:
    """Decide every layer on its own; points: inputs near which a collision of the first one is looked for.

    Raises InvalidRequestError where the domain is empty.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer
    >>> both = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.ones(2, bool))
    >>> turned = Layer(DyadicMatrix.from_floats([[1.0, 1.0], [0.0, 2.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.zeros(2, bool))
    >>> layerwise([both, turned], AllSpace(), (), None).method
    'every layer on its own: opposite rows of full rank, rows without a relu of full rank'
    """
    methods, parts = list[str](), []
    for number, layer in enumerate(layers):
        for word, within in _sets(layers, number, domain):
            exact = word in {"domain", "image"}
            limits = [limit for limit in (deadline, None if exact else time.monotonic() + _LARGER) if limit is not None]
            found = decide_layer(
                layer, within, deadline=min(limits, default=None), points=points if word == "domain" else (), widen=number == 0 and exact
            )
            if found.verdict == "injective":
                break
        else:
            pair = found.collision if number == 0 else None
            collision = None if pair is None else verified(layers, domain, pair.x, pair.y)
            return Layerwise(False, f"the first layer: {found.method}", collision)
        methods.append(found.method)
        parts.append((word, found.evidence if word != "image" else None))
    shown = tuple((word, evidence) for word, evidence in parts if evidence is not None)
    method = methods[0] if len(layers) == 1 else f"every layer on its own: {', '.join(dict.fromkeys(methods))}"
    return Layerwise(True, method, evidence=Stages(shown) if len(shown) == len(parts) else None)


def _sets(layers: Sequence[Layer], number: int, domain: Domain) -> Iterator[tuple[str, Domain]]:
    """Sets that hold all that reaches a layer, by their words in certificates; the last one is the smallest that is known."""
    if number == 0:
        if not isinstance(domain, AllSpace):
            yield "all", AllSpace()
        yield "domain", domain
        return
    larger: tuple[str, Domain] = ("orthant", Orthant()) if layers[number - 1].rectified.all() else ("all", AllSpace())
    yield larger
    source = SourceLayer(number + 1, f"layer {number + 1}", (layers[number],), number)
    try:
        image = interval_image(Network(tuple(layers), (source,), (), (layers[0].inputs,)), source, domain)
    except InvalidRequestError:
        # Of a polytope with a side of several coefficients there is no interval image.
        return
    if image != larger[1]:
        yield "image", image
