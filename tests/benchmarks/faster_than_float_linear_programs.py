"""Claim: deciding the pre-image of layer 1 with proof is at least 30 times faster than HiGHS deciding it in floats.

For each image both answer "bounded or unbounded?"; HiGHS maximises s over A_P d = 0, A_Z d + s |a| <= 0, |d| <= 1, and a
positive optimum means a ray. It proves nothing. Usage: python tests/benchmarks/faster_than_float_linear_programs.py [IMAGES]
"""

from __future__ import annotations

import statistics
import sys
import time

import common
import numpy as np


def float_answer(weight: np.ndarray, active: np.ndarray) -> str:
    """HiGHS's float answer for one activation pattern."""
    import highspy

    rows, columns = weight.shape
    scaled = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    matrix = np.hstack([scaled, (~active).astype(float)[:, None]])
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = columns + 1, rows
    program.col_cost_ = np.r_[np.zeros(columns), -1.0]
    program.col_lower_, program.col_upper_ = np.r_[np.full(columns, -1.0), 0.0], np.ones(columns + 1)
    program.row_lower_ = np.where(active, 0.0, -highspy.kHighsInf)
    program.row_upper_ = np.zeros(rows)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    counts = (matrix != 0).sum(axis=1)
    program.a_matrix_.start_ = np.r_[0, np.cumsum(counts)]
    program.a_matrix_.index_ = np.nonzero(matrix)[1]
    program.a_matrix_.value_ = matrix[matrix != 0]
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(program)
    solver.run()
    return "unbounded" if solver.getSolution().col_value[-1] > 1e-7 else "bounded"


def main() -> None:
    common.require_shared()
    from exactrelu import AllSpace, LayerPreimage, load

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    network = load(common.NETWORK)
    begin = time.perf_counter()
    prepared = LayerPreimage(network.layers[0], AllSpace())
    points = common.images(count)
    prepared.of_point(points[0])
    first = time.perf_counter() - begin
    rows, ratios = [], []
    for index, point in enumerate(points):
        begin = time.perf_counter()
        found = prepared.of_point(point)
        ours = time.perf_counter() - begin
        if found.cardinality.value == "singleton":
            continue
        active = network.layers[0].active(point)
        begin = time.perf_counter()
        answer = float_answer(network.layers[0].weight.floats, active)
        theirs = time.perf_counter() - begin
        ratios.append(theirs / ours)
        rows.append([index, found.cardinality.value, f"{ours:.3f}", answer, f"{theirs:.2f}", f"{theirs / ours:.0f}"])
    common.show(
        f"layer 1, 3500 x 784, on R^n (set-up and first image {first:.2f} s); median ratio {statistics.median(ratios):.0f}",
        ["image", "proved", "seconds", "HiGHS", "HiGHS seconds", "ratio"],
        rows,
    )


if __name__ == "__main__":
    main()
