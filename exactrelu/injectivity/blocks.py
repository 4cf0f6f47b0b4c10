"""Window by window: the rows of one window determine its last few inputs, given those determined before, until all are (theory I1, I2).

Rows of a convolution that read the same inputs, a window, are a small layer on the window's part of a box. Two inputs x and y of the box
with one output that agree where earlier windows reach agree on this window, too, if its rows together with the unit rows of what is
known are injective there. Where one window after the other, say from a corner on, reaches all inputs, x = y. Where none does alone,
all rows help that read no other unknown inputs: at a corner, say, those of the smaller windows inside.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array

from exactrelu.certificates.injectivity import Proof, Windows
from exactrelu.domain import Box, fixed_coordinates
from exactrelu.exact.rational import DyadicMatrix, stack
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.injectivity.collisions.linearised import sparse_stage
from exactrelu.injectivity.parts import Part, taken
from exactrelu.network.model import Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from exactrelu.injectivity.answer import LayerInjectivity

    Decide = Callable[[Layer, Box, float], LayerInjectivity]

# Entries of a layer, and of one window's rows, beyond which the argument is not tried.
_LARGEST_LAYER = 2**23
_LARGEST_WINDOW = 2**14
# Points at which the active rows of a window are counted, in floats, before it is tried.
_TRIALS = 64
# How far from the box's sides these are, in parts of its width.
_INSET = 2.0**-7
# Seconds for one window, and for all windows that fail.
_PATIENCE = 4.0
_PATIENCE_IN_ALL = 8.0


@dataclass(frozen=True, eq=False)
class Determined:
    """What windows determine one after the other: `known` inputs, a mask (n,), in which two inputs with one output agree.

    windows: how many were used; different: how many of them are different questions; methods: the arguments that decided these;
    evidence: of all of them, None where one has none.
    """

    known: np.ndarray
    windows: int
    different: int
    methods: tuple[str, ...]
    evidence: Windows | None

    @property
    def is_complete(self) -> bool:
        """Whether all inputs are determined: the layer is injective."""
        return bool(self.known.all())

    @property
    def method(self) -> str:
        """The argument in words."""
        return f"window by window, {self.windows} windows, {self.different} of them different: {', '.join(self.methods)}"


def window_by_window(layer: Layer, domain: Box, deadline: float | None, decide: Decide) -> Determined:
    """How far windows determine the inputs of a layer, weights (m, n), on a box (theory I2); equal windows are decided once.

    decide: called with the rows of one window above the unit rows, without a relu, of its inputs that are known before, with the
    window's part of the box, and with a deadline.

    >>> from exactrelu.exact.rational import RationalVector
    >>> from exactrelu.injectivity.layer import decide_layer
    >>> weight = DyadicMatrix.from_floats([[1.0, 0.0], [1.0, 1.0], [-1.0, -1.0]])
    >>> layer = Layer(weight, DyadicMatrix.from_floats([[0.0], [0.0], [1.0]]), np.array([True, True, True]))
    >>> box = Box(RationalVector((0, 0)), RationalVector((2, 2)))
    >>> found = window_by_window(layer, box, None, lambda own, part, until: decide_layer(own, part, deadline=until))
    >>> found.is_complete, found.method
    (True, 'window by window, 2 windows, 2 of them different: always active rows of full rank')
    """
    walk = _Walk(layer, domain)
    decided: dict[Hashable, LayerInjectivity] = {}
    used: list[tuple[Sequence[int], LayerInjectivity]] = []
    in_vain = 0.0
    while in_vain < _PATIENCE_IN_ALL and (window := walk.next_window()) is not None:
        started = time.monotonic()
        if deadline is not None and started > deadline:
            break
        part, within = walk.beside_known(window)
        if walk.is_quiet_somewhere(window, part):
            continue
        question = Part(window.columns, window.rows, (part,), within)
        if question.key not in decided:
            until = started + _PATIENCE
            decided[question.key] = decide(part, within, until if deadline is None else min(until, deadline))
        answer = decided[question.key]
        if answer.verdict == "injective":
            used.append((window.rows.tolist(), answer))
            walk.learn(window)
        else:
            in_vain += time.monotonic() - started
    answers = [answer for _, answer in used]
    methods = tuple(dict.fromkeys(answer.method for answer in answers))
    return Determined(walk.known, len(used), len(set(map(id, answers))), methods, windows_evidence(used))


def windows_evidence(used: Sequence[tuple[Sequence[int], LayerInjectivity]]) -> Windows | None:
    """The evidence of windows, given by their rows and the answers on them, one object for equal ones; None where an answer has none."""
    first: dict[int, int] = {}
    listed: list[tuple[tuple[int, ...], Proof | int]] = []
    for rows, answer in used:
        if not isinstance(answer.evidence, Proof):
            return None
        number = first.setdefault(id(answer), len(listed))
        listed.append((tuple(rows), answer.evidence if number == len(listed) else number))
    return Windows(tuple(listed))


@dataclass(frozen=True, eq=False)
class _Window:
    """Rows that read the inputs `columns`, both increasing: the same ones, or those of several windows."""

    columns: np.ndarray
    rows: np.ndarray


class _Walk:
    """Which inputs (n,) are known, and the windows that wait to be tried.

    First each alone, then each with all others that read no unknown inputs beside its own; those with the fewest unknown inputs first.
    """

    def __init__(self, layer: Layer, domain: Box) -> None:
        self._layer, self._domain = layer, domain
        self._weight = sparse_stage(layer)
        self._low, self._high = domain.lower.to_float(), domain.upper.to_float()
        self._fixed = np.zeros(layer.inputs, dtype=bool)
        self._fixed[fixed_coordinates(domain, layer.inputs)] = True
        self.known = self._fixed.copy()
        self._windows = _windows(self._weight)
        self._readers = _readers(self._windows, layer.inputs)
        self._unknown = np.array([np.count_nonzero(~self.known[window.columns]) for window in self._windows], dtype=np.int64)
        self._waiting: list[tuple[bool, int, int]] = []
        for number in range(len(self._windows)):
            self._wait(number)

    def _wait(self, number: int) -> None:
        unknown = int(self._unknown[number])
        if unknown:
            for joined in (False, True):
                heappush(self._waiting, (joined, unknown, number))

    def next_window(self) -> _Window | None:
        """A window with unknown inputs that has not been tried with what is known now; None where there is no more."""
        while self._waiting:
            joined, unknown, number = heappop(self._waiting)
            if unknown == self._unknown[number]:
                window = self._joined(number) if joined else self._windows[number]
                if window is not None and unknown <= len(window.rows) and len(window.rows) * len(window.columns) <= _LARGEST_WINDOW:
                    return window
        return None

    def _joined(self, number: int) -> _Window | None:
        """A window with all others whose unknown inputs are among its own; None where there is no other."""
        columns = self._windows[number].columns
        read = np.bincount(self._readers[:, columns[~self.known[columns]]].indices, minlength=len(self._windows))
        inside = [self._windows[other] for other in np.flatnonzero((read > 0) & (read == self._unknown)).tolist()]
        if len(inside) == 1:
            return None
        return _Window(*(np.unique(np.concatenate(parts)) for parts in zip(*((own.columns, own.rows) for own in inside), strict=True)))

    def beside_known(self, window: _Window) -> tuple[Layer, Box]:
        """The window's rows above the unit rows of its known inputs, and its part of the box, which itself says what is fixed."""
        n = len(window.columns)
        places = np.full(self._layer.inputs, -1)
        places[window.columns] = np.arange(n)
        units = np.flatnonzero((self.known & ~self._fixed)[window.columns])
        matrix = SparseMatrix.stacked([self._weight.rows(window.rows).moved(places, n), SparseMatrix.selection(units, n)])
        bias = stack([self._layer.bias.rows(window.rows), DyadicMatrix.from_integers([[0]] * len(units), 1)])
        rectified = np.append(self._layer.rectified[window.rows], np.zeros(len(units), dtype=bool))
        lower, upper = (taken(bound, window.columns) for bound in (self._domain.lower, self._domain.upper))
        return Layer(matrix.dense(), bias, rectified), Box(lower, upper)

    def is_quiet_somewhere(self, window: _Window, part: Layer) -> bool:
        """Whether at some of a few points, in floats, fewer rows pass their relu than there are inputs: then the part is not injective."""
        low, high = self._low[window.columns], self._high[window.columns]
        shares = np.random.default_rng(0).choice([_INSET, 1 - _INSET], (_TRIALS, part.inputs))
        shares[0] = 0.5
        with np.errstate(all="ignore"):
            values = (low + shares * (high - low)) @ part.weight.floats.T + part.bias.floats[:, 0]
        return bool((~(values < 0) | ~part.rectified).sum(axis=1).min() < part.inputs)

    def learn(self, window: _Window) -> None:
        """All inputs of the window are known from now on."""
        new = window.columns[~self.known[window.columns]]
        self.known[new] = True
        for number, fewer in Counter(self._readers[:, new].indices.tolist()).items():
            self._unknown[number] -= fewer
            self._wait(number)


def _windows(weight: SparseMatrix) -> list[_Window]:
    """The rows that are not zero, by the inputs that they read."""
    if weight.entries > _LARGEST_LAYER:
        return []
    rows: dict[bytes, list[int]] = {}
    for i in range(weight.shape[0]):
        rows.setdefault(weight.columns[weight.starts[i] : weight.starts[i + 1]].tobytes(), []).append(i)
    listed = [_Window(np.frombuffer(read, dtype=weight.columns.dtype), np.array(own)) for read, own in rows.items() if read]
    return [window for window in listed if len(window.rows) * len(window.columns) <= _LARGEST_WINDOW]


def _readers(windows: list[_Window], n: int) -> csc_array:
    """Which windows (rows) read which inputs (columns)."""
    read = np.concatenate([np.zeros(0, dtype=np.int32), *(window.columns for window in windows)])
    owners = np.repeat(np.arange(len(windows)), [len(window.columns) for window in windows])
    return csc_array((np.ones(len(read), dtype=bool), (owners, read)), shape=(len(windows), n))
