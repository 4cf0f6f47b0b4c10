"""How stable is the inverse: singular values of the linearisations of a network, in floats and proved (theory S).

On the region P of a point the network is F(x) = A_P x + b_P, and sigma_min |x - x'| <= |F(x) - F(x')| <= sigma_max |x - x'| for x, x' in
P with x - x' orthogonal to ker A_P. Floats compute the singular values; each is then enclosed by a proof, and the rank is exact.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.gram import LARGEST_REFINED, count_below, refined_spectrum
from exactrelu.exact.spectrum import Spectrum, check_arithmetic, enclosed_spectrum
from exactrelu.network.symbolic import check_size
from exactrelu.stability.answer import LayerStability, ProvedSpectrum
from exactrelu.stability.boundary import Wall, Walls
from exactrelu.stability.device import Device
from exactrelu.stability.full_rank import sparse_matrices
from exactrelu.stability.linearisation import Linearisation, Step, activations, linearisations
from exactrelu.stability.matrix_free import extreme_values
from exactrelu.stability.removal import removed_rows
from exactrelu.stability.tall import spectrum_of_tall
from exactrelu.stability.written import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from exactrelu.exact.enclosed import EnclosedMatrix
    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Network, SourceLayer
    from exactrelu.stability.linearisation import Depth

# From so many columns on a tall matrix is tried by its Gram matrix first.
_SMALLEST_TALL = 1024

# What proved bounds rest on besides their proof.
ROUNDING_NOTE = (
    "Bounds of singular values assume that float64 here rounds to nearest and that matrix products are sums of products; both were probed."
)

__all__ = ["ROUNDING_NOTE", "LayerStability", "ProvedSpectrum", "StabilityModel", "stability"]


def stability(
    network: Network,
    points: Iterable[RationalVector],
    *,
    layer: int | str | None = None,
    through: int | str | None = None,
    before: bool = False,
    neighbours: bool = False,
    below: Sequence[Fraction] = (),
    sharp: bool = False,
    removed: int = 0,
    symbolic: bool = False,
    device: str = "cpu",
    dtype: str = "float64",
    most_bytes: int = 2**32,
) -> list[LayerStability]:
    """Singular values of the linearisations at points, each with a proved enclosure, and exact ranks (theory S1, S2, S3).

    points: inputs of the network. layer: of that layer alone; through: of the network up to and with that one; with neither, of the
    network up to every layer in its turn. before: also without the last relu. neighbours: also the extreme singular values just beyond
    the nearest wall of the region. below: thresholds, for each of which the singular values below it are counted. sharp: narrower
    enclosures by exact products, about six times as long. dtype: float64 or float32, that of the singular value decomposition, which
    proposes; what is proved is in float64 in any case. removed: of a layer alone, how many of the rows that its relu removes to list,
    those that bound the smallest singular value best (theory S4). symbolic: also the affine map and its exact singular values, as LaTeX,
    of networks with up to 2000 weights. most_bytes: where the matrices of a linearisation need more memory, it
    is asked about by products with vectors and sparse matrices alone; see `matrix_free` for what can then be proved, without what the
    options above ask for.

    Raises InvalidRequestError for points of another length, a layer or a device that does not exist, and a network without a relu.

    >>> from exactrelu import DyadicMatrix, Layer, Network, RationalVector, SourceLayer
    >>> layer = Layer(DyadicMatrix.from_floats([[3.0, 0], [0, 4], [1, 1]]), DyadicMatrix.from_floats([[0], [0], [-9]]), np.ones(3, bool))
    >>> network = Network((layer,), (SourceLayer(1, "first", (layer,), 0),), (), (2,))
    >>> (found,) = stability(network, [RationalVector((1, 1))])
    >>> found.after.exact_rank, [round(float(value), 9) for value in found.after.sigma_min]
    (2, [3.0, 3.0])
    """
    model = StabilityModel(
        network,
        layer=layer,
        through=through,
        before=before,
        neighbours=neighbours,
        below=below,
        sharp=sharp,
        removed=removed,
        symbolic=symbolic,
        device=device,
        dtype=dtype,
        most_bytes=most_bytes,
    )
    return [found for row, x in enumerate(points) for found in model.at(x, row)]


class StabilityModel:
    """A question about stability, prepared: what all points share is computed once. The arguments are those of `stability`."""

    def __init__(
        self,
        network: Network,
        *,
        layer: int | str | None = None,
        through: int | str | None = None,
        before: bool = False,
        neighbours: bool = False,
        below: Sequence[Fraction] = (),
        sharp: bool = False,
        removed: int = 0,
        symbolic: bool = False,
        device: str = "cpu",
        dtype: str = "float64",
        most_bytes: int = 2**32,
    ) -> None:
        if layer is not None and through is not None:
            raise InvalidRequestError("give --layer, for a layer alone, or --through, for the network up to one, not both")
        if any(threshold < 0 for threshold in below):
            raise InvalidRequestError("singular values are counted below a threshold that is not negative")
        if not any(one.rectified.any() for one in network.layers):
            raise InvalidRequestError("the network has no relu: it is one linear map, whose singular values any float library gives")
        self.device = Device.named(device, dtype)
        self.network = network
        self.sources: tuple[SourceLayer, ...]
        if layer is not None:
            self.sources = (network.layer(layer),)
        else:
            self.sources = network.source_layers if through is None else (network.layer_through(through),)
        self.composed = layer is None
        self._before, self._neighbours = before, neighbours
        self._below, self._sharp, self._removed = tuple(below), sharp, removed
        layers = self.sources[0].stages if layer is not None else network.layers
        self.steps = tuple(Step(one) for one in layers)
        self._symbolic = symbolic
        if symbolic:
            check_size(sum(one.outputs * one.inputs for one in layers))
        self._first: ProvedSpectrum | None = None
        tallest, inputs = max(one.outputs for one in layers[: max(self._ends())]), layers[0].inputs
        # A matrix, its copy in LAPACK or a product, left singular vectors, what waits meanwhile; and squares of right ones and workspace.
        self._most_bytes = most_bytes
        self._is_dense = 8 * inputs * ((3 + before + neighbours) * tallest + 6 * inputs) <= most_bytes

    def _ends(self) -> dict[int, SourceLayer]:
        """After how many steps each source layer ends."""
        return {one.depth * self.composed + len(one.stages): one for one in self.sources}

    def at(self, x: RationalVector, row: int = 0) -> Iterator[LayerStability]:
        """The answers at an input of the network, one a layer; raises InvalidRequestError for another length."""
        if len(x) != self.network.inputs:
            raise InvalidRequestError(f"a point with {len(x)} coordinates was given to a network with {self.network.inputs} inputs")
        check_arithmetic()
        begin = time.perf_counter()
        ends = self._ends()
        start = x if self.composed else self.network.layer_input(self.sources[0].number, x)
        if not self._is_dense:
            yield from self._matrix_free(ends, start, row)
            return
        walls = Walls(start)
        for count, depth in enumerate(linearisations(self.steps[: max(ends)], start, before=self._before), 1):
            walls.take(depth)
            if count in ends:
                yield self._answer(ends[count], depth, walls.nearest, start, row, begin)
                begin = time.perf_counter()

    def _matrix_free(self, ends: Mapping[int, SourceLayer], x: RationalVector, row: int) -> Iterator[LayerStability]:
        begin = time.perf_counter()
        steps = self.steps[: max(ends)]
        masks = [active for _, active in activations(steps, x)]
        for count, matrix in enumerate(sparse_matrices(steps, masks, most_bytes=self._most_bytes), 1):
            if count in ends:
                source, active = ends[count], masks[count - 1]
                own = active & (np.arange(len(active)) < source.outputs)
                rows = None if matrix is None else matrix.rows(own[active])
                found = extreme_values(steps[:count], [*masks[: count - 1], own], rows, most_bytes=self._most_bytes)
                seconds = time.perf_counter() - begin
                yield LayerStability(
                    row,
                    source.number,
                    source.name,
                    self.composed,
                    int(own.sum()),
                    found,
                    None,
                    self.device.name,
                    self.device.precision,
                    seconds,
                    {"boundary": None},
                )
                begin = time.perf_counter()

    def _answer(self, source: SourceLayer, depth: Depth, wall: Wall | None, x: RationalVector, row: int, begin: float) -> LayerStability:
        before, after = depth.before, depth.after.first(source.outputs)
        whole = self._without_relu(before.first(source.outputs)) if before is not None and len(source.stages) == 1 else None
        proved = whole if whole is not None and after.active == after.outputs else self.proved(after)
        more: dict[str, Any] = {"boundary": None if wall is None else self._boundary(wall, after, x)}
        if self._removed and not self.composed and len(source.stages) == 1:
            rows = removed_rows(source.stages[0], x, most=self._removed, rank=proved.exact_rank)
            more["removed"] = [row.record() for row in rows]
        if self._symbolic:
            more["latex"] = written(after, x)
        return LayerStability(
            row=row,
            layer=source.number,
            name=source.name,
            composed=self.composed,
            active=after.active,
            after=proved,
            before=whole,
            device=self.device.name,
            precision=self.device.precision,
            seconds=time.perf_counter() - begin,
            more=more,
        )

    def _without_relu(self, before: Linearisation) -> ProvedSpectrum:
        """Before its first relu a network is the same at all points."""
        if len(before.steps) > 1:
            return self.proved(before)
        if self._first is None:
            self._first = self.proved(before)
        return self._first

    def _boundary(self, wall: Wall, here: Linearisation, x: RationalVector) -> dict[str, Any]:
        layers = self.network.source_layers if self.composed else self.sources
        starts = [one.depth * self.composed for one in layers]
        found = (one.number for one, start in zip(layers, starts, strict=True) if start < wall.step <= start + len(one.stages))
        beyond = {"beyond": self._beyond(wall, here, x)} if self._neighbours else {}
        return {"layer": next(found, None), **wall.record(), **beyond}

    def _beyond(self, wall: Wall, here: Linearisation, x: RationalVector) -> dict[str, Any] | None:
        """The extreme singular values just beyond a wall, and how many neurons are switched there; None where x lies on the wall."""
        point = wall.beyond(x)
        if point is None:
            return None
        for depth in linearisations(here.steps, point):
            there = depth.after.first(here.outputs)
        switched = sum(int((a != b).sum()) for a, b in zip(here.masks, there.masks, strict=True))
        return {"switched": switched, **self.proved(there).extremes()}

    def proved(self, linearisation: Linearisation) -> ProvedSpectrum:
        """Floats propose the singular values, a proof encloses them, and the exact rank says which are 0."""
        matrix, shape = linearisation.matrix, linearisation.shape
        spectrum, s, vt = self._proposed(matrix)
        rank = linearisation.rank(spectrum.positive)
        spectrum = spectrum.of_rank(rank[1])
        if spectrum.positive < rank[0] and linearisation.is_small and min(matrix.shape) <= LARGEST_REFINED:
            spectrum = spectrum.intersected(refined_spectrum(linearisation.exact))
        spectrum = spectrum.padded(min(shape))
        numeric_rank = self.device.numeric_rank(s, shape)
        counts = {threshold: _counted(spectrum, linearisation, threshold) for threshold in self._below}
        return ProvedSpectrum(shape, spectrum, rank, s, matrix.exponent, vt, numeric_rank, counts)

    def _proposed(self, matrix: EnclosedMatrix) -> tuple[Spectrum, np.ndarray, np.ndarray]:
        """(proved bounds, float singular values, right singular vectors) without the help of the rank."""
        m, n = matrix.shape
        if m >= n >= _SMALLEST_TALL and self.device.precision == "float64" and not self._sharp:
            found = spectrum_of_tall(matrix, self.device)
            if found is not None:
                return found
        matrix = matrix.dense()
        u, s, vt = self.device.decomposition(matrix.floats)
        return enclosed_spectrum(matrix, u, s, vt, slices=self._sharp), s, vt


def _counted(spectrum: Spectrum, linearisation: Linearisation, threshold: Fraction) -> tuple[int, int]:
    """How many singular values are below a threshold: what the intervals leave open of a small matrix its integers settle (theory S2)."""
    least, most = spectrum.below(threshold)
    if least < most and linearisation.is_small:
        found = count_below(linearisation.exact, threshold)
        if found is not None:
            # Rows of zeros that were left out have singular values of 0.
            least = most = found + (len(spectrum) - min(linearisation.matrix.shape)) * (threshold > 0)
    return least, most
