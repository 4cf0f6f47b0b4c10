"""What a verdict on a layer leaves open: how much of its injectivity is left over, and how well it can be inverted (theory I4, I6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exactrelu.injectivity.margins.bias_margin import bias_margin, part_of_time
from exactrelu.injectivity.margins.inverse_lipschitz import inverse_lipschitz
from exactrelu.injectivity.margins.largest_box import largest_box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.answer import LayerInjectivity
    from exactrelu.injectivity.margins.bias_margin import BiasMargin
    from exactrelu.injectivity.margins.inverse_lipschitz import InverseLipschitz
    from exactrelu.injectivity.margins.largest_box import LargestBox
    from exactrelu.network.model import Layer


@dataclass(frozen=True, eq=False)
class Margins:
    """The margins of a layer on a domain.

    inverse_lipschitz: None for a layer that is not injective, and where no bound was found in time; largest_box: None without points.
    """

    domain: Domain
    bias_margin: BiasMargin
    inverse_lipschitz: InverseLipschitz | None
    largest_box: LargestBox | None

    def record(self) -> dict[str, Any]:
        """The answer in the words of the JSON interface."""
        return {
            "bias_margin": self.bias_margin.record(),
            "inverse_lipschitz_upper": None if self.inverse_lipschitz is None else self.inverse_lipschitz.upper,
            "largest_box": None if self.largest_box is None else self.largest_box.record(),
        }

    def certificates(self, *, network_sha256: str, layer_number: int) -> dict[str, str]:
        """The texts of all certificates by what they are of: `injective-lowered`, `bias-limit`, `expansion`, `box-injective`, .."""
        texts = self.bias_margin.certificates(network_sha256=network_sha256, layer_number=layer_number, domain=self.domain)
        if self.inverse_lipschitz is not None:
            text = self.inverse_lipschitz.certificate(network_sha256=network_sha256, layer_number=layer_number, domain=self.domain)
            texts |= {} if text is None else {"expansion": text}
        if self.largest_box is not None:
            texts |= self.largest_box.certificates(network_sha256=network_sha256, layer_number=layer_number)
        return texts


def margins(
    layer: Layer, domain: Domain, found: LayerInjectivity, *, points: Sequence[RationalVector] = (), deadline: float | None = None
) -> Margins:
    """The margins of a layer, weights (m, n), on a domain on which `found` is the verdict.

    points: inputs around which the largest box is sought; deadline: a time of `time.monotonic()`, shared out among the margins.
    Raises InvalidRequestError where the domain or a point is of another dimension. Theory I4, I6.

    >>> import numpy as np
    >>> from exactrelu import AllSpace, DyadicMatrix, Layer
    >>> from exactrelu.injectivity.layer import decide_layer
    >>> weight, bias = DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.5]])
    >>> layer = Layer(weight, bias, np.array([True, True]))
    >>> record = margins(layer, AllSpace(), decide_layer(layer, AllSpace())).record()
    >>> record["bias_margin"]["value"], record["inverse_lipschitz_upper"], record["largest_box"]
    ('1/4', '2', None)
    """
    lipschitz = None
    if found.proof is not None:
        lipschitz = inverse_lipschitz(layer, domain, evidence=found.proof, deadline=part_of_time(deadline, 3))
    margin = bias_margin(layer, domain, found=found, deadline=part_of_time(deadline, 2 if points else 1))
    box = largest_box(layer, points, deadline=deadline) if points else None
    return Margins(domain, margin, lipschitz, box)
