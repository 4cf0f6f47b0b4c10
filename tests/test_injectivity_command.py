"""`exactrelu injectivity`: domains, margins, what an undecided run leaves, and what stands beside a collision."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from exactrelu import Layer, RationalVector, demo, load, parse_domain
from exactrelu.injectivity.layer import decide_layer

MODEL, IMAGES = str(demo.MODEL), str(demo.IMAGES)
ASK = ["injectivity", MODEL, "--layer", "1"]


def dense(path, weights, biases):
    """An .onnx file of one layer, relu(W x + b)."""
    weights, biases = np.asarray(weights, dtype=np.float32), np.asarray(biases, dtype=np.float32)
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["z"], name="dense", transB=1), helper.make_node("Relu", ["z"], ["y"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, k]) for name, k in (("x", weights.shape[1]), ("y", len(biases)))]
    constants = [numpy_helper.from_array(weights, "W"), numpy_helper.from_array(biases, "b")]
    save(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], constants), opset_imports=[helper.make_opsetid("", 13)]), path)
    return path


def same_output(layer, found):
    """Whether the pair that a result gives has one output, computed in fractions alone."""
    weights, biases = layer.weight.fractions(), [row[0] for row in layer.bias.fractions()]
    x, y = ([Fraction(value) for value in found["collision"][word]] for word in ("x", "y"))
    both = [
        [max(Fraction(0), sum(a * v for a, v in zip(w, p, strict=True)) + b) for w, b in zip(weights, biases, strict=True)] for p in (x, y)
    ]
    return x != y and both[0] == both[1] == [Fraction(value) for value in found["collision"]["value"]]


def test_an_image_and_another_one_with_the_same_features(run, tmp_path):
    code, out, _ = run(*ASK, "--domain", "box:0,1", "--points", IMAGES, "--scale", "1/16", "--out", tmp_path, "--json")
    found = json.loads(out)
    assert (code, found["verdict"]) == (1, "not-injective")
    assert same_output(load(MODEL).layer(1).stages[0], found)
    x, y = (np.array([float(Fraction(value)) for value in found["collision"][word]]) for word in ("x", "y"))
    images = demo_images() / 16
    assert np.abs(images - x).max(axis=1).min() < 1e-9, "x is one of the images"
    assert np.abs(x - y).max() > 0.5
    rounded = found["float32"]
    assert rounded["distinct"] and rounded["inside"]
    assert np.array_equal(np.array(rounded["x"], dtype=np.float32), x.astype(np.float32))
    assert float(rounded["largest_difference"]) < 1e-5
    assert run("check", tmp_path, "--checker", "both", "--against", MODEL)[0] == 0
    assert run("report", tmp_path)[0] == 0


def demo_images():
    with np.load(demo.IMAGES) as archive:
        return np.asarray(archive[archive.files[0]], dtype=float).reshape(-1, 64)


@pytest.mark.parametrize(
    ("layer", "domain", "code"),
    [
        ("1", "ball:1/100", None),
        ("1", "ball:50", 1),
        ("1", "image:box:0,1", 1),
        ("2", "image:box:0,1", 1),
        ("2", "image:ball:1/1000", None),
    ],
)
def test_balls_and_images_of_the_networks_domain(run, tmp_path, layer, domain, code):
    asked = run("injectivity", MODEL, "--layer", layer, "--domain", domain, "--out", tmp_path, "--json", "--time-limit", 20)
    found = json.loads(asked[1])
    assert asked[0] == {"injective": 0, "not-injective": 1, "undecided": 3}[found["verdict"]]
    assert code is None or asked[0] == code
    assert any("need not be reachable" in sentence for sentence in found["assumes"]) == domain.startswith("image:")
    assert asked[0] == 3 or run("check", tmp_path, "--checker", "both")[0] == 0


def test_margins_of_a_layer(run, tmp_path):
    # relu(x + 1), relu(-x - 1/2): all x are told apart until both are silent at one point, at a bias of -1/4.
    model = dense(tmp_path / "pair.onnx", [[1.0], [-1.0]], [1.0, -0.5])
    np.save(tmp_path / "x.npy", np.array([[0.0], [2.0]]))
    code, out, _ = run(
        "injectivity", model, "--layer", 1, "--margins", "--points", tmp_path / "x.npy", "--out", tmp_path / "margins", "--json"
    )
    found = json.loads(out)
    assert (code, found["bias_margin"]["value"], found["inverse_lipschitz_upper"]) == (0, "1/4", "2")
    assert Fraction(found["largest_box"]["inner"]) > 1
    assert run("check", tmp_path / "margins", "--checker", "both")[0] == 0
    certificates = sorted(path.name for path in (tmp_path / "margins").glob("*.certificate"))
    assert {"injectivity-layer1-all-bias-limit.certificate", "injectivity-layer1-all-expansion.certificate"} <= set(certificates)
    assert run("report", tmp_path / "margins")[0] == 0
    page = (tmp_path / "margins" / "report.html").read_text(encoding="utf-8")
    assert "exactly 1/4" in page
    assert "at most 2 times that of their outputs" in page
    assert "On the box around the given points scaled by" in page
    assert "exactly 1/4" in run("injectivity", model, "--layer", 1, "--margins")[1]


def test_an_undecided_run_is_taken_up_again(run, tmp_path):
    weights = np.random.default_rng(0).standard_normal((96, 12))
    model = dense(tmp_path / "hard.onnx", weights, np.zeros(96))
    asked = ["injectivity", model, "--layer", 1, "--out", tmp_path / "kept", "--time-limit", 3]
    code, out, err = run(*asked)
    if code == 0:
        pytest.skip("this machine decided it at once")
    assert code == 3
    assert "same command goes on" in err
    kept = tmp_path / "kept" / "injectivity-layer1-all.partial.json"
    before = json.loads(kept.read_text())
    code, out, err = run(*asked)
    assert "going on from" in err
    after = json.loads(kept.read_text())
    assert after["nodes"][: len(before["nodes"])] == before["nodes"]
    assert len(after["nodes"]) >= len(before["nodes"])
    assert run("report", tmp_path / "kept")[0] == 0, "what the run left is no result"
    kept.write_text("{")
    code, out, err = run(*asked)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_an_interrupted_run_keeps_what_it_proved(tmp_path):
    model = dense(tmp_path / "hard.onnx", np.random.default_rng(0).standard_normal((96, 12)), np.zeros(96))
    asked = ["injectivity", str(model), "--layer", "1", "--out", str(tmp_path / "kept")]
    command = [sys.executable, "-c", "import sys; from exactrelu.cli import main; print('ready', flush=True); sys.exit(main(sys.argv[1:]))"]
    with subprocess.Popen([*command, *asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        folder, deadline = tmp_path / "kept", time.monotonic() + 120
        while not folder.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(8)  # the search has begun by then, on a busy machine too
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    if process.returncode == 0:
        pytest.skip("this machine decided it at once")
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert (folder / "injectivity-layer1-all.partial.json").exists()


def test_several_stages_have_no_margins(run, tmp_path):
    value = helper.make_tensor_value_info
    graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "g", [value("x", 1, [1, 2])], [value("y", 1, [1, 2])])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "abs.onnx")
    code, out, _ = run("injectivity", tmp_path / "abs.onnx", "--layer", 1, "--out", tmp_path / "abs", "--json")
    found = json.loads(out)
    assert (code, found["verdict"]) == (1, "not-injective")
    x, y = ([Fraction(value) for value in found["collision"][word]] for word in ("x", "y"))
    assert x != y
    assert [abs(value) for value in x] == [abs(value) for value in y]
    assert run("check", tmp_path / "abs", "--checker", "both")[0] == 0
    assert run("injectivity", tmp_path / "abs.onnx", "--layer", 1, "--domain", "box:0,1")[0] == 0
    code, out, err = run("injectivity", tmp_path / "abs.onnx", "--layer", 1, "--margins")
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_the_command_line_decides_what_python_does(run):
    first = load(MODEL).layer(1).stages[0]
    assert isinstance(first, Layer)
    for domain in ("all", "orthant", "box:0,1/16", "ball:1/10"):
        verdict = json.loads(run(*ASK, "--domain", domain, "--json", "--time-limit", 20)[1])["verdict"]
        assert verdict == decide_layer(first, parse_domain(domain, 64), widen=False).verdict


def test_results_of_another_network_are_not_replaced(run, tmp_path):
    first, second = (dense(tmp_path / f"{name}.onnx", [[scale], [-scale]], [0, 0]) for name, scale in (("one", 1), ("two", 2)))
    assert run("injectivity", first, "--layer", "1", "--out", tmp_path / "out")[0] == 0
    kept = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    code, _, error = run("injectivity", second, "--layer", "1", "--out", tmp_path / "out")
    assert (code, error.count("\n")) == (2, 1) and "another network" in error
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == kept
    assert run("injectivity", first, "--layer", "1", "--domain", "orthant", "--out", tmp_path / "out")[0] == 0


def test_a_whole_network(run, tmp_path):
    """Two images with the same scores, certified; the report knows them."""
    code, out, _ = run("injectivity", MODEL, "--domain", "box:0,1", "--points", IMAGES, "--scale", "1/16", "--out", tmp_path, "--json")
    found = json.loads(out)
    assert (code, found["verdict"], found["through"]) == (1, "not-injective", None)
    network = load(MODEL)
    x, y, value = (RationalVector.from_fractions(map(Fraction, found["collision"][word])) for word in ("x", "y", "value"))
    assert x != y and network(x) == network(y) == value
    assert run("check", tmp_path, "--checker", "both", "--against", MODEL)[0] == 0
    assert run("report", tmp_path)[0] == 0
    code, out, _ = run("injectivity", MODEL, "--through", "1", "--domain", "box:0,1")
    assert code == 1 and "the network through layer 1" in out


def test_what_is_of_one_layer_is_not_asked_of_a_network(run):
    for options in (["--margins"], ["--layer", "1", "--through", "1"], ["--domain", "image:box:0,1"], ["--through", "9"]):
        code, _, error = run("injectivity", MODEL, *options)
        assert (code, error.count("\n")) == (2, 1)


def test_a_projection_of_the_outputs(run, tmp_path):
    """x -> (relu(x), relu(-x)) is injective, and so is the difference of the two, which is x; the sum, |x|, is not."""
    model = dense(tmp_path / "both.onnx", [[1], [-1]], [0, 0])
    for name, rows, expected in (("difference", [[1.0, -1.0]], 0), ("sum", [[1.0, 1.0]], 1)):
        np.save(tmp_path / f"{name}.npy", np.array(rows))
        out = tmp_path / name
        assert run("injectivity", model, "--projection", tmp_path / f"{name}.npy", "--out", out)[0] == expected
        assert run("check", out, "--checker", "both")[0] == (0 if any(out.glob("*.certificate")) else 2)
    code, said, _ = run("injectivity", model, "--projection", "3", "--json")
    assert (code, json.loads(said)["verdict"]) == (0, "injective")
    for projection, words in (("no.npy", "does not exist"), ("0.5", "a matrix"), ("9999999", "a matrix")):
        code, _, error = run("injectivity", model, "--projection", projection)
        assert (code, error.count("\n")) == (2, 1) and words in error


def test_two_networks_are_compared(run, tmp_path):
    """The rows in another order and scale: the same up to a projection; another bias: an input on which they differ."""
    one = dense(tmp_path / "one.onnx", [[1, 2], [0, 1]], [1, 0])
    other = dense(tmp_path / "other.onnx", [[1, 2], [0, 1]], [1, 0.5])
    wider = dense(tmp_path / "wider.onnx", [[1, 2, 3]], [1])
    assert run("compare", one, one)[0] == 0
    code, out, _ = run("compare", one, other, "--json")
    found = json.loads(out)
    assert (code, found["verdict"]) == (1, "different")
    x = RationalVector.from_fractions(map(Fraction, found["input"]))
    assert [load(model)(x).texts() for model in (one, other)] == found["outputs"]
    assert found["outputs"][0] != found["outputs"][1]
    code, _, error = run("compare", one, wider)
    assert (code, error.count("\n")) == (2, 1)
