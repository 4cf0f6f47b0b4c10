"""Stability as users ask for it: layers with pooling and leaky activations, the command, plots, and bad input in one line."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="singular values are proposed by PyTorch")

from exactrelu import DyadicMatrix, Layer, Network, RationalVector, SourceLayer, load
from exactrelu.commands.stability import stability as command
from exactrelu.demo import IMAGES, MODEL
from exactrelu.errors import ExactReluError, InvalidRequestError
from exactrelu.exact import spectrum
from exactrelu.stability import StabilityModel, stability
from exactrelu.stability.boundary import nearest_wall
from exactrelu.stability.device import Device
from exactrelu.stability.linearisation import linearisations


def network(*weights: list[list[float]], relu: bool = True) -> Network:
    layers = tuple(
        Layer(DyadicMatrix.from_floats(w), DyadicMatrix.from_floats(np.ones((len(w), 1))), np.full(len(w), relu)) for w in weights
    )
    named = tuple(SourceLayer(k + 1, f"layer {k + 1}", (layer,), k) for k, layer in enumerate(layers))
    return Network(layers, named, (), (layers[0].inputs,))


def jacobian(model: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    """By automatic differentiation, in float64."""
    return torch.autograd.functional.jacobian(model.double(), torch.from_numpy(x).double()).reshape(-1, x.size).numpy()


def agrees(proved, matrix: np.ndarray) -> bool:
    """Whether float singular values of another program are within the proved bounds, up to their own error."""
    values = np.linalg.svd(matrix, compute_uv=False)
    slack = 1e-9 * values.max(initial=1e-9)
    bounds = zip(proved.spectrum.lower, proved.spectrum.upper, values.tolist(), strict=True)
    return all(float(low) - slack <= value <= float(high) + slack for low, high, value in bounds)


MODELS = {
    "dense": (torch.nn.Sequential(torch.nn.Linear(6, 9), torch.nn.ReLU(), torch.nn.Linear(9, 4)), (1, 6)),
    "convolution": (torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3, stride=2, padding=1), torch.nn.ReLU(), torch.nn.Flatten()), (1, 2, 5, 5)),
    "pooling": (torch.nn.Sequential(torch.nn.Conv2d(1, 2, 2), torch.nn.ReLU(), torch.nn.MaxPool2d(2)), (1, 1, 5, 5)),
    "leaky": (torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.LeakyReLU(0.25), torch.nn.Linear(5, 3), torch.nn.ReLU()), (1, 4)),
}


@pytest.mark.parametrize("name", MODELS)
def test_linearisations_are_the_derivatives_that_autograd_computes(name):
    torch.manual_seed(0)
    model, shape = MODELS[name]
    from exactrelu.network.readers.from_torch_export import from_torch_export

    exact = from_torch_export(model.float(), shape)
    for seed in range(3):
        x = np.random.default_rng(seed).standard_normal(shape)
        (found,) = stability(exact, [RationalVector.from_floats(x.reshape(-1))], through="output")
        matrix = jacobian(model, x)
        assert agrees(found.after, matrix)
        assert found.after.exact_rank == np.linalg.matrix_rank(matrix)


def test_a_layer_alone_is_asked_about_at_its_own_input():
    model = network([[2.0, 0.0], [0.0, -1.0], [1.0, 1.0]], [[1.0, 0.0, 0.0], [0.0, 3.0, 4.0]])
    (found,) = stability(model, [RationalVector((1, 5))], layer=2, before=True, removed=3)
    assert not found.composed and found.before.shape == (2, 3)
    assert found.before.sigma_max[0] <= 5 <= found.before.sigma_max[1]
    assert found.record()["removed"] == []
    with pytest.raises(InvalidRequestError, match="not both"):
        StabilityModel(model, layer=1, through=2)


def test_counts_below_thresholds_are_exact():
    (found,) = stability(network([[3.0, 4.0], [-4.0, 3.0]]), [RationalVector((0, 0))], below=[Fraction(5), Fraction(51, 10)])
    assert found.record()["below"] == {"5": [0, 0], "51/10": [2, 2]}


def test_float32_proposes_and_what_is_proved_is_as_true():
    model, x = network(np.random.default_rng(0).standard_normal((9, 6)).tolist()), RationalVector((1,) * 6)
    (single,), (double,) = (stability(model, [x], dtype=dtype) for dtype in ("float32", "float64"))
    for a, b, c, d in zip(
        single.after.spectrum.lower, double.after.spectrum.lower, double.after.spectrum.upper, single.after.spectrum.upper, strict=True
    ):
        assert a <= c and b <= d
        assert d - a < Fraction(1, 10**4)


def test_sharper_bounds_are_narrower():
    model, x = network(np.random.default_rng(0).standard_normal((90, 60)).tolist()), RationalVector((1,) * 60)
    (plain,), (sharp,) = (stability(model, [x], sharp=sharp) for sharp in (False, True))
    plain_width, sharp_width = (one.after.sigma_max[1] - one.after.sigma_max[0] for one in (plain, sharp))
    assert sharp_width < plain_width / 4


def test_nothing_is_proved_where_floats_are_not_what_they_should_be(monkeypatch):
    monkeypatch.setattr(spectrum, "float_arithmetic_is_sound", lambda: False)
    with pytest.raises(ExactReluError, match="nothing can be proved"):
        stability(network([[1.0]]), [RationalVector((1,))])


@pytest.mark.parametrize("name", ["cuda", "cuda:7", "tpu", "meta"])
def test_a_device_that_does_not_exist_is_refused_in_one_line(name):
    if torch.cuda.is_available() and name == "cuda":
        pytest.skip("there is a CUDA device")
    with pytest.raises(InvalidRequestError, match="there is no device") as caught:
        Device.named(name)
    assert "\n" not in str(caught.value)


def test_other_bad_requests():
    model = network([[1.0, 2.0]])
    for options, words in (
        ({"layer": 9}, "no layer"),
        ({"dtype": "float16"}, "float64 or float32"),
        ({"below": [Fraction(-1)]}, "negative"),
    ):
        with pytest.raises(InvalidRequestError, match=words):
            stability(model, [RationalVector((1, 1))], **options)
    with pytest.raises(InvalidRequestError, match="no relu"):
        stability(network([[1.0, 2.0]], relu=False), [RationalVector((1, 1))])
    with pytest.raises(InvalidRequestError, match="2 inputs"):
        stability(model, [RationalVector((1, 1, 1))])


def test_decompositions_of_one_shape_are_one_batch():
    batched = Device("cpu:0", "float64")
    matrices = [np.eye(2), np.ones((2, 3)), 2 * np.eye(2), np.zeros((0, 3))]
    for (u, s, vt), matrix in zip(batched.decompositions(matrices), matrices, strict=True):
        assert np.allclose(u * s @ vt, matrix)


def test_the_bound_of_the_inverse_is_at_least_what_linearisations_do():
    from exactrelu.stability.inverse import inverse_bound

    generator = np.random.default_rng(0)
    half = generator.integers(-4, 5, (2, 2)) + 5 * np.eye(2)
    model = network([*half.tolist(), *(-half).tolist()])
    bound = inverse_bound(model, 1)
    assert bound.verdict == "injective"
    for _ in range(5):
        (found,) = stability(model, [RationalVector.from_floats(generator.standard_normal(2))], layer=1)
        assert found.after.exact_rank == 2
        assert Fraction(bound.upper) >= 1 / found.after.sigma_min[1]
    assert inverse_bound(network([[1.0, 1.0]]), 1).record() == {"verdict": "not-injective", "inverse_lipschitz_upper": None}


def test_beyond_the_nearest_wall_another_region_begins():
    model = network([[3.0, 4.0], [1.0, -1.0]], [[1.0, 2.0], [-1.0, 1.0]])
    x = RationalVector((2, 1))
    depths = list(linearisations(StabilityModel(model).steps, x))
    wall = nearest_wall(depths, x)
    before, after = (model.activation_pattern(point) for point in (x, wall.beyond(x)))
    assert before[wall.step - 1][wall.row] != after[wall.step - 1][wall.row]
    part = Network(model.layers[: wall.step], model.source_layers[: wall.step], (), (2,))
    assert part(wall.foot).numerators[wall.row] == 0
    assert nearest_wall(list(linearisations(StabilityModel(model).steps, wall.foot)), wall.foot).beyond(wall.foot) is None


# ---------------------------------------------------------------- the command


def asked(capsys, **options):
    code = command(str(MODEL), input=str(IMAGES), scale="1/16", rows="0:2", **options)
    return code, capsys.readouterr().out


def test_the_json_of_the_command(capsys, tmp_path):
    code, text = asked(capsys, json=True, out=tmp_path, below="1/10,2")
    result = json.loads(text)
    assert code == 0
    assert result["question"] == "stability"
    assert [(one["row"], one["layer"]) for one in result["results"]] == [(row, layer) for row in (0, 1) for layer in (1, 2, 3)]
    assert json.loads((tmp_path / "stability.json").read_text()) == result
    for one in result["results"]:
        assert one["agrees"] is (one["rank"] == one["numeric_rank"])
        sigma = [(Fraction(low), Fraction(high)) for low, high in one["sigma"]]
        assert all(low <= high for low, high in sigma)
        assert one["sigma"][0] == one["sigma_max"] and one["sigma"][one["rank"] - 1] == one["sigma_min"]
        largest = sigma[0][1]
        assert all(high - low <= largest / 10**8 for low, high in sigma)
        low, high = one["below"]["1/10"]
        assert low == high == sum(value < Fraction(1, 10) for _, value in sigma)


def test_the_table_and_the_plot(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    paths = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for path in paths:
        code, text = asked(capsys, plot=path)
        assert code == 0 and "6 of 6 numerical ranks agree" in text
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert b"<dc:date>" not in first and b"Decay over depth" in first
    with pytest.raises(InvalidRequestError, match=r"written as \.svg"):
        asked(capsys, plot=tmp_path / "a.png")


def test_directions_are_drawn_for_images(tmp_path):
    pytest.importorskip("matplotlib")
    from exactrelu.stability.plot import save_directions

    (found,) = stability(load(MODEL), [RationalVector((1,) * 64)], through=1)
    save_directions(found, (64,), tmp_path / "d.svg")
    assert b"smallest singular value" in (tmp_path / "d.svg").read_bytes()
    with pytest.raises(InvalidRequestError, match="drawn for images"):
        save_directions(found, (63,), tmp_path / "d.svg")


def test_a_layer_alone_with_its_inverse(capsys):
    code, text = asked(capsys, layer="1", inverse_bound=True, json=True)
    result = json.loads(text)
    assert code == 0 and result["inverse"]["verdict"] == "not-injective"
    assert all(one["composed"] is False and "removed" in one for one in result["results"])
    with pytest.raises(InvalidRequestError, match="about one layer"):
        asked(capsys, inverse_bound=True)


@pytest.mark.parametrize("options", [{"below": "-1"}, {"below": "x"}, {"layer": "9"}, {"device": "cuda:99"}, {"through": "first"}])
def test_bad_options_are_refused(capsys, options):
    with pytest.raises(ExactReluError):
        asked(capsys, **options)


@pytest.mark.parametrize("values", [np.full((1, 64), np.nan), np.zeros((1, 63))])
def test_bad_points_are_refused(tmp_path, values):
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(ExactReluError):
        command(str(MODEL), input=str(tmp_path / "x.npy"))
