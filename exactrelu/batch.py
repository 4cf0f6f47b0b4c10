"""Pre-images of many rows and layers: what depends on the weights alone is prepared once a process, each row is decided on its own.

A `Question` is what every process gets once; a `Batch` is some rows for one layer; a `Decided` is the answer for one row and
layer in the words of the JSON interface, with the text of its certificate.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exactrelu import parallel
from exactrelu.certificate import DataSource
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.preimage import LayerPreimage, plain_layer
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Network, SourceLayer
    from exactrelu.points import Points
    from exactrelu.results import ResultFolder
    from exactrelu.verdict import Preimage

LARGEST_BATCH = 16
OUT_OF_TIME = "the time limit was reached before this row was begun; give a longer --time-limit or fewer --rows"


@dataclass(frozen=True)
class Question:
    """What is asked of every row: `domains` has the numbers of the layers in order, `subject` is what the points are.

    `subject` is `input`, `layer-input` or `output`; `deadline` is a time of `time.time()`, or None.
    """

    network: Network
    network_sha256: str
    domains: Mapping[int, Domain]
    subject: str
    rational: bool = False
    certify: bool = False
    most_solutions: int = 1
    deadline: float | None = None


@dataclass(frozen=True)
class Batch:
    """Rows for one layer, with where each was read."""

    layer: int
    points: tuple[RationalVector, ...]
    sources: tuple[DataSource, ...]


@dataclass(frozen=True)
class Decided:
    """The answer for one row and layer: the JSON object, and the certificate's text where one was asked for."""

    record: dict[str, Any]
    certificate: str | None = None


class Decider:
    """Decides batches of one question; prepares each layer when its first batch comes."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._prepared: dict[int, LayerPreimage] = {}

    def __call__(self, batch: Batch) -> list[Decided]:
        return [self._decide(batch.layer, *row) for row in zip(batch.points, batch.sources, strict=True)]

    def _layer(self, number: int) -> LayerPreimage:
        if number not in self._prepared:
            question = self._question
            source = question.network.layer(number)
            self._prepared[number] = LayerPreimage(source.stages[0], question.domains[number], rational=question.rational)
        return self._prepared[number]

    def _decide(self, number: int, point: RationalVector, source: DataSource) -> Decided:
        question, network = self._question, self._question.network
        left = None if question.deadline is None else question.deadline - time.time()
        if left is not None and left <= 0:
            return Decided(_unbegun(source.row, number))
        layer = self._layer(number)
        begin = time.perf_counter()
        deadline = None if left is None else time.monotonic() + left
        if question.subject == "output":
            result = layer.of_output(point, deadline=deadline)
        else:
            x = network.layer_input(number, point) if question.subject == "input" else point
            result = layer.of_point(x, deadline=deadline)
        record = _record(result, source.row, number, question.most_solutions)
        text = None
        if question.certify and result.cardinality is not Cardinality.UNDECIDED:
            try:
                text = layer.certificate(
                    result,
                    network_sha256=question.network_sha256,
                    layer_number=network.layer(number).depth + 1,
                    subject=question.subject,
                    given=point,
                    data=source,
                ).text()
            except CertificateError as error:
                record["reached"] = str(error)
        return Decided({**record, "seconds": round(time.perf_counter() - begin, 6)}, text)


def _record(result: Preimage, row: int, layer: int, most: int) -> dict[str, Any]:
    solutions = None if result.solutions is None else [point.texts() for point in result.solutions[:most]]
    record: dict[str, Any] = {
        "row": row,
        "layer": layer,
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


def _unbegun(row: int, layer: int) -> dict[str, Any]:
    unknown = dict.fromkeys(["points", "solutions", "witness", "dimension", "active", "rank", "certificate"])
    return {"row": row, "layer": layer, "cardinality": "undecided", **unknown, "seconds": 0.0, "reached": OUT_OF_TIME}


def check_layers(layers: Iterable[SourceLayer]) -> None:
    """Raise InvalidRequestError for a layer that cannot be asked about yet: with pooling or a leaky activation, or too large."""
    for layer in layers:
        plain_layer(layer)


def _check_certifiable(layers: Iterable[SourceLayer]) -> None:
    """A certificate names a layer of the network file, which a layer that reads part of the state is not."""
    for layer in layers:
        if layer.select is not None:
            raise InvalidRequestError(
                f"layer {layer.number} ({layer.name}) stands beside other branches of the network, so that no certificate can name it yet; "
                "ask without --out or name another --layer"
            )


def decide(question: Question, points: Points, *, workers: int = 1) -> Generator[Decided, None, None]:
    """Yield an answer for every layer of the question and every point, in this order, as soon as each is there.

    With more than one worker the layers are prepared, and the rows decided, in processes of their own.
    """
    layers = [question.network.layer(number) for number in question.domains]
    check_layers(layers)
    if question.certify:
        _check_certifiable(layers)
    size = 1 if workers == 1 else max(1, min(LARGEST_BATCH, -(-len(points.rows) // (4 * workers))))
    batches = [batch for number in question.domains for batch in _batches(number, points, size)]
    if workers == 1:
        decider = Decider(question)
        for batch in batches:
            yield from decider(batch)
        return
    with parallel.processes(min(workers, len(batches)), _prepare, (question,)) as pool:
        for decided in parallel.in_order(pool, _decide_here, batches, ahead=2 * workers):
            yield from decided


def records(
    question: Question, points: Points, *, workers: int = 1, folder: ResultFolder | None = None
) -> Generator[dict[str, Any], None, None]:
    """Yield the JSON object of every answer of `decide`; its certificate has then been written to `folder`."""
    with closing(decide(question, points, workers=workers)) as answers:
        for decided in answers:
            record = decided.record
            if folder is not None and decided.certificate is not None:
                path = folder.certificate(record, question.domains[record["layer"]].describe(), decided.certificate)
                record = {**record, "certificate": path}
            yield record


def _batches(number: int, points: Points, size: int) -> Iterator[Batch]:
    scale = points.scale
    sources = [DataSource(points.sha256, row, scale.numerator, scale.denominator) for row in points.indices]
    for first in range(0, len(sources), size):
        yield Batch(number, points.rows[first : first + size], tuple(sources[first : first + size]))


_here: list[Decider] = []


def _prepare(question: Question) -> None:
    """Run once in every process of a pool."""
    _here[:] = [Decider(question)]


def _decide_here(batch: Batch) -> list[Decided]:
    return _here[0](batch)
