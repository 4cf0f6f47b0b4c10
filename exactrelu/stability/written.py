"""A linearisation as formulas that fit on a page: the affine map and its exact singular values, algebraic numbers, as LaTeX (theory S3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exactrelu.network.model import Network
from exactrelu.network.symbolic import LARGEST_ROOTS, exact_singular_values, latex, region_expressions

if TYPE_CHECKING:
    from exactrelu.exact.rational import RationalVector
    from exactrelu.stability.linearisation import Linearisation


def written(linearisation: Linearisation, x: RationalVector) -> dict[str, str | None]:
    """`map`, A_P x + b_P in symbols x1, .., xn, and `singular_values` of its active rows, of up to 12 rows or columns, else None.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer, RationalVector
    >>> from exactrelu.stability.linearisation import Step, linearisations
    >>> layer = Layer(DyadicMatrix.from_floats([[3.0], [1.0]]), DyadicMatrix.from_floats([[0.5], [-9.0]]), np.ones(2, bool))
    >>> (depth,) = linearisations((Step(layer),), RationalVector((1,)))
    >>> written(depth.after, RationalVector((1,)))["singular_values"]
    '\\\\left[\\\\begin{matrix}3\\\\end{matrix}\\\\right]'
    """
    network = Network(tuple(step.layer for step in linearisation.steps), (), (), (linearisation.shape[1],))
    rows = region_expressions(network, x)[: linearisation.outputs]
    few = linearisation.is_small and min(linearisation.matrix.shape) <= LARGEST_ROOTS
    return {"map": latex(rows), "singular_values": latex(exact_singular_values(linearisation.exact)) if few else None}
