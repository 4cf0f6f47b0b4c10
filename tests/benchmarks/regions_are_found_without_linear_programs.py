"""Claim: all regions of a network and their adjacency in seconds, exactly, a network with 40,000 regions in under 5 s of one core.

Networks as PyTorch makes them from seed 0, on all of R^d. Beside ours: the same without floats, and the prototype with its float filter,
in seconds of processor time of one run. The counts must be those published with the prototype.
Usage: python tests/benchmarks/regions_are_found_without_linear_programs.py [large]; `large` adds up to more than a million regions.
"""

from __future__ import annotations

import importlib.util
import resource
import sys
import time
from itertools import pairwise

import common
import numpy as np

PUBLISHED = (
    (2, (16, 16), 572),
    (3, (10, 10), 1302),
    (2, (32, 32), 2268),
    (2, (20, 20, 20), 2252),
    (4, (10, 10), 7040),
    (4, (16, 16), 41280),
    (3, (32, 32), 44230),
)
LARGE = ((3, (64, 64)), (3, (100, 100)))


def weights(inputs: int, hidden: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    """PyTorch's default initialisation, seed 0, with one output."""
    import torch

    torch.manual_seed(0)
    layers = [torch.nn.Linear(n, m) for n, m in pairwise((inputs, *hidden, 1))]
    return [(layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()) for layer in layers]


def network(arrays: list[tuple[np.ndarray, np.ndarray]]):
    from exactrelu import DyadicMatrix, Layer, Network, SourceLayer

    last = len(arrays) - 1
    layers = tuple(
        Layer(DyadicMatrix.from_floats(weight), DyadicMatrix.from_floats(bias.reshape(-1, 1)), np.full(len(bias), i < last))
        for i, (weight, bias) in enumerate(arrays)
    )
    return Network(
        layers, tuple(SourceLayer(i + 1, f"layer {i + 1}", (layer,), i) for i, layer in enumerate(layers)), (), (layers[0].inputs,)
    )


def ours(arrays: list[tuple[np.ndarray, np.ndarray]], *, floats: bool) -> tuple[int, int, float]:
    from exactrelu.regions import regions

    given = network(arrays)
    begin = time.process_time()
    found = regions(given, floats=floats)
    return found.regions, found.adjacencies, time.process_time() - begin


def prototype(arrays: list[tuple[np.ndarray, np.ndarray]]) -> tuple[int, int, float]:
    path = common.SHARED / "prototypes" / "regions" / "exactsub.py"
    specification = importlib.util.spec_from_file_location("exactsub", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    begin = time.process_time()
    found = module.Complex([weight for weight, _ in arrays], [bias for _, bias in arrays]).run()
    edges = found.dual_graph()
    return len(found.cells), len(edges), time.process_time() - begin


def main() -> None:
    common.require_shared()
    ours(weights(2, (4, 4)), floats=True)
    rows = []
    for inputs, hidden, expected in PUBLISHED:
        arrays = weights(inputs, hidden)
        count, pairs, seconds = ours(arrays, floats=True)
        without, theirs = ours(arrays, floats=False), prototype(arrays)
        agree = count == expected and without[:2] == theirs[:2] == (count, pairs)
        name = f"{inputs}-{list(hidden)}"
        times = [f"{value:.2f}" for value in (seconds, without[2], theirs[2])]
        rows.append([name, count, pairs, "yes" if agree else "NO", *times, f"{theirs[2] / seconds:.1f}"])
    header = ["network", "regions", "adjacencies", "counts agree", "seconds", "without floats", "prototype", "ratio"]
    common.show("all of R^d, adjacency included", header, rows)
    if sys.argv[1:] == ["large"]:
        rows = []
        for inputs, hidden in LARGE:
            count, pairs, seconds = ours(weights(inputs, hidden), floats=True)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            rows.append([f"{inputs}-{list(hidden)}", count, pairs, f"{seconds:.1f}", f"{count / seconds:.0f}", f"{peak:.1f}"])
        common.show("large", ["network", "regions", "adjacencies", "seconds", "regions/s", "peak GiB"], rows)


if __name__ == "__main__":
    main()
