"""Batches of work on any `concurrent.futures` executor: results come back in the order of the batches, as they are ready.

Processes on this machine come from `processes`; a Dask cluster's `Client.get_executor()` fits as well.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import deque
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from exactrelu.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Task = TypeVar("Task")
Result = TypeVar("Result")

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def in_order(executor: Executor, function: Callable[[Task], Result], tasks: Iterable[Task], *, ahead: int = 1) -> Iterator[Result]:
    """Yield function(task) for every task, in order; at most `ahead` tasks are under way or waiting to be yielded.

    Raises InvalidRequestError where a worker died, and what `function` raises. Closing the iterator cancels what has not begun.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(1) as executor:
    ...     list(in_order(executor, abs, [-1, 2, -3], ahead=2))
    [1, 2, 3]
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            waiting.append(executor.submit(function, task))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenExecutor:
        raise InvalidRequestError("a worker process ended early, most likely for lack of memory; use fewer --workers") from None
    finally:
        for future in waiting:
            future.cancel()


def limit_blas_threads() -> None:
    """Give linear algebra one thread in this process, before NumPy is loaded, unless the user has set a number.

    On matrices of this size a busy machine loses far more to threads that wait for one another than an idle one gains.
    """
    for variable in BLAS_THREADS:
        os.environ.setdefault(variable, "1")


@contextlib.contextmanager
def processes(workers: int, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> Iterator[Executor]:
    """Make `workers` new processes that have each run initializer(*arguments) once; on an error they are ended at once.

    Each has one thread for linear algebra: several workers with several threads each would compete for the same cores.

    The processes ignore ctrl-C, which the terminal sends to all of them: it is this process that stops the work.
    """
    before = set(multiprocessing.active_children())
    os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (initializer, arguments))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    pool.shutdown()


def _begin(initializer: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    initializer(*arguments)
