"""What the command line writes to a terminal beside its results: a progress bar, remarks and one-line errors, on stderr."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from exactrelu.errors import ExactReluError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator


def finished(
    answers: Generator[dict[str, Any], None, None], asked: int, *, quiet: bool
) -> tuple[list[dict[str, Any]], KeyboardInterrupt | ExactReluError | None]:
    """All records, or those that were finished before an interrupt or an error, and that."""
    found: list[dict[str, Any]] = []
    try:
        with progress(asked, quiet=quiet) as advance, closing(answers):
            for record in answers:
                found.append(record)
                advance()
    except (KeyboardInterrupt, ExactReluError) as error:
        return found, error
    return found, None


@contextmanager
def progress(total: int | None, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """A bar on stderr where that is a terminal; the function given advances it by one."""
    with _bar(total, shown=not quiet and total != 1) as bar:
        yield lambda: bar(None, None)


@contextmanager
def counted(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar as `progress` shows; the function given is told how many are done, and of how many."""
    with _bar(None, shown=not quiet) as bar:
        yield bar


@contextmanager
def _bar(total: int | None, *, shown: bool) -> Iterator[Callable[[int | None, int | None], None]]:
    """The function given sets how many are done, and of how many; without numbers it counts one more."""
    if not shown or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("deciding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done, total: bar.advance(task) if done is None else bar.update(task, completed=done, total=total)


def remark(message: str) -> None:
    """A line on stderr."""
    print(message, file=sys.stderr)


def one_line(error: BaseException) -> str:
    """The message of an error as one line; the name of its class where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
