"""Layers that are no lowered layer of their network, beside a branch, with pooling, with an activation set aside: decided and certified."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from exactrelu import RationalVector, demo, load
from exactrelu.cli import main


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """conv, relu -> two branches added -> relu -> max pool -> leaky relu of a dense layer -> sigmoid of another; 1 x 4 x 4 inputs."""
    rng = np.random.default_rng(3)

    def constant(name, *shape):
        return numpy_helper.from_array(rng.integers(-3, 4, shape).astype(np.float32) / 2, name)

    weights = [constant("k1", 2, 1, 3, 3), constant("c1", 2), constant("k2", 2, 2, 1, 1), constant("k3", 2, 2, 3, 3)]
    weights += [constant("w1", 8, 6), constant("b1", 6), constant("w2", 6, 3), constant("b2", 3)]
    nodes = [
        helper.make_node("Conv", ["x", "k1", "c1"], ["z1"], name="conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["z1"], ["h1"], name="relu1"),
        helper.make_node("Conv", ["h1", "k2"], ["u"], name="left"),
        helper.make_node("Conv", ["h1", "k3"], ["v"], name="right", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["u", "v"], ["s"], name="sum"),
        helper.make_node("Relu", ["s"], ["h2"], name="relu2"),
        helper.make_node("MaxPool", ["h2"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"], name="flat"),
        helper.make_node("Gemm", ["f", "w1", "b1"], ["g"], name="dense1"),
        helper.make_node("LeakyRelu", ["g"], ["l"], name="leaky", alpha=0.25),
        helper.make_node("Gemm", ["l", "w2", "b2"], ["o"], name="dense2"),
        helper.make_node("Sigmoid", ["o"], ["y"], name="sigmoid"),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", [1, 1, 4, 4]), ("y", [1, 3]))]
    path = tmp_path_factory.mktemp("model") / "branched.onnx"
    graph = helper.make_graph(nodes, "branched", ends[:1], ends[1:], weights)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def ask(capsys, *arguments):
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("domain", ["all", "box:0,1"])
def test_every_layer_is_certified_and_the_certificates_are_about_the_model(model, capsys, tmp_path, domain):
    points = tmp_path / "x.npy"
    np.save(points, np.random.default_rng(5).integers(0, 5, (3, 16)) / 4)
    folder = tmp_path / "out"
    # Values inside the network need not lie in a box; the verdict then speaks of those of the box with the same output.
    code, found = ask(capsys, "preimage", model, "--input", points, "--domain", domain, "--out", folder)
    assert code in {0, 3}
    layers = {record["name"]: record["layer"] for record in found["layers"]}
    assert set(layers) == {"conv1", "left", "right", "relu2", "pool", "dense1", "dense2"}
    decided = [record for record in found["results"] if record["cardinality"] != "undecided"]
    assert {record["layer"] for record in decided} == set(layers.values())
    for record in decided:
        # Infinitely many inputs with the output of a point outside the box have no certificate of several stages.
        assert record["certificate"] or (record["layer"] == layers["pool"] and domain != "all"), record
    assert sum("set aside" in sentence for sentence in found["assumes"]) == 2
    code, checked = ask(capsys, "check", folder, "--against", model, "--checker", "both")
    assert code == 0
    assert [result["valid"] for result in checked["results"]] == [True] * sum(record["certificate"] is not None for record in decided)
    assert main(["check", str(folder), "--against", str(demo.MODEL)]) == 2


def test_an_output_of_a_leaky_layer_is_the_output_of_its_input(model, capsys, tmp_path):
    network = load(model)
    layer = network.layer("dense1")
    x = RationalVector.from_fractions(Fraction(k, 7) for k in range(-4, 4))
    np.save(tmp_path / "x.npy", np.zeros(1))
    for name, vector in (("x", x), ("y", layer(x))):
        (tmp_path / f"{name}.csv").write_text(",".join(vector.texts()))
    given = [ask(capsys, "preimage", model, "--layer-input", tmp_path / "x.csv", "--layer", "dense1")]
    given.append(ask(capsys, "preimage", model, "--output", tmp_path / "y.csv", "--layer", "dense1", "--out", tmp_path / "out"))
    first, second = (found["results"][0] for _, found in given)
    assert [code for code, _ in given] == [0, 0]
    assert (first["cardinality"], first["rank"], first["dimension"]) == (second["cardinality"], second["rank"], second["dimension"])
    assert min(layer(x).fractions()) < 0, "a slope takes part"
    assert main(["check", str(tmp_path / "out"), "--checker", "both"]) == 0
    # The values of a sigmoid are not rational.
    (tmp_path / "z.csv").write_text("1/2,1/2,1/2")
    assert main(["preimage", str(model), "--output", str(tmp_path / "z.csv"), "--layer", "dense2"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_whole_network_of_an_output_set_aside(model, capsys, tmp_path):
    points = tmp_path / "x.npy"
    np.save(points, np.random.default_rng(6).integers(0, 5, (2, 16)) / 4)
    code, found = ask(capsys, "preimage", model, "--input", points, "--through", "output", "--out", tmp_path / "out")
    assert code in {0, 3}
    assert {record["layer"] for record in found["results"]} == {None}
    if any(record["certificate"] for record in found["results"]):
        assert main(["check", str(tmp_path / "out"), "--against", str(model), "--checker", "both"]) == 0
