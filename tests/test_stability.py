"""Stability as users ask for it: layers with pooling and leaky activations, the command, plots, and bad input in one line."""

from __future__ import annotations

import json
import sys
import weakref
from fractions import Fraction

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

torch = pytest.importorskip("torch", reason="singular values are proposed by PyTorch")

from exactrelu import DyadicMatrix, Layer, Network, RationalVector, SourceLayer, load
from exactrelu.commands.stability import stability as command
from exactrelu.demo import IMAGES, MODEL
from exactrelu.errors import ExactReluError, InvalidRequestError
from exactrelu.exact import spectrum
from exactrelu.exact.enclosed import EnclosedMatrix
from exactrelu.exact.gram import refined_spectrum
from exactrelu.points import read_points
from exactrelu.stability import StabilityModel, stability, tall
from exactrelu.stability.boundary import nearest_wall
from exactrelu.stability.device import Device
from exactrelu.stability.linearisation import linearisations
from exactrelu.stability.tall import spectrum_of_tall
from exactrelu.tables import stability_report


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


@pytest.mark.parametrize("device", [Device("cpu", "float64"), Device("cpu:0", "float64"), Device("cpu", "float32")])
def test_eigenvectors_are_the_same_by_either_library(device):
    rows = np.random.default_rng(0).standard_normal((7, 5))
    values, vectors = device.eigenvectors(rows.T @ rows)
    slack = 100 * device.epsilon
    assert (np.diff(values) <= 0).all() and np.allclose(vectors.T @ vectors, np.eye(5), atol=slack)
    assert np.allclose(vectors * values @ vectors.T, rows.T @ rows, atol=100 * slack)


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


def test_just_beyond_the_nearest_wall_singular_values_are_those_of_the_neighbour():
    model, x = network([[3.0, 4.0], [1.0, -1.0], [2.0, 5.0]], [[1.0, 2.0, 1.0], [-1.0, 1.0, 3.0]]), RationalVector((2, 1))
    for found in stability(model, [x], neighbours=True):
        beyond = found.record()["boundary"]["beyond"]
        depths = list(linearisations(StabilityModel(model).steps[: found.layer], x))
        (there,) = stability(model, [nearest_wall(depths, x).beyond(x)], through=found.layer)
        assert beyond["switched"] == 1
        assert {word: value for word, value in there.record().items() if word in beyond} == {
            word: value for word, value in beyond.items() if word != "switched"
        }
        assert beyond["sigma_min"] != found.record()["sigma_min"]
    on_the_wall = nearest_wall(linearisations(StabilityModel(model).steps, x), x).foot
    *_, last = stability(model, [on_the_wall], neighbours=True)
    assert last.record()["boundary"]["beyond"] is None


@pytest.mark.parametrize("shape", [(40, 12), (12, 12), (300, 5)])
def test_gram_matrices_of_tall_matrices_never_exclude_the_truth(shape):
    generator = np.random.default_rng(0)
    u, v = (np.linalg.qr(generator.standard_normal(size))[0] for size in (shape, (shape[1],) * 2))
    exact = DyadicMatrix(np.round((u * np.linspace(1, 0.1, shape[1])) @ v.T * 2**20) / 2**20)
    bounds, floats, right = spectrum_of_tall(EnclosedMatrix.of(exact), Device.named("cpu"))
    truth = refined_spectrum(exact)
    for low, high, least, most in zip(bounds.lower, bounds.upper, truth.lower, truth.upper, strict=True):
        assert low <= least <= most <= high <= low + bounds.upper[0] / 5 * 10**-7
    scale = 2.0 ** EnclosedMatrix.of(exact).exponent
    assert np.allclose(np.linalg.norm(exact.floats @ right.T, axis=0), floats * scale)


@pytest.mark.parametrize("smallest", [1e-4, 1e-6])
def test_badly_conditioned_tall_matrices_are_taken_in_stages(smallest, monkeypatch):
    generator, device = np.random.default_rng(0), Device.named("cpu")
    u, v = (np.linalg.qr(generator.standard_normal(size))[0] for size in ((60, 40), (40, 40)))
    exact = DyadicMatrix((u * np.geomspace(1, smallest, 40)) @ v.T)
    monkeypatch.setattr(tall, "_FEWEST", 5)
    # With such an error squares would lose too many digits.
    monkeypatch.setattr(tall, "gram_product", lambda x: (x.T @ x, 1.0))
    matrix = EnclosedMatrix.of(exact)
    bounds, floats, right = spectrum_of_tall(matrix, device)
    truth = refined_spectrum(exact)
    for low, high, least, most in zip(bounds.lower, bounds.upper, truth.lower, truth.upper, strict=True):
        assert low <= least <= most <= high <= low + Fraction(1, 10**9)
    # The factors are as good as those of a decomposition.
    assert np.allclose(np.linalg.norm(matrix.floats @ right.T, axis=0), floats, rtol=0, atol=1e-14)
    assert np.allclose(right @ right.T, np.eye(40), atol=1e-13)
    assert spectrum_of_tall(EnclosedMatrix.of(DyadicMatrix((u * np.geomspace(1, 1e-9, 40)) @ v.T)), device) is None


def test_an_error_of_a_tall_matrix_counts(monkeypatch):
    floats, device = np.array([[0.5, 0.0], [0.0, 0.25], [0.0, 0.0]]), Device.named("cpu")
    # What is enclosed may be any matrix within 1e-9 of the floats.
    bounds, *_ = spectrum_of_tall(EnclosedMatrix(floats, 0, 1e-9), device)
    assert bounds.lower[1] <= Fraction(0.25) - Fraction(1e-9) and Fraction(0.25) + Fraction(1e-9) <= bounds.upper[1]
    bounds, *_ = spectrum_of_tall(EnclosedMatrix(floats, 0, 1e-3), device)
    assert bounds.lower[1] <= Fraction(0.25) - Fraction(1e-3) and Fraction(0.25) + Fraction(1e-3) <= bounds.upper[1]
    # Vectors that are none of a Gram matrix's prove too little.
    monkeypatch.setattr(Device, "eigenvectors", lambda _, gram: (np.diag(gram), np.eye(2)[::-1]))
    assert spectrum_of_tall(EnclosedMatrix(floats), device) is None


def test_a_thousandth_of_the_gram_matrix_error_would_exclude_the_truth(monkeypatch):
    matrix, gamma = EnclosedMatrix(np.diag([1.0, 0.5])), 1e-9
    off = np.array([[0.9 * gamma, 0.0], [0.0, 0.0]])
    for claimed, included in ((gamma, True), (gamma / 1000, False)):
        monkeypatch.setattr(tall, "gram_product", lambda x, claimed=claimed: (x.T @ x + off, claimed))
        bounds, *_ = spectrum_of_tall(matrix, Device.named("cpu"))
        assert (bounds.lower[0] <= 1 <= bounds.upper[0]) is included


def test_large_tall_matrices_are_taken_by_their_gram_matrix(monkeypatch):
    from exactrelu import stability as package

    rows = np.random.default_rng(0).standard_normal((30, 6)).tolist()
    (plain,) = stability(network(rows), [RationalVector((9,) * 6)])
    monkeypatch.setattr(sys.modules[package.__module__], "_SMALLEST_TALL", 2)
    monkeypatch.setattr(Device, "decomposition", None)
    (found,) = stability(network(rows), [RationalVector((9,) * 6)])
    assert found.after.exact_rank == found.after.numeric_rank == 6
    assert found.after.sigma_min[0] <= plain.after.sigma_min[1] and plain.after.sigma_min[0] <= found.after.sigma_min[1]


@pytest.mark.parametrize("slices", [False, True])
def test_tall_residuals_are_summed_stripe_by_stripe(monkeypatch, slices):
    matrix = EnclosedMatrix.of(DyadicMatrix(np.random.default_rng(0).standard_normal((25, 7))))
    factors = np.linalg.svd(matrix.floats + 1e-3, full_matrices=False)
    whole = spectrum.enclosed_spectrum(matrix, *factors, slices=slices)
    monkeypatch.setattr(spectrum, "_STRIPE", 4)
    striped = spectrum.enclosed_spectrum(matrix, *factors, slices=slices)
    for a, b, c, d in zip(whole.lower, striped.lower, whole.upper, striped.upper, strict=True):
        assert abs(a - b) <= Fraction(1, 10**7) and abs(c - d) <= Fraction(1, 10**7)


def test_matrices_of_earlier_depths_are_let_go():
    generator = np.random.default_rng(0)
    model = network(*[generator.standard_normal((8, 8)).tolist() for _ in range(4)])
    alive: list[weakref.ref[EnclosedMatrix]] = []
    for depth in linearisations(StabilityModel(model).steps, RationalVector((1,) * 8)):
        alive.append(weakref.ref(depth.after.matrix))
        assert depth.before is None
        del depth
        assert sum(one() is not None for one in alive) == 1


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


FOOLED = np.array([[1.0, 1.0], [1.0, 1 + 2.0**-52]])


def fooled() -> onnx.ModelProto:
    """One layer with the weights FOOLED, in float64."""
    given = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [1, 2]) for name in ("x", "y")]
    nodes = [helper.make_node("Gemm", ["x", "w"], ["z"], transB=1), helper.make_node("Relu", ["z"], ["y"])]
    graph = helper.make_graph(nodes, "fooled", given[:1], given[1:], [numpy_helper.from_array(FOOLED, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def test_a_wrong_float_rank_is_a_disagreement_in_json_and_in_words(capsys, tmp_path):
    """The rows (1, 1) and (1, 1 + 2^-52) are independent; numpy and torch say that they are not."""
    assert np.linalg.matrix_rank(FOOLED) == torch.linalg.matrix_rank(torch.from_numpy(FOOLED)) == 1
    onnx.save(fooled(), tmp_path / "fooled.onnx")
    (tmp_path / "x.csv").write_text("1,1\n")
    code = command(str(tmp_path / "fooled.onnx"), input=str(tmp_path / "x.csv"), json=True)
    (one,) = json.loads(capsys.readouterr().out)["results"]
    assert (code, one["rank"], one["numeric_rank"], one["agrees"]) == (0, 2, 1, False)
    assert 0 < Fraction(one["sigma_min"][0]) <= Fraction(2) ** -53 <= Fraction(one["sigma_min"][1])
    command(str(tmp_path / "fooled.onnx"), input=str(tmp_path / "x.csv"))
    said = capsys.readouterr().out
    assert "row 0, layer 1: floats report rank 1, but it is 2" in said and "0 of 1 numerical ranks agree" in said


def test_disagreements_before_the_relu_are_told_and_open_ranks_are_not_counted():
    def record(row: int, numeric: int | None, low: int, high: int, before: dict[str, object] | None = None) -> dict[str, object]:
        rank, agrees = (low if low == high else None), None if numeric is None else low <= numeric <= high
        found = {"row": row, "layer": 1, "active": 3, "rank": rank, "rank_bounds": [low, high], "numeric_rank": numeric, "agrees": agrees}
        return found | dict.fromkeys(("sigma_max", "sigma_min", "condition", "boundary")) | {"before": before, "seconds": 0.0}

    said = stability_report([record(0, 3, 3, 3, record(0, 2, 4, 4)), record(1, 9, 3, 5), record(2, None, 3, 5)])
    assert "row 0, layer 1, before its relu: floats report rank 2, but it is 4\n" in said
    assert "row 1, layer 1: floats report rank 9, but it is 3 to 5\n" in said
    assert "row 2, layer" not in said and "1 of 3 numerical ranks agree" in said


def test_small_networks_are_written_down_as_latex(capsys, tmp_path):
    pytest.importorskip("sympy")
    onnx.save(fooled(), tmp_path / "fooled.onnx")
    (tmp_path / "x.csv").write_text("1,1\n-1,-1\n")
    command(str(tmp_path / "fooled.onnx"), input=str(tmp_path / "x.csv"), symbolic=True, json=True)
    active, dead = (one["latex"] for one in json.loads(capsys.readouterr().out)["results"])
    assert active["map"] == r"\left[\begin{matrix}x_{1} + x_{2}\\x_{1} + \frac{4503599627370497 x_{2}}{4503599627370496}\end{matrix}\right]"
    assert active["singular_values"].count(r"\sqrt") == 4
    assert dead["map"] == r"\left[\begin{matrix}0\\0\end{matrix}\right]"
    with pytest.raises(InvalidRequestError, match="too many to write down"):
        asked(capsys, symbolic=True)


def test_workers_find_the_same_and_options_add_to_it(capsys):
    def results(**options):
        return [{**one, "seconds": 0} for one in json.loads(asked(capsys, json=True, **options)[1])["results"]]

    # Workers have one thread each, and floats that are summed in another order propose other last digits.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        plain, several, more = results(), results(workers=2), results(before=True, neighbours=True)
    finally:
        torch.set_num_threads(threads)
    assert several == plain
    assert all(one["before"] is None and "beyond" not in one["boundary"] for one in plain)
    assert all(one["before"] is not None and one["boundary"]["beyond"]["rank"] for one in more)
    with pytest.raises(InvalidRequestError, match="at least 1"):
        asked(capsys, workers=0)


def test_the_table_and_the_plot(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    paths = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for path in paths:
        code, text = asked(capsys, plot=path)
        assert code == 0 and "12 of 12 numerical ranks agree" in text
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert b"<dc:date>" not in first and b"Decay over depth" in first
    with pytest.raises(InvalidRequestError, match=r"written as \.svg"):
        asked(capsys, plot=tmp_path / "a.png")


def test_directions_are_those_of_the_extreme_singular_values_and_drawn_for_images(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    from exactrelu.stability.plot import save_directions

    code, text = asked(capsys, directions=tmp_path / "d.svg", json=True)
    records = json.loads(text)["results"]
    assert code == 0 and ["directions" in one for one in records] == [one["row"] == 0 for one in records]
    model = load(MODEL)
    (x,) = read_points(IMAGES, shape=model.input_shape, inputs=64, scale=Fraction(1, 16), rows="0:1").rows
    for one, depth in zip(records, linearisations(StabilityModel(model).steps, x), strict=False):
        matrix = np.array(depth.after.exact.floats)
        for word, bounds in (("largest", one["sigma_max"]), ("smallest", one["sigma_min"])):
            v = np.array([float(Fraction(value)) for value in one["directions"][word]])
            assert abs(v).max() == 1
            # Three digits of a direction: it is stretched as its singular value says, up to what those leave of the largest one.
            stretch = np.linalg.norm(matrix @ v) / np.linalg.norm(v)
            assert abs(stretch - float(bounds[0])) < 5e-3 * float(one["sigma_max"][0])
    assert (tmp_path / "d.svg").read_bytes().count(b"<image") == 6
    save_directions(records, (1, 64), tmp_path / "flat.svg")
    assert (tmp_path / "flat.svg").read_bytes() == (tmp_path / "d.svg").read_bytes()
    for shape, words in (((63,), "drawn for images"), ((4, 4), "no directions to draw")):
        with pytest.raises(InvalidRequestError, match=words):
            save_directions(records, shape, tmp_path / "d.svg")


def test_of_colours_the_strongest_is_drawn_wherever_their_axis_is():
    from exactrelu.stability.plot import _strongest

    image = np.random.default_rng(0).standard_normal((3, 5, 7))
    shown = _strongest(image)
    assert (abs(shown) == abs(image).max(axis=0)).all() and np.isin(shown, image).all()
    assert (_strongest(np.moveaxis(image, 0, 2)) == shown).all()


def test_what_cannot_be_drawn_is_refused_before_anything_is_computed(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(StabilityModel, "at", None)
    for options, words in (
        ({"plot": tmp_path / "none" / "p.svg"}, "folder does not exist"),
        ({"directions": tmp_path / "d.png"}, r"written as \.svg"),
    ):
        with pytest.raises(InvalidRequestError, match=words):
            command(str(MODEL), input=str(IMAGES), scale="1/16", rows="0:1", **options)
    (tmp_path / "x.csv").write_text("1,1\n")
    onnx.save(fooled(), tmp_path / "fooled.onnx")
    with pytest.raises(InvalidRequestError, match="drawn for images"):
        command(str(tmp_path / "fooled.onnx"), input=str(tmp_path / "x.csv"), directions=tmp_path / "d.svg")


def test_over_depth_each_input_is_a_line_and_the_median_a_thick_one():
    figure = pytest.importorskip("matplotlib.figure").Figure()
    from exactrelu.stability.plot import draw_decay

    def record(row: int, *sigma: float | tuple[float, float]) -> dict[str, object]:
        pairs = [one if isinstance(one, tuple) else (one, one) for one in sigma]
        return {"row": row, "layer": 1, "rank_bounds": [len(sigma)] * 2, "sigma": [[str(low), str(high)] for low, high in pairs]}

    axes = figure.subplots()
    draw_decay(axes, [record(0, 4, 2, 1), record(1, 2, 1.5), record(2, 8, 2, 1, 0.5), record(3, 1, (0, 0.1))])
    *lines, median = (line.get_ydata().tolist() for line in axes.get_lines())
    assert lines[:3] == [[1, 0.5, 0.25], [1, 0.75], [1, 0.25, 0.125, 0.0625]]
    # Half of a wide interval is no value of a singular value.
    assert lines[3][0] == 1 and np.isnan(lines[3][1])
    # Where two of four are 0, the lower one of the middle two is.
    assert median == [1, 0.25]


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
