"""What every certificate holds, and its writer (proofs/FORMAT.md); Python's standard library only.

Evidence is found elsewhere, in floats or exactly; here it is plain integers. Masks are Python integers whose bit i stands
for element i. Files are written beside their final name and renamed, so that a crash leaves no half-written certificate.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONVENTION = "exact-1"


def hexadecimal(value: int) -> str:
    """The one spelling of an integer in a certificate.

    >>> hexadecimal(-255), hexadecimal(0)
    ('-ff', '0')
    """
    return format(value, "x")


def _line(word: str, values: Iterable[int]) -> str:
    return " ".join([word, *(format(value, "x") for value in values)])


@dataclass(frozen=True)
class Relation:
    """denominator * row = sum of coefficient * row_j over `terms`, pairs (j, coefficient) with increasing j."""

    row: int
    denominator: int
    terms: tuple[tuple[int, int], ...]

    def lines(self) -> Iterator[str]:
        yield _line("relation", [self.row, self.denominator, *(value for term in self.terms for value in term)])


@dataclass(frozen=True)
class Rank:
    """The rank of a list of rows is exactly `rank`: a regular block, and an upper bound (C7).

    The block is regular modulo `modulus`, or, with modulus 0, by an approximate inverse that the checker finds (C3).
    """

    rank: int
    modulus: int
    rows: int
    columns: int
    bound: str
    relations: tuple[Relation, ...] = ()
    null_vectors: tuple[tuple[int, ...], ...] = ()

    def lines(self) -> Iterator[str]:
        yield _line("rank", [self.rank, self.modulus, self.rows, self.columns]) + f" {self.bound}"
        for relation in self.relations:
            yield from relation.lines()
        for vector in self.null_vectors:
            yield _line("null", vector)


@dataclass(frozen=True)
class TrivialByMargin:
    """A system's cone is {0}, by margin (C3): n rows that make a regular matrix, and multipliers of the general rows.

    Multipliers of rows outside `selected` count in units of 2^exponent.
    """

    selected: int
    exponent: int
    multipliers: tuple[int, ...]
    word: str = "trivial margin"

    def lines(self) -> Iterator[str]:
        yield _line(self.word, [self.selected, self.exponent, *self.multipliers])


@dataclass(frozen=True)
class TrivialExactly:
    """A system's cone is {0}, by an exact positive dependency of rows of full rank (P3)."""

    multipliers: tuple[int, ...]
    support: Rank

    def lines(self) -> Iterator[str]:
        yield _line("trivial exact", self.multipliers)
        yield from self.support.lines()


@dataclass(frozen=True)
class StrictRay:
    """A system has a strict ray near (`exact` False, C4) or at `direction` * 2^exponent."""

    direction: tuple[int, ...]
    exponent: int
    exact: bool

    def lines(self) -> Iterator[str]:
        yield _line("ray exact" if self.exact else "ray margin", [self.exponent, *self.direction])


@dataclass(frozen=True)
class RecessionDirection:
    """An exact non-zero element direction / denominator of the recession cone."""

    direction: tuple[int, ...]
    denominator: int = 1

    def lines(self) -> Iterator[str]:
        yield _line("recession", [self.denominator, *self.direction])


@dataclass(frozen=True)
class TightRows:
    """Which tight rows are implicit equalities (C6), with the dependency and the strict ray that show it."""

    implicit: int
    multipliers: tuple[int, ...] | None
    rank: Rank | None
    ray: StrictRay | None

    def lines(self) -> Iterator[str]:
        yield _line("tight", [self.implicit])
        if self.multipliers is not None:
            yield _line("implicit", self.multipliers)
        if self.rank is not None:
            yield from self.rank.lines()
        if self.ray is not None:
            yield from self.ray.lines()


@dataclass(frozen=True)
class Negative:
    """The output has a negative entry at a rectified row."""

    row: int

    def lines(self) -> Iterator[str]:
        yield _line("negative", [self.row])


@dataclass(frozen=True)
class Farkas:
    """Multipliers of a contradiction (theory C1, Farkas)."""

    multipliers: tuple[int, ...]

    def lines(self) -> Iterator[str]:
        yield _line("farkas", self.multipliers)


Trivial = TrivialByMargin | TrivialExactly
Evidence = Rank | TrivialByMargin | TrivialExactly | StrictRay | RecessionDirection | TightRows | Negative | Farkas


@dataclass(frozen=True)
class Vector:
    """A rational vector as it stands in a certificate: numerators over one positive denominator."""

    numerators: tuple[int, ...]
    denominator: int = 1

    def line(self, word: str) -> str:
        return _line(word, [self.denominator, *self.numerators])


@dataclass(frozen=True)
class DataSource:
    """Where a point was read: the SHA-256 of the array's file, the row in it, the exact scale numerator/denominator."""

    sha256: str
    row: int
    scale_numerator: int = 1
    scale_denominator: int = 1


@dataclass(frozen=True)
class DomainLines:
    """The `domain` section, ready to be written; made by `exactrelu.domain`."""

    lines: tuple[str, ...] = ("domain all",)


@dataclass(frozen=True)
class Certificate:
    """One claim about one layer's pre-image with its evidence, in the order in which it is written."""

    network: str
    layer: int
    subject: str
    given: Vector
    claim: str
    evidence: tuple[Evidence, ...]
    solution: Vector | None = None
    domain: DomainLines = field(default_factory=DomainLines)
    data: DataSource | None = None

    def lines(self) -> Iterator[str]:
        yield "exactrelu-certificate 1"
        yield f"network {self.network}"
        if self.data is None:
            yield "data none"
        else:
            source = self.data
            yield f"data {source.sha256} " + " ".join(
                hexadecimal(value) for value in (source.row, source.scale_numerator, source.scale_denominator)
            )
        yield f"scope layer {hexadecimal(self.layer)}"
        yield from self.domain.lines
        yield f"subject {self.subject}"
        yield self.given.line("output" if self.subject == "output" else "point")
        yield f"claim preimage {self.claim}"
        if self.solution is not None:
            yield self.solution.line("solution")
        for section in self.evidence:
            yield from section.lines()
        yield "end"

    def text(self) -> str:
        return "\n".join(self.lines()) + "\n"


def percent_encoded(name: str) -> str:
    """A file's base name as one ASCII token.

    >>> percent_encoded("my net.onnx")
    'my%20net.onnx'
    """
    return quote(name, safe="", errors="surrogateescape") or "-"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends without an error it takes the place of `path`."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(temporary)
    try:
        yield part
        part.chmod(0o666 & ~_current_umask())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    with replacing(path) as part:
        part.write_bytes(text.encode("ascii" if path.suffix in {".certificate", ".network"} else "utf-8"))
