"""Whether a layer that is several stages is injective: pooling, absolute values, clipping, activations of several pieces.

A collision is looked for at points where the stages are one affine map; it is proved through all stages. That every stage is injective on a
set that holds what reaches it is enough for injectivity, and is all that is tried for it.
"""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING

from exactrelu.injectivity.answer import LayerInjectivity
from exactrelu.injectivity.collisions.folds import fold_collision
from exactrelu.injectivity.large import some_points, window_argument
from exactrelu.injectivity.layer import check_points, decide_layer
from exactrelu.injectivity.network.layerwise import layerwise
from exactrelu.injectivity.parts import decide_parts, parts
from exactrelu.injectivity.question import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.certificates.injectivity_network import Stages
    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.collisions.collision import Collision
    from exactrelu.network.model import Layer

_UNCERTIFIED = "for some stage there is a proof, but no evidence in the form of certificates"
_OPEN = "no collision was found near the points tried, and some stage is not injective, or not decided, on all values that may reach it"


def decide_stages(
    stages: Sequence[Layer], domain: Domain, *, deadline: float | None = None, points: Sequence[RationalVector] = ()
) -> LayerInjectivity:
    """Decide whether two different inputs in the domain have the same output after all stages (theory I1, I10).

    stages: layers one after the other, the first of weights (m, n); domain: of its inputs; deadline: a time of `time.monotonic()` after
    which the answer is "undecided"; points: inputs near which a collision is looked for. One stage is decided by `decide_layer`. The
    certificate is about the network of these stages alone, through the last one.

    Raises InvalidRequestError where the domain or a point is of another dimension, or the domain is empty.

    >>> import numpy as np
    >>> from exactrelu import AllSpace, DyadicMatrix, Layer, Orthant
    >>> both = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> total = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> decide_stages([both, total], AllSpace()).verdict, decide_stages([both, total], Orthant()).verdict
    ('not-injective', 'injective')
    """
    started = time.monotonic()
    if len(stages) == 1:
        return decide_layer(stages[0], domain, deadline=deadline, points=points)
    domain.check_dimension(stages[0].inputs)
    check_points(points, stages[0].inputs)

    def answer(verdict: str, method: str, collision: Collision | None = None, evidence: Stages | None = None) -> LayerInjectivity:
        remark = {"injective": None if evidence else _UNCERTIFIED, "undecided": _OPEN}.get(verdict)
        return LayerInjectivity(verdict, method, time.monotonic() - started, collision, evidence, remark=remark, through=True)

    found = parts(stages, domain)
    if len(found) > 1:
        whole = decide_parts(
            stages, domain, found, points, lambda own, within, near: decide_stages(own, within, deadline=deadline, points=near)
        )
        evidence = layerwise(stages, domain, points, deadline).evidence if whole.verdict == "injective" else None
        return answer(whole.verdict, whole.method, whole.collision, evidence)
    interior = Question(stages[0], domain, deadline=deadline).interior
    window = window_argument(stages, domain, points, deadline, interior)
    if window is not None:
        return answer("not-injective", *window)
    fold = fold_collision(stages, domain, chain(points, some_points(stages, domain, deadline)))
    if fold is not None:
        return answer("not-injective", "two regions with a common value", fold)
    last = layerwise(stages, domain, points, deadline)
    if last.collision is not None:
        return answer("not-injective", last.method, last.collision)
    return answer("injective", last.method, evidence=last.evidence) if last.injective else answer("undecided", "stages one after the other")
