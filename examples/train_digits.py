"""Train the network that `exactrelu demo` runs on, and write the images beside it.

    pip install torch onnx scikit-learn
    python examples/train_digits.py exactrelu/demo

The first layer has 96 outputs on 64 pixels, and a small penalty keeps many of them at zero. The images shipped are test
images spread evenly over the number of positive outputs: some have more than 64 and are determined by them, others have
few, so that the demo meets every kind of pre-image. Takes a few seconds on one core; the seed and one thread make the
weights repeatable on one machine with one version of PyTorch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

LARGEST_PIXEL = 16
TEST_IMAGES = 360
IMAGES_SHIPPED = 50
EPOCHS = 60
SPARSITY = 0.00035
SEED = 0


def train(model: nn.Sequential, images: torch.Tensor, labels: torch.Tensor) -> None:
    """Fit the classifier; `SPARSITY` weighs the sum of the first layer's outputs."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(64):
            optimiser.zero_grad()
            hidden = model[:3](images[batch])
            loss = nn.functional.cross_entropy(model[3:](hidden), labels[batch]) + SPARSITY * hidden.sum(1).mean()
            loss.backward()
            optimiser.step()


def main() -> None:
    parser = argparse.ArgumentParser(description="train the network of exactrelu demo")
    parser.add_argument("folder", type=Path, help="where digits.onnx and digits.npz are written")
    folder: Path = parser.parse_args().folder
    torch.manual_seed(SEED)
    torch.set_num_threads(1)

    digits = load_digits()
    pixels, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    order = np.random.default_rng(SEED).permutation(len(pixels))
    test, training = order[:TEST_IMAGES], order[TEST_IMAGES:]
    images = torch.tensor(pixels, dtype=torch.float32) / LARGEST_PIXEL
    targets = torch.tensor(labels, dtype=torch.long)

    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 64), nn.ReLU(), nn.Linear(64, 10))
    train(model, images[training], targets[training])
    model.eval()
    with torch.no_grad():
        accuracy = (model(images[test]).argmax(1) == targets[test]).float().mean().item()
        active = (model[:2](images[test]) > 0).sum(1).numpy()
    print(f"test accuracy {accuracy:.3f}, positive outputs of layer 1 from {active.min()} to {active.max()}")

    folder.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        model,
        (images[:1],),
        str(folder / "digits.onnx"),
        dynamo=False,
        opset_version=17,
        input_names=["pixels"],
        output_names=["logits"],
    )
    evenly = np.linspace(0, TEST_IMAGES - 1, IMAGES_SHIPPED).round().astype(int)
    shipped = np.sort(test[np.argsort(active, kind="stable")[evenly]])
    np.savez_compressed(folder / "digits.npz", x=pixels[shipped], y=labels[shipped])


if __name__ == "__main__":
    main()
