"""Whether a layer is injective on a domain: a cascade from cheap arguments to the proof by cases (theory I).

Every argument that says yes leaves a `Proof`, every one that says no a `Collision`; `method` names the argument.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.certificate import DomainLines, Rank, Vector
from exactrelu.certificate_injectivity import CollisionCertificate, InjectivityCertificate, Proof
from exactrelu.domain import AllSpace, Domain
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.exact.kernel import pivot_rows
from exactrelu.exact.linalg import PRIMES, exact_rank, mask_of, rank_mod, regular_block
from exactrelu.exact.rational import DyadicMatrix, RationalVector, stack
from exactrelu.exact.rounding import float_arithmetic_is_sound
from exactrelu.exact.system import RowSet, gram_lower_bound
from exactrelu.injectivity.certain import certain_dependencies
from exactrelu.injectivity.collision import Collision, collide, drawn_inside, points_near
from exactrelu.injectivity.counting import far_point
from exactrelu.injectivity.descent import quiet_points
from exactrelu.injectivity.flats import Flats
from exactrelu.injectivity.oracle import Oracle
from exactrelu.injectivity.propagation import Propagation
from exactrelu.injectivity.question import Question
from exactrelu.injectivity.tree import Progress, UnluckyPrimeError, primes_below_2_31

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.certificate_injectivity import Dependency
    from exactrelu.network.model import Layer

# Up to this many inputs the proof by cases finds collisions faster than the descent does.
_FEW_INPUTS = 6
# How many of the given points are tried.
_POINTS = 32


@dataclass(frozen=True)
class LayerInjectivity:
    """Whether a layer is injective on a domain.

    verdict: "injective" (with `evidence`), "not-injective" (with `collision`) or "undecided" (with `progress`, where the
    proof by cases had begun); method: the argument that decided, in words.
    """

    verdict: str
    method: str
    seconds: float
    collision: Collision | None = None
    evidence: Proof | None = None
    progress: Progress | None = None

    def record(self) -> dict[str, Any]:
        """The answer in the words of the JSON interface, without its certificate."""
        pair = self.collision
        progress = "nothing was closed within the limits" if self.verdict == "undecided" else None
        return {
            "verdict": self.verdict,
            "method": self.method,
            "collision": pair and {"x": pair.x.texts(), "y": pair.y.texts(), "value": pair.value.texts()},
            "inverse_lipschitz_upper": None,
            "certificate": None,
            "progress": progress if self.progress is None else self.progress.sentence(self.seconds),
        }

    def certificate(self, *, network_sha256: str, layer_number: int, domain: Domain) -> InjectivityCertificate | CollisionCertificate:
        """The certificate of a decided result on the same domain; raises CertificateError for an undecided one."""
        lines = DomainLines(domain.lines())
        if self.collision is not None:
            first, second = (Vector(x.numerators, x.denominator) for x in (self.collision.x, self.collision.y))
            return CollisionCertificate(network_sha256, layer_number, first, second, domain=lines)
        if self.evidence is None:
            raise CertificateError("an undecided result has no certificate; give it more time")
        return InjectivityCertificate(network_sha256, layer_number, self.evidence, lines)


def decide_layer(layer: Layer, domain: Domain, *, deadline: float | None = None, points: Sequence[RationalVector] = ()) -> LayerInjectivity:
    """Decide whether two different inputs in the domain have the same output (theory I2).

    layer: weights (m, n); deadline: a time of `time.monotonic()` after which the answer is "undecided"; points: inputs near which a
    collision is looked for.

    Raises InvalidRequestError where the domain or a point is of another dimension, or the domain is empty.

    >>> from exactrelu import Layer
    >>> weight, bias = DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.25]])
    >>> both = Layer(weight, bias, np.array([True, True]))
    >>> decide_layer(both, AllSpace()).verdict, decide_layer(both.first(1), AllSpace()).verdict
    ('injective', 'not-injective')
    """
    started = time.monotonic()
    question = Question(layer, domain, deadline=deadline)
    for x in points:
        if len(x) != layer.inputs:
            raise InvalidRequestError(f"a point with {len(x)} coordinates was given to a layer with {layer.inputs} inputs; give as many")
    verdict, method, found = _decide(question, points)
    seconds = time.monotonic() - started
    if isinstance(found, Collision):
        return LayerInjectivity(verdict, method, seconds, collision=found)
    if isinstance(found, Proof):
        return LayerInjectivity(verdict, method, seconds, evidence=found)
    return LayerInjectivity(verdict, method, seconds, progress=found)


Found = tuple[str, str, Collision | Proof | Progress | None]


def _decide(question: Question, points: Sequence[RationalVector]) -> Found:
    # The interior comes first: an empty domain is refused there.
    interior = question.interior
    proof = _by_rank(question, ())
    if proof is not None:
        constant = DyadicMatrix.from_integers(question.equalities(), question.n)
        return "injective", "a domain of one point" if _has_full_rank(constant) else "rows without a relu of full rank", proof
    if interior is None:
        return "undecided", "no interior point of the polytope was found", None
    collision = _along_the_kernel(question, interior)
    if collision is not None:
        return "not-injective", "all rows together of lower rank", collision
    far = far_point(question)
    collision = None if far is None else collide(question, far)
    if collision is not None:
        return "not-injective", "fewer rows than twice the columns", collision
    certain = certain_dependencies(question)
    proof = _by_rank(question, certain)
    if proof is not None:
        return "injective", _certain_method(proof), proof
    collision = _near_points(question, points)
    if collision is not None:
        return "not-injective", "few active rows near a given point", collision
    collision = _by_descent(question)
    if collision is not None:
        return "not-injective", "few active rows at a point found by descent", collision
    return _by_cases(question, certain)


def _along_the_kernel(question: Question, interior: RationalVector) -> Collision | None:
    """A collision where all rows and what is constant on the domain have rank below n."""
    constant = DyadicMatrix.from_integers(question.equalities(), question.n)
    return None if _has_full_rank(stack([question.layer.weight, constant])) else collide(question, interior)


def _near_points(question: Question, points: Sequence[RationalVector]) -> Collision | None:
    """A collision near one of the given points, those with the fewest active rows first."""
    ordered = sorted(points, key=lambda x: _active(question, x.to_float()))
    for x in ordered[:_POINTS]:
        for near in drawn_inside(question, x, (3, 6, 12, 24)):
            if _active(question, near.to_float()) < question.n and (found := collide(question, near)) is not None:
                return found
    return None


def _by_descent(question: Question) -> Collision | None:
    """A collision at a point with few active rows, towards another one."""
    if question.n <= _FEW_INPUTS:
        return None
    ends = sorted(((active, k, x) for k, (x, active) in enumerate(quiet_points(question))), key=lambda end: end[:2])
    always = len(question.unrectified) + len(question.equalities())
    for active, _, x in ends[:2]:
        if active + always >= question.n:
            break
        far = max((other for _, _, other in ends), key=lambda other: float(np.linalg.norm(other - x)))
        towards = far - x if (far != x).any() else np.ones(question.n)
        for near in points_near(question, x):
            if (found := collide(question, near, towards)) is not None:
                return found
    return None


def _active(question: Question, x: np.ndarray) -> int:
    """How many rows are not negative at a point, in floats."""
    return int(((question.values(x) >= 0) | ~question.layer.rectified).sum())


def _certain_method(proof: Proof) -> str:
    pairs = any(len(one.rows) == 2 for one in proof.dependencies)
    single = any(len(one.rows) == 1 for one in proof.dependencies)
    if pairs and single:
        return "always active rows and opposite rows of full rank"
    return "opposite rows of full rank" if pairs else "always active rows of full rank"


def _by_rank(question: Question, certain: Sequence[Dependency]) -> Proof | None:
    """The proof that the rows known to be in F have rank n, with no more dependencies than that takes."""
    rank = full_rank(question.known_rows(certain))
    if rank is None:
        return None
    # The list is: rows without a relu, first rows of the dependencies, equalities; leave out dependencies that the block does not use.
    before, count = len(question.unrectified), len(certain)
    kept = tuple(one for k, one in enumerate(certain) if rank.rows >> (before + k) & 1)
    own, others = rank.rows & ((1 << before) - 1), rank.rows >> (before + count)
    mask = own | ((1 << len(kept)) - 1) << before | others << (before + len(kept))
    return Proof(kept, question.flats, tuple(range(len(kept))), replace(rank, rows=mask))


def _independent(question: Question, certain: Sequence[Dependency]) -> list[Dependency]:
    """The dependencies whose first rows add to the rank."""
    block = set(regular_block(question.known_rows(certain), PRIMES[0]).rows)
    before = len(question.unrectified)
    return [one for k, one in enumerate(certain) if before + k in block]


def _has_full_rank(matrix: DyadicMatrix) -> bool:
    if matrix.shape[0] < matrix.shape[1]:
        return False
    if _bounded_below(RowSet(matrix)):
        return True
    return rank_mod(matrix, PRIMES[0]) == matrix.shape[1] or exact_rank(matrix).rank == matrix.shape[1]


def full_rank(matrix: DyadicMatrix) -> Rank | None:
    """The rank n of a (k, n) matrix with its evidence, None where the rank is lower (or, for large ones, was not shown)."""
    n = matrix.shape[1]
    if int(matrix.nonzero_rows.sum()) < n:
        return None
    scaled = RowSet(matrix)
    if _bounded_below(scaled):
        chosen = pivot_rows(scaled.scaled)
        if chosen is not None:
            return Rank(n, 0, mask_of(chosen.tolist()), (1 << n) - 1, "columns")
    for prime in PRIMES:
        block = regular_block(matrix, prime)
        if len(block.rows) == n:
            return Rank(n, prime, mask_of(block.rows), (1 << n) - 1, "columns")
    return None


def _bounded_below(rows: RowSet) -> bool:
    """Whether a proved bound in floats shows full column rank; not tried for few columns, where modular arithmetic is as fast."""
    return rows.matrix.shape[1] > 64 and float_arithmetic_is_sound() and rows.safe and gram_lower_bound(rows.scaled) > 0


def _by_cases(question: Question, certain: Sequence[Dependency]) -> Found:
    method = "tree of active rows"
    strategy = Flats if isinstance(question.domain, AllSpace) else Propagation
    oracle = Oracle(question)
    certain = _independent(question, certain)
    for prime in primes_below_2_31():
        search = strategy(question, certain, oracle, prime)
        try:
            found = search.run()
        except UnluckyPrimeError:
            continue
        if found is None:
            return "undecided", method, search.progress
        return ("not-injective" if isinstance(found, Collision) else "injective"), method, found
    raise AssertionError("some prime is not unlucky")
