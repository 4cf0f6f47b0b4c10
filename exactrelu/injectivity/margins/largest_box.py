"""The largest box around given points on which a layer is injective, by bisection: injectivity survives shrinking the domain (theory I4).

The boxes are centre + s * [-halfwidths, halfwidths] of the points' bounding box, s = 1. A coordinate in which all points agree stays
fixed; where all points are one, which has no widths, the boxes are cubes and s is half their width.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from exactrelu.domain import Box
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector, format_rational
from exactrelu.injectivity.layer import decide_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.injectivity.answer import LayerInjectivity
    from exactrelu.network.model import Layer

# The largest box that is tried: s = 2^20.
_LARGEST = Fraction(2**20)


@dataclass(frozen=True, eq=False)
class LargestBox:
    """inner: an s for which the layer is injective, proved by `proof` (0, a point, where it is None).

    outer: an s for which it is not, by `collision`; None where none was found. complete: whether outer - inner is at most the
    precision asked for; if not, what lies between was not decided.
    """

    centre: RationalVector
    halfwidths: RationalVector
    inner: Fraction
    outer: Fraction | None
    complete: bool
    proof: LayerInjectivity | None = None
    collision: LayerInjectivity | None = None

    def box(self, scale: Fraction) -> Box:
        """The box of a scale s."""
        return _box(self.centre, self.halfwidths, scale)

    def record(self) -> dict[str, Any]:
        """The answer in the words of the JSON interface."""
        return {
            "inner": format_rational(self.inner),
            "outer": None if self.outer is None else format_rational(self.outer),
            "complete": self.complete,
            "fixed_coordinates": sum(value == 0 for value in self.halfwidths.numerators),
        }

    def certificates(self, *, network_sha256: str, layer_number: int) -> dict[str, str]:
        """The texts of the certificates: `box-injective` on the inner box, `box-collision` on the outer one, as far as there are some."""
        texts = {}
        for name, scale, result in (("box-injective", self.inner, self.proof), ("box-collision", self.outer, self.collision)):
            if scale is not None and result is not None and result.is_certified:
                made = result.certificate(network_sha256=network_sha256, layer_number=layer_number, domain=self.box(scale))
                texts[name] = made.text()
        return texts


def largest_box(
    layer: Layer, points: Sequence[RationalVector], *, deadline: float | None = None, precision: Fraction = Fraction(1, 64)
) -> LargestBox:
    """Between which scales of the points' bounding box the layer stops being injective.

    layer: weights (m, n); points: inputs of the layer, at least one; precision: how far apart the two scales may be; deadline: a
    time of `time.monotonic()`. Raises InvalidRequestError without points, and where they are of another dimension.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0]]), DyadicMatrix.from_floats([[0.5]]), np.array([True]))
    >>> found = largest_box(layer, [RationalVector((0,)), RationalVector((1,))])
    >>> found.inner, found.outer, found.box(found.inner).describe()
    (Fraction(2, 1), Fraction(129, 64), 'box:-1/2,3/2')
    """
    if not points or any(len(x) != layer.inputs for x in points):
        raise InvalidRequestError(f"the largest box needs points with {layer.inputs} coordinates, as many as the layer has inputs")
    if precision <= 0:
        raise InvalidRequestError("the precision of the largest box is not positive; give a number like 1/64")
    columns = list(zip(*(x.fractions() for x in points), strict=True))
    centre = RationalVector.from_fractions((min(column) + max(column)) / 2 for column in columns)
    widths = [(max(column) - min(column)) / 2 for column in columns]
    search = _Search(layer, centre, RationalVector.from_fractions(widths if any(widths) else [1] * layer.inputs), deadline)
    return search.run(precision)


class _Search:
    def __init__(self, layer: Layer, centre: RationalVector, halfwidths: RationalVector, deadline: float | None) -> None:
        self.layer, self.centre, self.halfwidths, self.deadline = layer, centre, halfwidths, deadline
        self.inner, self.outer = Fraction(0), None
        self.proof: LayerInjectivity | None = None
        self.collision: LayerInjectivity | None = None

    outer: Fraction | None

    def run(self, precision: Fraction) -> LargestBox:
        scale = Fraction(1)
        while self.outer is None and scale <= _LARGEST and self._decide(scale):
            scale *= 2
        while self.outer is not None and self.outer - self.inner > precision:
            gap = self.outer - self.inner
            # A short number between: a multiple of a power of two that is a quarter of the gap at most.
            unit = Fraction(1)
            while unit > gap / 4:
                unit /= 2
            if not self._decide(((self.inner + self.outer) / 2 / unit).__floor__() * unit):
                break
        complete = self.outer is not None and self.outer - self.inner <= precision
        return LargestBox(self.centre, self.halfwidths, self.inner, self.outer, complete, self.proof, self.collision)

    def _decide(self, scale: Fraction) -> bool:
        """Take the verdict at a scale into account; whether there is one."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            return False
        result = decide_layer(self.layer, _box(self.centre, self.halfwidths, scale), deadline=self.deadline, widen=False)
        if result.collision is not None:
            self.outer, self.collision = scale, result
        elif result.evidence is not None:
            self.inner, self.proof = scale, result
        return result.verdict != "undecided"


def _box(centre: RationalVector, halfwidths: RationalVector, scale: Fraction) -> Box:
    pairs = list(zip(centre.fractions(), halfwidths.fractions(), strict=True))
    lower, upper = (RationalVector.from_fractions(c + sign * scale * h for c, h in pairs) for sign in (-1, 1))
    return Box(lower, upper)
