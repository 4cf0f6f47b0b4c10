"""Claim: two workers decide MNIST images at least 1.7 times as fast as one, on R^n and in the pixel box.

And 10,000 images on both make a report below 3 MB in under 20 s. There are 1,000 test images here; 10,000 are made of them by shifts
of up to two pixels. The one-worker run takes the first of them.
Usage: python tests/benchmarks/two_workers_are_nearly_twice_as_fast.py [IMAGES] [IMAGES FOR ONE WORKER]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import product
from pathlib import Path

import common
import numpy as np

SHIFTS = [(0, 0), *(shift for shift in product((-1, 0, 1), repeat=2) if shift != (0, 0)), (0, 2)]


def run(images: Path, rows: int, domain: str, workers: int, folder: Path) -> tuple[float, Counter[str]]:
    command = [sys.executable, "-m", "exactrelu", "preimage", str(common.NETWORK), "--input", str(images), "--scale", "1/255", "--quiet"]
    command += ["--layer", "1", "--domain", domain, "--rows", f"0:{rows}", "--workers", str(workers), "--out", str(folder), "--json"]
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    return seconds, Counter(record["cardinality"] for record in json.loads(done.stdout)["results"])


def main() -> None:
    common.require_shared()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    few = int(sys.argv[2]) if len(sys.argv) > 2 else min(count, 1000)
    with np.load(common.IMAGES, allow_pickle=False) as held:
        originals = held["x"]
    shifted = np.concatenate([np.roll(originals, shift, axis=(1, 2)) for shift in SHIFTS])[:count]
    with tempfile.TemporaryDirectory() as place:
        images, rows = Path(place, "images.npy"), []
        np.save(images, shifted)
        for domain in ("all", "box:0,1"):
            one, _ = run(images, few, domain, 1, Path(place, "one"))
            two, _ = run(images, few, domain, 2, Path(place, "two"))
            whole, found = run(images, count, domain, 2, Path(place, "whole"))
            words = ", ".join(f"{found[word]} {word}" for word in sorted(found))
            rows.append([domain, few, f"{one:.0f}", f"{two:.0f}", f"{one / two:.2f}", count, f"{whole:.0f}", words])
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "exactrelu", "report", str(Path(place, "whole")), "--json"], check=True, capture_output=True
        )
        reported, size = time.perf_counter() - begin, json.loads(done.stdout)["bytes"]
    common.show(
        "MNIST layer 1 of 3500 x 784, certificates written",
        ["domain", "images", "one worker s", "two workers s", "ratio", "images", "two workers s", "decided"],
        rows,
    )
    print(f"report on {2 * count} verdicts: {reported:.1f} s, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
