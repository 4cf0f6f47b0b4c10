"""Section 4.10 of proofs/FORMAT.md, `collision`: two different inputs with one output are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exactrelu.checker.claim import Domain, Point, contains, image, read_point
from exactrelu.checker.text import Rejected, Text, affordable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.network import Layer


def check_collision(text: Text, layers: Sequence[Layer], domain: Domain, kernels: Kernels) -> None:
    """Two points of the domain at which the composition of the layers has the same value."""
    first = read_point(text, "first", layers[0].inputs, "4.10")
    second = read_point(text, "second", layers[0].inputs, "4.10")
    if first.equals(second):
        raise Rejected("4.10", "the two points are the same")
    if not (contains(domain, first) and contains(domain, second)):
        raise Rejected("4.10", "a point is not in the domain")
    if not output(layers, first, kernels).equals(output(layers, second, kernels)):
        raise Rejected("4.10", "the two points have different outputs")


def output(layers: Sequence[Layer], x: Point, kernels: Kernels) -> Point:
    """The layers one after the other."""
    for layer in layers:
        x = image(layer, kernels.evaluate(layer, x))
        affordable(1, sum(value.bit_length() for value in x.numerators), "4.10")
    return x
