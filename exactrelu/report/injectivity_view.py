"""What a report says about the injectivity of layers: the claim, two inputs with one output as pictures or as numbers, the margins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.decimals import approximate, bound_text, decimal_text
from exactrelu.report.pictures import Pictures, pictures
from exactrelu.report.preimages import Pair
from exactrelu.report.words import box_bounds, counted, size_text, where
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from fractions import Fraction

    from exactrelu.report.injectivity import Float32, Injectivity, LargestBox, Margin, Twins
    from exactrelu.report.pictures import Raster

# How many coordinates and features are listed.
_LISTED = 12
# Exact numbers up to so many letters are shown as they are.
_SHORT = 24
_SAYS = {
    "injective": "injective: no two different inputs have the same output",
    "not-injective": "not injective: two different inputs have exactly the same output",
    "undecided": "undecided: whether two different inputs have the same output was not decided within the limits",
}


@dataclass(frozen=True)
class Listed:
    """Numbers as a table: the largest changes of the inputs, or the largest values of the output that both share."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str | int, ...], ...]


@dataclass(frozen=True)
class InjectivityView:
    """The answer on one layer and domain in words."""

    title: str
    verdict: str
    claim: str
    where: str
    said: tuple[str, ...]
    shown: Pictures | None
    caption: str
    tables: tuple[Listed, ...]


def injectivity_view(answer: Injectivity, layout: Raster | None, network_inputs: int) -> InjectivityView:
    """One answer in words; layout: how an input of the network is laid out as an image."""
    inputs = network_inputs if answer.inputs is None and answer.takes_images else answer.inputs
    place = where(answer.domain, inputs)
    sizes = [counted(number, noun) for number, noun in ((inputs, "input"), (answer.outputs, "output")) if number is not None]
    details = ", ".join(filter(None, [answer.name, *sizes]))
    shown = _pictures(answer, layout)
    return InjectivityView(
        title=f"{answer.about[0].upper()}{answer.about[1:]}" + (f" ({details})" if details else ""),
        verdict=answer.verdict,
        claim=_SAYS[answer.verdict],
        where=place,
        said=tuple(_sentences(answer, place)),
        shown=shown,
        caption=_caption(answer.collision, shown),
        tables=_tables(answer.collision, shown),
    )


def _sentences(answer: Injectivity, place: str) -> list[str]:
    """What stands below the claim."""
    said = []
    if answer.method and answer.verdict != "undecided":
        said.append(f"Decided by: {answer.method}.")
    if answer.progress:
        said.append(f"Reached: {answer.progress}.")
    if answer.collision is not None:
        said.append(_features(answer.collision))
    if answer.float32 is not None:
        said.append(_in_float32(answer.float32))
    if answer.inverse_lipschitz_upper is not None:
        said.append(
            f"Proved: the distance of two inputs is at most {answer.inverse_lipschitz_upper} times that of their outputs, in {place}."
        )
    if answer.bias_margin is not None:
        said.append(_margin(answer.bias_margin))
    if answer.largest_box is not None:
        said.append(_largest_box(answer.largest_box))
    if answer.certificate is None:
        said.append("No certificate was written.")
    elif answer.certificate < 0:
        said.append("The certificate that the results name is no longer beside them.")
    else:
        said.append(f"Certificate: {size_text(answer.certificate)}.")
    return said


def _features(pair: Twins) -> str:
    positive = sum(approximate(text) > 0 for text in pair.value)
    total = counted(len(pair.value), "value")
    if not pair.value:
        return "The output has no values."
    return f"The output at both, equal as rational numbers, has {total}, {positive} of them positive{_largest(pair.value)}."


def _largest(value: tuple[str, ...]) -> str:
    largest = max(map(approximate, value))
    return f", the largest {_number(largest)}" if largest > 0 else ""


def _in_float32(found: Float32) -> str:
    """What was observed of the two inputs rounded to float32."""
    stay = "stay different" if found.distinct else "become the same"
    inside = "in the set" if found.inside else "not both in the set"
    said = f"Rounded to float32 the two inputs {stay} and are {inside}"
    if found.outputs_equal is None:
        return f"{said}; the layer was not run at them{f': {found.note}' if found.note else '.'}"
    seen = "the same output at both" if found.outputs_equal else f"outputs that differ by up to {found.largest_difference or '?'}"
    by = found.evaluated_by or "a float32 program"
    return f"{said}; {by} computes {seen}.{f' {found.note}' if found.note else ''} That is an observation, not a proof."


def _margin(margin: Margin) -> str:
    if margin.infinite is not None:
        stays = "stays" if margin.infinite == "plus" else "does not become"
        certified = (
            "" if margin.infinite == "plus" else " The certificate shows it for one very low number; that it is so for all has none."
        )
        return f"However the biases of all rows with a relu are moved together, it {stays} injective.{certified}"
    bounds = [
        f"{word} {bound_text(text, side)}"
        for word, text, side in (("at least", margin.low, "down"), ("at most", margin.high, "up"))
        if text
    ]
    if margin.value is not None:
        bounds = [f"exactly {margin.value}" if len(margin.value) <= _SHORT else f"about {decimal_text(approximate(margin.value))}"]
    return (
        "The largest number by which all biases can be lowered together so that it is injective (below 0: they must be raised): "
        f"{' and '.join(bounds) or 'not decided'}."
    )


def _largest_box(box: LargestBox) -> str:
    """Up to which size a box around the given points keeps it injective."""
    inner = bound_text(box.inner, "down")
    beyond = "larger ones were not decided"
    if box.outer is not None:
        beyond = f"scaled by {bound_text(box.outer, 'up')} it is not"
    return f"On the box around the given points scaled by {inner} about its middle it is injective; {beyond}."


def _pictures(answer: Injectivity, layout: Raster | None) -> Pictures | None:
    """The two inputs as pictures, where they are images."""
    pair = answer.collision
    if pair is None or layout is None or not answer.takes_images:
        return None
    return pictures([Pair(0, Cardinality.FINITE, pair.x, pair.y, None)], layout, box_bounds(answer.domain))


def _caption(pair: Twins | None, shown: Pictures | None) -> str:
    if pair is None:
        return ""
    if shown is not None:
        changed, largest = shown.changed, shown.largest
    else:
        change = [abs(approximate(b) - approximate(a)) for a, b in zip(pair.x, pair.y, strict=True)]
        changed, largest = sum(map(bool, change)), _number(max(change))
    said = f"{changed:,} of {counted(len(pair.x), 'value')} differ, by up to {largest}, and the output is exactly the same."
    return said if shown is None else f"{said} Black is {shown.black}, white {shown.white}; the difference has a scale of its own."


def _tables(pair: Twins | None, shown: Pictures | None) -> tuple[Listed, ...]:
    """The largest changes, where there are no pictures; the largest values of the output that both share."""
    if pair is None:
        return ()
    tables: list[Listed] = []
    if shown is None:
        both = [(approximate(a), approximate(b)) for a, b in zip(pair.x, pair.y, strict=True)]
        largest = sorted(range(len(both)), key=lambda j: (-abs(both[j][1] - both[j][0]), j))[:_LISTED]
        changes = tuple((j, _number(both[j][0]), _number(both[j][1]), _number(both[j][1] - both[j][0])) for j in largest)
        tables.append(Listed(_title("largest change", len(changes)), ("coordinate", "first input", "second input", "change"), changes))
    values = [approximate(text) for text in pair.value]
    positive = sorted((j for j, value in enumerate(values) if value > 0), key=lambda j: (-values[j], j))[:_LISTED]
    if positive:
        shared = tuple((j, _number(values[j])) for j in positive)
        tables.append(Listed(f"{_title('largest value', len(shared))} of the output", ("output", "at both inputs"), shared))
    return tuple(tables)


def _title(noun: str, number: int) -> str:
    return f"The {noun}" if number == 1 else f"The {number} {noun}s"


def _number(value: Fraction) -> str:
    """A number of four digits."""
    return decimal_text(value)
