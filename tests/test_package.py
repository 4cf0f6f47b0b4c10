"""The package as a stranger meets it: quick to start, a readable table of contents, complete as a wheel."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

import exactrelu

ROOT = Path(__file__).resolve().parents[1]


def seconds(*arguments: str) -> float:
    """The fastest of several runs of Python."""
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    return min(times)


def test_starting_takes_less_than_three_imports_of_numpy():
    numpy = seconds("-c", "import numpy")
    assert seconds("-m", "exactrelu", "--help") < 3 * numpy
    assert seconds("-c", "import exactrelu") < 3 * numpy


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import exactrelu", {"numpy", "cyclopts", "flint", "onnx", "torch", "exactrelu.errors"}),
        ("import exactrelu.cli", {"numpy", "flint", "onnx", "torch", "scipy", "pulp", "jinja2", "rich.progress"}),
        ("import exactrelu.check", {"numpy", "flint", "onnx", "torch", "exactrelu.errors", "exactrelu.certificates"}),
        ("import exactrelu.network.readers, exactrelu.preimage", {"torch", "onnx", "safetensors"}),
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(statement, absent):
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())
    assert not loaded & absent


def test_the_table_of_contents_is_sorted_and_true():
    assert exactrelu.__all__ == sorted(exactrelu.__all__) == sorted(exactrelu._HOME)
    assert set(exactrelu.__all__) <= set(dir(exactrelu))
    for name in exactrelu.__all__:
        assert getattr(exactrelu, name) is vars(importlib.import_module(f"exactrelu.{exactrelu._HOME[name]}"))[name]
    block = next(node for node in ast.parse(Path(exactrelu.__file__).read_text()).body if isinstance(node, ast.If))
    told = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert told == {name: f"exactrelu.{home}" for name, home in exactrelu._HOME.items()}
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        exactrelu.nothing_of_this_name  # noqa: B018


def test_functions_keep_their_names_when_their_modules_are_loaded():
    code = "import exactrelu.check, exactrelu.preimage, exactrelu\nprint(callable(exactrelu.check), callable(exactrelu.preimage))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "True True\n"


def test_the_shipped_data_are_small_and_credited():
    from exactrelu import demo

    assert sum(path.stat().st_size for path in (demo.MODEL, demo.IMAGES)) < 300_000
    assert "CC BY 4.0" in demo.MODEL.with_name("NOTICE").read_text()


def test_the_demo_decides_certifies_and_checks(tmp_path, capsys):
    from exactrelu import demo

    assert demo.run(tmp_path, lambda: None, rows="20:26") == 0
    out = capsys.readouterr().out
    assert out.count("37 of 37 certificates are valid") == 2
    assert "undecided" in out
    assert "evaluated without rounding" in out


@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="the sources are not there")
def test_the_wheel_holds_the_demo_and_the_types(tmp_path):
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    code = f"import sys; from hatchling.build import build_wheel; print(build_wheel({str(tmp_path)!r}))"
    name = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()[-1]
    names = set(zipfile.ZipFile(tmp_path / name).namelist())
    assert {"exactrelu/py.typed", "exactrelu/demo/digits.onnx", "exactrelu/demo/digits.npz", "exactrelu/demo/NOTICE"} <= names
    assert {f"exactrelu/report/{name}" for name in ("report.html.jinja", "report.md.jinja", "style.css")} <= names
    assert any(held.endswith("licenses/LICENSE") for held in names)
    assert not any(held.startswith(("tests/", "examples/")) for held in names)


@pytest.mark.skipif(not (ROOT / "constraints.txt").exists(), reason="the sources are not there")
def test_the_constraints_hold_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    asked = [*project["dependencies"], *project["optional-dependencies"]["torch"], *project["optional-dependencies"]["test"]]
    names = {text.split(">")[0].split("[")[0].strip().lower() for text in asked} - {"exactrelu"}
    assert names <= pinned
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()
