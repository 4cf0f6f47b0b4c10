"""Claim: `exactrelu --help` and `import exactrelu` take under three times a bare `import numpy`.

Usage: python tests/benchmarks/start_up_is_light.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import common


def seconds(arguments: list[str]) -> float:
    """The median wall time of seven runs after one that is not counted."""
    taken = []
    for _ in range(8):
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken[1:])


def main() -> None:
    numpy = seconds(["-c", "import numpy"])
    rows = [["import numpy", f"{numpy:.3f}", "1.00"]]
    for name, arguments in (("exactrelu --help", ["-m", "exactrelu", "--help"]), ("import exactrelu", ["-c", "import exactrelu"])):
        taken = seconds(arguments)
        rows.append([name, f"{taken:.3f}", f"{taken / numpy:.2f}"])
    common.show("start-up", ["command", "seconds", "ratio"], rows)


if __name__ == "__main__":
    main()
