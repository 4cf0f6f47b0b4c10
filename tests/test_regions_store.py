"""A store: a run that was ended at any moment goes on and gives the bytes of one that was not; what is no store of it is one line."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples
from theorems.test_R import in_general_position

from exactrelu.domain import Box
from exactrelu.errors import ExactReluError, InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.regions import AffineSlice, RegionComplex, regions
from exactrelu.regions.graph import json_text
from exactrelu.regions.jobs import JobRunner
from exactrelu.regions.jobs.store import open_store

NETWORK = in_general_position([2, 48, 1], 4)
SQUARE = Box(RationalVector((-1, -1)), RationalVector((1, 1)))
ROOT = Path(__file__).resolve().parents[1]
# Ends itself with SIGKILL when so many jobs have ended; -1: never.
PROGRAM = """
import os, signal, sys
sys.path[:0] = {paths!r}
from theorems.test_R import in_general_position
from exactrelu.regions import regions
def progress(done, total):
    print(done, flush=True)
    if done == {last}:
        os.kill(os.getpid(), signal.SIGKILL)
regions(in_general_position([2, 48, 1], 4), store={store!r}, progress=progress)
"""


def as_json(found: RegionComplex) -> str:
    return "".join(json_text(found))


def run(store: Path, last: int) -> subprocess.Popen[str]:
    program = PROGRAM.format(paths=[str(ROOT), str(ROOT / "tests")], last=last, store=str(store))
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def plain() -> str:
    return as_json(regions(NETWORK))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    store = tmp_path_factory.mktemp("finished") / "a.store"
    regions(NETWORK, store=store)
    return store.read_bytes()


# ---------------------------------------------------------------- going on


def test_killed_after_some_jobs_and_at_any_moment(tmp_path: Path, plain: str) -> None:
    store = tmp_path / "a.store"
    reached = 0
    for last in (0, 7, 30):
        with run(store, last) as process:
            told = [int(line) for line in process.communicate()[0].split()]
        assert process.returncode == -signal.SIGKILL
        assert told == list(range(reached, last + 1))
        reached = last
    whole = 0.0
    for _ in range(4):
        begin = time.monotonic()
        with run(store, -1) as process:
            try:
                process.communicate(timeout=random.uniform(0.3, whole or 1.0))
            except subprocess.TimeoutExpired:
                process.kill()
            process.communicate()
        whole = max(whole, time.monotonic() - begin)
    told = []
    assert as_json(regions(NETWORK, store=store, progress=lambda done, total: told.append((done, total)))) == plain
    assert told[0][0] >= 30
    assert told[-1] == (64, 64)
    assert as_json(regions(NETWORK, store=store, workers=2)) == plain


@pytest.mark.parametrize("jobs", [1, 20, 63])
def test_interrupted_or_out_of_time(tmp_path: Path, plain: str, jobs: int) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == jobs:
            raise KeyboardInterrupt

    store = tmp_path / "a.store"
    with pytest.raises(KeyboardInterrupt):
        regions(NETWORK, store=store, progress=interrupt)
    told: list[int] = []
    late = regions(NETWORK, store=store, deadline=time.monotonic() - 1, progress=lambda done, total: told.append(done))
    assert not late.complete
    assert as_json(regions(NETWORK, store=store, workers=2, progress=lambda done, total: told.append(done))) == plain
    assert told == list(range(jobs, 65))


def test_a_small_run_has_no_jobs(tmp_path: Path) -> None:
    small = in_general_position([2, 4, 1], 0)
    for _ in range(2):
        assert as_json(regions(small, store=tmp_path / "a.store")) == as_json(regions(small))
    with pytest.raises(InvalidRequestError, match="another question: its network"):
        regions(NETWORK, store=tmp_path / "a.store")


def test_results_are_not_computed_again(tmp_path: Path, plain: str, finished: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "a.store"
    store.write_bytes(finished)
    monkeypatch.setattr(JobRunner, "run", None)
    assert as_json(regions(NETWORK, store=store)) == plain


# ---------------------------------------------------------------- what is refused


def refused(store: Path, match: str, **asked: object) -> None:
    before = store.read_bytes() if store.is_file() else None
    with pytest.raises(InvalidRequestError, match=match) as caught:
        regions(**{"network": NETWORK, "store": store, **asked})
    assert "\n" not in str(caught.value)
    assert before is None or store.read_bytes() == before


def test_another_question(tmp_path: Path, finished: bytes) -> None:
    store = tmp_path / "a.store"
    store.write_bytes(finished)
    line = AffineSlice.through([RationalVector((0, 0)), RationalVector((1, 1))])
    refused(store, "its network is", network=in_general_position([2, 48, 1], 5))
    refused(store, "its domain is", domain=SQUARE)
    refused(store, "its slice is", affine_slice=line)
    refused(store, "its last layer is", through=1)
    refused(store, "its domain and slice is", affine_slice=line, domain=SQUARE)


def test_another_version(tmp_path: Path, finished: bytes) -> None:
    store = tmp_path / "a.store"
    for statement, match in (
        ("PRAGMA user_version = 2", "store of version 2"),
        ("PRAGMA application_id = 7", "no store of exactrelu"),
        ("UPDATE job SET sha256 = zeroblob(32) WHERE number = 3", "another version"),
        ("DELETE FROM job WHERE number = 3", "another version"),
        ("CREATE TABLE more (a)", "other tables"),
        ("CREATE TRIGGER more AFTER INSERT ON result BEGIN DELETE FROM job; END", "other tables"),
        ("UPDATE result SET data = zeroblob(10) WHERE job = 3", "result of job 3"),
        ("UPDATE result SET data = 'text' WHERE job = 3", "result of job 3"),
        ("UPDATE result SET sha256 = 5 WHERE job = 3", "result of job 3"),
        ("UPDATE question SET answer = 5", "another question"),
    ):
        store.write_bytes(finished)
        change(store, statement)
        refused(store, match)


def change(store: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(store)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_results_that_are_none_with_a_right_checksum(tmp_path: Path, finished: bytes) -> None:
    store = tmp_path / "a.store"
    other = tmp_path / "other.store"
    regions(in_general_position([2, 49, 1], 5), store=other)
    with sqlite3.connect(other) as connection:
        theirs = connection.execute("SELECT data FROM result WHERE job = 1").fetchone()[0]
    for data in (b"", b"\x80\x04.", b"{}\n", theirs):
        store.write_bytes(finished)
        change(store, "UPDATE result SET data = ?, sha256 = ? WHERE job = 1", data, hashlib.sha256(data).digest())
        with pytest.raises(ExactReluError) as caught:
            regions(NETWORK, store=store)
        assert "\n" not in str(caught.value)
    # All results of another network.
    store.write_bytes(finished)
    with sqlite3.connect(other) as connection:
        rows = connection.execute("SELECT data, sha256, job FROM result").fetchall()
    for row in rows:
        change(store, "UPDATE result SET data = ?, sha256 = ? WHERE job = ?", *row)
    with pytest.raises(ExactReluError, match="this network"):
        regions(NETWORK, store=store)


@pytest.mark.parametrize(
    "content", [b"text that is no database at all, only text " * 30, b"\x00" * 5000, b"SQLite format 3\x00" + b"\x07" * 4000]
)
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes) -> None:
    store = tmp_path / "a.store"
    store.write_bytes(content)
    refused(store, "no SQLite file")


def test_a_database_of_others_stays_as_it_is(tmp_path: Path) -> None:
    store = tmp_path / "a.store"
    with sqlite3.connect(store) as connection:
        connection.execute("CREATE TABLE job (number INTEGER PRIMARY KEY, sha256 BLOB NOT NULL)")
    connection.close()
    refused(store, "no store of exactrelu")


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    refused(tmp_path, "cannot be used")
    refused(tmp_path / "none" / "a.store", "cannot be used")


def test_an_empty_file_is_a_new_store(tmp_path: Path, plain: str) -> None:
    (tmp_path / "a.store").touch()
    assert as_json(regions(NETWORK, store=tmp_path / "a.store")) == plain


@examples(40)
@given(st.data())
def test_a_damaged_store_is_refused_or_damaged_where_nothing_is(finished, plain, tmp_path_factory, data):
    store = tmp_path_factory.mktemp("damaged") / "a.store"
    place = data.draw(st.one_of(st.integers(0, 2000), st.integers(0, len(finished) - 1)))
    if data.draw(st.booleans()):
        store.write_bytes(finished[:place] + bytes([finished[place] ^ data.draw(st.integers(1, 255))]) + finished[place + 1 :])
    else:
        store.write_bytes(finished[:place])
    try:
        found = regions(NETWORK, store=store)
    except InvalidRequestError:
        return
    assert as_json(found) == plain


def test_two_processes_at_once(tmp_path: Path) -> None:
    store = tmp_path / "a.store"
    with open_store(store, {"network": "one"}), pytest.raises(InvalidRequestError, match="in use by another process"):
        regions(NETWORK, store=store)
    with open_store(store, {"network": "one"}):
        program = f"from exactrelu.regions.jobs.store import open_store\nwith open_store({str(store)!r}, {{'network': 'one'}}): pass"
        done = subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
        )
    assert "is in use by another process" in done.stderr.splitlines()[-1]
