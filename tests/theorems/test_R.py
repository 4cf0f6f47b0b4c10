"""R: activation regions. Second opinions: all sign patterns by PPL, closed formulas, Euler's relation, exact volumes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from math import comb, lcm
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import domain_rows, examples

from exactrelu.domain import AllSpace, Box, Domain
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.network.model import Layer, Network, SourceLayer
from exactrelu.regions import AffineSlice, RegionComplex, regions
from exactrelu.regions.statistics import volumes
from exactrelu.strategies import domains, networks, rational_vectors

ppl = pytest.importorskip("ppl", reason="pplpy gives the second opinion")

Point = tuple[Fraction, ...]
Pattern = tuple[bool, ...]


# ---------------------------------------------------------------- second opinions


@dataclass
class Facts:
    """What a complex is, by patterns and coordinates alone."""

    bounded: dict[Pattern, bool]
    adjacent: set[frozenset[Pattern]]
    vertices: set[Point]
    # Of every region that holds no line: its own vertices and the directions of its unbounded edges.
    spanned: dict[Pattern, tuple[set[Point], set[Point]]]


def _expression(row: list[Fraction]) -> Any:
    denominator = lcm(1, *(value.denominator for value in row))
    return ppl.Linear_Expression([int(value * denominator) for value in row[:-1]], int(row[-1] * denominator))


def facts_by_ppl(layers: tuple[Layer, ...], n: int, sides: list[list[Fraction]], start: list[list[Fraction]]) -> Facts | None:
    """All full-dimensional sign patterns on {sides <= 0} in R^n, the network's input being start (t, 1); None: no point."""
    whole = ppl.C_Polyhedron(n, "universe")
    for side in sides:
        whole.add_constraint(_expression(side) <= 0)
    if whole.is_empty():
        return None
    dimension = whole.affine_dimension()
    cells: list[tuple[Pattern, Any, list[list[Fraction]]]] = [((), whole, start)]
    for layer in layers:
        split = []
        for pattern, cell, inputs in cells:
            rows = [
                [
                    *(sum((w * a[j] for w, a in zip(weights, inputs, strict=True)), Fraction(0)) for j in range(n)),
                    sum((w * a[n] for w, a in zip(weights, inputs, strict=True)), bias),
                ]
                for weights, (bias,) in zip(layer.weight.fractions(), layer.bias.fractions(), strict=True)
            ]
            split += [(pattern + signs, part, out) for signs, part, out in _split(cell, rows, layer.rectified.tolist(), dimension)]
        cells = split
    found = Facts({}, set(), set(), {})
    for pattern, cell, _ in cells:
        assert pattern not in found.bounded
        found.bounded[pattern] = bool(cell.is_bounded())
        generators = list(cell.minimized_generators())
        if not any(one.is_line() for one in generators):
            points = (one for one in generators if one.is_point())
            own = {tuple(Fraction(int(c), int(one.divisor())) for c in one.coefficients()) for one in points}
            rays = {tuple(Fraction(int(c)) for c in one.coefficients()) for one in generators if one.is_ray()}
            found.spanned[pattern] = own, rays
            found.vertices |= own
    for (first, one, _), (second, other, _) in combinations(cells, 2):
        common = ppl.C_Polyhedron(one)
        common.intersection_assign(other)
        if not common.is_empty() and common.affine_dimension() == dimension - 1:
            found.adjacent.add(frozenset([first, second]))
    return found


def _split(cell: Any, rows: list[list[Fraction]], rectified: list[bool], dimension: int) -> list[tuple[Pattern, Any, list[list[Fraction]]]]:
    parts: list[tuple[Pattern, Any, list[list[Fraction]]]] = [((), cell, [])]
    for row, relu in zip(rows, rectified, strict=True):
        if not relu:
            parts = [(signs, part, [*outputs, row]) for signs, part, outputs in parts]
            continue
        fresh = []
        for signs, part, outputs in parts:
            form = _expression(row)
            vanishes = part.relation_with(form == 0).implies(ppl.Poly_Con_Relation.is_included())
            for positive in (True, False):
                piece = ppl.C_Polyhedron(part)
                piece.add_constraint(form >= 0 if positive else form <= 0)
                if not piece.is_empty() and piece.affine_dimension() == dimension and not (positive and vanishes):
                    fresh.append(((*signs, positive), piece, [*outputs, row if positive else [Fraction(0)] * len(row)]))
        parts = fresh
    return parts


def facts_of(found: RegionComplex) -> Facts:
    patterns = [tuple(row) for row in found.patterns().tolist()]
    assert len(set(patterns)) == found.regions == len(patterns)
    bounded = dict(zip(patterns, found.bounded.tolist(), strict=True))
    adjacent = [frozenset([patterns[a], patterns[b]]) for a, b in found.neighbours.tolist()]
    points = [tuple(point.fractions()) for point in found.points()]
    assert len(set(adjacent)) == len(adjacent) == found.adjacencies
    assert len(set(points)) == len(points) == found.vertices
    assert found.bounded_regions == sum(bounded.values())
    spanned = {}
    for region, pattern in enumerate(patterns):
        own = {points[vertex] for vertex in found.vertices_of(region)}
        if own:
            spanned[pattern] = own, {tuple(ray.fractions()) for ray in found.rays_of(region)}
        else:
            assert found.rays_of(region) == ()
    return Facts(bounded, set(adjacent), set(points), spanned)


def identity(n: int) -> list[list[Fraction]]:
    return [[Fraction(int(i == j)) for j in range(n + 1)] for i in range(n)]


def rectified_rows(network: Network) -> int:
    return sum(int(layer.rectified.sum()) for layer in network.layers)


def by_ppl(network: Network, domain: Domain) -> Facts | None:
    n = network.inputs
    return facts_by_ppl(network.layers, n, domain_rows(domain, n), identity(n))


def of_small_integers(inputs: int, seed: int) -> Network:
    """A network of -1, 0 and 1, in which hyperplanes coincide, meet in vertices and vanish, and some rows have no relu."""
    generator = np.random.default_rng([inputs, seed])
    widths = [inputs, *generator.integers(1, 5, 3).tolist()]
    chain = [layer(generator.integers(-1, 2, (m, n + 1)), generator.random(m) < 0.8) for n, m in pairwise(widths)]
    return chained(chain)


def in_general_position(widths: list[int], seed: int) -> Network:
    """A Gaussian network whose last layer has no relu."""
    generator = np.random.default_rng(seed)
    last = len(widths) - 2
    rows = (generator.standard_normal((m, n + 1)) for n, m in pairwise(widths))
    return chained([layer(values, np.full(len(values), place < last)) for place, values in enumerate(rows)])


def layer(rows: np.ndarray, rectified: np.ndarray) -> Layer:
    """A layer with rows (weights .., bias)."""
    weights, biases = (DyadicMatrix.from_floats(part.astype(float)) for part in (rows[:, :-1], rows[:, -1:]))
    return Layer(weights, biases, rectified)


def chained(chain: list[Layer]) -> Network:
    named = tuple(SourceLayer(i + 1, f"layer {i + 1}", (layer,), i) for i, layer in enumerate(chain))
    return Network(tuple(chain), named, (), (chain[0].inputs,))


def whole_complex(network: Network, **options: Any) -> RegionComplex:
    found = regions(network, **options)
    assert found.complete
    return found


# ---------------------------------------------------------------- the complex itself


@examples(60)
@given(networks(), st.data())
def test_R2_R3_degenerate_networks_on_domains_as_ppl_finds_them(network, data):
    assume(network.inputs <= 3 and rectified_rows(network) <= 8)
    domain = data.draw(domains(network.inputs))
    expected = by_ppl(network, domain)
    if expected is None:
        with pytest.raises(InvalidRequestError, match="domain is empty"):
            regions(network, domain=domain)
        return
    assert facts_of(whole_complex(network, domain=domain)) == expected


@examples(25)
@given(networks(), st.data())
def test_R2_R3_degenerate_networks_on_slices_as_ppl_finds_them(network, data):
    n = network.inputs
    assume(n >= 2 and rectified_rows(network) <= 7)
    count = data.draw(st.integers(1, min(n, 3)))
    points = [data.draw(rational_vectors(n)) for _ in range(count)]
    domain = data.draw(domains(n, near=points[0]))
    try:
        plane = AffineSlice.through(points)
    except InvalidRequestError:
        assume(False)
    k = count - 1
    columns = [*(direction.fractions() for direction in plane.directions), plane.origin.fractions()]
    start = [[column[i] for column in columns] for i in range(n)]
    sides = []
    for side in domain_rows(domain, n):
        row = [sum((a * b[j] for a, b in zip(side, start, strict=False)), Fraction(0)) for j in range(k + 1)]
        row[k] += side[n]
        sides.append(row)
    expected = facts_by_ppl(network.layers, k, sides, start)
    if expected is None:
        with pytest.raises(InvalidRequestError, match="domain is empty"):
            regions(network, domain=domain, affine_slice=plane)
        return
    assert facts_of(whole_complex(network, domain=domain, affine_slice=plane)) == expected


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_R2_R3_hundreds_of_networks_of_small_integers_as_ppl_finds_them(inputs):
    for seed in range(80):
        network = of_small_integers(inputs, seed)
        assert facts_of(whole_complex(network)) == by_ppl(network, AllSpace())


@pytest.mark.parametrize(("d", "m"), [(1, 7), (2, 6), (3, 6), (4, 6), (5, 6)])
def test_R4_one_layer_in_general_position_has_the_number_of_regions_of_the_formula(d, m):
    found = whole_complex(in_general_position([d, m, 1], d))
    assert found.regions == sum(comb(m, k) for k in range(d + 1))
    assert found.vertices == comb(m, d)
    assert found.bounded_regions == comb(m - 1, d)
    assert found.face_counts() == [comb(m, d - k) * sum(comb(m - d + k, j) for j in range(k + 1)) for k in range(d + 1)]


@examples(30)
@given(networks(inputs=2))
def test_R4_in_the_plane_vertices_minus_adjacencies_plus_regions_is_one(network):
    assume(rectified_rows(network) <= 9)
    found = whole_complex(network)
    assert found.vertices - found.adjacencies + found.regions == 1
    assert found.face_counts() == [found.vertices, found.adjacencies, found.regions]


@examples(20)
@given(networks(), st.booleans())
def test_R4_eulers_relation_holds_in_every_dimension(network, boxed):
    n = network.inputs
    assume(rectified_rows(network) <= 8)
    counts = whole_complex(network, domain=cube(n) if boxed else AllSpace()).face_counts()
    assert len(counts) == n + 1
    assert sum(count * (-1) ** k for k, count in enumerate(counts)) == (1 if boxed else (-1) ** n)


def cube(n: int) -> Box:
    return Box(RationalVector((-2,) * n), RationalVector((3,) * n, 2))


@examples(20)
@given(networks())
def test_R4_the_volumes_of_the_regions_add_up_to_the_volume_of_the_box(network):
    assume(rectified_rows(network) <= 8)
    found = whole_complex(network, domain=cube(network.inputs))
    parts = volumes(found)
    assert min(parts) > 0
    assert sum(parts) == Fraction(7, 2) ** network.inputs
