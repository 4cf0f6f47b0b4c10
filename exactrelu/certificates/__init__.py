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

    from exactrelu.certificates.cases import Cases
    from exactrelu.certificates.listed import ListedRegions

CONVENTION = "exact-1"


def hexadecimal(value: int) -> str:
    """The one spelling of an integer in a certificate.

    >>> hexadecimal(-255), hexadecimal(0)
    ('-ff', '0')
    """
    return format(value, "x")


def spaced(word: str, values: Iterable[int]) -> str:
    """A line: a word, and integers after it.

    >>> spaced("tight", [10, -1])
    'tight a -1'
    """
    return " ".join([word, *(format(value, "x") for value in values)])


@dataclass(frozen=True)
class Relation:
    """denominator * row = sum of coefficient * row_j over `terms`, pairs (j, coefficient) with increasing j."""

    row: int
    denominator: int
    terms: tuple[tuple[int, int], ...]

    def lines(self) -> Iterator[str]:
        yield spaced("relation", [self.row, self.denominator, *(value for term in self.terms for value in term)])


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
        yield spaced("rank", [self.rank, self.modulus, self.rows, self.columns]) + f" {self.bound}"
        for relation in self.relations:
            yield from relation.lines()
        for vector in self.null_vectors:
            yield spaced("null", vector)


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
        yield spaced(self.word, [self.selected, self.exponent, *self.multipliers])


@dataclass(frozen=True)
class TrivialExactly:
    """A system's cone is {0}, by an exact positive dependency of rows of full rank (P3)."""

    multipliers: tuple[int, ...]
    support: Rank

    def lines(self) -> Iterator[str]:
        yield spaced("trivial exact", self.multipliers)
        yield from self.support.lines()


@dataclass(frozen=True)
class StrictRay:
    """A system has a strict ray near (`exact` False, C4) or at `direction` * 2^exponent."""

    direction: tuple[int, ...]
    exponent: int
    exact: bool

    def lines(self) -> Iterator[str]:
        yield spaced("ray exact" if self.exact else "ray margin", [self.exponent, *self.direction])


@dataclass(frozen=True)
class RecessionDirection:
    """An exact non-zero element direction / denominator of the recession cone."""

    direction: tuple[int, ...]
    denominator: int = 1

    def lines(self) -> Iterator[str]:
        yield spaced("recession", [self.denominator, *self.direction])


@dataclass(frozen=True)
class TightRows:
    """Which tight rows are implicit equalities (C6), with the dependency and the strict ray that show it."""

    implicit: int
    multipliers: tuple[int, ...] | None
    rank: Rank | None
    ray: StrictRay | None

    def lines(self) -> Iterator[str]:
        yield spaced("tight", [self.implicit])
        if self.multipliers is not None:
            yield spaced("implicit", self.multipliers)
        if self.rank is not None:
            yield from self.rank.lines()
        if self.ray is not None:
            yield from self.ray.lines()


@dataclass(frozen=True)
class Negative:
    """The output has a negative entry at a rectified row."""

    row: int

    def lines(self) -> Iterator[str]:
        yield spaced("negative", [self.row])


@dataclass(frozen=True)
class Farkas:
    """Multipliers of a contradiction (theory C1, Farkas)."""

    multipliers: tuple[int, ...]

    def lines(self) -> Iterator[str]:
        yield spaced("farkas", self.multipliers)


Trivial = TrivialByMargin | TrivialExactly
Evidence = Rank | TrivialByMargin | TrivialExactly | StrictRay | RecessionDirection | TightRows | Negative | Farkas


@dataclass(frozen=True)
class Vector:
    """A rational vector as it stands in a certificate: numerators over one positive denominator."""

    numerators: tuple[int, ...]
    denominator: int = 1

    def line(self, word: str) -> str:
        return spaced(word, [self.denominator, *self.numerators])


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
        yield from _header(self, f"scope layer {hexadecimal(self.layer)}")
        yield from stated(self)
        yield "end"

    def text(self) -> str:
        return text_of(self.lines())


@dataclass(frozen=True)
class Part:
    """One layer's claim and evidence within a certificate through several layers."""

    layer: int
    claim: str
    evidence: tuple[Evidence, ...]
    solution: Vector | None = None

    @staticmethod
    def of(certificate: Certificate) -> Part:
        """What a certificate about one layer says of it."""
        return Part(certificate.layer, certificate.claim, certificate.evidence, certificate.solution)

    def lines(self) -> Iterator[str]:
        yield spaced("part", [self.layer])
        yield from stated(self)


@dataclass(frozen=True)
class SecondPoint:
    """Another point with the same output, between which and the given one the network is affine."""

    point: Vector

    def lines(self) -> Iterator[str]:
        yield self.point.line("second")


@dataclass(frozen=True)
class Direction:
    """A direction along which the network does not change from the given point on."""

    direction: Vector

    def lines(self) -> Iterator[str]:
        yield self.direction.line("direction")


@dataclass(frozen=True)
class ThroughCertificate:
    """One claim about a pre-image through the layers 1 .. `last`, from parts about one layer each, one more vector, cases, or regions.

    >>> part = Part(1, "singleton 0 1 1", (Rank(1, 0, 1, 1, "rows"),))
    >>> ThroughCertificate("5" * 64, 1, "input", Vector((3,)), "singleton 1", (part,)).text().splitlines()[6:]
    ['point 1 3', 'claim preimage singleton 1', 'part 1', 'claim preimage singleton 0 1 1', 'rank 1 0 1 1 rows', 'end']
    """

    network: str
    last: int
    subject: str
    given: Vector
    claim: str
    parts: tuple[Part, ...] = ()
    evidence: SecondPoint | Direction | Cases | ListedRegions | None = None
    domain: DomainLines = field(default_factory=DomainLines)
    data: DataSource | None = None
    solution: Vector | None = None

    def lines(self) -> Iterator[str]:
        yield from _header(self, f"scope through {hexadecimal(self.last)}")
        yield f"claim preimage {self.claim}"
        if self.solution is not None:
            yield self.solution.line("solution")
        for part in self.parts:
            yield from part.lines()
        if self.evidence is not None:
            yield from self.evidence.lines()
        yield "end"

    def text(self) -> str:
        return text_of(self.lines())


def _header(certificate: Certificate | ThroughCertificate, scope: str) -> Iterator[str]:
    """The lines before the claim."""
    yield "exactrelu-certificate 1"
    yield f"network {certificate.network}"
    if certificate.data is None:
        yield "data none"
    else:
        source = certificate.data
        yield spaced(f"data {source.sha256}", [source.row, source.scale_numerator, source.scale_denominator])
    yield scope
    yield from certificate.domain.lines
    yield f"subject {certificate.subject}"
    yield certificate.given.line("output" if certificate.subject == "output" else "point")


def stated(said: Certificate | Part) -> Iterator[str]:
    """A claim about one layer with its evidence."""
    yield f"claim preimage {said.claim}"
    if said.solution is not None:
        yield said.solution.line("solution")
    for section in said.evidence:
        yield from section.lines()


def text_of(lines: Iterable[str]) -> str:
    """The file that holds these lines."""
    return "\n".join(lines) + "\n"


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
