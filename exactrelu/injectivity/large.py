"""Whether a large sparse layer is injective, without ever making it dense: a collision in a window, or rows of full rank.

A convolution's rows read few inputs each. So a collision that changes few inputs is cheap to find and to prove, and the rank of rows that
are active all over the domain is found along a front (theory I10). What neither decides is left open.
"""

from __future__ import annotations

import math
import time
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from exactrelu.certificates import Rank
from exactrelu.certificates.injectivity import Dependency, Proof
from exactrelu.domain import Box, Orthant, fixed_coordinates
from exactrelu.exact.linalg import mask_of
from exactrelu.exact.modular import PRIMES, SparseRanks
from exactrelu.exact.sparse import SparseMatrix
from exactrelu.exact.sparse_evidence import conditioned_block
from exactrelu.injectivity.collisions.linearised import sparse_stage
from exactrelu.injectivity.collisions.places import places, rounded
from exactrelu.injectivity.collisions.window import window_collision

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.domain import Domain
    from exactrelu.exact.rational import RationalVector
    from exactrelu.injectivity.collisions.collision import Collision
    from exactrelu.network.model import Layer

# How many of the given points are tried.
_POINTS = 8
# Entries of a dense matrix up to which a sparse layer is decided as a dense one.
_LARGEST_DENSE = 2**20


def is_large(layer: Layer) -> bool:
    """Whether a layer is sparse and too large to be made dense."""
    return isinstance(layer.stored, SparseMatrix) and layer.inputs * layer.outputs > _LARGEST_DENSE


def window_argument(
    stages: Sequence[Layer],
    domain: Domain,
    points: Sequence[RationalVector],
    deadline: float | None,
    interior: RationalVector | None = None,
) -> tuple[str, Collision] | None:
    """A collision of stages, one after the other, that changes the inputs of one window, and the argument in words; None if none was found.

    points: inputs near which to look first; interior: a point of the domain's relative interior.
    """
    near = (x for point in points[:_POINTS] if (x := _inside(point, domain)) is not None)
    searched = chain([] if interior is None else [interior], some_points(stages, domain, deadline))
    for x, where in chain(((x, " near a given point") for x in near), ((x, "") for x in searched)):
        if deadline is not None and time.monotonic() > deadline:
            return None
        found = window_collision(stages, domain, x)
        if found is not None:
            size = "one input" if len(found.window) == 1 else f"{len(found.window)} inputs"
            return f"few active rows in a window of {size}{where}", found.collision
    return None


def some_points(stages: Sequence[Layer], domain: Domain, deadline: float | None = None) -> Iterator[RationalVector]:
    """Points of the domain at which to look for a collision of stages, one after the other."""
    first = stages[0]
    return places(sparse_stage(first), first.bias.floats[:, 0], first.rectified, domain, deadline)


def _inside(point: RationalVector, domain: Domain) -> RationalVector | None:
    """A point of the domain near a given one; of a box, away from its sides."""
    x = point.to_float()
    if isinstance(domain, Box):
        low, high = domain.lower.to_float(), domain.upper.to_float()
        x = np.clip(x, low + 2.0**-7 * (high - low), high - 2.0**-7 * (high - low))
    return rounded(x, domain) if np.isfinite(x).all() else None


def rank_argument(layer: Layer, domain: Domain, deadline: float | None) -> tuple[str, Proof] | None:
    """The proof that rows without a relu, rows active all over the domain and opposite rows have full rank; None where it fails.

    >>> from exactrelu.domain import AllSpace
    >>> from exactrelu.exact.rational import DyadicMatrix
    >>> from exactrelu.network.model import Layer
    >>> both = DyadicMatrix.from_floats([[1.0, 0.0], [-2.0, 0.0], [0.0, 1.0]])
    >>> layer = Layer(both, DyadicMatrix.from_floats([[0.0]] * 3), np.array([True, True, False]))
    >>> rank_argument(layer, AllSpace(), None)[0]
    'rows without a relu and opposite rows of full rank'
    """
    n = layer.inputs
    weight = sparse_stage(layer)
    plain = np.flatnonzero(~layer.rectified)
    single = list(_always_active(layer, weight, domain))
    fixed = np.array(fixed_coordinates(domain, n), dtype=np.int64)
    # Every pair takes two rows.
    missing = n - len(plain) - len(single) - len(fixed)
    if missing > (layer.outputs - len(plain) - len(single)) // 2:
        return None
    taken = {one.rows[0] for one in single}
    pairs = [one for one in _opposite(layer, weight) if not taken & set(one.rows)]
    if missing > len(pairs):
        return None
    certain = sorted([*single, *pairs], key=lambda one: one.rows)
    firsts = np.array([one.rows[0] for one in certain], dtype=np.int64)
    known = SparseMatrix.stacked([weight.rows(np.concatenate([plain, firsts])), SparseMatrix.selection(fixed, n)])
    block = _regular_rows(known, deadline)
    if block is None:
        return None
    chosen, modulus = block
    middle = [k - len(plain) for k in chosen if len(plain) <= k < len(plain) + len(certain)]
    kept = tuple(certain[k] for k in middle)
    rows = [k for k in chosen if k < len(plain)] + [len(plain) + place for place in range(len(kept))]
    rows += [k - len(certain) + len(kept) for k in chosen if k >= len(plain) + len(certain)]
    words = [
        word
        for word, present in (
            ("rows without a relu", any(k < len(plain) for k in chosen)),
            ("always active rows", any(len(one.rows) == 1 for one in kept)),
            ("opposite rows", any(len(one.rows) == 2 for one in kept)),
        )
        if present
    ]
    method = f"{' and '.join(words)} of full rank" if words else "a domain of one point"
    rank = Rank(n, modulus if n else 0, mask_of(rows), (1 << n) - 1, "columns")
    return method, Proof(kept, (), tuple(range(len(kept))), rank)


def _regular_rows(known: SparseMatrix, deadline: float | None) -> tuple[list[int], int] | None:
    """As many rows as columns that make a regular block, and the modulus that shows it, 0 where an approximate inverse will; else None."""
    n = known.shape[1]
    nonzero = np.flatnonzero(np.diff(known.starts))
    if len(nonzero) < n:
        return None
    part = known.rows(nonzero)
    ranks = SparseRanks(part)
    proposed = conditioned_block(part) if n else None
    if proposed is not None:
        block = ranks.block(proposed[0], deadline=deadline)
        if block is not None and len(block.rows) == n:
            return nonzero[proposed[0]].tolist(), 0
    for prime in PRIMES:
        block = ranks.block(np.arange(len(nonzero)), prime=prime, deadline=deadline)
        if block is not None and len(block.rows) == n:
            return nonzero[list(block.rows)].tolist(), prime
    return None


def _always_active(layer: Layer, weight: SparseMatrix, domain: Domain) -> Iterator[Dependency]:
    """Rows whose smallest value on a box or an orthant is not negative; floats propose which."""
    biases = layer.bias.floats[:, 0]
    if isinstance(domain, Box):
        low, high = domain.lower.to_float(), domain.upper.to_float()
        exact_low, exact_high = domain.lower.fractions(), domain.upper.fractions()
    elif isinstance(domain, Orthant):
        low, high = np.zeros(layer.inputs), np.full(layer.inputs, np.inf)
    else:
        return
    with np.errstate(all="ignore"):
        terms = np.where(weight.floats > 0, low[weight.columns], high[weight.columns]) * weight.floats
        lowest = csr_array((np.nan_to_num(terms), weight.columns, weight.starts), shape=weight.shape).sum(axis=1) + biases
        size = csr_array((np.nan_to_num(np.abs(terms)), weight.columns, weight.starts), shape=weight.shape).sum(axis=1) + np.abs(biases)
    usable = layer.rectified & layer.nonzero_rows
    for j in np.flatnonzero(usable & ~(lowest < -1e-9 * size)).tolist():
        columns, integers, exponent = weight.integer_row(j)
        (bias,), own = layer.bias.integer_row(j)
        least = Fraction(bias) * Fraction(2) ** own
        if isinstance(domain, Orthant):
            is_active = least >= 0 and min(integers) >= 0
        else:
            ends = ((exact_low if value > 0 else exact_high)[k] for k, value in zip(columns, integers, strict=True))
            products = sum((value * end for value, end in zip(integers, ends, strict=True)), Fraction(0))
            is_active = least + products * Fraction(2) ** exponent >= 0
        if is_active:
            yield Dependency((j,), (1,))


def _opposite(layer: Layer, weight: SparseMatrix) -> Iterator[Dependency]:
    """Of rows on one line, the pair of opposite directions that leaves no room for both to be negative (theory I5)."""
    lines: dict[tuple[tuple[int, ...], tuple[int, ...]], list[tuple[Fraction, Fraction, int]]] = {}
    for j in _parallel_candidates(layer, weight):
        columns, integers, exponent = weight.integer_row(j)
        (bias,), own = layer.bias.integer_row(j)
        divisor = math.gcd(*integers) * (1 if integers[0] > 0 else -1)
        size = divisor * Fraction(2) ** exponent
        bound = -bias * Fraction(2) ** own / size
        lines.setdefault((tuple(columns), tuple(value // divisor for value in integers)), []).append((bound, size, j))
    for rows in lines.values():
        # With s = (row / size).x a row is negative iff s < bound for size > 0, and s > bound for size < 0.
        below = min((row for row in rows if row[1] > 0), default=None)
        above = max((row for row in rows if row[1] < 0), default=None)
        if below is None or above is None or below[0] > above[0]:
            continue
        both = sorted([(below[2], 1 / below[1]), (above[2], -1 / above[1])])
        scale = math.lcm(*(multiplier.denominator for _, multiplier in both))
        numbers = [int(multiplier * scale) for _, multiplier in both]
        common = math.gcd(*numbers)
        yield Dependency(tuple(j for j, _ in both), tuple(number // common for number in numbers))


def _parallel_candidates(layer: Layer, weight: SparseMatrix) -> list[int]:
    """Rows among which are all that are parallel to another one; floats leave out most of the others."""
    rows = np.flatnonzero(layer.rectified & layer.nonzero_rows)
    if weight.integers is not None or len(rows) < 2:
        return [int(row) for row in rows]
    # Parallel rows agree in the ratio of two functionals, up to rounding; what is not a number goes with everything.
    with np.errstate(all="ignore"):
        functionals = csr_array((weight.floats, weight.columns, weight.starts), shape=weight.shape)[rows]
        first, second = (functionals @ np.random.default_rng(0).standard_normal((layer.inputs, 2))).T
        angles = np.arctan(first / second)
    order = np.argsort(angles, kind="stable")
    beside = ~(np.diff(angles[order]) > 1e-9)
    together = np.append(beside, False) | np.append(False, beside)
    # The angles -pi/2 and pi/2 are one.
    together |= ~(np.abs(angles[order]) < np.pi / 2 - 1e-9)
    return [int(row) for row in np.sort(rows[order[together]])]
