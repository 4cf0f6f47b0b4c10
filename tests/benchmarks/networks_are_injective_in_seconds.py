"""Claim: a square network of 10,000 regions is proved injective on R^n in seconds, a residual one of width 784 in one.

Three tables, seconds of processor time. Square networks x + g(x) in the plane and in space, by the orientation of their regions (theory
I12). The pair method (I11) at 2,000 regions in the plane: how many of all pairs take a linear program, and, from a sample, how long
float programs for all of them would take. Residual networks of 784 inputs and 1024 neurons a block, by the row sums of |W_2| |W_1|.
Usage: python tests/benchmarks/networks_are_injective_in_seconds.py
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import common
import numpy as np

from exactrelu import AllSpace, DyadicMatrix, Layer, Network, SourceLayer
from exactrelu.certificates.injectivity_network import Apart, NetworkInjectivityCertificate, Regions
from exactrelu.check import check
from exactrelu.injectivity.network import network_injectivity
from exactrelu.injectivity.network.by_regions import by_regions
from exactrelu.injectivity.network.pairs import Pairs, pairs
from exactrelu.injectivity.network.pieces import Pieces
from exactrelu.network.exact_file import network_sha256, write_network
from exactrelu.regions import regions
from exactrelu.regions.evidence import regions_certificate

SQUARE = ((2, (64, 64), 0.15), (2, (140,), 0.2), (3, (40,), 0.3), (3, (20, 20), 0.2), (3, (14, 14, 14), 0.2))
PAIRS = ((2, 2, (30, 30), 0.15), (2, 3, (62,), 0.3))
BLOCKS = (1, 3)


def with_skip(n: int, m: int, hidden: tuple[int, ...], size: float) -> Network:
    """x -> [I; 0] x + g(x), g a Gaussian network in float32, its last layer scaled by `size`."""
    random = np.random.default_rng(0)
    layers, width = [], n
    for number, h in enumerate(hidden):
        weight = single(random.standard_normal((h, width)) / np.sqrt(width))
        carried = np.eye(n) if number == 0 else np.hstack([np.zeros((n, width)), np.eye(n)])
        rows = np.vstack([weight if number == 0 else np.hstack([weight, np.zeros((h, n))]), carried])
        biases = np.append(single(random.standard_normal(h)), np.zeros(n))
        layers.append(layer(rows, biases, np.arange(h + n) < h))
        width = h
    outer = single(random.standard_normal((m, width)) * size / np.sqrt(width))
    return chained([*layers, layer(np.hstack([outer, np.eye(m, n)]), np.zeros(m), np.zeros(m, dtype=bool))])


def contracting(n: int, h: int, blocks: int, size: float) -> Network:
    """Blocks x + V relu(W x), the row sums of |V| |W| at most `size`."""
    random = np.random.default_rng(0)
    layers = []
    for _ in range(blocks):
        first, last = single(random.standard_normal((h, n))), single(random.standard_normal((n, h)))
        first = single(first * (size * (1 - 2**-20) / (np.abs(last) @ np.abs(first)).sum(axis=1).max()))
        layers.append(layer(np.vstack([first, np.eye(n)]), np.zeros(h + n), np.arange(h + n) < h))
        layers.append(layer(np.hstack([last, np.eye(n)]), np.zeros(n), np.zeros(n, dtype=bool)))
    return chained(layers)


def single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32).astype(np.float64)


def layer(rows: np.ndarray, biases: np.ndarray, rectified: np.ndarray) -> Layer:
    return Layer(DyadicMatrix.from_floats(rows), DyadicMatrix.from_floats(biases.reshape(-1, 1)), rectified)


def chained(layers: list[Layer]) -> Network:
    named = tuple(SourceLayer(i + 1, f"layer {i + 1}", (one,), i) for i, one in enumerate(layers))
    return Network(tuple(layers), named, (), (layers[0].inputs,))


def certificate(network: Network, pieces: Pieces, compared: Pairs) -> str:
    found = regions_certificate(network, pieces.complex)
    functions = tuple((i, j, function) for (i, j), function in sorted(compared.functions.items()))
    evidence = Apart("pairs", compared.directions, functions, Regions(found.regions, found.adjacencies, found.cells))
    return NetworkInjectivityCertificate(network_sha256(network), len(network.layers), evidence).text()


def program_seconds(pieces: Pieces, sample: int = 200) -> float:
    """What a float linear program takes that asks whether two cells have a value in common, on average over some pairs."""
    from scipy.optimize import linprog

    random, images = np.random.default_rng(0), np.array(pieces.images, dtype=float)
    images /= np.abs(images).max(axis=1, keepdims=True)
    start = time.process_time()
    for _ in range(sample):
        first, second = (images[pieces.spanning[cell]].T for cell in random.choice(pieces.count, 2, replace=False))
        # Weights of generators: the outputs agree, and the points on either side have total weight 1.
        own, other = np.zeros((1, first.shape[1])), np.zeros((1, second.shape[1]))
        agree = np.vstack([np.hstack([first[:-1], -second[:-1]]), np.hstack([first[-1:], other]), np.hstack([own, second[-1:]])])
        linprog(np.zeros(agree.shape[1]), A_eq=agree, b_eq=np.append(np.zeros(len(first) - 1), [1.0, 1.0]), method="highs")
    return (time.process_time() - start) / sample


def check_certificate(network: Network, text: str) -> None:
    """By the standard library's integers."""
    with TemporaryDirectory() as folder:
        Path(folder, "one.certificate").write_text(text)
        write_network(network, Path(folder, "one.network"))
        assert [result.valid for result in check([folder]).results] == [True]


def main() -> None:
    rows = []
    for n, hidden, size in SQUARE:
        start = time.process_time()
        found = by_regions(with_skip(n, n, hidden, size), AllSpace(), None, None)
        rows.append([n, str(list(hidden)), found.regions, found.verdict, f"{time.process_time() - start:.1f}"])
    common.show("Square networks by the orientation of their regions", ["inputs", "hidden", "regions", "verdict", "seconds"], rows)
    rows = []
    for n, m, hidden, size in PAIRS:
        network = with_skip(n, m, hidden, size)
        start = time.process_time()
        pieces = Pieces(network.layers, regions(network))
        compared = pairs(pieces, pieces.spanning)
        seconds = time.process_time() - start
        text = certificate(network, pieces, compared)
        start = time.process_time()
        check_certificate(network, text)
        checked = time.process_time() - start
        own = len(compared.functions)
        every = compared.pairs * program_seconds(pieces)
        times = [f"{seconds:.1f}", f"{every:.0f}", f"{every / seconds:.0f}", f"{len(text) / 1024:.0f}", f"{checked:.1f}"]
        rows.append([f"{n} -> {m}", pieces.count, compared.pairs, own, compared.programs, *times])
    header = [
        "network",
        "regions",
        "pairs",
        "functions of their own",
        "programs",
        "seconds",
        "all by programs",
        "ratio",
        "KB",
        "seconds to check",
    ]
    common.show("Pairs of regions, each network injective", header, rows)
    rows = []
    for blocks in BLOCKS:
        network = contracting(784, 1024, blocks, 0.9)
        start = time.process_time()
        answer = network_injectivity(network)
        rows.append([blocks, answer.verdict, answer.method, f"{time.process_time() - start:.1f}"])
    common.show("Residual networks, 784 inputs, 1024 neurons a block", ["blocks", "verdict", "method", "seconds"], rows)


if __name__ == "__main__":
    main()
