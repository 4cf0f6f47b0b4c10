"""What a verdict about a composition rests on where no cases were needed: layers alone, a region, or a line in it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from exactrelu.certificates import Direction, SecondPoint, Vector
from exactrelu.errors import CertificateError
from exactrelu.exact.rational import RationalVector
from exactrelu.preimage.grounds import PointGrounds
from exactrelu.preimage.sparse_layer import RankGrounds
from exactrelu.preimage.witness import find_witness, moved
from exactrelu.verdict import Cardinality, Preimage, Witness

if TYPE_CHECKING:
    from exactrelu.preimage.composition import Region
    from exactrelu.preimage.layer import LayerPreimage

# Bits of the longest number in a certificate's lines `second` and `direction`.
_LONGEST_NUMBER = 2**18


@dataclass(frozen=True, eq=False)
class StageVerdict:
    """The pre-image under one layer alone, of the point or output (`subject`) that was given to it."""

    number: int
    subject: str
    given: RationalVector
    result: Preimage


@dataclass(frozen=True, eq=False)
class StageGrounds:
    """A verdict rests on these layers, in the order of the certificate's parts."""

    stages: tuple[StageVerdict, ...]


@dataclass(frozen=True, eq=False)
class RegionGrounds:
    """A verdict rests on the infinite pre-image `result` under the composed layer of a region, decided by `prepared`."""

    region: Region
    prepared: LayerPreimage
    result: Preimage

    def witness(self) -> Witness | None:
        """A ray or a second point of the region with the same output, exactly; None where none was found."""
        found = self.result.witness
        if found is None:
            assert isinstance(self.result.grounds, PointGrounds)
            found = find_witness(self.prepared.layer, self.prepared.domain, self.result.grounds)
        if found is None:
            return None
        # The composed layer may have left out rows that are not tight at the point: go no farther than they allow.
        if found.second is None:
            assert found.ray is not None
            direction, most = found.ray.numerators, None
        else:
            pairs = zip(found.point.fractions(), found.second.fractions(), strict=True)
            difference = RationalVector.from_fractions(b - a for a, b in pairs)
            direction, most = difference.numerators, Fraction(1, difference.denominator)
        step = self.region.longest_step(direction)
        if step is None or (most is not None and step >= most):
            return found
        return Witness(found.point, second=moved(found.point, direction, step))


@dataclass(frozen=True, eq=False)
class LineGrounds:
    """A verdict rests on a ray, or on a second point of the point's region, with the same output."""

    found: Witness

    def witness(self) -> Witness:
        return self.found


def point_shown(grounds: object) -> RationalVector:
    """An input with the output, from what shows that there are infinitely many."""
    if isinstance(grounds, StageGrounds):
        return point_of(grounds.stages[-1].result)
    assert isinstance(grounds, RegionGrounds | LineGrounds)
    return grounds.region.point if isinstance(grounds, RegionGrounds) else grounds.found.point


def point_of(result: Preimage) -> RationalVector:
    """A point of a pre-image that is not empty."""
    assert isinstance(result.grounds, PointGrounds | RankGrounds)
    return result.grounds.base


def line_of(witness: Witness | None, cardinality: Cardinality) -> SecondPoint | Direction:
    """The evidence of a line in the point's region."""
    if witness is None or (cardinality is Cardinality.UNBOUNDED and witness.ray is None):
        raise CertificateError("the verdict is proved, but no exact second input or ray was found for its certificate")
    vector = witness.ray if witness.ray is not None else witness.second
    assert vector is not None
    if max(value.bit_length() for value in (vector.denominator, *vector.numerators)) > _LONGEST_NUMBER:
        raise CertificateError("the verdict is proved, but its second input has longer numbers than a certificate holds")
    numbers = Vector(vector.numerators, vector.denominator)
    return SecondPoint(numbers) if witness.ray is None else Direction(numbers)
