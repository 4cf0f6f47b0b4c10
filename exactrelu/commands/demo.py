"""`exactrelu demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from exactrelu.commands.options import Quiet, one_thread
from exactrelu.console import progress


def demo(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="Folder for the certificates, ./exactrelu-demo by default.")] = Path(
        "exactrelu-demo"
    ),
    quiet: Quiet = False,
) -> int:
    """Run the main job on the network and the images that the package ships, check every certificate, write a report."""
    one_thread()
    from exactrelu.demo import run

    with progress(None, quiet=quiet) as advance:
        return run(output, advance)
