"""P: where the tree of cases is too large, the list of all regions decides. Second opinions: PPL on all patterns, the tree."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from test_network_preimage import accepted, assert_true, cases, chain, layer_of, push
from theorems.oracles import examples

from exactrelu import load
from exactrelu.batch import Asked, Question, _batches, records
from exactrelu.domain import AllSpace, Box
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.points import Points
from exactrelu.preimage import answer, preimage
from exactrelu.preimage.cases import preimage_by_cases
from exactrelu.preimage.cases.layer import Question as Cases
from exactrelu.preimage.listing import ListedGrounds, RegionList
from exactrelu.preimage.network import NetworkPreimage
from exactrelu.regions import regions
from exactrelu.regions.level_sets import LevelSets
from exactrelu.strategies import domains
from exactrelu.tables import preimage_report
from exactrelu.verdict import Cardinality

PUBLIC = Path(__file__).parents[1] / ".." / "shared" / "networks" / "public"
CHANGES = st.sampled_from([Fraction(value) for value in (0, 0, 0, 1, Fraction(-1, 2), Fraction(1, 3))])
NO_CASES = "exactrelu.preimage.cases.MOST_WORK"


def vector(*values):
    return RationalVector.from_fractions([Fraction(value) for value in values])


def nothing_proved(_filter, _layer, rows, points, _errors):
    return tuple(np.zeros((len(points), len(rows)), dtype=bool) for _ in range(2))


def listed(prepared, y):
    """The answer of the list alone."""
    return RegionList(prepared.stages, prepared.domain).of_output(y, active=sum(value > 0 for value in y.numerators), deadline=None)


def folds(n):
    """x -> (|x1|, |x2|, ..): as many points as there are signs."""
    return [layer_of(np.vstack([np.eye(n), -np.eye(n)]), [0] * (2 * n)), layer_of(np.hstack([np.eye(n)] * 2), [0] * n, rectified=False)]


# ---------------------------------------------------------------- the list says what brute force and the tree say


@examples(120)
@given(cases(), st.data())
def test_the_list_of_regions_gives_the_preimage(case, data):
    """Whatever the domain, with ties, dead neurons, directions in which nothing changes: the word, the points, the dimension."""
    network, x = case
    prepared = NetworkPreimage(network.layers, data.draw(domains(network.inputs, near=x)))
    y = RationalVector.from_fractions(value + data.draw(CHANGES) for value in push(network.layers, x.fractions()))
    result = listed(prepared, y)
    if "the domain is empty" in result.reached:
        result = prepared.of_output(y)
        assert result.cardinality in {Cardinality.EMPTY, Cardinality.UNDECIDED}
        return
    assert result.cardinality not in {Cardinality.UNDECIDED, Cardinality.INFINITE}
    event(f"{result.cardinality.value}, {result.dimension}")
    assert_true(result, prepared, y.fractions())
    assert result.witness is not None or not result.cardinality.is_infinite
    # One list for all outputs says the same as a new one for each.
    again = RegionList(prepared.stages, prepared.domain)
    for other in (push(network.layers, [value + 1 for value in x.fractions()]), y.fractions()):
        last = again.of_output(RationalVector.from_fractions(other), active=result.active, deadline=None)
    assert last == result


@examples(120)
@given(cases(), st.data())
def test_both_checkers_accept_what_the_list_says(case, data):
    """Whatever the domain, one without interior points too, and whatever the output."""
    network, x = case
    prepared = NetworkPreimage(network.layers, data.draw(domains(network.inputs, near=x)))
    y = RationalVector.from_fractions(value + data.draw(CHANGES) for value in push(network.layers, x.fractions()))
    assume(not any(value < 0 and relu for value, relu in zip(y.numerators, network.layers[-1].rectified, strict=True)))
    result = listed(prepared, y)
    assume("the domain is empty" not in result.reached)
    written = "\n".join(result.grounds.evidence().lines())
    for word in ("zero", "bounded", "point", "direction", "above", "below"):
        if f"\n{word} " in written:
            event(word)
    accepted(prepared, result, "output", y)


@examples(40)
@given(cases(), st.data())
def test_where_floats_prove_nothing_the_answer_is_the_same(case, data):
    network, x = case
    domain = data.draw(domains(network.inputs, near=x))
    try:
        sets = LevelSets(regions(network, domain=domain))
    except InvalidRequestError:
        assume(False)
    y = network(x)
    found = sets.of(y)
    with mock.patch("exactrelu.regions.level_sets.FloatFilter.signs", nothing_proved):
        assert sets.of(y) == found


@examples(40)
@given(cases(), st.data())
def test_the_list_and_the_tree_agree(case, data):
    """Networks on which PPL is slow are none for these two."""
    network, x = case
    prepared = NetworkPreimage(network.layers, data.draw(domains(network.inputs, near=x)))
    y = network(x)
    tree = preimage_by_cases(Cases(prepared.stages, prepared.domain, y), active=0, rational=False, deadline=None)
    result = listed(prepared, y)
    assume("the domain is empty" not in result.reached)
    for word in ("cardinality", "points", "solutions", "dimension"):
        assert getattr(result, word) == getattr(tree, word)


# ---------------------------------------------------------------- by hand


def test_parts_of_several_dimensions():
    """Two bumps: a plateau and a tip of one height, and the plain beside them; all inside a strip of other dimensions."""
    bumps = [layer_of([[1]] * 7, [0, -1, -2, -3, -5, -6, -7]), layer_of([[1, -1, -1, 1, 1, -2, 1]], [0], rectified=False)]
    line = NetworkPreimage(bumps, AllSpace())
    assert (listed(line, vector(1)).cardinality, listed(line, vector(1)).dimension) == (Cardinality.BOUNDED, 1)
    assert (listed(line, vector(0)).cardinality, listed(line, vector(0)).dimension) == (Cardinality.UNBOUNDED, 1)
    assert listed(line, vector("1/2")).solutions == (vector("1/2"), vector("5/2"), vector("11/2"), vector("13/2"))
    assert listed(line, vector(2)).cardinality is Cardinality.EMPTY
    box = NetworkPreimage(bumps, Box(vector(5), vector(7)))
    assert listed(box, vector(1)).solutions == (vector(6),)
    point = NetworkPreimage(bumps, Box(vector(6), vector(6)))
    assert (listed(point, vector(1)).solutions, listed(point, vector(0)).points) == ((vector(6),), 0)
    plane = NetworkPreimage([layer_of([[1, 2]] * 7, [0, -1, -2, -3, -5, -6, -7]), bumps[1]], AllSpace())
    found = listed(plane, vector(1))
    assert (found.cardinality, found.dimension) == (Cardinality.UNBOUNDED, 2)
    found = listed(plane, vector("1/2"))
    assert (found.cardinality, found.dimension) == (Cardinality.UNBOUNDED, 1)
    assert found.witness.ray in {vector(2, -1), vector(-2, 1)}


def test_a_relu_at_the_end_makes_sets_of_every_dimension():
    """relu(|x1| + |x2| - 1) is 0 on a square and 1 on a curve around it; with one more output only points are left."""
    corners = layer_of([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4)
    disc = NetworkPreimage([corners, layer_of([[1] * 4], [-1])], AllSpace())
    found = listed(disc, vector(0))
    assert (found.cardinality, found.dimension) == (Cardinality.BOUNDED, 2)
    found = listed(disc, vector(1))
    assert (found.cardinality, found.dimension) == (Cardinality.BOUNDED, 1)
    assert listed(disc, vector(-1)).cardinality is Cardinality.EMPTY
    both = NetworkPreimage([corners, layer_of([[1] * 4, [1, -1, 0, 0]], [-1, 0], rectified=[True, False])], AllSpace())
    assert listed(both, vector(1, 1)).solutions == (vector(1, -1), vector(1, 1))
    assert listed(both, vector(1, 2)).solutions == (vector(2, 0),)
    assert listed(both, vector(1, 3)).cardinality is Cardinality.EMPTY


# ---------------------------------------------------------------- as the last attempt


def test_the_list_is_asked_where_the_tree_is_too_large_and_is_made_once():
    prepared, y = NetworkPreimage(folds(3), AllSpace()), vector(1, 2, 3)
    with mock.patch(NO_CASES, 0), mock.patch("exactrelu.preimage.listing.regions", side_effect=regions) as made:
        found = prepared.of_output(y)
        assert (found.points, found.reached) == (8, "")
        assert all(push(prepared.stages, x.fractions()) == y.fractions() for x in found.solutions)
        assert prepared.of_point(vector(-1, 0, 2)).points == 4
        assert made.call_count == 1
    assert accepted(prepared, found, "output", y).endswith("finite, 8 points, 3 active")
    assert isinstance(prepared.of_output(y).grounds, ListedGrounds)


def test_with_neither_it_is_undecided_and_says_why():
    y = vector(1, 2, 3)
    with mock.patch(NO_CASES, 0), mock.patch("exactrelu.preimage.listing.MOST_FACES", 27 * 7):
        assert "at least, too many to be listed without a time limit" in NetworkPreimage(folds(3), AllSpace()).of_output(y).reached
        assert NetworkPreimage(folds(3), AllSpace()).of_output(y, deadline=time.monotonic() + 60).points == 8
    with mock.patch(NO_CASES, 0):
        prepared = NetworkPreimage(folds(7), AllSpace())
        assert "regions are not listed for 7 inputs and 7 outputs" in prepared.of_output(vector(*range(1, 8))).reached
    late = NetworkPreimage(folds(3), AllSpace())
    assert "no time to list all regions" in late.of_output(y, deadline=time.monotonic() - 1).reached
    with pytest.raises(InvalidRequestError, match="give more time"):
        LevelSets(regions(chain(*folds(2)), limit=1))


def test_where_the_list_would_have_too_many_faces_the_tree_is_asked():
    """f(x) = |x1| + x2 changes along a direction in which no pattern does."""
    prepared, y = (
        NetworkPreimage([layer_of([[1, 0], [-1, 0], [0, 1]], [0] * 3, [True, True, False]), layer_of([[1] * 3], [0], False)], AllSpace()),
        vector(1),
    )
    with mock.patch(NO_CASES, 0):
        found = prepared.of_output(y)
    assert (found.cardinality, found.dimension) == (Cardinality.UNBOUNDED, 1)
    with mock.patch("exactrelu.regions.level_sets._MOST_FACES", 1):
        assert accepted(prepared, prepared.of_output(y), "output", y).endswith("unbounded, dimension 1, 1 active")
        with mock.patch(NO_CASES, 0):
            assert "makes too many faces" in prepared.of_output(y).reached


def test_a_list_that_all_questions_share_may_take_more_time_than_one_has():
    """Its time is a part of what all have together; what did not suffice once is not tried again."""
    y, past = vector(1, 2, 3), time.monotonic() - 1
    alone = RegionList(folds(3), AllSpace())
    assert alone.of_output(y, active=3, deadline=past).cardinality is Cardinality.UNDECIDED
    together = RegionList(folds(3), AllSpace(), until=time.monotonic() + 60)
    assert together.of_output(y, active=3, deadline=past).points == 8
    nothing = regions(chain(*folds(3)), limit=1)
    with mock.patch("exactrelu.preimage.listing.regions", return_value=nothing) as made:
        too_few = RegionList(folds(3), AllSpace(), until=time.monotonic() + 60)
        limitless = RegionList(folds(3), AllSpace())
        for _ in range(2):
            assert "without a time limit" in limitless.of_output(y, active=3, deadline=None).reached
        assert made.call_count == 1
        made.reset_mock()
        assert "too many to be listed in time" in too_few.of_output(y, active=3, deadline=past).reached
        assert "no time" in too_few.of_output(y, active=3, deadline=past).reached
        assert made.call_count == 1


# ---------------------------------------------------------------- many rows


def test_every_row_has_its_share_of_the_time():
    """Two things asked of three rows in 600 seconds: 100 each, and what one leaves goes to the others."""
    network, given = chain(*folds(2)), []

    def recorded(*args, deadline, **kwargs):
        given.append(deadline - time.monotonic())
        return answer(*args, deadline=deadline, **kwargs)

    asked = tuple(Asked(network.layer_through(number), AllSpace(), through=True) for number in (1, 2))
    points = Points((vector(1, 2), vector(1, 0), vector(0, 0)), (0, 1, 2), "")
    with mock.patch("exactrelu.batch.answer", recorded):
        found = list(records(Question(network, asked, "input", deadline=time.time() + 600), points))
    assert [(one["row"], one["through"], one["points"]) for one in found] == [
        (0, 1, 1),
        (1, 1, 1),
        (2, 1, 1),
        (0, 2, 4),
        (1, 2, 2),
        (2, 2, 1),
    ]
    assert all(600 / (6 - place) - 30 < seconds <= 600 / (6 - place) for place, seconds in enumerate(given))
    with mock.patch("exactrelu.preimage.answer", recorded):
        given.clear()
        preimage(network, input=points.rows, through=2, seconds=600)
    assert all(600 / (3 - place) - 30 < seconds <= 600 / (3 - place) for place, seconds in enumerate(given))


@given(st.integers(0, 40), st.integers(1, 3), st.integers(1, 5), st.integers(1, 16))
def test_no_row_is_forgotten_when_time_is_shared(rows, asked, workers, size):
    points = Points(tuple(vector(k) for k in range(rows)), tuple(range(rows)), "")
    batches = [batch for place in range(asked) for batch in _batches(place, points, size, (asked - place - 1) * rows, workers)]
    assert [x for batch in batches for x in batch.points] == list(points.rows) * asked
    after = rows * asked
    for batch in batches:
        after -= len(batch.points)
        assert 0 <= batch.waiting * workers - after < workers


def test_the_table_counts_points_where_there_are_several():
    network = chain(*folds(2))
    question = Question(network, (Asked(network.layer_through(2), AllSpace(), through=True),), "input")
    shown = preimage_report(network, list(records(question, Points((vector(1, 2), vector(0, 0)), (0, 1), ""))))
    assert [line[5:23].strip() for line in shown.splitlines()[1:4]] == ["cardinality", "finite, 4 points", "singleton"]


# ---------------------------------------------------------------- real networks


@pytest.mark.parametrize(
    ("name", "width"), [("reach_prob_density_vdp.onnx", None), ("hcas_pra0_tau00.nnet", Fraction(1, 10)), ("nn4sys_lindex.onnx", None)]
)
def test_a_real_network_is_decided(name, width):
    """At inputs drawn at random, and without the tree: the input is found, every point has its output exactly."""
    if not (PUBLIC / name).exists():
        pytest.skip(f"{PUBLIC / name} is not there")
    network = load(PUBLIC / name)
    n = network.inputs
    domain = AllSpace() if width is None else Box(vector(*[-width] * n), vector(*[width] * n))
    prepared = NetworkPreimage(network.layers, domain)
    random = np.random.default_rng(0)
    for row in random.integers(-1000, 1001, (3, n)).tolist():
        x = RationalVector(tuple(row), 1000 if width is None else 10_000)
        with mock.patch(NO_CASES, 0):
            found = prepared.of_point(x)
        assert found.cardinality in {Cardinality.SINGLETON, Cardinality.FINITE}
        assert x in found.solutions
        assert len(set(found.solutions)) == found.points
        for solution in found.solutions:
            assert domain.contains(solution)
            assert network(solution) == network(x)
    largest = vector(*[10**9] * network.outputs)
    if width is not None:
        with mock.patch(NO_CASES, 0):
            assert prepared.of_output(largest).cardinality is Cardinality.EMPTY


@pytest.mark.parametrize(
    ("name", "width"),
    [("reach_prob_density_vdp.onnx", Fraction(1, 4)), ("hcas_pra0_tau00.nnet", Fraction(1, 1000)), ("nn4sys_lindex.onnx", None)],
)
def test_both_checkers_accept_what_is_said_of_a_real_network(name, width):
    if not (PUBLIC / name).exists():
        pytest.skip(f"{PUBLIC / name} is not there")
    network = load(PUBLIC / name)
    n = network.inputs
    prepared = NetworkPreimage(network.layers, AllSpace() if width is None else Box(vector(*[-width] * n), vector(*[width] * n)))
    y = network(vector(*[Fraction(1, 5000 + j) for j in range(n)]))
    assert "singleton" in accepted(prepared, listed(prepared, y), "output", y)
