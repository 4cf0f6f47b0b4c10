"""`exactrelu regions` and its plots: JSON, exit codes, and polygons that are exactly the regions in a view."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from functools import partial
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper, save
from theorems.oracles import examples
from theorems.test_R import chained, in_general_position, layer, of_small_integers, rectified_rows, whole_complex

from exactrelu import InvalidRequestError, RationalVector, check, demo, load, read_points
from exactrelu.domain import Ball, Box, Polytope
from exactrelu.regions import AffineSlice, regions
from exactrelu.regions.decision import boundary, classes
from exactrelu.regions.drawing.plot import save_plot, svg
from exactrelu.regions.drawing.polygons import View, area, clipped, coordinates, half, polygons, zero_set
from exactrelu.regions.graph import save_graph
from exactrelu.strategies import networks

MODEL, IMAGES = str(demo.MODEL), str(demo.IMAGES)
SLICED = [MODEL, "--slice", IMAGES, "--rows", "0:3", "--scale", "1/16", "--domain", "box:0,1"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def ask(run):
    """`exactrelu regions` with these arguments: (exit code, stdout, stderr)."""
    return partial(run, "regions")


def written(network, path):
    """An ONNX file of a network that has a relu after every layer but the last, or where none has a bias, all of it in float64."""
    nodes, weights, name = [], [], "x"
    for k, one in enumerate(network.layers):
        weights += [numpy_helper.from_array(one.weight.floats, f"w{k}"), numpy_helper.from_array(one.bias.floats[:, 0], f"b{k}")]
        nodes.append(helper.make_node("Gemm", [name, f"w{k}", f"b{k}"], [f"z{k}"], transB=1))
        name = f"z{k}"
        if one.rectified.all():
            nodes.append(helper.make_node("Relu", [name], [f"y{k}"]))
            name = f"y{k}"
    ends = [(name, network.outputs), ("x", network.inputs)]
    y, x = (helper.make_tensor_value_info(end, TensorProto.DOUBLE, [1, width]) for end, width in ends)
    save(helper.make_model(helper.make_graph(nodes, "network", [x], [y], weights), opset_imports=[helper.make_opsetid("", 13)]), path)
    return path


@pytest.fixture
def plane(tmp_path):
    """A random network with two inputs as a file."""
    return written(in_general_position([2, 9, 7, 1], 1), tmp_path / "plane.onnx")


# ---------------------------------------------------------------- the command


def test_the_regions_of_a_network_of_the_plane(ask, plane):
    code, out, err = ask(plane, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert {"exactrelu", "format", "question", "network", "domain", "assumes", "seconds"} <= found.keys()
    assert (found["question"], found["domain"], found["complete"], found["certificate"]) == ("regions", "all", True, None)
    assert found["vertices"] - found["adjacencies"] + found["regions"] == 1
    ours = regions(load(plane))
    for word in ("regions", "adjacencies", "vertices", "bounded_regions", "dimension"):
        assert found[word] == getattr(ours, word) > 0
    held = found["statistics"]
    assert Fraction(held["degree_mean"]) == Fraction(2 * found["adjacencies"], found["regions"])
    assert 1 < held["degree_max"] <= held["diameter"] * found["regions"]
    assert 1 < held["linear_pieces"] <= found["regions"]
    code, out, _ = ask(plane)
    assert code == 0
    assert f"{found['regions']}  regions, {found['bounded_regions']} of them bounded" in out
    assert "These are all regions." in out
    assert "evaluated without rounding" in out


def test_through_a_layer_counts_what_the_first_neurons_make(ask, plane):
    whole = json.loads(ask(plane, "--json")[1])
    first = json.loads(ask(plane, "--through", "1", "--json")[1])
    assert (first["regions"], first["neurons"], first["through"]) == (1 + 9 + 9 * 8 // 2, 9, 1)
    assert (whole["neurons"], whole["through"]) == (16, None)
    assert whole["regions"] > first["regions"]
    assert json.loads(ask(plane, "--through", "output", "--json")[1])["regions"] == whole["regions"]


def test_the_certificate_that_these_are_all(ask, plane, tmp_path):
    found = json.loads(ask(plane, "--out", tmp_path / "all", "--json")[1])
    first = json.loads(ask(plane, "--through", "1", "--domain", "box:-1,1", "--out", tmp_path / "all", "--json")[1])
    assert Path(found["certificate"]).exists() and found["uncertified"] is None
    assert Path(first["certificate"]).exists() and first["certificate"] != found["certificate"]
    report = check([str(tmp_path / "all")])
    assert [result.valid for result in report.results] == [True, True]
    assert {str(found["regions"]), str(first["regions"])} <= {word for result in report.results for word in result.claim.split()}


def test_the_certificate_of_a_slice(ask, tmp_path):
    found = json.loads(ask(*SLICED, "--through", "1", "--out", tmp_path, "--json")[1])
    assert Path(found["certificate"]).exists() and found["uncertified"] is None
    (result,) = check([str(tmp_path)]).results
    assert result.valid and result.claim.endswith("adjacencies, on a slice of dimension 2")


def test_a_plane_through_three_digits(ask, tmp_path):
    plot, graph = tmp_path / "digits.svg", tmp_path / "digits.json"
    code, out, err = ask(*SLICED, "--through", "1", "--plot", plot, "--graph", graph, "--json")
    found, held = json.loads(out), json.loads(graph.read_text())
    assert (code, err) == (0, "")
    assert (found["dimension"], found["bounded_regions"]) == (2, found["regions"])
    assert (found["slice"]["scale"], found["slice"]["subject"]) == ("1/16", "input")
    assert [len(held[word]) for word in ("regions", "adjacencies", "vertices")] == [
        found[word] for word in ("regions", "adjacencies", "vertices")
    ]
    assert found["regions"] > 100
    positive = np.array([[digit == "1" for digit in one["pattern"]] for one in held["regions"]])
    for word, flags in (("dead_neurons", ~positive.any(axis=0)), ("always_active_neurons", positive.all(axis=0))):
        assert found["statistics"][word] == [held["neurons"][i] for i in np.flatnonzero(flags)] != []
    assert len(list(ET.parse(plot).iter(f"{SVG}title"))) == 1 + found["regions"]


def test_a_time_limit_leaves_the_regions_of_the_first_neurons(ask, plane, tmp_path):
    plot = tmp_path / "part.svg"
    code, out, err = ask(plane, "--time-limit", "1e-9", "--plot", plot, "--colour", "output", "--json")
    found = json.loads(out)
    assert (code, err, found["complete"]) == (3, "", False)
    assert 0 < found["regions"] < json.loads(ask(plane, "--json")[1])["regions"]
    assert "of 16 neurons" in found["progress"]
    assert found["statistics"]["diameter"] is found["statistics"]["linear_pieces"] is found["statistics"]["degree_max"] is None
    assert "not complete" in plot.read_text()
    code, out, _ = ask(plane, "--time-limit", "1e-9")
    assert code == 3
    assert "Give a larger --time-limit" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([MODEL], "--slice FILE"),
        ([MODEL, "--domain", "box:0,1"], "--slice FILE"),
        ([MODEL, "--domain", "orthant"], "--slice FILE"),
        ([MODEL, "--domain", "ball:1"], "use a box"),
        ([MODEL, "--domain", "image:all"], "image"),
        ([MODEL, "--slice", IMAGES, "--scale", "1/16"], "three for a plane"),
        ([MODEL, "--slice", IMAGES], "--scale"),
        ([MODEL, "--slice", "none.npy"], "does not exist"),
        ([*SLICED[:-1], "box:2,3"], "domain is empty"),
        ([MODEL, "--slice", IMAGES, "--scale", "1/16", "--rows", "0:51"], "do not exist"),
        ([*SLICED, "--through", "7"], "there is no layer"),
        ([*SLICED, "--graph", "graph.txt"], ".graphml"),
        ([*SLICED, "--plot", "plot.png"], ".svg"),
        ([*SLICED, "--plot", "no/such/folder.svg"], "cannot be written"),
        ([*SLICED, "--plot", "p.svg", "--view", "1,0,0,1"], "no interior"),
        ([*SLICED, "--plot", "p.svg", "--view", "1,0"], "LEFT,RIGHT,BOTTOM,TOP"),
        ([*SLICED, "--view", "0,1,0,1"], "--plot FILE.svg"),
        ([*SLICED, "--store", "no/such/folder.sqlite"], "no/such/folder"),
        ([*SLICED, "--scheduler", "nowhere"], "nowhere"),
        ([*SLICED, "--workers", "0"], "--workers"),
        ([*SLICED, "--limit", "0"], "--limit"),
        ([*SLICED, "--pieces"], "--plot FILE.svg"),
        ([*SLICED, "--topology", "both"], "decision"),
        ([*SLICED, "--topology", "0,10"], "10 does not exist"),
        ([*SLICED, "--from", IMAGES], "--walk"),
        ([*SLICED, "--walk"], "--limit"),
        ([*SLICED, "--walk", "--limit", "3", "--store", "s.sqlite"], "--walk"),
        ([*SLICED, "--walk", "--limit", "3", "--graph", "g.graphml"], ".json"),
        ([MODEL, "--walk", "--limit", "3", "--from", IMAGES, "--scale", "1/16"], "50 points"),
        ([*SLICED, "--time-limit", "nan"], "--time-limit"),
        ([MODEL, "--rows", "0:3"], "--slice FILE"),
        ([MODEL, "--plot", "p.svg"], "two dimensions"),
        ([MODEL, "--slice", IMAGES, "--scale", "1/16", "--rows", "0:2", "--plot", "p.svg"], "two dimensions"),
    ],
)
def test_bad_requests_are_one_line_that_names_the_remedy(ask, arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = ask(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("exactrelu: ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_store_and_workers_change_nothing(ask, plane, tmp_path):
    asked = [plane, "--topology", "decision", "--json"]
    plain = json.loads(ask(*asked, "--graph", tmp_path / "plain.json")[1])
    code, out, err = ask(*asked, "--graph", tmp_path / "kept.json", "--store", tmp_path / "regions.sqlite", "--workers", "2")
    kept = json.loads(out)
    assert (code, err) == (0, "")
    assert {**plain, "seconds": 0} == {**kept, "seconds": 0}
    assert (tmp_path / "plain.json").read_bytes() == (tmp_path / "kept.json").read_bytes()
    assert plain["topology"]["betti"][0] >= 0
    # Of another network, the store is left alone.
    before = (tmp_path / "regions.sqlite").read_bytes()
    other = written(in_general_position([2, 4, 1], 2), tmp_path / "other.onnx")
    code, _, err = ask(other, "--store", tmp_path / "regions.sqlite")
    assert (code, err.count("\n")) == (2, 1)
    assert (tmp_path / "regions.sqlite").read_bytes() == before


def test_a_limit_below_the_first_cells_is_undecided_and_not_a_wrong_request(ask, plane, tmp_path):
    code, out, err = ask(plane, "--limit", "1", "--plot", tmp_path / "p.svg", "--out", tmp_path / "out", "--json")
    found = json.loads(out)
    assert (code, err, found["regions"], found["complete"], found["plot"]) == (3, "", 0, False, None)
    said = ask(plane, "--limit", "1", "--plot", tmp_path / "p.svg")[1]
    assert "larger" in said and "Plot:" not in said
    assert not (tmp_path / "p.svg").exists()


def test_a_walk_without_end_finds_what_the_run_finds(ask, plane, tmp_path):
    found = json.loads(ask(plane, "--json")[1])
    code, out, _ = ask(plane, "--walk", "--limit", "100000", "--graph", tmp_path / "walk.json", "--json")
    walked = json.loads(out)
    assert (code, walked["complete"], walked["frontier"]) == (0, True, 0)
    assert all(walked[word] == found[word] for word in ("regions", "adjacencies", "bounded_regions"))
    assert len(json.loads((tmp_path / "walk.json").read_text())["explored"]) == found["regions"]
    code, out, _ = ask(plane, "--walk", "--limit", "2")
    assert code == 3 and "2  regions explored" in out


def test_a_graph_that_is_interrupted_leaves_the_earlier_one(tmp_path, monkeypatch):
    def interrupted(_):
        yield "{"
        raise KeyboardInterrupt

    found, path = regions(in_general_position([2, 3, 1], 1)), tmp_path / "graph.json"
    save_graph(found, path)
    before = path.read_bytes()
    monkeypatch.setattr(import_module("exactrelu.regions.graph"), "json_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_graph(found, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["graph.json"]


def test_a_ball_is_refused_in_python_as_well():
    with pytest.raises(InvalidRequestError, match="use a box"):
        regions(in_general_position([2, 3, 1], 0), domain=Ball(Fraction(1)))


def test_networks_that_read_images_are_refused_at_once_and_flat_ones_are_not():
    assert not regions(in_general_position([40, 20, 1], 0)).complete
    flat = chained([layer(np.outer([1, 2, -1], np.ones(41)), np.ones(3, dtype=bool))])
    found = regions(flat)
    assert (found.regions, found.complete, len(found.lineality)) == (2, True, 39)
    low, high = RationalVector((0,) * 40), RationalVector((1,) * 3 + (0,) * 37)
    assert regions(flat, domain=Box(low, high)).complete


# ---------------------------------------------------------------- polygons


VIEWS = st.tuples(*[st.integers(-12, 12)] * 2, *[st.integers(1, 9)] * 2).map(
    lambda four: View(Fraction(four[0], 3), Fraction(four[0] + four[2], 3), Fraction(four[1], 3), Fraction(four[1] + four[3], 3))
)


def size(view):
    return (view.right - view.left) * (view.top - view.bottom)


def is_convex_and_turns_left(polygon):
    points = coordinates(polygon)
    turns = zip(points, points[1:] + points[:1], points[2:] + points[:2], strict=True)
    return all((b[0] - a[0]) * (c[1] - b[1]) > (b[1] - a[1]) * (c[0] - b[0]) for a, b, c in turns)


@examples(60)
@given(st.data(), VIEWS)
def test_the_regions_fill_the_view_exactly(data, view):
    if data.draw(st.booleans()):
        network = of_small_integers(2, data.draw(st.integers(0, 400)))
    else:
        network = data.draw(networks())
        assume(network.inputs == 2 and rectified_rows(network) <= 9)
    found = whole_complex(network)
    inside = polygons(found, view)
    assert sum(map(area, inside.values())) == size(view)
    for region, polygon in inside.items():
        if len(polygon) > 2:
            assert is_convex_and_turns_left(polygon)
            x, y = zip(*coordinates(polygon), strict=True)
            middle = RationalVector.from_fractions([sum(x) / Fraction(len(x)), sum(y) / Fraction(len(y))])
            ours = zip(network.activation_pattern(middle), found.pattern(region), strict=True)
            assert all((a == b).all() for a, b in ours)


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 1, 0], [2, 2, -1]],  # strips
        [[1, -1, 0]],  # two half-planes
        [[0, 0, 1]],  # all of the plane
        [[3, -2, 1], [-3, 2, -1], [0, 0, 0]],
    ],
)
def test_regions_that_hold_lines_fill_the_view(rows):
    found = regions(chained([layer(np.array(rows), np.ones(len(rows), dtype=bool))]))
    assert found.lineality
    for corners in itertools.product((Fraction(-3), Fraction(0)), (Fraction(1, 7), Fraction(5))):
        view = View(corners[0], corners[1], corners[0] - 1, corners[1])
        assert sum(area(polygon) for polygon in polygons(found, view).values()) == size(view)


def test_a_region_that_only_touches_the_view_is_not_in_it():
    found = regions(chained([layer(np.array([[1, 0, 0]]), np.ones(1, dtype=bool))]))
    for left, inside in ((-1, [0]), (0, [1]), (Fraction(-1, 2), [0, 1])):
        assert list(polygons(found, View(Fraction(left), Fraction(left + 1), Fraction(0), Fraction(1)))) == inside


VECTORS = st.tuples(st.integers(-4, 4), st.integers(-4, 4), st.integers(0, 2)).filter(any)


@examples(300)
@given(st.lists(VECTORS, min_size=1, max_size=6), st.lists(st.integers(-3, 3), min_size=3, max_size=3), VIEWS)
def test_half_of_a_convex_set_and_the_other_half_are_all_of_it(generators, form, view):
    generators = [*generators, (0, 0, 1)]
    form = tuple(form)
    parts = [clipped(half(generators, tuple(sign * entry for entry in form)), view) for sign in (1, -1)]
    whole = clipped(generators, view)
    if any(form):
        assert sum(map(area, parts)) == area(whole)
    for part in parts:
        assert clipped([*part, *whole], view) == whole or not part
    common = zero_set(whole, form)
    assert all(sum(a * x for a, x in zip(form, point, strict=True)) == 0 for point in common)
    assert {tuple(point) for point in coordinates(common)} >= set(coordinates(parts[0])) & set(coordinates(parts[1])) or len(common) == 2


@pytest.mark.parametrize("seed", range(8))
def test_classes_divide_the_view_and_the_boundary_is_where_two_outputs_are_largest(seed):
    network = in_general_position([2, 5, 4, 3], seed) if seed % 2 else of_three_small_outputs(seed)
    found, view = regions(network), View(*map(Fraction, (-3, 3, -2, 2)))
    whole, met = Fraction(0), 0
    for region, polygon in polygons(found, view).items():
        maps = found.affine_map(region)
        for i, part in classes(maps, polygon):
            whole += area(part)
            for point in coordinates(part):
                y = network(RationalVector.from_fractions(point)).fractions()
                assert y[i] == max(y)
        for part in boundary(maps, polygon, "decision"):
            for point in coordinates(part):
                y = network(RationalVector.from_fractions(point)).fractions()
                assert y.count(max(y)) > 1
                met += 1
        for part in boundary(maps, polygon, (0, 2)):
            for point in coordinates(part):
                y = network(RationalVector.from_fractions(point)).fractions()
                assert y[0] == y[2]
    assert whole == size(view)
    grid = itertools.product(range(-30, 31, 3), range(-20, 21, 2))
    values = [network(RationalVector(point, 10)).fractions() for point in grid]
    if len({y.index(max(y)) for y in values}) > 1:
        assert met > 0


def of_three_small_outputs(seed):
    random = np.random.default_rng(seed)
    first, last = random.integers(-1, 2, (4, 3)), random.integers(-1, 2, (3, 5))
    last[2] = last[0]  # two outputs that are equal everywhere
    return chained([layer(first, np.ones(4, dtype=bool)), layer(last, np.zeros(3, dtype=bool))])


def test_the_boundary_of_one_output_changes_its_sign():
    network = in_general_position([2, 6, 5, 1], 3)
    found = regions(network)
    view = View.around(found)
    drawn = [part for region, polygon in polygons(found, view).items() for part in boundary(found.affine_map(region), polygon, "decision")]
    assert drawn
    for part in drawn:
        assert all(network(RationalVector.from_fractions(point)).fractions() == [0] for point in coordinates(part))


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("colour", ["pattern", "map", "output"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_plot_is_the_same_bytes_twice_and_one_xml_document(colour, outputs, tmp_path):
    for name in ("one.svg", "two.svg"):
        found = regions(in_general_position([2, 6, 4, outputs], 2))
        save_plot(found, tmp_path / name, colour=colour, boundary="decision", graph=True)
    text = (tmp_path / "one.svg").read_text()
    assert text == (tmp_path / "two.svg").read_text()
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root.attrib["role"] == "img"
    assert {element.attrib["id"] for element in root[:2]} == set(root.attrib["aria-labelledby"].split())
    assert "<script" not in text
    assert "href" not in text
    shown = len(polygons(found, View.around(found)))
    assert len(list(root.iter(f"{SVG}circle"))) == shown
    assert f"{shown} of {found.regions} regions" in root[1].text


def test_degenerate_complexes_are_drawn():
    network = chained([layer(np.array([[1, 1, 0], [1, -1, 0]]), np.ones(2, dtype=bool)), layer(np.array([[1, 1, 0]]), np.zeros(1, bool))])
    segment = regions(network, domain=Polytope(((1, 2), (-1, -2), (1, 0), (-1, 0)), (-1, 1, -5, -5)))
    point = regions(network, domain=Box(RationalVector((1, 2)), RationalVector((1, 2))))
    strips = regions(chained([layer(np.array([[1, 1, 0], [1, 1, -1]]), np.ones(2, dtype=bool))]))
    zero = regions(chained([layer(np.zeros((1, 3)), np.zeros(1, dtype=bool))]))
    for found, count in ((segment, 3), (point, 1), (strips, 3), (zero, 1)):
        assert found.regions == count
        for colour in ("pattern", "map", "output"):
            root = ET.fromstring(svg(found, colour=colour, boundary="decision", graph=True))
            assert len(list(root.iter(f"{SVG}circle"))) == count
    # Where F is 0 on all of a region that is shaded, and here it is on one of the four.
    drawn = ET.fromstring(svg(regions(network), boundary=0)).find(f"{SVG}g[@class='boundary']")
    assert any("Z" in path.attrib["d"] for path in drawn)


def test_numbers_of_any_size_are_drawn():
    for scale in (2.0**-1000, 2.0**900):
        found = regions(chained([layer(np.array([[1.0, 0, -scale], [0, 1.0, scale], [1.0, 1.0, -3 * scale]]), np.ones(3, dtype=bool))]))
        text = svg(found, colour="output", boundary="decision", graph=True)
        assert len(text) < 20_000
        assert "nan" not in text
        assert "inf" not in text


def test_what_cannot_be_drawn_is_refused_in_one_line(tmp_path):
    found = regions(in_general_position([3, 4, 1], 0))
    with pytest.raises(InvalidRequestError, match="slice through three points"):
        svg(found)
    found = regions(in_general_position([2, 4, 2], 0))
    for wrong in (2, (0, 2), -1):
        with pytest.raises(InvalidRequestError, match="2 outputs"):
            svg(found, boundary=wrong)
    with pytest.raises(InvalidRequestError, match=r"written as \.svg"):
        save_plot(found, tmp_path / "plot.pdf")
    with pytest.raises(InvalidRequestError, match="cannot be written"):
        save_plot(found, tmp_path / "no" / "plot.svg")
    part = regions(in_general_position([2, 8, 8, 1], 0), limit=10)
    assert "not complete" in svg(part)
    with pytest.raises(InvalidRequestError, match="not complete"):
        svg(part, colour="map")
    with pytest.raises(InvalidRequestError, match="no region"):
        svg(regions(in_general_position([2, 8, 8, 1], 0), limit=1))


def test_the_default_view_holds_all_vertices_of_bounded_regions():
    network, images = load(MODEL), read_points(IMAGES, shape=(64,), inputs=64, scale=Fraction(1, 16), rows="0:3").rows
    found = regions(
        network, through=1, affine_slice=AffineSlice.through(images), domain=Box(RationalVector((0,) * 64), RationalVector((1,) * 64))
    )
    view = View.around(found)
    assert all(view.left < x < view.right and view.bottom < y < view.top for x, y in (point.fractions() for point in found.points()))
    assert sum(map(area, polygons(found, view).values())) == area(clipped([(*p.numerators, p.denominator) for p in found.points()], view))
