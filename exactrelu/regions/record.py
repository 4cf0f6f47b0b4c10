"""What is told of a region complex in a result: counts and statistics, as JSON."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from exactrelu.exact.rational import format_rational
from exactrelu.regions import last_layer, layers_through, statistics, topology

if TYPE_CHECKING:
    from exactrelu.network.model import Network
    from exactrelu.regions import RegionComplex
    from exactrelu.regions.decision import Boundary

# Up to so many regions times adjacencies the diameter is computed, and up to so many regions the linear pieces: seconds each.
DIAMETER_SIZE, PIECES_SIZE = 2 * 10**7, 10**4


def regions_record(
    found: RegionComplex, network: Network, *, through: int | str | None, deadline: float | None = None, boundary: Boundary | None = None
) -> dict[str, Any]:
    """The keys that `regions` adds to the JSON object; numbers that would take long are left out (None) from the deadline on.

    boundary: the one whose topology is asked about.
    """
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
        "statistics": _statistics(found, deadline),
        "topology": None if boundary is None or not found.complete else topology.boundary(found, boundary).record(boundary),
    }


def _statistics(found: RegionComplex, deadline: float | None) -> dict[str, Any]:
    """Numbers about the regions; null where they are not complete, or where it would take long and the time is over."""

    def in_time() -> bool:
        return found.complete and (deadline is None or time.monotonic() < deadline)

    degrees = statistics.degrees(found)
    small = found.regions * found.adjacencies <= DIAMETER_SIZE
    return {
        "regions_by_layer": list(statistics.sizes_by_layer(found)) if found.complete else None,
        "degree_mean": format_rational(Fraction(int(degrees.sum()), found.regions)) if found.complete else None,
        "degree_max": int(degrees.max()) if found.complete else None,
        "diameter": statistics.diameter(found) if small and in_time() else None,
        "linear_pieces": int(statistics.linear_pieces(found).max()) + 1 if found.regions <= PIECES_SIZE and in_time() else None,
        "dead_neurons": [[neuron.layer, neuron.row] for neuron in statistics.dead_neurons(found)],
        "always_active_neurons": [[neuron.layer, neuron.row] for neuron in statistics.always_active_neurons(found)],
    }
