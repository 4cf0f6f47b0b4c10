"""As many outputs as inputs: orientations decide, without pairs of regions (theory I12, I13).

On all of R^n a piecewise linear map is injective iff all determinants have one sign that is not zero and one regular value has one
pre-image. On a bounded polytope, iff they have one sign and it is injective on the boundary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flint import fmpz_mat

from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.network.boxes import Boxes
from exactrelu.injectivity.network.ends import folded, kernel_collision, value_of, verified

if TYPE_CHECKING:
    from exactrelu.domain import Domain
    from exactrelu.injectivity.collisions.collision import Collision
    from exactrelu.injectivity.network.pieces import Pieces


def by_orientation(pieces: Pieces, domain: Domain) -> Collision | None:
    """A collision in a region of determinant 0, or across the facet of two with opposite signs; None: all have one sign."""
    signs = pieces.determinant_signs
    if 0 in signs:
        region = signs.index(0)
        linear = DyadicMatrix.from_integers([row[:-1] for row in pieces.maps[region]], len(pieces.points[0]) - 1)
        return _found(kernel_collision(pieces.layers, domain, pieces.complex.interior_point(region), linear))
    for here, beyond in pieces.complex.neighbours.tolist():
        if signs[here] != signs[beyond]:
            common = sorted(set(pieces.spanning[here]) & set(pieces.spanning[beyond]))
            maps = [_linear(pieces, region) for region in (here, beyond)]
            return _found(folded(pieces.layers, domain, pieces.barycentre(common), pieces.complex.interior_point(here), *maps))
    return None


def by_one_value(pieces: Pieces, domain: Domain) -> Collision | None:
    """A collision where a value inside a region has more than one pre-image; None: it has one.

    All maps are regular, so every pre-image is found: it solves the map of a region that holds it.
    """
    x = pieces.complex.interior_point(0)
    value = value_of(pieces.layers, x)
    for region in Boxes(pieces.images, pieces.spanning).at((*value.numerators, value.denominator)).tolist():
        pieces.check_time("not all pre-images of one value were looked at")
        y = _solution(pieces, region, value)
        if y != x and (found := verified(pieces.layers, domain, x, y)) is not None:
            return found
    return None


def _solution(pieces: Pieces, region: int, value: RationalVector) -> RationalVector:
    """The point that the map of a region, regular, sends to a value."""
    constants = [row[-1] * value.denominator for row in pieces.maps[region]]
    right = [v * pieces.scale - constant for v, constant in zip(value.numerators, constants, strict=True)]
    numerators, denominator = _linear(pieces, region).solve(fmpz_mat(len(right), 1, right)).numer_denom()
    sign = 1 if int(denominator) > 0 else -1
    return RationalVector(tuple(sign * int(v) for v in numerators.entries()), sign * int(denominator) * value.denominator)


def _linear(pieces: Pieces, region: int) -> fmpz_mat:
    rows = pieces.maps[region]
    return fmpz_mat(len(rows), len(rows), [value for row in rows for value in row[:-1]])


def _found(collision: Collision | None) -> Collision:
    assert collision is not None, "the regions and their maps show that there is one"
    return collision
