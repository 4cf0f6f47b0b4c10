"""What makes `regions` fast changes nothing: floats, vertices without integers, compiled passes; and the bounds that floats rest on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from fractions import Fraction
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from theorems.oracles import examples
from theorems.test_R import chained, in_general_position, layer, of_small_integers, rectified_rows

from exactrelu.domain import AllSpace, Polytope
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network.model import Layer, Network
from exactrelu.network.readers import load
from exactrelu.regions import AffineSlice, RegionComplex, compiled, regions, subdivision
from exactrelu.regions.charts import Chart
from exactrelu.regions.face_passes import NUMPY, Passes
from exactrelu.regions.floats import points
from exactrelu.regions.floats.double_double import Slices, rounded_pair, two_product, two_sum
from exactrelu.regions.floats.forms import FloatForms
from exactrelu.regions.floats.layers import FloatLayers
from exactrelu.regions.forms import HomogeneousLayers
from exactrelu.regions.patterns import Block, sorted_by_pattern, words
from exactrelu.regions.start import start_complex
from exactrelu.regions.subdivision import Subdivision
from exactrelu.strategies import domains, networks

# The loops without numba: slow, and the same arrays.
LOOPS = Passes(compiled._crossing, compiled._divided, compiled._unions)


@pytest.fixture(autouse=True)
def kernels(tmp_path_factory, monkeypatch):
    """Compiled passes even for small complexes, or their loops where numba is not installed."""
    passes = compiled.compiled_passes() or LOOPS
    monkeypatch.setattr(subdivision, "compiled_passes", lambda: passes)


def arrays_of(found: RegionComplex) -> list[np.ndarray]:
    """All that a complex holds, in its order."""
    parts = [found._words, found.neighbours, found._rays, found.bounded]
    for lattice in (found._pieces, found._faces):
        for facets, home in zip(lattice.facets, lattice.home, strict=True):
            parts += [facets.length.values, facets.start.values, facets.pool.values, home.values]
    return [*parts, *found._piece_numbers, np.array(list(found._homogeneous), dtype=object)]


def same(one: RegionComplex, other: RegionComplex) -> bool:
    pairs = zip(arrays_of(one), arrays_of(other), strict=True)
    return all(a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all()) for a, b in pairs)


def rescaled(network: Network, powers: list[int]) -> Network:
    """Every row times a power of two, which changes the network below but no sign in the first layer."""
    chain = []
    for one in network.layers:
        factors = np.array([[2.0 ** powers[i % len(powers)]] for i in range(one.outputs)]).reshape(-1, 1)
        if not isinstance(one.stored, DyadicMatrix) or not (one.stored.is_float64 and one.bias.is_float64):
            return network
        with np.errstate(all="ignore"):
            weight, bias = one.stored.floats * factors, one.bias.floats * factors
        exact = (weight / factors == one.stored.floats).all() and (bias / factors == one.bias.floats).all()
        if not exact:
            return network
        chain.append(Layer(DyadicMatrix.from_floats(weight), DyadicMatrix.from_floats(bias), one.rectified))
    return chained(chain)


# ---------------------------------------------------------------- the same complex


@examples(30)
@given(networks(), st.lists(st.sampled_from([0, 0, -40, 3]), min_size=1, max_size=3), st.data())
def test_floats_and_compiled_passes_change_nothing(network, powers, data):
    network = rescaled(network, powers)
    assume(rectified_rows(network) <= 9)
    domain = data.draw(domains(network.inputs))
    try:
        reference = regions(network, domain=domain, floats=False, compiled=False)
    except InvalidRequestError:
        return
    for floats in (True, False):
        for on in (True, False):
            assert same(regions(network, domain=domain, floats=floats, compiled=on), reference)


@pytest.mark.parametrize("widths", [[2, 24, 24, 1], [3, 9, 9, 1], [4, 7, 6, 1], [2, 70, 3, 1], [2, *[5] * 12, 1], [1, 30, 30, 1]])
def test_nor_do_they_in_general_position(widths):
    network = in_general_position(widths, 3)
    reference = regions(network, floats=False, compiled=False)
    assert same(regions(network, compiled=True), reference)
    assert same(regions(network, compiled=False), reference)


def test_nor_do_they_on_a_slice_through_points_with_long_denominators():
    points = [RationalVector((1, 2, -3, 5), 3**50), RationalVector((7, -1, 2, 2), 11), RationalVector((-4, 1, 9, 1), 7**30)]
    network, plane = in_general_position([4, 10, 8, 1], 0), AffineSlice.through(points)
    reference = regions(network, affine_slice=plane, floats=False, compiled=False)
    assert reference.regions > 30
    assert same(regions(network, affine_slice=plane, compiled=True), reference)


@pytest.mark.parametrize("seed", range(16))
def test_nor_do_they_where_many_hyperplanes_meet(seed):
    network = of_small_integers(1 + seed % 4, seed)
    assert same(regions(network, compiled=True), regions(network, floats=False, compiled=False))


@pytest.mark.parametrize("seed", range(6))
def test_the_loops_give_the_arrays_of_numpy_without_numba_too(seed, monkeypatch):
    network = of_small_integers(2 + seed % 2, seed)
    monkeypatch.setattr(subdivision, "compiled_passes", lambda: LOOPS)
    assert same(regions(network, compiled=True), regions(network, compiled=False))


def test_a_convolution_changes_nothing():
    rows = [[1, -2, 0, 0], [0, 1, -2, 0], [0, 0, 1, -2], [3, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]]
    network = in_general_position([2, 4, 1], 0)
    sparse = SparseMatrix.from_dense(DyadicMatrix.from_floats(np.array(rows) / 8))
    second = Layer(sparse, DyadicMatrix.from_floats(np.arange(6.0).reshape(-1, 1) / 16), np.ones(6, dtype=bool))
    third = in_general_position([6, 5, 1], 1)
    chain = chained([network.layers[0], second, *third.layers])
    assert same(regions(chain, compiled=True), regions(chain, floats=False, compiled=False))


def test_every_degenerate_network_has_the_true_number_of_regions_either_way(shared):
    folder = shared / "networks" / "degenerate"
    for name, number in json.loads((folder / "TRUTH.json").read_text()).items():
        network = load(folder / name)
        reference = regions(network, domain=AllSpace(), floats=False, compiled=False)
        assert (name, reference.regions) == (name, number)
        assert same(regions(network, domain=AllSpace(), compiled=True), reference)
        assert same(regions(network, domain=AllSpace(), compiled=False), reference)


def test_where_float_arithmetic_is_not_sound_integers_decide_all(monkeypatch):
    network = in_general_position([2, 8, 8, 1], 2)
    with monkeypatch.context() as patch:
        for name in ("floats.points", "floats.filter"):
            patch.setattr(import_module(f"exactrelu.regions.{name}"), "float_arithmetic_is_sound", lambda: False)
        found = regions(network)
        assert all(row is not None for row in found._homogeneous._known)
    assert same(found, regions(network))


# ---------------------------------------------------------------- bounds


def some_multiple_is_near(held: list[Fraction], error: Fraction, exact: Any) -> bool:
    """Whether s * exact is within `error` of what is held, in every coordinate, for one s > 0."""
    low, high = Fraction(0), None
    for h, x in zip(held, exact, strict=True):
        if x == 0:
            if abs(h) > error:
                return False
            continue
        ends = sorted(((h - error) / x, (h + error) / x))
        low, high = max(low, ends[0]), ends[1] if high is None else min(high, ends[1])
    return high is None or (low <= high and high > 0)


def check_points(network: Network) -> int:
    """That every vertex is where floats have it; returns how many were found without integers."""
    start = start_complex(network.layers, Chart.identity(network.inputs), AllSpace())
    assert start is not None
    run = Subdivision(start, floats=True)
    run.run()
    points = run._points
    if points is None:
        return 0
    found = sum(row is None for row in run.vertices._known)
    for vertex, exact in enumerate(run.vertices):
        pairs = zip(points._high.values[vertex].tolist(), points._low.values[vertex].tolist(), strict=True)
        held = [Fraction(high) + Fraction(low) for high, low in pairs]
        assert some_multiple_is_near(held, Fraction(float(points._error.values[vertex])), exact)
        assert points._error.values[vertex] <= 2.0**-36
        assert (exact[-1] == 0) == run.vertices.rays[vertex]
    return found


@examples(30)
@given(networks(), st.lists(st.sampled_from([0, 0, -40, 3]), min_size=1, max_size=3))
def test_a_vertex_is_as_near_as_its_bound_says(network, powers):
    assume(rectified_rows(network) <= 9)
    check_points(rescaled(network, powers))


@pytest.mark.parametrize("widths", [[2, 30, 1], [3, 8, 8, 1], [2, 7, 7, 7, 7, 1]])
def test_in_general_position_hardly_any_vertex_needs_its_integers(widths):
    network = in_general_position(widths, 1)
    assert check_points(network) > 0.95 * len(regions(network)._homogeneous)


@pytest.mark.parametrize("errors", [(0, 0, 0), (12, 0, 0), (0, 12, 0), (0, 0, 12), (12, 12, 12), (30, 20, 40)])
def test_the_bound_of_a_crossing_holds_whatever_the_errors_of_its_ends_and_form(errors):
    random = np.random.default_rng(0)
    bounds = [Fraction(1, 2 ** (places or 100)) for places in errors]
    decided = 0
    for trial in range(300):
        rows = random.integers(-(2**20), 2**20, (3, 2 + trial % 3)).tolist()
        form, plus, minus = ([Fraction(entry, 2**20) for entry in row] for row in rows)
        a, b = (sum(x * y for x, y in zip(form, end, strict=True)) for end in (plus, minus))
        if not a > 0 > b:
            continue
        exact = [(a * y - b * x) / (a - b) for x, y in zip(plus, minus, strict=True)]
        # Every other edge is a short piece of it around the crossing.
        part = Fraction(1, 64) if trial % 2 else 1
        ends = ([v + part * (x - v) for x, v in zip(end, exact, strict=True)] for end in (plus, minus))
        held = []
        for row, bound in zip((form, *ends), bounds, strict=True):
            moved = [entry + bound * int(random.choice([-1, 1])) for entry in row]
            pairs = np.array([rounded_pair(entry.numerator, entry.denominator) for entry in moved])
            held.append([pairs[None, :, 0], pairs[None, :, 1], np.array([float(bound) + 2.0**-105])])
        high, low, error = points._crossings(*held)
        if np.isfinite(error[0]):
            decided += 1
            found = [Fraction(x) + Fraction(y) for x, y in zip(high[0].tolist(), low[0].tolist(), strict=True)]
            assert some_multiple_is_near(found, Fraction(float(error[0])), exact)
    assert decided > 25


@pytest.mark.parametrize("seed", range(4))
def test_signs_at_vertices_that_are_moved_within_their_bounds_are_the_signs(seed):
    network = in_general_position([2, 12, 12, 1], seed)
    start = start_complex(network.layers, Chart.identity(2), AllSpace())
    assert start is not None
    run = Subdivision(start, floats=True)
    run.run()
    points = run._points
    assert points is not None
    vertices, every = np.arange(len(run.vertices)), np.full(len(run.vertices), 2**12 - 1, dtype=np.uint64)
    random = np.random.default_rng(seed)
    error = 2.0**-12
    points._high.values[:] += error * random.choice([-1, 1], points._high.values.shape)
    points._error.values[:] += error * (1 + 2.0**-40)
    positive, negative = points.signs(run.blocks[0], vertices)
    run._points = None
    exact = run._signs(run.blocks[0], vertices, np.zeros_like(vertices), every)
    assert not (positive & ~exact[0]).any()
    assert not (negative & ~exact[1]).any()
    assert (positive | negative).any()
    # There is something to decide wrongly: vertices on the hyperplanes themselves.
    assert (~(exact[0] | exact[1]) & every).any()


def check_forms(layers: HomogeneousLayers, flags: list[np.ndarray]) -> None:
    """That forms on roots with these patterns, (roots, m) for every layer, are where floats have them."""
    forms = FloatForms(FloatLayers(layers))
    roots = len(flags[0])
    forms.begin_layer([(Block(number, np.arange(flag.shape[1])), words(flag)) for number, flag in enumerate(flags)])
    for number, one in enumerate(layers.layers):
        for neuron in range(one.outputs):
            with np.errstate(all="ignore"):
                high, low, error = forms.of(number, neuron, np.arange(roots))
            for root in range(roots):
                if np.isfinite([*high[root], *low[root], error[root]]).all():
                    everything = np.ones(one.outputs, dtype=bool)
                    exact = layers.of_pattern([*(flag[root] for flag in flags[:number]), everything])[neuron]
                    held = [Fraction(a) + Fraction(b) for a, b in zip(high[root].tolist(), low[root].tolist(), strict=True)]
                    assert some_multiple_is_near(held, Fraction(float(error[root])), exact)


@examples(30)
@given(networks(), st.data())
def test_a_form_is_as_near_as_its_bound_says(network, data):
    patterns = (
        st.lists(st.lists(st.booleans(), min_size=m, max_size=m), min_size=3, max_size=3) for m in (one.outputs for one in network.layers)
    )
    flags = [np.array(data.draw(rows), dtype=bool).reshape(3, one.outputs) for rows, one in zip(patterns, network.layers, strict=True)]
    check_forms(HomogeneousLayers(network.layers, Chart.identity(network.inputs)), flags)


@pytest.mark.parametrize("long", [(), (1,), (2,), (1, 2, 3)])
def test_a_form_of_weights_and_a_chart_longer_than_floats_is_as_near_as_its_bound_says(long):
    random = np.random.default_rng(len(long))

    def numbers(m: int, n: int, bits: int) -> DyadicMatrix:
        return DyadicMatrix.from_integers(
            [[int(x) << (bits - 40) | int(y) for x, y in row] for row in random.integers(-(2**40), 2**40, (m, n, 2))], n, -bits
        )

    chain = [
        Layer(numbers(4, n, 90 if i in long else 41), numbers(4, 1, 90 if i in long else 41), np.ones(4, bool))
        for i, n in enumerate((2, 4, 4, 4))
    ]
    chart = Chart(((3**50 + 7, 0, 2), (0, 3**50 - 11, -1), (0, 0, 3**50)))
    check_forms(HomogeneousLayers(chain, chart), [random.random((5, 4)) < 0.7 for _ in range(4)])


floats = st.floats(-(2.0**100), 2.0**100).filter(lambda x: x == 0 or abs(x) > 2.0**-100)


@given(floats, floats)
def test_sums_and_products_of_two_floats_are_exact(a, b):
    total, error = two_sum(np.array(a), np.array(b))
    assert Fraction(float(total)) + Fraction(float(error)) == Fraction(a) + Fraction(b)
    product, error = two_product(np.array(a), np.array(b))
    assert Fraction(float(product)) + Fraction(float(error)) == Fraction(a) * Fraction(b)


@given(st.integers(-(2**300), 2**300), st.integers(1, 2**300))
def test_a_pair_is_within_its_bound(p, q):
    high, low = rounded_pair(p, q)
    assert abs(Fraction(high) + Fraction(low) - Fraction(p, q)) * 2**106 <= abs(Fraction(p, q))


@pytest.mark.parametrize(("n", "sparse"), [(1, False), (3, False), (3, True), (40, False), (40, True), (1000, False)])
def test_a_product_in_slices_is_within_its_bound(n, sparse):
    random = np.random.default_rng(n)

    def pairs(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
        high = random.uniform(-1, 1, (rows, columns)) * 2.0 ** -random.integers(0, 60, (rows, columns))
        return high, high * random.uniform(-1, 1, (rows, columns)) * 2.0**-53

    left, right = pairs(3, n), pairs(n, 2)
    matrix = Slices(*(map(csr_array, right) if sparse else right))
    found = matrix.product(*left)
    exactly = np.vectorize(Fraction, otypes=[object])
    rows, columns = (exactly(high) + exactly(low) for high, low in (left, right))
    for i in range(3):
        for j in range(2):
            true = rows[i] @ columns[:, j]
            assert abs(Fraction(float(found[0][i, j])) + Fraction(float(found[1][i, j])) - true) <= Fraction(matrix.error)
    assert matrix.norm >= np.abs(right[0]).sum(axis=0).max()


def test_cells_are_sorted_by_their_patterns():
    random = np.random.default_rng(0)
    blocks = [Block(0, np.arange(64)), Block(0, np.arange(64, 70)), Block(1, np.arange(9))]
    flags = [random.integers(0, 2, (200, len(block.rows))).astype(bool) & (random.random((200, 1)) < 0.5) for block in blocks]
    order = sorted_by_pattern([words(part) for part in flags], blocks, 200)
    rows = np.hstack(flags).tolist()
    assert order.tolist() == sorted(range(200), key=lambda cell: rows[cell])


# ---------------------------------------------------------------- numba, limits


def test_without_numba_numpy_does_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    compiled.compiled_passes.cache_clear()
    monkeypatch.setattr(subdivision, "compiled_passes", compiled.compiled_passes)
    network = in_general_position([2, 6, 6, 1], 0)
    try:
        found = regions(network, compiled=True)
    finally:
        compiled.compiled_passes.cache_clear()
    assert found._pieces.passes is NUMPY
    assert same(found, regions(network, compiled=False))


def test_where_no_folder_can_be_written_kernels_are_compiled_without_one():
    numba = pytest.importorskip("numba", reason="numba compiles the kernels")
    asked = []

    def njit(function=None, *, cache=False):
        asked.append(cache)
        if cache:
            # As numba says it when it is given the function.
            raise RuntimeError("cannot cache function: no locator available")
        return numba.njit(function)

    crossing = compiled._compiled(njit, compiled._crossing)
    assert asked == [True, False]
    positive, negative = np.array([1, 3, 2], dtype=np.uint64), np.array([2, 3, 3], dtype=np.uint64)
    assert crossing(positive, negative, np.uint64(2)).tolist() == [1, 2]


def test_numba_keeps_machine_code_elsewhere_where_the_package_cannot_be_written(tmp_path):
    pytest.importorskip("numba", reason="numba compiles the kernels")
    package = tmp_path / "package"
    package.mkdir()
    shutil.copy(compiled.__file__, package / "compiled.py")
    # A file stands where the folder for machine code would be made.
    (package / "__pycache__").write_text("")
    code = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[1]); import compiled;"
        "one = np.ones(3, dtype=np.uint64); print(compiled.compiled_passes().crossing(one, one, np.uint64(1)).tolist())"
    )
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": ""}
    for home in ("folder", "file"):
        if home == "file":
            shutil.rmtree(tmp_path / "home", ignore_errors=True)
            (tmp_path / "home").write_text("")
        run = subprocess.run([sys.executable, "-c", code, str(package)], env=environment, capture_output=True, text=True, check=False)
        assert (run.stdout, run.returncode) == ("[0, 1, 2]\n", 0), run.stderr


def test_the_start_complex_heeds_the_deadline():
    random = np.random.default_rng(0)
    rows = tuple(tuple(row) for row in random.integers(-1000, 1000, (300, 6)).tolist())
    network = chained([layer(random.integers(-3, 4, (12, 7)), np.ones(12, dtype=bool))])
    begin = time.process_time()
    found = regions(network, domain=Polytope(rows, (-3000,) * 300), deadline=time.monotonic() + 0.3)
    assert not found.complete
    assert time.process_time() - begin < 5
