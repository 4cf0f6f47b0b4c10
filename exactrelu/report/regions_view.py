"""What a report says about activation regions: how many, how they meet, whether these are all, the plot that the run drew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.decimals import approximate, decimal_text
from exactrelu.regions.topology import topology_text
from exactrelu.report.words import counted, size_text, where

if TYPE_CHECKING:
    from exactrelu.report.region_plot import Plot
    from exactrelu.report.regions import Regions

# Numbers of a result by their keys, in the order in which they are listed.
_NUMBERS = {
    "regions": "activation regions",
    "bounded_regions": "of them bounded",
    "adjacencies": "pairs of regions that share a facet",
    "vertices": "vertices",
    "linear_pieces": "linear pieces: connected parts with one affine map",
    "degree_max": "neighbours of a region at most",
    "diameter": "walls at most from one region to another (diameter)",
    "neurons": "neurons with a relu",
    "dead_neurons": "of them positive nowhere",
    "always_active_neurons": "of them positive everywhere",
}
_OF_ALL = frozenset({"dead_neurons", "always_active_neurons"})


@dataclass(frozen=True)
class RegionsView:
    """The regions of a network on a domain in words; `numbers` are pairs (number, what it counts)."""

    title: str
    where: str
    state: str
    claim: str
    numbers: tuple[tuple[str, str], ...]
    said: tuple[str, ...]
    plot: Plot | None


def regions_view(answer: Regions, inputs: int) -> RegionsView:
    """One answer in words, for a network with so many inputs."""
    place = where(answer.domain, inputs)
    if answer.slice is not None:
        place = f"{place}, on a slice of dimension {answer.dimension} through points of {answer.slice}"
    held = answer.numbers
    shown = ((held[word], said) for word, said in _NUMBERS.items() if answer.complete or word not in _OF_ALL)
    numbers = [(f"{number:,}", said) for number, said in shown if number is not None]
    if answer.degree_mean is not None:
        numbers.append((decimal_text(approximate(answer.degree_mean)), "neighbours on average"))
    found = counted(held["regions"] or 0, "activation region")
    bounded = f"{held['bounded_regions']:,} of them bounded"
    return RegionsView(
        title=f"{answer.about[0].upper()}{answer.about[1:]}",
        where=place,
        state="complete" if answer.complete else "undecided",
        claim=f"{found}, {bounded}; these are all" if answer.complete else f"at least {found}; the run stopped before all were found",
        numbers=tuple(numbers),
        said=tuple(_sentences(answer)),
        plot=answer.plot,
    )


def _sentences(answer: Regions) -> list[str]:
    """What stands below the numbers."""
    said = []
    if answer.progress:
        said.append(f"Reached: {answer.progress}.")
    if answer.topology is not None:
        text = topology_text(answer.topology)
        said.append(f"{text[0].upper()}{text[1:]}.")
    if answer.certificate is None:
        said.append(f"No certificate was written{f': {answer.uncertified}' if answer.uncertified else ''}.")
    elif answer.certificate < 0:
        said.append("The certificate that the results name is no longer beside them.")
    else:
        said.append(f"Certificate that these are all regions, and that they meet like this: {size_text(answer.certificate)}.")
    return said
