"""Claim: two workers find the regions of a network at least 1.6 times as fast as one, and the same regions.

The same jobs are done by one process and by two, and glued: the second counts as much as the first. A network with a million regions by
default; the run without jobs, and where the two differ, stand beside. Give a smaller network for a quick look, such as 3 64,64.
Usage: python tests/benchmarks/two_workers_find_regions.py [INPUTS WIDTH,WIDTH..]
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time

import common
from regions_are_found_without_linear_programs import network, weights


def seconds(given: object, **asked: object) -> tuple[list[float], object]:
    """(wall, processor time of this process, of those it has ended; the complex)."""
    from exactrelu.regions import regions

    begin, before = time.perf_counter(), os.times()
    found = regions(given, **asked)
    wall, after = time.perf_counter() - begin, os.times()
    spent = [after[i] - before[i] for i in range(4)]
    return [wall, spent[0] + spent[1], spent[2] + spent[3]], found


def main() -> None:
    inputs, hidden = (int(sys.argv[1]), sys.argv[2]) if len(sys.argv) > 2 else (3, "128,128")
    given = network(weights(inputs, tuple(map(int, hidden.split(",")))))
    rows, times = [], []
    with tempfile.TemporaryDirectory() as folder:
        runs = {
            "without jobs": {},
            "one worker, with a store": {"store": folder + "/one"},
            "two workers, with a store": {"workers": 2, "store": folder + "/two"},
            "two workers": {"workers": 2},
        }
        for name, asked in runs.items():
            spent, found = seconds(given, **asked)
            times.append(spent)
            rows.append([name, found.regions, found.adjacencies, *(f"{value:.1f}" for value in spent)])
    header = ["run", "regions", "adjacencies", "wall s", "processor s", "of workers s"]
    common.show(f"{inputs}-[{hidden}], {multiprocessing.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", header, rows)
    assert len({tuple(row[1:3]) for row in rows}) == 1
    one, two = times[1], times[2]
    print(f"two workers against one: {one[0] / two[0]:.2f} times as fast")
    print(f"the same from processor times, as on cores with nothing else to do: {one[1] / (two[1] + two[2] / 2):.2f}")


if __name__ == "__main__":
    main()
