"""Two networks as functions: equal on a domain, or an input on which they differ, exactly.

First some inputs, then the networks' forms up to the order and scale of neurons, then the regions of the difference: an affine function is
0 on a region iff it is on what spans it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from exactrelu.domain import AllSpace, Ball
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.injectivity.network.canonical import canonical
from exactrelu.injectivity.network.combined import difference
from exactrelu.injectivity.network.draws import inputs
from exactrelu.injectivity.network.pieces import Pieces
from exactrelu.injectivity.question import Question
from exactrelu.regions import regions

if TYPE_CHECKING:
    from exactrelu.domain import Domain
    from exactrelu.network.model import Network

_DRAWS = 32
# Weights up to which the forms are computed, in rationals.
_MOST_WEIGHTS = 2**20


@dataclass(frozen=True)
class Comparison:
    """Whether two networks are equal as functions on a domain.

    verdict: "equal", "different" (with `input` and both outputs there) or "undecided" (with `progress`); method: in words.
    """

    verdict: str
    method: str
    seconds: float
    input: RationalVector | None = None
    outputs: tuple[RationalVector, RationalVector] | None = None
    regions: int | None = None
    progress: str | None = None

    def record(self) -> dict[str, Any]:
        """The answer as data, rationals as "p/q" strings."""
        return {
            "verdict": self.verdict,
            "method": self.method,
            "input": self.input and self.input.texts(),
            "outputs": self.outputs and [output.texts() for output in self.outputs],
            "regions": self.regions,
            "progress": self.progress,
        }


def compare(
    first: Network, second: Network, *, domain: Domain | None = None, seconds: float | None = None, limit: int | None = None
) -> Comparison:
    """Decide whether two networks are the same function on a domain, all of R^n by default.

    seconds: the time after which the answer is "undecided"; limit: how many activation regions of both together may be made.

    Raises InvalidRequestError where the numbers of inputs or outputs differ, for an empty domain and for a ball.

    >>> from exactrelu import demo, load
    >>> network = load(demo.MODEL)
    >>> compare(network, network).verdict
    'equal'
    """
    started = time.monotonic()
    domain = AllSpace() if domain is None else domain
    if isinstance(domain, Ball):
        raise InvalidRequestError("two networks are not compared on a ball; give a box or a polytope")
    together = difference(first, second)
    domain.check_dimension(first.inputs)

    def different(x: RationalVector, method: str, count: int | None = None) -> Comparison:
        return Comparison("different", method, time.monotonic() - started, x, (first(x), second(x)), count)

    for x in islice(inputs(Question(first.layers[0], domain)), _DRAWS):
        if first(x) != second(x):
            return different(x, "a drawn input")
    if _weights(first) + _weights(second) <= _MOST_WEIGHTS and canonical(first.layers) == canonical(second.layers):
        return Comparison("equal", "the same up to the order and scale of neurons", time.monotonic() - started)
    deadline = None if seconds is None else started + seconds
    found = regions(together, domain=domain, deadline=deadline, limit=limit)
    method = "activation regions of both networks together"
    if not found.complete:
        reached = f"equal on {_DRAWS} drawn inputs; {found.regions} activation regions were made, and there are more than the limits allow"
        return Comparison("undecided", method, time.monotonic() - started, regions=found.regions, progress=reached)
    pieces = Pieces(together.layers, found)
    for places in pieces.spanning:
        for place in places:
            if any(pieces.images[place][:-1]):
                return different(_beside(pieces, places, place), method, pieces.count)
    return Comparison("equal", method, time.monotonic() - started, regions=pieces.count)


def _beside(pieces: Pieces, places: list[int], place: int) -> RationalVector:
    """A point at which the difference is not 0: a generator, or where that is a ray, a point of the region in its direction."""
    *x, t = pieces.points[place]
    if t:
        return RationalVector(tuple(x), t)
    corner = next(other for other in places if pieces.points[other][-1])
    if any(pieces.images[corner][:-1]):
        return _beside(pieces, places, corner)
    return pieces.barycentre([corner, place])


def _weights(network: Network) -> int:
    return sum(layer.inputs * layer.outputs for layer in network.layers)
