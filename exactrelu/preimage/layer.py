"""The pre-image of one layer: empty, one point, bounded or unbounded, of which dimension, and the proof (theory P1, P2, P4).

`LayerPreimage` prepares what depends on the weights and the domain alone; each input or output is then one or two calls
of the cone predicate. At a known point x0 the tight rows decide between one point and many, all rows between bounded and
unbounded; for a bare output the homogenised cone first decides whether there is a point at all (theory C1).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates import Certificate, DataSource, DomainLines, Rank, RecessionDirection, Vector, hexadecimal
from exactrelu.domain import Box, Domain, Orthant, Polytope, refuse_ball
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.exact.cone import Decision, StrictRayFound, Tie, TrivialCone, Undecided, decide, independent_rank
from exactrelu.exact.kernel import pivot_rows
from exactrelu.exact.linalg import exact_rank, mask_of
from exactrelu.exact.rational import DyadicMatrix, RationalVector, stack
from exactrelu.exact.rounding import UNIT_ROUNDOFF, UPWARDS, float_arithmetic_is_sound, gamma, in_safe_range
from exactrelu.exact.search import Direction
from exactrelu.exact.system import ConeSystem, RowSet, gram_lower_bound
from exactrelu.exact.ties import lineality_direction
from exactrelu.preimage.grounds import EmptyGrounds, PointGrounds
from exactrelu.preimage.homogenised import Homogenised
from exactrelu.preimage.witness import MANY_INPUTS, find_witness, solve_active_rows
from exactrelu.verdict import Cardinality, Preimage

if TYPE_CHECKING:
    from exactrelu.network.model import Layer


class LayerPreimage:
    """Decides pre-images under one layer within a closed domain; prepared once, asked for many points.

    layer: weights (m, n); domain: a set of inputs in R^n; rational: certificates and witnesses with exact rational numbers.

    >>> from exactrelu import AllSpace, Layer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> LayerPreimage(layer, AllSpace()).of_point(RationalVector((3,))).cardinality.value
    'singleton'
    """

    def __init__(self, layer: Layer, domain: Domain, *, rational: bool = False) -> None:
        domain.check_dimension(layer.inputs)
        refuse_ball(domain)
        self.layer = layer
        self.domain = domain
        self.rational = rational
        self._nonzero = layer.weight.nonzero_rows
        self._whole = RowSet(layer.weight)
        sides = polytope_rows(domain, layer.inputs)
        self._polytope = sides.rows(sides.nonzero_rows)
        # The recession system's rows: the layer's, then the polytope's, those of zeros left out.
        own = self._whole if self._nonzero.all() else RowSet(layer.weight.rows(self._nonzero))
        self._recession_rows = RowSet(stack([own.matrix, self._polytope])) if self._polytope.shape[0] else own

    # ------------------------------------------------------------ questions

    def of_point(self, x: RationalVector, *, deadline: float | None = None) -> Preimage:
        """The pre-image of f(x) within the domain; x itself need not lie in it. Raises InvalidRequestError for a wrong length."""
        if len(x) != self.layer.inputs:
            raise InvalidRequestError(f"a point with {len(x)} coordinates was given to a layer with {self.layer.inputs} inputs")
        if not self.domain.contains(x):
            return self.of_output(self.layer(x), deadline=deadline)
        return self._at(x, given=True, deadline=deadline)

    def of_output(self, y: RationalVector, *, deadline: float | None = None) -> Preimage:
        """The pre-image of an output y within the domain. Raises InvalidRequestError for a wrong length."""
        if len(y) != self.layer.outputs:
            raise InvalidRequestError(f"an output with {len(y)} coordinates was given to a layer with {self.layer.outputs} outputs")
        signs = np.array([(value > 0) - (value < 0) for value in y.numerators], dtype=np.int8).reshape(-1)
        active = int((signs > 0).sum())
        negative = np.flatnonzero((signs < 0) & self.layer.rectified)
        if len(negative):
            return _empty(active, EmptyGrounds(int(negative[0])))
        equality = (signs > 0) | ~self.layer.rectified
        only = solve_active_rows(self.layer, y, equality)
        if only is not None and self.domain.contains(only) and self.layer(only) == y:
            return self._at(only, given=False, deadline=deadline)
        homogenised = Homogenised.of(self.layer, self.domain, y, equality)
        decision = homogenised.decide(deadline=deadline)
        if isinstance(decision, Undecided):
            return Preimage(Cardinality.UNDECIDED, None, None, None, None, active, None, decision.reason)
        point = homogenised.point(decision)
        if point is None:
            if isinstance(decision, StrictRayFound):
                reason = "the output is in the range, but an exact point of its pre-image was not found"
                return Preimage(Cardinality.UNDECIDED, None, None, None, None, active, None, reason)
            return _empty(active, EmptyGrounds(None, homogenised, decision))
        return self._at(point, given=False, deadline=deadline)

    # ------------------------------------------------------------ at a known point

    def _at(self, x: RationalVector, *, given: bool, deadline: float | None) -> Preimage:
        layer, n = self.layer, self.layer.inputs
        signs = self.signs(x)
        active = int((signs > 0).sum())
        equality = (signs > 0) | ~layer.rectified
        recession = self._recession_system(equality)
        positions = np.flatnonzero(self._nonzero[equality])
        rank = self._rank(recession, equality, positions)
        grounds = PointGrounds(x, given, rank, equality, positions)
        if rank.rank == n:
            return _singleton(x, active, grounds)
        tight = self._tight_system(x, signs, equality)
        dimension = n - rank.rank
        if tight.inequality.any():
            decision = decide(tight, deadline=deadline)
            grounds = replace(grounds, tight=decision)
            if isinstance(decision, TrivialCone):
                return _singleton(x, active, grounds)
            if isinstance(decision, Undecided):
                return Preimage(Cardinality.UNDECIDED, None, None, None, None, active, rank.rank, decision.reason)
            if isinstance(decision, Tie):
                dimension = n - decision.split.rank.rank
        unbounded = self._unbounded(recession, deadline)
        grounds = replace(grounds, recession=unbounded)
        if isinstance(unbounded, Undecided):
            cardinality = Cardinality.INFINITE
        elif unbounded is None or isinstance(unbounded, TrivialCone):
            cardinality = Cardinality.BOUNDED
        else:
            cardinality = Cardinality.UNBOUNDED
        result = Preimage(cardinality, None, None, None, dimension, active, rank.rank, grounds=grounds)
        if self.rational or n <= MANY_INPUTS:
            result = replace(result, witness=find_witness(self.layer, self.domain, grounds))
        return result

    def signs(self, x: RationalVector) -> np.ndarray:
        """The exact signs of the pre-activations at x, int8 (m,): floats where a rounding bound decides, else integers."""
        floats = x.to_float()
        rows = self._whole
        exact = np.arange(self.layer.outputs)
        result = np.zeros(self.layer.outputs, dtype=np.int8)
        with np.errstate(all="ignore"):
            bias = np.ldexp(self.layer.bias.floats[:, 0], -rows.exponents)
            if float_arithmetic_is_sound() and rows.safe and self.layer.bias.is_float64 and in_safe_range(floats, bias):
                values = rows.scaled @ floats + bias
                # n products of a weight and a coordinate rounded once, one more sum: n + 3 roundings at most.
                size = rows.norms * float(np.sqrt(floats @ floats)) + np.abs(bias)
                certain = np.abs(values) > (gamma(self.layer.inputs + 3) + UNIT_ROUNDOFF) * size * UPWARDS * UPWARDS
                result[certain] = np.sign(values[certain]).astype(np.int8)
                exact = np.flatnonzero(~certain)
        if len(exact) > 32:
            z = self.layer.pre_activation(x).numerators
            result[exact] = [(z[i] > 0) - (z[i] < 0) for i in exact.tolist()]
        else:
            result[exact] = [_exact_sign(self.layer, int(i), x) for i in exact]
        return result

    def _recession_system(self, equality: np.ndarray) -> ConeSystem:
        count = self._recession_rows.matrix.shape[0]
        mask = np.zeros(count, dtype=bool)
        own = equality[self._nonzero]
        mask[: len(own)] = own
        lower = np.full(self.layer.inputs, isinstance(self.domain, Orthant))
        return ConeSystem(self._recession_rows, mask, lower, np.zeros(self.layer.inputs, dtype=bool))

    def _tight_system(self, x: RationalVector, signs: np.ndarray, equality: np.ndarray) -> ConeSystem:
        rows = self._nonzero & (equality | (signs == 0))
        lower, upper = tight_sides(self.domain, x)
        polytope = self._polytope.rows(tight_polytope_rows(self.domain, x))
        own = self.layer.weight.rows(rows)
        matrix = stack([own, polytope]) if polytope.shape[0] else own
        return ConeSystem(RowSet(matrix), np.concatenate([equality[rows], np.zeros(polytope.shape[0], dtype=bool)]), lower, upper)

    def _rank(self, recession: ConeSystem, equality: np.ndarray, positions: np.ndarray) -> Rank:
        """rank A_P: by a proved bound in floats where the active rows are independent or of full column rank, else exactly."""
        count, n = int(equality.sum()), self.layer.inputs
        if float_arithmetic_is_sound() and recession.rows.safe:
            if len(positions) <= n:
                found = independent_rank(recession, positions)
                if found is not None:
                    return found
            else:
                rows = recession.scaled[recession.equality_rows]
                if gram_lower_bound(rows) > 0 and (chosen := pivot_rows(rows)) is not None:
                    return Rank(n, 0, mask_of(positions[chosen].tolist()), (1 << n) - 1, "columns")
        return exact_rank(self.layer.weight.rows(equality)) if count else Rank(0, 0, 0, 0, "rows")

    def _unbounded(self, system: ConeSystem, deadline: float | None) -> Decision | RecessionDirection | None:
        """The recession cone: None or a `TrivialCone` if it is {0}, else what shows a ray."""
        if isinstance(self.domain, Box):
            return None
        ignored = ~system.rows.matrix.nonzero_columns & ~system.has_side
        if ignored.any():
            unit = np.zeros(self.layer.inputs, dtype=np.int64)
            unit[np.flatnonzero(ignored)[0]] = 1
            return RecessionDirection(tuple(unit.tolist()))
        if not system.inequality.any():
            direction = np.zeros(system.kernel.dimension)
            direction[:1] = 1.0
            return StrictRayFound(system, Direction(system.kernel.full(direction), np.zeros(system.row_count, dtype=bool)))
        decision = decide(system, deadline=deadline)
        if isinstance(decision, Tie):
            found = decision.split.direction or lineality_direction(system)
            return Undecided("no exact ray was found") if found is None else RecessionDirection(found)
        return decision

    # ------------------------------------------------------------ certificates

    def certificate(
        self,
        result: Preimage,
        *,
        network_sha256: str,
        layer_number: int,
        subject: str,
        given: RationalVector,
        data: DataSource | None = None,
    ) -> Certificate:
        """The certificate of a decided result; raises CertificateError where its evidence could not be completed."""
        return written_certificate(
            result,
            self.domain,
            rational=self.rational,
            network_sha256=network_sha256,
            layer_number=layer_number,
            subject=subject,
            given=given,
            data=data,
        )


def written_certificate(
    result: Preimage,
    domain: Domain,
    *,
    rational: bool,
    network_sha256: str,
    layer_number: int,
    subject: str,
    given: RationalVector,
    data: DataSource | None,
) -> Certificate:
    """The certificate that the grounds of a result give; raises CertificateError where its evidence could not be completed."""
    grounds = result.grounds
    solution, claim = None, result.cardinality.value
    if isinstance(grounds, PointGrounds):
        numbers = [result.dimension or 0, grounds.rank.rank, result.active]
        claim = " ".join([claim, *map(hexadecimal, numbers)])
        if not grounds.given:
            solution = Vector(grounds.base.numerators, grounds.base.denominator)
    elif not isinstance(grounds, EmptyGrounds):
        raise CertificateError("an undecided result has no certificate; give it more time or fewer rows")
    return Certificate(
        network=network_sha256,
        layer=layer_number,
        subject=subject,
        given=Vector(given.numerators, given.denominator),
        claim=claim,
        evidence=grounds.sections(rational=rational),
        solution=solution,
        domain=DomainLines(domain.lines()),
        data=data,
    )


def _singleton(x: RationalVector, active: int, grounds: PointGrounds) -> Preimage:
    return Preimage(Cardinality.SINGLETON, 1, (x,), None, 0, active, grounds.rank.rank, grounds=grounds)


def _empty(active: int, grounds: EmptyGrounds) -> Preimage:
    return Preimage(Cardinality.EMPTY, 0, (), None, -1, active, None, grounds=grounds)


def _exact_sign(layer: Layer, row: int, x: RationalVector) -> int:
    weights, low = layer.weight.integer_row(row)
    (bias,), high = layer.bias.integer_row(row)
    product = sum(a * b for a, b in zip(weights, x.numerators, strict=True))
    shift = min(low, high)
    value = (product << (low - shift)) + (bias * x.denominator << (high - shift))
    return (value > 0) - (value < 0)


def polytope_rows(domain: Domain, n: int) -> DyadicMatrix:
    """The rows of a polytope, (k, n); none for the other domains."""
    if isinstance(domain, Polytope):
        return DyadicMatrix.from_integers(domain.rows, n)
    return DyadicMatrix(np.zeros((0, n)))


def tight_polytope_rows(domain: Domain, x: RationalVector) -> np.ndarray:
    """Which of the polytope's non-zero rows are tight at x, a boolean mask over them."""
    if not isinstance(domain, Polytope):
        return np.zeros(0, dtype=bool)
    return np.array(
        [
            sum(a * value for a, value in zip(row, x.numerators, strict=True)) + offset * x.denominator == 0
            for row, offset in zip(domain.rows, domain.offsets, strict=True)
            if any(row)
        ],
        dtype=bool,
    )


def tight_sides(domain: Domain, x: RationalVector) -> tuple[np.ndarray, np.ndarray]:
    """Which lower and upper sides of an orthant or a box are tight at x, boolean masks (n,)."""
    none = np.zeros(len(x), dtype=bool)
    if isinstance(domain, Orthant):
        return np.array([value == 0 for value in x.numerators], dtype=bool), none
    if isinstance(domain, Box):
        return _equal(domain.lower, x), _equal(domain.upper, x)
    return none, none


def _equal(left: RationalVector, right: RationalVector) -> np.ndarray:
    pairs = zip(left.numerators, right.numerators, strict=True)
    return np.array([a * right.denominator == b * left.denominator for a, b in pairs], dtype=bool)
