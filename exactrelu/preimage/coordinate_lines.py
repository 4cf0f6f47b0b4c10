"""Inputs with one output that differ in a single coordinate: one that the output does not read where the point lies.

Padding that a convolution never sees, a pixel that is the largest of no pooling window, an input of dead neurons only: such a
coordinate moves along a line of the point's activation region, and neither search nor composed weights are needed to see it.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.exact.sparse import SparseMatrix
from exactrelu.preimage.witness import domain_step, moved
from exactrelu.verdict import Witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exactrelu.domain import Domain
    from exactrelu.preimage.composition import Region

_MOST_TRIED = 16


def coordinate_line(region: Region, domain: Domain) -> Witness | None:
    """Another input of the region with exactly the output of the region's point, or a ray of these; None where none was found.

    The point lies in the domain. At most 16 directions are tried, those that a search in floats proposes.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer, RationalVector
    >>> from exactrelu.preimage.composition import regions_at
    >>> largest = Layer(DyadicMatrix.from_floats([[1, 0], [-1, 1]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([False, True]))
    >>> total = Layer(DyadicMatrix.from_floats([[1, 1]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> region = next(regions_at([largest, total], RationalVector((5, 3)), most=1))
    >>> coordinate_line(region, AllSpace()).ray.texts()
    ['0', '-1']
    """
    x = region.point
    best: Witness | None = None
    reached = Fraction(0)
    for direction in islice(_proposed(region), _MOST_TRIED):
        if not region.extends_along(direction):
            continue
        limits = [step for step in (region.longest_step(direction), domain_step(domain, x, direction)) if step is not None]
        if not limits:
            return Witness(x, ray=type(x)(direction))
        if min(limits) > reached:
            reached = min(limits)
            best = Witness(x, second=moved(x, direction, reached))
    return best


def _proposed(region: Region) -> Iterator[tuple[int, ...]]:
    """Directions down and up each coordinate whose influence on the outputs is zero in floats."""
    for column in np.flatnonzero(_influence(region) == 0).tolist():
        for sign in (-1, 1):
            direction = [0] * region.stages[0].inputs
            direction[column] = sign
            yield tuple(direction)


@np.errstate(over="ignore", invalid="ignore")  # what overflows is not zero, and proposes nothing
def _influence(region: Region) -> np.ndarray:
    """Of every coordinate the slope, in floats, of a random combination of the outputs."""
    outputs = region.stages[-1].outputs
    weights: np.ndarray = np.random.default_rng(0).standard_normal(outputs)
    for stage, active in zip(reversed(region.stages), reversed(region.active), strict=True):
        kept = weights * active
        if isinstance(stage.stored, SparseMatrix):
            terms = stage.stored.floats * kept[stage.stored.row_numbers()]
            weights = np.bincount(stage.stored.columns, weights=terms, minlength=stage.inputs)
        else:
            weights = kept @ stage.stored.floats
    return weights
