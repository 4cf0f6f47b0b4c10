"""`assert_injective`: passes, or fails with two inputs that a torch module really confuses; and what it is given by mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import evaluate, examples, in_domain

from exactrelu import demo
from exactrelu.domain import AllSpace, Orthant, parse_domain
from exactrelu.errors import InvalidNumberError, InvalidRequestError, UnsupportedModelError
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.injectivity.asked import asked
from exactrelu.network.model import Layer
from exactrelu.network.readers import load
from exactrelu.testing import assert_injective, layer_injectivity

torch = pytest.importorskip("torch", reason="PyTorch gives the modules")
nn = torch.nn
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "test_my_model.py"


def linear(rows: list[list[float]], biases: list[float] | None = None, dtype=torch.float32) -> nn.Linear:
    module = nn.Linear(len(rows[0]), len(rows), bias=biases is not None, dtype=dtype)
    with torch.no_grad():
        module.weight.copy_(torch.tensor(rows))
        if biases is not None:
            module.bias.copy_(torch.tensor(biases))
    return module


BOTH_SIGNS = [[1.0, 2.0], [0.0, 1.0], [-1.0, -2.0], [0.0, -3.0]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_injective_modules_pass(dtype):
    module = linear(BOTH_SIGNS, dtype=dtype)
    assert_injective(module)
    assert_injective(nn.Sequential(module, nn.ReLU()))
    assert_injective(nn.Sequential(nn.Flatten(), module, nn.ReLU()), "box:-1,1")
    assert_injective(linear(BOTH_SIGNS[:2], [0.0, 1.0], dtype), "orthant")
    assert_injective(linear(BOTH_SIGNS[:2], dtype=dtype), Orthant())


def test_a_module_is_taken_with_the_relu_after_it():
    module = linear(BOTH_SIGNS[:2])
    with pytest.raises(AssertionError, match="not injective on all"):
        assert_injective(module)
    assert_injective(module, activation=None)
    # A module with an activation stays as it is.
    with pytest.raises(AssertionError):
        assert_injective(nn.Sequential(module, nn.ReLU()), activation=None)


@examples(30)
@given(st.data())
def test_the_inputs_of_a_failure_collide_in_torch(data):
    """Small integers, which float64 holds exactly: the module itself gives one output for both inputs."""
    n, m = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 9))
    rows = data.draw(st.lists(st.lists(st.integers(-3, 3).map(float), min_size=n, max_size=n), min_size=m, max_size=m))
    module = linear(rows, data.draw(st.lists(st.integers(-2, 2).map(float), min_size=m, max_size=m)), torch.float64)
    domain = data.draw(st.sampled_from(["all", "orthant", "box:-1,1", "box:0,1"]))
    found = layer_injectivity(module, domain)
    if found.verdict == "injective":
        assert_injective(module, domain)
        return
    with pytest.raises(AssertionError, match="not injective"):
        assert_injective(module, domain)
    x, y = found.collision.x.fractions(), found.collision.y.fractions()
    assert x != y and all(in_domain(parse_domain(domain, n), point) for point in (x, y))
    layer = Layer(
        DyadicMatrix.from_floats(module.weight.detach().numpy()),
        DyadicMatrix.from_floats(module.bias.detach().numpy().reshape(-1, 1)),
        np.ones(m, dtype=bool),
    )
    assert evaluate(layer, x) == evaluate(layer, y)
    if all(value.denominator <= 2**20 and abs(value) < 2**20 and value.denominator & (value.denominator - 1) == 0 for value in (*x, *y)):
        first, second = (module(torch.tensor([float(value) for value in point], dtype=torch.float64)).relu() for point in (x, y))
        assert torch.equal(first, second)


def test_the_message_says_where_and_how_to_go_on():
    with pytest.raises(AssertionError) as caught:
        assert_injective(linear([[1.0, 0.0, 0.0]] * 2), "box:0,1")
    first, second, *shown, last = str(caught.value).splitlines()
    assert first.startswith("the layer is not injective on box:0,1: two inputs have exactly the same output (")
    assert second.startswith("they differ in ") and "of 3 coordinates" in second
    assert shown and all(line.startswith("  coordinate ") for line in shown)
    assert "layer_injectivity" in last


def test_what_is_not_decided_in_time_fails_too():
    module = linear(np.random.default_rng(0).standard_normal((48, 6)).tolist())
    assert_injective(module)
    with pytest.raises(AssertionError, match=r"not decided within 0 s.*raise `seconds`"):
        assert_injective(module, seconds=0)


def test_layers_and_networks():
    network = load(demo.MODEL)
    with pytest.raises(AssertionError, match="box:0,1"):
        assert_injective((network, 1), "box:0,1")
    name = network.source_layers[0].name
    assert layer_injectivity((network, name), "box:0,1").verdict == "not-injective"
    with pytest.raises(AssertionError, match="need not be reachable"):
        assert_injective((network, 2), "image:box:0,1")
    layer = Layer(DyadicMatrix.from_floats(BOTH_SIGNS), DyadicMatrix.from_floats([[0.0]] * 4), np.array([True] * 4))
    assert_injective(layer, AllSpace())
    # A layer is asked about as it is: without a relu two rows are enough.
    assert_injective(Layer(layer.weight.rows(np.arange(2)), layer.bias.rows(np.arange(2)), np.array([False, False])))


def test_convolutions_need_the_shape_of_their_input():
    convolution = nn.Conv2d(1, 2, 1, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([1.0, -2.0]).reshape(2, 1, 1, 1))
    assert_injective(convolution, input_shape=(1, 1, 3, 3))
    assert_injective(nn.Sequential(convolution, nn.ReLU()), input_shape=(1, 1, 3, 3))
    with pytest.raises(AssertionError):
        assert_injective(nn.Conv2d(1, 1, 1), input_shape=(1, 1, 3, 3))
    with pytest.raises(UnsupportedModelError, match="input_shape"):
        assert_injective(convolution)


def test_strictly_increasing_activations_are_left_out():
    module = nn.Sequential(linear(BOTH_SIGNS[:2]), nn.LeakyReLU(0.25))
    assert_injective(module, input_shape=(1, 2))


def test_the_module_is_not_changed():
    module = linear(BOTH_SIGNS)
    before = module.weight.clone()
    module.weight.grad = torch.ones_like(module.weight)
    assert_injective(module)
    assert torch.equal(module.weight, before) and module.weight.requires_grad and module.training


@pytest.mark.parametrize(
    ("layer", "options", "error"),
    [
        (nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 8)), {}, InvalidRequestError),
        (nn.Sequential(), {}, UnsupportedModelError),
        (nn.Tanh(), {}, UnsupportedModelError),
        (7, {}, InvalidRequestError),
        ("missing.onnx", {}, Exception),
        (linear([[float("nan")]]), {}, InvalidNumberError),
        (linear(BOTH_SIGNS), {"domain": "cube"}, InvalidRequestError),
        (linear(BOTH_SIGNS), {"domain": "box:1,0"}, InvalidRequestError),
        (linear(BOTH_SIGNS), {"activation": "gelu"}, InvalidRequestError),
    ],
)
def test_mistakes_are_no_assertion_errors(layer, options, error):
    with pytest.raises(error) as caught:
        assert_injective(layer, **options)
    assert not isinstance(caught.value, AssertionError)
    assert len(str(caught.value).splitlines()) == 1


def test_the_question_about_a_module():
    network, which = asked(nn.Linear(2, 3))
    assert network.layer(which).stages[0].rectified.all() and network.layers[0] is network.layer(which).stages[0]
    network, which = asked(nn.Linear(2, 3), activation=None)
    assert not network.layer(which).stages[0].rectified.any()
    assert network.inputs == 2


@pytest.mark.skipif(not EXAMPLE.exists(), reason="the sources are not there")
def test_the_example():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0 and "3 passed" in run.stdout
