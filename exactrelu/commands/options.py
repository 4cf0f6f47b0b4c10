"""What the commands share: exit codes, options that several take, how their words are read, and what is said of a store."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import Parameter

from exactrelu.console import counted, remark
from exactrelu.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction
    from pathlib import Path

    from exactrelu.network.model import Network, SourceLayer

T = TypeVar("T")

HOLDS, REFUTED, WRONG, UNDECIDED, INTERRUPTED = 0, 1, 2, 3, 130

Json = Annotated[bool, Parameter(help="Print one JSON object and nothing else on stdout.")]
Quiet = Annotated[bool, Parameter(help="No progress bar and no remarks on stderr.")]
Model = Annotated[str, Parameter(name="NETWORK", help="A model: .onnx, .pt2, .nnet or .safetensors.")]
File = Annotated[str | None, Parameter(help="Points: .npy, .npz (array x, else the only one) or .csv.")]
Rows = Annotated[str | None, Parameter(help="Rows of the file: A:B, from A up to but not with B.")]
Scale = Annotated[str | None, Parameter(help="Multiply the points exactly by P/Q, such as 1/255.")]


def one_thread() -> None:
    """Before NumPy is loaded; see `limit_blas_threads`."""
    from exactrelu.parallel import limit_blas_threads

    limit_blas_threads()


def exact_scale(text: str | None) -> Fraction | None:
    """The factor of --scale."""
    if text is None:
        return None
    from exactrelu.exact.rational import parse_rational

    scale = parse_rational(text)
    if scale <= 0:
        raise InvalidRequestError("--scale must be above 0; write P/Q, such as 1/255")
    return scale


def notes_of(model: Network, layers: Sequence[SourceLayer]) -> list[str]:
    """What is said of activations that were set aside, where the network's own assumptions do not say it."""
    return [one.set_aside.note for one in layers if one.set_aside is not None and one.set_aside.note not in model.assumes]


def kept_in_store(store: Path | None, find: Callable[[Callable[[int, int], None]], T], is_done: Callable[[T], bool], *, quiet: bool) -> T:
    """What `find` finds, told how to show progress; where it is interrupted or not done, and a store keeps what was found, that is said."""

    def say() -> None:
        if store is not None:
            again = shlex.join(["exactrelu", *sys.argv[1:]])
            remark(f"{store} keeps what was finished; to go on, with more time where it was limited: {again}")

    try:
        with counted(quiet=quiet) as progress:
            found = find(progress)
    except KeyboardInterrupt:
        say()
        raise
    if not is_done(found):
        say()
    return found


def refuse(message: str) -> int:
    """Say in one line what is wrong with a request or a file; the exit code for that."""
    remark(f"exactrelu: {''.join(letter if letter.isprintable() else '?' for letter in message)}")
    return WRONG
