"""Files that a user asked for: each appears whole or not at all, and one that cannot be written is a refused request."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from exactrelu.certificates import replacing
from exactrelu.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@contextmanager
def saved(path: Path) -> Iterator[Path]:
    """The file to write, which takes the place of the one at a path at the end; raises InvalidRequestError where it cannot be written."""
    try:
        with replacing(path) as part:
            yield part
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be written: {error.strerror or error}; check the folder and its permissions") from None


def save_text(path: Path, lines: Iterable[str]) -> None:
    """Write lines, each with its end, or one text, as UTF-8; raises InvalidRequestError where that cannot be.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "graph.json")
    ...     save_text(path, ["[", "]"])
    ...     path.read_text()
    '[]'
    """
    with saved(path) as part, part.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(lines)
