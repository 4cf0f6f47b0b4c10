"""Pre-images read back from results of `preimage`: each field checked before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from exactrelu.errors import InvalidFileError, InvalidRequestError
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exactrelu.report.fields import Checked

MOST_VERDICTS = 2_000_000
# How many pairs of inputs with one output are kept of each domain and cardinality, to choose the one shown from.
PAIRS_KEPT = 24
# Points of finite pre-images are listed for so many rows, so many of each, if they have no more coordinates than this.
ROWS_LISTED, POINTS_LISTED, COORDINATES_LISTED = 24, 16, 8


class Verdict(NamedTuple):
    """What was found for one row, layer and domain; `certificate` is its size in bytes, -1 where it is named but not there.

    `reached` says why a verdict is undecided, or why there is no certificate of it.
    """

    row: int
    cardinality: Cardinality
    points: int | None
    dimension: int | None
    active: int | None
    rank: int | None
    certificate: int | None
    reached: str


class Pair(NamedTuple):
    """Two inputs with exactly the same output, as texts "p/q": a point, and a second one or a ray that leads to more."""

    row: int
    cardinality: Cardinality
    point: tuple[str, ...]
    second: tuple[str, ...] | None
    ray: tuple[str, ...] | None


class Solutions(NamedTuple):
    """All points of a finite pre-image, or the first ones, as texts "p/q"."""

    row: int
    points: tuple[tuple[str, ...], ...]


class Asked(NamedTuple):
    """What was asked about: a layer alone, or with `layer` None the network `through` one (None: to its end)."""

    layer: int | None
    through: int | None = None

    @property
    def name(self) -> str:
        if self.layer is not None:
            return f"layer {self.layer}"
        return "the network" if self.through is None else f"the network through layer {self.through}"

    @property
    def takes_images(self) -> bool:
        """Whether its inputs are those of the network."""
        return self.layer in {1, None}


@dataclass(frozen=True)
class Answers:
    """All verdicts on what was asked within a domain, by row, and some of the pairs and of the points that came with them."""

    asked: Asked
    domain: str
    verdicts: tuple[Verdict, ...]
    pairs: tuple[Pair, ...]
    solutions: tuple[Solutions, ...]


class PreimageReader:
    """Collects what the results of one file after another say."""

    def __init__(self) -> None:
        self._verdicts: dict[tuple[Asked, str], dict[int, Verdict]] = {}
        self._pairs: dict[tuple[Asked, str], dict[int, Pair]] = {}
        self._solutions: dict[tuple[Asked, str], dict[int, Solutions]] = {}
        self._count = 0

    def add(self, check: Checked, found: Mapping[str, Any], certificate: Callable[[Checked, Mapping[str, Any]], int | None]) -> None:
        """Take in one result; `certificate` gives the size of a record's. Raises InvalidFileError where a field is not what it should be,
        or contradicts the results before it, and InvalidRequestError for too many verdicts.
        """
        domain = check.text(found, "domain")
        for record in check.list(found, "results"):
            check.mapping(record, "results")
            self._record(check, domain, record, certificate(check, record))

    def results(self) -> tuple[Answers, ...]:
        """The network first, then layers; for each its domains, `all` before every other."""
        keys = sorted(self._verdicts, key=lambda key: (key[0].layer or 0, key[0].through or 0, key[1] != "all", key[1]))
        return tuple(
            Answers(
                *key,
                tuple(verdict for _, verdict in sorted(self._verdicts[key].items())),
                tuple(self._pairs.get(key, {}).values()),
                tuple(points for _, points in sorted(self._solutions.get(key, {}).items())),
            )
            for key in keys
        )

    def _record(self, check: Checked, domain: str, record: Mapping[str, Any], certificate: int | None) -> None:
        asked = Asked(check.optional(record, "layer", least=1), check.optional(record, "through", least=1) if "through" in record else None)
        row = check.number(record, "row", least=0)
        cardinality = check.cardinality(record)
        key = (asked, domain)
        verdict = Verdict(
            row,
            cardinality,
            check.optional(record, "points", least=0),
            check.optional(record, "dimension", least=-1),
            check.optional(record, "active", least=0),
            check.optional(record, "rank", least=0),
            certificate,
            check.is_text(record.get("reached") or record.get("uncertified") or "", "reached"),
        )
        held = self._verdicts.setdefault(key, {}).get(row)
        if held is None:
            self._count += 1
            if self._count > MOST_VERDICTS:
                raise InvalidRequestError(f"the folder holds more than {MOST_VERDICTS} verdicts, the limit; report on fewer at a time")
        if held and _contradict(held.cardinality, cardinality):
            raise InvalidFileError(
                f"{check.path} contradicts the results before it: row {row} is {held.cardinality.value} there and {cardinality.value}"
                " here; one of the files was changed or is not about these points"
            )
        if held is None or _says_more(verdict, held):
            self._verdicts[key][row] = verdict
        pairs = self._pairs.setdefault(key, {})
        # Later layers' inputs are no images; a pair of these is not shown.
        if asked.takes_images and sum(pair.cardinality is cardinality for pair in pairs.values()) < PAIRS_KEPT:
            pair = _pair(check, record, row, cardinality)
            if pair is not None:
                pairs[row] = pair
        solutions = self._solutions.setdefault(key, {})
        if cardinality is Cardinality.FINITE and len(solutions) < ROWS_LISTED:
            found = _solutions(check, record, row)
            if found is not None:
                solutions[row] = found


def _contradict(one: Cardinality, other: Cardinality) -> bool:
    """Whether two verdicts on the same question cannot both be true; `infinite` says nothing of boundedness."""
    if one is other or Cardinality.UNDECIDED in {one, other}:
        return False
    return not (Cardinality.INFINITE in {one, other} and one.is_infinite and other.is_infinite)


def _says_more(now: Verdict, before: Verdict) -> bool:
    """Whether a verdict on the same row and layer replaces the one before it."""
    worth = [
        (one.cardinality is not Cardinality.UNDECIDED, one.cardinality is not Cardinality.INFINITE, (one.certificate or -1) >= 0)
        for one in (now, before)
    ]
    return worth[0] > worth[1]


def _pair(check: Checked, record: Mapping[str, Any], row: int, cardinality: Cardinality) -> Pair | None:
    """Two inputs with the same output: the witness, or two of finitely many solutions."""
    witness, solutions = record.get("witness"), record.get("solutions")
    if witness is not None:
        check.mapping(witness, "witness")
        found = {name: check.vector(witness[name], "witness") for name in ("point", "second_point", "ray") if witness.get(name) is not None}
        other = found.get("second_point"), found.get("ray")
        if "point" not in found or other == (None, None) or len({len(vector) for vector in found.values()}) != 1:
            check.refuse("witness", "is neither two points nor a point and a ray of one length")
        return Pair(row, cardinality, found["point"], *other)
    if isinstance(solutions, list) and len(solutions) > 1:
        first, second = (check.vector(solution, "solutions") for solution in solutions[:2])
        if len(first) != len(second):
            check.refuse("solutions", "are of different lengths")
        return Pair(row, cardinality, first, second, None)
    return None


def _solutions(check: Checked, record: Mapping[str, Any], row: int) -> Solutions | None:
    """The points of a finite pre-image, where they have few coordinates."""
    held = record.get("solutions")
    if held is None:
        return None
    points = [check.vector(point, "solutions") for point in check.list(record, "solutions")[:POINTS_LISTED]]
    if len({len(point) for point in points}) > 1:
        check.refuse("solutions", "are of different lengths")
    return Solutions(row, tuple(points)) if points and 0 < len(points[0]) <= COORDINATES_LISTED else None
