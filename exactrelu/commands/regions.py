"""`exactrelu regions`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from exactrelu.commands.options import HOLDS, UNDECIDED, Json, Model, Quiet, Rows, Scale, exact_scale, one_thread
from exactrelu.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from exactrelu.network.model import Network
    from exactrelu.points import Points
    from exactrelu.regions import AffineSlice, RegionComplex

# Up to so many regions times adjacencies the diameter is computed, and up to so many regions the linear pieces: seconds each.
DIAMETER_SIZE, PIECES_SIZE = 2 * 10**7, 10**4
UNCHECKED = "No certificate of regions is written yet, so no checker has confirmed that the list is complete."


def regions(
    network: Model,
    /,
    *,
    through: Annotated[
        str | None, Parameter(help="Ask about the network from its input through this layer; output, the default, is the whole network.")
    ] = None,
    domain: Annotated[str, Parameter(help="all (default), orthant, box:LO,HI, box:FILE.npz or polytope:FILE.json.")] = "all",
    slice: Annotated[
        str | None,
        Parameter(help="Points (.npy, .npz or .csv): ask about the smallest affine subspace that holds them, a plane for three."),
    ] = None,
    rows: Rows = None,
    scale: Scale = None,
    graph: Annotated[Path | None, Parameter(help="Write regions, vertices and adjacencies to FILE.json or FILE.graphml.")] = None,
    plot: Annotated[Path | None, Parameter(help="Draw two-dimensional regions as FILE.svg.")] = None,
    colour: Annotated[
        Literal["pattern", "map", "output"],
        Parameter(help="Of the plot: one colour a region (default), one an affine map, or by the output."),
    ] = "pattern",
    view: Annotated[str | None, Parameter(help="Of the plot: LEFT,RIGHT,BOTTOM,TOP; by default around the vertices.")] = None,
    draw_graph: Annotated[bool, Parameter(help="Of the plot: draw the adjacency graph as well.")] = False,
    store: Annotated[str | None, Parameter(show=False)] = None,
    time_limit: Annotated[float | None, Parameter(help="Seconds after which no further neuron is begun.")] = None,
    json: Json = False,
    quiet: Quiet = False,  # noqa: ARG001
) -> int:
    """Find all activation regions of a network, and how they meet, exactly.

    A region is a full-dimensional set of inputs in which the same neurons are positive. Exit code 0: these are all, 3: the time limit
    was reached, and what is given are the regions that the first neurons make; a plot of these has one colour a region.
    """
    begin = time.monotonic()
    _check_options(store, time_limit, of_slice=slice is None and (rows, scale) != (None, None))
    if plot is None and (view is not None or draw_graph or colour != "pattern"):
        raise InvalidRequestError("--colour, --view and --draw-graph are about a plot; give --plot FILE.svg, or leave them out")
    factor = exact_scale(scale)
    one_thread()
    from exactrelu.domain import parse_domain
    from exactrelu.network.readers import load
    from exactrelu.regions import graph as graph_file
    from exactrelu.regions import regions as find_regions
    from exactrelu.regions.plot import check_suffix, save_plot
    from exactrelu.regions.polygons import View
    from exactrelu.results import Envelope, assumptions, describe_data, json_text, printable, speaks_of

    envelope = Envelope("regions", domain=domain)
    path = Path(network)
    model = load(path)
    within = parse_domain(domain, model.inputs)
    points, plane = (None, None) if slice is None else _slice(slice, model, factor, rows)
    seen = None if view is None else View.parse(view)
    if plot is not None:
        check_suffix(plot)
        _check_plane(model, plane)
    if graph is not None:
        graph_file.check_suffix(graph)
    deadline = None if time_limit is None else begin + time_limit
    found = find_regions(model, through=through, domain=within, affine_slice=plane, deadline=deadline)
    if not found.complete and not found.regions:
        raise _too_large(model, plane)
    record = {**_record(found, model, through, deadline), "slice": None}
    if slice is not None and points is not None:
        record["slice"] = describe_data(Path(slice), points, "input", model.input_shape)
    if graph is not None:
        graph_file.save_graph(found, graph)
    if plot is not None:
        # Hidden neurons have no decision boundary.
        decided = record["through"] is None and model.outputs > 0
        if found.complete:
            save_plot(found, plot, colour=colour, boundary="decision" if decided else None, graph=draw_graph, view=seen)
        else:
            save_plot(found, plot, graph=draw_graph, view=seen)
    if json:
        print(json_text(envelope.around(path, model, [assumptions(certified=False)[0], UNCHECKED], **record)))
    else:
        print("\n\n".join([regions_report(record, domain), speaks_of(path, model)]))
        print("".join(f"{what}: {printable(where)}\n" for what, where in (("Graph", graph), ("Plot", plot)) if where is not None), end="")
    return HOLDS if found.complete else UNDECIDED


def _check_options(store: str | None, time_limit: float | None, *, of_slice: bool) -> None:
    if store is not None:
        raise InvalidRequestError("--store is not available yet; leave it out, and give --time-limit as much time as there is")
    if time_limit is not None and not time_limit > 0:
        raise InvalidRequestError("--time-limit must be above 0; give seconds, or leave it out")
    if of_slice:
        raise InvalidRequestError("--rows and --scale speak of the points of --slice FILE; give it, or leave them out")


def _slice(file: str, model: Network, scale: Fraction | None, rows: str | None) -> tuple[Points, AffineSlice]:
    """The points of a file and the affine subspace through them."""
    from exactrelu.points import read_points
    from exactrelu.regions import AffineSlice

    points = read_points(file, shape=model.input_shape, inputs=model.inputs, scale=scale, rows=rows)
    return points, AffineSlice.through(points.rows)


def _check_plane(model: Network, plane: AffineSlice | None) -> None:
    """Refuse a plot of more or fewer than two dimensions before any region is looked for."""
    dimension = model.inputs if plane is None else len(plane.directions)
    if dimension != 2:
        there_are = f"the network has {dimension} inputs" if plane is None else f"the slice has {dimension} dimensions"
        raise InvalidRequestError(f"a plot shows two dimensions, but {there_are}; give three points with --slice FILE, or leave --plot out")


def _too_large(model: Network, plane: AffineSlice | None) -> InvalidRequestError:
    if plane is None:
        return InvalidRequestError(
            f"the regions of this network lie in up to {model.inputs} dimensions, too many to list them; "
            "give --slice FILE with three points, for the regions in the plane through them"
        )
    return InvalidRequestError(
        f"the slice has {len(plane.directions)} dimensions, too many to list regions; give fewer points, three for a plane (--rows A:B)"
    )


def _record(found: RegionComplex, model: Network, through: str | None, deadline: float | None) -> dict[str, Any]:
    """The keys that this question adds to the JSON object."""
    from exactrelu.regions import layers_through

    whole = through is None or through == "output"
    neurons = sum(int(layer.rectified.sum()) for layer in layers_through(model, through))
    return {
        "through": None if whole else model.layer(str(through)).number,
        "dimension": found.dimension,
        "regions": found.regions,
        "adjacencies": found.adjacencies,
        "vertices": found.vertices,
        "bounded_regions": found.bounded_regions,
        "complete": found.complete,
        "certificate": None,
        "neurons": neurons,
        "progress": None if found.complete else f"the regions are those that the first {len(found.neurons)} of {neurons} neurons make",
        "statistics": _statistics(found, deadline),
    }


def _statistics(found: RegionComplex, deadline: float | None) -> dict[str, Any]:
    """Numbers about the regions; null where they are not complete, or where it would take long and the time is over."""
    from fractions import Fraction

    from exactrelu.exact.rational import format_rational
    from exactrelu.regions import statistics

    def in_time() -> bool:
        return found.complete and (deadline is None or time.monotonic() < deadline)

    degrees = statistics.degrees(found)
    small = found.regions * found.adjacencies <= DIAMETER_SIZE
    return {
        "degree_mean": format_rational(Fraction(int(degrees.sum()), found.regions)) if found.complete else None,
        "degree_max": int(degrees.max()) if found.complete else None,
        "diameter": statistics.diameter(found) if small and in_time() else None,
        "linear_pieces": int(statistics.linear_pieces(found).max()) + 1 if found.regions <= PIECES_SIZE and in_time() else None,
        "dead_neurons": [[neuron.layer, neuron.row] for neuron in statistics.dead_neurons(found)],
        "always_active_neurons": [[neuron.layer, neuron.row] for neuron in statistics.always_active_neurons(found)],
    }


def regions_report(record: Mapping[str, Any], domain: str) -> str:
    """The counts and the statistics in words."""
    from exactrelu.exact.rational import parse_rational
    from exactrelu.results import printable

    held = record["statistics"]
    part = "the network" if record["through"] is None else f"the network through layer {record['through']}"
    where = "" if record["slice"] is None else f", on the slice through the points of {printable(record['slice']['file'])}"
    numbers = [
        (record["regions"], f"regions, {record['bounded_regions']} of them bounded"),
        (record["adjacencies"], "pairs of regions that share a facet"),
        (record["vertices"], "vertices"),
        (held["linear_pieces"], "linear pieces: connected parts with one affine map"),
        (held["degree_max"], f"neighbours of a region at most, {float(parse_rational(held['degree_mean'] or '0')):.2f} on average"),
        (held["diameter"], "walls at most from one region to another (diameter)"),
        (len(held["dead_neurons"]), f"of {record['neurons']} neurons are never positive"),
        (len(held["always_active_neurons"]), "are always positive"),
    ]
    width = max(len(str(number)) for number, _ in numbers)
    lines = [f"{str(number).rjust(width)}  {words}" for number, words in numbers if number is not None]
    if record["progress"] is None:
        state = "These are all regions."
    else:
        state = f"Not complete: {record['progress']}; there are at least as many. Give a larger --time-limit."
    return "\n".join([f"{part}, domain {printable(domain)}{where}", *lines, "", state])
