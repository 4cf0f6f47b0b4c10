"""`exactrelu report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from exactrelu.commands.options import HOLDS, Json, Quiet


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

    It reads every results*.json, injectivity*.json, regions*.json and stability*.json of the folder and of its subfolders; R^n and a
    box then stand side by side.
    """
    from exactrelu.report import report as write_report
    from exactrelu.results import Envelope, json_text, printable

    envelope = Envelope("report")
    path, results = write_report(folder, output)
    verdicts = results.verdicts
    size = path.stat().st_size
    if json:
        answer = envelope.around(None, None, results.assumes, report=str(path), bytes=size, verdicts=verdicts)
        print(json_text({**answer, "network": dict(results.network)}))
    else:
        print(f"{printable(path)}: {verdicts} verdict{'s' * (verdicts != 1)}, {size / 1000:.0f} KB")
    return HOLDS
