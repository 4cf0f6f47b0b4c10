"""What is told of a region complex in a result: counts and statistics, as JSON."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from exactrelu.exact.rational import format_rational
from exactrelu.regions import MOST_IN_MEMORY, RegionComplex, statistics, topology
from exactrelu.regions.asked import last_layer, layers_through
from exactrelu.regions.linear_pieces import LinearPieces

if TYPE_CHECKING:
    from exactrelu.network.model import Network
    from exactrelu.regions.decision import Boundary
    from exactrelu.regions.jobs.by_part import RegionsByPart

# Up to so many regions times adjacencies the diameter is computed, seconds of work as the linear pieces of a small complex.
DIAMETER_SIZE = 2 * 10**7


def regions_record(
    found: RegionComplex | RegionsByPart,
    network: Network,
    *,
    through: int | str | None,
    deadline: float | None = None,
    boundary: Boundary | None = None,
) -> dict[str, Any]:
    """The keys that `regions` adds to the JSON object; numbers that would take long are left out (None) from the deadline on.

    boundary: the one whose topology is asked about.
    """
    whole = found if isinstance(found, RegionComplex) and found.complete else None
    neurons = sum(int(layer.rectified.sum()) for layer in layers_through(network, through))
    return {
        "through": last_layer(network, through),
        "dimension": found.dimension,
        "regions": found.regions,
        "adjacencies": found.adjacencies,
        "vertices": found.vertices,
        "bounded_regions": found.bounded_regions,
        "complete": found.complete,
        "certificate": None,
        "uncertified": None,
        "neurons": neurons,
        "progress": None if found.complete else f"the regions are those that the first {len(found.neurons)} of {neurons} neurons make",
        "statistics": _statistics(found, whole, deadline),
        "topology": None if boundary is None or whole is None else topology.boundary(whole, boundary).record(boundary),
    }


def _statistics(found: RegionComplex | RegionsByPart, whole: RegionComplex | None, deadline: float | None) -> dict[str, Any]:
    """Numbers about the regions; null where they are not complete, or where it would take long and the time is over.

    whole: the complex where it is complete, and in memory.
    """
    overview = statistics.overview(found) if isinstance(found, RegionComplex) else found.overview

    def in_time() -> bool:
        return deadline is None or time.monotonic() < deadline

    return {
        "regions_by_layer": list(overview.regions_by_layer) if found.complete else None,
        "degree_mean": format_rational(Fraction(2 * found.adjacencies, found.regions)) if found.complete else None,
        "degree_max": overview.degree_max if found.complete else None,
        "diameter": statistics.diameter(whole) if whole and found.regions * found.adjacencies <= DIAMETER_SIZE and in_time() else None,
        "linear_pieces": len(LinearPieces(whole)) if whole and whole.regions <= MOST_IN_MEMORY and in_time() else None,
        "dead_neurons": [[neuron.layer, neuron.row] for neuron in overview.dead_neurons],
        "always_active_neurons": [[neuron.layer, neuron.row] for neuron in overview.always_active_neurons],
    }
