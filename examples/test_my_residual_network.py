"""Is an invertible residual network invertible? `pytest examples/test_my_residual_network.py`.

x + g(x) with a contraction g is injective, by its weights alone. With larger weights the regions of the network decide: one block beyond
the bound is still injective here, and a larger one folds the plane, so that two inputs have one output.
"""

from __future__ import annotations

import torch
from torch import nn

from exactrelu import load, parse_domain
from exactrelu.injectivity.network import network_injectivity


class Residual(nn.Module):
    """x + V relu(W x + b), with |V| |W| scaled to have row sums of at most `size`."""

    def __init__(self, inputs: int, hidden: int, size: float) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(inputs, hidden), nn.Linear(hidden, inputs)
        with torch.no_grad():
            self.first.weight *= size / (self.last.weight.abs() @ self.first.weight.abs()).sum(dim=1).max()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.last(torch.relu(self.first(x)))


def my_flow(inputs: int, hidden: int, *sizes: float) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(*(Residual(inputs, hidden, size) for size in sizes))


def test_my_flow_on_images_is_invertible() -> None:
    network = load(my_flow(64, 128, 0.9, 0.9, 0.9), input_shape=(1, 64))
    found = network_injectivity(network)
    assert (found.verdict, found.method) == ("injective", "skip connections outweigh the rest")


def test_my_flow_in_the_plane_is_invertible_beyond_the_bound() -> None:
    network = load(my_flow(2, 8, 1.5), input_shape=(1, 2))
    found = network_injectivity(network)
    assert found.verdict == "injective"
    assert found.method == "all determinants of one sign and a value with one pre-image"
    assert found.inverse_lipschitz is not None


def test_my_broken_flow_is_not() -> None:
    network = load(my_flow(2, 8, 0.9, 6.0), input_shape=(1, 2))
    found = network_injectivity(network, domain=parse_domain("box:-2,2", 2))
    assert found.verdict == "not-injective"
    assert found.collision is not None
    x, y = found.collision.x, found.collision.y
    assert x != y
    assert network(x) == network(y)
