"""`exactrelu regions`."""

from __future__ import annotations

import time
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from exactrelu.commands.options import HOLDS, UNDECIDED, Json, Model, Quiet, Rows, Scale, exact_scale, kept_in_store, one_thread
from exactrelu.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from fractions import Fraction

    from exactrelu.network.model import Network
    from exactrelu.regions import AffineSlice, RegionComplex
    from exactrelu.regions.decision import Boundary
    from exactrelu.regions.jobs.by_part import RegionsByPart


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
        Parameter(
            help="Points (.npy, .npz or .csv): ask about the subspace through them; three are (0,0), (1,0) and (0,1) of their plane."
        ),
    ] = None,
    rows: Rows = None,
    scale: Scale = None,
    walk: Annotated[
        bool, Parameter(help="Walk from region to region across facets, where there are too many dimensions to list vertices.")
    ] = False,
    begin: Annotated[str | None, Parameter(name="--from", help="Of a walk: a file with the point where it begins (see --scale).")] = None,
    limit: Annotated[int | None, Parameter(help="How many regions at most.")] = None,
    topology: Annotated[
        str | None,
        Parameter(help="Betti numbers of where output I is 0 (I), I and J are the largest (I,J), or any two are (decision)."),
    ] = None,
    graph: Annotated[Path | None, Parameter(help="Write regions, vertices and adjacencies to FILE.json or FILE.graphml.")] = None,
    plot: Annotated[
        Path | None,
        Parameter(
            help="Draw regions of two dimensions as FILE.svg, with the decision boundary: where the output is 0, or two are the largest."
        ),
    ] = None,
    colour: Annotated[
        Literal["pattern", "map", "output"],
        Parameter(help="Of the plot: one colour a region (default), one an affine map, or by the output."),
    ] = "pattern",
    view: Annotated[str | None, Parameter(help="Of the plot: LEFT,RIGHT,BOTTOM,TOP; by default around the vertices.")] = None,
    draw_graph: Annotated[bool, Parameter(help="Of the plot: draw the adjacency graph as well.")] = False,
    pieces: Annotated[
        bool, Parameter(help="Of graph and plot: merge adjacent regions on which the network is the same affine map.")
    ] = False,
    store: Annotated[Path | None, Parameter(help="A file that keeps what is found, so that a run can be stopped and goes on.")] = None,
    workers: Annotated[int, Parameter(help="Processes on this machine, 1 by default.")] = 1,
    scheduler: Annotated[str | None, Parameter(help="Address of a running Dask scheduler, whose workers do the work.")] = None,
    out: Annotated[Path | None, Parameter(help="Folder for the certificate that these are all regions, and for the result.")] = None,
    time_limit: Annotated[float | None, Parameter(help="Seconds after which no further work is begun.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Find all activation regions of a network, and how they meet, exactly.

    A region is a full-dimensional set of inputs in which the same neurons are positive. Exit code 0: these are all, 3: a limit was
    reached, and what is given are the regions that the first neurons make, or those that a walk has seen.
    """
    started = time.monotonic()
    _check_numbers(workers, limit, time_limit)
    of_a_plot = view is not None or draw_graph or colour != "pattern"
    of_no_walk = (plot, topology, store, scheduler, out) != (None,) * 5 or pieces or workers != 1
    for is_wrong, why in (
        (slice is None and not walk and (rows, scale) != (None, None), "--rows and --scale speak of the points of --slice FILE; give it"),
        (plot is None and of_a_plot, "--colour, --view and --draw-graph are about a plot; give --plot FILE.svg"),
        (pieces and plot is None and graph is None, "--pieces is about a plot or a graph; give --plot FILE.svg or --graph FILE"),
        (begin is not None and not walk, "--from is where a walk begins; give --walk"),
        (walk and of_no_walk, "a walk takes no --plot, --topology, --pieces, --store, --workers, --scheduler and --out; leave out --walk"),
    ):
        if is_wrong:
            raise InvalidRequestError(f"{why}, or leave them out")
    one_thread()
    from exactrelu.commands import regions_walk
    from exactrelu.commands.regions_files import Pictures, RegionsFolder
    from exactrelu.domain import parse_domain
    from exactrelu.network.readers import load
    from exactrelu.regions import RegionComplex
    from exactrelu.regions.drawing.polygons import View
    from exactrelu.regions.record import regions_record
    from exactrelu.results import Envelope, assumptions, json_text, speaks_of
    from exactrelu.tables import regions_report

    envelope = Envelope("regions", domain=domain)
    path = Path(network)
    model = load(path)
    within = parse_domain(domain, model.inputs)
    plane, on_slice = (None, None) if slice is None else _slice(slice, model, exact_scale(scale), rows)
    deadline = None if time_limit is None else started + time_limit
    asked: dict[str, Any] = {"through": through, "domain": within, "affine_slice": plane, "limit": limit, "deadline": deadline}
    if walk:
        record, text = regions_walk.answer(model, begin, exact_scale(scale), graph, asked)
        result = envelope.around(path, model, assumptions(certified=False), **record, slice=on_slice)
        print(json_text(result) if json else "\n\n".join([text, speaks_of(path, model)]))
        return HOLDS if record["complete"] else UNDECIDED
    pictures = Pictures(graph, plot, colour, None if view is None else View.parse(view), draw_graph, pieces)
    pictures.check(model, plane)
    which = None if topology is None else _boundary(topology, model, through)
    by_part = store is not None and (out, plot, topology) == (None,) * 3 and not pieces
    asked |= {"store": store, "workers": workers, "scheduler": scheduler}
    with ExitStack() as opened:
        found = kept_in_store(
            store,
            lambda progress: opened.enter_context(_found(model, {**asked, "progress": progress}, by_part=by_part)),
            lambda found: found.complete,
            quiet=quiet,
        )
        if not (found.complete or found.regions or limit is not None or (deadline is not None and time.monotonic() > deadline)):
            raise _too_large(model, plane)
        record = {**regions_record(found, model, through=through, deadline=deadline, boundary=which), "slice": on_slice}
        folder = None if out is None else RegionsFolder(out, model, path.stem, record, domain)
        if folder is not None and isinstance(found, RegionComplex):
            pictures = folder.with_plot(pictures, found)
            record |= folder.certify(found, within)
        record["plot"] = pictures.save(found, decided=record["through"] is None and model.outputs > 0)
    result = envelope.around(path, model, assumptions(certified=record["certificate"] is not None), **record)
    written = None if folder is None else folder.write(result)
    if json:
        print(json_text(result))
    else:
        print("\n\n".join([regions_report(record, domain), speaks_of(path, model)]))
        _print_places({"Graph": graph, "Plot": (record["plot"] or {}).get("file"), "Result": written, "Certificate": record["certificate"]})
    return HOLDS if found.complete else UNDECIDED


def _found(model: Network, asked: dict[str, Any], *, by_part: bool) -> AbstractContextManager[RegionComplex | RegionsByPart]:
    """The regions, which may stay in the store while the context lasts where they are told part by part."""
    from exactrelu.regions import regions as find_regions
    from exactrelu.regions import regions_by_part

    return regions_by_part(model, **asked) if by_part else nullcontext(find_regions(model, **asked))


def _boundary(topology: str, model: Network, through: str | None) -> Boundary:
    from exactrelu.regions.decision import check_outputs, parse_boundary

    which = parse_boundary(topology)
    check_outputs(model.layer_through(through or "output").outputs, which)
    return which


def _print_places(places: Mapping[str, Any]) -> None:
    from exactrelu.results import printable

    print("".join(f"{what}: {printable(where)}\n" for what, where in places.items() if where is not None), end="")


def _check_numbers(workers: int, limit: int | None, time_limit: float | None) -> None:
    if workers < 1 or (limit is not None and limit < 1) or (time_limit is not None and not time_limit > 0):
        raise InvalidRequestError("--workers and --limit must be at least 1 and --time-limit above 0; change the one that is not")


def _slice(file: str, model: Network, scale: Fraction | None, rows: str | None) -> tuple[AffineSlice, dict[str, Any]]:
    """The affine subspace through the points of a file, and what is recorded of these."""
    from exactrelu.points import read_points
    from exactrelu.regions import AffineSlice
    from exactrelu.results import describe_data

    points = read_points(file, shape=model.input_shape, inputs=model.inputs, scale=scale, rows=rows)
    return AffineSlice.through(points.rows), describe_data(Path(file), points, "input", model.input_shape)


def _too_large(model: Network, plane: AffineSlice | None) -> InvalidRequestError:
    if plane is None:
        return InvalidRequestError(
            f"the regions of this network lie in up to {model.inputs} dimensions, too many to list them; "
            "walk from region to region with --walk, or give --slice FILE with three points, for the plane through them"
        )
    return InvalidRequestError(
        f"the slice has {len(plane.directions)} dimensions, too many to list regions; give fewer points, three for a plane (--rows A:B)"
    )
