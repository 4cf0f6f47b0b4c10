"""One layer after the other: a network is injective where every layer is, on a set that holds all that reaches it.

That set is all of R^m, the orthant after a relu, or the interval image of the domain under the layers before. A collision of the first
layer is one of the network; a later layer's says nothing, its values need not be reached (theory I10).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.certificates.injectivity import Proof, Windows
from exactrelu.certificates.injectivity_network import Stages
from exactrelu.domain import AllSpace, Domain, Orthant
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.network.ends import verified
from exactrelu.interval_image import IntervalImages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.collisions.collision import Collision
    from exactrelu.network.model import Layer

# Seconds for the question whether a layer is injective on a larger set than need be, which is sometimes the easier one.
_LARGER = 10.0


@dataclass(frozen=True)
class Layerwise:
    """How far the layers decide: a `collision` of the first one, or `injective`; method: in words; evidence: of a certificate.

    sets: where every layer is injective, if all are; each holds what reaches the layer.
    """

    injective: bool
    method: str
    collision: Collision | None = None
    evidence: Stages | None = None
    sets: tuple[Domain, ...] = ()


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
    methods, parts, sets = list[str](), list[tuple[str, Proof | Windows]](), list[Domain]()
    images = IntervalImages(layers, domain)
    for number, layer in enumerate(layers):
        for word, within in _sets(layers, number, domain, images):
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
        sets.append(within)
        if isinstance(found.evidence, Proof | Windows):
            parts.append((word, found.evidence))
    method = methods[0] if len(layers) == 1 else f"every layer on its own: {', '.join(dict.fromkeys(methods))}"
    evidence = Stages(tuple(parts)) if len(parts) == len(layers) else None
    return Layerwise(True, method, evidence=evidence, sets=tuple(sets))


def _sets(layers: Sequence[Layer], number: int, domain: Domain, images: IntervalImages) -> Iterator[tuple[str, Domain]]:
    """Sets that hold all that reaches a layer, by their words in certificates; the last one is the smallest that is known."""
    if number == 0:
        if not isinstance(domain, AllSpace):
            yield "all", AllSpace()
        yield "domain", domain
        return
    larger: tuple[str, Domain] = ("orthant", Orthant()) if layers[number - 1].rectified.all() else ("all", AllSpace())
    yield larger
    image = images.before(number)
    if image not in (None, larger[1]):
        yield "image", image
