"""Section 3 of proofs/FORMAT.md: a certificate from its header to its end, about one layer or through several."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from exactrelu.checker.bias_limit import check_bias_limit
from exactrelu.checker.claim import Ball, Claim, Domain, Evaluated, image, named, read_claim, read_domain, read_point
from exactrelu.checker.collision import check_collision
from exactrelu.checker.evidence import check_claim
from exactrelu.checker.expansion import check_expansion
from exactrelu.checker.injectivity import check_injective
from exactrelu.checker.injectivity_network import check_injective_network
from exactrelu.checker.ratio import half_root, read_ratio, short
from exactrelu.checker.regions import check_regions
from exactrelu.checker.regions_tree import check_region_tree, identity, read_slice
from exactrelu.checker.text import Rejected
from exactrelu.checker.through import ThroughClaim, check_through, read_through_claim
from exactrelu.checker.windows import check_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.claim import Point
    from exactrelu.checker.network import Layer, Network
    from exactrelu.checker.text import Text

ZERO = Fraction(0)
COUNT = 2**64


@dataclass(frozen=True)
class ClaimOfAllInputs:
    """Sections 3.4, 3.5: what holds for all inputs of a layer, or of the layers up to it; `bound` and `counts` are the claim's numbers.

    chart: of a slice, its directions and its origin; see `read_slice`.
    """

    number: int
    through: bool
    domain: Domain
    word: str
    lowered: Fraction = ZERO
    bound: Fraction = ZERO
    counts: tuple[int, int] = (0, 0)
    chart: Sequence[Point] | None = None

    def __str__(self) -> str:
        changed = f", biases lowered by {short(self.lowered)}" if self.lowered else ""
        said = self.word
        if said == "bias-limit":
            said = f"not injective once biases are lowered by more than {short(self.bound)}"
        elif said == "expansion":
            said = f"||f(x) - f(y)|| >= {half_root(self.bound)} ||x - y||"
        elif said == "regions":
            said = f"{self.counts[0]} activation regions, {self.counts[1]} adjacencies"
            if self.chart is not None:
                said += f", on a slice of dimension {len(self.chart) - 1}"
        return f"{'through ' if self.through else ''}layer {self.number} ({named(self.domain)}){changed}: {said}"


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
        claim = read_claim_of_all_inputs(text, kind, number, domain, layers[0].inputs)
        if not without_data:
            scope.reject("no array file belongs to a claim about all inputs")
        check_claim_of_all_inputs(text, claim, layers if claim.through else layers[-1:], kernels)
    elif isinstance(domain, Ball):
        raise Rejected("3.1", "a ball is a domain of claims about all inputs only")
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


def read_claim_of_all_inputs(text: Text, kind: str, number: int, domain: Domain, inputs: int) -> ClaimOfAllInputs:
    """The subject and the claim; `inputs` of the network."""
    through = kind == "through"
    text.take("subject network" if through else "subject layer", "3").done()
    changed = not through and text.begins("lowered")
    lowered = read_ratio(text.take("lowered", "3.4")) if changed else ZERO
    chart = read_slice(text, inputs) if through and text.begins("slice") else None
    fields = text.take("claim", "3.4")
    word = fields.word("collision", "injective", *(["regions"] if through else ["bias-limit", "expansion"]))
    bound, counts = ZERO, (0, 0)
    if word in {"bias-limit", "expansion"}:
        bound = read_ratio(fields)
    elif word == "regions":
        counts = fields.natural("R", COUNT), fields.natural("A", COUNT)
    fields.done()
    if word != "regions" and chart is not None:
        fields.reject("only regions are asked for on a slice")
    if word == "bias-limit" and changed:
        fields.reject("a limit is that of the layer as it is, without `lowered`")
    if word == "expansion" and bound <= 0:
        fields.reject("N is not positive")
    return ClaimOfAllInputs(number, through, domain, word, lowered, bound, counts, chart)


def check_claim_of_all_inputs(text: Text, claim: ClaimOfAllInputs, layers: Sequence[Layer], kernels: Kernels) -> None:
    """The evidence of sections 4.10 to 4.16."""
    domain, layer = claim.domain, layers[-1]
    if claim.word == "injective" and claim.through:
        check_injective_network(text, layers, domain, kernels)
    elif claim.word == "injective":
        check = check_windows if text.begins("windows") else check_injective
        check(text, layer, domain, kernels, claim.lowered)
    elif claim.word == "collision":
        check_collision(text, layers, domain, kernels, claim.lowered)
    elif claim.word == "bias-limit":
        check_bias_limit(text, layer, domain, claim.bound, kernels)
    elif claim.word == "regions" and (claim.chart is not None or text.begins("tree")):
        check_region_tree(text, layers, claim.chart or identity(layers[0].inputs), domain, kernels, *claim.counts)
    elif claim.word == "regions":
        check_regions(text, layers, domain, kernels, *claim.counts)
    else:
        check_expansion(text, layer, domain, claim.bound, kernels, claim.lowered)


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
