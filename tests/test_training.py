"""The monitor of a training loop: when it asks, what it keeps, what it costs; the example runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exactrelu.errors import InvalidRequestError, UnsupportedModelError
from exactrelu.testing import layer_injectivity
from exactrelu.training import InjectivityMonitor

torch = pytest.importorskip("torch", reason="PyTorch gives the modules")
nn = torch.nn
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 9), nn.ReLU(), nn.Linear(9, 2))


def test_asks_every_so_many_steps_about_the_weights_as_they_are():
    network = model()
    monitor = InjectivityMonitor(network, 0, "box:0,1", every=3)
    expected = []
    for step in range(1, 13):
        with torch.no_grad():
            network[0].bias.fill_(2.0 if step < 7 else -0.25)
        seen = monitor.step()
        assert (seen is not None) == (step % 3 == 0)
        if seen is not None:
            expected.append(layer_injectivity(network[0], "box:0,1").verdict)
    assert [seen.verdict for seen in monitor.history] == expected == ["injective"] * 2 + ["not-injective"] * 2
    assert [seen.step for seen in monitor.history] == [3, 6, 9, 12]
    # The last collision is where the next is looked for.
    assert "near a given point" in monitor.history[-1].method
    assert 0 < monitor.cost <= 1
    assert monitor.last is not None and monitor.last.collision is not None
    record = json.loads(json.dumps(monitor.record()))
    assert [result["step"] for result in record["results"]] == [3, 6, 9, 12] and record["every"] == 3


def test_the_cost_is_a_share_of_the_time():
    monitor = InjectivityMonitor(model(), 0, "box:0,1", every=1)
    assert monitor.cost == 0
    monitor.step()
    first = monitor.cost
    time.sleep(2 * monitor.history[0].seconds)
    assert 0 < monitor.cost < first <= 1


@pytest.mark.parametrize("which", [0, "0", -3])
def test_layers_by_name_and_number(which):
    network = model()
    assert InjectivityMonitor(network, which).module is network[0]
    assert InjectivityMonitor(network).module is network
    assert InjectivityMonitor(nn.ModuleDict({"encoder": network}), "encoder.0").module is network[0]


@pytest.mark.parametrize("which", [3, -4, "3", "encoder"])
def test_a_layer_that_is_not_there(which):
    with pytest.raises(InvalidRequestError, match="its parts are 0, 1, 2"):
        InjectivityMonitor(model(), which)


def test_bad_requests():
    with pytest.raises(InvalidRequestError, match="every"):
        InjectivityMonitor(model(), 0, every=0)
    with pytest.raises(InvalidRequestError, match="str has no parts"):
        InjectivityMonitor("model.pt", 0)
    with pytest.raises(UnsupportedModelError):
        InjectivityMonitor(model(), 1, every=1).step()
    with pytest.raises(InvalidRequestError, match="domain"):
        InjectivityMonitor(model(), 0, "cube", every=1).step()


def test_weights_that_are_not_finite_do_not_end_the_training():
    network = model()
    monitor = InjectivityMonitor(network, 0, "box:0,1", every=1)
    monitor.step()
    with torch.no_grad():
        network[0].weight[0, 0] = float("nan")
    seen = monitor.step()
    assert seen is not None and seen.verdict == "undecided" and "0.weight" not in seen.verdict and "finite" in seen.method
    with torch.no_grad():
        network[0].weight[0, 0] = 0.0
    assert monitor.step().verdict == "not-injective"


def test_the_loop_is_left_alone():
    """No gradient, no change: training with and without the monitor gives the same weights."""

    def trained(every: int | None) -> torch.Tensor:
        network = model()
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
        monitor = None if every is None else InjectivityMonitor(network, 0, "box:0,1", every=every)
        for _ in range(8):
            optimiser.zero_grad()
            network(torch.ones(4, 3)).square().sum().backward()
            optimiser.step()
            if monitor is not None:
                monitor.step()
        return network[0].weight.detach().clone()

    assert torch.equal(trained(None), trained(2))


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the sources are not there")
def test_the_example_of_training():
    run = subprocess.run(
        [sys.executable, str(EXAMPLES / "monitored_training.py"), "--steps", "300"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert sum(line.startswith("step ") for line in lines) == 6
    assert "injective (" in lines[0] and "asking took" in run.stdout


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the sources are not there")
def test_the_example_of_probabilities(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib draws the figure")
    pictures = []
    for name in ("a.svg", "b.svg"):
        command = [
            sys.executable,
            str(EXAMPLES / "injectivity_probability.py"),
            "--n",
            "1",
            "2",
            "--draws",
            "6",
            "3",
            "--out",
            str(tmp_path / name),
        ]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert run.returncode == 0 and "n =  2: half of 3 need" in run.stdout
        pictures.append((tmp_path / name).read_bytes())
    assert pictures[0] == pictures[1]
    assert b"10.5" in pictures[0] and b"3.4" in pictures[0]
