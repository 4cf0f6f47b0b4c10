"""Batches of work on any `concurrent.futures` executor: in this process, in others of this machine, or on a Dask cluster.

Every worker first makes one thing that all tasks need, such as a network prepared for a question: `prepared_executor` gives it to each
task. A task may be run again where a worker died, so tasks depend on nothing else and change nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import time
import uuid
from collections import deque
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from functools import partial
from importlib import import_module
from itertools import islice
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from exactrelu import __version__
from exactrelu.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Task = TypeVar("Task")
Result = TypeVar("Result")

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
SECONDS_TO_CONNECT = 8
FEWEST_ON_A_CLUSTER = 4


class PreparedExecutor(Executor):
    """An executor of so many `workers`, each holding one thing: submit(function, ..) calls function(thing, ..) on one of them."""

    def __init__(self, submit: Callable[..., Future[Any]], workers: int) -> None:
        self._submit = submit
        self.workers = workers

    @property
    def ahead(self) -> int:
        """How many tasks to have under way, so that no worker waits."""
        return 1 if self.workers == 1 else 2 * self.workers

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        return self._submit(function, *arguments, **keywords)


@contextlib.contextmanager
def prepared_executor(
    make: Callable[..., Any], *arguments: Any, workers: int = 1, scheduler: str | None = None
) -> Iterator[PreparedExecutor]:
    """Workers that each hold make(*arguments): this process, `workers` new ones, or those of the Dask scheduler at an address.

    Raises InvalidRequestError for fewer than one worker, for a number of workers and a scheduler, and where Dask is not installed, no
    scheduler answers, or its workers cannot do the work.

    >>> with prepared_executor(int, "40") as executor:
    ...     list(in_order(executor, int.__add__, [1, 2]))
    [41, 42]
    """
    if workers < 1 or (workers > 1 and scheduler is not None):
        raise InvalidRequestError(
            "workers are at least 1 process on this machine, or those of a scheduler; give one of --workers and --scheduler"
        )
    if scheduler is not None:
        with _on_cluster(scheduler, make, arguments) as executor:
            yield executor
    elif workers > 1:
        with processes(workers, _hold, (make, arguments)) as pool:
            yield PreparedExecutor(lambda *given, **named: pool.submit(_with_held, *given, **named), workers)
    else:
        yield PreparedExecutor(partial(_at_once, make(*arguments)), 1)


# ---------------------------------------------------------------- tasks and their results


def in_order(executor: Executor, function: Callable[..., Result], tasks: Iterable[Task], *, ahead: int = 1) -> Iterator[Result]:
    """Yield function(task) for every task, in order; at most `ahead` tasks are under way or waiting to be yielded.

    Raises InvalidRequestError where a worker died, and what `function` raises. Closing the iterator cancels what has not begun.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(1) as executor:
    ...     list(in_order(executor, abs, [-1, 2, -3], ahead=2))
    [1, 2, 3]
    """
    waiting: deque[Future[Result]] = deque()
    with _cancelled_at_the_end(waiting):
        for task in tasks:
            waiting.append(executor.submit(function, task))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def as_ready(
    executor: Executor, function: Callable[..., Result], tasks: Iterable[Task], *, ahead: int = 1, deadline: float | None = None
) -> Iterator[tuple[int, Result]]:
    """Yield (k, function(task k)) as soon as each is there; at most `ahead` tasks are under way.

    Ends early where nothing is ready when the monotonic clock passes the deadline. Raises what `in_order` does.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as executor:
    ...     sorted(as_ready(executor, abs, [-1, 2, -3], ahead=2))
    [(0, 1), (1, 2), (2, 3)]
    """
    waiting: dict[Future[Result], int] = {}
    numbered = enumerate(tasks)
    with _cancelled_at_the_end(waiting):
        while True:
            for place, task in islice(numbered, ahead - len(waiting)):
                waiting[executor.submit(function, task)] = place
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready, _ = wait(waiting, timeout=left, return_when=FIRST_COMPLETED)
            if not ready:
                return
            for future in ready:
                yield waiting.pop(future), future.result()


@contextlib.contextmanager
def _cancelled_at_the_end(waiting: Iterable[Future[Any]]) -> Iterator[None]:
    try:
        yield
    except BrokenExecutor:
        raise InvalidRequestError("a worker process ended early, most likely for lack of memory; use fewer --workers") from None
    except CancelledError:
        raise InvalidRequestError("the scheduler went away, or another of its clients cancelled the work; start it and ask again") from None
    finally:
        for future in list(waiting):
            future.cancel()


def _at_once(held: Any, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Future[Any]:
    """A future whose result is there already; what the function raises is raised here."""
    future: Future[Any] = Future()
    future.set_result(function(held, *arguments, **keywords))
    return future


# ---------------------------------------------------------------- processes of this machine


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


_held: list[Any] = []


def _hold(make: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    _held[:] = [make(*arguments)]


def _with_held(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    return function(_held[0], *arguments, **keywords)


# ---------------------------------------------------------------- a Dask cluster


@contextlib.contextmanager
def _on_cluster(address: str, make: Callable[..., Any], arguments: tuple[Any, ...]) -> Iterator[PreparedExecutor]:
    """What `make` needs is the result of a task of its own: the cluster hands it from worker to worker, and has it made again when lost."""
    try:
        dask, distributed = import_module("dask"), import_module("distributed")
    except ImportError:
        raise InvalidRequestError("--scheduler needs Dask, which is not installed; run: pip install distributed") from None
    with ThreadPoolExecutor(1) as thread:
        # In a thread of its own, since a notebook's has an event loop already.
        trouble = thread.submit(asyncio.run, _trouble_with_scheduler(distributed, address)).result()
    if trouble:
        raise InvalidRequestError(
            f"no Dask scheduler answers at {address[:80]!r} ({trouble}); start one with `dask scheduler` and give its address"
        )
    # A network is larger than what Dask expects a task to carry.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
        client = distributed.Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
        executor = client.get_executor(pure=False)
        try:
            common = client.submit(_unchanged, (make, arguments), key=f"exactrelu-{uuid.uuid4().hex}")
            submit = partial(executor.submit, _with_common, common.key, __version__, common)
            # More workers may come, and those that are there may go.
            yield PreparedExecutor(submit, max(FEWEST_ON_A_CLUSTER, sum(client.nthreads().values())))
        except distributed.KilledWorker:
            raise InvalidRequestError("the same work ended several workers, most likely for lack of memory; give workers more") from None
        except ModuleNotFoundError as error:
            raise InvalidRequestError(f"the scheduler or a worker lacks a package ({error}); install exactrelu there") from None
        finally:
            executor.shutdown(wait=False)
            client.close()


async def _trouble_with_scheduler(distributed: Any, address: str) -> str:
    """What is wrong at an address, in words; empty where a scheduler answers. A client that fails to connect cannot be ended cleanly."""
    try:
        arguments = distributed.Security().get_connection_args("client")
        async with asyncio.timeout(SECONDS_TO_CONNECT), distributed.rpc(address, connection_args=arguments) as server:
            found = await server.identity()
        return "" if found.get("type") == "Scheduler" else "another program answers"
    except Exception as error:  # noqa: BLE001
        # Whatever answers there may be no Dask at all.
        return " ".join(str(error).split())[:120] or "it does not answer in time"


def _unchanged(thing: Any) -> Any:
    return thing


_made: dict[str, Any] = {}
_one_at_a_time = RLock()


def _with_common(
    key: str,
    version: str,
    common: tuple[Callable[..., Any], tuple[Any, ...]],
    function: Callable[..., Any],
    *arguments: Any,
    **keywords: Any,
) -> Any:
    """Run on a worker, which may have several threads and several clients: what was made for the last of these is kept."""
    if version != __version__:
        raise InvalidRequestError(f"a worker has exactrelu {__version__}, and this is {version}; install the same version on both")
    with _one_at_a_time:
        if key not in _made:
            make, given = common
            _made.clear()
            _made[key] = make(*given)
        return function(_made[key], *arguments, **keywords)
