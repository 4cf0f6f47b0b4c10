"""Batches on an executor: results keep their order, and a worker that dies is an error of one line."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exactrelu.errors import InvalidRequestError
from exactrelu.parallel import in_order, processes

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


def _prepare(value):
    _state.append(value)


def _add(value):
    return _state[0] + value, len(_state), os.environ["OPENBLAS_NUM_THREADS"]
