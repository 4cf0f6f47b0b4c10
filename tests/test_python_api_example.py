"""The example of the Python API runs as a script, says what it says, and leaves valid certificates and a report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from exactrelu import check

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "python_api.py"
pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="the sources are not there")


def test_the_example_runs_and_its_certificates_are_valid(tmp_path):
    run = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "out")], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    said = run.stdout
    assert "the whole network gives the same: True" in said
    assert "along a ray the outputs are the same: True" in said
    assert "that output: [True, True, True]" in said
    assert "10 of 10 certificates are valid" in said
    assert "every such program is proved: True" in said
    assert check([tmp_path / "out"]).exit_code == 0
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_every_cell_has_its_words():
    """A notebook-style script: a markdown cell before each cell of code."""
    kinds = [line for line in SCRIPT.read_text(encoding="utf-8").splitlines() if line.startswith("# %%")]
    assert kinds == ["# %% [markdown]", "# %%"] * (len(kinds) // 2)
