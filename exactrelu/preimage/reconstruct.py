"""Exact points from outputs: the input where there is only one, samples of the pre-image where there are many (theory P1).

Every point returned satisfies f(x) = y exactly and lies in the domain exactly; randomness only chooses among such points.
"""

from __future__ import annotations

import random
from fractions import Fraction
from typing import TYPE_CHECKING

from exactrelu.domain import AllSpace, Domain
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.cone import StrictRayFound, Tie
from exactrelu.exact.linalg import kernel_vectors
from exactrelu.preimage.grounds import PointGrounds
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.preimage.witness import largest_step, moved
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Layer

# Where a line leaves every bounded set, steps of at most this many times the direction are drawn.
_LONGEST_STEP = 16
_GRID = 2**20


def reconstruct(layer: Layer, y: RationalVector, *, domain: Domain | None = None) -> RationalVector:
    """The one x in the domain with f(x) = y, exactly.

    layer: weights (m, n); y of length m; domain: a set of inputs, all of R^n by default. Raises InvalidRequestError where the
    pre-image is not one point, and says what it is. At several hundred inputs the p-adic solve takes seconds.

    >>> import numpy as np
    >>> from exactrelu.exact.rational import DyadicMatrix, RationalVector
    >>> from exactrelu.network.model import Layer
    >>> layer = Layer(DyadicMatrix.from_floats([[0.5], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> reconstruct(layer, RationalVector((1, 0), 6)).texts()
    ['1/3']
    """
    found = LayerPreimage(layer, AllSpace() if domain is None else domain).of_output(y)
    if found.cardinality is not Cardinality.SINGLETON or not found.solutions:
        raise InvalidRequestError(f"there is no single input to reconstruct: {found.cardinality.sentence}; sample_preimage draws from many")
    return found.solutions[0]


def sample_preimage(layer: Layer, x: RationalVector, count: int, *, domain: Domain | None = None, seed: int = 0) -> list[RationalVector]:
    """Draw `count` points of the pre-image of f(x) within the domain by an exact hit-and-run walk.

    layer: weights (m, n); x of length n in the domain, all of R^n by default. Lines through the current point run along
    random combinations of exact null vectors of the active rows; the step is drawn on a rational grid between the line's
    ends. Where only x is in the pre-image, x is returned every time. Raises InvalidRequestError for an x outside the domain.

    >>> import numpy as np
    >>> from exactrelu.exact.rational import DyadicMatrix, RationalVector
    >>> from exactrelu.network.model import Layer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    >>> points = sample_preimage(layer, RationalVector((1, 1)), 3)
    >>> [layer(point).texts() for point in points]
    [['2'], ['2'], ['2']]
    """
    domain = AllSpace() if domain is None else domain
    if not domain.contains(x):
        raise InvalidRequestError("the point does not lie in the domain; sample from one that does")
    found = LayerPreimage(layer, domain).of_point(x)
    grounds = found.grounds
    if not isinstance(grounds, PointGrounds):
        raise InvalidRequestError(f"there is nothing to sample from yet: {found.cardinality.sentence}; {found.reached}")
    if found.cardinality is Cardinality.SINGLETON:
        return [x] * count
    equality = grounds.equality_rows
    matrix, inward = layer.weight.rows(equality), None
    if isinstance(grounds.tight, StrictRayFound):
        inward = grounds.tight.exact_direction()
    elif isinstance(grounds.tight, Tie):
        split = grounds.tight.split
        inward = split.direction
        listed = sorted({*(int(i) for i in grounds.tight.system.equality_rows), *split.implicit})
        matrix = grounds.tight.system.rows_for_rank(listed)
    if inward is not None:
        step = largest_step(layer, domain, x, inward, equality)
        x = moved(x, inward, Fraction(1) if step is None else step / 2)
    vectors = kernel_vectors(matrix)
    generator = random.Random(seed)  # noqa: S311 -- not for secrets
    points = []
    for _ in range(count):
        weights = [generator.randint(-3, 3) for _ in vectors]
        direction = tuple(sum(w * vector[j] for w, vector in zip(weights, vectors, strict=True)) for j in range(len(x)))
        if any(direction):
            back, ahead = (_end(largest_step(layer, domain, x, signed, equality)) for signed in (tuple(-v for v in direction), direction))
            x = moved(x, direction, Fraction(generator.randint(0, _GRID), _GRID) * (ahead + back) - back)
        points.append(x)
    return points


def _end(step: Fraction | None) -> Fraction:
    return Fraction(_LONGEST_STEP) if step is None else min(step, Fraction(_LONGEST_STEP))
