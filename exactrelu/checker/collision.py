"""Section 4.10 of proofs/FORMAT.md, `collision`: two different inputs with one output are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exactrelu.checker.claim import Domain, Point, contains, image, read_point
from exactrelu.checker.text import Rejected, Text, affordable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.network import Layer


def check_collision(text: Text, layers: Sequence[Layer], domain: Domain, kernels: Kernels, lowered: Fraction) -> None:
    """Two points of the domain at which the composition of the layers, biases of rectified rows lowered, has the same value."""
    first = read_point(text, "first", layers[0].inputs, "4.10")
    second = read_point(text, "second", layers[0].inputs, "4.10")
    if first.equals(second):
        raise Rejected("4.10", "the two points are the same")
    if not (contains(domain, first) and contains(domain, second)):
        raise Rejected("4.10", "a point is not in the domain")
    if not output(layers, first, kernels, lowered).equals(output(layers, second, kernels, lowered)):
        raise Rejected("4.10", "the two points have different outputs")


def output(layers: Sequence[Layer], x: Point, kernels: Kernels, lowered: Fraction) -> Point:
    """The layers one after the other."""
    for layer in layers:
        x = image(layer, minus(kernels.evaluate(layer, x), lowered, layer.rectified))
        affordable(1, sum(value.bit_length() for value in x.numerators), "4.10")
    return x


def minus(z: Point, lowered: Fraction, marked: Sequence[bool]) -> Point:
    """The values z, those marked lowered."""
    if not lowered:
        return z
    affordable(len(marked), z.denominator.bit_length() + lowered.denominator.bit_length(), "4.10")
    by = lowered.numerator * z.denominator
    values = [value * lowered.denominator - by * mark for value, mark in zip(z.numerators, marked, strict=True)]
    return Point(z.denominator * lowered.denominator, values)
