"""Injectivity window by window: what windows determine is determined, each different window is decided once."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnx.numpy_helper
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.injectivity_replay import replay
from theorems.oracles import evaluate, examples, in_domain

from exactrelu.certificates import DomainLines
from exactrelu.certificates.injectivity import InjectivityCertificate, Windows
from exactrelu.domain import Box
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.injectivity import blocks, large
from exactrelu.injectivity.blocks import Determined, window_by_window
from exactrelu.injectivity.cases.propagation import Propagation
from exactrelu.injectivity.cases.resume import InterruptedSearch
from exactrelu.injectivity.layer import decide_layer
from exactrelu.network.model import Layer
from exactrelu.network.readers import load

if TYPE_CHECKING:
    from exactrelu.injectivity.answer import LayerInjectivity


def cube(n: int, low: Fraction, high: Fraction) -> Box:
    return Box(RationalVector.from_fractions([low] * n), RationalVector.from_fractions([high] * n))


def decide(own: Layer, part: Box, until: float) -> LayerInjectivity:
    return decide_layer(own, part, deadline=until, widen=False)


def convolution(kernels: np.ndarray, biases: np.ndarray, n: int) -> Layer:
    """Kernels (k, 3) over n inputs with one zero on either side, stride 1."""
    rows = [np.convolve(np.eye(n + 2)[i + 1], kernel[::-1], mode="same")[1:-1] for kernel in kernels for i in range(n)]
    return Layer(DyadicMatrix(np.array(rows)), DyadicMatrix(np.repeat(biases, n).reshape(-1, 1)), np.ones(len(rows), dtype=bool))


def sparse(layer: Layer) -> Layer:
    return Layer(SparseMatrix.from_dense(layer.weight), layer.bias, layer.rectified)


@st.composite
def sparse_layers(draw: st.DrawFn) -> Layer:
    """Convolutions, and rows of few inputs each, many of them the same inputs; some of the rows without a relu, some zero."""
    n = draw(st.integers(1, 5))
    values = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
    if draw(st.booleans()):
        k = draw(st.integers(1, 4))
        kernels = np.array(draw(st.lists(values, min_size=3 * k, max_size=3 * k))).reshape(k, 3)
        return convolution(kernels, np.array(draw(st.lists(values, min_size=k, max_size=k))), n)
    supports = draw(st.lists(st.sets(st.integers(0, n - 1), max_size=3), min_size=1, max_size=4))
    chosen = draw(st.lists(st.sampled_from(supports), min_size=1, max_size=10))
    weight = np.zeros((len(chosen), n))
    for row, support in zip(weight, chosen, strict=True):
        row[sorted(support)] = draw(st.lists(values, min_size=len(support), max_size=len(support)))
    biases = draw(st.lists(values, min_size=len(chosen), max_size=len(chosen)))
    relu = draw(st.lists(st.sampled_from([True, True, True, False]), min_size=len(chosen), max_size=len(chosen)))
    return Layer(DyadicMatrix(weight), DyadicMatrix(np.array(biases).reshape(-1, 1)), np.array(relu))


def assert_determined(layer: Layer, domain: Box, found: Determined) -> str:
    """The layer's own verdict, by cases of all rows at once; a collision agrees in all inputs that windows determine."""
    whole = decide_layer(layer, domain)
    if whole.evidence is not None:
        replay(layer, domain, whole.evidence)
    if whole.collision is not None:
        x, y = whole.collision.x.fractions(), whole.collision.y.fractions()
        assert x != y and in_domain(domain, x) and in_domain(domain, y) and evaluate(layer, x) == evaluate(layer, y)
        assert all(x[j] == y[j] for j in np.flatnonzero(found.known))
        assert not found.is_complete
    if found.is_complete and found.evidence is not None:
        replay(layer, domain, found.evidence)
    return whole.verdict


def walked(layer: Layer, domain: Box, *, with_trials: bool) -> Determined:
    """The trials in floats save time only."""
    with pytest.MonkeyPatch.context() as patch:
        if not with_trials:
            patch.setattr(blocks._Walk, "is_quiet_somewhere", lambda *_: False)
        return window_by_window(sparse(layer), domain, None, decide)


@examples(80)
@given(st.data())
def test_inputs_that_windows_determine_agree_in_every_collision(data: st.DataObject) -> None:
    layer = data.draw(sparse_layers())
    ends = data.draw(
        st.lists(st.tuples(*[st.sampled_from([-1, 0, 1, Fraction(1, 3), 2])] * 2), min_size=layer.inputs, max_size=layer.inputs)
    )
    domain = Box(*(RationalVector.from_fractions(map(Fraction, map(end, ends))) for end in (min, max)))
    assert assert_determined(layer, domain, walked(layer, domain, with_trials=data.draw(st.booleans()))) != "undecided"


def test_random_convolutions_are_proved_window_by_window_on_small_boxes_and_never_where_they_collide() -> None:
    proved, collided = set(), 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        layer = convolution(generator.integers(-4, 5, (5, 3)).astype(float), generator.integers(-2, 3, 5) / 2, 5)
        domain = cube(5, Fraction(0), Fraction(seed % 4 + 1, 2))
        found = walked(layer, domain, with_trials=seed % 3 == 0)
        collided += assert_determined(layer, domain, found) == "not-injective"
        if found.is_complete:
            proved.add((seed, found.methods))
    assert len(proved) >= 5 and collided >= 5
    assert any("tree of active rows" in methods for _, methods in proved)


def test_equal_windows_are_decided_once() -> None:
    n, asked = 40, []

    def count(own: Layer, part: Box, until: float) -> LayerInjectivity:
        asked.append(own)
        return decide(own, part, until)

    # Two rows a window, of which the first is always active: windows follow one another from the left end.
    layer = convolution(np.array([[1.0, 2.0, 4.0], [-1.0, 1.0, 0.5]]), np.array([1.0, 0.0]), n)
    found = window_by_window(sparse(layer), cube(n, Fraction(0), Fraction(1)), None, count)
    assert found.known.sum() in {0, n} and found.different <= len(asked) <= 6
    assert found.is_complete == (found.windows >= n - 1)


@pytest.mark.parametrize(
    ("low", "high", "windows", "different"),
    [
        # A corner, two sides, the interior.
        (Fraction(2, 5), Fraction(3, 5), 961, 4),
        # No corner alone: the first windows are two.
        (Fraction(0), Fraction(1, 4), 960, 4),
        (Fraction(0), Fraction(1), 0, 0),
    ],
)
def test_a_convolution_of_a_real_network(low: Fraction, high: Fraction, windows: int, different: int, shared: Path) -> None:
    layer = load(shared / "networks" / "trained" / "cifar10_cnn.onnx").layer(1).stages[0]
    found = window_by_window(layer, cube(3072, low, high), None, decide)
    assert (found.windows, found.different, found.is_complete) == (windows, different, windows > 0)
    if found.is_complete:
        certified = InjectivityCertificate("0" * 64, 1, found.evidence, domain=DomainLines(cube(3072, low, high).lines())).text()
        assert len(certified) < 2**19


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("[0.39879, 0.60121]", "0.39879", "0.60121"),
        ("[0, 0.2985]", "0", "0.2985"),
        ("[0, 1]", "0", "1"),
        ("[0, 1], a strip that repeats after three windows", "0", "1"),
    ],
)
def test_where_windows_end_on_a_real_network(name: str, low: str, high: str, shared: Path) -> None:
    """Exact patches, rows of pixels, at which the windows above one another have fewer active rows than each has new inputs."""
    patch = json.loads(Path(__file__).with_name("data").joinpath("cifar10_cnn_patches.json").read_text())[name]
    pixels = [[[Fraction(value) for value in pixel] for pixel in row] for row in patch["pixels"]]
    assert all(Fraction(low) <= value <= Fraction(high) for row in pixels for pixel in row for value in pixel)
    graph = onnx.load(shared / "networks" / "trained" / "cifar10_cnn.onnx").graph
    kernels, biases = (onnx.numpy_helper.to_array(one).tolist() for one in graph.initializer[:2])
    places = [(c, i, j) for c in range(3) for i in range(3) for j in range(3)]

    def value(kernel: list[list[list[float]]], bias: float, top: int) -> Fraction:
        return Fraction(bias) + sum(Fraction(kernel[c][i][j]) * pixels[top + i][j][c] for c, i, j in places)

    windows = range(len(pixels) - 2)
    active = [sum(value(kernel, bias, top) >= 0 for kernel, bias in zip(kernels, biases, strict=True)) for top in windows]
    assert active == patch["active"] and sum(active) < 3 * len(active)
    if len(pixels) > 3:
        assert pixels[:2] == pixels[-2:]


def test_windows_that_fail_alone_are_joined() -> None:
    # The first row determines x where x >= 0, the next two x + 4y always; the last two x where x <= |y| / 4.
    weight = np.array([[1.0, 0.0], [1.0, 4.0], [-1.0, -4.0], [-4.0, 1.0], [-4.0, -1.0]])
    layer, second = (Layer(DyadicMatrix(w), DyadicMatrix(np.zeros((len(w), 1))), np.ones(len(w), dtype=bool)) for w in (weight, weight[1:]))
    domain = cube(2, Fraction(-1), Fraction(1))
    assert decide(second, domain, np.inf).verdict == "not-injective"
    found = walked(layer, domain, with_trials=True)
    assert (found.windows, found.is_complete) == (1, True)
    assert assert_determined(layer, domain, found) == "injective"


def test_a_large_layer_is_proved_window_by_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "_LARGEST_DENSE", -1)
    # Of x - y >= 0 or y - x >= 0 one row passes, but neither always does.
    n = 6
    differences = np.eye(n)[1:] - np.eye(n)[:-1]
    rows = np.vstack([np.eye(n)[:1], differences, -differences + 2.0**-3 * np.eye(n)[:-1]])
    layer = sparse(Layer(DyadicMatrix(rows), DyadicMatrix(np.zeros((len(rows), 1))), np.ones(len(rows), dtype=bool)))
    domain = cube(n, Fraction(0), Fraction(1))
    result = decide_layer(layer, domain)
    assert (result.verdict, result.method.split(",")[0]) == ("injective", "window by window")
    assert isinstance(result.evidence, Windows)
    replay(layer, domain, result.evidence)
    assert decide_layer(Layer(layer.weight, layer.bias, layer.rectified), domain).verdict == "injective"


def test_an_undecided_large_layer_says_how_far_windows_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "_LARGEST_DENSE", -1)
    generator = np.random.default_rng(0)
    weight = np.vstack([np.eye(6)[:1], -np.eye(6)[:1], generator.standard_normal((90, 6))])
    layer = sparse(Layer(DyadicMatrix(weight), DyadicMatrix(np.zeros((92, 1))), np.ones(92, dtype=bool)))
    monkeypatch.setattr(blocks, "_LARGEST_WINDOW", 64)
    result = decide_layer(layer, cube(6, Fraction(-1), Fraction(1)))
    assert result.verdict == "undecided"
    assert result.record()["progress"].endswith("determines 1 of the 6 inputs")


def test_an_interrupted_window_is_no_progress_of_the_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "_LARGEST_DENSE", -1)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Propagation, "divide", interrupted)
    layer = sparse(convolution(np.array([[1.0, -1.0, 0.0], [-1.0, 1.5, 0.0], [0.5, -1.0, 0.0]]), np.zeros(3), 4))
    with pytest.raises(KeyboardInterrupt) as stopped:
        decide_layer(layer, cube(4, Fraction(0), Fraction(1)))
    assert not isinstance(stopped.value, InterruptedSearch)
