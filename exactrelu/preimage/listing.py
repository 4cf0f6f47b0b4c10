"""The pre-image under a network of few inputs from the list of its activation regions, which serves all outputs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.certificates.listed import ListedRegions
from exactrelu.errors import InvalidRequestError
from exactrelu.network.model import Network, SourceLayer
from exactrelu.regions import regions
from exactrelu.regions.evidence.level_set import LevelSetCells
from exactrelu.regions.level_sets import LevelSet, LevelSets
from exactrelu.verdict import Cardinality, Preimage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Layer
    from exactrelu.regions.complex import RegionComplex

# A region of n dimensions has about 3^n faces. Without a time limit so many faces are listed, which takes some ten seconds; with one as
# many as the memory holds.
MOST_FACES = 2**22
_MOST_FACES_IN_TIME = 2**25
# The part of the time in which regions are listed; what `LevelSets` prepares then takes up to four times as long.
_LISTING = 0.2
_MOST_INPUTS = 6
_MOST_OUTPUTS = 2**10


@dataclass(frozen=True, eq=False)
class ListedGrounds:
    """What was said of the inputs with the output y rests on all regions of a domain."""

    found: RegionComplex
    domain: Domain
    y: RationalVector
    said: LevelSet

    def evidence(self) -> ListedRegions:
        """The section of the certificate, computed when its lines are asked for."""
        return ListedRegions(LevelSetCells(self.found, self.domain, self.y, self.said))


class RegionList:
    """Decides pre-images under layers on a domain from their regions, which are listed at the first question.

    until: the time of `time.monotonic` by which all questions are to be answered. As the list serves all it may take a part of that time,
    whatever the deadline of one question.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer, RationalVector
    >>> import numpy as np
    >>> relu = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> size = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> listed = RegionList([relu, size], AllSpace())
    >>> found = listed.of_output(RationalVector((3,)), active=1, deadline=None)
    >>> found.points, listed.is_complete
    (2, True)
    >>> list(found.grounds.evidence().lines())
    ['regions', 'cut 0 0', 'leaf 1', 'leaf 1']
    """

    def __init__(self, stages: Sequence[Layer], domain: Domain, *, until: float | None = None) -> None:
        self._stages = tuple(stages)
        self._domain = domain
        self._until = until
        self._sets: LevelSets | None = None
        # The most seconds in which it was not completed, and what was said where it was not and there was no limit.
        self._too_few, self._too_many = 0.0, ""

    @property
    def is_complete(self) -> bool:
        return self._sets is not None

    def of_output(self, y: RationalVector, *, active: int, deadline: float | None) -> Preimage:
        """The pre-image of an output, undecided where there are too many regions or the time ends; active: its positive entries."""
        deadline = deadline if self._until is None else self._until
        try:
            sets = self._listed(deadline)
            if isinstance(sets, str):
                return _undecided(active, sets)
            found = sets.of(y, deadline=deadline)
        except InvalidRequestError as error:
            return _undecided(active, str(error))
        if found is None:
            return _undecided(active, "all regions were listed, but the time limit was reached")
        return _said(found, active, ListedGrounds(sets.found, self._domain, y, found))

    def _listed(self, deadline: float | None) -> LevelSets | str:
        """All regions; or why they are not listed."""
        n, m = self._stages[0].inputs, self._stages[-1].outputs
        if self._sets is None:
            if not 0 < n <= _MOST_INPUTS or m > _MOST_OUTPUTS:
                return f"regions are not listed for {n} inputs and {m} outputs"
            now = time.monotonic()
            seconds = None if deadline is None else _LISTING * (deadline - now)
            if seconds is None and self._too_many:
                return self._too_many
            if seconds is not None and seconds <= self._too_few:
                return "there was no time to list all regions; a longer time limit may settle it"
            network = Network(self._stages, (SourceLayer(1, "all", self._stages, 0),), (), (n,))
            limit = (MOST_FACES if deadline is None else _MOST_FACES_IN_TIME) // 3**n
            found = regions(network, domain=self._domain, deadline=None if seconds is None else now + seconds, limit=limit)
            if not found.complete:
                many = f"there are {found.regions} regions at least, too many to be listed"
                if seconds is None:
                    self._too_many = f"{many} without a time limit"
                    return self._too_many
                self._too_few = seconds
                return f"{many} in time"
            self._sets = LevelSets(found)
        return self._sets


def _said(found: LevelSet, active: int, grounds: ListedGrounds) -> Preimage:
    if found.dimension > 0:
        word = Cardinality.BOUNDED if found.bounded else Cardinality.UNBOUNDED
        return Preimage(word, None, None, found.witness, found.dimension, active, None, grounds=grounds)
    count = len(found.points)
    word = (Cardinality.EMPTY, Cardinality.SINGLETON, Cardinality.FINITE)[min(count, 2)]
    return Preimage(word, count, found.points, None, found.dimension, active, None, grounds=grounds)


def _undecided(active: int, reason: str) -> Preimage:
    return Preimage(Cardinality.UNDECIDED, None, None, None, None, active, None, reason)
