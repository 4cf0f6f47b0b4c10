"""The experiment of the slides "On the Invertibility of ReLU Networks": MNIST images against the first layer, decided and certified.

For each image: is it the only input with its output, is it one of a bounded set, of an unbounded one? Asked in all of R^n and
in the box of pixels. The images are a file that you name: MNIST's `t10k-images-idx3-ubyte` (`.gz` or not), or `.npz`, `.npy`.

    python examples/mnist_experiment.py NETWORK.onnx t10k-images-idx3-ubyte.gz --out mnist

The run can be stopped at any time: the same command goes on where it stopped. At the end the folder holds a certificate for
each verdict and `report.html`. With `--pairs 1` the report shows, for each kind of pre-image, an image beside another one with
exactly the same output (half a minute each at 784 inputs).
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import sys
import zlib
from collections import Counter
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.batch import Asked, Question, records
from exactrelu.certificates import replacing
from exactrelu.domain import parse_domain
from exactrelu.errors import ExactReluError, InvalidFileError, InvalidRequestError
from exactrelu.network.readers import load
from exactrelu.points import Points, read_points
from exactrelu.report import report
from exactrelu.result_folder import ResultFolder
from exactrelu.results import Envelope, assumptions, describe_data, layer_records
from exactrelu.tables import counts, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.network.model import Network, SourceLayer

DOMAINS = ("all", "box:0,1")
IDX_BYTES = 2**28
SHOWN = ("bounded", "unbounded")


def read_idx(path: Path) -> np.ndarray:
    """The images of an idx file, uint8 (rows, height, width): two zero bytes, the type, the number of axes, their lengths."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            content = stream.read(IDX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidFileError(f"{path} cannot be read ({error}); name MNIST's images, such as t10k-images-idx3-ubyte.gz") from None
    shape = tuple(int.from_bytes(content[4 + 4 * k : 8 + 4 * k], "big") for k in range(3))
    if content[:4] != b"\0\0\x08\x03" or len(content) != 16 + math.prod(shape):
        raise InvalidFileError(f"{path} is not an idx file of images; name MNIST's images (not the labels), whole and undamaged")
    return np.frombuffer(content, dtype=np.uint8, offset=16).reshape(shape)


def as_points_file(images: Path, folder: Path) -> Path:
    """The file to read the points from: an idx file is written as images.npy first, with the same pixels."""
    if images.suffix in {".npz", ".npy"}:
        return images
    pixels = read_idx(images)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "images.npy") as part, part.open("wb") as stream:
        np.save(stream, pixels)
    return folder / "images.npy"


class Experiment:
    """One layer asked about many images; results are written in parts, each when all of its rows are decided."""

    def __init__(self, path: Path, images: Path, folder: Path, *, layer: str, rows: str | None, part: int, workers: int) -> None:
        self.path, self.folder, self.part, self.workers = path, folder, part, workers
        self.model: Network = load(path)
        self.layer: SourceLayer = self.model.layer(layer)
        self.images = as_points_file(images, folder)
        self.points = read_points(self.images, shape=self.model.input_shape, inputs=self.model.inputs, scale=Fraction(1, 255), rows=rows)
        self.data = describe_data(self.images, self.points, "input", self.model.input_shape)
        self.written = ResultFolder(folder, self.model, path.stem, self.data)

    def run(self, domain: str) -> list[dict[str, Any]]:
        """Decide every row within a domain, those aside that an earlier run decided; returns all records."""
        found: list[dict[str, Any]] = []
        names = [self._name(domain, first) for first in range(0, len(self.points.rows), self.part)]
        for name in names:
            if not (self.folder / name).exists():
                break
            found += self._earlier(self.folder / name)
        envelope, begun = Envelope("preimage", domain=domain), len(found)
        with closing(self._decide(domain, self._from(begun), certify=True)) as answers:
            for record in answers:
                found.append(record)
                if len(found) % self.part == 0 or len(found) == len(self.points.rows):
                    self._write(names[(len(found) - 1) // self.part], envelope, found[begun:], certified=True)
                    print(f"{domain}: {len(found)} of {len(self.points.rows)} images", flush=True)
                    envelope, begun = Envelope("preimage", domain=domain), len(found)
        return found

    def pairs(self, domain: str, found: Sequence[dict[str, Any]], number: int) -> None:
        """For the first images of each infinite kind, another image with exactly the same output."""
        name = f"results-{domain.partition(':')[0]}-pairs.json"
        rows = [record["row"] for kind in SHOWN for record in [r for r in found if r["cardinality"] == kind][:number]]
        if not rows or (self.folder / name).exists():
            return
        print(f"{domain}: another image with the same output for rows {', '.join(map(str, rows))}", flush=True)
        envelope = Envelope("preimage", domain=domain)
        at = [self.points.indices.index(row) for row in rows]
        chosen = Points(tuple(self.points.rows[k] for k in at), tuple(rows), self.points.sha256, self.points.scale)
        with closing(self._decide(domain, chosen, certify=False)) as answers:
            self._write(name, envelope, list(answers), certified=True)

    def _decide(self, domain: str, points: Points, *, certify: bool) -> Iterator[dict[str, Any]]:
        if not points.rows:
            return
        named = self.written.named(self.layer) if certify else None
        asked = Asked(self.layer, parse_domain(domain, self.layer.inputs), named=named)
        question = Question(self.model, (asked,), "input", rational=not certify, most_solutions=0)
        with closing(records(question, points, workers=self.workers, folder=self.written)) as answers:
            yield from answers

    def _from(self, first: int) -> Points:
        points = self.points
        return Points(points.rows[first:], points.indices[first:], points.sha256, points.scale)

    def _name(self, domain: str, first: int) -> str:
        last = min(first + self.part, len(self.points.rows)) - 1
        return f"results-{domain.partition(':')[0]}-{self.points.indices[first]:05d}-{self.points.indices[last]:05d}.json"

    def _earlier(self, path: Path) -> list[dict[str, Any]]:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        same = earlier["network"]["sha256"] == self.model.sources[0].sha256 and earlier["data"]["sha256"] == self.points.sha256
        if not same or {record["layer"] for record in earlier["results"]} != {self.layer.number}:
            raise InvalidRequestError(f"{path} is about another network, layer or file of images; give another --out")
        return list(earlier["results"])

    def _write(self, name: str, envelope: Envelope, found: list[dict[str, Any]], *, certified: bool) -> None:
        about = {"layers": layer_records(self.model, [self.layer]), "data": self.data}
        self.written.results(envelope.around(self.path, self.model, assumptions(certified=certified), **about, results=found), name)


def slides_table(found: dict[str, list[dict[str, Any]]], inputs: int) -> str:
    """The table of the slides: how many positive outputs, and what follows from them."""
    kinds = ["singleton", "bounded", "unbounded", "infinite", "undecided"]
    header = ["domain", "positive outputs", "images", *kinds]
    rows = []
    for domain, answers in found.items():
        for name, chosen in (
            (f"below {inputs}", [r for r in answers if (r["active"] or 0) < inputs]),
            (f"from {inputs}", [r for r in answers if (r["active"] or 0) >= inputs]),
        ):
            held = Counter(record["cardinality"] for record in chosen)
            rows.append([domain, name, len(chosen), *(held[kind] for kind in kinds)])
    return table(header, rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiment; returns the exit code."""
    parser = argparse.ArgumentParser(description="Which MNIST images share their output with others, layer by layer, decided exactly.")
    parser.add_argument("network", type=Path, help=".onnx or .safetensors, inputs pixels / 255")
    parser.add_argument("images", type=Path, help="t10k-images-idx3-ubyte, .gz or not, or .npz, .npy of uint8")
    parser.add_argument("--out", type=Path, default=Path("mnist"), help="folder for certificates, results and the report")
    parser.add_argument("--layer", default="1", help="number or name of the layer")
    parser.add_argument("--rows", help="A:B, from image A up to but not with image B; all by default")
    parser.add_argument("--workers", type=int, default=2, help="processes on this machine")
    parser.add_argument("--part", type=int, default=250, help="images a results file; a stopped run repeats at most so many")
    parser.add_argument("--pairs", type=int, default=0, help="images of each kind to show beside another one with the same output")
    given = parser.parse_args(arguments)
    if min(given.workers, given.part) < 1 or given.pairs < 0:
        parser.error("--workers and --part must be at least 1, --pairs at least 0")
    try:
        experiment = Experiment(
            given.network, given.images, given.out, layer=given.layer, rows=given.rows, part=given.part, workers=given.workers
        )
        found = {domain: experiment.run(domain) for domain in DOMAINS}
        for domain in DOMAINS:
            experiment.pairs(domain, found[domain], given.pairs)
        print(f"\n{slides_table(found, experiment.layer.inputs)}\n")
        for domain, answers in found.items():
            print(f"{domain}: {counts(answers)}")
        page, _ = report(given.out)
    except ExactReluError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"stopped; finished parts are kept in {given.out}: the same command goes on", file=sys.stderr)
        return 130
    print(f"report: {page}; certificates: exactrelu check {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
