"""What a report says about stability: where floats are wrong about a rank, singular values over depth and inputs, each with its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, islice, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from exactrelu.decimals import approximate
from exactrelu.report.bounds import Bounds, ordered
from exactrelu.report.pictures import signed
from exactrelu.report.stability_plot import COLOURS, Curve, Dot, Panel, curves_panel, dots_panel
from exactrelu.report.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from exactrelu.report.pictures import Raster
    from exactrelu.report.stability import InverseBound, Kind, Linearisation, Spectrum

# How many disagreements are put into words, lines of a table are listed, and singular values of an input.
_FINDINGS, _LINES, _VALUES = 20, 2000, 1024
# So many inputs are drawn as lines of their own, and so many linearisations are written down.
_SAMPLES, _FORMULAS = 12, 12
_LONGEST_NAME = 60
_HEADER = ("rank", "float rank", "agrees", "largest singular value", "smallest non-zero", "condition number", "distance to the boundary")


class Cell(NamedTuple):
    """What a table shows, and the bounds as they were written, shown when one points at it."""

    text: str
    whole: str = ""


@dataclass(frozen=True)
class Table:
    """Lines of cells below a header, and what is to be said of them."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


class Directions(NamedTuple):
    """The input directions of the largest and of the smallest non-zero singular value as images."""

    caption: str
    largest: str
    smallest: str


class Formulas(NamedTuple):
    """LaTeX: an affine map, and its singular values where they were written down."""

    caption: str
    shown: tuple[str, ...]


@dataclass(frozen=True)
class StabilityView:
    """The answers of one kind in words, tables and figures; `findings` are ranks about which floats are wrong."""

    title: str
    claim: str
    findings: tuple[str, ...]
    summary: Table
    panels: tuple[Panel, ...]
    legend: tuple[tuple[int, str], ...]
    caption: str
    directions: tuple[Directions, ...]
    formulas: tuple[Formulas, ...]
    said: tuple[str, ...]
    tables: tuple[Table, ...]


def stability_views(found: Sequence[Linearisation], inverses: Sequence[InverseBound], layout: Raster | None) -> Iterator[StabilityView]:
    """One view of the network up to its layers, one of layers alone, each for every type of floats; layout: of an input as an image."""
    for kind, group in groupby(found, key=lambda one: one.kind):
        answers = list(group)
        by_layer = {layer: list(of_one) for layer, of_one in groupby(answers, key=lambda one: one.layer)}
        first = [of_one[0] for of_one in by_layer.values() if of_one[0].row == answers[0].row]
        colours = {layer: place % COLOURS for place, layer in enumerate(by_layer)}
        yield StabilityView(
            title=_title(kind, by_layer),
            claim=_claim(answers),
            findings=tuple(_findings(answers)),
            summary=_summary(by_layer),
            panels=tuple(panel for panel in _panels(by_layer, first, colours) if not panel.empty),
            legend=tuple((colours[layer], _layer_name(of_one[0])) for layer, of_one in by_layer.items()),
            caption=_caption(kind, answers),
            directions=() if layout is None else tuple(_directions(answers, layout)),
            formulas=tuple(_formulas(answers)),
            said=tuple(_sentences(kind, by_layer, inverses)),
            tables=(_all_rows(answers), *_listed(first), *_removed(answers)),
        )


def _title(kind: Kind, layers: Iterable[int]) -> str:
    listed = ", ".join(map(str, layers))
    several = "layers" if "," in listed else "layer"
    about = f"The network from its input through {several} {listed}" if kind.composed else f"{several.capitalize()} {listed} alone"
    return about if kind.dtype == "float64" else f"{about}, in {kind.dtype}"


def _layer_name(one: Linearisation) -> str:
    name = one.name if len(one.name) <= _LONGEST_NAME else f"{one.name[:_LONGEST_NAME]}..."
    return f"layer {one.layer}" + (f" ({name})" if name else "")


def _wrong(spectrum: Spectrum | None) -> bool:
    return spectrum is not None and spectrum.agrees is False


def _claim(answers: Sequence[Linearisation]) -> str:
    wrong, decided = (sum(test(one.after) for one in answers) for test in (_wrong, lambda spectrum: spectrum.rank is not None))
    total = counted(len(answers), "linearisation")
    ranks = "the exact rank of each" if decided == len(answers) else f"the exact rank of {decided:,} of them"
    said = f"{total}, {ranks}" if decided else f"{total}, of which no exact rank was decided"
    before = sum(_wrong(one.before) for one in answers)
    if wrong:
        return f"{said}; floats are wrong about {wrong:,} of the ranks"
    if before:
        return f"{said}; floats report no other, but are wrong about {counted(before, 'rank')} before a relu"
    return f"{said}; floats report no other" if decided else said


def _findings(answers: Iterable[Linearisation]) -> Iterator[str]:
    """Disagreements in words, the first ones."""
    said = [
        f"Row {one.row}, layer {one.layer}{', before its relu' if spectrum is one.before else ''}: floats report rank"
        f" {spectrum.numeric_rank}, but it is {_rank(spectrum)}."
        for one in answers
        for spectrum in (one.after, one.before)
        if spectrum is not None and _wrong(spectrum)
    ]
    yield from said[:_FINDINGS]
    if len(said) > _FINDINGS:
        yield f"{len(said) - _FINDINGS:,} more stand in the results file."


def _rank(spectrum: Spectrum) -> str:
    return _from_to(*spectrum.rank_bounds)


def _from_to(low: int, high: int) -> str:
    return str(low) if low == high else f"from {low} to {high}"


def _bounds(value: Bounds | None) -> Cell:
    return Cell("") if value is None else Cell(value.text, value.whole)


def _cells(one: Linearisation) -> tuple[Cell, ...]:
    found = one.after
    proved = (found.sigma_max, found.sigma_min, found.condition, one.distance)
    numeric = Cell("" if found.numeric_rank is None else str(found.numeric_rank))
    agrees = Cell({True: "yes", False: "no", None: "not decided"}[found.agrees])
    return Cell(_rank(found)), numeric, agrees, *map(_bounds, proved)


def _summary(by_layer: dict[int, list[Linearisation]]) -> Table:
    """For each layer the least, the median and the largest of every number over the inputs; the numbers themselves of one input."""
    rows: list[tuple[Cell, ...]] = []
    for of_one in by_layer.values():
        name = Cell(f"layer {of_one[0].layer}")
        if len(of_one) == 1:
            rows.append((name, Cell(f"row {of_one[0].row}"), *_cells(of_one[0])))
            continue
        for word, part in (("least", 0), ("median", 1), ("largest", 2)):
            rows.append((name if part == 0 else Cell(""), Cell(word), *_over_rows(of_one, part)))
    several = any(len(of_one) > 1 for of_one in by_layer.values())
    note = (
        "Each column is sorted on its own, and of an even number of inputs the lower of the two middle ones counts. The least number lies"
        " between the least lower and the least upper bound, and so for the others."
    )
    return Table("", ("layer", "over the inputs" if several else "input", *_HEADER), tuple(rows), note if several else "")


def _over_rows(of_one: Sequence[Linearisation], part: int) -> Iterator[Cell]:
    spectra = [one.after for one in of_one]
    low, high = (sorted(spectrum.rank_bounds[end] for spectrum in spectra)[_place(spectra, part)] for end in (0, 1))
    yield Cell(_from_to(low, high))
    numeric = sorted(spectrum.numeric_rank for spectrum in spectra if spectrum.numeric_rank is not None)
    yield Cell(str(numeric[_place(numeric, part)]) if numeric else "")
    yield Cell(f"{sum(spectrum.agrees is True for spectrum in spectra):,} of {len(spectra):,}" if part == 0 else "")
    columns: list[list[Bounds | None]] = [
        [spectrum.sigma_max for spectrum in spectra],
        [spectrum.sigma_min for spectrum in spectra],
        [spectrum.condition for spectrum in spectra],
        [one.distance for one in of_one],
    ]
    for column in columns:
        values = [value for value in column if value is not None]
        yield _bounds(ordered(values, _place(values, part)) if values else None)


def _place(values: Sequence[object], part: int) -> int:
    """That of the least, the median or the largest of values in order, as `part` is 0, 1 or 2."""
    return (len(values) - 1) * part // 2


def _panels(by_layer: dict[int, list[Linearisation]], first: Sequence[Linearisation], colours: dict[int, int]) -> Iterator[Panel]:
    yield curves_panel(
        f"Before (dashed) and after the relu, row {first[0].row}",
        "singular value",
        (
            Curve(colours[one.layer], style, f"{_layer_name(one)}, {word} its relu: rank {_rank(spectrum)}", _positive(spectrum))
            for one in first
            for spectrum, word, style in ((one.before, "before", "before"), (one.after, "after", ""))
            if spectrum is not None
        ),
    )
    yield curves_panel(
        "Decay over depth: after each layer, over the inputs",
        "singular value",
        (curve for layer, of_one in by_layer.items() for curve in _decay(of_one, colours[layer])),
    )
    for title, name, field in (
        ("Stability against information loss", "smallest non-zero singular value", "sigma_min"),
        ("Condition against information loss", "condition number", "condition"),
    ):
        dots = []
        for layer, of_one in by_layer.items():
            for one in of_one:
                value, rank = getattr(one.after, field), one.after.rank
                if value is not None and rank is not None:
                    said = f"row {one.row}, layer {layer}: rank {rank}, {name} {value.whole}"
                    dots.append(Dot(colours[layer], _wrong(one.after), said, rank, value))
        yield dots_panel(title, name, dots)


def _positive(spectrum: Spectrum) -> tuple[Bounds, ...]:
    """The singular values that are not known to be 0."""
    return spectrum.sigma[: spectrum.rank_bounds[1]]


def _decay(of_one: Sequence[Linearisation], colour: int) -> Iterator[Curve]:
    """The first inputs as thin lines, and at each index the median of all in a band from the least lower to the largest upper bound.

    The band is of the inputs whose rank reaches the index; for the others the singular value is 0, and where that is the median, the
    line ends.
    """
    name, spread, middle = _layer_name(of_one[0]), [], []
    for one in of_one[:_SAMPLES] if len(of_one) > 1 else ():
        yield Curve(colour, "thin", f"{name}, row {one.row}", _positive(one.after))
    for values in zip_longest(*(_positive(one.after) for one in of_one)):
        held = [value for value in values if value is not None]
        spread.append(Bounds(ordered(held, 0).lower, ordered(held, len(held) - 1).upper))
        place = _place(of_one, 1) - (len(of_one) - len(held))
        if place >= 0:
            middle.append(ordered(held, place))
    yield Curve(colour, "", f"{name}, median of {counted(len(of_one), 'input')}" if len(of_one) > 1 else name, spread, middle)


def _caption(kind: Kind, answers: Sequence[Linearisation]) -> str:
    inputs = len({one.row for one in answers})
    shown = f"the first {_SAMPLES}" if inputs > _SAMPLES else "the"
    several = (
        f" Over depth thin lines are {shown} inputs, the thick one is the median of all {inputs:,}, and the band reaches from the least"
        " lower to the largest upper bound."
        if inputs > 1
        else ""
    )
    ringed = ", one where floats report a wrong rank is ringed" if any(_wrong(one.after) for one in answers) else ""
    return (
        "A band reaches from the lower to the upper bound, and its line is the upper end; where no band is seen, both are closer than the"
        f" line is wide.{several}"
        f" Each dot is an input{ringed}. Pointing at a dot or a line says what it is."
        f" Floats proposed the singular values in {kind.dtype} on {kind.device}."
    )


def _sentences(kind: Kind, by_layer: dict[int, list[Linearisation]], inverses: Iterable[InverseBound]) -> Iterator[str]:
    for layer, of_one in by_layer.items():
        for threshold in of_one[0].after.below:
            counts = [one.after.below[threshold] for one in of_one if threshold in one.after.below]
            least, most = min(low for low, _ in counts), max(high for _, high in counts)
            yield f"Layer {layer}: of its singular values, zeros counted, {_from_to(least, most)} are below {threshold} at each input."
        free = [one for one in of_one if one.last_upper is not None]
        if free:
            row, last = free[0].row, Bounds("0", free[0].last_upper)
            yield (
                f"Layer {layer}: too large for all of its singular values at {counted(len(free), 'input')}; what products with vectors and"
                f" sparse matrices prove is shown. Of as many singular values as inputs, the last is in {last.text} at row {row}."
            )
    for bound in inverses:
        if not kind.composed and bound.layer in by_layer:
            said = f"On all of its inputs layer {bound.layer} is {bound.verdict.replace('-', ' ')}"
            if bound.upper is not None:
                said += f": the distance of two inputs is at most {bound.upper} times that of their outputs, however far apart they are"
            yield f"{said}."


def _directions(answers: Iterable[Linearisation], layout: Raster) -> Iterator[Directions]:
    size = layout.height * layout.width * layout.colours
    for one in answers:
        held = one.directions
        if held is not None and all(len(values) == size for values in held.values()):
            largest, smallest = (signed([approximate(text, power=200) for text in held[word]], layout) for word in ("largest", "smallest"))
            yield Directions(f"Row {one.row}, layer {one.layer}", largest, smallest)


def _formulas(answers: Iterable[Linearisation]) -> Iterator[Formulas]:
    held = (one for one in answers if one.formulas)
    for one in islice(held, _FORMULAS):
        also = " and its exact singular values, those of rows of zeros left out" if len(one.formulas) > 1 else ""
        yield Formulas(f"The affine map at row {one.row}, layer {one.layer}{also}, as LaTeX", one.formulas)


def _all_rows(answers: Sequence[Linearisation]) -> Table:
    shown = answers[:_LINES]
    rows = tuple((Cell(str(one.row)), Cell(str(one.layer)), Cell(str(one.active)), *_cells(one)) for one in shown)
    more = f"{len(answers) - len(shown):,} more lines stand in the results file." if len(answers) > len(shown) else ""
    return Table(f"All inputs and layers: {counted(len(answers), 'linearisation')}", ("row", "layer", "active", *_HEADER), rows, more)


def _listed(first: Sequence[Linearisation]) -> Iterator[Table]:
    """The singular values of the first figure, by the index."""
    header = ["index"]
    columns: list[tuple[Bounds, ...]] = []
    for one in first:
        for spectrum, word in ((one.before, "before"), (one.after, "after")):
            if spectrum is not None and spectrum.sigma:
                header.append(f"layer {one.layer}, {word}")
                columns.append(spectrum.sigma[:_VALUES])
    if columns:
        lines = enumerate(zip_longest(*columns), 1)
        rows = tuple((Cell(str(index)), *(Cell("") if pair is None else _exactly(pair) for pair in pairs)) for index, pairs in lines)
        note = f"The first {_VALUES:,}; all stand in the results file." if len(rows) == _VALUES else ""
        yield Table(f"All singular values at row {first[0].row}, before and after each relu", tuple(header), rows, note)


def _exactly(pair: Bounds) -> Cell:
    return Cell(pair.lower if pair.lower == pair.upper else f"{pair.lower} to {pair.upper or 'infinity'}")


def _removed(answers: Iterable[Linearisation]) -> Iterator[Table]:
    """What the relu removes, and the bound that each removed row puts on the smallest non-zero singular value."""
    lines = [(one.row, one.layer, *removed) for one in answers for removed in one.removed]
    if lines:
        rows = tuple(
            (Cell(str(row)), Cell(str(layer)), Cell(str(output)), Cell(Bounds("0", upper).text.removeprefix("[0, ").rstrip("]"), upper))
            for row, layer, output, upper in lines[:_LINES]
        )
        title = "Removed outputs that keep the smallest non-zero singular value small"
        yield Table(title, ("row", "layer", "removed output", "because of it at most"), rows)
