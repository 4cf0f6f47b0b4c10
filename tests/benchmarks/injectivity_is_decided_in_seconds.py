"""Claim: Gaussian layers of up to ten inputs, boxes of up to 32, [B; -DB] at 784 and a trained layer on its box are
decided in seconds, twelve inputs in minutes.

Prints how long deciding took beside how long the fast checker takes on the certificate, in seconds of processor time. Limit: 120 s each.
Usage: python tests/benchmarks/injectivity_is_decided_in_seconds.py
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import common
import numpy as np

LIMIT = 120


def layer(weights: np.ndarray, biases: np.ndarray):
    from exactrelu import DyadicMatrix, Layer

    return Layer(DyadicMatrix.from_floats(weights), DyadicMatrix.from_floats(biases.reshape(-1, 1)), np.ones(len(weights), dtype=bool))


def cases():
    from exactrelu import AllSpace, Box, RationalVector, load

    for n, m, draws in ((6, 48, 3), (8, 64, 3), (10, 80, 3), (10, 120, 3), (12, 96, 1)):
        for seed in range(draws):
            rng = np.random.default_rng(seed)
            yield f"Gaussian, {m} x {n}, R^n", layer(rng.standard_normal((m, n)).astype(np.float32), np.zeros(m)), AllSpace()
    rng = np.random.default_rng(7)
    for n, scale in ((8, 1.0), (16, 2.0), (32, 3.0)):
        weights = np.round(rng.standard_normal((2 * n, n)) * 1000)
        biases = np.round(np.abs(rng.standard_normal(2 * n) + 2) * scale * 500 * np.sqrt(n))
        yield f"{2 * n} x {n}, box [-1, 1]", layer(weights, biases), Box(RationalVector((-1,) * n), RationalVector((1,) * n))
    n = 784
    square, factors = rng.standard_normal((n, n)).astype(np.float32), 2.0 ** rng.integers(-3, 4, n)
    pairs = np.vstack([square, -factors[:, None] * square])[rng.permutation(2 * n)]
    yield "[B; -DB], n = 784, permuted", layer(pairs, np.zeros(2 * n)), AllSpace()
    first = load(common.NETWORK).layer(1).stages[0]
    yield "trained 3500 x 784, box [0, 1]", first, Box(RationalVector((0,) * 784), RationalVector((1,) * 784))


def main() -> None:
    common.require_shared()
    from exactrelu import Network, SourceLayer
    from exactrelu.check import check
    from exactrelu.fast_checker import FastKernels
    from exactrelu.injectivity.layer import decide_layer
    from exactrelu.network.exact_file import write_network

    rows = []
    for name, one, domain in cases():
        begin = time.process_time()
        found = decide_layer(one, domain, deadline=time.monotonic() + LIMIT)
        decided, checked, size = time.process_time() - begin, None, None
        if found.verdict != "undecided":
            with tempfile.TemporaryDirectory() as folder:
                network = Network((one,), (SourceLayer(1, "layer", (one,), 0),), (), (one.inputs,))
                sha256 = write_network(network, Path(folder, "layer.network"))
                text = found.certificate(network_sha256=sha256, layer_number=1, domain=domain).text()
                Path(folder, "layer.certificate").write_text(text)
                begin = time.process_time()
                report = check([folder], kernels=FastKernels())
                checked, size = time.process_time() - begin, len(text)
                checked = f"{checked:.2f}" if report.exit_code == 0 else f"INVALID: {report.results[0].reason}"
        rows.append([name, found.verdict, found.method, f"{decided:.2f}", checked, size])
    common.show("injectivity of a layer", ["layer", "verdict", "method", "decided s", "fast check s", "bytes"], rows)


if __name__ == "__main__":
    main()
