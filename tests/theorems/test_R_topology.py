"""R: the topology of boundaries. Second opinions: nerves of convex covers by PPL, components of the complement, known shapes."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import domain_rows, examples
from theorems.test_R import _expression, _split, chained, identity, layer, ppl, rectified_rows

from exactrelu.domain import AllSpace, Box, Domain
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.readers import load
from exactrelu.regions import regions
from exactrelu.regions.topology import BoundaryTopology, boundary
from exactrelu.strategies import domains, networks

if TYPE_CHECKING:
    from exactrelu.network.model import Layer, Network
    from exactrelu.regions.decision import Boundary

# ---------------------------------------------------------------- second opinions

Cells = list[tuple[Any, list[list[Fraction]]]]


def cells_by_ppl(network: Network, domain: Domain) -> Cells | None:
    """The full-dimensional cells with the outputs on them as rows (a, .., b); None: no point."""
    n = network.inputs
    whole = ppl.C_Polyhedron(n, "universe")
    for side in domain_rows(domain, n):
        whole.add_constraint(_expression(side) <= 0)
    if whole.is_empty():
        return None
    cells: Cells = [(whole, identity(n))]
    for one in network.layers:
        split = []
        for cell, inputs in cells:
            rows = [
                [
                    *(sum((w * a[j] for w, a in zip(weights, inputs, strict=True)), Fraction(0)) for j in range(n)),
                    sum((w * a[n] for w, a in zip(weights, inputs, strict=True)), bias),
                ]
                for weights, (bias,) in zip(one.weight.fractions(), one.bias.fractions(), strict=True)
            ]
            split += [(part, out) for _, part, out in _split(cell, rows, one.rectified.tolist(), whole.affine_dimension())]
        cells = split
    return cells


def minus(a: list[Fraction], b: list[Fraction]) -> list[Fraction]:
    return [x - y for x, y in zip(a, b, strict=True)]


def cover(cells: Cells, which: Boundary) -> list[Any]:
    """Closed convex sets whose union is the boundary, by its definition; none inside another."""
    parts = []
    for cell, outputs in cells:
        single = 0 if which == "decision" and len(outputs) == 1 else which
        systems: list[tuple[list[list[Fraction]], list[list[Fraction]]]] = []
        if isinstance(single, int):
            systems.append(([outputs[single]], []))
        else:
            pairs = combinations(range(len(outputs)), 2) if single == "decision" else [single]
            for i, j in pairs:
                others = [minus(outputs[k], outputs[i]) for k in range(len(outputs)) if k not in {i, j}]
                systems.append(([minus(outputs[i], outputs[j])], others))
        for equalities, inequalities in systems:
            part = ppl.C_Polyhedron(cell)
            for row in equalities:
                part.add_constraint(_expression(row) == 0)
            for row in inequalities:
                part.add_constraint(_expression(row) <= 0)
            if not part.is_empty() and not any(kept.contains(part) for kept in parts):
                parts = [*(kept for kept in parts if not part.contains(kept)), part]
    return parts


def betti_of_the_nerve(parts: list[Any], length: int) -> tuple[int, ...] | None:
    """Closed convex sets, and what some of them have in common, are contractible or empty: the nerve has the homology of the union.

    None where the nerve is large.
    """
    simplices: list[dict[tuple[int, ...], Any]] = [{(i,): part for i, part in enumerate(parts)}]
    for _ in range(length):
        larger = {}
        for simplex, common in simplices[-1].items():
            for i in range(simplex[-1] + 1, len(parts)):
                if all((*simplex[:k], *simplex[k + 1 :], i) in simplices[-1] for k in range(len(simplex))):
                    meet = ppl.C_Polyhedron(common)
                    meet.intersection_assign(parts[i])
                    if not meet.is_empty():
                        larger[(*simplex, i)] = meet
        simplices.append(larger)
        if sum(map(len, simplices)) > 2500:
            return None
    ranks = [0]
    for smaller, larger in pairwise(simplices):
        place = {simplex: k for k, simplex in enumerate(smaller)}
        matrix = np.zeros((len(larger), len(smaller)), dtype=bool)
        for row, simplex in enumerate(larger):
            for k in range(len(simplex)):
                matrix[row, place[(*simplex[:k], *simplex[k + 1 :])]] = True
        ranks.append(rank_mod_2(matrix))
    return tuple(len(simplices[k]) - ranks[k] - ranks[k + 1] for k in range(length))


def rank_mod_2(matrix: np.ndarray) -> int:
    matrix, rank = matrix.copy(), 0
    for column in range(matrix.shape[1]):
        below = np.flatnonzero(matrix[rank:, column]) + rank
        if len(below):
            matrix[[rank, below[0]]] = matrix[[below[0], rank]]
            below = np.flatnonzero(matrix[rank + 1 :, column]) + rank + 1
            matrix[below] ^= matrix[rank]
            rank += 1
    return rank


def bounded_components_off(cells: Cells) -> int:
    """How many bounded components {F != 0} has, F the only output."""
    graph, parts = nx.Graph(), []
    for cell, (form,) in cells:
        for row in (form, [-value for value in form]):
            part = ppl.NNC_Polyhedron(cell)
            part.add_constraint(_expression(row) > 0)
            if not part.is_empty():
                parts.append(part)
    graph.add_nodes_from(range(len(parts)))
    for (i, one), (j, other) in combinations(enumerate(parts), 2):
        if not one.is_disjoint_from(other):
            graph.add_edge(i, j)
    return sum(all(parts[i].is_bounded() for i in component) for component in nx.connected_components(graph))


# ---------------------------------------------------------------- what is tested


def with_outputs(inputs: int, outputs: int, seed: int) -> Network:
    """One or two layers of small integers with some rows without a relu, and an affine map of all.

    Every second one is a sum of absolute values, whose level sets are closed.
    """
    generator = np.random.default_rng([inputs, outputs, seed])
    if seed % 2:
        rows = generator.integers(-2, 3, (int(generator.integers(max(1, inputs - 1), inputs + 2)), inputs + 1))
        both = layer(np.vstack([rows, -rows]), np.ones(2 * len(rows), bool))
        weights = generator.choice([-1, 1, 1, 1, 2], (outputs, 2 * len(rows)))
        return chained([both, layer(np.hstack([weights, generator.integers(-5, 0, (outputs, 1))]), np.zeros(outputs, bool))])
    widths = [inputs, *generator.integers(2, 6, int(generator.integers(1, 3))).tolist()]
    chain = [layer(generator.integers(-2, 3, (m, n + 1)), generator.random(m) < 0.8) for n, m in pairwise(widths)]
    return chained([*chain, layer(generator.integers(-2, 3, (outputs, widths[-1] + 1)), np.zeros(outputs, bool))])


def check(network: Network, domain: Domain, which: Boundary) -> BoundaryTopology | None:
    cells = cells_by_ppl(network, domain)
    if cells is None:
        return None
    found = boundary(regions(network, domain=domain), which)
    parts = cover(cells, which)
    d = cells[0][0].affine_dimension()
    expected = betti_of_the_nerve(parts, max(1, d))
    assert expected is None or found.betti == expected
    assert found.euler_characteristic == sum((-1) ** k * b for k, b in enumerate(found.betti))
    assert found.dimension == max((part.affine_dimension() for part in parts), default=-1)
    assert found.bounded == all(part.is_bounded() for part in parts)
    assert len(found.faces) == d + 1
    assert bool(found.filled_regions) == (found.dimension == d)
    return found


@pytest.mark.parametrize(("inputs", "count"), [(1, 40), (2, 40), (3, 24), (4, 12)])
def test_small_integers_as_the_nerve_has_it(inputs, count):
    seen = set()
    for seed in range(count):
        for outputs, which in ((1, "decision"), (3, "decision"), (3, (0, 2)), (3, 1)):
            network = with_outputs(inputs, outputs, seed)
            if rectified_rows(network) <= 8:
                seen.add(check(network, AllSpace(), which).betti)
    assert len(seen) >= 4


@examples(40)
@given(networks(), st.data())
def test_degenerate_networks_on_domains_as_the_nerve_has_it(network, data):
    assume(network.inputs <= 3 and rectified_rows(network) <= 6)
    outputs = network.outputs
    pairs = [(i, j) for i in range(outputs) for j in range(outputs) if i != j]
    which = data.draw(st.sampled_from(["decision", *range(outputs), *pairs]))
    check(network, data.draw(domains(network.inputs)), which)


@pytest.mark.parametrize("inputs", [2, 3])
def test_alexander_duality_the_last_betti_number_counts_bounded_components_of_the_complement(inputs):
    counts = set()
    for seed in range(60):
        network = with_outputs(inputs, 1, seed)
        if rectified_rows(network) <= 8:
            found = boundary(regions(network), "decision")
            assert found.betti[-1] == bounded_components_off(cells_by_ppl(network, AllSpace()))
            counts.add(found.betti[-1])
    assert len(counts) >= 2


# ---------------------------------------------------------------- known shapes

Rows = list[list[float]]


def norm(inputs: int, *, largest: bool) -> list[Layer]:
    """|x_1| + .. + |x_n|, or the largest |x_i|, as layers without a relu at the end."""
    both = np.array([[sign * (i == j) for j in range(inputs)] + [0] for i in range(inputs) for sign in (1, -1)])
    layers = [layer(both, np.ones(2 * inputs, bool))]
    sums = np.kron(np.eye(inputs), [1, 1]) if largest else np.ones((1, 2 * inputs))
    return after(layers, largest_of(sums) if largest else [affine(sums)])


def affine(matrix: np.ndarray, constant: float = 0.0) -> Layer:
    return layer(np.hstack([matrix, np.full((len(matrix), 1), constant)]), np.zeros(len(matrix), bool))


def largest_of(values: np.ndarray) -> list[Layer]:
    """The largest of some linear forms, by max(a, b) = relu(a - b) + b."""
    layers = []
    while len(values) > 1:
        a, b, *others = values
        rows = np.array([a - b, b, *others])
        layers.append(layer(np.hstack([rows, np.zeros((len(rows), 1))]), np.arange(len(rows)) == 0))
        values = np.eye(len(rows))
        values = np.vstack([values[0] + values[1], values[2:]])
    return [*layers, affine(values)]


def after(first: list[Layer], second: list[Layer]) -> list[Layer]:
    return [*first, *second]


def absolute(constant: float, place: int, width: int) -> list[Layer]:
    """The coordinate `place` of `width` replaced by |it - constant|."""
    rows = np.hstack([np.eye(width), np.zeros((width, 1))])
    rows[place, -1] = -constant
    both = np.vstack([rows, -rows[place]])
    marked = np.arange(width + 1)
    back = np.hstack([np.eye(width), np.zeros((width, 1))])
    back[place, width] = 1
    return [layer(both, (marked == place) | (marked == width)), affine(back)]


def level(layers: list[Layer], constant: float) -> Network:
    return chained([*layers, affine(np.ones((1, 1)), -constant)])


def of(network: Network, **options: Any) -> BoundaryTopology:
    found = boundary(regions(network, **options), "decision")
    assert found.euler_characteristic == sum((-1) ** k * b for k, b in enumerate(found.betti))
    return found


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_the_unit_sphere_of_two_norms_is_a_sphere(d, largest):
    network = level(norm(d, largest=largest), 1)
    found = of(network)
    expected = [0] * d
    expected[0] += 1
    expected[-1] += 1
    assert found.betti == tuple(expected)
    assert found.bounded
    assert found.dimension == d - 1
    inside = of(network, domain=Box(RationalVector((0,) * d), RationalVector((2,) * d)))
    assert inside.betti == (1, *[0] * (d - 1))
    assert of(level(norm(d, largest=largest), 0)).dimension == 0
    nowhere = of(level(norm(d, largest=largest), -1))
    assert (nowhere.dimension, nowhere.betti, nowhere.euler_characteristic, nowhere.bounded) == (-1, (0,) * d, 0, True)


def ring(spheres: int) -> Network:
    """max(|r - 2|, |w|) = 1, r the largest of |x_1| .. |x_spheres|: a product of a sphere of dimension spheres - 1 and a circle."""
    n = spheres + 1
    both = [[sign * (i == j) for j in range(n)] + [0] for i in range(n) for sign in (1, -1)]
    layers = [layer(np.array(both), np.ones(2 * n, bool))]
    values = np.kron(np.eye(n), [1, 1])
    while len(values) > 2:
        a, b, *others = values
        rows = np.array([a - b, b, *others])
        layers.append(layer(np.hstack([rows, np.zeros((len(rows), 1))]), np.arange(len(rows)) == 0))
        unit = np.eye(len(rows))
        values = np.vstack([unit[0] + unit[1], unit[2:]])
    layers.append(affine(values))
    return level([*layers, *absolute(2, 0, 2), *largest_of(np.eye(2))], 1)


@pytest.mark.parametrize(("spheres", "betti"), [(1, (2, 2)), (2, (1, 2, 1)), (3, (1, 1, 1, 1))])
def test_rings_and_tori(spheres, betti):
    assert of(ring(spheres)).betti == betti


def wave(periods: int, inputs: int) -> list[Layer]:
    """The sum over all coordinates of the distance to the nearest odd integer in 0 .. 2 periods, growing for ever outside."""
    knots = np.arange(1, 2 * periods)
    rows, weights = [], []
    for j in range(inputs):
        unit = [float(i == j) for i in range(inputs)]
        # |x - 1| first; at every knot the slope changes by 2 or -2.
        for knot, weight in [(1, 1.0), *((k, 2.0 * (-1) ** (k + 1)) for k in knots[1:])]:
            rows.append([*unit, -float(knot)])
            weights.append(weight)
        rows.append([*(-value for value in unit), 1.0])
        weights.append(1.0)
    return [layer(np.array(rows), np.ones(len(rows), bool)), affine(np.array([weights]))]


@pytest.mark.parametrize(("inputs", "periods"), [(1, 4), (2, 3), (3, 2), (4, 2)])
def test_a_grid_of_spheres(inputs, periods):
    """The wave is half at spheres around the points with odd coordinates."""
    found = of(level(wave(periods, inputs), 0.5))
    expected = [0] * inputs
    expected[0] += periods**inputs
    expected[-1] += periods**inputs
    assert found.betti == tuple(expected)


@pytest.mark.parametrize("periods", [2, 3])
def test_a_surface_of_known_genus(periods):
    """At 1.25 the balls have grown together through all faces of the cubes: a thickened grid of p^3 points and 3 p^2 (p - 1) edges."""
    found = of(level(wave(periods, 3), 1.25))
    genus = 3 * periods**2 * (periods - 1) - periods**3 + 1
    assert found.betti == (1, 2 * genus, 1)


def test_where_an_output_vanishes_on_a_whole_region():
    rows = np.array([[1.0, 0, 0], [0, 1, 0]])
    network = chained([layer(rows, np.ones(2, bool)), affine(np.ones((1, 2)))])
    found = boundary(complex_ := regions(network), "decision")
    assert (found.dimension, found.betti, found.bounded) == (2, (1, 0), False)
    assert [complex_.interior_point(region).texts() for region in found.filled_regions] == [complex_.interior_point(0).texts()]
    # The pieces that an artificial wall makes of a region are one region.
    lonely = boundary(regions(chained([layer(np.array([[1.0, 0, 0]]), np.ones(1, bool)), affine(np.eye(1))])), 0)
    assert (lonely.dimension, lonely.betti, lonely.filled_regions) == (2, (1, 0), (0,))


def test_directions_that_no_relu_sees():
    """relu(x) + y = 0 in three dimensions: the boundary is a graph over a plane, and nothing of it is bounded."""
    skip = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0]])
    folded = chained([layer(skip, np.array([True, False])), affine(np.ones((1, 2)))])
    found = boundary(regions(folded), "decision")
    assert (found.dimension, found.betti, found.euler_characteristic, found.bounded) == (2, (1, 0, 0), 1, False)
    constant = boundary(regions(chained([layer(np.zeros((1, 4)), np.ones(1, bool)), affine(np.zeros((2, 1)))])), "decision")
    assert (constant.dimension, constant.betti) == (3, (1, 0, 0))
    # The largest of x, -x and y: three half-lines from the origin, of which two outputs share one each.
    planes = chained([affine(np.array([[1.0, 0], [-1.0, 0], [0, 1.0]]))])
    assert boundary(regions(planes), "decision").betti == boundary(regions(planes), (0, 1)).betti == (1, 0)
    assert boundary(regions(planes), "decision").faces[:2] == (1, 3)


def test_a_domain_in_a_hyperplane_and_a_point():
    network = level(norm(3, largest=True), 1)
    flat = Box(RationalVector((-2, -2, 0)), RationalVector((2, 2, 0)))
    assert of(network, domain=flat).betti == (1, 1)
    for x, betti in ((1, (1,)), (2, (0,))):
        point = Box(RationalVector((x, 0, 0)), RationalVector((x, 0, 0)))
        found = of(network, domain=point)
        assert (found.betti, found.faces) == (betti, betti)


def test_refusals_are_one_line():
    network = level(norm(2, largest=False), 1)
    with pytest.raises(InvalidRequestError, match="output 1 does not exist"):
        boundary(regions(network), (0, 1))
    with pytest.raises(InvalidRequestError, match="not complete"):
        boundary(regions(network, limit=3), "decision")


def test_trained_networks_have_the_boundary_that_their_data_have(shared):
    """Circles: one class inside the other; moons: two halves."""
    circles = boundary(regions(load(shared / "networks/trained/circles_2_8_1.onnx")), "decision")
    assert (circles.betti, circles.bounded) == ((1, 1), True)
    moons = boundary(regions(load(shared / "networks/trained/moons_2_16_16_1.onnx")), "decision")
    assert moons.betti[0] >= 1 and not moons.bounded
