"""What a run about a network's injectivity keeps in a file: the listing of its regions, and what tells the images of two cells apart.

The file is a store of a listing's jobs (`regions.jobs.store`) with a question of its own. Behind the jobs' results stand the seconds for
which other arguments were tried in vain, and then batches of lines `I J e1 .. em`, hexadecimal: a linear function of the outputs that tells
cells I and J apart. A batch is there as a whole or not at all, and a function is tested before it is believed.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from fractions import Fraction
from operator import mul
from typing import TYPE_CHECKING, TypeVar

from exactrelu.errors import InvalidRequestError
from exactrelu.network.exact_file import network_sha256
from exactrelu.regions.jobs.store import JOBS, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike

    from exactrelu.domain import Domain
    from exactrelu.network.model import Network
    from exactrelu.regions.charts import Row
    from exactrelu.regions.jobs.store import Store

T = TypeVar("T")

# The numbers of what stands behind the jobs' results.
_TRIED, _FUNCTIONS = JOBS, JOBS + 1
# Part of the time left for an argument that may be in vain.
_SHARE = 0.25
# Seconds of work that a process loses at most when it is killed.
_BATCH = 1.0


class Kept:
    """What runs leave in a store, where there is one; `functions` are those of earlier runs and of this one."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store
        self.functions = Functions(store)
        self._in_vain: dict[str, float] = {}
        if store is not None and _TRIED in store:
            lines = store[_TRIED].decode("ascii").splitlines()
            self._in_vain = {what: float(seconds) for what, seconds in (line.split(" ") for line in lines)}

    def tried(self, what: str, attempt: Callable[[float], T | None], deadline: float | None, patience: float = math.inf) -> T | None:
        """What an attempt, told until when, finds in a part of the time left, or where there is no deadline in so many seconds.

        None where it finds nothing, and at once where it found nothing earlier in as much time.
        """
        now = time.monotonic()
        seconds = patience if deadline is None else _SHARE * (deadline - now)
        if seconds <= self._in_vain.get(what, 0.0):
            return None
        found = attempt(now + seconds)
        if found is None and self.store is not None:
            self._in_vain[what] = seconds if time.monotonic() > now + seconds else math.inf
            self.store[_TRIED] = "\n".join(f"{what} {value!r}" for what, value in self._in_vain.items()).encode("ascii")
        return found


class Functions(dict[tuple[int, int], "Row"]):
    """Linear functions (m,) of the outputs, by the numbers of the two cells that they tell apart; those that are set are kept."""

    def __init__(self, store: Store | None) -> None:
        super().__init__()
        self._store = store
        self._fresh: list[str] = []
        self._written = time.monotonic()
        self._next = _FUNCTIONS
        while store is not None and self._next in store:
            for line in store[self._next].decode("ascii").splitlines():
                first, second, *function = (int(number, 16) for number in line.split(" "))
                super().__setitem__((first, second), tuple(function))
            self._next += 1

    def __setitem__(self, pair: tuple[int, int], function: Row) -> None:
        super().__setitem__(pair, function)
        if self._store is not None:
            self._fresh.append(" ".join(format(number, "x") for number in (*pair, *function)))
            if time.monotonic() > self._written + _BATCH:
                self.flush()

    def flush(self) -> None:
        """Write what was set."""
        if self._store is not None and self._fresh:
            self._store[self._next] = "\n".join(self._fresh).encode("ascii")
            self._next += 1
        self._fresh = []
        self._written = time.monotonic()

    def forget_false(self, images: Sequence[Row], cells: Sequence[Sequence[int]]) -> None:
        """Leave out what does not tell these cells apart; see `tells_apart`."""
        for (first, second), function in list(self.items()):
            if not (0 <= first < second < len(cells) and tells_apart(function, images, cells[first], cells[second])):
                del self[first, second]


def tells_apart(function: Row, images: Sequence[Row], first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether a function shows that two cells have a value in common only where they meet, the network being injective on each.

    images: (y, t) of generators, t = 0 for rays; first, second: the places of the cells' generators, those in both spanning the common
    face. For some z the function is at most z on the first cell's image and at least z on the second's. A common value then comes from the
    faces where it is z: one of them has no point, or lies in the common face, and so in both cells.

    >>> images = [(-5, 1), (0, 1), (2, 1)]
    >>> tells_apart((1,), images, [0, 1], [1, 2]), tells_apart((-1,), images, [0, 1], [1, 2])
    (True, False)
    """
    if len(function) + 1 != len(images[first[0]]):
        return False
    common = set(first) & set(second)
    heights = {place: sum(map(mul, function, images[place])) for place in (*first, *second)}
    # The least z that there may be.
    z = max(Fraction(heights[place], images[place][-1]) for place in first if images[place][-1])
    above = {place: height * z.denominator - images[place][-1] * z.numerator for place, height in heights.items()}
    if any(above[place] > 0 for place in first) or any(above[place] < 0 for place in second):
        return False
    faces = ([place for place in cell if above[place] == 0] for cell in (first, second))
    return any(common.issuperset(face) or not any(images[place][-1] for place in face) for face in faces)


@contextmanager
def kept_in(path: str | PathLike[str] | None, network: Network, domain: Domain) -> Iterator[Kept]:
    """What the file at a path keeps about a network's injectivity on a domain; made where there is none.

    Raises InvalidRequestError where the file is damaged or something else, belongs to another question or version, is in use by another
    process, or cannot be written.

    >>> import tempfile
    >>> from exactrelu import AllSpace, demo, load
    >>> network = load(demo.MODEL)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for _ in range(2):
    ...         with kept_in(folder + "/a.store", network, AllSpace()) as kept:
    ...             print(dict(kept.functions))
    ...             kept.functions[0, 1] = (2, -1)
    {}
    {(0, 1): (2, -1)}
    """
    if path is None:
        yield Kept()
        return
    question = {"asked": "injectivity", "network": network_sha256(network), "domain": "\n".join(domain.lines())}
    with open_store(path, question) as store:
        try:
            kept = Kept(store)
        except ValueError:
            raise InvalidRequestError(
                f"the store {path} is damaged: it holds what no run writes; give another --store FILE, or remove this one"
            ) from None
        try:
            yield kept
        finally:
            kept.functions.flush()
