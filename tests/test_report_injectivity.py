"""The report on injectivity: two images with one output side by side, numbers where there are no images, hostile files refused."""

from __future__ import annotations

import base64
import copy
import json
import struct
import tempfile
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from test_report import BROKEN, HOSTILE, Page, assert_changes_are_shown_safely_or_refused, envelope, record, write
from theorems.oracles import examples

from exactrelu import demo
from exactrelu.cli import main
from exactrelu.errors import InvalidFileError
from exactrelu.network.readers import load
from exactrelu.report import report

PAIR = {"x": ["0", "1/2", "1", "0"], "y": ["1", "1/2", "1/4", "0"], "value": ["0", "3/2"]}
FLOAT32 = {
    "x": ["0.0", "0.5", "1.0", "0.0"],
    "y": ["1.0", "0.5", "0.25", "0.0"],
    "distinct": True,
    "inside": True,
    "outputs_equal": False,
    "largest_difference": "2.98e-07",
    "evaluated_by": "onnxruntime 1.2",
    "note": None,
}


def answer(verdict: str = "not-injective", **more: Any) -> dict[str, Any]:
    """An `injectivity` result on a layer with four inputs, which are an image of 2 x 2 pixels where the network's points say so."""
    found = envelope([], question="injectivity", domain="box:0,1")
    del found["results"], found["data"]
    collision = copy.deepcopy(PAIR) if verdict == "not-injective" else None
    blank = {"method": "tree of active rows", "inverse_lipschitz_upper": None, "certificate": None, "progress": None}
    return {**found, "verdict": verdict, "collision": collision, **blank, **more}


def words_of(folder: Path) -> str:
    return " ".join(Page(report(folder)[0].read_text(encoding="utf-8")).words.split())


def levels(uri: str) -> np.ndarray:
    """The pixels of a PNG that is not filtered, (height, width, 3)."""
    content = base64.b64decode(uri.partition(",")[2])
    width, height = struct.unpack(">II", content[16:24])
    start = content.index(b"IDAT")
    (length,) = struct.unpack(">I", content[start - 4 : start])
    raw = np.frombuffer(zlib.decompress(content[start + 4 : start + 4 + length]), dtype=np.uint8)
    return raw.reshape(height, 1 + 3 * width)[:, 1:].reshape(height, width, 3)


def test_the_demo_shows_two_images_with_the_same_features(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.run(tmp_path, lambda: None, rows="15:18") == 0
    said = capsys.readouterr().out
    assert "layer 1 is not injective on the box of pixels: image 17 and another one" in said
    found = json.loads((tmp_path / "injectivity-layer1-box-0,1.json").read_text())
    x, y = ([Fraction(text) for text in found["collision"][word]] for word in ("x", "y"))
    layer = load(demo.MODEL).layer(1).stages[0]
    rows, biases = layer.weight.fractions(), layer.bias.fractions()
    features = [
        [max(Fraction(0), sum((a * v for a, v in zip(row, point, strict=True)), b)) for row, (b,) in zip(rows, biases, strict=True)]
        for point in (x, y)
    ]
    assert features[0] == features[1] == [Fraction(text) for text in found["collision"]["value"]]
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    section = text.partition('<section id="injectivity">')[2].partition("</section>")[0]
    shown = Page(section).addresses
    assert len(shown) == 3
    for uri, point in zip(shown[:2], (x, y), strict=True):
        assert np.array_equal(levels(uri)[:, :, 0].reshape(-1), [round(255 * value) for value in point])
    changed = sum(a != b for a, b in zip(x, y, strict=True))
    words = " ".join(Page(section).words.split())
    assert f"{changed} of 64 values differ" in words
    assert "onnxruntime computes" in words or found["float32"]["evaluated_by"] in words
    assert (tmp_path / "injectivity-layer1-box-0,1.certificate").is_file()


def test_answers_alone_make_a_report(tmp_path: Path) -> None:
    write(tmp_path, "injectivity-layer1-box-0,1.json", answer(float32=FLOAT32, inverse_lipschitz_upper="12.5"))
    write(tmp_path, "injectivity-layer1-all.json", answer("undecided", domain="all", progress="3 of 4 branches are closed"))
    write(
        tmp_path,
        "injectivity-layer1-ball-2.json",
        answer(
            "injective",
            domain="ball:2",
            bias_margin={"value": None, "low": "1/4", "high": "1/3", "infinite": None, "reason": "time"},
            largest_box={"inner": "1/64", "outer": "1/32", "complete": True, "fixed_coordinates": 0},
        ),
    )
    words = words_of(tmp_path)
    assert "3 questions, 2 of them decided" in words
    assert "Not injective: two different inputs have exactly the same output." in words
    assert "Injective: no two different inputs have the same output." in words
    assert "the ball of radius 2" in words
    assert "2 of 4 values differ, by up to 1" in words
    assert "Rounded to float32 the two inputs stay different and are in the set" in words
    assert "onnxruntime 1.2 computes outputs that differ by up to 2.98e-07" in words
    assert "at most 12.5 times" in words
    assert "at least 0.25 and at most 0.3334" in words
    assert "scaled by 0.01562 about its middle it is injective; scaled by 0.03125 it is not" in words
    assert "3 of 4 branches are closed" in words
    assert "What was proved" not in words
    text = report(tmp_path, tmp_path / "report.md")[0].read_text(encoding="utf-8")
    rendered = Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    assert rendered.tables[0][:2] == [["coordinate", "first input", "second input", "change"], ["0", "0", "1", "1"]]


def test_answers_stand_beside_preimages_as_pictures_of_their_shape(tmp_path: Path) -> None:
    first = envelope([record(0, "bounded")])
    first["data"]["shape"] = [2, 2]
    write(tmp_path, "results.json", first)
    write(tmp_path, "injectivity-layer1.json", answer())
    text = report(tmp_path)[0].read_text(encoding="utf-8")
    section = text.partition('<section id="injectivity">')[2].partition("</section>")[0]
    shown = Page(section).addresses
    assert [levels(uri)[:, :, 0].tolist() for uri in shown[:2]] == [[[0, 128], [255, 0]], [[255, 128], [64, 0]]]
    write(tmp_path, "injectivity-layer2.json", {**answer(), "layers": [{**answer()["layers"][0], "layer": 2}]})
    assert report(tmp_path)[0].read_text(encoding="utf-8").partition('<section id="injectivity">')[2].count("<img") == 3, "no images there"


def test_a_decided_answer_replaces_an_undecided_one_and_contradictions_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "injectivity-a.json", answer("undecided"))
    write(tmp_path, "injectivity-b.json", answer("injective"))
    write(tmp_path, "injectivity-c.json", answer("undecided"))
    assert report(tmp_path)[1].injectivity[0].verdict == "injective"
    write(tmp_path, "injectivity-d.json", answer())
    with pytest.raises(InvalidFileError, match="contradicts"):
        report(tmp_path)


def test_names_in_answers_are_text_and_nothing_more(tmp_path: Path) -> None:
    found = answer(domain=HOSTILE, method=HOSTILE, progress=HOSTILE, float32={**FLOAT32, "evaluated_by": HOSTILE, "note": HOSTILE})
    found["layers"][0]["name"] = HOSTILE
    write(tmp_path, "injectivity<i>.json", found)
    page = Page(report(tmp_path)[0].read_text(encoding="utf-8"))
    assert not {"script", "b", "base", "a"} & set(page.tags)
    assert all(address.startswith("data:") for address in page.addresses)
    assert page.handlers == []
    text = report(tmp_path, tmp_path / "report.md")[0].read_text(encoding="utf-8")
    rendered = Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    assert set(rendered.tags) <= {"h1", "h2", "h3", "p", "ul", "li", "strong", "code", "hr", "table", "thead", "tbody", "tr", "th", "td"}
    assert rendered.addresses == []


WRONG = {
    "an unknown verdict": answer("<b>"),
    "a verdict of another type": {**answer(), "verdict": 1},
    "injective with a collision": {**answer("injective"), "collision": PAIR},
    "not injective without one": {**answer(), "collision": None},
    "a collision of one point": answer(collision={**PAIR, "y": PAIR["x"]}),
    "a collision of two lengths": answer(collision={**PAIR, "y": ["1"]}),
    "a collision of another layer": answer(collision={**PAIR, "x": ["0"], "y": ["1"]}),
    "a collision of floats": answer(collision={**PAIR, "x": [0.5] * 4}),
    "a collision over zero": answer(collision={**PAIR, "x": ["1/0"] * 4}),
    "a collision that is a list": answer(collision=[]),
    "a huge collision": answer(collision={**PAIR, "x": ["0"] * (2**18 + 1)}),
    "a layer of text": {**answer(), "layers": ["one"]},
    "layers of text": {**answer(), "layers": "one"},
    "float32 of text": answer(float32="same"),
    "float32 that is neither": answer(float32={**FLOAT32, "distinct": 1}),
    "a difference of text": answer(float32={**FLOAT32, "largest_difference": "<b>"}),
    "a bound of text": answer(inverse_lipschitz_upper="nan"),
    "a bound that is a number": answer(inverse_lipschitz_upper=1.5),
    "a margin of text": answer("injective", bias_margin="1/2"),
    "a margin over zero": answer("injective", bias_margin={"value": "1/0", "infinite": None}),
    "a box of text": answer("injective", largest_box="all"),
    "a box without a size": answer("injective", largest_box={"outer": "1"}),
    "a margin that is infinite somehow": answer("injective", bias_margin={"infinite": True}),
    "a certificate that is a number": answer(certificate=3),
}


@pytest.mark.parametrize("name", WRONG)
def test_broken_answers_are_refused_in_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert name not in BROKEN or WRONG[name] != BROKEN[name]
    write(tmp_path, "injectivity.json", WRONG[name])
    assert main(["report", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


@examples(80)
@given(st.data())
def test_any_change_of_an_answer_is_shown_safely_or_refused(data: st.DataObject) -> None:
    margin = {"value": "1/3", "low": None, "high": None, "infinite": None}
    found = answer(
        float32=copy.deepcopy(FLOAT32), bias_margin=margin, largest_box={"inner": "1/4", "outer": None}, inverse_lipschitz_upper="3.5"
    )
    with tempfile.TemporaryDirectory() as name:
        assert_changes_are_shown_safely_or_refused(Path(name), "injectivity.json", found, data)
