"""`exactrelu info`."""

from __future__ import annotations

from pathlib import Path

from exactrelu.commands.options import HOLDS, Json, Model, Quiet


def info(network: Model, /, *, json: Json = False, quiet: Quiet = False) -> int:  # noqa: ARG001
    """List the layers of a network."""
    from exactrelu.network.readers import load
    from exactrelu.results import Envelope, json_text, layer_records, printable, speaks_of
    from exactrelu.tables import info_table

    envelope = Envelope("info")
    path = Path(network)
    model = load(path)
    if json:
        print(json_text(envelope.around(path, model, [], layers=layer_records(model))))
    else:
        print(f"{printable(path)}: {model.inputs} inputs, {model.outputs} outputs\n\n{info_table(model)}\n\n{speaks_of(path, model)}")
    return HOLDS
