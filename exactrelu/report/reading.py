"""A folder of results read back: every `results*.json`, `injectivity*.json`, `regions*.json` and `stability*.json`, subfolders too.

A results file is hostile input: its size is bounded, every field that is used is checked, and what does not fit is refused in
one line. Certificates are only looked for, never opened.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exactrelu.errors import InvalidFileError, InvalidRequestError
from exactrelu.points import read_bytes
from exactrelu.report.fields import LARGEST_NUMBER, Checked, parse
from exactrelu.report.injectivity import Injectivity, read_injectivity
from exactrelu.report.preimages import Answers, PreimageReader
from exactrelu.report.regions import COUNTS, Regions, read_regions
from exactrelu.report.stability import InverseBound, Linearisation, StabilityReader
from exactrelu.report.subject import Data, LayerSize, read_data, read_layers, read_network
from exactrelu.result_folder import PARTIAL, RESULT_BYTES
from exactrelu.results import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_FILES = 20_000
_NAMES = ("results*.json", "injectivity*.json", "regions*.json", "stability*.json")


@dataclass(frozen=True)
class ResultFile:
    """A results file, by its name within the folder, with the SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Results:
    """Everything that a report is made from."""

    folder: str
    network: Mapping[str, Any]
    layers: Mapping[int, LayerSize]
    data: Data | None
    assumes: tuple[str, ...]
    seconds: float
    versions: tuple[str, ...]
    answers: tuple[Answers, ...]
    injectivity: tuple[Injectivity, ...]
    regions: tuple[Regions, ...]
    stability: tuple[Linearisation, ...]
    inverses: tuple[InverseBound, ...]
    files: tuple[ResultFile, ...]
    certificate_folders: tuple[str, ...]
    certificate_example: str | None

    @property
    def verdicts(self) -> int:
        """How many questions have an answer here."""
        return self.certifiable + len(self.stability)

    @property
    def certifiable(self) -> int:
        """How many have one that a certificate can prove."""
        return sum(len(answers.verdicts) for answers in self.answers) + len(self.injectivity) + len(self.regions)


def read_results(folder: Path) -> Results:
    """Read every `results*.json`, `injectivity*.json`, `regions*.json` and `stability*.json` of a folder and of its direct subfolders.

    Raises InvalidRequestError where the folder is missing, holds no results, or results about different networks or points;
    InvalidFileError for a file that is no result of `preimage`, `injectivity`, `regions` or `stability`, and for results that contradict
    one another.
    """
    paths = _result_files(folder)
    reader = _Reader()
    files = [ResultFile(printable(path.relative_to(folder).as_posix()), reader.add(path)) for path in paths]
    return reader.results(folder, files)


def _result_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InvalidRequestError(f"{folder} is not a folder; name the folder that --out wrote, with a results.json in it")
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
        there = [path for place in (folder, *inside) for name in _NAMES for path in sorted(place.glob(name))]
        found = [path for path in there if not path.name.endswith(PARTIAL)]
        paths = [path for path in found if path.is_file()]
    except OSError as error:
        raise InvalidRequestError(f"{folder} cannot be read: {error.strerror or error}; check its permissions") from None
    if not paths:
        raise InvalidRequestError(f"{folder} holds no results*.json; `exactrelu preimage NETWORK --input FILE --out FOLDER` writes one")
    if len(paths) > MOST_FILES:
        raise InvalidRequestError(f"{folder} holds {len(paths)} results files; the limit is {MOST_FILES}: report on fewer at a time")
    return paths


class _Reader:
    """Collects the verdicts of one file after another."""

    def __init__(self) -> None:
        self._network: dict[str, Any] | None = None
        self._data: Data | None = None
        self._layers: dict[int, LayerSize] = {}
        self._assumes: dict[str, None] = {}
        self._versions: dict[str, None] = {}
        self._seconds = 0.0
        self._preimages = PreimageReader()
        self._injectivity: dict[tuple[int | None, str], Injectivity] = {}
        self._regions: dict[tuple[int | None, str, str], Regions] = {}
        self._stability = StabilityReader()
        self._folders: dict[Path, None] = {}
        self._example: str | None = None

    def add(self, path: Path) -> str:
        """Take in one file; returns the SHA-256 of its bytes."""
        content = read_bytes(path, RESULT_BYTES)
        found = parse(path, content)
        check = Checked(path)
        question = check.text(found, "question")
        if question not in {"preimage", "injectivity", "regions", "stability"}:
            raise InvalidFileError(
                f"{path} answers the question {printable(found['question'])[:40]}, which the report does not show yet; move it elsewhere"
            )
        self._network = self._same(path, self._network, read_network(check, found), "networks")
        for sentence in check.list(found, "assumes"):
            self._assumes[check.is_text(sentence, "assumes")] = None
        self._versions[check.text(found, "exactrelu")] = None
        self._seconds += check.seconds(found)
        if question == "injectivity":
            self._answer(path, read_injectivity(check, found, self._certificate(check, found)))
        elif question == "regions":
            self._complex(path, read_regions(check, found, self._certificate(check, found)))
        elif question == "stability":
            self._describe(path, check, found)
            self._stability.add(path, check, found)
        else:
            self._describe(path, check, found)
            self._preimages.add(check, found, self._certificate)
        return hashlib.sha256(content).hexdigest()

    def _describe(self, path: Path, check: Checked, found: dict[str, Any]) -> None:
        """Take in which points and layers a result is about."""
        data = read_data(check, found)
        if data is not None:
            self._join(path, data)
        for layer in read_layers(check, found):
            self._layers[layer.number] = layer

    def _answer(self, path: Path, answer: Injectivity) -> None:
        """Take in an answer on injectivity: a decided one replaces one that is undecided."""
        key = (answer.layer, answer.domain)
        held = self._injectivity.get(key)
        if held is not None and "undecided" not in {held.verdict, answer.verdict} and held.verdict != answer.verdict:
            raise InvalidFileError(
                f"{path} contradicts the results before it: {answer.about} is {held.verdict} there and {answer.verdict} here; one of the "
                "files was changed"
            )
        if held is None or held.verdict == "undecided":
            self._injectivity[key] = answer

    def _complex(self, path: Path, answer: Regions) -> None:
        """Take in an answer on regions: a complete one replaces one that is not."""
        # Answers on slices stay apart: a slice is told by its file, and that does not say which rows were taken.
        key = (answer.through, answer.domain, "" if answer.slice is None else str(path))
        held = self._regions.get(key)
        counts = [{word: one.numbers[word] for word in COUNTS} for one in (held, answer) if one is not None and one.complete]
        if len(counts) == 2 and counts[0] != counts[1]:
            raise InvalidFileError(
                f"{path} contradicts the results before it: {answer.about} has {counts[0]['regions']} regions there and"
                f" {counts[1]['regions']} here, or they meet otherwise; one of the files was changed"
            )
        if held is None or not held.complete:
            self._regions[key] = answer

    def _same(self, path: Path, before: dict[str, Any] | None, now: dict[str, Any], what: str) -> dict[str, Any]:
        if before is not None and before["sha256"] != now["sha256"]:
            raise InvalidRequestError(f"{path} is about another network than the results before it; one report is about one of the {what}")
        return now if before is None else before

    def _join(self, path: Path, data: Data) -> None:
        """Add the description of a file's points: the same points, and what is constant in all rows."""
        before = self._data
        if before is None:
            self._data = data
            return
        if (before.sha256, before.scale, before.subject) != (data.sha256, data.scale, data.subject):
            raise InvalidRequestError(f"{path} is about other points than the results before it; one report is about one file of points")
        constant = dict(sorted(before.constant.items() & data.constant.items()))
        self._data = Data(data.file, data.sha256, data.scale, data.subject, data.shape, constant)

    def _certificate(self, check: Checked, record: Mapping[str, Any]) -> int | None:
        """The size of a record's certificate, which lies beside the results file whatever path was written."""
        written = record.get("certificate")
        if written is None:
            return None
        name = re.split(r"[\\/]", check.is_text(written, "certificate"))[-1]
        if name in {"", ".", ".."} or "\0" in name:
            check.refuse("certificate", "is not the path of a file")
        path = check.path.parent / name
        try:
            there = path.is_file() and not path.is_symlink()
            size = path.stat().st_size if there else -1
        except OSError:
            return -1
        if there:
            self._folders[path.parent] = None
            self._example = self._example or name
        return size

    def results(self, folder: Path, files: Iterable[ResultFile]) -> Results:
        """All that was taken in."""
        name = printable(folder.resolve().name or ".")
        answers = self._preimages.results()
        injectivity = sorted(self._injectivity.values(), key=lambda one: (one.layer or 0, one.domain != "all", one.domain))
        regions = sorted(
            self._regions.values(), key=lambda one: (one.through or LARGEST_NUMBER, one.slice or "", one.domain != "all", one.domain)
        )
        stability = self._stability.results()
        if not answers and not injectivity and not regions and not stability:
            raise InvalidRequestError(f"the results in {folder} hold no verdict; nothing was decided before the run ended")
        places = sorted(printable(Path(name, place.relative_to(folder)).as_posix()) for place in self._folders)
        return Results(
            name,
            self._network or {},
            dict(sorted(self._layers.items())),
            self._data,
            tuple(self._assumes),
            self._seconds,
            tuple(self._versions),
            answers,
            tuple(injectivity),
            tuple(regions),
            stability,
            self._stability.inverses(),
            tuple(files),
            tuple(places),
            self._example,
        )
