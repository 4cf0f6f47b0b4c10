"""What `regions` gives around the complex: what must change nothing, limits, slices, statistics, the graph written out."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import examples
from theorems.test_R import Pattern, chained, facts_of, in_general_position, layer, of_small_integers, rectified_rows, whole_complex

from exactrelu.domain import AllSpace, Box, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.network.model import Layer, Network
from exactrelu.network.readers import load
from exactrelu.regions import AffineSlice, Neuron, RegionComplex, regions
from exactrelu.regions.charts import Chart
from exactrelu.regions.floats.filter import FloatFilter
from exactrelu.regions.floats.layers import FloatLayers, scaled_pairs
from exactrelu.regions.forms import HomogeneousLayers
from exactrelu.regions.graph import graphml_text, json_text, save_graph, to_networkx
from exactrelu.regions.statistics import (
    always_active_neurons,
    dead_neurons,
    degrees,
    diameter,
    linear_pieces,
    sizes_by_layer,
    volumes,
)
from exactrelu.strategies import domains, networks


def as_json(found: RegionComplex) -> str:
    return "".join(json_text(found))


# ---------------------------------------------------------------- points, and what must change nothing


@examples(25)
@given(networks(), st.data())
def test_an_interior_point_has_the_pattern_and_the_map_of_its_region(network, data):
    assume(rectified_rows(network) <= 9)
    domain = data.draw(domains(network.inputs))
    try:
        found = whole_complex(network, domain=domain)
    except InvalidRequestError:
        return
    for region in range(found.regions):
        point = found.interior_point(region)
        assert domain.contains(point)
        assert all((a == b).all() for a, b in zip(network.activation_pattern(point), found.pattern(region), strict=True))
        x = [*point.fractions(), Fraction(1)]
        rows = [row.fractions() for row in found.affine_map(region)]
        assert [sum(a * v for a, v in zip(row, x, strict=True)) for row in rows] == network(point).fractions()


@examples(30)
@given(networks(), st.data())
def test_the_float_filter_changes_nothing(network, data):
    assume(rectified_rows(network) <= 9)
    domain = data.draw(domains(network.inputs))
    try:
        without = whole_complex(network, domain=domain, floats=False)
    except InvalidRequestError:
        return
    assert as_json(whole_complex(network, domain=domain)) == as_json(without)


@pytest.mark.parametrize("widths", [[2, 12, 12, 1], [3, 8, 8, 1], [4, 6, 6, 1]])
def test_the_float_filter_changes_nothing_in_general_position(widths):
    network = in_general_position(widths, 5)
    assert as_json(regions(network)) == as_json(regions(network, floats=False))


@examples(30)
@given(networks(), st.data())
def test_a_sign_that_floats_decide_is_the_sign(network, data):
    n = network.inputs
    coordinates = st.one_of(st.integers(-3, 3), st.integers(-(2**80), 2**80))
    points = [(*data.draw(st.lists(coordinates, min_size=n, max_size=n)), data.draw(st.integers(1, 2**40))) for _ in range(5)]
    layers = HomogeneousLayers(network.layers, Chart.identity(n))
    filtered = FloatFilter(FloatLayers(layers))
    floats = scaled_pairs(points, n + 1)[0]
    errors = np.full(len(points), 2.0**-53)
    for number in range(len(network.layers)):
        positive, negative = filtered.signs(number, np.arange(network.layers[number].outputs), floats, errors)
        for place, point in enumerate(points):
            x = RationalVector(point[:-1], point[-1])
            for before in network.layers[:number]:
                x = before(x)
            z = np.array([(value > 0) - (value < 0) for value in network.layers[number].pre_activation(x).numerators])
            assert not (positive[place] & (z <= 0)).any()
            assert not (negative[place] & (z >= 0)).any()


def test_errors_of_one_layer_count_in_the_next():
    # relu(x - y) = 2^-60 cannot be seen in floats at x = 1 + 2^-60, y = 1; the next layer compares it with 2^-61.
    chain = [layer(np.array([[1.0, -1.0, 0.0]]), np.array([True])), layer(np.array([[1.0, -(2.0**-61)]]), np.array([True]))]
    points = scaled_pairs([(2**60 + 1, 2**60, 2**60)], 3)[0]
    floats = FloatFilter(FloatLayers(HomogeneousLayers(chain, Chart.identity(2))))
    positive, negative = floats.signs(1, np.arange(1), points, np.full(1, 2.0**-53))
    assert not positive.any()
    assert not negative.any()


def test_floats_decide_nearly_all_signs_in_general_position():
    layers = HomogeneousLayers(in_general_position([3, 20, 20, 1], 0).layers, Chart.identity(3))
    points = scaled_pairs([(*row, 1000) for row in np.random.default_rng(0).integers(-3000, 3000, (500, 3)).tolist()], 4)[0]
    positive, negative = FloatFilter(FloatLayers(layers)).signs(1, np.arange(20), points, np.full(500, 2.0**-53))
    assert (positive ^ negative).all()


@examples(20)
@given(networks(), st.randoms(use_true_random=False))
def test_the_order_and_the_positive_scale_of_neurons_do_not_matter(network, random):
    assume(rectified_rows(network) <= 9)
    chain, orders = [], []
    columns, factors = list(range(network.inputs)), [0] * network.inputs
    for one in network.layers:
        order = random.sample(range(one.outputs), one.outputs)
        scales = [random.choice([-40, -1, 0, 0, 3]) for _ in order]
        rows, biases = one.weight.fractions(), one.bias.fractions()
        weight = [
            [rows[i][j] * Fraction(2) ** (up - factors[k]) for k, j in enumerate(columns)] for i, up in zip(order, scales, strict=True)
        ]
        bias = [[biases[i][0] * Fraction(2) ** up] for i, up in zip(order, scales, strict=True)]
        chain.append(Layer(dyadic(weight, one.inputs), dyadic(bias, 1), one.rectified[order]))
        orders.append([i for i in order if one.rectified[i]])
        columns, factors = order, scales
    ours, theirs = facts_of(whole_complex(network)), facts_of(whole_complex(chained(chain)))
    places: list[int] = []
    for one, order in zip(network.layers, orders, strict=True):
        rectified = np.flatnonzero(one.rectified).tolist()
        places += [len(places) + rectified.index(i) for i in order]

    def moved(pattern: Pattern) -> Pattern:
        return tuple(pattern[place] for place in places)

    assert {moved(pattern): bounded for pattern, bounded in ours.bounded.items()} == theirs.bounded
    assert {frozenset(map(moved, pair)) for pair in ours.adjacent} == theirs.adjacent
    assert ours.vertices == theirs.vertices
    assert {moved(pattern): own for pattern, own in ours.spanned.items()} == theirs.spanned


def dyadic(rows: list[list[Fraction]], columns: int) -> DyadicMatrix:
    denominator = max((value.denominator for row in rows for value in row), default=1)
    return DyadicMatrix.from_integers([[int(value * denominator) for value in row] for row in rows], columns, 1 - denominator.bit_length())


# ---------------------------------------------------------------- limits, layers, domains


def only(network: Network, neurons: tuple[Neuron, ...]) -> Network:
    """The network in which only these neurons have a relu."""
    chain = []
    for number, one in enumerate(network.layers):
        kept = np.array([Neuron(number, row) in neurons for row in range(one.outputs)], dtype=bool)
        chain.append(Layer(one.stored, one.bias, kept))
    return chained(chain)


@pytest.mark.parametrize("limit", [4, 10, 40, 99])
def test_at_a_limit_the_complex_is_that_of_the_first_neurons(limit):
    network = in_general_position([2, 8, 8, 1], 2)
    found = regions(network, limit=limit)
    assert not found.complete
    assert found.regions <= limit
    assert facts_of(found) == facts_of(regions(only(network, found.neurons)))
    with pytest.raises(InvalidRequestError, match="not complete"):
        found.affine_map(0)


@pytest.mark.parametrize("seed", range(24))
def test_degenerate_networks_stop_at_a_limit_with_a_complex_of_some_neurons(seed):
    network = of_small_integers(1 + seed % 3, seed)
    whole = whole_complex(network)
    for limit in {1, 2, 3, 8, whole.regions - 1, whole.regions}:
        found = regions(network, limit=limit)
        assert found.regions <= limit
        assert found.complete == (facts_of(found) == facts_of(whole) and found.neurons == whole.neurons)
        if found.regions:
            assert facts_of(found) == facts_of(regions(only(network, found.neurons)))


def test_after_its_deadline_nothing_is_claimed_to_be_complete():
    network = in_general_position([2, 8, 8, 1], 2)
    found = regions(network, deadline=time.monotonic() - 1)
    assert not found.complete
    assert (found.regions, found.neurons) == (4, (Neuron(0, 0), Neuron(0, 1)))
    assert not regions(in_general_position([30, 40, 1], 0)).complete


def test_through_a_layer_is_the_complex_of_the_first_layers():
    network = in_general_position([2, 6, 5, 1], 3)
    first = chained([network.layers[0]])
    assert facts_of(regions(network, through=1)) == facts_of(regions(first))
    assert facts_of(regions(network, through="output")) == facts_of(regions(network)) == facts_of(regions(network, through="layer 3"))
    with pytest.raises(InvalidRequestError, match="there is no layer"):
        regions(network, through=9)


def test_a_wide_layer_takes_several_words():
    network = in_general_position([2, 70, 3, 1], 1)
    found = whole_complex(network)
    assert found.vertices - found.adjacencies + found.regions == 1
    assert sizes_by_layer(found)[0] == 1 + 70 + 70 * 69 // 2
    for region in range(0, found.regions, 97):
        masks = network.activation_pattern(found.interior_point(region))
        assert all((a == b).all() for a, b in zip(masks, found.pattern(region), strict=True))


def test_a_domain_in_a_hyperplane_a_point_and_lines():
    network = chained([layer(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, -1]]), np.ones(3, dtype=bool))])
    found = regions(network)
    assert (found.regions, found.vertices, found.bounded_regions, found.dimension) == (7, 0, 0, 3)
    assert found.lineality == (RationalVector((0, 0, 1)),)
    assert found.face_counts() == [0, 3, 9, 7]
    plane = regions(network, domain=Polytope(((1, 2, 3), (-1, -2, -3)), (-4, 4)))
    assert (plane.regions, plane.vertices, plane.dimension, plane.space_dimension) == (7, 3, 2, 3)
    assert all(x + 2 * y + 3 * z == 4 for x, y, z in (point.fractions() for point in plane.points()))
    with pytest.raises(InvalidRequestError, match="no volume"):
        volumes(plane)
    point = RationalVector((1, 2, 5), 7)
    single = regions(network, domain=Box(point, point))
    assert (single.regions, single.adjacencies, single.vertices, single.bounded_regions) == (1, 0, 1, 1)
    assert single.points() == (point,)


def test_bad_requests_are_refused_in_one_line():
    network = in_general_position([2, 3, 1], 0)
    with pytest.raises(InvalidRequestError, match="2 inputs"):
        regions(network, domain=Box(RationalVector((0,)), RationalVector((1,))))
    with pytest.raises(InvalidRequestError, match="domain is empty"):
        regions(network, domain=Polytope(((1, 0), (-1, 0)), (1, 1)))
    with pytest.raises(InvalidRequestError, match="give points of the network's input space"):
        regions(network, affine_slice=AffineSlice(RationalVector((0,)), ()))
    for points in ([], [(0, 0), (1, 2), (2, 4)], [(0, 0), (1,)], [(0, 0), (0, 0)]):
        with pytest.raises(InvalidRequestError, match="slice"):
            AffineSlice.through([RationalVector(point) for point in points])


# ---------------------------------------------------------------- statistics


@pytest.mark.parametrize("seed", range(12))
def test_statistics_are_those_of_their_definitions(seed):
    network = of_small_integers(2, seed)
    found = whole_complex(network)
    patterns = found.patterns()
    nx = pytest.importorskip("networkx")
    graph = to_networkx(found)
    assert degrees(found).tolist() == [graph.degree(region) for region in range(found.regions)]
    assert diameter(found) == nx.diameter(graph)
    assert [neuron for neuron, on in zip(found.neurons, patterns.T.tolist(), strict=True) if not any(on)] == list(dead_neurons(found))
    assert [neuron for neuron, on in zip(found.neurons, patterns.T.tolist(), strict=True) if all(on)] == list(always_active_neurons(found))
    prefixes = [chained(list(network.layers[: i + 1])) for i, one in enumerate(network.layers) if one.rectified.any()]
    assert sizes_by_layer(found) == tuple(regions(prefix).regions for prefix in prefixes)
    equal = nx.Graph([pair for pair in found.neighbours.tolist() if found.affine_map(pair[0]) == found.affine_map(pair[1])])
    equal.add_nodes_from(range(found.regions))
    pieces = linear_pieces(found).tolist()
    assert {frozenset(part) for part in nx.connected_components(equal)} == {
        frozenset(region for region in range(found.regions) if pieces[region] == piece) for piece in pieces
    }
    for pair, ends in enumerate(found.neighbours.tolist()):
        assert found.flipped(pair) == tuple(np.flatnonzero(patterns[ends[0]] != patterns[ends[1]]).tolist()) != ()


def test_two_neurons_flip_at_once_on_one_wall():
    rows = np.array([[1, 0, -1], [2, 0, -2], [-1, 0, 1], [0, 1, 0]])
    found = regions(chained([layer(rows, np.ones(4, dtype=bool))]))
    assert found.regions == 4
    assert {found.flipped(pair) for pair in range(found.adjacencies)} == {(0, 1, 2), (3,)}
    assert found.neurons == tuple(Neuron(0, row) for row in range(4))


def test_volumes_of_known_regions():
    network = chained([layer(np.array([[1, 1, -1], [1, -1, 0]]), np.ones(2, dtype=bool))])
    found = regions(network, domain=Box(RationalVector((0, 0)), RationalVector((1, 1))))
    assert volumes(found) == (Fraction(1, 4),) * 4
    unbounded = regions(network)
    assert volumes(unbounded) == (None,) * 4
    with_both = regions(chained([layer(np.array([[1, 0], [1, -2]]), np.ones(2, dtype=bool))]))
    assert sorted(map(str, volumes(with_both))) == ["2", "None", "None"]


# ---------------------------------------------------------------- the graph, written


def test_the_json_holds_the_complex():
    found = regions(of_small_integers(2, 7))
    held = json.loads(as_json(found))
    assert held["complete"] is True
    assert len(held["regions"]) == found.regions
    assert len(held["adjacencies"]) == found.adjacencies
    assert held["vertices"] == [point.texts() for point in found.points()]
    assert [one["bounded"] for one in held["regions"]] == found.bounded.tolist()
    assert [one["bounded"] for one in held["regions"]] == [bool(one["vertices"]) and not one["rays"] for one in held["regions"]]
    for one, row in zip(held["regions"], found.patterns().tolist(), strict=True):
        assert one["pattern"] == "".join(map(str, map(int, row)))


def test_the_graphml_is_read_by_networkx_as_the_same_graph(tmp_path):
    nx = pytest.importorskip("networkx")
    found = regions(in_general_position([2, 5, 4, 1], 4))
    path = tmp_path / "graph.graphml"
    save_graph(found, path)
    read, ours = nx.read_graphml(path), to_networkx(found)
    assert {frozenset(map(int, (a[1:], b[1:]))) for a, b in read.edges} == {frozenset(edge) for edge in ours.edges}
    assert [read.nodes[f"r{region}"]["pattern"] for region in ours] == [ours.nodes[region]["pattern"] for region in ours]
    assert path.read_text() == "".join(graphml_text(regions(in_general_position([2, 5, 4, 1], 4))))
    assert ET.parse(path).getroot().tag.endswith("graphml")
    save_graph(found, tmp_path / "graph.json")
    assert (tmp_path / "graph.json").read_text() == as_json(found)
    for name, words in (("graph.txt", "written as .json or .graphml"), ("no/graph.json", "cannot be written")):
        with pytest.raises(InvalidRequestError, match=words):
            save_graph(found, tmp_path / name)


def test_without_networkx_one_line_says_so(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)
    with pytest.raises(InvalidRequestError, match="pip install networkx"):
        to_networkx(regions(of_small_integers(1, 0)))


# ---------------------------------------------------------------- networks of the project


def test_every_degenerate_network_has_the_true_number_of_regions(shared):
    folder = shared / "networks" / "degenerate"
    truth: dict[str, Any] = json.loads((folder / "TRUTH.json").read_text())
    for name, number in truth.items():
        found = whole_complex(load(folder / name), domain=AllSpace())
        assert (name, found.regions) == (name, number)
        assert found.vertices - found.adjacencies + found.regions == 1


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("trained/moons_2_16_16_1.onnx", 463),
        ("public/marabou_fc1.onnx", 2061),
        ("public/arch_single_pendulum.onnx", 1280),
        ("public/nn4sys_lindex.onnx", 302),
        ("public/tll_n2_N8_0_0.onnx", 589),
        ("public/reach_prob_density_vdp.onnx", 49833),
        pytest.param("public/hcas_pra0_tau00.nnet", 426777, marks=pytest.mark.slow),
    ],
)
def test_trained_networks_satisfy_eulers_relation(shared, name, count):
    found = whole_complex(load(shared / "networks" / name))
    assert found.regions == count
    assert sum(number * (-1) ** k for k, number in enumerate(found.face_counts())) == (-1) ** found.dimension


def test_a_slice_through_three_images(shared):
    from exactrelu.points import read_points

    network = load(shared / "networks" / "trained" / "mnist_mlp_784_16_16_10.onnx")
    images = read_points(shared / "data" / "mnist_test_1000.npz", shape=(784,), inputs=784, scale=Fraction(1, 255), rows="0:3").rows
    plane = AffineSlice.through(images)
    found = whole_complex(network, affine_slice=plane)
    assert found.vertices - found.adjacencies + found.regions == 1
    for region in range(0, found.regions, 20):
        t = found.interior_point(region)
        x = plane.point(t)
        assert all((a == b).all() for a, b in zip(network.activation_pattern(x), found.pattern(region), strict=True))
        row, y = found.affine_map(region)[3].fractions(), network(x).fractions()[3]
        assert row[0] * t.fractions()[0] + row[1] * t.fractions()[1] + row[2] == y
    corners = {(Fraction(0), Fraction(0)), (Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))}
    assert [plane.point(RationalVector.from_fractions(corner)) for corner in sorted(corners)] == [images[0], images[2], images[1]]
