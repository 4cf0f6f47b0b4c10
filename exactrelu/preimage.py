"""Pre-images under a layer or under the network up to one: which decider the question needs, and the Python API for many points."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from exactrelu.domain import AllSpace, Domain
from exactrelu.errors import InvalidRequestError
from exactrelu.network_preimage import NetworkPreimage
from exactrelu.one_layer import OneLayerPreimage, prepare_layer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Network, SourceLayer
    from exactrelu.verdict import Preimage

PreparedPreimage = OneLayerPreimage | NetworkPreimage


def prepare(source: SourceLayer, domain: Domain, *, rational: bool = False) -> PreparedPreimage:
    """What decides pre-images under a source layer on its own, within a set of its inputs.

    A strictly increasing activation is left out; a layer with pooling or another activation of several pieces is a small network.
    """
    if source.affine is not None:
        return prepare_layer(source.affine, domain, rational=rational)
    if len(source.stages) > 1:
        return NetworkPreimage(source.stages, domain, rational=rational)
    return prepare_layer(source.stages[0], domain, rational=rational)


def prepare_through(network: Network, last: SourceLayer, domain: Domain, *, rational: bool = False) -> NetworkPreimage:
    """What decides pre-images under the network from its input up to and with a source layer, within a set of the network's inputs."""
    return NetworkPreimage(network.up_to(last).layers, domain, rational=rational)


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
    (m, n)) is given. domain: a set of inputs of what is asked about, all of R^n by default. seconds: the time after which what
    is not decided is returned as undecided. Raises InvalidRequestError for a layer that does not exist and points of a wrong
    length. Theory P1, P2 (Behrmann, Dittmer, Fernsel, Maass).

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer, Network, Orthant, RationalVector, SourceLayer
    >>> dense = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    >>> network = Network((dense,), (SourceLayer(1, "dense", (dense,), 0),), (), (2,))
    >>> [(found.cardinality.value, found.dimension) for found in preimage(network, input=[RationalVector((1, 1))])]
    [('unbounded', 1)]
    >>> [found.cardinality.value for found in preimage(network, input=[RationalVector((0, 0))], domain=Orthant())]
    ['singleton']
    """
    given = [points for points in (input, output, layer_input) if points is not None]
    if len(given) != 1:
        raise InvalidRequestError("give exactly one of input, output and layer_input")
    if through is not None and (layer is not None or layer_input is not None):
        raise InvalidRequestError("through asks about the network from its input on; leave layer and layer_input out")
    source = network.layer(1 if layer is None else layer) if through is None else network.layer_through(through)
    within = AllSpace() if domain is None else domain
    prepared = (
        prepare(source, within, rational=rational) if through is None else prepare_through(network, source, within, rational=rational)
    )
    deadline = None if seconds is None else time.monotonic() + seconds
    results = []
    for point in given[0]:
        if output is not None:
            results.append(prepared.of_output(point if source.set_aside is None else source.set_aside.undone(point), deadline=deadline))
        else:
            x = network.layer_input(source.number, point) if input is not None and through is None else point
            results.append(prepared.of_point(x, deadline=deadline))
    return results
