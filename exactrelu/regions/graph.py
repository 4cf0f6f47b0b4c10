"""The adjacency graph of the regions, written as JSON or GraphML or given as a networkx graph (R3).

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
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from exactrelu.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from exactrelu.regions.complex import RegionComplex

_KEYS = (("node", "pattern", "string"), ("node", "bounded", "boolean"), ("node", "point", "string"), ("edge", "flipped", "string"))


def save_graph(found: RegionComplex, path: str | PathLike[str]) -> None:
    """Write the graph to a file `.json` or `.graphml`; raises InvalidRequestError for another suffix and where it cannot be written."""
    path = Path(path)
    check_suffix(path)
    writer = json_text if path.suffix.lower() == ".json" else graphml_text
    try:
        with path.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(writer(found))
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be written: {error.strerror or error}; check the folder and its permissions") from None


def check_suffix(path: Path) -> None:
    """Raise InvalidRequestError unless the file is named `.json` or `.graphml`."""
    if path.suffix.lower() not in {".json", ".graphml"}:
        raise InvalidRequestError(f"a graph is written as .json or .graphml, not as {path.name[:80]!r}; give such a name")


def patterns_as_text(found: RegionComplex) -> list[str]:
    """Of every region its pattern as digits 0 and 1."""
    digits = found.patterns().astype("u1") + ord("0")
    return [row.tobytes().decode("ascii") for row in digits]


def json_text(found: RegionComplex) -> Iterator[str]:
    """The whole complex as one JSON object, in pieces: neurons, vertices, regions with their vertices and rays, adjacencies."""
    yield '{"complete": ' + json.dumps(found.complete)
    yield ',\n"lineality": ' + json.dumps([line.texts() for line in found.lineality])
    yield ',\n"neurons": ' + json.dumps([[neuron.layer, neuron.row] for neuron in found.neurons])
    yield from _array("vertices", (point.texts() for point in found.points()))
    yield from _array("regions", _regions(found))
    yield from _array("adjacencies", _adjacencies(found))
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


def _adjacencies(found: RegionComplex) -> Iterator[dict[str, Any]]:
    for pair, ends in enumerate(found.neighbours.tolist()):
        yield {"regions": ends, "flipped": found.flipped(pair)}


def _array(name: str, values: Iterator[Any]) -> Iterator[str]:
    yield f',\n"{name}": ['
    separator = "\n"
    for value in values:
        yield separator + json.dumps(value)
        separator = ",\n"
    yield "]"


def graphml_text(found: RegionComplex) -> Iterator[str]:
    """The graph as GraphML, line by line: regions with pattern, boundedness and an interior point, edges with the neurons flipped."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    for domain, name, kind in _KEYS:
        yield f'<key id="{name}" for="{domain}" attr.name="{name}" attr.type="{kind}"/>\n'
    yield '<graph edgedefault="undirected">\n'
    for region, pattern in enumerate(patterns_as_text(found)):
        bounded, point = str(bool(found.bounded[region])).lower(), " ".join(found.interior_point(region).texts())
        data = f'<data key="pattern">{pattern}</data><data key="bounded">{bounded}</data><data key="point">{point}</data>'
        yield f"<node id={quoteattr(f'r{region}')}>{data}</node>\n"
    for pair, (first, second) in enumerate(found.neighbours.tolist()):
        flipped = " ".join(map(str, found.flipped(pair)))
        yield f'<edge source="r{first}" target="r{second}"><data key="flipped">{flipped}</data></edge>\n'
    yield "</graph>\n</graphml>\n"


def to_networkx(found: RegionComplex) -> Any:
    """The graph as a `networkx.Graph`: nodes have `pattern`, `bounded`, `point`, edges `flipped`, a tuple of places in `neurons`.

    Raises InvalidRequestError where networkx is not installed.
    """
    try:
        networkx: Any = import_module("networkx")
    except ImportError:
        raise InvalidRequestError("networkx is not installed; run: pip install networkx") from None
    graph = networkx.Graph()
    for region, pattern in enumerate(patterns_as_text(found)):
        graph.add_node(region, pattern=pattern, bounded=bool(found.bounded[region]), point=found.interior_point(region))
    for pair, (first, second) in enumerate(found.neighbours.tolist()):
        graph.add_edge(first, second, flipped=found.flipped(pair))
    return graph
