"""The network file: its text means the network, is in normal form, and is the same for every way to hold the same numbers."""

from __future__ import annotations

import hashlib
import io
import tempfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exactrelu.checker.network import read_network
from exactrelu.checker.sparse import at
from exactrelu.errors import UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.network import exact_file
from exactrelu.network.exact_file import network_sha256, write_network
from exactrelu.network.model import Layer, Network, Source

ENTRIES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -2.0, 0.75, 5e-324, -5e-324, 2.0**1023, -(2.0**-1022), 65504.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
)


def dyadics(draw, m, n):
    if draw(st.integers(0, 3)) == 0:
        integers = st.lists(st.one_of(st.just(0), st.integers(-(2**90), 2**90)), min_size=n, max_size=n)
        return DyadicMatrix.from_integers(draw(st.lists(integers, min_size=m, max_size=m)), n, draw(st.integers(-90, 9)))
    return DyadicMatrix.from_floats(np.array(draw(st.lists(ENTRIES, min_size=m * n, max_size=m * n)), dtype=float).reshape(m, n))


@st.composite
def networks(draw):
    widths = draw(st.lists(st.integers(0, 9), min_size=2, max_size=3))
    layers = tuple(
        Layer(dyadics(draw, m, n), dyadics(draw, m, 1), np.array(draw(st.lists(st.booleans(), min_size=m, max_size=m)), dtype=bool))
        for n, m in pairwise(widths)
    )
    return Network(layers, (), draw(st.sampled_from([(), (Source("ab" * 32, 255, "my net.onnx"),)])), (widths[0],))


def text_of(network):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.network")
        digest = write_network(network, path)
        data = path.read_bytes()
        assert [entry.name for entry in Path(folder).iterdir()] == ["model.network"]
    assert digest == hashlib.sha256(data).hexdigest() == network_sha256(network)
    return data.decode("ascii")


def parsed(text):
    """A second reader of FORMAT.md, section 2: [(weights, biases, mask)] in fractions, and a check of the normal form."""
    lines = iter(text.split("\n"))
    version = next(lines).removeprefix("exactrelu-network ")
    assert version in {"1", "2"}
    line = next(lines)
    while line.startswith("source "):
        line = next(lines)
    assert line == "convention exact-1"
    width = int(next(lines).removeprefix("input "), 16)
    layers, line, coefficients, used = [], next(lines), 0, 0
    while line != "end":
        word, inputs, outputs, *relu = line.split(" ")
        inputs, outputs = int(inputs, 16), int(outputs, 16)
        assert (word, inputs) == ("layer", width)
        mask = {"all": 2**outputs - 1, "none": 0}.get(relu[0]) if len(relu) == 1 else int(relu[1], 16)
        assert len(relu) == 1 or (relu[0] == "mask" and 0 < mask < 2**outputs - 1)
        assert outputs or relu == ["none"]
        weights, biases = [], []
        for _ in range(outputs):
            word, exponent, *values = next(lines).split(" ")
            assert all(value == format(int(value, 16), "x") for value in (exponent, *values))
            integers, exponent = [int(value, 16) for value in values], int(exponent, 16)
            if word == "sparse":
                constant, count, *pairs = integers
                assert version == "2" and len(pairs) == 2 * count and sorted(set(pairs[::2])) == pairs[::2] and all(pairs[1::2])
                entries = dict(zip(pairs[::2], pairs[1::2], strict=True))
                integers = [constant, *(entries.pop(j, 0) for j in range(inputs))]
                assert not entries
            assert len(integers) == inputs + 1
            nonzero = sum(map(bool, integers[1:]))
            assert word == ("sparse" if version == "2" and 4 * nonzero <= inputs else "row")
            assert any(value % 2 for value in integers) if any(integers) else exponent == 0
            bias, *row = (value * Fraction(2) ** exponent for value in integers)
            weights.append(row)
            biases.append([bias])
            used += nonzero
        coefficients += inputs * outputs
        layers.append((weights, biases, [bool(mask >> i & 1) for i in range(outputs)]))
        width, line = outputs, next(lines)
    assert list(lines) == [""]
    assert version == ("2" if coefficients >= exact_file._LARGE and 4 * used <= coefficients else "1")
    return layers


@pytest.fixture(params=[0, 2**16])
def large(request, monkeypatch):
    """From how many coefficients on version 2 is written: 2^16, or, so that small networks are written in it, 0."""
    monkeypatch.setattr(exact_file, "_LARGE", request.param)


@st.composite
def mostly_zero_networks(draw):
    """Networks with few or no coefficients that are not zero."""
    widths = draw(st.lists(st.integers(0, 9), min_size=2, max_size=3))
    layers = []
    for n, m in pairwise(widths):
        dense = dyadics(draw, m, n)
        kept = draw(st.lists(st.integers(0, 5), min_size=m * n, max_size=m * n))
        kept = np.array(kept, dtype=int).reshape(m, n) == 0
        rows = [[value if kept[i, j] else 0 for j, value in enumerate(row)] for i, row in enumerate(dense.common[0])]
        matrix = DyadicMatrix.from_integers(rows, n, dense.common[1])
        layers.append(Layer(matrix, dyadics(draw, m, 1), np.ones(m, dtype=bool)))
    return Network(tuple(layers), (), (), (widths[0],))


KINDS = st.one_of(networks(), mostly_zero_networks())
QUIET = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(network=KINDS)
@pytest.mark.usefixtures("large")
def test_the_text_read_back_gives_the_same_fractions(network):
    expected = [(layer.weight.fractions(), layer.bias.fractions(), layer.rectified.tolist()) for layer in network.layers]
    assert parsed(text_of(network)) == expected


@QUIET
@given(network=KINDS)
@pytest.mark.usefixtures("large")
def test_the_checker_reads_the_same_fractions(network):
    """The checker's reader, which shares no code with the writer or with `parsed`."""
    read = read_network(io.BytesIO(text_of(network).encode()))
    for layer, found in zip(network.layers, read.layers, strict=True):
        rows = [(Fraction(2) ** row.exponent, row.constant, at(row.coefficients, range(layer.inputs))) for row in found.rows]
        assert [[value * unit for value in values] for unit, _, values in rows] == layer.weight.fractions()
        assert [[constant * unit] for unit, constant, _ in rows] == layer.bias.fractions()
        assert found.rectified == layer.rectified.tolist()


@QUIET
@given(network=KINDS)
@pytest.mark.usefixtures("large")
def test_a_sparse_matrix_is_written_as_the_dense_one(network):
    held = tuple(Layer(SparseMatrix.from_dense(layer.weight), layer.bias, layer.rectified) for layer in network.layers)
    assert text_of(Network(held, (), network.sources, network.input_shape)) == text_of(network)


def test_the_version_changes_at_a_quarter_and_at_the_least_size():
    def version(m, n, used):
        weight = np.zeros(m * n)
        weight[:used] = 1.0
        layer = Layer(DyadicMatrix.from_floats(weight.reshape(m, n)), DyadicMatrix.from_floats(np.ones((m, 1))), np.ones(m, dtype=bool))
        return text_of(Network((layer,), (), (), (n,))).split("\n")[0][-1]

    assert [version(256, 256, used) for used in (0, 2**14, 2**14 + 1)] == ["2", "2", "1"]
    assert version(255, 257, 0) == "1"


def test_the_limit_counts_the_numbers_that_are_written(monkeypatch):
    """A wide layer of few coefficients is written, by its entries alone; the same layer with all of them is refused."""
    monkeypatch.setattr(exact_file, "_MOST_NUMBERS", 2**12)
    rows, n = np.arange(2**10), 2**20
    sparse = Layer(SparseMatrix.selection(rows, n), DyadicMatrix.from_floats(np.zeros((len(rows), 1))), np.ones(len(rows), dtype=bool))
    text = text_of(Network((sparse,), (), (), (n,)))
    assert text.split("\n")[4:6] == ["sparse 0 0 1 0 1", "sparse 0 0 1 1 1"] and len(text) < 2**15
    monkeypatch.setattr(exact_file, "_MOST_NUMBERS", 2**12 - 1)
    with pytest.raises(UnsupportedModelError, match="4096 numbers; the limit is 4095"):
        text_of(Network((sparse,), (), (), (n,)))


@given(networks(), st.integers(0, 70))
def test_the_text_does_not_depend_on_how_the_numbers_are_held(network, shift):
    def otherwise(matrix):
        rows, exponent = matrix.common
        return DyadicMatrix(matrix.floats, tuple(tuple(value << shift for value in row) for row in rows), exponent - shift)

    held = tuple(Layer(otherwise(layer.weight), otherwise(layer.bias), layer.rectified) for layer in network.layers)
    assert text_of(Network(held, (), network.sources, network.input_shape)) == text_of(network)


@given(networks(), st.data())
def test_another_number_gives_another_text(network, data):
    numbers = [layer for layer in network.layers if layer.outputs]
    if not numbers:
        return
    changed = data.draw(st.sampled_from(numbers))
    index = data.draw(st.integers(0, changed.outputs - 1))
    rows, exponent = changed.bias.common
    rows[index][0] += 1
    layer = Layer(changed.weight, DyadicMatrix.from_integers(rows, 1, exponent), changed.rectified)
    other = Network(tuple(layer if kept is changed else kept for kept in network.layers), (), network.sources, network.input_shape)
    assert network_sha256(other) != network_sha256(network)


def test_the_whole_text_of_a_small_network():
    first = Layer(
        DyadicMatrix.from_floats([[0.75, -1.0], [0.0, -0.0], [2.0, 4.0]]),
        DyadicMatrix.from_floats([[0.5], [0.0], [-6.0]]),
        np.array([1, 0, 1], bool),
    )
    second = Layer(DyadicMatrix.from_floats([[0.0, 0.0, 16.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    assert text_of(Network((first, second), (), (Source("0f" * 32, 4096, "a b.onnx"),), (2,))).splitlines() == [
        "exactrelu-network 1",
        "source " + "0f" * 32 + " 1000 a%20b.onnx",
        "convention exact-1",
        "input 2",
        "layer 2 3 mask 5",
        "row -2 2 3 -4",
        "row 0 0 0 0",
        "row 1 -3 1 2",
        "layer 3 1 none",
        "row 4 0 0 0 1",
        "end",
    ]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    layer = Layer(DyadicMatrix.from_floats([[1.0], [1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    path = tmp_path / "model.network"
    path.write_text("old")

    def interrupted(self, index):
        if index == 1:
            raise KeyboardInterrupt
        return [index], 0

    monkeypatch.setattr(DyadicMatrix, "integer_row", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_network(Network((layer,), (), (), (1,)), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
