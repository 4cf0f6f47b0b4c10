"""The adjacency graph of the regions, or of the linear pieces, written as JSON or GraphML or given as a networkx graph (R3).

The same network gives the same bytes. Numbers are "p/q" strings; a pattern is a string with one digit 0 or 1 for every neuron.

>>> import numpy as np
>>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
>>> from exactrelu.regions import regions
>>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [1.0]]), np.ones(2, bool))
>>> found = regions(Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (1,)))
>>> patterns_as_text(found)
['01', '10', '11']
>>> list(graphml_text(found))[-2].rstrip()
'<edge source="r1" target="r2"><data key="flipped">1</data></edge>'
"""

from __future__ import annotations

import json
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exactrelu.errors import InvalidRequestError
from exactrelu.regions.complex import RegionComplex
from exactrelu.regions.linear_pieces import LinearPieces
from exactrelu.saving import save_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from exactrelu.exact.rational import RationalVector
    from exactrelu.regions.jobs.by_part import RegionsByPart
    from exactrelu.regions.jobs.point_order import PointOrder

_KEYS = {
    "r": (("node", "pattern", "string"), ("node", "bounded", "boolean"), ("node", "point", "string"), ("edge", "flipped", "string")),
    "p": (("node", "regions", "string"), ("node", "bounded", "boolean"), ("node", "point", "string"), ("node", "map", "string")),
}


def save_graph(found: RegionComplex | RegionsByPart, path: str | PathLike[str], *, pieces: bool = False) -> None:
    """Write the graph to a file `.json` or `.graphml`; pieces: that of the pieces of a complex with one affine map, see `LinearPieces`.

    Raises InvalidRequestError for another suffix, where it cannot be written, and for pieces of a complex that is not complete.
    """
    path = Path(path)
    check_suffix(path)
    writer = json_text if path.suffix.lower() == ".json" else graphml_text
    if pieces and not isinstance(found, RegionComplex):
        raise InvalidRequestError("the linear pieces of a complex that is told by part are not known; ask for the whole with `regions`")
    save_text(path, writer(LinearPieces(found) if pieces and isinstance(found, RegionComplex) else found))


def check_suffix(path: Path) -> None:
    """Raise InvalidRequestError unless the file is named `.json` or `.graphml`."""
    if path.suffix.lower() not in {".json", ".graphml"}:
        raise InvalidRequestError(f"a graph is written as .json or .graphml, not as {path.name[:80]!r}; give such a name")


def patterns_as_text(found: RegionComplex) -> list[str]:
    """Of every region its pattern as digits 0 and 1."""
    digits = found.patterns().astype("u1") + ord("0")
    return [row.tobytes().decode("ascii") for row in digits]


def json_text(shown: RegionComplex | RegionsByPart | LinearPieces) -> Iterator[str]:
    """The whole complex as one JSON object, in parts: neurons, vertices, regions with their vertices and rays, adjacencies.

    Of linear pieces instead: neurons, pieces with their regions and affine maps, adjacencies.
    """
    found = shown.found if isinstance(shown, LinearPieces) else shown
    yield '{"complete": ' + json.dumps(found.complete)
    yield ',\n"lineality": ' + json.dumps([line.texts() for line in found.lineality])
    yield ',\n"neurons": ' + json.dumps([[neuron.layer, neuron.row] for neuron in found.neurons])
    if isinstance(shown, LinearPieces):
        yield from _array("pieces", _pieces(shown))
        yield from _array("adjacencies", ({"pieces": ends} for ends in shown.neighbours.tolist()))
    elif isinstance(shown, RegionComplex):
        yield from _array("vertices", (point.texts() for point in shown.points()))
        yield from _array("regions", _regions(shown))
    else:
        from exactrelu.regions.jobs.point_order import ordered

        with ordered(part.points() for part in shown.complexes()) as points:
            yield from _array("vertices", (point.texts() for point in points))
            yield from _array("regions", _regions_by_part(shown, points))
    if not isinstance(shown, LinearPieces):
        yield from _array("adjacencies", ({"regions": ends, "flipped": flipped} for ends, flipped in shown.adjacent()))
    yield "}\n"


def _regions(found: RegionComplex) -> Iterator[dict[str, Any]]:
    for region, pattern in enumerate(patterns_as_text(found)):
        yield {
            "pattern": pattern,
            "bounded": bool(found.bounded[region]),
            "point": found.interior_point(region).texts(),
            "vertices": found.vertices_of(region),
            "rays": [ray.texts() for ray in found.rays_of(region)],
        }


def _regions_by_part(found: RegionsByPart, points: PointOrder) -> Iterator[dict[str, Any]]:
    for number, part in enumerate(found.complexes()):
        places = points.places(number)
        for region in _regions(part):
            yield {**region, "vertices": places[list(region["vertices"])].tolist()}


def _pieces(pieces: LinearPieces) -> Iterator[dict[str, Any]]:
    patterns = patterns_as_text(pieces.found)
    for piece in range(len(pieces)):
        regions = pieces.regions_of(piece)
        yield {
            "regions": regions,
            "patterns": [patterns[region] for region in regions],
            "bounded": bool(pieces.bounded[piece]),
            "point": pieces.found.interior_point(regions[0]).texts(),
            "map": [row.texts() for row in pieces.affine_map(piece)],
        }


def _array(name: str, values: Iterator[Any]) -> Iterator[str]:
    yield f',\n"{name}": ['
    separator = "\n"
    for value in values:
        yield separator + json.dumps(value)
        separator = ",\n"
    yield "]"


def graphml_text(shown: RegionComplex | RegionsByPart | LinearPieces) -> Iterator[str]:
    """The graph as GraphML, line by line: regions with pattern, boundedness and an interior point, edges with the neurons flipped.

    Of linear pieces instead: their regions, boundedness, a point inside and the affine map, its rows divided by semicolons.
    """
    if isinstance(shown, LinearPieces):
        letter, nodes = "p", _piece_nodes(shown)
        edges: Iterator[tuple[list[int], dict[str, str]]] = ((ends, {}) for ends in shown.neighbours.tolist())
    else:
        parts = [shown] if isinstance(shown, RegionComplex) else shown.complexes()
        letter, nodes = "r", chain.from_iterable(map(_region_nodes, parts))
        edges = ((ends, {"flipped": " ".join(map(str, flipped))}) for ends, flipped in shown.adjacent())
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    for domain, name, kind in _KEYS[letter]:
        yield f'<key id="{name}" for="{domain}" attr.name="{name}" attr.type="{kind}"/>\n'
    yield '<graph edgedefault="undirected">\n'
    for number, data in enumerate(nodes):
        yield f'<node id="{letter}{number}">{_data(data)}</node>\n'
    for (first, second), data in edges:
        yield f'<edge source="{letter}{first}" target="{letter}{second}">{_data(data)}</edge>\n'
    yield "</graph>\n</graphml>\n"


def _region_nodes(found: RegionComplex) -> Iterator[dict[str, str]]:
    for region, pattern in enumerate(patterns_as_text(found)):
        yield {"pattern": pattern, **_where(found.bounded[region], found.interior_point(region))}


def _piece_nodes(pieces: LinearPieces) -> Iterator[dict[str, str]]:
    for piece in range(len(pieces)):
        regions = pieces.regions_of(piece)
        place = _where(pieces.bounded[piece], pieces.found.interior_point(regions[0]))
        rows = (" ".join(row.texts()) for row in pieces.affine_map(piece))
        yield {"regions": " ".join(map(str, regions)), **place, "map": "; ".join(rows)}


def _where(bounded: bool, point: RationalVector) -> dict[str, str]:
    return {"bounded": str(bool(bounded)).lower(), "point": " ".join(point.texts())}


def _data(values: dict[str, str]) -> str:
    return "".join(f'<data key="{name}">{value}</data>' for name, value in values.items())


def to_networkx(found: RegionComplex, *, pieces: bool = False) -> Any:
    """The graph as a `networkx.Graph`: nodes have `pattern`, `bounded`, `point`, edges `flipped`, a tuple of places in `neurons`.

    pieces: that of the linear pieces, nodes with `regions`, `bounded`, `map`. Raises InvalidRequestError where networkx is not installed,
    and for pieces of a complex that is not complete.
    """
    try:
        networkx: Any = import_module("networkx")
    except ImportError:
        raise InvalidRequestError("networkx is not installed; run: pip install networkx") from None
    graph = networkx.Graph()
    if pieces:
        merged = LinearPieces(found)
        for piece in range(len(merged)):
            graph.add_node(piece, regions=merged.regions_of(piece), bounded=bool(merged.bounded[piece]), map=merged.affine_map(piece))
        graph.add_edges_from(merged.neighbours.tolist())
        return graph
    for region, pattern in enumerate(patterns_as_text(found)):
        graph.add_node(region, pattern=pattern, bounded=bool(found.bounded[region]), point=found.interior_point(region))
    for pair, (first, second) in enumerate(found.neighbours.tolist()):
        graph.add_edge(first, second, flipped=found.flipped(pair))
    return graph
