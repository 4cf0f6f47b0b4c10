"""Claim: all regions of a network and their adjacency, exactly, 40,000 of them in half a second of one core, a million in 40 seconds.

Networks as PyTorch makes them from seed 0, on all of R^d; seconds of processor time, the best of three runs. Beside them, one run each:
without numba, without floats as well, and the prototype. `--peers PYTHON` runs relucent and parx, which that interpreter has, on the
same weights, for `--peers-limit` seconds each; the ratio is theirs to ours. `--large` goes beyond a million regions and fits
time = c * regions^slope.
Usage: python tests/benchmarks/regions_are_found_without_linear_programs.py [--peers PYTHON] [--peers-limit 240] [--large]
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

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


def ours(arrays: list[tuple[np.ndarray, np.ndarray]], *, floats: bool = True, compiled: bool = True) -> tuple[int, int, float]:
    from exactrelu.regions import regions

    given = network(arrays)
    begin = time.process_time()
    found = regions(given, floats=floats, compiled=compiled)
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


def peer(python: str, name: str, arrays: list[tuple[np.ndarray, np.ndarray]], limit: float) -> tuple[int, str, float] | None:
    """What a peer finds; None where it takes longer than the limit, in seconds of wall time, or fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        np.savez(path, **{f"{letter}{i}": array for i, pair in enumerate(arrays) for letter, array in zip("Wb", pair, strict=True)})
        command = [python, str(Path(__file__).with_name("region_peers.py")), name, str(path)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=True)
        except subprocess.TimeoutExpired:
            return None
        except subprocess.CalledProcessError as error:
            sys.exit(f"{name} failed: {error.stderr.strip().splitlines()[-1]}")
    count, pairs, seconds = run.stdout.split()[-3:]
    return int(count), pairs, float(seconds)


def against_peers(python: str, limit: float) -> None:
    rows = []
    lost: set[str] = set()
    for inputs, hidden, _ in PUBLISHED:
        arrays = weights(inputs, hidden)
        count, pairs, seconds = ours(arrays)
        row = [f"{inputs}-{list(hidden)}", count, pairs, f"{seconds:.3f}"]
        for name in ("relucent", "parx"):
            # Later networks take it longer still.
            found = None if name in lost else peer(python, name, arrays, limit)
            if found is None:
                lost.add(name)
                row += ["", "", f"> {limit:.0f}", f"> {limit / seconds:.0f}"]
            else:
                row += [found[0], found[1], f"{found[2]:.1f}", f"{found[2] / seconds:.0f}"]
        rows.append(row)
        if len(lost) == 2:
            break
    header = ["network", "regions", "adjacencies", "seconds"]
    for name in ("relucent", "parx"):
        header += [f"{name}: regions", "adjacencies", "seconds", "ratio"]
    common.show("peers", header, rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", metavar="PYTHON", help="an interpreter that has relucent and parx")
    parser.add_argument("--peers-limit", type=float, default=240.0)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    common.require_shared()
    # Kernels are compiled, or read from numba's cache, before anything is measured.
    ours(weights(2, (4, 4)))
    rows = []
    measured: list[tuple[int, float]] = []
    for inputs, hidden, expected in PUBLISHED:
        arrays = weights(inputs, hidden)
        count, pairs, seconds = min((ours(arrays) for _ in range(3)), key=lambda run: run[2])
        others = [ours(arrays, compiled=False), ours(arrays, compiled=False, floats=False), prototype(arrays)]
        agree = count == expected and all(other[:2] == (count, pairs) for other in others)
        times = [f"{value:.3f}" for value in (seconds, *(other[2] for other in others))]
        rows.append([f"{inputs}-{list(hidden)}", count, pairs, "yes" if agree else "NO", *times])
        measured.append((count, seconds))
    header = ["network", "regions", "adjacencies", "all agree", "seconds", "without numba", "and without floats", "prototype"]
    common.show("all of R^d, adjacency included", header, rows)
    if options.peers:
        against_peers(options.peers, options.peers_limit)
    if options.large:
        rows = []
        for inputs, hidden in LARGE:
            count, pairs, seconds = ours(weights(inputs, hidden))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            rows.append([f"{inputs}-{list(hidden)}", count, pairs, f"{seconds:.1f}", f"{count / seconds:.0f}", f"{peak:.2f}"])
            measured.append((count, seconds))
        common.show("large", ["network", "regions", "adjacencies", "seconds", "regions/s", "peak GiB"], rows)
        slope = np.polyfit(*np.log([pair for pair in measured if pair[0] > 10_000]).T, 1)[0]
        print(f"from 40,000 regions on, time grows like regions^{slope:.2f}")


if __name__ == "__main__":
    main()
