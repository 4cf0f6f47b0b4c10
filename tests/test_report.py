"""The report: the page's numbers are those of the results, names are text and nothing more, the same results give the same bytes."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import html
import json
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from exactrelu import demo
from exactrelu.cli import main
from exactrelu.decimals import approximate
from exactrelu.errors import ExactReluError, InvalidFileError, InvalidRequestError
from exactrelu.report import code, report
from exactrelu.report.histogram import MOST_BINS, PLOT_HEIGHT, STACK, TOP, bins_for, count, panel
from exactrelu.report.pictures import pictures, raster
from exactrelu.report.preimages import Pair, Verdict
from exactrelu.verdict import Cardinality

VOID = {"meta", "link", "img", "br", "hr"}
LOADING = {"src", "href", "action", "xlink:href", "data", "srcset", "poster"}
# A cell ends where the next begins: HTML lets </td>, </th>, </tr> and </li> be left out.
ENDED_BY = {"td": {"td", "th"}, "th": {"td", "th"}, "tr": {"td", "th", "tr"}, "li": {"li"}}
HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)> `|**[a](http://x)** ] \u202e\ud800\n# h"
CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


class Page(HTMLParser):
    """The tables, texts by section, titles of bars, and everything that could load or run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.tags: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.titles: list[str] = []
        self.policy = ""
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        while self._open and self._open[-1] in ENDED_BY.get(tag, ()):
            self._open.pop()
        if tag not in VOID:
            self._open.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in LOADING]
        self.handlers += [name for name, _ in attributes if name.startswith("on") or name == "style"]
        if tag == "meta" and dict(attributes).get("http-equiv"):
            self.policy = dict(attributes)["content"]
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
        elif tag == "title":
            self.titles.append("")

    def handle_endtag(self, tag):
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data):
        if "style" in self._open:
            return
        self.words += data
        inside = [tag for tag in self._open if tag in {"td", "th", "title"}]
        if inside and inside[-1] == "title":
            self.titles[-1] += data
        elif inside and "table" in self._open:
            self.tables[-1][-1][-1] += data.strip() and data


def body(table):
    """The rows below the header, as texts without blanks at the ends."""
    return [[cell.strip() for cell in row] for row in table]


def record(row, cardinality, *, active=3, rank=3, dimension=None, layer=1, **more):
    blank = {"points": None, "solutions": None, "witness": None, "certificate": None, "seconds": 0.01}
    return {"row": row, "layer": layer, "cardinality": cardinality, "dimension": dimension, "active": active, "rank": rank, **blank, **more}


def envelope(results, *, domain="all", inputs=4, **more):
    return {
        "exactrelu": "0.1.0",
        "format": 1,
        "question": "preimage",
        "network": {"file": "models/net.onnx", "sha256": "a" * 64, "inputs": inputs, "outputs": 2},
        "domain": domain,
        "assumes": ["The reader is right."],
        "seconds": 1.5,
        "layers": [{"layer": 1, "name": "dense", "inputs": inputs, "outputs": 9, "rectified": 9, "bits": 8}],
        "data": {
            "file": "points.npz",
            "sha256": "b" * 64,
            "scale": "1/255",
            "subject": "input",
            "shape": [inputs],
            "constant": {"0": "0", "3": "1/2"},
        },
        "results": results,
        **more,
    }


def write(folder, name, found):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(found if isinstance(found, str) else json.dumps(found))


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The demo's folder, its results by domain, and its page."""
    folder = tmp_path_factory.mktemp("demo") / "digits"
    assert demo.run(folder, lambda: None, rows="0:12") == 0
    found = {path.name: json.loads(path.read_text()) for path in folder.glob("results-*.json")}
    # Beside these, the answer on the injectivity of layer 1, with a certificate of its own.
    return folder, found, (folder / "report.html").read_text(encoding="utf-8")


# ------------------------------------------------------------------ what the page says


def test_the_demo_ends_with_the_report(tmp_path, capsys):
    assert demo.run(tmp_path, lambda: None, rows="3:5") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert str(tmp_path / "report.html") in last


def test_the_table_of_verdicts_is_the_results(shown):
    _, found, text = shown
    tables = Page(text).tables[-3:]
    for layer, table in zip((1, 2, 3), tables, strict=True):
        second = "results-box.json" if layer == 1 else "results-orthant.json"
        want = []
        for one, other in zip(
            *([r for r in found[name]["results"] if r["layer"] == layer] for name in ("results-all.json", second)), strict=True
        ):
            assert one["row"] == other["row"]
            cells = [one["row"], one["active"], one["rank"]]
            for verdict in (one, other):
                size = Path(verdict["certificate"]).stat().st_size
                cells += [verdict["cardinality"], verdict["dimension"], f"{size / 1000:.1f}"]
            want.append([str(cell) for cell in cells])
        assert body(table)[2:] == want


def test_the_counts_and_the_bars_are_the_results(shown):
    _, found, text = shown
    page = Page(text)
    counts = body(page.tables[0])
    total = Counter()
    for where, *numbers in counts[1:]:
        layer = int(re.match(r"layer (\d)", where)[1])
        name = {"all": "all", "box": "box", "orthant": "orthant"}[where.split(", ")[1].removeprefix("the ").split()[0]]
        held = Counter(r["cardinality"] for r in found[f"results-{name}.json"]["results"] if r["layer"] == layer)
        assert dict(zip(counts[0][1:], map(int, numbers), strict=True)) == {kind: held[kind] for kind in counts[0][1:]}
        assert sum(held.values()) == 12
        total += held
    bars = Counter()
    # The figures of stability have titles of their own.
    for title in (title for title in page.titles[1:] if "positive outputs" in title):
        _, number, kind = re.fullmatch(r"(.*) positive outputs: (\d+) (\w+)", title).groups()
        bars[kind] += int(number)
    # Figures are drawn for the layers where more than one kind occurs.
    drawn = [
        layer for layer in (1, 2, 3) if len({r["cardinality"] for f in found.values() for r in f["results"] if r["layer"] == layer}) > 1
    ]
    assert bars == Counter(r["cardinality"] for f in found.values() for r in f["results"] if r["layer"] in drawn)
    assert set(drawn) != {1, 2, 3}, "the demo's third layer has one kind only"


def test_the_page_says_what_it_rests_on(shown):
    folder, found, text = shown
    page = Page(text)
    words = " ".join(page.words.split())
    some = found["results-all.json"]
    assert some["network"]["sha256"] in words
    assert some["data"]["sha256"] in words
    assert "function of real numbers" in words
    assert f"exactrelu check {folder.name} --against digits.onnx" in words
    assert f"python -m exactrelu.check {folder.name}" in words
    assert f"{sum(len(f['results']) for f in found.values()) + 1} certificates" in words
    constant = set.intersection(*(set(f["data"]["constant"]) for f in found.values()))
    assert f"{len(constant)} of 64 inputs have the same value" in words
    for name in found:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() in words
    assert str(folder) not in text, "where the folder lies is nobody's business"


def test_the_page_needs_nothing_and_runs_nothing(shown):
    _, _, text = shown
    page = Page(text)
    assert not {"script", "iframe", "object", "embed", "form", "base"} & set(page.tags)
    assert page.addresses
    assert all(address.startswith("data:") for address in page.addresses)
    assert page.handlers == []
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in style and "@import" not in style
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in page.policy
    assert page.policy.startswith("default-src 'none';") and "unsafe" not in page.policy


def test_the_same_results_give_the_same_bytes(shown, tmp_path, monkeypatch):
    folder, _, text = shown
    copy = tmp_path / "elsewhere" / folder.name
    shutil.copytree(folder, copy)
    (copy / "report.html").unlink()
    for suffix in ("html", "md"):
        report(folder, tmp_path / f"one.{suffix}")
        report(copy, tmp_path / f"two.{suffix}")
        monkeypatch.chdir(copy.parent)
        script = "import sys, pathlib; from exactrelu.report import report; report(*map(pathlib.Path, sys.argv[1:]))"
        subprocess.run(
            [sys.executable, "-c", script, copy.name, str(tmp_path / f"three.{suffix}")],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        texts = {(tmp_path / f"{name}.{suffix}").read_text(encoding="utf-8") for name in ("one", "two", "three")}
        assert len(texts) == 1
    assert (tmp_path / "one.html").read_text(encoding="utf-8") == text


def test_markdown_has_the_same_numbers(shown, tmp_path):
    folder, _, text = shown
    report(folder, tmp_path / "report.md")
    lines = (tmp_path / "report.md").read_text(encoding="utf-8").splitlines()
    # Both give the rows of the three layers in the same order.
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\|\d+\|", line)]
    assert rows == [row for table in Page(text).tables[-3:] for row in body(table)[2:]]


# ------------------------------------------------------------------ another input with the same output


def test_a_pair_is_shown_where_the_results_hold_one(tmp_path):
    point = ["0"] * 63 + ["1"]
    second = ["1/4"] * 2 + ["0"] * 61 + ["1"]
    pair = record(7, "bounded", witness={"point": point, "second_point": second})
    write(tmp_path, "results.json", envelope([pair, record(8, "unbounded")], inputs=64, domain="box:0,1"))
    text = report(tmp_path)[0].read_text(encoding="utf-8")
    words = " ".join(Page(text).words.split())
    assert "Row 7: 2 values of the image changed, by up to 0.25" in words
    assert "Black is 0, white 1;" in words
    assert "The results hold no second input" in words
    assert sum(address.startswith("data:image/png") for address in Page(text).addresses) == 3 + 1


def test_a_ray_is_followed_half_of_what_the_image_spans():
    pair = Pair(0, Cardinality.UNBOUNDED, ("0", "1", "0", "0") * 16, None, ("-3", "0", "6", "0") * 16)
    shown = pictures([pair], raster((8, 8), 64), None)
    assert (shown.largest, shown.changed, shown.black, shown.white) == ("0.5", 32, "-0.25", "1")


def test_numbers_beyond_floats_are_shown(tmp_path):
    huge = ["9" * 5000] + ["0"] * 63
    tiny = ["1/" + "9" * 5000] + ["0"] * 63
    write(tmp_path, "results.json", envelope([record(0, "bounded", witness={"point": tiny, "second_point": huge})], inputs=64))
    assert "Row 0: 1 value of the image changed" in " ".join(Page(report(tmp_path)[0].read_text(encoding="utf-8")).words.split())


def test_a_picture_is_a_png_of_the_values():
    grey = pictures([Pair(0, Cardinality.BOUNDED, ("0", "1", "1/2", "1"), ("0", "1", "1", "1"), None)], raster((2, 2), 4), None)
    content = base64.b64decode(grey.first.partition(",")[2])
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert bytes([0, 0, 0, 0, 255, 255, 255, 0, 128, 128, 128, 255, 255, 255]) in content


@pytest.mark.parametrize(
    ("shape", "inputs", "sides"),
    [
        ((), 784, (28, 28, 1)),
        ((784,), 784, (28, 28, 1)),
        ((3, 32, 32), 3072, (32, 32, 3)),
        ((32, 32, 3), 3072, (32, 32, 3)),
        ((2, 3), 6, (2, 3, 1)),
    ],
)
def test_images_are_recognised(shape, inputs, sides):
    layout = raster(shape, inputs)
    assert (layout.height, layout.width, layout.colours) == sides
    indices = [layout.index(pixel, colour) for pixel in range(layout.height * layout.width) for colour in range(layout.colours)]
    assert sorted(indices) == list(range(inputs))


@given(st.integers(-(10**150), 10**150), st.integers(1, 10**150), st.integers(0, 400))
def test_a_number_of_any_length_keeps_its_leading_digits(numerator, denominator, zeros):
    value = Fraction(numerator, denominator)
    text = f"{numerator}{'0' * zeros}/{denominator}{'0' * zeros}"
    assert abs(approximate(text) - value) <= abs(value) * Fraction(1, 10**55)


# ------------------------------------------------------------------ figures


@given(st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(STACK)), min_size=1, max_size=60))
def test_bars_have_the_height_of_their_counts(found):
    verdicts = [Verdict(k, kind, None, None, active, None, None, "") for k, (active, kind) in enumerate(found)]
    bins = bins_for(active for active, _ in found)
    assert bins.count <= MOST_BINS + 1
    table = count(verdicts, bins)
    assert sum(map(Counter.total, table)) == len(found)
    most = max(map(Counter.total, table))
    figure = panel(table, bins, most, None)
    top = int(figure.upwards[-1].text)
    assert top >= most
    for k, held in enumerate(table):
        parts = [bar for bar in figure.bars if bar.title.startswith(f"{bins.label(k)} positive")]
        assert [bar.kind for bar in parts] == [kind.value for kind in STACK if held[kind]]
        for bar in parts:
            assert abs(bar.height - PLOT_HEIGHT * held[Cardinality(bar.kind)] / top) <= 1
        if parts:
            assert parts[0].y + parts[0].height == TOP + PLOT_HEIGHT
        for low, high in pairwise(parts):
            assert 0 <= high.y + high.height - low.y <= 1


# ------------------------------------------------------------------ hostile results


def test_names_are_text_and_nothing_more(tmp_path):
    found = envelope(
        [record(0, "undecided", reached=HOSTILE), record(1, "bounded", certificate=f"/etc/{HOSTILE}")], domain=HOSTILE, inputs=64
    )
    found["network"]["file"] = found["data"]["file"] = found["exactrelu"] = found["layers"][0]["name"] = HOSTILE
    found["data"]["scale"] = HOSTILE
    found["assumes"] = [HOSTILE]
    folder = tmp_path / "<b>&'\""
    write(folder, "results<i>.json", found)
    page = Page(report(folder)[0].read_text(encoding="utf-8"))
    assert not {"script", "b", "base", "a"} & set(page.tags)
    assert "alert(1)" in page.words
    assert all(address.startswith("data:") for address in page.addresses)
    assert page.handlers == []
    text = report(folder, tmp_path / "report.md")[0].read_text(encoding="utf-8")
    rendered = Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    assert set(rendered.tags) <= {"h1", "h2", "h3", "p", "ul", "li", "strong", "code", "hr", "table", "thead", "tbody", "tr", "th", "td"}
    assert rendered.addresses == []
    assert rendered.tags["h1"] == 1
    assert rendered.words.count("alert(1)") >= 6
    assert "\u202e" not in text


@given(st.text("`a\\<*|&", min_size=1))
def test_a_code_span_shows_the_text_itself(text):
    assert MarkdownIt("commonmark").renderInline(code(text)) == f"<code>{html.escape(text)}</code>"


def test_a_certificate_is_looked_for_beside_the_results_alone(tmp_path):
    (tmp_path / "secret").write_bytes(b"x" * 123456)
    folder = tmp_path / "folder"
    write(folder, "results.json", envelope([record(0, "bounded", certificate="../secret"), record(1, "bounded", certificate="a\\..\\..")]))
    with pytest.raises(InvalidFileError, match="not the path of a file"):
        report(folder)
    write(folder, "results.json", envelope([record(0, "bounded", certificate=str(tmp_path / "secret"))]))
    text = report(folder)[0].read_text(encoding="utf-8")
    assert "123.5" not in text
    assert "missing" in text


BROKEN = {
    "not JSON": "{",
    "foreign JSON": "[1, 2]",
    "foreign object": '{"a": 1}',
    "deep": "[" * 100_000,
    "a number with many digits": '{"exactrelu": ' + "9" * 5000 + "}",
    "nan": json.dumps(envelope([record(0, "bounded")])).replace("1.5", "NaN"),
    "another format": envelope([], format=2),
    "another question": envelope([], question="info"),
    "no network": envelope([], network=None),
    "no hash": envelope([], network={"file": "x", "sha256": "<b>", "inputs": 1, "outputs": 1}),
    "no results": envelope(None),
    "no verdict": envelope([]),
    "results of text": envelope(["bounded"]),
    "an unknown word": envelope([record(0, "<script>")]),
    "a word of another type": envelope([record(0, ["bounded"])]),
    "a row that is true": envelope([record(True, "bounded")]),
    "a negative row": envelope([record(-1, "bounded")]),
    "a huge row": envelope([record(2**60, "bounded")]),
    "a rank of text": envelope([record(0, "bounded", rank="3")]),
    "a certificate that is a number": envelope([record(0, "bounded", certificate=3)]),
    "a witness of floats": envelope([record(0, "bounded", witness={"point": [0.5], "second_point": [1.0]})]),
    "a witness over zero": envelope([record(0, "bounded", witness={"point": ["1/0"], "second_point": ["1"]})]),
    "a witness of two lengths": envelope([record(0, "bounded", witness={"point": ["1"], "second_point": ["1", "2"]})]),
    "a witness without a second point": envelope([record(0, "bounded", witness={"point": ["1"]})]),
    "a contradiction": envelope([record(0, "bounded"), record(0, "singleton")]),
    "assumptions of numbers": envelope([record(0, "bounded")], assumes=[1]),
    "layers of text": envelope([record(0, "bounded")], layers=["one"]),
    "constants of another kind": envelope(
        [record(0, "bounded")],
        data={"file": "x", "sha256": "b" * 64, "scale": "1", "subject": "input", "shape": [], "constant": {"x": "0"}},
    ),
    "negative time": envelope([record(0, "bounded")], seconds=-1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_results_are_refused_in_one_line(name, tmp_path, capsys):
    write(tmp_path, "results.json", BROKEN[name])
    assert main(["report", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert not (tmp_path / "report.html").exists()


def places(found):
    """Every place in a JSON value: the containers and keys that lead to what can be replaced."""
    for key in found if isinstance(found, dict) else range(len(found)) if isinstance(found, list) else ():
        yield found, key
        yield from places(found[key])


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from([HOSTILE, "1/0", "7" * 500]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def assert_changes_are_shown_safely_or_refused(folder, name, found, data):
    """Change one or two places of a result at will: its report is refused, or is a page without foreign elements and addresses."""
    for _ in range(data.draw(st.integers(1, 2))):
        holder, key = data.draw(st.sampled_from(list(places(found))))
        holder[key] = data.draw(JSON_VALUES)
    write(folder, name, found)
    for suffix in ("html", "md"):
        try:
            path, _ = report(folder, folder / f"report.{suffix}")
        except ExactReluError:
            continue
        text = path.read_text(encoding="utf-8")
        page = Page(text if suffix == "html" else MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
        assert not {"script", "iframe", "a", "b"} & set(page.tags)
        assert suffix == "md" or not page.handlers
        assert all(address.startswith("data:") for address in page.addresses)


@given(st.data())
def test_any_change_of_a_result_is_shown_safely_or_refused(data):
    witness = {"point": ["0", "1", "-1/2", "0"], "second_point": ["1", "1", "0", "3"]}
    found = envelope([record(0, "bounded", witness=witness), record(1, "undecided", reached="no time"), record(2, "empty", dimension=-1)])
    found["data"]["shape"] = [2, 2]
    with tempfile.TemporaryDirectory() as name:
        assert_changes_are_shown_safely_or_refused(Path(name), "results.json", found, data)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"network": {"file": "n", "sha256": "c" * 64, "inputs": 4, "outputs": 2}}, "another network"), ({"data": "other"}, "other points")],
)
def test_a_report_is_about_one_network_and_one_file_of_points(tmp_path, change, said):
    second = envelope([record(0, "bounded")], domain="orthant")
    if "data" in change:
        second["data"]["sha256"] = "d" * 64
    else:
        second.update(change)
    write(tmp_path, "results-1.json", envelope([record(0, "bounded")]))
    write(tmp_path, "results-2.json", second)
    with pytest.raises(InvalidRequestError, match=said):
        report(tmp_path)


def test_runs_in_parts_and_in_subfolders_are_joined(tmp_path):
    write(tmp_path / "all", "results.json", envelope([record(0, "bounded"), record(1, "undecided", reached="no time")]))
    write(tmp_path / "all", "results-2.json", envelope([record(1, "singleton"), record(2, "infinite")]))
    write(tmp_path / "box", "results.json", envelope([record(2, "bounded")], domain="box:0,1"))
    third = envelope([record(3, "bounded")])
    third["data"]["constant"] = {"0": "0", "1": "0", "3": "1"}
    write(tmp_path / "all", "results-3.json", third)
    _, results = report(tmp_path)
    assert results.data.constant == {0: "0"}, "what is constant in all parts, with one value"
    assert [answers.domain for answers in results.answers] == ["all", "box:0,1"]
    assert [verdict.cardinality.value for verdict in results.answers[0].verdicts] == ["bounded", "singleton", "infinite", "bounded"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{}/nowhere"], "not a folder"),
        (["{}"], "holds no results"),
        (["{}/ok", "-o", "{}/report.pdf"], ".html or .md"),
        (["{}/ok", "-o", "{}/no/r.md"], "cannot be written"),
    ],
)
def test_wrong_requests_are_one_line(tmp_path, capsys, arguments, said):
    write(tmp_path / "ok", "other.json", "{}")
    write(tmp_path / "ok", "results.json", envelope([record(0, "bounded")]))
    folder = tmp_path / "empty" if said == "holds no results" else tmp_path
    folder.mkdir(exist_ok=True)
    assert main(["report", *(argument.format(folder) for argument in arguments)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


def test_results_written_before_points_were_described_are_read(tmp_path):
    old = envelope([record(0, "bounded"), record(1, "singleton", rank=4)])
    del old["data"], old["layers"]
    write(tmp_path, "results.json", old)
    assert "do not say which file the points came from" in report(tmp_path)[0].read_text(encoding="utf-8")


def test_the_command_prints_one_line_or_one_object(tmp_path, capsys):
    write(tmp_path, "results.json", envelope([record(0, "bounded")]))
    assert main(["report", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'report.html'}: 1 verdict, ")
    assert main(["report", str(tmp_path), "-o", str(tmp_path / "r.md"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["question"], found["format"], found["network"]["sha256"]) == ("report", 1, "a" * 64)
    assert found["bytes"] == (tmp_path / "r.md").stat().st_size


# ------------------------------------------------------------------ size, and a real browser


def ten_thousand(folder):
    """What a run on 10,000 images leaves: two domains, in parts."""
    generator = random.Random(0)
    for domain in ("all", "box:0,1"):
        for first in range(0, 10_000, 2500):
            found = []
            for row in range(first, first + 2500):
                active = max(150, min(910, round(generator.gauss(494, 110))))
                kind = "singleton" if domain != "all" or active >= 784 else "bounded" if active > 520 else "unbounded"
                name = f"layer1-{domain[:3]}-row{row:05d}.certificate"
                found.append(
                    record(row, kind, active=active, rank=min(active, 784), dimension=max(0, 784 - active), certificate=f"out/{name}")
                )
                if row % 100 == 0:
                    (folder / name).write_bytes(b"x" * 20_000)
            write(folder, f"results-{domain[:3]}-{first:05d}.json", envelope(found, domain=domain, inputs=784))


def test_ten_thousand_rows_are_three_megabytes_and_quick(tmp_path):
    ten_thousand(tmp_path)
    begin = time.perf_counter()
    path, results = report(tmp_path)
    assert time.perf_counter() - begin < 20
    assert path.stat().st_size < 3_000_000
    assert sum(len(answers.verdicts) for answers in results.answers) == 20_000
    text = path.read_text(encoding="utf-8")
    assert len(Page(text).tables[-1]) == 10_002


class Chromium:
    """Headless Chromium spoken to over two pipes."""

    def __init__(self, profile):
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (theirs_in, theirs_out)]
        options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-quic",
            "--disable-sync",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ]
        self._process = subprocess.Popen(
            [CHROMIUM, *options, "about:blank"],
            pass_fds=(3, 4),
            start_new_session=True,
            preexec_fn=lambda: [os.dup2(end, number) for number, end in enumerate(ends, 3)],  # noqa: PLW1509 -- dup2 takes no lock
            env={**os.environ, "HOME": profile, "TMPDIR": profile},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (theirs_in, theirs_out, *ends):
            os.close(end)
        self._held, self._number, self._session, self.events = b"", 0, {}, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _receive(self):
        while b"\0" not in self._held:
            assert select.select([self._in], [], [], 60)[0], "Chromium has said nothing for a minute"
            read = os.read(self._in, 2**20)
            assert read, "Chromium ended"
            self._held += read
        message, _, self._held = self._held.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, path, width):
        self.events = []
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def value(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def close(self):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(20)
        os.close(self._in)
        os.close(self._out)


@pytest.mark.slow  # starts a browser, which on a busy machine may take minutes
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_finds_no_error_no_request_and_no_sideways_scroll(shown):
    folder, _, _ = shown
    # A short path: Chromium keeps a socket there, whose name has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="chromium", ignore_cleanup_errors=True) as profile, closing(Chromium(profile)) as browser:
        for width in (360, 1200):
            browser.open(folder / "report.html", width)
            # With everything unfolded no part may be wider than the window either.
            browser.value("document.querySelectorAll('details').forEach(part => { part.open = true })")
            assert browser.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            assert browser.value("innerWidth") == width
            assert browser.value("[...document.images].every(image => image.naturalWidth > 0)")
            # The style sheet is allowed by its hash: were it not, the page would be black on white without margins.
            assert browser.value("getComputedStyle(document.querySelector('rect.singleton')).fill") == "rgb(20, 70, 107)"
            methods = [event["method"] for event in browser.events]
            assert not [method for method in methods if method in {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}]
            asked = [event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"]
            assert [url for url in asked if not url.startswith("data:")] == [(folder / "report.html").as_uri()]
