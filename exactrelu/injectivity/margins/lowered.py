"""A layer whose biases are lowered by a number t: a layer again, in dyadic numbers, and its proofs in the rows as they were.

t = N / (2^k s) with s odd is no dyadic number unless s = 1. The layer with all rows multiplied by s has the same collisions; what a
proof says of its rows is said of the old ones after multipliers that stand beside the domain's own rows are adapted.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from exactrelu.certificates.injectivity import Dependency, Proof, Spanned, Tree
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.network.model import Layer

if TYPE_CHECKING:
    from fractions import Fraction

    from exactrelu.injectivity.question import Question


def lowered(layer: Layer, by: Fraction) -> tuple[Layer, int]:
    """The layer with `by` subtracted from the biases of its rectified rows, all rows times an odd integer s; and s.

    >>> from fractions import Fraction
    >>> import numpy as np
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0]]), DyadicMatrix.from_floats([[0.5]]), np.array([True]))
    >>> changed, scale = lowered(layer, Fraction(1, 3))
    >>> changed.weight.fractions(), changed.bias.fractions(), scale
    ([[Fraction(3, 1)]], [[Fraction(1, 2)]], 3)
    """
    power = (by.denominator & -by.denominator).bit_length() - 1
    scale = by.denominator >> power
    rows, low = layer.weight.common
    weight = layer.weight if scale == 1 else DyadicMatrix.from_integers([[scale * v for v in row] for row in rows], layer.inputs, low)
    biases, exponent = layer.bias.common
    common = min(exponent, -power)
    moved = [
        [(scale * bias << (exponent - common)) - marked * (by.numerator << (-power - common))]
        for (bias,), marked in zip(biases, layer.rectified.tolist(), strict=True)
    ]
    return Layer(weight, DyadicMatrix.from_integers(moved, 1, common), layer.rectified), scale


def unscaled(proof: Proof, question: Question, scale: int) -> Proof:
    """A proof about a layer whose rows were multiplied by s, said of the rows themselves; question: any about the same domain."""
    if scale == 1:
        return proof
    dependencies = tuple(_dependency(one, scale) for one in proof.dependencies)
    if not isinstance(proof.conclusion, Tree):
        return replace(proof, dependencies=dependencies)
    first = len(question.unrectified) + len(proof.certain)
    own = range(first, first + len(question.equalities()))
    nodes = tuple(_spanned(node, scale, own) if isinstance(node, Spanned) else node for node in proof.conclusion.nodes)
    return replace(proof, dependencies=dependencies, conclusion=replace(proof.conclusion, nodes=nodes))


def _dependency(one: Dependency, scale: int) -> Dependency:
    if not one.sides:
        return one
    common = math.gcd(*(scale * value for value in one.multipliers), *one.side_multipliers)
    return replace(
        one,
        multipliers=tuple(scale * value // common for value in one.multipliers),
        side_multipliers=tuple(value // common for value in one.side_multipliers),
    )


def _spanned(node: Spanned, scale: int, own: range) -> Spanned:
    """denominator * s row = sum of coefficient * s row, and of coefficient * row at the places `own` of the domain's rows."""
    coefficients = [value if place in own else scale * value for place, value in zip(node.places, node.coefficients, strict=True)]
    common = math.gcd(scale * node.denominator, *coefficients)
    return replace(node, denominator=scale * node.denominator // common, coefficients=tuple(value // common for value in coefficients))
