"""The search for a tree of cases: what its shortcuts say of rows and signs is what the rows and the network themselves say."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from test_network_preimage import cases
from theorems.oracles import examples
from theorems.test_R import chained, layer

from exactrelu.certificates import Farkas
from exactrelu.certificates.cases import CaseSplit
from exactrelu.domain import Box
from exactrelu.exact.rational import RationalVector
from exactrelu.network.readers import load
from exactrelu.preimage.cases import preimage_by_cases
from exactrelu.preimage.cases.layer import Question
from exactrelu.preimage.cases.ranges import Ranges
from exactrelu.preimage.cases.search import CaseSearch
from exactrelu.preimage.listing import ListedGrounds
from exactrelu.preimage.network import NetworkPreimage
from exactrelu.strategies import domains, rational_vectors


@examples(80)
@given(cases(), st.data())
def test_the_names_of_rows_and_single_rows_are_those_of_all_rows(case, data):
    network, x = case
    question = Question(network.layers, data.draw(domains(network.inputs, near=x)), network(x))
    for _ in range(3):
        # One after another, so that what is remembered of the case before is put to the test.
        drawn = data.draw(st.lists(st.sampled_from([None, False, True]), min_size=len(question.neurons), max_size=len(question.neurons)))
        signs = {neuron: sign for neuron, sign in zip(question.neurons, drawn, strict=True) if sign is not None}
        names = question.names(signs)
        chosen = frozenset(name for name in names if data.draw(st.booleans()))
        some = question.named(signs, chosen)
        rows = Question(question.stages, question.domain, question.y).rows(signs)
        assert names == [row.name for row in rows]

        def told(row):
            return row.name, [value for value in row.coefficients if value], row.constant, row.equality

        assert [told(row) for row in some] == [told(row) for row in rows if row.name in chosen]


@examples(80)
@given(cases(), st.data())
def test_no_sign_that_an_input_of_the_domain_has_is_called_impossible(case, data):
    network, x = case
    assume(len(network.layers) > 1)
    domain = data.draw(domains(network.inputs, near=x))
    ranges = Ranges(Question(network.layers, domain, network(x)))
    for point in (x, *(data.draw(rational_vectors(network.inputs)) for _ in range(3))):
        if not domain.contains(point):
            continue
        signs, state = {}, point
        for number, stage in enumerate(network.layers[:-1], 1):
            z = stage.pre_activation(state).fractions()
            for neuron, sign, names in ranges.impossible(number, signs):
                assert z[neuron.row] != 0
                assert sign != (z[neuron.row] > 0)
                assert any(name.kind == ("active" if sign else "inactive") and name[1:] == neuron for name in names)
            signs |= {
                neuron: z[neuron.row] > 0 for neuron in Question(network.layers, domain, network(x)).neurons if neuron.number == number
            }
            state = stage(state)


def test_on_a_small_box_sides_alone_fix_almost_all_signs():
    generator = np.random.default_rng(5)
    rows = [generator.standard_normal((m, n + 1)) for n, m in ((3, 24), (24, 24), (24, 3))]
    network = chained([layer(rows[0], np.ones(24, bool)), layer(rows[1], np.ones(24, bool)), layer(rows[2], np.zeros(3, bool))])
    x = RationalVector((10, 20, -30), 64)
    box = Box(*(RationalVector.from_fractions(value + Fraction(step, 256) for value in x.fractions()) for step in (-1, 1)))
    question = Question(network.layers, box, network(x))
    search = CaseSearch(question)
    search.tree(most=None, deadline=None)
    # One program for each case that is not settled by sides alone, instead of two for each of 48 neurons.
    assert search._program.solved <= 12
    found = preimage_by_cases(question, active=0, rational=False, deadline=None)
    assert found.solutions == (x,)
    # What the sides say is proved exactly: no case but the last ones asks the decider of a layer.
    splits = sum(isinstance(node, CaseSplit) for node in found.grounds.nodes)
    proved = sum(isinstance(node, Farkas) for node in found.grounds.nodes)
    assert proved >= splits - 4 > 40


def test_a_network_of_300_neurons_is_listed_on_a_small_box(shared):
    network = load(shared / "networks" / "public" / "acasxu_1_1.onnx")
    x = RationalVector((265, -182, 97, -166, -111), 1024)
    box = Box(*(RationalVector.from_fractions(value + Fraction(step, 128) for value in x.fractions()) for step in (-1, 1)))
    begun = time.process_time()
    found = NetworkPreimage(network.layers, box).of_point(x, deadline=time.monotonic() + 300)
    assert time.process_time() - begun < 10
    assert found.reached == ""
    assert isinstance(found.grounds, ListedGrounds)
    assert found.points is not None
    assert x in found.solutions
