"""`exactrelu check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from exactrelu.commands.options import Json, Quiet, one_thread, refuse

CHECKED_SHOWN = 20
NOT_COMPARED = "The networks' integers were not compared with a model; --against MODEL does that."


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
    one_thread()
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
        return refuse(report.problems[0] + (f" (and {more} more)" if more else ""))
    return report.exit_code
