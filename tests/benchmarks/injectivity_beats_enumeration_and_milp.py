"""Claim: an injectivity proof for a Gaussian layer takes a hundredth of the time of enumerating cells, and less than a float MILP.

Peers, in floats by HiGHS and without a proof. "All cells" finds the cells of the rows' hyperplanes sign by sign, with a linear program for
each sign that no point seen decides, and then the rank of each cell's active rows. "Pruned" does not divide cells whose active rows have
rank n already. "MILP" looks for a point at which fewer than n rows are active. No bias, m x n rows of float32; seconds of processor
time; a peer gets LIMIT seconds a layer, and is not asked again once it did not finish.

Usage: python tests/benchmarks/injectivity_beats_enumeration_and_milp.py [LIMIT]
"""

from __future__ import annotations

import sys
import time

import common
import numpy as np

SIZES = ((3, 18), (4, 24), (4, 32), (5, 40), (6, 48), (8, 64), (9, 72))
# In floats a cell less deep counts as empty; the MILP needs more room, since its solver takes 1e-6 for zero.
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
    """z_j = 0 forces a_j x <= -MARGIN; is there an x in [-1, 1]^n with fewer than n of the z_j = 1?"""
    from scipy.optimize import Bounds, LinearConstraint, milp

    m, n = weights.shape
    scaled = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    largest = np.abs(scaled).sum(axis=1) + MARGIN
    negative = LinearConstraint(np.hstack([scaled, -np.diag(largest)]), ub=np.full(m, -MARGIN))
    few = LinearConstraint(np.r_[np.zeros(n), np.ones(m)].reshape(1, -1), ub=n - 1)
    found = milp(
        np.zeros(n + m),
        integrality=np.r_[np.zeros(n), np.ones(m)],
        bounds=Bounds(np.r_[np.full(n, -1.0), np.zeros(m)], np.ones(n + m)),
        constraints=[negative, few],
        options={"time_limit": max(0.0, deadline - time.process_time()), "presolve": True},
    )
    return {0: "not-injective", 2: "injective"}.get(found.status, "no answer")


def timed(decide, *arguments, **options) -> tuple[str, float]:
    begin = time.process_time()
    return decide(*arguments, **options), time.process_time() - begin


def main() -> None:
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    peers = (("all cells", by_cells, {}), ("pruned", by_cells, {"prune": True}), ("MILP", by_milp, {}))
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
                answer, seconds = timed(decide, weights, time.process_time() + limit, **options)
                if answer == "no answer":
                    beaten.add(name)
                remark = {verdict: "", "no answer": " unfinished"}.get(answer, f" {answer}!")
                row += [f"{seconds:.2f}{remark}", f"{seconds / own:.0f}"]
            rows.append(row)
    header = ["layer", "proved", "seconds", *(part for name, _, _ in peers for part in (name, "ratio"))]
    common.show("injectivity of a Gaussian layer on R^n", header, rows)


if __name__ == "__main__":
    main()
