"""`exactrelu stability`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from exactrelu.commands.options import HOLDS, UNDECIDED, Json, Model, Quiet, Rows, Scale, exact_scale, notes_of
from exactrelu.console import finished
from exactrelu.errors import ExactReluError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from fractions import Fraction

    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Network
    from exactrelu.points import Points
    from exactrelu.stability import StabilityModel


def stability(
    network: Model,
    /,
    *,
    input: Annotated[str, Parameter(help="Inputs of the network: .npy, .npz (array x, else the only one) or .csv.")],
    layer: Annotated[str | None, Parameter(help="Number or name of a layer, to ask about it alone.")] = None,
    through: Annotated[
        str | None, Parameter(help="Ask about the network from its input through this layer; by default through every layer in its turn.")
    ] = None,
    rows: Rows = None,
    scale: Scale = None,
    below: Annotated[str | None, Parameter(help="Count the singular values below these numbers: T or T,T,.., decimals or p/q.")] = None,
    before: Annotated[bool, Parameter(help="Also without each layer's relu, which may take as long again; --plot asks for it.")] = False,
    neighbours: Annotated[
        bool, Parameter(help="Also just beyond the nearest wall of each region, in the neighbouring one; takes as long again.")
    ] = False,
    sharp: Annotated[bool, Parameter(help="Narrower bounds, by products of integers: about six times as long.")] = False,
    device: Annotated[str, Parameter(help="Where floats compute singular values: cpu (default) or cuda.")] = "cpu",
    dtype: Annotated[Literal["float64", "float32"], Parameter(help="In what they do; bounds are proved in float64.")] = "float64",
    symbolic: Annotated[
        bool, Parameter(help="Also the affine map and its exact singular values as LaTeX, of networks that fit on a page; needs SymPy.")
    ] = False,
    inverse_bound: Annotated[
        bool, Parameter(help="With --layer: also decide whether the layer is injective, and bound its inverse on all inputs.")
    ] = False,
    plot: Annotated[
        Path | None, Parameter(help="Draw singular values before and after the relu, over depth, and against the rank: FILE.svg.")
    ] = None,
    directions: Annotated[
        Path | None, Parameter(help="Draw the input directions, of the first input, that each layer stretches most and least: FILE.svg.")
    ] = None,
    workers: Annotated[int, Parameter(help="Processes on this machine, 1 by default.")] = 1,
    out: Annotated[Path | None, Parameter(help="Folder for the result.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Singular values of the linearisation at each input, every one with proved bounds, and the exact rank beside the numerical one.

    Exit code 0: every rank is decided, 3: that of a large matrix is left open; its bounds are given.
    """
    if inverse_bound and layer is None:
        raise InvalidRequestError("--inverse-bound is about one layer; name it with --layer")
    factor = exact_scale(scale)
    thresholds = _thresholds(below)
    from exactrelu.network.readers import load
    from exactrelu.points import read_points
    from exactrelu.result_folder import ResultFolder
    from exactrelu.results import Envelope, assumptions, describe_data, json_text, layer_records, printable, speaks_of
    from exactrelu.stability import ROUNDING_NOTE, StabilityModel
    from exactrelu.tables import stability_report

    envelope = Envelope("stability", domain="all")
    path = Path(network)
    model = load(path)
    _check_drawings(plot, directions, model.input_shape)
    options: dict[str, Any] = {
        "layer": layer,
        "through": through,
        "before": before or plot is not None,
        "neighbours": neighbours,
        "below": thresholds,
        "sharp": sharp,
        "removed": 10,
        "symbolic": symbolic,
        "device": device,
        "dtype": dtype,
    }
    asked = StabilityModel(model, **options)
    points = read_points(input, shape=model.input_shape, inputs=model.inputs, scale=factor, rows=rows)
    data = describe_data(Path(input), points, "input", model.input_shape)
    folder = None if out is None else ResultFolder(out, model, path.stem, data)
    begun = _records(model, options, points, workers, directions=directions is not None)
    records, stopped = finished(begun, len(points.rows) * len(asked.sources), quiet=quiet)
    if isinstance(stopped, ExactReluError):
        raise stopped
    about = [*assumptions(certified=True)[:1], ROUNDING_NOTE, *notes_of(model, asked.sources)]
    result = envelope.around(path, model, about, data=data, layers=layer_records(model, asked.sources), results=records)
    if inverse_bound:
        result["inverse"] = _inverse(asked)
    written = None if folder is None else folder.results(result, stem="stability")
    if records:
        _draw(records, plot, directions, model.input_shape)
    if json:
        print(json_text(result))
    else:
        print("\n\n".join([stability_report(records), *map(printable, about[1:]), speaks_of(path, model)]))
        if inverse_bound:
            verdict, bound = result["inverse"].values()
            inverse = "" if bound is None else f"; two inputs are at most {bound} times as far apart as their outputs"
            print(f"The layer is {verdict} on all inputs{inverse}")
        places = (("Plot", plot), ("Directions", directions), ("Result", written))
        print("".join(f"{what}: {printable(where)}\n" for what, where in places if where is not None), end="")
    if stopped is not None:
        raise stopped
    return UNDECIDED if any(record["rank"] is None for record in records) else HOLDS


def _check_drawings(plot: Path | None, directions: Path | None, shape: tuple[int, ...]) -> None:
    """Refuse before anything is computed what could not be drawn afterwards."""
    from exactrelu.stability.plot import check_plot, image_shape

    for drawing in (plot, directions):
        if drawing is not None:
            check_plot(drawing)
    if directions is not None:
        image_shape(shape)


def _draw(records: Sequence[Mapping[str, Any]], plot: Path | None, directions: Path | None, shape: tuple[int, ...]) -> None:
    from exactrelu.stability.plot import save_directions, save_plot

    if plot is not None:
        save_plot(records, plot)
    if directions is not None:
        save_directions(records, shape, directions)


def _inverse(asked: StabilityModel) -> dict[str, Any]:
    from exactrelu.stability.inverse import inverse_bound

    return inverse_bound(asked.network, asked.sources[0].number).record()


def _records(
    model: Network, options: Mapping[str, Any], points: Points, workers: int, *, directions: bool
) -> Generator[dict[str, Any], None, None]:
    """The objects of `results`; directions: of the first input, also the directions."""
    from exactrelu.parallel import in_order, prepared_executor

    asked = ((row, x, directions and not place) for place, (row, x) in enumerate(zip(points.indices, points.rows, strict=True)))
    with prepared_executor(_prepared, model, options, workers=min(workers, max(1, len(points.rows)))) as executor:
        for several in in_order(executor, _at, asked, ahead=executor.ahead):
            yield from several


def _prepared(model: Network, options: Mapping[str, Any]) -> StabilityModel:
    from exactrelu.stability import StabilityModel

    return StabilityModel(model, **options)


def _at(asked: StabilityModel, row: tuple[int, RationalVector, bool]) -> list[dict[str, Any]]:
    """The objects of one input."""
    index, x, directions = row
    return [found.record(directions=directions) for found in asked.at(x, index)]


def _thresholds(text: str | None) -> list[Fraction]:
    from exactrelu.exact.rational import parse_rational

    found = [] if text is None else [parse_rational(part) for part in text.split(",")]
    if any(threshold < 0 for threshold in found):
        raise InvalidRequestError("--below counts singular values below numbers that are not negative")
    return found
