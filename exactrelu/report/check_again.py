"""How a reader checks the verdicts of a report again: the certificates that are there, and what to type."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from exactrelu.report.words import counted, size_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exactrelu.report.reading import Results


def certificates_said(results: Results) -> str:
    """How many certificates there are, and of what size."""
    named = [verdict.certificate for answers in results.answers for verdict in answers.verdicts]
    named += [*(answer.certificate for answer in results.injectivity), *(answer.certificate for answer in results.regions)]
    sizes = [size for size in named if size is not None]
    there = [size for size in sizes if size >= 0]
    if not results.certifiable:
        return "Bounds of singular values have no certificates: run the command again to check them."
    if not sizes:
        return "No certificate was written: nobody else can check these verdicts. --out FOLDER writes one for each."
    said = f"{counted(len(there), 'certificate')} for {counted(results.certifiable, 'verdict')}"
    if there:
        said += f", {size_text(sum(there))} in all, the largest {size_text(max(there))}"
    if len(there) < len(sizes):
        said += f"; {len(sizes) - len(there):,} that the results name are no longer beside them"
    return f"{said}. This page looked only at their sizes: the commands check them."


def commands(results: Results) -> Iterator[tuple[str, str]]:
    """What to type, and what it does."""
    places = " ".join(map(shlex.quote, results.certificate_folders))
    if not places:
        return
    yield f"exactrelu check {places}", "every certificate, quickly"
    yield (
        f"exactrelu check {places} --against {shlex.quote(results.network['file'])}",
        "and derives the network's integers again from the model file",
    )
    yield f"python -m exactrelu.check {places}", "with Python's standard library alone, no code shared with the prover"
    if results.certificate_example:
        one = f"{results.certificate_folders[0]}/{results.certificate_example}"
        yield f"exactrelu check {shlex.quote(one)}", "one of them; its name says what it is about"
