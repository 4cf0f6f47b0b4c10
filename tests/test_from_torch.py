"""A PyTorch module read is the function it computes, and the network of its ONNX export up to names and sources."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exactrelu.errors import InvalidNumberError, InvalidRequestError, UnsupportedModelError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.exact_file import write_network
from exactrelu.network.readers import load

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
nn = torch.nn
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
POOL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.1, 6e-8, 1e-45, 5e-324, 1e-3, 3.0, 60000.0]


def fill(draw, linear):
    for tensor in (linear.weight, linear.bias):
        if tensor is not None:
            values = draw(st.lists(st.sampled_from(POOL), min_size=tensor.numel(), max_size=tensor.numel()))
            with torch.no_grad():
                tensor.copy_(torch.tensor(values, dtype=torch.float64).reshape(tensor.shape))


@st.composite
def modules(draw):
    """(a module, its leaves in the order in which they are called)."""
    width, leaves = draw(st.integers(1, 4)), []
    if draw(st.booleans()):
        leaves.append(nn.Flatten())
    for _ in range(draw(st.integers(1, 3))):
        following = draw(st.integers(1, 4))
        leaves.append(nn.Linear(width, following, bias=draw(st.booleans()), dtype=draw(st.sampled_from(DTYPES))))
        fill(draw, leaves[-1])
        width = following
        leaves += draw(
            st.sampled_from([[], [nn.ReLU()], [nn.ReLU(inplace=True)], [nn.Identity(), nn.ReLU()], [nn.Dropout(0.3), nn.ReLU(), nn.ReLU()]])
        )
    cut = draw(st.integers(0, len(leaves)))
    return draw(st.sampled_from([nn.Sequential(*leaves), nn.Sequential(nn.Sequential(*leaves[:cut]), *leaves[cut:])])), leaves


@settings(deadline=None)
@given(modules(), st.data())
def test_modules_equal_their_definition_over_fractions(made, data):
    module, leaves = made
    network = load(module)
    assert network.sources == ()
    x = data.draw(st.lists(st.fractions(-2, 2, max_denominator=9), min_size=network.inputs, max_size=network.inputs))
    state = x
    for leaf in leaves:
        if type(leaf) is nn.Linear:
            bias = [0.0] * leaf.out_features if leaf.bias is None else leaf.bias.tolist()
            rows = zip(leaf.weight.tolist(), bias, strict=True)
            state = [sum((Fraction(a) * b for a, b in zip(row, state, strict=True)), Fraction(start)) for row, start in rows]
        elif type(leaf) is nn.ReLU:
            state = [max(value, Fraction(0)) for value in state]
    assert network(RationalVector.from_fractions(x)).fractions() == state


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
def test_a_module_and_its_onnx_export_are_the_same_network(tmp_path, dtype):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Flatten(),
        nn.Linear(6, 5),
        nn.ReLU(),
        nn.Dropout(),
        nn.Sequential(nn.Linear(5, 4, bias=False), nn.Linear(4, 4)),
        nn.ReLU(),
        nn.Linear(4, 2),
    )
    module = module.to(dtype).eval()
    path = tmp_path / "module.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (torch.zeros(1, 2, 3, dtype=dtype),), path, dynamo=False, dynamic_axes={"input": {0: "n"}}, input_names=["input"]
        )
    texts = []
    for name, model in (("a", module), ("b", path)):
        write_network(load(model), tmp_path / name)
        texts.append([line for line in (tmp_path / name).read_text().splitlines() if not line.startswith("source")])
    assert texts[0] == texts[1]
    shapes = [[(layer.inputs, layer.outputs, layer.rectified) for layer in load(model).source_layers] for model in (module, path)]
    assert shapes[0] == shapes[1] == [(6, 5, 5), (5, 4, 0), (4, 4, 4), (4, 2, 0)]


def test_names_are_those_of_the_module_and_a_module_used_twice_counts_twice():
    shared = nn.Linear(2, 2)
    module = nn.Sequential(OrderedDict(first=shared, act=nn.ReLU(), block=nn.Sequential(OrderedDict(inner=shared, act=nn.ReLU()))))
    assert [(layer.name, layer.rectified) for layer in load(module).source_layers] == [("first", 2), ("block.inner", 2)]
    assert [layer.name for layer in load(nn.Linear(1, 1)).source_layers] == ["linear"]


def test_reading_changes_nothing_in_the_module():
    module = nn.Sequential(nn.Linear(2, 2), nn.Dropout(), nn.ReLU())
    before = [parameter.clone() for parameter in module.parameters()]
    load(module)
    assert module.training
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    network = load(module)
    value = network(RationalVector((1, 1)))
    with torch.no_grad():
        module[0].weight.add_(1)
    assert network(RationalVector((1, 1))) == value


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def hooked(register):
    linear = nn.Linear(2, 2)
    getattr(linear, register)(lambda *_: None)
    return linear


def replaced():
    linear = nn.Linear(2, 2)
    linear.forward = torch.sin
    return linear


REFUSED = {
    "another operator": (lambda: nn.Sequential(nn.Linear(2, 2), nn.Tanh()), "'1' of class torch.nn.modules.activation.Tanh"),
    "inside a block": (lambda: nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.GELU())), "'0.1' of class"),
    "a subclass": (lambda: nn.Sequential(Doubled(2, 2)), "Doubled"),
    "a forward hook": (lambda: nn.Sequential(hooked("register_forward_hook")), "hook"),
    "a hook before": (lambda: nn.Sequential(hooked("register_forward_pre_hook")), "hook"),
    "a replaced forward": (lambda: nn.Sequential(replaced()), "forward"),
    "a parametrization": (lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))), "ParametrizedLinear"),
    "a lazy layer": (lambda: nn.Sequential(nn.LazyLinear(2)), "LazyLinear"),
    "flattened samples": (lambda: nn.Sequential(nn.Flatten(0), nn.Linear(2, 2)), "Flatten '0'"),
    "no width": (lambda: nn.Sequential(nn.ReLU()), "no Linear"),
    "empty": (nn.Sequential, "no Linear"),
    "widths that do not chain": (lambda: nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 3)), "'1' takes 2 inputs but 3"),
    "no memory": (lambda: nn.Sequential(nn.Linear(2, 2, device="meta")), "'0.weight'"),
    "complex": (lambda: nn.Sequential(nn.Linear(2, 2, dtype=torch.complex64)), "complex64"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_modules_that_compute_something_else_are_refused_by_class_and_name(case):
    build, words = REFUSED[case]
    with pytest.raises(UnsupportedModelError) as caught:
        load(build())
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_weights_that_are_not_finite_are_refused():
    module = nn.Sequential(nn.Linear(2, 2))
    with torch.no_grad():
        module[0].weight[1, 0] = float("nan")
    with pytest.raises(InvalidNumberError, match=r"'0\.weight' holds nan at index \(1, 0\)"):
        load(module)


@pytest.mark.parametrize("value", [None, 3, b"x.onnx", np.zeros(3), {"0.weight": 1}, nn.Linear])
def test_what_is_no_model_is_refused(value):
    with pytest.raises(InvalidRequestError, match="no model") as caught:
        load(value)
    assert len(str(caught.value).splitlines()) == 1


def test_subnormal_weights_are_kept():
    module = nn.Sequential(nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[2.0**-149]]))
    assert load(module)(RationalVector((1,))).fractions() == [Fraction(2) ** -149]


def test_reading_a_file_imports_no_pytorch():
    path = Path(__file__).parent / "data" / "degenerate" / "D1_dup_d2_6.onnx"
    code = (
        "import sys; from exactrelu.network.readers import load; assert not {'torch', 'onnx'} & set(sys.modules); "
        f"load({str(path)!r}); assert 'torch' not in sys.modules and 'onnx' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
