"""The question decided from the regions of a network, cheapest argument first: I12, I13, I14, I11 of the theory."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from exactrelu.certificates import Vector
from exactrelu.certificates.injectivity_network import Apart, Definite, Orientation, Regions
from exactrelu.domain import AllSpace, Ball, Box
from exactrelu.exact.rational import DyadicMatrix, RationalVector, stack
from exactrelu.injectivity.network.answer import NetworkInjectivity
from exactrelu.injectivity.network.ends import kernel_collision, verified
from exactrelu.injectivity.network.expansion import inverse_of_maps
from exactrelu.injectivity.network.kept import Kept
from exactrelu.injectivity.network.monotone import monotone
from exactrelu.injectivity.network.pair_expansion import inverse_of_pairs
from exactrelu.injectivity.network.pairs import borders, pairs
from exactrelu.injectivity.network.pieces import OutOfTimeError, Pieces
from exactrelu.injectivity.network.square import by_one_value, by_orientation
from exactrelu.injectivity.question import Question
from exactrelu.regions import regions
from exactrelu.regions.evidence import regions_certificate
from exactrelu.regions.start import domain_sides

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    from exactrelu.certificates.regions import RegionsCertificate
    from exactrelu.domain import Domain
    from exactrelu.injectivity.collisions.collision import Collision
    from exactrelu.injectivity.network.monotone import Monotone
    from exactrelu.injectivity.network.pairs import Pairs
    from exactrelu.network.model import Network
    from exactrelu.regions import RegionComplex


def by_regions(
    network: Network,
    domain: Domain,
    deadline: float | None,
    limit: int | None,
    kept: Kept | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NetworkInjectivity:
    """The answer, undecided where the time or the limit does not suffice for all regions; `seconds` is left 0.

    kept: what earlier runs left, and where this one leaves the regions listed and the pairs closed. progress: is called with how many
    parts of the listing, and then pairs of regions, are done, and how many there are.

    Raises InvalidRequestError where the domain is empty. A ball is decided on the box around it.
    """
    if isinstance(domain, Ball):
        reach = [domain.radius] * network.inputs
        around = Box(RationalVector.from_fractions(-r for r in reach), RationalVector.from_fractions(reach))
        return _in_ball(domain, by_regions(network, around, deadline, limit, kept, progress))
    kept = kept or Kept()
    steps = _Steps(progress)
    found = regions(network, domain=domain, deadline=deadline, limit=limit, store=kept.store, progress=steps)
    if not found.complete:
        jobs = "" if steps.last is None else f"{steps.last[0]} of {steps.last[1]} parts of the listing are done; "
        reached = f"{jobs}{found.regions} activation regions were made, and there are more than the limits allow"
        return NetworkInjectivity("undecided", "activation regions", 0.0, regions=found.regions, progress=reached)
    steps = _Steps(progress)
    try:
        answer = _Decision(network, domain, found, deadline, kept, steps).answer()
    except OutOfTimeError as late:
        closed = "" if steps.last is None else f"; {steps.last[0]} of {steps.last[1]} pairs are closed"
        answer = NetworkInjectivity("undecided", "activation regions", 0.0, progress=f"{late}{closed}", pairs=steps.last)
    return replace(answer, regions=found.regions)


class _Steps:
    """Hands on what it is told of how much is done, and remembers the last of it."""

    def __init__(self, progress: Callable[[int, int], None] | None) -> None:
        self._progress = progress
        self.last: tuple[int, int] | None = None

    def __call__(self, done: int, total: int) -> None:
        self.last = done, total
        if self._progress is not None:
            self._progress(done, total)


def _in_ball(ball: Ball, found: NetworkInjectivity) -> NetworkInjectivity:
    """What the answer on the box around a ball says of the ball."""
    pair = found.collision
    if pair is None or (ball.contains(pair.x) and ball.contains(pair.y)):
        return found
    reached = "on the box around the ball there is a collision, which does not lie in the ball; a box or a polytope may be decided"
    return NetworkInjectivity("undecided", found.method, 0.0, regions=found.regions, progress=reached)


class _Decision:
    """All regions of a network on a domain, and the arguments one after the other."""

    def __init__(self, network: Network, domain: Domain, found: RegionComplex, deadline: float | None, kept: Kept, steps: _Steps) -> None:
        self._network, self._domain = network, domain
        self._kept, self._steps = kept, steps
        self._pieces = Pieces(network.layers, found, deadline=deadline)

    def answer(self) -> NetworkInjectivity:
        pieces = self._pieces
        if not pieces.is_square:
            return self._by_each_region() or self._by_matrix() or self._by_pairs_of_regions()
        collision = by_orientation(pieces, self._domain)
        if collision is not None:
            return _refuted("regions with determinants of both signs, or 0", collision)
        if isinstance(self._domain, AllSpace):
            return self._by_one_value()
        if pieces.complex.bounded.all():
            return self._by_boundary()
        return self._by_matrix() or self._by_pairs_of_regions()

    def _by_one_value(self) -> NetworkInjectivity:
        """Theory I12, all determinants being of one sign."""
        method, pieces = "all determinants of one sign and a value with one pre-image", self._pieces
        collision = by_one_value(pieces, self._domain)
        if collision is not None:
            return _refuted("all determinants of one sign, but a value with more than one pre-image", collision)
        point = pieces.complex.interior_point(0)
        evidence = Orientation(Vector(point.numerators, point.denominator), self._all_regions())
        return NetworkInjectivity("injective", method, 0.0, inverse_lipschitz=inverse_of_maps(pieces), evidence=evidence)

    def _by_each_region(self) -> NetworkInjectivity | None:
        """A collision inside one region."""
        count = self._pieces.count
        for region in range(count):
            self._pieces.check_time(f"{region} of {count} activation regions were looked at")
            if not self._pieces.is_injective_on(region):
                return _refuted("a region where the map is of lower rank", self._inside(region))
        return None

    @cached_property
    def _matrix(self) -> Monotone | None:
        return self._kept.tried("matrix", lambda until: monotone(self._pieces, until), self._pieces.deadline)

    def _by_matrix(self) -> NetworkInjectivity | None:
        """Theory I14."""
        return None if self._matrix is None else self._injective("one matrix makes the maps of all regions positive definite")

    def _by_pairs_of_regions(self) -> NetworkInjectivity:
        """Theory I11, each region being decided."""
        found = self._pairs(self._pieces.spanning)
        return self._by_pairs(found, "pairs of regions", "pairs", self._pieces.spanning, range(self._pieces.count))

    def _by_boundary(self) -> NetworkInjectivity:
        """Theory I13, all determinants being of one sign."""
        sides = [side for side in domain_sides(self._domain, self._pieces.complex.space_dimension) if any(side[:-1])]
        parts = borders(self._pieces, sides)
        cells = [part for _, _, part in parts]
        found = self._pairs(cells)
        method = "all determinants of one sign and the boundary of the domain"
        return self._by_pairs(found, method, "boundary", cells, [region * len(sides) + side for region, side, _ in parts], len(sides))

    def _pairs(self, cells: Sequence[Sequence[int]]) -> Pairs:
        """What pairs of cells say, going on from the functions that are known."""
        functions = self._kept.functions
        functions.forget_false(self._pieces.images, cells)
        return pairs(self._pieces, cells, known=functions, progress=self._steps)

    def _by_pairs(
        self, found: Pairs, method: str, word: str, cells: Sequence[Sequence[int]], numbers: Sequence[int], parts: int = 1
    ) -> NetworkInjectivity:
        """What pairs of cells say, and their numbers in a certificate, of which every region has so many."""
        if found.ends is not None:
            collision = verified(self._network.layers, self._domain, *found.ends)
            assert collision is not None, "weights of the linear program are exact"
            return _refuted(method, collision)
        answer = self._injective(method)
        if answer.evidence is not None:
            return answer
        bound = self._inverse_by_pairs(found, cells, [number // parts for number in numbers])
        functions = tuple((numbers[i], numbers[j], function) for (i, j), function in sorted(found.functions.items()))
        certified = regions_certificate(self._network, self._pieces.complex, self._domain)
        flats = Question(self._network.layers[0], self._domain).flats
        evidence = Apart(word, found.directions, functions, _regions(certified), flats, certified.slice)
        return replace(answer, inverse_lipschitz=bound, evidence=evidence)

    def _inverse_by_pairs(self, found: Pairs, cells: Sequence[Sequence[int]], owners: Sequence[int]) -> Fraction | None:
        """How much distances shrink at most; owners: the regions of the cells. None where the time does not suffice."""
        pieces = self._pieces
        inside = inverse_of_maps(pieces)
        beside = {(i, j) for i, j in pieces.complex.neighbours.tolist()} if pieces.is_square else set()

        def alike(first: int, second: int) -> bool:
            pair = owners[first], owners[second]
            return pair[0] == pair[1] or pair in beside

        try:
            return None if inside is None else inverse_of_pairs(pieces, cells, found, inside, alike)
        except OutOfTimeError:
            return None

    def _injective(self, method: str) -> NetworkInjectivity:
        """Decided so; where there is a matrix for all maps, with the bound and the certificate that it gives."""
        if self._matrix is None:
            return NetworkInjectivity("injective", method, 0.0)
        evidence = Definite(self._matrix.matrix, self._all_regions())
        return NetworkInjectivity("injective", method, 0.0, inverse_lipschitz=self._matrix.inverse_lipschitz, evidence=evidence)

    def _all_regions(self) -> Regions:
        return _regions(regions_certificate(self._network, self._pieces.complex, self._domain))

    def _inside(self, region: int) -> Collision:
        """A collision in a region whose map is of lower rank."""
        pieces = self._pieces
        n = pieces.complex.space_dimension
        linear = DyadicMatrix.from_integers([row[:-1] for row in pieces.maps[region]], n)
        constant = DyadicMatrix.from_integers(Question(self._network.layers[0], self._domain).equalities(), n)
        point = pieces.complex.interior_point(region)
        collision = kernel_collision(self._network.layers, self._domain, point, stack([linear, constant]))
        assert collision is not None, "the map is of lower rank inside the region"
        return collision


def _regions(certified: RegionsCertificate) -> Regions:
    return Regions(certified.regions, certified.adjacencies, certified.cells)


def _refuted(method: str, collision: Collision) -> NetworkInjectivity:
    return NetworkInjectivity("not-injective", method, 0.0, collision=collision)
