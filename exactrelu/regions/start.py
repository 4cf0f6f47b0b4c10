"""The complex that the neurons then cut: cones around the hyperplanes of independent rows, clipped to the domain (R2).

Rows of the domain are taken first, then neurons of the first layer, whose hyperplanes are walls anyway. Where these do not have full rank
rows without a relu fill up: their walls are artificial, and `merging` takes them away. Directions in which neither the domain nor the
first layer changes are divided out. A domain that lies in a hyperplane is described in coordinates of that hyperplane.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.domain import AllSpace, Box, Orthant, Polytope, fixed_coordinates
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.linalg import pivot_columns, solve
from exactrelu.regions.charts import Chart, primitive
from exactrelu.regions.faces import FaceLattice, Facets
from exactrelu.regions.forms import HomogeneousLayers
from exactrelu.regions.patterns import words
from exactrelu.regions.vertices import VertexSigns, crossing_vertex, value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer
    from exactrelu.regions.charts import Row

# k independent walls make 2 * 3^k faces, and a cell of that dimension has about 3^k: beyond, walking from facet to facet is better.
_MOST_WALLS = 10
_BIT = np.uint64(1)


@dataclass(frozen=True, eq=False)
class Start:
    """The start complex in coordinates z.

    `layers` are those from the first with a relu, number `first_layer` of the network, to the last one; `inner` sends z to the coordinates
    that were asked about. `lineality` are the directions that were divided out, in the latter. `seeds` are the rows of the first layer with
    a relu whose hyperplanes are walls already. `history` holds the signs of t and of the domain's sides at the vertices where there are
    artificial walls, else None.
    """

    layers: HomogeneousLayers
    first_layer: int
    inner: Chart
    lineality: tuple[Row, ...]
    seeds: np.ndarray
    lattice: FaceLattice
    vertices: list[Row]
    history: VertexSigns | None


class _InHyperplaneError(Exception):
    """The domain lies in the hyperplane of this form."""

    def __init__(self, form: Row) -> None:
        super().__init__()
        self.form = form


def start_complex(layers: Sequence[Layer], outer: Chart, domain: Domain, *, deadline: float | None = None) -> Start | None:
    """The start complex of a network's layers on a domain of Q^n, restricted to the image of a chart.

    None where it has too many faces, and where `time.monotonic()` passes the deadline before it is there.

    Raises InvalidRequestError where the domain is empty.
    """
    sides = domain_sides(domain, len(outer.matrix) - 1)
    relus = [number for number, layer in enumerate(layers) if layer.rectified.any()]
    first, last = (relus[0], relus[-1]) if relus else (len(layers), len(layers))
    inner = Chart.identity(outer.dimension)
    if outer == inner and _surely_too_many(layers[: last + 1], first, domain, outer.dimension):
        return None
    to_first = _affine_part(layers[:first], outer)
    lines: tuple[Row, ...] = ()
    if isinstance(domain, Box) and outer == inner:
        inner = _without_fixed(domain)
    while True:
        try:
            forms = _pulled_back(sides, outer.after(inner))
            relevant = HomogeneousLayers(layers[first : last + 1], to_first.after(inner))
            neurons, others = _first_forms(relevant)
            linear = [form[:-1] for form in (*forms, *neurons.values(), *others)]
            kept = _pivots(linear, inner.dimension)
            if len(kept) < inner.dimension:
                # No form changes along the kernel of all, which with the coordinates kept spans everything.
                lines += _lineality(linear, kept, inner)
                inner = inner.at_zero(kept)
                continue
            found = _clipped_cones(forms, neurons, others, deadline)
        except _InHyperplaneError as error:
            inner = inner.restricted(error.form)
            continue
        return None if found is None else Start(relevant, first, inner, lines, *found)


def _surely_too_many(layers: Sequence[Layer], first: int, domain: Domain, n: int) -> bool:
    """Whether it is soon seen that there are more than _MOST_WALLS independent walls in Q^n, as there are in networks that read images.

    Walls of a box with so many sides of positive length are. On all of Q^n it is enough that so many are on a subspace.
    """
    if isinstance(domain, Box):
        n -= len(fixed_coordinates(domain, n))
    if n <= _MOST_WALLS or isinstance(domain, Polytope):
        return False
    if not isinstance(domain, AllSpace):
        return True
    directions = np.random.default_rng(0).integers(-1, 2, (n, _MOST_WALLS + 1)).tolist()
    subspace = Chart((*((*row, 0) for row in directions), (*(0 for _ in range(_MOST_WALLS + 1)), 1)))
    neurons, others = _first_forms(HomogeneousLayers(layers[first:], _affine_part(layers[:first], subspace)))
    return len(_pivots([form[:-1] for form in (*neurons.values(), *others)], _MOST_WALLS + 1)) > _MOST_WALLS


def _affine_part(layers: Sequence[Layer], chart: Chart) -> Chart:
    """Layers without a relu, after a chart, as a chart."""
    if not layers:
        return chart
    homogeneous = HomogeneousLayers(layers, chart)
    rows = homogeneous.of_pattern([np.ones(layer.outputs, dtype=bool) for layer in layers])
    return Chart((*rows, (*(0,) * chart.dimension, chart.scale << homogeneous.shifts[-1])))


def _first_forms(layers: HomogeneousLayers) -> tuple[dict[int, Row], list[Row]]:
    """The forms of the first layer: those of its neurons by their rows, and those without a relu that a later layer may read."""
    if not layers.layers:
        return {}, []
    rectified = layers.layers[0].rectified
    neurons = {row: layers.first[row] for row in np.flatnonzero(rectified).tolist()}
    read_later = np.flatnonzero(~rectified).tolist() if len(layers.layers) > 1 else []
    return neurons, [layers.first[row] for row in read_later]


def domain_sides(domain: Domain, n: int) -> list[Row]:
    """The domain as integer forms (n + 1,) of (x, t) that are at most 0 on it."""
    if isinstance(domain, Polytope):
        return [(*row, offset) for row, offset in zip(domain.rows, domain.offsets, strict=True)]
    if isinstance(domain, Orthant):
        return [tuple(-int(i == j) for i in range(n + 1)) for j in range(n)]
    sides: list[Row] = []
    if isinstance(domain, Box):
        for j, (low, high) in enumerate(zip(domain.lower.fractions(), domain.upper.fractions(), strict=True)):
            for sign, bound in ((-1, low), (1, high)):
                side = [0] * (n + 1)
                side[j], side[n] = sign * bound.denominator, -sign * bound.numerator
                sides.append(tuple(side))
    return sides


def _without_fixed(box: Box) -> Chart:
    """The chart of the coordinates of a box whose bounds differ."""
    pairs = list(zip(box.lower.fractions(), box.upper.fractions(), strict=True))
    free = [j for j, (low, high) in enumerate(pairs) if low != high]
    scale = math.lcm(1, *(low.denominator for low, high in pairs if low == high))
    rows = [(*(scale * int(i == j) for i in free), 0 if low != high else int(low * scale)) for j, (low, high) in enumerate(pairs)]
    return Chart((*rows, (*(0 for _ in free), scale)))


def _pulled_back(sides: Sequence[Row], chart: Chart) -> list[Row]:
    """The sides as forms of (z, tau), without constant ones and repetitions."""
    result: dict[Row, None] = {}
    for side in sides:
        form = chart.form(side)
        if not any(form[:-1]):
            if form[-1] > 0:
                raise _empty()
            continue
        if tuple(-entry for entry in form) in result:
            raise _InHyperplaneError(form)
        result[form] = None
    return list(result)


def _pivots(rows: Sequence[Row], columns: int) -> list[int]:
    """Columns (k of them) that carry the rank of the rows."""
    matrix = fmpz_mat(len(rows), columns, [entry for row in rows for entry in row])
    reduced, _, rank = matrix.rref()
    return pivot_columns(reduced, int(rank))


def _lineality(rows: Sequence[Row], kept: Sequence[int], chart: Chart) -> tuple[Row, ...]:
    """A basis of the kernel of the rows, as directions in the image of a chart."""
    independent = [rows[i] for i in _pivots(list(zip(*rows, strict=True)), len(rows))] if kept else []
    others = [j for j in range(chart.dimension) if j not in set(kept)]
    numerators: list[list[int]] = []
    denominator = 1
    if kept:
        solved = solve([[row[j] for j in kept] for row in independent], [[-row[j] for j in others] for row in independent])
        assert solved is not None
        numerators, denominator = solved
    directions = []
    for place, own in enumerate(others):
        z = [0] * (chart.dimension + 1)
        z[own] = denominator
        for entries, j in zip(numerators, kept, strict=True):
            z[j] = entries[place]
        directions.append(primitive(chart.homogeneous(z)[:-1]))
    return tuple(directions)


def _clipped_cones(
    sides: Sequence[Row], neurons: dict[int, Row], others: Sequence[Row], deadline: float | None
) -> tuple[np.ndarray, FaceLattice, list[Row], VertexSigns | None] | None:
    """The cones around independent rows, clipped to the sides: (seeds, faces, vertices, signs for merging).

    None where there are too many faces, or the deadline passes.
    """
    forms = [*sides, *neurons.values(), *others]
    walls = _pivots(list(zip(*(form[:-1] for form in forms), strict=True)), len(forms))
    if len(walls) > _MOST_WALLS:
        return None
    lattice, vertices = cones([forms[wall] for wall in walls], [wall < len(sides) for wall in walls])
    own = set(walls)
    for place, side in enumerate(sides):
        if deadline is not None and time.monotonic() > deadline:
            return None
        if place not in own:
            lattice, vertices = _clipped(lattice, vertices, side)
    rows = dict(enumerate(neurons, len(sides)))
    seeds = np.array([rows[wall] for wall in walls if wall in rows], dtype=np.int64)
    artificial = any(wall >= len(sides) + len(neurons) for wall in walls)
    return seeds, lattice, vertices, VertexSigns(_sign_words(vertices, sides)) if artificial else None


def cones(rows: Sequence[Row], one_sided: Sequence[bool]) -> tuple[FaceLattice, list[Row]]:
    """The cones into which the hyperplanes of k independent forms (k + 1,) divide Q^k; of a one-sided form only the part <= 0.

    >>> [cones([(1, 0, 0), (0, 1, 0)], [False, single])[0].counts() for single in (False, True)]
    [[5, 8, 4], [4, 5, 2]]
    """
    k = len(rows)
    solved = solve([list(row[:k]) for row in rows], [[*(int(i == j) for j in range(k)), -rows[i][k]] for i in range(k)])
    assert solved is not None
    numerators, denominator = solved
    apex = primitive([*(entries[k] for entries in numerators), denominator])
    # A face is spanned by the apex, or not, and at most one of the two rays of every row.
    faces: list[dict[tuple[bool, tuple[int, ...]], int]] = [{} for _ in range(k + 1)]
    for signs in product(*((0, -1) if single else (0, 1, -1) for single in one_sided)):
        spanned = sum(map(abs, signs))
        for with_apex in (True, False):
            if with_apex or spanned:
                numbers = faces[spanned + with_apex - 1]
                numbers[with_apex, signs] = len(numbers)
    facets: list[Facets] = []
    for below, own in pairwise(faces):
        children = []
        for with_apex, signs in own:
            smaller = [(with_apex, (*signs[:i], 0, *signs[i + 1 :])) for i in range(k) if signs[i]]
            children += [below[face] for face in (*smaller, *([(False, signs)] if with_apex else []))]
        facets.append(Facets(np.full(len(own), len(facets) + 2), np.array(children, dtype=np.int32)))
    vertices = []
    for with_apex, signs in faces[0]:
        i = next((i for i in range(k) if signs[i]), 0)
        ray = [signs[i] * entries[i] for entries in numerators] if not with_apex else []
        vertices.append(apex if with_apex else primitive([*ray, 0]))
    return FaceLattice(len(vertices), facets), vertices


def _clipped(lattice: FaceLattice, vertices: list[Row], side: Row) -> tuple[FaceLattice, list[Row]]:
    """The part of a complex in which a form is at most 0."""
    signs = [value(side, vertex) for vertex in vertices]
    if max(signs) <= 0:
        return lattice, vertices
    if min(signs) >= 0:
        if any(sign == 0 and vertex[-1] for sign, vertex in zip(signs, vertices, strict=True)):
            raise _InHyperplaneError(side)
        raise _empty()
    vertices = list(vertices)
    lattice.settle()
    lattice.mark(*(np.array([sign > 0 for sign in part], dtype=np.uint64) for part in (signs, [-sign for sign in signs])))

    def cut_edges(edges: np.ndarray, plus: np.ndarray, minus: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pairs = zip(plus.tolist(), minus.tolist(), strict=True)
        vertices.extend([crossing_vertex(side, vertices[p], vertices[n]) for p, n in pairs])
        nothing = np.zeros(len(edges), dtype=np.uint64)
        return nothing, nothing

    lattice.split(_BIT, cut_edges)
    kept = np.flatnonzero(lattice.negative[-1].values & ~lattice.positive[-1].values & _BIT)
    lattice, numbers = lattice.restricted(kept)
    return lattice, [vertices[v] for v in numbers.tolist()]


def _sign_words(vertices: Sequence[Row], sides: Sequence[Row]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Words of the signs of t and of all sides at the vertices."""
    forms: list[Row] = [(*(0,) * (len(vertices[0]) - 1), 1), *sides]
    values = ([value(form, vertex) for form in forms] for vertex in vertices)
    signs = np.array([[(one > 0) - (one < 0) for one in row] for row in values], dtype=np.int8)
    parts = [signs[:, begin : begin + 64] for begin in range(0, len(forms), 64)]
    return [(words(part > 0), words(part < 0)) for part in parts]


def _empty() -> InvalidRequestError:
    return InvalidRequestError("the domain is empty: no point satisfies all its sides, on the slice if one is given; correct them")
