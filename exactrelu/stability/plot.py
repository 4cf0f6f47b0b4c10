"""The three plots of stability as one SVG: what a relu does to singular values, their decay over depth, stability against rank.

They are drawn from the objects of the JSON result, so that every number in them stands there with its bounds, and a figure is drawn again
without computing anything. The same objects give the same bytes: the ids that matplotlib makes are salted with a constant, and no date is
written. A singular value is drawn at the middle of its proved interval, and the interval as a band, which is seen where it is wide; where
it is so wide that its middle says nothing, as a band alone. Zeros have no place on these axes.
"""

from __future__ import annotations

import io
import math
import statistics
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.saving import save_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    Record = Mapping[str, Any]

_SETTINGS = {
    "svg.hashsalt": "exactrelu",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["Source Sans 3", "Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "legend.framealpha": 0.8,
    "legend.edgecolor": "none",
}
# Where an interval reaches down to 0, it is drawn down to so many times less than its upper end; no middle where the ends differ so much.
_LOWEST, _WIDE = 1e-6, 4
# What logarithmic axes can show.
_SMALLEST, _LARGEST = 1e-300, 1e300
# A curve of more singular values is drawn at so many of them, the first and the last included.
_MOST_POINTS = 256


def save_plot(records: Sequence[Record], path: str | PathLike[str]) -> None:
    """Write `svg` to a file; raises InvalidRequestError as it does, for another suffix, and where the file cannot be written."""
    path = Path(path)
    check_plot(path)
    save_text(path, [svg(records)])


def check_plot(path: Path) -> None:
    """Raise InvalidRequestError unless the file is named `.svg`, in a folder that exists, and matplotlib is there."""
    if path.suffix.lower() != ".svg":
        raise InvalidRequestError(f"a plot is written as .svg, not as {path.name[:80]!r}; give such a name")
    if not path.parent.is_dir():
        raise InvalidRequestError(f"{path} cannot be written: its folder does not exist; make it first")
    _matplotlib()


def svg(records: Sequence[Record]) -> str:
    """Three plots side by side of the objects in `results` of a JSON result, at one or more points.

    Raises InvalidRequestError where matplotlib is missing or no answer has singular values.

    >>> svg([])
    Traceback (most recent call last):
    exactrelu.errors.InvalidRequestError: there is no answer to draw; ask about at least one point, of a network that fits in memory
    """
    if not any(one["sigma"] for one in records):
        raise InvalidRequestError("there is no answer to draw; ask about at least one point, of a network that fits in memory")
    matplotlib = _matplotlib()
    with matplotlib.rc_context(_SETTINGS):
        figure = matplotlib.figure.Figure(figsize=(14, 4.2), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        draw_relu(left, [one for one in records if one["row"] == records[0]["row"]])
        draw_decay(middle, records)
        draw_trade(right, records)
        return _text(figure)


def draw_relu(axes: Any, records: Sequence[Record]) -> None:
    """Singular values of every layer before (dashed) and after its relu, at one point."""
    for place, one in enumerate(records):
        before, colour = one["before"], f"C{place}"
        label = f"layer {one['layer']}"
        if before is not None:
            label += f", rank {before['rank_bounds'][0]} to {one['rank_bounds'][0]}"
            _curve(axes, before, color=colour, linestyle="--")
        _curve(axes, one, color=colour, label=label)
    _titled(axes, "Before (dashed) and after the relu", "index", "singular value", f"row {records[0]['row']}")


def draw_decay(axes: Any, records: Sequence[Record]) -> None:
    """Singular values after every layer, divided by the largest: a thin line a point, and their median at each index as a thick one."""
    points = len({one["row"] for one in records})
    for place, layer in enumerate(sorted({one["layer"] for one in records})):
        spectra = [_positive(one) for one in records if one["layer"] == layer]
        shares = [[(low / pairs[0][1], high / pairs[0][1]) for low, high in pairs] for pairs in spectra if pairs]
        for share in shares if points > 1 else ():
            _line(axes, share, color=f"C{place}", linewidth=0.4, alpha=0.5)
        # Beyond the rank of a point its singular value is 0: the median runs as far as the median of the ranks.
        length = statistics.median_low(map(len, shares)) if shares else 0
        padded = [share + [(0.0, 0.0)] * (length - len(share)) for share in shares]
        median = [statistics.median_low(values) for values in zip(*(share[:length] for share in padded), strict=True)]
        _line(axes, median, color=f"C{place}", linewidth=1.6, label=f"layer {layer}")
    axes.set_yscale("log")
    legend = f"median of {points} inputs, each a thin line" if points > 1 else f"row {records[0]['row']}"
    _titled(axes, "Decay over depth", "index", "singular value / largest", legend)


def draw_trade(axes: Any, records: Sequence[Record]) -> None:
    """The smallest non-zero singular value against the rank: the less is lost, the smaller it may be."""
    for place, layer in enumerate(sorted({one["layer"] for one in records})):
        found = [one for one in records if one["layer"] == layer and one["sigma_min"] is not None]
        ends = [_numbers(one["sigma_min"]) for one in found]
        middles = [low / 2 + high / 2 for low, high in ends]
        errors = [
            [m - max(low, _LOWEST * high) for m, (low, high) in zip(middles, ends, strict=True)],
            [(high - low) / 2 for low, high in ends],
        ]
        ranks = [one["rank"] for one in found]
        axes.errorbar(ranks, middles, yerr=errors, fmt="o", markersize=3, linewidth=0.8, color=f"C{place}", label=f"layer {layer}")
    if axes.has_data():
        axes.set_yscale("log")
    _titled(axes, "Stability against information loss", "exact rank", "smallest non-zero singular value", None)


def save_directions(records: Sequence[Record], shape: tuple[int, ...], path: str | PathLike[str]) -> None:
    """The input directions of the largest and the smallest non-zero singular value as images, a column a layer, as SVG.

    records: objects of the JSON result with `directions`; shape: that of an input, of two or three axes, see `image_shape`. The
    directions are a proposal of floats. Raises InvalidRequestError for inputs of another shape, and where no object has directions.
    """
    path, shape = Path(path), image_shape(shape)
    check_plot(path)
    shown = [one for one in records if one.get("directions") is not None and len(one["directions"]["largest"]) == math.prod(shape)]
    if not shown:
        raise InvalidRequestError("there are no directions to draw; ask for them at a point where the rank is decided and not 0")
    matplotlib = _matplotlib()
    with matplotlib.rc_context(_SETTINGS | {"axes.grid": False, "image.cmap": "RdBu"}):
        figure = matplotlib.figure.Figure(figsize=(max(3, 2 * len(shown)), 4.4), layout="constrained")
        for column, one in zip(figure.subplots(2, len(shown), squeeze=False).T, shown, strict=True):
            for axes, word in zip(column, ("largest", "smallest"), strict=True):
                image = np.array([float(Fraction(value)) for value in one["directions"][word]]).reshape(shape)
                pixels = image if image.ndim == 2 else _strongest(image)
                limit = float(abs(pixels).max())
                axes.imshow(pixels, vmin=-limit, vmax=limit)
                low, high = _numbers(one["sigma_max" if word == "largest" else "sigma_min"])
                axes.set_title(f"layer {one['layer']}, {word}: {low / 2 + high / 2:.2g}", fontsize=8)
                axes.set_axis_off()
        save_text(path, [_text(figure)])


def image_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The two or three axes, one of these of colours, of inputs of this shape; a flat one of n^2 numbers is taken for a square.

    Raises InvalidRequestError where they are no images.

    >>> image_shape((1, 28, 28)), image_shape((64,)), image_shape((3, 32, 32))
    ((28, 28), (8, 8), (3, 32, 32))
    """
    axes = tuple(size for size in shape if size > 1)
    if len(axes) == 1 and math.isqrt(axes[0]) ** 2 == axes[0]:
        axes = (math.isqrt(axes[0]),) * 2
    if len(axes) not in {2, 3}:
        raise InvalidRequestError(f"directions are drawn for images, not for inputs of shape {shape}; leave --directions out")
    return axes


def _strongest(image: np.ndarray) -> np.ndarray:
    """The strongest colour of each pixel, with its sign; colours are the shorter of the outer axes."""
    axis = 0 if image.shape[0] <= image.shape[-1] else 2
    return np.take_along_axis(image, np.expand_dims(abs(image).argmax(axis=axis), axis), axis).squeeze(axis)


def _positive(record: Record) -> list[tuple[float, float]]:
    """Bounds of the singular values that are not known to be 0."""
    return [_numbers(pair) for pair in (record["sigma"] or ())[: record["rank_bounds"][1]]]


def _curve(axes: Any, record: Record, **style: Any) -> None:
    """The singular values that are not known to be 0, over their index, as a line in its band."""
    pairs = _positive(record)
    if pairs:
        _line(axes, pairs, linewidth=1.4, **style)
        places = _places(len(pairs))
        low, high = ([max(pairs[place][end], _LOWEST * pairs[place][1]) for place in places] for end in (0, 1))
        axes.fill_between([place + 1 for place in places], low, high, color=style["color"], alpha=0.2, linewidth=0)
        axes.set_yscale("log")


def _line(axes: Any, pairs: Sequence[tuple[float, float]], **style: Any) -> None:
    """The middles of intervals over their index, but for those of wide ones."""
    places = _places(len(pairs))
    middles = [(low + high) / 2 if high <= _WIDE * low else math.nan for low, high in (pairs[place] for place in places)]
    dots = {"marker": "o", "markersize": 2.5} if len(pairs) < 12 else {}
    axes.plot([place + 1 for place in places], middles, **dots, **style)


def _places(count: int) -> list[int]:
    """At which of so many singular values a curve is drawn."""
    parts = min(count, _MOST_POINTS)
    return [k * (count - 1) // max(1, parts - 1) for k in range(parts)]


def _numbers(bounds: Sequence[str]) -> tuple[float, float]:
    """Bounds as floats within the range that logarithmic axes can show."""
    lower, upper = (min(max(float(end), _SMALLEST), _LARGEST) for end in bounds)
    return lower, upper


def _titled(axes: Any, title: str, x: str, y: str, legend: str | None) -> None:
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(title=legend, fontsize=8, title_fontsize=8)


def _text(figure: Any) -> str:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def _matplotlib() -> Any:
    try:
        import matplotlib as mpl
        import matplotlib.figure
    except ImportError:
        raise InvalidRequestError("plots of stability need matplotlib, which is not installed; install exactrelu[examples]") from None
    return mpl
