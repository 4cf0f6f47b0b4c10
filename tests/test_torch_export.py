"""A traced PyTorch program read is the function that PyTorch computes, exactly, and nothing in a .pt2 file is unpickled or trusted.

The second opinion is PyTorch in float64: on weights and inputs that are small multiples of 1/8 its results carry no rounding error.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import warnings
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exactrelu.errors import ExactReluError, InvalidFileError, InvalidRequestError, UnsupportedModelError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.readers import load

torch = pytest.importorskip("torch", minversion="2.13", reason="PyTorch 2.13 or later is not installed")
nn, F = torch.nn, torch.nn.functional


class Function(nn.Module):
    """A module that computes a function of its input and of layers that it holds."""

    def __init__(self, function, *layers):
        super().__init__()
        self.function, self.layers = function, nn.ModuleList(layers)

    def forward(self, x):
        return self.function(x, *self.layers)


def eighths(module, seed=0):
    """The module in float64 with small multiples of 1/8 for weights; of a batch norm the factors are powers of two."""
    generator = torch.Generator().manual_seed(seed)
    module = module.to(torch.float64)
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.randint(-12, 13, tensor.shape, generator=generator) / 8)
        for one in module.modules():
            if isinstance(one, (nn.BatchNorm1d, nn.BatchNorm2d)):
                one.running_var.copy_(4.0 ** torch.randint(-1, 2, one.running_var.shape, generator=generator))
                one.eps = 0.0
    return module


def saved(folder, module, example, *, dynamic=False, decomposed=False):
    shapes = ({0: torch.export.Dim("n")},) if dynamic else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module.eval(), (example,), dynamic_shapes=shapes)
        program = program.run_decompositions() if decomposed else program
        path = folder / "module.pt2"
        torch.export.save(program, path)
    return path


def agrees(network, module, shape, seed=1):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(-16, 17, (3, *shape[1:]), generator=generator).to(torch.float64) / 8
    with torch.no_grad():
        for sample in x:
            expected = module.eval()(sample[None].clone()).reshape(-1).tolist()
            found = network(RationalVector.from_floats(sample.numpy().reshape(-1))).fractions()
            assert found == [Fraction(value) for value in expected]


def residual(x, first, norm, second):
    y = F.relu(norm(first(x)), inplace=True)
    y = second(y)
    y += x
    return F.relu_(y)


def multiplied(x):
    return torch.ones(2, 4, dtype=x.dtype) @ F.relu(x @ torch.full((6, 2), 0.5, dtype=x.dtype))


def chosen(x):
    return torch.where(torch.tensor([True, False] * 3), F.relu(x), 1.0) + x.index_select(1, torch.tensor([5, 0, 1, 1, 2, 3]))


def by_size(x):
    return F.relu(x.view(x.size(0), -1, 3).reshape(x.shape[0], 6)).unflatten(1, (2, 3))


def rebound(x):
    y = x * 2
    y.relu_()
    return y + x


STEPS = [0.125, -0.25, 0.5, 0.0, 1.0, -1.5]
IMAGE, ROWS, LINE = (1, 4, 6, 6), (1, 6), (1, 2, 8)
CASES = {
    "residual block": (lambda: Function(residual, nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1)), IMAGE),
    "groups, strides, gaps": (lambda: nn.Sequential(nn.Conv2d(4, 6, 2, stride=2, dilation=2, groups=2, padding=1), nn.ReLU()), IMAGE),
    "padding by name": (lambda: nn.Sequential(nn.Conv2d(4, 2, 2, padding="same"), nn.Conv2d(2, 2, 2, padding="valid")), IMAGE),
    "one axis": (lambda: nn.Sequential(nn.Conv1d(2, 4, 3, padding=1), nn.MaxPool1d(2), nn.BatchNorm1d(4), nn.AvgPool1d(2, 1)), LINE),
    "transposed": (lambda: nn.Sequential(nn.ConvTranspose2d(4, 4, 3, 2, 1, 1, groups=2), nn.Hardtanh(-2.0, 1.5)), (1, 4, 2, 3)),
    "pools": (lambda: nn.Sequential(nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.AvgPool2d(2, 2, ceil_mode=True), nn.ReLU()), (1, 4, 7, 7)),
    "adaptive pools": (lambda: nn.Sequential(nn.AdaptiveMaxPool2d(4), nn.AdaptiveAvgPool2d(2), nn.AdaptiveAvgPool2d(1)), (1, 4, 8, 8)),
    "activations": (lambda: nn.Sequential(nn.PReLU(4), nn.LeakyReLU(0.25), nn.ReLU6()), IMAGE),
    "clamps": (lambda: Function(lambda x: x.clamp(min=-0.5).clamp_max(1).clamp(-0.25, 0.75) + x.clamp_(0, float("inf"))), ROWS),
    "clamps by tensors": (lambda: Function(lambda x: torch.clamp(x, torch.tensor(STEPS) - 1, torch.tensor(STEPS))), ROWS),
    "bounds": (lambda: Function(lambda x: torch.maximum(torch.minimum(x, torch.full((6,), 1.5)), torch.tensor(STEPS)).abs()), ROWS),
    "choices": (lambda: Function(lambda x: torch.maximum(x, -x) - torch.minimum(x, 2 * x)), ROWS),
    "arithmetic": (lambda: Function(lambda x: 3 - (x + 1) * 2 / 4 - torch.rsub(x, 1, alpha=3) + torch.add(x, -x, alpha=2)), ROWS),
    "doubled": (lambda: Function(lambda x: F.relu(x + x) - 1), ROWS),
    "dense layers of matrices": (lambda: nn.Sequential(nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 2, bias=False)), (1, 4, 6)),
    "products": (lambda: Function(multiplied), (1, 4, 6)),
    "moved": (lambda: Function(lambda x: x.transpose(1, 2).permute(0, 2, 1, 3).unsqueeze(1).squeeze(1).flatten(2).mul(2)), IMAGE),
    "cut": (lambda: Function(lambda x: F.relu(torch.cat([x[:, 1:3], x[:, -1:], x[:, 0].unsqueeze(1)], 1)[:, :, ::2])), IMAGE),
    "split": (lambda: Function(lambda x: torch.cat([part * (i + 1) for i, part in enumerate((*x.split(3, 1), *x.chunk(2, 1)))], 1)), ROWS),
    "split by sizes": (lambda: Function(lambda x: torch.stack([one.sum(1) for one in x.split([1, 2, 3], 1)], 1)), ROWS),
    "padded": (lambda: Function(lambda x: F.pad(F.pad(x, (1, 0, 2, 1), value=0.5), (-1, 1)).relu()), IMAGE),
    "reduced": (lambda: Function(lambda x: x.mean((2,)).relu().sum(-1, keepdim=True)), (1, 4, 8, 3)),
    "chosen": (lambda: Function(chosen), ROWS),
    "repeated": (lambda: Function(lambda x: F.relu(x[:, :1]).expand(-1, 6) + x), ROWS),
    "reshaped by its own size": (lambda: Function(by_size), ROWS),
    "in place": (lambda: Function(rebound), ROWS),
    "dropout": (lambda: nn.Sequential(nn.Conv2d(4, 4, 1), nn.Dropout2d(), nn.ReLU(inplace=True), nn.Dropout(), nn.Identity()), IMAGE),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(CASES))
def test_traced_modules_equal_pytorch_where_it_does_not_round(tmp_path, case):
    build, shape = CASES[case]
    module = eighths(build())
    network = load(module, input_shape=shape)
    assert (network.input_shape, network.sources, network.assumes) == (shape[1:], (), ())
    agrees(network, module, shape)


# Not all, for the time it takes; a decomposed PReLU is a choice by the input's sign, which is not read.
FILES = ["adaptive pools", "in place", "one axis", "residual block", "split", "transposed"]


@pytest.mark.parametrize("case", FILES)
def test_programs_with_a_symbolic_batch_and_decomposed_ones_are_the_same_function(tmp_path, case):
    build, shape = CASES[case]
    module = eighths(build())
    for options in ({"dynamic": True}, {"decomposed": True}):
        path = saved(tmp_path, module, torch.ones(2 if "dynamic" in options else 1, *shape[1:], dtype=torch.float64), **options)
        network = load(path)
        assert network.input_shape == shape[1:]
        assert [(source.name, source.length) for source in network.sources] == [("module.pt2", path.stat().st_size)]
        agrees(network, module, shape)


def test_a_fixed_batch_counts_as_one_sample(tmp_path):
    module = eighths(Function(lambda x, first, last: last(F.relu(first(x)).view(3, -1)), nn.Conv1d(2, 2, 3), nn.Linear(12, 2)))
    network = load(saved(tmp_path, module, torch.ones(3, *LINE[1:], dtype=torch.float64)))
    x = torch.randint(-8, 9, (3, *LINE[1:])).to(torch.float64) / 8
    for sample, value in zip(x, module(x), strict=True):
        expected = [Fraction(one) for one in value.tolist()]
        assert network(RationalVector.from_floats(sample.numpy().reshape(-1))).fractions() == expected


# ---- programs made by Hypothesis

STEPS_OF_PROGRAMS = {
    "relu": lambda x, _: F.relu(x), "relu in place": lambda x, _: (x + 1).relu_(), "leaky": lambda x, _: F.leaky_relu(x, 0.125),
    "clamp": lambda x, _: x.clamp(-1, 1.5), "abs": lambda x, _: x.abs(), "join": lambda x, y: x + y, "less": lambda x, y: x - 0.5 * y,
    "choose": torch.maximum, "changed": lambda x, y: x.clone().add_(y, alpha=2), "halves": lambda x, _: torch.cat(x.chunk(2, -1)[::-1], -1),
    "swap": lambda x, y: x.transpose(1, 2) if x.shape[1] == x.shape[2] else y,
    "weights": lambda x, _: x @ torch.tensor(WEIGHTS, dtype=x.dtype),
    "pad": lambda x, _: F.pad(x, (1, 0))[..., :4], "pool": lambda x, _: F.max_pool1d(x, 3, 1, 1), "first": lambda x, y: x[:, :1] + y,
}  # fmt: skip
WEIGHTS = [[0.5, -1.0, 0.0, 2.0], [1.0, 0.25, -0.5, 0.0], [0.0, 1.0, 1.0, -1.0], [-2.0, 0.0, 0.5, 1.0]]


@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS_OF_PROGRAMS)), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=7))
def test_random_programs_equal_pytorch_where_it_does_not_round(steps):
    def function(x):
        values = [x]
        for name, first, second in steps:
            values.append(STEPS_OF_PROGRAMS[name](values[-1 - first % 2 % len(values)], values[second % len(values)]))
        return F.relu(values[-1])

    module = Function(function)
    agrees(load(module.double(), input_shape=(1, 4, 4)), module, (1, 4, 4))


# ---- names, sources, numbers


def test_a_chain_its_trace_and_its_file_are_the_same_layers(tmp_path):
    block = nn.Sequential(nn.Linear(5, 4, bias=False), nn.Linear(4, 2))
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.ReLU(), nn.Dropout(), block)
    networks = [load(module), load(module, input_shape=(1, 2, 3)), load(saved(tmp_path, module, torch.ones(1, 2, 3)))]
    layers = [[(layer.name, layer.inputs, layer.outputs, layer.rectified) for layer in network.source_layers] for network in networks]
    assert layers == [[("1", 6, 5, 5), ("4.0", 5, 4, 0), ("4.1", 4, 2, 0)]] * 3
    x = RationalVector((1, -2, 3, 5, -7, 11), 3)
    assert networks[0](x).fractions() == networks[1](x).fractions() == networks[2](x).fractions()


def test_a_module_and_its_onnx_export_are_the_same_function(tmp_path):
    torch.manual_seed(0)
    layers = nn.Conv2d(2, 4, 3, 1, 1), nn.Conv2d(4, 2, 3, padding=1, groups=2), nn.Linear(24, 3)
    module = Function(
        lambda x, first, second, last: last(F.relu(F.max_pool2d(x + second(F.leaky_relu(first(x), 0.1)), 2)).flatten(1)), *layers
    )
    example, path = torch.zeros(1, 2, 8, 6), tmp_path / "module.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (example,), path, dynamo=False)
    networks = [load(module, input_shape=example.shape), load(path)]
    for seed in range(3):
        x = [Fraction(int(value), 255) for value in np.random.default_rng(seed).integers(-255, 510, networks[0].inputs)]
        first, second = (network(RationalVector.from_fractions(x)).fractions() for network in networks)
        assert first == second
    assert [[layer.outputs for layer in network.source_layers] for network in networks] == [[192, 96, 24, 24, 3]] * 2


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_weights_and_numbers_of_every_float_type_are_exact(tmp_path, kind):
    module = Function(lambda x, layer: F.leaky_relu(layer(x.to(kind)) * 0.1, 0.3), nn.Linear(2, 2, bias=False)).to(kind)
    with torch.no_grad():
        module.layers[0].weight.copy_(torch.tensor([[0.1, -1.0], [3.0, 1e-3]]))
    network = load(saved(tmp_path, module, torch.ones(1, 2, dtype=kind)))
    rounded = np.float64 if kind is torch.float64 else np.float32
    factor, slope = (Fraction(float(rounded(value))) for value in (0.1, 0.3))
    sums = [sum(Fraction(value) for value in row) * factor for row in module.layers[0].weight.tolist()]
    assert network(RationalVector((1, 1))).fractions() == [value if value > 0 else value * slope for value in sums]


def test_tensors_that_share_memory_and_are_views_of_it_are_read_by_their_strides(tmp_path):
    class Views(nn.Module):
        def __init__(self):
            super().__init__()
            whole = torch.arange(12.0).reshape(3, 4)
            self.register_buffer("turned", whole.t())
            self.register_buffer("part", whole[1:, ::2], persistent=False)

        def forward(self, x):
            return (x @ self.turned)[:, :2] @ self.part

    module = Views()
    x = torch.tensor([[1.0, -2.0, 3.0, 0.5]])
    assert load(saved(tmp_path, module, x))(RationalVector.from_floats(x[0].numpy())).fractions() == module(x)[0].tolist()


def test_reading_changes_nothing_in_the_module():
    module = nn.Sequential(nn.Conv1d(1, 2, 2), nn.BatchNorm1d(2), nn.ReLU(inplace=True), nn.Dropout())
    module[3].eval()
    before = [tensor.clone() for tensor in (*module.parameters(), *module.buffers())]
    (sentence,) = load(module, input_shape=(1, 1, 4)).assumes
    assert "BatchNormalization" in sentence
    assert [one.training for one in module.modules()] == [True, True, True, True, False]
    assert all(torch.equal(a, b) for a, b in zip(before, (*module.parameters(), *module.buffers()), strict=True))


# ---- refusals

REFUSED = {
    "an unsupported operator": (torch.erf, "operator 'aten.erf.default' (node 'erf') is not supported"),
    "a product of activations": (lambda x: x * x, "combines two activations"),
    "an argument": (lambda x: torch.div(x, 2, rounding_mode="floor"), "'rounding_mode'"),
    "a cast to integers": (lambda x: x.to(torch.int64).to(torch.float32), "element type 5"),
    "two outputs": (lambda x: (x, x + 1), "1 inputs and 2 outputs"),
    "a view that is written to": (lambda x: x[:, :1].add_(1) + x[:, 1:], "has changed its memory"),
    "a part that is written to": (lambda x: (y := x * 2, y[:, 0].zero_(), y)[-1], "has changed its memory"),
    "a constant": (lambda x: torch.zeros(1, 3), "does not depend on its input"),
    "a sigmoid inside": (lambda x: torch.sigmoid(x) + 1, "Sigmoid node 'sigmoid' is supported at the end of a model only"),
    "pools that do not divide": (lambda x: F.adaptive_avg_pool2d(x[None], (1, 2)), "only divisors"),
    "a batch norm without statistics": (lambda x: F.batch_norm(x, None, None, training=True), "training mode"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_is_not_supported_is_refused_by_operator_and_node_in_one_line(case):
    function, words = REFUSED[case]
    module = Function(lambda x: function(F.relu(x)))
    shape = (2, 3) if "statistics" in case else (1, 3, 5) if "pools" in case else (1, 3)
    with pytest.raises(UnsupportedModelError) as caught:
        load(module, input_shape=shape)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("shape", [(), 3, "13", (1, -2), (1, 2.0), [True, 2], (2**40, 2**40)])
def test_an_input_shape_that_is_none_is_refused(shape):
    with pytest.raises(InvalidRequestError, match="no shape of an example input"):
        load(Function(F.relu), input_shape=shape)


def test_a_shape_that_does_not_fit_and_a_missing_one_are_refused_in_one_line(tmp_path):
    module = nn.Sequential(nn.Conv2d(1, 1, 2), nn.ReLU())
    with pytest.raises(UnsupportedModelError, match="input_shape"):
        load(module)
    with pytest.raises(UnsupportedModelError, match="cannot trace the module") as caught:
        load(module, input_shape=(1, 3))
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(InvalidRequestError, match="leave it out"):
        load(tmp_path / "a.pt2", input_shape=(1, 3))


# ---- hostile files


def entries_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path, entries, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('unpickled')",)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    module = nn.Sequential(nn.Linear(3, 2), nn.ReLU(inplace=True), nn.Linear(2, 1))
    return entries_of(saved(tmp_path_factory.mktemp("small"), module, torch.ones(1, 3)))


def test_nothing_is_unpickled(tmp_path, small):
    bombed = {name: pickle.dumps(Bomb()) if "sample_inputs" in name else data for name, data in small.items()}
    assert bombed != small
    assert len(load(written(tmp_path / "bomb.pt2", bombed)).source_layers) == 2
    config = next(name for name in small if name.endswith("weights_config.json"))
    pickled = small | {config: small[config].replace(b'"use_pickle": false', b'"use_pickle": true')}
    with pytest.raises(UnsupportedModelError, match="stored as a pickle"):
        load(written(tmp_path / "bomb.pt2", pickled))


def test_reading_a_file_imports_no_pytorch(tmp_path, small):
    path = written(tmp_path / "small.pt2", small)
    code = f"import sys; from exactrelu.network.readers import load; load({str(path)!r}); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


WORDS = {
    "an old archive": "written by an older PyTorch", "another schema": "another version", "two graphs": "holds 2 exported programs",
    "a short weight": "is not among its", "a far stride": "is not among its", "no weight": "holds no 'data/weights/weight_0'",
    "big-endian": "little-endian", "no zip": "is not a .pt2 file",
}  # fmt: skip


def test_archives_that_are_none_or_hold_something_else_are_refused_in_one_line(tmp_path, small):
    graph = next(name for name in small if "/models/" in name)
    config = next(name for name in small if name.endswith("weights_config.json"))
    weight = next(name for name in small if name.endswith("/weight_0"))
    cases = {
        "a short weight": small | {weight: small[weight][:-1]},
        "no weight": {name: data for name, data in small.items() if name != weight},
        "a far stride": small | {config: small[config].replace(b'"strides": [{"as_int": 3}', b'"strides": [{"as_int": 4}')},
        "a negative offset": small | {config: small[config].replace(b'offset": {"as_int": 0}', b'offset": {"as_int": -1}')},
        "an endless size": small | {config: small[config].replace(b'"sizes": [{"as_int": 2}', b'"sizes": [{"as_int": 9999999999999}')},
        "another path": small | {config: small[config].replace(b'"weight_0"', b'"../../byteorder"')},
        "no graph": {name: data for name, data in small.items() if name != graph},
        "two graphs": small | {graph.replace("/models/", "/models/other"): small[graph]},
        "deep nesting": small | {graph: b"[" * 10**6},
        "an old archive": {"serialized_exported_program.json": b"{}", "serialized_state_dict.pt": b"x"},
        "big-endian": {name: b"big" if name.endswith("byteorder") else data for name, data in small.items()},
        "another schema": small | {graph: small[graph].replace(b'"major": 8', b'"major": 9')},
        "no zip": None,
        **{
            f"without {key}": small | {graph: json.dumps(without(json.loads(small[graph]), key)).encode()}
            for key in ("graph_module", "signature", "input_specs", "output_specs", "nodes", "target", "tensor_values", "arg")
        },
    }  # fmt: skip
    for name, entries in cases.items():
        path = tmp_path / "bad.pt2"
        if entries is None:
            path.write_bytes(b"hello, world")
        else:
            written(path, entries)
        with pytest.raises((InvalidFileError, UnsupportedModelError)) as caught:
            load(path)
        assert len(str(caught.value).splitlines()) == 1, name
        assert WORDS.get(name, "") in str(caught.value), name
    with pytest.raises(InvalidFileError, match="compressed"):
        load(written(tmp_path / "packed.pt2", small, zipfile.ZIP_DEFLATED))


def without(value, key):
    if isinstance(value, dict):
        return {name: without(inner, key) for name, inner in value.items() if name != key}
    return [without(inner, key) for inner in value] if isinstance(value, list) else value


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_graphs_load_or_are_refused_but_never_crash(tmp_path, small, data):
    """A value anywhere in the graph or the list of weights is replaced by another."""
    entry = data.draw(st.sampled_from([name for name in small if "/models/" in name or name.endswith("_config.json")]))
    tree = json.loads(small[entry])
    if "graph_module" in tree:
        tree["graph_module"].pop("module_call_graph")
    here = tree
    while True:
        keys = sorted(here) if isinstance(here, dict) else range(len(here))
        key = data.draw(st.sampled_from(list(keys)))
        if not (isinstance(here[key], (dict, list)) and here[key]) or data.draw(st.integers(0, 9)) == 0:
            break
        here = here[key]
    here[key] = data.draw(st.sampled_from([None, True, -1, 0, 3, 2**70, 0.5, float("nan"), "", "x", "relu_", [], {}, {"as_int": 2}, [[]]]))
    assert_loads_or_is_refused(written(tmp_path / "damaged.pt2", small | {entry: json.dumps(tree).encode()}))


def assert_loads_or_is_refused(path):
    refusal = None
    try:
        load(path)
    except ExactReluError as error:
        refusal = str(error)
    assert refusal is None or len(refusal.splitlines()) == 1


def test_damaged_bytes_are_refused_but_never_crash(tmp_path, small):
    path = written(tmp_path / "damaged.pt2", small)
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(200):
        place = int(random.integers(len(whole)))
        path.write_bytes(whole[:place] if random.random() < 0.3 else whole[:place] + bytes([random.integers(256)]) + whole[place + 1 :])
        assert_loads_or_is_refused(path)
