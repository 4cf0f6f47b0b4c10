"""`exactrelu injectivity`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from exactrelu.commands.options import HOLDS, REFUTED, UNDECIDED, Json, Model, Quiet, Scale, exact_scale, notes_of, one_thread, refuse_later
from exactrelu.errors import InvalidRequestError


def injectivity(
    network: Model,
    /,
    *,
    layer: Annotated[str | None, Parameter(help="Number or name of a layer.")] = None,
    through: Annotated[str | None, Parameter(show=False)] = None,
    domain: Annotated[str, Parameter(help="all (default), orthant, box:LO,HI, box:FILE.npz or polytope:FILE.json.")] = "all",
    points: Annotated[str | None, Parameter(help="Inputs of the layer near which a collision is looked for.")] = None,
    scale: Scale = None,
    out: Annotated[Path | None, Parameter(help="Folder for the certificate and the result.")] = None,
    time_limit: Annotated[float | None, Parameter(help="Seconds after which the answer is undecided.")] = None,
    json: Json = False,
    quiet: Quiet = False,  # noqa: ARG001
) -> int:
    """Decide whether two different inputs of a layer have the same output: a proof that none have, or such a pair.

    Exit code 0: injective, 1: not injective, 3: undecided.
    """
    refuse_later(through=through)
    if time_limit is not None and not time_limit > 0:
        raise InvalidRequestError("--time-limit must be above 0")
    factor = exact_scale(scale)
    one_thread()
    from exactrelu.domain import parse_domain
    from exactrelu.injectivity import injectivity as decide
    from exactrelu.network.readers import load
    from exactrelu.points import read_points
    from exactrelu.result_folder import ResultFolder
    from exactrelu.results import Envelope, assumptions, json_text, layer_records, printable, speaks_of
    from exactrelu.tables import injectivity_report

    envelope = Envelope("injectivity", domain=domain)
    path = Path(network)
    model = load(path)
    if layer is None:
        count = len(model.source_layers)
        raise InvalidRequestError(f"injectivity of a whole network is not available yet; name a layer with --layer, 1 to {count}")
    source = model.layer(layer)
    within = parse_domain(domain, source.inputs)
    near = () if points is None else read_points(points, shape=(source.inputs,), inputs=source.inputs, scale=factor).rows
    folder = None if out is None else ResultFolder(out, model, path.stem)
    found = decide(model, layer=source.number, domain=within, points=near, seconds=time_limit)
    notes = notes_of(model, [source])
    about = [*assumptions(certified=folder is not None), *notes]
    result = envelope.around(path, model, about, layers=layer_records(model, [source]), **found.record())
    where = None
    if folder is not None:
        named, text = folder.named(source), None
        if found.verdict != "undecided":
            text = found.certificate(network_sha256=named.sha256, layer_number=named.number, domain=within).text()
        where, result["certificate"] = folder.answer(f"injectivity-layer{source.number}", domain, result, text)
    if json:
        print(json_text(result))
    else:
        print("\n\n".join([injectivity_report(source, result), *map(printable, notes), speaks_of(path, model)]))
        if where:
            print(f"Certificate and result: {where}; check it with: exactrelu check {out}")
    return {"injective": HOLDS, "not-injective": REFUTED}.get(found.verdict, UNDECIDED)
