"""P: the pre-image of a network is the union over its activation regions. Second opinion: PPL on the regions of all sign patterns."""

from __future__ import annotations

import hashlib
import io
import time
from fractions import Fraction
from itertools import product
from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from test_network_preimage import accepted, assert_certified, assert_true, cases, chain, layer_of, push, truth
from theorems.oracles import domain_rows, dot, evaluate, examples, in_domain

from exactrelu.certificates import stated
from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.network import read_network
from exactrelu.checker.text import Rejected, Text
from exactrelu.checker.verify import verify
from exactrelu.domain import AllSpace, Box, Orthant, Polytope
from exactrelu.exact.rational import RationalVector
from exactrelu.fast_checker import FastKernels
from exactrelu.network.exact_file import _lines
from exactrelu.preimage.cases import DecidedCase, preimage_by_cases
from exactrelu.preimage.cases.layer import Question, case_layer
from exactrelu.preimage.cases.search import Leaf
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.preimage.network import NetworkPreimage
from exactrelu.strategies import domains, rational_vectors
from exactrelu.verdict import Cardinality

ppl = pytest.importorskip("ppl", reason="pplpy gives the second opinion")

CHECKERS = (Kernels(), FastKernels())
CHANGES = st.sampled_from([Fraction(value) for value in (0, 0, 0, 1, Fraction(-1, 2), Fraction(1, 3))])


def by_cases(prepared, y, *, deadline=None):
    """The answer of the tree alone, without the facts that are asked first; None for an output that is no output of the last relu."""
    if any(value < 0 and relu for value, relu in zip(y.numerators, prepared.stages[-1].rectified.tolist(), strict=True)):
        return None
    active = sum(value > 0 for value in y.numerators)
    question = Question(prepared.stages, prepared.domain, y)
    return preimage_by_cases(question, active=active, rational=prepared.rational, deadline=deadline)


def text_of(prepared, result, subject, asked):
    """The network file and the certificate."""
    network = b"".join(_lines(chain(*prepared.stages)))
    named = {"network_sha256": hashlib.sha256(network).hexdigest(), "layer_number": len(prepared.stages), "subject": subject}
    return network.decode(), prepared.certificate(result, given=asked, **named).text()


def judged(network, text):
    """(True, claim) or (False, reason): the verdict of both checkers, which is the same."""
    found = set()
    for checker in CHECKERS:
        try:
            stream = Text(io.BytesIO(text.encode()))
            stream.take("exactrelu-certificate 1", "3").done()
            stream.take("network", "3").sha256()
            found.add((True, str(verify(stream, read_network(io.BytesIO(network.encode())), checker))))
        except Rejected as error:
            found.add((False, str(error)))
    (one,) = found
    return one


def folds(widths):
    """x -> (|x1|, |x2|, ..): as many points as there are signs."""
    n = widths
    return [layer_of(np.vstack([np.eye(n), -np.eye(n)]), [0] * (2 * n)), layer_of(np.hstack([np.eye(n)] * 2), [0] * n, rectified=False)]


# ---------------------------------------------------------------- the union is what brute force says


@examples(80)
@given(cases(), st.data())
def test_the_cases_together_are_the_preimage(case, data):
    """Whatever the domain: the word, the number of points, the points, the dimension; and every answer is certified."""
    network, x = case
    domain = data.draw(domains(network.inputs, near=x))
    prepared = NetworkPreimage(network.layers, domain, rational=data.draw(st.booleans()))
    y = RationalVector.from_fractions(value + data.draw(CHANGES) for value in push(network.layers, x.fractions()))
    result = by_cases(prepared, y)
    assume(result is not None)
    assert result.cardinality not in {Cardinality.UNDECIDED, Cardinality.INFINITE}
    assert result.dimension is not None
    event(f"{result.cardinality.value}, {type(domain).__name__}")
    assert_true(result, prepared, y.fractions())
    asked = ("input", x) if network(x) == y and data.draw(st.booleans()) else ("output", y)
    assert_certified(prepared, result, *asked)


@examples(40)
@given(cases(), st.data())
def test_where_floats_propose_nonsense_the_answer_is_the_same(case, data):
    """Cases that are said to be empty and are not, or the other way round, cost splits and change no word."""
    network, x = case
    prepared = NetworkPreimage(network.layers, data.draw(domains(network.inputs, near=x)))
    y = RationalVector.from_fractions(push(network.layers, x.fractions()))
    nonsense = Leaf(data.draw(st.sampled_from([None, frozenset()])))
    with mock.patch("exactrelu.preimage.cases.CaseSearch.tree", return_value=nonsense):
        result = by_cases(prepared, y)
    assert result.cardinality is not Cardinality.UNDECIDED
    assert_true(result, prepared, y.fractions())
    assert_certified(prepared, result, "output", y)


@examples(60)
@given(cases(), st.data())
def test_a_case_layer_holds_the_inputs_of_the_case(case, data):
    """An input with the output, its neurons' signs and their values solve its rows; so do only such inputs where all signs are known."""
    network, x = case
    domain = data.draw(domains(network.inputs, near=x))
    question = Question(network.layers, domain, network(x))
    assume(all(value >= 0 or not relu for value, relu in zip(question.y.numerators, network.layers[-1].rectified.tolist(), strict=True)))
    chosen = data.draw(st.lists(st.booleans(), min_size=len(question.neurons), max_size=len(question.neurons)))
    signs = {neuron: data.draw(st.booleans()) for neuron, kept in zip(question.neurons, chosen, strict=True) if kept}
    rows = question.rows(signs)
    free = [row.name[1:] for row in rows if row.name.kind == "h" and row.name[1:] not in signs]
    layer = case_layer(rows, network.inputs + len(free))
    points = [x.fractions(), *(data.draw(rational_vectors(network.inputs)).fractions() for _ in range(2))]
    for point in points:
        state, values, agrees = point, {}, True
        for number, stage in enumerate(network.layers[:-1], 1):
            z = [dot(row, state) + bias for row, (bias,) in zip(stage.weight.fractions(), stage.bias.fractions(), strict=True)]
            state = evaluate(stage, state)
            values |= {(number, i): value for i, value in enumerate(state)}
            signed = {i: sign for (k, i), sign in signs.items() if k == number}
            agrees = agrees and all(z[i] >= 0 if sign else z[i] <= 0 for i, sign in signed.items())
        solves = not any(layer(RationalVector.from_fractions([*point, *(values[neuron] for neuron in free)])).numerators)
        fits = agrees and in_domain(domain, point) and push(network.layers, point) == question.y.fractions()
        assert solves == fits


# ---------------------------------------------------------------- by hand


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_fold_in_every_coordinate_has_two_points_for_each(width):
    prepared = NetworkPreimage(folds(width), AllSpace())
    y = RationalVector(tuple(range(1, width + 1)))
    found = prepared.of_output(y)
    assert (found.cardinality, found.points, found.dimension) == (Cardinality.FINITE, 2**width, 0)
    signs = product((-1, 1), repeat=width)
    assert [x.numerators for x in found.solutions] == [tuple(s * v for s, v in zip(one, y.numerators, strict=True)) for one in signs]
    assert accepted(prepared, found, "output", y).endswith(f"finite, {2**width} points, {width} active")
    x = found.solutions[0]
    assert prepared.of_point(x).solutions == found.solutions
    assert NetworkPreimage(folds(width), Orthant()).of_point(x).solutions == (y,)
    beside = Polytope((tuple([1] * width),), (-(sum(y.numerators) - 1),))
    assert NetworkPreimage(folds(width), beside).of_point(x).points == 2**width - 1


def test_points_on_a_wall_are_counted_once():
    """At |x| = 0 both cases hold the point, and with copies of the neurons many do."""
    twice = [layer_of([[1], [-1], [1], [1]], [0, 0, 0, -1]), layer_of([[1, 1, 0, 1]], [0], rectified=False)]
    prepared = NetworkPreimage(twice, AllSpace())
    result = by_cases(prepared, RationalVector((0,)))
    assert (result.cardinality, result.solutions) == (Cardinality.SINGLETON, (RationalVector((0,)),))
    assert accepted(prepared, result, "output", RationalVector((0,))).endswith("singleton, 0 active")


def test_bounded_and_unbounded_parts_of_several_dimensions():
    """Two bumps: a plateau and a tip of the same height give a bounded set of dimension 1; a ramp to one side an unbounded one."""
    first = layer_of([[1]] * 7, [0, -1, -2, -3, -5, -6, -7])
    tops = layer_of([[1, -1, -1, 1, 1, -2, 1]], [0], rectified=False)
    prepared = NetworkPreimage([first, tops], AllSpace())
    one, zero = RationalVector((1,)), RationalVector((0,))
    result = by_cases(prepared, one)
    assert (result.cardinality, result.dimension) == (Cardinality.BOUNDED, 1)
    assert accepted(prepared, result, "output", one).endswith("bounded, dimension 1, 1 active")
    result = by_cases(prepared, zero)
    assert (result.cardinality, result.dimension) == (Cardinality.UNBOUNDED, 1)
    assert accepted(prepared, result, "output", zero).endswith("unbounded, dimension 1, 0 active")
    box = Box(RationalVector((5,)), RationalVector((7,)))
    assert by_cases(NetworkPreimage([first, tops], box), one).solutions == (RationalVector((6,)),)


def test_neurons_that_nothing_reads_are_not_split():
    """Thirty neurons without weights to the next layer would make 2^30 cases."""
    first = layer_of([[1], [-1], *[[k] for k in range(1, 31)]], [0, 0, *range(30)])
    total = layer_of([[1, 1, *[0] * 30]], [0], rectified=False)
    prepared = NetworkPreimage([first, total], AllSpace())
    result = by_cases(prepared, RationalVector((2,)))
    assert result.points == 2
    assert len(result.grounds.nodes) <= 7
    accepted(prepared, result, "output", RationalVector((2,)))


def test_limits_leave_it_undecided_and_say_how_far_it_came():
    prepared = NetworkPreimage(folds(3), AllSpace())
    y = RationalVector((1, 2, 3))
    with mock.patch("exactrelu.preimage.cases.MOST_WORK", 1000):
        result = by_cases(prepared, y)
    assert result.cardinality is Cardinality.UNDECIDED
    assert "open at its limit" in result.reached
    with mock.patch("exactrelu.preimage.cases.MOST_COLUMNS", 8):
        assert "time limit" in by_cases(prepared, y).reached
        assert by_cases(prepared, y, deadline=time.monotonic() + 60).points == 8
    for late in (0, 0.001, 0.01, 0.03):
        result = by_cases(prepared, y, deadline=time.monotonic() + late)
        assert result.points == 8 or "open" in result.reached


# ---------------------------------------------------------------- certificates that say too much or too little


@examples(40)
@given(cases(), st.data())
def test_a_case_left_out_or_another_count_is_rejected(case, data):
    network, x = case
    prepared = NetworkPreimage(network.layers, data.draw(domains(network.inputs, near=x)))
    y = RationalVector.from_fractions(push(network.layers, x.fractions()))
    result = by_cases(prepared, y)
    assume(result is not None and result.grounds is not None)
    text, written = text_of(prepared, result, "output", y)
    lines = written.splitlines()
    assert judged(text, written)[0]
    top = next(i for i, line in enumerate(lines) if line == "cases")
    # Another claim about the same cases.
    for word in (
        "empty",
        "singleton ACTIVE",
        "finite 2 ACTIVE",
        "finite 3 ACTIVE",
        "bounded ACTIVE 1",
        "unbounded ACTIVE 1",
        "unbounded ACTIVE 2",
    ):
        claim = "claim preimage " + word.replace("ACTIVE", f"{result.active:x}")
        if claim == lines[top - 1]:
            continue
        assert not judged(text, "\n".join([*lines[: top - 1], claim, *lines[top:]]) + "\n")[0]
    # A leaf without its lines, or twice; a split that loses one of its two cases.
    starts = [i for i, line in enumerate(lines) if i > top and line.split(" ")[0] in {"split", "claim"}]
    leaves = [(i, j) for i, j in zip(starts, [*starts[1:], len(lines) - 1], strict=True) if lines[i].startswith("claim")]
    for start, end in leaves:
        assert not judged(text, "\n".join([*lines[:start], *lines[end:]]) + "\n")[0]
        assert not judged(text, "\n".join([*lines[:end], *lines[start:]]) + "\n")[0]
    for start in starts:
        if lines[start].startswith("split"):
            assert not judged(text, "\n".join([*lines[:start], *lines[start + 1 :]]) + "\n")[0]
    # A leaf that holds points, said to be empty by the evidence of an empty one.
    empty = [lines[i:j] for i, j in leaves if lines[i] == "claim preimage empty"]
    for start, end in leaves:
        if lines[start] != "claim preimage empty":
            for one in empty[:3]:
                assert not judged(text, "\n".join([*lines[:start], *one, *lines[end:]]) + "\n")[0]


def test_what_no_case_speaks_of_is_rejected():
    prepared = NetworkPreimage(folds(1), AllSpace())
    y = RationalVector((3,))
    text, written = text_of(prepared, prepared.of_output(y), "output", y)
    assert judged(text, written) == (True, "preimage through layer 2 (all): finite, 2 points, 1 active")
    assert "split 1 0\n" in written
    for split in ("split 1 2", "split 0 0", "split 2 0", "split 1 1", "split 1"):
        assert not judged(text, written.replace("split 1 0\n", f"{split}\n", 1))[0]
    rectified = NetworkPreimage([*folds(1), layer_of([[1]], [0])], AllSpace())
    text, written = text_of(rectified, rectified.of_output(y), "output", y)
    assert judged(text, written)[0]
    assert judged(text, written.replace("output 1 3", "output 1 -3").replace("finite 2 1", "finite 2 0")) == (
        False,
        "section 4.9: an output that is negative after a relu has no cases",
    )


def test_a_point_of_a_case_without_the_output_is_no_point():
    """x -> (relu(x), x) never takes the value (1, 0), but x = 0 with h = 1 is the one point of the case in which no sign is known."""
    prepared = NetworkPreimage(
        [layer_of([[1], [1]], [0, 0], [True, False]), layer_of([[1, 0], [0, 1]], [0, 0], rectified=False)], AllSpace()
    )
    y = RationalVector((1, 0))
    with mock.patch("exactrelu.preimage.cases.CaseSearch.tree", return_value=Leaf(None)):
        result = by_cases(prepared, y)
    assert result.cardinality is Cardinality.EMPTY
    text, written = text_of(prepared, result, "output", y)
    assert "claim preimage singleton 0 2 0\nsolution 1 0 1\n" in written
    assert judged(text, written)[0]
    assert not judged(text, written.replace("claim preimage empty", "claim preimage singleton 1", 1))[0]


def test_a_case_with_a_free_neuron_holds_no_set():
    """Two inputs have |x| = 3, but h + h' = 3 with h >= x, h' >= -x is a triangle."""
    prepared = NetworkPreimage(folds(1), AllSpace())
    y = RationalVector((3,))
    rows = Question(prepared.stages, AllSpace(), y).rows({})
    alone = LayerPreimage(case_layer(rows, 3), AllSpace())
    decided = DecidedCase(alone, alone.of_output(RationalVector((0,) * len(rows))))
    assert (decided.result.cardinality, decided.result.dimension) == (Cardinality.BOUNDED, 2)
    text, written = text_of(prepared, prepared.of_output(y), "output", y)
    head = written.split("claim preimage", maxsplit=1)[0]
    for claim in ("bounded 1 2", "infinite 1 2", "finite 2 1", "empty"):
        tree = "\n".join([f"claim preimage {claim}", "cases", *stated(decided.part()), "end"]) + "\n"
        assert not judged(text, head + tree)[0]


def test_the_oracles_agree_with_points_by_hand():
    """The second opinion itself, on the folds."""
    layers = folds(2)
    assert truth(layers, AllSpace(), [Fraction(1), Fraction(2)]) == ("finite", 4, 0)
    assert truth(layers, Orthant(), [Fraction(1), Fraction(2)]) == ("singleton", 1, 0)
    assert len(domain_rows(Orthant(), 2)) == 2
