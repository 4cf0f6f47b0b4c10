"""Euler characteristic and Betti numbers of where an output vanishes, or where outputs are largest together, exactly.

On a piece of the complex every output F_i is affine. All pieces are cut along F_i, or along F_k - max(F_0, .., F_{k-1}) for k = 1, 2, ..;
the boundary is then the union of the faces at all of whose vertices and rays F_i = 0, or the outputs asked about are the largest. Only
the outputs' values at vertices are needed for this: a new vertex on an edge has the values between those at its ends.

The boundary need not be bounded, its homology is that of the set itself. It is the homology of its bounded faces: *the union K of some
faces of the pieces, closed under taking faces, deformation retracts onto the union of the bounded ones among them.*

Proof. A piece is a pointed cone in homogeneous coordinates, so no face holds a line. Let C be maximal among the recession cones of K's
faces, C not 0, and c inside C. Push every point x of a face f whose recession cone is C along -c until it leaves f, by the length
max{s : x - s c in f}: finite, since f holds no line, and continuous, since f = {a_i x <= b_i} gives it as the minimum over a_i c < 0 of
(b_i - a_i x) / -a_i c. The line lies in the affine hull of each face of f that has the recession cone C, so that faces that meet agree;
a face of f with a smaller cone has an a_i which is not 0 on C, so a_i c < 0, and does not move. What is left is K without the faces
of recession cone C, closed under taking faces as C is maximal. Repeat until only the cone 0 is left.

Bounded faces are a regular cell complex: Betti numbers are those of its chains over the field of two elements, in which signs play no
role. In dimension up to 3 they are the same over every field: by Alexander duality such a set has no torsion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import fmpz_mat

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.linalg import pivot_columns
from exactrelu.regions.charts import primitive
from exactrelu.regions.decision import boundary_text, boundary_words, check_outputs, parse_boundary
from exactrelu.regions.faces import FaceLattice, Facets
from exactrelu.regions.vertices import value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exactrelu.exact.rational import RationalVector
    from exactrelu.regions.charts import Row
    from exactrelu.regions.complex import RegionComplex
    from exactrelu.regions.decision import Boundary

_BIT = np.uint64(1)
# Every direction that is put back makes about three faces of one.
_MOST_FACES = 2**22


@dataclass(frozen=True)
class BoundaryTopology:
    """The shape of a boundary in a domain of dimension d.

    betti: (b_0, .., b_{d-1}) over the field of two elements: b_0 components; for d > 1 what is left of R^d has b_{d-1} bounded components.
    The Euler characteristic, counted from faces, is b_0 - b_1 + .. dimension: the largest of a face, -1 where the boundary is empty.
    faces: how many it has of every dimension from 0 to d, bounded or not, in the complex of pieces, which artificial walls may divide.
    filled_regions: those of which it holds a full-dimensional part.
    """

    dimension: int
    bounded: bool
    euler_characteristic: int
    betti: tuple[int, ...]
    faces: tuple[int, ...]
    filled_regions: tuple[int, ...]

    def record(self, which: Boundary) -> dict[str, Any]:
        """The numbers as JSON has them; of the filled regions how many there are."""
        held = {word: getattr(self, word) for word in ("dimension", "bounded", "euler_characteristic")}
        return {"boundary": boundary_text(which), **held, "betti": list(self.betti), "filled_regions": len(self.filled_regions)}


def topology_text(record: Mapping[str, Any]) -> str:
    """A `record` in words.

    >>> record = BoundaryTopology(1, True, -1, (2, 3), (9, 9, 0), ()).record("decision")
    >>> topology_text(record)
    'the decision boundary: dimension 1, bounded, Betti numbers 2, 3 over the field of two elements, Euler characteristic -1'
    """
    name = boundary_words(parse_boundary(record["boundary"]))
    if record["dimension"] < 0:
        return f"{name}: empty"
    filled = f" (parts of {record['filled_regions']} regions)" if record["filled_regions"] else ""
    return (
        f"{name}: dimension {record['dimension']}{filled}, {'bounded' if record['bounded'] else 'unbounded'}, Betti numbers "
        f"{', '.join(map(str, record['betti']))} over the field of two elements, Euler characteristic {record['euler_characteristic']}"
    )


def boundary(found: RegionComplex, which: Boundary) -> BoundaryTopology:
    """The topology of a boundary of a complete complex in any dimension (R3).

    which: i for {F_i = 0}; (i, j) for where outputs i and j are the largest, both; "decision" for {F = 0} where there is one output, and
    else for where two outputs are the largest.

    Raises InvalidRequestError where the complex is not complete, for an output that does not exist, and where there would be too many
    faces.

    >>> from exactrelu import DyadicMatrix, Layer, Network, SourceLayer
    >>> from exactrelu.regions import regions
    >>> signs = DyadicMatrix.from_floats([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    >>> layers = (
    ...     Layer(signs, DyadicMatrix.from_floats([[0.0]] * 4), np.ones(4, bool)),
    ...     Layer(DyadicMatrix.from_floats([[1.0] * 4]), DyadicMatrix.from_floats([[-1.0]]), np.zeros(1, bool)),
    ... )
    >>> found = regions(Network(layers, (SourceLayer(1, "both", layers, 0),), (), (2,)))
    >>> boundary(found, "decision")  # |x| + |y| = 1: a closed curve
    BoundaryTopology(dimension=1, bounded=True, euler_characteristic=0, betti=(1, 1), faces=(4, 4, 0), filled_regions=())
    """
    outputs = len(found.affine_map(0))
    check_outputs(outputs, which)
    if which == "decision" and outputs == 1:
        which = 0
    pieces = _Pieces(found, slice(which, which + 1) if isinstance(which, int) else slice(None))
    if isinstance(which, int):
        pieces.cut(lambda values: values[0])
        return pieces.topology([[values[0] == 0] for values in pieces.values], 1)
    for k in range(1, outputs):
        pieces.cut(partial(_lead, k))
    asked, needed = (range(outputs), 2) if which == "decision" else (sorted(set(which)), len(set(which)))
    return pieces.topology([[values[k] == max(values) for k in asked] for values in pieces.values], needed)


class _Pieces:
    """The pieces of a complex, to be cut further, with the values of some outputs at every vertex and ray, up to a positive factor."""

    def __init__(self, found: RegionComplex, outputs: slice) -> None:
        everything = np.arange(found._pieces.counts()[-1])
        self._lattice, _ = found._pieces.restricted(everything)
        self._region = found._piece_numbers[-1]
        points = [found._inner.homogeneous(vertex) for vertex in found._homogeneous]
        self._finite = [point[-1] > 0 for point in points]
        home = np.zeros(len(points), dtype=np.int64)
        cells, vertices = found._pieces.spanning()
        home[vertices] = self._region[cells]
        maps = {region: found.affine_map(region)[outputs] for region in {*home.tolist(), 0}}
        self.values = [_values(maps[region], point) for region, point in zip(home.tolist(), points, strict=True)]
        along = [_values(maps[0], (*line.numerators, 0)) for line in found.lineality]
        rising = _independent(along)
        # Along all other directions no value changes, once multiples of the rising ones are added: they are a factor R^k.
        self._flat = len(along) - len(rising)
        if rising and sum(self._lattice.counts()) * 3 ** len(rising) > _MOST_FACES:
            raise InvalidRequestError(
                f"the outputs change along {len(rising)} directions in which no pattern does, which makes too many faces; give a domain or"
                " a slice"
            )
        for direction in rising:
            self._lattice = suspended(self._lattice)
            self.values += [along[direction], tuple(-entry for entry in along[direction])]
            self._finite += [False, False]
            self._region = np.concatenate([self._region, self._region])

    def cut(self, form: Callable[[Row], int]) -> None:
        """Cut along a function of the values that is linear on every piece and edge."""
        lattice, at = self._lattice, [form(values) for values in self.values]
        lattice.settle()
        lattice.mark(*(np.array([sign * entry > 0 for entry in at], dtype=np.uint64) for sign in (1, -1)))

        def cut_edges(edges: np.ndarray, plus: np.ndarray, minus: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            for p, n in zip(plus.tolist(), minus.tolist(), strict=True):
                between = [at[p] * b - at[n] * a for a, b in zip(self.values[p], self.values[n], strict=True)]
                self.values.append(primitive(between))
                self._finite.append(self._finite[p] or self._finite[n])
            nothing = np.zeros(len(edges), dtype=np.uint64)
            return nothing, nothing

        lattice.split(_BIT, cut_edges)
        self._region = self._region[lattice.home[-1].values]

    def topology(self, holds: Sequence[Sequence[bool]], needed: int) -> BoundaryTopology:
        """That of the faces for which so many conditions hold at every vertex and ray; holds: of every vertex the conditions."""
        lattice = self._lattice
        lattice.settle()
        fails = ~np.array(holds, dtype=bool).reshape(len(holds), -1)
        held = [np.zeros(count, dtype=np.int64) for count in lattice.counts()]
        for column in fails.T:
            held = [total + (failed == 0) for total, failed in zip(held, lattice.unions(column.astype(np.uint8)), strict=True)]
        finite = np.array(self._finite, dtype=np.uint8)
        inside = [(total >= needed) & (seen > 0) for total, seen in zip(held, lattice.unions(finite), strict=True)]
        bounded = [chosen & (rays == 0) for chosen, rays in zip(inside, lattice.unions(1 - finite), strict=True)]
        faces = [int(chosen.sum()) for chosen in inside]
        dimension = lattice.dimension + self._flat
        return BoundaryTopology(
            dimension=max((k + self._flat for k, count in enumerate(faces) if count), default=-1),
            bounded=not (faces[0] and self._flat) and all((a == b).all() for a, b in zip(inside, bounded, strict=True)),
            euler_characteristic=sum((-1) ** k * int(chosen.sum()) for k, chosen in enumerate(bounded)),
            betti=(*betti_numbers(lattice, bounded), *[0] * self._flat)[: max(1, dimension)],
            faces=(*[0] * self._flat, *faces),
            filled_regions=tuple(np.unique(self._region[inside[-1]]).tolist()),
        )


def betti_numbers(lattice: FaceLattice, chosen: Sequence[np.ndarray]) -> list[int]:
    """(b_0, .., b_d) over the field of two elements of some bounded faces, closed under taking faces; chosen: of every dimension a mask.

    Row k of the coboundary has the (k+1)-faces around a k-face. Those k-faces that were pivots one dimension below are left out: a
    reduced row p + q + .. is a coboundary, so that the row of p is the sum of those of q, .., which are no pivots.
    """
    ranks, pivots = [0], np.zeros(0, dtype=np.int64)
    for k in range(lattice.dimension):
        faces = np.flatnonzero(chosen[k + 1])
        owner, child = lattice.facets[k + 1].of(faces)
        left = ~np.isin(child, pivots)
        pivots = (_spanning_forest if k == 0 else _pivots)(faces[owner[left]], child[left])
        ranks.append(len(pivots))
    counts = (int(mask.sum()) for mask in chosen)
    return [count - below - above for count, below, above in zip(counts, ranks, [*ranks[1:], 0], strict=True)]


def _spanning_forest(edges: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The edges of a spanning forest: pivots of the incidence matrix; every edge stands twice, next to itself, with its two ends."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    if not len(edges):
        return edges
    size = int(ends.max()) + 1
    # No two bounded edges have the same ends, so that every entry is the number of one edge, from 1.
    forest = minimum_spanning_tree(csr_array((edges[::2] + 1.0, (ends[::2], ends[1::2])), shape=(size, size)))
    return np.asarray(forest.data, dtype=np.int64) - 1


def _pivots(columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The pivot columns of a matrix over the field of two elements, given by the places of its ones."""
    order = np.argsort(rows, kind="stable")
    starts = np.flatnonzero(np.diff(rows[order], prepend=-1))
    reduced: dict[int, set[int]] = {}
    for part in np.split(columns[order], starts[1:]):
        row = set(part.tolist())
        while row:
            pivot = max(row)
            if pivot not in reduced:
                reduced[pivot] = row
                break
            row ^= reduced[pivot]
    return np.fromiter(reduced, dtype=np.int64, count=len(reduced))


def _lead(k: int, values: Row) -> int:
    """By how much output k is above those before it."""
    return values[k] - max(values[:k])


def _values(maps: Sequence[RationalVector], point: Row) -> Row:
    """Affine maps (a, .., b) at a homogeneous point, all times one positive number."""
    common = math.lcm(*(form.denominator for form in maps))
    return primitive([value(form.numerators, point) * (common // form.denominator) for form in maps])


def _independent(rows: Sequence[Row]) -> list[int]:
    """The places of rows that form a basis of what all of them span."""
    if not rows or not rows[0]:
        return []
    reduced, _, rank = fmpz_mat(len(rows[0]), len(rows), [entry for column in zip(*rows, strict=True) for entry in column]).rref()
    return pivot_columns(reduced, int(rank))


def suspended(lattice: FaceLattice) -> FaceLattice:
    """The faces f of a complex in a hyperplane, and those that f spans with a ray to either side, called f+ and f-.

    The faces of every dimension are numbered f first, then f+, then f-. Two rays, + and -, are the last of dimension 0.
    """
    counts = [1, *lattice.counts()]  # from the empty face, whose dimension is -1
    facets = []
    for k in range(1, lattice.dimension + 2):
        own = np.arange(counts[k])
        # The facets of f+ are f, and g+ for those g of f; of a vertex that is the empty face.
        face, g = lattice.facets[k - 1].of(own) if k > 1 else (own, np.zeros(counts[k], dtype=np.int64))
        parts = [(own, own), (face, counts[k] + g), (own + counts[k], own), (face + counts[k], counts[k] + counts[k - 1] + g)]
        before = 0
        if k <= lattice.dimension:
            before = counts[k + 1]
            owner, child = lattice.facets[k].of(np.arange(before))
            parts = [(owner, child), *((one + before, other) for one, other in parts)]
        owner, child = (np.concatenate(part) for part in zip(*parts, strict=True))
        facets.append(Facets(np.bincount(owner, minlength=before + 2 * counts[k]), child[np.argsort(owner, kind="stable")]))
    return FaceLattice(counts[1] + 2, facets)
