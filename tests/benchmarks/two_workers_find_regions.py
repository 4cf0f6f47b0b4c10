"""Claim: two workers find the regions of a network at least 1.6 times as fast as one, and told from a store they need little memory.

Every run is a process of its own, on a network with 5.6 million regions by default, about a minute of work. Two workers are compared with
a run without jobs, and with a store, of which the results are told part by part, with one worker that does the same jobs. Beside the wall
time stands what cores with nothing else to do would take, from processor times: what this process does alone, and half of what it and
its workers do together. Give a smaller network for a quick look, such as 3 64,64.
Usage: python tests/benchmarks/two_workers_find_regions.py [INPUTS WIDTH,WIDTH..]
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import common
import numpy as np
from regions_are_found_without_linear_programs import network, weights

RUNS = {
    "without jobs": (1, None),
    "two workers": (2, None),
    "one worker, with a store, told by part": (1, "one.store"),
    "two workers, with a store, told by part": (2, "two.store"),
    "the same store, read into memory": (1, "two.store"),
}


def run(name: str, folder: str) -> dict[str, object]:
    """Regions and adjacencies; seconds; bytes that this process, and one of its workers, had in memory at most."""
    from exactrelu.regions import regions, regions_by_part
    from exactrelu.regions.record import regions_record

    with np.load(Path(folder, "weights.npz")) as held:
        given = network([(held[f"W{i}"], held[f"b{i}"]) for i in range(len(held) // 2)])
    workers, store = RUNS[name]
    told: list[float] = []
    asked = {"workers": workers, "progress": lambda done, total: told.append(time.process_time())}
    if store is not None:
        asked["store"] = Path(folder, store)
    wall, begin = time.perf_counter(), os.times()
    with regions_by_part(given, **asked) if "by part" in name else nullcontext(regions(given, **asked)) as found:
        record = regions_record(found, given, through=None)
    wall, end = time.perf_counter() - wall, os.times()
    own, others = end.user + end.system - begin.user - begin.system, end.children_user + end.children_system
    together = told[-1] - told[0] + others if workers > 1 else 0.0
    alone = own + others - together
    peaks = [resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {**{key: record[key] for key in ("regions", "adjacencies")}, "wall": wall, "alone": alone, "together": together, "peaks": peaks}


def save_weights(inputs: str, hidden: str, folder: str) -> None:
    layers = weights(int(inputs), tuple(map(int, hidden.split(","))))
    arrays = {f"{letter}{i}": array for i, pair in enumerate(layers) for letter, array in zip("Wb", pair, strict=True)}
    np.savez(Path(folder, "weights.npz"), **arrays)


def main() -> None:
    inputs, hidden = (int(sys.argv[1]), sys.argv[2]) if len(sys.argv) > 2 else (3, "160,160")
    rows, found = [], {}
    with tempfile.TemporaryDirectory() as folder:
        # A process reports at least the memory of the one that began it, so that PyTorch is loaded by another.
        subprocess.run([sys.executable, __file__, "--weights", str(inputs), hidden, folder], check=True)
        for name in RUNS:
            command = [sys.executable, __file__, "--one", name, folder]
            own = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            found[name] = own
            idle = own["idle"] = own["alone"] + own["together"] / 2
            memory = [f"{own['peaks'][0] / 2**30:.2f}", f"{own['peaks'][1] / 2**30:.2f}" if RUNS[name][0] > 1 else ""]
            numbers = [f"{own[key]:.1f}" for key in ("wall", "alone", "together")]
            rows.append([name, own["regions"], own["adjacencies"], *numbers, f"{idle:.1f}", *memory])
    header = ["run", "regions", "adjacencies", "wall s", "alone s", "with workers s", "idle cores s", "GiB", "GiB a worker"]
    common.show(f"{inputs}-[{hidden}], {multiprocessing.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", header, rows)
    assert len({tuple(row[1:3]) for row in rows}) == 1
    plain, two, one_stored, two_stored, _ = (found[name] for name in RUNS)
    for what, slow, fast in (("", plain, two), (" with a store", one_stored, two_stored)):
        ratios = [slow[key] / fast[key] for key in ("wall", "idle")]
        print(f"two workers against one{what}: {ratios[0]:.2f} times as fast, {ratios[1]:.2f} on cores with nothing else to do")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--weights"]:
        save_weights(*sys.argv[2:])
    elif sys.argv[1:2] == ["--one"]:
        print(json.dumps(run(*sys.argv[2:])))
    else:
        main()
