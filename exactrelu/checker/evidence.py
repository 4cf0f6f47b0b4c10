"""Section 4 of proofs/FORMAT.md: the evidence for a claim about one layer, in the order in which it stands in a certificate.

Every function reads its lines, and returns only if what they are evidence for is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.checker.claim import (
    ONE,
    Base,
    Box,
    Claim,
    Domain,
    Point,
    Polytope,
    Row,
    Side,
    System,
    contains,
    homogenised_system,
    image,
    layer_row,
    point_of,
    read_point,
)
from exactrelu.checker.sparse import Sparse, entries
from exactrelu.checker.text import EXPONENT, MODULUS_BITS, Fields, Rejected, Text, affordable, bits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.checker.arithmetic import Kernels


def check_claim(text: Text, claim: Claim, kernels: Kernels) -> Base | None:
    """Read the evidence for a claim about one layer; return the point of X that it stands on, if the claim says that there is one."""
    if claim.cardinality == "empty":
        check_empty(text, claim, kernels)
        return None
    base = base_point(text, claim, kernels)
    rank = read_rank(text, base.equalities(), claim.layer.inputs, kernels, "4.2")
    if rank.rank != claim.rank:
        raise Rejected("4.2", "RANK of the claim is not the rank that the evidence shows")
    if claim.cardinality == "singleton":
        check_singleton(text, claim, base, kernels)
    else:
        check_dimension(text, claim, base, rank, kernels)
        check_boundedness(text, claim, base, rank, kernels)
    return base


# 4.1


def base_point(text: Text, claim: Claim, kernels: Kernels) -> Base:
    """A point of X: the given one if the domain holds it, else the solution."""
    if claim.at is not None and contains(claim.domain, claim.at.x):
        return Base(claim.layer, claim.domain, *claim.at)
    x = read_point(text, "solution", claim.layer.inputs, "4.1")
    if not contains(claim.domain, x):
        raise Rejected("4.1", "the solution is not in the domain")
    z = kernels.evaluate(claim.layer, x)
    if not image(claim.layer, z).equals(claim.y):
        raise Rejected("4.1", "the solution does not have the output")
    return Base(claim.layer, claim.domain, x, z)


# 4.2


@dataclass(frozen=True)
class Rank:
    """The rank of a list of rows; `rows` of it, restricted to `columns`, are an invertible block."""

    rank: int
    rows: Sequence[Row | Side]
    columns: Sequence[int]


BOUNDS = ("rows", "columns", "relations", "null")


def read_rank(text: Text, rows: Sequence[Row | Side], n: int, kernels: Kernels, section: str, bounds: Sequence[str] = BOUNDS) -> Rank:
    """The rank of the rows: at least R by a block, at most R by a count, by relations or by null vectors."""
    fields = text.take("rank", section)
    rank = fields.natural("R")
    modulus = fields.natural("Q")
    row_mask = fields.mask("ROWS", len(rows))
    column_mask = fields.mask("COLS", n)
    bound = fields.word(*bounds)
    fields.done()
    if modulus == 1:
        fields.reject("Q is 1")
    if modulus.bit_length() > MODULUS_BITS:
        fields.reject(f"Q of more than {MODULUS_BITS} bits is more than a checker takes on")
    if row_mask.bit_count() != rank or column_mask.bit_count() != rank:
        fields.reject("ROWS and COLS do not have R bits")
    chosen, columns = bits(row_mask), bits(column_mask)
    block = [rows[i] for i in chosen]
    if not invertible(block, columns, modulus, kernels):
        fields.reject("the block is not shown to be invertible")
    if bound in ("rows", "columns"):
        if (sum(not row.is_zero() for row in rows) if bound == "rows" else count_columns(rows, n)) != rank:
            fields.reject(f"the number of {bound} that are not zero is not R")
    elif bound == "relations":
        for i, row in enumerate(rows):
            if not row_mask >> i & 1 and not row.is_zero():
                read_relation(text, rows, i, row_mask, n, kernels, section)
    else:
        read_null_vectors(text, rows, [j for j in range(n) if not column_mask >> j & 1], n, kernels, section)
    return Rank(rank, block, columns)


def read_null_vectors(text: Text, rows: Sequence[Row | Side], outside: Sequence[int], n: int, kernels: Kernels, section: str) -> None:
    """n - R vectors in the kernel of all rows, independent by their entries at the columns outside COLS."""
    for own in outside:
        line = text.take("null", section)
        vector = line.integers(n, "a null vector")
        if any((vector[j] != 0) != (j == own) for j in outside):
            line.reject("a null vector is not zero at the other columns outside COLS, or zero at its own")
        if not kernels.orthogonal(rows, vector):
            line.reject("a row times a null vector is not 0")


def invertible(block: Sequence[Row | Side], columns: Sequence[int], modulus: int, kernels: Kernels) -> bool:
    """A unit row is eliminated with its column, which leaves a smaller block with the same determinant up to its sign."""
    units = {row.column for row in block if isinstance(row, Side)}
    general = [row for row in block if isinstance(row, Row)]
    rest = [j for j in columns if j not in units]
    if len(rest) != len(general):
        return False
    affordable_dense(general, len(columns), "4.2")
    return kernels.invertible(general, rest, modulus) if modulus else kernels.regular(general, rest)


def affordable_dense(rows: Sequence[Row], columns: int, section: str) -> None:
    """Reject before rows kept by their entries are written out, if they would fill the memory: a short file may have many and long ones."""
    affordable(columns * sum(isinstance(row.coefficients, Sparse) for row in rows), 64, section)


def count_columns(rows: Sequence[Row | Side], n: int) -> int:
    """How many columns are not zero."""
    found = {row.column for row in rows if isinstance(row, Side)}
    for row in rows:
        if len(found) == n:
            break
        if isinstance(row, Row):
            found.update(j for j, value in entries(row.coefficients) if value)
    return len(found)


def read_relation(text: Text, rows: Sequence[Row | Side], i: int, row_mask: int, n: int, kernels: Kernels, section: str) -> None:
    """D * row_i = sum of c * row_J, J in ROWS."""
    fields = text.take("relation", section)
    if fields.natural("I") != i:
        fields.reject(f"a relation for row {i} belongs here")
    denominator = fields.positive("D")
    terms: list[tuple[int, int]] = []
    while not fields.empty():
        j = fields.natural("J")
        if j >= len(rows) or not row_mask >> j & 1 or (terms and j <= terms[-1][0]):
            fields.reject("J is not in ROWS, or not increasing")
        terms.append((j, fields.nonzero("c")))
    left = [rows[i], *(rows[j] for j, _ in terms)]
    if any(kernels.combination(left, [-denominator, *(c for _, c in terms)], n).numerators):
        fields.reject("the relation does not hold")


# 4.3


def read_trivial(text: Text, system: System, kernels: Kernels) -> None:
    """C = {0}."""
    if text.begins("trivial exact"):
        check_exact_triviality(text, system, kernels)
    else:
        check_margin(text.take("trivial margin", "4.3"), system, kernels)


def read_multipliers(fields: Fields, system: System) -> list[int]:
    """One multiplier a general row, not negative on inequalities."""
    weights = fields.integers(len(system.rows), "multipliers")
    if any(weight < 0 and not row.equality for weight, row in zip(weights, system.rows, strict=True)):
        fields.reject("an inequality has a negative multiplier")
    return weights


def check_margin(fields: Fields, system: System, kernels: Kernels) -> None:
    """`margin_holds_sound`: with tau = -N d >= 0, |d| <= sum beta tau, sum w tau = -v . d <= |v|_1 |d|; beta |v|_1 < w leaves d = 0."""
    sides = system.sides
    selected = bits(fields.mask("S", len(system.rows) + len(sides)))
    exponent = fields.natural("E", EXPONENT)
    weights = read_multipliers(fields, system)
    if len(selected) != system.columns:
        fields.reject("S does not have as many rows as the system has columns")
    chosen = [i for i in selected if i < len(system.rows)]
    weights = scaled_outside(weights, chosen, exponent)
    chosen_sides = [sides[i - len(system.rows)] for i in selected if i >= len(system.rows)]
    taken = {side.column for side in chosen_sides}
    if len(taken) != len(chosen_sides):
        fields.reject("the rows in S are dependent")
    columns = [j for j in range(system.columns) if j not in taken]
    needed = [(k, weights[i] * system.rows[i].scale) for k, i in enumerate(chosen) if not system.rows[i].equality]
    needed_sides = [(k, side) for k, side in enumerate(chosen_sides) if side.column not in system.fixed]
    general = [system.rows[i] for i in chosen]
    affordable_dense(general, system.columns, "4.3")
    for residual in kernels.residuals(system, weights):
        if any(weight == 0 for _, weight in needed) or any(residual.sides[side] == 0 for _, side in needed_sides):
            continue
        for bound in kernels.inverse_bounds(general, columns, [side.column for side in chosen_sides]):
            if all(weight > residual.norm * bound.rows[k] for k, weight in needed) and all(
                residual.sides[side] > residual.norm * bound.sides[k] for k, side in needed_sides
            ):
                return
    fields.reject("a multiplier does not exceed what the residual needs, or the rows in S are dependent")


def scaled_outside(weights: Sequence[int], selected: Sequence[int], exponent: int) -> list[int]:
    """The multipliers, in units of 2^exponent outside `selected`."""
    scaled = [weight << exponent for weight in weights]
    for i in selected:
        scaled[i] = weights[i]
    return scaled


def check_exact_triviality(text: Text, system: System, kernels: Kernels) -> None:
    """P3 (5): a positive dependency among rows of rank n."""
    fields = text.take("trivial exact", "4.3")
    weights = read_multipliers(fields, system)
    residual = kernels.exact_residual(system, weights)
    if residual.norm != 0:
        fields.reject("the multipliers leave a residual")
    support: list[Row | Side] = [row for row, weight in zip(system.rows, weights, strict=True) if row.equality or weight]
    support += [side for side in system.sides if (side.sign < 0 if side.column in system.fixed else residual.sides[side] > 0)]
    if read_rank(text, support, system.columns, kernels, "4.3", ("columns",)).rank != system.columns:
        raise Rejected("4.3", "the rows with positive multipliers do not have full rank")


# 4.4


def check_singleton(text: Text, claim: Claim, base: Base, kernels: Kernels) -> None:
    """P2: full rank, or nothing but 0 satisfies the tight system."""
    if claim.rank < claim.layer.inputs:
        read_trivial(text, base.tight_system(), kernels)


# 4.5


def check_dimension(text: Text, claim: Claim, base: Base, rank: Rank, kernels: Kernels) -> None:
    """C6: the tight rows that vanish on all of C are the implicit equalities."""
    n = claim.layer.inputs
    system = base.tight_system()
    sides = system.sides
    if all(row.equality for row in system.rows) and not sides:
        if claim.dimension != n - rank.rank:
            raise Rejected("4.5", "DIM is not n - RANK")
        return
    fields = text.take("tight", "4.5")
    implicit = fields.mask("E", len(system.rows) + len(sides))
    fields.done()
    in_e = [bool(implicit >> i & 1) for i in range(len(system.rows) + len(sides))]
    if any(inside and row.equality for inside, row in zip(in_e, system.rows, strict=False)):
        fields.reject("an equality is in E")
    implicit_sides = {side for side, inside in zip(sides, in_e[len(system.rows) :], strict=True) if inside}
    equalities: list[Row | Side] = [row for row, inside in zip(system.rows, in_e, strict=False) if row.equality or inside]
    equalities += [Side(side.column, 1) for side in sides if side in implicit_sides]
    if implicit:
        check_implicit(text, system, in_e, implicit_sides, kernels)
        rank = read_rank(text, equalities, n, kernels, "4.5")
    strict: list[Row | Side] = [row for row, inside in zip(system.rows, in_e, strict=False) if not (row.equality or inside)]
    strict += [side for side in sides if side not in implicit_sides]
    if strict:
        read_ray(text, n, equalities, strict, rank, kernels)
    if claim.dimension != n - rank.rank:
        raise Rejected("4.5", "DIM is not n minus the rank of the equalities")


def check_implicit(text: Text, system: System, in_e: Sequence[bool], implicit_sides: set[Side], kernels: Kernels) -> None:
    """A dependency that is positive exactly on E: all of its rows are zero on C."""
    fields = text.take("implicit", "4.5")
    weights = read_multipliers(fields, system)
    if any((weight > 0) != inside for weight, inside, row in zip(weights, in_e, system.rows, strict=False) if not row.equality):
        fields.reject("a multiplier is positive on an inequality outside E, or zero inside")
    residual = kernels.exact_residual(system, weights)
    if residual.norm != 0:
        fields.reject("the multipliers leave a residual")
    if any((side in implicit_sides) != (side.column in system.fixed or residual.sides[side] > 0) for side in system.sides):
        fields.reject("E is not the sides with a positive multiplier and those of fixed columns")


# 4.6


def read_ray(text: Text, n: int, equalities: Sequence[Row | Side], strict: Sequence[Row | Side], rank: Rank, kernels: Kernels) -> None:
    """There is d, not 0, with row . d = 0 on `equalities`, whose rank is `rank`, and row . d < 0 on `strict`."""
    if text.begins("ray exact"):
        fields = text.take("ray exact", "4.6")
        fields.exponent()
        d = fields.integers(n, "a ray")
        if not any(d):
            fields.reject("the ray is 0")
        if not kernels.orthogonal(equalities, d):
            fields.reject("an equality does not hold for the ray")
        if any(row.dot(d) >= 0 for row in strict):
            fields.reject("a strict inequality does not hold for the ray")
        return
    fields = text.take("ray margin", "4.6")
    fields.exponent()
    d = fields.integers(n, "a ray")
    if not strict and rank.rank == n:
        fields.reject("the equalities leave no ray")
    general = [row for row in rank.rows if isinstance(row, Row)]
    units = [row.column for row in rank.rows if isinstance(row, Side)]
    rho = [*(row.dot(d) for row in general), *(d[j] for j in units)]
    for bound in kernels.inverse_bounds(general, [j for j in rank.columns if j not in set(units)], units, rho):
        # `check_ray_sound` of proofs/: the correction that makes the equalities hold moves no entry by more than c, and only on COLS
        if kernels.below_zero(strict, d, rank.columns, bound.correction):
            return
    fields.reject("a margin does not exceed the correction that the equalities need")


# 4.7


def check_boundedness(text: Text, claim: Claim, base: Base, rank: Rank, kernels: Kernels) -> None:
    """P2: X is bounded iff its recession cone is {0}."""
    if claim.cardinality == "infinite" or (claim.cardinality == "bounded" and isinstance(claim.domain, Box)):
        return
    system = base.recession_system()
    if claim.cardinality == "bounded":
        read_trivial(text, system, kernels)
        return
    equalities = [row for row in system.rows if row.equality]
    inequalities: list[Row | Side] = [row for row in system.rows if not row.equality]
    inequalities += system.sides
    if not text.begins("recession"):
        read_ray(text, system.columns, equalities, inequalities, rank, kernels)
        return
    fields = text.take("recession", "4.7")
    d = point_of(fields, system.columns, "a direction").numerators
    if not any(d):
        fields.reject("the direction is 0")
    if not kernels.orthogonal(equalities, d) or any(row.dot(d) > 0 for row in inequalities):
        fields.reject("the direction is not in the recession cone")


# 4.8


def check_empty(text: Text, claim: Claim, kernels: Kernels) -> None:
    """A contradiction in y alone, among the conditions (Farkas), or of the homogenised system (C1)."""
    y, layer = claim.y, claim.layer
    if text.begins("negative"):
        fields = text.take("negative", "4.8")
        i = fields.natural("I")
        fields.done()
        if i >= layer.outputs or not layer.rectified[i] or y.numerators[i] >= 0:
            fields.reject("the output has no negative entry at a rectified row I")
    elif text.begins("farkas"):
        check_farkas(text, claim, kernels)
    else:
        check_margin(text.take("empty margin", "4.8"), homogenised_system(claim), kernels)


def check_farkas(text: Text, claim: Claim, kernels: Kernels) -> None:
    """On X the weighted sum of the conditions is at most 0, but it is sigma . x + c, which is above 0 on the whole domain."""
    layer, y, n = claim.layer, claim.y, claim.layer.inputs
    sides = claim.domain.rows if isinstance(claim.domain, Polytope) else ()
    fields = text.take("farkas", "4.8")
    weights = fields.integers(layer.outputs + len(sides), "multipliers")
    # the constant is sum of weights * (b - y) = constant / (D * 2^down); nothing is brought to lowest terms, which could take minutes
    d = y.denominator
    down = max([0, *(-row.exponent for row in layer.rows)])
    constant = sum(weight * side[0] for weight, side in zip(weights[layer.outputs :], sides, strict=True)) * d << down
    for weight, row, value, rectified in zip(weights, layer.rows, y.numerators, layer.rectified, strict=False):
        constant += weight * ((row.constant * d << (row.exponent + down)) - (value << down))
        if weight < 0 and rectified and value == 0:
            fields.reject("an inequality has a negative multiplier")
    if any(weight < 0 for weight in weights[layer.outputs :]):
        fields.reject("a side has a negative multiplier")
    rows = [layer_row(layer, i, False) for i in range(layer.outputs)] + [Row(side[1], ONE, False) for side in sides]
    infimum = infimum_of(kernels.combination(rows, weights, n), claim.domain)
    if infimum is None or infimum[0] * (d << down) + constant * infimum[1] <= 0:
        fields.reject("the multipliers are no contradiction")


def infimum_of(sigma: Point, domain: Domain) -> tuple[int, int] | None:
    """The infimum of sigma . x over the orthant, the box or all of R^n, as numerator and denominator; None if there is none."""
    values = sigma.numerators
    if isinstance(domain, Box):
        lower, upper = domain.lower, domain.upper
        low = sum(v * lo for v, lo in zip(values, lower.numerators, strict=True) if v > 0)
        high = sum(v * hi for v, hi in zip(values, upper.numerators, strict=True) if v < 0)
        return low * upper.denominator + high * lower.denominator, lower.denominator * upper.denominator * sigma.denominator
    unbounded = any(v < 0 for v in values) if domain == "orthant" else any(values)
    return None if unbounded else (0, 1)
