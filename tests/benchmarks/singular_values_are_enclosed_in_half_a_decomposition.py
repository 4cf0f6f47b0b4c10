"""Claim: proving bounds of all singular values takes at most half of the float64 decomposition at 3072 x 3072, and they are narrow.

Gaussian matrices; seconds of processor time of PyTorch's decomposition, and of the enclosure that it proposes; how far the widest interval
reaches, beside the largest singular value. Then the trained network: images through every layer, two workers, in wall time.
Usage: python tests/benchmarks/singular_values_are_enclosed_in_half_a_decomposition.py [IMAGES]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

import common
import numpy as np

SHAPES = ((512, 784), (1024, 1024), (3072, 3072))


def enclosed(m: int, n: int) -> list:
    from exactrelu.exact.enclosed import EnclosedMatrix
    from exactrelu.exact.spectrum import enclosed_spectrum
    from exactrelu.stability.device import Device

    matrix = np.random.default_rng(0).standard_normal((m, n))
    begin = time.process_time()
    u, s, vt = Device.named("cpu").decomposition(matrix)
    between = time.process_time()
    spectrum = enclosed_spectrum(EnclosedMatrix(matrix), u, s, vt)
    end = time.process_time()
    widest = max(float(high - low) for low, high in zip(spectrum.lower, spectrum.upper, strict=True)) / 2 / float(spectrum.lower[0])
    ratio = (end - between) / (between - begin)
    return [f"{m} x {n}", f"{between - begin:.2f}", f"{end - between:.2f}", f"{ratio:.2f}", f"{widest:.1e}"]


def main() -> None:
    images = sys.argv[1] if len(sys.argv) > 1 else "100"
    enclosed(64, 64)
    header = ["matrix", "decomposition", "enclosure", "ratio", "widest / largest"]
    common.show("all singular values, proved", header, [enclosed(m, n) for m, n in SHAPES])
    common.require_shared()
    options = ["--input", str(common.IMAGES), "--scale", str(common.SCALE), "--rows", f"0:{images}", "--workers", "2", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        command = [sys.executable, "-m", "exactrelu", "stability", str(common.NETWORK), *options, "--out", folder]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seconds = time.perf_counter() - begin
    print(
        f"\n{images} images through all layers, two workers: {seconds:.0f} s\n{next(line for line in said.splitlines() if 'agree' in line)}"
    )


if __name__ == "__main__":
    main()
