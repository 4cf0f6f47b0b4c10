"""Train the network of the arm that `exactrelu demo` asks for all pre-images of a point.

    pip install torch onnx
    python examples/train_arm.py exactrelu/demo

An arm in the plane has two links of length 1. The network learns where the hand is, (x, y), from the angles of shoulder and elbow in
radians. A hand's place is reached with the elbow on either side, so that the question which angles lead there has several answers.
Takes some seconds on one core; the seed and one thread make the weights repeatable on one machine with one version of PyTorch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn

HIDDEN = 10
LARGEST_ANGLE = 2.5
STEPS = 4000
GRID = 64
SEED = 0


def hand(angles: torch.Tensor) -> torch.Tensor:
    """Where the hand is: angles (p, 2) to places (p, 2)."""
    shoulder, both = angles[:, 0], angles.sum(1)
    return torch.stack([shoulder.cos() + both.cos(), shoulder.sin() + both.sin()], dim=1)


def angles(count: int) -> torch.Tensor:
    """Random angles of shoulder and elbow."""
    return (2 * torch.rand(count, 2) - 1) * LARGEST_ANGLE


def main() -> None:
    parser = argparse.ArgumentParser(description="train the arm's network of exactrelu demo")
    parser.add_argument("folder", type=Path, help="where arm.onnx is written")
    folder: Path = parser.parse_args().folder
    torch.manual_seed(SEED)
    torch.set_num_threads(1)

    model = nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        given = angles(256)
        optimiser.zero_grad()
        nn.functional.mse_loss(model(given), hand(given)).backward()
        optimiser.step()
        schedule.step()
    model.eval()
    # So coarse weights make the exact solutions short enough to read.
    for weights in model.parameters():
        weights.data.mul_(GRID).round_().div_(GRID)
    with torch.no_grad():
        tried = angles(10_000)
        error = (model(tried) - hand(tried)).norm(dim=1)
    print(f"the hand is missed by {error.mean():.3f} on average, by {error.max():.3f} at most")

    folder.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        model,
        (angles(1),),
        str(folder / "arm.onnx"),
        dynamo=False,
        opset_version=17,
        input_names=["angles"],
        output_names=["hand"],
    )


if __name__ == "__main__":
    main()
