"""`exactrelu injectivity`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from exactrelu.commands.options import HOLDS, REFUTED, UNDECIDED, Json, Model, Quiet, Scale, exact_scale, notes_of, one_thread
from exactrelu.console import remark
from exactrelu.errors import InvalidRequestError

# Without a time limit, margins that are not known by then are given as far as they are.
MARGIN_SECONDS = 60.0

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.answer import LayerInjectivity
    from exactrelu.injectivity.cases.resume import State
    from exactrelu.injectivity.margins import Margins
    from exactrelu.network.model import Network, SourceLayer
    from exactrelu.result_folder import Named


def injectivity(
    network: Model,
    /,
    *,
    layer: Annotated[str | None, Parameter(help="Number or name of a layer, to ask about it alone.")] = None,
    through: Annotated[
        str | None, Parameter(help="Ask about the network from its input through this layer; output, the default, is the whole network.")
    ] = None,
    domain: Annotated[
        str,
        Parameter(
            help="all (default), orthant, box:LO,HI, box:FILE.npz, ball:R or polytope:FILE.json, of the inputs of what is asked about; or, "
            "for one layer, image:D, what the layers before make of a domain D of the network, as intervals."
        ),
    ] = "all",
    points: Annotated[str | None, Parameter(help="Inputs of what is asked about, near which a collision is looked for.")] = None,
    scale: Scale = None,
    projection: Annotated[
        str | None,
        Parameter(help="Not of one layer: ask about B f(x), B a matrix (.npy or .npz), or K for one with K drawn Gaussian rows."),
    ] = None,
    margins: Annotated[
        bool,
        Parameter(
            help="Of one layer: also how far the biases may be lowered, a bound on the inverse's Lipschitz constant, and with --points the "
            "largest box around them."
        ),
    ] = False,
    store: Annotated[
        Path | None, Parameter(help="Not of one layer: a file that keeps what is found, so that a run can be stopped and goes on.")
    ] = None,
    out: Annotated[
        Path | None, Parameter(help="Folder for certificates, the result, and what an undecided run about one layer goes on from.")
    ] = None,
    time_limit: Annotated[float | None, Parameter(help="Seconds after which the answer is undecided.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Decide whether two different inputs of a layer, or of the network, have the same output: a proof that none have, or such a pair.

    Exit code 0: injective, 1: not injective, 3: undecided; the same command, with the same --out about a layer and the same --store about
    a network, then goes on where it stopped.
    """
    begin = time.monotonic()
    if layer is not None and through is not None:
        raise InvalidRequestError("--layer asks about one layer alone, --through about the network up to one; leave one of them out")
    if layer is not None and projection is not None:
        raise InvalidRequestError("--projection is of a network's outputs; leave --layer out, or name the last layer with --through")
    if layer is not None and store is not None:
        raise InvalidRequestError("--store is for a network; leave it out: with --layer the folder of --out keeps what a run proved")
    if layer is None and margins:
        raise InvalidRequestError("--margins are those of one layer; name it with --layer, or leave them out")
    if time_limit is not None and not time_limit > 0:
        raise InvalidRequestError("--time-limit must be above 0")
    factor = exact_scale(scale)
    one_thread()
    from exactrelu.injectivity.collisions.float32_pair import float32_pair
    from exactrelu.interval_image import IMAGE_NOTE, domain_for
    from exactrelu.network.readers import load
    from exactrelu.points import read_points
    from exactrelu.result_folder import PARTIAL, ResultFolder
    from exactrelu.results import Envelope, assumptions, layer_records, printable, speaks_of

    envelope = Envelope("injectivity", domain=domain)
    path = Path(network)
    model = load(path)
    if layer is None:
        from exactrelu.commands.injectivity_network import answer

        result, where = answer(
            envelope,
            path,
            model,
            through=through or "output",
            domain=domain,
            points=points,
            scale=factor,
            out=out,
            time_limit=time_limit,
            projection=projection,
            store=store,
            quiet=quiet,
        )
        return _said(result, f"the network{_up_to(result)}", model.inputs, where, [speaks_of(path, model)], out, json=json)
    source = model.layer(layer)
    within = domain_for(domain, model, source)
    near = () if points is None else read_points(points, shape=_shape(model, source), inputs=source.inputs, scale=factor).rows
    folder = None if out is None else ResultFolder(out, model, path.stem)
    name = f"injectivity-layer{source.number}"
    partial = None if folder is None else folder.path(name, domain, PARTIAL)
    found = _decide(model, source, within, near, time_limit, partial, quiet=quiet)
    record, more = found.record(), None
    if margins:
        more = _margins(source, within, found, near, begin + (time_limit or MARGIN_SECONDS))
        record |= more.record()
    if found.collision is not None:
        record["float32"] = float32_pair(model, source, found.collision, within, path).record()
    notes = [*notes_of(model, [source]), *([IMAGE_NOTE] if domain.startswith("image:") else [])]
    rests_on = [*assumptions(certified=folder is not None), *notes]
    result = envelope.around(path, model, rests_on, layers=layer_records(model, [source]), **record)
    where = None
    if folder is not None:
        named = folder.named(source)
        text = _certificate(found, named, within)
        where, result["certificate"] = folder.answer(name, domain, result, text, _certificates(more, named))
    about = f"layer {source.number} ({printable(source.name)}), {source.inputs} inputs, {source.outputs} outputs"
    return _said(result, about, source.inputs, where, [*map(printable, notes), speaks_of(path, model)], out, json=json)


def _said(
    result: Mapping[str, Any], about: str, inputs: int, where: str | None, closing: Sequence[str], out: Path | None, *, json: bool
) -> int:
    """Print the answer; the exit code."""
    from exactrelu.results import json_text
    from exactrelu.tables import injectivity_report

    if json:
        print(json_text(result))
    else:
        print("\n\n".join([injectivity_report(about, inputs, result), *closing]))
        if where:
            certified = result["certificate"] is not None
            print(f"Certificate and result: {where}; check it with: exactrelu check {out}" if certified else f"Result: {where}")
    return {"injective": HOLDS, "not-injective": REFUTED}.get(result["verdict"], UNDECIDED)


def _up_to(result: Mapping[str, Any]) -> str:
    projected = "" if result["projection"] is None else f" and the projection {result['projection']}"
    return ("" if result["through"] is None else f" through layer {result['through']}") + projected


def _certificate(found: LayerInjectivity, named: Named, domain: Domain) -> str | None:
    if not found.is_certified:
        return None
    return found.certificate(network_sha256=named.sha256, layer_number=named.number, domain=domain).text()


def _certificates(more: Margins | None, named: Named) -> dict[str, str]:
    return {} if more is None else more.certificates(network_sha256=named.sha256, layer_number=named.number)


def _shape(model: Network, source: SourceLayer) -> tuple[int, ...]:
    """The shape of one point: the model's own where the layer takes the network's input."""
    return model.input_shape if source.depth == 0 and source.select is None else (source.inputs,)


def _decide(
    model: Network,
    source: SourceLayer,
    domain: Domain,
    points: Sequence[RationalVector],
    time_limit: float | None,
    partial: Path | None,
    *,
    quiet: bool,
) -> LayerInjectivity:
    """The answer, going on from what an earlier run left in the file `partial`; what this one leaves undone is written there."""
    from exactrelu.injectivity import injectivity as decide
    from exactrelu.injectivity.cases.resume import InterruptedSearch

    state = None if partial is None else _kept_state(partial, source, domain, quiet=quiet)
    try:
        found = decide(model, layer=source.number, domain=domain, points=points, seconds=time_limit, resume=state)
    except InterruptedSearch as stopped:
        _keep(partial, stopped.progress.state)
        raise
    if partial is not None and found.verdict != "undecided":
        partial.unlink(missing_ok=True)
    _keep(partial, None if found.progress is None else found.progress.state)
    return found


def _kept_state(partial: Path, source: SourceLayer, domain: Domain, *, quiet: bool) -> State | None:
    """What an earlier run of the same question left; None where there is nothing, or another question's."""
    from exactrelu.injectivity.cases.resume import question_sha256
    from exactrelu.injectivity.cases.state_file import read_state

    if not partial.exists():
        return None
    state = read_state(partial)
    stages = source.essential_stages
    if len(stages) > 1 or state.question != question_sha256(stages[0], domain):
        return None
    if not quiet:
        remark(f"going on from {partial}, after {state.seconds:.3g} seconds")
    return state


def _keep(partial: Path | None, state: State | None) -> None:
    from exactrelu.injectivity.cases.state_file import write_state

    if partial is not None and state is not None:
        write_state(partial, state)
        remark("what was proved so far is kept: the same command goes on from there")


def _margins(source: SourceLayer, domain: Domain, found: LayerInjectivity, points: Sequence[RationalVector], deadline: float) -> Margins:
    from exactrelu.injectivity.margins import margins

    stages = source.essential_stages
    if len(stages) > 1:
        raise InvalidRequestError("--margins is for a layer of one affine map with relu; this one has several stages, so leave it out")
    return margins(stages[0], domain, found, points=points, deadline=deadline)
