"""Injectivity by rank: rows known to be in F have rank n (theory I10, C7)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exactrelu.certificates import Rank
from exactrelu.certificates.injectivity import Proof
from exactrelu.exact.kernel import pivot_rows
from exactrelu.exact.linalg import PRIMES, exact_rank, mask_of, rank_mod, regular_block
from exactrelu.exact.rounding import float_arithmetic_is_sound
from exactrelu.exact.system import RowSet, gram_lower_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.certificates.injectivity import Dependency
    from exactrelu.exact.rational import DyadicMatrix
    from exactrelu.injectivity.question import Question


def certain_method(proof: Proof) -> str:
    """The argument in words, by the kinds of dependencies that the proof uses."""
    pairs = any(len(one.rows) == 2 for one in proof.dependencies)
    single = any(len(one.rows) == 1 for one in proof.dependencies)
    if pairs and single:
        return "always active rows and opposite rows of full rank"
    return "opposite rows of full rank" if pairs else "always active rows of full rank"


def by_rank(question: Question, certain: Sequence[Dependency]) -> Proof | None:
    """The proof that the rows known to be in F have rank n, with no more dependencies than that takes."""
    rank = full_rank(question.known_rows(certain))
    if rank is None:
        return None
    # The list is: rows without a relu, first rows of the dependencies, equalities; leave out dependencies that the block does not use.
    before, count = len(question.unrectified), len(certain)
    kept = tuple(one for k, one in enumerate(certain) if rank.rows >> (before + k) & 1)
    own, others = rank.rows & ((1 << before) - 1), rank.rows >> (before + count)
    mask = own | ((1 << len(kept)) - 1) << before | others << (before + len(kept))
    return Proof(kept, question.flats, tuple(range(len(kept))), replace(rank, rows=mask))


def independent(question: Question, certain: Sequence[Dependency]) -> list[Dependency]:
    """The dependencies whose first rows add to the rank."""
    block = set(regular_block(question.known_rows(certain), PRIMES[0]).rows)
    before = len(question.unrectified)
    return [one for k, one in enumerate(certain) if before + k in block]


def has_full_rank(matrix: DyadicMatrix) -> bool:
    """Whether a (k, n) matrix has rank n, exactly."""
    if matrix.shape[0] < matrix.shape[1]:
        return False
    if _bounded_below(RowSet(matrix)):
        return True
    return rank_mod(matrix, PRIMES[0]) == matrix.shape[1] or exact_rank(matrix).rank == matrix.shape[1]


def full_rank(matrix: DyadicMatrix) -> Rank | None:
    """The rank n of a (k, n) matrix with its evidence, None where the rank is lower (or, for large ones, was not shown)."""
    n = matrix.shape[1]
    if int(matrix.nonzero_rows.sum()) < n:
        return None
    scaled = RowSet(matrix)
    if _bounded_below(scaled):
        chosen = pivot_rows(scaled.scaled)
        if chosen is not None:
            return Rank(n, 0, mask_of(chosen.tolist()), (1 << n) - 1, "columns")
    for prime in PRIMES:
        block = regular_block(matrix, prime)
        if len(block.rows) == n:
            return Rank(n, prime, mask_of(block.rows), (1 << n) - 1, "columns")
    return None


def _bounded_below(rows: RowSet) -> bool:
    """Whether a proved bound in floats shows full column rank; not tried for few columns, where modular arithmetic is as fast."""
    return rows.matrix.shape[1] > 64 and float_arithmetic_is_sound() and rows.safe and gram_lower_bound(rows.scaled) > 0
