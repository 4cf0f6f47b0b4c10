"""Whether a layer is injective on a domain: a cascade from cheap arguments to the proof by cases (theory I).

Every argument that says yes leaves a `Proof` or `Windows`, every one that says no a `Collision`; `method` names the argument.
"""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates.injectivity import Proof, Windows
from exactrelu.domain import AllSpace, Box, Domain
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector, stack
from exactrelu.injectivity.answer import LayerInjectivity
from exactrelu.injectivity.blocks import window_by_window, windows_evidence
from exactrelu.injectivity.cases.flats import Flats
from exactrelu.injectivity.cases.oracle import Oracle
from exactrelu.injectivity.cases.propagation import Propagation
from exactrelu.injectivity.cases.resume import InterruptedSearch, Replay, reached
from exactrelu.injectivity.cases.tree import Progress, UnluckyPrimeError, primes_below_2_31
from exactrelu.injectivity.certain import certain_dependencies
from exactrelu.injectivity.collisions.collision import Collision, collide, drawn_inside, points_near
from exactrelu.injectivity.collisions.counting import far_point
from exactrelu.injectivity.collisions.descent import quiet_points
from exactrelu.injectivity.collisions.far_apart import far_apart
from exactrelu.injectivity.collisions.linearised import sparse_stage
from exactrelu.injectivity.collisions.widened import widened
from exactrelu.injectivity.large import is_large, rank_argument, window_argument
from exactrelu.injectivity.parts import decide_parts, parts
from exactrelu.injectivity.question import Question
from exactrelu.injectivity.ranks import by_rank, certain_method, has_full_rank, independent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.certificates.injectivity import Dependency
    from exactrelu.injectivity.cases.resume import State
    from exactrelu.injectivity.parts import Part
    from exactrelu.network.model import Layer

# Up to this many inputs the proof by cases finds collisions faster than the descent does.
_FEW_INPUTS = 6
# How many of the given points are tried.
_POINTS = 32
# Part of the inputs that a row reads at most, on average, where a collision in a window is looked for.
_SPARSE = 0.25
# How many times as long as the parts took, and one second, the proof for all parts together may take.
_CERTIFYING = 4
_TOO_LARGE = (
    "no window with few active rows was found at the points tried, the rows that are active all over the domain are of lower rank, "
    "and the layer is too large for the proof by cases; a smaller domain, or points near which to look, may decide it"
)
_PARTS_OPEN = "not every independent part was decided; a longer time limit may settle it"
_WINDOWS_UNCERTIFIED = "one of the windows that were proved one after the other has no evidence"
_PARTS_UNCERTIFIED = "one of the independent parts that were proved one by one has no evidence"


def decide_layer(
    layer: Layer,
    domain: Domain,
    *,
    deadline: float | None = None,
    points: Sequence[RationalVector] = (),
    resume: State | None = None,
    widen: bool = True,
) -> LayerInjectivity:
    """Decide whether two different inputs in the domain have the same output (theory I2).

    layer: weights (m, n); deadline: a time of `time.monotonic()` after which the answer is "undecided"; points: inputs near which a
    collision is looked for; resume: the state of an undecided result (`progress.state`) to go on from; widen: whether to look for two
    inputs far apart once a collision is known.

    Raises InvalidRequestError where the domain or a point is of another dimension, the domain is empty, or the state does not fit;
    InterruptedSearch, which is a KeyboardInterrupt with the progress, where a proof by cases was interrupted.

    >>> from exactrelu import Layer
    >>> weight, bias = DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.25]])
    >>> both = Layer(weight, bias, np.array([True, True]))
    >>> decide_layer(both, AllSpace()).verdict, decide_layer(both.first(1), AllSpace()).verdict
    ('injective', 'not-injective')
    """
    started = time.monotonic()
    question = Question(layer, domain, deadline=deadline)
    check_points(points, layer.inputs)
    verdict, method, found = _decide(question, points, resume)
    if widen and isinstance(found, Collision):
        found = widened(question, found) if is_large(layer) else far_apart(question, found, points)
    seconds = time.monotonic() - started
    if isinstance(found, Collision):
        return LayerInjectivity(verdict, method, seconds, collision=found)
    if isinstance(found, Proof | Windows):
        return LayerInjectivity(verdict, method, seconds, evidence=found)
    if isinstance(found, str):
        return LayerInjectivity(verdict, method, seconds, remark=found)
    return LayerInjectivity(verdict, method, seconds, progress=found)


def check_points(points: Sequence[RationalVector], inputs: int) -> None:
    """Raise InvalidRequestError for a point of another dimension."""
    for x in points:
        if len(x) != inputs:
            raise InvalidRequestError(f"a point with {len(x)} coordinates was given to a layer with {inputs} inputs; give as many")


# A verdict, the argument, and what shows it or, as a sentence, why there is nothing to show.
Found = tuple[str, str, Collision | Proof | Windows | Progress | str | None]


def _decide(question: Question, points: Sequence[RationalVector], resume: State | None) -> Found:
    if is_large(question.layer):
        return _decide_large(question, points)
    # The interior comes first: an empty domain is refused there.
    interior = question.interior
    proof = by_rank(question, ())
    if proof is not None:
        constant = DyadicMatrix.from_integers(question.equalities(), question.n)
        return "injective", "a domain of one point" if has_full_rank(constant) else "rows without a relu of full rank", proof
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
    proof = by_rank(question, certain)
    if proof is not None:
        return "injective", certain_method(proof), proof
    apart = parts([question.layer], question.domain)
    if len(apart) > 1 and resume is None:
        return _by_parts(question, apart, certain, points)
    return _search(question, certain, points, resume)


def _search(question: Question, certain: Sequence[Dependency], points: Sequence[RationalVector], resume: State | None) -> Found:
    """The arguments that take a search: points with few active rows, and the proof by cases."""
    collision = _near_points(question, points)
    if collision is not None:
        return "not-injective", "few active rows near a given point", collision
    collision = _by_descent(question) if resume is None else None
    if collision is not None:
        return "not-injective", "few active rows at a point found by descent", collision
    if resume is None and question.n > _FEW_INPUTS and _is_sparse(question.layer):
        window = window_argument([question.layer], question.domain, (), question.deadline)
        if window is not None:
            return "not-injective", *window
    return _by_cases(question, certain, resume)


def _decide_large(question: Question, points: Sequence[RationalVector]) -> Found:
    """The same for a layer that is too large to be dense: the rank of rows known to be in F, parts, windows."""
    layer, domain, deadline, interior = question.layer, question.domain, question.deadline, question.interior
    proof = rank_argument(layer, domain, deadline)
    if proof is not None:
        return "injective", *proof
    apart = parts([layer], domain)
    if len(apart) > 1:
        return _by_parts(question, apart, None, points)
    determined = ""
    if isinstance(domain, Box):
        found = window_by_window(layer, domain, deadline, _decide_part)
        if found.is_complete:
            return "injective", found.method, found.evidence or _WINDOWS_UNCERTIFIED
        determined = f"; one window after the other determines {int(found.known.sum())} of the {layer.inputs} inputs"
    collision = window_argument([layer], domain, points, deadline, interior)
    if collision is not None:
        return "not-injective", *collision
    return "undecided", "windows and always active rows of a large sparse layer", _TOO_LARGE + determined


def _is_sparse(layer: Layer) -> bool:
    return sparse_stage(layer).entries <= _SPARSE * layer.inputs * layer.outputs


def _by_parts(question: Question, apart: Sequence[Part], certain: Sequence[Dependency] | None, points: Sequence[RationalVector]) -> Found:
    """The verdict by independent parts; of an injective layer that is not large the proof by cases of all parts together, if it is short.

    Else every part is a window. One without rows has no evidence: its inputs are fixed.
    """
    started, deadline = time.monotonic(), question.deadline

    def decide(stages: tuple[Layer, ...], domain: Domain, near: Sequence[RationalVector]) -> LayerInjectivity:
        return _decide_part(stages[0], domain, deadline, near, widen=True)

    whole = decide_parts([question.layer], question.domain, apart, points, decide)
    if whole.verdict != "injective":
        return whole.verdict, whole.method, whole.collision or _PARTS_OPEN
    if certain is not None:
        patience = time.monotonic() + _CERTIFYING * (1 + time.monotonic() - started)
        question.deadline = patience if deadline is None else min(deadline, patience)
        _, _, proof = _by_cases(question, certain, None)
        if isinstance(proof, Proof):
            return "injective", whole.method, proof
    windows = windows_evidence([(part.rows.tolist(), answer) for part, answer in zip(apart, whole.answers, strict=True) if len(part.rows)])
    return "injective", whole.method, windows or _PARTS_UNCERTIFIED


def _decide_part(
    part: Layer, domain: Domain, deadline: float | None, points: Sequence[RationalVector] = (), *, widen: bool = False
) -> LayerInjectivity:
    """As `decide_layer`; what an interruption leaves of a part is no progress of the whole."""
    try:
        return decide_layer(part, domain, deadline=deadline, points=points, widen=widen)
    except InterruptedSearch:
        raise KeyboardInterrupt from None


def _along_the_kernel(question: Question, interior: RationalVector) -> Collision | None:
    """A collision where all rows and what is constant on the domain have rank below n."""
    constant = DyadicMatrix.from_integers(question.equalities(), question.n)
    return None if has_full_rank(stack([question.layer.weight, constant])) else collide(question, interior)


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


def _by_cases(question: Question, certain: Sequence[Dependency], resume: State | None) -> Found:
    method = "tree of active rows"
    strategy = Flats if isinstance(question.domain, AllSpace) else Propagation
    oracle = Oracle(question)
    certain = independent(question, certain)
    for prime in chain(() if resume is None else (resume.prime,), primes_below_2_31()):
        search = strategy(question, certain, oracle, prime)
        replay, resume = (None if resume is None else Replay(resume, search)), None
        try:
            found = search.run(replay)
        except UnluckyPrimeError:
            continue
        except KeyboardInterrupt:
            raise InterruptedSearch(reached(search, replay)) from None
        if found is None:
            return "undecided", method, reached(search, replay)
        return ("not-injective" if isinstance(found, Collision) else "injective"), method, found
    raise AssertionError("some prime is not unlucky")
