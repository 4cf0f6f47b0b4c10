"""The file of an undecided search: JSON whose dependencies and nodes are lines as in a certificate (proofs/FORMAT.md, 4.10)."""

from __future__ import annotations

import json
import math
import re
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Final

from exactrelu.certificates import write_text
from exactrelu.certificates.injectivity import Branch, Dependency, Pack, Spanned, Split
from exactrelu.errors import InvalidFileError
from exactrelu.injectivity.cases.resume import State, first_primes
from exactrelu.points import read_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from exactrelu.certificates.injectivity import Node

FORMAT: Final = 1
STATE_BYTES: Final = 2**27
_KEYS = ("exactrelu-partial", "question", "seconds", "prime", "certain", "dependencies", "nodes")
_HEXADECIMAL = re.compile(r"-?[0-9a-f]+")


def write_state(path: Path, state: State) -> None:
    """Write a state as JSON; a reader sees all of it or nothing.

    >>> import tempfile, pathlib
    >>> state = State("5" * 64, 1.5, 2**31 - 1, (), (Dependency((0, 1), (3, 1)),), (Branch(0), Split(2)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "injectivity-layer1-all.partial.json")
    ...     write_state(path, state)
    ...     read_state(path) == state
    True
    """
    values: tuple[Any, ...] = (
        FORMAT,
        state.question,
        state.seconds,
        state.prime,
        _lines(state.certain),
        _lines(state.dependencies),
        _lines(state.nodes),
    )
    write_text(path, json.dumps(dict(zip(_KEYS, values, strict=True)), indent=0) + "\n")


def _lines(parts: Sequence[Dependency | Node]) -> list[str]:
    return list(chain.from_iterable(part.lines() for part in parts))


def read_state(path: Path) -> State:
    """Read what `write_state` wrote; raises InvalidFileError where the file is missing, too large or anything else."""
    content = read_bytes(path, STATE_BYTES)
    try:
        found = json.loads(content, parse_constant=_refuse)
        if not isinstance(found, dict) or tuple(found) != _KEYS:
            raise ValueError("its keys are not those of this version's states")
        version, question, seconds, prime = (found[key] for key in _KEYS[:4])
        if type(version) is not int or version != FORMAT:
            raise ValueError("it was saved by another version")
        if not isinstance(question, str) or re.fullmatch("[0-9a-f]{64}", question) is None:
            raise ValueError("`question` is no SHA-256")
        if type(prime) is not int or prime not in first_primes():
            raise ValueError("`prime` is not one that a search uses")
        if type(seconds) not in {int, float} or not 0 <= float(seconds) < math.inf:
            raise ValueError("`seconds` is no time")
        certain, dependencies, nodes = (_parsed(found[key], read) for key, read in _PARTS)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        why = " ".join(str(error).split())[:120] or type(error).__name__
        raise InvalidFileError(f"{path} is no saved state of an injectivity question: {why}; delete it to begin anew") from None
    return State(question, float(seconds), prime, certain, dependencies, nodes)


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _parsed(lines: Any, read: Any) -> tuple[Any, ...]:
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ValueError("dependencies and nodes are lists of lines")
    return tuple(read(*_words(line)) for line in lines)


def _words(line: str) -> tuple[str, list[int]]:
    word, *values = line.split(" ")
    if not all(_HEXADECIMAL.fullmatch(value) for value in values):
        raise ValueError(f"{line[:40]!r} is no line of a certificate")
    return word, [int(value, 16) for value in values]


def _read_dependency(word: str, values: list[int]) -> Dependency:
    rows, multipliers, rest = _take_pairs(values)
    sides, side_multipliers, rest = _take_pairs(rest) if rest else ((), (), rest)
    if word != "dependency" or rest or not rows:
        raise ValueError("a line is no dependency")
    return Dependency(rows, multipliers, sides, side_multipliers)


def _take_pairs(values: list[int]) -> tuple[tuple[int, ...], tuple[int, ...], list[int]]:
    """K j1 l1 .. jK lK: the j, increasing, the l, and what follows."""
    end = 1 + 2 * values[0] if values else -1
    if not 1 <= end <= len(values) or any(a >= b for a, b in pairwise(values[1:end:2])):
        raise ValueError("a list of numbers and multipliers is cut short or out of order")
    return tuple(values[1:end:2]), tuple(values[2:end:2]), values[end:]


def _read_node(word: str, values: list[int]) -> Node:
    if word == "pack" and values and values[0] == len(values) - 1 and all(a < b for a, b in pairwise(values[1:])):
        return Pack(tuple(values[1:]))
    if word in {"branch", "split"} and len(values) == 1:
        return Branch(values[0]) if word == "branch" else Split(values[0])
    if word == "spanned" and values and len(values) % 2 == 0:
        return Spanned(values[0], values[1], tuple(values[2::2]), tuple(values[3::2]))
    raise ValueError("a line is no node of a tree")


_PARTS = (("certain", _read_dependency), ("dependencies", _read_dependency), ("nodes", _read_node))
