"""The three plots of stability as one SVG: what a relu does to singular values, their decay over depth, stability against rank.

The same answers give the same bytes: the ids that matplotlib makes are salted with a constant, and no date is written. A singular value is
drawn at the middle of its proved interval, and the interval as a band, which is seen where it is wide; zeros have no place on these axes.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exactrelu.errors import InvalidRequestError
from exactrelu.saving import save_text
from exactrelu.stability.answer import ProvedSpectrum

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction
    from os import PathLike

    import numpy as np

    from exactrelu.stability.answer import LayerStability
    from exactrelu.stability.matrix_free import ExtremeValues

_SETTINGS = {
    "svg.hashsalt": "exactrelu",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["Source Sans 3", "Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "legend.frameon": False,
}
# Where an interval reaches down to 0, its band is drawn down to so many times less than the middle.
_LOWEST = 1e-6


def save_plot(answers: Sequence[LayerStability], path: str | PathLike[str]) -> None:
    """Write `svg` to a file; raises InvalidRequestError as it does, for another suffix, and where the file cannot be written."""
    path = Path(path)
    check_plot(path)
    save_text(path, [svg(answers)])


def check_plot(path: Path) -> None:
    """Raise InvalidRequestError unless the file is named `.svg` and matplotlib is there."""
    if path.suffix.lower() != ".svg":
        raise InvalidRequestError(f"a plot is written as .svg, not as {path.name[:80]!r}; give such a name")
    _matplotlib()


def svg(answers: Sequence[LayerStability]) -> str:
    """Three plots side by side of the answers at one or more points.

    Raises InvalidRequestError where matplotlib is missing or no answer is given.

    >>> svg([])
    Traceback (most recent call last):
    exactrelu.errors.InvalidRequestError: there is no answer to draw; ask about at least one point, of a network that fits in memory
    """
    if not any(isinstance(one.after, ProvedSpectrum) for one in answers):
        raise InvalidRequestError("there is no answer to draw; ask about at least one point, of a network that fits in memory")
    matplotlib = _matplotlib()
    with matplotlib.rc_context(_SETTINGS):
        figure = matplotlib.figure.Figure(figsize=(14, 4.2), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        draw_relu(left, [one for one in answers if one.row == answers[0].row])
        draw_decay(middle, answers)
        draw_trade(right, answers)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def draw_relu(axes: Any, answers: Sequence[LayerStability]) -> None:
    """Singular values of every layer before (dashed) and after its relu, at one point."""
    for place, one in enumerate(answers):
        label = f"layer {one.layer}"
        if one.before is not None and one.before is not one.after:
            _curve(axes, one.before, f"C{place}", style="--")
            label += f", rank {one.before.rank[0]} to {one.after.rank[0]}"
        _curve(axes, one.after, f"C{place}", label=label)
    _titled(axes, "Before (dashed) and after the relu", "index", "singular value", f"row {answers[0].row}")


def draw_decay(axes: Any, answers: Sequence[LayerStability]) -> None:
    """Singular values after every layer, divided by the largest, at all points."""
    labelled: set[int] = set()
    colours = {layer: f"C{place}" for place, layer in enumerate(sorted({one.layer for one in answers}))}
    for one in answers:
        label = None if one.layer in labelled else f"layer {one.layer}"
        labelled.add(one.layer)
        _curve(axes, one.after, colours[one.layer], label=label, relative=True, width=0.7)
    points = len({one.row for one in answers})
    _titled(axes, "Decay over depth", "index", "singular value / largest", f"{points} input{'s' * (points > 1)}")


def draw_trade(axes: Any, answers: Sequence[LayerStability]) -> None:
    """The smallest non-zero singular value against the rank: the less is lost, the smaller it may be."""
    for place, layer in enumerate(sorted({one.layer for one in answers})):
        found = [one.after for one in answers if one.layer == layer and one.after.sigma_min is not None]
        ranks = [one.exact_rank for one in found]
        middles, errors = _middles([one.sigma_min for one in found if one.sigma_min is not None])
        axes.errorbar(ranks, middles, yerr=errors, fmt="o", markersize=3, linewidth=0.8, color=f"C{place}", label=f"layer {layer}")
    if axes.has_data():
        axes.set_yscale("log")
    _titled(axes, "Stability against information loss", "exact rank", "smallest non-zero singular value", None)


def save_directions(answer: LayerStability, shape: tuple[int, ...], path: str | PathLike[str]) -> None:
    """The input directions of the largest and the smallest non-zero singular value as two images, (h, w) or (channels, h, w), as SVG.

    The directions are a proposal of floats. Raises InvalidRequestError for inputs of another shape, and at rank 0.
    """
    shape = tuple(size for size in shape if size > 1)
    proved = answer.after
    rank = proved.exact_rank
    if len(shape) == 1 and math.isqrt(shape[0]) ** 2 == shape[0]:
        shape = (math.isqrt(shape[0]),) * 2
    if len(shape) not in {2, 3} or not (isinstance(proved, ProvedSpectrum) and rank) or math.prod(shape) != proved.right.shape[1]:
        raise InvalidRequestError(f"directions are drawn for images at rank 1 or more, not for inputs of shape {shape} at rank {rank}")
    matplotlib = _matplotlib()
    with matplotlib.rc_context(_SETTINGS | {"axes.grid": False, "image.cmap": "RdBu"}):
        figure = matplotlib.figure.Figure(figsize=(7, 3.6), layout="constrained")
        for axes, place, title in zip(figure.subplots(1, 2), (0, rank - 1), ("largest", "smallest"), strict=True):
            image: np.ndarray = proved.right[place].reshape(shape)
            # Of colours the strongest in each pixel, with its sign.
            flat = image if image.ndim == 2 else image[abs(image).argmax(axis=0), *_grid(image.shape[1:])]
            limit = float(abs(flat).max())
            axes.imshow(flat, vmin=-limit, vmax=limit)
            axes.set_title(f"direction of the {title} singular value", fontsize=10)
            axes.set_axis_off()
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    save_text(Path(path), [stream.getvalue()])


def _grid(shape: tuple[int, ...]) -> Any:
    import numpy as np

    return np.ix_(*map(np.arange, shape))


def _curve(
    axes: Any,
    proved: ProvedSpectrum | ExtremeValues,
    colour: str,
    *,
    style: str = "-",
    label: str | None = None,
    relative: bool = False,
    width: float = 1.4,
) -> None:
    """The singular values that are not known to be 0, over their index, as a line in its band."""
    count = proved.rank[1]
    if not (isinstance(proved, ProvedSpectrum) and count):
        return
    pairs = list(zip(proved.spectrum.lower[:count], proved.spectrum.upper[:count], strict=True))
    if relative:
        largest = proved.sigma_max[1]
        pairs = [(lower / largest, upper / largest) for lower, upper in pairs]
    middles, (below, above) = _middles(pairs)
    index = range(1, count + 1)
    marker = {"marker": "o", "markersize": 2.5} if count < 12 else {}
    axes.semilogy(index, middles, style, color=colour, linewidth=width, label=label, **marker)
    low, high = ([a + sign * b for a, b in zip(middles, part, strict=True)] for part, sign in ((below, -1), (above, 1)))
    axes.fill_between(index, low, high, color=colour, alpha=0.2, linewidth=0)


def _middles(pairs: Iterable[tuple[Fraction, Fraction]]) -> tuple[list[float], tuple[list[float], list[float]]]:
    """The middles of intervals as floats, and how far they reach below and above."""
    ends = [(_float(lower), _float(upper)) for lower, upper in pairs]
    middles = [lower / 2 + upper / 2 for lower, upper in ends]
    below = [min(m - lower, m * (1 - _LOWEST)) for m, (lower, _) in zip(middles, ends, strict=True)]
    return middles, (below, [upper - m for m, (_, upper) in zip(middles, ends, strict=True)])


def _float(value: Fraction) -> float:
    """The number within the range that logarithmic axes can show."""
    return 1e300 if value > 10**300 else float(value)


def _titled(axes: Any, title: str, x: str, y: str, legend: str | None) -> None:
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(title=legend, fontsize=8, title_fontsize=8)


def _matplotlib() -> Any:
    try:
        import matplotlib as mpl
        import matplotlib.figure
    except ImportError:
        raise InvalidRequestError("plots of stability need matplotlib, which is not installed; install exactrelu[examples]") from None
    return mpl
