"""Exact points from outputs: what is returned has the output asked for and lies in the domain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import evaluate, examples

from exactrelu.domain import AllSpace
from exactrelu.errors import InvalidRequestError
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.preimage.reconstruct import reconstruct, sample_preimage
from exactrelu.strategies import domains, layers_with_points, outputs
from exactrelu.verdict import Cardinality


@examples(60)
@given(layers_with_points(), st.data())
def test_samples_have_the_same_output_and_lie_in_the_domain(case, data):
    layer, x = case
    domain = data.draw(domains(layer.inputs, near=x))
    if not domain.contains(x):
        with pytest.raises(InvalidRequestError, match="does not lie in the domain"):
            sample_preimage(layer, x, 1, domain=domain)
        return
    points = sample_preimage(layer, x, 4, domain=domain, seed=1)
    wanted = evaluate(layer, x.fractions())
    assert len(points) == 4
    for point in points:
        assert domain.contains(point)
        assert evaluate(layer, point.fractions()) == wanted
    found = LayerPreimage(layer, domain).of_point(x)
    if found.cardinality is Cardinality.SINGLETON:
        assert set(points) == {x}
    elif found.cardinality.is_infinite:
        # Four independent draws on a grid of 2^20 that all agree would be a walk that does not move.
        assert len(set(points)) > 1


@examples(60)
@given(layers_with_points(), st.data())
def test_reconstruction_is_the_one_input_or_a_refusal(case, data):
    layer, x = case
    y = data.draw(outputs(layer))
    found = LayerPreimage(layer, AllSpace()).of_output(y)
    if found.cardinality is Cardinality.SINGLETON:
        assert evaluate(layer, reconstruct(layer, y).fractions()) == y.fractions()
    else:
        with pytest.raises(InvalidRequestError, match="no single input"):
            reconstruct(layer, y)
    if LayerPreimage(layer, AllSpace()).of_point(x).cardinality is Cardinality.SINGLETON:
        assert reconstruct(layer, layer(x)) == x
