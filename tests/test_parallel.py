"""Batches on an executor: results keep their order, and a worker that dies is an error of one line."""

from __future__ import annotations

import os
import pickle
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.parallel import PreparedExecutor, as_ready, in_order, prepared_executor, processes
from exactrelu.strategies import networks

_state: list[int] = []


@given(st.lists(st.integers(), max_size=20), st.integers(1, 8))
def test_results_keep_the_order_of_the_tasks(tasks, ahead):
    with ThreadPoolExecutor(3) as executor:
        assert list(in_order(executor, str, tasks, ahead=ahead)) == [str(task) for task in tasks]


def test_an_error_of_a_task_is_raised():
    with ThreadPoolExecutor(1) as executor, pytest.raises(ZeroDivisionError):
        list(in_order(executor, lambda task: 1 // task, [1, 0], ahead=2))


def test_no_task_is_begun_before_it_is_due():
    begun = []
    with ThreadPoolExecutor(1) as executor:
        results = in_order(executor, begun.append, range(100), ahead=2)
        next(results)
        results.close()
    assert len(begun) <= 3


def test_every_process_is_prepared_once(monkeypatch):
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        monkeypatch.setenv(variable, "4")
    with processes(2, _prepare, (40,)) as pool:
        assert set(in_order(pool, _add, range(2), ahead=2)) == {(40, 1, "1"), (41, 1, "1")}


def test_a_worker_that_dies_is_one_line(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with pytest.raises(InvalidRequestError, match="fewer --workers"), processes(1, _prepare, (0,)) as pool:
        list(in_order(pool, os._exit, [1, 1], ahead=2))


@given(st.lists(st.integers(), max_size=20), st.integers(1, 8))
def test_results_come_as_they_are_ready(tasks, ahead):
    with ThreadPoolExecutor(3) as executor:
        assert dict(as_ready(executor, str, tasks, ahead=ahead)) == {place: str(task) for place, task in enumerate(tasks)}


def test_a_quick_task_does_not_wait_for_a_slow_one():
    with ThreadPoolExecutor(2) as executor:
        assert [place for place, _ in as_ready(executor, time.sleep, [0.2, 0], ahead=2)] == [1, 0]


def test_the_deadline_ends_waiting():
    with ThreadPoolExecutor(1) as executor:
        begin = time.monotonic()
        assert not list(as_ready(executor, time.sleep, [0.5, 0.5], ahead=2, deadline=begin + 0.05))
        assert time.monotonic() - begin < 0.4


def test_work_that_others_cancel_is_one_line():
    cancelled = Future()
    cancelled.cancel()
    cancelled.set_running_or_notify_cancel()
    for function in (in_order, as_ready):
        with pytest.raises(InvalidRequestError, match="cancelled the work"):
            list(function(PreparedExecutor(lambda *_: cancelled, 1), abs, [1]))


@pytest.mark.parametrize("workers", [1, 2])
def test_every_worker_holds_what_was_made_for_it(workers):
    with prepared_executor(complex, 40, 2, workers=workers) as executor:
        assert list(in_order(executor, complex.__add__, [1, 2, 3], ahead=executor.ahead)) == [41 + 2j, 42 + 2j, 43 + 2j]


@examples(20)
@given(networks())
def test_a_network_that_was_used_can_be_sent(network):
    before = network(RationalVector((1,) * network.inputs))
    sent = pickle.loads(pickle.dumps(network))
    assert sent(RationalVector((1,) * network.inputs)) == before


def _prepare(value):
    _state.append(value)


def _add(value):
    return _state[0] + value, len(_state), os.environ["OPENBLAS_NUM_THREADS"]
