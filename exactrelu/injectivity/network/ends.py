"""Two inputs with one output, from the affine maps beside a point: along a kernel, and across a facet where the network folds."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from flint import fmpz_mat

from exactrelu.exact.linalg import kernel_vectors
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.collisions.collision import Collision, shortened
from exactrelu.injectivity.collisions.linearised import Linearised
from exactrelu.preimage.witness import domain_step, moved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer

# Inputs are moved by 2^-k, k between these.
_LARGEST, _SMALLEST = -40, 2**14


def value_of(layers: Sequence[Layer], x: RationalVector) -> RationalVector:
    """The layers, one after the other, at a point."""
    for layer in layers:
        x = layer(x)
    return x


def verified(layers: Sequence[Layer], domain: Domain, x: RationalVector, y: RationalVector) -> Collision | None:
    """The collision that two points are, or None where they are none of the domain."""
    if x == y or not (domain.contains(x) and domain.contains(y)):
        return None
    value = value_of(layers, x)
    return Collision(x, y, value) if value_of(layers, y) == value else None


def kernel_collision(layers: Sequence[Layer], domain: Domain, x: RationalVector, maps: DyadicMatrix) -> Collision | None:
    """A collision on a line through x along which neither the map nor the domain's flat changes; None where x is no inside point.

    maps: rows (k, n), the linear map that the layers are around x and what is constant on the domain.

    >>> import numpy as np
    >>> from exactrelu import AllSpace, Layer
    >>> weight, bias = DyadicMatrix.from_floats([[1.0, -1.0]]), DyadicMatrix.from_floats([[0.0]])
    >>> found = kernel_collision([Layer(weight, bias, np.array([True]))], AllSpace(), RationalVector((3, 1)), weight)
    >>> found.x.texts(), found.y.texts(), found.value.texts()
    (['2', '0'], ['4', '2'], ['2'])
    """
    return next((along(layers, domain, x, direction) for direction in kernel_vectors(maps, most=1)), None)


def along(layers: Sequence[Layer], domain: Domain, x: RationalVector, direction: tuple[int, ...]) -> Collision | None:
    """A collision of the two points as far along a direction as all signs stay and the domain goes; None where the output changes."""
    beside = Linearised(layers, x)
    changes = beside.changes({j: value for j, value in enumerate(direction) if value})
    ends = []
    for sign in (-1, 1):
        way = tuple(sign * value for value in direction)
        limits = [beside.longest_step(changes, sign), domain_step(domain, x, way)]
        step = min((limit for limit in limits if limit is not None), default=None)
        # Without an end: go so far that the largest change is between 1 and 2.
        step = Fraction(2, 2 ** max(map(abs, direction)).bit_length()) if step is None else shortened(step)
        ends.append(moved(x, way, step) if step > 0 else x)
    found = verified(layers, domain, *ends)
    # At x a row may be 0 and change.
    return found if found is not None and found.value == beside.output else None


def folded(
    layers: Sequence[Layer], domain: Domain, corner: RationalVector, inside: RationalVector, here: fmpz_mat, beyond: fmpz_mat
) -> Collision | None:
    """A collision of two points on both sides of a facet, where the two maps have determinants of opposite signs (theory I12).

    corner: a point inside the facet; inside: one in the region before it, whose linear map is `here`; `beyond`: that of the region behind,
    by the same factor, regular. The maps agree on the facet, so that beyond^-1 here sends the one side to the other one.
    """
    step = [a - b for a, b in zip(inside.fractions(), corner.fractions(), strict=True)]
    cleared = RationalVector.from_fractions(step)
    column = fmpz_mat(len(cleared), 1, list(cleared.numerators))
    numerators, denominator = beyond.solve(here * column).numer_denom()
    image = [Fraction(int(value), int(denominator) * cleared.denominator) for value in numerators.entries()]
    # No farther from the corner than that is from 0, or 1.
    reach = max([Fraction(1), *(abs(value) for value in corner.fractions())]) / max(abs(change) for change in step)
    for share in filter(reach.__ge__, _shares()):
        x, y = (
            RationalVector.from_fractions(a + share * change for a, change in zip(corner.fractions(), way, strict=True))
            for way in (step, image)
        )
        if (found := verified(layers, domain, x, y)) is not None:
            return found
    return None


def _shares() -> Iterator[Fraction]:
    """Powers of two, from large ones: the first that does gives two points far apart."""
    exponent = _LARGEST
    while exponent < _SMALLEST:
        yield Fraction(2) ** -exponent
        exponent += 1 + max(exponent, 0) // 4
