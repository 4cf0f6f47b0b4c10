"""Attacks that fooled earlier checkers, and hostile files: each is rejected (or true), in bounded time, without a traceback.

The false claims come from float checkers that lost a slack to underflow, int64 input above 2^53, flush-to-zero, negative
indices, and parsers that took a denominator 0, a wrong width, trailing garbage or Python's own spellings of integers.
"""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from samples import PRIME, SAMPLES, STRIP, TRIANGLE, certificate, header, network, verdict
from truth import truth

from exactrelu.check import check
from exactrelu.checker.arithmetic import Kernels
from exactrelu.fast_checker import FastKernels

if TYPE_CHECKING:
    from pathlib import Path

CHECKERS = [Kernels(), FastKernels()]
Number = Fraction | int | float


def rejected(network_text: str, certificate_text: str) -> list[str]:
    reasons = []
    for kernels in CHECKERS:
        valid, reason = verdict(network_text, certificate_text, kernels)
        assert not valid, certificate_text
        assert reason.startswith("section ")
        reasons.append(reason)
    return reasons


def cone_network(rows: list[list[Number]]) -> str:
    """At x = 0 every row is tight, so that the tight system's cone is {d : rows . d <= 0}."""
    return network(len(rows[0]), ("all", [[0, *row] for row in rows]))


def cone_claim(rows: list[list[Number]], evidence: str) -> tuple[str, str]:
    text = cone_network(rows)
    zeros = " ".join(["0"] * len(rows[0]))
    return text, certificate(text, *header(), f"point 1 {zeros}", "claim preimage singleton 0 0 0", "rank 0 2 0 0 rows", evidence)


T = Fraction(1, 2**999)
X = 3 * 2**59
UNIT = Fraction(1, 2**1060)


@pytest.mark.parametrize(
    ("rows", "evidence"),
    [
        # a slack that underflows in float64; the cone holds (0, -1)
        ([[1, T], [-1, T / 2], [2.0**-60, 0], [-(2.0**-60), 0], [2.0**-120, 0], [-(2.0**-120), 0]], "trivial margin 3 0 1 1 1 1 1 1"),
        # integers above 2^53
        ([[X + 127, X - 127], [-X + 127, -X + 129], [0, -1]], "trivial margin 5 0 1 1 100"),
        # entries that flush to zero
        ([[1, UNIT], [-1, UNIT / 2]], "trivial margin 3 0 1 1"),
        # a row that can only be found with a negative index; a row set that is no set; too few rows; one row twice
        ([[-1, 2.0**-50], [0, 1]], "trivial margin -1 0 a 1"),
        ([[1, 0], [0, 1], [-1, -1]], "trivial margin True 0 1 1 1"),
        ([[1, 0], [0, 1], [-1, -1]], "trivial margin 1 0 1 1 1"),
        ([[1, 0], [-1, 0]], "trivial margin 3 0 1 1"),
        ([[1, 0], [-1, 0]], "trivial margin 1 0 1 1"),
        # not a number, infinite, negative, a float
        ([[1, 0], [0, 1], [-1, -1]], "trivial margin 3 0 1 1 nan"),
        ([[1, 0], [0, 1], [-1, -1]], "trivial margin 3 0 1 1 inf"),
        ([[1, 0], [0, 1], [-1, -1], [1, 0]], "trivial margin 3 0 2 1 1 -1"),
        ([[1, 0], [0, 1], [-1, -1]], "trivial margin 3 0 1 1 1.0"),
        ([[1, 0], [0, 1], [-1, -1]], "trivial margin 3 -1 1 1 1"),
        ([[1, 0], [0, 1], [-1, -1]], "trivial margin 3 2001 1 1 1"),
    ],
)
def test_false_or_malformed_margins(rows: list[list[Number]], evidence: str) -> None:
    rejected(*cone_claim(rows, evidence))


def test_the_true_margin_beside_them_is_accepted() -> None:
    texts = cone_claim([[1, 0], [0, 1], [-1, -1]], "trivial margin 3 0 1 1 1")
    assert all(verdict(*texts, kernels)[0] for kernels in CHECKERS) and truth(*texts)


def test_a_ray_whose_slack_drops_below_rounding() -> None:
    """No strict ray exists (Gordan), although all products with d are negative up to a float's rounding."""
    u = 2**36
    x, h = 3 * 2**59, 127 * u // 256
    rows: list[list[Number]] = [
        [-(2**180), 0, 0, 0],
        [0, -(2**120), 0, 0],
        [0, 0, x - 2 * h, x + 2 * h],
        [0, 0, 2 * h - 2 * x, -2 * x - u],
        [0, 0, 0, -x],
    ]
    text = cone_network(rows)
    d = [2**60, 2**60, -(2**60), 2**60 - 100]
    body = [*header(), "point 1 0 0 0 0", "claim preimage infinite 4 0 0", "rank 0 2 0 0 rows", "tight 0"]
    for kind in ("margin", "exact"):
        forged = certificate(text, *body, f"ray {kind} 0 " + " ".join(format(v, "x") for v in d))
        for kernels in CHECKERS:
            if verdict(text, forged, kernels)[0]:
                assert truth(text, forged)


@pytest.mark.parametrize("ray", ["ray margin 0 0 0", "ray exact 0 0 0", "ray margin -3c 0 1", "ray exact 0 0 1"])
def test_full_rank_has_no_ray(ray: str) -> None:
    identity = network(2, ("all", [[0, 1, 0], [0, 0, 1]]))
    for claim in ("unbounded 1 2 2", "unbounded 0 2 2", "infinite 1 1 2"):
        rejected(identity, certificate(identity, *header(), "point 1 1 1", f"claim preimage {claim}", f"rank 2 {PRIME} 3 3 rows", ray))


def test_nearly_dependent_rows_give_no_ray() -> None:
    """[1 1] and [1 1 + 2^-200] have rank 2: the ray along their almost common kernel is false."""
    near = network(2, ("all", [[0, 1, 1], [0, 1, 1 + Fraction(1, 2**200)]]))
    for bound in ("relations", "rows", "columns"):
        rejected(
            near,
            certificate(
                near,
                *header(),
                "point 1 1 1",
                "claim preimage unbounded 1 1 2",
                f"rank 1 {PRIME} 1 1 {bound}",
                "relation 1 1 0 1",
                "ray margin 0 1 -1",
            ),
        )
    rejected(
        near,
        certificate(
            near, *header(), "point 1 1 1", "claim preimage unbounded 1 1 2", f"rank 1 {PRIME} 1 1 null", "null 1 -1", "ray margin 0 1 -1"
        ),
    )


def test_a_weak_ray_is_no_strict_one_and_a_recession_direction_stays_inside() -> None:
    rejected(
        STRIP,
        certificate(STRIP, *header(), "point 1 0 7", "claim preimage infinite 2 0 0", "rank 0 2 0 0 rows", "tight 0", "ray exact 0 0 1"),
    )
    body = [*header(), "point 1 2 -1", "claim preimage unbounded 1 1 1", f"rank 1 {PRIME} 1 1 columns"]
    for direction in ("0 1", "0 -1", "1 0"):
        rejected(TRIANGLE, certificate(TRIANGLE, *body, f"recession 1 {direction}"))


BASE = SAMPLES[0].text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("point 1 1 1", "point 0 1 5"),
        ("point 1 1 1", "point 1 1"),
        ("point 1 1 1", "point 1 1 1 0"),
        ("point 1 1 1", "point 1 1_0 0x1"),
        ("point 1 1 1", "point 1 +1 1"),
        ("point 1 1 1", "point 1 1 -0"),
        ("point 1 1 1", "point 1 -0b1 1"),
        ("point 1 1 1", "point 1 01 1"),
        ("point 1 1 1", "point 1 A 1"),
        ("point 1 1 1", "point -1 -1 -1"),
        ("point 1 1 1", "point 1 \u0661 1"),
        ("point 1 1 1", "point 1 1\x0b1 1"),
        ("point 1 1 1", "point 1 1\x00 1"),
        ("\nend\n", "\nend\n1 1 garbage trailing -999\n"),
        ("\nend\n", " garbage\nend\n"),
        ("\nend\n", "\nend"),
        ("scope layer 1", "scope layer 2"),
        ("scope layer 1", "scope layer 0"),
        ("scope layer 1", "scope layer -1"),
        ("exactrelu-certificate 1", "exactrelu-certificate 2"),
        ("data none", "data none none"),
        ("data none", "data " + "0" * 64 + " 0 1 0"),
        ("domain all", "domain ball 1"),
        (f"rank 2 {PRIME}", "rank 2 1"),
        (f"rank 2 {PRIME} 3 3", f"rank 2 {PRIME} 7 3"),
        (f"rank 2 {PRIME} 3 3", f"rank 2 {PRIME} 3 7"),
        ("point 1 1 1", "point 1 1 " + "1" * (2**20 + 1)),
        (f"rank 2 {PRIME}", "rank 2 " + "1" * (2**16 + 1)),
        ("domain all", "domain polytope fffff"),
        ("domain all", "domain polytope 100001"),
        ("domain all", "domain polytope " + "f" * 65536),
    ],
)
def test_malformed_lines(old: str, new: str) -> None:
    """Also `t_d0`, `t_n`, `t_trail`, `t_us`: denominator 0, wrong width, trailing garbage, Python's spellings."""
    assert BASE.count(old) == 1
    text = BASE.replace(old, new)
    if not text.isascii():
        with pytest.raises(UnicodeEncodeError):
            text.encode("ascii")
    rejected(TRIANGLE, text)


def test_no_input_is_a_true_claim() -> None:
    empty = network(0, ("all", [[0], [0]]))
    texts = empty, certificate(empty, *header(), "point 1", "claim preimage singleton 0 0 0", "rank 0 2 0 0 rows")
    assert all(verdict(*texts, kernels)[0] for kernels in CHECKERS) and truth(*texts)


@pytest.mark.parametrize(
    "lines",
    [
        ["input 2", "layer 2 2 all", "row 0 0 1 0"],
        ["input 2", "layer 3 1 all", "row 0 0 1 0 0"],
        ["input 2", "layer 2 1 all", "row 0 0 1"],
        ["input 2", "layer 2 1 all", "row 0 0 2 4"],
        ["input 2", "layer 2 1 all", "row 1 0 0 0"],
        ["input 2", "layer 2 1 all", "row 2001 0 1 0"],
        ["input 2", "layer 2 1 all", "row " + "1" * 65536 + " 0 1 0"],
        ["input 2", "layer 2 1 mask 1", "row 0 0 1 0"],
        ["input 2", "layer 2 1 mask 0", "row 0 0 1 0"],
        ["input 2", "layer 2 1 mask 2", "row 0 0 1 0"],
        ["input 2", "layer 2 0 all"],
        ["input 2", "layer 2 fffff all"],
        ["input 100001", "layer 100001 0 none"],
        ["input fffffffffffffffffff"],
        ["input 2"],
    ],
)
def test_malformed_networks(lines: list[str]) -> None:
    text = "\n".join(["exactrelu-network 1", "convention exact-1", *lines, "end"]) + "\n"
    assert all(
        "section 2" in reason
        for reason in rejected(text, certificate(text, *header(), "point 1 1 1", "claim preimage empty", "negative 0"))
    )


def test_wide_rows_and_long_numbers_do_not_fill_the_memory() -> None:
    n = 200_000
    wide = network(n, ("all", [[0, *[1] * n]]))
    point = "point 1 " + " ".join(["0"] * n)
    head = [*header("orthant"), point, "claim preimage singleton 0 0 0", "rank 0 2 0 0 rows"]
    full = format(((1 << n) - 1) << 1, "x")
    assert all(verdict(wide, certificate(wide, *head, f"trivial margin {full} 0 1"), kernels)[0] for kernels in CHECKERS)
    long = "1" * 65536
    reasons = rejected(wide, certificate(wide, *head, f"trivial margin {full} 0 {long}"))
    assert all("more than a checker takes on" in reason for reason in reasons)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "n.network").write_text(STRIP)
    (tmp_path / "large.bin").write_bytes(b"\0" * 1000)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "link.certificate").symlink_to(tmp_path / "n.network")
    report = check([tmp_path])
    assert report.exit_code == 2 and report.ignored == (str(tmp_path / "large.bin"),)
    for name in ("pipe", "loop", "link.certificate", "absent", "nul\0"):
        report = check([tmp_path / name])
        assert report.exit_code == 2 and report.problems
    assert check(["/dev/zero"]).exit_code == 2


def test_a_line_without_end_is_read_up_to_its_limit(tmp_path: Path) -> None:
    with (tmp_path / "endless.certificate").open("wb") as stream:
        stream.write(b"exactrelu-certificate ")
        stream.truncate(2**30)
    report = check([tmp_path])
    assert report.exit_code != 0 and "longer" in (report.results[0].reason or "")


LONG = "7" + "5" * (2**20 - 1)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        # greatest common divisors of numbers of 2^22 bits, inverses modulo a number of 2^18 bits: minutes, from small files
        (["subject output", f"output {LONG} 3{LONG[1:]}", "claim preimage empty", f"farkas {LONG}"], "no contradiction"),
        (["subject output", f"output {LONG} 3{LONG[1:]}", "claim preimage empty", "empty margin 3 0 1"], "takes on"),
        (["subject input", "point 1 1", "claim preimage singleton 0 1 1", f"rank 1 {LONG[: 2**16]} 1 1 rows"], "takes on"),
    ],
)
def test_long_numbers_do_not_take_minutes(lines: list[str], reason: str) -> None:
    text = network(1, ("all", [[0, 1]]))
    forged = certificate(text, "data none", "scope layer 1", "domain all", *lines)
    assert all(reason in said for said in rejected(text, forged))


def test_a_wide_box_does_not_fill_the_memory() -> None:
    """The homogenised system writes out n^2 numbers for the bounds of a box."""
    n = 5000
    text = network(n, ("all", [[0, *[1] * n]]))
    box = f"box|lower 1{' 0' * n}|upper 1{' 1' * n}"
    weights = " ".join(["-1", *["0"] * (2 * n)])
    mask = (1 << n + 1) - 1
    forged = certificate(text, *header(box, "output"), "output 1 1", "claim preimage empty", f"empty margin {mask:x} 0 {weights}")
    assert all("takes on" in reason for reason in rejected(text, forged))


def test_a_short_network_of_many_zeros_does_not_fill_the_memory() -> None:
    """A row by its entries is short however wide the layer is; a block of 12000 such rows would be written out in more than 1 GiB."""
    n = 12000
    rows = [f"sparse 0 0 1 {j:x} 1" for j in range(n)]
    text = "\n".join(["exactrelu-network 2", "convention exact-1", f"input {n:x}", f"layer {n:x} {n:x} all", *rows, "end"]) + "\n"
    mask = f"{(1 << n) - 1:x}"
    ones, zeros = (f"point 1{digit * n}" for digit in (" 1", " 0"))
    for modulus in ("0", PRIME):
        evidence = [f"claim preimage singleton 0 {n:x} {n:x}", f"rank {n:x} {modulus} {mask} {mask} rows"]
        assert all("takes on" in reason for reason in rejected(text, certificate(text, *header(), ones, *evidence)))
    weights = " ".join(["1"] * n)
    margin = ["claim preimage singleton 0 0 0", "rank 0 2 0 0 rows", f"trivial margin {mask} 0 {weights}"]
    assert all("takes on" in reason for reason in rejected(text, certificate(text, *header(), zeros, *margin)))


def test_a_layer_of_very_many_zeros_is_judged() -> None:
    """2^14 x 2^18 zeros but for the first column: no step takes a number for every coefficient."""
    m, n = 2**14, 2**18
    rows = "sparse 0 0 1 0 1\n" * m
    text = f"exactrelu-network 2\nconvention exact-1\ninput {n:x}\nlayer {n:x} {m:x} all\n{rows}end\n"
    point = f"point 1 1{' 0' * (n - 1)}"
    ray = f"1 0 1{' 0' * (n - 2)}"
    layer = [*header(), point, f"claim preimage unbounded {n - 1:x} 1 {m:x}", f"rank 1 {PRIME} 1 1 columns", f"recession {ray}"]
    through = ["data none", "scope through 1", *header()[2:], point, f"claim preimage unbounded {m:x}", f"direction {ray}"]
    for lines in (layer, through):
        assert all(verdict(text, certificate(text, *lines), kernels)[0] for kernels in CHECKERS)
