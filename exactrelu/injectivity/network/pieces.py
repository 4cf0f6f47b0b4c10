"""Where a network sends its activation regions: closed polyhedra by what spans them, and the images of that, exactly (theory R1).

A network is continuous and positively homogeneous in (x, t), so that a vertex or ray has one image, whichever region it is taken from,
and the image of a region is spanned by the images of what spans the region.
"""

from __future__ import annotations

import math
import time
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.exact.rational import RationalVector
from exactrelu.regions.charts import Chart, primitive
from exactrelu.regions.forms import HomogeneousLayers, masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.network.model import Layer
    from exactrelu.regions import RegionComplex
    from exactrelu.regions.charts import Row


class OutOfTimeError(Exception):
    """The deadline was reached; the message says what was done by then."""


class Pieces:
    """The closed regions of a complete complex of a network's layers, in coordinates of the network's input.

    points: generators (x, t), integers, t = 0 for a ray; spanning: of every region the places of its generators, lines in both
    directions among them; images: of every generator (f(x), t) up to a positive factor. What is made of all regions raises OutOfTimeError
    after the deadline, a time of `time.monotonic()`.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> from exactrelu.regions import regions
    >>> layer = Layer(DyadicMatrix.from_floats([[2.0]]), DyadicMatrix.from_floats([[-1.0]]), np.ones(1, bool))
    >>> found = Pieces((layer,), regions(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (1,))))
    >>> sorted(zip(found.points, found.images)), found.determinant_signs
    ([((-1, 0), (0, 0)), ((1, 0), (1, 0)), ((1, 2), (0, 1))], [0, 1])
    """

    def __init__(self, layers: Sequence[Layer], found: RegionComplex, *, deadline: float | None = None) -> None:
        self.layers = tuple(layers)
        self.deadline = deadline
        self.complex = found
        generators, spanning = found.generators()
        lines = [line.numerators for line in found.lineality]
        both = [(*(sign * value for value in line), 0) for line in lines for sign in (1, -1)]
        always = list(range(len(generators), len(generators) + len(both)))
        self.points: list[Row] = [*map(primitive, generators), *both]
        self.spanning = [[*places, *always] for places in spanning]

    @property
    def count(self) -> int:
        return len(self.spanning)

    def check_time(self, reached: str) -> None:
        """Raise OutOfTimeError with what was reached, if it is time."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTimeError(reached)

    @property
    def is_square(self) -> bool:
        """As many outputs as inputs, and regions of that dimension."""
        return self.layers[-1].outputs == self.complex.space_dimension == self.complex.dimension

    @cached_property
    def scale(self) -> int:
        """What `maps` multiply a value and the constant 1 by."""
        return 1 << self._homogeneous.shifts[-1]

    @cached_property
    def _homogeneous(self) -> HomogeneousLayers:
        return HomogeneousLayers(self.layers, Chart.identity(self.complex.space_dimension))

    @cached_property
    def maps(self) -> list[list[Row]]:
        """Of every region the rows (coefficients .., constant) of its affine map, times `scale`."""
        return list(self._maps())

    def _maps(self) -> Iterator[list[Row]]:
        # Regions come in the order of their patterns: those that begin alike share the forms of their first layers.
        layers, before = self._homogeneous, list[bytes]()
        rows: list[list[Row]] = []
        for region in range(self.count):
            self.check_time(f"of {self.count} activation regions the maps of {region} were made")
            pattern = self.complex.pattern(region)
            keys = [mask.tobytes() for mask in pattern]
            same = next((k for k, (a, b) in enumerate(zip(keys, before, strict=False)) if a != b), len(before))
            del rows[same:]
            for number in range(same, len(pattern)):
                rows.append(self._next(layers, rows, number, pattern[number]))
            before = keys
            yield rows[-1]

    @staticmethod
    def _next(layers: HomogeneousLayers, rows: Sequence[list[Row]], number: int, active: np.ndarray) -> list[Row]:
        forms = layers.forms(number, layers.prepared(number, rows[number - 1])) if number else layers.first
        return masked(forms, active)

    @cached_property
    def linear_floats(self) -> tuple[np.ndarray, Fraction]:
        """All linear maps in floats (regions, m, n), divided by a number so that the largest entry is 1; entries far below may be 0."""
        largest = max((abs(value) for rows in self.maps for row in rows for value in row[:-1]), default=0) or 1
        shape = (self.count, self.layers[-1].outputs, self.complex.space_dimension)
        floats = np.array([[[value / largest for value in row[:-1]] for row in rows] for rows in self.maps], dtype=np.float64)
        return floats.reshape(shape), Fraction(largest, self.scale)

    @property
    def images(self) -> list[Row]:
        return self._images[0]

    @property
    def factors(self) -> list[Fraction]:
        """Of every generator the factor by which (x, t) must be multiplied to have the image that is listed, not a multiple of it."""
        return self._images[1]

    @cached_property
    def _images(self) -> tuple[list[Row], list[Fraction]]:
        result: list[Row] = [()] * len(self.points)
        factors = [Fraction(1)] * len(self.points)
        for places, rows in zip(self.spanning, self.maps, strict=True):
            new = [place for place in places if not result[place]]
            if not new:
                continue
            n = len(self.points[0])
            matrix = fmpz_mat(len(rows), n, [value for row in rows for value in row])
            columns = fmpz_mat(len(new), n, [value for place in new for value in self.points[place]]).transpose()
            values = (matrix * columns).transpose().tolist()
            for place, image in zip(new, values, strict=True):
                whole = [*map(int, image), self.scale * self.points[place][-1]]
                result[place] = primitive(whole)
                factors[place] = Fraction(self.scale, math.gcd(*whole) or 1)
        return result, factors

    @cached_property
    def determinant_signs(self) -> list[int]:
        """The signs of the determinants of all maps, of a square network."""
        signs = []
        for rows in self.maps:
            determinant = int(fmpz_mat(len(rows), len(rows), [value for row in rows for value in row[:-1]]).det())
            signs.append((determinant > 0) - (determinant < 0))
        return signs

    def is_injective_on(self, region: int) -> bool:
        """Whether the network is injective on one closed region: linear on the cone over it, it keeps the dimension."""
        places = self.spanning[region]
        images = fmpz_mat(len(places), len(self.images[0]), [value for place in places for value in self.images[place]])
        return int(images.rank()) == self.complex.dimension + 1

    def barycentre(self, places: Sequence[int]) -> RationalVector:
        """A point inside what some generators, a point among them, span."""
        total = [sum(entries) for entries in zip(*(self.points[place] for place in places), strict=True)]
        return RationalVector(tuple(total[:-1]), total[-1])
