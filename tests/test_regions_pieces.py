"""Linear pieces as a view of the regions: their labels, their graph written out, and the plot without walls inside a piece."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import examples
from theorems.test_R import chained, layer, of_small_integers, rectified_rows, whole_complex

from exactrelu.domain import Box
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector, parse_rational
from exactrelu.regions import RegionComplex, regions
from exactrelu.regions.drawing.plot import save_plot, svg
from exactrelu.regions.drawing.polygons import View, polygons, walls
from exactrelu.regions.graph import json_text, save_graph, to_networkx
from exactrelu.regions.linear_pieces import LinearPieces
from exactrelu.strategies import domains, networks

if TYPE_CHECKING:
    from exactrelu.network.model import Network

VIEW = View(*map(Fraction, (-3, 3, -3, 3)))


def same_function(found: RegionComplex, first: int, second: int) -> bool:
    """Whether two regions that meet have one map: it has on the whole of both the values of the other's."""
    maps = [[row.fractions() for row in found.affine_map(region)] for region in (first, second)]
    points = [[*found.interior_point(region).fractions(), Fraction(1)] for region in (first, second)]
    values = [[[sum(a * x for a, x in zip(row, point, strict=True)) for row in one] for point in points] for one in maps]
    # They agree on the facet in common; inside one of the two, on a full-dimensional set, so only where they are equal on the domain.
    return values[0] == values[1]


def merged(found: RegionComplex) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(found.regions))
    graph.add_edges_from(pair for pair in found.neighbours.tolist() if same_function(found, *pair))
    return graph


@examples(40)
@given(networks(), st.data())
def test_pieces_are_the_connected_parts_with_one_map(network, data):
    assume(network.inputs <= 3 and rectified_rows(network) <= 8)
    try:
        found = whole_complex(network, domain=data.draw(domains(network.inputs)))
    except InvalidRequestError:
        return
    pieces = LinearPieces(found)
    expected = sorted(map(sorted, nx.connected_components(merged(found))))
    assert [list(pieces.regions_of(piece)) for piece in range(len(pieces))] == expected
    place = {region: piece for piece, own in enumerate(expected) for region in own}
    met = {tuple(sorted((place[i], place[j]))) for i, j in found.neighbours.tolist()}
    assert pieces.neighbours.tolist() == [list(pair) for pair in sorted(met) if pair[0] != pair[1]]
    assert pieces.bounded.tolist() == [all(found.bounded[own]) for own in expected]
    for piece, own in enumerate(expected):
        assert pieces.affine_map(piece) == found.affine_map(own[0])


def test_maps_that_differ_off_the_domain_alone_are_one():
    """relu(y) is 0 on the side y <= 0 and y on the other; on the line y = x both are functions of x, on y = 0 they are the same."""
    network = chained(
        [layer(np.array([[1.0, 0, 0], [0, 1, 0], [1, 1, 0]]), np.ones(3, bool)), layer(np.array([[1.0, 1, -1, 0]]), np.zeros(1, bool))]
    )
    flat = Box(RationalVector((-1, 0)), RationalVector((1, 0)))
    found = regions(network, domain=flat)
    assert found.regions == 2
    assert found.affine_map(0) != found.affine_map(1)
    assert len(LinearPieces(found)) == 1
    assert len(LinearPieces(regions(network))) > 1


def test_maps_that_are_multiples_of_one_another_are_two():
    """x / 2 and x."""
    network = chained(
        [layer(np.array([[1.0, 0], [1, 8], [-1, 8]]), np.ones(3, bool)), layer(np.array([[0.5, 0.25, -0.25, 0]]), np.zeros(1, bool))]
    )
    found = regions(network, domain=Box(RationalVector((-1,)), RationalVector((1,))))
    assert [found.affine_map(region)[0].texts() for region in range(found.regions)] == [["1/2", "0"], ["1", "0"]]
    assert len(LinearPieces(found)) == 2


def bent(seed: int) -> Network:
    """A network of the plane in which some walls bend nothing: one output reads half of the neurons."""
    generator = np.random.default_rng(seed)
    first = layer(generator.integers(-3, 4, (6, 3)), np.ones(6, bool))
    weights = np.where(np.arange(6) < 3, generator.integers(-2, 3, 6), 0)
    return chained([first, layer(np.append(weights, 0)[None], np.zeros(1, bool))])


@pytest.mark.parametrize("seed", range(6))
def test_the_graph_of_pieces_written_and_read_again(seed, tmp_path):
    found = regions(bent(seed))
    pieces = LinearPieces(found)
    assert len(pieces) < found.regions
    graph = to_networkx(found, pieces=True)
    assert sorted(map(list, map(sorted, graph.edges))) == pieces.neighbours.tolist()
    assert sorted(region for _, data in graph.nodes(data=True) for region in data["regions"]) == list(range(found.regions))
    held = json.loads("".join(json_text(pieces)))
    patterns = ["".join(map(str, row)) for row in found.patterns().astype(int).tolist()]
    for piece, one in enumerate(held["pieces"]):
        assert one["regions"] == list(pieces.regions_of(piece)) == list(graph.nodes[piece]["regions"])
        assert one["patterns"] == [patterns[region] for region in one["regions"]]
        assert one["bounded"] == bool(pieces.bounded[piece]) == graph.nodes[piece]["bounded"]
        rows = [[parse_rational(text) for text in row] for row in one["map"]]
        assert rows == [list(row.fractions()) for row in graph.nodes[piece]["map"]]
        point = RationalVector.from_fractions(map(parse_rational, one["point"]))
        (value,) = bent(seed)(point).fractions()
        assert value == sum(a * x for a, x in zip(rows[0], [*point.fractions(), Fraction(1)], strict=True))
    assert [entry["pieces"] for entry in held["adjacencies"]] == pieces.neighbours.tolist()
    save_graph(found, tmp_path / "pieces.graphml", pieces=True)
    read = nx.read_graphml(tmp_path / "pieces.graphml")
    assert {(a, b) for a, b in read.edges} == {(f"p{i}", f"p{j}") for i, j in pieces.neighbours.tolist()}
    assert read.nodes["p0"]["regions"].split() == [str(region) for region in pieces.regions_of(0)]
    assert read.nodes["p0"]["map"].split() == held["pieces"][0]["map"][0]


# ---------------------------------------------------------------- the plot


def edges(polygon: tuple[tuple[int, ...], ...]) -> set[frozenset[tuple[int, ...]]]:
    return {frozenset(pair) for pair in zip(polygon, [*polygon[1:], polygon[0]], strict=True)}


def on_the_frame(edge: frozenset[tuple[int, ...]]) -> bool:
    return any(all(sum(a * x for a, x in zip(side, corner, strict=True)) == 0 for corner in edge) for side in VIEW.sides())


@pytest.mark.parametrize("seed", range(30))
def test_walls_are_the_edges_that_two_polygons_share(seed):
    found = whole_complex(of_small_integers(2, seed))
    shown = polygons(found, VIEW)
    expected: dict[frozenset[tuple[int, ...]], set[int]] = {}
    for region, polygon in shown.items():
        for edge in edges(polygon):
            if not on_the_frame(edge):
                expected.setdefault(edge, set()).add(region)
    assert all(len(owners) == 2 for owners in expected.values())
    ends = found.neighbours.tolist()
    drawn = {frozenset(wall): set(ends[pair]) for pair, wall in walls(found, VIEW).items()}
    assert {edge: owners for edge, owners in drawn.items() if not on_the_frame(edge)} == expected


@pytest.mark.parametrize("colour", ["pattern", "map", "output"])
def test_the_plot_of_pieces_has_no_wall_inside_one(colour, tmp_path):
    found = regions(bent(1))
    pieces = LinearPieces(found)
    text = svg(found, colour=colour, graph=True, view=VIEW, pieces=True)
    assert (
        save_plot(found, tmp_path / "p.svg", colour=colour, graph=True, view=VIEW, pieces=True) == hashlib.sha256(text.encode()).hexdigest()
    )
    assert (tmp_path / "p.svg").read_text() == text
    root = ET.fromstring(text)
    groups = {group.get("class"): group for group in root if group.get("class")}
    ends = found.neighbours.tolist()
    between = [pair for pair in walls(found, VIEW) if len(set(pieces.labels[ends[pair]].tolist())) == 2]
    assert 0 < len(groups[f"walls {colour}"]) == len(between) < len(walls(found, VIEW))
    shapes = list(groups[f"regions {colour}"].iter("{http://www.w3.org/2000/svg}path"))
    assert all(shape.get("style") == f"stroke:{shape.get('fill')}" for shape in shapes)
    shown = {int(pieces.labels[region]) for region in polygons(found, VIEW)}
    assert len(list(groups["graph"].iter("{http://www.w3.org/2000/svg}circle"))) == len(shown)
    if colour == "pattern":
        assert len({shape.get("fill") for shape in shapes}) == len(shown)
    assert "linear pieces" in root[1].text


def test_pieces_need_a_complete_complex(tmp_path):
    found = regions(bent(1), limit=5)
    for ask in (LinearPieces, lambda found: svg(found, pieces=True), lambda found: save_graph(found, tmp_path / "g.json", pieces=True)):
        with pytest.raises(InvalidRequestError, match="not complete"):
            ask(found)
    assert not list(tmp_path.iterdir())
