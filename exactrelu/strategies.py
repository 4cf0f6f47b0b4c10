"""Hypothesis strategies for every public type, in which degenerate cases are likely: for our tests and for those of users.

Random layers are generic: no row vanishes, no point lies on a hyperplane, and a wrong decision at a tie goes unseen. Here
rows repeat, oppose each other and vanish, biases make rows exactly tight, widths of 0 and 1 and float64's smallest and
largest numbers occur. This is the only module that imports hypothesis; it comes with the extra `exactrelu[test]`.

>>> from hypothesis import given, settings
>>> from exactrelu import Cardinality, LayerPreimage
>>> @settings(max_examples=20, database=None)
... @given(layers_with_points(), st.data())
... def an_input_is_in_the_pre_image_of_its_output(case, data):
...     layer, x = case
...     domain = data.draw(domains(layer.inputs, near=x))
...     if domain.contains(x):
...         assert LayerPreimage(layer, domain).of_point(x).cardinality is not Cardinality.EMPTY
>>> an_input_is_in_the_pre_image_of_its_output()
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from exactrelu.domain import AllSpace, Ball, Box, Domain, Orthant, Polytope
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.network.model import Layer, Network, SourceLayer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = [
    "balls",
    "domains",
    "dyadic_floats",
    "dyadic_matrices",
    "layers",
    "layers_with_points",
    "networks",
    "outputs",
    "rational_vectors",
]

_SPECIAL = [0.0, -0.0, 5e-324, -5e-324, 2.0**-1022, 2.0**-149, -(2.0**-60), 1 + 2.0**-52, 1 - 2.0**-53, 2.0**100, -(2.0**900), 65504.0]
_FACTORS = (1.0, 1.0, -1.0, 2.0, -0.5)
_TIES = st.sampled_from([0.0, 1.0, -1.0])
_SMALL = st.integers(-2, 2).map(float)
_HALF = st.floats(-4, 4, width=16)
_SINGLE = st.floats(-4, 4, width=32)
_POWERS = st.builds(lambda sign, exponent: sign * 2.0**exponent, st.sampled_from([1, -1]), st.integers(-1074, 1000))
_KINDS: tuple[SearchStrategy[float], ...] = (
    _TIES,
    _SMALL,
    _HALF,
    _SINGLE,
    st.one_of(st.sampled_from(_SPECIAL), _POWERS, _SMALL),
)


def dyadic_floats() -> SearchStrategy[float]:
    """Finite floats: small integers, float16, float32, float64, powers of two from 2^-1074 to 2^1000, -0.0, subnormals."""
    return st.one_of(*_KINDS, st.floats(allow_nan=False, allow_infinity=False))


@st.composite
def dyadic_matrices(draw: DrawFn, rows: int, columns: int, *, wide: bool = True) -> DyadicMatrix:
    """A matrix of shape (rows, columns) with repeated, opposite and zero rows and zero columns.

    wide: whether some matrices hold integers beyond float64. All entries of a matrix are of one kind, see `dyadic_floats`.
    """
    if wide and draw(st.integers(0, 7)) == 0:
        entries = st.one_of(st.integers(-3, 3), st.integers(2**53, 2**70), st.integers(-(2**70), -(2**53)))
        integers = draw(st.lists(st.lists(entries, min_size=columns, max_size=columns), min_size=rows, max_size=rows))
        return DyadicMatrix.from_integers(integers, columns, draw(st.integers(-80, 8)))
    return DyadicMatrix.from_floats(draw(_degenerate_rows(rows, columns)))


@st.composite
def _degenerate_rows(draw: DrawFn, rows: int, columns: int) -> np.ndarray:
    entries = _KINDS[draw(st.integers(0, len(_KINDS) - 1))]
    values = np.array(draw(st.lists(entries, min_size=rows * columns, max_size=rows * columns)), dtype=np.float64)
    matrix = values.reshape(rows, columns)
    if rows >= 2:
        for target, source, factor in draw(
            st.lists(st.tuples(st.integers(0, rows - 1), st.integers(0, rows - 1), st.sampled_from(_FACTORS)), max_size=3)
        ):
            matrix[target] = factor * matrix[source]
        if draw(st.integers(0, 5)) == 0:
            # Opposite pairs [B; -DB], theory I5: halves that are injective only together.
            half = rows // 2
            factors = np.array(draw(st.lists(st.sampled_from([1.0, 2.0, 0.5]), min_size=half, max_size=half)))
            matrix[half : 2 * half] = -factors[:, None] * matrix[:half]
    if rows and draw(st.integers(0, 4)) == 0:
        matrix[draw(st.integers(0, rows - 1))] = 0.0
    if columns and draw(st.integers(0, 6)) == 0:
        matrix[:, draw(st.integers(0, columns - 1))] = 0.0
    return matrix


def rational_vectors(size: int) -> SearchStrategy[RationalVector]:
    """Points of Q^size: small integers and halves, which make ties, and other fractions."""
    ties = st.lists(st.sampled_from([Fraction(value, 2) for value in (0, 0, 0, 2, -2, 4, 1, -3)]), min_size=size, max_size=size)
    others = st.lists(st.fractions(-3, 3, max_denominator=12), min_size=size, max_size=size)
    return st.one_of(ties, ties, others).map(RationalVector.from_fractions)


@st.composite
def layers_with_points(
    draw: DrawFn, *, inputs: int | None = None, outputs: int | None = None, wide: bool = True
) -> tuple[Layer, RationalVector]:
    """A layer, by default with 1 to 4 inputs and 0 to 7 outputs, and an input at which some of its rows are exactly tight.

    wide: whether some weights hold more than float64 does. One mask in four leaves some outputs unrectified.
    """
    n = draw(st.integers(1, 4)) if inputs is None else inputs
    m = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 0])) if outputs is None else outputs
    x = draw(rational_vectors(n))
    weight = draw(dyadic_matrices(m, n, wide=wide))
    free = draw(_degenerate_rows(m, 1))
    at_x = [sum((a * v for a, v in zip(row, x.fractions(), strict=True)), Fraction(0)) for row in weight.fractions()]
    choices = draw(st.lists(st.sampled_from(["tight", "tight", "zero", "free", "near"]), min_size=m, max_size=m))
    biases = []
    for choice, value, own in zip(choices, at_x, free[:, 0].tolist(), strict=True):
        bias = {"tight": -value, "zero": Fraction(0), "free": Fraction(own), "near": -value + Fraction(own)}[choice]
        biases.append(bias if _is_dyadic(bias) else Fraction(own))
    denominator = max((bias.denominator for bias in biases), default=1)
    bias_column = DyadicMatrix.from_integers([[int(bias * denominator)] for bias in biases], 1, 1 - denominator.bit_length())
    everything = draw(st.integers(0, 3)) > 0
    mask = [True] * m if everything else draw(st.lists(st.booleans(), min_size=m, max_size=m))
    return Layer(weight, bias_column, np.array(mask, dtype=bool)), x


def _is_dyadic(value: Fraction) -> bool:
    return value.denominator & (value.denominator - 1) == 0


def layers(*, inputs: int | None = None, outputs: int | None = None, wide: bool = True) -> SearchStrategy[Layer]:
    """A layer alone; see `layers_with_points`."""
    return layers_with_points(inputs=inputs, outputs=outputs, wide=wide).map(lambda case: case[0])


@st.composite
def outputs(draw: DrawFn, layer: Layer) -> RationalVector:
    """An output to ask about: of some input, or one with a few entries changed, so that it may lie outside the range."""
    y = layer(draw(rational_vectors(layer.inputs))).fractions()
    changes = st.sampled_from([Fraction(value) for value in (0, 0, 0, 1, Fraction(-1, 2), Fraction(1, 3))])
    if layer.outputs and draw(st.booleans()):
        changed = draw(st.lists(changes, min_size=layer.outputs, max_size=layer.outputs))
        y = [value + change for value, change in zip(y, changed, strict=True)]
    return RationalVector.from_fractions(y)


@st.composite
def domains(draw: DrawFn, size: int, *, near: RationalVector | None = None) -> Domain:
    """All of R^size, the orthant, a box or a polytope (see `balls` for those); most contain `near`, often on their boundary.

    Boxes may have equal bounds; polytopes may have no row, rows of zeros, and no point at all.
    """
    point = draw(rational_vectors(size)) if near is None else near
    kind = draw(st.sampled_from(["all", "orthant", "box", "box", "polytope"]))
    if kind == "all":
        return AllSpace()
    if kind == "orthant":
        return Orthant()
    if kind == "box":
        return _box(draw, point.fractions())
    return _polytope(draw, point.fractions())


def balls() -> SearchStrategy[Ball]:
    """Balls around 0, for questions about injectivity alone: small radii, those that rows of small integers touch, and 0.

    A row (3, 4) with bias -5 touches the ball of radius 1; (1, 1) touches none of a rational radius.
    """
    radii = [Fraction(value) for value in (1, 1, 2, 3, Fraction(1, 2), Fraction(5, 2), Fraction(3, 5), Fraction(7, 5), 0)]
    return st.one_of(st.sampled_from(radii), st.fractions(0, 4, max_denominator=12)).map(Ball)


def _box(draw: DrawFn, point: Sequence[Fraction]) -> Box:
    distances = st.sampled_from([Fraction(0), Fraction(0), Fraction(1), Fraction(1, 3)])
    # Seldom the box misses the point on one side.
    shift = Fraction(draw(st.sampled_from([0, 0, 0, 0, 0, 0, 2])))
    lower = [value + shift - draw(distances) for value in point]
    upper = [value + shift + draw(distances) for value in point]
    return Box(RationalVector.from_fractions(lower), RationalVector.from_fractions(upper))


def _polytope(draw: DrawFn, point: Sequence[Fraction]) -> Polytope:
    rows, offsets = [], []
    for _ in range(draw(st.integers(0, 4))):
        row = draw(st.lists(st.integers(-2, 2), min_size=len(point), max_size=len(point)))
        slack = Fraction(draw(st.sampled_from([0, 0, 2, 2, 1, -2])), 2)
        offset = -sum((a * value for a, value in zip(row, point, strict=True)), slack)
        scale = math.lcm(1, offset.denominator)
        rows.append(tuple(a * scale for a in row))
        offsets.append(int(offset * scale))
    return Polytope(tuple(rows), tuple(offsets))


@st.composite
def networks(draw: DrawFn, *, inputs: int | None = None, depth: int | None = None) -> Network:
    """A dense chain of 1 to 3 layers with widths from 1 to 4, every layer a source layer."""
    count = draw(st.integers(1, 3)) if depth is None else depth
    widths = [draw(st.integers(1, 4)) if inputs is None else inputs, *draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))]
    chain = tuple(draw(layers(inputs=n, outputs=m)) for n, m in pairwise(widths))
    named = tuple(SourceLayer(i + 1, f"layer {i + 1}", (layer,), i) for i, layer in enumerate(chain))
    return Network(chain, named, (), (widths[0],))
