"""The cone predicate (theory C): is C = {0}, does C hold a strict ray, or is it a tie, with the evidence for each.

`decide` searches in floats, proves the proposal by margin and, where no margin is there, goes the exact way. Its answer
knows how to write itself as the sections of a certificate (proofs/FORMAT.md 4.3 and 4.6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpz_mat

from exactrelu.certificates import Rank, StrictRay, Trivial, TrivialByMargin, TrivialExactly
from exactrelu.exact.linalg import exact_rank, mask_of
from exactrelu.exact.margin import proves_strict_ray, proves_trivial
from exactrelu.exact.margin_certificate import ray_certificate, trivial_certificate
from exactrelu.exact.rounding import float_arithmetic_is_sound
from exactrelu.exact.search import Direction, Multipliers, NothingFound, Proposal, proposals
from exactrelu.exact.system import gram_lower_bound
from exactrelu.exact.ties import Partition, lineality_direction, partition

if TYPE_CHECKING:
    from exactrelu.exact.system import ConeSystem

# How much larger a row's entries in fixed columns may be than the others where a margin is written.
_BITS_BESIDE_FIXED = 32


@dataclass(frozen=True, eq=False)
class TrivialCone:
    """C = {0}.

    proposal: multipliers that prove it by margin for the system without its fixed columns, if `split` is None.
    """

    system: ConeSystem
    proposal: Proposal | None
    split: Partition | None = None

    def evidence(self, *, rational: bool = False) -> Trivial | None:
        """The `trivial` section; None if neither a margin nor exact multipliers were found."""
        if not rational and self.split is None and isinstance(self.proposal, Multipliers):
            found = _margin_evidence(self.system, self.proposal)
            if found is not None:
                return found
        proposal = None if self.system.fixed.any() else self.proposal
        split = self.split or partition(self.system, proposal=proposal) or partition(self.system)
        return None if split is None else _exactly_trivial(self.system, split)


@dataclass(frozen=True, eq=False)
class StrictRayFound:
    """C holds a d with r.d < 0 on every inequality and side, and d != 0."""

    system: ConeSystem
    proposal: Proposal | None
    split: Partition | None = None

    def evidence(self, rank: Rank, positions: np.ndarray, *, rational: bool = False) -> StrictRay | None:
        """The `ray` section, relative to the block of `rank`.

        positions: for each equality row of the system its place in the list that `rank` speaks of.
        """
        if not rational and isinstance(self.proposal, Direction):
            place = {int(position): int(row) for position, row in zip(positions, self.system.equality_rows, strict=True)}
            rows = np.array([place[i] for i in _bits(rank.rows)], dtype=np.int64)
            columns = np.array(_bits(rank.columns), dtype=np.int64)
            found = ray_certificate(self.system, self.proposal.values, (rows, columns))
            if found is not None:
                return found
        direction = self.exact_direction()
        return None if direction is None else StrictRay(direction, 0, exact=True)

    def exact_direction(self) -> tuple[int, ...] | None:
        """Integers that make a strict ray exactly; needs p-adic solves, seconds at several hundred columns."""
        if not self.system.inequality.any():
            return lineality_direction(self.system)
        split = self.split or partition(self.system, proposal=self.proposal) or partition(self.system)
        return None if split is None else split.direction


@dataclass(frozen=True, eq=False)
class Tie:
    """Some inequalities are implicit equalities; C is {0} or lies in their kernel, as the split says."""

    system: ConeSystem
    split: Partition


@dataclass(frozen=True)
class Undecided:
    """Nothing could be proved within the limits."""

    reason: str


Decision = TrivialCone | StrictRayFound | Tie | Undecided


def decide(system: ConeSystem, *, deadline: float | None = None) -> Decision:
    """Decide the cone of a system that has at least one inequality row or side (theory C2 to C6).

    deadline: a `time.monotonic` value after which the answer may be `Undecided`.
    """
    decided = _decide_by_margin(system, deadline)
    if isinstance(decided, (TrivialCone, StrictRayFound)):
        return decided
    proposal = decided
    split = partition(system, proposal=proposal, deadline=deadline)
    if split is None and not isinstance(proposal, NothingFound):
        split = partition(system, deadline=deadline)
    if split is None:
        return Undecided("a tie at this size: neither a margin nor an exact split of the rows was found within the limits")
    if not split.strict and split.rank.rank == system.dimension:
        return TrivialCone(system, proposal, split)
    if not split.implicit:
        return StrictRayFound(system, proposal, split)
    return Tie(system, split)


def _decide_by_margin(system: ConeSystem, deadline: float | None) -> TrivialCone | StrictRayFound | Proposal:
    """Search and prove with rounding bounds; the last proposal where no proof succeeded."""
    reduced = system.without_fixed_columns()[0] if system.fixed.any() else system
    if _equalities_suffice(reduced):
        return TrivialCone(system, Multipliers(np.zeros(reduced.general_count)))
    proposal: Proposal = NothingFound("only equalities are left")
    if reduced.inequality.any():
        with np.errstate(all="ignore"):
            for proposal in proposals(reduced, deadline=deadline):
                if isinstance(proposal, Multipliers) and proves_trivial(reduced, proposal.values):
                    return TrivialCone(system, proposal)
                if reduced is system and _proves_ray(system, proposal):
                    return StrictRayFound(system, proposal)
    if reduced is not system and isinstance(proposal, Multipliers):
        return NothingFound("the multipliers were not confirmed")
    return proposal


def _equalities_suffice(system: ConeSystem) -> bool:
    """Whether a rounding bound proves that the equality rows have full column rank."""
    if len(system.equality_rows) < system.dimension or not float_arithmetic_is_sound() or not system.rows.safe:
        return False
    return gram_lower_bound(system.scaled[system.equality_rows]) > 0


def _proves_ray(system: ConeSystem, proposal: Proposal) -> bool:
    if not isinstance(proposal, Direction) or proposal.vanishing.any():
        return False
    return _basis_is_complete(system) and proves_strict_ray(system, proposal.values)


def _basis_is_complete(system: ConeSystem) -> bool:
    """Whether the equality rows outside the kernel's float basis depend on it exactly."""
    return len(system.basis_rows) == len(system.equality_rows) or exact_rank(system.equality_matrix).rank == len(system.basis_rows)


def independent_rank(system: ConeSystem, positions: np.ndarray) -> Rank | None:
    """The cheap proof that all equality rows are independent: a float block with a proved margin; None if there is none."""
    if len(system.basis_rows) != len(system.equality_rows) or not system.equality_bound > 0:
        return None
    if len(system.equality_rows) == 0:
        return Rank(0, 0, 0, 0, "rows")
    return Rank(len(system.equality_rows), 0, mask_of(positions.tolist()), mask_of(system.kernel.pivots.tolist()), "rows")


def _bits(mask: int) -> list[int]:
    """The indices of the bits of a mask, increasing."""
    return [i for i, bit in enumerate(reversed(f"{mask:b}")) if bit == "1"]


def _margin_evidence(system: ConeSystem, proposal: Multipliers) -> TrivialByMargin | None:
    """The margin certificate, lifted from the system without fixed columns by the lower side of each of these."""
    if not system.fixed.any():
        return trivial_certificate(system, proposal.values)
    reduced, kept = system.without_fixed_columns()
    # A checker rounds a row beside its largest entry, which may stand in a fixed column.
    if np.ptp([system.rows.exponents[kept], reduced.rows.exponents], axis=0).max(initial=0) > _BITS_BESIDE_FIXED:
        return None
    found = trivial_certificate(reduced, proposal.values)
    if found is None:
        return None
    fixed_side = system.fixed[system.side_columns]
    places = np.concatenate([np.flatnonzero(kept), system.general_count + np.flatnonzero(~fixed_side)])
    lower = system.general_count + np.flatnonzero(fixed_side & (system.side_signs < 0))
    multipliers = np.zeros(system.general_count, dtype=object)
    multipliers[kept] = found.multipliers
    selected = mask_of([*places[_bits(found.selected)].tolist(), *lower.tolist()])
    return replace(found, selected=selected, multipliers=tuple(int(value) for value in multipliers))


def _exactly_trivial(system: ConeSystem, split: Partition) -> TrivialExactly | None:
    multipliers = split.multipliers or (0,) * system.general_count
    sigma = _exact_combination(system, multipliers)
    listed = [i for i in range(system.general_count) if system.equality[i] or multipliers[i] > 0]
    for position, (column, sign) in enumerate(zip(system.side_columns.tolist(), system.side_signs.tolist(), strict=True)):
        is_lower = sign < 0
        absorbs = sigma[column] > 0 if is_lower else sigma[column] < 0
        if is_lower if system.fixed[column] else absorbs:
            listed.append(system.general_count + position)
    rank = exact_rank(system.rows_for_rank(listed))
    return (
        TrivialExactly(multipliers, replace(rank, bound="columns", relations=(), null_vectors=()))
        if rank.rank == system.dimension
        else None
    )


def _exact_combination(system: ConeSystem, multipliers: tuple[int, ...]) -> list[int]:
    """A positive multiple of sigma = sum of w_i r_i over the general rows, exactly."""
    rows, _ = system.rows.matrix.common
    matrix = fmpz_mat(len(rows), system.dimension, [value for row in rows for value in row])
    return [int(value) for value in (fmpz_mat(1, len(rows), list(multipliers)) * matrix).entries()]
