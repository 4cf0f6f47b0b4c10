"""The pre-image under a composition of layers: two facts that need no other activation regions, then the union over all regions.

If every layer has one point at the value that it takes, so has the composition, and a layer without any leaves none: the layers one
by one (theory P1, P2). If infinitely many inputs have one output under the first layer, or in the activation region of a known input,
infinitely many have it under the composition. Where neither decides, `cases` goes through the regions that can hold the output, and
`listing` lists all regions of a network of few inputs, once for all outputs.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates import Certificate, Direction, DomainLines, Part, SecondPoint, ThroughCertificate, Vector, hexadecimal
from exactrelu.certificates.cases import Cases
from exactrelu.certificates.listed import ListedRegions
from exactrelu.domain import AllSpace, Box, Domain, Orthant, refuse_ball
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.exact.search import Multipliers, search
from exactrelu.exact.system import ConeSystem, RowSet
from exactrelu.preimage.cases import CaseGrounds, preimage_by_cases
from exactrelu.preimage.cases.layer import Question
from exactrelu.preimage.composition import is_affordable, regions_at
from exactrelu.preimage.coordinate_lines import coordinate_line
from exactrelu.preimage.layer import LayerPreimage, tight_sides
from exactrelu.preimage.listing import ListedGrounds, RegionList
from exactrelu.preimage.network_grounds import LineGrounds, RegionGrounds, StageGrounds, StageVerdict, line_of, point_of, point_shown
from exactrelu.preimage.one_layer import OneLayerPreimage, prepare_layer
from exactrelu.preimage.witness import MANY_INPUTS
from exactrelu.verdict import Cardinality, Preimage, Witness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.certificates import DataSource
    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Layer

# How many regions that meet at one point are tried.
_MOST_REGIONS = 16
# From so many hidden neurons on a list of regions, which few inputs allow, is sooner made than a tree that splits neurons one by one.
_MANY_NEURONS = 64


class NetworkPreimage:
    """Decides pre-images under the composition of layers within a closed domain; prepared once, asked for many points.

    stages: layers whose widths chain, (m1, n), (m2, m1), ..; domain: a set of inputs of the first, in R^n; rational: certificates and
    witnesses with exact rational numbers; until: the time of `time.monotonic` by which all points are to be decided, where each has a
    deadline of its own. Raises InvalidRequestError where there is no stage, or the widths or the domain do not fit.

    Every word speaks of all inputs of the domain. Where one region shows that there are infinitely many, `bounded` is said on boxes
    only, `infinite` leaves boundedness open, and the dimension is not computed. Without a deadline the search through regions ends at
    the limits of `cases` and `listing`. Theory P1, P2.

    >>> from exactrelu import AllSpace, DyadicMatrix, Layer, RationalVector
    >>> import numpy as np
    >>> relu = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> size = Layer(DyadicMatrix.from_floats([[1.0, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> prepared = NetworkPreimage([relu, size], AllSpace())
    >>> [prepared.of_point(RationalVector((value,))).cardinality.value for value in (0, 3)]
    ['singleton', 'finite']
    """

    def __init__(self, stages: Sequence[Layer], domain: Domain, *, rational: bool = False, until: float | None = None) -> None:
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
        self._regions = RegionList(self.stages, domain, until=until)

    # ------------------------------------------------------------ questions

    def of_point(self, x: RationalVector, *, deadline: float | None = None) -> Preimage:
        """The pre-image of f(x) within the domain; x itself need not lie in it. Raises InvalidRequestError for a wrong length."""
        values = [x]
        for stage in self.stages:
            values.append(stage(values[-1]))
        return self._or_by_regions(self._at_values(values, deadline), values[-1], deadline)

    def _at_values(self, values: list[RationalVector], deadline: float | None) -> Preimage:
        """What the two facts say of a point, given with the values that the layers take at it."""
        x = values[0]
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
        return self._or_by_regions(self._of_bare_output(y, deadline), y, deadline)

    def _of_bare_output(self, y: RationalVector, deadline: float | None) -> Preimage:
        """What the two facts say of an output."""
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
            given = point_of(result)
        if unsettled is None:
            return _finite(active, result, StageGrounds(tuple(verdicts)))
        return self._in_region(given, active, unsettled, deadline)

    def _or_by_regions(self, found: Preimage, y: RationalVector, deadline: float | None) -> Preimage:
        """What the two facts say of the output y; or else the union over cases, or the list of regions: the likely faster one first."""
        if found.cardinality is not Cardinality.UNDECIDED:
            return found
        if not is_affordable(self.stages, tight=True):
            return replace(found, reached=f"{found.reached}; the layers are too large for a search through cases")
        ways, reached = [self._by_cases, self._by_list], [found.reached]
        if self._regions.is_complete or sum(int(stage.rectified.sum()) for stage in self.stages[:-1]) >= _MANY_NEURONS:
            ways.reverse()
        for way in ways:
            result = way(y, found.active, deadline)
            if result.cardinality is not Cardinality.UNDECIDED:
                return result
            reached.append(result.reached)
        return replace(found, reached="; ".join(reached))

    def _by_cases(self, y: RationalVector, active: int, deadline: float | None) -> Preimage:
        return preimage_by_cases(Question(self.stages, self.domain, y), active=active, rational=self.rational, deadline=deadline)

    def _by_list(self, y: RationalVector, active: int, deadline: float | None) -> Preimage:
        return self._regions.of_output(y, active=active, deadline=deadline)

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
        found = "no other input was found in the activation region of this one"
        for region in regions_at(self.stages, x, most=_MOST_REGIONS):
            if deadline is not None and time.monotonic() > deadline:
                found = "the time limit was reached in the input's activation region"
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
                found = f"the input's activation region was not decided ({result.reached})"
        return _undecided(active, unsettled, found)

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
            raise CertificateError("what is not decided for all inputs has no certificate; ask about one layer, or give it more time")
        parts: tuple[Part, ...] = ()
        evidence: SecondPoint | Direction | Cases | ListedRegions | None
        solution: Vector | None = None
        claim = [result.cardinality.value]
        if result.cardinality is not Cardinality.EMPTY:
            claim.append(hexadecimal(result.active))
        if isinstance(grounds, CaseGrounds | ListedGrounds):
            evidence = grounds.evidence()
            if result.cardinality is Cardinality.FINITE:
                claim.insert(1, hexadecimal(result.points or 0))
            elif result.cardinality.is_infinite:
                claim.append(hexadecimal(result.dimension or 0))
        elif result.cardinality.is_infinite and (subject == "output" or not self.domain.contains(given)):
            x = point_shown(grounds)
            parts, evidence = self._by_the_two_facts(self._again(x, result), x)
            solution = Vector(x.numerators, x.denominator)
        else:
            parts, evidence = self._by_the_two_facts(result, given)
        return ThroughCertificate(
            network=network_sha256,
            last=layer_number,
            subject="output" if subject == "output" else "input",
            given=Vector(given.numerators, given.denominator),
            claim=" ".join(claim),
            parts=parts,
            evidence=evidence,
            solution=solution,
            domain=DomainLines(self.domain.lines()),
            data=data,
        )

    def _again(self, x: RationalVector, result: Preimage) -> Preimage:
        """The same verdict about the output of x, from x."""
        values = [x]
        for stage in self.stages:
            values.append(stage(values[-1]))
        found = self._at_values(values, None)
        if found.cardinality is not result.cardinality:
            raise CertificateError("the verdict is proved, but from no input that its certificate could name; ask about an input")
        return found

    def _by_the_two_facts(self, result: Preimage, x: RationalVector) -> tuple[tuple[Part, ...], SecondPoint | Direction | None]:
        """The parts about single layers, or one more vector; x: the input or output asked about."""
        grounds, is_infinite = result.grounds, result.cardinality.is_infinite
        if not isinstance(grounds, StageGrounds):
            assert isinstance(grounds, RegionGrounds | LineGrounds)
            return (), line_of(result.witness or grounds.witness(), result.cardinality)
        try:
            written = [self._alone(verdict) for verdict in grounds.stages]
        except CertificateError:
            # The first layer alone may be too large for a certificate where one coordinate shows as much.
            line = self._coordinate_line(x) if is_infinite else None
            if line is None:
                raise
            return (), line_of(line, result.cardinality)
        # Along a direction that does not change the first layer nothing changes that comes after it.
        moving = next((one.evidence for one in written if isinstance(one, ThroughCertificate)), None)
        assert not isinstance(moving, Cases | ListedRegions)
        return tuple(Part.of(one) for one in written if isinstance(one, Certificate)), moving

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


def _positive(y: RationalVector) -> int:
    return sum(value > 0 for value in y.numerators)


def _finite(active: int, last: Preimage, grounds: StageGrounds) -> Preimage:
    """Empty or one point, as the layer's pre-image that was decided last is."""
    return Preimage(last.cardinality, last.points, last.solutions, None, last.dimension, active, None, grounds=grounds)


def _undecided(active: int, unsettled: StageVerdict, regions: str) -> Preimage:
    """unsettled: the layer that was neither one point nor none; regions: what the regions of known inputs gave."""
    alone = f"layer {unsettled.number} takes infinitely many values to its output"
    if unsettled.result.cardinality is Cardinality.UNDECIDED:
        alone = f"layer {unsettled.number} was not decided ({unsettled.result.reached})"
    return Preimage(Cardinality.UNDECIDED, None, None, None, None, active, None, f"{alone}, and {regions}")
