"""What a verdict about a pre-image rests on, and the certificate sections that say it (proofs/FORMAT.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.certificates import Negative, RecessionDirection, StrictRay, TightRows
from exactrelu.errors import CertificateError
from exactrelu.exact.cone import StrictRayFound, Tie, TrivialCone
from exactrelu.exact.linalg import mask_of

if TYPE_CHECKING:
    import numpy as np

    from exactrelu.certificates import Evidence, Rank
    from exactrelu.exact.cone import Decision
    from exactrelu.exact.rational import RationalVector
    from exactrelu.preimage.homogenised import Homogenised

_INCOMPLETE = "the verdict is proved, but its certificate could not be completed; try --rational"


@dataclass(frozen=True, eq=False)
class PointGrounds:
    """What was found at a point of the pre-image.

    base: the point; given: whether it is the point asked about; rank: of A_P; equality_rows: the layer's rows in A_P, a
    boolean mask; positions: where the non-zero ones stand in A_P; tight, recession: the decisions about these systems, None
    where nothing had to be decided.
    """

    base: RationalVector
    given: bool
    rank: Rank
    equality_rows: np.ndarray
    positions: np.ndarray
    tight: Decision | None = None
    recession: Decision | RecessionDirection | None = None

    def sections(self, *, rational: bool) -> tuple[Evidence, ...]:
        """The evidence after the `solution` line; raises CertificateError where it could not be completed."""
        found: list[Evidence] = [self.rank]
        if isinstance(self.tight, TrivialCone):
            found.append(_complete(self.tight.evidence(rational=rational)))
        elif isinstance(self.tight, StrictRayFound):
            found.append(TightRows(0, None, None, self._ray(self.tight, rational=rational)))
        elif isinstance(self.tight, Tie):
            split = self.tight.split
            ray = None if split.direction is None else StrictRay(split.direction, 0, exact=True)
            found.append(TightRows(mask_of(split.implicit), split.multipliers, split.rank, ray))
        if isinstance(self.recession, RecessionDirection):
            found.append(self.recession)
        elif isinstance(self.recession, TrivialCone):
            found.append(_complete(self.recession.evidence(rational=rational)))
        elif isinstance(self.recession, StrictRayFound):
            found.append(self._ray(self.recession, rational=rational))
        return tuple(found)

    def _ray(self, found: StrictRayFound, *, rational: bool) -> StrictRay:
        ray = found.evidence(self.rank, self.positions, rational=rational)
        if ray is None:
            raise CertificateError(_INCOMPLETE)
        return ray


@dataclass(frozen=True, eq=False)
class EmptyGrounds:
    """Why there is no point: a negative output at a rectified row, or the decision of the homogenised system."""

    negative: int | None
    homogenised: Homogenised | None = None
    decision: TrivialCone | Tie | None = None

    def sections(self, *, rational: bool) -> tuple[Evidence, ...]:
        """The evidence of an empty pre-image; raises CertificateError where it could not be completed."""
        if self.negative is not None:
            return (Negative(self.negative),)
        assert self.homogenised is not None
        assert self.decision is not None
        return (_complete(self.homogenised.contradiction(self.decision, rational=rational)),)


def _complete(section: Evidence | None) -> Evidence:
    if section is None:
        raise CertificateError(_INCOMPLETE)
    return section
