"""The command line: exit codes, one JSON object on stdout, one line for bad input, and what is finished is kept."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from exactrelu import RationalVector, demo, load
from exactrelu.points import read_points
from exactrelu.preimage.layer import LayerPreimage

MODEL, IMAGES = str(demo.MODEL), str(demo.IMAGES)
ASK = ["preimage", MODEL, "--input", IMAGES, "--scale", "1/16"]
KEYS = ["row", "layer", "cardinality", "points", "solutions", "witness", "dimension", "active", "rank", "certificate", "seconds"]


def test_info_lists_the_layers(run):
    code, out, err = run("info", MODEL, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert [(layer["layer"], layer["inputs"], layer["outputs"], layer["rectified"]) for layer in found["layers"]] == [
        (1, 64, 96, 96),
        (2, 96, 64, 64),
        (3, 64, 10, 0),
    ]
    assert {"exactrelu", "format", "question", "network", "domain", "assumes", "seconds", "layers"} <= found.keys()
    assert set(found["network"]) == {"file", "sha256", "inputs", "outputs"}
    code, out, _ = run("info", MODEL)
    assert code == 0
    assert found["network"]["sha256"] in out
    assert "evaluated without rounding" in out


def test_preimage_prints_one_json_object(run):
    code, out, err = run(*ASK, "--rows", "7:9", "--domain", "all", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["format"], found["question"], found["domain"]) == (1, "preimage", "all")
    assert [(record["layer"], record["row"]) for record in found["results"]] == [(layer, row) for layer in (1, 2, 3) for row in (7, 8)]
    assert all(list(record) == KEYS for record in found["results"])
    network = load(MODEL)
    pixels = read_points(IMAGES, shape=(8, 8), inputs=64, scale=Fraction(1, 16), rows="7:9")
    for record, x in zip(found["results"][:2], pixels.rows, strict=True):
        assert record["active"] == sum(value > 0 for value in network.layers[0](x).numerators)
        if record["cardinality"] == "singleton":
            assert record["solutions"] == [x.texts()]


def test_the_witness_has_the_same_output(run):
    code, out, _ = run(*ASK, "--rows", "0:10", "--layer", "1", "--json")
    assert code == 0
    layer = load(MODEL).layers[0]
    kinds = set()
    for record in json.loads(out)["results"]:
        if record["witness"]:
            point = _point(record["witness"]["point"])
            if "second_point" in record["witness"]:
                other = _point(record["witness"]["second_point"])
            else:
                other = [a + 1000 * d for a, d in zip(point, _point(record["witness"]["ray"]), strict=True)]
            assert point != other
            assert _relu(layer, point) == _relu(layer, other)
            kinds |= set(record["witness"])
    assert kinds == {"point", "ray", "second_point"}


def _point(texts):
    return [Fraction(text) for text in texts]


def _relu(layer, x):
    rows, biases = layer.weight.fractions(), layer.bias.fractions()
    return [max(sum(a * v for a, v in zip(row, x, strict=True)) + bias, 0) for row, (bias,) in zip(rows, biases, strict=True)]


def test_an_output_and_a_layer_input_ask_about_one_layer(run, tmp_path):
    np.save(tmp_path / "y.npy", np.full(96, -1.0))
    code, out, _ = run("preimage", MODEL, "--output", tmp_path / "y.npy", "--layer", "1", "--json")
    record = json.loads(out)["results"][0]
    assert (code, record["cardinality"], record["dimension"], record["points"]) == (0, "empty", -1, 0)
    np.save(tmp_path / "h.npy", np.zeros(96))
    code, out, _ = run("preimage", MODEL, "--layer-input", tmp_path / "h.npy", "--layer", "2", "--json")
    assert (code, json.loads(out)["results"][0]["cardinality"]) == (0, "unbounded")
    code, _, err = run("preimage", MODEL, "--layer-input", tmp_path / "h.npy")
    assert (code, err.count("\n")) == (2, 1)


def test_certificates_are_written_and_checked(run, tmp_path):
    folder = tmp_path / "new" / "folder"
    code, out, _ = run(*ASK, "--rows", "0:3", "--layer", "1", "--out", folder)
    assert code == 0
    results = json.loads((folder / "results.json").read_text())["results"]
    assert [Path(record["certificate"]).parent for record in results] == [folder] * 3
    assert not [path for path in folder.iterdir() if path.name.endswith(".part")]
    code, out, err = run("check", folder, "--against", MODEL, "--checker", "both", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert [result["valid"] for result in found["results"]] == [True] * 3
    assert found["ignored"] == [str(folder / "results.json")]
    assert found["network"]["sha256"] == json.loads((folder / "results.json").read_text())["network"]["sha256"]
    code, out, _ = run("check", folder)
    assert code == 0
    assert "not compared with a model" in out

    certificate = Path(results[0]["certificate"])
    claim = next(line for line in certificate.read_text().splitlines() if line.startswith("claim "))
    certificate.write_text(certificate.read_text().replace(claim, "claim preimage singleton 0 40 1"))
    code, out, _ = run("check", folder, "--checker", "both")
    assert code == 1
    assert "INVALID" in out
    next(folder.glob("*.network")).unlink()
    code, _, err = run("check", folder)
    assert (code, err.count("\n")) == (2, 1)


def test_two_questions_share_a_folder_and_none_is_lost(run, tmp_path):
    folder = tmp_path / "out"
    for domain in ("all", "box:0,1", "all"):
        assert run(*ASK, "--rows", "0:2", "--layer", "1", "--domain", domain, "--out", folder)[0] == 0
    kept = {path.name: json.loads(path.read_text())["domain"] for path in folder.glob("results*.json")}
    assert kept == {"results.json": "all", "results-layer1-box-0,1.json": "box:0,1"}
    assert len(list(folder.glob("*.certificate"))) == 4
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    np.save(tmp_path / "h.npy", np.zeros(96))
    code, _, err = run("preimage", MODEL, "--layer-input", tmp_path / "h.npy", "--layer", "2", "--out", folder)
    assert (code, err.count("\n")) == (2, 1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_network_through_a_layer(run, tmp_path):
    results = {}
    for through in ("1", "3", "output"):
        folder = tmp_path / through
        code, out, _ = run(*ASK, "--rows", "0:3", "--through", through, "--domain", "box:0,1", "--out", folder, "--json")
        results[through] = json.loads(out)["results"]
        assert code == (3 if any("reached" in record for record in results[through]) else 0)
        assert all(record["layer"] is None and record["rank"] is None for record in results[through])
        assert [record["through"] for record in results[through]] == [int(through) if through.isdigit() else 3] * 3
        certificates = sum(record["certificate"] is not None for record in results[through])
        code, out, _ = run("check", folder, "--against", MODEL, "--checker", "both", "--json")
        assert (code, len(json.loads(out)["results"])) == (0 if certificates else 2, certificates)
    _, out, _ = run(*ASK, "--rows", "0:3", "--layer", "1", "--domain", "box:0,1", "--json")
    alone = json.loads(out)["results"]
    for record, through in zip(alone, results["1"], strict=True):
        assert (record["cardinality"], record["active"]) == (through["cardinality"], through["active"])
    for one, other in zip(results["3"], results["output"], strict=True):
        assert one["cardinality"] == other["cardinality"]


def folded(path, weight):
    """A model relu(W x) with integer weights (m, n)."""
    nodes = [helper.make_node("Gemm", ["x", "w"], ["z"], name="dense", transB=1), helper.make_node("Relu", ["z"], ["y"], name="relu")]
    m, n = len(weight), len(weight[0])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name, size in (("x", n), ("y", m))]
    graph = helper.make_graph(nodes, "folded", ends[:1], ends[1:], [numpy_helper.from_array(np.array(weight, dtype=np.float32), "w")])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def test_injectivity_of_a_layer(run, tmp_path):
    code, out, _ = run("injectivity", MODEL, "--layer", "1", "--domain", "box:0,1", "--out", tmp_path / "pair", "--json")
    found = json.loads(out)
    layer, pair = load(MODEL).layer(1), found["collision"]
    x, y, value = (RationalVector.from_fractions(map(Fraction, pair[word])) for word in ("x", "y", "value"))
    assert (code, found["verdict"], x != y, layer(x) == layer(y) == value) == (1, "not-injective", True, True)
    assert all(0 <= v <= 1 for v in (*x.fractions(), *y.fractions()))

    model = folded(tmp_path / "folded.onnx", [[1, 2], [-3, 1], [-1, -2], [6, -2]])
    code, out, _ = run("injectivity", model, "--layer", "dense", "--out", tmp_path / "proof")
    assert (code, "injective (opposite rows of full rank)" in out) == (0, True)
    for folder, against in (("pair", MODEL), ("proof", model)):
        code, out, _ = run("check", tmp_path / folder, "--against", against, "--checker", "both", "--json")
        assert (code, [result["valid"] for result in json.loads(out)["results"]]) == (0, [True])

    lonely = folded(tmp_path / "lonely.onnx", [[1, 0], [0, 1], [-1, -1]])
    assert run("injectivity", lonely, "--layer", "1")[0] == 1
    angles = [k * np.pi / 12 for k in range(24)]
    hard = folded(tmp_path / "hard.onnx", [[round(99 * np.cos(a)), round(99 * np.sin(a)), k % 5] for k, a in enumerate(angles)])
    assert run("injectivity", hard, "--layer", "1", "--time-limit", "1e-9")[0] in {1, 3}


def test_check_needs_a_certificate(run, tmp_path):
    code, _, err = run("check", tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert "no certificate" in err


def test_a_time_limit_leaves_rows_undecided(run):
    code, out, _ = run(*ASK, "--rows", "0:2", "--layer", "1", "--time-limit", "1e-9", "--json")
    results = json.loads(out)["results"]
    assert code == 3
    assert [record["cardinality"] for record in results] == ["undecided"] * 2
    assert all("--time-limit" in record["reached"] for record in results)


def test_interrupted_work_is_kept(run, tmp_path, monkeypatch):
    decide = LayerPreimage.of_point
    calls = iter(range(100))

    def interrupted(self, x, **options):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return decide(self, x, **options)

    monkeypatch.setattr(LayerPreimage, "of_point", interrupted)
    code, out, err = run(*ASK, "--layer", "1", "--rows", "0:5", "--out", tmp_path, "--json")
    assert code == 130
    assert "2 of 5" in err
    assert [record["row"] for record in json.loads(out)["results"]] == [0, 1]
    assert len(json.loads((tmp_path / "results.json").read_text())["results"]) == len(list(tmp_path.glob("*.certificate"))) == 2
    code, _, _ = run("check", tmp_path)
    assert code == 0


def test_workers_find_what_one_process_finds(tmp_path):
    found = []
    for workers in ("1", "2"):
        command = [
            sys.executable,
            "-m",
            "exactrelu",
            *ASK,
            "--layer",
            "1",
            "--rows",
            "0:6",
            "--json",
            "--workers",
            workers,
            "--out",
            workers,
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        found.append([{**record, "seconds": 0, "certificate": None} for record in json.loads(done.stdout)["results"]])
        assert len(list((tmp_path / workers).glob("*.certificate"))) == 6
    assert found[0] == found[1]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_workers_and_keeps_what_is_finished(tmp_path):
    command = [sys.executable, "-m", "exactrelu", *ASK, "--workers", "2", "--out", "kept"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + 60
        while not list(tmp_path.glob("kept/*.certificate")) and time.monotonic() < limit and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    kept = json.loads((tmp_path / "kept" / "results.json").read_text())["results"]
    assert len(kept) == len(list(tmp_path.glob("kept/*.certificate"))) >= 1


def test_a_closed_pipe_is_quiet():
    command = [sys.executable, "-m", "exactrelu", "info", MODEL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.parametrize(
    "arguments",
    [
        ["bar"],
        ["info"],
        ["info", "none.onnx"],
        ["info", "--unknown", MODEL],
        ["info", IMAGES],
        ["info", __file__],
        ["preimage", MODEL],
        ["preimage", MODEL, "--input", IMAGES, "--output", IMAGES],
        ["preimage", MODEL, "--input", IMAGES],
        ["preimage", MODEL, "--input", "none.npz"],
        ["preimage", MODEL, "--input", IMAGES, "--scale", "1/0"],
        ["preimage", MODEL, "--input", IMAGES, "--scale", "-1"],
        ["preimage", MODEL, "--input", IMAGES, "--scale", "nan"],
        ["preimage", MODEL, "--output", IMAGES, "--scale", "1/16"],
        [*ASK, "--layer", "4"],
        [*ASK, "--layer", "0"],
        [*ASK, "--layer", "nowhere"],
        [*ASK, "--rows", "0:51"],
        [*ASK, "--domain", "box:1,0"],
        [*ASK, "--domain", "ball:1"],
        [*ASK, "--domain", "image:all"],
        [*ASK, "--domain", "box:none.npz"],
        [*ASK, "--through", "output", "--layer", "1"],
        [*ASK, "--through", "4"],
        [*ASK, "--scheduler", "nonsense"],
        [*ASK, "--workers", "0"],
        [*ASK, "--workers", "two"],
        [*ASK, "--time-limit", "nan"],
        [*ASK, "--time-limit", "0"],
        [*ASK, "--max-points", "-1"],
        [*ASK, "--out", __file__],
        [*ASK, "--out", f"{__file__}/folder"],
        ["check"],
        ["check", "none"],
        ["check", ".", "--checker", "other"],
        ["check", ".", "--against", "none.onnx"],
        ["injectivity", MODEL, "--through", "7"],
        ["injectivity", MODEL, "--layer", "7"],
        ["injectivity", MODEL, "--layer", "1", "--domain", "ball:-1"],
        ["injectivity", MODEL, "--layer", "1", "--points", IMAGES],
        ["regions", MODEL],
        ["compare", MODEL, "none.onnx"],
        ["compare", MODEL, MODEL, "--limit", "0"],
        ["stability", MODEL],
        ["stability", MODEL, "--input", IMAGES, "--scale", "1/16", "--device", "abacus"],
    ],
)
def test_bad_requests_are_one_line(run, arguments):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == "" or arguments[0] == "check"
    assert err.startswith("exactrelu: ")
    assert err.count("\n") == 1
    assert len(err) < 600


def test_a_file_name_may_hold_anything(run, tmp_path):
    path = tmp_path / "odd\x1b[31m\n.onnx"
    path.write_bytes(demo.MODEL.read_bytes())
    code, out, _ = run("info", path)
    assert code == 0
    assert "\x1b" not in out
    path.unlink()
    code, _, err = run("info", path)
    assert (code, err.count("\n")) == (2, 1)
    assert "\x1b" not in err


def test_a_row_with_nan_is_refused(run, tmp_path):
    np.save(tmp_path / "x.npy", np.full((1, 64), np.nan))
    code, _, err = run("preimage", MODEL, "--input", tmp_path / "x.npy")
    assert (code, err.count("\n")) == (2, 1)
    assert "nan" in err
