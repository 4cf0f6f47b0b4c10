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
    from exactrelu.stability import LayerStability, StabilityModel


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
    inverse_bound: Annotated[
        bool, Parameter(help="With --layer: also decide whether the layer is injective, and bound its inverse on all inputs.")
    ] = False,
    plot: Annotated[
        Path | None, Parameter(help="Draw singular values before and after the relu, over depth, and against the rank: FILE.svg.")
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
    from exactrelu.stability.plot import check_plot, save_plot

    envelope = Envelope("stability", domain="all")
    path = Path(network)
    model = load(path)
    if plot is not None:
        check_plot(plot)
    options: dict[str, Any] = {
        "layer": layer,
        "through": through,
        "before": before or plot is not None,
        "neighbours": neighbours,
        "below": thresholds,
        "sharp": sharp,
        "removed": 10,
        "device": device,
        "dtype": dtype,
    }
    asked = StabilityModel(model, **options)
    points = read_points(input, shape=model.input_shape, inputs=model.inputs, scale=factor, rows=rows)
    data = describe_data(Path(input), points, "input", model.input_shape)
    folder = None if out is None else ResultFolder(out, model, path.stem, data)
    answers: list[LayerStability] = []
    begun = _records(model, options, points, answers, workers)
    records, stopped = finished(begun, len(points.rows) * len(asked.sources), quiet=quiet)
    if isinstance(stopped, ExactReluError):
        raise stopped
    about = [*assumptions(certified=True)[:1], ROUNDING_NOTE, *notes_of(model, asked.sources)]
    result = envelope.around(path, model, about, data=data, layers=layer_records(model, asked.sources), results=records)
    if inverse_bound:
        result["inverse"] = _inverse(asked)
    if plot is not None and answers:
        save_plot(answers, plot)
    written = None if folder is None else folder.results(result, stem="stability")
    if json:
        print(json_text(result))
    else:
        print("\n\n".join([stability_report(records), *map(printable, about[1:]), speaks_of(path, model)]))
        if inverse_bound:
            verdict, bound = result["inverse"].values()
            inverse = "" if bound is None else f"; two inputs are at most {bound} times as far apart as their outputs"
            print(f"The layer is {verdict} on all inputs{inverse}")
        places = (("Plot", plot), ("Result", written))
        print("".join(f"{what}: {printable(where)}\n" for what, where in places if where is not None), end="")
    if stopped is not None:
        raise stopped
    return UNDECIDED if any(record["rank"] is None for record in records) else HOLDS


def _inverse(asked: StabilityModel) -> dict[str, Any]:
    from exactrelu.stability.inverse import inverse_bound

    return inverse_bound(asked.network, asked.sources[0].number).record()


def _records(
    model: Network, options: Mapping[str, Any], points: Points, answers: list[LayerStability], workers: int
) -> Generator[dict[str, Any], None, None]:
    from exactrelu.parallel import in_order, prepared_executor

    with prepared_executor(_prepared, model, options, workers=min(workers, max(1, len(points.rows)))) as executor:
        for several in in_order(executor, _at, zip(points.indices, points.rows, strict=True), ahead=executor.ahead):
            for found in several:
                answers.append(found)
                yield found.record()


def _prepared(model: Network, options: Mapping[str, Any]) -> StabilityModel:
    from exactrelu.stability import StabilityModel

    return StabilityModel(model, **options)


def _at(asked: StabilityModel, row: tuple[int, RationalVector]) -> list[LayerStability]:
    """The answers at one input; singular vectors stay behind."""
    index, x = row
    return [found.without_directions() for found in asked.at(x, index)]


def _thresholds(text: str | None) -> list[Fraction]:
    from exactrelu.exact.rational import parse_rational

    found = [] if text is None else [parse_rational(part) for part in text.split(",")]
    if any(threshold < 0 for threshold in found):
        raise InvalidRequestError("--below counts singular values below numbers that are not negative")
    return found


def stability_report(records: Sequence[Mapping[str, Any]]) -> str:
    """The first rows as a table, the disagreements, and what the columns say."""
    from exactrelu.decimals import decimal_text
    from exactrelu.exact.rational import parse_rational
    from exactrelu.tables import ROWS_SHOWN, table

    def short(bounds: Sequence[str | None] | None) -> str | None:
        """Both ends to four digits, or one number where these agree."""
        if bounds is None:
            return None
        low, high = (None if end is None else decimal_text(parse_rational(end)) for end in bounds)
        return low if low == high else f"{low} to {'infinity' if high is None else high}"

    header = ["row", "layer", "active", "rank", "float rank", "largest", "smallest", "condition", "to boundary", "seconds"]
    lines = [
        [
            record["row"],
            record["layer"],
            record["active"],
            record["rank"],
            record["numeric_rank"],
            short(record["sigma_max"]),
            short(record["sigma_min"]),
            short(record["condition"]),
            short(record["boundary"] and record["boundary"]["distance"]),
            f"{record['seconds']:.2f}",
        ]
        for record in records[:ROWS_SHOWN]
    ]
    parts = [table(header, lines)]
    if len(records) > len(lines):
        parts.append(f".. and {len(records) - len(lines)} more; --json or --out FOLDER give all")
    wrong = [record for record in records if record["agrees"] is False]
    parts.extend(
        f"row {record['row']}, layer {record['layer']}: floats report rank {record['numeric_rank']}, but it is {record['rank']}"
        for record in wrong[:ROWS_SHOWN]
    )
    parts.append(
        f"{len(records) - len(wrong)} of {len(records)} numerical ranks agree with the exact ones; singular values are rounded here, "
        "--json gives proved bounds of each"
    )
    return "\n".join(parts)
