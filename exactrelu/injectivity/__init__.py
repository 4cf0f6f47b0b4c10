"""Injectivity: whether two different inputs of a domain have the same output, decided exactly (theory I)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from exactrelu.domain import AllSpace, Domain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.answer import LayerInjectivity
    from exactrelu.injectivity.cases.resume import State
    from exactrelu.network.model import Network


def injectivity(
    network: Network,
    *,
    layer: int | str,
    domain: Domain | None = None,
    points: Sequence[RationalVector] = (),
    seconds: float | None = None,
    resume: State | None = None,
    widen: bool = True,
) -> LayerInjectivity:
    """Decide whether a layer is injective on a domain, all of R^n by default; true biases count.

    A strictly increasing activation is left out. points: inputs of the layer near which a collision is looked for. seconds: the
    time after which the answer is "undecided". resume: the state of an undecided answer (`progress.state`) to go on from. widen:
    whether to look for two inputs far apart once a collision is known.

    Raises InvalidRequestError for a layer that does not exist, an empty domain, and a state that does not fit. Theory I1 to I10
    (Puthawala et al.; Haider, Ehler, Balazs).

    >>> from exactrelu import demo, load, parse_domain
    >>> network = load(demo.MODEL)
    >>> found = injectivity(network, layer=1, domain=parse_domain("box:0,1", 64))
    >>> x, y, first = found.collision.x, found.collision.y, network.layer(1)
    >>> found.verdict, x != y, first(x) == first(y)
    ('not-injective', True, True)
    """
    from exactrelu.injectivity.layer import decide_layer
    from exactrelu.injectivity.stages import decide_stages

    stages = network.layer(layer).essential_stages
    within = AllSpace() if domain is None else domain
    deadline = None if seconds is None else time.monotonic() + seconds
    if len(stages) > 1:
        return decide_stages(stages, within, deadline=deadline, points=points)
    return decide_layer(stages[0], within, deadline=deadline, points=points, resume=resume, widen=widen)
