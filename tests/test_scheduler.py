"""On a Dask cluster: a worker that is killed costs time alone; a scheduler that is not there, or cannot do the work, is one line."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from theorems.test_R import in_general_position

from exactrelu.batch import Asked, Question, records
from exactrelu.domain import AllSpace
from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.parallel import as_ready, in_order, prepared_executor
from exactrelu.points import Points
from exactrelu.regions import regions
from exactrelu.regions.evidence import regions_certificate
from exactrelu.regions.graph import json_text
from exactrelu.result_folder import ResultFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("distributed", reason="Dask is not installed: pip install distributed")

ROOT = Path(__file__).resolve().parents[1]


class Cluster:
    """A Dask scheduler and two workers, all of them processes on 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        with contextlib.closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self._run("dask_scheduler", "--port", str(port), "--no-dashboard", "--no-jupyter")
        self.workers = [self.add_worker() for _ in range(2)]

    def add_worker(self) -> subprocess.Popen[bytes]:
        return self._run("dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard")

    def wait(self) -> None:
        """Wait until two workers are there."""
        import distributed

        with distributed.Client(self.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--host", "127.0.0.1", *arguments]
        log = (self._folder / f"{program}.{len(self.processes)}").open("wb")
        with log:
            process = subprocess.Popen(command, cwd=self._folder, env=self._environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    running = Cluster(tmp_path)
    try:
        running.wait()
        yield running
    finally:
        running.end()


def slowly(held: float, task: int) -> int:
    time.sleep(held)
    return task


def ends_its_worker(held: int, task: int) -> None:
    os._exit(1)


def _killing(cluster: Cluster, done: int, total: int) -> None:
    """End one of the workers when a third of the work is finished."""
    if total < 3 * done < total + 6 and cluster.workers[0].poll() is None:
        os.kill(cluster.workers[0].pid, signal.SIGKILL)
        cluster.workers[0].wait()


def test_a_worker_killed_in_the_middle_of_regions_and_of_rows(cluster: Cluster, tmp_path: Path) -> None:
    network = in_general_position([2, 14, 14, 1], 3)
    plain = regions(network)
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        _killing(cluster, done, total)

    found = regions(network, scheduler=cluster.address, progress=progress)
    assert cluster.workers[0].returncode == -signal.SIGKILL
    total = told[-1][1]
    assert total >= 16
    assert told == [(done, total) for done in range(total + 1)]
    assert "".join(json_text(found)) == "".join(json_text(plain))
    assert regions_certificate(network, found).text() == regions_certificate(network, plain).text()

    # The worker that is left, and a new one, which is killed in its turn.
    cluster.workers[0] = cluster.add_worker()
    cluster.wait()
    rows = np.random.default_rng(1).integers(-9, 9, (96, 2)).tolist()
    points = Points(tuple(RationalVector(tuple(row)) for row in rows), tuple(range(len(rows))), "0" * 64)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    answers = []
    for folder, scheduler in ((theirs, None), (ours, cluster.address)):
        files = ResultFolder(folder, network, "net")
        asked = tuple(Asked(layer, AllSpace(), False, files.named(layer, through=False)) for layer in network.source_layers)
        answers.append([])
        for record in records(Question(network, asked, "input"), points, scheduler=scheduler, folder=files):
            answers[-1].append({key: value for key, value in record.items() if key not in {"seconds", "certificate"}})
            if scheduler is not None:
                _killing(cluster, len(answers[-1]), len(rows) * len(asked))
    assert cluster.workers[0].returncode == -signal.SIGKILL
    assert answers[0] == answers[1]
    assert len(answers[0]) == len(rows) * len(network.source_layers)
    files = [{path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()} for folder in (theirs, ours)]
    assert files[0] == files[1]
    assert len(files[0]) > len(answers[0])


@pytest.mark.slow
def test_work_that_ends_every_worker_is_one_line(cluster: Cluster) -> None:
    for _ in range(3):
        cluster.add_worker()
    with (
        pytest.raises(InvalidRequestError, match="memory"),
        prepared_executor(int, scheduler=cluster.address) as executor,
    ):
        list(in_order(executor, ends_its_worker, [1]))


def test_a_scheduler_that_goes_away_is_one_line(cluster: Cluster) -> None:
    def lose_it() -> None:
        with prepared_executor(float, "0.2", scheduler=cluster.address) as executor:
            for place, _ in as_ready(executor, slowly, range(50), ahead=executor.ahead):
                if place == 1:
                    cluster.processes[0].kill()

    with pytest.raises(InvalidRequestError, match="scheduler"):
        lose_it()


@pytest.mark.parametrize("address", ["127.0.0.1:{free}", "nonsense", "x://y", "", "tls://127.0.0.1:{free}", "a b"])
def test_a_scheduler_that_is_not_there_is_one_line_within_ten_seconds(address: str) -> None:
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        begin = time.monotonic()
        with pytest.raises(InvalidRequestError, match="no Dask scheduler answers") as caught:
            regions(in_general_position([1, 2, 1], 0), scheduler=address.format(free=free.getsockname()[1]))
        assert time.monotonic() - begin < 12
    assert "\n" not in str(caught.value)


def test_without_dask_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InvalidRequestError, match="pip install distributed"):
        regions(in_general_position([1, 2, 1], 0), scheduler="127.0.0.1:8786")


@pytest.mark.parametrize("command", [("preimage", "--output", "{points}", "--through", "output"), ("regions",)])
def test_the_command_line_says_so_in_one_line(
    shared: Path, tmp_path: Path, run: Callable[..., tuple[int, str, str]], command: tuple[str, ...]
) -> None:
    (tmp_path / "points.csv").write_text("1\n")
    name, *options = (word.format(points=tmp_path / "points.csv") for word in command)
    network = shared / "networks" / "degenerate" / "D5_base_d2_8.onnx"
    code, out, err = run(name, network, *options, "--scheduler", "nonsense")
    assert (code, out) == (2, "")
    assert "no Dask scheduler answers" in err
    assert err.count("\n") == 1
