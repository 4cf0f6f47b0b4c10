"""Section 4.11 of proofs/FORMAT.md, bias limit: for every larger t the layer, biases lowered by t, gives two inputs one output.

Biases lowered by t are those of the rectified rows minus t. At a limit a point x* and two others u and v collide for every larger t,
drawn close to x* (theory I4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exactrelu.checker.claim import contains, read_point
from exactrelu.checker.text import Rejected

if TYPE_CHECKING:
    from fractions import Fraction

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.claim import Domain
    from exactrelu.checker.network import Layer
    from exactrelu.checker.text import Text

SECTION = "4.11"


def check_bias_limit(text: Text, layer: Layer, domain: Domain, limit: Fraction, kernels: Kernels) -> None:
    """Three points of the domain: on u and v rows agree, or they are rectified and at most the limit at x*."""
    points = [read_point(text, word, layer.inputs, SECTION) for word in ("point", "first", "second")]
    if points[1].equals(points[2]):
        raise Rejected(SECTION, "the points u and v are the same")
    if not all(contains(domain, point) for point in points):
        raise Rejected(SECTION, "a point is not in the domain")
    x, u, v = (kernels.evaluate(layer, point) for point in points)
    for j, rectified in enumerate(layer.rectified):
        below = rectified and x.numerators[j] * limit.denominator <= limit.numerator * x.denominator
        if not below and u.numerators[j] * v.denominator != v.numerators[j] * u.denominator:
            raise Rejected(SECTION, f"row {j} is above the limit at x*, or not rectified, and differs between u and v")
