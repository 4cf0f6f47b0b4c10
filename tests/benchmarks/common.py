"""What the benchmarks share: the MNIST network and its images, one BLAS thread, a table."""

from __future__ import annotations

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import sys
from fractions import Fraction
from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"
NETWORK = SHARED / "networks" / "trained" / "mnist_mlp_784_3500_784_10.onnx"
IMAGES = SHARED / "data" / "mnist_test_1000.npz"
SCALE = Fraction(1, 255)


def require_shared() -> None:
    """End with a remark where the network is not at hand."""
    if not NETWORK.exists():
        sys.exit(f"skipped: {NETWORK} is not here; this benchmark needs the project's shared networks")


def images(count: int) -> list:
    """The first images as exact points, pixel k as k/255."""
    from exactrelu.points import read_points

    return list(read_points(IMAGES, shape=(784,), inputs=784, scale=SCALE, rows=f"0:{count}").rows)


def show(title: str, header: list[str], rows: list[list]) -> None:
    from exactrelu.tables import table

    print(f"\n{title}\n{table(header, rows)}", flush=True)
