"""Train a small network and see when its first layer stops being injective, and what asking costs.

    pip install exactrelu[torch]
    python examples/monitored_training.py

The layer reads the shipped digits, averaged to 4 x 4 pixels, and has 32 outputs. Its biases start so high that it is injective on all
images with pixels in [0, 1]. A penalty on its outputs wants few of them positive, as one wants features to be sparse: at some step two
images have the same features, and whatever the rest of the network does, it cannot tell them apart. Takes a few seconds.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import nn

from exactrelu import demo
from exactrelu.training import InjectivityMonitor

SIDE, HIDDEN, CLASSES = 4, 32, 10
SPARSITY = 0.003


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """The shipped 8 x 8 digits as 4 x 4 pixels in [0, 1], float32 (rows, 16), and their labels."""
    with np.load(demo.IMAGES) as file:
        pixels, labels = file["x"], file["y"]
    blocks = pixels.reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4)) / 16
    return torch.tensor(blocks.reshape(-1, SIDE * SIDE), dtype=torch.float32), torch.tensor(labels, dtype=torch.long)


def main() -> None:
    parser = argparse.ArgumentParser(description="train a small network, asking every so often whether its first layer is injective")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--every", type=int, default=50, help="steps from one question to the next")
    parser.add_argument("--seconds", type=float, default=0.3, help="time limit of a question")
    given = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    images, labels = digits()
    model = nn.Sequential(nn.Linear(SIDE * SIDE, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES))
    nn.init.constant_(model[0].bias, 1.0)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)

    monitor = InjectivityMonitor(model, 0, "box:0,1", every=given.every, seconds=given.seconds)
    for _ in range(given.steps):
        optimiser.zero_grad()
        hidden = model[:2](images)
        loss = nn.functional.cross_entropy(model[2](hidden), labels) + SPARSITY * hidden.sum(1).mean()
        loss.backward()
        optimiser.step()
        seen = monitor.step()
        if seen is not None:
            print(f"step {seen.step:5}: loss {loss.item():.3f}, {seen.verdict} ({seen.method}), {seen.seconds:.2f} s")
    right = (model(images).argmax(1) == labels).float().mean().item()
    print(f"\n{100 * right:.0f} % of the training images are right; asking took {100 * monitor.cost:.1f} % of the time")
    if monitor.last is not None and monitor.last.collision is not None:
        x, y = (torch.tensor(point.to_float(), dtype=torch.float32) for point in (monitor.last.collision.x, monitor.last.collision.y))
        print(f"two images with pixels up to {(x - y).abs().max().item():.2f} apart have exactly the same features")


if __name__ == "__main__":
    main()
