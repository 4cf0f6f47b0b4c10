"""Expansions made to overwhelm a checker: it answers without a traceback, counts all that it does, and limits come before memory."""

from __future__ import annotations

import time
import tracemalloc
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from samples import HALF, certificate, header, network, verdict
from test_three_checkers import ask, proved, write

import exactrelu.checker.definite
import exactrelu.checker.expansion
import exactrelu.checker.tree
import exactrelu.fast_checker.definite
from exactrelu.check import check
from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.definite import plus_square
from exactrelu.fast_checker import FastKernels
from exactrelu.fast_checker.definite import all_definite

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from test_three_checkers import Ask

    from exactrelu.checker.claim import Point
    from exactrelu.checker.network import Layer

# fixtures
__all__ = ["ask", "proved"]

CHECKERS = (Kernels(), FastKernels())
# bits of the longest numbers that a claim or a row may hold
LONGEST = 2**18
TAKEN_ON = "section 4.11: pivots that may have more than 131072 bits are more than a checker takes on"


def pack_of(n: int, sizes: Sequence[int], least: int) -> tuple[str, str]:
    """A layer of sum(sizes) rows (2, 1, .., 1) on a box on which all are positive, and one pack of groups of these sizes."""
    rows: list[list[Fraction | int | float]] = [[32, 2, *[1] * (n - 1)] for _ in range(sum(sizes))]
    text = network(n, ("all", rows))
    zeros, ones = " ".join("0" * n), " ".join("1" * n)
    box = f"box|lower 1 {zeros}|upper 1 {ones}"
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    groups = [[f"{j:x} 1" for j in range(begin, begin + size)] for begin, size in zip(starts, sizes, strict=True)]
    dependencies = [" ".join([f"dependency {len(group):x}", *group]) for group in groups]
    pack = f"pack {len(sizes):x} " + " ".join(f"{d:x}" for d in range(len(sizes)))
    lines = [*header(box, "layer"), f"claim expansion 1 {least:x}", *dependencies, "certain 0", "tree 0", pack]
    return text, certificate(text, *lines)


def test_a_pack_of_very_many_groups_of_one_row_is_judged_alike(proved: Path, tmp_path: Path, ask: Ask) -> None:
    """1500 rows (2) have squares that sum to 6000: valid at that bound, and not above; with a group of two rows among them too."""
    texts = {}
    for name, sizes in (("one", [1] * 1500), ("two", [1] * 700 + [2] + [1] * 799)):
        for above in (0, 1):
            texts[f"{name}-{above}"] = pack_of(1, sizes, 4 * 1500 + above)
    write(tmp_path, texts)
    integers, floats, program = (ask(checker, tmp_path) for checker in (*CHECKERS, proved))
    assert integers == floats
    assert integers.claims == program.claims
    assert [claim is not None for _, claim in sorted(integers.claims.items())] == [True, False, True, False]


@pytest.mark.parametrize("n", [1, 2, 3, 8])
@pytest.mark.parametrize("sizes", [[1, 1, 1, 1], [2, 3, 1], [1, 3, 2], [5, 1, 2, 1], [2, 2, 2, 2, 2]])
def test_the_steps_counted_are_no_fewer_than_those_made(n: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A row added to a matrix of k columns is a step of 1 + k^2 / 8, in packs too; and the order of a pack's groups costs nothing."""
    made = 0

    def counted(matrix: list[list[int]], factor: int, row: Sequence[int]) -> list[list[int]]:
        nonlocal made
        made += 1 + len(row) ** 2 // 8
        return plus_square(matrix, factor, row)

    monkeypatch.setattr(exactrelu.checker.definite, "plus_square", counted)
    monkeypatch.setattr(exactrelu.checker.expansion, "plus_square", counted)
    steps = []
    for order in (sizes, sizes[::-1]):
        made = 0
        text, claim = pack_of(n, order, 1)
        verdict(text, claim, CHECKERS[0])
        additions = made
        least, most = 0, 2**20
        while least < most:
            middle = (least + most) // 2
            monkeypatch.setattr(exactrelu.checker.tree, "TREE_STEPS", middle)
            least, most = (middle + 1, most) if "steps" in verdict(text, claim, CHECKERS[0])[1] else (least, middle)
        monkeypatch.setattr(exactrelu.checker.tree, "TREE_STEPS", 2**30)
        assert least > additions > 0
        steps.append(least)
    assert steps[0] == steps[1]


def test_groups_of_one_row_are_added_once_and_not_for_every_choice() -> None:
    """2^12 choices of rows and 200 without a choice: in the other order it took as many additions as their product."""
    for kernels in CHECKERS:
        for sizes in ([2] * 12 + [1] * 200, [1] * 200 + [2] * 12):
            started = time.process_time()
            assert verdict(*pack_of(1, sizes, 4 * 212), kernels)[0]
            assert time.process_time() - started < 2


@pytest.mark.parametrize("kernels", CHECKERS)
@pytest.mark.parametrize("relu", ["none", "all"])
@pytest.mark.parametrize("numbers", ["{long} 1", "1 {long}", "{long} {other}"])
def test_limits_come_before_matrices(kernels: Kernels, numbers: str, relu: str) -> None:
    """q of 2^18 bits, 256 columns: W_A^T W_A - q I would take up to 10^9 bytes. With no row in A too."""
    n = 256
    text = network(n, (relu, [[0, *[1 + (j + k) % 3 for j in range(n)]] for k in range(8)]))
    long, other = "1" * (LONGEST // 4), "1" * (LONGEST // 4 - 1) + "2"
    claim = certificate(text, *header(subject="layer"), f"claim expansion {numbers.format(long=long, other=other)}", "certain 0", "tree 0")
    assert at_once(text, claim, kernels) == (False, TAKEN_ON)


@pytest.mark.parametrize("kernels", CHECKERS)
def test_rows_of_long_numbers_are_rejected_before_they_are_squared(kernels: Kernels) -> None:
    """Numbers of 2^17 bits whose squares would be 2^13 numbers of 2^18 bits."""
    n = 128
    text = network(n, ("none", [[0, *[2 ** (LONGEST // 2) + j for j in range(n)]]]))
    claim = certificate(text, *header(subject="layer"), "claim expansion 1 1", "certain 0", "tree 0")
    assert at_once(text, claim, kernels) == (False, TAKEN_ON)


@pytest.mark.parametrize("exponent", [-8000, -1070, 0, 1000, 8000])
def test_a_power_of_two_that_all_rows_share_costs_nothing(exponent: int, proved: Path, tmp_path: Path, ask: Ask) -> None:
    """3 * 2^k * I: q = 9 * 4^k is the most, whatever k is."""
    n = 40
    rows = [f"row {exponent:x} 0 " + " ".join("3" if j == k else "0" for j in range(n)) for k in range(n)]
    text = "\n".join(["exactrelu-network 1", "convention exact-1", f"input {n:x}", f"layer {n:x} {n:x} none", *rows, "end"]) + "\n"
    texts = {}
    for name, unit in (("most", 2**20), ("more", 2**20 + 1)):
        q = Fraction(9 * unit, 2**20) * Fraction(4) ** exponent
        claim = f"claim expansion {q.denominator:x} {q.numerator:x}"
        texts[name] = text, certificate(text, *header(subject="layer"), claim, "certain 0", "tree 0")
    write(tmp_path, texts)
    for checker in (*CHECKERS, proved):
        claims = ask(checker, tmp_path).claims
        assert claims["more"] is None and claims["most"] is not None


def at_once(text: str, claim: str, kernels: Kernels) -> tuple[bool, str]:
    """The verdict, within seconds and little memory."""
    started = time.process_time()
    tracemalloc.start()
    try:
        judged = verdict(text, claim, kernels)
        assert tracemalloc.get_traced_memory()[1] < 2**27
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < 5
    return judged


def test_floats_work_on_so_many_matrices_at_once_as_fit_in_little_memory() -> None:
    n, pairs = 64, 13
    matrix = [[1000, *[0] * (n - 1 - i)] for i in range(n)]
    groups = [[[int(j == k) for j in range(n)], [int(j == k + 20) for j in range(n)]] for k in range(pairs)]
    tracemalloc.start()
    try:
        assert all_definite(matrix, groups, 1)
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


def test_every_choice_is_looked_at_whatever_the_size_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one choice of 3^4 is bad: the diagonal entries of the others are larger."""
    seen = 0
    factorises = exactrelu.fast_checker.definite._factorises

    def spied(base: NDArray[Any], scale: float, parts: list[NDArray[Any]], which: NDArray[Any]) -> bool:
        nonlocal seen
        seen += len(which)
        return factorises(base, scale, parts, which)

    monkeypatch.setattr(exactrelu.fast_checker.definite, "_factorises", spied)
    for entries in (1, 10, 2**19):
        monkeypatch.setattr(exactrelu.fast_checker.definite, "ENTRIES", entries)
        seen = 0
        assert all_definite([[-3]], [[[1], [2], [3]]] * 4, 1)
        assert seen == 81
        for bad in range(3):
            groups = [[[0 if k == bad else 1] for k in range(3)]] * 4
            assert not all_definite([[-3]], groups, 1)
            assert all_definite([[-3]], [*groups, [[2]]], 1)


class Failing(Kernels):
    """Arithmetic that fails as a machine does."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error

    def evaluate(self, layer: Layer, x: Point, *, constants: bool = True) -> Point:
        raise self._error


@pytest.mark.parametrize(
    ("error", "said"), [(RecursionError, "too deep for this checker"), (MemoryError, "too large for this checker's memory")]
)
def test_what_this_machine_cannot_do_is_said_of_the_certificate(error: type[Exception], said: str, tmp_path: Path) -> None:
    text = certificate(HALF, *header(), "point 1 0 0", "claim preimage infinite 2 0 0")
    write(tmp_path, {"one": (HALF, text)})
    report = check([tmp_path], kernels=Failing(error))
    (result,) = report.results
    assert (report.exit_code, result.valid, result.reason) == (1, False, said)
