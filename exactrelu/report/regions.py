"""Activation regions read back from `regions*.json`: each field checked before it is used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exactrelu.report.fields import LARGEST_NUMBER
from exactrelu.report.region_plot import Plot, read_plot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exactrelu.report.fields import Checked

COUNTS = ("regions", "bounded_regions", "adjacencies", "vertices")
_BOUNDARY = re.compile(r"decision|[0-9]{1,9}(,[0-9]{1,9})?")
_MOST_DIMENSIONS = 1000


@dataclass(frozen=True)
class Regions:
    """The regions of a network through a layer (None: to its end) on a domain, or on the part of it on a slice through points of a file.

    `numbers` are those of the result by their keys, None where not computed; `certificate` is its size, -1 where it is named but not
    there, and `uncertified` says why there is none.
    """

    through: int | None
    slice: str | None
    domain: str
    dimension: int
    complete: bool
    progress: str
    numbers: Mapping[str, int | None]
    degree_mean: str | None
    topology: Mapping[str, Any] | None
    plot: Plot | None
    certificate: int | None
    uncertified: str

    @property
    def about(self) -> str:
        """What was asked about, in a few words."""
        return "the network" if self.through is None else f"the network through layer {self.through}"


def read_regions(check: Checked, found: Mapping[str, Any], certificate: int | None) -> Regions:
    """The answer that a results file holds; raises InvalidFileError for a field that is not what it should be."""
    held = found.get("statistics")
    check.mapping(held, "statistics")
    assert isinstance(held, dict)
    numbers: dict[str, int | None] = {word: check.number(found, word, least=0) for word in (*COUNTS, "neurons")}
    numbers |= {word: check.optional(held, word, least=0) for word in ("linear_pieces", "degree_max", "diameter")}
    numbers |= {word: len(check.list(held, word)) for word in ("dead_neurons", "always_active_neurons")}
    mean = held.get("degree_mean")
    on_slice = found.get("slice")
    if on_slice is not None:
        check.mapping(on_slice, "slice")
    return Regions(
        through=check.optional(found, "through", least=1),
        slice=None if on_slice is None else re.split(r"[\\/]", check.text(on_slice, "file"))[-1],
        domain=check.text(found, "domain"),
        dimension=check.number(found, "dimension", least=0),
        complete=check.boolean(found, "complete"),
        progress=check.is_text(found.get("progress") or "", "progress"),
        numbers=numbers,
        degree_mean=None if mean is None else check.vector([mean], "degree_mean")[0],
        topology=_topology(check, found.get("topology")),
        plot=read_plot(check, found.get("plot")),
        certificate=certificate,
        uncertified=check.is_text(found.get("uncertified") or "", "uncertified"),
    )


def _topology(check: Checked, value: Any) -> Mapping[str, Any] | None:
    if value is None:
        return None
    check.mapping(value, "topology")
    boundary, betti = check.text(value, "boundary"), check.list(value, "betti")
    if not _BOUNDARY.fullmatch(boundary) or len(betti) > _MOST_DIMENSIONS:
        check.refuse("topology", "is not that of a boundary")
    return {
        "boundary": boundary,
        "bounded": check.boolean(value, "bounded"),
        "betti": [check.number({"betti": number}, "betti", least=0) for number in betti],
        "dimension": check.number(value, "dimension", least=-1),
        "filled_regions": check.number(value, "filled_regions", least=0),
        "euler_characteristic": check.number(value, "euler_characteristic", least=-LARGEST_NUMBER),
    }
