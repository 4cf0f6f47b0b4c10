"""A picture of the regions of the plane as SVG, its geometry exact until a coordinate is written with two decimals.

The same complex gives the same bytes. Colours tell regions apart (`pattern`, `map`) or show an output: which is the largest, or of a
single one its value, as a gradient that is the affine map itself.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

from exactrelu.errors import InvalidRequestError
from exactrelu.regions import decision
from exactrelu.regions.drawing.polygons import View, area, check_plane, coordinates, polygons, walls
from exactrelu.regions.drawing.svg_text import class_colour, decimal, gradient, hue, label, pair, shade, stops, ticks
from exactrelu.regions.linear_pieces import LinearPieces
from exactrelu.regions.vertices import value
from exactrelu.saving import save_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from exactrelu.exact.rational import RationalVector
    from exactrelu.regions.charts import Row
    from exactrelu.regions.complex import RegionComplex
    from exactrelu.regions.decision import Boundary
    from exactrelu.regions.drawing.svg_text import Place

Colour = Literal["pattern", "map", "output"]

_SIDE, _LEFT, _TOP = 640, 70, 20
_WIDTH, _BOTTOM = _LEFT + _SIDE + 30, _TOP + _SIDE + 30
_CLOSE = Fraction(1, 5)
_STYLE = (
    "text{font:13px 'Source Sans 3','Helvetica Neue',Helvetica,Arial,'Liberation Sans',sans-serif;fill:#1c2126}"
    ".regions>*{stroke:#fff;stroke-width:.6;stroke-linejoin:round;stroke-linecap:round}"
    ".regions.output>*{stroke:#1c2126;stroke-opacity:.3;stroke-width:.4}"
    ".regions .thin{stroke-width:6}"
    ".walls{fill:none;stroke:#fff;stroke-width:1;stroke-linecap:round}.walls.output{stroke:#1c2126;stroke-opacity:.4;stroke-width:.6}"
    ".boundary{fill:#1c2126;fill-opacity:.25;stroke:#1c2126;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}"
    ".graph path{stroke:#1c2126;stroke-width:.7;stroke-opacity:.6;fill:none}.graph circle{fill:#1c2126}"
    ".frame{fill:none;stroke:#59636e}.tick{stroke:#59636e}"
)


def save_plot(
    found: RegionComplex,
    path: str | PathLike[str],
    *,
    colour: Colour = "pattern",
    boundary: Boundary | None = None,
    graph: bool = False,
    view: View | None = None,
    pieces: bool = False,
) -> str:
    """Write `svg` to a file; returns the SHA-256 of its bytes.

    Raises InvalidRequestError as `svg` does, for another suffix, and where the file cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    text = svg(found, colour=colour, boundary=boundary, graph=graph, view=view, pieces=pieces)
    save_text(path, [text])
    return hashlib.sha256(text.encode()).hexdigest()


def check_suffix(path: Path) -> None:
    """Raise InvalidRequestError unless the file is named `.svg`."""
    if path.suffix.lower() != ".svg":
        raise InvalidRequestError(f"a plot is written as .svg, not as {path.name[:80]!r}; give such a name")


def svg(
    found: RegionComplex,
    *,
    colour: Colour = "pattern",
    boundary: Boundary | None = None,
    graph: bool = False,
    view: View | None = None,
    pieces: bool = False,
) -> str:
    """The regions of a network with two inputs, or of a plane through its inputs, as an SVG picture.

    colour: `pattern`, one for every region; `map`, one for every affine map; `output`, the value of a single output, of several the
    largest. boundary: i draws {F_i = 0}, (i, j) draws {F_i = F_j}, "decision" the first for a network with one output and else the
    points with two largest outputs; where this is a whole region, that is shaded. graph: also the regions as dots, joined where they are
    adjacent. view: the part of the plane, by default `View.around(found)`. pieces: regions of one linear piece have one colour, no wall
    between them, and one dot.

    Raises InvalidRequestError where the complex is not one of the plane or no region of it is known; where it is not complete and
    colours, boundary or pieces ask for affine maps; and for an output that does not exist.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> from exactrelu.regions import regions
    >>> import numpy as np
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0, 0], [0, 1]]), DyadicMatrix.from_floats([[0], [-1.0]]), np.ones(2, bool))
    >>> found = regions(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (2,)))
    >>> picture = svg(found, colour="output", boundary=(0, 1))
    >>> picture.splitlines()[1]
    '<title id="title">Activation regions of a network in the plane</title>'
    """
    check_plane(found)
    if boundary is not None:
        decision.check_outputs(len(found.affine_map(0)), boundary)
    drawing = _Drawing(found, View.around(found) if view is None else view, LinearPieces(found) if pieces else None)
    regions, legend = drawing.filled(colour)
    height = _BOTTOM + 60 * bool(legend)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="title description">',
        '<title id="title">Activation regions of a network in the plane</title>',
        f'<desc id="description">{escape(drawing.description(colour, boundary))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<g class="regions {colour}">{regions}</g>',
    ]
    if pieces:
        parts.append(f'<g class="walls {colour}">{drawing.walls()}</g>')
    if boundary is not None:
        parts.append(f'<g class="boundary">{drawing.boundary(boundary)}</g>')
    if graph:
        parts.append(f'<g class="graph">{drawing.graph()}</g>')
    return "\n".join([*parts, drawing.axes(), legend, "</svg>"]) + "\n"


class _Drawing:
    """A complex in a view: its polygons, and what is drawn of them."""

    def __init__(self, found: RegionComplex, view: View, pieces: LinearPieces | None) -> None:
        self.found, self.view, self.pieces = found, view, pieces
        self.polygons = polygons(found, view)

    @cached_property
    def maps(self) -> dict[int, tuple[RationalVector, ...]]:
        """The affine maps of the regions in the view."""
        return {region: self.found.affine_map(region) for region in self.polygons}

    # ------------------------------------------------------------ coordinates

    def place(self, point: Place) -> Place:
        """A point of the plane in the coordinates of the picture."""
        (x, y), view = point, self.view
        return (
            _LEFT + _SIDE * (x - view.left) / (view.right - view.left),
            _TOP + _SIDE * (view.top - y) / (view.top - view.bottom),
        )

    def path(self, polygon: Sequence[Row]) -> str:
        """The data of an SVG path around a polygon, along a segment, or at a point, which a round line end makes a dot."""
        points = [self.place(point) for point in coordinates(polygon)]
        if len(points) > 2:
            points = _apart(points)
        texts = [pair(point) for point in points]
        return f"M{' '.join(texts if len(texts) > 1 else texts * 2)}{'Z' * (len(texts) > 2)}"

    def piece(self, region: int) -> int:
        """What a region is shown as part of: its linear piece, or itself."""
        return region if self.pieces is None else int(self.pieces.labels[region])

    # ------------------------------------------------------------ what is drawn

    def filled(self, colour: Colour) -> tuple[str, str]:
        """The regions in their colours, and a legend."""
        if colour == "output":
            outputs = len(self.found.affine_map(0))
            return self._by_value() if outputs == 1 else self._by_class()
        if colour == "pattern":
            fills = {region: hue(self.piece(region)) for region in self.polygons}
        else:
            kinds: dict[object, int] = {}
            fills = {region: hue(kinds.setdefault(self.maps[region], len(kinds))) for region in self.polygons}
        return "\n".join(self._shape(region, polygon, fills[region]) for region, polygon in self.polygons.items()), ""

    def _shape(self, region: int, polygon: Sequence[Row], fill: str) -> str:
        thin = ' class="thin"' * (len(polygon) < 3)
        # Drawn around, too, where no wall shall be seen.
        stroke = f' style="stroke:{fill}"' if thin or self.pieces else ""
        name = f"piece {self.piece(region)}, region {region}" if self.pieces else f"region {region}"
        return f'<path fill="{fill}"{thin}{stroke} d="{self.path(polygon)}"><title>{name}</title></path>'

    def _by_class(self) -> tuple[str, str]:
        shapes, met = [], set()
        for region, polygon in self.polygons.items():
            for output, part in decision.classes(self.maps[region], polygon):
                met.add(output)
                shapes.append(self._shape(region, part, class_colour(output)))
        keys = [
            f'<rect x="{_LEFT + 62 * (k % 10)}" y="{_BOTTOM + 14 + 20 * (k // 10)}" width="12" height="12" fill="{class_colour(output)}"/>'
            f'<text x="{_LEFT + 62 * (k % 10) + 17}" y="{_BOTTOM + 25 + 20 * (k // 10)}">{output}</text>'
            for k, output in enumerate(sorted(met)[:20])
        ]
        more = f'<text x="{_WIDTH - 30}" y="{_BOTTOM + 8}" text-anchor="end">and {len(met) - 20} more</text>' if len(met) > 20 else ""
        return "\n".join(shapes), f'<g><text x="{_LEFT}" y="{_BOTTOM + 8}">largest output</text>{"".join(keys)}{more}</g>'

    def _by_value(self) -> tuple[str, str]:
        maps = {region: outputs[0] for region, outputs in self.maps.items()}
        values = {region: [_at(maps[region], corner) for corner in polygon] for region, polygon in self.polygons.items()}
        most = max((abs(at) for own in values.values() for at in own), default=Fraction(0)) or Fraction(1)
        shapes, gradients = [], []
        for region, polygon in self.polygons.items():
            low, high = min(values[region]), max(values[region])
            fill = shade(low / most)
            if len(polygon) > 2 and fill != shade(high / most):
                corner = coordinates(polygon)[values[region].index(low)]
                gradients.append(gradient(f"g{region}", *self._ascent(maps[region], corner, high - low), stops(low / most, high / most)))
                fill = f"url(#g{region})"
            shapes.append(self._shape(region, polygon, fill))
        gradients.append(gradient("scale", (Fraction(_LEFT), Fraction(0)), (Fraction(_LEFT + 200), Fraction(0)), stops(-1, 1)))
        labels = ((0, f"-{label(most)}", "start"), (100, "0", "middle"), (200, label(most), "end"))
        texts = (f'<text x="{_LEFT + x}" y="{_BOTTOM + 44}" text-anchor="{anchor}">{text}</text>' for x, text, anchor in labels)
        bar = f'<rect x="{_LEFT}" y="{_BOTTOM + 16}" width="200" height="12" fill="url(#scale)"/>{"".join(texts)}'
        legend = f'<g><text x="{_LEFT}" y="{_BOTTOM + 8}">output</text>{bar}</g>'
        return f"<defs>{''.join(gradients)}</defs>" + "\n".join(shapes), legend

    def _ascent(self, form: RationalVector, corner: Place, rise: Fraction) -> tuple[Place, Place]:
        """In the picture, a line from a corner along which an affine map rises by so much, at a right angle to its level lines."""
        a, b, _ = form.fractions()
        x, y = self.place(corner)
        # The map's gradient in the coordinates of the picture, where y points down.
        u, v = a * (self.view.right - self.view.left) / _SIDE, b * (self.view.bottom - self.view.top) / _SIDE
        factor = rise / (u * u + v * v)
        return (x, y), (x + u * factor, y + v * factor)

    def boundary(self, which: Boundary) -> str:
        """The boundary as segments, dots and shaded regions; a segment between two regions is found on both and drawn once."""
        found = (part for region, polygon in self.polygons.items() for part in decision.boundary(self.maps[region], polygon, which))
        return "\n".join(f'<path d="{self.path(part)}"/>' for part in dict.fromkeys(found))

    def walls(self) -> str:
        """The walls between two linear pieces."""
        ends = self.found.neighbours.tolist()
        kept = (part for pair, part in walls(self.found, self.view).items() if len({self.piece(region) for region in ends[pair]}) > 1)
        return "\n".join(f'<path d="{self.path(part)}"/>' for part in kept)

    def graph(self) -> str:
        """The regions, or linear pieces, in the view as dots, joined where they are adjacent; a piece's dot is in its largest region."""
        sizes: dict[int, Fraction] = {}
        middles = {}
        for region, polygon in self.polygons.items():
            shown, size = self.piece(region), area(polygon)
            if shown not in sizes or size > sizes[shown]:
                x, y = zip(*coordinates(polygon), strict=True)
                sizes[shown] = size
                middles[shown] = self.place((sum(x) / Fraction(len(polygon)), sum(y) / Fraction(len(polygon))))
        pairs = (self.found if self.pieces is None else self.pieces).neighbours.tolist()
        lines = "".join(f"M{pair(middles[i])} {pair(middles[j])}" for i, j in pairs if i in middles and j in middles)
        dots = (f'<circle cx="{decimal(x)}" cy="{decimal(y)}" r="1.6"/>' for x, y in middles.values())
        return f'<path d="{lines}"/>\n' + "\n".join(dots)

    def axes(self) -> str:
        """The frame with ticks at round numbers."""
        view, low = self.view, _TOP + _SIDE
        parts = [f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}"/>']
        for x in ticks(view.left, view.right):
            at = decimal(self.place((x, view.bottom))[0])
            parts.append(f'<path class="tick" d="M{at} {low}v5"/><text x="{at}" y="{low + 19}" text-anchor="middle">{label(x)}</text>')
        for y in ticks(view.bottom, view.top):
            at = decimal(self.place((view.left, y))[1])
            text = f'<text x="{_LEFT - 9}" y="{at}" dy="4.5" text-anchor="end">{label(y)}</text>'
            parts.append(f'<path class="tick" d="M{_LEFT} {at}h-5"/>{text}')
        return "\n".join(parts)

    def description(self, colour: Colour, which: Boundary | None) -> str:
        """The picture in words."""
        found, view = self.found, self.view
        bounds = [label(bound) for bound in (view.left, view.right, view.bottom, view.top)]
        outside = sum(
            not (view.left <= x <= view.right and view.bottom <= y <= view.top) for x, y in (point.fractions() for point in found.points())
        )
        meaning = {"pattern": "one for every region", "map": "one for every affine map", "output": "by the output"}[colour]
        if self.pieces is not None:
            meaning = f"{meaning.replace('region', 'linear piece')}. Of {len(self.pieces)} linear pieces only outer walls are drawn"
        drawn = "" if which is None else f" Lines: {_words(which)}."
        return (
            f"{len(self.polygons)} of {found.regions} regions meet the part from {bounds[0]} to {bounds[1]} across and from {bounds[2]} to "
            f"{bounds[3]} upwards; {outside} of {found.vertices} vertices lie outside it. Colours: {meaning}.{drawn}"
            + ("" if found.complete else " The complex is not complete: it is that of the first neurons.")
        )


def _apart(points: Sequence[Place]) -> list[Place]:
    """The corners without those close to the one before: browsers leave a part of a shape blank where an edge is shorter than a pixel."""
    kept = [points[0]]
    for x, y in points[1:]:
        if max(abs(x - kept[-1][0]), abs(y - kept[-1][1])) >= _CLOSE:
            kept.append((x, y))
    return kept


def _at(form: RationalVector, corner: Row) -> Fraction:
    return Fraction(value(form.numerators, corner), form.denominator * corner[2])


def _words(which: Boundary) -> str:
    if which == "decision":
        return "the decision boundary"
    return f"where output {which} is 0" if isinstance(which, int) else f"where outputs {which[0]} and {which[1]} are equal"
