"""The example of stability runs as a script: figures that repeat byte for byte, and every number in them with its bounds in JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="singular values are proposed by PyTorch")
pytest.importorskip("matplotlib", reason="the example draws")

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "stability_of_a_network.py"
pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="the sources are not there")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--folder", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stability")


@pytest.fixture(scope="module")
def said(folder):
    done = run(folder, "--rows", "0:2")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_singular_value_that_is_drawn_has_bounds(said, folder):
    results = json.loads((folder / "stability.json").read_text())["results"]
    assert [(one["row"], one["layer"]) for one in results] == [(row, layer) for row in (0, 1) for layer in (1, 2, 3)]
    for one in results:
        for part in (one, one["before"], one["boundary"]["beyond"]):
            low, high = map(Fraction, part["sigma_min"])
            assert 0 < low <= high < low * (1 + Fraction(1, 10**6))
        assert len(one["sigma"]) == len(one["before"]["sigma"]) == min(64, {1: 96, 2: 64, 3: 10}[one["layer"]])
    assert "6 linearisations at 2 inputs, before and after the relu; floats report a wrong rank 0 times" in said
    for name in ("stability", "directions", "blur"):
        assert b"<dc:date>" not in (folder / f"{name}.svg").read_bytes()


def test_what_a_learned_blur_hides_are_fine_details(said, folder):
    found = json.loads((folder / "blur.json").read_text())
    first, *_, last = (found["directions"][place] for place in sorted(found["directions"], key=int))
    changes = [sum(a * b < 0 for a, b in pairwise(direction)) for direction in (first, last)]
    assert changes[0] < 6 and changes[1] > 12
    (one,) = found["results"]
    assert Fraction(one["sigma_max"][1]) > 3 * Fraction(one["sigma_min"][1])
    assert f"The exact rank is {one['rank']}" in said


def test_figures_are_drawn_again_from_a_result(said, folder, tmp_path):
    done = run(tmp_path, "--result", str(folder / "stability.json"))
    assert (done.returncode, done.stderr) == (0, "") and done.stdout in said
    for name in ("stability.svg", "directions.svg"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_a_network_without_points_is_refused(tmp_path):
    done = run(tmp_path, "model.onnx")
    assert done.returncode == 2 and "belong together" in done.stderr
