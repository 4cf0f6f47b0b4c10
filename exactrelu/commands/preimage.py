"""`exactrelu preimage`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from exactrelu.commands.options import (
    HOLDS,
    INTERRUPTED,
    UNDECIDED,
    File,
    Json,
    Model,
    Quiet,
    Rows,
    Scale,
    exact_scale,
    notes_of,
    one_thread,
)
from exactrelu.console import finished, remark
from exactrelu.errors import ExactReluError, InvalidRequestError

if TYPE_CHECKING:
    from exactrelu.network.model import Network, SourceLayer


def preimage(
    network: Model,
    /,
    *,
    input: File = None,
    output: File = None,
    layer_input: File = None,
    layer: Annotated[str | None, Parameter(help="Number or name of a layer; without it every layer on its own.")] = None,
    through: Annotated[
        str | None, Parameter(help="Ask about the network from its input through this layer; output is the whole network.")
    ] = None,
    domain: Annotated[str, Parameter(help="all (default), orthant, box:LO,HI, box:FILE.npz or polytope:FILE.json.")] = "all",
    rows: Rows = None,
    scale: Scale = None,
    max_points: Annotated[int, Parameter(help="How many points of a pre-image to give, 1 by default.")] = 1,
    out: Annotated[Path | None, Parameter(help="Folder for certificates and results.json.")] = None,
    rational: Annotated[bool, Parameter(help="Certificates with exact rational multipliers and points.")] = False,
    workers: Annotated[int, Parameter(help="Processes on this machine, 1 by default.")] = 1,
    scheduler: Annotated[
        str | None, Parameter(help="Address of a running Dask scheduler, such as tcp://10.0.0.1:8786, whose workers decide the rows.")
    ] = None,
    time_limit: Annotated[float | None, Parameter(help="Seconds that all rows share; a row not decided in its share is undecided.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Decide which inputs of a layer, or of the network, have the same output: none, one, a bounded or an unbounded set.

    The output is given by one of --input (of the network), --layer-input (of the layer) and --output (of what is asked about).
    """
    begin = time.time()
    composed = through is not None
    subject, file = _given(input=input, layer_input=layer_input, output=output)
    if composed and (layer is not None or subject == "layer-input"):
        raise InvalidRequestError("--through asks about the network from its input on; leave --layer and --layer-input out")
    if workers < 1 or max_points < 0 or (time_limit is not None and not time_limit > 0):
        raise InvalidRequestError(
            "--workers must be at least 1, --max-points at least 0 and --time-limit above 0; change the one that is not"
        )
    factor = exact_scale(scale)
    one_thread()
    from exactrelu.batch import Asked, Question, records
    from exactrelu.domain import parse_domain
    from exactrelu.network.readers import load
    from exactrelu.points import read_points
    from exactrelu.result_folder import ResultFolder
    from exactrelu.results import Envelope, assumptions, describe_data, json_text, layer_records, printable, speaks_of
    from exactrelu.tables import preimage_report

    envelope = Envelope("preimage", domain=domain)
    path = Path(network)
    model = load(path)
    layers = _layers(model, layer, through)
    if subject != "input" and len(layers) > 1:
        raise InvalidRequestError(f"--{subject} belongs to one layer; name it with --layer, 1 to {len(layers)}")
    shapes = {"input": model.input_shape, "layer-input": (layers[0].inputs,), "output": (layers[0].outputs,)}
    lengths = {"input": model.inputs, "layer-input": layers[0].inputs, "output": layers[0].outputs}
    domains = [parse_domain(domain, model.inputs if composed else one.inputs) for one in layers]
    points = read_points(file, shape=shapes[subject], inputs=lengths[subject], scale=factor, rows=rows)
    data = describe_data(Path(file), points, subject, shapes[subject])
    folder = None if out is None else ResultFolder(out, model, path.stem, data)
    question = Question(
        network=model,
        asked=tuple(
            Asked(one, within, composed, None if folder is None else folder.named(one, through=composed))
            for one, within in zip(layers, domains, strict=True)
        ),
        subject=subject,
        rational=rational,
        most_solutions=max_points,
        deadline=None if time_limit is None else begin + time_limit,
    )

    asked = len(layers) * len(points.rows)
    answers = records(question, points, workers=workers, scheduler=scheduler, folder=folder)
    found, stopped = finished(answers, asked, quiet=quiet)
    if isinstance(stopped, ExactReluError) and not found:
        raise stopped
    asked_about = {"layers": layer_records(model, layers), "data": data}
    notes = notes_of(model, layers)
    result = envelope.around(path, model, [*assumptions(certified=folder is not None), *notes], **asked_about, results=found)
    where = None if folder is None else folder.results(result)
    if isinstance(stopped, ExactReluError):
        raise stopped
    if json:
        print(json_text(result))
    else:
        print("\n\n".join([preimage_report(model, found), *map(printable, notes), speaks_of(path, model)]))
        if where:
            print(f"Certificates and results: {where}; check them with: exactrelu check {out}")
    if stopped:
        remark(f"interrupted: {len(found)} of {asked} answers are finished{f' and kept in {out}' if where else ''}")
        return INTERRUPTED
    return UNDECIDED if any("reached" in record for record in found) else HOLDS


def _given(**files: str | None) -> tuple[str, str]:
    """The one file of points that was given: (what the points are, the file)."""
    given = [(name.replace("_", "-"), file) for name, file in files.items() if file is not None]
    if len(given) != 1:
        raise InvalidRequestError(f"give exactly one of --input, --layer-input and --output; {len(given)} were given")
    return given[0]


def _layers(model: Network, layer: str | None, through: str | None) -> tuple[SourceLayer, ...]:
    """The layers asked about one by one, or the one that ends what is asked about."""
    if through is not None:
        return (model.layer_through(through),)
    return model.source_layers if layer is None else (model.layer(layer),)
