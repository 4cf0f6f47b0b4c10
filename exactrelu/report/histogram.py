"""How many inputs have which kind of pre-image, against the number of positive outputs: counts, and the bars of a figure.

A figure is drawn from rectangles with whole coordinates, so that equal counts give equal bytes. All panels of a layer share
their bins and their scale.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exactrelu.report.preimages import Verdict

MOST_BINS = 20
# From the bottom of a bar to its top: one input, more and more of them, none, not known.
STACK = (
    Cardinality.SINGLETON,
    Cardinality.FINITE,
    Cardinality.BOUNDED,
    Cardinality.INFINITE,
    Cardinality.UNBOUNDED,
    Cardinality.EMPTY,
    Cardinality.UNDECIDED,
)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 260, 46, 10, 22, 44
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
_GAP = 2


@dataclass(frozen=True)
class Bins:
    """Bins of equal width: bin k has the numbers from low + k * width up to but not with the next one's."""

    low: int
    width: int
    count: int

    def of(self, value: int) -> int:
        """The bin a number falls into."""
        return (value - self.low) // self.width

    def label(self, k: int) -> str:
        """The numbers of bin k in words."""
        first = self.low + k * self.width
        return str(first) if self.width == 1 else f"{first} to {first + self.width - 1}"


@dataclass(frozen=True)
class Bar:
    """A part of a bar: a rectangle with what it stands for."""

    kind: str
    x: int
    y: int
    width: int
    height: int
    title: str


@dataclass(frozen=True)
class Mark:
    """A tick: where it is and what it says."""

    at: int
    text: str


@dataclass(frozen=True)
class Panel:
    """One domain's figure: bars, ticks, and where the threshold line is (None where it lies outside)."""

    bars: tuple[Bar, ...]
    across: tuple[Mark, ...]
    upwards: tuple[Mark, ...]
    threshold: Mark | None


def bins_for(values: Iterable[int]) -> Bins:
    """At most MOST_BINS bins of a round width that hold all values.

    >>> bins_for([159, 494, 909])
    Bins(low=150, width=50, count=16)
    """
    found = list(values) or [0]
    least, most = min(found), max(found)
    width = round_step(most - least + 1, MOST_BINS)
    low = least - least % width
    return Bins(low, width, (most - low) // width + 1)


def round_step(span: int, parts: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50, .. with at most `parts` steps in `span`, one partial step aside."""
    step = 1
    while span > parts * step:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def count(verdicts: Iterable[Verdict], bins: Bins) -> list[Counter[Cardinality]]:
    """How many verdicts of each kind fall into each bin; verdicts without a number of positive outputs into none."""
    counted: list[Counter[Cardinality]] = [Counter() for _ in range(bins.count)]
    for verdict in verdicts:
        if verdict.active is not None:
            counted[bins.of(verdict.active)][verdict.cardinality] += 1
    return counted


def panel(counted: Sequence[Counter[Cardinality]], bins: Bins, most: int, threshold: int | None) -> Panel:
    """The figure of one domain; `most` is the height of the highest bar of the figures beside it, `threshold` a number of outputs."""
    step = round_step(most, 4)
    top = -(-max(most, 1) // step) * step
    edges = [LEFT + PLOT_WIDTH * k // bins.count for k in range(bins.count + 1)]
    bars = []
    for k, held in enumerate(counted):
        below = 0
        for kind in STACK:
            if held[kind]:
                high, low = (TOP + PLOT_HEIGHT - PLOT_HEIGHT * level // top for level in (below + held[kind], below))
                title = f"{bins.label(k)} positive outputs: {held[kind]} {kind.value}"
                bars.append(Bar(kind.value, edges[k] + _GAP // 2, high, max(1, edges[k + 1] - edges[k] - _GAP), max(1, low - high), title))
                below += held[kind]
    # A bin of one number has its tick below its middle, a wider one at its left edge.
    shift = (edges[1] - edges[0]) // 2 if bins.width == 1 else 0
    span = bins.count * bins.width
    stride = round_step(span, 6)
    values = range(-(-bins.low // stride) * stride, bins.low + span + (bins.width > 1), stride)
    across = [Mark(LEFT + PLOT_WIDTH * (value - bins.low) // span + shift, str(value)) for value in values]
    upwards = tuple(Mark(TOP + PLOT_HEIGHT - PLOT_HEIGHT * level // top, str(level)) for level in range(0, top + 1, step))
    line = None
    if threshold is not None and bins.low < threshold <= bins.low + span:
        line = Mark(LEFT + PLOT_WIDTH * (threshold - bins.low) // span, str(threshold))
    return Panel(tuple(bars), tuple(across), upwards, line)
