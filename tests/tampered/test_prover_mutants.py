"""Certificates that the prover writes for degenerate layers: the checkers accept them, and no mutant whose claim is false."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from samples import verdict
from test_mutants import line_mutants
from truth import truth

from exactrelu.checker.arithmetic import Kernels
from exactrelu.fast_checker import FastKernels
from exactrelu.network.exact_file import _lines
from exactrelu.network.model import Network, SourceLayer
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.strategies import domains, layers_with_points, outputs

CHECKERS = (Kernels(), FastKernels())


@st.composite
def certificates(draw: st.DrawFn) -> tuple[str, str]:
    """The texts of a network of one layer, with tight rows, and of a certificate of one of its pre-images."""
    layer, x = draw(layers_with_points(inputs=draw(st.integers(0, 4)), wide=False))
    domain = draw(domains(layer.inputs, near=x))
    prepared = LayerPreimage(layer, domain, rational=draw(st.booleans()))
    if draw(st.booleans()):
        subject, asked = "output", draw(outputs(layer))
        result = prepared.of_output(asked)
    else:
        subject, asked = draw(st.sampled_from(["input", "layer-input"])), x
        result = prepared.of_point(asked)
    event(f"{type(domain).__name__}: {result.cardinality.value}")
    network = b"".join(_lines(Network((layer,), (SourceLayer(1, "layer", (layer,), 0),), (), (layer.inputs,)))).decode()
    sha256 = hashlib.sha256(network.encode()).hexdigest()
    return network, prepared.certificate(result, network_sha256=sha256, layer_number=1, subject=subject, given=asked).text()


def judge(network: str, certificate: str) -> bool:
    """The verdict of both checkers, which is the same; a claim that they accept is true."""
    valid, said = verdict(network, certificate, CHECKERS[0])
    assert (valid, said) == verdict(network, certificate, CHECKERS[1]), f"the checkers disagree on\n{network}{certificate}"
    if valid:
        assert truth(network, certificate), f"accepted, but false:\n{network}{certificate}{said}"
    return valid


@settings(deadline=None, max_examples=60)
@given(certificates(), st.data())
def test_some_mutants(texts: tuple[str, str], data: st.DataObject) -> None:
    """One change or two, so that evidence can follow a changed claim."""
    network, certificate = texts
    assert judge(network, certificate)
    lines = certificate.splitlines()
    first = list(line_mutants(lines))
    for choice in data.draw(st.lists(st.integers(0, len(first) - 1), min_size=10, max_size=30)):
        judge(network, "\n".join(first[choice]) + "\n")
        second = data.draw(st.integers(0, 2**31))
        twice = list(line_mutants(first[choice])) or [lines]
        judge(network, "\n".join(twice[second % len(twice)]) + "\n")


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(certificates())
def test_every_mutant(texts: tuple[str, str]) -> None:
    network, certificate = texts
    for lines in line_mutants(certificate.splitlines()):
        judge(network, "\n".join(lines) + "\n")
