"""The command line: parse, call, print, exit code (0 holds, 1 refuted, 2 wrong request or file, 3 undecided, 130 interrupted).

Results go to stdout, progress and errors to stderr; an error is one line. Heavy modules are loaded by the command that
needs them, so that `--help` is quick.
"""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from exactrelu import __version__
from exactrelu.console import finished, one_line, progress, remark
from exactrelu.errors import ExactReluError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from exactrelu.network.model import Network, SourceLayer


HOLDS, REFUTED, WRONG, UNDECIDED, INTERRUPTED = 0, 1, 2, 3, 130
BROKEN_PIPE = 141
CHECKED_SHOWN = 20
NOT_COMPARED = "The networks' integers were not compared with a model; --against MODEL does that."

Json = Annotated[bool, Parameter(help="Print one JSON object and nothing else on stdout.")]
Quiet = Annotated[bool, Parameter(help="No progress bar and no remarks on stderr.")]
Model = Annotated[str, Parameter(name="NETWORK", help="A model: .onnx, .pt2, .nnet or .safetensors.")]
File = Annotated[str | None, Parameter(help="Points: .npy, .npz (array x, else the only one) or .csv.")]


def build() -> App:
    """The command line as a cyclopts application."""
    app = App(
        name="exactrelu",
        help="Exact, certified answers about trained ReLU networks.",
        version=__version__,
        default_parameter=Parameter(negative=(), show_default=False),
        help_format="plaintext",
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for command in (info, preimage, injectivity, float_gap, check, report, demo):
        app.command(command)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; never raises for bad input."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file name need not be text that the terminal's encoding has.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = build()(arguments, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        return _refuse(f"{one_line(error)} (exactrelu --help and exactrelu COMMAND --help list what there is)")
    except ExactReluError as error:
        return _refuse(one_line(error))
    except BrokenPipeError:
        # The reader of stdout went away; what Python would still flush at exit must not raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        remark("interrupted")
        return INTERRUPTED
    except OSError as error:
        return _refuse(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}; check the path and the disk")
    except MemoryError:
        return _refuse("out of memory; ask about fewer --rows or use fewer --workers")
    return code if isinstance(code, int) else HOLDS


def info(network: Model, /, *, json: Json = False, quiet: Quiet = False) -> int:  # noqa: ARG001
    """List the layers of a network."""
    from exactrelu.network.readers import load
    from exactrelu.results import Envelope, info_table, json_text, layer_records, printable, speaks_of

    envelope = Envelope("info")
    path = Path(network)
    model = load(path)
    if json:
        print(json_text(envelope.around(path, model, [], layers=layer_records(model))))
    else:
        print(f"{printable(path)}: {model.inputs} inputs, {model.outputs} outputs\n\n{info_table(model)}\n\n{speaks_of(path, model)}")
    return HOLDS


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
    rows: Annotated[str | None, Parameter(help="Rows of the file: A:B, from A up to but not with B.")] = None,
    scale: Annotated[str | None, Parameter(help="Multiply the points exactly by P/Q, such as 1/255.")] = None,
    max_points: Annotated[int, Parameter(help="How many points of a pre-image to give, 1 by default.")] = 1,
    out: Annotated[Path | None, Parameter(help="Folder for certificates and results.json.")] = None,
    rational: Annotated[bool, Parameter(help="Certificates with exact rational multipliers and points.")] = False,
    workers: Annotated[int, Parameter(help="Processes on this machine, 1 by default.")] = 1,
    scheduler: Annotated[str | None, Parameter(show=False)] = None,
    time_limit: Annotated[float | None, Parameter(help="Seconds after which no further row is begun.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Decide which inputs of a layer, or of the network, have the same output: none, one, a bounded or an unbounded set.

    The output is given by one of --input (of the network), --layer-input (of the layer) and --output (of what is asked about).
    """
    begin = time.time()
    _refuse_later(scheduler=scheduler)
    composed = through is not None
    subject, file = _given(input=input, layer_input=layer_input, output=output)
    if composed and (layer is not None or subject == "layer-input"):
        raise InvalidRequestError("--through asks about the network from its input on; leave --layer and --layer-input out")
    if workers < 1 or max_points < 0 or (time_limit is not None and not time_limit > 0):
        raise InvalidRequestError(
            "--workers must be at least 1, --max-points at least 0 and --time-limit above 0; change the one that is not"
        )
    factor = _scale(scale)
    _one_thread()
    from exactrelu.batch import Asked, Question, records
    from exactrelu.domain import parse_domain
    from exactrelu.network.readers import load
    from exactrelu.points import read_points
    from exactrelu.results import (
        Envelope,
        ResultFolder,
        assumptions,
        describe_data,
        json_text,
        layer_records,
        preimage_report,
        printable,
        speaks_of,
    )

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
    found, stopped = finished(records(question, points, workers=workers, folder=folder), asked, quiet=quiet)
    asked_about = {"layers": layer_records(model, layers), "data": data}
    notes = _set_aside(model, layers)
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


def injectivity(
    network: Model,
    /,
    *,
    layer: Annotated[str | None, Parameter(help="Number or name of a layer.")] = None,
    through: Annotated[str | None, Parameter(show=False)] = None,
    domain: Annotated[str, Parameter(help="all (default), orthant, box:LO,HI, box:FILE.npz or polytope:FILE.json.")] = "all",
    points: Annotated[str | None, Parameter(help="Inputs of the layer near which a collision is looked for.")] = None,
    scale: Annotated[str | None, Parameter(help="Multiply the points exactly by P/Q, such as 1/255.")] = None,
    out: Annotated[Path | None, Parameter(help="Folder for the certificate and the result.")] = None,
    time_limit: Annotated[float | None, Parameter(help="Seconds after which the answer is undecided.")] = None,
    json: Json = False,
    quiet: Quiet = False,  # noqa: ARG001
) -> int:
    """Decide whether two different inputs of a layer have the same output: a proof that none have, or such a pair.

    Exit code 0: injective, 1: not injective, 3: undecided.
    """
    _refuse_later(through=through)
    if time_limit is not None and not time_limit > 0:
        raise InvalidRequestError("--time-limit must be above 0")
    factor = _scale(scale)
    _one_thread()
    from exactrelu.domain import parse_domain
    from exactrelu.injectivity import injectivity as decide
    from exactrelu.network.readers import load
    from exactrelu.points import read_points
    from exactrelu.results import Envelope, ResultFolder, assumptions, injectivity_report, json_text, layer_records, printable, speaks_of

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
    notes = _set_aside(model, [source])
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


def float_gap(
    network: Model,
    /,
    *,
    input: Annotated[str, Parameter(help="Inputs of the network: .npy, .npz (array x, else the only one) or .csv.")],
    rows: Annotated[str | None, Parameter(help="Rows of the file: A:B, from A up to but not with B.")] = None,
    scale: Annotated[str | None, Parameter(help="Multiply the points exactly by P/Q, such as 1/255.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Bound how far a float32 evaluation of the network is from the exact one, and show what onnxruntime computes.

    The bound is proved for every order of summation, with or without fused multiply-add. A class is proved where the margin of the
    largest output exceeds the bounds of the two outputs.
    """
    factor = _scale(scale)
    _one_thread()
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


def check(
    paths: Annotated[list[str], Parameter(name="PATH", help="Certificates, or folders of them.")],
    /,
    *,
    against: Annotated[str | None, Parameter(help="Derive the network's integers again from this model and compare.")] = None,
    checker: Annotated[
        Literal["fast", "stdlib", "both"], Parameter(help="Which checker: fast (default), stdlib, or both, which must agree.")
    ] = "fast",
    json: Json = False,
    quiet: Quiet = False,  # noqa: ARG001
) -> int:
    """Check certificates without trusting the program that found them.

    `python -m exactrelu.check PATH...` does the same with Python's standard library alone.
    """
    _one_thread()
    from exactrelu.checking import check_with
    from exactrelu.results import Envelope, json_text, printable

    envelope = Envelope("check")
    model = None
    if against is not None:
        from exactrelu.network.readers import load

        model = load(against)
    names = ("fast", "stdlib") if checker == "both" else (checker,)
    report = check_with(names, paths, model)
    valid = sum(result.valid for result in report.results)
    compared = NOT_COMPARED if against is None else f"The networks' integers were derived again from {against}."
    if json:
        results = [
            {"file": result.file, "valid": result.valid, "claim": result.claim, "reason": result.reason} for result in report.results
        ]
        answer = {"results": results, "ignored": list(report.ignored), "problems": list(report.problems), "checkers": list(names)}
        path = None if against is None else Path(against)
        print(json_text(envelope.around(path, model, [compared] if against is None else [], **answer)))
    else:
        for result in report.results:
            if not result.valid or len(report.results) <= CHECKED_SHOWN:
                said = result.claim if result.valid else result.reason
                print(f"{'valid  ' if result.valid else 'INVALID'}  {printable(result.file)}: {printable(said)}")
        if report.ignored:
            print(f"ignored: {len(report.ignored)} other files")
        print(f"{valid} of {len(report.results)} certificates are valid (checker: {' and '.join(names)}). {compared}")
    if report.problems:
        more = len(report.problems) - 1
        return _refuse(report.problems[0] + (f" (and {more} more)" if more else ""))
    return report.exit_code


def report(
    folder: Annotated[Path, Parameter(name="FOLDER", help="A folder that --out wrote, or one that holds several of these.")],
    /,
    *,
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="Where to write it, .html or .md; FOLDER/report.html by default.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,  # noqa: ARG001
) -> int:
    """Write a report on results: one HTML page that needs nothing beside it, or Markdown.

    It reads every results*.json of the folder and of its subfolders; R^n and a box then stand side by side.
    """
    from exactrelu.report import report as write_report
    from exactrelu.results import Envelope, json_text, printable

    envelope = Envelope("report")
    path, results = write_report(folder, output)
    verdicts = sum(len(answers.verdicts) for answers in results.answers)
    size = path.stat().st_size
    if json:
        answer = envelope.around(None, None, results.assumes, report=str(path), bytes=size, verdicts=verdicts)
        print(json_text({**answer, "network": dict(results.network)}))
    else:
        print(f"{printable(path)}: {verdicts} verdict{'s' * (verdicts != 1)}, {size / 1000:.0f} KB")
    return HOLDS


def demo(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="Folder for the certificates, ./exactrelu-demo by default.")] = Path(
        "exactrelu-demo"
    ),
    quiet: Quiet = False,
) -> int:
    """Run the main job on the network and the images that the package ships, check every certificate, write a report."""
    _one_thread()
    from exactrelu.demo import run

    with progress(None, quiet=quiet) as advance:
        return run(output, advance)


def _one_thread() -> None:
    """Before NumPy is loaded; see `limit_blas_threads`."""
    from exactrelu.parallel import limit_blas_threads

    limit_blas_threads()


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


def _set_aside(model: Network, layers: Sequence[SourceLayer]) -> list[str]:
    """What is said of activations that were set aside, where the network's own assumptions do not say it."""
    return [one.set_aside.note for one in layers if one.set_aside is not None and one.set_aside.note not in model.assumes]


def _scale(text: str | None) -> Fraction | None:
    if text is None:
        return None
    from exactrelu.exact.rational import parse_rational

    scale = parse_rational(text)
    if scale <= 0:
        raise InvalidRequestError("--scale must be above 0; write P/Q, such as 1/255")
    return scale


def _refuse_later(**options: str | None) -> None:
    for name, value in options.items():
        if value is not None:
            raise InvalidRequestError(f"--{name} is not available yet; ask about layers on their own, on this machine")


def _refuse(message: str) -> int:
    remark(f"exactrelu: {''.join(letter if letter.isprintable() else '?' for letter in message)}")
    return WRONG
