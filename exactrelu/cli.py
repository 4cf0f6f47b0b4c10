"""The command line: parse, call, exit code (0 holds, 1 refuted, 2 wrong request or file, 3 undecided, 130 interrupted).

Results go to stdout, progress and errors to stderr; an error is one line. Heavy modules are loaded by the command that
needs them, so that `--help` is quick.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from cyclopts import App, CycloptsError, Parameter

from exactrelu import __version__
from exactrelu.commands.check import check
from exactrelu.commands.compare import compare
from exactrelu.commands.demo import demo
from exactrelu.commands.float_gap import float_gap
from exactrelu.commands.info import info
from exactrelu.commands.injectivity import injectivity
from exactrelu.commands.options import HOLDS, INTERRUPTED, refuse
from exactrelu.commands.preimage import preimage
from exactrelu.commands.regions import regions
from exactrelu.commands.report import report
from exactrelu.commands.stability import stability
from exactrelu.console import one_line, remark
from exactrelu.errors import ExactReluError

if TYPE_CHECKING:
    from collections.abc import Sequence

BROKEN_PIPE = 141


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
    for command in (info, preimage, injectivity, regions, stability, compare, float_gap, check, report, demo):
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
        return refuse(f"{one_line(error)} (exactrelu --help and exactrelu COMMAND --help list what there is)")
    except ExactReluError as error:
        return refuse(one_line(error))
    except BrokenPipeError:
        # The reader of stdout went away; what Python would still flush at exit must not raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        remark("interrupted")
        return INTERRUPTED
    except OSError as error:
        return refuse(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}; check the path and the disk")
    except MemoryError:
        return refuse("out of memory; ask about fewer --rows or use fewer --workers")
    return code if isinstance(code, int) else HOLDS
