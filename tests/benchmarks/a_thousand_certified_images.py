"""Claim: 1,000 MNIST images are decided and certified on two cores in under 90 s, below 2 GiB.

Runs the command line as a user would. Usage: python tests/benchmarks/a_thousand_certified_images.py [IMAGES] [DOMAIN]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import common


def main() -> None:
    common.require_shared()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    domain = sys.argv[2] if len(sys.argv) > 2 else "all"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "exactrelu", "preimage", str(common.NETWORK), "--input", str(common.IMAGES), "--scale", "1/255"]
        command += ["--layer", "1", "--domain", domain, "--rows", f"0:{count}", "--workers", "2", "--out", folder, "--json", "--quiet"]
        begin = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        decided = time.perf_counter() - begin
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        found = Counter(record["cardinality"] for record in json.loads(done.stdout)["results"])
        sizes = [path.stat().st_size for path in Path(folder).glob("*.certificate")]
        begin = time.perf_counter()
        checked = subprocess.run(
            [sys.executable, "-m", "exactrelu", "check", folder, "--quiet"], check=False, capture_output=True, text=True
        )
        checking = time.perf_counter() - begin
    common.show(
        f"{count} images, layer 1, domain {domain}, two workers",
        ["seconds", "certificates", "largest bytes", "peak GiB of a process", "fast check seconds", "check exit code", "decided"],
        [
            [
                f"{decided:.1f}",
                len(sizes),
                max(sizes),
                f"{peak:.2f}",
                f"{checking:.1f}",
                checked.returncode,
                ", ".join(f"{found[word]} {word}" for word in sorted(found)),
            ]
        ],
    )
    print(checked.stdout.strip().splitlines()[-1], checked.stderr.strip())


if __name__ == "__main__":
    main()
