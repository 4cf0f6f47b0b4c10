"""How likely is a Gaussian layer injective, by the number of its outputs an input? Decided exactly, drawn as a figure.

    pip install exactrelu[examples]
    python examples/injectivity_probability.py --out probability.svg

For every number n of inputs, layers without a bias are drawn row after row. One more row never undoes injectivity, so each draw has a
least number m of rows from which on it is injective, found by bisection, and the share of draws with at most m is the probability at m.
Where layers were not decided in time, the figure shows a band: all of them injective, or none.

The two lines are bounds that Puthawala, Kothari, Lassas, Dokmanic and de Hoop prove for large n: below m/n = 3.4 almost no such layer is
injective, above 10.5 almost every one. For n = 2 the probability is known: 0.25, 0.625, 0.84, 0.94 at m/n = 3, 4, 5, 6.

The figure beside this file took 34 minutes; more time a decision would narrow its band for n = 12, which takes minutes near the middle:
--n 2 3 4 5 6 7 8 9 10 11 12 --draws 40 40 40 40 40 20 12 6 3 2 2 --seconds 45
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

try:
    import matplotlib as mpl
    from matplotlib import pyplot as plt
except ImportError:
    sys.exit("matplotlib, which draws the figure, is missing; pip install exactrelu[examples], or pip install matplotlib")

from exactrelu import AllSpace, DyadicMatrix, Layer
from exactrelu.injectivity.layer import decide_layer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

THRESHOLDS = (3.4, 10.5)


@dataclass(frozen=True)
class Draw:
    """One sequence of rows: with `refuted` of them the layer is not injective, with `proved` it is (None: not shown for any number)."""

    refuted: int
    proved: int | None


def rows_needed(n: int, most: int, generator: np.random.Generator, seconds: float) -> Draw:
    """Bisect for the number of Gaussian rows from which on the layer is injective on R^n; `seconds` a decision."""
    rows = generator.standard_normal((most, n)).astype(np.float32)
    known: dict[int, str] = {}

    def verdict(m: int) -> str:
        if m not in known:
            layer = Layer(DyadicMatrix.from_floats(rows[:m]), DyadicMatrix.from_floats(np.zeros((m, 1))), np.ones(m, dtype=bool))
            known[m] = decide_layer(layer, AllSpace(), deadline=time.monotonic() + seconds).verdict
        return known[m]

    proved = bisect(2 * n - 1, most + 1, lambda m: verdict(m) == "injective")[1]
    refuted = bisect(2 * n - 1, proved, lambda m: verdict(m) != "not-injective")[0]
    return Draw(refuted, proved if proved <= most else None)


def bisect(low: int, high: int, holds: Callable[[int], bool]) -> tuple[int, int]:
    """Neighbours at which a statement does not hold and holds; at `low` it does not, at `high` it does, untested."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return low, high


def bounds(draws: Sequence[Draw], m: int) -> tuple[float, float]:
    """The share of draws that are injective with m rows, and the share that may be."""
    proved = sum(draw.proved is not None and draw.proved <= m for draw in draws)
    possible = sum(draw.refuted < m for draw in draws)
    return proved / len(draws), possible / len(draws)


def picture(found: dict[int, list[Draw]], most_ratio: float, path: Path) -> None:
    """Draw the figure; equal draws give equal bytes with one version of matplotlib."""
    plt.switch_backend("svg")
    with mpl.rc_context({"svg.hashsalt": "exactrelu", "svg.fonttype": "none", "font.size": 9, "path.simplify": True}):
        figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
        colours = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(found)))
        for colour, (n, draws) in zip(colours, found.items(), strict=True):
            counts = np.arange(2 * n - 1, int(most_ratio * n) + 1)
            low, high = np.array([bounds(draws, int(m)) for m in counts]).T
            axes.fill_between(counts / n, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(counts / n, np.where(high > low, high, np.nan), color=colour, linewidth=0.8, linestyle=":")
            axes.plot(counts / n, low, color=colour, linewidth=1.4, label=f"n = {n} ({len(draws)})")
        for threshold in THRESHOLDS:
            axes.axvline(threshold, color="0.35", linewidth=1, linestyle="--")
            axes.annotate(f"{threshold}", (threshold, 1.02), ha="center", va="bottom", color="0.35", annotation_clip=False)
        axes.set(xlim=(2, most_ratio), ylim=(-0.01, 1.01), xlabel="outputs an input, m/n", ylabel="share of layers proved injective")
        figure.legend(frameon=False, title="inputs (draws)", loc="outside right center")
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description="the probability that a Gaussian layer is injective on R^n, against m/n")
    parser.add_argument("--n", type=int, nargs="+", default=list(range(2, 13)), help="numbers of inputs")
    parser.add_argument("--ratios", type=float, default=12.0, help="the largest m/n")
    parser.add_argument("--draws", type=int, nargs="+", default=[20], help="draws for each n; the last number serves those that follow")
    parser.add_argument("--seconds", type=float, default=2.0, help="time limit of a decision")
    parser.add_argument("--out", type=Path, default=Path("injectivity_probability.svg"))
    given = parser.parse_args()
    if min(given.n) < 1 or min(given.draws) < 1 or given.ratios < 2:
        parser.error("--n and --draws must be at least 1, --ratios at least 2")
    found: dict[int, list[Draw]] = {}
    for n, draws in zip_longest(given.n, given.draws[: len(given.n)], fillvalue=given.draws[-1]):
        begin = time.perf_counter()
        found[n] = [rows_needed(n, int(given.ratios * n), np.random.default_rng([n, k]), given.seconds) for k in range(draws)]
        sure = Counter(draw.proved is not None and draw.proved == draw.refuted + 1 for draw in found[n])
        middle = sorted(draw.refuted + 1 for draw in found[n])[draws // 2] / n
        print(
            f"n = {n:2}: half of {draws} need m/n >= {middle:.2f}; {sure[True]} known exactly, {time.perf_counter() - begin:.0f} s",
            flush=True,
        )
    picture(found, given.ratios, given.out)
    print(given.out)


if __name__ == "__main__":
    main()
