"""The certificate that the regions found are all there are: of every region the facets, and why its other rows follow from these.

A region is the cone that its points and rays (x, t) span. Every row, a linear form of (x, t), is positive or 0 at all of them, and a facet
is a largest set of them at which a row vanishes. Of any other row one subtracts t and facets, as often as it stays positive: each step
makes it vanish on a larger face, and in the end everywhere (theory C1).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates import DomainLines, Vector
from exactrelu.certificates.regions import Border, Facet, Implied, Region, RegionsCertificate
from exactrelu.domain import AllSpace, Ball
from exactrelu.errors import InvalidRequestError
from exactrelu.network.exact_file import network_sha256
from exactrelu.regions.charts import Chart, primitive
from exactrelu.regions.forms import HomogeneousLayers, masked
from exactrelu.regions.start import domain_sides
from exactrelu.regions.vertices import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer, Network
    from exactrelu.regions.charts import Row
    from exactrelu.regions.complex import RegionComplex

# The longest token of a certificate has 2^16 hexadecimal digits.
_MOST_BITS = 4 * 2**16


def regions_certificate(network: Network, found: RegionComplex, domain: Domain | None = None) -> RegionsCertificate:
    """That a network has the regions and adjacencies of a complex, and no others (theory R3; proofs/FORMAT.md, 4.12).

    found: what `regions(network, domain=domain)` returned, `through` some layer or not. Its evidence is made as lines are asked for.

    Raises InvalidRequestError where the complex is not complete, on a slice, on a ball or in a domain without interior points, or through
    a layer of which the lowered one holds further neurons. While lines are made: where it is the complex of another network or domain, or
    a number is too long for the format.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> from exactrelu.regions import regions
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [1.0]]), DyadicMatrix.from_floats([[0.0], [-1.0]]), np.ones(2, bool))
    >>> line = Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (1,))
    >>> regions_certificate(line, regions(line)).text().splitlines()[6:12]
    ['claim regions 3 2', 'region 1 -1', 'walls 1 0', 'implied 1 1', 'facet 0 1 1 0', 'region 2 1']
    """
    domain = AllSpace() if domain is None else domain
    domain.check_dimension(network.inputs)
    if isinstance(domain, Ball):
        raise InvalidRequestError("a ball is no polyhedron, so that its regions cannot be certified; give a box around it")
    if not found.complete:
        raise InvalidRequestError("the complex is not complete, so that nothing can be certified; give more time or a larger limit")
    if found.on_slice or found.dimension < found.space_dimension:
        raise InvalidRequestError(
            "only regions of full dimension in the input space can be certified; ask without a slice, on a domain with interior points"
        )
    layers = network.layers[: len(found.pattern(0))]
    neurons = [(number, row) for number, layer in enumerate(layers) for row in np.flatnonzero(layer.rectified).tolist()]
    if not layers or neurons != [(neuron.layer, neuron.row) for neuron in found.neurons]:
        raise InvalidRequestError(
            "the certificate speaks of all neurons of the lowered layers, and the complex of others; ask through another layer, or all"
        )
    evidence = _Regions(tuple(layers), found, domain)
    lines = DomainLines(domain.lines())
    return RegionsCertificate(network_sha256(network), len(layers), found.regions, found.adjacencies, evidence, lines)


@dataclass(frozen=True, eq=False)
class _Regions:
    """The regions with their evidence, made one after the other whenever they are asked for."""

    layers: tuple[Layer, ...]
    found: RegionComplex
    domain: Domain

    def __iter__(self) -> Iterator[Region]:
        points, spanning = self.found.generators()
        around: list[set[int]] = [set() for _ in points]
        for region, places in enumerate(spanning):
            for place in places:
                around[place].add(region)
        sides = [primitive([-entry for entry in side]) for side in domain_sides(self.domain, self.found.space_dimension) if any(side[:-1])]
        for region, neurons in enumerate(self._neurons()):
            places = spanning[region]
            rows = [*neurons, *sides]
            cone = _Cone.of(rows, [points[place] for place in places])
            beyond = []
            for zeros in cone.facets:
                others = set.intersection(*(around[place] for k, place in enumerate(places) if zeros >> k & 1)) - {region}
                if len(others) > 1:
                    raise _other_complex()
                beyond.append(others.pop() if others else None)
            yield _region(cone, beyond, region, len(neurons))

    def _neurons(self) -> Iterator[list[Row]]:
        """Of every region the forms of the neurons, positive inside; without constant ones.

        Patterns are sorted: as far as one begins like that before it, its forms are there already.
        """
        # Layers after the last neuron decide nothing.
        needed = max((neuron.layer + 1 for neuron in self.found.neurons), default=0)
        homogeneous = HomogeneousLayers(self.layers[:needed], Chart.identity(self.found.space_dimension))
        rectified = [np.flatnonzero(layer.rectified).tolist() for layer in self.layers]
        kept: list[tuple[list[Row], list[Row]]] = []
        before: tuple[np.ndarray, ...] = ()
        for region in range(self.found.regions):
            pattern = self.found.pattern(region)[:needed]
            changes = (number for number, pair in enumerate(zip(before, pattern, strict=False)) if (pair[0] != pair[1]).any())
            del kept[next(changes, 0) + 1 :]
            before = pattern
            rows: list[Row] = []
            for number, active in enumerate(pattern):
                if number == len(kept):
                    forms = homogeneous.first
                    if number:
                        forms = homogeneous.forms(number, homogeneous.prepared(number, masked(kept[-1][0], pattern[number - 1])))
                    kept.append((forms, [primitive(form) for form in forms]))
                signed = ((kept[number][1][i], active[i]) for i in rectified[number])
                rows += [form if on else tuple([-entry for entry in form]) for form, on in signed if any(form[:-1])]
            yield rows


@dataclass(frozen=True)
class _Values:
    """A form at a cone's points and rays; `zeros` is the mask of those at which it vanishes."""

    values: list[int]
    zeros: int


@dataclass(frozen=True)
class _Cone:
    """A region's points and rays; t and every row there; of every facet, by the mask of its points and rays, the rows that vanish on it."""

    points: list[Row]
    t: _Values
    rows: list[_Values]
    facets: dict[int, list[int]]

    @staticmethod
    def of(rows: Sequence[Row], points: list[Row]) -> _Cone:
        held = [_at(row, points) for row in rows]
        t = _at((*(0,) * (len(points[0]) - 1), 1), points)
        vanishing: dict[int, list[int]] = {}
        for i, row in enumerate(held):
            if not min(row.values) >= 0 < max(row.values):
                raise _other_complex()
            vanishing.setdefault(row.zeros, []).append(i)
        every = {*vanishing, t.zeros}
        facets = {zeros: owners for zeros, owners in vanishing.items() if not any(zeros == zeros & other != other for other in every)}
        return _Cone(points, t, held, facets)

    def inside(self, zeros: int | None = None) -> Vector:
        """A point inside the cone, or inside the face of a mask."""
        chosen = [point for k, point in enumerate(self.points) if zeros is None or zeros >> k & 1]
        *x, t = primitive([sum(entries) for entries in zip(*chosen, strict=True)])
        if t <= 0:
            raise _other_complex()
        return Vector(tuple(x), t)


def _region(cone: _Cone, beyond: Sequence[int | None], number: int, first_side: int) -> Region:
    """The evidence for one region; beyond: of every facet the region on its other side, None on the border."""
    # On the border a wall is a side of the domain, though neurons may have the same row.
    chosen = [owners[-1] if other is None else owners[0] for owners, other in zip(cone.facets.values(), beyond, strict=True)]
    walls = sorted(chosen)
    forms = [cone.rows[row] for row in walls]
    implied = [_implied(row, forms, cone.t) for i, row in enumerate(cone.rows) if i not in chosen]
    facets, borders = [], []
    for row, zeros, other in sorted(zip(chosen, cone.facets, beyond, strict=True)):
        place = walls.index(row)
        if other is None:
            if row < first_side:
                raise _other_complex()
            borders.append(Border(place, cone.inside(zeros)))
        elif other > number:
            facets.append(Facet(place, other, cone.inside(zeros)))
    region = Region(cone.inside(), tuple(walls), tuple(implied), tuple(facets), tuple(borders))
    _check_length(region)
    return region


def _implied(row: _Values, walls: Sequence[_Values], t: _Values) -> Implied:
    """Multipliers of the walls that with one of t add up to a row; all are given by their values at a cone's points and rays."""
    left, zeros, denominator = row.values, row.zeros, 1
    multipliers = [0] * (len(walls) + 1)
    # t, the last, comes first: then the rest vanishes at a vertex, and few walls do.
    forms = [*walls, t]
    order = (-1, *range(len(walls)))
    while any(left):
        place = next((place for place in order if not zeros & ~forms[place].zeros), None)
        if place is None:
            raise _other_complex()
        values = forms[place].values
        p, q = _least_quotient(left, values)
        left = [q * entry - p * w for entry, w in zip(left, values, strict=True)]
        zeros = _zeros(left)
        multipliers = [q * multiplier for multiplier in multipliers]
        multipliers[place] += p
        denominator *= q
    del multipliers[-1]
    common = gcd(denominator, *multipliers)
    return Implied(denominator // common, tuple([multiplier // common for multiplier in multipliers]))


def _least_quotient(left: Sequence[int], wall: Sequence[int]) -> tuple[int, int]:
    """The largest p / q for which left - p / q * wall is nowhere negative."""
    p, q = 0, 0
    for entry, w in zip(left, wall, strict=True):
        if w and (q == 0 or entry * q < p * w):
            p, q = entry, w
    return p, q


def _at(form: Row, points: Sequence[Row]) -> _Values:
    values = [value(form, point) for point in points]
    return _Values(values, _zeros(values))


def _zeros(values: Sequence[int]) -> int:
    return sum(1 << k for k, entry in enumerate(values) if not entry)


def _check_length(region: Region) -> None:
    """Raise InvalidRequestError where a number is too long for a certificate."""
    points = [region.point, *(facet.point for facet in region.facets), *(border.point for border in region.borders)]
    numbers = [number for point in points for number in (point.denominator, *point.numerators)]
    numbers += [number for one in region.implied for number in (one.denominator, *one.multipliers)]
    if max(number.bit_length() for number in numbers) > _MOST_BITS:
        raise InvalidRequestError(
            f"a number of the certificate has more than {_MOST_BITS} bits, too many for its format; ask through an earlier layer"
        )


def _other_complex() -> InvalidRequestError:
    return InvalidRequestError("the complex is not that of this network on this domain; give those that it was computed for")
