"""Pre-images under a layer or under the network up to one: which decider the question needs, and the Python API for many points."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from exactrelu.domain import AllSpace, Domain
from exactrelu.errors import InvalidRequestError
from exactrelu.preimage.network import NetworkPreimage
from exactrelu.preimage.one_layer import OneLayerPreimage, prepare_layer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Network, SourceLayer
    from exactrelu.verdict import Preimage

PreparedPreimage = OneLayerPreimage | NetworkPreimage


def prepare(source: SourceLayer, domain: Domain, *, rational: bool = False, until: float | None = None) -> PreparedPreimage:
    """What decides pre-images under a source layer on its own, within a set of its inputs.

    A strictly increasing activation is left out; a layer with pooling or another activation of several pieces is a small network.
    until: the time of `time.monotonic` by which all points are to be decided, where each has a deadline of its own.
    """
    stages = source.essential_stages
    if len(stages) > 1:
        return NetworkPreimage(stages, domain, rational=rational, until=until)
    return prepare_layer(stages[0], domain, rational=rational)


def prepare_question(
    network: Network, layer: SourceLayer, domain: Domain, *, through: bool, rational: bool = False, until: float | None = None
) -> PreparedPreimage:
    """As `prepare`, or `through` the layer: under the network from its input up to and with it, within a set of the network's inputs."""
    if through:
        return NetworkPreimage(network.up_to(layer).layers, domain, rational=rational, until=until)
    return prepare(layer, domain, rational=rational, until=until)


def share_of_time(until: float, points: int) -> float:
    """The deadline of the first of some points that share the time from now until then, times of `time.monotonic`."""
    now = time.monotonic()
    return now + (until - now) / points


def answer(
    prepared: PreparedPreimage,
    network: Network,
    layer: SourceLayer,
    subject: str,
    point: RationalVector,
    *,
    through: bool,
    deadline: float | None = None,
) -> tuple[RationalVector, Preimage]:
    """The pre-image of a point that is, by `subject`, an `input` of the network, a `layer-input` or an `output`.

    With what was asked of the decider: the point pushed forward to the layer, or the output before an activation that was set aside.
    """
    if subject == "output":
        given = point if layer.set_aside is None else layer.set_aside.undone(point)
        return given, prepared.of_output(given, deadline=deadline)
    given = network.layer_input(layer.number, point) if subject == "input" and not through else point
    return given, prepared.of_point(given, deadline=deadline)


def preimage(
    network: Network,
    *,
    input: Iterable[RationalVector] | None = None,
    output: Iterable[RationalVector] | None = None,
    layer_input: Iterable[RationalVector] | None = None,
    layer: int | str | None = None,
    through: int | str | None = None,
    domain: Domain | None = None,
    rational: bool = False,
    seconds: float | None = None,
) -> list[Preimage]:
    """Decide the pre-image under one layer, or under the network through one, for each point given.

    layer: the layer alone, 1 by default; through: the network from its input up to and with that layer, `"output"` for all of it.
    Exactly one of input (points of length n of the network), layer_input and output (lengths n and m of the layer, weights
    (m, n)) is given. domain: a set of inputs of what is asked about, all of R^n by default. seconds: the time that all
    points share; one that is not decided in its share is returned as undecided. Raises InvalidRequestError for a layer that does not
    exist and points of a wrong length. Theory P1, P2 (Behrmann, Dittmer, Fernsel, Maass).

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer, Network, Orthant, RationalVector, SourceLayer
    >>> dense = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    >>> network = Network((dense,), (SourceLayer(1, "dense", (dense,), 0),), (), (2,))
    >>> [(found.cardinality.value, found.dimension) for found in preimage(network, input=[RationalVector((1, 1))])]
    [('unbounded', 1)]
    >>> [found.cardinality.value for found in preimage(network, input=[RationalVector((0, 0))], domain=Orthant())]
    ['singleton']
    """
    given = {"input": input, "output": output, "layer-input": layer_input}
    asked = [(subject, points) for subject, points in given.items() if points is not None]
    if len(asked) != 1:
        raise InvalidRequestError("give exactly one of input, output and layer_input")
    composed = through is not None
    if composed and (layer is not None or layer_input is not None):
        raise InvalidRequestError("through asks about the network from its input on; leave layer and layer_input out")
    source = network.layer(1 if layer is None else layer) if through is None else network.layer_through(through)
    within = AllSpace() if domain is None else domain
    until = None if seconds is None else time.monotonic() + seconds
    prepared = prepare_question(network, source, within, through=composed, rational=rational, until=until)
    ((subject, given_points),) = asked
    waiting, found = list(given_points), []
    while waiting:
        deadline = None if until is None else share_of_time(until, len(waiting))
        found.append(answer(prepared, network, source, subject, waiting.pop(0), through=composed, deadline=deadline)[1])
    return found
