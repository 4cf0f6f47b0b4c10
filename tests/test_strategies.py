"""The shipped strategies reach what they promise, and what they draw is valid."""

from __future__ import annotations

from operator import eq

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from theorems.oracles import evaluate, examples, in_domain

from exactrelu.domain import AllSpace, Box, Orthant, Polytope
from exactrelu.exact.polyhedron import Polyhedron
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.network.model import Layer
from exactrelu.strategies import domains, dyadic_floats, dyadic_matrices, layers, layers_with_points, networks, outputs, rational_vectors

REACH = settings(max_examples=5000, database=None, phases=[Phase.generate])


def reached(strategy, condition):
    assert condition(find(strategy, condition, settings=REACH))


FLOATS = {
    "minus zero": lambda v: v == 0 and str(v) == "-0.0",
    "a subnormal number": lambda v: 0 < abs(v) < 2.0**-1022,
    "a huge number": lambda v: abs(v) > 2.0**800,
    "a float16 that is no integer": lambda v: v != int(v) and np.float64(np.float16(v)) == v if abs(v) < 60000 else False,
    "a float32 that is no float16": lambda v: abs(v) < 60000 and np.float64(np.float32(v)) == v and np.float64(np.float16(v)) != v,
    "one and a last bit": lambda v: v == 1 + 2.0**-52,
    "a small integer": lambda v: v == -2,
}


@pytest.mark.parametrize("name", FLOATS)
def test_floats_reach(name):
    reached(dyadic_floats(), FLOATS[name])


def rows_of(case):
    return case[0].weight.fractions()


def spread(sizes):
    return max(sizes) / min(sizes) if sizes else 1


LAYERS = {
    "equal rows": lambda case: any(row == other and any(row) for i, row in enumerate(rows_of(case)) for other in rows_of(case)[:i]),
    "opposite rows": lambda case: any(any(row) and row == [-v for v in other] for row in rows_of(case) for other in rows_of(case)),
    "a zero row": lambda case: any(not any(row) for row in rows_of(case)),
    "a zero column": lambda case: any(rows_of(case)) and not case[0].weight.nonzero_columns.all(),
    "one input": lambda case: case[0].inputs == 1,
    "no output": lambda case: case[0].outputs == 0,
    "outputs without a relu beside others": lambda case: case[0].rectified.any() and not case[0].rectified.all(),
    "weights beyond float64": lambda case: not case[0].weight.is_float64,
    "two non-zero rows that are tight at the point": lambda case: (
        sum(z == 0 and any(row) for z, row in zip(case[0].pre_activation(case[1]).numerators, rows_of(case), strict=True)) >= 2
    ),
    "a row that misses the point by little": lambda case: any(0 < abs(z) < 2.0**-50 for z in case[0].pre_activation(case[1]).fractions()),
    "tiny beside huge weights": lambda case: spread([abs(v) for row in rows_of(case) for v in row if v]) > 2**90,
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_reach(name):
    reached(layers_with_points(), LAYERS[name])


DOMAINS = {
    "all": lambda d: isinstance(d, AllSpace),
    "the orthant": lambda d: isinstance(d, Orthant),
    "a box with equal bounds": lambda d: isinstance(d, Box) and any(map(eq, d.lower.fractions(), d.upper.fractions())),
    "a polytope without rows": lambda d: isinstance(d, Polytope) and not d.rows,
    "a polytope with a row of zeros": lambda d: isinstance(d, Polytope) and any(not any(row) for row in d.rows),
    "an empty polytope": lambda d: (
        isinstance(d, Polytope) and Polyhedron.make(2, inequalities=[(*r, o) for r, o in zip(d.rows, d.offsets, strict=True)]).is_empty()
    ),
}


@pytest.mark.parametrize("name", DOMAINS)
def test_domains_reach(name):
    reached(domains(2), DOMAINS[name])


@given(st.integers(0, 3), st.integers(0, 3), st.data())
def test_shapes_are_those_asked_for(m, n, data):
    matrix = data.draw(dyadic_matrices(m, n))
    assert matrix.shape == (m, n)
    assert data.draw(dyadic_matrices(m, n, wide=False)).is_float64
    layer = data.draw(layers(inputs=n, outputs=m))
    assert (layer.inputs, layer.outputs) == (n, m)
    assert len(data.draw(rational_vectors(n))) == n
    assert len(data.draw(outputs(layer))) == m


@examples(100)
@given(layers_with_points(), st.data())
def test_domains_agree_with_their_definition_everywhere(case, data):
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x))
    for point in (x, data.draw(rational_vectors(layer.inputs))):
        assert domain.contains(point) == in_domain(domain, point.fractions())


@examples(60)
@given(networks(), st.data())
def test_networks_evaluate_as_their_definition_says(network, data):
    x = data.draw(rational_vectors(network.inputs))
    state = x.fractions()
    for layer in network.layers:
        state = evaluate(layer, state)
    assert network(x).fractions() == state
    assert [source.number for source in network.source_layers] == list(range(1, len(network.layers) + 1))


def test_outputs_outside_the_range_and_negative_ones_are_reached():
    layer = Layer(DyadicMatrix.from_floats([[1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    reached(outputs(layer), lambda y: y.numerators[0] < 0)
    reached(outputs(layer), lambda y: y.numerators[0] > 0)
