"""Claim: the proved checker takes less than 10 s for what `preimage --out` wrote of 3500 x 784, and 1 s for a rank at 1000 x 300.

One core; the network file is read again with every certificate, as a user would. Beside it: the standard library's checker.
Usage: python tests/benchmarks/the_proved_checker_takes_seconds.py [IMAGES] (`make -C proofs checker` first)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import common
import numpy as np

CHECKER = Path(os.environ.get("EXACTRELU_CHECK", Path(__file__).parents[2] / "proofs/ocaml/exactrelu-check"))


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def wide_layer(folder: Path) -> tuple[Path, Path]:
    """A random layer with 300 inputs and 1000 outputs, and a point."""
    import torch

    generator = np.random.default_rng(1)
    layer = torch.nn.Linear(300, 1000)
    model = torch.nn.Sequential(layer, torch.nn.ReLU())
    path, points = folder / "wide.onnx", folder / "point.npy"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(model, (torch.zeros(1, 300),), str(path), dynamo=False)
    np.save(points, generator.standard_normal((1, 300)).astype(np.float32))
    return path, points


def main() -> None:
    common.require_shared()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wide, point = wide_layer(folder)
        images = ["--input", str(common.IMAGES), "--scale", str(common.SCALE), "--rows", f"0:{count}"]
        for what, network, points, domain in (
            ("1000 x 300", wide, ["--input", str(point)], "all"),
            ("3500 x 784", common.NETWORK, images, "all"),
            ("3500 x 784", common.NETWORK, images, "box:0,1"),
        ):
            out = folder / f"{what[:4]}-{domain[:3]}"
            asked = [*points, "--layer", "1", "--domain", domain, "--out", str(out), "--quiet"]
            subprocess.run([sys.executable, "-m", "exactrelu", "preimage", str(network), *asked], check=True, stdout=subprocess.DEVNULL)
            for certificate in sorted(out.glob("*.certificate")):
                claim = next(line for line in certificate.read_text().splitlines() if line.startswith("claim")).split(" ")[2]
                proved = seconds([str(CHECKER), str(certificate)])
                standard = seconds([sys.executable, "-m", "exactrelu.check", str(certificate)])
                rows.append([what, domain, claim, f"{proved:.2f}", f"{standard:.1f}", f"{standard / proved:.1f}"])
    header = ["layer", "domain", "claim", "proved checker, s", "standard library, s", "ratio"]
    common.show("one certificate and its network file", header, rows)


if __name__ == "__main__":
    main()
