"""The report on stability and the demo's part on it: proved bounds stay bounds, wrong ranks of floats come first, hostile files refused."""

from __future__ import annotations

import copy
import json
import math
import re
import sys
import tempfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from test_report import HOSTILE, Page, assert_changes_are_shown_safely_or_refused, body, envelope, record, write
from theorems.oracles import examples
from theorems.test_R import chained, layer

from exactrelu import RationalVector, demo
from exactrelu.cli import main
from exactrelu.demo.stability import stability_of_images
from exactrelu.errors import InvalidFileError
from exactrelu.network.readers import load
from exactrelu.points import read_points
from exactrelu.report import report
from exactrelu.report.bounds import Bounds, apart, logarithm, ordered
from exactrelu.report.histogram import PLOT_HEIGHT, TOP
from exactrelu.report.stability_plot import MOST_DOTS, Curve, Dot, curves_panel, dots_panel
from exactrelu.result_folder import ResultFolder

SPECTRUM = {
    "rank": 2,
    "rank_bounds": [2, 2],
    "sigma_max": ["3", "3.0000000000001"],
    "sigma_min": ["0.33333333333333", "0.33333333333334"],
    "condition": ["8.9999999999997", "9.0000000000004"],
    "sigma": [["3", "3.0000000000001"], ["0.33333333333333", "0.33333333333334"], ["0", "0"]],
    "below": {},
    "numeric_rank": 2,
    "agrees": True,
}


def linearisation(row: int = 0, number: int = 1, **more: Any) -> dict[str, Any]:
    """One object of `results`."""
    about = {"row": row, "layer": number, "name": "dense", "composed": True, "active": 3}
    ran = {"before": None, "device": "cpu", "dtype": "float64", "seconds": 0.1}
    near = {"boundary": {"layer": 1, "row": 2, "squared_distance": "1/4", "distance": ["0.5", "0.5"]}}
    return {**about, **copy.deepcopy(SPECTRUM), **ran, **near, **more}


def result(*records: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**envelope(list(records or [linearisation()]), question="stability"), **more}


def network_of(inputs: int) -> dict[str, Any]:
    return {"file": "models/net.onnx", "sha256": "a" * 64, "inputs": inputs, "outputs": 2}


def page_of(folder: Path) -> Page:
    return Page(report(folder)[0].read_text(encoding="utf-8"))


def words_of(folder: Path) -> str:
    return " ".join(page_of(folder).words.split())


def ends(text: str) -> tuple[Fraction, Fraction | None]:
    """The ends of what a cell shows."""
    low, _, high = text.strip("[])").partition(", ")
    return Fraction(low), None if high == "∞" else Fraction(high or low)


def decimal(values: st.SearchStrategy[Fraction]) -> st.SearchStrategy[str]:
    return values.map(lambda value: format(Decimal(value.numerator) / Decimal(value.denominator), ".14g"))


DECIMALS = st.one_of(
    decimal(st.fractions(0, 10**6, max_denominator=10**6)),
    st.builds("{}.{}e{}{}".format, st.integers(0, 9), st.integers(0, 10**12), st.sampled_from(["", "+", "-"]), st.integers(0, 99)),
)


@st.composite
def bounded(draw: Any) -> tuple[Fraction, Bounds]:
    """A number and bounds of it."""
    texts = sorted((draw(DECIMALS), draw(DECIMALS)), key=Fraction)
    low, high = map(Fraction, texts)
    x = low + (high - low) * draw(st.fractions(0, 1, max_denominator=64))
    return x, Bounds(texts[0], draw(st.sampled_from([texts[1], None])))


# ---------------------------------------------------------------- bounds stay bounds


@examples(150)
@given(bounded())
def test_what_is_shown_holds_the_number_and_is_close_to_its_bounds(found):
    x, pair = found
    low, high = ends(pair.text)
    assert low <= Fraction(pair.lower) <= x
    assert Fraction(pair.lower) - low <= Fraction(pair.lower) / 1000
    if pair.upper is not None:
        assert high is not None
        assert x <= Fraction(pair.upper) <= high <= Fraction(pair.upper) * Fraction(1001, 1000)
    else:
        assert high is None


@examples(150)
@given(st.lists(bounded(), min_size=1, max_size=7), st.data())
def test_the_bounds_of_an_order_statistic_hold_it(found, data):
    place = data.draw(st.integers(0, len(found) - 1))
    x = sorted(value for value, _ in found)[place]
    pair = ordered([bounds for _, bounds in found], place)
    assert Fraction(pair.lower) <= x
    assert pair.upper is None or x <= Fraction(pair.upper)
    # They are the best: numbers at their ends, all lower ones or all upper ones, reach them.
    assert Fraction(pair.lower) == sorted(Fraction(bounds.lower) for _, bounds in found)[place]


@examples(100)
@given(bounded(), bounded())
def test_bounds_of_one_number_are_not_apart(one, other):
    first, second = ((Fraction(pair.lower), None if pair.upper is None else Fraction(pair.upper)) for _, pair in (one, other))
    low = max(first[0], second[0])
    highs = [high for _, high in (first, second) if high is not None]
    assert apart(one[1], other[1]) == (bool(highs) and low > min(highs))


@examples(100)
@given(DECIMALS)
def test_logarithms_are_those_of_decimals(text):
    if Fraction(text):
        assert math.isclose(logarithm(text), float(Decimal(text).log10()), rel_tol=1e-12, abs_tol=1e-12)
    else:
        assert logarithm(text) is None


# ---------------------------------------------------------------- what is shown


def test_a_run_as_the_page_shows_it(tmp_path):
    pytest.importorskip("torch", reason="singular values are proposed by PyTorch")
    from exactrelu.stability import stability

    generator = np.random.default_rng(0)
    network = chained([layer(generator.integers(-4, 5, (5, 4)).astype(float), np.ones(5, bool))])
    points = [RationalVector(tuple(generator.integers(1, 9, 3).tolist())) for _ in range(5)]
    records = [one.record() for one in stability(network, points, before=True)]
    write(tmp_path, "stability.json", result(*records, network=network_of(3)))
    path, results = report(tmp_path)
    page = Page(path.read_text(encoding="utf-8"))
    assert results.verdicts == 5
    assert "svg" in page.tags
    assert not page.addresses or all(address.startswith("data:") for address in page.addresses)
    header, *rows = body(page.tables[0])
    assert header[2:] == [
        "rank",
        "float rank",
        "agrees",
        "largest singular value",
        "smallest non-zero",
        "condition number",
        "distance to the boundary",
    ]
    assert [line[1] for line in rows] == ["least", "median", "largest"]
    for place, line in zip((0, 2, 4), rows, strict=True):
        assert line[2] == str(sorted(one["rank"] for one in records)[place])
        for column, pick in (
            (5, lambda one: one["sigma_max"]),
            (6, lambda one: one["sigma_min"]),
            (7, lambda one: one["condition"]),
            (8, lambda one: one["boundary"]["distance"]),
        ):
            pairs = [pick(one) for one in records if pick(one) is not None]
            at = (len(pairs) - 1) * place // 4
            low, high = ends(line[column])
            assert low <= sorted(Fraction(pair[0]) for pair in pairs)[at]
            assert high >= sorted(Fraction(pair[1]) for pair in pairs)[at]
    # Every row is listed, and every singular value of the first one with its bounds as they were written.
    every, values = (body(table)[1:] for table in page.tables[1:3])
    assert [line[0] for line in every] == [str(one["row"]) for one in records]
    want = [" to ".join(dict.fromkeys(pair)) for pair in records[0]["sigma"]]
    assert [line[2] for line in values] == want
    assert report(tmp_path)[0].read_bytes() == path.read_bytes()
    text = report(tmp_path, tmp_path / "r.md")[0].read_text(encoding="utf-8")
    (table,) = Page(MarkdownIt("commonmark").enable("table").render(text)).tables
    assert body(table) == [header, *rows]


def test_whole_bounds_are_shown_when_pointing_at_a_number(tmp_path):
    write(tmp_path, "stability.json", result())
    text = report(tmp_path)[0].read_text(encoding="utf-8")
    assert '<td title="at least 0.33333333333333, at most 0.33333333333334">[0.3333, 0.3334]' in text
    assert "rank 2, smallest non-zero singular value at least 0.33333333333333, at most 0.33333333333334</title>" in text


def test_a_wrong_rank_of_floats_comes_first_in_words(tmp_path):
    pytest.importorskip("torch", reason="singular values are proposed by PyTorch")
    from exactrelu.stability import stability

    # Floats take the second singular value, 2^-60, for noise.
    network = chained([layer(np.array([[1.0, 0, 0], [0, 2.0**-60, 0]]), np.ones(2, bool))])
    records = [one.record() for one in stability(network, [RationalVector((1, 1)), RationalVector((1, -1))])]
    assert [one["agrees"] for one in records] == [False, True]
    write(tmp_path, "stability.json", result(*records, network=network_of(2)))
    words = words_of(tmp_path)
    assert "Row 0, layer 1: floats report rank 1, but it is 2." in words
    assert words.count("but it is") == 1
    assert words.index("Floats are wrong about a rank here.") < words.index("distance to the boundary")
    assert "floats are wrong about 1 of the ranks" in words
    assert report(tmp_path)[0].read_text(encoding="utf-8").count('class="wrong"') == 2
    assert "floats report rank 1, but it is 2" in report(tmp_path, tmp_path / "r.md")[0].read_text(encoding="utf-8")


def test_disagreements_before_the_relu_are_told_and_many_are_counted(tmp_path):
    wrong = {"numeric_rank": 1, "agrees": False}
    write(tmp_path, "stability.json", result(linearisation(before={**SPECTRUM, **wrong})))
    assert "Row 0, layer 1, before its relu: floats report rank 1, but it is 2." in words_of(tmp_path)
    assert "floats report no other, but are wrong about 1 rank before a relu" in words_of(tmp_path)
    write(tmp_path, "stability.json", result(*(linearisation(row, **wrong) for row in range(25))))
    words = words_of(tmp_path)
    assert "Row 19, layer 1: floats" in words
    assert "Row 20, layer 1: floats" not in words
    assert "5 more stand in the results file." in words


def test_what_is_open_is_called_open(tmp_path):
    free = {"sigma": None, "sigma_min": None, "condition": None, "rank": None, "rank_bounds": [0, 3], "numeric_rank": None, "agrees": None}
    held = {"held": [["2.9", "3"]], "last_upper": "0.25"}
    write(tmp_path, "stability.json", result(linearisation(**free, matrix_free=held, boundary=None)))
    words = words_of(tmp_path)
    assert "1 linearisation, of which no exact rank was decided." in words
    assert "from 0 to 3" in words
    assert "not decided" in words
    assert "the last is in [0, 0.25] at row 0" in words
    assert "svg" not in page_of(tmp_path).tags
    several = [{"rank": None, "rank_bounds": [row, 2 + row], "agrees": None} for row in range(3)]
    write(tmp_path, "stability.json", result(*(linearisation(row, **more) for row, more in enumerate(several))))
    assert [line[2] for line in body(page_of(tmp_path).tables[0])[1:]] == ["from 0 to 2", "from 1 to 3", "from 2 to 4"]
    open_above = linearisation(condition=["9", None], sigma_min=["0", "0.5"])
    write(tmp_path, "stability.json", result(open_above))
    assert "[9, ∞)" in words_of(tmp_path)


def test_thresholds_removed_rows_and_the_bound_of_the_inverse_are_told(tmp_path):
    alone = [
        linearisation(row, composed=False, below={"1/2": [row, 2]}, removed=[{"row": 7, "quotient": "1/9", "sigma_min_upper": "0.33334"}])
        for row in (0, 1)
    ]
    write(tmp_path, "stability.json", result(*alone, inverse={"verdict": "injective", "inverse_lipschitz_upper": "12.5"}))
    words = words_of(tmp_path)
    assert "Layer 1 alone" in words
    assert "Layer 1: of its singular values, zeros counted, from 0 to 2 are below 1/2 at each input." in words
    assert "On all of its inputs layer 1 is injective: the distance of two inputs is at most 12.5 times that of their outputs" in words
    (removed,) = (body(table) for table in page_of(tmp_path).tables if "removed output" in body(table)[0])
    assert removed[1:] == [["0", "1", "7", "0.3334"], ["1", "1", "7", "0.3334"]]


def test_directions_are_images_where_inputs_are(tmp_path):
    directions = {"largest": ["1/2"] * 64, "smallest": ["-1/3"] * 64}
    write(tmp_path, "stability.json", result(linearisation(directions=directions), network=network_of(64)))
    images = [address for address in page_of(tmp_path).addresses if address.startswith("data:image/png")]
    assert len(set(images)) == 2
    write(
        tmp_path,
        "stability.json",
        result(linearisation(directions={"largest": ["1"] * 63, "smallest": ["1"] * 63}), network=network_of(64)),
    )
    assert not [address for address in page_of(tmp_path).addresses if address.startswith("data:image/png")]


def test_formulas_are_shown_as_latex_and_nothing_else_is(tmp_path):
    shown = {"map": r"\left[\begin{matrix}3 x_{1} + \frac{1}{2}\\0\end{matrix}\right]", "singular_values": r"\sqrt{3}"}
    write(tmp_path, "stability.json", result(linearisation(latex=shown), linearisation(1, latex=shown | {"singular_values": None})))
    assert all(words_of(tmp_path).count(text) == count for text, count in ((shown["map"], 2), (shown["singular_values"], 1)))
    page = report(tmp_path, output=tmp_path / "report.md")[0].read_text(encoding="utf-8")
    assert page.count(f"```math\n{shown['map']}\n```\n") == 2
    for hostile in ("``` <script>", "a\n```\nb", "<b>", "", "é", 7, "x" * 100001):
        write(tmp_path, "stability.json", result(linearisation(latex={"map": hostile})))
        with pytest.raises(InvalidFileError, match="latex"):
            report(tmp_path)


def test_kinds_of_question_stand_apart_and_beside_preimages(tmp_path):
    write(tmp_path, "results.json", envelope([record(0, "bounded")]))
    write(tmp_path, "stability.json", result(linearisation(), linearisation(number=2)))
    write(tmp_path, "stability-layer1-all.json", result(linearisation(composed=False)))
    write(tmp_path, "stability-float32.json", result(linearisation(dtype="float32", numeric_rank=1, agrees=False)))
    words = words_of(tmp_path)
    assert "Which inputs have the same output?" in words
    assert "The network from its input through layers 1, 2: 2 linearisations" in words
    assert "Layer 1 alone: 1 linearisation" in words
    assert "The network from its input through layer 1, in float32: 1 linearisation" in words
    assert report(tmp_path)[1].verdicts == 5


def test_results_that_contradict_one_another_are_refused(tmp_path):
    write(tmp_path, "stability.json", result())
    write(tmp_path, "stability-more.json", result(linearisation(rank=3, rank_bounds=[3, 3], agrees=False)))
    with pytest.raises(InvalidFileError, match="contradicts the results before it"):
        report(tmp_path)
    write(tmp_path, "stability-more.json", result(linearisation(sigma_max=["3.1", "3.2"])))
    with pytest.raises(InvalidFileError, match="contradicts the results before it"):
        report(tmp_path)
    # What was left open is no contradiction, whichever comes first.
    write(tmp_path, "stability-more.json", result(linearisation(rank=None, rank_bounds=[1, 3], agrees=None)))
    assert "the exact rank of each" in words_of(tmp_path)


# ---------------------------------------------------------------- figures


@examples(100)
@given(st.lists(bounded(), min_size=1, max_size=8))
def test_dots_stand_where_their_bounds_do_between_powers_of_ten(found):
    panel = dots_panel("t", "y", [Dot(0, False, "", rank, pair) for rank, (_, pair) in enumerate(found)])
    ticks = {mark.at: mark.text for mark in panel.upwards}
    assert 1 <= len(ticks) <= 8
    powers = [int(text.removeprefix("10").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))) for text in ticks.values()]
    assert powers == sorted(powers)
    for dot, (_, pair) in zip(panel.strokes, found, strict=True):
        assert TOP <= dot.y <= dot.down <= TOP + PLOT_HEIGHT
        for at, power in zip(ticks, powers, strict=True):
            for text, y in ((pair.lower, dot.down), (pair.upper, dot.y)):
                value = math.inf if text is None else Fraction(text)
                assert y <= at + 1 or value <= Fraction(10) ** power
                assert y >= at - 1 or value >= Fraction(10) ** power
    assert [dot.x for dot in panel.strokes] == sorted({dot.x for dot in panel.strokes})


@examples(60)
@given(st.lists(bounded(), min_size=1, max_size=250))
def test_bands_reach_from_lower_to_upper_bounds(found):
    panel = curves_panel("t", "y", [Curve(0, "", "", [pair for _, pair in found])])
    (band,) = panel.bands
    line, area = ([tuple(map(int, point.split())) for point in path.strip("MZ").split("L")] for path in (band.line, band.area))
    upper, lower = area[: len(area) // 2], area[len(area) // 2 :][::-1]
    assert [x for x, _ in upper] == [x for x, _ in lower] == sorted(x for x, _ in upper)
    assert all(a <= b for (_, a), (_, b) in zip(upper, lower, strict=True))
    assert line[: len(upper)] == upper
    assert len(upper) == min(len(found), 180)
    # Dots of the same values stand at the same heights.
    dots = dots_panel("t", "y", [Dot(0, False, "", 0, pair) for _, pair in found]).strokes
    assert len(found) > len(upper) or [(dot.y, dot.down) for dot in dots] == [(a, b) for (_, a), (_, b) in zip(upper, lower, strict=True)]


def test_over_depth_inputs_are_thin_lines_and_the_median_a_thick_one(tmp_path):
    rows = [["8", "4", "2"], ["4", "2"], ["2", "1", "0.5", "0.25"]]
    records = []
    for row, sigma in enumerate(rows):
        count, pairs = len(sigma), [[value, value] for value in sigma]
        more = {"rank": count, "rank_bounds": [count, count], "numeric_rank": count, "agrees": True, "sigma": pairs}
        records.append(linearisation(row, **more, sigma_max=pairs[0], sigma_min=pairs[-1]))
    write(tmp_path, "stability.json", result(*records))
    text = report(tmp_path)[0].read_text(encoding="utf-8")
    decay = text[text.index("Decay over depth") :].partition("</svg>")[0]
    thin, thick = (re.findall(rf'class="line {style}" d="M([^"]*)"', decay) for style in ("thin", ""))
    assert [path.count("L") + 1 for path in thin] == [3, 2, 4]
    # Medians are 4, 2 and 0.5: of three inputs the middle one, those whose rank is less counted as 0.
    (median,) = ([tuple(map(int, point.split())) for point in path.split("L")] for path in thick)
    drawn = [[tuple(map(int, point.split())) for point in path.split("L")] for path in thin]
    assert median == [drawn[1][0], drawn[1][1], drawn[2][2]]
    assert "thin lines are the inputs, the thick one is the median of all 3" in words_of(tmp_path)


def test_large_results_make_figures_of_bounded_size(tmp_path):
    sigma = [[str(3000 - k), str(3000 - k)] for k in range(3000)]
    large = {"rank": 3000, "rank_bounds": [3000, 3000], "numeric_rank": 3000, "sigma": sigma, "sigma_max": sigma[0]}
    write(tmp_path, "stability.json", result(linearisation(**large), *(linearisation(row) for row in range(1, 2500))))
    text = report(tmp_path)[0].read_text(encoding="utf-8")
    # Two figures of dots, each with the first ones.
    assert text.count("<circle") == 2 * MOST_DOTS
    assert len(text) < 2_500_000
    assert "500 more lines stand in the results file." in text
    assert "The first 1,024; all stand in the results file." in text


def test_figures_are_shapes_and_text_alone(tmp_path):
    write(tmp_path, "stability.json", result(linearisation(name=HOSTILE, before=copy.deepcopy(SPECTRUM))))
    page = page_of(tmp_path)
    assert not page.handlers
    assert not {"script", "iframe", "a", "b", "image", "use", "foreignobject"} & set(page.tags)
    figures = re.findall(r"<svg.*?</svg>", report(tmp_path)[0].read_text(encoding="utf-8"), re.DOTALL)
    assert len(figures) == 4
    for figure in figures:
        names = {element.tag for element in ET.fromstring(figure).iter()}
        assert names <= {"svg", "title", "path", "text", "g", "circle"}


# ---------------------------------------------------------------- results of others

BROKEN = {
    "results of text": result(results="none"),
    "a record of text": result("row 0"),
    "no bounds": result(linearisation(sigma_max=None)),
    "bounds of floats": result(linearisation(sigma_max=[3.0, 3.0])),
    "bounds the wrong way round": result(linearisation(sigma_max=["3.1", "3"])),
    "three bounds": result(linearisation(sigma_max=["3", "3", "3"])),
    "a negative bound": result(linearisation(sigma_min=["-1", "3"])),
    "nan as text": result(linearisation(sigma_min=["nan", "3"])),
    "nan as a number": json.dumps(result(linearisation(seconds=0.1))).replace('"seconds": 0.1', '"seconds": NaN'),
    "infinity as text": result(linearisation(condition=["1", "Infinity"])),
    "an endless number": result(linearisation(sigma_max=["3", "9" * 10**6])),
    "an endless exponent": result(linearisation(sigma_max=["3", "1e" + "9" * 10**4])),
    "a singular value of text": result(linearisation(sigma=["3"])),
    "an unsorted pair among many": result(linearisation(sigma=[["1", "1"]] * 10**4 + [["2", "1"]])),
    "a rank outside of its bounds": result(linearisation(rank_bounds=[1, 1])),
    "three bounds of a rank": result(linearisation(rank_bounds=[2, 2, 2])),
    "a rank of text": result(linearisation(rank="2")),
    "agreement of different ranks": result(linearisation(numeric_rank=1)),
    "disagreement of equal ranks": result(linearisation(agrees=False)),
    "agreement without a rank": result(linearisation(rank=None, rank_bounds=[0, 2])),
    "agreement of text": result(linearisation(agrees="yes")),
    "no agreement": result(linearisation(agrees=None)),
    "a threshold of html": result(linearisation(below={HOSTILE: [0, 1]})),
    "counts of text": result(linearisation(below={"1": "2"})),
    "before as text": result(linearisation(before="as after")),
    "a boundary without a distance": result(linearisation(boundary={})),
    "removed rows of numbers": result(linearisation(removed=[3])),
    "directions of floats": result(linearisation(directions={"largest": [0.5], "smallest": [0.5]})),
    "one direction": result(linearisation(directions={"largest": ["1"]})),
    "an unknown verdict": result(inverse={"verdict": HOSTILE}),
    "an inverse of two layers": result(inverse={"verdict": "injective"}, layers=[]),
    "a layer below 1": result(linearisation(number=0)),
    "composed of text": result(linearisation(composed="yes")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_results_are_refused_in_one_line(name, tmp_path, capsys):
    write(tmp_path, "stability.json", BROKEN[name])
    assert main(["report", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert len(err) < 1000


@examples(80)
@given(st.data())
def test_any_change_of_a_result_is_shown_safely_or_refused(data):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        removed = [{"row": 7, "quotient": "1/9", "sigma_min_upper": "0.33334"}]
        directions = {"largest": ["1"] * 4, "smallest": ["-1/2"] * 4}
        more = {"before": copy.deepcopy(SPECTRUM), "below": {"1/2": [1, 2]}, "removed": removed, "directions": directions}
        free = {"held": [["2.9", "3"]], "last_upper": "0.25"}
        found = result(linearisation(**more), linearisation(1, matrix_free=free), inverse={"verdict": "injective"})
        assert_changes_are_shown_safely_or_refused(folder, "stability.json", found, data)


# ---------------------------------------------------------------- folders and the demo


def test_answers_on_stability_and_preimages_do_not_replace_one_another(tmp_path):
    network = chained([layer(np.array([[1.0, 0]]), np.ones(1, bool))])
    folder = ResultFolder(tmp_path, network, "net")
    asked = [
        (envelope([record(0, "bounded")]), {}),
        (result(linearisation()), {"stem": "stability"}),
        (result(linearisation(composed=False)), {"stem": "stability"}),
        (result(linearisation(), linearisation(number=2)), {"stem": "stability"}),
    ]
    written = [Path(folder.results(found, **more)).name for found, more in asked]
    assert written == ["results.json", "stability.json", "stability-layer1-all.json", "stability-layers-all.json"]
    assert [Path(folder.results(found, **more)).name for found, more in asked] == written
    # Without a stem of its own an answer to another question does not replace the first one either.
    assert Path(folder.results(result(linearisation(composed=False)))).name != "results.json"


def test_the_demo_shows_how_stable_the_inverse_is_at_some_images(tmp_path, capsys):
    pytest.importorskip("torch", reason="singular values are proposed by PyTorch")
    assert demo.run(tmp_path / "d", lambda: None, rows="15:17") == 0
    said = capsys.readouterr().out
    held = json.loads((tmp_path / "d/stability.json").read_text())["results"]
    assert [(one["row"], one["layer"]) for one in held] == [(row, number) for row in (15, 16) for number in (1, 2, 3)]
    for one in held:
        line = next(line for line in said.splitlines() if re.match(rf"\s+{one['row']}\s+{one['layer']}\s+{one['active']}\s", line))
        low, high = map(Fraction, re.search(r"\[(\S+), (\S+)\]$", line).groups())
        assert low <= Fraction(one["condition"][0]) <= Fraction(one["condition"][1]) <= high <= low * Fraction(101, 100)
        assert line.split()[3] == str(one["rank"])
    assert "at none of 2 images do floats report a wrong rank" in said
    words = words_of(tmp_path / "d")
    assert "The network from its input through layers 1, 2, 3: 6 linearisations, the exact rank of each; floats report no other." in words
    assert "Row 15, layer 1: a change of the input in these directions" in words


def test_without_pytorch_the_demo_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    model = load(demo.MODEL)
    points = read_points(demo.IMAGES, shape=model.input_shape, inputs=model.inputs, scale=demo.SCALE, rows="0:1")
    said = stability_of_images(model, demo.MODEL, points, {}, ResultFolder(tmp_path, model, "digits"))
    assert "needs PyTorch, which is not installed; install exactrelu[torch]" in said
    assert not list(tmp_path.iterdir())
