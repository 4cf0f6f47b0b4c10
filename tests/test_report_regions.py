"""The report on regions and the demo's part on them: what the run found, its picture only where it is ours, hostile files refused."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from test_report import HOSTILE, Page, assert_changes_are_shown_safely_or_refused, envelope, record, write
from theorems.oracles import examples
from theorems.test_R import chained, layer

from exactrelu import demo
from exactrelu.cli import main
from exactrelu.demo import arm
from exactrelu.domain import parse_domain
from exactrelu.errors import InvalidFileError
from exactrelu.network.readers import load
from exactrelu.points import read_points
from exactrelu.regions import regions
from exactrelu.regions.drawing.plot import save_plot
from exactrelu.regions.record import regions_record
from exactrelu.regions.topology import boundary
from exactrelu.report import report
from exactrelu.report.region_plot import description

EMPTY = {"degree_mean": None, "degree_max": None, "diameter": None, "linear_pieces": None, "dead_neurons": [], "always_active_neurons": []}
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><desc>Two regions.</desc>{}</svg>'


def diamond() -> Any:
    """|x| + |y| - 1."""
    signs = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    return chained([layer(signs, np.ones(4, bool)), layer(np.array([[1.0, 1, 1, 1, -1]]), np.zeros(1, bool))])


def result(**more: Any) -> dict[str, Any]:
    """A `regions` result of the plane."""
    found = envelope([], question="regions", domain="all", inputs=2)
    for key in ("results", "data", "layers"):
        del found[key]
    counts = {"regions": 4, "adjacencies": 4, "vertices": 1, "bounded_regions": 0, "neurons": 4}
    answer = {"through": None, "slice": None, "dimension": 2, "complete": True, "progress": None, "certificate": None, "uncertified": None}
    return {**found, **counts, **answer, "statistics": copy.deepcopy(EMPTY), "plot": None, "topology": None, **more}


def drawn(folder: Path, text: str, name: str = "regions.svg") -> dict[str, str]:
    """What a result says of a picture written beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return {"file": f"/elsewhere/{name}", "sha256": hashlib.sha256(text.encode()).hexdigest()}


def words_of(folder: Path) -> str:
    return " ".join(Page(report(folder)[0].read_text(encoding="utf-8")).words.split())


def pictures_of(folder: Path) -> list[bytes]:
    page = Page(report(folder)[0].read_text(encoding="utf-8"))
    assert all(address.startswith("data:") for address in page.addresses)
    return [base64.b64decode(address.partition(",")[2]) for address in page.addresses if address.startswith("data:image/svg+xml;base64,")]


# ---------------------------------------------------------------- what is shown


def test_a_run_with_its_picture_and_the_topology(tmp_path):
    found = regions(diamond())
    plot = {"file": str(tmp_path / "p.svg"), "sha256": save_plot(found, tmp_path / "p.svg", colour="output", boundary="decision")}
    held = regions_record(found, diamond(), through=None) | {"plot": plot, "topology": boundary(found, "decision").record("decision")}
    write(tmp_path, "regions-all.json", result(**held))
    path, results = report(tmp_path)
    page = Page(path.read_text(encoding="utf-8"))
    assert results.verdicts == 1
    assert pictures_of(tmp_path) == [(tmp_path / "p.svg").read_bytes()]
    assert "img-src data:" in page.policy
    words = " ".join(page.words.split())
    assert "Into which regions are the inputs divided?" in words
    assert "4 activation regions, 0 of them bounded; these are all." in words
    assert (
        "The decision boundary: dimension 1, bounded, Betti numbers 1, 1 over the field of two elements, Euler characteristic 0." in words
    )
    assert "No certificate was written." in words
    shown = {name.strip(): number.strip() for table in page.tables for number, name, *_ in table if len(table) > 5}
    assert shown["pairs of regions that share a facet"] == "4"
    assert shown["vertices"] == "1"
    assert shown["linear pieces: connected parts with one affine map"] == "4"
    assert shown["neighbours on average"] == "2"
    assert shown["walls at most from one region to another (diameter)"] == "2"
    assert shown["of them positive nowhere"] == "0"
    text = report(tmp_path, tmp_path / "r.md")[0].read_text(encoding="utf-8")
    assert "| 4 | activation regions |" in text.replace("\\", "")
    assert "Betti numbers 1, 1" in text
    assert report(tmp_path)[0].read_bytes() == path.read_bytes()


def test_the_command_writes_what_the_report_reads(tmp_path, shared, run):
    network = shared / "networks/trained/circles_2_8_1.onnx"
    assert run("regions", network, "--out", tmp_path)[0] == 0
    code, out, _ = run("report", tmp_path)
    assert code == 0
    assert "1 verdict" in out
    (written,) = tmp_path.glob("regions*.json")
    held = json.loads(written.read_text())
    words = words_of(tmp_path)
    assert f"{held['regions']} activation regions, {held['bounded_regions']} of them bounded; these are all." in words
    assert "Certificate that these are all regions, and that they meet like this:" in words
    assert "1 certificate for 1 verdict" in words


def test_an_incomplete_run_says_so_and_a_complete_one_replaces_it(tmp_path):
    part = result(complete=False, progress="the regions are those that the first 2 of 4 neurons make", regions=3)
    write(tmp_path, "regions-all.json", part)
    words = words_of(tmp_path)
    assert "at least 3 activation regions; the run stopped before all were found" in words
    assert "the first 2 of 4 neurons" in words
    assert "positive nowhere" not in words
    write(tmp_path, "regions-more.json", result())
    assert "4 activation regions, 0 of them bounded; these are all" in words_of(tmp_path)
    assert "at least" not in words_of(tmp_path)


def test_regions_and_preimages_stand_in_one_report(tmp_path):
    write(tmp_path, "results.json", envelope([record(0, "bounded")], inputs=2))
    write(tmp_path, "regions-slice-all.json", result(slice={"file": "three/digits.npz"}, through=1))
    words = words_of(tmp_path)
    assert "Which inputs have the same output?" in words
    assert "The network through layer 1, in all of" in words
    assert "on a slice of dimension 2 through points of digits.npz" in words
    assert "three/" not in words


def test_runs_that_contradict_one_another_are_refused(tmp_path):
    write(tmp_path, "regions-all.json", result())
    write(tmp_path, "regions-again.json", result(regions=5))
    with pytest.raises(InvalidFileError, match=r"contradicts the results before it: the network has [45] regions there and [45] here"):
        report(tmp_path)
    # Two slices through rows of one file are two questions.
    write(tmp_path, "regions-all.json", result(slice={"file": "x.npz"}))
    write(tmp_path, "regions-again.json", result(slice={"file": "x.npz"}, regions=5))
    assert report(tmp_path)[1].verdicts == 2


def points_in(page: Page) -> list[list[list[str]]]:
    """The tables of points, without their headers."""
    tables = [[[cell.strip() for cell in line] for line in table] for table in page.tables]
    return [table[1:] for table in tables if table[0][0] == "row" and table[0][1] in {"", "input"}]


def test_points_of_finite_preimages_are_listed_in_html_and_markdown(tmp_path):
    solutions = [["1/3", "-2"], ["0", "5"]]
    held = [record(4, "finite", points=2, solutions=solutions), record(5, "finite", points=2, solutions=[["1"] * 9] * 2)]
    write(tmp_path, "results.json", envelope(held, inputs=2))
    for suffix in ("html", "md"):
        text = report(tmp_path, tmp_path / f"r.{suffix}")[0].read_text(encoding="utf-8")
        page = Page(text if suffix == "html" else MarkdownIt("commonmark").enable("table").render(text))
        assert points_in(page) == [[["4", "1/3 ≈ 0.3333", "-2"], ["4", "0", "5"]]]
    write(tmp_path, "results.json", envelope([record(4, "finite", points=2, solutions=[["1"], ["1", "2"]])], inputs=2))
    with pytest.raises(InvalidFileError, match="different lengths"):
        report(tmp_path)


# ---------------------------------------------------------------- pictures of others


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<rect onload="alert(1)"/>',
        '<image href="http://example.org/x.png"/>',
        '<a href="http://example.org">x</a>',
        '<rect fill="url(http://example.org/x.svg#a)"/>',
        '<rect style="fill:url(http://example.org)"/>',
        "<style>@import 'http://example.org';</style>",
        "<style>rect{fill:url(x)}</style>",
        "<style>rect{fill:\\75rl(x)}</style>",
        "<foreignObject><p/></foreignObject>",
        '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
        '<use xlink:href="#a" xmlns:xlink="http://www.w3.org/1999/xlink"/>',
        '<animate attributeName="href" values="javascript:alert(1)"/>',
        "<!-- a comment -->",
        "<?xml-stylesheet href='http://example.org'?>",
        "<rect",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1") + "<rect>",
    ],
)
def test_a_picture_that_holds_more_than_shapes_is_not_shown(inside, tmp_path):
    assert description(SVG.format(inside).encode()) is None
    write(tmp_path, "regions.json", result(plot=drawn(tmp_path, SVG.format(inside))))
    assert pictures_of(tmp_path) == []
    assert "is not one that exactrelu draws" in words_of(tmp_path)


def test_entities_are_not_expanded(tmp_path):
    bomb = '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + SVG.format("<title>&b;</title>")
    assert description(bomb.encode()) is None
    assert description(SVG.format("").encode("utf-16")) is None


def test_only_the_picture_that_the_run_wrote_is_shown(tmp_path):
    fine = SVG.format('<rect x="1" fill="#ffffff"/>')
    plot = drawn(tmp_path, fine)
    write(tmp_path, "regions.json", result(plot=plot))
    assert pictures_of(tmp_path) == [fine.encode()]
    assert "Two regions." in words_of(tmp_path)
    (tmp_path / "regions.svg").write_text(fine.replace('"1"', '"2"'))
    assert pictures_of(tmp_path) == []
    assert "was changed since" in words_of(tmp_path)
    (tmp_path / "regions.svg").unlink()
    assert "is not beside the results" in words_of(tmp_path)
    outside = tmp_path / "elsewhere" / "deeper" / "regions.svg"
    drawn(outside.parent, fine)
    (tmp_path / "regions.svg").symlink_to(outside)
    assert pictures_of(tmp_path) == []


def test_the_words_of_a_picture_are_text(tmp_path):
    text = '<svg xmlns="http://www.w3.org/2000/svg"><desc>&lt;script&gt;alert(1)&lt;/script&gt;</desc></svg>'
    write(tmp_path, "regions.json", result(plot=drawn(tmp_path, text)))
    page = Page(report(tmp_path)[0].read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.words


# ---------------------------------------------------------------- results of others

BROKEN = {
    "no statistics": result(statistics=None),
    "no dimension": result(dimension=None),
    "a count of text": result(regions="4"),
    "a negative count": result(vertices=-1),
    "complete as a number": result(complete=1),
    "a mean of floats": result(statistics={**EMPTY, "degree_mean": 3.5}),
    "neurons as a number": result(statistics={**EMPTY, "dead_neurons": 3}),
    "a slice of text": result(slice="x.npz"),
    "a plot of text": result(plot="regions.svg"),
    "a plot without a name": result(plot={"file": "..", "sha256": ""}),
    "another boundary": result(topology={"boundary": HOSTILE, "betti": [1]}),
    "betti numbers of text": result(
        topology={
            "boundary": "decision",
            "bounded": True,
            "betti": ["1"],
            "dimension": 1,
            "filled_regions": 0,
            "euler_characteristic": 0,
        }
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_results_are_refused_in_one_line(name, tmp_path, capsys):
    write(tmp_path, "regions-all.json", BROKEN[name])
    assert main(["report", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


TOPOLOGY = {"boundary": "0,1", "bounded": False, "betti": [1, 0], "dimension": 1, "filled_regions": 2, "euler_characteristic": -3}


@examples(100)
@given(st.data())
def test_any_change_of_a_result_is_shown_safely_or_refused(data):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = result(topology=copy.deepcopy(TOPOLOGY), plot=drawn(folder, SVG.format("")), slice={"file": "x.npz"}, progress="stopped")
        found["statistics"] = {**EMPTY, "degree_mean": "7/2", "dead_neurons": [[0, 1]]}
        assert_changes_are_shown_safely_or_refused(folder, "regions-all.json", found, data)


# ---------------------------------------------------------------- the demo


def all_preimages(network: Any, domain: Any, place: tuple[Fraction, ...]) -> set[tuple[Fraction, ...]]:
    """Every point of the domain that a network sends to a place, region by region."""
    found, points = regions(network, domain=domain), set()
    for region in range(found.regions):
        (a, b, c), (d, e, f) = (row.fractions() for row in found.affine_map(region))
        u, v = place[0] - c, place[1] - f
        assert a * e != b * d
        point = ((u * e - b * v) / (a * e - b * d), (a * v - u * d) / (a * e - b * d))
        x = type(found.interior_point(region)).from_fractions(point)
        if domain.contains(x) and tuple(network(x).fractions()) == place:
            points.add(point)
    return points


def test_the_demo_shows_a_plane_of_images_and_every_preimage_of_the_hands_places(tmp_path, capsys):
    assert demo.run(tmp_path / "d", lambda: None, rows="15:17") == 0
    said = capsys.readouterr().out
    assert re.search(r"plane through three images, within the box of pixels, is cut into [1-9][0-9]+ regions", said)
    assert len(pictures_of(tmp_path / "d")) == len(pictures_of(tmp_path / "d-arm")) == 1
    model = load(arm.MODEL)
    domain = parse_domain("box:-5/2,5/2", 2)
    rows = read_points(arm.PLACES, shape=(2,), inputs=2).rows
    held = json.loads((tmp_path / "d-arm/results.json").read_text())["results"]
    assert len(held) == len(rows) == 3
    for place, found in zip(rows, held, strict=True):
        solutions = {tuple(map(Fraction, solution)) for solution in found["solutions"]}
        assert solutions == all_preimages(model, domain, tuple(place.fractions()))
        assert found["cardinality"] == "finite"
        assert found["points"] == len(solutions) == 2
        assert all(text in said for solution in found["solutions"] for text in solution)
    # The report lists them, and its decimals are those of the numbers.
    page = Page(report(tmp_path / "d-arm")[0].read_text(encoding="utf-8"))
    (listed,) = points_in(page)
    assert [[cell.partition(" ≈ ")[0] for cell in line] for line in listed] == [
        [str(row), *solution] for row, found in enumerate(held) for solution in found["solutions"]
    ]
    for exact, decimal in (cell.split(" ≈ ") for line in listed for cell in line[1:]):
        assert abs(Fraction(exact) - Fraction(decimal)) <= abs(Fraction(exact)) / 1000
    assert "both checkers: 3 of 3 certificates are valid" in said
