"""`exactrelu float-gap`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from exactrelu.commands.options import HOLDS, UNDECIDED, Json, Model, Quiet, Rows, Scale, exact_scale, one_thread
from exactrelu.console import progress


def float_gap(
    network: Model,
    /,
    *,
    input: Annotated[str, Parameter(help="Inputs of the network: .npy, .npz (array x, else the only one) or .csv.")],
    rows: Rows = None,
    scale: Scale = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Bound how far a float32 evaluation of the network is from the exact one, and show what onnxruntime computes.

    The bound is proved for every order of summation, with or without fused multiply-add. A class is proved where the margin of the
    largest output exceeds the bounds of the two outputs.
    """
    factor = exact_scale(scale)
    one_thread()
    from exactrelu.float_gap import FloatGapModel, gap_report
    from exactrelu.network.readers import load
    from exactrelu.points import read_points
    from exactrelu.results import Envelope, describe_data, json_text, printable, speaks_of

    envelope = Envelope("float-gap")
    path = Path(network)
    model = load(path)
    points = read_points(input, shape=model.input_shape, inputs=model.inputs, scale=factor, rows=rows)
    prepared = FloatGapModel(model, path)
    records = []
    with progress(len(points.rows), quiet=quiet) as advance:
        for row, x in zip(points.indices, points.rows, strict=True):
            records.append(prepared(x).record(row))
            advance()
    if json:
        data = describe_data(Path(input), points, "input", model.input_shape)
        print(json_text(envelope.around(path, model, prepared.assumes, data=data, results=records)))
    else:
        print("\n\n".join([gap_report(records), *map(printable, prepared.assumes), speaks_of(path, model)]))
    return UNDECIDED if any(record["bound"] is None for record in records) else HOLDS
