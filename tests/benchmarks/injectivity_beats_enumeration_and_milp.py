"""Claim: an injectivity proof for a Gaussian layer takes a hundredth of the time of enumerating cells or of a float MILP.

Where a peer takes less than half a second itself, what a proof spends on getting started, 2 to 5 ms, shows.

Peers, in floats by HiGHS and without a proof. "All cells" finds the cells of the rows' hyperplanes sign by sign, with a linear program for
each sign that no point seen decides, and then the rank of each cell's active rows. "Pruned" does not divide cells whose active rows have
rank n already. "MILP" looks for a point and a difference that all rows active there take to 0, which is the question itself (I2).
"Counts" is a MILP for less: a point at which fewer than n rows are active, which decides layers with rows in general position alone.
No bias, m x n rows of float32; seconds of processor time, the least of up to five runs; a peer gets LIMIT seconds a layer, and is not
asked again once it did not finish.

Usage: python tests/benchmarks/injectivity_beats_enumeration_and_milp.py [LIMIT]
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import common
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = ((3, 18), (4, 24), (4, 32), (5, 40), (6, 48), (8, 64), (9, 72))
# In floats a cell less deep counts as empty; the MILPs need more room, since their solver takes 1e-6 for zero.
DEPTH, MARGIN = 1e-7, 1e-4


def ours(weights: np.ndarray) -> str:
    from exactrelu import AllSpace, DyadicMatrix, Layer
    from exactrelu.injectivity.layer import decide_layer

    biases = DyadicMatrix.from_floats(np.zeros((len(weights), 1)))
    return decide_layer(Layer(DyadicMatrix.from_floats(weights), biases, np.ones(len(weights), dtype=bool)), AllSpace()).verdict


class SignCells:
    """A linear program over x in [-1, 1]^n that goes on from its last basis: which signs of the rows (m, n) occur together?"""

    def __init__(self, rows: np.ndarray) -> None:
        import highspy

        self.m, self.n = rows.shape
        self.infinity = highspy.kHighsInf
        self.program = highspy.Highs()
        for option, value in (("output_flag", False), ("presolve", "off"), ("solver", "simplex"), ("threads", 1)):
            self.program.setOptionValue(option, value)
        self.program.addVars(self.n + 1, np.full(self.n + 1, -1.0), np.ones(self.n + 1))
        self.program.changeColCost(self.n, -1.0)
        self.lower = np.full(2 * self.m, -self.infinity)
        # Row 2j: a_j x - t >= 0, row 2j + 1: -a_j x - t >= 0; which of them count is set by their bounds.
        for row in np.repeat(rows, 2, axis=0) * np.tile([1.0, -1.0], self.m)[:, None]:
            self.program.addRow(-self.infinity, self.infinity, self.n + 1, np.arange(self.n + 1, dtype=np.int32), np.append(row, -1.0))

    def point(self, signs: list[int]) -> np.ndarray | None:
        """A point at which the first rows have these signs."""
        lower = np.full(2 * self.m, -self.infinity)
        lower[2 * np.arange(len(signs)) + (np.array(signs) < 0)] = 0.0
        changed = np.flatnonzero(lower != self.lower).astype(np.int32)
        self.lower = lower
        self.program.changeRowsBounds(len(changed), changed, lower[changed], np.full(len(changed), self.infinity))
        self.program.run()
        values = np.array(self.program.getSolution().col_value)
        return values[: self.n] if values[self.n] > DEPTH else None


def by_cells(weights: np.ndarray, deadline: float, *, prune: bool = False) -> str:
    """Depth first over the signs of the rows."""
    m, n = weights.shape
    scaled = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    cells = SignCells(scaled)
    waiting: list[tuple[list[int], np.ndarray]] = [([], np.zeros(n))]
    while waiting:
        if time.process_time() > deadline:
            return "no answer"
        signs, point = waiting.pop()
        last = len(signs) == m
        active = scaled[: len(signs)][np.array(signs, dtype=int) > 0]
        if (last or prune) and len(active) >= n and np.linalg.matrix_rank(active) == n:
            continue
        if last:
            return "not-injective"
        value = scaled[len(signs)] @ point
        for longer, seen in (([*signs, 1], value > DEPTH), ([*signs, -1], value < -DEPTH)):
            found = point if seen else cells.point(longer)
            if found is not None:
                waiting.append((longer, found))
    return "injective"


def by_milp(weights: np.ndarray, deadline: float) -> str:
    """z_j = 0 forces a_j x <= -MARGIN, z_j = 1 forces a_j d = 0; is there such an x in [-1, 1]^n and a d, 1 in one coordinate?"""
    m, n = weights.shape
    scaled = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    largest = np.abs(scaled).sum(axis=1)
    # The variables x, d, z, and which coordinate of d is 1.
    blocks = [
        [scaled, np.zeros((m, n)), -np.diag(largest + MARGIN), np.zeros((m, n))],
        [np.zeros((m, n)), scaled, np.diag(largest), np.zeros((m, n))],
        [np.zeros((m, n)), -scaled, np.diag(largest), np.zeros((m, n))],
        [np.zeros((n, n)), -np.eye(n), np.zeros((n, m)), 2 * np.eye(n)],
        [np.zeros((1, 2 * n + m)), -np.ones((1, n))],
    ]
    upper = np.concatenate([np.full(m, -MARGIN), largest, largest, np.ones(n), [-1.0]])
    lowest = np.r_[np.full(2 * n, -1.0), np.zeros(m + n)]
    return milp_verdict(np.vstack([np.hstack(row) for row in blocks]), upper, lowest, np.ones(3 * n + m), 2 * n, deadline)


def by_counts(weights: np.ndarray, deadline: float) -> str:
    """z_j = 0 forces a_j x <= -MARGIN; is there an x in [-1, 1]^n with fewer than n of the z_j = 1?"""
    m, n = weights.shape
    scaled = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    largest = np.abs(scaled).sum(axis=1) + MARGIN
    rows = np.vstack([np.hstack([scaled, -np.diag(largest)]), np.r_[np.zeros(n), np.ones(m)]])
    return milp_verdict(rows, np.r_[np.full(m, -MARGIN), n - 1], np.r_[np.full(n, -1.0), np.zeros(m)], np.ones(n + m), n, deadline)


def milp_verdict(rows: np.ndarray, upper: np.ndarray, lowest: np.ndarray, highest: np.ndarray, continuous: int, deadline: float) -> str:
    """A collision is a solution of rows v <= upper within bounds, all variables but the first ones, `continuous` of them, integral."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    integrality = np.ones(len(lowest))
    integrality[:continuous] = 0
    options = {"time_limit": max(0.0, deadline - time.process_time())}
    found = milp(
        np.zeros(len(lowest)),
        integrality=integrality,
        bounds=Bounds(lowest, highest),
        constraints=LinearConstraint(rows, ub=upper),
        options=options,
    )
    return {0: "not-injective", 2: "injective"}.get(found.status, "no answer")


def timed(decide: Callable[..., str], *arguments: object, limit: float | None = None, **options: bool) -> tuple[str, float]:
    """The answer, and the least processor time of up to five runs, which are repeated until a second has passed."""
    seconds: list[float] = []
    while len(seconds) < 5 and sum(seconds) < 1:
        begin = time.process_time()
        answer = decide(*arguments, *([] if limit is None else [begin + limit]), **options)
        seconds.append(time.process_time() - begin)
    return answer, min(seconds)


def main() -> None:
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    peers = (("all cells", by_cells, {}), ("pruned", by_cells, {"prune": True}), ("MILP", by_milp, {}), ("counts", by_counts, {}))
    beaten: set[str] = set()
    rows = []
    ours(np.random.default_rng(0).standard_normal((6, 3)))
    for n, m in SIZES:
        for seed in range(2):
            weights = np.random.default_rng(seed).standard_normal((m, n)).astype(np.float32).astype(float)
            verdict, own = timed(ours, weights)
            row = [f"{m} x {n}", verdict, f"{own:.3f}"]
            for name, decide, options in peers:
                # A peer that ran out of time is not asked about larger layers.
                if name in beaten:
                    row += ["", ""]
                    continue
                answer, seconds = timed(decide, weights, limit=limit, **options)
                if answer == "no answer":
                    beaten.add(name)
                remark = {verdict: "", "no answer": " unfinished"}.get(answer, f" {answer}!")
                row += [f"{seconds:.2f}{remark}", f"{seconds / own:.0f}"]
            rows.append(row)
    header = ["layer", "proved", "seconds", *(part for name, _, _ in peers for part in (name, "ratio"))]
    common.show("injectivity of a Gaussian layer on R^n", header, rows)


if __name__ == "__main__":
    main()
