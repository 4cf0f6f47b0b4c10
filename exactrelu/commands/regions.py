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

    from exactrelu.domain import Domain
    from exactrelu.network.model import Network
    from exactrelu.points import Points
    from exactrelu.regions import AffineSlice, RegionComplex


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
    store: Annotated[str | None, Parameter(show=False)] = None,
    out: Annotated[Path | None, Parameter(help="Folder for the certificate that these are all regions, and for the result.")] = None,
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
    from exactrelu.regions import regions as find_regions
    from exactrelu.regions.graph import save_graph
    from exactrelu.regions.plot import save_plot
    from exactrelu.regions.polygons import View
    from exactrelu.regions.record import regions_record
    from exactrelu.results import Envelope, assumptions, describe_data, json_text, printable, speaks_of
    from exactrelu.tables import regions_report

    envelope = Envelope("regions", domain=domain)
    path = Path(network)
    model = load(path)
    within = parse_domain(domain, model.inputs)
    points, plane = (None, None) if slice is None else _slice(slice, model, factor, rows)
    seen = None if view is None else View.parse(view)
    _check_files(graph, plot, model, plane)
    deadline = None if time_limit is None else begin + time_limit
    found = find_regions(model, through=through, domain=within, affine_slice=plane, deadline=deadline)
    if not found.complete and not found.regions:
        raise _too_large(model, plane)
    record = {**regions_record(found, model, through=through, deadline=deadline), "slice": None}
    if slice is not None and points is not None:
        record["slice"] = describe_data(Path(slice), points, "input", model.input_shape)
    if graph is not None:
        save_graph(found, graph)
    if plot is not None:
        # Hidden neurons have no decision boundary.
        decided = record["through"] is None and model.outputs > 0
        if found.complete:
            save_plot(found, plot, colour=colour, boundary="decision" if decided else None, graph=draw_graph, view=seen)
        else:
            save_plot(found, plot, graph=draw_graph, view=seen)
    folder = None if out is None else _Folder(out, model, path.stem, record, domain)
    if folder is not None:
        record |= folder.certify(found, within)
    result = envelope.around(path, model, assumptions(certified=record["certificate"] is not None), **record)
    written = None if folder is None else folder.write(result)
    if json:
        print(json_text(result))
    else:
        print("\n\n".join([regions_report(record, domain), speaks_of(path, model)]))
        places = (("Graph", graph), ("Plot", plot), ("Result", written), ("Certificate", record["certificate"]))
        print("".join(f"{what}: {printable(where)}\n" for what, where in places if where is not None), end="")
    return HOLDS if found.complete else UNDECIDED


class _Folder:
    """Where the result, its certificate and the network that it names are written."""

    def __init__(self, folder: Path, model: Network, stem: str, record: Mapping[str, Any], domain: str) -> None:
        from exactrelu.result_folder import ResultFolder

        self._model = model
        self._files = ResultFolder(folder, model, stem)
        self._last = "output" if record["through"] is None else str(record["through"])
        through = "" if record["through"] is None else f"-through{self._last}"
        self._name = f"regions{through}{'-slice' if record['slice'] is not None else ''}"
        self._domain = domain

    def certify(self, found: RegionComplex, domain: Domain) -> dict[str, str | None]:
        """The path of the certificate, written, or why there is none."""
        from exactrelu.regions.evidence import regions_certificate

        path = self._files.path(self._name, self._domain, ".certificate")
        try:
            made = regions_certificate(self._model, found, domain)
            named = self._files.named(self._model.layer_through(self._last), through=True)
            if (made.network, made.last) != (named.sha256, named.number):
                raise InvalidRequestError("the layers up to this one are no network that a certificate can name")
            made.save(path)
        except InvalidRequestError as error:
            return {"certificate": None, "uncertified": str(error)}
        return {"certificate": str(path), "uncertified": None}

    def write(self, result: Mapping[str, Any]) -> str:
        """Write the JSON object; its path."""
        return self._files.results(result, self._files.path(self._name, self._domain, ".json").name)


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


def _check_files(graph: Path | None, plot: Path | None, model: Network, plane: AffineSlice | None) -> None:
    """Refuse what cannot be written before any region is looked for."""
    from exactrelu.regions.graph import check_suffix
    from exactrelu.regions.plot import check_suffix as check_plot

    if graph is not None:
        check_suffix(graph)
    if plot is not None:
        check_plot(plot)
        dimension = model.inputs if plane is None else len(plane.directions)
        if dimension != 2:
            there_are = f"the network has {dimension} inputs" if plane is None else f"the slice has dimension {dimension}"
            raise InvalidRequestError(
                f"a plot shows two dimensions, but {there_are}; give three points with --slice FILE, or leave --plot out"
            )
    for file in (graph, plot):
        if file is not None and not file.parent.is_dir():
            raise InvalidRequestError(f"{file} cannot be written: there is no folder {file.parent}; make it, or choose another")


def _too_large(model: Network, plane: AffineSlice | None) -> InvalidRequestError:
    if plane is None:
        return InvalidRequestError(
            f"the regions of this network lie in up to {model.inputs} dimensions, too many to list them; "
            "give --slice FILE with three points, for the regions in the plane through them"
        )
    return InvalidRequestError(
        f"the slice has {len(plane.directions)} dimensions, too many to list regions; give fewer points, three for a plane (--rows A:B)"
    )
