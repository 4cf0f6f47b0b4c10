"""The pre-image under a composition, against brute force: PPL on the polyhedra of all activation patterns."""

from __future__ import annotations

import hashlib
import io
import time
from collections import Counter
from fractions import Fraction
from itertools import combinations, pairwise, product
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import domain_rows, dot, evaluate, examples, in_domain, ppl_polyhedron

from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.network import read_network
from exactrelu.checker.text import Text
from exactrelu.checker.verify import verify
from exactrelu.domain import AllSpace, Box, Orthant
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.fast_checker import FastKernels
from exactrelu.network.exact_file import _lines
from exactrelu.network.model import Layer, Network, SourceLayer
from exactrelu.preimage.composition import regions_at
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.preimage.network import NetworkPreimage
from exactrelu.strategies import domains, networks, rational_vectors
from exactrelu.verdict import Cardinality

pytest.importorskip("ppl", reason="pplpy gives the second opinion")

FINITE = {Cardinality.EMPTY, Cardinality.SINGLETON, Cardinality.FINITE}


# ---------------------------------------------------------------- networks with ties


def chain(*layers):
    return Network(tuple(layers), tuple(SourceLayer(k + 1, f"layer {k + 1}", (layer,), k) for k, layer in enumerate(layers)), (), (1,))


def layer_of(weight, bias, rectified=True):
    weight = np.array(weight, dtype=np.float64).reshape(len(weight), -1)
    mask = np.full(len(weight), rectified) if isinstance(rectified, bool) else np.array(rectified)
    return Layer(DyadicMatrix.from_floats(weight), DyadicMatrix.from_floats(np.reshape(bias, (-1, 1))), mask)


@st.composite
def tied_networks(draw):
    """A chain of 1 to 3 layers of widths 1 to 3 in small integers, and an input at which pre-activations of every layer are zero."""
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    x = RationalVector(tuple(draw(st.lists(st.integers(-2, 2), min_size=widths[0], max_size=widths[0]))), draw(st.sampled_from([1, 2])))
    state, layers = x, []
    for number, (n, m) in enumerate(pairwise(widths), 2):
        weight = draw(st.lists(st.lists(st.integers(-2, 2), min_size=n, max_size=n), min_size=m, max_size=m))
        shifts = draw(st.lists(st.sampled_from([0, 0, 1, 2, -1]), min_size=m, max_size=m))
        kinds = draw(st.lists(st.booleans(), min_size=m, max_size=m))
        at_state = [dot(row, state.fractions()) for row in weight]
        bias = [float(shift - value if tied else shift) for tied, shift, value in zip(kinds, shifts, at_state, strict=True)]
        everywhere = draw(st.sampled_from([True, True, number < len(widths), False]))
        mask = [everywhere or draw(st.booleans()) for _ in range(m)]
        layers.append(layer_of(weight, bias, mask))
        state = layers[-1](state)
    return chain(*layers), x


def cases():
    """A network and an input of it: with ties, or with entries of every size."""
    odd = networks().flatmap(lambda network: st.tuples(st.just(network), rational_vectors(network.inputs)))
    return st.one_of(tied_networks(), tied_networks(), odd)


# ---------------------------------------------------------------- brute force


def push(layers, x):
    for layer in layers:
        x = evaluate(layer, x)
    return x


def pieces(layers, domain, y):
    """The parts of {x in the domain : f(x) = y} in the closed regions of all activation patterns, as PPL polyhedra, empty ones left out."""
    n = layers[0].inputs
    unit = [[Fraction(int(i == j)) for i in range(n + 1)] for j in range(n + 1)]
    masks = [product(*[(False, True) if relu else (True,) for relu in layer.rectified.tolist()]) for layer in layers]
    found = []
    for pattern in product(*masks):
        state, equalities, inequalities = unit, [], domain_rows(domain, n)
        for layer, active in zip(layers, pattern, strict=True):
            affine = zip(layer.weight.fractions(), layer.bias.fractions(), strict=True)
            z = [[dot(row, column) for column in zip(*state[:-1], strict=True)] for row, _ in affine] if layer.inputs else []
            z = [[*row[:-1], row[-1] + bias] for row, (bias,) in zip(z, layer.bias.fractions(), strict=True)]
            for row, is_active, relu in zip(z, active, layer.rectified.tolist(), strict=True):
                if relu:
                    inequalities.append([-value for value in row] if is_active else row)
            state = [row if is_active else [Fraction(0)] * (n + 1) for row, is_active in zip(z, active, strict=True)] + [unit[n]]
        equalities = [[*row[:-1], row[-1] - value] for row, value in zip(state[:-1], y, strict=True)]
        polyhedron = ppl_polyhedron(equalities, inequalities, n)
        if not polyhedron.is_empty():
            found.append(polyhedron)
    return found


def truth(layers, domain, y):
    """For the union: `empty`, `singleton`, `finite`, `bounded` or `unbounded`; how many points, if finitely many; the dimension."""
    found = pieces(layers, domain, y)
    dimension = max((piece.affine_dimension() for piece in found), default=-1)
    if dimension > 0:
        return "bounded" if all(piece.is_bounded() for piece in found) else "unbounded", None, dimension
    points = {str(next(iter(piece.minimized_generators()))) for piece in found}
    return ["empty", "singleton", "finite"][min(len(points), 2)], len(points), dimension


def assert_true(result, prepared, y):
    """What is said about the composition is true of the union over all regions, and what is shown shows it."""
    layers, domain, word = prepared.stages, prepared.domain, result.cardinality.value
    if result.cardinality is Cardinality.UNDECIDED:
        assert "layer" in result.reached
        return
    expected, points, dimension = truth(layers, domain, y)
    assert word == expected or (word == "infinite" and expected in {"bounded", "unbounded"})
    assert result.active == sum(value > 0 for value in y)
    assert result.points == points
    assert result.dimension == dimension or (result.dimension is None and word in {"infinite", "bounded", "unbounded"})
    shown = [point.fractions() for point in result.solutions or ()]
    if result.witness is not None:
        point, ray, second = result.witness.point.fractions(), result.witness.ray, result.witness.second
        assert (ray is None) != (second is None)
        others = (
            [second.fractions()]
            if ray is None
            else [[a + t * b for a, b in zip(point, ray.fractions(), strict=True)] for t in (1, 10**400)]
        )
        assert point not in others
        shown = [point, *others]
    assert len(shown) == (points or 0) or result.witness is not None
    assert sorted(shown) == shown or result.witness is not None
    for point in shown:
        assert in_domain(domain, point)
        assert push(layers, point) == y


# ---------------------------------------------------------------- certificates


def accepted(prepared, result, subject, given, kernels=(Kernels, FastKernels)):
    """Write the certificate, check it with the checkers of the package, and return the one claim they read."""
    network = chain(*prepared.stages)
    text = b"".join(_lines(network))
    certificate = prepared.certificate(
        result, network_sha256=hashlib.sha256(text).hexdigest(), layer_number=len(prepared.stages), subject=subject, given=given
    )
    exact_network = read_network(io.BytesIO(text))
    claims = set()
    for kernel in kernels:
        stream = Text(io.BytesIO(certificate.text().encode()))
        stream.take("exactrelu-certificate 1", "3").done()
        stream.take("network", "3").sha256()
        claims.add(str(verify(stream, exact_network, kernel())))
    (claim,) = claims
    return claim


def assert_certified(prepared, result, subject, given):
    """Every verdict has an accepted certificate of the same claim."""
    if result.cardinality is Cardinality.UNDECIDED:
        with pytest.raises(CertificateError):
            accepted(prepared, result, subject, given)
        return
    counted = {Cardinality.FINITE: f", {result.points} points"}.get(result.cardinality, "")
    if result.cardinality.is_infinite and result.dimension is not None:
        counted = f", dimension {result.dimension}"
    words = f"{result.cardinality.value}{counted}, {result.active} active"
    claim = accepted(prepared, result, subject, given)
    assert claim.startswith(f"preimage through layer {len(prepared.stages)} ")
    assert claim.endswith(": empty" if result.cardinality is Cardinality.EMPTY else f": {words}")


# ---------------------------------------------------------------- the theorems


@examples(70)
@given(cases(), st.data(), st.booleans())
def test_a_composed_layer_is_the_affine_map_of_its_region(case, data, tight):
    """Its rows are positive multiples of the pre-activations that the pattern makes, turned to <= 0 on the region in inner layers."""
    network, x = case
    points = [x, *(data.draw(rational_vectors(network.inputs)) for _ in range(3))]
    for region in regions_at(network.layers, x, most=4):
        composed = region.composed(tight=tight)
        columns = [composed.pre_activation(point).fractions() for point in points]
        by_hand = [rows_by_hand(network.layers, region.active, point.fractions()) for point in points]
        expected = [(*(value for value, _, _ in row), *row[0][1:]) for row in zip(*by_hand, strict=True)]
        if tight:
            kinds = [row[0] == 0 or (is_last and (row[0] > 0 or not relu)) for *row, is_last, relu in expected]
            expected = [row for row, kept in zip(expected, kinds, strict=True) if kept]
        assert composed.rectified.tolist() == [relu for *_, relu in expected]
        for ours, (*theirs, is_last, _) in zip(zip(*columns, strict=True), expected, strict=True):
            assert [(value > 0) - (value < 0) for value in ours] == [(value > 0) - (value < 0) for value in theirs]
            assert all(a * d == b * c for (a, b), (c, d) in combinations(zip(ours, theirs, strict=True), 2))
            assert is_last or theirs[0] <= 0


def rows_by_hand(layers, pattern, state):
    """(value, whether of the last layer, whether rectified) of what a composed layer has as rows, by pushing a point through."""
    found = []
    for layer, active in zip(layers, pattern, strict=True):
        rows = zip(layer.weight.fractions(), layer.bias.fractions(), strict=True)
        z = [dot(row, state) + bias for row, (bias,) in rows]
        is_last = layer is layers[-1]
        kinds = zip(z, active.tolist(), layer.rectified.tolist(), strict=True)
        found += [(-value if kept and not is_last else value, is_last, relu) for value, kept, relu in kinds if relu or is_last]
        state = [value if kept else Fraction(0) for value, kept in zip(z, active, strict=True)]
    return found


@examples(70)
@given(cases(), st.data())
def test_what_is_said_of_an_input_is_true_of_the_union_of_all_regions(case, data):
    network, x = case
    domain = data.draw(domains(network.inputs, near=x))
    prepared = NetworkPreimage(network.layers, domain, rational=data.draw(st.booleans()))
    result = prepared.of_point(x)
    assert_true(result, prepared, push(network.layers, x.fractions()))
    assert_certified(prepared, result, "input", x)


@examples(45)
@given(cases(), st.data())
def test_tight_rows_alone_find_the_same_as_all_rows_of_a_region(case, data):
    """What is done for many inputs, done for few."""
    network, x = case
    domain = data.draw(domains(network.inputs, near=x))
    everything = NetworkPreimage(network.layers, domain).of_point(x)
    with mock.patch("exactrelu.preimage.network.MANY_INPUTS", 0):
        prepared = NetworkPreimage(network.layers, domain)
        result = prepared.of_point(x)
        assert_true(result, prepared, push(network.layers, x.fractions()))
        assert_certified(prepared, result, "input", x)
    assert result.cardinality.is_infinite == everything.cardinality.is_infinite
    assert (result.cardinality in FINITE) == (everything.cardinality in FINITE)


@examples(70)
@given(cases(), st.data())
def test_what_is_said_of_an_output_is_true_of_the_union_of_all_regions(case, data):
    network, x = case
    domain = data.draw(domains(network.inputs, near=x))
    changes = st.sampled_from([Fraction(value) for value in (0, 0, 0, 1, Fraction(-1, 2), Fraction(1, 3))])
    y = [value + data.draw(changes) for value in push(network.layers, x.fractions())]
    prepared = NetworkPreimage(network.layers, domain)
    given = RationalVector.from_fractions(y)
    result = prepared.of_output(given)
    assert_true(result, prepared, y)
    assert_certified(prepared, result, "output", given)


@examples(45)
@given(cases(), st.data())
def test_through_one_layer_is_that_layer(case, data):
    network, x = case
    layer, domain = network.layers[0], data.draw(domains(network.inputs, near=x))
    composed, alone = NetworkPreimage([layer], domain), LayerPreimage(layer, domain)
    y = layer(x)
    for ours, own in ((composed.of_point(x), alone.of_point(x)), (composed.of_output(y), alone.of_output(y))):
        # A composition is called bounded on boxes only.
        open_bound = own.cardinality is Cardinality.BOUNDED and not isinstance(domain, Box)
        assert ours.cardinality is (Cardinality.INFINITE if open_bound else own.cardinality)
        assert (ours.points, ours.solutions, ours.active) == (own.points, own.solutions, own.active)


def test_products_of_weights_beyond_floats_are_proposed_around():
    """Floats that overflow propose nothing; that they do is no warning to the user (warnings are errors here)."""
    first, second = layer_of([[2**1020, 2**1020], [2**1020, -(2**1020)]], [1, 1]), layer_of([[2**1020, 2**1020]], [0])
    x = RationalVector((1, 1))
    result = NetworkPreimage([first, second], AllSpace()).of_point(x)
    assert_true(result, NetworkPreimage([first, second], AllSpace()), push([first, second], x.fractions()))


@examples(45)
@given(cases(), st.data())
def test_a_deadline_that_has_passed_never_makes_a_wrong_verdict(case, data):
    network, x = case
    prepared = NetworkPreimage(network.layers, data.draw(domains(network.inputs, near=x)))
    y = push(network.layers, x.fractions())
    late = time.monotonic() - 1
    assert_true(prepared.of_point(x, deadline=late), prepared, y)
    assert_true(prepared.of_output(RationalVector.from_fractions(y), deadline=late), prepared, y)


def test_most_random_questions_are_decided():
    """Random networks of two and three layers."""
    generator = np.random.default_rng(4)
    counted = Counter()
    for _ in range(60):
        widths = generator.integers(1, 4, size=generator.integers(3, 5))
        masks = [*[True] * (len(widths) - 2), bool(generator.integers(2))]
        layers = [
            layer_of(generator.integers(-2, 3, (m, n)), generator.integers(-2, 3, m), mask)
            for (n, m), mask in zip(pairwise(widths), masks, strict=True)
        ]
        x = RationalVector(tuple(generator.integers(-4, 5, widths[0]).tolist()), 2)
        box = Box(RationalVector((-2,) * len(x)), RationalVector((2,) * len(x)))
        for domain in (AllSpace(), box):
            prepared = NetworkPreimage(layers, domain)
            result = prepared.of_point(x)
            assert_true(result, prepared, push(layers, x.fractions()))
            counted[result.cardinality] += 1
    assert counted[Cardinality.UNDECIDED] == 0
    assert counted[Cardinality.FINITE] > 0
    for cardinality in (Cardinality.SINGLETON, Cardinality.BOUNDED, Cardinality.UNBOUNDED):
        assert counted[cardinality] > 0.05 * counted.total()


# ---------------------------------------------------------------- by hand


def test_an_absolute_value_has_two_points_or_one():
    halves, total = layer_of([[1], [-1]], [0, 0]), layer_of([[1, 1]], [0], rectified=False)
    on_the_line, from_zero = (NetworkPreimage([halves, total], domain) for domain in (AllSpace(), Orthant()))
    one = RationalVector((1,))
    assert on_the_line.of_point(RationalVector((0,))).cardinality is Cardinality.SINGLETON
    assert on_the_line.of_output(RationalVector((-1,))).cardinality is Cardinality.EMPTY
    assert from_zero.of_point(one).solutions == (one,)
    for result in (on_the_line.of_point(one), on_the_line.of_output(one)):
        assert (result.cardinality, result.points, result.dimension) == (Cardinality.FINITE, 2, 0)
        assert result.solutions == (RationalVector((-1,)), one)


def test_a_zero_pre_activation_is_tried_as_inactive_and_as_active():
    """relu(x) - relu(relu(x) - 1) grows up to x = 1 and is 1 from there on: at x = 1 only the active side is flat."""
    first = layer_of([[1]], [0])
    second = layer_of([[1], [1]], [0, -1])
    last = layer_of([[1, -1]], [0], rectified=False)
    x = RationalVector((1,))
    whole, box = (
        NetworkPreimage([first, second, last], domain) for domain in (AllSpace(), Box(RationalVector((0,)), RationalVector((3,))))
    )
    assert whole.of_point(x).cardinality is Cardinality.UNBOUNDED
    assert accepted(whole, whole.of_point(x), "input", x).endswith("unbounded, 1 active")
    result = box.of_point(x)
    assert result.cardinality is Cardinality.BOUNDED
    assert result.witness.second == RationalVector((3,))
    assert accepted(box, result, "input", x).endswith("bounded, 1 active")


def test_a_layer_without_relu_lets_negative_values_through():
    """0 is the only value from 0 on that relu takes to 0, but below it lie infinitely many."""
    through, relu = layer_of([[1]], [0], rectified=False), layer_of([[1]], [0])
    prepared = NetworkPreimage([through, relu], AllSpace())
    zero = RationalVector((0,))
    assert prepared.of_point(zero).cardinality is Cardinality.UNBOUNDED
    assert accepted(prepared, prepared.of_point(zero), "input", zero).endswith("unbounded, 0 active")
    assert prepared.of_output(zero).cardinality is Cardinality.UNBOUNDED


def test_an_input_outside_the_domain_asks_about_its_output():
    """Layers that are injective, a box beside the input: the output has another input in the box, or none."""
    fold, shift = layer_of([[1], [-1]], [0, 0]), layer_of([[1, 2], [2, 1]], [1, 1])
    box = Box(RationalVector((0,)), RationalVector((1,)))
    flat = NetworkPreimage([layer_of([[1]], [0]), layer_of([[3]], [1])], box)
    below = RationalVector((-1,))
    found = flat.of_point(below)
    assert (found.cardinality, found.solutions) == (Cardinality.SINGLETON, (RationalVector((0,)),))
    assert accepted(flat, found, "input", below).endswith("singleton, 1 active")
    none = NetworkPreimage([fold, shift], box)
    result = none.of_point(below)
    assert result.cardinality is Cardinality.EMPTY
    assert accepted(none, result, "input", below).endswith("empty")


def test_layers_too_large_to_compose_leave_what_they_alone_do_not_settle_undecided():
    halves, total = layer_of([[1], [-1]], [0, 0]), layer_of([[1, 1], [1, 1]], [0, -1])
    x = RationalVector((1,))
    with mock.patch("exactrelu.preimage.composition._MOST_ENTRIES", 3):
        result = NetworkPreimage([halves, total], AllSpace()).of_point(x)
    assert result.cardinality is Cardinality.UNDECIDED
    assert "too large" in result.reached


@pytest.mark.parametrize("domain", ["all", "box"])
def test_many_inputs(domain):
    """More inputs than those for which a witness is computed unasked: the certificate finds its second input or ray."""
    generator = np.random.default_rng(2)
    n, widths = 150, (150, 400, 60, 5)
    layers = [layer_of(generator.integers(-9, 10, (m, k)), generator.integers(-9, 10, m), m > 5) for k, m in pairwise(widths)]
    x = RationalVector(tuple(generator.integers(0, 3, n).tolist()), 2)
    box = Box(RationalVector((0,) * n), RationalVector((1,) * n))
    prepared = NetworkPreimage(layers, AllSpace() if domain == "all" else box)
    result = prepared.of_point(x)
    assert result.witness is None
    assert result.cardinality is (Cardinality.INFINITE if domain == "all" else Cardinality.BOUNDED)
    assert accepted(prepared, result, "input", x, kernels=(FastKernels,)).endswith(f"{result.cardinality.value}, {result.active} active")


def test_wrong_requests_are_refused():
    one, two = layer_of([[1]], [0]), layer_of([[1, 1]], [0])
    with pytest.raises(InvalidRequestError, match="no layers"):
        NetworkPreimage([], AllSpace())
    with pytest.raises(InvalidRequestError, match="layer 2 takes 2 inputs"):
        NetworkPreimage([one, two], AllSpace())
    with pytest.raises(InvalidRequestError, match="the box has 2"):
        NetworkPreimage([one], Box(RationalVector((0, 0)), RationalVector((1, 1))))
    with pytest.raises(InvalidRequestError, match="2 coordinates"):
        NetworkPreimage([one], AllSpace()).of_point(RationalVector((1, 2)))
    with pytest.raises(InvalidRequestError, match="2 coordinates"):
        NetworkPreimage([one], AllSpace()).of_output(RationalVector((1, 2)))
