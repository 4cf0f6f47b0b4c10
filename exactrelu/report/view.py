"""What a report says, as plain data: sentences, tables, figures. The HTML page and the Markdown text are two views of it.

Nothing is decided here; verdicts are counted and put into words.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu import __version__
from exactrelu.report.check_again import certificates_said, commands
from exactrelu.report.histogram import STACK, Panel, bins_for, count, panel
from exactrelu.report.injectivity_view import InjectivityView, injectivity_view
from exactrelu.report.pictures import Pictures, constant_map, pictures, raster
from exactrelu.report.points_view import PointsView, points_views
from exactrelu.report.regions_view import RegionsView, regions_view
from exactrelu.report.stability_view import StabilityView, stability_views
from exactrelu.report.words import SPEAKS, TIGHT, box_bounds, counted, says, statement, where
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from exactrelu.report.pictures import Raster
    from exactrelu.report.preimages import Answers, Asked, Verdict
    from exactrelu.report.reading import Results

_CONSTANT_SHOWN = 40


@dataclass(frozen=True)
class Claim:
    """The verdicts on one layer and domain in words."""

    where: str
    sentence: str


@dataclass(frozen=True)
class LayerClaims:
    """The claims about one layer."""

    title: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Figure:
    """The figure of one layer: a panel for each domain, and the counts behind it."""

    title: str
    axis: str
    panels: tuple[tuple[str, Panel], ...]
    kinds: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]
    threshold: str


@dataclass(frozen=True)
class Counterpart:
    """Why an input is not determined: it beside another one, or why no other one can be shown."""

    where: str
    kind: str
    shown: Pictures | None
    said: str


@dataclass(frozen=True)
class Statement:
    """What verdicts of one kind rest on: the statement, its theorems, and for each place how many verdicts and which dimensions."""

    kind: str
    said: str
    theorems: tuple[str, ...]
    places: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class Table:
    """All verdicts on one layer."""

    title: str
    domains: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]


@dataclass(frozen=True)
class Constant:
    """Inputs with one value in every row."""

    sentence: str
    listed: str
    map: str | None


@dataclass(frozen=True)
class View:
    """A report; see the fields' use in the templates."""

    version: str
    results: Results
    question: str
    heading: str
    sizes: str
    asked: str
    lead: str
    speaks: str
    notes: tuple[str, ...]
    layers: tuple[LayerClaims, ...]
    counts: Table
    kinds: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    counterparts: tuple[Counterpart, ...]
    points: tuple[PointsView, ...]
    injectivity: tuple[InjectivityView, ...]
    regions: tuple[RegionsView, ...]
    stability: tuple[StabilityView, ...]
    proved: tuple[Statement, ...]
    reached: tuple[str, ...]
    constant: Constant | None
    certificates: str
    commands: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]


def view(results: Results) -> View:
    """Everything a report says about some results."""
    met = {verdict.cardinality for answers in results.answers for verdict in answers.verdicts}
    inputs = results.network["inputs"]
    question = _question(results)
    return View(
        version=__version__,
        results=results,
        question=question,
        heading=f"{question} {results.network['file']}",
        sizes=f"{counted(inputs, 'input')}, {counted(results.network['outputs'], 'output')}",
        asked=f"{_asked(results)}s",
        lead=_lead(results),
        speaks=SPEAKS,
        notes=tuple(_notes(results)),
        layers=tuple(_claims(results)),
        counts=_counts(results),
        kinds=tuple((kind.value, kind.sentence) for kind in STACK if kind in met),
        figures=tuple(_figures(results)),
        counterparts=tuple(_counterparts(results)),
        points=tuple(points_views(results)),
        injectivity=tuple(injectivity_view(answer, _layout(results), inputs) for answer in results.injectivity),
        regions=tuple(regions_view(answer, inputs) for answer in results.regions),
        stability=tuple(stability_views(results.stability, results.inverses, _layout(results))),
        proved=_proved(results),
        reached=tuple(sorted({verdict.reached for answers in results.answers for verdict in answers.verdicts if verdict.reached})),
        constant=_constant(results),
        certificates=certificates_said(results),
        commands=tuple(commands(results)),
        tables=tuple(_tables(results)),
    )


def _question(results: Results) -> str:
    if results.answers or results.injectivity:
        return "Which inputs have the same output?"
    return "Into which regions are the inputs divided?" if results.regions else "How stable is the inverse?"


def _asked(results: Results) -> str:
    """What the points are."""
    return "output" if results.data and results.data.subject == "output" else "input"


def _inputs(results: Results, asked: Asked) -> int | None:
    """How many inputs what was asked about has: as the results say, or for the network's inputs as the network says."""
    if asked.layer is not None and asked.layer in results.layers:
        return results.layers[asked.layer].inputs
    return int(results.network["inputs"]) if asked.takes_images else None


def _title(results: Results, asked: Asked) -> str:
    title = asked.name[0].upper() + asked.name[1:]
    size = results.layers.get(asked.layer or 0)
    return title if size is None else f"{title} ({size.name}, {counted(size.inputs, 'input')}, {counted(size.outputs, 'output')})"


def _by_asked(results: Results) -> Iterator[tuple[Asked, list[Answers]]]:
    for asked in dict.fromkeys(answers.asked for answers in results.answers):
        yield asked, [answers for answers in results.answers if answers.asked == asked]


def _rows(answers: Iterable[Answers]) -> set[int]:
    return {verdict.row for one in answers for verdict in one.verdicts}


def _lead(results: Results) -> str:
    """The question in words."""
    if not results.answers and not results.injectivity and not results.regions:
        return (
            "At each input the network is one affine map on the region around it. Its singular values are proposed by floats and enclosed"
            " by proved bounds, and beside the rank that floats report stands the exact one."
        )
    if not results.answers and not results.injectivity:
        return (
            "On each activation region the same neurons are positive, and the network is one affine map. Which regions there are, and how"
            " they meet, was found in exact arithmetic and with no tolerance."
        )
    if not results.answers:
        total, decided = len(results.injectivity), sum(answer.verdict != "undecided" for answer in results.injectivity)
        all_of = f"{decided:,} of them " if decided < total else "all of them " if total > 1 else ""
        return (
            f"Do two different inputs of a layer have the same output? {counted(total, 'question')}, {all_of}decided, in exact"
            " arithmetic and with no tolerance."
        )
    parts = [asked for asked, _ in _by_asked(results)]
    points = counted(len(_rows(results.answers)), _asked(results))
    total = sum(len(answers.verdicts) for answers in results.answers)
    several = "layers" if all(asked.layer for asked in parts) else "maps"
    of_what = parts[0].name if len(parts) == 1 else f"each of {len(parts)} {several}"
    gave = "that this input gave" if _asked(results) == "input" else "given"
    decided = sum(verdict.cardinality is not Cardinality.UNDECIDED for answers in results.answers for verdict in answers.verdicts)
    all_of = "all of them" if decided == total else f"{decided:,} of them"
    return (
        f"For {points} and {of_what}: which inputs give exactly the output {gave}? {counted(total, 'question')}, {all_of} decided,"
        " in exact arithmetic and with no tolerance."
    )


def _notes(results: Results) -> Iterator[str]:
    """What a reader must know to read the claims right."""
    if any(answers.domain == "orthant" for answers in results.answers):
        yield "The orthant is the set of inputs without a negative coordinate: what a layer after a relu can be given at all."
    if any((answers.asked.layer or 1) > 1 for answers in results.answers):
        yield (
            "Each layer is asked about on its own: the other inputs of a later layer are vectors that the layers before it may or may not"
            " be able to return."
        )


def _claims(results: Results) -> Iterator[LayerClaims]:
    for asked, of_one in _by_asked(results):
        claims = []
        for answers in of_one:
            held = Counter(verdict.cardinality for verdict in answers.verdicts)
            total = counted(len(answers.verdicts), "output")
            if len(held) == 1:
                (kind,) = held
                said = f"{'all ' if held[kind] > 1 else ''}{total} {says(kind, held[kind])}"
            else:
                said = f"of {total}, " + "; ".join(f"{held[kind]:,} {says(kind, held[kind])}" for kind in STACK if held[kind])
            claims.append(Claim(where(answers.domain, _inputs(results, asked)), said))
        yield LayerClaims(_title(results, asked), tuple(claims))


def _counts(results: Results) -> Table:
    """How many verdicts of each kind, a line for each layer and domain."""
    met = [kind for kind in STACK if any(verdict.cardinality is kind for answers in results.answers for verdict in answers.verdicts)]
    rows: list[tuple[str | int, ...]] = []
    for answers in results.answers:
        held = Counter(verdict.cardinality for verdict in answers.verdicts)
        rows.append((f"{answers.asked.name}, {where(answers.domain, _inputs(results, answers.asked))}", *(held[kind] for kind in met)))
    return Table("", tuple(kind.value for kind in met), tuple(rows))


def _figures(results: Results) -> Iterator[Figure]:
    """A figure for each layer where more than one kind of pre-image occurs."""
    for asked, of_one in _by_asked(results):
        met = {verdict.cardinality for answers in of_one for verdict in answers.verdicts if verdict.active is not None}
        if len(met) < 2:
            continue
        kinds = [kind for kind in STACK if kind in met]
        bins = bins_for(verdict.active for answers in of_one for verdict in answers.verdicts if verdict.active is not None)
        tables = [count(answers.verdicts, bins) for answers in of_one]
        most = max(sum(held.values()) for table in tables for held in table)
        inputs = _inputs(results, asked)
        names = [where(answers.domain, inputs) for answers in of_one]
        panels = tuple((name, panel(table, bins, most, inputs)) for name, table in zip(names, tables, strict=True))
        marked = any(one.threshold for _, one in panels)
        yield Figure(
            _title(results, asked),
            f"positive outputs of {asked.name}",
            panels,
            tuple(kind.value for kind in kinds),
            tuple(names),
            tuple((bins.label(k), *(table[k][kind] for table in tables for kind in kinds)) for k in range(bins.count)),
            f"Dashed: {inputs} positive outputs, as many as inputs; with that many independent ones the output determines the input."
            if marked
            else "",
        )


def _counterparts(results: Results) -> Iterator[Counterpart]:
    """For the network's own inputs, where these are images: a pair for each domain and kind of infinite or finite pre-image."""
    layout = _layout(results)
    if layout is None:
        return
    for answers in results.answers:
        if not answers.asked.takes_images:
            continue
        held = Counter(verdict.cardinality for verdict in answers.verdicts)
        name = where(answers.domain, results.network["inputs"])
        if answers.asked.layer is None:
            name = f"{name}, for {answers.asked.name}"
        several = [kind for kind in STACK if held[kind] and (kind.is_infinite or kind is Cardinality.FINITE)]
        if not several and held[Cardinality.SINGLETON]:
            said = "Every output that was decided comes from one input alone: there is no other one to show."
            yield Counterpart(name, "singleton", None, said)
        for kind in several:
            yield _counterpart(answers, name, kind, layout)


def _layout(results: Results) -> Raster | None:
    """How an input of the network is laid out as an image, as far as the results say."""
    shape = results.data.shape if results.data and results.data.subject == "input" else ()
    return raster(shape, results.network["inputs"])


def _counterpart(answers: Answers, name: str, kind: Cardinality, layout: Raster) -> Counterpart:
    shown = pictures((pair for pair in answers.pairs if pair.cardinality is kind), layout, box_bounds(answers.domain))
    if shown is None:
        said = (
            "The results hold no second input: beyond 128 inputs one is computed only with --rational. That there is one is proved all the"
            " same."
        )
        return Counterpart(name, kind.value, None, said)
    said = (
        f"Row {shown.row}: {counted(shown.changed, 'value')} of the image changed, by up to {shown.largest}, and the output is exactly the"
        f" same. Black is {shown.black}, white {shown.white}; the difference has a scale of its own."
    )
    if shown.along_ray:
        said += (
            " The direction of the change can be followed for ever; shown is the step that changes a value by half of what the image spans."
        )
    return Counterpart(name, kind.value, shown, said)


def _proved(results: Results) -> tuple[Statement, ...]:
    """Every statement that a verdict rests on, with where it does, how often, and which dimensions occur there."""
    places: dict[tuple[Cardinality, str, tuple[str, ...]], list[tuple[str, int, str]]] = {}
    for answers in results.answers:
        inputs, composed = _inputs(results, answers.asked), answers.asked.layer is None
        groups: dict[tuple[Cardinality, str, tuple[str, ...]], list[Verdict]] = {}
        for verdict in answers.verdicts:
            if verdict.cardinality is not Cardinality.UNDECIDED:
                groups.setdefault((verdict.cardinality, *statement(verdict, inputs, composed=composed)), []).append(verdict)
        for key, held in groups.items():
            found = [verdict.dimension for verdict in held if verdict.dimension is not None and verdict.dimension > 0]
            span = "" if not found else f"{min(found)}" if min(found) == max(found) else f"{min(found)} to {max(found)}"
            places.setdefault(key, []).append((f"{answers.asked.name}, {where(answers.domain, inputs)}", len(held), span))
    ordered = sorted(places.items(), key=lambda item: (STACK.index(item[0][0]), item[0][1:] == TIGHT))
    return tuple(Statement(kind.value, said, theorems, tuple(held)) for (kind, said, theorems), held in ordered)


def _constant(results: Results) -> Constant | None:
    data = results.data
    if data is None or data.subject != "input" or len(_rows(results.answers)) < 2:
        return None
    inputs, zeros = results.network["inputs"], sum(value == "0" for value in data.constant.values())
    zero = "all of them 0" if zeros == len(data.constant) > 1 else f"{zeros:,} of them 0"
    if not data.constant:
        return Constant("No input is constant over these rows.", "", None)
    number = len(data.constant)
    sentence = (
        f"{number:,} of {inputs:,} inputs {'has' if number == 1 else 'have'} the same value in every row here, {zero}. Weights"
        " that read an input which is 0 throughout training get no gradient and stay as they were initialised; if these inputs were 0 in"
        " the training data too, what a verdict says in their directions is about initial values. The verdicts count them like all others."
    )
    listed = [str(index) for index in sorted(data.constant)[:_CONSTANT_SHOWN]]
    more = f" and {number - len(listed):,} more" if number > len(listed) else ""
    layout = raster(data.shape, inputs)
    return Constant(sentence, ", ".join(listed) + more, constant_map(data.constant, layout) if layout else None)


def _tables(results: Results) -> Iterator[Table]:
    for asked, of_one in _by_asked(results):
        by_row: list[Mapping[int, Verdict]] = [{verdict.row: verdict for verdict in answers.verdicts} for answers in of_one]
        names = tuple(where(answers.domain, _inputs(results, asked)) for answers in of_one)
        lines = []
        for row in sorted(_rows(of_one)):
            found = [rows.get(row) for rows in by_row]
            known = next(verdict for verdict in found if verdict is not None)
            lines.append((row, *map(_cell, (known.active, known.rank)), *(cell for verdict in found for cell in _cells(verdict))))
        yield Table(_title(results, asked), names, tuple(lines))


def _cells(verdict: Verdict | None) -> tuple[str | int, str | int, str | int]:
    """The kind, the dimension and the certificate's size."""
    if verdict is None:
        return "", "", ""
    size = "" if verdict.certificate is None else "missing" if verdict.certificate < 0 else f"{verdict.certificate / 1000:.1f}"
    kind = verdict.cardinality.value if verdict.points is None or verdict.points < 2 else f"finite: {verdict.points}"
    return kind, _cell(verdict.dimension), size


def _cell(value: int | None) -> str | int:
    return "" if value is None else value
