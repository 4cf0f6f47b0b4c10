"""Some cells of a complex with all their faces, as bytes: what a job is given and what it gives back.

The bytes are a line of JSON with types and shapes of arrays, then these, numbers in as few bytes as hold them all. Coordinates, integers
of any length, are two's complement of one width; of vertices that a job has found the edge and the neuron are enough. Nothing is unpickled,
and what is read is checked, so that bytes from a file do no harm.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidFileError
from exactrelu.regions.face_passes import starts_of
from exactrelu.regions.faces import FaceLattice, Facets
from exactrelu.regions.patterns import WORD, Block
from exactrelu.regions.roots import RootForms
from exactrelu.regions.vertices import VertexSigns, Vertices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exactrelu.regions.charts import Row
    from exactrelu.regions.forms import HomogeneousLayers

_TYPES = ("|u1", "<u2", "<u4", "<u8")


@dataclass(frozen=True, eq=False)
class Part:
    """Some cells: their faces, the vertices of these, the words of the cells by blocks, the vertices' signs kept for merging.

    >>> from exactrelu.regions.charts import Chart
    >>> from exactrelu.regions.forms import HomogeneousLayers
    >>> from exactrelu.regions.start import cones
    >>> lattice, vertices = cones([(1, -(2**90))], [False])
    >>> layers = HomogeneousLayers([], Chart.identity(1))
    >>> part = Part(lattice, Vertices(vertices, RootForms(layers)), [], None)
    >>> list(Part.from_bytes(part.to_bytes(), layers).vertices) == vertices
    True
    """

    lattice: FaceLattice
    vertices: Vertices
    patterns: Sequence[tuple[Block, np.ndarray]]
    history: VertexSigns | None

    @property
    def neurons(self) -> list[tuple[int, int]]:
        """The layer and row of every neuron that the cells have been cut along, in this order."""
        return [(block.layer, row) for block, _ in self.patterns for row in block.rows.tolist()]

    def to_bytes(self) -> bytes:
        lattice = self.lattice.compacted()
        arrays = [_integers_as_bytes(self.vertices.given)]
        for facets in lattice.facets[1:]:
            arrays += [facets.length.values, facets.pool.values]
        arrays += _words(self.patterns)
        stages = self.vertices.forms.calls()
        for parents, pattern in stages:
            arrays += [parents, *_words(pattern)]
        cuts, roots, ends = self.vertices.calls()
        arrays += [*np.array(cuts, dtype=np.int64).reshape(-1, 3).T, roots, *ends.T]
        kept = [] if self.history is None else self.history.parts
        arrays += [column.values for part in kept for column in part]
        header = {
            "dimension": lattice.dimension,
            "blocks": len(self.patterns),
            "stages": [len(pattern) for _, pattern in stages],
            "signs": None if self.history is None else len(kept),
        }
        return _as_bytes(header, arrays)

    @staticmethod
    def from_bytes(data: bytes, layers: HomogeneousLayers) -> Part:
        """Raises InvalidFileError where these are not the bytes of a part of a complex of these layers."""
        try:
            return _Reader(data, layers).part()
        except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:80]
            raise InvalidFileError(
                f"the result of a job is no part of this network's complex ({reason}); remove the store that holds it, and run again"
            ) from None


class _Reader:
    """Arrays of a part, read in order and checked."""

    def __init__(self, data: bytes, layers: HomogeneousLayers) -> None:
        self._layers = layers
        self._header, self._arrays = _from_bytes(data)
        self._arrays.reverse()

    def part(self) -> Part:
        given = _integers_from_bytes(self._arrays.pop(), self._layers.chart.dimension + 1)
        lattice = [(self._column(), self._column()) for _ in range(self._header["dimension"])]
        patterns = self._words(self._header["blocks"])
        neurons = [(block.layer, row) for block, _ in patterns for row in block.rows.tolist()]
        _require(neurons == sorted(set(neurons)), "order of neurons")
        vertices = self._vertices(given, neurons)
        count = below = len(vertices)
        facets = []
        for lengths, children in lattice:
            _require(bool((lengths >= 2).all()) and int(lengths.sum()) == len(children) and _below(children, below), "faces")
            facets.append(Facets(lengths, children))
            below = len(lengths)
        _require(below > 0, "cells")
        _require(all(len(words) == below for _, words in patterns), "words of cells")
        history = None
        if self._header["signs"] is not None:
            history = VertexSigns([(self._column(np.uint64), self._column(np.uint64)) for _ in range(self._header["signs"])])
            _require(all(len(column) == count for part in history.parts for column in part), "signs of vertices")
        _require(not self._arrays, "too many arrays")
        return Part(FaceLattice(count, facets), vertices, patterns, history)

    def _column(self, kind: type = np.int32) -> np.ndarray:
        """An array of words, or of numbers: what is no int32 is negative here."""
        array = self._arrays.pop()
        _require(array.ndim == 1 and (array.dtype.itemsize == 8) == (kind is np.uint64), "shape of an array")
        return array.astype(kind)

    def _words(self, count: int) -> list[tuple[Block, np.ndarray]]:
        found = []
        for _ in range(count):
            layer, *rows = self._column().tolist()
            _require(0 <= layer < len(self._layers.layers) and 0 < len(rows) <= WORD, "neurons")
            _require(_below(np.array(rows), self._layers.layers[layer].outputs), "neurons")
            found.append((Block(layer, np.array(rows)), self._column(np.uint64)))
        return found

    def _vertices(self, given: list[Row], neurons: Sequence[tuple[int, int]]) -> Vertices:
        forms = RootForms(self._layers)
        # There is no form of the first layer that depends on a root.
        roots = [2**31]
        for layer, blocks in enumerate(self._header["stages"], 1):
            parents, pattern = self._column(), self._words(blocks)
            _require(_below(parents, roots[-1]) and all(len(words) == len(parents) for _, words in pattern), "cells of a layer")
            _require(all(block.layer == layer - 1 for block, _ in pattern), "neurons of a layer")
            forms.begin_layer(parents, pattern)
            roots.append(len(parents))
        vertices = Vertices(given, forms)
        layers, rows, counts, kept = (self._column() for _ in range(4))
        ends = np.stack([self._column(), self._column()], axis=1)
        cuts = list(zip(layers.tolist(), rows.tolist(), counts.tolist(), strict=True))
        in_order = iter(neurons)
        # What is found in an iterator is behind it: neurons follow one another in the order of the blocks.
        _require(all(cut[:2] in in_order and cut[0] < len(roots) and cut[2] >= 0 for cut in cuts), "neurons of vertices")
        _require(int(counts.sum()) == len(kept) == len(ends), "number of vertices")
        # Vertices lie between earlier ones.
        _require(_below(ends.T, np.repeat(len(given) + starts_of(counts), counts)), "ends of edges")
        _require(_below(kept, np.repeat(np.array(roots)[layers], counts)), "edges")
        vertices.cross_all(cuts, kept, ends)
        return vertices


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(what)


def _below(places: np.ndarray, end: int | np.ndarray) -> bool:
    """Whether all are at least 0, and below the end."""
    return bool(((places >= 0) & (places < end)).all())


def _words(pattern: Iterable[tuple[Block, np.ndarray]]) -> list[np.ndarray]:
    return [array for block, words in pattern for array in (np.array([block.layer, *block.rows.tolist()]), words)]


def _as_bytes(header: dict[str, object], arrays: Sequence[np.ndarray]) -> bytes:
    narrow = [array if array.dtype.kind == "u" else array.astype(np.min_scalar_type(array.max(initial=0))) for array in arrays]
    little = [array.astype(array.dtype.newbyteorder("<"), copy=False) for array in narrow]
    line = json.dumps({**header, "arrays": [[array.dtype.str, array.shape] for array in little]}) + "\n"
    return b"".join([line.encode("ascii"), *(array.tobytes() for array in little)])


def _from_bytes(data: bytes) -> tuple[dict[str, Any], list[np.ndarray]]:
    place = data.index(b"\n") + 1
    header = json.loads(data[:place])
    arrays = []
    for kind, shape in header.pop("arrays"):
        _require(kind in _TYPES and len(shape) <= 3 and all(isinstance(n, int) and n >= 0 for n in shape), "type of an array")
        arrays.append(np.frombuffer(data, dtype=kind, count=prod(shape), offset=place).reshape(shape))
        place += arrays[-1].nbytes
    _require(place == len(data), "length")
    return header, arrays


def _integers_as_bytes(rows: Sequence[Row]) -> np.ndarray:
    """Rows (p, k) of integers as bytes (p, k, width), little end first."""
    width = max(value.bit_length() for row in rows for value in row) // 8 + 1
    joined = b"".join([value.to_bytes(width, "little", signed=True) for row in rows for value in row])
    return np.frombuffer(joined, dtype=np.uint8).reshape(len(rows), -1, width)


def _integers_from_bytes(held: np.ndarray, k: int) -> list[Row]:
    _require(held.ndim == 3 and held.dtype == np.uint8 and held.shape[1] == k and len(held) > 0, "points")
    width, data = held.shape[2], held.tobytes()
    values = [int.from_bytes(data[i : i + width], "little", signed=True) for i in range(0, len(data), max(1, width))]
    rows = [tuple(values[i : i + k]) for i in range(0, len(values), k)]
    _require(len(rows) == len(held) and all(row[-1] >= 0 and any(row) for row in rows), "points")
    return rows
