"""Pre-images of many rows and layers: what depends on the weights alone is prepared once a process, each row is decided on its own.

A `Question` is what every process gets once, and says what is `Asked` of every row; a `Batch` is some rows for one of these; a
`Decided` is one answer in the words of the JSON interface, with the text of its certificate.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exactrelu import parallel
from exactrelu.certificates import DataSource
from exactrelu.errors import CertificateError
from exactrelu.preimage import answer, prepare_question, share_of_time
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Network, SourceLayer
    from exactrelu.points import Points
    from exactrelu.preimage import PreparedPreimage
    from exactrelu.result_folder import Named, ResultFolder
    from exactrelu.verdict import Preimage

LARGEST_BATCH = 16
OUT_OF_TIME = "the time limit was reached before this row was begun; give a longer --time-limit or fewer --rows"


@dataclass(frozen=True)
class Asked:
    """What is asked of every point: the pre-image under a layer alone, or `through` it from the network's input, in a domain.

    `named` is how certificates name it; None where none are asked for.
    """

    layer: SourceLayer
    domain: Domain
    through: bool = False
    named: Named | None = None

    @property
    def keys(self) -> dict[str, int | None]:
        """What the JSON objects name it by."""
        return {"layer": None, "through": self.layer.number} if self.through else {"layer": self.layer.number}


@dataclass(frozen=True)
class Question:
    """What every process gets once: the network, what is asked of every row, and `subject`, what the points are.

    `subject` is `input`, `layer-input` or `output`; `deadline` is a time of `time.time()`, or None.
    """

    network: Network
    asked: tuple[Asked, ...]
    subject: str
    rational: bool = False
    most_solutions: int = 1
    deadline: float | None = None


@dataclass(frozen=True)
class Batch:
    """Rows for one thing asked, by its place in the question, with where each was read.

    waiting: how many rows after these each process will have to decide.
    """

    asked: int
    points: tuple[RationalVector, ...]
    sources: tuple[DataSource, ...]
    waiting: int


@dataclass(frozen=True)
class Decided:
    """The answer for one row and thing asked: the JSON object, and the certificate's text where one was asked for."""

    asked: Asked
    record: dict[str, Any]
    certificate: str | None = None


class Decider:
    """Decides batches of one question; prepares what is asked when its first batch comes."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._prepared: dict[int, PreparedPreimage] = {}

    def __call__(self, batch: Batch) -> list[Decided]:
        rows = list(zip(batch.points, batch.sources, strict=True))
        return [self._decide(batch.asked, *row, unbegun=len(rows) - i + batch.waiting) for i, row in enumerate(rows)]

    def _prepare(self, place: int, until: float | None) -> PreparedPreimage:
        if place not in self._prepared:
            question = self._question
            asked = question.asked[place]
            self._prepared[place] = prepare_question(
                question.network, asked.layer, asked.domain, through=asked.through, rational=question.rational, until=until
            )
        return self._prepared[place]

    def _decide(self, place: int, point: RationalVector, source: DataSource, *, unbegun: int) -> Decided:
        """Decide a row in its share of the time; unbegun: how many rows share what is left, this one included."""
        question, asked = self._question, self._question.asked[place]
        left = None if question.deadline is None else question.deadline - time.time()
        if left is not None and left <= 0:
            return Decided(asked, _unbegun(asked, source.row))
        until = None if left is None else time.monotonic() + left
        prepared = self._prepare(place, until)
        begin = time.perf_counter()
        deadline = None if until is None else share_of_time(until, unbegun)
        given, result = answer(prepared, question.network, asked.layer, question.subject, point, through=asked.through, deadline=deadline)
        record = {"row": source.row, **asked.keys, **_found(result, question.most_solutions)}
        text = None
        if asked.named is not None and result.cardinality is not Cardinality.UNDECIDED:
            named, subject = asked.named, question.subject
            whole = not named.alone and subject == "input"
            try:
                text = prepared.certificate(
                    result,
                    network_sha256=named.sha256,
                    layer_number=named.number,
                    subject="layer-input" if subject == "input" and not whole else subject,
                    given=point if whole else given,
                    data=source,
                ).text()
            except CertificateError as error:
                record["uncertified"] = str(error)
        return Decided(asked, {**record, "seconds": round(time.perf_counter() - begin, 6)}, text)


def _found(result: Preimage, most: int) -> dict[str, Any]:
    solutions = None if result.solutions is None else [point.texts() for point in result.solutions[:most]]
    record: dict[str, Any] = {
        "cardinality": result.cardinality.value,
        "points": result.points,
        "solutions": solutions,
        "witness": None,
        "dimension": result.dimension,
        "active": result.active,
        "rank": result.rank,
        "certificate": None,
    }
    if result.witness is not None:
        vectors = {"point": result.witness.point, "ray": result.witness.ray, "second_point": result.witness.second}
        record["witness"] = {name: vector.texts() for name, vector in vectors.items() if vector is not None}
    if result.cardinality is Cardinality.UNDECIDED:
        record["reached"] = result.reached
    return record


def _unbegun(asked: Asked, row: int) -> dict[str, Any]:
    unknown = dict.fromkeys(["points", "solutions", "witness", "dimension", "active", "rank", "certificate"])
    return {"row": row, **asked.keys, "cardinality": "undecided", **unknown, "seconds": 0.0, "reached": OUT_OF_TIME}


def decide(question: Question, points: Points, *, workers: int = 1, scheduler: str | None = None) -> Generator[Decided, None, None]:
    """Yield an answer for everything asked and every point, in this order, as soon as each is there.

    With more than one worker, and on a cluster, the layers are prepared, and the rows decided, in processes of their own.

    Raises what `prepared_executor` raises.
    """
    asked = len(question.asked) * len(points.rows)
    with parallel.prepared_executor(Decider, question, workers=min(workers, max(1, asked)), scheduler=scheduler) as executor:
        size = 1 if executor.workers == 1 else max(1, min(LARGEST_BATCH, -(-len(points.rows) // (4 * executor.workers))))
        after = range(asked - len(points.rows), -1, -len(points.rows)) if asked else ()
        batches = (batch for place, rows in enumerate(after) for batch in _batches(place, points, size, rows, executor.workers))
        for decided in parallel.in_order(executor, Decider.__call__, batches, ahead=executor.ahead):
            yield from decided


def records(
    question: Question, points: Points, *, workers: int = 1, scheduler: str | None = None, folder: ResultFolder | None = None
) -> Generator[dict[str, Any], None, None]:
    """Yield the JSON object of every answer of `decide`; its certificate has then been written to `folder`."""
    with closing(decide(question, points, workers=workers, scheduler=scheduler)) as answers:
        for decided in answers:
            record = decided.record
            if folder is not None and decided.certificate is not None:
                path = folder.certificate(record, decided.asked.domain.describe(), decided.certificate)
                record = {**record, "certificate": path}
            yield record


def _batches(place: int, points: Points, size: int, after: int, workers: int) -> Iterator[Batch]:
    """The rows for one thing asked, `size` at a time; after: how many rows there are for what is asked next."""
    scale = points.scale
    sources = [DataSource(points.sha256, row, scale.numerator, scale.denominator) for row in points.indices]
    for first in range(0, len(sources), size):
        part = slice(first, first + size)
        waiting = len(sources[part.stop :]) + after
        yield Batch(place, points.rows[part], tuple(sources[part]), -(-waiting // workers))
