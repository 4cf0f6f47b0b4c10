"""Section 4.9 of proofs/FORMAT.md: composition. What is known of each layer's pre-image gives the pre-image through all of them.

One point goes back to one point through every layer, or at some layer to none. And infinitely many points with one output are
those of the first layer alone, or all points between two, or from one on along a direction, where the network is affine.
Or the cases or cells of a tree hold all points: `cases_through`, `listed_through`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from exactrelu.checker.cases_through import Cases, check_cases
from exactrelu.checker.claim import (
    Box,
    Claim,
    Domain,
    Evaluated,
    Point,
    Polytope,
    contains,
    image,
    named,
    point_of,
    read_active,
    read_cardinality,
    read_claim,
    read_point,
)
from exactrelu.checker.evidence import check_claim
from exactrelu.checker.listed_through import check_listed
from exactrelu.checker.sparse import dot
from exactrelu.checker.text import Rejected, Text, affordable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.network import Layer


MANY = ("infinite", "bounded", "unbounded")


@dataclass(frozen=True, eq=False)
class ThroughClaim:
    """A claim about the composition of the layers, with output y; `at` holds s_0 .. s_(L-1), if a point is known.

    points: how many, where the claim is about finitely many; dimension: None where the claim does not speak of it.
    """

    layers: Sequence[Layer]
    domain: Domain
    at: Sequence[Evaluated]
    y: Point
    cardinality: str
    active: int = 0
    points: int = 0
    dimension: int | None = None

    def __str__(self) -> str:
        text = f"preimage through layer {len(self.layers)} ({named(self.domain)}): {self.cardinality}"
        if self.cardinality == "finite":
            text += f", {self.points} points"
        if self.dimension is not None:
            text += f", dimension {self.dimension}"
        return text if self.cardinality == "empty" else f"{text}, {self.active} active"


def read_through_claim(text: Text, layers: Sequence[Layer], domain: Domain, kernels: Kernels) -> ThroughClaim:
    """From the subject to the claim."""
    line = text.take("subject", "3")
    subject = line.word("input", "output")
    line.done()
    at: list[Evaluated] = []
    if subject == "output":
        y = read_point(text, "output", layers[-1].outputs, "3")
    else:
        at, y = pushed(layers, read_point(text, "point", layers[0].inputs, "3"), kernels)
    fields, cardinality = read_cardinality(text, "finite")
    points, active, dimension = int(cardinality == "singleton"), 0, None
    if cardinality == "finite":
        points = fields.natural("K")
        if points < 2:
            fields.reject("finitely many points are two or more")
    if cardinality != "empty":
        active = read_active(fields, y)
    if cardinality in MANY and not fields.empty():
        dimension = fields.positive("DIM")
    fields.done()
    return ThroughClaim(layers, domain, at, y, cardinality, active, points, dimension)


def pushed(layers: Sequence[Layer], x: Point, kernels: Kernels) -> tuple[list[Evaluated], Point]:
    """s_0 .. s_(L-1) and the output of x."""
    at: list[Evaluated] = []
    bits = 0
    for layer in layers:
        at.append(Evaluated(x, kernels.evaluate(layer, x)))
        x = image(layer, at[-1].z)
        bits += sum(value.bit_length() for value in at[-1].z.numerators)
        affordable(1, bits, "3.2")
    return at, x


def check_through(text: Text, claim: ThroughClaim, kernels: Kernels) -> None:
    """The evidence that the claim's word asks for."""
    listed = claim.cardinality not in MANY or claim.dimension is not None
    if listed and text.begins("regions"):
        check_listed(text, claim.layers, claim.domain, claim.y, kernels, claim.cardinality, claim.points, claim.dimension)
    elif claim.cardinality == "finite" or claim.dimension is not None or (claim.cardinality not in MANY and text.begins("cases")):
        cases = Cases(claim.layers, claim.domain, claim.y, kernels)
        check_cases(text, cases, claim.cardinality, claim.points, claim.dimension)
    elif claim.cardinality in MANY:
        check_infinite(text, claim, kernels)
    else:
        check_backwards(text, claim, kernels)


def read_part(text: Text, claim: ThroughClaim, number: int, y: Point, kernels: Kernels) -> tuple[Claim, Point | None]:
    """A claim about layer `number` at the output y, proved; and the point it stands on, if it says that there is one."""
    fields = text.take("part", "4.9")
    if fields.natural("k") != number:
        fields.reject(f"the part for layer {number} belongs here")
    fields.done()
    domain = claim.domain if number == 1 else "orthant" if all(claim.layers[number - 2].rectified) else "all"
    at = claim.at[number - 1] if claim.at else None
    part = read_claim(text, number, claim.layers[number - 1], domain, at, y)
    base = check_claim(text, part, kernels)
    return part, base.x if base else None


def check_backwards(text: Text, claim: ThroughClaim, kernels: Kernels) -> None:
    """The only point with the output y, the only one with that one as its output, and so on; or at some layer there is none."""
    y = claim.y
    for number in range(len(claim.layers), 0, -1):
        part, x = read_part(text, claim, number, y, kernels)
        if part.cardinality not in ("singleton", claim.cardinality):
            raise Rejected("4.9", f"a part of a claim {claim.cardinality} says {part.cardinality}")
        if x is None:
            return
        y = x
    if claim.cardinality == "empty":
        raise Rejected("4.9", "no part is empty")


def check_infinite(text: Text, claim: ThroughClaim, kernels: Kernels) -> None:
    """Infinitely many points with the output of x; a claim about boundedness needs more."""
    if not claim.at or not contains(claim.domain, claim.at[0].x):
        claim = at_solution(text, claim, kernels)
    if claim.cardinality == "bounded" and not isinstance(claim.domain, Box):
        raise Rejected("4.9", "`bounded` is for a box")
    if text.begins("part"):
        part, _ = read_part(text, claim, 1, image(claim.layers[0], claim.at[0].z), kernels)
        if part.cardinality not in (("unbounded",) if claim.cardinality == "unbounded" else ("bounded", "unbounded", "infinite")):
            raise Rejected("4.9", f"a part of a claim {claim.cardinality} says {part.cardinality}")
    elif text.begins("second"):
        check_second(text, claim, kernels)
    else:
        check_direction(text, claim, kernels)


def at_solution(text: Text, claim: ThroughClaim, kernels: Kernels) -> ThroughClaim:
    """The claim with a point of the domain that has the output."""
    x = read_point(text, "solution", claim.layers[0].inputs, "4.9")
    at, y = pushed(claim.layers, x, kernels)
    if not contains(claim.domain, x) or not y.equals(claim.y):
        raise Rejected("4.9", "the solution is not in the domain, or does not have the output")
    return replace(claim, at=at)


def check_second(text: Text, claim: ThroughClaim, kernels: Kernels) -> None:
    """No relu changes sign between x and the second point, so that the network is affine there, and constant as it is at the ends."""
    fields = text.take("second", "4.9")
    if claim.cardinality == "unbounded":
        fields.reject("a second point does not show that the pre-image is unbounded")
    other = point_of(fields, claim.layers[0].inputs, "a point")
    if other.equals(claim.at[0].x):
        fields.reject("the second point is the first")
    if not contains(claim.domain, other):
        fields.reject("the second point is not in the domain")
    for layer, at in zip(claim.layers, claim.at, strict=True):
        z = kernels.evaluate(layer, other)
        if any(marked and (u > 0 > v or u < 0 < v) for u, v, marked in zip(at.z.numerators, z.numerators, layer.rectified, strict=True)):
            fields.reject("a relu is positive at one of the points and negative at the other")
        other = image(layer, z)
    if not other.equals(claim.y):
        fields.reject("the second point does not have the output")


def check_direction(text: Text, claim: ThroughClaim, kernels: Kernels) -> None:
    """x + t d has the output of x for all t >= 0: every relu stays on its side, or follows d from its kink."""
    fields = text.take("direction", "4.9")
    if claim.cardinality == "bounded":
        fields.reject("a direction does not show that the pre-image is bounded")
    d = point_of(fields, claim.layers[0].inputs, "a direction")
    if not any(d.numerators):
        fields.reject("the direction is 0")
    if not keeps(claim.domain, d):
        fields.reject("the direction leaves the domain")
    for layer, at in zip(claim.layers, claim.at, strict=True):
        slopes = kernels.evaluate(layer, d, constants=False)
        if any(
            marked and (z > 0 > slope or z < 0 < slope)
            for z, slope, marked in zip(at.z.numerators, slopes.numerators, layer.rectified, strict=True)
        ):
            fields.reject("a relu changes sign along the direction")
        d = Point(
            slopes.denominator,
            [
                slope if z > 0 or not marked else max(slope, 0) if z == 0 else 0
                for z, slope, marked in zip(at.z.numerators, slopes.numerators, layer.rectified, strict=True)
            ],
        )
    if any(d.numerators):
        fields.reject("the output changes along the direction")


def keeps(domain: Domain, d: Point) -> bool:
    """Whether d, not 0, leads nowhere out of the domain."""
    if isinstance(domain, Polytope):
        return all(dot(coefficients, d.numerators) <= 0 for _, coefficients in domain.rows)
    return domain == "all" or (domain == "orthant" and all(v >= 0 for v in d.numerators))
