"""Claim: a margin certificate at 3500 x 784 has at most 32 KB; checking it takes no longer than finding it, 20 s without libraries.

One core. Usage: python tests/benchmarks/certificates_are_small_and_quick_to_check.py [IMAGES]
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import common


def main() -> None:
    common.require_shared()
    from exactrelu import AllSpace, LayerPreimage, load, parse_domain
    from exactrelu.check import check
    from exactrelu.fast_checker import FastKernels
    from exactrelu.network.exact_file import write_network

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    network = load(common.NETWORK)
    points = common.images(count)
    rows = []
    for domain in (AllSpace(), parse_domain("box:0,1", 784)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            sha256 = write_network(network, folder / "mnist.network")
            prepared = LayerPreimage(network.layers[0], domain)
            prepared.of_point(points[0])
            kinds: dict[str, list[tuple[float, Path]]] = {}
            for index, point in enumerate(points):
                begin = time.perf_counter()
                found = prepared.of_point(point)
                certificate = prepared.certificate(found, network_sha256=sha256, layer_number=1, subject="input", given=point)
                path = folder / f"{index}.certificate"
                path.write_text(certificate.text(), encoding="ascii")
                kinds.setdefault(found.cardinality.value, []).append((time.perf_counter() - begin, path))
            for kind, made in sorted(kinds.items()):
                # Copies, so that the time for the network's text, taken once, does not drown what is measured.
                copies = [folder / f"copy-{k}.certificate" for k in range(150)]
                for k, path in enumerate(copies):
                    shutil.copy(made[k % len(made)][1], path)
                begin = time.perf_counter()
                check([folder / "mnist.network", copies[0]], kernels=FastKernels())
                parsing = time.perf_counter() - begin
                begin = time.perf_counter()
                report = check([folder / "mnist.network", *copies], kernels=FastKernels())
                fast = (time.perf_counter() - begin - parsing) / (len(copies) - 1)
                begin = time.perf_counter()
                alone = check([folder / "mnist.network", made[0][1]])
                standard = time.perf_counter() - begin
                assert report.exit_code == 0, report
                assert alone.exit_code == 0, alone
                search = statistics.median(seconds for seconds, _ in made)
                largest = max(path.stat().st_size for _, path in made)
                row = [
                    domain.describe(),
                    kind,
                    len(made),
                    largest,
                    f"{search:.3f}",
                    f"{fast:.3f}",
                    f"{fast / search:.2f}",
                    f"{standard:.1f}",
                ]
                rows.append(row)
    header = ["domain", "claim", "images", "largest bytes", "found in", "fast check", "ratio", "standard library, with network"]
    common.show(f"first {count} images; network text parsed and first check by the fast checker in {parsing:.1f} s", header, rows)


if __name__ == "__main__":
    main()
