"""What people hold in their hands, a torch module or an exact layer, as a question about injectivity.

A module without an activation, such as `model[0]`, is taken with the relu that follows it in the model: if that is injective, the affine
map before it is too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.interval_image import domain_for
from exactrelu.network.model import Layer, Network, SourceLayer
from exactrelu.network.readers import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.answer import LayerInjectivity
    from exactrelu.injectivity.cases.resume import State

ACTIVATIONS = ("relu", None)


def layer_injectivity(
    layer: Any,
    domain: str | Domain = "all",
    *,
    input_shape: Sequence[int] | None = None,
    activation: str | None = "relu",
    seconds: float | None = None,
    points: Sequence[RationalVector] = (),
    resume: State | None = None,
    widen: bool = True,
) -> LayerInjectivity:
    """Decide whether a layer is injective on a domain.

    layer: a torch.nn.Module of one layer, such as Linear, or Conv2d with `input_shape` (1, channels, height, width), with or without its
    relu; an exact Layer; or (Network, number or name of a layer). A module without an activation is asked about with a relu after it, or
    as the affine map it is where `activation` is None. domain: as on the command line (`image:D` is for a layer of a Network), or a
    Domain; seconds: the time after which the answer is "undecided"; points: inputs near which a collision is looked for; resume: the
    state of an undecided answer (`progress.state`) to go on from; widen: whether to look for two inputs far apart once a collision is
    known.

    Raises InvalidRequestError for a module of several layers, a layer that does not exist, an empty domain and a state that does not fit,
    UnsupportedModelError for a module that cannot be read, InvalidNumberError for weights that are not finite. Theory I2.

    >>> from exactrelu import demo, load
    >>> found = layer_injectivity((load(demo.MODEL), 1), "box:0,1")
    >>> found.verdict, found.collision.x != found.collision.y
    ('not-injective', True)
    """
    from exactrelu.injectivity import injectivity

    network, which = asked(layer, input_shape=input_shape, activation=activation)
    where = domain_for(domain, network, network.layer(which)) if isinstance(domain, str) else domain
    return injectivity(network, layer=which, domain=where, points=points, seconds=seconds, resume=resume, widen=widen)


def asked(layer: Any, *, input_shape: Sequence[int] | None = None, activation: str | None = "relu") -> tuple[Network, int | str]:
    """The network and the layer of it that `layer_injectivity` asks about; its arguments, and what they raise."""
    if activation not in ACTIVATIONS:
        raise InvalidRequestError(f"activation {str(activation)[:40]!r} is not known; give 'relu', or None for the affine map alone")
    if isinstance(layer, Layer):
        return Network((layer,), (SourceLayer(1, "layer", (layer,), 0),), (), (layer.inputs,)), 1
    if isinstance(layer, tuple) and len(layer) == 2 and isinstance(layer[0], Network):
        return layer
    network = load(layer, input_shape=input_shape)
    sources = network.source_layers
    if len(sources) != 1:
        raise InvalidRequestError(
            f"the module has {len(sources)} layers ({', '.join(source.name for source in sources[:8])}); give one of them, such as model[0]"
        )
    return (network if activation is None else with_relu(network)), 1


def with_relu(network: Network) -> Network:
    """The network of one layer with a relu after it, or as it is where it has an activation."""
    (source,) = network.source_layers
    *before, last = network.layers
    if before or source.set_aside is not None or last.rectified.any():
        return network
    rectified = replace(last, rectified=np.ones(last.outputs, dtype=bool))
    return replace(network, layers=(rectified,), source_layers=(replace(source, stages=(rectified,)),))
