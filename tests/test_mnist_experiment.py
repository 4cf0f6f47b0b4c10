"""The experiment as a script: idx files, parts that a stopped run keeps, the report at its end."""

from __future__ import annotations

import gzip
import importlib.util
import json
import struct
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from exactrelu import RationalVector, check, demo, load, parse_domain, preimage

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "mnist_experiment.py"
pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="the sources are not there")
ROWS = 7


@pytest.fixture
def experiment(capsys):
    """Run the script in this process: (exit code, stdout, stderr)."""
    spec = importlib.util.spec_from_file_location("mnist_experiment", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def call(*arguments):
        code = script.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def pixels():
    """Small images: those of the demo with grey levels up to 255."""
    return (np.load(demo.IMAGES)["x"][:ROWS].reshape(-1, 8, 8).astype(int) * 255 // 16).astype(np.uint8)


@pytest.fixture(scope="module")
def idx(tmp_path_factory, pixels):
    path = tmp_path_factory.mktemp("idx") / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(b"\0\0\x08\x03" + struct.pack(">III", *pixels.shape) + pixels.tobytes()))
    return path


def test_the_experiment_can_be_stopped_and_goes_on(experiment, tmp_path, idx, pixels):
    out = tmp_path / "mnist"
    code, said, error = experiment(demo.MODEL, idx, "--out", out, "--part", 3, "--workers", 1, "--pairs", 1)
    assert (code, error) == (0, "")
    assert (out / "report.html").exists()
    parts = sorted(path.name for path in out.glob("results-*-0*.json"))
    assert parts == [
        f"results-{domain}-{first:05d}-{last:05d}.json" for domain in ("all", "box") for first, last in ((0, 2), (3, 5), (6, 6))
    ]

    network = load(demo.MODEL)
    points = [RationalVector.from_fractions(Fraction(int(value), 255) for value in image.reshape(-1)) for image in pixels]
    for domain, word in (("all", "all"), ("box:0,1", "box")):
        found = [r for name in parts if word in name for r in json.loads((out / name).read_text())["results"]]
        truth = preimage(network, input=points, layer=1, domain=parse_domain(domain, 64))
        assert [r["cardinality"] for r in found] == [one.cardinality.value for one in truth]
        counted = Counter(one.cardinality.value for one in truth)
        assert f"{domain}: {ROWS} pre-images: " in said
        assert all(f"{number} {kind}" in said for kind, number in counted.items())
    assert check([out]).exit_code == 0

    # Stopped after four images of the box: what is finished is not decided again.
    kept = {name: (out / name).stat().st_mtime_ns for name in parts[:-2]}
    before = (out / "report.html").read_text(encoding="utf-8")
    for name in parts[-2:]:
        (out / name).unlink()
    code, said, error = experiment(demo.MODEL, idx, "--out", out, "--part", 3, "--workers", 2, "--pairs", 1)
    assert (code, error) == (0, "")
    assert {name: (out / name).stat().st_mtime_ns for name in kept} == kept
    assert "all: 3 of" not in said
    assert "box:0,1: 6 of 7 images" in said
    after = (out / "report.html").read_text(encoding="utf-8")
    verdicts = [text.partition('<section id="verdicts">')[2].partition("</section>")[0] for text in (before, after)]
    assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\0\0\x08\x01" + struct.pack(">I", 2) + b"ab", "not an idx file of images"),
        (b"\0\0\x08\x03" + struct.pack(">III", 2**31, 2**31, 2**31), "not an idx file of images"),
        (b"", "not an idx file of images"),
    ],
)
def test_another_file_is_refused_in_one_line(experiment, tmp_path, content, said):
    path = tmp_path / "images-idx3-ubyte"
    path.write_bytes(content)
    code, out, error = experiment(demo.MODEL, path, "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert said in error
    assert len(error.splitlines()) == 1


def test_another_network_is_not_mixed_in(experiment, tmp_path, idx):
    out = tmp_path / "out"
    assert experiment(demo.MODEL, idx, "--out", out, "--workers", 1, "--rows", "0:1")[0] == 0
    part = next(out.glob("results-all-*.json"))
    part.write_text(part.read_text().replace(load(demo.MODEL).sources[0].sha256, "0" * 64))
    code, _, error = experiment(demo.MODEL, idx, "--out", out, "--workers", 1, "--rows", "0:1")
    assert (code, len(error.splitlines())) == (2, 1)
    assert "another network" in error
