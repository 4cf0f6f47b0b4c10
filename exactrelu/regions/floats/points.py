"""Coordinates of vertices in double-double with a proved bound: each found from two older ones, without its integers.

Let p, n be the vertices of an edge and P, N multiples of them that are within e_p, e_n of what is held, in every coordinate. A form f with
f(P) > 0 > f(N) vanishes at V = (1 - l) N + l P, l = -f(N) / (f(P) - f(N)). Where a, b > 0 are within d_p, d_n of f(P), -f(N), and s = a + b
exceeds d_p + d_n, the l' = b / s that they give has |l' - l| <= (l' d_p + (1 - l') d_n) / (s - d_p - d_n), and

    |l' p + (1 - l') n - V| <= l' e_p + (1 - l') e_n + |l' - l| (|p - n| + e_p + e_n),

all norms being largest entries. The last factor is small on a short edge, which is why neighbours are to be held at one scale. So a vertex
loses a digit or two with every generation, of thirty; where ten are left at most, its integers are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.rounding import UNIT_ROUNDOFF, float_arithmetic_is_sound
from exactrelu.regions.faces import Column
from exactrelu.regions.floats.double_double import two_product, two_sum
from exactrelu.regions.floats.filter import FloatFilter
from exactrelu.regions.floats.forms import FloatForms
from exactrelu.regions.floats.layers import FloatLayers, scaled_pairs
from exactrelu.regions.patterns import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exactrelu.regions.forms import HomogeneousLayers
    from exactrelu.regions.patterns import Block
    from exactrelu.regions.vertices import Vertices

# What double-double operations here round, for k + 1 coordinates of size 1: less than 2^-96 (k + 1)^3.
_ROUNDING = 2.0**-96
_UNDERFLOW = 2.0**-1000
_UPWARDS = 1 + 2.0**-40
_LARGEST_ERROR = 2.0**-36
_SMALLEST_SIZE = 2.0**-20


class FloatPoints:
    """Of every vertex a multiple: `high` + `low`, (p, k + 1) each, are within `error` (p,) of it in every coordinate."""

    def __init__(self, layers: HomogeneousLayers, vertices: Vertices) -> None:
        self._vertices = vertices
        self._width = layers.chart.dimension + 1
        scaled = FloatLayers(layers)
        self._filter, self._forms = FloatFilter(scaled), FloatForms(scaled)
        self._high, self._low, self._error = map(Column, self._from_integers(range(len(vertices))))

    def begin_layer(self, patterns: list[tuple[Block, np.ndarray]]) -> None:
        """The words of the blocks of all layers so far, of every root of the next layer."""
        self._forms.begin_layer(patterns)

    def signs(self, block: Block, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The signs of a block's neurons at vertices that are proved, as words (positive, negative)."""
        high = self._high.values[vertices]
        errors = self._error.values[vertices] + UNIT_ROUNDOFF * _size(high)
        positive, negative = self._filter.signs(block.layer, block.rows, high, errors)
        return words(positive), words(negative)

    def extend(self, layer: int, neuron: int, roots: np.ndarray, plus: np.ndarray, minus: np.ndarray) -> None:
        """The next vertices: where the neuron vanishes between `plus` and `minus`, which lie in these roots."""
        first = len(self._high)
        found = [np.zeros((len(plus), self._width)), np.zeros((len(plus), self._width)), np.full(len(plus), np.inf)]
        if float_arithmetic_is_sound():
            own, place = np.unique(roots, return_inverse=True)
            with np.errstate(all="ignore"):
                form = [part[place] for part in self._forms.of(layer, neuron, own)]
                found = list(_crossings(form, self._held(plus), self._held(minus)))
        for column, part in zip((self._high, self._low, self._error), found, strict=True):
            column.extend(part)
        size = np.abs(found[0]).max(axis=1)
        unsure = np.flatnonzero(~((found[2] <= _LARGEST_ERROR * size) & (size <= 2)))
        if len(unsure):
            exact = self._from_integers((first + unsure).tolist())
            for column, part in zip((self._high, self._low, self._error), exact, strict=True):
                column.values[first + unsure] = part

    def _held(self, vertices: np.ndarray) -> list[np.ndarray]:
        return [column.values[vertices] for column in (self._high, self._low, self._error)]

    def _from_integers(self, vertices: Iterable[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        high, low = scaled_pairs((self._vertices[v] for v in vertices), self._width)
        return high, low, np.full(len(high), 2.0**-105)


def _crossings(form: list[np.ndarray], p: list[np.ndarray], n: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where forms vanish between points, each (high, low, error): as the module says, in its letters."""
    a_high, a_low, d_p = _values(form, p)
    b_high, b_low, d_n = _values(form, n)
    b_high, b_low = -b_high, -b_low
    s = a_high + b_high
    l_high, l_low = _times(b_high, b_low, 1 / s)
    m_high, m_low = _times(a_high, a_low, 1 / s)
    # Multiplied by fl(1 / s) instead of divided by s: this scales V by 1 + 4u at most.
    first, first_rest = _times(p[0], p[1], l_high[:, None], l_low[:, None])
    second, second_rest = _times(n[0], n[1], m_high[:, None], m_low[:, None])
    total, rest = two_sum(first, second)
    high, low = two_sum(total, rest + (first_rest + second_rest))
    rounding = _ROUNDING * (_size(p[0]) + _size(n[0]))
    short = (s * (1 - 2.0**-50) - d_p) - d_n
    moved = (l_high * d_p + m_high * d_n) / short * (_size((p[0] - n[0]) + (p[1] - n[1])) + p[2] + n[2] + rounding)
    error = (l_high * p[2] + m_high * n[2] + moved) * _UPWARDS + rounding + _UNDERFLOW
    error = np.where((a_high > 0) & (b_high > 0) & (short > 0), error, np.inf)
    # Seldom far below 1, where p is nearly -n; but products must not underflow.
    exponent = np.where(_size(high) < _SMALLEST_SIZE, -np.frexp(_size(high))[1], 0)
    return np.ldexp(high, exponent[:, None]), np.ldexp(low, exponent[:, None]), np.ldexp(error, exponent)


def _values(form: list[np.ndarray], point: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(high, low, bound of the error) of forms at points, both within their own errors."""
    products, rests = _times(form[0], form[1], point[0], point[1])
    total, rest = products[:, 0], rests[:, 0]
    for j in range(1, products.shape[1]):
        total, error = two_sum(total, products[:, j])
        rest = rest + (error + rests[:, j])
    high, low = two_sum(total, rest)
    k = products.shape[1]
    bound = np.abs(form[0]).sum(axis=1) * point[2] + form[2] * (np.abs(point[0]).sum(axis=1) + k * point[2])
    return high, low, bound * _UPWARDS + _ROUNDING * k**3 * _size(point[0]) + _UNDERFLOW


def _times(a: np.ndarray, a_low: np.ndarray, b: np.ndarray, b_low: np.ndarray | float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The product of two pairs, within 8 u^2 of it for pairs of size 1."""
    product, rest = two_product(a, b)
    return product, rest + (a * b_low + a_low * b)


def _size(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(points).max(axis=1))
