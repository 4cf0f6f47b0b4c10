"""Fields of a results file, each checked before it is used: a results file is hostile input.

Text comes back printable and cut to a length that a page can hold, numbers come back as they are.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from exactrelu.errors import InvalidFileError
from exactrelu.results import FORMAT, printable
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONGEST_VECTOR = 2**18
LARGEST_NUMBER = 2**53
LONGEST_TEXT = 2000
_RATIONAL = re.compile(r"-?[0-9]+(/0*[1-9][0-9]*)?")


def parse(path: Path, content: bytes) -> dict[str, Any]:
    """A results file as the object it holds; raises InvalidFileError for anything else than a result of this format."""
    try:
        found = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:100]
        raise InvalidFileError(f"{path} is not JSON that can be read ({said}); it is truncated or was not written by exactrelu") from None
    if not isinstance(found, dict) or not isinstance(found.get("exactrelu"), str) or "question" not in found:
        raise InvalidFileError(
            f"{path} is not a result of exactrelu; rename it: results*, injectivity*, regions* and stability*.json are read as results"
        )
    if found.get("format") != FORMAT:
        raise InvalidFileError(f"{path} has another format than {FORMAT}; report on it with the version of exactrelu that wrote it")
    return found


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


class Checked:
    """Fields of a result, each checked; raises InvalidFileError with the file and the field."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def refuse(self, field: str, why: str) -> NoReturn:
        raise InvalidFileError(f"{self.path} is not a result of exactrelu: its {field!r} {why}; write it again with --out")

    def is_text(self, value: object, field: str) -> str:
        if not isinstance(value, str):
            self.refuse(field, "is not text")
        return printable(value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]}...")

    def text(self, found: Mapping[str, Any], field: str) -> str:
        return self.is_text(found.get(field), field)

    def list(self, found: Mapping[str, Any], field: str) -> list[Any]:
        value = found.get(field)
        if not isinstance(value, list):
            self.refuse(field, "is not a list")
        return value

    def mapping(self, value: object, field: str) -> None:
        if not isinstance(value, dict):
            self.refuse(field, "is not what it should be")

    def number(self, found: Mapping[str, Any], field: str, *, least: int) -> int:
        value = self.optional(found, field, least=least)
        if value is None:
            self.refuse(field, "is missing")
        return value

    def optional(self, found: Mapping[str, Any], field: str, *, least: int) -> int | None:
        value = found.get(field)
        if value is None:
            return None
        if type(value) is not int or not least <= value < LARGEST_NUMBER:
            self.refuse(field, f"is not a whole number from {least}")
        return value

    def boolean(self, found: Mapping[str, Any], field: str) -> bool:
        value = found.get(field)
        if not isinstance(value, bool):
            self.refuse(field, "is neither true nor false")
        return value

    def seconds(self, found: Mapping[str, Any]) -> float:
        value = found.get("seconds")
        if type(value) not in {int, float} or value is None or not 0 <= value < LARGEST_NUMBER:
            self.refuse("seconds", "is not a duration")
        return float(value)

    def cardinality(self, record: Mapping[str, Any]) -> Cardinality:
        value = record.get("cardinality")
        try:
            return Cardinality(value)
        except ValueError:
            self.refuse("cardinality", "is none of the words that exactrelu uses")

    def vector(self, value: object, field: str) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) > LONGEST_VECTOR:
            self.refuse(field, "is not a list of numbers")
        for text in value:
            if not isinstance(text, str) or not _RATIONAL.fullmatch(text):
                self.refuse(field, 'holds what is not a number "p/q"')
        return tuple(value)
