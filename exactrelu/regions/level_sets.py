"""Where a network takes a value, from the list of its regions: the faces on which every output is it (R3, P1).

On a piece of the complex every output is affine. Pieces on which some output is above the value at all vertices and rays, or below at all,
are left out; a float evaluation with a proved bound shows most of these. The others are cut along the outputs; what is asked for is then
the union of the faces at all of whose vertices and rays the outputs are the value. New vertices lie on edges, on which the coordinates and
the outputs are affine: the exact numbers at the old vertices are all that is needed.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.rounding import UNIT_ROUNDOFF
from exactrelu.network.model import Layer
from exactrelu.regions.charts import primitive
from exactrelu.regions.floats.filter import FloatFilter
from exactrelu.regions.floats.layers import FloatLayers, scaled_pairs
from exactrelu.regions.forms import HomogeneousLayers
from exactrelu.regions.patterns import WORD, words
from exactrelu.regions.topology import suspended
from exactrelu.regions.vertices import value
from exactrelu.verdict import Witness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.regions.charts import Row
    from exactrelu.regions.complex import RegionComplex
    from exactrelu.regions.faces import FaceLattice

_BIT = np.uint64(1)
# Every direction in which no pattern changes makes about three faces of one.
_MOST_FACES = 2**22


@dataclass(frozen=True)
class LevelSet:
    """The inputs with one value: their dimension, -1 where there are none; all of them, sorted, where it is 0.

    Where there are infinitely many, `witness` shows two of them or a ray.
    """

    dimension: int
    bounded: bool
    points: tuple[RationalVector, ...] = ()
    witness: Witness | None = None


class LevelSets:
    """Decides for any value where a network takes it on the domain whose regions were listed; prepared once, asked for many values.

    found: the complete complex of the network's regions, not on a slice, n coordinates. Raises InvalidRequestError where it is another.

    >>> from exactrelu import Network, SourceLayer
    >>> from exactrelu.regions import regions
    >>> layers = (
    ...     Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.ones(2, bool)),
    ...     Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[-1.0]]), np.ones(1, bool)),
    ... )
    >>> sets = LevelSets(regions(Network(layers, (SourceLayer(1, "both", layers, 0),), (), (1,))))  # relu(|x| - 1)
    >>> [point.texts() for point in sets.of(RationalVector((1,), 2)).points]
    [['-3/2'], ['3/2']]
    >>> found = sets.of(RationalVector((0,)))
    >>> found.dimension, found.bounded, found.witness.point.texts(), found.witness.second.texts()
    (1, True, ['0'], ['1'])
    """

    def __init__(self, found: RegionComplex) -> None:
        if not found.complete or found.on_slice:
            raise InvalidRequestError("where a value is taken is known from all regions of a domain; give more time, or no slice")
        self.found = found
        self._pieces = found._pieces
        self._region = found._piece_numbers[-1]
        self._vertices = list(found._homogeneous)
        self._floats = scaled_pairs(self._vertices, found._inner.dimension + 1)[0]
        self._maps: dict[int, tuple[RationalVector, ...]] = {0: found.affine_map(0)}
        # Which outputs change along a direction in which no pattern does.
        slopes = [[value(form.numerators, (*line.numerators, 0)) != 0 for line in found.lineality] for form in self._maps[0]]
        self._rising = np.array([any(row) for row in slopes], dtype=bool)

    def of(self, y: RationalVector, *, deadline: float | None = None) -> LevelSet | None:
        """The inputs whose output is y, of length m; None where `time.monotonic()` passes the deadline before they are known.

        Raises InvalidRequestError where no pattern changes along many directions, which makes too many faces.
        """
        cells = np.flatnonzero(self._may_take(y))
        if not len(cells):
            return LevelSet(-1, bounded=True)
        lattice, vertices = self._pieces.restricted(cells)
        lines = self.found.lineality
        if sum(lattice.counts()) * 3 ** len(lines) > _MOST_FACES:
            raise InvalidRequestError(f"no pattern changes along {len(lines)} directions, which makes too many faces; give a domain")
        home = np.zeros(len(vertices), dtype=np.int64)
        cell, vertex = lattice.spanning()
        home[vertex] = self._region[cells[cell]]
        values: list[Row] = []
        for region, place in zip(home.tolist(), vertices.tolist(), strict=True):
            if deadline is not None and time.monotonic() > deadline:
                return None
            values.append(self._at(region, self.found._inner.homogeneous(self._vertices[place]), y))
        for line in lines:
            lattice = suspended(lattice)
            along = self._at(int(home[0]), (*line.numerators, 0), y)
            values += [along, tuple(-entry for entry in along)]
        for output in range(len(y)):
            _cut(lattice, values, self.found.space_dimension + output)
        return _level_set(lattice, values, self.found.space_dimension)

    def _may_take(self, y: RationalVector) -> np.ndarray:
        """Which pieces are left: those that no output is proved, in floats, to be above y on, or below."""
        possible = np.ones(self._pieces.counts()[-1], dtype=bool)
        layers = (*self.found._layers, _difference(y))
        floats = FloatFilter(FloatLayers(HomogeneousLayers(layers, self.found._inner)))
        errors = np.full(len(self._floats), UNIT_ROUNDOFF)
        for begin in range(0, len(y), WORD):
            rows = np.arange(begin, min(begin + WORD, len(y)))
            signs = floats.signs(len(layers) - 1, rows, self._floats, errors)
            unknown = ~(signs[0] | signs[1]) | self._rising[rows]
            above, below, either = (self._pieces.unions(words(mask))[-1] for mask in (*signs, unknown))
            every = words(np.ones((1, len(rows)), dtype=bool))
            possible &= ((above & below) | either) == every
        return possible

    def _at(self, region: int, point: Row, y: RationalVector) -> Row:
        """(x, f(x) - y t, t) at a vertex or ray (x, t) of a region, all times one positive number."""
        if region not in self._maps:
            self._maps[region] = self.found.affine_map(region)
        maps = self._maps[region]
        common = math.lcm(y.denominator, *(form.denominator for form in maps))
        taken = (value(form.numerators, point) * (common // form.denominator) for form in maps)
        asked = (entry * (common // y.denominator) * point[-1] for entry in y.numerators)
        differences = [a - b for a, b in zip(taken, asked, strict=True)]
        return primitive([*(entry * common for entry in point[:-1]), *differences, point[-1] * common])


def _difference(y: RationalVector) -> Layer:
    """f -> f - y, times a positive number."""
    m, bits = len(y), max(map(int.bit_length, (y.denominator, *y.numerators)))
    weight = DyadicMatrix.from_integers([[y.denominator * (i == j) for j in range(m)] for i in range(m)], m, -bits)
    return Layer(weight, DyadicMatrix.from_integers([[-entry] for entry in y.numerators], 1, -bits), np.zeros(m, dtype=bool))


def _cut(lattice: FaceLattice, values: list[Row], place: int) -> None:
    """Cut where the entry at a place of the vertices' values vanishes; new vertices' values are appended."""
    lattice.settle()
    lattice.mark(*(np.array([sign * entries[place] > 0 for entries in values], dtype=np.uint64) for sign in (1, -1)))

    def cut_edges(edges: np.ndarray, plus: np.ndarray, minus: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        for p, n in zip(plus.tolist(), minus.tolist(), strict=True):
            a, b = values[p][place], -values[n][place]
            values.append(primitive([b * x + a * y for x, y in zip(values[p], values[n], strict=True)]))
        nothing = np.zeros(len(edges), dtype=np.uint64)
        return nothing, nothing

    lattice.split(_BIT, cut_edges)


def _level_set(lattice: FaceLattice, values: Sequence[Row], n: int) -> LevelSet:
    """The union of the faces at all of whose vertices nothing but the n coordinates and t differs from 0."""
    lattice.settle()
    fails = np.array([any(entries[n:-1]) for entries in values], dtype=np.uint8)
    finite = np.array([entries[-1] > 0 for entries in values], dtype=np.uint8)
    failing, seen, rays = (lattice.unions(flags) for flags in (fails, finite, 1 - finite))
    held = [(failed == 0) & (point > 0) for failed, point in zip(failing, seen, strict=True)]
    dimension = max((k for k, faces in enumerate(held) if faces.any()), default=-1)
    bounded = not any((faces & (ray > 0)).any() for faces, ray in zip(held, rays, strict=True))
    points = [RationalVector(values[v][:n], values[v][-1]) for v in np.flatnonzero(held[0]).tolist()]
    if dimension < 1:
        return LevelSet(dimension, bounded, tuple(sorted(points, key=RationalVector.fractions)))
    # A face with a point and a ray has an edge from one to the other: its edges connect its vertices and rays.
    edge = np.flatnonzero(held[1] & (bounded | (rays[1] > 0)))[:1]
    first, last = sorted((values[v] for v in lattice.facets[1].of(edge)[1].tolist()), key=lambda entries: entries[-1] == 0)
    point = RationalVector(first[:n], first[-1])
    if bounded:
        return LevelSet(dimension, bounded, witness=Witness(point, second=RationalVector(last[:n], last[-1])))
    return LevelSet(dimension, bounded, witness=Witness(point, ray=RationalVector(primitive(last[:n]))))
