"""`exactrelu.check`: files, folders, exit codes; and that the checker needs nothing but Python's standard library."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exactrelu.check import Report, check
from exactrelu.checker.arithmetic import Kernels, approximate_inverse, odd, pack, unpack
from exactrelu.checker.claim import Row
from exactrelu.checker.text import bits

module = sys.modules["exactrelu.check"]
NETWORK = "exactrelu-network 1\nconvention exact-1\ninput 2\nlayer 2 3 all\nrow 0 0 1 0\nrow 0 0 0 1\nrow 0 0 -1 -1\nend\n"
SHA256 = hashlib.sha256(NETWORK.encode()).hexdigest()
BODY = (
    "data none\nscope layer 1\ndomain all\nsubject input\npoint 1 1 1\nclaim preimage singleton 0 2 2\nrank 2 7fffffff 3 3 columns\nend\n"
)
VALID = f"exactrelu-certificate 1\nnetwork {SHA256}\n{BODY}"
FALSE = VALID.replace("point 1 1 1", "point 1 1 0")
CLAIM = "preimage of layer 1 (all): singleton, dimension 0, rank 2, 2 active"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.network").write_text(NETWORK)
    (tmp_path / "b.certificate").write_text(VALID)
    return tmp_path


def test_a_folder(folder: Path) -> None:
    (folder / "notes.txt").write_text("exact")
    (folder / "inside").mkdir()
    (folder / "inside" / "false.certificate").write_text(FALSE)
    report = check([folder])
    assert report.exit_code == 0
    assert [(r.file, r.valid, r.claim, r.reason) for r in report.results] == [(str(folder / "b.certificate"), True, CLAIM, None)]
    assert report.ignored == (str(folder / "notes.txt"),)


def test_a_file_finds_its_network_beside_it_or_among_the_paths(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert check([folder / "b.certificate"]).exit_code == 0
    alone = tmp_path_factory.mktemp("alone") / "c.certificate"
    alone.write_text(VALID)
    assert check([alone]).exit_code == 2
    assert check([alone, folder / "a.network"]).exit_code == 0


def test_exit_codes(folder: Path) -> None:
    (folder / "c.certificate").write_text(FALSE)
    report = check([folder])
    assert report.exit_code == 1 and [r.valid for r in report.results] == [True, False]
    assert "section 3.2" in (report.results[1].reason or "")
    (folder / "d.certificate").write_text(VALID.replace(SHA256, "0" * 64))
    assert check([folder]).exit_code == 2
    assert check([folder / "a.network"]).exit_code == 2
    assert check([]).exit_code == 2


def test_a_changed_network_is_a_problem_and_a_malformed_one_is_invalid(folder: Path) -> None:
    (folder / "a.network").write_text(NETWORK.replace("-1 -1", "-1 -3"))
    assert check([folder]).exit_code == 2
    bad = NETWORK.replace("row 0 0 1 0", "row 0 0 2 0")
    (folder / "a.network").write_text(bad)
    (folder / "b.certificate").write_text(VALID.replace(SHA256, hashlib.sha256(bad.encode()).hexdigest()))
    report = check([folder])
    assert report.exit_code == 1 and "section 2" in (report.results[0].reason or "")


def test_against_another_model(folder: Path) -> None:
    assert check([folder], against_sha256={SHA256, "0" * 64}).exit_code == 0
    report = check([folder], against_sha256={"0" * 64})
    assert report.exit_code == 2 and "not the one that the model gives" in report.problems[0]


def test_against_a_model_or_one_of_its_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network of a layer alone is the model's too; it is derived only for a certificate that names another than the whole."""
    np = pytest.importorskip("numpy")
    from exactrelu.checking import check_with
    from exactrelu.exact.rational import DyadicMatrix
    from exactrelu.network import exact_file, model

    layers = tuple(
        model.Layer(DyadicMatrix.from_floats([[1.0, 0.0], [0.0, factor]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
        for factor in (1.0, 3.0)
    )
    whole = model.Network(layers, tuple(model.SourceLayer(k + 1, f"layer {k}", (layer,), k) for k, layer in enumerate(layers)), (), (2,))
    asked = []
    original = exact_file.network_sha256
    monkeypatch.setattr(exact_file, "network_sha256", lambda network: asked.append(len(network.layers)) or original(network))
    for number, network in enumerate([whole, whole.alone(whole.layer(2))]):
        sha256 = exact_file.write_network(network, tmp_path / f"{number}.network")
        (tmp_path / f"{number}.certificate").write_text(VALID.replace(SHA256, sha256).replace("columns", "rows"))
    assert check_with(["stdlib"], [tmp_path / "0.certificate"], whole).exit_code == 0 and asked == [2]
    assert check_with(["stdlib"], [tmp_path], whole).exit_code == 0 and asked == [2, 2, 1, 1]
    other = model.Network(layers[:1], whole.source_layers[:1], (), (2,))
    report = check_with(["stdlib", "fast"], [tmp_path], other)
    assert report.exit_code == 2 and len(report.problems) == 2 and all(result.valid for result in report.results)


def test_a_broken_header_is_invalid(folder: Path) -> None:
    (folder / "b.certificate").write_text("exactrelu-certificate 1\n")
    report = check([folder])
    assert report.exit_code == 1 and not report.results[0].valid


def test_a_certificate_exchanged_after_its_network_was_chosen_is_not_valid(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = module._load

    def exchange(path: Path, sha256: str) -> object:
        network = load(path, sha256)
        other = NETWORK.replace("row 0 0 0 1", "row 0 0 1 1")
        changed = VALID.replace(SHA256, hashlib.sha256(other.encode()).hexdigest())
        (folder / "b.certificate").write_text(changed)
        return network

    monkeypatch.setattr(module, "_load", exchange)
    (result,) = check([folder]).results
    assert not result.valid and "changed" in (result.reason or "")


def test_a_network_is_parsed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "cdef":
        (folder / f"{name}.certificate").write_text(VALID)
    calls: list[object] = []
    original = module.read_network
    monkeypatch.setattr(module, "read_network", lambda stream: calls.append(stream) or original(stream))
    assert len(check([folder]).results) == 5 and len(calls) == 1


def test_the_command_needs_only_the_standard_library(folder: Path) -> None:
    root = Path(module.__file__).parents[1]  # type: ignore[arg-type]
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from exactrelu.check import main; e = main(sys.argv[1:]); "
    code += "assert 'numpy' not in sys.modules; sys.exit(e)"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(root), str(folder)], check=False, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert CLAIM in done.stdout and "1 of 1 certificates are valid" in done.stdout and not done.stderr


def test_a_report_without_results_is_never_zero() -> None:
    assert Report((), (), ()).exit_code == 2


integers = st.one_of(st.integers(-3, 3), st.integers(-(2**40), 2**40))


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=9), st.integers(8, 20))
def test_packing_is_lossless(values: list[int], width: int) -> None:
    packed = pack(values, width)
    assert packed == sum(value << 8 * width * j for j, value in enumerate(values))
    assert unpack(packed, len(values), width) == values


@given(st.integers(0, 2**80))
def test_bits(mask: int) -> None:
    assert sum(1 << i for i in bits(mask)) == mask and bits(mask) == sorted(bits(mask))


@given(st.lists(integers, max_size=5))
def test_odd(values: list[int]) -> None:
    scaled = odd(values)
    assert not any(values) or any(v & 1 for v in scaled)
    assert all(v * max(map(abs, values)) == u * max(map(abs, scaled)) for u, v in zip(values, scaled, strict=True))


squares = st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(integers, min_size=n, max_size=n), min_size=n, max_size=n))


def determinant(rows: list[list[int]]) -> int:
    if not rows:
        return 1
    return sum((-1) ** j * a * determinant([row[:j] + row[j + 1 :] for row in rows[1:]]) for j, a in enumerate(rows[0]) if a)


@settings(deadline=None)
@given(squares, st.sampled_from([2, 3, 5, 31, 2**31 - 1, 2**61 - 1, 6, 2**64]))
def test_invertible_blocks(rows: list[list[int]], modulus: int) -> None:
    """For a prime exactly the determinant decides; for another modulus acceptance is right."""
    block = [Row(row, Fraction(1), True) for row in rows]
    accepted = Kernels().invertible(block, list(range(len(rows))), modulus)
    nonzero = determinant([list(odd(row)) for row in rows]) % modulus != 0
    assert accepted == nonzero or (modulus in (6, 2**64) and not accepted)


@settings(deadline=None)
@given(squares, st.lists(integers, min_size=4, max_size=4), st.integers(0, 4))
def test_inverse_bounds_hold(rows: list[list[int]], x: list[int], cut: int) -> None:
    """|x_j| <= sum beta_i |N_i x| + sum beta_k |x_k|, and a bound exists exactly for regular blocks (C3)."""
    n = len(rows)
    cut = min(cut, n)
    general = [Row(row, Fraction(1), True) for row in rows[cut:]]
    sides, columns = list(range(cut)), list(range(cut, n))
    found = list(Kernels().inverse_bounds(general, columns, sides, [*(row.dot(x[:n]) for row in general), *x[:cut]]))
    assert bool(found) == (determinant([row[cut:] for row in rows[cut:]]) != 0)
    for bound in found:
        reach = sum(beta * abs(row.dot(x[:n])) for beta, row in zip(bound.rows, general, strict=True))
        reach += sum(beta * abs(x[k]) for beta, k in zip(bound.sides, sides, strict=True))
        assert max(map(abs, x[:n])) <= reach
        assert max(map(abs, x[:n])) <= bound.correction


def test_a_proposal_may_be_anything() -> None:
    """Only the exact product counts: a wrong inverse proves nothing, and a zero pivot proposes nothing."""
    assert approximate_inverse([[0, 0], [0, 0]], 32) is None

    class Liar(Kernels):
        def propose(self, scaled: object, size: int, precision: int) -> tuple[list[list[int]], int]:
            return [[1 << 60] * size for _ in range(size)], 1 << 70

    assert not list(Liar().inverse_bounds([Row([1, 2], Fraction(1), True), Row([3, 4], Fraction(1), True)], [0, 1], []))


def test_rounded_rows_count_in_the_bound() -> None:
    """A perfect inverse of the rounded rows proves nothing when the rounding may have hidden a singular block."""
    a = 2**47
    scaled, adjugate = [[a + 1, a], [a, a - 1]], ([[1 - a, a], [a, -a - 1]], 1)
    assert Kernels().bound(scaled, [False, False], [0, 0], adjugate, [0, 0])[0] is not None
    assert Kernels().bound(scaled, [True, True], [13, 13], adjugate, [0, 0])[0] is None
