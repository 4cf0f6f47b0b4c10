"""The pre-image of one large sparse layer, a convolution say: decided by ranks modulo a prime, never as a dense matrix (theory P2, C7).

If the rows of a system, up to multiples, are linearly independent, their values on a direction d may be chosen freely, and no
cone has to be searched: only rows that are equalities, or that stand on both sides, vanish on the system's cone. If they are
more than the inputs, the active rows usually have full rank, and the point is the only one. What neither settles is left
to `LayerPreimage` where the layer fits into memory as a dense matrix, and undecided, or decided in part, where not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.certificates import Direction, Rank, RecessionDirection, StrictRay, ThroughCertificate, Vector, hexadecimal
from exactrelu.domain import AllSpace, Box, Orthant, refuse_ball
from exactrelu.errors import CertificateError, InvalidRequestError
from exactrelu.exact.directions import Directions, directions
from exactrelu.exact.linalg import mask_of
from exactrelu.exact.margin_certificate import ray_certificate
from exactrelu.exact.modular import PRIMES, SparseRanks
from exactrelu.exact.patch_direction import patch_direction
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.exact.sparse_evidence import conditioned_block, descending_direction
from exactrelu.exact.system import ConeSystem, RowSet
from exactrelu.preimage.grounds import EmptyGrounds, PointGrounds
from exactrelu.preimage.layer import LayerPreimage, polytope_rows, tight_polytope_rows, tight_sides, written_certificate
from exactrelu.verdict import Cardinality, Preimage

if TYPE_CHECKING:
    from exactrelu.certificates import Certificate, DataSource
    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.network.model import Layer

# Up to this many entries a layer is also looked at as a dense matrix, some 4 GiB in all, where its ranks do not settle a question.
LARGEST_DENSE = 2**27
# The exact solution of a dense system, for a bare output or a rational witness, takes minutes beyond this many entries.
LARGEST_DENSE_SOLVE = 2**24
# A checker inverts a dense block of this rank, and the margin of a ray is chosen on a dense matrix of this many entries.
LARGEST_CERTIFIED_RANK = 2**12
LARGEST_DENSE_EVIDENCE = 2**27

_NO_EVIDENCE = "the verdict is proved, but the certificate format cannot hold its evidence at this size"


@dataclass(frozen=True, eq=False)
class RankGrounds:
    """A verdict at a known point that rests on the rank of the active rows alone, or, as `reason` says, on more than a certificate holds.

    base: the point; equality_rows: the layer's rows in A_P, a boolean mask.
    """

    base: RationalVector
    equality_rows: np.ndarray
    reason: str = ""


class SparseLayerPreimage:
    """Decides pre-images under one layer with a large sparse matrix; the questions and answers of `LayerPreimage`.

    layer: weights (m, n), `stored` as a SparseMatrix; domain: a set of inputs in R^n; rational: certificates and witnesses with exact
    rational numbers, which only layers of at most 2^24 entries have. Theory P1, P2.

    >>> from exactrelu.exact.rational import DyadicMatrix, RationalVector
    >>> from exactrelu.network.model import Layer
    >>> weight = SparseMatrix.from_dense(DyadicMatrix.from_floats([[1.0, 0.0, 2.0], [0.0, -1.0, 0.0]]))
    >>> layer = Layer(weight, DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> found = SparseLayerPreimage(layer, AllSpace()).of_point(RationalVector((3, 1, 0)))
    >>> found.cardinality.value, found.dimension, found.rank
    ('unbounded', 2, 1)
    """

    def __init__(self, layer: Layer, domain: Domain, *, rational: bool = False) -> None:
        domain.check_dimension(layer.inputs)
        refuse_ball(domain)
        assert isinstance(layer.stored, SparseMatrix)
        self.layer = layer
        self.domain = domain
        self.rational = rational
        # The recession system's rows: the layer's, then the polytope's, those of zeros left out.
        self._own = np.flatnonzero(np.diff(layer.stored.starts))
        sides = SparseMatrix.from_dense(polytope_rows(domain, layer.inputs))
        sides = sides.rows(np.flatnonzero(np.diff(sides.starts)))
        own = layer.stored if len(self._own) == layer.outputs else layer.stored.rows(self._own)
        self._rows = SparseMatrix.stacked([own, sides]) if sides.shape[0] else own
        self._independent: bool | None = None

    @cached_property
    def _ranks(self) -> SparseRanks:
        return SparseRanks(self._rows)

    @cached_property
    def _directions(self) -> Directions:
        return directions(self._rows)

    @cached_property
    def _dense(self) -> LayerPreimage:
        return LayerPreimage(self.layer, self.domain, rational=self.rational)

    # ------------------------------------------------------------ questions

    def of_point(self, x: RationalVector, *, deadline: float | None = None) -> Preimage:
        """The pre-image of f(x) within the domain; x itself need not lie in it. Raises InvalidRequestError for a wrong length."""
        if len(x) != self.layer.inputs:
            raise InvalidRequestError(f"a point with {len(x)} coordinates was given to a layer with {self.layer.inputs} inputs")
        if not self.domain.contains(x):
            return self.of_output(self.layer(x), deadline=deadline)
        size = self.layer.inputs * self.layer.outputs
        if self.rational and size <= LARGEST_DENSE_SOLVE:
            return self._dense.of_point(x, deadline=deadline)
        found = self._at(x, deadline)
        if found.dimension is not None and found.cardinality is not Cardinality.INFINITE:
            return found
        if size > LARGEST_DENSE or _late(deadline):
            return found
        more = self._dense.of_point(x, deadline=deadline)
        return found if more.cardinality is Cardinality.UNDECIDED else more

    def of_output(self, y: RationalVector, *, deadline: float | None = None) -> Preimage:
        """The pre-image of an output y within the domain. Raises InvalidRequestError for a wrong length.

        Decided on R^n where the rows that are not zero are independent, and for layers of at most 2^24 entries as a dense matrix.
        """
        layer, n = self.layer, self.layer.inputs
        if len(y) != layer.outputs:
            raise InvalidRequestError(f"an output with {len(y)} coordinates was given to a layer with {layer.outputs} outputs")
        positive = np.array([value > 0 for value in y.numerators], dtype=bool)
        negative = np.flatnonzero(np.array([value < 0 for value in y.numerators], dtype=bool) & layer.rectified)
        active = int(positive.sum())
        if len(negative):
            return Preimage(Cardinality.EMPTY, 0, (), None, -1, active, None, grounds=EmptyGrounds(int(negative[0])))
        if n * layer.outputs <= LARGEST_DENSE_SOLVE:
            return self._dense.of_output(y, deadline=deadline)
        equality = positive | ~layer.rectified
        if not self._zero_rows_agree(y, equality):
            return Preimage(Cardinality.EMPTY, 0, (), None, -1, active, None)
        if isinstance(self.domain, AllSpace) and self._directions.count == self._rows.shape[0] <= n and self._is_independent(deadline):
            # Independent rows take all values: there is a point, and even one with negative values wherever y is 0.
            rank = int(equality[self._own].sum())
            if rank == n:
                return Preimage(Cardinality.SINGLETON, 1, None, None, 0, active, rank)
            return Preimage(Cardinality.UNBOUNDED, None, None, None, n - rank, active, rank)
        reason = (
            "whether this output is in the range was not decided: the domain is not all of R^n, or the rows of a layer of "
            f"{layer.outputs} x {n} are dependent; ask about a point"
        )
        return Preimage(Cardinality.UNDECIDED, None, None, None, None, active, None, _TOO_LATE if _late(deadline) else reason)

    def _zero_rows_agree(self, y: RationalVector, equality: np.ndarray) -> bool:
        """Whether the rows of zeros, where f is constant, give the outputs y."""
        zero = np.setdiff1d(np.arange(self.layer.outputs), self._own)
        biases, exponent = self.layer.bias.rows(zero).common
        up, down = 1 << max(0, exponent), 1 << max(0, -exponent)
        for row, (bias,) in zip(zero.tolist(), biases, strict=True):
            excess = bias * up * y.denominator - y.numerators[row] * down
            if excess > 0 or (excess < 0 and equality[row]):
                return False
        return True

    # ------------------------------------------------------------ at a known point

    def _at(self, x: RationalVector, deadline: float | None) -> Preimage:
        """What the ranks alone say: `dimension` is None, or the cardinality `infinite`, where that is not all."""
        layer, n = self.layer, self.layer.inputs
        z = layer.pre_activation(x).numerators
        positive = np.array([value > 0 for value in z], dtype=bool)
        equality = positive | ~layer.rectified
        tight = np.array([value == 0 for value in z], dtype=bool) & ~equality
        active = int(positive.sum())
        of_polytope = np.zeros(self._rows.shape[0] - len(self._own), dtype=bool)
        equal_rows = np.concatenate([equality[self._own], of_polytope])
        tight_rows = np.concatenate([tight[self._own], tight_polytope_rows(self.domain, x)])
        lower, upper = tight_sides(self.domain, x)

        least, most = self._rank_bounds(self._directions.present(equal_rows), None, deadline)
        rank = least if least == most else None
        grounds = RankGrounds(x, equality)
        if least == n:
            return Preimage(Cardinality.SINGLETON, 1, (x,), None, 0, active, rank, grounds=grounds)
        if tight_rows.any() or lower.any() or upper.any():
            dimension, many = self._dimension(equal_rows, tight_rows, lower, upper, deadline)
            grounds = replace(grounds, reason=_NO_EVIDENCE)
        else:
            dimension, many = None if rank is None else n - rank, most < n
        if dimension == 0:
            return Preimage(Cardinality.SINGLETON, 1, (x,), None, 0, active, rank, grounds=grounds)
        if not many and not dimension:
            return Preimage(Cardinality.UNDECIDED, None, None, None, None, active, rank, self._reason(deadline))
        cardinality = self._boundedness(equal_rows, deadline)
        if dimension is None or rank is None or (cardinality is Cardinality.BOUNDED and not isinstance(self.domain, Box)):
            grounds = replace(grounds, reason=_NO_EVIDENCE)
        return Preimage(cardinality, None, None, None, dimension, active, rank, grounds=grounds)

    def _dimension(
        self, equality: np.ndarray, tight: np.ndarray, lower: np.ndarray, upper: np.ndarray, deadline: float | None
    ) -> tuple[int | None, bool]:
        """The tight system's cone: its dimension, if the rows tell, and whether it is known to hold more than 0.

        equality, tight: masks of rows; lower, upper: masks of the columns with a side.
        """
        free = ~(lower | upper)
        present = self._directions.present(equality | tight)
        least, most = self._rank_bounds(present, None if free.all() else free, deadline)
        if least == present.sum():
            # Rows that are independent on the free columns take all values, whatever the direction is on the others.
            fixed = int((lower & upper).sum())
            dimension = self.layer.inputs - fixed - int(self._directions.vanishing(equality, tight).sum())
            return dimension, dimension > 0
        return None, most < free.sum()

    def _boundedness(self, equality: np.ndarray, deadline: float | None) -> Cardinality:
        """Of an infinite pre-image."""
        n = self.layer.inputs
        if isinstance(self.domain, Box):
            return Cardinality.BOUNDED
        if len(self._rows.used_columns) < n:
            return Cardinality.UNBOUNDED
        if not isinstance(self.domain, Orthant):
            if self._directions.count < n:
                return Cardinality.UNBOUNDED
            if self._directions.count == n and self._is_independent(deadline):
                vanishing = int(self._directions.vanishing(equality, ~equality).sum())
                return Cardinality.UNBOUNDED if vanishing < n else Cardinality.BOUNDED
        return Cardinality.INFINITE

    def _is_independent(self, deadline: float | None) -> bool:
        """Whether all rows are independent up to multiples: false where this was not proved."""
        if self._independent is None:
            everything = np.ones(self._directions.count, dtype=bool)
            least, most = self._eliminated(everything, None, deadline)
            if least == most or not _late(deadline):
                self._independent = least == self._directions.count
        return bool(self._independent)

    def _rank_bounds(self, present: np.ndarray, columns: np.ndarray | None, deadline: float | None) -> tuple[int, int]:
        """Bounds of the rank over Q of some groups of rows on some columns, masks; columns: None for all."""
        if columns is None and self._directions.count <= len(self._rows.used_columns) and self._is_independent(deadline):
            return int(present.sum()), int(present.sum())
        return self._eliminated(present, columns, deadline)

    def _eliminated(self, present: np.ndarray, columns: np.ndarray | None, deadline: float | None) -> tuple[int, int]:
        """The rank modulo a prime and, where it is not full, modulo another one, for that might be chance; how much it can be."""
        rows, used = self._directions.representatives[present], self._rows.used_columns
        used = used if columns is None else used[columns[used]]
        least, most = 0, min(len(rows), len(used))
        for prime in PRIMES:
            block = self._ranks.block(rows, used, prime=prime, deadline=deadline)
            least = max(least, 0 if block is None else len(block.rows))
            if block is None or least == most:
                break
        return least, most

    def _reason(self, deadline: float | None) -> str:
        if _late(deadline):
            return _TOO_LATE
        size = f"{self.layer.outputs} x {self.layer.inputs}"
        return (
            f"the rows of a layer of {size} are dependent, or not sparse enough for their rank, and it is too large to decide more; "
            "ask about a smaller layer"
        )

    # ------------------------------------------------------------ certificates

    def certificate(
        self,
        result: Preimage,
        *,
        network_sha256: str,
        layer_number: int,
        subject: str,
        given: RationalVector,
        data: DataSource | None = None,
    ) -> Certificate | ThroughCertificate:
        """The certificate of a decided result; raises CertificateError where the format cannot hold its evidence at this size.

        An unbounded pre-image under a large first layer may get one without rank and dimension: a direction that moves few inputs.
        """
        possible = layer_number == 1 and subject != "output"
        # With as many rows as inputs a strict ray of all rows is rarely found, and with thousands of them that takes long.
        hopeless = len(self._own) >= max(self.layer.inputs, LARGEST_CERTIFIED_RANK)
        along, ray = self._along(result) if possible and hopeless else None, None
        if along is None:
            try:
                result, ray = self._with_evidence(result)
            except CertificateError:
                along = self._along(result) if possible and not hopeless else None
                if along is None:
                    raise
        if along is not None:
            return ThroughCertificate(
                network=network_sha256,
                last=1,
                subject="input",
                given=Vector(given.numerators, given.denominator),
                claim=f"{result.cardinality.value} {hexadecimal(result.active)}",
                evidence=along,
                data=data,
            )
        certificate = written_certificate(
            result,
            self.domain,
            rational=self.rational,
            network_sha256=network_sha256,
            layer_number=layer_number,
            subject=subject,
            given=given,
            data=data,
        )
        return certificate if ray is None else replace(certificate, evidence=(*certificate.evidence, ray))

    def _along(self, result: Preimage) -> Direction | None:
        """A direction that moves few inputs and leaves the output of a large layer as it is, for an unbounded pre-image in R^n."""
        grounds = result.grounds
        if not isinstance(grounds, RankGrounds) or self.layer.inputs * self.layer.outputs <= LARGEST_DENSE_SOLVE:
            return None
        if result.cardinality is not Cardinality.UNBOUNDED or not isinstance(self.domain, AllSpace):
            return None
        found = patch_direction(self._rows, grounds.equality_rows[self._own])
        return None if found is None else Direction(Vector(found))

    def _with_evidence(self, result: Preimage) -> tuple[Preimage, StrictRay | RecessionDirection | None]:
        """The result on grounds that a certificate can be written from, and the ray of an unbounded one that rests on ranks."""
        grounds = result.grounds
        if isinstance(grounds, RankGrounds):
            try:
                found = self._with_rank(grounds)
                ray = self._ray(found) if result.cardinality is Cardinality.UNBOUNDED else None
                return replace(result, grounds=found), ray
            except CertificateError:
                if self.layer.inputs * self.layer.outputs > LARGEST_DENSE_SOLVE:
                    raise
                return self._dense.of_point(grounds.base), None
        if grounds is None and result.cardinality is not Cardinality.UNDECIDED:
            raise CertificateError(f"{_NO_EVIDENCE}; ask about a point instead of an output")
        return result, None

    def _with_rank(self, grounds: RankGrounds) -> PointGrounds:
        """The grounds with the rank's evidence: a regular block that has as many rows as A_P has non-zero rows or columns."""
        listed = np.flatnonzero(grounds.equality_rows[self._own])
        part = self._rows.rows(listed)
        columns = part.used_columns
        full = min(len(listed), len(columns))
        if grounds.reason or full > LARGEST_CERTIFIED_RANK:
            raise CertificateError(_NO_EVIDENCE if not grounds.reason else grounds.reason)
        # The block that floats choose is proved to be regular; one chosen modulo a prime costs a checker more.
        chosen = conditioned_block(part) if full == len(listed) or full == part.shape[1] else None
        block = None if chosen is None else self._ranks.block(listed[chosen[0]], chosen[1])
        modulus = 0
        if block is None or len(block.rows) < full:
            block = self._ranks.block(listed)
            modulus = PRIMES[0]
        if block is None or len(block.rows) < full:
            raise CertificateError(_NO_EVIDENCE)
        # Where the rows stand in A_P, rows of zeros included.
        places = np.cumsum(grounds.equality_rows) - 1
        rows = mask_of(places[self._own[list(block.rows)]].tolist())
        evidence = Rank(full, modulus if full else 0, rows, mask_of(block.columns), "rows" if full == len(listed) else "columns")
        return PointGrounds(grounds.base, True, evidence, grounds.equality_rows, places[self._own[listed]])

    def _ray(self, grounds: PointGrounds) -> StrictRay | RecessionDirection:
        """The section that shows an unbounded pre-image at a point where no row and no side is tight."""
        n = self.layer.inputs
        unused = np.setdiff1d(np.arange(n), self._rows.used_columns)
        if len(unused):
            return RecessionDirection(tuple(int(j == unused[0]) for j in range(n)))
        if self.rational or self._rows.shape[0] * n > LARGEST_DENSE_EVIDENCE:
            raise CertificateError(_NO_EVIDENCE)
        equality = np.concatenate([grounds.equality_rows[self._own], np.zeros(self._rows.shape[0] - len(self._own), dtype=bool)])
        direction, neither = descending_direction(self._rows, equality), np.zeros(n, dtype=bool)
        system = ConeSystem(RowSet(self._rows.dense()), equality, neither, neither)
        listed = np.flatnonzero(equality)[np.isin(grounds.positions, set_bits(grounds.rank.rows))]
        block = listed, np.array(set_bits(grounds.rank.columns), dtype=np.int64)
        ray = None if direction is None else ray_certificate(system, direction, block)
        if ray is None:
            raise CertificateError(_NO_EVIDENCE)
        return ray


_TOO_LATE = "the time limit was reached; give a longer one"


def _late(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline


def set_bits(mask: int) -> list[int]:
    """The indices of the bits of a mask, increasing."""
    return [i for i, bit in enumerate(reversed(f"{mask:b}")) if bit == "1"]
