"""The part of `exactrelu regions` that walks from region to region, `--walk`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from exactrelu.errors import InvalidRequestError
from exactrelu.points import read_points
from exactrelu.regions.asked import last_layer
from exactrelu.regions.walk import walk
from exactrelu.saving import save_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction
    from pathlib import Path

    from exactrelu.network.model import Network


def answer(
    model: Network, begin: str | None, scale: Fraction | None, graph: Path | None, asked: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """The keys of the JSON object, and the answer in words; the regions themselves go to the file `graph`.

    begin: a file with the point where the walk begins; asked: what else `walk` takes.
    """
    if graph is not None and graph.suffix.lower() != ".json":
        raise InvalidRequestError(f"a walk is written as .json, not as {graph.name[:80]!r}; give such a name to --graph")
    if asked["limit"] is None and asked["deadline"] is None:
        raise InvalidRequestError("a walk may take for ever; say with --limit how many regions, or with --time-limit how long")
    first = None
    if begin is not None:
        first, *others = read_points(begin, shape=model.input_shape, inputs=model.inputs, scale=scale).rows
        if others:
            raise InvalidRequestError(f"{begin} holds {len(others) + 1} points, but a walk begins at one; give a file with one")
    found = walk(model, begin=first, **asked)
    if graph is not None:
        save_text(graph, [json.dumps(found.record()) + "\n"])
    record = {
        "through": last_layer(model, asked["through"]),
        "regions": found.seen,
        "explored": found.explored,
        "frontier": len(found.frontier),
        "adjacencies": found.adjacencies,
        "vertices": None,
        "bounded_regions": found.bounded.count(True) if found.complete else None,
        "complete": found.complete,
        "flips": {str(flips): facets for flips, facets in found.flips.items()},
        "certificate": None,
    }
    return record, "\n".join(found.lines() + ([f"Regions: {graph}"] if graph is not None else []))
