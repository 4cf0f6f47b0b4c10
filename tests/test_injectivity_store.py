"""A store of `exactrelu injectivity`: a run that was stopped at any moment ends with the bytes of one that was not."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from functools import cache
from hashlib import sha256
from importlib import import_module
from itertools import chain, pairwise, repeat
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from flint import fmpz_mat
from hypothesis import event, given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper, save
from theorems.oracles import examples
from theorems.whole_networks import chained, layer, neurons, ppl, small_networks

from exactrelu.domain import AllSpace, Ball, Box
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.injectivity.network import NetworkInjectivity, network_injectivity
from exactrelu.injectivity.network.kept import Kept, kept_in, tells_apart
from exactrelu.injectivity.network.pieces import OutOfTimeError, Pieces
from exactrelu.regions import regions
from exactrelu.regions.jobs import JobRunner
from exactrelu.regions.jobs.store import JOBS, Store
from exactrelu.strategies import domains

if TYPE_CHECKING:
    from exactrelu.domain import Domain
    from exactrelu.network.model import Network

# The package has functions of these modules' parents' names.
JOBS_OF_REGIONS = import_module("exactrelu.regions.jobs")
KEPT, PAIRS, SEARCH = (import_module(f"exactrelu.injectivity.network.{name}") for name in ("kept", "pairs", "search"))
ROOT = Path(__file__).resolve().parents[1]


def spiral(pieces: int, folds: int, *, crossed: bool = False) -> tuple[Network, Domain]:
    """(x, y) -> a spiral of so many straight pieces along x, and a steeper and steeper y: two inputs, three outputs, injective.

    Tangents point everywhere, so that no matrix makes all maps definite. crossed: the last piece turns inwards.
    """
    turns = [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 0)]
    ways = [(a * (k // 2 + 1), b * (k // 2 + 1)) for k in range(pieces) for a, b in [turns[k % 4]]]
    if crossed:
        (a, b), (c, d) = turns[(pieces - 1) % 4], turns[(pieces - 1) % 4 + 1]
        ways[-1] = (pieces * (a + c), pieces * (b + d))

    def steps(values: list[int]) -> list[int]:
        return [values[0], *(after - before for before, after in pairwise(values))]

    inner = [[1, 0]] * pieces + [[0, 1]] * folds
    outer = [[*steps([way[i] for way in ways]), *[0] * folds] for i in (0, 1)] + [[*[0] * pieces, *steps([1 + j for j in range(folds)])]]
    biases = [-k for k in range(pieces)] + [-j for j in range(folds)]
    network = chained(layer(inner, biases, [True] * len(inner)), layer(outer, [0] * 3, [False] * 3))
    return network, Box(RationalVector((0, 0)), RationalVector((pieces, folds)))


def said(network: Network, domain: Domain, found: NetworkInjectivity) -> tuple[object, ...]:
    """All that an answer says, but for the time it took."""
    text = found.certificate(network_sha256="5" * 64, last=len(network.layers), domain=domain).text() if found.is_certified else ""
    return found.verdict, found.method, found.inverse_lipschitz, found.regions, sha256(text.encode()).hexdigest()


WINDING, CROSSED = spiral(10, 3), spiral(10, 3, crossed=True)
REGIONS, ALL_PAIRS = 30, 30 * 29 // 2


@cache
def plain(question: tuple[Network, Domain]) -> tuple[object, ...]:
    """What a run says that nothing stopped."""
    return said(*question, network_injectivity(question[0], domain=question[1]))


class Stopped:
    """Interrupts a run where so much progress was told of for the last time."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, done: int, total: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="module", autouse=True)
def _short_jobs():
    """Few regions are listed in eight jobs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JOBS_OF_REGIONS, "CELLS_A_JOB", 1)
        patch.setattr(Store, "jobs", 8)
        yield


# ---------------------------------------------------------------- going on


def test_the_two_spirals_are_decided_by_pairs_alone():
    for question, verdict in ((WINDING, "injective"), (CROSSED, "not-injective")):
        assert plain(question)[:2] == (verdict, "pairs of regions")
        assert plain(question)[-1] != sha256(b"").hexdigest()


@examples(12)
@given(st.data())
def test_interrupted_anywhere_and_taken_up_again(tmp_path_factory, data):
    store = tmp_path_factory.mktemp("kept") / "a.store"
    question = data.draw(st.sampled_from([WINDING, CROSSED]))
    for after in data.draw(st.lists(st.integers(0, 30), max_size=3)):
        try:
            network_injectivity(question[0], domain=question[1], store=store, progress=Stopped(after))
        except KeyboardInterrupt:
            event("interrupted")
        else:
            event("finished")
    for _ in range(2):
        assert said(*question, network_injectivity(question[0], domain=question[1], store=store)) == plain(question)


@examples(20)
@given(small_networks(), st.data())
def test_a_store_changes_no_answer(tmp_path_factory, network, data):
    if neurons(network) > 6:
        return
    domain = data.draw(domains(network.inputs))
    store = tmp_path_factory.mktemp("kept") / "a.store"
    try:
        expected = said(network, domain, network_injectivity(network, domain=domain))
    except InvalidRequestError:
        return
    for _ in range(2):
        assert said(network, domain, network_injectivity(network, domain=domain, store=store)) == expected


def test_a_command_killed_at_any_moment(run, tmp_path):
    question = spiral(24, 6)
    model, domain, store = tmp_path / "spiral.onnx", tmp_path / "box.npz", tmp_path / "a.store"
    written(question, model, domain)
    asked = ["injectivity", model, "--domain", f"box:{domain}"]
    assert run(*asked, "--out", tmp_path / "plain")[0] == 0
    command = [sys.executable, "-m", "exactrelu", *map(str, asked), "--store", str(store)]
    for _ in range(3):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                process.communicate(timeout=random.uniform(0.8, 2.5))
            except subprocess.TimeoutExpired:
                process.kill()
        assert process.returncode in {0, -signal.SIGKILL}
    # Not in short jobs, as those that were killed.
    done = subprocess.run([*command, "--out", str(tmp_path / "again")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (first,), (last,) = ((tmp_path / folder).glob("*.certificate") for folder in ("plain", "again"))
    assert first.read_bytes() == last.read_bytes()


def test_what_is_kept_is_not_computed_again(tmp_path, monkeypatch):
    store, expected = tmp_path / "a.store", plain(WINDING)
    network_injectivity(WINDING[0], domain=WINDING[1], store=store)
    monkeypatch.setattr(PAIRS, "Separation", lambda _: None)
    monkeypatch.setattr(JobRunner, "run", None)
    assert said(*WINDING, network_injectivity(WINDING[0], domain=WINDING[1], store=store)) == expected


def test_a_listing_that_stops_says_how_far_it_came(tmp_path, monkeypatch):
    store = tmp_path / "a.store"
    with pytest.raises(KeyboardInterrupt):
        network_injectivity(WINDING[0], domain=WINDING[1], store=store, progress=Stopped(3))
    with pytest.MonkeyPatch.context() as patch:
        late = chain([False], repeat(True))
        patch.setattr(JOBS_OF_REGIONS, "_over", lambda _: next(late))
        patch.setattr(JobRunner, "run", lambda *_: None)
        found = network_injectivity(WINDING[0], domain=WINDING[1], store=store)
    assert (found.verdict, found.pairs) == ("undecided", None)
    assert found.progress.startswith("3 of 8 parts of the listing are done")
    assert said(*WINDING, network_injectivity(WINDING[0], domain=WINDING[1], store=store)) == plain(WINDING)


def test_pairs_that_are_not_all_closed_say_so_and_go_on(tmp_path):
    store = tmp_path / "a.store"
    closed = [-1]
    for patience in (2, 8, 14):
        steps = []

        def listen(done, total, steps=steps):
            if total == ALL_PAIRS:
                steps.append(done)

        def late(_, reached, steps=steps, patience=patience):
            if len(steps) > patience:
                raise OutOfTimeError(reached)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Pieces, "check_time", late)
            found = network_injectivity(WINDING[0], domain=WINDING[1], store=store, progress=listen)
        record = found.record()
        assert (record["verdict"], record["regions"], record["certificate"]) == ("undecided", REGIONS, None)
        assert record["pairs"] == {"closed": steps[-1], "all": ALL_PAIRS}
        assert f"{steps[-1]} of {ALL_PAIRS} pairs are closed" in record["progress"]
        closed.append(steps[-1])
    assert closed == sorted(set(closed))
    assert said(*WINDING, network_injectivity(WINDING[0], domain=WINDING[1], store=store)) == plain(WINDING)


def test_given_points_are_looked_at_whatever_was_tried_in_vain(tmp_path, monkeypatch):
    looked, near = [], [RationalVector((1, 1))]
    monkeypatch.setattr(SEARCH, "search", lambda network, domain, points, deadline: looked.append(points))
    for points in ((), (), near, near):
        network_injectivity(WINDING[0], domain=WINDING[1], points=points, store=tmp_path / "a.store")
    assert looked == [(), near, near]


def test_batches_follow_one_another(tmp_path):
    """One after each pair, in three runs, of which the last is not finished in good order."""
    store, written = tmp_path / "a.store", {}
    for run in range(3):
        with suppress(KeyboardInterrupt), kept_in(store, *WINDING) as kept:
            assert kept.functions == written
            for number in range(1, 4):
                kept.functions[run, 10 + number] = written[run, 10 + number] = (run, -number, 2**5000)
                if run < 2:
                    kept.functions.flush()
            raise KeyboardInterrupt
    with kept_in(store, *WINDING) as kept:
        assert kept.functions == written


def test_what_was_tried_in_vain_is_not_tried_again_in_the_same_time(tmp_path, monkeypatch):
    clock, told = [0.0], []
    monkeypatch.setattr(KEPT, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def attempt(until: float, *, late: bool) -> None:
        told.append(until - clock[0])
        clock[0] += until - clock[0] + 1 if late else 1

    for left, patience, late, expected in (
        (40, inf, True, [10]),
        (40, inf, True, [10]),
        (None, 12, True, [10, 12]),
        (80, inf, False, [10, 12, 20]),
        # It came to its end in time.
        (10**6, inf, False, [10, 12, 20]),
        (None, inf, False, [10, 12, 20]),
    ):
        with kept_in(tmp_path / "a.store", *WINDING) as kept:
            deadline = None if left is None else clock[0] + left
            assert kept.tried("it", lambda until, late=late: attempt(until, late=late), deadline, patience) is None
        assert told == expected
    for _ in range(2):
        assert Kept().tried("it", lambda until: until, None, 5) == clock[0] + 5


# ---------------------------------------------------------------- what is refused, and what is not believed


def changed(store: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(store)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> bytes:
    store = tmp_path_factory.mktemp("finished") / "a.store"
    network_injectivity(WINDING[0], domain=WINDING[1], store=store)
    return store.read_bytes()


def test_another_question(tmp_path, finished):
    store = tmp_path / "a.store"
    store.write_bytes(finished)
    for network, domain, match in (
        (CROSSED[0], WINDING[1], "its network is another"),
        (WINDING[0], AllSpace(), "its domain is another"),
        (WINDING[0], Ball(Fraction(1)), "its domain is another"),
    ):
        with pytest.raises(InvalidRequestError, match=match) as refused:
            network_injectivity(network, domain=domain, store=store)
        assert "\n" not in str(refused.value)
    with pytest.raises(InvalidRequestError, match="another question"):
        regions(WINDING[0], domain=WINDING[1], store=store)
    listing = tmp_path / "listing.store"
    regions(WINDING[0], domain=WINDING[1], store=listing)
    with pytest.raises(InvalidRequestError, match="another question"):
        network_injectivity(WINDING[0], domain=WINDING[1], store=listing)
    with kept_in(listing.with_name("new.store"), *WINDING), pytest.raises(InvalidRequestError, match="in use"):
        network_injectivity(WINDING[0], domain=WINDING[1], store=listing.with_name("new.store"))
    assert store.read_bytes() == finished


UNREADABLE = [(JOBS, line) for line in (b"layers", b"layers soon", b"\xff 1")]
UNREADABLE += [(JOBS + 1, line) for line in (b"0 1 x", b"0", b"\xff 1 1", b"0 1 g", b"0  1", b"1\n" * 20)]


@pytest.mark.parametrize(("number", "data"), UNREADABLE)
def test_what_no_run_writes_is_refused_in_one_line(tmp_path, finished, number, data):
    store = tmp_path / "a.store"
    store.write_bytes(finished)
    changed(store, "INSERT OR REPLACE INTO result VALUES (?, ?, ?)", number, sha256(data).digest(), data)
    with pytest.raises(InvalidRequestError, match="is damaged") as refused:
        network_injectivity(WINDING[0], domain=WINDING[1], store=store)
    assert "\n" not in str(refused.value)
    changed(store, "UPDATE result SET sha256 = zeroblob(32) WHERE job = ?", JOBS)
    with pytest.raises(InvalidRequestError, match="is damaged"):
        network_injectivity(WINDING[0], domain=WINDING[1], store=store)


@pytest.mark.parametrize(
    ("question", "functions"),
    # None is true of all cells of a network that is not injective, and none is one of three outputs.
    [(CROSSED, [(0, 0, 0), (1, 0, 0), (1,), (-1, 1, 1, 1)]), (WINDING, [(1,), (-1, 1, 1, 1)])],
)
def test_functions_of_a_store_are_tested_before_they_are_believed(tmp_path, question, functions):
    store = tmp_path / "a.store"
    for function in functions:
        with kept_in(store, *question) as kept:
            for first in range(-1, REGIONS + 1):
                for second in range(REGIONS + 1):
                    kept.functions[first, second] = function
        assert said(*question, network_injectivity(question[0], domain=question[1], store=store)) == plain(question)


def test_a_ray_along_the_function_is_no_value():
    images = [(0, 0, 1), (1, 0, 0), (0, 1, 1), (-1, 0, 0)]
    assert tells_apart((0, 1), images, [0, 1], [2, 3]) and not tells_apart((1, 0), images, [0, 1], [2, 3])


@examples(60)
@given(st.integers(0, 2**32))
def test_a_function_tells_apart_what_has_no_value_in_common(seed):
    """Simplices with points and rays, on which a network may be injective: their common values by PPL."""
    draw = random.Random(seed)
    for _ in range(20):
        m = draw.choice([1, 2])
        images = [(*(draw.randint(-2, 2) for _ in range(m)), t) for t in [1] * draw.randint(2, 5) + [0] * draw.randint(0, 2)]
        first, second = (sorted(draw.sample(range(len(images)), draw.randint(1, min(m + 1, len(images))))) for _ in range(2))
        if not all(is_simplex([images[place] for place in cell]) for cell in (first, second)):
            continue
        if not tells_apart(tuple(draw.randint(-2, 2) for _ in range(m)), images, first, second):
            continue
        both = polyhedron([images[place] for place in first])
        both.intersection_assign(polyhedron([images[place] for place in second]))
        common = [images[place] for place in set(first) & set(second)]
        assert both.is_empty() or (any(image[-1] for image in common) and polyhedron(common).contains(both))


def is_simplex(generators: list[tuple[int, ...]]) -> bool:
    return generators[0][-1] == 1 and int(fmpz_mat([list(row) for row in generators]).rank()) == len(generators)


def polyhedron(generators: list[tuple[int, ...]]) -> Any:
    """What points (y, 1), one at least, and rays (y, 0) span."""
    spanned = ppl.C_Polyhedron(len(generators[0]) - 1, "empty")
    for *entries, t in sorted(generators, key=lambda row: -row[-1]):
        spanned.add_generator((ppl.point if t else ppl.ray)(ppl.Linear_Expression(entries, 0)))
    return spanned


# ---------------------------------------------------------------- the command


def test_the_command_says_how_to_go_on(run, tmp_path, monkeypatch):
    """An undecided run, the same command again, and a store of something else."""
    model, domain = tmp_path / "spiral.onnx", tmp_path / "box.npz"
    written(WINDING, model, domain)
    store, out = tmp_path / "a.store", tmp_path / "out"
    asked = ["injectivity", model, "--domain", f"box:{domain}", "--store", store, "--out", out]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pieces, "check_time", lambda *_: (_ for _ in ()).throw(OutOfTimeError("time is up")))
        code, said_then, err = run(*asked, "--json")
    found = json.loads(said_then)
    assert (code, found["verdict"], found["regions"], found["certificate"]) == (3, "undecided", REGIONS, None)
    assert "time is up" in found["progress"]
    assert f"{store} keeps what was finished" in err and "exactrelu" in err and err.count("\n") == 1
    code, said_then, err = run(*asked, "--json")
    found = json.loads(said_then)
    assert (code, found["verdict"], found["pairs"], err) == (0, "injective", None, "")
    assert run("check", out, "--checker", "both")[0] == 0
    again = run(*asked, "--json")[1]
    assert {**json.loads(again), "seconds": 0} == {**found, "seconds": 0}
    code, said_then, err = run("injectivity", model, "--domain", "box:0,1", "--store", store)
    assert (code, said_then, err.count("\n")) == (2, "", 1) and "another question: its domain" in err
    code, said_then, err = run("injectivity", model, "--layer", 1, "--store", store)
    assert (code, said_then, err.count("\n")) == (2, "", 1) and "--store is for a network" in err


def test_an_interrupted_command_keeps_what_it_found(run, tmp_path, monkeypatch):
    model, domain, store = tmp_path / "spiral.onnx", tmp_path / "box.npz", tmp_path / "a.store"
    written(WINDING, model, domain)
    asked = ["injectivity", model, "--domain", f"box:{domain}", "--store", store]

    def interrupted(*_):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobRunner, "run", interrupted)
        code, said_then, err = run(*asked)
    assert (code, said_then) == (130, "") and f"{store} keeps what was finished" in err
    assert run(*asked)[0] == 0


def written(question: tuple[Network, Domain], path: Path, box: Path) -> None:
    """Two dense layers with a relu between, and a box."""
    network, domain = question
    np.savez(box, lo=domain.lower.to_float(), hi=domain.upper.to_float())
    first, last = network.layers
    constants = {}
    for name, one in (("1", first), ("2", last)):
        constants["W" + name], constants["b" + name] = one.weight.floats.astype(np.float32), one.bias.floats[:, 0].astype(np.float32)
    nodes = [
        helper.make_node("Gemm", ["x", "W1", "b1"], ["z"], transB=1),
        helper.make_node("Relu", ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "W2", "b2"], ["y"], transB=1),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, k]) for name, k in (("x", network.inputs), ("y", network.outputs))]
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), path)
