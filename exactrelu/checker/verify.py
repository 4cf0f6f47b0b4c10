"""Section 3 of proofs/FORMAT.md: a certificate from its header to its end, about one layer or through several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.checker.claim import Claim, Domain, Evaluated, image, named, read_claim, read_domain, read_point
from exactrelu.checker.collision import check_collision
from exactrelu.checker.evidence import check_claim
from exactrelu.checker.injectivity import check_injective
from exactrelu.checker.through import ThroughClaim, check_through, read_through_claim

if TYPE_CHECKING:
    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.network import Network
    from exactrelu.checker.text import Text


@dataclass(frozen=True)
class ClaimOfAllInputs:
    """Section 3.4: that a layer is injective on a domain, or that it or the layers up to it are not."""

    number: int
    through: bool
    domain: Domain
    word: str

    def __str__(self) -> str:
        return f"{'through ' if self.through else ''}layer {self.number} ({named(self.domain)}): {self.word}"


def verify(text: Text, network: Network, kernels: Kernels) -> Claim | ThroughClaim | ClaimOfAllInputs:
    """The claim of a certificate of this network, read from after its `network` line to its end. Raises `Rejected`."""
    without_data = read_data(text)
    scope = text.take("scope", "3")
    kind = scope.word("layer", "through")
    number = scope.positive("the layer's number")
    scope.done()
    if number > len(network.layers):
        scope.reject(f"the network has {len(network.layers)} layers")
    layers = network.layers[:number]
    domain = read_domain(text, layers[-1 if kind == "layer" else 0].inputs)
    claim: Claim | ThroughClaim | ClaimOfAllInputs
    if text.begins("subject layer") or text.begins("subject network"):
        claim = read_claim_of_all_inputs(text, kind, number, domain)
        if not without_data:
            scope.reject("no array file belongs to a claim about all inputs")
        if claim.word == "injective":
            check_injective(text, layers[-1], domain, kernels)
        else:
            check_collision(text, layers if claim.through else layers[-1:], domain, kernels)
    elif kind == "layer":
        claim = read_claim_of_layer(text, network, number, domain, kernels)
        check_claim(text, claim, kernels)
    else:
        claim = read_through_claim(text, layers, domain, kernels)
        check_through(text, claim, kernels)
    text.end("4")
    return claim


def read_data(text: Text) -> bool:
    """Where a point comes from, on which nothing relies; whether it says `none`."""
    data = text.take("data", "3")
    if data.alone("none"):
        return True
    data.sha256()
    data.natural("a row")
    data.positive("P")
    data.positive("Q")
    data.done()
    return False


def read_claim_of_all_inputs(text: Text, kind: str, number: int, domain: Domain) -> ClaimOfAllInputs:
    """The subject and the claim."""
    through = kind == "through"
    text.take("subject network" if through else "subject layer", "3").done()
    fields = text.take("claim", "3.4")
    claim = ClaimOfAllInputs(number, through, domain, fields.word("collision", *([] if through else ["injective"])))
    fields.done()
    return claim


def read_claim_of_layer(text: Text, network: Network, number: int, domain: Domain, kernels: Kernels) -> Claim:
    """From the subject to the claim of a certificate about one point of one layer."""
    layer = network.layers[number - 1]
    line = text.take("subject", "3")
    subject = line.word("input", "layer-input", "output")
    line.done()
    if subject == "output":
        return read_claim(text, number, layer, domain, None, read_point(text, "output", layer.outputs, "3"))
    x = read_point(text, "point", network.inputs if subject == "input" else layer.inputs, "3")
    if subject == "input":
        for before in network.layers[: number - 1]:
            x = image(before, kernels.evaluate(before, x))
    z = kernels.evaluate(layer, x)
    return read_claim(text, number, layer, domain, Evaluated(x, z), image(layer, z))
