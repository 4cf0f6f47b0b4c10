"""The pre-image under a composition of layers, where no enumeration of activation regions is needed to decide it.

Two facts decide. If every layer has one point at the value that it takes, so has the composition, and a layer without any leaves
none: the layers one by one (theory P1, P2). If infinitely many inputs have one output under the first layer, or in the activation
region of a known input, infinitely many have it under the composition. What neither decides is undecided: the other regions may hold
more points.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates import Certificate, Direction, DomainLines, Part, SecondPoint, ThroughCertificate, Vector, hexadecimal
from exactrelu.domain import AllSpace, Box, Domain, Orthant, refuse_ball
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.exact.search import Multipliers, search
from exactrelu.exact.system import ConeSystem, RowSet
from exactrelu.preimage.composition import Region, is_affordable, regions_at
from exactrelu.preimage.coordinate_lines import coordinate_line
from exactrelu.preimage.grounds import PointGrounds
from exactrelu.preimage.layer import LayerPreimage, tight_sides
from exactrelu.preimage.one_layer import OneLayerPreimage, prepare_layer
from exactrelu.preimage.sparse_layer import RankGrounds
from exactrelu.preimage.witness import MANY_INPUTS, find_witness, moved
from exactrelu.verdict import Cardinality, Preimage, Witness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.certificates import DataSource
    from exactrelu.network.model import Layer

# How many regions that meet at one point are tried.
_MOST_REGIONS = 16
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


class NetworkPreimage:
    """Decides pre-images under the composition of layers within a closed domain; prepared once, asked for many points.

    stages: layers whose widths chain, (m1, n), (m2, m1), ..; domain: a set of inputs of the first, in R^n; rational: certificates and
    witnesses with exact rational numbers. Raises InvalidRequestError where there is no stage, or the widths or the domain do not fit.

    `singleton` and `empty` speak of all inputs of the domain, `bounded` is said on boxes only, `infinite` leaves boundedness open.
    What the layers' own pre-images and the point's own activation region do not decide is `undecided`. Theory P1, P2.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer
    >>> import numpy as np
    >>> relu = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> size = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> prepared = NetworkPreimage([relu, size], AllSpace())
    >>> [prepared.of_point(RationalVector((value,))).cardinality.value for value in (0, 3)]
    ['singleton', 'undecided']
    """

    def __init__(self, stages: Sequence[Layer], domain: Domain, *, rational: bool = False) -> None:
        if not stages:
            raise InvalidRequestError("a composition of no layers was asked about; name at least one layer")
        for number, (before, after) in enumerate(pairwise(stages), 2):
            if before.outputs != after.inputs:
                raise InvalidRequestError(f"layer {number} takes {after.inputs} inputs but {before.outputs} values reach it")
        domain.check_dimension(stages[0].inputs)
        refuse_ball(domain)
        self.stages = tuple(stages)
        self.domain = domain
        self.rational = rational
        self._prepared: dict[int, OneLayerPreimage] = {}

    # ------------------------------------------------------------ questions

    def of_point(self, x: RationalVector, *, deadline: float | None = None) -> Preimage:
        """The pre-image of f(x) within the domain; x itself need not lie in it. Raises InvalidRequestError for a wrong length."""
        values = [x]
        for stage in self.stages:
            values.append(stage(values[-1]))
        first = self._of_stage(1, "layer-input", x, deadline)
        active = _positive(values[-1])
        if first.result.cardinality.is_infinite:
            return self._infinite(active, first)
        verdicts, unsettled = [], None
        if first.result.cardinality is Cardinality.UNDECIDED:
            unsettled = first
        for number in range(len(self.stages), 1, -1):
            if unsettled is not None:
                break
            verdicts.append(self._of_stage(number, "layer-input", values[number - 1], deadline))
            if verdicts[-1].result.cardinality is not Cardinality.SINGLETON:
                unsettled = verdicts[-1]
        if unsettled is None:
            return _finite(active, first.result, StageGrounds((*verdicts, first)))
        known = x if self.domain.contains(x) else next(iter(first.result.solutions or ()), None)
        return self._in_region(known, active, unsettled, deadline)

    def of_output(self, y: RationalVector, *, deadline: float | None = None) -> Preimage:
        """The pre-image of an output y within the domain. Raises InvalidRequestError for a wrong length."""
        if len(y) != self.stages[-1].outputs:
            raise InvalidRequestError(f"an output with {len(y)} coordinates was given to layers with {self.stages[-1].outputs} outputs")
        active = _positive(y)
        verdicts, unsettled, given = [], None, y
        for number in range(len(self.stages), 0, -1):
            verdict = self._of_stage(number, "output", given, deadline)
            verdicts.append(verdict)
            result = verdict.result
            if result.cardinality is Cardinality.UNDECIDED:
                return _undecided(active, unsettled or verdict, "no input with this output was found")
            if result.cardinality.is_infinite and number == 1:
                return self._infinite(active, verdict)
            if result.cardinality is Cardinality.EMPTY:
                if unsettled is not None:
                    return _undecided(active, unsettled, "no input with this output was found")
                return _finite(active, result, StageGrounds(tuple(verdicts)))
            if result.grounds is None:
                return _undecided(active, unsettled or verdict, "no exact value with this output was computed")
            if result.cardinality.is_infinite and unsettled is None:
                # One of the values that give this output: perhaps an input reaches it, and then that input's region is known.
                unsettled = verdict
            given = _point_of(result)
        if unsettled is None:
            return _finite(active, result, StageGrounds(tuple(verdicts)))
        return self._in_region(given, active, unsettled, deadline)

    # ------------------------------------------------------------ the two facts

    def _stage(self, number: int) -> OneLayerPreimage:
        """The decider of a layer alone; every value that reaches it lies in its domain."""
        if number not in self._prepared:
            rectified = number > 1 and bool(self.stages[number - 2].rectified.all())
            domain = self.domain if number == 1 else Orthant() if rectified else AllSpace()
            self._prepared[number] = prepare_layer(self.stages[number - 1], domain, rational=self.rational)
        return self._prepared[number]

    def _of_stage(self, number: int, subject: str, given: RationalVector, deadline: float | None) -> StageVerdict:
        if deadline is not None and time.monotonic() > deadline:
            result = Preimage(Cardinality.UNDECIDED, None, None, None, None, 0, None, "the time limit was reached")
        else:
            stage = self._stage(number)
            of = stage.of_output if subject == "output" else stage.of_point
            result = of(given, deadline=deadline)
        return StageVerdict(number, subject, given, result)

    def _in_region(self, x: RationalVector | None, active: int, unsettled: StageVerdict, deadline: float | None) -> Preimage:
        """Infinite if a region at x, an input of the domain with the output asked about, holds infinitely many; else undecided."""
        if x is None:
            return _undecided(active, unsettled, "no input of the domain with this output was found")
        line = self._coordinate_line(x)
        if line is not None:
            cardinality = self._infinitely_many(unbounded=line.ray is not None)
            return Preimage(cardinality, None, None, line, None, active, None, grounds=LineGrounds(line))
        everything = len(x) <= MANY_INPUTS and is_affordable(self.stages, tight=False)
        if not everything and not is_affordable(self.stages, tight=True):
            return _undecided(active, unsettled, "the layers are too large to be composed in the input's activation region")
        found, more_time = "no other input was found in the activation region of this one", False
        for region in regions_at(self.stages, x, most=_MOST_REGIONS):
            if deadline is not None and time.monotonic() > deadline:
                found, more_time = "the time limit was reached in the input's activation region", True
                break
            prepared = LayerPreimage(region.composed(tight=not everything), self.domain, rational=self.rational)
            if not everything and _seems_alone(prepared, x, deadline):
                continue
            result = prepared.of_point(x, deadline=deadline)
            if result.cardinality.is_infinite:
                grounds = RegionGrounds(region, prepared, result)
                witness = None if result.witness is None else grounds.witness()
                has_ray = witness is not None and witness.ray is not None
                unbounded = has_ray or (everything and result.cardinality is Cardinality.UNBOUNDED)
                return Preimage(self._infinitely_many(unbounded=unbounded), None, None, witness, None, active, None, grounds=grounds)
            if result.cardinality is Cardinality.UNDECIDED:
                found, more_time = f"the input's activation region was not decided ({result.reached})", True
        return _undecided(active, unsettled, found, more_time=more_time)

    def _infinite(self, active: int, first: StageVerdict) -> Preimage:
        """What an infinite pre-image under the first layer says about the composition."""
        cardinality = self._infinitely_many(unbounded=first.result.cardinality is Cardinality.UNBOUNDED)
        return Preimage(cardinality, None, None, first.result.witness, None, active, None, grounds=StageGrounds((first,)))

    def _infinitely_many(self, *, unbounded: bool) -> Cardinality:
        if unbounded:
            return Cardinality.UNBOUNDED
        return Cardinality.BOUNDED if isinstance(self.domain, Box) else Cardinality.INFINITE

    def _coordinate_line(self, x: RationalVector) -> Witness | None:
        return coordinate_line(next(regions_at(self.stages, x, most=1)), self.domain)

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
    ) -> ThroughCertificate:
        """The certificate of a decided result; raises CertificateError where its evidence has no form or could not be completed.

        layer_number: of the last layer, counted from 1 at the first stage; subject: `output`, or else `given` is an input of the first.
        """
        grounds = result.grounds
        if grounds is None:
            raise CertificateError("an undecided result has no certificate; ask about one layer, or give it more time")
        if result.cardinality.is_infinite and subject == "output":
            raise CertificateError(
                "a certificate about infinitely many inputs speaks of an input, not of a bare output; ask about an input with this output"
            )
        if result.cardinality.is_infinite and not self.domain.contains(given):
            raise CertificateError("a certificate about infinitely many inputs speaks of an input in the domain; ask about one inside")
        parts: tuple[Part, ...] = ()
        evidence: SecondPoint | Direction | None = None
        if isinstance(grounds, StageGrounds):
            try:
                written = [self._alone(verdict) for verdict in grounds.stages]
                parts = tuple(Part.of(one) for one in written if isinstance(one, Certificate))
                # Along a direction that does not change the first layer nothing changes that comes after it.
                evidence = next((one.evidence for one in written if isinstance(one, ThroughCertificate)), None)
            except CertificateError:
                # The first layer alone may be too large for a certificate where one coordinate shows as much.
                line = self._coordinate_line(given) if result.cardinality.is_infinite else None
                if line is None:
                    raise
                evidence = _line_of(line, result.cardinality)
        else:
            assert isinstance(grounds, RegionGrounds | LineGrounds)
            evidence = _line_of(result.witness or grounds.witness(), result.cardinality)
        claim = result.cardinality.value
        if result.cardinality is not Cardinality.EMPTY:
            claim = f"{claim} {hexadecimal(result.active)}"
        return ThroughCertificate(
            network=network_sha256,
            last=layer_number,
            subject="output" if subject == "output" else "input",
            given=Vector(given.numerators, given.denominator),
            claim=claim,
            parts=parts,
            evidence=evidence,
            domain=DomainLines(self.domain.lines()),
            data=data,
        )

    def _alone(self, verdict: StageVerdict) -> Certificate | ThroughCertificate:
        """The certificate about one layer alone; one through it is about the first, and stands alone in its result's grounds."""
        stage, number = self._stage(verdict.number), verdict.number
        return stage.certificate(verdict.result, network_sha256="", layer_number=number, subject=verdict.subject, given=verdict.given)


def _seems_alone(prepared: LayerPreimage, x: RationalVector, deadline: float | None) -> bool:
    """Whether a float search says that rows which are tight at x leave x alone: to prove that takes long and would decide nothing."""
    layer = prepared.layer
    nonzero = layer.weight.nonzero_rows
    equality = ((prepared.signs(x) > 0) | ~layer.rectified)[nonzero]
    system = ConeSystem(RowSet(layer.weight.rows(nonzero)), equality, *tight_sides(prepared.domain, x)).without_fixed_columns()[0]
    if not system.inequality.any() or not isinstance(search(system, deadline=deadline), Multipliers):
        return False
    # Positive multipliers make all rows equalities: only x is left if these have full rank.
    rows = np.vstack([system.scaled, system.side_rows().floats])
    return int(np.linalg.matrix_rank(rows)) == system.dimension


def _line_of(witness: Witness | None, cardinality: Cardinality) -> SecondPoint | Direction:
    """The evidence of a line in the point's region."""
    if witness is None or (cardinality is Cardinality.UNBOUNDED and witness.ray is None):
        raise CertificateError("the verdict is proved, but no exact second input or ray was found for its certificate")
    vector = witness.ray if witness.ray is not None else witness.second
    assert vector is not None
    if max(value.bit_length() for value in (vector.denominator, *vector.numerators)) > _LONGEST_NUMBER:
        raise CertificateError("the verdict is proved, but its second input has longer numbers than a certificate holds")
    numbers = Vector(vector.numerators, vector.denominator)
    return SecondPoint(numbers) if witness.ray is None else Direction(numbers)


def _positive(y: RationalVector) -> int:
    return sum(value > 0 for value in y.numerators)


def _point_of(result: Preimage) -> RationalVector:
    """A point of a pre-image that is not empty."""
    assert isinstance(result.grounds, PointGrounds | RankGrounds)
    return result.grounds.base


def _finite(active: int, last: Preimage, grounds: StageGrounds) -> Preimage:
    """Empty or one point, as the layer's pre-image that was decided last is."""
    return Preimage(last.cardinality, last.points, last.solutions, None, last.dimension, active, None, grounds=grounds)


def _undecided(active: int, unsettled: StageVerdict, regions: str, *, more_time: bool = False) -> Preimage:
    """unsettled: the layer that was neither one point nor none; regions: what the regions of known inputs gave."""
    if unsettled.result.cardinality is Cardinality.UNDECIDED:
        alone, more_time = f"layer {unsettled.number} was not decided ({unsettled.result.reached})", True
    else:
        alone = f"layer {unsettled.number} takes infinitely many values to its output"
    remedy = "a longer time limit may settle it" if more_time else "other activation regions, which were not enumerated, would settle it"
    return Preimage(Cardinality.UNDECIDED, None, None, None, None, active, None, f"{alone}, and {regions}; {remedy}")
